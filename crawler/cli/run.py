"""One run, from the lock to the exit status: open the archive, let a spider fill it, judge, tell.

Shared by `broadsheet crawl`, `broadsheet import`, `broadsheet demo` and plain `scrapy crawl news`. Scrapy is imported
only when the lock is held, so that an overlapping start costs next to nothing.
"""

import contextlib
import gc
import logging
import os
import shlex
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.cli.output import (
    BUSY,
    DONE,
    FAILED,
    STORAGE,
    USAGE,
    cannot_begin,
    counted,
    is_absent,
    print_error,
    print_errors,
    upgrading,
)
from crawler.reasons import sentence
from pipelines.database.lock import LockTaken, run_lock

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import Settings

    from crawler.items import Page
    from crawler.sources.toml_file import SourcesFile
    from pipelines.archive.store import Archive

    Follow = Callable[[Crawler, Archive], contextlib.AbstractContextManager[None]]

MIN_DELAY_SECONDS = 0.02
"""Shortest DOWNLOAD_DELAY. Without any Scrapy 2.19 sends all that waits for a host at once, whatever `concurrency` says; and
two where the process is not given the processor for as long as the delay at the wrong moment. On one core beside other work
a millisecond was too short."""


MANNERS = 35
"""Priority of sources.toml's [crawl] table among Scrapy's settings: above a spider's own (30), below `-s` (40)."""


_IMPORT = "copies"
"""The spider of `broadsheet import`."""


_LISTED = "listed"
"""That of `broadsheet crawl --urls`."""


OURS = ("news", _IMPORT, "sample", _LISTED)
"""Spiders of Broadsheet. What goes wrong in another is no bug of ours."""


PARTLY_DONE = {
    "closespider_timeout": "--max-minutes ended the run",
    "shutdown": "stopped by a signal; the rest stays pending",
}
"""Scrapy's finish reasons after which a run is neither complete nor wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a run ended."""

    code: int  #: exit status
    status: str  #: runs.status: ok, partial or failed
    reason: str | None = None  #: in words, for stderr and runs.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a run is to do."""

    spider: str  #: its name
    db: Path
    settings: Mapping[str, Any]  #: Scrapy settings over those of the project
    arguments: Mapping[str, Any]  #: of the spider
    sources_file: Path | None = None  #: sources.toml, for a crawl; None leaves the sources table alone
    read: "SourcesFile | None" = None  #: sources that no file names, for a first look at them
    listed: "tuple[Page, ...]" = ()  #: pages that are asked, and nothing else; `read` has the settings of their sites
    load: "Callable[[Archive], Verdict] | None" = (
        None  #: what fills the archive in the place of a spider, without Scrapy
    )
    quiet: bool = False  #: say nothing unless a person must act
    follow: "Follow | None" = None  #: what a terminal is shown meanwhile; None: a bar, unless it is quiet
    project: "Settings | None" = None  #: of a Scrapy project; None: crawler/settings.py
    at: datetime | None = None  #: when it takes place; aware, UTC; None: now


def run(job: Job) -> int:
    """Run one job under the lock; returns the exit code. What went wrong is on stderr, in one line.

    sources.toml is read when the lock is held: checking it costs more than all that an overlapping start does. One that
    is not there makes no folder. An archive that was begun for what could not be used is gone again.
    """
    if job.sources_file and is_absent(job.sources_file):
        return print_error(f"{job.sources_file}: no such file; `broadsheet sources add URL` begins one", USAGE)
    with contextlib.ExitStack() as held:
        try:
            job.db.absolute().parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(run_lock(job.db))
        except LockTaken as taken:
            return print_error(str(taken), BUSY, quiet=job.quiet)
        except OSError as error:
            return print_error(cannot_begin(error, job.db), STORAGE)
        new = is_absent(job.db)
        code = _run_locked(job)
        if new and code == USAGE:
            _remove(job.db.resolve())
        return code


