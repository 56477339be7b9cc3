"""The table `feeds`: every feed, sitemap and front page, and the pages that they name. Called within the writer's transaction."""

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from crawler.items import Link, Listing, via_of
from crawler.times import stamp
from pipelines.archive import entries, entry_points, feed_texts, runs, schedule, sources
from pipelines.archive.entries import NO_HINTS
from pipelines.archive.feed_texts import AWAITED
from pipelines.archive.pages import complete_hints, hints_json, is_gone
from pipelines.archive.relinked import known_entries
from pipelines.archive.rows import insert, update
from pipelines.archive.runs import RunState
from pipelines.archive.schedule import PollResult
from pipelines.database.connection import Row, first_row
from pipelines.database.sqlite import Database

RETIRED_AFTER = 3
"""Polls in a row that find a listing gone (404 or 410), after which one that nobody named in sources.toml is not asked again."""

Found = list[tuple[Link, str]]
"""The links of a listing, each with `new`, `known` from before this run, or `seen` in this run."""


def keep(db: Database, run: RunState, listing: Listing) -> None:
    """Write what one poll of a listing gave: its links, its validators and when to ask again, all or nothing."""
    source_id = sources.id_of(db, listing.source)
    if listing.gives_way:
        db.execute("update feeds set last_status = 'barren' where url = ? and source_id = ?", [listing.url, source_id])
        return
    listing = _adopt(db, listing)
    if listing.reserve:
        _name(
            db,
            {
                "source_id": source_id,
                "url": listing.url,
                "kind": listing.kind,
                "speaks_for": listing.site,
                "last_status": "reserve",
            },
        )
        _rest_front_page(db, listing)
        return
    if listing.failure and _keeps_in_reserve(db, listing):
        return
    if listing.failure:
        run.note_unread(listing.source, f"{listing.url}: {listing.failure}")
        run.note_error(f"{listing.source.name}: {listing.url}: {listing.failure}")
    else:
        run.note_read(listing.source)
        run.is_anything_read |= listing.status != 304
    _keep_feed(db, run, listing, source_id, _keep_links(db, run, listing, source_id))
    if listing.left_out:
        run.left_out[listing.url] = listing.left_out
    if listing.children is not None:
        _keep_children(db, listing, source_id)
        _retire_children(db, run, listing)


def _keeps_in_reserve(db: Database, listing: Listing) -> bool:
    """Whether a listing that cannot be read was in reserve, and never read: a guess of ours mostly, and no loss to anybody."""
    sql = "update feeds set last_status = ? where url = ? and last_status = 'reserve' and entries is null and kind <> 'homepage'"
    return db.execute(sql, ["retired" if is_gone(listing.status) else "reserve", listing.url]).rowcount > 0


def _adopt(db: Database, listing: Listing) -> Listing:
    """The listing at the address where it is for good from now on; one that sources.toml names stays, and is told."""
    source = listing.source
    named = listing.url in (*source.feeds, *source.sitemaps, source.url) or listing.parent
    if listing.moved_to is None or named or listing.failure:
        return listing if named else replace(listing, moved_to=None)
    if first_row(db, "select 1 from feeds where url = ?", [listing.moved_to]) is None:
        db.execute("update feeds set url = ? where url = ?", [listing.moved_to, listing.url])
        db.execute("update feeds set parent = ? where parent = ?", [listing.moved_to, listing.url])
    else:
        db.execute("update feeds set last_status = 'retired' where url = ?", [listing.url])
    return replace(listing, url=listing.moved_to, moved_to=None)


