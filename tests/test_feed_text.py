"""An article's text told by its feed: when it is taken, and what it is cleaned of."""

import json
from datetime import UTC, datetime
from html import escape
from typing import Any

import pytest

from crawler.items import Article, Hints, Page
from crawler.parsers.links import MAX_FEED_HTML_CHARS, MIN_FEED_HTML_CHARS
from crawler.parsers.listings import read_listing
from pipelines.extract.decode import Refusal
from pipelines.extract.feed_text import read_article
from pipelines.text import word_count
from tests.support.loopback import Site, article_html, story
from tests.support.newsroom import Newsroom

TEXT = story("pier")
HTML = "".join(f"<p>{paragraph}</p>" for paragraph in TEXT.split("\n\n"))
URL, WALL = "https://www.x.example/pier", "https://wall.example/login"


def read(body: str, html: str | None = HTML, **facts: Any) -> tuple[Page, Article]:
    given: dict[str, Any] = {
        "status": 200,
        "body": body.encode(),
        "hints": Hints(title="On the pier"),
        "feed_html": html,
    } | facts
    page = Page(url=URL, final_url=WALL, via="feed", fetched_at=datetime(2026, 11, 30, tzinfo=UTC), **given)
    return read_article(page)


@pytest.mark.parametrize(
    ("body", "facts"),
    [
        ("", {"status": 403, "failure": "http_403"}),
        ("<div id=root></div><script src=a.js></script>", {}),
        ("<title>Paper</title><p>You need to enable JavaScript to run this app.</p>", {}),
        ("<h1>Access denied</h1><p>You have been blocked. Please contact the owner of this site.</p>", {}),
        ("<h1>Log in</h1><p>Log in to read what your colleagues have written, or create an account.</p>", {}),
    ],
    ids=["turned away", "shell", "notice", "blocked", "login"],
)  # fmt: skip
def test_what_stands_in_the_place_of_an_article_gives_way_to_the_feed(body: str, facts: dict[str, Any]) -> None:
    page, article = read(body, **facts)
    assert (page.final_url, article.title, article.text, article.text_source) == (URL, "On the pier", TEXT, "feed")
    assert article.notice is None


def test_a_teaser_keeps_its_page_s_own_fields() -> None:
    page, article = read(article_html("The pier", TEXT.split("\n\n")[0]))
    assert (page.final_url, article.title, article.text, article.text_source) == (WALL, "The pier", TEXT, "feed")
    assert (article.date_published, article.word_count) == ("2026-11-03T08:15:00Z", word_count(TEXT))


@pytest.mark.parametrize("html", [None, HTML, f"<p>{TEXT[:400]}</p>"], ids=["none", "the same", "a teaser"])
def test_a_page_that_has_all_of_it_is_believed(html: str | None) -> None:
    _, article = read(article_html("The pier", TEXT), html)
    assert (article.text, article.text_source) == (TEXT, "page")


def test_another_text_of_the_page_is_not_replaced_by_a_longer_one_of_the_feed() -> None:
    _, article = read(article_html("The boats", story("boats")), HTML * 3)
    assert (article.text, article.text_source) == (story("boats"), "page")


@pytest.mark.parametrize(
    "html",
    [f"{HTML}<p>And then it […]</p>", f"{HTML}<p>And then…</p>", "<p>The pier is closed.</p>", "<img src='/a.jpg'>"],
    ids=["cut off", "ellipsis", "short", "a picture"],
)
def test_a_teaser_in_the_feed_is_no_article(html: str) -> None:
    with pytest.raises(Refusal, match=r"scripted|no_text"):
        read("<div id=root></div><script src=a.js></script>", html)


@pytest.mark.parametrize(
    "trailer",
    [
        "<p>The post <a href='/pier'>On the pier</a> appeared first on <a href='/'>The Ledger</a>.</p>",
        "<p>Der Beitrag <a href='/pier'>On the pier</a> erschien zuerst auf <a href='/'>Die Zeitung</a>.</p>",
        "<script>track()</script><img width=1 height=1 src='//count.example/1'>",
    ],
)
def test_the_feed_s_text_is_cleaned(trailer: str) -> None:
    assert read("<div id=root></div><script src=a.js></script>", HTML + trailer)[1].text == TEXT


def test_an_error_page_is_none_whatever_the_feed_says() -> None:
    with pytest.raises(Refusal, match="soft_404"):
        read("<title>Page not found</title><h1>Page not found</h1><p>The page cannot be found.</p>")


@pytest.mark.parametrize(
    ("length", "is_kept"),
    [(MIN_FEED_HTML_CHARS - 1, False), (MIN_FEED_HTML_CHARS, True), (MAX_FEED_HTML_CHARS, True), (MAX_FEED_HTML_CHARS + 1, False)],
)  # fmt: skip
def test_a_feed_s_text_is_kept_within_bounds(length: int, is_kept: bool) -> None:
    said = "a" * length
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="/a"/><content type="html">{said}</content></entry></feed>'
    (link,) = read_listing(feed.encode(), URL, "feed").links
    assert link.feed_html == (said if is_kept else None)


def test_a_whole_text_is_no_description() -> None:
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="/a"/><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{HTML}</div></content></entry></feed>'
    (link,) = read_listing(feed.encode(), URL, "feed").links
    assert (link.feed_html, link.hints.description) == (HTML, None)


# What a feed calls a description or a summary

