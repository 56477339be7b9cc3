"""Front pages: feed autodiscovery (`<link rel="alternate">`), and the links that look like articles."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from lxml import etree, html

from crawler.encodings import decoded_html
from crawler.items import MAX_CHILDREN, MAX_PAGE_BYTES, Hints, Link
from crawler.parsers.links import (
    FEED_TYPES,
    HUGE_TAG,
    MAX_BYTES,
    NotAListing,
    Reading,
    absolute,
    address_of,
    distinct_links,
    link_of,
    plain_text,
    unpacked,
)
from crawler.urls import default_name, hash_route, is_front_page, same_site
from pipelines.extract.notice_signs import notice_word

MAX_LINKED_FEEDS = 5
"""Feeds that are tried of those that a front page only links to, the first: the list of a paper's sections may be long."""


MAX_FRONT_PAGE_LINKS = 500
"""Links of one front page that are taken, the first."""


MAX_TAGS = 100_000
"""Tags of one front page that are read: libxml2 takes 300 bytes for each; full ones of real sites have some 10,000."""


MAX_ANCHORS = 5_000
"""Links of one front page that are looked at; the fullest of real sites have some 1,500."""


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
    r"(19|20)\d\d[/-]?\d\d([/-]?\d\d)?/(?!\d\d?/?$)[^/]|/(?=[^/]*\d{5})[^/]*+/?$|[/-](article|artikel|articulo|story|news|noticia)s?[/-].{0,300}\d{3}",
    re.IGNORECASE,
)
"""A date with something after it, or a number: how most news sites name an article. Many others use a slug."""


_SLUG_WORDS = 4
"""Words of a slug that names an article."""


_HEADLINE_WORDS = 5
"""Words of a link that is as long as a headline."""


_HEADLINE_CJK_CHARS = 10
"""The same of Chinese and Japanese, which have no spaces to count words by."""


_HEADLINE_THAI_CHARS = 25
"""The same of Thai, likewise."""


CJK = "々-〇ぁ-ヿ㄀-ㆿㇰ-ㇿ㐀-䶿一-鿿ꥠ-ꥼ가-힣豈-﫿ｦ-ﾟ𠀀-𿿽"
"""The same as pipelines.text.CJK, which this package may not import: Han, kana, bopomofo, Hangul."""


def read_front_page(body: bytes, url: str) -> Reading:
    """Parse the HTML of a front page found at `url`: the feeds it announces, its links to articles. Raises NotAListing."""
    tree = _parse_html(body)
    base = absolute(next(iter(tree.xpath("//base/@href")), ""), url) or url
    anchors = _anchors(tree, base)
    articles = (Link(url=link) for link, text in anchors.items() if looks_like_article(link, text, url))
    feeds = (link_of(href, base, Hints()) for href in _announced_feeds(tree))
    links, announced = distinct_links(articles, MAX_FRONT_PAGE_LINKS), distinct_links(feeds, MAX_CHILDREN)
    sitemaps = distinct_links((link_of(href, base, Hints()) for href in _announced_sitemaps(tree)), MAX_CHILDREN)
    return Reading(
        kind="homepage",
        notice=None if links or announced or sitemaps else _notice_word(tree, body, url),
        links=links,
        feeds=tuple(feed.url for feed in announced),
        sitemaps=tuple(sitemap.url for sitemap in sitemaps),
        linked_feeds=tuple(_linked_feeds(tree, base, anchors, url))[:MAX_LINKED_FEEDS],
    )


def notice_in(body: bytes, url: str) -> str | None:
    """The reason for which a web page stands where a feed or a sitemap should: `turned_away`, `parked`; None: it says none."""
    if not _IS_HTML.search(body[:MAX_NOTICE_BYTES]):
        return None
    try:
        return _notice_word(_parse_html(body[:MAX_NOTICE_BYTES]), body, url)
    except NotAListing:
        return None


_IS_HTML = re.compile(rb"<(?:title|h1|body)\b", re.IGNORECASE)

MAX_NOTICE_BYTES = 2**17
"""Of a page that may be a notice; those of the vendors have 10 KB, most of it style."""


def _notice_word(tree: Any, body: bytes, url: str) -> str | None:
    titles = [title for element in tree.iter("title", "h1", "h2") if (title := plain_text("".join(element.itertext())))]
    lines = (plain_text(line) for line in tree.xpath(_SHOWN_TEXT))
    return notice_word(titles, "\n".join(filter(None, lines)), body[:MAX_NOTICE_BYTES].decode("utf-8", "replace"), url)


_SHOWN_TEXT = (
    "//body//text()[not(ancestor::script or ancestor::style or ancestor::noscript or ancestor::h1 or ancestor::h2)]"
)


def site_says(body: bytes, url: str) -> dict[str, str | None]:
    """What a front page says of its site; None, or no key, where it does not.

    Its `name` (og:site_name), its `language` (the lang of <html>), and its `title`: the part of <title> that is a name.
    """
    try:
        tree = _parse_html(unpacked(body)[:MAX_BYTES])
    except NotAListing:
        return {}
    names = map(plain_text, tree.xpath("//meta[@property='og:site_name']/@content"))
    return {
        "name": next(filter(None, names), None),
        "language": plain_text(tree.xpath("string(/html/@lang)")),
        "title": _name_in(plain_text(tree.xpath("string(//title)")) or "", url),
    }


