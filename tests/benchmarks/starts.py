"""Many starts of `broadsheet crawl` at the same moment on one database: who crawls, what the others cost, when they are gone.

    python -m tests.benchmarks.starts [20]

Every start is the real command. Prints the exit codes, the CPU seconds of the costliest that found the lock taken, and
the seconds until the last of those was gone.
"""

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from crawler.cli.output import BUSY
from tests.conftest import ROOT
from tests.loopback import serving

COMMAND = [sys.executable, "-m", "crawler", "crawl", "--quiet"]


def start(folder: Path) -> int:
    """Start a crawl in a folder; returns its process id. Not subprocess: only wait4 says what one child used."""
    said = os.open(folder / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    actions = [(os.POSIX_SPAWN_DUP2, said, 1), (os.POSIX_SPAWN_DUP2, said, 2)]
    try:
        return os.posix_spawn(sys.executable, COMMAND, os.environ | {"PYTHONPATH": str(ROOT)}, file_actions=actions)
    finally:
        os.close(said)


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 20
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
        running = {start(folder) for _ in range(number)}
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
