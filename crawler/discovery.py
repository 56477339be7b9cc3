"""Bytes of a feed, sitemap or front page -> the links it holds, with what it says of each. Pure: no network, no clock.

Hostile or broken input gives what could still be read, or NotAListing; one malformed link never costs the others.
"""

import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser
from dateutil import parser as dateutil_parser
from lxml import etree, html
from w3lib.html import remove_tags

from crawler.items import Hints, Link
from crawler.urls import canonical_url, is_front_page, same_site

MAX_BYTES = 64 * 2**20
"""Of an unpacked listing: the sitemap protocol allows 50 MB; beyond this the rest is not read."""

MAX_LINKS = 50_000
"""Of one listing: the sitemap protocol's limit."""

MAX_FRONT_PAGE_LINKS = 500
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

_NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"


class NotAListing(ValueError):
    """The bytes are no feed, sitemap or page of the kind that was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one document holds."""

    kind: str  #: rss, atom, json, news_sitemap, sitemap or homepage
    links: tuple[Link, ...] = ()
    children: tuple[str, ...] = ()  #: sitemaps that a sitemap index names, newest first
    feeds: tuple[str, ...] = ()  #: feeds that a front page announces


def read_listing(body: bytes, url: str, expected: str, since: datetime | None = None) -> Reading:
    """Read a document found where an `expected` (feed, news_sitemap, sitemap or homepage) should be.

    `since` (aware) leaves out sitemap entries that are older. Raises NotAListing.
    """
    body = _unpacked(body)
    if expected == "homepage":
        return _front_page(body, url)
    root = _root_of(body)
    if root in ("urlset", "sitemapindex"):
        return _sitemap(body, url, since)
    if root in ("rss", "feed", "rdf"):
        return _feed(body, url)
    if expected == "feed" and body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _json_feed(body, url)
    if expected != "feed" and (lines := _text_sitemap(body, url)):
        return Reading(kind="sitemap", links=lines)
    raise NotAListing(f"not_a_{'feed' if expected == 'feed' else 'sitemap'}")


# Feeds


def _feed(body: bytes, url: str) -> Reading:
    parsed = feedparser.parse(io.BytesIO(body), response_headers={"content-location": url})
    kind = "atom" if str(parsed.get("version", "")).startswith("atom") else "rss"
    language = _text(parsed.feed.get("language"))
    links = (_link(_entry_url(entry), url, _entry_hints(entry, language)) for entry in parsed.entries)
    return Reading(kind=kind, links=_distinct(links, MAX_LINKS))


def _entry_url(entry: Any) -> str | None:
    return (
        entry.get("feedburner_origlink")
        or entry.get("link")
        or (entry.get("id") if _looks_absolute(entry.get("id")) else None)
    )


def _entry_hints(entry: Any, language: str | None) -> Hints:
    names = [_text(author.get("name")) for author in entry.get("authors", [])] or [_text(entry.get("author"))]
    images = [*entry.get("media_thumbnail", []), *entry.get("media_content", [])]
    return Hints(
        title=_text(entry.get("title")),
        description=_text(entry.get("summary")),
        authors=tuple(dict.fromkeys(name for name in names if name)),
        date_published=iso_date(entry.get("published") or entry.get("updated")),
        language=_text(entry.get("dc_language")) or language,
        image_url=next((image["url"] for image in images if _is_image(image)), None),
    )


def _is_image(media: Any) -> bool:
    return (
        bool(media.get("url"))
        and (media.get("medium") in (None, "image"))
        and not str(media.get("type", "image")).startswith(("video", "audio"))
    )


def _json_feed(body: bytes, url: str) -> Reading:
    """https://www.jsonfeed.org/version/1.1/; feedparser does not read it."""
    try:
        feed = json.loads(body)
    except (ValueError, RecursionError):
        raise NotAListing("not_a_feed") from None
    if "jsonfeed.org" not in str(feed.get("version")) or not isinstance(feed.get("items"), list):
        raise NotAListing("not_a_feed")
    items = [item for item in feed["items"] if isinstance(item, dict)]
    links = (_link(item.get("url") or item.get("external_url"), url, _json_hints(item, feed)) for item in items)
    return Reading(kind="json", links=_distinct(links, MAX_LINKS))


def _json_hints(item: dict[str, Any], feed: dict[str, Any]) -> Hints:
    authors = item.get("authors") or [item.get("author")]
    names = (
        [_text(author.get("name")) for author in authors if isinstance(author, dict)]
        if isinstance(authors, list)
        else []
    )
    return Hints(
        title=_text(item.get("title")),
        description=_text(item.get("summary")),
        authors=tuple(name for name in names if name),
        date_published=iso_date(item.get("date_published")),
        language=_text(item.get("language")) or _text(feed.get("language")),
        image_url=_text(item.get("image")),
    )


# Sitemaps


def _sitemap(body: bytes, url: str, since: datetime | None) -> Reading:
    root = _parse_xml(body)
    entries = [_children_text(element) for element in root.iter("{*}sitemap", "{*}url")]
    if etree.QName(root).localname == "sitemapindex":
        return Reading(kind="sitemap", children=_newest_children(entries, url, since))
    kind = "news_sitemap" if any("news_date" in entry or "news_title" in entry for entry in entries) else "sitemap"
    return Reading(kind=kind, links=_sitemap_links(entries, url, since))


