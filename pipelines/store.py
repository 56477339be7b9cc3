"""Listings and outcomes -> news.db. The only writer: one connection, one short transaction per item, nothing awaited inside.

Every address found is one row of `pages` in exactly one state; an article and the state of its page are written together.
"""

import asyncio
import json
import logging
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.items import Article, Hints, Host, Link, Listing, Outcome, Page, via_of
from crawler.sources import Source, default_name
from crawler.urls import origin_of, site_of
from pipelines import deduplicate, forget, health, schedule, stories
from pipelines.database import connect, first_row, is_storage_trouble, storage_errors
from pipelines.deduplicate import Place, Text
from pipelines.forget import Forgotten
from pipelines.schedule import Look, stamp

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

Item = Listing | Outcome
Row = dict[str, Any]

OUTCOMES = ("known", "new", "updated", "duplicate", "refused", "failed", "pending")
"""The columns of a run's summary; `found` is their sum."""

RETIRED_AFTER = 3
"""Looks in a row that find a listing gone (404 or 410), after which one that nobody named in sources.toml is not asked again."""

OLDEST_DATE, FUTURE_ALLOWED = "1600", timedelta(days=2)
"""Publication dates outside are kept, but nothing is sorted by them: the oldest newspapers, and time zones plus a day."""

INDEXED = ("title", "description", "text", "word_count", "content_hash")
"""Columns that an unchanged text leaves alone: the full-text index would be written again for nothing."""

SHRUNK = 0.5
"""A text under this share of the known one's words is a version, but only replaces it when the next look agrees."""

UNLIKE = 0.1
"""Nor does a text replace the known one at once when they share less: a consent notice can be as long as a brief.
Of 800 pairs of reports on different events, 99 % of the shorter have under .05 of their three-word runs in the other."""

HOST_TIMES = ("robots_fetched_at", "not_before", "busy_since")
"""The columns of `hosts` that are times."""

LOCAL_COPIES = "local copies"
"""What run_summary calls pages that belong to no source: copies that name no address."""


