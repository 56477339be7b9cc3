"""What changed from one text to the next, word by word, and what several texts have in common. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from pipelines.schema import CJK

WORD = re.compile(rf"[{CJK}]|[^\s{CJK}]+|\s+")
"""A word, the white space between two, or one letter of a script that parts no words."""

MAX_WORDS = 3000
"""Words of a changed passage that are compared one by one; a longer one is shown as taken out and put in. Comparing takes
their square: 0.3 s for two passages of 3,000 that have nothing in common."""

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
    before, after = (text.split("\n") for text in (old, new))
    changed: list[Paragraph | None] = []
    for what, i, j, k, n in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            changed.append(None)
        else:
            changed.append(list(_pieces("\n".join(before[i:j]), "\n".join(after[k:n]))))
    return changed


def _pieces(old: str, new: str) -> Iterator[Piece]:
    before, after = (WORD.findall(text) for text in (old, new))
    if max(len(before), len(after)) > 2 * MAX_WORDS:  # words, and what is between them
        codes: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(before), 0, len(after))]
    else:
        codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for what, i, j, k, n in codes:
        if what == "equal":
            yield Piece(what="same", text="".join(before[i:j]))
            continue
        if i < j:
            yield Piece(what="removed", text="".join(before[i:j]))
        if k < n:
            yield Piece(what="added", text="".join(after[k:n]))


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
