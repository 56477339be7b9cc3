"""Runs the command line in processes of their own that need not import everything again: a third of the suite's time.

Reads one job a line from standard input, as JSON, forks, and writes the exit status. What a command imports is the same
as ever; only that it was imported before. Tests of what is imported when, and of kills, start Python themselves.

Nor do they take apart at their end what they were given: that costs as much as a crawl of two pages, since memory that is
shared with the server is copied before it is let go.
"""

import atexit
import gc
import importlib
import io
import json
import os
import pkgutil
import resource
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from crawler.items import Page
from crawler.parsers.listings import read_listing
from crawler.urls import site_of
from pipelines.archive.store import Archive
from pipelines.backfill.parts import leave_pandas_out
from pipelines.extract import extract
from tests.support.archives import copy_what_migrations_make
from tests.support.loopback import article_html, story

PACKAGES = ("crawler", "pipelines")
PROGRAMS = {
    "broadsheet": ("crawler.cli.main", "main"),
    "scrapy": ("scrapy.cmdline", "execute"),
    "killed": ("tests.support.killed", "main"),
}
SCRAPY = (
    "scrapy.cmdline", "scrapy.commands.crawl", "scrapy.core.downloader.handlers.http11", "scrapy.core.engine", "scrapy.crawler", "scrapy.dupefilters", "scrapy.extensions.closespider",
    "scrapy.extensions.corestats", "scrapy.extensions.logcount", "scrapy.extensions.logstats", "scrapy.extensions.memdebug",
    "scrapy.extensions.memusage", "scrapy.extensions.remote_control", "scrapy.extensions.spiderstate", "scrapy.extensions.telnet",
    "scrapy.extensions.throttle", "scrapy.logformatter", "scrapy.pqueues", "scrapy.spidermiddlewares.base", "scrapy.squeues",
    "scrapy.statscollectors", "rich._emoji_codes", "tomlkit",
)  # fmt: skip
"""What a crawl imports by the names in its settings: three quarters of its time where it has two pages to ask for."""

LONGEST = 600
"""Seconds after which a command is ended; the status of one that hangs is -14."""


def preload() -> None:
    leave_pandas_out()
    for name in SCRAPY:
        importlib.import_module(name)
    for package in PACKAGES:
        for module in pkgutil.walk_packages([package], f"{package}."):
            importlib.import_module(module.name)
    for kind in ("downloadermiddlewares", "spidermiddlewares"):
        for module in pkgutil.walk_packages(importlib.import_module(f"scrapy.{kind}").__path__, f"scrapy.{kind}."):
            importlib.import_module(module.name)
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
    with TemporaryDirectory() as folder:
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
        pid = os.fork()
        if not pid:
            end(status_of(job))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()


def become(job: dict[str, Any]) -> None:
    """In the child: be the process that `python -m crawler ...` or `python -m scrapy ...` would have started."""
    descriptors = [
        os.open("/dev/null", os.O_RDONLY),
        *(os.open(str(job[name]), os.O_WRONLY) for name in ("out", "err")),
    ]
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
    os.chdir(job["cwd"])
    os.environ.update(job.get("env") or {})
    if encoding := os.environ.get("PYTHONIOENCODING"):
        for stream, errors in ((sys.stdout, "strict"), (sys.stderr, "backslashreplace")):
            assert isinstance(stream, io.TextIOWrapper)
            stream.reconfigure(encoding=encoding, errors=errors)
    sys.path.insert(0, job["cwd"])
    signal.alarm(LONGEST)
    if job.get("file_size") is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_size"],) * 2)
    if job.get("workers") is not None:
        settings: Any = importlib.import_module("crawler.settings")
        settings.EXTRACT_WORKERS = job["workers"]
    sys.argv = [job["program"], *job["arguments"]]
    # Workers are spawned, and would import this module as their main one.
    main = sys.modules["__main__"]
    main.__spec__ = None
    del main.__file__
    module, function = PROGRAMS[job["program"]]
    getattr(importlib.import_module(module), function)()


def status_of(job: dict[str, Any]) -> int:
    """What the command ends with. When this returns, nothing holds its frames any more, and the files in them are closed."""
    try:
        become(job)
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
