"""The WARC files of a database: `warc/` beside it, one file a run, begun with its first record and rotated by size and age.

A database's files carry its name, so that two in one folder leave each other's alone. Each record is whole on disk before
anything refers to it: what a killed run left half-written is at the end of its last file, and is cut off at the next start.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import quote

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from crawler.items import WARC_SUFFIXES
from pipelines.archive.warc_records import warcinfo
from pipelines.database.new_file import sync_folder

FOLDER = "warc"

MAX_BYTES = 10**9
"""Size from which on another file is begun: what web archives use."""

MAX_AGE = timedelta(days=1)
"""Time from a file's first record to its last."""

Place = tuple[str, int, int]
"""Where a record lies: the file's name, the offset of its gzip member and that member's length, in bytes."""


def folder_of(database: Path) -> Path:
    """Where the WARC files of a database are; of a link beside what it leads to."""
    return database.resolve().parent / FOLDER


def path_of(database: Path, file: str) -> Path:
    """Where a file of captures.file lies: a bare name is one of the folder. With a `/` it is the path of an imported one, as given:
    a relative one is looked for beside the database, and else below the current folder."""
    if "/" not in file:
        return folder_of(database) / file
    beside = database.resolve().parent / file
    return Path(file) if holder_of(beside) is None and holder_of(Path(file)) else beside


def is_saved(file: str) -> bool:
    """Whether a file of captures.file is a page that somebody saved, and no WARC file."""
    return "/" in file and not PurePosixPath(file).name.lower().partition("?")[0].endswith(WARC_SUFFIXES)


def holder_of(path: Path) -> Path | None:
    """The file on the disk that is at a path: that itself, or the .zip or .tar that a saved page is in; None where neither is."""
    return next((one for one in (path, *path.parents) if os.path.isfile(one)), None)  # noqa: PTH113  # never raises


def is_in_folder(database: Path, file: Path) -> bool:
    """Whether a file lies where a database has its WARC files."""
    try:
        return file.parent.resolve() == folder_of(database).resolve()
    except (OSError, RuntimeError):
        return False


def own_files(database: Path) -> list[Path]:
    """The files that this database's runs have written, the oldest first; none where nobody may look."""
    folder, name = (
        folder_of(database),
        re.compile(rf"broadsheet-\d{{14}}-\d{{5}}-{re.escape(_name_of(database))}\.warc\.gz"),
    )
    try:
        return sorted(folder / entry.name for entry in os.scandir(folder) if name.fullmatch(entry.name))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _name_of(database: Path) -> str:
    return quote(os.fsencode(database.resolve().name))


def begun(file: Path) -> datetime:
    """When a file of own_files() was begun, by its name; the end of time where nobody of ours has named it so."""
    try:
        return datetime.strptime(file.name.split("-")[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)


def last_written(file: Path) -> datetime:
    """The latest time at which a file was written to, by its name."""
    try:
        return begun(file) + MAX_AGE
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


class WarcFiles:
    """Writes the files of one run. Raises OSError, with the name of the file, where the disk or the folder will not have it;
    what was written of the records at hand is then taken back."""

    def __init__(self, database: Path, *, user_agent: str = "", max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder_of(database)
        self._name = _name_of(database)
        self._user_agent = user_agent
        self._max_bytes = max_bytes
        self._file: BinaryIO | None = None
        self._path = self.folder
        self._began: datetime | None = None
        self._end = self._end_before = 0

    @property
    def name(self) -> str:
        """The file that is being written to; that of the folder before there is one."""
        return self._path.name

    def write(self, records: Sequence[Sequence[bytes]], now: datetime) -> list[Place]:
        """Write groups of records, all into one file; returns where the first of each group lies."""
        if self._file is not None and (self._end >= self._max_bytes or now - (self._began or now) >= MAX_AGE):
            self.close()
        try:
            head = [self._begin(now)] if self._file is None else []
            self._end_before = self._end
            places = list(self._places(records, self._end + sum(map(len, head))))
            self._append(b"".join([*head, *(member for group in records for member in group)]))
        except OSError as error:
            self.take_back()
            raise OSError(error.errno, error.strerror, str(self._path)) from error
        return places

    def _places(self, records: Sequence[Sequence[bytes]], offset: int) -> Iterator[Place]:
        for group in records:
            yield self._path.name, offset, len(group[0])
            offset += sum(map(len, group))

    def _begin(self, now: datetime) -> bytes:
        """Make the next file; returns its first record."""
        self._path = self.folder
        self.folder.mkdir(exist_ok=True)
        for serial in count():
            self._path = self.folder / f"broadsheet-{now:%Y%m%d%H%M%S}-{serial:05}-{self._name}.warc.gz"
            try:
                self._file = self._path.open("xb", buffering=0)
            except FileExistsError:
                continue
            self._began, self._end = now, 0
            break
        return warcinfo(self._path.name, self._user_agent)

    def _append(self, data: bytes) -> None:
        assert self._file is not None
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self._end += len(data)

    def take_back(self) -> None:
        """Leave the folder as it was before the last write, whether that came to its end or not. Raises OSError."""
        if self._file is not None and self._end_before:
            self._file.truncate(self._end_before)
            self._end = self._file.seek(self._end_before)
            return
        if self._file is not None:
            self._file.close()
            self._file = None
            self._path.unlink()
        with contextlib.suppress(OSError):  # it is not ours, or holds other files
            self.folder.rmdir()

    def close(self) -> None:
        """End the file: what it holds is on the disk, whatever happens to the power. Raises OSError."""
        if self._file is None:
            return
        with self._file as file:
            self._file = None
            os.fsync(file.fileno())
        sync_folder(self.folder)


def head_at(file: Path, offset: int) -> dict[str, str]:
    """The WARC headers of the record that begins at `offset`; {} where there is none, or no such file."""
    try:
        with file.open("rb") as stream:
            stream.seek(offset)
            record: Any = next(iter(ArchiveIterator(stream, no_record_parse=True)), None)
            return dict(record.rec_headers.headers) if record else {}
    except (OSError, ArchiveLoadFailed, EOFError):
        return {}
