"""Do the captures lead to records? What the doctor finds of the table `captures` and our own WARC files. Reads only.

Quickly: which files are there, and are long enough, of all; what lies at its place, of a sample. Deep: every record, its digest,
too. Imported files are other people's: where they are gone, that is told, and is no fault. Nor is a blanked record.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from crawler.digests import payload_digest
from pipelines.archive import warc_files
from pipelines.archive.captures import dropping, own_files
from pipelines.archive.warc_members import Member, groups, is_as_written, members
from pipelines.database.connection import Row, rows
from pipelines.database.doctor import Finding, sql_line
from pipelines.database.schema import missing_migrations
from pipelines.database.sqlite import Database

SAMPLE = 200
"""Captures that are looked up without `deep`: 0.1 s, and 1 fault in 100 is found in 6 of 7 cases."""

_MOST_NAMED = 1_000
"""Captures that one repair names: a line of the shell has its limits. The doctor is asked again anyway."""


Found = dict[int, str]
"""Captures by id, each with the name of the file that it should be in."""


def examine(db: Database, path: Path, *, deep: bool = False) -> Iterator[Finding]:
    """All checks of captures. `deep` reads every byte of the files: 70 MB a second of processor time."""
    try:
        if not missing_migrations(db.conn) and "captures" in db.table_names():  # else the schema is what is told of
            yield from _examine(db, path, deep)
    except sqlite3.DatabaseError:
        return  # so is a file that cannot be read on
    except OSError as error:
        yield Finding(
            what=f"captures not looked at: {error.filename}: {error.strerror}",
            sound=False,
            repair=f"chmod -R u+rwX {warc_files.folder_of(path)}",
        )


def _examine(db: Database, path: Path, deep: bool) -> Iterator[Finding]:
    there = {file.name: file for file in own_files(db, path)}
    named = db.execute("select distinct file from captures where file not like '%/%' order by 1").fetchall()
    missing = [name for (name,) in named if name not in there]
    yield Finding(
        what=f"{len(missing)} of {len(named)} WARC files missing",
        sound=not missing,
        repair=_copied_back(path, missing) + _dropped(path, f"file in ({_texts(missing)})"),
    )
    yield from _imported(db, path, deep)
    looked_at, unreadable, others = _compared(db, there, deep)
    share = f"of {looked_at:,} captures" + ("" if deep else " looked at")
    more = "" if deep else " (`--deep` reads all)"
    yield _finding(path, unreadable, f"{share} cannot be read{more}")
    yield _finding(path, others, f"{share} lead to another page's record{more}")
    if deep:
        yield _unknown_damage(db, there)


def _imported(db: Database, path: Path, deep: bool) -> Iterator[Finding]:
    """Imported files that are gone, and saved pages that are not what they were. That is no fault: an inbox is emptied."""
    named = dict(db.execute("select file, digest from captures where file like '%/%' order by file, id").fetchall())
    if not named:
        return
    places = {name: warc_files.path_of(path, name) for name in named}
    gone = [name for name, place in places.items() if warc_files.holder_of(place) is None]
    yield _not_as_they_were(gone, len(named), "not where they were")
    saved = [name for name in named if warc_files.is_saved(name)]
    if deep and saved:
        other = [name for name in saved if not _has_digest(places[name], named[name])]
        yield _not_as_they_were(other, len(saved), "hold something else by now")


def _not_as_they_were(names: list[str], number: int, how: str) -> Finding:
    listed = f": {_listed(names)}" if names else ""
    return Finding(what=f"{len(names):,} of {number:,} imported files {how}{listed}", sound=True)


def _has_digest(file: Path, digest: str) -> bool:
    """Whether a file is what it was; also of one that is not there, or that nobody may read."""
    try:
        return payload_digest(file.read_bytes()) == digest
    except OSError:
        return True


def _finding(path: Path, found: Found, what: str) -> Finding:
    files = list(dict.fromkeys(found.values()))
    repair = _copied_back(path, files) + _dropped(path, f"id in ({', '.join(map(str, list(found)[:_MOST_NAMED]))})")
    return Finding(what=f"{len(found):,} {what}", sound=not found, repair=repair)


def _copied_back(path: Path, names: list[str]) -> str:
    return (
        f"# copy {_listed(names)} from a backup into {warc_files.folder_of(path)}.\n"
        "# Without one, this makes the archive forget where the lost originals were; their articles stay:\n"
    )


def _dropped(path: Path, condition: str) -> str:
    """The line for the shell that drops captures, and those that have their bodies there."""
    gone = f"select id from captures where {condition}"
    return sql_line(path, "; ".join(dropping(f"{gone} or revisit_of in ({gone})")))


def _texts(texts: Iterable[str]) -> str:
    return ", ".join("'" + text.replace("'", "''") + "'" for text in texts)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")


def _compared(db: Database, there: dict[str, Path], deep: bool) -> tuple[int, Found, Found]:
    """How many captures were looked at; those at whose place no sound record begins, and those where another page's does."""
    unreadable: Found = {}
    others: Found = {}
    looked_at = 0
    for file in there.values():
        size = file.stat().st_size
        cut_off = "select id from captures where file = ? and offset + length > ? order by id"
        cut = {number: file.name for (number,) in db.execute(cut_off, [file.name, size])}
        unreadable |= cut
        looked_at += len(cut)
        for row in rows(db, _ALL if deep else _SAMPLED, {"file": file.name, "size": size, "sample": SAMPLE}):
            looked_at += 1
            group = next(groups(members(file, {row["offset"]: row["length"]}, row["offset"])))
            if not _is_sound(file, group, row, deep):
                unreadable[row["id"]] = file.name
            elif not _is_of(group, row["url"]):
                others[row["id"]] = file.name
    return looked_at, unreadable, others


_ALL = """select captures.id, url, offset, length, captures.digest from captures join pages on pages.id = page_id
          where file = :file and offset + length <= :size order by offset"""

_SAMPLED = f"""select * from ({_ALL}) where id % (select max(1, count(*) / :sample) from captures) = 0"""


def _is_sound(file: Path, group: list[Member], row: Row, deep: bool) -> bool:
    first = group[0]
    if first.is_blank:
        return first.whole
    if first.kind not in ("response", "revisit") or not first.whole or first.length != row["length"]:
        return False
    if not deep:
        return True
    said = first.head.get("warc-payload-digest")
    return said == row["digest"] and all(is_as_written(file, member.offset) for member in group)


def _is_of(group: list[Member], url: str) -> bool:
    """Whether an answer is of the page at `url`, or was found there; one that was set aside has a date behind its address."""
    if group[0].is_blank:
        return True
    return url.partition("#")[0] in {group[0].url, *(member.found_at for member in group)}


def _unknown_damage(db: Database, there: dict[str, Path]) -> Finding:
    """Records that no row tells of, or none any more. They are no fault: nothing that is known is lost, and readers pass them over."""
    damaged = []
    for file in there.values():
        known = {row["offset"]: row["length"] for row in rows(db, _PLACES, [file.name])}
        for group in groups(members(file, known)):
            if group[0].offset not in known and not all(is_as_written(file, member.offset) for member in group):
                damaged.append(f"{file.name} at byte {group[0].offset:,}")
    what = f"{len(damaged):,} damaged records that no capture names" + (f": {_listed(damaged)}" if damaged else "")
    return Finding(what=what, sound=True)


_PLACES = "select offset, length from captures where file = ?"
