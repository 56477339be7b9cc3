"""Feeds (RSS, Atom, RDF by feedparser; JSON Feed) -> links and hints."""

import io
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import escape
from itertools import chain, islice
from typing import Any, NamedTuple

from crawler.dates.listed import listing_habits
from crawler.dates.moments import Habits
from crawler.items import Hints, Link
from crawler.lenient_json import Repairs, UnreadableJSON, read_json
from crawler.parsers.links import (
    HUGE_TAG,
    MAX_BYTES,
    MAX_HINT_AUTHORS,
    MAX_LINKS,
    MAX_URL_CHARS,
    MIN_FEED_HTML_CHARS,
    NotAListing,
    Reading,
    absolute,
    address_of,
    decoded_xml,
    distinct_links,
    feed_html,
    first_date,
    is_utf8,
    iso_date,
    link_of,
    looks_absolute,
    of_seven_bits,
    plain_text,
    unpacked,
    whole_summary,
)
from crawler.urls import same_site

MAX_ENTRIES = 5_000
"""Entries of one feed that are read, the first: feedparser takes half a second for a thousand. The longest feeds of real
sites, of podcasts with all their episodes, have some 2,000."""


def read_feed(body: bytes, url: str, language: str | None = None) -> Reading:
    """Parse RSS, Atom or RDF found at `url`: links with hints, and how long the feed asks to be left alone; `language` is its
    source's. Raises NotAListing."""
    # resolve_relative_uris is about links inside HTML, of which plain_text() keeps none; an entry's own are resolved anyway.
    import feedparser  # in the workers; the crawl's own process has no use for it

    # sanitize_html is about HTML that is shown to somebody; of it, too, plain_text() keeps none, and it takes two thirds of the time.
    # UTF-16 or UTF-32, of which feedparser knows only what has a byte order mark; and what looks like UTF-8.
    if b"\0" in body[:256] or of_seven_bits(body) is not None:
        body = decoded_xml(body).encode("utf-8", "replace")
    body = _HALF_AN_ADDRESS.sub(b"", _NOT_READ.sub(b"", _first_entries(body)))
    body = _HUGE_NAME.sub(rb"<\1", HUGE_TAG.sub(rb"<\1", body))
    body = _REFERENCE.sub(_possible_reference, body)
    if is_utf8(body):  # whatever it says
        body = _DECLARED_ENCODING.sub(rb"\1", body, 1)
    try:
        parsed = feedparser.parse(
            io.BytesIO(body), response_headers={}, resolve_relative_uris=False, sanitize_html=False
        )  # its links as they stand, but for xml:base
    # An encoding declared as one no codec can have (`encoding="\0utf-8"`); in UTF-16, a reference to no character.
    except (ValueError, OverflowError):
        raise NotAListing("not_a_feed") from None
    kind = "atom" if str(parsed.get("version", "")).startswith("atom") else "rss"
    base = _base_of(parsed.feed.get("link"), url) if kind == "rss" else url
    spoken = plain_text(parsed.feed.get("language"))
    habits = listing_habits((said for entry in parsed.entries for said in _entry_dates(entry)), spoken or language)
    channel = _Channel(base, spoken, _authors(parsed.feed) if kind == "atom" else (), habits)
    hints = (_entry_hints(entry, channel) for entry in parsed.entries)
    links = [
        _identified(
            _entry_link(_entry_urls(entry, spoken), url, base, said, _content(entry), _whole_summary(entry)),
            entry.get("id"),
            dict.get(entry, "updated"),
            channel,
        )
        for entry, said in zip(parsed.entries, hints, strict=True)
    ]
    links = links if any(links) else list(_loose_links(body, url))
    return Reading(kind=kind, links=distinct_links(links, MAX_LINKS), asked=_asked(parsed.feed))


