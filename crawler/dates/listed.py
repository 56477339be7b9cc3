"""Dates of feeds and sitemaps: a whole string that is one date -> a datetime or a day; strict forms first.

A page has dates in the middle of sentences; here the string is nothing but a date, so that what follows its time is an offset
and a name that no other text would take for a month's may be one. What is written without an offset stays without.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone

from crawler.dates.moments import DIGIT, EPOCH, UNKNOWN, Habits, Moment, parse_moment
from crawler.dates.translated import with_english_month

OLDEST_YEAR = 1600
"""Of the oldest newspapers. .NET writes an unset date as the year 1, WordPress as -1, MySQL as 0."""

UNSET_DAYS = frozenset(
    map(date.fromisoformat, ("1753-01-01", "1899-12-30", "1900-01-01", "1969-12-31", "1970-01-01", "1980-01-01"))
)
"""Where the clocks of SQL Server, OLE, Excel, Unix (in any zone) and DOS begin: nobody has set the date."""


def read_date(said: str, habits: Habits = UNKNOWN) -> datetime | date | None:
    """The date that a string is: aware where it says its offset, naive where it does not, a day where it has no time;
    None where nobody can read it, or where it is what programs write for no date."""
    found = _iso(said) or _in_words(said, habits)
    day = found.date() if isinstance(found, datetime) else found
    return None if day is None or day.year < OLDEST_YEAR or day in UNSET_DAYS else found


def _iso(said: str) -> datetime | date | None:
    """ISO 8601 to the letter, weeks too; seconds and milliseconds since 1970 are none of it."""
    if EPOCH.fullmatch(said):
        return None
    try:
        return date.fromisoformat(said) if len(said) <= len("2026-11-01") else datetime.fromisoformat(said)
    except ValueError:
        return None


def _in_words(said: str, habits: Habits) -> datetime | date | None:
    if NEGATIVE_YEAR.search(said) or not DIGIT.search(said):
        return None
    line = _spelt_out(said)
    found = parse_moment(line, habits)
    if found is None and (translated := with_english_month(line, habits.language)):
        found = parse_moment(translated, habits)
    return _as_precise(found, line) if found else None


NEGATIVE_YEAR = re.compile(r"(?<![^\s,])-\d{4}\b(?!\s*+\Z)")
"""`Wed, 30 Nov -0001 00:00:00`; what ends a string is an offset."""


def _as_precise(moment: Moment, line: str) -> datetime | date | None:
    """What of a moment is known for sure: the day alone, where its time is of a zone that nobody knows."""
    if moment.clock is None:
        return datetime.fromisoformat(moment.value) if moment.is_instant else moment.day
    if moment.offset is None:
        return moment.clock.date() if UNKNOWN_ZONE.search(line) else moment.clock
    is_offset = abs(moment.offset) < A_DAY
    return moment.clock.replace(tzinfo=timezone(moment.offset)) if is_offset else moment.clock.date()


A_DAY = timedelta(days=1)

UNKNOWN_ZONE = re.compile(r"\d\s?(?!(?:AM|PM|UHR|H|HRS?)\Z)[A-Z]{1,5}\Z")


# ------------------------------------------------------------------------------------------------- spelt as on pages
def _spelt_out(said: str) -> str:
    """A date with its year, time and offset as a page would write them."""
    line = SHORT_YEAR.sub(_whole_year, GLUED_TIME.sub(" ", said, 1), 1)
    return OFFSET.sub(_four_figures, line, 1)


GLUED_TIME = re.compile(r"(?<=\d{4})T(?=\d{1,2}:)")
"""`03 Nov 2026T08:15:00Z`."""

SHORT_YEAR = re.compile(r"(?<![\d:])(\d{1,2}[\s-][^\W\d_]{3,14}\.?[\s-])(\d{2})(?=,?\s\d{1,2}[:.]\d{2})")
"""`3 Nov 26 08:15`, as RFC 822 writes years."""


def _whole_year(date: re.Match[str]) -> str:
    """RFC 5322, 4.3: 50 to 99 are of the last century."""
    return f"{date[1]}{'19' if date[2] >= '50' else '20'}{date[2]}"


OFFSET = re.compile(
    r"(?<=\d)(\s?[ap]\.?m\.?)?\s?(?:GMT|UTC|UT)?\s?([+−-])(\d{1,2})(?::?(\d{2}))?(?=\s?(?:\(.{0,60}\)|[A-Z]{2,5})?\Z)",
    re.I,
)
"""What ends a date: `+09:00`, `-5`, `GMT+1`, with the zone's name behind it."""


def _four_figures(offset: re.Match[str]) -> str:
    half, sign, hours, minutes = offset.groups()
    clock = offset.string[: offset.start()]
    if ":" not in clock and "." not in clock[-3:]:  # the day of `2026-11-03`
        return offset[0]
    return f"{half or ''} {'-' if sign == '−' else sign}{int(hours):02}{minutes or '00'}"


# ---------------------------------------------------------------------------------------------- how a listing writes
def listing_habits(dates: Iterable[str | None], language: str | None) -> Habits:
    """How a listing writes its dates; `language` is its BCP 47 tag. Day and month are in the order of its other dates, else of its
    country; where nobody names one, month first beside a time with AM or PM."""
    primary, region = _tag(language)
    figures = [match for said in dates if said and (match := FIGURES.match(said))]
    orders = {int(match[1]) <= 12 for match in figures if (int(match[1]) > 12) != (int(match[3]) > 12)}
    order = orders.pop() if len(orders) == 1 else None
    has_half = any(match[2] == "/" and match[5] for match in figures)
    if order is None and region is None and primary in (None, "en") and has_half:
        order = True  # as .NET writes it where nobody has set a country
    return Habits(language=primary, region=region, month_first=order)


FIGURES = re.compile(
    r"[^\d]{0,20}(\d{1,2})([./-])(\d{1,2})\2(\d{4})\b(?:,?\s\d{1,2}:\d{2}(?::\d{2})?\s?([AaPp]\.?[Mm])?)?"
)


def _tag(language: str | None) -> tuple[str | None, str | None]:
    match = TAG.match(language or "")
    return (match[1].lower(), match[2].upper() if match[2] else None) if match else (None, None)


TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z]{4})?(?:[-_]([A-Za-z]{2}))?(?![A-Za-z])")


def latest(said: str, habits: Habits = UNKNOWN) -> datetime | None:
    """The latest instant that a date may mean, aware: a day, a month or a year counts as its end."""
    try:
        moment = datetime.fromisoformat(said) if len(said) > len("2026-11-01") else None  # nearly all are
    except ValueError:
        moment = None
    found = moment if moment and moment.tzinfo and moment.year > LAST_CLOCK else read_date(said, habits)
    if isinstance(found, datetime):
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return end_of_day(found or _last_day(said))


LAST_CLOCK = 1980
"""The year of the latest of UNSET_DAYS."""


def end_of_day(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC) if day else None


def _last_day(said: str) -> date | None:
    """The last day of `2026` and of `2026-11`, as sitemaps may write (W3C, Date and Time Formats)."""
    match = YEAR_AND_MONTH.fullmatch(said)
    if not match or int(match[1]) < OLDEST_YEAR:
        return None
    return last_day_of(int(match[1]), int(match[2] or 12))


YEAR_AND_MONTH = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2]))?")


def last_day_of(year: int, month: int) -> date:
    in_next_month = date(year, month, 28) + timedelta(days=4)
    return in_next_month - timedelta(days=in_next_month.day)
