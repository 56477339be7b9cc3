"""What earlier runs know, applied to the news spider's requests on their way out: skip, revalidate, resume, look again.

A page that is known is asked again only when a recheck is due, a feed only when it is due, both with their validators;
pages still pending from an earlier run come before what is new, rechecks after it. When a feed has rolled on beyond all
that was known, the sitemaps of its source are asked too. Reads the archive, never writes it.
"""

import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from scrapy import Request, signals
from scrapy.exceptions import DontCloseSpider, NotConfigured

from crawler.fetcher.requests import FrontPageRequest, ListingRequest, PageRequest, asked_for
from crawler.items import MAX_CHILDREN, Link, Listing, via_of
from crawler.reasons import sentence
from crawler.times import stamp
from crawler.urls import UnusableURL, origin_of
from pipelines.archive import entry_points, feed_texts
from pipelines.archive.entries import compare
from pipelines.archive.pages import hints_from_json, with_hints
from pipelines.archive.relinked import known_entries
from pipelines.archive.retries import Retries
from pipelines.archive.runs import RunState
from pipelines.archive.schedule import READ, RESTING, due_until, is_due, shows_gaps
from pipelines.archive.store import Archive
from pipelines.database.connection import Row, first_row
from pipelines.database.sqlite import Database

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.items import Source

logger = logging.getLogger(__name__)

_DUE_RECHECK = """state in ('article', 'duplicate') and next_fetch_at is not null and (next_fetch_at <= ? or last_fetched_at > ?)"""
"""Articles, and of duplicates the parts of one; also what was written by a clock that was ahead."""

_NEW_PARTS = """id in (select pages.id from parts cross join pages on pages.url = parts.url
    where parts.text is null and state = 'pending')"""

BATCH = 500
"""Pages read at a time; of the others only the numbers are kept, 40 bytes each."""

PAGES_OF_LISTING = 1_000
"""New pages that one look at a listing may have fetched in its run: a sitemap may name 50,000, true ones or not, and a
second between two of them is a quarter of an hour even so. The others stay pending."""

FAILED_PRIORITY = -1
"""Of a listing that failed last time: should it have its host left alone again, what was pending has been asked before."""

PENDING_PRIORITY, RECHECK_PRIORITY = 5, -5
"""Of pages; new ones have 0. What an earlier run found is the oldest, and a correction can wait."""


@runtime_checkable
class Asker(Protocol):
    """The spider, as far as it makes the requests for what the archive remembers."""

    def poll(
        self, source: "Source", url: str, kind: str, *, parent: str | None = None, site: str | None = None
    ) -> Request: ...

    def fetch(
        self, source: "Source", link: Link, via: str, priority: int = 0, *, is_recheck: bool = False
    ) -> Request: ...

    def announced_sitemaps(self, source: "Source") -> Sequence[str]: ...


class _Asked:
    """The pages that a run has asked for."""

    def __init__(self, *, limit: int, budget: int) -> None:
        self._limit = limit
        self._budget = budget
        self.urls: set[str] = set()
        self._of: Counter[str] = Counter()  #: pages of each host, by `scheme://host:port`

    def take(self, url: str) -> bool:
        """Note that a page is asked; False when it was already, or when that is beyond the run's limit."""
        if url in self.urls or (self._limit and len(self.urls) >= self._limit):
            return False
        self.urls.add(url)
        self._of[origin_of(url)] += 1
        return True

    def is_within_budget(self, url: str) -> bool:
        return self._of[origin_of(url)] <= self._budget


class _Looked:
    """The listings that a run has asked."""

    def __init__(self) -> None:
        self._looks: set[tuple[str, str]] = set()
        self._parts_of: Counter[str | None] = Counter()  #: sitemaps asked of each index

    def take(self, asked: ListingRequest) -> bool:
        """Note that a listing is asked; False when it was already for this source, or too many parts of its index were."""
        look = (asked.source.url, asked.url)
        if look in self._looks or (asked.parent and self._parts_of[asked.parent] >= MAX_CHILDREN):
            return False
        self._looks.add(look)
        self._parts_of[asked.parent] += 1
        return True


