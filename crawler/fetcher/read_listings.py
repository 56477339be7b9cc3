"""A downloader middleware that parses listings in the workers, before the spider gets the answer."""

from typing import TYPE_CHECKING, Any

from crawler.fetcher.requests import FrontPageRequest, ListingRequest, asked_for
from crawler.fetcher.responses import body_of
from crawler.items import WHOLE
from crawler.parsers import links, listings
from crawler.urls import site_of
from crawler.workers import WorkerLost, Workers, workers_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response


class ReadMiddleware:
    """A downloader middleware, the last to see an answer: of a listing it reads the links, before the spider gets it."""

    def __init__(self, workers: "Workers") -> None:
        self._workers = workers

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "ReadMiddleware":
        return cls(workers_of(crawler))

    async def process_response(self, request: "Request", response: "Response") -> "Response":
        """Leave the Reading, or why there is none, in what was asked for."""
        asked = asked_for(request)
        if isinstance(asked, ListingRequest | FrontPageRequest) and response.status in WHOLE:
            asked.reading = await self._read(response, asked.kind, asked.since, scope_of(asked, response.url))
        return response

    async def _read(self, response: "Response", *expected: Any) -> links.Reading | links.NotAListing:
        try:
            return await self._workers.run(
                listings.reading_of, body_of(response), response.url, *expected, needs=("feedparser",)
            )
        except WorkerLost as lost:
            return links.NotAListing(f"reading_{lost}")


def scope_of(asked: ListingRequest | FrontPageRequest, answered: str) -> links.Scope:
    """Whose addresses a listing that answered there may name: its source's; of one that sources.toml names, its own."""
    site = asked.site if isinstance(asked, ListingRequest) else None
    named = (asked.url, answered) if asked.url in (*asked.source.sitemaps, asked.source.url) else ()
    sites = {one for one in (site, *map(site_of, (asked.source.url, *named))) if one}
    return links.Scope(sites=tuple(sites), source=asked.source, seen=asked.seen, dates_tell=asked.dates_tell)
