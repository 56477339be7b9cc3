"""news.db as a file: made, recognised, opened. Another program's file, or a newer release's, is never touched."""

import errno
import shlex
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from pipelines.database.schema import APPLICATION_ID, migrations, missing_migrations, unknown_migrations
from pipelines.database.sqlite import Database

Row = dict[str, Any]
"""A row of a table or a query, by its columns' names."""

Follow = Callable[[int, int], object]
"""Is told how many of how many are done: steps, files, rows."""

BUSY_TIMEOUT = 10.0
"""Seconds to wait for another writer's lock; Datasette and readers never hold one."""

STATEMENTS = 512
"""SQL statements that a connection keeps ready; the writer has some 150 of its own."""

LONGEST_LOG = 16 * 2**20
"""Bytes to which the write-ahead log shrinks again when a reader that held it up is gone; without one it has 4 MB."""

_STORAGE_TROUBLE = (
    "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_BUSY",
    "SQLITE_LOCKED", "SQLITE_PROTOCOL", "SQLITE_PERM", "SQLITE_NOMEM", "SQLITE_TOOBIG",
)  # fmt: skip

_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")

_ASK_THE_DOCTOR = "`broadsheet doctor --db {path}` names the repair"

_WHAT_TO_DO = (
    (_DAMAGE, _ASK_THE_DOCTOR),
    (("SQLITE_FULL",), "make room, then say it again"),
    (("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM"), "make the file and its folder readable and writable, or have its owner make a copy by `broadsheet snapshot`"),
    (("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL"), "another program is writing to it; end that, then say it again"),
    (("SQLITE_IOERR",), "make room if the disk is full, then say it again; `broadsheet doctor --db {path}` tells if the file is sound"),
)  # fmt: skip
"""By the beginning of SQLite's name for the error. A quota or a limit on file sizes is an I/O error to it."""


_WARC_HINT = "make it a folder that can be written, or set warc = false under [crawl] in sources.toml"
"""What to do where the originals cannot be written beside the database."""


class NotOurDatabase(Exception):
    """The file is none that this release may read or write; it was left untouched."""


class StorageError(Exception):
    """The disk or the database file failed."""


def connect(
    path: Path, *, write: bool = False, older: bool = False, follow: Follow = lambda done, of: None
) -> Database:
    """Open a news.db; only with `write` is one created or brought up to date, of which `follow` is told before each step, as it may
    take minutes. With `older` one of an older schema will do.

    Raises NotOurDatabase (missing, no SQLite file, another program's, a newer release's) or StorageError.
    """
    try:
        new = not path.exists() or (path.is_file() and path.stat().st_size == 0)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
    if new and not write:
        what = "is empty" if path.exists() else "no such database"
        raise NotOurDatabase(f"{path}: {what}; `broadsheet crawl` or `broadsheet import` makes one")
    if not new:
        _check_magic(path)
    with storage_errors(path):
        mode = "rwc" if write else "ro&immutable=1" if is_sealed(path) else "rw"
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=BUSY_TIMEOUT,
            cached_statements=STATEMENTS,
        )
        with ExitStack() as unless_sound:
            unless_sound.callback(connection.close)
            _check_ours(connection, path, write=write, older=older)
            db = Database(connection)
            if write:
                _prepare(db, follow)
            connection.execute("pragma foreign_keys = on")
            unless_sound.pop_all()
        return db


def is_sealed(path: Path) -> bool:
    """Whether an archive lies where nobody may write, and nobody does: all of it is in its file.

    SQLite would put the index of a write-ahead log beside it; to read one that is immutable it does not.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT)) as tried:
            tried.execute("select count(*) from sqlite_master")
    except sqlite3.OperationalError as error:
        log = log_of(path)
        return _name(error).startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")) and not (
            log.exists() and log.stat().st_size
        )
    except sqlite3.DatabaseError:
        return False
    return False


def log_of(path: Path) -> Path:
    """An archive's write-ahead log; of a link it is beside what that leads to."""
    file = path.resolve()
    return file.with_name(file.name + "-wal")


def rows(db: Database, sql: str, parameters: Sequence[Any] | Row = ()) -> Iterator[Row]:
    """The rows of a query as they are read, in whatever transaction there is."""
    found = db.conn.execute(sql, parameters)
    names = [column[0] for column in found.description]
    return (dict(zip(names, row, strict=True)) for row in found)


