"""Bytes of a feed, sitemap or front page -> the links it holds, with what it says of each. Pure: no network, no clock.

Hostile or broken input gives what could still be read, or NotAListing; one malformed link never costs the others.
"""

import io
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from html import unescape
from itertools import chain, islice
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser
from dateutil import parser as dateutil_parser
from lxml import etree, html
from w3lib.html import remove_tags

from crawler.items import Hints, Link
from crawler.urls import UnusableURL, canonical_url, is_front_page, is_whole, same_site, site_of

MAX_BYTES = 16 * 2**20
"""Of an unpacked listing; beyond this the rest is not read. The sitemap protocol allows 50 MB, for which parsing would need
500; 50,000 entries of an address and a date take 8 MB."""

_BLOCK = 2**14
"""Of packed bytes: damage costs what lies in its block."""

MAX_LINKS = 50_000
"""Of one listing: the sitemap protocol's limit."""

MAX_ENTRIES = 5_000
"""Of one feed, the first: feedparser takes half a second for a thousand. The longest feeds of real sites, of podcasts with
all their episodes, have some 2,000."""

MAX_URL = 2_048
"""Characters: the sitemap protocol's limit, and near that of browsers and caches."""

MAX_ATTRIBUTES = 1_000
"""Of one tag: lxml takes quadratic time, 64,000 attributes cost 50 s; real pages have some dozens."""

MAX_HINT, MAX_HINT_AUTHORS = 2_000, 20
"""Characters of a title or description, and people, that are kept of what a listing says of an article."""

MAX_FRONT_PAGE_LINKS = 500
MAX_TAGS = 100_000
"""Of one front page, the rest is not read: libxml2 takes 300 bytes for each; full ones of real sites have some 10,000."""
MAX_ANCHORS = 5_000
"""Of one front page that are looked at; the fullest of real sites have some 1,500."""
MAX_CHILDREN = 50
"""Sitemaps of an index that one look follows, newest first."""

MAX_UNDATED = 1_000

FEED_TYPES = {
    "application/rss+xml": "rss",
    "application/atom+xml": "atom",
    "application/feed+json": "json",
    "application/json": "json",
    "application/rdf+xml": "rss",
}

FEED_GUESSES = ("/feed", "/rss", "/feed.xml", "/rss.xml", "/atom.xml", "/index.xml")
"""Where content management systems put a feed that no page announces."""

SITEMAP_GUESSES = {
    "news_sitemap": ("/news-sitemap.xml", "/sitemap-news.xml"),
    "sitemap": ("/sitemap.xml", "/sitemap_index.xml"),
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
    """What one document holds."""

    kind: str  #: rss, atom, json, news_sitemap, sitemap or homepage
    links: tuple[Link, ...] = ()
    children: tuple[Child, ...] = ()  #: sitemaps that a sitemap index names, newest first
    feeds: tuple[str, ...] = ()  #: feeds that a front page announces
    asked: int | None = None  #: seconds until its publisher expects anybody again (`ttl`, `sy:updatePeriod`)


def read_listing(body: bytes, url: str, expected: str, since: datetime | None = None) -> Reading:
    """Read a document found where an `expected` (feed, news_sitemap, sitemap or homepage) should be.

    `since` (aware) leaves out sitemap entries that are older. Raises NotAListing.
    """
    body = _unpacked(body)[:MAX_BYTES]
    if expected == "homepage":
        return _front_page(body, url)
    root = _root_of(body)
    if root in ("urlset", "sitemapindex"):
        return _sitemap(body, url, since)
    if root in ("rss", "feed", "rdf"):
        return _feed(body, url)
    if expected == "feed" and body.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] == b"{":
        return _json_feed(body, url)
    if expected != "feed" and (lines := _text_sitemap(body, url)):
        return Reading(kind="sitemap", links=lines)
    raise NotAListing(f"not_a_{'feed' if expected == 'feed' else 'sitemap'}")


# Feeds


