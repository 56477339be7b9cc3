"""Mutants of the corpus through the real import, its workers and an archive, and through every other reader.

    python -m tests.benchmarks.fuzz [--pages 10000] [--lists 2000] [--archives 20] [--seed 0]

Prints what became of them, what nobody expected, the slowest and the largest; exits 1 when a figure is missed. Every case
is named kind/seed: `mutant("page", 17)` of tests/support/mutations.py is page/17. Linux only.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from warcio.warcwriter import WARCWriter

from crawler.cli.run import Job, run
from crawler.items import Outcome, Page
from crawler.workers import Limits, WorkerBug, WorkerLost, Workers
from pipelines.database.connection import connect
from pipelines.database.doctor import examine
from pipelines.extract import pipeline
from pipelines.extract.article import MAX_ADDRESS, MAX_AUTHORS, MAX_DESCRIPTION, MAX_NAME, MAX_TITLE
from pipelines.extract.tree import MAX_TEXT
from tests.conftest import ENVIRONMENT, ROOT
from tests.support.laws import LAWS, UNFIT
from tests.support.loopback import article_html, story
from tests.support.mutations import mutant, write_page

MAX_SECONDS, MAX_MEGABYTES = 10.0, 300
LIMITS = Limits(seconds=MAX_SECONDS, megabytes=600)
"""Of a law: it needs Scrapy beside what a worker needs."""

CAPS = {
    "title": MAX_TITLE, "description": MAX_DESCRIPTION, "text": MAX_TEXT, "authors": MAX_AUTHORS * (MAX_NAME + 4), "section": MAX_NAME,
    "site_name": MAX_NAME, "url": MAX_ADDRESS, "image_url": MAX_ADDRESS, "keywords": 50 * 84, "date_published_raw": 80, "language": 3,
}  # fmt: skip
"""Column of `articles` -> characters at most."""

SECONDS: dict[str, float] = {}  #: page/seed -> in its worker; of one that was killed, the limit


class Extract(pipeline.ExtractPipeline):
    """The pipeline with a watch."""

    async def _outcome_of(self, page: Page) -> Outcome:
        outcome = await super()._outcome_of(page)
        if outcome.failure in ("extraction_timeout", "extraction_crash", "extraction_memory"):
            SECONDS.setdefault(_name(page.url), MAX_SECONDS if outcome.failure == "extraction_timeout" else 0.0)
        return outcome


async def _timed(self: Workers, work: Callable[..., Any], *given: object, needs: tuple[str, ...] = ()) -> Any:
    seconds, done = await _run(self, _watched, work, *given, needs=needs)
    SECONDS[_name(given[0].url)] = seconds  # type: ignore[attr-defined]  # it is a page
    return done


_run = Workers.run


def _watched(work: Callable[..., Any], *given: object) -> tuple[float, Any]:
    begin = time.monotonic()
    done = work(*given)
    return time.monotonic() - begin, done


def _name(url: str) -> str:
    return url.partition(".example/")[2]


def pages(folder: Path, number: int, seed: int) -> Iterator[str]:
    """Import this many pages, three of four HTML; yields what is wrong."""
    with (folder / "pages.warc.gz").open("wb") as stream:
        writer = WARCWriter(stream, gzip=True)
        for one in range(seed, seed + number):
            made = mutant("text" if one % 4 == 3 else "page", one)
            url = f"https://www.w{one % 40}.example/{made.name}"
            write_page(writer, url, made.body, made.content_type or "", plain=True)
    begin = time.monotonic()
    # In a process of its own: making the mutants takes more memory than importing them.
    process = multiprocessing.get_context("spawn").Process(target=_import_pages, args=(folder,))
    process.start()
    process.join()
    figures: dict[str, Any] = (
        json.loads((folder / "figures.json").read_text()) if process.exitcode == 0 else {"code": process.exitcode}
    )
    print(f"{number} pages in {time.monotonic() - begin:.0f} s: {figures}")
    if figures["code"] or figures["parent"] > MAX_MEGABYTES or figures["slowest"] > MAX_SECONDS:
        yield f"the import of pages: {figures}"
    yield from _archive(folder / "news.db", number)


def _import_pages(folder: Path) -> None:
    """`broadsheet import` with a watch; leaves its figures: exit status, megabytes, seconds of the slowest page."""
    Workers.run = _timed  # type: ignore[method-assign]
    flow = {
        "tests.benchmarks.fuzz.Extract": 100,
        "pipelines.extract.pipeline.ExtractPipeline": None,
        "pipelines.archive.pipeline.StorePipeline": 200,
    }
    arguments, db = {"paths": (folder / "pages.warc.gz",), "sources": ()}, folder / "news.db"
    code = run(Job(spider="copies", db=db, settings={"ITEM_PIPELINES": flow}, arguments=arguments, quiet=True))
    parent = int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) // 1024
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    slowest = max(SECONDS, key=SECONDS.__getitem__, default="")
    figures = {
        "code": code,
        "parent": parent,
        "worker": worker,
        "slowest": round(SECONDS.get(slowest, 0.0), 2),
        "page": slowest,
    }
    (folder / "figures.json").write_text(json.dumps(figures))


def _archive(db: Path, number: int) -> Iterator[str]:
    """What is wrong with the archive; prints what became of the pages."""
    base = connect(db)
    states = base.execute(
        "select state, coalesce(reason, ''), count(*) from pages group by 1, 2 order by 3 desc"
    ).fetchall()
    print("  " + ", ".join(f"{count} {state} {reason}".rstrip() for state, reason, count in states))
    (found,) = base.execute("select count(*) from pages where via = 'warc' and last_fetched_at is not null").fetchone()
    if found != number:
        yield f"{number - found} of {number} pages are lost"
    for url, reason in base.execute("select url, reason from pages where reason like 'extraction_%'"):
        print(f"  {reason}: {_name(url)}")
        if reason in ("extraction_error", "extraction_timeout", "extraction_crash"):
            yield f"{reason} of {_name(url)}"
    for finding in examine(base, db):
        if not finding.sound and "space" not in finding.what:
            yield f"doctor: {finding.what}"
    for table in ("articles", "pages", "versions", "stories", "sources"):
        for row in base.query(f"select * from {table}"):
            yield from (
                f"{table}.{column} of {row.get('url', row['id'])}: {wrong}" for column, wrong in _wrong(table, row)
            )
    base.close()


def _wrong(table: str, row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(column, what is wrong with it) of a row."""
    for column, value in row.items():
        if not isinstance(value, str):
            continue
        if found := UNFIT.search(value):
            yield column, f"holds {found[0]!r}"
        if table == "articles" and len(value) > CAPS.get(column, MAX_TEXT):
            yield column, f"has {len(value)} characters"
        if column in ("authors", "keywords", "hints", "titles"):
            json.loads(value)


