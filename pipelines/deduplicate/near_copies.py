"""Whether one of two texts is a near copy of the other: a function of the texts alone.

The two are laid side by side, and is_copy() judges what they share, what stands in the gaps, and whether names and
figures agree. The figures in the comments are those of `python -m tests.benchmarks.dedup`.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise

from pipelines.deduplicate.heads import HEAD, tell_of_others
from pipelines.deduplicate.winnowing import SHARED_PRINTS, fingerprints
from pipelines.text import cjk_letters, tokens, words_of


def containment(one: str, other: str) -> float:
    """Share, 0 to 1, of the shorter text's three-word sequences that the longer one holds."""
    shorter, longer = sorted((_trigrams(one), _trigrams(other)), key=lambda trigrams: trigrams.total())
    return (shorter & longer).total() / shorter.total() if shorter else 0.0


def is_beginning(part: str, whole: str) -> bool:
    """Whether a text is what a paywall shows of another one: much shorter, and in it but for a notice."""
    words, of_whole = len(tokens(part)), len(tokens(whole))
    return words * TEASER <= of_whole and (words < NOTICE or containment(part, whole) >= SHARE)


TEASER = 1.3
"""Times the words of a teaser that its article has; captions and credits alone make up to a fifth."""

NOTICE = 60
"""Words under which a page that should have an article has a notice in its place, whatever it says."""


def _trigrams(text: str) -> Counter[tuple[str, ...]]:
    words = tokens(text)
    return Counter(tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2))) if words else Counter()


SEED = 3
"""Words that must agree in a row to count as shared; characters are counted double, as in GRAM."""

REPEATS = 16
"""Places of a repeated span that are tried; a page of one phrase a thousand times would cost a second otherwise."""

PASSAGE = 5
"""Words from which a shared span says that one text was taken from the other; shorter ones any two reports share."""

SHARE = 0.5
"""Of the shorter text, that much is in the longer one (invariant 6)."""

LONGER = 2
"""Times the shorter's words that the longer may have, unless the shorter is its beginning (invariant 6)."""

BEGINNING = 1.25
"""Times its words, counted from the longer text's start, in which half of a beginning is found."""

HEADER = 30
"""Words of the longer text within which a beginning starts (another header). Without it a roundup that holds a brief of 66
words as its third item is its copy."""

LONG_PASSAGE = 18
"""Words in a row of which a copy has one span. Templates have blanks in between: without this 11 false pairs among 8,120
wire reports, not one. 20 finds one true pair less."""

LONG_SHARE = 0.3
"""Share of a short copy that does for LONG_PASSAGE."""

FACTS = 3
"""Names and figures that differ, from which two texts may be one template filled twice."""

FACTS_SHARE = 0.7
"""They are when the share of names and figures that agree is under .7 of the same share of all other words. Without: 7 false
pairs, not 3; .6 and .8 are as good."""

FIGURES_AGREE = 0.9
"""Share of a copy's figures that are in the other, give or take FIGURES_DEVIATION. Without: 20 false pairs, not 6."""

FIGURES_CERTAIN = 0.97
"""Share of agreeing figures that is never asked for more than: a standard deviation of nothing forgives nothing."""

FIGURES_DEVIATION = -2.0
"""Standard deviations by which fewer figures may agree, by chance."""

MAX_GAP_WORDS = 8
"""Words between two spans up to which they are a gap: a text rewritten word by word has many small ones."""

BRIDGED_GAP_WORDS = 4
"""Words of a gap up to which they are counted as shared."""

MIN_GAPS = 10
"""Gaps from which a text is reworded; with fewer it may be a filled template: 19 false pairs with 6."""

MAX_FACT_GAPS_SHARE = 0.6
"""Share of a reworded text's gaps under which names or figures differ."""


OWN_PASSAGE = 15
"""Words in a row that the other has not, from which they are a passage of a text's own."""

OWN_SHARE = 0.25
"""Share of a text in passages of its own, from which it is another report when its head is its own too: less than half of it
stands in the other in passages. A head that was rewritten is a sixth of its report. With .15 ten true pairs of 2,069 go, with
.25 five."""

WHOLE_PASSAGE = 20
"""Words that the shared passages have on average where stock was shared: a text rewritten word by word has many of ten."""


