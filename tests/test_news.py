"""The live crawl over real HTTP on loopback, by the command line as cron runs it."""

import io
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from html import escape
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from twisted.internet.defer import maybeDeferred
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.fetcher import address_guard
from crawler.fetcher.address_guard import PublicAddressResolver, may_enter
from crawler.items import MAX_PAGE_BYTES
from crawler.urls import canonical_url
from pipelines.database.lock import run_lock
from tests.conftest import ROOT, broadsheet, connect, run_scrapy
from tests.support.loopback import Answer, Site, article_html, serving, story
from tests.support.newsroom import Newsroom, start_crawl, wait_for


def test_a_second_crawl_fetches_no_article_it_has_and_says_so(site: Site, newsroom: Newsroom) -> None:
    """robots.txt, feed, sitemap, redirect, 404 and gzip in one site."""
    site.add("/robots.txt", f"User-agent: *\nDisallow: /private/\nSitemap: {site.url}/sitemap.xml", kind="text/plain")
    site.article("/pier", "The pier", story("pier"), packed=True)  # type: ignore[arg-type]
    site.article("/lighthouse", "The lighthouse", story("lighthouse"))
    site.add("/old-pier", status=301, Location="/pier")
    site.feed("/feed", *(site.url + path for path in ("/pier", "/old-pier", "/gone", "/private/diary")))
    site.add(
        "/sitemap.xml",
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>{site.url}/lighthouse</loc></url></urlset>',
        kind="text/xml",
    )
    newsroom.watch(
        f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]\nsitemaps = ["{site.url}/sitemap.xml"]'
    )
    newsroom.crawl()
    assert newsroom.states() == {
        f"{site.url}/pier": ("article", None),
        f"{site.url}/old-pier": ("duplicate", "redirect"),
        f"{site.url}/gone": ("failed", "http_404"),
        f"{site.url}/private/diary": ("refused", "robots"),
        f"{site.url}/lighthouse": ("article", None),
    }
    site.asked.clear()
    done = newsroom.crawl()
    assert sorted(site.asked) == ["/feed", "/sitemap.xml"]
    assert done.stdout.splitlines()[1].split() == ["Harbour", "5", "5", "·", "·", "·", "·", "·", "·"]


def test_an_unchanged_feed_is_asked_conditionally(site: Site, newsroom: Newsroom) -> None:
    site.article("/pier", "The pier", story("pier"))
    site.feed("/feed", site.url + "/pier", etag='"1"')
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    done = newsroom.crawl()
    assert site.not_modified == ["/feed"]
    assert "every feed that was due says it has not changed" in done.stdout
    assert newsroom.rows("select last_status, etag from feeds") == [("unchanged", '"1"')]


