"""Every regular expression is linear: the work of twice the text is twice the work, whatever a stranger repeats.

Patterns are found where they stand: in the globals of modules, in phrases.toml, in calls of `re`. What is compared is the CPU
time of a thread for n and 2n signs, the least of several; a pattern that takes less than can be measured is not compared.
"""

import ast
import importlib
import re
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from re import _constants, _parser  # type: ignore[attr-defined]  # the parser of `re` has no public name
from types import ModuleType
from typing import Any

import pytest

from pipelines.extract.phrases import Mentions, Openings, phrases
from tests.support.syntax import modules, nodes

METHODS = ("match", "search", "fullmatch", "finditer", "findall", "sub", "subn", "split")

OURS = ("pipelines.extract.phrases", "pipelines.publish.guard", "pipelines.publish.search", "crawler.cli.schedule")
"""Modules whose patterns read only what comes with the project, or what its user typed and was cut to some hundred characters."""

PIECES = (*"<>\"' \n\t.,;:|/-_=?&@()[]{}\\%aAé中1", "<!--", "<!-- -->", "-->", "<a ", "<p>", "</p>", "</", "<script>", "&#", " | ", "a ",
          "a.", "a@", "a-", "1 ", "1:", "12:30 ", "2026-01-02 ", "A B, ", "www.", "http://", "x=\"y\" ", "OR ", '"a" ')  # fmt: skip
FEW = (*' \n.,;:-@<)]}"aA1', "a ", "a-", "1 ", "<!-- -->")
"""What stands behind the beginning of a match."""

SIGNS, NOISE = 2_000, 0.0015
"""Characters, of which a quadratic pattern makes two million steps; seconds, under which times compare with nothing."""


class Endless(Exception):
    pass


Found = tuple[str, str | bytes, int, frozenset[str]]


def compiled() -> Iterator[Found]:
    """Where each pattern stands, the pattern, its flags, and how it is used."""
    used = methods_by_name()
    for name in sorted(set(modules()) - {*OURS}):
        module = importlib.import_module(name)
        for key, value in vars(module).items():
            yield from patterns_of(f"{name}.{key}", value, used.get(key, frozenset(METHODS)))
        yield from inline(name, module)


def methods_by_name() -> dict[str, frozenset[str]]:
    """`FEED` -> `match`: by which of a pattern's methods a name is asked anywhere."""
    found: dict[str, set[str]] = {}
    for name in modules():
        for node in nodes(name):
            if isinstance(node, ast.Attribute) and node.attr in METHODS:
                found.setdefault(ast.unparse(node.value).rpartition(".")[2], set()).add(node.attr)
    return {name: frozenset(methods) for name, methods in found.items()}


def patterns_of(where: str, value: object, methods: frozenset[str]) -> Iterator[Found]:
    if isinstance(value, re.Pattern):
        yield where, value.pattern, value.flags, methods
    elif isinstance(value, Openings):
        yield from patterns_of(f"{where}.skip", value._skip, frozenset(("sub",)))
        for phrase in (phrase for kind in value._kinds for phrase in phrases(kind)):
            yield where, phrase + value._after, 0, frozenset(("match",))
    elif isinstance(value, Mentions):
        for phrase in phrases(value._kind):
            yield where, phrase, 0, frozenset(("search",))
    elif isinstance(value, tuple | list | frozenset):
        for one in value:
            yield from patterns_of(where, one, methods)
    elif isinstance(value, dict):
        yield from patterns_of(where, list(value.values()), methods)
    elif isinstance(value, type):
        for key, one in vars(value).items():
            if isinstance(one, re.Pattern):
                yield from patterns_of(f"{where}.{key}", one, methods)


def inline(name: str, module: ModuleType) -> Iterator[Found]:
    """The patterns of `re.search(r"…", text)` and its like, as far as they are constants."""
    for node in nodes(name):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            if ast.unparse(node.func.value) != "re" or node.func.attr not in METHODS:
                continue
            flags = next((ast.unparse(one.value) for one in node.keywords if one.arg == "flags"), "0")
            try:
                given, flags_given = (eval(text, vars(module).copy()) for text in (ast.unparse(node.args[0]), flags))
            except NameError:
                continue  # made of what is known only when it runs: the user's own rules
            yield f"{name}:{node.lineno}", given, int(flags_given), frozenset((node.func.attr,))


@cache
def tree_of(pattern: str | bytes, flags: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _parser.parse(pattern, flags & ~re.UNICODE if isinstance(pattern, bytes) else flags)


def loops(tree: Any, inside: int = 0) -> bool:
    """Whether a pattern repeats without a limit, or repeats what is repeated: only then it can be slow."""
    for operator, argument in tree:
        if operator in REPEATS:
            most = int(argument[1])
            if most >= 1000 or (inside > 8 and most > 8) or loops(argument[2], max(inside, most)):
                return True
        elif any(loops(part, inside) for part in parts(operator, argument)):
            return True
    return False


REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)


def parts(operator: Any, argument: Any) -> list[Any]:
    if operator is _constants.BRANCH:
        return list(argument[1])
    if operator in (_constants.ASSERT, _constants.ASSERT_NOT):
        return [argument[1]]
    return (
        [argument[3]]
        if operator is _constants.SUBPATTERN
        else [argument]
        if operator is _constants.ATOMIC_GROUP
        else []
    )


