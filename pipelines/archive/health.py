"""How a source is doing: what was seen of it -> one word and a reason. Told at the end of a run, by that run's looks alone.

A look is one asking of a source's listings (feeds, sitemaps, front page). Of every source the table `habits` keeps what
it usually does: its silences, and what its last pages came to. So no run reads more of the archive than it touched
itself, and the same habits make the same word whatever the time zone. How soon each word is said is in docs/scheduling.md.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from math import comb, sqrt
from statistics import fmean, median
from typing import Any
from urllib.parse import urlsplit

from sqlite_utils import Database

from pipelines.archive.schedule import READ, RESTING

Row = Mapping[str, Any]

# Listings that cannot be read

FAILED_LOOKS = 3
"""Failed looks in a row after which a source that could be read before is broken or blocked: one time-out is none."""

FAILING_HOURS = 24.0
"""Two looks are enough when the last good one is this long ago: who looks once a day need not wait for three."""

REFUSING = re.compile(r"\b(?:robots_)?http_(?:401|403|429|451)\b|\brobots\b")
"""Reasons by which a publisher turns a visitor away; in the reason of a discovery there are several."""

ANSWERS = re.compile(r"\b(?:robots_)?http_\d{3}\b|\brobots\b")

UNREACHED = frozenset(("host_not_found", "timeout", "connection_failed", "connection_lost"))
"""Reasons that may as well be our own line's. When nobody at all could be reached, it is that, and nobody is broken."""

# Silence

GAPS = 13
"""Longest silences kept, one for each week in which the source published: a quarter, or a year of a monthly. The oldest is
not counted: its week was not watched from the start."""

ENOUGH_GAPS = 4
"""Under this number of them nothing is known of a source's habits: three weekends at least are among four weeks."""

TIMES_LONGEST, QUIET_HOURS = 2.0, 24.0
"""Quiet is longer than twice the longest silence (Easter makes 108 hours of a weekend's 60) and than a day (one holiday)."""

DEVIATIONS, DEVIATIONS_OF_FEW = 8.0, 40.0
"""And so many deviations above the median, the latter over the number of gaps: a few short silences of a source that publishes
by chance say little. Only what is longer than the median deviates. With this such a source is named by mistake once in 15
to 25 years, without it every fifth year."""

WATCHED_HOURS, WATCHED_TIMES = 36.0, 3.0
"""Time between two looks counts when it is not longer than this, or than this many times the usual: a machine that was
off saw no silence. A day and a half, so that a daily start may be late."""

# Pages

RECENT, BEFORE = 10, 100
"""Pages that are compared, and those before them that they are compared with."""

FEWEST_RECENT, FEWEST_BEFORE = 6, 20
"""Fewer say nothing; six of ten against one of a hundred is the least that is a change by UNLIKELY."""

UNLIKELY = 1e-6
"""Chance (Fisher's exact test, one-sided) under which a share has changed. 500 sources with 36 articles a day make 1,800
windows of ten a day, times five questions: by chance alone one false alarm in a hundred days at most."""

SHORT = 0.5
"""A text under this share of the usual median length is short."""

USED_TO_DAYS = 28
"""Days after which what had changed is the usual."""

QUESTIONS = {
    "-": ("no article", "pages"),
    "t": ("no title", "articles"),
    "d": ("no date", "articles"),
    "a": ("no author", "articles"),
    "s": ("under half the usual length", "articles"),
}
"""What may be wrong with a page, in the order in which it is told; the first word is what the reason says."""

# Runs

RUNS_KNOWN = 700
"""Runs whose times are compared: a week of quarters of an hour."""

