"""Preparing the tree: the page's markup is made to hold what a person sees, before anything is pruned or chosen.

Headings come out of their buttons, the rest behind `Read more` and the captions of a gallery become text, and nothing that
holds most of the page's prose keeps a name for which it would be thrown away. Initials are joined in initials.py.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from urllib.parse import urlsplit

import lxml.html
from lxml.etree import SubElement, XPath, strip_tags

from pipelines.extract.boilerplate import is_control, is_label, is_promotion
from pipelines.extract.prune.initials import join_initials, show_beginnings
from pipelines.extract.prune.marked import Marked, is_caption, is_pressed, is_styled_away, running_length
from pipelines.extract.prune.running_links import unlink_running_text
from pipelines.extract.prune.unfolding import continues, unfold, wrapped_at
from pipelines.extract.tree import BLOCKS, HEADINGS, SILENT, visible_lines
from pipelines.text import PROSE_LENGTH, fold, is_prose, width


def prepare(tree: lxml.html.HtmlElement, marked: Marked) -> None:
    """Says in plain markup what the page shows."""
    held = prose_held(marked.prose)
    for element in most_of(held):
        _open(element)
    show_rests(tree, marked.hidden)
    show_beginnings(marked.hidden)
    join_initials(tree, marked.letters)
    free_headings(marked.pressed)
    captions_to_paragraphs(marked.captions, held)
    part_preformatted(marked.preformatted)
    join_wrapped_lines(tree)
    open_tables(tree)
    unlink_own_title(tree)
    unlink_running_text(tree)


# ------------------------------------------------------------------------------------------------- what must not be lost
SWALLOWING = frozenset(("form", "menu", "label", "fieldset", *SILENT))
"""What is thrown away by its tag. An unclosed one holds the rest of the page; older frameworks put a form around all of it."""


BESIDE = frozenset(("aside", "footer", "figure"))
"""What is thrown away, too, and may hold much of a page that says little."""


def prose_held(prose: Mapping[lxml.html.HtmlElement, int]) -> dict[lxml.html.HtmlElement, int]:
    """How many characters of running text each element holds, from those of its own; those that hold none are left out."""
    held: dict[lxml.html.HtmlElement, int] = {}
    for element, length in prose.items():
        if length:
            for around in (element, *element.iterancestors()):
                held[around] = held.get(around, 0) + length
    return held


def _own_prose(element: lxml.html.HtmlElement) -> int:
    texts = (element.text, *(child.tail for child in element))
    return sum(running_length(text) for text in texts if text)


def most_of(held: dict[lxml.html.HtmlElement, int]) -> Iterator[lxml.html.HtmlElement]:
    """The elements with most of the page's prose that would be thrown away, for their tag or because they are hidden."""
    whole = max(held.values(), default=0)
    for element, length in held.items():
        thrown_away = element.tag in BESIDE or is_veiled(element)
        if (2 * length > whole and element.tag in SWALLOWING) or (4 * length > 3 * whole and thrown_away):
            yield element


def is_veiled(element: lxml.html.HtmlElement) -> bool:
    """Whether an attribute of its own hides an element."""
    return element.get("hidden") is not None or element.get("aria-hidden") == "true" or is_styled_away(element)


def _open(element: lxml.html.HtmlElement) -> None:
    """Makes an element a plain one, that is called nothing."""
    if element.tag in SWALLOWING or element.tag in BESIDE:
        element.tag = "div"
    names = () if element.tag in ("html", "body") else ("class", "id", "role", "itemprop")
    for name in (*names, "hidden", "style", "aria-hidden"):
        element.attrib.pop(name, None)