def example(tree: Any, choice: int) -> str:
    """A text that the pattern takes, nearly; of alternatives the one of that number."""
    made = ""
    for operator, argument in tree:
        if operator is _constants.LITERAL:
            made += chr(argument)
        elif operator in (_constants.ANY, _constants.NOT_LITERAL):
            made += "x"
        elif operator is _constants.IN:
            made += sign_of(argument)
        elif operator in REPEATS:
            made += example(argument[2], choice) * min(max(1, argument[0]), 40)
        elif operator is _constants.BRANCH:
            made += example(argument[1][choice % len(argument[1])], choice)
        elif operator not in (_constants.ASSERT, _constants.ASSERT_NOT):
            made += "".join(example(part, choice) for part in parts(operator, argument))
    return made[:60]


def sign_of(choices: Any) -> str:
    operator, argument = choices[0]
    if operator is _constants.LITERAL:
        return chr(argument)
    if operator is _constants.RANGE:
        return chr(argument[0])
    return {_constants.CATEGORY_DIGIT: "1", _constants.CATEGORY_SPACE: " "}.get(argument, "q")


def texts(pattern: str | bytes, flags: int) -> Iterator[tuple[str, str]]:
    """What comes first, and what is repeated behind it: pieces of any page, and the beginnings of what would match."""
    tree = tree_of(pattern, flags)
    own = dict.fromkeys(example(tree, choice) for choice in range(3))
    yield from (("", piece) for piece in PIECES)
    for made in own:
        yield from (("", piece) for piece in {made, made[:-1], f"{made} "} - {""})
        yield from ((made[:end], piece) for end in range(1, min(len(made), 24) + 1) for piece in FEW)


def slow(pattern: str | bytes, flags: int, methods: frozenset[str]) -> str | None:
    """By which method, and on what, twice the text is more than thrice the work; None when nothing shows it."""
    ready = re.compile(pattern, flags)
    calls: dict[str, Callable[[Any], object]] = {
        method: getattr(ready, method) for method in methods & {"match", "search", "fullmatch"}
    }
    if methods - {*calls}:
        calls = {"finditer": lambda text: [None for _ in ready.finditer(text)], **calls}
    for first, piece in dict.fromkeys(texts(pattern, flags)):
        once = repeated(pattern, first, piece, SIGNS)
        for method, call in calls.items():
            try:
                if seconds(call, once) >= NOISE and grows(call, once, repeated(pattern, first, piece, 2 * SIGNS)):
                    return f"{method} of {first!r} + {piece!r} times n"
            except Endless:
                return f"{method} of {first!r} + {piece!r}, for ever"
    return None


def repeated(pattern: str | bytes, first: str, piece: str, signs: int) -> str | bytes:
    text = first + piece * (signs // len(piece)) + " \x01"
    return text.encode("latin-1", "replace") if isinstance(pattern, bytes) else text


def grows(call: Callable[[Any], object], once: str | bytes, twice: str | bytes) -> bool:
    """Whether the work grows faster than the text, measured until it is seen to, or not to."""
    for _ in range(3):
        most = 3 * max(NOISE / 3, min(seconds(call, once) for _ in range(3)))
        if any(seconds(call, twice) <= most for _ in range(3)):
            return False
    return True


def seconds(call: Callable[[Any], object], text: str | bytes) -> float:
    began = time.thread_time()
    call(text)
    return time.thread_time() - began


def stop(*_: object) -> None:
    raise Endless


@cache
def found() -> list[Found]:
    each = {(pattern, flags, methods): where for where, pattern, flags, methods in compiled() if pattern}
    return [(where, *key) for key, where in each.items() if loops(tree_of(key[0], key[1]))]


def broken(found: list[Found], limit: float = 20) -> list[str]:
    """What is wrong with patterns; one that never ends is broken off after `limit` CPU seconds."""
    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        wrong = []
        for where, pattern, flags, methods in found:
            signal.setitimer(signal.ITIMER_VIRTUAL, limit)
            if on := slow(pattern, flags, methods):
                wrong.append(f"{where}: {on}: {pattern!r}")
        return wrong
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def test_every_pattern_takes_twice_the_work_for_twice_the_text() -> None:
    assert broken(found()) == []


@pytest.mark.parametrize(
    "pattern", [r"(?:<!--.*?-->\s*)*<svg", r"\s+$", r"\S+@\S+\.\w+", r"(?:a+)+b", r"<[^>]*>\s*\s*x", r"x\s*-?\s*y"]
)
def test_a_pattern_that_is_not_linear_is_found(pattern: str) -> None:
    assert len(broken([("here", pattern, re.S, frozenset(("search",)))], limit=0.5)) == 1


def test_patterns_are_found_wherever_they_stand() -> None:
    where = {place for place, *_ in found()}
    assert {"pipelines.extract.decode.FEED", "pipelines.extract.boilerplate.CREDIT", "crawler.urls._HOST"} <= where
    assert any(place.startswith("crawler.parsers.sitemaps:") for place in where)
