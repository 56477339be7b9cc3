"""What keeping costs in an archive of any size: `python -m tests.benchmarks.store [--size 100000=FILE] [--size 1000000=FILE]`.

For an empty archive and for every one named, which is copied first and stays as it is; one that is not there is made by
`tests.benchmarks.pages`, a million articles in a quarter of an hour, and gets the fingerprints that its texts would have.

    keep        an article that is new, of 400 words, whose page a listing has named: CPU ms, SQL statements of our own (many
                rows by one executemany are one), and with all that they set off
    listing     a feed of 50 links that are all known
    near copies look up and note the fingerprints of one more article: CPU ms

Figures are medians of 200 articles and of 50 listings, each in a transaction of its own.
"""

import argparse
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from crawler.items import Link, Listing, Outcome, Page, Source
from pipelines.archive.store import Archive
from pipelines.archive.versions import note_prints
from pipelines.database.connection import connect
from pipelines.deduplicate.fingerprints import SIGNATURE_VERSION, candidates, holders_of, unnoted
from pipelines.deduplicate.near_copies import Text
from pipelines.extract.pipeline import outcome_of
from tests.benchmarks.crawl import Statements
from tests.benchmarks.dedup import invented_texts
from tests.benchmarks.pages import make
from tests.support.loopback import article_html

MEASURED, COUNTED, LISTINGS, LINKS = 200, 20, 50, 50
PRINTS = 41
"""Of a text of 400 words."""
NOW = datetime.now(UTC)
SOURCE = Source(url="https://measured.example/", name="Measured")

# ------------------------------------------------------------------------------- the places that know the code under test


def open_archive(path: Path) -> Archive:
    archive = Archive(path)
    archive.sync_sources([SOURCE])
    archive.start_run(argv=["benchmark"], version="benchmark", now=NOW)
    return archive


def add_prints(archive: Archive, text: str, number: int) -> Callable[[], None]:
    """What keeping does about near copies of an article of any number, its prints being made already."""
    prints = Text(text).prints

    def add() -> None:
        with archive.transaction():
            holders = holders_of(archive.db, prints)
            candidates(holders)
            note_prints(archive.db, number, unnoted(prints, holders))

    return add


def fill_prints(path: Path) -> None:
    """Give every article as many fingerprints as its text would have, by chance: nearly all are nobody else's."""
    with closing(connect(path, write=True)) as db:
        (articles,) = db.execute("select count(*) from articles").fetchone()
        chance = random.Random(articles)
        per_slice = articles * PRINTS // 256
        insert = "insert or ignore into fingerprints (hash, article_id) values (?, ?)"
        db.execute("begin")
        for piece in range(256):  # in the order of the index, which takes a minute and not an hour
            hashes = array("I", chance.randbytes(4 * per_slice))
            lower = (piece << 24) - 2**31
            rows = ((lower + (value >> 8), chance.randint(1, articles)) for value in sorted(hashes))
            db.conn.executemany(insert, rows)
        db.execute("insert into signatures (version, parameters) values (?, '{}')", [SIGNATURE_VERSION])
        db.execute("commit")
        db.execute("pragma wal_checkpoint(truncate)")


# ------------------------------------------------------------------------------------------------------------ measuring


def measure(path: Path, size: int) -> None:
    """One line of the table; writes to the archive."""
    texts = invented_texts()
    with closing(open_archive(path)) as archive:
        outcomes = [*islice(_outcomes(archive, texts), MEASURED)]
        keeping = [_spent(lambda outcome=outcome: archive.keep(outcome)) for outcome in outcomes]  # type: ignore[misc]
        listing = _listing([outcome.page.url for outcome in outcomes[:LINKS]])
        relisting = [_spent(lambda: archive.keep(listing)) for _ in range(LISTINGS)]
    (said, run), (said_listing, run_listing) = _counted(path, texts, listing)
    with closing(open_archive(path)) as archive:
        archive.db.execute("pragma foreign_keys = off")  # prints without articles
        numbered = zip(range(size + 10**6, size + 10**6 + MEASURED), texts, strict=False)
        adding = [_spent(add_prints(archive, text, number)) for number, text in numbered]
    print(
        f"{size:9,}  {statistics.median(keeping):7.2f} {statistics.quantiles(keeping, n=20)[-1]:7.2f} {said:6.0f} {run:6.0f}"
        f"   {statistics.median(relisting):8.2f} {said_listing:6.0f} {run_listing:6.0f}   {statistics.median(adding):7.3f}",
        flush=True,
    )


def _counted(path: Path, texts: Iterator[str], listing: Listing) -> list[tuple[float, float]]:
    """Statements of our own and all of them, of a keep and of a listing; the counting would cost time."""
    with Statements() as statements, closing(open_archive(path)) as archive:

        def count(item: Outcome | Listing) -> tuple[int, int]:
            said, run = statements.said, statements.run
            archive.keep(item)
            return statements.said - said, statements.run - run

        kept = [count(outcome) for outcome in [*islice(_outcomes(archive, texts), COUNTED)]]
        said, run = (statistics.median(column) for column in zip(*kept, strict=True))
        return [(said, run), count(listing)]


def _outcomes(archive: Archive, texts: Iterator[str]) -> Iterator[Outcome]:
    """Articles as the workers give them, whose pages are pending."""
    for number, text in enumerate(texts):
        url = f"{SOURCE.url}{NOW:%s}/{archive.run.run_id}/{number}"
        archive.keep(_listing([url]))
        words = text.split()
        sentences = [" ".join(words[start : start + 12]).capitalize() for start in range(0, len(words), 12)]
        body = "\n\n".join(". ".join(sentences[start : start + 6]) + "." for start in range(0, len(sentences), 6))
        html = article_html(f"Of {' '.join(words[:6])}", body, f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
        page = Page(url=url, final_url=url, via="feed", fetched_at=NOW, source=SOURCE, status=200, body=html.encode())
        yield outcome_of(page)


def _listing(urls: list[str]) -> Listing:
    links = tuple(Link(url=url) for url in urls)
    return Listing(
        url=f"{SOURCE.url}feed", source=SOURCE, kind="rss", fetched_at=NOW, status=200, links=links, entries=len(links)
    )


def _spent(work: Callable[[], object]) -> float:
    """CPU milliseconds."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--size", action="append", default=[], metavar="ARTICLES=FILE", help="an archive, or where to make one"
    )
    arguments = parser.parse_args()
    archives = {int(number): Path(path) for number, _, path in (named.partition("=") for named in arguments.size)}
    print("           keep, CPU ms     statements      listing, CPU ms         near copies")
    print(" articles   median    95 %    own    all     median    own    all    CPU ms")
    for size, path in {0: None, **archives}.items():
        with tempfile.TemporaryDirectory(dir=path.parent if path else None) as folder:
            copy = Path(folder) / "news.db"
            if path:
                make_ready(path, size)
                shutil.copyfile(path, copy)
            measure(copy, size)


def make_ready(path: Path, size: int) -> None:
    """Make the archive that is not there, and its fingerprints."""
    if not path.exists():
        make(path, size)
    with closing(sqlite3.connect(path)) as base:
        (prints,) = base.execute("select exists (select 1 from signatures)").fetchone()
    if not prints:
        print(f"{path}: filling in fingerprints", file=sys.stderr)
        fill_prints(path)


if __name__ == "__main__":
    main()
