"""Re-extraction: the original of every article through today's rules, without the network, compared with what is stored.

    pages_to_read() ──► candidates() ──► extracted_in_order(), in the workers ──► compared() ──► apply(), if so wished

What a page is a copy of is not decided anew, nor are the texts of copies read again. Nothing here says that a site corrected
anything: what other rules make of the same bytes is a version of its own cause.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from crawler.items import Article, Capture, Hints, Outcome
from crawler.times import moment_of, stamp
from pipelines.archive import notices, runs, takedown, variants, versions
from pipelines.archive.articles import article_row, with_times
from pipelines.archive.pages import hints_from_json
from pipelines.archive.rows import article_of, to_json, update
from pipelines.archive.runs import LOCAL_COPIES
from pipelines.archive.store import Archive
from pipelines.database.connection import Row, first_row, rows
from pipelines.database.schema import FORGOTTEN
from pipelines.database.sqlite import Database
from pipelines.deduplicate.match import is_same_content, known_pages
from pipelines.text import content_hash

MOST_LOST = 1 / 3
"""Share of an article's words that other rules may take away before somebody has to look at it: more is a fault more often than not."""

JOINED = "part"
"""pages.reason of the pages that an article goes on: its text is that of several originals, joined when they were fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A page that gave an article, or was refused, and its last original."""

    page_id: int
    url: str
    via: str
    source: str  #: name, as people read it
    found_by: str | None  #: address of the source that named it: with its settings it was read
    article_id: int | None  #: None of a refused page
    capture: Capture | None = None  #: None: there is none
    hints: Hints = field(default_factory=Hints)  #: what a list said of a saved page, whose original has none of its own
    joined: bool = False  #: whether its text is joined from several pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What today's rules make of a page, beside what is stored of it."""

    candidate: Candidate
    outcome: Outcome
    changed: tuple[str, ...] = ()  #: some of COMPARED
    loss: str | None = None  #: why an article is not what it was, a reason or a sentence; None: it is none the worse
    gained: bool = False  #: a refused page that gives an article now


COMPARED = {"title": "title", "text": "text", "date": "date_published", "author": "authors"}
"""What is counted, and the column of `articles` that it is."""


# What there is to read


def pages_to_read(db: Database, *, source: str | None = None, since: str | None = None) -> list[int]:
    """Pages that are articles, and then refused ones that have an original, by their ids. `source` is a name or an address, `since`
    a day: of pages of which nothing was captured since there are none. Raises LookupError where there is no such source."""
    if source and first_row(db, "select 1 from sources where ? in (name, url)", [source]) is None:
        raise LookupError(source)
    return [page_id for (page_id,) in db.execute(_PAGES, {"source": source, "since": since}).fetchall()]


def candidates(db: Database, page_ids: Sequence[int]) -> Iterator[Candidate]:
    """Pages with their originals, in the order of their ids here."""
    for start in range(0, len(page_ids), _BATCH):
        found = [*rows(db, _CANDIDATES, {"ids": json.dumps(page_ids[start : start + _BATCH]), "joined": JOINED})]
        yield from map(_candidate, found)  # nothing may be read half way while others are written


_BATCH = 500
"""Pages read at a time; of the others only the numbers are kept."""

_OF_WHOM = """left join articles on articles.id = pages.article_id and state = 'article'
    left join sources on sources.id = coalesce(articles.source_id, pages.source_id)"""

_PAGES = f"""
    select pages.id from pages {_OF_WHOM}
    where (state = 'article' or (state = 'refused' and pages.reason not in ('{FORGOTTEN}', 'robots')
              and exists (select 1 from captures where page_id = pages.id and reason is not 'redirect')))
          and (:source is null or :source in (sources.name, sources.url))
          and (:since is null or exists (select 1 from captures where page_id = pages.id and fetched_at >= :since))
    order by state, pages.id"""

_HERE = "from versions where article_id = articles.id and page_id = pages.id and fetched_at = captures.fetched_at"

_LAST = f"""
    select id from captures
    where page_id = pages.id and reason is not 'redirect' and (articles.id is null or reason is null and (
        not exists (select 1 {_HERE}) or exists (select 1 {_HERE} and content_hash = articles.content_hash)))
    order by fetched_at desc, id desc limit 1"""
"""A page's last capture; of an article none that is of a text which is doubted, and so not the article's."""

_CANDIDATES = f"""
    select pages.id as page_id, pages.url as page_url, pages.via, pages.hints, articles.id as article_id, sources.name as source,
           (select url from sources as namer where namer.id = pages.source_id) as found_by,
           exists (select 1 from pages as part where part.article_id = articles.id and part.reason = :joined) as joined,
           captures.*, original.file as body_file, original.offset as body_offset
    from json_each(:ids) as wanted join pages on pages.id = wanted.value {_OF_WHOM}
    left join captures on captures.id = ({_LAST}) left join captures as original on original.id = captures.revisit_of
    order by wanted.key"""


def _candidate(row: Row) -> Candidate:
    return Candidate(
        page_id=row["page_id"],
        url=row["page_url"],
        via=row["via"],
        source=row["source"] or LOCAL_COPIES,
        found_by=row["found_by"],
        article_id=row["article_id"],
        capture=_capture(row) if row["file"] else None,
        hints=hints_from_json(row["hints"]),
        joined=bool(row["joined"]),
    )


def _capture(row: Row) -> Capture:
    said = {name: row[name] for name in ("status", "reason", "file", "offset", "length", "digest", "revisit_of")}
    body_at = (row["body_file"], row["body_offset"]) if row["revisit_of"] else None
    return Capture(page_url=row["page_url"], fetched_at=moment_of(row["fetched_at"]), body_at=body_at, **said)