class HistoryMiddleware:
    """A spider middleware: every request the spider makes passes here."""

    def __init__(
        self,
        db: Database,
        run: RunState,
        crawler: "Crawler",
        *,
        poll_all: bool,
        retries: Retries,
        limit: int,
        budget: int,
    ) -> None:
        self._db = db
        self._run = run
        self._crawler = crawler
        self._poll_all = poll_all
        self._retries = retries
        self._now = run.began or datetime.now(UTC)
        self._asked = _Asked(limit=limit, budget=budget)
        self._looked = _Looked()
        self._due: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "HistoryMiddleware":
        settings = crawler.settings
        archive: Archive | None = settings.get("ARCHIVE")
        if archive is None or not isinstance(crawler.spider, Asker):  # a spider of one's own asks for what it likes
            raise NotConfigured
        history = cls(
            archive.db,
            archive.run,
            crawler,
            poll_all=settings.getbool("POLL_ALL"),
            retries=Retries.of(archive.db, settings.getlist("RETRY_STATES"), settings.getlist("RETRY_ONLY")),
            limit=settings.getint("PAGE_LIMIT"),
            budget=settings.getint("HOST_BUDGET"),
        )
        crawler.signals.connect(history.ask_parts, signal=signals.spider_idle)
        return history

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        with self._run.ending_with_the_disk():
            failed = []
            async for request in start:
                for wanted in self._entry_points(request):
                    if wanted.priority == FAILED_PRIORITY:
                        failed.append(wanted)
                    else:
                        yield wanted
            for request in filter(self._is_wanted, self._unfinished()):
                yield request
            for request in failed:
                yield request
            for request in filter(self._is_wanted, self._rechecks()):
                yield request

    async def process_spider_output(self, response: "Response", result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        pages = 0
        with self._run.ending_with_the_disk():
            async for output in result:
                if not isinstance(output, Request):
                    changed = list(_changed(self._db, self._run, self._spider, output))  # before it is written
                    yield with_hints(self._db, feed_texts.with_text(self._db, output))
                    for request in (*self._catch_up(output), *changed):
                        if not isinstance(asked := asked_for(request), PageRequest) or self._asked.take(asked.url):
                            yield request
                elif isinstance(asked_for(output), PageRequest) and pages >= PAGES_OF_LISTING:
                    continue  # it is pending by now, and the next run takes it up
                elif self._is_wanted(output):
                    pages += isinstance(asked_for(output), PageRequest)
                    yield self._with_validators(output)

    def _is_wanted(self, request: Request) -> bool:
        """Whether a page or a listing is to be asked now; all other requests are."""
        asked = asked_for(request)
        if not isinstance(asked, PageRequest):
            return self._is_due_child(request) and self._is_first_look(request)
        if asked.url in self._asked.urls or not _is_due_page(self._db, self._retries, asked, self._now):
            return False
        return self._asked.take(asked.url)

    def _is_due_child(self, request: Request) -> bool:
        """Whether a sitemap that an index names is due, or has changed since it was asked; everything else is."""
        asked = asked_for(request)
        if not isinstance(asked, ListingRequest) or not asked.parent or asked.discovery:
            return True
        feed = self._feed(asked.url)
        changed = feed is not None and asked.changed_at and stamp(asked.changed_at) > (feed["last_fetched_at"] or "")
        return bool(changed) or self._is_due_listing(asked.url, feed)

    def _is_first_look(self, request: Request) -> bool:
        """Whether a listing is asked for the first time in this run; a discovery waits for all its answers."""
        asked = asked_for(request)
        return not isinstance(asked, ListingRequest) or asked.discovery is not None or self._looked.take(asked)

    # Entry points

    def _entry_points(self, request: Request) -> Iterator[Request]:
        """What a start request becomes: itself, nothing when it is not due, or the entry points found by an earlier run."""
        asked = asked_for(request)
        if isinstance(asked, FrontPageRequest):
            known = entry_points.known_of(self._db, asked.source)
            if known is not None:
                yield from filter(self._is_first_look, self._polls(asked.source, known))
                yield from self._look_around(request, asked)
            elif self._is_discovery_due(asked.source):
                self._remind(asked)
                yield request
        elif not isinstance(asked, ListingRequest):
            if self._asked.is_within_budget(request.url) and self._is_wanted(request):
                yield request
        elif self._is_first_look(request):
            if self._is_due_listing(asked.url, self._feed(asked.url)):
                yield self._with_validators(request)
            children = entry_points.sitemaps_below(self._db, asked.url)
            yield from filter(self._is_first_look, self._polls(asked.source, children))

    def _is_discovery_due(self, source: "Source") -> bool:
        """Whether to look around again where nothing can be polled: ever less often, as with any listing that fails."""
        front_page = self._feed(source.url)
        return (
            front_page is None
            or front_page["last_status"] in (*READ, *RESTING)
            or self._is_due_listing(source.url, front_page)
        )

    def _look_around(self, request: Request, asked: FrontPageRequest) -> Iterator[Request]:
        """The discovery once more, for what is not polled yet, where what is polled gives no article."""
        due, is_barren = entry_points.is_look_around_due(self._db, asked.source.url, self._now)
        if not due:
            return
        polled = entry_points.entry_points_of(self._db, asked.source.url)
        asked.known, asked.is_barren = {row["url"]: row["kind"] for row in polled}, is_barren
        if is_barren:
            for url in asked.known:
                logger.warning("%s: %s: %s", asked.source.name, url, sentence("barren").partition(";")[0])
        yield request

    def _polls(self, source: "Source", feeds: Iterable[Row]) -> Iterator[Request]:
        """Polls of those that are due."""
        due = (feed for feed in feeds if self._is_due_listing(feed["url"], feed))
        for feed in entry_points.without_old(self._db, source.url, due, self._now):
            with suppress(UnusableURL):  # of an older release
                request = self._spider.poll(
                    source, feed["url"], via_of(feed["kind"]), parent=feed["parent"], site=feed["speaks_for"]
                )
                yield self._with_validators(request)

    def _is_due_listing(self, url: str, feed: Row | None) -> bool:
        """Decided once in a run: a source that shares the feed must not wait because another one has just asked it."""
        if self._poll_all or feed is None or is_due(feed, self._now):
            self._due.add(url)
        return url in self._due

    def _catch_up(self, listing: object) -> Iterator[Request]:
        """When all that a feed lists is unknown, ask the sitemaps of its source for what it dropped meanwhile."""
        if not isinstance(listing, Listing) or not listing.links:
            return
        feed, filtered = self._feed(listing.url), len(listing.links) < listing.entries
        if feed is None or not shows_gaps(feed, listing.kind, filtered=filtered):
            return
        newest = self._run.last_known or 0
        if entry_points.is_any_known(self._db, listing, newest) or known_entries(
            self._db, feed["source_id"], listing.links, newest
        ):
            return
        sitemaps = {
            row["url"]: row["speaks_for"] for row in entry_points.sitemaps_in_reserve(self._db, feed["source_id"])
        }
        for url in (*sitemaps, *self._spider.announced_sitemaps(listing.source)):
            with suppress(UnusableURL):
                request = self._spider.poll(listing.source, url, "sitemap", site=sitemaps.get(url))
                if self._is_first_look(request):
                    yield self._with_validators(request)

    def _with_validators(self, request: Request) -> Request:
        """Ask conditionally (RFC 9110, 13.1) where an earlier answer to this very source left something to ask with.

        What another source's rules let through of the same feed says nothing; --now looks at everything again.
        """
        asked = asked_for(request)
        if not isinstance(asked, ListingRequest):
            return request
        feed = self._remind(asked)
        if self._poll_all:
            return request
        if feed and feed["failures"]:
            request.priority = FAILED_PRIORITY
        if feed and feed["last_status"] in READ and feed["source_url"] == asked.source.url:
            _conditional(request, feed)
        return request

    def _remind(self, asked: ListingRequest | FrontPageRequest) -> Row | None:
        """The row of a listing; what earlier looks for its source saw is told to who reads it."""
        feed = self._feed(asked.url)
        if feed and feed["source_url"] == asked.source.url:
            asked.seen = entry_points.prints_of(self._db, feed)
            asked.dates_tell = entry_points.dates_tell(feed)
        return feed

    # Pages that earlier runs left

    def _unfinished(self) -> Iterator[Request]:
        """Pending pages, failed and refused ones that are due, and those that --retry names."""
        retried, parameters = self._retries.condition()
        due = f"state = 'pending' or (state in ('failed', 'refused') and (next_fetch_at <= ? or last_fetched_at > ?)) or {retried}"
        yield from self._fetches(due, due_until(self._now), due_until(self._now), *parameters)

    def _fetches(self, condition: str, *parameters: object) -> Iterator[Request]:
        for source, row in self._pages(condition, *parameters):
            link = Link(url=row["url"], hints=hints_from_json(row["hints"]))
            with suppress(UnusableURL):  # of an older release
                yield self._spider.fetch(source, link, row["via"], PENDING_PRIORITY)

    def ask_parts(self) -> None:
        """When nothing else is left to ask: the pages of articles that this run found to be split over several."""
        new: list[Request] = []
        with self._run.ending_with_the_disk():
            new += filter(self._is_wanted, self._fetches(_NEW_PARTS))
        for request in new:
            self._crawler.engine.crawl(request)
        if new:
            raise DontCloseSpider

    def _rechecks(self) -> Iterator[Request]:
        """Articles that are due to be looked at for corrections, asked conditionally."""
        for source, row in self._pages(_DUE_RECHECK, due_until(self._now), due_until(self._now)):
            if source.recheck:
                link = Link(url=row["url"], hints=hints_from_json(row["hints"]))
                request = self._spider.fetch(source, link, row["via"], RECHECK_PRIORITY, is_recheck=True)
                yield _conditional(request, row)

    def _pages(self, condition: str, *parameters: object) -> Iterator[tuple["Source", Row]]:
        """Pages of the sources that are watched, with their sources, as far as these want them."""
        if not self._run.watched:
            return
        for row in _pages_in_turn(self._db, condition, parameters):
            source = self._run.source_of(row["source_url"], row["domain"])
            # What is over a host's budget would not be sent: 50,000 requests take 100 MB, and half a minute to queue.
            if source and self._asked.is_within_budget(row["url"]) and source.wants(row["url"]):
                yield source, row

    @property
    def _spider(self) -> Asker:
        return self._crawler.spider  # type: ignore[return-value]  # wired for this spider only

    def _feed(self, url: str) -> Row | None:
        return entry_points.feed_at(self._db, url)


def _changed(db: Database, run: RunState, spider: Asker, listing: object) -> Iterator[Request]:
    """Pages of which a listing says something else than before, asked conditionally."""
    if not isinstance(listing, Listing) or not listing.source.recheck:
        return
    seen = run.compared[listing.source.url, listing.url] = compare(db, listing)
    for entry in seen.changed:
        if entry.is_asked and entry.is_askable:
            via = via_of(listing.kind)
            request = spider.fetch(listing.source, entry.link, via, RECHECK_PRIORITY, is_recheck=True)
            yield _conditional(request, entry.page)


def _conditional(request: Request, row: Row) -> Request:
    """Ask only for what has changed (RFC 9110, 13.1), where an earlier answer left something to ask with."""
    for header, value in (("If-None-Match", row["etag"]), ("If-Modified-Since", row["last_modified"])):
        if value:
            request.headers[header] = value
    return request


# What the archive knows


def _is_due_page(db: Database, retries: Retries, asked: PageRequest, now: datetime) -> bool:
    sql = "select state, reason, source_id, next_fetch_at, last_fetched_at from pages where url = ?"
    row = first_row(db, sql, [asked.url])
    if row is None or row["state"] == "pending" or retries.include(asked.url, row):
        return True
    again = row["state"] in ("failed", "refused") or asked.is_recheck
    return again and row["next_fetch_at"] is not None and is_due(row, now)


def _pages_in_turn(db: Database, condition: str, parameters: Sequence[object]) -> Iterator[Row]:
    """Pages with their sources: first those never asked, in the order they were found, then those asked longest ago, so that
    a run with a limit does not ask what the last one did."""
    sql = f"select id from pages where {condition} order by last_fetched_at, id"
    found = [page_id for (page_id,) in db.execute(sql, parameters)]
    for start in range(0, len(found), BATCH):
        rows = db.query(
            """select pages.*, sources.url as source_url, domain from json_each(?) as due join pages on pages.id = due.value
               join sources on sources.id = source_id order by due.key""",
            [json.dumps(found[start : start + BATCH])],
        )
        yield from list(rows)  # nothing may be read half way while the run writes
