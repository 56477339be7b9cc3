"""Document frequency of sentences: which ones so many articles have that they are furniture, and what is an article's own.

A site prints the same paragraphs under every appeal and every notice. They are counted beside the terms of a window,
under names that no term has, of all articles and of each site's; the words of those that many have, of whatever site, or
that one site repeats, say nothing of what an article is about. What is in one report of many sites is a wire's.
"""

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise

from pipelines.deduplicate.near_copies import Text
from pipelines.text import cjk_letters, words_of

STEM = 7
"""Letters of a word that count: enough for inflected languages, and a little better than whole words in English."""

SHORT_FIGURE = 3
"""Digits. Groups of thousands and scores join reports of earnings: the largest story of a wire has 28 articles, 38 with them."""

FURNITURE_USERS = 3
"""Articles of a window up to which a sentence may be a quotation; more have furniture. On known events 2 to 5 are as good."""

REPEATED = 1
"""Articles of one site in a window up to which a sentence is its article's own: near copies are one article already. On known
events it is as good as 3; where 40 kinds of stock are shared by five reports each, 5 stories of two events are left of 25."""

SHORTEST_SENTENCE = 5
"""Words from which a sentence is counted: anybody may write a shorter one."""

MIN_UNREPEATED_SHARE = 0.3
"""Of an article's terms, so many are in no sentence that its site repeats: a follow-up repeats most of the report before it."""

MIN_OWN_SHARE = 0.1
"""Of an article's terms, so many are its own: one that is nothing but furniture is taken as it is."""

Sentence = tuple[str, list[str]]
"""The name that it is counted under, empty when it is not, and its terms."""

_ENDS = re.compile(r"(?<=[.!?])\s++|(?<=[。！？])|\n++")


def sentences(text: str) -> list[Sentence]:
    """The sentences of a text."""
    found = [[word.casefold() for word in words_of(one)] for one in _ENDS.split(text)]
    by_pairs = 2 * cjk_letters(text) > sum(map(len, found))
    return [(_name(words), _terms(words, by_pairs)) for words in found if words]


def terms(text: Text) -> list[str]:
    """The terms of a text: the beginnings of its words; in scripts without spaces, pairs of characters."""
    return _terms(text.words, text.unit > 1)


def _terms(words: list[str], by_pairs: bool) -> list[str]:
    words = [word for word in words if len(word) > SHORT_FIGURE or not word.isdigit()]
    found = [word[:STEM] for word in words if len(word) > 1]
    if by_pairs:
        found += (one + other for one, other in pairwise(words) if len(one) == len(other) == 1)
    return found


def _name(words: list[str]) -> str:
    """A hash: of an article that was taken out no words are to stay."""
    return f"={zlib.crc32(' '.join(words).encode()):08x}" if len(words) >= SHORTEST_SENTENCE else ""


def names(article: Iterable[Sentence], site: str) -> set[str]:
    """All that is counted of an article: its terms, and the names of its sentences, each also as one of its site."""
    found = {counted for name, _ in article for counted in (name, _of_site(name, site)) if counted}
    return found.union(*(terms for _, terms in article))


def own_terms(article: Iterable[Sentence], used_by: Mapping[str, int], site: str) -> Counter[str]:
    """How often an article uses each term outside of its furniture: what its site repeats, or else what many have."""
    every = Counter(term for _, terms in article for term in terms)
    own = [(name, terms) for name, terms in article if used_by.get(name, 1) <= FURNITURE_USERS]
    unrepeated = [terms for name, terms in own if used_by.get(_of_site(name, site), 1) <= REPEATED]
    for kept, least in ((unrepeated, MIN_UNREPEATED_SHARE), ([terms for _, terms in own], MIN_OWN_SHARE)):
        if sum(map(len, kept)) >= least * every.total():
            return Counter(term for terms in kept for term in terms)
    return every


def _of_site(name: str, site: str) -> str:
    """Empty when it is not counted: a saved page without an address is of no site."""
    return f"{name} {site}" if name and site else ""


def pack_sentences(article: Iterable[Sentence]) -> bytes:
    """Sentences as bytes, a line each."""
    return zlib.compress("\n".join(f"{name} {' '.join(terms)}" for name, terms in article).encode(), 1)


def unpack_sentences(packed: bytes) -> list[Sentence]:
    text = zlib.decompress(packed).decode()
    if text.startswith("{"):  # as counts of terms, until 2026
        return [("", list(Counter(json.loads(text)).elements()))]
    return [
        (name, terms.split(" ") if terms else [])
        for name, _, terms in (line.partition(" ") for line in text.split("\n"))
    ]
