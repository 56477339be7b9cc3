"""Health: one word for every source, soon enough and never without cause."""

import json
import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Article, Link, Listing, Outcome, Page, Source
from crawler.reasons import sentence
from crawler.times import stamp
from pipelines.archive import health, health_rules
from pipelines.archive.health_rules import (
    Facts,
    Habits,
    Health,
    PageMark,
    judge,
    page_mark,
    updated_pages,
    updated_silence,
)
from pipelines.archive.silence import hours_between, patience_hours
from pipelines.archive.store import Archive
from tests.conftest import broadsheet, connect
from tests.support.loopback import Site, article_html, story
from tests.support.newsroom import Newsroom
from tests.support.terminal import on_a_terminal

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
FEED = "https://a.example/feed"
WEEKENDS = tuple((f"2026-W{week:02}", 62.0) for week in range(1, 10))


def marks(*words: str) -> tuple[PageMark, ...]:
    return tuple(map(PageMark.decode, words))


GOOD = marks(*("400",) * 100)


# The judgement


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"ever_read": False}, ("new", None), id="never asked"),
        pytest.param({}, ("ok", None), id="well"),
        pytest.param(
            {"ever_read": False, "failures": 1, "failed": ((FEED, "http_404"),)},
            ("broken", f"{FEED}: no page at this address (HTTP 404)"),
            id="never read: at the first look",
        ),
        pytest.param(
            {"failures": 2, "failing_hours": 0.5, "failed": ((FEED, "timeout"),)},
            ("ok", f"{FEED}: no answer in time; 2 looks in a row"),
            id="two time-outs",
        ),
        pytest.param(
            {"failures": 3, "failed": ((FEED, "timeout"), ("b", "http_500"))},
            ("broken", f"{FEED}: no answer in time, and 1 more; 3 looks in a row"),
            id="three looks",
        ),
        pytest.param(
            {"failures": 2, "failing_hours": 48, "failed": ((FEED, "host_not_found"),)},
            ("broken", f"{FEED}: no host of this name can be found; 2 looks in a row"),
            id="two days",
        ),
        pytest.param(
            {"failures": 3, "failed": ((FEED, "http_403"),)},
            ("blocked", f"{FEED}: turned away by the server (HTTP 403); 3 looks in a row"),
            id="403",
        ),
        pytest.param(
            {"failures": 3, "failed": ((FEED, "robots"),)},
            ("blocked", f"{FEED}: forbidden by robots.txt; 3 looks in a row"),
            id="robots.txt",
        ),
        pytest.param(
            {"failures": 3, "failed": ((FEED, "http_403"), ("b", "http_500"))},
            ("broken", f"{FEED}: turned away by the server (HTTP 403), and 1 more; 3 looks in a row"),
            id="403 and worse",
        ),
        pytest.param(
            {
                "ever_read": False,
                "failures": 1,
                "failed": (("a", "nothing to poll: a/feed: http_403; a/rss: http_403"),),
            },
            (
                "blocked",
                "a: nothing to poll: a/feed: turned away by the server (HTTP 403); a/rss: turned away by the server (HTTP 403)",
            ),
            id="a discovery that is turned away",
        ),
        pytest.param(
            {"failed": (("b", "http_404"),)}, ("ok", "b: no page at this address (HTTP 404)"), id="one of two feeds"
        ),
        pytest.param(
            {"moved": ((FEED, "https://b.example/feed"),)},
            ("ok", f"{FEED} has moved for good to https://b.example/feed: put that into sources.toml"),
            id="moved",
        ),
        pytest.param(
            {"moved": (("http://a.example/feed/", "https://www.a.example/feed"),)},
            ("ok", "http://a.example/feed/ redirects for good to https://www.a.example/feed"),
            id="moved next door",
        ),
        pytest.param(
            {"failures": 3, "failed": ((FEED, "not_a_feed"),), "moved": ((FEED, "https://a.example/"),)},
            (
                "broken",
                f"{FEED} (moved for good to https://a.example/): neither RSS, Atom nor JSON Feed; 3 looks in a row",
            ),
            id="moved to where no feed is",
        ),
        pytest.param(
            {"habits": Habits(recent=marks(*("-scripted",) * 7, "-index", "400"))},
            ("ok", f"7 of the last 9 pages: {sentence('scripted')}"),
            id="made by JavaScript",
        ),
        pytest.param(
            {"habits": Habits(recent=marks("-scripted") * 6, empty_looks=1)},
            ("empty", f"6 of 6 pages: {sentence('scripted')}; no article among them"),
            id="nothing but JavaScript, in the first look",
        ),
        pytest.param(
            {"habits": Habits(recent=marks("-scripted") * 5, empty_looks=2)},
            ("ok", None),
            id="five pages say nothing yet",
        ),
        pytest.param(
            {"habits": Habits(recent=marks("-index", "?timeout", "-index"), empty_looks=3)},
            ("empty", f"2 of 3 pages: {sentence('index')}; no article among them"),
            id="no article in three looks",
        ),
        pytest.param(
            {"habits": Habits(empty_looks=3), "pages": False},
            ("empty", "no page is named there, in 3 looks; of sitemaps only what `since` lets through counts"),
            id="no page in three looks",
        ),
        pytest.param({"habits": Habits(empty_looks=9)}, ("ok", None), id="pages that nobody has asked yet"),
        pytest.param(
            {"habits": Habits(recent=marks("-scripted") * 10, before=marks("400") * 5)},
            ("empty", f"10 of the last 10 pages: {sentence('scripted')}; no article among them"),
            id="none of the last ten pages, after a few articles",
        ),
        pytest.param(
            {"habits": Habits(recent=marks("-video") * 10, before=marks("-video", "400") * 20)},
            ("ok", f"10 of the last 10 pages: {sentence('video')}"),
            id="ten films in a row, as there were before",
        ),
        pytest.param(
            {"missed_at": "2026-03-01T10:00:00Z"},
            ("ok", "may have published more than its feeds keep, on 2026-03-01: look more often"),
            id="missed",
        ),
        pytest.param(
            {"habits": Habits(recent=marks("!http_403") * 6 + marks("400") * 4, before=GOOD)},
            ("blocked", "6 of the last 10 pages: turned away by the server (HTTP 403)"),
            id="pages turned away",
        ),
        pytest.param(
            {"habits": Habits(recent=marks("!robots") * 5 + marks("400") * 5, before=GOOD)},
            ("ok", None),
            id="half of the pages forbidden",
        ),
        pytest.param(
            {"habits": Habits(recent=marks("?timeout") * 10, before=GOOD)},
            ("broken", "10 of the last 10 pages: no answer in time"),
            id="pages that never answer",
        ),
        pytest.param(
            {"habits": Habits(recent=marks("400") * 4 + marks("400d") * 6, before=GOOD)},
            ("changed", "no date in 6 of the last 10 articles; before that in 0 of 100"),
            id="no dates any more",
        ),
        pytest.param(
            {"habits": Habits(recent=marks("-too_short") * 9 + marks("400"), before=(*marks("-index"), *GOOD[1:]))},
            ("changed", "no article in 9 of the last 10 pages; before that in 1 of 100"),
            id="no articles any more",
        ),
        pytest.param(
            {"habits": Habits(recent=marks("90ta") * 8, before=GOOD)},
            ("changed", "no title in 8 of the last 8 articles; before that in 0 of 100"),
            id="much at once: the worst is told",
        ),
        pytest.param(
            {"habits": Habits(recent=marks("190") * 10, before=GOOD)},
            ("changed", "under half the usual length in 10 of the last 10 articles; before that in 0 of 100"),
            id="short",
        ),
        pytest.param(
            {"habits": Habits(recent=marks("400d") * 5, before=GOOD)}, ("ok", None), id="five pages say nothing"
        ),
        pytest.param(
            {"habits": Habits(recent=marks("400d") * 10, before=GOOD[:10])}, ("ok", None), id="nor against ten"
        ),
        pytest.param(
            {"habits": Habits(recent=marks("400a") * 10, before=(*GOOD[:40], *marks("400a") * 10, *GOOD[:50]))},
            ("ok", None),
            id="a night of agency reports, as the night before",
        ),
        pytest.param({"habits": Habits(silent_hours=108, gaps=WEEKENDS)}, ("ok", None), id="Easter"),
        pytest.param(
            {"habits": Habits(silent_hours=125, gaps=WEEKENDS), "last_new_at": "2026-02-27T17:00:00Z"},
            ("quiet", "nothing new for 5 days, the last on 2026-02-27; its longest silence before was 62 hours"),
            id="longer than two weekends",
        ),
        pytest.param(
            {"habits": Habits(silent_hours=999, gaps=WEEKENDS[:4])}, ("ok", None), id="three whole weeks known"
        ),
        pytest.param(
            {
                "failures": 3,
                "failed": ((FEED, "http_500"),),
                "habits": Habits(recent=marks("400d") * 10, before=GOOD, silent_hours=999, gaps=WEEKENDS),
            },
            ("broken", f"{FEED}: the server answered with an error of its own (HTTP 500); 3 looks in a row"),
            id="the worst word of several",
        ),
    ],
)
def test_every_word_has_its_facts(facts: dict[str, Any], expected: tuple[str, str | None]) -> None:
    word, reason = expected
    assert judge(Facts(**{"ever_read": True} | facts)) == Health(word=word, reason=reason)


