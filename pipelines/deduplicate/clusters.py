"""Which articles tell the same story: a function of the articles within three days of each other. Not which are copies.

Two articles are alike as far as they use the same rare words (the cosine of their TF-IDF vectors). The most alike join
first, and a joined story is as like another as its articles are on average (UPGMA: Sokal and Michener, 1958), so that a
story is held together by its centre and never chains from article to article. A roundup that holds a brief has too much
else in it to be like it; it joins by the passages they share.
"""

import heapq
import math
import struct
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice
from operator import attrgetter

from crawler.urls import site_of
from pipelines.deduplicate.fingerprints import COMMON
from pipelines.deduplicate.furniture import Sentence, names, own_terms
from pipelines.deduplicate.winnowing import SHARED_PRINTS
from pipelines.text import width

DAYS = 3.0
"""Articles of one story are at most that many days apart (invariant 8)."""

MIN_COSINE = 0.18
"""Average cosine from which stories join. Three sets of known events: F1 .92 .98 .84; at .14 .92 .96 .85, at .22 .86 .99 .78."""

MIN_MEMBER_COSINE = MIN_COSINE / 2
"""Average cosine from which one article of a story is like another story; two of each must be."""

PSEUDO_DOCUMENTS = 30
"""Articles imagined beside those of the window, so that rare words weigh more than `the` also when there are only two."""

PSEUDO_SHARE = {1: 0.6, 2: 0.5, 3: 0.35, 4: 0.15, 5: 0.08, 6: 0.05}
"""Share of the imagined articles that use a word, by its letters: frequent words are short in every language (Zipf 1935)."""

LONG_WORD_PSEUDO_SHARE = 0.02
"""The same of longer words."""

LARGE = 12
"""Articles up to which a story grows by MIN_COSINE."""

SERIAL = 4
"""Articles of one site and day up to which it does: a ticker or a form that is filled all day long has more."""

LARGE_COSINE = 0.25
"""The average cosine from which a larger one does, so that it does not drift, or one with more of a site's day."""

MAX_TERMS = 150
"""Terms of an article that count, those that weigh most. With all of them long articles are too alike: F1 .89 .95 .84."""

CANDIDATE_TERMS = 40
"""Alike articles share two of their heaviest terms, leaving out those that are common()."""

MAX_USERS = 25
"""Articles that may have a term among their heaviest, in a small window, before it is common."""

MAX_USERS_SHARE = 0.02
"""Share of a large window's articles that may."""

MIN_PASSAGES = 0.7
"""Share of the shorter article's prints that must be in the longer to join them by passages alone: a roundup holds a brief
nearly whole, and half of a report may be stock."""

ROUNDUP = 1.5
"""Times a brief's prints that a roundup has: of two texts nearer in length that share so much one is a copy, or both are stock."""

VECTORS_AT_HAND = 8192
"""Vectors kept unpacked, some 20 kB each; packed one has 2.5."""

Vector = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What weighing an article needs."""

    id: int
    url: str
    when: float  #: days, a Julian date
    words: Sequence[Sentence]  #: those of its text; its title is one that is not counted
    prints: frozenset[int]

    @property
    def site(self) -> str:
        return site_of(self.url) or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A weighed article: what joining it needs."""

    id: int
    url: str
    when: float  #: days, a Julian date
    packed: bytes  #: its vector: pack()
    prints: int  #: how many it has

    @property
    def vector(self) -> Vector:
        return unpack(self.packed)

    @property
    def order(self) -> tuple[float, str]:
        """Where it stands among others: settles ties, so that the order of arrival never does."""
        return self.when, self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequencies:
    """How frequent terms are in a window. Vectors can be compared as long as they were weighed by the same."""

    documents: int
    used_by: Mapping[str, int]  #: term -> articles that use it; 1 where it is missing
    common: Set[str] = frozenset()  #: terms that too many articles have among their heaviest to find pairs by


def groups(documents: Iterable[Document], frequencies: Frequencies | None = None) -> list[list[int]]:
    """The stories among these articles, each the ids of two or more, the most central article first.

    Weighed by their own frequencies, unless others are given.
    """
    documents = list(documents)
    used = frequencies or Frequencies(documents=len(documents), used_by=count_users(documents))
    weights = Weights(used)
    members = sorted((weighed(one, weights) for one in documents), key=attrgetter("order"))
    stories = join(members, frequencies.common if frequencies else common(members))
    clusters = [list(story.members) for story in stories]
    add_roundups(clusters, shared_passages(members, {one.id: one.prints for one in documents}))
    return [[one.id for one in by_centrality(cluster)] for cluster in clusters if len(cluster) > 1]


# Likeness


def count_users(documents: Iterable[Document]) -> Counter[str]:
    """Document frequencies: how many documents use each term, and each sentence."""
    return Counter(name for document in documents for name in names(document.words, document.site))


