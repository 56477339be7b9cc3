"""Date strings -> moments: ISO 8601, RFC 5322, epochs, figures and words of any language, in UTC where the zone is known."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from crawler.times import stamp
from pipelines.extract.metadata.calendars import BIKRAM_YEARS, JALALI_YEARS, MINGUO_YEARS, OLDEST, gregorian, of_era
from pipelines.extract.metadata.zones import offset_of
from pipelines.extract.phrases import PHRASES
from pipelines.text import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time as the page wrote it and as it is stored."""

    value: str  #: `YYYY-MM-DDTHH:MM:SSZ`, or `YYYY-MM-DD` where the instant is not known
    raw: str  #: the page's own string

    @property
    def is_instant(self) -> bool:
        return len(self.value) > 10

    @property
    def day(self) -> date:
        return date.fromisoformat(self.value[:10])


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How dates are written where a page is from; None where that is not known."""

    timezone: str | None = None  #: of times without an offset (IANA)
    language: str | None = None  #: primary tag
    region: str | None = None  #: country, ISO 3166: `US`
    month_first: bool | None = None  #: whether 5/3/2026 is in May; None: as it is in that country

    @property
    def puts_month_first(self) -> bool:
        return _has_month_first(self.language, self.region) if self.month_first is None else self.month_first

    def other_order(self) -> "Habits":
        """The same with day and month the other way round."""
        return replace(self, month_first=not self.puts_month_first)


@cache
def _has_month_first(language: str | None, region: str | None) -> bool:
    """Whether a country writes the month first, as CLDR knows it of each of its languages."""
    from babel import Locale, UnknownLocaleError  # few dates leave a choice

    if not region:
        return False
    try:
        return bool(Locale(language or "en", region).date_formats["short"].pattern.startswith("M"))
    except (UnknownLocaleError, ValueError):
        return False


UNKNOWN = Habits()

MAX_DATE = 80
"""Characters of a string in which its date stands."""


def parse_moment(text: object, habits: Habits = UNKNOWN) -> Moment | None:
    """A date and time in whatever form a page writes it; None when it is none."""
    raw = clean(text)[:MAX_DATE]
    if not DIGIT.search(raw):
        return None
    value = _of_iso(raw, habits) or _of_epoch(raw) or _of_words(raw, habits)
    return Moment(value=value, raw=raw) if value else None


DIGIT = re.compile(r"\d")


# --------------------------------------------------------------------------------------------------------- in figures
ISO = re.compile(
    r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?:[T\s]++(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d++)?)?(?!\s?[ap]\.?m\b)\s?"
    r"(Z\b|[+-]\d{2}:?\d{2}(?!\d)|[+-]\d{1,2}(?!\d))?)?",
    re.I,
)

COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?(Z|[+-]\d{2}:?\d{2})?)?")


def _of_iso(raw: str, habits: Habits) -> str | None:
    match = COMPACT.fullmatch(raw) or ISO.search(raw)
    if not match or (match[4] is None and CLOCK.search(raw, match.end())):
        return None
    year, month, day, hour, minute, second, offset = match.groups()
    found = gregorian(int(year), int(month), int(day), habits.language)
    if not found or hour is None or int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:
        return found.isoformat() if found else None
    when = datetime(found.year, found.month, found.day, int(hour), int(minute), int(second or 0))
    return _stored(when, _offset(offset) if offset else _zone_at(raw, match.end(), when, habits), habits)


def _offset(text: str) -> timedelta:
    if text in "Zz":
        return timedelta(0)
    hours, _, minutes = text[1:].partition(":") if ":" in text else (text[1:3], "", text[3:])
    return timedelta(hours=int(hours), minutes=int(minutes or 0)) * (-1 if text[0] == "-" else 1)


def _stored(when: datetime, offset: timedelta | None, habits: Habits) -> str:
    """UTC when the offset is known or the source's zone supplies it, else the bare day."""
    if offset is not None:
        return stamp((when - offset).replace(tzinfo=UTC))
    if habits.timezone:
        return stamp(when.replace(tzinfo=ZoneInfo(habits.timezone)))
    return when.date().isoformat()


def _of_epoch(raw: str) -> str | None:
    """Seconds or milliseconds since 1970."""
    return stamp(datetime.fromtimestamp(int(raw[:10]), UTC)) if re.fullmatch(r"1\d{9}(?:\d{3})?", raw) else None