@dataclass(frozen=True)
class Text:
    """A text as words, with what comparing it needs."""

    text: str

    @cached_property
    def tokens(self) -> list[str]:
        return words_of(self.text)

    @cached_property
    def words(self) -> list[str]:
        return [token.casefold() for token in self.tokens]

    @cached_property
    def unit(self) -> int:
        """How many words count as one: 2 where most words are single characters of a script without spaces."""
        return 2 if 2 * cjk_letters(self.text) > len(self.tokens) else 1

    @cached_property
    def prints(self) -> frozenset[int]:
        return fingerprints(self.words, self.unit)

    @cached_property
    def facts(self) -> list[bool]:
        """Per word, whether it is a name or a figure: it has a digit or begins with a capital."""
        return [token[0].isupper() or _has_digit(token) for token in self.tokens]

    @cached_property
    def figures(self) -> Counter[str]:
        return Counter(word for word in self.words if _has_digit(word))

    @cached_property
    def bag(self) -> Counter[str]:
        return Counter(self.words)


@dataclass(frozen=True, slots=True)
class SharedSpan:
    """Words in a row that two texts share: those from `start` to `end` of one, from `there` on of the other."""

    start: int
    end: int
    there: int


def is_copy(one: Text, other: Text) -> bool:
    """Whether one of two texts is a near copy of the other. Does not depend on which is named first."""
    shorter, longer = sorted((one, other), key=lambda text: (len(text.words), text.words))
    if one.unit != other.unit or len(one.prints & other.prints) < SHARED_PRINTS:
        return False
    if len(longer.words) > LONGER * len(shorter.words) and not _is_beginning(shorter, longer):
        return False
    spans = align(shorter.words, longer.words, SEED * shorter.unit)
    if not _has_passages(shorter, longer, spans) and not _is_reworded(shorter, longer, spans):
        return False
    return not tell_of_others(shorter, longer)


def similarity(one: Text, other: Text) -> float:
    """Share, 0 to 1, of the shorter text's words that stand in the longer in spans of three or more."""
    shorter, longer = sorted((one, other), key=lambda text: (len(text.words), text.words))
    if not shorter.words:
        return 0.0
    return round(_length(align(shorter.words, longer.words, SEED * shorter.unit)) / len(shorter.words), 3)


def align(words: list[str], others: list[str], seed: int) -> list[SharedSpan]:
    """The spans of at least `seed` words of one text that stand in the other too, in the order of the first.

    Where a span has several places in the other, the one nearest to where the last span would go on.
    """
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, gram in enumerate(_grams(others, seed)):
        if len(places[gram]) < REPEATS:
            places[gram].append(place)
    spans: list[SharedSpan] = []
    for start, gram in enumerate(_grams(words, seed)):
        found = places.get(gram)
        if not found:
            continue
        expected = start - spans[-1].start + spans[-1].there if spans else start
        if spans and start <= spans[-1].end and expected in found:
            spans[-1] = SharedSpan(spans[-1].start, start + seed, spans[-1].there)
        else:
            spans.append(SharedSpan(start, start + seed, min(found, key=lambda place: abs(place - expected))))
    return spans


def _has_passages(shorter: Text, longer: Text, spans: list[SharedSpan]) -> bool:
    """Half of the shorter is in the longer in passages, and they agree in names and figures."""
    unit, size = shorter.unit, len(shorter.words)
    passages = [span for span in spans if span.end - span.start >= PASSAGE * unit]
    longest = max((span.end - span.start for span in passages), default=0)
    return (
        _length(passages) >= SHARE * size
        and longest >= min(LONG_PASSAGE * unit, LONG_SHARE * size)
        and _figures_agree(shorter, longer, FIGURES_AGREE)
        and not _is_template(shorter, spans)
        and not _share_stock(shorter, longer, passages)
    )


def _is_reworded(shorter: Text, longer: Text, spans: list[SharedSpan]) -> bool:
    """Half of the shorter is in the longer when gaps of a few words are bridged, and the gaps hold any words."""
    gaps = list(_gaps(spans))
    bridged = sum(gap.size for gap in gaps if max(gap.size, gap.size_there) <= BRIDGED_GAP_WORDS)
    named = sum(1 for gap in gaps if _other_facts(shorter, longer, gap))
    return (
        len(gaps) >= MIN_GAPS
        and _length(spans) + bridged >= SHARE * len(shorter.words)
        and named < MAX_FACT_GAPS_SHARE * len(gaps)
        and _figures_agree(shorter, longer, 0.0)
    )


