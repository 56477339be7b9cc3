"""Dates: the stamps and words of a page -> publication and modification in UTC."""

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from htmldate import find_date
from lxml.etree import XPath

from crawler.times import stamp
from pipelines.extract.page_head import PageHead
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


# ------------------------------------------------------------------------------------------------------------- dates
PUBLISHED_META_NAMES = """
article:published_time og:published_time datepublished date.issued dcterms.created dc.date.issued
dcterms.issued parsely-pub-date sailthru.date publish-date publication_date pubdate
cxenseparse:recs:publishtime article.published og:article:published_time published_time dc.date
dcterms.date dc.date.created date rnews:datepublished ptime last-published article:published created
publishdate citation_date pub_date published-date displaydate timestamp release_date og:release_date
video:release_date article.created datecreated date.created originalpublicationdate
"""


PUBLISHED_META = tuple(PUBLISHED_META_NAMES.split())


MODIFIED_META = (
    "article:modified_time",
    "og:updated_time",
    "datemodified",
    "last-modified",
    "dcterms.modified",
    "dc.date.modified",
    "article:updated_time",
    "lastmod",
)


PUBLISHED_TIMES = XPath(
    "//*[@itemprop='datePublished' or (self::time and (@pubdate or contains(@class,'publish') or contains(@class,'entry-date')))] | //time[@datetime]"
)


OLDEST = 1990
"""Years before the web are somebody's biography, not a publication."""


ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2}(?!\d))?)?",
    re.I,
)


def parse_moment(text: object, timezone: str | None = None) -> Moment | None:
    """An ISO 8601, RFC 5322 or epoch time as the page wrote it; None when it is none of these."""
    raw = clean(text)[:80]
    value = _iso_value(raw, timezone) or _other_value(raw, timezone)
    return Moment(value=value, raw=raw) if value else None


def _iso_value(raw: str, timezone: str | None) -> str | None:
    match = ISO.search(raw)
    if not match:
        match = re.fullmatch(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?(Z|[+-]\d{2}:?\d{2})?)?", raw)
    if not match:
        return None
    year, month, day, hour, minute, second, offset = match.groups()
    try:
        day_of = datetime(int(year), int(month), int(day))
        if hour is None:
            return _checked(day_of.date().isoformat(), int(year))
        when = day_of.replace(hour=int(hour), minute=int(minute), second=int(second or 0))
    except ValueError:
        return None
    return _checked(_stored(when, _offset(offset), timezone), int(year))


def _offset(text: str | None) -> timedelta | None:
    if not text:
        return None
    if text.upper() in ("Z", "UTC", "GMT"):
        return timedelta(0)
    digits = text[1:].replace(":", "").ljust(4, "0")
    return timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if text[0] == "-" else 1)


def _stored(when: datetime, offset: timedelta | None, timezone: str | None) -> str:
    """UTC when the offset is known or the source's zone supplies it, else the bare day."""
    try:
        if offset is not None:
            return stamp((when - offset).replace(tzinfo=UTC))
        if timezone:
            return stamp(when.replace(tzinfo=ZoneInfo(timezone)))
    except OverflowError:  # an offset that leaves the calendar: the null date of many programs is 0001-01-01
        pass
    return when.date().isoformat()


def _other_value(raw: str, timezone: str | None) -> str | None:
    if re.fullmatch(r"1\d{9}(?:\d{3})?", raw):
        return stamp(datetime.fromtimestamp(int(raw[:10]), UTC))
    if re.match(r"(?:(?![A-Za-z]{3}).)*+[A-Za-z]{3}.*\d{2}:\d{2}", raw) and not re.search(r"\b0\d{3}\b(?!:)", raw):
        try:
            when = parsedate_to_datetime(raw)
        except (ValueError, TypeError, IndexError):
            return _in_words(raw, timezone)
        return _stored(when.replace(tzinfo=None), when.utcoffset(), timezone)
    return _in_words(raw, timezone)


def _in_words(raw: str, timezone: str | None) -> str | None:
    """A day in words, with the time beside it when the source's zone makes that an instant."""
    day = day_in_words(raw)
    clock = CLOCK.search(raw) if day and timezone else None
    if not day or not clock:
        return day
    hour = int(clock[1]) % 12 + 12 * (clock[3].lower() == "p") if clock[3] else int(clock[1])
    if hour > 23 or int(clock[2]) > 59:
        return day
    return _stored(datetime.fromisoformat(day) + timedelta(hours=hour, minutes=int(clock[2])), None, timezone)


def _checked(value: str, year: int) -> str | None:
    return value if OLDEST <= year <= 2100 else None


def published_at(head: PageHead, timezone: str | None) -> tuple[Moment | None, str]:
    """When the article was published, and who says so.

    How far to trust it shows in the source: `page` and `url` are read off the page's face, so a `page` date that equals
    the day of the fetch has nobody else's word for it, and one later than the fetch is an announcement or an error.
    The page's own string, kept beside it, tells a local time (`+02:00`) from one a program made (`Z`).
    """
    stated = ((moment, source) for text, source in _published_strings(head) if (moment := parse_moment(text, timezone)))
    first = next(stated, None)
    if first is None:
        moment = _day_in_url(head.url)
        return moment, "url" if moment else "none"
    if first[0].is_instant:
        return _in_local_time(first[0], (other for other, _ in stated)), first[1]
    return next((other for other in stated if more_precise(first[0], other[0]) is other[0]), first)


def _in_local_time(moment: Moment, others: Iterable[Moment]) -> Moment:
    """The same instant as another part of the page writes it with the publisher's own offset, if this one is in UTC."""
    if not IN_UTC.search(moment.raw):
        return moment
    return next(
        (other for other in others if other.value == moment.value and LOCAL.search(other.raw)),
        moment,
    )


