"""What a word of a text is, and what two texts of the same words have in common."""

import hashlib
import re
from collections import Counter

TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+"
)
"""Runs of letters and digits; in scripts without spaces every character by itself."""

CHARACTER = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def content_hash(text: str) -> str:
    """32 hexadecimal digits that are equal for texts of the same words, whatever their case, punctuation and spacing."""
    return hashlib.sha256(" ".join(tokens(text)).encode()).hexdigest()[:32]


def tokens(text: str) -> list[str]:
    """The words of a text, case folded."""
    return TOKEN.findall(text.casefold())


def words_changed(old: str, new: str) -> tuple[int, int]:
    """How many words a change added and how many it removed, moved words not counted."""
    before, after = Counter(tokens(old)), Counter(tokens(new))
    return (after - before).total(), (before - after).total()
