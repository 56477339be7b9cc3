"""news.db -> what the pages show: queries that stay quick however large the archive is. Knows SQL, no HTML and no Datasette.

Rows are dictionaries named as their columns. Every list has an end.
"""

import sqlite3
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from crawler.folders import Folder
from pipelines.publish.categories import folders
from pipelines.publish.fulltext import LAST_CHANGED
from pipelines.publish.marks import with_marks
from pipelines.publish.search import Filters

Row = dict[str, Any]


RECENT = 150
"""Articles from which a front page is made."""


ENOUGH, LOOKS = 20, 5
"""Stories of a front page, and how many times RECENT articles are looked at for them: one story may have them all."""


VERSIONS = 10


REPORTS = 60


CAPTURES = 60
"""Versions of an article, reports of a story and originals of an article that a page shows; the tables have all."""


BEGINNING = 20_000
"""Characters of a report that are compared with the others'."""


_BRIEF = """articles.id, articles.title, articles.url, articles.sort_at, articles.date_published, articles.first_seen_at,
    articles.language, articles.section, articles.source_id, sources.name as source,
    articles.story_id, coalesce(stories.article_count, 1) as story_reports, coalesce(stories.source_count, 1) as story_sources,
    coalesce(articles.description, substr(articles.text, 1, 300)) as lead"""


_ITS = "left join sources on sources.id = articles.source_id left join stories on stories.id = articles.story_id"
"""What a list says of an article, and where from."""


def rows(base: sqlite3.Connection, sql: str, **given: Any) -> list[Row]:
    """All that a query gives."""
    return [dict(row) for row in base.execute(sql, given)]


def row(base: sqlite3.Connection, sql: str, **given: Any) -> Row | None:
    """The first that a query gives; None when there is none."""
    found = base.execute(sql, given).fetchone()
    return dict(found) if found else None


# The front page
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A story on the front page, or an article that is its own."""

    articles: list[Row]  #: those of this page, the newest first

    @property
    def reports(self) -> int:
        """Articles of the story in the whole archive."""
        return int(self.articles[0]["story_reports"])

    @property
    def sources(self) -> int:
        """Outlets in the whole archive."""
        return int(self.articles[0]["story_sources"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The newest stories of some days: ENOUGH or more, unless there are none left."""

    days: dict[str, list[Entry]]  #: YYYY-MM-DD (UTC) -> its stories, the newest first
    older: str | None  #: where the next page begins, for `before`; None at the end


def front(base: sqlite3.Connection, filters: Filters, before: str | None = None) -> Front:
    """The stories of the RECENT articles before a `sort_at id`, each on the day of its newest report that passes the filters."""
    days: dict[str, list[Entry]] = defaultdict(list)
    for _ in range(LOOKS):
        found = newest(base, filters, before, RECENT)
        for members in _stories(found):
            if not (before and _is_told_before(base, members[0], filters)):
                days[members[0]["sort_at"][:10]].append(Entry(articles=members))
        before = f"{found[-1]['sort_at']} {found[-1]['id']}" if len(found) == RECENT else None
        if before is None or sum(map(len, days.values())) >= ENOUGH:
            break
    return Front(days=dict(days), older=before)


def newest(base: sqlite3.Connection, filters: Filters, before: str | None, limit: int) -> list[Row]:
    """The newest articles that pass the filters, before a `sort_at id`, with their marks."""
    at, number = _place(before or "~")
    at = min(at, f"{filters.until}~" if filters.until else at)
    since = replace(filters, until=None)
    found = rows(
        base,
        f"""select {_BRIEF} from (
            select id from {since.table} where {since.first} and {since.others} and (sort_at, id) < (:at, :number)
            order by sort_at desc, id desc limit :limit
        ) as newest join articles on articles.id = newest.id {_ITS} order by articles.sort_at desc, articles.id desc""",
        **since.sql()[1],
        at=at,
        number=number,
        limit=limit,
    )
    return with_marks(base, found)


