"""The whole flow on the local corpus: every page that expected/ names comes out as it says."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from protego import Protego

from crawler.cli.demo import crawl_twice
from crawler.cli.run import PARTLY_DONE
from crawler.fetcher.offline import find_copy
from crawler.items import Page
from crawler.parsers.content_types import content_type_of
from crawler.urls import origin_of
from pipelines.extract import Refusal, extract
from tests.conftest import CORPUS, broadsheet, connect
from tests.support.corpus import ARTICLES, COLUMNS, PAGES, read_expected
from tests.support.expectations import Mistake, held_by, missing_from

SURE = [url for url, expected in PAGES.items() if not expected.get("optional")]
OPTIONAL = [url for url, expected in PAGES.items() if expected.get("optional")]


@pytest.fixture(scope="module")
def base(demo: Path) -> sqlite3.Connection:
    return connect(demo)


def page_of(base: sqlite3.Connection, url: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = base.execute("select * from pages where url = ?", [url]).fetchone()
    return row


def article_of(base: sqlite3.Connection, url: str) -> dict[str, Any]:
    page = page_of(base, url)
    assert page is not None, "was not found by the crawl"
    assert (page["state"], page["reason"]) == ("article", None)
    row = dict(base.execute("select * from articles where id = ?", [page["article_id"]]).fetchone())
    lists = {name: json.loads(row[name] or "[]") for name in ("authors", "keywords")}
    free = row["is_accessible_for_free"]
    return row | lists | {"is_accessible_for_free": None if free is None else bool(free)}


@pytest.mark.parametrize("url", SURE)
def test_every_page_ends_in_its_expected_state(base: sqlite3.Connection, url: str) -> None:
    page, expected = page_of(base, url), PAGES[url]
    assert page is not None
    assert (page["state"], page["reason"]) == (expected["state"], expected.get("reason"))


@pytest.mark.parametrize("url", OPTIONAL)
def test_what_is_no_article_is_not_stored_as_one(base: sqlite3.Connection, url: str) -> None:
    page, expected = page_of(base, url), PAGES[url]
    assert page is None or page["state"] == expected["state"] == "refused"
    assert expected.get("reason") in (None, refusal(url))


def refusal(url: str) -> str:
    """Why a page of the corpus would be refused if a crawl asked for it."""
    robots, file = find_copy(CORPUS, f"{origin_of(url)}/robots.txt"), find_copy(CORPUS, url)
    if robots and not Protego.parse(robots.read_text("utf-8")).can_fetch(url, "Broadsheet"):
        return "robots"
    assert file is not None, "no such page in the corpus"
    page = Page(
        url=url,
        final_url=url,
        via="listed",
        fetched_at=datetime(2026, 11, 21, tzinfo=UTC),
        content_type=content_type_of(file),
        body=file.read_bytes(),
    )
    with pytest.raises(Refusal) as refused:
        extract(page)
    return refused.value.reason


@pytest.mark.parametrize("url", [url for url, expected in PAGES.items() if "of" in expected])
def test_a_duplicate_names_its_article(base: sqlite3.Connection, url: str) -> None:
    found = base.execute(
        "select articles.url from pages join articles on articles.id = article_id where pages.url = ?", [url]
    ).fetchone()
    assert found["url"] == PAGES[url]["of"]


@pytest.mark.parametrize("url", ARTICLES)
def test_the_fields_are_those_of_the_page(base: sqlite3.Connection, url: str) -> None:
    found, expected = article_of(base, url), {"authors": [], "url": url} | ARTICLES[url]
    wanted = {name: expected[name] for name in expected if name in COLUMNS or name == "url"}
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize("url", ARTICLES)
def test_the_text_has_the_article_and_not_the_clutter(base: sqlite3.Connection, url: str) -> None:
    text, expected = article_of(base, url)["text"], ARTICLES[url]
    missing, clutter = missing_from(text, expected.get("with", [])), held_by(text, expected.get("without", []))
    assert (missing, clutter) == ([], [])


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ('state = "article"\nauthor = ["A"]', "unknown key 'author'; did you mean 'authors'?"),
        ('state = "refused"\nwithout = []', "unknown key 'without'; known are state, reason, optional"),
        ('state = "gone"', "state: expected article, duplicate, refused, not 'gone'"),
        ('state = "article"\nwith = "One"', "with: expected a list of strings, not 'One'"),
    ],
)
def test_what_nobody_would_compare_is_an_error(said: str, message: str) -> None:
    with pytest.raises(Mistake) as mistake:
        read_expected(f'["https://x.example/a"]\n{said}', "expected/x.toml")
    assert str(mistake.value) == f"expected/x.toml: https://x.example/a: {message}"


def test_the_demo_shows_a_correction_a_deletion_a_story_a_quiet_and_an_ill_source(base: sqlite3.Connection) -> None:
    changes = base.execute("select what, article_id, source from changed order by what").fetchall()
    assert [(row["what"], row["source"]) for row in changes] == [
        ("gone", "Northvale Daily"),
        ("text", "The Calderwick Ledger"),
    ]
    words = base.execute("select text from versions where article_id = ? order by version", [changes[1]["article_id"]])
    assert ["in January, so that" in text for (text,) in words] == [True, False]
    ill = base.execute("select name, status from sources where status <> 'ok' order by name").fetchall()
    assert [tuple(row) for row in ill] == [("Dunmere Courier", "broken"), ("The Wethersay Lamp", "quiet")]
    assert base.execute("select count(*) from stories where source_count > 1").fetchone()[0] > 0


def test_every_page_found_is_in_one_state_and_every_article_has_one_page(base: sqlite3.Connection) -> None:
    pages, articles = (
        base.execute("select count(*) from pages where state = 'article'").fetchone()[0],
        base.execute("select count(*) from articles").fetchone()[0],
    )
    assert pages == articles
    assert base.execute("select count(*) from pages where state = 'pending'").fetchone()[0] == 0


def test_the_same_bytes_give_the_same_text_in_a_crawl_and_an_import(base: sqlite3.Connection, tmp_path: Path) -> None:
    db = tmp_path / "imported.db"
    assert broadsheet("import", ".", "--db", db, cwd=CORPUS, workers=None).returncode == 0
    sql = "select pages.url, text from pages join articles on articles.id = article_id where pages.state = 'article'"
    crawled, imported = dict(base.execute(sql).fetchall()), dict(connect(db).execute(sql).fetchall())
    shared = {url: text for url, text in crawled.items() if url in imported}
    assert len(shared) > 25
    assert shared == {url: imported[url] for url in shared}


def test_a_demo_that_a_signal_ended_begins_no_other_run(demo: Path, tmp_path: Path) -> None:
    db = tmp_path / "news.db"
    shutil.copy(demo, db)

    def stopped(folder: Path) -> int:
        with closing(sqlite3.connect(db)) as base, base:
            base.execute(
                "update runs set status = 'partial', reason = ? where id = (select max(id) from runs)", [ended]
            )
        return 0

    ended = PARTLY_DONE["shutdown"]
    with closing(connect(db)) as base:
        runs = base.execute("select count(*) from runs").fetchone()
    assert crawl_twice(CORPUS, db, stopped) == 0
    with closing(connect(db)) as base:
        assert base.execute("select count(*) from runs").fetchone() == runs
