"""Bylines that a page marks: the elements that its templates call an author, and the names that stand in them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, zip_longest

from lxml import html as lxml_html

from pipelines.extract.boilerplate import is_credit
from pipelines.extract.metadata.names import (
    BY,
    LABEL,
    MAX_BYLINE,
    NOBODY,
    ROLE,
    byline,
    is_full_name,
    is_no_person,
    looks_like_name,
    people,
    without_opening,
)
from pipelines.extract.metadata.surroundings import is_card_of
from pipelines.text import clean, fold

MAY_BE_MARKED = re.compile(r"[aA]uth?or|^auth$|uteur|yline|[wW]riter|[rR]eporter|ournalist|edakteur|card|sername")
"""A class that is worth a second look: few are."""


NOT_MARKED = frozenset(("h1", "table", "button", "img", "link", "meta", "article", "body", "script", "style"))


AUTHOR_WORD = re.compile(
    r"(?:authors?|byline|autor(?:e[ns]?|in|es)?)(?:name|link|bold|text|zeile|box|line)?s?$"
    r"|(?:writer|reporter|journalist|auteur|redakteur|username|contributor|vcard|hcard)s?$"
)


WORDS = re.compile(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]*")
"""What a class is made of: `article__authorName`, `postAuthor`, `h-card`."""


OTHER_NAMES = """
comment comments commenter commentlist related recommended recommendations sidebar widget teaser teasers popular trending
latest recent newsletter promo menu carousel slider caption figcaption photographer gallery license licence
tweet reply replies reactions review reviews login register subscribe
"""


OTHER_WORDS = frozenset(OTHER_NAMES.split())
"""What templates call the place of other people: who commented, who took the picture, who wrote the other articles."""


OTHER_TAGS = frozenset(("nav", "figure", "figcaption", "blockquote", "form", "dialog", "select"))


APART_WORDS = frozenset(["footer", "share", "social", "follow", "bio", "biography", "about", "image", "photo"])
APART_TAGS = frozenset(("footer", "aside"))
"""Where the author may stand who is named nowhere else."""


SILENT = frozenset(("script", "style", "noscript", "template", "svg", "button", "select", "time", "iframe", "img"))


BESIDE_NAMES = "date time datetime timestamp role position jobtitle location place social share twitter facebook follow email mail avatar bio biography count comments readtime"


BESIDE_WORDS = frozenset(BESIDE_NAMES.split())
"""What templates call that which stands beside a name in the byline."""


ABOUT_WORDS = frozenset(
    ["prep", "guidelines", "level", "source", "sources", "cats", "category", "separator", "button", "recipe"]
)
"""What templates call elements that speak of authors and name none."""


MAX_BYLINES = 20
"""Elements looked at; a page's own byline is among the first three in every labelled page."""


MAX_PARTS = 40
"""Pieces of text of an element that may be a byline."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text between two element borders."""

    text: str
    kind: tuple[str | None, ...]  #: what the element around it is


def opened(lines: Sequence[str]) -> tuple[str, ...]:
    """The people of the first line that opens as a byline: `By Ann Lee`, or `By` above `Ann Lee`."""
    for line, below in zip_longest(lines, lines[1:], fillvalue=""):
        alone = BY.match(line + " ") and not BY.sub("", line + " ")
        if (names := byline(f"{line} {below}" if alone else line)) and not is_credit(line.lstrip("([ ")):
            return tuple(names)
    return ()


def byline_authors(tree: lxml_html.HtmlElement, heading: lxml_html.HtmlElement | None = None) -> list[str]:
    """The names in the first element that is marked as the byline of the article below `heading`."""
    headings = tree.iter("h1") if heading is None else [heading]
    own = {around for one in headings for around in one.iterancestors()}
    apart = list[lxml_html.HtmlElement]()
    for element in islice(_of_author(tree, own), MAX_BYLINES):
        if _place(element, own) == "apart":
            apart.append(element)
        elif names := _names_in(element):
            return names + _fellow_authors(element)
    return next((names + _fellow_authors(element) for element in apart if (names := _names_in(element))), [])


def _of_author(tree: lxml_html.HtmlElement, own: set[lxml_html.HtmlElement]) -> Iterator[lxml_html.HtmlElement]:
    """The elements that are marked as an author's, and not as another's."""
    may_be = filter(_may_be_marked, tree.iter())
    return (element for element in may_be if _is_marked(element) and _place(element, own) != "others")


def _may_be_marked(element: lxml_html.HtmlElement) -> bool:
    names = element.keys()
    return (
        ("class" in names and _is_worth_a_look(element.get("class")))
        or (not STATING.isdisjoint(names) and any(map(element.get, STATING)))
        or element.tag == "byline"
    )


STATING = frozenset(("rel", "itemprop", "data-testid"))


@lru_cache(maxsize=4096)
def _is_worth_a_look(name: str) -> bool:
    return MAY_BE_MARKED.search(name) is not None


def _words(element: lxml_html.HtmlElement) -> set[str]:
    return {word.lower() for word in WORDS.findall(element.get("class") or "")}


def _is_marked(element: lxml_html.HtmlElement) -> bool:
    return element.tag not in NOT_MARKED and (
        "author" in (element.get("rel") or "").split()
        or "author" in (element.get("itemprop") or "")
        or element.tag == "byline"
        or TEST_ID.search(element.get("data-testid") or "") is not None
        or _is_called_author(element, element.get("class") or "")
    )


TEST_ID = re.compile("uthor|yline")


def _is_called_author(element: lxml_html.HtmlElement, name: str) -> bool:
    if name == "auth":
        return str(element.tag) != "div"  # where people log in
    words = _words(element)
    return ABOUT_WORDS.isdisjoint(words) and (H_CARD in name or any(map(AUTHOR_WORD.match, words)))


