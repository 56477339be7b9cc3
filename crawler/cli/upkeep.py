"""Upkeep of an archive: is it sound, a copy of it, a takedown. The command lines; what they do is done in pipelines."""

import contextlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.common import DB, archive_errors, open_archive
from crawler.cli.output import DONE, FAILED, STORAGE, USAGE, cannot_begin, counted, print_error

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pipelines.archive.store import Archive
    from pipelines.archive.takedown import Forgotten
    from pipelines.database.doctor import Finding


@click.command()
@DB
def doctor(db: Path) -> None:
    """Check the archive and name the repair for each fault. Changes nothing.

    File, schema, references between tables, full-text index, states of pages, stories, takedowns, write-ahead log, disk.
    Repairs are lines for the shell, for SQLite's `sqlite3`; no run may be under way. Take a snapshot before, and ask the
    doctor again afterwards: one repair may show what another fault hid. Exit status 1 when there is a fault.
    """
    from pipelines.database.doctor import examine

    sound = True
    for finding in _one_by_one(examine(_open_to_examine(db), db)):
        _print_finding(finding)
        sound = sound and finding.sound
    sys.exit(DONE if sound else FAILED)


def _open_to_examine(db: Path) -> "Database":
    """Like open_archive(), but a damaged file is what a doctor is asked about."""
    from pipelines.database.connection import StorageError, connect, is_damage
    from pipelines.database.doctor import unreadable

    with archive_errors():
        try:
            return connect(db, older=True)
        except StorageError as error:
            if error.__cause__ is None or not is_damage(error.__cause__):
                raise
            _print_finding(unreadable(error.__cause__, db))
            sys.exit(FAILED)


def _one_by_one(findings: Iterator["Finding"]) -> Iterator["Finding"]:
    """Each finding as soon as it is made; on a terminal with a sign that the next is being made."""
    from crawler.cli.progress import working

    while True:
        with working("looking at the archive"):
            finding = next(findings, None)
        if finding is None:
            return
        yield finding


def _print_finding(finding: "Finding") -> None:
    click.echo(f"{'ok   ' if finding.sound else 'FAULT'}  {finding.what}")
    for line in () if finding.sound else finding.repair.splitlines():
        click.echo(f"       {line}")


@click.command()
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT.db")
@DB
def snapshot(out: Path, db: Path) -> None:
    """Copy the archive into one new file, also while a crawl writes.

    Copying news.db itself can miss what is still in news.db-wal. The copy is compact, and whole as soon as it has its
    name; until then that ends in .snapshot.part. No file is replaced.
    """
    from crawler.cli.progress import copying
    from pipelines.database.connection import storage_errors
    from pipelines.database.snapshot import snapshot as copy

    try:
        with open_archive(db, older=True) as archive, storage_errors(out, read=db), copying(out) as follow:
            articles = copy(archive, db, out, follow)
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
        sys.exit(print_error(str(error) if error.filename is None else f"{out}: no such folder", USAGE))
    except OSError as error:
        sys.exit(print_error(f"{out}: {error.strerror}", STORAGE))
    click.echo(f"{out}: {counted(articles, 'article')}, {out.stat().st_size / 2**20:,.1f} MB.")


@click.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@DB
def forget(urls: tuple[str, ...], db: Path) -> None:
    """Take down what these addresses gave, for good.

    Text, versions and prints go, from the bytes of the file as well; the address stays in `pages`, refused as
    `forgotten`: it is not fetched or stored again, whatever leads to it. With an article all its addresses go, and the
    copies of it elsewhere, which are listed; with the address of a copy only that copy. There is no way back.

    The file is written anew, which takes twice its size on the disk. Snapshots, backups and WARC files that you made
    are not touched.
    """
    from crawler.urls import UnusableURL
    from pipelines.archive.takedown import wanted_url

    try:
        wanted = list(dict.fromkeys(wanted_url(url) for url in urls))
    except UnusableURL as error:
        sys.exit(print_error(str(error), USAGE))
    with writing(db) as archive:
        taken = archive.forget(wanted, datetime.now(UTC))
        for line in (line for one in taken for line in _told(one)):
            click.echo(line)
        if all(one.was == "unknown" for one in taken):
            return
        if trouble := _erase(archive.db, db):
            again = (
                f"{trouble}. Refused they are; but {db} may still hold deleted bytes: put that right, then say it again"
            )
            sys.exit(print_error(again, STORAGE))
    click.echo(f"{db} was written anew: nothing of it is left there. Older snapshots and backups still have it.")


def _erase(archive: "Database", path: Path) -> str | None:
    """Clear the file's bytes of what was deleted; returns what prevented it."""
    from crawler.cli.progress import working
    from pipelines.archive.takedown import erase
    from pipelines.database.connection import StorageError, storage_errors

    try:
        with storage_errors(path), working("writing the file anew"):
            return None if erase(archive) else f"{path}-wal: another program is reading the archive"
    except StorageError as error:
        return str(error)


def _told(taken: "Forgotten") -> Iterator[str]:
    """What one takedown came to, in lines."""
    yield {
        "article": f"{taken.url}: forgotten, with its article",
        "copy": f"{taken.url}: forgotten, a copy; the article stays at {taken.stays}",
        "page": f"{taken.url}: forgotten; there was no article",
        "forgotten": f"{taken.url}: was forgotten before",
        "unknown": f"{taken.url}: not in the archive; refused from now on",
    }[taken.was]
    for url in taken.with_it:
        yield f"    with it: {url}"
    for name in taken.archives:
        yield f"    a capture is still in {name}"


@contextlib.contextmanager
def writing(db: Path) -> Iterator["Archive"]:
    """An existing archive to change, as one run does: alone; or end with the right message and status."""
    from pipelines.archive.store import Archive
    from pipelines.database.connection import connect, storage_errors
    from pipelines.database.lock import run_lock

    with archive_errors():
        connect(db, older=True).close()  # a file that is no archive is none afterwards either
    with archive_errors(), contextlib.ExitStack() as held:
        try:
            held.enter_context(run_lock(db))
        except OSError as error:
            sys.exit(print_error(cannot_begin(error, db), STORAGE))
        with storage_errors(db), contextlib.closing(Archive(db)) as archive:
            yield archive
