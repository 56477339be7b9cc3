"""Authors: JSON-LD, meta elements and visible bylines -> people's names.

Where these name no person, body.with_byline_and_date() asks the ends of the text, and article.with_hints() the feed.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lxml.etree import XPath

from pipelines.extract.bylines import byline_authors
from pipelines.extract.names import AGENCY, is_handle, is_no_person, looks_like_name, people
from pipelines.extract.page_head import PageHead
from pipelines.extract.titles import host_name, names_site
from pipelines.text import clean, fold

META_NAMES = """
article:author og:article:author parsely-author sailthru.author byl byline article_author dc.creator dcterms.creator
citation_author cxenseparse:author author
"""
"""The most exact first: `author` is also whoever made the site."""


def authors(head: PageHead, site: str | None) -> tuple[str, ...]:
    """People first, and those that a reader can see; an agency, an account or the site itself only if nobody else is named."""
    weak = list[tuple[str, ...]]()
    for found in (_structured_authors, _meta_authors, _byline_authors):
        names = unique(found(head))
        if any(is_person(name, site, head.url) for name in names):
            people = tuple(name for name in names if not _is_site(name, site, head.url))
            if found is _byline_authors or _is_visible(people, head):
                return people
            weak[:0] = [people] if found is _structured_authors else []
        elif found is not _meta_authors or any(map(AGENCY.match, names)):
            weak.append(names)
    return next(filter(None, weak), ())


def is_person(name: str, site: str | None, url: str | None) -> bool:
    return looks_like_name(name) and not (_is_site(name, site, url) or is_no_person(name) or is_handle(name))


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
        yield from _names_of(_name_of(value) or _name_of(known) or value.get("@value"), head, depth + 1)
    elif isinstance(value, str):
        yield from people(value) or ([line] if looks_like_name(line := clean(value)) else [])


def _name_of(node: dict[str, Any]) -> Any:
    """What a Person or Organization is called: by its name, or by its given and family name."""
    parts = [node.get(key) for key in ("givenName", "additionalName", "familyName")]
    return node.get("name") or " ".join(part for part in parts if isinstance(part, str))


def _meta_authors(head: PageHead) -> list[str]:
    for name in META_NAMES.split():
        if names := [person for content in head.meta.get(name, ()) for person in people(content)]:
            return names
    return []


def _is_visible(names: Sequence[str], head: PageHead) -> bool:
    """Whether a reader of the page can see one of the names: what only its data says is who made the site or keeps the account."""
    spelled = [_rarest(name) for name in names if " " in name or is_handle(name)]
    return len(spelled) < len(names) or any(
        IN_SIGHT(head.tree, word=word, upper=word.upper(), title=word.title()) for word in spelled
    )


def _rarest(name: str) -> str:
    """The word by which a name is found: the family's, unless that is short."""
    words = name.split()
    return words[-1] if len(words[-1]) > 2 else max(words, key=len)


IN_SIGHT = XPath(
    "not(//p[string-length() > 80]) or boolean(//body//text()[contains(.,$word) or contains(.,$upper) or contains(.,$title)]"
    "[not(parent::script or parent::style)])"
)
"""Pages without a paragraph are made by scripts, names included."""


def _byline_authors(head: PageHead) -> list[str]:
    return byline_authors(head.tree)


def _is_site(name: str, site: str | None, url: str | None) -> bool:
    folded = fold(name).replace(" ", "")
    return names_site(folded, site, fold(host_name(url)).replace(" ", ""))
