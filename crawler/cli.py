"""The command line. Every command's heavy imports are its own, so that `--help` and a taken lock answer at once."""

import contextlib
import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.run import BUSY, DONE, FAILED, STORAGE, USAGE, Job, complain, data_folder, output_arrives, run

if TYPE_CHECKING:
    from sqlite_utils import Database

    from crawler.sources import SourcesFile
    from pipelines.doctor import Finding
    from pipelines.forget import Forgotten
    from pipelines.store import Archive

DB = click.option(
    "--db",
    type=click.Path(path_type=Path),
    default=Path("news.db"),
    show_default=True,
    help="The archive: one SQLite file.",
)
SOURCES = click.option(
    "--sources",
    "sources_file",
    type=click.Path(path_type=Path),
    default=Path("sources.toml"),
    show_default=True,
    help="Whom to watch.",
)
QUIET = click.option("--quiet", is_flag=True, help="Print nothing unless a person must act: for cron.")


class Commands(click.Group):
    """The commands. None of them ends with 0 when what it printed could not be written."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        with output_arrives():
            return super().main(*arguments, **options)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="broadsheet")
def main() -> None:
    """Watch news sites and keep what they publish in one SQLite file.

    \b
    Begin:   broadsheet demo                      a small invented web, crawled and shown
             broadsheet sources add https://…     name a site to watch
             broadsheet crawl                     fetch what is new into news.db
             broadsheet serve                     read it in a browser
    Then:    broadsheet schedule                  the line that makes cron do it

    \b
    Exit status: 0 done, 1 a bug or no source could be read, 2 usage or configuration, 74 disk or database, 75 busy.
    """


@main.command()
@click.option(
    "--db",
    type=click.Path(path_type=Path),
    default=Path("demo/news.db"),
    show_default=True,
    help="Where the demo's archive goes.",
)
@click.option("--serve/--no-serve", default=True, show_default=True, help="Open it in Datasette afterwards.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Of Datasette, on this machine only."
)
def demo(db: Path, serve: bool, port: int) -> None:
    """Crawl the bundled small web, which is invented and needs no network, and show the result."""
    corpus = data_folder() / "local_corpus"
    code = _crawl(corpus / "sources.toml", db, {"OFFLINE_DIR": str(corpus)}, quiet=False)
    if code == DONE and serve:
        _serve(db, port, public=False)
    sys.exit(code)


@main.command()
@SOURCES
@DB
@click.option(
    "--offline",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Read https://HOST/path from DIR/HOST/path instead of the network.",
)
@click.option("--now", is_flag=True, help="Ask every feed, due or not.")
@click.option("--retry", type=click.Choice(["refused", "failed"]), multiple=True, help="Ask pages in this state again.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Fetch at most N article pages; the rest stays pending."
)
@click.option(
    "--max-minutes",
    type=click.FloatRange(min=0, min_open=True),
    metavar="M",
    help="Stop after M minutes; the rest stays pending.",
)
@QUIET
def crawl(
    sources_file: Path,
    db: Path,
    offline: Path | None,
    now: bool,
    retry: tuple[str, ...],
    limit: int | None,
    max_minutes: float | None,
    quiet: bool,
) -> None:
    """Fetch what is new from the sites named in sources.toml.

    Only what is new is fetched; what an earlier run left unfinished comes first. Safe to start again at any time: a
    second run on the same archive ends at once with exit status 75.
    """
    if offline is not None and not offline.is_dir():
        sys.exit(complain(f"{offline}: no such folder", USAGE))
    settings = {
        "OFFLINE_DIR": str(offline or ""),
        "POLL_ALL": now,
        "RETRY_STATES": list(retry),
        "PAGE_LIMIT": limit or 0,
    }
    if max_minutes:
        settings["CLOSESPIDER_TIMEOUT"] = max_minutes * 60
    sys.exit(_crawl(sources_file, db, settings, quiet=quiet))


def _crawl(sources_file: Path, db: Path, settings: dict[str, Any], *, quiet: bool) -> int:
    return run(Job(spider="news", db=db, settings=settings, arguments={}, sources_file=sources_file, quiet=quiet))


@main.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@DB
@QUIET
def import_(paths: tuple[Path, ...], db: Path, quiet: bool) -> None:
    """Store saved pages: .html and .txt files, folders, HOST/path trees, .warc and .warc.gz archives.

    A page's address is the archive's or the tree's, else the one the page names as its own. A sources.toml in this
    folder is used for the sites it names, as a crawl would.
    """
    from crawler.spiders.copies import PAGE_SUFFIXES, WARC_SUFFIXES, may_hold_pages, pages_below

    kinds = ", ".join((*PAGE_SUFFIXES, *WARC_SUFFIXES))
    for path in paths:
        if not path.exists():
            sys.exit(complain(f"{path}: no such file or folder", USAGE))
        if not os.access(path, os.R_OK):
            sys.exit(complain(f"{path}: may not be read", USAGE))
        if path.is_file() and not may_hold_pages(path):
            sys.exit(complain(f"{path}: expected one of {kinds}", USAGE))
        if path.is_dir() and next(pages_below(path), None) is None:
            sys.exit(complain(f"{path}: no page in this folder (looked for {kinds})", USAGE))
    known = _read_sources(Path("sources.toml")).sources if Path("sources.toml").exists() else ()
    sys.exit(run(Job(spider="copies", db=db, settings={}, arguments={"paths": paths, "sources": known}, quiet=quiet)))


@main.group()
def sources() -> None:
    """The sites to watch: add one, list them, check their settings against the archive."""


@sources.command("add")
@click.argument("url")
@SOURCES
@click.option("--name", help="What to call it; its host by default.")
def sources_add(url: str, sources_file: Path, name: str | None) -> None:
    """Add a news site to sources.toml. Its front page is enough: feeds and sitemaps are found when it is crawled."""
    import tomlkit

    url = url if "://" in url else f"https://{url}"
    url = f"{url}/" if re.fullmatch(r"https?://[^/?#]+", url) else url
    document = _sources_document(sources_file)
    entry = tomlkit.table()
    entry.update({"url": url} | ({"name": name} if name else {}))
    document.setdefault("source", tomlkit.aot()).append(entry)
    _write_sources(sources_file, document)
    click.echo(f"{sources_file}: added {url}. `broadsheet crawl` fetches it.")


@sources.command("check")
@SOURCES
@DB
@click.option("--write", is_flag=True, help="Put what is proposed into sources.toml; comments there stay.")
def sources_check(sources_file: Path, db: Path, write: bool) -> None:
    """Propose settings from what the archive knows: lines that stand in many articles of a source, and where its titles are."""
    from pipelines.learn import propose

    archive = _open(db)
    listed = _read_sources(sources_file).sources
    found = [
        new for source in listed for new in propose(archive, source.url) if not _is_set(source, new.key, new.value)
    ]
    for proposal in found:
        click.echo(f"{proposal.name}: {proposal.because}")
        for example in proposal.examples:
            click.echo(f"    {example}")
        click.echo(f"    {proposal.key} = {json.dumps(proposal.value, ensure_ascii=False)}\n")
    if not found:
        click.echo(
            "Nothing to propose: no line repeats through a source's articles, and its titles are where its feeds say."
        )
    elif write:
        document = _sources_document(sources_file)
        for proposal in found:
            _put(document, proposal.source, proposal.key, proposal.value)
        _write_sources(sources_file, document)
        click.echo(f"{sources_file}: {len(found)} settings written; they hold for pages fetched from now on.")
    else:
        click.echo("`--write` puts these into sources.toml.")


def _is_set(source: Any, key: str, value: str) -> bool:
    return value in source.strip if key == "strip" else getattr(source, key) is not None


def _put(document: Any, url: str, key: str, value: str) -> None:
    """Set a key of the source with this address; `strip` is a list that grows."""
    from crawler.urls import canonical_url

    entry = next(entry for entry in document["source"] if canonical_url(entry["url"]) == url)
    if key != "strip":
        entry[key] = value
    elif isinstance(entry.get(key), list):
        entry[key].append(value)
    else:
        entry[key] = [*([entry[key]] if entry.get(key) else []), value]


def _sources_document(path: Path) -> Any:
    """sources.toml with its comments, to be changed and written back; an empty one when there is none yet."""
    import tomlkit

    try:
        return tomlkit.parse(path.read_text("utf-8-sig") if path.exists() else "")
    except (OSError, UnicodeDecodeError, tomlkit.exceptions.TOMLKitError) as error:
        sys.exit(complain(f"{path}: {error}", USAGE))


def _write_sources(path: Path, document: Any) -> None:
    """Write sources.toml back when what it says now can be used; it stays as it was otherwise."""
    import tomlkit

    from crawler.sources import SourcesError, parse_sources

    text = tomlkit.dumps(document)
    try:
        parse_sources(text, str(path))
        path.write_text(text, "utf-8")
    except SourcesError as error:
        sys.exit(complain(str(error), USAGE))
    except OSError as error:
        sys.exit(complain(f"{path}: {error.strerror}", STORAGE))


@sources.command("list")
@SOURCES
def sources_list(sources_file: Path) -> None:
    """List the sites of sources.toml and what is asked there."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("name", "url", "asked for", "language", "category"):
        table.add_column(column, overflow="fold")
    for source in _read_sources(sources_file).sources:
        named = [
            f"{len(getattr(source, kind))} {kind}" for kind in ("feeds", "sitemaps", "pages") if getattr(source, kind)
        ]
        asked = ", ".join(named) or "whatever it offers" if source.enabled else "off"
        table.add_row(source.name, source.url, asked, source.language or "·", source.category or "·")
    Console().print(table)


