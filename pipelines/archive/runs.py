"""Runs: the table `runs`, what one run remembers until its end, and the pages that it met.

Which pages a run met, and what became of them, is the temporary table `touched` (one row a page: page_id, source_id and
one of OUTCOMES); which files of an import, or addresses of a list, are not taken is `not_taken`. They are made and read
here alone, and gone with the connection. Called within the writer's transaction.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from crawler.items import Page, Source
from crawler.times import stamp
from pipelines.archive import health
from pipelines.archive.rows import insert, to_json, update
from pipelines.archive.sources import note_postponed
from pipelines.database.connection import Row, is_storage_trouble
from pipelines.database.sqlite import Database

if TYPE_CHECKING:
    from pipelines.archive.entries import Comparison

OUTCOMES = ("known", "new", "updated", "duplicate", "refused", "failed", "pending")
"""The columns of a run's summary; `found` is their sum."""

LOCAL_COPIES = "local copies"
"""What run_summary calls pages that belong to no source: copies that name no address."""

MAX_ERRORS = 10
"""Messages kept in runs.counts: the first ones."""


@dataclass(slots=True, kw_only=True)
class RunState:
    """What one run remembers until its end. Passed to whoever adds to it or asks it."""

    run_id: int | None = None
    began: datetime | None = None  #: aware
    last_known: int | None = None  #: id of the last page before this run
    watched: dict[str | None, Source] = field(default_factory=dict)  #: sources that may be asked, by URL and by site
    read: set[str] = field(default_factory=set)  #: sources, by URL, of which something was read
    unread: dict[str, str] = field(default_factory=dict)  #: sources of which nothing was read yet, and why
    postponed: dict[str, str] = field(default_factory=dict)  #: sources of which something due was not asked, and why
    held: dict[str, str] = field(
        default_factory=dict
    )  #: sources of which a listing was due that a busy host was not asked for
    first_failed: str | None = None  #: the first page that gave no answer, and why
    dropped: set[str] = field(
        default_factory=set
    )  #: sitemaps that their index stopped naming; some may be on their way
    left_out: dict[str, int] = field(default_factory=dict)  #: addresses that a look at a sitemap left out as too many
    #: listings, by source and address, that were read and are not written yet, each beside its last look
    compared: dict[tuple[str, str], "Comparison"] = field(default_factory=dict)
    asks_sites: bool = (
        True  #: False of one that reads copies, originals or a person's list: they say nothing of how a source is doing
    )
    is_anything_read: bool = False  #: whether some listing gave more than the word that it has not changed
    leaves_stories: bool = False  #: whether the next run is to renew the stories
    errors: list[str] = field(default_factory=list)  #: the first MAX_ERRORS
    broken: sqlite3.Error | OSError | None = None  #: set when the disk or the file failed

    def source_of(self, url: str, site: str | None) -> Source | None:
        """The source that may be asked, by its address; or by its site, where it is called by another address since."""
        return self.watched.get(url) or self.watched.get(site)

    def note_read(self, source: Source | None) -> None:
        if source:
            self.read.add(source.url)
            self.unread.pop(source.url, None)

    def note_unread(self, source: Source | None, reason: str) -> None:
        if source and source.url not in self.read:
            self.unread.setdefault(source.url, reason)

    def note_error(self, message: str) -> None:
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(message)

    def note_trouble(self, error: sqlite3.Error) -> None:
        """Remember that the disk or the file failed; the first time is the one to tell of."""
        if is_storage_trouble(error):
            self.broken = self.broken or error

    @contextmanager
    def ending_with_the_disk(self) -> Iterator[None]:
        """A block that ends where the disk or the file fails: that is noted in `broken`, and ends the run as well."""
        try:
            yield
        except sqlite3.Error as error:
            self.note_trouble(error)
            if self.broken is None:
                raise


def start(db: Database, run: RunState, *, argv: list[str], version: str, now: datetime) -> None:
    """Begin a row of `runs`; a run that never ended is marked killed, since the lock shows it is gone."""
    run.began = now
    db.execute("update runs set status = 'killed', reason = 'ended without a word' where status = 'running'")
    (run.last_known,) = db.execute("select coalesce(max(id), 0) from pages").fetchone()
    row = {
        "started_at": stamp(now),
        "status": "running",
        "version": version,
        "argv": json.dumps(argv, ensure_ascii=False),
    }
    run.run_id = insert(db, "runs", row)


