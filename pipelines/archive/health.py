"""How the sources of a run are doing, by the rules of health_rules.py: read from the archive, written to `sources` and `habits`.

Told at the end of a run, by that run's polls alone: no run reads more of the archive than it touched itself.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.archive.health_rules import (
    FAILING_HOURS,
    RUNS_KNOWN,
    UNREACHED,
    Facts,
    Habits,
    Health,
    PageMark,
    answers,
    is_same_place,
    judge,
    overdue,
    page_mark,
    say_move,
    updated_looks,
    updated_pages,
    updated_silence,
    usual_words,
)
from pipelines.archive.rows import put, update
from pipelines.archive.schedule import READ, RESTING
from pipelines.archive.silence import hours_between, patience_hours
from pipelines.database.connection import Row
from pipelines.database.sqlite import Database

# The sources of a run


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePoll:
    """What came of asking a source's listings in one run."""

    read: bool  #: whether one of them could be read
    rest: bool = False  #: whether others could be read at their last poll and are not due yet
    failed: tuple[tuple[str, str], ...] = ()  #: (listing, reason) of the others


def judge_sources(
    db: Database,
    met: Mapping[int, Sequence[Row]],
    *,
    read: Collection[str],
    unread: Mapping[str, str],
    held: Mapping[str, str],
    started_at: str,
    now: str,
) -> None:
    """Judge every source that this run asked or had pages of; the others keep their word.

    `met` are the pages that this run newly learnt of, per source, as runs.py gives them; `read` and `unread` are sources
    by address, the latter with their reason; `held` those of which a busy host was not asked
    for what was due. Called within the writer's transaction.
    """
    polls = dict(_held_polls(db, held, started_at, now)) | _polls(db, read, unread, started_at)
    moved, left_out = _moves(db), _left_out(db)
    missed, relinked = _latest(db, "missed_at"), _latest(db, "relinked_at")
    for source in _sources(db, {*polls, *met}):
        pages = met.get(source["id"], ())
        habits = updated_pages(habits_of(source), [mark for page in pages if (mark := page_mark(page))], now)
        if poll := polls.get(source["id"]):
            new = any(page["discovered_at"] > (source["last_success_at"] or "") for page in pages)
            habits = (
                updated_looks(updated_silence(habits, source["last_success_at"], now, new=new)) if poll.read else habits
            )
            source |= _counted(source, poll, now)
            facts = _facts(source, poll, habits, now)
            facts = replace(
                facts,
                pages=habits.empty_looks is None or _has_pages(db, source["id"]),
                moved=moved.get(source["id"], ()),
                missed_at=_lately(missed.get(source["id"]), now),
                left_out=left_out.get(source["id"], ()),
                relinked_at=_lately(relinked.get(source["id"]), now),
            )
            _write_word(db, source, judge(facts))
        put(db, "habits", habits_row(source["id"], habits))


def _polls(db: Database, read: Collection[str], unread: Mapping[str, str], started_at: str) -> dict[int, SourcePoll]:
    """The polls of this run, by source. Pages that answer are none, unless a source has nothing else."""
    polls: dict[int, SourcePoll] = {}
    for row in db.query(
        """select source_id, url, last_status from feeds
           where last_fetched_at >= ? and last_status not in (select value from json_each(?))""",
        [started_at, json.dumps(RESTING)],
    ):
        poll = polls.get(row["source_id"], SourcePoll(read=False))
        if row["last_status"] in READ:
            poll = replace(poll, read=True)
        else:
            poll = replace(poll, failed=(*poll.failed, (row["url"], row["last_status"])))
        polls[row["source_id"]] = poll
    for source_id in _with_others(db, polls, started_at):
        polls[source_id] = replace(polls[source_id], rest=True)
    polls = dict(_polls_without_listing(db, read, unread)) | polls
    return {} if _is_our_line(polls.values()) else polls


