"""Surroundings of a headline: the lines beside it, and the comments, sidebars, cards and sentences that are not its own."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

import lxml.html

from pipelines.extract.tree import HEADINGS, clean_lines, each_cleaned, line_by_line, visible_lines
from pipelines.text import clean, is_prose

FOREIGN_NAMES = """
comments? comment-?list commentary respond replies reply kommentare? commentaires? comentarios? sidebar side-bar rail related
recommended recommendations? popular trending latest teasers? cards? widgets? ticker promo carousel similar most-?(?:read|viewed)
"""


FOREIGN_ALONE = """
header footer site-(?:header|footer) page-footer slider swiper newsletter weather clock today current-?(?:date|time) masthead
top-?bar navbar navigation menu breaking read-?more more-?(?:news|stories) wm-ipp(?:-base|-inside)?
"""


FOREIGN = re.compile(
    rf"(?:^|[\s_-])(?:{'|'.join(FOREIGN_NAMES.split())})(?=$|[\s_-])"
    rf"|(?:^|\s)(?:{'|'.join(FOREIGN_ALONE.split())})(?=$|\s|__)"
    r"|(?-i:(?:^|[\s_-]|[a-z])(?:Comment|Sidebar|Related|Teaser|Card|Recommended|Trending)s?(?![a-z]))",
    re.I,
)
"""What templates call the parts of a page that are not its article: `post-comments`, `sidebar__inner`, `RelatedStories`."""


OF_OTHERS = re.compile("Event|Comment")


def is_foreign(node: lxml.html.HtmlElement) -> bool:
    """Whether an element holds something else than the page's article."""
    if node.tag in ("aside", "nav", "dialog", "blockquote"):
        return True
    parent = node.getparent()
    if node.tag in ("header", "footer") and (parent is None or parent.tag in ("body", "html")):
        return True
    if OF_OTHERS.search(node.get("itemtype", "")) or node.get("itemprop") in ("startDate", "endDate"):
        return True
    names = f"{(node.get('class') or '')[:MAX_NAMES]} {(node.get('id') or '')[:MAX_NAMES]}"
    return FOREIGN.search(names) is not None


def is_clock(node: lxml.html.HtmlElement) -> bool:
    """Whether an element is the page's, not its article's: it tells today's date, the weather, what has just happened."""
    if node.tag == "header":
        parent = node.getparent()
        return parent is None or (parent.tag in ("body", "html") and next(node.iter("h1", "h2", "p"), None) is None)
    return CLOCK.search(f"{(node.get('class') or '')[:MAX_NAMES]} {(node.get('id') or '')[:MAX_NAMES]}") is not None


def clocks_in(tree: lxml.html.HtmlElement) -> Iterator[lxml.html.HtmlElement]:
    """The elements that tell today's date, or what has just happened."""
    return filter(is_clock, tree.iter("header", "div", "ul", "p", "span", "time"))


CLOCK = re.compile(
    r"(?:^|\s)(?:ticker|weather|clock|today|current-?(?:date|time)|masthead|top-?bar|breaking)(?=$|\s|__)", re.I
)
"""What templates call the places of today's date."""


MAX_NAMES, MAX_BEGINNING, MAX_CARD = 300, 400, 60
"""Characters of what an element is called, and of the text by which it is judged; elements among which a card has its heading."""


def beginning(node: lxml.html.HtmlElement) -> str:
    """The first characters of an element's text, at no more cost."""
    parts, size = list[str](), 0
    for part in node.itertext():
        parts.append(part)
        size += len(part)
        if size > MAX_BEGINNING:
            break
    return clean("".join(parts)[: 2 * MAX_BEGINNING])


def is_card_of(node: lxml.html.HtmlElement, text: str) -> bool:
    """Whether an element is another story's: a link around more than the date, or an entry headed by a link."""
    if node.tag == "a":
        return len(beginning(node)) > len(text) + 15
    if node.tag not in ("article", "li", "div", "td"):
        return False
    headings = [one for one in islice(node.iter(), MAX_CARD) if one.tag in HEADINGS][:2]
    return any(one.find(".//a") is not None or one.getparent().tag == "a" for one in headings)


def is_sentence(node: lxml.html.HtmlElement) -> bool:
    """Whether an element is running text."""
    return node.tag in ("p", "li", "dd") and is_prose(beginning(node))


BELOW, ABOVE, DECKS, LEVELS = 14, 4, 2, 6
"""Lines below and above a headline among which its date stands; paragraphs that may be decks; elements around the headline
in whose next ones the text may begin."""


def lines_below(heading: lxml.html.HtmlElement) -> list[str]:
    """What stands between a headline and its article."""
    return list(islice(_until_text(_following(heading)), BELOW))


def _until_text(lines: Iterable[str]) -> Iterator[str]:
    prose = 0
    for line in lines:
        prose += is_prose(line)
        yield line
        if prose > DECKS:
            return


def _following(heading: lxml.html.HtmlElement) -> Iterator[str]:
    node = heading
    for _ in range(LEVELS):
        if node is None or node.tag == "body":
            return
        if node.tail and (line := clean(node.tail)):
            yield line
        for block in node.itersiblings():
            if not is_foreign(block):
                yield from each_cleaned(line_by_line(block))
                yield from clean_lines([block.tail or ""])
        node = node.getparent()


def lines_above(heading: lxml.html.HtmlElement) -> list[str]:
    """What stands above a headline in its own block, from below."""
    found, node = list[str](), heading
    for _ in range(LEVELS):
        before = [block for block in node.itersiblings(preceding=True) if not is_foreign(block)][:ABOVE]
        for block in before:
            found += reversed(clean_lines([*visible_lines(block), block.tail or ""]))
        node = node.getparent()
        if node is None or node.tag in ("article", "main", "body", "html") or len(found) >= ABOVE:
            break
    return found[:ABOVE]