def test_a_feed_whose_encoding_only_its_header_says_is_read_in_it(site: Site, newsroom: Newsroom) -> None:
    """The page is gone: what is left of it is the title that the feed gave."""
    feed = (
        f"<rss version='2.0'><channel><item><title>Ścieżka</title><link>{site.url}/gone</link></item></channel></rss>"
    )
    site.add("/feed", feed.encode("iso8859_2"), kind="application/rss+xml; charset=iso-8859-2")
    newsroom.watch(f'url = "{site.url}/"\nname = "Mill"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert newsroom.rows("select hints ->> 'title' from pages") == [("Ścieżka",)]


def test_a_front_page_whose_encoding_only_its_header_says_is_read_in_it(site: Site, newsroom: Newsroom) -> None:
    headline = "낡은 부두를 겨울이 오기 전에 폐쇄한다"
    page = f'<html><body><p>{headline}</p><a href="/a">{headline}</a><a href="/b">abc</a></body></html>'
    site.add("/", page.encode("iso2022_kr"), kind="text/html; charset=ISO-2022-KR")
    newsroom.watch(f'url = "{site.url}/"\ndiscover = ["homepage"]')
    newsroom.crawl()
    assert [*newsroom.states()] == [f"{site.url}/a"]


def test_a_feed_that_asks_for_an_hour_is_left_alone_unless_now(site: Site, newsroom: Newsroom) -> None:
    site.article("/pier", "The pier", story("pier"))
    site.feed("/feed", site.url + "/pier")
    feed = site.answers["/feed"]
    assert isinstance(feed, Answer)
    feed.headers["Cache-Control"] = "public, max-age=3600"
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert "Nothing was due" in newsroom.crawl().stdout
    assert site.asked.count("/feed") == 1
    newsroom.crawl("--now")
    assert site.asked.count("/feed") == 2


def test_a_bare_url_is_polled_at_the_first_kind_that_yields(site: Site, newsroom: Newsroom) -> None:
    site.add("/robots.txt", f"Sitemap: {site.url}/sitemap.xml", kind="text/plain")
    site.add(
        "/",
        '<html><head><link rel="alternate" type="application/rss+xml" href="/empty"></head><body><a href="/a/2026/11/03/pier">Pier</a></body></html>',
    )
    site.feed("/empty")
    site.article("/a/2026/11/03/pier", "The pier", story("pier"))
    site.add("/sitemap.xml", f"<urlset><url><loc>{site.url}/a/2026/11/03/pier</loc></url></urlset>", kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"', crawl='delay = 0\nsince = "2026-01-01"')
    newsroom.crawl()
    assert newsroom.rows(
        "select kind, replace(url, '"
        + site.url
        + "', ''), last_status from feeds where last_status in ('ok', 'reserve') and url like '%sitemap.xml' or kind = 'homepage'"
    ) == [
        ("sitemap", "/sitemap.xml", "ok"),
        ("homepage", "/", "reserve"),
    ]
    site.asked.clear()
    newsroom.crawl()
    assert sorted(site.asked) == ["/sitemap.xml"]


def test_sitemaps_that_name_each_other_end(site: Site, newsroom: Newsroom) -> None:
    def index(*paths: str) -> str:
        return f"<sitemapindex>{''.join(f'<sitemap><loc>{site.url}{path}</loc></sitemap>' for path in paths)}</sitemapindex>"

    site.add("/a.xml", index("/b.xml", "/a.xml"), kind="text/xml")
    site.add("/b.xml", index("/a.xml", "/c.xml"), kind="text/xml")
    site.add("/c.xml", f"<urlset><url><loc>{site.url}/pier</loc></url></urlset>", kind="text/xml")
    site.article("/pier", "The pier", story("pier"))
    newsroom.watch(f'url = "{site.url}/"\nsitemaps = ["{site.url}/a.xml"]')
    newsroom.crawl()
    assert newsroom.states() == {f"{site.url}/pier": ("article", None)}
    assert site.asked.count("/a.xml") <= 2


def test_discovery_adds_to_the_entry_points_that_are_named(site: Site, newsroom: Newsroom) -> None:
    site.add("/", "<html><body><a href='/a/2026/11/03/quay'>Quay</a></body></html>")
    site.feed("/feed", f"{site.url}/pier")
    site.article("/pier", "The pier", story("pier"))
    site.article("/a/2026/11/03/quay", "The quay", story("quay"))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]\ndiscover = ["homepage"]')
    newsroom.crawl()
    newsroom.crawl()
    assert sorted(newsroom.states()) == [f"{site.url}/a/2026/11/03/quay", f"{site.url}/pier"]
    assert (site.asked.count("/feed"), site.asked.count("/")) == (2, 2)


def test_what_robots_txt_disallows_is_not_asked_with_many_first_requests_in_flight(
    site: Site, newsroom: Newsroom
) -> None:
    """Scrapy's own middleware let six of eight such pages through."""
    site.answers["/robots.txt"] = slowly(Answer(b"User-agent: *\nDisallow: /no/", 200, {"Content-Type": "text/plain"}))
    pages = ", ".join(f'"{site.url}/no/{number}"' for number in range(40))
    newsroom.watch(f'url = "{site.url}/"\npages = [{pages}]', crawl="delay = 0\nconcurrency = 16")
    newsroom.crawl()
    assert site.asked == ["/robots.txt"]
    assert set(newsroom.states().values()) == {("refused", "robots")}


def slowly(answer: Answer) -> Callable[[], Answer]:
    def later() -> Answer:
        time.sleep(0.15)
        return answer

    return later


@pytest.mark.parametrize(
    ("status", "state"),
    [(404, ("article", None)), (403, ("article", None)), (503, ("failed", "robots_http_503"))],
    ids=["404", "403", "503"],
)
def test_robots_txt_that_is_not_there_allows_and_one_that_fails_forbids(
    site: Site, newsroom: Newsroom, status: int, state: tuple[str, str | None]
) -> None:
    """RFC 9309, 2.3.1.3 and 2.3.1.4. The body of an error page is no set of rules."""
    site.add("/robots.txt", "User-agent: *\nDisallow: /", status=status, kind="text/plain")
    site.article("/pier", "The pier", story("pier"))
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier"]')
    newsroom.crawl(code=0 if state[0] == "article" else 1)
    assert newsroom.states() == {f"{site.url}/pier": state}


def test_crawl_delay_is_kept(site: Site, newsroom: Newsroom) -> None:
    """Within three seconds one page at most is asked, where the host wants twenty between two."""
    site.add("/robots.txt", "User-agent: *\nCrawl-delay: 20", kind="text/plain")
    pages = ", ".join(f'"{site.article(f"/{name}", name, story(name))}"' for name in ("pier", "quay", "dog"))
    newsroom.watch(f'url = "{site.url}/"\npages = [{pages}]', crawl="delay = 0\nconcurrency = 8")
    newsroom.crawl("--max-minutes", "0.05")
    assert len({*site.asked} - {"/robots.txt"}) <= 1


def test_a_redirect_to_the_front_page_is_a_refusal(site: Site, newsroom: Newsroom) -> None:
    site.add("/", article_html("Front", story("front page")))
    site.add("/gone", status=302, Location="/")
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/gone"]')
    newsroom.crawl()
    assert newsroom.states() == {f"{site.url}/gone": ("refused", "redirect_to_front_page")}


def test_a_private_address_is_not_entered_unless_allowed(site: Site, newsroom: Newsroom) -> None:
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier"]')
    settings = newsroom.folder / "sources.toml"
    settings.write_text(settings.read_text().replace('"127.0.0.0/8", ', ""))
    done = newsroom.crawl(code=1)
    assert site.asked == []
    assert "not one source could be read" in done.stderr
    assert newsroom.states() == {f"{site.url}/pier": ("failed", "private_address")}


def test_one_dead_source_makes_a_run_partial_and_only_dead_ones_make_it_fail(site: Site, newsroom: Newsroom) -> None:
    site.article("/pier", "The pier", story("pier"))
    site.feed("/feed", site.url + "/pier")
    newsroom.watch(
        f'url = "{site.url}/"\nname = "Good"\nfeeds = ["{site.url}/feed"]',
        f'url = "{site.url}/dead/"\nname = "Dead"\nfeeds = ["{site.url}/dead/feed"]',
    )
    newsroom.crawl()
    assert newsroom.rows("select status from runs") == [("partial",)]
    assert newsroom.rows("select name, status, reason from sources order by name") == [
        ("Dead", "broken", f"{site.url}/dead/feed: no page at this address (HTTP 404)"),
        ("Good", "ok", None),
    ]
    newsroom.watch(f'url = "{site.url}/dead/"\nname = "Dead"\nfeeds = ["{site.url}/dead/feed"]')
    assert "not one source could be read" in newsroom.crawl("--quiet", code=1).stderr


def test_limit_leaves_the_rest_pending_and_the_next_run_takes_it_up(site: Site, newsroom: Newsroom) -> None:
    paths = [f"/{name}" for name in ("pier", "lighthouse", "quay", "dock")]
    for path in paths:
        site.article(path, f"The {path[1:]}", story(path[1:]))
    site.feed("/feed", *(site.url + path for path in paths), etag='"1"')
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl("--limit", "1")
    assert newsroom.rows("select state, count(*) from pages group by 1 order by 1") == [("article", 1), ("pending", 3)]
    newsroom.crawl()
    assert newsroom.rows("select state, count(*) from pages group by 1") == [("article", 4)]
    assert all(site.asked.count(path) == 1 for path in paths)


def test_what_an_earlier_run_left_and_this_one_did_not_reach_counts_as_pending(site: Site, newsroom: Newsroom) -> None:
    paths = [f"/{name}" for name in ("pier", "lighthouse", "quay", "dock", "live")]
    for path in paths:
        site.article(path, f"The {path[1:]}", story(path[1:]))
    site.feed("/feed", *(site.url + path for path in paths), etag='"1"')
    newsroom.watch(f'url = "{site.url}/"\nname = "Pier"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl("--limit", "1")
    newsroom.watch(f'url = "{site.url}/"\nname = "Pier"\nfeeds = ["{site.url}/feed"]\nexclude = ["/live"]')
    done = newsroom.crawl("--limit", "1")
    assert done.stdout.splitlines()[1].split() == ["Pier", "3", "·", "1", "·", "·", "·", "·", "2"]
    assert newsroom.rows("select found, new, pending from run_summary order by run_id") == [(5, 1, 4), (3, 1, 2)]


def test_a_failed_page_is_asked_again_when_it_is_due_or_told_to(site: Site, newsroom: Newsroom) -> None:
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/late"]')
    newsroom.crawl(code=1)
    site.article("/late", "Late", story("late edition"))
    newsroom.crawl()
    assert site.asked.count("/late") == 1
    newsroom.crawl("--retry", "failed")
    assert newsroom.states() == {f"{site.url}/late": ("article", None)}


def test_what_was_asked_longest_ago_is_asked_again_first(site: Site, newsroom: Newsroom) -> None:
    paths = [f"/{number}" for number in range(4)]
    site.feed("/feed", *(site.url + path for path in paths), etag='"1"')
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    newsroom.change("update pages set last_fetched_at = strftime('%Y-%m-%dT%H:%M:%SZ', last_fetched_at, '-1 hour')")
    site.asked.clear()
    for _ in range(2):
        newsroom.crawl("--retry", "failed", "--limit", "2")
    assert sorted(path for path in site.asked if path in paths) == paths


def test_the_second_of_two_runs_ends_at_once(site: Site, newsroom: Newsroom) -> None:
    site.answers["/slow"] = slowly(Answer(b"", 200))
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/slow"]')
    with run_lock(newsroom.db):
        assert "another run holds this database" in newsroom.crawl(code=75).stderr
        assert newsroom.crawl("--quiet", code=75).stderr == ""
    assert site.asked == []


def test_a_run_that_was_killed_is_marked_and_loses_nothing(site: Site, newsroom: Newsroom) -> None:
    paths = [f"/{number}" for number in range(6)]
    for path in paths:
        site.answers[path] = slowly(
            Answer(article_html(f"Pier {path}", story(f"pier {path}")).encode(), 200, {"Content-Type": "text/html"})
        )
    site.feed("/feed", *(site.url + path for path in paths))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    process = start_crawl(newsroom)
    wait_for(lambda: "/1" in site.asked)
    process.kill()
    process.wait()
    site.feed("/feed")  # the feed has rolled on
    newsroom.crawl()
    assert newsroom.rows("select state, count(*) from pages group by 1") == [("article", 6)]
    assert newsroom.rows("select status from runs order by id") == [("killed",), ("ok",)]


def test_sigterm_finishes_what_is_in_hand_and_leaves_the_rest_pending(site: Site, newsroom: Newsroom) -> None:
    paths = [f"/{number}" for number in range(30)]
    for path in paths:
        site.answers[path] = slowly(
            Answer(article_html(f"Pier {path}", story(f"pier {path}")).encode(), 200, {"Content-Type": "text/html"})
        )
    site.feed("/feed", *(site.url + path for path in paths))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    process = start_crawl(newsroom)
    wait_for(lambda: "/1" in site.asked)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    counts = dict(newsroom.rows("select state, count(*) from pages group by 1"))
    assert counts["article"] >= 1
    assert counts["pending"] >= 1
    assert newsroom.rows("select status, reason from runs") == [
        ("partial", "stopped by a signal; the rest stays pending")
    ]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(
            b"\xff\x01\x02Not packed at all, and no text." * 9,
            200,
            {"Content-Encoding": "br", "Content-Type": "text/html"},
        ),
        Answer(
            b"\xff\x01\x02Not packed at all, and no text." * 9,
            200,
            {"Content-Encoding": "zstd", "Content-Type": "text/html"},
        ),
        Answer(
            b"\xff\x01\x02Not packed at all, and no text." * 9,
            200,
            {"Content-Encoding": "deflate", "Content-Type": "text/html"},
        ),
        Answer(b"", 302, {"Location": "http://[::1/x"}),
        Answer(b"", 302, {"Location": "http://127.0.0.1:99999/x"}),
    ],
    ids=["no brotli", "no zstd", "no deflate", "no address", "no port"],
)
def test_a_damaged_answer_is_a_failure_of_its_page_and_of_nothing_else(
    site: Site, newsroom: Newsroom, answer: Answer
) -> None:
    site.answers["/damaged"] = answer
    site.article("/pier", "The pier", story("pier"))
    site.feed("/feed", f"{site.url}/damaged", f"{site.url}/pier")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    done = newsroom.crawl("--quiet")
    assert newsroom.states() == {
        f"{site.url}/damaged": ("failed", "damaged_answer"),
        f"{site.url}/pier": ("article", None),
    }
    assert done.stderr == ""