class _Channel(NamedTuple):
    """What a feed says for all of its entries."""

    base: str  #: what their relative addresses are resolved against
    language: str | None
    authors: tuple[str, ...]  #: of each entry that names nobody
    habits: Habits  #: how it writes its dates


def _base_of(site: Any, url: str) -> str:
    """What a feed without xml:base means its relative addresses to be of: its site, where it lives on another host itself."""
    site = absolute(site, url)
    return site if looks_absolute(site) and _host_of(site) != _host_of(url) else url


def _host_of(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].lower().removeprefix("www.")


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


def _entry_urls(entry: Any, language: str | None) -> Iterator[Any]:
    """What may be the address of an entry, the most likely first."""
    yield entry.get("feedburner_origlink")
    yield _alternate(entry, plain_text(entry.get("language")) or language)
    yield entry.get("link")
    yield entry.get("id") if looks_absolute(entry.get("id")) else None


def _alternate(entry: Any, language: str | None) -> Any:
    """Of several links the page itself: the one that the entry is known by, else the first web page in the feed's language."""
    links = [link for link in entry.get("links", ()) if link.get("rel") == "alternate" and link.get("href")]
    pages = [link for link in links if link.get("type", "text/html") in WEB_PAGES] or links
    if any(link["href"] == entry.get("id") for link in pages):
        return entry["id"]
    return min(pages, key=lambda link: _strangeness(link.get("hreflang"), language))["href"] if pages else None


WEB_PAGES = ("text/html", "application/xhtml+xml")


def _strangeness(hreflang: str | None, language: str | None) -> int:
    """How far a link is from the feed's language: 0 its own or none named, 1 of another country, 2 another one."""
    spoken, wanted = (hreflang or "").lower().replace("_", "-"), (language or "").lower().replace("_", "-")
    if not spoken or spoken == wanted:
        return 0
    return 1 if spoken.partition("-")[0] == wanted.partition("-")[0] else 2


def _entry_link(
    candidates: Iterable[Any], url: str, base: str, hints: Hints, content: str | None, summary: str | None
) -> Link | None:
    """The first usable address that is not the listing's own: `#` and `javascript:` stand where an id would be right.

    A `summary` is that of the feed's own article: of another site's it is what somebody says of it.
    """
    links = (link_of(candidate, base, hints) for candidate in candidates)
    found = next((link for link in links if link and link.url not in (url, base)), None)
    if found and summary and (same_site(found.url, url) or same_site(found.url, base)):
        content = max(content or "", summary, key=len)
        found = replace(found, hints=replace(hints, description=None))
    return replace(found, feed_html=content) if found and content else found


def _content(entry: Any) -> str | None:
    """The HTML of content:encoded or Atom's content."""
    said = [(one.get("value"), one.get("type")) for one in entry.get("content", ())]
    texts = [_paragraphs(text) if kind == "text/plain" else text for text, kind in said if isinstance(text, str)]
    return feed_html(max(texts, key=len, default=None))


def _whole_summary(entry: Any) -> str | None:
    """The HTML of RSS's description or Atom's summary, where that is a whole article."""
    summary = entry.get("summary")
    if isinstance(summary, str) and "<" not in summary:  # wrapped at its paragraphs, if at all
        summary = "".join(f"<p>{line}</p>" for line in summary.splitlines() if line.strip())
    return whole_summary(summary)


def _paragraphs(text: str) -> str:
    """Plain text as HTML."""
    return "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line.strip())


def _identified(link: Link | None, guid: Any, updated: Any, channel: _Channel) -> Link | None:
    """The link with what tells another state of its entry."""
    if link is None:
        return None
    named = address_of(guid, channel.base) if looks_absolute(guid) else None
    return replace(link, guid=named or plain_text(guid), updated=iso_date(updated, channel.habits))


