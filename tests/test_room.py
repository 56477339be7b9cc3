"""The reading room as a browser without JavaScript gets it: Datasette in this process on a real archive."""

import asyncio
import contextlib
import csv
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import feedparser
import pytest
from datasette.app import Datasette
from lxml.html import HtmlElement, fromstring

from pipelines.database.connection import connect
from pipelines.database.schema import APPLICATION_ID
from pipelines.publish.glossary import EXAMPLES
from pipelines.publish.serve import METADATA
from tests.conftest import ROOT

HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\u2066"


ARTICLE = """insert into articles (id, url, title, description, section, authors, text, sort_at, date_published, word_count,
    content_hash, extractor, first_seen_at, last_fetched_at, date_published_source, is_accessible_for_free, gone_at)
    values (:id, :url, :title, :title, :title, :authors, :text, :day, :day, 1, '', '', :day, :day, :found, :free, :gone)"""
VERSION = """insert into versions (article_id, page_id, version, fetched_at, title, content_hash, words_added, words_removed, text)
    values (1001, 1001, ?, '2026-11-20T08:00:00Z', ?, '', 1, 1, ?)"""
PAGE = """insert into pages (id, url, via, state, article_id, discovered_at)
    values (1001, 'https://x.example/1001', 'feed', 'article', 1001, '2026-11-20T08:00:00Z')"""


