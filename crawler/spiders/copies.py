"""Local copies -> Page: saved files, folders, HOST/path trees, .zip and .tar of them, .warc and .warc.gz.

A page's address is the archive's or the tree's; a file that stands alone gets `urn:sha256:…` of its bytes until
extraction finds the address it claims. Never a path of the machine.
"""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import scrapy
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.hints import completed
from crawler.items import WARC_SUFFIXES, Page, Source
from crawler.parsers.originals import Originals, is_own
from crawler.parsers.packed_files import read_packed
from crawler.parsers.saved_files import PACKED_SUFFIXES, name_of, page_name, pages_below, read_file
from crawler.parsers.warc import read_warc
from crawler.sources.metadata import Metadata
from crawler.sources.outlets import Outlets

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

    def __init__(
        self,
        paths: Iterable[Path],
        sources: Iterable[Source] = (),
        outlet_of: Callable[[Page, Path], str | None] = lambda page, given: None,
        metadata: Metadata | None = None,
    ) -> None:
        """`outlet_of` names the outlet of a page that was read below a path, `metadata` is what a list says of the pages."""
        super().__init__()
        self._paths, sources = tuple(paths), tuple(sources)
        self._outlets = Outlets(sources)
        self._outlet_of = outlet_of
        self._metadata = metadata or Metadata((), Path())
        self._originals = Originals(sources)

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
                yield self._completed(page, given)
        except OSError as error:
            logger.warning("%s: cannot be read: %s", file, error.strerror or error)

    def _completed(self, page: Page, given: Path) -> Page:
        """With what the list says of it, and the same settings that a live crawl of its site would use, so that the same bytes
        give the same article."""
        listed = self._metadata.of(page, given)
        if listed and listed.url and page.url.startswith("urn:"):
            page = replace(page, url=listed.url, final_url=listed.url)
        outlet = (listed and listed.outlet) or self._outlet_of(page, given)
        source = page.source or self._outlets.source_of(page.final_url, outlet)
        return replace(page, source=source, hints=completed(listed.hints, page.hints) if listed else page.hints)

    def _read(self, file: Path, given: Path, left_out: Counter[str]) -> Iterator[Page]:
        name = page_name(file.name)
        if name.endswith(WARC_SUFFIXES):
            pages = self._originals.read(file) if is_own(file) else read_warc(file)
            yield from (replace(page, file=name_of(file)) for page in pages)
        elif name.endswith(PACKED_SUFFIXES):
            yield from read_packed(file, left_out)
        else:
            yield read_file(file, given)
