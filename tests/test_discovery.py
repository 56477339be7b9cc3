"""Feeds, sitemaps and front pages: which links they hold and what they say of them, sound or broken."""

import contextlib
import gzip
import json
import tracemalloc
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.items import MAX_CHILDREN, Hints, Link, Source
from crawler.parsers.feeds import MAX_ENTRIES, feed_says
from crawler.parsers.front_pages import looks_like_article, site_says
from crawler.parsers.links import MAX_BYTES, MAX_HINT_CHARS, NotAListing, Scope, iso_date
from crawler.parsers.listings import read_listing
from crawler.parsers.sitemaps import MAX_UNDATED
from tests.conftest import CORPUS
from tests.support.work import calls, ends

URL = "https://www.x.example/news/list"
SINCE = datetime(2026, 11, 1, 12, tzinfo=UTC)


def links(body: str | bytes, expected: str = "feed", since: datetime | None = None) -> dict[str, dict[str, Any]]:
    """Address -> what was said of it."""
    body = body.encode() if isinstance(body, str) else body
    return {
        link.url: {name: value for name, value in asdict(link.hints).items() if value}
        for link in read_listing(body, URL, expected, since).links
    }


def rss(items: str) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>X</title>{items}</channel></rss>'


def sitemap(entries: str, root: str = "urlset") -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{root}>'


def entry(name: str, inside: str = "") -> str:
    return f"<url><loc>https://www.x.example/{name}</loc>{inside}</url>"


def addresses(*names: str) -> list[str]:
    return [f"https://www.x.example/{name}" for name in names]


# Feeds


def test_rss_2_says_everything_it_can() -> None:
    item = """<item><title>AT&amp;T &lt;b&gt;up&lt;/b&gt;</title><link>/a?utm_source=rss&amp;id=1</link><author>desk@x.media (Jane Doe)</author>
        <pubDate>Sat, 07 Nov 2026 10:00:00 -0500</pubDate><description>&lt;p&gt;One.&lt;/p&gt;&lt;p&gt;Two&lt;script&gt;x()&lt;/script&gt;.&lt;/p&gt;</description>
        <enclosure url="https://i.x.example/a.mp3" type="audio/mpeg" length="1"/><enclosure url="https://i.x.example/a.jpg" type="image/jpeg" length="1"/></item>"""
    assert links(rss(f"<language>en-GB</language>{item}")) == {
        "https://www.x.example/a?id=1": {
            "title": "AT&T up", "description": "One. Two.", "authors": ("Jane Doe",), "date_published": "2026-11-07T10:00:00-05:00",
            "language": "en-GB", "image_url": "https://i.x.example/a.jpg",
        }
    }  # fmt: skip


def test_rss_1_is_read_with_dublin_core() -> None:
    feed = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
        <channel rdf:about="x"/><item rdf:about="https://www.x.example/1"><title>T</title><link>https://www.x.example/1</link><dc:creator>A</dc:creator>
        <dc:creator>B</dc:creator><dc:date>2026-11-01T10:00:00+01:00</dc:date><dc:language>de</dc:language></item></rdf:RDF>"""
    said = {"title": "T", "authors": ("A", "B"), "date_published": "2026-11-01T10:00:00+01:00", "language": "de"}
    assert (links(feed), read_listing(feed.encode(), URL, "feed").kind) == ({"https://www.x.example/1": said}, "rss")


def test_atom_takes_the_alternate_link_against_its_base() -> None:
    feed = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://www.x.example/base/">
        <entry xml:base="sub/"><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <b>B</b></div></title><author><name>Jane</name></author>
        <link rel="self" href="s"/><link rel="replies" href="r"/><link rel="alternate" href="a1"/><updated>2026-11-01T10:00:00Z</updated></entry>
        <entry><link rel="alternate" type="application/pdf" href="b.pdf"/><link rel="alternate" type="text/html" href="b.html"/></entry>
        <entry><title>no link</title><id>https://www.x.example/id</id></entry><entry><id>urn:x</id></entry></feed>"""
    assert links(feed) == {
        "https://www.x.example/base/sub/a1": {
            "title": "A B",
            "authors": ("Jane",),
            "date_published": "2026-11-01T10:00:00+00:00",
        },
        "https://www.x.example/base/b.html": {},
        "https://www.x.example/id": {"title": "no link"},
    }


@pytest.mark.parametrize(
    ("version", "author"),
    [("1", {"author": {"name": "Jane"}}), ("1.1", {"authors": [{"name": "Jane"}, {"name": "Jane"}, 5]})],
    ids=["1.0", "1.1"],
)
def test_json_feed_of_both_versions(version: str, author: dict[str, Any]) -> None:
    item = {
        "id": "1",
        "url": "/a",
        "title": "A \ud800b",
        "summary": "S",
        "date_published": "2026-11-01T10:00:00+01:00",
        "image": "/i.jpg",
    } | author
    items: list[Any] = [
        item,
        {"external_url": "https://www.x.example/b"},
        {"id": "https://www.x.example/c"},
        {"url": "http://[bad"},
        {"id": "4"},
        5,
        None,
    ]
    feed = json.dumps({"version": f"https://jsonfeed.org/version/{version}", "language": "en", "items": items})
    said = {
        "title": "A b", "description": "S", "authors": ("Jane",), "date_published": "2026-11-01T10:00:00+01:00", "language": "en",
        "image_url": "https://www.x.example/i.jpg",
    }  # fmt: skip
    assert links(feed) == {
        "https://www.x.example/a": said,
        "https://www.x.example/b": {"language": "en"},
        "https://www.x.example/c": {"language": "en"},
    }
    assert read_listing(feed.encode("utf-16"), URL, "feed") == read_listing(feed.encode(), URL, "feed")


