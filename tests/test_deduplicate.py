"""Which article a page belongs to: by address, redirect, canonical link, equal text and near copies, in any order of arrival."""

import itertools
import random
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.items import Article, Outcome, Page
from pipelines.archive.store import Archive
from pipelines.deduplicate.fingerprints import COMMON, KEPT_ARTICLES, SIGNATURE_VERSION
from pipelines.deduplicate.match import precedence
from pipelines.deduplicate.near_copies import Text, align, containment, is_copy, similarity
from pipelines.deduplicate.winnowing import fingerprints
from pipelines.text import content_hash, words_changed
from tests.conftest import broadsheet
from tests.support.archives import new_archive
from tests.support.loopback import article_html, story
from tests.support.template_news import TemplateNews
from tests.support.work import ends

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
    archive = new_archive()
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


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_saved_files_that_name_one_address_are_two_articles(order: tuple[int, ...]) -> None:
    """Of a section, which a careless template calls canonical for all of its articles."""
    pages = [
        (page("urn:sha256:1"), article(story("pier"), canonical=B)),
        (page("urn:sha256:2"), article(story("mayor's dog"), canonical=B)),
    ]
    archive = stored(pages[number] for number in (*order, *order))
    names = [pages[number][0].url for number in order]
    assert contents(archive) == {B: ("article", None, B), names[1]: ("article", None, names[1])}


def test_a_saved_file_that_names_a_front_page_names_no_address() -> None:
    archive = stored([(page("urn:sha256:1"), article(story("pier"), canonical="https://b.example/"))])
    assert contents(archive) == {"urn:sha256:1": ("article", None, "urn:sha256:1")}


def test_two_captures_of_a_saved_page_are_one_article() -> None:
    pages = [(page(f"urn:sha256:{n}"), article(story("pier") + "\n\nMore." * n, canonical=B)) for n in range(2)]
    assert contents(stored(pages)) == {B: ("article", None, B)}