WORDS = story("pier") + "\n\n" + story("quay") + "\n\n" + story("dock")
PARAGRAPHS = "".join(f"<p>{paragraph}</p>" for paragraph in WORDS.split("\n\n"))
SHORT = " ".join(WORDS.split()[:150]) + "."


def rss(description: str, link: str = "/pier", more: str = "") -> bytes:
    item = f"<item><title>On the pier</title><link>{link}</link><description>{escape(description)}</description>{more}</item>"
    return f'<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>L</title><link>https://www.x.example/</link>{item}</channel></rss>'.encode()


def atom(summary: str, kind: str = "html") -> bytes:
    entry = f'<entry><title>On the pier</title><link href="/pier"/><summary type="{kind}">{escape(summary)}</summary></entry>'
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>'.encode()


def told(feed: bytes) -> tuple[str | None, bool]:
    """What a feed gives of its article, and whether it describes it."""
    (link,) = read_listing(feed, "https://www.x.example/feed", "feed").links
    return link.feed_html, link.hints.description is not None


@pytest.mark.parametrize(
    "feed",
    [
        rss(PARAGRAPHS),
        rss(WORDS),
        rss(f"<img src='/a.jpg'>{PARAGRAPHS}<p>The post <a href='/pier'>On the pier</a> appeared first in The Ledger.</p>"),
        rss(PARAGRAPHS, more=f"<content:encoded>{escape(f'<p>{SHORT}</p>')}</content:encoded>"),
        atom(PARAGRAPHS),
        atom(WORDS, "text"),
    ],
    ids=["rss", "plain", "with a trailer", "beside a shorter content", "atom", "plain atom"],
)  # fmt: skip
def test_a_description_that_is_a_whole_article_stands_for_its_page(feed: bytes) -> None:
    html, is_described = told(feed)
    assert html is not None and not is_described
    _, article = read("", html, status=403, failure="http_403")
    assert (article.text, article.text_source) == (WORDS, "feed")


@pytest.mark.parametrize(
    "feed",
    [
        rss(" ".join(WORDS.split()[:40]) + "."),
        rss(f"<p>{SHORT}</p>"),
        rss(f"{PARAGRAPHS}<p>And then it […]</p>"),
        rss(f"{PARAGRAPHS}<p>And then it [&#8230;]</p><p>The post On the pier appeared first in The Ledger.</p>"),
        rss(f"{PARAGRAPHS}<p>And then…</p>"),
        rss(f"{PARAGRAPHS}<p><a href='/pier'>Read on</a></p>"),
        rss(f"{PARAGRAPHS}<a href='/pier'>Weiter &rarr;</a><br/>"),
        rss(PARAGRAPHS.removesuffix(".</p>") + " and</p>"),
        rss(PARAGRAPHS, link="https://other.example/pier"),
        atom(f"<p>{SHORT}</p>"),
    ],
    ids=["40 words", "150 words", "cut off", "cut off above a trailer", "ellipsis", "a link to read on", "an arrow", "in a sentence", "another site's", "atom"],
)  # fmt: skip
def test_a_description_that_is_a_teaser_never_is_an_article(feed: bytes) -> None:
    assert told(feed) == (None, True)


def test_the_text_of_a_json_feed_stands_for_a_page_and_its_summary_does_not() -> None:
    item = {"id": "1", "url": "/pier", "title": "On the pier", "summary": " ".join(WORDS.split()[:40])}
    version = "https://jsonfeed.org/version/1.1"
    assert told(json.dumps({"version": version, "items": [item]}).encode()) == (None, True)
    html, _ = told(json.dumps({"version": version, "items": [item | {"content_text": WORDS}]}).encode())
    assert read("", html, status=402, failure="http_402")[1].text == WORDS


def test_a_description_is_taken_where_the_page_gives_none_or_a_beginning(site: Site, newsroom: Newsroom) -> None:
    """/long is turned away, /cut shows the first paragraph, /own has its own text; of /paid the feed has a teaser."""
    site.add("/long", "", 403)
    site.article("/cut", "The cut", WORDS.split("\n\n")[0])
    own = "Eleven clocks were stolen from a tower last night, and the town wakes late today.\n\nTheir maker, aged ninety, says that each of them is wrong by a minute of its own, so that thieves may be known by it. He does not want them back before Sunday, when his granddaughter marries under the empty tower, for once without bells; after that, he says, whoever brings the smallest of them may keep the largest."
    site.article("/own", "The clocks", own)
    site.add("/paid", "", 402)
    long = "\n\n".join(map(story, ("mast", "sail", "oar")))
    teaser = " ".join(WORDS.split()[:40]) + "."
    items = "".join(
        f"<item><title>On {path}</title><link>{site.url}{path}</link><description>{escape(said)}</description></item>"
        for path, said in (("/long", long), ("/cut", WORDS), ("/own", PARAGRAPHS), ("/paid", teaser))
    )  # fmt: skip
    site.add(
        "/feed", f"<rss version='2.0'><channel><title>L</title>{items}</channel></rss>", kind="application/rss+xml"
    )
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert newsroom.states()[f"{site.url}/paid"] == ("failed", "http_402")
    assert newsroom.rows("select url, text_source, word_count from articles order by url") == [
        (f"{site.url}/cut", "feed", word_count(WORDS)),
        (f"{site.url}/long", "feed", word_count(long)),
        (f"{site.url}/own", "page", word_count(own)),
    ]  # fmt: skip