def test_the_exact_test_is_exact() -> None:
    """Fisher's lady who tasted four of four cups right, of eight: 1 in 70."""
    assert health_rules.fisher(4, 4, 0, 4) == pytest.approx(1 / 70)
    assert health_rules.fisher(0, 10, 5, 100) == 1


# Silence


@given(hours=st.sets(st.integers(0, 167), min_size=1), every=st.sampled_from([1, 3, 24]))
def test_a_source_that_keeps_its_week_is_never_quiet_and_is_when_it_stops(hours: set[int], every: int) -> None:
    habits, last = Habits(), None
    for hour in range(0, 10 * 168, every):
        now = stamp(MONDAY + timedelta(hours=hour))
        new = any((hour - back) % 168 in hours for back in range(every))
        habits, last = updated_silence(habits, last, now, new=new), now
        assert habits.silent_hours <= (patience_hours(habits.gaps) or 1e9)
    patience = patience_hours(habits.gaps)
    assert patience is not None
    stopped = replace(habits, silent_hours=patience + 1)
    assert judge(Facts(ever_read=True, habits=stopped)).word == "quiet"


@pytest.mark.parametrize("away", [timedelta(days=7), timedelta(days=-1), timedelta(days=400)], ids=str)
def test_time_that_nobody_watched_is_no_silence(away: timedelta) -> None:
    """A machine that was off, a clock that was set back or far ahead."""
    habits = Habits(silent_hours=3, look_hours=0.25, gaps=WEEKENDS)
    at = stamp(MONDAY + away)
    assert updated_silence(habits, stamp(MONDAY), at, new=False).silent_hours == 3
    assert updated_silence(habits, stamp(MONDAY), at, new=True).gaps == WEEKENDS


