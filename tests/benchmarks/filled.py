"""Archives of any size for other benchmarks, written straight through the schema: thousands of articles in a second."""

import contextlib
import random
import sqlite3
from functools import cache
from pathlib import Path

from pipelines.database.connection import connect
from pipelines.database.schema import APPLICATION_ID, migrations
from pipelines.database.sqlite import Database
from tests.support.loopback import story

HOST = "https://filled.example"

ARTICLE = """insert into articles (id, url, source_id, title, description, text, authors, date_published, date_published_source,
    sort_at, language, word_count, content_hash, extractor, first_seen_at, last_fetched_at, version_count)
    values (?, ?, 1, ?, ?, ?, '["A. Writer"]', ?, 'meta', ?, 'en', ?, ?, 'filled', ?, ?, 1)"""

PAGE = """insert into pages (id, url, source_id, via, state, article_id, attempts, discovered_at, last_fetched_at)
    values (?, ?, 1, 'feed', 'article', ?, 1, ?, ?)"""


def fill(path: Path, articles: int, *, words: int = 400) -> None:
    """Make an archive with so many articles of one source; every hundredth text is another, the rest repeat."""
    connect(path, write=True).close()
    _insert(path, articles, words)


def fill_old(path: Path, articles: int) -> None:
    """The same as the first release's schema had it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as base:
        base.execute("pragma journal_mode = wal")
        base.execute(f"pragma application_id = {APPLICATION_ID}")
        migrations.apply(Database(base), stop_before="m002_copies_and_stories")
    _insert(path, articles, 200)


def _insert(path: Path, articles: int, words: int) -> None:
    texts = [_text(number, words) for number in range(100)]
    chance = random.Random(articles)
    with contextlib.closing(sqlite3.connect(path)) as base, base:
        base.execute(
            "insert into sources (id, name, url, domain, enabled, status) values (1, 'Filled', ?, 'filled.example', 1, 'ok')",
            [f"{HOST}/"],
        )
        for number in range(1, articles + 1):
            day = f"2026-{chance.randint(1, 10):02}-{chance.randint(1, 28):02}T08:00:00Z"
            url, text = f"{HOST}/{number}", texts[number % 100]
            title = f"Pier {number} mended before dawn"
            base.execute(ARTICLE, [number, url, title, text[:150], text, day, day, words, f"{number:064x}", day, day])
            base.execute(PAGE, [number, url, number, day, day])


@cache
def _text(number: int, words: int) -> str:
    """Of about so many words; one story has 150."""
    return "\n\n".join(story(f"filler {number} {part}") for part in range(max(1, words // 150)))
