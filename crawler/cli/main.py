"""The command line. Every command's heavy imports are its own, so that `--help` and a taken lock answer at once."""

import json
import math
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from crawler.cli import upkeep
from crawler.cli.alert import alert, alerts_of, send_after
from crawler.cli.backfill import backfill
from crawler.cli.common import DB, QUIET, SOURCES, open_archive, read_sources_file
from crawler.cli.completion import completion
from crawler.cli.export import export
from crawler.cli.groups import MainCommands
from crawler.cli.imports import import_
from crawler.cli.listed import crawl_listed
from crawler.cli.output import DONE, FAILED, USAGE, is_absent, print_error
from crawler.cli.reextract import reextract
from crawler.cli.run import Job, data_folder, run
from crawler.cli.schedule import schedule
from crawler.cli.search import search
from crawler.cli.serve import LOOPBACK, free_port, serve, show
from crawler.cli.snapshot import snapshot
from crawler.cli.sources import sources


@click.group(cls=MainCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="broadsheet")
def main() -> None:
    """Watch news sites and keep what they publish in one SQLite file.

    \b
    Begin:   broadsheet demo                    a small invented web, to look at
             broadsheet sources add https://…   name a site to watch
             broadsheet crawl                   fetch what is new into news.db
             broadsheet serve                   read it in a browser
    Then:    broadsheet schedule                the line that makes cron do it

    \b
    Exit status: 0 done, 1 a bug or no source could be read, 2 usage or
    configuration, 74 disk or database, 75 another run holds the archive.
    """


for command in (
    import_,
    sources,
    search,
    alert,
    schedule,
    serve,
    snapshot,
    export,
    reextract,
    backfill,
    upkeep.doctor,
    upkeep.forget,
    completion,
):
    main.add_command(command)


@main.command()
@click.option(
    "--db",
    type=click.Path(path_type=Path),
    default=Path("demo/news.db"),
    show_default=True,
    help="Where the demo's archive goes.",
)
@click.option("--serve/--no-serve", "serves", default=True, show_default=True, help="Open it in Datasette afterwards.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Of Datasette, on this machine only."
)
def demo(db: Path, serves: bool, port: int) -> None:
    """Crawl the small invented web that comes along, and show it. No network is needed."""
    from crawler.cli.demo import crawl_twice

    if serves:
        port = free_port(LOOPBACK, port)

    def crawl_copy(folder: Path) -> int:
        return _crawl(folder / "sources.toml", db, {"OFFLINE_DIR": str(folder)}, quiet=False)

    code = crawl_twice(data_folder() / "local_corpus", db, crawl_copy)
    if code == DONE and serves:
        show(db, port=port)
    sys.exit(code)


@main.command()
@click.argument("only", nargs=-1, metavar="[SOURCE|URL...]")
@SOURCES
@DB
@click.option(
    "--offline",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Read https://HOST/path from DIR/HOST/path instead of the network.",
)
@click.option("--now", is_flag=True, help="Ask every feed, due or not.")
@click.option(
    "--urls",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Fetch the single articles of a list, and nothing else: .txt, or .csv with url, outlet, date, title.",
)
@click.option(
    "--retry",
    type=click.Choice(["refused", "failed", "article"]),
    multiple=True,
    help="Ask pages in this state again: of the sources, by name or address, and the pages that are named, or all.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Fetch at most N article pages; the rest stays pending."
)
@click.option(
    "--max-minutes",
    type=click.FloatRange(min=0, min_open=True),
    metavar="M",
    help="Stop after M minutes; the rest stays pending.",
)
@click.option("--alert", "alerts", is_flag=True, help="Send the alerts of sources.toml afterwards.")
@QUIET
@click.pass_context
def crawl(
    context: click.Context,
    only: tuple[str, ...],
    sources_file: Path,
    db: Path,
    offline: Path | None,
    now: bool,
    urls: Path | None,
    retry: tuple[str, ...],
    limit: int | None,
    max_minutes: float | None,
    alerts: bool,
    quiet: bool,
) -> None:
    """Fetch what is new from the sites named in sources.toml.

    Only what is new is fetched; what an earlier run left unfinished comes first. Safe to start again at any time: a
    second run on the same archive ends at once with exit status 75.

    --urls needs no sources.toml and watches no site: a list in a file is fetched, by the same manners, and what is stored
    already is not asked again. What it leaves pending is fetched when it is said again.
    """
    if offline is not None and (fault := _no_folder(offline)):
        sys.exit(print_error(f"{offline}: {fault}", USAGE))
    settings = {
        "OFFLINE_DIR": str(offline or ""),
        "POLL_ALL": now,
        "RETRY_STATES": list(retry),
        "RETRY_ONLY": [] if urls else _named_to_retry(only, retry, sources_file),
        "PAGE_LIMIT": limit or 0,
    }
    if max_minutes is not None and not math.isfinite(max_minutes):
        raise click.BadParameter("expected a number of minutes", param_hint="--max-minutes")
    if max_minutes:
        settings["CLOSESPIDER_TIMEOUT"] = max_minutes * 60
    if alerts:
        alerts_of(sources_file)
    if urls is None:
        code = _crawl(sources_file, db, settings, quiet=quiet)
        sys.exit(send_after(code, sources_file, db, quiet=quiet) if alerts else code)
    if only or now:
        raise click.UsageError(f"--urls fetches what its list names; {only[0] if only else '--now'} is for sources")
    by_default = context.get_parameter_source("sources_file") is ParameterSource.DEFAULT
    named = None if by_default and is_absent(sources_file) else sources_file
    code = crawl_listed(urls, named, db, settings, quiet=quiet)
    sys.exit(send_after(code, sources_file, db, quiet=quiet) if alerts else code)


