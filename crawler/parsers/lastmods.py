"""Whether the dates that a sitemap gives its entries say anything. Many systems write the time of the look, of the last build, or the
day on which the site was set up into all of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import ceil

FEWEST = 5
"""Dated entries below which all may have been changed on one day indeed."""

MOST = 0.9
"""Share of a sitemap's dates that fall together where a machine set them. The others are its front page and sections, which are
always of today, or what was published since."""

A_DAY = timedelta(days=1)

A_MINUTE = timedelta(minutes=1)

Span = tuple[datetime, datetime]
"""Between which two moments dates say nothing."""


def say_nothing(dates: Iterable[datetime | None], width: timedelta = A_DAY) -> Span | None:
    """The dates of a sitemap that say nothing, if nine in ten fall within `width`; None where they are believed.

    They are believed, too, where later ones are of several days: whatever changed the others at once, the new ones have dates.
    """
    ordered = sorted(date for date in dates if date)
    if len(ordered) < FEWEST:
        return None
    first, last = _densest(ordered, ceil(MOST * len(ordered)))
    if last - first > width:
        return None
    later = [date for date in ordered if date > first + width]
    if later and later[-1] - later[0] > width:
        return None
    return last - width, first + width


def _densest(ordered: Sequence[datetime], number: int) -> Span:
    """The first and the last of so many dates in a row that are nearest to each other."""
    return min(zip(ordered, ordered[number - 1 :], strict=False), key=lambda span: span[1] - span[0])
