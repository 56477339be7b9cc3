"""The table `articles`: what match() decided, written together with the state of its page.

Called within the writer's transaction.
"""

from dataclasses import fields as fields_of
from datetime import datetime, timedelta

from crawler.items import Article
from crawler.times import stamp
from pipelines.archive import notices, pages, runs, sources, variants, versions
from pipelines.archive.notices import SHRUNK
from pipelines.archive.pages import Stored
from pipelines.archive.rows import article_of, insert, to_json, update
from pipelines.database.connection import Row, first_row
from pipelines.database.sqlite import Database
from pipelines.deduplicate.match import UNLIKE, Match, is_same_content, is_same_text, precedence_of
from pipelines.deduplicate.near_copies import Text, containment, is_beginning, similarity

OLDEST_DATE, FUTURE_ALLOWED = "1600", timedelta(days=2)
"""Publication dates outside are kept, but nothing is sorted by them: the oldest newspapers, and time zones plus a day."""

INDEXED = ("title", "description", "text", "word_count", "content_hash")
"""Columns that an unchanged text leaves alone: the full-text index would be written again for nothing."""


def apply(db: Database, match: Match) -> Stored:
    """Write an article where match() says it belongs, and what became of its addresses."""
    page = match.page
    if match.reused:
        pages.set_aside(db, page.final_url)
    if match.false_claim_of:
        _correct_address(db, match.false_claim_of)
    here = match.here or pages.inserted(db, page.final_url, page)
    outcome, article = _put(db, match, here["id"])
    columns = pages.fetched(page, here) | pages.settled(match, article)
    if columns["state"] == "article":
        doubted = outcome == "updated" and article["content_hash"] != match.content_hash
        columns |= pages.recheck(page, article, doubted=doubted)
    elif match.reason in COPIED:
        columns |= _relation(db, article, match.content_hash)
    update(db, "pages", here["id"], columns)
    if match.merges or match.kind == "original":
        _relate_copies(db, article)
    if outcome == "updated" or match.merges or match.kind == "original":
        variants.renew(db, article["id"])
    elif match.kind == "duplicate":
        variants.renew(db, article["id"], here["id"])
    if match.reserves:
        unread: Row = {"warc": None, "warc_offset": None, "article_id": article["id"]}
        pages.inserted(db, match.url, page, state="duplicate", reason="canonical", **unread)
    found = here | columns if page.url == page.final_url else pages.redirected(db, page, article["id"])
    runs.touch(db, found["id"], found["source_id"], outcome)
    return Stored(
        page_id=found["id"],
        state=found["state"],
        reason=found["reason"],
        article_id=found["article_id"],
        outcome=outcome,
    )


def _put(db: Database, match: Match, page_id: int) -> tuple[str, Row]:
    """Write the article; returns what that is in the run's summary, and the article's row as it is now."""
    row = article_row(match.article, match.page.fetched_at, match.content_hash)
    if match.known is None:
        return "new", _insert(db, match, row)
    for other_id in match.merges:
        _merge(db, match.known["id"], other_id)
    known = article_of(db, match.known["id"]) if match.merges else match.known
    if match.kind == "refetch":
        return _refetch(db, match, known, page_id, row)
    if match.kind == "original":
        return _replace_with_original(db, match, known, page_id, row)
    _keep_copy(db, match, known, page_id, row)
    return "duplicate", known


def _insert(db: Database, match: Match, row: Row) -> Row:
    source_id = sources.id_for(db, match.page)
    db.conn.execute(
        "update sources set last_new_article_at = max(coalesce(last_new_article_at, ''), ?) where id = ?",
        [row["last_fetched_at"], source_id],
    )
    first = {
        "id": _unused_id(db), "url": match.url, "source_id": source_id, "first_seen_at": row["last_fetched_at"]
    }  # fmt: skip
    insert(db, "articles", row | first)
    versions.note_prints(db, first["id"], match.unnoted)
    return row | first


def _unused_id(db: Database) -> int:
    """SQLite would give an article that was merged away's id to another, and `moved` would lead astray."""
    sql = """select 1 + max(coalesce((select max(id) from articles), 0),
                            coalesce((select max(old_id) from moved where kind = 'article'), 0))"""
    return int(db.conn.execute(sql).fetchone()[0])


