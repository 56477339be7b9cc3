"""The rules of a robots.txt for one product token (RFC 9309, 2.2.1): whose groups are ours. Protego reads the rules."""

import re
from collections.abc import Iterator

from protego import Protego

_AGENT_LINE = re.compile(r"\s*+user[- ]?agent(?:\s*+:|\s)\s*+([^#]*+)", re.IGNORECASE)
"""As Protego reads it; it takes what a group is called for any word of a user agent, also of the address it gives."""

_PRODUCT = re.compile(r"[^\s/;,()*]++")
"""A product token, up to its version (RFC 9110, 10.1.5). RFC 9309 has letters, `-` and `_` only; names with digits are common."""

_COMPATIBLE = re.compile(r"mozilla/\S++\s++\(compatible;\s*+([^\s/;,()]++)", re.IGNORECASE)

_OURS, _OTHERS = "ours", "others"
"""Names that the groups get before Protego reads them."""


class RobotsRules:
    """What a robots.txt says to one user agent."""

    def __init__(self, text: str, user_agent: str) -> None:
        self._rules = Protego.parse(_with_named_groups(text, product_token(user_agent)))

    def allowed(self, url: str) -> bool:
        return self._rules.can_fetch(url, _OURS)

    @property
    def crawl_delay(self) -> float | None:
        """Seconds between two requests, as it stands there; None when it does not."""
        return self._rules.crawl_delay(_OURS)

    @property
    def sitemaps(self) -> Iterator[str]:
        """What its Sitemap lines say, whoever they are for."""
        return self._rules.sitemaps


def product_token(name: str) -> str:
    """The product token of a User-Agent header or a group's name, lower case: `casework` of `Casework/1.0 (+https://…)`, of
    what says Mozilla for old times' sake the one that it is compatible with. Empty where there is none."""
    found = _COMPATIBLE.match(name)
    token = found[1] if found else (product := _PRODUCT.match(name.strip())) and product[0]
    return (token or "").lower()


def _with_named_groups(text: str, token: str) -> str:
    return "\n".join(_named(line, token) for line in text.splitlines())


def _named(line: str, token: str) -> str:
    found = _AGENT_LINE.match(line)
    name = found[1].strip() if found else ""
    if not name or name == "*":  # for all; and a line without a name still ends the group before
        return line
    return f"User-agent: {_OURS if product_token(name) == token else _OTHERS}"
