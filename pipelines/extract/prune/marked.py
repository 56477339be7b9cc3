"""Marked elements: those of a page that a station of pruning looks at, found in one walk over its tree.

An XPath over the whole tree takes half as long as this walk, and every station had one of its own.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

import lxml.html

from pipelines.extract.prune.initials import INITIAL, MAX_INITIAL, is_spoken

HtmlElements = list[lxml.html.HtmlElement]


@dataclass(frozen=True, slots=True)
class Marked:
    """The elements of a page's body in their order, as the page came: a station asks again what one before it may have changed."""

    prose: Counter[lxml.html.HtmlElement] = field(default_factory=Counter)  #: -> characters of running text of its own
    hidden: HtmlElements = field(default_factory=list)  #: by an attribute, a style or a class
    captions: HtmlElements = field(default_factory=list)  #: by their tag, or what they are called
    pressed: HtmlElements = field(default_factory=list)  #: buttons
    letters: HtmlElements = field(default_factory=list)  #: that hold one letter
    preformatted: HtmlElements = field(default_factory=list)  #: `pre`, or perhaps by a style


MIN_RUNNING = 60
"""Characters of a piece of running text between two tags."""


WORDLESS = frozenset(("script", "style", "a"))
"""What holds no running text: links of headline length are none."""


CHOSEN = frozenset(("option", "button"))
"""Where a letter is one of the alphabet, not a word's first."""


def mark(tree: lxml.html.HtmlElement) -> Marked:
    """What pruning has to look at in a page's body."""
    marked, body = Marked(), tree.find("body")
    for element in () if body is None else body.iter():
        tag, style = element.tag, element.get("style", "")
        if tag not in WORDLESS and (text := element.text):
            if len(text) > MIN_RUNNING:
                marked.prose[element] += running_length(text)
            elif len(text) < MAX_INITIAL and not len(element) and tag not in CHOSEN and INITIAL.fullmatch(text.strip()):
                marked.letters.append(element)
        if (tail := element.tail) and len(tail) > MIN_RUNNING and (around := element.getparent()).tag not in WORDLESS:
            marked.prose[around] += running_length(tail)
        if is_caption(element):
            marked.captions.append(element)
        if element.get("aria-hidden") == "true" or hides(element):
            marked.hidden.append(element)
        if is_pressed(element):
            marked.pressed.append(element)
        if tag == "pre" or "pre-" in style:
            marked.preformatted.append(element)
    return marked


def hides(element: lxml.html.HtmlElement) -> bool:
    """Whether an attribute, a style or a class hides an element from those who look at the page."""
    if element.get("hidden") is not None or is_styled_away(element):
        return True
    names = element.get("class")
    if not names:
        return False
    if element.tag not in INLINE:
        return SPOKEN.search(names) is not None
    return is_spoken(element) or (":" not in names and not UNSEEN_NAMES.isdisjoint(names.split()))


SPOKEN = re.compile("sr-only|visually|screen-reader")
"""What templates call a block which only screen readers say."""


UNSEEN = """
hidden is-hidden u-hidden hide invisible element-invisible offscreen off-screen a11y-hidden assistive-text
accessible-text accessibly-hidden hide-accessible hidden-accessible
"""


UNSEEN_NAMES = frozenset(UNSEEN.split())
"""What templates call the words inside a line that only screen readers say: `opens in a new tab`. `hidden md:inline` is seen."""


INLINE = frozenset(("span", "i", "b", "em", "small", "abbr"))


def is_styled_away(element: lxml.html.HtmlElement) -> bool:
    """Whether its style hides an element, for eyes at least."""
    style = element.get("style")
    return style is not None and HIDING.search("".join(style.split()).lower()) is not None


HIDING = re.compile(
    r"display:none|visibility:hidden|clip:rect\((?:[01]\D|0+\))|clip-path:inset\((?:50|100)%"
    r"|(?:left|right|top|text-indent):-\d{4}"
)
"""What a style without its spaces says."""


def is_caption(element: lxml.html.HtmlElement) -> bool:
    """Whether an element is a picture's caption by its tag, or by what it is called."""
    return (
        element.tag == "figcaption" or "aption" in element.get("class", "") or "caption" in element.get("itemprop", "")
    )


def is_pressed(element: lxml.html.HtmlElement) -> bool:
    """Whether an element is a button, and no link that looks like one."""
    tag: str = element.tag
    return tag == "button" or (tag != "a" and element.get("role") == "button")


def running_length(text: str) -> int:
    """Characters of a piece of text, none where it is too short to be running text."""
    return length if (length := len(text.strip())) > MIN_RUNNING else 0
