"""The table `variants`: what copies and other versions of an article say that it does not, for the full-text index to find.

Called within the writer's transaction, after articles, versions and pages are what they will be.
"""

from pipelines.archive.rows import insert
from pipelines.database.connection import Row, first_row, rows
from pipelines.database.sqlite import Database
from pipelines.text import added_lines, other_title

ROOM = 1 << 20
"""Numbers of one article's variants (migration 30): so hits by them come in the order of articles."""


def renew(db: Database, article_id: int, page_id: int | None = None) -> None:
    """Write what is said elsewhere of an article as it is now; with a page, what that says alone: the article's own words are as they
    were. What was said before keeps the time of its first sight."""
    asked: Row = {"id": article_id, "page": page_id}
    article = first_row(db, "select title, text, content_hash from articles where id = :id", asked)
    assert article is not None
    known = {(row["page_id"], row["version_id"]): row for row in rows(db, _KNOWN, asked)}
    wanted = [row for text in rows(db, _TEXTS, asked) if (row := _added(text, article))]
    for row in wanted:
        was = known.pop((row["page_id"], row["version_id"]), None)
        if was and (was["title"], was["text"]) == (row["title"], row["text"]):
            continue
        if was:
            row["first_seen_at"] = was["first_seen_at"]
            _drop(db, was)
        insert(db, "variants", row | {"id": _unused_id(db, article_id), "article_id": article_id})
    for row in known.values():
        _drop(db, row)


_KNOWN = "select id, page_id, version_id, title, text, first_seen_at from variants where article_id = :id and (:page is null or page_id = :page)"

_TEXTS = """
    select page_id, id as version_id, title, text, content_hash, fetched_at as first_seen_at from versions
    where article_id = :id and (:page is null or page_id = :page)
    union all
    select id, null, title, null, null, coalesce(last_fetched_at, discovered_at) from pages
    where article_id = :id and (:page is null or id = :page) and state = 'duplicate' and reason in ('text', 'near')
          and not exists (select 1 from versions where page_id = pages.id and article_id = :id and title is pages.title)
"""
"""Every text of an article, and the titles of copies that have its very words: these are no versions."""


def _added(text: Row, article: Row) -> Row | None:
    """The row of what a text says that the article does not; None where that is nothing."""
    title = other_title(text["title"], article["title"])
    is_other = text["text"] is not None and text["content_hash"] != article["content_hash"]
    lines = added_lines(text["text"], article["text"]) if is_other else None
    kept = {name: text[name] for name in ("page_id", "version_id", "first_seen_at")}
    return kept | {"title": title, "text": lines} if title or lines else None


def _unused_id(db: Database, article_id: int) -> int:
    own = [article_id * ROOM, article_id * ROOM + ROOM - 1]
    (last,) = db.conn.execute("select max(id) from variants where id between ? and ?", own).fetchone()
    return int(last or own[0]) + 1


def _drop(db: Database, row: Row) -> None:
    db.conn.execute("delete from variants where id = ?", [row["id"]])
