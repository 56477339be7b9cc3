"""What stories cost at the end of a run that brought a few articles: `python -m tests.benchmarks.stories [--sizes 2000 12000 50000]`.

An archive is filled with made-up articles of ten days: words as frequent as Zipf found, topics that share words, events
that share rare ones, most of them told once and some by thirty. Its stories are computed from scratch; then come runs of
20 articles each, of known events and of new ones. CPU seconds of this process; of the runs the median and the highest.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import accumulate, count, islice
from pathlib import Path

from pipelines.archive.store import Archive
from pipelines.deduplicate import stories
from tests.benchmarks.dedup import invented_word

SIZES = (2_000, 12_000, 50_000)
NEW = 20
RUNS = 10
DAYS = 10
FIRST_DAY = datetime(2026, 11, 3, tzinfo=UTC)
WORDS = 400
VOCABULARY = 50_000
TOPICS = 40
SHARES = (68, 15, 14, 3)
"""Of a hundred words so many are any, of the topic, of the event, and the article's own."""


class Press:
    """An endless supply of articles: when, and what text."""

    def __init__(self, seed: int = 7) -> None:
        self._chance = random.Random(seed)
        self._words = [invented_word(self._chance) for _ in range(VOCABULARY)]
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(VOCABULARY)))
        self._topics = [self._chance.sample(self._words[300:], 400) for _ in range(TOPICS)]
        self._events: list[tuple[float, list[str], list[str]]] = []

    def articles(self, since: float = 0.0) -> Iterator[tuple[datetime, str]]:
        """Half of them of events that were told before, as long as those last."""
        while True:
            known = self._chance.choice(self._events[-400:]) if self._events and self._chance.random() < 0.5 else None
            if known is None or not since <= known[0] < DAYS:
                known = self._event(since)
            began, topic, event = known
            when = min(began + abs(self._chance.gauss(0, 0.5)), DAYS - 0.001)
            yield FIRST_DAY + timedelta(days=when), self._text(topic, event)

    def _event(self, since: float) -> tuple[float, list[str], list[str]]:
        names = [self._name() for _ in range(8)]
        about = self._chance.sample(self._words[1000:], 30)
        event = (self._chance.uniform(since, DAYS), self._chance.choice(self._topics), names * 2 + about)
        self._events.append(event)
        return event

    def _name(self) -> str:
        return invented_word(self._chance) + invented_word(self._chance)

    def _text(self, topic: list[str], event: list[str]) -> str:
        any_word, of_topic, of_event, own = (WORDS * share // 100 for share in SHARES)
        words = self._chance.choices(self._words, cum_weights=self._weights, k=any_word)
        words += self._chance.choices(topic, k=of_topic) + self._chance.choices(event, k=of_event)
        words += [self._name() for _ in range(own)]
        self._chance.shuffle(words)
        return " ".join(words)


class Meter:
    """The archive's transactions, and how long the longest took."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.longest = 0.0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        start = time.process_time()
        with self._archive.transaction():
            yield
        self.longest = max(self.longest, time.process_time() - start)

    def renew(self) -> float:
        """Renew the stories; returns the CPU seconds that takes."""
        start = time.process_time()
        stories.renew(self._archive.db, self.transaction)
        return time.process_time() - start


def measure(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "news.db")
        for trigger in ("insert", "delete", "change", "update"):
            archive.db.execute(f"drop trigger articles_fts_{trigger}")  # filling is not what is measured
        press, numbers = Press(), count(1)
        store(archive, numbers, islice(press.articles(), size))
        meter = Meter(archive)
        first, longest_of_first = meter.renew(), meter.longest
        spent: list[float] = []
        longest: list[float] = []
        again: list[float] = []
        for _ in range(RUNS):
            store(archive, numbers, islice(press.articles(DAYS - 1.5), NEW))
            frames = archive.db.execute("select max(id) from story_frames").fetchone()
            meter.longest = 0.0
            seconds = meter.renew()
            anew = archive.db.execute("select max(id) from story_frames").fetchone() != frames
            (again if anew else spent).append(seconds)
            if not anew:
                longest.append(meter.longest)
        found, largest = archive.db.execute("select count(*), max(article_count) from stories").fetchone()
        size_of_index = archive.db.execute("select sum(pgsize) from dbstat where name like 'story_%'").fetchone()[0]
        archive.close()
    print(
        f"{size:8d} {statistics.median(spent):8.3f} {max(spent):8.3f} {max(longest):12.3f} {first:12.1f}"
        f" {longest_of_first:12.3f} {found:8d} {largest:8d} {size_of_index / (size + RUNS * NEW) / 1000:10.1f}",
        f" weighed anew: {again}" if again else "",
        flush=True,
    )


def store(archive: Archive, numbers: Iterator[int], articles: Iterator[tuple[datetime, str]]) -> None:
    with archive.transaction():
        for number, (when, text) in zip(numbers, articles, strict=False):
            at = when.strftime("%Y-%m-%dT%H:%M:%SZ")
            archive.db.execute(
                """insert into articles (id, url, title, sort_at, content_hash, extractor, first_seen_at, last_fetched_at,
                       word_count, text) values (?, ?, ?, ?, '', 'benchmark', ?, ?, ?, ?)""",
                [number, f"https://bench.example/{number}", " ".join(text.split()[:8]), at, at, at, WORDS, text],
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=SIZES, help="articles in the window")
    print(f"{NEW} new articles: CPU seconds                    from scratch")
    print("articles   median  highest  transaction      seconds  transaction  stories  largest  kB/article", flush=True)
    for size in parser.parse_args().sizes:
        measure(size)


if __name__ == "__main__":
    main()
