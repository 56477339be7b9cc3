"""What a later crawl asks for again, over real HTTP on loopback. Time passes by changing what the archive says is due."""

from datetime import UTC, datetime

import pytest

from tests.support.loopback import Answer, Site, article_html, story
from tests.support.newsroom import Newsroom

LONG_AGO = "2026-01-01T00:00:00Z"


def urlset(*urls: str) -> str:
    return f"<urlset>{''.join(f'<url><loc>{url}</loc></url>' for url in urls)}</urlset>"


def index(*urls: str) -> str:
    return f"<sitemapindex>{''.join(f'<sitemap><loc>{url}</loc></sitemap>' for url in urls)}</sitemapindex>"


def publish(site: Site, title: str, text: str, etag: str) -> None:
    site.add("/pier", article_html(title, text, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"), etag=etag)


def a_watched_article(site: Site, newsroom: Newsroom, rules: str = "") -> None:
    """One fresh article from a feed, stored by a first crawl."""
    publish(site, "The pier", story("pier"), '"1"')
    site.feed("/feed", site.url + "/pier", etag='"1"')
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]\n{rules}')
    newsroom.crawl()
    site.asked.clear()


def let_rechecks_be_due(newsroom: Newsroom) -> None:
    """And let what was read be an hour old: two crawls may fall into one second, which is one capture."""
    newsroom.change(f"update pages set next_fetch_at = '{LONG_AGO}' where next_fetch_at is not null")
    for table, column in (("pages", "last_fetched_at"), ("articles", "last_fetched_at"), ("versions", "fetched_at")):
        newsroom.change(f"update {table} set {column} = strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '-1 hour')")


def test_a_run_in_the_second_of_the_last_one_or_before_a_clock_that_was_ahead_takes_nothing_for_a_gap(
    site: Site, newsroom: Newsroom
) -> None:
    site.add("/robots.txt", f"Sitemap: {site.url}/sitemap.xml", kind="text/plain")
    a_watched_article(site, newsroom)
    newsroom.change("update pages set discovered_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+1 minute')")
    newsroom.crawl("--now")
    assert sorted(site.asked) == ["/feed", "/robots.txt"]


def test_a_second_run_sends_one_conditional_request_per_feed_and_none_for_articles(
    site: Site, newsroom: Newsroom
) -> None:
    a_watched_article(site, newsroom)
    newsroom.crawl()
    assert [path for path in site.asked if path != "/robots.txt"] == ["/feed"]
    assert site.not_modified == ["/feed"]


def test_an_article_is_looked_at_again_conditionally_when_it_is_due(site: Site, newsroom: Newsroom) -> None:
    a_watched_article(site, newsroom)
    before = newsroom.rows("select next_fetch_at from pages")
    let_rechecks_be_due(newsroom)
    done = newsroom.crawl()
    assert sorted(site.not_modified) == ["/feed", "/pier"]
    assert newsroom.rows("select next_fetch_at from pages") >= before
    assert done.stdout.splitlines()[1].split()[1:4] == ["1", "1", "·"]


def test_a_correction_is_found_by_a_recheck(site: Site, newsroom: Newsroom) -> None:
    a_watched_article(site, newsroom)
    publish(site, "The pier, corrected", story("pier"), '"2"')
    let_rechecks_be_due(newsroom)
    newsroom.crawl()
    assert newsroom.rows("select what, old_title, new_title from changed") == [
        ("title", "The pier", "The pier, corrected")
    ]


def test_a_text_that_was_doubted_is_believed_when_the_recheck_agrees(site: Site, newsroom: Newsroom) -> None:
    a_watched_article(site, newsroom)
    short = story("pier").split("\n\n")[0]
    publish(site, "The pier", short, '"2"')
    for believed in (False, True):
        let_rechecks_be_due(newsroom)
        newsroom.crawl()
        assert (newsroom.rows("select text from articles") == [(short,)]) == believed


def test_an_article_that_is_gone_twice_is_gone(site: Site, newsroom: Newsroom) -> None:
    a_watched_article(site, newsroom)
    del site.answers["/pier"]
    for gone in (False, True):
        let_rechecks_be_due(newsroom)
        newsroom.crawl()
        assert newsroom.rows("select gone_at is not null from articles") == [(gone,)]
        assert newsroom.rows("select status from runs order by id desc limit 1") == [("ok",)]
    assert newsroom.rows("select found, updated from run_summary order by run_id desc limit 1") == [(1, 1)]
    let_rechecks_be_due(newsroom)
    site.asked.clear()
    newsroom.crawl()
    assert "/pier" not in site.asked


def test_a_source_that_says_so_is_not_rechecked(site: Site, newsroom: Newsroom) -> None:
    a_watched_article(site, newsroom, "recheck = false")
    assert newsroom.rows("select next_fetch_at from pages") == [(None,)]


def test_when_a_feed_has_rolled_on_the_sitemap_has_what_it_dropped(site: Site, newsroom: Newsroom) -> None:
    site.add("/robots.txt", f"Sitemap: {site.url}/sitemap.xml", kind="text/plain")
    a_watched_article(site, newsroom)
    for name in ("quay", "dock"):
        site.article(f"/{name}", f"The {name}", story(name))
    site.feed("/feed", site.url + "/dock")
    site.add("/sitemap.xml", urlset(*(site.url + path for path in ("/pier", "/quay", "/dock"))), kind="text/xml")
    newsroom.crawl()
    assert newsroom.rows("select url, state from pages where state <> 'article'") == []
    assert newsroom.rows("select count(*) from articles") == [(3,)]
    assert newsroom.rows("select missed, missed_at is not null from feeds where kind = 'rss'") == [(1, 1)]


@pytest.mark.parametrize("link", ["/{0}?token={1}", "/{0};v={1}"])
def test_links_that_change_with_every_look_are_told_and_are_no_gap(link: str, site: Site, newsroom: Newsroom) -> None:
    names = ("pier", "quay", "mill")
    site.add("/robots.txt", f"Sitemap: {site.url}/map.xml", kind="text/plain")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    for look in range(3):
        paths = [link.format(name, f"x{look}") for name in names]
        for name, path in zip(names, paths, strict=True):
            site.article(path, f"The {name}", story(name))
        site.feed("/feed", *(site.url + path for path in paths))
        newsroom.crawl("--now")
    assert newsroom.rows("select missed, missed_at, relinked_at is not null from feeds") == [(0, None, 1)]
    assert "/map.xml" not in site.asked
    ((status, reason),) = newsroom.rows("select status, reason from sources")
    assert (status, "its links change with every look" in (reason or "")) == ("ok", True)


@pytest.mark.parametrize("parameter", [";jsessionid={}", "?PHPSESSID={}", "?sid=9f86d081884c7d659a2feaa0c55ad{:03}"])
def test_a_session_in_a_feeds_links_makes_no_new_pages(parameter: str, site: Site, newsroom: Newsroom) -> None:
    site.article("/pier", "The pier", story("pier"))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    for look in range(3):
        site.feed("/feed", f"{site.url}/pier{parameter.format(look)}")
        newsroom.crawl("--now")
    assert newsroom.states() == {f"{site.url}/pier": ("article", None)}
    assert site.asked.count("/pier") == 1
    assert newsroom.rows("select missed, relinked_at from feeds") == [(0, None)]


def test_sitemaps_are_asked_although_their_index_has_not_changed(site: Site, newsroom: Newsroom) -> None:
    site.add("/index.xml", index(f"{site.url}/news.xml"), kind="text/xml", etag='"1"')
    site.add("/news.xml", urlset(f"{site.url}/pier"), kind="text/xml")
    site.article("/pier", "The pier", story("pier"))
    newsroom.watch(f'url = "{site.url}/"\nsitemaps = ["{site.url}/index.xml"]')
    newsroom.crawl()
    site.article("/quay", "The quay", story("quay"))
    site.add("/news.xml", urlset(f"{site.url}/pier", f"{site.url}/quay"), kind="text/xml")
    newsroom.crawl()
    assert site.not_modified == ["/index.xml"]
    assert newsroom.rows("select count(*) from articles") == [(2,)]


def test_a_sitemap_that_its_index_no_longer_names_retires(site: Site, newsroom: Newsroom) -> None:
    site.add("/index.xml", index(f"{site.url}/2025.xml", f"{site.url}/2026.xml"), kind="text/xml")
    for year in (2025, 2026):
        site.add(f"/{year}.xml", urlset(f"{site.url}/{year}/pier"), kind="text/xml")
        site.article(f"/{year}/pier", f"The pier in {year}", story(f"pier {year}"))
    newsroom.watch(f'url = "{site.url}/"\nsitemaps = ["{site.url}/index.xml"]')
    newsroom.crawl()
    site.add("/index.xml", index(f"{site.url}/2026.xml"), kind="text/xml")
    newsroom.crawl()
    assert newsroom.rows("select last_status from feeds where url like '%2025.xml'") == [("retired",)]
    site.asked.clear()
    newsroom.change("update feeds set next_fetch_at = null")
    newsroom.crawl()
    assert sorted(path for path in site.asked if path.endswith(".xml")) == ["/2026.xml", "/index.xml"]


def test_a_discovered_sitemap_that_is_gone_three_times_retires(site: Site, newsroom: Newsroom) -> None:
    """What sources.toml names is asked for ever; what was only found is not."""
    site.add("/robots.txt", f"Sitemap: {site.url}/a.xml\nSitemap: {site.url}/b.xml", kind="text/plain")
    site.add("/", "<html><body>Front</body></html>")
    site.article("/pier", "The pier", story("pier"))
    for name in ("a", "b"):
        site.add(f"/{name}.xml", urlset(f"{site.url}/pier"), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\ndiscover = ["sitemap"]')
    newsroom.crawl()
    del site.answers["/b.xml"]
    for _ in range(3):
        newsroom.change("update feeds set next_fetch_at = null")
        newsroom.crawl()
    assert newsroom.rows("select last_status from feeds where url like '%/b.xml'") == [("retired",)]


def test_pages_left_by_an_earlier_run_come_before_new_ones(site: Site, newsroom: Newsroom) -> None:
    paths = [f"/{name}" for name in ("pier", "quay", "dock", "lock")]
    for path in paths:
        site.article(path, f"The {path[1:]}", story(path[1:]))
    site.feed("/feed", *(site.url + path for path in paths[:3]))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl("--limit", "1")
    site.feed("/feed", *(site.url + path for path in reversed(paths)))
    site.asked.clear()
    newsroom.crawl()
    assert [path for path in site.asked if path in paths] == ["/quay", "/dock", "/lock"]


def test_a_feed_s_ttl_is_heard(site: Site, newsroom: Newsroom) -> None:
    site.article("/pier", "The pier", story("pier"))
    item = f"<item><title>Pier</title><link>{site.url}/pier</link></item>"
    site.add(
        "/feed",
        f'<rss version="2.0"><channel><title>N</title><ttl>90</ttl>{item}</channel></rss>',
        kind="application/rss+xml",
    )
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert newsroom.rows("select poll_minutes, asked_minutes from feeds") == [(90, 90)]
    assert "Nothing was due" in newsroom.crawl().stdout


def test_a_server_that_says_304_to_everybody_gives_no_article(site: Site, newsroom: Newsroom) -> None:
    site.answers["/pier"] = Answer(article_html("Pier", story("pier")).encode(), 304)
    site.feed("/feed", site.url + "/pier")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert newsroom.states() == {f"{site.url}/pier": ("failed", "http_304")}


def test_a_page_that_was_no_article_is_asked_twice_more(site: Site, newsroom: Newsroom) -> None:
    site.add("/stub", "<html><body></body></html>")
    site.feed("/feed", site.url + "/stub")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    for _ in range(4):
        newsroom.crawl()
        let_rechecks_be_due(newsroom)
    assert newsroom.rows("select state, attempts, next_fetch_at from pages") == [("refused", 3, None)]
    assert site.asked.count("/stub") == 3


def test_a_recheck_that_finds_no_article_is_not_repeated_in_every_run(site: Site, newsroom: Newsroom) -> None:
    a_watched_article(site, newsroom)
    site.add("/pier", "<html><body></body></html>")
    let_rechecks_be_due(newsroom)
    newsroom.crawl()
    newsroom.crawl()
    assert site.asked.count("/pier") == 1
    assert newsroom.rows("select state, articles.title from pages join articles on articles.id = article_id") == [
        ("article", "The pier")
    ]


def test_a_recheck_that_leads_to_another_article_is_not_repeated_in_every_run(site: Site, newsroom: Newsroom) -> None:
    a_watched_article(site, newsroom)
    site.article("/quay", "The quay", story("quay"))
    site.feed("/feed", site.url + "/pier", site.url + "/quay")
    newsroom.crawl()
    site.add("/pier", status=302, Location="/quay")
    let_rechecks_be_due(newsroom)
    site.asked.clear()
    newsroom.crawl()
    newsroom.crawl()
    assert site.asked.count("/pier") == 1
    assert newsroom.rows("select count(*) from articles") == [(2,)]


def test_a_sitemap_that_failed_once_is_asked_again_although_its_index_has_not_changed(
    site: Site, newsroom: Newsroom
) -> None:
    site.add("/index.xml", index(f"{site.url}/news.xml"), kind="text/xml", etag='"1"')
    site.add("/news.xml", status=500)
    newsroom.watch(f'url = "{site.url}/"\nsitemaps = ["{site.url}/index.xml"]')
    newsroom.crawl()
    site.add("/news.xml", urlset(f"{site.url}/pier"), kind="text/xml")
    site.article("/pier", "The pier", story("pier"))
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(1,)]


def test_an_announced_feed_that_failed_during_the_discovery_is_asked_again(site: Site, newsroom: Newsroom) -> None:
    links = "".join(f'<link rel="alternate" type="application/rss+xml" href="/{name}">' for name in ("news", "sport"))
    site.add("/", f"<html><head>{links}</head><body></body></html>")
    site.article("/pier", "The pier", story("pier"))
    site.article("/race", "The race", story("race"))
    site.feed("/news", site.url + "/pier")
    site.add("/sport", status=500)
    newsroom.watch(f'url = "{site.url}/"')
    newsroom.crawl()
    site.feed("/sport", site.url + "/race")
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(2,)]