OVERDUE_RUNS, OVERDUE_HOURS = 10, 3.0
"""Gaps between runs that must be known, and hours below which no run is overdue: a first crawl can take as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What a source usually does, as one row of `habits`."""

    silent_hours: float = 0.0  #: watched hours since it last named something new
    look_hours: float = 0.0  #: usual hours between two looks, an average that forgets
    gaps: tuple[tuple[str, float], ...] = ()  #: (ISO week, longest silence in hours that ended in it), the oldest first
    recent: tuple[str, ...] = ()  #: marks of its last pages in the order they were asked, at most RECENT
    before: tuple[str, ...] = ()  #: marks of those before them, at most BEFORE; not moved on while they differ
    changed_at: str | None = None  #: since when the recent ones differ; None when they do not


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a word is judged by."""

    ever_read: bool
    failures: int = 0  #: looks in a row in which no listing could be read
    failing_hours: float = 0.0  #: since the last look in which one could
    failed: tuple[tuple[str, str], ...] = ()  #: (listing, reason) of those not read at the last look
    habits: Habits = Habits()
    last_new_at: str | None = None
    moved: tuple[tuple[str, str], ...] = ()  #: (listing of sources.toml, where it redirects for good)
    missed_at: str | None = None  #: when articles were missed, if that was within a week


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The word for `sources.status`, and why."""

    word: str  #: new, ok, quiet, broken, changed or blocked; `off` is said by sources.toml alone
    reason: str | None = None


# The judgement


def judge(facts: Facts) -> Health:
    """One word for a source, the worst that holds."""
    for word, reason in (_unreadable(facts), _pages_unreadable(facts.habits), _changed(facts.habits), _quiet(facts)):
        if word:
            moves = (move for move in facts.moved if move[0] not in dict(facts.failed))
            return Health(word=word, reason="; ".join((reason, *map(say_move, moves))))
    notes = "; ".join(_notes(facts))
    return Health(word="ok" if facts.ever_read else "new", reason=notes or None)


Finding = tuple[str, str]
NOTHING: Finding = ("", "")


def _unreadable(facts: Facts) -> Finding:
    """Not one listing can be read: for good as it seems, or from the start."""
    lasting = facts.failures >= FAILED_LOOKS or (facts.failures > 1 and facts.failing_hours > FAILING_HOURS)
    if not facts.failures or (facts.ever_read and not lasting):
        return NOTHING
    word = "blocked" if all(_is_refusal(reason) for _, reason in facts.failed) else "broken"
    return word, _say_failures(facts)


def _say_failures(facts: Facts) -> str:
    (url, reason), *others = facts.failed
    moved = dict(facts.moved).get(url)
    said = say_failure(f"{url} (moved for good to {moved})" if moved else url, reason)
    said += f", and {len(others)} more" if others else ""
    return f"{said}; {facts.failures} looks in a row" if facts.failures > 1 else said


def _is_refusal(reason: str) -> bool:
    answers = ANSWERS.findall(reason)
    return bool(answers) and all(REFUSING.fullmatch(answer) for answer in answers)


def _pages_unreadable(habits: Habits) -> Finding:
    """The listings name pages, but most of these turn us away or do not answer."""
    for sign, word in (("!", "blocked"), ("?", "broken")):
        marks = [mark for mark in habits.recent if mark[0] == sign]
        if len(marks) >= FEWEST_RECENT:
            why = max(marks, key=marks.count)[1:]
            return word, f"{len(marks)} of the last {len(habits.recent)} pages: {say_reason(why)}"
    return NOTHING


def _changed(habits: Habits) -> Finding:
    """The recent pages lack what those before them had."""
    usual = usual_words(habits.before)
    for question, (what, of) in QUESTIONS.items():
        now = answers(habits.recent, question, usual)
        if len(now) < FEWEST_RECENT or 2 * sum(now) <= len(now):
            continue
        then = answers(habits.before, question, usual)
        if is_change(now, then):
            return (
                "changed",
                f"{what} in {sum(now)} of the last {len(now)} {of}; before that in {sum(then)} of {len(then)}",
            )
    return NOTHING


def _quiet(facts: Facts) -> Finding:
    patience = patience_hours(facts.habits.gaps)
    if patience is None or facts.habits.silent_hours <= patience:
        return NOTHING
    last = f", the last on {facts.last_new_at[:10]}" if facts.last_new_at else ""
    longest = max(hours for _, hours in facts.habits.gaps[1:])
    return (
        "quiet",
        f"nothing new for {span(facts.habits.silent_hours)}{last}; its longest silence before was {span(longest)}",
    )