def _authors(said: Any) -> tuple[str, ...]:
    """Who signs an entry, or in Atom a whole feed, and so each entry that names nobody (RFC 4287, 4.2.1)."""
    names = [_person(author.get("name")) for author in said.get("authors", [])]
    # feedparser takes `me@site.media (Jane Doe)` apart after `site.medi`; the whole string is in `author`.
    return _named(names if len(names) > 1 else [_person(said.get("author"))])


def _entry_hints(entry: Any, channel: _Channel) -> Hints:
    pictures = chain(entry.get("media_thumbnail", []), entry.get("media_content", []), entry.get("enclosures", []))
    return Hints(
        title=plain_text(entry.get("title")),
        description=plain_text(_summary(entry)),
        authors=_authors(entry) or channel.authors,
        date_published=first_date(_entry_dates(entry), channel.habits),
        language=plain_text(entry.get("language")) or channel.language,
        image_url=next((found for picture in pictures if (found := _image(picture, channel.base))), None),
    )


def _summary(entry: Any) -> Any:
    """What an entry says of its article; feedparser gives the whole text where there is no summary."""
    summary = entry.get("summary")
    is_text = any(one.get("value") == summary for one in entry.get("content", ()))
    return None if is_text and len(summary or "") >= MIN_FEED_HTML_CHARS else summary


def _entry_dates(entry: Any) -> tuple[Any, Any]:
    return entry.get("published"), dict.get(entry, "updated")  # feedparser's own get() would give the first again


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


def read_json_feed(body: bytes, url: str, language: str | None = None) -> Reading:
    """Parse a JSON Feed (https://www.jsonfeed.org/version/1.1/), which feedparser does not read. Raises NotAListing."""
    try:
        feed = _json_object(body)
    except ValueError:
        raise NotAListing("not_a_feed") from None
    items = (
        [item for item in stated if isinstance(item, dict)] if isinstance(stated := feed.get("items"), list) else None
    )
    if items is None or not ("jsonfeed.org" in str(feed.get("version")) or any(map(_is_item, items))):
        raise NotAListing("not_a_feed")
    spoken = plain_text(feed.get("language"))
    habits = listing_habits((plain_text(said) for item in items for said in _item_dates(item)), spoken or language)
    channel = _Channel(_base_of(feed.get("home_page_url"), url), spoken, _json_authors(feed), habits)
    links = (
        _identified(
            _entry_link(_item_urls(item), url, channel.base, _json_hints(item, channel), _item_text(item), None),
            item.get("id"),
            item.get("date_modified"),
            channel,
        )
        for item in items
    )
    return Reading(kind="json", links=distinct_links(links, MAX_LINKS))


def _is_item(item: dict[str, Any]) -> bool:
    """Whether it is an item of a feed that does not say that it is one: an address, and a text or a date by the format's names."""
    is_told = any(isinstance(item.get(name), str) for name in ("content_html", "content_text", "date_published"))
    return is_told and any(isinstance(said, str) for said in _item_urls(item))


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


def _json_hints(item: dict[str, Any], channel: _Channel) -> Hints:
    return Hints(
        title=plain_text(item.get("title")),
        description=plain_text(item.get("summary")),
        authors=_json_authors(item) or channel.authors,
        date_published=first_date(_item_dates(item), channel.habits),
        language=plain_text(item.get("language")) or channel.language,
        image_url=address_of(item.get("image"), channel.base),
    )


def _item_text(item: dict[str, Any]) -> str | None:
    html, text = item.get("content_html"), item.get("content_text")
    return feed_html(html) or feed_html(_paragraphs(text) if isinstance(text, str) else None)


def _json_authors(said: dict[str, Any]) -> tuple[str, ...]:
    stated = said.get("authors") or [said.get("author")]  # a list in 1.1, one in 1.0
    authors = stated if isinstance(stated, list) else []
    return _named(plain_text(author.get("name")) for author in authors if isinstance(author, dict))


def _item_dates(item: dict[str, Any]) -> tuple[Any, Any]:
    return item.get("date_published"), item.get("date_modified")
