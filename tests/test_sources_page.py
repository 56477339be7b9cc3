"""The pages of sources as a browser without JavaScript gets them: sorted, narrowed, drawn and explained."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette
from lxml.html import HtmlElement, fromstring

from crawler.times import stamp
from pipelines.archive.schedule import RESTING
from pipelines.database.connection import connect
from pipelines.publish import sources
from tests.conftest import connect as connect_by_name

NOW = datetime.now(UTC)

SOURCES: tuple[tuple[str, str | None, str, str | None, int | None, list[int]], ...] = (
    # name, category, status, reason, days since it was read, articles a day from the oldest day to today
    ("Anchor", None, "ok", None, 0, [2] * 28),
    ("Beacon", "Local", "ok", "waits: b.example wants to be left alone until 2026-11-21T08:15:00Z", 1, [0] * 26 + [5, 1]),
    ("Compass", "Sport", "quiet", "nothing new for 5 days, the last on 2026-02-27; its longest silence before was 62 hours", 0, [3] * 20 + [0] * 8),
    ("dunes", "Local", "broken", "https://d.example/feed: no page at this address (HTTP 404); 3 looks in a row", 6, [1] + [0] * 27),
    ("Estuary", None, "off", "not in sources.toml", None, []),
    ("Ferry", "local", "new", None, None, []),
)  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SOURCES; of the one that is broken a feed, and a sitemap in reserve."""
    db = tmp_path_factory.mktemp("sources") / "news.db"
    writer = connect(db, write=True)
    with writer.conn:
        for number, (name, category, status, reason, read, _) in enumerate(SOURCES, 1):
            writer.conn.execute(
                "insert into sources (id, name, category, status, reason, last_success_at, url, domain) values (?, ?, ?, ?, ?, ?, ?, '')",
                (number, name, category, status, reason, read if read is None else days_ago(read), f"https://{number}.example/"),
            )  # fmt: skip
        writer.conn.executemany(
            """insert into articles (url, source_id, text, sort_at, word_count, content_hash, extractor, first_seen_at, last_fetched_at)
               values (?1, ?2, '', ?3, 1, '', '', ?3, ?3)""",
            [
                (f"https://{source}.example/{ago}/{article}", source, days_ago(ago))
                for source, (*_, per_day) in enumerate(SOURCES, 1)
                for ago, articles in enumerate(reversed(per_day))
                for article in range(articles)
            ],
        )
        writer.conn.execute(
            "update sources set last_new_article_at = (select max(sort_at) from articles where source_id = sources.id)"
        )
        writer.conn.executemany(
            "insert into feeds (source_id, url, kind, last_status, entries) values (4, ?, ?, ?, ?)",
            [
                ("https://d.example/s.xml", "sitemap", "reserve", None),
                ("https://d.example/feed", "rss", "http_404", 30),
                ("https://d.example/", "homepage", None, None),
            ],
        )
    writer.close()
    return db


def days_ago(days: int) -> str:
    """Within that day, however early it is now."""
    return stamp((NOW - timedelta(days=days)).replace(hour=0, minute=0, second=0))


@pytest.fixture(scope="module")
def get(archive: Path) -> Iterator[Callable[[str], Any]]:
    with asyncio.Runner() as runner:
        datasette = Datasette([str(archive)])
        runner.run(datasette.invoke_startup())
        yield lambda path: runner.run(datasette.client.get(path))


@pytest.fixture(scope="module")
def page(get: Callable[[str], Any]) -> Callable[[str], HtmlElement]:
    return lambda path: fromstring(get(path).text)


def texts(page: HtmlElement, css: str) -> list[str]:
    return [" ".join(element.text_content().split()) for element in page.cssselect(css)]


