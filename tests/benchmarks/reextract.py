"""Re-extraction of labelled pages from their originals, against extraction alone.

    python -m tests.benchmarks.reextract [../shared/bench] [--pages 1000]

Prints pages per CPU second of `extract` in a loop, of `broadsheet reextract` with all that it starts, and their ratio.
"""

import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from itertools import islice
from pathlib import Path

from crawler.items import Page
from crawler.parsers.warc import read_warc
from pipelines.extract import Refusal, extract
from tests.benchmarks.importing import Truth, address, write_warc
from tests.conftest import ROOT


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def broadsheet(folder: Path, *arguments: str) -> tuple[float, str]:
    """CPU seconds of a command and of all its processes, and what it printed."""
    began = cpu_seconds()
    command = [sys.executable, "-m", "crawler", *arguments]
    done = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    return cpu_seconds() - began, done.stdout


def extract_all(pages: list[Page]) -> float:
    """CPU seconds of extraction alone, everything imported before."""
    extract_one(pages[0])
    began = time.process_time()
    for page in pages:
        extract_one(page)
    return time.process_time() - began


def extract_one(page: Page) -> None:
    with contextlib.suppress(Refusal):
        extract(page)


def write_pages(bench: Path, file: Path, number: int) -> None:
    """Write labelled pages of all sets into a WARC file, `number` of them at most, of each address one."""
    golds: dict[str, tuple[str, Truth]] = {}
    for name in ("extraction/truth.json", "extraction/truth_meta.json", "training/truth.json"):
        truth: Truth = json.loads((bench / name).read_text("utf-8"))
        golds |= {address(gold): (Path(name).parent.name, {key: gold}) for key, gold in truth.items()}
    with file.open("wb") as whole:
        for folder, truth in islice(golds.values(), number):
            part = file.with_name("part.warc.gz")
            write_warc(bench / folder, [truth], part)
            whole.write(part.read_bytes())


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT.parent / "shared/bench")
    parser.add_argument("--pages", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_pages(given.folder, folder / "pages.warc.gz", given.pages)
        broadsheet(folder, "import", "pages.warc.gz", "--quiet")
        pages = [*read_warc(folder / "pages.warc.gz")]
        alone = extract_all(pages)
        again, printed = broadsheet(folder, "reextract", "--workers", "2")
    read = int(printed.splitlines()[-1].partition(" ")[0].replace(",", ""))
    print(printed)
    rate, rate_again = len(pages) / alone, read / again
    print(
        f"extract alone {rate:.2f} pages per CPU second ({len(pages)}), reextract {rate_again:.2f} ({read}): {rate_again / rate:.3f}"
    )


if __name__ == "__main__":
    main()
