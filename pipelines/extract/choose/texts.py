"""What a text block says, in numbers: its letters and signs, the phrases it holds, and what the rest of the page says of it."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipelines.extract.boilerplate import (
    MENU,
    is_byline_opening,
    is_control,
    is_credit,
    is_date_line,
    is_label,
    is_promotion,
    is_teaser_link,
)
from pipelines.extract.choose.blocks import TAGS, Block
from pipelines.extract.phrases import Openings
from pipelines.text import PROSE_LENGTH, line_key, width

Columns = dict[str, NDArray[np.float64]]
"""The name of a feature -> its value for each block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """What is known of a page before its blocks are judged."""

    lines: Sequence[str] = ()  #: a first reading's
    titles: Sequence[str] = ()
    body: str = ""  #: what JSON-LD gives as the article's text, "" without


# ------------------------------------------------------------------------------------------------------ a block's own
ENDS = frozenset(".!?…。！？।؟։።")


CLOSERS = "'\"”’»«“)] \n"


SENTENCES = re.compile(r"[.!?…।؟։።](?=\s|$|[\"”»])|[。！？]")


UPPER, COMMA = re.compile(r"[A-ZÀ-ÞΑ-ΩА-Я]"), re.compile("[,،、，]")


TEXT_NAMES = ("chars", "width", "words", "commas", "sentences", "closed", "upper", "verse")


def numbers(values: Iterable[float]) -> NDArray[np.float64]:
    """A column of these."""
    return np.fromiter(values, dtype=np.float64)


def text_columns(blocks: Sequence[Block]) -> Columns:
    """What a block's text and its links are."""
    rows = np.array([_measured(block.text) for block in blocks], dtype=np.float64).reshape(len(blocks), len(TEXT_NAMES))
    found = dict(zip(TEXT_NAMES, rows.T, strict=True))
    chars, words = found["chars"], found["words"]
    found["link"] = np.minimum(1, numbers([block.linked for block in blocks]) / chars)
    found["internal"] = np.minimum(1, numbers([block.internal for block in blocks]) / chars)
    found["bold"] = np.minimum(1, numbers([block.bold for block in blocks]) / chars)
    found["links"] = numbers([block.links for block in blocks])
    for name, per in (("upper", chars), ("commas", words)):
        found[name] = found[name] / per
    long = (found["width"] >= PROSE_LENGTH) & ((found["closed"] > 0) | (found["width"] >= 3 * PROSE_LENGTH))
    found["prose"] = (long & (found["link"] < 0.5)).astype(np.float64)
    found["log_chars"] = np.log1p(chars)
    return found


@lru_cache(maxsize=512)
def _measured(text: str) -> tuple[float, ...]:
    """The figures of TEXT_NAMES."""
    return (
        len(text),
        width(text),
        text.count(" ") + 1,
        len(COMMA.findall(text)),
        len(SENTENCES.findall(text)),
        text.rstrip(CLOSERS)[-1:] in ENDS or text[-1] in ":;",
        len(UPPER.findall(text)),
        text.count("\n"),
    )


# ------------------------------------------------------------------------------------------------------------ phrases
def phrase_columns(blocks: Sequence[Block], numbers: Iterable[int]) -> Columns:
    """What the tests of boilerplate say of the blocks of these numbers. The trees gain nothing by them: only what they choose is asked."""
    found = {name: np.zeros(len(blocks)) for name in (*OPENING_TESTS, *OTHER_TESTS)}
    for number in numbers:
        text = blocks[number].text
        if len(text) < MAX_PHRASE:
            tests = ALL_TESTS if not text[0].isalnum() or OPENING.match(text) else OTHER_TESTS
            for name, test in tests.items():
                if test(text):
                    found[name][number] = 1
    return found


Tests = Mapping[str, Callable[[str], bool]]


OPENING_TESTS: Tests = {
    "label": is_label,
    "control": is_control,
    "teaser": is_teaser_link,
    "credit": is_credit,
    "byline": lambda text: len(text) < 160 and is_byline_opening(text),
}


OPENING = Openings("labels", "controls", "reading_times", "credits", "bylines")
"""The beginnings that OPENING_TESTS ask for: most lines have none of them, and need one look instead of five."""


OTHER_TESTS: Tests = {
    "promotion": is_promotion,
    "menu": lambda text: "|" in text and MENU.fullmatch(text) is not None,
    "date": lambda text: len(text) < 140 and any(map(str.isdigit, text)) and is_date_line(text),
}