# ----------------------------------------------------------------------------------------------------------- in words
CLOCK = re.compile(
    r"(?P<first>上午|午前|오전|下午|午後|오후|晚上)?\s?(?<![\d:.])(?P<hour>\d{1,2})\s?(?:[:.hH]|時|时|點|点|시)\s?(?P<minute>\d{2})"
    r"(?!\d|\.\d{2})\s?(?:分|분)?(?::(?P<second>\d{2})(?:\.\d++)?)?\s?"
    r"(?P<half>[ap]\.?\s?m\b\.?|ق\.?ظ|ب\.?ظ|ق\.ظ|صباحا|مساء|π\.?μ|μ\.?μ|น\.)?",
    re.I,
)

AFTERNOON = ("p", "下", "午後", "오후", "晚", "ب", "مساء", "μ")
"""How the words for the second half of a day begin."""

ZONE = re.compile(
    r"[\s,]{0,2}\(?(?:(?:GMT|UTC)\s?([+-]\d{1,2}(?::?\d{2})?)(?!\d)|\s?([+-]\d{4})(?!\d)|([A-ZМСК]{1,5})(?![^\W\d_]))"
)


def _of_words(raw: str, habits: Habits) -> str | None:
    """A day in words or figures, with the time beside it where that makes an instant."""
    found = _first_day(raw, habits)
    if not found:
        return None
    day, (begin, end) = found
    rest = f"{raw[:begin]} {raw[end:]}"
    clock = CLOCK.search(rest)
    when = clock and _at(date.fromisoformat(day), clock)
    return _stored(when, _zone_at(rest, clock.end(), when, habits), habits) if clock and when else day


def _at(day: date, clock: re.Match[str]) -> datetime | None:
    hour, half = int(clock["hour"]), (clock["half"] or clock["first"] or "").lower()
    if half and half != "น." and 1 <= hour <= 12:
        hour = hour % 12 + 12 * half.startswith(AFTERNOON)
    if hour > 23 or int(clock["minute"]) > 59 or int(clock["second"] or 0) > 59:
        return None
    return datetime(day.year, day.month, day.day, hour, int(clock["minute"]), int(clock["second"] or 0))


def _zone_at(raw: str, end: int, when: datetime, habits: Habits) -> timedelta | None:
    """The offset or the zone's name that follows a time."""
    match = ZONE.match(raw, end)
    if not match:
        return None
    return _offset(match[1] or match[2]) if not match[3] else offset_of(match[3], when, habits.region)


def _month_key(name: str) -> str:
    """A month's name as one spelling: Persian is also written with Arabic letters, Thai with a full stop in the middle."""
    return name.lower().replace(".", "").translate(ARABIC_LETTERS)


ARABIC_LETTERS = str.maketrans("يك", "یک")


def _month_numbers(kind: str) -> dict[str, int]:
    return {
        _month_key(name): number
        for months in PHRASES[kind].values()
        for number, names in enumerate(months.split("\n"), 1)
        for name in names.split()
    }


MONTH_NUMBER, JALALI_MONTHS, BIKRAM_MONTHS = map(_month_numbers, ("months", "jalali_months", "bikram_months"))


TWO_WORD_MONTH = re.compile(r"(كانون|تشرين) (الأول|الثاني)")
"""The Levantine names of the months around the turn of the year."""

THAI_ABBREVIATION = re.compile(r"(?<=[ก-๎])\.(?=[ก-๎]|\s)")

NAME = r"[^\s\d_,;:()|./–—'’\"«»-]"
"""A sign of a month's name: letters and the vowel signs of Indic scripts and of Thai, which are no letters to `\\w`."""

