"""Which text blocks of a page are its article: chosen by a model (gradient-boosted trees, then Viterbi) learnt from labelled pages.

The trees give each block the odds that it is the article's; Viterbi's path over them changes between article and rest
where that is worth a price. `python -m tests.benchmarks.train` writes the model beside this file: numbers, no text of a
page. How well it does is in card.json.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.extract.boilerplate import is_in_dateline, key_points
from pipelines.extract.choose.blocks import Block, Blocks
from pipelines.extract.choose.class_names import NameTable
from pipelines.extract.choose.features import measure, table_of
from pipelines.extract.choose.texts import Columns, PageContext, phrase_columns
from pipelines.text import line_key

THRESHOLD = 0.4
"""Odds from which a block is the article's. Lower keeps more: of the article, and of what stands around it."""


CHANGE = 0.4
"""What it costs, in log-odds, to go from the article to the rest or back."""


MIN_CHOSEN = 100
"""Characters of a choice that is believed; of less the rules decide."""


MIN_SHARE = 0.4
"""Of a first reading's length that a choice must have to be believed: of labelled pages where it has less, the rules are
right more often."""


ALONE = 0.6
"""Log-odds from which a paragraph that a first reading kept is worth two changes of the path: advertising stands on both sides of it."""


DOUBTED = -1.0
"""Log-odds from which a paragraph that a first reading kept stays with two that stand in boxes equal to its own."""


MIN_READ = 0.7
"""Of the prose of a first reading that a choice must hold to be believed: cross-validated, news pages gain .001."""


MODEL = Path(__file__).with_name("model.json")


@dataclass(frozen=True, slots=True)
class Trees:
    """Boosted trees as tables: a test is `value of a column > limit`, a tree's leaves are the bits of a word.

    Each test that holds takes the leaves on its left from its tree's word; the lowest bit left is the leaf that is reached
    (QuickScorer, Lucchese et al., SIGIR 2015). So all tests of all trees are a few operations on arrays.
    """

    column: NDArray[np.intp]  #: of each test, one row per tree
    limit: NDArray[np.float32]
    leaves: NDArray[np.uint32]  #: those that are left where the test holds
    values: NDArray[np.float64]  #: of each leaf, one row per tree

    def log_odds(self, table: NDArray[np.float32]) -> NDArray[np.float64]:
        """The log-odds of each row of a table."""
        columns = np.ascontiguousarray(table.T)
        holds = columns[self.column.ravel()] > self.limit.ravel()[:, None]
        words = np.where(holds, self.leaves.ravel()[:, None], EVERY_LEAF)
        left = np.bitwise_and.reduce(words.reshape(*self.column.shape, len(table)), axis=1)
        leaf = np.bitwise_count((left & (~left + np.uint32(1))) - np.uint32(1)).astype(np.intp)
        odds: NDArray[np.float64] = np.take_along_axis(self.values, leaf, axis=1).sum(axis=0)
        return odds


EVERY_LEAF = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt."""

    columns: tuple[str, ...]  #: the features that the trees ask for
    trees: Trees
    names: NameTable


@cache
def load_model(path: Path = MODEL) -> Model:
    """The model file, read once."""
    return model_from(json.loads(path.read_text("utf-8")))


def model_from(stored: Mapping[str, Any]) -> Model:
    """The model of what its file holds."""
    trees = stored["trees"]
    tests, leaves = max(len(tree["column"]) for tree in trees), max(len(tree["value"]) for tree in trees)
    return Model(
        columns=tuple(stored["columns"]),
        trees=Trees(
            column=_padded(trees, "column", tests, 0).astype(np.intp),
            limit=_padded(trees, "limit", tests, np.inf).astype(np.float32),
            leaves=_padded(trees, "leaves", tests, 0xFFFFFFFF).astype(np.uint32),
            values=_padded(trees, "value", leaves, 0.0),
        ),
        names={token: (near / ODDS_SCALE, far / ODDS_SCALE) for token, near, far in zip(*stored["names"], strict=True)},
    )


def _padded(trees: Sequence[Mapping[str, Sequence[float]]], key: str, size: int, fill: float) -> NDArray[np.float64]:
    """One row per tree, of the same length."""
    return np.array([[*tree[key], *[fill] * (size - len(tree[key]))] for tree in trees])


ODDS_SCALE = 16
"""The log-odds of class tokens are stored as whole sixteenths."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A page's blocks with the model's odds: measured once, however often it is asked what is chosen of them."""

    page: Blocks
    context: PageContext
    columns: Columns
    candidates: NDArray[np.intp]
    odds: NDArray[np.float64]

    def chosen(self, least_read: float = MIN_READ) -> list[Block] | None:
        """The blocks of the article in their order; None where nothing is sure enough to be believed."""
        if not len(self.candidates):
            return None
        return chosen_blocks(self.page, self.context, self.columns, self.candidates, self.odds, least_read)


def judge(page: Blocks, context: PageContext) -> Judged:
    """The odds of a page's blocks, by the model."""
    model = load_model()
    columns, candidates = measure(page, context, model.names)
    odds = model.trees.log_odds(table_of(columns, candidates, model.columns)) if len(candidates) else np.zeros(0)
    return Judged(page, context, columns, candidates, odds)