H_CARD = "h-card"
"""Of the microformats that people mark themselves up with; `vcard` was its older name."""


def _place(element: lxml_html.HtmlElement, own: set[lxml_html.HtmlElement]) -> str:
    """Whose place an element stands in, by what holds it and not the page's heading: `others`, `apart`, else `own`."""
    around: lxml_html.HtmlElement | None = element
    place = "own"
    while around is not None and around not in own and around.tag not in ("body", "html", "main"):
        words = _words(around)
        if (
            around.tag in OTHER_TAGS
            or not OTHER_WORDS.isdisjoint(words)
            or OTHER_ITEM.search(around.get("itemprop") or "")
            or ((around.tag in CARD_TAGS or "card" in words) and is_card_of(around, ""))
        ):
            return "others"
        if around.tag in APART_TAGS or not APART_WORDS.isdisjoint(words):
            place = "apart"
        around = around.getparent()
    return place


OTHER_ITEM = re.compile(r"comment|review", re.I)


CARD_TAGS = frozenset(("article", "li"))
"""What a teaser of another article is made of: it has a heading of its own, which is a link."""


def _names_in(element: lxml_html.HtmlElement) -> list[str]:
    """The names of a marked element, cut at element borders; one word is enough where nothing else stands there."""
    if stated := element.get("content"):
        return people(stated)
    pieces = _from_opening(list(_pieces(element)))
    if not pieces:
        return []
    whole = clean(" ".join(piece.text for piece in pieces))
    return (
        _full_names(pieces)
        or [name for name in people(whole[:MAX_BYLINE]) if len(whole) < MAX_BYLINE and is_full_name(name)]
        or _single_name(pieces[0].text)
    )


def _from_opening(pieces: list[Piece]) -> list[Piece]:
    """From the piece that opens as a byline, where one does, without what is no word."""
    at = next((number for number, piece in enumerate(pieces) if BY.match(piece.text + " ")), 0)
    return [piece for piece in pieces[at:] if BY.sub("", piece.text + " ").strip(" ,|·•:-–—/")]


def _full_names(pieces: list[Piece]) -> list[str]:
    """Of the first piece with a whole name, and of those after it that stand in the same kind of element."""
    names, kind = list[str](), None
    for piece in pieces:
        if kind is not None and not JOINED.match(piece.text + " "):
            if piece.text.islower() and not ROLE.search(piece.text):
                break  # `in`, before the link of a section
            if piece.kind != kind or not _is_telling(kind):
                continue
        if len(piece.text) < MAX_BYLINE and (found := _full(piece.text)):
            names += found
            kind = kind or piece.kind
    return names


def _full(text: str) -> list[str]:
    return [name for name in byline(text) or people(text) if is_full_name(name)]


def _is_telling(kind: tuple[str | None, ...]) -> bool:
    """Whether an element's kind says that another of it is another author: a link, or one with a class."""
    return kind[0] == "a" or any(kind[1:])


JOINED = re.compile(r"(?:,|&|and|und|et|y|e)\s", re.I)


def _single_name(text: str) -> list[str]:
    """A name of one word, by which somebody is known on a site or a newsroom, where it is a marked element's first piece."""
    text = without_opening(clean(text))
    if not 1 < len(text) < MAX_SINGLE or fold(text) in NOBODY or "://" in text or LABEL.match(text):
        return []
    names = people(text)[:1] or [text]
    return [
        name for name in names if is_full_name(name) or (looks_like_name(name) and " " not in name) or _is_account(name)
    ]


def _is_account(name: str) -> bool:
    return HANDLE.fullmatch(name) is not None and (len(name) > 2 or name.isupper())


MAX_SINGLE = 40


HANDLE = re.compile(r"[^\W\d_][\w.-]{1,29}")


def _pieces(element: lxml_html.HtmlElement) -> Iterator[Piece]:
    """The texts of an element between its children's borders, without what is marked as date, role or button."""
    stack = [(element, False)]
    count = 0
    while stack and count < MAX_PARTS:
        node, tail = stack.pop()
        text, holder = (node.tail, node.getparent()) if tail else (node.text, node)
        if tail or not _is_beside(node, element):
            if holder is not None and (line := clean(text or "")):
                count += 1
                yield Piece(line, _kind(holder, element))
            if not tail:
                for child in reversed(node):
                    stack.append((child, True))
                    stack.append((child, False))


def _kind(holder: lxml_html.HtmlElement, element: lxml_html.HtmlElement) -> tuple[str | None, ...]:
    """What holds a piece of text: the link around it, else the next element."""
    links = (around for around in (holder, *holder.iterancestors()) if around.tag == "a")
    link = next(links, None) if element.tag != "a" else None
    node = link if link is not None and link is not element and element in link.iterancestors() else holder
    return node.tag, node.get("class"), node.get("rel")


def _is_beside(node: lxml_html.HtmlElement, element: lxml_html.HtmlElement) -> bool:
    return node is not element and (node.tag in SILENT or not BESIDE_WORDS.isdisjoint(_words(node)))


def _fellow_authors(element: lxml_html.HtmlElement) -> list[str]:
    """The others whose elements stand beside the first author's and are of its kind."""
    parent, mark = element.getparent(), (element.get("rel"), element.get("class"), element.get("itemprop"))
    if parent is None or not any(mark):
        return []
    alike = [
        other
        for other in (() if element.tag == "div" else parent.iterchildren(element.tag))
        if other is not element and (other.get("rel"), other.get("class"), other.get("itemprop")) == mark
    ]
    return [name for other in alike[:MAX_BYLINES] for name in _names_in(other) if not is_no_person(name)]
