"""What changed from one text to the next, word by word, and what several texts have in common. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Indel

from pipelines.schema import CJK

WORD = re.compile(rf"(?:[{CJK}]|[^\s{CJK}]+)\s*|\s+")
"""A word, or one letter of a script that parts no words, with the white space behind it."""

MAX_WORDS = 10_000
"""Words of a text that are compared one by one, which takes 0.03 s at most; a longer one is shown as taken out and put in.
difflib would need 5 s for a thousand words that somebody chose for it: a page's text is a stranger's."""

SHINGLE = 8
"""Words in a row that two reports must share for a passage: shorter ones are turns of phrase (winnowing uses as many)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of text: `same`, `added` or `removed`."""

    what: str
    text: str


Paragraph = list[Piece]


def word_diff(old: str, new: str) -> list[Paragraph | None]:
    """The paragraphs that changed, in their order, each as pieces; None stands for a run of unchanged ones between them."""
    before, after = old.split("\n"), new.split("\n")
    changed: list[Paragraph | None] = []
    for same, gone, come in _runs(before, after):
        if same:
            changed.append(None)
        if gone or come:
            changed.append(list(_pieces("\n".join(gone), "\n".join(come))))
    return changed


def _pieces(old: str, new: str) -> Iterator[Piece]:
    for same, gone, come in _runs(WORD.findall(old), WORD.findall(new)):
        for what, words in (("same", same), ("removed", gone), ("added", come)):
            if words:
                yield Piece(what=what, text="".join(words))


def _runs(old: list[str], new: list[str]) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """What is the same, and then what was taken out and put in behind it, again and again: a longest common subsequence."""
    if max(len(old), len(new)) > MAX_WORDS:
        yield [], old, new
        return
    same: list[str] = []
    gone: list[str] = []
    come: list[str] = []
    for code in Indel.opcodes(old, new):
        if code.tag == "equal":
            if gone or come:
                yield same, gone, come
            same, gone, come = old[code.src_start : code.src_end], [], []
        else:
            gone, come = gone + old[code.src_start : code.src_end], come + new[code.dest_start : code.dest_end]
    yield same, gone, come


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A text as pieces, `same` where another text of the group has the words too, else `own`; the share of the former."""

    pieces: list[Piece]
    share: float  #: of its words, 0 to 1


def shared_passages(texts: Sequence[str]) -> list[Shared]:
    """Which passages of each text stand in another one as well: SHINGLE words in a row or more, letter case aside."""
    tokens = [[found.span() for found in re.finditer(rf"[{CJK}]|[^\W{CJK}]+", text)] for text in texts]
    words = [[text[start:end].lower() for start, end in spans] for text, spans in zip(texts, tokens, strict=True)]
    holders: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, said in enumerate(words):
        for at in range(len(said) - SHINGLE + 1):
            holders[tuple(said[at : at + SHINGLE])].add(number)
    return [_cut(*text, holders) for text in zip(texts, tokens, words, strict=True)]


def _cut(text: str, spans: list[tuple[int, int]], words: list[str], holders: dict[tuple[str, ...], set[int]]) -> Shared:
    common = [False] * len(words)
    for at in range(len(words) - SHINGLE + 1):
        if len(holders[tuple(words[at : at + SHINGLE])]) > 1:
            common[at : at + SHINGLE] = [True] * SHINGLE
    pieces, start, inside = [], 0, False
    for number, (begin, _) in enumerate(spans):
        if common[number] != inside:
            cut = spans[number - 1][1] if inside else begin
            pieces.append(Piece(what="same" if inside else "own", text=text[start:cut]))
            start, inside = cut, common[number]
    cut = spans[-1][1] if inside else len(text)
    pieces += [Piece(what="same" if inside else "own", text=text[start:cut]), Piece(what="own", text=text[cut:])]
    return Shared(pieces=[piece for piece in pieces if piece.text], share=sum(common) / max(len(words), 1))
