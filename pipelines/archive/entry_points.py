"""What the archive knows of a source's listings: which were found, which may be asked now, and whether they give anything."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from crawler.items import Listing, Source
from crawler.times import stamp
from pipelines.archive.schedule import READ, RESTING, is_due
from pipelines.database.connection import Row, first_row
from pipelines.database.sqlite import Database

FEWEST_LOOKS = 3
"""Pages that must have been asked, without one article, before a source's entry points are called barren."""

SILENT_AFTER = timedelta(days=7)
"""Without a new article, after which a source's sitemaps that are called old are asked, too."""

MOST_OLD = 10
"""Old parts of one sitemap index that are asked in a run of a source that gives nothing else."""

NOT_ASKED = ("reserve", "retired", "barren")
"""feeds.last_status of what is asked in no case; `old` is while its source gives nothing."""


def feed_at(db: Database, url: str) -> Row | None:
    sql = "select feeds.*, sources.url as source_url from feeds join sources on sources.id = source_id where feeds.url = ?"
    return first_row(db, sql, [url])


def sitemaps_below(db: Database, index: str) -> list[Row]:
    """The sitemaps that an index was last seen to name, and those that these name; first those that held news."""
    sql = """with recursive named (url) as (select ? union select feeds.url from feeds join named on parent = named.url)
             select feeds.* from feeds join named using (url)
             where parent is not null and last_status not in (select value from json_each(?))
             order by coalesce(peak_per_hour, 0) desc, id"""
    return list(db.query(sql, [index, json.dumps(NOT_ASKED)]))


def entry_points_of(db: Database, source_url: str) -> list[Row]:
    """The listings of a source that may be polled, in the order they were found; parts of an index that held news first."""
    sql = """select feeds.* from feeds join sources on sources.id = source_id
             where sources.url = ? and last_status not in (select value from json_each(?))
             order by iif(parent is null, 0, -coalesce(peak_per_hour, 0)), feeds.id"""
    return list(db.query(sql, [source_url, json.dumps(NOT_ASKED)]))


def known_of(db: Database, source: Source) -> list[Row] | None:
    """What an earlier discovery found; None when that is nothing, or all of it failed last time, or when that discovery was
    cut short: it notes the front page last."""
    front_page = feed_at(db, source.url)
    if front_page is None or front_page["last_status"] not in (*READ, *RESTING):
        return None
    named = {*source.feeds, *source.sitemaps}
    found = [row for row in entry_points_of(db, source.url) if row["url"] not in named]
    # A front page that could not even be looked at was no entry point then, and is none now.
    found = [row for row in found if row["kind"] != "homepage" or row["last_status"] in READ]
    return found if any(row["last_status"] in READ for row in found) else None


def without_old(db: Database, source_url: str, feeds: Iterable[Row], now: datetime) -> Iterator[Row]:
    """These listings; of what an index calls old only some, and only while the source gives nothing else."""
    old: Counter[str] = Counter()
    for feed in feeds:
        if feed["last_status"] == "old":
            old[feed["parent"]] += 1
            if old[feed["parent"]] > MOST_OLD or not _gives_nothing(db, source_url, now):
                continue
        yield feed


def sitemaps_in_reserve(db: Database, source_id: int) -> list[Row]:
    sql = "select * from feeds where source_id = ? and kind in ('news_sitemap', 'sitemap') and last_status = 'reserve'"
    return list(db.query(sql, [source_id]))


RESTLESS = 3
"""Looks in a row that found most of a sitemap's entries changed, after which its dates are not believed."""

FEWEST_ENTRIES = 5
"""Entries under which all may be corrected within days."""


def dates_tell(feed: Row) -> bool | None:
    """Whether a sitemap's dates are known to be true, as its index calls it old, too, or false; None when nobody knows."""
    if feed["last_status"] == "old":
        return True
    return False if feed["restless"] >= RESTLESS and (feed["entries"] or 0) >= FEWEST_ENTRIES else None


def prints_of(db: Database, feed: Row) -> bytes:
    """Of the addresses without a date that a sitemap offered so far, where these are too many."""
    row = first_row(db, "select prints from feed_prints where feed_id = ?", [feed["id"]])
    return bytes(row["prints"]) if row else b""


def is_next_part(db: Database, url: str, index: str) -> bool:
    """Whether a part of a sitemap index stands beside one that has entries, in the order of the numbers in their addresses."""
    rows = db.execute("select url, coalesce(entries, 0) from feeds where parent = ? or url = ?", [index, url])
    parts = sorted(rows, key=lambda row: _in_order(row[0]))
    at = next((place for place, (part, _) in enumerate(parts) if part == url), 0)
    return any(entries for _, entries in parts[max(at - 1, 0) : at + 2])


def _in_order(url: str) -> list[str | int]:
    """What sorts `part-9` before `part-10`: texts and numbers in turn, first a text."""
    return [int(one) if place % 2 else one for place, one in enumerate(re.split(r"([0-9]{1,15})", url))]


def is_any_known(db: Database, listing: Listing, last_known: int) -> bool:
    """Whether one of a listing's links was known before this run."""
    sql = "select 1 from json_each(?) as link join pages on pages.url = link.value where pages.id <= ? limit 1"
    return first_row(db, sql, [json.dumps([link.url for link in listing.links]), last_known]) is not None


def _gives_nothing(db: Database, source_url: str, now: datetime) -> bool:
    """Whether a source has had no new article for a week, or never one."""
    sql = "select coalesce(last_new_article_at, '') < ? as silent from sources where url = ?"
    row = first_row(db, sql, [stamp(now - SILENT_AFTER), source_url])
    return row is not None and bool(row["silent"])


def is_look_around_due(db: Database, source_url: str, now: datetime) -> tuple[bool, bool]:
    """Whether other entry points than those polled are to be looked for, and whether the latter are barren.

    Barren they are when pages of them were asked and not one was an article; a source that is quiet may be alive elsewhere.
    """
    sql = """select sources.id, status, last_new_article_at, feeds.last_status, feeds.next_fetch_at, feeds.last_fetched_at
             from sources join feeds on feeds.url = sources.url where sources.url = ?"""
    row = first_row(db, sql, [source_url])
    if row is None or row["last_status"] in READ or not is_due(row, now):
        return False, False
    barren = row["last_new_article_at"] is None and _is_barren(db, row["id"])
    return barren or row["status"] in ("quiet", "empty"), barren


def _is_barren(db: Database, source_id: int) -> bool:
    sql = """select count(*) filter (where state in ('refused', 'failed')) as in_vain,
                    count(*) filter (where state not in ('refused', 'failed')) as others from pages where source_id = ?"""
    row = first_row(db, sql, [source_id])
    return row is not None and row["in_vain"] >= FEWEST_LOOKS and not row["others"]
