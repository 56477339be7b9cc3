"""The page's layout: its cards and its running text, and the elements in which the lines of an article stand."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import urlsplit

import lxml.html

from pipelines.extract.metadata.datelines import dateline
from pipelines.extract.tree import HEADINGS, holds
from pipelines.text import PROSE_LENGTH, clean, fold, is_prose, line_key, width, word_count


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutStats:
    """What a page is made of, before anything is taken from it."""

    cards: int  #: headings and list entries that are a link as long as a headline
    prose: int  #: words in paragraphs
    player: bool  #: whether a video is embedded


def measure_layout(tree: lxml.html.HtmlElement) -> LayoutStats:
    """Counts what tells an article from a page of links or a player."""
    cards = sum(1 for link in tree.iter("a") if is_card_link(link) or heads_entry(link))
    prose = sum(map(word_count, paragraphs_of(tree)))
    return LayoutStats(cards=cards, prose=prose, player=next(tree.iter("video"), None) is not None)


def is_card_link(link: lxml.html.HtmlElement) -> bool:
    """A link of headline length that fills a heading or begins a list entry."""
    parent = link.getparent()
    if parent is None or not (
        parent.tag in HEADINGS or parent.tag in ("li", "td", "dt", "p", "div") or holds(link, "h2", "h3")
    ):
        return False
    text = " ".join(link.text_content().split())
    return HEADLINE[0] <= width(text) <= HEADLINE[1]


def heads_entry(link: lxml.html.HtmlElement) -> bool:
    """Whether a link of any length begins a list entry that goes on in another element: `On Keeping Ice` above its deck."""
    parent, deck = link.getparent(), link.getnext()
    return (
        parent is not None
        and parent.tag == "li"
        and parent[0] is link
        and deck is not None
        and deck.tag in ("p", "div", "span")
        and not (parent.text or "").strip()
        and not (link.tail or "").strip()
    )


HEADLINE = (20, 200)
"""Width of a link that is a headline."""


@dataclass(frozen=True, slots=True)
class Cards:
    """Finds the teaser card on which a line stands: below a headline that is a link to another page."""

    url: str
    titles: frozenset[str]  #: what the page calls itself, folded: a post's own linked title is no card
    sizes: dict[lxml.html.HtmlElement, int] = field(default_factory=dict)  #: width of elements, once measured

    def link_of(self, element: lxml.html.HtmlElement) -> lxml.html.HtmlElement | None:
        """The card's link, None for a line of the page's own."""
        if (found := self._within(element)) is not None:
            return found
        node = element
        for _ in range(CARD_DEPTH):
            parent = node.getparent()
            if parent is None or parent.tag in ("body", "html"):
                return None
            if parent.tag == "a" and self._leads_on(parent):
                return parent
            if parent.tag == "li" and (found := self._within(parent)) is not None:
                return found
            is_small = self._size(parent) < MAX_CARD
            for before in islice(node.itersiblings(preceding=True), MAX_ABOVE if is_small else 1):
                if (found := self._headline(before)) is not None:
                    return found
            if not is_small:
                return None
            node = parent
        return None

    def _within(self, element: lxml.html.HtmlElement) -> lxml.html.HtmlElement | None:
        """The link that begins an entry of a list or a table, or stands in an element of its own at the top of it."""
        link = next(element.iter("a"), None)
        if link is None or not self._leads_on(link):
            return None
        if element.tag in ("li", "td", "tr"):
            begins = width(clean(element.text or "")) < MAX_DATE
            return link if begins and (is_card_link(link) or heads_entry(link)) else None
        if element.tag not in ("div", "span") or len(element) < 2:
            return None
        is_parted = not clean(element.text or "") and not clean(element[0].tail or "")
        return self._headline(element[0]) if is_parted else None

    def _headline(self, element: lxml.html.HtmlElement) -> lxml.html.HtmlElement | None:
        """The link to another page that an element is: of any length in a heading, elsewhere as long as a headline."""
        link = next(element.iter("a"), None) if isinstance(element.tag, str) else None
        if link is None or not self._leads_on(link):
            return None
        if element.tag in (*HEADINGS, "dt"):
            return link
        is_long = HEADLINE[0] <= width(clean(link.text_content())) <= HEADLINE[1]
        return link if is_long and self._size(element) < self._size(link) + MAX_DATE else None

    def _leads_on(self, link: lxml.html.HtmlElement) -> bool:
        """Whether a link is to another page, and not by the page's own title."""
        href = link.get("href", "").strip()
        own = urlsplit(self.url).path
        return (
            bool(href)
            and href[0] != "#"
            and href.partition("#")[0] != self.url
            and href != own
            and fold(link.text_content()) not in self.titles
        )

    def _size(self, element: lxml.html.HtmlElement) -> int:
        if element not in self.sizes:
            self.sizes[element] = width(clean(element.text_content()))
        return self.sizes[element]


CARD_DEPTH, MAX_ABOVE = 4, 4
"""Elements around a line, and siblings above it, among which its card's headline stands."""


MAX_CARD, MAX_DATE = 600, 40
"""Width of a card: a headline, a deck, a date; of what may stand beside a headline: a date, a place, a number of comments."""


