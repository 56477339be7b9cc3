"""What a person sees of a run: progress and warnings on stderr, the summary table on stdout."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from crawler.cli.due import Due
from crawler.cli.output import counted, folded, printable
from crawler.reasons import sentence

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from pipelines.archive.store import Archive

COLUMNS = ("found", "known", "new", "updated", "duplicate", "refused", "failed", "pending")
"""Of the summary table."""


STDERR = Console(stderr=True)


def log_to_terminal(level: int) -> None:
    """Send the log to stderr, around the progress bar on a terminal and as plain lines elsewhere."""
    if sys.stderr.isatty():
        handler: logging.Handler = RichHandler(console=STDERR, show_path=False, show_time=False)
        handler.setFormatter(logging.Formatter("%(message)s"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handler.setLevel(level)  # Scrapy sets the levels of its own loggers, not of ours
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)


@contextmanager
def follow(crawler: "Crawler", archive: "Archive", known: int = 0) -> Iterator[None]:
    """Show on a terminal how much is done of what is known to be due, and which host takes longest.

    known: requests of a run that is no crawl; what of a crawl is due the archive knows.
    """
    from scrapy import signals

    if not sys.stderr.isatty():
        yield
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[slowest]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=STDERR, transient=True) as progress:
        task = progress.add_task("reading", total=None, slowest="")
        due = Due(crawler, archive, known)

        def show(item: Any = None) -> None:
            due.items += item is not None
            if due.is_time():
                progress.update(task, total=due.total, completed=due.done, slowest=due.slowest)

        crawler.signals.connect(due.note_request, signals.request_scheduled, weak=False)
        answered = (signals.request_left_downloader, signals.item_scraped, signals.item_dropped)
        for signal in (signals.request_reached_downloader, *answered):
            crawler.signals.connect(show, signal, weak=False)
        yield


@contextmanager
def tell_steps(crawler: "Crawler", archive: "Archive") -> Iterator[None]:
    """Tell on a terminal of every request that is sent: a look at a site takes half a minute, at a second between two."""
    from scrapy import signals

    def sent(request: Any) -> None:
        STDERR.print(f"  {_step_of(request):<12} {printable(request.url)}", style="dim", soft_wrap=True, markup=False)

    if sys.stderr.isatty():
        crawler.signals.connect(sent, signals.request_reached_downloader, weak=False)
    yield


_STEPS = {"homepage": "front page", "feed": "feed", "news_sitemap": "sitemap", "sitemap": "sitemap"}


def _step_of(request: Any) -> str:
    """What a request of a look at a site is for, in a word or two."""
    from crawler.fetcher.requests import FrontPageRequest, ListingRequest, PageRequest, RobotsRequest, asked_for

    match asked_for(request):
        case RobotsRequest():
            return "robots.txt"
        case FrontPageRequest() | ListingRequest() as asked:
            return _STEPS.get(asked.kind, asked.kind)
        case PageRequest():
            return "article"
        case _:
            return "rights"  # tdmrep.json, the certificate of an issuer


@contextmanager
def counting(text: str, *, quiet: bool) -> Iterator[Callable[[int, int], object]]:
    """Show on a terminal how many of how many are done, as what is yielded is told."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, of: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=STDERR, transient=True) as progress:
        task = progress.add_task(text, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def working(text: str) -> AbstractContextManager[object]:
    """Show on a terminal that something goes on; nothing may be printed meanwhile."""
    return STDERR.status(text) if sys.stderr.isatty() else nullcontext()


@contextmanager
def copying(out: Path) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal how much of a copy is written; the block calls what it gets with bytes done and bytes in all."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=STDERR, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(out.name)
        yield lambda done, size: progress.update(task, completed=done, total=size)


def stdout_console() -> Console:
    """Standard output for tables. Elsewhere than on a terminal no line of them is folded."""
    console = Console()
    return console if console.is_terminal else Console(width=UNFOLDED)


UNFOLDED = 1_000_000
"""Columns of a file or a pipe: names and addresses in a sources.toml have at most 10,000 characters."""


def print_summary(archive: "Archive", reason: str | None) -> None:
    """The table of what was found, per source, and where the rest is."""
    from pipelines.archive.queries import article_count
    from pipelines.archive.runs import summary

    console = stdout_console()
    lines = summary(archive.db, archive.run)
    if lines:
        console.print(summary_table(lines))
    elif archive.run.is_anything_read:
        console.print("Nothing new: what was read names no page of late.")
    elif archive.run.read:
        console.print("Nothing new: every feed that was due says it has not changed.")
    elif not archive.run.postponed:
        console.print("Nothing was due.")
    if archive.run.unread:
        console.print(
            f"{counted(len(archive.run.unread), 'source')} could not be read; `broadsheet status` says why.",
            style="yellow",
        )
    _print_not_taken(archive, console)
    articles = article_count(archive.db)
    ended = f" ({reason})" if reason else ""
    line = f"{archive.path} holds {counted(articles, 'article')}{ended}."
    console.print(line, soft_wrap=True, markup=False, highlight=False)


def _print_not_taken(archive: "Archive", console: Console) -> None:
    """The files of an import that gave no article, each with the reason; and the addresses of a list that were taken down."""
    from pipelines.archive.runs import not_taken

    lines = (f"no article: {file}: {sentence(reason)}" for file, reason in not_taken(archive.db))
    for line in folded(lines, whole=not console.is_terminal):
        console.print(printable(line), soft_wrap=True, markup=False, highlight=False)


def summary_table(lines: Mapping[str, Mapping[str, int]], columns: Sequence[str] = COLUMNS) -> Table:
    """One line a source: its counts of this run, by columns; a footer with the sums where there are several."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_footer=len(lines) > 1)
    table.add_column("source", footer="all", overflow="fold")
    for column in columns:
        total = sum(line[column] for line in lines.values())
        table.add_column(column, footer=f"{total:,}", justify="right", no_wrap=True)
    for name, line in lines.items():
        table.add_row(Text(name), *(f"{line[column]:,}" if line[column] else "·" for column in columns))
    return table


def print_status(health: list[dict[str, Any]], states: dict[str, int], last: dict[str, Any] | None) -> None:
    """How every source is doing and why, the states of all pages, and how the last run ended."""
    console = stdout_console()
    console.print(status_table(health))
    for source in health:
        if source["reason"] and source["status"] != "off":
            line = f"{source['name']}: {source['status']}: {source['reason']}"
            console.print(line, soft_wrap=True, markup=False, highlight=False)
    pages = ", ".join(f"{count:,} {state}" for state, count in states.items()) or "none yet"
    console.print(f"pages: {pages}", highlight=False)
    if last:
        ended = f"ended {last['finished_at']}" if last["finished_at"] else "has not ended"
        reason = f": {last['reason']}" if last["reason"] else ""
        line = f"run {last['id']}: {last['status']}, began {last['started_at']}, {ended}{reason}"
        console.print(line, highlight=False, markup=False)


def status_table(health: list[dict[str, Any]]) -> Table:
    """One line a source; in 80 columns its name has 24."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("source", overflow="fold")
    for column in ("status", "last read", "last new article"):
        table.add_column(column, no_wrap=True)
    for column in ("7 days", "usual"):
        table.add_column(column, justify="right", no_wrap=True)
    for source in health:
        read, new = (
            (source[name] or "never")[:16].replace("T", " ") for name in ("last_success_at", "last_new_article_at")
        )
        usual = "·" if source["usual_7d"] is None else f"{source['usual_7d']:,.0f}"
        table.add_row(Text(source["name"]), source["status"], read, new, f"{source['articles_7d']:,}", usual)
    return table
