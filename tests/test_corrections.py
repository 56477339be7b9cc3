"""Corrections and marks: the page, its feed and its data, of archives in which publishers changed, moved and deleted articles."""

import asyncio
import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import feedparser
import pytest
from datasette.app import Datasette
from lxml.html import HtmlElement, fromstring

from pipelines.database.connection import connect
from pipelines.publish import corrections as module
from pipelines.publish.corrections import GONE, MOVED, corrections
from pipelines.publish.marks import MARKS as SQL
from pipelines.publish.marks import with_marks
from pipelines.publish.search import Filters

ARTICLE = """insert into articles (id, url, source_id, title, text, sort_at, date_published, date_published_source, language, section,
    word_count, content_hash, extractor, first_seen_at, last_fetched_at, version_count, gone_at)
    values (?1, 'https://' || ?2 || '.example/' || ?1, ?2, ?3, ?4, ?5, ?5, 'meta', ?6, 'Quay', 3, ?4, '', ?5, ?5, ?7, ?8)"""
PAGE = """insert into pages (id, url, source_id, via, state, reason, article_id, discovered_at, last_fetched_at, http_status, similarity,
    title, content_hash) values (?, 'https://x.example/' || ?1, ?, 'feed', ?, ?, ?, '2026-11-10', '2026-11-23T09:00:00Z', ?, ?, ?, ?)"""
VERSION = """insert into versions (article_id, page_id, version, fetched_at, title, text, content_hash, words_added, words_removed, cause)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?3 = 2, ?3 = 2, ?7)"""
MORE = "One.\nTwo words, at the harbour before dawn.\nThe pier was mended and nobody was hurt at all."
PART = "One.\nTwo words, at the harbour before dawn."


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """1 has another text, then another title; 2 is gone; 3 moved; 4 was read by other rules; 5 has a shorter copy and one of the
    same words; 6 is as it was."""
    db = tmp_path_factory.mktemp("corrections") / "news.db"
    connect(db, write=True).close()
    with contextlib.closing(sqlite3.connect(db)) as base, base:
        for number, name in enumerate(("Ledger", "Post", "Gazette"), 1):
            base.execute("insert into sources (id, name, url, domain) values (?, ?, ?, ?)", [number, name, name, name])
        for number, source, title, text, language, versions, gone in (
            (1, 1, "A later title", "The quay is dry.", "en", 3, None),
            (2, 1, "Deleted", "Text of three.", "en", 1, "2026-11-22T08:00:00Z"),
            (3, 2, "Moved", "Text.", "en", 1, None),
            (4, 2, "Read anew", "Text by rules.", "de", 2, None),
            (5, 1, "Copied", MORE, "en", 2, None),
            (6, 2, "العنوان", "Text.", "ar", 1, None),
        ):
            base.execute(
                ARTICLE, [number, source, title, text, f"2026-11-1{number}T08:00:00Z", language, versions, gone]
            )
            base.execute(PAGE, [number, source, "article", None, number, 200, None, title, text])
        base.execute(PAGE, [30, 2, "duplicate", "canonical", 3, 404, None, None, None])
        base.execute(PAGE, [50, 2, "duplicate", "near", 5, 200, 1.0, "A part", PART])
        base.execute(PAGE, [51, 3, "duplicate", "text", 5, 200, 1.0, "The same", MORE])
        base.execute(PAGE, [52, 1, "duplicate", "text", 5, 200, 1.0, "On its own site", MORE])
        for given in (
            (1, 1, 1, "2026-11-11T08:00:00Z", "An earlier title", "The quay is wet.", "site"),
            (1, 1, 2, "2026-11-20T08:00:00Z", "An earlier title", "The quay is dry.", "site"),
            (1, 1, 3, "2026-11-21T08:00:00Z", "A later title", "The quay is dry.", "site"),
            (4, 4, 1, "2026-11-14T08:00:00Z", "Read anew", "Text.", "site"),
            (4, 4, 2, "2026-11-21T09:00:00Z", "Read anew", "Text by rules.", "rules"),
            (5, 5, 1, "2026-11-15T08:00:00Z", "Copied", MORE, "site"),
            (5, 50, 2, "2026-11-16T08:00:00Z", "A part", PART, "site"),
        ):
            base.execute(VERSION, given)
    with contextlib.closing(sqlite3.connect(db)) as base:
        base.row_factory = sqlite3.Row
        yield base


EVERYTHING = Filters()


def found(base: sqlite3.Connection, filters: Filters = EVERYTHING, **more: int) -> list[tuple[str, int, str]]:
    return [(one["what"], one["article_id"], one["at"][:10]) for one in corrections(base, filters, **more).rows]


