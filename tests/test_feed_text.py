"""An article's text told by its feed: when it is taken, and what it is cleaned of."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crawler.items import Article, Hints, Page
from crawler.parsers.links import MAX_FEED_HTML_CHARS, MIN_FEED_HTML_CHARS
from crawler.parsers.listings import read_listing
from pipelines.extract.decode import Refusal
from pipelines.extract.feed_text import read_article
from pipelines.text import word_count
from tests.support.loopback import article_html, story

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