def _is_beginning(shorter: Text, longer: Text) -> bool:
    head = longer.words[: int(BEGINNING * len(shorter.words)) + HEADER * shorter.unit]
    spans = align(shorter.words, head, SEED * shorter.unit)
    if not spans or spans[0].there - spans[0].start > HEADER * shorter.unit:
        return False
    return _length(spans) >= SHARE * len(shorter.words)


def _share_stock(shorter: Text, longer: Text, passages: list[SharedSpan]) -> bool:
    """Two reports, each with a head and much else of its own, that share whole paragraphs: their site's furniture."""
    if _length(passages) < WHOLE_PASSAGE * shorter.unit * len(passages):
        return False
    there = [SharedSpan(span.there, span.there + span.end - span.start, span.start) for span in passages]
    return _is_own_report(shorter, passages) and _is_own_report(longer, there)


def _is_own_report(text: Text, passages: list[SharedSpan]) -> bool:
    shared = _covered(len(text.words), passages)
    head = shared[: HEAD * text.unit]
    if 2 * sum(head) >= len(head):
        return False
    runs = (sum(1 for _ in run) for is_shared, run in groupby(shared) if not is_shared)
    return sum(run for run in runs if run >= OWN_PASSAGE * text.unit) >= OWN_SHARE * len(shared)


def _covered(size: int, spans: list[SharedSpan]) -> list[bool]:
    """Per word whether it is in some span."""
    covered = [False] * size
    for span in spans:
        covered[span.start : span.end] = [True] * (span.end - span.start)
    return covered


def _is_template(shorter: Text, spans: list[SharedSpan]) -> bool:
    """The shared words are any words, and what differs is names and figures: another day's weather, another match."""
    covered = _covered(len(shorter.words), spans)
    facts, words = sum(shorter.facts), len(shorter.words) - sum(shorter.facts)
    facts_agree = sum(1 for is_fact, shared in zip(shorter.facts, covered, strict=True) if is_fact and shared)
    words_agree = sum(covered) - facts_agree
    if facts - facts_agree < FACTS or not words_agree:
        return False
    return facts_agree / facts < FACTS_SHARE * words_agree / words


def _figures_agree(shorter: Text, longer: Text, least: float) -> bool:
    """Whether as many figures agree as words do, or as the share `least`, give or take what chance explains."""
    number = min(shorter.figures.total(), longer.figures.total())
    if not number:
        return True
    words_agree = (shorter.bag & longer.bag).total() / len(shorter.words)
    share = min(max(words_agree, least), FIGURES_CERTAIN)
    agree = (shorter.figures & longer.figures).total()
    return (agree - number * share) / math.sqrt(number * share * (1 - share)) >= FIGURES_DEVIATION


@dataclass(frozen=True, slots=True)
class Gap:
    """What stands between two spans, in one text from `start` to `end`, in the other from `there` to `there_end`."""

    start: int
    end: int
    there: int
    there_end: int

    @property
    def size(self) -> int:
        return self.end - self.start

    @property
    def size_there(self) -> int:
        return self.there_end - self.there


def _gaps(spans: list[SharedSpan]) -> Iterator[Gap]:
    """The short gaps between spans that follow each other in both texts."""
    for span, following in pairwise(spans):
        gap = Gap(span.end, following.start, span.there + span.end - span.start, following.there)
        if gap.size >= 0 and gap.size_there >= 0 and 0 < max(gap.size, gap.size_there) <= MAX_GAP_WORDS:
            yield gap


def _other_facts(shorter: Text, longer: Text, gap: Gap) -> bool:
    """Whether both texts have names or figures in the gap, and other ones."""
    here = {shorter.words[place] for place in range(gap.start, gap.end) if shorter.facts[place]}
    there = {longer.words[place] for place in range(gap.there, gap.there_end) if longer.facts[place]}
    return bool(here and there and here != there)


def _length(spans: list[SharedSpan]) -> int:
    """Words of the first text that are in some span; spans may overlap."""
    length = done = 0
    for span in spans:
        length += max(0, span.end - max(span.start, done))
        done = max(done, span.end)
    return length


def _grams(words: list[str], length: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[offset:] for offset in range(length)), strict=False)


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)