def _feed(body: bytes, url: str) -> Reading:
    # resolve_relative_uris is about links inside HTML, of which _text() keeps none; an entry's own are resolved anyway.
    # sanitize_html is about HTML that is shown to somebody; of it, too, _text() keeps none, and it takes two thirds of the time.
    if b"\0" in body[:256]:  # UTF-16 or UTF-32, of which feedparser knows only what has a byte order mark
        body = decoded_xml(body).encode("utf-8", "replace")
    body = _HALF_AN_ADDRESS.sub(b"", _NOT_READ.sub(b"", _first_entries(body)))
    body = _HUGE_NAME.sub(rb"<\1", _HUGE_TAG.sub(rb"<\1", body))
    body = _REFERENCE.sub(_possible_reference, body)
    if _is_utf8(body):  # whatever it says
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
    language = _text(parsed.feed.get("language"))
    links = [_entry_link(_entry_urls(entry), url, _entry_hints(entry, url, language)) for entry in parsed.entries]
    links = links if any(links) else list(_loose_links(body, url))
    return Reading(kind=kind, links=_distinct(links, MAX_LINKS), asked=_asked(parsed.feed))


_LOOSE_LINK = re.compile(rb"<link\s*>\s*([^<>\s]{1,%d})\s*<" % MAX_URL)


def _loose_links(body: bytes, url: str) -> Iterator[Link | None]:
    """The links of a feed whose markup is so broken that no entry is left of it: those after its first item begins."""
    start = re.search(rb"<item\b", body)
    found = _LOOSE_LINK.finditer(body, start.end()) if start else iter(())
    return (_link(match[1].decode("utf-8", "replace"), url, Hints()) for match in islice(found, MAX_ENTRIES))


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
    rb"<category\b[^<>]*+>(?:[^<]++|<!\[CDATA\[.{0,1000}?\]\]>)*+</category\s*>|<category\b[^<>]*+/>", re.DOTALL
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
    """What a feed calls its site (`name`) and where it says that it is (`site`); None where it does not say."""
    try:
        body = _unpacked(body)[:MAX_BYTES]
        feed = (
            json.loads(body)
            if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"
            else feedparser.parse(io.BytesIO(_beginning(body))).feed
        )
    except (ValueError, RecursionError, OverflowError):
        feed = {}
    site = _link(_absolute(feed.get("home_page_url") or feed.get("link"), url), url, Hints())
    return {"name": _text(feed.get("title")), "site": site.url if site else None}


def _beginning(body: bytes) -> bytes:
    """A feed as far as the end of its first entry: it says of itself what it does before its entries."""
    end = _END_OF_ENTRY.search(body)
    return body[: end.end() if end else MAX_BEGINNING][:MAX_BEGINNING]


MAX_BEGINNING = 2**18
"""Bytes of a feed in which it says of itself what it does: feedparser may take seconds for a megabyte of damage."""


def _entry_urls(entry: Any) -> Iterator[Any]:
    """What may be the address of an entry, the most likely first."""
    yield entry.get("feedburner_origlink") or entry.get("link")
    yield entry.get("link")
    yield entry.get("id") if _looks_absolute(entry.get("id")) else None


def _entry_link(candidates: Iterable[Any], url: str, hints: Hints) -> Link | None:
    """The first usable address that is not the listing's own: `#` and `javascript:` stand where an id would be right."""
    links = (_link(candidate, url, hints) for candidate in candidates)
    return next((link for link in links if link and link.url != url), None)


def _entry_hints(entry: Any, url: str, language: str | None) -> Hints:
    names = [_person(author.get("name")) for author in entry.get("authors", [])]
    # feedparser takes `me@site.media (Jane Doe)` apart after `site.medi`; the whole string is in `author`.
    if len(names) < 2:
        names = [_person(entry.get("author"))]
    pictures = (entry.get("media_thumbnail", []), entry.get("media_content", []), entry.get("enclosures", []))
    return Hints(
        title=_text(entry.get("title")),
        description=_text(entry.get("summary")),
        authors=_named(names),
        date_published=iso_date(entry.get("published") or entry.get("updated")),
        language=_text(entry.get("language")) or language,
        image_url=next((found for picture in chain(*pictures) if (found := _image(picture, url))), None),
    )


def _person(author: Any) -> str | None:
    """The name in RSS 2.0's `address (name)`; None for a bare address."""
    name = _text(author)
    match = re.fullmatch(r"\S+@\S+(?: +\((.+)\))?", name or "")
    return match[1] if match else name


