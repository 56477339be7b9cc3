"""The end of the last WARC file after a run that was killed: what is half-written is cut off, what is whole becomes known.

Only of a database's own files, and under the lock of its run: nobody writes meanwhile.
"""

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from sqlite_utils import Database
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from crawler.urls import canonical_or_none
from pipelines.archive import warc_files
from pipelines.archive.captures import REDIRECT
from pipelines.archive.rows import insert
from pipelines.archive.warc_records import METADATA_TYPE
from pipelines.database.connection import Row, first_row

INTERRUPTED = "interrupted"
"""captures.reason of an answer whose run ended before its page was stored: the page is asked again."""


def repair(db: Database, database: Path) -> None:
    """Cut the last file back to its last whole record, and note the answers in it that no run lived to note. Called within
    the writer's transaction. Raises OSError."""
    for file in _last_files(db, database):
        begin = _known_end(db, file)
        if begin is not None:
            _cut(file, _whole_until(file, begin))
            for row, told in _answers(file, begin):
                _note(db, row, told)
            if not begin and _is_empty(file):
                file.unlink()


def _last_files(db: Database, database: Path) -> list[Path]:
    """The file that was written last: by name; where a clock went back, also the last that is known."""
    files = {file.name: file for file in warc_files.own_files(database)}
    known = first_row(db, "select file from captures where file not like '%/%' order by id desc limit 1")
    return [files[name] for name in {*[*files][-1:], *([known["file"]] if known else [])} & files.keys()]


def _known_end(db: Database, file: Path) -> int | None:
    """Where the last record ends that is known, 0 when none is. None of a file that is not as it was written: it is left alone."""
    sql = "select offset, length from captures where file = ? order by offset desc limit 1"
    last = first_row(db, sql, [file.name]) or {"offset": 0, "length": 0}
    end = int(last["offset"] + last["length"])
    with file.open("rb") as stream:
        if file.stat().st_size < end or not end:
            return 0 if stream.read(2) == _MAGIC[: file.stat().st_size] else None
        stream.seek(last["offset"])
        return end if _member_ends(stream) == end else None


_MAGIC = b"\x1f\x8b"
"""How a gzip member begins."""


def _whole_until(file: Path, offset: int) -> int:
    """Where the last whole gzip member ends of those that begin at `offset`."""
    with file.open("rb") as stream:
        while True:
            stream.seek(offset)
            end = _member_ends(stream)
            if end is None:
                return offset
            offset = end


def _member_ends(stream: BinaryIO) -> int | None:
    """Where the gzip member ends that begins here; None when it is not whole, or there is none."""
    member = zlib.decompressobj(zlib.MAX_WBITS + 16)
    try:
        while not member.eof and (data := stream.read(2**16)):
            while data and not member.eof:
                member.decompress(data, 2**20)
                data = member.unconsumed_tail
    except zlib.error:
        return None
    return stream.tell() - len(member.unused_data) if member.eof else None


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


def _answers(file: Path, offset: int) -> Iterator[tuple[Row, Row]]:
    """Rows for the responses that begin at or after `offset`, each with what its metadata record says; its address at least."""
    row: Row | None = None
    told: Row = {}
    with file.open("rb") as stream:
        stream.seek(offset)
        records = ArchiveIterator(stream)
        try:
            for record in records:
                if record.rec_type == "metadata" and record.content_type == METADATA_TYPE:
                    told = json.loads(record.raw_stream.read())
                elif record.rec_type == "response":
                    yield from [(row, told)] if row else []
                    told = {"url": canonical_or_none(record.rec_headers.get_header("WARC-Target-URI"))}
                    row = _row_of(record, records, file.name)
        except (ArchiveLoadFailed, ValueError):  # nothing of ours
            return
    yield from [(row, told)] if row else []


def _row_of(record: Any, records: Any, file: str) -> Row:
    head = record.rec_headers.get_header
    status = int(record.http_headers.get_statuscode())
    return {
        "fetched_at": head("WARC-Date"), "status": status, "reason": REDIRECT if 300 <= status < 400 else INTERRUPTED,
        "file": file, "offset": records.get_record_offset(), "length": records.get_record_length(),
        "digest": head("WARC-Payload-Digest"),
    }  # fmt: skip


def _note(db: Database, row: Row, told: Row) -> None:
    """A row for an answer, and one for its page where that was not found before: it is to be asked for."""
    if "via" in told:
        db.execute(_FOUND, {"source": None, "discovered_at": row["fetched_at"]} | told)
    page = first_row(db, "select id from pages where url = ?", [told["url"]])
    if page:
        insert(db, "captures", {"page_id": page["id"]} | row)


_FOUND = """insert into pages (url, source_id, via, state, discovered_at)
            values (:url, (select id from sources where url = :source), :via, 'pending', :discovered_at) on conflict (url) do nothing"""
