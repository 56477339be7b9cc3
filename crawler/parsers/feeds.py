"""Feeds (RSS, Atom, RDF by feedparser; JSON Feed) -> links and hints."""

import io
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from crawler.items import Hints, Link
from crawler.lenient_json import Repairs, UnreadableJSON, read_json
from crawler.parsers.links import (
    HUGE_TAG,
    MAX_BYTES,
    MAX_HINT_AUTHORS,
    MAX_LINKS,
    MAX_URL_CHARS,
    NotAListing,
    Reading,
    absolute,
    address_of,
    decoded_xml,
    distinct_links,
    is_utf8,
    iso_date,
    link_of,
    looks_absolute,
    plain_text,
    unpacked,
)

MAX_ENTRIES = 5_000
"""Entries of one feed that are read, the first: feedparser takes half a second for a thousand. The longest feeds of real
sites, of podcasts with all their episodes, have some 2,000."""


def read_feed(body: bytes, url: str) -> Reading:
    """Parse RSS, Atom or RDF found at `url`: links with hints, and how long the feed asks to be left alone. Raises
    NotAListing."""
    # resolve_relative_uris is about links inside HTML, of which plain_text() keeps none; an entry's own are resolved anyway.
    import feedparser  # in the workers; the crawl's own process has no use for it

    # sanitize_html is about HTML that is shown to somebody; of it, too, plain_text() keeps none, and it takes two thirds of the time.
    if b"\0" in body[:256]:  # UTF-16 or UTF-32, of which feedparser knows only what has a byte order mark
        body = decoded_xml(body).encode("utf-8", "replace")
    body = _HALF_AN_ADDRESS.sub(b"", _NOT_READ.sub(b"", _first_entries(body)))
    body = _HUGE_NAME.sub(rb"<\1", HUGE_TAG.sub(rb"<\1", body))
    body = _REFERENCE.sub(_possible_reference, body)
    if is_utf8(body):  # whatever it says
        body = _DECLARED_ENCODING.sub(rb"\1", body, 1)
    try:
        parsed = feedparser.parse(
            io.BytesIO(body),
            response_headers={"content-location": url},
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    # An encoding declared as one no codec can have (`encoding="\0utf-8"`); in UTF-16, a reference to no character.
    except (ValueError, OverflowError):
        raise NotAListing("not_a_feed") from None
    kind = "atom" if str(parsed.get("version", "")).startswith("atom") else "rss"
    language = plain_text(parsed.feed.get("language"))
    everybody = _authors(parsed.feed) if kind == "atom" else ()
    hints = (_entry_hints(entry, url, language, everybody) for entry in parsed.entries)
    links = [
        _identified(_entry_link(_entry_urls(entry), url, said), entry.get("id"), entry.get("updated"), url)
        for entry, said in zip(parsed.entries, hints, strict=True)
    ]
    links = links if any(links) else list(_loose_links(body, url))
    return Reading(kind=kind, links=distinct_links(links, MAX_LINKS), asked=_asked(parsed.feed))


_LOOSE_LINK = re.compile(rb"<link\s*>\s*([^<>\s]{1,%d})\s*<" % MAX_URL_CHARS)


def _loose_links(body: bytes, url: str) -> Iterator[Link | None]:
    """The links of a feed whose markup is so broken that no entry is left of it: those after its first item begins."""
    start = re.search(rb"<item\b", body)
    found = _LOOSE_LINK.finditer(body, start.end()) if start else iter(())
    return (link_of(match[1].decode("utf-8", "replace"), url, Hints()) for match in islice(found, MAX_ENTRIES))


_END_OF_ENTRY = re.compile(rb"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)


def _first_entries(body: bytes) -> bytes:
    """A feed as far as the end of the last entry that is read; an encoding of which this sees nothing is left whole."""
    end = next(islice(_END_OF_ENTRY.finditer(body), MAX_ENTRIES - 1, None), None)
    return body[: end.end()] if end else body


_REFERENCE = re.compile(rb"&#(?:0*(\d{7,})|[xX]0*([0-9a-fA-F]{6,}));?")


def _possible_reference(reference: re.Match[bytes]) -> bytes:
    """A reference to a character, or nothing where it lies beyond Unicode's last: feedparser would fall over it."""
    digits, base = (reference[1], 10) if reference[1] else (reference[2], 16)
    return reference[0] if len(digits) < 8 and int(digits, base) <= sys.maxunicode else b""


_HUGE_NAME = re.compile(rb"<(/?[a-zA-Z])[^\s<>/]{1000,}+")
"""A tag without an end, of which feedparser makes 160 times its length."""


_HALF_AN_ADDRESS = re.compile(rb"<(?:link|guid|id)\b[^<]*\Z")
"""What a feed that breaks off ends in: half an address is another address."""


_NOT_READ = re.compile(
    rb"<category\b[^<>]*+>(?:[^<]++|<!\[CDATA\[.{0,1000}?\]\]>)*+</category\s*>|<category\b[^<>]*+(?<=/)>", re.DOTALL
)
"""Nobody asks for these, and feedparser compares each with all before it: 50,000 in one entry take minutes."""


_DECLARED_ENCODING = re.compile(rb"^(\s*<\?xml\b[^>]{0,100}?)\s+encoding\s*=\s*(?:\"[^\">]*\"|'[^'>]*')")


_PERIODS = {"hourly": 1, "daily": 24, "weekly": 7 * 24, "monthly": 30 * 24, "yearly": 365 * 24}
"""Hours of sy:updatePeriod (RSS 1.0, module Syndication)."""


def _asked(feed: Any) -> int | None:
    """Seconds between two looks by RSS 2.0's `ttl` (minutes), else by sy:updatePeriod and sy:updateFrequency."""
    ttl, frequency = (str(feed.get(name) or "") for name in ("ttl", "sy_updatefrequency"))
    if re.fullmatch("[0-9]{1,6}", ttl):
        return int(ttl) * 60 or None
    hours = _PERIODS.get(str(feed.get("sy_updateperiod") or "").strip().lower())
    times = int(frequency) if re.fullmatch("[0-9]{1,6}", frequency) else 1
    return hours * 3600 // max(times, 1) if hours else None


def feed_says(body: bytes, url: str) -> dict[str, str | None]:
    """A feed's channel metadata: what it calls its site (`name`) and where that is (`site`); None where it does not say."""
    import feedparser

    try:
        body = unpacked(body)[:MAX_BYTES]
        feed = (
            _json_object(body)
            if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"
            else feedparser.parse(io.BytesIO(_beginning(body))).feed
        )
    except (ValueError, RecursionError, OverflowError):
        feed = {}
    site = link_of(absolute(feed.get("home_page_url") or feed.get("link"), url), url, Hints())
    return {"name": plain_text(feed.get("title")), "site": site.url if site else None}


def _beginning(body: bytes) -> bytes:
    """A feed as far as the end of its first entry: it says of itself what it does before its entries."""
    end = _END_OF_ENTRY.search(body)
    return body[: end.end() if end else MAX_FEED_HEAD_BYTES][:MAX_FEED_HEAD_BYTES]


MAX_FEED_HEAD_BYTES = 2**18
"""The head of a feed, in which it says of itself what it does: feedparser may take seconds for a megabyte of damage."""


def _entry_urls(entry: Any) -> Iterator[Any]:
    """What may be the address of an entry, the most likely first."""
    yield entry.get("feedburner_origlink") or entry.get("link")
    yield entry.get("link")
    yield entry.get("id") if looks_absolute(entry.get("id")) else None


def _entry_link(candidates: Iterable[Any], url: str, hints: Hints) -> Link | None:
    """The first usable address that is not the listing's own: `#` and `javascript:` stand where an id would be right."""
    links = (link_of(candidate, url, hints) for candidate in candidates)
    return next((link for link in links if link and link.url != url), None)


def _identified(link: Link | None, guid: Any, updated: Any, url: str) -> Link | None:
    """The link with what tells another state of its entry."""
    if link is None:
        return None
    named = address_of(guid, url) if looks_absolute(guid) else None
    return replace(link, guid=named or plain_text(guid), updated=iso_date(updated))


def _authors(said: Any) -> tuple[str, ...]:
    """Who signs an entry, or in Atom a whole feed, and so each entry that names nobody (RFC 4287, 4.2.1)."""
    names = [_person(author.get("name")) for author in said.get("authors", [])]
    # feedparser takes `me@site.media (Jane Doe)` apart after `site.medi`; the whole string is in `author`.
    return _named(names if len(names) > 1 else [_person(said.get("author"))])


def _entry_hints(entry: Any, url: str, language: str | None, everybody: tuple[str, ...]) -> Hints:
    pictures = (entry.get("media_thumbnail", []), entry.get("media_content", []), entry.get("enclosures", []))
    return Hints(
        title=plain_text(entry.get("title")),
        description=plain_text(entry.get("summary")),
        authors=_authors(entry) or everybody,
        date_published=iso_date(entry.get("published") or entry.get("updated")),
        language=plain_text(entry.get("language")) or language,
        image_url=next((found for picture in chain(*pictures) if (found := _image(picture, url))), None),
    )


def _person(author: Any) -> str | None:
    """The name in RSS 2.0's `address (name)`; None for a bare address."""
    name = plain_text(author)
    match = re.fullmatch(r"[^\s@]++@\S++(?: ++\((.+)\))?", name or "")
    return match[1] if match else name


def _named(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))[:MAX_HINT_AUTHORS]


def _image(media: Any, base: str) -> str | None:
    """The address of a picture; Media RSS need not say that it is one, an enclosure must."""
    kind = media.get("medium") or str(media.get("type", "image")).partition("/")[0]
    return address_of(media.get("url") or media.get("href"), base) if kind == "image" else None


def read_json_feed(body: bytes, url: str) -> Reading:
    """Parse a JSON Feed (https://www.jsonfeed.org/version/1.1/), which feedparser does not read. Raises NotAListing."""
    try:
        feed = _json_object(body)
    except ValueError:
        raise NotAListing("not_a_feed") from None
    if "jsonfeed.org" not in str(feed.get("version")) or not isinstance(feed.get("items"), list):
        raise NotAListing("not_a_feed")
    items = [item for item in feed["items"] if isinstance(item, dict)]
    links = (
        _identified(
            _entry_link(_item_urls(item), url, _json_hints(item, feed, url)),
            item.get("id"),
            item.get("date_modified"),
            url,
        )
        for item in items
    )
    return Reading(kind="json", links=distinct_links(links, MAX_LINKS))


def _json_object(body: bytes) -> dict[str, Any]:
    """The object that is a JSON document in any of JSON's encodings; raises ValueError."""
    value = read_json(body.decode(json.detect_encoding(body), "surrogatepass"), Repairs())
    if not isinstance(value, dict):
        raise UnreadableJSON
    return value


def _item_urls(item: dict[str, Any]) -> Iterator[Any]:
    yield item.get("url")
    yield item.get("external_url")
    yield item.get("id") if looks_absolute(item.get("id")) else None


def _json_hints(item: dict[str, Any], feed: dict[str, Any], url: str) -> Hints:
    stated = (said.get("authors") or [said.get("author")] for said in (item, feed))  # a list in 1.1, one in 1.0
    named = [
        [one for one in authors if isinstance(one, dict)] if isinstance(authors, list) else [] for authors in stated
    ]
    return Hints(
        title=plain_text(item.get("title")),
        description=plain_text(item.get("summary")),
        authors=_named(plain_text(author.get("name")) for author in named[0] or named[1]),
        date_published=iso_date(item.get("date_published")),
        language=plain_text(item.get("language")) or plain_text(feed.get("language")),
        image_url=address_of(item.get("image"), url),
    )
