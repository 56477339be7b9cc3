"""Page data: the state that scripts of a page hold (`__NEXT_DATA__`, flight, Nuxt, Apollo, `window.x = {...}`), as plain values.

No script is run. JSON is read as JSON, literals of JavaScript by chompjs; frameworks that number their values to write each once
(devalue of Nuxt and SvelteKit, turbo-stream of Remix, rows of React's flight, references of Apollo) have them put together again.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any
from urllib.parse import unquote

import lxml.html
from lxml.etree import XPath

from crawler.lenient_json import Repairs, UnreadableJSON, read_json

MIN_DATA = 200
"""Characters of a script under which it holds no article."""


MAX_DATA = 4_000_000
"""Characters of all scripts of a page that are read; the largest state of labelled pages has 730,000, the largest script 1.7 million."""


MAX_LITERALS = 40
"""Literals of JavaScript that are tried in a page, in their order; states are among the first few."""


DATA_TYPE = re.compile(r"(?i)\s*[\w-]{1,40}+/(?:[\w.-]{1,80}[+-])?json\b")


CODE_TYPE = re.compile(r"(?i)\s*+(?:module|(?:application|text)/(?:x-)?(?:java|ecma)script\b.{0,80})?\s*")


BEGINS_LITERAL = re.compile(
    r"(?:=|\breturn\b|\bdata:)\s{0,9}+(?=[\[{])|\(\s{0,9}+(?=(?:\[\s{0,9}+)?\{\s{0,9}+\")"
    r"|(?:JSON\.parse|\.enqueue)\(\s{0,9}+(?:[\w.]{1,40}+\(\s{0,9}+){0,3}(?=[\"'`])"
    r"|=\s{0,9}+(?=[\"'`](?:\{\\?[\"']|\[\{|%7B%22|eyJ))"
)
"""What stands before a literal: an assignment, the body of a function, an argument; or JSON in a string, encoded or not."""


BEGINS_DATA = re.compile(
    r"""(?:[\[{]\s{0,40}+(?://[^\n]{0,200}\n\s{0,40}+|/\*[^*]{0,200}\*/\s{0,40}+)?){1,9}(?:"|'|[\w$]{1,80}+\s{0,9}+:|null\b)"""
)
"""How data begin, and code does not: brackets, then a text or a name with a colon."""


STRING = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
    r"|'[^'\\]*+(?:\\.[^'\\]*+)*+'"
    r"|`[^`\\]*+(?:\\.[^`\\]*+)*+`",
    re.S,
)


FLIGHT = re.compile(r"__next_f\b[^(]{0,40}\.push\(\s{0,9}+(?=\[)")


PARAMETERS = re.compile(r"function\s{0,9}+\(([\w$,\s]{1,20000}+)\)\s{0,9}+\{\s{0,9}+return\s{0,9}+\Z")


DATA_ATTRIBUTES = XPath(f"//body//@*[string-length() >= {MIN_DATA}]")
"""Attributes in which a server leaves data for scripts: `data-page` of Inertia, `props` of Astro's islands and of Vue."""


DATA_BEGIN = ("{", "[", "%7B", "%5B", "eyJ")


def data_scripts(tree: lxml.html.HtmlElement) -> list[tuple[str, str]]:
    """Type and text of the scripts that may hold data, in their order; nothing is parsed."""
    return [
        (script.get("type", ""), text)
        for script in tree.iter("script")
        if (text := script.text)
        and (len(text) >= MIN_DATA or "__next_f" in text)
        and "ld+json" not in script.get("type", "")
    ]


def data_attributes(tree: lxml.html.HtmlElement) -> list[tuple[str, str]]:
    """The same of attributes."""
    return [("text/json", text) for text in DATA_ATTRIBUTES(tree) if text.lstrip().startswith(DATA_BEGIN)]


def page_data(scripts: Sequence[tuple[str, str]]) -> Iterator[Any]:
    """The values that scripts hold, those that are JSON first; each is read when it is asked for."""
    repairs, left = Repairs(), MAX_DATA
    flight, code = list[str](), list[str]()
    for kind, text in scripts:
        left -= len(text)
        if left < 0:
            break
        if CODE_TYPE.fullmatch(kind):
            (flight if "__next_f" in text else code).append(text)
        elif DATA_TYPE.match(kind) or text.lstrip().startswith(DATA_BEGIN):
            for value in _json(text, repairs):
                yield from put_together(value)
    if flight:
        yield from flight_rows("".join(_flight_text(flight)))
    for value in islice(_literals(code, repairs), MAX_LITERALS):
        yield from put_together(value)


def _json(text: str, repairs: Repairs) -> list[Any]:
    try:
        return [read_json(_decoded(text), repairs)]
    except UnreadableJSON:
        return []


def _decoded(text: str) -> str:
    """JSON that was written for an address (`%7B`), in base64 (`eyJ`) or with Angular's entities (`&q;`), as JSON."""
    begin = text.lstrip()[:3]
    if begin in ("%7B", "%5B"):
        return unquote(text)
    if begin == "eyJ":
        with suppress(ValueError):
            return b64decode(text + "==").decode("utf-8", "replace")
    return ANGULAR.sub(_angular, text) if "&q;" in text else text


ANGULAR = re.compile("&([aglqs]);")


def _angular(found: re.Match[str]) -> str:
    """A sign that Angular writes by its first letter: `&q;` is a quote."""
    return dict(zip("aglqs", "&><\"'", strict=True))[found[1]]


# ---------------------------------------------------------------------------------------------- literals of JavaScript
def _literals(scripts: Iterable[str], repairs: Repairs) -> Iterator[Any]:
    """The value of every literal that may be data, None for one that is not."""
    for text in scripts:
        resume = 0
        for found in BEGINS_LITERAL.finditer(text):
            begin = found.end()
            if begin < resume or len(text) - begin < MIN_DATA:
                continue
            if text[begin] in "\"'`":
                value, length = _in_string(text, begin, repairs)
            elif BEGINS_DATA.match(text, begin):
                value, length = literal(text[begin:])
                value = _with_arguments(value, text, begin)
            else:
                continue
            resume = begin + length // 2  # as JSON it may be twice as long
            yield value


def literal(text: str) -> tuple[Any, int]:
    """The literal that a text of JavaScript begins with, and its length as JSON; None when it is no data."""
    import chompjs  # few pages need it

    length = 0

    def read(found: str) -> Any:
        nonlocal length
        length = len(found)
        return json.loads(
            found, strict=False
        )  # chompjs wrote it: what is not JSON yet is code, which no repair makes data

    try:
        return chompjs.parse_js_object(text, loader=read), length
    except (ValueError, RecursionError):
        return None, length


def _in_string(text: str, begin: int, repairs: Repairs) -> tuple[Any, int]:
    """The value of JSON that stands in a string, `JSON.parse("{\\"a\\": 1}")`, and the string's length."""
    string = STRING.match(text, begin)
    value, _ = literal(f"[{string[0]}]") if string else (None, 0)
    if string is None or not (isinstance(value, list) and value and isinstance(value[0], str)):
        return None, 0
    return next(iter(_json(value[0], repairs)), None), 2 * len(string[0])


def _with_arguments(value: Any, text: str, begin: int) -> Any:
    """The value that `(function(a, b){return {...}}(1, "x"))` returns: names of parameters replaced by what is given for them."""
    parameters = PARAMETERS.search(text, max(0, begin - 20_100), begin)
    if parameters is None or value is None:
        return value
    arguments = text[text.rfind("}(") + 2 :].rstrip(" ;)\n")
    given, _ = literal(f"[{arguments}]")
    names = [name.strip() for name in parameters[1].split(",")]
    return _replaced(value, dict(zip(names, given, strict=False))) if isinstance(given, list) else value


def _replaced(value: Any, given: Mapping[str, Any], depth: int = 0) -> Any:
    if isinstance(value, str):
        return given.get(value, value) if len(value) <= MAX_NAME else value
    if isinstance(value, list) and depth < MAX_DEPTH:
        return [_replaced(one, given, depth + 1) for one in value]
    if isinstance(value, dict) and depth < MAX_DEPTH:
        return {key: _replaced(one, given, depth + 1) for key, one in value.items()}
    return None if isinstance(value, list | dict) else value


MAX_NAME = 3
"""Letters of a parameter that stands for a value: minified code has no longer names."""


MAX_DEPTH = 60
"""Levels of a state; more than 30 were never seen."""


# ------------------------------------------------------------------------------------------------ values with references
def put_together(value: Any) -> Iterator[Any]:
    """A value, and whatever of it stands in pieces as the tree that is meant: numbered in a list, or named in a cache."""
    if isinstance(value, list) and _is_numbered(value):
        yield _Numbered(value).value(0)
        return
    if isinstance(value, dict) and all(map(_is_tagged, value.values())):
        yield {key: _untagged(one) for key, one in value.items()}
        return
    yield value
    for cache in _caches(value):
        references = _References(cache, _apollo_name)
        yield from map(references.follow, cache.values())


def _is_tagged(value: Any) -> bool:
    """Whether it is a value behind the number of its type, as Astro writes those of its islands: `[0, "text"]`, `[1, [...]]`."""
    return isinstance(value, list) and len(value) == 2 and type(value[0]) is int


def _untagged(value: Any, depth: int = 0) -> Any:
    inner = value[1] if _is_tagged(value) else value
    if isinstance(inner, dict) and depth < MAX_DEPTH:
        return {key: _untagged(one, depth + 1) for key, one in inner.items()}
    if isinstance(inner, list) and depth < MAX_DEPTH:
        return [_untagged(one, depth + 1) for one in inner]
    return None if isinstance(inner, list | dict) else inner


def _is_numbered(values: list[Any]) -> bool:
    """Whether objects and lists of a list hold only numbers of others in it, as devalue and turbo-stream write them."""
    some = [value for value in values[:50] if isinstance(value, dict | list) and value]
    parts = [part for value in some for part in (value.values() if isinstance(value, dict) else value)]
    numbers = [part for part in parts if type(part) is int and part < len(values)]
    wrappers = sum(isinstance(value, list) and isinstance(value[0], str) for value in some)
    return len(values) > 2 and len(numbers) > 1 and len(numbers) + wrappers >= len(parts)


class _Numbered:
    """Values that are written once and named by their number: each is put together once."""

    def __init__(self, values: list[Any]) -> None:
        self._values, self._known = values, dict[int, Any]()

    def value(self, number: Any, depth: int = 0) -> Any:
        """The value of a number; None inside itself, and where there is none."""
        if type(number) is not int or not 0 <= number < len(self._values) or depth > MAX_DEPTH:
            return None
        if number not in self._known:
            self._known[number] = None
            self._known[number] = self._put_together(self._values[number], depth + 1)
        return self._known[number]

    def _put_together(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            return {self._key(key): self.value(part, depth) for key, part in value.items()}
        if isinstance(value, list) and value and isinstance(value[0], str):
            return self.value(value[1], depth) if len(value) == 2 else None  # ["Reactive", 3]: what it wraps
        if isinstance(value, list):
            return [self.value(part, depth) for part in value]
        return value

    def _key(self, key: str) -> str:
        """`_12` of turbo-stream is the text with this number."""
        number = int(key[1:]) if re.fullmatch(r"_[0-9]{1,7}", key) else len(self._values)
        name = self._values[number] if number < len(self._values) else key
        return name if isinstance(name, str) else key


class _References:
    """Values that name each other: each is followed once, and not inside itself."""

    def __init__(self, table: Mapping[str, Any], name_of: Callable[[Any], str | None]) -> None:
        self._table, self._name_of, self._known = table, name_of, dict[str, Any]()

    def follow(self, value: Any, depth: int = 0) -> Any:
        """The value with what it names in place of the names."""
        name = self._name_of(value)
        if name is not None and name in self._table:
            if name not in self._known and depth < MAX_DEPTH:
                self._known[name] = None
                self._known[name] = self.follow(self._table[name], depth + 1)
            return self._known.get(name)
        if isinstance(value, list):
            return [self.follow(one, depth + 1) for one in value] if depth < MAX_DEPTH else None
        if isinstance(value, dict):
            return {key: self.follow(one, depth + 1) for key, one in value.items()} if depth < MAX_DEPTH else None
        return value


def _caches(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Caches of Apollo, in a state's upper levels: objects of typed objects that name each other by their keys."""
    if not isinstance(value, dict) or depth > MAX_CACHE_DEPTH:
        return
    if sum(isinstance(one, dict) and "__typename" in one for one in value.values()) > 2:
        yield value
        return
    for one in value.values():
        yield from _caches(one, depth + 1)


MAX_CACHE_DEPTH = 3


def _apollo_name(value: Any) -> str | None:
    """The key in `{"__ref": key}` or, of older versions, `{"type": "id", "id": key}`."""
    if not isinstance(value, dict):
        return None
    name = value.get("__ref") or (value.get("id") if value.get("type") == "id" else None)
    return name if isinstance(name, str) else None


# ----------------------------------------------------------------------------------------------------------------- flight
def _flight_text(scripts: Iterable[str]) -> Iterator[str]:
    """The stream that `self.__next_f.push([1, "..."])` brings piece by piece."""
    for text in scripts:
        for found in FLIGHT.finditer(text):
            piece, _ = literal(text[found.end() :])
            if isinstance(piece, list) and len(piece) > 1 and piece[0] == 1 and isinstance(piece[1], str):
                yield piece[1]


ROW = re.compile(rb"([0-9a-f]{0,8}+):(?:T([0-9a-f]{1,8}+),|([A-Z]{0,2}))")
"""A row's name and kind; rows that only ask for a style or a script to be loaded have no name."""


def flight_rows(stream: str) -> Iterator[Any]:
    """The rows of a flight stream (React server components), `12:{...}` or `12:T3e8,text`, with their references followed."""
    rows = _rows(stream.encode("utf-8", "replace"))
    references = _References(rows, _flight_name)
    yield from map(references.follow, [f"${name}" for name in rows])


def _rows(stream: bytes) -> dict[str, Any]:
    """Values by the name of their row; rows that only name modules and styles are left out."""
    rows, at = dict[str, Any](), 0
    while at < len(stream):
        row = ROW.match(stream, at)
        if row and row[2]:
            at = row.end() + int(row[2], 16)
            rows[row[1].decode()] = stream[row.end() : at].decode("utf-8", "replace")
            continue
        end = stream.find(b"\n", at) + 1 or len(stream)
        if (
            row
            and row[1]
            and not row[3]
            and (value := _json(stream[row.end() : end].decode("utf-8", "replace"), Repairs()))
        ):
            rows[row[1].decode()] = value[0]
        at = end
    return rows


def _flight_name(value: Any) -> str | None:
    """The row in `$12`, `$L12` or `$12:props:children`."""
    found = FLIGHT_NAME.fullmatch(value) if isinstance(value, str) and value[:1] == "$" else None
    return found[1] if found else None


FLIGHT_NAME = re.compile(r"\$[L@]?([0-9a-f]{1,8})")
