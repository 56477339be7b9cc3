"""Lenient JSON: a stranger's JSON, read strictly, and by a repairing parser (json-repair) where it is not quite JSON.

Comments, missing commas, unescaped quotes, two objects in a row, CDATA and entities are usual on pages whose templates write JSON
by hand. The parser guesses, and goes back to guess again, so what it reads is metered.
"""

import json
import re
from html import unescape
from typing import Any, SupportsIndex

MAX_STEPS = 300_000
"""Characters a repair may look at, again and again: three for each of damaged text are usual, 150 and more where quotes or
brackets are piled up to no end. All of them take half a second, one and a half in the worst of a million random texts."""


MAX_DAMAGED = 200_000
"""Characters of what is repaired; the longest damaged script of labelled pages has 9,000."""


CDATA = re.compile(r"<!\[CDATA\[|\]\]>")


class UnreadableJSON(ValueError):
    """Neither JSON nor anything like it."""


class Repairs:
    """What the repairs of one page or feed may cost together."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.steps_left = steps

    def take(self, steps: int) -> None:
        self.steps_left -= steps
        if self.steps_left < 0:
            raise UnreadableJSON


class _Metered(str):
    """A text that can be looked at so often and no more: json-repair goes by index and slice."""

    repairs: Repairs

    def __getitem__(self, place: SupportsIndex | slice) -> str:
        found = super().__getitem__(place)
        self.repairs.take(1 + len(found) // 64)
        return _metered(found, self.repairs) if isinstance(place, slice) else found

    def __add__(self, other: str) -> str:
        return _metered(super().__add__(other), self.repairs)


def _metered(text: str, repairs: Repairs) -> _Metered:
    metered = _Metered(text)
    metered.repairs = repairs
    return metered


def read_json(text: str, repairs: Repairs) -> Any:
    """The value of a JSON text, a list where there are several; raises UnreadableJSON."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return _repaired(text, repairs)


def _repaired(text: str, repairs: Repairs) -> Any:
    from json_repair import loads  # few pages need it

    if '"' not in text:
        text = unescape(text)
    text = CDATA.sub("", text).strip("\ufeff \t\r\n")
    if len(text) > MAX_DAMAGED:
        raise UnreadableJSON
    try:
        return loads(_metered(text, repairs), skip_json_loads=True)
    except (ValueError, RecursionError):
        raise UnreadableJSON from None
