"""Date strings -> moments: ISO 8601, RFC 5322, epochs, figures and words of any language, in UTC where the zone is known."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from crawler.dates.calendars import BIKRAM_YEARS, JALALI_YEARS, MINGUO_YEARS, OLDEST, gregorian, of_era
from crawler.dates.months import BIKRAM_MONTHS, JALALI_MONTHS, month_key, month_number
from crawler.dates.zones import offset_of
from crawler.times import stamp
from pipelines.text import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time as the page wrote it and as it is stored."""

    value: str  #: `YYYY-MM-DDTHH:MM:SSZ`, or `YYYY-MM-DD` where the instant is not known
    raw: str  #: the page's own string
    clock: datetime | None = field(default=None, compare=False)  #: the time as it is written, of whatever zone
    offset: timedelta | None = field(
        default=None, compare=False
    )  #: how far that is ahead of UTC, where the string says it

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
    line = _plain(raw)
    found = _of_iso(line, habits) or _of_epoch(line) or _of_words(line, habits)
    return replace(found, raw=raw) if found else None


def _bare(day: str) -> Moment:
    return Moment(value=day, raw=day)


DIGIT = re.compile(r"\d|年")
"""Without a figure, or signs for figures with the word for a year, there is no date."""


# --------------------------------------------------------------------------------------------------------- in figures
ISO = re.compile(
    r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?:[T\s]++(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d++)?)?(?!\s?[ap]\.?m\b)\s?"
    r"(Z\b|[+-]\d{2}:?\d{2}(?!\d)|[+-]\d{1,2}(?!\d))?)?",
    re.I,
)

COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?(Z|[+-]\d{2}:?\d{2})?)?")


def _of_iso(raw: str, habits: Habits) -> Moment | None:
    match = COMPACT.fullmatch(raw) or ISO.search(raw)
    if not match or (match[4] is None and CLOCK.search(raw, match.end())):
        return None
    year, month, day, hour, minute, second, offset = match.groups()
    found = gregorian(int(year), int(month), int(day), habits.language)
    if not found or hour is None:
        return _bare(found.isoformat()) if found else None
    when = _clock_on(found, int(hour), int(minute), int(second or 0))
    if when is None:
        return _bare(found.isoformat())
    return _stored(when, _offset(offset) if offset else _zone_at(raw, match.end(), when, habits), habits)


def _offset(text: str) -> timedelta:
    if text in "Zz":
        return timedelta(0)
    hours, _, minutes = text[1:].partition(":") if ":" in text else (text[1:3], "", text[3:])
    return timedelta(hours=int(hours), minutes=int(minutes or 0)) * (-1 if text[0] == "-" else 1)


def _stored(when: datetime, offset: timedelta | None, habits: Habits) -> Moment:
    """UTC when the offset is known or the source's zone supplies it, else the bare day."""
    if offset is not None:
        value = stamp((when - offset).replace(tzinfo=UTC))
    elif habits.timezone:
        value = stamp(when.replace(tzinfo=ZoneInfo(habits.timezone)))
    else:
        value = when.date().isoformat()
    return Moment(value=value, raw="", clock=when, offset=offset)


def _of_epoch(raw: str) -> Moment | None:
    match = EPOCH.fullmatch(raw)
    return Moment(value=stamp(datetime.fromtimestamp(int(match[1]), UTC)), raw=raw) if match else None


EPOCH = re.compile(r"(?:/Date\()?(1\d{9})(?:\d{3}|\.\d{1,6})?(?:\)/)?")
"""Seconds or milliseconds since 1970, as .NET wraps them too."""


# ----------------------------------------------------------------------------------------------------------- in words
HALF = r"[ap]\.?\s?m\b\.?|ق\.?ظ|ب\.?ظ|صباحا|مساء|ص\b|م\b|π\.?μ|μ\.?μ|এএম|পিএম"

CLOCK = re.compile(
    r"(?P<first>上午|午前|오전|下午|午後|오후|晚上)?\s?(?<![\d:.])(?P<hour>\d{1,2})\s?(?:[:.hH]|時|时|點|点|시)\s?(?P<minute>\d{2})"
    r"(?!\d|\.\d{2})\s?(?:分|분)?(?::(?P<second>\d{2})(?:\.\d++)?)?\s?"
    rf"(?P<half>{HALF})?",
    re.I,
)

