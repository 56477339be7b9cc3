"""`broadsheet backfill`. The command line; what it does is done in pipelines.backfill."""

import contextlib
import os
import re
import signal
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.common import QUIET, read_file, sources_of
from crawler.cli.output import (
    BUSY,
    DONE,
    FAILED,
    STORAGE,
    USAGE,
    cannot_begin,
    counted,
    folded,
    print_error,
    printable,
)  # fmt: skip
from crawler.reasons import sentence

if TYPE_CHECKING:
    from crawler.items import Source
    from pipelines.backfill.filters import Filters
    from pipelines.backfill.manifest import Manifest
    from pipelines.backfill.summaries import Summary
    from pipelines.backfill.tasks import Job

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--executor",
    type=click.Choice(["local", "ray", "slurm"]),
    default="local",
    show_default=True,
    help="This machine, a Ray cluster, or jobs of Slurm.",
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Files read at a time; else one a core.")
@click.option("--part", metavar="2/8", help="Only every eighth file, from the second on: the share of one machine.")
@click.option(
    "--domains",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Only these domains, one a line, and what is below them.",
)
@click.option("--language", metavar="en,de", help="Only articles in these languages.")
@click.option("--since", type=DAY, metavar="DAY", help="Only what was captured on this day (2026-11-03, UTC) or later.")
@click.option("--until", type=DAY, metavar="DAY", help="Only what was captured on this day or earlier.")
@click.option(
    "--scratch",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where files from elsewhere are put while they are read; else the system's temporary folder. A gigabyte each.",
)
@click.option(
    "--slurm", multiple=True, metavar="KEY=VALUE", help="An option of sbatch: partition=… and time=… at least."
)
@QUIET
def backfill(
    out: Path,
    inputs: tuple[str, ...],
    executor: str,
    workers: int | None,
    part: str | None,
    domains: Path | None,
    language: str | None,
    since: datetime | None,
    until: datetime | None,
    scratch: Path | None,
    slurm: tuple[str, ...],
    quiet: bool,
) -> None:
    """Extract many web archives into a folder of Parquet.

    INPUT is a .warc or .warc.gz file, a folder of them, or a list of addresses (.txt, .paths, .gz: `warc.paths.gz` of
    Common Crawl, say), one a line: paths, https:// or s3://. What is elsewhere is fetched, read and deleted. A
    sources.toml in this folder is used for the sites it names.

    Each file is one task and gives one part of OUT, that is whole when it has its name. Say the same again after
    whatever happened: what is done is not done again. Inputs may be added at the end. `broadsheet import OUT` loads
    what is done into an archive; DuckDB, pandas and others read the parts as they are.
    """
    need("datatrove", "pyarrow", extra="backfill", what="backfill")
    if executor == "ray":
        need("ray", extra="ray", what="--executor ray")
    if slurm and executor != "slurm":
        raise click.UsageError("--slurm is for --executor slurm")
    options = _slurm_options(slurm) if executor == "slurm" else {}
    share = _share(part)
    filters = _filters(domains, language, since, until)
    sources = sources_of(Path("sources.toml"))
    manifest = _settled(out, _wanted(inputs, filters, sources))
    from pipelines.backfill.engine import run_name
    from pipelines.backfill.tasks import Job

    job = Job(
        run=run_name(), out=out.absolute(), scratch=(scratch or Path(tempfile.gettempdir())).absolute(), manifest=manifest,
        sources=sources, workers=workers or os.cpu_count() or 1,
    )  # fmt: skip
    sys.exit(_run(Start(job=job, shown=out, share=share, executor=executor, slurm=options, quiet=quiet)))


def need(*modules: str, extra: str, what: str) -> None:
    """End with the extra to install where one of these modules is not there."""
    if any(find_spec(module) is None for module in modules):
        sys.exit(print_error(f"{what} needs more than is installed: pip install 'broadsheet[{extra}]'", USAGE))


def _share(part: str | None) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", part or "1/1")
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise click.BadParameter(f"expected a share such as 2/8, not {part!r}", param_hint="--part")
    return int(found[1]), int(found[2])


