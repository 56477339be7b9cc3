"""What a listing says of addresses that are known: an entry that says something else than before is a reason to look again.

An address is compared with what the same listing said of it: two feeds of one site need not agree. Kept is a print of it
(pages.entry). Where most entries change at once, that is the time of the look or a new system, and says nothing of them.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from crawler.items import LOCAL, Hints, Link, Listing
from crawler.reasons import is_final
from crawler.times import instant_of, moment_of, stamp
from pipelines.archive.pages import hints_json
from pipelines.archive.rows import update
from pipelines.database.connection import Row
from pipelines.database.schema import FORGOTTEN
from pipelines.database.sqlite import Database

PRINT_BYTES = 4
"""Of each part of a print: of four billion changes one is not seen."""

WHO, TITLE, MORE, UPDATED = (slice(start * PRINT_BYTES, (start + 1) * PRINT_BYTES) for start in range(4))
"""The parts of a print: the listing's address, the title, id and date of publication, and when the entry was changed."""

MOST = 0.5
"""Share of the known entries that must have changed at once for that to say nothing."""

FEW = 3
"""Known entries under which all may have changed indeed: two looks in a row must have found it."""

PAUSE = 1 / 8
"""Share of the time since an address was found that lies between two looks for another date: three hours after a day, four days
after a month. So one that has the time of the look in it is asked ever less often, and a change is noted for later."""

NO_HINTS = Hints()

NOT_COMPARED = ("homepage",)
"""Kinds of listings: a front page words its links by the hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a listing says of a known address, beside what it said before."""

    link: Link
    page: Row
    now: bytes
    is_asked: bool = True  #: whether the change is a reason to look again

    def differs(self, part: slice) -> bool:
        return bool(self.page["entry"][part] != self.now[part])

    @property
    def is_spent(self) -> bool:
        """Whether it was no article each time, and all that changes is a date without a title: a section, which is always of today."""
        page, link = self.page, self.link
        return page["state"] == "refused" and page["next_fetch_at"] is None and not (link.guid or link.hints.title)

    def is_soon(self, now: datetime) -> bool:
        """Whether it says no more than another date, too short a time after the last look for its age."""
        looked, found = (moment_of(self.page[name] or stamp(now)) for name in ("last_fetched_at", "discovered_at"))
        return not self.differs(TITLE) and not self.differs(MORE) and now - looked < PAUSE * (now - found)

    @property
    def is_askable(self) -> bool:
        """Whether the page may be asked again at all."""
        state, is_local = self.page["state"], self.page["via"] in LOCAL
        return state in ("article", "refused", "failed") and not is_local and not is_final(self.page["reason"] or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One look at a listing, beside the one before."""

    changed: tuple[Entry, ...] = ()
    unnoted: tuple[Entry, ...] = ()  #: pages that nothing was noted of yet
    restless: int = 0  #: looks in a row that found most of its known entries changed


def entry_print(listing: Listing, link: Link) -> bytes | None:
    """What a listing says of an address, as a print of 16 bytes; None where it says nothing."""
    title, updated, published = link.hints.title, _instant(link.updated), _instant(link.hints.date_published)
    if listing.kind in NOT_COMPARED or not (title or link.guid or updated or published):
        return None
    more = f"{link.guid}\n{published if published != updated else None}"
    return b"".join(map(_print, (listing.url, title or "", more, updated or "")))


def _print(said: str) -> bytes:
    return blake2b(said.encode("utf-8", "replace"), digest_size=PRINT_BYTES).digest()


def _instant(date: str | None) -> str | None:
    """One spelling of an instant, whatever the zone it is written in."""
    moment = instant_of(date) if date else None
    return stamp(moment) if moment else date


def keep(db: Database, listing: Listing, seen: Comparison | None = None) -> None:
    """Note what a listing says of known addresses, and have those asked again of which it says something else; `seen` is its
    comparison, where it was made when the listing was read."""
    seen = seen or compare(db, listing)
    for entry in seen.unnoted:
        update(db, "pages", entry.page["id"], {"entry": entry.now})
    for entry in seen.changed:
        columns: Row = {"entry": entry.now}
        if entry.differs(TITLE) or entry.differs(MORE):
            columns["hints"] = hints_json(entry.link.hints)
        if entry.is_asked and entry.is_askable and listing.source.recheck:
            columns["next_fetch_at"] = stamp(listing.fetched_at)
        update(db, "pages", entry.page["id"], columns)
    sql = "update feeds set restless = ?1 where url = ?2 and restless <> ?1"
    db.conn.execute(sql, [seen.restless, listing.url])


def compare(db: Database, listing: Listing) -> Comparison:
    """Compare what a listing says of known addresses with what it said when it was last read."""
    known = _known_pages(db, listing)
    entries = [
        Entry(link=link, page=page, now=now)
        for link in listing.links
        if (page := known.get(link.url)) and (now := entry_print(listing, link))
    ]
    entries = [entry for entry in entries if not entry.is_spent]
    unnoted = tuple(entry for entry in entries if entry.page["entry"] is None)
    own = [entry for entry in entries if entry.page["entry"] is not None and not entry.differs(WHO)]
    changed = [entry for entry in own if entry.page["entry"] != entry.now]
    due = [entry for entry in changed if not entry.is_soon(listing.fetched_at)]
    if changed and len(changed) <= MOST * len(own):
        return Comparison(changed=tuple(due), unnoted=unnoted)
    before = db.conn.execute("select restless from feeds where url = ?", [listing.url]).fetchone()
    restless = before[0] if before else 0
    if not changed:
        return Comparison(unnoted=unnoted, restless=0 if own else restless)
    restless += 1
    if len(own) >= FEW or restless > 1:
        due = _told_by_titles(due, len(own))
    return Comparison(changed=tuple(due), unnoted=unnoted, restless=restless)


def _told_by_titles(changed: list[Entry], number: int) -> list[Entry]:
    """Of entries that all say another date or id only those with another title count, unless these are most, too."""
    titles = sum(entry.differs(TITLE) for entry in changed)
    is_bulk = number >= FEW and titles > MOST * number
    return [
        Entry(link=entry.link, page=entry.page, now=entry.now, is_asked=entry.differs(TITLE) and not is_bulk)
        for entry in changed
    ]


def _known_pages(db: Database, listing: Listing) -> dict[str, Row]:
    """The pages of the addresses of which it says anything."""
    if listing.failure or listing.kind in NOT_COMPARED:
        return {}
    said = [link.url for link in listing.links if link.guid or link.updated or link.hints != NO_HINTS]
    if not said:
        return {}
    sql = """select pages.id, url, state, reason, via, entry, etag, last_modified, last_fetched_at, next_fetch_at, discovered_at
             from json_each(?) as link join pages on pages.url = link.value where reason is not ?"""
    return {row["url"]: row for row in db.query(sql, [json.dumps(said), FORGOTTEN])}
