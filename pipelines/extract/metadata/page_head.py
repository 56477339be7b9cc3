"""What a page's head declares: meta elements, and JSON-LD (schema.org NewsArticle) with its @id references."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from lxml import html as lxml_html

from crawler.lenient_json import Repairs, UnreadableJSON, read_json
from pipelines.text import clean

ARTICLE_TYPES = re.compile(
    r"(?:Article|BlogPosting|LiveBlogPosting|Report|Review|Recipe)$|^(?:SocialMediaPosting|ReportageNewsArticle|CreativeWork)$"
)


PAGE_TYPES = re.compile(r"^(?:WebPage|ItemPage|VideoObject|NewsVideoObject|MediaObject)$")


NOT_THIS_ARTICLE = {
    "itemListElement",
    "hasPart",
    "comment",
    "liveBlogUpdate",
    "relatedLink",
    "review",
    "citation",
    "isRelatedTo",
    "isBasedOn",
    "significantLink",
    "video",
    "publisher",
    "associatedMedia",
    "mentions",
    "about",
}
"""Properties that hold other works; an article found below one is not the page's own."""


MAX_JSON_LD_NODES = 2_000
"""Nodes looked at per page; the largest real page seen has 300."""


# ---------------------------------------------------------------------------------------------------------- the page
class PageHead:
    """The parts of a parsed page that carry metadata, each read once and only when asked for."""

    def __init__(self, tree: lxml_html.HtmlElement, url: str | None, fetched_at: datetime | None = None) -> None:
        self.tree, self.url, self.fetched_at = tree, url, fetched_at

    @cached_property
    def meta(self) -> Mapping[str, list[str]]:
        """Contents of the meta tags by their lower-case name or property, in order."""
        found: dict[str, list[str]] = {}
        for tag in self.tree.iter("meta"):
            content = tag.get("content")
            if content and content.strip():
                for name in {
                    name
                    for attribute in ("property", "name", "itemprop", "http-equiv")
                    for name in _property_names(tag.get(attribute, ""))
                }:
                    found.setdefault(name, []).append(content)
        return found

    @cached_property
    def nodes(self) -> list[dict[str, Any]]:
        """All JSON-LD objects of the page that may describe its article, @graph opened."""
        repairs = Repairs()
        return list(
            _walk(
                [
                    block
                    for script in self.tree.iter("script")
                    if "ld+json" in script.get("type", "").lower()
                    for block in _json(script.text_content(), repairs)
                ]
            )
        )

    @cached_property
    def by_id(self) -> Mapping[str, dict[str, Any]]:
        """JSON-LD objects by @id, bare references left out."""
        return {node["@id"]: node for node in self.nodes if isinstance(node.get("@id"), str) and len(node) > 1}

    @cached_property
    def article(self) -> Mapping[str, Any]:
        """The JSON-LD object of this page's article, {} when there is none."""
        candidates = [node for node in self.nodes if _is_type(node, ARTICLE_TYPES)]
        return max(candidates, key=self._likeness, default={})

    @cached_property
    def web_page(self) -> Mapping[str, Any]:
        return next((node for node in self.nodes if _is_type(node, PAGE_TYPES)), {})

    def _likeness(self, node: Mapping[str, Any]) -> tuple[int, int]:
        addresses = {_address(node.get(key)) for key in ("url", "@id", "mainEntityOfPage")}
        own = bool(self.url) and any(_same_address(address, self.url) for address in addresses if address)
        said = sum(bool(node.get(key)) for key in ("headline", "datePublished", "author"))
        return said > 0, 2 * own + said

    def first(self, *names: str) -> str | None:
        """The first meta content among these names that says something."""
        return next((line for name in names for content in self.meta.get(name, ()) if (line := clean(content))), None)

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """Every line that claims to be the title: to be recognised when the body repeats one."""
        windows = (clean(element.text_content()) for element in self.tree.iter("title"))
        headings = [clean(visible_text(element)) for element in self.tree.iter("h1")][:3]
        return tuple(
            dict.fromkeys(
                filter(
                    None, (headline_of(self), self.first("og:title"), self.first("twitter:title"), *windows, *headings)
                )
            )
        )

    @cached_property
    def types(self) -> frozenset[str]:
        """The schema.org types of the page's own JSON-LD objects."""
        return frozenset(kind for node in self.nodes for kind in _types(node))

    @cached_property
    def is_article(self) -> bool:
        """Whether the page declares itself an article: a dated JSON-LD object, og:type, or a publication time."""
        dated = bool(self.article.get("datePublished") and (self.article.get("headline") or self.article.get("author")))
        return (
            dated
            or (self.first("og:type") or "").lower() in ("article", "news", "newsarticle")
            or "article:published_time" in self.meta
        )

    @property
    def is_video(self) -> bool:
        """Whether the page is about a video and no article of its own says otherwise."""
        return (self.first("og:type") or "").lower().startswith("video") or (
            not self.article and any(kind.endswith("VideoObject") for kind in self.types)
        )

    def ld(self, key: str) -> Any:
        return self.article.get(key)


def _property_names(stated: str) -> list[str]:
    """What a meta element is called; RDFa lists several names, with a vocabulary's prefix each."""
    whole = stated.strip().lower()
    names = whole.split()
    return names if all(":" in name for name in names) else [whole]


def _json(text: str, repairs: Repairs) -> list[Any]:
    """A JSON-LD script's value, [] when it is unreadable."""
    try:
        value = read_json(text, repairs)
        return [read_json(value, repairs) if isinstance(value, str) else value]
    except UnreadableJSON:
        return []


def _walk(values: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Objects breadth first, so that the page's own come before those nested in them."""
    queue, seen = list(values), 0
    while queue and seen < MAX_JSON_LD_NODES:
        value = queue.pop(0)
        seen += 1
        if isinstance(value, list):
            queue[:0] = value
        elif isinstance(value, dict):
            yield value
            queue.extend(
                child for key, child in value.items() if isinstance(child, dict | list) and key not in NOT_THIS_ARTICLE
            )


def _types(node: Mapping[str, Any]) -> list[str]:
    """An object's types without their vocabulary's address."""
    stated = node.get("@type")
    return [
        kind.rpartition("/")[2] for kind in (stated if isinstance(stated, list) else [stated]) if isinstance(kind, str)
    ]


def _is_type(node: Mapping[str, Any], pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(kind) for kind in _types(node))


def _address(value: Any) -> str | None:
    value = value[0] if isinstance(value, list) and value else value
    value = value.get("@id") or value.get("url") if isinstance(value, dict) else value
    return value if isinstance(value, str) else None


def _same_address(one: str, other: str | None) -> bool:
    try:
        a, b = urlsplit(one), urlsplit(other or "")
    except ValueError:
        return False
    return a.path.rstrip("/") == b.path.rstrip("/") and (a.hostname or "").removeprefix("www.") in (
        "",
        (b.hostname or "").removeprefix("www."),
    )


def headline_of(head: PageHead) -> str | None:
    for value in (head.ld("headline"), head.ld("name"), head.web_page.get("headline")):
        if isinstance(value, str) and 8 < len(line := clean(value)) < 250:
            return line
    return None


def visible_text(element: lxml_html.HtmlElement) -> str:
    return " ".join(element.itertext()) if len(element) else element.text or ""