def _keep_feed(db: Database, run: RunState, listing: Listing, source_id: int, found: Found) -> None:
    """Note what was seen of a feed, sitemap or front page, what to ask with next time, and when that is."""
    feed = first_row(db, "select * from feeds where url = ?", [listing.url])
    renamed = _renamed(db, run, listing, feed, found)
    result = replace(_poll_result(run, listing, found, renamed), **_place_in_index(db, listing, feed))
    timing = schedule.next_poll(result, feed)
    row = {"source_id": _owner(db, feed, source_id), "url": listing.url} | timing
    row |= {
        "last_fetched_at": stamp(listing.fetched_at),
        "last_status": "retired" if listing.url in run.dropped else _status_of(listing, timing["failures"]),
    }
    if renamed:
        row["relinked_at"] = stamp(listing.fetched_at)
    if listing.parent:
        row["parent"] = listing.parent
    if listing.site:
        row["speaks_for"] = listing.site
    if listing.status is not None:
        row["moved_to"] = listing.moved_to
    if listing.left_out:
        row["left_out"] = listing.left_out + (feed["left_out"] if feed else 0)
    said = {"kind": listing.kind, "etag": listing.etag, "last_modified": listing.last_modified}
    read = listing.status == 200 and not listing.failure
    if feed is None or (read and row["source_id"] == source_id):
        row |= said
    elif row["source_id"] == source_id:  # what another source's poll left to ask with says nothing of the owner's
        row |= {name: said[name] or feed[name] for name in ("etag", "last_modified")}
    feed_id = feed["id"] if feed else insert(db, "feeds", row)
    if feed:
        update(db, "feeds", feed_id, row)
    if listing.seen is not None and row["source_id"] == source_id:
        db.execute("insert or replace into feed_prints (feed_id, prints) values (?, ?)", [feed_id, listing.seen])


def _rest_front_page(db: Database, listing: Listing) -> None:
    """A front page where nothing could be found is at rest again when something was."""
    if listing.url == listing.source.url:
        sql = "update feeds set last_status = 'reserve' where url = ? and last_status not in (select value from json_each(?))"
        db.execute(sql, [listing.url, json.dumps([*schedule.READ, *schedule.RESTING])])
        if listing.asked:  # after a look around for something better
            due = stamp(listing.fetched_at + timedelta(seconds=listing.asked))
            sql = "update feeds set last_fetched_at = ?, next_fetch_at = ? where url = ? and last_status = 'reserve'"
            db.execute(sql, [stamp(listing.fetched_at), due, listing.url])


def _owner(db: Database, feed: Row | None, source_id: int) -> int:
    """The source of a listing: the first that found it, as long as it is watched."""
    sql = "select id from sources where id = ? and enabled"
    owner = db.execute(sql, [feed["source_id"]]).fetchone() if feed else None
    return int(owner[0]) if owner else source_id


def _renamed(db: Database, run: RunState, listing: Listing, feed: Row | None, found: Found) -> int:
    """How many entries of a listing without a known address are known all the same: such a look shows no gap."""
    links = [link for link, was in found if was == "new"]
    filtered = len(found) < listing.entries
    if feed is None or len(links) < len(found) or not schedule.shows_gaps(feed, listing.kind, filtered=filtered):
        return 0
    return known_entries(db, sources.id_of(db, listing.source), links, run.last_known or 0)


def _poll_result(run: RunState, listing: Listing, found: Found, renamed: int) -> PollResult:
    """What the poll found; entries that only have another address are no new ones, nor is it known which."""
    new = [link for link, was in found if was == "new"][renamed:]
    return PollResult(
        at=run.began or listing.fetched_at,
        kind=listing.kind,
        entries=listing.entries if listing.status == 200 else None,
        new=len(new),
        known=Counter(was for _, was in found)["known"] + renamed,
        filtered=len(found) < listing.entries,
        new_dates=tuple(link.hints.date_published for link in new if link.hints.date_published),
        asked=timedelta(seconds=listing.asked) if listing.asked else None,
        failed=listing.failure is not None,
    )


def _place_in_index(db: Database, listing: Listing, feed: Row | None) -> dict[str, Any]:
    """What a listing is to a sitemap index: the index, a part, or an empty part beside one that has entries."""
    is_empty = not (listing.entries if listing.status == 200 or feed is None else feed["entries"])
    names = listing.children is not None or first_row(db, "select 1 from feeds where parent = ?", [listing.url])
    is_next = is_empty and listing.parent is not None and entry_points.is_next_part(db, listing.url, listing.parent)
    return {"is_part": listing.parent is not None, "is_index": bool(names), "is_next": is_next}


