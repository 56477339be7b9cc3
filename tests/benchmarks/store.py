"""What it costs to keep one new article: CPU milliseconds and SQL statements, in archives of any size.

    python -m tests.benchmarks.store [--largest 1000000]

An article of 400 words from a crawl: its page is pending, its words are compared by what a worker handed over. The
archives hold made-up articles with as many fingerprints as real ones have. A million take 7 GB and half an hour to make.
"""

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.items import Article, Link, Listing, Outcome, Page
from crawler.sources import Source
from pipelines.archive.store import Archive
from pipelines.workers import with_prints
from tests.benchmarks.filled import fill

SIZES = (0, 100_000, 1_000_000)
KEPT = 300
"""Articles kept at each size, each in its own transaction as in a crawl."""

PRINTS = 41
"""Fingerprints of an article of 400 words."""

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
PAPER = Source(url="https://paper.example/", name="Paper")
WORDS = [f"{first}{second}" for first in ["ba", "be", "bo", "da", "de", "do", "ka", "ke", "ko", "la", "le", "lo"] for second in ["mon", "tar", "vek", "sil", "dor", "ran", "pel", "gus", "hin", "zol"]]  # fmt: skip


def outcomes(number: int) -> list[Outcome]:
    """As workers hand them over."""
    chance = random.Random(number)
    made = []
    for page in range(number):
        url = f"https://paper.example/{page}"
        text = "\n\n".join(" ".join(chance.choices(WORDS, k=50)) + "." for _ in range(8))
        article = Article(
            title=f"Pier {page} mended", text=text, description=text[:150], authors=("A. Writer",), canonical_url=url,
            date_published="2026-11-02T10:00:00Z", word_count=400, extractor="benchmark",
        )  # fmt: skip
        at = NOON + timedelta(seconds=page)
        asked = Page(url=url, final_url=url, via="feed", fetched_at=at, source=PAPER, status=200, etag='"1"')
        made.append(with_prints(Outcome(page=asked, article=article)))
    return made


def add_prints(path: Path, articles: int) -> None:
    """Fingerprints at random; in their order, since a million articles' in any other take an hour."""
    chance = random.Random(articles)
    rows = sorted((chance.getrandbits(32) - 2**31, 1 + number // PRINTS) for number in range(articles * PRINTS))
    with closing(sqlite3.connect(path)) as base, base:
        base.executemany("insert or ignore into fingerprints (hash, article_id) values (?, ?)", rows)


def measure(size: int, folder: Path) -> str:
    path = folder / f"{size}.db"
    if size:
        fill(path, size)
        add_prints(path, size)
    items = outcomes(KEPT)
    with closing(Archive(path)) as archive:
        archive.sync_sources([PAPER])
        archive.start_run(argv=["crawl"], version="benchmark", now=NOON)
        links = tuple(Link(url=item.page.url) for item in items)
        archive.keep(
            Listing(url=f"{PAPER.url}feed", source=PAPER, kind="rss", fetched_at=NOON, status=200, links=links)
        )
        spent = []
        for item in items:
            began = time.process_time()
            archive.keep(item)
            spent.append((time.process_time() - began) * 1000)
        statements: list[str] = []
        archive.db.conn.set_trace_callback(statements.append)
        archive.keep(outcomes(KEPT + 1)[-1])
    return f"{size:9,d} {statistics.median(spent):9.2f} {statistics.mean(spent):12.2f} {len(statements):11d}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="articles of the largest archive")
    largest = parser.parse_args().largest
    print(" articles    median         mean  statements   (milliseconds of CPU an article kept)", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            if size <= largest:
                print(measure(size, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
