"""Files that are whole as soon as they have their name: written beside it, synced, renamed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pipelines.database.new_file import replaced_file


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
    with output_errors(path), replaced_file(path, path.with_name(f"{path.name}.part")) as stream:
        yield stream