def paragraphs_of(tree: lxml.html.HtmlElement) -> Iterator[str]:
    """The page's running text: paragraphs that are not links, whatever surrounds them."""
    for element in tree.iter("p"):
        if not holds(element, "p") and width(text := " ".join(element.text_content().split())) >= PROSE_LENGTH:
            yield text


LineElements = dict[str, tuple[lxml.html.HtmlElement, float]]
"""line_key() of a line -> the element of the page that holds it, and the share of it that links to the same site."""


def locate_lines(tree: lxml.html.HtmlElement, lines: Sequence[str], url: str) -> LineElements:
    """Finds the lines of a reading in the page."""
    site, wanted = site_of(url), set(map(line_key, lines))
    begun = {line[:8] for line in wanted}
    opening = {line[:1] for line in wanted} | {"-", "\xad"}  # and what line_key() takes away
    found = LineElements()
    for element in tree.iter(*LEAVES):
        text = element.text_content().lstrip()
        if text[:1] not in opening or line_key(text[:BEGINNING])[:8] not in begun or len(text) > MAX_LINE:
            continue
        if (line := line_key(text)) in wanted and (line not in found or _is_rather_it(element, found[line][0])):
            linked = sum(
                len(link.text_content()) for link in element.iter("a") if is_internal(link.get("href", ""), site)
            )
            found[line] = (element, linked / max(1, len(text.strip())))
    return found


def _is_rather_it(element: lxml.html.HtmlElement, first: lxml.html.HtmlElement) -> bool:
    """Whether a paragraph says what a share box or a hidden button above it said first."""
    return element.tag == "p" and first.tag != "p" and first not in element.iterancestors()


LEAVES = ("p", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "dt", "dd", "td", "div", "span")


MAX_LINE = 3_000


BEGINNING = 24
"""Characters in which the first eight letters of a line stand, at least of one without wide gaps."""


def element_of(elements: LineElements, line: str) -> lxml.html.HtmlElement | None:
    return elements[line_key(line)][0] if line_key(line) in elements else None


def site_of(url: str) -> str:
    """The part of a host that its other hosts share, nearly always: `example` of `www.example.co.uk`."""
    labels = [label for label in (urlsplit(url).hostname or "").split(".") if label != "www"]
    return max(labels[:-1], key=len, default="")


def is_internal(href: str, site: str) -> bool:
    href = href.strip()
    if href.startswith("#"):
        return False
    return not re.match(r"(?:https?:)?//|mailto:|tel:", href, re.I) or (
        bool(site) and site in href.split("//", 1)[-1].split("/", 1)[0]
    )


def decks(lines: Sequence[str], elements: LineElements, description: str | None) -> frozenset[str]:
    """Lines at the top that the markup sets apart from the paragraphs below them."""
    found = set()
    for number, line in enumerate(lines[:DECK_LINES]):
        element = element_of(elements, line)
        below = next(
            (
                element_of(elements, other)
                for other in lines[number + 1 :]
                if is_prose(other) and line_key(other) in elements
            ),
            None,
        )
        if dateline(line):
            break
        if element is not None and below is not None and _is_deck(element, below, _describes(line, description)):
            found.add(line_key(line))
    return frozenset(found)


DECK_LINES = 8
"""Lines among which a deck stands; titles, bylines and labels may be above it."""


def _describes(line: str, description: str | None) -> bool:
    """Whether a line and the page's description begin alike: descriptions are cut, decks go on."""
    described, folded = fold(description or ""), fold(line)
    return len(described) > MIN_DESCRIPTION and (
        described.startswith(folded[:ALIKE]) or folded.startswith(described[:ALIKE])
    )


MIN_DESCRIPTION, ALIKE = 30, 200
"""Characters of a description that is more than a name; of it and a line that must be the same."""


def _is_deck(element: lxml.html.HtmlElement, below: lxml.html.HtmlElement, described: bool) -> bool:
    """Whether an element is the deck of the paragraph below: another kind of element, and named or described as one."""
    if element.tag in ("dt", "dd"):
        return False  # `description` is what templates call an entry of a list, too
    apart = below.getparent() is not element.getparent() or below.tag != element.tag
    if described:
        return apart or DECK.search(element.get("class") or "") is not None
    return apart and any(DECK.search(name) for name in _names(element))


def _names(element: lxml.html.HtmlElement) -> Iterator[str]:
    """What an element and the one around it are called."""
    for node in (element, element.getparent()):
        if node is not None:
            yield from filter(None, map(node.get, ("class", "itemprop", "data-testid")))


DECK_NAMES = """
deck dek lead lede leadtext standfirst subtitle sub-title subhead sub-head subheadline sub-headline subheading sub-heading
subtitel sub-titel teaser intro introduction summary excerpt chapo chapeau entradilla bajada sottotitolo occhiello abstract
vorspann ingress perex strapline tagline description kicker opener cabecera sumario synopsis
"""


CAPITAL_DECK_NAMES = "Deck Dek Lead Lede Standfirst SubTitle Subtitle Subhead Intro Summary Excerpt"


DECK = re.compile(
    rf"(?:^|[\s_-])(?i:{'|'.join(DECK_NAMES.split())})(?:$|[\s_-])|[a-z](?:{'|'.join(CAPITAL_DECK_NAMES.split())})(?![a-z])"
)
"""What templates call a deck: `article__deck`, `articleDeck`."""
