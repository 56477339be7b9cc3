"""Which articles tell one story: by words and passages within three days, without chains, under stable numbers."""

import itertools
import random
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.items import Outcome
from pipelines.archive.store import Archive
from pipelines.database.schema import migrations
from pipelines.database.sqlite import Database
from pipelines.deduplicate import near_copies, story_index
from pipelines.deduplicate import stories as renewal
from pipelines.deduplicate.clusters import Document, Member, Story, add_roundups, groups, pack
from pipelines.deduplicate.furniture import own_terms, pack_sentences, sentences, terms, unpack_sentences
from pipelines.deduplicate.near_copies import Text
from pipelines.deduplicate.stories import keep_ids, spans
from pipelines.text import content_hash
from tests.support.archives import new_archive
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


def with_stock(event: str, desk: str) -> str:
    """An account with the paragraphs under it that its site prints under every one."""
    return f"{account(event, desk, 120)}\n\n{report('printed under every account', 120)}"


@pytest.mark.parametrize("few", [0, 1000], ids=["indexed", "few"])
def test_stock_paragraphs_join_no_events(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(renewal, "FEW", few)
    archive = archive_of(
        [told(f"event-{number}", with_stock(f"event {number}", "a")) for number in range(9)]
        + [told("event-0-too", with_stock("event 0", "b"))]
    )
    assert archive.db.table("articles").count == 10
    assert stories_of(archive) == {frozenset({"event-0", "event-0-too"})}


@pytest.mark.parametrize(("each", "together"), [(6, True), (7, False)], ids=["small", "large"])
def test_a_large_story_takes_only_what_is_more_alike(each: int, together: bool) -> None:
    vectors = ({"flood": 0.8**0.5, "river": 0.2**0.5}, {"crane": 0.8**0.5, "river": 0.2**0.5})
    one, other = (
        Story(tuple(Member(id=n, url=str(n), when=0, packed=pack(vector), prints=1) for n in range(each)),
              {term: each * weight for term, weight in vector.items()})
        for vector in vectors
    )  # fmt: skip
    assert one.likeness(other) == pytest.approx(0.2)
    assert one.may_join(other) == together


@pytest.mark.parametrize(("prints", "joined"), [(30, True), (22, False)], ids=["a roundup", "as long as the brief"])
def test_only_what_is_much_longer_than_a_brief_is_its_roundup(prints: int, joined: bool) -> None:
    brief, other = (Member(id=n, url=str(n), when=0, packed=pack({}), prints=n) for n in (20, prints))
    clusters = [[brief], [other]]
    add_roundups(clusters, [(0.8, brief, other)])
    assert (clusters == [[brief, other], []]) == joined


@pytest.mark.parametrize(
    ("address", "together"),
    [("https://a.example/{day}/{n}", False), ("https://desk-{n}.example/{day}", True)],
    ids=["one site's ticker", "many sites"],
)
def test_many_reports_of_one_site_and_day_are_a_story_only_when_they_are_closely_alike(
    address: str, together: bool
) -> None:
    vectors = ({"flood": 0.8**0.5, "river": 0.2**0.5}, {"crane": 0.8**0.5, "river": 0.2**0.5})
    one, other = (
        Story(tuple(Member(id=n, url=address.format(day=day, n=n), when=0, packed=pack(vector), prints=1) for n in range(3)),
              {term: 3 * weight for term, weight in vector.items()})
        for day, vector in enumerate(vectors)
    )  # fmt: skip
    assert one.may_join(other) == together


def test_what_is_nothing_but_stock_is_taken_as_it_is() -> None:
    notice = [("=1", ["closed", "today"])]
    assert own_terms(notice, {"=1": 9}, "a.example") == {"closed": 1, "today": 1}
    assert own_terms([*notice, ("=2", ["flood"])], {"=1": 9}, "a.example") == {"flood": 1}


def test_what_one_site_repeats_is_its_stock_and_what_two_sites_have_is_a_wires() -> None:
    report = [("=1", ["quote"]), ("=2", ["flood", "dam"])]
    assert own_terms(report, {"=1": 2, "=1 a.example": 2}, "a.example") == {"flood": 1, "dam": 1}
    assert own_terms(report, {"=1": 2}, "a.example") == {"quote": 1, "flood": 1, "dam": 1}


def test_a_follow_up_that_repeats_most_of_a_report_keeps_what_it_repeats() -> None:
    report = [("=1", ["flood", "dam", "valley"]), ("=2", ["today"])]
    assert own_terms(report, {"=1": 2, "=1 a.example": 2}, "a.example").total() == 4


def test_sentences_are_kept_as_they_were() -> None:
    found = sentences("The pier at Marrow is to open. Not yet.\nまだ開かない港の話です。")
    assert [bool(name) for name, _ in found] == [True, False, True]
    assert unpack_sentences(pack_sentences([("", []), *found])) == [("", []), *found]
    before = zlib.compress(b'{"pier": 2, "open": 1}')
    assert unpack_sentences(before) == [("", ["pier", "pier", "open"])]


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
    monkeypatch.setattr("pipelines.deduplicate.stories.MOST", 2)
    run(archive, [told("d", account("flood", "d"), day=1)])
    assert [row["article_count"] for row in archive.db.table("stories").rows] == [2]
    assert archive.db.execute("pragma foreign_key_check").fetchall() == []


def test_terms_are_beginnings_of_words_and_pairs_of_characters() -> None:
    assert terms(Text("Reporters reported 5 reports in 2026 a")) == ["reporte", "reporte", "reports", "in", "2026"]
    assert terms(Text("港町市場")) == ["港町", "町市", "市場"]


def test_prints_that_a_worker_made_are_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_copies, "fingerprints", None)
    text = account("flood", "a")
    outcome = replace(told("a", text), content_hash=content_hash(text), fingerprints=frozenset([1, -2]))
    archive = archive_of([outcome])
    assert archive.db.execute("select count(*) from articles").fetchone() == (1,)
    assert story_index.prints_at_hand == {}
    archive.close()


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


