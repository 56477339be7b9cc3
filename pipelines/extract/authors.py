"""Authors: JSON-LD, meta elements and visible bylines -> people's names.

Where these name no person, body.with_byline_and_date() asks the ends of the text, and article.with_hints() the feed.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import html as lxml_html
from lxml.etree import XPath

from pipelines.extract.page_head import PageHead, visible_text
from pipelines.extract.phrases import pattern, phrases, whole_words
from pipelines.extract.titles import host_name, names_site
from pipelines.text import clean, fold

# ----------------------------------------------------------------------------------------------------------- authors
BY = re.compile(rf"^{pattern('bylines')}\s*[:：]?\s+", re.I)


EMAIL = re.compile(r"(?<![^\s@])[^\s@]++@[\w.-]*\.\w+")


ROLE = whole_words("roles")


NEWSROOM = whole_words("newsrooms")


NAME_BREAK = re.compile(
    rf"(?:(?<!\s)\s++)?(?:[;|•·、，،]|(?<=\s)(?:[/&]|{pattern('and')})(?=\s))\s*+|(?<!\s)[^\S\n]*+\n\s*+", re.I
)


SMALL_WORDS, LABEL_WORDS = frozenset(phrases("small_words")), frozenset(phrases("label_words"))


BYLINES = XPath(
    "//*[@rel='author' or @itemprop[contains(.,'author')] or @data-testid[contains(.,'uthor') or contains(.,'yline')] or @class["
    "contains(.,'uthor') or contains(.,'yline') or contains(.,'writer') or contains(.,'reporter') or contains(.,'journalist')"
    " or .='auth']]"
    "[not(self::button or self::img or self::link or self::article or self::body)]"
)


MARKED = XPath("//*[@itemprop='author'][not(ancestor::*[contains(@itemprop,'comment')])]")


COMMENT = re.compile(r"comment|card|teaser|related|sidebar|follow", re.I)


MAX_BYLINES = 20
"""Elements looked at; a page's own byline is among the first three in every labelled page."""


AGENCY = re.compile(rf"{pattern('agencies')}\b(?! [A-ZÀ-Þ])|{pattern('agencies')} in \S+$", re.I)


SLUG = re.compile(r"[a-z]+(?:-[a-z]+)+")


MAX_NAME_WORDS = 6
"""The longest people's names among the labelled pages have five words; a byline with more is a sentence."""


MAX_LINE = 2_000
"""Characters of a byline that are read: 500,000 without a space take EMAIL minutes."""


def authors(head: PageHead, site: str | None) -> tuple[str, ...]:
    """People first; an agency or the site itself only when nobody else is named."""
    weak: tuple[str, ...] = ()
    for found in (_structured_authors, _meta_authors, _byline_authors):
        names = unique(found(head))
        people = tuple(name for name in names if is_person(name, site, head.url))
        if people:
            return tuple(name for name in names if not _is_site(name, site, head.url))
        weak = weak or names
    return weak


def is_person(name: str, site: str | None, url: str | None) -> bool:
    return not _is_site(name, site, url) and not AGENCY.match(name)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple({fold(name): name for name in reversed(list(names)) if fold(name)}.values())[::-1]


def _structured_authors(head: PageHead) -> list[str]:
    for node in (head.article, head.web_page):
        for key in ("author", "creator"):
            if names := list(_names_of(node.get(key), head)):
                return names
    return []


def _names_of(value: Any, head: PageHead, depth: int = 0) -> Iterator[str]:
    if depth > 4:
        return
    if isinstance(value, list):
        for one in value:
            yield from _names_of(one, head, depth + 1)
    elif isinstance(value, dict):
        known = head.by_id.get(value.get("@id", ""), {}) if isinstance(value.get("@id"), str) else {}
        yield from _names_of(value.get("name") or known.get("name"), head, depth + 1)
    elif isinstance(value, str):
        yield from people(value) or ([line] if looks_like_name(line := clean(value)) else [])


def _meta_authors(head: PageHead) -> list[str]:
    for name in (
        "author",
        "article:author",
        "parsely-author",
        "sailthru.author",
        "dc.creator",
        "dcterms.creator",
        "byl",
        "og:article:author",
        "cxenseparse:author",
    ):
        if names := [person for content in head.meta.get(name, ()) for person in people(content)]:
            return names
    return []


def _byline_authors(head: PageHead) -> list[str]:
    marked = MARKED(head.tree)
    beside = [element for element in marked if element.getparent() is marked[0].getparent()]
    if names := [
        name
        for element in beside
        for name in people(element.get("content") or visible_text(element))
        if looks_like_name(name)
    ]:
        return names
    for element in BYLINES(head.tree)[:MAX_BYLINES]:
        line = clean(visible_text(element))
        if (
            3 < len(line) < 120
            and not COMMENT.search(element.get("class", ""))
            and (names := [name for name in people(line) if " " in name and looks_like_name(name)])
        ):
            return names + _fellow_authors(element)
    return []


def _fellow_authors(element: lxml_html.HtmlElement) -> list[str]:
    """The others whose links stand beside the first author's."""
    parent = element.getparent()
    beside = parent.iterchildren(element.tag) if parent is not None and element.tag == "a" else ()
    alike = (
        other
        for other in beside
        if other.get("rel") == element.get("rel") and other.get("class") == element.get("class")
    )
    return [name for other in alike for name in people(visible_text(other)) if looks_like_name(name)]


def people(line: str) -> list[str]:
    """`By Ann Lee and Bo Ray | Staff` -> [Ann Lee, Bo Ray]; [] for an address or nobody."""
    line = clean(line[:MAX_LINE])
    if (
        not line
        or re.match(r"https?://|www\.|/", line)
        or line.lower() in ("none", "null", "undefined", "admin", "n/a")
    ):
        return []
    if SLUG.fullmatch(line):
        line = line.replace("-", " ").title()
    line = EMAIL.sub("", BY.sub("", line)).strip(" ,;|-–—")
    return [name for part in NAME_BREAK.split(line) for name in _one_or_list(part) if name]


def _one_or_list(part: str) -> list[str]:
    pieces = [piece.strip(" .,:-–—()*") for piece in part.split(",")]
    return [
        BY.sub("", piece) for piece in pieces if piece and not ROLE.search(piece) and re.search(r"[^\W\d_]{2}", piece)
    ]


def looks_like_name(line: str) -> bool:
    """Whether a line may be a person's name; `About Us` and `The Weight of a Key` are none."""
    words = line.split()
    return (
        1 <= len(words) <= MAX_NAME_WORDS
        and len(line) < 60
        and not re.search(r"[\d@!?:]", line)
        and sum(not word[:1].islower() for word in words) >= len(words) / 2
        and words[0].lower() not in LABEL_WORDS
        and SMALL_WORDS.isdisjoint(words)
    )


def _is_site(name: str, site: str | None, url: str | None) -> bool:
    folded = fold(name).replace(" ", "")
    return names_site(folded, site, fold(host_name(url)).replace(" ", "")) or NEWSROOM.search(name) is not None
