"""The page's tree: parsed once, and read line by line as a reader sees it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

import lxml.html
from lxml import etree
from lxml.etree import XPath

from crawler.encodings import CONTROLS
from pipelines.extract.decode import UNSEEN, Refusal
from pipelines.extract.prune.unfolding import join_wide

MAX_ELEMENTS, MAX_DEPTH, MAX_ATTRIBUTES = 25_000, 240, 1_000
"""Above these trafilatura or libxml2 take quadratic time; the largest labelled page has 3,320 elements, 51 levels, 73 attributes."""


MAX_TEXT = 1_000_000
"""Characters of an article; the longest labelled one has 53,000, a long novel a million. Longer ones are refused, not cut."""


HUGE_TAG = re.compile(
    rf"<[a-zA-Z][^\s<>]*+(?:\s++[^\s=<>]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>]*+))?+){{{MAX_ATTRIBUTES}}}"
)


PARSER_OPTIONS = {"encoding": "utf-8", "remove_comments": True, "remove_pis": True, "collect_ids": False}


def html_parser() -> lxml.html.HTMLParser:
    """A parser whose elements are all of one class: lxml.html's choice by tag name costs a call in Python per element."""
    parser = lxml.html.HTMLParser(**PARSER_OPTIONS)
    parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=lxml.html.HtmlElement))
    return parser


def parse(text: str) -> lxml.html.HtmlElement:
    """The page's only tree; refuses what would take quadratic time."""
    tags = text.count("<")
    if tags > 2 * MAX_ELEMENTS + text.count("</") or HUGE_TAG.search(text):
        raise Refusal("too_complex")
    text = PAGE_ENDS.sub("", text)
    if HAS_FRAMES.search(text):
        text = FRAMES.sub("", text)
    try:
        tree = lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=html_parser())
    except (etree.ParserError, etree.XMLSyntaxError):
        raise Refusal("empty") from None  # lxml: nothing that is markup or text
    for root in list(tree.iter("template")) if MAY_HAVE_SHADOWS.search(text) else ():
        if root.get("shadowrootmode") or root.get("shadowroot"):
            root.tag = "div"  # a declarative shadow root, which a browser shows without any script
    if (2 * tags > MAX_ELEMENTS and COUNT(tree) > MAX_ELEMENTS) or TOO_DEEP(tree):
        raise Refusal("too_complex")
    etree.strip_elements(tree, *READINGS, with_tail=False)
    if "wbr" in text or "WBR" in text:
        etree.strip_tags(tree, "wbr")
    if "。" in text:
        join_wide(tree)
    return tree


PAGE_ENDS = re.compile(r"</(?:body|html)\s{0,9}+>", re.I)
"""They may be left out; where one stands too early, libxml2 gives what follows to a second page."""


HAS_FRAMES = re.compile("<(?:frame|FRAME)")


MAY_HAVE_SHADOWS = re.compile("shadow[rR]oot")


FRAMES = re.compile(r"</?(?:frame|frameset|noframes)\b[^<>]{0,2000}>", re.I)
"""What stands for those without frames is the page."""


READINGS = ("rt", "rp", "rtc")
"""How a word is read, above it (ruby): of the page's text only the word is one."""


TOO_DEEP = XPath(f"boolean({'/*' * (MAX_DEPTH + 1)})")


COUNT = XPath("count(//*)")


HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5"))


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


def holds(element: lxml.html.HtmlElement, *tags: str) -> bool:
    """Whether an element of one of these tags stands in another; find() takes five times as long."""
    return next(element.iterdescendants(*tags), None) is not None


def visible_lines(element: lxml.html.HtmlElement) -> list[str]:
    """The text of an element, one line per block."""
    return list(line_by_line(element))


def line_by_line(element: lxml.html.HtmlElement) -> Iterator[str]:
    """The same, read as far as it is asked for."""
    parts = list[str]()
    for event, node in etree.iterwalk(element, events=("start", "end")):
        if node.tag in BLOCKS:
            yield "".join(parts)
            parts.clear()
        if event == "start" and node.text and node.tag not in SILENT:
            parts.append(node.text)
        elif event == "end" and node.tail and node is not element:
            parts.append(node.tail)
    yield "".join(parts)


def clean_lines(lines: Iterable[str]) -> list[str]:
    return list(each_cleaned(lines))


def each_cleaned(lines: Iterable[str]) -> Iterator[str]:
    """The lines that say something, without what is not seen."""
    for raw in lines:
        if line := unicodedata.normalize("NFC", " ".join(UNSEEN.sub("", CONTROLS.sub("", raw)).split())):
            yield line
