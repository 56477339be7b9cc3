"""Local copies -> Page: saved .html and .txt files, folders, HOST/path trees, .warc and .warc.gz.

A page's address is the archive's or the tree's; a file that stands alone gets `urn:sha256:…` of its bytes until
extraction finds the address it claims. Never a path of the machine.
"""

import hashlib
import logging
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import scrapy
import tldextract
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from crawler.items import Page
from crawler.offline import content_type_of
from crawler.sources import Source
from crawler.urls import UnusableURL, canonical_url, same_site

logger = logging.getLogger(__name__)

PAGE_SUFFIXES = (".html", ".htm", ".xhtml", ".txt")
WARC_SUFFIXES = (".warc", ".warc.gz")

MAX_BYTES = 8 * 2**20
"""Of one page, like DOWNLOAD_MAXSIZE: what is longer is no article."""

_NOT_PAGES = re.compile(r"/(robots|ads|app-ads|sellers|humans|security|llms|llms-full)\.txt$")
_RESERVED = (".example", ".test", ".localhost", ".invalid")
"""Top-level names that RFC 2606 keeps for documentation and tests."""

_suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


class CopiesSpider(scrapy.Spider):
    """Reads the paths it was given, one after the other, never more of an archive than is being extracted."""

    name = "copies"
    # A callback's generator is drawn only as fast as its pages are stored; items from start() would all be drawn at once.
    # So every path is one request, answered from itself by Scrapy's handler of data: addresses.
    custom_settings = {  # noqa: RUF012  # Scrapy reads it from the class
        "DOWNLOAD_HANDLERS": {"data": "scrapy.core.downloader.handlers.datauri.DataURIDownloadHandler"},
        "SPIDER_MIDDLEWARES": {"pipelines.history.HistoryMiddleware": None},
        "CONCURRENT_ITEMS": 8,
        "CONCURRENT_REQUESTS": 1,
        "DOWNLOAD_DELAY": 0,
        "OFFLINE_DIR": "",
    }

    def __init__(self, paths: Iterable[Path], sources: Iterable[Source] = ()) -> None:
        super().__init__()
        self._paths = tuple(paths)
        self._sources = tuple(sources)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "CopiesSpider":
        spider = cls(*args, **kwargs)
        spider._set_crawler(crawler)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        for path in self._paths:
            yield Request("data:,", self.parse_path, cb_kwargs={"path": path}, dont_filter=True)

    def parse_path(self, response: Response, path: Path) -> Iterator[Page]:
        for file in pages_below(path):
            yield from self._pages_of(file, path)

    def _pages_of(self, file: Path, given: Path) -> Iterator[Page]:
        if file.name.lower().endswith(WARC_SUFFIXES):
            pages = read_warc(file)
        else:
            pages = iter([read_file(file, given)])
        for page in pages:
            yield self._with_source(page)

    def _with_source(self, page: Page) -> Page:
        """The same settings that a live crawl of this site would use, so that the same bytes give the same article."""
        source = next((source for source in self._sources if same_site(source.url, page.final_url)), None)
        return replace(page, source=source) if source else page


def pages_below(path: Path) -> Iterator[Path]:
    """The files of a path that may hold pages, in a stable order; links out of a folder are not followed."""
    if path.is_file():
        yield path
        return
    for child in sorted(path.iterdir()):
        if child.is_dir() and not child.is_symlink():
            yield from pages_below(child)
        elif child.is_file() and child.name.lower().endswith((*PAGE_SUFFIXES, *WARC_SUFFIXES)) and not _NOT_PAGES.search(f"/{child.name}"):
            yield child


def read_file(file: Path, given: Path) -> Page:
    """A saved page. Its fetch time is when it was written, as far as the file system knows."""
    body = file.read_bytes()[: MAX_BYTES + 1]
    url = url_in_tree(file, given) or f"urn:sha256:{hashlib.sha256(body).hexdigest()}"
    return Page(
        url=url,
        final_url=url,
        via="file",
        fetched_at=min(datetime.fromtimestamp(int(file.stat().st_mtime), UTC), datetime.now(UTC)),
        content_type=content_type_of(file),
        body=body,
        refusal="too_large" if len(body) > MAX_BYTES else None,
    )


def url_in_tree(file: Path, given: Path) -> str | None:
    """The address a HOST/path tree gives a file: the first folder at or below `given` that is named like a host begins it.

    `index.html` stands for its folder, as `--offline` and most mirroring programs have it.
    """
    parts = file.absolute().parts
    for number in range(len(given.absolute().parts) - 1, len(parts) - 1):
        if is_host(parts[number]):
            rest = list(parts[number + 1 :])
            rest = [*rest[:-1], ""] if re.fullmatch(r"index\.x?html?", rest[-1], re.IGNORECASE) else rest
            path, mark, query = "/".join(rest).partition("?")
            return canonical_url(f"https://{parts[number]}/{quote(path)}{mark}{query}")
    return None


def is_host(name: str) -> bool:
    """Whether a folder's name is a host's: a known public suffix, or one that is kept for examples."""
    host, _, port = name.lower().partition(":")
    if not re.fullmatch(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}", host) or (port and not port.isdigit()):
        return False
    found = _suffixes(host)
    return bool(found.domain and found.suffix) or host.endswith(_RESERVED)


def read_warc(file: Path) -> Iterator[Page]:
    """The pages of an archive, one at a time. A damaged end is said, what came before it is kept."""
    with file.open("rb") as stream:
        records = ArchiveIterator(stream, no_record_parse=False)
        try:
            for record in records:
                if page := _page_of_record(record, file, records.offset):
                    yield page
        except (ArchiveLoadFailed, EOFError, OSError, ValueError) as error:
            logger.warning("%s: damaged after %d bytes: %s", file.name, stream.tell(), error)


def _page_of_record(record: Any, file: Path, offset: int) -> Page | None:
    """The page of a response or resource record; None for requests, redirects, images and what is not the web's."""
    headers = record.http_headers
    status = int(headers.get_statuscode() or 0) if headers else 200
    content_type = (headers.get_header("Content-Type") if headers else record.rec_headers.get_header("Content-Type")) or ""
    if record.rec_type not in ("response", "resource") or 300 <= status < 400 or not _may_be_page(content_type):
        return None
    try:
        url = canonical_url(record.rec_headers.get_header("WARC-Target-URI", "").strip("<>"))
    except UnusableURL:
        return None
    if _NOT_PAGES.search(urlsplit(url).path):
        return None
    body = record.content_stream().read(MAX_BYTES + 1)
    cut_off = record.raw_stream.limit > 0 and len(body) <= MAX_BYTES
    if cut_off:
        logger.warning("%s: the record at byte %d is cut off: %s", file.name, offset, url)
    return Page(
        url=url,
        final_url=url,
        via="warc",
        fetched_at=_capture_time(record.rec_headers.get_header("WARC-Date")),
        status=status,
        content_type=content_type or None,
        body=body if status == 200 else b"",
        failure=f"http_{status}" if status != 200 else "cut_off" if cut_off else None,
        refusal="too_large" if len(body) > MAX_BYTES and status == 200 else None,
        warc=file.name,
        warc_offset=offset,
    )


def _may_be_page(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in ("", "text/html", "application/xhtml+xml", "text/plain")


def _capture_time(text: str | None) -> datetime:
    """WARC-Date: RFC 3339 in UTC. A record without a readable one was captured now, as far as anybody knows."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return datetime.now(UTC)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
