"""A disk that is full at every 4 KB, under every command that writes: `python -m tests.benchmarks.full_disk`.

A limit on the size of files (RLIMIT_FSIZE) stops whatever grows beyond it: the archive, its log, the copy. After each stop:
exit status 74 and one line that names the file and what to do, a sound archive, and the same command without the limit
ends with what an undisturbed one gives. With the right to mount, the same on small file systems that are really full.
"""

import argparse
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from crawler.cli.output import DONE, STORAGE
from pipelines.database.connection import connect
from pipelines.database.doctor import examine
from tests.conftest import CORPUS, start_forkserver

HOSTS = ("northvaledaily.example", "corvane.example")
"""Of the local corpus: eleven articles, some of them copies. Every page more is 25 tries more."""

Content = Counter[tuple[Any, ...]]
"""Rows, and how often each is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    status: int
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What to try with ever more room, in a folder that is made anew each time."""

    name: str
    prepare: Callable[[Path], None]
    arguments: tuple[str, ...]
    names: str  #: what the message must name, unless even the archive cannot be opened
    content: Callable[[Path], Content]  #: what must be as ever after the command was repeated
    untouched: bool = False  #: whether the archive must stay as it was, byte by byte, when the command fails
    step: int = 4096  #: bytes


class Runner:
    """Runs commands in forks of a process that has imported everything."""

    def __init__(self) -> None:
        self._server = start_forkserver()

    def run(self, folder: Path, *arguments: str, file_size: int | None = None) -> Done:
        """No file may grow beyond `file_size` bytes; what is said goes through pipes, which have no size."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with heard() as (_, out), heard() as (said, err):
            job = {"arguments": arguments, "cwd": str(folder), "out": out, "err": err, "workers": 0}
            print(json.dumps(job | {"file_size": file_size}), file=self._server.stdin, flush=True)
            status = int(self._server.stdout.readline())
        return Done(status=status, stderr=b"".join(said).decode())


@contextlib.contextmanager
def heard() -> Iterator[tuple[list[bytes], str]]:
    """A pipe that another process may open by its name, and what came out of it by the end of the block."""
    reader, writer = os.pipe()
    parts: list[bytes] = []

    def listen() -> None:
        while part := os.read(reader, 65536):
            parts.append(part)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield parts, f"/proc/{os.getpid()}/fd/{writer}"
    finally:
        os.close(writer)
        thread.join()
        os.close(reader)


# What is tried


def attempts(finished: Path) -> Iterator[Attempt]:
    """All of them; `finished` is a folder with an archive for those commands that need one."""
    crawl = ("crawl", "--quiet", "--offline", str(CORPUS))
    import_ = ("import", "--quiet", str(CORPUS / "www.northvaledaily.example"))

    def archive(folder: Path) -> None:
        for name in ("news.db", "sources.toml"):
            shutil.copy(finished / name, folder / name)

    with contextlib.closing(sqlite3.connect(finished / "news.db")) as base:
        (url,) = base.execute("select url from articles order by id limit 1").fetchone()
    yield Attempt(name="crawl", prepare=watch, arguments=crawl, names="news.db", content=stored)
    yield Attempt(name="import", prepare=watch, arguments=import_, names="news.db", content=stored)
    yield Attempt(name="forget", prepare=archive, arguments=("forget", url), names="news.db", content=stored)
    snapshot = ("snapshot", "copy.db")
    yield Attempt(name="snapshot", prepare=archive, arguments=snapshot, names="copy.db", content=copied, untouched=True)
    for name, arguments, names in (
        ("sources add", ("sources", "add", "--no-look", "https://new.example/"), "sources.toml"),
        ("sources export", ("sources", "export", "list.opml"), "list.opml"),
    ):
        yield Attempt(
            name=name, prepare=archive, arguments=arguments, names=names, content=lists, untouched=True, step=64
        )


def watch(folder: Path) -> None:
    tables = (CORPUS / "sources.toml").read_text("utf-8").split("[[source]]")[1:]
    ours = [f"[[source]]{table}" for table in tables if any(host in table for host in HOSTS)]
    assert len(ours) == len(HOSTS)
    (folder / "sources.toml").write_text("\n".join(ours), "utf-8")


def stored(folder: Path) -> Content:
    """What an archive holds, without times and numbers; of an article that has copies, whichever page is the article's."""
    return rows(
        folder / "news.db",
        """select 'page', pages.url, iif(state in ('article', 'duplicate'), 'article', state), reason, articles.title
           from pages left join articles on articles.id = article_id""",
        "select 'article', url, title, content_hash, version_count from articles",
        "select 'version', title, content_hash from versions",
        "select 'feed', url, last_status from feeds",
        "select 'index', count(*) from articles_fts where articles_fts match 'the'",
        "select 'prints', count(*) from fingerprints",
        "select 'story', count(*), count(distinct story_id) from articles where story_id is not null",
    )


