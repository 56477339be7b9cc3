"""Saved pages -> Page: single files, folders, and HOST/path trees as wget makes them."""

import hashlib
import logging
import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import tldextract

from crawler.fetcher.offline import content_type_of
from crawler.items import MAX_PAGE_BYTES, Page
from crawler.urls import UnusableURL, canonical_url, original_url

logger = logging.getLogger(__name__)


PAGE_SUFFIXES = (".html", ".htm", ".xhtml", ".txt")
"""File name extensions of saved pages."""


WARC_SUFFIXES = (".warc", ".warc.gz")
"""File name extensions of web archives."""


NOT_PAGES = re.compile(r"/(robots|ads|app-ads|sellers|humans|security|llms|llms-full)\.txt$")
"""Well-known text files of a site that no person reads."""


MAX_SAVED_BYTES = 8 * MAX_PAGE_BYTES
"""Of a saved file, with the pictures that are kept in it. A saved page of forty photographs has 30 MB."""


EMBEDDED = re.compile(rb"data:[\w/+.-]{1,80};(?:[\w=.-]{1,80};)?base64,[A-Za-z0-9+/=_-]++")
"""A picture or font inside the page, of which nothing is read: it does not count as the page's size."""


HEAD_BYTES = 8_192
"""Where programs that save pages note from where: before or just behind `<html>`."""


NOTED = re.compile(
    rb"<!--\s{0,20}(?:saved from url=\(\d{1,6}\)\s{0,9}(?=https?:)|page saved with singlefile\s{1,20}url:\s{1,20}|saved from (?=https?:)"
    rb"|mirrored from (?P<mirrored>[^\s<>]{4,2048}) by httrack)(?P<url>[^\s<>]{4,2048})?"
    rb"|(?:<meta\s{1,9}name=[\"']?savepage-url[\"']?\s{1,9}content=|<html\s[^<>]{0,500}?data-scrapbook-source=)[\"']?(?=https?:)(?P<saved>[^\s\"'<>]{4,2048})",
    re.IGNORECASE,
)
"""What browsers, SingleFile, monolith, HTTrack, WebScrapBook and Save Page WE write of the address. wget writes nothing, but trees of hosts."""


_RESERVED = (".example", ".test", ".localhost", ".invalid")
"""Top-level names that RFC 2606 keeps for documentation and tests."""


_suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def pages_below(path: Path) -> Iterator[Path]:
    """The files of a path that may hold pages, in a stable order; links out of a folder are not followed."""
    if path.is_file():
        yield path
        return
    for child in _children(path):
        if child.is_dir() and not child.is_symlink():
            yield from pages_below(child)
        elif child.is_file() and may_hold_pages(child):
            yield child


def _children(folder: Path) -> list[Path]:
    """What lies in a folder, without hidden files (`.git`, `._page.html` of macOS) and what browsers save beside a page."""
    try:
        (folder / "..").stat()  # refused where its names may be had and nothing else of it
        names = sorted(child.name for child in folder.iterdir())
    except OSError as error:
        logger.warning("%s: cannot be read: %s", folder, error.strerror)
        return []
    assets = {f"{name.rpartition('.')[0]}_files" for name in names}
    return [folder / name for name in names if not name.startswith(".") and name not in assets]


def may_hold_pages(file: Path) -> bool:
    """Whether a file's name is that of a saved page or an archive."""
    return page_name(file).endswith((*PAGE_SUFFIXES, *WARC_SUFFIXES)) and not NOT_PAGES.search(f"/{file.name}")


def page_name(file: Path) -> str:
    """A file's name without the query that trees keep in it: `story.html?id=7`."""
    return file.name.lower().partition("?")[0]


def read_file(file: Path, given: Path) -> Page:
    """Read one saved page. Raises OSError. Its fetch time is when it was written, as far as the file system knows."""
    with file.open("rb") as stream:
        whole = stream.read(MAX_SAVED_BYTES + 1)
    body = (EMBEDDED.sub(b"data:,", whole) if b";base64," in whole else whole)[: MAX_PAGE_BYTES + 1]
    url = url_in_tree(file, given) or url_in_comment(body) or f"urn:sha256:{hashlib.sha256(whole).hexdigest()}"
    return Page(
        url=url,
        final_url=url,
        via="file",
        fetched_at=datetime.fromtimestamp(int(min(file.stat().st_mtime, time.time())), UTC),
        content_type=content_type_of(file),
        body=body,
        refusal="too_large" if len(body) > MAX_PAGE_BYTES else None,
    )


def url_in_tree(file: Path, given: Path) -> str | None:
    """The address a HOST/path tree gives a file: the first folder at or below `given` that is named like a host begins it.

    What lies above `given` is the machine's. `index.html` stands for its folder, as `--offline` and most mirroring
    programs have it.
    """
    parts = file.absolute().parts
    first = len(given.absolute().parts) - 1
    host = next((number for number in range(first, len(parts) - 1) if is_host(parts[number])), None)
    if host is None:
        return None
    path, mark, query = "/".join(parts[host + 1 :]).partition("?")
    if not mark:
        path = re.sub(r"(^|/)index\.x?html?$", r"\1", path, flags=re.IGNORECASE)
    # fsencode: a name that is no UTF-8 keeps its bytes.
    address = f"https://{parts[host]}/{quote(os.fsencode(path))}{mark}{quote(os.fsencode(query), safe=_QUERY)}"
    try:
        return canonical_url(original_url(address))
    except UnusableURL:
        return None


def url_in_comment(body: bytes) -> str | None:
    """The address that the program which saved a page has noted in its head."""
    found = NOTED.search(body[:HEAD_BYTES])
    if not found:
        return None
    mirrored = found["mirrored"] and b"http://" + found["mirrored"]
    address = found["url"] or found["saved"] or mirrored or b""
    try:
        return canonical_url(original_url(address.decode("utf-8", "replace")))
    except UnusableURL:
        return None


_QUERY = "!$%&'()*+,-./:;=?@_~"
"""What a query may hold as it is; the `%` of an escape among it."""


def is_host(name: str) -> bool:
    """Whether a folder's name is a host's: a known public suffix, or one that is kept for examples."""
    host, _, port = name.lower().partition(":")
    if not re.fullmatch(r"((?!_)\w[\w-]*+(?<![_-])\.)++(?!_)\w[\w-]++(?<![_-])", host) or (
        port and not port.isdecimal()
    ):
        return False
    found = _suffixes(host)
    return bool(found.domain and found.suffix) or host.endswith(_RESERVED)
