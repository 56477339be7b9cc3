"""The text blocks (paragraphs, list entries, headings, rows) of a page's tree in document order, from one walk.

A block is what stands between two borders of block elements. Each knows how much of it is linked and bold and which
container holds it; a container's blocks are a range, so that whatever is summed over one is the difference of two sums.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import lxml.html
from lxml import etree

from pipelines.extract.layout import is_internal, site_of
from pipelines.extract.tree import BLOCKS, clean_lines

BORDERS = BLOCKS - {"br", "td", "th"}
"""Elements that begin and end a block; the cells of a row are one block, parted by bars."""


TAG_NAMES = """
p div li h1 h2 h3 h4 h5 h6 blockquote tr dd dt pre section article table ul body main aside footer header
"""


TAGS = {name: number for number, name in enumerate(TAG_NAMES.split())}
"""Numbers of the tags that features tell apart."""


VERSE = 60
"""Characters under which all lines between breaks are those of one block: a stanza, an address."""


NAMING = ("class", "id", "itemprop", "role", "data-testid", "data-component")
"""Attributes in which templates say what an element is for."""


MAX_NAMES = 300
"""Characters of an element's names that are read; what follows is state, not purpose."""


@dataclass(slots=True)
class Container:
    """A block element and the range of blocks that stand in it."""

    tag: str
    names: str  #: the values of NAMING, parted by spaces
    parent: int  #: its place in Blocks.containers; of the outermost its own
    depth: int
    first: int  #: the number of its first block
    end: int = 0  #: one past its last


@dataclass(slots=True)
class Block:
    """A text between two borders."""

    text: str  #: its lines, parted by line feeds: one but for verse
    container: int  #: the innermost, as a place in Blocks.containers
    names: str  #: of the inline element in which it begins, "" where that is the container
    linked: int  #: characters in links
    internal: int  #: of these in links to the same site
    links: int
    bold: int  #: characters in bold or italic letters
    element: lxml.html.HtmlElement  #: of the container


@dataclass(frozen=True, slots=True)
class Blocks:
    """A page's blocks in document order."""

    blocks: list[Block] = field(default_factory=list)
    containers: list[Container] = field(default_factory=list)


def read_blocks(tree: lxml.html.HtmlElement, url: str) -> Blocks:
    """All blocks of a tree that hold a letter or a digit."""
    walk = _Walk(site_of(url))
    walk.over(tree)
    return Blocks(walk.blocks, walk.containers)


@dataclass(slots=True)
class _Line:
    """What was read since the last border or break."""

    parts: list[str] = field(default_factory=list)
    linked: int = 0
    internal: int = 0
    links: int = 0
    bold: int = 0
    names: str | None = None  #: None until a letter was read


