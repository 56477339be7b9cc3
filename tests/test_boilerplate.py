"""Which lines are the article, and which are around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.extract.boilerplate import ArticleContext, body_lines, is_noise, same_title
from pipelines.text import is_prose, line_key

PROSE = "The crane on the north quay fell over on Wednesday afternoon, and two people who stood below it were hurt."
MORE = "Loading had stopped half an hour before because of the wind, said the harbour master, who had ordered it."


LABELS = "Read more|Lesen Sie auch:|À lire aussi|También te puede interesar|Читайте также|関連記事|اقرأ أيضاً|Read also: The bridge that hums"
BUTTONS = "Share this article|Advertisement|12 comments|Back to top|5 min read|***"
PROMOTION = "Sign up for our newsletter|Follow us on Facebook|Get the latest news in your inbox|Jetzt abonnieren"


@pytest.mark.parametrize("line", "|".join((LABELS, BUTTONS, PROMOTION)).split("|"))
def test_labels_buttons_and_promotion_are_noise(line: str) -> None:
    assert is_noise(line)


@pytest.mark.parametrize(
    "line",
    [
        PROSE,
        "He read more than a hundred books that winter.",
        "Ukraine wants to become a member of the European Union, its president said again on Monday.",
        "Voters can register until noon today.",
        "Das Land lässt Lehrer kostenlos testen.",
        "The company said its privacy policy had not changed.",
        "What happened next",
        "“No,” she said.",
    ],
)
def test_sentences_and_headings_are_not(line: str) -> None:
    assert not is_noise(line)


def test_the_repeated_head_and_the_closing_matter_are_dropped() -> None:
    context = ArticleContext(titles=("Crane falls on north quay",), authors=("Ann Lee",))
    head, tail = (
        ["Harbour", "Crane falls on north quay", "By Ann Lee", "11 November 2026"],
        ["Additional reporting by Bo Ray", "© The Ledger 2026"],
    )
    assert body_lines([*head, PROSE, "What happened", MORE, *tail], context) == [PROSE, "What happened", MORE]


def test_a_line_that_is_one_link_is_a_teaser() -> None:
    teaser = "The bridge that hums at night"
    assert body_lines([PROSE, teaser, MORE], ArticleContext(link_share={line_key(teaser): 1.0})) == [PROSE, MORE]


def test_an_agency_that_the_dateline_names_too_is_not_the_text() -> None:
    dated = "STELLIN, Nov 9 (Corvane) - Barley rose to its highest price in nine years on Monday after a week of rain."
    assert body_lines(["Corvane", dated, MORE], ArticleContext()) == [dated, MORE]
    assert body_lines(["Corvane", PROSE, MORE], ArticleContext()) == ["Corvane", PROSE, MORE]


def test_list_entries_and_headings_inside_stay() -> None:
    lines = [PROSE, "What was lost", "- one crane", "- two days of loading", MORE]
    assert body_lines(lines, ArticleContext()) == lines


def test_a_biography_of_the_author_is_not_the_end_of_the_article() -> None:
    context = ArticleContext(authors=("Ann Lee",))
    assert body_lines([PROSE, MORE, "Ann Lee writes about harbours."], context) == [PROSE, MORE]


@pytest.mark.parametrize(
    "line",
    [
        "Crane falls on north quay",
        "CRANE FALLS ON NORTH QUAY",
        "Harbour news: Crane falls on north quay",
        "Crane falls on the north quay",
    ],
)
def test_a_title_is_known_in_other_spellings(line: str) -> None:
    assert same_title(line, "Crane falls on north quay")


def test_prose_is_long_and_closed_in_any_script() -> None:
    assert [
        is_prose(line)
        for line in (PROSE, "Crane falls on north quay", "港のクレーンが水曜日の午後に倒れ、下にいた二人がけがをした。")
    ] == [True, False, True]


@given(st.lists(st.text(max_size=120), max_size=12))
def test_what_is_kept_was_there_in_that_order(lines: list[str]) -> None:
    kept = iter(lines)
    assert all(line in kept for line in body_lines(lines, ArticleContext()))
