"""The end of the last WARC file after a run that was killed: what is half-written is cut off, what is whole becomes known.

Only of a database's own files, and under the lock of its run: nobody writes meanwhile. Files under its name that no row refers to,
begun before its first run, are of an earlier database that was deleted or moved away: they are left as they are.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from crawler.items import METADATA_TYPE
from crawler.times import stamp
from pipelines.archive import warc_files
from pipelines.archive.captures import REDIRECT
from pipelines.archive.rows import insert
from pipelines.archive.warc_members import member_end
from pipelines.database.connection import Row, first_row
from pipelines.database.sqlite import Database

INTERRUPTED = "interrupted"
"""captures.reason of an answer whose run ended before its page was stored: the page is asked again."""


def repair(db: Database, database: Path) -> None:
    """Cut the last file back to its last answer that is there with all its records, and note the answers that no run lived to
    note. Called within the writer's transaction. Raises OSError."""
    for file in _last_files(db, database):
        last = first_row(
            db, "select offset, length from captures where file = ? order by offset desc limit 1", [file.name]
        )
        if last is None:
            _mend(db, file, 0)
        elif (end := last["offset"] + last["length"]) > file.stat().st_size:
            _cut(file, _whole_until(file, 0))  # all of it was known: the power took it
        elif member_end(file, last["offset"]) == end:  # else it is not as it was written, and is left alone
            _mend(db, file, end)


def _mend(db: Database, file: Path, known_end: int) -> None:
    """Mend what follows the last record that is known."""
    if not known_end and not _begins_as_gzip(file):
        return
    _cut(file, _whole_until(file, known_end))
    for row, told in _answers(file, known_end):
        if told is None:
            _cut(file, row["offset"])
        else:
            _note(db, row, told)
    if not known_end and _is_empty(file):
        file.unlink()


def _last_files(db: Database, database: Path) -> list[Path]:
    """The file that was written last: by name; where a clock went back, also the last that is known."""
    earlier = {*_of_earlier_databases(db, database)}
    files = {file.name: file for file in warc_files.own_files(database) if file not in earlier}
    known = first_row(db, "select file from captures where file not like '%/%' order by id desc limit 1")
    return [files[name] for name in {*[*files][-1:], *([known["file"]] if known else [])} & files.keys()]


def is_new_beside_originals(db: Database, database: Path) -> bool:
    """Whether no run of a database has begun, while its folder has originals that it does not know."""
    return first_row(db, "select 1 from runs limit 1") is None and bool(_of_earlier_databases(db, database))


def _of_earlier_databases(db: Database, database: Path) -> list[Path]:
    """The files that an earlier database of this name wrote into the folder, and whose originals this one does not have."""
    (first_run,) = db.execute("select coalesce(min(started_at), 'none') from runs").fetchone()  # later than any time
    known = {name for (name,) in db.execute("select distinct file from captures where file not like '%/%'")}
    files = (file for file in warc_files.own_files(database) if file.name not in known)
    return [file for file in files if stamp(warc_files.begun(file)) < first_run]


def _begins_as_gzip(file: Path) -> bool:
    with file.open("rb") as stream:
        return b"\x1f\x8b".startswith(stream.read(2))


def _whole_until(file: Path, offset: int) -> int:
    """Where the last whole gzip member ends of those that begin at `offset`."""
    while (end := member_end(file, offset)) is not None:
        offset = end
    return offset


def _cut(file: Path, end: int) -> None:
    if end < file.stat().st_size:
        os.truncate(file, end)


def _is_empty(file: Path) -> bool:
    """Whether a run kept nothing in its file."""
    with file.open("rb") as stream:
        try:
            return all(record.rec_type == "warcinfo" for record in ArchiveIterator(stream, no_record_parse=True))
        except ArchiveLoadFailed:
            return False


def _answers(file: Path, offset: int) -> Iterator[tuple[Row, Row | None]]:
    """Rows for the responses that begin at or after `offset`, each with what its metadata record says. None, of the last
    alone: that is not there."""
    row: Row | None = None
    told: Row | None = None
    with file.open("rb") as stream:
        stream.seek(offset)
        records = ArchiveIterator(stream)
        try:
            for record in records:
                if record.rec_type == "metadata" and record.content_type == METADATA_TYPE:
                    told = json.loads(record.raw_stream.read())
                elif record.rec_type in ("response", "revisit"):
                    yield from [(row, told)] if row and told else []
                    row, told = _row_of(record, records, file.name), None
        except (ArchiveLoadFailed, ValueError):  # nothing of ours
            return
    yield from [(row, told)] if row else []


def _row_of(record: Any, records: Any, file: str) -> Row:
    head = record.rec_headers.get_header
    status = int(record.http_headers.get_statuscode())
    return {
        "fetched_at": head("WARC-Date"), "status": status, "reason": REDIRECT if 300 <= status < 400 else INTERRUPTED,
        "file": file, "offset": records.get_record_offset(), "length": records.get_record_length(),
        "digest": head("WARC-Payload-Digest"), "refers_to": head("WARC-Refers-To-Date"),
    }  # fmt: skip


def _note(db: Database, row: Row, told: Row) -> None:
    """A row for an answer, and one for its page where that was not found before: it is to be asked for."""
    db.execute(_FOUND, {"source": None} | told)
    page = first_row(db, "select id from pages where url = ?", [told["url"]])
    assert page is not None
    refers_to = row.pop("refers_to")
    original = first_row(db, _ORIGINAL, row | {"refers_to": refers_to}) if refers_to else None
    insert(db, "captures", row | {"page_id": page["id"], "revisit_of": original["id"] if original else None})


_ORIGINAL = "select id from captures where digest = :digest and fetched_at = :refers_to and revisit_of is null order by id desc limit 1"

_FOUND = """insert into pages (url, source_id, via, state, discovered_at)
            values (:url, (select id from sources where url = :source), :via, 'pending', :discovered_at) on conflict (url) do nothing"""
