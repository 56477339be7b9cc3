"""The article's body: trafilatura's reading of the pruned tree, its lines located on the page again."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import lxml.html
import trafilatura
from lxml import etree
from lxml.etree import XPath
from trafilatura.readability_lxml import Document as Readability

from crawler.items import Source
from crawler.selectors import to_xpath
from pipelines.extract.authors import is_person, looks_like_name
from pipelines.extract.boilerplate import About, body_lines, is_control, is_label
from pipelines.extract.dates import exacter, guessed_date
from pipelines.extract.decode import CONTROLS, OVERRIDES, Refusal
from pipelines.extract.metadata import Metadata
from pipelines.extract.page_head import Head
from pipelines.extract.text_copies import read_head
from pipelines.text import PROSE_LENGTH, fold, is_prose, line_key, width, word_count

MAX_ELEMENTS, MAX_DEPTH, MAX_ATTRIBUTES = 25_000, 240, 1_000
"""Above these trafilatura or libxml2 take quadratic time; the largest labelled page has 3,320 elements, 51 levels, 73 attributes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What was read from a page's tree."""

    said: Metadata  #: completed by what stands in the text's head and tail
    lines: list[str]  #: the article's own
    own_words: int  #: words of its prose that stands on no card


def is_card_link(link: lxml.html.HtmlElement) -> bool:
    """A link of headline length that fills a heading or begins a list entry."""
    parent = link.getparent()
    if parent is None or not (
        parent.tag in HEADINGS
        or parent.tag in ("li", "td", "dt", "p", "div")
        or link.find(".//h3") is not None
        or link.find(".//h2") is not None
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


HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5"))


HEADLINE = (20, 200)
"""Width of a link that is a headline."""


HUGE_TAG = re.compile(
    rf"<[a-zA-Z][^\s<>]*+(?:\s++[^\s=<>]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>]*+))?+){{{MAX_ATTRIBUTES}}}"
)


# ------------------------------------------------------------------------------------------------------------- parse
PARSER_OPTIONS = {"encoding": "utf-8", "remove_comments": True, "remove_pis": True, "collect_ids": False}


def html_parser() -> lxml.html.HTMLParser:
    """A parser whose elements are all of one class: lxml.html's choice by tag name costs a call in Python per element."""
    parser = lxml.html.HTMLParser(**PARSER_OPTIONS)
    parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=lxml.html.HtmlElement))
    return parser


def parse(text: str) -> lxml.html.HtmlElement:
    """The page's only tree; refuses what would take quadratic time."""
    if text.count("<") > 2 * MAX_ELEMENTS + text.count("</") or HUGE_TAG.search(text):
        raise Refusal("too_complex")
    try:
        tree = lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=html_parser())
    except (etree.ParserError, etree.XMLSyntaxError):
        raise Refusal("empty") from None  # lxml: nothing that is markup or text
    if COUNT(tree) > MAX_ELEMENTS or TOO_DEEP(tree):
        raise Refusal("too_complex")
    return tree


TOO_DEEP = XPath(f"boolean({'/*' * (MAX_DEPTH + 1)})")


COUNT = XPath("count(//*)")


# -------------------------------------------------------------------------------------------------------------- body
BLOCKS_NAMES = """
address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form
h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul br
"""


BLOCKS = frozenset(BLOCKS_NAMES.split())


SILENT_NAMES = """
script style noscript template svg iframe button select option textarea input object embed video audio
canvas figcaption dialog nav
"""


SILENT = tuple(SILENT_NAMES.split())


LEAVES = ("p", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "dd", "td", "div", "span")


MAX_LINE = 3_000


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


HIDDEN = XPath(
    "//*[@hidden or @style[contains(., 'none') or contains(., 'hidden')]"
    " or @class[contains(., 'sr-only') or contains(., 'visually') or contains(., 'screen-reader')]]"
)


HIDING = re.compile(r"(?:display:none|visibility:hidden)")


