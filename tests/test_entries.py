"""A known address of which its feed says something else: whole crawls over real HTTP on loopback."""

import pytest

from tests.conftest import broadsheet
from tests.support.loopback import Site, article_html, story
from tests.support.newsroom import Newsroom

Entry = tuple[str, str, str, str]
"""guid, title, publication date, path."""

OLD = ("g1", "The lock is mended", "Tue, 17 Nov 2026 06:00:00 GMT", "/briefing")
NEW = ("g2", "Ferry fares rise again", "Sun, 29 Nov 2026 06:00:00 GMT", "/briefing")

FARES = """Crossing to the islands will cost a tenth more from January, the operator said on Sunday, blaming fuel.

Commuters with a season ticket pay nothing extra until spring; cyclists lose their discount altogether.

A petition against the increase has gathered nine hundred signatures within a day."""


def rss(site: Site, *entries: Entry, path: str = "/feed") -> None:
    items = "".join(
        f"<item><guid isPermaLink='false'>{guid}</guid><title>{title}</title><pubDate>{date}</pubDate>"
        f"<link>{site.url}{link}</link></item>"
        for guid, title, date, link in entries
    )
    site.add(path, f'<rss version="2.0"><channel><title>N</title>{items}</channel></rss>', kind="application/rss+xml")


def page(site: Site, path: str, title: str, text: str, *, date: str | None = None, etag: str | None = None) -> None:
    html = article_html(title, text, date or "")
    site.add(path, html if date else html.replace('<meta property="article:published_time" content="">', ""), etag=etag)


def an_old_article(site: Site, newsroom: Newsroom, *others: Entry) -> None:
    """One that is stored, and of an age at which nobody looks again."""
    page(site, "/briefing", OLD[1], story("lock"), etag='"1"')
    rss(site, OLD, *others)
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    rest(newsroom)
    site.asked.clear()


def rest(newsroom: Newsroom) -> None:
    newsroom.change("update pages set next_fetch_at = null")
    for table, column in (("pages", "last_fetched_at"), ("articles", "last_fetched_at"), ("versions", "fetched_at")):
        newsroom.change(f"update {table} set {column} = strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '-1 hour')")


def asked_for(site: Site, *paths: str) -> list[str]:
    return [path for path in site.asked if path in paths]


def test_an_address_used_again_for_another_article_gives_another_article(site: Site, newsroom: Newsroom) -> None:
    an_old_article(site, newsroom)
    page(site, "/briefing", NEW[1], FARES, etag='"2"')
    rss(site, NEW)
    newsroom.crawl()
    assert newsroom.rows("select title, date_published, url from articles order by id") == [
        (OLD[1], "2026-11-17T06:00:00Z", f"{site.url}/briefing#2026-11-17T06:00:00Z"),
        (NEW[1], "2026-11-29T06:00:00Z", f"{site.url}/briefing"),
    ]
    assert newsroom.rows("select count(*) from pages where state = 'article'") == [(2,)]
    newsroom.crawl("--now")
    assert asked_for(site, "/briefing") == ["/briefing"]
    broadsheet("forget", f"{site.url}/briefing", cwd=newsroom.folder)
    assert newsroom.rows("select count(*) from articles") == [(0,)]


def test_an_address_used_again_under_the_same_headline_is_a_version_with_its_own_date(
    site: Site, newsroom: Newsroom
) -> None:
    an_old_article(site, newsroom)
    page(site, "/briefing", OLD[1], FARES, etag='"2"')
    rss(site, ("g2", OLD[1], *NEW[2:]))
    newsroom.crawl()
    ((date, text, versions),) = newsroom.rows("select date_published, text, version_count from articles")
    assert (date, text, versions) == ("2026-11-29T06:00:00Z", FARES, 2)


@pytest.mark.parametrize("entry", [("g2", *OLD[1:]), (OLD[0], "The lock, mended", *OLD[2:]), (*OLD[:2], *NEW[2:])])
def test_an_entry_that_says_something_else_has_its_page_asked_conditionally_and_once(
    entry: Entry, site: Site, newsroom: Newsroom
) -> None:
    an_old_article(site, newsroom)
    rss(site, entry)
    for _ in range(3):
        newsroom.crawl("--now")
        rest(newsroom)
    assert asked_for(site, "/briefing") == site.not_modified == ["/briefing"]


