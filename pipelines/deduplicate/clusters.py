"""Which articles tell the same story: a function of the articles within three days of each other. Not which are copies.

Two articles are alike as far as they use the same rare words (the cosine of their TF-IDF vectors). The most alike join
first, and a joined story is as like another as its articles are on average (UPGMA: Sokal and Michener, 1958), so that a
story is held together by its centre and never chains from article to article. A roundup that holds a brief has too much
else in it to be like it; it joins by the passages they share.
"""

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise

from pipelines.deduplicate.fingerprints import COMMON, SHARED_PRINTS
from pipelines.deduplicate.near_copies import Text
from pipelines.text import width

DAYS = 3.0
"""Articles of one story are at most that many days apart (invariant 8)."""

ALIKE = 0.18
"""Average cosine from which stories join. Three sets of known events: F1 .92 .98 .84; at .14 .92 .96 .85, at .22 .86 .99 .78."""

MEMBERS_ALIKE = ALIKE / 2
"""Average cosine from which one article of a story is like another story; two of each must be."""

STEM = 7
"""Letters of a word that count: enough for inflected languages, and a little better than whole words in English."""

IMAGINED = 30
"""Articles imagined beside those of the window, so that rare words weigh more than `the` also when there are only two."""

IMAGINED_SHARE = {1: 0.6, 2: 0.5, 3: 0.35, 4: 0.15, 5: 0.08, 6: 0.05}
LONG_WORD_SHARE = 0.02
"""Share of the imagined articles that use a word, by its letters: frequent words are short in every language (Zipf 1935)."""

SHORT_FIGURE = 3
"""Digits. Groups of thousands and scores join reports of earnings: the largest story of a wire has 28 articles, 38 with them."""

HEAVIEST = 150
"""Terms of an article that count, those that weigh most. With all of them long articles are too alike: F1 .89 .95 .84."""

SOUGHT = 40
SOUGHT_IN = (25, 0.02)
"""Alike articles share two of their 40 heaviest terms, leaving out those in over 25 articles and over 2 % of the window."""

PASSAGES = 0.5
"""Share of the shorter article's prints that must be in the longer to join them by passages alone."""