def _held_polls(db: Database, held: Mapping[str, str], started_at: str, now: str) -> Iterator[tuple[int, SourcePoll]]:
    """Looks that busy hosts would not have: they failed, once the last good one is a day old. A quarter of an hour's rest is none."""
    sql = "select id, url, last_success_at from sources where url in (select value from json_each(?))"
    rows = [row for row in db.query(sql, [json.dumps([*held])]) if row["last_success_at"]]
    late = [row for row in rows if hours_between(row["last_success_at"], now) > FAILING_HOURS]
    others = _with_others(db, [row["id"] for row in late], started_at)
    for row in late:
        yield row["id"], SourcePoll(read=False, rest=row["id"] in others, failed=(_split(held[row["url"]]),))


def _with_others(db: Database, polls: Collection[int], started_at: str) -> list[int]:
    """Of some sources those with listings that this run did not ask because they were read before and are not due."""
    sql = """select distinct source_id from feeds where source_id in (select value from json_each(?))
             and last_fetched_at < ? and next_fetch_at > ? and last_status in (select value from json_each(?))"""
    parameters = [json.dumps([*polls]), started_at, started_at, json.dumps(READ)]
    return [row["source_id"] for row in db.query(sql, parameters)]


def _polls_without_listing(
    db: Database, read: Collection[str], unread: Mapping[str, str]
) -> Iterator[tuple[int, SourcePoll]]:
    """Sources of single pages, and those whose feed another source polls as well."""
    sql = """select id, url from sources where url in (select value from json_each(?))
             and not exists (select 1 from feeds where source_id = sources.id
                             and last_status not in (select value from json_each(?)))"""
    for row in db.query(sql, [json.dumps([*read, *unread]), json.dumps(RESTING)]):
        failed = () if row["url"] in read else (_split(unread[row["url"]]),)
        yield row["id"], SourcePoll(read=not failed, failed=failed)


def _split(reason: str) -> tuple[str, str]:
    url, _, why = reason.partition(": ")
    return url, why


def _is_our_line(polls: Collection[SourcePoll]) -> bool:
    """Whether nobody could be reached, of several: then the machine is offline, which the run's own status says."""
    reasons = [reason for poll in polls for _, reason in poll.failed]
    return len(polls) > 1 and not any(poll.read for poll in polls) and UNREACHED.issuperset(reasons)


def _moves(db: Database) -> dict[int, tuple[tuple[str, str], ...]]:
    moves: dict[int, tuple[tuple[str, str], ...]] = {}
    for row in db.query("select source_id, url, moved_to from feeds where moved_to is not null order by id"):
        moves[row["source_id"]] = (*moves.get(row["source_id"], ()), (row["url"], row["moved_to"]))
    return moves


def _latest(db: Database, column: str) -> dict[int, str]:
    rows = db.query(f"select source_id, max({column}) as at from feeds where {column} is not null group by 1")
    return {row["source_id"]: row["at"] for row in rows}


def _left_out(db: Database) -> dict[int, tuple[tuple[str, int], ...]]:
    found: dict[int, tuple[tuple[str, int], ...]] = {}
    for row in db.query("select source_id, url, left_out from feeds where left_out > 0 order by id"):
        found[row["source_id"]] = (*found.get(row["source_id"], ()), (row["url"], row["left_out"]))
    return found


def _lately(at: str | None, now: str) -> str | None:
    return at if at and 0 <= hours_between(at, now) <= 7 * 24 else None


def _has_pages(db: Database, source_id: int) -> bool:
    return db.execute("select 1 from pages where source_id = ? limit 1", [source_id]).fetchone() is not None


def _sources(db: Database, ids: Collection[int]) -> list[dict[str, Any]]:
    sql = """select sources.id, last_success_at, last_new_article_at, consecutive_failures, habits.*
             from sources left join habits on source_id = sources.id
             where enabled and sources.id in (select value from json_each(?))"""
    return list(db.query(sql, [json.dumps(sorted(ids))]))


def _counted(source: Row, poll: SourcePoll, now: str) -> dict[str, Any]:
    """The columns of `sources` that count its polls."""
    if poll.read:
        return {"consecutive_failures": 0, "last_success_at": now}
    return {"consecutive_failures": source["consecutive_failures"] + (0 if poll.rest else 1)}