def finish(db: Database, run: RunState, *, status: str, reason: str | None, now: datetime) -> None:
    """End the row of `runs`: the health of the sources that were asked, and the summary."""
    assert run.run_id is not None
    if run.asks_sites:
        began = stamp(run.began or now)
        health.judge_sources(
            db, _newly_met(db), read=run.read, unread=run.unread, held=run.held, started_at=began, now=stamp(now)
        )
        note_postponed(db, run.postponed)
    counts = {"sources": summary(db, run), "errors": run.errors}
    end = {"finished_at": stamp(now), "status": status, "reason": reason, "counts": to_json(counts)}
    update(db, "runs", run.run_id, end)


# Pages that a run met


def create_touched(db: Database) -> None:
    """Make the tables of what this run meets, empty."""
    db.execute("create temp table touched (page_id integer primary key, source_id integer, outcome text not null)")
    db.execute("create temp table not_taken (file text not null, reason text not null)")


def touch(db: Database, page_id: int, source_id: int | None, outcome: str) -> None:
    """Note what became of a page; what was noted of it before gives way."""
    db.conn.execute(
        """insert into touched (page_id, source_id, outcome) values (?, ?, ?)
           on conflict (page_id) do update set outcome = excluded.outcome""",
        [page_id, source_id, outcome],
    )


def touch_found(db: Database, pages: Iterable[tuple[int, str]], source_id: int) -> None:
    """Note pages that a listing names, (id, outcome), unless more is known of them already."""
    sql = "insert into touched (page_id, source_id, outcome) values (?, ?, ?) on conflict (page_id) do nothing"
    db.conn.executemany(sql, [(page_id, source_id, outcome) for page_id, outcome in pages])


def note_not_taken(db: Database, page: Page, reason: str) -> None:
    """Note a copy that gave no article, by its file, or a page of a list by its address; a record of a web archive by both."""
    file = f"{page.file}: {page.url}" if page.warc else page.file or page.url
    db.conn.execute("insert into not_taken (file, reason) values (?, ?)", [file, reason])


def not_taken(db: Database) -> Iterator[tuple[str, str]]:
    """The copies and listed pages that gave no article, by their names: (file or address, reason)."""
    return db.conn.execute("select file, reason from not_taken order by file")


def recount_displaced(db: Database, article_id: int) -> str:
    """Count an original as new, and the page that was new until now as its duplicate. Returns the original's outcome."""
    displaced = db.conn.execute(
        """update touched set outcome = 'duplicate' where outcome = 'new'
           and page_id in (select id from pages where article_id = ? and state = 'duplicate')""",
        [article_id],
    )
    return "new" if displaced.rowcount else "updated"


def outcomes(db: Database) -> set[str]:
    """What became of the pages that this run met: some of OUTCOMES."""
    return {row[0] for row in db.execute("select distinct outcome from touched")}


def summary(db: Database, run: RunState) -> dict[str, dict[str, int]]:
    """Per source's name: found, by this run or left by an earlier one, and what became of it."""
    rows: Sequence[tuple[str, str, int]] = db.execute(
        """select coalesce(sources.name, ?),
                  case when outcome = 'known' and pages.state = 'pending' then 'pending' else outcome end, count(*)
           from touched join pages on pages.id = touched.page_id left join sources on sources.id = touched.source_id
           group by 1, 2 order by 1""",
        [LOCAL_COPIES],
    ).fetchall()
    left = ((name, "pending", number) for name, number in _left_pending(db, run).items())
    table: dict[str, dict[str, int]] = {}
    for name, outcome, number in (*rows, *left):
        line = table.setdefault(name, dict.fromkeys(("found", *OUTCOMES), 0))
        line[outcome] += number
        line["found"] += number
    return dict(sorted(table.items()))


def _left_pending(db: Database, run: RunState) -> Counter[str]:
    """Per source's name the pages that an earlier run left pending, and that this one was to ask and did not come to."""
    rows = db.execute(
        """select name, sources.url, domain, pages.url from pages join sources on sources.id = source_id
           where state = 'pending' and pages.id not in (select page_id from touched)"""
    )
    wanting = ((name, run.source_of(url, site), page) for name, url, site, page in rows)
    return Counter(name for name, source, page in wanting if source and source.wants(page))


def _newly_met(db: Database) -> dict[int, list[Row]]:
    """What this run newly learnt of each source's pages, in the order they were asked: what health judges pages by."""
    sql = """select touched.source_id, outcome, pages.state, pages.reason, pages.attempts, pages.discovered_at, word_count,
                    articles.title is null as no_title, articles.date_published is null as no_date, authors is null as no_author
             from touched join pages on pages.id = touched.page_id left join articles on articles.id = pages.article_id
             where outcome not in ('known', 'updated') and touched.source_id is not null and pages.via not in ('file', 'warc')
             order by pages.last_fetched_at, pages.id"""
    pages: dict[int, list[Row]] = {}
    for row in db.query(sql):
        pages.setdefault(row["source_id"], []).append(row)
    return pages
