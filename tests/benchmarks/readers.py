"""What readers notice of a crawl: nothing. `python -m tests.benchmarks.readers` reads while hundreds of pages are written.

Datasette over HTTP as a browser asks it, and a plain SQLite reader, of an archive with 20,000 articles. Then what
disturbs the crawl: a reader that never lets go, and other programs that write, for seconds and for too long.
"""

import argparse
import contextlib
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles

from crawler.cli.output import DONE, STORAGE
from pipelines.database.connection import BUSY_TIMEOUT, LONGEST_LOG
from tests.benchmarks.filled import fill
from tests.benchmarks.full_disk import unsound
from tests.support.loopback import Site, article_html, serving, story
from tests.support.newsroom import Newsroom, start
from tests.support.reading import reading_room

SLOWEST = 0.25
"""Seconds that 99 % of reads may take during a crawl."""

PAUSE = 0.05
"""Seconds between two reads of one reader: a person, or a dashboard with many panes."""

STORIES = 200
WEB = {
    "/": 1,
    "/search?q=harbour": 1,
    "/search.atom?q=harbour": 1,
    "/article/{}": 20_000,
    "/story/{}": STORIES,
    "/sources": 1,
    "/source/{}": 1,
    "/news": 1,
    "/news/articles": 1,
    "/news/articles/{}": 20_000,
    "/news/latest": 1,
    "/news/search?q=harbour": 1,
    "/news/by_day": 1,
}
"""Page -> how many there are of its kind."""
SQL = (
    "select count(*) from articles where sort_at > '2026-06'",
    "select * from articles where id = 7000",
    "select title from articles_fts where articles_fts match 'harbour' limit 20",
    "select * from latest limit 50",
)


Read = Callable[[int], tuple[str, str | None]]
"""How often was read before -> what is read now, and the error if there was one."""


class Reader:
    """Reads one thing after another until told to end; keeps how long each took, which was the slowest, and what failed."""

    def __init__(self, read: Read) -> None:
        self.seconds: list[float] = []
        self.slowest = (0.0, "")
        self.errors: list[str] = []
        self._read = read
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _go(self) -> None:
        number = 0
        while not self._ended.wait(PAUSE):
            begin = time.monotonic()
            name, error = self._read(number)
            self.seconds.append(time.monotonic() - begin)
            self.slowest = max(self.slowest, (self.seconds[-1], name))
            self.errors += [error] if error else []
            number += 1


def by_web(base: str) -> Read:
    """Every page in turn. A number that was merged away meanwhile is no error."""
    pages = list(WEB.items())

    def read(number: int) -> tuple[str, str | None]:
        page, kinds = pages[number % len(pages)]
        url = base + page.format(1 + number * 37 % kinds)
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            return page, None if error.code == 404 and "article" in page else f"{url}: {error.code}"
        except OSError as error:
            return page, f"{url}: {error}"
        return page, None

    return read


def by_sqlite(db: Path) -> Read:
    def read(number: int) -> tuple[str, str | None]:
        sql = SQL[number % len(SQL)]
        try:
            with contextlib.closing(sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True, timeout=0)) as base:
                base.execute(sql).fetchall()
        except sqlite3.Error as error:
            return sql, str(error)
        return sql, None

    return read


# The crawl


class Town:
    """A site, and a crawl of it into an archive that is full of articles already."""

    def __init__(self, site: Site, folder: Path, articles: int, pages: int) -> None:
        self.site, self.newsroom, self.pages = site, Newsroom(folder), pages
        self.batch = 0
        fill(self.newsroom.db, articles)
        self.newsroom.change(
            f"""insert into stories (id, title, first_seen_at, last_seen_at, article_count, source_count)
                select (id + 2) / 3, min(title), min(sort_at), max(sort_at), count(*), 1
                from articles where id <= 3 * {STORIES} group by 1"""
        )
        self.newsroom.change(f"update articles set story_id = (id + 2) / 3 where id <= 3 * {STORIES}")

    @property
    def db(self) -> Path:
        return self.newsroom.db

    def publish(self) -> None:
        """A feed with as many new pages as ever."""
        self.batch += 1
        paths = [f"/{self.batch}/{number}" for number in range(self.pages)]
        for path in paths:
            self.site.add(path, article_html(f"Pier {path}", story(f"pier {path}")))
        feed = f"/feed{self.batch}"
        self.site.feed(feed, *(self.site.url + path for path in paths))
        self.newsroom.watch(f'url = "{self.site.url}/"\nfeeds = ["{self.site.url}{feed}"]')

    def crawl(self) -> tuple[float, int, str]:
        """Seconds, exit status and what was said of a crawl of new pages."""
        begin = time.monotonic()
        process = self.begin()
        _, said = process.communicate()
        return time.monotonic() - begin, process.returncode, said.decode()

    def begin(self) -> subprocess.Popen[bytes]:
        return start("crawl", "--quiet", cwd=self.newsroom.folder, stderr=subprocess.PIPE)

    def stored(self) -> int:
        with contextlib.closing(sqlite3.connect(self.db)) as base:
            sql = "select count(*) from articles where url like ?"
            return int(base.execute(sql, [f"{self.site.url}/{self.batch}/%"]).fetchone()[0])

    def wal(self) -> float:
        """Megabytes of the write-ahead log."""
        path = self.db.with_name("news.db-wal")
        return path.stat().st_size / 2**20 if path.exists() else 0.0


