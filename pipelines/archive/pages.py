"""The table `pages`: every address found, in exactly one state, and when it is to be asked again.

What is kept here are answers without an article; articles.py writes a page and its article together. Called within the
writer's transaction.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crawler.hints import completed, said
from crawler.items import LOCAL, TURNED_AWAY, Hints, Outcome, Page
from crawler.reasons import is_final
from crawler.redirectors import behind_redirectors
from crawler.times import stamp
from crawler.urls import canonical_url, same_site
from pipelines.archive import runs, schedule, sources, takedown, variants
from pipelines.archive.feed_texts import AWAITED
from pipelines.archive.rows import insert, to_json, update
from pipelines.archive.runs import RunState
from pipelines.database.connection import Row, first_row, rows
from pipelines.database.schema import FORGOTTEN
from pipelines.database.sqlite import Database
from pipelines.deduplicate.match import Match, found_at_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is in the archive now of a page that was kept."""

    page_id: int  #: of the address that was found, or that its page names as its own where it was found at none
    state: str  #: pages.state of that address
    reason: str | None  #: pages.reason
    article_id: int | None
    outcome: str  #: what that is in the run's summary: one of runs.OUTCOMES


def keep_without_article(db: Database, run: RunState, outcome: Outcome, known: Mapping[str, Row]) -> Stored:
    """Write a refusal, a failure, "not modified" or a takedown that holds; a page that was an article keeps its text.

    `known` are the rows of its addresses as match.known_pages() gives them.
    """
    page = outcome.page
    row = known.get(page.url) or inserted(db, page.url, page)
    columns = {
        "http_status": page.status,
        "unchecked": row["unchecked"] if page.status is None else int(page.unchecked) or None,
        "attempts": row["attempts"] + 1,
        "last_fetched_at": stamp(page.fetched_at),
    }
    if not outcome.failure and takedown.is_forgotten(known):
        run.note_read(page.source)
        word, more = _forgotten(db, page, row)
    else:
        _note_source(run, outcome)
        word, more = _answered(db, run, outcome, row)
    update(db, "pages", row["id"], columns | more)
    runs.touch(db, row["id"], row["source_id"], word)
    now = row | columns | more
    return Stored(
        page_id=row["id"], state=now["state"], reason=now["reason"], article_id=now["article_id"], outcome=word
    )


Kept = tuple[str, Row]
"""What became of the page in the run's summary, and what changes of its row."""


def _note_source(run: RunState, outcome: Outcome) -> None:
    page = outcome.page
    if not outcome.failure:
        run.note_read(page.source)
    elif _is_named(page):  # a page that a feed or a list names may be gone without anything being wrong with the source
        run.note_unread(page.source, f"{page.url}: {outcome.failure}")


def _is_named(page: Page) -> bool:
    """Whether its source is watched by this very page."""
    named = page.source.pages if page.source and page.via == "listed" else ()
    return page.url in map(behind_redirectors, map(canonical_url, named))


def _answered(db: Database, run: RunState, outcome: Outcome, row: Row) -> Kept:
    if outcome.page.unchanged:
        return _unchanged(db, outcome.page, row)
    if outcome.refusal:
        return _refused(db, outcome.page, row, outcome.refusal, outcome.extractor)
    reason = outcome.failure or "unknown"
    kept = _failed(db, outcome.page, row, reason)
    if kept[0] == "failed":
        run.first_failed = run.first_failed or f"{outcome.page.url}: {reason}"
        run.note_error(f"{outcome.page.url}: {reason}")
    return kept


def _refused(db: Database, page: Page, row: Row, reason: str, extractor: str | None) -> Kept:
    """The page answered and is no article."""
    if row["state"] == "article":
        return "known", recheck(page, _article_times(db, row), doubted=is_doubted(db, row))
    if row["state"] == "duplicate":
        return "known", {}
    # What no server answered (robots.txt forbids it) is no better tomorrow; a local copy stays as it is.
    asked = page.status is not None and page.via not in LOCAL and not is_final(reason)
    attempts = row["attempts"] + 1 if row["state"] == "refused" else 1
    again = schedule.retry_at(attempts, page.fetched_at, refused=True) if asked else None
    return "refused", {
        "state": "refused",
        "reason": reason,
        "attempts": attempts,
        "extractor": extractor,
        "next_fetch_at": _stamp(again),
    }


def _failed(db: Database, page: Page, row: Row, reason: str) -> Kept:
    """No answer worth keeping: asked again later, until the attempts are spent."""
    attempts = row["attempts"] + 1
    if row["state"] in ("pending", "failed"):
        again = schedule.retry_at(attempts, page.fetched_at)
        return "failed", {"state": "failed", "reason": reason, "next_fetch_at": _stamp(again)}
    if row["state"] == "refused":
        return "failed", {"next_fetch_at": _stamp(schedule.retry_at(attempts, page.fetched_at, refused=True))}
    return _failed_recheck(db, page, row) if row["state"] == "article" else ("failed", {})


