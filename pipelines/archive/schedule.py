"""When to poll a listing next, by how fast it ever rolled on, and to recheck an article, by its age. Pure: no clock, no database.

A feed shows its newest entries only, so what it drops between two looks is lost. A look must come while at least half of
what the last one saw is still there, at the fastest pace the feed has shown; what it needs no more often is a courtesy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crawler.times import instant_of, moment_of, stamp

START = timedelta(minutes=15)
"""What cron is expected to do. What must be looked at as often is looked at in every run, however often these are; and a
pace over less time is not believed: several articles are often published at once."""

EVERY_RUN = timedelta(0)

USUAL_ENTRIES = 20
"""Of a feed that may be filling still."""

STILL_THERE = 0.5
"""Share of a listing's entries that may be new at the next look if it keeps its fastest pace."""

HALF_LIFE = timedelta(days=7)
HALF_LIFE_OTHERWISE = timedelta(days=1)
"""In which a pace is half forgotten: of what drops entries, so slowly that Monday's rush is remembered on the next Monday."""

COVERS = timedelta(days=1)
"""The dates of a feed that is seen for the first time tell its pace when they reach back so far: its morning is among them."""

SHORTEST_SILENCE = timedelta(hours=1)
SILENCE = 1 / 4
"""A listing is looked at again when another quarter of its silence has passed, in its first four hours once an hour: where there
are three articles a day by chance, that is a third fewer looks than once an hour."""

LONGEST_SILENCE = timedelta(hours=6)
LONGEST_SILENCE_OF_PART = timedelta(hours=12)
LONG_SILENCE = 1 / 48
"""But after six hours at most (a part of a sitemap index: twelve), so that what is new is found on its day, until these are a 48th
of the silence: a monthly bulletin waits 15 hours at most."""

SHORTEST_SILENCE_OF_OLD = timedelta(hours=12)
"""A part of an index that holds nothing of late is looked at when its silence has doubled, after twelve hours for the first time: of
a hundred of them one or two are of this month. Beside one that holds something, by the number or date of their names, it is the
next one, and looked at every twelve hours."""

LONGEST = {"sitemap": timedelta(days=7)}
LONGEST_FEED = timedelta(days=1)
"""However silent; sitemaps of past years are still looked at once a week. What a listing asks for is respected up to a day."""

BELIEVED_AFTER_A_GAP = timedelta(days=30)
"""For so long after articles were missed a listing's own wish to be left alone is no longer heard."""

EVERY_RUN_FAILURES = 2
LONGEST_RETRY = timedelta(hours=6)
LONGEST_RETRY_OF_ALL = timedelta(hours=12)
"""A listing that cannot be read is asked again in the next run and the one after, then after twice as long each time; a front page
where nothing to poll was found costs a dozen requests, those for the usual places of feeds and sitemaps."""

ROLLING = ("rss", "atom", "json", "news_sitemap")
"""Kinds that drop their oldest entry for every new one; in them a look without a known entry is a gap."""

KEEPING = ("sitemap", "news_sitemap")
"""Kinds that drop nothing, or what is two days old (as Google asks of news sitemaps): they need no look for the sake of their pace,
unless a gap showed otherwise."""

READ = ("ok", "unchanged")
"""feeds.last_status of a listing that could be read."""

RESTING = ("reserve", "retired", "old", "barren")
"""feeds.last_status of a listing that is kept in mind, but not asked."""

RECHECK_AGES = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
"""Of an article, when it is looked at again for corrections."""

RECHECK_PAUSE = timedelta(hours=1)
"""At least, between two looks at one article."""

DOUBT_PAUSE, DOUBT_ENDS = timedelta(hours=6), timedelta(days=14)
"""Before the look that must agree with a doubtful text; a page that never gives the same text twice is let be in the end."""

GONE_PAUSE = timedelta(days=1)
"""Between the two looks that must find an article gone."""

RETRY_AFTER = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
"""When a failed page is asked again, by the number of attempts so far; after the last it keeps its reason for good."""

RETRY_REFUSED_AFTER = (timedelta(days=1), timedelta(days=7))
"""The same for a page that answered but was no article: it may have been unfinished, or behind a wall for a day."""

