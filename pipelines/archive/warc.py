"""Originals: an Outcome's answers -> WARC records, where they say something new.

After extraction, for by then it is known whether this is new, and right before the page is stored, with nothing awaited in
between: the records are whole on disk before anything refers to them, and where a run ends there, they are the last of their file.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from crawler.digests import payload_digest
from crawler.hints import said
from crawler.items import Answer, Capture, Outcome
from crawler.times import stamp
from pipelines.archive import captures, takedown
from pipelines.archive.pages import is_doubted, is_gone
from pipelines.archive.rows import article_of
from pipelines.archive.store import Archive
from pipelines.archive.warc_files import WarcFiles, head_at
from pipelines.archive.warc_records import Original, records_of
from pipelines.database.connection import Row
from pipelines.database.sqlite import Database
from pipelines.deduplicate.match import is_same_content, known_pages

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class Originals:
    """Keeps the originals of one run."""

    def __init__(self, archive: Archive, files: WarcFiles, *, days: int = 0) -> None:
        self._archive = archive
        self._files = files
        self._days = days

    @classmethod
    def from_crawler(cls, archive: Archive, crawler: "Crawler") -> "Originals":
        settings = crawler.settings
        files = WarcFiles(
            archive.path, user_agent=settings["USER_AGENT"] or "", max_bytes=settings.getint("WARC_MAX_BYTES")
        )
        return cls(archive, files, days=settings.getint("WARC_DAYS"))

    def recorded(self, outcome: Outcome) -> Outcome:
        """Write the records of what is new, and say where they lie. A disk that fails is noted, and ends the run."""
        passed_on = replace(outcome, page=replace(outcome.page, answers=(), captures=(), feed_html=None))
        if outcome.page.captures and not takedown.is_forgotten(known_pages(self._archive.db, outcome)):
            return replace(passed_on, captures=captures.imported(self._archive.db, self._archive.path, outcome))
        if not outcome.page.answers:
            return passed_on
        try:
            return replace(passed_on, captures=self._record(outcome))
        except OSError as error:
            self._archive.run.broken = error
        return passed_on

    def take_back(self, outcome: Outcome) -> None:
        """Take back the records of an outcome that was recorded last and could not be stored."""
        if outcome.captures and outcome.captures[-1].file == self._files.name:
            self._files.take_back()

    def _record(self, outcome: Outcome) -> tuple[Capture, ...]:
        """Write what is new of an outcome's answers."""
        db, page = self._archive.db, outcome.page
        known = known_pages(db, outcome)
        chosen = chosen_answers(db, outcome, known)
        if not chosen:
            return ()
        found = known.get(page.url)
        groups, made = [], []
        for answer, reason in chosen:
            page_url = page.url if reason == captures.REDIRECT else page.final_url
            belongs_to = known.get(page_url) or found
            digest = payload_digest(answer.body)
            original = self._original(belongs_to, answer, digest) if belongs_to else None
            groups.append(records_of(answer, digest, _metadata(outcome, answer, found), original))
            made.append(
                Capture(
                    page_url=page_url,
                    fetched_at=answer.fetched_at,
                    status=answer.status,
                    reason=reason,
                    file="",
                    offset=0,
                    length=0,
                    digest=digest,
                    revisit_of=original.capture_id if original else None,
                )
            )
        places = self._files.write(groups, datetime.now(UTC))
        return tuple(
            replace(capture, file=file, offset=offset, length=length)
            for capture, (file, offset, length) in zip(made, places, strict=True)
        )

    def _original(self, page: Row, answer: Answer, digest: str) -> Original | None:
        """An earlier capture of the page with the same body, where its record is still there."""
        # Where files are deleted by their age, a body and who refers to it go together.
        within = self._files.name if self._days else None
        row = captures.with_body(self._archive.db, page["id"], digest, within) if answer.body else None
        if row is None:
            return None
        head = head_at(self._files.folder / row["file"], row["offset"])
        if head.get("WARC-Payload-Digest") != digest or head.get("WARC-Type") != "response":
            return None
        return Original(
            capture_id=row["id"], url=head["WARC-Target-URI"], date=head["WARC-Date"], record_id=head["WARC-Record-ID"]
        )

    def close(self) -> None:
        """End the file, and delete those that are too old."""
        try:
            self._files.close()
            if self._days and self._archive.run.broken is None:
                self._archive.drop_originals(datetime.now(UTC) - timedelta(days=self._days))
        except OSError as error:
            self._archive.run.broken = self._archive.run.broken or error


