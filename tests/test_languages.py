"""The language of a text, beside what a page declares."""

import pytest

from pipelines.extract.languages import language_of

TEXTS = {
    "en": "The harbour office will keep the crane's cabin, and the children of the second form may paint it in spring.",
    "de": "Das Hafenamt behält die Kabine des Krans, und die Kinder der zweiten Klasse dürfen sie im Frühling bemalen.",
    "pl": "Kapitanat zatrzyma kabinę dźwigu, a dzieci z drugiej klasy będą mogły wiosną pomalować ją na dowolny kolor.",
    "ru": "Управление порта сохранит кабину крана, а дети из второго класса весной смогут раскрасить её по-своему.",
    "el": "Το λιμεναρχείο θα κρατήσει την καμπίνα του γερανού και τα παιδιά θα τη βάψουν την άνοιξη.",
    "zh": "港务局决定保留起重机的驾驶室，二年级的孩子们明年春天可以为它涂上颜色。The crane cost 4,200 euros in 1961.",
    "ja": "港湾事務所はクレーンの運転室を残すことにした。二年生の子どもたちが春に色を塗ることになっている。",
    "ko": "항만 사무소는 크레인 운전실을 그대로 두기로 했고, 이 학년 아이들이 봄에 색을 칠할 수 있게 된다. 비용은 시가 낸다.",
    "th": "สำนักงานท่าเรือจะเก็บห้องคนขับของปั้นจั่นไว้ และเด็กชั้นประถมสองจะได้ทาสีในฤดูใบไม้ผลิ",
    "he": "משרד הנמל ישמור את תא המנוף, וילדי כיתה ב יוכלו לצבוע אותו באביב בכל צבע שירצו בעצמם.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_text_tells_its_language(language: str) -> None:
    assert language_of(None, TEXTS[language]) == language
    assert {language_of(declared, TEXTS[language]) for declared in TEXTS} == {language}


@pytest.mark.parametrize(
    ("declared", "text", "language"),
    [
        ("nb", "Havnekontoret beholder førerhuset på kranen, og barna i andre klasse får male det til våren.", "nb"),
        ("de", "4 : 2 (1 : 0)", "de"),
        (None, "4 : 2 (1 : 0)", None),
        (None, "Ok.", None),
        ("gsw", TEXTS["de"], "gsw"),
        ("en", "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore.", "en"),
        ("jp", TEXTS["ja"], "ja"),
        ("und", TEXTS["de"], "de"),
        ("und", "Ok.", None),
        ("en", TEXTS["en"].upper(), "en"),
        (None, "\ud800 " + TEXTS["de"], "de"),
    ],
    ids=["another name of it", "nothing to tell", "no text", "too short", "cannot be told", "filler", "a country", "undetermined",
         "undetermined and short", "capitals", "half a letter"],
)  # fmt: skip
def test_a_declaration_holds_unless_the_text_is_clear(declared: str | None, text: str, language: str | None) -> None:
    assert language_of(declared, text) == language
