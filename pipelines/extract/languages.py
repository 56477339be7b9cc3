"""The language of a text: what the page declares, unless the text clearly says otherwise; what the text says, if nobody declares.

Letters that only one language is written in decide alone; the rest is CLD3's, a small network that came with Chromium. Of 2,300
saved articles it names a language for each of the 433 that declare none, and contradicts 39, all but one rightly. py3langid and
lingua are no better, and take 84 MB and more of every worker; CLD2 is, a little, and has to be compiled on half the platforms.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gcld3 import NNetLanguageIdentifier

SAMPLE, LONGER_SAMPLE = 400, 2_000
"""Characters of a text that are read, a sixth of a millisecond; and where these do not settle it. Longer ones are no better."""

SURE = 0.95
"""Probability from which a language is believed; of what is above, no article among the labelled ones is wrong."""

MIN_LETTERS = 40
"""Letters from which a text can be told; the shortest labelled text that is told right has 60."""

SCRIPTS = {
    language: re.compile(f"[{letters}]")
    for language, letters in {"ko": "가-힣", "zh": "々-〇ぁ-ヿ㐀-䶿一-鿿", "el": "Ͱ-Ͽἀ-῿", "th": "ก-๛"}.items()
}
"""Letters that one language is written in; Chinese and Japanese are told apart by KANA."""

KANA = re.compile("[ぁ-ヿ]")

HALF, WIDE = 0.5, 3
"""Share of a script from which it decides; one letter of Chinese counts as many Latin ones, of names and prices in between."""

MIN_KANA = 0.05
"""Share of kana among CJK letters from which it is Japanese; Japanese has 0.4 and more, a Chinese text now and then a name."""

KNOWN_TAGS = """
af am ar bg bn bs ca ceb co cs cy da de el en eo es et eu fa fi fil fr fy ga gd gl gu ha haw he hi hmn hr ht hu hy id ig
is it ja jv ka kk km kn ko ku ky la lb lo lt lv mg mi mk ml mn mr ms mt my nb ne nl nn no ny pa pl ps pt ro ru sd si sk
sl sm sn so sq sr st su sv sw ta te tg th tl tr uk ur uz vi xh yi yo zh zu
"""


KNOWN = frozenset(KNOWN_TAGS.split())
"""What can be told. A page in a language that cannot would always be told to be in another: it is believed."""

OTHER_NAMES = {"iw": "he", "ji": "yi", "in": "id", "fil": "tl", "nb": "no", "nn": "no"}
"""Tags of one language; `no` is written in two ways that are not told apart."""

NEIGHBOUR_TAGS = """
no da, id ms jv su, hr sr bs sl, cs sk, bg mk, hi mr ne, tl ceb, pt gl, af nl, zu xh
"""


NEIGHBOURS = tuple(frozenset(tags.split()) for tags in NEIGHBOUR_TAGS.split(","))
"""Languages so near to each other that a text does not contradict its declaration."""

NO_LANGUAGE = frozenset(
    ("und", "mul", "zxx", "mis", "jp", "cn", "kr", "gr", "cz", "dk", "ua", "vn", "hk", "rs", "us", "at")
)
"""Tags that say no language, and codes of countries that stand in for one."""


def language_of(declared: str | None, text: str) -> str | None:
    """The language of an article: as declared (a primary tag), unless its text clearly contradicts; None when neither tells."""
    declared = None if declared in NO_LANGUAGE else declared
    spoken = spoken_in(text)
    return spoken if spoken and (declared is None or _contradicts(spoken, declared)) else declared


def _contradicts(spoken: str, declared: str) -> bool:
    """Latin never does: it is what designers fill a page with."""
    one = OTHER_NAMES.get(declared, declared)
    near = one == OTHER_NAMES.get(spoken, spoken) or any({one, spoken} <= group for group in NEIGHBOURS)
    return not near and spoken != "la" and (declared in KNOWN or spoken in SCRIPTS)


def spoken_in(text: str) -> str | None:
    """The language in which a text is written, as a primary tag; None where it cannot be told."""
    return _of(text[:SAMPLE]) or (_of(text[:LONGER_SAMPLE]) if len(text) > SAMPLE else None)


def _of(sample: str) -> str | None:
    letters = sum(map(str.isalpha, sample))
    if not sample.isascii():
        for language, script in SCRIPTS.items():
            found = len(script.findall(sample))
            if WIDE * found > HALF * (WIDE * found + letters - found) and found > MIN_LETTERS / WIDE:
                return "ja" if language == "zh" and len(KANA.findall(sample)) > MIN_KANA * found else language
    if letters < MIN_LETTERS:
        return None
    told = _identifier().FindLanguage(sample.encode("utf-8", "ignore").decode())
    tag: str = told.language
    if told.probability < SURE or "-" in tag:  # `ru-Latn`: transcribed, which no paper is
        return None
    return OTHER_NAMES.get(tag, tag)


@cache
def _identifier() -> "NNetLanguageIdentifier":
    from gcld3 import NNetLanguageIdentifier  # 3 MB, in the worker that reads pages only

    return NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=4 * LONGER_SAMPLE)
