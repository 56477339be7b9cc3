"""What a reader typed -> the articles that hold it. Nothing typed is an error; the newest come first at any size."""

import json
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from pipelines.publish.words import MARKS, spaced

LONGEST = 200
"""Characters of a search that are read."""

MANY = 10_000
"""Hits up to which all are looked at to say how many pass the filters: 0.05 s, and 0.7 s when their rows must come from a disk."""

FEW = 1_000
"""Hits up to which it is quicker to look up the date of each than to walk to them along the index of dates."""

ASKED = 500
READ = 200
"""Of the articles that pass the filters the newest that are looked at one by one: asked whether they are hits, which takes
0.07 ms for each word, or if that is longer, read, which takes 0.2 ms."""

SCANNED = 1_000
"""Articles that pass the other filters, the newest, of which the language is read for that: 0.2 s when they must come from a disk."""

STEPS = 10_000_000
"""Hits times words that are looked at for a page at most, which takes 0.2 s: of one word 2 million hits, of 1,000 words
10,000, the newest."""

RANKED = 20_000
"""Hits, the newest that pass the filters, that best-first ranks: 0.06 s for a word."""

BEGINNINGS = 1_000
"""Words that the beginnings in a search stand for, together. Each takes 0.1 ms to find, and as long again to look for: `ma*`
has 424 of an invented archive of a million articles, `con*` of an English one thousands."""

LAST_PAGE = 40
"""How far a search can be turned: a reader narrows it before, and every page costs as much as all before it."""

SHORTEST_BEGINNING = 3
"""Letters of a word's beginning: `do*` would stand for a tenth of all words."""

ANCHOR = 1_000
"""Of the articles that pass the filters the newest, which say where in the archive a page begins."""

LAST_ID = 2**63 - 1
QUOTED = 100_000
"""Characters of a text in which the words are looked for to show them: an article has 6,000, a hostile page a million."""

PAGE = 25
SNIPPET = 40
"""Words of a text around its hits."""


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
    passing: int | None  #: hits that pass the filters; None where they were not counted
    within: int | None  #: how many of the newest hits were looked at; None where no other could belong on the page
    cut: list[str]  #: beginnings of so many words that not all were looked for


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


def search(base: sqlite3.Connection, words: str, filters: Filters, *, best: bool = False, page: int = 1) -> Found:
    """One page of the articles that an expression() finds, the newest first; with `best`, of the newest RANKED hits the best.

    Exact, whatever the order articles were stored in, unless `within` or `cut` say what was left out."""
    asked = _spelled_out(base, words)
    near = [row[0] for row in base.execute(_HITS, {"words": asked.words, "top": LAST_ID, "reach": MANY + 1})]
    rows, passing, within = PAGE * page + 1, None, None
    if best:
        ids, passing, within = _best(base, asked, filters, len(near), rows)
    elif len(near) <= MANY:
        ids, passing = _all(base, near, filters, rows)
    else:
        ids, within = _newest(base, asked, filters, near, rows)
    shown = ids[PAGE * (page - 1) :]
    return Found(
        rows=_rows(base, shown[:PAGE], words),
        more=len(shown) > PAGE and page < LAST_PAGE,
        count=len(near),
        passing=passing,
        within=within,
        cut=asked.cut,
    )


