"""What a reader typed -> the articles that hold it. Nothing typed is an error; the newest come first at any size."""

import json
import re
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pipelines.publish.categories import IS_IN
from pipelines.publish.formatting import spaced
from pipelines.publish.fulltext import mark, spelled_out, unwanted, which_hold
from pipelines.publish.variants import say_where, variants_of

LONGEST = 200
"""Characters of a search that are read."""

MANY = 10_000
"""Hits up to which all are counted, and looked up to say how many pass the filters: 0.05 s, or 0.7 s from a cold disk."""

FEW = 1_000
"""Hits up to which it is quicker to look up the date of each than to walk to them along the index of dates."""

LOOKED_UP = 200
"""Hits that are gone through in the time that it takes to look for a word in one article, 0.03 ms."""

STEPS = 10_000_000
"""Hits times words that are gone through for a page at most, 0.2 s: of one word 2 million hits, of 1,000 words 10,000."""

READ = 300
"""Articles that are read for a search, 0.2 ms each: of a word that a tenth of all hold, enough for a page."""

RANKED = 20_000
"""Hits, the newest in the archive, that best-first ranks: 0.06 s for a word."""

LAST_PAGE = 40
"""How far a search can be turned: a reader narrows it before, and every page costs as much as all before it."""

WHEN = r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])(T[0-9:]{2,8}Z?)?)?)?"
"""A year, a month, a day or an instant as the archive has them, for `since` and `until`."""

SHORTEST_BEGINNING = 3
"""Letters of a word's beginning: `do*` would stand for a tenth of all words."""

