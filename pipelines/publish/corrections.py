"""Corrections: what publishers changed after publication, word by word, and what they deleted or moved; the last one first.

The rows are those of the view `changed`: what other rules of extraction made of the same page is none, nor is a copy's text.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipelines.publish.differences import word_diff
from pipelines.publish.marks import EARLIER, OWN
from pipelines.publish.queries import Row, rows
from pipelines.publish.search import PAGE, Filters

LOOKED = 10_000
"""Texts stored last in which corrections are looked for, and as many deletions. No index has the times of texts: they are mostly
stored in their order, but for old captures that are imported."""

MAX_PAIR = 100_000
"""Characters of two versions that are compared, and MAX_PAGE of all on a page: a news text of a thousand words has 6,000."""

MAX_PAGE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """One page of corrections."""

    rows: list[Row]  #: `at`; `what`: text, title, gone, moved; the article; its `change` or None
    more: bool  #: whether there is a next page
    within: int | None  #: among how many texts, those stored last, they were looked for; None where those are all


def corrections(base: sqlite3.Connection, filters: Filters, *, page: int = 1, size: int = PAGE) -> Corrections:
    """One page of the corrections of articles that pass the filters; their times are those of the change."""
    last = size * page
    narrowed, given = replace(filters, since=None, until=None).sql()
    times = {"since": filters.since or "", "until": f"{filters.until or ''}~"}
    found = rows(base, statement(narrowed), **given, **times, looked=LOOKED, rows=last + 1)
    (stored,) = base.execute(f"select count(*) from (select 1 from versions limit {LOOKED + 1})").fetchone()
    shown = list(_told(base, found[last - size : last]))
    return Corrections(rows=shown, more=len(found) > last, within=LOOKED if stored > LOOKED else None)


def statement(narrowed: str) -> str:
    """The query for the corrections of articles of which a condition holds. Each of its parts walks from the newest on, and
    looks up an article only to know whether it passes: what it holds is read of those that are shown."""
    within = "between :since and :until"
    joined = f"cross join articles on articles.id = article_id where {narrowed} limit :rows"
    return f"""
    with texts as (
        select id, fetched_at from (select id, fetched_at, version from versions order by id desc limit :looked)
        where version > 1 and fetched_at {within} order by fetched_at desc, id desc limit -1
    ), ends as (
        select id as article_id, gone_at as at from articles
        where gone_at is not null and gone_at {within} order by gone_at desc limit :looked
    ), moves as (
        select article_id, last_fetched_at as at from pages indexed by pages_moved
        where state = 'duplicate' and reason = 'canonical' and http_status in (404, 410) and last_fetched_at {within}
        order by last_fetched_at desc limit :looked
    ), found as (
        select * from (
            select texts.fetched_at as at, versions.article_id, versions.id as version_id, {EARLIER} as earlier_id, null as what
            from texts cross join versions on versions.id = texts.id cross join pages on pages.id = versions.page_id and {OWN}
            cross join articles on articles.id = versions.article_id
            where {narrowed} and earlier_id is not null and versions.cause = 'site' limit :rows)
        union all select * from (select at, article_id, null, null, 'gone' from ends {joined})
        union all select * from (select at, article_id, null, null, 'moved' from moves {joined})
        order by at desc, article_id desc limit :rows
    )
    select found.at, coalesce(found.what, iif(versions.content_hash = earlier.content_hash, 'title', 'text')) as what,
        articles.id as article_id, articles.url, articles.title, articles.language, articles.section, articles.source_id,
        sources.name as source, versions.version, coalesce(versions.words_added, 0) as words_added,
        coalesce(versions.words_removed, iif(found.what = 'gone', articles.word_count, 0)) as words_removed,
        earlier.title as old_title, versions.title as new_title, found.version_id, found.earlier_id
    from found join articles on articles.id = found.article_id
    left join versions on versions.id = found.version_id left join versions as earlier on earlier.id = found.earlier_id
    left join sources on sources.id = articles.source_id
    order by found.at desc, found.article_id desc"""


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