def _refetch(db: Database, match: Match, known: Row, page_id: int, row: Row) -> tuple[str, Row]:
    """Another capture of a known page: unchanged, a newer text, or an older one from an archive."""
    newer = row["last_fetched_at"] >= known["last_fetched_at"]
    if is_same_content(known, row):
        outcome, fields = "known", {name: value for name, value in row.items() if name not in INDEXED}
    elif known["text_source"] == "feed" and row["text_source"] != "feed" and is_beginning(row["text"], known["text"]):
        outcome, fields = "known", {}
    elif match.here and newer and not match.article.notice and notices.is_recovered(match.here, known, row):
        return _recover(db, match.here, known, row)
    else:
        trusted = (
            match.announced
            or not is_doubtful(known, row)
            or (versions.is_agreed(db, known, page_id, row) and not notices.shrinks_with_others(db, known, row))
        )
        outcome, fields = "updated", row if trusted else {}
        versions.add(db, known, page_id, row)
        if trusted:
            versions.add_prints(db, known["id"], match.prints)
    fields = with_times(known, row, fields | {"gone_at": None} if newer else {})
    update(db, "articles", known["id"], fields)
    return outcome, known | fields


def _recover(db: Database, here: Row, known: Row, row: Row) -> tuple[str, Row]:
    """The article at last, where a notice was stored in its place."""
    fields = row | {"gone_at": None}
    update(db, "articles", known["id"], fields)
    notices.forget_notice(db, here, known, row["last_fetched_at"])
    versions.renew_texts(db, known["id"])
    return "updated", known | fields


def _replace_with_original(db: Database, match: Match, known: Row, page_id: int, row: Row) -> tuple[str, Row]:
    """The article's row takes the fields of its original, or of its new address; the page it had becomes a duplicate."""
    if is_same_text(known, row):
        row = row | {name: known[name] for name in ("text", "word_count", "content_hash")}
    elif not versions.has(db, known["id"], row["content_hash"]):
        if match.reason != "part":  # it is no other text, but the rest of it
            versions.add(db, known, page_id, row)
        versions.add_prints(db, known["id"], match.prints)
    db.execute(
        """update pages set state = 'duplicate', reason = ?, similarity = null, next_fetch_at = null
           where article_id = ? and state = 'article' and id <> ?""",
        [match.reason, known["id"], page_id],
    )
    own = {"url": match.url, "source_id": sources.id_for(db, match.page), "gone_at": None}
    fields = with_times(known, row, row) | own
    update(db, "articles", known["id"], fields)
    return runs.recount_displaced(db, known["id"]), known | fields


def _keep_copy(db: Database, match: Match, known: Row, page_id: int, row: Row) -> None:
    """A copy's own text stays readable, and its prints find further copies."""
    if row["content_hash"] == known["content_hash"]:
        return
    if not versions.has(db, known["id"], row["content_hash"]):
        versions.add(db, known, page_id, row)
        versions.add_prints(db, known["id"], match.prints)


def _merge(db: Database, kept_id: int, other_id: int) -> None:
    """Two articles turn out to be one: the smaller id stays and has the fields of the original."""
    kept, other = article_of(db, kept_id), article_of(db, other_id)
    first = min((kept, other), key=lambda row: precedence_of(db, row))
    displaced = other if first is kept else kept
    if displaced["content_hash"] != first["content_hash"]:
        versions.add(db, first, versions.article_page(db, displaced["id"]), displaced)
    db.execute(
        """update pages set state = 'duplicate', reason = 'near', next_fetch_at = null
           where article_id = ? and state = 'article'""",
        [displaced["id"]],
    )
    for sql in (
        "update pages set article_id = :kept where article_id = :other",
        "update versions set article_id = :kept where article_id = :other",
        "update or ignore fingerprints set article_id = :kept where article_id = :other",
        "delete from fingerprints where article_id = :other",
        "delete from articles where id = :other",
        "update moved set new_id = :kept where kind = 'article' and new_id = :other",
        "insert into moved (kind, old_id, new_id) values ('article', :other, :kept)",
    ):
        db.execute(sql, {"kept": kept_id, "other": other_id})
    own = {"id": kept_id, "story_id": kept["story_id"]}
    earliest = {"first_seen_at": min(kept["first_seen_at"], other["first_seen_at"])}
    update(db, "articles", kept_id, first | own | earliest)
    versions.renumber(db, kept_id, anew=True)
    runs.recount_displaced(db, kept_id)


