"""How a page says things: instants, languages, snippets, links. Pure; what it gives is text, which templates escape, or
Markup in which the text is escaped already."""

import json
import re
import unicodedata
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from pipelines.publish.translation import reader
from pipelines.text import CJK, CJK_LETTER

LOCALE = "en"
"""The pages are written in English, so are their dates."""


MARKS = ("\x02", "\x03")
"""What stands around a hit in a snippet until it is escaped: control characters, which no stored text holds."""


_SPACED = re.compile(rf"(?:^| |(?<=…)){MARKS[0]}?[{CJK}]{MARKS[1]}?(?: |$|(?=…))")


_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def instant(stamp: str | None) -> datetime | None:
    """A stored time; None for NULL, a bare day, or what is no time."""
    if not stamp or not _STAMP.fullmatch(stamp):
        return None
    try:
        return datetime.fromisoformat(stamp)  # a tenth of what strptime() takes, and a page may have a thousand
    except ValueError:
        return None


def ago(stamp: str | None, now: datetime) -> str:
    """A stored time as a reader says it: `3 hours ago`, `yesterday`, and from six days on the day; nothing for NULL."""
    at = instant(stamp)
    if at is None:
        return day(stamp)
    if abs(now - at) >= timedelta(days=6):  # babel rounds more to a week
        return day(stamp)
    return (
        "just now"
        if abs(now - at) < timedelta(minutes=1)
        else format_timedelta(at - now, add_direction=True, locale=LOCALE)
    )


def moment(stamp: str, now: datetime) -> Markup:
    """What ago() says as an element that has the exact time: the macro `when` in a tenth of its time, for pages with a thousand."""
    return Markup(f'<time datetime="{escape(stamp)}" title="{escape(exactly(stamp))}">{escape(ago(stamp, now))}</time>')


def exactly(stamp: str | None) -> str:
    """A stored time to the minute, with its zone: `2026-11-21 08:15 UTC`; a bare day is the day."""
    return f"{stamp[:10]} {stamp[11:16]} UTC" if stamp and instant(stamp) else stamp or ""


def clock(stamp: str, now: datetime) -> Markup:
    """What ago() leaves out of an instant: ` (2026-11-21 08:15 UTC)`, or `, 08:15 UTC` where it has said the day."""
    said_day = ago(stamp, now) == day(stamp)
    before, left = (", ", f"{stamp[11:16]} UTC") if said_day else (" ", f"({exactly(stamp)})")
    return Markup('{}<span class="exact">{}</span>').format(before, left)


def day(stamp: str | None) -> str:
    """The day of a stored time, in words: `21 November 2026`; as it stands when it is no day of a calendar."""
    try:
        return format_date(date.fromisoformat((stamp or "")[:10]), "d MMMM y", locale=LOCALE)
    except ValueError:
        return stamp or ""


def short_day(stamp: str) -> str:
    """A day under a chart: `21 Nov`."""
    return format_date(date.fromisoformat(stamp), "d MMM", locale=LOCALE)


def names(found: Any) -> str:
    """Names as a list for readers; nothing where a row by another hand holds no array of them."""
    return ", ".join(str(name) for name in found if name) if isinstance(found, list) else ""


def language(code: str | None) -> str:
    """A language's name in English: `German` for `de`; the code itself where nobody has named it."""
    try:
        return Locale.parse(code or "", sep="-").get_display_name(LOCALE) or code or ""
    except (UnknownLocaleError, ValueError, TypeError):
        return code or ""


def direction(text: str | None, code: str | None = None) -> str:
    """`rtl` or `ltr`: that of the first letter that has one (as `dir="auto"` does), else of the language."""
    for letter in text or "":
        if (kind := unicodedata.bidirectional(letter)) in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    try:
        return "rtl" if Locale.parse(code or LOCALE, sep="-").text_direction == "rtl" else "ltr"
    except (UnknownLocaleError, ValueError, TypeError):
        return "ltr"


def percent(share: float) -> str:
    """A share, 0 to 1, as a reader says it: never `100 %` of less than all, nor `0 %` of something."""
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    return "under 1 %" if share < 0.01 else "over 99 %" if share > 0.99 else f"{share * 100:.0f} %"


def about(number: float) -> str:
    """A number that is an average: `0.3`, `7`, `1,204`."""
    return _decimal(round(number, 1) if number < 2 else round(number), reader())


@lru_cache(10_000)
def _decimal(number: float, locale: Locale) -> str:
    return format_decimal(number, locale=locale)


def toml_string(text: str) -> str:
    """A text as a basic string of TOML, on one line."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def web_address(url: str | None) -> str | None:
    """An address that a page may link to: http or https only; None for `javascript:`, `urn:` and the like."""
    try:
        return url if url and urlsplit(url).scheme in ("http", "https") else None
    except ValueError:
        return None


def spaced(text: str) -> str:
    """The same as schema.spaced() in SQL: a space on either side of every letter of CJK."""
    return CJK_LETTER.sub(lambda letter: f" {letter[0]} ", text)


def marked(snippet: str | None) -> Markup:
    """What snippet() or highlight() gave, as HTML: hits in <mark>, the spaces between letters of CJK taken out again."""
    html = str(escape(together(snippet))).replace(MARKS[0], "<mark>").replace(MARKS[1], "</mark>")
    return Markup(html.replace("</mark><mark>", ""))


def starred(snippet: str | None) -> str:
    """The same as plain text: hits between two asterisks, as the canned query `search` has them."""
    return re.sub(f"{MARKS[1]}{MARKS[0]}", "", together(snippet)).translate(dict.fromkeys(map(ord, MARKS), "**"))


def where(hit: dict[str, Any]) -> Markup:
    """Where a hit stands that is not in the article itself, as HTML, before its snippet; nothing where it is."""
    said = (escape(where_in_words(hit)), marked(hit.get("said_title")))
    return Markup("").join(part + ": " for part in said if part)


def where_in_words(hit: dict[str, Any]) -> str:
    """Where a hit stands that is not in the article itself: `In the copy of The Bay`, `In the version of 3 November 2026`."""
    if hit.get("said_in") == "copy":
        return f"In the copy of {hit['copy_source'] or hit['copy_url']}"
    return f"In the version of {day(hit['found_at'])}" if hit.get("said_in") == "version" else ""


def together(snippet: str | None) -> str:
    """A snippet without the spaces between letters of CJK that the index needs."""
    return _SPACED.sub(lambda found: found[0].strip(" "), snippet or "")
