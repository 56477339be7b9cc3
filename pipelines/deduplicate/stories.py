"""The stories of the archive: computed around the days that changed, written with the ids that they had."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlite_utils import Database

from pipelines.database.schema import NOWHERE
from pipelines.deduplicate.clusters import DAYS, Report, groups, terms
from pipelines.deduplicate.near_copies import Text

WEEK = 7
MOST = 20_000
"""A window has a week's days and three to either side, so that an import of years takes no more memory than one of weeks;
and no more articles than fit in 600 MB, the latest ones: an import without dates has all on the day it was made."""


def renew(db: Database, days: Iterable[str]) -> None:
    """Compute the stories around these days (`YYYY-MM-DD`, of sort_at) anew. Called within the writer's transaction."""
    for first, last in spans(days):
        known: dict[int, int | None] = {}
        reports: list[Report] = []
        for row in db.query(_WINDOW, {"first": first, "after": f"{last}U", "most": MOST}):
            if not row["reaches_out"]:
                known[row["id"]] = row["story_id"]
                reports.append(_report(row))
        _write(db, groups(reports), known)


_WINDOW = """
    select id, url, title, text, story_id, coalesce(julianday(sort_at), julianday(first_seen_at)) as day,
           story_id in (select story_id from articles as member where member.story_id = articles.story_id
                        and not (member.sort_at >= :first and member.sort_at < :after)) is true as reaches_out
    from articles where sort_at >= :first and sort_at < :after order by sort_at desc, id desc limit :most
"""
"""The articles of a window; those of a story that reaches out of it could be joined by none of the days in its middle.
`:after` is its last day and a U, behind the T of all times of that day."""


def spans(days: Iterable[str]) -> list[tuple[str, str]]:
    """First and last days of the windows: a week of the days at most, and three more to either side."""
    weeks: list[list[date]] = []
    for day in sorted({date.fromisoformat(day[:10]) for day in days}):
        if weeks and (day - weeks[-1][0]).days < WEEK:
            weeks[-1].append(day)
        else:
            weeks.append([day])
    reach = math.ceil(DAYS)
    return [(_shifted(week[0], -reach).isoformat(), _shifted(week[-1], reach).isoformat()) for week in weeks]


def _shifted(day: date, days: int) -> date:
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def _report(row: Mapping[str, Any]) -> Report:
    body = Text(row["text"])
    words = terms(body) + terms(Text(row["title"] or ""))
    return Report(id=row["id"], url=row["url"], when=row["day"], words=words, prints=body.prints)


def _write(db: Database, found: list[list[Report]], known: Mapping[int, int | None]) -> None:
    """Give every article its story. `known` is the story of each article of the window until now."""
    members = [[report.id for report in story] for story in found]
    ids = [story_id or 0 for story_id in keep_ids(members, known)]
    unused = db.execute(_UNUSED_ID).fetchone()[0]
    for place, story_id in enumerate(ids):
        if not story_id:
            ids[place], unused = unused, unused + 1
            db.execute(_NEW_STORY, [ids[place]])
    now = {article_id: story_id for story_id, story in zip(ids, members, strict=True) for article_id in story}
    for article_id, before in known.items():
        if now.get(article_id) != before:
            db.execute("update articles set story_id = ? where id = ?", [now.get(article_id), article_id])
    for story_id, story in zip(ids, members, strict=True):
        db.execute(_FILL_STORY, {"id": story_id, "centre": story[0]})
    _dissolve(db, {story_id for story_id in known.values() if story_id} - set(ids), known, now)


_UNUSED_ID = """select 1 + max(coalesce((select max(id) from stories), 0),
                               coalesce((select max(old_id) from moved where kind = 'story'), 0))"""

_NEW_STORY = (
    """insert into stories (id, first_seen_at, last_seen_at, article_count, source_count) values (?, '', '', 0, 0)"""
)

_FILL_STORY = """
    update stories set title = told.title, first_seen_at = told.first, last_seen_at = told.last,
                       article_count = told.articles, source_count = told.sources
    from (select coalesce((select title from articles where id = :centre), max(title)) as title, min(first_seen_at) as first,
                 max(first_seen_at) as last, count(*) as articles, count(distinct source_id) as sources
          from articles where story_id = :id) as told
    where stories.id = :id
"""


def keep_ids(stories: list[list[int]], known: Mapping[int, int | None]) -> list[int | None]:
    """The id each story keeps: that of the story most of its articles had; the smaller of two; None when it is new."""
    overlaps = [
        (-number, story_id, place)
        for place, story in enumerate(stories)
        for story_id, number in Counter(known[article_id] for article_id in story).items()
        if story_id is not None
    ]
    kept: list[int | None] = [None] * len(stories)
    for _, story_id, place in sorted(overlaps):
        if kept[place] is None and story_id not in kept:
            kept[place] = story_id
    return kept


def _dissolve(db: Database, gone: set[int], known: Mapping[int, int | None], now: Mapping[int, int]) -> None:
    """Remove stories that have no articles left; their ids lead to where most of their articles went, or nowhere."""
    for story_id in sorted(gone):
        if db.execute("select count(*) from articles where story_id = ?", [story_id]).fetchone()[0]:
            db.execute(_FILL_STORY, {"id": story_id, "centre": None})  # the rest were too many for this window
            continue
        heirs = Counter(
            now[article_id] for article_id, before in known.items() if before == story_id and article_id in now
        )
        heir = min(heirs, key=lambda heir: (-heirs[heir], heir), default=NOWHERE)
        db.execute("update moved set new_id = ? where kind = 'story' and new_id = ?", [heir, story_id])
        db.execute("insert into moved (kind, old_id, new_id) values ('story', ?, ?)", [story_id, heir])
        db.execute("delete from stories where id = ?", [story_id])
