"""Runs the command line in processes of their own that need not import everything again: a third of the suite's time.

Reads one job a line from standard input, as JSON, forks, and writes the exit status. What a command imports is the same
as ever; only that it was imported before. Tests of what is imported when, and of kills, start Python themselves.
"""

import importlib
import json
import os
import resource
import signal
import sys
from typing import Any

PRELOADED = (
    "crawler.cli.main", "crawler.cli.progress", "crawler.commands.crawl", "crawler.spiders.copies", "crawler.spiders.news", "crawler.spiders.sample",
    "pipelines.database.doctor", "pipelines.archive.history", "pipelines.archive.store", "crawler.workers", "pipelines.extract.article", "scrapy.crawler", "tomlkit",
)  # fmt: skip

LONGEST = 120
"""Seconds after which a command is ended; the status of one that hangs is -14."""


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
    for name in PRELOADED:
        importlib.import_module(name)
    assert "twisted.internet.reactor" not in sys.modules, "a reactor cannot be forked"
    serve()