DAY_MONTH_YEAR = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th|er|º|ª)?(?:\.[\s\-/]*+|[\s\-/]++)(?:de\s++|d['’])?({NAME}{{2,14}})\.?,?(?:\s?/\s?{NAME}{{2,14}})?"
    r"[\s\-/]++(?:de\s++|del\s++)?(\d{4})\b"
)


MONTH_DAY_YEAR = re.compile(rf"\b({NAME}{{2,30}})\.?\s++(\d{{1,2}})(?:st|nd|rd|th)?,?\s++(\d{{4}})\b")


MONTH_DAY_CLOCK_YEAR = re.compile(
    rf"\b({NAME}{{3,14}})\s(\d{{1,2}})\s(?=\d\d:\d\d:\d\d\s(?:[A-Z]{{1,5}}\s)?(\d{{4}})\b)"
)
"""`Mon Aug 03 12:45:00 EDT 2015`, as programs in C and Java print it."""


GLUED = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Where `Associated PressApril 28` was two elements of a page before it was copied as text."""


YEAR_MONTH_DAY = re.compile(r"\b(\d{4})\s?[年년/.\-]\s?(\d{1,2})\s?[月월/.\-]\s?(\d{1,2})(?!\d)")


YEAR_NAMED_MONTH_DAY = re.compile(rf"\b(\d{{4}})\.?\s++({NAME}{{2,14}})\.?\s++(\d{{1,2}})\b")


NUMERIC = re.compile(r"\b(\d{1,2})([./\-])(\d{1,2})\2(\d{4}|\d{2})\b")
"""Figures that leave open which is the day and which the month."""


ERA = re.compile(r"(令和|平成|昭和|(?:中華)?民國|民国)?\s?(?<!\d)(\d{1,3}|元)\s?年\s?(\d{1,2})\s?月\s?(\d{1,2})\s?日")
"""A year of an emperor or of the Republic of China: 令和8年2月4日, 115年2月4日."""


ERA_LETTER = re.compile(r"\b([RHS])(\d{1,2})[./](\d{1,2})[./](\d{1,2})\b")
"""R8.2.4, in Japan."""


MINGUO = re.compile(r"(?<![\d./-])(\d{2,3})([./-])(\d{1,2})\2(\d{1,2})(?![\d./-])")


def day_in_words(line: str, habits: Habits = UNKNOWN) -> str | None:
    """The first day a line of text names, in any of the languages of phrases.toml or in figures; None when it names none."""
    found = _first_day(line, habits)
    return found and found[0]


Found = tuple[str, tuple[int, int]]
"""A day, and from where to where in its line it stands."""


def _first_day(line: str, habits: Habits) -> Found | None:
    if not DIGIT.search(line):
        return None
    if not line.isascii():
        line = THAI_ABBREVIATION.sub("", TWO_WORD_MONTH.sub(r"\1\2", line))
    found = [
        hit
        for pattern, order in (
            (DAY_MONTH_YEAR, (3, 2, 1)),
            (MONTH_DAY_YEAR, (3, 1, 2)),
            (MONTH_DAY_CLOCK_YEAR, (3, 1, 2)),
            (YEAR_MONTH_DAY, (1, 2, 3)),
            (YEAR_NAMED_MONTH_DAY, (1, 2, 3)),
        )
        for hit in _days(pattern, order, line, habits)
    ]
    if found:
        return min(found, key=lambda hit: hit[1])
    return _day_of_era(line, habits) or _day_in_figures(line, habits)


def _days(pattern: re.Pattern[str], order: tuple[int, int, int], line: str, habits: Habits) -> Iterator[Found]:
    for match in pattern.finditer(line):
        year, month, day = (match[group] for group in order)
        if value := _day(int(year), month, int(day), habits):
            yield value, match.span()


def _day(year: int, month: str, day: int, habits: Habits) -> str | None:
    """The Gregorian day; whose calendar it is shows in a month's name, or else in the year and the language."""
    name = _month_key(GLUED.split(month)[-1])
    if month.isdigit():
        found = gregorian(year, int(month), day, habits.language)
    elif name in MONTH_NUMBER and year >= OLDEST:
        found = gregorian(year, MONTH_NUMBER[name], day)
    elif name in JALALI_MONTHS and year in JALALI_YEARS:
        found = gregorian(year, JALALI_MONTHS[name], day, "fa")
    elif name in BIKRAM_MONTHS and year in BIKRAM_YEARS:
        found = gregorian(year, BIKRAM_MONTHS[name], day, "ne")
    else:
        found = None
    return found.isoformat() if found else None


def _day_of_era(line: str, habits: Habits) -> Found | None:
    match = ERA_LETTER.search(line) if habits.language == "ja" else None
    match = match or (None if line.isascii() else ERA.search(line))
    if not match:
        return None
    name, year, month, day = match.groups()
    number = 1 if year == "元" else int(year)
    if not name and (number < 100 or number not in MINGUO_YEARS):
        return None  # 99年2月4日 is of 1999 as well
    found = of_era(name or "民國", number, int(month), int(day))
    return (found.isoformat(), match.span()) if found else None


def _day_in_figures(line: str, habits: Habits) -> Found | None:
    """Day first, except where the page's country has the month first or only that is possible."""
    if habits.region == "TW" and (match := MINGUO.search(line)) and int(match[1]) in MINGUO_YEARS:
        found = of_era("民國", int(match[1]), int(match[3]), int(match[4]))
        return (found.isoformat(), match.span()) if found else None
    match = NUMERIC.search(line)
    if not match:
        return None
    first, second, year = int(match[1]), int(match[3]), _whole_year(match[4], habits)
    month_first = match[2] != "." and habits.puts_month_first
    orders = ((first, second), (second, first)) if month_first else ((second, first), (first, second))
    for month, day in orders if match[2] == "/" or month_first else orders[:1]:
        if found := gregorian(year, month, day, habits.language):
            return found.isoformat(), match.span()
    return None


def _whole_year(text: str, habits: Habits) -> int:
    if len(text) == 4:
        return int(text)
    return int(text) + (2500 if habits.language == "th" and int(text) >= 50 else 2000)
