"""The rules of a robots.txt for one product token (RFC 9309, 2.2.1): whose groups are ours. Protego reads the rules, and matches
paths; Content-Usage (IETF aipref, draft-ietf-aipref-attach) it does not know."""

import re
from collections.abc import Iterable, Iterator

from protego import Protego

from crawler.path_patterns import PathPattern
from crawler.reservations import MAX_USAGE_CHARS

_AGENT_LINE = re.compile(r"\s*+user[- ]?agent(?:\s*+:|\s)\s*+([^#]*+)", re.IGNORECASE)
"""As Protego reads it; it takes what a group is called for any word of a user agent, also of the address it gives."""

_PRODUCT = re.compile(r"[^\s/;,()*]++")
"""A product token, up to its version (RFC 9110, 10.1.5). RFC 9309 has letters, `-` and `_` only; names with digits are common."""

_COMPATIBLE = re.compile(r"mozilla/\S++\s++\(compatible;\s*+([^\s/;,()]++)", re.IGNORECASE)

_OURS, _OTHERS = "ours", "others"
"""Names that the groups get before Protego reads them."""


_BESIDE_RULES = ("", "sitemap", "host")
"""Fields of a robots.txt that belong to no group: they do not end the list of user agents above one's rules."""

MAX_USAGE_LINES = 100
"""Content-Usage lines of a group that are read; the drafts' examples have two."""


class RobotsRules:
    """What a robots.txt says to one user agent."""

    def __init__(self, text: str, user_agent: str) -> None:
        token = product_token(user_agent)
        lines = [_named(line, token) for line in text.splitlines()]
        self._rules = Protego.parse("\n".join(lines))
        self.usage_lines = _usage_lines(lines)  #: what those of Content-Usage say to us, with their paths
        self._usage = [_usage_rule(line) for line in self.usage_lines]

    def allowed(self, url: str) -> bool:
        return self._rules.can_fetch(url, _OURS)

    def usage_of(self, url: str) -> tuple[str, ...]:
        """The Content-Usage statements for an address: those with the longest path that matches, each of them once."""
        found = [(len(path), said) for path, pattern, said in self._usage if pattern is None or pattern.matches(url)]
        longest = max((length for length, _ in found), default=0)
        return tuple(dict.fromkeys(said for length, said in found if length == longest))

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


def _named(line: str, token: str) -> str:
    found = _AGENT_LINE.match(line)
    name = found[1].strip() if found else ""
    if not name or name == "*":  # for all; and a line without a name still ends the group before
        return line
    return f"User-agent: {_OURS if product_token(name) == token else _OTHERS}"


def _usage_lines(lines: Iterable[str]) -> list[str]:
    """The values of the Content-Usage lines in our groups, where there are none of ours in those for all; `lines` are named."""
    said: dict[str, list[str]] = {}
    group: list[list[str]] = []
    is_open = False
    for line in lines:
        field, _, value = (part.strip() for part in line.partition("#")[0].partition(":"))
        if agent := _AGENT_LINE.match(line):
            group = group if is_open else []
            is_open = True
            group.append(said.setdefault(agent[1].strip(), []))
        elif field.lower() not in _BESIDE_RULES:
            is_open = False
            if field.lower() == "content-usage" and 0 < len(value) <= MAX_USAGE_CHARS:
                for values in group:
                    values.append(value)
    return said.get(_OURS, said.get("*", []))[:MAX_USAGE_LINES]


def _usage_rule(line: str) -> tuple[str, PathPattern | None, str]:
    """The path of a Content-Usage line, "" where it has none and speaks of all; its pattern; its statement."""
    if not line.startswith("/"):
        return "", None, line
    path, *statement = line.split(maxsplit=1)
    return path, PathPattern(path), "".join(statement)
