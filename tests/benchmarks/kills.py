"""kill -9 at random moments of every command that writes: `python -m tests.benchmarks.kills`.

Crawls of 100 pages on a loopback site, begun again after each kill until they end by themselves; imports, takedowns, snapshots and
migrations of an old archive. After each kill the file must be sound and no worker left over; at the end everything is
there once, and no page was asked again but those that a kill met in flight.
"""

import argparse
import atexit
import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from crawler.parsers.warc import read_record
from pipelines.archive.captures_check import examine as examine_captures
from pipelines.database.connection import connect
from tests.benchmarks.filled import fill, fill_old
from tests.benchmarks.full_disk import unsound
from tests.support.loopback import Answer, Site, article_html, serving, story
from tests.support.newsroom import Newsroom, start
from tests.support.originals import complaints, files, spoken

PAGES = 100
KILLS_PER_ARCHIVE = 8
ANSWER_SECONDS = 0.02

GONE_WITHIN = 12.0
"""Seconds after which a worker whose parent was killed has ended: the longest that one page may take, and one more."""

MARK = "BROADSHEET_KILLED"
"""An environment variable by which workers are known after their parent is gone."""


@dataclass
class Tally:
    """What the kills of one command came to."""

    name: str
    kills: int = 0
    began: float = field(default_factory=time.monotonic)
    asked_again: int = 0  #: requests that were repeated
    in_flight: int = 0  #: the most pages that one kill met in flight
    longest_worker: float = 0.0  #: seconds that a worker outlived its parent
    wrong: list[str] = field(default_factory=list)

    def line(self) -> str:
        seconds = time.monotonic() - self.began
        return f"{self.name:12}{self.kills:7}{len(self.wrong):7}{self.asked_again:13}{self.in_flight:11}{self.longest_worker:9.1f}{seconds:9.0f}"


HEAD = f"{'killed':12}{'kills':>7}{'wrong':>7}{'asked again':>13}{'in flight':>11}{'worker s':>9}{'seconds':>9}"


# Kills


def kill_when(tally: Tally, due: Callable[[], bool], wait: float, *arguments: str, cwd: Path) -> bool:
    """Start a command, kill it `wait` seconds after `due`; whether it was still alive. No worker may outlive it for long."""
    mark = f"{tally.name}-{os.getpid()}-{tally.kills}-{time.monotonic()}"
    process = start(*arguments, cwd=cwd, env={MARK: mark})
    while process.poll() is None and not due():
        time.sleep(0.001)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(wait)
    if process.poll() is not None:
        if process.returncode:
            tally.wrong.append(f"{arguments[0]} ended by itself with {process.returncode}")
        return False
    process.kill()
    process.wait()
    tally.kills += 1
    tally.longest_worker = max(tally.longest_worker, _wait_for_workers(mark, tally))
    return True


def _wait_for_workers(mark: str, tally: Tally) -> float:
    begin = time.monotonic()
    while left := list(_marked(mark)):
        if time.monotonic() - begin > GONE_WITHIN:
            tally.wrong.append(f"workers {left} are left")
            break
        time.sleep(0.02)
    return time.monotonic() - begin


def _marked(mark: str) -> Iterator[int]:
    """Processes that were started with this mark, or by one that was."""
    wanted = f"{MARK}={mark}".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name)


def look_at_copy(tally: Tally, db: Path) -> None:
    """Whether the file is sound."""
    with copy_of(db) as copy:
        tally.wrong += [f"kill {tally.kills}: {found}" for found in unsound(copy)]


@contextlib.contextmanager
def copy_of(db: Path) -> Iterator[Path]:
    """A copy to look at, with its logs: to open the file itself would repair what the next run has to."""
    with tempfile.TemporaryDirectory() as name:
        for path in db.parent.glob(f"{db.name}*"):
            if not path.name.endswith(".lock"):
                shutil.copy(path, name)
        yield Path(name) / db.name