IN_UTC = re.compile(r"(?:Z|UTC|GMT|[+-]00:?00)$")


LOCAL = re.compile(r"\d[+-](?!00:?00)\d{2}:?\d{2}$")


def more_precise(day: Moment, other: Moment | None) -> Moment:
    """The other moment where it is the instant of which only the day is known; a zone may move it to the next day."""
    close = other is not None and abs((other.day - day.day).days) <= 1
    return other if other is not None and close and other.is_instant and not day.is_instant else day


def _published_strings(head: PageHead) -> Iterator[tuple[str, str]]:
    for node in (head.article, head.web_page):
        for key in ("datePublished", "dateCreated", "uploadDate"):
            if isinstance(value := node.get(key), str | int):
                yield str(value), "jsonld"
    for name in PUBLISHED_META:
        for content in head.meta.get(name, ()):
            yield content, "meta"
    for element in PUBLISHED_TIMES(head.tree)[:3]:
        yield element.get("datetime") or element.get("content") or element.text_content(), "page"


def guessed_date(head: PageHead) -> Moment | None:
    """htmldate's guess from the page's text; a first of January is what it makes of a bare year."""
    latest = head.fetched_at.date() + timedelta(days=2) if head.fetched_at else None
    found = find_date(
        deepcopy(head.tree),
        original_date=True,
        extensive_search=False,  # the texts it would search beyond have been read by then; it finds bare years and loads dateparser
        min_date=datetime(OLDEST, 1, 1),
        max_date=datetime.combine(latest, time()) if latest else None,
    )
    return Moment(value=found, raw=found) if found and not found.endswith("-01-01") else None


def _day_in_url(url: str | None) -> Moment | None:
    match = re.search(r"/((?:19|20)\d{2})[/-](\d{1,2})[/-](\d{1,2})(?=[/-]|$)", url or "") or re.search(
        r"[/-]((?:19|20)\d{2})(\d{2})(\d{2})(?=[/-]|$)", url or ""
    )
    if not match:
        return None
    value = _iso_value("-".join(match.groups()), None)
    return Moment(value=value, raw=match[0].strip("/-")) if value else None


def modified_at(head: PageHead, timezone: str | None) -> Moment | None:
    texts = [
        value
        for value in (
            head.ld("dateModified"),
            *(content for name in MODIFIED_META for content in head.meta.get(name, ())),
        )
        if isinstance(value, str)
    ]
    return next((moment for text in texts if (moment := parse_moment(text, timezone))), None)


MONTH_NUMBER = {
    name: number
    for months in PHRASES["months"].values()
    for number, names in enumerate(months.split("\n"), 1)
    for name in names.split()
}


TWO_WORD_MONTH = re.compile(r"(كانون|تشرين) (الأول|الثاني)")
"""The Levantine names of the months around the turn of the year."""


CLOCK = re.compile(
    r"(?<![\d:.])(\d{1,2})(?:[:.]|時|시 ?)(\d{2})(?!\d|\.\d{2})(?:分|분)?(?::\d{2})?\s*([ap])?\.?(?:m\b)?", re.I
)


DAY_MONTH_YEAR = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th|er|º|ª)?\.?[\s\-/]+(?:de\s+|d['’])?([^\W\d_]{2,14})\.?,?[\s\-/]+(?:de\s+|del\s+)?(\d{4})\b"
)


MONTH_DAY_YEAR = re.compile(r"\b([^\W\d_]{2,30})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b")


GLUED = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Where `Associated PressApril 28` was two elements of a page before it was copied as text."""


YEAR_MONTH_DAY = re.compile(r"\b(\d{4})\s*[年년/.\-]\s*(\d{1,2})\s*[月월/.\-]\s*(\d{1,2})(?!\d)")


YEAR_NAMED_MONTH_DAY = re.compile(r"\b(\d{4})\.?\s+([^\W\d_]{2,14})\.?\s+(\d{1,2})\b")


NUMERIC = re.compile(r"\b(\d{1,2})([./\-])(\d{1,2})\2(\d{4}|\d{2})\b")


def day_in_words(line: str) -> str | None:
    """The first day a line of text names, in any of the languages of phrases.toml or in figures; None when it names none."""
    line = TWO_WORD_MONTH.sub(r"\1\2", line)
    found = [
        hit
        for pattern, order in (
            (DAY_MONTH_YEAR, (3, 2, 1)),
            (MONTH_DAY_YEAR, (3, 1, 2)),
            (YEAR_MONTH_DAY, (1, 2, 3)),
            (YEAR_NAMED_MONTH_DAY, (1, 2, 3)),
        )
        for hit in _days(pattern, order, line)
    ]
    if found:
        return min(found)[1]
    match = NUMERIC.search(line)
    return _numeric_day(match) if match else None


def _days(pattern: re.Pattern[str], order: tuple[int, int, int], line: str) -> Iterator[tuple[int, str]]:
    for match in pattern.finditer(line):
        year, month, day = (match[group] for group in order)
        number = int(month) if month.isdigit() else MONTH_NUMBER.get(GLUED.split(month)[-1].lower(), 0)
        if value := _day(int(year), number, int(day)):
            yield match.start(), value


def _numeric_day(match: re.Match[str]) -> str | None:
    """Day first, except with slashes where only month first is possible."""
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    year += 2000 if year < 100 else 0
    return _day(year, second, first) or (_day(year, first, second) if match[2] == "/" else None)


def _day(year: int, month: int, day: int) -> str | None:
    try:
        return _checked(date(year, month, day).isoformat(), year)
    except ValueError:
        return None
