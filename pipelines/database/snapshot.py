"""A consistent copy of news.db, also while a crawl writes to it. What stands under the copy's name is always whole.

The copy is compact and has no write-ahead log: one file, which can be read from a folder or disk that nobody may write.
"""

import contextlib
import fcntl
import os
import secrets
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlite_utils import Database

STEPS = 100_000
"""SQLite's steps between two looks at the time: some milliseconds, so that Ctrl-C is heard at once."""

_UNFINISHED = ".snapshot.part"
"""How the name of a copy ends that is being written; before it stand the name it will have and eight digits of its own."""

_THERE = "exists already; a snapshot replaces no file"


def snapshot(
    db: Database, source: Path, out: Path, follow: Callable[[int, int], None] = lambda done, size: None
) -> int:
    """Copy an archive, open as `db`, to a file that does not exist yet; returns how many articles the copy holds.

    `follow` is called now and then with the bytes written and about how many there will be. Raises FileExistsError,
    another OSError or sqlite3.Error.
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
    """A new file to write, which becomes `out` at the end of the block, or is gone again.

    Its lock tells one that is being written from one that a killed snapshot left.
    """
    if out.exists():
        raise FileExistsError(f"{out} {_THERE}")
    part = out.absolute().with_name(f"{out.name}.{secrets.token_hex(4)}{_UNFINISHED}")
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode | stat.S_IWUSR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield part
        os.fchmod(descriptor, os.fstat(descriptor).st_mode & mode)  # of an archive that nobody may write
        os.fsync(descriptor)
        _give_name(part, out)
    finally:
        part.unlink(missing_ok=True)
        journal_of(part).unlink(missing_ok=True)
        os.close(descriptor)


def _give_name(part: Path, out: Path) -> None:
    """Name the finished copy, unless somebody has made a file of this name meanwhile; a link, unlike a new name, replaces none."""
    try:
        out.hardlink_to(part)
    except FileExistsError:
        raise FileExistsError(f"{out} {_THERE}") from None
    except OSError:  # FAT and some network disks have no links
        if out.exists():
            raise FileExistsError(f"{out} {_THERE}") from None
        part.rename(out)


def leftovers(folder: Path) -> Iterator[Path]:
    """Beginnings of copies that a killed snapshot left in a folder."""
    for part in sorted(folder.glob(f"*.{'[0-9a-f]' * 8}{_UNFINISHED}")):
        with contextlib.suppress(OSError), part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield part


def journal_of(part: Path) -> Path:
    """What SQLite writes beside a copy that is being made."""
    return part.with_name(part.name + "-journal")
