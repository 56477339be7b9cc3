"""How well copies and stories are found, and what finding them costs: `python -m tests.benchmarks.dedup [FOLDER]`.

Quality is measured through the pipeline's own code: every text of a set is kept as an Outcome by an Archive in a
temporary file, and the groups are read back from the database. MinHash and SimHash are measured beside it in the same
run. FOLDER holds the sets and their score.py; none of its texts is part of this repository.
"""

import argparse
import importlib.util
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import accumulate, combinations, pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

from crawler.items import Article, Outcome, Page
from pipelines.archive.store import Archive
from pipelines.deduplicate.fingerprints import candidates, holders_of, unnoted
from pipelines.deduplicate.near_copies import Text
from pipelines.text import tokens

BENCH = Path(__file__).parents[3] / "shared" / "bench" / "dedup"
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
WIRE_STEP = timedelta(days=3) / 1000
"""The wire's texts have no dates: three days are taken as 1,000 texts."""

Texts = list[tuple[str, str]]
Grouping = Callable[[Texts], list[Any]]


# Quality


def measure_quality(folder: Path) -> None:
    score = _load_score(folder)
    ways: dict[str, Grouping] = {"broadsheet": copies, "MinHash 14x8": minhash, "SimHash, 6 bits": simhash}
    print(f"{'copies':16s} {'way':16s} precision recall     F1  ms/text  pairs of one event")
    for name in ("near_reuters", "near_variants"):
        for way, grouping in ways.items():
            _print_score(score, folder / f"{name}.jsonl.gz", name, way, grouping)
    print(f"\n{'stories':16s} {'way':16s} precision recall     F1  ms/text")
    for name in ("story_basil", "story_onestop", "story_semeval"):
        _print_score(score, folder / f"{name}.jsonl.gz", name, "broadsheet", stories)
    texts = score.load(folder / "near_reuters.jsonl.gz")[0]
    with archive_of(texts, WIRE_STEP) as archive:
        sizes = [row[0] for row in archive.db.execute("select article_count from stories order by 1 desc")]
    print(f"\nlargest stories over near_reuters in order of arrival: {sizes[:5]}, {len(sizes)} stories")


def _print_score(score: Any, path: Path, name: str, way: str, grouping: Grouping) -> None:
    labels: list[Any] = []

    def noted(texts: Texts) -> list[Any]:
        labels[:] = grouping(texts)
        return labels

    figures = score.score(path, noted)
    texts, _, events, *_ = score.load(path)
    event_pairs = score.pairs((name, event) for name, event in events.items() if event)
    false = len(score.pairs(zip((name for name, _ in texts), labels, strict=True)) & event_pairs)
    print(
        f"{name:16s} {way:16s} {figures['precision']:9.4f} {figures['recall']:6.4f} {figures['f1']:6.4f}"
        f" {figures['cpu_ms_per_text']:8.2f}{f'  {false}' if event_pairs else ''}",
        flush=True,
    )


