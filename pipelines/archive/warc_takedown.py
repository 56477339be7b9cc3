"""Takedown in the WARC files: the records of some addresses are found, and blanked in place before anything else goes.

All of a database's own files are walked, not only where `captures` leads: a run that was killed leaves records that no row tells
of. A blank has the length of what it stands for, so every other record stays where its row says. What is half done because the
power went is told by its own beginning, and is finished by the next takedown.
"""

import json
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.archive import captures
from pipelines.archive.warc_members import Member, blank_record, groups, members
from pipelines.database.connection import Follow, Row, rows
from pipelines.database.sqlite import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A record that goes."""

    file: Path
    member: Member
    url: str | None  #: the address that it is of; None where its head cannot be read
    capture_id: int | None  #: of a response: captures.id; None where no row tells of it

    @property
    def is_answer(self) -> bool:
        """Whether it is what a server said, and not a record that belongs to that."""
        return self.capture_id is not None or self.member.kind in ("response", "revisit")


def find(
    db: Database,
    database: Path,
    urls: Collection[str],
    page_ids: Collection[int],
    follow: Follow = lambda done, of: None,
) -> list[Taken]:
    """The records in the database's own files that are of these addresses or pages. Raises OSError.

    A record goes with the answer that it belongs to. Of an answer that another page keeps, and that was found at one of the
    addresses, only the record goes that says how it was found: a feed's words of that address are in it.
    """
    files = captures.own_files(db, database)
    taken: list[Taken] = []
    wanted = _Wanted(frozenset(urls), frozenset(page_ids), set())
    for done, file in enumerate(files):
        follow(done, len(files))
        taken += wanted.of(file, {row["offset"]: row for row in rows(db, _KNOWN, [file.name])})
    follow(len(files), len(files))
    return taken


_KNOWN = "select id, page_id, offset, length, revisit_of from captures where file = ?"


@dataclass(frozen=True, slots=True)
class _Wanted:
    urls: frozenset[str]
    page_ids: frozenset[int]
    gone: set[int]  #: captures.id that go, so far: what refers to one comes after it, and goes with it

    def of(self, file: Path, known: dict[int, Row]) -> Iterator[Taken]:
        for group in groups(members(file, {offset: row["length"] for offset, row in known.items()})):
            row = known.get(group[0].offset)
            for member in self._chosen(group, row):
                capture_id = row["id"] if row and member is group[0] else None
                yield Taken(file=file, member=member, url=group[0].url, capture_id=capture_id)

    def _chosen(self, group: list[Member], row: Row | None) -> list[Member]:
        if self._goes(group, row):
            self.gone.update([row["id"]] if row else [])
            return [
                member
                for member in group
                if not (member.is_blank and member.whole) or (row and member is group[0])  # whose row is still to go
            ]
        return [
            member
            for member in group
            if member.found_at in self.urls or (member.is_blank and not member.whole)  # begun, and not finished
        ]

    def _goes(self, group: list[Member], row: Row | None) -> bool:
        if group[0].is_blank or any(member.url in self.urls for member in group):
            return True
        if row is None:
            return any(member.found_at in self.urls for member in group)
        return row["page_id"] in self.page_ids or row["revisit_of"] in self.gone


def blank(taken: Iterable[Taken], now: datetime) -> None:
    """Blank these records; they are on the disk so when this ends. Raises OSError, with the name of the file; of files that
    cannot be opened for writing before anything is changed."""
    by_file: dict[Path, list[Member]] = {}
    for one in taken:
        by_file.setdefault(one.file, []).append(one.member)
    with ExitStack() as opened:
        streams = {file: opened.enter_context(file.open("r+b", buffering=0)) for file in by_file}
        for file, stream in streams.items():
            try:
                for member in by_file[file]:
                    _overwrite(stream.fileno(), member, now)
                os.fsync(stream.fileno())
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(file)) from error


def _overwrite(file: int, member: Member, now: datetime) -> None:
    left = memoryview(blank_record(member.length, member.head.get("warc-record-id"), now))
    at = member.offset
    while left:
        written = os.pwrite(file, left, at)
        at, left = at + written, left[written:]


def drop_rows(db: Database, database: Path, taken: Iterable[Taken], page_ids: Collection[int]) -> None:
    """Drop what tells of blanked records, and where these pages' answers were in our own files. Within the writer's transaction."""
    names = json.dumps([file.name for file in captures.own_files(db, database)])
    ids = json.dumps([one.capture_id for one in taken if one.capture_id is not None])
    given = {"ids": ids, "pages": json.dumps([*page_ids]), "files": names}
    for sql in (*captures.dropping(_GONE), _NAMED_NO_MORE):
        db.execute(sql, given)


_BLANKED = """select id from captures where id in (select value from json_each(:ids))
    or (page_id in (select value from json_each(:pages)) and file in (select value from json_each(:files)))"""

_GONE = f"{_BLANKED} or revisit_of in ({_BLANKED})"
"""With those that have their bodies there, though their own file may be away."""

_NAMED_NO_MORE = """update pages set warc = null, warc_offset = null
    where id in (select value from json_each(:pages)) and warc in (select value from json_each(:files))"""
