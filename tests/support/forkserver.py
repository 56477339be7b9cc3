"""Runs the command line in processes of their own that need not import everything again: half of the suite's time.

Reads one job a line from standard input, as JSON, forks, and writes the exit status; of a job that has a file for its
status it writes the process id, and goes on. What a command imports is the same as ever; only that it was imported before.
Tests of what is imported when start Python themselves.

Nor do they take apart at their end what they were given: that costs as much as a crawl of two pages, since memory that is
shared with the server is copied before it is let go.
"""

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import resource
import runpy
import signal
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from crawler.items import Page
from crawler.parsers.listings import read_listing
from crawler.urls import site_of
from pipelines.archive.store import Archive
from pipelines.backfill.parts import leave_pandas_out
from pipelines.extract import extract
from pipelines.publish.datasette_command import leave_units_for_later
from tests.support.archives import copy_what_migrations_make
from tests.support.loopback import article_html, story

PACKAGES = ("crawler", "pipelines")
PROGRAMS = {
    "broadsheet": ("crawler.cli.main", "main"),
    "scrapy": ("scrapy.cmdline", "execute"),
    "killed": ("tests.support.killed", "main"),
    "killed_alert": ("tests.support.killed_alert", "main"),
    "killed_takedown": ("tests.support.killed_takedown", "main"),
}
SCRAPY = (
    "scrapy.cmdline", "scrapy.commands.crawl", "scrapy.core.downloader.handlers.http11", "scrapy.core.engine", "scrapy.crawler", "scrapy.dupefilters", "scrapy.extensions.closespider",
    "scrapy.extensions.corestats", "scrapy.extensions.logcount", "scrapy.extensions.logstats", "scrapy.extensions.memdebug",
    "scrapy.extensions.memusage", "scrapy.extensions.remote_control", "scrapy.extensions.spiderstate", "scrapy.extensions.telnet",
    "scrapy.extensions.throttle", "scrapy.logformatter", "scrapy.pqueues", "scrapy.spidermiddlewares.base", "scrapy.squeues",
    "scrapy.statscollectors", "rich._emoji_codes", "tomlkit",
)  # fmt: skip
"""What a crawl imports by the names in its settings: three quarters of its time where it has two pages to ask for."""

