"""The table `captures`: where in the WARC files each answer lies that was kept, and where the copies lie that were imported. Called
within the writer's transaction."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from crawler.items import Capture, Outcome
from crawler.times import stamp
from pipelines.archive import warc_files
from pipelines.archive.rows import insert, to_json, update
from pipelines.database.connection import Row, first_row
from pipelines.database.sqlite import Database

REDIRECT = "redirect"
"""captures.reason of an answer that led to another address."""


def keep(db: Database, outcome: Outcome, page_id: int) -> None:
    """Note the records of an outcome whose pages are stored; a page names its last one. `page_id` is that of the address that was
    found: a saved page's, whatever address it was stored at."""
    for capture in outcome.captures:
        if warc_files.is_saved(capture.file):
            _keep_saved(db, capture, page_id)
            continue
        sql = "select id from pages where url in (?, ?) order by url = ? desc limit 1"
        page = first_row(db, sql, [capture.page_url, outcome.page.url, capture.page_url])
        assert page is not None
        row = _row(capture, page["id"])
        if known := at(db, capture.file, capture.offset):
            update(db, "captures", known, row)
        else:
            insert(db, "captures", row)
        name = PurePosixPath(capture.file).name
        db.conn.execute("update pages set warc = ?, warc_offset = ? where id = ?", [name, capture.offset, page["id"]])


def _keep_saved(db: Database, capture: Capture, page_id: int) -> None:
    """Note where a saved page lies. The row of another one that was read from there before stays."""
    known = first_row(db, "select id from captures where file = ? and digest = ?", [capture.file, capture.digest])
    if known:
        update(db, "captures", known["id"], _row(capture, page_id))
    else:
        insert(db, "captures", _row(capture, page_id))


def _row(capture: Capture, page_id: int) -> Row:
    return {
        "page_id": page_id, "fetched_at": stamp(capture.fetched_at), "status": capture.status, "reason": capture.reason,
        "file": capture.file, "offset": capture.offset, "length": capture.length, "digest": capture.digest,
        "revisit_of": capture.revisit_of,
    }  # fmt: skip


def at(db: Database, file: str, offset: int) -> int | None:
    """The capture that lies there, by its id."""
    row = first_row(db, "select id from captures where file = ? and offset = ?", [file, offset])
    return row["id"] if row else None


def imported(db: Database, database: Path, outcome: Outcome) -> tuple[Capture, ...]:
    """Where an imported page was read from, each record or file with what it was kept for."""
    reason = outcome.refusal or outcome.failure
    return tuple(
        replace(
            capture,
            file=_file_name(database, capture.file),
            reason=capture.reason or reason,
            revisit_of=at(db, _file_name(database, capture.body_at[0]), capture.body_at[1])
            if capture.body_at
            else None,
        )
        for capture in outcome.page.captures
    )


def _file_name(database: Path, path: str) -> str:
    """A file as captures.file has it: a bare name where it is a WARC file of the database's own folder, else its path as it was
    given."""
    given = path if "/" in path else f"./{path}"
    is_own = not warc_files.is_saved(given) and warc_files.is_in_folder(database, Path(path))
    return PurePosixPath(path).name if is_own else given


def has(db: Database, page_ids: Iterable[int], reason: str | None) -> bool:
    """Whether one of these pages has a capture that was kept for this reason; None: as an article."""
    sql = "select 1 from captures where reason is ? and page_id in (select value from json_each(?)) limit 1"
    return first_row(db, sql, [reason, to_json(list(page_ids)) or "[]"]) is not None


def with_body(db: Database, page_id: int, digest: str, file: str | None = None) -> Row | None:
    """The page's last capture that holds the body of this digest itself, in a file of our own; with `file` in that one."""
    sql = """select id, file, offset from captures where page_id = ? and digest = ? and revisit_of is null
             and file = coalesce(?, file) and file not like '%/%' order by id desc limit 1"""
    return first_row(db, sql, [page_id, digest, file])


def own_files(db: Database, database: Path) -> list[Path]:
    """The files that are there of those this database's runs have written, the oldest first; under an earlier name of it, too."""
    folder = warc_files.folder_of(database)
    known = (folder / name for (name,) in db.execute("select distinct file from captures where file not like '%/%'"))
    return sorted({*warc_files.own_files(database), *(file for file in known if file.exists())})


def drop_before(db: Database, database: Path, day: datetime) -> list[Path]:
    """Drop the rows of what the files hold that were begun and ended before `day`; returns these files, to be deleted then.
    Raises OSError."""
    files = [file for file in warc_files.own_files(database) if warc_files.last_written(file) < day]
    names = to_json([file.name for file in files]) or "[]"
    for sql in dropping(_OLD) if files else ():
        db.execute(sql, {"files": names})
    return files


_OLD = """select id from captures where file in (select value from json_each(:files)) or revisit_of in (
    select id from captures where file in (select value from json_each(:files)))"""
"""The captures in some files, and those of other files that have their bodies there."""


def dropping(gone: str) -> tuple[str, str]:
    """SQL that drops captures whose ids the query `gone` gives: a page whose last one goes names the one before, if one is left."""
    return (
        f"""with gone as ({gone})
            update pages set (warc, warc_offset) = (
                select file, offset from captures where page_id = pages.id and captures.id not in gone
                order by captures.id desc limit 1)
            where id in (select page_id from captures where id in gone)
                  and exists (select 1 from captures where page_id = pages.id and file = warc and offset = warc_offset
                              and captures.id in gone)""",
        f"delete from captures where id in ({gone})",
    )