def _failed_recheck(db: Database, page: Page, row: Row) -> Kept:
    """An article that gave no answer keeps its text. One that is gone is asked once more, and then it is gone: that is news."""
    if not is_gone(page.status):
        article = _article_times(db, row)
        is_told = article["text_source"] == "feed" and page.status in TURNED_AWAY  # as it was, and no failure
        return "known" if is_told else "failed", recheck(page, article, doubted=is_doubted(db, row))
    if not is_gone(row["http_status"]):
        return "known", {"next_fetch_at": stamp(page.fetched_at + schedule.GONE_PAUSE)}
    if moved_to := _newer_address(db, row):
        return _moved(db, page, row, moved_to)
    noted = db.execute(
        "update articles set gone_at = ? where id = ? and gone_at is null", [stamp(page.fetched_at), row["article_id"]]
    )
    return "updated" if noted.rowcount else "known", {"next_fetch_at": None}


def _newer_address(db: Database, row: Row) -> Row | None:
    """The newest address on the same site that gave an article's text and is not known to be gone."""
    sql = """select id, url from pages where article_id = ? and state = 'duplicate' and reason in ('text', 'near', 'canonical')
             and http_status = 200 order by discovered_at desc, id desc"""
    return next((other for other in [*rows(db, sql, [row["article_id"]])] if same_site(other["url"], row["url"])), None)


def _moved(db: Database, page: Page, row: Row, to: Row) -> Kept:
    """An address that is gone while another of its site has the text: the article lives there, and is looked at there soon."""
    db.execute("update pages set state = 'duplicate', reason = 'canonical' where id = ?", [row["id"]])
    db.execute(
        """update pages set state = 'article', reason = null, similarity = null, next_fetch_at = ?,
                  content_hash = (select content_hash from articles where articles.id = article_id) where id = ?""",
        [stamp(page.fetched_at), to["id"]],
    )
    db.execute("update articles set url = ?, gone_at = null where id = ?", [to["url"], row["article_id"]])
    variants.renew(db, row["article_id"])
    return "updated", {"state": "duplicate", "reason": "canonical", "next_fetch_at": None}


def is_doubted(db: Database, page: Row) -> bool:
    """Whether the last text of an article's page still waits for an answer that agrees."""
    sql = """select versions.content_hash <> articles.content_hash from versions join articles on articles.id = article_id
             where article_id = ? and page_id = ? order by versions.fetched_at desc, versions.id desc limit 1"""
    last = db.execute(sql, [page["article_id"], page["id"]]).fetchone()
    return bool(last and last[0])


def _unchanged(db: Database, page: Page, row: Row) -> Kept:
    """The article is as it was: nothing is written but when that was seen, and when to look again."""
    if row["state"] != "article":
        return "known", {}
    db.execute(
        "update articles set last_fetched_at = max(last_fetched_at, ?), gone_at = null where id = ?",
        [stamp(page.fetched_at), row["article_id"]],
    )
    return "known", recheck(page, _article_times(db, row))


def _forgotten(db: Database, page: Page, row: Row) -> Kept:
    """What leads to a page that was taken down is taken down itself, unless it is an article already."""
    if row["state"] == "article":
        return "known", recheck(page, _article_times(db, row))
    if row["state"] == "duplicate":
        return "known", {}
    return "refused", takedown.SILENCED


def _article_times(db: Database, page: Row) -> Row:
    """What recheck() needs of the article of a page."""
    row = first_row(
        db, "select date_published, first_seen_at, text_source from articles where id = ?", [page["article_id"]]
    )
    assert row is not None
    return row


# Columns


def recheck(page: Page, article: Row, *, doubted: bool = False) -> Row:
    """When an article's page is to be looked at again; `doubted` when its text waits for the next answer to agree."""
    again = None
    if page.source and page.source.recheck and page.via not in LOCAL:
        first_seen = datetime.fromisoformat(article["first_seen_at"])
        again = schedule.recheck_at(article["date_published"], first_seen, page.fetched_at, doubted=doubted)
    # Only a whole answer can agree with a doubted text; "not modified" would say nothing of it.
    return {"next_fetch_at": _stamp(again)} | ({"etag": None, "last_modified": None} if doubted else {})


def fetched(page: Page, row: Row) -> Row:
    """What an answer with an article says of the address that gave it."""
    columns = {
        "http_status": page.status, "unchecked": int(page.unchecked) or None, "etag": page.etag, "last_modified": page.last_modified, "attempts": row["attempts"] + 1,
        "discovered_at": min(row["discovered_at"], stamp(page.fetched_at)),
        "last_fetched_at": max(row["last_fetched_at"] or "", stamp(page.fetched_at)), "next_fetch_at": None,
        "content_usage": to_json(page.content_usage),
    }  # fmt: skip
    if page.via in LOCAL and said(page.hints):  # a list says more by now
        columns["hints"] = hints_json(page.hints)
    return columns | ({"warc": page.warc, "warc_offset": page.warc_offset} if page.warc else {})