def _slurm_options(words: Iterable[str]) -> dict[str, str]:
    options = {}
    for word in words:
        key, is_given, value = word.partition("=")
        if not is_given or not re.fullmatch("[a-z][a-z_-]*", key):
            raise click.BadParameter(f"expected KEY=VALUE, not {word!r}", param_hint="--slurm")
        options[key] = value
    if missing := {"partition", "time"} - options.keys():
        raise click.UsageError(f"--executor slurm needs --slurm {min(missing)}=…")
    for key in ("mem_per_cpu_gb", "cpus_per_task", "max_array_size"):
        if not options.get(key, "1").isdecimal():
            raise click.BadParameter(f"{key}: expected a number, not {options[key]!r}", param_hint="--slurm")
    return options


def _filters(domains: Path | None, language: str | None, since: datetime | None, until: datetime | None) -> "Filters":
    from pipelines.backfill.filters import Filters, UnusableDomain, domains_in

    if since and until and since > until:
        raise click.UsageError("--since is after --until")
    languages = tuple(sorted({word.strip().lower() for word in language.split(",")})) if language else ()
    if any(not re.fullmatch("[a-z]{2,3}", word) for word in languages):
        raise click.BadParameter(f"expected languages such as en,de, not {language!r}", param_hint="--language")
    try:
        named = domains_in(read_file(domains).decode("utf-8").splitlines()) if domains else ()
    except UnusableDomain as error:
        sys.exit(print_error(f"{domains}: {error}", USAGE))
    except UnicodeDecodeError:
        sys.exit(print_error(f"{domains}: is not UTF-8", USAGE))
    since_day, until_day = (f"{day:%Y-%m-%d}" if day else None for day in (since, until))
    return Filters(domains=named, languages=languages, since=since_day, until=until_day)


def _wanted(inputs: Iterable[str], filters: "Filters", sources: "Sequence[Source]") -> "Manifest":
    from pipelines.backfill.inputs import UnusableInput, addresses_of
    from pipelines.backfill.manifest import Manifest, digest_of

    try:
        return Manifest(inputs=addresses_of(inputs), filters=filters, sources=digest_of(sources))
    except UnusableInput as error:
        sys.exit(print_error(str(error), USAGE))


def _settled(out: Path, wanted: "Manifest") -> "Manifest":
    from pipelines.backfill.manifest import UnusableManifest, settle
    from pipelines.database.lock import LockTaken

    try:
        return settle(out, wanted)
    except UnusableManifest as error:
        sys.exit(print_error(str(error), USAGE))
    except LockTaken:
        sys.exit(print_error(_busy(out), BUSY))
    except OSError as error:
        sys.exit(print_error(cannot_begin(error, out), STORAGE))


def _busy(out: Path) -> str:
    return f"{out}: another start is at work here; --part shares the work between machines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start of the command."""

    job: "Job"
    shown: Path  #: OUT, as it was given
    share: tuple[int, int]
    executor: str
    slurm: Mapping[str, str]
    quiet: bool

    @property
    def numbers(self) -> range:
        """The inputs of its share."""
        return self.job.manifest.part(self.share)


def _run(start: Start) -> int:
    """Do what is left under the lock of the share, and tell; returns the exit status."""
    from pipelines.backfill.engine import NoSlurm, TaskBug
    from pipelines.backfill.manifest import part_path
    from pipelines.database.lock import LockTaken, run_lock

    out, (first, of) = start.job.out, start.share
    try:
        (out / "tasks").mkdir(exist_ok=True)
        with run_lock(out / f"share-{first}-of-{of}"):
            due = [number for number in start.numbers if not part_path(out, number).exists()]
            is_stopped = bool(due) and _work(start, due)
    except LockTaken:
        return print_error(_busy(start.shown), BUSY, quiet=start.quiet)
    except NoSlurm as error:
        return print_error(str(error), USAGE)
    except TaskBug as error:
        return print_error(f"a bug in Broadsheet: {error}", FAILED)
    except OSError as error:
        return print_error(cannot_begin(error, start.shown), STORAGE)
    if due and start.executor == "slurm":
        return DONE
    return _told(start, is_stopped=is_stopped)


def _work(start: Start, due: "Sequence[int]") -> bool:
    """Do the tasks that are due; returns whether a signal has ended that."""
    from pipelines.backfill import engine

    if start.executor == "slurm":
        job = engine.submit_slurm(start.job, due, start.slurm)
        if not start.quiet:
            click.echo(
                f"handed {counted(len(due), 'file')} to Slurm as job {job}; the same line again tells what came of it"
            )
        return False
    with _raising_at_signals(), _bar(start, due) as look:
        try:
            if start.executor == "ray":
                engine.run_ray(start.job, due, look)
            else:
                engine.run_local(start.job, due, look)
        except KeyboardInterrupt:
            return True
    return False


