"""Parts of a sitemap index -> those that are likely to hold the newest pages, first.

`lastmod` is one witness of several: some systems write it once, others anew every night. The dates and numbers in the
parts' names are another, the ends of the list are the last.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import zip_longest
from typing import TypeVar

from crawler.dates.listed import end_of_day, last_day_of
from crawler.items import MAX_CHILDREN
from crawler.parsers.links import Child

MAX_RESTING = 100
"""Parts of an index that are remembered beside those that are asked: the ends of what it calls old, and of what is too much."""

MOST_ENDS = 10
"""Parts that are asked of an index where all seem old: some system's dates are of the day it was set up."""

T = TypeVar("T")


def newest_parts(parts: Sequence[Child], since: datetime | None) -> tuple[list[Child], list[Child]]:
    """The parts to ask, at most MAX_CHILDREN, and those to keep in mind should they give nothing; likely newest first."""
    fresh = _in_turn(_fresh(parts, since))
    are_fresh = {child.url for child in fresh}
    old = _in_turn([child for child in parts if child.url not in are_fresh])
    asked = fresh[:MAX_CHILDREN] or old[:MOST_ENDS]
    return asked, [*fresh, *old][len(asked) :][:MAX_RESTING]


def _fresh(parts: Sequence[Child], since: datetime | None) -> list[Child]:
    """The parts that may hold something since then, by their names where these tell, else by their `lastmod`."""
    if since is None:
        return list(parts)
    named = _named_periods(parts)
    named = named if any(end >= since for end in named.values()) else {}
    changed = [child for child in parts if child.changed_at and child.changed_at >= since]
    tells = 2 * len(changed) <= len(parts)  # who changes most of them every day says nothing with it
    by_date = {child.url for child in changed}

    def is_fresh(child: Child) -> bool:
        end = named.get(child.url)
        if end is not None and (end >= since or not (tells and child.url in by_date)):
            return end >= since
        return child.changed_at is None or child.url in by_date

    return [child for child in parts if is_fresh(child)]


def _named_periods(parts: Sequence[Child]) -> dict[str, datetime]:
    """Of parts that are named alike but for a date, the end of the day, month or year that each of them is of."""
    periods: dict[str, datetime] = {}
    for group in _groups(parts):
        ends = [period_end(child.url) for child in group]
        if len(group) > 1 and None not in ends:
            periods |= {child.url: end for child, end in zip(group, ends, strict=True) if end}
    return periods


def _groups(parts: Iterable[Child]) -> list[list[Child]]:
    """The parts by what is left of their names without numbers."""
    groups: dict[str, list[Child]] = {}
    for child in parts:
        groups.setdefault(_MONTH_NAME.sub("#", re.sub(r"\d+", "#", _name(child.url))), []).append(child)
    return [*groups.values()]


def _in_turn(parts: Sequence[Child]) -> list[Child]:
    """The parts as each of the witnesses would have them, one of each in turn."""
    if len(parts) < 2:
        return [*parts]
    dated = sorted((c for c in parts if c.changed_at), key=lambda child: child.changed_at or _NEVER, reverse=True)
    rising = [sorted(group, key=lambda child: _numbers(child.url)) for group in _groups(parts)]
    falling = [[*reversed(group)] for group in rising]
    orders = (dated, [*_alternating(falling)], [*reversed(parts)], parts, [*_alternating(rising)])
    return [*{child.url: child for child in _alternating(orders)}.values()]


_NEVER = datetime.min.replace(tzinfo=UTC)


def _alternating(orders: Iterable[Sequence[T]]) -> Iterator[T]:
    """The first of each, then the second of each, and so on."""
    return (one for ones in zip_longest(*orders) for one in ones if one is not None)


def _numbers(url: str) -> tuple[int, ...]:
    said = _MONTH_NAME.sub(lambda name: str(_MONTHS.index(name[0][:3])), _name(url))
    return tuple(int(number[-15:]) for number in re.findall(r"\d+", said))


def _name(url: str) -> str:
    return url.partition("://")[2].partition("/")[2].lower()


_MONTHS = ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_MONTH_NAME = re.compile(
    r"(?<![a-z])(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)(?![a-z])"
)

_BETWEEN = r"(?:[-_./]|&\w{1,9}=)"

_PERIOD = re.compile(
    rf"(?<!\d)((?:19|20)\d\d)(?:(\d\d)(\d\d)?(?!\d)|{_BETWEEN}(?:(\d{{1,2}})(?!\d)(?:{_BETWEEN}(\d\d)(?!\d))?|w(\d\d?)(?!\d)"
    rf"|q([1-4])(?!\d)|({_MONTH_NAME.pattern}))|(?!\d))"
)


def period_end(url: str) -> datetime | None:
    """The end of the day, week, month, quarter or year that a sitemap's name is of: `2026-11`, `202611`, `2026-W44`, `y=2026&m=11`."""
    found = _PERIOD.search(_name(url))
    if found is None:
        return None
    year, (compact, compact_day, month, day, week, quarter, name) = int(found[1]), found.groups()[1:]
    try:
        if week:
            return end_of_day(date.fromisocalendar(year, int(week), 7))
        if said := compact_day or day:
            return end_of_day(date(year, int(compact or month), int(said)))
        number = 3 * int(quarter) if quarter else _MONTHS.index(name[:3]) if name else int(compact or month or 12)
        if not 1 <= number <= 12:
            if compact:
                return None
            number = 12  # `2026-13` is the thirteenth part of a year
        return end_of_day(last_day_of(year, number))
    except ValueError:
        return None