def settled(match: Match, article: Row) -> Row:
    """What became of the page. Its words count as an article's own only once they are believed."""
    duplicate, its = match.kind == "duplicate", match.article
    return {
        "state": "duplicate" if duplicate else "article", "reason": match.reason if duplicate else None,
        "article_id": article["id"], "similarity": None, "title": its.title, "date_published": its.date_published,
        "extractor": its.extractor, "content_hash": match.content_hash if duplicate else article["content_hash"],
        "titles": to_json(dict(its.titles)), "reservations": to_json(its.reservations), "notice": its.notice,
    }  # fmt: skip


def _stamp(when: datetime | None) -> str | None:
    return stamp(when) if when else None


# Rows


def inserted(db: Database, url: str, page: Page, **state: Any) -> Row:
    """A new row for an address, as a page that was never asked unless `state` says otherwise."""
    row = {
        "url": url, "source_id": sources.finder_of(db, page), "via": page.via,
        "hints": hints_json(page.hints), "state": "pending", "discovered_at": stamp(found_at_of(page, url)), "warc": page.warc,
        "warc_offset": page.warc_offset,
    } | state  # fmt: skip
    unsaid = dict.fromkeys(("reason", "article_id", "http_status", "unchecked", "last_fetched_at"))
    return unsaid | {"attempts": 0} | row | {"id": insert(db, "pages", row)}


def enlist(db: Database, listed: Iterable[Page]) -> Iterator[Page]:
    """Note pages that a person lists, and give each with all that is said of it: a new one is pending, one that is known stays as
    it is, but that what the list says comes before what its feed said. One that was taken down is named at the end."""
    for page in listed:
        known = first_row(db, "select id, source_id, reason, hints from pages where url = ?", [page.url])
        row = known or inserted(db, page.url, page)
        is_forgotten = row["reason"] == FORGOTTEN
        word = "refused" if is_forgotten else "known" if known else "pending"
        runs.touch(db, row["id"], row["source_id"], word)
        if is_forgotten:
            runs.note_not_taken(db, page, FORGOTTEN)
        elif known:
            page = replace(page, hints=completed(page.hints, hints_from_json(known["hints"])))
            update(db, "pages", known["id"], {"hints": hints_json(page.hints)})
        yield page


def complete_hints(db: Database, page_id: int, known: str | None, hints: Hints) -> None:
    """Note what another listing says of a page, where the first one, `known` as JSON, says nothing."""
    more = hints_json(completed(hints_from_json(known), hints))
    if more != known:
        update(db, "pages", page_id, {"hints": more})


def with_hints(db: Database, output: Any) -> Any:
    """A page with what all its listings have said by now, as long as it has not given its article; all else as it is."""
    if not isinstance(output, Page) or output.unchanged:
        return output
    row = first_row(db, f"select hints from pages where url = ? and {AWAITED}", [output.url])
    return replace(output, hints=completed(output.hints, hints_from_json(row["hints"]))) if row else output


def set_aside(db: Database, url: str) -> None:
    """Make room at an address that now holds another article: the one it held keeps it, with its date behind a `#`.

    What the address is asked by goes to the page that is to come. The old one is not asked again.
    """
    sql = """select pages.id, article_id, coalesce(articles.date_published, articles.first_seen_at) as date
             from pages join articles on articles.id = article_id where pages.url = ?"""
    page = first_row(db, sql, [url])
    assert page is not None
    aside = f"{url}#{page['date']}"
    while first_row(db, "select 1 from pages where url = ?", [aside]):
        aside += "'"
    update(db, "pages", page["id"], {"url": aside, "next_fetch_at": None, "etag": None, "last_modified": None})
    db.execute("update articles set url = ? where id = ?", [aside, page["article_id"]])


def redirected(db: Database, page: Page, article_id: int) -> Row:
    """The row of an address that led to another one: a duplicate of what was there, unless it is an article by itself."""
    row = first_row(db, "select * from pages where url = ?", [page.url]) or inserted(db, page.url, page)
    columns = {
        "http_status": page.status,
        "unchecked": int(page.unchecked) or None,
        "attempts": row["attempts"] + 1,
        "last_fetched_at": stamp(page.fetched_at),
    }
    if row["state"] == "article":
        columns |= recheck(page, _article_times(db, row))
    else:
        columns |= {"state": "duplicate", "reason": "redirect", "article_id": article_id, "next_fetch_at": None}
    update(db, "pages", row["id"], columns)
    return row | columns


def hints_json(hints: Hints) -> str | None:
    """Only what the listing said; None when it said nothing."""
    return to_json(said(hints))


def hints_from_json(text: str | None) -> Hints:
    fields = json.loads(text) if text else {}
    return Hints(**fields | {"authors": tuple(fields.get("authors", ()))})


def is_gone(status: int | None) -> bool:
    return status in (404, 410)