def test_a_feeds_own_author_signs_the_entries_that_name_nobody() -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom"><author><name>The Ledger</name></author>
        <entry><link href="/a"/><author><name>Jane</name></author></entry><entry><link href="/b"/></entry></feed>"""
    items = [{"url": "/a", "authors": [{"name": "Jane"}]}, {"url": "/b"}]
    json_feed = {
        "version": "https://jsonfeed.org/version/1.1", "authors": [{"name": "The Ledger"}], "items": items,
    }  # fmt: skip
    signed = {
        "https://www.x.example/a": {"authors": ("Jane",)},
        "https://www.x.example/b": {"authors": ("The Ledger",)},
    }
    assert (links(atom), links(json.dumps(json_feed))) == (signed, signed)


@pytest.mark.parametrize(
    ("markup", "title"),
    [
        pytest.param("Plain", "Plain", id="plain"),
        pytest.param("AT&amp;T", "AT&T", id="ampersand"),
        pytest.param("AT&amp;amp;T", "AT&T", id="ampersand twice"),
        pytest.param("<![CDATA[A <em>b</em> &amp; c]]>", "A b & c", id="CDATA"),
        pytest.param("if a &lt; b and c &gt; d", "if a < b and c > d", id="no markup"),
        pytest.param("Caf&eacute;&nbsp;au lait", "Café au lait", id="undeclared entities"),
        pytest.param("A &lt;br/&gt; B&lt;i&gt;c&lt;/i&gt;", "A Bc", id="break and inline"),
        pytest.param(" A\n  B ", "A B", id="white space"),
        pytest.param("A\x07B", "AB", id="control character"),
        pytest.param("", None, id="empty"),
    ],
)
def test_a_title_is_plain_text(markup: str, title: str | None) -> None:
    assert (
        links(rss(f"<item><link>/a</link><title>{markup}</title></item>"))["https://www.x.example/a"].get("title")
        == title
    )


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ("<author>Jane Doe</author>", ("Jane Doe",)),
        ("<author>jane@x.com (Jane Doe)</author>", ("Jane Doe",)),
        ("<author>jane@x.com</author>", ()),
        ("<dc:creator>A</dc:creator><dc:creator>A</dc:creator>", ("A",)),
        ("<dc:creator><![CDATA[]]></dc:creator>", ()),
    ],
)
def test_an_author_is_a_name(author: str, names: tuple[str, ...]) -> None:
    assert links(rss(f"<item><link>/a</link>{author}</item>"))["https://www.x.example/a"].get("authors", ()) == names


@pytest.mark.parametrize(
    ("said", "iso"),
    [
        ("Sat, 07 Nov 2026 10:00:00 -0500", "2026-11-07T10:00:00-05:00"),
        ("Sat, 07 Nov 2026 10:00:00 GMT", "2026-11-07T10:00:00+00:00"),
        ("Sat, 07 Nov 2026 10:00:00 -0000", "2026-11-07T10:00:00+00:00"),
        ("2026-11-07T10:00:00Z", "2026-11-07T10:00:00+00:00"),
        ("2026-11-07T10:00:00.5+05:30", "2026-11-07T10:00:00.500000+05:30"),
        ("2026-11-07 10:00", "2026-11-07T10:00:00"),
        (" 2026-11-07 ", "2026-11-07"),
        ("gestern", "gestern"),
        ("0000-00-00T00:00:00Z", "0000-00-00T00:00:00Z"),
        ("  ", None),
        (None, None),
        (1762509600, None),
    ],
)  # fmt: skip
def test_a_date_keeps_its_offset_and_its_precision(said: object, iso: str | None) -> None:
    assert iso_date(said) == iso


@pytest.mark.parametrize(
    ("said", "iso"),
    [
        ("Tue, 03 Nov 2026 00:15:00 +09:00", "2026-11-03T00:15:00+09:00"),
        ("Tue, 03 Nov 2026 08:15:00 -05:30", "2026-11-03T08:15:00-05:30"),
        ("Tue, 03 Nov 2026 08:15:00 +9", "2026-11-03T08:15:00+09:00"),
        ("Tue, 03 Nov 2026 08:15:00 GMT+1", "2026-11-03T08:15:00+01:00"),
        ("Tue Nov 03 2026 08:15:00 GMT-0500 (Eastern Standard Time)", "2026-11-03T08:15:00-05:00"),
        ("Tue, 03 Nov 2026 08:15:00 JST", "2026-11-03T08:15:00+09:00"),
        ("Tue, 03 Nov 2026 08:15:00 MSK", "2026-11-03T08:15:00+03:00"),
        ("Tue, 03 Nov 2026 08:15:00 Europe/Paris", "2026-11-03T08:15:00+01:00"),
        ("Tue, 03 Nov 2026 08:15:00 QQT", "2026-11-03"),
        ("Tue, 03 Nov 2026 08:15:00 +9900", "2026-11-03"),
        ("Tue, Nov 03 2026 08:15:03 PM", "2026-11-03T20:15:03"),
        ("Tue, 3 Nov 2026 8:15 a.m. EST", "2026-11-03T08:15:00-05:00"),
        ("Nov 3 2026  8:15PM", "2026-11-03T20:15:00"),
        ("Tue, 03 Nov 2026 20:15:00 PM GMT", "2026-11-03T20:15:00+00:00"),
        ("Tue, 03 Nov 26 08:15:00 GMT", "2026-11-03T08:15:00+00:00"),
        ("Tue 03 Nov 2026, 08:15:00 GMT", "2026-11-03T08:15:00+00:00"),
        ("Tue, 03 Nov 2026T08:15:00Z", "2026-11-03T08:15:00+00:00"),
        ("Tue, 03 Nov 2026 24:00:00 GMT", "2026-11-04T00:00:00+00:00"),
        ("2026-11-03T24:00:00Z", "2026-11-04T00:00:00+00:00"),
        ("2026-11-03 08:15:00 +0900", "2026-11-03T08:15:00+09:00"),
        ("2026-11-03T08:15:00+01:00[Europe/Paris]", "2026-11-03T08:15:00+01:00"),
        ("2026-W45-2", "2026-11-03"),
        ("20261103T081500Z", "2026-11-03T08:15:00+00:00"),
        ("1793693700", "2026-11-03T08:15:00+00:00"),
        ("1793693700000", "2026-11-03T08:15:00+00:00"),
        ("05.11.2026 08:15", "2026-11-05T08:15:00"),
        ("03/12/2026", "2026-12-03"),
        ("03-12-2026 08:15", "2026-12-03T08:15:00"),
        ("Вт, 03 ноя 2026 08:15:00 +0300", "2026-11-03T08:15:00+03:00"),
        ("wto., 3 lis 2026 08:15:00 +0100", "2026-11-03T08:15:00+01:00"),
        ("uto, 3 lis 2026 08:15:00 +0100", "2026-10-03T08:15:00+01:00"),
        ("вт, 03 лис 2026 08:15:00 +0200", "2026-11-03T08:15:00+02:00"),
        ("Sal, 03 Kas 2026 08:15:00 +0300", "2026-11-03T08:15:00+03:00"),
        ("dom, 04 ott 2026 18:55:00 GMT", "2026-10-04T18:55:00+00:00"),
        ("Τρι, 03 Νοε 2026 08:15:00 +0200", "2026-11-03T08:15:00+02:00"),
        ("2026年11月3日 08:15", "2026-11-03T08:15:00"),
        ("Mon, 01 Jan 0001 00:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"),
        ("0001-01-01T00:00:00", "0001-01-01T00:00:00"),
        ("Wed, 30 Nov -0001 00:00:00 +0000", "Wed, 30 Nov -0001 00:00:00 +0000"),
        ("Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("1969-12-31T19:00:00-05:00", "1969-12-31T19:00:00-05:00"),
    ],
)  # fmt: skip
def test_nothing_of_a_date_is_dropped_without_a_word(said: str, iso: str) -> None:
    assert iso_date(said) == iso


@pytest.mark.parametrize(
    ("language", "said", "read"),
    [
        ("<language>en-us</language>", ("05/11/2026",), ("2026-05-11",)),
        ("<language>en-AU</language>", ("5/11/2026 8:15:03 PM",), ("2026-11-05T20:15:03",)),
        ("<language>de</language>", ("05/11/2026",), ("2026-11-05",)),
        ("", ("05/11/2026",), ("2026-11-05",)),
        ("", ("11/5/2026 8:15:03 PM",), ("2026-11-05T20:15:03",)),
        ("<language>en-us</language>", ("05/11/2026", "28/11/2026"), ("2026-11-05", "2026-11-28")),
        ("", ("11/05/2026", "11-28-2026"), ("2026-11-05", "2026-11-28")),
        ("<language>hr</language>", ("3. lis 2026",), ("2026-10-03",)),
    ],
    ids=["its country's", "another country's", "its language's", "nobody's", ".NET's", "its other dates'", "months first", "Croatian"],
)  # fmt: skip
def test_a_feed_s_dates_are_in_the_order_of_its_others_and_its_country(
    language: str, said: tuple[str, ...], read: tuple[str, ...]
) -> None:
    items = "".join(f"<item><link>/{number}</link><pubDate>{one}</pubDate></item>" for number, one in enumerate(said))
    assert tuple(one["date_published"] for one in links(rss(language + items)).values()) == read


def test_where_a_feed_names_no_language_its_source_s_counts() -> None:
    feed = rss("<item><link>/a</link><pubDate>05/11/2026</pubDate></item>").encode()
    american = Scope(source=Source(name="x", url=URL, language="en-US"))
    (link,) = read_listing(feed, URL, "feed", scope=american).links
    assert link.hints.date_published == "2026-05-11"


def test_when_an_entry_was_changed_is_read_as_its_other_dates_are() -> None:
    item = {"id": "n1", "url": "/a", "date_published": "05/11/2026", "date_modified": "28/11/2026"}
    json_feed = json.dumps({"version": "https://jsonfeed.org/version/1", "language": "en-AU", "items": [item]})
    dates = "<published>05/11/2026</published><updated>28/11/2026</updated>"
    atom = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>n1</id><link href="/a"/>{dates}</entry></feed>'
    plain = rss("<item><guid isPermaLink='false'>n1</guid><link>/a</link><pubDate>05/11/2026</pubDate></item>")
    read = [read_listing(feed.encode(), URL, "feed").links[0] for feed in (atom, json_feed, plain)]
    assert [(link.guid, link.updated) for link in read] == [("n1", "2026-11-28"), ("n1", "2026-11-28"), ("n1", None)]


def test_a_date_that_nobody_set_gives_way_to_the_other_one() -> None:
    dates = "<published>0001-01-01T00:00:00Z</published><updated>2026-11-03T08:15:00Z</updated>"
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="/a"/>{dates}</entry></feed>'
    item_of_json = {"url": "/a", "date_published": "0001-01-01T00:00:00", "date_modified": "2026-11-03T08:15:00Z"}
    json_feed = json.dumps({"version": "https://jsonfeed.org/version/1", "items": [item_of_json]})
    said = {"https://www.x.example/a": {"date_published": "2026-11-03T08:15:00+00:00"}}
    assert (links(feed), links(json_feed)) == (said, said)


@pytest.mark.parametrize(
    ("lastmod", "is_taken"),
    [
        ("05.11.2026", False), ("28.11.2026", True), ("03/12/2026", True), ("03-12-2026 08:15", True),
        ("Пн, 30 ноя 2026 08:15:00 +0300", True), ("Tue, 03 Nov 2026 08:15:00 JST", False), ("2026-11", True), ("2026-10", False),
        ("2026", True), ("2026-W48-6", True), ("0001-01-01T00:00:00", True), ("1970-01-01T00:00:00Z", True), ("1923-05-04", False),
    ],
)  # fmt: skip
def test_an_entry_of_a_sitemap_is_as_old_as_its_date_says(lastmod: str, is_taken: bool) -> None:
    since = datetime(2026, 11, 20, tzinfo=UTC)
    assert bool(links(sitemap(entry("a", f"<lastmod>{lastmod}</lastmod>")), "sitemap", since)) == is_taken


def test_a_news_sitemap_s_dates_are_read_as_a_feed_s() -> None:
    said = (
        "<n:news><n:title>A</n:title><n:publication_date>Вт, 03 ноя 2026 08:15:00 +03:00</n:publication_date></n:news>"
    )
    body = sitemap(entry("a", said)).replace(
        "<urlset", '<urlset xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"'
    )
    assert links(body, "sitemap") == {
        "https://www.x.example/a": {"title": "A", "date_published": "2026-11-03T08:15:00+03:00"}
    }


@settings(deadline=None, max_examples=30)
@given(st.text("абвгдеёжзклмноп", min_size=3, max_size=9))
def test_a_date_in_an_unknown_tongue_costs_little(word: str) -> None:
    iso_date("3 foo 2026")  # the table of all months
    assert calls(lambda: iso_date(f"{word} 3 {word} 2026")) < 600


# Addresses of feeds


@pytest.mark.parametrize(
    ("site", "link", "url"),
    [
        ("https://www.paper.example/", "/a/1", "https://www.paper.example/a/1"),
        ("https://www.paper.example/news/", "a/1", "https://www.paper.example/news/a/1"),
        ("https://x.example/", "/a/1", "https://www.x.example/a/1"),
        ("/", "/a/1", "https://www.x.example/a/1"),
        ("", "www.paper.example/a/1", "https://www.paper.example/a/1"),
        ("", "x.example/a/1", "https://x.example/a/1"),
        ("https://paper.example/", "paper.example/a/1?x=1", "https://paper.example/a/1?x=1"),
        ("", "www.html", "https://www.x.example/news/www.html"),
        ("", "a.example/1", "https://www.x.example/news/a.example/1"),
        ("", "/a?x=1&amp;amp;y=2", "https://www.x.example/a?x=1&y=2"),
        ("", "/a?x=1&amp;#038;y=2", "https://www.x.example/a?x=1&y=2"),
    ],
)
def test_a_feed_s_link_means_its_site_and_needs_no_scheme(site: str, link: str, url: str) -> None:
    channel = f"<link>{site}</link>" if site else ""
    assert list(links(rss(f"{channel}<item><link>{link}</link></item>"))) == [url]


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ("<link>/a</link><link>/a?amp=1</link>", "a"),
        ("<link>/a?amp=1</link><link>/a</link><guid isPermaLink='false'>/a</guid>", "a"),
        ("<link>/a</link><atom:link rel='self' href='/feed/a'/>", "a"),
        ("<atom:link rel='alternate' type='application/json' href='/a.json'/><link>/a</link>", "a"),
        ("<guid>https://www.x.example/a</guid>", "a"),
    ],
    ids=["the first", "the one it is known by", "no feed of its own", "a web page", "an address as its id"],
)
def test_of_several_links_of_an_item_the_page_is_taken(item: str, name: str) -> None:
    feed = rss(f"<item>{item}</item>").replace("<rss", '<rss xmlns:atom="http://www.w3.org/2005/Atom"')
    assert list(links(feed)) == addresses(name)


@pytest.mark.parametrize(
    ("language", "name"), [("en", "en"), ("fr-CA", "ca"), ("fr-BE", "fr"), ("ja", "en"), ("", "en")]
)
def test_of_an_entry_s_alternates_the_one_in_the_feed_s_language_is_taken(language: str, name: str) -> None:
    alternates = "".join(f'<link rel="alternate" hreflang="{tag}" href="/{path}"/>' for tag, path in
                         (("en", "en"), ("fr", "fr"), ("fr-ca", "ca")))  # fmt: skip
    said = f' xml:lang="{language}"' if language else ""
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"{said}><entry>{alternates}</entry></feed>'
    assert list(links(feed)) == addresses(name)


@pytest.mark.parametrize(
    ("feed", "names"),
    [
        ({"items": [{"url": "/a", "content_html": "<p>A</p>"}]}, addresses("a")),
        ({"home_page_url": "https://paper.example/", "items": [{"url": "a", "date_published": "x"}]}, ["https://paper.example/a"]),
        ({"items": [{"url": "/a", "title": "A"}]}, None),
        ({"items": [{"content_text": "A"}]}, None),
        ({"items": []}, None),
    ],
    ids=["no version", "elsewhere", "another list", "no address", "nothing"],
)  # fmt: skip
def test_a_json_feed_is_told_by_its_items_too(feed: dict[str, Any], names: list[str] | None) -> None:
    with contextlib.nullcontext() if names else pytest.raises(NotAListing):
        assert list(links(json.dumps(feed))) == names


def test_one_malformed_link_costs_only_itself() -> None:
    bad = (
        "http://[bad",
        "mailto:a@x.example",
        "https://u:p@x.example/",
        "https://x.example:99999/",
        "",
        "/" + "x" * 3000,
    )
    items = "".join(f"<item><link>{link}</link></item>" for link in ("/a", *bad, "/a#again", "/b"))
    assert list(links(rss(items))) == addresses("a", "b")


def test_the_first_mention_of_an_address_counts() -> None:
    items = "<item><link>/a</link><title>one</title></item><item><link>/a?utm_source=x</link><title>two</title></item>"
    assert links(rss(items)) == {"https://www.x.example/a": {"title": "one"}}


# Broken and hostile XML

BILLION_LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a0 "lol">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)) + "]>"
)
OUTSIDE = '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd" [<!ENTITY a9 SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("doctype", [BILLION_LAUGHS, OUTSIDE], ids=["billion laughs", "external entity"])
def test_entities_of_a_doctype_are_not_expanded(doctype: str) -> None:
    news = '<news xmlns="http://www.google.com/schemas/sitemap-news/0.9"><title>&a9;</title></news>'
    feed = f'<?xml version="1.0"?>{doctype}<rss version="2.0"><channel><item><link>/a</link><title>&a9;</title></item></channel></rss>'
    assert links(feed)["https://www.x.example/a"].get("title") in (None, "&a9;")
    assert links(f"{doctype}<urlset>{entry('a', news)}</urlset>", "sitemap") == {
        "https://www.x.example/a": {"title": "&a9;"}
    }


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(sitemap(entry("a?x=1&y=2") + entry("b?x=1&amp;y=2")).encode(), id="bare ampersand"),
        pytest.param(sitemap(entry("a?x=1&amp;y=2", "<t>&eacute;</t>") + entry("b?x=1&amp;y=2")).encode(), id="undeclared entity"),
        pytest.param(sitemap(entry("a?x=1&amp;y=2", "<t>\x01\x00</t>") + entry("b?x=1&amp;y=2")).encode(), id="control characters"),
        pytest.param(sitemap(entry("a?x=1&amp;y=2", "<t>\xe9</t>") + entry("b?x=1&amp;y=2")).encode("latin-1"), id="Latin-1 called UTF-8"),
        pytest.param(sitemap(entry("a?x=1&amp;y=2") + entry("b?x=1&amp;y=2")).replace("UTF-8", "UTF-16").encode(), id="UTF-8 called UTF-16"),
        pytest.param(sitemap(entry("a?x=1&amp;y=2") + entry("b?x=1&amp;y=2")).replace("UTF-8", "utf8mb4").encode(), id="unknown encoding"),
        pytest.param(sitemap(entry("a?x=1&amp;y=2") + entry("b?x=1&amp;y=2")).encode("utf-16"), id="UTF-16"),
        pytest.param(("\n \n" + sitemap(entry("a?x=1&amp;y=2") + entry("b?x=1&amp;y=2"))).encode(), id="space before the declaration"),
        pytest.param(sitemap(entry("a?x=1&amp;y=2") + entry("b?x=1&amp;y=2") + "<url><loc>https://www.x.exam").encode()[:-9], id="cut off"),
        pytest.param(sitemap(entry("a?x=1&y=2") + entry("b?x=1&y=2")).encode().partition(b"</url></urlset>")[0], id="cut off after an address"),
        pytest.param(sitemap("<!-- x -->" + entry("a?x=1&amp;y=2") + entry("<!-- y -->b?x=1&amp;y=2")).encode(), id="comments"),
        pytest.param(sitemap(entry("a?x=1&amp;y=2") + "<url><loc><![CDATA[ https://www.x.example/b?x=1&y=2 ]]></loc></url>").encode(), id="CDATA"),
        pytest.param(b"<!-- --><x:y z:w='1'>" + sitemap(entry("a?x=1&amp;y=2") + entry("b?x=1&amp;y=2")).encode()[38:], id="undeclared prefix"),
        pytest.param(sitemap(entry("a?x=1&amp;amp;y=2") + entry("b?x=1&amp;y=2")).encode(), id="escaped twice"),
    ],
)  # fmt: skip
def test_what_is_sound_of_a_broken_sitemap_is_read(body: bytes) -> None:
    assert list(links(body, "sitemap")) == addresses("a?x=1&y=2", "b?x=1&y=2")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss("<item><link>/a</link></item><item><link>/b</link></item>").encode()[:-23], id="cut off"),
        pytest.param(rss("<item><link>/a</link><title>&nbsp;&bogus; \xe9</title></item><item><link>/b</link></item>").encode("latin-1"), id="Latin-1 called UTF-8"),
        pytest.param(rss("<item><link>/a</link></item><item><link>/b</link></item>").replace("utf-8", "utf-16").encode("utf-16"), id="UTF-16"),
        pytest.param(rss("<item><link>/a</link><title>\x01</title></item><item><link>/b</link></item>").encode(), id="control characters"),
        pytest.param(b"\n\n" + rss("<item><link>/a</link></item><item><link>/b</link></item>").encode(), id="space before the declaration"),
    ],
)  # fmt: skip
def test_what_is_sound_of_a_broken_feed_is_read(body: bytes) -> None:
    assert list(links(body)) == addresses("a", "b")


@pytest.mark.parametrize(
    ("declared", "codec", "title"),
    [
        ("ISO-2022-JP", "iso2022_jp", "港の古い桟橋"),
        ("iso-8859-2", "iso8859_2", "Ścieżka"),
        ("utf-8", "latin-1", "Café"),
        ("hz-gb-2312", "hz", "旧码头"),
    ],
)
def test_a_feed_is_read_in_its_own_encoding(declared: str, codec: str, title: str) -> None:
    feed = rss(f"<item><link>/a</link><title>{title}</title></item>").replace("utf-8", declared)
    assert read_listing(feed.encode(codec), URL, "feed").links[0].hints.title == title


def test_half_an_address_is_no_address() -> None:
    whole = sitemap(entry("a") + entry("story-12345"))
    assert list(links(whole[: whole.index("345</loc>")], "sitemap")) == addresses("a")


@pytest.mark.parametrize(
    ("body", "expected", "reason"),
    [
        (b"", "feed", "not_a_feed"), (b"", "sitemap", "not_a_sitemap"), (b"<html><body>Not found</body></html>", "feed", "not_a_feed"),
        (b"<html><body>Not found</body></html>", "news_sitemap", "not_a_sitemap"), (b"{}", "feed", "not_a_feed"), (b'{"version": 1, "items": []}', "feed", "not_a_feed"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": {}}', "feed", "not_a_feed"), (b"{" * 9999, "feed", "not_a_feed"),
        (b'{"a": ' + b"[" * 99999, "feed", "not_a_feed"), (b"\x1f\x8b", "sitemap", "damaged_gzip"), (b"", "homepage", "not_a_page"),
        (b"<a " + b"x=1 " * 1001 + b">", "homepage", "too_complex"),
    ],
    ids=range(12),
)  # fmt: skip
def test_what_is_something_else_is_named(body: bytes, expected: str, reason: str) -> None:
    with pytest.raises(NotAListing, match=f"^{reason}$"):
        read_listing(body, URL, expected)


# gzip

PACKED = gzip.compress(sitemap("".join(entry(f"story-{n * 7919 % 100003}-{n}") for n in range(5000))).encode())


@pytest.mark.parametrize(
    ("body", "fewest"),
    [
        pytest.param(PACKED, 5000, id="sound"),
        pytest.param(PACKED[:-4], 5000, id="without its end"),
        pytest.param(PACKED[:-8] + b"\0" * 8, 3000, id="wrong checksum"),
        pytest.param(PACKED[: len(PACKED) // 2], 2000, id="cut in half"),
        pytest.param(PACKED[: len(PACKED) // 2] + b"\xff" * 999, 800, id="damaged in the middle"),
        pytest.param(gzip.compress(sitemap(entry("x")).encode()[:60]) + gzip.compress(sitemap("".join(entry(str(n)) for n in range(9))).encode()[60:]), 9, id="two members"),
        pytest.param(PACKED + b"\0" * 512, 5000, id="padded"),
    ],
)  # fmt: skip
def test_gzip_is_told_by_its_first_bytes_and_read_as_far_as_it_is_sound(body: bytes, fewest: int) -> None:
    since = datetime(2000, 1, 1, tzinfo=UTC)
    dated = read_listing(body, URL, "sitemap", since).links
    assert min(fewest, MAX_UNDATED) <= len(dated) <= 5000


def test_a_gzip_bomb_is_read_to_the_limit_only() -> None:
    bomb = gzip.compress(b" " * 20 * MAX_BYTES, 1)
    tracemalloc.start()
    with pytest.raises(NotAListing):
        read_listing(bomb, URL, "sitemap")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * MAX_BYTES


@pytest.mark.parametrize(
    "inside",
    [
        "<link>#</link><guid>{0}</guid>",
        "<link>javascript:void(0)</link><guid isPermaLink='false'>{0}</guid>",
        "<link></link><guid>{0}</guid>",
        "<guid>{0}</guid>",
        "<link>{0}</link><guid>https://other.example/1</guid>",
    ],
)
def test_an_entry_is_where_its_id_says_when_its_link_is_none(inside: str) -> None:
    found = links(rss(f"<item>{inside.format('https://www.x.example/one')}</item>"))
    assert list(found) == addresses("one")


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_a_feed_and_a_sitemap_of_wide_characters_are_read(codec: str) -> None:
    feed = rss("<item><title>Größe</title><link>/one</link></item>")
    assert links(feed.encode(codec)) == {"https://www.x.example/one": {"title": "Größe"}}
    assert list(links(sitemap(entry("one")).encode(codec), "sitemap")) == addresses("one")


def test_what_a_server_says_before_a_document_is_passed_over() -> None:
    notice = "<!--" + " cached " * 2000 + "--><br/><b>Warning</b>: no such file on line <b>3</b><br/>"
    assert list(links(notice + rss("<item><link>/one</link></item>"))) == addresses("one")
    assert list(links(notice + sitemap(entry("one")), "sitemap")) == addresses("one")


def test_a_feed_that_breaks_off_in_an_address_keeps_the_others() -> None:
    feed = rss("<item><link>/one</link></item><item><link>/twenty-five</link></item>")
    assert list(links(feed[: feed.index("-five")])) == addresses("one")
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="/one"/></entry><entry><link href="/twen'
    assert list(links(atom)) == addresses("one")


CATEGORY = "<category><![CDATA[News {0}]]></category><category>b{0}</category><category term='{0}'/>"


def test_categories_are_not_read() -> None:
    one, many = (
        rss(f"<item><link>/one</link>{''.join(map(CATEGORY.format, range(number)))}</item>") for number in (1, 1000)
    )
    assert list(links(many)) == addresses("one")
    assert calls(lambda: links(many)) < calls(lambda: links(one)) + 500  # some are the garbage collector's observers


def test_a_number_of_a_json_feed_may_be_of_any_length() -> None:
    body = '{"version": "https://jsonfeed.org/version/1.1", "x": %s, "items": [{"url": "/one"}]}' % ("9" * 5000)
    assert list(links(body)) == addresses("one")


# Sitemaps


def test_a_sitemap_may_be_packed_twice_and_a_list_have_comments() -> None:
    assert list(links(gzip.compress(gzip.compress(sitemap(entry("one")).encode())), "sitemap")) == addresses("one")
    lines = "# all pages\nhttps://www.x.example/one\nhttps://www.x.example/two\n"
    assert list(links(lines, "sitemap")) == list(links(lines.encode("utf-16"), "sitemap")) == addresses("one", "two")


@pytest.mark.parametrize(
    "opening",
    [
        pytest.param('<n:news xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">', id="any prefix"),
        pytest.param('<n:news xmlns:n="https://www.google.com/schemas/sitemap-news/0.9/">', id="wrong namespace"),
        pytest.param("<n:news>", id="undeclared prefix"),
    ],
)
def test_a_news_sitemap_says_title_date_and_language(opening: str) -> None:
    news = f"""{opening}<n:publication><n:name>X</n:name><n:language>en</n:language></n:publication>
        <n:publication_date>2026-11-07T10:00:00+01:00</n:publication_date><n:title>Caf&eacute; &amp; bar</n:title></n:news>"""
    image = '<i:image xmlns:i="http://www.google.com/schemas/sitemap-image/1.1"><i:loc>/i.jpg</i:loc></i:image>'
    body = sitemap(entry("a", f"{image}<lastmod>2020-01-01</lastmod>{news}"))
    said = {
        "title": "Café & bar",
        "date_published": "2026-11-07T10:00:00+01:00",
        "language": "en",
        "image_url": "https://www.x.example/i.jpg",
    }
    assert (links(body, "sitemap", SINCE), read_listing(body.encode(), URL, "sitemap").kind) == (
        {"https://www.x.example/a": said},
        "news_sitemap",
    )


@pytest.mark.parametrize(
    ("name", "lastmod", "taken"),
    [
        ("a", "2026-11-01T12:00:00Z", True),
        ("a", "2026-11-01T11:59:59Z", False),
        ("a", "2026-11-01T13:00:00+02:00", False),
        ("a", "2026-11-01", True),
        ("a", "2026-10-31", False),
        ("a", "gestern", True),
        ("a", "", True),
        ("2026/11/01/a", "", True),
        ("2026/10/31/a", "", False),
        ("20261031/a", "", False),
        ("2026-10-31-a", "", False),
        ("2026/11/a", "", True),
        ("2026/10/a", "", False),
        ("20261099", "", True),
        ("article/20121234", "", True),
        ("2020/01/01/a", "2026-11-02", True),
    ],
)
def test_of_a_sitemap_nothing_older_than_since_is_taken(name: str, lastmod: str, taken: bool) -> None:
    found = links(sitemap(entry(name, f"<lastmod>{lastmod}</lastmod>")), "sitemap", SINCE)
    assert list(found) == (addresses(name) if taken else [])


def test_a_month_in_an_address_lasts_to_its_last_day() -> None:
    since = datetime(2026, 10, 31, 12, tzinfo=UTC)
    assert list(links(sitemap(entry("2026/10/a")), "sitemap", since)) == addresses("2026/10/a")


def test_a_sitemap_names_only_its_own_site() -> None:
    body = sitemap(
        "<url><loc>https://m.x.example/a</loc></url><url><loc>https://y.example/b</loc></url><url/><url><loc/></url>"
    )
    assert list(links(body, "sitemap")) == ["https://m.x.example/a"]


@pytest.mark.parametrize(
    ("numbers", "first"),
    [(range(1, 3001), 2001), (range(3000, 0, -1), 3000)],
    ids=["oldest first", "newest first"],
)
def test_of_undated_entries_the_newest_thousand_are_taken(numbers: range, first: int) -> None:
    found = list(links(sitemap("".join(entry(f"story/{number}") for number in numbers)), "sitemap", SINCE))
    assert (len(found), found[0]) == (MAX_UNDATED, f"https://www.x.example/story/{first}")


def test_a_sitemap_index_names_its_children_newest_first() -> None:
    def child(name: str, lastmod: str) -> str:
        return f"<sitemap><loc>{name}</loc><lastmod>{lastmod}</lastmod></sitemap>"

    body = sitemap(
        child("/undated.xml", "") + child("/old.xml", "2026-10-31") + child("/b.xml", "2026-11-01") + child("/a.xml.gz", "2026-11-07T10:00:00Z")
        + child("https://y.example/c.xml", "2026-11-07") + child(URL, "2026-11-07") + child("/b.xml", "2026-11-01"),
        "sitemapindex",
    )  # fmt: skip
    reading = read_listing(body.encode(), URL, "sitemap", SINCE)
    children = [child.url for child in reading.children]
    assert (reading.kind, reading.links, children[0]) == ("sitemap", (), "https://y.example/c.xml")
    assert sorted(children[1:]) == addresses("a.xml.gz", "b.xml", "undated.xml")
    assert reading.resting == ("https://www.x.example/old.xml",)


def test_only_so_many_children_are_followed() -> None:
    body = sitemap("".join(f"<sitemap><loc>/{number}.xml</loc></sitemap>" for number in range(200)), "sitemapindex")
    assert len(read_listing(body.encode(), URL, "sitemap").children) == MAX_CHILDREN


def test_a_text_sitemap_has_an_address_a_line() -> None:
    body = "\ufeffhttps://www.x.example/a\r\n\r\nhttps://y.example/b\r\nnonsense [\r\nhttps://www.x.example/c"
    assert list(links(body, "sitemap")) == addresses("a", "c")


# Front pages


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/2026/11/07/talks", "Talks"), ("/2026/11/talks.html", ""), ("/20261107/talks", ""), ("/politik/article123456789/", ""), ("/a/12345.html", ""),
        ("/news/world-europe-68512345", ""), ("/politics/the-mayor-opens-a-bridge", ""), ("/politics/the_mayor_opens_a_bridge.html", ""),
        ("/story12.htm", "Mayor opens the new bridge at last"), ("/story.html?id=7", "Bürgermeister eröffnet nach Jahren neue Brücke"),
        ("/kultur/x", "Новый мост открыли в центре города"), ("/a", "افتتح رئيس البلدية الجسر الجديد"), ("/n/7", "市長が新しい橋の開通式に出席した"),
        ("/n/8", "시장이 새로운 다리의 개통식에 참석했다"), ("/n/9", "นายกเทศมนตรีเปิดสะพานใหม่ในใจกลางเมือง"), ("/archives/4711", "Mayor opens the new bridge at last"),
        ("/people/the-mayor-opens-a-bridge", ""), ("/abo/the-mayor-opens-a-bridge", ""), ("/weather/storm-hits-the-north-coast", ""),
    ],
)  # fmt: skip
def test_this_looks_like_an_article(path: str, text: str) -> None:
    assert looks_like_article(f"https://www.x.example{path}", text, "https://www.x.example/")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "The front page of our fine paper"), ("/index.html", "The front page of our fine paper"), ("/politics/", "Politics"), ("/a", "Read more"),
        ("/2026/11/07/", "7"), ("/2026/11/", "November"), ("/tag/new-york-city-council/", ""), ("/author/jane-van-der-berg", ""), ("/category/a-b-c-d", ""),
        ("/search?q=x", "Find what you are looking for"), ("/login", "Log in to read all of it"), ("/video/12345678", ""), ("/photo-of-the-day-1.jpg", ""),
        ("/report-of-the-year.pdf", ""), ("/archives/", "All that we wrote since 1999"), ("/archives/2019/05", "All that we wrote in May"),
        ("/impressum.html", "Wer wir sind und wie man uns erreicht"), ("/jobs", "Come and work with us here"), ("/news/page/12345", ""), ("/rss/news.xml", ""),
        ("/n", "最新ニュース"), ("/wp-json/wp/v2/posts/12345", ""),
    ],
)  # fmt: skip
def test_this_does_not_look_like_an_article(path: str, text: str) -> None:
    assert not looks_like_article(f"https://www.x.example{path}", text, "https://www.x.example/")


def test_another_site_and_the_page_itself_are_no_articles() -> None:
    here = "https://www.x.example/news/"
    assert [
        looks_like_article(link, "Mayor opens the new bridge", here)
        for link in ("https://y.example/a", here, "https://m.x.example/a")
    ] == [False, False, True]


def test_a_front_page_gives_its_articles_in_order_with_the_longest_text() -> None:
    page = """<a href="/a"><img></a> <a href="/b">More</a> <a href="/a"> Mayor opens the <b>new</b> bridge </a> <a href="http://[bad">x y z a b c</a>
        <a href="/c">one <!-- two three four five six --></a> <a href="javascript:x()">Mayor opens the new bridge</a> <a>Mayor opens the new bridge</a>
        <a href="#top">Mayor opens the new bridge</a>"""
    assert list(links(page, "homepage")) == addresses("a")


@pytest.mark.parametrize(
    ("page", "found"),
    [
        pytest.param(b'<base href="/old/"><a href="a-b-c-d">x</a>', "old/a-b-c-d", id="base"),
        pytest.param(b'<base href="http://[bad"><a href="/a-b-c-d">x</a>', "a-b-c-d", id="unusable base"),
        pytest.param('<a href="/я-б-в-г">x</a>'.encode(), "%D1%8F-%D0%B1-%D0%B2-%D0%B3", id="UTF-8 without a charset"),
        pytest.param(
            '<meta charset="windows-1251"><a href="/я-б-в-г">x</a>'.encode("cp1251"),
            "%D1%8F-%D0%B1-%D0%B2-%D0%B3",
            id="windows-1251",
        ),
        pytest.param('<a href="/a-b-c-d">x</a>'.encode("utf-16"), "a-b-c-d", id="UTF-16"),
        pytest.param(b"<font>" * 500 + b'<a href="/a-b-c-d">x</a>', "a-b-c-d", id="500 levels deep"),
        pytest.param(b'<a href=" /a-b-c-d?x=1&amp;y=2 ">x</a>', "a-b-c-d?x=1&y=2", id="parameters"),
    ],
)
def test_links_are_read_from_every_kind_of_page(page: bytes, found: str) -> None:
    assert list(links(page, "homepage")) == addresses(found)


FRONT_PAGES = {
    "ISO-2022-JP": ("iso2022_jp", '<meta charset="iso-2022-jp">', "港の古い桟橋が冬を前に閉鎖へ"),
    "ISO-2022-JP undeclared": ("iso2022_jp", "", "港の古い桟橋が冬を前に閉鎖へ"),
    "Shift_JIS undeclared": ("shift_jis", "", "港の古い桟橋が冬を前に閉鎖へ、市は来春の再開を目指す"),
    "ISO-2022-KR": ("iso2022_kr", '<meta charset="iso-2022-kr">', "낡은 부두를 겨울이 오기 전에 폐쇄한다"),
    "HZ": ("hz", '<meta charset="hz-gb-2312">', "冬天到来之前旧码头将会关闭"),
    "UTF-16": ("utf-16", "", "港の古い桟橋が冬を前に閉鎖へ"),
    "KOI8-R": ("koi8-r", '<meta charset="koi8-r">', "Старую пристань закроют до самой зимы"),
    "UTF-8 called Latin-1": ("utf-8", '<meta charset="iso-8859-1">', "港の古い桟橋が冬を前に閉鎖へ"),
}


@pytest.mark.parametrize(("codec", "meta", "headline"), FRONT_PAGES.values(), ids=FRONT_PAGES)
def test_a_front_page_is_read_in_its_own_encoding(codec: str, meta: str, headline: str) -> None:
    page = (
        f'<html><head>{meta}<meta property="og:site_name" content="{headline}"></head>'
        f'<body><p>{headline}</p><a href="/a">{headline}</a><a href="/b">abc</a></body></html>'
    ).encode(codec)
    assert list(links(page, "homepage")) == addresses("a")
    assert site_says(page, "https://x.example/")["name"] == headline


@pytest.mark.parametrize(
    ("link", "announced"),
    [
        ('<link rel="alternate" type="application/rss+xml" href="/feed">', True),
        ('<LINK REL="Alternate feed" TYPE="application/atom+xml; charset=utf-8" HREF="/feed">', True),
        ('<link rel="alternate" type="application/feed+json" href="/feed">', True),
        ('<link rel="alternate" type="application/json" href="/feed">', True),
        ('<link rel="alternate" type="application/rss+xml" href="/feed" title="Comment and debate">', True),
        ('<link rel="alternate" type="application/rss+xml" href="/comments/feed">', False),
        ('<link rel="alternate" type="application/rss+xml" href="/feed" title="X » Comments Feed">', False),
        ('<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/2?feed">', False),
        ('<link rel="alternate" type="application/json+oembed" href="/wp-json/oembed/1.0/embed?url=feed">', False),
        ('<link rel="alternate" hreflang="de" href="/feed">', False),
        ('<link rel="stylesheet" type="application/rss+xml" href="/feed">', False),
        ('<link rel="alternate" type="application/rss+xml">', False),
    ],
)
def test_feeds_that_a_page_announces(link: str, announced: bool) -> None:
    assert list(read_listing(link.encode(), URL, "homepage").feeds) == (addresses("feed") if announced else [])


# Laws

SEEDS = [
    rss('<item><title>A &amp; b</title><link>/a</link><pubDate>Sat, 07 Nov 2026 10:00:00 GMT</pubDate><media:content url="/i"/></item>').encode(),
    sitemap(entry("a", "<lastmod>2026-11-07</lastmod>")).encode(), PACKED[:200], sitemap("<sitemap><loc>/b</loc></sitemap>", "sitemapindex").encode(),
    b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="a"/><title type="html">&lt;p</title><updated>2026</updated></entry></feed>',
    b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"url": "/a", "authors": [{"name": "x"}], "image": 5}]}',
    b'<base href="/x"><link rel="alternate" type="application/rss+xml" href="/f"><a href="/a-b-c-d">a &lt; b</a>', "<urlset>é</urlset>".encode("utf-16"),
    *(file.read_bytes()[:3000] for file in sorted(Path(CORPUS).rglob("*.*")) if file.suffix in (".xml", ".rss", ".atom", ".json", ".gz")),
]  # fmt: skip
KINDS = st.sampled_from(["feed", "sitemap", "news_sitemap", "homepage"])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    body = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.binary(max_size=4)) + body[at + draw(st.integers(0, 40)) :]
    return body


@settings(deadline=None)
@given(st.one_of(damaged(), st.binary(max_size=200)), KINDS)
def test_no_bytes_give_anything_but_a_reading_or_a_named_refusal(body: bytes, expected: str) -> None:
    with contextlib.suppress(NotAListing):
        reading = read_listing(body, URL, expected, SINCE)
        assert all(isinstance(link, Link) and isinstance(link.hints, Hints) for link in reading.links)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=40), st.from_regex(r"\d{1,5}[-./ T:]\d{1,5}([-./ T:+]\w{1,5}){0,4}", fullmatch=True)))
def test_no_date_breaks_the_reader(said: str) -> None:
    assert iso_date(said) is not None or not said.strip()


# Time

MANY = "".join(entry(f"news/{number}", "<lastmod>2026-11-07T10:00:00+00:00</lastmod>") for number in range(50_000))


def test_an_address_of_a_sitemap_is_split_once_and_an_old_one_never() -> None:
    """Some forty calls each; splitting by the standard library alone takes sixty."""
    several = "".join(entry(f"news/{n}", f"<lastmod>2026-11-0{1 + n % 7}T10:00:00Z</lastmod>") for n in range(1_000))
    body, later = sitemap(several).encode(), datetime(2026, 11, 8, tzinfo=UTC)
    read_listing(body, URL, "sitemap")  # what is remembered of the host
    assert calls(lambda: read_listing(body, URL, "sitemap")) < 60 * 1_000
    assert calls(lambda: read_listing(body, URL, "sitemap", later)) < 30 * 1_000


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(sitemap(MANY).encode(), "sitemap", id="a full sitemap"),
        pytest.param(b'<a href="/' + b"a-" * 100_000 + b'/x">x</a>', "homepage", id="long slug"),
        pytest.param(b'<a href="/' + b"news/" * 40_000 + b'">x</a>', "homepage", id="long path"),
        pytest.param(b"<a " * 100_000, "homepage", id="opened tags"),
        pytest.param(b"<a href=/a-b-c-d>" * 50_000, "homepage", id="unclosed links"),
        pytest.param(b"<b>" * 200_000, "homepage", id="deep page"),
        pytest.param(b"<rss><channel><item><title>" + b"<p><a b" * 10_000, "feed", id="broken feed"),
        pytest.param(b'{"version": "jsonfeed.org", "items": [{"url": "/a", "title": "' + b"<!--" * 50_000 + b'"}]}', "feed", id="opened comments"),
        pytest.param(b"<urlset>" + b"<url>" * 100_000, "sitemap", id="deep sitemap"),
        pytest.param(gzip.compress(b"") * 200_000, "sitemap", id="many members"),
        pytest.param(b"<urlset " + b" ".join(b"a%d='1'" % number for number in range(50_000)) + b"/>", "sitemap", id="many attributes"),
    ],
)  # fmt: skip
def test_nothing_takes_quadratic_time(body: bytes, expected: str) -> None:
    assert ends(lambda: read_listing(body, URL, expected))


# What a site calls itself


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<rss><channel><title>Tide &amp;amp; Time</title><link>/news/</link></channel></rss>", {"name": "Tide & Time", "site": "https://x.example/news/"}),
        (b'{"version": "https://jsonfeed.org/version/1.1", "title": "Tide", "home_page_url": "https://tide.example"}', {"name": "Tide", "site": "https://tide.example/"}),
        (b"<feed><title></title><link href='javascript:1'/></feed>", {"name": None, "site": None}),
        (b'{"title": ', {"name": None, "site": None}),
        (b"\x1f\x8b\x08\0", {"name": None, "site": None}),
        (b"<rss><channel><title>Tide</title><item><title>&#99999999999;</title></item>" + b"<item>" * 10_000, {"name": None, "site": None}),
    ],
    ids=["RSS", "JSON", "says nothing", "broken", "damaged gzip", "beyond Unicode"],
)  # fmt: skip
def test_a_feed_says_what_its_site_is_called_and_where_it_is(body: bytes, said: dict[str, str | None]) -> None:
    assert feed_says(body, "https://x.example/feed") == said


@pytest.mark.parametrize(
    ("title", "url", "name"),
    [
        ("The Pier Gazette", "https://www.piergazette.example/", "The Pier Gazette"),
        ("News, all day | The Pier Gazette", "https://piergazette.example/", "The Pier Gazette"),
        ("Lindentaler Bote: Nachrichten", "https://www.lindentaler-bote.example/", "Lindentaler Bote"),
        ("Home - BBC News - Latest", "https://www.bbc.example/", "BBC News"),
        ("潮見崎新報", "https://www.shiomizaki.example/", "潮見崎新報"),
        ("Corvane &amp; Sons", "https://corvaneandsons.example/", None),
        ("Inicio | El Paseo Dominical", "https://elpaseo.example/", "El Paseo Dominical"),
        ("Nordküste: Aktuelles", "https://www.nordkuste.example/", "Nordküste"),
        ("Home", "https://piergazette.example/", None),
        ("All that is new today in our town and in the next", "https://x.example/", None),
        ("Latest | Breaking", "https://piergazette.example/", None),
        ("", "https://piergazette.example/", None),
    ],
)
def test_the_part_of_a_front_page_s_title_that_is_a_name(title: str, url: str, name: str | None) -> None:
    page = f'<html lang="en-GB"><title>{title}</title>'.encode()
    assert site_says(page, url) == {"name": None, "language": "en-GB", "title": name}


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (
            b'<meta property="og:site_name" content=" The&nbsp;Pier "><meta property="og:site_name" content="B">',
            "The Pier",
        ),
        (b"<title>Home</title>", None),
        (b"<p " + b"a " * 5000 + b">", None),
    ],
)
def test_a_front_page_says_what_the_site_is_called(body: bytes, name: str | None) -> None:
    assert site_says(body, "https://x.example/").get("name") == name


def item(path: str) -> str:
    return f"<item><title>Item</title><link>https://www.x.example/{path}</link></item>"


@pytest.mark.parametrize(
    "feed",
    [
        "<rss><channel>" + (item("a") + item("b")).replace("</item>", "").replace("</title>", ""),
        "<!DOCTYPE rss [" + '<!ENTITY e "x">' * 9000 + f"]><rss><channel>{item('a')}{item('b')}</channel></rss>",
        f"<rss><item {' '.join(f'a{one}=1' for one in range(20_000))}>{item('a')}{item('b')}</rss>",
        f"<?xml version='1.0' encoding='utf-16'?><rss><channel>{item('a')}{item('b')}</channel></rss>",
        f"<rss><channel>{item('a').replace('</item>', '<pubDate>Tue, 03 Nov 2026 08:15 -9900</pubDate></item>')}{item('b')}</rss>",
        f"<rss><{'a' * 2_000_000}>{item('a')}{item('b')}</rss>",
        f"<rss><channel><title>&#1114112;&#x110000;&#99999999999;&#x{'F' * 5000};</title>{item('a')}{item('b')}</rss>",
        f"<rss><channel>{item('a').replace('</item>', f'<pubDate>1:{9:9<29}</pubDate></item>')}{item('b')}</rss>",
    ],
    ids=[
        "nothing closed",
        "long DTD",
        "attributes",
        "wrong encoding",
        "offset of 99 hours",
        "endless tag",
        "beyond Unicode",
        "endless second",
    ],
)
def test_a_broken_or_hostile_feed_gives_its_good_entries(feed: str) -> None:
    assert set(links(feed)) == {"https://www.x.example/a", "https://www.x.example/b"}


def test_of_a_feed_without_end_the_first_entries_are_read() -> None:
    assert (
        len(links(f"<rss><channel>{''.join(item(str(number)) for number in range(MAX_ENTRIES + 500))}")) == MAX_ENTRIES
    )


def test_what_a_feed_says_of_an_article_is_cut_to_what_can_be_shown() -> None:
    (hints,) = links(
        f"<rss><item><title>{'Wet ' * 100_000}</title><link>https://www.x.example/a</link></item></rss>"
    ).values()
    assert len(str(hints["title"])) <= MAX_HINT_CHARS


def test_what_a_feed_says_of_an_article_holds_nothing_that_harms_a_terminal_or_a_page() -> None:
    said = "<title>\x9b31mA\u202eB\x7f</title><pubDate>20\x1b26-11-1\n0</pubDate><author>\u202e</author>"
    assert links(f"<rss><item><link>/a</link>{said}</item></rss>".replace("/a", addresses("a")[0])) == {
        addresses("a")[0]: {"title": "›31mAB", "date_published": "2026-11-01"}
    }


@pytest.mark.parametrize(
    ("said", "picture"),
    [("/i.jpg", addresses("i.jpg")[0]), ("javascript:alert(1)", None), ("https://x.example/" + "é" * 800, None)],
    ids=["relative", "no address", "too long once it is escaped"],
)
def test_a_picture_is_an_address_that_can_be_asked_for(said: str, picture: str | None) -> None:
    media = '<media:content url="{}" medium="image"/>'.format
    (hints,) = links(rss(f"{item('a').replace('</item>', media(said))}</item>")).values()
    assert hints.get("image_url") == picture


def test_an_address_that_is_too_long_once_it_is_escaped_is_left_out() -> None:
    assert list(links(sitemap(entry("é" * 700) + entry("a")), "sitemap")) == addresses("a")


def test_a_comment_that_names_another_root_is_a_comment() -> None:
    index = "<!-- <urlset> --><sitemapindex><sitemap><loc>https://www.x.example/s1.xml</loc></sitemap></sitemapindex>"
    reading = read_listing(index.encode(), "https://www.x.example/sitemap.xml", "sitemap")
    assert ([child.url for child in reading.children], reading.links) == (["https://www.x.example/s1.xml"], ())
