"""The dates that a reader of a page sees: those of its article, apart from a comment's, a card's, a menu's or a sentence's."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property
from itertools import islice

import lxml.html
from lxml.etree import XPath

from crawler.dates.calendars import OLDEST
from crawler.dates.moments import NUMERIC, Habits, Moment, day_in_words, parse_moment
from pipelines.extract.metadata.ages import age_in
from pipelines.extract.metadata.page_head import PageHead
from pipelines.extract.metadata.stated_dates import MODIFIED_META, day_in_url, is_ahead, published_strings
from pipelines.extract.metadata.surroundings import (
    beginning,
    clocks_in,
    is_card_of,
    is_foreign,
    is_sentence,
    lines_above,
    lines_below,
)
from pipelines.extract.phrases import whole_words
from pipelines.extract.tree import clean_lines, visible_lines
from pipelines.text import clean, is_prose


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
        """Of all elements that hold a time for programs."""
        return [one for element in self._stamped if not _says_modified(element) for one in self._moments(element)]

    @cached_property
    def changed(self) -> list[Moment]:
        """What is said of changes: beside the headline, for programs, by its class."""
        lines = [line for line in self._lines if before_update(line) != line]
        elements = filter(_says_modified, (*self._stamped, *self._named))
        return [*self._in_lines(lines), *(moment for element in elements for moment in self._moments(element))]

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
    def written(self) -> list[Moment]:
        """In the lines beside the headline."""
        return list(self._in_lines(map(before_update, self._lines)))

    def _in_lines(self, lines: Iterable[str]) -> Iterator[Moment]:
        found = (parse_moment(text, self._habits) for text in map(_as_date_line, lines) if text)
        return (self.settled(moment) for moment in found if moment)

    @cached_property
    def _lines(self) -> list[str]:
        return [] if self._heading is None else [*lines_below(self._heading), *lines_above(self._heading)]

    @cached_property
    def named(self) -> list[Moment]:
        """Of elements whose class calls them a date."""
        return [one for element in self._named if not _says_modified(element) for one in self._moments(element)]

    @cached_property
    def _named(self) -> list[lxml.html.HtmlElement]:
        return [element for element in NAMED(self._head.tree)[:MAX_DATES] if self._is_own(element)]

    @cached_property
    def only(self) -> list[Moment]:
        """In the lines that are dates and what stands with them, wherever, if all of them name the same day."""
        clocks = (line for element in clocks_in(self._head.tree) for line in visible_lines(element))
        apart = set(clean_lines(clocks))
        found = list(self._in_lines(line for line in clean_lines(visible_lines(self._head.tree)) if line not in apart))
        return found if len({moment.day for moment in found}) == 1 else []

    @cached_property
    def aged(self) -> list[Moment]:
        """The days that lie as long before the fetch as the lines beside the headline tell: `3 hours ago`."""
        at = self._head.fetched_at
        if not at or at.year <= OLDEST:
            return []
        lines = [*self._lines, *(clean(element.text_content()) for element in self._stamped)]
        ages = [(line, age_in(line, self._habits.language)) for line in lines if any(map(str.isdigit, line))]
        return [Moment(value=(at - age).date().isoformat(), raw=line) for line, age in ages if age]

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
        texts = [text for text, *_ in published_strings(self._head)]
        texts += [text for name in MODIFIED_META for text in self._head.meta.get(name, ())]
        texts += [line for line in clean_lines(visible_lines(self._head.tree)) if len(line) < MAX_DATE_LINE]
        readings = (
            (day_in_words(text, self._habits), day_in_words(text, self._habits.other_order())) for text in texts
        )
        days = {date.fromisoformat(one) for one, other in readings if one and one == other}
        in_url = day_in_url(self._head.url)
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
        near = (element, *islice(element.iterdescendants(), MAX_INSIDE))
        stamps = (node.get(name) for node in near for name in STAMPS if node.get(name))
        for text in (*stamps, clean(element.text_content())):
            if moment := parse_moment(text, self._habits):
                yield self.settled(moment)


def _as_date_line(line: str) -> str:
    """A line that may be a date and what stands with it, or the date with which a report opens: `27.1.2026 - The …`."""
    if not any(map(str.isdigit, line[:MAX_DATE_LINE])):
        return ""
    if len(line) <= MAX_DATE_LINE and not is_prose(line):
        return line
    opening = OPENING_DATE.match(line)
    return opening[0] if opening else ""


OPENING_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?=\s?[-–—:])")

STAMPS = (
    "datetime", "content", "data-published", "data-datetime", "data-origindate", "data-timestamp", "data-utime", "data-epoch",
    "data-time", "data-date", "data-pubdate", "data-publish-date", "title",
)  # fmt: skip
"""Attributes in which templates keep the time that a script writes out."""

STAMPED = XPath("//time | //@datetime/.. | //@itemprop[.='datePublished' or .='dateCreated']/.. | //@data-published/..")

NAMED = XPath(
    "//*[@class[contains(., 'date') or contains(., 'Date') or contains(., 'published') or contains(., 'timestamp')]]"
    "[not(self::time or self::body or self::html or self::script or self::input)]"
)

MAX_DATE_LINE, MAX_DATES, MAX_LEVELS, MAX_INSIDE = 140, 60, 16, 3
"""Characters of a line or an element that is a date and what stands with it; dates of a page that are looked at, elements
around each and in each: the article's stands among the first, and comments are not nested deeper."""

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
    return changed or not before_update(f"{(label or '')[-40:]} {clean(element.text_content())}").strip()


UPDATED = whole_words("updates")


def before_update(line: str) -> str:
    """A line without what it says of a later change: `Published 3 May / Updated 5 May`."""
    found = UPDATED.search(line, 0, 2 * MAX_DATE_LINE)  # what stands further on is in a paragraph
    return line[: found.start()] if found else line
