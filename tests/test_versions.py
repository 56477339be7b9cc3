"""Every text ever accepted stays readable, boring changes make none, and no fault of a site replaces a good text."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.items import Article, Outcome
from pipelines.archive.store import Archive
from pipelines.archive.versions import renumber
from pipelines.text import content_hash
from tests.support.archives import new_archive
from tests.test_deduplicate import A, B, article, page, report

GOOD = report("pier", 120)


def looked(looks: Iterable[tuple[int, Article]], url: str = A) -> Archive:
    """A new archive after these looks at one page; each begins that many minutes after noon."""
    archive = new_archive()
    for minutes, its in looks:
        archive.keep(Outcome(page=page(url, minutes=minutes), article=its))
    return archive


def text_of(archive: Archive) -> str:
    return str(next(archive.db.table("articles").rows)["text"])


def changes(archive: Archive) -> list[tuple[Any, ...]]:
    rows = archive.db.query(
        "select at, what, old_title, new_title, words_added, words_removed from changed order by at"
    )
    return [tuple(row.values()) for row in rows]


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace(". ", ".\n\n"),
        GOOD.replace(" ", "  "),
        GOOD.replace(".", "!"),
        f"{GOOD}\n\nShare on Facebook",
        f"Share this article\n\n{GOOD}",
    ],
    ids=["paragraphs", "spaces", "punctuation", "a share line", "a share line before"],
)
def test_a_boring_change_makes_no_version(text: str) -> None:
    archive = looked([(0, article(GOOD)), (60, article(text))])
    assert (archive.db.table("versions").count, text_of(archive), changes(archive)) == (0, GOOD, [])


def test_a_correction_and_a_cut_show_with_the_words_added_and_removed() -> None:
    corrected = GOOD.replace(GOOD.split()[40], "forty-one", 1)
    cut = " ".join(corrected.split()[:100])
    archive = looked([(0, article(GOOD)), (60, article(corrected)), (120, article(cut))])
    assert text_of(archive) == cut
    assert changes(archive) == [
        ("2026-11-03T13:00:00Z", "text", "Title", "Title", 2, 1),
        ("2026-11-03T14:00:00Z", "text", "Title", "Title", 0, 20),
    ]


def test_another_headline_over_the_same_text_is_a_change_of_the_title() -> None:
    archive = looked([(0, article(GOOD)), (60, article(GOOD, title="Another"))])
    assert changes(archive) == [("2026-11-03T13:00:00Z", "title", "Title", "Another", 0, 0)]


CONSENT = report("we and our 811 partners", 130)


@pytest.mark.parametrize("fault", [report("blocked", 20), CONSENT], ids=["short", "as long as the article"])
def test_a_text_that_is_not_the_article_replaces_it_only_when_the_next_look_agrees(fault: str) -> None:
    archive = looked([(0, article(GOOD)), (60, article(fault))])
    assert text_of(archive) == GOOD
    archive.keep(Outcome(page=page(A, minutes=120), article=article(fault)))
    assert text_of(archive) == fault


@pytest.mark.parametrize("fault", [report("blocked", 20), CONSENT], ids=["short", "as long as the article"])
def test_a_fault_that_comes_and_goes_never_replaces_the_text(fault: str) -> None:
    archive = looked((60 * hour, article(fault if hour % 2 else GOOD)) for hour in range(6))
    assert text_of(archive) == GOOD


def test_the_same_capture_twice_does_not_agree_with_itself() -> None:
    archive = looked([(0, article(GOOD)), (60, article(CONSENT)), (60, article(CONSENT))])
    assert text_of(archive) == GOOD


def test_a_fault_on_two_sites_makes_no_copies_of_their_articles() -> None:
    archive = looked([(0, article(GOOD)), (60, article(CONSENT))])
    other = report("quay", 120)
    for minutes, text in ((0, other), (60, CONSENT)):
        archive.keep(Outcome(page=page(B, minutes=minutes), article=article(text)))
    archive.keep(Outcome(page=page("https://c.example/dog", minutes=90), article=article(CONSENT)))
    assert [row["text"] for row in archive.db.table("articles").rows] == [GOOD, other, CONSENT]


def test_a_copys_own_corrections_are_no_changes_of_the_article() -> None:
    copy = f"{GOOD} Reported by our desk in the harbour, with more to come on the days that follow this one."
    archive = looked([(0, article(GOOD))])
    for minutes, text in ((10, copy), (60, copy.replace("harbour", "hills"))):
        archive.keep(Outcome(page=page(B, minutes=minutes), article=article(text)))
    assert (changes(archive), archive.db.table("versions").count) == ([], 3)


def test_a_page_that_is_gone_shows_among_the_changes() -> None:
    archive = looked([(0, article(GOOD))])
    for minutes in (60, 120):
        archive.keep(Outcome(page=replace(page(A, minutes=minutes), status=404), failure="http_404"))
    assert changes(archive) == [("2026-11-03T14:00:00Z", "gone", "Title", None, 0, 120)]


TEXTS = [GOOD, " ".join(GOOD.split()[:100]), GOOD.replace("a", "e", 3), CONSENT, report("blocked", 20)]

looks = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=8)


@settings(max_examples=30, deadline=None)
@given(looks)
def test_every_text_of_a_page_stays_readable(drawn: list[str]) -> None:
    archive = looked((60 * number, article(text)) for number, text in enumerate(drawn))
    kept = archive.db.execute("select content_hash from articles union select content_hash from versions").fetchall()
    assert {row[0] for row in kept} == {content_hash(text) for text in drawn}
    counted = archive.db.execute("select version_count, (select count(*) from versions) from articles").fetchone()
    assert counted[0] == max(1, counted[1])


@settings(max_examples=30, deadline=None)
@given(looks, st.randoms(use_true_random=False))
def test_captures_imported_in_any_order_leave_the_same_texts(drawn: list[str], chance: Any) -> None:
    captures = [(60 * number, article(text)) for number, text in enumerate(drawn)]
    once, shuffled = looked(captures), looked(chance.sample(captures, len(captures)))
    texts = [
        {
            row[0]
            for row in archive.db.execute("select content_hash from articles union select content_hash from versions")
        }
        for archive in (once, shuffled)
    ]
    assert texts[0] == texts[1]


def test_a_text_that_comes_back_is_not_what_the_one_before_it_was_compared_with() -> None:
    """The shorter one was second. Now it is first, and has nothing before it."""
    archive = looked([(0, article(GOOD)), (0, article(GOOD.rpartition(" ")[0])), (60, article(GOOD))])
    counted = archive.db.execute("select version, words_added, words_removed from versions order by version")
    assert counted.fetchall() == [(1, 0, 0), (2, 1, 0)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(TEXTS), st.sampled_from([A, B]), st.integers(0, 5)), min_size=1, max_size=8))
@example([(TEXTS[0], B, 1), (TEXTS[1], B, 0), (TEXTS[1], B, 1)])
def test_versions_are_numbered_as_if_all_were_counted_anew(drawn: list[tuple[str, str, int]]) -> None:
    archive = looked([])
    for text, url, hours in drawn:
        archive.keep(Outcome(page=page(url, minutes=60 * hours), article=article(text)))
    for row in list(archive.db.table("articles").rows):
        numbered = list(archive.db.query("select * from versions order by id"))
        renumber(archive.db, row["id"], anew=True)
        assert list(archive.db.query("select * from versions order by id")) == numbered


def test_an_article_without_a_date_stays_where_it_was_first_seen() -> None:
    archive = looked([(0, article(GOOD)), (60, article(GOOD)), (120, article(GOOD, title="Another"))])
    (row,) = archive.db.table("articles").rows
    assert (row["sort_at"], row["last_fetched_at"]) == ("2026-11-03T12:00:00Z", "2026-11-03T14:00:00Z")
