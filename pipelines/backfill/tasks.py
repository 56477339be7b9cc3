"""A task: one WARC file -> one part. Read here, extracted in a process that can be killed, written whole or not at all."""

import asyncio
import logging
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from crawler.items import Capture, Outcome, Page, Source
from crawler.parsers.copies import Copies
from crawler.parsers.selection import Selection
from crawler.workers import LIMITS, Limits, Workers
from pipelines.backfill.files import whole_file
from pipelines.backfill.inputs import MOST_SPREAD_SECONDS, UnreadableInput, is_remote, local_copy
from pipelines.backfill.manifest import Manifest, part_path
from pipelines.backfill.parts import PartWriter
from pipelines.backfill.summaries import Summary, is_over, summary_path, write_summary
from pipelines.database.lock import LockTaken, run_lock
from pipelines.extract.pipeline import extracted_in_order

OTHER_LANGUAGE = "other_language"
"""Beside the words of crawler.parsers.selection: an article in a language that is not asked for."""

TOLD_SECONDS = 1.0
"""Between two looks of a task at itself."""


class ParentGone(Exception):
    """Nobody is there any more who has begun this task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One start of a backfill, as every task of it needs it."""

    run: str  #: what tells this start from others
    out: Path
    scratch: Path  #: where files that are elsewhere are fetched to
    manifest: Manifest
    sources: tuple[Source, ...] = ()  #: of sources.toml: pages are read by the settings of their sites
    workers: int = 1  #: tasks at a time
    limits: Limits = LIMITS  #: of one page

    @property
    def spread(self) -> float:
        """Seconds over which the first requests are spread: one for each worker more."""
        return min(MOST_SPREAD_SECONDS, self.workers - 1.0)


def run_task(job: Job, number: int) -> None:
    """Make the part of an input, unless it is there or another process is at it. Raises OutputError, ParentGone; an input that
    cannot be read is a summary that says so."""
    lock = summary_path(job.out, number)
    try:
        with run_lock(lock):
            if not is_over(job.out, number, job.run):
                Task(job, number).run()
    except LockTaken:
        return


class Task:
    """The reading of one input."""

    def __init__(self, job: Job, number: int) -> None:
        self._job = job
        self._number = number
        self._summary = Summary(run=job.run, process=os.getpid())
        self._go_on = _parent_watch()
        self._told = 0.0

    def run(self) -> None:
        self._tell()
        try:
            with _warnings(self._summary.note):
                self._make_part()
        except UnreadableInput as error:
            self._summary.failed = str(error)
            write_summary(self._job.out, self._number, self._summary)

    def _make_part(self) -> None:
        """The summary comes before the part has its name: where that is, it is right."""
        job, address = self._job, self._job.manifest.inputs[self._number]
        with (
            local_copy(address, job.scratch, spread=job.spread, go_on=self._go_on) as file,
            whole_file(part_path(job.out, self._number)) as stream,
        ):
            with PartWriter(stream) as part:
                _loop().run(self._extract(file, address, part))
            self._summary.done = True
            write_summary(job.out, self._number, self._summary)

    async def _extract(self, file: Path, address: str, part: PartWriter) -> None:
        pages = ((None, page) for page in self._pages(file, address))
        async with aclosing(extracted_in_order(pages, _workers(self._job.limits), ahead=2)) as outcomes:
            async for _, outcome in outcomes:
                assert outcome is not None
                if self._is_row(outcome):
                    part.write(outcome)

    def _pages(self, file: Path, address: str) -> Iterator[Page]:
        """The pages of a file; of one that was fetched by the name that it has elsewhere. Raises UnreadableInput."""
        selection = Selection(wants=self._wants, left_out=self._summary.left_out)
        try:
            for page in Copies(self._job.sources).of_warc(file, file, selection):
                yield fetched_from(address, page) if is_remote(address) else page
        except OSError as error:
            raise UnreadableInput(error.strerror or str(error)) from error

    def _wants(self, url: str, captured_at: datetime) -> bool:
        """Whether a record is wanted. Every record comes by here, so here a task looks up now and then."""
        self._go_on()
        if time.monotonic() > self._told + TOLD_SECONDS:
            self._tell()
        return self._job.manifest.filters.wants(url, captured_at)

    def _is_row(self, outcome: Outcome) -> bool:
        """Count an outcome; whether it becomes a row."""
        summary = self._summary
        if outcome.article and not self._job.manifest.filters.speaks(outcome.article.language):
            summary.left_out[OTHER_LANGUAGE] += 1
            return False
        summary.pages += 1
        if outcome.article:
            summary.articles += 1
        elif outcome.refusal:
            summary.refused[outcome.refusal] += 1
        else:
            summary.failures[outcome.failure or "unknown"] += 1
        return True

    def _tell(self) -> None:
        self._told = time.monotonic()
        write_summary(self._job.out, self._number, self._summary)


def fetched_from(address: str, page: Page) -> Page:
    """A page of a file that is elsewhere: what lies in it is found there, not where it was fetched to."""

    def there(capture: Capture) -> Capture:
        body_at = (address, capture.body_at[1]) if capture.body_at else None
        return replace(capture, file=address, body_at=body_at)

    return replace(page, file=address, captures=tuple(map(there, page.captures)))


# What a process has for all its tasks


@cache
def _loop() -> asyncio.Runner:
    return asyncio.Runner()


@cache
def _workers(limits: Limits) -> Workers:
    """One process that extracts. It outlives a task: what it imports takes a second, as long as twenty pages."""
    return Workers(1, limits)


def end_workers(limits: Limits) -> None:
    """End what this process has started."""
    _workers(limits).kill()
    _workers.cache_clear()


def _parent_watch() -> Callable[[], None]:
    """What raises ParentGone as soon as the process is gone that has started this one."""
    known = multiprocessing.parent_process()
    parent = known.pid if known else os.getppid()

    def look() -> None:
        if os.getppid() != parent:
            raise ParentGone

    return look


@contextmanager
def _warnings(note: Callable[[str], None]) -> Iterator[None]:
    """Hand on what is logged of a file while it is read, and nowhere else."""

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            note(record.getMessage())

    parsers, handler = logging.getLogger("crawler.parsers"), Noting(logging.WARNING)
    parsers.addHandler(handler)
    parsers.propagate = False
    try:
        yield
    finally:
        parsers.removeHandler(handler)
        parsers.propagate = True
