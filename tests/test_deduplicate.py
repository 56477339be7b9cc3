"""Which article a page belongs to: by address, redirect, canonical link and equal text, in any order of arrival."""

import itertools
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.items import Article, Outcome, Page
from pipelines.deduplicate import containment, content_hash, precedence, words_changed
from pipelines.store import Archive
from tests.loopback import story

SCRATCH = tempfile.TemporaryDirectory()  # hypothesis draws many archives within one test
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def page(url: str, *, found: str | None = None, minutes: int = 0, **facts: Any) -> Page:
    return Page(
        url=found or url, final_url=url, via="warc", fetched_at=NOON + timedelta(minutes=minutes), status=200, **facts
    )


def article(
    text: str, *, title: str | None = "Title", canonical: str | None = None, published: str | None = None
) -> Article:
    return Article(
        title=title,
        text=text,
        canonical_url=canonical,
        date_published=published,
        word_count=len(text.split()),
        extractor="test",
    )


def stored(outcomes: Iterable[tuple[Page, Article]]) -> Archive:
    """A new archive after these arrivals."""
    archive = Archive(Path(tempfile.mkdtemp(dir=SCRATCH.name)) / "news.db")
    for one, its in outcomes:
        archive.keep(Outcome(page=one, article=its))
    return archive


def contents(archive: Archive) -> dict[str, tuple[str, str | None, str | None]]:
    """Per page: its state, the reason, and the address of its article's page."""
    sql = """select pages.url, state, reason, (select own.url from pages as own where own.article_id = pages.article_id and own.state = 'article') as home
             from pages order by 1"""
    return {row["url"]: (row["state"], row["reason"], row["home"]) for row in archive.db.query(sql)}


A, B, C = "https://a.example/pier", "https://b.example/pier", "https://www.a.example/harbour/pier"


def test_equal_texts_on_two_sites_are_one_article_the_earliest_published() -> None:
    archive = stored(
        [
            (page(A), article(story("pier"), published="2026-11-03")),
            (page(B), article(story("pier").upper(), published="2026-11-03T06:00:00Z")),
        ]
    )
    assert contents(archive) == {A: ("duplicate", "text", B), B: ("article", None, B)}
    assert [row["url"] for row in archive.db.table("articles").rows] == [B]


def test_the_row_keeps_its_id_when_the_original_turns_up_later() -> None:
    archive = stored(
        [
            (page(A), article(story("pier"), title="Copy", published="2026-11-04")),
            (page(B), article(story("pier"), title="Original", published="2026-11-03")),
        ]
    )
    assert [(row["id"], row["title"], row["url"]) for row in archive.db.table("articles").rows] == [(1, "Original", B)]


def test_short_texts_are_the_same_only_with_the_same_title() -> None:
    brief = "No results today."
    archive = stored(
        [
            (page(A), article(brief, title="Chess")),
            (page(B), article(brief, title="Rowing")),
            (page(C), article(brief, title="CHESS!")),
        ]
    )
    assert contents(archive) == {A: ("article", None, A), B: ("article", None, B), C: ("duplicate", "text", A)}


def test_a_redirect_is_a_duplicate_of_where_it_leads() -> None:
    archive = stored([(page(B, found=A), article(story("pier")))])
    assert contents(archive) == {A: ("duplicate", "redirect", B), B: ("article", None, B)}


def test_an_article_that_moved_takes_its_new_address() -> None:
    archive = stored([(page(A), article(story("pier"))), (page(B, found=A, minutes=5), article(story("pier")))])
    assert contents(archive) == {A: ("duplicate", "redirect", B), B: ("article", None, B)}
    assert [(row["id"], row["url"]) for row in archive.db.table("articles").rows] == [(1, B)]


def test_an_address_that_redirects_to_another_article_keeps_its_own() -> None:
    archive = stored([(page(A), article(story("pier"))), (page(B, found=A, minutes=5), article(story("mayor's dog")))])
    assert contents(archive) == {A: ("article", None, A), B: ("article", None, B)}


def test_a_canonical_link_on_the_same_site_is_the_articles_address_and_not_fetched_again() -> None:
    archive = stored([(page(A), article(story("pier"), canonical=C))])
    assert contents(archive) == {A: ("article", None, A), C: ("duplicate", "canonical", A)}
    assert [row["url"] for row in archive.db.table("articles").rows] == [C]


@pytest.mark.parametrize(
    "canonical", [B, "https://a.example/", "javascript:1", ""], ids=["another site", "front page", "script", "empty"]
)
def test_a_canonical_link_elsewhere_is_ignored(canonical: str) -> None:
    archive = stored([(page(A), article(story("pier"), canonical=canonical))])
    assert contents(archive) == {A: ("article", None, A)}


def test_a_site_whose_pages_all_claim_one_address_loses_no_article() -> None:
    first, second = "https://a.example/1", "https://a.example/2"
    archive = stored(
        [(page(first), article(story("pier"), canonical=C)), (page(second), article(story("mayor's dog"), canonical=C))]
    )
    assert contents(archive) == {
        first: ("article", None, first),
        second: ("article", None, second),
        C: ("duplicate", "canonical", first),
    }


