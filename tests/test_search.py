"""What a reader types into the search box, against a real full-text index."""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from pipelines.database.connection import connect
from pipelines.database.earlier_migrations import spaced as spaced_in_sql
from pipelines.publish.formatting import MARKS, marked, spaced
from pipelines.publish.fulltext import spelled_out, unwanted
from pipelines.publish.queries import newest
from pipelines.publish.search import Filters, Found, expression, search, seen_last

TEXTS = {
    1: ("Crane falls", "A crane fell on the north quay in a gale.", "2026-11-01"),
    2: ("Bridge opens", "The bridge opened; no crane stood on the quay.", "2026-11-02"),
    3: ("東京の新しい橋", "東京都で新しい橋が完成した。", "2026-11-03"),
    4: ("Cranberries", "Cranberries are red. Gale9 blew.", "2026-11-04"),
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
        ("cran*", [4, 2, 1]), ("gal*", [4, 1]), ("bridge OR cranberries", [4, 2]), ("-crane", []), ("東京", [3]), ("新しい橋", [3]), ("京の", [3]),
        ("東橋", []), ("다리", [5]), ("한강 오늘", [5]), ('"unfinished north', []), ("", []), ('" "', []), ("north OR", [1]), ("gale OR -x", [1]),
        ("crane NOT bridge", [1]), ("crane AND quay", [2, 1]), ("AND", []), ("NOT crane", []), ("crane NOT", [2, 1]), ('"crane NOT bridge"', []),
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


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """Sixty articles of few words: mostly stored in the order of their days, as news is, some long after, as an import is."""
    db, chance = connect(tmp_path_factory.mktemp("many") / "news.db", write=True), random.Random(3)
    db.conn.row_factory = sqlite3.Row
    with db.conn:
        db.conn.execute("begin")
        db.conn.executemany(
            "insert into sources (id, name, url, domain, category) values (?1, ?1, ?1, '', ?2)",
            [(1, "News/Far; Local"), (2, "News")],
        )
        for number in range(1, 61):
            day = chance.randint(1, 28) if chance.random() < 0.15 else number // 3 + 1
            words = " ".join(
                chance.choices(
                    ["crane", "crane", "crane2", "cranes", "cranky", "cram", "quay", "quays", "gale", "東京", "Straße"],
                    k=chance.randint(0, 4),
                )
            )
            add(db.conn, number, chance.choice([None, "Crane", "Quay wall"]), words, f"2026-11-{day:02}")
        db.conn.executemany(
            "update articles set source_id = ?, language = ?, section = ? where id = ?",
            [
                (chance.choice([None, 1, 1, 2]), chance.choice("de"), chance.choice("xyz"), number)
                for number in range(1, 61)
            ],
        )
        db.conn.execute(
            "insert into pages (id, url, via, state, reason, article_id, discovered_at) values (1, 'x', 'feed', 'refused', 'short', null, '')"
        )
        for number in chance.choices(range(1, 61), k=25):
            (last,) = db.conn.execute(
                "select coalesce(max(id), ?) from variants where article_id = ?", (number << 20, number)
            ).fetchone()
            words = " ".join(
                chance.choices(["crane", "crane2", "crank", "quay", "gale", "東京", "cram"], k=chance.randint(1, 3))
            )
            db.conn.execute(
                "insert into variants (id, article_id, page_id, title, text, first_seen_at) values (?, ?, 1, ?, ?, ?)",
                (last + 1, number, chance.choice([None, "Crane"]), words, f"2026-11-{chance.randint(1, 28):02}"),
            )
    yield db.conn
    db.close()


LIMITS = st.fixed_dictionaries(
    {"search.MANY": st.integers(1, 30), "search.RANKED": st.integers(1, 70), "search.FEW": st.integers(0, 30), "search.READ": st.integers(1, 70), "search.PAGE": st.integers(2, 8)}
    | {"search.STEPS": st.sampled_from([100, 400, 6000]), "fulltext.BEGINNINGS": st.sampled_from([1, 2, 100]), "fulltext.QUOTED": st.sampled_from([8, 1000]), "fulltext.READABLE": st.sampled_from([20, 1000])}
)  # fmt: skip
TYPED = st.lists(st.sampled_from(["crane", "cran*", "qua*", "gale", "-cram", "OR", '"crane quay"', "-cra*", "東京", "東京*", '"*b"', "straß*", "wall-c*", "no*"]), max_size=5).map(" ".join)  # fmt: skip
NARROWED = st.builds(
    Filters,
    source=st.sampled_from([None, 1, 2, 3]),
    language=st.sampled_from([None, "d", "e"]),
    category=st.sampled_from([None, None, "News", "News/Far", "Local"]),
    section=st.sampled_from([None, "x", "y"]),
    since=st.sampled_from([None, None, "2026-11-03", "2026-11-19"]),
    until=st.sampled_from([None, None, "2026-11-05", "2026-11-19"]),
)


def plainly(base: sqlite3.Connection, words: str, filters: Filters) -> list[int]:
    condition, given = filters.sql()
    query = f"""select id from articles where {condition} and (
            id in (select rowid from articles_fts where articles_fts match :words)
            or id in (select article_id from variants_fts join variants on id = variants_fts.rowid where variants_fts match :words)
               and id not in (select rowid from articles_fts where articles_fts match :without))
        order by sort_at desc, id desc"""
    return [row[0] for row in base.execute(query, given | {"words": words, "without": unwanted(words) or '"none"'})]


@settings(max_examples=250)
@given(TYPED, NARROWED, LIMITS, st.booleans())
def test_every_way_to_search_finds_what_a_plain_query_finds(
    many: sqlite3.Connection, typed: str, filters: Filters, limits: dict[str, int], best: bool
) -> None:
    words = expression(typed) or '"crane"'
    pages: list[Found] = []
    with pytest.MonkeyPatch.context() as patch:
        for name, limit in limits.items():
            most = limits["search.MANY"] if name == "search.FEW" else limit
            patch.setattr(f"pipelines.publish.{name}", min(limit, most))
        while not pages or pages[-1].more:
            pages.append(search(many, words, filters, best=best, page=len(pages) + 1, size=limits["search.PAGE"]))
    hits, found = plainly(many, words, filters), [row["id"] for page in pages for row in page.rows]
    event("all" if pages[0].within is None else "within")
    assert len(found) == len(set(found)) or any(page.within for page in pages)
    assert set(found) <= set(hits)
    assert pages[0].count == min(len(plainly(many, words, Filters())), limits["search.MANY"] + 1)
    assert pages[0].passing in (None, len(hits))
    if best and (within := pages[0].within):
        assert set(found) == {*hits} & set(sorted(plainly(many, words, Filters()))[-within:])
    if not any(page.within for page in pages):
        assert sorted(found) == sorted(hits) if best else found == hits


@settings(max_examples=100)
@given(TYPED, NARROWED, st.integers(1, 70))
def test_what_was_seen_last_is_what_a_plain_query_finds(
    many: sqlite3.Connection, typed: str, filters: Filters, size: int
) -> None:
    words = expression(typed) or '"crane"'
    found = seen_last(many, words, filters, size)
    whole = seen_last(many, words, filters, 100)
    assert sorted(row["id"] for row in whole) == sorted(plainly(many, words, filters))
    assert {row["said_in"] for row in whole} <= {"article", "version"}
    assert len(found) == min(size, len(whole))
    assert [row["found_at"] for row in whole] == sorted((row["found_at"] for row in whole), reverse=True)


@given(NARROWED, st.integers(1, 70))
def test_the_newest_articles_are_turned_to_the_last(many: sqlite3.Connection, filters: Filters, limit: int) -> None:
    condition, given = filters.sql()
    query = f"select id from articles where {condition} order by sort_at desc, id desc"
    found: list[int] = []
    before = None
    while page := newest(many, filters, before, limit):
        found += [article["id"] for article in page]
        before = f"{page[-1]['sort_at']} {page[-1]['id']}"
    assert found == [row[0] for row in many.execute(query, given)]


def test_hits_are_marked_and_markup_is_not(base: sqlite3.Connection) -> None:
    assert marked(f"<b>{MARKS[0]}crane{MARKS[1]}</b>") == "&lt;b&gt;<mark>crane</mark>&lt;/b&gt;"
    (row,) = search(base, expression("東京") or "", Filters()).rows
    assert marked(row["heading"]) == "<mark>東京</mark>の新しい橋"
    assert "<mark>東京</mark>都で新しい橋が完成した" in marked(row["snippet"])


def test_a_hit_in_the_title_alone_is_marked_there_and_shown_with_how_the_text_begins(base: sqlite3.Connection) -> None:
    (row,) = search(base, expression("opens") or "", Filters()).rows
    assert marked(row["heading"]) == "Bridge <mark>opens</mark>"
    assert marked(row["snippet"]) == "The bridge opened; no crane stood on the quay."


def test_a_beginning_is_marked_in_every_word_that_begins_so(base: sqlite3.Connection) -> None:
    marks = [marked(row["heading"]) for row in search(base, expression("cran*") or "", Filters()).rows]
    assert marks == ["<mark>Cranberries</mark>", "Bridge opens", "<mark>Crane</mark> falls"]


def test_a_beginning_of_too_many_words_is_gathered_whole(
    base: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spelled_out(base, '"cran"*') == '("cranberries" OR "crane")'
    monkeypatch.setattr("pipelines.publish.fulltext.BEGINNINGS", 1)
    assert spelled_out(base, '"cran"*') == '"cran"*'
    assert ids(base, "cran*") == [4, 2, 1]


def test_best_first_ranks_the_newest_hits(base: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in {"MANY": 1, "RANKED": 2}.items():
        monkeypatch.setattr(f"pipelines.publish.search.{name}", limit)
    found = search(base, expression("cran*") or "", Filters(), best=True)
    assert ({row["id"] for row in found.rows}, found.within, found.passing) == ({4, 2}, 2, None)


def test_an_article_that_another_hand_changed_behind_the_index_is_shown_as_it_is(tmp_path: Path) -> None:
    db = connect(tmp_path / "news.db", write=True)
    db.conn.row_factory = sqlite3.Row
    add(db.conn, 1, "Old", "old words", "2026")
    db.conn.execute("drop trigger articles_fts_change")
    db.conn.execute("drop trigger articles_fts_update")
    db.conn.execute("update articles set title = 'New', text = 'new words'")
    (row,) = search(db.conn, expression("old") or "", Filters()).rows
    assert (row["heading"], row["snippet"]) == ("New", "new words")
    db.close()


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
