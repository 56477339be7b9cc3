"""Redirectors: links that lead through somebody else's page to the address in their query. Pure. Who they are stands in redirectors.toml."""

import re
import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from crawler.urls import canonical_or_none, same_site

MOST_NESTED = 3
"""Redirectors within one another that are looked behind."""


def behind_redirectors(url: str) -> str:
    """The address that known redirectors lead to; any other as it is."""
    for _ in range(MOST_NESTED):
        if "=http" not in url or not _is_known(url) or not (target := target_in_query(url)):
            break
        url = target
    return url


def target_in_query(url: str) -> str | None:
    """The address of another site that a link has as a parameter, plain or percent-encoded; None where there is none."""
    if "=http" not in url:
        return None
    said = dict(reversed([pair.partition("=")[::2] for pair in urlsplit(url).query.split("&")]))
    targets = (_address(said[name]) for name in _tables()[1] if name in said)
    return next((target for target in targets if target and not same_site(target, url)), None)


def _address(value: str) -> str | None:
    """A parameter's value as an address, where it is a whole one; some escape no more of it than its own query."""
    return canonical_or_none(
        value if value.startswith(("http://", "https://")) and "%3F" not in value else unquote(value)
    )


def _is_known(url: str) -> bool:
    return _tables()[0].match(url) is not None


@cache
def _tables() -> tuple[re.Pattern[str], tuple[str, ...]]:
    """What the beginning of a known redirector's address matches, and the parameters."""
    read = tomllib.loads(Path(__file__).with_name("redirectors.toml").read_text("utf-8"))
    return re.compile(rf"https?://(?:www\.)?(?:{'|'.join(read['redirectors'])})\?"), tuple(read["parameters"])
