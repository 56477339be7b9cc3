"""The whole flow on the local corpus: every page that expected/ names comes out as it says."""

import json
import sqlite3
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CORPUS, broadsheet, connect

Expected = dict[str, Any]

PAGES: dict[str, Expected] = {
    url: expected
    for file in sorted((CORPUS / "expected").glob("*.toml"))
    for url, expected in tomllib.loads(file.read_text("utf-8")).items()
}
ARTICLES = {url: expected for url, expected in PAGES.items() if expected["state"] == "article"}


@pytest.fixture(scope="module")
def base(demo: Path) -> sqlite3.Connection:
    return connect(demo)


def page_of(base: sqlite3.Connection, url: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = base.execute("select * from pages where url = ?", [url]).fetchone()
    return row


def article_of(base: sqlite3.Connection, url: str) -> sqlite3.Row:
    page = page_of(base, url)
    assert page is not None, "was not found by the crawl"
    assert (page["state"], page["reason"]) == ("article", None)
    row: sqlite3.Row = base.execute("select * from articles where id = ?", [page["article_id"]]).fetchone()
    return row


@pytest.mark.parametrize("url", [url for url, expected in PAGES.items() if not expected.get("optional")])
def test_every_page_ends_in_its_expected_state(base: sqlite3.Connection, url: str) -> None:
    page, expected = page_of(base, url), PAGES[url]
    assert page is not None
    assert (page["state"], page["reason"]) == (expected["state"], expected.get("reason"))


@pytest.mark.parametrize("url", [url for url, expected in PAGES.items() if expected.get("optional")])
def test_what_is_no_article_is_not_stored_as_one(base: sqlite3.Connection, url: str) -> None:
    page = page_of(base, url)
    assert page is None or page["state"] == "refused"


@pytest.mark.parametrize("url", [url for url, expected in PAGES.items() if "of" in expected])
def test_a_duplicate_names_its_article(base: sqlite3.Connection, url: str) -> None:
    found = base.execute(
        "select articles.url from pages join articles on articles.id = article_id where pages.url = ?", [url]
    ).fetchone()
    assert found["url"] == PAGES[url]["of"]


@pytest.mark.parametrize("url", ARTICLES)
def test_the_fields_are_those_of_the_page(base: sqlite3.Connection, url: str) -> None:
    row, expected = article_of(base, url), ARTICLES[url]
    found = dict(row) | {"authors": json.loads(row["authors"] or "[]")}
    wanted: Expected = {
        name: expected[name] for name in ("title", "date_published", "language", "section") if name in expected
    }
    wanted |= {"authors": expected.get("authors", []), "url": expected.get("url", url)}
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize("url", ARTICLES)
def test_the_text_has_the_article_and_not_the_clutter(base: sqlite3.Connection, url: str) -> None:
    text, expected = " ".join(article_of(base, url)["text"].split()), ARTICLES[url]
    missing = [phrase for phrase in expected.get("with", []) if " ".join(phrase.split()) not in text]
    clutter = [phrase for phrase in expected.get("without", []) if " ".join(phrase.split()) in text]
    assert (missing, clutter) == ([], [])


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