def test_another_order_and_a_tracker_in_its_id_or_link_are_no_change(site: Site, newsroom: Newsroom) -> None:
    other = (f"{site.url}/pier?utm_source=a", "The pier", OLD[2], "/pier")
    page(site, "/pier", "The pier", story("pier"))
    an_old_article(site, newsroom, other)
    rss(site, (f"{site.url}/pier?utm_source=b", *other[1:3], "/pier?utm_campaign=c"), OLD)
    newsroom.crawl()
    assert asked_for(site, "/briefing", "/pier") == []


def test_another_feed_that_words_it_otherwise_is_no_change(site: Site, newsroom: Newsroom) -> None:
    an_old_article(site, newsroom)
    rss(site, ("7", "Lock mended", "Wed, 18 Nov 2026 06:00:00 GMT", "/briefing"), path="/other")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed", "{site.url}/other"]')
    for _ in range(2):
        newsroom.crawl("--now")
    assert asked_for(site, "/briefing") == []


@pytest.mark.parametrize("number", [2, 8])
def test_a_feed_that_changes_all_its_entries_at_every_look_says_nothing(
    number: int, site: Site, newsroom: Newsroom
) -> None:
    names = [f"n{one}" for one in range(number)]
    for name in names:
        page(site, f"/{name}", f"The {name}", story(name), etag='"1"')
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    for minute in range(5):
        entries = [(name, f"The {name}", f"Sun, 29 Nov 2026 06:0{minute}:00 GMT", f"/{name}") for name in names]
        rss(site, *entries)
        newsroom.crawl("--now")
        rest(newsroom)
    looks = [path for path in site.asked_of_content if path != "/feed"]
    assert len(looks) <= (2 * number if number < 5 else number)
    page(site, "/n0", "The n0, corrected", story("n0"), etag='"2"')
    rss(site, ("n0", "The n0, corrected", entries[0][2], "/n0"), *entries[1:])
    newsroom.crawl("--now")
    assert newsroom.rows("select title from articles where url like '%/n0'") == [("The n0, corrected",)]


def test_what_a_wall_answers_for_a_changed_entry_is_doubted(site: Site, newsroom: Newsroom) -> None:
    an_old_article(site, newsroom)
    page(site, "/briefing", "Before you continue", story("cookies"), etag='"2"')
    rss(site, NEW)
    newsroom.crawl()
    assert newsroom.rows("select title, text from articles") == [(OLD[1], story("lock"))]


def let_rechecks_be_due(newsroom: Newsroom) -> None:
    rest(newsroom)
    newsroom.change("update pages set next_fetch_at = last_fetched_at where state = 'article'")


@pytest.mark.parametrize("gone_first", [False, True])
def test_a_slug_that_changed_without_a_redirect_is_a_move(gone_first: bool, site: Site, newsroom: Newsroom) -> None:
    an_old_article(site, newsroom)
    if gone_first:
        del site.answers["/briefing"]
        for _ in range(2):
            let_rechecks_be_due(newsroom)
            newsroom.crawl()
    page(site, "/lock-is-mended", OLD[1], story("lock"), date="2026-11-17T06:00:00Z")
    rss(site, (*OLD[:3], "/lock-is-mended"))
    newsroom.crawl("--now")
    site.answers.pop("/briefing", None)
    for _ in range(2):
        let_rechecks_be_due(newsroom)
        newsroom.crawl("--now")
    assert newsroom.states() == {
        f"{site.url}/briefing": ("duplicate", "canonical"),
        f"{site.url}/lock-is-mended": ("article", None),
    }
    assert newsroom.rows("select url, gone_at from articles") == [(f"{site.url}/lock-is-mended", None)]
    assert newsroom.rows("select what, url, old_title, new_title from changed") == [
        ("moved", f"{site.url}/lock-is-mended", OLD[1], OLD[1])
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_of_the_pages_of_one_article_the_one_that_holds_all_of_it_wins(
    order: tuple[int, ...], site: Site, newsroom: Newsroom
) -> None:
    parts = (story("weir"), f"{FARES}\n\n{story('mill')}")
    pages = (("/weir", parts[0]), ("/weir?page=2", parts[1]), ("/weir?page=all", "\n\n".join(parts)))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    for number in order:
        path, text = pages[number]
        html = article_html("The weir", text)
        site.add(path, html.replace("</head>", f'<link rel="canonical" href="{site.url}/weir"></head>'))
        site.feed("/feed", site.url + path)
        newsroom.crawl("--now")
    assert newsroom.rows("select text from articles") == [("\n\n".join(parts),)]