def _parse_xml(body: bytes) -> Any:
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise NotAListing("not_a_sitemap")
    return root


def _children_text(element: Any) -> dict[str, str]:
    """The entry's own fields by short name: loc, lastmod, news_date, news_title, news_language, image."""
    wanted = {
        f"{_NEWS}publication_date": "news_date",
        f"{_NEWS}title": "news_title",
        f"{_NEWS}language": "news_language",
        "{http://www.google.com/schemas/sitemap-image/1.1}loc": "image",
    }
    found: dict[str, str] = {}
    for child in element.iter(etree.Element):
        name = wanted.get(child.tag) or (etree.QName(child).localname if child.getparent() is element else "")
        if name and child.text and name not in found:
            found[name] = child.text.strip()
    return found


def _sitemap_links(entries: list[dict[str, str]], url: str, since: datetime | None) -> tuple[Link, ...]:
    dated, undated = [], []
    for entry in entries:
        link = _link(entry.get("loc"), url, _sitemap_hints(entry))
        if link is None or not same_site(link.url, url):
            continue
        when = _moment(entry.get("news_date") or entry.get("lastmod")) or _date_in(link.url)
        if when is None:
            undated.append(link)
        elif since is None or when >= since:
            dated.append(link)
    return _distinct([*dated, *_newest_undated(undated)], MAX_LINKS)


def _sitemap_hints(entry: dict[str, str]) -> Hints:
    return Hints(
        title=_text(entry.get("news_title")),
        date_published=iso_date(entry.get("news_date")),
        language=_text(entry.get("news_language")),
        image_url=entry.get("image"),
    )


def _newest_undated(links: list[Link]) -> list[Link]:
    """The 1,000 that are likely newest: by the numbers in their addresses when these rise or fall, else the first."""
    numbers = [int(found[-1][-15:]) for link in (*links[:1], *links[-1:]) if (found := re.findall(r"\d+", link.url))]
    rising = len(numbers) == 2 and numbers[0] < numbers[1]
    return links[-MAX_UNDATED:] if rising else links[:MAX_UNDATED]


def _newest_children(entries: list[dict[str, str]], url: str, since: datetime | None) -> tuple[str, ...]:
    children = []
    for entry in entries:
        link, when = _link(entry.get("loc"), url, Hints()), _moment(entry.get("lastmod"))
        if link and same_site(link.url, url) and (since is None or when is None or when >= since):
            children.append((when or datetime.min.replace(tzinfo=UTC), link.url))
    newest_first = sorted(children, key=lambda child: child[0], reverse=True)
    return tuple(dict.fromkeys(address for _, address in newest_first[:MAX_CHILDREN]))


def _text_sitemap(body: bytes, url: str) -> tuple[Link, ...]:
    """A sitemap as a plain list of addresses, one a line (sitemaps.org, "Text file")."""
    lines = body.decode("utf-8-sig", "replace").split("\n")
    if not lines or not _looks_absolute(lines[0].strip()):
        return ()
    links = [link for line in lines if (link := _link(line.strip() or None, url, Hints())) and same_site(link.url, url)]
    return _distinct(_newest_undated(links), MAX_LINKS)


# Front pages

_NOT_AN_ARTICLE = re.compile(
    r"/(tags?|topics?|themen?|categor(y|ies|ia|ie)|kategorie|sections?|rubri\w+|authors?|autor\w*|profile|people|search|suche|buscar"
    r"|login|log-in|signin|sign-in|register|account|konto|subscribe|subscriptions?|abo|newsletters?|rss|feeds?|podcasts?|shop|jobs?"
    r"|about(-us)?|contact(-us)?|kontakt|impressum|imprint|privacy\w*|datenschutz|terms\w*|agb|cookies?|advertis\w+|archives?|archiv|help|faq"
    r"|sitemap|wp-(admin|login|json)|cdn-cgi|comments?|galler(y|ies)|videos?|live-tv|weather|wetter|print|share)(/|\.\w+$|$)"
    r"|\.(jpe?g|png|gif|webp|svg|pdf|mp[34]|zip|xml|json|css|js|ico|epub|docx?|xlsx?)$",
    re.IGNORECASE,
)
"""Paths of navigation and of files, in the languages most sites use; an article's slug seldom is one of these words."""

_ARTICLE_PATH = re.compile(
    r"(19|20)\d\d[/-]?\d\d([/-]?\d\d)?/|/[^/]*\d{5,}[^/]*/?$|(/|-)(article|artikel|articulo|story|news|noticia)s?[/-].*\d{3,}"
    r"|/[^/]+-[^/]+-[^/]+-[^/]+/?$",
    re.IGNORECASE,
)
"""A date, a long number or a slug of four words: how most news sites name an article."""

_HEADLINE_WORDS = 5
_HEADLINE_CJK = 10
"""Characters: a Japanese or Chinese headline has no spaces to count."""


