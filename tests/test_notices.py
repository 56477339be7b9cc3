"""Pages that turn visitors away with status 200: told alone, told by what a site says at several addresses, and undone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.items import Article, Hints, Outcome, Page, Source
from pipelines.archive.store import Archive
from pipelines.extract import Refusal, extract
from tests.conftest import broadsheet
from tests.support.loopback import Site, article_html, story
from tests.support.newsroom import Newsroom
from tests.support.turned_away import BRIEFS, NOTICES, PARKED, UNSEEN_BRIEFS, UNSEEN_NOTICES
from tests.test_health import check
from tests.test_history import let_rechecks_be_due, urlset

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
HEADLINE = "Council votes to rebuild the harbour bridge"
CLOSED = "<title>Resting</title><h1>The presses are resting</h1><p>Every story will be here again in the morning, when the night crew has gone home and the machines have cooled down.</p><p>{}</p>"
SOURCE = Source(url="https://a.example/", name="A")


def read(body: str, headline: str | None = HEADLINE) -> Article:
    url = "https://a.example/2026/bridge"
    return extract(
        Page(
            url=url,
            final_url=url,
            via="feed",
            fetched_at=NOON,
            body=body.encode(),
            content_type="text/html; charset=utf-8",
            hints=Hints(title=headline),
        )
    )


# One page


@pytest.mark.parametrize(
    "said",
    [
        '<title>Access Denied</title><p>You don\'t have permission to access "http://a.example/2026/bridge". Reference #18.aa.1</p>',
        "<title>Access denied</title><h1>Error 1020</h1><p>This website uses a service that protects it from attacks. Ray 88f</p>",
        "<title>Just a moment...</title><h2>Checking your browser before you go to a.example.</h2><p>Please allow five seconds.</p>",
        "<title>Down</title><h1>We'll be back soon!</h1><p>We are doing some work at the moment. The team thanks you for waiting.</p>",
        CLOSED,
        "<title>451</title><h1>Unavailable</h1><p>We recognize that you are in a country of the European Economic Area, so that access cannot be granted.</p>",
        "<title>Pardon</title><h1>Pardon the interruption</h1><p>Something about your browser made us think you were a bot. Cookies may be off.</p>",
        "<title>One more step</title><h1>Please complete the check</h1><p>Tick the box below so that we see that a person is reading.</p>",
        "<title>a.example</title><h1>a.example is for sale</h1><p>The owner of this name offers it for 4,000 dollars. Ask the broker.</p>",
        "<title>a.example</title><p>Related searches: Insurance, Credit, Travel, Degrees, Lawyers, Hosting, Trading, and what else is parked.</p>",
        "<title>Queue</title><h1>High demand</h1><p>Exceptionally many readers are here. Leave this window open until it is your turn.</p>",
        "<title>Wartung</title><h1>Wartungsarbeiten</h1><p>Wir arbeiten gerade an unserer Seite und sind in Kürze wieder für Sie da.</p>",
        "<title>403</title><p>Доступ к сайту ограничен. Обратитесь к администратору, если считаете, что это ошибка.</p>",
    ],
)
def test_a_page_that_has_nothing_of_its_headline_and_nothing_of_an_article_is_turned_away(said: str) -> None:
    with pytest.raises(Refusal, match=r"turned_away|parked"):
        read(said)


@pytest.mark.parametrize(
    ("body", "headline"),
    [
        (article_html("The pier", story("pier")), HEADLINE),
        ("<title>Bridge</title><h1>The bridge</h1><p>It is going to be rebuilt within the year, the council has found.</p>", HEADLINE),
        (f"<title>Photo</title><p>{story('pier')[:600]}</p>", "Item 3"),
        (f"<title>Photo</title><p>{story('pier')[:600]}</p>", None),
        (f"<title>Long</title><p>{story('pier')} {story('quay')}</p>", HEADLINE),
        ('<title>Lost</title><link rel="canonical" href="https://a.example/2026/bridge"><h1>Lost dog</h1><p>A brown dog was found beside the ferry, wet and tired.</p>', HEADLINE),
    ],
    ids=["dated", "its headline's words", "a headline that says little", "no headline", "long", "its own address"],
)  # fmt: skip
def test_a_page_with_anything_of_an_article_is_one(body: str, headline: str | None) -> None:
    assert read(body, headline).word_count > 9


def test_what_differs_from_answer_to_answer_is_no_part_of_a_notice() -> None:
    one, other = (read(CLOSED.format(f"Reference {n}, /{n}/x"), None).notice for n in (17, 18))
    assert one == other and one is not None
    assert read(article_html("The pier", story("pier"))).notice is None


# One page, of which no feed told a headline


def reason_of(body: str, headline: str | None = None) -> str | None:
    try:
        read(body, headline)
    except Refusal as refusal:
        return refusal.reason
    return None


@pytest.mark.parametrize("body", NOTICES)
def test_a_page_that_says_itself_that_it_is_none_is_refused(body: str) -> None:
    assert reason_of(body) in (("parked",) if body in PARKED else ("turned_away", "parked", "scripted"))


@pytest.mark.parametrize("body", [*BRIEFS, *UNSEEN_BRIEFS])
def test_a_brief_that_speaks_of_the_same_things_is_an_article(body: str) -> None:
    assert reason_of(body) is None


def test_most_notices_that_no_rule_was_made_for_are_refused() -> None:
    assert sum(reason_of(body) is not None for body in UNSEEN_NOTICES) >= 10 > 0.6 * len(UNSEEN_NOTICES)


def test_a_page_that_has_its_headline_s_words_is_the_article_whatever_they_are() -> None:
    denied = "<title>Access denied to our site</title><h1>Access denied to our site</h1><p>You and your neighbours may not enter our building site, the owner of this wood said; please take the path below.</p>"
    assert reason_of(denied) == "turned_away"
    assert reason_of(denied, "Access denied to our building site, owner said") is None


def test_a_paper_called_by_its_domain_may_report_a_sale() -> None:
    sold = "<title>A village | a.example</title><h1>A village of twelve houses</h1><p>All of it is for sale, the mayor said, and the church comes with it. Three families want to stay in their houses.</p>"
    assert reason_of(sold) is None


def test_an_address_that_a_notice_repeats_is_no_word_of_its_headline() -> None:
    said = "<title>No way</title><p>Nothing may be read at http://a.example/council-votes-to-rebuild-harbour-bridge from here, and nothing is going to be.</p>"
    assert reason_of(said, HEADLINE) == "turned_away"


# A whole site that answers so


@pytest.mark.parametrize(
    ("body", "code", "word", "said"),
    [
        (PARKED[0].replace("a.example", "127.0.0.1") + "this domain", 1, "broken", "its domain is parked"),
        (NOTICES[0], 1, "blocked", "turned away with a notice"),
    ],
    ids=["parked", "turned away"],
)
def test_the_status_of_a_source_says_why_all_of_it_answers_so(
    body: str, code: int, word: str, said: str, site: Site, newsroom: Newsroom
) -> None:
    for path in PATHS:
        site.article(path, f"The {path}", story(path))
    site.feed("/feed", *(site.url + path for path in PATHS))
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    for path in (*PATHS, "/feed", "/"):
        site.add(path, body)
    for _ in range(3):
        newsroom.crawl("--now", code=1)
    assert newsroom.rows("select last_status from feeds") == [("parked" if word == "broken" else "turned_away",)]
    health = check(newsroom)
    assert (health[0], f"Harbour: {word}: {site.url}/feed: " in health[1], said in health[1]) == (code, True, True)
    assert newsroom.rows("select count(*) from articles") == [(6,)]


@pytest.mark.parametrize("discover", ["", 'discover = ["homepage"]'], ids=["all", "front page"])
def test_a_bare_site_that_is_for_sale_says_so_at_once(discover: str, site: Site, newsroom: Newsroom) -> None:
    for path in ("/", "/feed"):
        site.add(
            path, "<title>For sale</title><h1>This domain is for sale</h1><p>Make an offer to our broker today.</p>"
        )
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\n{discover}')
    newsroom.crawl(code=1)
    ((status, reason),) = newsroom.rows("select status, reason from sources")
    assert (status, "its domain is parked" in reason) == ("broken", True)


def test_parked_pages_are_no_articles_and_their_source_is_broken(site: Site, newsroom: Newsroom) -> None:
    for path in PATHS:
        site.add(path, PARKED[5] + "Diese Domain")
    sitemap_of(site, newsroom, *PATHS)
    newsroom.crawl()
    assert set(newsroom.states().values()) == {("refused", "parked")}
    ((status, reason),) = newsroom.rows("select status, reason from sources")
    assert (status, reason.startswith("6 of the last 6 pages: "), "its domain is parked" in reason) == (
        "broken",
        True,
        True,
    )


# Several pages of a site


def sitemap_of(site: Site, newsroom: Newsroom, *paths: str) -> None:
    site.add("/map.xml", urlset(*(site.url + path for path in paths)), kind="text/xml")
    newsroom.watch(f'url = "{site.url}/"\nname = "Harbour"\nsitemaps = ["{site.url}/map.xml"]')


PATHS = tuple(f"/{number}" for number in range(6))


def test_what_six_addresses_say_is_no_article_and_is_asked_again(site: Site, newsroom: Newsroom) -> None:
    for path in PATHS:
        site.add(path, CLOSED.format(f"Reference 18.{path}"))
    sitemap_of(site, newsroom, *PATHS)
    newsroom.crawl()
    assert set(newsroom.states().values()) == {("refused", "turned_away")}
    assert newsroom.rows("select count(*) from articles") == [(0,)]
    assert newsroom.rows("select count(*) from pages where next_fetch_at is not null") == [(6,)]
    assert newsroom.rows("select found, refused from run_summary") == [(6, 6)]
    assert newsroom.rows("select status, last_new_article_at from sources") == [("blocked", None)]
    for path in PATHS:
        site.article(path, f"The {path}", story(path))
    newsroom.crawl("--retry", "refused")
    assert newsroom.rows("select count(*), min(version_count), max(version_count) from articles") == [(6, 1, 1)]


def test_short_pages_with_their_own_headlines_stay_although_their_text_is_one(site: Site, newsroom: Newsroom) -> None:
    """Captions and stubs of live blogs: what several share is a line or two below headlines of their own."""
    for path in PATHS:
        site.add(path, f"<title>Match {path[1:]}</title><h1>Rovers against {story(path)[-40:]}</h1><p>Follow what happens on the pitch as it happens, here with our reporters by the line, from the first whistle.</p>")  # fmt: skip
    sitemap_of(site, newsroom, *PATHS)
    newsroom.crawl()
    assert {state for state, _ in newsroom.states().values()} <= {"article", "duplicate"}


def test_two_addresses_with_one_short_text_are_an_article_and_its_duplicate(site: Site, newsroom: Newsroom) -> None:
    for path in PATHS[:2]:
        site.add(path, CLOSED)
    sitemap_of(site, newsroom, *PATHS[:2])
    newsroom.crawl()
    assert sorted(newsroom.states().values()) == [("article", None), ("duplicate", "text")]


def test_a_site_that_recovers_leaves_nothing_of_its_notices(site: Site, newsroom: Newsroom) -> None:
    for path in PATHS[:2]:
        site.add(path, CLOSED)
    sitemap_of(site, newsroom, *PATHS[:2])
    newsroom.crawl()
    for path in PATHS[:2]:
        site.article(path, f"The {path}", story(path))
    let_rechecks_be_due(newsroom)
    newsroom.crawl("--now")
    newsroom.change("update pages set next_fetch_at = '2026-01-01T00:00:00Z' where state = 'refused'")
    newsroom.crawl("--now")
    assert set(newsroom.states().values()) == {("article", None)}
    assert newsroom.rows("select version_count, title from articles order by url") == [(1, "The /0"), (1, "The /1")]
    assert newsroom.rows("select count(*) from versions") == [(0,)]


# An article that was there before


def keeper(tmp_path: Path) -> tuple[Archive, Callable[..., Any]]:
    archive = Archive(tmp_path / "news.db")
    archive.sync_sources([SOURCE])

    def keep(name: str, hours: int, text: str, **said: Any) -> Any:
        url = f"https://a.example/{name}"
        page = Page(
            url=url, final_url=url, via="sitemap", fetched_at=NOON + timedelta(hours=hours), source=SOURCE, status=200
        )
        article = Article(title=f"The {name} of the harbour", text=text, word_count=len(text.split()), extractor="test")
        return archive.keep(Outcome(page=page, article=replace(article, **said)))

    return archive, keep


def test_an_article_keeps_its_text_while_its_page_gives_a_notice(tmp_path: Path) -> None:
    archive, keep = keeper(tmp_path)
    keep("pier", 0, story("pier"))
    for hours in (1, 8, 20):
        assert keep("pier", hours, "You will be let in later.", title="Closed", notice="n").state == "article"
    assert [(row["text"], row["version_count"]) for row in archive.db.query("select * from articles")] == [
        (story("pier"), 1)
    ]


def test_that_an_article_was_withdrawn_is_news(tmp_path: Path) -> None:
    archive, keep = keeper(tmp_path)
    keep("pier", 0, story("pier"))
    keep("pier", 1, "This article about the harbour has been withdrawn.", notice="n")
    assert [row["version_count"] for row in archive.db.query("select * from articles")] == [2]


def test_what_a_release_stored_that_knew_no_notices_gives_way_at_once(tmp_path: Path) -> None:
    archive, keep = keeper(tmp_path)
    keep("pier", 0, "You don't have permission to access this page.", title="Access Denied")
    keep("pier", 1, story("pier"))
    assert [
        (row["title"], row["text"], row["version_count"]) for row in archive.db.query("select * from articles")
    ] == [("The pier of the harbour", story("pier"), 1)]


@pytest.mark.parametrize(
    ("shrunk", "believed"), [(("pier",), True), (("pier", "quay", "dock"), False)], ids=["one", "all"]
)
def test_texts_that_shrink_all_at_once_are_not_believed_when_they_agree(
    tmp_path: Path, shrunk: tuple[str, ...], believed: bool
) -> None:
    archive, keep = keeper(tmp_path)
    for name in ("pier", "quay", "dock"):
        keep(name, 0, story(name))
    for hours in (1, 8):
        for name in ("pier", "quay", "dock"):
            keep(name, hours, story(name).split("\n\n")[0] if name in shrunk else story(name))
    (text,) = archive.db.execute("select text from articles where url like '%pier'").fetchone()
    assert (text != story("pier")) == believed


# By the command line


def test_stored_articles_are_asked_again_by_source_or_address(site: Site, newsroom: Newsroom) -> None:
    for path in PATHS[:3]:
        site.article(path, f"The {path}", story(path))
    sitemap_of(site, newsroom, *PATHS[:3])
    newsroom.crawl()
    newsroom.change("update pages set next_fetch_at = null")
    for named, asked in ((f"{site.url}/1", ["/1"]), ("Harbour", [*PATHS[:3]]), (f"{site.url}/", [*PATHS[:3]])):
        site.asked.clear()
        newsroom.crawl("--retry", "article", named)
        assert sorted(path for path in site.asked if path in PATHS) == asked


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--retry", "article"), "--retry article needs the name or address of a source, or of a page"),
        (("Harbour",), "what is to be asked again is said with --retry"),
        (("--retry", "article", "Harbor"), "nor is there a source of this name"),
    ],
)
def test_what_cannot_be_asked_again_is_a_mistake(
    site: Site, newsroom: Newsroom, arguments: tuple[str, ...], said: str
) -> None:
    sitemap_of(site, newsroom)
    done = broadsheet("crawl", *arguments, cwd=newsroom.folder)
    assert (done.returncode, said in done.stderr) == (2, True)
