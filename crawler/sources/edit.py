"""Edits sources.toml in place, atomically: what its owner wrote stays, comments included; it is replaced whole or not at
all."""

import contextlib
import os
import re
import stat
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError

from crawler.sources.toml_file import SourcesError, parse_sources, read_bytes


def read_text(path: Path) -> str:
    """The file as it is, line ends included; "" when there is none yet. Raises SourcesError."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SourcesError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SourcesError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from None


def with_entries(text: str, entries: Iterable[Mapping[str, Any]]) -> str:
    """The text of a sources.toml with [[source]] tables at its end: what stands there is not even parsed."""
    tables = "".join(f"\n[[source]]\n{_lines(entry)}" for entry in entries)
    before = f"{text}\n" if text and not text.endswith("\n") else text
    tables = tables if before else tables.lstrip("\n")
    return before + (tables.replace("\n", "\r\n") if "\r\n" in before else tables)


def _lines(entry: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {tomlkit.item(value).as_string()}\n" for key, value in entry.items())


def without_sources(text: str, numbers: Collection[int]) -> str:
    """The text of a sources.toml without the [[source]] tables of these numbers, the first of which is 0. Raises SourcesError.

    A comment above or below a table stays: nobody can tell whether it is about that one alone.
    """
    head, tables = _tables(text)
    kept = [
        ("", after.lstrip("\r\n")) if number in numbers else (own, after) for number, (own, after) in enumerate(tables)
    ]
    shorter = head + "".join(own + after for own, after in kept)
    if kept and not "".join(kept[-1]):  # nor do the blank lines before the last one stay
        shorter = shorter.rstrip("\r\n") + ("\r\n" if "\r\n" in text else "\n")
    return _checked(shorter, [entry for number, entry in enumerate(_entries(text)) if number not in numbers])


def with_values(text: str, number: int, values: Mapping[str, Any]) -> str:
    """The text of a sources.toml with keys of one [[source]] table set, the first of which is 0. Raises SourcesError."""
    head, tables = _tables(text)
    own, after = tables[number]
    try:
        document = tomlkit.parse(own if own.endswith("\n") else f"{own}\n")
    except ParseError:
        raise SourcesError(_NOT_PLAIN) from None
    document["source"][0].update(values)
    written = re.sub(r"\r?\n", "\r\n" if "\r\n" in text else "\n", tomlkit.dumps(document))
    tables[number] = written, after
    entries = _entries(text)
    entries[number] |= values
    return _checked(head + "".join(own + after for own, after in tables), entries)


_NOT_PLAIN = "its sources are not written as plain [[source]] tables: a person has to edit it"

_TABLE = re.compile(r"[ \t]*\[")
_SOURCE = re.compile(r"[ \t]*\[\[[ \t]*[\"']?source[\"']?[ \t]*\]\]")


def _tables(text: str) -> tuple[str, list[tuple[str, str]]]:
    """What stands before the first [[source]], and of each its own lines and what follows on them: blank lines, comments
    and other tables. tomlkit would count a comment above a table to the one before."""
    chunks: list[list[str]] = [[]]
    for line in text.splitlines(keepends=True):
        if _SOURCE.match(line):
            chunks.append([])
        chunks[-1].append(line)
    if len(chunks) - 1 != len(_entries(text)):
        raise SourcesError(_NOT_PLAIN)
    return "".join(chunks[0]), [*map(_own_and_after, chunks[1:])]


def _own_and_after(lines: list[str]) -> tuple[str, str]:
    end = next((number for number, line in enumerate(lines) if number and _TABLE.match(line)), len(lines))
    while not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#"):
        end -= 1
    return "".join(lines[:end]), "".join(lines[end:])


def _entries(text: str) -> list[dict[str, Any]]:
    return list(tomllib.loads(text).get("source", []))


def _checked(text: str, wanted: list[dict[str, Any]]) -> str:
    """A text that says what it has to: what looks like a table may stand inside a string."""
    with contextlib.suppress(tomllib.TOMLDecodeError):
        if _entries(text) == wanted:
            return text
    raise SourcesError(_NOT_PLAIN)


def save(path: Path, text: str, *, may_be_empty: bool = False) -> None:
    """Replace the file when what it says now can be used. Raises SourcesError, or OSError; it stays as it was then."""
    parse_sources(text, str(path), may_be_empty=may_be_empty)
    replace_file(path, text.encode())


def replace_file(path: Path, data: bytes) -> None:
    """Atomic replacement: the file is the old or the new one, whatever happens. Raises OSError. A link stays a link; mode
    and owner stay.

    Raises SourcesError where no file can be, such as over a device, or OSError.
    """
    target = path.resolve()
    if not target.parent.is_dir():
        raise SourcesError(f"{path}: no such folder")
    if target.exists() and not target.is_file():
        raise SourcesError(f"{path}: is not a file")
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with scratch.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            _take_after(target, scratch)
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)


def _take_after(old: Path, new: Path) -> None:
    known = old.stat()
    new.chmod(stat.S_IMODE(known.st_mode))
    with contextlib.suppress(PermissionError):  # only root gives a file away
        os.chown(new, known.st_uid, known.st_gid)
