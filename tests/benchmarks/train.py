"""Trains the line chooser (pipelines/extract/choose/choose.py) on labelled pages and writes its model file and card.

    python -m tests.benchmarks.train [BENCH] [--date DATE] [--figures]

BENCH holds training/, extraction/ and fixtures/ with their truth.json. What is printed first are figures of models that
were trained without the pages' own sites (five folds); then the model of all pages is written, with a card that says from
what and how well. It refuses to write, and exits with 1, where a figure falls by more than FALL below the card's.
Needs LightGBM (`pip install -e .[train]`); about three CPU minutes. The same pages and code give the same bytes.
"""

import argparse
import importlib.util
import json
import logging
import math
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from pipelines.extract.choose.choose import MODEL, ODDS_SCALE, chosen_blocks
from pipelines.extract.choose.class_names import name_columns, tokens_of
from pipelines.extract.choose.features import all_names, measure, table_of
from pipelines.extract.choose.texts import Columns
from tests.support.labelled import ROOT, Labelled, fold, read_pages, words

CARD = MODEL.with_name("card.json")


FOLDS, FALL, DRAWS = 5, 0.003, 400
"""Parts of the pages; how much F1 may fall; draws of an interval."""


STYLES = ("wcxb", "daniel", "fixtures")
"""Groups whose labels follow rules of their own (titles and captions count as text): the trees are told which, and are
exported as those for the others."""


WEIGHT = {"aeb": 2.0, "newspages": 3.0, "wcxb": 1.0, "daniel": 0.15, "fixtures": 1.0, "segments": 0.5, "made": 0.3}
"""Of a page of each group: news pages with careful labels count most."""


PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 15,
    "max_bin": 63,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5,
    "min_sum_hessian_in_leaf": 1e-3,
    "use_missing": False,
    "verbose": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 1,
}


ROUNDS = 120


# --------------------------------------------------------------------------------------------------------- class names
MIN_SITES = 4
"""Sites that must use a token before it says anything."""


SiteRates = dict[int, tuple[float, dict[str, float]]]
"""Token -> the sum of its sites' rates, and each of them: the share of the text in it that is the article's."""


@dataclass(frozen=True, slots=True)
class NameCounts:
    """What sites' class tokens say: of what bears them, and of what stands deeper in them."""

    scopes: tuple[SiteRates, SiteRates]

    def without(self, site: str | None) -> "TableWithout":
        return TableWithout(self, site)

    def odds(self, token: int, scope: int, site: str | None) -> float:
        """The log-odds of a token by the rates of all sites but one."""
        if token not in self.scopes[scope]:
            return 0.0
        total, rates = self.scopes[scope][token]
        number = len(rates)
        if site in rates:
            total, number = total - rates[site], number - 1
        if number < MIN_SITES:
            return 0.0
        return round(math.log((total + 0.5) / (number - total + 1.0)) * ODDS_SCALE) / ODDS_SCALE


class TableWithout(dict[int, tuple[float, float]]):
    """The table that is learnt from all sites but one, filled as it is asked."""

    def __init__(self, counts: NameCounts, site: str | None) -> None:
        super().__init__()
        self._counts, self._site = counts, site

    def __contains__(self, token: object) -> bool:
        return self[token] != (0.0, 0.0)  # type: ignore[index]

    def __missing__(self, token: int) -> tuple[float, float]:
        self[token] = found = (self._counts.odds(token, 0, self._site), self._counts.odds(token, 1, self._site))
        return found


def count_names(pages: Sequence[Labelled]) -> NameCounts:
    """What class tokens say, by site; made pages say nothing."""
    sums: tuple[TokenSums, TokenSums] = ({}, {})
    for page in pages:
        if page.group != "made":
            for sites, counted in zip(sums, names_of_page(page), strict=True):
                for token, (good, total) in counted.items():
                    of_site = sites.setdefault(token, {}).setdefault(page.site, [0.0, 0.0])
                    of_site[0] += good
                    of_site[1] += total
    return NameCounts((_rates(sums[0]), _rates(sums[1])))


TokenSums = dict[int, dict[str, list[float]]]


@cache
def names_of_page(page: Labelled) -> tuple[dict[int, list[float]], dict[int, list[float]]]:
    """For each token near a block, and for each further out: how much text of the article is there, and how much text."""
    containers = page.blocks.containers
    own = [tokens_of(one.names) for one in containers]
    beyond: list[frozenset[int]] = []
    for number, one in enumerate(containers):
        beyond.append(frozenset() if one.parent == number else beyond[one.parent] | set(own[one.parent]))
    found: tuple[dict[int, list[float]], dict[int, list[float]]] = ({}, {})
    for block, label in zip(page.blocks.blocks, page.labels, strict=True):
        if not math.isnan(label):
            size = min(len(block.text), 600) + 5
            around = containers[block.container].parent
            near = {*tokens_of(block.names), *own[block.container], *own[around]}
            for scope, tokens in zip(found, (near, beyond[around]), strict=True):
                for token in tokens:
                    counted = scope.setdefault(token, [0.0, 0.0])
                    counted[0] += size * (label >= 0.5)
                    counted[1] += size
    return found


