"""Pruning: what is never text leaves the page's tree, so that every later step has less to read."""

from collections.abc import Iterator, Sequence

import lxml.html
from lxml import etree
from lxml.etree import XPath

from crawler.selectors import to_xpath
from pipelines.extract.boilerplate import is_control, is_label, is_sentence
from pipelines.extract.prune.initials import is_spoken
from pipelines.extract.prune.preparing import MAY_STYLE_AWAY, is_styled_away, prepare
from pipelines.extract.tree import BLOCKS, HEADINGS, SILENT
from pipelines.text import line_key

HIDDEN = XPath(
    f"//*[@hidden or @style[{MAY_STYLE_AWAY}] or @class[contains(., 'sr-only') or contains(., 'visually')"
    " or contains(., 'screen') or contains(., 'hid') or contains(., 'invisible') or contains(., 'assistive')"
    " or contains(., 'accessible-text')]]"
)


UNSEEN = """
hidden is-hidden u-hidden hide invisible element-invisible offscreen off-screen a11y-hidden assistive-text
accessible-text accessibly-hidden hide-accessible hidden-accessible
"""


UNSEEN_NAMES = frozenset(UNSEEN.split())
"""What templates call the words inside a line that only screen readers say: `opens in a new tab`. `hidden md:inline` is seen."""


INLINE = frozenset(("span", "i", "b", "em", "small", "abbr"))


CAPTIONS = XPath("//*[@class[contains(.,'aption')] or @itemprop[contains(.,'caption')]][not(self::body)]")


TWEETS = XPath("//blockquote[@class[contains(.,'twitter-') or contains(.,'instagram-') or contains(.,'tiktok-')]]")


MAX_HIDDEN = 1_000
"""Characters of a hidden element that is dropped; pages that arrive in streams hide the whole article until scripts run."""


MAX_CAPTION = 800
"""Characters of an element that is called a caption and is one."""


MAX_BOX_LABEL, MAX_BOX = 80, 900
"""Characters of a label, and of the box that is thrown away for the label it begins with."""


def prune(tree: lxml.html.HtmlElement) -> None:
    """Removes what is never text, so that every later step has less to read."""
    prepare(tree)
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


def _drop(element: lxml.html.HtmlElement) -> None:
    if element.getparent() is not None and element.tag not in ("html", "body"):
        element.drop_tree()


def _is_hidden(element: lxml.html.HtmlElement) -> bool:
    """Whether one of HIDDEN's marks hides it."""
    names = element.get("class", "")
    return (
        element.get("hidden") is not None
        or is_styled_away(element)
        or is_spoken(element)
        or (element.tag in INLINE and ":" not in names and not UNSEEN_NAMES.isdisjoint(names.split()))
    )


def labelled_boxes(tree: lxml.html.HtmlElement) -> Iterator[lxml.html.HtmlElement]:
    """The largest small block around every label such as `Read also`."""
    for element in tree.iter("h2", "h3", "h4", "h5", "h6", "p", "div", "span", "strong", "b", "a", "li"):
        if _announces_others(element) and not _opens_paragraph(element):
            yield _box_below(element)


def _opens_paragraph(label: lxml.html.HtmlElement) -> bool:
    """Whether a label is the bold beginning of a paragraph that goes on, mostly without links: `Watch: The tide …`."""
    block = next((around for around in label.iterancestors() if around.tag in BLOCKS), label)
    if label.tag in BLOCKS or not is_sentence(text := block.text_content()):
        return False
    return sum(len(link.text_content()) for link in block.iter("a")) * MAX_LINKED < len(text)


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


def select(tree: lxml.html.HtmlElement, selector: str) -> list[lxml.html.HtmlElement]:
    found = tree.xpath(to_xpath(selector))
    return (
        [element for element in found if isinstance(element, lxml.html.HtmlElement)] if isinstance(found, list) else []
    )


def strip(tree: lxml.html.HtmlElement, selectors: Sequence[str]) -> None:
    for selector in selectors:
        for element in select(tree, selector):
            _drop(element)
