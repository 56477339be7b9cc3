"""Saved pages -> Page: single files, folders, and HOST/path trees as wget makes them, whatever their pages are called."""

import hashlib
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import quote

from publicsuffixlist import PublicSuffixList

from crawler.digests import payload_digest
from crawler.items import MAX_PAGE_BYTES, WARC_SUFFIXES, Capture, Page
from crawler.parsers.content_types import content_type_of, is_of_another_kind
from crawler.parsers.single_files import SINGLE_FILE_SUFFIXES, Document, main_document
from crawler.urls import canonical_or_none, original_url

logger = logging.getLogger(__name__)


PAGE_SUFFIXES = (".html", ".htm", ".xhtml", ".txt")
"""File name extensions of saved pages."""


PACKED_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""File name extensions of archives that may hold saved pages."""


KNOWN_SUFFIXES = (*PAGE_SUFFIXES, *SINGLE_FILE_SUFFIXES, *WARC_SUFFIXES, *PACKED_SUFFIXES)
"""File name extensions of what may hold pages, whatever is in it. Others are taken for pages by how they begin."""


LOOKS_LIKE_A_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body|title|article)[\s>]", re.IGNORECASE)


START_BYTES = 2_048
"""Of a file, in which it shows whether it is a page."""


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


@cache
def _suffixes() -> PublicSuffixList:
    """Of registries alone: `github.io` is a host."""
    return PublicSuffixList(accept_unknown=False, only_icann=True)


def pages_below(path: Path, left_out: Counter[str] | None = None) -> Iterator[Path]:
    """The files of a path that may hold pages, in a stable order; links out of a folder are not followed. Others are counted
    in `left_out`, by their endings."""
    if path.is_file():
        yield path
        return
    for child in _children(path):
        if child.is_dir() and not child.is_symlink():
            yield from pages_below(child, left_out)
        elif child.is_file() and may_hold_pages(child, left_out):
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


def may_hold_pages(file: Path, left_out: Counter[str] | None = None) -> bool:
    """Whether a file is a saved page or an archive, by its name, else by how it begins; one that cannot be read may be."""
    try:
        with file.open("rb") as stream:
            start = stream.read(START_BYTES)
    except OSError:
        return page_name(file.name).endswith(KNOWN_SUFFIXES)
    return is_page(file.name, start, left_out)


def is_page(name: str, start: bytes, left_out: Counter[str] | None = None) -> bool:
    """Whether a file of this name that begins so is a saved page or an archive; else it is counted by its ending.

    Trees keep addresses as they are: `story`, `index.php?id=7`, `news.aspx`, `v1.2`.
    """
    plain = page_name(name)
    known = plain.endswith(KNOWN_SUFFIXES)
    if NOT_PAGES.search(f"/{name}"):
        known = looks = False
    else:
        looks = not is_of_another_kind(Path(plain)) and LOOKS_LIKE_A_PAGE.search(start.replace(b"\0", b"")) is not None
    if not known and not looks and left_out is not None:
        ending = Path(plain).suffix
        left_out[ending if re.fullmatch(r"\.[a-z0-9]{1,8}", ending) else "without an ending"] += 1
    return known or looks


def page_name(name: str) -> str:
    """A file's name without the query that trees keep in it: `story.html?id=7`."""
    return name.lower().partition("?")[0]


def read_file(file: Path, given: Path) -> Page:
    """Read one saved page. Raises OSError. Its fetch time is when it was written, as far as the file system knows."""
    with file.open("rb") as stream:
        whole = stream.read(MAX_SAVED_BYTES + 1)
    return page_of(whole, _parts(file, given), file.stat().st_mtime, name_of(file))


def read_again(file: Path, digest: str) -> Page | None:
    """A saved page that was imported from here with this digest; None where it is not there, or is another. Raises OSError."""
    page = read_file(file, file) if file.is_file() else None
    return page if page and any(capture.digest == digest for capture in page.captures) else None


def is_packed(file: Path) -> bool:
    """Whether a saved page of this name is in a .zip or .tar that is there."""
    return any(page_name(one.name).endswith(PACKED_SUFFIXES) and one.is_file() for one in file.parents)