@contextlib.contextmanager
def _raising_at_signals() -> Iterator[None]:
    """SIGTERM as Ctrl-C: KeyboardInterrupt."""
    was = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, was)


@contextlib.contextmanager
def _bar(start: Start, due: "Sequence[int]") -> "Iterator[Callable[[], None]]":
    """Show on a terminal how many files are done, and how many pages of all that are being read; what is yielded looks again."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from crawler.cli.progress import STDERR
    from pipelines.backfill.summaries import read_summary

    over: dict[int, int] = {}
    looking = threading.Lock()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pages]}"),
        TimeElapsedColumn(),
    )
    is_hidden = start.quiet or not sys.stderr.isatty()
    with Progress(*columns, console=STDERR, transient=True, disable=is_hidden) as progress:
        task = progress.add_task("files", total=len(due), pages="")

        def look() -> None:
            if is_hidden:
                return
            with looking:
                pages = sum(over.values())
                for number in (number for number in due if number not in over):
                    summary = read_summary(start.job.out, number)
                    if summary and summary.run == start.job.run:
                        pages += summary.pages
                        if summary.over:
                            over[number] = summary.pages
                progress.update(task, completed=len(over), pages=counted(pages, "page"))

        yield look


def _told(start: Start, *, is_stopped: bool) -> int:
    """Print what came of each file, and of all; returns the exit status."""
    from pipelines.backfill.manifest import part_path
    from pipelines.backfill.summaries import read_summary

    out, inputs = start.job.out, start.job.manifest.inputs
    summaries = {number: read_summary(out, number) for number in start.numbers}
    done = [number for number in start.numbers if part_path(out, number).exists()]
    failed = [number for number, one in summaries.items() if number not in done and one and one.failed]
    lines = (f"{Path(inputs[number]).name}: {line_of(one)}" for number, one in summaries.items() if one)
    if not start.quiet:
        for line in folded(lines, whole=not sys.stdout.isatty()):
            click.echo(printable(line))
    if failed and not done and not is_stopped:
        first = summaries[failed[0]]
        reason = first.failed if first else "unknown"
        return print_error(f"not one file could be read, the first {inputs[failed[0]]}: {reason}", FAILED)
    if not start.quiet:
        click.echo(
            _last_line(start, [one for one in map(summaries.get, done) if one], len(failed), is_stopped=is_stopped)
        )
    return DONE


def _last_line(start: Start, done: "Sequence[Summary]", failed: int, *, is_stopped: bool) -> str:
    pages, articles = sum(one.pages for one in done), sum(one.articles for one in done)
    why = [
        *(["stopped by a signal; the same line again does the rest"] if is_stopped else []),
        *([f"partial: {counted(failed, 'file')} could not be read, and will be tried again"] if failed else []),
    ]
    ended = f" ({'; '.join(why)})" if why else ""
    held = f"{len(done):,} of {counted(len(start.numbers), 'file')}: {counted(pages, 'page')}, {counted(articles, 'article')}"
    return f"{start.shown} holds {held}{ended}. `broadsheet import {start.shown}` loads them."


LEFT_OUT = {
    "not_asked_for": "of other domains or days",
    "other_language": "in other languages",
    "redirect": "redirects",
    "revisit": "without a body of their own (revisits)",
    "not_a_page": "no web pages",
}
"""What records are called that are no rows."""


def line_of(summary: "Summary") -> str:
    """What came of one file, in a line."""
    if summary.failed is not None:
        return f"not done: {summary.failed}"
    if not summary.done:
        return "not done yet"
    said = [f"{counted(summary.pages, 'page')}, {counted(summary.articles, 'article')}"]
    for name, counts in (("refused", summary.refused), ("failed", summary.failures)):
        said += [f"{number:,} {name}: {sentence(word)}" for word, number in _ordered(counts)]
    left_out = [f"{number:,} {LEFT_OUT.get(word, word)}" for word, number in _ordered(summary.left_out)]
    said += [f"left out: {', '.join(left_out)}"] if left_out else []
    return "; ".join([*said, *(note.partition(": ")[2] or note for note in summary.notes)])


def _ordered(counts: "Counter[str]") -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))
