"""Which articles share fingerprints: an inverted index that names the few articles worth comparing.

The figures in the comments are those of `python -m tests.benchmarks.dedup`.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipelines.deduplicate.winnowing import GRAM, SHARED_PRINTS, WINDOW

if TYPE_CHECKING:
    from pipelines.database.sqlite import Database

Holders = dict[int, list[int]]

COMMON = 8
"""A print held by more articles than this is a phrase or a template. Evidence: between 4 and 8 it makes no difference."""

KEPT_ARTICLES = 4 * COMMON
"""Articles noted per print: some are forgotten and some are merged, and the print must stay common."""

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