def _load_score(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def archive_of(texts: Texts, step: timedelta = timedelta(0)) -> Iterator[Archive]:
    """An archive in which one run has kept all texts, `step` apart in time."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "news.db")
        archive.start_run(argv=["benchmark"], version="benchmark", now=NOON)
        for number, (name, text) in enumerate(texts):
            archive.keep(_outcome(name, text, NOON + number * step))
        archive.finish_run(status="ok", reason=None, now=NOON)
        yield archive
        archive.close()


def _outcome(name: str, text: str, fetched_at: datetime) -> Outcome:
    url = f"https://bench.example/{name}"
    page = Page(url=url, final_url=url, via="file", fetched_at=fetched_at)
    words = len(tokens(text))
    return Outcome(page=page, article=Article(title=None, text=text, word_count=words, extractor="benchmark"))


def copies(texts: Texts) -> list[Any]:
    with archive_of(texts) as archive:
        return _read(archive, texts, "select url, article_id from pages")


def stories(texts: Texts) -> list[Any]:
    sql = "select pages.url, coalesce(story_id, -articles.id) from pages join articles on articles.id = article_id"
    with archive_of(texts) as archive:
        return _read(archive, texts, sql)


def _read(archive: Archive, texts: Texts, sql: str) -> list[Any]:
    labels = dict(archive.db.execute(sql).fetchall())
    return [labels[f"https://bench.example/{name}"] for name, _ in texts]


# The baselines


def minhash(texts: Texts, bands: int = 14, rows: int = 8) -> list[Any]:
    """Broder 1997: texts with one of 14 bands of 8 minima in common, of the hashes of their word 5-grams."""
    chance = random.Random(1)
    masks = [chance.getrandbits(32) for _ in range(bands * rows)]
    keys = []
    for _, text in texts:
        shingles = _shingles(text)
        minima = [min(map(mask.__xor__, shingles)) for mask in masks]
        keys.append([(band, *minima[band * rows : (band + 1) * rows]) for band in range(bands)])
    return _joined(keys)


def simhash(texts: Texts, bits: int = 6) -> list[Any]:
    """Charikar 2002, as Manku, Jain and Das Sarma 2007 use it: 64-bit sketches of words that differ in up to 6 bits."""
    sketches = [_sketch(text) for _, text in texts]
    keys: list[list[Any]] = [[] for _ in texts]
    blocks = defaultdict(list)
    for number, sketch in enumerate(sketches):
        for block in range(bits + 1):
            blocks[block, sketch >> (9 * block) & 0x1FF].append(number)
    for places in blocks.values():
        for one, other in combinations(places, 2):
            if (sketches[one] ^ sketches[other]).bit_count() <= bits:
                keys[one].append((one, other))
                keys[other].append((one, other))
    return _joined(keys)


def _sketch(text: str) -> int:
    words = tokens(text)
    sums = [0] * 64
    for one, other, third in zip(words, words[1:], words[2:], strict=False):
        gram = f"{one} {other} {third}".encode()
        value = crc32(gram) << 32 | crc32(gram[::-1])
        for bit in range(64):
            sums[bit] += 1 if value >> bit & 1 else -1
    return sum(1 << bit for bit, total in enumerate(sums) if total > 0)


def _shingles(text: str, length: int = 5) -> list[int]:
    words = tokens(text)
    return [crc32(" ".join(words[start : start + length]).encode()) for start in range(max(1, len(words) - length + 1))]


def _joined(keys: list[list[Any]]) -> list[int]:
    """Labels of texts by number; texts with a key in common have the same."""
    label = list(range(len(keys)))

    def root(number: int) -> int:
        while label[number] != number:
            number = label[number] = label[label[number]]
        return number

    first: dict[Any, int] = {}
    for number, own in enumerate(keys):
        for key in own:
            label[root(number)] = root(first.setdefault(key, number))
    return [root(number) for number in range(len(keys))]


# Cost

SIZES = (10_000, 100_000, 1_000_000)
MEASURED = 500
"""Articles added one by one, each in its own transaction, at every size."""

WORDS = 400
"""Makes about 41 prints."""
VOCABULARY = 50_000


def measure_cost(largest: int) -> None:
    """Add made-up articles until there are as many as asked for, and time the last ones of every size."""
    print("\nCPU milliseconds, medians; the mean has the checkpoints of the write-ahead log in it", flush=True)
    print("articles  prints     making     lookup     insert     add     add, on average bytes/article", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "news.db")
        archive.db.conn.execute("pragma foreign_keys = off")  # prints without articles
        texts = invented_texts()
        number = 0
        for size in (size for size in SIZES if size <= largest):
            while number < size - MEASURED:
                with archive.transaction():
                    for _ in range(500):
                        number += 1
                        archive._add_prints(number, next(texts))
            spent = []
            for number in range(number + 1, size + 1):  # noqa: B020
                spent.append(_add_one(archive, number, next(texts)))
            used = archive.db.execute("select sum(pgsize) from dbstat where name = 'fingerprints'").fetchone()[0]
            prints, making, looking, inserting = (statistics.median(column) for column in zip(*spent, strict=True))
            adding = [looking + inserting for _, _, looking, inserting in spent]
            print(
                f"{size:8d} {prints:7.0f} {making:10.3f} {looking:10.3f} {inserting:10.3f}"
                f" {statistics.median(adding):7.3f} {statistics.mean(adding):21.3f} {used / size:14.0f}",
                flush=True,
            )
        archive.close()


def _add_one(archive: Archive, number: int, text: str) -> tuple[float, float, float, float]:
    """How many prints, and the CPU milliseconds to make, to look up and to insert them."""
    made = Text(text)
    times = [time.process_time()]
    prints = made.prints
    times.append(time.process_time())
    with archive.transaction():
        holders = holders_of(archive.db, prints)
        candidates(holders)
        times.append(time.process_time())
        archive._note_prints(number, unnoted(prints, holders))
    times.append(time.process_time())
    making, looking, inserting = ((end - start) * 1000 for start, end in pairwise(times))
    return len(prints), making, looking, inserting


def invented_texts() -> Iterator[str]:
    """Texts whose words are as frequent as Zipf found, and with a line in four that other texts have too."""
    chance = random.Random(7)
    words = [_invented_word(chance) for _ in range(VOCABULARY)]
    weights = list(accumulate(1 / (rank + 3) for rank in range(VOCABULARY)))
    phrases = [" ".join(chance.choices(words, cum_weights=weights, k=20)) for _ in range(2000)]
    while True:
        yield " ".join([*chance.choices(words, cum_weights=weights, k=WORDS - 20), chance.choice(phrases)])


def _invented_word(chance: random.Random) -> str:
    return "".join(chance.choice("bcdfglmnprstv") + chance.choice("aeiou") for _ in range(chance.randint(1, 4)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=BENCH)
    parser.add_argument("--size", type=int, default=100_000, help="articles to grow the index to; up to 1,000,000")
    parser.add_argument("--only", choices=("quality", "cost"))
    arguments = parser.parse_args()
    if arguments.only != "cost":
        measure_quality(arguments.folder)
    if arguments.only != "quality":
        measure_cost(arguments.size)


if __name__ == "__main__":
    main()
