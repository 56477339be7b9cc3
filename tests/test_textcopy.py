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


def test_the_day_and_the_reading_time_in_one_line_are_of_the_head() -> None:
    head = (TITLE, "By Ann Lee", "11.11.2026 - 15:48 Lesedauer: 2 Min.")
    assert read_copy(copy(head=head)).lines == list(PROSE)


def test_a_kicker_that_runs_into_the_title_is_parted_from_it() -> None:
    read = read_copy(copy(head=("Accident in the harbourFour ships wait while the crane of the north quay is raised",)))
    assert (read.metadata.kicker, read.metadata.title) == (
        "Accident in the harbour",
        "Four ships wait while the crane of the north quay is raised",
    )


def test_a_name_with_a_capital_inside_is_no_seam() -> None:
    title = "DryDock and the crane of the north quay: what we know, and what not"
    prose = "The crane of DryDock fell over on Wednesday afternoon, and two people who stood below it were hurt."
    assert read_copy("\n\n".join((title, prose, *PROSE))).metadata.title == title


def test_a_notice_about_the_browser_is_no_first_paragraph() -> None:
    notice = "Your web browser is no longer supported. To improve your experience on this page, please update it here."
    read = read_copy(copy(head=(notice, TITLE)))
    assert (read.metadata.title, read.lines) == (TITLE, list(PROSE))


def test_main_points_that_are_set_in_are_not_the_text() -> None:
    points = ("  A crane fell over in the harbour during a squall.", "  Four ships are waiting outside for a berth.")
    assert read_copy(copy(head=(TITLE, "Key points", *points))).lines == list(PROSE)


def test_the_entries_of_a_list_are_lines_without_a_mark_and_a_dialogue_keeps_its_dashes() -> None:
    entries = ("• The crane of the north quay", "  The berth beside it", "- Nobody was there, he said.")
    assert read_copy("\n".join((TITLE, *PROSE, "What is shut:", *entries, *PROSE))).lines == [
        *PROSE,
        "What is shut:",
        "The crane of the north quay",
        "The berth beside it",
        "- Nobody was there, he said.",
        *PROSE,
    ]


@pytest.mark.parametrize(
    "aside",
    [
        ("The crane on the morning after", "Photo: Bo Ray"),
        ("The crane on the morning after (Photo: Bo Ray)",),
        ("The crane on the morning after © Bo Ray",),
        ("The crane on the morning after, seen from the mole. dpa/Bo Ray",),
        ("Read more", "The bridge that hums"),
        ("Read more", "• The bridge that hums", "• A winter of otters"),
        ("The bridge that hums", "2 hours ago"),
        (
            "The Morning Tide",
            "All that the night washed ashore.",
            "By signing up, you agree to our terms and conditions.",
        ),
    ],
)
def test_what_stands_among_the_paragraphs_is_left_out(aside: tuple[str, ...]) -> None:
    assert read_copy("\n\n".join((TITLE, *PROSE, *aside, *PROSE))).lines == [*PROSE, *PROSE]


@pytest.mark.parametrize(
    "between",
    [
        ("Advertisement", "What the harbour master says"),
        ("Story continues below", "What the harbour master says"),
        ("“Nobody was in the cab.”",),
    ],
)
def test_a_heading_and_a_short_sentence_stay(between: tuple[str, ...]) -> None:
    assert read_copy("\n\n".join((TITLE, *PROSE, *between, *PROSE))).lines == [*PROSE, between[-1], *PROSE]


@pytest.mark.parametrize(
    "tail",
    [
        ("3 comments", *PROSE[::-1] * 2),
        ("Comments", "Bo Ray says:", PROSE[0]),
        ("More from The Ledger", "The bridge that hums", PROSE[0], "Bo Ray", "A winter of otters", "Bo Ray", "Ann Lee"),
    ],
)
def test_comments_and_teasers_below_the_text_are_left_behind(tail: tuple[str, ...]) -> None:
    assert read_copy("\n\n".join((TITLE, *PROSE, *PROSE, *PROSE, *tail))).lines == [*PROSE, *PROSE, *PROSE]


@pytest.mark.parametrize("button", ["Comments", "Read more", "More from The Ledger"])
def test_a_button_among_the_paragraphs_ends_nothing(button: str) -> None:
    assert read_copy("\n\n".join((TITLE, *PROSE, button, *PROSE))).lines == [*PROSE, *PROSE]


def test_an_advertisement_below_two_paragraphs_does_not_make_them_the_head() -> None:
    first = PROSE[:2]
    read = read_copy("\n\n".join((TITLE, "By Ann Lee", *first, "Advertisement", *PROSE)))
    assert read.lines == [*first, *PROSE]


@pytest.mark.parametrize("last", ["The berth stays shut until Friday.", f"{PROSE[3]} AL"])
def test_a_short_last_sentence_and_initials_behind_one_belong_to_the_text(last: str) -> None:
    assert read_copy(copy(head=(TITLE,), tail=(last, "More from The Ledger"))).lines == [*PROSE, last]


def test_what_would_close_the_head_below_the_text_does_not() -> None:
    read = read_copy("\n\n".join((TITLE, PROSE[0], "Ann Lee", "11 November 2026")))
    assert (read.metadata.authors, read.lines) == (("Ann Lee",), [PROSE[0]])


def test_a_caption_below_the_first_paragraph_does_not_make_it_a_deck() -> None:
    caption = ("The crane on the morning after", "Photo: Bo Ray")
    assert read_copy("\n\n".join((TITLE, "By Ann Lee", PROSE[0], *caption, *PROSE))).lines == [PROSE[0], *PROSE]


@pytest.mark.parametrize(
    "head", [f"# {TITLE}", f"Subject: {TITLE}", f"{TITLE}\n{'=' * len(TITLE)}", f"{TITLE}\n-------"]
)
def test_what_marks_a_line_as_the_title_is_not_in_it(head: str) -> None:
    read = read_copy(copy(head=(head,)))
    assert (read.metadata.title, read.lines) == (TITLE, list(PROSE))