DATASETTE = (
    "datasette.app", "datasette.cli", "uvicorn", "uvicorn.lifespan.on", "uvicorn.logging", "uvicorn.loops.auto", "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)  # fmt: skip
"""What `broadsheet serve` becomes, and loads late."""

LONGEST = 600
"""Seconds after which a command is ended; the status of one that hangs is -14."""


def preload() -> None:
    leave_pandas_out()
    leave_units_for_later()
    for name in (*SCRAPY, *DATASETTE):
        importlib.import_module(name)
    for package in PACKAGES:
        for module in pkgutil.walk_packages([package], f"{package}."):
            importlib.import_module(module.name)
    for kind in ("downloadermiddlewares", "spidermiddlewares"):
        for module in pkgutil.walk_packages(importlib.import_module(f"scrapy.{kind}").__path__, f"scrapy.{kind}."):
            importlib.import_module(module.name)
    sys.excepthook = sys.__excepthook__  # Datasette's command line has put another there
    warm_up()
    copy_what_migrations_make()
    gc.freeze()


def warm_up() -> None:
    """Read a page of each kind, make an archive, print: patterns are compiled, plugins looked for and tables loaded when they
    are first needed."""
    page = article()
    extract(page)
    site_of(page.url)
    read_listing(b"<rss version='2.0'><channel><item><link>/a</link></item></channel></rss>", page.url, "feed")
    read_listing(b"<urlset><url><loc>/a</loc></url></urlset>", page.url, "sitemap")
    with tempfile.TemporaryDirectory() as folder:
        Archive(Path(folder) / "news.db").close()
    Console(file=io.StringIO()).print("source 1")


def article() -> Page:
    url, now = "https://www.ledger.example/harbour/crane", datetime(2026, 11, 21, tzinfo=UTC)
    body = article_html("The crane", story("crane")).encode()
    return Page(url=url, final_url=url, via="feed", fetched_at=now, content_type="text/html", body=body)


def serve() -> None:
    """Until standard input ends."""
    for line in sys.stdin:
        job = json.loads(line)
        said = run_beside(job) if job.get("status") else run(job)
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()
        bury_all()


def run(job: dict[str, Any], begun: int | None = None) -> int:
    """The exit status; the process id is written to `begun` when what it prints can be read."""
    pid = os.fork()
    if not pid:
        end(status_of(job, begun))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run_beside(job: dict[str, Any]) -> int:
    """The process id of a job that goes on; a process beside it waits, and writes its status into a file."""
    ours, theirs = os.pipe()
    if not os.fork():
        os.close(ours)
        status = run(job, theirs)
        part = Path(f"{job['status']}.part")
        part.write_text(str(status))
        part.rename(job["status"])
        os._exit(0)
    os.close(theirs)
    begun = int(os.read(ours, 32))
    os.close(ours)
    return begun


def bury_all() -> None:
    """Those that waited for others, without waiting: then the time of all is in the sum that `time pytest` prints."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def become(job: dict[str, Any], begun: int | None = None) -> None:
    """In the child: be the process that `python -m crawler ...` or `python -m scrapy ...` would have started."""
    if begun:
        os.setsid()
    open_streams(job)
    if begun:
        os.write(begun, str(os.getpid()).encode())
        os.close(begun)
    os.chdir(job["cwd"])
    sys.path.insert(0, job["cwd"])
    signal.alarm(LONGEST)
    if job.get("file_size") is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_size"],) * 2)
    if job.get("workers") is not None:
        settings: Any = importlib.import_module("crawler.settings")
        settings.EXTRACT_WORKERS = job["workers"]
    tempfile.tempdir = None  # looked for in the environment, once
    os.execv = execute  # type: ignore[assignment]
    if job.get("patch"):
        exec(job["patch"], {})
    sys.argv = [job["program"], *job["arguments"]]
    # Workers are spawned, and would import this module as their main one.
    main = sys.modules["__main__"]
    main.__spec__ = None
    del main.__file__
    module, function = PROGRAMS[job["program"]]
    getattr(importlib.import_module(module), function)()


def execute(program: str, arguments: list[str]) -> None:
    """Another module in the place of this command, as `python -P -m` of it would be."""
    assert arguments[:3] == [program, "-P", "-m"]
    module, *rest = arguments[3:]
    sys.modules.pop(module, None)
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def open_streams(job: dict[str, Any]) -> None:
    """Standard input, output and error, and the environment that says how they are written."""
    for target, name in enumerate(("in", "out", "err")):
        how = os.O_WRONLY | os.O_APPEND if target else os.O_RDONLY
        os.dup2(os.open(job.get(name) or os.devnull, how | os.O_NOCTTY), target)
    for variable, value in (job.get("env") or {}).items():
        os.environ.pop(variable, None)
        if value is not None:
            os.environ[variable] = value
    encoding = os.environ.get("PYTHONIOENCODING")
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", -1 if not os.isatty(1) else 1, encoding, closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding, "backslashreplace", closefd=False)
    if sys.stderr.isatty():  # there is a console that has looked at its terminal
        importlib.reload(importlib.import_module("crawler.cli.progress"))


def status_of(job: dict[str, Any], begun: int | None = None) -> int:
    """What the command ends with. When this returns, nothing holds its frames any more, and the files in them are closed."""
    try:
        become(job, begun)
    except SystemExit as ended:
        assert isinstance(ended.code, int)
        return ended.code
    raise AssertionError("a command ends by sys.exit")


def end(status: int) -> None:
    """Leave as the interpreter does, up to where it would take its modules apart."""
    gc.collect()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    preload()
    assert "twisted.internet.reactor" not in sys.modules, "a reactor cannot be forked"
    serve()
