"""Preview crawl of a site that somebody would like to watch: the news spider, but only a sample of each source's pages.

What it finds goes into an archive as in any crawl; a name for the site, which no table has, is noted in passing.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.fetcher.requests import FrontPageRequest, ListingRequest, PageRequest, asked_as, asked_for
from crawler.fetcher.responses import body_of, header
from crawler.items import WHOLE, Page, Source
from crawler.parsers import feeds, front_pages
from crawler.parsers.links import Reading
from crawler.spiders.discovery import Discovery
from crawler.spiders.news import NewsSpider, Output, RobotsSitemaps
from crawler.urls import canonical_url, is_front_page

SAMPLE_ARTICLES = 5
"""Pages of a source that are fetched: enough to see whether titles, dates and texts are right, and few enough to read and
to ask a stranger for."""


class SampleSpider(NewsSpider):
    """Fetches a sample of each source, for `broadsheet sources add` and `sources check --look`; of what is imported only the
    front pages, for names and languages."""

    name = "sample"
    carries_texts = True
    # Nothing was known before this run. History would also take pages that this one left out for ones to be finished.
    custom_settings = {"HTTPERROR_ALLOW_ALL": True, "SPIDER_MIDDLEWARES": {}}  # noqa: RUF012  # Scrapy's own attribute

    def __init__(self, sources: Iterable[Source], since: datetime, robots: RobotsSitemaps) -> None:
        super().__init__(sources, since, robots)
        #: per source's url: name, site, language and title, as the site and its feed say them; {} of one that says nothing
        self.noted: dict[str, dict[str, str]] = {}
        self.front_pages_only = False  #: whether only front pages are asked, for what they say
        self._sampled: dict[str, dict[str, PageRequest]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "SampleSpider":
        spider = super().from_crawler(crawler, *args, **kwargs)
        assert isinstance(spider, cls)
        spider.noted = kwargs["noted"]  # the caller's own, who reads it after the run
        spider.front_pages_only = kwargs.get("front_pages_only", False)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        if self.front_pages_only:
            for source in self.sources:
                yield self.start_discovery(source)
            return
        async for request in super().start():
            if self._is_wanted(request):
                yield request

    def parse_front_page(self, response: Response) -> Iterator[Output]:
        asked = asked_as(FrontPageRequest, response.request)
        is_front = isinstance(asked.reading, Reading) and asked.reading.kind == "homepage"
        if isinstance(asked.reading, Reading):
            self._note(asked.source, **(front_pages.site_says(body_of(response), response.url) if is_front else {}))
        if self.front_pages_only:
            return
        if is_front:
            yield from self._as_a_page(response, asked.source)
        yield from super().parse_front_page(response)

    def _as_a_page(self, response: Response, source: Source) -> Iterator[Page]:
        """Also try to read what a person gave as an article. It goes as a saved copy: it says nothing of how the source is."""
        if response.status in WHOLE and not is_front_page(source.url) and not is_front_page(response.url):
            facts: dict[str, Any] = {
                "body": response.body,
                "content_type": header(response, "Content-Type"),
                "status": response.status,
            }
            now = datetime.now(UTC)
            final = canonical_url(response.url)
            yield Page(url=source.url, final_url=final, via="file", source=source, fetched_at=now, **facts)

    def follow_listing(self, response: Response, asked: ListingRequest) -> Iterator[Output]:
        if asked.kind == "feed" and response.status == 200:
            self._note(asked.source, **feeds.feed_says(body_of(response), response.url))
        outputs = super().follow_listing(response, asked)
        yield from (output for output in outputs if not isinstance(output, Request) or self._is_wanted(output))

    def take_stale(self, discovery: Discovery) -> Iterator[Output]:
        outputs = super().take_stale(discovery)
        yield from (output for output in outputs if not isinstance(output, Request) or self._is_wanted(output))

    def _is_wanted(self, request: Request) -> bool:
        """Whether a page is new to its source's sample and has a place in it; all other requests are wanted."""
        asked = asked_for(request)
        if not isinstance(asked, PageRequest):
            return True
        sample = self._sampled.setdefault(asked.source.url, {})
        if request.url in sample or len(sample) == SAMPLE_ARTICLES:
            # A listing that yields nothing leads to the next inside the same call: its pages pass here twice.
            return sample.get(request.url) is asked
        sample[request.url] = asked
        return True

    def _note(self, source: Source, **said: str | None) -> None:
        """The first to say something is believed: a site's own page before its feed."""
        noted = self.noted.setdefault(source.url, {})
        for key, value in said.items():
            if value:
                noted.setdefault(key, value)
