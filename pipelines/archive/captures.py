"""The table `captures`: where in the WARC files each answer lies that was kept. Called within the writer's transaction."""

from collections.abc import Iterable
from pathlib import Path

from sqlite_utils import Database

from crawler.items import Outcome
from crawler.times import stamp
from pipelines.archive import warc_files
from pipelines.archive.rows import insert, to_json
from pipelines.database.connection import Row, first_row

REDIRECT = "redirect"
"""captures.reason of an answer that led to another address."""


def keep(db: Database, outcome: Outcome) -> None:
    """Note the records of an outcome whose pages are stored; a page names its last one."""
    for capture in outcome.captures:
        sql = "select id from pages where url in (?, ?) order by url = ? desc limit 1"
        page = first_row(db, sql, [capture.page_url, outcome.page.url, capture.page_url])
        assert page is not None
        row = {
            "page_id": page["id"], "fetched_at": stamp(capture.fetched_at), "status": capture.status, "reason": capture.reason,
            "file": capture.file, "offset": capture.offset, "length": capture.length, "digest": capture.digest,
            "revisit_of": capture.revisit_of,
        }  # fmt: skip
        insert(db, "captures", row)
        db.conn.execute(
            "update pages set warc = ?, warc_offset = ? where id = ?", [capture.file, capture.offset, page["id"]]
        )


def has(db: Database, page_ids: Iterable[int], reason: str | None) -> bool:
    """Whether one of these pages has a capture that was kept for this reason; None: as an article."""
    sql = "select 1 from captures where reason is ? and page_id in (select value from json_each(?)) limit 1"
    return first_row(db, sql, [reason, to_json(list(page_ids)) or "[]"]) is not None


def with_body(db: Database, page_id: int, digest: str) -> Row | None:
    """The page's last capture that holds the body of this digest itself, in a file of our own."""
    sql = """select id, file, offset from captures
             where page_id = ? and digest = ? and revisit_of is null and file not like '%/%' order by id desc limit 1"""
    return first_row(db, sql, [page_id, digest])


def cut_tail(db: Database, database: Path) -> int:
    """Cut off what a killed run left half-written at the end of its file; returns the bytes that took away. Raises OSError.

    That file is the last by name, or, where a clock went back, the one that is known to be written last.
    """
    files = {file.name: file for file in warc_files.own_files(database)}
    known = first_row(db, "select file from captures where file not like '%/%' order by id desc limit 1")
    last = {*[*files][-1:], *([known["file"]] if known else [])} & files.keys()
    return sum(warc_files.cut_tail(files[name], _last_offset(db, name)) for name in last)


def _last_offset(db: Database, file: str) -> int:
    """Where in a file the last record begins that is known; 0 when none is."""
    row = first_row(db, "select max(offset) as offset from captures where file = ?", [file])
    return int(row["offset"] or 0) if row else 0