def first_row(db: Database, sql: str, parameters: Sequence[Any] | Row = ()) -> Row | None:
    """The first row that a query gives; None when it gives none."""
    return next(rows(db, sql, parameters), None)


@contextmanager
def storage_errors(path: Path, *, read: Path | None = None) -> Iterator[None]:
    """Turn SQLite's complaints about disk and file into a StorageError that names the file.

    Where `path` is a copy being made of `read`, a damaged file is that one.
    """
    try:
        yield
    except sqlite3.Error as error:
        if not is_storage_trouble(error):
            raise
        raise StorageError(describe(error, read if read and is_damage(error) else path)) from error


def describe(error: sqlite3.Error | OSError, path: Path) -> str:
    """What the disk or the file did, and what to do about it, in one line."""
    if isinstance(error, OSError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        hint = "make room, then say it again" if full else _WARC_HINT
        return f"{error.filename or path}: {error.strerror or error}; {hint}"
    name = _name(error)
    hint = next(
        (hint for names, hint in _WHAT_TO_DO if name.startswith(names)), _ASK_THE_DOCTOR if is_damage(error) else ""
    )
    return f"{path}: {error}" + (f"; {hint.format(path=shlex.quote(str(path)))}" if hint else "")


def is_storage_trouble(error: BaseException) -> bool:
    """Whether an SQLite error tells of the disk, the file or a lock, and not of a bug in our SQL."""
    return isinstance(error, sqlite3.Error) and (_name(error).startswith(_STORAGE_TROUBLE) or is_damage(error))


def is_damage(error: BaseException | None) -> bool:
    """Whether an error tells of a file whose bytes are not what was written; text that is none is the sqlite3 module's to find."""
    if not isinstance(error, sqlite3.Error):
        return False
    return _name(error).startswith(_DAMAGE) or str(error).startswith("Could not decode to UTF-8")


def _name(error: sqlite3.Error) -> str:
    """SQLite's name for an error, such as SQLITE_IOERR_WRITE; "" for one of the sqlite3 module's own."""
    return str(getattr(error, "sqlite_errorname", ""))


def _check_magic(path: Path) -> None:
    if path.is_dir():
        raise NotOurDatabase(f"{path}: is a folder")
    if not path.is_file():
        raise NotOurDatabase(f"{path}: is not a file")
    try:
        with path.open("rb") as file:
            header = file.read(20)
        log = log_of(path)
        logged = log.exists() and log.stat().st_size > 0
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
    if not header.startswith(b"SQLite format 3\0"):
        raise NotOurDatabase(f"{path}: is not an SQLite database")
    # https://sqlite.org/fileformat2.html, 1.3.3: 2 says that a file has a log. A snapshot has none.
    if logged and header[18:20] == b"\1\1":
        raise StorageError(
            f"{log}: is the log of the file that was there before {path}, and would overwrite it; move it away"
        )


def _check_ours(connection: sqlite3.Connection, path: Path, *, write: bool, older: bool) -> None:
    (application,) = connection.execute("pragma application_id").fetchone()
    tables = connection.execute("select count(*) from sqlite_master").fetchone()[0]
    if not tables and not write:
        raise NotOurDatabase(f"{path}: is empty; `broadsheet crawl` or `broadsheet import` makes an archive of it")
    if application != APPLICATION_ID and tables:
        raise NotOurDatabase(f"{path}: is a database of another program, not a Broadsheet archive")
    if not tables:
        return
    if newer := unknown_migrations(connection):
        raise NotOurDatabase(
            f"{path}: was written by a newer Broadsheet ({', '.join(sorted(newer))}); upgrade this one"
        )
    if not (write or older) and missing_migrations(connection):
        raise NotOurDatabase(
            f"{path}: has an older schema; any `broadsheet crawl` or `broadsheet import` brings it up to date"
        )


def _prepare(db: Database, follow: Follow) -> None:
    db.conn.execute("pragma journal_mode = wal")
    db.conn.execute("pragma synchronous = normal")
    db.conn.execute(f"pragma journal_size_limit = {LONGEST_LOG}")
    db.conn.execute(f"pragma application_id = {APPLICATION_ID}")
    steps = [step.name for step in migrations.pending(db)]
    if steps == [step.name for step in migrations._migrations]:  # a new file is no work
        migrations.apply(db)
        return
    for done in range(len(steps)):
        follow(done, len(steps))
        migrations.apply(db, stop_before=steps[done + 1 :])
