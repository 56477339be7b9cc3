"""What a host is still asked: its robots.txt from run to run, the rest it wants, its budget, the stop. Real HTTP on loopback."""

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from scrapy.http import Response
from scrapy.utils.test import get_crawler

from crawler.fetcher.backoff import is_backing_off, retry_after
from crawler.fetcher.robots import ROBOTS_MAX_BYTES, RobotsMiddleware, rules_of, sitemap_urls
from crawler.fetcher.robots_rules import RobotsRules
from crawler.items import Host
from crawler.spiders.news import NewsSpider
from crawler.times import stamp
from crawler.urls import host_of
from tests.conftest import broadsheet, connect, start_beside
from tests.support.loopback import Answer, Site, serving, story
from tests.support.newsroom import Newsroom, start_crawl, wait_for
from tests.test_news import slowly

NOW = datetime(2026, 11, 8, 12, tzinfo=UTC)


def publish(site: Site, newsroom: Newsroom, *names: str, crawl: str = "delay = 0") -> None:
    """A site with one feed that names these articles, and a newsroom that watches it."""
    for name in names:
        site.article(f"/{name}", f"The {name}", story(name))
    site.feed("/feed", *(f"{site.url}/{name}" for name in names))
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]', crawl=crawl)


def change(newsroom: Newsroom, sql: str, *values: object) -> None:
    base = connect(newsroom.db)
    base.execute(sql, values)
    base.commit()
    base.close()


def states(newsroom: Newsroom) -> dict[str, int]:
    return {str(state): int(count) for state, count in newsroom.rows("select state, count(*) from pages group by 1")}


def in_hours(hours: float) -> str:
    return stamp(datetime.now(UTC) + timedelta(hours=hours))


# robots.txt


def test_robots_txt_is_believed_for_a_day_over_runs(site: Site, newsroom: Newsroom) -> None:
    site.add(
        "/robots.txt",
        f"User-agent: *\nDisallow: /no\nCrawl-delay: 0.05\nSitemap: {site.url}/map.xml",
        tdm_reservation="1",
    )
    publish(site, newsroom, "pier", "no")
    for _ in range(3):
        newsroom.crawl()
    assert site.asked.count("/robots.txt") == 1
    host = site.url.removeprefix("http://")
    assert newsroom.rows("select host, robots_status, crawl_delay, not_before, tdm_reservation from hosts") == [
        (host, 200, 0.05, None, 1)
    ]
    change(newsroom, "update hosts set robots_fetched_at = ?", in_hours(-24.1))
    newsroom.crawl()
    assert site.asked.count("/robots.txt") == 2
    newsroom.crawl("--now")
    assert site.asked.count("/robots.txt") == 3


@pytest.mark.parametrize("status", [404, 410, 403], ids=str)
def test_that_there_is_no_robots_txt_is_remembered_too(site: Site, newsroom: Newsroom, status: int) -> None:
    site.add("/robots.txt", "User-agent: *\nDisallow: /", status=status)
    publish(site, newsroom, "pier")
    newsroom.crawl()
    newsroom.crawl()
    assert site.asked.count("/robots.txt") == 1
    assert newsroom.rows("select robots, robots_status from hosts") == [(None, status)]