HOUR = re.compile(
    rf"(?<![\d:.])(?:(?P<hour>\d{{1,2}})\s?(?P<half>{HALF})|(?P<hours>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?=\s(?:GMT|UTC|BST)\b))",
    re.I,
)
"""`10 am`; `2010 GMT`, as agencies write it."""

AFTERNOON = ("p", "下", "午後", "오후", "晚", "ب", "م", "μ", "পি")
"""How the words for the second half of a day begin."""

ZONE = re.compile(
    r"(?:\s?(?:Uhr|hrs?|น\.|klo))?[\s,]{0,2}[(\[]?(?:(?:GMT|UTC)\s?([+-]\d{1,2}(?::?\d{2})?)(?!\d)|\s?([+-]\d{4})(?!\d)"
    r"|([A-ZМСКİ]{1,5})(?![^\W\d_]|[/])|((?:Eastern|Central|Mountain|Pacific)\b)|([A-Z][a-z]{3,8}/[A-Z][A-Za-z_/]{2,30}))"
)
"""What may follow a time: `GMT+2`, `+0200`, `EDT`, `Eastern Time`, `[Europe/Paris]`."""

OFFSET = re.compile(r"\s?([+-]\d{2}:?\d{2})(?!\d)")


def _of_words(line: str, habits: Habits) -> Moment | None:
    """A day in words or figures, with the time beside it where that makes an instant."""
    found = _first_day(line, habits)
    if not found:
        return None
    day, (begin, end) = found
    rest = f"{line[:begin]} {line[end:]}"
    clock = CLOCK.search(rest) or HOUR.search(rest)
    when = clock and _at(date.fromisoformat(day), clock)
    return _stored(when, _zone_at(rest, clock.end(), when, habits), habits) if clock and when else _bare(day)


def _at(day: date, clock: re.Match[str]) -> datetime | None:
    parts = clock.groupdict()
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    hour = int(parts.get("hours") or hour)
    half = (parts["half"] or parts.get("first") or "").lower()
    if half and 1 <= hour <= 12:
        hour = hour % 12 + 12 * half.startswith(AFTERNOON)
    return _clock_on(day, hour, minute, second)


def _clock_on(day: date, hour: int, minute: int, second: int) -> datetime | None:
    """A time of a day, whose end is also written 24:00."""
    if (hour > 23 and (hour, minute, second) != (24, 0, 0)) or minute > 59 or second > 59:
        return None
    return datetime(day.year, day.month, day.day, hour % 24, minute, second) + timedelta(days=hour // 24)


def _zone_at(raw: str, end: int, when: datetime, habits: Habits) -> timedelta | None:
    """The offset or the zone's name that follows a time."""
    match = ZONE.match(raw, end)
    if match and (offset := match[1] or match[2]):
        return _offset(offset)
    if match:
        return offset_of(match[3] or match[4] or match[5], when, habits.region)
    precise = raw[:end].endswith(("m", "M", "m.", "M.")) and OFFSET.match(raw, end)
    return _offset(precise[1]) if precise else None


TWO_WORD_MONTH = re.compile(r"(كانون|تشرين) (الأول|الثاني)|\b([Tt]háng) (\w++(?: (?:[Mm]ột|[Hh]ai)\b)?)(?<!\d)")
"""The Levantine names of the months around the turn of the year; Vietnamese ones in words: `tháng mười hai`."""

ERA_BEFORE_YEAR = re.compile(
    r"(?:พ\.?ศ\.?|ค\.?ศ\.?)\s?(?=\d)|(?<=年)\s?[（(][^()（）]{1,12}[)）]|\b(?:thn|tahun|năm) (?=\d{4})"
)
"""What may stand before a year, or behind it: `พ.ศ. 2567`, `2026年(令和8年)`, `năm 2026`."""

THAI_ABBREVIATION = re.compile(r"(?<=[ก-๎])\.(?=[ก-๎]|\s)")


def _plain(line: str) -> str:
    """A line with each month as one word and each sign as it usually stands in dates."""
    if line.isascii():
        return line
    line = THAI_ABBREVIATION.sub("", ERA_BEFORE_YEAR.sub("", line.replace("−", "-")))
    return TWO_WORD_MONTH.sub(lambda match: "".join(filter(None, match.groups())).replace(" ", "").lower(), line)


NAME = r"[^\s\d_,،;:()|./–—'’\"«»-]"
"""A sign of a month's name: letters and the vowel signs of Indic scripts and of Thai, which are no letters to `\\w`."""

OF = r"(?:of\s++|de\s++|del\s++|ng\s++|d['’]|ta['’]\s?+)?"

DAY_MONTH_YEAR = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th|er|\.?[º°ª])?(?:\.[\s\-/]*+|[\s\-/]++){OF}({NAME}{{2,14}})\.?[,،]?(?:\s?/\s?{NAME}{{2,14}})?"
    rf"(?:[\s\-/]++{OF}(\d{{4}})|\s['’](\d{{2}})|(?<=[^\W\d_])-(\d{{2}})|(?<=[ก-๎])\s(\d{{2}})(?![:.]))\b"
)