ON_TIME = timedelta(minutes=1)
"""What is due within a minute is due now: cron starts to the minute, and a quarter of an hour must not become half of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollResult:
    """What one poll of a listing found."""

    at: datetime  #: aware
    kind: str
    entries: int | None  #: links it holds; None where it had not changed or could not be read
    new: int = 0  #: of them, addresses nobody knew
    known: int = 0  #: of them, addresses that were known before
    filtered: bool = False  #: whether the source's rules left out some of its entries
    new_dates: tuple[str, ...] = ()  #: of the new ones as far as said, ISO 8601
    asked: timedelta | None = None  #: how long it asks to be left alone
    failed: bool = False
    is_part: bool = False  #: of a sitemap index
    is_next: bool = False  #: whether a part beside it, by their names, has entries
    is_index: bool = False  #: whether it is one, and has no entries of its own


def next_poll(result: PollResult, feed: Mapping[str, Any] | None) -> dict[str, Any]:
    """When to poll a listing next, and what else to remember of it after a poll, as columns of `feeds`; `feed` is what was remembered before."""
    if result.failed:
        failures = 1 + (feed["failures"] if feed else 0)
        return {"failures": failures, **_next(result.at, _retry(failures, result.kind))}
    known = feed if feed and feed["last_new_at"] else None
    entries = (known["entries"] if known and result.entries is None else result.entries) or 0
    missed = shows_gaps(known, result.kind, filtered=result.filtered) and result.new > 0 and not result.known
    peak = _peak(result, known, entries, missed=missed)
    last_new_at = result.at if result.new or known is None else moment_of(known["last_new_at"])
    missed_at = result.at if missed else moment_of(known["missed_at"]) if known and known["missed_at"] else None
    asked = (
        result.asked
        if result.entries is not None or known is None
        else result.asked or _minutes(known["asked_minutes"])
    )
    holds = entries if result.is_part else entries or USUAL_ENTRIES
    wait = interval(result, holds, peak, last_new_at, missed_at, asked, is_first=known is None)
    return {
        "failures": 0, "entries": entries, "peak_per_hour": round(peak, 4), "last_new_at": stamp(last_new_at),
        "missed_at": stamp(missed_at) if missed_at else None, "missed": (feed["missed"] if feed else 0) + missed,
        "asked_minutes": round(asked / timedelta(minutes=1)) if asked else None, **_next(result.at, wait),
    }  # fmt: skip


def shows_gaps(feed: Mapping[str, Any] | None, kind: str, *, filtered: bool) -> bool:
    """Whether a look that finds entries, and none of them known from before, means that others came and went in between.

    `feed` is what was remembered before the look, `kind` what it found, `filtered` whether some entries were left out.
    """
    return kind in ROLLING and not filtered and feed is not None and bool(feed["entries"])


def interval(
    result: PollResult,
    entries: int,
    peak: float,
    last_new_at: datetime,
    missed_at: datetime | None,
    asked: timedelta | None,
    *,
    is_first: bool,
) -> timedelta:
    """How long to wait after a look that could be read. `peak` is in new entries an hour. The first look says nothing of what
    comes; the second, in the next run, does."""
    longest, silent = LONGEST.get(result.kind, LONGEST_FEED), result.at - last_new_at
    if result.is_part and not result.is_index and not entries:
        return SHORTEST_SILENCE_OF_OLD if result.is_next else min(max(SHORTEST_SILENCE_OF_OLD, silent), longest)
    needed = EVERY_RUN if is_first else min(_patience(result, silent), longest)
    if result.kind not in KEEPING or missed_at:
        half, most = STILL_THERE * entries, peak * (longest / timedelta(hours=1))
        needed = min(needed, timedelta(hours=half / peak)) if half < most else needed
    heard = missed_at is None or result.at - missed_at > BELIEVED_AFTER_A_GAP
    if asked and heard:
        return max(needed, min(asked, LONGEST_FEED))
    return needed if needed > START + ON_TIME else EVERY_RUN


def _patience(result: PollResult, silent: timedelta) -> timedelta:
    """How long what is new may wait, after a silence: an index has nothing new itself, but may name a part that has."""
    most = LONGEST_SILENCE_OF_PART if result.is_part else LONGEST_SILENCE
    wait = max(SHORTEST_SILENCE, min(silent * SILENCE, most))
    return wait if result.is_index else max(wait, silent * LONG_SILENCE)


def _peak(result: PollResult, known: Mapping[str, Any] | None, entries: int, *, missed: bool) -> float:
    """The fastest pace, in new entries an hour. Of a listing seen for the first time: what its dates tell, if these cover a day,
    else all of it between two starts."""
    fullest = max(entries, USUAL_ENTRIES) / (START / timedelta(hours=1))
    if missed:
        return fullest
    moments = sorted(moment for date in result.new_dates if (moment := instant_of(date)))
    told = _fastest(moments, STILL_THERE * entries)
    if known is None:
        covers = len(moments) == result.new > 1 and moments[-1] - moments[0] >= COVERS
        return told if covers else fullest
    passed = max(result.at - moment_of(known["last_fetched_at"]), START)
    half_life = HALF_LIFE if result.kind in ROLLING else HALF_LIFE_OTHERWISE
    remembered: float = known["peak_per_hour"] * 0.5 ** (passed / half_life)
    return max(remembered, result.new / (passed / timedelta(hours=1)), told)


def _fastest(moments: Sequence[datetime], half: float) -> float:
    """The pace an hour of the shortest time, a quarter of an hour at least, in which half of a listing's entries or more were
    published; 0 of fewer dates, which tell of no rush."""
    fastest, first = 0.0, 0
    for last, moment in enumerate(moments):
        while moment - moments[first] > START and last - first >= max(half, 2):
            first += 1
        number = last - first + 1
        if number >= max(half, 2):
            fastest = max(fastest, number / (max(moment - moments[first], START) / timedelta(hours=1)))
    return fastest


def _retry(failures: int, kind: str) -> timedelta:
    if failures <= EVERY_RUN_FAILURES:
        return EVERY_RUN
    wait: timedelta = START * 2 ** min(failures - EVERY_RUN_FAILURES, 10)
    return min(wait, LONGEST_RETRY_OF_ALL if kind == "homepage" else LONGEST_RETRY)


def _next(at: datetime, wait: timedelta) -> dict[str, Any]:
    if wait == EVERY_RUN:
        return {"poll_minutes": None, "next_fetch_at": None}
    return {"poll_minutes": round(wait / timedelta(minutes=1)), "next_fetch_at": stamp(at + wait)}


# Articles


def recheck_at(
    date_published: str | None, first_seen: datetime, now: datetime, *, doubted: bool = False
) -> datetime | None:
    """When to look at an article again, after a look at `now`; None when it is old enough to be left alone."""
    if doubted and now - first_seen < DOUBT_ENDS:
        return now + DOUBT_PAUSE
    published = instant_of(date_published or "")
    born = min(published, first_seen) if published else first_seen
    due = next((born + age for age in RECHECK_AGES if born + age > now), None)
    return max(due, now + RECHECK_PAUSE) if due else None


def retry_at(attempts: int, now: datetime, *, refused: bool = False) -> datetime | None:
    """When to ask for a page again that has failed, or been refused, so many times; None when the attempts are spent."""
    waits = RETRY_REFUSED_AFTER if refused else RETRY_AFTER
    return now + waits[attempts - 1] if attempts <= len(waits) else None


# Time


def is_due(row: Mapping[str, Any], now: datetime) -> bool:
    """Whether a row's time (next_fetch_at; NULL: any time) has come; also when it was written by a clock that was ahead."""
    if row["next_fetch_at"] is None:
        return True
    return bool(row["next_fetch_at"] <= due_until(now) or (row["last_fetched_at"] or "") > stamp(now + ON_TIME))


def due_until(now: datetime) -> str:
    """The latest next_fetch_at that is due now."""
    return stamp(now + ON_TIME)


def _minutes(number: int | None) -> timedelta | None:
    return timedelta(minutes=number) if number else None
