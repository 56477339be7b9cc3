"""What a reader typed -> the articles that hold it. Nothing typed is an error; the newest come first at any size."""

import json
import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from pipelines.publish.words import MARKS, spaced

LONGEST = 200
"""Characters of a search that are read."""

MANY = 10_000
"""Hits from which on it is quicker to walk the articles from the newest and ask of each whether it is a hit, than to look
up the date of every hit: at a million articles either takes about 0.1 s here."""

RANKED = 20_000
"""Hits, the newest in the archive, that best-first ranks, and that are put in order for the beginning of a word."""

LAST_PAGE = 40
"""How far a search can be turned: a reader narrows it before, and every page costs as much as all before it."""

SHORTEST_BEGINNING = 3
"""Letters of a word's beginning: `do*` would have to gather a tenth of all words."""

PAGE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What narrows a list of articles; None is everything."""

    source: int | None = None  #: sources.id
    language: str | None = None
    section: str | None = None
    since: str | None = None  #: a year, month, day or instant, inclusive, as sort_at compares
    until: str | None = None

    def sql(self, article: str = "articles") -> tuple[str, dict[str, Any]]:
        """A condition on a row of articles, and its parameters; the table's name or alias is part of the program."""
        conditions = {
            "source": f"{article}.source_id = :source",
            "language": f"{article}.language = :language",
            "section": f"{article}.section = :section",
            "since": f"{article}.sort_at >= :since",
            "until": f"{article}.sort_at <= :until || '~'",
        }
        given = {name: value for name in conditions if (value := getattr(self, name)) is not None}
        return " and ".join(conditions[name] for name in given) or "true", given


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of hits."""

    rows: list[dict[str, Any]]  #: with `snippet` and `heading`, hits between MARKS
    more: bool  #: whether there is a next page
    count: int  #: hits in the whole archive, filters aside; MANY + 1 for more than MANY


def expression(typed: str) -> str | None:
    """The words as FTS5 reads them, every one quoted: `"a phrase"`, `OR` between alternatives, `-word` for without, `wor*`
    for a beginning. None when no word is left to look for."""
    alternatives = [
        _all_of(part)
        for part in re.split(r"\bOR\b(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", typed[:LONGEST].replace("\0", " "))
    ]
    return " OR ".join(f"({part})" for part in alternatives if part) or None


def _all_of(typed: str) -> str:
    """Words that must all be there, and then words that must not."""
    wanted: list[str] = []
    unwanted: list[str] = []
    for minus, phrase, word, star in re.findall(r'(-?)(?:"([^"]*)"?|([^\s"*]+)(\*?))', typed):
        letters = spaced(phrase or word)
        if re.search(r"\w", letters):
            beginning = star if len(word) >= SHORTEST_BEGINNING else ""
            (unwanted if minus else wanted).append(f'"{letters}"' + beginning)
    return " AND ".join(wanted) + "".join(f" NOT {word}" for word in unwanted) if wanted else ""


def search(
    base: sqlite3.Connection, words: str, filters: Filters, *, best: bool = False, page: int = 1, size: int = PAGE
) -> Found:
    """One page of the articles that an expression() finds, the newest first; with `best`, of the newest RANKED hits the best."""
    condition, given = filters.sql()
    count = base.execute(
        "select count(*) from (select rowid from articles_fts where articles_fts match :words limit :many)",
        {"words": words, "many": MANY + 1},
    ).fetchone()[0]
    # To ask of each article whether it holds the beginning of a word gathers all such words every time.
    order = _BEST if best else _LOOK_UP if count <= MANY else _NEWEST if "*" in words else _WALK
    limits = {"words": words, "limit": size + 1, "offset": size * (page - 1), "ranked": RANKED}
    ids = [row[0] for row in base.execute(order.format(condition=condition), given | limits)]
    shown = _rows(base, ids[:size], words) if ids else []
    return Found(rows=shown, more=len(ids) > size and page < LAST_PAGE, count=count)


_LOOK_UP = """
    select articles.id from articles_fts join articles on articles.id = articles_fts.rowid
    where articles_fts match :words and {condition} order by articles.sort_at desc, articles.id desc limit :limit offset :offset
"""
_WALK = """
    select articles.id from articles
    where {condition} and exists (select 1 from articles_fts where articles_fts match :words and rowid = articles.id)
    order by articles.sort_at desc, articles.id desc limit :limit offset :offset
"""
_NEWEST = """
    select articles.id from (
        select rowid from articles_fts where articles_fts match :words order by rowid desc limit :ranked
    ) as hit join articles on articles.id = hit.rowid
    where {condition} order by articles.sort_at desc, articles.id desc limit :limit offset :offset
"""
_BEST = """
    select articles.id from (
        select rowid, rank from articles_fts where articles_fts match :words order by rowid desc limit :ranked
    ) as hit join articles on articles.id = hit.rowid
    where {condition} order by hit.rank, articles.sort_at desc limit :limit offset :offset
"""


def _rows(base: sqlite3.Connection, ids: list[int], words: str) -> list[dict[str, Any]]:
    """The articles in this order, with their hits marked. Beginnings of words are gathered once, for all of them."""
    together = "*" in words
    asked = [(min(ids), max(ids))] if together else [(one, one) for one in ids]
    found = {
        row["id"]: dict(row)
        for low, high in asked
        for row in base.execute(_MARKED, {"words": words, "low": low, "high": high, "ids": json.dumps(ids)})
    }
    return [found[one] for one in ids]


_MARKED = f"""
    select articles.id, articles.title, articles.url, articles.sort_at, articles.date_published, articles.first_seen_at,
        articles.language, articles.section, articles.story_id, sources.id as source_id, sources.name as source,
        highlight(articles_fts, 0, '{MARKS[0]}', '{MARKS[1]}') as heading,
        snippet(articles_fts, 2, '{MARKS[0]}', '{MARKS[1]}', '…', 40) as snippet
    from articles_fts join articles on articles.id = articles_fts.rowid left join sources on sources.id = articles.source_id
    where articles_fts match :words and articles_fts.rowid between :low and :high
        and articles.id in (select value from json_each(:ids))
"""