def _remove(archive: Path) -> None:
    """Take away an archive that holds nothing; its log, too, which is left where a reader has it open."""
    for ending in ("", "-wal", "-shm"):
        archive.with_name(archive.name + ending).unlink(missing_ok=True)


@contextlib.contextmanager
def _importing() -> Iterator[None]:
    """While modules are loaded there is no garbage to look for, and what they leave never becomes any."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _run_locked(job: Job) -> int:
    with _importing():
        if job.load is None:
            import_module(
                "scrapy.core.downloader.handlers.http11"
            )  # first: it inspects all that is loaded, frame by frame
        from crawler.sources.toml_file import SourcesError, read_sources
        from pipelines.archive.store import Archive
        from pipelines.database.connection import NotOurDatabase, StorageError, storage_errors

    try:
        read = read_sources(job.sources_file) if job.sources_file else job.read
        with upgrading(job.db, quiet=job.quiet) as follow:
            archive = Archive(job.db, follow)
    except SourcesError as error:
        return print_errors(error.args, USAGE)
    except NotOurDatabase as error:
        return print_error(str(error), USAGE)
    except StorageError as error:
        return print_error(str(error), STORAGE)
    with contextlib.closing(archive):
        try:
            with storage_errors(job.db):
                if job.spider != _IMPORT:  # it writes none, and may be what makes the files known to a new archive
                    archive.repair_originals()
                    _tell_of_earlier(archive)
                _upgrade(job, archive)
                return _finish_message(_crawl(job, read, archive), job, archive)
        except StorageError as error:
            return print_error(str(error), STORAGE)


def _tell_of_earlier(archive: "Archive") -> None:
    """Tell at the first run of an archive of the originals that one of its name has left, which was deleted or moved away."""
    from pipelines.archive.warc_files import folder_of
    from pipelines.archive.warc_tail import is_new_beside_originals

    if is_new_beside_originals(archive.db, archive.path):
        folder = f"{os.path.relpath(folder_of(archive.path))}/"
        command = shlex.join(["broadsheet", "import", folder, "--db", str(archive.path)])
        print_error(f"{folder} holds originals of an earlier {archive.path.name}; `{command}` brings them back", DONE)


def _upgrade(job: Job, archive: "Archive") -> None:
    """Bring up to date what an older release computed; on a terminal one can see how far it is."""
    if archive.is_upgrade_due():
        from crawler.cli.progress import counting

        with counting("making all fingerprints again", quiet=job.quiet) as follow:
            archive.upgrade(follow)


def _finish_message(verdict: Verdict, job: Job, archive: "Archive") -> int:
    """Print how the run ended; returns the exit code."""
    if verdict.code:
        return print_error(verdict.reason or "failed", verdict.code)
    if not job.quiet:
        from crawler.cli.progress import print_summary

        print_summary(archive, verdict.reason)
    return DONE


def _crawl(job: Job, read: "SourcesFile | None", archive: "Archive") -> Verdict:
    from importlib.metadata import version

    if read and not job.listed:
        archive.sync_sources(read.sources)
    archive.run.asks_sites = job.spider != _IMPORT and not job.listed
    archive.start_run(argv=sys.argv[1:], version=version("broadsheet"), now=_clock(job))
    if job.listed:
        job = replace(job, listed=archive.enlist(job.listed))
    try:
        verdict = job.load(archive) if job.load else _with_scrapy(job, read, archive)
    except BaseException as error:
        with contextlib.suppress(sqlite3.Error):
            archive.finish_run(status="failed", reason=f"{type(error).__name__}: {error}", now=_clock(job))
        raise
    if not isinstance(archive.run.broken, sqlite3.Error):
        archive.finish_run(status=verdict.status, reason=verdict.reason, now=_clock(job))
    return verdict


def _clock(job: Job) -> datetime:
    return job.at or datetime.now(UTC)


def _with_scrapy(job: Job, read: "SourcesFile | None", archive: "Archive") -> Verdict:
    with _importing():
        from scrapy import signals
        from scrapy.crawler import CrawlerProcess

        from crawler.cli.progress import follow, log_to_terminal

    settings = settings_of(job, read)
    log_to_terminal(logging.ERROR if job.quiet else logging.getLevelName(settings.get("LOG_LEVEL")))
    with _importing():
        process = CrawlerProcess(settings)
        crawler = process.create_crawler(job.spider)
    crawler.settings.set("ARCHIVE", archive)
    bugs: list[str] = []
    crawler.signals.connect(_record_errors(bugs), signals.item_error, weak=False)
    shown = contextlib.nullcontext() if job.quiet else follow(crawler, archive)
    with job.follow(crawler, archive) if job.follow else shown:
        with _importing():
            told = ({"read": read} if read else {}) | ({"listed": job.listed} if job.listed else {})
            process.crawl(crawler, **dict(job.arguments) | told)
        process.start()
    return judge(crawler, archive, bugs, bootstrap_failed=process.bootstrap_failed)


def settings_of(job: Job, read: "SourcesFile | None") -> "Settings":
    """Those of the project, then sources.toml's [crawl] table, then the command line's. Local copies need no patience."""
    from scrapy.settings import Settings

    settings = job.project.copy() if job.project else Settings()
    if job.project is None:
        settings.setmodule("crawler.settings")
    settings.update(dict(job.settings), priority="cmdline")
    settings.update(manners(read) if read else {}, priority=MANNERS)
    if settings.get("OFFLINE_DIR"):
        settings.set("DOWNLOAD_DELAY", 0, priority=MANNERS)
    # log_to_terminal() has installed a handler, around the progress bar: Scrapy's is needed for a file alone.
    settings.set("LOG_INSTALL_ROOT_HANDLER", bool(settings.get("LOG_FILE")), priority="cmdline")
    return settings


def manners(read: "SourcesFile") -> dict[str, Any]:
    """The [crawl] table of sources.toml as Scrapy settings."""
    crawl = read.crawl
    return {
        "USER_AGENT": crawl.user_agent,
        "DOWNLOAD_DELAY": max(crawl.delay, MIN_DELAY_SECONDS),
        "CONCURRENT_REQUESTS_PER_DOMAIN": crawl.concurrency,
        "HOST_BUDGET": crawl.budget,
        "ALLOW_PRIVATE": list(crawl.allow_private),
        "WARC": crawl.warc,
        "WARC_DAYS": crawl.warc_days,
    }


def _record_errors(bugs: list[str]) -> Callable[..., None]:
    def note(failure: Any) -> None:
        bugs.append(f"{failure.type.__name__}: {failure.getErrorMessage()}")

    return note


def judge(crawler: "Crawler", archive: "Archive", bugs: list[str], *, bootstrap_failed: bool) -> Verdict:
    """Scrapy ends with 0 whatever happens; this tells a failed disk, a bug and a dead crawl from a good one."""
    from pipelines.archive.runs import outcomes as outcomes_of
    from pipelines.archive.sources import others_are_well
    from pipelines.database.connection import describe

    assert crawler.stats is not None
    stats = crawler.stats.get_stats()
    finish_reason = stats.get("finish_reason")
    if archive.run.broken is not None:
        return Verdict(code=STORAGE, status="failed", reason=describe(archive.run.broken, archive.path))
    if found := [*bugs, *_bugs_counted(stats), *(["the crawl did not start"] if bootstrap_failed else [])]:
        spider = crawler.spidercls.name
        whose = "a bug in Broadsheet" if spider in OURS else f"the spider `{spider}`, or what its settings name"
        return Verdict(code=FAILED, status="failed", reason=f"{whose}: {found[0]}")
    if _is_export_lost(stats, bool(crawler.settings.get("FEEDS"))):
        return Verdict(code=FAILED, status="failed", reason="an export could not be written; the log says why")
    if finish_reason != "finished" and finish_reason not in PARTLY_DONE:
        return Verdict(code=FAILED, status="failed", reason=f"the crawl ended early: {finish_reason}")
    outcomes = outcomes_of(archive.db)
    if crawler.spidercls.name == _LISTED and outcomes - {"pending"} == {"failed"}:
        first = sentence(archive.run.first_failed or "unknown")
        return Verdict(code=FAILED, status="failed", reason=f"not one page gave an answer, the first {first}")
    listed = crawler.spidercls.name == "sample"  # a look at sites says of each itself what failed
    is_dead = archive.run.unread and not archive.run.read and not others_are_well(archive.db, archive.run.unread)
    if is_dead and not listed:
        return Verdict(
            code=FAILED, status="failed", reason=f"not one source could be read: {_first(archive.run.unread)}"
        )
    if _is_import(crawler) and not outcomes:
        return Verdict(code=USAGE, status="failed", reason="no page could be read from what was given")
    why = [*([PARTLY_DONE[str(finish_reason)]] if finish_reason in PARTLY_DONE else []), *_held(archive)]
    unanswered = list(_unanswered(archive))
    status = "partial" if why or unanswered else "ok"
    said = [*why, *([] if listed else unanswered), *_left_out(archive)]
    return Verdict(code=DONE, status=status, reason="; ".join(said) or None)


def _bugs_counted(stats: Mapping[str, Any]) -> list[str]:
    """Bugs that left only a number behind; the log has their tracebacks."""
    named = [name.partition("/")[2] for name in stats if name.startswith("spider_exceptions/")]
    spider = [f"{name} in the spider" for name in named if name != "count"]
    counted = {
        "extract/extraction_error": "extraction failed; the log says where",
        "extract/not_a_page": "not all that it yields are pages; the log says which",
    }
    return [*spider, *(text for name, text in counted.items() if stats.get(name))]


def _is_export_lost(stats: Mapping[str, Any], exports: bool) -> bool:
    """Whether a feed export failed at its end, or could not even begin, of which Scrapy keeps no count."""
    ended = {name.split("/")[1] for name in stats if name.startswith("feedexport/")}
    return "failed_count" in ended or (exports and bool(stats.get("item_scraped_count")) and not ended)


def _held(archive: "Archive") -> list[str]:
    """What was due and not asked, and why, in a few words."""
    reasons = list(dict.fromkeys(archive.run.postponed.values()))
    more = [f"so for {len(reasons) - 3} more hosts"] if len(reasons) > 3 else []
    return [*reasons[:3], *more]


def _left_out(archive: "Archive") -> list[str]:
    """What was read and not taken because it is too much."""
    from pipelines.archive.health_rules import say_left_out

    said = [say_left_out(*one) for one in archive.run.left_out.items()]
    return [*said[:3], *([f"and of {len(said) - 3} more"] if len(said) > 3 else [])]


def _unanswered(archive: "Archive") -> Iterator[str]:
    """Sources and pages that gave no answer worth keeping: how many, and the first address with its reason."""
    from pipelines.archive.runs import summary

    run = archive.run
    if run.unread:
        yield f"{counted(len(run.unread), 'source')} could not be read: {_first(run.unread)}"
    if failed := sum(line["failed"] for line in summary(archive.db, run).values()):
        yield f"{counted(failed, 'page')} gave no answer, the first {sentence(run.first_failed or 'unknown')}"


def _first(unread: Mapping[str, str]) -> str:
    url, reason = next(iter(unread.items()))
    named = sentence(reason if reason.startswith(url) else f"{url}: {reason}")
    return named + (f", and {len(unread) - 1} more" if len(unread) > 1 else "")


def _is_import(crawler: "Crawler") -> bool:
    return crawler.spider is not None and crawler.spider.name == _IMPORT


def data_folder() -> Path:
    """Where local_corpus/ and datasette_metadata.json lie, in a checkout as in an installed package."""
    return Path(__file__).resolve().parents[2]