# --------------------------------------------------------------------------------------------------------- hidden rests
def show_rests(tree: lxml.html.HtmlElement, hidden: Iterable[lxml.html.HtmlElement]) -> None:
    """Shows what is hidden until a reader asks for it: prose below the article's prose, with a button of its own."""
    veiled = [element for element in hidden if is_veiled(element) and _may_be_rest(element)]
    asked = {target.lstrip("#") for target in TARGETS(tree)} if veiled else set()
    for element in veiled:
        if _is_rest(element) and (element.get("id") in asked or RESTS.search(_names(element)) or _has_opener(element)):
            before = element.getprevious()
            if before is not None and not _says_something(before):
                before.drop_tree()
            _open(element)


def _may_be_rest(element: lxml.html.HtmlElement) -> bool:
    """Whether an element is long enough, and in no part of the page that is never the article."""
    return (
        element.tag != "body"
        and len(element.text_content()) >= PROSE_LENGTH
        and next(element.iterancestors("dialog", "form", "nav", "footer"), None) is None
    )


TARGETS = XPath("//@aria-controls | //@data-target | //@data-bs-target | //a[starts-with(@href, '#')]/@href")
"""What buttons open, by its id."""


RESTS = re.compile(
    r"(?:^|[-_\s])(?:more|rest|full|remain\w*|collaps\w*|expand\w*|accordion\w*|panel\w*|continu\w*)(?:$|[-_\s])", re.I
)
"""What templates call it."""


def _names(element: lxml.html.HtmlElement) -> str:
    return f"{element.get('id', '')} {element.get('class', '')}"


def _is_rest(element: lxml.html.HtmlElement) -> bool:
    """Whether a hidden element is prose without forms and with few links, below the article's prose."""
    whole, links = _line(element), element.iter("a")
    if element.get("role") in ("dialog", "alertdialog", "navigation") or element.find(".//form") is not None:
        return False
    if 3 * sum(len(link.text_content()) for link in links) > len(whole) or is_promotion(whole):
        return False
    if element.tag not in BLOCKS:
        parent = element.getparent()
        return is_prose(whole) and parent is not None and _own_prose(parent) > 0
    prose = sum(len(line) for text in visible_lines(element) if is_prose(line := " ".join(text.split())))
    return 2 * prose > len(whole) and any(map(_leads_on, _above(element)))


def _has_opener(element: lxml.html.HtmlElement) -> bool:
    """Whether a button, or a line like one, stands beside an element."""
    below = (one for one in islice(element.itersiblings(), MAX_RESTS) if not is_veiled(one))
    beside = (*islice(element.itersiblings(preceding=True), 2), *islice(below, 1))
    return any(one.tag in ("button", "summary") or (is_label(_line(one)) or is_control(_line(one))) for one in beside)


MAX_RESTS = 20
"""Hidden elements in a row below which their button is looked for."""


NEAR = 4
"""Elements above a hidden rest among which a paragraph or heading stands: the others are a button, dots, an advertisement."""


def _above(element: lxml.html.HtmlElement) -> Iterator[lxml.html.HtmlElement]:
    """The elements above one, and above the one around it."""
    for one in (element, *islice(element.iterancestors("div", "section", "p"), 1)):
        yield from islice(one.itersiblings(preceding=True), NEAR)


