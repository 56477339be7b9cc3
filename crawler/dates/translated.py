"""A date in a language that nobody names -> the same with its month in English, by CLDR's names of months and weekdays.

Only for what is a date and nothing else: the first three letters of a month, as strftime() and blogs abbreviate it, are a word of
something else in a sentence.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from crawler.dates.months import language_months, month_key

LANGUAGES = (
    *("ru", "pl", "tr", "it", "es", "pt", "fr", "de", "uk", "cs", "sk", "hu", "ro", "nl", "sv", "da", "nb", "fi", "el", "bg", "sr"),
    *("hr", "sl", "mk", "be", "lt", "lv", "et", "ca", "gl", "eu", "az", "kk", "id", "ms", "vi", "ar", "fa", "he", "hi", "bn", "sw"),
)  # fmt: skip
"""Those that are tried, the larger first."""

ENGLISH = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

ABBREVIATED = 3
"""Letters of a month's name that stand for it."""

WORD = re.compile(r"[^\W\d_]++\.?")


def with_english_month(line: str, language: str | None) -> str | None:
    """The date with its month in English; its language is `language` (primary tag), else one that knows its month and, where it names
    its weekday, that. None where no language knows the month."""
    words = list(WORD.finditer(line))
    keys = [month_key(word[0]) for word in words]
    read = [(one, at, number) for at, key in enumerate(keys) for one, number in _months(key, language)]
    by_weekday = [found for found in read if found[0] == language or not _weekdays(found[0]).isdisjoint(keys)]
    for _, at, number in (by_weekday or read)[:1]:
        return f"{line[: words[at].start()]}{ENGLISH[number - 1]}{line[words[at].end() :]}"
    return None


def _months(key: str, language: str | None) -> Iterator[tuple[str, int]]:
    """The languages in which this is a month's name or its beginning, with the month; its own language first."""
    own = _begun(language).get(key) if language else None
    if own and language:
        yield language, own
    yield from _all_months().get(key, ())


@cache
def _all_months() -> Mapping[str, list[tuple[str, int]]]:
    """A third of a second, in a process that meets such a date."""
    found: dict[str, list[tuple[str, int]]] = {}
    for language in LANGUAGES:
        for key, number in _begun(language).items():
            found.setdefault(key, []).append((language, number))
    return found


@cache
def _begun(language: str) -> Mapping[str, int]:
    """The names of a language's months, and every beginning that only one month has."""
    names = language_months(language)
    months: dict[str, set[int]] = {}
    for name, number in names.items():
        for end in range(ABBREVIATED, len(name)):
            months.setdefault(name[:end], set()).add(number)
    return {begun: one.pop() for begun, one in months.items() if len(one) == 1} | dict(names)


@cache
def _weekdays(language: str) -> frozenset[str]:
    from babel import Locale, UnknownLocaleError  # only for dates that nobody else can read

    try:
        days = Locale.parse(language).days
    except (UnknownLocaleError, ValueError):
        return frozenset()
    widths = (names for use in ("format", "stand-alone") for names in days[use].values())
    return frozenset(month_key(name) for names in widths for name in names.values())