@pytest.mark.parametrize("line", ["/maps/papers.xml", "{host}/maps/papers.xml"], ids=["a path", "without a scheme"])
def test_a_sitemap_that_robots_txt_names_without_its_host_is_asked(line: str, site: Site, newsroom: Newsroom) -> None:
    named = line.format(host=site.url.removeprefix("http:"))
    site.add("/robots.txt", f"User-agent: *\nDisallow: /no\nSitemap: none\nSitemap: {named}\n", kind="text/plain")
    site.add("/", "<title>Papers</title>")
    site.article("/pier", "The pier", story("pier"))
    site.add("/maps/papers.xml", f"<urlset><url><loc>{site.url}/pier</loc></url></urlset>", kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\ndiscover = ["sitemap"]')
    newsroom.crawl()
    assert newsroom.states() == {f"{site.url}/pier": ("article", None)}


@pytest.mark.parametrize(
    "line",
    [
        "none",
        "m.example/x",
        "m.example/x.xml",
        "<m.example/x>",
        "ftp://m.example/x",
        "http://m.example:x/",
        "//[::1",
        "http:///x",
    ],
)
def test_a_sitemap_line_that_is_no_address_is_skipped(line: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert [*sitemap_urls([line, "/x"], "http://paper.example:8080")] == ["http://paper.example:8080/x"]
    assert f"http://paper.example:8080/robots.txt names no sitemap by {line!r}" in caplog.text


def test_the_copy_of_robots_txt_names_the_sitemaps_of_a_discovery(site: Site, newsroom: Newsroom) -> None:
    site.add("/robots.txt", f"Sitemap: {site.url}/map.xml")
    newsroom.watch(f'url = "{site.url}/"\ndiscover = ["sitemap"]')
    newsroom.crawl(code=1)
    site.add("/", "<html><body><a href='/x'>X</a></body></html>")
    site.article("/pier", "The pier", story("pier"))
    site.add("/map.xml", f"<urlset><url><loc>{site.url}/pier</loc></url></urlset>", kind="text/xml")
    newsroom.crawl()
    assert site.asked.count("/robots.txt") == 1
    assert newsroom.states() == {f"{site.url}/pier": ("article", None)}


@pytest.mark.parametrize(
    ("age", "states_then"),
    [(25, {"article": 1, "refused": 1}), (24 * 31, {"failed": 2})],
    ids=["a day old", "a month old"],
)
def test_a_copy_of_robots_txt_holds_for_a_month_while_the_host_has_trouble(
    site: Site, newsroom: Newsroom, age: int, states_then: dict[str, int]
) -> None:
    site.add("/robots.txt", "User-agent: *\nDisallow: /no")
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/absent"]')
    newsroom.crawl(code=1)
    change(newsroom, "delete from pages")
    change(newsroom, "update hosts set robots_fetched_at = ?", in_hours(-age))
    site.add("/robots.txt", "User-agent: *\nDisallow: /", status=500)
    site.article("/pier", "The pier", story("pier"))
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier", "{site.url}/no"]')
    newsroom.crawl(code=0 if "article" in states_then else 1)
    assert states(newsroom) == states_then
    asked = site.asked.count("/robots.txt")
    newsroom.crawl("--retry", "failed", "--retry", "refused", code=0 if "article" in states_then else 1)
    assert site.asked.count("/robots.txt") > asked, "the next run asks again"


def test_what_robots_txt_refused_is_asked_again_once_it_changes(site: Site, newsroom: Newsroom) -> None:
    site.add("/robots.txt", "User-agent: *\nDisallow: /pier\nDisallow: /quay")
    publish(site, newsroom, "pier", "quay")
    newsroom.crawl()
    change(newsroom, "update hosts set robots_fetched_at = ?", in_hours(-25))
    newsroom.crawl()
    assert states(newsroom) == {"refused": 2}
    site.add("/robots.txt", "User-agent: *\nDisallow: /quay")
    change(newsroom, "update hosts set robots_fetched_at = ?", in_hours(-25))
    newsroom.crawl()
    newsroom.crawl()
    assert newsroom.states() == {f"{site.url}/pier": ("article", None), f"{site.url}/quay": ("refused", "robots")}


def test_what_a_folder_says_of_a_host_is_not_believed_online(site: Site, newsroom: Newsroom) -> None:
    folder = newsroom.folder / "copies" / site.url.removeprefix("http://")
    folder.mkdir(parents=True)
    (folder / "robots.txt").write_text("User-agent: *\nDisallow: /pier")
    publish(site, newsroom, "pier")
    (folder / "feed").write_bytes(site.answers["/feed"].body)  # type: ignore[union-attr]
    newsroom.crawl("--offline", "copies")
    assert newsroom.states() == {f"{site.url}/pier": ("refused", "robots")}
    newsroom.crawl()
    newsroom.crawl()
    assert newsroom.states() == {f"{site.url}/pier": ("article", None)}


@pytest.mark.parametrize(
    ("said", "delay"),
    [("86399", 86399.0), ("86400", None), ("1e9", None), ("inf", None), ("nan", None), ("-1", None), ("ten", None), ("0", 0.0)],
)  # fmt: skip
def test_a_crawl_delay_of_a_day_or_below_zero_is_none(said: str, delay: float | None) -> None:
    robots = RobotsMiddleware(get_crawler(NewsSpider), None)
    rules = robots._read("x.example", f"User-agent: *\nCrawl-delay: {said}")
    assert robots._delay_of(rules) == delay


@pytest.mark.parametrize("to", ["/robots.txt", "http://10.0.0.1/robots.txt"])
def test_a_robots_txt_that_redirects_to_nowhere_is_none(site: Site, newsroom: Newsroom, to: str) -> None:
    site.add("/robots.txt", status=302, Location=to)
    publish(site, newsroom, "pier")
    newsroom.crawl()
    assert newsroom.rows("select robots, robots_status from hosts") == [(None, 404)]
    assert states(newsroom) == {"article": 1}


@pytest.mark.parametrize(
    ("user_agent", "group", "is_ours"),
    [
        ("casework (+https://example.org/about)", "example", False),
        ("casework (+https://example.org/about)", "about", False),
        ("casework (+https://example.org/about)", "a", False),
        ("casework (+https://example.org/about)", "case", False),
        ("casework (+https://github.com/casework/casework)", "github", False),
        ("casework (+mailto:desk@casework.example)", "mail", False),
        ("casework-monitor/2 (+https://example.org)", "casework", False),
        ("casework (+https://example.org/about)", "casework-monitor", False),
        ("casework (+https://example.org/about)", "casework", True),
        ("casework (+https://example.org/about)", "CaseWork/1.0", True),
        ("casework/2.1 (+https://example.org/about)", "casework/1.0", True),
        ("casework/2.1 (+https://example.org/about)", "casework*", True),
        ("casework/2.1 (+https://example.org/about)", "casework # not the others", True),
        ("Mozilla/5.0 (compatible; casework/2.1; +https://example.org/about)", "casework", True),
        ("Mozilla/5.0 (compatible; casework/2.1; +https://example.org/about)", "mozilla", False),
        ("desk24 (+https://example.org/about)", "desk", False),
        ("casework (+https://example.org/about)", "*", True),
    ],
)
@pytest.mark.parametrize("field", ["User-agent: ", "useragent:", "User agent "])
def test_a_group_is_ours_by_the_product_token_alone(user_agent: str, group: str, is_ours: bool, field: str) -> None:
    """RFC 9309, 2.2.1: not by a word of the address that a user agent gives for its contact."""
    rules = RobotsRules(f"{field}{group}\nDisallow: /no", user_agent)
    assert rules.allowed("https://paper.example/no") is not is_ours


def test_groups_of_one_name_are_one_and_it_comes_before_all() -> None:
    """RFC 9309, 2.2.1; the version that somebody wrote behind the name makes no other group."""
    text = "User-agent: *\nDisallow: /\nUser-agent: casework\nUser-agent: other\nDisallow: /a\nUser-agent: casework/1.0\nCrawl-delay: 7\nDisallow: /b"
    rules = RobotsRules(text, "casework (+https://example.org)")
    paths = ("/", "/a", "/b", "/c")
    assert [path for path in paths if rules.allowed(f"https://paper.example{path}")] == ["/", "/c"]
    assert rules.crawl_delay == 7


def test_a_robots_txt_that_names_a_word_of_the_contact_refuses_nothing(site: Site, newsroom: Newsroom) -> None:
    site.add("/robots.txt", "User-agent: example\nDisallow: /\nUser-agent: test-bot\nDisallow: /")
    publish(site, newsroom, "pier")
    newsroom.crawl()
    assert states(newsroom) == {"article": 1}


def test_half_a_line_of_robots_txt_is_no_rule() -> None:
    text = "User-agent: *\n" + "Disallow: /no\n" * 40_000
    read = rules_of(Response("https://x.example/robots.txt", body=text.encode()))
    assert ROBOTS_MAX_BYTES - 15 < len(read) <= ROBOTS_MAX_BYTES
    assert set(read.splitlines()) == {"User-agent: *", "Disallow: /no"}


# Hosts that want to be left alone


@pytest.mark.parametrize("status", [429, 503], ids=str)
def test_a_host_that_wants_to_be_left_alone_is_at_once_and_over_runs(
    site: Site, newsroom: Newsroom, status: int
) -> None:
    publish(site, newsroom, *(f"pier{number}" for number in range(6)))
    site.add("/pier1", status=status, Retry_After="3600")
    done = newsroom.crawl()
    assert states(newsroom) == {"article": 1, "failed": 1, "pending": 4}
    assert newsroom.rows("select attempts, reason from pages where state in ('failed', 'pending') order by 1 desc") == [
        (1, f"http_{status}"), *[(0, None)] * 4
    ]  # fmt: skip
    assert "wants to be left alone until" in done.stdout
    site.asked.clear()
    done = newsroom.crawl("--now")
    assert site.asked == []
    assert "wants to be left alone until" in done.stdout
    assert newsroom.rows("select status, instr(reason, 'left alone') > 0 from sources") == [("ok", 1)]
    assert newsroom.rows("select status, instr(reason, 'left alone') > 0 from runs") == [("partial", 1)] * 2
    change(newsroom, "update hosts set not_before = ?", in_hours(-0.1))
    newsroom.crawl()
    assert states(newsroom) == {"article": 5, "failed": 1}
    assert newsroom.rows("select not_before, busy_since from hosts") == [(None, None)]


def busy_once(site: Site, path: str, status: int, **headers: str) -> None:
    """Have the site be busy when it is first asked for a path."""
    answer = site.answers.get(path, Answer(status=404))
    assert isinstance(answer, Answer)
    answers = iter([Answer(b"busy", status, {name.replace("_", "-"): value for name, value in headers.items()})])
    site.answers[path] = lambda: next(answers, answer)


@pytest.mark.parametrize("path", ["/robots.txt", "/feed", "/pier1"])
def test_a_short_time_is_waited_for_in_the_run(site: Site, newsroom: Newsroom, path: str) -> None:
    publish(site, newsroom, "pier0", "pier1", "pier2")
    busy_once(site, path, 429, Retry_After="1")
    newsroom.crawl()
    assert states(newsroom) == {"article": 3}
    assert site.asked.count(path) == 2
    assert newsroom.rows("select status, reason from runs") == [("ok", None)]


def test_a_short_time_is_not_waited_for_again_and_again(site: Site, newsroom: Newsroom) -> None:
    publish(site, newsroom, "pier0")
    site.add("/feed", status=503, Retry_After="1")
    newsroom.crawl(code=1)
    assert site.asked == ["/robots.txt", "/feed", "/feed", "/feed"]
    assert newsroom.rows("select not_before is not null from hosts") == [(1,)]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/pier0", {}),
        ("/pier0", {"Retry_After": "1"}),
        ("/other", {"Retry_After": "-1"}),
        ("/other", {"Retry_After": "31536000000"}),
    ],
)
def test_one_busy_address_does_not_cost_the_others(
    site: Site, newsroom: Newsroom, path: str, said: dict[str, str]
) -> None:
    publish(site, newsroom, "pier0", "pier1", "pier2")
    site.add(path, status=429, **said)  # type: ignore[arg-type]  # headers are strings
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/other", "{site.url}/feed"]')
    newsroom.crawl()
    assert states(newsroom)["article"] == (2 if path == "/pier0" else 3)
    assert newsroom.rows("select not_before from hosts") == [(None,)]


