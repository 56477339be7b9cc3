"""The live crawl over real HTTP on loopback, by the command line as cron runs it."""

import io
import json
import signal
import subprocess
import time
from collections.abc import Callable

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.fetcher.address_guard import may_enter
from crawler.items import MAX_PAGE_BYTES
from pipelines.database.lock import run_lock
from tests.conftest import ROOT, broadsheet, connect, run_scrapy
from tests.support.loopback import Answer, Site, article_html, story
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
    settings.write_text(settings.read_text().replace('"127.0.0.0/8"', ""))
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

    assert scrapy("list").stdout.split() == ["copies", "news", "sample"]
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
