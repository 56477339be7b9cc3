"""Text: what a word (token) of a text is, a line, a CJK letter; what two texts of the same words have in common."""

import hashlib
import re
import unicodedata
from collections import Counter
from html import unescape
from itertools import pairwise

CJK = "々-〇ぁ-ヿ㄀-ㆿㇰ-ㇿ㐀-䶿一-鿿ꥠ-ꥼ가-힣豈-﫿ｦ-ﾟ𠀀-𿿽"
"""Letters of scripts that part no words, as the inside of a character class (of GLOB or of a regular expression): Han, kana,
bopomofo, and Hangul, whose words carry their particles (Unicode 15, blocks). Wherever words are counted, compared or searched
for, each is one by itself. Migration 7 has it in the full-text index: another one makes that anew."""

CJK_LETTER = re.compile(f"[{CJK}]")

MAY_HOLD_CJK = re.compile(r"[\u2e80-\U0010ffff]")
"""Few texts go beyond: the rest is split by a pattern of half the cost."""

RUN, WORD = re.compile(r"\w+"), re.compile(rf"[{CJK}]|[^\W{CJK}]+")


def words_of(text: str) -> list[str]:
    """The words of a text: runs of letters and digits, every letter of CJK by itself."""
    return RUN.findall(text) if text.isascii() or not MAY_HOLD_CJK.search(text) else WORD.findall(text)


def cjk_letters(text: str) -> int:
    """How many letters of CJK a text has."""
    return 0 if text.isascii() else len(CJK_LETTER.findall(text))


def content_hash(text: str) -> str:
    """32 hexadecimal digits that are equal for texts of the same words, whatever their case, punctuation and spacing."""
    return hashlib.sha256(" ".join(tokens(text)).encode()).hexdigest()[:32]


def tokens(text: str) -> list[str]:
    """The words of a text, case folded."""
    return words_of(text.casefold())


def words_changed(old: str, new: str) -> tuple[int, int]:
    """How many words a change added and how many it removed, moved words not counted."""
    before, after = Counter(tokens(old)), Counter(tokens(new))
    return (after - before).total(), (before - after).total()


def added_lines(text: str, known: str) -> str | None:
    """The lines of a text with two words side by side that another text has nowhere, or with a single word that it lacks: whatever a
    search finds in the one and not in the other, a phrase too, is in them. None where there are none."""
    words = tokens(known)
    pairs = {*pairwise(words), *((word,) for word in words)}
    return "\n".join(line for line in text.split("\n") if not _pairs(line) <= pairs) or None


def _pairs(line: str) -> set[tuple[str, ...]]:
    words = tokens(line)
    return {*pairwise(words)} if len(words) > 1 else {(word,) for word in words}


def other_title(title: str | None, known: str | None) -> str | None:
    """A title of other words than a known one's; None where it is none, or of the same."""
    return title if title and tokens(title) != tokens(known or "") else None


def word_count(text: str) -> int:
    """Runs of letters and digits; a Han, Kana or Hangul character counts one."""
    return len(words_of(text))


JOINER = re.compile(
    "(?<=[\u0600-\u0dff\u1000-\u109f\u1780-\u18af\ufe0f\u2600-\u27bf\U0001f000-\U0001faff])[\u200c\u200d](?=\\S)"
)
"""Zero-width (non-)joiners where they belong to the spelling (Unicode 23.2): inside words of Arabic, Indic and Mongolian letters,
and between emoji. Elsewhere they are invisible marks."""


TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")


def clean(text: object) -> str:
    """One line of plain text: entities resolved, white space folded, NFC, nothing unprintable."""
    line = unescape(str(text))
    if "&" in line and ";" in line:
        line = unescape(line)
    line = " ".join(line.split())
    if not line.isprintable():
        joiners = {found.start() for found in JOINER.finditer(line)}
        line = "".join(one for at, one in enumerate(line) if at in joiners or unicodedata.category(one)[0] != "C")
    return unicodedata.normalize("NFC", line)


def fold(text: str) -> str:
    """What two spellings of one line have in common: letters and digits, case folded."""
    spelled = text if text.isascii() else unicodedata.normalize("NFKC", text.replace("\xad", ""))
    return " ".join(RUN.findall(spelled.casefold()))


PROSE_LENGTH = 80
"""Characters from which a line with a sentence's end is prose; the shortest real opening paragraphs seen have 85."""


SENTENCE_END = re.compile(r"[.!?…。！？｡।۔؟։።။។:;]['\"”’»«“)\]」』]*\s*$")


UNPOINTED = re.compile(r"[ก-๛ກ-ໟ]['\"”’]?\s*$")
"""The end of a line of Thai or Lao, which put nothing at the end of a sentence."""


def line_key(line: str) -> str:
    """A line without its white space and list mark: equal for a line of the page and of a reading of it."""
    return "".join(line.removeprefix("- ").split()).replace("\xad", "")


def width(line: str) -> int:
    """Characters, a Han, Kana or Hangul one counting three: as much as it says."""
    return len(line) + 2 * cjk_letters(line)


def is_prose(line: str) -> bool:
    """Whether a line is long enough and closed like a sentence."""
    length = width(line)
    return length >= PROSE_LENGTH and (
        bool(SENTENCE_END.search(line))
        or length >= 3 * PROSE_LENGTH
        or (2 * length >= 3 * PROSE_LENGTH and bool(UNPOINTED.search(line)))
    )
