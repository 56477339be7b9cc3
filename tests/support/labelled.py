"""Labelled pages for the line chooser: each prepared as `extract` does, with the share of every block that is the article's."""

import gzip
import hashlib
import json
import pickle
import re
import tempfile
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tldextract
from numpy.typing import NDArray

from pipelines.extract.body import by_rules, prepare
from pipelines.extract.choose.blocks import Blocks
from pipelines.extract.choose.texts import PageContext
from pipelines.extract.decode import Refusal, decode
from pipelines.extract.metadata.metadata import read_metadata
from pipelines.extract.metadata.page_head import PageHead
from pipelines.extract.tree import parse
from pipelines.text import line_key
from tests.support.made_pages import made_pages

ROOT = Path(__file__).resolve().parents[2]


FETCHED_AT = datetime(2026, 11, 21, tzinfo=UTC)
"""After the newest labelled page; results must not depend on the day of the run."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """A page whose article is known, wholly or in parts."""

    key: str
    group: str  #: aeb, newspages, wcxb, daniel, fixtures, segments or made
    site: str
    gold: str | None  #: the article's text
    wanted: tuple[str, ...]  #: segments that must be in it
    unwanted: tuple[str, ...]
    blocks: Blocks
    context: PageContext
    rules: str  #: the text that the rules give
    labels: NDArray[np.float64]  #: the share of each block that is the article's, NaN where nobody said


# ---------------------------------------------------------------------------------------------------------- the pages
def read_pages(bench: Path, jobs: int = 2) -> list[Labelled]:
    """All labelled pages, prepared; kept in a temporary folder until code or pages change."""
    sources = [source for pages_of in SETS.values() for source in pages_of(bench)]
    kept = _kept_as(sources)
    if kept.exists():
        pages: list[Labelled] = pickle.loads(kept.read_bytes())
        return pages
    with ProcessPoolExecutor(jobs) as pool:
        pages = [page for page in pool.map(prepared, sources, chunksize=16) if page]
    kept.write_bytes(pickle.dumps(pages))
    return pages


def _kept_as(sources: Sequence[Mapping[str, Any]]) -> Path:
    """Where these pages are kept as this code prepares them."""
    key = hashlib.sha256()
    for path in sorted(
        [*(ROOT / "pipelines").rglob("*.py"), *(ROOT / "pipelines/extract").glob("*.toml"), Path(__file__)]
    ):
        if path.parent.name != "choose" or path.name not in MEASURING:
            key.update(path.read_bytes())
    key.update(repr([(source["key"], source["page"], source.get("html")) for source in sources]).encode())
    return Path(tempfile.gettempdir(), f"broadsheet-labelled-{key.hexdigest()[:16]}.pickle")


MEASURING = ("choose.py", "features.py", "class_names.py", "texts.py")
"""Modules of pipelines/extract/choose: what is measured of kept pages and not kept with them."""


def _set(group: str, file: str, bench: Path) -> Iterator[dict[str, Any]]:
    truth = bench / file
    for key, page in json.loads(truth.read_text("utf-8")).items():
        name = {"wcxb": "wcxb", "daniel": "daniel"}.get(key.partition("/")[0], group)
        if group == "fixtures":
            if "text" not in page and "with" not in page:
                continue
            name = "fixtures" if "text" in page else "segments"
        yield {**page, "key": f"{group}/{key}", "group": name, "file": str(truth.parent / page["page"])}


def _made(bench: Path) -> Iterator[dict[str, Any]]:
    for number, (html, lines) in enumerate(made_pages()):
        url = f"https://page-{number}.example/news/{number}.html"
        yield {"key": f"made/{number}", "group": "made", "page": "", "url": url, "html": html, "text": "\n".join(lines)}


SETS: dict[str, Callable[[Path], Iterator[dict[str, Any]]]] = {
    "made": _made,
    "aeb": partial(_set, "aeb", "extraction/truth.json"),
    "newspages": partial(_set, "newspages", "extraction/truth_meta.json"),
    "training": partial(_set, "training", "training/truth.json"),
    "fixtures": partial(_set, "fixtures", "fixtures/truth.json"),
}


SITE = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def prepared(source: Mapping[str, Any]) -> Labelled | None:
    """A page as `extract` prepares it, with its labels; None where no tree can be made of it."""
    body = source["html"].encode() if "html" in source else gzip.decompress(Path(source["file"]).read_bytes())
    url = source.get("url") or "https://page.example/"
    try:
        tree = parse(decode(body, "text/html"))
    except Refusal:
        return None
    head = PageHead(tree, url, FETCHED_AT)
    page = prepare(tree, head, read_metadata(head), None)
    gold = source.get("text")
    wanted, unwanted = tuple(source.get("with", ())), tuple(source.get("without", ()))
    texts = [block.text for block in page.blocks.blocks]
    labels = shares(texts, gold) if gold else by_segments(texts, wanted, unwanted)
    bare = Blocks([replace(block, element=None) for block in page.blocks.blocks], page.blocks.containers)
    return Labelled(
        key=source["key"],
        group=source["group"],
        site=SITE(url).top_domain_under_public_suffix or url,
        gold=gold,
        wanted=wanted,
        unwanted=unwanted,
        blocks=bare,
        context=page.context,
        rules="\n\n".join(by_rules(head, page).lines),
        labels=labels,
    )


# --------------------------------------------------------------------------------------------------------- the labels
WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    return WORD.findall(unicodedata.normalize("NFC", text).replace("\xad", ""))


def grams(tokens: Sequence[str], size: int = 4) -> list[tuple[str, ...]]:
    return [tuple(tokens[at : at + size]) for at in range(len(tokens) - size + 1)]


def shares(texts: Sequence[str], gold: str) -> NDArray[np.float64]:
    """The share of each block's four-word shingles that the article has; of equal blocks, the one among its like counts."""
    tokens = words(gold)
    known, threes = set(grams(tokens)), set(grams(tokens, 3))
    times = Counter(line_key(line) for line in gold.split("\n") if line.strip())
    found = np.array([_share(text, known, threes, times) for text in texts])
    alike = defaultdict(list)
    for number, text in enumerate(texts):
        if found[number] >= 0.5:
            alike[line_key(text)].append(number)
    weight = (found >= 0.5) * np.array([len(text) for text in texts])
    for key, numbers in alike.items():
        if len(numbers) > 1 and len(key) > 3:
            around = [weight[max(0, one - 4) : one + 5].sum() - weight[one] for one in numbers]
            best = sorted(range(len(numbers)), key=lambda one: -around[one])[: max(1, times[key])]
            for place, number in enumerate(numbers):
                if place not in best:
                    found[number] = 0.0
    return found


def _share(text: str, known: set[tuple[str, ...]], threes: set[tuple[str, ...]], lines: Mapping[str, int]) -> float:
    if line_key(text) in lines:
        return 1.0
    tokens = words(text)
    if own := grams(tokens):
        return sum(gram in known for gram in own) / len(own)
    return 0.8 if len(tokens) == 3 and tuple(tokens) in threes and len(text) > 12 else 0.0


def by_segments(texts: Sequence[str], wanted: Sequence[str], unwanted: Sequence[str]) -> NDArray[np.float64]:
    """1 for blocks that hold or are in a wanted segment, 0 for an unwanted one, NaN for the rest."""
    folded = [fold(text) for text in texts]
    found = np.full(len(texts), np.nan)
    for label, segments in ((1.0, wanted), (0.0, unwanted)):
        for segment in map(fold, segments):
            holding = [number for number, text in enumerate(folded) if segment in text]
            if label == 0.0 or len(holding) == 1:
                found[holding] = label
            elif not holding:
                inside = [number for number, text in enumerate(folded) if len(text) > 20 and text in segment]
                found[inside] = label
    return found


QUOTES = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\xa0": " ", "„": '"', "«": '"', "»": '"'}
)


def fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).translate(QUOTES).casefold().split())
