"""phrases.toml, read once: what lines say, by kind and language, as tests that fail fast.

A kind has hundreds of phrases and most lines match none of them. So an opening is asked only of a line that begins with
its plain letters, and what may stand anywhere only if a word that the phrase needs is there. Patterns are compiled when a
line first needs them: all of them take a process half a second.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache, cached_property, lru_cache
from pathlib import Path

PHRASES: Mapping[str, Mapping[str, str]] = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text("utf-8"))
"""Kind -> language -> phrases, one a line."""


def phrases(kind: str) -> list[str]:
    """All phrases of a kind, each once."""
    return list(dict.fromkeys(line for lines in PHRASES[kind].values() for line in lines.splitlines() if line))


def pattern(kind: str) -> str:
    """A kind as one regular expression, for kinds of a few words that stand inside a larger one."""
    return "(?:" + "|".join(phrases(kind)) + ")"


def whole_words(kind: str) -> re.Pattern[str]:
    """Finds a kind's phrases as whole words, in any case."""
    return re.compile(rf"\b{pattern(kind)}\b", re.I)


@lru_cache(maxsize=512)
def spelled(line: str) -> str:
    """A line as phrases are written: lower case, with straight apostrophes."""
    return line.lower().replace("’", "'")


class Openings:
    """Kinds whose phrases begin a line, after the signs in `skip`; `after` is what must stand between them and its end."""

    def __init__(self, *kinds: str, skip: str = "", after: str = "") -> None:
        self._kinds, self._after = kinds, after
        self._skip = re.compile(skip)
        self._by_letter: dict[str, Beginnings] = {}
        others = []
        for phrase in (phrase for kind in kinds for phrase in phrases(kind)):
            if plain := PLAIN_BEGINNING.match(phrase):
                self._by_letter.setdefault(phrase[0], []).append((plain[0], phrase))
            else:
                others.append(phrase)
        self._beginnings = {letter: tuple({plain for plain, _ in known}) for letter, known in self._by_letter.items()}
        # At once: every worker is to have it from the process that forks it.
        self._others = re.compile(f"(?:{'|'.join(others)}){after}" if others else NEVER)

    def match(self, line: str) -> bool:
        """Whether the line opens with one of the phrases."""
        text = spelled(line)
        if not text[:1].isalnum():
            text = self._skip.sub("", text, count=1)
        if not text:
            return False
        if text.startswith(self._beginnings.get(text[0], ())):
            for beginning, phrase in self._by_letter[text[0]]:
                if text.startswith(beginning) and compiled(phrase + self._after).match(text):
                    return True
        return self._others.match(text) is not None


Beginnings = list[tuple[str, str]]
"""Phrases, each behind what it plainly begins with."""


PLAIN_BEGINNING = re.compile(r"(?:[\w '](?![?*{|]))+")


NEVER = r"(?!)"


class Mentions:
    """A kind whose phrases may stand anywhere in a line."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def search(self, line: str) -> bool:
        """Whether the line holds one of the phrases."""
        text = spelled(line)
        for needed, phrase in self._needed:  # noqa: SIM110  # a generator takes twice as long
            if needed in text and compiled(phrase).search(text):
                return True
        return False

    def count(self, text: str) -> int:
        """How many of the phrases of one language a text holds."""
        text = spelled(text)
        return max(
            sum(needed in text and compiled(phrase).search(text) is not None for needed, phrase in _needing(lines))
            for lines in _by_language(self._kind)
        )

    @cached_property
    def _needed(self) -> list[tuple[str, str]]:
        return list(_needing(tuple(phrases(self._kind))))


@cache
def _by_language(kind: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(filter(None, lines.splitlines())) for lines in PHRASES[kind].values())


@cache
def _needing(lines: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Each phrase behind the plain words without which it cannot match."""
    return tuple((max(plain_words(phrase), key=len), phrase) for phrase in lines)


@cache
def compiled(phrase: str) -> re.Pattern[str]:
    """A phrase as a pattern, with what must follow it."""
    return re.compile(phrase)


REPEATED = r"(?:[?*+]|\{[^}]*\})?"


CHOICES = re.compile(rf"\((?:\?:)?[^()]*\){REPEATED}|\[[^]]*\]{REPEATED}")


SIGNS = re.compile(rf"\\.{REPEATED}|.(?:[?*]|\{{[^}}]*\}})|[.^$|+]")


def plain_words(phrase: str) -> list[str]:
    """What every match of a phrase holds: `\\bsign up\\b.{0,80}(?:now|here)` -> [`sign up`] and empty strings."""
    without = CHOICES.sub("\0", phrase)
    return SIGNS.sub("\0", phrase).split("\0") if without == phrase else plain_words(without)