class Weights(dict[str, float]):
    """Inverse document frequencies by term, each made when it is first asked for, and what is furniture by them."""

    def __init__(self, frequencies: Frequencies) -> None:
        super().__init__()
        self._frequencies = frequencies

    def own_terms(self, document: Document) -> Counter[str]:
        return own_terms(document.words, self._frequencies.used_by, document.site)

    def __missing__(self, term: str) -> float:
        number = self._frequencies.used_by.get(term, 1)
        weight = self[term] = _rarity(term, number, self._frequencies.documents)
        return weight


def _rarity(term: str, number: int, documents: int) -> float:
    pseudo = PSEUDO_DOCUMENTS * PSEUDO_SHARE.get(width(term), LONG_WORD_PSEUDO_SHARE)
    return max(0.0, math.log((documents + PSEUDO_DOCUMENTS) / (number + pseudo)))


def weighed(document: Document, weights: Weights) -> Member:
    """A document with its TF-IDF vector of length 1, only its heaviest terms, the heaviest first."""
    vector = {term: (1 + math.log(count)) * weights[term] for term, count in weights.own_terms(document).items()}
    heaviest = [term for _, term in sorted((-weight, term) for term, weight in vector.items())[:MAX_TERMS]]
    length = math.sqrt(sum(vector[term] ** 2 for term in heaviest)) or 1.0
    packed = pack({term: vector[term] / length for term in heaviest})
    return Member(id=document.id, url=document.url, when=document.when, packed=packed, prints=len(document.prints))


def pack(vector: Vector) -> bytes:
    """A vector as bytes: how many terms, their weights, the terms in lines."""
    return struct.pack(f"<H{len(vector)}d", len(vector), *vector.values()) + "\n".join(vector).encode()


@lru_cache(maxsize=VECTORS_AT_HAND)
def unpack(packed: bytes) -> Vector:
    (number,) = struct.unpack_from("<H", packed)
    if not number:
        return {}
    weights = struct.unpack_from(f"<{number}d", packed, 2)
    return dict(zip(packed[2 + 8 * number :].decode().split("\n"), weights, strict=True))


def candidate_terms(vector: Vector) -> list[str]:
    """The heaviest terms of an article, by which others like it are found."""
    return list(islice(vector, CANDIDATE_TERMS))


def max_users(documents: int) -> int:
    """How many articles of a window may have a term among their heaviest, before it is common."""
    return max(MAX_USERS, int(MAX_USERS_SHARE * documents))


def common(members: Sequence[Member]) -> set[str]:
    """Terms that too many articles have among their heaviest to find pairs by."""
    users = Counter(term for member in members for term in candidate_terms(member.vector))
    return {term for term, number in users.items() if number > max_users(len(members))}


def cosine(one: Vector, other: Vector) -> float:
    """The sum of products; of vectors of length 1 it is their cosine."""
    shorter, longer = (one, other) if len(one) < len(other) else (other, one)
    return sum(weight * longer[term] for term, weight in shorter.items() if term in longer)


def likely_pairs(members: Sequence[Member], common: Set[str]) -> Iterator[tuple[int, int]]:
    """Places of articles that share two of their heaviest rare terms and are near in time."""
    users: dict[str, list[int]] = defaultdict(list)
    for place, member in enumerate(members):
        for term in candidate_terms(member.vector):
            if term not in common:
                users[term].append(place)
    by_place: dict[int, list[list[int]]] = defaultdict(list)
    for places in users.values():
        if len(places) > 1:
            for place in places:
                by_place[place].append(places)
    for place, member in enumerate(members):
        shared = Counter(other for places in by_place.get(place, ()) for other in places if other < place)
        yield from (
            (other, place)
            for other, number in sorted(shared.items())
            if number > 1 and member.when - members[other].when <= DAYS
        )


# Joining


@dataclass(frozen=True, slots=True)
class Story:
    """Articles in their order, and the sum of their vectors, which is not to be changed."""

    members: tuple[Member, ...]
    total: Vector | None = None

    @property
    def sum(self) -> Vector:
        return self.members[0].vector if self.total is None else self.total

    def likeness(self, other: "Story") -> float:
        """The average cosine of the pairs between two stories."""
        return cosine(self.sum, other.sum) / (len(self.members) * len(other.members))

    def may_join(self, other: "Story") -> bool:
        """Whether two stories that are alike enough may be one."""
        return _within(self, other) and _is_held_together(self, other) and _two_agree(self, other)

    def joined(self, other: "Story") -> "Story":
        smaller, larger = sorted((self.sum, other.sum), key=len)
        total = dict(larger)
        for term, weight in smaller.items():
            total[term] = total.get(term, 0.0) + weight
        return Story(tuple(sorted(self.members + other.members, key=attrgetter("order"))), total)


