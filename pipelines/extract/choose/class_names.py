"""What class names say of text blocks: a table, learnt from many sites, of what is an article's and what is not."""

import re
import zlib
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from pipelines.extract.choose.blocks import Blocks
from pipelines.extract.choose.texts import Columns

NameTable = Mapping[int, tuple[float, float]]
"""Hash of a class token -> log-odds that text is the article's: of what bears the name, and of what stands deeper in it."""


SUBWORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]{2,}(?![a-z])")


MAX_TOKENS, MAX_TOKEN = 12, 60


@lru_cache(maxsize=20_000)
def tokens_of(names: str) -> tuple[int, ...]:
    """Hashes of the names of an element and of the words in them: `article-body` -> `=article-body`, `article`, `body`."""
    found = dict.fromkeys(
        token
        for name in names.split()[:MAX_TOKENS]
        if len(name) <= MAX_TOKEN
        for token in ("=" + name.lower(), *(word.lower() for word in SUBWORD.findall(name) if 2 < len(word) < 20))
    )
    return tuple(zlib.crc32(token.encode()) for token in found)


def name_columns(page: Blocks, table: NameTable) -> Columns:
    """What class names say: of the block's own element, of the one around it, and of all further out."""
    known = {
        names: (_odds(names, table, 0), _odds(names, table, 1)) for names in {one.names for one in page.containers}
    }
    own, far = [known[one.names][0] for one in page.containers], [known[one.names][1] for one in page.containers]
    low, high = [0.0] * len(far), [0.0] * len(far)
    for number, (one, (least, most, _)) in enumerate(zip(page.containers, far, strict=True)):
        low[number], high[number] = min(low[one.parent], least), max(high[one.parent], most)
    rows = [
        (
            *(_joined(own[block.container], _odds(block.names, table, 0)) if block.names else own[block.container]),
            *own[up := page.containers[block.container].parent],
            low[page.containers[up].parent],
            high[page.containers[up].parent],
        )
        for block in page.blocks
    ]
    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(NAME_COLUMNS))
    return dict(zip(NAME_COLUMNS, values.T, strict=True))


NAME_COLUMNS = ("name_low", "name_high", "name_mean", "around_low", "around_high", "around_mean", "far_low", "far_high")


def _odds(names: str, table: NameTable, scope: int) -> tuple[float, float, float]:
    """The least, the greatest and the mean log-odds of what an element is called, zeros where nothing is known."""
    known = [table[token][scope] for token in tokens_of(names) if token in table] if names else []
    return (min(known), max(known), sum(known) / len(known)) if known else (0.0, 0.0, 0.0)


def _joined(one: tuple[float, float, float], other: tuple[float, float, float]) -> tuple[float, float, float]:
    if not any(other):
        return one
    return min(one[0], other[0]), max(one[1], other[1]), other[2] if not any(one) else (one[2] + other[2]) / 2
