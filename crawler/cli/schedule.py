"""`broadsheet schedule`: the crontab lines and systemd units that crawl regularly. Installs nothing."""

import re
import shlex
import sys
from pathlib import Path

import click

from crawler.cli.common import DB, SOURCES
from crawler.cli.output import USAGE, is_absent, print_error


@click.command()
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
            print_error(
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
        sys.exit(print_error("a path with a line break is nothing that a crontab can hold", USAGE))
    when = f"*/{minutes} * * * *" if minutes < 60 else f"0 */{minutes // 60} * * *" if minutes < 1440 else "0 0 * * *"
    calendar = f"*:0/{minutes}" if minutes < 60 else f"0/{minutes // 60}:00" if minutes < 1440 else "daily"
    click.echo("# crontab -e: the crawl, and the alarm, which is silent while all sources are well")
    click.echo(f"{when} {_cron_quoted(crawl)}\n0 7 * * * {_cron_quoted(check)}\n")
    click.echo(_units("broadsheet", crawl, calendar, more="KillMode=mixed\nSuccessExitStatus=75\n"))
    click.echo(_units("broadsheet-check", check, "07:00"))
    click.echo("# then: systemctl --user enable --now broadsheet.timer broadsheet-check.timer")
    click.echo("# `systemctl --user --failed` names broadsheet-check while a source is ill")
    if is_absent(sources_file):
        click.echo(f"# {sources_file.absolute()} is not there yet: `broadsheet sources add URL` begins it")


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