CAPTIONS = XPath("//*[@class[contains(.,'aption')] or @itemprop[contains(.,'caption')]][not(self::body)]")


TWEETS = XPath("//blockquote[@class[contains(.,'twitter-') or contains(.,'instagram-') or contains(.,'tiktok-')]]")


NAMED_BODIES = XPath("//*[@itemprop[contains(.,'articleBody')]]")


MAX_HIDDEN = 1_000
"""Characters of a hidden element that is dropped; pages that arrive in streams hide the whole article until scripts run."""


LAYOUT_CELL = 500


LAYOUT_TABLES = XPath(f"//table[.//td[string-length() > {LAYOUT_CELL}]]")
"""Characters of a table cell that holds a text, not a value."""


MAX_CAPTION = 800


MAX_BOX_LABEL, MAX_BOX = 80, 900
"""Characters of a label, and of the box that is thrown away for the label it begins with."""


MIN_TEXT = 250
"""Characters under which a first reading needs a second one (trafilatura's own min_extracted_size)."""


Where = dict[str, tuple[lxml.html.HtmlElement, float]]
"""key() of a line -> the element of the page that holds it, and the share of it that links to the same site."""


def read_body(tree: lxml.html.HtmlElement, head: Head, said: Metadata, source: Source | None) -> Body:
    """The article's lines, boilerplate removed, and what only its head and tail tell of it."""
    if source:
        _strip(tree, source.strip)
        if source.body and (chosen := _select(tree, source.body)):
            lines = _clean_lines(line for element in chosen for line in visible_lines(element))
            return Body(said=said, lines=lines, own_words=word_count("\n".join(lines)))
    prune(tree)
    lines = reading(tree)
    said = completed(said, head, tree, lines, source.timezone if source else None)
    where = survey(tree, lines, head.url or "")
    about = About(
        titles=head.titles,
        authors=said.authors,
        link_share={line: share for line, (_, share) in where.items()},
        decks=decks(lines, where, said.description),
    )
    kept = body_lines(lines, about)
    return Body(said=said, lines=kept, own_words=_own_words(kept, where))


def _own_words(lines: Iterable[str], where: Where) -> int:
    """Words of the prose that stands on no card."""
    own = (
        line
        for line in lines
        if is_prose(line) and not ((found := _element(where, line)) is not None and _on_card(found))
    )
    return sum(map(word_count, own))


def completed(
    said: Metadata, head: Head, tree: lxml.html.HtmlElement, lines: Sequence[str], timezone: str | None
) -> Metadata:
    """With the byline and date that stand in the page's text, where its data names no person or no date."""
    if not any(is_person(name, said.site_name, head.url) for name in said.authors):
        said = replace(said, authors=signature(lines) or said.authors)
    may_be_exacter = said.published_source == "url" and timezone is not None
    if said.authors and said.published and not may_be_exacter:
        return said
    seen = read_head(surroundings(tree, lines), timezone)
    said = replace(said, authors=said.authors or seen.authors)
    moment = exacter(said.published, seen.published) if said.published else seen.published or guessed_date(head)
    return replace(said, published=moment, published_source="page") if moment != said.published else said


def surroundings(tree: lxml.html.HtmlElement, lines: Sequence[str]) -> list[str]:
    """The page's lines above and below its text, with the text's own first and last ones."""
    visible = [line for line in visible_lines(tree) if line.strip()]
    ends = {line_key(line) for line in (*lines[:2], *lines[-2:])}
    known = [number for number, line in enumerate(visible) if len(line) > 3 and line_key(line) in ends]
    if not known:
        return visible[:MAX_VISIBLE]
    head, tail = min(known) + INSIDE, max(known) - INSIDE
    return [*visible[max(0, head - INSIDE - ABOVE) : head], *visible[max(head, tail) : tail + INSIDE + BELOW]]


