"""Extraction is linear: the work of twice the page is twice the work, whatever a stranger piles up in one element."""

from collections.abc import Callable

import pytest

from pipelines.extract.choose.blocks import read_blocks
from pipelines.extract.choose.features import measure
from pipelines.extract.choose.texts import PageContext
from pipelines.extract.prune.pruning import prune
from pipelines.extract.prune.unfolding import unfold
from pipelines.extract.tree import parse
from tests.test_patterns import grows

WRAPPED = "the harbour of the town was closed for a week after the storm, and"
"""As wide as a wrapped text is."""

PROSE = "The harbour stays shut until the last of the ropes is replaced, the council said. "


def pruned(piece: str, number: int) -> None:
    prune(parse(f"<body><h1>The harbour</h1><p>{PROSE}<p>{piece * number}"))


def judged(number: int) -> None:
    """Blocks none of which is a line of the reading that holds them all."""
    paragraphs = [f"{number:06} the ferry goes twice a day {number:06}" for number in range(number)]
    blocks = read_blocks(parse("".join(f"<p>{one}</p>" for one in paragraphs)), "")
    measure(blocks, PageContext(lines=("".join(paragraphs),)), {})


@pytest.mark.parametrize(
    ("work", "number"),
    [
        (lambda number: unfold([WRAPPED] * number), 16_000),
        (judged, 2_000),
        (lambda number: pruned(f"<b>Watch:</b> {PROSE}", number), 400),
        (lambda number: pruned("<ruby>漢<rt>kan</rt></ruby>", number), 1_000),
        (lambda number: pruned("<span>A</span>lpha ", number), 4_000),
        (lambda number: pruned(f"{WRAPPED}<br>", number), 2_500),
        (lambda number: pruned(f'<div hidden class="more"><p>{PROSE}</p></div>', number), 1_500),
    ],
    ids=["wrapped lines", "blocks of a reading", "labels", "one-letter elements", "initials", "breaks", "hidden parts"],
)  # fmt: skip
def test_twice_the_page_is_twice_the_work(work: Callable[[int], object], number: int) -> None:
    assert not grows(lambda text: work(len(text)), "x" * number, "x" * 2 * number)
