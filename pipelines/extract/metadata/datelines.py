"""The dateline: the place from which a report was sent, `CALDERWICK` of `CALDERWICK, Nov 12 (Corvane) - Ferry operator …`.

Rather none than a wrong one: a place is believed that is in capitals, or that stands before the name of a known agency.
"""

import re

from crawler.dates.months import MONTH_NUMBER, month_key
from pipelines.extract.boilerplate import AGENCY_NAMES
from pipelines.extract.phrases import phrases
from pipelines.text import fold, is_prose

MAX_DATELINE, MAX_PLACE_WORDS, MIN_PLACE_LETTERS = 90, 5, 3
"""Characters of place, day and agency together; words of a place's name; letters of one. `AI — The …` is none."""

PLACE_SIGNS = frozenset(" .,،'’/-")
"""What stands in a place besides letters: `ST. JOSEPH, Mich.`, `WASHINGTON/BERLIN`."""

AGENCY_FIRST = re.compile(r"\([^()]{2,40}\)\s?[-–—]\s")
"""`(ANSA) - ROMA, 12 NOV - `."""

OPENING = re.compile(
    r"(?P<before>[^()—–]+?)\s?(?:\((?P<agency>[^()]{2,40})\)\s?\.?[-–—]{1,2}|\.[-–—]|\s(?:[-–—]|--)(?=\s))\s*(?=\S)"
)
"""Up to the dash. Without an agency there is white space on both its sides, or a full stop before it: `NIMES, 12 nov.- `."""

DAY = re.compile(r"(?<!\s)(?:\s*[,،]\s*+(?:[^\W\d_]++\.?\s+)?\d.*|\s+\d.*)")
"""`, Nov 12`, ` 12 نوفمبر`: with a figure the place is over."""

KICKERS = frozenset(map(fold, phrases("kickers")))


def dateline(line: str) -> str | None:
    """The place with which an article's first line opens, in the page's own spelling; None where none does."""
    line = AGENCY_FIRST.sub("", line, count=1) if line.startswith("(") else line
    opening = OPENING.match(line[:MAX_DATELINE])
    if not opening:
        return None
    before, agency = opening["before"], opening["agency"]
    place = DAY.sub("", before, count=1)
    if not _may_be_place(place):
        return None
    if agency:
        return place if _is_in_capitals(place) or _is_known(agency) else None
    says_more = place != before or "," in place or is_prose(line)
    return place if _is_in_capitals(place) and says_more and not line[opening.end()].islower() else None


def _may_be_place(place: str) -> bool:
    name = _name(place)
    return (
        sum(map(str.isalpha, name)) >= MIN_PLACE_LETTERS
        and len(name.split()) <= MAX_PLACE_WORDS
        and not place[0].islower()
        and all(sign.isalpha() or sign in PLACE_SIGNS for sign in place)
        and fold(name) not in KICKERS
        and month_key(name.rpartition(" ")[2]) not in MONTH_NUMBER
    )


def _is_in_capitals(place: str) -> bool:
    return _name(place).isupper()


def _name(place: str) -> str:
    """A place without its state or country."""
    return re.split("[,،]", place, maxsplit=1)[0]


def _is_known(agency: str) -> bool:
    return any(fold(name) in AGENCY_NAMES for name in agency.split("/"))