Vector = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the grouping needs of an article."""

    id: int
    url: str
    when: float  #: days, a Julian date
    words: Counter[str]  #: terms() of title and text
    prints: frozenset[int]


def groups(reports: Iterable[Report]) -> list[list[Report]]:
    """The stories among these articles, each of two or more, the most central article first."""
    ordered = sorted(reports, key=lambda report: (report.when, report.url))
    vectors = weigh([report.words for report in ordered])
    clusters = join(vectors, [report.when for report in ordered])
    add_roundups(clusters, [report.prints for report in ordered], [report.when for report in ordered])
    return [[ordered[place] for place in by_centrality(cluster, vectors)] for cluster in clusters if len(cluster) > 1]


# Likeness


def terms(text: Text) -> Counter[str]:
    """How often a text uses each term: the beginnings of its words; in scripts without spaces, pairs of characters."""
    words = [word for word in text.words if len(word) > SHORT_FIGURE or not word.isdigit()]
    counted = Counter(word[:STEM] for word in words if len(word) > 1)
    if text.unit > 1:
        counted.update(one + other for one, other in pairwise(words) if len(one) == len(other) == 1)
    return counted


def weigh(documents: list[Counter[str]]) -> list[Vector]:
    """TF-IDF vectors of length 1, only their heaviest terms."""
    used_by = Counter(term for document in documents for term in document)
    weights = {term: _rarity(term, number, len(documents)) for term, number in used_by.items()}
    return [_vector(document, weights) for document in documents]


def _rarity(term: str, number: int, documents: int) -> float:
    imagined = IMAGINED * IMAGINED_SHARE.get(width(term), LONG_WORD_SHARE)
    return max(0.0, math.log((documents + IMAGINED) / (number + imagined)))


def _vector(document: Counter[str], weights: Mapping[str, float]) -> Vector:
    vector = {term: (1 + math.log(count)) * weights[term] for term, count in document.items()}
    heaviest = heapq.nsmallest(HEAVIEST, vector, key=lambda term: (-vector[term], term))
    length = math.sqrt(sum(vector[term] ** 2 for term in heaviest)) or 1.0
    return {term: vector[term] / length for term in heaviest}


def cosine(one: Vector, other: Vector) -> float:
    """The sum of products; of vectors of length 1 it is their cosine."""
    shorter, longer = (one, other) if len(one) < len(other) else (other, one)
    return sum(weight * longer[term] for term, weight in shorter.items() if term in longer)


def likely_pairs(vectors: list[Vector], times: list[float]) -> Iterator[tuple[int, int]]:
    """Places of articles that share two of their heaviest rare terms and are near in time."""
    most = max(SOUGHT_IN[0], int(SOUGHT_IN[1] * len(vectors)))
    users: dict[str, list[int]] = defaultdict(list)
    for place, vector in enumerate(vectors):
        for term in list(vector)[:SOUGHT]:
            users[term].append(place)
    by_place: dict[int, list[list[int]]] = defaultdict(list)
    for places in users.values():
        if 1 < len(places) <= most:
            for place in places:
                by_place[place].append(places)
    for place in range(len(vectors)):
        shared = Counter(other for places in by_place.get(place, ()) for other in places if other < place)
        yield from (
            (other, place)
            for other, number in sorted(shared.items())
            if number > 1 and times[place] - times[other] <= DAYS
        )


# Joining


def join(vectors: list[Vector], times: list[float]) -> list[list[int]]:
    """Average linkage: the two most alike stories join, again and again, while they are alike and within three days."""
    stories = {place: _Story([place], dict(vector)) for place, vector in enumerate(vectors)}
    neighbours: dict[int, set[int]] = defaultdict(set)
    waiting: list[tuple[float, int, int]] = []

    def link(one: int, other: int) -> None:
        likeness = stories[one].likeness(stories[other])
        if likeness >= ALIKE:
            heapq.heappush(waiting, (-likeness, one, other))

    for one, other in likely_pairs(vectors, times):
        neighbours[one].add(other)
        neighbours[other].add(one)
        link(one, other)
    number = len(vectors)
    while waiting:
        _, one, other = heapq.heappop(waiting)
        if one not in stories or other not in stories:
            continue
        if not _within(stories[one], stories[other], times) or not _two_agree(stories[one], stories[other], vectors):
            continue
        stories[number] = stories.pop(one).joined(stories.pop(other))
        around = {near for near in neighbours.pop(one) | neighbours.pop(other) if near in stories}
        neighbours[number] = around
        for near in sorted(around):
            neighbours[near].add(number)
            link(near, number)
        number += 1
    return [story.places for story in stories.values()]


@dataclass(frozen=True, slots=True)
class _Story:
    """Articles by their places, and the sum of their vectors."""

    places: list[int]
    total: Vector

    def likeness(self, other: "_Story") -> float:
        """The average cosine of the pairs between two stories."""
        return cosine(self.total, other.total) / (len(self.places) * len(other.places))

    def joined(self, other: "_Story") -> "_Story":
        smaller, larger = sorted((self, other), key=lambda story: len(story.total))
        for term, weight in smaller.total.items():
            larger.total[term] = larger.total.get(term, 0.0) + weight
        return _Story(sorted(self.places + other.places), larger.total)


def _within(one: _Story, other: _Story, times: list[float]) -> bool:
    places = (*one.places, *other.places)
    return max(times[place] for place in places) - min(times[place] for place in places) <= DAYS


def _two_agree(one: _Story, other: _Story, vectors: list[Vector]) -> bool:
    """Whether of each story two articles are like the other story: a roundup alone does not join its briefs."""
    for story, target in ((one, other), (other, one)):
        needed = MEMBERS_ALIKE * len(target.places)
        agree = sum(1 for place in story.places if cosine(vectors[place], target.total) >= needed)
        if agree < min(2, len(story.places)):
            return False
    return True


def add_roundups(clusters: list[list[int]], prints: list[frozenset[int]], times: list[float]) -> None:
    """Let a roundup that is alone join a brief that it holds: the one of which it has most, and no other."""
    home = {place: cluster for cluster in clusters for place in cluster}
    joined: set[int] = set()
    for share, one, other in sorted(shared_passages(prints), key=lambda link: (-link[0], link[1:])):
        brief, roundup = sorted((one, other), key=lambda place: (len(prints[place]), place))
        cluster = home[brief]
        if share < PASSAGES or len(home[roundup]) > 1 or joined & {brief, roundup}:
            continue
        if max(abs(times[roundup] - times[place]) for place in cluster) <= DAYS:
            home[roundup].clear()
            cluster.append(roundup)
            home[roundup] = cluster
            joined |= {brief, roundup}


def shared_passages(prints: list[frozenset[int]]) -> Iterator[tuple[float, int, int]]:
    """Pairs of places that share prints which are not common, with the share of the shorter's prints."""
    holders: dict[int, list[int]] = defaultdict(list)
    for place, own in enumerate(prints):
        for print_ in own:
            holders[print_].append(place)
    pairs = Counter(pair for places in holders.values() if len(places) <= COMMON for pair in combinations(places, 2))
    for (one, other), number in pairs.items():
        if number >= SHARED_PRINTS:
            yield number / min(len(prints[one]), len(prints[other])), one, other


def by_centrality(cluster: list[int], vectors: list[Vector]) -> list[int]:
    """The places of a story, the one most like all others first."""
    total: Vector = defaultdict(float)
    for place in cluster:
        for term, weight in vectors[place].items():
            total[term] += weight
    return sorted(cluster, key=lambda place: (-cosine(vectors[place], total), place))