# What is different


def compared(db: Database, candidate: Candidate, outcome: Outcome) -> Comparison:
    """What today's rules changed of a page."""
    article, bare = outcome.article, Comparison(candidate=candidate, outcome=outcome)
    if candidate.article_id is None:
        gained = article is not None and not notices.is_turned_away(db, outcome, known_pages(db, outcome))
        return replace(bare, gained=gained)
    if article is None:
        return replace(bare, loss=outcome.refusal or outcome.failure)
    known = article_of(db, candidate.article_id)
    row = _row(candidate, known, article)
    changed = tuple(name for name, column in COMPARED.items() if row[column] != known[column])
    had, has = known["word_count"], row["word_count"]
    loss = f"{had:,} words would become {has:,}" if has < had * (1 - MOST_LOST) else None
    return replace(bare, changed=changed, loss=loss)


def _row(candidate: Candidate, known: Row, article: Article) -> Row:
    """What an article's row would be. Where the page has answered since, without another text, it takes away nothing that was
    said then."""
    assert candidate.capture is not None
    row = article_row(article, candidate.capture.fetched_at, content_hash(article.text))
    if _has_answered_since(candidate, known):
        unsaid = {name for name, value in row.items() if value is None} - OF_TEXT - {*OF_DATE}
        row |= {name: known[name] for name in (*unsaid, *(OF_DATE if article.date_published is None else ()))}
        row["date_modified"] = max(row["date_modified"] or "", known["date_modified"] or "") or None
    return with_times(known, known, row)


OF_DATE = ("date_published", "date_published_raw", "date_published_source", "sort_at")
"""Columns that are one statement: they are kept together."""

OF_TEXT = {"dateline"}
"""Columns that are read from the text: they go with it."""


def _has_answered_since(candidate: Candidate, known: Row) -> bool:
    """Whether the page of an article has answered after its original, with the same text."""
    assert candidate.capture is not None
    return bool(known["last_fetched_at"] > stamp(candidate.capture.fetched_at))


# What is written


def apply(archive: Archive, found: Comparison, *, accept_losses: bool) -> bool:
    """Write what today's rules make of a page, in one transaction; says whether that was anything.

    A loss only where it is accepted; never one that is a failure of reading, nor that of an article which has copies.
    """
    if found.gained:
        assert found.candidate.capture is not None
        archive.keep(replace(found.outcome, captures=(replace(found.candidate.capture, reason=None),)))
        return True
    if found.candidate.article_id is None or (found.loss and not accept_losses):
        return False
    with archive.transaction():
        if found.outcome.article is None:
            return _withdraw(archive.db, found)
        return _put(archive.db, found, found.outcome.article)


def _put(db: Database, found: Comparison, article: Article) -> bool:
    """Write an article's fields as today's rules read them; another text or title is a version."""
    candidate = found.candidate
    assert candidate.article_id is not None
    assert candidate.capture is not None
    known = article_of(db, candidate.article_id)
    row = _row(candidate, known, article)
    if all(known[name] == value for name, value in row.items()):
        return False
    if not is_same_content(known, row):
        at = {"last_fetched_at": stamp(candidate.capture.fetched_at)}
        versions.add(db, known, candidate.page_id, row | at, cause=versions.RULES)
        versions.add_prints(db, candidate.article_id, found.outcome.fingerprints or ())
    update(db, "articles", candidate.article_id, row)
    update(db, "pages", candidate.page_id, _page_row(db, found, known, row))
    variants.renew(db, candidate.article_id)
    _touch(db, candidate, "updated")
    return True


def _page_row(db: Database, found: Comparison, known: Row, row: Row) -> Row:
    """What changes of the page of an article whose row was `known`, and is `row` now."""
    article, candidate = found.outcome.article, found.candidate
    assert article is not None
    page = {
        "title": row["title"], "date_published": row["date_published"], "extractor": article.extractor,
        "content_hash": row["content_hash"], "titles": to_json(dict(article.titles)), "reservations": to_json(article.reservations),
        "notice": article.notice,
    }  # fmt: skip
    if not _has_answered_since(candidate, known):
        return page
    had = first_row(db, "select reservations, notice from pages where id = ?", [candidate.page_id])
    assert had is not None
    # What is reserved stays so, and what said that it is an article still says it.
    return page | {
        "reservations": page["reservations"] or had["reservations"],
        "notice": had["notice"] and page["notice"],
    }


def _withdraw(db: Database, found: Comparison) -> bool:
    """Refuse the page of an article that is none by today's rules, and what only led to it; one that has copies stays."""
    reason, article_id = found.outcome.refusal, found.candidate.article_id
    copies = "select 1 from pages where article_id = ? and state = 'duplicate' and reason not in ('redirect', 'canonical') limit 1"
    if reason is None or article_id is None or db.execute(copies, [article_id]).fetchone():
        return False
    known = article_of(db, article_id)
    refused = notices.REFUSED | {
        "reason": reason,
        "extractor": found.outcome.extractor,
        "next_fetch_at": None,
        "notice": None,
    }
    for (page_id,) in db.execute("select id from pages where article_id = ?", [article_id]).fetchall():
        update(db, "pages", page_id, refused)
    db.execute("delete from versions where article_id = ?", [article_id])
    takedown.drop_article(db, known)
    _touch(db, found.candidate, "refused")
    return True


def _touch(db: Database, candidate: Candidate, outcome: str) -> None:
    (source_id,) = db.execute("select source_id from pages where id = ?", [candidate.page_id]).fetchone()
    runs.touch(db, candidate.page_id, source_id, outcome)
