"""Saved pages in a .zip or .tar -> Page: nothing is written to the disk, and no more unpacked than pages may have."""

import bz2
import gzip
import logging
import lzma
import tarfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crawler.items import WARC_SUFFIXES, Page
from crawler.parsers.saved_files import (
    MAX_SAVED_BYTES,
    PACKED_SUFFIXES,
    START_BYTES,
    is_page,
    name_of,
    page_name,
    page_of,
)

logger = logging.getLogger(__name__)

MAX_MEMBERS = 200_000
"""Files of one archive that are looked at."""


MAX_UNPACKED_BYTES = 4 * 2**30
"""Unpacked bytes of one archive that are read: 50,000 pages of 80 KB. A bomb of 10 MB has as many."""


_DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError, RuntimeError, ValueError,
    OverflowError,
)  # fmt: skip
"""What the standard library raises for an archive that is damaged, encrypted or packed otherwise."""


class TooLarge(Exception):
    """More than anybody's pages are."""


class _Bounded:
    """A stream that reads no more at a time than a page may have, whatever an archive's head says, nor more in all than its
    limit."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read(min(size, MAX_SAVED_BYTES) if size >= 0 else MAX_SAVED_BYTES)
        if self._stream.tell() > MAX_UNPACKED_BYTES:
            raise TooLarge
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and offset > MAX_UNPACKED_BYTES:
            raise TooLarge
        return int(self._stream.seek(offset, whence))

    def tell(self) -> int:
        return int(self._stream.tell())


def read_packed(file: Path, left_out: Counter[str]) -> Iterator[Page]:
    """The pages of an archive, one at a time; what is none is counted by its ending. Damage ends it, and is logged."""
    read = _of_zip if page_name(file.name).endswith(".zip") else _of_tar
    pages = read(file, left_out)
    while True:
        try:
            page = next(pages, None)
        except TooLarge:
            logger.warning("%s: more than %d MB unpacked; the rest is not read", file, MAX_UNPACKED_BYTES >> 20)
            return
        except _DAMAGE as error:
            logger.warning("%s: damaged, or packed as cannot be read: %s", file, error or type(error).__name__)
            return
        if page is None:
            return
        yield page


def _of_zip(file: Path, left_out: Counter[str]) -> Iterator[Page]:
    total = 0
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist()[:MAX_MEMBERS]:
            parts = None if member.is_dir() else _parts(member.filename, left_out)
            if parts is None:
                continue
            with archive.open(member) as stream:
                data = stream.read(MAX_SAVED_BYTES + 1)
            total += len(data)
            if total > MAX_UNPACKED_BYTES:
                raise TooLarge
            written = time.mktime((*member.date_time, 0, 0, -1)) if member.date_time[0] > 1980 else file.stat().st_mtime
            yield from _page(file, data, parts, written, left_out)


_UNPACKED: dict[str, Any] = {".gz": gzip.open, ".tgz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def _of_tar(file: Path, left_out: Counter[str]) -> Iterator[Page]:
    unpacked = _UNPACKED.get(file.suffix.lower(), open)
    with unpacked(file, "rb") as stream, tarfile.open(fileobj=_Bounded(stream), mode="r:") as archive:  # type: ignore[call-overload]
        for _, member in zip(range(MAX_MEMBERS), archive, strict=False):
            archive.members = []  # it would remember them all
            parts = _parts(member.name, left_out) if member.isreg() else None
            content = archive.extractfile(member) if parts else None
            if parts and content:
                yield from _page(file, content.read(MAX_SAVED_BYTES + 1), parts, member.mtime, left_out)


def _parts(name: str, left_out: Counter[str]) -> tuple[str, ...] | None:
    """The folders and the name of a member; None of what is hidden, leads out of the archive, or is an archive itself."""
    parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    if ".." in parts:
        left_out["with names that lead out of the archive"] += 1
        return None
    if not parts or any(part.startswith(".") for part in parts) or parts[0] == "__MACOSX":
        return None
    if page_name(parts[-1]).endswith((*PACKED_SUFFIXES, *WARC_SUFFIXES)):
        left_out["archives in an archive"] += 1
        return None
    return parts


def _page(file: Path, data: bytes, parts: tuple[str, ...], written: float, left_out: Counter[str]) -> Iterator[Page]:
    if is_page(parts[-1], data[:START_BYTES], left_out):
        yield page_of(data, parts, written, name_of(file.joinpath(*parts)))
