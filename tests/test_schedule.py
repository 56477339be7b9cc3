"""When to look again. The simulations drive the real store and the real due rule with a clock of their own."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.times import stamp
from pipelines.archive import schedule
from pipelines.archive.schedule import START, PollResult, is_due, recheck_at
from tests.benchmarks.polling import RHYTHMS, Feed, Poller

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def look(at: datetime, **facts: object) -> PollResult:
    return PollResult(**{"at": at, "kind": "rss", "entries": 20} | facts)  # type: ignore[arg-type]


def after(*looks: PollResult) -> dict[str, object]:
    """What is remembered of a feed after these looks."""
    feed: dict[str, object] | None = None
    for one in looks:
        feed = (feed or {"failures": 0, "last_new_at": None, "missed": 0}) | schedule.next_poll(one, feed)
        feed["last_fetched_at"] = stamp(one.at)
    assert feed is not None
    return feed


# Feeds


def test_a_feed_that_nobody_knows_yet_is_asked_in_every_run() -> None:
    feed = after(look(NOON, new=20))
    assert (feed["next_fetch_at"], feed["poll_minutes"], feed["peak_per_hour"]) == (None, None, 80)


def test_the_dates_of_a_first_look_tell_the_pace_when_they_cover_a_day() -> None:
    days = tuple(stamp(NOON - number * DAY / 2) for number in range(20))
    feed = after(look(NOON, new=20, new_dates=days))
    assert (feed["poll_minutes"], feed["peak_per_hour"]) == (None, round(10 / (9 * 12), 4))
    assert after(look(NOON, new=20, new_dates=days), look(NOON + START, known=20))["poll_minutes"] == 60
    for silent in (tuple(stamp(NOON - number * HOUR) for number in range(20)), days[:10], ("2026-11-02",) * 20, ()):
        assert after(look(NOON, new=20, new_dates=silent))["peak_per_hour"] == 80


def test_a_feed_with_nothing_new_is_asked_ever_less_until_it_is_once_a_day() -> None:
    weeks = [look(NOON, new=20), *(look(NOON + number * DAY, known=20) for number in range(1, 120))]
    waits = [after(*weeks[:days])["poll_minutes"] for days in (8, 15, 22, 29, 36, 43, 119)]
    assert waits == [None, 30, 60, 120, 240, 480, 24 * 60]
    bulletin = look(NOON, new=20, new_dates=tuple(stamp(NOON - number * DAY) for number in range(20)))
    waits = [after(bulletin, look(NOON + silent * HOUR, known=20))["poll_minutes"] for silent in (1, 4, 8, 20, 24, 240)]
    assert waits == [60, 60, 120, 300, 360, 360]
    assert after(bulletin, look(NOON + 30 * DAY, known=20))["poll_minutes"] == 15 * 60


@pytest.mark.parametrize(
    ("facts", "hours"),
    [
        ({"entries": 20}, (1, 6, 15, 48)),
        ({"is_index": True, "entries": 0}, (1, 6, 6, 6)),
        ({"is_part": True}, (1, 6, 15, 48)),
        ({"is_part": True, "entries": 0}, (12, 24, 168, 168)),
        ({"is_part": True, "entries": 0, "is_next": True}, (12, 12, 12, 12)),
    ],
    ids=["sitemap", "index", "part", "empty part", "empty part beside another"],
)  # fmt: skip
def test_a_sitemap_waits_by_its_silence_and_what_may_name_the_next_never_long(
    facts: dict[str, object], hours: tuple[int, ...]
) -> None:
    first = look(NOON, kind="sitemap", new=0, **facts)
    silences = (HOUR, DAY, 30 * DAY, 96 * DAY)
    waits = [after(first, look(NOON + silent, kind="sitemap", **facts))["poll_minutes"] for silent in silences]
    assert waits == [60 * wait for wait in hours]


def test_a_news_sitemap_is_asked_for_its_pace_only_after_a_gap() -> None:
    news = {"kind": "news_sitemap", "entries": 6}
    known = [look(NOON, new=6, **news), look(NOON + HOUR, new=5, known=1, **news)]
    assert after(*known)["poll_minutes"] == 60
    assert after(*known, look(NOON + 2 * HOUR, new=6, **news))["poll_minutes"] is None


def test_a_feed_that_has_something_new_is_asked_once_an_hour_at_least() -> None:
    weeks = [look(NOON, new=20), *(look(NOON + number * DAY, known=19, new=1) for number in range(1, 120))]
    assert after(*weeks)["poll_minutes"] == 60


def test_a_rush_is_remembered_for_a_week() -> None:
    slow = [look(NOON + number * DAY, known=19, new=1) for number in range(60)]
    assert after(*slow)["poll_minutes"] == 60
    rush = look(slow[-1].at + START, known=5, new=15)
    assert after(*slow, rush)["poll_minutes"] is None
    calm = [look(rush.at + number * DAY, known=19, new=1) for number in range(1, 7)]
    assert after(*slow, rush, *calm)["poll_minutes"] == pytest.approx(18, abs=1)


def test_dates_tell_of_a_rush_between_two_looks() -> None:
    slow = [look(NOON + number * DAY, known=19, new=1) for number in range(60)]
    dates = tuple(f"2027-01-02T08:{minute:02}:00+01:00" for minute in range(0, 30, 2))
    assert after(*slow, look(slow[-1].at + HOUR, known=5, new=15))["peak_per_hour"] == 15
    assert (
        after(*slow, look(slow[-1].at + HOUR, known=5, new=15, new_dates=dates))["peak_per_hour"] == 33.3333
    )  # ten in 18 minutes


def test_without_overlap_a_gap_is_noted_and_the_feed_asked_in_every_run() -> None:
    known = [look(NOON, new=20), *(look(NOON + number * DAY, known=20) for number in range(1, 40))]
    gap = look(known[-1].at + HOUR, new=20)
    feed = after(*known, gap)
    assert (feed["missed"], feed["missed_at"], feed["poll_minutes"]) == (1, stamp(gap.at), None)


@pytest.mark.parametrize(
    "facts",
    [{"known": 1, "new": 19}, {"new": 3, "filtered": True}, {"new": 20, "kind": "sitemap"}, {"known": 20}, {"entries": 0}],
    ids=["overlap", "filtered", "sitemap", "nothing new", "empty"],
)  # fmt: skip
def test_what_is_no_gap(facts: dict[str, object]) -> None:
    assert after(look(NOON, new=20), look(NOON + HOUR, **facts))["missed"] == 0


def test_the_first_articles_of_a_feed_that_was_empty_are_no_gap() -> None:
    assert after(look(NOON, entries=0), look(NOON + HOUR, new=2, entries=2))["missed"] == 0


def test_a_feed_s_wish_is_heard_as_long_as_it_loses_nothing() -> None:
    polite = look(NOON, new=20, asked=2 * HOUR)
    assert after(polite)["poll_minutes"] == 120
    unchanged = look(NOON + 2 * HOUR, entries=None)
    assert after(polite, unchanged)["poll_minutes"] == 120
    gap = look(NOON + 4 * HOUR, new=20, asked=2 * HOUR)
    assert after(polite, unchanged, gap)["poll_minutes"] is None


def test_no_wish_is_heard_for_longer_than_a_day() -> None:
    assert after(look(NOON, new=20, asked=400 * DAY))["poll_minutes"] == 24 * 60


def test_a_feed_that_fails_is_asked_twice_at_once_and_then_ever_less() -> None:
    failures = [look(NOON + number * DAY, failed=True) for number in range(9)]
    waits = [after(look(NOON - DAY, new=20), *failures[: number + 1])["poll_minutes"] for number in range(9)]
    assert waits == [None, None, 30, 60, 120, 240, 360, 360, 360]
    assert after(*failures, look(NOON + 10 * DAY, known=20))["failures"] == 0
    whole = [look(one.at, kind="homepage", failed=True) for one in failures]
    assert after(*whole)["poll_minutes"] == 12 * 60


@given(
    st.lists(
        st.tuples(st.integers(-(10**6), 10**6), st.integers(0, 50), st.integers(0, 50), st.booleans(), st.integers(0, 10**6))
    )
)  # fmt: skip
def test_whatever_the_clock_does_a_feed_is_due_within_a_day(looks: list[tuple[int, int, int, bool, int]]) -> None:
    """Clocks jump; what was written by one that was ahead must not keep a feed from being asked."""
    told = [
        look(NOON + timedelta(minutes=at), new=new, known=known, failed=failed, asked=timedelta(seconds=asked))
        for at, new, known, failed, asked in looks
    ]
    if told:
        feed = after(*told)
        assert is_due(feed, told[-1].at + DAY)
        assert is_due(feed, told[-1].at - DAY)


# Articles


def test_an_article_is_looked_at_again_after_an_hour_a_day_and_a_week() -> None:
    at, seen = NOON, []
    while again := recheck_at(stamp(NOON), NOON, at):
        seen.append(again - NOON)
        at = again
    assert seen == [HOUR, DAY, 7 * DAY]


@pytest.mark.parametrize(
    ("published", "first_seen", "wait"),
    [
        (NOON - timedelta(minutes=50), NOON, HOUR),
        (NOON - timedelta(hours=3), NOON, timedelta(hours=21)),
        (NOON - 30 * DAY, NOON, None),
        (NOON + 30 * DAY, NOON, HOUR),
        (None, NOON, HOUR),
    ],
    ids=["nearly an hour old", "hours old", "old", "in the future", "undated"],
)
def test_age_counts_from_publication(published: datetime | None, first_seen: datetime, wait: timedelta | None) -> None:
    again = recheck_at(stamp(published) if published else None, first_seen, NOON)
    assert again == (NOON + wait if wait else None)


def test_a_doubtful_text_is_looked_at_sooner_but_not_for_ever() -> None:
    assert recheck_at(None, NOON - 8 * DAY, NOON, doubted=True) == NOON + timedelta(hours=6)
    assert recheck_at(None, NOON - 20 * DAY, NOON, doubted=True) is None


# Thirty days of cron


@pytest.fixture
def poller(tmp_path: Path) -> Iterator[Poller]:
    with Poller.at(tmp_path / "news.db") as running:
        yield running


@pytest.mark.parametrize("name", list(RHYTHMS))
def test_of_a_feed_of_20_entries_no_article_is_missed_in_30_days_of_cron(poller: Poller, name: str) -> None:
    """Never more than 20 new between two starts; the figures are in tests/benchmarks/polling.py."""
    feed = Feed(RHYTHMS[name], random.Random(name))
    poller.run(feed, NOON, days=30)
    assert feed.published
    assert feed.published - poller.found == set()


def test_more_than_a_feed_holds_between_two_starts_is_recorded_as_a_gap(poller: Poller) -> None:
    feed = Feed(lambda moment, chance: {(9, 0): 30, (12, 0): 1}.get((moment.hour, moment.minute), 0), random.Random(1))
    poller.run(feed, NOON, days=3)
    assert (len(feed.published - poller.found), poller.gaps) == (30, 3)