def _notes(facts: Facts) -> Iterator[str]:
    """What is worth knowing of a source that is well."""
    failed = dict(facts.failed)
    yield from (say_move(move) for move in facts.moved if move[0] not in failed)
    if failed:
        yield _say_failures(facts)
    if facts.missed_at:
        yield f"may have published more than its feeds keep, on {facts.missed_at[:10]}: look more often"


# Pages that differ


def answers(marks: Iterable[str], question: str, usual: float) -> list[bool]:
    """For each page that can be asked: has it the fault? Not asked are pages that never answered, and copies."""
    if question == "-":
        return [mark[0] == "-" for mark in marks if mark[0] not in "!?"]
    articles = (mark for mark in marks if mark[0].isdigit())
    if question == "s":
        return [_words(mark) < SHORT * usual for mark in articles]
    return [question in mark for mark in articles]


def usual_words(marks: Iterable[str]) -> float:
    """The median length of articles, in words; 0 of none."""
    words = [_words(mark) for mark in marks if mark[0].isdigit()]
    return median(words) if words else 0.0


def _words(mark: str) -> int:
    return int(mark.rstrip("tda"))


def is_change(now: Sequence[bool], then: Sequence[bool]) -> bool:
    """Whether a fault is common now, was not before, and was not in any stretch of that length either.

    Faults come in stretches: a night of agency reports has no authors, every night.
    """
    if len(then) < FEWEST_BEFORE:
        return False
    worst = max(sum(then[start : start + len(now)]) for start in range(len(then) - len(now) + 1))
    return sum(now) > worst and fisher(sum(now), len(now), sum(then), len(then)) < UNLIKELY


def fisher(hits: int, of: int, hits_before: int, of_before: int) -> float:
    """The chance of at least so many hits in the one sample if both had the same share: Fisher's exact test, one-sided.

    R. A. Fisher, "On the interpretation of χ² from contingency tables", 1922: exact however few the pages are.
    """
    all_hits = hits + hits_before
    ways = sum(comb(of, k) * comb(of_before, all_hits - k) for k in range(hits, min(of, all_hits) + 1))
    return ways / comb(of + of_before, all_hits)


def learn(habits: Habits, marks: Sequence[str], now: str) -> Habits:
    """The habits after some more pages. Pages that differ do not become the usual, unless they do so for weeks."""
    if habits.changed_at and hours_between(habits.changed_at, now) > USED_TO_DAYS * 24:
        habits = replace(habits, before=(), changed_at=None)
    for mark in marks[-RECENT - BEFORE :]:
        recent = (*habits.recent, mark)
        older = () if habits.changed_at else recent[:-RECENT]
        habits = replace(habits, recent=recent[-RECENT:], before=(*habits.before, *older)[-BEFORE:])
        changed = _changed(habits) != NOTHING
        habits = replace(habits, changed_at=(habits.changed_at or now) if changed else None)
    return habits


def mark_of(page: Row) -> str | None:
    """One word for what a page of this run came to; None when it says nothing of the site.

    `412` an article of so many words, `412t`, `412d`, `412a` without title, date, author; `=` a copy; `-index` no article,
    and why; `!robots`, `!http_403` we are turned away; `?timeout` no answer, twice. A page that is asked again counts once.
    """
    if page["outcome"] == "new":
        return f"{page['word_count']}{'t' * page['no_title']}{'d' * page['no_date']}{'a' * page['no_author']}"
    if page["outcome"] == "duplicate":
        return "="
    if page["outcome"] == "refused" and page["attempts"] == 1:
        return f"!{page['reason']}" if page["reason"] in ("robots", "consent") else f"-{page['reason']}"
    if page["outcome"] == page["state"] == "failed" and page["attempts"] == 2:
        return f"{'!' if _is_refusal(page['reason']) else '?'}{page['reason']}"
    return None


# Silence


def patience_hours(gaps: Sequence[tuple[str, float]]) -> float | None:
    """How long this source may be silent before it is quiet; None while too little is known of it."""
    hours = [gap for _, gap in gaps[1:]]
    if len(hours) < ENOUGH_GAPS:
        return None
    middle = median(hours)
    deviation = sqrt(fmean(max(0.0, gap - middle) ** 2 for gap in hours))
    unusual = middle + (DEVIATIONS + DEVIATIONS_OF_FEW / len(hours)) * deviation
    return max(TIMES_LONGEST * max(hours), unusual, QUIET_HOURS)


