"""Dates: which of the dates that a page states is its article's own, publication and modification, in UTC.

Structured data is believed before marked elements, these before the address, and the address before what stands beside
the headline. A date in a comment, a sidebar, a card, a menu or a sentence is never the article's.
"""

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import islice
from urllib.parse import urlsplit

import lxml.html
from htmldate import find_date
from lxml.etree import XPath

from pipelines.extract.metadata.calendars import OLDEST
from pipelines.extract.metadata.moments import NUMERIC, Habits, Moment, day_in_words, parse_moment
from pipelines.extract.metadata.page_head import PageHead
from pipelines.extract.metadata.surroundings import (
    beginning,
    is_card_of,
    is_foreign,
    is_sentence,
    lines_above,
    lines_below,
)
from pipelines.extract.phrases import whole_words
from pipelines.extract.tree import clean_lines, visible_lines
from pipelines.text import clean, is_prose

# ------------------------------------------------------------------------------------------------------------ habits
COUNTRIES_OF_LANGUAGES = {"zh": "CN", "he": "IL", "bn": "BD"}
"""Where the same letters name another zone than elsewhere, or figures mean another year, and hardly any page says the country."""

NO_COUNTRIES = frozenset(
    ("co", "io", "me", "tv", "ai", "fm", "ly", "cc", "ws", "to", "la", "gg", "eu", "su", "nu", "st")
)
"""Top-level domains of two letters that are sold all over the world."""

TAG_WITH_REGION = re.compile(r"([a-zA-Z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Z]{2}|[a-z]{2}))?(?![\w-])")


def habits_of(head: PageHead, language: str | None, timezone: str | None) -> Habits:
    """How dates are written where a page is from: its host's country, else the one beside its language."""
    tags = (head.tree.get("lang"), head.tree.get("xml:lang"), head.first("og:locale", "content-language"))
    stated = [match for tag in tags if tag and (match := TAG_WITH_REGION.match(tag.strip()))]
    region = _country(head.url) or next((match[3].upper() for match in stated if match[3]), None)
    if not region and any((match[2] or "").lower() == "hant" for match in stated):
        region = "TW"
    return Habits(timezone=timezone, language=language, region=region or COUNTRIES_OF_LANGUAGES.get(language or ""))


def _country(url: str | None) -> str | None:
    """The country of a host's top-level domain."""
    try:
        last = (urlsplit(url or "").hostname or "").rpartition(".")[2]
    except ValueError:
        return None
    if len(last) != 2 or not last.isalpha() or last in NO_COUNTRIES:
        return None
    return {"uk": "GB"}.get(last, last.upper())


# --------------------------------------------------------------------------------------------------------- published
PUBLISHED_META_NAMES = """
article:published_time og:published_time datepublished date.issued dcterms.created dc.date.issued
dcterms.issued parsely-pub-date sailthru.date publish-date publication_date pubdate
cxenseparse:recs:publishtime article.published og:article:published_time published_time dc.date
dcterms.date dc.date.created date rnews:datepublished ptime last-published article:published created
publishdate citation_date pub_date published-date displaydate timestamp release_date og:release_date
video:release_date article.created datecreated date.created originalpublicationdate sw-pubdate
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


AHEAD = timedelta(days=2)
"""How far a date may be ahead of the fetch: zones are worth one day, a wrong clock another. `sort_at` has the same limit."""


def published_at(
    head: PageHead, habits: Habits, heading: lxml.html.HtmlElement | None = None
) -> tuple[Moment | None, str]:
    """When the article was published, and who says so; `heading` is the element of its title.

    How far to trust it shows in the source: `page` and `url` are read off the page's face, so a `page` date that equals
    the day of the fetch has nobody else's word for it. What lies ahead of the fetch is an announcement or an error:
    another statement is taken, or none.
    The page's own string, kept beside it, tells a local time (`+02:00`) from one a program made (`Z`).
    """
    seen = DatesOnPage(head, habits, heading)
    stated = (one for one in _in_data(head, habits, seen) if not is_ahead(one[0], head.fetched_at))
    first = next(stated, None)
    if first and first[0].is_instant:
        return _in_local_time(first[0], [other for other, _ in stated], seen, modified_at(head, habits)), first[1]
    others = [*stated, *(one for one in _on_its_face(head, seen) if not is_ahead(one[0], head.fetched_at))]
    first = first or next(iter(others), None)
    if not first:
        return None, "none"
    day, instants = first[0], (other for other in others if other[0].is_instant)
    return next((other for other in instants if more_precise(day, other[0]) is other[0]), first)


def is_ahead(moment: Moment, fetched_at: datetime | None) -> bool:
    """Whether a date is doubted because it had not come when the page was fetched; a clock before the web's tells nothing."""
    return fetched_at is not None and fetched_at.year > OLDEST and moment.day > (fetched_at + AHEAD).date()