EVERY = [
    ("moved", 3, "2026-11-23"),
    ("gone", 2, "2026-11-22"),
    ("title", 1, "2026-11-21"),
    ("text", 1, "2026-11-20"),
]


def test_corrections_are_those_of_the_view_the_last_first(base: sqlite3.Connection) -> None:
    view = base.execute("select what, article_id, substr(at, 1, 10) from changed order by at desc").fetchall()
    assert found(base) == EVERY == [tuple(row) for row in view]


@pytest.mark.parametrize(
    ("filters", "articles"),
    [
        (Filters(source=1), [2, 1, 1]),
        (Filters(source=2, language="en"), [3]),
        (Filters(language="de"), []),
        (Filters(section="Quay", since="2026-11-21"), [3, 2, 1]),
        (Filters(until="2026-11-20"), [1]),
        (Filters(since="2026-11-21", until="2026-11-22", source=1), [2, 1]),
    ],
)
def test_corrections_are_narrowed_by_their_article_and_their_own_day(
    base: sqlite3.Connection, filters: Filters, articles: list[int]
) -> None:
    assert [article for _, article, _ in found(base, filters)] == articles


def test_every_page_of_corrections_goes_on_where_the_last_one_ended(base: sqlite3.Connection) -> None:
    assert [found(base, page=page, size=3) for page in (1, 2, 3)] == [EVERY[:3], EVERY[3:], []]
    assert [corrections(base, Filters(), page=page, size=2).more for page in (1, 2)] == [True, False]


def test_a_correction_says_word_by_word_what_changed(base: sqlite3.Connection) -> None:
    _, _, title, text = corrections(base, Filters()).rows
    assert (title["change"]["text"], text["change"]["title"]) == ([None], [None])
    (paragraph,) = text["change"]["text"]
    assert [(piece.what, piece.text) for piece in paragraph] == [
        ("same", "The quay is "),
        ("removed", "wet."),
        ("added", "dry."),
    ]


