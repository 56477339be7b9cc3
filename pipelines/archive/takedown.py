"""Takedowns: what an address gave is gone from the file, the address stays and is refused for good.

Somebody with the right to it names addresses, not texts. So the address decides how much goes:

- An address of an article (its page, a part of it, a redirect or a canonical link to it) takes the whole article: fields, versions,
  prints, its place in a story. Pages elsewhere that have the same words (text, near) are refused with it, for with them
  the text would stay. Where one address leads to a copy and nobody knows to which, more goes rather than less.
- The address of a mere copy (text, near) takes that copy's own words; the article is another publisher's, and stays.

Forgotten is a reason that nothing lifts: no crawl, no --retry, no import, no redirect or canonical link that leads there.
The same text under an address that nobody named is a new article: prints that would know it again are gone too.

take_down() is called within the writer's transaction, erase() after it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlite_utils import Database

from crawler.urls import canonical_url, site_of
from pipelines.archive import feed_texts
from pipelines.archive.rows import update
from pipelines.database.connection import Row, first_row
from pipelines.database.schema import FORGOTTEN, NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What one takedown came to."""

    url: str
    was: str  #: article, copy, page (one without an article), forgotten (before) or unknown
    with_it: tuple[str, ...] = ()  #: other addresses of the article, refused as well
    stays: str | None = None  #: the address of the article that a copy leaves behind
    archives: tuple[str, ...] = ()  #: names of WARC files that still hold a capture
    trimmed: frozenset[int] = frozenset()  #: articles that lost a version: their numbering and prints must be made anew


def wanted_url(url: str) -> str:
    """The address as pages.url has it. Raises UnusableURL; a copy that named no address has a URN."""
    return url if url.startswith("urn:sha256:") else canonical_url(url)


def is_forgotten(pages: Mapping[str, Row]) -> bool:
    """Whether one of these was taken down: the addresses at which a page was found, that answered, and that it says is its."""
    return any(page["state"] == "refused" and page["reason"] == FORGOTTEN for page in pages.values())


def with_set_aside(db: Database, url: str) -> list[str]:
    """An address, and what it held before it was used again (pages.set_aside)."""
    aside = db.execute("select url from pages where url > ? and url < ?", [f"{url}#", f"{url}$"]).fetchall()
    return [url, *(found for (found,) in aside)]


def take_down(db: Database, url: str, now: str) -> Forgotten:
    """Forget one address, made by wanted_url(), at the time `now` (`YYYY-MM-DDTHH:MM:SSZ`)."""
    page = first_row(db, "select * from pages where url = ?", [url])
    if page is None:
        _refuse_in_advance(db, url, now)
        return Forgotten(url=url, was="unknown")
    article = first_row(db, "select * from articles where id = ?", [page["article_id"]])
    if article is None or page["reason"] in ("text", "near"):
        return _without_article(db, page, article)
    return _with_article(db, page, article)


def _without_article(db: Database, page: Row, article: Row | None) -> Forgotten:
    trimmed = _drop_versions(db, [page["id"]])
    _silence(db, [page["id"]])
    return Forgotten(
        url=page["url"],
        was="copy" if article else FORGOTTEN if page["reason"] == FORGOTTEN else "page",
        stays=article["url"] if article else None,
        archives=_archives([page]),
        trimmed=trimmed,
    )


def _with_article(db: Database, page: Row, article: Row) -> Forgotten:
    pages = list(db.query(_PAGES_OF_ARTICLE, {"id": article["id"]}))
    ids = [row["id"] for row in pages]
    db.execute("delete from versions where article_id = ?", [article["id"]])
    trimmed = _drop_versions(db, ids)
    _silence(db, ids)
    drop_article(db, article)
    return Forgotten(
        url=page["url"],
        was="article",
        with_it=tuple(row["url"] for row in pages if row["id"] != page["id"]),
        archives=_archives(pages),
        trimmed=trimmed,
    )


_PAGES_OF_ARTICLE = """
    select * from pages where article_id = :id or url in (
        select other.url from pages join parts on parts.url = pages.url join parts as other on other.whole = parts.whole
        where article_id = :id) and coalesce(article_id, :id) = :id order by id
"""
"""Also the parts of it that have not answered yet."""