class _Walk:
    """The state of one walk: the containers that are open, the links and bold letters, the lines of the next block."""

    def __init__(self, site: str) -> None:
        self.blocks: list[Block] = []
        self.containers: list[Container] = []
        self._open: list[tuple[Container, lxml.html.HtmlElement, int]] = []
        self._lines: list[_Line] = []
        self._line = _Line()
        self._site, self._internal = site, False
        self._in_link = self._in_bold = self._in_pre = 0

    def over(self, tree: lxml.html.HtmlElement) -> None:
        self._enter(tree)
        for event, element in etree.iterwalk(tree, events=("start", "end")):
            tag = element.tag
            if event == "start":
                if tag in BORDERS:
                    if self._line.parts or self._line.links or self._lines:
                        self._flush()
                    self._enter(element)
                    self._in_pre += tag == "pre"
                elif tag in INLINE:
                    self._start(tag, element)
                if text := element.text:
                    self._add(text, element)
            else:
                if tag in BORDERS:
                    if self._line.parts or self._line.links or self._lines:
                        self._flush()
                    self._leave()
                    self._in_pre -= tag == "pre"
                elif tag == "a":
                    self._in_link -= 1
                elif tag in BOLD:
                    self._in_bold -= 1
                if (text := element.tail) and element is not tree:
                    self._add(text, None)
        self._flush()
        self._leave()

    def _start(self, tag: str, element: lxml.html.HtmlElement) -> None:
        if tag == "br":
            self._break()
        elif tag == "a":
            self._in_link += 1
            self._internal = is_internal(element.get("href", ""), self._site)
            self._line.links += 1
        elif tag in BOLD:
            self._in_bold += 1
        elif self._line.names is not None:
            self._line.parts.append(" | ")

    def _enter(self, element: lxml.html.HtmlElement) -> None:
        parent = self._open[-1][2] if self._open else 0
        tag = element.tag if isinstance(element.tag, str) else ""
        found = Container(tag, "", parent, len(self._open) + 1, len(self.blocks))
        self._open.append((found, element, len(self.containers)))
        self.containers.append(found)

    def _leave(self) -> None:
        found, element, _ = self._open.pop()
        found.end = len(self.blocks)
        if found.end > found.first:
            found.names = names_of(element)

    def _break(self) -> None:
        self._lines.append(self._line)
        self._line = _Line()

    def _add(self, text: str, inline: lxml.html.HtmlElement | None) -> None:
        """A piece of text; `inline`: the element that begins with it."""
        if self._in_pre and "\n" in text:
            first, *others = text.split("\n")
            self._append(first, inline)
            for other in others:
                self._break()
                self._append(other, None)
        else:
            self._append(text, inline)

    def _append(self, text: str, inline: lxml.html.HtmlElement | None) -> None:
        line = self._line
        if text.isspace():
            if line.names is not None:
                line.parts.append(" ")
            return
        line.parts.append(text)
        if line.names is None:
            line.names = "" if inline is None or inline is self._open[-1][1] else names_of(inline)
        if self._in_link or self._in_bold:
            length = len(text.strip())
            if self._in_link:
                line.linked += length
                line.internal += length * self._internal
            if self._in_bold:
                line.bold += length

    def _flush(self) -> None:
        """Ends the block or blocks whose lines were read."""
        if self._line.names is not None or self._lines:
            self._break()
            for lines in _stanzas(self._lines):
                self._finish(lines)
            self._lines.clear()
        else:
            self._line = _Line()

    def _finish(self, lines: list[tuple[str, _Line]]) -> None:
        text = "\n".join(text for text, _ in lines)
        if not WORD.search(text):
            return
        _, element, place = self._open[-1]
        self.blocks.append(
            Block(
                text=text,
                container=place,
                names=lines[0][1].names or "",
                linked=sum(line.linked for _, line in lines),
                internal=sum(line.internal for _, line in lines),
                links=sum(line.links for _, line in lines),
                bold=sum(line.bold for _, line in lines),
                element=element,
            )
        )


WORD = re.compile(r"[^\W_]")


BOLD = frozenset(("b", "strong", "em", "i"))


INLINE = BOLD | {"br", "a", "td", "th"}
"""Elements between borders that change how text is read."""


def _stanzas(lines: list[_Line]) -> Iterator[list[tuple[str, _Line]]]:
    """The lines that are a block together: those of verse, else each by itself."""
    stanza: list[tuple[str, _Line]] = []
    for line in [*lines, _Line()]:
        if text := _clean(line.parts):
            stanza.append((text, line))
        elif stanza:
            if max(len(text) for text, _ in stanza) < VERSE:
                yield stanza
            else:
                yield from ([one] for one in stanza)
            stanza = []


def names_of(element: lxml.html.HtmlElement) -> str:
    """What a template calls an element."""
    return " ".join(filter(None, map(element.get, NAMING)))[:MAX_NAMES]


def _clean(parts: list[str]) -> str:
    """One line of these parts, as clean_lines() has it."""
    line = " ".join("".join(parts).split())
    if line.isascii() and line.isprintable():
        return line
    return next(iter(clean_lines([line])), "")
