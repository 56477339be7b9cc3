"""What changed from one text to the next, word by word, and what several texts have in common. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from rapidfuzz.distance import Indel

from pipelines.text import CJK, WORD

PIECE = re.compile(rf"(?:[{CJK}]|[^\s{CJK}]+)\s*|\s+")
"""A word, or one letter of a script that parts no words, with the white space behind it."""

MAX_WORDS = 10_000
"""Words of a text that are compared one by one, which takes 0.03 s at most; a longer one is shown as taken out and put in.
difflib would need 5 s for a thousand words that somebody chose for it: a page's text is a stranger's."""

SHINGLE = 8
"""Words in a row that two reports must share for a passage: shorter ones are turns of phrase (winnowing uses as many)."""

MAX_TOGETHER = 100_000
"""Words (or letters of a script that parts none) of all reports of a story that are compared, in 0.11 s and 30 MB at most;
60 reports of 1,600 words are whole. 60 of 20,000 Chinese letters took 4.5 s and 600 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of text: `same`, `added` or `removed`."""

    what: str
    text: str


Paragraph = list[Piece]


def word_diff(old: str, new: str) -> list[Paragraph | None]:
    """The paragraphs that changed, in their order, each as pieces; None stands for a run of unchanged ones between them. Empty
    lines are none."""
    if old == new:
        return [None]
    before, after = ([line for line in text.split("\n") if line.strip()] for text in (old, new))
    changed: list[Paragraph | None] = []
    for same, gone, come in _runs(before, after):
        if same:
            changed.append(None)
        if gone or come:
            changed.append(list(_pieces("\n".join(gone), "\n".join(come))))
    return changed or [None]


def text_diff(old: str, new: str) -> Paragraph:
    """The whole of a text as pieces, with what it lacks of another one. Where paragraphs begin is no difference: sites differ in it."""
    return list(_pieces(old, new, spaces=None))


def _pieces(old: str, new: str, spaces: str | None = " ") -> Iterator[Piece]:
    for same, gone, come in _runs(PIECE.findall(old), PIECE.findall(new), spaces):
        for what, words in (("same", same), ("removed", gone), ("added", come)):
            if words:
                yield Piece(what=what, text="".join(words))


def _runs(old: list[str], new: list[str], spaces: str | None = " ") -> Iterator[tuple[list[str], list[str], list[str]]]:
    """What is the same, and then what was taken out and put in behind it, again and again: a longest common subsequence.
    The last word of a line has no space behind it, and is the same with one: it has one then. So it is with other white space
    where `spaces` is None."""
    if max(len(old), len(new)) > MAX_WORDS:
        yield [], old, new
        return
    same: list[str] = []
    gone: list[str] = []
    come: list[str] = []
    for code in Indel.opcodes([one.rstrip(spaces) for one in old], [one.rstrip(spaces) for one in new]):
        if code.tag == "equal":
            if gone or come:
                yield same, gone, come
            pairs = zip(old[code.src_start : code.src_end], new[code.dest_start : code.dest_end], strict=True)
            same, gone, come = [max(pair, key=len) for pair in pairs], [], []
        else:
            gone, come = gone + old[code.src_start : code.src_end], come + new[code.dest_start : code.dest_end]
    yield same, gone, come


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A text as pieces, `same` where another text of the group has the words too, else `own`; the share of the former."""

    pieces: list[Piece]
    share: float  #: of its words, 0 to 1
    whole: bool  #: whether all of it was compared; otherwise the pieces end where the comparison ends


def shared_passages(texts: Sequence[str]) -> list[Shared]:
    """Which passages of each text stand in another one as well: SHINGLE words in a row or more, letter case aside. Of many
    long texts the beginnings are compared: MAX_TOGETHER words, as many of each."""
    most = MAX_TOGETHER // max(len(texts), 1)
    spans = [[word.span() for word in islice(WORD.finditer(text), most + 1)] for text in texts]
    shingles = [list(_shingles(text, words[:most])) for text, words in zip(texts, spans, strict=True)]
    seen: set[int] = set()
    common: set[int] = set()
    for some in map(set, shingles):
        common |= seen & some
        seen |= some
    return [
        _cut(text, words, [one in common for one in said], most)
        for text, words, said in zip(texts, spans, shingles, strict=True)
    ]


def _shingles(text: str, spans: list[tuple[int, int]]) -> Iterator[int]:
    """The hash of every SHINGLE words in a row: the words themselves would take ten times the memory."""
    words = [text[start:end].lower() for start, end in spans]
    return map(hash, zip(*(words[at:] for at in range(SHINGLE)), strict=False))


def _cut(text: str, spans: list[tuple[int, int]], begins: list[bool], most: int) -> Shared:
    """The text in pieces: `begins` says of each word whether a common shingle begins with it."""
    whole = len(spans) <= most
    if not whole:
        spans, text = spans[:most], text[: spans[most][0]]
    pieces, start, inside, until, same = [], 0, False, 0, 0
    for number, (begin, _) in enumerate(spans):
        until = number + SHINGLE if number < len(begins) and begins[number] else until
        same += number < until
        if (number < until) != inside:
            cut = spans[number - 1][1] if inside else begin
            pieces.append(Piece(what="same" if inside else "own", text=text[start:cut]))
            start, inside = cut, not inside
    cut = spans[-1][1] if inside else len(text)
    pieces += [Piece(what="same" if inside else "own", text=text[start:cut]), Piece(what="own", text=text[cut:])]
    return Shared(pieces=[piece for piece in pieces if piece.text], share=same / max(len(spans), 1), whole=whole)
