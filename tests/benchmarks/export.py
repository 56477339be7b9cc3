"""What an export costs, and whether others read it: `python -m tests.benchmarks.export [--size 100000] [--keep FOLDER]`.

Archives of a tenth of the size and of all of it are invented (`tests.benchmarks.pages` makes them: a tenth has copies, a twentieth
was changed), or found in FOLDER from the last time. Each is exported whole, with copies and versions, in every format by the
command itself; then pandas and DuckDB read the file as docs/research.md does, in processes in which a warning is an error.

    rows, MB           of the file
    s, CPU s           from start to end of the command, its imports included
    peak MB            of its memory (maximum resident set size)
    pandas s, DuckDB s from start to end of a process that reads all rows, its imports included

Exits with 1 where a program does not read every row, or the peak grows by more than GROWTH from the one size to the other.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.pages import make
from tests.conftest import ROOT

GROWTH = 1.25
"""Times the peak of a tenth of the corpus: a row group of Parquet is the only thing that is held."""

PANDAS = {
    ".parquet": "pd.read_parquet('{}')",
    ".csv": "pd.read_csv('{}', parse_dates=['day', 'published_at', 'seen_at'], keep_default_na=False, na_values=[''], low_memory=False)",
    ".jsonl": "pd.read_json('{}', lines=True, dtype=False)",
}

DUCKDB = (
    "import duckdb; print(duckdb.execute(\"select count(*), sum(length(text)), max(day) from '{}'\").fetchall()[0][0])"
)


class Cost(NamedTuple):
    """What a process took."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    printed: str  #: by DuckDB after a progress bar


def run(*arguments: str) -> Cost:
    """Run Python to its end, in a process of its own."""
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-W", "error", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)}: exit status {process.returncode}")
    kilobytes = used.ru_maxrss if sys.platform == "linux" else used.ru_maxrss // 1024
    return Cost(time.monotonic() - began, used.ru_utime + used.ru_stime, kilobytes / 1024, printed)


def measure(db: Path, size: int, suffix: str, folder: Path) -> float | None:
    """One line of the table; the peak, or None where somebody has not read every row."""
    out = folder / f"export-{size}{suffix}"
    out.unlink(missing_ok=True)
    cost = run(
        "-W", "default", "-m", "crawler", "export", str(out), "--db", str(db), "--with-copies", "--with-versions"
    )
    rows = int(cost.printed.split(": ")[1].split()[0].replace(",", ""))
    pandas = run("-c", f"import pandas as pd; print(len({PANDAS[suffix].format(out)}))")
    duckdb = run("-c", DUCKDB.format(out))
    read = {int(reader.printed.split()[-1]) for reader in (pandas, duckdb)}
    print(
        f"{size:9,} {suffix:9s} {rows:9,} {out.stat().st_size / 2**20:8.1f} {cost.seconds:7.1f} {cost.cpu_seconds:7.1f}"
        f" {cost.peak_mb:8.0f} {pandas.seconds:9.1f} {duckdb.seconds:9.1f}{'' if read == {rows} else f'  READ {read}'}",
        flush=True,
    )
    out.unlink()
    return cost.peak_mb if read == {rows} else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=100_000, metavar="ARTICLES")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where archives are made, and found the next time")
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        print(" articles format         rows       MB       s   CPU s  peak MB  pandas s  DuckDB s")
        peaks: dict[str, list[float | None]] = {}
        for size in (arguments.size // 10, arguments.size):
            db = folder / f"{size}.db"
            if not db.exists():
                make(db, size)
            for suffix in PANDAS:
                peaks.setdefault(suffix, []).append(measure(db, size, suffix, folder))
        for suffix, (small, large) in peaks.items():
            if small is None or large is None or large > GROWTH * small:
                failed = True
                print(f"{suffix}: not every row was read, or the peak grew by more than {GROWTH:g}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