MONTH_DAY_YEAR = re.compile(
    rf"\b({NAME}{{2,30}})\.?\s++(\d{{1,2}})(?:st|nd|rd|th)?[,،]?\s++(?:(\d{{4}})|['’](\d{{2}}))\b"
)


MONTH_DAY_CLOCK_YEAR = re.compile(
    rf"\b({NAME}{{3,14}})\s(\d{{1,2}})\s(?=\d\d:\d\d:\d\d\s(?:[A-Z]{{1,5}}\s|[+-]\d{{4}}\s)?(\d{{4}})\b)"
)
"""`Mon Aug 03 12:45:00 EDT 2015`, as programs in C and Java print it."""


GLUED = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Where `Associated PressApril 28` was two elements of a page before it was copied as text."""


YEAR_MONTH_DAY = re.compile(r"\b(\d{4})\s?[年년/.\-]\s?(\d{1,2})\s?[月월/.\-]\s?(\d{1,2})(?!\d)")


YEAR_NAMED_MONTH_DAY = re.compile(
    rf"\b(\d{{4}})(?:\s?m\b)?\.?[,،]?(?:\s++|-)({NAME}{{2,14}})\.?(?:\s++|-)(\d{{1,2}})\b"
)


YEAR_DAY_MONTH = re.compile(rf"\b(\d{{4}})(?:\.?\sgada|[\s-]?ж)\.?,?\s++(\d{{1,2}})[.\s-]\s?({NAME}{{3,14}})")
"""`2026. gada 17. janvāris` in Latvian, `2026 ж. 17 қаңтар` in Kazakh."""


DAY_MONTH_NUMBER_YEAR = re.compile(r"\b(\d{1,2})\s++tháng\s++(\d{1,2})(?:,\s?|\s++|/)(\d{4})\b")
"""`17 tháng 1, 2026`, in Vietnamese."""


NUMERIC = re.compile(
    r"(?<!\d\.)\b(\d{1,2})(?:([./\-])(\d{1,2})\2(\d{4}|\d{2})(?!\.\d)|(\s?[./|·-]\s)(\d{1,2})\5(\d{4}))\b"
)
"""Two figures and a year, with the same sign between them; with spaces around it too: `17. 1. 2026`, `17 | 01 | 2026`."""


KANJI = "〇一二三四五六七八九"
ERA = re.compile(
    r"(令和|平成|昭和|(?:中華)?民國|民国)?\s?(?<!\d)(\d{1,3}|[元十百K]{1,5})\s?年(?:\s?[(（]\d{4}年?[)）])?"
    r"\s?(\d{1,2}|[十K]{1,3})\s?月\s?(\d{1,2}|[十K]{1,3})\s?日".replace("K", KANJI)
)
"""A year of an emperor or of the Republic of China, in figures or signs: 令和8年2月4日, 115年2月4日, 令和八年（2026年）二月四日."""


ERA_LETTER = re.compile(r"\b([RHS])(\d{1,2})[./](\d{1,2})[./](\d{1,2})\b")
"""R8.2.4, in Japan."""


MINGUO = re.compile(r"(?<![\d./-])(\d{2,3})([./-])(\d{1,2})\2(\d{1,2})(?![\d./-])")


def day_in_words(line: str, habits: Habits = UNKNOWN) -> str | None:
    """The first day a line of text names, in any of the languages of months.toml or in figures; None when it names none."""
    found = _first_day(_plain(line), habits)
    return found and found[0]


Found = tuple[str, tuple[int, int]]
"""A day, and from where to where in its line it stands."""


def _first_day(line: str, habits: Habits) -> Found | None:
    if not DIGIT.search(line):
        return None
    found = [
        hit
        for pattern, order in (
            (DAY_MONTH_YEAR, "dmyyyy"),
            (MONTH_DAY_YEAR, "mdyy"),
            (MONTH_DAY_CLOCK_YEAR, "mdy"),
            (YEAR_MONTH_DAY, "ymd"),
            (YEAR_NAMED_MONTH_DAY, "ymd"),
            (YEAR_DAY_MONTH, "ydm"),
            (DAY_MONTH_NUMBER_YEAR, "dmy"),
        )
        for hit in _days(pattern, order, line, habits)
    ]
    if found:
        return min(found, key=lambda hit: hit[1])
    return _day_of_era(line, habits) or _day_in_figures(line, habits)


def _days(pattern: re.Pattern[str], order: str, line: str, habits: Habits) -> Iterator[Found]:
    """The days that a pattern finds, whose groups are day, month and year in this order; of several years one has matched."""
    for match in pattern.finditer(line):
        parts = {kind: text for kind, text in zip(order, match.groups(), strict=True) if text}
        is_thai = "ก" <= parts["m"][0] <= "๎" or habits.language == "th"
        if value := _day(_whole_year(parts["y"], is_thai), parts["m"], int(parts["d"]), habits):
            yield value, match.span()


def _day(year: int, month: str, day: int, habits: Habits) -> str | None:
    """The Gregorian day; whose calendar it is shows in a month's name, or else in the year and the language."""
    word = GLUED.split(month)[-1]
    if month.isdigit():
        found = gregorian(year, int(month), day, habits.language)
    elif number := year >= OLDEST and month_number(word, habits.language):
        found = gregorian(year, number, day)
    elif year in JALALI_YEARS and (number := JALALI_MONTHS.get(month_key(word))):
        found = gregorian(year, number, day, "fa")
    elif year in BIKRAM_YEARS and (number := BIKRAM_MONTHS.get(month_key(word))):
        found = gregorian(year, number, day, "ne")
    else:
        found = None
    return found.isoformat() if found else None


