"""Listings and outcomes -> news.db. The only writer: one connection, one short transaction per item, nothing awaited inside.

Every address found is one row of `pages` in exactly one state; an article and the state of its page are written together.
What a table is written by is in the file of its name; here are the transactions.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path

from crawler.items import Host, Listing, Outcome, Page, Source
from crawler.times import stamp
from pipelines.archive import (
    alert_changes,
    articles,
    captures,
    feed_texts,
    hosts,
    listings,
    notices,
    pages,
    parts,
    runs,
    sources,
    takedown,
    variants,
    versions,
    warc_tail,
    warc_takedown,
)
from pipelines.archive.pages import Stored
from pipelines.archive.runs import RunState
from pipelines.archive.takedown import Forgotten, Plan
from pipelines.database.connection import Follow, StorageError, connect, describe, storage_errors
from pipelines.deduplicate import stories, story_index
from pipelines.deduplicate.match import known_pages, match
from pipelines.deduplicate.parts import place_of

Item = Listing | Outcome


class Archive:
    """news.db, opened for writing by one run. Raises what connect() does, and tells `follow` what that does."""

    def __init__(self, path: Path, follow: Follow = lambda done, of: None) -> None:
        self.path = path
        self.db = connect(path, write=True, follow=follow)
        self.run = RunState()
        with storage_errors(path):
            runs.create_touched(self.db)

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One all-or-nothing write. The lock is taken at its start, so that what is read inside stays true.

        What it fails of is noted in `run.broken` when that is the disk's or the file's fault.
        """
        try:
            self.db.conn.execute("begin immediate")
            try:
                yield
                self.db.conn.execute("commit")
            finally:
                if self.db.conn.in_transaction:
                    self.db.conn.execute("rollback")
        except sqlite3.Error as error:
            self.run.note_trouble(error)
            raise

    def keep(self, item: Item) -> Stored | None:
        """Write one listing or one page's outcome, wholly or not at all; returns what is there now of a page."""
        with self.transaction():
            if isinstance(item, Outcome):
                return self._keep_outcome(item)
            listings.keep(self.db, self.run, item)
            return None

    def _keep_outcome(self, outcome: Outcome) -> Stored:
        stored = self._keep_state(outcome)
        captures.keep(self.db, outcome, stored.page_id)
        reason = outcome.refusal or outcome.failure or (stored.reason if stored.outcome == "refused" else None)
        if outcome.page.file and reason:
            runs.note_not_taken(self.db, outcome.page, reason)
        feed_texts.drop_settled(self.db, outcome.page)
        return stored

    def _keep_state(self, outcome: Outcome) -> Stored:
        known = known_pages(self.db, outcome)
        if outcome.article is None or takedown.is_forgotten(known):
            stored = pages.keep_without_article(self.db, self.run, outcome, known)
            parts.note_missing(self.db, outcome.page, stored)
            return stored
        if notices.is_turned_away(self.db, outcome, known):
            return notices.refuse(self.db, self.run, outcome, known)
        self.run.note_read(outcome.page.source)
        if place := place_of(self.db, outcome):
            return parts.keep(self.db, outcome, known, place)
        if outcome.fingerprints is not None:
            story_index.keep_at_hand(outcome.article.text, outcome.fingerprints)
        return articles.apply(self.db, match(self.db, outcome, known))

    # The rest of a run, each in one transaction

    def is_upgrade_due(self) -> bool:
        """Whether what near copies are found by was made by other rules than this release's, or there is none yet."""
        return not versions.are_prints_current(self.db)

    def upgrade(self, follow: Follow = lambda done, of: None) -> None:
        """Make the fingerprints of all articles again: before a run, 2 ms an article. `follow` is told how many of how many are done."""
        with self.transaction():
            versions.renew_prints(self.db, follow)

    def repair_originals(self) -> None:
        """Mend the end of the last WARC file after a run that was killed. Raises StorageError."""
        try:
            with self.transaction():
                warc_tail.repair(self.db, self.path)
        except OSError as error:
            raise StorageError(describe(error, self.path)) from error

    def drop_originals(self, before: datetime) -> None:
        """Delete the WARC files of a time, whole ones, and what is known of them. Raises OSError."""
        with self.transaction():
            old = captures.drop_before(self.db, self.path, before)
        for file in old:
            file.unlink()

    def sync_sources(self, named: Iterable[Source]) -> None:
        """Make the table of sources say what sources.toml says; these are what the run may ask."""
        with self.transaction():
            self.run.watched = sources.sync(self.db, named)

    def enlist(self, listed: Iterable[Page]) -> tuple[Page, ...]:
        """Note the addresses that this run is given: one that is not known is a pending page, whatever becomes of the run. Returns
        them with what is known of them."""
        with self.transaction():
            return tuple(pages.enlist(self.db, listed))

    def start_run(self, *, argv: list[str], version: str, now: datetime) -> None:
        with self.transaction():
            runs.start(self.db, self.run, argv=argv, version=version, now=now)
            alert_changes.trim(self.db)

    def finish_run(self, *, status: str, reason: str | None, now: datetime) -> None:
        """End the run. Stories come first, in short transactions of their own: a killed run leaves them to the next."""
        if not self.run.leaves_stories:
            stories.renew(self.db, self.transaction)
        with self.transaction():
            runs.finish(self.db, self.run, status=status, reason=reason, now=now)

    def host(self, name: str) -> Host:
        """What is remembered of a host; nothing where the disk or the file has failed."""
        with self.run.ending_with_the_disk():
            return hosts.host_of(self.db, name)
        return Host(host=name)

    def keep_host(self, host: Host) -> None:
        with self.run.ending_with_the_disk(), self.transaction():
            hosts.keep(self.db, host)

    def plan_takedown(self, urls: Iterable[str], follow: Follow = lambda done, of: None) -> Plan:
        """What forgetting these addresses, made by wanted_url(), takes. Raises StorageError."""
        self.repair_originals()
        with _nothing_forgotten(self.path):
            return takedown.plan(self.db, self.path, urls, follow)

    def forget(
        self, plan: Plan, now: datetime, *, reason: str | None = None, in_advance: bool = True
    ) -> list[Forgotten]:
        """Take down what was planned: what the WARC files hold of it, then all or nothing of the rows; `in_advance` refuses what is
        unknown. takedown.erase() then clears the file of what is left of it. Raises StorageError where a WARC file cannot be
        written: no row is changed then."""
        with _nothing_forgotten(self.path):
            warc_takedown.blank(plan.records, now)
        with self.transaction():
            page_ids = [page_id for one in plan.addresses for page_id in one.page_ids]
            warc_takedown.drop_rows(self.db, self.path, plan.records, page_ids)
            taken = [
                takedown.take_down(self.db, one, stamp(now), reason)
                for one in plan.addresses
                if in_advance or one.was != "unknown"
            ]
            trimmed = json.dumps([article_id for one in taken for article_id in one.trimmed])
            for (article_id,) in self.db.execute(
                "select id from articles where id in (select value from json_each(?))", [trimmed]
            ).fetchall():
                versions.renew_texts(self.db, article_id)
                variants.renew(self.db, article_id)
            stories.renew(self.db, nullcontext)
        return taken

    def lift(self, urls: Iterable[str]) -> dict[str, bool]:
        """Lift the refusal of forgotten addresses, made by wanted_url(), all or nothing; False of one that is not forgotten."""
        with self.transaction():
            return {url: takedown.lift(self.db, url) for url in urls}


@contextmanager
def _nothing_forgotten(path: Path) -> Iterator[None]:
    """Turn what the system says of a WARC file into a StorageError: as long as a capture is readable, its page is not forgotten."""
    try:
        yield
    except OSError as error:
        what = f"{error.filename or path}: {error.strerror or error}"
        raise StorageError(f"{what}; nothing is forgotten before that is put right: then say it again") from error