def test_who_looks_once_a_week_still_learns_what_quiet_is() -> None:
    habits, last = Habits(), stamp(MONDAY)
    for week in range(1, 30):
        now = stamp(MONDAY + timedelta(weeks=week))
        habits, last = updated_silence(habits, last, now, new=week < 20), now
    assert habits.silent_hours == 10 * 168 > (patience_hours(habits.gaps) or 1e9)


def test_a_daylight_saving_change_is_no_event() -> None:
    """Times are UTC; the source's own clock moves its articles by an hour, once."""
    assert hours_between("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z") == 1


# Pages


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7, 1.0])
def test_pages_that_stay_as_they_are_never_look_changed(share: float) -> None:
    chance = random.Random(str(share))
    habits = Habits()
    for _ in range(300):
        five = [f"{chance.randint(200, 900)}{'da' * (chance.random() < share)}" for _ in range(5)]
        habits = updated_pages(habits, marks(*five), stamp(MONDAY))
        assert judge(Facts(ever_read=True, habits=habits)).word == "ok"


def test_what_changed_stays_so_until_it_is_repaired_or_usual() -> None:
    habits = updated_pages(Habits(), GOOD, stamp(MONDAY))
    habits = updated_pages(habits, marks("400d") * 300, stamp(MONDAY))
    assert (judge(Facts(ever_read=True, habits=habits)).word, habits.before[-1]) == ("changed", PageMark.decode("400"))
    repaired = updated_pages(habits, marks("400") * 5, stamp(MONDAY + timedelta(days=9)))
    assert (judge(Facts(ever_read=True, habits=repaired)).word, repaired.changed_at) == ("ok", None)
    usual = updated_pages(habits, marks("400d"), stamp(MONDAY + timedelta(days=29)))
    assert judge(Facts(ever_read=True, habits=usual)).word == "ok"


