"""Every case of the misbehaving web through `broadsheet crawl`, one at a time, then all of them in one crawl.

    python -m tests.benchmarks.misbehaving [WORDS]      only the cases whose name holds WORDS; `all` only the one crawl of all

Kept are sound articles; seconds are from start to end of the command; megabytes are the proportional set size of the
command and all its processes, looked at every 50 ms. Linux only.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT, connect
from tests.support.misbehaving import CASES, Case, Web, misbehaving

MAX_SECONDS, MAX_MEGABYTES, MAX_MEGABYTES_OF_ALL = 30.0, 400, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a crawl came to."""

    kept: int  #: sound articles
    wanted: int
    seconds: float
    megabytes: int
    code: int  #: exit status
    wrong: tuple[str, ...]  #: what should not be: a state, a traceback, a visit to a private address

    def line(self, name: str, most: int = MAX_MEGABYTES) -> str:
        sound = self.kept == self.wanted and self.seconds <= MAX_SECONDS and self.megabytes <= most and not self.wrong
        figures = f"{self.kept:>4}/{self.wanted:<4} {self.seconds:6.1f} {self.megabytes:5}"
        return f"{name[:70]:70} {figures} {'' if sound else '  <-- '}{'; '.join(self.wrong)}"


def main() -> None:
    words = " ".join(sys.argv[1:])
    chosen = CASES if words == "all" else [case for case in CASES if words in str(case)]
    print(f"{'case':70} {'kept':>9} {'sec':>6} {'MB':>5}")
    with misbehaving(chosen) as web:
        if words != "all":
            for case in chosen:
                print(crawl(web, [case]).line(str(case)), flush=True)
        if words in ("", "all"):
            print(crawl(web, chosen).line("all in one crawl", MAX_MEGABYTES_OF_ALL))


def crawl(web: Web, cases: Sequence[Case]) -> Run:
    """Crawl these cases by the command line into an archive of their own, and look at what came of it."""
    web.private_visits.clear()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sources.toml").write_text(web.sources(*cases))
        begin = time.monotonic()
        process, megabytes, said = _watched(Path(folder))
        seconds = time.monotonic() - begin
        base = connect(Path(folder) / "news.db")
        with contextlib.closing(base):
            titles = [row["title"] for row in base.execute("select title from articles")]
            states = {
                row["url"]: f"{row['state']} {row['reason'] or ''}".strip()
                for row in base.execute("select * from pages")
            }
            feeds = {row["url"]: row["last_status"] for row in base.execute("select * from feeds")}
    wanted = [title for case in cases for title in web.sites[str(case)].titles]
    wrong = [*_wrong(web, cases, states, feeds), *(["traceback"] if "Traceback" in said else [])]
    wrong += [
        f"{case} lost" for case in cases if any(titles.count(title) != 1 for title in web.sites[str(case)].titles)
    ]
    wrong += [f"exit status {process}"] if process else []
    wrong += [f"asked at a private address: {visit!r}" for visit in web.private_visits]
    kept = sum(titles.count(title) == 1 for title in wanted)
    if os.environ.get("SHOW"):
        print(said[-3000:])
    return Run(kept=kept, wanted=len(wanted), seconds=seconds, megabytes=megabytes, code=process, wrong=tuple(wrong))


def _wrong(web: Web, cases: Sequence[Case], states: dict[str, str], feeds: dict[str, str]) -> list[str]:
    """Bad addresses that did not become what they may become."""
    found = []
    for case in cases:
        for table, may_be in ((states, case.pages), (feeds, case.feeds)):
            for path, may in may_be.items():
                became = table.get(web.address(case, path), "nothing")
                if became not in may:
                    found.append(f"{case if len(cases) > 1 else ''} {path} is {became}")
    return found


def _watched(folder: Path) -> tuple[int, int, str]:
    """Exit status, megabytes at most, and stderr of a crawl in this folder."""
    command = [sys.executable, "-m", "crawler", "crawl"]
    with (folder / "stderr").open("w+") as stderr:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        )
        most = 0
        while process.poll() is None:
            now = _proportional_kilobytes(process.pid)
            if os.environ.get("SHOW") and now > most + 20_000:
                print(
                    round(time.monotonic() % 1000, 1),
                    now // 1024,
                    [
                        _proportional_kilobytes(int(c)) // 1024
                        for t in Path(f"/proc/{process.pid}/task").iterdir()
                        for c in (t / "children").read_text().split()
                    ],
                    flush=True,
                )
            most = max(most, now)
            time.sleep(0.05)
        stderr.seek(0)
        return process.returncode, most // 1024, stderr.read()


def _proportional_kilobytes(pid: int) -> int:
    """Of a process and all below it."""
    with contextlib.suppress(OSError, ValueError):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        own = next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        threads = Path(f"/proc/{pid}/task").iterdir()
        children = [child for thread in threads for child in (thread / "children").read_text().split()]
        return own + sum(_proportional_kilobytes(int(child)) for child in children)
    return 0


if __name__ == "__main__":
    main()