def _facts(source: Row, poll: SourcePoll, habits: Habits, now: str) -> Facts:
    last = source["last_success_at"]
    return Facts(
        ever_read=last is not None,
        failures=source["consecutive_failures"],
        failing_hours=hours_between(last, now) if last else 0.0,
        failed=poll.failed,
        habits=habits,
        last_new_at=source["last_new_article_at"],
    )


def _write_word(db: Database, source: Row, health: Health) -> None:
    counted = {name: source[name] for name in ("last_success_at", "consecutive_failures")}
    update(db, "sources", source["id"], counted | {"status": health.word, "reason": health.reason})


def habits_of(row: Row) -> Habits:
    """Habits as they were stored; those of a stranger when they were not."""
    if row["silent_hours"] is None:
        return Habits(empty_looks=None if row["last_new_article_at"] else 0)
    gaps = tuple((week, hours) for week, hours in json.loads(row["gaps"]))
    recent, before = (tuple(map(PageMark.decode, json.loads(row[name]))) for name in ("recent", "before"))
    return Habits(
        silent_hours=row["silent_hours"], look_hours=row["look_hours"], gaps=gaps, recent=recent, before=before, changed_at=row["changed_at"],
        empty_looks=row["empty_looks"],
    )  # fmt: skip


def habits_row(source_id: int, habits: Habits) -> dict[str, Any]:
    """The row of `habits`: what is remembered, and what of it people ask for as plain numbers."""
    counted = [mark for mark in habits.recent if mark.kind == "article"]
    usual = usual_words(habits.before)
    return {
        "source_id": source_id, "silent_hours": round(habits.silent_hours, 4), "look_hours": round(habits.look_hours, 4),
        "patience_hours": patience_hours(habits.gaps), "gaps": json.dumps(habits.gaps), "recent": _words(habits.recent),
        "before": _words(habits.before), "changed_at": habits.changed_at, "empty_looks": habits.empty_looks, "articles": len(counted),
        "no_title": sum("t" in mark.lacks for mark in counted), "no_date": sum("d" in mark.lacks for mark in counted),
        "no_author": sum("a" in mark.lacks for mark in counted), "short": sum(answers(habits.recent, "s", usual)),
        "no_article": sum(mark.kind == "refused" for mark in habits.recent), "robots": habits.recent.count(PageMark(kind="blocked", reason="robots")),
    }  # fmt: skip


def _words(marks: Iterable[PageMark]) -> str:
    return json.dumps([mark.encode() for mark in marks])


# What a person should do something about


def alarms(db: Database, now: str) -> list[tuple[str, str, str]]:
    """(whose, word, reason) of runs and sources that need a person, runs first, then sources by name."""
    return [*_runs_ill(db, now), *_sources_ill(db)]


ILL = ("broken", "blocked", "empty", "changed", "quiet")
"""Words that call for a person."""

_CRAWLS = """from runs where coalesce(argv ->> '$[0]', '') <> 'import'
    and not exists (select 1 from json_each(argv) where value = '--urls' or value glob '--urls=*')"""
"""Runs that ask what is due: no imports, no lists of single pages."""


def _runs_ill(db: Database, now: str) -> Iterator[tuple[str, str, str]]:
    last = db.query(f"select id, status, reason {_CRAWLS} and status <> 'running' order by id desc limit 1")
    for run in last:
        if run["status"] in ("failed", "killed"):
            yield f"run {run['id']}", run["status"], run["reason"] or "ended without a word"
    sql = f"select finished_at {_CRAWLS} and finished_at is not null order by id desc limit {RUNS_KNOWN}"
    if reason := overdue([row["finished_at"] for row in db.query(sql)], now):
        yield "crawl", "overdue", reason


def _sources_ill(db: Database) -> Iterator[tuple[str, str, str]]:
    moves = _moves(db)
    for source in list(db.query("select id, name, status, reason from sources where enabled order by name")):
        if source["status"] in ILL:
            yield source["name"], source["status"], source["reason"]
            continue
        for move in moves.get(source["id"], ()):
            if not is_same_place(*move):
                yield source["name"], "moved", say_move(move)
