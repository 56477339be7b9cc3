"""The writer: every page in one state, nothing destroyed by a later answer, no other program's file touched."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.items import Article, Hints, Link, Listing, Outcome, Page, Source
from pipelines.archive import pages
from pipelines.archive.articles import sort_at
from pipelines.archive.pages import Stored, hints_from_json, hints_json
from pipelines.archive.runs import summary
from pipelines.archive.schedule import RETRY_AFTER
from pipelines.archive.store import Archive
from pipelines.extract.pipeline import with_prints
from tests.support.loopback import story

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
SOURCE = Source(url="https://a.example/", name="A")
PAGE = Page(
    url="https://a.example/pier",
    final_url="https://a.example/pier",
    via="feed",
    fetched_at=NOON,
    source=SOURCE,
    status=200,
)
ARTICLE = Article(title="Pier", text=story("pier"), word_count=120, extractor="test")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    archive = Archive(tmp_path / "news.db")
    archive.sync_sources([SOURCE])
    return archive


def page_row(archive: Archive) -> dict[str, Any]:
    return next(archive.db.query("select * from pages where url = ?", [PAGE.url]))


def test_a_listing_makes_its_links_pending_with_the_first_finders_hints(archive: Archive) -> None:
    listing = Listing(
        url="https://a.example/feed",
        source=SOURCE,
        kind="rss",
        fetched_at=NOON,
        status=200,
        etag='"1"',
        links=(Link(url=PAGE.url, hints=Hints(title="Pier", authors=("Ann",))),),
    )
    archive.keep(listing)
    others = (Link(url=PAGE.url, hints=Hints(title="Other")),)
    archive.keep(replace(listing, url="https://a.example/other", links=others))
    row = page_row(archive)
    assert (row["state"], row["via"], row["source_id"], hints_from_json(row["hints"])) == (
        "pending",
        "feed",
        1,
        Hints(title="Pier", authors=("Ann",)),
    )
    assert [(feed["etag"], feed["last_status"]) for feed in archive.db.table("feeds").rows] == 2 * [('"1"', "ok")]


def test_a_listing_that_says_something_else_of_its_own_link_renews_the_hints(archive: Archive) -> None:
    for hints in (Hints(title="Pier", authors=("Ann",)), Hints(title="Other")):
        links = (Link(url=PAGE.url, hints=hints),)
        archive.keep(Listing(url="https://a.example/feed", source=SOURCE, kind="rss", fetched_at=NOON, links=links))
    assert hints_from_json(page_row(archive)["hints"]) == Hints(title="Other")


def test_another_listing_completes_the_hints_of_a_page_that_waits(archive: Archive) -> None:
    """A sitemap knows the day, the feed the title: whichever is read first."""
    said = (Hints(date_published="2026-11-03"), Hints(title="Pier", date_published="2026-11-04"))
    for place, hints in enumerate(said):
        links = (Link(url=PAGE.url, hints=hints),)
        archive.keep(Listing(url=f"https://a.example/{place}", source=SOURCE, kind="rss", fetched_at=NOON, links=links))
    both = Hints(title="Pier", date_published="2026-11-03")
    assert hints_from_json(page_row(archive)["hints"]) == both
    assert pages.with_hints(archive.db, replace(PAGE, hints=said[0])).hints == both
    archive.keep(Outcome(page=PAGE, article=ARTICLE))
    assert pages.with_hints(archive.db, PAGE) == PAGE


def test_a_failing_feed_keeps_its_validators_and_its_kind(archive: Archive) -> None:
    listing = Listing(url="https://a.example/feed", source=SOURCE, kind="atom", fetched_at=NOON, status=200, etag='"1"')
    archive.keep(listing)
    archive.keep(replace(listing, kind="rss", status=500, failure="http_500", etag=None))
    assert [(feed["kind"], feed["etag"], feed["last_status"]) for feed in archive.db.table("feeds").rows] == [
        ("atom", '"1"', "http_500")
    ]


def test_a_failed_page_is_due_again_later_until_its_attempts_are_spent(archive: Archive) -> None:
    due = []
    for _ in range(len(RETRY_AFTER) + 1):
        archive.keep(Outcome(page=replace(PAGE, status=503), failure="http_503"))
        due.append(page_row(archive)["next_fetch_at"])
    assert due == ["2026-11-03T12:10:00Z", "2026-11-03T13:00:00Z", "2026-11-03T18:00:00Z", "2026-11-04T12:00:00Z", None]
    assert (page_row(archive)["state"], page_row(archive)["reason"], page_row(archive)["attempts"]) == (
        "failed",
        "http_503",
        5,
    )


@pytest.mark.parametrize("outcome", [{"refusal": "consent"}, {"failure": "timeout"}], ids=["refused", "failed"])
def test_an_article_keeps_its_text_when_a_later_look_finds_none(archive: Archive, outcome: dict[str, str]) -> None:
    archive.keep(Outcome(page=PAGE, article=ARTICLE))
    archive.keep(Outcome(page=replace(PAGE, fetched_at=NOON + timedelta(hours=1)), **outcome))  # type: ignore[arg-type]
    assert (page_row(archive)["state"], next(archive.db.table("articles").rows)["text"]) == ("article", ARTICLE.text)


def test_an_article_is_gone_when_its_page_is_not_there_twice(archive: Archive) -> None:
    archive.keep(Outcome(page=PAGE, article=ARTICLE))
    gone = []
    for hours in (1, 2):
        archive.keep(
            Outcome(page=replace(PAGE, status=404, fetched_at=NOON + timedelta(hours=hours)), failure="http_404")
        )
        gone.append(next(archive.db.table("articles").rows)["gone_at"])
    assert gone == [None, "2026-11-03T14:00:00Z"]
    assert [(row["what"], row["words_removed"]) for row in archive.db.query("select * from changed")] == [("gone", 120)]


def test_an_article_that_is_found_gone_is_news_and_no_failure(archive: Archive) -> None:
    archive.keep(Outcome(page=PAGE, article=ARTICLE))
    for hours, outcome in ((1, "known"), (2, "updated"), (3, "known")):
        archive.db.execute("delete from touched")
        page = replace(PAGE, status=410, fetched_at=NOON + timedelta(hours=hours))
        archive.keep(Outcome(page=page, failure="http_410"))
        (line,) = summary(archive.db, archive.run).values()
        assert {name for name, number in line.items() if number} == {"found", outcome}


def test_a_refusal_keeps_the_rules_that_made_it(archive: Archive) -> None:
    archive.keep(Outcome(page=PAGE, refusal="index", extractor="broadsheet 1"))
    row = page_row(archive)
    assert (row["state"], row["reason"], row["extractor"], row["next_fetch_at"]) == (
        "refused",
        "index",
        "broadsheet 1",
        "2026-11-04T12:00:00Z",
    )


def test_a_refused_page_that_becomes_an_article_is_one(archive: Archive) -> None:
    archive.keep(Outcome(page=PAGE, refusal="too_short"))
    archive.keep(Outcome(page=PAGE, article=ARTICLE))
    row = page_row(archive)
    assert (row["state"], row["reason"], row["article_id"]) == ("article", None, 1)


def test_an_article_belongs_to_the_source_of_its_final_host(archive: Archive) -> None:
    other = Source(url="https://www.b.example/", name="B")
    archive.sync_sources([SOURCE, other])
    archive.keep(Outcome(page=replace(PAGE, final_url="https://news.b.example/pier"), article=ARTICLE))
    archive.keep(
        Outcome(
            page=replace(PAGE, url="https://c.example/dog", final_url="https://c.example/dog"),
            article=replace(ARTICLE, text=story("dog")),
        )
    )
    assert [
        row["name"]
        for row in archive.db.query(
            "select sources.name from articles join sources on sources.id = source_id order by articles.id"
        )
    ] == ["B", "A"]


def test_an_imported_page_of_an_unknown_host_makes_a_source_that_is_off(archive: Archive) -> None:
    archive.keep(
        Outcome(
            page=replace(PAGE, url="https://www.c.example/dog", final_url="https://www.c.example/dog", source=None),
            article=ARTICLE,
        )
    )
    row = next(archive.db.query("select * from sources where url = 'https://www.c.example/'"))
    assert (row["name"], row["enabled"], row["status"]) == ("c.example", 0, "off")


def test_an_import_may_be_the_first_to_name_a_source_of_the_file(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "news.db")
    archive.keep(Outcome(page=PAGE, article=ARTICLE))
    assert [(row["name"], row["enabled"], row["status"]) for row in archive.db.table("sources").rows] == [
        ("A", 1, "new")
    ]


def test_a_source_taken_out_of_the_file_is_off_and_its_rows_stay(archive: Archive) -> None:
    archive.keep(Outcome(page=PAGE, article=ARTICLE))
    archive.sync_sources([Source(url="https://b.example/", name="B")])
    assert [(row["name"], row["enabled"], row["status"]) for row in archive.db.table("sources").rows] == [
        ("A", 0, "off"),
        ("B", 1, "new"),
    ]
    assert archive.db.table("articles").count == 1


def test_a_page_and_its_article_are_written_together_or_not_at_all(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(pages, "settled", broken)
    with pytest.raises(sqlite3.OperationalError):
        archive.keep(Outcome(page=PAGE, article=ARTICLE))
    assert (archive.db.table("articles").count, archive.db.table("pages").count) == (0, 0)


@pytest.mark.parametrize("handed_over", [True, False])
def test_a_new_article_is_kept_in_forty_statements_at_most(archive: Archive, handed_over: bool) -> None:
    """Those of its triggers and of the full-text index among them."""
    archive.keep(
        Listing(url=f"{SOURCE.url}feed", source=SOURCE, kind="rss", fetched_at=NOON, links=(Link(url=PAGE.url),))
    )
    outcome = Outcome(page=PAGE, article=replace(ARTICLE, text=story("pier"), canonical_url=PAGE.url))
    statements: list[str] = []
    archive.db.conn.set_trace_callback(statements.append)
    archive.keep(with_prints(outcome) if handed_over else outcome)
    assert len(statements) <= 40


def test_what_a_worker_hands_over_is_what_the_writer_would_make(archive: Archive, tmp_path: Path) -> None:
    outcome = Outcome(page=PAGE, article=replace(ARTICLE, text=story("pier")))
    other = Archive(tmp_path / "other.db")
    for one, kept in ((archive, outcome), (other, with_prints(outcome))):
        one.sync_sources([SOURCE])
        one.keep(kept)
    for table in ("articles", "pages", "fingerprints"):
        assert list(archive.db.table(table).rows) == list(other.db.table(table).rows)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"article": ARTICLE}, Stored(page_id=1, state="article", reason=None, article_id=1, outcome="new")),
        ({"refusal": "index"}, Stored(page_id=1, state="refused", reason="index", article_id=None, outcome="refused")),
        (
            {"failure": "timeout"},
            Stored(page_id=1, state="failed", reason="timeout", article_id=None, outcome="failed"),
        ),
    ],
    ids=["article", "refusal", "failure"],
)
def test_keep_says_what_is_there_now(archive: Archive, given: dict[str, Any], stored: Stored) -> None:
    assert archive.keep(Outcome(page=PAGE, **given)) == stored
    again = archive.keep(Outcome(page=PAGE, failure="timeout"))
    assert again == replace(stored, outcome="failed")


def test_keep_says_whose_copy_a_page_is(archive: Archive) -> None:
    archive.keep(Outcome(page=PAGE, article=replace(ARTICLE, text=story("pier"))))
    copy = replace(
        PAGE, url="https://b.example/found", final_url="https://b.example/copy", fetched_at=NOON + timedelta(hours=1)
    )
    kept = archive.keep(Outcome(page=copy, article=replace(ARTICLE, text=story("pier"))))
    assert kept == Stored(page_id=3, state="duplicate", reason="redirect", article_id=1, outcome="duplicate")


def test_the_summary_counts_the_original_as_new_although_its_copy_came_first(archive: Archive) -> None:
    copy = replace(PAGE, url="https://a.example/copy", final_url="https://a.example/copy")
    archive.keep(Outcome(page=copy, article=replace(ARTICLE, date_published="2026-11-02")))
    archive.keep(Outcome(page=PAGE, article=replace(ARTICLE, date_published="2026-11-01")))
    (line,) = summary(archive.db, archive.run).values()
    assert line == {
        "found": 2,
        "known": 0,
        "new": 1,
        "updated": 0,
        "duplicate": 1,
        "refused": 0,
        "failed": 0,
        "pending": 0,
    }


def test_a_run_that_never_ended_is_marked_killed_by_the_next(archive: Archive) -> None:
    archive.start_run(argv=["crawl"], version="1", now=NOON)
    archive.start_run(argv=["crawl"], version="1", now=NOON)
    archive.finish_run(status="ok", reason=None, now=NOON + timedelta(seconds=90))
    assert [row["status"] for row in archive.db.table("runs").rows] == ["killed", "ok"]


@pytest.mark.parametrize(
    ("published", "sorted_by"),
    [
        ("2026-11-02", "2026-11-02"),
        ("1605-05-01", "1605-05-01"),
        ("2026-11-05T11:00:00Z", "2026-11-05T11:00:00Z"),
        ("2027-01-01", "2026-11-03T12:00:00Z"),
        ("0001-01-01", "2026-11-03T12:00:00Z"),
        (None, "2026-11-03T12:00:00Z"),
    ],
    ids=["day", "oldest newspaper", "tomorrow", "next year", "year one", "none"],
)
def test_everything_sorts_by_a_possible_date(published: str | None, sorted_by: str) -> None:
    assert sort_at(published, NOON) == sorted_by


def test_hints_survive_the_database() -> None:
    hints = Hints(title="Größe “x”", authors=("A", "B"), date_published="2026-11-03T10:00:00+02:00")
    assert hints_from_json(hints_json(hints)) == hints
    assert (hints_json(Hints()), hints_from_json(None)) == (None, Hints())


def test_readers_are_not_disturbed_while_articles_are_written(tmp_path: Path) -> None:
    """Nor do they wait: a reader that may not wait at all gets its rows, also while checkpoints are made."""
    archive = Archive(tmp_path / "news.db")
    archive.db.execute("pragma wal_autocheckpoint = 20")
    seen: list[int] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            with closing(sqlite3.connect(f"{archive.path.as_uri()}?mode=ro", uri=True, timeout=0)) as base:
                seen.append(base.execute("select count(*) from articles").fetchone()[0])

    with ThreadPoolExecutor() as pool:
        reader = pool.submit(read)
        for number in range(60):
            url = f"https://a.example/{number}"
            found = replace(PAGE, url=url, final_url=url)
            archive.keep(Outcome(page=found, article=replace(ARTICLE, text=story(f"pier {number}"))))
        ended.set()
        reader.result()
    assert len(seen) > 5
    assert seen == sorted(seen)


def test_nothing_is_written_after_the_disk_has_failed_once(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "news.db")
    with archive.run.ending_with_the_disk(), archive.transaction():
        archive.db.execute("pragma max_page_count = 1")
        archive.db.execute("create table more (text)")
    assert "full" in str(archive.run.broken)
    assert not archive.db.conn.in_transaction


def test_a_run_that_was_started_without_words_is_a_run(archive: Archive) -> None:
    archive.start_run(argv=[], version="1", now=NOON)
    assert next(archive.db.query("select argv from runs"))["argv"] == "[]"


def test_an_original_that_takes_over_with_a_text_that_is_kept_makes_no_version_of_it(archive: Archive) -> None:
    first, second = story("pier"), f"{story('pier')} And a word more."

    def keep(name: str, text: str, day: str) -> None:
        url = f"https://a.example/{name}"
        article = replace(ARTICLE, text=text, date_published=day)
        archive.keep(Outcome(page=replace(PAGE, url=url, final_url=url), article=article))

    keep("pier", first, "2026-11-03")
    keep("copy", second, "2026-11-03")
    keep("original", second, "2026-11-01")
    rows = archive.db.query("select content_hash from versions")
    hashes = [row["content_hash"] for row in rows]
    assert len(hashes) == len(set(hashes)) == 2
