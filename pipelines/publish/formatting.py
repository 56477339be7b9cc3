"""How a page says things: instants, numbers, languages, snippets, links, in the language of its reader (translation.reader()), who is
English outside a request. What it gives is text, which templates escape, or Markup in which the text is escaped already."""

import json
import re
import unicodedata
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_timedelta
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

from pipelines.publish import translation
from pipelines.publish.translation import gettext, reader
from pipelines.text import CJK, CJK_LETTER

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
    if abs(now - at) < timedelta(minutes=1):
        return gettext("just now")
    return format_timedelta(at - now, add_direction=True, locale=reader())


def moment(stamp: str, now: datetime) -> Markup:
    """What ago() says as an element that has the exact time: the macro `when` in a tenth of its time, for pages with a thousand."""
    return Markup(f'<time datetime="{escape(stamp)}" title="{escape(exactly(stamp))}">{escape(ago(stamp, now))}</time>')


def exactly(stamp: str | None) -> str:
    """A stored time to the minute, with its zone: `2026-11-21 08:15 UTC`; a bare day is the day."""
    return f"{stamp[:10]} {stamp[11:16]} UTC" if stamp and instant(stamp) else stamp or ""


def clock(stamp: str, now: datetime) -> Markup:
    """What ago() leaves out of an instant: ` (2026-11-21 08:15 UTC)`, or `, 08:15 UTC` where it has said the day."""
    said_day = ago(stamp, now) == day(stamp)
    before, left = (gettext(", "), f"{stamp[11:16]} UTC") if said_day else (" ", f"({exactly(stamp)})")
    return Markup('{}<span class="exact">{}</span>').format(before, left)


def day(stamp: str | None) -> str:
    """The day of a stored time, in words: `21 November 2026`; as it stands when it is no day of a calendar."""
    try:
        return format_date(date.fromisoformat((stamp or "")[:10]), "long", locale=reader())
    except ValueError:
        return stamp or ""


def short_day(stamp: str) -> str:
    """A day under a chart: `21 Nov`."""
    return format_skeleton("MMMd", date.fromisoformat(stamp), locale=reader())


def number(count: float) -> str:
    """A number as a reader writes it: `1,200`, `1.200`."""
    return _decimal(count, reader())


@lru_cache(10_000)
def _decimal(count: float, locale: Locale) -> str:
    return format_decimal(count, locale=locale)  # as slow as a query of an index, and a page may have a thousand


def names(found: Any) -> str:
    """Names as a list for readers; nothing where a row by another hand holds no array of them."""
    return gettext(", ").join(str(name) for name in found if name) if isinstance(found, list) else ""


def language(code: str | None) -> str:
    """A language's name in the reader's: `German` for `de`; the code itself where nobody has named it."""
    try:
        return Locale.parse(code or "", sep="-").get_display_name(reader()) or code or ""
    except (UnknownLocaleError, ValueError, TypeError):
        return code or ""


def direction(text: str | None, code: str | None = None) -> str:
    """`rtl` or `ltr`: that of the first letter that has one (as `dir="auto"` does), else of the language, else of the page."""
    for letter in text or "":
        if (kind := unicodedata.bidirectional(letter)) in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    try:
        return (Locale.parse(code, sep="-") if code else reader()).text_direction
    except (UnknownLocaleError, ValueError, TypeError):
        return "ltr"


def percent(share: float) -> str:
    """A share, 0 to 1, as a reader says it: never `100 %` of less than all, nor `0 %` of something."""
    if 0 < share < 0.01:
        return gettext("under %(share)s", share=_percent(0.01))
    return gettext("over %(share)s", share=_percent(0.99)) if 0.99 < share < 1 else _percent(share)


def _percent(share: float) -> str:
    english = reader().language == "en"  # with a space, as ISO 31-0 has it
    return format_percent(share, "#,##0 %" if english else None, locale=reader())


def about(average: float) -> str:
    """A number that is an average: `0.3`, `7`, `1,204`."""
    return number(round(average, 1) if average < 2 else round(average))


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
    return _before(escape(where_in_words(hit))) + _before(marked(hit.get("said_title")))


def where_with_link(hit: dict[str, Any]) -> Markup:
    """The same on a page, with a link to a copy."""
    name, url = hit["copy_source"] or hit["copy_url"], web_address(hit["copy_url"])
    named = Markup('<a href="{1}"><bdi>{0}</bdi></a>' if url else "<bdi>{0}</bdi>").format(name, url)
    place = Markup(_place(hit)) % {"source": named, "day": day(hit["found_at"])}
    said, title = _before(place), marked(hit["said_title"])
    ours = Markup('<span class="where" {}>{}</span> ').format(translation.ours(), said.rstrip()) if said else Markup("")
    return ours + _before(title and Markup("<cite>{}</cite>").format(title))


def _before(label: Markup) -> Markup:
    """What something is, before it; nothing where that is empty."""
    return label and Markup(gettext("%(label)s: ")) % {"label": label}


def where_in_words(hit: dict[str, Any]) -> str:
    """Where a hit stands that is not in the article itself: `In the copy of The Bay`, `In the version of 3 November 2026`."""
    return _place(hit) % {"source": hit.get("copy_source") or hit.get("copy_url"), "day": day(hit.get("found_at"))}


def _place(hit: dict[str, Any]) -> str:
    """The sentence of where_in_words(), which has its `source` or its `day` yet to come."""
    if hit.get("said_in") == "copy":
        return gettext("In the copy of %(source)s")
    return gettext("In the version of %(day)s") if hit.get("said_in") == "version" else ""


def together(snippet: str | None) -> str:
    """A snippet without the spaces between letters of CJK that the index needs."""
    return _SPACED.sub(lambda found: found[0].strip(" "), snippet or "")
