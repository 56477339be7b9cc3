"""The stories of the archive, renewed at the end of a run: what changed is noted by triggers, and looks for its neighbours.

A window of few articles is computed from scratch. Of more there is an index (story_index), in which only what is new or
changed is placed; the whole window is weighed and joined anew when a tenth of it has changed since. Every article stays
in the queue, or without a cluster, until its story is written: the next run does what a killed one left.
"""

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import TypeVar

from pipelines.database.schema import NOWHERE
from pipelines.database.sqlite import Database
from pipelines.deduplicate import story_index
from pipelines.deduplicate.clusters import (
    DAYS,
    Frequencies,
    Member,
    Weights,
    add_roundups,
    by_centrality,
    common,
    count_users,
    groups,
    join,
    max_users,
    shared_passages,
    unpack,
    weighed,
)
from pipelines.deduplicate.fingerprints import COMMON
from pipelines.deduplicate.regions import Cluster, grow, ids_of
from pipelines.deduplicate.story_index import Frame, FrameWindow, document

logger = logging.getLogger(__name__)

Transaction = Callable[[], AbstractContextManager[None]]
"""Begins a write, as Archive.transaction does; or nothing, within one."""

WEEK = 7
"""Days that changed, of one window, which has three more to either side: an import of years takes no more memory than one
of weeks."""

MOST = 60_000
"""Articles of a window, the latest ones: an import without dates has all on the day it was made."""

FEW = 150
"""Articles of a window up to which it is computed from scratch each time: that takes a fifth of a second."""

STALE_SHARE = 0.1
"""Of a frame's articles, as many may have changed until it is made anew."""

KEPT_DAYS = 28
"""A frame that ends so long before the last one is given up: what arrives later has its window weighed anew."""

BATCH = 50
"""Articles written in one transaction: under a tenth of a second."""

Item = TypeVar("Item")


def renew(db: Database, transaction: Transaction) -> None:
    """Bring the stories up to date with the articles. Nobody else may write meanwhile."""
    _sweep(db, transaction)
    changes = db.execute("select article_id, sort_at from story_changes").fetchall()
    with transaction():
        for (story_id,) in db.execute(_LEFT_EMPTY).fetchall():
            _dissolve(db, story_id, NOWHERE)
    for batch in _batches(sorted({article_id for article_id, _ in changes})):
        with transaction():
            for article_id in batch:
                story_index.unplace_around(db, article_id, range(1, COMMON + 2))
                story_index.drop(db, article_id)
    (newest_frame,) = db.execute("select coalesce(max(id), 0) from story_frames").fetchone()
    for first, last in weeks(sort_at for _, sort_at in changes):
        _renew_window(db, transaction, *_around(first, last), newest_frame)
        with transaction():
            db.execute("delete from story_changes where sort_at >= ? and sort_at < ?", [f"{first}", f"{last}U"])
    _place_waiting(db, transaction)
    unpack.cache_clear()
    story_index.prints_at_hand.clear()


def largest_window(db: Database) -> int:
    """Articles of the largest window that renew() would look at."""
    days = [day for (day,) in db.execute("select distinct substr(sort_at, 1, 10) from story_changes")]
    sizes = (
        db.execute("select count(*) from articles where sort_at >= ? and sort_at < ?", [first, f"{last}U"]).fetchone()[
            0
        ]
        for first, last in spans(days)
    )
    return max(sizes, default=0)


_LEFT_EMPTY = """
    select id from stories where id in (select story_id from story_changes)
        and not exists (select 1 from articles where story_id = stories.id)
"""
"""Stories of which all articles went."""


def weeks(days: Iterable[str]) -> list[tuple[date, date]]:
    """The first and the last of some days (`YYYY-MM-DD...`), a week of them at a time."""
    found: list[tuple[date, date]] = []
    for day in sorted({date.fromisoformat(day[:10]) for day in days}):
        if found and (day - found[-1][0]).days < WEEK:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def spans(days: Iterable[str]) -> list[tuple[str, str]]:
    """First and last days of the windows: a week of the days at most, and three more to either side."""
    return [_around(first, last) for first, last in weeks(days)]


