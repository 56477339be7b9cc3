"""Is this archive sound? Every check is one question, one SQL statement where possible, and the repair in words."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from pipelines.schema import missing_migrations

LARGE_WAL = 256 * 2**20
"""Bytes. A write-ahead log this long means that no checkpoint got through, usually because a reader never lets go."""

LITTLE_SPACE = 500 * 2**20
"""Bytes that a day of crawling can use up."""

RESTORE = "copy the rows that can still be read: sqlite3 {db} .recover | sqlite3 new.db; or restore a backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer to one question."""

    what: str  #: what was looked at, and what was found
    sound: bool
    repair: str = ""  #: what to do when it is not


_STATES = {
    "article or duplicate pages without an article": "select count(*) from pages where state in ('article', 'duplicate') and article_id is null",
    "articles that are not on exactly one page": """select count(*) from articles
        where (select count(*) from pages where article_id = articles.id and state = 'article') <> 1""",
    "refused or failed pages without a reason": "select count(*) from pages where state in ('refused', 'failed') and coalesce(reason, '') = ''",
    "articles whose versions are miscounted": """select count(*) from articles
        where version_count <> max(1, (select count(*) from versions where article_id = articles.id))""",
}


def examine(db: Database, path: Path) -> Iterator[Finding]:
    """All checks, cheapest kind of damage first. A file too damaged to ask ends with the finding that says so."""
    try:
        yield from _file(db, path)
        yield from _schema(db)
        yield from _references(db)
        yield from _full_text(db, path)
        yield from _states(db)
        yield from _surroundings(path)
    except sqlite3.DatabaseError as error:
        yield Finding(what=f"the file cannot be read on: {error}", sound=False, repair=RESTORE.format(db=path))


def _file(db: Database, path: Path) -> Iterator[Finding]:
    complaints = [row[0] for row in db.execute("pragma integrity_check(5)")]
    sound = complaints == ["ok"]
    yield Finding(
        what="integrity of the file" + ("" if sound else f": {complaints[0]}"),
        sound=sound,
        repair=RESTORE.format(db=path),
    )
    (mode,) = db.execute("pragma journal_mode").fetchone()
    yield Finding(
        what=f"journal mode is {mode}", sound=mode == "wal", repair=f"sqlite3 {path} 'pragma journal_mode = wal'"
    )


def _schema(db: Database) -> Iterator[Finding]:
    missing = missing_migrations(db.conn)
    yield Finding(
        what="schema version" + (f": lacks {', '.join(missing)}" if missing else ""),
        sound=not missing,
        repair="any `broadsheet crawl` or `broadsheet import` brings it up to date",
    )


def _references(db: Database) -> Iterator[Finding]:
    broken = {row[0] for row in db.execute("pragma foreign_key_check")}
    yield Finding(
        what="references between tables" + (f": orphan rows in {', '.join(sorted(broken))}" if broken else ""),
        sound=not broken,
        repair="restore a backup; `pragma foreign_key_check` lists the rows",
    )


def _full_text(db: Database, path: Path) -> Iterator[Finding]:
    """The index is compared with the articles it indexes. SQLite spells this check as an insert, so it is rolled back."""
    db.conn.execute("begin")
    try:
        db.conn.execute("insert into articles_fts (articles_fts, rank) values ('integrity-check', 1)")
        sound = True
    except sqlite3.DatabaseError:
        sound = False
    finally:
        db.conn.execute("rollback")
    yield Finding(
        what="full-text index",
        sound=sound,
        repair=f"""sqlite3 {path} "insert into articles_fts (articles_fts) values ('rebuild')\"""",
    )


def _states(db: Database) -> Iterator[Finding]:
    for what, sql in _STATES.items():
        (count,) = db.execute(sql).fetchone()
        yield Finding(
            what=f"{count} {what}",
            sound=count == 0,
            repair="please report this as a bug, with the output of `broadsheet doctor`",
        )


def _surroundings(path: Path) -> Iterator[Finding]:
    wal = path.with_name(path.name + "-wal")
    size = wal.stat().st_size if wal.exists() else 0
    yield Finding(
        what=f"write-ahead log of {size / 2**20:.0f} MB",
        sound=size < LARGE_WAL,
        repair=f"close long-running readers, then: sqlite3 {path} 'pragma wal_checkpoint(truncate)'",
    )
    free = shutil.disk_usage(path.absolute().parent).free
    yield Finding(
        what=f"{free / 2**30:.1f} GB free on the disk",
        sound=free > LITTLE_SPACE,
        repair="make room, or move the archive",
    )
    writable = os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK)
    yield Finding(
        what="file and folder are writable" if writable else "file or folder is not writable",
        sound=writable,
        repair=f"chown them to the user who crawls: {path}",
    )