def law(kind: str, seed: int) -> tuple[str, float]:
    """In a worker: what became of a mutant, and seconds."""
    made = mutant(kind, seed)
    begin = time.monotonic()
    return LAWS[kind](made), time.monotonic() - begin


async def lists(number: int, seed: int) -> list[str]:
    """This many mutants of every kind that is no page; returns what is wrong."""
    pool, wrong = Workers(2, LIMITS), list[str]()
    try:
        for kind in LAWS:
            if kind not in ("page", "text"):
                wrong += await _kind(pool, kind, range(seed, seed + number))
    finally:
        pool.kill()
    return wrong


async def _kind(pool: Workers, kind: str, seeds: range) -> list[str]:
    words, wrong, slowest = Counter[str](), list[str](), (0.0, 0)

    async def one(seed: int) -> None:
        nonlocal slowest
        try:
            word, seconds = await pool.run(law, kind, seed)
            slowest = max(slowest, (seconds, seed))
        except (
            WorkerLost
        ) as lost:  # what a crawl calls reading_timeout: allowed of a listing, not of a file of settings
            word = str(lost)
            print(f"  {kind}/{seed}: {lost}")
            if kind not in ("feed", "sitemap", "homepage"):
                wrong.append(f"{kind}/{seed}: {lost}")
        except WorkerBug as bug:
            word = "uncaught"
            wrong.append(f"{kind}/{seed}: {str(bug).strip().splitlines()[-1][:300]}")
        words[word] += 1

    for start in range(seeds.start, seeds.stop, 50):
        await asyncio.gather(*map(one, range(start, min(start + 50, seeds.stop))))
    said = ", ".join(f"{count} {word}" for word, count in words.most_common())
    print(f"{kind}: {said}; slowest {slowest[0]:.2f} s ({kind}/{slowest[1]})", flush=True)
    return wrong