# Beginnings of words


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """An expression() with words in the place of beginnings: FTS5 would gather all hits of a beginning before the first."""

    words: str
    cut: list[str]  #: beginnings of more words: in it are those of the newest articles, and the first of the alphabet

    @property
    def size(self) -> int:
        """How many words and phrases are looked for."""
        return self.words.count('"') // 2

    @property
    def reach(self) -> int:
        """Hits that may be looked at for a page, in ten thousands. Each costs its words, and as much as four to be kept."""
        return max(STEPS // (self.size + 4) // MANY, 1) * MANY


def _spelled_out(base: sqlite3.Connection, words: str) -> _Asked:
    cut: list[str] = []
    most = BEGINNINGS // max(sum(bool(star) for _, star in _QUOTED.findall(words)), 1)
    newest = cache(partial(_newest_words, base))

    def spelled(quoted: re.Match[str]) -> str:
        phrase, star = quoted.groups()
        *before, last = (_tokens(phrase) if star else []) or [""]
        found = _words_from(base, last, most + 1) if last else []
        if len(found) > most:
            cut.append(phrase.strip())
            found = list(dict.fromkeys([*(word for word in newest() if word.startswith(last)), *found]))
        phrases = [" ".join((*before, word)) for word in found[:most]]
        return "(" + " OR ".join(f'"{one}"' for one in phrases or [phrase]) + ")"

    return _Asked(words=_QUOTED.sub(spelled, words), cut=cut)


_QUOTED = re.compile(r'"([^"]*)"(\*?)')


def _words_from(base: sqlite3.Connection, beginning: str, most: int) -> list[str]:
    """The first words of the index with this beginning, by leaps: to step from word to word would read all places of each."""
    base.execute(
        "create virtual table if not exists temp.articles_terms using fts5vocab (main, articles_fts, instance)"
    )
    return [row[0] for row in base.execute(_LEAP, {"beginning": beginning, "most": most})]


_LEAP = """
    with recursive leap(term) as (
        select (select term from temp.articles_terms where term >= :beginning limit 1)
        union all
        select (select term from temp.articles_terms where term >= leap.term || char(1) limit 1)
        from leap where substr(term, 1, length(:beginning)) = :beginning
    ) select term from leap where substr(term, 1, length(:beginning)) = :beginning limit :most
"""


def _newest_words(base: sqlite3.Connection) -> list[str]:
    """The words of the newest READ articles, those in most of them first."""
    newest = "select id from articles order by sort_at desc, id desc limit :most"
    ids = [row[0] for row in base.execute(newest, {"most": READ})]
    with closing(_index(_texts(base, ids))) as index:
        index.execute("create virtual table terms using fts5vocab (articles_fts, row)")
        return [row[0] for row in index.execute("select term from terms order by doc desc, term")]


def _tokens(text: str) -> list[str]:
    """The words of a text as the index has them."""
    with closing(_index([(1, "", "", text)])) as index:
        index.execute("create virtual table terms using fts5vocab (articles_fts, instance)")
        return [row[0] for row in index.execute("select term from terms order by offset")]


def _index(articles: Iterable[tuple[int, str | None, str | None, str]]) -> sqlite3.Connection:
    """A full-text index like the archive's, in memory, of some articles: id, title, description, text."""
    index = sqlite3.connect(":memory:", isolation_level=None)
    index.execute("create virtual table articles_fts using fts5 (title, description, text)")
    index.execute("begin")
    index.executemany("insert into articles_fts (rowid, title, description, text) values (?, ?, ?, ?)", articles)
    return index


# Which articles, in which order

_HITS = "select rowid as id from articles_fts where articles_fts match :words and rowid <= :top order by rowid desc limit :reach"
_NEAR = "select value as id from json_each(:near)"


def _all(base: sqlite3.Connection, hits: list[int], filters: Filters, rows: int) -> tuple[list[int], int]:
    """The newest of these hits that pass the filters, and how many pass."""
    if filters == Filters() and len(hits) > FEW:
        look = {"near": json.dumps(hits), "top": LAST_ID, "reach": LAST_ID, "rows": rows}
        return _walk(base, _NEAR, filters, look) or [], len(hits)
    condition, given = filters.sql()
    order = f"""select articles.id, count(*) over () from json_each(:near) as hit cross join articles on articles.id = hit.value
        where {condition} order by articles.sort_at desc, articles.id desc limit :rows"""
    found = base.execute(order, given | {"near": json.dumps(hits), "rows": rows}).fetchall()
    return [row[0] for row in found], found[0][1] if found else 0


def _newest(
    base: sqlite3.Connection, asked: _Asked, filters: Filters, near: list[int], rows: int
) -> tuple[list[int], int | None]:
    """The newest hits that pass the filters, and of how many of the newest hits, where not all could be looked at.

    Ids mostly follow time, so the hits with the highest ids mostly are the newest: tried first, and proved. Then those with the
    ids of the newest articles that pass the filters; then each of these articles; at last all hits of all that pass."""
    given = filters.sql()[1] | {"words": asked.words, "near": json.dumps(near), "rows": rows}
    found = _walk(base, _NEAR, filters, given | {"top": LAST_ID, "reach": len(near)})
    if found is None and filters != Filters():
        found = _walk(base, _HITS, filters, given | {"top": _highest(base, filters, ANCHOR), "reach": MANY})
    if found is None:
        found = _ask(base, asked, filters, rows)
    return (found, None) if found is not None else _look_through(base, asked, filters, rows)


def _walk(base: sqlite3.Connection, hits: str, filters: Filters, given: dict[str, Any]) -> list[int] | None:
    """The first :rows of the articles that are among these hits. None when one comes before that has an id beyond the hits'
    and passes the first filter: it may be another, and to read every such row would take minutes."""
    found = []
    for number, is_known in base.execute(_WALK.format(hits, *_parts(filters)), given):
        if not is_known:
            return None
        found.append(number)
    return found


_WALK = """
    with hit as materialized ({}), edge(low) as materialized (select iif(count(*) < :reach, 0, min(id)) from hit)
    select articles.id, articles.id between (select low from edge) and :top from articles
    where {} and (+articles.id not between (select low from edge) and :top or +articles.id in (select id from hit) and {})
    order by articles.sort_at desc, articles.id desc limit :rows
"""


def _ask(base: sqlite3.Connection, asked: _Asked, filters: Filters, rows: int) -> list[int] | None:
    """The hits among the newest articles that pass the filters. None when more articles are needed."""
    one_by_one = asked.size <= ASKED // READ
    most = ASKED // asked.size if one_by_one else READ
    ids, are_all = _passing(base, filters, most)
    found = _ask_each(base, asked, ids, rows) if one_by_one else _read(base, asked, ids)
    return found if found is not None and (len(found) >= rows or are_all) else None


def _passing(base: sqlite3.Connection, filters: Filters, most: int) -> tuple[list[int], bool]:
    """The newest articles that pass the filters, and whether there are no others. A section is looked up in its index, a
    language, which may be the whole archive's, in the articles."""
    first, language = _parts(filters)[0], "true" if filters.language is None else "language = :language"
    if filters.source is not None and filters.section is not None:
        first += " and +articles.id in (select id from articles as other where other.section = :section)"
    given = filters.sql()[1] | {"most": most, "scanned": SCANNED}
    ids = [row[0] for row in base.execute(_PASSING.format(first, language), given)]
    return ids, len(ids) < most and base.execute(_IS_LONG.format(first), given).fetchone() is None


def _ask_each(base: sqlite3.Connection, asked: _Asked, ids: list[int], rows: int) -> list[int]:
    given = {"words": asked.words, "ids": json.dumps(ids), "rows": rows}
    return [row[0] for row in base.execute(_WHICH, given)]


def _read(base: sqlite3.Connection, asked: _Asked, ids: list[int]) -> list[int] | None:
    """Which of these hold the words; None when one is too long to be read."""
    texts = _texts(base, ids)
    if any(len(text) >= QUOTED for *_, text in texts):
        return None
    with closing(_index(texts)) as index:
        hits = {row[0] for row in index.execute(_HITS, {"words": asked.words, "top": LAST_ID, "reach": len(ids)})}
    return [number for number in ids if number in hits]


_PASSING = """
    select id from (select id, language from articles where {} order by sort_at desc, id desc limit :scanned)
    where {} limit :most
"""
_IS_LONG = "select 1 from articles where {} limit 1 offset :scanned - 1"
_WHICH = """
    select value from json_each(:ids)
    where exists (select 1 from articles_fts where articles_fts match :words and rowid = value) limit :rows
"""


def _look_through(base: sqlite3.Connection, asked: _Asked, filters: Filters, rows: int) -> tuple[list[int], int | None]:
    """The newest of all hits that pass the filters; and how many hits were looked at, where that were not all."""
    given = filters.sql()[1] | {"words": asked.words, "reach": asked.reach, "rows": rows}
    given |= {"top": _highest(base, filters, -1), "may_be_more": _last(base) > asked.reach}
    query = _LOOK_THROUGH.format("" if given["may_be_more"] else "not", _HITS, _among(filters), _parts(filters)[0])
    *found, (looked_at,) = base.execute(query, given)
    return [row[0] for row in found], asked.reach if looked_at == asked.reach else None


_LOOK_THROUGH = """
    with looked_at as {} materialized ({}), hit as materialized (select id from looked_at where {})
    select * from (
        select articles.id from articles where {} and +articles.id in (select id from hit)
        order by articles.sort_at desc, articles.id desc limit :rows
    ) union all select iif(:may_be_more, (select count(*) from looked_at), 0)
"""


def _best(
    base: sqlite3.Connection, asked: _Asked, filters: Filters, count: int, rows: int
) -> tuple[list[int], int | None, int | None]:
    """The best of the newest hits that pass the filters; how many pass, or of how many hits it is where that were not all."""
    ranked, among, passes = max(min(RANKED, asked.reach), MANY + 1), "true", "true"
    given = filters.sql()[1] | {"words": asked.words, "top": LAST_ID, "low": 0}
    given |= {"reach": asked.reach, "ranked": ranked, "rows": rows}
    if filters != Filters() and count > MANY:
        among, given["low"] = _among(filters, "rowid"), _lowest(base, given)
    elif filters != Filters():
        passes = f"exists (select 1 from articles where articles.id = hit.id and {filters.sql()[0]})"
    found = base.execute(_BEST.format(among, passes), given).fetchall()
    passing = found[0][1] if found else 0
    within = ranked if passing == ranked else asked.reach if given["low"] else None
    return [row[0] for row in found], None if within else passing, within


_BEST = """
    select hit.id, count(*) over () from (
        select rowid as id, rank from articles_fts where articles_fts match :words and rowid >= :low and {}
        order by rowid desc limit :ranked
    ) as hit where {} order by hit.rank, hit.id desc limit :rows
"""


# What narrows


_COLUMNS = {"source": "source_id", "section": "section", "language": "language"}


def _parts(filters: Filters) -> tuple[str, str]:
    """The filters as two conditions on articles: one that an index answers in the order of sort_at, and the others."""
    given = [name for name in _COLUMNS if getattr(filters, name) is not None]
    first = replace(filters, **dict.fromkeys(given[1:]))
    return first.sql()[0], " and ".join(f"+articles.{_COLUMNS[name]} = :{name}" for name in given[1:]) or "true"


def _among(filters: Filters, hit: str = "id") -> str:
    """The filters as a condition on the id of a hit, by a list from the index of each: to read a million rows takes minutes."""
    given = [name for name in _COLUMNS if getattr(filters, name) is not None]
    lists = [_parts(filters)[0], *(f"articles.{_COLUMNS[name]} = :{name}" for name in given[1:])]
    return " and ".join(f"+{hit} in (select id from articles where {one})" for one in lists if one != "true") or "true"


def _highest(base: sqlite3.Connection, filters: Filters, newest: int) -> int:
    """The highest id among the newest articles that pass the first of the filters; -1 is all of them."""
    if filters == Filters():
        return LAST_ID
    ids = f"select id from articles where {_parts(filters)[0]} order by sort_at desc, id desc limit :newest"
    return base.execute(f"select max(id) from ({ids})", filters.sql()[1] | {"newest": newest}).fetchone()[0] or 0


def _last(base: sqlite3.Connection) -> int:
    """The highest id of all articles; 0 where there is none."""
    return base.execute("select max(id) from articles").fetchone()[0] or 0


def _lowest(base: sqlite3.Connection, given: dict[str, Any]) -> int:
    """The id of the last hit within :reach, from :top down; 0 when all are."""
    if _last(base) <= given["reach"]:
        return 0
    last = base.execute(f"{_HITS.replace(':reach', '2')} offset :reach - 1", given).fetchall()
    return last[0][0] if len(last) > 1 else 0


# How they are shown


def _rows(base: sqlite3.Connection, ids: list[int], words: str) -> list[dict[str, Any]]:
    """The articles in this order, with their hits marked by an index of these alone: quicker than the archive's, which would
    look for the words anew for each, or for a beginning in all articles."""
    texts = _texts(base, ids)
    found = {
        row["id"]: dict(row) for row in base.execute(_SHOWN, {"ids": json.dumps([number for number, *_ in texts])})
    }
    with closing(_index(texts)) as index:
        hits = {number: marked for number, *marked in index.execute(_MARKED, {"words": words})}
    plain = {number: (title, _beginning(text)) for number, title, _, text in texts}
    for number, row in found.items():
        row["heading"], row["snippet"] = hits.get(number) or plain[number]
    return [found[one] for one in ids if one in found]  # a takedown may have come between two of our queries


def _texts(base: sqlite3.Connection, ids: list[int]) -> list[tuple[int, str, str, str]]:
    """Of these articles id, title, description and the first QUOTED characters of the text, as the index has them."""
    said = base.execute(_TEXTS, {"ids": json.dumps(ids), "quoted": QUOTED})
    return [(number, *(spaced(words or "") for words in rest)) for number, *rest in said]


def _beginning(text: str) -> str:
    """The first words, for an article of which the index holds others than the article: another hand wrote to it."""
    first = text.split(maxsplit=SNIPPET)
    return " ".join(first[:SNIPPET]) + "…" * (len(first) > SNIPPET)


_SHOWN = """
    select articles.id, articles.title, articles.url, articles.sort_at, articles.date_published, articles.first_seen_at,
        articles.language, articles.section, articles.story_id, sources.id as source_id, sources.name as source
    from articles left join sources on sources.id = articles.source_id
    where articles.id in (select value from json_each(:ids))
"""
_TEXTS = """
    select id, title, description, substr(text, 1, :quoted) from articles where id in (select value from json_each(:ids))
"""
_MARKED = f"""
    select rowid, highlight(articles_fts, 0, '{MARKS[0]}', '{MARKS[1]}'), snippet(articles_fts, 2, '{MARKS[0]}', '{MARKS[1]}', '…', {SNIPPET})
    from articles_fts where articles_fts match :words
"""