ALL_TESTS: Tests = {**OPENING_TESTS, **OTHER_TESTS}


MAX_PHRASE = 320
"""Characters of a block that is asked for phrases: the longest promotion seen has 290."""


# ------------------------------------------------------------------------------------------------- what others say of it
def context_columns(blocks: Sequence[Block], texts: Columns, places: Columns, context: PageContext) -> Columns:
    """Whether a first reading kept a block, whether JSON-LD or the title hold it."""
    count = len(blocks)
    keys = [line_key(block.text) for block in blocks]
    found: Columns = {}
    read = [line_key(line) for line in context.lines]
    whole, lines = "".join(read), set(read)
    body = "".join(context.body.split())
    found["read"] = np.array(_held(keys, whole, lines)).reshape(count)
    found["in_body"] = np.array(_held(keys, body, ())).reshape(count) if body else np.full(count, -1.0)
    titles = {_letters(title) for title in context.titles} - {""}
    longest = 2 * max(map(len, context.titles), default=0)
    found["title"] = np.array(
        [
            len(line := text.partition("\n")[0]) <= longest and _is_title(_letters(line), titles)
            for text in (block.text for block in blocks)
        ],
        dtype=np.float64,
    ).reshape(count)

    # how far below the title
    tags = places["tag"]
    title_at = next(
        (
            int(number)
            for wanted in (tags == TAGS["h1"], texts["link"] < 0.5)
            for number in np.flatnonzero((found["title"] > 0) & wanted)[:1]
        ),
        -1,
    )
    before = np.concatenate(([0.0], np.cumsum(texts["chars"])))
    distance = before[:-1] - before[title_at] if title_at >= 0 else np.zeros(count)
    found["chars_below_title"] = np.copysign(np.log1p(np.abs(distance)), distance)
    found["below_title"] = np.arange(float(count)) - title_at if title_at >= 0 else np.full(count, -99.0)

    found["read_chars"] = np.full(count, np.log1p(float((texts["chars"] * found["read"]).sum())))
    usual = _usual_words(blocks, texts["prose"])
    found["usual"] = np.array([_share_of(block.text, usual) for block in blocks]).reshape(count)
    return found


def _usual_words(blocks: Sequence[Block], prose: NDArray[np.float64]) -> frozenset[str]:
    """Words that stand in a quarter of a page's paragraphs: those of its language's grammar."""
    paragraphs = [blocks[number].text for number in np.flatnonzero(prose)[:40]]
    times = Counter(word for text in paragraphs for word in set(text.lower().split()))
    least = max(2, 0.25 * len(paragraphs))
    return frozenset(word for word, number in times.items() if number >= least)


def _share_of(text: str, usual: frozenset[str]) -> float:
    words = text[:600].lower().split()
    return sum(map(usual.__contains__, words)) / len(words)


def _held(keys: Sequence[str], whole: str, lines: Collection[str]) -> list[float]:
    """Whether a text holds a block, for each: 1 its beginning and its end, .5 one of them."""
    asked = [key for key in keys if key not in lines and len(key) >= SHORT_KEY]
    held = _parts_of(whole, {probe for key in asked for probe in (key[:PROBE], key[-PROBE:])})
    shares = {key: 0.5 * (key[:PROBE] in held) + 0.5 * (key[-PROBE:] in held) for key in asked}
    return [1.0 if key in lines else shares.get(key, 0.0) for key in keys]


SHORT_KEY, PROBE = 12, 32
"""Letters under which a block must be a line of its own; of a longer one that are looked for."""


def _parts_of(whole: str, probes: Collection[str]) -> set[str]:
    """Those of the probes that a text holds. A long one is walked once: to look through it for each would take minutes."""
    if len(whole) <= LONG:
        return {probe for probe in probes if probe in whole}
    lengths: dict[str, set[int]] = {}
    for probe in probes:
        lengths.setdefault(probe[:SHORT_KEY], set()).add(len(probe))
    return {
        part
        for at in range(len(whole))
        for length in lengths.get(whole[at : at + SHORT_KEY], ())
        if (part := whole[at : at + length]) in probes
    }


LONG = 50_000
"""Letters of a text up to which a search for each probe is quicker; of 2,500 saved pages nine have more."""


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _is_title(key: str, titles: set[str]) -> bool:
    return key in titles or (
        len(key) > 8
        and any(
            (len(key) >= 0.6 * len(title) and (title.startswith(key) or title.endswith(key)))
            or (len(title) >= 0.6 * len(key) and key.startswith(title))
            for title in titles
        )
    )
