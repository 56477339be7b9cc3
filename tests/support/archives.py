"""Empty archives in no time: what the migrations make of nothing is made once in a process, and copied from there on.

A thousand tests begin with a new archive, and thirty migrations take longer than what most of them do with it. An archive that
has something in it is brought up to date by the migrations themselves; so is every one in a process that starts as a user's does.
"""

import tempfile
from functools import cache
from pathlib import Path

from pipelines.archive.store import Archive
from pipelines.database.schema import migrations
from pipelines.database.sqlite import Database

SCRATCH = tempfile.TemporaryDirectory()

apply = migrations.apply


def copy_what_migrations_make() -> None:
    """From here on in this process, and in those that are forked from it."""
    _made()
    migrations.apply = _copy  # type: ignore[method-assign, assignment]


@cache
def _made() -> Database:
    made = Database(memory=True)
    apply(made)
    return made


def _copy(db: Database, *, stop_before: str | None = None) -> None:
    if stop_before or db.execute("select count(*) from sqlite_master").fetchone()[0]:
        apply(db, stop_before=stop_before)
    else:
        _made().conn.backup(db.conn)


def new_archive() -> Archive:
    """An archive of its own, gone when the tests end."""
    return Archive(Path(tempfile.mkdtemp(dir=SCRATCH.name)) / "news.db")
