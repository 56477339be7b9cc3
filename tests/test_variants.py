"""What copies and other versions say that the article does not: it is kept, found, and taken down with them."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feedparser
import pytest

from pipelines.archive.store import Archive
from pipelines.archive.takedown import erase
from pipelines.database.connection import connect
from pipelines.database.schema import migrations
from pipelines.publish import search as module
from pipelines.publish.feed import atom
from pipelines.publish.formatting import starred
from pipelines.publish.search import Filters, among, expression, search, seen_last
from pipelines.text import added_lines, other_title
from tests.test_deduplicate import A, B, C, article, page, report
from tests.test_forget import forget, holds, keep, rows

TEXT = report("pier", 120)
OWN = "A xylophone was carried over the marsh."
NEAR = f"{OWN}\n\n{TEXT}"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    archive = Archive(tmp_path / "news.db")
    archive.db.execute("pragma secure_delete = off")  # Debian's SQLite has it on, others have not
    yield archive
    archive.close()


def said(archive: Archive) -> list[tuple[Any, ...]]:
    sql = """select pages.url, variants.title, variants.text, variants.id >> 20 = variants.article_id from variants
             join pages on pages.id = page_id order by variants.id"""
    return rows(archive, sql)


def found(archive: Archive, typed: str, **options: Any) -> list[dict[str, Any]]:
    archive.db.conn.row_factory = sqlite3.Row
    try:
        return search(archive.db.conn, expression(typed) or "", Filters(), **options).rows
    finally:
        archive.db.conn.row_factory = None


@pytest.mark.parametrize(
    ("text", "known", "added"),
    [
        ("One two.\nThree four.", "One two. Three four.", None),
        ("One two.\nThree five.", "One two. Three four.", "Three five."),
        ("two one", "One two three", "two one"),
        ("One", "One two", None),
        ("Zwei", "One two", "Zwei"),
        ("ONE, two!", "one two", None),
        ("東京の橋\n東京", "東京の新しい橋", "東京の橋"),
        ("", "One", None),
        ("—\nOne two", "", "One two"),
    ],
)  # fmt: skip
def test_the_lines_that_only_one_text_can_be_found_by(text: str, known: str, added: str | None) -> None:
    assert added_lines(text, known) == added


def test_a_title_of_the_same_words_says_nothing_else() -> None:
    assert [other_title(*pair) for pair in [("The Pier", "the pier!"), (None, "x"), ("A", None), ("", None)]] == [
        None, None, "A", None
    ]  # fmt: skip


def test_a_copy_with_the_very_text_is_kept_by_its_own_headline(archive: Archive) -> None:
    keep(archive, page(A), article(TEXT, title="The pier"))
    keep(archive, page(B, minutes=5), article(TEXT, title="Storm at the pier"))
    keep(archive, page(C, minutes=6), article(TEXT, title="The Pier"))
    assert said(archive) == [(B, "Storm at the pier", None, 1)]
    (hit,) = found(archive, "storm pier")
    assert (hit["said_in"], hit["copy_url"], starred(hit["said_title"])) == ("copy", B, "**Storm** at the **pier**")
    assert starred(hit["heading"]) == "The pier"


def test_a_near_copy_is_kept_by_the_words_it_adds(archive: Archive) -> None:
    keep(archive, page(A), article(TEXT))
    keep(archive, page(B, minutes=5), article(NEAR))
    assert said(archive) == [(B, None, OWN, 1)]
    (hit,) = found(archive, '"a xylophone"')
    assert (hit["said_in"], hit["found_at"], hit["said_title"]) == ("copy", "2026-11-03T12:05:00Z", None)
    assert starred(hit["snippet"]) == "**A xylophone** was carried over the marsh."


def test_an_earlier_text_is_found_and_dated(archive: Archive) -> None:
    keep(archive, page(A), article(NEAR, title="Before"))
    keep(archive, page(A, minutes=60), article(TEXT, title="After"))
    assert said(archive) == [(A, "Before", OWN, 1)]
    (hit,) = found(archive, "xylophone")
    assert (hit["said_in"], hit["copy_url"], hit["found_at"]) == ("version", None, "2026-11-03T12:00:00Z")
    assert hit["last_changed_at"] == "2026-11-03T13:00:00Z"


def test_what_an_original_replaced_is_said_by_its_copy_from_then_on(archive: Archive) -> None:
    keep(archive, page(B, minutes=5), article(NEAR, title="Later", published="2026-11-02T12:00:00Z"))
    keep(
        archive,
        page(C, minutes=6),
        article(f"{TEXT}\n\nAnd a walrus sang.", title="Third", published="2026-11-02T13:00:00Z"),
    )
    keep(archive, page(A, minutes=9), article(TEXT, title="First", published="2026-11-01T12:00:00Z"))
    assert sorted(said(archive)) == [(B, "Later", OWN, 1), (C, "Third", "And a walrus sang.", 1)]


def test_words_that_two_versions_had_and_the_third_has_not_are_found(archive: Archive) -> None:
    keep(archive, page(A), article(NEAR + "\n\nFirst ending."))
    keep(archive, page(A, minutes=60), article(NEAR))
    keep(archive, page(A, minutes=120), article(TEXT))
    assert [hit["said_in"] for hit in found(archive, "xylophone marsh")] == ["version"]


def test_nothing_is_kept_of_an_article_that_is_alone(archive: Archive) -> None:
    keep(archive, page(A), article(TEXT, title="T"))
    keep(archive, page(A, minutes=60), article(TEXT, title="T"))
    assert said(archive) == []


def test_an_article_is_found_once_and_first_by_its_own_words(archive: Archive) -> None:
    keep(archive, page(A), article(f"{TEXT}\n\nThe crane stood.", title="The pier"))
    for number, url in enumerate((B, C, "https://d.example/")):
        keep(archive, page(url, minutes=5 + number), article(f"{TEXT}\n\nA crane {url[8]}.", title=f"Crane {url[8]}"))
    (hit,) = found(archive, "crane")
    assert (hit["said_in"], hit["copy_url"], hit["said_title"]) == ("article", None, None)


def test_all_hits_have_the_same_columns_wherever_they_stand(archive: Archive) -> None:
    for number, (url, text) in enumerate(((A, TEXT), (B, NEAR), (C, f"{OWN}\n\n{report('weir', 120)}"))):
        keep(archive, page(url, minutes=number), article(text))
    by_place = {hit["said_in"]: sorted(hit) for hit in found(archive, "xylophone")}
    assert by_place["copy"] == by_place["article"]


def test_a_word_that_must_not_be_there_is_looked_for_in_the_article_too(archive: Archive) -> None:
    keep(archive, page(A), article(f"{TEXT}\n\nA walrus sang."))
    keep(archive, page(B, minutes=5), article(f"{OWN}\n\n{TEXT}\n\nA walrus sang."))
    assert found(archive, "xylophone -walrus") == []
    assert len(found(archive, "xylophone -narwhal")) == 1
    assert len(found(archive, "xylophone OR carried -walrus")) == 0


def test_a_beginning_finds_words_that_only_a_copy_has(archive: Archive) -> None:
    keep(archive, page(A), article(f"{TEXT}\n\nA xylem grows."))
    keep(archive, page(B, minutes=5), article(f"{OWN}\n\n{TEXT}\n\nA xylem grows."))
    (hit,) = found(archive, "xylo* marsh")
    assert "**xylophone**" in starred(hit["snippet"])
    assert len(found(archive, "xyl* carried")) == 1


def test_best_first_ranks_what_a_copy_says(archive: Archive) -> None:
    keep(archive, page(A), article(TEXT))
    keep(archive, page(B, minutes=5), article(NEAR))
    assert [hit["said_in"] for hit in found(archive, "xylophone", best=True)] == ["copy"]


@pytest.mark.parametrize("far", [0, 10**9])
@pytest.mark.parametrize("typed", ["xylophone", "xylophone -walrus", "xyl* OR carried"])
def test_what_is_said_elsewhere_is_looked_up_in_the_index(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, typed: str, far: int
) -> None:
    keep(archive, page(A), article(TEXT))
    keep(archive, page(B, minutes=5), article(NEAR))
    keep(archive, page("https://d.example/1", minutes=3), article(report("quay", 90) + "\n\nOne xylophone."))
    monkeypatch.setattr(module, "LOOKED_UP", far - 1)
    asked: list[str] = []
    archive.db.conn.set_trace_callback(asked.append)
    assert {len(found(archive, typed, best=best)) for best in (False, True)} == {2}
    archive.db.conn.row_factory = sqlite3.Row
    assert len(seen_last(archive.db.conn, expression(typed) or "", Filters(since="2026"), 9)) == 2
    assert len(among(archive.db.conn, expression(typed) or "", Filters(), [1, 2, 99])) == 2
    archive.db.conn.row_factory = None
    archive.db.conn.set_trace_callback(None)
    asked = [
        sql for sql in asked if re.match(r"\s*(select|with)\b.*\bvariants", sql, re.DOTALL) and "_terms" not in sql
    ]
    steps = {step for sql in asked for step in plan(archive, sql)}
    assert {step for step in steps if "_fts VIRTUAL" in step and not re.search("INDEX [0-9]+:.*M", step)} == set()
    assert {
        step for step in steps if re.match(r"SCAN (variants|articles|pages|sources)\b(?!.* VIRTUAL)", step)
    } == set()
    assert any("SEARCH variants USING INTEGER PRIMARY KEY" in step for step in steps)


def test_articles_are_looked_up_one_by_one_only_where_that_is_less_than_all_hits_between_them() -> None:
    assert module._lie_far_apart([1, 1_000], '"crane"')
    assert not module._lie_far_apart([1, 1_000], '"crane" OR "cranes" OR "crank"')
    assert not module._lie_far_apart(range(1_000), '"crane"')


def plan(archive: Archive, sql: str) -> list[str]:
    return [row[3] for row in archive.db.execute(f"explain query plan {sql}")]


def test_a_copy_s_own_headline_and_words_are_gone_with_it(archive: Archive) -> None:
    keep(archive, page(A), article(TEXT, title="T"))
    keep(archive, page(B, minutes=5), article(TEXT, title="Qzxjvkw twice"))
    keep(archive, page(C, minutes=6), article(f"Wvkjxzq. {NEAR}", title="T"))
    assert holds(archive, "qzxjvkw")
    assert holds(archive, "wvkjxzq")
    forget(archive, B, C)
    assert erase(archive.db)
    assert said(archive) == []
    assert not holds(archive, "qzxjvkw")
    assert not holds(archive, "wvkjxzq")
    archive.db.execute("create virtual table temp.terms using fts5vocab ('main', 'variants_fts', 'row')")
    assert rows(archive, "select * from terms") == []


def test_what_another_copy_says_too_stays_when_one_is_forgotten(archive: Archive) -> None:
    keep(archive, page(A), article(TEXT, title="T"))
    keep(archive, page(B, minutes=5), article(NEAR, title="B"))
    keep(archive, page(C, minutes=6), article(NEAR, title="C"))
    forget(archive, B)
    assert said(archive) == [(C, "C", OWN, 1)]


def test_an_archive_that_exists_gets_the_same_rows(archive: Archive) -> None:
    keep(archive, page(A), article(f"{TEXT}\n\nA first end.", title="Before"))
    keep(archive, page(A, minutes=60), article(TEXT, title="After"))
    keep(archive, page(B, minutes=65), article(TEXT, title="Storm"))
    keep(archive, page(C, minutes=66), article(NEAR, title="Xylophone"))
    whole = (
        "select article_id, page_id, version_id, title, text, first_seen_at from variants order by page_id, version_id"
    )
    written = rows(archive, whole)
    assert len(written) == 3
    for sql in ("drop view variants_words", "drop table variants_fts", "drop table variants"):
        archive.db.execute(sql)
    archive.db.execute("delete from _sqlite_migrations where name = 'm030_variants'")
    migrations.apply(archive.db)
    assert rows(archive, whole) == written
    assert [hit["said_in"] for hit in found(archive, "storm OR xylophone")] == ["copy"]
    archive.db.execute("insert into variants_fts (variants_fts, rank) values ('integrity-check', 1)")


def test_plain_sqlite_writes_keep_the_index(tmp_path: Path, archive: Archive) -> None:
    keep(archive, page(A), article(TEXT))
    keep(archive, page(B, minutes=5), article(NEAR, title="東京の橋"))
    other = connect(archive.path, write=True)
    other.execute("update variants set title = '大阪の橋'")
    other.close()
    assert (found(archive, "東京"), len(found(archive, "大阪"))) == ([], 1)
    archive.db.execute("delete from versions")
    assert said(archive) == []
    archive.db.execute("insert into variants_fts (variants_fts, rank) values ('integrity-check', 1)")


def test_the_late_copy_of_an_old_article_comes_first_among_what_was_seen_last(archive: Archive) -> None:
    keep(archive, page(A), article(TEXT, published="2024-01-01T00:00:00Z"))
    keep(archive, page("https://d.example/1", minutes=3), article(report("quay", 90) + "\n\nOne xylophone."))
    keep(
        archive,
        page("https://d.example/2", minutes=8),
        article(report("weir", 90) + "\n\nTwo xylophones, a xylophone."),
    )
    keep(archive, page(B, minutes=9), article(NEAR, title="Copy", published="2024-01-02T00:00:00Z"))
    archive.db.conn.row_factory = sqlite3.Row
    seen = seen_last(archive.db.conn, '"xylophone"', Filters(), 2)
    assert [(row["url"], row["said_in"]) for row in seen] == [(A, "copy"), ("https://d.example/2", "article")]
    archive.db.conn.row_factory = None


def test_a_feed_says_when_an_entry_was_published_and_updated_and_where_its_words_are(archive: Archive) -> None:
    keep(archive, page(A), article(TEXT, title="The pier", published="2026-11-02T08:00:00Z"))
    keep(archive, page(B, minutes=5), article(TEXT, title="<Storm> & pier"))
    keep(archive, page("https://d.example/1", minutes=1), article(report("quay", 90), title="No date, a storm"))
    archive.db.conn.row_factory = sqlite3.Row
    seen = seen_last(archive.db.conn, '"storm"', Filters(), 9)
    archive.db.conn.row_factory = None
    feed = feedparser.parse(atom("storm", seen, "https://x.example/", "https://x.example/", str))
    copy, undated = feed.entries
    assert (copy.published, copy.updated) == ("2026-11-02T08:00:00+00:00", "2026-11-03T12:05:00+00:00")
    assert copy.summary.startswith(f"In the copy of b.example: &lt;Storm&gt; &amp; pier: {TEXT[:20]}")
    assert ("published" in undated, undated.updated) == (False, "2026-11-03T12:01:00+00:00")
    assert feed.feed.updated == "2026-11-03T12:05:00+00:00"