class Archive:
    """news.db, opened for writing by one run. Raises what connect() does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = connect(path, write=True)
        self.broken: sqlite3.Error | None = None  #: set when the disk or the file failed during the run
        self.run_id: int | None = None
        self.began: datetime | None = None  #: when this run did, aware
        self.last_known: int | None = None  #: id of the last page before this run
        self.read: set[str] = set()  #: sources, by URL, of which something was read in this run
        self.unread: dict[str, str] = {}  #: sources of which nothing was read yet, and why
        self.held: dict[str, str] = {}  #: sources of which something due was not asked, and why
        self._dropped: set[str] = set()  #: sitemaps that their index stopped naming; some may still be on their way
        self._errors: list[str] = []
        self._watched: dict[str | None, Source] = {}  #: sources that this run may ask, by URL and by site
        self._days: set[str] = set()  #: of sort_at, on which this run changed articles: their stories are computed anew
        with storage_errors(path):
            self.db.execute(
                "create temp table touched (page_id integer primary key, source_id integer, outcome text not null)"
            )
            self._renew_prints()

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One all-or-nothing write. The lock is taken at its start, so that what is read inside stays true.

        What it fails of is noted in `broken` when that is the disk's or the file's fault.
        """
        try:
            self.db.conn.execute("begin immediate")
            try:
                yield
                self.db.conn.execute("commit")
            finally:
                if self.db.conn.in_transaction:
                    self.db.conn.execute("rollback")
        except sqlite3.Error as error:
            self._note_trouble(error)
            raise

    @contextmanager
    def ending_with_the_disk(self) -> Iterator[None]:
        """A block that ends where the disk or the file fails: that is noted in `broken`, and ends the run as well."""
        try:
            yield
        except sqlite3.Error as error:
            self._note_trouble(error)
            if self.broken is None:
                raise

    def _note_trouble(self, error: sqlite3.Error) -> None:
        """The first is the one to tell of."""
        if is_storage_trouble(error):
            self.broken = self.broken or error

    # Runs

    def start_run(self, *, argv: list[str], version: str, now: datetime) -> None:
        """Begin a row of `runs`; a run that never ended is marked killed, since the lock shows it is gone."""
        self.began = now
        with self.transaction():
            self._days.update(self._days_left_by_killed_runs())
            self.db.execute(
                "update runs set status = 'killed', reason = 'ended without a word' where status = 'running'"
            )
            (newest,) = self.db.execute("select coalesce(max(id), 0) from articles").fetchone()
            (self.last_known,) = self.db.execute("select coalesce(max(id), 0) from pages").fetchone()
            run = {
                "started_at": stamp(now),
                "status": "running",
                "version": version,
                "argv": json.dumps(argv, ensure_ascii=False),
            }
            self.run_id = self._insert("runs", run | {"counts": _json({"newest_article_before": newest})})

    def _days_left_by_killed_runs(self) -> Iterator[str]:
        """The days of articles that a killed run stored or looked at, of which it did not live to compute the stories."""
        sql = """select distinct substr(sort_at, 1, 10) as day from runs join articles
                 on articles.id > runs.counts ->> 'newest_article_before' or articles.last_fetched_at >= runs.started_at
                 where runs.status = 'running'"""
        for row in self.db.query(sql):
            yield row["day"]

    def finish_run(self, *, status: str, reason: str | None, now: datetime) -> None:
        assert self.run_id is not None
        with self.transaction():
            stories.renew(self.db, self._days)
            self._days.clear()
            began = stamp(self.began or now)
            health.judge_sources(self.db, read=self.read, unread=self.unread, started_at=began, now=stamp(now))
            self._note_held()
            counts = {"sources": self.summary(), "errors": self._errors[:10]}
            end = {"finished_at": stamp(now), "status": status, "reason": reason, "counts": _json(counts)}
            self.db.table("runs").update(self.run_id, end)

    def summary(self) -> dict[str, dict[str, int]]:
        """Per source's name: found, by this run or left by an earlier one, and what became of it."""
        rows = self.db.query(
            """select coalesce(sources.name, ?) as name, count(*) as number,
                      case when outcome = 'known' and pages.state = 'pending' then 'pending' else outcome end as outcome
               from touched join pages on pages.id = touched.page_id left join sources on sources.id = touched.source_id
               group by 1, 3 order by 1""",
            [LOCAL_COPIES],
        )
        table: dict[str, dict[str, int]] = {}
        for row in rows:
            line = table.setdefault(row["name"], dict.fromkeys(("found", *OUTCOMES), 0))
            line[row["outcome"]] += row["number"]
            line["found"] += row["number"]
        for name, number in self._left_pending().items():
            line = table.setdefault(name, dict.fromkeys(("found", *OUTCOMES), 0))
            line["pending"] += number
            line["found"] += number
        return dict(sorted(table.items()))

    def outcomes(self) -> set[str]:
        """What became of the pages that this run met: some of OUTCOMES."""
        return {row[0] for row in self.db.execute("select distinct outcome from touched")}

    def _left_pending(self) -> Counter[str]:
        """Per source's name the pages that an earlier run left pending, and that this one was to ask and did not come to."""
        rows = self.db.execute(
            """select name, sources.url, domain, pages.url from pages join sources on sources.id = source_id
               where state = 'pending' and pages.id not in (select page_id from touched)"""
        )
        wanting = ((name, self.watched(url, site), page) for name, url, site, page in rows)
        return Counter(name for name, source, page in wanting if source and source.wants(page))

    # Sources

    def watched(self, url: str, site: str | None) -> Source | None:
        """The source that this run may ask, by its address; or by its site, where it is called by another address since."""
        return self._watched.get(url) or self._watched.get(site)

    def sync_sources(self, sources: Iterable[Source]) -> None:
        """Make the table say what sources.toml says; a source that is no longer named is off, its rows stay."""
        sources = tuple(sources)
        enabled = [source for source in sources if source.enabled]
        self._watched = {key: source for source in enabled for key in (source.url, site_of(source.url))}
        named = json.dumps([source.url for source in sources])
        entry_points = json.dumps([url for source in sources for url in (*source.feeds, *source.sitemaps)])
        with self.transaction():
            self.db.execute(
                """update sources set enabled = 0, status = 'off', reason = 'not in sources.toml'
                   where url not in (select value from json_each(?))""",
                [named],
            )
            self.db.execute(
                "update feeds set moved_to = null where moved_to is not null and url not in (select value from json_each(?))",
                [entry_points],
            )
            for source in sources:
                self._sync_source(source)

    def _sync_source(self, source: Source) -> None:
        row = {
            "name": source.name, "url": source.url, "domain": site_of(source.url), "category": source.category,
            "language": source.language, "timezone": source.timezone, "enabled": int(source.enabled),
        }  # fmt: skip
        self.db.execute(
            """insert into sources (name, url, domain, category, language, timezone, enabled, status)
               values (:name, :url, :domain, :category, :language, :timezone, :enabled, 'new')
               on conflict (url) do update set name = excluded.name, domain = excluded.domain, category = excluded.category,
                   language = excluded.language, timezone = excluded.timezone, enabled = excluded.enabled,
                   reason = case when status <> 'off' then reason end,
                   status = case when status <> 'off' then status when last_success_at is null then 'new' else 'ok' end""",
            row,
        )
        if not source.enabled:
            self.db.execute(
                "update sources set status = 'off', reason = 'enabled = false in sources.toml' where url = ?",
                [source.url],
            )

    def _source_read(self, source: Source | None) -> None:
        if source:
            self.read.add(source.url)
            self.unread.pop(source.url, None)

    def _source_unread(self, source: Source | None, reason: str) -> None:
        if source and source.url not in self.read:
            self.unread.setdefault(source.url, reason)

    # Hosts

    def _note_held(self) -> None:
        """Say of sources that there is nothing else to say of, why something due was not asked in this run."""
        self.db.execute("update sources set reason = null where reason like 'waits: %'")
        for url, reason in self.held.items():
            sql = "update sources set reason = coalesce(reason, 'waits: ' || ?) where url = ?"
            self.db.execute(sql, [reason, url])

    def host(self, name: str) -> Host:
        """What is remembered of a host; nothing of one that was never asked."""
        row: Row = {"host": name}
        with self.ending_with_the_disk():
            row = first_row(self.db, "select * from hosts where host = ?", [name]) or row
        return Host(**row | {time: datetime.fromisoformat(row[time]) for time in HOST_TIMES if row.get(time)})

    def keep_host(self, host: Host) -> None:
        """Write all that is known of a host. Pages that its robots.txt refused are pending again when that has changed."""
        row = asdict(host) | {time: stamp(when) for time in HOST_TIMES if (when := getattr(host, time))}
        with self.ending_with_the_disk(), self.transaction():
            before = self.host(host.host)
            self.db.table("hosts").upsert(row, pk="host")
            if host.robots_fetched_at and (before.robots_fetched_at is None or before.robots != host.robots):
                self._ask_refused_again(host.host)

    def _ask_refused_again(self, host: str) -> None:
        for begin in (f"http://{host}", f"https://{host}"):
            self.db.execute(
                """update pages set state = 'pending', reason = null, next_fetch_at = null
                   where state = 'refused' and reason = 'robots' and url >= ? and url < ?""",
                [begin + "/", begin + "0"],  # in ASCII 0 is what follows /
            )

    # Items

    def keep(self, item: Item) -> None:
        """Write one listing or one page's outcome, wholly or not at all."""
        with self.transaction():
            if isinstance(item, Listing):
                self._keep_listing(item)
            else:
                self._keep_outcome(item)

    def _keep_listing(self, listing: Listing) -> None:
        source_id = self._source_id_of(listing.source)
        if listing.reserve:
            row = {"source_id": source_id, "url": listing.url, "kind": listing.kind, "last_status": "reserve"}
            self.db.table("feeds").insert(row, ignore=True)
            self._rest_front_page(listing)
            return
        if listing.failure:
            self._source_unread(listing.source, f"{listing.url}: {listing.failure}")
            self._note_error(f"{listing.source.name}: {listing.url}: {listing.failure}")
        else:
            self._source_read(listing.source)
        links = [(link, self._keep_link(link, listing, source_id)) for link in listing.links]
        self._keep_feed(listing, source_id, links)
        if listing.children is not None:
            self._keep_children(listing, source_id)
            self._retire_children(listing)

    def _keep_feed(self, listing: Listing, source_id: int, links: list[tuple[Link, str]]) -> None:
        """Note what was seen of a feed, sitemap or front page, what to ask with next time, and when that is."""
        feed = first_row(self.db, "select * from feeds where url = ?", [listing.url])
        timing = schedule.after(self._look(listing, links), feed)
        row = {"source_id": self._owner(feed, source_id), "url": listing.url} | timing
        row |= {
            "last_fetched_at": stamp(listing.fetched_at),
            "last_status": "retired" if listing.url in self._dropped else self._status_of(listing, timing["failures"]),
        }
        if listing.parent:
            row["parent"] = listing.parent
        if listing.status is not None:
            row["moved_to"] = listing.moved_to
        said = {"kind": listing.kind, "etag": listing.etag, "last_modified": listing.last_modified}
        read = listing.status == 200 and not listing.failure
        if feed is None or (read and row["source_id"] == source_id):
            row |= said
        elif row["source_id"] == source_id:  # what another source's look left to ask with says nothing of the owner's
            row |= {name: said[name] or feed[name] for name in ("etag", "last_modified")}
        self.db.table("feeds").update(feed["id"], row) if feed else self._insert("feeds", row)

    def _rest_front_page(self, listing: Listing) -> None:
        """A front page where nothing could be found is at rest again when something was."""
        if listing.url == listing.source.url:
            sql = "update feeds set last_status = 'reserve' where url = ? and last_status not in (select value from json_each(?))"
            self.db.execute(sql, [listing.url, json.dumps([*schedule.READ, *schedule.RESTING])])

    def _owner(self, feed: Row | None, source_id: int) -> int:
        """The source of a listing: the first that found it, as long as it is watched."""
        sql = "select id from sources where id = ? and enabled"
        owner = self.db.execute(sql, [feed["source_id"]]).fetchone() if feed else None
        return int(owner[0]) if owner else source_id

    def others_are_well(self) -> bool:
        """Whether a source that is watched could be read when it was last due, and was not due in this run."""
        sql = """select exists (select 1 from sources where enabled and last_success_at is not null and consecutive_failures = 0
                                and url not in (select value from json_each(?)))"""
        return bool(self.db.execute(sql, [json.dumps([*self.unread])]).fetchone()[0])

    def _look(self, listing: Listing, links: list[tuple[Link, str]]) -> Look:
        new = [link for link, was in links if was == "new"]
        return Look(
            at=self.began or listing.fetched_at,
            kind=listing.kind,
            entries=listing.entries if listing.status == 200 else None,
            new=len(new),
            known=sum(1 for _, was in links if was == "known"),
            filtered=len(links) < listing.entries,
            new_dates=tuple(link.hints.date_published for link in new if link.hints.date_published),
            asked=timedelta(seconds=listing.asked) if listing.asked else None,
            failed=listing.failure is not None,
        )

    def _status_of(self, listing: Listing, failures: int) -> str:
        """What feeds.last_status says of a look."""
        if listing.failure is None:
            return "unchanged" if listing.status == 304 else "ok"
        source = listing.source
        named = listing.url in (*source.feeds, *source.sitemaps, source.url)
        gone = _is_gone(listing.status) and failures >= RETIRED_AFTER and not named
        return "retired" if gone else listing.failure

    def _keep_children(self, listing: Listing, source_id: int) -> None:
        """Sitemaps that an index names are noted together with its validators: next time it may say that nothing changed."""
        for url in listing.children or ():
            child = {
                "source_id": source_id,
                "url": url,
                "kind": "sitemap",
                "parent": listing.url,
                "last_status": "named",
            }
            self.db.table("feeds").insert(child, ignore=True)

    def _retire_children(self, listing: Listing) -> None:
        """Sitemaps that their index no longer names are not asked again."""
        retired = self.db.execute(
            """update feeds set last_status = 'retired' where parent = ? and url not in (select value from json_each(?))
               returning url""",
            [listing.url, json.dumps(listing.children)],
        )
        self._dropped.update(url for (url,) in retired.fetchall())

    def _keep_link(self, link: Link, listing: Listing, source_id: int) -> str:
        """A link not yet known is a pending page; the first finder's hints and source stay.

        Returns `new`, `known` from before this run, or `seen` in this run.
        """
        inserted = self.db.execute(
            """insert into pages (url, source_id, via, hints, state, discovered_at) values (?, ?, ?, ?, 'pending', ?)
               on conflict (url) do nothing""",
            [link.url, source_id, via_of(listing.kind), hints_json(link.hints), stamp(listing.fetched_at)],
        ).rowcount
        (page_id,) = self.db.execute("select id from pages where url = ?", [link.url]).fetchone()
        self.db.execute(
            "insert into touched (page_id, source_id, outcome) values (?, ?, ?) on conflict (page_id) do nothing",
            [page_id, source_id, "pending" if inserted else "known"],
        )
        if inserted:
            return "new"
        return "known" if self.last_known is None or page_id <= self.last_known else "seen"

    def _keep_outcome(self, outcome: Outcome) -> None:
        page = outcome.page
        if not outcome.failure and forget.is_forgotten(self.db, page, outcome.article):
            self._keep_forgotten(page)
            return
        if not outcome.failure:
            self._source_read(page.source)
        elif page.via == "listed":  # a page that a feed names may be gone without anything being wrong with the source
            self._source_unread(page.source, f"{page.url}: {outcome.failure}")
        if page.unchanged:
            self._keep_unchanged(page)
        elif outcome.article:
            self._keep_article(page, outcome.article)
        elif outcome.refusal:
            self._keep_refusal(page, outcome.refusal, outcome.extractor)
        else:
            self._keep_failure(page, outcome.failure or "unknown")

    # Pages without an article

    def _keep_refusal(self, page: Page, reason: str, extractor: str | None) -> None:
        """The page answered and is no article. A page that was one keeps its state and its text."""
        row = self._found_row(page)
        if row["state"] in ("pending", "failed", "refused"):
            # What no server answered (robots.txt forbids it) is no better tomorrow; a local copy stays as it is.
            asked = page.status is not None and page.via not in ("file", "warc")
            attempts = row["attempts"] if row["state"] == "refused" else 1
            again = schedule.retry_at(attempts, page.fetched_at, refused=True) if asked else None
            self._ask_again_at(again, row["id"], state="refused", reason=reason, attempts=attempts, extractor=extractor)
        elif row["state"] == "article":
            self._plan_recheck(page, row["id"], row["article_id"], doubted=self._is_doubted(row))
        self._touch_refused(row)

    def _keep_failure(self, page: Page, reason: str) -> None:
        """No answer worth keeping: asked again later, until the attempts are spent."""
        row = self._found_row(page)
        outcome = "failed"
        if row["state"] in ("pending", "failed"):
            again = schedule.retry_at(row["attempts"], page.fetched_at)
            self._ask_again_at(again, row["id"], state="failed", reason=reason)
        elif row["state"] == "refused":
            self._ask_again_at(schedule.retry_at(row["attempts"], page.fetched_at, refused=True), row["id"])
        elif row["state"] == "article":
            outcome = self._keep_failed_recheck(page, row)
        if outcome == "failed":
            self._note_error(f"{page.url}: {reason}")
        self._touch(row["id"], row["source_id"], outcome)

    def _keep_failed_recheck(self, page: Page, row: Row) -> str:
        """An article that gave no answer keeps its text. One that is gone is asked once more, and then it is gone: that is
        news. Returns what the look is in the run's summary."""
        if _is_gone(page.status) and _is_gone(row["previous_status"]):
            noted = self.db.execute(
                "update articles set gone_at = ? where id = ? and gone_at is null",
                [stamp(page.fetched_at), row["article_id"]],
            )
            self._ask_again_at(None, row["id"])
            return "updated" if noted.rowcount else "known"
        if _is_gone(page.status):
            self._ask_again_at(page.fetched_at + schedule.GONE_PAUSE, row["id"])
        else:
            self._plan_recheck(page, row["id"], row["article_id"], doubted=self._is_doubted(row))
        return "failed"

    def _is_doubted(self, page: Row) -> bool:
        """Whether the last text of an article's page still waits for a look that agrees."""
        sql = """select versions.content_hash <> articles.content_hash from versions join articles on articles.id = article_id
                 where article_id = ? and page_id = ? order by versions.fetched_at desc, versions.id desc limit 1"""
        last = self.db.execute(sql, [page["article_id"], page["id"]]).fetchone()
        return bool(last and last[0])

    def _keep_unchanged(self, page: Page) -> None:
        """The article is as it was: nothing is written but when that was seen, and when to look again."""
        row = self._found_row(page)
        if row["state"] == "article":
            self.db.execute(
                "update articles set last_fetched_at = max(last_fetched_at, ?), gone_at = null where id = ?",
                [stamp(page.fetched_at), row["article_id"]],
            )
            self._plan_recheck(page, row["id"], row["article_id"])
        self._touch(row["id"], row["source_id"], "known")

    def _plan_recheck(self, page: Page, page_id: int, article_id: int, *, doubted: bool = False) -> None:
        """Note when an article's page is to be looked at again; `doubted` when its text waits for the next look to agree."""
        again = None
        if page.source and page.source.recheck and page.via not in ("file", "warc"):
            sql = "select date_published, first_seen_at from articles where id = ?"
            published, first_seen = self.db.execute(sql, [article_id]).fetchone()
            seen_at = datetime.fromisoformat(first_seen)
            again = schedule.recheck_at(published, seen_at, page.fetched_at, doubted=doubted)
        # Only a whole answer can agree with a doubted text; "not modified" would say nothing of it.
        self._ask_again_at(again, page_id, **({"etag": None, "last_modified": None} if doubted else {}))

    def _ask_again_at(self, when: datetime | None, page_id: int, **facts: Any) -> None:
        """Note when a page is to be asked again, None for never, and what else is new of it."""
        self.db.table("pages").update(page_id, {"next_fetch_at": stamp(when) if when else None} | facts)

    def _keep_forgotten(self, page: Page) -> None:
        """What leads to a page that was taken down is taken down itself, unless it is an article already."""
        self._source_read(page.source)
        row = self._found_row(page)
        if row["state"] == "article":
            self._plan_recheck(page, row["id"], row["article_id"])
        elif row["state"] != "duplicate":
            forget.silence(self.db, [row["id"]])
        self._touch_refused(row)

    def _found_row(self, page: Page) -> Row:
        """The row of the address that was found, with this fetch noted; made when there is none. `previous_status` is from before."""
        row = self._page(page.url) or self._row_of(self._insert_page(page.url, page))
        fetched = {
            "http_status": page.status,
            "attempts": row["attempts"] + 1,
            "last_fetched_at": stamp(page.fetched_at),
        }
        self.db.table("pages").update(row["id"], fetched)
        return row | fetched | {"previous_status": row["http_status"]}

    # Pages with an article

    def _keep_article(self, page: Page, article: Article) -> None:
        claimed = deduplicate.canonical_claim(page, article)
        if page.final_url.startswith("urn:") and claimed:
            page = replace(page, url=claimed, final_url=claimed)
        place = deduplicate.place(self.db, page, article)
        if place.false_claim_of:
            self._correct_address(place.false_claim_of)
        page_id = self._fetched_page_id(page)
        outcome, article_id = self._put(page, page_id, article, place)
        state = ("duplicate", place.reason) if place.kind == "duplicate" else ("article", None)
        self._settle(page_id, article, article_id, *state)
        if state[0] == "article":
            words = deduplicate.content_hash(article.text)
            doubted = outcome == "updated" and self._article(article_id)["content_hash"] != words
            self._plan_recheck(page, page_id, article_id, doubted=doubted)
        self._relate_copies(article_id, None if place.merges or place.kind == "original" else page_id)
        if place.kind in ("new", "original"):
            self._reserve_canonical(page, place.url, article_id)
        found_id = self._settle_redirect(page, article_id) if page.url != page.final_url else page_id
        self._touch(found_id, self._row_of(found_id)["source_id"], outcome)

    def _put(self, page: Page, page_id: int, article: Article, place: Place) -> tuple[str, int]:
        """Write the article where it belongs; returns what that is in the run's summary, and the article's id."""
        row = article_row(article, page)
        if place.article_id is None:
            return "new", self._insert_article(page, row, place)
        for other_id in place.merges:
            self._merge(place.article_id, other_id)
        known = self._article(place.article_id)
        if place.kind == "again":
            return self._look_again(known, page_id, row), place.article_id
        if place.kind == "original":
            return self._take_over(known, page, page_id, row, place), place.article_id
        self._keep_copy(known, page_id, row)
        return "duplicate", place.article_id

    def _insert_article(self, page: Page, row: Row, place: Place) -> int:
        source_id = self._source_id_for(page)
        first = {
            "id": self._unused_id(), "url": place.url, "source_id": source_id, "first_seen_at": row["last_fetched_at"]
        }  # fmt: skip
        self.db.execute(
            "update sources set last_new_article_at = max(coalesce(last_new_article_at, ''), ?) where id = ?",
            [row["last_fetched_at"], source_id],
        )
        article_id = self._insert("articles", row | first)
        self._note_days(row)
        self._note_prints(article_id, place.prints)
        return article_id

    def _unused_id(self) -> int:
        """SQLite would give an article that was merged away's id to another, and `moved` would lead astray."""
        sql = """select 1 + max(coalesce((select max(id) from articles), 0),
                                coalesce((select max(old_id) from moved where kind = 'article'), 0))"""
        return int(self.db.execute(sql).fetchone()[0])

    def _look_again(self, known: Row, page_id: int, row: Row) -> str:
        """Another capture of a known page: unchanged, a newer text, or an older one from an archive."""
        newer = row["last_fetched_at"] >= known["last_fetched_at"]
        if deduplicate.is_boring(known, row):
            outcome, fields = "known", {name: value for name, value in row.items() if name not in INDEXED}
        else:
            trusted = not is_doubtful(known, row) or self._is_agreed(known, page_id, row)
            outcome, fields = "updated", row if trusted else {}
            self._add_version(known, page_id, row)
            if trusted:
                self._add_prints(known["id"], row["text"])
                self._note_days(known, row)
        fields = fields | {"gone_at": None} if newer else {}
        self.db.table("articles").update(known["id"], fields | seen(known, row))
        return outcome

    def _take_over(self, known: Row, page: Page, page_id: int, row: Row, place: Place) -> str:
        """The article's row takes the fields of its original, or of its new address; the page it had becomes a duplicate."""
        if row["content_hash"] != known["content_hash"]:
            self._add_version(known, page_id, row)
            self._add_prints(known["id"], row["text"])
        self.db.execute(
            """update pages set state = 'duplicate', reason = ?, similarity = null, next_fetch_at = null
               where article_id = ? and state = 'article' and id <> ?""",
            [place.reason, known["id"], page_id],
        )
        owner = {"url": place.url, "source_id": self._source_id_for(page)}
        self._note_days(known, row)
        self.db.table("articles").update(known["id"], row | seen(known, row) | owner)
        return self._displace(known["id"])

    def _keep_copy(self, known: Row, page_id: int, row: Row) -> None:
        """A copy's own text stays readable, and its prints find further copies."""
        if row["content_hash"] == known["content_hash"]:
            return
        kept = self.db.execute(
            "select count(*) from versions where article_id = ? and content_hash = ?",
            [known["id"], row["content_hash"]],
        )
        if not kept.fetchone()[0]:
            self._add_version(known, page_id, row)
            self._add_prints(known["id"], row["text"])

    def _merge(self, kept_id: int, other_id: int) -> None:
        """Two articles turn out to be one: the smaller id stays and has the fields of the original."""
        kept, other = self._article(kept_id), self._article(other_id)
        first = min((kept, other), key=lambda row: deduplicate.precedence_of(self.db, row))
        displaced = other if first is kept else kept
        self._note_days(kept, other)
        if displaced["content_hash"] != first["content_hash"]:
            self._add_version(first, self._page_of(displaced["id"]), displaced)
        self.db.execute(
            """update pages set state = 'duplicate', reason = 'near', next_fetch_at = null
               where article_id = ? and state = 'article'""",
            [displaced["id"]],
        )
        for sql in (
            "update pages set article_id = :kept where article_id = :other",
            "update versions set article_id = :kept where article_id = :other",
            "update or ignore fingerprints set article_id = :kept where article_id = :other",
            "delete from fingerprints where article_id = :other",
            "delete from articles where id = :other",
            "update moved set new_id = :kept where kind = 'article' and new_id = :other",
            "insert into moved (kind, old_id, new_id) values ('article', :other, :kept)",
        ):
            self.db.execute(sql, {"kept": kept_id, "other": other_id})
        own = {"id": kept_id, "story_id": kept["story_id"]}
        earliest = {"first_seen_at": min(kept["first_seen_at"], other["first_seen_at"])}
        self.db.table("articles").update(kept_id, first | own | earliest)
        self._number_versions(kept_id, anew=True)
        self._displace(kept_id)

    def _relate_copies(self, article_id: int, page_id: int | None) -> None:
        """Say of an article's copies, or of that page alone, whether they have its very words, else how much is shared."""
        own = self._article(article_id)
        copies = self.db.query(
            """select id, content_hash from pages where article_id = ? and state = 'duplicate' and reason in ('text', 'near')
               and content_hash is not null and id = coalesce(?, id)""",
            [article_id, page_id],
        )
        for copy in list(copies):
            same = copy["content_hash"] == own["content_hash"]
            share = 1.0 if same else self._similarity(own, copy["content_hash"])
            relation = {"reason": "text" if same else "near", "similarity": share}
            self.db.table("pages").update(copy["id"], relation)

    def _similarity(self, own: Row, copy_hash: str) -> float | None:
        sql = "select text from versions where article_id = ? and content_hash = ?"
        kept = first_row(self.db, sql, [own["id"], copy_hash])
        return deduplicate.similarity(Text(own["text"]), Text(kept["text"])) if kept else None

    def _note_days(self, *rows: Row) -> None:
        self._days.update(row["sort_at"][:10] for row in rows)

    def _add_prints(self, article_id: int, text: str) -> None:
        """Note a further text of an article."""
        prints = Text(text).prints
        self._note_prints(article_id, deduplicate.unnoted(prints, deduplicate.holders_of(self.db, prints), article_id))

    def _note_prints(self, article_id: int, prints: Iterable[int]) -> None:
        rows = ((print_, article_id) for print_ in prints)
        self.db.conn.executemany("insert into fingerprints (hash, article_id) values (?, ?)", rows)

    def _add_all_prints(self, article_id: int) -> None:
        for text in list(deduplicate.texts_of(self.db, article_id)):
            self._add_prints(article_id, text)

    def _renew_prints(self) -> None:
        """Make all prints again when they were made by other rules, or before there were any."""
        made_by = self.db.execute("select max(version) from signatures").fetchone()[0]
        if made_by == deduplicate.SIGNATURE_VERSION:
            return
        with self.transaction():
            self.db.execute("delete from fingerprints")
            for (article_id,) in self.db.execute("select id from articles order by id").fetchall():
                self._add_all_prints(article_id)
            self.db.execute(
                "insert into signatures (version, parameters) values (?, ?)",
                [deduplicate.SIGNATURE_VERSION, _json(deduplicate.SIGNATURE)],
            )

    def _displace(self, article_id: int) -> str:
        """In this run's summary the original is what is new, and the page that was new until now is its duplicate."""
        displaced = self.db.execute(
            """update touched set outcome = 'duplicate' where outcome = 'new'
               and page_id in (select id from pages where article_id = ? and state = 'duplicate')""",
            [article_id],
        )
        return "new" if displaced.rowcount else "updated"

    def _is_agreed(self, known: Row, page_id: int, row: Row) -> bool:
        """Whether the look before this one had the same text."""
        sql = """select count(*) from versions where article_id = ? and page_id = ? and content_hash = ?
                 and fetched_at = ? and fetched_at < ?"""
        parameters = [known["id"], page_id, row["content_hash"], known["last_fetched_at"], row["last_fetched_at"]]
        return bool(self.db.execute(sql, parameters).fetchone()[0])

    def _add_version(self, known: Row, page_id: int, row: Row) -> None:
        """Keep a text in `versions`, and the article's own beside it, so that they can be compared."""
        first_seen = {"last_fetched_at": known["first_seen_at"]}
        self._insert_version(known["id"], self._page_of(known["id"]), known | first_seen, own=True)
        self._insert_version(known["id"], page_id, row)
        self._number_versions(known["id"])

    def _number_versions(self, article_id: int, *, anew: bool = False) -> None:
        """Number the texts by the time of fetching; each is compared with its page's last one, else with the one before it.

        Only what has another place or neighbour than before is counted again, unless all is to be numbered `anew`: comparing
        every text for every one that comes would take minutes where a thousand addresses give copies that differ.
        """
        texts = list(
            self.db.query(
                "select id, page_id, version from versions where article_id = ? order by fetched_at, id", [article_id]
            )
        )
        placed = [] if anew else sorted((text for text in texts if text["version"]), key=itemgetter("version"))
        was, now = _neighbours(placed), _neighbours(texts)
        for number, text in enumerate(texts, 1):
            if was.get(text["id"]) != now[text["id"]]:
                added, removed = self._words_changed(now[text["id"]], text["id"])
                self.db.table("versions").update(text["id"], {"words_added": added, "words_removed": removed})
            if text["version"] != number:
                self.db.execute("update versions set version = ? where id = ?", [number, text["id"]])
        self.db.table("articles").update(article_id, {"version_count": max(1, len(texts))})

    def _words_changed(self, *versions: int) -> tuple[int, int]:
        """Words added and removed from one version to the other."""
        old, new = (self.db.table("versions").get(version)["text"] for version in versions)
        return deduplicate.words_changed(old, new)

    def _insert_version(self, article_id: int, page_id: int, row: Row, *, own: bool = False) -> None:
        """A text and title that the page had before are kept once, with the time of the last look that found them again."""
        same = self.db.execute(
            "select id from versions where article_id = ? and page_id = ? and content_hash = ? and title is ?",
            [article_id, page_id, row["content_hash"], row["title"]],
        ).fetchone()
        if same is None:
            version = {
                "article_id": article_id,
                "page_id": page_id,
                "fetched_at": row["last_fetched_at"],
                "version": 0,
                "words_added": 0,
                "words_removed": 0,
            }
            self.db.table("versions").insert(version | {name: row[name] for name in ("title", "text", "content_hash")})
        elif not own:
            self.db.execute(
                "update versions set fetched_at = ?1 where id = ?2 and fetched_at < ?1",
                [row["last_fetched_at"], same[0]],
            )

    def _correct_address(self, article_id: int) -> None:
        """Give an article that claimed another page's address its own page's."""
        self.db.execute(
            "update articles set url = (select url from pages where article_id = articles.id and state = 'article') where id = ?",
            [article_id],
        )

    def _reserve_canonical(self, page: Page, url: str, article_id: int) -> None:
        """Note the canonical address as a duplicate, so that it is not fetched for the same article.

        Not where a listing names it too: by a false claim an article would never be looked at.
        """
        if url != page.final_url and self._page(url) is None:
            self._insert_page(url, page, state="duplicate", reason="canonical", article_id=article_id)

    def _settle_redirect(self, page: Page, article_id: int) -> int:
        """The address found led to another one: it is a duplicate of what was there, unless it is an article by itself."""
        row = self._found_row(page)
        if row["state"] != "article":
            duplicate = {"state": "duplicate", "reason": "redirect", "article_id": article_id, "next_fetch_at": None}
            self.db.table("pages").update(row["id"], duplicate)
        else:
            self._plan_recheck(page, row["id"], row["article_id"])
        return int(row["id"])

    def _fetched_page_id(self, page: Page) -> int:
        """The row of the address that answered, with this fetch noted; made when there is none."""
        row = self._page(page.final_url) or self._row_of(self._insert_page(page.final_url, page))
        fetched = {
            "http_status": page.status, "etag": page.etag, "last_modified": page.last_modified, "attempts": row["attempts"] + 1,
            "discovered_at": min(row["discovered_at"], stamp(page.fetched_at)),
            "last_fetched_at": max(row["last_fetched_at"] or "", stamp(page.fetched_at)), "next_fetch_at": None,
        }  # fmt: skip
        archived = {"warc": page.warc, "warc_offset": page.warc_offset} if page.warc else {}
        self.db.table("pages").update(row["id"], fetched | archived)
        return int(row["id"])

    def _settle(self, page_id: int, article: Article, article_id: int, state: str, reason: str | None) -> None:
        """Note what became of the page. Its words count as an article's own only once they are believed."""
        words = (
            self._article(article_id)["content_hash"] if state == "article" else deduplicate.content_hash(article.text)
        )
        self.db.table("pages").update(
            page_id,
            {
                "state": state, "reason": reason, "article_id": article_id, "similarity": None, "title": article.title,
                "date_published": article.date_published, "extractor": article.extractor, "content_hash": words,
                "titles": _json(dict(article.titles)),
            },
        )  # fmt: skip

    # Takedowns

    def forget(self, urls: Iterable[str], now: datetime) -> list[Forgotten]:
        """Take down what these addresses gave, all or nothing. forget.erase() then clears the file of what is left of it."""
        with self.transaction():
            taken = [forget.take_down(self.db, url, stamp(now)) for url in urls]
            trimmed = json.dumps([article_id for one in taken for article_id in one.trimmed])
            for (article_id,) in self.db.execute(
                "select id from articles where id in (select value from json_each(?))", [trimmed]
            ).fetchall():
                self._renew_texts(article_id)
            stories.renew(self.db, {day for one in taken for day in one.days})
        return taken

    def _renew_texts(self, article_id: int) -> None:
        """Number an article's versions and make its prints again, after some of its texts were taken out."""
        self.db.execute("delete from fingerprints where article_id = ?", [article_id])
        self._add_all_prints(article_id)
        self._number_versions(article_id, anew=True)

    # Rows

    def _page(self, url: str) -> Row | None:
        return first_row(self.db, "select * from pages where url = ?", [url])

    def _row_of(self, page_id: int) -> Row:
        row: Row = self.db.table("pages").get(page_id)
        return row

    def _article(self, article_id: int) -> Row:
        return next(iter(self.db.query("select * from articles where id = ?", [article_id])))

    def _page_of(self, article_id: int) -> int:
        """The page that is this article's."""
        sql = "select id from pages where article_id = ? and state = 'article'"
        return int(next(self.db.query(sql, [article_id]))["id"])

    def _insert(self, table: str, row: Row) -> int:
        key = self.db.table(table).insert(row).last_pk
        assert isinstance(key, int)
        return key

    def _insert_page(self, url: str, page: Page, **state: Any) -> int:
        row = {
            "url": url, "source_id": self._source_id_for(page) if page.source is None else self._source_id_of(page.source), "via": page.via,
            "hints": hints_json(page.hints), "state": "pending", "discovered_at": stamp(page.fetched_at), "warc": page.warc, "warc_offset": page.warc_offset,
        }  # fmt: skip
        return self._insert("pages", row | state)

    def _source_id_of(self, source: Source) -> int:
        """The row of a source of sources.toml; an import may be the first to name it."""
        ids = [row["id"] for row in self.db.query("select id from sources where url = ?", [source.url])]
        if ids:
            return int(ids[0])
        self._sync_source(source)
        return self._source_id_of(source)

    def _source_id_for(self, page: Page) -> int | None:
        """The source whose site answered, else the one that named the page; a host nobody named becomes one that is off."""
        domain = site_of(page.final_url)
        named = page.source.url if page.source else None
        rows = list(
            self.db.query(
                "select id from sources where domain = ? order by url = ? desc, enabled desc, id", [domain, named]
            )
        )
        if rows:
            return int(rows[0]["id"])
        if page.source:
            return self._source_id_of(page.source)
        if domain is None:
            return None
        url = f"{origin_of(page.final_url)}/"
        row = {
            "name": default_name(url),
            "url": url,
            "domain": domain,
            "enabled": 0,
            "status": "off",
            "reason": "only imported, not in sources.toml",
        }
        return self._insert("sources", row)

    def _touch_refused(self, page: Row) -> None:
        """A refusal of what was an article, or a duplicate of one, changes nothing of it."""
        self._touch(page["id"], page["source_id"], "known" if page["state"] in ("article", "duplicate") else "refused")

    def _touch(self, page_id: int, source_id: int | None, outcome: str) -> None:
        self.db.execute(
            "insert into touched (page_id, source_id, outcome) values (?, ?, ?) on conflict (page_id) do update set outcome = excluded.outcome",
            [page_id, source_id, outcome],
        )

    def _note_error(self, message: str) -> None:
        if len(self._errors) < 10:
            self._errors.append(message)


