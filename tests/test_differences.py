"""What changed between two texts, and what several have in common."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from pipelines.publish.differences import MAX_TOGETHER, MAX_WORDS, Piece, shared_passages, text_diff, word_diff

TEXT = st.lists(st.sampled_from(["the", "quay", "was", "wet", "東京", "a,", "b.", "\n", "  ", "é"]), max_size=40).map(
    " ".join
)


def test_a_changed_word_stands_between_the_unchanged_ones() -> None:
    assert word_diff("First.\nThe quay was wet.\nLast.", "First.\nThe quay was dry.\nLast.") == [
        None,
        [
            Piece(what="same", text="The quay was "),
            Piece(what="removed", text="wet."),
            Piece(what="added", text="dry."),
        ],
        None,
    ]


def test_the_last_word_is_the_same_when_others_follow_it() -> None:
    assert word_diff("Selkie seeks protection", "Selkie seeks protection from creditors") == [
        [Piece(what="same", text="Selkie seeks protection "), Piece(what="added", text="from creditors")]
    ]


@given(TEXT, TEXT)
def test_the_old_and_the_new_can_be_read_from_the_difference(old: str, new: str) -> None:
    changed = [piece for paragraph in word_diff(old, new) for piece in paragraph or []]
    kept = [paragraph for paragraph in word_diff(old, new) if paragraph is None]
    for text, gone in ((old, "added"), (new, "removed")):
        said = "".join(piece.text for piece in changed if piece.what != gone)
        assert all(word in text for word in said.split())
        assert kept or "".join(said.split()) == "".join(text.split())


def test_a_paragraph_that_was_put_in_begins_with_no_empty_line() -> None:
    assert word_diff("First.", "First.\n\nSecond.") == [None, [Piece(what="added", text="Second.")]]
    assert word_diff("First.\nSecond.", "First.\n\nSecond.") == [None]


def test_a_copy_with_other_paragraphs_is_the_same_but_for_its_words() -> None:
    assert text_diff("The quay\nwas wet. All of it.", "The quay was wet.\n\nHalf of it.") == [
        Piece(what="same", text="The quay\nwas wet.\n\n"),
        Piece(what="removed", text="All "),
        Piece(what="added", text="Half "),
        Piece(what="same", text="of it."),
    ]


@given(TEXT, TEXT)
def test_both_texts_can_be_read_from_what_a_copy_has_of_the_other(old: str, new: str) -> None:
    for text, other in ((old, "added"), (new, "removed")):
        said = "".join(piece.text for piece in text_diff(old, new) if piece.what != other)
        assert "".join(said.split()) == "".join(text.split())


def test_a_text_that_was_written_anew_is_not_compared_for_minutes() -> None:
    old, new = (" ".join(f"{letter}{number}" for number in range(MAX_WORDS * 4)) for letter in "ab")
    assert word_diff(old, new) == [[Piece(what="removed", text=old), Piece(what="added", text=new)]]


def test_a_passage_that_two_reports_share_is_marked_in_both() -> None:
    agency = "the harbour master said that nobody had been hurt in the night"
    first, second, third = shared_passages(
        [f"Own words. {agency} Ours.", f"{agency.capitalize()}, they say.", "Nothing of the kind."]
    )
    assert [piece.text for piece in first.pieces if piece.what == "same"] == [agency]
    assert [piece.text for piece in second.pieces if piece.what == "same"] == [agency.capitalize()]
    assert third.share == 0 and 0.7 < first.share < 1


@given(st.lists(TEXT, max_size=4))
def test_no_letter_is_lost(texts: list[str]) -> None:
    assert ["".join(piece.text for piece in one.pieces) for one in shared_passages(texts)] == texts


def test_of_many_long_reports_the_beginnings_are_compared_in_little_memory() -> None:
    letters = "".join(map(chr, range(0x4E00, 0x9E20)))
    texts = [letters[start:] + letters[:start] for start in range(60)]
    tracemalloc.start()
    shared = shared_passages(texts)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()
    shown = ["".join(piece.text for piece in one.pieces) for one in shared]
    assert {(len(text), one.whole) for text, one in zip(shown, shared, strict=True)} == {(MAX_TOGETHER // 60, False)}
    assert all(text.startswith(beginning) for text, beginning in zip(texts, shown, strict=True))
