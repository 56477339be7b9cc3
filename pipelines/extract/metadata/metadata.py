"""HTML tree -> Metadata: what a page says about its article, structured data before anything that has to be guessed.

The order of belief is JSON-LD, then meta tags, then microdata and visible elements. Knows nothing of the body's text.
"""

import re
from dataclasses import dataclass
from itertools import chain
from urllib.parse import quote, urljoin, urlsplit

from crawler.dates.moments import Moment
from crawler.urls import original_url
from pipelines.extract.metadata.authors import authors, unique
from pipelines.extract.metadata.dates import modified_at, published_at
from pipelines.extract.metadata.headings import heading_of
from pipelines.extract.metadata.page_head import PageHead
from pipelines.extract.metadata.stated_dates import habits_of
from pipelines.extract.metadata.titles import title, titles_by_place
from pipelines.extract.phrases import Openings
from pipelines.text import TAG, clean, fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a page says of its article; None where it is silent."""

    title: str | None = None
    kicker: str | None = None  #: the small line above the title
    titles: tuple[tuple[str, str], ...] = ()  #: what each place of items.TITLES says, where these disagree
    description: str | None = None
    authors: tuple[str, ...] = ()
    published: Moment | None = None
    published_source: str = "none"  #: jsonld, meta, url, page or none
    modified: Moment | None = None
    language: str | None = None
    section: str | None = None
    keywords: tuple[str, ...] = ()
    image_url: str | None = None
    site_name: str | None = None
    canonical_url: str | None = None
    is_accessible_for_free: bool | None = None


def read_metadata(head: PageHead, timezone: str | None = None, title_place: str | None = None) -> Metadata:
    """Everything a page says of its article; times without offset are of `timezone`, the title is the one in `title_place`."""
    site = site_name(head)
    spoken = language(head)
    heading = heading_of(head, site)
    habits = habits_of(head, spoken, timezone)
    modified = modified_at(head, habits)
    published, source = published_at(head, habits, modified, heading.element if heading else None)
    titles = titles_by_place(head, site, heading)
    return Metadata(
        title=titles.get(title_place or "") or title(head, site, heading),
        kicker=heading.kicker if heading else None,
        titles=tuple(titles.items()) if len({fold(line) for line in titles.values()}) > 1 else (),
        description=description(head),
        authors=authors(head, site, heading.element if heading else None),
        published=published,
        published_source=source,
        modified=modified,
        language=spoken,
        section=section(head),
        keywords=keywords(head),
        image_url=image_url(head),
        site_name=site,
        canonical_url=canonical_url(head),
        is_accessible_for_free=accessible_for_free(head),
    )


# ------------------------------------------------------------------------------------------------------------ others
def description(head: PageHead) -> str | None:
    value = head.ld("description")
    stated = head.first("og:description", "description", "twitter:description") or (
        clean(value) if isinstance(value, str) else ""
    )
    return clean(TAG.sub(" ", stated)) or None


def language(head: PageHead) -> str | None:
    """The primary tag of what the page declares."""
    value = head.ld("inLanguage")
    value = value.get("alternateName") or value.get("name") if isinstance(value, dict) else value
    for text in (
        head.tree.get("lang"),
        head.tree.get("{http://www.w3.org/XML/1998/namespace}lang"),
        head.tree.get("xml:lang"),
        value,
        head.first("content-language", "language", "dc.language", "og:locale"),
    ):
        if isinstance(text, str) and (tag := primary_tag(text)):
            return tag
    return None


def primary_tag(text: str) -> str | None:
    """`en` of `en-GB`, `en_GB` or `EN, fr`; None for what is no language tag."""
    match = re.match(r"\s*([a-zA-Z]{2,3})(?:[-_]|\s*$|,)", text)
    return match[1].lower() if match else None


TOP_PAGE = Openings("top_pages", after="$")
"""What a breadcrumb begins with: the front page is no section."""


def section(head: PageHead) -> str | None:
    value = head.ld("articleSection")
    value = next((one for one in value if isinstance(one, str)), None) if isinstance(value, list) else value
    stated = (clean(value) if isinstance(value, str) else "") or head.first(
        "article:section", "section", "parsely-section", "cxenseparse:section", "og:article:section"
    )
    names = (name or _section_above(head) for name in (stated, None))  # links are read where nothing is stated
    return next((name for name in names if name and not TOP_PAGE.match(name)), None)


def _section_above(head: PageHead) -> str | None:
    """What the page calls the address above its own: `Harbour` for /news/harbour/ on /news/harbour/crane.html."""
    path = urlsplit(head.url or "").path
    above = [path[: end + 1] for end, letter in enumerate(path) if letter == "/" and 0 < end < len(path.rstrip("/"))]
    found = {
        place: text
        for link in head.tree.iter("a")
        if (place := _path(link.get("href", ""))) in above and 1 < len(text := clean(link.text_content())) < 40
    }
    return found[max(found, key=len)] if found else None


def _path(href: str) -> str:
    """The path of a link, without the cost of a full parse."""
    whole = href.strip().partition("?")[0].partition("#")[0]
    return HOST.sub("", whole) if whole.startswith("http") else whole


HOST = re.compile(r"^https?://[^/]+")


def keywords(head: PageHead) -> tuple[str, ...]:
    value = head.ld("keywords")
    lines = (
        [line for line in value if isinstance(line, str)]
        if isinstance(value, list)
        else [value]
        if isinstance(value, str)
        else []
    )
    lines = (
        lines or head.meta.get("news_keywords", []) or head.meta.get("article:tag", []) or head.meta.get("keywords", [])
    )
    words = [clean(word) for line in lines for word in (re.split(r"[,;、]", line) if len(lines) == 1 else [line])]
    return unique(word for word in words if 1 < len(word) < 80)[:50]


def image_url(head: PageHead) -> str | None:
    value = head.ld("image")
    value = value[0] if isinstance(value, list) and value else value
    value = (
        head.by_id.get(value.get("@id", ""), value)
        if isinstance(value, dict) and isinstance(value.get("@id"), str)
        else value
    )
    value = value.get("url") or value.get("contentUrl") if isinstance(value, dict) else value
    stated = head.first("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src")
    links = (link.get("href") for link in head.tree.iter("link") if link.get("rel", "").lower() == "image_src")
    for address in chain((stated, value), links, (head.first("thumbnailurl", "thumbnail", "image"),)):
        if isinstance(address, str) and (url := absolute(address, head.url)) and url != head.url:
            return url if url.isascii() else quote(url, safe=ASCII_SIGNS)
    return None


ASCII_SIGNS = "".join(map(chr, range(0x21, 0x7F)))
"""What stays as it is in an address; other letters are escaped, as a browser asks for them."""


def site_name(head: PageHead) -> str | None:
    if name := head.first("og:site_name", "application-name"):
        return name
    publisher = head.ld("publisher")
    publisher = publisher[0] if isinstance(publisher, list) and publisher else publisher
    if isinstance(publisher, dict):
        known = head.by_id.get(publisher.get("@id", ""), {}) if isinstance(publisher.get("@id"), str) else {}
        publisher = publisher.get("name") or known.get("name")
    return clean(publisher) or None if isinstance(publisher, str) else None


def canonical_url(head: PageHead) -> str | None:
    links = [
        link.get("href", "") for link in head.tree.iter("link") if "canonical" in link.get("rel", "").lower().split()
    ]
    return next(
        (url for address in (*links, *head.meta.get("og:url", ())) if (url := absolute(address, head.url))), None
    )


def absolute(address: str, base: str | None) -> str | None:
    """An absolute http(s) address without credentials, else None; of a web archive's copy the one it is of."""
    try:
        url = original_url(urljoin(base or "", clean(address)))
        parts = urlsplit(url)
        hostname = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not hostname or parts.username or parts.password or " " in url:
        return None
    return url


def accessible_for_free(head: PageHead) -> bool | None:
    for node in (head.article, head.web_page):
        value = node.get("isAccessibleForFree")
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
    tier = head.first("article:content_tier")
    return {"free": True, "metered": True, "locked": False}.get((tier or "").lower())
