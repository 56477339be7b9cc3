"""All sources as one table, and the listings of one: what of news.db the pages of sources show beside queries.py. Knows SQL, no HTML."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from pipelines.publish.queries import DAYS, Row, rows

HEALTH = ("broken", "blocked", "changed", "quiet", "empty", "new", "ok", "off")
"""The words of `sources.status`, those first that need a person."""

MOST = 5000
"""Sources of the table: an import may meet any number of hosts."""

LISTINGS = 20
"""Listings of a source that its page shows; a sitemap index may name a thousand, which the table `feeds` has."""


def _text(name: str) -> Callable[[Row], Any]:
    return lambda source: (source[name] or "").casefold()


def _number(name: str) -> Callable[[Row], Any]:
    return lambda source: -1 if source[name] is None else source[name]


COLUMNS: Mapping[str, tuple[Callable[[Row], Any], str]] = {
    "name": (_text("name"), ""),
    "category": (lambda source: (source["category"] is None, _text("category")(source)), ""),
    "health": (lambda source: _rank(source["status"]), ""),
    "last_new": (_text("last_new_article_at"), "-"),
    "week": (_number("articles_7d"), "-"),
    "usual": (_number("usual_7d"), "-"),
    "read": (_text("last_success_at"), "-"),
}
"""What the table can be sorted by -> what of a source is compared, and `-` where the last or the most come first at first."""


def _rank(status: str) -> int:
    return HEALTH.index(status) if status in HEALTH else len(HEALTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A column of COLUMNS, and which way."""

    column: str = "health"
    descending: bool = False

    def toward(self, column: str) -> str:
        """The order that a column's head leads to: the other way round where the table is sorted by it, else its first."""
        if column == self.column:
            return column if self.descending else f"-{column}"
        return f"{COLUMNS[column][1]}{column}"

    def sort(self, sources: list[Row]) -> list[Row]:
        """Sources in this order; those that are equal in it stay as they were."""
        return sorted(sources, key=COLUMNS[self.column][0], reverse=self.descending)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesTable:
    """The sources that were asked for."""

    rows: list[Row]
    counts: dict[
        str, int
    ]  #: word of HEALTH -> how many sources it is said of, whatever was asked for; only words that are


def sources_table(base: Connection, order: Order, health: str | None) -> SourcesTable:
    """The sources of one word of HEALTH, or all of them."""
    found = sources(base)
    counted = Counter(source["status"] for source in found)
    return SourcesTable(
        rows=order.sort([source for source in found if health in (None, source["status"])]),
        counts={word: counted[word] for word in sorted(counted, key=_rank)},
    )


def sources(base: Connection) -> list[Row]:
    """The health of all sources, those that need a person first, and their names in the alphabet's order; `category`; `per_day`, how
    many articles each published on each of the last DAYS days (UTC), today last."""
    rank = " ".join(f"when '{word}' then {number}" for number, word in enumerate(HEALTH))
    found = rows(
        base,
        f"""select source_health.*, sources.category from source_health join sources on sources.id = source_id
        order by case source_health.status {rank} end, source_health.name collate nocase limit {MOST}""",
    )
    published = per_day(base)
    return [source | {"per_day": published.get(source["source_id"], [0] * DAYS)} for source in found]


PER_DAY = f"""with recursive days (number, day, next) as (
        select 0, date('now', '-{DAYS - 1} days'), date('now', '-{DAYS - 2} days')
        union all select number + 1, next, date(next, '+1 day') from days where day < date('now')
    )
    select sources.id, days.number, (
        select count(*) from articles where source_id = sources.id and sort_at >= days.day and sort_at < days.next
    ) as articles
    from sources cross join days
    where exists (select 1 from articles where source_id = sources.id and sort_at >= date('now', '-{DAYS - 1} days'))"""
"""Counts along one index: a `group by` of the same rows, half a million of 500 sources, sorts them all and takes five times as long."""


def per_day(base: Connection) -> dict[int, list[int]]:
    """Source -> how many articles it published on each of the last DAYS days (UTC), today last; only sources that published any."""
    found: dict[int, list[int]] = {}
    for source, number, articles in base.execute(PER_DAY):
        found.setdefault(source, [0] * DAYS)[number] = articles
    return found


NOT_ASKED = ("barren", "named", "old", "reserve", "retired")
"""Of `feeds.last_status` the words of listings that are kept in mind, and not asked."""


def listings_of(base: Connection, number: int) -> list[Row]:
    """The feeds, sitemaps and front pages of a source and how each did, those first that are asked: LISTINGS of them."""
    return rows(
        base,
        f"""select id, url, kind, last_status, last_fetched_at, last_new_at, entries from feeds where source_id = :id
        order by coalesce(last_status in {NOT_ASKED}, 0), kind = 'homepage', last_new_at desc, id
        limit {LISTINGS}""",
        id=number,
    )