PAGE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What narrows a list of articles; None is everything."""

    source: int | None = None  #: sources.id
    category: str | None = None  #: a folder of sources, as categories.named() writes it
    language: str | None = None
    section: str | None = None
    since: str | None = None  #: a year, month, day or instant, inclusive, as sort_at compares
    until: str | None = None

    def sql(self) -> tuple[str, dict[str, Any]]:
        """A condition on a row of articles, and its parameters."""
        given = {name: value for name in _OF_A_ROW if (value := getattr(self, name)) is not None}
        return " and ".join(_OF_A_ROW[name] for name in given) or "true", given

    @property
    def table(self) -> str:
        """`articles` for a query with `first`. Of a category SQLite would often rather walk all along the index of dates."""
        return "articles" if self.category is None else "articles indexed by articles_source"

    @property
    def first(self) -> str:
        """A condition on articles that one index answers, in the order of sort_at: that of the first filter and of the time."""
        left = self.sql()[1].keys() - set(self._others)
        return " and ".join(_BY_INDEX[name] for name in _BY_INDEX if name in left) or "true"

    @property
    def others(self) -> str:
        """The other filters, by a list from the index of each: to read a million rows takes minutes."""
        lists = [f"+articles.id in (select id from articles where {_BY_INDEX[one]})" for one in self._others]
        return " and ".join(lists) or "true"

    @property
    def _others(self) -> list[str]:
        given = [one for one in ("source", "category", "section", "language") if getattr(self, one) is not None]
        return [one for one in given[1:] if one != "category"]  # a source's index knows its category


_OF_A_ROW = {
    "source": "articles.source_id = :source",
    "category": f"exists (select 1 from sources where sources.id = articles.source_id and {IS_IN})",
    "language": "articles.language = :language",
    "section": "articles.section = :section",
    "since": "articles.sort_at >= :since",
    "until": "articles.sort_at <= :until || '~'",
}
"""Filter -> the condition on a row that was found."""

_BY_INDEX = _OF_A_ROW | {"category": f"articles.source_id in (select id from sources where {IS_IN})"}
"""The same for an index to find them by. Of a category SQLite walks the newest of each source, no further than a page needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of hits."""

    rows: list[
        dict[str, Any]
    ]  #: with `snippet`, `heading` and `said_title`, hits between MARKS; `said_in` tells where the hit is
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
    """One page of the articles that an expression() finds, or that a copy or another version of is, the newest first; with `best`,
    of the last RANKED hits the best."""
    asked = _asked(base, words, filters, size * page + 1)
    reach = max(asked.ranked if best else 0, MANY) + 1
    last, elsewhere = _last_hits(base, asked, reach)
    passing, within = None, None
    if best:
        ids, within = _best(base, asked, last, elsewhere), asked.ranked if len(last) > asked.ranked else None
    elif len(last) <= (FEW if filters == Filters() else MANY):
        ids, passing = _all(base, asked, last)
    else:
        ids, within = _newest(base, asked, last)
    shown = ids[size * (page - 1) :]
    more = len(shown) > size and page < LAST_PAGE
    rows = _shown(base, asked, shown[:size], words)
    return Found(rows=rows, more=more, count=min(len(last), MANY + 1), passing=passing, within=within)


def seen_last(base: sqlite3.Connection, words: str, filters: Filters, size: int) -> list[dict[str, Any]]:
    """The articles that an expression() finds, those first that were seen last, or whose copy or version with these words was: what
    was found late comes with what is new. Of more than RANKED hits those stored last."""
    asked = _asked(base, words, filters, size)
    last, elsewhere = _last_hits(base, asked, asked.ranked)
    given, stored = asked.given, last[:size]
    if filters != Filters():
        passing = base.execute(_PASSING.format(filters=filters), given | {"hits": json.dumps(last)})
        stored = [row[0] for row in passing]
    said = {"hits": json.dumps([*elsewhere.values()])}
    late = base.execute(_SAID_LAST.format(passes=filters.sql()[0]), given | said)
    rows = _shown(base, asked, sorted({*stored, *(row[0] for row in late)}), words)
    return sorted(rows, key=lambda row: (row["found_at"], row["id"]), reverse=True)[:size]


def among(base: sqlite3.Connection, words: str, filters: Filters, ids: Collection[int]) -> list[int]:
    """Which of some articles search() would find, by their numbers: these alone are looked at, where they are few."""
    asked = _asked(base, words, filters, 0)
    found = set(_holding(base, asked.words, ids))
    elsewhere = set(_said_of(base, asked.words, set(ids) - found))
    if asked.without:
        elsewhere -= set(_holding(base, asked.without, elsewhere))
    passing = f"""select articles.id from json_each(:hits) as hit cross join articles on articles.id = hit.value
        where {filters.sql()[0]} order by articles.id"""
    return [row[0] for row in base.execute(passing, asked.given | {"hits": json.dumps([*found, *elsewhere])})]


def shown(base: sqlite3.Connection, words: str, ids: list[int]) -> list[dict[str, Any]]:
    """These articles in this order as the rows of Found, also those that an expression() does not find any more."""
    return _shown(base, _asked(base, words, Filters(), 0), ids, words)


def _asked(base: sqlite3.Connection, words: str, filters: Filters, rows: int) -> "_Asked":
    return _Asked(words=spelled_out(base, words), without=unwanted(words), filters=filters, rows=rows)


def _shown(base: sqlite3.Connection, asked: "_Asked", ids: list[int], words: str) -> list[dict[str, Any]]:
    return say_where(base, mark(base, ids, words), asked.words, words, asked.reach)


def every_hit(without: str | None) -> str:
    """SQL for the ids of all articles that `:words` finds, an expression() as spelled_out() has it; `:without` is its unwanted()."""
    return f"{_OWN} union select id from ({_ELSEWHERE}) {_WITHOUT if without else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A search on its way through the archive."""

    words: str  #: an expression() as FTS5 is to read it
    without: str | None  #: finds what no hit may hold
    filters: Filters
    rows: int  #: from the first that are wanted

    @property
    def given(self) -> dict[str, Any]:
        """The parameters of every query here."""
        given = {"words": self.words, "without": self.without, "rows": self.rows}
        return self.filters.sql()[1] | given

    @property
    def hits(self) -> str:
        """The articles stored last that are found by their own words, or by what is said elsewhere of them: news is mostly stored in
        the order of its time, an import of old papers is not."""
        if self.without is None:  # each article once, so that as many suffice as are wanted of both
            return f"{_OWN} union select id from ({_ELSEWHERE} limit :reach) order by id desc limit :reach"
        return f"{every_hit(self.without)} order by id desc limit :reach"

    @property
    def reach(self) -> int:
        """Hits that may be gone through. Each costs its words, and as much as four to be kept."""
        return max(STEPS // (self.words.count('"') // 2 + 4), 1)

    @property
    def ranked(self) -> int:
        """Hits that may be ranked."""
        return min(RANKED, self.reach)


_OWN = "select rowid as id from articles_fts where articles_fts match :words"

_ELSEWHERE = "select distinct rowid >> 20 as id from variants_fts where variants_fts match :words order by rowid desc"
"""The article of a variant is in its number, and hits come in the order of articles (migration 30)."""

_WITHOUT = "except select rowid from articles_fts where articles_fts match :without"
"""What is said elsewhere is only what the article does not say: a word that is unwanted is looked for in both."""

_PASSING = """
    with hit as materialized (select value as id from json_each(:hits)) select articles.id from {filters.table}
    where {filters.first} and +articles.id in (select id from hit) and {filters.others} order by +articles.id desc limit :rows"""

_SAID_LAST = """
    select articles.id from json_each(:hits) as hit cross join variants on variants.id = hit.value
    cross join articles on articles.id = variants.article_id where {passes} order by variants.first_seen_at desc limit :rows"""


def _last_hits(base: sqlite3.Connection, asked: _Asked, reach: int) -> tuple[list[int], dict[int, int]]:
    """The same articles as asked.hits finds, and of those that only what is said elsewhere finds the number of the first variant. That
    is looked at no further than needed: three times as fast where very many are found."""
    given = asked.given | {"reach": reach}
    own = [row[0] for row in base.execute(f"{_OWN} order by rowid desc limit :reach", given)]
    given["edge"] = own[-1] if len(own) == reach else 0
    numbers = [row[0] for row in base.execute(_NUMBERS, given)]
    elsewhere = {number >> 20: number for number in numbers}
    for number in elsewhere.keys() & set(own):
        del elsewhere[number]
    if elsewhere and asked.without:
        for number in _holding(base, asked.without, elsewhere):
            del elsewhere[number]
    if not elsewhere:
        return own, {}
    last = sorted((*own, *elsewhere), reverse=True)[:reach]
    return last, {number: first for number, first in elsewhere.items() if number >= last[-1]}


_NUMBERS = "select rowid from variants_fts where variants_fts match :words and rowid >= :edge << 20 order by rowid desc"
"""Downwards: the last of an article's is its first."""


def _holding(base: sqlite3.Connection, words: str, ids: Collection[int]) -> list[int]:
    """Which of some articles hold one of these words: each is looked up, or where they lie close all that hold one gone through."""
    if not ids:
        return []
    if _lie_far_apart(ids, words):
        sql = "select value from json_each(:ids) as hit where exists (select 1 from articles_fts where articles_fts match :words and rowid = value)"
    else:
        sql = """with hit as materialized (select value as id from json_each(:ids))
            select rowid from articles_fts where articles_fts match :words and rowid between :first and :last and +rowid in (select id from hit)"""
    given = {"ids": json.dumps([*ids]), "words": words, "first": min(ids), "last": max(ids)}
    return [row[0] for row in base.execute(sql, given)]


def _said_of(base: sqlite3.Connection, words: str, ids: Collection[int]) -> list[int]:
    """Of which of some articles a copy or version holds what is looked for; as _holding() does it."""
    if not ids:
        return []
    if _lie_far_apart(ids, words):
        sql = """select value from json_each(:ids) as hit where exists (
            select 1 from variants_fts where variants_fts match :words and rowid >= value << 20 and rowid < (value + 1) << 20)"""
    else:
        sql = """with hit as materialized (select value as id from json_each(:ids)) select distinct rowid >> 20 from variants_fts
            where variants_fts match :words and rowid >= :first << 20 and rowid < (:last + 1) << 20
                and rowid >> 20 in (select id from hit)"""
    given = {"ids": json.dumps([*ids]), "words": words, "first": min(ids), "last": max(ids)}
    return [row[0] for row in base.execute(sql, given)]


def _lie_far_apart(ids: Collection[int], words: str) -> bool:
    """Whether to look each of some articles up, each word for itself, costs less than to go through all hits between the first and the
    last. A beginning may stand for a thousand words: 1,000 articles were 4 s of looking up, and 0.02 s of going through."""
    return LOOKED_UP * len(ids) * (words.count('"') // 2) < max(ids) - min(ids)


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
        select articles.id, articles.id >= :edge from {asked.filters.table}
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
    newest = f"""select id from {asked.filters.table} where {asked.filters.first} and {asked.filters.others}
        order by articles.sort_at desc, articles.id desc limit {READ}"""
    ids = [row[0] for row in base.execute(newest, asked.given)]
    hits = which_hold(base, ids, asked.words)
    if hits is not None:
        others = [number for number in ids if number not in hits]
        hits |= variants_of(base, others, asked.words, asked.reach).keys() - _barred(base, others, asked)
    if hits is None or (len(hits) < asked.rows and len(ids) == READ):
        return None
    return [number for number in ids if number in hits][: asked.rows]


def _barred(base: sqlite3.Connection, ids: list[int], asked: _Asked) -> set[int]:
    """Which of some articles hold what no hit may hold."""
    return (which_hold(base, ids, asked.without) or set()) if asked.without else set()


def _look_through(base: sqlite3.Connection, asked: _Asked) -> tuple[list[int], int | None]:
    """The newest of all hits that pass the filters; and how many were gone through, where that may not have been all."""
    *found, (count,) = base.execute(
        f"""with hit as materialized ({asked.hits}) select * from (
            select articles.id from {asked.filters.table}
            where {asked.filters.first} and +articles.id in (select id from hit) and {asked.filters.others}
            order by articles.sort_at desc, articles.id desc limit :rows
        ) union all select count(*) from hit""",
        asked.given | {"reach": asked.reach},
    )
    return [row[0] for row in found], count if count == asked.reach else None


def _best(base: sqlite3.Connection, asked: _Asked, last: list[int], elsewhere: dict[int, int]) -> list[int]:
    """The best of the hits stored last, of those that pass the filters; one that is said elsewhere by the best that says it."""
    passing, narrowed = "", "true"
    if asked.filters != Filters():
        hits = "+articles.id in (select value from json_each(:hits))"  # a list of all that pass takes a microsecond for each
        passes = f"{asked.filters.first} and {hits} and {asked.filters.others}"
        passing = f"with passing as materialized (select id from {asked.filters.table} where {passes})"
        narrowed = (
            "+id in (select id from passing)"  # without `+` the words are looked for once for each that passes: 10 s
        )
    edge = last[asked.ranked - 1] if len(last) > asked.ranked else 0
    found = base.execute(
        f"""{passing} select id from (
            select * from (
                select id, rank from (
                    select rowid as id, rank from articles_fts where articles_fts match :words and rowid >= :edge
                ) where {narrowed} order by rank, id desc limit :rows
            )
            union all select * from (
                select id, min(rank) as rank from (
                    select rowid >> 20 as id, rank from variants_fts where variants_fts match :words and rowid >= :edge << 20
                        and rowid >> 20 in (select value from json_each(:elsewhere))
                ) where {narrowed} group by id order by 2, id desc limit :rows
            )
        ) order by rank, id desc limit :rows""",
        asked.given | {"edge": edge, "elsewhere": json.dumps([*elsewhere]), "hits": json.dumps(last)},
    )
    return [row[0] for row in found]
