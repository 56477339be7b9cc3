"""Queries of the command line: what the archive knows of one source, and how all of them are. Reads only.

`sources add` and `sources check --look` fill a scratch archive and ask it; `sources export` and `status` ask the real one.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from pipelines.archive.schedule import READ, RESTING, due_until
from pipelines.database.connection import Row, first_row
from pipelines.database.sqlite import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPoint:
    """A feed, sitemap or front page."""

    url: str
    kind: str  #: rss, atom, json, news_sitemap, sitemap or homepage
    status: str  #: ok, unchanged, reserve, or why it could not be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """One article as it would be stored."""

    url: str
    title: str | None
    date: str | None  #: ISO 8601, UTC
    authors: tuple[str, ...]
    words: int
    language: str | None
    site_name: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOverview:
    """All of it."""

    entry_points: tuple[EntryPoint, ...]
    pages: int  #: addresses found, read or not
    articles: tuple[Sampled, ...]
    failures: tuple[tuple[str, str], ...]  #: (address, reason) of pages that were asked and gave no article
    is_article: bool  #: whether the source's own address is that of an article
    trouble: str | None  #: why nothing could be read, or why the look ended early


def overview(db: Database, url: str) -> SourceOverview:
    """What is known of the source with this address."""
    source = next(db.query("select id, status, reason from sources where url = ?", [url]))
    feeds = db.query(
        "select url, kind, last_status as status from feeds where source_id = ? order by id", [source["id"]]
    )
    rows = list(
        db.query(
            "select url, via, state, reason, article_id from pages where source_id = ? order by id", [source["id"]]
        )
    )
    # A look also reads the source's own address as if it were an article's; it is no page of the source.
    pages = [row for row in rows if row["url"] != url or row["via"] != "file"]
    articles = dict.fromkeys(page["article_id"] for page in pages if page["article_id"])
    return SourceOverview(
        entry_points=tuple(EntryPoint(**feed) for feed in feeds),
        pages=len(pages),
        articles=tuple(_sampled(db.table("articles").get(article)) for article in articles),
        failures=tuple((page["url"], page["reason"]) for page in pages if page["state"] in ("refused", "failed")),
        is_article=any(row["url"] == url and row["article_id"] for row in rows),
        trouble=source["reason"] if source["status"] in ("broken", "blocked") else end_of_run(db),
    )


def requests_due(db: Database, now: datetime, page_limit: int) -> int:
    """Listings and pages of sources that are watched and whose time has come; of pages page_limit at most, unless that is 0."""
    until = due_until(now)
    listings = """select count(*) from feeds join sources on sources.id = source_id where enabled
        and last_status not in (select value from json_each(?1))
        and (next_fetch_at is null or next_fetch_at <= ?2 or last_fetched_at > ?2)"""
    pages = """select count(*) from pages join sources on sources.id = source_id where enabled
        and (state = 'pending' or (next_fetch_at is not null and (next_fetch_at <= ?1 or pages.last_fetched_at > ?1)))"""
    ((of_listings,),) = db.execute(listings, [json.dumps(RESTING), until])
    ((of_pages,),) = db.execute(pages, [until])
    return int(of_listings) + min(int(of_pages), page_limit or int(of_pages))


def end_of_run(db: Database) -> str | None:
    """Why the last run ended before it was through; None when it was."""
    run = last_run(db)
    return run["reason"] if run else None


def last_run(db: Database) -> Row | None:
    """The last row of `runs`, without what it counted."""
    return first_row(db, "select id, started_at, finished_at, status, reason from runs order by id desc limit 1")


def source_health(db: Database) -> list[Row]:
    """The view of that name, by the sources' names."""
    return list(db.query("select * from source_health order by name"))


def page_states(db: Database) -> dict[str, int]:
    """How many pages there are in each state."""
    return dict(db.execute("select state, count(*) from pages group by 1 order by 1").fetchall())


def article_count(db: Database) -> int:
    return int(db.execute("select count(*) from articles").fetchone()[0])


def _sampled(row: Row) -> Sampled:
    return Sampled(
        url=row["url"],
        title=row["title"],
        date=row["date_published"],
        authors=tuple(json.loads(row["authors"] or "[]")),
        words=row["word_count"],
        language=row["language"],
        site_name=row["site_name"],
        text=row["text"],
    )


def known_feeds(db: Database) -> dict[str, tuple[str, ...]]:
    """Per source's url the feeds that were found and could be read last time."""
    rows = db.query(
        """select sources.url as source, feeds.url from feeds join sources on sources.id = source_id
           where kind in ('rss', 'atom', 'json') and last_status in (?, ?) order by feeds.id""",
        READ,
    )
    known: dict[str, tuple[str, ...]] = {}
    for row in rows:
        known[row["source"]] = (*known.get(row["source"], ()), row["url"])
    return known