def watch(habits: Habits, last_look: str | None, now: str, *, new: bool) -> Habits:
    """The habits after one more look that could be read, at `now`; `new`: it named something that was not known."""
    if last_look is None:  # everything is new to who never looked
        return habits
    passed = hours_between(last_look, now)
    longest = max(WATCHED_HOURS, WATCHED_TIMES * habits.look_hours)
    watched = 0 <= passed <= longest
    silent = habits.silent_hours + (passed if watched else 0)
    gaps = _with_gap(habits.gaps, week_of(now), silent) if new and watched else habits.gaps
    usual = 0.8 * habits.look_hours + 0.2 * min(max(passed, 0), longest)
    return replace(habits, silent_hours=0.0 if new else silent, look_hours=usual, gaps=gaps)


def _with_gap(gaps: tuple[tuple[str, float], ...], week: str, hours: float) -> tuple[tuple[str, float], ...]:
    hours = round(hours, 2)
    if gaps and gaps[-1][0] == week:
        return (*gaps[:-1], (week, max(gaps[-1][1], hours)))
    return (*gaps, (week, hours))[-GAPS:]


def week_of(now: str) -> str:
    year, week, _ = datetime.fromisoformat(now).isocalendar()
    return f"{year}-W{week:02}"


def hours_between(earlier: str, later: str) -> float:
    """Hours from one time stamp to another; negative when a clock was set back."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds() / 3600


# Runs


def overdue(finished: Sequence[str], now: str) -> str | None:
    """Why somebody should look at cron: no run has ended for twice as long as ever between the given ones, the last first."""
    gaps = [hours_between(earlier, later) for later, earlier in pairwise(finished)]
    if len(gaps) < OVERDUE_RUNS:
        return None
    silent = hours_between(finished[0], now)
    if silent <= max(OVERDUE_HOURS, 2 * max(gaps)):
        return None
    return f"no run has ended for {span(silent)}; the longest time between two was {span(max(gaps))}"


# Words


def span(hours: float) -> str:
    """A length of time for people: `31 hours`, `5 days`."""
    return (
        f"{hours / 24:.0f} days"
        if hours >= 72
        else f"{hours:.0f} hours"
        if hours >= 1.5
        else f"{hours * 60:.0f} minutes"
    )


def say_failure(url: str, reason: str) -> str:
    if reason == "robots":
        return f"robots.txt forbids {url}"
    return f"{url} {say_reason(reason)}" if reason.startswith("http_") else f"{url}: {say_reason(reason)}"


def say_reason(reason: str) -> str:
    """A reason of `pages` or `feeds` in words; whole sentences stay as they are."""
    if status := re.fullmatch(r"(robots_)?http_(\d{3})", reason):
        return f"{'robots.txt ' if status[1] else ''}answers {status[2]}"
    if reason == "robots":
        return "robots.txt forbids them"
    return reason.replace("_", " ") if re.fullmatch("[a-z_0-9]+", reason) else reason


def say_move(move: tuple[str, str]) -> str:
    url, to = move
    if is_same_place(url, to):
        return f"{url} redirects for good to {to}"
    return f"{url} has moved for good to {to}: put that into sources.toml"


def is_same_place(url: str, other: str) -> bool:
    """Whether two addresses differ by scheme, www or a final slash only: a move that nobody needs to follow by hand."""
    return _place(url) == _place(other)


def _place(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.netloc.lower().removeprefix("www."), parts.path.rstrip("/"), parts.query


# The sources of a run


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What came of asking a source's listings in one run."""

    read: bool  #: whether one of them could be read
    rest: bool = False  #: whether others could be read at their last look and are not due yet
    failed: tuple[tuple[str, str], ...] = ()  #: (listing, reason) of the others