def test_a_false_canonical_claim_gives_way_to_the_page_itself() -> None:
    archive = stored([(page(A), article(story("pier"), canonical=C)), (page(C), article(story("mayor's dog")))])
    assert contents(archive) == {A: ("article", None, A), C: ("article", None, C)}
    assert sorted(row["url"] for row in archive.db.table("articles").rows) == [A, C]


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))), ids=["AMP first", "canonical first"])
def test_an_amp_page_and_its_canonical_are_one_article(order: tuple[int, ...]) -> None:
    pages = [
        (page(A), article(story("pier"), canonical=C)),
        (page(C), article(story("pier") + "\n\nOne line more.", canonical=C)),
    ]
    archive = stored(pages[number] for number in order)
    assert contents(archive) == {A: ("duplicate", "canonical", C), C: ("article", None, C)}


def test_a_copy_without_an_address_takes_the_one_it_names() -> None:
    archive = stored([(page("urn:sha256:1"), article(story("pier"), canonical=B))])
    assert contents(archive) == {B: ("article", None, B)}


arrivals = st.lists(
    st.tuples(st.sampled_from(["pier", "dog", "quay"]), st.sampled_from([None, "2026-11-01", "2026-11-02", "2026-11-02T10:00:00Z"]), st.integers(0, 3)),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(arrivals, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(drawn: list[tuple[str, str | None, int]], chance: Any) -> None:
    outcomes = [
        (page(f"https://{number}.example/{subject}", minutes=minutes), article(story(subject), published=published))
        for number, (subject, published, minutes) in enumerate(drawn)
    ]
    shuffled = chance.sample(outcomes, len(outcomes))
    assert contents(stored(outcomes)) == contents(stored(shuffled))


@settings(max_examples=40, deadline=None)
@given(arrivals)
def test_importing_everything_again_changes_nothing(drawn: list[tuple[str, str | None, int]]) -> None:
    outcomes = [
        (page(f"https://{number}.example/{subject}", minutes=minutes), article(story(subject), published=published))
        for number, (subject, published, minutes) in enumerate(drawn)
    ]
    once, twice = stored(outcomes), stored([*outcomes, *outcomes])
    assert contents(once) == contents(twice)
    assert list(once.db.table("versions").rows) == list(twice.db.table("versions").rows) == []


def test_another_text_on_the_same_page_is_a_version() -> None:
    later = replace(article(story("pier").replace("forty years", "fifty years")), title="Corrected")
    archive = stored([(page(A), article(story("pier"))), (page(A, minutes=60), later), (page(A, minutes=90), later)])
    versions = [
        (row["version"], row["title"], row["fetched_at"], row["words_added"], row["words_removed"])
        for row in archive.db.table("versions").rows
    ]
    assert versions == [(1, "Title", "2026-11-03T12:00:00Z", 0, 0), (2, "Corrected", "2026-11-03T13:00:00Z", 1, 1)]
    (row,) = archive.db.table("articles").rows
    assert (row["title"], row["version_count"], row["first_seen_at"], row["last_fetched_at"]) == (
        "Corrected",
        2,
        "2026-11-03T12:00:00Z",
        "2026-11-03T13:30:00Z",
    )


def test_an_earlier_capture_is_an_earlier_version_and_changes_no_text() -> None:
    archive = stored(
        [(page(A), article(story("pier"))), (page(A, minutes=-60), article(story("pier").replace("forty", "thirty")))]
    )
    assert [
        (row["version"], row["fetched_at"]) for row in archive.db.query("select * from versions order by version")
    ] == [(1, "2026-11-03T11:00:00Z"), (2, "2026-11-03T12:00:00Z")]
    (row,) = archive.db.table("articles").rows
    assert ("forty" in row["text"], row["first_seen_at"]) == (True, "2026-11-03T11:00:00Z")


def test_a_text_that_shrank_replaces_the_known_one_only_when_the_next_look_agrees() -> None:
    short = article("The pier was the talk of the harbour.")
    archive = stored([(page(A), article(story("pier"))), (page(A, minutes=60), short)])
    assert next(archive.db.table("articles").rows)["text"] == story("pier")
    archive.keep(Outcome(page=page(A, minutes=120), article=short))
    assert next(archive.db.table("articles").rows)["text"] == short.text


def test_words_are_equal_whatever_their_case_punctuation_and_spacing() -> None:
    assert content_hash("“It’s  LATE,” she said.") == content_hash("it's late – she said")
    assert content_hash("a b") != content_hash("ab")


def test_containment_is_the_share_of_the_shorter_in_the_longer() -> None:
    assert containment("a b c d e", "x a b c d e y") == 1.0
    assert containment("今日は雨", "明日は晴れ") == 0.0
    assert words_changed("a b c", "a c d d") == (2, 1)


def test_a_bare_day_counts_as_its_end() -> None:
    assert (
        precedence("2026-11-03T23:59:59Z", "9", "z")
        < precedence("2026-11-03", "1", "a")
        < precedence("2026-11-04T00:00:00Z", "1", "a")
        < precedence(None, "1", "a")
    )
