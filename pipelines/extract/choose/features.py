"""What is measured of each text block: a table of features (columns of numbers), one row per block.

A column says one thing of a block, of the containers around it, or of its neighbours. The loops in Python only measure
text; all that is summed, compared or shifted is numpy's.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.extract.choose.blocks import TAGS, Block, Blocks
from pipelines.extract.choose.class_names import NameTable, name_columns
from pipelines.extract.choose.texts import Columns, PageContext, context_columns, text_columns


def measure(page: Blocks, context: PageContext, table: NameTable) -> tuple[Columns, NDArray[np.intp]]:
    """The features of all blocks, and the numbers of those that may be chosen."""
    texts = text_columns(page.blocks)
    ranges, kinds = ranges_of(page, texts), kinds_of(page)
    places = place_columns(page, texts, ranges, kinds)
    candidates = np.flatnonzero(places.pop("candidate"))
    others = context_columns(page.blocks, texts, places, context)
    found = {
        **texts,
        **places,
        **others,
        **reading_columns(ranges, kinds, texts["chars"], others["read"]),
        **name_columns(page, table),
    }
    return found, candidates


AROUND = ("article", "main", "aside", "footer", "ul", "blockquote", "section")
"""Elements of which a block's ancestors are told; ol and dl count as ul."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """A page's containers as arrays, and what is summed over the blocks of each."""

    at: NDArray[np.intp]  #: the container of each block
    parent: NDArray[np.intp]
    depth: NDArray[np.float64]
    first: NDArray[np.intp]
    end: NDArray[np.intp]
    before: Columns  #: sums over all blocks before one: characters, those in links, in prose, outside links; paragraphs
    inside: Columns  #: the same over a container's


def ranges_of(page: Blocks, texts: Columns) -> Ranges:
    first, end = (np.array([one.first for one in page.containers]), np.array([one.end for one in page.containers]))
    chars, link, prose = texts["chars"], texts["link"], texts["prose"]
    summed = {
        "chars": chars,
        "link": chars * link,
        "prose": chars * prose,
        "plain": chars * (1 - link),
        "paragraphs": prose,
    }
    before = {name: np.concatenate(([0.0], np.cumsum(values))) for name, values in summed.items()}
    return Ranges(
        at=np.array([block.container for block in page.blocks], dtype=np.intp),
        parent=np.array([one.parent for one in page.containers], dtype=np.intp),
        depth=np.array([one.depth for one in page.containers], dtype=np.float64),
        first=first,
        end=end,
        before=before,
        inside={name: total[end] - total[first] for name, total in before.items()},
    )


def place_columns(page: Blocks, texts: Columns, ranges: Ranges, kinds: NDArray[np.intp]) -> Columns:
    """Where a block stands: in which containers, how far from the one with most prose, how often its like is there."""
    found = {
        **best_columns(ranges),
        **container_columns(ranges),
        **tag_columns(page, ranges),
        **likeness_columns(page, texts, kinds),
    }
    in_best = found["in_best"] > 0
    found |= position_columns(ranges, texts, in_best)
    near_prose = (ranges.inside["paragraphs"][ranges.parent[ranges.parent[ranges.at]]] > 0) | in_best
    judged = near_prose | ((texts["link"] <= MOSTLY_LINK) & (texts["width"] >= TRIVIAL))
    return found | {"candidate": judged.astype(np.float64)}


def best_columns(ranges: Ranges) -> Columns:
    """How far each block is from the container with most prose."""
    at, depth, count = ranges.at, ranges.depth, len(ranges.at)
    best = _best_container(ranges)
    shared = np.ones(count)
    for one in _path_to(best, ranges.parent):
        shared[ranges.first[one] : ranges.end[one]] = depth[one]
    in_best = np.zeros(count)
    in_best[ranges.first[best] : ranges.end[best]] = 1
    share = ranges.inside["prose"][best] / max(1.0, ranges.before["prose"][-1])
    return {
        "in_best": in_best,
        "best_share": np.full(count, share),
        "steps_to_best": depth[at] - shared,
        "shared_depth": shared / depth[best],
        "depth": depth[at],
        "depth_to_best": depth[at] - depth[best],
    }


def _best_container(ranges: Ranges) -> int:
    """The container with most prose, few links and little else; deeper where these are alike."""
    filled = np.maximum(1, ranges.inside["chars"])
    weight = ranges.inside["prose"] + PLAIN_WEIGHT * ranges.inside["plain"]
    value = weight * (1 - ranges.inside["link"] / filled) * np.sqrt(weight / filled) + 0.001 * ranges.depth * weight
    return int(np.argmax(value))


PLAIN_WEIGHT = 0.05
"""Of text that is no prose, so that verse and lists have a container, too."""


def _path_to(one: int, parent: NDArray[np.intp]) -> list[int]:
    """A container and those around it, from the outermost."""
    path = [one]
    while path[-1] != parent[path[-1]]:
        path.append(int(parent[path[-1]]))
    return path[::-1]


def container_columns(ranges: Ranges) -> Columns:
    """What is in the three containers around a block."""
    order, parent, inside = np.arange(float(len(ranges.at))), ranges.parent, ranges.inside
    prose = max(1.0, ranges.before["prose"][-1])
    found: Columns = {}
    for level, which in (("own", ranges.at), ("up", parent[ranges.at]), ("up2", parent[parent[ranges.at]])):
        chars = np.maximum(1, inside["chars"][which])
        found[f"{level}_chars"] = np.log1p(inside["chars"][which])
        found[f"{level}_link"] = inside["link"][which] / chars
        found[f"{level}_prose"] = inside["prose"][which] / chars
        found[f"{level}_share"] = inside["prose"][which] / prose
        found[f"{level}_blocks"] = (ranges.end - ranges.first)[which].astype(np.float64)
        found[f"{level}_paragraphs"] = inside["paragraphs"][which]
        found[f"{level}_from"] = order - ranges.first[which]
        found[f"{level}_to"] = ranges.end[which].astype(np.float64) - order
    return found


def tag_columns(page: Blocks, ranges: Ranges) -> Columns:
    """The tag of a block's container, and which of AROUND it stands in."""
    codes = np.array([TAGS.get(one.tag, len(TAGS)) for one in page.containers], dtype=np.float64)
    kinds = [0] * len(page.containers)
    for number, one in enumerate(page.containers):
        kinds[number] = kinds[one.parent] | BITS.get(one.tag, 0)
    inside = np.array(kinds, dtype=np.int64)[ranges.at]
    found: Columns = {"tag": codes[ranges.at]}
    for bit, name in enumerate(AROUND):
        found[f"in_{name}"] = ((inside >> bit) & 1).astype(np.float64)
    return found