def read_during_a_crawl(town: Town) -> Iterator[str]:
    """Prints the table of reads; yields what is wrong."""
    town.publish()
    alone, *_ = town.crawl()
    with reading_room(town.db) as base:
        kinds = {"Datasette": by_web(base), "SQLite": by_sqlite(town.db)}
        with contextlib.ExitStack() as stack:
            idle = {name: stack.enter_context(Reader(read)) for name, read in kinds.items()}
            time.sleep(alone)
        town.publish()
        with contextlib.ExitStack() as stack:
            busy = {name: stack.enter_context(Reader(read)) for name, read in kinds.items()}
            seconds, status, said = town.crawl()
    print(f"{'reads':28}{'number':>8}{'errors':>8}{'median ms':>11}{'99 % ms':>9}{'slowest':>9}  which")
    for label, readers in (("nobody writes", idle), ("a crawl writes", busy)):
        for name, reader in readers.items():
            print(f"{name + ', ' + label:28}{_times(reader)}")
    print(f"the crawl of {town.pages} pages: {alone:.1f} s alone, {seconds:.1f} s beside the readers")
    if status != DONE or town.stored() != town.pages:
        yield f"the crawl beside readers ended with {status}, {town.stored()} of {town.pages} stored: {said}"
    for name, reader in busy.items():
        yield from (f"{name}: {error}" for error in reader.errors[:5])
        if _slow(reader) > SLOWEST:
            yield f"{name}: 1 % of reads took over {_slow(reader) * 1000:.0f} ms"


def _slow(reader: Reader) -> float:
    return quantiles(reader.seconds, n=100)[-1]


def _times(reader: Reader) -> str:
    times = (median(reader.seconds), _slow(reader), max(reader.seconds))
    figures = "".join(f"{1000 * time_:{width}.0f}" for time_, width in zip(times, (11, 9, 9), strict=True))
    return f"{len(reader.seconds):8}{len(reader.errors):8}{figures}  {reader.slowest[1]}"


# What disturbs the crawl


def reader_that_never_lets_go(town: Town) -> Iterator[str]:
    town.publish()
    with contextlib.closing(sqlite3.connect(town.db, isolation_level=None)) as base:
        base.execute("begin")
        base.execute("select count(*) from articles").fetchone()
        seconds, status, said = town.crawl()
        held = town.wal()
        base.execute("commit")
        town.publish()
        _, later, _ = town.crawl()
        left = town.wal()  # the reader is still there, else the log would be gone with its last user
    print(f"a reader that holds on: {seconds:.1f} s, log of {held:.0f} MB; {left:.0f} MB in the next crawl")
    if (status, later) != (DONE, DONE):
        yield f"beside a reader that holds on the crawl ended with {status}, the next with {later}: {said}"
    if left * 2**20 > LONGEST_LOG:
        yield f"the log has still {left:.0f} MB"


def another_writer(town: Town, seconds: float, expected: int) -> Iterator[str]:
    """Another program takes SQLite's write lock in the middle of a crawl."""
    town.publish()
    process = town.begin()
    while town.stored() < 3 and process.poll() is None:
        time.sleep(0.01)
    with contextlib.closing(sqlite3.connect(town.db, isolation_level=None, timeout=20)) as base:
        base.execute("begin immediate")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        base.execute("rollback")
    said = process.communicate()[1].decode().strip()
    again = town.crawl()[1] if process.returncode else DONE
    print(
        f"another writer for {seconds:.0f} s: exit status {process.returncode}, {town.stored()} of {town.pages} in the end. {said}"
    )
    if process.returncode != expected or again != DONE or town.stored() != town.pages:
        yield f"another writer for {seconds:.0f} s: {process.returncode}, then {again}, {town.stored()} stored"
    if expected == STORAGE and (said.count("\n") or "is writing to it" not in said):
        yield f"another writer: said {said!r}"
    yield from unsound(town.db)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=20_000, help="that are there already")
    parser.add_argument("--pages", type=int, default=300, help="that one crawl fetches")
    parser.add_argument("--only-reads", action="store_true", help="leave out what disturbs the crawl")
    options = parser.parse_args()
    with serving() as site, tempfile.TemporaryDirectory() as folder:
        town = Town(site, Path(folder), options.articles, options.pages)
        wrong = list(read_during_a_crawl(town))
        if not options.only_reads:
            wrong += reader_that_never_lets_go(town)
            wrong += another_writer(town, 3, DONE)
            wrong += another_writer(town, 3 * BUSY_TIMEOUT, STORAGE)
    for line in wrong:
        print(line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