def copied(folder: Path) -> Content:
    return rows(folder / "copy.db", "pragma integrity_check", "select * from articles", "select * from pages")


def rows(db: Path, *queries: str) -> Content:
    with contextlib.closing(sqlite3.connect(db)) as base:
        return Counter(row for sql in queries for row in base.execute(sql))


def lists(folder: Path) -> Content:
    return Counter((path.name, path.read_bytes()) for path in folder.iterdir() if path.suffix in (".toml", ".opml"))


# One try


def misses(attempt: Attempt, folder: Path, failed: Done, before: dict[str, bytes]) -> Iterator[str]:
    """What is wrong after a command that had too little room."""
    lines = failed.stderr.splitlines()
    if failed.status != STORAGE:
        yield f"exit status {failed.status}"
    if len(lines) != 1 or not (attempt.names in lines[0] or "news.db: " in lines[0]) or "Traceback" in failed.stderr:
        yield f"said {len(lines)} lines: {failed.stderr[-200:]!r}"
    if attempt.untouched and {name: (folder / name).read_bytes() for name in before} != before:
        yield "what was there has changed"
    if attempt.untouched and (
        left := {path.name for path in folder.iterdir()} - {*before, "news.db-shm", "news.db-wal"}
    ):
        yield f"left {sorted(left)}"


def unsound(db: Path) -> Iterator[str]:
    """What the doctor says of an archive; nothing of one that is not made yet, or of the room on its disk."""
    if not db.exists() or db.stat().st_size == 0:
        return
    with contextlib.closing(sqlite3.connect(db)) as base:
        if not base.execute("select count(*) from sqlite_master").fetchone()[0]:
            return
    with contextlib.closing(connect(db, older=True)) as archive:
        for finding in examine(archive, db):
            if not finding.sound and "schema version" not in finding.what and "free on the disk" not in finding.what:
                yield finding.what


