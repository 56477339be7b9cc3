"""How long the reading room's pages take on the server, with 100 articles and with a million invented ones.

    python -m tests.benchmarks.pages [--size 1000000] [--keep FILE]

Prints for every page the median and the worst of 20 requests in milliseconds, each with another article, story, source
or word, through Datasette in this process: routing, SQL, template. `--keep` makes the archive there, or uses the one
that is there: making a million articles takes a quarter of an hour.
"""

import argparse
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from pipelines.database import connect

SOURCES, LANGUAGES, SECTIONS = 200, ("en", "de", "fr", "es", "pt"), 30
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
    """An archive of `size` invented articles: a third in stories of two to six, a tenth with copies, a twentieth changed."""
    db = connect(path, write=True)
    db.conn.execute("pragma foreign_keys = off")  # the stories come last
    chance = random.Random(7)
    for trigger in ("insert", "update", "change", "delete"):
        db.conn.execute(f"drop trigger articles_fts_{trigger}")  # the index is made in one go, at the end
    with db.conn:
        db.conn.execute("begin")
        db.conn.executemany(
            "insert into sources (id, name, url, domain, language) values (?, ?, ?, ?, ?)",
            [(number, f"Paper {number}", f"https://{number}.example/", f"{number}.example", LANGUAGES[number % 5]) for number in range(1, SOURCES + 1)],
        )  # fmt: skip
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
    db.conn.execute("insert into articles_fts (articles_fts) values ('rebuild')")
    db.conn.execute("analyze")
    db.conn.execute("pragma wal_checkpoint(truncate)")
    db.close()


def _batches(rows: Iterator[dict[str, Any]], size: int) -> Iterator[tuple[dict[str, Any], ...]]:
    while batch := tuple(islice(rows, size)):
        yield batch


def _articles(chance: random.Random, size: int) -> Iterator[dict[str, Any]]:
    words = ["".join(chance.choice("bcdfglmnprstv") + chance.choice("aeiou") for _ in range(chance.randint(1, 4))) for _ in range(VOCABULARY)]  # fmt: skip
    weights = list(accumulate(1 / (rank + 3) for rank in range(VOCABULARY)))
    paragraphs = [" ".join(chance.choices(words, cum_weights=weights, k=60)) for _ in range(PARAGRAPHS)]
    end = datetime.now(UTC) - timedelta(hours=1)
    story, left = 0, 0
    for number in range(1, size + 1):
        if not left and chance.random() < 0.1:
            story, left = story + 1, chance.randint(2, 6)
        published = end - timedelta(seconds=(size - number) / size * YEARS * 365 * 86400 + chance.randint(0, 3600))
        source = chance.randint(1, SOURCES)
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
            "version_count": 2 if number % 20 == 0 else 1,
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
            (own,) = connection.execute(
                "select id from pages where article_id = ? and state = 'article'", (row["id"],)
            ).fetchone()
            text = row["text"].split(" ")
            earlier = " ".join(word for word in text if chance.random() > 0.05)
            connection.executemany(
                """insert into versions (article_id, page_id, version, fetched_at, title, content_hash, words_added, words_removed, text)
                   values (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                [(row["id"], own, 1, row["first_seen_at"], row["title"], "0", 0, 0, earlier), (row["id"], own, 2, row["last_fetched_at"], row["title"], row["content_hash"], 12, 0, row["text"])],
            )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1_000_000, help="articles of the large archive")
    parser.add_argument("--keep", type=Path, help="where the large archive is, or is to be made")
    arguments = parser.parse_args()
    make(arguments.keep, arguments.size)


if __name__ == "__main__":
    main()
