"""What TOML says that an article is: fields of Article under their own names, and strings its text must or must not hold.

Strict, because what is misspelt is compared by nobody: it is an error that names the nearest thing that is known.
"""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from crawler.items import Article

FIELDS: Mapping[str, Any] = {
    field.name: field.type for field in fields(Article) if field.name not in ("text", "extractor", "parts")
}
"""The fields of an article that may be expected, by their type; the text is expected by its lines, a page's parts by nobody."""


class Mistake(Exception):
    """An expectation that cannot be used; the message says where it stands and what to write instead."""


def only_known(table: Mapping[str, Any], known: Collection[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise Mistake(f"{where}: unknown key {key!r}; {nearest(key, known)}")


def nearest(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"


def only_right_types(table: Mapping[str, Any], types: Mapping[str, Any], where: str) -> None:
    """Whether each value is what TOML may say for its type."""
    for key, value in table.items():
        accepted, words = _TYPES.get(types[key], _STRING)
        items = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
        if type(value) is not accepted or not all(isinstance(item, str) for item in items):
            raise Mistake(f"{where}: {key}: expected {words}, not {value!r}")


_STRING: tuple[type, str] = (str, "a string in quotes")
_TYPES: dict[Any, tuple[type, str]] = {
    bool | None: (bool, "true or false"),
    int: (int, "a whole number"),
    datetime: (datetime, "a day and time, such as 2026-11-21T00:00:00Z, without quotes"),
    tuple[str, ...]: (list, "a list of strings"),
    tuple[tuple[str, str], ...]: (dict, "a table of strings"),
}
"""A field's annotation -> what TOML may say for it, and that in words; everything else is a string."""


def told(article: Article, field: str) -> Any:
    """A field's value as TOML tells it."""
    value = getattr(article, field)
    if field == "titles":
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def missing_from(text: str, phrases: Iterable[str]) -> list[str]:
    """The phrases that a text does not hold, however it is broken into lines."""
    whole = folded(text)
    return [phrase for phrase in phrases if folded(phrase) not in whole]


def held_by(text: str, phrases: Iterable[str]) -> list[str]:
    """The phrases that a text holds, however it is broken into lines."""
    whole = folded(text)
    return [phrase for phrase in phrases if folded(phrase) in whole]


def folded(text: str) -> str:
    return " ".join(text.split())
