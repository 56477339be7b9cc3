"""Filters of a backfill: domains and days by a record's head alone, languages by what was extracted. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from crawler.urls import canonical_or_none


class UnusableDomain(ValueError):
    """A line of a list that is no domain; the message says which."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What is wanted of the archives; without any of it, all."""

    domains: tuple[str, ...] = ()  #: lower case, IDNA; each stands for its sub-domains, too
    languages: tuple[str, ...] = ()  #: primary tags, as Article.language has them
    since: str | None = None  #: first day of capture, `YYYY-MM-DD`, UTC
    until: str | None = None  #: last day of capture

    @cached_property
    def _domains(self) -> frozenset[str]:
        return frozenset(self.domains)

    def wants(self, url: str, captured_at: datetime) -> bool:
        """Whether a record's page is wanted, by its address and the moment of its capture (aware, UTC)."""
        day = f"{captured_at:%Y-%m-%d}"
        if (self.since and day < self.since) or (self.until and day > self.until):
            return False
        return not self.domains or any(name in self._domains for name in _names(url))

    def speaks(self, language: str | None) -> bool:
        """Whether an article of this language is wanted. One of which nobody knows the language is not, where any is named."""
        return not self.languages or language in self.languages


ALL = Filters()
"""Nothing is left out."""


def _names(url: str) -> Iterator[str]:
    """The host of an address and all domains that it is in."""
    name = urlsplit(url).hostname or ""
    while name:
        yield name
        name = name.partition(".")[2]


def domains_in(lines: Iterable[str]) -> tuple[str, ...]:
    """The domains of a list, one a line, `#` begins a comment; in order, each once. Raises UnusableDomain."""
    found: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        if word := line.partition("#")[0].strip():
            found[_domain(word, number)] = None
    if not found:
        raise UnusableDomain("names no domain")
    return tuple(sorted(found))


def _domain(word: str, number: int) -> str:
    url = None if re.search(r"[/:@?\s]", word) or "." not in word.strip(".") else canonical_or_none(f"https://{word}/")
    host = urlsplit(url).hostname if url else None
    if host is None:
        raise UnusableDomain(f"line {number}: expected a domain such as example.org, not {word!r}")
    return host