def test_a_damaged_robots_txt_fails_its_pages_without_losing_them(site: Site, newsroom: Newsroom) -> None:
    site.add("/robots.txt", b"\xff\x01\x02User-agent: *", kind="text/plain", Content_Encoding="br")
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier"]')
    newsroom.crawl(code=1)
    assert newsroom.states() == {f"{site.url}/pier": ("failed", "damaged_answer")}


def test_two_sources_on_one_feed_each_read_what_they_want(site: Site, newsroom: Newsroom) -> None:
    for name in ("lantern", "quarry", "choir"):
        site.article(f"/{name}", name, story(name))
    site.feed("/feed", f"{site.url}/lantern", f"{site.url}/quarry", etag='"1"')
    one, other = (
        f'url = "{site.url}/{name}/"\nfeeds = ["{site.url}/feed"]\ninclude = ["{name}"]\nname = "{name}"'
        for name in ("lantern", "choir")
    )
    newsroom.watch(one)
    newsroom.crawl()
    newsroom.watch(one, other)
    site.feed("/feed", f"{site.url}/choir", etag='"2"')
    newsroom.crawl()
    assert sorted(newsroom.states()) == [f"{site.url}/choir", f"{site.url}/lantern"]


def test_a_source_called_by_another_address_takes_its_pending_pages_along(site: Site, newsroom: Newsroom) -> None:
    for name in ("pier", "quay"):
        site.article(f"/{name}", name, story(name))
    site.feed("/feed", f"{site.url}/pier", f"{site.url}/quay", etag='"1"')
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl("--limit", "1")
    newsroom.watch(f'url = "{site.url}/index.html"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert set(newsroom.states().values()) == {("article", None)}


def test_a_page_that_is_gone_is_not_a_source_that_is_broken(site: Site, newsroom: Newsroom) -> None:
    site.article("/pier", "The pier", story("pier"))
    site.feed("/feed", f"{site.url}/pier", f"{site.url}/gone")
    feed = site.answers["/feed"]
    assert isinstance(feed, Answer)
    feed.headers["Cache-Control"] = "max-age=99999999999999999999"
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    newsroom.crawl("--retry", "failed")
    assert site.asked.count("/gone") == 2
    assert newsroom.rows("select status, consecutive_failures from sources") == [("ok", 0)]


def test_a_clock_that_was_ahead_once_silences_nothing(site: Site, newsroom: Newsroom) -> None:
    site.feed("/feed")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    base = connect(newsroom.db)
    base.execute("update feeds set next_fetch_at = '2131-01-01T00:00:00Z', last_fetched_at = '2130-12-31T00:00:00Z'")
    base.commit()
    base.close()
    newsroom.crawl()
    assert site.asked.count("/feed") == 2


def test_not_modified_said_to_an_unconditional_request_is_a_failure(site: Site, newsroom: Newsroom) -> None:
    site.add("/feed", status=304)
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    assert "said to have not changed to somebody who has never seen it (HTTP 304)" in newsroom.crawl(code=1).stderr


def test_plain_scrapy_crawls_by_the_same_rules(site: Site, newsroom: Newsroom) -> None:
    site.article("/pier", "The pier", story("pier"))
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier"]')
    (newsroom.folder / "scrapy.cfg").write_text((ROOT / "scrapy.cfg").read_text())

    def scrapy(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_scrapy(*arguments, cwd=newsroom.folder)

    assert scrapy("list").stdout.split() == ["copies", "listed", "news", "sample"]
    assert scrapy("crawl", "news", "-s", "NEWS_DB=other.db").returncode == 0
    assert connect(newsroom.folder / "other.db").execute("select count(*) from articles").fetchone()[0] == 1
    assert scrapy("crawl", "news", "-s", "SOURCES_FILE=absent.toml").returncode == 2


def test_the_summary_adds_up(site: Site, newsroom: Newsroom) -> None:
    site.article("/pier", "The pier", story("pier"))
    site.article("/copy", "The pier", story("pier"))
    site.feed("/feed", *(site.url + path for path in ("/pier", "/copy", "/gone")))
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    (row,) = newsroom.rows("select found, known, new, updated, duplicate, refused, failed, pending from run_summary")
    assert row == (3, 0, 1, 0, 1, 0, 1, 0)
    (counts,) = newsroom.rows("select counts from runs")[0]
    assert json.loads(str(counts))["errors"] == [f"{site.url}/gone: http_404"]


def test_an_article_that_another_page_claims_as_its_own_is_still_looked_at(site: Site, newsroom: Newsroom) -> None:
    claim = f"<link rel=canonical href='{site.url}/pier'></head>"
    site.add("/thief", article_html("The thief", story("thief")).replace("</head>", claim))
    site.article("/pier", "The pier", story("pier"))
    site.feed("/feed", site.url + "/thief", site.url + "/pier")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl("--limit", "1")
    newsroom.crawl()
    assert sorted(newsroom.rows("select url, title from articles")) == [
        (f"{site.url}/pier", "The pier"),
        (f"{site.url}/thief", "The thief"),
    ]


def test_a_discovery_that_was_cut_short_is_done_again(site: Site, newsroom: Newsroom) -> None:
    """Killed or stopped between two feeds of a front page, a run must not leave the second one unknown for good."""
    alternate = '<link rel="alternate" type="application/rss+xml" href="{}">'
    site.add("/", f"<html><head>{alternate.format('/news')}{alternate.format('/sport')}</head></html>")
    for name in ("news", "sport"):
        site.article(f"/{name}/1", name, story(name))
        site.feed(f"/{name}", f"{site.url}/{name}/1", etag=f'"{name}"')
    newsroom.watch(f'url = "{site.url}/"\ndiscover = ["feed"]')
    newsroom.crawl()
    newsroom.change("delete from feeds where url not like '%/news'")
    newsroom.crawl()
    read = "where last_status <> 'reserve' or kind = 'homepage' order by 1"
    assert newsroom.rows(f"select replace(url, '{site.url}', ''), last_status from feeds {read}") == [
        ("/", "reserve"),
        ("/news", "unchanged"),
        ("/sport", "ok"),
    ]
    site.asked.clear()
    newsroom.crawl()
    assert "/" not in site.asked


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "169.254.1.1", "127.0.0.1", "::1", "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "fec0::1", "fe80::1"],
)  # fmt: skip
def test_no_spelling_of_a_private_address_may_be_entered(address: str) -> None:
    assert not may_enter(address, ())
    assert may_enter("93.184.215.14", ())


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_public_addresses_of_both_kinds_may_be_entered(address: str) -> None:
    """The last is how a network without IPv4 writes the first (NAT64, RFC 6052)."""
    assert may_enter(address, ())


def test_a_site_whose_address_is_a_number_of_ipv6_is_crawled(newsroom: Newsroom) -> None:
    with serving("::1") as site:
        site.article("/pier", "The pier", story("pier"))
        site.add("/old", status=302, Location="/pier")
        site.feed("/feed", f"{site.url}/old", "http://[fd00:0:0::1]/quay", "http://[::ffff:10.0.0.1]/quay")
        newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
        newsroom.crawl()
    assert newsroom.states() == {
        f"{site.url}/old": ("duplicate", "redirect"),
        f"{site.url}/pier": ("article", None),
        "http://[fd00::1]/quay": ("failed", "private_address"),
        canonical_url("http://[::ffff:10.0.0.1]/quay"): ("failed", "private_address"),
    }


@pytest.mark.parametrize(
    ("known", "entered"),
    [
        (["2606:2800::1"], ["2606:2800::1"]),
        (["10.0.0.1", "93.184.215.14", "::1", "2606:2800::1"], ["93.184.215.14", "2606:2800::1"]),
        (["10.0.0.1", "fd00::1"], []),
        (UnicodeError("label empty or too long"), []),
        (OSError("no such name"), []),
    ],
)
def test_of_a_names_addresses_the_public_ones_are_tried(
    known: list[str] | Exception, entered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(name: str) -> list[str]:
        if isinstance(known, Exception):
            raise known
        return known

    monkeypatch.setattr(address_guard, "_look_up", look_up)
    monkeypatch.setattr(address_guard, "deferToThreadPool", lambda reactor, pool, call, name: maybeDeferred(call, name))
    found: list[str] = []
    ended: list[bool] = []
    receiver = SimpleNamespace(
        resolutionBegan=lambda resolution: None,
        addressResolved=lambda address: found.append(address.host),
        resolutionComplete=lambda: ended.append(True),
    )
    resolver = PublicAddressResolver(Mock(), ())
    resolver.resolveHostName(receiver, "paper.example", 80)
    assert (found, ended) == (entered, [True])
    assert ("paper.example" in resolver.refused) == (isinstance(known, list) and not entered)
    resolver.refused.pop("paper.example", None)


def test_what_a_page_reserves_stands_beside_it(site: Site, newsroom: Newsroom) -> None:
    """By its header, by its meta element; what another robot is told, and what concerns links, is not kept."""
    meta = '<meta name="robots" content="NOARCHIVE, nofollow"><meta name="googlebot" content="noindex"><meta name="tdm-reservation" content="1"></head>'
    site.add("/meta", article_html("The pier", story("pier")).replace("</head>", meta))
    site.article("/header", "The quay", story("quay"), X_Robots_Tag="noindex, max-snippet:5", tdm_reservation="1")
    site.article("/other", "The mill", story("mill"), X_Robots_Tag="otherbot: noindex, noarchive")
    site.add("/copy", "The weir\n\n" + story("weir"), kind="text/plain", X_Robots_Tag="noai")
    site.feed("/feed", *(f"{site.url}/{name}" for name in ("meta", "header", "other", "copy")))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert newsroom.rows(f"select replace(url, '{site.url}/', ''), reservations from pages order by 1") == [
        ("copy", '["noai"]'),
        ("header", '["noindex", "tdm-reservation"]'),
        ("meta", '["noarchive", "tdm-reservation"]'),
        ("other", None),
    ]


def test_a_page_too_large_is_refused_in_one_word_wherever_it_comes_from(site: Site, newsroom: Newsroom) -> None:
    """Live, packed, saved and archived: what has the limit to the byte is read, one byte more is not."""
    filled = article_html("The pier", story("pier")).encode()
    fits = filled + b"<!--" + b"x" * (MAX_PAGE_BYTES - len(filled) - 7) + b"-->"
    for path, body, packed in (("/fits", fits, False), ("/live", fits + b" ", False), ("/packed", fits + b" ", True)):
        site.add(path, body, packed=packed)
    site.feed("/feed", *(f"{site.url}/{name}" for name in ("fits", "live", "packed", "vast")))
    site.add("/vast", b"<p>" + b"x" * 9_000_000)
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    (newsroom.folder / "saved.html").write_bytes(fits + b" ")
    with (newsroom.folder / "some.warc").open("wb") as stream:
        head = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        writer = WARCWriter(stream, gzip=False)
        archived = ("https://a.example/archived", "response", io.BytesIO(fits + b" "))
        writer.write_record(writer.create_warc_record(*archived, http_headers=head))
    imported = broadsheet("import", "saved.html", "some.warc", cwd=newsroom.folder, workers=0)
    assert imported.returncode == 0, imported.stderr
    sql = "select state, reason, attempts, next_fetch_at is null, count(*) from pages group by 1, 2, 3, 4"
    assert newsroom.rows(sql) == [("article", None, 1, 1, 1), ("refused", "too_large", 1, 1, 5)]
    assert [site.asked.count(path) for path in ("/live", "/packed", "/vast")] == [1, 1, 1]


# Dates of feeds, of pages that have none of their own

DATES = {
    "/east": ("Tue, 03 Nov 2026 00:15:00 +09:00", "2026-11-02T15:15:00Z", "2026-11-02T15:15:00Z"),
    "/west": ("Tue, 03 Nov 2026 08:15:00 -05:00", "2026-11-03T13:15:00Z", "2026-11-03T13:15:00Z"),
    "/ahead": ("Tue, 03 Nov 2026 08:15:00 GMT+1", "2026-11-03T07:15:00Z", "2026-11-03T07:15:00Z"),
    "/japan": ("Tue, 03 Nov 2026 08:15:00 JST", "2026-11-02T23:15:00Z", "2026-11-02T23:15:00Z"),
    "/evening": ("Tue, Nov 03 2026 08:15:03 PM", "2026-11-03T20:15:03Z", "2026-11-03"),
    "/figures": ("05.06.2026 08:15", "2026-06-05T07:15:00Z", "2026-06-05"),
    "/net": ("Mon, 01 Jan 0001 00:00:00 GMT", None, None),
    "/press": ("Wed, 30 Nov -0001 00:00:00 +0000", None, None),
    "/russian": ("Вт, 03 ноя 2026 08:15:00 +0300", "2026-11-03T05:15:00Z", "2026-11-03T05:15:00Z"),
    "/polish": ("wto., 3 lis 2026 08:15:00", "2026-11-03T08:15:00Z", "2026-11-03"),
    "/turkish": ("Sal, 03 Kas 2026 08:15:00 +0300", "2026-11-03T05:15:00Z", "2026-11-03T05:15:00Z"),
    "/italian": ("dom, 04 ott 2026 18:55:00 GMT", "2026-10-04T18:55:00Z", "2026-10-04T18:55:00Z"),
}
"""Path -> what the feed says, what is stored of it for a source in London, and for one nobody knows where."""


@pytest.mark.parametrize("timezone", ['timezone = "Europe/London"', ""], ids=["in London", "nobody knows where"])
@pytest.mark.parametrize("kind", ["rss", "json", "news sitemap"])
def test_the_date_of_a_feed_or_sitemap_is_stored_as_it_was_meant(
    site: Site, newsroom: Newsroom, kind: str, timezone: str
) -> None:
    for path in DATES:
        site.add(path, article_html(path, story(path)).replace("2026-11-03T08:15:00Z", ""))
    site.add("/listing", _listing_of_dates(site, kind), kind="application/json" if kind == "json" else "text/xml")
    key = "sitemaps" if "sitemap" in kind else "feeds"
    newsroom.watch(
        f'url = "{site.url}/"\n{key} = ["{site.url}/listing"]\n{timezone}', crawl='delay = 0\nsince = "2026-01-01"'
    )
    newsroom.crawl()
    stored = dict(newsroom.rows(f"select replace(url, '{site.url}', ''), date_published from articles"))
    assert stored == {path: dates[0] if timezone else dates[1] for path, (_, *dates) in DATES.items()}


def _listing_of_dates(site: Site, kind: str) -> str:
    if kind == "json":
        items = [{"url": site.url + path, "date_published": said} for path, (said, *_) in DATES.items()]
        return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items})
    if kind == "rss":
        item = "<item><link>{}{}</link><pubDate>{}</pubDate></item>"
        told = "".join(item.format(site.url, path, dates[0]) for path, dates in DATES.items())
        return f'<rss version="2.0"><channel>{told}</channel></rss>'
    said = "<url><loc>{}{}</loc><n:news><n:publication_date>{}</n:publication_date></n:news></url>"
    entries = "".join(said.format(site.url, path, dates[0]) for path, dates in DATES.items())
    return f'<urlset xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">{entries}</urlset>'


