"""Datasette's own pages in the reading room's house: what stands on them, and where. How they look: test_browser.py."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import datasette
import pytest
from datasette.app import Datasette
from datasette.cli import check_databases
from lxml.html import HtmlElement, document_fromstring

from pipelines.publish.serve import METADATA

Page = Callable[[str], HtmlElement]

PAGES = [
    "/news",
    "/news/articles",
    "/news/articles/1",
    "/news/latest",
    "/news/search?q=harbour",
    "/news/search?q=zzzz",
    "/news?sql=select+1",
    "/news?sql=select+nope",
    "/-/versions",
    "/-/allow-debug",
]


async def pages(files: list[Path], paths: list[str], *, base: str = "/", **options: str) -> dict[str, str]:
    """What Datasette answers, path by path."""
    shown = Datasette(
        [str(file) for file in files],
        metadata=json.loads(METADATA.read_text("utf-8")),
        settings={"base_url": base},
        **options,
    )
    await check_databases(shown)  # as `datasette serve` does
    return {path: (await shown.client.get(path)).text for path in paths}


@pytest.fixture(scope="module")
def page(demo: Path) -> Iterator[Page]:
    """A page of the demo archive."""
    with asyncio.Runner() as runner:
        yield lambda path: document_fromstring(runner.run(pages([demo], [path]))[path])


def test_every_page_of_datasettes_has_the_head_and_the_frame_of_the_reading_room(demo: Path) -> None:
    for path, text in asyncio.run(pages([demo], PAGES)).items():
        found = document_fromstring(text)
        assert found.get("lang"), path
        assert [one.text_content() for one in found.cssselect("header nav a[aria-current]")] == ["Tables"], path
        assert (
            len(found.cssselect("header form[role=search], main#main, .skip, footer a[href*='datasette.io']")) == 4
        ), path
        assert len(found.cssselect("h1")) == len(found.cssselect("main h1")) == 1, path
        assert found.cssselect(".crumbs a")[0].get("href") == "/tables", path


@pytest.mark.parametrize("path", ["/news/articles", "/news/articles/1"])
def test_the_head_leads_on_under_a_base_url(demo: Path, path: str) -> None:
    found = document_fromstring(asyncio.run(pages([demo], [path], base="/papers/"))[path])
    links = [one.get("href") for one in found.cssselect("header a, .crumbs a")]
    assert links[:5] == ["/papers/", "/papers/", "/papers/corrections", "/papers/sources", "/papers/tables"]
    assert links[5:7] == ["/papers/tables", "/papers/news"]
    assert found.cssselect("form.find")[0].get("action") == "/papers/search"
    assert found.cssselect("link[rel=stylesheet]")[-1].get("href") == "/papers/-/static-plugins/broadsheet/tables.css"


def test_rows_come_before_the_notes_on_columns_which_are_folded(page: Page) -> None:
    found = page("/news/articles")
    order = [one.tag for one in found.cssselect("main > h1, main > .table-wrapper, main > details")]
    assert order[:3] == ["h1", "div", "details"]
    assert [one.text for one in found.cssselect("details:not([open]) > #columns dt code")][:2] == ["id", "url"]


def test_what_datasette_offers_of_a_table_is_all_there(page: Page) -> None:
    found = page("/news/articles?language=de&_facet=language&_sort=title")
    links = {one.get("href") for one in found.cssselect("main a")}
    assert "/news/articles?language=de&_facet=language&_sort_desc=title" in links
    assert "/news/articles.csv?language=de&_facet=language&_sort=title&_labels=on&_size=max" in links
    assert any(link.startswith("/news/articles.json?") and link.endswith("&_shape=array&_nl=on") for link in links)
    assert any(link.startswith("/news?sql=select") for link in links)
    assert found.cssselect("details.facets[open] .facet-info a") and found.cssselect("form input[name=_search]")
    chosen = {one.getparent().get("name"): one.text for one in found.cssselect("form option[selected]")}
    assert chosen == {"_filter_column_1": "language", "_filter_op_1": "=", "_filter_op": "=", "_sort": "title"}
    assert [one.get("value") for one in found.cssselect("input.filter-value")] == ["de", ""]
    assert found.cssselect("th[aria-sort=ascending]")[0].get("data-column") == "title"


def test_a_cell_says_its_column_and_an_empty_or_long_one_that_it_is(page: Page) -> None:
    (row, *_) = page("/news?sql=select+1+as+one,+null+as+two,+printf('%2550d',+3)+as+three").cssselect("tbody tr")
    assert [(cell.get("data-label"), cell.get("class")) for cell in row] == [
        ("one", "col-one"),
        ("two", "col-two empty"),
        ("three", "col-three long"),
    ]


def test_a_canned_query_is_told_from_a_table_by_its_prefix(page: Page) -> None:
    query, database = page("/news/latest_articles"), page("/news")
    assert query.cssselect("h1")[0].text_content() == "Question: Latest articles"
    assert query.cssselect("title")[0].text == "Question: Latest articles · Broadsheet"
    links = {one.get("href"): one.text for one in database.cssselect("section dt a")}
    assert (links["/news/latest_articles"], links["/news/articles"]) == ("Question: Latest articles", "articles")


def test_sql_that_fails_is_there_to_be_mended(page: Page) -> None:
    found = page("/news?sql=select+nope")
    assert found.cssselect("[role=status]")[0].text == "no such column: nope"
    assert found.cssselect("textarea[name=sql]")[0].text == "select nope"


def test_a_page_by_a_template_of_the_owner_s_has_the_frame_too(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "table-news-runs.html").write_text('{% extends "default:table.html" %}')
    (tmp_path / "_table-news-feeds.html").write_text("<p>Feeds of mine</p>")
    shown = asyncio.run(pages([demo], ["/news/runs", "/news/feeds"], template_dir=str(tmp_path)))
    found = document_fromstring(shown["/news/runs"])
    assert len(found.cssselect("header form[role=search], main table.rows-and-columns, .crumbs")) == 3
    assert "Feeds of mine" in shown["/news/feeds"]


def test_beside_other_programs_databases_datasettes_pages_are_its_own_but_for_white_space(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as base:
        base.executescript(
            "create table things (id integer primary key, name text); insert into things values (1, 'a')"
        )
    paths = ["/", "/other", "/other/things?_facet=name", "/other/things/1", "/other?sql=select+1", "/-/versions"]
    files, templates = [tmp_path / "other.db"], Path(datasette.__file__).parent / "templates"
    ours, datasettes = (
        {path: re.sub(r"[\d.]+ms|<!-- Templates.*|\s+", " ", text) for path, text in found.items()}
        for found in (
            asyncio.run(pages(files, paths)),
            asyncio.run(pages(files, paths, template_dir=str(templates))),
        )
    )
    assert ours == datasettes
