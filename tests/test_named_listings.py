"""A source whose `url` is a feed or a sitemap itself: whole crawls over real HTTP on loopback."""

import gzip
import json
from collections.abc import Callable

import pytest

from tests.conftest import broadsheet
from tests.support.loopback import Site, story
from tests.support.newsroom import Newsroom
from tests.test_history import index, urlset


def rss(url: str, declared: str = "utf-8") -> str:
    items = f"<item><title>桟橋 Ścieżka</title><link>{url}</link></item>"
    return f'<?xml version="1.0" encoding="{declared}"?><rss version="2.0"><channel><title>N</title>{items}</channel></rss>'


def atom(url: str) -> str:
    entry = f'<entry><title>The pier</title><id>{url}</id><link href="{url}"/></entry>'
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>N</title>{entry}</feed>'


def json_feed(url: str) -> str:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [{"id": url, "url": url, "title": "x"}]})


def news_sitemap(url: str) -> str:
    space = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
    return (
        f"<urlset {space}><url><loc>{url}</loc><news:news><news:title>The pier</news:title></news:news></url></urlset>"
    )


def rdf(url: str) -> str:
    spaces = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
    return f"<rdf:RDF {spaces}><item><title>The pier</title><link>{url}</link></item></rdf:RDF>"


KINDS: dict[str, tuple[Callable[[str], bytes], str]] = {
    "rss": (lambda url: rss(url).encode(), "rss"),
    "rss-1": (lambda url: rdf(url).encode(), "rss"),
    "atom": (lambda url: atom(url).encode(), "atom"),
    "json": (lambda url: json_feed(url).encode(), "json"),
    "news-sitemap": (lambda url: news_sitemap(url).encode(), "news_sitemap"),
    "sitemap": (lambda url: urlset(url).encode(), "sitemap"),
    "text-sitemap": (lambda url: f"# all\n{url}\n".encode(), "sitemap"),
    "gzip": (lambda url: gzip.compress(rss(url).encode()), "rss"),
    "sitemap-gzip": (lambda url: gzip.compress(urlset(url).encode()), "sitemap"),
    "utf-16": (lambda url: rss(url, "utf-16").encode("utf-16"), "rss"),
    "json-utf-16": (lambda url: json_feed(url).encode("utf-16-le"), "json"),
    "json-mark": (lambda url: b"\xef\xbb\xbf" + json_feed(url).encode(), "json"),
    "text-utf-16": (lambda url: f"{url}\n".encode("utf-16"), "sitemap"),
    "iso-2022-jp": (lambda url: rss(url, "iso-2022-jp").replace("Ścieżka", "").encode("iso2022_jp"), "rss"),
    "warning-first": (lambda url: f"<br/><b>Warning</b>: line 3\n{rss(url)}".encode(), "rss"),
}  # fmt: skip


def test_a_feed_or_sitemap_that_is_called_the_source_is_its_entry_point(site: Site, newsroom: Newsroom) -> None:
    for name, (document, _) in KINDS.items():
        page = site.article(f"/{name}/story", f"The {name}", story(name))
        site.add(f"/{name}/list", document(page), kind="text/html", etag='"1"')
    newsroom.watch(*(f'url = "{site.url}/{name}/list"\nname = "{name}"' for name in KINDS))
    newsroom.crawl()
    assert dict(newsroom.rows("select sources.name, kind from feeds join sources on sources.id = source_id")) == {
        name: kind for name, (_, kind) in KINDS.items()
    }
    assert newsroom.rows("select count(*) from articles") == [(len(KINDS),)]
    asked = len(site.asked)
    newsroom.crawl()
    assert {*site.asked[asked:]} == {*site.not_modified} == {f"/{name}/list" for name in KINDS}
    assert newsroom.rows("select distinct status from sources") == [("ok",)]


def test_an_index_that_is_called_the_source_is_followed(site: Site, newsroom: Newsroom) -> None:
    page = site.article("/pier", "The pier", story("pier"))
    site.add("/part.xml", urlset(page), kind="text/xml")
    site.add("/maps.xml", index(f"{site.url}/part.xml"), kind="text/xml", packed=True)
    newsroom.watch(f'url = "{site.url}/maps.xml"')
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(1,)]
    assert "/feed" not in site.asked


def test_a_feed_that_is_called_the_source_and_fails_once_is_read_again(site: Site, newsroom: Newsroom) -> None:
    site.feed("/list", site.article("/pier", "The pier", story("pier")))
    newsroom.watch(f'url = "{site.url}/list"')
    newsroom.crawl()
    whole = site.answers["/list"]
    site.add("/list", "", 503)
    newsroom.crawl("--now", code=1)
    site.answers["/list"] = whole
    newsroom.change("update hosts set not_before = null")
    newsroom.crawl("--now")
    assert newsroom.rows("select kind, last_status from feeds") == [("rss", "ok")]


@pytest.mark.parametrize(
    "body", ["<!doctype html><feed-card></feed-card>", "<title>x</title><feed></feed>", "{}", "no"]
)
def test_a_page_that_holds_such_a_word_is_a_page(body: str, site: Site, newsroom: Newsroom) -> None:
    site.add("/", body)
    site.feed("/feed", site.article("/pier", "The pier", story("pier")))
    newsroom.watch(f'url = "{site.url}/"')
    newsroom.crawl()
    assert newsroom.rows("select count(*) from articles") == [(1,)]


def test_a_list_of_feeds_is_named_as_such(site: Site, newsroom: Newsroom) -> None:
    for path in ("/list.opml", "/feed.opml", "/new.opml"):
        site.add(path, '<opml version="2.0"><body><outline xmlUrl="/feed"/></body></opml>', kind="text/xml")
    newsroom.watch(
        f'url = "{site.url}/list.opml"\nname = "list"', f'url = "{site.url}/"\nfeeds = ["{site.url}/feed.opml"]'
    )
    newsroom.crawl(code=1)
    assert newsroom.rows("select last_status from feeds") == [("opml",), ("opml",)]
    done = broadsheet("sources", "add", f"{site.url}/new.opml", cwd=newsroom.folder)
    assert done.returncode == 1
    assert "`broadsheet sources import FILE` adds them" in done.stderr