@dataclass(frozen=True, slots=True)
class Merge:
    """Two stories that became one, and how alike they were."""

    likeness: float
    one: Story
    other: Story
    joined: Story


def join(members: Sequence[Member], common: Set[str], merges: list[Merge] | None = None) -> list[Story]:
    """Average linkage: the two most alike stories join, again and again, while they are alike and within three days.

    `members` are in their order. What was merged is noted in `merges`.
    """
    stories = {place: Story((member,)) for place, member in enumerate(members)}
    places = {place: [place] for place in stories}
    home = list(stories)
    neighbours = [array("I") for _ in members]
    waiting: list[tuple[float, int, int]] = []

    def link(one: int, other: int) -> None:
        likeness = stories[one].likeness(stories[other])
        if likeness >= MIN_COSINE:
            heapq.heappush(waiting, (-likeness, one, other))

    for one, other in likely_pairs(members, common):
        neighbours[one].append(other)
        neighbours[other].append(one)
        link(one, other)
    number = len(members)
    while waiting:
        likeness, one, other = heapq.heappop(waiting)
        if one not in stories or other not in stories or not stories[one].may_join(stories[other]):
            continue
        first, second = stories.pop(one), stories.pop(other)
        stories[number] = first.joined(second)
        if merges is not None:
            merges.append(Merge(-likeness, first, second, stories[number]))
        places[number] = places.pop(one) + places.pop(other)
        for place in places[number]:
            home[place] = number
        around = {home[near] for place in places[number] for near in neighbours[place]} - {number}
        for near in sorted(around):
            link(near, number)
        number += 1
    return list(stories.values())


def _within(one: Story, other: Story) -> bool:
    times = [member.when for member in one.members + other.members]
    return max(times) - min(times) <= DAYS


def _is_held_together(one: Story, other: Story) -> bool:
    number = len(one.members) + len(other.members)
    if number <= LARGE and (number <= SERIAL or _most_of_a_day(one.members + other.members) <= SERIAL):
        return True
    return one.likeness(other) >= LARGE_COSINE


def _most_of_a_day(members: Iterable[Member]) -> int:
    """How many of these articles at most one site had on one day."""
    return max(
        Counter((site_of(member.url) or member.url, math.floor(member.when + 0.5)) for member in members).values()
    )


def _two_agree(one: Story, other: Story) -> bool:
    """Whether of each story two articles are like the other story: a roundup alone does not join its briefs."""
    for story, target in ((one, other), (other, one)):
        needed = MIN_MEMBER_COSINE * len(target.members)
        agree = sum(1 for member in story.members if cosine(member.vector, target.sum) >= needed)
        if agree < min(2, len(story.members)):
            return False
    return True


Passages = tuple[float, Member, Member]
"""Of the shorter article's prints the share that the longer has, and the two in their order."""


def add_roundups(clusters: list[list[Member]], passages: Iterable[Passages]) -> None:
    """Let a roundup that is alone join a brief that it holds: the one of which it has most, and no other."""
    home = {member.id: cluster for cluster in clusters for member in cluster}
    taken: set[int] = set()
    for _, one, other in sorted(passages, key=lambda link: (-link[0], link[1].order, link[2].order)):
        brief, roundup = sorted((one, other), key=lambda member: (member.prints, member.order))
        cluster = home[brief.id]
        is_longer = roundup.prints >= ROUNDUP * brief.prints
        if not is_longer or len(home[roundup.id]) > 1 or taken & {brief.id, roundup.id}:
            continue
        if max(abs(roundup.when - member.when) for member in cluster) <= DAYS:
            home[roundup.id].clear()
            cluster.append(roundup)
            home[roundup.id] = cluster
            taken |= {brief.id, roundup.id}


def shared_passages(members: Sequence[Member], prints: Mapping[int, Iterable[int]]) -> Iterator[Passages]:
    """Pairs of articles of which the shorter shares half of its prints, leaving out those that are common."""
    holders: dict[int, list[Member]] = defaultdict(list)
    for member in members:
        for print_ in prints[member.id]:
            holders[print_].append(member)
    pairs = Counter(
        (one.id, other.id)
        for found in holders.values()
        if len(found) <= COMMON
        for one, other in combinations(found, 2)
    )
    by_id = {member.id: member for member in members}
    for (one, other), number in pairs.items():
        share = number / min(by_id[one].prints, by_id[other].prints)
        if number >= SHARED_PRINTS and share >= MIN_PASSAGES:
            yield share, by_id[one], by_id[other]


def by_centrality(cluster: Sequence[Member]) -> list[Member]:
    """The articles of a story, the one most like all others first."""
    total: Vector = defaultdict(float)
    for member in cluster:
        for term, weight in member.vector.items():
            total[term] += weight
    return sorted(cluster, key=lambda member: (-cosine(member.vector, total), member.order))
