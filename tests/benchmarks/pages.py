"""How long the reading room's pages take on the server, with 100 articles and with a million invented ones.

    python -m tests.benchmarks.pages [--size 1000000] [--keep FILE]

Prints for every page the median and the worst of 20 requests in milliseconds, each with another article, story, source
or word, through Datasette in this process: routing, SQL, template. `--keep` makes the archive there, or uses the one
that is there: making a million articles takes a quarter of an hour.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from datasette.app import Datasette

from pipelines.database.connection import connect
from pipelines.database.schema import FULL_TEXT
from pipelines.publish.serve import METADATA

SOURCES, LANGUAGES, SECTIONS = 200, ("en", "de", "fr", "es", "pt"), 30
CATEGORIES = {
    "National": range(1, 101),
    "Local/North": range(101, 111),
    "Local/South": range(111, 121),
    "Rare": range(195, 196),
}
"""Category -> the sources in it: half of all, a tenth, one."""
CLOSED = range(196, SOURCES + 1)
"""Sources, all in the category `Closed`, that have published nothing since the first tenth of the time."""
YEARS = 5
PARAGRAPHS = 20_000
"""Paragraphs of 60 words to make texts from, four each: as many words as a short report has."""
VOCABULARY = 50_000
RARE = 25_000
"""Every so many articles one holds the rare word."""
TIMES = 20
ASKED = 200.0
"""Milliseconds that a page may take at a million articles."""


def make(path: Path, size: int) -> None:
    """An archive of `size` invented articles: a third in stories of two to six, a tenth with copies of which one was rewritten and has
    words of its own, a twentieth changed, a fortieth gone."""
    db = connect(path, write=True)
    db.conn.execute("pragma foreign_keys = off")  # the stories come last
    chance = random.Random(7)
    for trigger in ("insert", "update", "change", "delete"):
        for table in FULL_TEXT:
            db.conn.execute(f"drop trigger {table}_{trigger}")  # the index is made in one go, at the end
    with db.conn:
        db.conn.execute("begin")
        db.conn.executemany(
            "insert into sources (id, name, url, domain, language) values (?, ?, ?, ?, ?)",
            [(number, f"Paper {number}", f"https://{number}.example/", f"{number}.example", LANGUAGES[number % 5]) for number in range(1, SOURCES + 1)],
        )  # fmt: skip
        for category, sources in [*CATEGORIES.items(), ("Closed", CLOSED)]:
            db.conn.executemany("update sources set category = ? where id = ?", [(category, one) for one in sources])
    for rows in _batches(_articles(chance, size), 10_000):
        with db.conn:
            db.conn.execute("begin")
            _insert(db.conn, rows, chance)
    with db.conn:
        db.conn.execute("begin")
        db.conn.execute(
            """insert into stories (id, title, first_seen_at, last_seen_at, article_count, source_count)
               select story_id, min(title), min(sort_at), max(sort_at), count(*), count(distinct source_id)
               from articles where story_id is not null group by story_id"""
        )
    for table in FULL_TEXT:
        db.conn.execute(f"insert into {table} ({table}) values ('rebuild')")
    db.conn.execute("analyze")
    db.conn.execute("pragma wal_checkpoint(truncate)")
    db.close()


def _vocabulary(chance: random.Random) -> list[str]:
    """Invented words, the most frequent first."""
    return ["".join(chance.choice("bcdfglmnprstv") + chance.choice("aeiou") for _ in range(chance.randint(1, 4))) for _ in range(VOCABULARY)]  # fmt: skip


def _batches(rows: Iterator[dict[str, Any]], size: int) -> Iterator[tuple[dict[str, Any], ...]]:
    while batch := tuple(islice(rows, size)):
        yield batch


def _articles(chance: random.Random, size: int) -> Iterator[dict[str, Any]]:
    words = _vocabulary(chance)
    weights = list(accumulate(1 / (rank + 3) for rank in range(VOCABULARY)))
    paragraphs = [" ".join(chance.choices(words, cum_weights=weights, k=60)) for _ in range(PARAGRAPHS)]
    end = datetime.now(UTC) - timedelta(hours=1)
    story, left = 0, 0
    for number in range(1, size + 1):
        if not left and chance.random() < 0.1:
            story, left = story + 1, chance.randint(2, 6)
        published = end - timedelta(seconds=(size - number) / size * YEARS * 365 * 86400 + chance.randint(0, 3600))
        source = chance.randint(1, SOURCES if number <= size / 10 else CLOSED[0] - 1)
        yield {
            "id": number,
            "url": f"https://{source}.example/news/{number}",
            "source_id": source,
            "title": " ".join(chance.choices(words, k=8)).capitalize(),
            "description": " ".join(chance.choices(words, k=20)),
            "authors": '["Ada Writer"]' if chance.random() < 0.8 else None,
            "date_published": f"{published:%Y-%m-%dT%H:%M:%SZ}",
            "date_published_source": "jsonld",
            "sort_at": f"{published:%Y-%m-%dT%H:%M:%SZ}",
            "language": LANGUAGES[source % 5],
            "section": f"section {chance.randint(1, SECTIONS)}",
            "word_count": 240,
            "content_hash": f"{number:064x}",
            "extractor": "bench",
            "first_seen_at": f"{published + timedelta(minutes=chance.randint(1, 300)):%Y-%m-%dT%H:%M:%SZ}",
            "last_fetched_at": f"{published + timedelta(hours=6):%Y-%m-%dT%H:%M:%SZ}",
            "story_id": story if left else None,
            "version_count": 3 if number % 20 == 0 else 2 if number % 10 == 0 else 1,
            "gone_at": f"{published + timedelta(days=9):%Y-%m-%dT%H:%M:%SZ}" if number % 40 == 7 else None,
            "text": "\n\n".join(chance.choices(paragraphs, k=4)) + (" zyzzyva" if number % RARE == 0 else ""),
        }
        left = max(left - 1, 0)


def _insert(connection: Any, rows: tuple[dict[str, Any], ...], chance: random.Random) -> None:
    """Articles with their pages; copies and versions of some."""

    names = list(rows[0])
    connection.executemany(
        f"insert into articles ({', '.join(names)}) values ({', '.join(':' + name for name in names)})", rows
    )
    page = "insert into pages (url, source_id, via, state, reason, article_id, similarity, title, discovered_at, last_fetched_at, date_published) values (?, ?, 'feed', ?, ?, ?, ?, ?, ?, ?, ?)"
    seen = [(row["first_seen_at"], row["last_fetched_at"], row["date_published"]) for row in rows]
    connection.executemany(
        page,
        [
            (row["url"], row["source_id"], "article", None, row["id"], None, row["title"], *times)
            for row, times in zip(rows, seen, strict=True)
        ],
    )
    copied = [(row, times) for row, times in zip(rows, seen, strict=True) if row["id"] % 10 == 0]
    connection.executemany(page, [(f"https://{number}.example/copy/{row['id']}", number, "duplicate", "near", row["id"], 0.9, row["title"], *times)
                                  for row, times in copied for number in chance.sample(range(1, SOURCES + 1), 3)])  # fmt: skip
    for row in rows:
        if row["version_count"] > 1:
            own, copy, *_ = connection.execute("select id from pages where article_id = ? order by id", (row["id"],))
            text = row["text"].split(" ")
            earlier, rewritten = (" ".join(word for word in text if chance.random() > share) for share in (0.05, 0.1))
            told = [(*own, 1, row["first_seen_at"], row["title"], "0", 0, 0, earlier), (*copy, 2, row["first_seen_at"], row["title"], "1", 0, 0, rewritten),
                    (*own, 3, row["last_fetched_at"], row["title"], row["content_hash"], 12, 0, row["text"])]  # fmt: skip
            connection.executemany(
                f"""insert into versions (article_id, page_id, version, fetched_at, title, content_hash, words_added, words_removed, text)
                   values ({row["id"]}, ?, ?, ?, ?, ?, ?, ?, ?)""",
                told[: row["version_count"]],
            )
            said = " ".join(chance.sample(text, 60)), " ".join(chance.choices(common_words(), k=8)).capitalize()
            added = [(*copy, *reversed(said)), (*own, None, said[0])][: row["version_count"] - 1]
            connection.executemany(
                f"""insert into variants (id, article_id, page_id, title, text, first_seen_at)
                   values (({row["id"]} << 20) + ?, {row["id"]}, ?, ?, ?, '{row["first_seen_at"]}')""",
                [(number, *one) for number, one in enumerate(added, 1)],
            )


# Asking


@cache
def common_words() -> list[str]:
    """The five words that most articles hold: the same as _articles() makes."""
    return _vocabulary(random.Random(7))[:5]


@cache
def beginnings() -> list[str]:
    """The first three letters of fifty words, from frequent to rare."""
    return [word[:3] for word in _vocabulary(random.Random(7))[::1000] if len(word) > 2]


PAGES: dict[str, Callable[[random.Random, int], str]] = {
    "front page": lambda chance, size: "/",
    "front page, one source": lambda chance, size: f"/?source={chance.randint(1, SOURCES)}",
    "front page, section and language": lambda chance, size: f"/?section=section {chance.randint(1, SECTIONS)}&language={chance.choice(LANGUAGES)}",
    "front page, years ago": lambda chance, size: f"/?before={datetime.now(UTC).year - chance.randint(1, 4)}-06-01T00:00:00Z 0",
    "front page, a category": lambda chance, size: f"/?category={chance.choice(['National', 'Local', 'Rare', 'Nowhere'])}",
    "front page, half of all sources": lambda chance, size: "/?category=National",
    "front page, sources closed long ago": lambda chance, size: "/?category=Closed",
    "front page, half of all, years ago": lambda chance, size: f"/?category=National&before={datetime.now(UTC).year - chance.randint(1, 4)}-06-01T00:00:00Z 0",
    "front page, category and section": lambda chance, size: f"/?category={chance.choice(['National', 'Local', 'Rare', 'Closed'])}&section=section {chance.randint(1, SECTIONS)}",
    "front page, category and language": lambda chance, size: f"/?category={chance.choice(['National', 'Local', 'Rare', 'Closed'])}&language={chance.choice(LANGUAGES)}",
    "a category as a feed": lambda chance, size: f"/latest.atom?category={chance.choice(['National', 'Local', 'Rare', 'Closed'])}",
    "half of all as a feed": lambda chance, size: "/latest.atom?category=National",
    "corrections, a category": lambda chance, size: f"/corrections?category={chance.choice(['National', 'Local', 'Rare', 'Closed'])}",
    "search, a rare word": lambda chance, size: "/search?q=zyzzyva",
    "search, a very common word": lambda chance, size: f"/search?q={chance.choice(common_words())}",
    "search, common, best first": lambda chance, size: f"/search?q={chance.choice(common_words())}&order=best",
    "search, common, one source": lambda chance, size: f"/search?q={chance.choice(common_words())}&source={chance.randint(1, SOURCES)}",
    "search, common, a category": lambda chance, size: f"/search?q={chance.choice(common_words())}&category={chance.choice(['National', 'Local', 'Rare', 'Closed'])}",
    "search, common, category, best first": lambda chance, size: f"/search?q={chance.choice(common_words())}&category={chance.choice(['National', 'Local', 'Rare', 'Closed'])}&order=best",
    "search, common, source and section": lambda chance, size: f"/search?q={chance.choice(common_words())}&source={chance.randint(1, SOURCES)}&section=section {chance.randint(1, SECTIONS)}",
    "search, common, three filters": lambda chance, size: f"/search?q={chance.choice(common_words())}&language={chance.choice(LANGUAGES)}&section=section {chance.randint(1, SECTIONS)}&until={datetime.now(UTC).year - 3}",
    "search, common, filters none passes": lambda chance, size: f"/search?q={chance.choice(common_words())}&source={chance.randint(1, SOURCES // 5) * 5}&section=section {chance.randint(1, SECTIONS)}&language=de",
    "search, common, the last page": lambda chance, size: f"/search?q={chance.choice(common_words())}&page=40",
    "search, a beginning": lambda chance, size: f"/search?q={chance.choice(beginnings())}*",
    "search, a beginning, of common words": lambda chance, size: f"/search?q={(chance.choice(common_words()) + 'na')[:3]}*",
    "search, a beginning, best first": lambda chance, size: f"/search?q={chance.choice(beginnings())}*&order=best",
    "search, a beginning, two filters": lambda chance, size: f"/search?q={chance.choice(beginnings())}*&source={chance.randint(1, SOURCES)}&section=section {chance.randint(1, SECTIONS)}",
    "search as a feed": lambda chance, size: f"/search.atom?q={chance.choice(common_words())}",
    "search as CSV, a thousand hits": lambda chance, size: f"/search.csv?q={chance.choice(common_words())}",
    "the thousand newest as JSON": lambda chance, size: f"/latest.json?source={chance.randint(1, SOURCES)}",
    "corrections": lambda chance, size: "/corrections",
    "corrections, one source": lambda chance, size: f"/corrections?source={chance.randint(1, SOURCES)}",
    "corrections, one language": lambda chance, size: f"/corrections?language={chance.choice(LANGUAGES)}",
    "corrections, source and section": lambda chance, size: f"/corrections?source={chance.randint(1, SOURCES)}&section=section {chance.randint(1, SECTIONS)}",
    "corrections, filters none passes": lambda chance, size: f"/corrections?source={chance.randint(1, SOURCES // 5) * 5}&language=de",
    "corrections, years ago": lambda chance, size: f"/corrections?until={datetime.now(UTC).year - chance.randint(1, 4)}-06",
    "corrections, the last page": lambda chance, size: f"/corrections?page=40&language={chance.choice(LANGUAGES)}",
    "corrections as JSON, the last page": lambda chance, size: "/corrections.json?page=40",
    "article": lambda chance, size: f"/article/{chance.randint(1, size)}",
    "article that was changed": lambda chance, size: f"/article/{chance.randint(1, size // 20) * 20}",
    "story": lambda chance, size: f"/story/{chance.randint(1, max(size // 15, 1))}",
    "sources": lambda chance, size: "/sources",
    "sources, sorted": lambda chance, size: f"/sources?sort={chance.choice(('name', '-week', '-last_new'))}",
    "source": lambda chance, size: f"/source/{chance.randint(1, SOURCES)}",
}  # fmt: skip
"""Page -> the path of one of its kind, by chance; of articles as many as there are."""


async def ask(db: Path, size: int) -> bool:
    """Print a line for every page; whether each was quick enough."""
    datasette = Datasette(
        [str(db)], metadata=json.loads(METADATA.read_text("utf-8")), settings={"sql_time_limit_ms": 10_000}
    )
    await datasette.invoke_startup()
    print(f"\n{size:,} articles, milliseconds{'':12} median     worst    (CPU)", flush=True)
    quick = True
    for name, path in PAGES.items():
        taken = [await _once(datasette, path(random.Random(number), size)) for number in range(TIMES)]
        walls, cpus = zip(*taken, strict=True)
        quick = quick and statistics.median(walls) <= ASKED
        print(
            f"{name:38} {statistics.median(walls):8.0f}  {max(walls):8.0f}  {statistics.median(cpus):7.0f}", flush=True
        )
    return quick


async def _once(datasette: Any, path: str) -> tuple[float, float]:
    """Milliseconds of the clock and of the CPU that one page takes."""
    clock, cpu = time.perf_counter(), time.process_time()
    answer = await datasette.client.get(path)
    assert answer.status_code == 200, (path, answer.text)
    return (time.perf_counter() - clock) * 1000, (time.process_time() - cpu) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1_000_000, help="articles of the large archive")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="where the large archive is, or is to be made")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archives = {100: Path(folder) / "news.db", arguments.size: arguments.keep or Path(folder) / "large.db"}
        quick = True
        for size, db in archives.items():
            if not db.exists():
                make(db, size)
            quick = asyncio.run(ask(db, size)) and quick
    sys.exit(0 if quick else 1)


if __name__ == "__main__":
    main()