def test_a_host_with_two_busy_pages_in_a_row_is_left_alone(site: Site, newsroom: Newsroom) -> None:
    publish(site, newsroom, *(f"pier{number}" for number in range(6)))
    for number in (0, 2, 3):
        site.add(f"/pier{number}", status=429)
    newsroom.crawl()
    assert states(newsroom) == {"article": 1, "failed": 3, "pending": 2}
    assert newsroom.rows("select round((julianday(not_before) - julianday('now')) * 1440) from hosts") == [(15,)]


def test_a_listing_that_is_not_available_is_asked_once_more(site: Site, newsroom: Newsroom) -> None:
    publish(site, newsroom, "pier0")
    busy_once(site, "/feed", 503)
    newsroom.crawl()
    assert states(newsroom) == {"article": 1}
    assert newsroom.rows("select not_before, busy_since from hosts") == [(None, None)]


def test_robots_txt_that_wants_to_be_left_alone_fails_one_page_and_not_all(site: Site, newsroom: Newsroom) -> None:
    site.add("/robots.txt", status=429, Retry_After="60")
    pages = ", ".join(f'"{site.url}/{number}"' for number in range(5))
    newsroom.watch(f'url = "{site.url}/"\npages = [{pages}]')
    newsroom.crawl(code=1)
    assert states(newsroom) == {"failed": 1}
    newsroom.crawl("--quiet")
    assert site.asked == ["/robots.txt"]


