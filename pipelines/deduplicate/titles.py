"""Headline similarity: whether two titles are wordings of one. A function of the titles alone."""

from pipelines.text import tokens

ALIKE, TELLING = 0.5, 4
"""Share of a title's words that two wordings of it have in common at least; letters of those that are counted."""


def shared_words(one: str | None, other: str | None) -> float:
    """Share, 0 to 1, of the words of the shorter of two titles that the other has; of the longer words where there are some."""
    few, many = sorted(map(_telling_words, (one, other)), key=len)
    return len(few & many) / len(few) if few else 0.0


def _telling_words(title: str | None) -> set[str]:
    words = tokens(title or "")
    return {word for word in words if len(word) >= TELLING} or set(words)