@main.command()
@DB
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
@click.option(
    "--check", is_flag=True, help="Print only what needs a person, and exit with 1 if anything does: for cron."
)
def status(db: Path, as_json: bool, check: bool) -> None:
    """Show how every source is doing, in one word and a reason, and what the pages came to.

    \b
    new      nothing read yet               ok       read, and as usual
    quiet    nothing new for much longer than ever before
    changed  its pages lack what they used to have: title, date, author, length, any article
    broken   cannot be read                 blocked  turns us away
    off      not in sources.toml, or not enabled there

    --check names, one a line, the sources that are quiet, changed, broken or blocked, feeds of sources.toml that have moved
    for good, a last run that failed, and runs that have stopped coming. It prints nothing when there is nothing to do.
    """
    from crawler import report
    from pipelines.health import alarms
    from pipelines.schedule import stamp

    archive = _open(db)
    health = list(archive.query("select * from source_health order by name"))
    states = dict(archive.execute("select state, count(*) from pages group by 1 order by 1").fetchall())
    last = next(
        iter(archive.query("select id, started_at, finished_at, status, reason from runs order by id desc limit 1")),
        None,
    )
    ill = [
        dict(zip(("name", "word", "reason"), alarm, strict=True)) for alarm in alarms(archive, stamp(datetime.now(UTC)))
    ]
    if as_json:
        told = {"sources": health, "pages": states, "last_run": last, "alarms": ill}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    elif check:
        for alarm in ill:
            click.echo(f"{alarm['name']}: {alarm['word']}: {alarm['reason']}", err=True)
    else:
        report.print_status(health, states, last)
    sys.exit(FAILED if check and ill else DONE)


