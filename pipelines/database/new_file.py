"""Files that are whole as soon as they have their name (atomic write).

Snapshots and exports are new and replace none: until then the name ends in eight digits of its own, what it is, and `.part`.
What is made again and again (replaced_file) takes the place of the one before.
"""

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

KINDS = ("snapshot", "export")
"""What is made so."""


@contextlib.contextmanager
def new_file(out: Path, kind: str, mode: int) -> Iterator[Path]:
    """A new file to write, of one of KINDS and with these permissions, which becomes `out` at the end of the block, or is gone again.

    Its lock tells one that is being written from one that a killed command left. Raises FileExistsError where `out` is there.
    """
    if out.exists():
        raise _is_there(out)
    part = out.absolute().with_name(f"{out.name}.{secrets.token_hex(4)}.{kind}.part")
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode | stat.S_IWUSR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield part
        os.fchmod(descriptor, os.fstat(descriptor).st_mode & mode)  # of an archive that nobody may write
        os.fsync(descriptor)
        _give_name(part, out)
    finally:
        part.unlink(missing_ok=True)
        journal_of(part).unlink(missing_ok=True)
        os.close(descriptor)


def _give_name(part: Path, out: Path) -> None:
    """Name the finished file, unless somebody has made one of this name meanwhile; a link, unlike a new name, replaces none."""
    try:
        out.hardlink_to(part)
    except FileExistsError:
        raise _is_there(out) from None
    except OSError:  # FAT and some network disks have no links
        if out.exists():
            raise _is_there(out) from None
        part.rename(out)


def _is_there(out: Path) -> FileExistsError:
    return FileExistsError(f"{out} exists already; no file is replaced")


@contextlib.contextmanager
def replaced_file(path: Path, scratch: Path) -> Iterator[BinaryIO]:
    """Write `scratch`, in the same folder, which becomes `path` when the block has ended well, and is gone otherwise. Whoever reads
    sees the file before or this one, also after the power failed. Raises OSError."""
    try:
        with scratch.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        scratch.replace(path)
        sync_folder(path.parent)
    finally:
        scratch.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk: a new file is there when its name is. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def leftovers(folder: Path) -> Iterator[Path]:
    """Beginnings of files that a killed command left in a folder."""
    parts = (part for kind in KINDS for part in folder.glob(f"*.{'[0-9a-f]' * 8}.{kind}.part"))
    for part in sorted(parts):
        with contextlib.suppress(OSError), part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield part


def journal_of(part: Path) -> Path:
    """What SQLite writes beside a copy that is being made."""
    return part.with_name(part.name + "-journal")