SILENCED: Row = {
    "state": "refused", "reason": FORGOTTEN, "article_id": None, "similarity": None, "title": None, "titles": None,
    "hints": None, "date_published": None, "content_hash": None, "etag": None, "last_modified": None,
    "extractor": None, "next_fetch_at": None, "reservations": None, "content_usage": None, "notice": None,
}  # fmt: skip
"""The columns of a page that is refused for good: what its publisher said is cleared; where a capture lies stays known."""


def _silence(db: Database, page_ids: Iterable[int]) -> None:
    page_ids = list(page_ids)
    feed_texts.drop(db, page_ids)
    for page_id in page_ids:
        db.execute("delete from parts where url = (select url from pages where id = ?)", [page_id])
        update(db, "pages", page_id, SILENCED)


def _refuse_in_advance(db: Database, url: str, now: str) -> None:
    """An address that nobody has found yet; `listed` because a person named it."""
    source = first_row(db, "select id from sources where domain = ? order by enabled desc, id limit 1", [site_of(url)])
    db.execute(
        """insert into pages (url, source_id, via, state, reason, discovered_at)
           values (?, ?, 'listed', 'refused', ?, ?)""",
        [url, source["id"] if source else None, FORGOTTEN, now],
    )


def _drop_versions(db: Database, page_ids: list[int]) -> frozenset[int]:
    """Remove the texts of these pages from articles that stay; returns the ids of these."""
    pages = json.dumps(page_ids)
    versions = list(db.query("select * from versions where page_id in (select value from json_each(?))", [pages]))
    for version in versions:
        heir = first_row(db, _HEIR, version | {"pages": pages})
        if heir:
            update(db, "versions", version["id"], {"page_id": heir["id"], "title": heir["title"]})
        else:
            db.execute("delete from versions where id = ?", [version["id"]])
    trimmed = frozenset(version["article_id"] for version in versions)
    for article_id in trimmed:
        db.execute(_DROP_LONE_VERSION, {"id": article_id})
    return trimmed


_HEIR = """
    select id, title from pages
    where article_id = :article_id and content_hash = :content_hash and id not in (select value from json_each(:pages))
          and not exists (select 1 from versions where article_id = :article_id and page_id = pages.id
                          and content_hash = :content_hash)
    order by id limit 1
"""
"""A text is kept once, under the first page that had it; another page with the same words inherits it."""

_DROP_LONE_VERSION = """
    delete from versions where article_id = :id and (select count(*) from versions where article_id = :id) = 1
        and content_hash = (select content_hash from articles where id = :id)
"""
"""An article that never changed and has no copies has no versions."""


def drop_article(db: Database, article: Row) -> None:
    """Remove what is left of an article. Its number stays taken, and leads nowhere; so does that of a story it leaves empty.

    The headline may be its story's title; stories.renew() gives the story another, or dissolves it.
    """
    empty = "not exists (select 1 from articles where story_id = :story_id)"
    for sql in (
        "delete from fingerprints where article_id = :id",
        "delete from articles where id = :id",
        "update moved set new_id = :nowhere where kind = 'article' and new_id = :id",
        "insert into moved (kind, old_id, new_id) values ('article', :id, :nowhere)",
        "update stories set title = null where id = :story_id",
        f"delete from stories where id = :story_id and {empty}",
        f"update moved set new_id = :nowhere where kind = 'story' and new_id = :story_id and {empty}",
        f"insert into moved (kind, old_id, new_id) select 'story', :story_id, :nowhere where :story_id is not null and {empty}",
    ):
        db.execute(sql, {"id": article["id"], "story_id": article["story_id"], "nowhere": NOWHERE})


def _archives(pages: list[Row]) -> tuple[str, ...]:
    return tuple(sorted({page["warc"] for page in pages if page["warc"]}))


def erase(db: Database) -> bool:
    """Write the file anew, so that its bytes hold nothing that was deleted, now or earlier. Needs twice its size on the disk.

    False when a reader kept the write-ahead log from being emptied: that may still hold what was deleted. The full-text
    index only marks what is deleted until its parts are merged; SQLite before 3.42 has no way to spare them (`secure-delete`).
    """
    db.execute("insert into articles_fts (articles_fts) values ('optimize')")
    db.execute(
        "pragma wal_checkpoint(truncate)"
    )  # the text is gone from the live pages, also when there is no room below
    db.execute("vacuum")
    return not db.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