# The index of many articles


@pytest.fixture
def indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also few articles are put into the index, and it is not made anew."""
    monkeypatch.setattr(renewal, "FEW", 0)
    monkeypatch.setattr(renewal, "STALE_SHARE", 1e9)


SYLLABLES = (
    ("ka", "lo", "mi", "ne", "pu", "ri"),
    ("ban", "dek", "fil", "gor", "hul"),
    ("ta", "vo", "xi", "zu", "sa", "ro"),
)
WORDS = ["".join(syllables) for syllables in itertools.product(*SYLLABLES)]


def mixed(chance: random.Random) -> str:
    """A text about two of eight things that have words in common, at times with passages that others have too."""
    about = [WORDS[thing * 20 : thing * 20 + 24] for thing in chance.sample(range(8), 2)]
    weights = chance.random() * 6, chance.random() * 2, 1
    text = [chance.choice(chance.choices((*about, WORDS), weights)[0]) for _ in range(chance.randint(20, 60))]
    for passage in chance.sample(range(7), chance.choice((0, 0, 0, 1, 2, 3))):
        text += random.Random(passage).choices(WORDS, k=40)
    return " ".join(text)


def put(db: Database, chance: random.Random) -> None:
    at = f"2026-11-{chance.randint(1, 5):02}T{chance.randint(0, 23):02}:00:00Z"
    db.execute(
        """insert into articles (id, url, sort_at, content_hash, extractor, first_seen_at, last_fetched_at, word_count, text)
           select 1 + coalesce(max(id), 0), ?, ?, '', '', '', '', 1, ? from articles""",
        [f"https://{chance.random()}.example/", at, mixed(chance)],
    )


def change(db: Database, chance: random.Random) -> None:
    (article_id,) = chance.choice(db.execute("select id from articles").fetchall() or [(0,)])
    kind = chance.choice(("come", "come", "come", "go", "change"))
    if kind == "come":
        put(db, chance)
    elif kind == "go":
        db.execute("delete from articles where id = ?", [article_id])
    else:
        db.execute("update articles set text = ? where id = ?", [mixed(chance), article_id])


def grouped(db: Database) -> set[frozenset[int]]:
    rows = db.execute("select story_id, id from articles where story_id is not null order by 1").fetchall()
    return {frozenset(row[1] for row in rows) for _, rows in itertools.groupby(rows, key=lambda row: row[0])}


def from_scratch(db: Database) -> set[frozenset[int]]:
    """The stories of all articles, weighed by the frequencies that the index has."""
    (frame,) = story_index.frames(db)
    ids = [article_id for (article_id,) in db.execute("select id from articles")]
    documents = [story_index.document(row) for row in story_index.texts(db, ids)]
    return {frozenset(ids) for ids in groups(documents, story_index.frequencies(db, frame, documents))}


def archive_in_memory() -> Database:
    db = Database(memory=True)
    migrations.apply(db)
    return db


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(4, 20), st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_what_changed_finds_the_stories_that_a_computation_from_scratch_does(
    indexed: None, seed: int, first: int, batches: list[int]
) -> None:
    db, chance = archive_in_memory(), random.Random(seed)
    for _ in range(first):
        put(db, chance)
    renewal.renew(db, nullcontext)
    for batch in batches:
        for _ in range(batch):
            change(db, chance)
        renewal.renew(db, nullcontext)
        assert grouped(db) == from_scratch(db)
        assert db.execute("select count(*) from story_changes").fetchone() == (0,)
        counted = "select story_id, count(*) from articles where story_id is not null group by 1 order by 1"
        assert (
            db.execute("select id, article_count from stories order by 1").fetchall() == db.execute(counted).fetchall()
        )


class Killed(Exception):
    pass


@pytest.mark.parametrize("few", [0, 1000], ids=["indexed", "few"])
@pytest.mark.parametrize("made", [False, True], ids=["first", "later"])
def test_a_renewal_that_was_killed_is_done_by_the_next(
    indexed: None, monkeypatch: pytest.MonkeyPatch, few: int, made: bool
) -> None:
    monkeypatch.setattr(renewal, "FEW", few)
    monkeypatch.setattr(renewal, "BATCH", 3)
    for life in itertools.count():
        left = life

        @contextmanager
        def mortal() -> Iterator[None]:
            nonlocal left
            if not left:
                raise Killed
            left -= 1
            yield

        dbs = archive_in_memory(), archive_in_memory()
        for db in dbs:
            chance = random.Random(5)
            for _ in range(12):
                put(db, chance)
            if made:
                renewal.renew(db, nullcontext)
                for _ in range(5):
                    change(db, chance)
        killed, whole = dbs
        renewal.renew(whole, nullcontext)
        try:
            renewal.renew(killed, mortal)
        except Killed:
            renewal.renew(killed, nullcontext)
            assert grouped(killed) == grouped(whole)
            assert killed.execute("select count(*) from story_articles where cluster is null").fetchone() == (0,)
        else:
            assert life > 3
            return


def test_only_what_is_new_is_read(indexed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = archive_of(told(name, account("crane", name)) for name in "abc")
    read: list[str] = []
    known = story_index.document

    def noting(row: Mapping[str, Any]) -> Document:
        read.append(row["title"])
        return known(row)

    monkeypatch.setattr(renewal, "document", noting)
    run(archive, [told("d", account("crane", "d"))])
    assert (read, stories_of(archive)) == (["d"], {frozenset("abcd")})


def test_a_frame_is_made_anew_when_a_tenth_is_new(indexed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "STALE_SHARE", 0.1)
    archive = archive_of(told(f"a{number}", account(f"event {number}", "a")) for number in range(20))
    for name, made in (("b", [(1, 20, 1)]), ("c", [(1, 20, 2)]), ("d", [(2, 23, 0)])):
        run(archive, [told(name, account("crane", name))])
        rows = archive.db.execute("select id, articles, changes from story_frames where articles > 0")
        assert rows.fetchall() == made


def test_frames_share_the_days_and_old_ones_are_given_up(indexed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "STALE_SHARE", 0.1)
    archive = archive_of([told("a", account("crane", "a"))])
    days = []
    for number, day in enumerate((5, 60, 66, 68, 72)):
        run(archive, [told(f"b{number}", account("crane", f"b{number}"), day=day)])
        run(archive, [])  # clears what was given up
        days.append([(frame.first_day, frame.last_day) for frame in story_index.frames(archive.db)])
    assert days == [
        [("2026-10-31", "2026-11-11")],
        [("2026-12-30", "2027-01-05")],
        [("2026-12-30", "2027-01-11")],
        [("2026-12-30", "2026-12-31"), ("2027-01-01", "2027-01-13")],
        [("2026-12-30", "2027-01-04"), ("2027-01-05", "2027-01-17")],
    ]
    assert archive.db.execute("select count(*) from story_articles").fetchone() == (4,)


def test_a_word_that_many_came_to_have_makes_the_frame_anew(indexed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.deduplicate.clusters.MAX_USERS", 1)
    archive = archive_of(told(f"a{number}", account(f"event {number}", "a")) for number in range(3))
    run(archive, [told(f"b{number}", account("crane", f"b{number}")) for number in range(3)])
    assert [(frame.id, frame.articles) for frame in story_index.frames(archive.db)] == [(2, 6)]


def test_nothing_is_left_in_the_index_of_what_is_taken_down(indexed: None) -> None:
    archive = archive_of(told(name, account("crane", name)) for name in "ab")
    archive.forget(archive.plan_takedown(["https://a.example/news"]), NOON)
    left = {name: archive.db.execute(f"select distinct article_id from {name}").fetchall() for name in INDEX}
    assert left == {name: [(2,)] for name in INDEX}


INDEX = ("story_articles", "story_terms", "story_prints")
