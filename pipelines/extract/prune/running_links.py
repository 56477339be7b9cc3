"""Links that are running text: entries of a list, headings of a listicle, which a reader would miss. They lose their link.

What tells a teaser is its card, its container, its repetition; a link alone does not.
"""

from collections.abc import Iterator

import lxml.html

from pipelines.extract.boilerplate import is_date_line, is_label, is_teaser_link
from pipelines.text import fold, is_prose, width

MAX_NAME, MAX_NAME_WORDS = 48, 5
"""Width and words of a name: headlines are longer."""


MIN_INTRODUCTION = 25
"""Width of a line with a colon that introduces a list; shorter ones are labels (`More on this:`)."""


MIN_PART = 400
"""Characters below a heading that is a link, in a container of its own: cards have less."""


def unlink_running_text(tree: lxml.html.HtmlElement) -> None:
    """Takes the links from what stands in the running text."""
    for entries in tree.iter("ul", "ol"):
        if any(True for _ in entries.iter("a")) and _is_running_list(entries):
            _unlink(entries)
    parents = dict.fromkeys(h.getparent() for h in tree.iter("h2", "h3", "h4") if _is_link(h))
    for parent in parents:
        if parent is not None:
            for heading in list(_running_headings(parent)):
                _unlink(heading)


def _unlink(element: lxml.html.HtmlElement) -> None:
    for link in list(element.iter("a")):
        link.drop_tag()


def _line(element: lxml.html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def _is_link(element: lxml.html.HtmlElement) -> bool:
    """Whether an element is a link and nothing else."""
    link = next(element.iter("a"), None)
    return link is not None and fold(link.text_content()) == fold(element.text_content())


def _is_paragraph(element: lxml.html.HtmlElement | None) -> bool:
    """Whether an element is a paragraph that is not made of links."""
    if element is None or element.tag not in ("p", "div", "blockquote") or not is_prose(text := _line(element)):
        return False
    return 2 * sum(len(_line(link)) for link in element.iter("a")) < len(text)


def _beside(element: lxml.html.HtmlElement, *, before: bool) -> lxml.html.HtmlElement | None:
    """The next element that has text."""
    return next((one for one in element.itersiblings(preceding=before) if one.text_content().strip()), None)


def _is_running_list(entries: lxml.html.HtmlElement) -> bool:
    """Whether a list is introduced by the line above it, or says names between two paragraphs, or more than its links."""
    above, below = _beside(entries, before=True), _beside(entries, before=False)
    items = list(entries.iter("li"))
    if above is None or not items:
        return False
    if _introduces(above):
        return True
    heads = above.tag in ("h2", "h3", "h4") and not _is_link(above) and not is_label(_line(above))
    if not (heads or _is_paragraph(above)):
        return False
    says_more = sum(map(_says_more, items)) * 2 > len(items)
    return says_more or (_is_paragraph(below) and all(map(_is_name, items)))


def _introduces(element: lxml.html.HtmlElement) -> bool:
    line = _line(element)
    return (
        element.tag in ("p", "div")
        and line.endswith((":", "："))
        and width(line) >= MIN_INTRODUCTION
        and not is_label(line)
        and not is_teaser_link(line)
        and element.find(".//a") is None
    )


def _is_name(item: lxml.html.HtmlElement) -> bool:
    line = _line(item)
    return width(line) <= MAX_NAME and len(line.split()) <= MAX_NAME_WORDS


def _says_more(item: lxml.html.HtmlElement) -> bool:
    """Whether an entry says more than its link and a date: `Ann Lee, goalkeeper, 24`."""
    link = next(item.iter("a"), None)
    if link is None:
        return True
    rest = _line(item).replace(_line(link), "", 1).strip(" -–—|·•,:")
    return any(map(str.isalpha, rest)) and len(rest) > 1 and not is_date_line(rest) and _is_name(link)


def _running_headings(parent: lxml.html.HtmlElement) -> Iterator[lxml.html.HtmlElement]:
    """The headings of a container that are links and head paragraphs of one article: it opens with a paragraph of its own."""
    opened, part = False, None
    for child in parent:
        if child.tag in ("h2", "h3", "h4"):
            part = child if _is_link(child) else None
        elif _is_paragraph(child):
            if part is not None and (opened or len(_line(child)) > MIN_PART):
                yield part
            opened, part = opened or part is None, None
