"""phrases.toml: what a translator may write there, and that no sentence of an article is taken for a phrase."""

import re
from collections.abc import Iterator

import pytest

from pipelines.extract.boilerplate import (
    is_byline_opening,
    is_control,
    is_credit,
    is_label,
    is_promotion,
    is_teaser_link,
)
from pipelines.extract.phrases import PHRASES, Mentions, Openings, compiled, phrases, plain_words

PLAIN_KINDS = {"small_words", "label_words", "kickers"}

SENTENCES = """
He read more than a hundred books that winter.
Related parties must declare their interests, the court said.
Watch out for ice on the northern roads tonight.
Popular anger had been growing for months.
Share prices fell by a tenth on Monday.
Follow the money, the old inspector used to say.
Print newspapers still sell well in the valley.
The newsletter reached forty subscribers in its first year.
By Tuesday the water had gone.
Sources close to the harbour board denied it.
Voters can register until noon today, and nobody has to sign anything.
The page he was looking for had been torn out.
Ukraine wants to become a member of the European Union, its president said again on Monday.
Mehr als hundert Menschen warteten vor dem Rathaus.
Das Land lässt Lehrer kostenlos testen.
Themen gab es genug, Zeit dagegen kaum.
Von Montag an fahren die Züge wieder.
Der Newsletter der Gemeinde erscheint seit zehn Jahren.
Lire devient un luxe dans les villages, dit le libraire.
Par temps de pluie, la fête aura lieu dans la salle.
Voir la mer était son seul souhait.
Leggi severe proteggono il parco da anni.
Di notte il paese resta al buio.
Por la tarde llegaron los primeros barcos.
Más de cien vecinos se reunieron en la plaza.
Compartir coche es cada vez más habitual.
Partager un repas suffit parfois.
Condividi il pane, diceva la nonna.
A leitura do processo durou três horas.
Por enquanto, ninguém sabe quem vai pagar.
Lees je graag, dan is dit dorp een paradijs.
Door de storm vielen drie bomen om.
Del av broen må bygges på nytt.
Av hundre søkere fikk bare fire plass.
Czytaj, ale nie wszystko, mówił nauczyciel.
Od rana w mieście nie ma prądu.
Diskuse trvala do noci a nic nevyřešila.
Olvasni tanítja a gyerekeket a falu postása.
Читайте детям вслух, советует библиотекарь.
От пожара никто не пострадал.
По теме реформы депутаты спорили до вечера.
Від учора міст закрито для вантажівок.
Διαβάζουν όλοι στο χωριό την ίδια εφημερίδα.
Paylaşım ekonomisi köyde yeni değil.
Baca koran di warung kopi sudah menjadi kebiasaan di desa itu.
関連する三つの会社は、いずれも取材に応じていない。
分享单车在这座小城只存在了两年。
관련 법안은 다음 주 국회에서 논의된다.
شارك في المسابقة أربعون طالباً من القرية.
קראו לו בבית הספר בשם אחר.
और पढ़ने के लिए उसके पास समय नहीं था।
""".strip().splitlines()


@pytest.mark.parametrize("kind", PHRASES)
def test_a_phrase_is_lower_case_and_leaves_the_ends_of_the_line_to_its_kind(kind: str) -> None:
    assert [(phrase, fault) for phrase in phrases(kind) for fault in faults(kind, phrase)] == []


def faults(kind: str, phrase: str) -> Iterator[str]:
    """Those of a phrase. One test asks for all of a kind: a thousand tests more cost more than what they ask."""
    letters = re.sub(r"\\.", "", phrase)
    if letters != letters.lower() or "’" in phrase:
        yield "is not in small letters, or has a ’"
    if re.compile(phrase).match(""):
        yield "matches anything"
    if phrase.startswith("^") or (kind != "promotions" and phrase.endswith("$")):
        yield "names an end of the line"
    if kind in PLAIN_KINDS and re.search(r"[\\()\[\]{}?*+|.]", phrase):
        yield "is no plain word"
    if "|" in outside_brackets(phrase):  # it would be looked for by the words of the last branch alone
        yield "has alternatives outside brackets"


def outside_brackets(pattern: str) -> str:
    rest = re.sub(r"\\.|\[[^\]]*\]", "", pattern)
    while (shorter := re.sub(r"\([^()]*\)", "", rest)) != rest:
        rest = shorter
    return rest


@pytest.mark.parametrize("kind", PHRASES)
def test_no_phrase_stands_twice_in_a_language(kind: str) -> None:
    assert [lines for lines in PHRASES[kind].values() if len(lines.split("\n")) != len(set(lines.split("\n")))] == []


@pytest.mark.parametrize("sentence", SENTENCES)
def test_an_ordinary_sentence_is_none_of_them(sentence: str) -> None:
    tests = (is_label, is_control, is_promotion, is_credit, is_teaser_link, is_byline_opening)
    assert [test.__name__ for test in tests if test(sentence)] == []
    assert not Mentions("soft_404").search(sentence)
    assert not any(
        Openings(kind, after=r"\b.{0,60}$").match(sentence) for kind in ("wall_titles", "soft_404_titles", "top_pages")
    )


@pytest.mark.parametrize(
    ("phrase", "needed"),
    [
        (r"\bsign up\b.{0,80}(?:now|here)", "sign up"),
        (r"\b(?:in|into) your (?:email )?inbox", " your "),
        (r"\bnewsletters?\b", "newsletter"),
        (r"(?:a|b(?:c|d))[ef]+", ""),
    ],
)
def test_what_every_match_needs_is_known(phrase: str, needed: str) -> None:
    assert max(plain_words(phrase), key=len) == needed


def test_a_promotion_needs_a_word_that_can_be_looked_for_first() -> None:
    assert [phrase for phrase in phrases("promotions") if len(max(plain_words(phrase), key=len)) < 2] == []


def test_a_pattern_is_compiled_for_a_line_that_begins_as_it_does() -> None:
    labels, before = Openings("labels", after=r"\s*:\s*never compiled before$"), compiled.cache_info().currsize
    assert not labels.match("Remarkable things were said")
    assert compiled.cache_info().currsize == before
    assert labels.match("Read more: never compiled before")
    assert compiled.cache_info().currsize == before + 1
