"""Requests that thirty days of cron send, against a poller that asks at every start: `python -m tests.benchmarks.polling`.

Simulated: feeds of 20 entries with the rhythms of real newsrooms, a start every 15 minutes, answers 304 when nothing is new.
The clock is the simulation's own; what is due is decided, and every listing kept, by the code that a crawl runs.
"""

import argparse
import random
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.items import Hints, Link, Listing, Source
from crawler.times import stamp
from pipelines.archive.schedule import START, is_due
from pipelines.archive.store import Archive

FEED = "https://sim.example/feed"
ENTRIES = 20

Rhythm = Callable[[datetime, random.Random], int]
"""How many articles appear in the quarter of an hour before this moment; at most 20."""


def wire(moment: datetime, chance: random.Random) -> int:
    """An agency: around the clock, three an hour, now and then ten at once."""
    return 10 if chance.random() < 0.01 else sum(chance.random() < 0.25 for _ in range(3))


def daily(moment: datetime, chance: random.Random) -> int:
    """A daily: the paper's whole content at six, one or two an hour until ten, nothing at weekends."""
    if moment.weekday() > 4:
        return 0
    if moment.hour == 6:
        return ENTRIES if moment.minute < 30 else 0
    return int(6 < moment.hour < 22 and chance.random() < 0.4)


def weekly(moment: datetime, chance: random.Random) -> int:
    """A weekly: forty articles within half an hour of Thursday, else silence."""
    return ENTRIES if moment.weekday() == 3 and moment.hour == 8 and moment.minute < 30 else 0


def blog(moment: datetime, chance: random.Random) -> int:
    """One article every other day."""
    return int(chance.random() < 1 / 192)


def torrent(moment: datetime, chance: random.Random) -> int:
    """Anything from nothing to a full feed."""
    return chance.randint(0, ENTRIES)


RHYTHMS: dict[str, Rhythm] = {"wire": wire, "daily": daily, "weekly": weekly, "blog": blog, "torrent": torrent}


def surprise(moment: datetime, chance: random.Random) -> int:
    """A blog that fills its feed at every start of one afternoon, four weeks after it was first seen: nothing told of it."""
    return ENTRIES if (moment.day, moment.hour // 6) == (1, 2) else blog(moment, chance)


@dataclass
class Feed:
    """A feed of 20 entries, newest first."""

    rhythm: Rhythm
    chance: random.Random
    entries: deque[str] = field(default_factory=lambda: deque(maxlen=ENTRIES))
    published: set[str] = field(default_factory=set)

    def move_to(self, moment: datetime) -> None:
        for _ in range(self.rhythm(moment, self.chance)):
            url = f"https://sim.example/{len(self.published)}"
            self.published.add(url)
            self.entries.appendleft(url)


@dataclass
class Poller:
    """Starts every 15 minutes, and looks when the archive says that the feed is due."""

    archive: Archive
    source: Source = field(default_factory=lambda: Source(url="https://sim.example/", name="Simulated", feeds=(FEED,)))
    requests: int = 0
    starts: int = 0
    _seen: tuple[str, ...] | None = None

    @classmethod
    @contextmanager
    def at(cls, path: Path) -> Iterator["Poller"]:
        archive = Archive(path)
        archive.db.execute("pragma synchronous = off")
        yield cls(archive)
        archive.close()

    def run(self, feed: Feed, begin: datetime, days: int) -> None:
        moment, end = begin, begin + timedelta(days=days)
        while moment < end:
            feed.move_to(moment)
            self.starts += 1
            if self._is_due(moment):
                self._look(feed, moment)
            moment += START

    def _is_due(self, moment: datetime) -> bool:
        row = next(iter(self.archive.db.query("select * from feeds where url = ?", [FEED])), None)
        return row is None or is_due(row, moment)

    def _look(self, feed: Feed, moment: datetime) -> None:
        self.requests += 1
        self.archive.run.began = moment
        shown = tuple(feed.entries)
        status, links = (304, ()) if shown == self._seen else (200, shown)
        listed = tuple(Link(url=url, hints=Hints(date_published=stamp(moment))) for url in links)
        self._seen = shown
        self.archive.keep(
            Listing(
                url=FEED, source=self.source, kind="rss", fetched_at=moment, status=status, links=listed, entries=len(links)
            )
        )  # fmt: skip

    @property
    def found(self) -> set[str]:
        return {row[0] for row in self.archive.db.execute("select url from pages")}

    @property
    def gaps(self) -> int:
        return int(self.archive.db.execute("select missed from feeds").fetchone()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    days = parser.parse_args().days
    print(f"{days} days     articles  missed  gaps  requests  at every start  share   last week's share")
    for name, rhythm in (RHYTHMS | {"surprise": surprise}).items():
        with tempfile.TemporaryDirectory() as folder, Poller.at(Path(folder) / "news.db") as poller:
            feed = Feed(rhythm, random.Random(name))
            begin = datetime(2026, 11, 3, tzinfo=UTC)
            poller.run(feed, begin, days - 7)
            before = poller.requests, poller.starts
            poller.run(feed, begin + timedelta(days=days - 7), 7)
            last = (poller.requests - before[0]) / (poller.starts - before[1])
            missed = len(feed.published - poller.found)
            print(
                f"{name:11s} {len(feed.published):8d} {missed:7d} {poller.gaps:5d} {poller.requests:9d}"
                f" {poller.starts:15d} {poller.requests / poller.starts:6.2f} {last:19.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
