"""Which articles tell one story: by words and passages within three days, without chains, under stable numbers."""

import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.items import Outcome
from pipelines.deduplicate import Text
from pipelines.store import Archive
from pipelines.stories import groups, keep_ids, spans, terms
from tests.archives import new_archive
from tests.test_deduplicate import NOON, article, page, report

_COMMON = [
    "the",
    "and",
    "of",
    "to",
    "that",
    "was",
    "for",
    "with",
    "his",
    "from",
    "they",
    "have",
    "this",
    "will",
    "were",
    "been",
    "their",
    "which",
    "said",
    "year",
    "more",
    "after",
]


def account(event: str, desk: str, words: int = 200) -> str:
    """An outlet's own account: of ten words three are the event's, four the desk's own, three such as every text has."""
    chance = random.Random(f"{event} {desk}")
    about, own = Text(report(event, 40)).words, Text(report(f"{event} {desk}", 120)).words
    return " ".join(chance.choice(chance.choices((about, own, _COMMON), (3, 4, 3))[0]) for _ in range(words))


def told(name: str, text: str, *, day: float = 0, title: str | None = None) -> Outcome:
    url = f"https://{name}.example/news"
    minutes = int(day * 24 * 60)
    return Outcome(page=page(url, minutes=minutes), article=article(text, title=title or name))


def run(archive: Archive, outcomes: Iterable[Outcome]) -> None:
    archive.start_run(argv=["test"], version="1", now=NOON)
    for outcome in outcomes:
        archive.keep(outcome)
    archive.finish_run(status="ok", reason=None, now=NOON)


def archive_of(*batches: Iterable[Outcome]) -> Archive:
    """A new archive after one run per batch."""
    archive = new_archive()
    for batch in batches:
        run(archive, batch)
    return archive


def stories_of(archive: Archive) -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    for row in archive.db.query("select story_id, title from articles where story_id is not null"):
        found.setdefault(row["story_id"], set()).add(row["title"])
    return {frozenset(titles) for titles in found.values()}


def test_accounts_of_one_event_are_a_story_and_others_are_not() -> None:
    archive = archive_of(
        [
            told(f"{event} {desk}".replace(" ", "-"), account(event, desk))
            for event in ("crane", "flood")
            for desk in ("a", "b", "c")
        ]
        + [told("alone", account("chess", "a"))]
    )
    assert stories_of(archive) == {frozenset({f"{event}-{desk}" for desk in "abc"}) for event in ("crane", "flood")}
    (row, _) = archive.db.query("select article_count, source_count, title, first_seen_at, last_seen_at from stories")
    assert (row["article_count"], row["source_count"], row["title"][:6]) == (3, 3, "crane-")
    assert row["first_seen_at"] == row["last_seen_at"] == "2026-11-03T12:00:00Z"


@pytest.mark.parametrize(("day", "together"), [(2.9, True), (3.1, False)], ids=["within three days", "later"])
def test_a_story_lasts_three_days(day: float, together: bool) -> None:
    archive = archive_of([told("a", account("crane", "a")), told("b", account("crane", "b"), day=day)])
    assert bool(stories_of(archive)) == together


def test_stories_do_not_chain_from_event_to_event() -> None:
    chain = [f"{account(f'event {place}', 'a', 80)} {account(f'event {place + 1}', 'b', 80)}" for place in range(8)]
    archive = archive_of(told(f"n{place}", text) for place, text in enumerate(chain))
    assert max(map(len, stories_of(archive)), default=0) <= 3


def test_a_roundup_is_of_the_story_of_a_brief_it_holds_and_joins_no_two() -> None:
    briefs = [report(f"brief {number}", 60) for number in range(4)]
    archive = archive_of(
        [told(f"brief-{number}", brief) for number, brief in enumerate(briefs)]
        + [told("roundup", "\n\n".join([report("this week", 40), *briefs]))]
    )
    assert archive.db.table("articles").count == 5
    (story,) = stories_of(archive)
    assert len(story) == 2 and "roundup" in story


def test_the_run_after_a_killed_one_computes_the_stories_it_left() -> None:
    reports = [told(desk, account("bridge", desk)) for desk in ("one", "two")]
    archive = new_archive()
    archive.start_run(
        argv=["test"], version="1", now=NOON + timedelta(days=900)
    )  # fetched long before: an archive's pages
    for outcome in reports:
        archive.keep(outcome)
    archive.close()
    later = Archive(archive.path)
    run(later, [])
    assert stories_of(later) == {frozenset(("one", "two"))}


