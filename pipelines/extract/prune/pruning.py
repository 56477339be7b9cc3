"""Pruning: what is never text leaves the page's tree, so that every later step has less to read."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import lxml.html
from lxml import etree

from crawler.selectors import to_xpath
from pipelines.extract.boilerplate import is_control, is_label, is_sentence
from pipelines.extract.prune.marked import hides, is_caption, mark
from pipelines.extract.prune.preparing import prepare
from pipelines.extract.tree import BLOCKS, HEADINGS, SILENT
from pipelines.text import line_key

MAX_HIDDEN = 1_000
"""Characters of a hidden element that is dropped; pages that arrive in streams hide the whole article until scripts run."""


MAX_CAPTION = 800
"""Characters of an element that is called a caption and is one."""


MAX_BOX_LABEL, MAX_BOX = 80, 900
"""Characters of a label, and of the box that is thrown away for the label it begins with."""


def prune(tree: lxml.html.HtmlElement) -> None:
    """Removes what is never text, so that every later step has less to read."""
    marked = mark(tree)
    prepare(tree, marked)
    etree.strip_elements(tree, *SILENT, with_tail=False)
    for element in marked.hidden:
        if hides(element) and len(element.text_content()) < MAX_HIDDEN:
            _drop(element)
    for element in marked.captions:
        if is_caption(element) and len(element.text_content()) < MAX_CAPTION:
            _drop(element)
    for quote in tree.iter("blockquote"):
        if any(name in quote.get("class", "") for name in EMBEDDING):
            del quote.attrib["class"]
    for box in list(labelled_boxes(tree)):
        _drop(box)


EMBEDDING = ("twitter-", "instagram-", "tiktok-")
"""How a post is called that a script would put into a frame: it is a quotation."""


def _drop(element: lxml.html.HtmlElement) -> None:
    if element.getparent() is not None and element.tag not in ("html", "body"):
        element.drop_tree()


def labelled_boxes(tree: lxml.html.HtmlElement) -> Iterator[lxml.html.HtmlElement]:
    """The largest small block around every label such as `Read also`."""
    goes_on, text_of = cache(_goes_on), cache(_text_of)  # thousands of labels may stand in one element
    for element in tree.iter("h2", "h3", "h4", "h5", "h6", "p", "div", "span", "strong", "b", "a", "li"):
        if _announces_others(element) and (element.tag in BLOCKS or not goes_on(_block_of(element))):
            yield _box_below(element, text_of)


def _block_of(label: lxml.html.HtmlElement) -> lxml.html.HtmlElement:
    return next((around for around in label.iterancestors() if around.tag in BLOCKS), label)


def _goes_on(block: lxml.html.HtmlElement) -> bool:
    """Whether a block is a paragraph, mostly without links, of which a bold label is but the beginning: `Watch: The tide …`."""
    text = _text_of(block)
    return is_sentence(text) and sum(len(_text_of(link)) for link in block.iter("a")) * MAX_LINKED < len(text)


def _text_of(element: lxml.html.HtmlElement) -> str:
    return str(element.text_content())


MAX_LINKED = 5
"""One part in so many of a paragraph may be links; of a line that only announces another story it is nearly all."""


def _announces_others(element: lxml.html.HtmlElement) -> bool:
    """Whether an element is a label and nothing else; a heading may also be a button's word (`Newsletter`)."""
    own = element.text
    if not own or not (own := own.strip()) or len(own) >= MAX_BOX_LABEL:
        return False
    is_heading = element.tag in HEADINGS
    if not (is_label(own) or (is_heading and is_control(own))):
        return False
    text = element.text_content().strip()
    return len(text) < MAX_BOX_LABEL and (is_heading or is_label(text))


def _box_below(label: lxml.html.HtmlElement, text_of: Callable[[lxml.html.HtmlElement], str]) -> lxml.html.HtmlElement:
    """The largest element that begins with the label and is too small to be the article."""
    box, begin = label, line_key(label.text_content())
    while (
        (around := box.getparent()) is not None
        and around.tag not in ("body", "html", "article", "main")
        and len(whole := text_of(around)) < MAX_BOX
        and line_key(whole).startswith(begin)
    ):
        box = around
    return box


def select(tree: lxml.html.HtmlElement, selector: str) -> list[lxml.html.HtmlElement]:
    found = tree.xpath(to_xpath(selector))
    return (
        [element for element in found if isinstance(element, lxml.html.HtmlElement)] if isinstance(found, list) else []
    )


def strip(tree: lxml.html.HtmlElement, selectors: Sequence[str]) -> None:
    for selector in selectors:
        for element in select(tree, selector):
            _drop(element)