@pytest.mark.parametrize(
    ("page", "mark"),
    [
        ({"outcome": "new", "no_title": 0, "no_date": 1, "no_author": 1}, "412da"),
        ({"outcome": "duplicate"}, "="),
        ({"outcome": "refused", "reason": "index"}, "-index"),
        ({"outcome": "refused", "reason": "index", "attempts": 2}, None),
        ({"outcome": "refused", "reason": "consent"}, "!consent"),
        ({"outcome": "failed", "reason": "http_403"}, None),
        ({"outcome": "failed", "reason": "http_403", "attempts": 2}, "!http_403"),
        ({"outcome": "failed", "reason": "timeout", "attempts": 2}, "?timeout"),
        ({"outcome": "failed", "reason": "timeout", "attempts": 3}, None),
        ({"outcome": "failed", "reason": "http_404", "attempts": 2, "state": "article"}, None),
        ({"outcome": "pending"}, None),
    ],
    ids=str,
)
def test_a_page_counts_once_and_by_what_it_came_to(page: dict[str, Any], mark: str | None) -> None:
    found = page_mark({"state": page["outcome"], "attempts": 1, "word_count": 412} | page)
    assert (found and found.encode(), found and PageMark.decode(found.encode())) == (mark, found)


def test_a_change_is_named_at_the_sixth_article() -> None:
    habits = updated_pages(Habits(), GOOD, stamp(MONDAY))
    words = [
        judge(Facts(ever_read=True, habits=updated_pages(habits, marks("400t") * n, stamp(MONDAY)))).word
        for n in range(5, 8)
    ]
    assert words == ["ok", "changed", "changed"]


# In the archive, by a clock of the test's own

PAPER = Source(url="https://a.example/", name="Paper", feeds=(FEED,))
OTHER = Source(url="https://b.example/", name="Other", feeds=("https://b.example/feed",))


class Desk:
    """An archive, and runs into it at times of our own."""

    def __init__(self, folder: Path, *sources: Source) -> None:
        self.db = folder / "news.db"
        self.sources = sources or (PAPER,)
        self.found = 0

    def run(self, at: datetime, *, new: int = 0, words: int = 120, failure: str | None = None, **listing: Any) -> str:
        """One run in which every source answers alike; returns the first one's word."""
        with closing(Archive(self.db)) as archive:
            archive.sync_sources(self.sources)
            archive.start_run(argv=["crawl"], version="1", now=at)
            for source in self.sources:
                self._look(
                    archive, source, at, new, words, {"failure": failure, "status": None if failure else 200} | listing
                )
            archive.finish_run(status="ok", reason=None, now=at + timedelta(minutes=1))
            return str(archive.db.execute("select status from sources order by id").fetchone()[0])

    def _look(self, archive: Archive, source: Source, at: datetime, new: int, words: int, told: dict[str, Any]) -> None:
        self.found += new
        urls = [f"{source.url}{number}" for number in range(self.found - new, self.found)]
        links = tuple(Link(url=url) for url in urls)
        archive.keep(
            Listing(url=source.feeds[0], source=source, kind="rss", fetched_at=at, links=links, entries=new, **told)
        )
        for url in urls:
            page = Page(url=url, final_url=url, via="feed", fetched_at=at, source=source, status=200)
            article = Article(
                title=url, text=story(url), word_count=words, extractor="test", date_published="2026-03-02"
            )
            archive.keep(Outcome(page=page, article=article))

    def row(self, sql: str) -> tuple[Any, ...]:
        with closing(connect(self.db)) as base:
            return tuple(base.execute(sql).fetchone())


