"""Edits sources.toml in place, atomically: what its owner wrote stays, comments included; it is replaced whole or not at
all."""

import contextlib
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomlkit

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


def save(path: Path, text: str) -> None:
    """Replace the file when what it says now can be used. Raises SourcesError, or OSError; it stays as it was then."""
    parse_sources(text, str(path))
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