# The feed has the whole text, and the page does not

TURNED_AWAY = {
    "/401": ("", 401), "/402": ("<p>Pay first.</p>", 402), "/403": ("<h1>Forbidden</h1>", 403), "/451": ("Not in your country", 451),
    "/consent": (
        "<html><head><title>Before you continue</title></head><body><h1>Before you continue</h1><p>We use cookies. We value your "
        "privacy. Accept all cookies or manage your privacy settings and cookie preferences.</p><button>Accept all</button></body></html>",
        200,
    ),
    "/shell": ('<html><head><title>Paper</title></head><body><div id="root"></div><script src="/app.js"></script></body></html>', 200),
    "/scripts": ("<html><body><div id=app></div><noscript>Please enable JavaScript.</noscript><script src=/a.js></script></body></html>", 200),
}  # fmt: skip
"""Path -> what a page shows to a program, and its status."""


def _telling_feed(site: Site, kind: str, paths: Iterable[str]) -> None:
    """A feed with the whole text of each of its articles."""
    told = {path: "".join(f"<p>{one}</p>" for one in story(path).split("\n\n")) for path in paths}
    if kind == "json":
        items = [{"url": site.url + path, "title": f"On {path}", "content_html": text} for path, text in told.items()]
        site.add(
            "/feed",
            json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}),
            kind="application/json",
        )
        return
    form = {
        "rss": "<item><link>{}{}</link><title>On {}</title><description>Short.</description><c:encoded>{}</c:encoded></item>",
        "atom": '<entry><link href="{}{}"/><title>On {}</title><summary>Short.</summary><content type="html">{}</content></entry>',
    }[kind]
    entries = "".join(form.format(site.url, path, path, escape(text)) for path, text in told.items())
    around = {
        "rss": '<rss version="2.0" xmlns:c="http://purl.org/rss/1.0/modules/content/"><channel>{}</channel></rss>',
        "atom": '<feed xmlns="http://www.w3.org/2005/Atom">{}</feed>',
    }[kind]
    site.add("/feed", around.format(entries), kind="application/xml")