def _place(before: str) -> tuple[str, int]:
    """A `sort_at id` as the two."""
    at, _, number = before.partition(" ")
    return at, int(number[:18]) if number.isascii() and number.isdigit() else 0


def newer(base: sqlite3.Connection, filters: Filters, before: str) -> str | None:
    """Where the page begins that ends `before` this `sort_at id`; None for the first."""
    at, number = _place(before)
    found = row(
        base,
        f"""select sort_at, id from {filters.table} where {filters.first} and {filters.others} and (sort_at, id) >= (:at, :number)
        order by sort_at, id limit 1 offset {RECENT}""",
        **filters.sql()[1],
        at=at,
        number=number,
    )
    return f"{found['sort_at']} {found['id']}" if found else None


def seen_last(base: sqlite3.Connection, filters: Filters, limit: int) -> list[Row]:
    """The articles that were stored last of those that pass the filters, those first that were seen last: an old one that was found
    late is among them. With `last_changed_at`."""
    passing, order = f"{filters.first} and {filters.others}", "id"
    if (
        filters != Filters()
    ):  # an index of the filters leads to them; as many as the newest are from the first of these on
        newest = f"select id from {filters.table} where {passing} order by sort_at desc, id desc limit :limit"
        passing, order = f"{passing} and +id >= (select coalesce(min(id), 0) from ({newest}))", "+id"
    return rows(
        base,
        f"""select {_BRIEF}, {LAST_CHANGED} as last_changed_at from (
            select id from {filters.table} where {passing} order by {order} desc limit :limit
        ) as stored join articles on articles.id = stored.id {_ITS} order by articles.first_seen_at desc, articles.id desc""",
        **filters.sql()[1],
        limit=limit,
    )


def _stories(found: list[Row]) -> list[list[Row]]:
    grouped: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for article in found:
        key = ("story", article["story_id"]) if article["story_id"] else ("article", article["id"])
        grouped[key].append(article)
    return list(grouped.values())