def test_a_weekday_paper_is_well_at_weekends_and_quiet_in_the_sixth_day_after_it_stops(tmp_path: Path) -> None:
    desk, words = Desk(tmp_path), {}
    for look in range(7 * 6 * 7):  # every four hours for seven weeks
        at = MONDAY + timedelta(hours=4 * look)
        publishes = at.weekday() < 5 and 8 <= at.hour < 18 and look < 6 * 42  # to the end of the sixth week
        words[at] = desk.run(at, new=int(publishes))
    named = next(at for at, word in words.items() if word == "quiet")
    last = MONDAY + timedelta(days=5 * 7 + 4, hours=16)
    assert timedelta(days=5) < named - last < timedelta(days=6)
    assert desk.row("select reason from sources")[0] == (
        "nothing new for 9 days, the last on 2026-04-10; its longest silence before was 64 hours"
    )


def test_a_week_without_a_run_alarms_nobody(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for day in range(40):
        desk.run(MONDAY + timedelta(days=day), new=1)
    assert [desk.run(MONDAY + timedelta(days=days), new=0) for days in (47, 47.01, 47.5)] == ["ok", "ok", "ok"]


def test_one_time_out_is_no_alarm_and_the_third_look_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    hours = [timedelta(hours=hour) for hour in range(8)]
    failures = [None, "timeout", None, "timeout", "timeout", "timeout", None, "http_403"]
    words = [
        desk.run(MONDAY + hour, failure=failure, new=int(not hour))
        for hour, failure in zip(hours, failures, strict=True)
    ]
    assert words == ["ok", "ok", "ok", "ok", "ok", "broken", "ok", "ok"]
    assert desk.row("select consecutive_failures, last_success_at from sources") == (1, "2026-03-02T06:01:00Z")


def test_when_nobody_can_be_reached_it_is_our_own_line(tmp_path: Path) -> None:
    desk = Desk(tmp_path, PAPER, OTHER)
    words = [desk.run(MONDAY + timedelta(hours=hour), failure="host_not_found" if hour else None) for hour in range(6)]
    assert words == ["ok"] * 6
    assert desk.run(MONDAY + timedelta(hours=9), failure="http_500", status=500) == "ok"
    assert desk.row("select max(consecutive_failures) from sources") == (1,)


def test_a_feed_that_is_not_due_still_speaks_for_its_source(tmp_path: Path) -> None:
    two = replace(PAPER, feeds=("https://a.example/failing",))
    desk = Desk(tmp_path, PAPER)
    desk.run(MONDAY, asked=24 * 3600)
    desk.sources = (two,)
    assert [
        desk.run(MONDAY + timedelta(minutes=minutes), failure="http_404", status=404) for minutes in (15, 30, 45, 60)
    ] == ["ok"] * 4
    assert desk.row("select reason from sources") == ("https://a.example/failing: no page at this address (HTTP 404)",)


def test_a_clock_that_jumps_alarms_nobody(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for day in range(40):
        desk.run(MONDAY + timedelta(days=day), new=1)
    jumps = [timedelta(days=days) for days in (405, 40.1, 40.2, 20, 41, 42)]
    assert [desk.run(MONDAY + jump) for jump in jumps] == ["ok"] * 6


def test_a_source_that_is_not_due_keeps_its_word(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.run(MONDAY, failure="http_404", status=404)
    with closing(Archive(desk.db)) as archive:
        archive.sync_sources([PAPER])
        archive.start_run(argv=["crawl"], version="1", now=MONDAY + timedelta(hours=1))
        archive.finish_run(status="ok", reason=None, now=MONDAY + timedelta(hours=1))
    assert desk.row("select status, reason from sources") == ("broken", f"{FEED}: no page at this address (HTTP 404)")


def test_the_view_tells_shares_and_the_pace_against_the_weeks_before(tmp_path: Path) -> None:
    desk, now = Desk(tmp_path), datetime.now(UTC)
    for days in (26, 19, 12, 5):
        desk.run(now - timedelta(days=days), new=3 if days > 7 else 1)
    sql = "select articles_7d, usual_7d, articles_28d, recent_articles, no_author, no_date, missed from source_health"
    assert desk.row(sql) == (1, 3.0, 10, 10, 10, 0, 3)


# Over HTTP, by the command line


def check(newsroom: Newsroom) -> tuple[int, str]:
    done = broadsheet("status", "--check", cwd=newsroom.folder)
    assert done.stdout == ""
    return done.returncode, done.stderr


def good_source(site: Site) -> str:
    """A second source that is well, so that the run itself is."""
    site.article("/well", "All is well", story("well"))
    site.feed("/well.xml", f"{site.url}/well")
    return f'url = "{site.url}/well/"\nname = "Well"\nfeeds = ["{site.url}/well.xml"]'


def test_a_source_that_answers_403_is_blocked_in_the_third_run_and_a_new_one_in_the_first(
    site: Site, newsroom: Newsroom
) -> None:
    site.add("/feed", "no", status=403)
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]', good_source(site))
    newsroom.crawl()
    assert check(newsroom) == (1, f"Harbour: blocked: {site.url}/feed: turned away by the server (HTTP 403)\n")
    site.feed("/feed")
    newsroom.crawl()
    assert check(newsroom) == (0, "")
    site.add("/feed", "no", status=403)
    words = []
    for _ in range(3):
        newsroom.crawl("--now")
        words += newsroom.rows("select status from sources where name = 'Harbour'")
    assert words == [("ok",), ("ok",), ("blocked",)]
    assert check(newsroom) == (
        1,
        f"Harbour: blocked: {site.url}/feed: turned away by the server (HTTP 403); 3 looks in a row\n",
    )


def test_pages_that_robots_txt_forbids_are_told_in_the_first_run(site: Site, newsroom: Newsroom) -> None:
    site.add("/robots.txt", "User-agent: *\nDisallow: /news/", kind="text/plain")
    site.feed("/feed", *(f"{site.url}/news/{number}" for number in range(8)))
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert check(newsroom) == (1, "Harbour: blocked: 8 of the last 8 pages: forbidden by robots.txt\n")


def test_a_feed_that_redirects_for_good_is_told_in_the_first_run_and_still_read(site: Site, newsroom: Newsroom) -> None:
    site.article("/pier", "The pier", story("pier"))
    site.feed("/new.xml", f"{site.url}/pier")
    site.add("/feed", status=301, Location="/new.xml")
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    told = f"{site.url}/feed has moved for good to {site.url}/new.xml: put that into sources.toml"
    assert newsroom.rows("select status, reason, articles_7d from source_health") == [("ok", told, 1)]
    assert check(newsroom) == (1, f"Harbour: moved: {told}\n")
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/new.xml"]')
    newsroom.crawl()
    assert check(newsroom) == (0, "")


@pytest.mark.parametrize("status", [302, 307], ids=str)
def test_a_redirect_for_the_time_being_is_no_move(site: Site, newsroom: Newsroom, status: int) -> None:
    site.feed("/new.xml")
    site.add("/old", status=status, Location="/new.xml")
    site.add("/feed", status=301, Location="/old")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert newsroom.rows("select moved_to from feeds") == [(None,)]
    assert check(newsroom) == (0, "")


def test_another_template_is_told_in_the_run_that_reads_its_eighth_article_against_thirty(
    site: Site, newsroom: Newsroom
) -> None:
    def publish(first: int, last: int, date: str) -> None:
        for number in range(first, last):
            site.add(f"/{number}", article_html(f"Pier {number}", story(f"pier {number}"), date))
        site.feed("/feed", *(f"{site.url}/{number}" for number in range(first, last)))

    newsroom.watch(
        f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]', crawl="delay = 0\nconcurrency = 8"
    )
    publish(0, 30, "2026-11-03T08:15:00Z")
    newsroom.crawl()
    publish(30, 37, "")
    newsroom.crawl("--now")
    assert check(newsroom) == (0, "")
    publish(37, 38, "")
    newsroom.crawl("--now")
    told = "Harbour: changed: no date in 8 of the last 10 articles; before that in 0 of 28\n"
    assert check(newsroom) == (1, told)


def test_a_site_that_scripts_make_is_empty_in_the_first_run(site: Site, newsroom: Newsroom) -> None:
    shell = "<title>App</title><div id=root></div><script src=/app.js></script>"
    site.feed("/feed", *(site.add(f"/{number}", shell) for number in range(13)))
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    code, said = check(newsroom)
    assert (code, said.partition(": 13 of 13 pages: ")[0]) == (1, "Harbour: empty")


def test_a_source_that_names_no_page_is_empty_at_the_third_look_and_well_with_its_first_article(
    site: Site, newsroom: Newsroom
) -> None:
    site.feed("/feed")
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]')
    words = []
    for _ in range(3):
        newsroom.crawl("--now")
        words += newsroom.rows("select status from sources")
    assert words == [("ok",), ("ok",), ("empty",)]
    site.article("/pier", "The pier", story("pier"))
    site.feed("/feed", f"{site.url}/pier")
    newsroom.crawl("--now")
    assert newsroom.rows("select status, empty_looks from sources join habits on source_id = id") == [("ok", None)]