def test_a_host_that_names_no_time_is_left_alone_as_long_again_as_it_has_been_busy(
    site: Site, newsroom: Newsroom
) -> None:
    site.add("/feed", status=429)
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    minutes = "select round((julianday(not_before) - julianday('now')) * 1440) from hosts"
    newsroom.crawl(code=1)
    assert newsroom.rows(minutes) == [(15,)]
    for busy_for, wait in ((2, 120), (200, 1440)):
        change(newsroom, "update hosts set not_before = ?, busy_since = ?", in_hours(-0.1), in_hours(-busy_for))
        change(newsroom, "update feeds set next_fetch_at = null")
        newsroom.crawl(code=1)
        assert newsroom.rows(minutes) == [(wait,)]


def test_a_time_too_far_ahead_is_a_clock_s_fault(site: Site, newsroom: Newsroom) -> None:
    publish(site, newsroom, "pier")
    newsroom.crawl("--limit", "1")
    change(newsroom, "update hosts set not_before = '2131-01-01T00:00:00Z', robots_fetched_at = '2130-12-31T00:00:00Z'")
    newsroom.crawl("--now")
    assert site.asked.count("/feed") == 2
    assert site.asked.count("/robots.txt") == 2


def test_another_host_is_asked_on(site: Site, newsroom: Newsroom) -> None:
    with serving() as other:
        other.add("/feed", status=429)
        publish(site, newsroom, "pier", "quay")
        newsroom.watch(
            f'url = "{other.url}/"\nname = "Busy"\nfeeds = ["{other.url}/feed"]',
            f'url = "{site.url}/"\nname = "Calm"\nfeeds = ["{site.url}/feed"]',
        )
        newsroom.crawl()
    assert states(newsroom) == {"article": 2}


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("86400", 86400),
        ("86401", None),
        ("9" * 4000, None),
        (format_datetime(NOW + timedelta(hours=2), usegmt=True), 7200),
        (format_datetime(NOW - timedelta(hours=2), usegmt=True), None),
        ("Sun, 08 Nov 2026 12:00:30", 30),
        ("Wed, 99999999999999999999 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(said: str, seconds: int | None) -> None:
    wait = retry_after(Response("https://x.example/", headers={"Retry-After": said}), NOW)
    assert wait == (None if seconds is None else timedelta(seconds=seconds))


def test_http_and_https_of_a_host_are_one_and_its_ports_are_not() -> None:
    assert host_of("http://X.example:80/a") == host_of("https://x.example./b") == "x.example"
    assert host_of("https://x.example:8443/") == "x.example:8443"
    assert host_of("http://[::1]:80/") == "[::1]"


def test_nobody_is_left_alone_for_longer_than_a_day() -> None:
    assert is_backing_off(Host(host="x", not_before=NOW + timedelta(hours=23)), NOW)
    assert not is_backing_off(Host(host="x", not_before=NOW + timedelta(hours=25)), NOW)
    assert not is_backing_off(Host(host="x", not_before=NOW), NOW)


# The budget


def test_a_host_is_asked_no_more_than_its_budget_in_one_run(site: Site, newsroom: Newsroom) -> None:
    """robots.txt, the feed, tdmrep.json, a redirect and three articles; what the redirect leads to waits, and so does its page."""
    publish(site, newsroom, *(f"pier{number}" for number in range(6)), crawl="delay = 0\nbudget = 7")
    site.add("/pier0", status=301, Location="/elsewhere")
    site.article("/elsewhere", "Elsewhere", story("elsewhere"))
    done = newsroom.crawl()
    assert len(site.asked) == 7
    assert states(newsroom) == {"article": 3, "pending": 3}
    assert "for one run, 7 requests, is spent" in done.stdout
    assert newsroom.rows("select status from runs") == [("partial",)]
    newsroom.crawl()
    assert states(newsroom) == {"article": 6, "duplicate": 1}


def test_without_a_delay_a_host_still_gets_one_request_at_a_time(site: Site, newsroom: Newsroom) -> None:
    """Scrapy 2.19 sent all six at once."""
    publish(site, newsroom, *(f"pier{number}" for number in range(6)))
    now, most = [0], [0]

    def counted(answer: Answer) -> Callable[[], Answer]:
        def later() -> Answer:
            now[0] += 1
            most[0] = max(most[0], now[0])
            time.sleep(0.1)
            now[0] -= 1
            return answer

        return later

    for number in range(6):
        site.answers[f"/pier{number}"] = counted(site.answers[f"/pier{number}"])  # type: ignore[arg-type]
    newsroom.crawl()
    assert (states(newsroom), most) == ({"article": 6}, [1])


# The end


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_does_not_wait_for_requests_that_nobody_has_sent(
    site: Site, newsroom: Newsroom, by: signal.Signals
) -> None:
    publish(site, newsroom, *(f"pier{number}" for number in range(30)), crawl="delay = 0.25")
    process = start_crawl(newsroom)
    wait_for(lambda: "/pier0" in site.asked)
    process.send_signal(by)
    assert process.wait() == 0
    assert {"article", "pending"} <= set(states(newsroom))
    assert newsroom.rows("select sum(attempts) from pages where state = 'pending'") == [(0,)]
    assert newsroom.rows("select status, reason from runs") == [
        ("partial", "stopped by a signal; the rest stays pending")
    ]


def test_max_minutes_does_not_wait_for_them_either(site: Site, newsroom: Newsroom) -> None:
    publish(site, newsroom, *(f"pier{number}" for number in range(30)), crawl="delay = 20.0")
    newsroom.crawl("--max-minutes", "0.02")
    assert "article" not in states(newsroom)
    assert newsroom.rows("select status, reason from runs") == [("partial", "--max-minutes ended the run")]


def test_of_many_simultaneous_starts_one_crawls_and_the_others_say_busy(site: Site, newsroom: Newsroom) -> None:
    publish(site, newsroom, "pier")
    site.answers["/feed"] = slowly(site.answers["/feed"])  # type: ignore[arg-type]
    said = newsroom.folder / "said"
    said.touch()
    streams = (os.devnull, str(said), str(said))
    starts = [start_beside("crawl", "--quiet", cwd=newsroom.folder, workers=0, streams=streams) for _ in range(4)]
    assert sorted(start.wait() for start in starts) == [0, *[75] * 3]
    assert said.read_text() == ""
    assert site.asked.count("/feed") == 1


def test_a_sources_toml_that_cannot_be_used_is_said_before_anything_is_made(newsroom: Newsroom) -> None:
    done = broadsheet("crawl", "--db", "new/news.db", cwd=newsroom.folder)
    assert (done.returncode, list(newsroom.folder.iterdir())) == (2, [])
    (newsroom.folder / "sources.toml").write_text("[[source]]\nurl = 5")
    done = broadsheet("crawl", "--db", "new/news.db", cwd=newsroom.folder)
    assert done.returncode == 2
    assert not (newsroom.folder / "new" / "news.db").exists()


# Bugs


@pytest.mark.parametrize(
    ("owner", "name", "error"),
    [
        ("crawler.spiders.news", "NewsSpider.follow_listing", "ValueError('which a damaged answer raises too')"),
        ("crawler.fetcher.backoff", "BackoffMiddleware.process_response", "KeyError('host')"),
    ],
    ids=["in a callback", "in a middleware"],
)
def test_a_bug_is_loud_and_leaves_its_trace_in_the_source(
    site: Site, newsroom: Newsroom, owner: str, name: str, error: str
) -> None:
    site.add("/robots.txt", "")
    publish(site, newsroom, "pier")
    broken = f"import {owner} as owner\ndef broken(*a, **k):\n    raise {error}\nowner.{name} = broken\n"
    if "Backoff" in name:  # robots.txt is not what this is about
        newsroom.crawl()
    done = broadsheet("crawl", cwd=newsroom.folder, patch=broken)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "a bug in Broadsheet" in done.stderr.splitlines()[-1]
    assert newsroom.rows("select last_status from feeds") == [("bug",)]
    assert newsroom.rows("select instr(reason, 'bug') > 0 from sources") == [(1,)]


def test_the_last_seconds_of_a_rest_are_waited_for(site: Site, newsroom: Newsroom) -> None:
    publish(site, newsroom, "pier")
    newsroom.crawl()
    change(newsroom, "update hosts set not_before = ?", stamp(datetime.now(UTC) + timedelta(seconds=3)))
    site.asked.clear()
    newsroom.crawl("--now")
    assert "/feed" in site.asked
    assert newsroom.rows("select status from runs order by id desc limit 1") == [("ok",)]
