"""Runs the command line in processes of their own that need not import everything again: a third of the suite's time.

Reads one job a line from standard input, as JSON, forks, and writes the exit status. What a command imports is the same
as ever; only that it was imported before. Tests of what is imported when, and of kills, start Python themselves.
"""

import gc
import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
from datetime import UTC, datetime
from typing import Any

from crawler.items import Page
from pipelines.extract import extract
from tests.support.loopback import article_html, story

PACKAGES = ("crawler", "pipelines")
SCRAPY = (
    "scrapy.core.downloader.handlers.http11", "scrapy.core.engine", "scrapy.crawler", "scrapy.dupefilters", "scrapy.extensions.closespider",
    "scrapy.extensions.corestats", "scrapy.extensions.logcount", "scrapy.extensions.logstats", "scrapy.extensions.memdebug",
    "scrapy.extensions.memusage", "scrapy.extensions.remote_control", "scrapy.extensions.spiderstate", "scrapy.extensions.telnet",
    "scrapy.extensions.throttle", "scrapy.logformatter", "scrapy.pqueues", "scrapy.spidermiddlewares.base", "scrapy.squeues",
    "scrapy.statscollectors", "rich._emoji_codes", "tomlkit",
)  # fmt: skip
"""What a crawl imports by the names in its settings: three quarters of its time where it has two pages to ask for."""

LONGEST = 600
"""Seconds after which a command is ended; the status of one that hangs is -14."""


def preload() -> None:
    for name in SCRAPY:
        importlib.import_module(name)
    for package in PACKAGES:
        for module in pkgutil.walk_packages([package], f"{package}."):
            importlib.import_module(module.name)
    for kind in ("downloadermiddlewares", "spidermiddlewares"):
        for module in pkgutil.walk_packages(importlib.import_module(f"scrapy.{kind}").__path__, f"scrapy.{kind}."):
            importlib.import_module(module.name)
    extract(article())  # whose patterns are compiled when first needed
    gc.freeze()


def article() -> Page:
    url, now = "https://www.ledger.example/harbour/crane", datetime(2026, 11, 21, tzinfo=UTC)
    body = article_html("The crane", story("crane")).encode()
    return Page(url=url, final_url=url, via="feed", fetched_at=now, content_type="text/html", body=body)


def serve() -> None:
    """Until standard input ends. In a forked child it returns after the command: the interpreter ends as it always does."""
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if not pid:
            become(job)
            return
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()


def become(job: dict[str, Any]) -> None:
    """In the child: be the process that `python -m crawler ...` would have started."""
    descriptors = [
        os.open("/dev/null", os.O_RDONLY),
        *(os.open(str(job[name]), os.O_WRONLY) for name in ("out", "err")),
    ]
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
    os.chdir(str(job["cwd"]))
    signal.alarm(LONGEST)
    if job.get("file_size") is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_size"],) * 2)
    if job.get("workers") is not None:
        settings: Any = importlib.import_module("crawler.settings")
        settings.EXTRACT_WORKERS = job["workers"]
    sys.argv = ["broadsheet", *job["arguments"]]
    # Workers are spawned, and would import this module as their main one.
    main = sys.modules["__main__"]
    main.__spec__ = None
    del main.__file__
    importlib.import_module("crawler.cli.main").main()


if __name__ == "__main__":
    preload()
    assert "twisted.internet.reactor" not in sys.modules, "a reactor cannot be forked"
    serve()