def _day_of_era(line: str, habits: Habits) -> Found | None:
    match = ERA_LETTER.search(line) if habits.language == "ja" else None
    match = match or (None if line.isascii() else ERA.search(line))
    if not match:
        return None
    name = match[1]
    year, month, day = map(_number, match.groups()[1:])
    if not name and (year < 100 or (year not in MINGUO_YEARS and year < OLDEST)):
        return None  # 99年2月4日 is of 1999 as well
    found = of_era(name or "民國", year, month, day) if name or year in MINGUO_YEARS else gregorian(year, month, day)
    return (found.isoformat(), match.span()) if found else None


def _number(figures: str) -> int:
    """A number in figures or in signs, one after the other or with ten and hundred: 115, 一一五, 百十五; 元 is the first."""
    if figures.isdecimal():
        return int(figures)
    if figures == "元":
        return 1
    total, digit = 0, -1
    for sign in figures:
        if sign in "十百":
            total, digit = total + max(abs(digit), 1) * (10 if sign == "十" else 100), 0
        else:
            value = max(KANJI.find(sign), 0)
            digit = 10 * digit + value if digit > 0 else value
    return total + max(digit, 0)


def _day_in_figures(line: str, habits: Habits) -> Found | None:
    """Day first, except where the page's country has the month first or only that is possible."""
    if habits.region == "TW" and (match := MINGUO.search(line)) and int(match[1]) in MINGUO_YEARS:
        found = of_era("民國", int(match[1]), int(match[3]), int(match[4]))
        return (found.isoformat(), match.span()) if found else None
    match = NUMERIC.search(line)
    if not match:
        return None
    sign = (match[2] or match[5]).strip()
    first, second, year = (
        int(match[1]),
        int(match[3] or match[6]),
        _whole_year(match[4] or match[7], habits.language == "th"),
    )
    month_first = sign != "." and habits.puts_month_first
    orders = ((first, second), (second, first)) if month_first else ((second, first), (first, second))
    for month, day in orders if sign == "/" or month_first else orders[:1]:
        if found := gregorian(year, month, day, habits.language):
            return found.isoformat(), match.span()
    return None


def _whole_year(text: str, is_thai: bool) -> int:
    return int(text) if len(text) == 4 else int(text) + (2500 if is_thai and int(text) >= 50 else 2000)
