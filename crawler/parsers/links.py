"""What every listing shares: a Link made of a stranger's strings, text without markup, XML decoded, gzip decompressed
within bounds."""

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any
from urllib.parse import urljoin

from dateutil import parser as dateutil_parser
from w3lib.html import remove_tags

from crawler import iso_2022
from crawler.items import Hints, Link
from crawler.urls import UnusableURL, canonical_url, is_whole

MAX_BYTES = 16 * 2**20
"""Size limit of a decompressed listing; beyond this the rest is not read. The sitemap protocol allows 50 MB, for which
parsing would need 500; 50,000 entries of an address and a date take 8 MB."""


_BLOCK_BYTES = 2**14
"""Compressed bytes that are decompressed at a time: damage costs what lies in its block."""


MAX_LINKS = 50_000
"""Links of one listing that are read: the sitemap protocol's limit."""


MAX_URL_CHARS = 2_048
"""Longest address: the sitemap protocol's limit, and near that of browsers and caches."""


MAX_ATTRIBUTES = 1_000
"""Attributes of one tag: lxml takes quadratic time, 64,000 attributes cost 50 s; real pages have some dozens."""


MAX_HINT_CHARS = 2_000
"""Longest title or description that is kept of what a listing says of an article."""


MAX_HINT_AUTHORS = 20
"""Authors that are kept of what a listing says of an article."""


MAX_CHILDREN = 50
"""Sitemaps of an index that are followed in one run, newest first."""


FEED_TYPES = {
    "application/rss+xml": "rss",
    "application/atom+xml": "atom",
    "application/feed+json": "json",
    "application/json": "json",
    "application/rdf+xml": "rss",
}


class NotAListing(ValueError):
    """The bytes are no feed, sitemap or page of the kind that was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A sitemap that a sitemap index names."""

    url: str
    changed_at: datetime | None = None  #: aware, the latest instant that its `lastmod` may mean; None when it has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one feed, sitemap or front page holds."""

    kind: str  #: rss, atom, json, news_sitemap, sitemap or homepage
    links: tuple[Link, ...] = ()
    children: tuple[Child, ...] = ()  #: sitemaps that a sitemap index names, newest first
    feeds: tuple[str, ...] = ()  #: feeds that a front page announces
    asked: int | None = None  #: seconds until its publisher expects anybody again (`ttl`, `sy:updatePeriod`)


_WIDE = re.compile(rb"<\0\0\0|\0\0\0<|<\0|\0<")


_ENCODING = re.compile(rb"\A\s*<\?xml[^>]*encoding=[\"']([\w.-]+)")


def decoded_xml(body: bytes) -> str:
    """An XML document as text, by its first bytes, else what it declares; control characters gone."""
    if (text := of_seven_bits(body)) is None:
        text = _of_eight_bits(body)
    return re.sub(r"\A\s*<\?xml[^>]*>", "", _NOT_TEXT.sub("", text.lstrip("\ufeff")))


def of_seven_bits(body: bytes) -> str | None:
    """The text of a document in ISO-2022-JP or the like; None of any other."""
    declared = _ENCODING.search(body[:200])
    return iso_2022.text_of(body, declared[1].decode() if declared else None)


def _of_eight_bits(body: bytes) -> str:
    declared = _ENCODING.search(body[:200])
    encoding = declared[1].decode() if declared and not is_utf8(body) else "utf-8"
    if body[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        encoding = "utf-32"
    elif marked := _WIDE.match(body):
        encoding = f"utf-{8 * len(marked[0])}-{'le' if marked[0].startswith(b'<') else 'be'}"
    elif body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    return _undeclared(body) if encoding == "utf-8" else _decoded(body, encoding)


def _decoded(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding, "replace")
    except LookupError:
        return _undeclared(body)


def _undeclared(body: bytes) -> str:
    """UTF-8, however damaged; windows-1252 where no character beyond ASCII is of UTF-8."""
    text = body.decode("utf-8", "replace")
    return text if re.search("[\x80-\ufffc\U00010000-\U0010ffff]", text) else body.decode("cp1252", "replace")


NO_HINTS = Hints()


HUGE_TAG = re.compile(
    rb"<([a-zA-Z][^\s<>]*+)(?:\s++[^\s=<>]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>]*+))?+){%d,}+" % MAX_ATTRIBUTES
)


def is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in body


# What all of them share
def link_of(href: Any, base: str, hints: Hints) -> Link | None:
    """The link, or None when its address is unusable: one malformed entry must not cost the others."""
    url = address_of(href, base)
    return Link(url=url, hints=hints) if url else None


def address_of(href: Any, base: str) -> str | None:
    """A canonical address, where it is one that can be asked for."""
    url = absolute(href, base)
    if url is None or len(url) > MAX_URL_CHARS:
        return None
    try:
        url = canonical_url(url)
    except UnusableURL:
        return None
    return url if len(url) <= MAX_URL_CHARS else None  # escapes make it longer


def absolute(href: Any, base: str) -> str | None:
    if not isinstance(href, str) or not (said := href.strip().replace("&amp;", "&")):
        return None
    if is_whole(said):
        return said
    try:
        return urljoin(base, said)
    except ValueError:
        return None


def distinct_links(links: Iterable[Link | None], most: int) -> tuple[Link, ...]:
    """The first mention of each address, in order; the first finder's hints count."""
    found: dict[str, Link] = {}
    for link in links:
        if link and link.url not in found:
            found[link.url] = link
            if len(found) == most:
                break
    return tuple(found.values())


_BLOCK_TAG = re.compile(r"</?(?:p|br|div|li|ul|ol|dt|dd|tr|td|th|h[1-6]|blockquote|figcaption)\b[^<>]*>", re.IGNORECASE)


_SILENT = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)


