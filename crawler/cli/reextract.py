"""`broadsheet reextract`: the originals once more, by today's rules. The command line; what it does is done in pipelines.archive.reextract."""

import asyncio
import contextlib
import logging
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.common import DB, SOURCES, open_archive, sources_of
from crawler.cli.output import USAGE, counted, print_error
from crawler.cli.upkeep import writing
from crawler.reasons import sentence

if TYPE_CHECKING:
    from crawler.items import Capture, Page, Source
    from pipelines.archive.reextract import Candidate, Comparison
    from pipelines.archive.store import Archive
    from pipelines.database.sqlite import Database

COLUMNS = ("same", "title", "text", "date", "author", "lost", "gained")
"""Of the table: articles as they were, what changed of others, and pages that are hardly an article any more, or are one now."""


@click.command()
@click.option("--source", metavar="NAME", help="Only of this source, by its name or address.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="Only of what was captured on this day (2026-11-03) or later.",
)
@click.option("--apply", "is_applied", is_flag=True, help="Write what changed. Else nothing is written at all.")
@click.option(
    "--accept-losses", is_flag=True, help="With --apply: also what loses a third of its words, or is refused."
)
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Processes that extract; else one a core, 4 at most."
)
@SOURCES
@DB
def reextract(
    source: str | None,
    since: datetime | None,
    is_applied: bool,
    accept_losses: bool,
    workers: int | None,
    sources_file: Path,
    db: Path,
) -> None:
    """Extract the kept originals again by today's rules.

    Without the network: of every article the last original, and those of refused pages, which may be articles by now.
    Prints for each source how many are the same, and what changed of the others. What loses over a third of its words, or
    is refused, is listed with the reason, and is not written unless --accept-losses says so.

    A text that changes becomes a version with the cause `rules`: it is no correction of the site's.
    """
    if accept_losses and not is_applied:
        raise click.UsageError("--accept-losses is for --apply")
    known = sources_of(sources_file)
    since_day = f"{since:%Y-%m-%d}" if since else None
    job = Job(db=db, sources=known, source=source, since=since_day, accept_losses=accept_losses, workers=workers)
    if is_applied:
        _print(_applied(job), applied=True)
    else:
        with open_archive(db) as archive:
            found = _read(job, archive)
        _print(found, applied=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be read again."""

    db: Path
    sources: "tuple[Source, ...]"  #: of sources.toml
    source: str | None
    since: str | None
    accept_losses: bool
    workers: int | None


NO_ORIGINAL = "no original was kept"
GONE = "the original is missing or damaged (`broadsheet doctor` tells)"
PACKED = "the original is in a .zip or .tar, which only an import reads"
JOINED = "joined from the originals of several pages"


@dataclass(slots=True, kw_only=True)
class Found:
    """What came of it."""

    by_source: dict[str, Counter[str]] = field(default_factory=dict)
    losses: "list[Comparison]" = field(default_factory=list)
    read: int = 0  #: pages
    unread: Counter[str] = field(default_factory=Counter)  #: articles, and why not
    written: int = 0

    def note(self, comparison: "Comparison") -> None:
        self.read += 1
        line = self.by_source.setdefault(comparison.candidate.source, Counter())
        if comparison.loss:
            self.losses.append(comparison)
            line["lost"] += 1
        elif comparison.candidate.article_id is None:
            line["gained"] += comparison.gained
        else:
            line.update(comparison.changed or ["same"])

    def note_unread(self, candidate: "Candidate") -> None:
        if candidate.article_id is not None:
            self.unread[_why_unread(candidate)] += 1


def _why_unread(candidate: "Candidate") -> str:
    from crawler.parsers.saved_files import is_packed
    from pipelines.archive.warc_files import is_saved

    if candidate.joined:
        return JOINED
    if candidate.capture is None:
        return NO_ORIGINAL
    return PACKED if is_saved(candidate.capture.file) and is_packed(Path(candidate.capture.file)) else GONE


def _applied(job: Job) -> Found:
    """Under the lock, as a run that `runs` knows of."""
    from importlib.metadata import version

    from crawler.cli.progress import counting

    with writing(job.db) as archive:
        if archive.is_upgrade_due():
            with counting("making all fingerprints again", quiet=False) as follow:
                archive.upgrade(follow)
        archive.run.asks_sites = False
        archive.start_run(argv=sys.argv[1:], version=version("broadsheet"), now=datetime.now(UTC))
        try:
            found = _read(job, archive.db, archive)
        except BaseException:
            with contextlib.suppress(Exception):  # what ended it is told, not what that does to its row
                archive.finish_run(status="failed", reason="ended early", now=datetime.now(UTC))
            raise
        archive.finish_run(status="ok", reason=None, now=datetime.now(UTC))
    return found


def _read(job: Job, db: "Database", archive: "Archive | None" = None) -> Found:
    """Read again what is wanted, and write what changed where there is an archive to write to."""
    from crawler.cli.progress import log_to_terminal
    from pipelines.archive.reextract import pages_to_read

    log_to_terminal(logging.WARNING)
    try:
        page_ids = pages_to_read(db, source=job.source, since=job.since)
    except LookupError:
        sys.exit(print_error(f"{job.source}: no such source; `broadsheet status` lists them", USAGE))
    return asyncio.run(_read_all(job, page_ids, db, archive))


async def _read_all(job: Job, page_ids: list[int], db: "Database", archive: "Archive | None") -> Found:
    from crawler.cli.progress import counting
    from crawler.settings import EXTRACT_WORKERS
    from crawler.workers import LIMITS, Workers
    from pipelines.archive.reextract import apply, candidates, compared
    from pipelines.extract.pipeline import extracted_in_order

    found, reader, number = Found(), Reader(job), job.workers or EXTRACT_WORKERS
    workers = Workers(number, LIMITS)
    try:
        with counting("reading again", quiet=False) as follow:
            originals = ((candidate, reader.page_of(candidate)) for candidate in candidates(db, page_ids))
            async for candidate, outcome in extracted_in_order(originals, workers, 2 * number):
                if outcome is None:
                    found.note_unread(candidate)
                else:
                    comparison = compared(db, candidate, outcome)
                    found.note(comparison)
                    found.written += bool(archive and apply(archive, comparison, accept_losses=job.accept_losses))
                follow(found.read + found.unread.total(), len(page_ids))
    finally:
        workers.kill()
    return found


class Reader:
    """Reads originals from the files where they lie."""

    def __init__(self, job: Job) -> None:
        self._db = job.db
        self._sources = {source.url: source for source in job.sources}

    def page_of(self, candidate: "Candidate") -> "Page | None":
        """The page as its crawl had it, with the settings that its source has today; None where its original is not to be had."""
        from crawler.parsers.warc import read_record
        from pipelines.archive.warc_files import is_saved, path_of

        capture = candidate.capture
        if capture is None or candidate.joined:
            return None
        if is_saved(capture.file):
            return self._saved_page_of(candidate, capture)
        body_at = (path_of(self._db, capture.body_at[0]), capture.body_at[1]) if capture.body_at else None
        try:
            page = read_record(path_of(self._db, capture.file), capture.offset, body_at=body_at)
        except OSError:
            return None
        if page is None or candidate.url.partition("#")[0] not in (page.url, page.final_url):
            return None
        return replace(page, via=candidate.via, source=self._source_of(candidate))

    def _saved_page_of(self, candidate: "Candidate", capture: "Capture") -> "Page | None":
        from crawler.parsers.saved_files import read_again
        from pipelines.archive.warc_files import path_of

        try:
            page = read_again(path_of(self._db, capture.file), capture.digest)
        except OSError:
            return None
        if page is None:
            return None
        return replace(
            page,
            url=candidate.url,
            final_url=candidate.url,
            via=candidate.via,
            fetched_at=capture.fetched_at,
            source=self._source_of(candidate),
            hints=candidate.hints,
            captures=(),
        )

    def _source_of(self, candidate: "Candidate") -> "Source | None":
        return self._sources.get(candidate.found_by or "")


def _print(found: Found, *, applied: bool) -> None:
    """The table by source, what is lost and why, and what could not be read."""
    from crawler.cli.progress import stdout_console, summary_table

    console = stdout_console()
    if found.by_source:
        console.print(summary_table(dict(sorted(found.by_source.items())), COLUMNS))
    for line in (*_losses(found.losses), *_end(found, applied=applied)):
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _losses(losses: "Iterable[Comparison]") -> Iterable[str]:
    for one in losses:
        yield f"lost: {one.candidate.url}: {sentence(one.loss or 'unknown')}"


def _end(found: Found, *, applied: bool) -> Iterable[str]:
    for why, number in found.unread.items():
        yield f"{counted(number, 'article')} not read: {why}."
    if applied:
        yield f"{counted(found.read, 'page')} read again, {found.written:,} written."
    else:
        yield f"{counted(found.read, 'page')} read again. Nothing was written; --apply writes what changed, but for what is lost."
