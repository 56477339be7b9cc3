"""What every listing shares: a Link made of a stranger's strings, text without markup, XML decoded, gzip decompressed
within bounds."""

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urljoin

from lxml import etree
from w3lib.html import remove_tags

from crawler import iso_2022
from crawler.dates.listed import read_date
from crawler.dates.moments import UNKNOWN, Habits
from crawler.items import Hints, Link, Source
from crawler.redirectors import behind_redirectors
from crawler.urls import canonical_or_none, is_whole
from pipelines.text import SENTENCE_END, word_count

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
class Scope:
    """What of a listing is wanted, and what is known of it; but for its language that concerns sitemaps only."""

    sites: tuple[str, ...] = ()  #: whose addresses it may name, by registrable domain; (): those of its own site
    source: Source | None = None  #: whose rules say which addresses are wanted; None: all are
    seen: bytes = b""  #: prints of addresses without a date that were offered before
    dates_tell: bool | None = None  #: whether a sitemap's `lastmod` is known to be true, or false; None: it shows

    @property
    def language(self) -> str | None:
        """Its source's, by which dates are read where a listing names none."""
        return self.source.language if self.source else None


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one feed, sitemap or front page holds."""

    kind: str  #: rss, atom, json, news_sitemap, sitemap or homepage; of a front page's address that which answered
    links: tuple[Link, ...] = ()
    entries: int | None = None  #: links that it holds where `links` are fewer; None: those are all
    left_out: int = 0  #: of them addresses without a date, new to us, that are too many
    seen: bytes | None = (
        None  #: prints of all its addresses without a date, where these are too many; None: they are not
    )
    children: tuple[
        Child, ...
    ] = ()  #: sitemaps that a sitemap index names and that may hold something new, newest first
    resting: tuple[str, ...] = ()  #: those to be asked should these give nothing, newest first
    named: tuple[str, ...] = ()  #: all that it names
    feeds: tuple[str, ...] = ()  #: feeds that a front page announces
    sitemaps: tuple[str, ...] = ()  #: and sitemaps
    linked_feeds: tuple[str, ...] = ()  #: what it links to with `<a>` that has a feed's type or name
    notice: str | None = (
        None  #: of a front page that names nothing: the reason for which it is none; None: it may be one
    )
    is_podcast: bool = False  #: a feed of recordings, most of its entries carry one
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


def xml_parser(*, recover: bool = False) -> etree.XMLParser:
    """A parser of strangers' XML: no entity is expanded, nothing is loaded; `recover` has it read on behind a fault."""
    return etree.XMLParser(
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        encoding="utf-8",
    )


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
    return Link(url=behind_redirectors(url), hints=hints) if url else None


def address_of(href: Any, base: str) -> str | None:
    """A canonical address, where it is one that can be asked for."""
    url = absolute(href, base)
    if url is None or len(url) > MAX_URL_CHARS:
        return None
    url = canonical_or_none(url)
    return url if url and len(url) <= MAX_URL_CHARS else None  # escapes make it longer


def absolute(href: Any, base: str) -> str | None:
    """The address that a stranger's string means at `base`; escapes that were escaped again are undone."""
    if not isinstance(href, str) or not (said := _AMPERSANDS.sub("&", href.strip())):
        return None
    if is_whole(said):
        return said
    try:
        return urljoin(base, f"//{said}" if _begins_with_host(said, base) else said)
    except ValueError:
        return None


_AMPERSANDS = re.compile(r"&(?:(?:amp|AMP|#0{0,5}38|#[xX]0{0,5}26);)++")


_WWW = re.compile(r"www\d?\.[^\s./@:]++(?:\.[^\s./@:]++)++(?::\d{1,5})?", re.IGNORECASE)


def _begins_with_host(said: str, base: str) -> bool:
    """Whether only the scheme is missing: `www.paper.example/a/1`, or the base's own host before a path."""
    first, slash, _ = said.partition("/")
    if "." not in first:
        return False
    own = base.partition("://")[2].partition("/")[0].removeprefix("www.")
    return bool(_WWW.fullmatch(first)) or bool(slash and own and first.lower() == own.lower())


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


MIN_FEED_HTML_CHARS, MAX_FEED_HTML_CHARS = 300, 2**17
"""Of an entry's text, markup included. What is shorter is a teaser; what is longer is left out rather than cut: a whole article
of 20,000 words has as much."""


def feed_html(value: Any) -> str | None:
    """The text that a feed gives of an article, as HTML; None where that is too little or too much to be one."""
    if not isinstance(value, str) or not MIN_FEED_HTML_CHARS <= len(value) <= MAX_FEED_HTML_CHARS:
        return None
    return _NOT_TEXT.sub("", value)


MIN_SUMMARY_WORDS = 200
"""Words from which what a feed calls a description or a summary may be a whole article: the first two paragraphs of 99 in 100 labelled
articles have fewer, and a teaser seldom has more than two. And 600 characters, as Chinese and Japanese words are counted by the sign."""


def whole_summary(value: Any) -> str | None:
    """The text of an article, as HTML, of what should be a summary; None of a teaser: short, broken off, or with a link to read on."""
    if (html := feed_html(value)) is None or len(html) < 3 * MIN_SUMMARY_WORDS or _ends_with_link(html):
        return None
    text = unescape(remove_tags(_BLOCK_TAG.sub(" ", _SILENT.sub("", html)))).strip()
    is_whole = SENTENCE_END.search(text[-MAX_TAIL_CHARS:]) and not _BROKEN_OFF.search(text[-MAX_TAIL_CHARS:])
    return html if is_whole and word_count(text) >= MIN_SUMMARY_WORDS else None


MAX_TAIL_CHARS = 500
"""Of the end of a text, in which it says that it goes on elsewhere."""


def _ends_with_link(html: str) -> bool:
    """Whether nothing but tags and arrows stands behind the last link."""
    _, link, behind = html[-MAX_TAIL_CHARS:].rpartition("</a")
    return bool(link) and not any(map(str.isalnum, unescape(remove_tags(f"<{behind}"))))


_BROKEN_OFF = re.compile(r"[\[(]\s?(?:…|\.\.\.)\s?[\])]|(?:…|\.\.\.)\s*\Z")
"""The mark of a text that was cut, which a line that names the article may follow."""


def iso_date(value: Any, habits: Habits = UNKNOWN) -> str | None:
    """A feed's date as ISO 8601 with its offset, as precise as it was; its own string where nobody can read it."""
    return first_date((value,), habits)


def first_date(values: Iterable[Any], habits: Habits) -> str | None:
    """The first of an entry's dates that can be read, as iso_date() gives it; else the first that was said."""
    said = [one for value in values if (one := plain_text(value))]
    read = (moment for one in said if len(one) <= MAX_DATE_CHARS and (moment := read_date(one, habits)))
    if moment := next(read, None):
        return moment.isoformat()
    return said[0][:MAX_DATE_CHARS].rstrip() if said else None


MAX_DATE_CHARS = 100
"""Longest date string that is parsed; the longest form in words, with weekday, offset and the zone's name, has some 60."""


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
