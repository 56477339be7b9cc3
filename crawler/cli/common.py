"""What the command lines share: options, and how a command ends whose file cannot be used."""

import difflib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crawler.cli.output import BUSY, STORAGE, USAGE, is_absent, print_error, print_errors

if TYPE_CHECKING:
    from crawler.items import Source
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


OFFLINE = click.option(
    "--offline",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Read https://HOST/path from DIR/HOST/path instead of the network.",
)


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
        sys.exit(print_errors(error.args, USAGE))


def sources_of(path: Path) -> tuple["Source", ...]:
    """The sources that a sources.toml names, whose settings local copies are read by; none where there is no such file."""
    return () if is_absent(path) else read_sources_file(path, may_be_empty=True).sources


def named_sources(names: Sequence[str], read: "SourcesFile") -> tuple["Source", ...]:
    """The sources with these names or addresses, or exit with the message of the nearest; all where nothing is named."""
    by_name = {key: source for source in read.sources for key in (source.url, source.name)}
    found = []
    for name in names:
        source = by_name.get(name) or by_name.get(_address_of(name))
        if source is None:
            close = difflib.get_close_matches(name, by_name, n=1)
            nearest = f"; did you mean {close[0]!r}?" if close else "; `broadsheet sources list` shows them"
            sys.exit(print_error(f"no source is called {name!r}{nearest}", USAGE))
        found.append(source)
    return tuple(dict.fromkeys(found)) or read.sources


def _address_of(name: str) -> str:
    """The address that a person means by `www.x.example`; "" where it is none."""
    from crawler.sources.exchange import with_scheme
    from crawler.urls import UnusableURL, canonical_url

    try:
        return canonical_url(with_scheme(name))
    except UnusableURL:
        return ""


def read_text_or_exit(path: Path) -> str:
    """The text of sources.toml, "" where there is none yet, or exit with the message of what is wrong with it."""
    from crawler.sources.edit import read_text
    from crawler.sources.toml_file import SourcesError

    try:
        return read_text(path)
    except SourcesError as error:
        sys.exit(print_error(str(error), USAGE))


def save_sources(path: Path, text: str, *, may_be_empty: bool = False) -> None:
    """Write sources.toml when what it says now can be used; it stays as it was otherwise."""
    from crawler.sources.edit import save
    from crawler.sources.toml_file import SourcesError

    try:
        save(path, text, may_be_empty=may_be_empty)
    except SourcesError as error:
        sys.exit(print_errors(error.args, USAGE))
    except OSError as error:
        sys.exit(print_error(f"{path}: {error.strerror}", STORAGE))


def sources_so_far(path: Path) -> "SourcesFile":
    """What sources.toml says; it may have no source yet, or not be there."""
    from crawler.sources.toml_file import CrawlSettings, SourcesFile

    if is_absent(path):
        if not path.absolute().parent.is_dir():
            sys.exit(print_error(f"{path}: no such folder", USAGE))
        return SourcesFile(crawl=CrawlSettings(), sources=())
    return read_sources_file(path, may_be_empty=True)


def append_sources(path: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """Put [[source]] tables at the end of sources.toml; it stays as it was when that fails."""
    from crawler.sources.edit import with_entries

    save_sources(path, with_entries(read_text_or_exit(path), entries))
