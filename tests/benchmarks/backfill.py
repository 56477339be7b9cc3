"""Backfill of labelled pages in WARC files, against extraction alone and against import, and the loading of what it made.

    python -m tests.benchmarks.backfill [../shared/bench] [--pages 2000] [--files 10] [--size 100000=FILE]

Prints the states of the files, and then, of one run on one machine:

    extract     pages per CPU second of extraction in a loop, everything imported before
    import      of `broadsheet import` of the same files, with all that it starts; likewise
    backfill    of `broadsheet backfill`; by one worker and by two, with seconds by the clock and the largest memory of all its
                processes together (PSS, looked at ten times a second)
    rows        cells of articles, pages, versions, stories and captures in which what was loaded is not what was imported: none
    load        CPU milliseconds an article of `broadsheet import OUT`, without its start and its stories: of reading a part and
                making outcomes alone, and of keeping them, in an empty archive and in every one named by --size, which is copied
                first; one that is not there is made by tests.benchmarks.pages

Seconds by the clock mean nothing while others work on the machine: the load average is printed beside them.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from crawler.items import Outcome
from crawler.parsers.warc import read_warc
from pipelines.archive.store import Archive
from pipelines.archive.warc import Originals
from pipelines.archive.warc_files import WarcFiles
from pipelines.backfill.manifest import part_path, read_manifest
from pipelines.backfill.parts import read_part
from tests.benchmarks.reextract import extract_all, write_pages
from tests.benchmarks.store import make_ready, open_archive
from tests.conftest import ROOT
from tests.support.originals import split
from tests.support.rebuilt import differences

LOOK_SECONDS = 0.1
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Cost:
    """What a command takes with all processes that it has started, looked at while it runs."""

    ticks: dict[int, int] = field(default_factory=dict)  #: of the processor, by process
    megabytes: float = 0.0  #: the largest sum of PSS: memory that is shared is counted once
    clock: float = 0.0  #: seconds

    @property
    def cpu(self) -> float:
        """Seconds. What nobody waits for is in nobody's resource usage, so each process is asked."""
        return sum(self.ticks.values()) / TICKS

    def look(self, root: int) -> None:
        kilobytes = 0
        for process, ticks in tree_of(root).items():
            self.ticks[process] = ticks
            kilobytes += pss_of(process)
        self.megabytes = max(self.megabytes, kilobytes / 1024)


def tree_of(root: int) -> dict[int, int]:
    """A process and all below it, with their ticks."""
    parents, ticks = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)], ticks[int(entry.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    found = [root]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return {process: ticks[process] for process in found if process in ticks}


def pss_of(process: int) -> int:
    """Kilobytes."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def cost_of(folder: Path, *arguments: object) -> Cost:
    """Run a command."""
    command = [sys.executable, "-m", "crawler", *map(str, arguments)]
    cost, began = Cost(), time.monotonic()
    with subprocess.Popen(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            cost.look(process.pid)
            time.sleep(LOOK_SECONDS)
    assert process.returncode == 0, command
    cost.clock = time.monotonic() - began
    return cost


def measure_extraction(folder: Path, files: list[Path]) -> None:
    pages = [page for file in files for page in read_warc(file)]
    alone = extract_all(pages)
    number = len(pages)
    pages.clear()
    print(f"{number} pages in {len(files)} files                    pages per CPU second   clock   PSS, MB")
    told("extract alone", number, alone, 1.0)
    imported = cost_of(folder, "import", *files, "--db", "direct.db", "--quiet")
    told("import", number, imported.cpu, number / alone, imported)
    one, two = (backfilled(folder, files, workers) for workers in (1, 2))
    for workers, cost in ((1, one), (2, two)):
        told(f"backfill, {workers} worker{'s' * (workers > 1)}", number, cost.cpu, number / alone, cost)
    print(
        f"to extract alone {alone / one.cpu:.3f}, to import {imported.cpu / one.cpu:.3f}; two workers to one {one.clock / two.clock:.2f}"
        f" by the clock, load average {os.getloadavg()[0]:.1f}"
    )


def compare_rows(folder: Path) -> None:
    """What two workers have made, loaded, with the import of the same files."""
    cost_of(folder, "import", "out-2", "--db", "loaded.db", "--quiet")
    unequal = differences(folder / "direct.db", folder / "loaded.db")
    print(f"rows that are not those of the import: {len(unequal)}", *unequal[:5], sep="\n    ", flush=True)


def told(name: str, pages: int, cpu: float, base: float, cost: Cost | None = None) -> None:
    more = f"{cost.clock:14.1f} {cost.megabytes:9.0f}" if cost else ""
    print(f"    {name:24} {pages / cpu:38.2f}{more}", flush=True)


def backfilled(folder: Path, files: list[Path], workers: int) -> Cost:
    return cost_of(folder, "backfill", f"out-{workers}", *files, "--workers", workers, "--quiet")


def measure_loading(folder: Path, archives: dict[int, Path | None]) -> None:
    """Of the same articles by themselves, each in a transaction of its own."""
    out = folder / "out-1"
    numbers = read_manifest(out).part()
    print("loading, CPU ms an article: reading rows; then keep, median and mean")
    began = time.process_time()
    outcomes = [one for number in numbers for one in read_part(part_path(out, number), lambda found_by, url: None)]
    reading = (time.process_time() - began) * 1000 / len(outcomes)
    for size, path in archives.items():
        with tempfile.TemporaryDirectory(dir=path.parent if path else None) as scratch:
            copy = Path(scratch) / "news.db"
            if path:
                make_ready(path, size)
                shutil.copyfile(path, copy)
            with closing(open_archive(copy)) as archive:
                keeping = kept(archive, outcomes)
        print(
            f"    {size:9,} articles {reading:12.3f} {statistics.median(keeping):12.2f} {statistics.mean(keeping):8.2f}",
            flush=True,
        )


def kept(archive: Archive, outcomes: list[Outcome]) -> list[float]:
    """CPU milliseconds of each."""
    originals = Originals(archive, WarcFiles(archive.path))
    return [spent(lambda one=one: archive.keep(originals.recorded(one))) for one in outcomes]  # type: ignore[misc]


def spent(work: Callable[[], object]) -> float:
    """CPU milliseconds."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT.parent / "shared/bench")
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--size", action="append", default=[], metavar="ARTICLES=FILE")
    given = parser.parse_args()
    named = {int(number): Path(path) for number, _, path in (one.partition("=") for one in given.size)}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_pages(given.folder, folder / "pages.warc.gz", given.pages)
        files = split(folder / "pages.warc.gz", given.files)
        measure_extraction(folder, files)
        compare_rows(folder)
        measure_loading(folder, {0: None, **named})


if __name__ == "__main__":
    main()