def test_texts_too_long_to_be_compared_on_a_page_of_many_are_not(
    base: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_PAGE", 40)
    assert [one["change"] and one["change"]["text"] for one in corrections(base, Filters()).rows][2:] == [[None], None]


def test_a_correction_comes_at_its_time_whenever_it_was_stored(base: sqlite3.Connection) -> None:
    base.execute(VERSION, [6, 6, 1, "2026-11-16T08:00:00Z", "العنوان", "Older.", "site"])
    base.execute(VERSION, [6, 6, 2, "2026-11-17T08:00:00Z", "العنوان", "Text.", "site"])
    shown = found(base)
    base.rollback()
    assert shown == [*EVERY, ("text", 6, "2026-11-17")]


@pytest.mark.parametrize(
    ("filters", "articles"), [(Filters(source=1), [2, 1, 1]), (Filters(language="en", until="2026-11-20"), [1])]
)
def test_what_is_rare_is_found_behind_what_is_newer(
    base: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, filters: Filters, articles: list[int]
) -> None:
    monkeypatch.setattr(module, "_EDGE", module._EDGE.replace(f"{module.NEWEST} + 5 * :rows", "0"))
    assert [article for _, article, _ in found(base, filters)] == articles


@pytest.mark.parametrize(
    "filters", [Filters(), Filters(source=1, language="en", section="Quay"), Filters(language="en")]
)
def test_corrections_are_walked_from_the_newest_on(base: sqlite3.Connection, filters: Filters) -> None:
    narrowed, given = filters.sql()
    given |= {"since": "", "until": "~", "rows": 1}

    def plan(sql: str) -> list[str]:
        return [row["detail"] for row in base.execute(f"explain query plan {sql}", given)]

    walked = [plan(module.texts(**how)) for how in ({}, {"joined": narrowed}, {"among": narrowed})]
    for steps in (*walked, *map(plan, (module._EDGE, GONE.format(narrowed=narrowed), MOVED.format(narrowed=narrowed)))):
        assert re.search(
            r"USING (COVERING INDEX (versions_changed|articles_gone)|INDEX pages_moved) \(\w+>\? AND", steps[0]
        )
        assert [step for step in steps if "SCAN" in step and "COVERING INDEX articles_changed" not in step] == []
    assert not any("TEMP B-TREE" in step for steps in walked for step in steps)


# Marks


def test_marks_say_what_became_of_an_article(base: sqlite3.Connection) -> None:
    marked = with_marks(base, [{"id": number} for number in range(1, 7)])
    assert [one["changed_at"] for one in marked] == ["2026-11-21T08:00:00Z", *[None] * 5]
    assert [one["gone_at"] for one in marked] == [None, "2026-11-22T08:00:00Z", *[None] * 4]
    assert [one["copied_by"] for one in marked] == [0, 0, 0, 0, 2, 0]  # once on its own site
    assert {one["story_reports"] for one in marked} == {1}


def test_an_article_of_no_known_source_was_copied_by_all_and_one_that_was_taken_down_is_left_out(
    base: sqlite3.Connection,
) -> None:
    base.execute("update articles set source_id = null where id = 5")
    marked = with_marks(base, [{"id": 5}, {"id": 99}])
    base.rollback()
    assert [(one["id"], one["copied_by"]) for one in marked] == [(5, 3)]


def test_marks_are_looked_up_and_not_searched_for(base: sqlite3.Connection) -> None:
    plan = [row["detail"] for row in base.execute(f"explain query plan {SQL}", {"ids": "[1]"})]
    assert [step for step in plan if step.startswith("SCAN") and "hit" not in step and "copies" not in step] == []


# The pages


@pytest.fixture(scope="module")
def get(base: sqlite3.Connection) -> Iterator[Callable[[str], Any]]:
    path = base.execute("pragma database_list").fetchone()["file"]
    datasette = Datasette([path])
    with asyncio.Runner() as runner:
        runner.run(datasette.invoke_startup())
        yield lambda asked: runner.run(datasette.client.get(asked))


def texts(page: HtmlElement, css: str) -> list[str]:
    return [" ".join(element.text_content().split()) for element in page.cssselect(css)]


def test_the_page_has_a_heading_a_day_and_the_words_that_changed(get: Callable[[str], Any]) -> None:
    page = fromstring(get("/corrections").text)
    assert texts(page, "h2.day") == ["23 November 2026", "22 November 2026", "21 November 2026", "20 November 2026"]
    assert texts(page, ".correction h3") == ["Moved", "Deleted", "A later title", "A later title"]
    assert texts(page, ".correction .what") == [
        "No longer at that address: another one of its site has the text.",
        "No longer at its address: what was read of it, 3 words, is kept here.",
        "Changed: another title.",
        "Changed: 1 word added, 1 removed.",
    ]
    assert (texts(page, ".diff del"), texts(page, ".diff ins")) == (["An earlier", "wet."], ["A later", "dry."])
    assert texts(page, ".correction time")[0] == "09:00"
    assert page.cssselect("nav a[aria-current]")[0].get("href") == "/corrections"


def test_corrections_are_narrowed_to_days_on_the_page(get: Callable[[str], Any]) -> None:
    page = fromstring(get("/corrections?since=2026-11-21&until=2026-11-22&source=1").text)
    assert texts(page, ".correction h3") == ["Deleted", "A later title"]
    fields = {field.get("name"): field.get("value") for field in page.cssselect(".filters[open] input")}
    assert fields == {"since": "2026-11-21", "until": "2026-11-22"}
    assert "day" in texts(page, ".filters summary")[0]
    assert fromstring(get("/").text).cssselect(".filters input") == []


def test_corrections_of_nothing_say_so(get: Callable[[str], Any]) -> None:
    assert "Nothing passes these filters." in get("/corrections?language=de").text
    assert "There is nothing older." in get("/corrections?page=9").text


def test_pages_of_corrections_lead_to_each_other(get: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "pipelines.publish.pages.corrections", lambda *given, page: corrections(*given, page=page, size=2)
    )
    first = fromstring(get("/corrections?source=1").text)
    (link,) = first.cssselect("a[rel=next]")
    second = fromstring(get("/corrections" + link.get("href")).text)
    assert [len(page.cssselect(".correction")) for page in (first, second)] == [2, 1]
    assert second.cssselect("a[rel=prev]")[0].get("href") == "?source=1&page=1"


def test_corrections_are_a_feed_whose_entries_have_the_words(get: Callable[[str], Any]) -> None:
    feed = feedparser.parse(get("/corrections.atom?source=1").content)
    assert (feed.bozo, feed.version, feed.feed.title) == (False, "atom10", "Broadsheet: corrections, Ledger")
    assert [entry.title for entry in feed.entries] == ["Deleted", "A later title", "A later title"]
    assert len({entry.id for entry in feed.entries}) == 3
    assert feed.entries[0].updated.startswith("2026-11-22T08:00:00")
    assert "<del>wet.</del><ins>dry.</ins>" in feed.entries[-1].summary
    assert {entry.link for entry in feed.entries} == {
        "http://localhost/article/2#changes",
        "http://localhost/article/1#changes",
    }


def test_corrections_are_data(get: Callable[[str], Any]) -> None:
    listed = get("/corrections.json").json()
    assert [one["what"] for one in listed["corrections"]] == ["moved", "gone", "title", "text"]
    assert listed["corrections"][3]["change"]["text"][0][1] == {"what": "removed", "text": "wet."}
    assert (listed["within"], listed["next"]) == (None, None)
    head, *lines = get("/corrections.csv").text.splitlines()
    assert (head.split(",")[:3], len(lines)) == (["at", "what", "article_id"], 4)
    assert get("/corrections.csv?language=de").text.strip() == head


@pytest.mark.parametrize("path", ["/corrections?source=x", "/corrections.atom?since=yesterday", "/corrections?page=-1"])
def test_what_cannot_be_asked_of_corrections_is_told(get: Callable[[str], Any], path: str) -> None:
    assert get(path).status_code == 400


MARKS = [["changed"], ["gone"], [], [], ["copied by 2 others"], []]


@pytest.mark.parametrize("path", ["/", "/search?q=Text+OR+quay+OR+pier", "/source/1"])
def test_lists_mark_what_became_of_an_article(get: Callable[[str], Any], path: str) -> None:
    page = fromstring(get(path).text)
    marks = {
        int(entry.cssselect("a[href^='/article/']")[0].get("href").rpartition("/")[2]): texts(entry, ".mark")
        for entry in page.cssselect(".entry, .plain li")
    }
    assert len(marks) >= 3 and marks == {number: MARKS[number - 1] for number in marks}
    links = {link.get("href") for link in page.cssselect("a.mark")}
    assert links == {"/article/1#changes", "/article/5#copies"}


def test_an_article_notes_its_correction_above_the_text(get: Callable[[str], Any]) -> None:
    page = fromstring(get("/article/1").text)
    assert texts(page, "article .note") == [
        "Changed after publication, seen 21 November 2026, 08:00 UTC: another title. What changed"
    ]
    assert page.cssselect("#changes details[open] del")[0].text == "An earlier "
    assert texts(fromstring(get("/article/4").text), ".note, #changes") == []


def test_a_copy_is_read_beside_the_article_with_its_differences(get: Callable[[str], Any]) -> None:
    page = fromstring(get("/article/5").text)
    shares = [line.rpartition(" · ")[2] for line in texts(page, "#copies li > .meta")]
    assert shares == ["has 44 % of this text, and no words of its own", "the same text", "the same text"]
    assert texts(page, "#copies .diff del") == ["The pier was mended and nobody was hurt at all."]
    assert len(page.cssselect("#copies details")) == 1
    copies = get("/article/5.json").json()["copies"]
    assert copies[0]["share_of_copy"] == 1 and copies[0]["share_of_article"] == 8 / 18
    assert [one["text"] for one in copies[1:]] == [None, None]


def test_an_article_leads_to_those_before_and_after_it_in_its_source(get: Callable[[str], Any]) -> None:
    page = fromstring(get("/article/2").text)
    assert [(link.get("rel"), link.get("href")) for link in page.cssselect("nav.turn a")] == [
        ("prev", "/article/1"),
        ("next", "/article/5"),
    ]
    assert get("/article/1.json").json()["previous"] is None


def test_a_line_below_a_title_runs_as_the_title_does(get: Callable[[str], Any]) -> None:
    page = fromstring(get("/").text)
    assert [entry.get("dir") for entry in page.cssselect(".entry")] == ["rtl", *["ltr"] * 5]


def test_the_front_page_says_the_time_of_day_below_its_day(get: Callable[[str], Any]) -> None:
    assert set(texts(fromstring(get("/").text), ".entry time")) == {"08:00"}


def test_the_newer_news_are_where_the_reader_came_from(
    get: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.publish.queries.RECENT", 2)
    monkeypatch.setattr("pipelines.publish.queries.ENOUGH", 2)
    seen, path = [], "/"
    while path:
        page = fromstring(get(path).text)
        seen.append(texts(page, ".entry h3"))
        path = next(("/" + link.get("href") for link in page.cssselect("a[rel=next]")), "")
    back = []
    while link := next((link.get("href") for link in page.cssselect("a[rel=prev]")), None):
        page = fromstring(get(link).text)
        back.append(texts(page, ".entry h3"))
    assert len(seen) == 4 and back == seen[-2::-1]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nowhere", "There is no page at this address."),
        ("/news/nothing", "There is no table, view or query of this name"),
        ("/news/articles/999", "There is no row of this number"),
        ("/article/999", "The article 999 was never here."),
    ],
)
def test_what_is_not_here_is_said_in_our_words(get: Callable[[str], Any], path: str, said: str) -> None:
    answer = get(path)
    page = fromstring(answer.text)
    assert answer.status_code == 404 and said in texts(page, "main div")[0]
    assert [link.get("href") for link in page.cssselect("main a")] == ["/", "/sources", "/tables"]
