"""news.db as plain Datasette shows it: the real server on a real archive."""

import asyncio
import contextlib
import json
import re
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from datasette.app import Datasette
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.reasons import sentence
from pipelines.archive.store import Archive
from pipelines.publish.serve import METADATA, Place, datasette_arguments, metadata_for
from tests.conftest import connect
from tests.support.reading import reading_room

Get = Callable[[str], Any]

TOLD: dict[str, Any] = json.loads(METADATA.read_text("utf-8"))
TABLES: dict[str, Any] = TOLD["databases"]["news"]["tables"]
QUERIES: dict[str, Any] = TOLD["databases"]["news"]["queries"]

HOSTILE = [
    "", " ", "\x00", "a\x00b", '"', '"open', '""', "'", "%", "a AND", "NOT", "NEAR(a b, -1)", "title:a", "^a*", "a + -b", "(((", ")", "{a}",
    "; drop table articles; --", "' or 1=1 --", "😀", "\u202etxt", "日本", "-9223372036854775808", "9" * 40, "1e400", "word " * 2000, "x" * 10000,
]  # fmt: skip


@pytest.fixture(scope="module")
def get(demo: Path) -> Iterator[Get]:
    """Fetch a page of the demo archive from plain Datasette: our metadata, its own default settings."""
    datasette = Datasette([str(demo)], metadata=TOLD)
    with asyncio.Runner() as runner:
        yield lambda path: runner.run(datasette.client.get(path))


@pytest.fixture(scope="module")
def columns(demo: Path) -> dict[str, list[str]]:
    """The columns of every table and view, without what SQLite and its full-text index keep for themselves."""
    with contextlib.closing(connect(demo)) as base:
        names = [row["name"] for row in base.execute("select name from sqlite_master where type in ('table', 'view')")]
        kept = [name for name in names if not name.startswith(("sqlite_", "articles_fts_", "variants_fts_"))]
        return {name: [column["name"] for column in base.execute(f"pragma table_info([{name}])")] for name in kept}


def rows(get: Get, query: str, **parameters: str) -> list[dict[str, Any]]:
    answer = get(f"/news/{query}.json?{urlencode(parameters | {'_shape': 'objects'})}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


# What the metadata says


def test_every_column_of_every_table_and_view_is_described_in_its_order(columns: dict[str, list[str]]) -> None:
    assert {name: list(table["columns"]) for name, table in TABLES.items()} == columns


@pytest.mark.parametrize("name", TABLES)
def test_descriptions_are_short_sentences(name: str) -> None:
    said = [TABLES[name]["description"], *TABLES[name]["columns"].values()]
    assert [text for text in said if not re.fullmatch(r"\S.{5,158}\.", text)] == []


@pytest.mark.parametrize("name", TABLES)
def test_facets_sorting_and_labels_name_columns_that_exist(name: str, columns: dict[str, list[str]]) -> None:
    table = TABLES[name]
    facets = [
        column
        for facet in table.get("facets", [])
        for column in (facet.values() if isinstance(facet, dict) else [facet])
    ]
    named = [
        *facets,
        *table.get("sortable_columns", []),
        *(table[key] for key in ("sort", "sort_desc", "label_column", "fts_pk") if key in table),
    ]
    assert set(named) <= set(columns[name])


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_has_a_title_a_description_and_a_name_of_its_own(name: str, columns: dict[str, list[str]]) -> None:
    query = QUERIES[name]
    assert name not in columns, "a query hides the table or view of the same name"
    assert query["title"] and query["description"].endswith(".")
    assert set(re.findall(r":([a-z]+)\b", query["sql"])) == set(query["params"])
    assert all(parameter in query["description"] for parameter in query["params"] if parameter != "q")


def test_nothing_is_loaded_from_or_leads_to_another_site() -> None:
    assert re.findall(r"https?:|\"//", METADATA.read_text("utf-8")) == []
    assert "license" not in TOLD


# What the pages show


@pytest.mark.parametrize("path", ["", *TABLES])
def test_every_table_and_view_is_a_page(get: Get, path: str) -> None:
    assert get(f"/news/{path}".rstrip("/")).status_code == 200


@pytest.mark.parametrize("table", ["articles", "pages", "sources", "feeds", "runs"])
def test_a_row_is_a_page(get: Get, table: str) -> None:
    assert get(f"/news/{table}/1").status_code == 200


@pytest.mark.parametrize("said", [TOLD["description_html"], TOLD["databases"]["news"]["description_html"]])
def test_the_descriptions_lead_only_to_pages_that_exist(get: Get, said: str) -> None:
    links = [unescape(link) for link in re.findall(r'<a href="(news/[^"]+)"', said)]
    assert len(links) >= 8
    assert {link: get(f"/{link}").status_code for link in links} == dict.fromkeys(links, 200)


@pytest.mark.parametrize(
    ("name", "parameter"), [(name, parameter) for name in QUERIES for parameter in QUERIES[name]["params"]]
)
def test_no_query_fails_whatever_is_typed(get: Get, name: str, parameter: str) -> None:
    answers = {typed: get(f"/news/{name}?{urlencode({parameter: typed})}").status_code for typed in HOSTILE}
    assert answers == dict.fromkeys(HOSTILE, 200)


@pytest.mark.parametrize("name", [name for name in QUERIES if name != "changed_articles"])
def test_every_query_shows_something_of_the_demo_when_nothing_is_typed(get: Get, name: str) -> None:
    assert rows(get, name)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=40) | st.text(alphabet='"*()^:+-{} aN\t', max_size=12))
