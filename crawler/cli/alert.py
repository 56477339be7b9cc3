"""`broadsheet alert` and `crawl --alert`: send what is new and holds the words of an [[alert]]. The command line of pipelines.alerts."""

import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.common import DB, QUIET, open_archive, read_sources_file, sources_option
from crawler.cli.output import (
    BUSY,
    DONE,
    FAILED,
    STORAGE,
    USAGE,
    cannot_begin,
    counted,
    print_error,
    print_errors,
    printable,
)
from pipelines.database.lock import LockTaken, run_lock

if TYPE_CHECKING:
    from crawler.items import Alert
    from crawler.sources.toml_file import SourcesFile
    from pipelines.alerts.outbox import Failure
    from pipelines.alerts.send import Done

WAIT_SECONDS = 600
"""For another program's write. A takedown writes the whole file anew; what was sent has to be marked all the same."""


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, a line an article, and send nothing.")
@sources_option("Has the alerts.")
@DB
@QUIET
def alert(names: tuple[str, ...], dry_run: bool, sources_file: Path, db: Path, quiet: bool) -> None:
    """Send what is new and holds the words of an alert.

    All alerts of sources.toml, or those named. One is written there so:

    \b
    [[alert]]
    name = "ferries"
    query = "ferry OR harbour"
    file = "alerts/ferries.atom"

    Besides file, or instead: email, webhook, command, apprise.

    The first run of an alert begins to watch; what is stored from then on is sent, once. What could not be delivered waits for the
    next run, and exit status is 1. A crawl may run meanwhile.
    """
    read, alerts = alerts_of(sources_file, names)
    sys.exit(_show(alerts, db) if dry_run else send(read, alerts, sources_file, db, quiet=quiet))


def alerts_of(sources_file: Path, names: Sequence[str] = ()) -> tuple["SourcesFile", tuple["Alert", ...]]:
    """sources.toml and its alerts of these names, all where none is named; or exit with the message that there is none."""
    from crawler.sources.toml_file import nearest

    read = read_sources_file(sources_file, may_be_empty=True)
    if not read.alerts:
        sys.exit(print_error(f"{sources_file}: no alert; an [[alert]] table has name, query and where to", USAGE))
    by_name = {alert.name: alert for alert in read.alerts}
    if wrong := [f"no alert is called {name!r}{nearest(name, by_name)}" for name in names if name not in by_name]:
        sys.exit(print_errors(wrong, USAGE))
    return read, tuple(by_name[name] for name in dict.fromkeys(names)) or read.alerts


def send(
    read: "SourcesFile",
    alerts: Sequence["Alert"],
    sources_file: Path,
    db: Path,
    *,
    quiet: bool,
    after: int | None = None,
) -> int:
    """Send what is new of some alerts; returns the exit status, or ends with that of the crawl it comes `after` where another start
    sends. After a crawl a failure counts when it is told. Nothing here holds the lock of a crawl."""
    from crawler.times import stamp
    from pipelines.alerts import outbox
    from pipelines.alerts.send import Sender, faults

    folder = sources_file.absolute().parent
    failed = False
    with open_archive(db) as archive, _alone(db, BUSY if after is None else after, quiet=quiet):
        base = archive.conn
        base.row_factory = sqlite3.Row
        base.execute(f"pragma busy_timeout = {WAIT_SECONDS * 1000}")
        base.execute("pragma synchronous = full")  # what was sent stays marked, also when the power fails
        if wrong := faults(base, alerts, read.delivery, folder):
            return print_errors(wrong, USAGE)
        sender = Sender(base=base, delivery=read.delivery, folder=folder, clock=lambda: stamp(datetime.now(UTC)))
        for alert in alerts:
            for done in sender.send(alert):
                failed |= done.failure is not None and (after is None or done.failure.is_news)
                _tell(done, quiet=quiet)
        outbox.forget_changes(base, [alert.name for alert in read.alerts])
    return FAILED if failed else DONE


def send_after(code: int, sources_file: Path, db: Path, *, quiet: bool) -> int:
    """Send the alerts after a crawl that ended with this exit status; returns that of both: 1 also in runs that tell of a failure, so that
    systemd tells as seldom as cron. Its lock is free again: a receiver that takes its time keeps no crawl out."""
    if code not in (DONE, FAILED):
        return code
    read, alerts = alerts_of(sources_file)
    return send(read, alerts, sources_file, db, quiet=quiet, after=code) or code


@contextmanager
def _alone(db: Path, busy: int, *, quiet: bool) -> Iterator[None]:
    """Hold the lock of senders, which is another than that of crawls; or end with the right message and status."""
    try:
        with run_lock(Path(f"{os.path.realpath(db)}.alerts")):
            yield
    except LockTaken:
        sys.exit(print_error(f"{db}: alerts are being sent by another start", busy, quiet=quiet))
    except OSError as error:
        sys.exit(print_error(cannot_begin(error, db), STORAGE))


def _tell(done: "Done", *, quiet: bool) -> None:
    from pipelines.alerts.ways import receiver

    name = done.alert.name
    if done.failure is not None and done.way:
        line = f"not delivered to {receiver(done.alert, done.way)}: {done.failure.reason}; {_waiting(done.failure)}"
        if done.failure.is_news:
            print_error(f"alert {name}: {line}", FAILED)
        elif not quiet:
            click.echo(printable(f"{name}: {line}"))
    if quiet:
        return
    if done.way is None:
        click.echo(printable(f"{name}: watched from now on; what is stored later is sent"))
    elif done.articles:
        click.echo(printable(f"{name}: {counted(done.articles, 'article')} to {receiver(done.alert, done.way)}"))


def _waiting(failure: "Failure") -> str:
    """How many messages wait, and since when there was no delivery."""
    from pipelines.publish.formatting import exactly

    since = f"since {exactly(failure.since)}"
    if failure.waiting > 1:
        return f"{failure.waiting:,} messages wait for the next run, {since}"
    return f"it waits for the next run, {since}"


def _show(alerts: Sequence["Alert"], db: Path) -> int:
    """Print what would be sent: alert, date, source, title and address between tabs."""
    from pipelines.alerts.outbox import UnknownSource
    from pipelines.alerts.send import would_send

    with open_archive(db) as archive:
        archive.conn.row_factory = sqlite3.Row
        for alert in alerts:
            try:
                rows = would_send(archive.conn, alert)
            except UnknownSource as error:
                return print_error(str(error), USAGE)
            if rows is None:
                click.echo(
                    printable(f"{alert.name}: is new; its first run begins to watch, and sends nothing"), err=True
                )
            for row in rows or ():
                fields = (alert.name, row["sort_at"], row["source"], row["title"], row["url"])
                click.echo("\t".join(printable(field or "") for field in fields))
    return DONE
