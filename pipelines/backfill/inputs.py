"""Inputs of a backfill: files, folders and lists -> addresses of WARC files; and an address -> a file to read.

A file that is elsewhere (https, s3: whatever fsspec can open) is fetched whole, read, and deleted: half a file is no archive, and
a connection that is read as slowly as pages are extracted breaks off.
"""

import errno
import hashlib
import random
import re
import shutil
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from crawler.items import WARC_SUFFIXES
from crawler.parsers.saved_files import page_name, pages_below
from pipelines.backfill.files import OutputError, output_errors

LIST_SUFFIXES = (".txt", ".txt.gz", ".paths", ".paths.gz")
"""File name extensions of lists of addresses."""

MOST_LIST_BYTES = 2**28
"""Of a list, unpacked: a million addresses of 200 bytes. A month of CC-NEWS has 50 KB."""

COMMON_CRAWL = "https://data.commoncrawl.org/"
"""What the paths of Common Crawl's lists are below (https://commoncrawl.org/get-started)."""

ATTEMPTS = 6
"""Times that a file is asked for. Common Crawl answers 503 where many ask at once."""

FIRST_PAUSE_SECONDS = 2.0
"""Before the second; each is twice as long as the one before, give or take a half: a minute in all."""

MOST_SPREAD_SECONDS = 60.0
"""Over which the first requests of all workers are spread."""

T = TypeVar("T")

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]{1,15}://")


class UnusableInput(ValueError):
    """Nothing can be read from an input; the message says why, in one line."""


class UnreadableInput(Exception):
    """A file could not be fetched, or read on; the message is the reason."""


# Which files there are


def is_remote(address: str) -> bool:
    return _REMOTE.match(address) is not None


def addresses_of(given: Iterable[str]) -> tuple[str, ...]:
    """The WARC files that are named, in order, each once: absolute paths and addresses. Raises UnusableInput."""
    return tuple(dict.fromkeys(address for one in given for address in _addresses(one)))


def _addresses(given: str) -> Iterator[str]:
    if is_remote(given):
        _refuse_unknown(given)
        yield from _listed(given, _fetched_list(given)) if _is_list(given) else [given]
        return
    path = Path(given)
    try:
        if path.is_dir():
            yield from _below(path)
        elif not path.exists():
            raise UnusableInput(f"{given}: no such file or folder")
        elif _is_list(given):
            yield from _listed(given, path.read_bytes())
        elif _is_warc(path.name):
            yield str(path.absolute())
        else:
            kinds = ", ".join((*WARC_SUFFIXES, *LIST_SUFFIXES))
            raise UnusableInput(f"{given}: expected a folder, or one of {kinds}")
    except OSError as error:
        raise UnusableInput(f"{given}: {error.strerror or error}") from error


def _refuse_unknown(address: str) -> None:
    """Raises UnusableInput where nobody here can open addresses of this kind."""
    if fault := _fault_of(address.partition(":")[0]):
        raise UnusableInput(f"{address}: {fault}")


@cache
def _fault_of(scheme: str) -> str | None:
    import fsspec

    try:
        fsspec.get_filesystem_class(scheme)
    except (ImportError, ValueError) as error:
        return str(error)
    return None


def _is_warc(name: str) -> bool:
    return page_name(name).endswith(WARC_SUFFIXES)


def _is_list(given: str) -> bool:
    return page_name(given).endswith(LIST_SUFFIXES)


def _below(folder: Path) -> Iterator[str]:
    found = [file.absolute() for file in pages_below(folder) if _is_warc(file.name)]
    if not found:
        raise UnusableInput(f"{folder}: no web archive in this folder (looked for {', '.join(WARC_SUFFIXES)})")
    yield from map(str, found)


