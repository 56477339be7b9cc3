"""The view `documents`: one row an article, a copy, an earlier text; every date in one form that pandas, R and DuckDB read."""

from pathlib import Path
from typing import Any

import pytest

from crawler.items import Outcome
from pipelines.archive.store import Archive
from tests.conftest import connect
from tests.test_deduplicate import article, page, report

WIRE, DAILY = "https://wire.example/ferry", "https://daily.example/ferry"
FERRY = report("ferry", 60)
LATER = f"{FERRY}\n\nThe minister said on Friday that the ferry would sail again."


def ferries(path: Path) -> Archive:
    """A wire's report that was corrected, a copy of it that began with a sentence of its own, and one that has its words."""
    archive = Archive(path)
    arrivals = (
        (WIRE, FERRY, "Ferry stops", "2026-11-03T08:15:00Z"),
        (DAILY, f"Island readers will know the boat well.\n\n{FERRY}", "Our ferry stops", "2026-11-04"),
        ("https://post.example/ferry", FERRY, "No ferry", None),
        (WIRE, LATER, "Ferry stops until Friday", "2026-11-03T08:15:00Z"),
    )
    for minutes, (url, text, title, published) in enumerate(arrivals):
        archive.keep(Outcome(page=page(url, minutes=minutes), article=article(text, title=title, published=published)))
    return archive


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return ferries(tmp_path / "news.db")


def documents(archive: Archive, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
    sql = f"select {columns} from documents where {where} order by article_id, doc_id"
    return [tuple(row) for row in archive.db.execute(sql)]


def test_a_row_is_an_article_a_copy_or_an_earlier_text_each_with_its_own_words(archive: Archive) -> None:
    found = documents(archive, "kind, url, title, text, day, published_at, date_precision, copy_of")
    instant = ("2026-11-03", "2026-11-03T08:15:00Z", "instant")
    assert found == [
        ("article", WIRE, "Ferry stops until Friday", LATER, *instant, None),
        ("copy", DAILY, "Our ferry stops", f"Island readers will know the boat well.\n\n{FERRY}", "2026-11-04", None, "day", WIRE),
        ("copy", "https://post.example/ferry", "No ferry", FERRY, None, None, None, WIRE),
        ("version", WIRE, "Ferry stops", FERRY, *instant, None),
    ]  # fmt: skip


def test_the_names_of_documents_are_their_own(archive: Archive) -> None:
    assert documents(archive, "count(*), count(distinct doc_id)") == [(4, 4)]
    assert documents(archive, "doc_id, article_id, version", "kind <> 'copy'") == [
        ("article/1", 1, None),
        ("version/1", 1, 1),
    ]


STATED = {
    "2026-11-03T08:15:00Z": ("2026-11-03", "2026-11-03T08:15:00Z", "instant"),
    "2026-11-03": ("2026-11-03", None, "day"),
    "1871-03-18": ("1871-03-18", None, "day"),
    "2024-02-29": ("2024-02-29", None, "day"),
    "2026-02-29": (None, None, None),
    "2026-11": (None, None, None),
    "2026-11-03T08:15:00+01:00": (None, None, None),
    "2026-11-03 08:15": (None, None, None),
    "now": (None, None, None),
    "": (None, None, None),
    "0001-01-01T00:00:00Z": (None, None, None),
    "9999-12-31": (None, None, None),
    None: (None, None, None),
}
"""What a row may say of its date, whatever wrote it, and what the view makes of it."""


@pytest.fixture
def dated(archive: Archive) -> Archive:
    """An article and a copy for each date that is stated; dates that are impossible sort by the first sight, as the writer does it."""
    db = archive.db
    db.execute("delete from versions")
    base = next(db.query("select * from articles"))
    copy = next(db.query("select * from pages where state = 'duplicate' and reason = 'text'"))
    for number, stated in enumerate(STATED, 100):
        sort_at = stated if stated and "1600" <= stated <= "2026-12" else "2026-11-05T00:00:00Z"
        said = {"id": number, "url": f"https://a.example/{number}", "date_published": stated}
        db.table("articles").insert(base | said | {"sort_at": sort_at})
        db.table("pages").insert(copy | said | {"url": f"https://b.example/{number}", "article_id": number})
    return archive


@pytest.mark.parametrize("kind", ["article", "copy"])
def test_a_date_is_in_one_form_or_not_there(dated: Archive, kind: str) -> None:
    found = documents(dated, "day, published_at, date_precision", f"kind = '{kind}' and article_id >= 100")
    assert found == list(STATED.values())


def test_every_date_parses_in_pandas_and_duckdb(dated: Archive) -> None:
    import duckdb  # here, as it and pandas take a second of every process that collects this file
    import pandas as pd

    frame = pd.read_sql("select * from documents", connect(dated.path), parse_dates=["seen_at"])
    for name, form in (("day", "%Y-%m-%d"), ("published_at", "%Y-%m-%dT%H:%M:%SZ")):
        parsed = pd.to_datetime(frame[name])
        assert parsed.isna().tolist() == frame[name].isna().tolist()
        assert parsed.dropna().dt.strftime(form).tolist() == frame[name].dropna().tolist()
        cast = duckdb.execute(f"select count(try_cast({name} as timestamp)), count({name}) from frame").fetchall()
        assert cast == [(parsed.count(), parsed.count())]
        assert parsed.count() > 2
    assert frame["seen_at"].notna().all()


def test_what_a_public_copy_leaves_out_is_not_said(archive: Archive) -> None:
    archive.db.execute("update articles set text = ''")
    assert documents(archive, "text", "kind = 'article'") == [(None,)]