def _around(first: date, last: date) -> tuple[str, str]:
    reach = math.ceil(DAYS)
    return _shifted(first, -reach), _shifted(last, reach)


def _shifted(day: date, days: int) -> str:
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal())).isoformat()


def _renew_window(db: Database, transaction: Transaction, first: str, last: str, newest_frame: int) -> None:
    """Add to the frame of these days what changed in them, unless it is too much.

    A frame of this very renewal, later than `newest_frame`, is not added to: an import has week upon week.
    """
    frame = _frame_of(db, first, last)
    if frame is None:
        _without_frame(db, transaction, first, last)
    elif frame.id > newest_frame:
        _renew_frame(db, transaction, first, last)
    else:
        _renew_within(db, transaction, frame, first, last)


def _renew_within(db: Database, transaction: Transaction, frame: Frame, first: str, last: str) -> None:
    wider = min(first, frame.first_day), max(last, frame.last_day)
    arrived = _arrived(db, frame, *wider)
    if frame.changes + len(arrived) <= STALE_SHARE * frame.articles:
        _add(db, transaction, frame, arrived, *wider)
    else:
        _renew_frame(db, transaction, *_trimmed(*wider, first, last))


def _without_frame(db: Database, transaction: Transaction, first: str, last: str) -> None:
    known = _known(db, first, last)
    if len(known) > FEW:
        _renew_frame(db, transaction, first, last)
    else:
        write(db, transaction, groups(document(row) for row in story_index.texts(db, known)), known)


def _frame_of(db: Database, first: str, last: str) -> Frame | None:
    """The frame that has most of these days."""

    def shared(frame: Frame) -> int:
        begin, end = max(first, frame.first_day), min(last, frame.last_day)
        return (date.fromisoformat(end) - date.fromisoformat(begin)).days + 1

    return max((frame for frame in story_index.frames(db) if shared(frame) > 0), key=shared, default=None)


def _trimmed(begin: str, end: str, first: str, last: str) -> tuple[str, str]:
    """Of the days from `begin` to `end` those from `first` to `last` and, up to the longest window, the ones before."""
    spare = WEEK + 2 * math.ceil(DAYS) - 1
    begin = min(first, max(begin, _shifted(date.fromisoformat(last), -spare)))
    return begin, max(last, min(end, _shifted(date.fromisoformat(begin), spare)))


def _known(db: Database, first: str, last: str, but: Frame | None = None) -> dict[int, int | None]:
    """The articles of a window, the latest first, with the story that each has; without those in the days of a frame.

    Those of a story that reaches out of the window are left out: none of the days in its middle could join it.
    """
    told = {"first": first, "after": f"{last}U", "most": MOST}
    told |= {"from": but.first_day, "till": f"{but.last_day}U"} if but else {"from": "U", "till": ""}
    return {row["id"]: row["story_id"] for row in db.query(_WINDOW, told) if not row["reaches_out"]}


_WINDOW = """
    select id, story_id, story_id in (select story_id from articles as member where member.story_id = articles.story_id
                        and not (member.sort_at >= :first and member.sort_at < :after)) is true as reaches_out
    from articles where sort_at >= :first and sort_at < :after and not (sort_at >= :from and sort_at < :till)
    order by sort_at desc, id desc limit :most
"""
"""`:after` is the window's last day and a U, behind the T of all times of that day."""


def _arrived(db: Database, frame: Frame, first: str, last: str) -> list[int]:
    """The articles of these days that are not in the index: what changed, and what lies in days that the frame had not."""
    arrived = {
        article_id
        for (article_id,) in db.execute(
            """select articles.id from story_changes join articles on articles.id = article_id
               where articles.sort_at >= ? and articles.sort_at < ?""",
            [first, f"{last}U"],
        )
    }
    if (first, last) != (frame.first_day, frame.last_day):
        arrived.update(_known(db, first, last, but=frame))
    return story_index.without(db, "vector", sorted(arrived))


# A window from scratch


