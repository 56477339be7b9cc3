"""What the command lines share: options, and how a command ends whose file cannot be used."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crawler.cli.output import BUSY, STORAGE, USAGE, print_error

if TYPE_CHECKING:
    from crawler.sources.toml_file import SourcesFile
    from pipelines.database.sqlite import Database

Command = TypeVar("Command", bound=Callable[..., Any])

DB = click.option(
    "--db",
    type=click.Path(path_type=Path),
    default=Path("news.db"),
    show_default=True,
    help="The archive: one SQLite file.",
)


def sources_option(help: str) -> Callable[[Command], Command]:
    """The option that names a sources.toml, and what it is for."""
    return click.option(
        "--sources",
        "sources_file",
        type=click.Path(path_type=Path),
        default=Path("sources.toml"),
        show_default=True,
        help=help,
    )


SOURCES = sources_option("Whom to watch.")


QUIET = click.option("--quiet", is_flag=True, help="Print nothing unless a person must act: for cron.")


@contextmanager
def open_archive(db: Path, *, older: bool = False) -> Iterator["Database"]:
    """An archive to read, one of an older schema only if told so; or end with the right message and status, also when
    the disk or the file fails inside the block."""
    from pipelines.database.connection import connect, storage_errors

    with archive_errors(), storage_errors(db), closing(connect(db, older=older)) as archive:
        yield archive


@contextmanager
def archive_errors() -> Iterator[None]:
    """End with the right message and status when an archive cannot be used."""
    from pipelines.database.connection import NotOurDatabase, StorageError
    from pipelines.database.lock import LockTaken

    try:
        yield
    except LockTaken as error:
        sys.exit(print_error(str(error), BUSY))
    except NotOurDatabase as error:
        sys.exit(print_error(str(error), USAGE))
    except StorageError as error:
        sys.exit(print_error(str(error), STORAGE))


@contextmanager
def new_file_errors(out: Path) -> Iterator[None]:
    """End with the right message and status when a new file cannot be made or written."""
    try:
        yield
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
        sys.exit(print_error(str(error) if error.filename is None else f"{out}: no such folder", USAGE))
    except OSError as error:
        sys.exit(print_error(f"{out}: {error.strerror or error}", STORAGE))


def read_file(path: Path, most: int | None = None) -> bytes:
    """A file that a person wrote, of at most so many bytes, or exit with the message of what is wrong with it."""
    from crawler.sources.toml_file import MAX_FILE_BYTES, SourcesError, read_bytes

    try:
        return read_bytes(path, most or MAX_FILE_BYTES)
    except SourcesError as error:
        sys.exit(print_error(str(error), USAGE))
    except OSError as error:
        sys.exit(print_error(f"{path}: {error.strerror}", USAGE))


def read_sources_file(path: Path, *, may_be_empty: bool = False) -> "SourcesFile":
    """Read sources.toml, or exit with the message of what is wrong with it."""
    from crawler.sources.toml_file import SourcesError, read_sources

    try:
        return read_sources(path, may_be_empty=may_be_empty)
    except SourcesError as error:
        sys.exit(print_error(str(error), USAGE))
