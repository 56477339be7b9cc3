"""--offline DIR: local copies answer instead of the network, with their true addresses and without a server.

`https://HOST/path?query` is DIR/HOST/path?query, else DIR/HOST/path; a folder means its index.html; else it is a 404.
"""

import mimetypes
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import HtmlResponse, Response

_TYPES = {"": "text/html", ".php": "text/html", ".asp": "text/html", ".xhtml": "application/xhtml+xml"}


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
        return Response(request.url, headers=headers, body=found.read_bytes(), request=request)


def find_copy(folder: Path, url: str) -> Path | None:
    """The file below `folder` that stands for `url`; None when there is none. Never leaves the folder."""
    parts = urlsplit(url)
    host = folder / parts.netloc
    path = unquote(parts.path).lstrip("/")
    for name in ([f"{path}?{parts.query}"] if parts.query else []) + [path]:
        candidate = host / name
        candidate = candidate / "index.html" if candidate.is_dir() else candidate
        if candidate.is_file() and candidate.resolve().is_relative_to(folder):
            return candidate
    return None


def content_type_of(path: Path) -> str:
    """By extension; what has none, or one of a server's scripts, is a page."""
    suffix = Path(path.name.partition("?")[0]).suffix.lower()
    return _TYPES.get(suffix) or mimetypes.guess_type(f"x{suffix}")[0] or "text/html"