@pytest.mark.parametrize("kind", ["rss", "atom", "json"])
def test_where_a_page_turns_us_away_the_text_is_the_feed_s(site: Site, newsroom: Newsroom, kind: str) -> None:
    for path, (body, status) in TURNED_AWAY.items():
        site.add(path, body, status)
    _telling_feed(site, kind, TURNED_AWAY)
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert newsroom.rows("select url, title, text, text_source from articles order by url") == [
        (site.url + path, f"On {path}", story(path), "feed") for path in sorted(TURNED_AWAY)
    ]
    assert newsroom.rows("select count(*) from feed_texts") == [(0,)]


def _teaser(path: str) -> str:
    first = story(path).split("\n\n")[0]
    return article_html(
        "The pier", f"{first}\n\nSubscribe now to read the whole article. Already a subscriber? Log in."
    )


def test_a_teaser_is_completed_by_the_feed_and_the_page_takes_over_when_it_gives_more(
    site: Site, newsroom: Newsroom
) -> None:
    site.add("/pier", _teaser("/pier"))
    _telling_feed(site, "rss", ["/pier"])
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    stored = "select title, text, text_source, version_count from articles"
    newsroom.crawl()
    assert newsroom.rows(stored) == [("The pier", story("/pier"), "feed", 1)]
    for _ in range(2):  # the teaser again is nothing new, however often
        newsroom.change("update pages set next_fetch_at = '2026-01-01T00:00:00Z'")
        newsroom.crawl()
        assert newsroom.rows(stored) == [("The pier", story("/pier"), "feed", 1)]
    site.add("/pier", article_html("The pier", f"{story('/pier')}\n\n{story('boats')}"))
    newsroom.change("update pages set next_fetch_at = '2026-01-01T00:00:00Z'")
    newsroom.crawl()
    assert newsroom.rows(stored) == [("The pier", f"{story('/pier')}\n\n{story('boats')}", "page", 2)]


