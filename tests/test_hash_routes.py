"""Hash routes (`#!/news/12`, `#/news/12`): pages that only JavaScript shows are told apart, said, and never asked for."""

import pytest

from crawler.parsers.front_pages import looks_like_article
from crawler.urls import canonical_url, hash_route, is_front_page
from tests.support.loopback import Site, story
from tests.support.newsroom import Newsroom
from tests.test_health import check


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("/#!/news/12", "/#!/news/12"),
        ("/#!news/12", "/#!news/12"),
        ("#!/news/12", "/#!/news/12"),
        ("/#/news/12", "/#/news/12"),
        ("/#/news/12?utm_source=rss&page=2", "/#/news/12?page=2"),
        ("/#!/news/12#comments", "/#!/news/12"),
        ("/?utm_source=rss#!/news/12", "/#!/news/12"),
        ("/index.html#/news/12", "/index.html#/news/12"),
        ("/de/#!/news/12", "/de/#!/news/12"),
        ("/portal/#/news/12", "/portal/#/news/12"),
        ("/en/app/index.php#/news/%c3%a9", "/en/app/index.php#/news/%C3%A9"),
        ("/#!", "/"),
        ("/#!/", "/"),
        ("/#/", "/"),
        ("/#/?utm_source=rss", "/"),
        ("/#comments", "/"),
        ("/#:~:text=pier", "/"),
        ("/2026/11/pier#!/comments", "/2026/11/pier"),
        ("/2026/11/pier/#/photo/3", "/2026/11/pier/"),
        ("/a-pier-in-winter#/photo/3", "/a-pier-in-winter"),
        ("/pier.html#comments", "/pier.html"),
        ("/index.php?id=7#/photo/3", "/index.php?id=7"),
    ],
)
def test_a_route_is_a_page_and_any_other_fragment_is_a_place_on_one(url: str, canonical: str) -> None:
    assert canonical_url(f"https://x.example{url}") == f"https://x.example{canonical}"
    assert canonical_url(f"https://x.example{canonical}") == f"https://x.example{canonical}"


def test_a_route_is_no_front_page_and_names_an_article_as_a_path_does() -> None:
    route = "https://x.example/#!/news/2026/bridge-is-to-be-rebuilt"
    assert (hash_route(route), hash_route("https://x.example/a")) == ("/news/2026/bridge-is-to-be-rebuilt", None)
    assert (is_front_page(route), is_front_page("https://x.example/#top")) == (False, True)
    assert looks_like_article(route, "", "https://x.example/")
    assert not looks_like_article("https://x.example/#/login", "", "https://x.example/")


@pytest.mark.parametrize("mark", ["#!/", "#/", "#!"])
def test_routes_are_refused_one_by_one_and_none_is_asked(mark: str, site: Site, newsroom: Newsroom) -> None:
    site.add("/", "<title>App</title><div id=root></div><script src=/app.js></script>")
    site.feed("/feed", *(f"{site.url}/{mark}news/{number}" for number in range(13)))
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]')
    for _ in range(2):
        newsroom.crawl("--now")
        assert set(newsroom.states().values()) == {("refused", "hash_route")}
        assert newsroom.rows("select count(*) from pages where next_fetch_at is null") == [(13,)]
    assert set(site.asked) == {"/robots.txt", "/feed"}
    assert newsroom.rows("select found, refused from run_summary where run_id = 1") == [(13, 13)]
    code, said = check(newsroom)
    assert (code, said.partition(": 13 of 13 pages: an address behind `#`")[0]) == (1, "Harbour: empty")


def test_a_front_page_of_routes_is_empty_and_not_merged_into_one_page(site: Site, newsroom: Newsroom) -> None:
    links = "".join(f'<a href="#!/news/{number}">The council votes on pier {number} tonight</a>' for number in range(9))
    site.add("/", f"<title>App</title>{links}<script>location.hash || (location.href = '#!/home')</script>")
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"')
    newsroom.crawl()
    assert newsroom.states() == {f"{site.url}/#!/news/{number}": ("refused", "hash_route") for number in range(9)}
    assert newsroom.rows("select status from sources") == [("empty",)]


def test_a_redirect_to_a_route_ends_there(site: Site, newsroom: Newsroom) -> None:
    site.add("/12", status=302, Location="/#!/news/12")
    site.add("/13", "<script>location.replace('/#/news/13')</script>")
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\npages = ["{site.url}/12", "{site.url}/13"]')
    newsroom.crawl()
    assert newsroom.states() == {f"{site.url}/{number}": ("refused", "hash_route") for number in (12, 13)}
    assert "/" not in site.asked


def test_a_redirect_to_a_place_on_a_page_is_followed(site: Site, newsroom: Newsroom) -> None:
    for number, place in enumerate(("comments", "/photo/3")):
        site.add(f"/{number}", status=302, Location=f"/2026/11/pier-{number}#{place}")
        site.article(f"/2026/11/pier-{number}", f"The pier {number}", story(f"pier {number}"))
    pages = [f"{site.url}/0", f"{site.url}/1", f"{site.url}/#!/news/1"]
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\npages = {pages}')
    newsroom.crawl()
    assert newsroom.rows("select url from articles order by url") == [(f"{site.url}/2026/11/pier-{n}",) for n in (0, 1)]
    assert newsroom.states()[pages[2]] == ("refused", "hash_route")


def test_the_whole_text_of_a_feed_stands_for_a_route(site: Site, newsroom: Newsroom) -> None:
    texts = {f"{site.url}/#!/{name}": story(name) for name in ("pier", "quay")}
    entries = "".join(f"<entry><title>On it</title><link href='{url}'/><content type='html'>&lt;p&gt;{text}&lt;/p&gt;</content></entry>" for url, text in texts.items())  # fmt: skip
    site.add("/feed", f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>', kind="application/atom+xml")
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert newsroom.rows("select url, text_source from articles order by url") == [(url, "feed") for url in texts]