arrivals = st.lists(
    st.tuples(st.sampled_from(["pier", "dog", "quay"]), st.sampled_from([None, "2026-11-01", "2026-11-02", "2026-11-02T10:00:00Z"]), st.integers(0, 3)),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(arrivals, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(drawn: list[tuple[str, str | None, int]], chance: Any) -> None:
    outcomes = [
        (page(f"https://{number}.example/{subject}", minutes=minutes), article(story(subject), published=published))
        for number, (subject, published, minutes) in enumerate(drawn)
    ]
    shuffled = chance.sample(outcomes, len(outcomes))
    assert contents(stored(outcomes)) == contents(stored(shuffled))


@settings(max_examples=25, deadline=None)
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


# Near copies


def report(subject: str, words: int = 160) -> str:
    """An invented report, in sentences of ten words; another subject shares no run of words with it."""
    chance = random.Random(subject)
    drawn = [
        chance.choice("bdfgklmnprst") + chance.choice("aeiou") + f"{chance.choice(_ENDINGS)}" for _ in range(words)
    ]
    return " ".join(
        word.capitalize() if place % 10 == 0 else word + "." * (place % 10 == 9) for place, word in enumerate(drawn)
    )


_ENDINGS = [one + other + end for one in "bdklmnrst" for other in "aeiou" for end in ("", "n", "ra", "sti", "mel")]

FOOTER = "Follow us for more news from the harbour and the hills, every day of the week, in print and online."
MASTHEAD = "Main page, world, today and tomorrow. From our own correspondent at the coast. Reading time four minutes."


def first_words(text: str, share: float) -> str:
    words = text.split()
    return " ".join(words[: int(len(words) * share)])


def edited(text: str, share: float) -> str:
    chance = random.Random(1)
    return " ".join("otherwise" if chance.random() < share else word for word in text.split())


def shuffled_sentences(text: str) -> str:
    sentences = text.split(". ")
    return ". ".join(sentences[len(sentences) // 2 :] + sentences[: len(sentences) // 2])


EDITS: dict[str, Callable[[str], str]] = {
    "truncated to a third": lambda text: first_words(text, 0.34),
    "truncated to 60 %": lambda text: first_words(text, 0.6),
    "another header and footer": lambda text: f"{MASTHEAD}\n\n{text}\n\n{FOOTER}",
    "another headline": lambda text: f"Quay walls crumble as nobody looks\n\n{text}",
    "one word in ten edited": lambda text: edited(text, 0.1),
    "one word in five edited": lambda text: edited(text, 0.2),
    "paragraphs moved": shuffled_sentences,
    "capitals": str.upper,
    "inside a text twice as long": lambda text: f"{report('before', 70)}\n\n{text}\n\n{report('after', 70)}",
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_text_is_a_copy_whichever_comes_first(edit: str) -> None:
    text, copy = Text(report("pier", 240)), Text(EDITS[edit](report("pier", 240)))
    assert is_copy(text, copy) and is_copy(copy, text)


def test_a_roundup_that_holds_a_brief_is_no_copy_of_it() -> None:
    brief = report("pier", 60)
    roundup = "\n\n".join([report("market", 60), brief, report("school", 60), report("ferry", 60)])
    assert not is_copy(Text(brief), Text(roundup))


STOCK = [report(f"printed under every appeal {number}", 50) for number in range(3)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)], ids=["in order", "out of order"])
def test_reports_that_share_stock_paragraphs_are_no_copies(order: tuple[int, ...]) -> None:
    appeal = "\n\n".join([*(report(f"a stolen van {number}", 40) for number in range(3)), *STOCK])
    plan = "\n\n".join(
        [*(report(f"a new roof {number}", 40) for number in range(3)), *(STOCK[place] for place in order)]
    )
    assert similarity(Text(appeal), Text(plan)) > 0.5
    assert not is_copy(Text(appeal), Text(plan))


def test_a_report_with_its_head_rewritten_is_a_copy() -> None:
    rest = [report("the fire", 80), report("the fire, later", 60)]
    one, other = ("\n\n".join([report(f"head by {desk}", 40), *rest, STOCK[0]]) for desk in ("north", "south"))
    assert is_copy(Text(one), Text(other))


def test_a_brief_with_stock_paragraphs_around_it_is_a_copy() -> None:
    brief = report("brief", 120)
    assert is_copy(Text(brief), Text("\n\n".join([STOCK[0], brief, STOCK[1]])))


def test_briefs_over_notices_full_of_names_and_figures_are_no_copies() -> None:
    news = TemplateNews(20)
    texts = [Text("\n\n".join(news.brief(genre, 2))) for genre in ("appeal", "court", "planning", "obituary", "quake")]
    assert all(similarity(one, other) > 0.5 for one, other in itertools.combinations(texts, 2))
    assert not any(is_copy(one, other) for one, other in itertools.combinations(texts, 2))


@pytest.mark.parametrize("genre", ["court", "filing", "traffic", "weather"])
def test_a_brief_over_notices_is_a_copy_of_itself_whatever_a_desk_does_to_it(genre: str) -> None:
    news = TemplateNews(21)
    brief = news.brief(genre, 2)
    copies = news.copies(brief).items()
    assert [how for how, copy in copies if not is_copy(Text("\n\n".join(brief)), Text("\n\n".join(copy)))] == []


FILING = """{0} said it filed a registration statement with the securities commission covering an offering of {2} million of
convertible notes due in ten years. Proceeds from the sale will be used for general corporate purposes, {1} said. {1} named no
lead manager for the offering, and the terms are to be set at the time of the sale."""


def test_one_form_about_two_subjects_makes_no_copy() -> None:
    one, other = FILING.format("Calder Mills", "Calder", 100), FILING.format("Dunning Harbour", "Dunning", 100)
    assert similarity(Text(one), Text(other)) > 0.8
    assert not is_copy(Text(one), Text(other))
    assert is_copy(Text(one), Text(one.replace("general corporate purposes", "buying a rival")))


def test_labels_of_a_table_are_no_subjects() -> None:
    rest = report("the year of the company", 60)
    one, other = (
        f"The quarter\n{label} 16.8 against 13.9\n{rest}\n{label} 67.5 against 52.6" for label in ("Sales", "Revs")
    )
    assert is_copy(Text(one), Text(other))


def test_reports_that_share_a_quotation_are_no_copies() -> None:
    quotation = report("what the mayor said", 60)
    one, other = (f"{report(desk, 80)} {quotation} {report(desk + ' too', 60)}" for desk in ("north", "south"))
    assert not is_copy(Text(one), Text(other))


WEATHER = """In {0} the day begins at {1} degrees with light cloud over the hills and some fog along the river. By noon the
thermometer climbs to {2} degrees and the wind turns west at {3} km/h, with a chance of rain of {4} percent. In the evening
the sky clears slowly and {5} degrees are expected on the coast. Tides in {0} are high at {6} and low at {7} o'clock."""

MATCH = """{0} beat {1} by {2} goals to {3} at home on Saturday in front of a crowd of {4} and moved up to place {5} in the
table. The hosts took the lead after {6} minutes when {8} scored from close range, and {9} made it safe late in the game
with a shot from the edge of the box. The visitors had their chances but {10} in goal was not to be beaten after the break."""


@pytest.mark.parametrize(
    ("template", "one", "other"),
    [
        (WEATHER, ["Ellery", 4, 11, 23, 40, 6, 7, 13], ["Dunning", -2, 3, 35, 85, 1, 9, 15]),
        (
            MATCH,
            ["Calder", "Ellery Harriers", 3, 1, 4120, 6, 12, 0, "Odo Finch", "Lars Brandt", "Petersen"],
            ["Dunning United", "Lowmarch", 2, 0, 9875, 3, 31, 0, "Ivo Marsh", "Sam Tull", "Okafor"],
        ),
    ],
    ids=["weather", "match report"],
)
def test_a_template_filled_twice_makes_no_copies(template: str, one: list[Any], other: list[Any]) -> None:
    assert not is_copy(Text(template.format(*one)), Text(template.format(*other)))


def test_a_correction_of_one_figure_is_a_copy() -> None:
    text = f"{report('pier')} Repairs will cost 4.5 million and take 18 months, 3 more than planned in 2024."
    assert is_copy(Text(text), Text(text.replace("4.5", "5.4")))


def test_texts_without_spaces_are_compared_by_characters() -> None:
    chance = random.Random(3)
    kana = "".join(
        chance.choice("港町市場会議住民計画道路工事北南東西新旧大小山川風雨学校子供先生朝夜") for _ in range(240)
    )
    other = "".join(
        chance.choice("港町市場会議住民計画道路工事北南東西新旧大小山川風雨学校子供先生朝夜") for _ in range(240)
    )
    assert Text(kana).unit == 2
    assert is_copy(Text(kana), Text(kana[:150] + "。続きは紙面で"))
    assert not is_copy(Text(kana), Text(other))


def test_prints_are_few_stable_and_found_again_in_a_longer_text() -> None:
    words = Text(report("pier", 400)).words
    prints = fingerprints(words)
    assert 30 <= len(prints) <= 55
    assert prints == fingerprints(list(words)) and all(-(2**31) <= one < 2**31 for one in prints)
    assert len(fingerprints(words + Text(report("quay")).words) & prints) >= len(prints) - 2
    assert fingerprints(words[:4]) == frozenset()


def test_a_page_of_one_phrase_a_thousand_times_is_compared_in_no_time() -> None:
    words = Text("again and again the same old phrase " * 3000).words
    assert ends(lambda: align(words, words, 3))
    assert align(words[:3000], words[:3000], 3)[0].start == 0


def test_similarity_is_the_share_of_the_shorter_text() -> None:
    text = report("pier", 100)
    assert similarity(Text(text), Text(first_words(text, 0.5))) == 1.0
    assert similarity(Text(text), Text(report("quay", 100))) == 0.0


def test_a_near_copy_is_a_duplicate_with_its_own_title_date_and_likeness_and_its_text_is_kept() -> None:
    copy = f"{report('pier')}\n\n{FOOTER}"
    archive = stored(
        [
            (page(A), article(report("pier"), title="Original", published="2026-11-03")),
            (page(B), article(copy, title="Copy", published="2026-11-04")),
        ]
    )
    assert contents(archive) == {A: ("article", None, A), B: ("duplicate", "near", A)}
    (row,) = archive.db.query("select copy_url, copy_title, copy_date, similarity, kind, title from copies")
    assert row == {
        "copy_url": B,
        "copy_title": "Copy",
        "copy_date": "2026-11-04",
        "similarity": 1.0,
        "kind": "near",
        "title": "Original",
    }
    kept = archive.db.query("select text from versions join pages on pages.id = page_id where url = ?", [B])
    assert [row["text"] for row in kept] == [copy]


def test_an_original_that_comes_later_swaps_with_its_copy_and_nothing_is_lost() -> None:
    copy = f"{report('pier')}\n\n{FOOTER}"
    archive = stored(
        [
            (page(A), article(copy, title="Copy", published="2026-11-04")),
            (page(B), article(report("pier"), title="Original", published="2026-11-03")),
        ]
    )
    assert contents(archive) == {A: ("duplicate", "near", B), B: ("article", None, B)}
    (row,) = archive.db.table("articles").rows
    assert (row["id"], row["title"], row["text"]) == (1, "Original", report("pier"))
    assert {row["text"] for row in archive.db.table("versions").rows} == {copy, report("pier")}


def test_a_page_that_matches_two_articles_merges_them_and_the_old_id_leads_on() -> None:
    one, other = report("north", 100), report("south", 100)
    whole = f"{one}\n\n{other}"
    pages = [(page(A), article(one)), (page(B, minutes=1), article(other)), (page(C, minutes=2), article(whole))]
    archive = stored(pages)
    assert contents(archive) == {A: ("article", None, A), B: ("duplicate", "near", A), C: ("duplicate", "near", A)}
    assert [tuple(row.values()) for row in archive.db.table("moved").rows] == [("article", 2, 1)]
    archive.keep(Outcome(page=page("https://d.example/dog"), article=article(report("dog"))))
    assert [row["id"] for row in archive.db.query("select id from articles order by id")] == [1, 3]
    assert {row["text"] for row in archive.db.table("versions").rows} >= {other, whole}


def test_a_print_of_many_articles_finds_nothing_and_is_noted_only_so_often() -> None:
    archive = stored(
        (page(f"https://{number}.example/"), article(f"{report(str(number), 100)} {FOOTER} {MASTHEAD}"))
        for number in range(KEPT_ARTICLES + 3)
    )
    assert archive.db.table("articles").count == KEPT_ARTICLES + 3
    most = archive.db.execute("select max(number) from (select count(*) as number from fingerprints group by hash)")
    assert COMMON < most.fetchone()[0] <= KEPT_ARTICLES


def test_prints_made_by_other_rules_are_made_anew(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "news.db")
    archive.keep(Outcome(page=page(A), article=article(report("pier"))))
    archive.keep(Outcome(page=page(B), article=article(f"{report('pier')}\n\n{FOOTER}")))
    prints = list(archive.db.table("fingerprints").rows)
    archive.db.execute("delete from fingerprints")
    archive.db.execute("update signatures set version = version - 1")
    archive.close()
    again = Archive(tmp_path / "news.db")
    assert again.is_upgrade_due()
    told: list[tuple[int, int]] = []
    again.upgrade(lambda done, of: told.append((done, of)))
    assert (told, again.is_upgrade_due()) == ([(1, 1)], False)
    assert list(again.db.table("fingerprints").rows) == prints
    assert again.db.execute("select max(version) from signatures").fetchone()[0] == SIGNATURE_VERSION


def test_a_run_makes_prints_of_other_rules_again_before_it_begins(tmp_path: Path) -> None:
    for name in ("pier", "dog"):
        (tmp_path / f"{name}.html").write_text(article_html(name, report(name)))
    broadsheet("import", "pier.html", cwd=tmp_path, workers=0)
    with closing(Archive(tmp_path / "news.db")) as archive:
        prints = list(archive.db.table("fingerprints").rows)
        archive.db.execute("delete from fingerprints")
        archive.db.execute("update signatures set version = version - 1")
    assert broadsheet("import", "dog.html", cwd=tmp_path, workers=0).returncode == 0
    with closing(Archive(tmp_path / "news.db")) as archive:
        assert list(archive.db.query("select * from fingerprints where article_id = 1")) == prints
        assert not archive.is_upgrade_due()


MADE: dict[str, Any] = {"as it is": str} | EDITS

copies = st.lists(
    st.tuples(st.sampled_from(["pier", "dog", "quay"]), st.sampled_from(sorted(MADE)), st.sampled_from([None, "2026-11-01", "2026-11-02"]), st.integers(0, 3)),
    min_size=2, max_size=7,
)  # fmt: skip
Copies = list[tuple[str, str, str | None, int]]


def copied(drawn: Copies) -> list[tuple[Page, Article]]:
    return [
        (page(f"https://{number}.example/{subject}", minutes=minutes), article(MADE[edit](report(subject, 240)), published=published))
        for number, (subject, edit, published, minutes) in enumerate(drawn)
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(copies, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_no_group_of_copies(drawn: Copies, chance: Any) -> None:
    outcomes = copied(drawn)
    assert contents(stored(outcomes)) == contents(stored(chance.sample(outcomes, len(outcomes))))


@settings(max_examples=20, deadline=None)
@given(copies)
def test_importing_copies_again_changes_no_group(drawn: Copies) -> None:
    outcomes = copied(drawn)
    once, twice = stored(outcomes), stored([*outcomes, *outcomes])
    assert contents(once) == contents(twice)
    assert once.db.table("versions").count == twice.db.table("versions").count


@settings(max_examples=20, deadline=None)
@given(copies, st.integers(0, 6))
def test_a_footer_never_splits_a_group(drawn: Copies, which: int) -> None:
    outcomes = copied(drawn)
    with_footer = list(outcomes)
    one, its = outcomes[which % len(outcomes)]
    with_footer[which % len(outcomes)] = (one, replace(its, text=f"{its.text}\n\n{FOOTER}"))
    homes, footed = (
        {url: home for url, (_, _, home) in contents(stored(some)).items()} for some in (outcomes, with_footer)
    )
    together = [pair for pair in itertools.combinations(homes, 2) if homes[pair[0]] == homes[pair[1]]]
    assert [pair for pair in together if footed[pair[0]] != footed[pair[1]]] == []


@settings(max_examples=20, deadline=None)
@given(copies)
def test_every_text_stays_readable_and_no_two_articles_share_an_address(drawn: Copies) -> None:
    outcomes = copied(drawn)
    archive = stored(outcomes)
    readable = archive.db.execute(
        "select content_hash from articles union select content_hash from versions"
    ).fetchall()
    assert {content_hash(its.text) for _, its in outcomes} == {row[0] for row in readable}
    addresses = [row["url"] for row in archive.db.query("select url from articles")]
    assert len(addresses) == len(set(addresses))
    copy_rows = archive.db.execute(
        "select count(*) from pages where state = 'duplicate' and (similarity is null or similarity not between 0 and 1)"
    )
    assert copy_rows.fetchone()[0] == 0