class StorePipeline:
    """The last station: hands every item to the archive, and ends the crawl when the disk or the database fails.

    From then on nothing is written, and what comes is dropped without a word: the run's last line says why, once.
    """

    def __init__(self, archive: Archive, crawler: "Crawler") -> None:
        self._archive = archive
        self._crawler = crawler
        self._ending: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "StorePipeline":
        return cls(crawler.settings["ARCHIVE"], crawler)

    def process_item(self, item: Item) -> Item:
        with self._archive.ending_with_the_disk():
            if self._archive.broken is None:
                self._archive.keep(item)
                return item
        from scrapy.exceptions import DropItem

        self._end_crawl()
        raise DropItem(str(self._archive.broken), log_level="DEBUG")

    def _end_crawl(self) -> None:
        assert self._crawler.engine is not None
        self._ending = self._ending or asyncio.get_running_loop().create_task(
            self._crawler.engine.close_spider_async(reason="storage")
        )


def article_row(article: Article, page: Page) -> Row:
    """The columns of `articles` that come from the page alone."""
    fetched_at = stamp(page.fetched_at)
    return {
        "title": article.title, "description": article.description, "text": article.text, "authors": _json(article.authors),
        "date_published": article.date_published, "date_published_raw": article.date_published_raw,
        "date_published_source": article.date_published_source, "date_modified": article.date_modified,
        "sort_at": sort_at(article.date_published, page.fetched_at), "language": article.language, "section": article.section,
        "keywords": _json(article.keywords), "image_url": article.image_url, "site_name": article.site_name, "word_count": article.word_count,
        "is_accessible_for_free": article.is_accessible_for_free, "content_hash": deduplicate.content_hash(article.text),
        "extractor": article.extractor, "last_fetched_at": fetched_at,
    }  # fmt: skip


