"""`broadsheet schedule`: the crontab lines, or systemd units, that crawl regularly, and show the archive. Installs nothing."""

import re
import shlex
import sys
from pathlib import Path

import click

from crawler.cli.common import DB, SOURCES, read_sources_file
from crawler.cli.output import USAGE, is_absent, print_error


@click.command()
@click.option(
    "--every", default="15m", show_default=True, metavar="TIME", help="Minutes or hours between two starts: 15m, 2h."
)
@click.option("--for", "program", type=click.Choice(["cron", "systemd"]), help="Print only what this one needs.")
@SOURCES
@DB
def schedule(every: str, program: str | None, sources_file: Path, db: Path) -> None:
    """Print what crawls regularly, for cron and for systemd. Installs nothing.

    A second line is the alarm: once a day it names the sources that are ill, and says nothing when none is. For systemd
    there is a unit for `broadsheet serve`, too, and one that mails what failed. Where sources.toml has an [[alert]], the
    crawl sends it.
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
    alerts = not is_absent(sources_file) and read_sources_file(sources_file, may_be_empty=True).alerts
    crawl = [
        *broadsheet,
        "crawl",
        "--quiet",
        *(["--alert"] if alerts else []),
        "--sources",
        str(sources_file.absolute()),
        *archive,
    ]
    check = [*broadsheet, "status", "--check", *archive]
    if any("\n" in word for word in crawl):
        sys.exit(print_error("a path with a line break is nothing that a crontab can hold", USAGE))
    when = f"*/{minutes} * * * *" if minutes < 60 else f"0 */{minutes // 60} * * *" if minutes < 1440 else "0 0 * * *"
    calendar = f"*:0/{minutes}" if minutes < 60 else f"0/{minutes // 60}:00" if minutes < 1440 else "daily"
    if program != "systemd":
        click.echo("# crontab -e: the crawl, and the alarm, which is silent while all sources are well")
        click.echo(f"{when} {_cron_quoted(crawl)}\n0 7 * * * {_cron_quoted(check)}\n")
    if program != "cron":
        serve = [*broadsheet, "serve", "--quiet", *archive]
        click.echo(_systemd_units(crawl, calendar, check, serve))
    if is_absent(sources_file):
        click.echo(f"# {sources_file.absolute()} is not there yet: `broadsheet sources add URL` begins it")


def _cron_quoted(command: list[str]) -> str:
    return shlex.join(command).replace("%", "\\%")


def _systemd_units(crawl: list[str], calendar: str, check: list[str], serve: list[str]) -> str:
    """The units of a user: crawl and alarm with their timers, the reading room, the mail when one of them fails."""
    once = "Type=oneshot\n"
    units = {
        "broadsheet.service": _service("fetch what is new", f"{once}KillMode=mixed\nSuccessExitStatus=75\n", crawl),
        "broadsheet.timer": _timer("fetch what is new, again and again", calendar),
        "broadsheet-check.service": _service("is every source well", once, check),
        "broadsheet-check.timer": _timer("is every source well, once a day", "07:00"),
        "broadsheet-serve.service": _service(
            "the reading room", "Restart=on-failure\nRestartSec=10\nRestartPreventExitStatus=2\n", serve
        )
        + "\n[Install]\nWantedBy=default.target\n",
        "broadsheet-failed@.service": _FAILED,
    }
    shown = (f"# ~/.config/systemd/user/{name}\n{text}\n" for name, text in units.items())
    return "".join(shown) + _THEN


def _service(what: str, how: str, command: list[str]) -> str:
    head = f"[Unit]\nDescription=Broadsheet: {what}\nOnFailure=broadsheet-failed@%n.service\n"
    return f"{head}\n[Service]\n{how}ExecStart={_systemd_quoted(command)}\n"


def _timer(what: str, calendar: str) -> str:
    head = f"[Unit]\nDescription=Broadsheet: {what}\n"
    return f"{head}\n[Timer]\nOnCalendar={calendar}\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n"


_FAILED = r"""# %u is your mailbox on this machine; an address elsewhere may stand in its place
[Unit]
Description=Broadsheet: tell by e-mail that %i failed

[Service]
Type=oneshot
ExecStart=:/bin/sh -c '{ echo "To: $1"; echo "Subject: $2 failed on $3"; echo; systemctl --user status --full --lines=50 "$2"; } | /usr/sbin/sendmail -t' sh %u %i %H
"""
"""What cron does by itself: the last words of a unit that failed in a mail to its owner. In a pipe the status is sendmail's."""

_THEN = """# then: systemctl --user enable --now broadsheet.timer broadsheet-check.timer
# and, to read it in a browser: systemctl --user enable --now broadsheet-serve
# loginctl enable-linger keeps them running while you are not logged in
# `systemctl --user --failed` names broadsheet-check while a source is ill"""


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