def _name_in(title: str, url: str) -> str | None:
    """The part of a title that the host is called after, as `The Pier` of `News, all day | The Pier` at thepier.example; else
    the whole title where hosts do not spell its script, and it is as short as a name. `Home` is no name."""
    host = _letters(default_name(url).rpartition(".")[0])
    parts = [part.strip() for part in _BETWEEN_PARTS.split(title[:MAX_TITLE_CHARS]) if part.strip()]
    for part in parts:
        called = _letters(part)
        if len(called) >= _SHORTEST_NAME and (called in host or (len(host) >= _SHORTEST_NAME and host in called)):
            return part
    is_short = len(parts) == 1 and len(title) <= _NAME_CHARS
    return title if is_short and not re.search("[a-z]", _letters(title)) else None


def _letters(text: str) -> str:
    """Letters and figures, small and without accents."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text.lower())))


_BETWEEN_PARTS = re.compile(r" [|·•–—-] |: ")

MAX_TITLE_CHARS = 1_000
"""Of a title that is looked at."""

_SHORTEST_NAME, _NAME_CHARS = 3, 40
"""Letters of the shortest name that is found in a host's, such as BBC; characters of a title that may be a name."""


def looks_like_article(link: str, text: str, front_page: str) -> bool:
    """Whether a link of a front page leads to an article: by its address, else by a text as long as a headline."""
    path = hash_route(link) or urlsplit(link).path
    elsewhere = not same_site(link, front_page) or is_front_page(link) or link == front_page
    if elsewhere or _NOT_AN_ARTICLE.search(path):
        return False
    return bool(_ARTICLE_PATH.search(path)) or _slug_words(path) >= _SLUG_WORDS or _headline_length(text)


def _slug_words(path: str) -> int:
    return len([word for word in re.split("[-_]", path.rstrip("/").rpartition("/")[2]) if word])


def _headline_length(text: str) -> bool:
    return (
        len(text.split()) >= _HEADLINE_WORDS
        or len(re.findall(f"[{CJK}]", text)) >= _HEADLINE_CJK_CHARS
        or len(re.findall(r"[\u0e01-\u0e5b]", text)) >= _HEADLINE_THAI_CHARS
    )


def _parse_html(body: bytes) -> Any:
    """The tree of a page, its characters found as those of articles are. Raises NotAListing."""
    if (text := decoded_html(body[:MAX_PAGE_BYTES]) if body else " ") is None:
        raise NotAListing("not_a_page")
    body = text.encode("utf-8", "replace")
    if HUGE_TAG.search(body):
        raise NotAListing("too_complex")
    if tag := next(islice(re.finditer(b"<", body), MAX_TAGS, None), None):
        body = body[: tag.start()]
    # huge_tree: without it lxml gives nothing at all of a page nested over 255 levels, and unclosed <font> nest.
    parser = html.HTMLParser(huge_tree=True, remove_comments=True, encoding="utf-8")
    try:
        return html.document_fromstring(body, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        raise NotAListing("not_a_page") from None


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


def _announced_sitemaps(tree: Any) -> Iterator[str]:
    for link in tree.xpath("//link[@href][@rel]"):
        if "sitemap" in link.get("rel").lower().split() and is_of_sitemap(link.get("type") or "", link.get("href")):
            yield link.get("href")


def is_of_sitemap(kind: str, href: str) -> bool:
    """Whether what is linked as a sitemap is one for robots, by its media type, else by its name; many are pages for people."""
    kind = kind.partition(";")[0].strip().lower()
    if kind and kind != "text/plain":
        return kind.endswith("xml") and "html" not in kind
    return re.search(r"\.(?:xml|txt)(?:\.gz)?$", href.partition("?")[0].strip(), re.IGNORECASE) is not None


def _linked_feeds(tree: Any, base: str, anchors: Iterable[str], url: str) -> Iterator[str]:
    """What of its own site a page links to as a feed, by its type or by a name that only feeds have."""
    typed = (a.get("href") for a in islice(tree.iter("a"), MAX_ANCHORS) if (a.get("type") or "").lower() in FEED_TYPES)
    named = (link for link in anchors if _FEED_NAME.search(link.partition("#")[0]))
    for link in dict.fromkeys((*filter(None, (address_of(href, base) for href in typed)), *named)):
        if same_site(link, url) and not re.search(r"\bcomments\b", link, re.IGNORECASE):
            yield link


_FEED_NAME = re.compile(
    r"/(?:feed|rss|atom)/?$|/(?:feed|rss|atom|index|news)\.(?:xml|rss|rdf|atom|json)$|\.(?:rss|atom|rdf)$",
    re.IGNORECASE,
)


def _anchors(tree: Any, base: str) -> dict[str, str]:
    """Each address that is linked, in page order, with the longest text of its links: a teaser has one link on its
    picture and one on its headline."""
    texts: dict[str, str] = {}
    for anchor in islice(tree.iter("a"), MAX_ANCHORS):
        if link := link_of(anchor.get("href"), base, Hints()):
            texts[link.url] = max(texts.get(link.url, ""), " ".join(anchor.itertext()).strip(), key=len)
    return texts