Page = Callable[[str], HtmlElement]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", "dunes Compass Ferry Anchor Beacon Estuary"),
        ("?sort=health", "dunes Compass Ferry Anchor Beacon Estuary"),
        ("?sort=-health", "Estuary Anchor Beacon Ferry Compass dunes"),
        ("?sort=name", "Anchor Beacon Compass dunes Estuary Ferry"),
        ("?sort=-name", "Ferry Estuary dunes Compass Beacon Anchor"),
        ("?sort=category", "dunes Ferry Beacon Compass Anchor Estuary"),
        ("?sort=-week", "Anchor Beacon dunes Compass Ferry Estuary"),
        ("?sort=-usual", "Compass Anchor dunes Ferry Beacon Estuary"),
        ("?sort=-last_new", "Anchor Beacon Compass dunes Ferry Estuary"),
        ("?sort=last_new", "Ferry Estuary dunes Compass Anchor Beacon"),
        ("?sort=read", "Ferry Estuary dunes Beacon Compass Anchor"),
        ("?sort=name&health=ok", "Anchor Beacon"),
        ("?health=empty", ""),
    ],
)
def test_sources_stand_in_the_order_that_was_asked_for(
    page: Page, get: Callable[[str], Any], asked: str, expected: str
) -> None:
    assert texts(page(f"/sources{asked}"), "tbody th") == expected.split()
    assert [one["name"] for one in get(f"/sources.json{asked}").json()["sources"]] == expected.split()


@pytest.mark.parametrize(
    "path", ["/sources?sort=size", "/sources.csv?sort=--name", "/sources?health=ill", "/sources.json?health=ok'"]
)
def test_an_order_and_a_health_that_are_none_are_told_in_words(get: Callable[[str], Any], path: str) -> None:
    answer = get(path)
    assert (answer.status_code, f"{path.partition('?')[2].partition('=')[0]}: expected one of " in answer.text) == (
        400,
        True,
    )


def test_the_head_of_a_column_leads_to_its_order_and_then_to_the_other_way_round(page: Page) -> None:
    def heads(path: str) -> list[tuple[str | None, str]]:
        return [
            (head.get("aria-sort"), head.cssselect("a")[0].get("href"))
            for head in page(path).cssselect("thead th")
            if len(head)
        ]

    found = heads("/sources?health=ok&sort=-week")
    columns = ["name", "category", "health", "-last_new", "week", "-usual", "-read"]
    assert found == [("descending" if column == "week" else None, f"?health=ok&sort={column}") for column in columns]
    assert [head for head in heads("/sources") if head[0]] == [("ascending", "?sort=-health")]
    assert texts(page("/sources?sort=name"), "[aria-sort]") == ["Source ▲"]


def test_the_counts_lead_to_the_sources_of_one_health_in_the_same_order(page: Page) -> None:
    shown = page("/sources?sort=name&health=ok")
    assert texts(shown, ".counts a") == ["6 in all", "1 broken", "1 quiet", "1 new", "2 well", "1 off"]
    assert texts(shown, ".counts [aria-current]") == ["2 well"]
    assert [link.get("href") for link in shown.cssselect(".counts a")][:2] == ["?sort=name", "?sort=name&health=broken"]


def test_a_row_says_in_words_why_and_how_much(page: Page) -> None:
    shown = page("/sources?sort=name")
    cells = [
        [" ".join(cell.text_content().split()) for cell in row.cssselect("td")] for row in shown.cssselect("tbody tr")
    ]
    assert cells[3][:2] == [
        "Local",
        "broken https://d.example/feed cannot be read: no page at this address (HTTP 404). It was tried 3 times in a row.",
    ]
    assert [(row[3], row[4]) for row in cells] == [
        ("14", "14"),
        ("6", "–"),
        ("0", "20"),
        ("0", "0.3"),
        ("0", "–"),
        ("0", "–"),
    ]
    assert cells[4][1:3] == ["off It is not in sources.toml any more, so nobody looks at it.", "none yet"]
    assert (cells[5][1], cells[5][6]) == ("new It has not been read yet.", "never")


def test_no_category_is_no_column(archive: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(archive)) as base:
        base.execute("vacuum into ?", [str(tmp_path / "news.db")])
    with contextlib.closing(sqlite3.connect(tmp_path / "news.db")) as base, base:
        base.execute("update sources set category = null")
    shown = fromstring(asyncio.run(Datasette([str(tmp_path / "news.db")]).client.get("/sources")).text)
    assert "Category" not in texts(shown, "thead th")
    assert len(shown.cssselect("thead th")) == len(shown.cssselect("tbody tr:first-child > *")) == 7


