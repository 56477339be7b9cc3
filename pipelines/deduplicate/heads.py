"""Whether the heads of two texts tell of the same: news says first who and what it is about (the inverted pyramid).

What two texts share may be a form, or what their site prints under every report; then each tells in its head of somebody,
and of something, that the other never names. The figures in the comments are those of `python -m tests.benchmarks.dedup`
and `python -m tests.benchmarks.furniture`.
"""

import re
from collections.abc import Iterator, Set
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.deduplicate.near_copies import Text

HEAD = 25
"""Words at the beginning of a text that are its head: a headline, or the first sentence of a wire report."""

TOLD = 3
"""Names and figures of a head from which it tells enough to be asked for them."""

TOLD_SHARE = 0.5
"""Share of them that the other text has, of one of the two: of 399 true pairs of a wire all but one have as many, of 1,670 made
ones all but 16, where both copies got another head; of briefs over the same notices one pair in twenty."""

_INSIDE = re.compile(r"(?<=[\w,] )\w+")
"""Words that do not begin a sentence or a line."""

_IN_PROSE = re.compile(r"\b\w++(?= [^\W\d_])")
"""Words that another word follows: a label of a table has a figure behind it."""


def tell_of_others(one: "Text", other: "Text") -> bool:
    """Whether each of two texts tells in its head of what the other never names. Does not depend on which is named first."""
    return (_is_untold(one, other) and _is_untold(other, one)) or bool(
        _subjects(one) - other.bag.keys() and _subjects(other) - one.bag.keys()
    )


def _is_untold(one: "Text", other: "Text") -> bool:
    """Whether most names and figures of one's head are nowhere in the other. What only begins sentences is no name."""
    inside = set(_INSIDE.findall(one.text))
    told = {token.casefold() for token, is_fact in _head(one) if is_fact and (token in inside or token[0].isdigit())}
    return len(told) >= TOLD and len(told & other.bag.keys()) < TOLD_SHARE * len(told)


def _subjects(text: "Text") -> Set[str]:
    """Names that stand in the head and again later: whom a report is about."""
    plain = set(text.tokens)
    head = {token for token, is_fact in _head(text) if is_fact and token.isalpha()}
    names = {token.casefold() for token in head.intersection(_IN_PROSE.findall(text.text))}
    return {name for name in names if text.bag[name] > 1 and name not in plain}


def _head(text: "Text") -> Iterator[tuple[str, bool]]:
    """The words of a head, and whether each may be a name or a figure."""
    return islice(zip(text.tokens, text.facts, strict=True), HEAD * text.unit)