def test_an_article_that_the_feed_told_stays_when_its_page_turns_us_away_again(site: Site, newsroom: Newsroom) -> None:
    site.add("/pier", "", 403)
    _telling_feed(site, "rss", ["/pier"])
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    newsroom.change("update pages set next_fetch_at = '2026-01-01T00:00:00Z'")
    newsroom.crawl()
    assert newsroom.rows("select text, text_source from articles") == [(story("/pier"), "feed")]
    assert newsroom.rows("select status, reason from runs order by id desc limit 1") == [("ok", None)]


def test_a_page_that_has_its_text_or_is_none_is_not_told_by_the_feed(site: Site, newsroom: Newsroom) -> None:
    site.article("/whole", "The quay", story("quay"))
    site.add("/gone", "", 410)
    site.add("/short", "", 403)
    site.add("/busy", "", 500)
    _telling_feed(site, "rss", ["/whole", "/gone", "/busy"])
    feed = site.answers["/feed"]
    assert isinstance(feed, Answer)
    teaser = f"<p>{'The ferry is late. ' * 20} […]</p>"
    item = f"<item><link>{site.url}/short</link><c:encoded>{escape(teaser)}</c:encoded></item>"
    feed.body = feed.body.replace(b"</channel>", f"{item}</channel>".encode())
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert newsroom.rows("select url, text, text_source from articles") == [
        (f"{site.url}/whole", story("quay"), "page")
    ]
    kept = "select replace(url, '" + site.url + "', '') from feed_texts join pages on pages.id = page_id order by 1"
    assert newsroom.rows(kept) == [("/busy",), ("/gone",), ("/short",)]
    newsroom.change("update pages set attempts = 9, next_fetch_at = '2026-01-01T00:00:00Z' where state = 'failed'")
    newsroom.crawl()
    assert newsroom.rows(kept) == []


def test_a_page_left_pending_still_has_what_its_feed_told(site: Site, newsroom: Newsroom) -> None:
    for path in ("/a", "/b"):
        site.add(path, "", 403)
    _telling_feed(site, "rss", ["/a", "/b"])
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl("--limit", "1")
    site.add("/feed", "", 500)
    newsroom.crawl()
    assert newsroom.rows("select url, text_source from articles order by url") == [
        (f"{site.url}/a", "feed"),
        (f"{site.url}/b", "feed"),
    ]