def _in_data(head: PageHead, habits: Habits, seen: "DatesOnPage") -> Iterator[tuple[Moment, str]]:
    for text, source in _published_strings(head):
        if moment := parse_moment(text, habits):
            yield seen.settled(moment), source


def _on_its_face(head: PageHead, seen: "DatesOnPage") -> Iterator[tuple[Moment, str]]:
    """What a reader takes for the article's date, and the address: first what is marked as such, last what is farthest away."""
    yield from ((moment, "page") for moment in (*seen.stamped_beside, *seen.published))
    if moment := _day_in_url(head.url):
        yield moment, "url"
    yield from ((moment, "page") for moment in seen.beside)
    yield from ((moment, "page") for moment in (*seen.stamped, *seen.named))


def _published_strings(head: PageHead) -> Iterator[tuple[str, str]]:
    for node in (head.article, head.web_page):
        for key in ("datePublished", "dateCreated", "uploadDate"):
            if isinstance(value := node.get(key), str | int):
                yield str(value), "jsonld"
    for name in PUBLISHED_META:
        for content in head.meta.get(name, ()):
            yield content, "meta"


def _in_local_time(moment: Moment, others: Iterable[Moment], seen: "DatesOnPage", modified: Moment | None) -> Moment:
    """The same instant as another part of the page writes it with the publisher's own offset, if this one is in UTC.

    A publication after its own modification is the publisher's clock taken for UTC: the part that knows the offset is right.
    """
    if not IN_UTC.search(moment.raw):
        return moment
    local = [other for other in (*others, *seen.all_stamps) if LOCAL.search(other.raw)]
    same = next((other for other in local if other.value == moment.value), None)
    if same or not (modified and modified.value < moment.value):
        return same or moment
    return next((other for other in local if other.raw[:16] == moment.raw[:16]), moment)


IN_UTC = re.compile(r"(?:Z|UTC|GMT|[+-]00:?00)$")


LOCAL = re.compile(r"\d[+-](?!00:?00)\d{2}:?\d{2}$")


def more_precise(day: Moment, other: Moment | None) -> Moment:
    """The other moment where it is the instant of which only the day is known; a zone may move it to the next day."""
    close = other is not None and abs((other.day - day.day).days) <= 1
    return other if other is not None and close and other.is_instant and not day.is_instant else day


