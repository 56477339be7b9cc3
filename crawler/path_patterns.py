"""Path patterns of robots.txt and tdmrep.json -> whether an address matches, and what its host reserves of it. Pure."""

from typing import Any

from protego import Protego


class PathPattern:
    """A path of a robots.txt or tdmrep.json: `*` stands for anything, `$` at its end for the end (RFC 9309, 2.2.3)."""

    def __init__(self, pattern: str) -> None:
        self._rules = Protego.parse(f"User-agent: *\nDisallow: {pattern}")

    def matches(self, url: str) -> bool:
        return not self._rules.can_fetch(url, "*")


class Tdmrep:
    """The rules of a tdmrep.json, a list of objects as read_rules() gives them."""

    def __init__(self, rules: list[dict[str, Any]]) -> None:
        self._rules = [(PathPattern(rule["location"]), rule.get("tdm-reservation")) for rule in rules]

    def reservation_of(self, url: str) -> int | None:
        """1 or 0 as the first rule that matches says; None where it says neither, or none matches."""
        return next((reserved for pattern, reserved in self._rules if pattern.matches(url)), None)