def archives(folder: Path, number: int, seed: int) -> Iterator[str]:
    """`broadsheet import` of this many folders, each with damaged archives and pages beside good ones; yields what is wrong."""
    codes, most = Counter[int](), 0
    for one in range(seed, seed + number):
        place = folder / f"import{one}"
        good = set(_write_folder(place, one))
        code, megabytes, said = _import(place)
        base = connect(place / "news.db")
        kept = {row["title"] for row in base.query("select title from articles")}
        base.close()
        codes[code], most = codes[code] + 1, max(most, megabytes)
        if code or "Traceback" in said or not good <= kept or megabytes > MAX_MEGABYTES:
            yield f"import/{one}: exit {code}, {len(good - kept)} of {len(good)} good pages lost, {megabytes} MB, {said[-300:]}"
    print(f"{number} damaged folders by the command: exit status {dict(codes)}, largest process {most} MB")


def _write_folder(place: Path, seed: int) -> Iterator[str]:
    """Eight archives with something wrong between two good records, eight wrong pages and a good one; yields the good titles."""
    (place / "www.tree.example").mkdir(parents=True)
    for one in range(8):
        made = mutant("warc", seed * 8 + one)
        suffix = ".warc.gz" if made.body[:2] == b"\x1f\x8b" else ".warc"
        with (place / f"{one}{suffix}").open("wb") as stream:
            writer = WARCWriter(stream, gzip=suffix.endswith("gz"))
            for end in ("before", "after"):
                title = f"Pier {seed} {one} {end}"
                write_page(
                    writer, f"https://www.good.example/{seed}/{one}/{end}", article_html(title, story(title)).encode()
                )
                stream.write(made.body if end == "before" else b"")
                yield title
        kind = ("page", "text")[one % 2]
        wrong = mutant(kind, seed * 8 + one)
        (place / "www.tree.example" / f"{one}.{'html' if kind == 'page' else 'txt'}").write_bytes(wrong.body)
    title = f"Tree {seed}"
    (place / "www.tree.example" / "good.html").write_text(article_html(title, story(title)))
    yield title


def _import(place: Path) -> tuple[int, int, str]:
    """Exit status, megabytes of the largest process, and what the command said."""
    with (place / "said").open("w+b") as said:
        command = [sys.executable, "-m", "crawler", "import", str(place), "--db", str(place / "news.db")]
        process = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return process.returncode, used.ru_maxrss // 1024, said.read().decode("utf-8", "replace")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    for name, number in (("pages", 10_000), ("lists", 2_000), ("archives", 20), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=number)
    chosen = parser.parse_args()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        if chosen.pages:
            wrong += pages(Path(folder), chosen.pages, chosen.seed)
        wrong += asyncio.run(lists(chosen.lists, chosen.seed))
        wrong += archives(Path(folder), chosen.archives, chosen.seed)
    print(f"{len(wrong)} wrong", *wrong[:50], sep="\n  ")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
