"""Plain text copies: head, body, tail."""

import pytest

from crawler.dates.moments import Moment
from pipelines.extract.text_copies import read_copy

PROSE = (
    "The crane on the north quay fell over on Wednesday afternoon, and two people who stood below it were hurt.",
    "Loading had stopped half an hour before because of the wind, said the harbour master, who had ordered it himself.",
    "“Nobody was in the cab,” he said.",
    "Four ships were waiting outside the mole in the evening, and nobody could say when the berth would open again.",
)
TITLE = "Crane falls over on the north quay, two are hurt"


def copy(*, head: tuple[str, ...] = (), tail: tuple[str, ...] = ()) -> str:
    return "\n\n".join((*head, *PROSE, *tail))


def test_the_head_gives_title_author_and_day() -> None:
    read = read_copy(copy(head=("Home » Harbour", TITLE, "Ann Lee", "11 November 2026")))
    assert (read.metadata.title, read.metadata.authors, read.metadata.published) == (
        TITLE,
        ("Ann Lee",),
        Moment(value="2026-11-11", raw="11 November 2026"),
    )
    assert read.lines == list(PROSE)


def test_the_day_below_the_title_beats_the_day_the_page_was_saved() -> None:
    read = read_copy(
        copy(
            head=("Monday, 23 November 2026", "Latest news", f"Main » {TITLE}", TITLE, "11 November 2026"),
            tail=(TITLE,),
        )
    )
    assert (read.metadata.title, read.metadata.published and read.metadata.published.value, read.lines) == (
        TITLE,
        "2026-11-11",
        list(PROSE),
    )


def test_a_line_in_capitals_above_the_title_is_its_kicker() -> None:
    kicker = "CRANES OF THE HARBOUR"
    assert read_copy(copy(head=(kicker, TITLE, "Ann Lee"), tail=(kicker,))).metadata.title == TITLE


def test_an_agencys_first_paragraph_gives_the_day() -> None:
    first = (
        "Nov 11, 2026 (CALDER)—Cranes were tied down along the whole coast on Wednesday, the weather service announced."
    )
    read = read_copy("\n\n".join(("Go to home page", TITLE, first, *PROSE)))
    assert (read.metadata.published and read.metadata.published.value, read.lines) == ("2026-11-11", [first, *PROSE])


def test_a_deck_above_the_byline_is_not_the_text() -> None:
    deck = "Two people are in hospital after a squall hit the harbour, and the berth stays closed until Friday."
    assert read_copy(copy(head=(TITLE, deck, "By Ann Lee"))).lines == list(PROSE)


@pytest.mark.parametrize(
    "tail",
    [
        ("Back to top    Go to home page",),
        ("Other reports by Ann Lee", "Discuss This Article"),
        ("Share", "Tweet", "Comments"),
        ("Most read", "The bridge that hums", "A winter of otters", "Ferry fares rise"),
        ("© The Ledger 2026", "All rights reserved"),
    ],
)
def test_the_tail_is_left_behind(tail: tuple[str, ...]) -> None:
    assert read_copy(copy(head=(TITLE,), tail=tail)).lines == list(PROSE)


def test_a_bare_name_below_the_text_signs_it() -> None:
    read = read_copy(copy(head=(TITLE,), tail=("Ann Lee",)))
    assert (read.metadata.authors, read.lines) == (("Ann Lee",), list(PROSE))


def test_a_copy_that_begins_with_its_text_has_no_title_and_loses_nothing() -> None:
    read = read_copy(copy())
    assert (read.metadata.title, read.metadata.authors, read.lines) == (None, (), list(PROSE))