# Runs, and what is printed


def run_at(archive: Archive, at: datetime, status: str = "ok", reason: str | None = None) -> None:
    archive.start_run(argv=["crawl"], version="1", now=at)
    archive.finish_run(status=status, reason=reason, now=at)


def test_a_last_run_that_failed_is_told_until_the_next(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "news.db")
    run_at(archive, MONDAY, "failed", "not one source could be read: a: timeout")
    archive.start_run(argv=["import", "x"], version="1", now=MONDAY)
    archive.finish_run(status="failed", reason="no page", now=MONDAY)
    told = [("run 1", "failed", "not one source could be read: a: timeout")]
    assert health.alarms(archive.db, stamp(MONDAY)) == told
    archive.start_run(argv=["crawl"], version="1", now=MONDAY)
    assert health.alarms(archive.db, stamp(MONDAY)) == told
    archive.finish_run(status="partial", reason=None, now=MONDAY)
    assert health.alarms(archive.db, stamp(MONDAY)) == []


@pytest.mark.parametrize(
    ("every", "late"), [(timedelta(minutes=15), timedelta(hours=3)), (timedelta(days=1), timedelta(days=2))], ids=str
)
def test_runs_that_stop_coming_are_told_after_twice_their_longest_pause(
    tmp_path: Path, every: timedelta, late: timedelta
) -> None:
    archive = Archive(tmp_path / "news.db")
    for number in range(11):
        run_at(archive, MONDAY + number * every)
    last, minute = MONDAY + 10 * every, timedelta(minutes=1)
    assert health.alarms(archive.db, stamp(last + late)) == []
    ((whose, word, reason),) = health.alarms(archive.db, stamp(last + late + minute))
    assert (whose, word, reason[:21]) == ("crawl", "overdue", "no run has ended for ")
    assert health.alarms(archive.db, stamp(last - late)) == []