ABOVE, INSIDE, BELOW = 16, 5, 8
"""Lines around the ends of a text in which its byline and date stand."""


MAX_VISIBLE = 300


def _on_card(element: lxml.html.HtmlElement) -> bool:
    """Whether a line stands beside a headline that is a link."""
    parent, before = element.getparent(), element.getprevious()
    if _is_entry(element) or (parent is not None and _is_entry(parent)):
        return True
    if before is not None and before.tag in HEADINGS and before.find(".//a") is not None:
        return True
    return (
        parent is not None
        and len(parent.text_content()) < MAX_CARD
        and any(
            heading.find(".//a") is not None or heading.getparent().tag == "a" for heading in parent.iter(*HEADINGS)
        )
    )


def _is_entry(element: lxml.html.HtmlElement) -> bool:
    """Whether it is a list's entry that is headed by a link."""
    link = next(element.iter("a"), None) if element.tag == "li" else None
    return link is not None and (is_card_link(link) or heads_entry(link))


MAX_CARD = 600
"""Characters of a card: a headline, a deck, a date."""


def signature(lines: Sequence[str]) -> tuple[str, ...]:
    """The person whose bare name is the last or first line of a text."""
    return next(((line,) for line in (*lines[-1:], *lines[:1]) if _is_bare_name(line)), ())


def _is_bare_name(line: str) -> bool:
    """Two to four capitalised words without a sentence's signs."""
    words = line.split()
    return (
        len(line) < 40
        and 2 <= len(words) <= 4
        and looks_like_name(line)
        and not re.search(r"[.,;|]", line)
        and all(word[0].isupper() for word in words)
    )


def prune(tree: lxml.html.HtmlElement) -> None:
    """Removes what is never text, so that every later step has less to read."""
    etree.strip_elements(tree, *SILENT, with_tail=False)
    for element in HIDDEN(tree):
        if _is_hidden(element) and len(element.text_content()) < MAX_HIDDEN:
            _drop(element)
    for element in CAPTIONS(tree):
        if len(element.text_content()) < MAX_CAPTION:
            _drop(element)
    for tweet in TWEETS(tree):
        del tweet.attrib["class"]
    for box in list(labelled_boxes(tree)):
        _drop(box)
    for table in LAYOUT_TABLES(tree):
        for part in list(table.iter("table", "tbody", "tr", "td", "th")):
            part.tag = "div"


def _drop(element: lxml.html.HtmlElement) -> None:
    if element.getparent() is not None and element.tag not in ("html", "body"):
        element.drop_tree()


def _is_hidden(element: lxml.html.HtmlElement) -> bool:
    """Whether one of HIDDEN's marks hides it: of a style only two declarations do."""
    style = element.get("style", "").replace(" ", "")
    return not style or element.get("hidden") is not None or HIDING.search(style) is not None


def labelled_boxes(tree: lxml.html.HtmlElement) -> Iterator[lxml.html.HtmlElement]:
    """The largest small block around every label such as `Read also`."""
    for element in tree.iter("h2", "h3", "h4", "h5", "h6", "p", "div", "span", "strong", "b", "a", "li"):
        if _announces_others(element):
            yield _box_below(element)


def _announces_others(element: lxml.html.HtmlElement) -> bool:
    """Whether an element is a label and nothing else; a heading may also be a button's word (`Newsletter`)."""
    own, is_heading = (element.text or "").strip(), element.tag in HEADINGS
    if not own or len(own) >= MAX_BOX_LABEL or not (is_label(own) or (is_heading and is_control(own))):
        return False
    text = element.text_content().strip()
    return len(text) < MAX_BOX_LABEL and (is_heading or is_label(text))


def _box_below(label: lxml.html.HtmlElement) -> lxml.html.HtmlElement:
    """The largest element that begins with the label and is too small to be the article."""
    box, begin = label, line_key(label.text_content())
    while (
        (around := box.getparent()) is not None
        and around.tag not in ("body", "html", "article", "main")
        and len(whole := around.text_content()) < MAX_BOX
        and line_key(whole).startswith(begin)
    ):
        box = around
    return box