def test_search_never_fails(get: Get, text: str) -> None:
    assert get(f"/news/search.json?q={quote(text)}").status_code == 200


def test_internals_are_hidden(get: Get) -> None:
    tables = get("/news.json").json()["tables"]
    shown = {table["name"] for table in tables if not table["hidden"]}
    assert shown == {"articles", "feeds", "hosts", "pages", "runs", "sources", "stories", "versions"}


def test_articles_have_a_search_box_facets_with_labels_and_the_newest_first(get: Get) -> None:
    page = get("/news/articles.json?_search=harbour&_shape=objects&_labels=on").json()
    assert set(page["facet_results"]) == {"source_id", "language", "section", "sort_at"}
    assert "The Calderwick Ledger" in [facet["label"] for facet in page["facet_results"]["source_id"]["results"]]
    dates = [row["sort_at"] for row in page["rows"]]
    assert len(dates) > 1 and dates == sorted(dates, reverse=True)


# Search


def test_search_shows_the_words_in_their_place_newest_first(get: Get) -> None:
    found = rows(get, "search", q="harbour")
    assert [row["sort_at"] for row in found] == sorted((row["sort_at"] for row in found), reverse=True)
    assert found and all("**harbour**" in row["snippet"].lower() for row in found)


def test_search_for_words_in_quotation_marks_wants_them_together(get: Get) -> None:
    assert len(rows(get, "search", q='"North Quay"')) >= 1
    assert len(rows(get, "search", q="North Quay")) >= 1
    assert rows(get, "search", q='"Quay North"') == []


@pytest.mark.parametrize(
    ("typed", "said_in", "snippet"),
    [
        ('"toppled onto"', "article", "**toppled onto**"),
        ("islands fear ferries", "copy", "**Islands** **fear** for their **ferries** as Selkie runs out of money"),
        ('"in January, so that the board"', "version", "**in January, so that the board**"),
    ],
)
def test_search_finds_what_only_a_copy_or_an_earlier_version_says(
    get: Get, typed: str, said_in: str, snippet: str
) -> None:
    (hit,) = rows(get, "search", q=typed)
    assert hit["said_in"] == said_in and snippet in hit["snippet"]
    assert bool(hit["copy_url"]) == (said_in == "copy") and hit["copy_url"] != hit["url"]


def test_search_can_be_narrowed_to_a_source_and_a_time(get: Get) -> None:
    every = rows(get, "search", q="harbour")
    one = every[-1]
    assert rows(get, "search", q="harbour", source=one["source"].upper(), until=one["sort_at"][:10])[-1] == one
    assert rows(get, "search", q="harbour", since="9") == []


def test_the_counts_by_day_are_those_of_reading_every_article(get: Get, demo: Path) -> None:
    with contextlib.closing(connect(demo)) as base:
        counted = base.execute(
            """select substr(sort_at, 1, 10) as day, name as source, count(*) as articles
               from articles join sources on sources.id = source_id group by 1, 2 order by 1 desc, 3 desc, 2"""
        ).fetchall()
    assert rows(get, "by_day", days="36500") == [dict(row) for row in counted if row["day"] > "1930"]


TEXTS = """insert into versions (article_id, page_id, version, fetched_at, title, content_hash, words_added, words_removed, text)
    select article_id, pages.id, value, '2026-11-1' || value, 'Title ' || value, iif(value < 3, 'a', 'b'), value, 1, ''
    from pages, json_each('[1, 2, 3]') where article_id is not null"""
"""Three texts of every page that gave one, copies too: the second changes the title, the third the words."""


@pytest.fixture(scope="module")
def changed(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's archive when every text has changed twice, and some are gone."""
    db = copy_of(demo, tmp_path_factory.mktemp("changed") / "news.db")
    with contextlib.closing(connect(db)) as base, base:
        base.execute("delete from versions")
        base.execute(TEXTS)
        base.execute("update articles set gone_at = '2026-11-20T08:00:00Z' where id % 3 = 0")
        base.execute("update versions set cause = 'rules' where id % 7 = 0")
    return db


@pytest.mark.parametrize("source", ["", "LEDGER", "post", "nobody"])
@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("changed_articles", "changed where instr(lower(source), lower(:source))"),
        ("copied_articles", "copies where instr(lower(source) || lower(copy_source), lower(:source))"),
    ],
)
def test_changed_and_copied_articles_are_those_of_the_views(changed: Path, name: str, view: str, source: str) -> None:
    with contextlib.closing(connect(changed)) as base:
        shown = base.execute(QUERIES[name]["sql"], {"source": source})
        columns = ", ".join(column[0] for column in shown.description).replace("similarity", "round(similarity, 2)")
        every = base.execute(f"select {columns} from {view}", {"source": source})
        found, wanted = [tuple(row) for row in shown], [tuple(row) for row in every]
    assert len(wanted) < 200 and sorted(found, key=repr) == sorted(wanted, key=repr)
    assert [row[0] for row in found] == sorted((row[0] for row in wanted), reverse=True)


