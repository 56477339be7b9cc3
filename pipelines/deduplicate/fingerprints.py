"""Winnowed fingerprints of texts, and which articles share them: an index that names the few articles worth comparing.

Schleimer, Wilkerson and Aiken: Winnowing, SIGMOD 2003. The figures in the comments are those of
`python -m tests.benchmarks.dedup`.
"""

import json
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from sqlite_utils import Database

Holders = dict[int, list[int]]

GRAM = 5
"""Words that make a print; twice as many characters in scripts without spaces, where a word has about two."""

WINDOW = 18
"""Of that many neighbouring grams the least is kept: about 41 prints of 400 words, and one of any 22 words shared in a row.
16 finds 4 more of 1,830 pairs and costs an eighth more."""

COMMON = 8
"""A print held by more articles than this is a phrase or a template. Evidence: between 4 and 8 it makes no difference."""

KEPT_ARTICLES = 4 * COMMON
"""Articles noted per print: some are forgotten and some are merged, and the print must stay common."""

SHARED_PRINTS = 2
"""Prints two texts must share to be compared. One alone costs 40 false pairs of 8,120 wire reports (F1 .97 -> .93)."""

CANDIDATES = 24
"""Articles compared with one page at most, those that share most first."""

SIGNATURE = {"gram": GRAM, "window": WINDOW, "hash": "crc32", "kept": KEPT_ARTICLES}
"""What the stored prints depend on. When it changes they are made anew."""

SIGNATURE_VERSION = 1


def holders_of(db: "Database", prints: Iterable[int]) -> Holders:
    """Per print the articles that have it; prints that nobody has are left out."""
    rows = db.conn.execute(
        """select fingerprints.hash, article_id from json_each(?) as print
           cross join fingerprints on fingerprints.hash = print.value""",
        [json.dumps(sorted(prints))],
    )
    holders: Holders = {}
    for print_, article_id in rows:
        holders.setdefault(print_, []).append(article_id)
    return holders


def candidates(holders: Holders) -> list[int]:
    """Articles that share enough prints which are not common, those that share most first."""
    shared = Counter(article_id for ids in holders.values() if len(ids) <= COMMON for article_id in ids)
    enough = [(-number, article_id) for article_id, number in shared.items() if number >= SHARED_PRINTS]
    return [article_id for _, article_id in sorted(enough)[:CANDIDATES]]


def unnoted(prints: Iterable[int], holders: Holders, article_id: int | None = None) -> tuple[int, ...]:
    """The prints to note of a text: those its article has not got yet, and that are not noted often enough."""
    return tuple(
        print_
        for print_ in sorted(prints)
        if not (ids := holders.get(print_)) or (len(ids) < KEPT_ARTICLES and article_id not in ids)
    )


def fingerprints(words: list[str], unit: int = 1) -> frozenset[int]:
    """The winnowed prints of a text: hashes of `GRAM * unit` neighbouring words, signed 32 bits, the least of each window."""
    grams = _gram_hashes(words, GRAM * unit)
    if len(grams) <= WINDOW:
        return frozenset([min(grams)] if grams else [])
    chosen: set[int] = set()
    least = -1
    for start in range(len(grams) - WINDOW + 1):
        if least < start:
            window = grams[start : start + WINDOW]
            least = start + window.index(min(window))
        elif grams[start + WINDOW - 1] <= grams[least]:
            least = start + WINDOW - 1
        chosen.add(grams[least])
    return frozenset(chosen)


def _gram_hashes(words: list[str], length: int) -> list[int]:
    """One hash per gram. The bytes are joined once and cut, which takes half the time of joining every gram."""
    encoded = [word.encode() for word in words]
    line = b" ".join(encoded)
    starts = list(accumulate((len(word) + 1 for word in encoded), initial=0))
    return [crc32(line[start : end - 1]) - 2**31 for start, end in zip(starts, starts[length:], strict=False)]