def chosen_blocks(
    page: Blocks,
    context: PageContext,
    columns: Columns,
    candidates: NDArray[np.intp],
    odds: NDArray[np.float64],
    least_read: float = MIN_READ,
) -> list[Block] | None:
    """The candidates on the best path, trimmed; None where they are too little to be believed."""
    odds = together(page, candidates, odds)
    prose = (columns["prose"][candidates] > 0) & (columns["read"][candidates] >= 1)
    on_path = prose & (odds > ALONE) | best_path(odds)
    doubted = prose & (odds > DOUBTED) & ~on_path
    wanted = candidates[on_path | (doubted & are_like(page, candidates, on_path & prose) if doubted.any() else False)]
    read = np.flatnonzero((columns["read"] > 0) & (columns["prose"] > 0))
    columns = columns | phrase_columns(page.blocks, {*wanted.tolist(), *read.tolist()})
    numbers = trimmed(wanted, columns)
    if holds_of_reading(numbers, columns) < least_read:
        return None
    chosen = once(page, (page.blocks[number] for number in numbers))
    chosen = chosen[key_points([f"- {one.text}" if _is_entry(page, one) else one.text for one in chosen[:8]]) :]
    if chosen and is_in_dateline([one.text for one in chosen[:3]]):
        del chosen[0]
    least = max(MIN_CHOSEN, MIN_SHARE * sum(map(len, context.lines)))
    return chosen if sum(len(block.text) for block in chosen) >= least else None


def holds_of_reading(numbers: Sequence[int], columns: Columns) -> float:
    """The share of the prose that the first reading kept, noise aside, that a choice holds."""
    kept = trimmed(np.flatnonzero((columns["read"] > 0) & (columns["prose"] > 0)), columns)
    chars = columns["chars"][kept]
    return float(chars[np.isin(kept, numbers)].sum() / chars.sum()) if kept else 1.0


def once(page: Blocks, blocks: Iterable[Block]) -> list[Block]:
    """Without the blocks whose text stands before them in another container: pages hold it a second time for other screens."""
    kept, said = list[Block](), dict[int, str]()
    for block in blocks:
        key, around = line_key(block.text), page.containers[block.container].parent
        if len(key) < MIN_REPEATED or not any(key in text for place, text in said.items() if place != around):
            kept.append(block)
            said[around] = said.get(around, "") + key
    return kept


MIN_REPEATED = 60
"""Letters of a text that nobody says twice."""


def _is_entry(page: Blocks, block: Block) -> bool:
    return page.containers[block.container].tag == "li"


def together(page: Blocks, candidates: NDArray[np.intp], odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The odds with one value for all entries of a list: a list is the article's or is not."""
    containers = [page.containers[page.blocks[number].container] for number in candidates]
    entry = np.array([one.tag == "li" for one in containers], dtype=bool)
    if not entry.any():
        return odds
    lists = np.array([one.parent for one in containers], dtype=np.intp)[entry]
    found = odds.copy()
    found[entry] = (np.bincount(lists, odds[entry]) / np.maximum(1, np.bincount(lists)))[lists]
    return found


def are_like(page: Blocks, candidates: NDArray[np.intp], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which blocks stand as most others do that stand so: in one of several equal boxes, as the entries of a live blog do."""
    places = [_place(page, number) for number in candidates.tolist()]
    of_known = Counter(place for place, is_known in zip(places, known, strict=True) if is_known)
    return np.array([of_known[place] > 1 for place in places], dtype=bool)


def _place(page: Blocks, number: int) -> tuple[str, str, str, str, int]:
    """The kinds of a block's container and of the box around it, and what holds the boxes."""
    own = page.containers[page.blocks[number].container]
    box = page.containers[own.parent]
    return own.tag, FIGURES.sub("", own.names), box.tag, FIGURES.sub("", box.names), box.parent


FIGURES = re.compile(r"\d++")
"""What tells one box of a list from the next: `post-2241`, `post-2158`."""


def trimmed(numbers: NDArray[np.intp], columns: Columns) -> list[int]:
    """Without buttons, labels and promotions, and at the ends without title, byline, date line and credits: short lines, too light to
    be worth a change of path."""
    held = {name: values > 0 for name, values in columns.items() if name in ENDS}
    is_head = (
        held["menu"]
        | (held["title"] | ((held["byline"] | held["date"]) & ~held["closed"] & ~held["verse"])) & ~held["prose"]
    )
    is_tail = held["menu"] | (held["title"] | held["credit"]) & ~held["prose"]
    teases = held["teaser"] & (columns["link"] > TEASER_LINK)
    is_noise = held["control"] | held["label"] | held["promotion"] | teases
    kept = [int(number) for number in numbers if not is_noise[number]]
    while kept and is_head[kept[0]]:
        kept.pop(0)
    while kept and is_tail[kept[-1]]:
        kept.pop()
    return kept


TEASER_LINK = 0.3
"""Share of link text from which `Read also: …` is no sentence."""


ENDS = frozenset(
    ("title", "menu", "teaser", "promotion", "byline", "date", "credit", "closed", "verse", "prose", "control", "label")
)


def best_path(odds: NDArray[np.float64], threshold: float = THRESHOLD, change: float = CHANGE) -> list[bool]:
    """Article or rest for each block, so that the sum of log-odds less the price of all changes is greatest (Viterbi)."""
    gains = np.clip(odds, -LIMIT, LIMIT) - np.log(threshold / (1 - threshold))
    rest, article, back = 0.0, float("-inf"), []
    for number, gain in enumerate(gains.tolist()):
        price = change if number else 0.0
        ended, went_on = article - change > rest, article > rest - price
        back.append((ended, went_on))
        rest, article = max(rest, article - change), max(article, rest - price) + gain
    state, path = article > rest, []
    for ended, went_on in reversed(back):
        path.append(state)
        state = went_on if state else ended
    return path[::-1]


LIMIT = 9.0
"""Log-odds beyond which nothing is surer."""