def _front_page(body: bytes, url: str) -> Reading:
    tree = _parse_html(body)
    base = urljoin(url, next(iter(tree.xpath("//base/@href")), ""))
    articles = (Link(url=link) for link, text in _anchors(tree, base).items() if looks_like_article(link, text, url))
    feeds = (_link(href, base, Hints()) for href in _announced_feeds(tree))
    return Reading(
        kind="homepage",
        links=_distinct(articles, MAX_FRONT_PAGE_LINKS),
        feeds=tuple(feed.url for feed in _distinct(feeds, MAX_CHILDREN)),
    )


def looks_like_article(link: str, text: str, front_page: str) -> bool:
    """Whether a link of a front page leads to an article: by its address, else by a text as long as a headline."""
    path = urlsplit(link).path
    if not same_site(link, front_page) or is_front_page(link) or _NOT_AN_ARTICLE.search(path):
        return False
    return bool(_ARTICLE_PATH.search(path)) or _headline_length(text)


def _headline_length(text: str) -> bool:
    return (
        len(text.split()) >= _HEADLINE_WORDS
        or len(re.findall(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", text)) >= _HEADLINE_CJK
    )


def _parse_html(body: bytes) -> Any:
    try:
        tree = html.document_fromstring(body or b" ", parser=html.HTMLParser(huge_tree=False))
    except (etree.ParserError, ValueError):
        raise NotAListing("not_a_page") from None
    return tree


def _announced_feeds(tree: Any) -> Iterator[str]:
    for link in tree.xpath("//link[@href][@type]"):
        announced = (
            "alternate" in link.get("rel", "").lower().split()
            and link.get("type").split(";")[0].strip().lower() in FEED_TYPES
        )
        is_json_api = link.get("type").startswith("application/json") and "feed" not in link.get("href")
        is_comments = re.search(r"comment", f"{link.get('href')} {link.get('title', '')}", re.IGNORECASE)
        if announced and not is_json_api and not is_comments:
            yield link.get("href")


def _anchors(tree: Any, base: str) -> dict[str, str]:
    """Each address that is linked, in page order, with the longest text of its links: a teaser has one link on its
    picture and one on its headline."""
    texts: dict[str, str] = {}
    for anchor in tree.iter("a"):
        if link := _link(anchor.get("href"), base, Hints()):
            texts[link.url] = max(texts.get(link.url, ""), " ".join(anchor.itertext()).strip(), key=len)
    return texts


# What all of them share


def _link(href: Any, base: str, hints: Hints) -> Link | None:
    """The link, or None when its address is unusable: one malformed entry must not cost the others."""
    if not isinstance(href, str):
        return None
    try:
        return Link(url=canonical_url(urljoin(base, href.strip().replace("&amp;", "&"))), hints=hints)
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


def _text(value: Any) -> str | None:
    """Plain text of a feed's field: markup removed, white space folded; None when nothing is left."""
    if not isinstance(value, str):
        return None
    plain = " ".join(unescape(remove_tags(value)).split()) if "<" in value or "&" in value else " ".join(value.split())
    return plain or None


def iso_date(value: Any) -> str | None:
    """A feed's date as ISO 8601 with its offset, as precise as it was; its own string where nobody can read it."""
    if not isinstance(value, str) or not value.strip():
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip()):
        return value.strip()
    moment = _parsed(value.strip())
    return moment.isoformat() if moment else value.strip()


def _moment(value: str | None) -> datetime | None:
    moment = _parsed(value.strip()) if value and value.strip() else None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _parsed(value: str) -> datetime | None:
    """ISO 8601, then RFC 822, then whatever dateutil makes of it."""
    for parse in (datetime.fromisoformat, parsedate_to_datetime, dateutil_parser.parse):
        try:
            moment = parse(value)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        # RFC 822's `-0000` is UTC; the standard library gives a naive datetime for it.
        return moment.replace(tzinfo=UTC) if "-0000" in value and moment.tzinfo is None else moment
    return None


def _date_in(url: str) -> datetime | None:
    match = re.search(r"/(20\d\d)[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])?", urlsplit(url).path)
    if not match:
        return None
    # A month without a day counts as its last: better one look too many than an article missed.
    try:
        return datetime(int(match[1]), int(match[2]), int(match[3] or 28), 23, 59, tzinfo=UTC)
    except ValueError:
        return None


def _looks_absolute(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _root_of(body: bytes) -> str | None:
    """The local name of an XML document's root as far as one can tell without parsing: broken XML is common."""
    head = body[:4096].replace(b"\0", b"")
    match = re.search(rb"<(?:\w+:)?(rss|feed|rdf|urlset|sitemapindex)\b", head, re.IGNORECASE)
    return match[1].decode().lower() if match else None


def _unpacked(body: bytes) -> bytes:
    """gzip is told by its magic bytes, not by header or name; at most MAX_BYTES come out, of a damaged one what is sound."""
    if body[:2] != b"\x1f\x8b":
        return body[:MAX_BYTES]
    try:
        return zlib.decompressobj(wbits=31).decompress(body, MAX_BYTES)
    except zlib.error:
        raise NotAListing("damaged_gzip") from None