Chosen = list[tuple[Answer, str | None]]
"""Answers to keep, and for what: captures.reason of each."""


def chosen_answers(db: Database, outcome: Outcome, known: Mapping[str, Row]) -> Chosen:
    """The answers of an outcome that say something new. `known` are its addresses' rows as match.known_pages() gives them.

    An address's first; a later one whose title or text differs; a refused one, once for each reason; each 404 or 410 of an
    article, for it proves the deletion, and what proves the contrary. Of what was taken down nothing.
    """
    if takedown.is_forgotten(known) or not (outcome.article or outcome.refusal or outcome.failure):
        return []
    *hops, last = outcome.page.answers
    reason = outcome.refusal or outcome.failure
    is_new = _is_new(db, outcome, known)
    found = known.get(outcome.page.url)
    leads_anew = is_new or (
        not outcome.failure and (found is None or not captures.has(db, [found["id"]], captures.REDIRECT))
    )
    kept: Chosen = [(hop, captures.REDIRECT) for hop in hops if leads_anew]
    return [*kept, (last, reason)] if is_new else kept


def _is_new(db: Database, outcome: Outcome, known: Mapping[str, Row]) -> bool:
    """Whether the last answer says what no capture says yet."""
    page = outcome.page
    if outcome.refusal:
        return not captures.has(db, [row["id"] for row in known.values()], outcome.refusal)
    if outcome.failure:
        asked = known.get(page.url)
        return is_gone(page.status) and asked is not None and asked["state"] == "article"
    here = known.get(page.final_url)
    return (
        here is None or not captures.has(db, [here["id"]], None) or _differs(db, outcome, here) or _says_more(db, here)
    )


def _says_more(db: Database, here: Row) -> bool:
    """Whether the text that is stored says something when it is there once more: the page was not gone, or its last text was wrong."""
    return here["state"] == "article" and (is_gone(here["http_status"]) or is_doubted(db, here))


def _differs(db: Database, outcome: Outcome, here: Row) -> bool:
    """Whether a page gives another title or text than is stored of it."""
    article = outcome.article
    assert article is not None
    if here["state"] == "article":
        row = {"title": article.title, "text": article.text, "content_hash": outcome.content_hash}
        return not is_same_content(article_of(db, here["article_id"]), row)
    if here["state"] == "refused" and here["notice"]:
        return bool(here["notice"] != article.notice)
    return bool(here["content_hash"] != outcome.content_hash or here["title"] != article.title)


def _metadata(outcome: Outcome, answer: Answer, found: Row | None) -> dict[str, Any]:
    """What a page is read by besides its bytes, and what no server says again."""
    page = outcome.page
    following = page.answers[page.answers.index(answer) + 1 :]
    told = {
        "url": page.url,
        "via": page.via,
        "hints": said(page.hints),
        "source": page.source.url if page.source else None,
        "discovered_at": found["discovered_at"] if found else stamp(page.fetched_at),
        "feed_html": page.feed_html,
        "tdm_reservation": page.tdm_by_host if page.tdm_reservation is None else page.tdm_reservation,
        "content_usage": page.content_usage,
        "redirected_to": following[0].url if following else None,
        "refusal": page.refusal,
        "unchecked": page.unchecked or None,
    }
    return {name: value for name, value in told.items() if value or value == 0}
