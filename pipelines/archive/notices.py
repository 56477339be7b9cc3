"""Notices that were taken for articles: a site that turns visitors away with status 200 says the same at many addresses.

One page alone is judged in pipelines/extract/notices.py, which leaves a hash on what may be a notice. Here the pages of a site are
compared: what several addresses say is refused, what was stored of it is withdrawn, and what recovers takes over without a trace.
Called within the writer's transaction; of all pages that have no such hash only that is asked.
"""

from collections.abc import Mapping
from dataclasses import replace

from crawler.items import LOCAL, Outcome
from crawler.times import stamp
from pipelines.archive import pages, runs, schedule, sources, takedown
from pipelines.archive.pages import Stored
from pipelines.archive.rows import article_of, update
from pipelines.archive.runs import RunState
from pipelines.database.connection import Row
from pipelines.database.sqlite import Database
from pipelines.deduplicate.match import UNLIKE
from pipelines.deduplicate.near_copies import containment

OTHER_ADDRESSES = 2
"""Further addresses of a source with the same words, from which on these are a notice: three in all. Two may be one short report's,
its page and that for printing; a report's own data, date, author or canonical link keep it from having a hash at all."""

SHRUNK = 0.5
"""A text under this share of the known one's words is a version, but only replaces it when the next answer agrees. Nor does
one that is UNLIKE it replace it at once: a consent notice can be as long as a brief."""


def is_turned_away(db: Database, outcome: Outcome, known: Mapping[str, Row]) -> bool:
    """Whether the words of a page are a notice: an article stood there that they share nothing with, or others of its source say them."""
    article, page = outcome.article, outcome.page
    if article is None or article.notice is None:
        return False
    here = known.get(page.final_url)
    if here and here["state"] == "article":
        return here["notice"] is None and _is_other(article_of(db, here["article_id"]), article.title, article.text)
    own = [row["source_id"] for row in (known.get(page.url), here) if row]
    source_id = own[0] if own else sources.id_for(db, page)
    sql = "select count(*) from (select 1 from pages where notice = ? and source_id is ? and url not in (?, ?) limit ?)"
    parameters = [article.notice, source_id, page.url, page.final_url, OTHER_ADDRESSES]
    (others,) = db.conn.execute(sql, parameters).fetchone()
    return bool(others >= OTHER_ADDRESSES)


def _is_other(known: Row, title: str | None, text: str) -> bool:
    """Whether a page says nothing of the article that stood there: that one was withdrawn names it, and is news."""
    from pipelines.extract.notices import stems  # a tenth of a second, for what few crawls ask

    said = stems(f"{title or ''}\n{text}")
    return containment(known["text"], text) < UNLIKE and not stems(known["title"] or "") & said


def refuse(db: Database, run: RunState, outcome: Outcome, known: Mapping[str, Row]) -> Stored:
    """Refuse a page as a notice, and withdraw what was stored of it for articles."""
    assert outcome.article is not None
    notice, at = outcome.article.notice, outcome.page.fetched_at
    refused = replace(outcome, article=None, refusal="turned_away", extractor=outcome.article.extractor)
    stored = pages.keep_without_article(db, run, refused, known)
    if stored.state == "refused":
        db.conn.execute("update pages set notice = ? where url = ?", [notice, outcome.page.url])
        sql = """select distinct article_id from pages as page where notice = ? and article_id is not null
                 and source_id is (select source_id from pages where url = ?)
                 and exists (select 1 from articles where id = page.article_id and version_count = 1)"""
        for (article_id,) in db.conn.execute(sql, [notice, outcome.page.url]).fetchall():
            _withdraw(db, article_id, stamp(at + schedule.RETRY_REFUSED_AFTER[0]))
    return stored


def _withdraw(db: Database, article_id: int, again: str) -> None:
    """Take an article that is none out, its addresses refused until `again`."""
    article = article_of(db, article_id)
    _ask_again(db, "article_id = ?", [article_id], again)
    db.conn.execute("delete from versions where article_id = ?", [article_id])
    takedown.drop_article(db, article)
    db.conn.execute(
        """update sources set last_new_article_at = (select max(first_seen_at) from articles where source_id = sources.id)
           where id = ?""",
        [article["source_id"]],
    )


def _ask_again(db: Database, condition: str, parameters: list[object], again: str) -> None:
    """Refuse pages that gave a notice, those of local copies for good."""
    for page_id, source_id, via in db.conn.execute(
        f"select id, source_id, via from pages where {condition}", parameters
    ).fetchall():
        update(db, "pages", page_id, REFUSED | {"next_fetch_at": None if via in LOCAL else again})
        runs.touch(db, page_id, source_id, "refused")


REFUSED: Row = {
    "state": "refused", "reason": "turned_away", "attempts": 1, "article_id": None, "similarity": None, "title": None, "titles": None,
    "date_published": None, "content_hash": None, "etag": None, "last_modified": None,
}  # fmt: skip
"""The columns of a page that had been an article, and was a notice."""


def is_recovered(here: Row | None, known: Row, row: Row) -> bool:
    """Whether a page gives its article at last, where a notice is stored in its place. `row` is what it gives now."""
    if containment(known["text"], row["text"]) >= UNLIKE:
        return False
    if here and here["notice"]:
        return True
    from pipelines.extract.notices import says_so  # stored by a release that knew no notices

    return says_so(f"{known['title'] or ''}\n{known['text']}")


def forget_notice(db: Database, here: Row, known: Row, now: str) -> None:
    """Drop what is left of a notice that its article has taken the place of; who was taken for a copy of it is asked again."""
    sql = "delete from versions where article_id = ? and content_hash = ?"
    db.conn.execute(sql, [known["id"], known["content_hash"]])
    condition = "article_id = ? and id <> ? and state = 'duplicate' and (content_hash = ? or notice = ?)"
    _ask_again(db, condition, [known["id"], here["id"], known["content_hash"], here["notice"]], now)


def shrinks_with_others(db: Database, known: Row, row: Row) -> bool:
    """Whether an article's text shrinks while those of its source do: two others at least, and half of those looked at in a day.

    That is no correction but a wall or a fault of the site: the texts stay, and are asked for again.
    """
    if row["word_count"] >= SHRUNK * known["word_count"]:
        return False
    looked, shrunk = db.conn.execute(
        """select count(*), coalesce(sum(exists (
               select 1 from versions where versions.article_id = articles.id and page_id = pages.id
                   and fetched_at = articles.last_fetched_at and versions.content_hash <> articles.content_hash
                   and length(versions.text) < ? * length(articles.text))), 0)
           from pages join articles on articles.id = pages.article_id
           where pages.source_id = ? and pages.state = 'article' and pages.next_fetch_at is not null and articles.id <> ?
                 and articles.last_fetched_at >= strftime('%Y-%m-%dT%H:%M:%SZ', ?, '-1 day')""",
        [SHRUNK, known["source_id"], known["id"], row["last_fetched_at"]],
    ).fetchone()
    return bool(shrunk >= OTHER_ADDRESSES and 2 * shrunk >= looked)