def name_of(file: Path) -> str:
    """A path as text; what of it is no UTF-8 is escaped."""
    return os.fsencode(file).decode("utf-8", "backslashreplace")


def page_of(whole: bytes, parts: Sequence[str], written: float, file: str) -> Page:
    """The page that a file holds; `parts` are its folders and its name, as far as they may say something of its address, and
    `file` is what it is called."""
    name = page_name(parts[-1])
    document = main_document(whole, name) if name.endswith(SINGLE_FILE_SUFFIXES) else None
    document = document or Document(body=whole, content_type=content_type_of(Path(parts[-1])), url=None)
    body = EMBEDDED.sub(b"data:,", document.body) if b";base64," in document.body else document.body
    body = body[: MAX_PAGE_BYTES + 1]
    url = _address(document.url) or url_of_parts(parts) or url_in_comment(body)
    url = url or f"urn:sha256:{hashlib.sha256(whole).hexdigest()}"
    fetched_at = datetime.fromtimestamp(int(min(written, time.time())), UTC)
    where = Capture(
        page_url=url,
        fetched_at=fetched_at,
        status=None,
        reason=None,
        file=file,
        offset=0,
        length=len(whole),
        digest=payload_digest(whole),
    )
    return Page(
        url=url,
        final_url=url,
        via="file",
        fetched_at=fetched_at,
        content_type=document.content_type,
        body=body,
        refusal="too_large" if len(body) > MAX_PAGE_BYTES else None,
        file=file,
        captures=(where,) if len(whole) <= MAX_SAVED_BYTES else (),
    )


def _parts(file: Path, given: Path) -> tuple[str, ...]:
    """Names from `given` down to the file: what lies above is the machine's."""
    return file.absolute().parts[len(given.absolute().parts) - 1 :]


def url_in_tree(file: Path, given: Path) -> str | None:
    """The address a HOST/path tree gives a file: the first folder at or below `given` that is named like a host begins it."""
    return url_of_parts(_parts(file, given))


def url_of_parts(parts: Sequence[str]) -> str | None:
    """The address that folders and a file's name spell from the first that is named like a host; None where none is, or one
    leads elsewhere. `index.html` stands for its folder, as `--offline` and most mirroring programs have it."""
    host = next((number for number, name in enumerate(parts[:-1]) if is_host(name)), None)
    if host is None or ".." in parts:
        return None
    path, mark, query = "/".join(parts[host + 1 :]).partition("?")
    if not mark:
        path = re.sub(r"(^|/)index\.x?html?$", r"\1", path, flags=re.IGNORECASE)
    elif not page_name(path).endswith(PAGE_SUFFIXES):
        query = query.removesuffix(".html")  # wget -E has put it there
    # fsencode: a name that is no UTF-8 keeps its bytes.
    address = f"https://{parts[host]}/{quote(os.fsencode(path))}{mark}{quote(os.fsencode(query), safe=_QUERY)}"
    return _address(address)


def _address(url: str | None) -> str | None:
    """An address as it is kept; None of what is none."""
    return canonical_or_none(original_url(url)) if url else None


def url_in_comment(body: bytes) -> str | None:
    """The address that the program which saved a page has noted in its head."""
    found = NOTED.search(body[:HEAD_BYTES])
    if not found:
        return None
    mirrored = found["mirrored"] and b"http://" + found["mirrored"]
    address = found["url"] or found["saved"] or mirrored or b""
    return _address(address.decode("utf-8", "replace"))


_QUERY = "!$%&'()*+,-./:;=?@_~"
"""What a query may hold as it is; the `%` of an escape among it."""


def is_host(name: str) -> bool:
    """Whether a folder's name is a host's: a known public suffix, or one that is kept for examples."""
    host, _, port = name.lower().partition(":")
    if not re.fullmatch(r"((?!_)\w[\w-]*+(?<![_-])\.)++(?!_)\w[\w-]++(?<![_-])", host) or (
        port and not port.isdecimal()
    ):
        return False
    return _suffixes().privatesuffix(host) is not None or host.endswith(_RESERVED)