def seen(known: Row, row: Row) -> Row:
    """An article's first and last fetch, with one more of them."""
    return {
        "first_seen_at": min(known["first_seen_at"], row["last_fetched_at"]),
        "last_fetched_at": max(known["last_fetched_at"], row["last_fetched_at"]),
    }


def is_doubtful(known: Row, row: Row) -> bool:
    """Whether a newer text may be a fault of the site: much shorter than the known one, or about something else."""
    if row["word_count"] < known["word_count"] * SHRUNK:
        return True
    return deduplicate.containment(known["text"], row["text"]) < UNLIKE


def sort_at(date_published: str | None, fetched_at: datetime) -> str:
    """What everything sorts by: the publication date where it is a possible one, else when it was first seen."""
    if date_published and OLDEST_DATE <= date_published <= stamp(fetched_at + FUTURE_ALLOWED):
        return date_published
    return stamp(fetched_at)


def hints_json(hints: Hints) -> str | None:
    """Only what the listing said; None when it said nothing."""
    said = {name: getattr(hints, name) for name in Hints.__slots__}
    return _json({name: value for name, value in said.items() if value})


def hints_from_json(text: str | None) -> Hints:
    said = json.loads(text) if text else {}
    return Hints(**said | {"authors": tuple(said.get("authors", ()))})


def _neighbours(texts: list[Row]) -> dict[int, int]:
    """For each version, in their order, the one it is compared with: the last of its page, else the one before, else itself."""
    found: dict[int, int] = {}
    last: dict[int, int] = {}
    before = texts[0]["id"] if texts else 0
    for text in texts:
        found[text["id"]] = last.get(text["page_id"], before)
        before = last[text["page_id"]] = text["id"]
    return found


def _json(value: Any) -> str | None:
    return json.dumps(value, ensure_ascii=False) if value else None


def _is_gone(status: int | None) -> bool:
    return status in (404, 410)
