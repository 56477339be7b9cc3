"""Corrections: what publishers changed after publication, word by word, and what they deleted or moved; the last one first.

The rows are those of the view `changed`: what other rules of extraction made of the same page is none, nor is a copy's text.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipelines.publish.differences import word_diff
from pipelines.publish.marks import EARLIER, OWN
from pipelines.publish.queries import Row, rows
from pipelines.publish.search import PAGE, Filters

NEWEST = 5_000
"""Texts, and five for each row that is wanted, of which the articles are looked up to know whether they pass, 10 ms: enough for a page of
what is not rare. Else all that pass are gathered before, from an index: 50 ms of 300,000 changed articles, 0.25 s where most pass."""

MAX_PAIR = 100_000
"""Characters of two versions that are compared, and MAX_PAGE of all on a page: a news text of a thousand words has 6,000."""

MAX_PAGE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """One page of corrections."""

    rows: list[Row]  #: `at`; `what`: text, title, gone, moved; the article; its `change` or None
    more: bool  #: whether there is a next page


def corrections(base: sqlite3.Connection, filters: Filters, *, page: int = 1, size: int = PAGE) -> Corrections:
    """One page of the corrections of articles that pass the filters; their times are those of the change."""
    last = size * page
    narrowed, given = replace(filters, since=None, until=None).sql()
    given |= {"since": filters.since or "", "until": f"{filters.until or ''}~", "rows": last + 1}
    found = _texts(base, narrowed, given)
    for statement in (GONE, MOVED):
        found += base.execute(statement.format(narrowed=narrowed), given).fetchall()
    found = sorted(map(tuple, found), reverse=True)
    shown = rows(base, _SHOWN, found=json.dumps(found[last - size : last]))
    return Corrections(rows=list(_told(base, shown)), more=len(found) > last)


def _texts(base: sqlite3.Connection, narrowed: str, given: dict[str, Any]) -> list[Any]:
    """The newest texts that are corrections of articles that pass, each a row like those of GONE."""
    if narrowed == "true":
        return base.execute(texts(), given).fetchall()
    edge = base.execute(_EDGE, given).fetchone()
    found = base.execute(texts(joined=narrowed), given | ({"since": edge[0]} if edge else {})).fetchall()
    if edge and len(found) < given["rows"]:
        found = base.execute(texts(among=narrowed), given).fetchall()
    return found


_STORED = """from versions as stored indexed by versions_changed
    {joined} where stored.version > 1 and stored.cause = 'site' and stored.fetched_at between :since and :until"""

_EDGE = f"select fetched_at {_STORED.format(joined='')} order by fetched_at desc limit 1 offset {NEWEST} + 5 * :rows"


def texts(joined: str = "", among: str = "") -> str:
    """The query for the newest texts that are corrections, of all articles, or of those of which a condition holds: `joined` has each
    article looked up, `among` gathers all that were changed and pass before. It walks an index from the newest on, to no other row."""
    articles = f"cross join articles on articles.id = stored.article_id and {joined}" if joined else ""
    passing = f"select id from articles indexed by articles_changed where version_count > 1 and {among}"
    join = f"""{articles} cross join pages on pages.id = stored.page_id
        cross join versions on versions.id = stored.id and {OWN}"""
    return f"""select stored.fetched_at, stored.article_id, 'text', versions.id, {EARLIER} as earlier_id
        {_STORED.format(joined=join)} {f"and stored.article_id in ({passing})" if among else ""} and earlier_id is not null
        order by stored.fetched_at desc, stored.article_id desc limit :rows"""


GONE = """select gone_at, id, 'gone', 0, 0 from articles indexed by articles_gone
    where gone_at is not null and gone_at between :since and :until and {narrowed} order by gone_at desc, id desc limit :rows"""

MOVED = """select pages.last_fetched_at, article_id, 'moved', 0, 0
    from pages indexed by pages_moved cross join articles on articles.id = article_id
    where state = 'duplicate' and reason = 'canonical' and http_status in (404, 410)
        and pages.last_fetched_at between :since and :until and {narrowed}
    order by pages.last_fetched_at desc limit :rows"""
"""Those that are gone, and those that moved, of which a condition holds: each (at, article_id, what, version_id, earlier_id)."""

_SHOWN = """
    select found.value ->> 0 as at,
        iif(versions.content_hash = earlier.content_hash, 'title', found.value ->> 2) as what,
        articles.id as article_id, articles.url, articles.title, articles.language, articles.section, articles.source_id,
        sources.name as source, versions.version, coalesce(versions.words_added, 0) as words_added,
        coalesce(versions.words_removed, iif(found.value ->> 2 = 'gone', articles.word_count, 0)) as words_removed,
        earlier.title as old_title, versions.title as new_title, versions.id as version_id, earlier.id as earlier_id
    from json_each(:found) as found cross join articles on articles.id = found.value ->> 1
    left join versions on versions.id = found.value ->> 3 left join versions as earlier on earlier.id = found.value ->> 4
    left join sources on sources.id = articles.source_id
    order by found.key"""


def _told(base: sqlite3.Connection, found: list[Row]) -> Iterator[Row]:
    """Corrections with what became of the words."""
    left = MAX_PAGE
    for one in found:
        new, old = one.pop("version_id"), one.pop("earlier_id")
        texts = base.execute(_PAIR, {"new": new, "old": old, "most": min(left, MAX_PAIR)}).fetchone() if new else None
        left -= sum(map(len, texts)) if texts else 0
        said = {name: one[name] for name in ("version", "words_added", "words_removed")} | {"fetched_at": one["at"]}
        said["title"] = word_diff(one["old_title"] or "", one["new_title"] or "")
        said["text"] = None if texts is None else word_diff(*texts)
        yield one | {"change": said if new else None}


_PAIR = """select old.text, new.text from versions as old join versions as new on new.id = :new
    where old.id = :old and length(old.text) + length(new.text) <= :most"""
