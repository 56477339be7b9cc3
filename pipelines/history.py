"""What earlier runs know, applied to the news spider's requests on their way out: skip, revalidate, resume.

A page that is known is not asked again, a feed only when it is due and with its validators; pages still pending from
an earlier run are asked first. Reads the archive, never writes it.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scrapy import Request

from crawler.items import Link, via_of
from crawler.urls import site_of
from pipelines.forget import FORGOTTEN
from pipelines.store import Archive, hints_from_json, stamp

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.sources import Source
    from crawler.spiders.news import NewsSpider

Row = Mapping[str, Any]

READ = ("ok", "unchanged")
"""feeds.last_status of an entry point that could be read."""

BATCH = 500
"""Pending pages read at a time, so that a million of them need no memory."""


class HistoryMiddleware:
    """A spider middleware: every request the spider makes passes here."""

    def __init__(
        self, archive: Archive, crawler: "Crawler", *, poll_all: bool, retry: tuple[str, ...], limit: int
    ) -> None:
        self._db = archive.db
        self._crawler = crawler
        self._poll_all = poll_all
        self._retry = retry
        self._limit = limit
        self._asked: set[str] = set()
        self._looked: set[tuple[str, str]] = set()

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "HistoryMiddleware":
        settings = crawler.settings
        return cls(
            settings["ARCHIVE"],
            crawler,
            poll_all=settings.getbool("POLL_ALL"),
            retry=tuple(settings.getlist("RETRY_STATES")),
            limit=settings.getint("PAGE_LIMIT"),
        )

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for request in start:
            for wanted in self._entry_points(request):
                yield wanted
        for request in self._unfinished():
            if self._is_wanted(request):
                yield request

    async def process_spider_output(self, response: "Response", result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for output in result:
            if not isinstance(output, Request) or self._is_wanted(output):
                yield self._with_validators(output) if isinstance(output, Request) else output

    def _is_wanted(self, request: Request) -> bool:
        """Whether a page is to be asked now; all other requests are."""
        url = request.meta.get("page")
        if url is None:
            return self._is_first_look(request)
        if url in self._asked or (self._limit and len(self._asked) >= self._limit) or not self._is_due_page(url):
            return False
        self._asked.add(url)
        return True

    def _is_first_look(self, request: Request) -> bool:
        """Whether this run has not asked a listing for this source yet; a discovery waits for all its answers."""
        if "listing" not in request.meta or request.cb_kwargs["trail"]:
            return True
        look = (request.cb_kwargs["source"].url, request.meta["listing"])
        first = look not in self._looked
        self._looked.add(look)
        return first

    def _is_due_page(self, url: str) -> bool:
        row = self._row("select state, reason, next_fetch_at, last_fetched_at from pages where url = ?", url)
        if row is None or row["state"] == "pending" or (row["state"] in self._retry and row["reason"] != FORGOTTEN):
            return True
        return row["state"] == "failed" and row["next_fetch_at"] is not None and is_due(row)

    # Entry points

    def _entry_points(self, request: Request) -> Iterator[Request]:
        """What a start request becomes: itself, nothing when it is not due, or the entry points found by an earlier run."""
        if source := request.meta.get("discover"):
            known = self._known_entry_points(source)
            yield from [request] if known is None else filter(self._is_first_look, known)
        elif "listing" not in request.meta:
            if self._is_wanted(request):
                yield request
        elif self._is_due_listing(self._feed(request.meta["listing"])) and self._is_first_look(request):
            yield self._with_validators(request)

    def _known_entry_points(self, source: "Source") -> list[Request] | None:
        """Polls that are due of what an earlier discovery found; None when that is nothing, or all of it failed last time."""
        named = {*source.feeds, *source.sitemaps}
        rows = self._db.query(
            """select feeds.* from feeds join sources on sources.id = source_id
               where sources.url = ? and last_status <> 'reserve' order by feeds.id""",
            [source.url],
        )
        found = [row for row in rows if row["url"] not in named]
        # A front page that could not even be looked at was no entry point then, and is none now.
        found = [row for row in found if row["kind"] != "homepage" or row["last_status"] in READ]
        if not any(row["last_status"] in READ for row in found):
            return None
        return [self._with_validators(self._poll(source, row)) for row in found if self._is_due_listing(row)]

    def _poll(self, source: "Source", feed: Row) -> Request:
        return self._spider.poll(source, feed["url"], via_of(feed["kind"]))

    def _is_due_listing(self, feed: Row | None) -> bool:
        return self._poll_all or feed is None or feed["next_fetch_at"] is None or is_due(feed)

    def _with_validators(self, request: Request) -> Request:
        """Ask conditionally (RFC 9110, 13.1) where an earlier answer to this very source left something to ask with.

        What another source's rules let through of the same feed says nothing; --now looks at everything again.
        """
        feed = self._feed(request.meta["listing"]) if "listing" in request.meta and not self._poll_all else None
        if feed and feed["last_status"] in READ and feed["source_url"] == request.cb_kwargs["source"].url:
            if feed["etag"]:
                request.headers["If-None-Match"] = feed["etag"]
            if feed["last_modified"]:
                request.headers["If-Modified-Since"] = feed["last_modified"]
        return request

    # Pages that earlier runs left

    def _unfinished(self) -> Iterator[Request]:
        """Pending pages, failed ones that are due, and those that --retry names, in the order they were found."""
        sources = {source.url: source for source in self._spider.sources}
        sites = {site_of(source.url): source for source in self._spider.sources}
        marks = ", ".join("?" * len(self._retry)) or "null"
        last = 0
        while rows := list(
            self._db.query(
                f"""select pages.*, sources.url as source_url, domain from pages join sources on sources.id = source_id
                    where pages.id > ? and (state = 'pending' or (state in ({marks}) and pages.reason <> '{FORGOTTEN}')
                          or (state = 'failed' and (next_fetch_at <= ? or last_fetched_at > ?)))
                    order by pages.id limit {BATCH}""",
                [last, *self._retry, _now(), _now()],
            )
        ):
            last = rows[-1]["id"]
            for row in rows:
                # The source may be called by another address since; what it found is still its.
                source = sources.get(row["source_url"]) or sites.get(row["domain"])
                if source and source.wants(row["url"]):
                    yield self._spider.fetch(
                        source, Link(url=row["url"], hints=hints_from_json(row["hints"])), row["via"]
                    )

    @property
    def _spider(self) -> "NewsSpider":
        return self._crawler.spider  # type: ignore[return-value]  # wired for this spider only

    def _feed(self, url: str) -> Row | None:
        return self._row(
            "select feeds.*, sources.url as source_url from feeds join sources on sources.id = source_id where feeds.url = ?",
            url,
        )

    def _row(self, sql: str, *parameters: object) -> Row | None:
        return next(iter(self._db.query(sql, parameters)), None)


def is_due(row: Row) -> bool:
    """Whether a row's time has come; also when it was written by a clock that was ahead of the present one."""
    now = _now()
    return bool(row["next_fetch_at"] <= now or (row["last_fetched_at"] or "") > now)


def _now() -> str:
    return stamp(datetime.now(UTC))