def _named(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))[:MAX_HINT_AUTHORS]


def _image(media: Any, base: str) -> str | None:
    """The address of a picture; Media RSS need not say that it is one, an enclosure must."""
    kind = media.get("medium") or str(media.get("type", "image")).partition("/")[0]
    return _address(media.get("url") or media.get("href"), base) if kind == "image" else None


def _json_feed(body: bytes, url: str) -> Reading:
    """https://www.jsonfeed.org/version/1.1/; feedparser does not read it."""
    try:
        feed = json.loads(body, parse_int=str)  # nobody asks for a number; of 5,000 digits Python makes none
    except (ValueError, RecursionError):
        raise NotAListing("not_a_feed") from None
    if "jsonfeed.org" not in str(feed.get("version")) or not isinstance(feed.get("items"), list):
        raise NotAListing("not_a_feed")
    items = [item for item in feed["items"] if isinstance(item, dict)]
    links = (_entry_link(_item_urls(item), url, _json_hints(item, feed, url)) for item in items)
    return Reading(kind="json", links=_distinct(links, MAX_LINKS))


def _item_urls(item: dict[str, Any]) -> Iterator[Any]:
    yield item.get("url")
    yield item.get("external_url")
    yield item.get("id") if _looks_absolute(item.get("id")) else None


def _json_hints(item: dict[str, Any], feed: dict[str, Any], url: str) -> Hints:
    authors = item.get("authors") or [item.get("author")]  # a list in version 1.1, one in version 1.0
    people = [author for author in authors if isinstance(author, dict)] if isinstance(authors, list) else []
    return Hints(
        title=_text(item.get("title")),
        description=_text(item.get("summary")),
        authors=_named(_text(author.get("name")) for author in people),
        date_published=iso_date(item.get("date_published")),
        language=_text(item.get("language")) or _text(feed.get("language")),
        image_url=_address(item.get("image"), url),
    )


# Sitemaps


def _sitemap(body: bytes, url: str, since: datetime | None) -> Reading:
    text = decoded_xml(body)
    root = _parse_xml(text)
    entries = [_fields(element) for element in islice(root.iter("{*}sitemap", "{*}url"), MAX_LINKS)]
    if _ends_in_an_address(text):
        entries = entries[:-1]
    if _local_name(root.tag).lower() == "sitemapindex":
        return Reading(kind="sitemap", children=_newest_children(entries, url, since))
    kind = "news_sitemap" if any("news_date" in entry or "news_title" in entry for entry in entries) else "sitemap"
    return Reading(kind=kind, links=_sitemap_links(entries, url, since))


_AMPERSAND = "\ue000"
"""Stands for `&` while libxml2 parses: after the first fault of a document it drops every `&amp;` without a word, and
`?a=1&amp;b=2` is another address then. So no entity reaches it, and none is ever expanded."""


_WIDE = re.compile(rb"<\0\0\0|\0\0\0<|<\0|\0<")


