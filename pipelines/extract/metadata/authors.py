"""Authors: JSON-LD, meta elements and visible bylines -> people's names.

Where these name no person, body.with_byline_and_date() asks the ends of the text, and article.with_hints() the feed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lxml.html import HtmlElement

from pipelines.extract.layout import paragraphs_of
from pipelines.extract.metadata.bylines import byline_authors, opened
from pipelines.extract.metadata.headings import host_name, names_site
from pipelines.extract.metadata.names import AGENCY, BY, is_full_name, is_handle, is_no_person, looks_like_name, people
from pipelines.extract.metadata.page_head import PageHead
from pipelines.extract.metadata.surroundings import lines_above, lines_below
from pipelines.text import CJK_LETTER, clean, fold

ARTICLE_NAMES = """
article:author og:article:author parsely-author sailthru.author byl byline article_author citation_author
cxenseparse:author
"""
"""Meta elements that name who signs the article, the most exact first."""


SITE_NAMES = "dc.creator dc:creator dcterms.creator author"
"""Meta elements that name the author, or whoever made the site."""


def authors(head: PageHead, site: str | None, heading: HtmlElement | None = None) -> tuple[str, ...]:
    """People first; an agency, a login name or the site itself only when nobody else is named."""
    page = AuthorsOnPage(head, site, heading)
    weak: tuple[str, ...] = ()
    for found in (page.stated, page.declared, page.marked, page.opened):
        names = unique(found())
        if any(is_person(name, site, head.url) for name in names):
            in_line = found in (page.marked, page.opened)  # there an agency is where a person works
            names = each_once(
                name for name in names if not (is_site(name, site, head.url) or (in_line and AGENCY.fullmatch(name)))
            )
            return names if found == page.opened else page.corrected(names, is_sure=found == page.marked)
        weak = weak or names
    return weak


def is_person(name: str, site: str | None, url: str | None) -> bool:
    return looks_like_name(name.title() if name.islower() else name) and not (
        is_site(name, site, url) or is_no_person(name) or is_handle(name)
    )


def is_site(name: str, site: str | None, url: str | None) -> bool:
    folded, called = fold(name).replace(" ", ""), fold(site or "").replace(" ", "")
    return names_site(folded, site, fold(host_name(url)).replace(" ", "")) or (
        len(called) > MIN_SITE and called in folded
    )


MIN_SITE = 6
"""Letters of a site's name that is looked for inside an author's: `Redaktion Lindentaler Bote`."""


def unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple({fold(name): name for name in reversed(list(names)) if fold(name)}.values())[::-1]


def each_once(names: Iterable[str]) -> tuple[str, ...]:
    """People without those who are named before in another order or with another middle initial: `Lee Ann`, `Ann M. Lee`."""
    people = dict[frozenset[str], str]()
    for name in names:
        first, *others = fold(name).split() or [""]
        people.setdefault(frozenset((first, *(word for word in others if len(word) > 1))), name)
    return tuple(people.values())


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who a page's data says has written the article."""

    name: str
    is_account: bool  #: is told by a reference to whoever logged in to save the page
    is_organisation: bool


