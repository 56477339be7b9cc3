"""Takedowns: what an address gave is gone from the file, the address stays and is refused for good.

Somebody with the right to it names addresses, not texts. So the address decides how much goes:

- An address of an article (its page, a part of it, a redirect or a canonical link to it) takes the whole article: fields, versions,
  prints, its place in a story. Pages elsewhere that have the same words (text, near) are refused with it, for with them
  the text would stay. Where one address leads to a copy and nobody knows to which, more goes rather than less.
- The address of a mere copy (text, near) takes that copy's own words; the article is another publisher's, and stays.

Forgotten is a reason that only a person lifts (lift()): no crawl, no --retry, no import, no redirect or canonical link there.
The same text under an address that nobody named is a new article: prints that would know it again are gone too.

plan() reads, warc_takedown.blank() clears what the WARC files hold of it; take_down() is called within the writer's transaction
after that, erase() last.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from crawler.urls import canonical_url, site_of
from pipelines.archive import captures, feed_texts
from pipelines.archive.rows import update
from pipelines.archive.warc_takedown import Taken, find
from pipelines.database.connection import Follow, Row, first_row
from pipelines.database.schema import FORGOTTEN, FULL_TEXT, NOWHERE
from pipelines.database.sqlite import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What one takedown came to."""

    url: str
    was: str  #: article, copy, page (one without an article), forgotten (before) or unknown
    page_ids: tuple[int, ...] = ()  #: the rows that say nothing afterwards
    versions: int = 0  #: texts that go
    before: str | None = None  #: when it was forgotten before, ISO 8601 UTC, and why as far as was said
    with_it: tuple[str, ...] = ()  #: other addresses of the article, refused as well
    stays: str | None = None  #: the address of the article that a copy leaves behind
    archives: tuple[str, ...] = ()  #: WARC files of others, or that are not there, that hold a capture; and saved pages
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a takedown takes: what it comes to for each address, and the records of the WARC files."""

    addresses: tuple[Forgotten, ...]
    records: tuple[Taken, ...]

    @property
    def answers(self) -> tuple[Taken, ...]:
        """The captures among the records: each is blanked with those that belong to it."""
        return tuple(record for record in self.records if record.is_answer)


def plan(db: Database, database: Path, urls: Iterable[str], follow: Follow = lambda done, of: None) -> Plan:
    """What forgetting these addresses, made by wanted_url(), would take. Changes nothing. Raises OSError where a WARC file of ours
    cannot be read."""
    own = {file.name for file in captures.own_files(db, database)}
    found = [_looked_up(db, each, own) for url in urls for each in with_set_aside(db, url)]
    wanted = {url for one in found for url in (one.url, *one.with_it)}
    records = find(db, database, wanted, {page_id for one in found for page_id in one.page_ids}, follow)
    said = {url for taken in records for url in (taken.url, taken.member.found_at)}
    known = (replace(one, was="page") if one.was == "unknown" and one.url in said else one for one in found)
    return Plan(addresses=tuple(known), records=tuple(records))


def _looked_up(db: Database, url: str, own: Collection[str]) -> Forgotten:
    page = first_row(db, "select * from pages where url = ?", [url])
    if page is None:
        return Forgotten(url=url, was="unknown")
    article = first_row(db, "select * from articles where id = ?", [page["article_id"]])
    if article is None or page["reason"] in ("text", "near"):
        was = "copy" if article else FORGOTTEN if page["reason"] == FORGOTTEN else "page"
        pages = [page]
    else:
        was, pages = "article", list(db.query(_PAGES_OF_ARTICLE, {"id": article["id"]}))
    ids = tuple(row["id"] for row in pages)
    return Forgotten(
        url=url,
        was=was,
        page_ids=ids,
        versions=_version_count(db, article, ids) if article else 0,
        before=_told(page) if was == FORGOTTEN else None,
        with_it=tuple(row["url"] for row in pages if row["id"] != page["id"]),
        stays=article["url"] if article and was == "copy" else None,
        archives=_archives(db, pages, own),
    )


_PAGES_OF_ARTICLE = """
    select * from pages where article_id = :id or url in (
        select other.url from pages join parts on parts.url = pages.url join parts as other on other.whole = parts.whole
        where article_id = :id) and coalesce(article_id, :id) = :id order by id
"""
"""Also the parts of it that have not answered yet."""


def _told(page: Row) -> str | None:
    """When a page was forgotten, and why."""
    return ": ".join(said for said in (page["forgotten_at"], page["forgotten_reason"]) if said) or None


def _version_count(db: Database, article: Row, page_ids: Iterable[int]) -> int:
    sql = "select count(*) from versions where article_id = ? and page_id in (select value from json_each(?))"
    (count,) = db.execute(sql, [article["id"], json.dumps([*page_ids])]).fetchone()
    return max(1, int(count))


def take_down(db: Database, planned: Forgotten, now: str, reason: str | None = None) -> Forgotten:
    """Forget one address as it was planned, but for what another one of the same takedown has taken already; at the time `now`
    (`YYYY-MM-DDTHH:MM:SSZ`), for a reason in somebody's words. One that is unknown is refused in advance."""
    page = first_row(db, "select * from pages where url = ?", [planned.url])
    if page is None:
        _refuse_in_advance(db, planned.url, now, reason)
        return planned
    if page["reason"] == FORGOTTEN and planned.was not in (FORGOTTEN, "unknown"):
        return replace(planned, was=FORGOTTEN, with_it=(), versions=0)
    if planned.was == "article":
        db.execute("delete from versions where article_id = ?", [page["article_id"]])
    trimmed = _drop_versions(db, planned.page_ids)
    _silence(db, planned.page_ids, now, reason)
    if planned.was == "article":
        drop_article(db, db.table("articles").get(page["article_id"]))
    return replace(planned, trimmed=trimmed)