def decoded_xml(body: bytes) -> str:
    """An XML document as text, by its first bytes, else what it declares; control characters gone."""
    declared = re.search(rb"\A\s*<\?xml[^>]*encoding=[\"']([\w.-]+)", body[:200])
    encoding = declared[1].decode() if declared and not _is_utf8(body) else "utf-8"
    if body[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        encoding = "utf-32"
    elif marked := _WIDE.match(body):
        encoding = f"utf-{8 * len(marked[0])}-{'le' if marked[0].startswith(b'<') else 'be'}"
    elif body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    try:
        text = body.decode(encoding, "replace")
    except LookupError:
        text = body.decode("utf-8", "replace")
    return re.sub(r"\A\s*<\?xml[^>]*>", "", _NOT_TEXT.sub("", text.lstrip("\ufeff")))


def _parse_xml(text: str) -> Any:
    """What of an XML document is sound, with _AMPERSAND for `&`."""
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(_from_root(text).replace("&", _AMPERSAND).encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise NotAListing("not_a_sitemap")
    return root


def _from_root(text: str) -> str:
    """Without what a server has to say before the document begins (`<br/><b>Warning</b>: …`)."""
    text = re.sub(r"(?s)<!--.*?(?:-->|\Z)", "", text[:MAX_PROLOGUE]) + text[MAX_PROLOGUE:]  # they may name another root
    root = re.search(r"<(?:[\w.-]+:)?(?:urlset|sitemapindex)\b", text, re.IGNORECASE)
    return text[root.start() :] if root else text.strip()


def _own_text(element: Any) -> str:
    """An element's text, XML's own escapes resolved; HTML's (`&eacute;`) are left to _text(), in an address they mean nothing."""
    text = (element.text or "").strip()
    if _AMPERSAND not in text:
        return text
    text = text.replace(_AMPERSAND, "&")
    return re.sub(r"&(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);", lambda escape: unescape(escape[0]), text)


def _ends_in_an_address(text: str) -> bool:
    """Whether the document breaks off inside a `<loc>`: half an address is another address."""
    opened = [match.end() for match in re.finditer(r"<(?:[\w.-]+:)?loc\b", text[-2 * MAX_URL :])]
    return bool(opened) and not re.search(r"</(?:[\w.-]+:)?loc\s*>", text[-2 * MAX_URL :][opened[-1] :])


_FIELDS = {
    ("news", "publication_date"): "news_date",
    ("news", "title"): "news_title",
    ("publication", "language"): "news_language",
    ("news", "language"): "news_language",
    ("image", "loc"): "image",
    ("url", "loc"): "loc",
    ("url", "lastmod"): "lastmod",
    ("sitemap", "loc"): "loc",
    ("sitemap", "lastmod"): "lastmod",
}
"""(parent, element) -> field. By local name: prefixes and even namespaces are often wrong, and some are never declared."""


def _fields(element: Any) -> dict[str, str]:
    """What an entry says of one address: loc, lastmod, news_date, news_title, news_language, image."""
    found: dict[str, str] = {}
    for child in element.iterdescendants(etree.Element):
        name = _FIELDS.get((_local_name(child.getparent().tag), _local_name(child.tag)))
        if name and name not in found and (text := _own_text(child)):
            found[name] = text
    return found


@lru_cache(maxsize=256)
def _local_name(tag: str) -> str:
    return re.split("[}:]", tag)[-1]


def _sitemap_links(entries: list[dict[str, str]], url: str, since: datetime | None) -> tuple[Link, ...]:
    """The links of a sitemap: what costs most comes last, and only for what is new."""
    dated, undated, site = [], [], site_of(url)
    for entry in entries:
        until = _until(entry.get("news_date") or entry.get("lastmod"))
        if since and until and until < since:
            continue
        address = _address(entry.get("loc"), url)
        if address is None or site is None or site_of(address) != site:
            continue
        until = until or _date_in(address)
        if until is None:
            undated.append((address, entry))
        elif since is None or until >= since:
            dated.append((address, entry))
    newest = (*dated, *undated[_newest_undated([address for address, _ in undated])])
    return _distinct((Link(url=address, hints=_sitemap_hints(entry, url)) for address, entry in newest), MAX_LINKS)


_NO_HINTS = Hints()


def _sitemap_hints(entry: dict[str, str], url: str) -> Hints:
    if entry.keys() <= {"loc", "lastmod"}:
        return _NO_HINTS
    return Hints(
        title=_text(entry.get("news_title")),
        date_published=iso_date(entry.get("news_date")),
        language=_text(entry.get("news_language")),
        image_url=_address(entry.get("image"), url),
    )


def _newest_undated(addresses: list[str]) -> slice:
    """The 1,000 that are likely newest: by the numbers in them when these rise or fall, else the first."""
    ends = (*addresses[:1], *addresses[-1:])
    numbers = [int(found[-1][-15:]) for end in ends if (found := re.findall(r"\d+", end))]
    rising = len(numbers) == 2 and numbers[0] < numbers[1]
    return slice(-MAX_UNDATED, None) if rising else slice(MAX_UNDATED)


def _newest_children(entries: list[dict[str, str]], url: str, since: datetime | None) -> tuple[Child, ...]:
    children = []
    for entry in entries:
        link, until = _link(entry.get("loc"), url, Hints()), _until(entry.get("lastmod"))
        if link is None or not same_site(link.url, url) or link.url == url:
            continue
        if since is None or until is None or until >= since:
            children.append(Child(url=link.url, changed_at=until))
    oldest = datetime.min.replace(tzinfo=UTC)
    distinct: dict[str, Child] = {}
    for child in sorted(children, key=lambda child: child.changed_at or oldest, reverse=True):
        distinct.setdefault(child.url, child)
    return tuple(distinct.values())[:MAX_CHILDREN]


def _text_sitemap(body: bytes, url: str) -> tuple[Link, ...]:
    """A sitemap as a plain list of addresses, one a line (sitemaps.org, "Text file")."""
    encoding = "utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    lines = re.sub(r"(?m)^#.*", "", body.decode(encoding, "replace")).split(None, MAX_LINKS)[:MAX_LINKS]
    if not lines or not _looks_absolute(lines[0]):
        return ()
    found = (_link(line, url, Hints()) for line in lines if _looks_absolute(line))
    links = [link for link in found if link and same_site(link.url, url)]
    return _distinct(links[_newest_undated([link.url for link in links])], MAX_LINKS)


# Front pages

_NOT_AN_ARTICLE = re.compile(
    r"/(tags?|topics?|themen?|categor(y|ies|ia|ie)|kategorie|sections?|rubri\w+|authors?|autor\w*|profile|search|suche|buscar|page"
    r"|login|log-in|signin|sign-in|register|account|konto|subscribe|subscriptions?|newsletters?|rss|feeds?|podcasts?"
    r"|about(-us)?|contact(-us)?|kontakt|impressum|imprint|privacy\w*|datenschutz|terms\w*|agb|cookies?|advertis\w+|faq"
    r"|sitemap|wp-(admin|login|json)|cdn-cgi|comments?|galler(y|ies)|videos?|live-tv)(/|\.\w+$|$)"
    r"|/(abo|archiv(es?|o)?|help|jobs?|people|print|share|shop|weather|wetter)(/((19|20)\d\d([/-]?\d\d)*/?)?|\.\w+)?$"
    r"|\.(jpe?g|png|gif|webp|svg|pdf|mp[34]|zip|xml|json|css|js|ico|epub|docx?|xlsx?)$",
    re.IGNORECASE,
)
"""Paths of navigation and of files, in the languages most sites use; an article's slug seldom is one of these words.
Those of the second group are sections of some papers (`/archives/a-slug` is WordPress's own): alone they are navigation."""

_ARTICLE_PATH = re.compile(
    r"(19|20)\d\d[/-]?\d\d([/-]?\d\d)?/(?!\d\d?/?$)[^/]|/[^/]*\d{5,}[^/]*/?$|[/-](article|artikel|articulo|story|news|noticia)s?[/-].*\d{3,}",
    re.IGNORECASE,
)
"""A date with something after it, or a number: how most news sites name an article. Many others use a slug."""

_SLUG_WORDS = 4
_HEADLINE_WORDS = 5
_HEADLINE_CJK = 10
_HEADLINE_THAI = 25
"""Characters: a Japanese, Chinese or Thai headline has no spaces to count."""


def _front_page(body: bytes, url: str) -> Reading:
    tree = _parse_html(body)
    base = _absolute(next(iter(tree.xpath("//base/@href")), ""), url) or url
    articles = (Link(url=link) for link, text in _anchors(tree, base).items() if looks_like_article(link, text, url))
    feeds = (_link(href, base, Hints()) for href in _announced_feeds(tree))
    return Reading(
        kind="homepage",
        links=_distinct(articles, MAX_FRONT_PAGE_LINKS),
        feeds=tuple(feed.url for feed in _distinct(feeds, MAX_CHILDREN)),
    )


def site_name(body: bytes) -> str | None:
    """What a front page calls its site: og:site_name."""
    try:
        tree = _parse_html(_unpacked(body)[:MAX_BYTES])
    except NotAListing:
        return None
    return next(filter(None, map(_text, tree.xpath("//meta[@property='og:site_name']/@content"))), None)


def looks_like_article(link: str, text: str, front_page: str) -> bool:
    """Whether a link of a front page leads to an article: by its address, else by a text as long as a headline."""
    path = urlsplit(link).path
    elsewhere = not same_site(link, front_page) or is_front_page(link) or link == front_page
    if elsewhere or _NOT_AN_ARTICLE.search(path):
        return False
    return bool(_ARTICLE_PATH.search(path)) or _slug_words(path) >= _SLUG_WORDS or _headline_length(text)


def _slug_words(path: str) -> int:
    return len([word for word in re.split("[-_]", path.rstrip("/").rpartition("/")[2]) if word])


def _headline_length(text: str) -> bool:
    return (
        len(text.split()) >= _HEADLINE_WORDS
        or len(re.findall(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", text)) >= _HEADLINE_CJK
        or len(re.findall(r"[\u0e01-\u0e5b]", text)) >= _HEADLINE_THAI
    )


_HUGE_TAG = re.compile(
    rb"<([a-zA-Z][^\s<>]*+)(?:\s++[^\s=<>]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>]*+))?+){%d,}+" % MAX_ATTRIBUTES
)


def _parse_html(body: bytes) -> Any:
    """Valid UTF-8 is UTF-8 whatever the page says or fails to say; else lxml goes by the page's `<meta charset>`."""
    if _HUGE_TAG.search(body):
        raise NotAListing("too_complex")
    if tag := next(islice(re.finditer(b"<", body), MAX_TAGS, None), None):
        body = body[: tag.start()]
    # huge_tree: without it lxml gives nothing at all of a page nested over 255 levels, and unclosed <font> nest.
    parser = html.HTMLParser(huge_tree=True, remove_comments=True, encoding="utf-8" if _is_utf8(body) else None)
    try:
        return html.document_fromstring(body or b" ", parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        raise NotAListing("not_a_page") from None


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in body


def _announced_feeds(tree: Any) -> Iterator[str]:
    for link in tree.xpath("//link[@href][@type]"):
        href, kind = link.get("href"), link.get("type").partition(";")[0].strip().lower()
        is_feed = "alternate" in link.get("rel", "").lower().split() and kind in FEED_TYPES
        # WordPress announces its programming interface as application/json too.
        is_json_api = kind == "application/json" and (
            re.search(r"/wp-json\b|[?&]rest_route=", href) or "feed" not in href
        )
        is_comments = re.search(r"\bcomments\b", f"{href} {link.get('title', '')}", re.IGNORECASE)
        if is_feed and not is_json_api and not is_comments:
            yield href


def _anchors(tree: Any, base: str) -> dict[str, str]:
    """Each address that is linked, in page order, with the longest text of its links: a teaser has one link on its
    picture and one on its headline."""
    texts: dict[str, str] = {}
    for anchor in islice(tree.iter("a"), MAX_ANCHORS):
        if link := _link(anchor.get("href"), base, Hints()):
            texts[link.url] = max(texts.get(link.url, ""), " ".join(anchor.itertext()).strip(), key=len)
    return texts


# What all of them share


def _link(href: Any, base: str, hints: Hints) -> Link | None:
    """The link, or None when its address is unusable: one malformed entry must not cost the others."""
    url = _address(href, base)
    return Link(url=url, hints=hints) if url else None


def _address(href: Any, base: str) -> str | None:
    """A canonical address, where it is one that can be asked for."""
    url = _absolute(href, base)
    if url is None or len(url) > MAX_URL:
        return None
    try:
        url = canonical_url(url)
    except UnusableURL:
        return None
    return url if len(url) <= MAX_URL else None  # escapes make it longer


def _absolute(href: Any, base: str) -> str | None:
    if not isinstance(href, str) or not (said := href.strip().replace("&amp;", "&")):
        return None
    if is_whole(said):
        return said
    try:
        return urljoin(base, said)
    except ValueError:
        return None


def _distinct(links: Iterable[Link | None], most: int) -> tuple[Link, ...]:
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
_MAX_RAW_HINT = 20 * MAX_HINT
"""Characters that are read for a hint, markup included."""
_NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e\ud800-\udfff]")
"""Control characters but line ends, overrides of the direction of writing, lone surrogates, which no database takes."""


def _text(value: Any) -> str | None:
    """Plain text of a feed's field: markup removed, white space folded; None when nothing is left."""
    if not isinstance(value, str):
        return None
    plain = value if len(value) <= _MAX_RAW_HINT else re.sub(r"<[^<>]*$", "", value[:_MAX_RAW_HINT])
    if "<" in plain or "&" in plain:
        plain = unescape(remove_tags(_BLOCK_TAG.sub(" ", _SILENT.sub("", plain))))
    return " ".join(_NOT_TEXT.sub("", plain).split())[:MAX_HINT].rstrip() or None


def iso_date(value: Any) -> str | None:
    """A feed's date as ISO 8601 with its offset, as precise as it was; its own string where nobody can read it."""
    said = _text(value)
    if said is None or re.fullmatch(r"\d{4}-\d\d-\d\d", said):
        return said
    moment = _parsed(said) if len(said) <= MAX_DATE else None
    return moment.isoformat() if moment else said[:MAX_DATE].rstrip()


def _until(value: str | None) -> datetime | None:
    """The latest instant a date may mean: a bare day counts as its end."""
    if not value or not value.strip():
        return None
    moment = _parsed(value.strip()) if len(value.strip()) <= MAX_DATE else None
    if moment is None:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _end_of_day(moment) if len(value.strip()) <= len("2026-11-01") else moment


def _end_of_day(moment: datetime) -> datetime:
    return moment.replace(hour=23, minute=59, second=59)


MAX_DATE = 100
"""Characters of a date; the longest form in words, with weekday, offset and the zone's name, has some 60."""


def _parsed(value: str) -> datetime | None:
    """ISO 8601, then RFC 822, then whatever dateutil makes of it."""
    for parse in (datetime.fromisoformat, parsedate_to_datetime, dateutil_parser.parse):
        try:
            moment = parse(value)
            moment.utcoffset()  # dateutil takes an offset of 99 hours, and the next to ask for it falls over it
        except (ValueError, TypeError, ArithmeticError, IndexError):  # ArithmeticError: 9e999 seconds
            continue
        # RFC 822's `-0000` is UTC; the standard library gives a naive datetime for it.
        return moment.replace(tzinfo=UTC) if "-0000" in value and moment.tzinfo is None else moment
    return None


_DATE = re.compile(r"/(20\d\d)[/-]?(0[1-9]|1[0-2])(?:[/-]?(0[1-9]|[12]\d|3[01]))?(?!\d)")


def _date_in(url: str) -> datetime | None:
    """The end of the day, or of the month, that an address names."""
    match = _DATE.search(url.partition("?")[0].partition("://")[2])
    if not match:
        return None
    try:
        if match[3]:
            return _end_of_day(datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=UTC))
        in_next_month = datetime(int(match[1]), int(match[2]), 28, tzinfo=UTC) + timedelta(days=4)
        return _end_of_day(in_next_month - timedelta(days=in_next_month.day))
    except ValueError:
        return None


def _looks_absolute(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _root_of(body: bytes) -> str | None:
    """The local name of an XML document's root as far as one can tell without parsing: broken XML is common."""
    text = body.replace(b"\0", b"") if b"\0" in body[:4096] else body
    declared = _DOCTYPE.match(text, max(0, text[:4096].upper().find(b"<!DOCTYPE")))
    text = text[declared.end() :] if declared else text
    match = _ROOT.search(_COMMENTS.sub(b"", text[:MAX_PROLOGUE])[:4096])
    return match[1].decode().lower() if match else None


MAX_PROLOGUE = 2**17
"""Bytes before the root, comments included, in which it is looked for."""
_COMMENTS = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_ROOT = re.compile(rb"<(?:\w+:)?(rss|feed|rdf|urlset|sitemapindex)\b", re.IGNORECASE)


_DOCTYPE = re.compile(rb"<!DOCTYPE\b[^\[>]*+(?:\[.*?\]\s*+)?>", re.IGNORECASE | re.DOTALL)
"""With the declarations inside: they may be longer than all that follows."""


def _unpacked(body: bytes) -> bytes:
    """Also of what was packed twice: a .gz file that its server packs once more."""
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
                found += member.decompress(body[at : at + _BLOCK], MAX_BYTES)
                at = min(at + _BLOCK, len(body))
        except zlib.error:
            break
        at -= len(member.unused_data)
    if not found:
        raise NotAListing("damaged_gzip")
    return bytes(found)
