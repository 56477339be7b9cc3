"""Files that are whole as soon as they have their name: written beside it, synced, renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class OutputError(OSError):
    """The disk or the folder will not have it: nothing that goes on could be kept. `filename` is set."""


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn what the system says while a file is written into an OutputError."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(error.errno, error.strerror or str(error), str(path)) from error


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file that has its name only when the block has ended well. Raises OutputError for what fails in here; what the
    block reads from elsewhere must not fail inside with a bare OSError."""
    scratch = path.with_name(f"{path.name}.part")
    with output_errors(path):
        try:
            with scratch.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            scratch.replace(path)
            _sync(path.parent)
        finally:
            scratch.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """A new name is on the disk when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
