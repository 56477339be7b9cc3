"""Listed articles: `crawl --urls` fetches single pages, by the news spider's manners, and polls nothing.

None of their sites becomes one that is watched. What is known is not asked again; that is pipelines.archive.history's.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.items import Link, Page, Source
from crawler.sources.outlets import Outlets
from crawler.spiders.news import NewsSpider
from crawler.urls import OUTLET, default_name, origin_of


class ListedSpider(NewsSpider):
    """Fetches the pages that a person lists."""

    name = "listed"

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "ListedSpider":
        spider = super().from_crawler(crawler, *args, **kwargs)
        assert isinstance(spider, cls)
        spider.listed = tuple(kwargs["listed"])
        spider.outlets = Outlets(kwargs["read"].sources)
        named = [(page.url, page.source) for page in spider.listed if page.source]
        spider.outlet_names = {url: source.name for url, source in named if source.url.startswith(OUTLET)}
        return spider

    listed: tuple[Page, ...]  #: none of them asked yet
    outlets: Outlets
    outlet_names: dict[str, str]  #: by the addresses of pages whose site sources.toml does not have

    async def start(self) -> AsyncIterator[Request]:
        for page in self.listed:
            yield self.fetch(page.source or _stranger(page.url), Link(url=page.url, hints=page.hints), page.via)

    def parse_page(self, response: Response) -> Iterator[Page]:
        yield from map(self._of_its_site, super().parse_page(response))

    def page_failed(self, failure: Failure) -> Iterator[Page]:
        yield from map(self._of_its_site, super().page_failed(failure))

    def _of_its_site(self, page: Page) -> Page:
        """With the settings of the site that answered, where sources.toml has it; the archive may know others."""
        return replace(page, source=self.outlets.source_of(page.final_url, self.outlet_names.get(page.url)))


def _stranger(url: str) -> Source:
    """Whom a page is asked of whose site nobody has described."""
    front_page = f"{origin_of(url)}/"
    return Source(url=front_page, name=default_name(front_page), discover=(), enabled=False, recheck=False)
