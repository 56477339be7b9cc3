"""Clusters kept as join() would make them from scratch, while articles come one by one: only a region is joined again.

A cluster that is finished took nothing from the others and gave them nothing, so that joining its articles alone repeats
how it came about; and taking it away changes no other. An article that arrives is joined by itself at first. Then whatever
came about otherwise than before is held against every cluster that stands near: would the two have joined before either
had something better to do? Such clusters are taken into the region, which is joined again, until there are none.
"""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol

from pipelines.deduplicate.clusters import MIN_COSINE, Member, Merge, Story, cosine, join

ROUNDING = 1e-9
"""A mean that is summed in another order may differ by as much."""

UNSEEN = 2.0
"""More than any likeness: of a story that was not there before."""

Cluster = frozenset[int]


class Window(Protocol):
    """The articles among which regions are looked for: all weighed by the same frequencies."""

    common: Set[str]

    def members(self, ids: Iterable[int]) -> list[Member]: ...

    def likely(self, ids: Iterable[int]) -> set[int]:
        """Articles that share two candidate terms with one of these, and are within three days of it."""

    def clusters_of(self, ids: Iterable[int]) -> set[Cluster]:
        """The finished clusters of those of these articles that are in one."""


@dataclass(frozen=True, slots=True)
class Node:
    """A story that was there at some time while a cluster came about."""

    story: Story
    busy: float  #: it always had something this likely to wait for; 0 when it was left over

    @property
    def key(self) -> Cluster:
        return ids_of(self.story)


def ids_of(story: Story) -> Cluster:
    return frozenset(member.id for member in story.members)


def grow(window: Window, article_id: int) -> tuple[set[Cluster], list[Story]]:
    """Add an article that is in no cluster: which clusters end, and which stand instead."""
    region: set[Cluster] = set()
    before: dict[Cluster, float] = {}
    while True:
        stories, nodes = history(window, {article_id}.union(*region))
        changed = [node for node in nodes if node.busy < before.get(node.key, UNSEEN)]
        found = _drawn_in(window, changed, {article_id}.union(*region))
        if not found:
            return region, stories
        for node in changed:
            before[node.key] = node.busy
        for cluster in found:
            before.update(
                (node.key, min(node.busy, before.get(node.key, UNSEEN))) for node in history(window, cluster)[1]
            )
        region |= found


def history(window: Window, ids: Iterable[int]) -> tuple[list[Story], list[Node]]:
    """What articles are joined to when they are by themselves, and every story that was there on the way."""
    merges: list[Merge] = []
    members = sorted(window.members(ids), key=attrgetter("order"))
    stories = join(members, window.common, merges)
    return stories, [node for story in stories for node in _nodes(story, merges)]


def _nodes(story: Story, merges: list[Merge]) -> Iterator[Node]:
    """The stories that one was made of, and itself."""
    yield Node(story, 0.0)
    inside = ids_of(story)
    own = [merge for merge in merges if merge.one.members[0].id in inside]
    born = {ids_of(merge.joined): place + 1 for place, merge in enumerate(own)}
    for place, merge in enumerate(own):
        for part in (merge.one, merge.other):
            since = born.get(ids_of(part), 0)
            yield Node(part, min(one.likeness for one in own[since : place + 1]))


def _drawn_in(window: Window, nodes: list[Node], region: Set[int]) -> set[Cluster]:
    """Clusters outside of the region of which some story would have joined one of these."""
    around = {member.id for node in nodes for member in node.story.members}
    clusters = window.clusters_of(window.likely(around) - region)
    return {cluster for cluster in clusters if _meet(window, _near(window, nodes, cluster), cluster)}


def _near(window: Window, nodes: list[Node], cluster: Cluster) -> list[Node]:
    """Those that are alike enough to one article of the cluster: to several they are so at most as much on average."""
    vectors = [member.vector for member in window.members(cluster)]
    found = []
    for node in nodes:
        needed = MIN_COSINE * len(node.story.members) - ROUNDING
        if any(cosine(vector, node.story.sum) >= needed for vector in vectors):
            found.append(node)
    return found


def _meet(window: Window, nodes: list[Node], cluster: Cluster) -> bool:
    if not nodes:
        return False
    others = history(window, cluster)[1]
    return any(
        (likeness := node.story.likeness(other.story)) >= MIN_COSINE
        and likeness >= max(node.busy, other.busy)
        and node.story.may_join(other.story)
        for node in nodes
        for other in others
    )