def _rates(sums: Mapping[int, Mapping[str, Sequence[float]]]) -> SiteRates:
    found = {}
    for token, sites in sums.items():
        if len(sites) >= MIN_SITES:
            rates = {site: good / total for site, (good, total) in sites.items()}
            found[token] = (sum(rates.values()), rates)
    return found


# ------------------------------------------------------------------------------------------------------------ matrices
@dataclass(frozen=True, slots=True)
class Measured:
    """A labelled page with its features, the class names' aside."""

    page: Labelled
    columns: Columns
    candidates: NDArray[np.intp]


def measured(page: Labelled) -> Measured:
    columns, candidates = measure(page.blocks, page.context, {})
    return Measured(page, columns, candidates)


def rows_of(one: Measured, counts: NameCounts, names: Sequence[str]) -> NDArray[np.float32]:
    """The features of a page's candidates, class names judged by other sites."""
    columns = one.columns | name_columns(one.page.blocks, counts.without(one.page.site))
    return table_of(columns, one.candidates, names)


def weights_of(one: Measured) -> NDArray[np.float64]:
    """Of each candidate: by its length and its page's; pages count alike, ambiguous blocks less."""
    labels = one.page.labels[one.candidates]
    sizes = np.minimum(120, one.columns["width"][one.candidates] / 6 + 3)
    weights: NDArray[np.float64] = sizes / max(50.0, sizes[labels >= 0.5].sum())
    weights[(labels > 0.25) & (labels < 0.75)] *= 0.3
    return weights * WEIGHT[one.page.group]


def styled(rows: NDArray[np.float32], group: str | None) -> NDArray[np.float32]:
    """Rows with the columns of STYLES; no group is none of them."""
    return np.hstack([rows, np.tile(np.array([group == style for style in STYLES], dtype=np.float32), (len(rows), 1))])


def fit(
    pages: Sequence[Measured], counts: NameCounts, names: Sequence[str], rounds: int = ROUNDS, **parameters: Any
) -> lightgbm.Booster:
    """Trees for the candidates of these pages."""
    rows, labels, weights = [], [], []
    for one in pages:
        label = one.page.labels[one.candidates]
        known = ~np.isnan(label)
        if known.any():
            rows.append(styled(rows_of(one, counts, names), one.page.group)[known])
            labels.append(label[known] >= 0.5)
            weights.append(weights_of(one)[known])
    weight = np.concatenate(weights)
    data = lightgbm.Dataset(
        np.vstack(rows), np.concatenate(labels).astype(float), weight=weight * len(weight) / weight.sum()
    )
    return lightgbm.train({**PARAMETERS, **parameters}, data, rounds)


def usable(page: Labelled) -> bool:
    """Whether a page's labels can be learnt from: its blocks hold the article, once."""
    if page.gold is None:
        return True
    tokens = words(page.gold)
    held = sum(
        len(words(block.text)) for block, label in zip(page.blocks.blocks, page.labels, strict=True) if label >= 0.5
    )
    return 0.8 * len(tokens) < held < 1.6 * len(tokens)


def two_of_a_site(pages: Sequence[Labelled]) -> list[Labelled]:
    """Without most of DAnIEL, which has up to a hundred pages of one template."""
    seen: Counter[str] = Counter()
    kept = []
    for page in pages:
        seen[page.site] += page.group == "daniel"
        if page.group != "daniel" or seen[page.site] <= 2:
            kept.append(page)
    return kept


# ------------------------------------------------------------------------------------------------------------- figures
def folds(pages: Sequence[Labelled]) -> list[int]:
    """The fold of each page; a site is in one."""
    sites = sorted({page.site for page in pages})
    random.Random(7).shuffle(sites)
    of = {site: number % FOLDS for number, site in enumerate(sites)}
    return [of[page.site] for page in pages]


def cross_validated(
    pages: Sequence[Measured], usable_pages: Sequence[bool], names: Sequence[str]
) -> list[NDArray[np.float64]]:
    """The log-odds of each page's candidates, by trees that saw no page of its site."""
    place = folds([one.page for one in pages])
    odds: list[NDArray[np.float64]] = [np.zeros(0)] * len(pages)
    shared = (pages, usable_pages, place, names)
    with ProcessPoolExecutor(JOBS, get_context("fork"), initializer=SHARED.extend, initargs=(shared,)) as pool:
        for found in pool.map(_odds_of_fold, range(FOLDS)):
            for at, values in found.items():
                odds[at] = values
    return odds


