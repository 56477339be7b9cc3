"""Winnowing: the fingerprints of a text, a function of its words alone.

Schleimer, Wilkerson and Aiken: Winnowing, SIGMOD 2003. The figures in the comments are those of
`python -m tests.benchmarks.dedup`.
"""

from itertools import accumulate
from zlib import crc32

GRAM = 5
"""Words that make a print; twice as many characters in scripts without spaces, where a word has about two."""

WINDOW = 18
"""Of that many neighbouring grams the least is kept: about 41 prints of 400 words, and one of any 22 words shared in a row.
16 finds 4 more of 1,830 pairs and costs an eighth more."""

SHARED_PRINTS = 2
"""Prints two texts must share to be compared. One alone costs 40 false pairs of 8,120 wire reports (F1 .97 -> .93)."""

SIGNED = 2**31
"""Taken from an unsigned hash of 32 bits: SQLite's numbers are signed, and small ones take less of its file."""


def fingerprints(words: list[str], unit: int = 1) -> frozenset[int]:
    """The winnowed prints of a text: hashes of `GRAM * unit` neighbouring words, signed 32 bits, the least of each window."""
    grams = _gram_hashes(words, GRAM * unit)
    if len(grams) <= WINDOW:
        return frozenset([min(grams) - SIGNED] if grams else [])
    chosen: list[int] = []
    least, place = -1, -1  # the least gram of the window, and where it stands
    for start, newest in enumerate(grams[WINDOW - 1 :]):
        if place < start:
            window = grams[start : start + WINDOW]
            least = min(window)
            place = start + window.index(least)
            chosen.append(least)
        elif newest <= least:
            least, place = newest, start + WINDOW - 1
            chosen.append(least)
    return frozenset(gram - SIGNED for gram in chosen)


def _gram_hashes(words: list[str], length: int) -> list[int]:
    """One hash per gram, not yet signed. The bytes are joined once and cut, which takes half the time of joining every gram."""
    encoded = [word.encode() for word in words]
    line = b" ".join(encoded)
    starts = list(accumulate((len(word) + 1 for word in encoded), initial=0))
    return [crc32(line[start : end - 1]) for start, end in zip(starts, starts[length:], strict=False)]
