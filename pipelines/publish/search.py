"""What a reader typed -> the articles that hold it. Nothing typed is an error; the newest come first at any size."""

import json
import re
import sqlite3
from dataclasses import dataclass, replace
from typing import Any

from pipelines.publish.formatting import spaced
from pipelines.publish.fulltext import mark, spelled_out, which_hold

LONGEST = 200
"""Characters of a search that are read."""

MANY = 10_000
"""Hits up to which all are counted, and looked up to say how many pass the filters: 0.05 s, or 0.7 s from a cold disk."""

FEW = 1_000
"""Hits up to which it is quicker to look up the date of each than to walk to them along the index of dates."""

STEPS = 10_000_000
"""Hits times words that are gone through for a page at most, 0.2 s: of one word 2 million hits, of 1,000 words 10,000."""

READ = 300
"""Articles that are read for a search, 0.2 ms each: of a word that a tenth of all hold, enough for a page."""

RANKED = 20_000
"""Hits, the newest in the archive, that best-first ranks: 0.06 s for a word."""

LAST_PAGE = 40
"""How far a search can be turned: a reader narrows it before, and every page costs as much as all before it."""

SHORTEST_BEGINNING = 3
"""Letters of a word's beginning: `do*` would stand for a tenth of all words."""

PAGE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What narrows a list of articles; None is everything."""

    source: int | None = None  #: sources.id
    language: str | None = None
    section: str | None = None
    since: str | None = None  #: a year, month, day or instant, inclusive, as sort_at compares
    until: str | None = None

    def sql(self) -> tuple[str, dict[str, Any]]:
        """A condition on a row of articles, and its parameters."""
        conditions = {
            "source": "articles.source_id = :source",
            "language": "articles.language = :language",
            "section": "articles.section = :section",
            "since": "articles.sort_at >= :since",
            "until": "articles.sort_at <= :until || '~'",
        }
        given = {name: value for name in conditions if (value := getattr(self, name)) is not None}
        return " and ".join(conditions[name] for name in given) or "true", given

    @property
    def first(self) -> str:
        """A condition on articles that one index answers, in the order of sort_at: that of the first filter and of the time."""
        return replace(self, **dict.fromkeys(self._others)).sql()[0]

    @property
    def others(self) -> str:
        """The other filters, by a list from the index of each: to read a million rows takes minutes."""
        columns = {"source": "source_id", "section": "section", "language": "language"}
        lists = [f"+articles.id in (select id from articles where {columns[one]} = :{one})" for one in self._others]
        return " and ".join(lists) or "true"

    @property
    def _others(self) -> list[str]:
        return [name for name in ("source", "section", "language") if getattr(self, name) is not None][1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of hits."""

    rows: list[dict[str, Any]]  #: with `snippet` and `heading`, hits between MARKS
    more: bool  #: whether there is a next page
    count: int  #: hits in the whole archive, filters aside; MANY + 1 for more than MANY
    passing: int | None  #: hits that pass the filters; None where they were not counted
    within: int | None  #: of how many hits, those stored last, the page was made; None where of all it might need


NOTHING = Found(rows=[], more=False, count=0, passing=0, within=None)
"""What is found when no word was typed."""


def expression(typed: str) -> str | None:
    """The words as FTS5 reads them, every one quoted: `"a phrase"`, `OR` between alternatives, `-word` or `NOT word` for without,
    `wor*` for a beginning. None when no word is left to look for."""
    alternatives = [
        _all_of(part)
        for part in re.split(r"\bOR\b(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", typed[:LONGEST].replace("\0", " "))
    ]
    return " OR ".join(f"({part})" for part in alternatives if part) or None


def _all_of(typed: str) -> str:
    """Words that must all be there, and then words that must not."""
    wanted: list[str] = []
    unwanted: list[str] = []
    operator = ""
    for minus, phrase, word, star in re.findall(r'(-?)(?:"([^"]*)"?|([^\s"*]+)(\*?))', typed):
        if word in ("AND", "NOT"):
            operator = word
            continue
        letters = spaced(phrase or word)
        if re.search(r"\w", letters):
            beginning = star if len(word) >= SHORTEST_BEGINNING else ""
            (unwanted if minus or operator == "NOT" else wanted).append(f'"{letters}"' + beginning)
        operator = ""
    return " AND ".join(wanted) + "".join(f" NOT {word}" for word in unwanted) if wanted else ""