def reading(tree: lxml.html.HtmlElement) -> list[str]:
    """The article's lines by trafilatura; by a second reading where the first leaves much prose of the page behind."""
    if brief := declared_brief(tree):
        return brief
    lines = first_reading(tree)
    had, length = _prose(lines), sum(map(len, lines))
    if length >= MIN_TEXT and had > 0.5 * length and had > 0.7 * _prose(paragraphs_of(tree)):
        return lines
    if rejoin(tree, lines):
        lines = first_reading(tree)
        had = _prose(lines)
    other = second_reading(tree)
    return other if _is_better(other, lines) else lines


def declared_brief(tree: lxml.html.HtmlElement) -> list[str]:
    """The lines of an element that is named as the article's body and too short for any reading to find."""
    named = NAMED_BODIES(tree)
    if len(named) != 1:
        return []
    lines = _clean_lines(visible_lines(named[0]))
    return lines if sum(map(len, lines)) < MIN_TEXT and any(map(is_prose, lines)) else []


def _prose(lines: Iterable[str]) -> int:
    return sum(len(line) for line in lines if is_prose(line))


def paragraphs_of(tree: lxml.html.HtmlElement) -> Iterator[str]:
    """The page's running text: paragraphs that are not links, whatever surrounds them."""
    for element in tree.iter("p"):
        if element.find(".//p") is None and len(text := " ".join(element.text_content().split())) >= PROSE_LENGTH:
            yield text


