"""Local copies -> Page: saved files, folders, HOST/path trees, .zip and .tar of them, .warc and .warc.gz.

A page's address is the archive's or the tree's; a file that stands alone gets `urn:sha256:…` of its bytes until
extraction finds the address it claims. Never a path of the machine.
"""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import scrapy
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.items import Page, Source
from crawler.parsers.originals import Originals, is_own
from crawler.parsers.packed_files import read_packed
from crawler.parsers.saved_files import PACKED_SUFFIXES, WARC_SUFFIXES, page_name, pages_below, read_file
from crawler.parsers.warc import read_warc
from crawler.urls import same_site

logger = logging.getLogger(__name__)


logging.getLogger("warcio").setLevel(logging.ERROR)  # it repeats what stands in a damaged head, control characters too


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

    def __init__(self, paths: Iterable[Path], sources: Iterable[Source] = ()) -> None:
        super().__init__()
        self._paths = tuple(paths)
        self._sources = tuple(sources)
        self._originals = Originals(self._sources)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "CopiesSpider":
        spider = cls(*args, **kwargs)
        spider._set_crawler(crawler)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        yield Request("data:,", self.parse_paths, dont_filter=True)

    def parse_paths(self, response: Response) -> Iterator[Page]:
        for path in self._paths:
            yield from self.parse_path(response, path)

    def parse_path(self, response: Response, path: Path) -> Iterator[Page]:
        left_out: Counter[str] = Counter()
        for file in pages_below(path, left_out):
            yield from self._pages_of(file, path, left_out)
        if left_out:
            kinds = ", ".join(f"{number:,} {ending}" for ending, number in left_out.most_common())
            logger.warning("%s: left out, for they are no pages: %s", path, kinds)

    def _pages_of(self, file: Path, given: Path, left_out: Counter[str]) -> Iterator[Page]:
        try:
            for page in self._read(file, given, left_out):
                yield self._with_source(page)
        except OSError as error:
            logger.warning("%s: cannot be read: %s", file, error.strerror or error)

    def _with_source(self, page: Page) -> Page:
        """The same settings that a live crawl of this site would use, so that the same bytes give the same article."""
        if page.source:
            return page
        source = next((source for source in self._sources if same_site(source.url, page.final_url)), None)
        return replace(page, source=source) if source else page

    def _read(self, file: Path, given: Path, left_out: Counter[str]) -> Iterator[Page]:
        name = page_name(file.name)
        if name.endswith(WARC_SUFFIXES):
            yield from self._originals.read(file) if is_own(file) else read_warc(file)
        elif name.endswith(PACKED_SUFFIXES):
            yield from read_packed(file, left_out)
        else:
            yield read_file(file, given)