BITS = {name: 1 << bit for bit, name in enumerate(AROUND)} | {name: 1 << AROUND.index("ul") for name in ("ol", "dl")}


def position_columns(ranges: Ranges, texts: Columns, in_best: NDArray[np.bool_]) -> Columns:
    """How much stands before and after a block, counted from the page's ends, its prose's and that of the best container."""
    count, order = len(in_best), np.arange(float(len(in_best)))
    chars, prose = ranges.before["chars"], ranges.before["prose"]
    total, prose_total = max(1.0, chars[-1]), max(1.0, prose[-1])
    paragraphs = np.flatnonzero(texts["prose"])
    begin, finish = _ends(paragraphs, count)
    start, stop = _ends(paragraphs[in_best[paragraphs]], count)
    whole = {"page_blocks": count, "page_chars": np.log(total), "page_prose": np.log(prose_total)}
    return {
        "position": order / max(1, count),
        "chars_before": chars[:-1] / total,
        "prose_before": prose[:-1] / prose_total,
        "from_prose": order - begin,
        "to_prose": finish - order,
        "from_best": order - start,
        "to_best": stop - order,
        "chars_from_best": (chars[:-1] - chars[start]) / total,
        "chars_to_best": (chars[stop] - chars[:-1]) / total,
        "page_share": np.full(count, prose_total / total),
        **{name: np.full(count, float(value)) for name, value in whole.items()},
    }


def _ends(numbers: NDArray[np.intp], count: int) -> tuple[int, int]:
    return (int(numbers[0]), int(numbers[-1])) if len(numbers) else (0, count - 1)


def likeness_columns(page: Blocks, texts: Columns, kinds: NDArray[np.intp]) -> Columns:
    """What all blocks of one kind are together, and how often a block's very text is there."""
    chars = texts["chars"]
    prose = max(1.0, float((chars * texts["prose"]).sum()))
    times = Counter(block.text for block in page.blocks)
    same, same_prose = _of_its_kind(kinds, chars), _of_its_kind(kinds, chars * texts["prose"])
    return {
        "like": _of_its_kind(kinds, np.ones(len(chars))),
        "like_chars": np.log1p(same),
        "like_link": _of_its_kind(kinds, chars * texts["link"]) / same,
        "like_prose": same_prose / same,
        "like_share": same_prose / prose,
        "times": np.array([times[block.text] for block in page.blocks], dtype=np.float64),
    }


def kinds_of(page: Blocks) -> NDArray[np.intp]:
    """A number for each block, equal for those of the same tag and class in containers of the same tag and class."""
    known: dict[object, int] = {}
    return np.array([known.setdefault(_signature(page, block), len(known)) for block in page.blocks], dtype=np.intp)


def _of_its_kind(kinds: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each block the sum over all of its kind."""
    summed: NDArray[np.float64] = np.bincount(kinds, weights=values).astype(np.float64)[kinds]
    return summed


def reading_columns(
    ranges: Ranges, kinds: NDArray[np.intp], chars: NDArray[np.float64], read: NDArray[np.float64]
) -> Columns:
    """How much of what is around a block, and of its kind, a first reading kept, and how far from a block it is that was kept.

    Advertising splits an article into equal containers, of which a reading may keep one; a list of which it kept one entry by
    chance is another's.
    """
    order, before = np.arange(len(read)), np.concatenate(([0.0], np.cumsum(chars * read)))
    inside = before[ranges.end] - before[ranges.first]
    found: Columns = {"like_read": _of_its_kind(kinds, chars * read) / _of_its_kind(kinds, chars)}
    for level, which in (("own", ranges.at), ("up", ranges.parent[ranges.at])):
        found[f"{level}_read"] = inside[which] / np.maximum(1, ranges.inside["chars"][which])
    kept = np.flatnonzero(read >= 1)
    place = np.searchsorted(kept, order)
    ends = np.concatenate(([-FAR], kept, [len(read) + FAR]))
    found["since_read"] = np.minimum(FAR, order - ends[place]).astype(np.float64)
    found["until_read"] = np.minimum(FAR, ends[place + 1] - order).astype(np.float64)
    return found


FAR = 60
"""Blocks beyond which it does not matter how far a reading's lines are."""


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


NEIGHBOURS = ("log_chars", "link", "tag", "read", "like_share", "steps_to_best", "upper", "name_mean", "around_mean")


def all_names(columns: Columns) -> list[str]:
    """Every column that table_of() can give."""
    shifted = [f"{name}@{by}" for by in (-2, -1, 1, 2) for name in NEIGHBOURS]
    return [*columns, *shifted, *(f"{name}@mean" for name in ("read", "link", "closed", "prose"))]
