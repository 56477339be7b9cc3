"""What a reader types into the search box, against a real full-text index."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.database import connect
from pipelines.publish.search import Filters, expression, search
from pipelines.publish.words import MARKS, marked, spaced
from pipelines.schema import spaced as spaced_in_sql

TEXTS = {
    1: ("Crane falls", "A crane fell on the north quay in a gale.", "2026-11-01"),
    2: ("Bridge opens", "The bridge opened; no crane stood on the quay.", "2026-11-02"),
    3: ("東京の新しい橋", "東京都で新しい橋が完成した。", "2026-11-03"),
    4: ("Cranberries", "Cranberries are red.", "2026-11-04"),
    5: ("서울에서 다리가 열렸다", "한강 다리가 오늘 열렸다.", "2026-11-05"),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    db = connect(tmp_path_factory.mktemp("search") / "news.db", write=True)
    db.conn.row_factory = sqlite3.Row
    for number, (title, text, day) in TEXTS.items():
        add(db.conn, number, title, text, day)
    yield db.conn
    db.close()


def add(base: sqlite3.Connection, number: int, title: str | None, text: str, day: str) -> None:
    base.execute(
        """insert into articles (id, url, title, text, sort_at, word_count, content_hash, extractor, first_seen_at, last_fetched_at)
           values (?, ?, ?, ?, ?, 1, '', '', '', '')""",
        (number, f"https://x.example/{number}", title, text, day),
    )


def ids(base: sqlite3.Connection, typed: str, filters: Filters = Filters(), *, best: bool = False) -> list[int]:  # noqa: B008
    asked = expression(typed)
    return [row["id"] for row in search(base, asked, filters, best=best).rows] if asked else []


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("crane", [2, 1]), ("CRANE quay", [2, 1]), ('"north quay"', [1]), ('"quay north"', []), ("crane -bridge", [1]),
        ("cran*", [4, 2, 1]), ("bridge OR cranberries", [4, 2]), ("-crane", []), ("東京", [3]), ("新しい橋", [3]), ("京の", [3]),
        ("東橋", []), ("다리", [5]), ("한강 오늘", [5]), ('"unfinished north', []), ("", []), ('" "', []), ("north OR", [1]), ("gale OR -x", [1]),
    ],
)  # fmt: skip
def test_words_phrases_and_operators_find_the_newest_first(
    base: sqlite3.Connection, typed: str, found: list[int]
) -> None:
    assert ids(base, typed) == found
    assert sorted(ids(base, typed, best=True)) == sorted(found)


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(['"', "-", "*", "OR", "AND", "NOT", "NEAR(", ")", "a", "東", ":", "^", "+", "{", " ", "\0"])
    ).map("".join)
)
@example('a" OR "')
@example("OR OR -")
@example("\0")
def test_nothing_typed_is_an_error(base: sqlite3.Connection, typed: str) -> None:
    ids(base, typed)


def test_filters_narrow_by_time(base: sqlite3.Connection) -> None:
    assert ids(base, "crane", Filters(since="2026-11-02")) == [2]
    assert ids(base, "crane", Filters(until="2026-11-01")) == [1]
    assert ids(base, "crane", Filters(source=7)) == []


def test_common_words_are_found_by_walking_from_the_newest(
    base: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = ids(base, "crane OR bridge OR cran*")
    monkeypatch.setattr("pipelines.publish.search.MANY", 1)
    assert ids(base, "crane OR bridge OR cran*") == looked_up == [4, 2, 1]


def test_hits_are_marked_and_markup_is_not(base: sqlite3.Connection) -> None:
    assert marked(f"<b>{MARKS[0]}crane{MARKS[1]}</b>") == "&lt;b&gt;<mark>crane</mark>&lt;/b&gt;"
    (row,) = search(base, expression("東京") or "", Filters()).rows
    assert marked(row["heading"]) == "<mark>東京</mark>の新しい橋"
    assert "<mark>東京</mark>都で新しい橋が完成した" in marked(row["snippet"])


@given(st.text(alphabet=st.sampled_from("ab 東京한다\u3001\uff76𠀀é🙂\n"), max_size=600))
def test_letters_are_spaced_alike_in_sql_and_out_of_it(text: str) -> None:
    base = sqlite3.connect(":memory:")
    (said,) = base.execute(f"select {spaced_in_sql('said')} from (select ? as said)", (text,)).fetchone()
    base.close()
    assert said == (spaced(text) if text else text)
    assert marked(spaced(text)).unescape() == text.strip(" ") or " " in text


def test_plain_sqlite_writes_keep_the_index(base: sqlite3.Connection, tmp_path: Path) -> None:
    db = connect(tmp_path / "plain.db", write=True)
    db.close()
    plain = sqlite3.connect(tmp_path / "plain.db")
    add(plain, 1, None, "東京の橋", "2026")
    plain.execute("update articles set text = '大阪の橋' where id = 1")
    for typed, found in (("大阪", [(1,)]), ("東京", [])):
        assert (
            plain.execute("select rowid from articles_fts where articles_fts match ?", (expression(typed),)).fetchall()
            == found
        )
    plain.execute("delete from articles")
    plain.execute("insert into articles_fts (articles_fts, rank) values ('integrity-check', 1)")
    plain.close()
