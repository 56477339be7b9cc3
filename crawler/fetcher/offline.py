"""Offline mode (--offline DIR): local copies answer instead of the network, with their true addresses and without a server.

`https://HOST/path?query` is DIR/HOST/path?query, else DIR/HOST/path; a folder means its index.html; else it is a 404.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import idna
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Headers, HtmlResponse, Response
from scrapy.responsetypes import responsetypes

from crawler.parsers.content_types import content_type_of


class OfflineMiddleware:
    """Answers every request from a folder; nothing gets past it to the network."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "OfflineMiddleware":
        folder = crawler.settings.get("OFFLINE_DIR")
        if not folder:
            raise NotConfigured
        return cls(Path(folder))

    def process_request(self, request: Request) -> Response:
        found = find_copy(self._folder, request.url)
        if found is None:
            return HtmlResponse(request.url, status=404, request=request)
        headers = {"Content-Type": content_type_of(found)}
        kind = responsetypes.from_args(headers=Headers(headers), url=request.url)
        return kind(request.url, headers=headers, body=found.read_bytes(), request=request)


def find_copy(folder: Path, url: str) -> Path | None:
    """The file below `folder` that stands for `url`; None when there is none. Never leaves the folder."""
    parts = urlsplit(url)
    path = unquote(parts.path, errors="surrogateescape").lstrip("/")
    names = [f"{path}?{parts.query}", path] if parts.query else [path]
    hosts = [parts.netloc, _as_people_write_it(parts.netloc)]
    return next((found for host in hosts for name in names if (found := _file_at(folder, f"{host}/{name}"))), None)


def _as_people_write_it(host: str) -> str:
    """`xn--mller-kva.example` as `müller.example`."""
    try:
        return idna.decode(host)
    except UnicodeError:  # idna.IDNAError is one
        return host


def _file_at(folder: Path, name: str) -> Path | None:
    if ".." in name.split("/") or "\0" in name:
        return None
    candidate = folder / name
    try:
        candidate = candidate / "index.html" if candidate.is_dir() else candidate
        found = candidate.is_file() and candidate.resolve().is_relative_to(folder.resolve())
        return candidate if found else None
    except OSError:  # a name too long, a folder that may not be entered
        return None
