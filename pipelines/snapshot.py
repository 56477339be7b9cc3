"""A consistent copy of news.db, also while a crawl writes to it. What stands under the copy's name is always whole.

The copy is compact and has no write-ahead log: one file, which can be read from a folder or disk that nobody may write.
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlite_utils import Database

from pipelines.lock import LockTaken

STEPS = 100_000
"""SQLite's steps between two looks at the time: some milliseconds, so that Ctrl-C is heard at once."""


def snapshot(
    db: Database, source: Path, out: Path, follow: Callable[[int, int], None] = lambda done, size: None
) -> int:
    """Copy an archive, open as `db`, to a file that does not exist yet; returns how many articles the copy holds.

    `follow` is called now and then with the bytes written and about how many there will be. Raises FileExistsError or
    another OSError, LockTaken when another snapshot is being written to `out`, or sqlite3.Error.
    """
    pages, page_size = (db.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "page_size"))
    with _part(out, source.stat().st_mode & 0o777) as part:

        def look() -> bool:
            """Whether to stop."""
            try:
                follow(part.stat().st_size, pages * page_size)
            except KeyboardInterrupt:
                return True
            return False

        db.conn.set_progress_handler(look, STEPS)
        try:
            db.execute("vacuum into ?", [str(part)])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname == "SQLITE_INTERRUPT":
                raise KeyboardInterrupt from error
            raise
        finally:
            db.conn.set_progress_handler(None, 0)
        with contextlib.closing(sqlite3.connect(part)) as copy:
            (articles,) = copy.execute("select count(*) from articles").fetchone()
    return int(articles)


@contextlib.contextmanager
def _part(out: Path, mode: int) -> Iterator[Path]:
    """The file to write, OUT.part, which becomes `out` at the end of the block, or is gone again.

    One that a killed snapshot left is begun anew; the lock tells it from one that is being written.
    """
    if out.exists():
        raise FileExistsError(f"{out} exists already; a snapshot replaces no file")
    part = out.absolute().with_name(out.name + ".part")
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        _lock(descriptor, part)
        if out.exists():  # the other one, whose file this was, has come to its end just now
            raise FileExistsError(f"{out} exists already; a snapshot replaces no file")
        journal = part.with_name(part.name + "-journal")
        journal.unlink(missing_ok=True)
        os.ftruncate(descriptor, 0)
        try:
            yield part
            os.fsync(descriptor)
            part.rename(out)
        except BaseException:
            part.unlink(missing_ok=True)
            journal.unlink(missing_ok=True)
            raise
    finally:
        os.close(descriptor)


def _lock(descriptor: int, part: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockTaken(f"{part}: another snapshot is being written") from None


def leftovers(folder: Path) -> Iterator[Path]:
    """Beginnings of copies that a killed snapshot left in a folder."""
    for part in sorted(folder.glob("*.part")):
        with contextlib.suppress(OSError, LockTaken), part.open("rb") as file:
            _lock(file.fileno(), part)
            if file.read(16) == b"SQLite format 3\0":
                yield part