def _is_told_before(base: sqlite3.Connection, newest: Row, filters: Filters) -> bool:
    """Whether the story has a report, among those that pass the filters, that is newer than this one."""
    condition, given = filters.sql()
    return newest["story_id"] is not None and bool(
        row(
            base,
            f"select 1 from articles where story_id = :story and (sort_at, id) > (:at, :id) and {condition} limit 1",
            **given,
            story=newest["story_id"],
            at=newest["sort_at"],
            id=newest["id"],
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the filters offer."""

    sources: list[Row]  #: id, name
    categories: list[Folder]
    languages: list[str]
    sections: list[str]  #: the first 500 of the alphabet


def choices(base: sqlite3.Connection) -> Choices:
    """Every source, category, language and section, by leaps through the indexes instead of reading all articles."""
    return Choices(
        sources=rows(base, "select id, name from sources order by name collate nocase limit 5000"),
        categories=folders(base),
        languages=_distinct(base, "language"),
        sections=_distinct(base, "section"),
    )


def _distinct(base: sqlite3.Connection, column: str) -> list[str]:
    found = rows(
        base,
        f"""with recursive leap(value) as (
            select min({column}) from articles
            union all select (select min({column}) from articles where {column} > leap.value) from leap where value is not null
        ) select value from leap where value is not null limit 500""",
    )
    return [value["value"] for value in found]


# An article
def article(base: sqlite3.Connection, number: int) -> Row | None:
    """The whole row with its source's name; None when there is no such article."""
    return row(
        base,
        "select articles.*, sources.name as source from articles left join sources on sources.id = source_id where articles.id = :id",
        id=number,
    )


def moved_to(base: sqlite3.Connection, kind: str, number: int) -> int | None:
    """Where a merged `article` or `story` is now; 0 when it is no more, None when it never was."""
    found = row(base, "select new_id from moved where kind = :kind and old_id = :id", kind=kind, id=number)
    return found["new_id"] if found else None


def copies_of(base: sqlite3.Connection, number: int) -> list[Row]:
    """Who else carried the text, the earliest first: url, source, title, date_published, similarity, kind."""
    return rows(
        base,
        """select pages.url, sources.id as source_id, sources.name as source, pages.title, pages.date_published, pages.discovered_at,
            pages.similarity, pages.reason as kind, pages.content_hash
        from pages left join sources on sources.id = pages.source_id
        where pages.article_id = :id and pages.state = 'duplicate' and pages.reason in ('text', 'near')
        order by coalesce(pages.date_published, pages.discovered_at) limit 200""",
        id=number,
    )


def texts_of_copies(base: sqlite3.Connection, number: int, hashes: list[str], most: int) -> dict[str, str]:
    """The texts of an article's near copies by content_hash, the first ones up to `most` characters together."""
    found: dict[str, str] = {}
    for one in hashes:
        text = row(
            base,
            """select text from versions where article_id = :id and content_hash = :hash and length(text) <= :most limit 1""",
            id=number,
            hash=one,
            most=most,
        )
        if text:
            found[one] = text["text"]
            most -= len(text["text"])
    return found


def neighbours(base: sqlite3.Connection, article: Row) -> dict[str, Row | None]:
    """The articles of the same source just before and just after one: `previous` and `next`, None at the ends."""
    columns, place = "id, title, language, sort_at", {name: article[name] for name in ("id", "sort_at", "source_id")}
    sql = f"select {columns} from articles where source_id is :source_id and (sort_at, id) {{}} (:sort_at, :id) order by {{}} limit 1"
    return {
        "previous": row(base, sql.format("<", "sort_at desc, id desc"), **place),
        "next": row(base, sql.format(">", "sort_at, id"), **place),
    }


def versions_of(base: sqlite3.Connection, number: int) -> list[Row]:
    """The last VERSIONS texts of the article's own addresses, the newest first."""
    return rows(
        base,
        f"""select versions.* from versions join pages on pages.id = versions.page_id
        where versions.article_id = :id and pages.article_id = :id and (pages.state = 'article' or pages.reason not in ('text', 'near'))
        order by versions.version desc limit {VERSIONS}""",
        id=number,
    )


def captures_of(base: sqlite3.Connection, number: int) -> list[Row]:
    """The last CAPTURES answers that are kept of the article's own addresses, the newest first; no redirects."""
    return rows(
        base,
        f"""select captures.id, captures.fetched_at, captures.status, captures.reason, pages.url, captures.file, captures.offset
        from pages join captures on captures.page_id = pages.id
        where pages.article_id = :id and (pages.state = 'article' or pages.reason not in ('text', 'near'))
            and captures.reason is not 'redirect'
        order by captures.fetched_at desc, captures.id desc limit {CAPTURES}""",
        id=number,
    )


def capture(base: sqlite3.Connection, number: int) -> Row | None:
    """Where an answer lies that was kept, and where the body of one that refers to another; None when there is none."""
    return row(
        base,
        """select captures.status, captures.file, captures.offset, captures.digest, original.file as body_file, original.offset as body_offset
        from captures left join captures as original on original.id = captures.revisit_of where captures.id = :id""",
        id=number,
    )


# A story
def story(base: sqlite3.Connection, number: int) -> Row | None:
    """The row of a story; None when there is none."""
    return row(base, "select * from stories where id = :id", id=number)


def reports_of(base: sqlite3.Connection, number: int, *, text: bool = False) -> list[Row]:
    """The first REPORTS reports of a story, the earliest first; the BEGINNING of their text only when asked for."""
    found = rows(
        base,
        f"""select {_BRIEF} {f", substr(articles.text, 1, {BEGINNING}) as text" if text else ""} from articles {_ITS}
        where articles.story_id = :id order by articles.sort_at, articles.id limit {REPORTS}""",
        id=number,
    )
    return with_marks(base, found)


# Sources
def source(base: sqlite3.Connection, number: int) -> Row | None:
    """A source and its health; None when there is none."""
    return row(
        base,
        """select source_health.*, sources.url, sources.domain, sources.category, sources.language, sources.timezone
        from source_health join sources on sources.id = source_id where source_id = :id""",
        id=number,
    )


def source_name(base: sqlite3.Connection, number: int | None) -> str | None:
    """What a source is called; None when there is none."""
    found = row(base, "select name from sources where id = :id", id=number)
    return found["name"] if found else None


def source_numbers(base: sqlite3.Connection) -> dict[str, int]:
    """Every source's number by its address and by its name; of those with one name, the first that is enabled."""
    found = base.execute("select id, name, url from sources order by enabled, id desc").fetchall()
    return {said: number for number, name, url in found for said in (url, name)}


DAYS = 28


JUDGED = 500
"""Days that a source's chart shows; its newest articles that are looked at for what is missing and how late we were."""


LATE = (
    ("under an hour", 1),
    ("1 to 3 hours", 3),
    ("3 to 6 hours", 6),
    ("6 to 12 hours", 12),
    ("12 to 24 hours", 24),
    ("over a day", DAYS * 24),
)
"""Hours between publication and first sight, as a chart shows them."""


def by_day(base: sqlite3.Connection, number: int) -> list[Row]:
    """How many articles a source published on each of the last DAYS days (UTC), days without one included: day, articles."""
    return rows(
        base,
        f"""with recursive days(day) as (
            select date('now', '-{DAYS - 1} days') union all select date(day, '+1 day') from days where day < date('now')
        ), published as (
            select substr(sort_at, 1, 10) as day, count(*) as articles from articles
            where source_id = :id and sort_at >= date('now', '-{DAYS - 1} days') group by 1
        ) select days.day, coalesce(articles, 0) as articles from days left join published using (day) order by day""",
        id=number,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What a source's newest JUDGED articles have in common."""

    articles: int  #: that were looked at
    no_title: int
    no_date: int
    no_author: int
    lateness: list[Row]  #: `hours` between publication and first sight, a word of LATE, and how many `articles`


def habits(base: sqlite3.Connection, number: int) -> Habits:
    """How a source writes, and how late it is seen: of articles whose page says the minute, and that were not older than
    DAYS days when the archive began to watch."""
    newest = rows(
        base,
        f"""select title is null as no_title, date_published is null as no_date, authors is null as no_author,
            iif(length(date_published) = 20, (julianday(first_seen_at) - julianday(date_published)) * 24, null) as hours
        from articles where source_id = :id order by sort_at desc limit {JUDGED}""",
        id=number,
    )
    hours = [one["hours"] for one in newest if one["hours"] is not None and 0 <= one["hours"] < DAYS * 24]
    limits = [0.0, *(limit for _, limit in LATE)]
    return Habits(
        articles=len(newest),
        **{name: sum(one[name] for one in newest) for name in ("no_title", "no_date", "no_author")},
        lateness=[
            {"hours": words, "articles": sum(below <= one < limit for one in hours)}
            for (words, limit), below in zip(LATE, limits, strict=False)
        ],
    )


def last_runs(base: sqlite3.Connection, name: str) -> list[Row]:
    """What the last runs came to for a source: the last 10 of 200 that had to do with it."""
    return rows(
        base,
        """select runs.id, runs.started_at, runs.status, said.value ->> 'found' as found, said.value ->> 'new' as new,
            said.value ->> 'updated' as updated, said.value ->> 'refused' as refused, said.value ->> 'failed' as failed
        from runs cross join json_each(runs.counts, '$.sources') as said
        where runs.id > (select max(id) from runs) - 200 and said.key = :name order by runs.id desc limit 10""",
        name=name,
    )


def newest_of(base: sqlite3.Connection, number: int) -> list[Row]:
    """The last 20 articles of a source."""
    return newest(base, Filters(source=number), None, 20)
