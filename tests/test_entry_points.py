"""How the newest article of a site is found: which sitemaps and feeds are asked, whose addresses they may name, and what gives way."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from crawler.items import Listing, Source
from pipelines.archive.entry_points import is_look_around_due
from pipelines.archive.store import Archive
from tests.conftest import broadsheet
from tests.support.loopback import Site, serving, story
from tests.support.newsroom import Newsroom
from tests.test_history import LONG_AGO, a_watched_article, index, urlset

NOW = datetime.now(UTC)


@pytest.fixture
def elsewhere() -> Iterator[Site]:
    """Another site, on a port of its own."""
    with serving() as running:
        yield running


def dated_index(parts: dict[str, str]) -> str:
    entries = (f"<sitemap><loc>{url}</loc><lastmod>{said}</lastmod></sitemap>" for url, said in parts.items())
    return f"<sitemapindex>{''.join(entries)}</sitemapindex>"


def publish(site: Site, name: str) -> str:
    return site.article(f"/{name}", f"The {name}", story(name))


def maps_asked(site: Site) -> list[str]:
    return [path for path in site.asked if path.endswith(".xml")]


# The newest of a sitemap


def test_an_index_whose_parts_all_say_that_they_are_old_is_not_believed(site: Site, newsroom: Newsroom) -> None:
    parts = {f"{site.url}/part{number}.xml": f"2021-03-0{number}" for number in (1, 2, 3)}
    site.add("/sitemap.xml", dated_index(parts), kind="text/xml")
    for path in ("/part1.xml", "/part2.xml"):
        site.add(path, "<urlset/>", kind="text/xml")
    site.add("/part3.xml", urlset(publish(site, "pier")), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\nsitemaps = ["{site.url}/sitemap.xml"]')
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(1,)]
    site.add("/part3.xml", urlset(site.url + "/pier", publish(site, "quay")), kind="text/xml")
    site.asked.clear()
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(2,)]
    assert maps_asked(site) == ["/sitemap.xml", "/part3.xml"]


def test_of_an_index_whose_dates_are_true_the_old_parts_are_never_asked(site: Site, newsroom: Newsroom) -> None:
    parts = {f"{site.url}/{year}.xml": f"{year}-12-31" for year in range(2001, 2025)}
    site.add("/sitemap.xml", dated_index(parts | {f"{site.url}/new.xml": f"{NOW:%F}"}), kind="text/xml")
    site.add("/new.xml", urlset(publish(site, "pier")), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\nsitemaps = ["{site.url}/sitemap.xml"]')
    for _ in range(3):
        newsroom.crawl()
    assert {*maps_asked(site)} == {"/sitemap.xml", "/new.xml"}


def test_where_what_an_index_calls_new_gives_nothing_the_ends_of_the_rest_are_asked(
    site: Site, newsroom: Newsroom
) -> None:
    parts = {f"{site.url}/news-{number}.xml": "2021-03-01" for number in range(1, 90)}
    site.add("/sitemap.xml", dated_index(parts | {f"{site.url}/pages.xml": f"{NOW:%F}"}), kind="text/xml")
    site.add("/pages.xml", "<urlset/>", kind="text/xml")
    site.add("/news-89.xml", urlset(publish(site, "pier")), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\nsitemaps = ["{site.url}/sitemap.xml"]')
    newsroom.crawl()
    assert maps_asked(site) == ["/sitemap.xml", "/pages.xml"]
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(1,)]
    assert len(maps_asked(site)) < 20


@pytest.mark.parametrize("name", ["%Y-%m", "%Y/%m", "y=%Y&m=%m&x=", "post-%Y%m"])
def test_of_a_hundred_months_only_the_newest_is_asked(site: Site, newsroom: Newsroom, name: str) -> None:
    months = sorted({datetime(2016 + n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in range(12 * 10)} | {NOW})
    parts = [f"{site.url}/sm?{month.strftime(name)}.xml" for month in months]
    site.add("/sitemap.xml", index(*(part.replace("&", "&amp;") for part in parts)), kind="text/xml")
    site.add(parts[-1].removeprefix(site.url), urlset(publish(site, "pier")), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\nsitemaps = ["{site.url}/sitemap.xml"]')
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(1,)]
    assert maps_asked(site) == ["/sitemap.xml", parts[-1].removeprefix(site.url)]


@pytest.mark.parametrize("newest", [1, 131], ids=["first", "last"])
def test_of_many_numbered_parts_both_ends_are_asked(site: Site, newsroom: Newsroom, newest: int) -> None:
    parts = [f"{site.url}/part-{number}.xml" for number in range(1, 132)]
    for part in parts:
        site.add(part.removeprefix(site.url), urlset(), kind="text/xml")
    site.add("/sitemap.xml", index(*parts), kind="text/xml")
    site.add(f"/part-{newest}.xml", urlset(publish(site, "pier")), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\nsitemaps = ["{site.url}/sitemap.xml"]')
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(1,)]
    asked = len(site.asked)
    assert asked <= 54  # robots.txt, the index, fifty parts, tdmrep.json and the page
    for _ in range(3):
        newsroom.crawl()
    assert {*site.asked[asked:]} == {"/sitemap.xml", f"/part-{newest}.xml"}


@pytest.mark.parametrize("at", [0, 750, 1500], ids=["first", "middle", "last"])
def test_what_is_new_in_a_long_sitemap_without_dates_is_found_wherever_it_stands(
    site: Site, newsroom: Newsroom, at: int
) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    slugs = [f"{site.url}/{a}{b}{c}-slug" for a in letters for b in letters for c in letters][:1500]
    site.add("/sitemap.xml", urlset(*slugs), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\nname = "Pier"\nsitemaps = ["{site.url}/sitemap.xml"]')
    done = newsroom.crawl("--limit", "1")
    assert newsroom.rows("select count(*), min(url), max(url) from pages") == [(1000, min(slugs), max(slugs))]
    left_out = f"{site.url}/sitemap.xml: 500 addresses without a date were left out as likely old"
    assert left_out in done.stdout.replace("\n", " ")
    assert left_out in broadsheet("status", cwd=newsroom.folder).stdout
    slugs.insert(at, publish(site, "pier"))
    site.add("/sitemap.xml", urlset(*slugs), kind="text/xml")
    done = newsroom.crawl("--limit", "1")
    assert newsroom.rows(f"select count(*), sum(url = '{site.url}/pier') from pages") == [(1001, 1)]
    assert left_out not in done.stdout.replace("\n", " ")


def test_a_run_that_read_sitemaps_does_not_say_that_nothing_has_changed(site: Site, newsroom: Newsroom) -> None:
    site.add("/sitemap.xml", "<urlset/>", kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\nsitemaps = ["{site.url}/sitemap.xml"]')
    done = newsroom.crawl()
    assert "Nothing new: what was read names no page" in done.stdout


# Sitemap lines of robots.txt


SPELLINGS = {
    "rooted": ("/sitemap.xml", True),
    "relative": ("sitemap.xml", True),
    "without scheme": ("{host}/sitemap.xml", True),
    "scheme of the page": ("//{host}/sitemap.xml", True),
    "ftp": ("ftp://{host}/sitemap.xml", False),
    "in brackets": ("<http://{host}/sitemap.xml>", True),
    "bad port": ("http://{host}99999/sitemap.xml", False),
    "half an address": ("http://[::1", False),
    "a word": ("none", False),
}


@pytest.mark.parametrize(("line", "reads"), SPELLINGS.values(), ids=SPELLINGS)
def test_a_sitemap_line_that_is_no_address_is_read_or_skipped(
    site: Site, newsroom: Newsroom, line: str, reads: bool
) -> None:
    said = line.format(host=site.url.removeprefix("http://")).replace("sitemap.xml", "maps.xml")
    site.add("/robots.txt", f"User-agent: *\nDisallow: /no\nSitemap: {said}\n", kind="text/plain")
    site.add("/", "<html><body>Front</body></html>")
    site.add("/maps.xml", urlset(publish(site, "pier")), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\ndiscover = ["sitemap"]')
    done = newsroom.crawl(code=0 if reads else 1)
    assert "bug" not in done.stderr
    assert newsroom.rows("select count(*) from articles") == [(int(reads),)]
    assert newsroom.rows("select count(*) from feeds where url not like 'http://127.0.0.1:%'") == [(0,)]


@pytest.mark.parametrize(("line", "reads"), SPELLINGS.values(), ids=SPELLINGS)
def test_a_gap_in_a_feed_is_filled_from_whatever_sitemap_lines_can_be_read(
    site: Site, newsroom: Newsroom, line: str, reads: bool
) -> None:
    lines = (line.format(host=site.url.removeprefix("http://")), f"{site.url}/second.xml")
    site.add("/robots.txt", "".join(f"Sitemap: {said}\n" for said in lines), kind="text/plain")
    a_watched_article(site, newsroom)
    site.feed("/feed", publish(site, "dock"))
    for path, name in (("/sitemap.xml", "quay"), ("/second.xml", "lock")):
        site.add(path, urlset(publish(site, name)), kind="text/xml")
    done = newsroom.crawl()
    assert "bug" not in done.stderr
    assert newsroom.rows("select count(*) from articles") == [(4 if reads else 3,)]


@pytest.mark.parametrize("line", ["/sitemap.xml", "none", "ftp://x/y"])
def test_a_site_with_a_strange_sitemap_line_can_be_added(site: Site, newsroom: Newsroom, line: str) -> None:
    site.add("/robots.txt", f"User-agent: *\nDisallow: /no\nSitemap: {line}\n", kind="text/plain")
    site.add("/", "<html><body>Front</body></html>")
    site.add("/sitemap.xml", urlset(publish(site, "pier")), kind="text/xml")
    newsroom.watch()
    done = broadsheet("sources", "add", site.url, cwd=newsroom.folder)
    assert (done.returncode, "bug" in done.stderr) == (0, False), done.stderr


def test_an_address_that_an_older_release_kept_unchecked_is_passed_over(site: Site, newsroom: Newsroom) -> None:
    a_watched_article(site, newsroom)
    for kind, url in (("sitemap", "/sitemap.xml"), ("sitemap", "http://x:99999/"), ("rss", "none")):
        newsroom.change(
            f"insert into feeds (source_id, url, kind, last_status) values (1, '{url}', '{kind}', 'reserve')"
        )
    newsroom.change(
        "insert into pages (source_id, url, via, state, discovered_at, hints) select 1, '/x', 'feed', 'pending', '2026-01-01T00:00:00Z', hints from pages"
    )
    site.feed("/feed", publish(site, "dock"))
    assert "bug" not in newsroom.crawl().stderr


# Sitemaps elsewhere


def test_a_store_that_robots_txt_names_speaks_for_the_site(site: Site, elsewhere: Site, newsroom: Newsroom) -> None:
    site.add("/robots.txt", f"Sitemap: {elsewhere.url}/paper/sitemap.xml", kind="text/plain")
    site.add("/", "<html><body>Front</body></html>")
    stranger = publish(elsewhere, "stranger")
    elsewhere.add("/paper/sitemap.xml", urlset(publish(site, "pier"), stranger), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"')
    newsroom.crawl()
    assert newsroom.rows("select url from pages") == [(f"{site.url}/pier",)]


def test_a_store_that_its_user_names_speaks_for_the_site_and_for_itself(
    site: Site, elsewhere: Site, newsroom: Newsroom
) -> None:
    elsewhere.add("/sitemap.xml", urlset(publish(site, "pier"), publish(elsewhere, "quay")), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\nsitemaps = ["{elsewhere.url}/sitemap.xml"]')
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(2,)]


def test_an_index_at_home_may_have_its_parts_in_a_store(site: Site, elsewhere: Site, newsroom: Newsroom) -> None:
    site.add("/sitemap.xml", index(f"{elsewhere.url}/a.xml"), kind="text/xml", etag='"1"')
    elsewhere.add("/a.xml", urlset(publish(site, "pier"), publish(elsewhere, "stranger")), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\nsitemaps = ["{site.url}/sitemap.xml"]')
    newsroom.crawl()
    elsewhere.add("/a.xml", urlset(publish(site, "pier"), publish(site, "quay"), elsewhere.url + "/x"), kind="text/xml")
    newsroom.change(f"update feeds set next_fetch_at = '{LONG_AGO}'")
    newsroom.crawl()
    assert sorted(newsroom.states()) == [f"{site.url}/pier", f"{site.url}/quay"]


def test_a_sitemap_of_another_site_alone_is_said_with_what_to_write(
    site: Site, elsewhere: Site, newsroom: Newsroom
) -> None:
    site.add("/sitemap.xml", urlset(publish(elsewhere, "pier"), publish(elsewhere, "quay")), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\nname = "Pier"\nsitemaps = ["{site.url}/sitemap.xml"]')
    newsroom.crawl(code=1)
    said = broadsheet("status", cwd=newsroom.folder).stdout
    other = elsewhere.url.removeprefix("http://")
    assert f'names pages of {other} alone: write url = "https://{other}/"' in said


def test_of_what_a_bare_site_was_asked_in_vain_that_is_said_which_is_no_guess_of_ours(
    site: Site, elsewhere: Site, newsroom: Newsroom
) -> None:
    site.add("/", "<html><body>Welcome</body></html>")
    site.add("/sitemap.xml", urlset(publish(elsewhere, "pier"), publish(elsewhere, "quay")), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\nname = "Pier"')
    newsroom.crawl(code=1)
    [(reason,)] = newsroom.rows("select reason from sources")
    other = elsewhere.url.removeprefix("http://")
    assert reason.startswith(f"{site.url}/: nothing to poll: {site.url}/sitemap.xml: names pages of {other} alone")


def test_a_site_that_has_moved_to_another_name_is_read_by_its_sitemap(
    site: Site, elsewhere: Site, newsroom: Newsroom
) -> None:
    site.add("/", status=301, Location=elsewhere.url + "/")
    elsewhere.add("/", "<html><body>Front</body></html>")
    elsewhere.add("/sitemap.xml", urlset(publish(elsewhere, "pier")), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"')
    newsroom.crawl()
    elsewhere.add("/sitemap.xml", urlset(elsewhere.url + "/pier", publish(elsewhere, "quay")), kind="text/xml")
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(2,)]


# What a discovery stops at


def rss(*items: str) -> str:
    return f'<rss version="2.0"><channel><title>News</title>{"".join(items)}</channel></rss>'


def item(link: str, date: datetime = NOW, extra: str = "") -> str:
    return f"<item><title>A title</title><link>{link}</link><pubDate>{format_datetime(date)}</pubDate>{extra}</item>"


def a_site_that_announces(site: Site, feed: str) -> None:
    """A front page that announces one feed, and a sitemap that names an article."""
    site.add("/", '<html><head><link rel="alternate" type="application/rss+xml" href="/it"></head><body></body></html>')
    site.add("/it", feed, kind="application/rss+xml")
    site.add("/sitemap.xml", urlset(publish(site, "pier")), kind="text/xml")


def test_a_podcast_is_no_reason_to_look_no_further(site: Site, newsroom: Newsroom) -> None:
    sound = '<enclosure url="/1.mp3" length="1" type="audio/mpeg"/>'
    a_site_that_announces(site, rss(item(publish(site, "episode"), extra=sound)))
    newsroom.watch(f'url = "{site.url}/"')
    newsroom.crawl()
    assert newsroom.rows("select url from pages") == [(f"{site.url}/pier",)]
    site.asked.clear()
    newsroom.crawl()
    assert [path for path in site.asked if path != "/robots.txt"] == ["/sitemap.xml"]


def test_a_feed_that_died_years_ago_is_no_reason_to_look_no_further(site: Site, newsroom: Newsroom) -> None:
    a_site_that_announces(site, rss(item(publish(site, "old"), NOW - timedelta(days=800))))
    newsroom.watch(f'url = "{site.url}/"')
    newsroom.crawl()
    assert newsroom.rows("select url from pages") == [(f"{site.url}/pier",)]


def test_a_feed_of_another_site_is_polled_and_no_reason_to_look_no_further(
    site: Site, elsewhere: Site, newsroom: Newsroom
) -> None:
    a_site_that_announces(site, rss(item(publish(elsewhere, "stranger"))))
    newsroom.watch(f'url = "{site.url}/"')
    newsroom.crawl()
    assert sorted(newsroom.states()) == sorted([f"{site.url}/pier", f"{elsewhere.url}/stranger"])


def test_the_feed_of_a_site_that_has_moved_to_another_name_is_its_own(
    site: Site, elsewhere: Site, newsroom: Newsroom
) -> None:
    site.add("/", status=301, Location=elsewhere.url + "/")
    a_site_that_announces(elsewhere, rss(item(publish(elsewhere, "quay"))))
    newsroom.watch(f'url = "{site.url}/"')
    newsroom.crawl()
    assert sorted(newsroom.states()) == [f"{elsewhere.url}/quay"]


def test_where_there_is_nothing_better_a_dead_feed_is_polled(site: Site, newsroom: Newsroom) -> None:
    a_site_that_announces(site, rss(item(publish(site, "old"), NOW - timedelta(days=800))))
    del site.answers["/sitemap.xml"]
    newsroom.watch(f'url = "{site.url}/"')
    for _ in range(2):
        newsroom.crawl()
    assert newsroom.rows("select url from pages") == [(f"{site.url}/old",)]
    assert site.asked.count("/it") == 2


def test_a_feed_that_gives_no_article_gives_way(site: Site, newsroom: Newsroom) -> None:
    stubs = [site.add(f"/stub/{number}", "<html><body></body></html>") for number in range(6)]
    a_site_that_announces(site, rss(*map(item, stubs)))
    newsroom.watch(f'url = "{site.url}/"')
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(0,)]
    done = newsroom.crawl()
    assert f"{site.url}/it: none of the pages it names was an article" in done.stderr
    assert newsroom.rows("select count(*) from articles") == [(1,)]
    assert newsroom.rows("select last_status from feeds where url like '%/it'") == [("barren",)]
    site.asked.clear()
    newsroom.crawl()
    assert [path for path in site.asked if path.startswith("/s")] == ["/sitemap.xml"]


@pytest.mark.parametrize(("word", "due"), [("quiet", True), ("empty", True), ("ok", False)])
def test_the_site_of_a_source_that_once_gave_articles_is_looked_at_again(tmp_path: Path, word: str, due: bool) -> None:
    source, now = Source(url="https://a.example/", name="A"), datetime(2026, 11, 30, tzinfo=UTC)
    with closing(Archive(tmp_path / "news.db")) as archive:
        archive.sync_sources([source])
        archive.keep(Listing(url=source.url, source=source, kind="homepage", fetched_at=now, reserve=True))
        archive.db.execute("update sources set status = ?, last_new_article_at = '2026-11-01T00:00:00Z'", [word])
        assert is_look_around_due(archive.db, source.url, now) == (due, False)


def test_where_nothing_takes_its_place_a_feed_without_articles_is_kept(site: Site, newsroom: Newsroom) -> None:
    stubs = [site.add(f"/stub/{number}", "<html><body></body></html>") for number in range(6)]
    a_site_that_announces(site, rss(*map(item, stubs)))
    del site.answers["/sitemap.xml"]
    newsroom.watch(f'url = "{site.url}/"')
    for _ in range(3):
        newsroom.crawl()
    assert site.asked.count("/it") == 3
    assert site.asked.count("/") == 2


@pytest.mark.parametrize(
    "head", ['<a href="/it/rss.xml">RSS</a>', '<a type="application/atom+xml" href="/it">x</a>', "header"]
)
def test_a_feed_that_a_link_or_a_header_names_is_found(site: Site, newsroom: Newsroom, head: str) -> None:
    headers = {}
    if head == "header":
        headers["Link"] = (
            '<https://api.example/>; rel="x", </it>; title="a, b"; rel="alternate"; type="application/rss+xml"'
        )
    site.add("/", f"<html><body>{head}</body></html>", **headers)  # type: ignore[arg-type]
    feed = rss(item(publish(site, "pier")))
    for path in ("/it", "/it/rss.xml"):
        site.add(path, feed, kind="application/rss+xml")
    newsroom.watch(f'url = "{site.url}/"')
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(1,)]