def test_a_reason_is_said_in_a_sentence(get: Get) -> None:
    said = {row["reason"]: row["meaning"] for row in rows(get, "reasons")}
    assert said == {word: sentence(word) for word in said}
    assert {row["meaning"] for row in rows(get, "refused_and_failed")} < set(said.values())


def test_an_empty_search_shows_the_latest_articles(get: Get) -> None:
    assert [row["id"] for row in rows(get, "search")] == [row["id"] for row in rows(get, "latest_articles")]


@pytest.mark.parametrize(
    "name", ["search", "latest_articles", "new_since_yesterday", "by_day", "refused_and_failed", "reasons"]
)
def test_queries_read_no_large_table_from_end_to_end(demo: Path, name: str) -> None:
    assert [
        step
        for step in plan_of(demo, name)
        if re.match(r"SCAN (articles|pages|variants)(?! USING COVERING INDEX)\b", step)
    ] == []


@pytest.mark.parametrize("name", ["search", "latest_articles"])
def test_articles_are_taken_in_the_order_of_their_index_instead_of_sorting_every_hit(demo: Path, name: str) -> None:
    assert any("articles USING COVERING INDEX articles_sort" in step for step in plan_of(demo, name))


@pytest.mark.parametrize("name", ["search", "latest_articles"])
def test_the_newest_of_some_sources_are_taken_from_the_end_of_each(demo: Path, name: str) -> None:
    assert any("articles USING COVERING INDEX articles_source" in step for step in plan_of(demo, name))


def plan_of(demo: Path, name: str) -> list[str]:
    with contextlib.closing(connect(demo)) as base:
        for function in ("escape_fts", "meaning"):
            base.create_function(function, 1, lambda text: text)
        parameters = dict.fromkeys(QUERIES[name]["params"], "harbour")
        return [row["detail"] for row in base.execute(f"explain query plan {QUERIES[name]['sql']}", parameters)]


# Serving


@pytest.mark.parametrize(("name", "database"), [("news.db", "news"), ("my archive.2.db", "my+archive~2E2")])
def test_the_metadata_follows_the_name_of_the_file(demo: Path, tmp_path: Path, name: str, database: str) -> None:
    with reading_room(copy_of(demo, tmp_path / name)) as site:
        assert f'<a href="{database}/articles">' in fetch(f"{site}/{database}")[1]
        assert "**harbour**" in fetch(f"{site}/{database}/search?q=harbour")[1]
        assert fetch(f"{site}/{database}?sql=select+1")[0] == 200


def test_visitors_of_a_public_archive_read_and_search_but_run_no_sql_of_their_own(demo: Path, tmp_path: Path) -> None:
    with reading_room(copy_of(demo, tmp_path / "news.db"), "--public") as site:
        assert fetch(f"{site}/news/search?q=harbour")[0] == 200
        assert {table: fetch(f"{site}/news/{table}")[0] for table in TABLES} == dict.fromkeys(TABLES, 200)
        refused = ["/news?sql=select+1", "/news/articles?_where=1=1", "/news.db", "/news/articles.csv?_stream=on"]
        assert [fetch(site + path)[0] for path in refused] == [403, 403, 403, 400]


def test_an_archive_of_the_usual_name_needs_no_metadata_of_its_own() -> None:
    assert metadata_for(Path("elsewhere/news.db"), Place()) == METADATA


@pytest.mark.parametrize("name", ["what?.db", "100%41.db", "a#b?mode=rwc.db", "odd?/news.db"])
def test_an_archive_is_served_whatever_its_name_would_mean_in_an_address(demo: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    with contextlib.closing(Archive(copy_of(demo, tmp_path / name))) as writer:  # what it writes stays in the log
        writer.db.execute("update articles set title = 'only in the log' where id = 1")
        before = sorted(path.name for path in tmp_path.rglob("*"))
        _, served, _, metadata, *_ = datasette_arguments(tmp_path / name, Place())
        with asyncio.Runner() as runner:
            datasette = Datasette([served], metadata=json.loads(Path(metadata).read_text("utf-8")))
            answer = runner.run(datasette.client.get("/news/articles/1.json?_shape=objects"))
        assert sorted(path.name for path in tmp_path.rglob("*")) == before
    assert answer.json()["rows"][0]["title"] == "only in the log"


def copy_of(demo: Path, path: Path) -> Path:
    with contextlib.closing(sqlite3.connect(demo)) as base:
        base.execute("vacuum into ?", [str(path)])
    return path


def fetch(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=600) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