def test_a_few_runs_by_hand_make_no_habit(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "news.db")
    for number in range(10):
        run_at(archive, MONDAY + timedelta(minutes=number))
    assert health.alarms(archive.db, stamp(MONDAY + timedelta(days=99))) == []


def test_status_fits_the_terminal_whatever_a_source_is_called(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "news.db")
    names = ("A name that is [red]very[/] long, " * 4, "潮見崎新報" * 9, "x" * 90)
    archive.sync_sources([Source(url=f"https://{number}.example/", name=name) for number, name in enumerate(names)])
    archive.db.execute(
        "update sources set last_success_at = '2026-03-02T10:00:00Z', status = 'changed', reason = 'why'"
    )
    shown = on_a_terminal(tmp_path, "status").splitlines()
    table = [line for line in shown if not line.endswith(": changed: why")]
    assert max(map(len, table)) <= 80 and len(table) > 3
    assert f"{names[2]}: changed: why" in shown


def test_status_as_json_has_the_alarms_and_every_fact(demo: Path, tmp_path: Path) -> None:
    copy = tmp_path / "news.db"
    sqlite3.connect(demo).execute("vacuum into ?", [str(copy)])
    with closing(sqlite3.connect(copy)) as base:
        base.execute("update sources set status = 'ok'")
        base.execute("update sources set status = 'quiet', reason = 'nothing new for 5 days' where name = 'Corvane'")
        base.commit()
    told = json.loads(broadsheet("status", "--json", "--db", copy).stdout)
    assert told["alarms"] == [{"name": "Corvane", "word": "quiet", "reason": "nothing new for 5 days"}]
    assert {"patience_hours", "no_date", "usual_7d", "missed"} <= set(told["sources"][0])