def rows(db: Path, sql: str) -> list[tuple[object, ...]]:
    """Of an archive that no run holds; none when it has no tables yet."""
    with copy_of(db) as copy, contextlib.closing(sqlite3.connect(copy)) as base:
        if not base.execute("select count(*) from sqlite_master where name = 'pages'").fetchone()[0]:
            return []
        return base.execute(sql).fetchall()


# Crawls


class Crawls:
    """A feed of 100 entries on a loopback site, and crawls of it that are killed."""

    def __init__(self, site: Site, folder: Path, chance: random.Random, tally: Tally) -> None:
        self.site, self.chance, self.tally = site, chance, tally
        self.newsroom = Newsroom(folder)
        self.paths = [f"/{number}" for number in range(PAGES)]
        self.met: Counter[str] = Counter()  #: per page, kills that met it in flight
        for path in self.paths:
            page = article_html(f"Pier {path}", story(f"pier {path}")).encode()
            site.answers[path] = lambda page=page: self._slowly(page)  # type: ignore[misc]
        site.feed("/feed", *(site.url + path for path in self.paths), etag='"1"')
        self.newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')

    def _slowly(self, page: bytes) -> Answer:
        time.sleep(ANSWER_SECONDS)
        return Answer(page, 200, {"Content-Type": "text/html"})

    def kill_until_done(self, kills: int) -> None:
        for number in range(kills):
            begun = len(self.site.asked)
            if not kill_when(
                self.tally, *self._moment(begun, first=number == 0), "crawl", "--quiet", cwd=self.newsroom.folder
            ):
                break
            look_at_copy(self.tally, self.newsroom.db)
            self._note_in_flight(self.site.asked[begun:])
        start("crawl", "--quiet", cwd=self.newsroom.folder).wait()
        self._judge()

    def _moment(self, begun: int, *, first: bool) -> tuple[Callable[[], bool], float]:
        """What to wait for, and how much longer: any time of a run's life, and more often where there is more to break."""
        left = PAGES - len(self._stored())
        kind = self.chance.random()
        if first and kind < 0.3:  # while the schema is made
            return self.newsroom.db.exists, self.chance.uniform(0, 0.1)
        if kind < 0.1:  # while it is starting
            return lambda: True, self.chance.uniform(0, 1.0)
        if kind < 0.2:  # when nearly all is done
            return lambda: len(self.site.asked) - begun >= left, self.chance.uniform(0, 0.3)
        after = self.chance.randint(0, max(1, min(left, PAGES // 3)))
        return lambda: len(self.site.asked) - begun > after, self.chance.uniform(0, ANSWER_SECONDS * 2)

    def _stored(self) -> set[str]:
        stored = rows(self.newsroom.db, "select url from pages where state = 'article'")
        return {str(url).removeprefix(self.site.url) for (url,) in stored}

    def _note_in_flight(self, asked: list[str]) -> None:
        met = {path for path in asked if path in self.paths} - self._stored()
        self.met.update(met)
        self.tally.in_flight = max(self.tally.in_flight, len(met))

    def _judge(self) -> None:
        tally, db = self.tally, self.newsroom.db
        articles = Counter(str(url).removeprefix(self.site.url) for (url,) in rows(db, "select url from articles"))
        tally.wrong += [f"{path} is there {articles[path]} times" for path in self.paths if articles[path] != 1]
        states = rows(db, "select distinct state from pages")
        tally.wrong += [] if states == [("article",)] else [f"pages are {states}"]
        tally.wrong += list(unsound(db))
        asked = Counter(self.site.asked)
        tally.asked_again += sum(asked[path] - 1 for path in self.paths)
        for path in self.paths:
            if asked[path] > 1 + self.met[path]:
                tally.wrong.append(f"{path} was asked {asked[path]} times, {self.met[path]} kills met it in flight")


def crawls(kills: int, chance: random.Random) -> Tally:
    tally = Tally("crawl")
    while tally.kills < kills:
        with serving() as site, tempfile.TemporaryDirectory() as folder:
            crawl = Crawls(site, Path(folder), chance, tally)
            crawl.kill_until_done(min(KILLS_PER_ARCHIVE, kills - tally.kills))
    return tally


# Everything else


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A command to be killed, over and over, in a folder that is made once for each kill."""

    name: str
    arguments: tuple[str, ...]
    prepare: Callable[[Path], None]
    misses: Callable[[Path], Iterator[str]]  #: what is wrong when it has been repeated to its end
    between: Callable[[Path], Iterator[str]] = lambda folder: iter(())  #: what is wrong after a kill
    is_worst: Callable[[Path], bool] = lambda folder: (
        True
    )  #: from when on most kills come, the sooner the more: there is more to break


def tasks() -> Iterator[Task]:
    yield Task(name="import", arguments=("import", "--quiet", "pages"), prepare=save_pages, misses=imported)
    yield Task(
        name="forget",
        arguments=("forget", *(f"{FIRST}{number}" for number in range(FORGOTTEN))),
        prepare=kept_originals,
        misses=forgotten,
        between=half_forgotten,
        is_worst=is_blanking,
    )
    yield Task(
        name="snapshot",
        arguments=("snapshot", "copy.db"),
        prepare=lambda folder: fill(folder / "news.db", 3000),
        misses=lambda folder: copied(folder, must=True),
        between=lambda folder: copied(folder, must=False),
    )
    yield Task(name="migration", arguments=("import", "--quiet", "one.html"), prepare=old_archive, misses=migrated)


def save_pages(folder: Path) -> None:
    (folder / "pages").mkdir()
    for number in range(PAGES):
        (folder / "pages" / f"{number}.html").write_text(article_html(f"Pier {number}", story(f"pier {number}")))


def imported(folder: Path) -> Iterator[str]:
    if (found := rows(folder / "news.db", "select count(*), count(distinct title) from articles")) != [(PAGES, PAGES)]:
        yield f"imported {found}"


# Takedowns

KEPT, FORGOTTEN = 24, 8
"""Articles with originals, and how many of them are taken down. An original of 200 KB, of text that does not pack, is long enough
for kills to come inside it."""

PORT = 8973
FIRST = f"http://127.0.0.1:{PORT}/"
"""The site, with the number of an article behind it."""

PHRASE = b"qzxjvkw"
"""In the text of what is taken down."""


def kept_originals(folder: Path) -> None:
    """A copy of an archive that is crawled once."""
    shutil.copytree(_crawled_once(), folder, dirs_exist_ok=True)


@cache
def _crawled_once() -> Path:
    newsroom = Newsroom(Path(tempfile.mkdtemp()))
    atexit.register(shutil.rmtree, newsroom.folder)
    with serving(port=PORT) as site:
        for number in range(KEPT):
            noise = b64encode(random.Random(number).randbytes(200_000)).decode()
            said = (
                f"{story(f'pier {number}')} It was {PHRASE.decode()}."
                if number < FORGOTTEN
                else story(f"pier {number}")
            )
            site.add(f"/{number}", f"{article_html(f'Pier {number}', said)}<!--{noise}-->", packed=number % 2 == 0)
        site.feed("/feed", *(f"{FIRST}{number}" for number in range(KEPT)))
        newsroom.watch(f'url = "{FIRST}"\nfeeds = ["{FIRST}feed"]')
        newsroom.crawl("--quiet")
    return newsroom.folder


def is_blanking(folder: Path) -> bool:
    """Whether a WARC file is no more what was copied."""
    return any(
        file.stat().st_mtime_ns != (_crawled_once() / "warc" / file.name).stat().st_mtime_ns for file in files(folder)
    )


def half_forgotten(folder: Path) -> Iterator[str]:
    """All rows or none; and every other original is where it was."""
    if (found := rows(folder / "news.db", _STATES)) not in ([("article", None, KEPT)], _ALL_FORGOTTEN):
        yield f"forgotten by half: {found}"
    stays = f"select url, file, offset from captures join pages on pages.id = page_id where pages.id not in ({_THOSE})"
    places = rows(folder / "news.db", stays)
    for url, file, offset in places:
        was, now = (read_record(path / "warc" / str(file), int(str(offset))) for path in (_crawled_once(), folder))
        if was is None or now is None or (now.url, now.body) != (url, was.body):
            yield f"the original of {url} is damaged"
    if len(places) != KEPT - FORGOTTEN:
        yield f"{len(places)} captures of others"


_STATES = "select state, reason, count(*) from pages group by 1, 2 order by 1"

_ALL_FORGOTTEN: list[tuple[object, ...]] = [
    ("article", None, KEPT - FORGOTTEN),
    ("refused", "forgotten", FORGOTTEN),
]

_THOSE = f"select id from pages where cast(replace(url, '{FIRST}', '') as integer) < {FORGOTTEN}"


def forgotten(folder: Path) -> Iterator[str]:
    yield from half_forgotten(folder)
    if (found := rows(folder / "news.db", _STATES)) != _ALL_FORGOTTEN:
        yield f"not forgotten: {found}"
    if speaking := spoken(PHRASE, folder):
        yield f"its bytes are still in {speaking}"
    if complaints(folder):
        yield "WARC files that are not sound"
    with contextlib.closing(connect(folder / "news.db")) as archive:
        yield from (found.what for found in examine_captures(archive, folder / "news.db", deep=True) if not found.sound)


# Copies and migrations


def copied(folder: Path, *, must: bool) -> Iterator[str]:
    copy = folder / "copy.db"
    if copy.exists() and rows(copy, "select count(*) from articles") != [(3000,)]:
        yield "a copy that is not whole"
    if must and (left := sorted(path.name for path in folder.glob("copy*"))) != ["copy.db"]:
        yield f"copies: {left}"


def old_archive(folder: Path) -> None:
    fill_old(folder / "news.db", 1500)
    (folder / "one.html").write_text(article_html("Pier", story("pier")))


def migrated(folder: Path) -> Iterator[str]:
    if (found := rows(folder / "news.db", "select count(*), count(content_hash) from pages")) != [(1501, 1501)]:
        yield f"migrated {found}"


def killed(task: Task, kills: int, chance: random.Random) -> Tally:
    tally = Tally(task.name)
    whole, worst = _times(task)
    while tally.kills < kills:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            task.prepare(folder)
            for number in range(4):
                is_worst = number == 0 and chance.random() < 0.8
                due: Callable[[], bool] = partial(task.is_worst, folder) if is_worst else lambda: True
                wait = chance.random() ** 3 * worst if is_worst else chance.uniform(0.1, 1) * whole
                if not kill_when(tally, due, wait, *task.arguments, cwd=folder) or tally.kills >= kills:
                    break
                look_at_copy(tally, folder / "news.db")
                tally.wrong += task.between(folder)
            if not (folder / "copy.db").exists():
                start(*task.arguments, cwd=folder).wait()
            tally.wrong += [*unsound(folder / "news.db"), *task.misses(folder)]
    return tally


def _times(task: Task) -> tuple[float, float]:
    """Seconds that a command takes, and of these from its worst moment on."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task.prepare(folder)
        begin = time.monotonic()
        process = start(*task.arguments, cwd=folder)
        while process.poll() is None and not task.is_worst(folder):
            time.sleep(0.001)
        worst = time.monotonic()
        process.wait()
        return time.monotonic() - begin, time.monotonic() - worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of crawls; a tenth of them of each other command")
    parser.add_argument("--seed", type=int, default=0, help="other moments")
    parser.add_argument("--only", metavar="NAME", help="crawl, import, forget, snapshot or migration alone")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    print(HEAD)
    wrong = []
    if options.only in (None, "crawl"):
        wrong += told(crawls(options.kills, chance))
    for task in tasks():
        if options.only in (None, task.name):
            wrong += told(killed(task, max(1, options.kills // 10), chance))
    for line in wrong[:40]:
        print(line)
    sys.exit(1 if wrong else 0)


def told(tally: Tally) -> list[str]:
    print(tally.line(), flush=True)
    return [f"{tally.name}: {line}" for line in tally.wrong]


if __name__ == "__main__":
    main()
