"""The labelled pages through the whole pipeline: into a WARC, by `broadsheet import` into a database, scored from there.

    python -m tests.benchmarks.importing [../shared/bench/extraction]

Prints the states of all pages, pages per CPU second of the whole import, and body F1 per set.
"""

import gzip
import importlib.util
import io
import json
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tests.conftest import ROOT, connect

Truth = dict[str, dict[str, Any]]


def scorer(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_warc(folder: Path, truths: list[Truth], file: Path) -> None:
    with file.open("wb") as stream:
        writer = WARCWriter(stream, gzip=True)
        for gold in (gold for truth in truths for gold in truth.values()):
            body = gzip.decompress((folder / gold["page"]).read_bytes())
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            writer.write_record(
                writer.create_warc_record(address(gold), "response", payload=io.BytesIO(body), http_headers=headers)
            )


def address(gold: dict[str, Any]) -> str:
    return str(gold.get("url") or f"https://unknown.example/{Path(gold['page']).name}")


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared/bench/extraction")
    names = ("truth.json", "truth_meta.json")
    truths: list[Truth] = [json.loads((folder / name).read_text("utf-8")) for name in names]
    with tempfile.TemporaryDirectory() as scratch:
        warc, db = Path(scratch) / "pages.warc.gz", Path(scratch) / "news.db"
        write_warc(folder, truths, warc)
        done = subprocess.run(
            [sys.executable, "-m", "crawler", "import", str(warc), "--db", str(db)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"exit {done.returncode} {done.stderr.strip()}")
        report(folder, names, truths, db)


def report(folder: Path, names: tuple[str, ...], truths: list[Truth], db: Path) -> None:
    from crawler.urls import canonical_url

    score = scorer(folder)
    base = connect(db)
    pages = {
        row["url"]: row
        for row in base.execute(
            "select pages.url, state, reason, text from pages left join articles on articles.id = article_id"
        )
    }
    wanted = {canonical_url(address(gold)) for truth in truths for gold in truth.values()}
    states = Counter((pages[url]["state"], pages[url]["reason"]) if url in pages else ("lost", None) for url in wanted)
    print(
        f"{len(wanted)} addresses:",
        ", ".join(f"{count} {state}{f' ({reason})' if reason else ''}" for (state, reason), count in states.items()),
    )
    print(f"{len(pages) / cpu_seconds():.1f} pages per CPU second, start of the program included")
    for name, truth in zip(names, truths, strict=True):
        found = {
            key: {"text": page["text"]} if (page := pages.get(canonical_url(address(gold)))) else {}
            for key, gold in truth.items()
        }
        figures, _ = score.score({key: {"text": gold["text"]} for key, gold in truth.items()}, found)
        print(
            name,
            " ".join(
                f"{key} {value:.4f}" if isinstance(value, float) else f"{key} {value}" for key, value in figures.items()
            ),
        )


if __name__ == "__main__":
    main()