def _is_better(other: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether a second reading holds nearly all of the first and much more prose, or is prose where the first is not."""
    prose, length = _prose(lines), sum(map(len, lines))
    found = _prose(other)
    if length < MIN_TEXT or prose < 0.5 * length:
        return found > 0.8 * prose
    seen = set(map(fold, other))
    shared = sum(len(line) for line in lines if fold(line) in seen)
    return shared > 0.85 * length and 1.3 * prose < found < 3 * prose


def rejoin(tree: lxml.html.HtmlElement, lines: Sequence[str]) -> bool:
    """Names the element around all pieces of an article that advertising splits into equal containers as its body."""
    seen = set(map(fold, lines))
    for first, *others in _pieces(tree):
        if others and any(fold(child.text_content()) in seen for child in first.iter("p")):
            shared = (
                around for around in first.iterancestors() if all(around in one.iterancestors() for one in others)
            )
            next(shared).set("itemprop", "articleBody")
            return True
    return False


def _pieces(tree: lxml.html.HtmlElement) -> Iterable[list[lxml.html.HtmlElement]]:
    """The containers of prose, those together that have one tag, one first class and one article around them."""
    found: dict[tuple[object, ...], dict[lxml.html.HtmlElement, None]] = {}
    for paragraph in tree.iter("p"):
        parent = paragraph.getparent()
        if parent is not None and is_prose(paragraph.text_content().strip()):
            article = next(parent.iterancestors("article"), None)
            found.setdefault((parent.tag, *(parent.get("class") or "").split()[:1], article), {})[parent] = None
    return [list(group) for group in found.values()]


def first_reading(tree: lxml.html.HtmlElement) -> list[str]:
    """trafilatura's lines. It returns None for trees it cannot read, which counts as no lines."""
    document: Any = trafilatura.bare_extraction(tree, fast=True, include_comments=False, with_metadata=False)
    return _clean_lines((document.text or "").split("\n")) if document else []


def second_reading(tree: lxml.html.HtmlElement) -> list[str]:
    """readability's lines."""
    summary = Readability(deepcopy(tree), min_text_length=25).summary()
    if not summary.strip():
        return []
    return _clean_lines(visible_lines(lxml.html.fromstring(summary.encode("utf-8", "replace"), parser=html_parser())))


def _clean_lines(lines: Iterable[str]) -> list[str]:
    return [
        line
        for raw in lines
        if (line := unicodedata.normalize("NFC", " ".join(OVERRIDES.sub("", CONTROLS.sub("", raw)).split())))
    ]


def _select(tree: lxml.html.HtmlElement, selector: str) -> list[lxml.html.HtmlElement]:
    found = tree.xpath(to_xpath(selector))
    return (
        [element for element in found if isinstance(element, lxml.html.HtmlElement)] if isinstance(found, list) else []
    )


def _strip(tree: lxml.html.HtmlElement, selectors: Sequence[str]) -> None:
    for selector in selectors:
        for element in _select(tree, selector):
            _drop(element)


def visible_lines(element: lxml.html.HtmlElement) -> list[str]:
    """The text of an element, one line per block."""
    lines, parts = list[str](), list[str]()
    for event, node in etree.iterwalk(element, events=("start", "end")):
        if node.tag in BLOCKS:
            lines.append("".join(parts))
            parts.clear()
        if event == "start" and node.text and node.tag not in SILENT:
            parts.append(node.text)
        elif event == "end" and node.tail and node is not element:
            parts.append(node.tail)
    return [*lines, "".join(parts)]


def survey(tree: lxml.html.HtmlElement, lines: Sequence[str], url: str) -> Where:
    """Finds the lines of a reading in the page."""
    site, wanted = _site(url), set(map(line_key, lines))
    begun = {line[:8] for line in wanted}
    found = Where()
    for element in tree.iter(*LEAVES):
        text = element.text_content().lstrip()
        if line_key(text[:BEGINNING])[:8] not in begun or len(text) > MAX_LINE:
            continue
        if (line := line_key(text)) in wanted and line not in found:
            linked = sum(
                len(link.text_content()) for link in element.iter("a") if _is_internal(link.get("href", ""), site)
            )
            found[line] = (element, linked / max(1, len(text.strip())))
    return found


BEGINNING = 24
"""Characters in which the first eight letters of a line stand, at least of one without wide gaps."""


def _site(url: str) -> str:
    """The part of a host that its other hosts share, nearly always: `example` of `www.example.co.uk`."""
    labels = [label for label in (urlsplit(url).hostname or "").split(".") if label != "www"]
    return max(labels[:-1], key=len, default="")


def _is_internal(href: str, site: str) -> bool:
    href = href.strip()
    if href.startswith("#"):
        return False
    return not re.match(r"(?:https?:)?//|mailto:|tel:", href, re.I) or (
        bool(site) and site in href.split("//", 1)[-1].split("/", 1)[0]
    )


def decks(lines: Sequence[str], where: Where, description: str | None) -> frozenset[str]:
    """Lines at the top that the markup sets apart from the paragraphs below them."""
    found = set()
    for number, line in enumerate(lines[:DECK_LINES]):
        element = _element(where, line)
        below = next(
            (_element(where, other) for other in lines[number + 1 :] if is_prose(other) and line_key(other) in where),
            None,
        )
        if element is not None and below is not None and _is_deck(element, below, _describes(line, description)):
            found.add(line_key(line))
    return frozenset(found)


DECK_LINES = 8
"""Lines among which a deck stands; titles, bylines and labels may be above it."""


def _element(where: Where, line: str) -> lxml.html.HtmlElement | None:
    return where[line_key(line)][0] if line_key(line) in where else None


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
    apart = below.getparent() is not element.getparent() or below.tag != element.tag
    if described:
        return apart or DECK.search(element.get("class") or "") is not None
    return apart and any(DECK.search(name) for name in _names(element))


def _names(element: lxml.html.HtmlElement) -> Iterator[str]:
    """What an element and the one around it are called."""
    for node in (element, element.getparent()):
        if node is not None:
            yield from filter(None, map(node.get, ("class", "itemprop", "data-testid")))