def _correct_address(db: Database, article_id: int) -> None:
    """Give an article that claimed another page's address its own page's."""
    db.execute(
        "update articles set url = (select url from pages where article_id = articles.id and state = 'article') where id = ?",
        [article_id],
    )


# Copies

COPIED = ("text", "near")
"""pages.reason of pages that have an article's words."""


def _relate_copies(db: Database, article: Row) -> None:
    """Say of all copies of an article whether they have its very words, else how much is shared."""
    copies = db.execute(
        """select id, content_hash from pages where article_id = ? and state = 'duplicate' and reason in ('text', 'near')
           and content_hash is not null""",
        [article["id"]],
    ).fetchall()
    for page_id, copy_hash in copies:
        update(db, "pages", page_id, _relation(db, article, copy_hash))


def _relation(db: Database, article: Row, copy_hash: str) -> Row:
    same = copy_hash == article["content_hash"]
    return {
        "reason": "text" if same else "near",
        "similarity": 1.0 if same else _similarity(db, article, copy_hash),
    }


def _similarity(db: Database, article: Row, copy_hash: str) -> float | None:
    sql = "select text from versions where article_id = ? and content_hash = ?"
    kept = first_row(db, sql, [article["id"], copy_hash])
    return similarity(Text(article["text"]), Text(kept["text"])) if kept else None


# Columns


WITH_THE_PAGE = ("titles", "reservations", "canonical_url", "notice", "parts")
"""Fields that stand with the page: where its titles disagree, what it reserves, whether it may be a notice; what address it
claims decides which row it has, and the pages that it links as its parts are rows of their own."""

COLUMNS = tuple(field.name for field in fields_of(Article) if field.name not in WITH_THE_PAGE)
"""The fields of an article that are columns of the same name."""


def article_row(article: Article, fetched_at: datetime, content_hash: str) -> Row:
    """The columns of `articles` that come from the page alone: an article's own, lists as JSON."""
    stated = {name: getattr(article, name) for name in COLUMNS}
    return {name: to_json(value) if isinstance(value, tuple) else value for name, value in stated.items()} | {
        "sort_at": sort_at(article.date_published, fetched_at),
        "content_hash": content_hash,
        "last_fetched_at": stamp(fetched_at),
    }


def article_as_it_is(db: Database, article_id: int | None) -> Row:
    """The row of an article; without its story, which the end of the run decides."""
    row = first_row(db, "select * from articles where id = ?", [article_id])
    assert row is not None
    return {name: value for name, value in row.items() if name != "story_id"}


def with_times(known: Row, row: Row, fields: Row) -> Row:
    """What changes of an article, with its first and last fetch: one without a date stays where it was when it was first seen."""
    first_seen = min(known["first_seen_at"], row["last_fetched_at"])
    times = {"first_seen_at": first_seen, "last_fetched_at": max(known["last_fetched_at"], row["last_fetched_at"])}
    if "sort_at" in fields and fields["sort_at"] != fields["date_published"]:
        times["sort_at"] = first_seen
    return fields | times


def is_doubtful(known: Row, row: Row) -> bool:
    """Whether a newer text may be a fault of the site: much shorter than the known one, or about something else."""
    if row["word_count"] < known["word_count"] * SHRUNK:
        return True
    return containment(known["text"], row["text"]) < UNLIKE


def sort_at(date_published: str | None, fetched_at: datetime) -> str:
    """What everything sorts by: the publication date where it is a possible one, else when it was first seen."""
    if date_published and OLDEST_DATE <= date_published <= stamp(fetched_at + FUTURE_ALLOWED):
        return date_published
    return stamp(fetched_at)