def judge_sources(db: Database, *, read: Collection[str], unread: Mapping[str, str], started_at: str, now: str) -> None:
    """Judge every source that this run looked at or had pages of; the others keep their word.

    `read` and `unread` are sources by address, the latter with their reason. Inside the caller's transaction.
    """
    looks = _looks(db, read, unread, started_at)
    pages = _pages(db)
    moved, missed = _moves(db), _misses(db)
    for source in _sources(db, {*looks, *pages}):
        found = pages.get(source["id"], [])
        habits = learn(habits_of(source), [mark for page in found if (mark := mark_of(page))], now)
        if look := looks.get(source["id"]):
            new = any(page["discovered_at"] > (source["last_success_at"] or "") for page in found)
            habits = watch(habits, source["last_success_at"], now, new=new) if look.read else habits
            source |= _counted(source, look, now)
            facts = _facts(source, look, habits, now)
            facts = replace(facts, moved=moved.get(source["id"], ()), missed_at=_lately(missed.get(source["id"]), now))
            _write_word(db, source, judge(facts))
        db.table("habits").upsert(habits_row(source["id"], habits), pk="source_id")


def _looks(db: Database, read: Collection[str], unread: Mapping[str, str], started_at: str) -> dict[int, Look]:
    """The looks of this run, by source. Pages that answer are none, unless a source has nothing else."""
    looks: dict[int, Look] = {}
    for row in db.query(
        """select source_id, url, last_status from feeds
           where last_fetched_at >= ? and last_status not in (select value from json_each(?))""",
        [started_at, json.dumps(RESTING)],
    ):
        look = looks.get(row["source_id"], Look(read=False))
        if row["last_status"] in READ:
            look = replace(look, read=True)
        else:
            look = replace(look, failed=(*look.failed, (row["url"], row["last_status"])))
        looks[row["source_id"]] = look
    for source_id in _with_others(db, looks, started_at):
        looks[source_id] = replace(looks[source_id], rest=True)
    looks = dict(_looks_without_listing(db, read, unread)) | looks
    return {} if _is_our_line(looks.values()) else looks


def _with_others(db: Database, looks: Collection[int], started_at: str) -> list[int]:
    """Of some sources those with listings that this run did not ask because they were read before and are not due."""
    sql = """select distinct source_id from feeds where source_id in (select value from json_each(?))
             and last_fetched_at < ? and next_fetch_at > ? and last_status in (select value from json_each(?))"""
    parameters = [json.dumps([*looks]), started_at, started_at, json.dumps(READ)]
    return [row["source_id"] for row in db.query(sql, parameters)]


def _looks_without_listing(
    db: Database, read: Collection[str], unread: Mapping[str, str]
) -> Iterator[tuple[int, Look]]:
    """Sources of single pages, and those whose feed another source polls as well."""
    sql = """select id, url from sources where url in (select value from json_each(?))
             and not exists (select 1 from feeds where source_id = sources.id
                             and last_status not in (select value from json_each(?)))"""
    for row in db.query(sql, [json.dumps([*read, *unread]), json.dumps(RESTING)]):
        failed = () if row["url"] in read else (_split(unread[row["url"]]),)
        yield row["id"], Look(read=not failed, failed=failed)


def _split(reason: str) -> tuple[str, str]:
    url, _, why = reason.partition(": ")
    return url, why


def _is_our_line(looks: Collection[Look]) -> bool:
    """Whether nobody could be reached, of several: then the machine is offline, which the run's own status says."""
    reasons = [reason for look in looks for _, reason in look.failed]
    return len(looks) > 1 and not any(look.read for look in looks) and UNREACHED.issuperset(reasons)


def _pages(db: Database) -> dict[int, list[Row]]:
    """What this run newly learnt of each source's pages, in the order they were asked."""
    sql = """select touched.source_id, outcome, pages.state, pages.reason, pages.attempts, pages.discovered_at, word_count,
                    articles.title is null as no_title, articles.date_published is null as no_date, authors is null as no_author
             from touched join pages on pages.id = touched.page_id left join articles on articles.id = pages.article_id
             where outcome not in ('known', 'updated') and touched.source_id is not null and pages.via not in ('file', 'warc')
             order by pages.last_fetched_at, pages.id"""
    pages: dict[int, list[Row]] = {}
    for row in db.query(sql):
        pages.setdefault(row["source_id"], []).append(row)
    return pages


