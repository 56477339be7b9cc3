"""What is measured of each text block: a table of features (columns of numbers), one row per block.

A column says one thing of a block, of the containers around it, or of its neighbours. The loops in Python only measure
text; all that is summed, compared or shifted is numpy's.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.extract.block_names import NameTable, name_columns
from pipelines.extract.block_texts import Columns, PageContext, context_columns, phrase_columns, text_columns
from pipelines.extract.blocks import TAGS, Block, Blocks


def measure(page: Blocks, context: PageContext, table: NameTable) -> tuple[Columns, NDArray[np.intp]]:
    """The features of all blocks, and the numbers of those that may be chosen."""
    texts = text_columns(page.blocks)
    places = place_columns(page, texts)
    candidates = np.flatnonzero(places.pop("candidate"))
    found = {
        **texts,
        **places,
        **phrase_columns(page.blocks, candidates),
        **context_columns(page.blocks, texts, places, context),
        **name_columns(page, table),
    }
    return found, candidates


AROUND_NAMES = "article main aside header footer form ul table blockquote figure section details"


AROUND = AROUND_NAMES.split()
"""Elements of which a block's ancestors are told; ol and dl count as ul."""


def place_columns(page: Blocks, texts: Columns) -> Columns:
    """Where a block stands: in which containers, how far from the one with most prose, how often its like is there."""
    blocks, count = page.blocks, len(page.blocks)
    at = np.array([block.container for block in blocks], dtype=np.intp)
    parent = np.array([one.parent for one in page.containers], dtype=np.intp)
    depth = np.array([one.depth for one in page.containers], dtype=np.float64)
    first = np.array([one.first for one in page.containers], dtype=np.intp)
    end = np.array([one.end for one in page.containers], dtype=np.intp)
    chars, link, prose = texts["chars"], texts["link"], texts["prose"]
    sums = {
        name: np.concatenate(([0.0], np.cumsum(values)))
        for name, values in (
            ("chars", chars),
            ("link", chars * link),
            ("prose", chars * prose),
            ("paragraphs", prose),
            ("verse", chars * (1 - link)),
        )
    }
    of = {name: total[end] - total[first] for name, total in sums.items()}
    total, prose_total = max(1.0, sums["chars"][-1]), max(1.0, sums["prose"][-1])
    found: Columns = {}

    # the container with most prose
    filled = np.maximum(1, of["chars"])
    weight = of["prose"] + 0.05 * of["verse"]
    value = weight * (1 - of["link"] / filled) * np.sqrt(weight / filled) + 0.001 * depth * weight
    best = int(np.argmax(value)) if count else 0
    path = [best]
    while path[-1] != parent[path[-1]]:
        path.append(int(parent[path[-1]]))
    shared = np.ones(count)
    for one in reversed(path):
        shared[first[one] : end[one]] = depth[one]
    in_best = np.zeros(count, dtype=bool)
    in_best[first[best] : end[best]] = True
    found["in_best"] = in_best.astype(np.float64)
    found["best_share"] = np.full(count, of["prose"][best] / prose_total)
    found["steps_to_best"] = depth[at] - shared
    found["shared_depth"] = shared / depth[best]
    found["depth"] = depth[at]
    found["depth_to_best"] = depth[at] - depth[best]

    # containers, from the innermost
    for level, which in (("own", at), ("up", parent[at]), ("up2", parent[parent[at]])):
        inside = np.maximum(1, of["chars"][which])
        found[f"{level}_chars"] = np.log1p(of["chars"][which])
        found[f"{level}_link"] = of["link"][which] / inside
        found[f"{level}_prose"] = of["prose"][which] / inside
        found[f"{level}_share"] = of["prose"][which] / prose_total
        found[f"{level}_blocks"] = (end - first)[which].astype(np.float64)
        found[f"{level}_paragraphs"] = of["paragraphs"][which]
        found[f"{level}_from"] = np.arange(count) - first[which]
        found[f"{level}_to"] = end[which] - np.arange(count)

    # tags
    codes = np.array([TAGS.get(one.tag, len(TAGS)) for one in page.containers], dtype=np.float64)
    found["tag"], found["up_tag"] = codes[at], codes[parent[at]]
    kinds = [0] * len(page.containers)
    for number, one in enumerate(page.containers):
        tag = "ul" if one.tag in ("ol", "dl") else one.tag
        kinds[number] = kinds[one.parent] | (1 << AROUND.index(tag) if tag in AROUND else 0)
        if "articleBody" in one.names:
            kinds[number] |= 1 << len(AROUND)
    inside_of = np.array(kinds, dtype=np.int64)[at]
    for bit, name in enumerate([*AROUND, "named_body"]):
        found[f"in_{name}"] = ((inside_of >> bit) & 1).astype(np.float64)

    # position
    order = np.arange(count)
    paragraphs = np.flatnonzero(prose)
    inner = paragraphs[in_best[paragraphs]]
    start, stop = (inner[0], inner[-1]) if len(inner) else (0, count - 1)
    begin, finish = (paragraphs[0], paragraphs[-1]) if len(paragraphs) else (0, count - 1)
    found["position"] = order / max(1, count)
    found["chars_before"] = sums["chars"][:-1] / total
    found["prose_before"] = sums["prose"][:-1] / prose_total
    found["from_prose"], found["to_prose"] = order - begin, finish - order
    found["from_best"], found["to_best"] = order - start, stop - order
    found["chars_from_best"] = (sums["chars"][order] - sums["chars"][start]) / total
    found["chars_to_best"] = (sums["chars"][stop] - sums["chars"][order]) / total
    for name, number in (
        ("page_blocks", count),
        ("page_chars", np.log(total)),
        ("page_prose", np.log(prose_total)),
        ("page_share", prose_total / total),
    ):
        found[name] = np.full(count, float(number))

    # its like: blocks of the same tag, class and parent
    like: dict[object, int] = {}
    kind_of = np.array([like.setdefault(_signature(page, block), len(like)) for block in blocks], dtype=np.intp)
    sum_of = lambda weights: np.bincount(kind_of, weights=weights, minlength=len(like))[kind_of]  # noqa: E731
    same = sum_of(chars)
    found["like"] = sum_of(np.ones(count))
    found["like_chars"] = np.log1p(same)
    found["like_link"], found["like_prose"] = sum_of(chars * link) / same, sum_of(chars * prose) / same
    found["like_share"] = found["like_prose"] * same / prose_total
    times = Counter(block.text for block in blocks)
    found["times"] = np.array([times[block.text] for block in blocks], dtype=np.float64)

    near_prose = (of["paragraphs"][parent[parent[at]]] > 0) | in_best
    found["candidate"] = near_prose | ((link <= MOSTLY_LINK) & (texts["width"] >= TRIVIAL))
    return found