JOBS = 2


SHARED: list[Any] = []
"""In a worker process what cross_validated() works on: too much to be sent."""


def _odds_of_fold(number: int) -> dict[int, NDArray[np.float64]]:
    """The log-odds for the pages of one fold, by their places."""
    pages, usable_pages, place, names = SHARED
    seen = [one for one, fold_, good in zip(pages, place, usable_pages, strict=True) if fold_ != number and good]
    counts = count_names([one.page for one in seen])
    booster = fit(seen, counts, names)
    return {
        at: np.asarray(booster.predict(styled(rows_of(one, counts, names), None), raw_score=True))
        for at, one in enumerate(pages)
        if place[at] == number and len(one.candidates)
    }


def text_of(one: Measured, odds: NDArray[np.float64]) -> str:
    """The article by these odds, by the rules where these are unsure."""
    chosen = chosen_blocks(one.page.blocks, one.page.context, one.columns, one.candidates, odds)
    return one.page.rules if chosen is None else "\n\n".join(block.text for block in chosen)


def figures(score: ModuleType, pages: Sequence[Labelled], texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Group -> figure -> value."""
    found: dict[str, dict[str, float]] = {}
    for group, pairs in groupby(
        sorted(zip(pages, texts, strict=True), key=lambda pair: pair[0].group), lambda pair: pair[0].group
    ):
        of = list(pairs)
        if of[0][0].gold is None:
            folded = [(page, fold(text)) for page, text in of]
            found[group] = {
                "with": _mean(
                    _mean(fold(part) in text for part in page.wanted) if page.wanted else 0.0 for page, text in folded
                ),
                "without": _mean(
                    _mean(fold(part) not in text for part in page.unwanted) if page.unwanted else 0.0
                    for page, text in folded
                ),
            }
        else:
            scores = [score.body_score(page.gold, text) for page, text in of]
            f1, precision, recall = score.body_figures(scores)
            found[group] = {
                "f1": f1,
                "precision": precision,
                "recall": recall,
                "exact": _mean(exact for _, _, exact in scores),
                "lost": _mean((got or 0.0) < 0.5 for _, got, _ in scores),
                "page_f1": _mean(_f1(p or 0.0, r or 0.0) for p, r, _ in scores),
            }
    return {group: {name: round(value, 4) for name, value in of.items()} for group, of in found.items()}


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _mean(values: Any) -> float:
    return float(np.mean([float(value) for value in values] or [0.0]))


def gains(score: ModuleType, pages: Sequence[Labelled], texts: Sequence[str]) -> dict[str, str]:
    """How much more F1 than the rules', with its 95 % interval, by group."""
    found = {}
    for group in ("aeb", "newspages", "wcxb", "daniel", "fixtures"):
        of = [number for number, page in enumerate(pages) if page.group == group]
        if of:
            truth = {str(number): {"text": pages[number].gold} for number in of}
            mine, other = (
                {str(number): {"text": text} for number, text in zip(of, some, strict=True)}
                for some in ([texts[n] for n in of], [pages[n].rules for n in of])
            )
            gain, low, high = score.difference(truth, mine, other, DRAWS)
            found[group] = f"{gain:+.4f} ({low:+.4f} to {high:+.4f})"
    return found


def show(title: str, of: Mapping[str, Mapping[str, float]]) -> None:
    print(f"\n{title}")
    for group, values in of.items():
        print(f"  {group:10}", "  ".join(f"{name} {value:.4f}" for name, value in values.items()))


# --------------------------------------------------------------------------------------------------------------- model
def exported(booster: lightgbm.Booster, counts: NameCounts, names: Sequence[str]) -> dict[str, Any]:
    """What the model file holds: the columns in use, the trees for no style, the table of class tokens."""
    trees = [_tree(tree["tree_structure"], len(names)) for tree in booster.dump_model()["tree_info"]]
    used = sorted({column for tree in trees for column in tree["column"]})
    for tree in trees:
        tree["column"] = [used.index(column) for column in tree["column"]]
    table = counts.without(None)
    tokens = sorted(token for token in {*counts.scopes[0], *counts.scopes[1]} if token in table)
    scaled = [[round(table[token][scope] * ODDS_SCALE) for token in tokens] for scope in (0, 1)]
    return {"columns": [names[column] for column in used], "trees": trees, "names": [tokens, *scaled]}


def _tree(root: Mapping[str, Any], columns: int) -> dict[str, list[Any]]:
    """A tree's tests and leaves; those of a style are decided for none."""
    found: dict[str, list[Any]] = {"column": [], "limit": [], "leaves": [], "value": []}

    def add(node: Mapping[str, Any]) -> int:
        """Adds what is below a node, returns the bits of its leaves."""
        if "leaf_value" in node:
            found["value"].append(round(node["leaf_value"], 6))
            return 1 << (len(found["value"]) - 1)
        if node["split_feature"] >= columns:
            return add(node["left_child"])
        place = len(found["column"])
        for key, value in (("column", node["split_feature"]), ("limit", _not_above(node["threshold"])), ("leaves", 0)):
            found[key].append(value)
        left = add(node["left_child"])
        found["leaves"][place] = 0xFFFFFFFF & ~left
        return left | add(node["right_child"])

    add(root)
    return found


def _not_above(threshold: float) -> float:
    """The greatest single-precision number that is not above a threshold."""
    near = np.float32(threshold)
    return float(f"{near if near <= threshold else np.nextafter(near, np.float32(-np.inf)):.9g}")


def written(model: Mapping[str, Any]) -> str:
    """The model file's text: one line a tree."""
    compact = json.JSONEncoder(separators=(",", ":")).encode
    trees = ",\n".join(map(compact, model["trees"]))
    return f'{{"columns":{compact(model["columns"])},\n"trees":[\n{trees}\n],\n"names":{compact(model["names"])}}}\n'


def fallen(new: Mapping[str, Mapping[str, float]], old: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """The figures that are worse than a card's."""
    for group, values in old.items():
        for name in ("f1", "exact", "with", "without"):
            now = new.get(group, {}).get(name, 0.0)
            if name in values and now < values[name] - (FALL if name != "exact" else 10 * FALL):
                yield f"{group} {name} {values[name]:.4f} -> {now:.4f}"


LICENCES = {
    "aeb": "article-extraction-benchmark, MIT",
    "newspages": "fundus' test resources, MIT",
    "wcxb": "Web Content eXtraction Benchmark, M. Foley, CC BY 4.0",
    "daniel": "DAnIEL corpus, research use",
    "fixtures": "tests of readability, newspaper, newspaper4k: MPL-2.0 and Apache-2.0, MIT",
    "segments": "tests of trafilatura, Apache-2.0",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", nargs="?", type=Path, default=ROOT / "../shared/bench")
    parser.add_argument("--date", help="stands in the card")
    parser.add_argument("--figures", action="store_true", help="print the figures and write nothing")
    parser.add_argument(
        "--accept", action="store_true", help="write although figures fall, after pages or labels changed"
    )
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    score = _score(args.bench / "extraction/score.py")
    labelled = two_of_a_site(read_pages(args.bench.resolve()))
    pages = [measured(page) for page in labelled]
    good = [usable(page) for page in labelled]
    seen = [one for one, is_good in zip(pages, good, strict=True) if is_good]
    counts = count_names([one.page for one in seen])
    names = all_names(pages[0].columns)
    odds = cross_validated(pages, good, names)
    texts = [text_of(one, values) for one, values in zip(pages, odds, strict=True)]
    found = figures(score, labelled, texts)
    show("rules", figures(score, labelled, [page.rules for page in labelled]))
    show("trained on other sites", found)
    print("\ngain\n ", "\n  ".join(f"{group:10} {gain}" for group, gain in gains(score, labelled, texts).items()))
    card = json.loads(CARD.read_text("utf-8")) if CARD.exists() else {"figures": {}}
    worse = list(fallen(found, card["figures"]))
    print("\n".join(f"fell: {line}" for line in worse))
    if args.figures or (worse and not args.accept):
        return int(bool(worse))
    model = exported(fit(seen, counts, names), counts, names)
    MODEL.write_text(written(model), "utf-8")
    described = {
        "what": "the line chooser of pipelines/extract/choose/choose.py, written by python -m tests.benchmarks.train",
        "date": args.date,
        "pages": dict(Counter(one.page.group for one in seen)),
        "sites": len({one.page.site for one in seen}),
        "blocks": sum(len(one.candidates) for one in seen),
        "licences": LICENCES,
        "trees": ROUNDS,
        "columns": len(model["columns"]),
        "tokens": len(model["names"][0]),
        "figures": found,
    }
    CARD.write_text(json.dumps(described, indent=1) + "\n", "utf-8")
    print(
        f"wrote {MODEL} ({MODEL.stat().st_size} bytes), {len(model['columns'])} columns, {len(model['names'][0])} tokens"
    )
    return 0


def _score(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path}: no scorer")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main())