def _moves(db: Database) -> dict[int, tuple[tuple[str, str], ...]]:
    moves: dict[int, tuple[tuple[str, str], ...]] = {}
    for row in db.query("select source_id, url, moved_to from feeds where moved_to is not null order by id"):
        moves[row["source_id"]] = (*moves.get(row["source_id"], ()), (row["url"], row["moved_to"]))
    return moves


def _misses(db: Database) -> dict[int, str]:
    rows = db.query("select source_id, max(missed_at) as at from feeds where missed_at is not null group by 1")
    return {row["source_id"]: row["at"] for row in rows}


def _lately(at: str | None, now: str) -> str | None:
    return at if at and 0 <= hours_between(at, now) <= 7 * 24 else None


def _sources(db: Database, ids: Collection[int]) -> list[dict[str, Any]]:
    sql = """select sources.id, last_success_at, last_new_article_at, consecutive_failures, habits.*
             from sources left join habits on source_id = sources.id
             where enabled and sources.id in (select value from json_each(?))"""
    return list(db.query(sql, [json.dumps(sorted(ids))]))


def _counted(source: Row, look: Look, now: str) -> dict[str, Any]:
    """The columns of `sources` that count its looks."""
    if look.read:
        return {"consecutive_failures": 0, "last_success_at": now}
    return {"consecutive_failures": source["consecutive_failures"] + (0 if look.rest else 1)}


def _facts(source: Row, look: Look, habits: Habits, now: str) -> Facts:
    last = source["last_success_at"]
    return Facts(
        ever_read=last is not None,
        failures=source["consecutive_failures"],
        failing_hours=hours_between(last, now) if last else 0.0,
        failed=look.failed,
        habits=habits,
        last_new_at=source["last_new_article_at"],
    )


def _write_word(db: Database, source: Row, health: Health) -> None:
    counted = {name: source[name] for name in ("last_success_at", "consecutive_failures")}
    db.table("sources").update(source["id"], counted | {"status": health.word, "reason": health.reason})


def habits_of(row: Row) -> Habits:
    """Habits as they were stored; those of a stranger when they were not."""
    if row["silent_hours"] is None:
        return Habits()
    gaps = tuple((week, hours) for week, hours in json.loads(row["gaps"]))
    recent, before = (tuple(json.loads(row[name])) for name in ("recent", "before"))
    return Habits(
        silent_hours=row["silent_hours"], look_hours=row["look_hours"], gaps=gaps, recent=recent, before=before, changed_at=row["changed_at"]
    )  # fmt: skip


def habits_row(source_id: int, habits: Habits) -> dict[str, Any]:
    """The row of `habits`: what is remembered, and what of it people ask for as plain numbers."""
    counted = [mark for mark in habits.recent if mark[0].isdigit()]
    usual = usual_words(habits.before)
    return {
        "source_id": source_id, "silent_hours": round(habits.silent_hours, 4), "look_hours": round(habits.look_hours, 4),
        "patience_hours": patience_hours(habits.gaps), "gaps": json.dumps(habits.gaps), "recent": json.dumps(habits.recent),
        "before": json.dumps(habits.before), "changed_at": habits.changed_at, "articles": len(counted),
        "no_title": sum("t" in mark for mark in counted), "no_date": sum("d" in mark for mark in counted),
        "no_author": sum("a" in mark for mark in counted), "short": sum(answers(habits.recent, "s", usual)),
        "no_article": sum(mark[0] == "-" for mark in habits.recent), "robots": sum(mark == "!robots" for mark in habits.recent),
    }  # fmt: skip


# What a person should do something about


def alarms(db: Database, now: str) -> list[tuple[str, str, str]]:
    """(whose, word, reason) of runs and sources that need a person, runs first, then sources by name."""
    return [*_runs_ill(db, now), *_sources_ill(db)]


ILL = ("broken", "blocked", "changed", "quiet")
"""Words that call for a person."""

_CRAWLS = "from runs where coalesce(argv ->> '$[0]', '') <> 'import'"


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
