"""Authors: JSON-LD, meta elements and visible bylines -> people's names.

Where these name no person, body.with_byline_and_date() asks the ends of the text, and article.with_hints() the feed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pipelines.extract.layout import paragraphs_of
from pipelines.extract.metadata.bylines import byline_authors
from pipelines.extract.metadata.headings import host_name, names_site
from pipelines.extract.metadata.names import AGENCY, BY, is_full_name, is_handle, is_no_person, looks_like_name, people
from pipelines.extract.metadata.page_head import PageHead
from pipelines.text import clean, fold

META_NAMES = """
article:author og:article:author parsely-author sailthru.author byl byline article_author dc.creator dcterms.creator
citation_author cxenseparse:author author
"""
"""The most exact first: `author` is also whoever made the site."""


def authors(head: PageHead, site: str | None) -> tuple[str, ...]:
    """People first; an agency, a login name or the site itself only when nobody else is named."""
    weak: tuple[str, ...] = ()
    for found in (_structured_authors, _meta_authors, _byline_authors):
        names = unique(found(head))
        if any(is_person(name, site, head.url) for name in names):
            if found is not _meta_authors or _may_sign(names, site, head):
                return tuple(name for name in names if not _is_site(name, site, head.url))
        elif found is not _meta_authors or any(map(AGENCY.match, names)):
            weak = weak or names
    return weak


def _may_sign(names: Sequence[str], site: str | None, head: PageHead) -> bool:
    """Whether names of meta elements are the article's, not those of whoever made the site."""
    return not (_is_imprint(names, site, head.url) or _namesakes(head, site)) and _is_visible(names, head)


def _is_imprint(names: Sequence[str], site: str | None, url: str | None) -> bool:
    """Whether names are a company's and its address: `Ledger Media Ltd, Calderwick`."""
    return any(_is_site(name, site, url) or is_no_person(name) for name in names) and not any(
        " " in name and is_person(name, site, url) for name in names
    )


def is_person(name: str, site: str | None, url: str | None) -> bool:
    return looks_like_name(name.title() if name.islower() else name) and not (
        _is_site(name, site, url) or is_no_person(name) or is_handle(name)
    )


def unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple({fold(name): name for name in reversed(list(names)) if fold(name)}.values())[::-1]


def _structured_authors(head: PageHead) -> list[str]:
    for node in (head.article, head.web_page):
        for key in ("author", "creator"):
            if names := list(_names_of(node.get(key), head)):
                return names
    return []


def _namesakes(head: PageHead, site: str | None) -> list[str]:
    """The author after whom a site is named: one whom the data calls a person, and who has a person's name."""
    stated = head.article.get("author")
    if not isinstance(stated, dict) or stated.get("@type") != "Person":
        return []
    names = list(_names_of(stated, head))
    return [name for name in names if is_full_name(name) and not is_no_person(name) and _is_site(name, site, head.url)]


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
    others = (name for name in head.meta if META_NAME.search(name))
    for name in (*META_NAMES.split()[:-1], *others, "author"):
        if names := [person for content in head.meta.get(name, ()) for person in people(content)]:
            return names
    return _labelled_authors(head)


META_NAME = re.compile(r"[:._-](?:author|byline)(?:[._-]?name)?$|^byline$")


def _labelled_authors(head: PageHead) -> list[str]:
    """What `Written by` is a label of, in the lines that platforms show below a shared page."""
    labels = ((head.first(f"twitter:label{number}") or "", f"twitter:data{number}") for number in (1, 2))
    return [name for label, data in labels if BY.fullmatch(label + " ") for name in people(head.first(data) or "")]


def _is_visible(names: Sequence[str], head: PageHead) -> bool:
    """Whether a reader of the page can see one of the names."""
    words = {_rarest(name) for name in names if " " in name or is_handle(name)}
    spelled = {one for word in words for one in (word, word.upper(), word.title())}
    whole, unseen = head.tree.text_content(), "".join(element.text or "" for element in head.tree.iter(*UNSEEN))
    return not words or any(whole.count(word) > unseen.count(word) for word in spelled) or _is_made_by_scripts(head)


UNSEEN = ("script", "style", "title")


def _is_made_by_scripts(head: PageHead) -> bool:
    """Whether no paragraph stands in the page, so that its byline, too, may come from elsewhere."""
    return next(paragraphs_of(head.tree), None) is None


def _rarest(name: str) -> str:
    """The word by which a name is found: the family's, unless that is short."""
    words = name.split()
    return words[-1] if len(words[-1]) > 2 else max(words, key=len)


def _byline_authors(head: PageHead) -> list[str]:
    return byline_authors(head.tree)


def _is_site(name: str, site: str | None, url: str | None) -> bool:
    folded, called = fold(name).replace(" ", ""), fold(site or "").replace(" ", "")
    return names_site(folded, site, fold(host_name(url)).replace(" ", "")) or (
        len(called) > MIN_SITE and called in folded
    )


MIN_SITE = 6
"""Letters of a site's name that is looked for inside an author's: `Redaktion Lindentaler Bote`."""