# What the soak showed


def test_a_busy_host_that_nobody_may_ask_is_blocked_a_day_after_its_last_good_look(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.run(MONDAY, new=1)
    words = []
    for hours in (12, 24, 36, 48):
        at = MONDAY + timedelta(hours=hours)
        with closing(Archive(desk.db)) as archive:
            archive.sync_sources(desk.sources)
            archive.start_run(argv=["crawl"], version="1", now=at)
            archive.run.held[PAPER.url] = f"{FEED}: a.example wants to be left alone until tomorrow"
            archive.finish_run(status="partial", reason=None, now=at)
        words.append(desk.row("select status from sources"))
    assert words == [("ok",), ("ok",), ("ok",), ("blocked",)]
    assert (
        desk.row("select reason from sources")[0]
        == f"{FEED}: a.example wants to be left alone until tomorrow; 2 looks in a row"
    )


def test_every_partial_run_says_why_and_a_page_that_is_gone_once_makes_none(site: Site, newsroom: Newsroom) -> None:
    site.feed("/feed", f"{site.url}/absent")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    told = f"1 page gave no answer, the first {site.url}/absent: no page at this address (HTTP 404)"
    assert newsroom.rows("select status, reason from runs") == [("partial", told)]


def test_the_reason_names_the_address_that_failed(site: Site, newsroom: Newsroom) -> None:
    site.add("/feed", status=302, Location="/elsewhere")
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]', good_source(site))
    newsroom.crawl()
    told = f"{site.url}/feed: redirects to {site.url}/elsewhere: no page at this address (HTTP 404)"
    assert newsroom.rows("select reason from sources where name = 'Harbour'") == [(told,)]


def test_a_discovered_feed_that_moved_for_good_is_adopted(site: Site, newsroom: Newsroom) -> None:
    site.add("/", '<title>P</title><link rel="alternate" type="application/rss+xml" href="/old.xml">')
    site.article("/pier", "The pier", story("pier"))
    site.feed("/old.xml", f"{site.url}/pier")
    newsroom.watch(f'url = "{site.url}/"')
    newsroom.crawl()
    site.feed("/new.xml", f"{site.url}/pier")
    site.add("/old.xml", status=301, Location="/new.xml")
    newsroom.crawl("--now")
    site.asked.clear()
    newsroom.crawl("--now")
    assert (newsroom.rows("select url from feeds where last_status <> 'reserve'"), "/old.xml" in site.asked) == (
        [(f"{site.url}/new.xml",)],
        False,
    )


def test_an_index_that_is_adopted_takes_what_it_names_along(tmp_path: Path) -> None:
    old, new, part = (f"https://a.example/{name}.xml" for name in ("old", "new", "part"))
    index = Listing(
        url=old, source=PAPER, kind="sitemap", fetched_at=MONDAY, status=200, children=(part,), fresh=(part,)
    )
    with closing(Archive(tmp_path / "news.db")) as archive:
        archive.sync_sources([PAPER])
        archive.keep(index)
        archive.keep(replace(index, moved_to=new))
        assert archive.db.execute("select url, parent from feeds order by url").fetchall() == [(new, None), (part, new)]


def test_a_guess_that_leads_nowhere_is_no_reason_of_a_source_that_is_well(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    guess = Listing(url="https://a.example/sitemap.xml", source=PAPER, kind="sitemap", fetched_at=MONDAY, reserve=True)
    with closing(Archive(desk.db)) as archive:
        archive.sync_sources([PAPER])
        for listing in (guess, replace(guess, reserve=False, failure="http_404", status=404)):
            archive.keep(listing)
        assert archive.run.unread == {}
    assert desk.run(MONDAY, new=1) == "ok"
    assert desk.row("select reason, (select last_status from feeds where kind = 'sitemap') from sources") == (
        None,
        "retired",
    )
