"""A consistent copy of news.db, also while a crawl writes to it. What stands under the copy's name is always whole.

The copy is compact and has no write-ahead log: one file, which can be read from a folder or disk that nobody may write.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from pipelines.database.new_file import new_file
from pipelines.database.schema import SOURCES_TOML
from pipelines.database.sqlite import Database

STEPS = 100_000
"""SQLite's steps between two looks at the time: some milliseconds, so that Ctrl-C is heard at once."""


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
    with new_file(out, "snapshot", source.stat().st_mode & 0o777) as part:

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