@main.command()
@DB
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True)
@click.option("--public", is_flag=True, help="For a server others reach: no SQL of visitors' own, no downloads.")
def serve(db: Path, port: int, public: bool) -> None:
    """Read the archive in a browser, with Datasette, on this machine only."""
    _open(db).close()
    _serve(db, port, public=public)


def _serve(db: Path, port: int, *, public: bool) -> None:
    from pipelines.publish import datasette_arguments

    sys.stdout.flush()
    arguments = [sys.executable, "-P", "-m", "datasette", *datasette_arguments(db, port, public=public)]
    os.execv(sys.executable, arguments)


@main.command()
@click.option(
    "--every", default="15m", show_default=True, metavar="TIME", help="Minutes or hours between two starts: 15m, 2h."
)
@SOURCES
@DB
def schedule(every: str, sources_file: Path, db: Path) -> None:
    """Print what crawls regularly, for cron and for systemd. Installs nothing.

    A second line is the alarm: once a day it names the sources that are ill, and says nothing when none is.
    """
    minutes = _minutes(every)
    if minutes is None:
        sys.exit(
            complain(
                f"--every {every}: expected minutes that divide an hour (5m, 15m, 30m) or hours that divide a day (1h, 6h)",
                USAGE,
            )
        )
    # -m instead of the script: the same whether or not the environment's bin folder is on cron's PATH.
    # -P: cron starts in the home folder, where some crawler.py may lie.
    broadsheet, archive = [sys.executable, "-P", "-m", "crawler"], ["--db", str(db.absolute())]
    crawl = [*broadsheet, "crawl", "--quiet", "--sources", str(sources_file.absolute()), *archive]
    check = [*broadsheet, "status", "--check", *archive]
    if any("\n" in word for word in crawl):
        sys.exit(complain("a path with a line break is nothing that a crontab can hold", USAGE))
    when = f"*/{minutes} * * * *" if minutes < 60 else f"0 */{minutes // 60} * * *" if minutes < 1440 else "0 0 * * *"
    calendar = f"*:0/{minutes}" if minutes < 60 else f"0/{minutes // 60}:00" if minutes < 1440 else "daily"
    click.echo("# crontab -e: the crawl, and the alarm, which is silent while all sources are well")
    click.echo(f"{when} {_cron_quoted(crawl)}\n0 7 * * * {_cron_quoted(check)}\n")
    click.echo(_units("broadsheet", crawl, calendar, more="KillMode=mixed\nSuccessExitStatus=75\n"))
    click.echo(_units("broadsheet-check", check, "07:00"))
    click.echo("# then: systemctl --user enable --now broadsheet.timer broadsheet-check.timer")
    click.echo("# `systemctl --user --failed` names broadsheet-check while a source is ill")


