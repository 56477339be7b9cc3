"""The words of articles as the full-text index has them: which words begin so, and where in a text a hit is."""

import json
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from pipelines.database.schema import FULL_TEXT
from pipelines.publish.formatting import MARKS, spaced

BEGINNINGS = 1_000
"""Words that the beginnings in a search stand for, together. Each takes 0.1 ms to find, and as long again to look for: `ma*`
has 424 of an invented archive of a million articles, `con*` of an English one thousands."""


QUOTED = 20_000
"""Characters of a text in which hits are looked for to show them: an article has 6,000, a hostile page a million."""


READABLE = 3_000_000
"""Characters of all texts together that are read for a search, 0.1 s: 300 articles have 2 million, hostile ones 300 million."""


SNIPPET = 40
"""Words of a text around its hits."""


_QUOTED = re.compile(r'"([^"]*)"(\*?)')


def spelled_out(base: sqlite3.Connection, words: str) -> str:
    """An expression with the words of the archive in the place of their beginnings, unless there are more than BEGINNINGS:
    FTS5 gathers all hits of all words that begin so, a second at a million articles, before it gives the first."""
    beginnings = sum(bool(star) for _, star in _QUOTED.findall(words))

    def spelled(quoted: re.Match[str]) -> str:
        phrase, star = quoted.groups()
        *before, last = (_tokens(phrase) if star else []) or [""]
        found = _words_from(base, last, BEGINNINGS // beginnings + 1) if last else []
        if not found or len(found) > BEGINNINGS // beginnings:
            return quoted[0]
        return "(" + " OR ".join(f'"{" ".join((*before, word))}"' for word in found) + ")"

    return _QUOTED.sub(spelled, words)


def unwanted(words: str) -> str | None:
    """The words that an expression does not want, any of them; None where there are none."""
    found = [f'"{phrase}"{star}' for no, phrase, star in re.findall(r'( NOT )?"([^"]*)"(\*?)', words) if no]
    return " OR ".join(found) or None


def _words_from(base: sqlite3.Connection, beginning: str, most: int) -> list[str]:
    """The first words of the indexes with this beginning, by leaps: to step from word to word would read all places of each."""
    found: set[str] = set()
    for index in FULL_TEXT:
        base.execute(f"create virtual table if not exists temp.{index}_terms using fts5vocab (main, {index}, instance)")
        leap = _LEAP.format(terms=f"temp.{index}_terms")
        found.update(row[0] for row in base.execute(leap, {"beginning": beginning, "most": most}))
    return sorted(found)[:most]


_LEAP = """
    with recursive leap(term) as (
        select (select term from {terms} where term >= :beginning limit 1)
        union all
        select (select term from {terms} where term >= leap.term || char(1) limit 1)
        from leap where substr(term, 1, length(:beginning)) = :beginning
    ) select term from leap where substr(term, 1, length(:beginning)) = :beginning limit :most
"""


def _tokens(text: str) -> list[str]:
    """The words of a text as the index has them."""
    with closing(_in_memory([(1, "", "", text)])) as index:
        index.execute("create virtual table terms using fts5vocab (articles_fts, instance)")
        return [row[0] for row in index.execute("select term from terms order by offset")]


def _in_memory(articles: Iterable[tuple[int, str, str, str]]) -> sqlite3.Connection:
    """A full-text index like the archive's of some articles: id, title, description, text."""
    index = sqlite3.connect(":memory:", isolation_level=None)
    index.execute("create virtual table articles_fts using fts5 (title, description, text)")
    index.execute("begin")
    index.executemany("insert into articles_fts (rowid, title, description, text) values (?, ?, ?, ?)", articles)
    return index


def which_hold(base: sqlite3.Connection, ids: list[int], words: str) -> set[int] | None:
    """Which of these articles an expression finds; None when they have more than READABLE characters."""
    long = "select total(length(text)) from articles where id in (select value from json_each(?))"
    if base.execute(long, (json.dumps(ids),)).fetchone()[0] > READABLE:
        return None
    texts = [_as_indexed(*row) for row in base.execute(_TEXTS, (json.dumps(ids),))]
    with closing(_in_memory(texts)) as index:
        return {row[0] for row in index.execute("select rowid from articles_fts where articles_fts match ?", (words,))}


_TEXTS = "select id, title, description, text from articles where id in (select value from json_each(?))"


def _as_indexed(number: int, title: str | None, description: str | None, text: str) -> tuple[int, str, str, str]:
    """An article's words as the index has them."""
    return number, spaced(title or ""), spaced(description or ""), spaced(text)


def mark(base: sqlite3.Connection, ids: list[int], words: str) -> list[dict[str, Any]]:
    """These articles in this order, each with its `heading` and a `snippet` of its text, hits between MARKS; `is_marked` is whether
    there is one. They are found by an index of these alone: the archive's would look for the words anew for each."""
    found = {row["id"]: dict(row) for row in base.execute(_SHOWN, {"ids": json.dumps(ids), "most": QUOTED})}
    texts = [
        _as_indexed(number, row["title"], row.pop("description"), row.pop("text")) for number, row in found.items()
    ]
    with closing(_in_memory(texts)) as index:
        hits = {number: marked for number, *marked in index.execute(_MARKED, {"words": words})}
    for number, title, _, text in texts:
        found[number]["heading"], found[number]["snippet"] = hits.get(number) or (title, beginning_of(text))
        found[number]["is_marked"] = number in hits
    return [found[one] for one in ids if one in found]  # a takedown may have come since they were found


def beginning_of(text: str) -> str:
    """The first words, where the hit is further on, or the index holds other words than the article."""
    first = text.split(maxsplit=SNIPPET)
    return " ".join(first[:SNIPPET]) + "…" * (len(first) > SNIPPET)


LAST_CHANGED = """max(articles.first_seen_at, coalesce(articles.gone_at, ''),
        coalesce((select max(fetched_at) from versions where article_id = articles.id), ''))"""
"""SQL for when an article was seen to have changed last, or to be gone; else when it was first seen."""


_SHOWN = f"""
    select articles.id, articles.title, articles.url, articles.sort_at, articles.date_published, articles.first_seen_at,
        {LAST_CHANGED} as last_changed_at,
        articles.language, articles.section, articles.story_id, sources.id as source_id, sources.name as source,
        articles.description, substr(articles.text, 1, :most) as text
    from articles left join sources on sources.id = articles.source_id
    where articles.id in (select value from json_each(:ids))
"""


_MARKED = f"""
    select rowid, highlight(articles_fts, 0, '{MARKS[0]}', '{MARKS[1]}'), snippet(articles_fts, 2, '{MARKS[0]}', '{MARKS[1]}', '…', {SNIPPET})
    from articles_fts where articles_fts match :words
"""