def try_out(attempt: Attempt, runner: Runner, folder: Path, limit: int, wanted: Content) -> tuple[bool, list[str]]:
    """Whether `limit` bytes were too little, and what was wrong then and after the command was repeated."""
    attempt.prepare(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    first = runner.run(folder, *attempt.arguments, file_size=limit)
    wrong = list(misses(attempt, folder, first, before)) if first.status else []
    wrong += unsound(folder / "news.db")
    time.sleep(1 - time.time() % 1)  # what two runs found is told apart by the second
    again = first if not first.status else runner.run(folder, *attempt.arguments)
    return bool(first.status), [*wrong, *incomplete(attempt, folder, again, wanted)]


def incomplete(attempt: Attempt, folder: Path, again: Done, wanted: Content) -> Iterator[str]:
    """What is wrong after a command that had all the room it needs."""
    if again.status != DONE or "broadsheet: " in again.stderr:  # what else it says is what an undisturbed one says
        yield f"again: exit status {again.status}: {again.stderr[-200:]!r}"
    elif (found := attempt.content(folder)) != wanted:
        yield f"again: another result than undisturbed: {difference(found, wanted)}"
    yield from unsound(folder / "news.db")


def difference(found: Content, wanted: Content) -> str:
    """The first few things that only one of the two has."""
    return "; ".join(
        f"{sign} {item!r:.200}"
        for sign, items in (("+", found - wanted), ("-", wanted - found))
        for item in [*items][:3]
    )


# All of them


def sweep(attempt: Attempt, runners: "SimpleQueue[Runner]", scratch: Path, coarser: int) -> tuple[int, int, list[str]]:
    """Try with ever more room until three in a row had enough; returns tries, how many failed, and what was wrong."""
    wanted = undisturbed(attempt, runners, scratch)
    step, tried, failed, enough, wrong = attempt.step * coarser, 0, 0, 0, []

    def one(limit: int) -> tuple[int, bool, list[str]]:
        runner = runners.get()
        try:
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                return limit, *try_out(attempt, runner, Path(folder), limit, wanted)
        finally:
            runners.put(runner)

    with ThreadPoolExecutor(runners.qsize()) as pool:
        for begin in count(0, 8 * step):
            for limit, too_little, found in pool.map(one, range(begin, begin + 8 * step, step)):
                tried, failed, enough = tried + 1, failed + too_little, 0 if too_little else enough + 1
                wrong += [f"{attempt.name} at {limit:,} bytes: {line}" for line in found]
                if sys.stderr.isatty() or found:
                    print(f"{attempt.name} at {limit:,} bytes: {'; '.join(found) or 'well'}", file=sys.stderr)
            if enough >= 3:
                return tried, failed, wrong
    raise AssertionError


def undisturbed(attempt: Attempt, runners: "SimpleQueue[Runner]", scratch: Path) -> Content:
    runner = runners.get()
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        attempt.prepare(Path(folder))
        done = runner.run(Path(folder), *attempt.arguments)
        assert done.status == DONE, done.stderr
        runners.put(runner)
        return attempt.content(Path(folder))


def really_full(
    attempt: Attempt, runner: Runner, scratch: Path, coarser: int, wanted: Content
) -> tuple[int, int, list[str]]:
    """The same on file systems of ever more room; for the second start they have all they need."""
    failed, wrong = 0, []
    for tried in count(1):
        room = 64 * 2**10 * tried * max(1, coarser // 4)
        with mounted(scratch / "mounted", room) as folder:
            try:
                attempt.prepare(folder)
            except OSError:
                failed += 1
                continue
            before = {path.name: path.read_bytes() for path in folder.iterdir()}
            first = runner.run(folder, *attempt.arguments)
            found = list(misses(attempt, folder, first, before)) if first.status else []
            subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
            found += list(unsound(folder / "news.db"))
            time.sleep(1 - time.time() % 1)
            again = runner.run(folder, *attempt.arguments) if first.status else first
            found += incomplete(attempt, folder, again, wanted)
            wrong += [f"{attempt.name} on a disk of {room:,} bytes: {line}" for line in found]
            failed += bool(first.status)
            if not first.status:
                return tried, failed, wrong
    raise AssertionError


@contextlib.contextmanager
def mounted(folder: Path, room: int) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(folder)], check=True, capture_output=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def may_mount(scratch: Path) -> bool:
    try:
        with mounted(scratch / "mounted", 2**20):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coarser", type=int, default=1, metavar="N", help="only every Nth step: 16 takes a minute")
    parser.add_argument("--only", metavar="NAME", help="one command alone: crawl, import, forget, snapshot, …")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    options = parser.parse_args()
    runners: SimpleQueue[Runner] = SimpleQueue()
    for _ in range(options.jobs):
        runners.put(Runner())
    with tempfile.TemporaryDirectory() as name:
        wrong = measure(options, runners, Path(name))
    for line in wrong[:40]:
        print(line)
    sys.exit(1 if wrong else 0)


def measure(options: argparse.Namespace, runners: "SimpleQueue[Runner]", scratch: Path) -> list[str]:
    finished = scratch / "finished"
    finished.mkdir()
    watch(finished)
    runner = runners.get()
    done = runner.run(finished, "crawl", "--quiet", "--offline", str(CORPUS))
    assert done.status == DONE, done.stderr
    runners.put(runner)
    wrong: list[str] = []
    print(f"{'command':16}{'full is':>14}{'tries':>8}{'failed':>8}{'wrong':>8}{'seconds':>9}")
    disks = may_mount(scratch)
    for attempt in attempts(finished):
        if options.only in (None, attempt.name):
            begin = time.monotonic()
            result = sweep(attempt, runners, scratch, options.coarser)
            wrong += report(attempt, "a file size", result, begin)
            if disks and attempt.step == 4096:
                begin = time.monotonic()
                wanted = undisturbed(attempt, runners, scratch)
                wrong += report(
                    attempt, "a disk", really_full(attempt, runner, scratch, options.coarser, wanted), begin
                )
    if not disks:
        print("small file systems were not tried: this user may not mount any")
    return wrong


def report(attempt: Attempt, what: str, result: tuple[int, int, list[str]], begin: float) -> list[str]:
    tried, failed, wrong = result
    print(f"{attempt.name:16}{what:>14}{tried:8}{failed:8}{len(wrong):8}{time.monotonic() - begin:9.0f}", flush=True)
    return wrong


if __name__ == "__main__":
    main()
