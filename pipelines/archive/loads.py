"""The table `loads`: which parts of which backfills are in the archive, so that none is read again. Called within the writer's
transaction."""

from datetime import datetime

from crawler.times import stamp
from pipelines.database.sqlite import Database


def known(db: Database) -> set[str]:
    """The keys of all parts that were loaded; none in an archive that is older than this table."""
    if "loads" not in db.table_names():
        return set()
    return {key for (key,) in db.execute("select key from loads")}


def note(db: Database, *, key: str, input: str, pages: int, run_id: int | None, now: datetime) -> None:
    """Note that all of a part is there."""
    db.execute(
        "insert or replace into loads (key, input, pages, run_id, loaded_at) values (?, ?, ?, ?, ?)",
        [key, input, pages, run_id, stamp(now)],
    )