def _listed(given: str, data: bytes) -> Iterator[str]:
    """The addresses of a list, one a line. Paths of Common Crawl are below its host, others are seen from the list."""
    lines = [line.strip() for line in _unpacked(given, data).splitlines()]
    words = [line for line in lines if line and not line.startswith("#")]
    if not words:
        raise UnusableInput(f"{given}: names no file")
    for word in words:
        if not _is_warc(urlsplit(word).path):
            raise UnusableInput(f"{given}: expected addresses of web archives, not {word[:80]!r}")
        if is_remote(word):
            _refuse_unknown(word)
            yield word
        elif word.startswith("crawl-data/"):
            yield COMMON_CRAWL + word
        else:
            yield urljoin(given, word) if is_remote(given) else str((Path(given).parent / word).absolute())


def _unpacked(given: str, data: bytes) -> str:
    try:
        if data.startswith(b"\x1f\x8b"):
            data = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, MOST_LIST_BYTES)
        return data.decode("utf-8")
    except (zlib.error, UnicodeDecodeError):
        raise UnusableInput(f"{given}: is no list of addresses, one a line") from None


def _fetched_list(address: str) -> bytes:
    try:
        return _patiently(lambda: _cat(address))
    except UnreadableInput as error:
        raise UnusableInput(f"{address}: {error}") from error


# One of them, to be read


@contextmanager
def local_copy(address: str, scratch: Path, *, spread: float, go_on: Callable[[], None]) -> Iterator[Path]:
    """The file of an address, as long as the block lasts: itself where it is on this machine, else fetched into `scratch`.

    `spread`: seconds over which the first of all workers begin. `go_on` is called between blocks; it raises to end all. Raises
    UnreadableInput, and OutputError where the disk is full.
    """
    if not is_remote(address):
        yield Path(address)
        return
    folder = scratch / f"broadsheet-{hashlib.sha256(address.encode()).hexdigest()[:16]}"
    with output_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)  # of a task that was killed
        folder.mkdir(parents=True)
    try:
        file = folder / Path(urlsplit(address).path).name
        if spread:
            time.sleep(random.uniform(0, spread))
        _patiently(lambda: _get(address, file, go_on))
        yield file
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cat(address: str) -> bytes:
    system, path = _system_of(address)
    return bytes(system.cat_file(path))


def _get(address: str, file: Path, go_on: Callable[[], None]) -> None:
    from fsspec.callbacks import Callback

    class Following(Callback):  # type: ignore[misc]
        def relative_update(self, inc: int = 1) -> None:
            go_on()

    system, path = _system_of(address)
    said = Following()
    system.get_file(path, str(file), callback=said)
    if said.size is not None and said.size != (came := file.stat().st_size):
        raise ConnectionError(f"{came:,} of {said.size:,} bytes came")


def _system_of(address: str) -> tuple[Any, str]:
    """What opens an address, and its path there."""
    import fsspec

    as_sent = {"client_kwargs": {"auto_decompress": False}} if address.startswith("http") else {}
    system, path = fsspec.core.url_to_fs(address, **as_sent)
    return system, path


def _patiently(ask: Callable[[], T]) -> T:
    """What a server gives, asked more than once where it is busy or the connection breaks off. Raises UnreadableInput."""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
        try:
            return ask()
        except _failures() as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise OutputError(error.errno, error.strerror, error.filename) from error
            if attempt == ATTEMPTS - 1 or not _may_pass(error):
                raise UnreadableInput(_reason(error)) from error
    raise AssertionError("the last attempt returns or raises")


def _failures() -> tuple[type[Exception], ...]:
    """What asking for a file that is elsewhere may end with."""
    import aiohttp

    return (OSError, aiohttp.ClientError)


def _may_pass(error: Exception) -> bool:
    """Whether it is worth asking again: a busy server, a broken connection; not what is missing or forbidden."""
    status = getattr(error, "status", None)
    if isinstance(status, int) and status:
        return status in (408, 429) or status >= 500
    return not isinstance(error, FileNotFoundError | PermissionError)


def _reason(error: Exception) -> str:
    status = getattr(error, "status", None)
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(status, int) and status:
        return f"the server answers with HTTP {status}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