class AuthorsOnPage:
    """Who signs a page's article, by each of its places."""

    def __init__(self, head: PageHead, site: str | None, heading: HtmlElement | None) -> None:
        self._head, self._site, self._heading = head, site, heading

    # --------------------------------------------------------------------------------------------------- the places
    def stated(self) -> list[str]:
        """Those of JSON-LD whom the page shows, or who have a person's whole name."""
        return [one.name for one in self._signatories if self._is_credible(one)]

    def declared(self) -> list[str]:
        """Those of meta elements, if they are the article's and not of whoever made the site."""
        others = [place for place in self._head.meta if META_NAME.search(place)]
        names = self._first_of_meta((*ARTICLE_NAMES.split(), *(place for place in others if "article" in place)))
        if names and self._is_seen(names) and any(map(is_full_name, names)):
            return names
        names = names or self._first_of_meta(others) or self._first_of_meta(SITE_NAMES.split())
        names = names or self._labelled()
        if any(self._is_person(name) for name in names):
            return names if self._may_sign(names) else []
        return names if any(map(AGENCY.match, names)) else []

    def marked(self) -> list[str]:
        return byline_authors(self._head.tree, self._heading)

    def opened(self) -> list[str]:
        return self._opened

    @cached_property
    def _opened(self) -> list[str]:
        """Those of a line beside the headline that opens as a byline."""
        if self._heading is None:
            return []
        return list(opened(lines_below(self._heading)) or opened(lines_above(self._heading)))

    def corrected(self, names: tuple[str, ...], *, is_sure: bool) -> tuple[str, ...]:
        """The names, unless the line beside the headline has them whole, or names others than whose account it was."""
        if is_sure and any(" " in name for name in names):
            return names
        seen = tuple(name for name in self._opened if self._is_person(name))
        words, read = (set(fold(" ".join(some)).split()) for some in (names, seen))
        if words & read:
            return seen if words < read and len(seen) == 1 and all(" " not in name for name in names) else names
        is_doubtful = not is_sure and not any(one.name in names and not one.is_account for one in self._signatories)
        return seen if seen and (is_doubtful or all(map(is_handle, names))) else names

    # ----------------------------------------------------------------------------------------------------- JSON-LD
    @cached_property
    def _signatories(self) -> list[Signatory]:
        for node in (self._head.article, self._head.web_page):
            for key in ("author", "creator"):
                if found := [
                    one for one in _signatories_of(node.get(key), self._head) if not self._is_section(one.name)
                ]:
                    return found
        return []

    def _is_credible(self, one: Signatory) -> bool:
        if one.is_organisation:
            return True
        if one.is_account and (is_no_person(one.name) or is_site(one.name, self._site, self._head.url)):
            return fold(one.name) in map(fold, self.marked())
        if is_full_name(one.name) and not one.is_account and not is_no_person(one.name):
            return True
        return self._is_seen([one.name])

    def _is_section(self, name: str) -> bool:
        """Whether it is what the article is filed under."""
        stated = self._head.ld("articleSection")
        sections = [*(stated if isinstance(stated, list) else [stated]), *self._head.meta.get("article:section", ())]
        return fold(name) in (fold(one) for one in sections if isinstance(one, str))

    # --------------------------------------------------------------------------------------------------------- meta
    def _first_of_meta(self, places: Iterable[str]) -> list[str]:
        meta = self._head.meta
        found = ([name for content in meta.get(place, ()) for name in people(content)] for place in places)
        return next(filter(None, found), [])

    def _labelled(self) -> list[str]:
        """What `Written by` is a label of, in the lines that platforms show below a shared page."""
        first = self._head.first
        labels = ((first(f"twitter:label{number}") or "", f"twitter:data{number}") for number in (1, 2))
        return [name for label, data in labels if BY.fullmatch(label + " ") for name in people(first(data) or "")]

    def _may_sign(self, names: Sequence[str]) -> bool:
        return not (self._is_imprint(names) or self._is_namesake()) and self._is_seen(names)

    def _is_imprint(self, names: Sequence[str]) -> bool:
        """Whether names are a company's and its address: `Ledger Media Ltd, Calderwick`."""
        firms = [is_site(name, self._site, self._head.url) or is_no_person(name) for name in names]
        return firms[0] or (any(firms) and not any(" " in name and self._is_person(name) for name in names))

    def _is_namesake(self) -> bool:
        """Whether the site is named after its author: one whom the data calls a person, and who has a person's name."""
        stated = self._head.article.get("author")
        return (
            isinstance(stated, dict)
            and stated.get("@type") == "Person"
            and any(
                is_full_name(one.name) and not is_no_person(one.name) and is_site(one.name, self._site, self._head.url)
                for one in self._signatories
            )
        )

    # ------------------------------------------------------------------------------------------------------ what is
    def _is_person(self, name: str) -> bool:
        return is_person(name, self._site, self._head.url)

    def _is_seen(self, names: Sequence[str]) -> bool:
        """Whether a reader of the page can see one of the names, or scripts make what can be seen."""
        found = (re.search(_whole(_rarest(name)), self._visible_text, re.I) for name in names)
        return any(found) or next(paragraphs_of(self._head.tree), None) is None

    @cached_property
    def _visible_text(self) -> str:
        elements = (element for element in self._head.tree.iter() if isinstance(element.tag, str))
        return " ".join(
            part
            for element in elements
            for part in ("" if element.tag in UNSEEN else element.text or "", element.tail or "")
            if part
        )


UNSEEN = ("script", "style", "title", "template")


META_NAME = re.compile(r"[:._-](?:author|byline)(?:[._-]?name)?$|^byline$")


def _signatories_of(value: Any, head: PageHead, depth: int = 0) -> Iterator[Signatory]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for one in value:
            yield from _signatories_of(one, head, depth + 1)
    elif isinstance(value, dict):
        reference = value.get("@id")
        known = head.by_id.get(reference, {}) if isinstance(reference, str) else {}
        kinds = str([value.get("@type"), known.get("@type")])
        is_organisation = "Organization" in kinds and "Person" not in kinds
        for one in _signatories_of(_name_of(value) or _name_of(known) or value.get("@value"), head, depth + 1):
            is_account = isinstance(reference, str) and ACCOUNT.search(reference) is not None and "@type" not in value
            yield Signatory(one.name, is_account=is_account, is_organisation=is_organisation)
    elif isinstance(value, str):
        names = people(value) or ([line] if looks_like_name(line := clean(value)) else [])
        yield from (Signatory(name, is_account=False, is_organisation=False) for name in names)


ACCOUNT = re.compile(r"#/schema/[Pp]erson/|/author/")
"""How publishing systems refer to whoever logged in: the plugins that write JSON-LD for most blogs and small papers."""


MAX_DEPTH = 4
"""Lists and objects around an author's name."""


def _name_of(node: Mapping[str, Any]) -> Any:
    """What a Person or Organization is called: by its name, or by its given and family name."""
    parts = [node.get(key) for key in ("givenName", "additionalName", "familyName")]
    return node.get("name") or " ".join(part for part in parts if isinstance(part, str))


def _rarest(name: str) -> str:
    """The word by which a name is found: the family's, unless that is short."""
    words = name.split()
    return words[-1] if len(words[-1]) > 2 else max(words, key=len)


def _whole(word: str) -> str:
    """A pattern of a word, of a script with spaces between words as a whole one."""
    return re.escape(word) if CJK_LETTER.search(word) else rf"(?<!\w){re.escape(word)}(?!\w)"
