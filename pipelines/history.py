"""What earlier runs know, applied to the news spider's requests on their way out: skip, revalidate, resume.

A page that is known is not asked again, a feed only when it is due and with its validators; pages still pending from
an earlier run are asked first. Reads the archive, never writes it.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scrapy import Request

from crawler.items import Link
from pipelines.store import Archive, hints_from_json, stamp

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.sources import Source
    from crawler.spiders.news import NewsSpider

Row = Mapping[str, Any]

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
            return True
        if url in self._asked or (self._limit and len(self._asked) >= self._limit) or not self._is_due_page(url):
            return False
        self._asked.add(url)
        return True

    def _is_due_page(self, url: str) -> bool:
        row = self._row("select state, next_fetch_at from pages where url = ?", url)
        if row is None or row["state"] == "pending" or row["state"] in self._retry:
            return True
        return row["state"] == "failed" and row["next_fetch_at"] is not None and row["next_fetch_at"] <= _now()

    # Entry points

    def _entry_points(self, request: Request) -> Iterator[Request]:
        """What a start request becomes: itself, nothing when it is not due, or the entry points found by an earlier run."""
        if source := request.meta.get("discover"):
            known = self._known_entry_points(source)
            yield from [request] if known is None else known
        elif "listing" not in request.meta:
            if self._is_wanted(request):
                yield request
        elif self._is_due_listing(self._feed(request.meta["listing"])):
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
        if not any(row["last_status"] in ("ok", "unchanged") for row in found):
            return None
        return [self._with_validators(self._poll(source, row)) for row in found if self._is_due_listing(row)]

    def _poll(self, source: "Source", feed: Row) -> Request:
        return self._spider.poll(
            source, feed["url"], "feed" if feed["kind"] in ("rss", "atom", "json") else feed["kind"]
        )

    def _is_due_listing(self, feed: Row | None) -> bool:
        return self._poll_all or feed is None or feed["next_fetch_at"] is None or feed["next_fetch_at"] <= _now()

    def _with_validators(self, request: Request) -> Request:
        """Ask conditionally (RFC 9110, 13.1) where an earlier answer left something to ask with."""
        feed = self._feed(request.meta["listing"]) if "listing" in request.meta else None
        if feed and feed["last_status"] in ("ok", "unchanged"):
            if feed["etag"]:
                request.headers["If-None-Match"] = feed["etag"]
            if feed["last_modified"]:
                request.headers["If-Modified-Since"] = feed["last_modified"]
        return request

    # Pages that earlier runs left

    def _unfinished(self) -> Iterator[Request]:
        """Pending pages, failed ones that are due, and those that --retry names, in the order they were found."""
        sources = {source.url: source for source in self._spider.sources}
        marks = ", ".join("?" * len(self._retry)) or "null"
        last = 0
        while rows := list(
            self._db.query(
                f"""select pages.*, sources.url as source_url from pages join sources on sources.id = source_id
                    where pages.id > ? and (state = 'pending' or (state = 'failed' and next_fetch_at <= ?) or state in ({marks}))
                    order by pages.id limit {BATCH}""",
                [last, _now(), *self._retry],
            )
        ):
            last = rows[-1]["id"]
            for row in rows:
                if source := sources.get(row["source_url"]):
                    yield self._spider.fetch(
                        source, Link(url=row["url"], hints=hints_from_json(row["hints"])), row["via"]
                    )

    @property
    def _spider(self) -> "NewsSpider":
        return self._crawler.spider  # type: ignore[return-value]  # wired for this spider only

    def _feed(self, url: str) -> Row | None:
        return self._row("select * from feeds where url = ?", url)

    def _row(self, sql: str, *parameters: object) -> Row | None:
        return next(iter(self._db.query(sql, parameters)), None)


def _now() -> str:
    return stamp(datetime.now(UTC))
