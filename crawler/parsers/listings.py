"""Bytes of a feed, sitemap or front page -> the links it holds, with what it says of each. Pure: no network, no clock.

Hostile or broken input gives what could still be read, or NotAListing; one malformed link never costs the others.
"""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from crawler.parsers.feeds import read_feed, read_json_feed
from crawler.parsers.front_pages import notice_in, read_front_page
from crawler.parsers.links import EVERYTHING, MAX_BYTES, MAX_PROLOGUE_BYTES, NotAListing, Reading, Scope, unpacked
from crawler.parsers.sitemaps import read_sitemap, read_text_sitemap

FEED_GUESSES = ("/feed", "/rss", "/feed.xml", "/rss.xml", "/atom.xml", "/index.xml")
"""Well-known feed paths: where content management systems put a feed that no page announces."""


SITEMAP_GUESSES = {
    "news_sitemap": ("/news-sitemap.xml", "/sitemap-news.xml"),
    "sitemap": ("/sitemap.xml", "/sitemap_index.xml"),
}
"""Well-known sitemap paths, where robots.txt names none."""


def read_listing(
    body: bytes, url: str, expected: str, since: datetime | None = None, scope: Scope = EVERYTHING
) -> Reading:
    """Read a document found where an `expected` (feed, news_sitemap, sitemap or homepage) should be; at a front page's
    address a feed or a sitemap may be, too.

    `since` (aware) leaves out sitemap entries that are older, `scope` those that are not wanted. Raises NotAListing.
    """
    body = unpacked(body)[:MAX_BYTES]
    if expected == "homepage" and (expected := _kind_of(body)) == "homepage":
        return read_front_page(body, url)
    root = _root_of(body)
    if root == "opml":
        raise NotAListing("opml")
    if root in ("urlset", "sitemapindex"):
        return read_sitemap(body, url, since, scope)
    if root in ("rss", "feed", "rdf"):
        reading = read_feed(body, url, scope.language)
        return replace(reading, is_podcast=is_podcast(body, len(reading.links)))
    if expected == "feed" and body.lstrip(_BLANK + b" \t\r\n")[:1] == b"{":
        return read_json_feed(body, url, scope.language)
    if expected != "feed" and (lines := read_text_sitemap(body, url, since, scope)):
        return lines
    raise NotAListing(notice_in(body, url) or f"not_a_{'feed' if expected == 'feed' else 'sitemap'}")


def _kind_of(body: bytes) -> str:
    """What answers where a front page is asked: `homepage`, or the `feed` or `sitemap` that somebody calls his source."""
    root = _root_of(body, _FIRST_TAG)
    if root in ("urlset", "sitemapindex"):
        return "sitemap"
    if root in ("rss", "feed", "rdf", "opml"):
        return "feed"
    start = body[:4096].translate(None, _BLANK).lstrip()
    if root or b"<" in start:
        return "homepage"
    is_json_feed = start[:1] == b"{" and b'"items"' in body.translate(None, b"\0")
    return "feed" if is_json_feed else "sitemap" if re.match(rb"(?:#.*\n\s*)*+https?://", start) else "homepage"


_BLANK = b"\xef\xbb\xbf\xff\xfe\0"
"""Marks of byte order, and the zeros of UTF-16."""


def is_podcast(body: bytes, entries: int) -> bool:
    """Whether most of a feed's entries have a recording enclosed."""
    return 2 * len(_RECORDING.findall(body)) > entries > 0


_RECORDING = re.compile(rb"<(?:enclosure|link)\s[^<>]{0,1000}?type\s?=\s?[\"'](?:audio|video)/", re.IGNORECASE)


def reading_of(*document: Any) -> Reading | NotAListing:
    """What read_listing() gives or raises, as a value: an exception that a worker raises is a bug."""
    try:
        return read_listing(*document)
    except NotAListing as error:
        return error


def _root_of(body: bytes, roots: re.Pattern[bytes] | None = None) -> str | None:
    """The local name of an XML document's root as far as one can tell without parsing: broken XML is common."""
    text = body.replace(b"\0", b"") if b"\0" in body[:4096] else body
    declared = _DOCTYPE.match(text, max(0, text[:4096].upper().find(b"<!DOCTYPE")))
    text = text[declared.end() :] if declared else text
    match = (roots or _ROOT).search(_COMMENTS.sub(b"", text[:MAX_PROLOGUE_BYTES])[:4096])
    return match[1].decode().lower() if match else None


_COMMENTS = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)


_ROOTS = rb"rss|feed|rdf|urlset|sitemapindex|opml"
_ROOT = re.compile(rb"<(?:\w+:)?(" + _ROOTS + rb")(?![\w-])", re.IGNORECASE)
_FIRST_TAG = re.compile(
    rb"<(?:\w+:)?(" + _ROOTS + rb"|html|head|title|meta|link|body|script|style|div|p|a)(?![\w-])", re.IGNORECASE
)
"""The same, or what a page begins with: a page may hold such a tag further down."""


_DOCTYPE = re.compile(rb"<!DOCTYPE\b[^\[>]*+(?:\[.*?\]\s*+)?>", re.IGNORECASE | re.DOTALL)
"""A document type declaration (DTD) with its internal subset, which may be longer than all that follows."""