@pytest.fixture(scope="module")
def archive(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's archive and three articles more: 1001 was corrected, 1002 is hostile, 1003 doubtful; 2001 was merged into 1001."""
    db = tmp_path_factory.mktemp("room") / "news.db"
    shutil.copy(demo, db)
    usual = {
        "url": None,
        "authors": None,
        "title": None,
        "day": "2026-11-18",
        "found": "meta",
        "free": None,
        "gone": None,
        "text": "Text.",
    }
    with contextlib.closing(sqlite3.connect(db)) as base, base:
        base.execute(
            ARTICLE,
            usual
            | {
                "id": 1001,
                "url": "https://x.example/1001",
                "title": "A later title",
                "text": "One.\nThe quay is dry.\nThree.",
            },
        )
        base.execute(PAGE)
        base.executemany(
            VERSION,
            [
                (1, "An earlier title", "One.\nThe quay is wet.\nThree."),
                (2, "A later title", "One.\nThe quay is dry.\nThree."),
            ],
        )
        base.execute(
            """insert into variants (id, article_id, page_id, version_id, title, text, first_seen_at)
               select article_id * 1048576 + 1, article_id, page_id, id, title, 'The quay is wet.', fetched_at
               from versions where article_id = 1001 and version = 1"""
        )
        base.execute(
            ARTICLE,
            usual
            | {
                "id": 1002,
                "url": "javascript:alert(3)",
                "title": HOSTILE,
                "authors": json.dumps([HOSTILE]),
                "text": HOSTILE,
                "day": "2026-11-21",
            },
        )
        base.execute(
            ARTICLE,
            usual
            | {"id": 1003, "url": "https://x.example/1003", "found": "none", "free": 0, "gone": "2026-11-20T08:00:00Z"},
        )
        base.execute(
            "insert into sources (id, name, url, domain) values (9001, 'Silent', 'https://s.example/', 's.example')"
        )
        base.execute(
            "insert into sources (id, name, url, domain) values (9002, ?, 'javascript:alert(4)', ?)", [HOSTILE] * 2
        )
        base.execute("update articles set source_id = 9002 where id = 1002")
        base.execute("insert into moved (kind, old_id, new_id) values ('article', 2001, 1001), ('article', 2002, 0)")
    return db


@pytest.fixture(scope="module")
def get(archive: Path) -> Iterator[Callable[[str], Any]]:
    datasette = Datasette([str(archive)], metadata=json.loads(METADATA.read_text("utf-8")))
    with asyncio.Runner() as runner:
        runner.run(datasette.invoke_startup())
        yield lambda path: runner.run(datasette.client.get(path))


Page = Callable[[str], HtmlElement]
PathOf = Callable[[str, str], str]


@pytest.fixture(scope="module")
def path_of(archive: Path) -> PathOf:
    """The path of the article, story or source that is called so: numbers are as pages came in."""

    def path(kind: str, title: str) -> str:
        table, column = {
            "article": ("articles", "title"),
            "story": ("stories", "title"),
            "source": ("sources", "name"),
        }[kind]
        with contextlib.closing(sqlite3.connect(archive)) as base:
            (number,) = base.execute(f"select id from {table} where {column} = ?", (title,)).fetchone()
        return f"/{kind}/{number}"

    return path


@pytest.fixture(scope="module")
def page(get: Callable[[str], Any]) -> Page:
    def ask(path: str) -> HtmlElement:
        answer = get(path)
        assert answer.status_code == 200, answer.text
        return fromstring(answer.text)

    return ask


def texts(page: HtmlElement, css: str) -> list[str]:
    return [" ".join(element.text_content().split()) for element in page.cssselect(css)]


def test_the_front_page_has_the_newest_day_first_and_a_story_once(page: Page) -> None:
    front = page("/")
    assert texts(front, "h2.day")[:2] == ["21 November 2026", "18 November 2026"]
    titles = texts(front, ".entry h3")
    assert "Wind topples crane at Calderwick port; two taken to infirmary" in titles
    assert "Crane comes down on North Quay in gale, two workers hurt" not in titles  # the same story's first report
    assert "2 reports from 2 sources: The Calderwick Ledger" in texts(front, ".story")


def test_the_outlets_of_a_story_are_named_once_and_the_others_counted(archive: Path, tmp_path: Path) -> None:
    shutil.copy(archive, tmp_path / "news.db")
    told = [*range(7), 0, 1, None]  # two outlets have two reports each, and one report is nobody's
    with contextlib.closing(sqlite3.connect(tmp_path / "news.db")) as base, base:
        base.executemany(
            "insert into sources (id, name, url, domain) values (?1 + 8000, char(65 + ?1), ?1, '')",
            [(n,) for n in range(7)],
        )
        base.execute("insert into stories values (800, 'Told', '', '', 10, 7)")
        usual = dict.fromkeys(("title", "authors", "free", "gone")) | {"found": "meta", "text": "Text."}
        for minute, outlet in enumerate(told):
            here = {
                "id": 8000 + minute,
                "url": f"https://x.example/{8000 + minute}",
                "day": f"2026-11-22T08:{59 - minute}:00Z",
            }
            base.execute(ARTICLE, usual | here)
            base.execute(
                "update articles set story_id = 800, source_id = ? where id = ?", (outlet and outlet + 8000, here["id"])
            )
        base.execute("update articles set source_id = 8000 where id in (8000, 8007)")
    shown = fromstring(asyncio.run(Datasette([str(tmp_path / "news.db")]).client.get("/")).text)
    assert texts(shown, ".story")[0] == "10 reports from 7 sources: B, C, D, E, F and 1 more"


def test_every_article_is_on_the_front_pages_once(page: Page, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.publish.queries.RECENT", 5)
    links, path = [], "/"
    while path:
        shown = page(path)
        links += [link.get("href") for link in shown.cssselect(".entry h3 a")]
        path = next(("/" + link.get("href") for link in shown.cssselect("a[rel=next]")), "")
    with contextlib.closing(connect(archive).conn) as base:
        (told,) = base.execute("select count(distinct coalesce(-story_id, id)) from articles").fetchone()
    assert len(links) == len(set(links)) == told


def test_the_front_page_is_narrowed_by_source_language_and_section(page: Page, path_of: PathOf) -> None:
    ledger = path_of("source", "The Calderwick Ledger").rpartition("/")[2]
    arabic = page("/?language=ar")
    assert {element.get("lang") for element in arabic.cssselect(".entry h3")} == {"ar"}
    assert arabic.cssselect("details.filters[open] option[selected]")[0].text == "Arabic"
    assert set(texts(page(f"/?source={ledger}"), ".entry .source")) == {"The Calderwick Ledger"}
    assert "Nothing passes these filters." in page(f"/?source={ledger}&language=ar").text_content()


def test_an_article_is_there_to_read(page: Page, path_of: PathOf) -> None:
    shown = page(path_of("article", "Ferry operator Selkie Lines seeks protection from creditors"))
    assert texts(shown, "h1") == ["Ferry operator Selkie Lines seeks protection from creditors"]
    assert texts(shown, ".facts dd")[:2] == ["Ilse Varga-Thorne, Oriel Maddock", "Corvane, Business"]
    assert len(texts(shown, ".text p")) > 5
    assert shown.cssselect(".facts a[rel~=external]")[0].get("href").startswith("https://www.corvane.example/")
    assert texts(shown, "aside li .meta") == [
        "Northvale Daily · 13 November 2026 · has 55 % of this text, and no words of its own"
    ]


def test_a_correction_shows_the_words_that_changed(page: Page) -> None:
    shown = page("/article/1001")
    assert texts(shown, "aside .diff del") == ["An earlier", "wet."]
    assert texts(shown, "aside .diff ins") == ["A later", "dry."]


@pytest.mark.parametrize(
    ("before", "after", "counted", "said"),
    [
        (("A", "The quay is wet."), ("A", "The quay is dry."), (1, 1), "1 word added, 1 removed"),
        (("A", "The quay is wet."), ("A", "Wet is the quay!"), (0, 0), "the same words in another order or spelling"),
        (("A", "One."), ("B", "One."), (0, 0), "another title"),
        (("A", "One."), ("B", "One. Two. Three."), (2, 0), "another title, 2 words added, 0 removed"),
        (("A", "x " * 200_000), ("B", "x " * 200_000), (0, 0), "another title"),
    ],
    ids=["a word", "only their order", "the title", "both", "the title of a long one"],
)
def test_what_changed_is_called_what_it_is(
    archive: Path, tmp_path: Path, before: tuple[str, str], after: tuple[str, str], counted: tuple[int, int], said: str
) -> None:
    shutil.copy(archive, tmp_path / "news.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "news.db")) as base, base:
        base.execute("delete from versions where article_id = 1001")
        base.executemany(VERSION, [(1, *before), (2, *after)])
        base.execute("update versions set words_added = ?, words_removed = ? where version = 2", counted)
    shown = fromstring(asyncio.run(Datasette([str(tmp_path / "news.db")]).client.get("/article/1001")).text)
    assert [line.partition(": ")[2] for line in texts(shown, "aside details summary")] == [said]


def test_what_is_doubtful_is_said(page: Page) -> None:
    doubts = " ".join(texts(page("/article/1003"), ".doubt"))
    assert all(said in doubts for said in ("No longer at its address", "paywall", "does not say when"))
    assert texts(page("/article/1003"), "h1") == ["(without a title)"]


def test_a_story_stands_in_order_of_time_with_its_outlets(page: Page, path_of: PathOf) -> None:
    story = page(path_of("story", "Crane comes down on North Quay in gale, two workers hurt"))
    assert texts(story, ".timeline .source") == ["The Calderwick Ledger", "The Fenmoor Post"]
    assert texts(story, "aside li") == [
        "The Calderwick Ledger: 1 report, first 11 November 2026",
        "The Fenmoor Post: 1 report, first 11 November 2026",
    ]


def test_a_story_says_when_only_the_beginnings_are_compared(
    page: Page, path_of: PathOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = path_of("story", "Crane comes down on North Quay in gale, two workers hurt")
    assert "beginning" not in page(story).text_content()
    monkeypatch.setattr("pipelines.publish.differences.MAX_TOGETHER", 60)
    assert "Of long reports only the beginnings are compared." in page(story).text_content()


def test_a_source_shows_its_health_its_charts_and_their_numbers(page: Page, path_of: PathOf) -> None:
    shown = page(path_of("source", "The Calderwick Ledger"))
    assert texts(shown, ".health") == ["well"]
    assert [len(chart.cssselect("rect.reactive")) for chart in shown.cssselect("figure svg")] == [28, 6]
    assert [len(table.cssselect("tbody tr")) for table in shown.cssselect("details table")] == [28, 6]
    assert "of the newest 6 articles" in shown.text_content().lower()


def test_all_sources_are_listed_with_their_health(page: Page, archive: Path) -> None:
    shown = page("/sources")
    listed = zip(
        texts(shown, "tbody th bdi"), (one.get("class") for one in shown.cssselect("tbody .health")), strict=True
    )
    with contextlib.closing(connect(archive).conn) as base:
        assert dict(listed) == dict(base.execute("select name, 'health ' || status from source_health").fetchall())


def test_a_source_can_be_followed_as_a_feed(page: Page, get: Callable[[str], Any], path_of: PathOf) -> None:
    shown = page(path_of("source", "The Calderwick Ledger"))
    (link,) = shown.cssselect("head link[type='application/atom+xml']")
    assert link.get("href") in [seen.get("href") for seen in shown.cssselect("main a")]
    feed = feedparser.parse(get(link.get("href")).content)
    assert (feed.bozo, feed.feed.title) == (False, "Broadsheet: newest articles, The Calderwick Ledger")


def test_a_search_shows_its_hits_marked_and_is_a_feed_too(page: Page, get: Callable[[str], Any]) -> None:
    shown = page("/search?q=crane")
    assert {mark.lower() for mark in texts(shown, "mark")} == {"crane"}
    (link,) = shown.cssselect("link[type='application/atom+xml']")
    answer = get(link.get("href"))
    feed = feedparser.parse(answer.content)
    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert (feed.bozo, feed.version, len(feed.entries)) == (False, "atom10", len(texts(shown, ".entry")))
    assert [entry.link for entry in feed.entries if not entry.link.startswith("https://")] == []


def test_a_search_says_how_many_hits_pass_the_filters_and_what_was_left_out(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(path: str) -> str:
        return " ".join(page(path).cssselect("p[role=status]")[0].text_content().split(" · ")[0].split())

    count = said("/search?q=crane").split()[0]
    assert said("/search?q=crane") == f"{count} articles, the newest first"
    assert said("/search?q=crane&source=1") in (
        f"{n} of {count} articles pass{'es' * (n == 1)} the filters, the newest first" for n in range(100)
    )
    monkeypatch.setattr("pipelines.publish.search.MANY", 1)
    monkeypatch.setattr("pipelines.publish.pages.MANY", 1)
    assert said("/search?q=crane&until=2027") == "More than 1 articles before the filters, the newest first"
    monkeypatch.setattr("pipelines.publish.search.RANKED", 2)
    assert said("/search?q=crane&order=best") == "More than 1 articles, the best first of the 2 hits stored last"


def test_a_search_without_hits_is_a_feed_without_entries(get: Callable[[str], Any]) -> None:
    for words in ("nothingofthekind", "", '"', "\x00\ud7ff\uffff\u202e"):
        feed = feedparser.parse(get(f"/search.atom?q={quote(words)}").content)
        assert (feed.bozo, feed.version, feed.entries) == (False, "atom10", [])


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/article/1002",
        "/search?q=alert",
        "/sources",
        "/source/9002",
        "/search.atom?q=alert",
        "/latest.atom?source=9002",
    ],
)
def test_markup_in_an_article_or_a_name_is_shown_as_its_letters(get: Callable[[str], Any], path: str) -> None:
    text = get(path).text
    assert "alert(1)" in text.replace("<mark>", "").replace("</mark>", "")
    text = re.sub(r'<script type="module" src="[\w/.-]+"></script>', "", text, count=1)  # our own
    assert "<script" not in text and "<img" not in text and 'href="javascript' not in text


@pytest.mark.parametrize("path", ["/article/99999", "/article/2002", "/story/99999", "/source/99999", "/article/x"])
def test_what_is_not_there_is_a_404(get: Callable[[str], Any], path: str) -> None:
    answer = get(path)
    assert answer.status_code == 404
    assert texts(fromstring(answer.text), "title, h1") == ["Not here · Broadsheet", "Not here"]


def test_a_merged_article_leads_to_what_it_became(get: Callable[[str], Any]) -> None:
    answer = get("/article/2001")
    assert (answer.status_code, answer.headers["location"]) == (301, "/article/1001")


ODD = ["x", "9" * 30, "%00", "~ 99999999999999999999", "²", "'"]


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize(
    "path", ["/?language=", "/?before=", "/latest.csv?before=", "/search?q=crane&section=", "/search?q="]
)
def test_words_of_any_kind_are_no_error(get: Callable[[str], Any], path: str, value: str) -> None:
    assert get(path + quote(value)).status_code == 200


@pytest.mark.parametrize("value", [*ODD, "-1", "11/21/2026", "yesterday"])
@pytest.mark.parametrize(
    "path", ["/?source=", "/search?q=crane&page=", "/search.atom?q=crane&since=", "/latest.json?until="]
)
def test_what_is_no_number_and_no_day_is_told_instead_of_ignored(
    get: Callable[[str], Any], path: str, value: str
) -> None:
    answer = get(path + quote(value))
    assert (answer.status_code, f"{path[:-1].rpartition('?')[2].rpartition('&')[2]}: expected a" in answer.text) == (
        400,
        True,
    )


def test_days_months_years_and_sources_that_are_not_there_find_what_they_hold(get: Callable[[str], Any]) -> None:
    def found(asked: str) -> int:
        return len(get(f"/latest.json?{asked}").json()["articles"])

    assert (found("since=2026-11-21&until=2026-11-21"), found("since=2026-11-21T00:00:00Z")) == (1, 0)
    assert found("until=2026-11") == found("until=2026") == found("") > found("until=2026-10") > 0
    assert found("source=0") == found("source=999999999999999999") == 0


def test_pages_are_their_data_too(get: Callable[[str], Any], page: Page) -> None:
    for path in (
        "/",
        "/article/1001",
        "/story/1",
        "/corrections",
        "/sources",
        "/source/1",
        "/search?q=crane",
        "/tables",
    ):
        links = [link.get("href") for link in page(path).cssselect("footer a, aside p a, .terms a")]
        assert len(links) > 1
        assert [link for link in links if get(link).status_code != 200] == []


def test_all_articles_can_be_had_a_part_at_a_time(archive: Path, get: Callable[[str], Any]) -> None:
    datasette, path = Datasette([str(archive)], settings={"max_returned_rows": 7}), "/latest.json?until=2027"
    found: list[dict[str, Any]] = []
    with asyncio.Runner() as runner:
        while path:
            part = runner.run(datasette.client.get(path)).json()
            found, path = found + part["articles"], part["next"]
    assert found == get("/latest.json").json()["articles"]
    assert len(found) > 14


def csv_of(get: Callable[[str], Any], path: str) -> list[dict[str, str]]:
    answer = get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize(
    "search", ["q=crane", "q=cra*&language=en", "q=crane+OR+council&order=best", "q=crane+-quay", "q=%22"]
)
def test_a_search_gives_the_same_articles_as_page_json_and_csv(
    get: Callable[[str], Any], page: Page, search: str
) -> None:
    shown = [link.get("href") for link in page(f"/search?{search}").cssselect(".entry h2 a")]
    found = get(f"/search.json?{search}").json()
    assert [f"/article/{hit['id']}" for hit in found["hits"]] == shown
    assert [f"/article/{hit['id']}" for hit in csv_of(get, f"/search.csv?{search}")] == shown
    assert found["count"] >= len(shown)
    assert all("**" in hit["snippet"] + hit["title"] or "-" in search for hit in found["hits"])


def test_what_passes_the_filters_of_the_front_page_can_be_followed(get: Callable[[str], Any], page: Page) -> None:
    shown = {link.get("href") for link in page("/?language=de").cssselect(".entry h3 a")}
    found = get("/latest.json?language=de").json()["articles"]
    assert {f"/article/{article['id']}" for article in found} == shown != set()
    assert [row["url"] for row in csv_of(get, "/latest.csv?language=de")] == [article["url"] for article in found]
    feed = feedparser.parse(get("/latest.atom?language=de").content)
    assert (feed.bozo, feed.feed.title) == (False, "Broadsheet: newest articles, German")
    seen = sorted(found, key=lambda article: (article["first_seen_at"], article["id"]), reverse=True)
    assert [entry.link for entry in feed.entries] == [article["url"] for article in seen]
    assert {link.rel: link.href for link in feed.feed.links}["alternate"].endswith("/?language=de")


def test_the_sources_of_an_empty_archive_have_their_head(get: Callable[[str], Any], tmp_path: Path) -> None:
    connect(tmp_path / "news.db", write=True).close()
    empty = asyncio.run(Datasette([str(tmp_path / "news.db")]).client.get("/sources.csv"))
    assert empty.text.splitlines() == get("/sources.csv").text.splitlines()[:1]


def test_a_feed_that_was_seen_is_not_sent_again(archive: Path) -> None:
    datasette = Datasette([str(archive)])
    first = asyncio.run(datasette.client.get("/search.atom?q=crane"))
    again = asyncio.run(datasette.client.get("/search.atom?q=crane", headers={"If-None-Match": first.headers["etag"]}))
    weak = asyncio.run(
        datasette.client.get("/search.atom?q=crane", headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'})
    )
    other = asyncio.run(datasette.client.get("/latest.atom", headers={"If-None-Match": first.headers["etag"]}))
    assert [(answer.status_code, len(answer.content) > 0) for answer in (first, again, weak, other)] == [
        (200, True), (304, False), (304, False), (200, True)
    ]  # fmt: skip


def test_an_article_s_data_have_what_stands_beside_it(get: Callable[[str], Any]) -> None:
    found = get("/article/1001.json").json()
    assert list(found) == ["article", "copies", "changes", "reports", "captures", "previous", "next"]
    assert found["changes"][0]["text"][1] == [
        {"what": "same", "text": "The quay is "},
        {"what": "removed", "text": "wet."},
        {"what": "added", "text": "dry."},
    ]
    assert csv_of(get, "/article/1001.csv")[0]["title"] == "A later title"
    assert (found["article"]["authors"], get("/article/1002.json").json()["article"]["authors"]) == (None, [HOSTILE])
    assert json.loads(csv_of(get, "/article/1001.csv?table=changes")[0]["text"]) == found["changes"][0]["text"]


@pytest.mark.parametrize(
    ("full", "empty"),
    [
        ("/latest.csv", "/latest.csv?source=99999"),
        ("/search.csv?q=crane", "/search.csv?q=zzzz"),
        ("/source/{source}.csv?table=runs", "/source/9001.csv?table=runs"),
        ("/source/{source}.csv?table=newest", "/source/9001.csv?table=newest"),
        ("/article/{copied}.csv?table=copies", "/article/1001.csv?table=copies"),
        ("/article/1001.csv?table=changes", "/article/1002.csv?table=changes"),
        ("/article/{told}.csv?table=reports", "/article/1001.csv?table=reports"),
    ],
)
def test_a_table_without_rows_has_its_head(get: Callable[[str], Any], archive: Path, full: str, empty: str) -> None:
    with contextlib.closing(sqlite3.connect(archive)) as base:
        (copied,) = base.execute("select article_id from copies").fetchone()
        (told, source) = base.execute("select id, source_id from articles where story_id is not null").fetchone()
    rows = get(full.format(copied=copied, told=told, source=source)).text.splitlines()
    assert get(empty).text.splitlines() == rows[:1] != rows


def test_data_of_what_was_merged_or_never_was(get: Callable[[str], Any]) -> None:
    assert get("/article/2001.json").headers["location"] == "/article/1001.json"
    assert get("/article/2001.csv?table=changes").headers["location"] == "/article/1001.csv?table=changes"
    assert (get("/article/2002.csv").status_code, get("/article/999999.json").status_code) == (404, 404)
    nonsense = get("/source/1.csv?table=nonsense")
    assert nonsense.status_code == 400
    assert "it has source, by_day, lateness, missing, runs, newest" in nonsense.text


def test_every_column_and_query_is_explained(get: Callable[[str], Any], page: Page) -> None:
    found = get("/tables.json").json()
    assert [one for one in found["columns"] + found["queries"] if not one["meaning"]] == []
    assert {"articles", "source_health"} <= {one["table"] for one in found["columns"]}
    assert "Nothing is said of it" not in page("/tables").text_content()


@pytest.mark.parametrize("sql", [sql for _, sql in EXAMPLES], ids=[says for says, _ in EXAMPLES])
def test_the_queries_to_begin_with_find_something(get: Callable[[str], Any], sql: str) -> None:
    assert get(f"/news.json?_shape=array&sql={quote(sql)}").json() != []


def test_tables_are_shown_without_our_metadata_too(archive: Path) -> None:
    datasette = Datasette([str(archive)])
    answer = asyncio.run(datasette.client.get("/tables"))
    assert (answer.status_code, "Nothing is said of it" in answer.text) == (200, True)
    queries = asyncio.run(datasette.client.get("/tables.csv?table=queries"))
    assert (queries.status_code, queries.text.split()) == (200, ["query,title,params,meaning"])


def test_an_archive_that_is_only_being_made_says_so(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "news.db")) as base:
        base.execute(f"pragma application_id = {APPLICATION_ID}")
    datasette = Datasette([str(tmp_path / "news.db")])
    for path in ("/", "/search?q=crane", "/article/1", "/sources.json", "/latest.atom"):
        answer = asyncio.run(datasette.client.get(path))
        assert (answer.status_code, "only being made" in answer.text) == (503, True)
        assert path.endswith((".json", ".atom")) or "<h1>No answer</h1>" in answer.text


def test_what_takes_too_long_is_told_as_that(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    monkeypatch.setattr("pipelines.publish.queries.choices", lambda base: base.execute(endless).fetchone())
    datasette = Datasette([str(archive)], settings={"sql_time_limit_ms": 100})
    answer = asyncio.run(datasette.client.get("/search?q=crane"))
    assert (answer.status_code, "takes longer than 0.1 s." in answer.text) == (503, True)


def test_from_the_answer_of_a_query_to_the_article(page: Page) -> None:
    for path in ("/news/search?q=crane", "/news/latest", "/news?sql=select+id,+sort_at,+url+from+articles+limit+1"):
        assert page(path).cssselect("td.col-id a")[0].get("href").startswith("/article/")
    assert page("/news/source_overview").cssselect("td.col-source_id a")[0].get("href").startswith("/source/")
    assert page("/news?sql=select+1+as+id").cssselect("td.col-id a") == []


def test_another_programs_database_keeps_datasettes_own_front_page(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as base:
        base.execute("create table things (name text)")
    datasette = Datasette([str(tmp_path / "other.db")])
    answer = asyncio.run(datasette.client.get("/"))
    assert (answer.status_code, "other" in answer.text) == (200, True)


def test_the_plugin_is_whole_whoever_imports_it_first() -> None:
    order = "import pipelines.publish.differences, datasette.app; from datasette.plugins import pm; print(len(pm.get_hookcallers(__import__('pipelines.publish').publish)))"
    done = subprocess.run(
        [sys.executable, "-c", order],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert int(done.stdout) > 4


BARE = """
import sys
sys._called_from_test = True  # so Datasette loads no plugin
from datasette.cli import cli
for path in sys.argv[4:]:
    try:
        cli.main([*sys.argv[1:4], "--get", path])
    except SystemExit as ended:
        print(f"\\n{path} ends with {ended.code or 0}")
"""


def test_without_the_plugin_datasette_shows_the_same_file_and_metadata(archive: Path) -> None:
    shown = {
        "/": "Broadsheet",
        "/news/articles/1001.json?_shape=objects": "A later title",
        "/news/search.json?q=crane": "Calderwick port",
    }
    command = [sys.executable, "-c", BARE, str(archive), "--metadata", str(METADATA), *shown, "/article/1001"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rest = done.stdout
    for path, said in shown.items():
        page, ended, rest = rest.partition(f"\n{path} ends with 0\n")
        assert (said in page, ended != "") == (True, True), done.stderr
    assert rest.endswith("\n/article/1001 ends with 1\n"), done.stderr


def test_a_hit_by_a_copy_s_headline_says_where_it_stands(page: Page, get: Callable[[str], Any]) -> None:
    asked = "q=Selkie+runs+out+of+money"
    (entry,) = page(f"/search?{asked}").cssselect(".entry")
    (link,) = entry.cssselect(".where a")
    assert "In the copy of Northvale Daily: Islands fear for their ferries as Selkie" in entry.text_content()
    (hit,) = get(f"/search.json?{asked}").json()["hits"]
    assert (hit["said_in"], hit["copy_url"]) == ("copy", link.get("href"))
    assert hit["said_title"].startswith("Islands fear for their ferries as **Selkie** **runs")
    (fed,) = feedparser.parse(get(f"/search.atom?{asked}").content).entries
    assert fed.summary.startswith("In the copy of Northvale Daily: Islands fear")
    assert (fed.published, fed.updated) == ("2026-11-12T07:30:00+00:00", hit["last_changed_at"].replace("Z", "+00:00"))


def test_a_hit_by_an_earlier_text_says_of_what_day(page: Page) -> None:
    (entry,) = page("/search?q=%22quay+is+wet%22").cssselect(".entry")
    assert "In the version of 20 November 2026: An earlier title: The quay is wet." in entry.text_content()
