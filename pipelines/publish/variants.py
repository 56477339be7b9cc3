"""Hits by what copies and other versions of an article say: where they stand, and the words around them."""

import json
import sqlite3
from contextlib import closing
from typing import Any

from pipelines.publish.formatting import MARKS, spaced
from pipelines.publish.fulltext import QUOTED, SNIPPET, beginning_of


def variants_of(base: sqlite3.Connection, ids: list[int], words: str, reach: int) -> dict[int, int]:
    """Of which of these articles a copy or version is found, and the number of the first one; of at most `reach` hits."""
    if not ids:
        return {}
    return dict(map(tuple, base.execute(_FIRST, {"ids": json.dumps(ids), "words": words, "reach": reach})))


_FIRST = """
    select id >> 20, min(id) from (select rowid as id from variants_fts where variants_fts match :words order by rowid desc limit :reach)
    where id >> 20 in (select value from json_each(:ids)) group by 1
"""


def say_where(
    base: sqlite3.Connection, rows: list[dict[str, Any]], spelled: str, words: str, reach: int
) -> list[dict[str, Any]]:
    """The rows of mark(), each with where its hit stands: `said_in` is article, copy or version, `found_at` when that was first
    seen; of a copy `copy_url` and `copy_source`; `said_title` is a title that the article has not. `snippet` is of there."""
    unmarked = [row["id"] for row in rows if not row.pop("is_marked")]
    numbers = variants_of(base, unmarked, spelled, reach)
    said = _marked(base, list(numbers.values()), words)
    for row in rows:
        where = {
            "said_in": "article",
            "found_at": row["first_seen_at"],
            "said_title": None,
            "copy_url": None,
            "copy_source": None,
        }
        row |= where | said.get(row["id"], {})
        row["last_changed_at"] = max(row["last_changed_at"], row["found_at"])
    return rows


def _marked(base: sqlite3.Connection, numbers: list[int], words: str) -> dict[int, dict[str, Any]]:
    """What variants of these numbers say of a hit, by their articles."""
    rows = [dict(row) for row in base.execute(_SAID, {"ids": json.dumps(numbers), "most": QUOTED})] if numbers else []
    texts = [(row.pop("id"), spaced(row["said_title"] or ""), spaced(row.pop("text") or "")) for row in rows]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as index:
        index.execute("create virtual table variants_fts using fts5 (title, text)")
        index.executemany("insert into variants_fts (rowid, title, text) values (?, ?, ?)", texts)
        hits = {number: marked for number, *marked in index.execute(_MARKED, {"words": words})}
    found = {}
    for row, (number, title, text) in zip(rows, texts, strict=True):
        marked, snippet = hits.get(number) or (title, beginning_of(text))
        article = row.pop("article_id")  # before the row is read: what is assigned is evaluated first
        found[article] = row | {"said_title": marked or None} | ({"snippet": snippet} if snippet else {})
    return found


_SAID = """
    select variants.id, variants.article_id, variants.first_seen_at as found_at, variants.title as said_title,
        substr(variants.text, 1, :most) as text, iif(is_copy, 'copy', 'version') as said_in,
        iif(is_copy, pages.url, null) as copy_url, iif(is_copy, sources.name, null) as copy_source
    from variants join (
        select id, url, source_id, state = 'duplicate' and reason in ('text', 'near') as is_copy from pages
    ) as pages on pages.id = variants.page_id
    left join sources on sources.id = pages.source_id
    where variants.id in (select value from json_each(:ids))
"""


_MARKED = f"""
    select rowid, highlight(variants_fts, 0, '{MARKS[0]}', '{MARKS[1]}'), snippet(variants_fts, 1, '{MARKS[0]}', '{MARKS[1]}', '…', {SNIPPET})
    from variants_fts where variants_fts match :words
"""
