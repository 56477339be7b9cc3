"""Month names -> numbers: those that months.toml lists for every text, and CLDR's for the language a page is in."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale

ARABIC_LETTERS = str.maketrans("يك", "یک", "ٔ")
"""Persian is also written with Arabic letters, and with a sign of the genitive above the last one."""

MARKS = re.compile("[\u0300-\u036f.׳॰]")
"""Accents, which capitals often lack, and what stands behind an abbreviation. The vowel signs of Indic scripts are others."""


def month_key(name: str) -> str:
    """A month's name as one spelling: `ΜΑΪΟΥ`, `Μαΐου`; `EKİM`, `Ekim`; Thai with a full stop in the middle."""
    name = name.lower()
    if not name.isascii():
        name = unicodedata.normalize("NFD", name).translate(ARABIC_LETTERS).replace("ı", "i")
    return MARKS.sub("", name)


NAMES: Mapping[str, Mapping[str, str]] = tomllib.loads(Path(__file__).with_name("months.toml").read_text("utf-8"))
"""Calendar -> language -> the names of its months, one a line."""


def _listed(kind: str) -> Mapping[str, int]:
    return {
        month_key(name): number
        for months in NAMES[kind].values()
        for number, names in enumerate(months.split("\n"), 1)
        for name in names.split()
    }


MONTH_NUMBER, JALALI_MONTHS, BIKRAM_MONTHS = map(_listed, ("months", "jalali_months", "bikram_months"))

OF_THEIR_OWN = frozenset(("hr",))
"""Languages in which a name that others have is another month's: `listopada` is October in Croatian, elsewhere November."""

LANGUAGES_OF_SCRIPTS = {
    "BENGALI": "bn", "GURMUKHI": "pa", "GUJARATI": "gu", "ORIYA": "or", "TAMIL": "ta", "TELUGU": "te", "KANNADA": "kn",
    "MALAYALAM": "ml", "SINHALA": "si", "DEVANAGARI": "hi", "THAI": "th", "LAO": "lo", "MYANMAR": "my", "KHMER": "km",
    "GEORGIAN": "ka", "ARMENIAN": "hy", "ETHIOPIC": "am", "HEBREW": "he", "GREEK": "el",
}  # fmt: skip
"""The language whose letters these are, or the largest of them, where a text does not say its own."""


def month_number(name: str, language: str | None) -> int | None:
    """The Gregorian month of a name in a language (primary tag), or in any that is common; None for another word."""
    key = month_key(name)
    listed = MONTH_NUMBER.get(key)
    if listed and language not in OF_THEIR_OWN:
        return listed
    known = (language, _of_script(key))
    return next((number for one in known if one and (number := language_months(one).get(key))), listed)


def _of_script(key: str) -> str | None:
    return LANGUAGES_OF_SCRIPTS.get(unicodedata.name(key[0], "").split(" ")[0]) if key and not key.isascii() else None


@cache
def language_months(language: str) -> Mapping[str, int]:
    """CLDR's names of the months, whole and short, alone and in a date, in all scripts of a language."""
    from babel import Locale, UnknownLocaleError  # 25 ms, and 8 ms a language

    found: dict[str, int] = {}
    for tag in (language, f"{language}_Latn", f"{language}_Cyrl"):
        try:
            found |= {key: number for number, name in _names(Locale.parse(tag)) for key in _keys(name, language)}
        except (UnknownLocaleError, ValueError):
            continue
    return found


def _names(locale: "Locale") -> Iterator[tuple[int, str]]:
    for use in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            yield from locale.months[use][width].items()


def _keys(name: str, language: str) -> Iterator[str]:
    """`de gener` stands in a date as `gener`; in Hebrew `in` is written together with the month."""
    *before, word = re.split(r"[\s’']", name)
    key = month_key(word)
    if set(before) <= {"de", "d", "ta"} and not any(map(str.isdigit, key)):
        yield key
        if language == "he":
            yield f"ב{key}"
