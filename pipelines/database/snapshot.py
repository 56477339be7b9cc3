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

from pipelines.database.schema import SOURCES_TOML

STEPS = 100_000
"""SQLite's steps between two looks at the time: some milliseconds, so that Ctrl-C is heard at once."""

_UNFINISHED = ".snapshot.part"
"""How the name of a copy ends that is being written; before it stand the name it will have and eight digits of its own."""

_THERE = "exists already; a snapshot replaces no file"


def snapshot(
    db: Database,
    source: Path,
    out: Path,
    follow: Callable[[int, int], None] = lambda done, size: None,
    finish: Callable[[sqlite3.Connection], None] = lambda copy: None,
) -> int:
    """Copy an archive, open as `db`, to a file that does not exist yet; returns how many articles the copy holds.

    `follow` is called now and then with the bytes written and about how many there will be; `finish` may change the copy
    before it has its name. Raises FileExistsError, another OSError or sqlite3.Error.
    """
    pages, page_size = (db.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "page_size"))
    with _part(out, source.stat().st_mode & 0o777) as part:

        def look() -> None:
            follow(part.stat().st_size, pages * page_size)

        with _heeding_ctrl_c(db.conn, look):
            db.execute("vacuum into ?", [str(part)])
        with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as copy:
            with _heeding_ctrl_c(copy, look):
                finish(copy)
            (articles,) = copy.execute("select count(*) from articles").fetchone()
    return int(articles)


@contextlib.contextmanager
def _heeding_ctrl_c(connection: sqlite3.Connection, look: Callable[[], None]) -> Iterator[None]:
    """While SQLite is at work, `look` is called now and then; a KeyboardInterrupt ends the work and is raised at once."""

    def step() -> bool:
        try:
            look()
        except KeyboardInterrupt:
            return True
        return False

    connection.set_progress_handler(step, STEPS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname == "SQLITE_INTERRUPT":
            raise KeyboardInterrupt from error
        raise
    finally:
        connection.set_progress_handler(None, 0)


def put_sources_toml(copy: sqlite3.Connection, text: str) -> None:
    """Put the text of a sources.toml into a copy, in the place of one that it came with."""
    copy.execute(SOURCES_TOML)
    copy.execute("begin")
    copy.execute("delete from sources_toml")
    copy.execute("insert into sources_toml (text) values (?)", [text])
    copy.execute("commit")


def sources_toml_of(db: Database) -> str | None:
    """The text of the sources.toml that lies in a snapshot, or in an archive that was one; None where none does."""
    if not db.table("sources_toml").exists():
        return None
    found = db.execute("select text from sources_toml").fetchone()
    return str(found[0]) if found else None


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
