"""Categories: folders of sources as a filter of every list, whatever a folder is called and however many articles there are."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import feedparser
import pytest
from datasette.app import Datasette
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import HtmlElement, fromstring

from crawler.folders import category_of, parse_category, tidy
from crawler.items import Source
from pipelines.archive.sources import sync
from pipelines.database.connection import connect
from pipelines.publish.categories import has_sources, named
from pipelines.publish.queries import newer, newest, seen_last
from pipelines.publish.search import Filters

FOLDERS = st.lists(st.lists(st.text(st.sampled_from("ab/;\\ "), min_size=1, max_size=3).filter(str.strip), max_size=3), max_size=3)  # fmt: skip


@settings(max_examples=60)
@given(FOLDERS, FOLDERS)
def test_a_source_is_in_its_folders_and_in_those_around_them(lies: list[list[str]], asked: list[list[str]]) -> None:
    category, wanted = tidy(category_of(map(tuple, lies))), named(category_of(map(tuple, asked)))
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute("create table sources (id, category)")
        base.execute("insert into sources values (1, ?)", [category])
        found = wanted is not None and has_sources(base, wanted)
    folder = parse_category(wanted)[0]
    assert found == (folder != () and any(one[: len(folder)] == folder for one in parse_category(category)))


ARTICLES = """insert into articles (id, url, source_id, text, sort_at, word_count, content_hash, extractor, first_seen_at, last_fetched_at)
    values (?1, ?1, ?2, '', ?3, 1, '', '', ?3, ?3)"""


def filled(base: sqlite3.Connection, size: int) -> None:
    """Articles by turns of 10 sources, three in a story; of `Closed` only the first hundred."""
    base.executemany(
        "insert into sources (id, name, url, domain, category) values (?1, ?1, ?1, '', ?2)",
        [(n, "News" if n < 9 else "Rare" if n < 10 else "Closed") for n in range(1, 11)],
    )
    rows = ((n, n % (10 if n <= 100 else 9) + 1, f"2026-01-01T{n:08}") for n in range(1, size + 1))
    base.executemany(ARTICLES, rows)
    base.execute("insert into stories select distinct id / 3 + 1, null, '', '', 3, 1 from articles")
    base.execute("update articles set story_id = id / 3 + 1")


def test_the_archive_has_them_in_one_way(tmp_path: Path) -> None:
    db = connect(tmp_path / "news.db", write=True)
    for category in ("News / National ;Local", " / "):
        sync(db, [Source(url="https://x.example/", name="x", category=category)])
        found = db.conn.execute("select category from sources").fetchone()
        assert found == ((None,) if category == " / " else ("News/National; Local",))
    db.close()


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[sqlite3.Connection]]:
    """An archive, and one of three times as many articles."""
    made = [connect(tmp_path_factory.mktemp("filled") / f"{size}.db", write=True) for size in (1_500, 4_500)]
    for db, size in zip(made, (1_500, 4_500), strict=True):
        db.conn.row_factory = sqlite3.Row
        with db.conn:
            db.conn.execute("begin")
            db.conn.execute("drop trigger articles_fts_insert")
            filled(db.conn, size)
            db.conn.execute("analyze")
    yield [db.conn for db in made]
    for db in made:
        db.close()


def steps(base: sqlite3.Connection, ask: Callable[[], object]) -> int:
    """How many instructions SQLite's machine takes."""
    count = 0

    def one() -> None:
        nonlocal count
        count += 1

    base.set_progress_handler(one, 1)
    ask()
    base.set_progress_handler(None, 1)
    return count


@pytest.mark.parametrize("category", ["News", "Rare", "Closed", "Nowhere"])
@pytest.mark.parametrize("before", [None, "2026-01-01T00000090 0"])
def test_the_newest_of_a_category_take_as_long_however_many_are_older_or_of_others(
    growing: list[sqlite3.Connection], category: str, before: str | None
) -> None:
    filters = Filters(category=category)
    small, large = (steps(base, lambda: newest(base, filters, before, 40)) for base in growing)  # noqa: B023
    assert large < small * 1.2
    if before:
        small, large = (steps(base, lambda: newer(base, filters, before)) for base in growing)  # noqa: B023
        assert large < small * 1.2


def test_the_same_category_is_the_same_in_every_way_to_ask(growing: list[sqlite3.Connection]) -> None:
    (base, _) = growing
    plainly = [row[0] for row in base.execute("select id from articles where source_id = 10 order by sort_at desc")]
    filters = Filters(category="Closed")
    assert [row["id"] for row in newest(base, filters, None, 2000)] == plainly == [*range(99, 0, -10)]
    assert [row["id"] for row in seen_last(base, filters, 5)] == plainly[:5]
    assert newest(base, Filters(category="Closed", source=1), None, 10) == []
    assert len(newest(base, Filters(category="Closed", source=10), None, 3)) == 3


def test_the_stories_of_a_category_are_looked_up_by_their_reports(growing: list[sqlite3.Connection]) -> None:
    condition, given = Filters(category="News").sql()
    sql = f"explain query plan select 1 from articles where story_id = 1 and (sort_at, id) > ('', 1) and {condition}"
    assert any("articles USING INDEX articles_story" in row["detail"] for row in growing[0].execute(sql, given))