def _named_to_retry(only: tuple[str, ...], retry: tuple[str, ...], sources_file: Path) -> list[str]:
    """The sources and pages that --retry is for, as the archive spells them. Every article of every site is asked by nobody."""
    from crawler.urls import UnusableURL, canonical_url

    if not only:
        if "article" in retry:
            raise click.UsageError("--retry article needs the name or address of a source, or of a page")
        return []
    if not retry:
        raise click.UsageError(f"{only[0]}: what is to be asked again is said with --retry")
    names = {name for source in read_sources_file(sources_file).sources for name in (source.name, source.url)}
    try:
        return [one if one in names else canonical_url(one) for one in only]
    except UnusableURL as error:
        raise click.UsageError(f"{error}; nor is there a source of this name in {sources_file}") from None


def _no_folder(path: Path) -> str | None:
    """What is wrong with a folder."""
    try:
        return None if path.is_dir() else "no such folder"
    except OSError as error:
        return error.strerror


def _crawl(sources_file: Path, db: Path, settings: dict[str, Any], *, quiet: bool) -> int:
    return run(Job(spider="news", db=db, settings=settings, arguments={}, sources_file=sources_file, quiet=quiet))


@main.command()
@DB
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
@click.option(
    "--check", is_flag=True, help="Print only what needs a person, and exit with 1 if anything does: for cron."
)
def status(db: Path, as_json: bool, check: bool) -> None:
    """Show how every source is doing, in one word and a reason. Then what the pages came to.

    \b
    new      nothing read yet               ok       read, and as usual
    quiet    nothing new for much longer than ever before
    changed  its pages lack what they had: title, date, author, length, articles
    broken   cannot be read                 blocked  turns us away
    empty    read, and never an article     off      not watched, or not enabled

    --check names, one a line, the sources that are quiet, empty, changed, broken or blocked, feeds of sources.toml that have
    moved for good, a last run that failed, and runs that have stopped coming. It prints nothing when there is nothing to do.
    """
    from crawler.cli import progress
    from crawler.times import stamp
    from pipelines.archive.health import alarms
    from pipelines.archive.queries import last_run, page_states, source_health

    with open_archive(db) as archive:
        health = source_health(archive)
        states = page_states(archive)
        last = last_run(archive)
        now = stamp(datetime.now(UTC))
        ill = [dict(zip(("name", "word", "reason"), alarm, strict=True)) for alarm in alarms(archive, now)]
    if as_json:
        told = {"sources": health, "pages": states, "last_run": last, "alarms": ill}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    elif check:
        for alarm in ill:
            click.echo(f"{alarm['name']}: {alarm['word']}: {alarm['reason']}", err=True)
    else:
        progress.print_status(health, states, last)
    sys.exit(FAILED if check and ill else DONE)