def _renew_frame(db: Database, transaction: Transaction, first: str, last: str) -> None:
    """Weigh and join all articles of some days anew."""
    known = _known(db, first, last)
    ids = list(known)
    with transaction():
        frame_id = story_index.begin_frame(db, first, last)
    _read_texts(db, transaction, story_index.without(db, "words", ids))
    members = _weigh(db, transaction, frame_id, ids)
    too_many = common(members)
    clusters = [list(story.members) for story in join(members, too_many)]
    label = {member.id: min(one.id for one in cluster) for cluster in clusters for member in cluster}
    add_roundups(clusters, shared_passages(members, story_index.prints_of(db, ids)))
    for batch in _batches(members):
        with transaction():
            for member in batch:
                story_index.put_vector(db, member, label[member.id])
    write(db, transaction, [[one.id for one in by_centrality(one)] for one in clusters if len(one) > 1], known)
    with transaction():
        story_index.end_frame(db, frame_id, len(ids), too_many, WEEK + 2 * math.ceil(DAYS))


def _weigh(db: Database, transaction: Transaction, frame_id: int, ids: list[int]) -> list[Member]:
    """Articles weighed by their own frequencies, which are kept, in their order."""
    used_by = count_users(story_index.documents(db, ids))
    weights = Weights(Frequencies(documents=len(ids), used_by=used_by))
    members = [weighed(one, weights) for one in story_index.documents(db, ids)]
    for rows in _batches(story_index.frequency_rows(frame_id, used_by), 200 * BATCH):
        with transaction():
            story_index.put_frequencies(db, rows)
    return sorted(members, key=attrgetter("order"))


def _read_texts(db: Database, transaction: Transaction, ids: list[int]) -> None:
    if len(ids) > 40 * BATCH:
        logger.info("stories: reading %d articles for the first time", len(ids))
    for batch in _batches(ids):
        documents = [document(row) for row in story_index.texts(db, batch)]
        with transaction():
            for one in documents:
                story_index.put(db, one)


# An index to which articles are added


def _add(db: Database, transaction: Transaction, frame: Frame, arrived: list[int], first: str, last: str) -> None:
    """Weigh articles by a frame's frequencies, so that they wait to be placed; the days are the frame's from now on."""
    for batch in _batches(arrived):
        documents = [document(row) for row in story_index.texts(db, batch)]
        weights = Weights(story_index.frequencies(db, frame, documents))
        members = [weighed(one, weights) for one in documents]
        with transaction():
            for one, member in zip(documents, members, strict=True):
                story_index.put(db, one)
                story_index.put_vector(db, member)
                story_index.unplace_around(db, one.id, range(COMMON + 1, COMMON + 2))
    with transaction():
        story_index.widen(db, frame, first, last, len(arrived))
    if story_index.most_users(db, frame, arrived) > 2 * max_users(frame.articles):
        logger.info("stories: a rare word of %s to %s has become common", first, last)
        _renew_frame(db, transaction, *_trimmed(first, last, first, last))


def _place_waiting(db: Database, transaction: Transaction) -> None:
    """Give every article that is weighed and in no cluster its cluster."""
    frames = story_index.frames(db)
    by_frame: dict[int, list[int]] = {}
    for article_id, day in story_index.waiting(db) if frames else ():
        nearest = min(frames, key=lambda frame: max(frame.reach[0] - day, day - frame.reach[1], 0.0))
        by_frame.setdefault(nearest.id, []).append(article_id)
    for frame in frames:
        if frame.id in by_frame:
            _place(db, transaction, FrameWindow(db, frame), by_frame[frame.id])


def _place(db: Database, transaction: Transaction, window: FrameWindow, ids: list[int]) -> None:
    """Find the clusters that articles make, and write the stories of all that this changed."""
    for article_id in ids:
        ended, stories = grow(window, article_id)
        for cluster in {ids_of(story) for story in stories} - ended:
            window.keep(cluster)
    touched = _sharing_passages(window, window.kept)
    clusters = [sorted(window.members(one), key=attrgetter("order")) for one in sorted(touched, key=min)]
    known = story_index.stories_of(db, {member.id for cluster in clusters for member in cluster})
    add_roundups(clusters, window.passages(known))
    write(db, transaction, [[one.id for one in by_centrality(one)] for one in clusters if len(one) > 1], known)
    with transaction():
        story_index.put_clusters(db, window.kept)


