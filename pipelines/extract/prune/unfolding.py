"""Unfolding: the paragraphs of a text that was wrapped at some column, as mail, lynx and pdftotext do it."""

import re
from collections.abc import Sequence
from itertools import pairwise

import lxml.html

from pipelines.text import CJK_LETTER, SENTENCE_END, cjk_letters

COLUMNS = (56, 100)
"""Between these texts are wrapped; a longer line is a paragraph of its own."""


MIN_BROKEN = 3
"""Sentences that are broken off at the edge of a wrapped text; titles and a list's entries are, now and then."""


ITEM = re.compile(r"(?:[-*•·–]|\d{1,2}[.)])\s")


def unfold(lines: Sequence[str]) -> list[str]:
    """A line per paragraph where the lines are wrapped, else the lines as they are; empty ones are left out in both cases."""
    stripped = [line.strip() for line in lines]
    edge = wrapped_at(stripped)
    if edge is None:
        return [line for line in stripped if line]
    joiner = "" if sum(map(_parts_word, stripped, stripped[1:])) >= MIN_BROKEN else "-"
    unfolded: list[list[str]] = []
    before = ""
    for line in stripped:
        if before and line and continues(before, line, edge):
            unfolded[-1][-1] = _led_on(before, line, joiner)
            unfolded[-1].append(line)
        elif line:
            unfolded.append([line])
        before = line
    return list(map("".join, unfolded))


def without_markup(lines: Sequence[str]) -> list[str]:
    """The lines without what makes one a heading: `# A storm`, a rule below it, the `Subject:` of a mail."""
    bare = [HASHES.sub("", line) for line in lines]
    bare[:MAIL_HEAD] = [SUBJECT.sub("", line) for line in bare[:MAIL_HEAD]]
    return ["" if above.strip() and RULE.fullmatch(line.strip()) else line for above, line in pairwise(["", *bare])]


MAIL_HEAD = 20
"""Lines among which a mail's subject stands."""


HASHES, SUBJECT, RULE = (
    re.compile(r"^#{1,6}\s{1,4}(?=\w)"),
    re.compile(r"^Subject:\s{1,4}(?=\S)"),
    re.compile(r"(?:={4,}|-{4,}|~{4,})"),
)


def with_marks(lines: Sequence[str]) -> list[str]:
    """The lines, those of lists behind `- `: they have a bullet, or they alone are set in. Wrapped texts stay as they are."""
    if wrapped_at([line.strip() for line in lines]) is not None:
        return list(lines)
    indented = [line for line in lines if INDENT.match(line)]
    are_few = 2 * len(indented) < sum(map(bool, map(str.strip, lines)))
    return [
        f"- {BULLET.sub('', line.strip())}" if BULLET.match(line.strip()) or (are_few and INDENT.match(line)) else line
        for line in lines
    ]


INDENT = re.compile(r"(?: {2,8}|\t)(?![-–—\s])")
"""How entries of a list are set in; a paragraph's first line is by one blank, which may be as wide as a letter, and a dash is one
of a dialogue."""


BULLET = re.compile(r"[•*·▪‣◦]\s+(?=\S)")


def wrapped_at(lines: Sequence[str]) -> int | None:
    """The column at which a text is wrapped; None if its lines are paragraphs."""
    long = sorted(wide for line in lines if (wide := columns(line)) >= COLUMNS[0])
    edge = long[-1 - len(long) // 20] if long else 0
    broken = sum(_breaks_off(line, below, edge) for line, below in pairwise(lines))
    return edge if edge and edge <= COLUMNS[1] and broken >= max(MIN_BROKEN, len(long) / 4) else None


def columns(line: str) -> int:
    """How wide a line is in a terminal: letters of CJK take two columns."""
    return len(line) + cjk_letters(line)


def _breaks_off(line: str, below: str, edge: int) -> bool:
    """Whether a long line's sentence goes on in the next one."""
    return 3 * columns(line) > 2 * edge and _goes_on(line, below)


def _goes_on(line: str, below: str) -> bool:
    return below[:1].isalpha() and not below[0].isupper() and not SENTENCE_END.search(line)


def continues(line: str, below: str, edge: int) -> bool:
    """Whether a line is so full that the next one's first word did not fit, or its sentence is not at its end."""
    word = below[:1] if CJK_LETTER.match(below) else below.split(maxsplit=1)[0]
    full = columns(line) + columns(word) + (not CJK_LETTER.match(below)) > edge
    return (full and not ITEM.match(below)) or _breaks_off(line, below, edge)


def _parts_word(line: str, below: str) -> bool:
    """Whether a line ends within a word."""
    return line[-1:] in ("-", "\xad", "‐") and line[-2:-1].isalpha() and below[:1].islower()


def _led_on(line: str, below: str, joiner: str) -> str:
    """A line with what parts it from the next one; `joiner` is the hyphen, or nothing where the text parts words at its edge."""
    if _parts_word(line, below):
        return line[:-1] + (joiner if line[-1] != "\xad" else "")
    return line if WIDE.match(line[-1]) and WIDE.match(below) else f"{line} "


WIDE_SIGNS = "　-ヿ㐀-鿿가-힣豈-﫿！-｠"
WIDE = re.compile(f"[{WIDE_SIGNS}]")
"""Letters and signs of CJK between which a line may end without a space."""


BROKEN_WIDE = re.compile(
    r"(?<=[W])[ \t\r]{0,40}+\n[ \t\r\n]{0,200}+(?=[W])".replace("W", WIDE_SIGNS.replace("가-힣", ""))
)


def join_wide(tree: lxml.html.HtmlElement) -> None:
    """Takes out the ends of source lines between letters of Chinese and Japanese, which are no spaces there (CSS Text 3, 4.1.3)."""
    kept = {below for element in tree.iter("pre") for below in element.iter()}
    for element in tree.iter():
        if element.text and "\n" in element.text and element not in kept:
            element.text = BROKEN_WIDE.sub("", element.text)
        if element.tail and "\n" in element.tail and element.getparent() not in kept:
            element.tail = BROKEN_WIDE.sub("", element.tail)