_MAX_RAW_HINT_CHARS = 20 * MAX_HINT_CHARS
"""What is read for a hint, markup included."""


_NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e\ud800-\udfff]")
"""Control characters but line ends, overrides of the direction of writing, lone surrogates, which no database takes."""


def plain_text(value: Any) -> str | None:
    """Plain text of a feed's field: markup removed, white space folded; None when nothing is left."""
    if not isinstance(value, str):
        return None
    plain = value if len(value) <= _MAX_RAW_HINT_CHARS else re.sub(r"<[^<>]*$", "", value[:_MAX_RAW_HINT_CHARS])
    if "<" in plain or "&" in plain:
        plain = unescape(remove_tags(_BLOCK_TAG.sub(" ", _SILENT.sub("", plain))))
    return " ".join(_NOT_TEXT.sub("", plain).split())[:MAX_HINT_CHARS].rstrip() or None


def iso_date(value: Any) -> str | None:
    """A feed's date as ISO 8601 with its offset, as precise as it was; its own string where nobody can read it."""
    said = plain_text(value)
    if said is None or re.fullmatch(r"\d{4}-\d\d-\d\d", said):
        return said
    moment = parsed_date(said) if len(said) <= MAX_DATE_CHARS else None
    return moment.isoformat() if moment else said[:MAX_DATE_CHARS].rstrip()


MAX_DATE_CHARS = 100
"""Longest date string that is parsed; the longest form in words, with weekday, offset and the zone's name, has some 60."""


def parsed_date(value: str) -> datetime | None:
    """Parse a date: ISO 8601, then RFC 822, then whatever dateutil makes of it. None where nobody can read it."""
    for parse in (datetime.fromisoformat, parsedate_to_datetime, dateutil_parser.parse):
        try:
            moment = parse(value)
            moment.utcoffset()  # dateutil takes an offset of 99 hours, and the next to ask for it falls over it
        except (ValueError, TypeError, ArithmeticError, IndexError):  # ArithmeticError: 9e999 seconds
            continue
        # RFC 822's `-0000` is UTC; the standard library gives a naive datetime for it.
        return moment.replace(tzinfo=UTC) if "-0000" in value and moment.tzinfo is None else moment
    return None


def looks_absolute(value: Any) -> bool:
    """Whether it is a string with an http or https scheme."""
    return isinstance(value, str) and value.startswith(("http://", "https://"))


MAX_PROLOGUE_BYTES = 2**17
"""Longest prologue of an XML document, comments included: its root is looked for within."""


def unpacked(body: bytes) -> bytes:
    """Decompress gzip, also what was compressed twice: a .gz file that its server compresses once more."""
    return _unpacked_once(_unpacked_once(body))


def _unpacked_once(body: bytes) -> bytes:
    """gzip is told by its magic bytes, not by header or name; at most MAX_BYTES come out, of a damaged one what is sound."""
    if body[:2] != b"\x1f\x8b":
        return body
    found, at = bytearray(), 0
    while body[at : at + 2] == b"\x1f\x8b" and len(found) < MAX_BYTES:
        member = zlib.decompressobj(wbits=31)
        try:
            while at < len(body) and not member.eof and len(found) < MAX_BYTES:
                found += member.decompress(body[at : at + _BLOCK_BYTES], MAX_BYTES)
                at = min(at + _BLOCK_BYTES, len(body))
        except zlib.error:
            break
        at -= len(member.unused_data)
    if not found:
        raise NotAListing("damaged_gzip")
    return bytes(found)