def _sharing_passages(window: FrameWindow, clusters: set[Cluster]) -> set[Cluster]:
    """Clusters, and those that hold a roundup of them or a brief, and so on."""
    found, fresh = set(clusters), clusters
    while fresh:
        passages = window.passages({article_id for cluster in fresh for article_id in cluster})
        near = {member.id for _, *pair in passages for member in pair}
        fresh = window.clusters_of(near) - found
        found |= fresh
    return found


def _sweep(db: Database, transaction: Transaction) -> None:
    """Give up the frames of long ago, and clear the index of what is in no frame."""
    with transaction():
        story_index.give_up_frames(db, KEPT_DAYS)
    for frame_id, articles in story_index.given_up(db):
        for batch in _batches(articles):
            with transaction():
                for article_id in batch:
                    story_index.drop(db, article_id)
        while True:
            with transaction():
                if not story_index.drop_frequencies(db, frame_id, 200 * BATCH):
                    break


def _batches(items: Iterable[Item], size: int = BATCH) -> Iterator[list[Item]]:
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch


# The stories


def write(db: Database, transaction: Transaction, found: list[list[int]], known: Mapping[int, int | None]) -> None:
    """Give every article its story. `found` are the articles of each story, `known` the story that each had until now."""
    for steps in _batches(_steps(db, found, known), 4 * BATCH):
        with transaction():
            for step in steps:
                step()


def _steps(db: Database, found: list[list[int]], known: Mapping[int, int | None]) -> Iterator[Callable[[], object]]:
    """First every article moves, then the stories are counted, and those that nothing is left of end."""
    ids = [story_id or 0 for story_id in keep_ids(found, known)]
    (unused,) = db.execute(_UNUSED_ID).fetchone()
    for place in (place for place, story_id in enumerate(ids) if not story_id):
        ids[place], unused = unused, unused + 1
        yield partial(db.execute, _NEW_STORY, [ids[place]])
    now = {article_id: story_id for story_id, story in zip(ids, found, strict=True) for article_id in story}
    for article_id, before in known.items():
        if now.get(article_id) != before:
            yield partial(
                db.execute, "update articles set story_id = ? where id = ?", [now.get(article_id), article_id]
            )
    for story_id, story in zip(ids, found, strict=True):
        yield partial(db.execute, _FILL_STORY, {"id": story_id, "centre": story[0]})
    gone = {story_id for story_id in known.values() if story_id} - set(ids)
    for story_id, heir in _heirs(gone, known, now).items():
        yield partial(_dissolve, db, story_id, heir)


_UNUSED_ID = """select 1 + max(coalesce((select max(id) from stories), 0),
                               coalesce((select max(old_id) from moved where kind = 'story'), 0))"""

_NEW_STORY = """insert into stories (id, first_seen_at, last_seen_at, article_count, source_count)
                values (?, '', '', 0, 0)"""

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
    taken: set[int] = set()
    for _, story_id, place in sorted(overlaps):
        if kept[place] is None and story_id not in taken:
            kept[place] = story_id
            taken.add(story_id)
    return kept


def _heirs(gone: set[int], known: Mapping[int, int | None], now: Mapping[int, int]) -> dict[int, int]:
    """Per story that ends, where most of its articles went; or nowhere."""
    went: dict[int, Counter[int]] = {story_id: Counter() for story_id in sorted(gone)}
    for article_id, before in known.items():
        if before in went and article_id in now:
            went[before][now[article_id]] += 1
    return {
        story_id: min(heirs, key=lambda heir: (-heirs[heir], heir), default=NOWHERE) for story_id, heirs in went.items()
    }


def _dissolve(db: Database, story_id: int, heir: int) -> None:
    """Remove a story that has no articles left; its id leads to another."""
    if db.execute("select count(*) from articles where story_id = ?", [story_id]).fetchone()[0]:
        db.execute(_FILL_STORY, {"id": story_id, "centre": None})  # the rest were too many for this window
        return
    db.execute("update moved set new_id = ? where kind = 'story' and new_id = ?", [heir, story_id])
    db.execute("insert into moved (kind, old_id, new_id) values ('story', ?, ?)", [story_id, heir])
    db.execute("delete from stories where id = ?", [story_id])