def test_a_story_keeps_its_number_when_it_grows() -> None:
    archive = archive_of([told("a", account("crane", "a")), told("b", account("crane", "b"))])
    run(
        archive,
        [told("c", account("crane", "c"), day=1), told("d", account("flood", "d")), told("e", account("flood", "e"))],
    )
    rows = archive.db.query(
        "select story_id, group_concat(title, '') as titles from (select * from articles order by title) group by 1"
    )
    assert [(row["story_id"], row["titles"]) for row in rows] == [(1, "abc"), (2, "de")]


def test_a_merged_story_leads_to_the_one_that_stays() -> None:
    archive = archive_of([told("a", account("crane", "a")), told("b", account("crane", "b"))])
    archive.db.execute("insert into stories values (7, 'other', '', '', 1, 1)")
    archive.db.execute("update articles set story_id = 7 where title = 'b'")
    run(archive, [told("c", account("crane", "c"))])
    assert [tuple(row.values()) for row in archive.db.table("moved").rows] == [("story", 7, 1)]
    assert [(row["id"], row["article_count"]) for row in archive.db.table("stories").rows] == [(1, 3)]


def test_numbers_are_kept_by_the_largest_overlap_and_the_smaller_wins() -> None:
    known = {1: 5, 2: 5, 3: 9, 4: 9, 5: 9, 6: None}
    assert keep_ids([[1, 3, 4], [2, 5], [6]], known) == [9, 5, None]
    assert keep_ids([[1, 3]], {1: 5, 3: 4}) == [4]


def test_windows_hold_a_week_and_three_days_to_either_side() -> None:
    assert spans(["2026-11-10", "2026-11-05T10:00:00Z", "2026-11-12"]) == [
        ("2026-11-02", "2026-11-13"),
        ("2026-11-09", "2026-11-15"),
    ]
    assert spans(["0001-01-01", "9999-12-31"]) == [("0001-01-01", "0001-01-04"), ("9999-12-28", "9999-12-31")]


def test_a_window_with_too_many_articles_groups_the_latest_and_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    archive = archive_of(told(name, account("crane", name)) for name in "abc")
    monkeypatch.setattr("pipelines.stories.MOST", 2)
    run(archive, [told("d", account("flood", "d"), day=1)])
    assert [row["article_count"] for row in archive.db.table("stories").rows] == [2]
    assert archive.db.execute("pragma foreign_key_check").fetchall() == []


def test_terms_are_beginnings_of_words_and_pairs_of_characters() -> None:
    assert terms(Text("Reporters reported 5 reports in 2026 a")) == {"reporte": 2, "reports": 1, "in": 1, "2026": 1}
    assert terms(Text("港町市場")) == {"港町": 1, "町市": 1, "市場": 1}


def test_no_articles_make_no_stories() -> None:
    assert groups([]) == []


drawn_accounts = st.lists(
    st.tuples(st.sampled_from(["crane", "flood", "vote"]), st.integers(0, 30)), min_size=1, max_size=8, unique=True
)


@settings(max_examples=25, deadline=None)
@given(drawn_accounts, st.randoms(use_true_random=False), st.integers(0, 8))
def test_stories_depend_neither_on_the_order_nor_on_the_batches(
    drawn: list[tuple[str, int]], chance: Any, cut: int
) -> None:
    outcomes = [told(f"{event}-{number}", account(event, str(number)), day=number / 12) for event, number in drawn]
    shuffled = chance.sample(outcomes, len(outcomes))
    assert stories_of(archive_of(outcomes)) == stories_of(archive_of(shuffled[:cut], shuffled[cut:]))


@settings(max_examples=20, deadline=None)
@given(drawn_accounts)
def test_a_second_run_over_the_same_pages_changes_no_story(drawn: list[tuple[str, int]]) -> None:
    outcomes = [told(f"{event}-{number}", account(event, str(number))) for event, number in drawn]
    archive = archive_of(outcomes)
    before = list(archive.db.query("select id, story_id from articles")), list(archive.db.table("stories").rows)
    run(archive, outcomes)
    assert before == (
        list(archive.db.query("select id, story_id from articles")),
        list(archive.db.table("stories").rows),
    )