# ----------------------------------------------------------------------------------------------------- on the page
class DatesOnPage:
    """The dates that a reader sees: those of the article, apart from the ones that belong to something else."""

    def __init__(self, head: PageHead, habits: Habits, heading: lxml.html.HtmlElement | None) -> None:
        self._head, self._habits, self._heading = head, habits, heading
        self._around = [] if heading is None else list(heading.iterancestors())

    @cached_property
    def published(self) -> list[Moment]:
        """Of elements that are marked as the day of publication."""
        return [moment for element in self._stamped if _says_published(element) for moment in self._moments(element)]

    @cached_property
    def stamped(self) -> list[Moment]:
        """Of all elements that hold a time for programs, those of changes last."""
        ordered = sorted(self._stamped, key=_says_modified)
        return [moment for element in ordered for moment in self._moments(element)]

    @property
    def all_stamps(self) -> Iterator[Moment]:
        """Of all elements for programs, whatever they belong to."""
        stamps = (element.get("datetime") for element in STAMPED(self._head.tree)[:MAX_DATES])
        return (moment for stamp in stamps if stamp and (moment := parse_moment(stamp, self._habits)))

    @cached_property
    def stamped_beside(self) -> list[Moment]:
        """Of elements for programs that stand beside the headline."""
        own = [(clean(element.text_content()), element) for element in self._stamped if not _says_modified(element)]
        near = [element for line in self._lines for text, element in own if text and text in line]
        return [moment for element in near for moment in self._moments(element)]

    @cached_property
    def beside(self) -> list[Moment]:
        """In the lines beside the headline, those of changes last."""
        parts = [(line, _before_update(line)) for line in self._lines]
        texts = [*(before for _, before in parts), *(line for line, before in parts if before != line)]
        found = (parse_moment(text, self._habits) for text in map(_as_date_line, texts) if text)
        return [self.settled(moment) for moment in found if moment]

    @cached_property
    def _lines(self) -> list[str]:
        return [] if self._heading is None else [*lines_below(self._heading), *lines_above(self._heading)]

    @cached_property
    def named(self) -> list[Moment]:
        """Of elements whose class calls them a date, those of changes last."""
        ordered = sorted(filter(self._is_own, NAMED(self._head.tree)[:MAX_DATES]), key=_says_modified)
        return [moment for element in ordered for moment in self._moments(element)]

    def settled(self, moment: Moment) -> Moment:
        """The reading of an ambiguous date that the rest of the page bears out: 5/3/2026 is in March or in May."""
        other = parse_moment(moment.raw, self._habits.other_order()) if NUMERIC.search(moment.raw) else None
        if other is None or other.day == moment.day:
            return moment
        borne_out = [one for one in (moment, other) if any(abs((one.day - day).days) <= 1 for day in self._days)]
        if len(borne_out) == 1:
            return borne_out[0]
        return (
            other if is_ahead(moment, self._head.fetched_at) and not is_ahead(other, self._head.fetched_at) else moment
        )

    @cached_property
    def _days(self) -> set[date]:
        """All days that the page names without leaving a choice; few pages need them."""
        texts = [text for text, _ in _published_strings(self._head)]
        texts += [text for name in MODIFIED_META for text in self._head.meta.get(name, ())]
        texts += [line for line in clean_lines(visible_lines(self._head.tree)) if len(line) < MAX_DATE_LINE]
        readings = (
            (day_in_words(text, self._habits), day_in_words(text, self._habits.other_order())) for text in texts
        )
        days = {date.fromisoformat(one) for one, other in readings if one and one == other}
        in_url = _day_in_url(self._head.url)
        return days | ({in_url.day} if in_url else set())

    @cached_property
    def _stamped(self) -> list[lxml.html.HtmlElement]:
        return [element for element in STAMPED(self._head.tree)[:MAX_DATES] if self._is_own(element)]

    def _is_own(self, element: lxml.html.HtmlElement) -> bool:
        """Whether nothing between an element and what it shares with the headline is a comment, a card, a menu or a sentence."""
        text = beginning(element)
        if len(text) > MAX_DATE_LINE:
            return False
        for node in (element, *islice(element.iterancestors(), MAX_LEVELS)):
            if node in self._around or node.tag in ("body", "html"):
                return True
            if is_foreign(node) or is_card_of(node, text) or is_sentence(node):
                return False
        return True

    def _moments(self, element: lxml.html.HtmlElement) -> Iterator[Moment]:
        for text in (*filter(None, map(element.get, STAMPS)), clean(element.text_content())):
            if moment := parse_moment(text, self._habits):
                yield self.settled(moment)


def _as_date_line(line: str) -> str:
    """A line that may be a date and what stands with it, or the date with which a report opens: `27.1.2026 - The …`."""
    if len(line) <= MAX_DATE_LINE and not is_prose(line):
        return line
    opening = OPENING_DATE.match(line)
    return opening[0] if opening else ""