def test_a_sparkline_is_a_picture_of_28_days_that_says_what_they_come_to(page: Page, get: Callable[[str], Any]) -> None:
    drawn = page("/sources?sort=name").cssselect("tbody svg")
    assert {(svg.get("role"), svg.get("viewbox")) for svg in drawn} == {("img", "0 0 28 16")}
    assert texts(page("/sources?sort=name"), "tbody svg title") == [
        "2 to 2 a day, 2 yesterday", "0 to 5 a day, 5 yesterday", "0 to 3 a day, 0 yesterday", "0 to 1 a day, 0 yesterday",
        "no article in 28 days", "no article in 28 days",
    ]  # fmt: skip
    assert drawn[1].cssselect("path")[0].get("d") == f"M0 16{'V16h1' * 26}V0h1V12h1V16z"
    rows = get("/sources.json?sort=name").json()["sources"]
    assert [row["per_day"] for row in rows] == [per_day or [0] * 28 for *_, per_day in SOURCES]


def test_new_columns_of_the_data_stand_at_the_end(get: Callable[[str], Any]) -> None:
    head, first, *_ = get("/sources.csv?sort=name").text.splitlines()
    assert head.endswith("missed,missed_at,consecutive_failures,category,per_day")
    assert first.endswith(f',0,,"[{", ".join("2" * 28)}]"')


# The page of one


def test_the_page_of_a_source_says_what_it_is_read_by_and_how_that_did(page: Page, get: Callable[[str], Any]) -> None:
    shown = page("/source/4")
    assert texts(shown, "main > .why") == [
        "broken https://d.example/feed cannot be read: no page at this address (HTTP 404). It was tried 3 times in a row."
    ]
    assert texts(shown, ".facts dd")[0] == "Local"
    assert [texts(row, "th, td") for row in shown.cssselect(".feeds tbody tr")] == [
        ["d.example/feed", "RSS feed", "It cannot be read: no page at this address (HTTP 404).", "30", "never"],
        ["d.example/", "front page", "It was never asked yet.", "–", "never"],
    ]
    assert texts(shown, ".tables details li") == [
        "d.example/s.xml (sitemap) It is not asked: in reserve: another entry point of the source yields."
    ]
    rows = get("/source/4.json").json()["feeds"]
    assert [row["last_status"] for row in rows] == ["http_404", None, "reserve"]
    assert get("/source/1.csv?table=feeds").text.split(",") == [*list(rows[0])[:-1], "entries\r\n"]


def test_listings_that_are_not_asked_are_those_that_the_schedule_leaves_alone() -> None:
    assert set(sources.NOT_ASKED) == {*RESTING, "named"}


# How quick they are


def plan(archive: Path, sql: str) -> list[str]:
    with contextlib.closing(connect_by_name(archive)) as base:
        return [step["detail"] for step in base.execute(f"explain query plan {sql}")]


@pytest.mark.parametrize("of", ["", " where source_id = 1"], ids=["all", "one"])
def test_the_health_of_sources_is_counted_along_an_index_without_sorting_articles(archive: Path, of: str) -> None:
    steps = plan(archive, f"select * from source_health{of}")
    assert {step for step in steps if "articles" in step} == {
        "SEARCH articles USING COVERING INDEX articles_source_seen (source_id=? AND first_seen_at>?)",
        "SEARCH articles USING COVERING INDEX articles_source_seen (source_id=? AND first_seen_at>? AND first_seen_at<?)",
    }
    assert not any("GROUP BY" in step for step in steps)


def test_the_articles_of_a_day_are_counted_along_an_index_without_sorting_them(archive: Path) -> None:
    steps = plan(archive, sources.PER_DAY)
    assert {step for step in steps if "articles" in step} == {
        "SEARCH articles USING COVERING INDEX articles_source (source_id=? AND sort_at>?)",
        "SEARCH articles USING COVERING INDEX articles_source (source_id=? AND sort_at>? AND sort_at<?)",
    }
    assert not any("TEMP B-TREE" in step for step in steps)


def test_the_table_takes_two_queries_however_many_sources_there_are(archive: Path) -> None:
    with contextlib.closing(connect_by_name(archive)) as base:
        asked: list[str] = []
        base.set_trace_callback(asked.append)
        assert len(sources.sources(base)) == len(SOURCES)
    assert len(asked) == 2