# The pages


@pytest.fixture(scope="module")
def get(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> Iterator[Callable[[str], Any]]:
    """The demo's archive, with folders in folders."""
    db = tmp_path_factory.mktemp("categories") / "news.db"
    shutil.copy(demo, db)
    with closing(sqlite3.connect(db)) as base, base:
        base.execute("update sources set category = 'Home/Coast; A\\/B' where category = 'regional'")
        base.execute("update sources set category = 'Home/Hills' where category = 'blog'")
        base.execute("update sources set category = '<b>' where category = 'agency'")
    with asyncio.Runner() as runner:
        datasette = Datasette([str(db)])
        runner.run(datasette.invoke_startup())
        yield lambda path: runner.run(datasette.client.get(path))


def row(page: HtmlElement) -> list[str]:
    """The links of the rows, what is chosen in brackets."""
    links = page.cssselect(".categories a")
    return [f"[{link.text_content()}]" if link.get("aria-current") else link.text_content() for link in links]


def test_the_front_page_has_a_row_of_categories_and_the_chosen_one_as_its_heading(get: Callable[[str], Any]) -> None:
    front = fromstring(get("/").text)
    assert row(front) == ["[All]", "<b>", "A/B", "abroad", "Home", "magazine"]
    coast = fromstring(get("/?category=Home/Coast&language=en").text)
    assert row(coast) == ["All", "<b>", "A/B", "abroad", "Home", "magazine", "All", "[Coast]", "Hills"]
    assert [one.text_content() for one in coast.cssselect("h1")] == ["Home / Coast"]
    assert {link.get("href") for link in coast.cssselect(".categories a[aria-current]")} == {
        "/?category=Home%2FCoast&language=en"
    }
    assert coast.cssselect(".categories a")[0].get("href") == "/?language=en"
    assert [
        bool(fromstring(get(f"/?{asked}").text).cssselect("details.filters[open]"))
        for asked in ("category=Home", "category=Home&language=en")
    ] == [False, True]
    assert coast.cssselect("select[name=category] option[selected]")[0].text == "Home / Coast"
    shown = {one.text_content() for one in coast.cssselect(".entry .source")}
    assert shown == {
        "The Calderwick Ledger",
        "Brackenford Gazette",
        "Tarrow County Telegram",
        "Northvale Daily",
        "The Wethersay Lamp",
    }


def test_an_archive_without_categories_has_no_row_of_them(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "news.db", write=True).conn) as base:
        base.execute("insert into sources (id, name, url, domain, category) values (1, 'x', 'x', 'x', 'Never crawled')")
    shown = asyncio.run(Datasette([str(tmp_path / "news.db")]).client.get("/")).text
    assert "categories" not in shown and 'name="category"' not in shown


@pytest.mark.parametrize("path", ["/latest.json?", "/search.json?q=the&", "/corrections.json?"])
def test_lists_and_their_data_are_narrowed_by_a_category(get: Callable[[str], Any], path: str) -> None:
    def sources(more: str) -> set[str]:
        (found,) = [one for one in get(path + more).json().values() if isinstance(one, list)]
        return {one["source"] for one in found}

    assert sources("category=Home") == sources("category=Home/Coast") | sources("category=Home/Hills") <= sources("")
    assert sources("category=A%5C/B") == sources("category=Home/Coast") != set()
    assert sources("category=Coast") == sources("category=A/B") == sources("category=Hom") == set()
    assert sources("category=Home") != set()
    assert sources("category=/") == sources("")


def test_a_category_goes_on_with_the_words_the_pages_and_the_feed(get: Callable[[str], Any]) -> None:
    found = fromstring(get("/search?q=the&category=%3Cb%3E").text)
    assert found.cssselect("input[type=hidden][name=category]")[0].get("value") == "<b>"
    (link,) = found.cssselect("head link[type='application/atom+xml']")
    feed = feedparser.parse(get(link.get("href")).content)
    assert (feed.feed.title_detail.value, {entry.author for entry in feed.entries}) == (
        "Broadsheet: the, <b>",
        {"Corvane"},
    )
    followed = (
        fromstring(get("/?category=Home").text).cssselect("head link[type='application/atom+xml']")[0].get("href")
    )
    assert len(feedparser.parse(get(followed).content).entries) == len(
        get("/latest.json?category=Home").json()["articles"]
    )


def test_a_story_stands_under_its_categories_by_their_own_report_and_with_all_it_has(get: Callable[[str], Any]) -> None:
    told = {
        "Home/Coast": (
            "Crane comes down on North Quay in gale, two workers hurt",
            "The Calderwick Ledger · 17:42 · Harbour",
        ),
        "Home/Hills": ("Wind topples crane at Calderwick port; two taken to infirmary", "The Fenmoor Post · 20:30"),
    }
    for category, (title, about) in told.items():
        shown = fromstring(get(f"/?category={category}").text)
        (entry,) = [one for one in shown.cssselect(".entry") if "rane" in one.cssselect("h3")[0].text_content()]
        lines = [one.text_content().strip() for one in entry.cssselect("h3, .meta, .story")]
        assert lines == [title, about, "2 reports from 2 sources"]
        assert entry.getparent().cssselect(".day")[0].text_content() == "11 November 2026"