def _status_of(listing: Listing, failures: int) -> str:
    """What feeds.last_status says of a poll."""
    if listing.failure is None:
        return "unchanged" if listing.status == 304 else "ok"
    source = listing.source
    named = listing.url in (*source.feeds, *source.sitemaps, source.url)
    gone = is_gone(listing.status) and failures >= RETIRED_AFTER and not named
    return "retired" if gone else listing.failure


# What a listing names


def _keep_children(db: Database, listing: Listing, source_id: int) -> None:
    """Sitemaps that an index names are noted together with its validators: next time it may say that nothing changed."""
    child = {"source_id": source_id, "kind": "sitemap", "parent": listing.url, "speaks_for": listing.site}
    for urls, word in ((listing.fresh, "named"), (listing.resting, "old")):
        for url in urls:
            _name(db, child | {"url": url, "last_status": word})
    is_old = "coalesce(entries, 0) = 0 and last_status in ('named', 'ok', 'unchanged')"
    for urls, condition, word in (
        (listing.fresh, "last_status = 'old' and last_fetched_at is null", "named"),
        (listing.resting, is_old, "old"),
    ):
        sql = f"update feeds set last_status = ? where parent = ? and {condition} and url in (select value from json_each(?))"
        db.execute(sql, [word, listing.url, json.dumps(urls)])


def _name(db: Database, row: Row) -> None:
    """Note a listing that was not asked, unless it is known."""
    db.execute(
        """insert into feeds (source_id, url, kind, parent, speaks_for, last_status)
           values (:source_id, :url, :kind, :parent, :speaks_for, :last_status) on conflict (url) do nothing""",
        {"parent": None, "speaks_for": None} | row,
    )


def _retire_children(db: Database, run: RunState, listing: Listing) -> None:
    """Sitemaps that their index no longer names are not asked again."""
    retired = db.execute(
        """update feeds set last_status = 'retired' where parent = ? and url not in (select value from json_each(?))
           returning url""",
        [listing.url, json.dumps(listing.children)],
    )
    run.dropped.update(url for (url,) in retired.fetchall())


def _keep_links(db: Database, run: RunState, listing: Listing, source_id: int) -> Found:
    """A link not yet known is a pending page; the first finder's hints and source stay, unless it says something else."""
    entries.keep(db, listing, run.compared.pop((listing.source.url, listing.url), None))
    urls = json.dumps([link.url for link in listing.links])
    sql = f"select url, pages.id, hints, {AWAITED} from json_each(?) as link join pages on pages.url = link.value"
    found_before = db.conn.execute(sql, [urls]).fetchall()
    known: dict[str, int] = {url: page_id for url, page_id, *_ in found_before}
    awaited = {url: hints for url, _, hints, is_awaited in found_before if is_awaited}
    new: dict[str, int] = {}
    met: list[tuple[int, str]] = []
    found: Found = []
    for link in listing.links:
        was = "new"
        if page_id := known.get(link.url) or new.get(link.url):
            was = "known" if run.last_known is None or page_id <= run.last_known else "seen"
            if link.url in awaited and link.hints != NO_HINTS:
                complete_hints(db, page_id, awaited[link.url], link.hints)
        else:
            page_id = new[link.url] = _insert_link(db, link, listing, source_id)
        if link.feed_html:
            feed_texts.keep(db, page_id, link.feed_html)
        found.append((link, was))
        met.append((page_id, "pending" if was == "new" else "known"))
    runs.touch_found(db, met, source_id)
    return found


def _insert_link(db: Database, link: Link, listing: Listing, source_id: int) -> int:
    row = {
        "url": link.url,
        "source_id": source_id,
        "via": via_of(listing.kind),
        "hints": hints_json(link.hints),
        "state": "pending",
        "discovered_at": stamp(listing.fetched_at),
        "entry": entries.entry_print(listing, link),
    }
    return insert(db, "pages", row)
