"""The reading room as a browser without JavaScript gets it: Datasette in this process on a real archive."""

import asyncio
import contextlib
import json
import os
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

from pipelines.database import connect
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


def test_every_article_is_on_the_front_pages_once(page: Page, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.publish.reading.RECENT", 5)
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
    assert texts(shown, "aside li .meta") == ["Northvale Daily · 13 November 2026 · 100 % in common"]


def test_a_correction_shows_the_words_that_changed(page: Page) -> None:
    shown = page("/article/1001")
    assert texts(shown, "aside .diff del") == ["An earlier", "wet."]
    assert texts(shown, "aside .diff ins") == ["A later", "dry."]


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


def test_a_source_shows_its_health_its_charts_and_their_numbers(page: Page, path_of: PathOf) -> None:
    shown = page(path_of("source", "The Calderwick Ledger"))
    assert texts(shown, ".health") == ["ok"]
    assert [len(chart.cssselect("rect.reactive")) for chart in shown.cssselect("figure svg")] == [28, 6]
    assert [len(table.cssselect("tbody tr")) for table in shown.cssselect("details table")] == [28, 6]
    assert "of the newest 6 articles" in shown.text_content().lower()


def test_all_sources_are_listed_with_their_health(page: Page) -> None:
    shown = page("/sources")
    assert "The Calderwick Ledger" in texts(shown, "tbody th")
    assert set(texts(shown, ".health")) <= {"ok", "new", "quiet", "broken", "changed", "blocked", "off"}


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
    assert said("/search?q=crane&order=best") == "More than 1 articles, the best first of the newest 2 hits"
    monkeypatch.setattr("pipelines.publish.search.BEGINNINGS", 1)
    assert "So many words begin with cra that" in page("/search?q=cra*").text_content()


def test_a_search_without_hits_is_a_feed_without_entries(get: Callable[[str], Any]) -> None:
    for words in ("nothingofthekind", "", '"', "\x00\ud7ff\uffff\u202e"):
        feed = feedparser.parse(get(f"/search.atom?q={quote(words)}").content)
        assert (feed.bozo, feed.version, feed.entries) == (False, "atom10", [])


@pytest.mark.parametrize("path", ["/", "/article/1002", "/search?q=alert", "/source/1", "/search.atom?q=alert"])
def test_markup_in_an_article_is_shown_as_its_letters(get: Callable[[str], Any], path: str) -> None:
    text = get(path).text
    assert "<script" not in text and "<img" not in text and 'href="javascript' not in text


@pytest.mark.parametrize("path", ["/article/99999", "/article/2002", "/story/99999", "/source/99999", "/article/x"])
def test_what_is_not_there_is_a_404(get: Callable[[str], Any], path: str) -> None:
    assert get(path).status_code == 404


def test_a_merged_article_leads_to_what_it_became(get: Callable[[str], Any]) -> None:
    answer = get("/article/2001")
    assert (answer.status_code, answer.headers["location"]) == (301, "/article/1001")


@pytest.mark.parametrize("value", ["x", "9" * 30, "%00", "~ 99999999999999999999", "²", "'"])
@pytest.mark.parametrize(
    "path",
    ["/?source=", "/?language=", "/?before=", "/search?q=crane&page=", "/search.atom?q=crane&since=", "/search?q="],
)
def test_no_parameter_is_an_error(get: Callable[[str], Any], path: str, value: str) -> None:
    assert get(path + quote(value)).status_code == 200


def test_pages_are_their_data_too(get: Callable[[str], Any], page: Page) -> None:
    for path in ("/", "/article/1001", "/story/1", "/sources", "/source/1", "/search?q=crane"):
        links = [link.get("href") for link in page(path).cssselect("footer a, aside p a")]
        assert len(links) > 1
        assert [link for link in links if get(link).status_code != 200] == []


def test_what_takes_too_long_is_told_as_that(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    monkeypatch.setattr("pipelines.publish.reading.choices", lambda base: base.execute(endless).fetchone())
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


def test_without_the_plugin_datasette_shows_the_same_file_and_metadata(archive: Path) -> None:
    bare = (
        "import sys; sys._called_from_test = True; from datasette.cli import cli; cli()"  # so Datasette loads no plugin
    )
    command = [sys.executable, "-c", bare, str(archive), "--metadata", str(METADATA), "--get"]
    for path, said in (
        ("/", "Broadsheet"),
        ("/news/articles/1001.json?_shape=objects", "A later title"),
        ("/news/search.json?q=crane", "Calderwick port"),
    ):
        done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
        assert (done.returncode, said in done.stdout) == (0, True), done.stderr
    assert subprocess.run([*command, "/article/1001"], capture_output=True, check=False).returncode == 1