MOSTLY_LINK, TRIVIAL = 0.9, 12
"""Share of link text over which, and characters under which, a block far from all prose is not judged."""


def _signature(page: Blocks, block: Block) -> object:
    own = page.containers[block.container]
    around = page.containers[own.parent]
    return own.tag, own.names[:NAMES_ALIKE], around.tag, around.names[:NAMES_ALIKE]


NAMES_ALIKE = 20
"""Characters of a name that the blocks of one kind share; numbers come after."""


# --------------------------------------------------------------------------------------------------------- neighbours
def table_of(columns: Columns, candidates: NDArray[np.intp], names: Sequence[str]) -> NDArray[np.float32]:
    """The columns of these names, a row per candidate; `link@-1` is the value of the candidate before."""
    found = np.empty((len(names), len(candidates)), dtype=np.float32)
    for row, name in zip(found, names, strict=True):
        base, _, shift = name.partition("@")
        values = columns[base][candidates]
        if not shift:
            row[:] = values
        elif shift == "mean":
            row[:] = _running_mean(values)
        else:
            row[:] = _shifted(values, int(shift))
    return found.T


def _shifted(values: NDArray[np.float64], by: int) -> NDArray[np.float64]:
    """The values of the neighbours `by` further on, -9 where there are none."""
    found = np.full(len(values), NO_NEIGHBOUR)
    if by < 0:
        found[-by:] = values[:by]
    else:
        found[:-by] = values[by:]
    return found


NO_NEIGHBOUR = -9.0


def _running_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of a block and four on either side."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    low, high = np.maximum(0, np.arange(len(values)) - 4), np.minimum(len(values), np.arange(len(values)) + 5)
    mean: NDArray[np.float64] = (total[high] - total[low]) / (high - low)
    return mean


NEIGHBOUR_NAMES = """
log_chars link closed sentences tag read label promotion like_share steps_to_best upper name_mean around_mean prose
title bold
"""


NEIGHBOURS = NEIGHBOUR_NAMES.split()


def all_names(columns: Columns) -> list[str]:
    """Every column that table_of() can give."""
    shifted = [f"{name}@{by}" for by in (-2, -1, 1, 2) for name in NEIGHBOURS]
    return [*columns, *shifted, *(f"{name}@mean" for name in ("read", "link", "closed", "prose"))]