OPENING_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?=\s?[-–—:])")

STAMPS = ("datetime", "content", "data-published", "data-datetime", "data-origindate", "title")
"""Attributes in which templates keep the time that a script writes out."""

STAMPED = XPath("//time | //@datetime/.. | //@itemprop[.='datePublished' or .='dateCreated']/.. | //@data-published/..")

NAMED = XPath(
    "//*[@class[contains(., 'date') or contains(., 'Date') or contains(., 'published') or contains(., 'timestamp')]]"
    "[not(self::time or self::body or self::html or self::script or self::input)]"
)

MAX_DATE_LINE, MAX_DATES, MAX_LEVELS = 140, 60, 16
"""Characters of a line or an element that is a date and what stands with it; dates of a page that are looked at, and elements
around each: the article's stands among the first, and comments are not nested deeper."""

PUBLISHED_NAME = re.compile(r"publish|entry-date|pubdate", re.I)

MODIFIED_NAME = re.compile(r"updated|modified|dateModified", re.I)


def _says_published(element: lxml.html.HtmlElement) -> bool:
    """Whether an element is marked as the time of publication, and not by its class alone."""
    if element.get("itemprop") in ("datePublished", "dateCreated"):
        return True
    marked = element.get("pubdate") is not None or PUBLISHED_NAME.search(element.get("class") or "") is not None
    return marked and element.tag == "time"


def _says_modified(element: lxml.html.HtmlElement) -> bool:
    names = f"{element.get('class') or ''} {element.get('itemprop') or ''}"
    changed = MODIFIED_NAME.search(names) is not None and PUBLISHED_NAME.search(names) is None
    before = element.getprevious()
    label = (before.tail if before is not None else None) or (
        element.getparent().text if before is None and element.getparent() is not None else ""
    )
    return changed or not _before_update(f"{(label or '')[-40:]} {clean(element.text_content())}").strip()


UPDATED = whole_words("updates")


def _before_update(line: str) -> str:
    """A line without what it says of a later change: `Published 3 May / Updated 5 May`."""
    found = UPDATED.search(line)
    return line[: found.start()] if found else line


# --------------------------------------------------------------------------------------------------- guessed, modified
def guessed_date(head: PageHead) -> Moment | None:
    """htmldate's guess from the page's text; a first of January is what it makes of a bare year."""
    latest = head.fetched_at.date() + AHEAD if head.fetched_at else None
    tree = deepcopy(head.tree)
    for element in COMMENTS(tree):
        element.drop_tree()
    found = find_date(
        tree,
        original_date=True,
        extensive_search=False,  # the texts it would search beyond have been read by then; it finds bare years and loads dateparser
        min_date=datetime(OLDEST, 1, 1),
        max_date=datetime.combine(latest, time()) if latest else None,
    )
    return Moment(value=found, raw=found) if found and not found.endswith("-01-01") else None


COMMENTS = XPath(
    "//*[self::section or self::div or self::ol or self::ul][@id='comments' or @class='comments' or @class='comment-list']"
)


def _day_in_url(url: str | None) -> Moment | None:
    match = re.search(r"/((?:19|20)\d{2})[/-](\d{1,2})[/-](\d{1,2})(?=[/-]|$)", url or "") or re.search(
        r"[/-]((?:19|20)\d{2})(\d{2})(\d{2})(?=[/-]|$)", url or ""
    )
    moment = parse_moment("-".join(match.groups())) if match else None
    return replace(moment, raw=match[0].strip("/-")) if match and moment else None


def modified_at(head: PageHead, habits: Habits) -> Moment | None:
    texts = [
        value
        for value in (
            head.ld("dateModified"),
            *(content for name in MODIFIED_META for content in head.meta.get(name, ())),
        )
        if isinstance(value, str)
    ]
    moments = (moment for text in texts if (moment := parse_moment(text, habits)))
    return next((moment for moment in moments if not is_ahead(moment, head.fetched_at)), None)
