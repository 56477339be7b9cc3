"""Reading a pruned tree: trafilatura's lines, and readability's where the first leave much prose of the page behind."""

from collections.abc import Iterable, Sequence
from copy import copy, deepcopy
from typing import Any

import lxml.html
import trafilatura
from lxml.etree import XPath
from trafilatura.htmlprocessing import convert_tags, prune_unwanted_nodes, tree_cleaning
from trafilatura.main_extractor import extract_content
from trafilatura.readability_lxml import Document as Readability
from trafilatura.settings import Extractor
from trafilatura.xml import xmltotxt
from trafilatura.xpaths import REMOVE_COMMENTS_AND_LISTS_XPATH

from pipelines.extract.layout import paragraphs_of
from pipelines.extract.tree import clean_lines, html_parser, visible_lines
from pipelines.text import fold, is_prose, width

MIN_TEXT = 250
"""Characters, those of CJK counting three, under which a first reading needs a second one (trafilatura's own min_extracted_size)."""


def first_reading(tree: lxml.html.HtmlElement) -> list[str]:
    """The lines of a short named body, or those that trafilatura's main extractor keeps. Its rescues cost as much again: they are
    asked where it leaves nearly all prose of the page behind."""
    if brief := short_article_body(tree):
        return brief
    lines = _main_lines(tree)
    if _leaves_much(tree, lines) and rejoin(tree, lines):
        lines = _main_lines(tree)
    if _prose(lines) < MISSED * _prose(paragraphs_of(tree)):
        rescued = trafilatura_lines(tree, fast=False)
        return rescued if _prose(rescued) > 2 * _prose(lines) else lines
    return lines


MISSED = 0.2
"""Share of a page's prose under which a reading took another container for the article: of such pages its rescues have .80 of
the text, it .03 to .37."""


def _main_lines(tree: lxml.html.HtmlElement) -> list[str]:
    """The main extractor's lines; none where a tree holds what XML cannot, for which it raises these as bare_extraction() knows."""
    body = tree.find("body")
    if body is None:
        return []  # frames, or nothing but a head
    try:
        plain = prune_unwanted_nodes(copy(body), REMOVE_COMMENTS_AND_LISTS_XPATH)
        cleaned = convert_tags(tree_cleaning(plain, MAIN_EXTRACTOR), MAIN_EXTRACTOR, None)
        return clean_lines(xmltotxt(extract_content(cleaned, MAIN_EXTRACTOR)[0], False).split("\n"))
    except (TypeError, ValueError):
        return []


MAIN_EXTRACTOR = Extractor(fast=True, comments=False)


def _leaves_much(tree: lxml.html.HtmlElement, lines: Iterable[str]) -> bool:
    return _prose(lines) <= 0.7 * _prose(paragraphs_of(tree))


def article_lines(tree: lxml.html.HtmlElement, first: list[str]) -> list[str]:
    """The article's lines: a first reading's, or those of trafilatura's rescues or readability where it leaves much prose behind."""
    length = sum(map(width, first))
    if first and length < MIN_TEXT and first == short_article_body(tree):
        return first
    if length >= MIN_TEXT and _prose(first) > 0.5 * length and not _leaves_much(tree, first):
        return first
    lines = trafilatura_lines(tree)
    other = readability_lines(tree)
    return other if _is_better(other, lines) else lines


def short_article_body(tree: lxml.html.HtmlElement) -> list[str]:
    """The lines of an element that is named as the article's body and too short for any reading to find."""
    named = NAMED_BODIES(tree)
    if len(named) != 1:
        return []
    lines = clean_lines(visible_lines(named[0]))
    return lines if sum(map(width, lines)) < MIN_TEXT and any(map(is_prose, lines)) else []


NAMED_BODIES = XPath("//@itemprop[contains(., 'articleBody')]/..")


def _prose(lines: Iterable[str]) -> int:
    return sum(width(line) for line in lines if is_prose(line))


def _is_better(other: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether a second reading holds nearly all of the first and much more prose, or is prose where the first is not."""
    prose, length = _prose(lines), sum(map(width, lines))
    found = _prose(other)
    if length < MIN_TEXT or prose < 0.5 * length:
        return found > 0.8 * prose
    seen = set(map(fold, other))
    shared = sum(width(line) for line in lines if fold(line) in seen)
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


def trafilatura_lines(tree: lxml.html.HtmlElement, *, fast: bool = True) -> list[str]:
    """trafilatura's lines, by its rescues too if not fast. It returns None for trees it cannot read, which counts as no lines."""
    document: Any = trafilatura.bare_extraction(tree, fast=fast, include_comments=False, with_metadata=False)
    return clean_lines((document.text or "").split("\n")) if document else []


def readability_lines(tree: lxml.html.HtmlElement) -> list[str]:
    """readability's lines."""
    summary = Readability(deepcopy(tree), min_text_length=25).summary()
    if not summary.strip():
        return []
    return clean_lines(visible_lines(lxml.html.fromstring(summary.encode("utf-8", "replace"), parser=html_parser())))
