"""Upkeep of an archive: is it sound, a takedown. The command lines; what they do is done in pipelines."""

import contextlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.common import DB, archive_errors, open_archive
from crawler.cli.output import DONE, FAILED, STORAGE, USAGE, cannot_begin, counted, print_error, printable, upgrading

if TYPE_CHECKING:
    from pipelines.archive.store import Archive
    from pipelines.archive.takedown import Forgotten, Plan
    from pipelines.database.doctor import Finding
    from pipelines.database.sqlite import Database


@click.command()
@click.option("--deep", is_flag=True, help="Read every record of the WARC files as well, and check their digests.")
@DB
def doctor(db: Path, deep: bool) -> None:
    """Check the archive and name the repair for each fault. Changes nothing.

    File, schema, references between tables, full-text index, states of pages, stories, takedowns, write-ahead log, disk; and
    whether the captures lead to records: of all whether their file is there and long enough, what lies there of 200.
    Repairs are lines for the shell, for SQLite's `sqlite3`; no run may be under way. Take a snapshot before, and ask the
    doctor again afterwards: one repair may show what another fault hid. Exit status 1 when there is a fault.
    """
    from pipelines.archive.captures_check import examine as examine_captures
    from pipelines.database.doctor import examine

    sound = True
    opened = _open_to_examine(db)
    for finding in _one_by_one(chain(examine(opened, db), examine_captures(opened, db, deep=deep))):
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
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; and refuse addresses in advance that nobody has found yet.")
@click.option("--reason", metavar="TEXT", help="Why: kept with the addresses.")
@click.option("--undo", is_flag=True, help="Let these addresses be fetched and stored again. Nothing comes back.")
@DB
def forget(urls: tuple[str, ...], dry_run: bool, yes: bool, reason: str | None, undo: bool, db: Path) -> None:
    """Take down what these addresses gave, for good.

    Text, versions, prints and originals go, from the bytes of the file and of the WARC files in warc/ as well; the address stays
    in `pages`, refused as `forgotten`: it is not fetched or stored again, whatever leads to it. With an article all its
    addresses go, and the copies of it elsewhere, which are listed; with the address of a copy only that copy. The words do
    not come back; --undo only lets the address be fetched again.

    On a terminal it shows what goes and asks. Exit status 2 when an address is not in the archive: nothing is done for it, but
    with --yes, which refuses it from now on.

    The file is written anew, which takes twice its size on the disk. Snapshots, backups and WARC files that you made or
    imported are not touched.
    """
    from crawler.urls import UnusableURL
    from pipelines.archive.takedown import wanted_url

    if undo and (dry_run or reason is not None):
        sys.exit(print_error("--undo goes with neither --dry-run nor --reason", USAGE))
    try:
        wanted = list(dict.fromkeys(wanted_url(url) for url in urls))
    except UnusableURL as error:
        sys.exit(print_error(str(error), USAGE))
    if undo:
        sys.exit(_lift(wanted, db))
    if dry_run:
        sys.exit(_rehearse(wanted, db))
    sys.exit(_forget(wanted, db, reason=(reason or "").strip() or None, yes=yes))


def _forget(wanted: list[str], db: Path, *, reason: str | None, yes: bool) -> int:
    from crawler.cli.progress import counting

    with writing(db) as archive:
        with counting("looking through the WARC files", quiet=False) as follow:
            plan = archive.plan_takedown(wanted, follow)
        if not yes and sys.stdin.isatty() and sys.stdout.isatty() and any(map(_is_known, plan.addresses)):
            click.echo("\n".join(_planned(plan)))
            if not click.confirm("\nForget this for good?"):
                return DONE
        taken = archive.forget(plan, datetime.now(UTC), reason=reason, in_advance=yes)
        unknown = [one for one in plan.addresses if not yes and not _is_known(one)]
        for line in (line for one in [*taken, *unknown] for line in _told(one, refused=yes)):
            click.echo(line)
        code = USAGE if unknown else DONE
        if not _takes_anything(plan):
            return code
        click.echo(f"{counted(len(plan.answers), 'capture')} blanked")
        if trouble := _erase(archive.db, db):
            again = (
                f"{trouble}. Refused they are; but {db} may still hold deleted bytes: put that right, then say it again"
            )
            return print_error(again, STORAGE)
    click.echo(f"{db} was written anew: nothing of it is left there. Older snapshots and backups still have it.")
    return code