def test_sources_that_share_a_feed_are_both_served_in_every_run(site: Site, newsroom: Newsroom) -> None:
    site.feed("/feed")
    newsroom.watch(
        *(
            f'url = "{site.url}/{rule}/"\nname = "{rule}"\nfeeds = ["{site.url}/feed"]\ninclude = ["/{rule}/"]'
            for rule in ("p", "q")
        )
    )
    newsroom.crawl()
    for rule in ("p", "q"):
        site.article(f"/{rule}/pier", f"The pier of {rule}", story(f"pier {rule}"))
    site.feed("/feed", site.url + "/p/pier", site.url + "/q/pier")
    newsroom.change(f"update feeds set next_fetch_at = '{LONG_AGO}', asked_minutes = 60, entries = 1")
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(2,)]


def test_a_source_called_by_another_address_keeps_its_feeds_and_their_validators(
    site: Site, newsroom: Newsroom
) -> None:
    a_watched_article(site, newsroom)
    newsroom.watch(f'url = "{site.url}/elsewhere/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    site.not_modified.clear()
    newsroom.crawl()
    assert site.not_modified == ["/feed"]


def test_where_nothing_can_be_polled_nobody_looks_around_in_every_run(site: Site, newsroom: Newsroom) -> None:
    site.add("/", "<html><body>Front</body></html>")
    newsroom.watch(f'url = "{site.url}/"')
    for code in (1, 1, 1, 0):
        newsroom.crawl(code=code)
    site.asked.clear()
    assert "Nothing was due" in newsroom.crawl().stdout
    assert site.asked == []


def test_a_refused_page_that_gives_no_answer_later_is_not_asked_in_every_run(site: Site, newsroom: Newsroom) -> None:
    site.add("/stub", "<html><body></body></html>")
    site.feed("/feed", site.url + "/stub")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    del site.answers["/stub"]
    for _ in range(4):
        let_rechecks_be_due(newsroom)
        newsroom.crawl()
    assert site.asked.count("/stub") == 3
    assert newsroom.rows("select state, reason, next_fetch_at from pages") == [("refused", "no_text", None)]


def test_a_refusal_after_failures_has_attempts_of_its_own(site: Site, newsroom: Newsroom) -> None:
    site.add("/stub", status=500)
    site.feed("/feed", site.url + "/stub")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    site.add("/stub", "<html><body></body></html>")
    let_rechecks_be_due(newsroom)
    newsroom.crawl()
    assert newsroom.rows("select state, attempts, next_fetch_at is null from pages") == [("refused", 1, 0)]


def test_a_dead_source_that_alone_is_due_does_not_make_the_run_fail(site: Site, newsroom: Newsroom) -> None:
    a_watched_article(site, newsroom)
    newsroom.watch(
        f'url = "{site.url}/"\nname = "Good"\nfeeds = ["{site.url}/feed"]',
        f'url = "{site.url}/dead/"\nname = "Dead"\nfeeds = ["{site.url}/dead/feed"]',
    )
    newsroom.change("update feeds set next_fetch_at = '2131-01-01T00:00:00Z', last_fetched_at = '2026-01-01T00:00:00Z'")
    newsroom.crawl()
    assert newsroom.rows("select status from runs order by id desc limit 1") == [("partial",)]


def test_a_doubted_text_is_still_confirmed_after_a_look_that_failed(site: Site, newsroom: Newsroom) -> None:
    a_watched_article(site, newsroom)
    short = story("pier").split("\n\n")[0]
    publish(site, "The pier", short, '"2"')
    let_rechecks_be_due(newsroom)
    newsroom.crawl()
    site.add("/pier", status=500)
    let_rechecks_be_due(newsroom)
    newsroom.crawl()
    publish(site, "The pier", short, '"2"')
    for _ in range(2):
        let_rechecks_be_due(newsroom)
        newsroom.crawl()
    assert newsroom.rows("select text from articles") == [(short,)]


def test_rechecks_written_by_a_clock_that_was_ahead_are_due(site: Site, newsroom: Newsroom) -> None:
    a_watched_article(site, newsroom)
    newsroom.change("update pages set next_fetch_at = '2131-01-02T00:00:00Z', last_fetched_at = '2131-01-01T00:00:00Z'")
    newsroom.crawl()
    assert site.asked.count("/pier") == 1


def test_what_a_source_leaves_out_is_no_gap(site: Site, newsroom: Newsroom) -> None:
    site.add("/robots.txt", f"Sitemap: {site.url}/sitemap.xml", kind="text/plain")
    a_watched_article(site, newsroom, 'exclude = ["/sport/"]')
    site.article("/quay", "The quay", story("quay"))
    site.feed("/feed", site.url + "/quay", site.url + "/sport/race")
    newsroom.crawl()
