"""What a word and a letter of CJK are: everywhere the same."""

import sqlite3

import pytest

from crawler.parsers import front_pages
from pipelines.database.earlier_migrations import spaced
from pipelines.text import CJK, is_prose, tokens, width, word_count, words_of

TEXTS = {
    "人々の代々木": 6,
    "々々々": 3,
    "二〇〇六年": 5,
    "ｶﾀｶﾅ": 4,
    "𠮷𠮷野家": 4,
    "ㄅㄆㄇ": 3,
    "ㅋㅋㅋ": 3,
    "서울 2026년": 4,
    "Ferry 9.30, naïve": 4,
    "": 0,
}


@pytest.mark.parametrize(("text", "number"), TEXTS.items())
def test_a_word_is_one_wherever_it_is_counted_compared_or_searched_for(text: str, number: int) -> None:
    base = sqlite3.connect(":memory:")
    base.execute("create virtual table index_ using fts5 (text)")
    base.execute("create virtual table words using fts5vocab (index_, instance)")
    base.execute(f"insert into index_ (text) select {spaced('?1')}", [text])
    searched = base.execute("select count(*) from words").fetchone()[0]
    assert (word_count(text), len(words_of(text)), len(tokens(text)), searched) == (number,) * 4


def test_the_crawler_knows_the_same_letters() -> None:
    assert front_pages.CJK == CJK


def test_a_letter_of_cjk_is_as_wide_as_three() -> None:
    assert (width("abc"), width("naïve…"), width("人々")) == (3, 6, 6)


@pytest.mark.parametrize(
    "end",
    ["closed.", "کو بند کر دیا گیا۔", "を決めた。」", "ተዘጋ።", "ပိတ်သည်။", "បានបិទ។", "ปิดอย่างถาวร"],
    ids=["Latin", "Urdu", "a Japanese quotation", "Amharic", "Burmese", "Khmer", "Thai"],
)
def test_a_sentence_ends_as_its_script_ends_one(end: str) -> None:
    assert is_prose(f"{end[0] * 120} {end}")
    assert not is_prose(f"{'a' * 120} no end")