def _is_known(one: "Forgotten") -> bool:
    return one.was != "unknown"


def _takes_anything(plan: "Plan") -> bool:
    return bool(plan.records) or any(map(_is_known, plan.addresses))


def _rehearse(wanted: list[str], db: Path) -> int:
    """Show what would go. Reads only."""
    from crawler.cli.progress import counting
    from pipelines.archive.takedown import plan

    with open_archive(db) as archive:
        try:
            with counting("looking through the WARC files", quiet=False) as follow:
                planned = plan(archive, db, wanted, follow)
        except OSError as error:
            return print_error(f"{error.filename or db}: {error.strerror or error}", STORAGE)
    click.echo("\n".join(_planned(planned)))
    return DONE if all(map(_is_known, planned.addresses)) else USAGE


def _planned(plan: "Plan") -> Iterator[str]:
    """What a takedown would come to, in lines."""
    for one in plan.addresses:
        texts = f", {counted(one.versions, 'text')}" if one.versions else ""
        yield {
            "article": f"{one.url}: would go, with its article{texts}",
            "copy": f"{one.url}: would go, a copy{texts}; the article stays at {one.stays}",
            "page": f"{one.url}: would go; there is no article",
            "forgotten": f"{one.url}: was forgotten before{_before(one)}",
            "unknown": f"{one.url}: not in the archive; `--yes` would refuse it from now on",
        }[one.was]
        yield from _beside(one)
    if _takes_anything(plan):
        yield f"{counted(len(plan.answers), 'capture')} would be blanked{':' if plan.answers else ''}"
    for taken in plan.answers:
        yield f"    {taken.url or 'unreadable'} in {taken.file.name} at byte {taken.member.offset:,}"


def _before(one: "Forgotten") -> str:
    return f" ({printable(one.before)})" if one.before else ""


def _beside(one: "Forgotten") -> Iterator[str]:
    from pipelines.archive.warc_files import is_saved

    for url in one.with_it:
        yield f"    with it: {url}"
    for name in one.archives:
        what = "the saved page is not touched:" if is_saved(name) else "a capture is still in"
        yield f"    {what} {printable(name)}"


def _lift(wanted: list[str], db: Path) -> int:
    """Lift refusals."""
    from pipelines.archive.takedown import forgotten_with

    with writing(db) as archive:
        others = forgotten_with(archive.db, wanted)
        lifted = archive.lift(wanted)
    for url, is_lifted in lifted.items():
        click.echo(f"{url}: {'may be fetched and stored again' if is_lifted else 'is not forgotten: nothing to undo'}")
    for url in others:
        click.echo(f"    forgotten with it, and still refused: {url}")
    return DONE if all(lifted.values()) else USAGE


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


def _told(taken: "Forgotten", *, refused: bool) -> Iterator[str]:
    """What one takedown came to, in lines; `refused`: also where it is unknown."""
    yield {
        "article": f"{taken.url}: forgotten, with its article",
        "copy": f"{taken.url}: forgotten, a copy; the article stays at {taken.stays}",
        "page": f"{taken.url}: forgotten; there was no article",
        "forgotten": f"{taken.url}: was forgotten before{_before(taken)}",
        "unknown": f"{taken.url}: not in the archive; "
        + ("refused from now on" if refused else "nothing was done. Is it misspelt? `--yes` refuses it from now on"),
    }[taken.was]
    yield from _beside(taken)


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
        with upgrading(db) as follow, storage_errors(db):
            archive = Archive(db, follow)
        with storage_errors(db), contextlib.closing(archive):
            yield archive