def search(
    base: sqlite3.Connection, words: str, filters: Filters, *, best: bool = False, page: int = 1, size: int = PAGE
) -> Found:
    """One page of the articles that an expression() finds, the newest first; with `best`, of the last RANKED hits the best."""
    asked = _Asked(words=spelled_out(base, words), filters=filters, rows=size * page + 1)
    reach = max(asked.ranked if best else 0, MANY) + 1
    last = [row[0] for row in base.execute(_HITS, asked.given | {"reach": reach})]
    passing, within = None, None
    if best:
        ids, within = _best(base, asked), asked.ranked if len(last) > asked.ranked else None
    elif len(last) <= (FEW if filters == Filters() else MANY):
        ids, passing = _all(base, asked, last)
    else:
        ids, within = _newest(base, asked, last)
    shown = ids[size * (page - 1) :]
    more = len(shown) > size and page < LAST_PAGE
    rows = mark(base, shown[:size], words)
    return Found(rows=rows, more=more, count=min(len(last), MANY + 1), passing=passing, within=within)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A search on its way through the archive."""

    words: str  #: an expression() as FTS5 is to read it
    filters: Filters
    rows: int  #: from the first that are wanted

    @property
    def given(self) -> dict[str, Any]:
        """The parameters of every query here."""
        return self.filters.sql()[1] | {"words": self.words, "rows": self.rows}

    @property
    def reach(self) -> int:
        """Hits that may be gone through. Each costs its words, and as much as four to be kept."""
        return max(STEPS // (self.words.count('"') // 2 + 4), 1)

    @property
    def ranked(self) -> int:
        """Hits that may be ranked."""
        return min(RANKED, self.reach)


_HITS = "select rowid as id from articles_fts where articles_fts match :words order by rowid desc limit :reach"
"""The hits that were stored last: news is mostly stored in the order of its time, an import of old papers is not."""


def _all(base: sqlite3.Connection, asked: _Asked, hits: list[int]) -> tuple[list[int], int]:
    """The newest of these hits that pass the filters, and how many pass."""
    found = base.execute(
        f"""select articles.id, count(*) over () from json_each(:hits) as hit cross join articles on articles.id = hit.value
        where {asked.filters.sql()[0]} order by articles.sort_at desc, articles.id desc limit :rows""",
        asked.given | {"hits": json.dumps(hits)},
    ).fetchall()
    return [row[0] for row in found], found[0][1] if found else 0


def _newest(base: sqlite3.Connection, asked: _Asked, hits: list[int]) -> tuple[list[int], int | None]:
    """The newest hits of very many that pass the filters; and of how many, where not all could be gone through.

    The hits stored last mostly are the newest; where filters lead elsewhere, the newest articles that pass mostly hold a word
    that half of all articles hold; and the hits of one that few hold are soon gone through. Several filters mostly lead
    elsewhere."""
    found = _walk(base, asked, hits) if asked.filters.others == "true" else None
    if found is None:
        found = _read(base, asked)
    return (found, None) if found is not None else _look_through(base, asked)


def _walk(base: sqlite3.Connection, asked: _Asked, hits: list[int]) -> list[int] | None:
    """The newest articles that are among the hits stored last. None when an article comes before the page is full that was
    stored before all of these: it may be a hit, too."""
    found = []
    edge = hits[-1] if len(hits) > MANY else 0
    for number, is_known in base.execute(
        f"""with hit as materialized (select value as id from json_each(:hits))
        select articles.id, articles.id >= :edge from articles
        where {asked.filters.first} and (+articles.id < :edge or +articles.id in (select id from hit))
        order by articles.sort_at desc, articles.id desc limit :rows""",
        asked.given | {"hits": json.dumps(hits), "edge": edge},
    ):
        if not is_known:
            return None
        found.append(number)
    return found


def _read(base: sqlite3.Connection, asked: _Asked) -> list[int] | None:
    """The hits among the newest READ articles that pass the filters. None when more are needed, or one is too long to read."""
    newest = f"""select id from articles where {asked.filters.first} and {asked.filters.others}
        order by articles.sort_at desc, articles.id desc limit {READ}"""
    ids = [row[0] for row in base.execute(newest, asked.given)]
    hits = which_hold(base, ids, asked.words)
    if hits is None or (len(hits) < asked.rows and len(ids) == READ):
        return None
    return [number for number in ids if number in hits][: asked.rows]


def _look_through(base: sqlite3.Connection, asked: _Asked) -> tuple[list[int], int | None]:
    """The newest of all hits that pass the filters; and how many were gone through, where that may not have been all."""
    *found, (count,) = base.execute(
        f"""with hit as materialized ({_HITS}) select * from (
            select articles.id from articles
            where {asked.filters.first} and +articles.id in (select id from hit) and {asked.filters.others}
            order by articles.sort_at desc, articles.id desc limit :rows
        ) union all select count(*) from hit""",
        asked.given | {"reach": asked.reach},
    )
    return [row[0] for row in found], count if count == asked.reach else None


def _best(base: sqlite3.Connection, asked: _Asked) -> list[int]:
    """The best of the hits stored last, of those that pass the filters."""
    narrowed = "true"
    if asked.filters != Filters():
        narrowed = f"articles.id in (select id from articles where {asked.filters.first}) and {asked.filters.others}"
    found = base.execute(
        f"""select id from (
            select rowid as id, rank from articles_fts where articles_fts match :words order by rowid desc limit :ranked
        ) as articles where {narrowed} order by rank, id desc limit :rows""",
        asked.given | {"ranked": asked.ranked},
    )
    return [row[0] for row in found]
