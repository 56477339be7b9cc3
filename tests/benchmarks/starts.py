"""What a start costs: alone, with nothing to do, and many of `broadsheet crawl` at the same moment on one database.

    python -m tests.benchmarks.starts [20]

Every start is the real command. Prints the CPU seconds, medians of five, of `--help`, of a start that finds another at work,
and of a crawl of 50 sources of which none is due. Then, of so many starts at once, the exit codes, the CPU seconds of the
costliest that found the lock taken, and the seconds until the last of those was gone.
"""

import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from crawler.cli.output import BUSY
from pipelines.database.lock import run_lock
from tests.conftest import ROOT
from tests.support.loopback import Answer, serving

BROADSHEET = [sys.executable, "-m", "crawler"]
CRAWL = [*BROADSHEET, "crawl", "--quiet"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
    "PYTHONPATH": str(ROOT)
}
TIMES, SOURCES = 5, 50


def start(folder: Path, command: list[str]) -> int:
    """Start a command in a folder; returns its process id. Not subprocess: only wait4 says what one child used."""
    said = os.open(folder / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    actions = [(os.POSIX_SPAWN_DUP2, said, 1), (os.POSIX_SPAWN_DUP2, said, 2)]
    try:
        return os.posix_spawn(sys.executable, command, ENVIRONMENT, file_actions=actions)
    finally:
        os.close(said)


def seconds(folder: Path, command: list[str], code: int = 0) -> float:
    """CPU seconds of a command and its children, the median of some runs after a first."""
    spent = []
    for _ in range(1 + TIMES):
        _, status, used = os.wait4(start(folder, command), 0)
        if os.waitstatus_to_exitcode(status) != code:
            sys.exit((folder / "said.txt").read_text())
        spent.append(used.ru_utime + used.ru_stime)
    return statistics.median(spent[1:])


def alone() -> None:
    """One start at a time."""
    with serving() as site, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.chdir(folder)
        print(f"--help: {seconds(folder, [*BROADSHEET, '--help']):.2f} CPU seconds")
        tables = [
            f'[[source]]\nname = "{one}"\nurl = "{site.url}/{one}/"\nfeeds = ["{site.url}/feed/{one}"]'
            for one in range(SOURCES)
        ]
        for one in range(SOURCES):
            site.feed(f"/feed/{one}")
            answer = site.answers[f"/feed/{one}"]
            assert isinstance(answer, Answer)
            answer.headers["Cache-Control"] = "max-age=86400"
        manners = '[crawl]\ndelay = 0\nconcurrency = 8\nallow_private = ["127.0.0.0/8"]'
        (folder / "sources.toml").write_text("\n".join([manners, *tables]))
        with run_lock(folder / "news.db"):
            print(f"an overlapping start: {seconds(folder, CRAWL, BUSY):.2f} CPU seconds")
        asking = seconds(folder, [*CRAWL, "--now"])
        asked = len(site.asked)
        idle = seconds(folder, CRAWL)
        print(f"a crawl of {SOURCES} sources, nothing due: {idle:.2f} CPU seconds, {len(site.asked) - asked} requests")
        print(f"a crawl of {SOURCES} sources, every feed asked: {asking:.2f} CPU seconds")


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    alone()
    with serving() as site, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        site.feed("/feed")
        feed = site.answers["/feed"]
        site.answers["/feed"] = lambda: time.sleep(5) or feed  # type: ignore[assignment,func-returns-value,return-value]
        (folder / "sources.toml").write_text(
            f'[crawl]\nallow_private = ["127.0.0.0/8"]\n[[source]]\nurl = "{site.url}/"\nfeeds = ["{site.url}/feed"]\n'
        )
        os.chdir(folder)
        began = time.monotonic()
        running = {start(folder, CRAWL) for _ in range(number)}
        codes: Counter[int] = Counter()
        costs, gone = [], 0.0
        while running:
            process, status, used = os.wait4(-1, 0)
            running.discard(process)
            code = os.waitstatus_to_exitcode(status)
            codes[code] += 1
            if code == BUSY:
                costs.append(used.ru_utime + used.ru_stime)
                gone = time.monotonic() - began
        print(f"{number} starts: exit codes {dict(codes)}, {site.asked.count('/feed')} crawl")
        print(f"busy ones: {max(costs):.2f} CPU seconds at most, {sum(costs) / len(costs):.2f} on average")
        print(f"busy ones: the last was gone after {gone:.2f} s; said: {(folder / 'said.txt').read_text()!r}")


if __name__ == "__main__":
    main()
