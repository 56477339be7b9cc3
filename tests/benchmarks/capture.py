"""What keeping originals costs: `python -m tests.benchmarks.capture [--pages 60] [--rounds 3]`.

    keep     one answer of 174 KB, packed by its server to 37 KB: decide, digest, write the records, note the row; CPU ms and bytes
             in the WARC file, for bodies sent as gzip, br and zstd, and for one that its server did not pack
    read     one capture by its offset, in random order, unpacked: CPU ms
    crawl    the same loopback site with `warc = true` and `warc = false`, by turns: CPU s of the crawl and its workers, wall s

Medians. What must be reached: 2.5 ms and 40 KB a page, 1.5 ms to read it, a crawl at most 1.05 of one without.
"""

import argparse
import gzip
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import brotli

from crawler.items import Answer, Article, Outcome, Page, Source
from crawler.parsers.warc import read_record
from pipelines.archive import captures
from pipelines.archive.store import Archive
from pipelines.archive.warc import Originals
from pipelines.archive.warc_files import WarcFiles
from pipelines.text import content_hash
from tests.conftest import ROOT
from tests.support.loopback import Site, article_html, serving, story
from tests.support.newsroom import Newsroom

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PAGE_BYTES = 174_000
"""Mean of the 48 labelled news pages that were measured; gzip makes 36 KB of it."""

NOW = datetime(2026, 11, 7, 12, tzinfo=UTC)
SOURCE = Source(url="https://measured.example/", name="Measured")

PACKED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "br": ("br", lambda page: brotli.compress(page, quality=5)),
    "zstd": ("zstd", zstd.compress),
    "unpacked": ("", bytes),
}


def heavy_page(number: int) -> bytes:
    """A page whose bytes pack as news pages do: a short article in much markup that repeats itself, and some that does not."""
    chance = random.Random(number)
    page = article_html(f"Pier {number}", story(f"pier {number}"))
    parts = [page.removesuffix("</body></html>")]
    while sum(map(len, parts)) < PAGE_BYTES:
        noise = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=chance.randint(14, 44)))
        parts.append(
            f'<div class="card card--teaser" data-id="{noise}"><a class="card__link" href="/news/{noise[:9]}/"><img '
            f'class="card__image" loading="lazy" src="/images/{noise[::-1][:12]}.webp" alt=""></a></div>\n'
        )
    return "".join(parts).encode()


# Keeping and reading


def outcome(number: int, packing: str) -> tuple[Outcome, bytes]:
    name, pack = PACKED[packing]
    page = heavy_page(number)
    url = f"https://measured.example/{packing}/{number}"
    encoding = ((b"Content-Encoding", name.encode()),) if name else ()
    headers = ((b"Content-Type", b"text/html; charset=utf-8"), (b"Server", b"nginx"), *encoding)
    request = ((b"Accept", b"text/html"), (b"User-Agent", b"measured"))
    answer = Answer(url=url, fetched_at=NOW, status=200, protocol="HTTP/1.1", reason="OK", headers=headers, body=pack(page), request_headers=request)  # fmt: skip
    text = story(f"pier {number}")
    article = Article(title=f"Pier {number}", text=text, word_count=len(text.split()), extractor="measured")
    found = Page(url=url, final_url=url, via="feed", fetched_at=NOW, source=SOURCE, status=200, answers=(answer,))
    return Outcome(page=found, article=article, content_hash=content_hash(text)), page


def measure(folder: Path, packing: str, pages: int) -> tuple[float, float, float]:
    """CPU ms to keep a page, its bytes in the file, CPU ms to read it."""
    kept = []
    with closing(Archive(folder / f"{packing}.db")) as archive:
        archive.sync_sources([SOURCE])
        archive.start_run(argv=["benchmark"], version="benchmark", now=NOW)
        originals = Originals(archive, WarcFiles(archive.path))
        made = [outcome(number, packing) for number in range(pages)]
        for one, _ in made:
            stored = archive.keep(one)  # found and known, as after a listing: what is measured is the records alone
            assert stored
            began = time.process_time()
            recorded = originals.recorded(one)
            with archive.transaction():
                captures.keep(archive.db, recorded, stored.page_id)
            kept.append(1000 * (time.process_time() - began))
        originals.close()
        places = [
            (row[0], row[1], page)
            for row, (_, page) in zip(
                archive.db.execute("select file, offset from captures order by id").fetchall(), made, strict=True
            )
        ]
    (file,) = (folder / "warc").glob(f"*-{packing}.db.warc.gz")
    random.Random(7).shuffle(places)
    read = []
    for name, offset, page in places:
        began = time.process_time()
        found = read_record(folder / "warc" / name, offset)
        read.append(1000 * (time.process_time() - began))
        assert found is not None and found.body == page
    return statistics.median(kept), file.stat().st_size / pages, statistics.median(read)


# Crawls


def crawl(site: Site, pages: int, *, warc: bool) -> tuple[float, float]:
    """CPU and wall seconds of a crawl of these pages, in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        newsroom = Newsroom(Path(name))
        listed = ", ".join(f'"{site.url}/{number}"' for number in range(pages))
        newsroom.watch(f'url = "{site.url}/"\npages = [{listed}]', crawl=f"delay = 0\nwarc = {str(warc).lower()}")
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run([sys.executable, "-m", "crawler", "crawl", "--quiet"], cwd=name, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert newsroom.rows("select count(*) from captures") == [(pages if warc else 0,)]
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(f"{'body':10}{'sent KB':>9}{'keep ms':>9}{'KB':>7}{'read ms':>9}")
    with tempfile.TemporaryDirectory() as name:
        for packing, (_, pack) in PACKED.items():
            keep, size, read = measure(Path(name), packing, asked.pages)
            print(f"{packing:10}{len(pack(heavy_page(0))) / 1000:9.1f}{keep:9.2f}{size / 1000:7.1f}{read:9.2f}")
    with serving() as site:
        for number in range(asked.pages):
            site.add(f"/{number}", heavy_page(number), packed=True)
        spent: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for number in range(2 * asked.rounds):
            warc = number % 2 == 0
            spent[warc].append(crawl(site, asked.pages, warc=warc))
    cpu = {warc: statistics.median(one[0] for one in of) for warc, of in spent.items()}
    wall = {warc: statistics.median(one[1] for one in of) for warc, of in spent.items()}
    print(
        f"\ncrawl of {asked.pages} pages: CPU {cpu[True]:.2f} s with, {cpu[False]:.2f} s without: {cpu[True] / cpu[False]:.3f}"
    )
    print(f"{'':20}wall {wall[True]:.2f} s with, {wall[False]:.2f} s without: {wall[True] / wall[False]:.3f}")


if __name__ == "__main__":
    main()
