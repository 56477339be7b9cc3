"""Dates: which of the dates that a page states is its article's own, publication and modification, in UTC.

Structured data is believed before marked elements, these before the address, and the address before what stands beside
the headline. A date in a comment, a sidebar, a card, a menu or a sentence is never the article's.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import chain
from typing import NamedTuple

import lxml.html
from htmldate import find_date
from lxml.etree import XPath

from crawler.dates.calendars import OLDEST
from crawler.dates.moments import Habits, Moment, parse_moment
from crawler.times import stamp
from pipelines.extract.metadata.page_head import PageHead
from pipelines.extract.metadata.shown_dates import DatesOnPage
from pipelines.extract.metadata.stated_dates import (
    AHEAD,
    MODIFIED_META,
    day_in_url,
    is_ahead,
    published_strings,
    strings_in_scripts,
)
from pipelines.extract.metadata.surroundings import clocks_in


# --------------------------------------------------------------------------------------------------------- published
def published_at(
    head: PageHead, habits: Habits, modified: Moment | None = None, heading: lxml.html.HtmlElement | None = None
) -> tuple[Moment | None, str]:
    """When the article was published, and who says so; `modified` is modified_at(), `heading` the element of its title.

    How far to trust it shows in the source: `page` and `url` are read off the page's face, so a `page` date that equals
    the day of the fetch has nobody else's word for it. What lies ahead of the fetch is an announcement or an error:
    another statement is taken, or none.
    The page's own string, kept beside it, tells a local time (`+02:00`) from one a program made (`Z`).
    """
    seen = DatesOnPage(head, habits, heading)
    come = partial(filter, lambda one: not is_ahead(one.moment, head.fetched_at))
    stated = list(come(_in_data(head, habits, seen)))
    first = _believed(stated, seen)
    if first and first.moment.is_instant:
        return _in_local_time(first.moment, [other.moment for other in stated], seen, modified), first.source
    face = list(come(_on_its_face(head, seen)))
    first = first or next(chain(face, come(_elsewhere(head, habits, seen))), None)
    if not first:
        return None, "none"
    instants = (one for one in (*stated, *face) if one.moment.is_instant)
    found = next((one for one in instants if more_precise(first.moment, one.moment) is one.moment), first)
    if not found.moment.is_instant:
        others = (*(one.moment for one in (*stated, *face)), *seen.changed, *([modified] if modified else ()))
        found = found._replace(moment=_in_its_zone(found.moment, others))
    return found.moment, found.source


class Statement(NamedTuple):
    """A date, and who says it."""

    moment: Moment
    source: str  #: jsonld, meta, url or page
    says_published: bool = True  #: not only that something is dated


def _believed(stated: Sequence[Statement], seen: DatesOnPage) -> Statement | None:
    """What the page's data say first, unless its face has another day that the data say too, or they say not what is dated."""
    first = next(iter(stated), None)
    if not first or (first.says_published and all(_is_close(first.moment, one.moment) for one in stated)):
        return first
    shown = next(iter((*seen.stamped_beside, *seen.published, *seen.written)), None)
    if not shown or _is_close(first.moment, shown):
        return first
    seconding = (one for one in stated if one.says_published and one.moment.day == shown.day)
    return next(seconding, first if first.says_published else None)


def _is_close(one: Moment, other: Moment) -> bool:
    """Whether two dates may be of one day: zones move an instant to the next."""
    return abs((one.day - other.day).days) <= (one.is_instant or other.is_instant)


def _in_its_zone(moment: Moment, others: Iterable[Moment]) -> Moment:
    """The instant of a time without a zone, where the page writes another one of that week with its offset, and always the same."""
    near = (one for one in others if one.offset and abs(one.day - moment.day) <= SAME_OFFSET)
    offsets = {one.offset for one in near}
    offset = offsets.pop() if len(offsets) == 1 else None
    if not moment.clock or not offset:
        return moment
    return replace(moment, value=stamp((moment.clock - offset).replace(tzinfo=UTC)))


SAME_OFFSET = timedelta(days=7)
"""For how long an offset holds; clocks are changed twice a year. None is learnt from UTC, which programs write for any clock."""


def _in_data(head: PageHead, habits: Habits, seen: DatesOnPage) -> Iterator[Statement]:
    for text, source, says_published in published_strings(head):
        if moment := parse_moment(text, habits):
            yield Statement(seen.settled(moment), source, says_published)


def _on_its_face(head: PageHead, seen: DatesOnPage) -> Iterator[Statement]:
    """What a reader takes for the article's date, and the address: first what is marked as such, last what is farthest away."""
    yield from (Statement(moment, "page") for moment in (*seen.stamped_beside, *seen.published))
    if moment := day_in_url(head.url):
        yield Statement(moment, "url")
    yield from (Statement(moment, "page") for moment in (*seen.written, *seen.stamped, *seen.named))


def _elsewhere(head: PageHead, habits: Habits, seen: DatesOnPage) -> Iterator[Statement]:
    """What tells of the article where nothing says when it was published: a change, the one day that is named at all."""
    yield from (Statement(moment, "page") for moment in seen.changed)
    yield from (Statement(moment, "page") for moment in (*seen.only, *seen.aged))
    found = {moment.value: moment for text in strings_in_scripts(head) if (moment := parse_moment(text, habits))}
    if len({value[:10] for value in found}) == 1:
        value, moment = min(found.items())
        yield Statement(moment if len(found) == 1 else Moment(value=value[:10], raw=moment.raw), "page")


def _in_local_time(moment: Moment, others: Iterable[Moment], seen: DatesOnPage, modified: Moment | None) -> Moment:
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
    if other is None or day.is_instant or not other.is_instant or not _is_close(day, other):
        return day
    apart = day.clock - other.clock + MINUTE if day.clock and other.clock else timedelta()
    return other if apart % QUARTER < 2 * MINUTE else day


MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)
"""Zones are apart by quarters of an hour: what differs by other times is another moment."""


# --------------------------------------------------------------------------------------------------- guessed, modified
def guessed_date(head: PageHead) -> Moment | None:
    """htmldate's guess from the page's text; a first of January is what it makes of a bare year."""
    latest = head.fetched_at.date() + AHEAD if head.fetched_at else None
    tree = deepcopy(head.tree)
    for element in [*COMMENTS(tree), *clocks_in(tree)]:
        if element.getparent() is not None:
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