def _cron_quoted(command: list[str]) -> str:
    return shlex.join(command).replace("%", "\\%")


def _units(name: str, command: list[str], calendar: str, *, more: str = "") -> str:
    """A systemd service and the timer that starts it."""
    return (
        f"# ~/.config/systemd/user/{name}.service\n[Service]\nType=oneshot\n{more}ExecStart={_systemd_quoted(command)}\n\n"
        f"# ~/.config/systemd/user/{name}.timer\n[Timer]\nOnCalendar={calendar}\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )


def _minutes(every: str) -> int | None:
    """Minutes of `15m` or `2h`, where cron can say them evenly; None otherwise."""
    match = re.fullmatch(r"(\d{1,4})\s*(m|min|h)", every.strip())
    minutes = int(match[1]) * (60 if match[2] == "h" else 1) if match else 0
    even = (0 < minutes < 60 and 60 % minutes == 0) or (
        60 <= minutes <= 1440 and minutes % 60 == 0 and 1440 % minutes == 0
    )
    return minutes if even else None


def _systemd_quoted(command: list[str]) -> str:
    """A command as systemd.service(5) reads it. The colon keeps `$` from being replaced, `%%` is a percent sign."""
    escaped = [word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") for word in command]
    quoted = [f'"{word}"' if re.search(r"[\s\"'\\;]", word) else word for word in escaped]
    return (":" if any("$" in word for word in command) else "") + " ".join(quoted)


@main.command()
@DB
def doctor(db: Path) -> None:
    """Check the archive, and name the repair for each fault; changes nothing.

    File, schema, references between tables, full-text index, states of pages, stories, takedowns, write-ahead log, disk.
    Repairs are lines for the shell, for SQLite's `sqlite3`; no run may be under way. Take a snapshot before, and ask the
    doctor again afterwards: one repair may show what another fault hid. Exit status 1 when there is a fault.
    """
    from pipelines.doctor import examine

    sound = True
    for finding in _one_by_one(examine(_open_to_examine(db), db)):
        _tell(finding)
        sound = sound and finding.sound
    sys.exit(DONE if sound else FAILED)


def _open_to_examine(db: Path) -> "Database":
    """Like _open(), but a damaged file is what a doctor is asked about."""
    from pipelines.database import NotOurDatabase, StorageError, connect
    from pipelines.doctor import unreadable

    try:
        return connect(db, older=True)
    except NotOurDatabase as error:
        sys.exit(complain(str(error), USAGE))
    except StorageError as error:
        if not str(getattr(error.__cause__, "sqlite_errorname", "")).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            sys.exit(complain(str(error), STORAGE))
        _tell(unreadable(error.__cause__ or error, db))
        sys.exit(FAILED)


def _one_by_one(findings: Iterator["Finding"]) -> Iterator["Finding"]:
    """Each finding as soon as it is made; on a terminal with a sign that the next is being made."""
    from crawler.report import working

    while True:
        with working("looking at the archive"):
            finding = next(findings, None)
        if finding is None:
            return
        yield finding


def _tell(finding: "Finding") -> None:
    click.echo(f"{'ok   ' if finding.sound else 'FAULT'}  {finding.what}")
    for line in () if finding.sound else finding.repair.splitlines():
        click.echo(f"       {line}")


@main.command()
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT.db")
@DB
def snapshot(out: Path, db: Path) -> None:
    """Copy the archive into one new file, consistent also while a crawl writes.

    Copying news.db itself can miss what is still in news.db-wal. The copy is compact, and whole as soon as it has its
    name; until then it is OUT.db.part. No file is replaced.
    """
    from crawler.report import copying
    from pipelines.database import StorageError, storage_errors
    from pipelines.lock import LockTaken
    from pipelines.snapshot import snapshot as copy

    archive = _open(db, older=True)
    try:
        with storage_errors(out), copying(out) as follow:
            articles = copy(archive, db, out, follow)
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
        sys.exit(complain(str(error) if error.filename is None else f"{out}: no such folder", USAGE))
    except LockTaken as error:
        sys.exit(complain(str(error), BUSY))
    except StorageError as error:
        sys.exit(complain(str(error), STORAGE))
    except OSError as error:
        sys.exit(complain(f"{out}: {error.strerror}", STORAGE))
    click.echo(f"{out}: {articles:,} articles, {out.stat().st_size / 2**20:,.1f} MB.")


@main.command()
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
    from pipelines.forget import wanted_url

    try:
        wanted = list(dict.fromkeys(wanted_url(url) for url in urls))
    except UnusableURL as error:
        sys.exit(complain(str(error), USAGE))
    with _writing(db) as archive:
        taken = archive.forget(wanted, datetime.now(UTC))
        for line in (line for one in taken for line in _told(one)):
            click.echo(line)
        if all(one.was == "unknown" for one in taken):
            return
        if trouble := _erase(archive.db, db):
            again = (
                f"{trouble}. Refused they are; but {db} may still hold deleted bytes: put that right, then say it again"
            )
            sys.exit(complain(again, STORAGE))
    click.echo(f"{db} was written anew: nothing of it is left there. Older snapshots and backups still have it.")


def _erase(archive: "Database", path: Path) -> str | None:
    """Clear the file's bytes of what was deleted; returns what prevented it."""
    from crawler.report import working
    from pipelines.database import StorageError, storage_errors
    from pipelines.forget import erase

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
def _writing(db: Path) -> Iterator["Archive"]:
    """An existing archive to change, as one run does: alone; or end with the right message and status."""
    from pipelines.database import NotOurDatabase, StorageError, storage_errors
    from pipelines.lock import LockTaken, run_lock
    from pipelines.store import Archive

    if not db.exists():
        sys.exit(complain(f"{db}: no such database", USAGE))
    try:
        with run_lock(db), storage_errors(db), contextlib.closing(Archive(db)) as archive:
            yield archive
    except LockTaken as error:
        sys.exit(complain(str(error), BUSY))
    except NotOurDatabase as error:
        sys.exit(complain(str(error), USAGE))
    except StorageError as error:
        sys.exit(complain(str(error), STORAGE))


def _open(db: Path, *, older: bool = False) -> "Database":
    """Open an archive to read, or end with the right message and status."""
    from pipelines.database import NotOurDatabase, StorageError, connect

    try:
        return connect(db, older=older)
    except NotOurDatabase as error:
        sys.exit(complain(str(error), USAGE))
    except StorageError as error:
        sys.exit(complain(str(error), STORAGE))


def _read_sources(path: Path) -> "SourcesFile":
    from crawler.sources import SourcesError, read_sources

    try:
        return read_sources(path)
    except SourcesError as error:
        sys.exit(complain(str(error), USAGE))
