"""The spider of `broadsheet import`: local copies -> Page, as crawler.parsers.copies reads them."""

from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import scrapy
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.items import Page
from crawler.parsers.copies import Copies


class CopiesSpider(scrapy.Spider):
    """Reads local copies below the paths it was given, one after the other, never more of an archive than is being
    extracted."""

    name = "copies"
    # A callback's generator is drawn only as fast as its pages are stored; items from start() would all be drawn at once.
    # So all paths are one request, answered from itself by Scrapy's handler of data: addresses.
    custom_settings = {  # noqa: RUF012  # Scrapy reads it from the class
        "DOWNLOAD_HANDLERS": {"data": "scrapy.core.downloader.handlers.datauri.DataURIDownloadHandler"},
        "SPIDER_MIDDLEWARES": {"pipelines.archive.history.HistoryMiddleware": None},
        "CONCURRENT_ITEMS": 8,
        "CONCURRENT_REQUESTS": 1,
        "DOWNLOAD_DELAY": 0,
        "OFFLINE_DIR": "",
    }

    def __init__(self, paths: Iterable[Path], *arguments: Any, **told: Any) -> None:
        """What is told beside the paths is told to Copies."""
        super().__init__()
        self._paths = tuple(paths)
        self._copies = Copies(*arguments, **told)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "CopiesSpider":
        spider = cls(*args, **kwargs)
        spider._set_crawler(crawler)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        yield Request("data:,", self.parse_paths, dont_filter=True)

    def parse_paths(self, response: Response) -> Iterator[Page]:
        for path in self._paths:
            yield from self._copies.below(path)