SILENCED: Row = {
    "state": "refused", "reason": FORGOTTEN, "article_id": None, "similarity": None, "title": None, "titles": None,
    "hints": None, "date_published": None, "content_hash": None, "etag": None, "last_modified": None,
    "extractor": None, "next_fetch_at": None, "reservations": None, "content_usage": None, "notice": None,
}  # fmt: skip
"""The columns of a page that is refused for good: what its publisher said is cleared; where a capture lies stays known."""


def _silence(db: Database, page_ids: Iterable[int], now: str, reason: str | None) -> None:
    page_ids = list(page_ids)
    feed_texts.drop(db, page_ids)
    for page_id in page_ids:
        db.execute("delete from parts where url = (select url from pages where id = ?)", [page_id])
        db.execute("delete from variants where page_id = ?", [page_id])
        update(db, "pages", page_id, SILENCED)
        db.execute(_NOTE, [now, reason, page_id])


_NOTE = """update pages set forgotten_at = coalesce(forgotten_at, ?), forgotten_reason = coalesce(?, forgotten_reason)
           where id = ?"""
"""The first time stays, and what was said last."""


def _refuse_in_advance(db: Database, url: str, now: str, reason: str | None) -> None:
    """An address that nobody has found yet; `listed` because a person named it."""
    source = first_row(db, "select id from sources where domain = ? order by enabled desc, id limit 1", [site_of(url)])
    db.execute(
        """insert into pages (url, source_id, via, state, reason, discovered_at, forgotten_at, forgotten_reason)
           values (?, ?, 'listed', 'refused', ?, ?, ?, ?)""",
        [url, source["id"] if source else None, FORGOTTEN, now, now, reason],
    )


def lift(db: Database, url: str) -> bool:
    """Let an address be asked and stored again; nothing comes back. One that was refused before anybody found it is unknown again.

    False when it is not forgotten. Called within the writer's transaction.
    """
    page = first_row(db, "select * from pages where url = ? and reason = ?", [url, FORGOTTEN])
    if page is None:
        return False
    kept = first_row(db, "select 1 from captures where page_id = ?", [page["id"]])
    if page["via"] == "listed" and not (page["attempts"] or kept):
        db.execute("delete from pages where id = ?", [page["id"]])
    else:
        update(db, "pages", page["id"], PENDING)
    return True


PENDING: Row = {"state": "pending", "reason": None, "attempts": 0, "forgotten_at": None, "forgotten_reason": None}
"""The columns of a page whose refusal is lifted."""


def forgotten_with(db: Database, urls: Iterable[str]) -> list[str]:
    """The addresses that were forgotten at the same moment as one of these: an article's others, mostly."""
    sql = """select url from pages where reason = :forgotten and url not in (select value from json_each(:urls))
             and forgotten_at in (select forgotten_at from pages where url in (select value from json_each(:urls)))"""
    return [url for (url,) in db.execute(sql, {"forgotten": FORGOTTEN, "urls": json.dumps([*urls])})]


def _drop_versions(db: Database, page_ids: Iterable[int]) -> frozenset[int]:
    """Remove the texts of these pages from articles that stay; returns the ids of these."""
    pages = json.dumps([*page_ids])
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


def _archives(db: Database, pages: list[Row], own: Collection[str]) -> tuple[str, ...]:
    """WARC files that hold an answer of these pages and that nobody blanks, imported ones and those that are not where they were;
    saved files that these pages were read from."""
    ids = json.dumps([page["id"] for page in pages])
    found = db.execute("select file from captures where page_id in (select value from json_each(?))", [ids])
    files = {file for (file,) in found}
    bare = {PurePosixPath(file).name for file in files}
    return tuple(
        sorted({*files, *(page["warc"] for page in pages if page["warc"] and page["warc"] not in bare)} - {*own})
    )


def erase(db: Database) -> bool:
    """Write the file anew, so that its bytes hold nothing that was deleted, now or earlier. Needs twice its size on the disk.

    False when a reader kept the write-ahead log from being emptied: that may still hold what was deleted. The full-text
    index only marks what is deleted until its parts are merged; SQLite before 3.42 has no way to spare them (`secure-delete`).
    """
    for index in FULL_TEXT:
        db.execute(f"insert into {index} ({index}) values ('optimize')")
    db.execute(
        "pragma wal_checkpoint(truncate)"
    )  # the text is gone from the live pages, also when there is no room below
    db.execute("vacuum")
    return not db.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
