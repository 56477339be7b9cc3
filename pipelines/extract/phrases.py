"""phrases.toml, read once: what lines say, by kind and language, as tests that fail fast.

A kind has hundreds of phrases and most lines match none of them. So openings are asked by the line's first letter, and
what may stand anywhere only if a word that the phrase needs is there. Patterns are compiled when a line first needs them.
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
        self._patterns: dict[str, re.Pattern[str]] = {}

    def match(self, line: str) -> bool:
        """Whether the line opens with one of the phrases."""
        text = spelled(line)
        if not text[:1].isalnum():
            text = self._skip.sub("", text, count=1)
        if not text:
            return False
        found = self._patterns.get(text[0]) or self._beginning_with(text[0])
        return found.match(text) is not None

    @cached_property
    def _by_letter(self) -> Mapping[str, list[str]]:
        """First letter -> phrases; those that may begin with any letter stand under none."""
        found: dict[str, list[str]] = {"": []}
        for phrase in (phrase for kind in self._kinds for phrase in phrases(kind)):
            for letter in first_letters(phrase):
                found.setdefault(letter, []).append(phrase)
        return found

    def _beginning_with(self, letter: str) -> re.Pattern[str]:
        known = [*self._by_letter.get(letter, ()), *self._by_letter[""]]
        found = self._patterns[letter] = re.compile(f"(?:{'|'.join(known)}){self._after}" if known else NEVER)
        return found


def first_letters(phrase: str) -> set[str]:
    """The letters with which a phrase may begin: `(?:last )?updated` -> {`l`, `u`}; {""} where that may be any."""
    if OPENS_PLAINLY.match(phrase):
        return {phrase[0]}
    choice = CHOICE.match(phrase)
    if not choice:
        return {""}
    parts = choice["parts"].split("|") + ([phrase[choice.end() :]] if choice["optional"] else [])
    letters = set[str]().union(*map(first_letters, parts))
    return {""} if "" in letters else letters


OPENS_PLAINLY = re.compile(r"\w(?![?*{])")


CHOICE = re.compile(r"\(\?:(?P<parts>[^()]+)\)(?:(?P<optional>\?)|(?![*{]))")


NEVER = r"(?!)"


class Mentions:
    """A kind whose phrases may stand anywhere in a line."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def search(self, line: str) -> bool:
        """Whether the line holds one of the phrases."""
        text = spelled(line)
        for needed, phrase in self._needed:  # noqa: SIM110  # a generator takes twice as long
            if needed in text and _compiled(phrase).search(text):
                return True
        return False

    @cached_property
    def _needed(self) -> list[tuple[str, str]]:
        """Each phrase behind the plain words without which it cannot match."""
        return [(max(plain_words(phrase), key=len), phrase) for phrase in phrases(self._kind)]


@cache
def _compiled(phrase: str) -> re.Pattern[str]:
    return re.compile(phrase)


REPEATED = r"(?:[?*+]|\{[^}]*\})?"


CHOICES = re.compile(rf"\((?:\?:)?[^()]*\){REPEATED}|\[[^]]*\]{REPEATED}")


SIGNS = re.compile(rf"\\.{REPEATED}|.(?:[?*]|\{{[^}}]*\}})|[.^$|+]")


def plain_words(phrase: str) -> list[str]:
    """What every match of a phrase holds: `\\bsign up\\b.{0,80}(?:now|here)` -> [`sign up`] and empty strings."""
    without = CHOICES.sub("\0", phrase)
    return SIGNS.sub("\0", phrase).split("\0") if without == phrase else plain_words(without)
