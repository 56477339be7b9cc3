"""Asides: lines of a text copy that stand among its paragraphs and are none: captions, links under a label, promotions' headings.

A page's markup sets them apart; in a copy their neighbours do: a picture's credit below a caption, a label above a link.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

from pipelines.extract.boilerplate import AGE, FULL_STOP, is_label, is_noise, is_promotion, is_sentence
from pipelines.extract.phrases import Openings, pattern
from pipelines.text import is_prose, width

MIN_ABOVE = 3
"""Paragraphs above what may end an article; a button for its comments stands in the head, too."""


NEAR = 10
"""Lines below a label among which three paragraphs in a row say that the article goes on."""


COMMENTS = Openings("comments", skip=r"^[\W_]+", after=r"[^\w?]*$")


PICTURE = Openings("pictures", skip=r"^[\W_]+", after=r"\s?[:：/]\s?[^.!?]{2,100}$")


PICTURE_AT_END = re.compile(
    rf"(?:\([^()]{{0,80}}\b{pattern('pictures')}\b[^()]{{0,80}}\)|\b{pattern('pictures')}\s?[:/]\s?(?-i:[A-ZÀ-Þ])[^.!?:]{{2,60}}"
    r"|©[^.!?©]{2,60}|\b(?:afp|ap|apa|dpa|imago|reuters)\s?/\s?[^.!?/]{2,40}|\|\s?[^.!?|]{2,40}\bimages)$",
    re.I,
)
"""A line's end that says whose picture it describes: `(Photo: Ann Lee)`, `© Ann Lee`, `dpa/Ann Lee`, with no full stop behind it."""


GOES_ON = re.compile(r"(?:\w{1,20}+ )?continu", re.I)
"""`Story continues below`: an advertisement stands between."""


def asides(lines: Sequence[str]) -> set[int]:
    """The numbers of the lines that are captions and their credits, what a label announces, and promotions' headings."""
    return {*_captions(lines), *_announced(lines), *_aged(lines), *_headings_of_promotions(lines)}


def _captions(lines: Sequence[str]) -> Iterator[int]:
    """Lines with a picture's credit; above one that stands alone, a line that ends as no paragraph does."""
    for number, line in enumerate(lines):
        is_credit = PICTURE.match(line)
        if is_credit or PICTURE_AT_END.search(line):
            yield number
        if is_credit and number and not FULL_STOP.search(lines[number - 1]):
            yield number - 1


def _announced(lines: Sequence[str]) -> Iterator[int]:
    """The link under a label, or its list of them, among the paragraphs; a label in the head stands above the title."""
    begun = is_below_label = False
    for number, line in enumerate(lines):
        is_link = _may_be_link(line)
        if is_below_label and is_link:
            yield number
        follows = is_below_label and is_link and lines[number + 1 : number + 2] and lines[number + 1].startswith("- ")
        begun = begun or is_prose(line)
        is_below_label = bool(follows) or (begun and is_label(line) and not GOES_ON.match(line))


def _aged(lines: Sequence[str]) -> Iterator[int]:
    """`2 hours ago` and the link above it."""
    for number, line in enumerate(lines):
        if AGE.match(line):
            yield number
            if number and _may_be_link(lines[number - 1]):
                yield number - 1


def _headings_of_promotions(lines: Sequence[str]) -> Iterator[int]:
    """The line above a promotion that is none of the text, with a short sentence below it or none."""
    for number in filter(lambda number: is_promotion(lines[number]), range(1, len(lines))):
        above = lines[number - 1]
        heading = number - 1 - (is_sentence(above) and not is_prose(above) and not is_noise(above))
        if heading >= 0 and _may_be_link(lines[heading]) and not lines[heading].startswith("- "):
            yield from range(heading, number)


def _may_be_link(line: str) -> bool:
    return not (is_noise(line) or is_prose(line) or FULL_STOP.search(line))


def end_of_article(lines: Sequence[str]) -> int:
    """Where comments begin, or a list of other articles under its label; else the number of lines."""
    told = [number for number, line in enumerate(lines) if not is_noise(line)]
    prose = [is_prose(lines[number]) for number in told]
    said = [0, *accumulate(width(lines[number]) if one else 0 for number, one in zip(told, prose, strict=True))]
    paragraphs = [0, *accumulate(prose)]
    at = 0  # how many of `told` stand above
    for number, line in enumerate(lines):
        is_rest = 3 * (said[-1] - said[at]) < said[-1]
        if paragraphs[at] >= MIN_ABOVE:
            # one word, `Comments`, is a button, too, which stands among the paragraphs here and there
            if COMMENTS.match(line) and (is_rest or " " in line):
                return number
            mostly_titles = 2 * (paragraphs[-1] - paragraphs[at]) < len(told) - at
            if is_rest and mostly_titles and is_label(line) and _begins_a_list(prose[at : at + NEAR]):
                return number
        at += at < len(told) and told[at] == number
    return len(lines)


def _begins_a_list(prose: Sequence[bool]) -> bool:
    """Whether lines, prose or not, may be titles of articles, each perhaps with a sentence below: never two or three of these in a row."""
    in_a_row = any(all(prose[at : at + 3]) for at in range(len(prose) - 2))
    return not prose[0] and list(prose[1:3]) != [True, True] and not in_a_row