def _line(element: lxml.html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def _leads_on(element: lxml.html.HtmlElement) -> bool:
    """Whether an element is a paragraph, or the heading of a part that opens when it is asked for."""
    return element.tag in ("button", "summary", "dt", *HEADINGS) or is_prose(_line(element))


def _says_something(element: lxml.html.HtmlElement) -> bool:
    """Whether an element is more than the button, or the dots, before a rest."""
    text = _line(element)
    return re.search(r"\w", text) is not None and not is_label(text) and not is_control(text)


# ----------------------------------------------------------------------------------------------- headings that are pressed
ICONS = XPath(".//*[@aria-hidden = 'true'][string-length() = 1]")
"""The plus, or the arrow, of a button."""


OPENS = re.compile(r"accordion|collaps|toggle|expand|question|faq", re.I)


def free_headings(pressed: Iterable[lxml.html.HtmlElement]) -> None:
    """Takes a part's heading out of the button that opens it: `h3 > button`, or a button right above a paragraph."""
    for button in pressed:
        for icon in ICONS(button):
            icon.drop_tree()
        around, text = button.getparent(), _line(button)
        if around is None or not is_pressed(button) or len(text) < 2 or is_control(text) or is_label(text):
            continue
        if around.tag in ("dt", "summary", *HEADINGS) or around.get("role") == "heading":
            if _line(around) == text:
                around.tag = "h3" if around.get("role") == "heading" else around.tag
                button.drop_tag()
                _open_part(_part_below(around, text))
        elif _opens_part(button, text):
            _open(button)
            button.tag = "h3"
            _open_part(button.getnext())


def _opens_part(button: lxml.html.HtmlElement, text: str) -> bool:
    """Whether a button is the heading of the prose in the element after it."""
    part = button.getnext()
    if part is None or part.tag not in BLOCKS or len(text) > MAX_HEADING or (button.tail or "").strip():
        return False
    opens = button.get("aria-expanded") or button.get("aria-controls") or OPENS.search(button.get("class", ""))
    return bool(opens) and any(is_prose(" ".join(line.split())) for line in visible_lines(part))


MAX_HEADING = 160
"""Characters of a heading; a longer button is an advertisement."""


def _part_below(heading: lxml.html.HtmlElement, text: str) -> lxml.html.HtmlElement | None:
    """What a heading opens: the element after it, or after the box that holds only the heading, on a card of both."""
    box, around = heading, heading.getparent()
    while box.getnext() is None and around is not None and _line(around) == text:
        box, around = around, around.getparent()
    part = box.getnext()
    if box is not heading and part is not None and around is not None:
        for one in (around, box, *part.iterchildren("div")):
            _open(one)
    return part


def _open_part(part: lxml.html.HtmlElement | None) -> None:
    if part is not None and part.tag in ("div", "section", "dd", "p"):
        _open(part)


# ------------------------------------------------------------------------------------------------------------- galleries
CREDITS = XPath(".//*[@class[contains(., 'redit') or contains(., 'opyright')]]")


MIN_CAPTIONS = 3
"""Captions of a gallery that is a story of its own."""


def captions_to_paragraphs(marked: Iterable[lxml.html.HtmlElement], held: Iterable[lxml.html.HtmlElement]) -> None:
    """Makes the captions paragraphs where they are the story: several, and most of the page's running text, that is `held`."""
    captions = [one for one in marked if is_caption(one) and not any(map(is_caption, one.iterancestors()))]
    told = [(one, length) for one in captions if (length := sum(map(_own_prose, one.iter())))]
    if len(told) < MIN_CAPTIONS or 2 * sum(length for _, length in told) < sum(map(_own_prose, held)):
        return
    around = Counter(above for caption, _ in told for above in caption.iterancestors())
    for caption, _ in told:
        for credit in CREDITS(caption):
            credit.drop_tree()
        for above in caption.iterancestors():
            if around[above] == len(told):
                break
            _open(above)
        for inner in filter(is_caption, list(caption.iter())):
            _open(inner)
        _open(caption)
        caption.tag = "div" if any(child.tag in BLOCKS for child in caption) else "p"


# ----------------------------------------------------------------------------------------------------- tables and texts
LAYOUT_CELL, LAYOUT_PARAGRAPH = 500, 120
"""Characters, those of CJK counting three, of a table cell that holds a text, not a value; of a paragraph in one that does."""


MAY_LAY_OUT = XPath(
    f"//table[@role = 'presentation' or .//h1 or .//td[string-length() > {LAYOUT_CELL // 3}]"
    f" or .//td/p[string-length() > {LAYOUT_PARAGRAPH // 3}]]"
)


def _lays_out(table: lxml.html.HtmlElement) -> bool:
    """Whether a table only lays out the page."""
    if table.get("role") == "presentation" or next(table.iter("h1"), None) is not None:
        return True
    return any(
        width(cell.text_content()) > LAYOUT_CELL
        or any(width(part.text_content()) > LAYOUT_PARAGRAPH for part in cell.iterchildren("p"))
        for cell in table.iter("td")
    )


def open_tables(tree: lxml.html.HtmlElement) -> None:
    """Makes the tables that only lay out the page plain containers."""
    for table in filter(_lays_out, MAY_LAY_OUT(tree)):
        for part in list(table.iter("table", "tbody", "tr", "td", "th")):
            part.tag = "div"


def part_preformatted(marked: Iterable[lxml.html.HtmlElement]) -> None:
    """Makes the paragraphs of a preformatted text elements: they are parted by empty lines, and wrapped by hand."""
    for element in marked:
        if element.tag == "pre" or not any(child.tag in BLOCKS for child in element):
            text = element.text_content()
            paragraphs = unfold(text.splitlines()) if len(text) > MIN_PREFORMATTED else []
            if len(paragraphs) > 1 and _are_prose(paragraphs):
                _refill(element, paragraphs)


MIN_PREFORMATTED = 240
"""Characters of a preformatted text that is more than a line or two."""


def join_wrapped_lines(tree: lxml.html.HtmlElement) -> None:
    """Takes out the breaks at the column at which a text was wrapped by hand, where its sentences go on."""
    breaks = [(one, _text_before(one), _text_after(one)) for one in tree.iter("br")]
    edge = wrapped_at([line for _, before, after in breaks for line in (before, after, "")]) if breaks else None
    if edge is not None:
        for one, before, after in breaks:
            if before and after and continues(before, after, edge):
                one.tag, one.tail = JOINED, " " + (one.tail or "")
        strip_tags(tree, JOINED)


JOINED = "joined"
"""What breaks are called until all of them are taken out at once: to take out one costs as much as what stands before it."""


def _text_before(mark: lxml.html.HtmlElement) -> str:
    """The text between a break and the block or break before it."""
    parts = list[str]()
    for one in mark.itersiblings(preceding=True):
        parts.append(one.tail or "")
        if one.tag in BLOCKS:
            break
        parts.append(one.text_content())
    else:
        parts.append(mark.getparent().text or "")
    return " ".join("".join(reversed(parts)).split())


def _text_after(mark: lxml.html.HtmlElement) -> str:
    parts = [mark.tail or ""]
    for one in mark.itersiblings():
        if one.tag in BLOCKS:
            break
        parts += (one.text_content(), one.tail or "")
    return " ".join("".join(parts).split())


def _are_prose(paragraphs: Sequence[str]) -> bool:
    return 2 * sum(len(line) for line in paragraphs if is_prose(line)) > sum(map(len, paragraphs))


def _refill(element: lxml.html.HtmlElement, paragraphs: Sequence[str]) -> None:
    tail = element.tail
    element.clear()
    element.tag, element.tail = "div", tail
    for paragraph in paragraphs:
        SubElement(element, "p").text = paragraph


# ------------------------------------------------------------------------------------------------------ the page's title
OWN_ADDRESSES = XPath("//link[@rel = 'canonical']/@href | //meta[@property = 'og:url']/@content")


def unlink_own_title(tree: lxml.html.HtmlElement) -> None:
    """Makes a title that links to its own page plain: blogs' themes do that, and it is no teaser's headline."""
    links = [link for heading in tree.iter("h1", "h2") for link in heading.iter("a") if link.get("href") is not None]
    if not links:
        return
    own = {path for address in OWN_ADDRESSES(tree) if len(path := _path(address)) > 1}
    window = fold(tree.findtext(".//title") or "")
    for link in links:
        text = fold(link.text_content())
        if _path(link.get("href")) in own or (len(text) > MIN_TITLE and window.startswith(text)):
            link.drop_tag()


MIN_TITLE = 15
"""Letters of a title that is not the site's name."""


def _path(address: str) -> str:
    try:
        return urlsplit(address.strip()).path.rstrip("/").removesuffix("/index.html")
    except ValueError:
        return ""
