"""`broadsheet import`: saved pages and archives. The command line; how they are read is done in crawler.parsers.copies."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.common import DB, QUIET, read_file, sources_of
from crawler.cli.loading import load
from crawler.cli.output import DONE, USAGE, folded, print_error, printable
from crawler.cli.run import Job, run

if TYPE_CHECKING:
    from crawler.items import Page
    from crawler.sources.article_lists import Listed
    from crawler.sources.metadata import Metadata


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@DB
@click.option("--source", metavar="NAME", help="The outlet of pages whose site is not known.")
@click.option("--by-folder", is_flag=True, help="Their outlet is the folder below PATH that they are in.")
@click.option(
    "--metadata",
    "metadata_file",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="A list of the pages: file or url, outlet, date, title.",
)
@QUIET
def import_(
    paths: tuple[Path, ...], db: Path, source: str | None, by_folder: bool, metadata_file: Path | None, quiet: bool
) -> None:
    """Store saved pages and archives.

    PATH is a saved page (.html, .txt, .mhtml, .webarchive), a folder, a HOST/path tree as wget makes it, a .zip or
    .tar of these, a .warc or .warc.gz archive, or what `broadsheet backfill` made of such archives. What is no page is counted by its ending, a page that gave no article
    named with the reason.

    A page's address is the archive's or the tree's, else the one the page names as its own. A sources.toml in this
    folder is used for the sites it names, as a crawl would. A page that names no address, or one of a site that the
    archive does not know, belongs to the outlet that --metadata, --source or --by-folder names.

    The CSV has a header. A file is called as seen from the CSV, from PATH, or as it is imported. Title and date are
    believed where the page says none, an url where it has no address.
    """
    from pipelines.backfill.manifest import is_backfill

    for path in paths:
        if fault := None if is_backfill(path) else _no_copies(path):
            sys.exit(print_error(f"{path}: {fault}", USAGE))
    known = sources_of(Path("sources.toml"))
    if folder := next(filter(is_backfill, paths), None):
        if len(paths) > 1 or source or by_folder or metadata_file:
            sys.exit(
                print_error(
                    f"{folder}: a backfill, of which all is known: it is loaded by itself, and without options", USAGE
                )
            )
        sys.exit(load(folder, db, known, quiet=quiet))
    metadata = read_metadata(metadata_file) if metadata_file else None
    told = {"outlet_of": _outlet_of(source, by_folder=by_folder), "metadata": metadata}
    arguments = {"paths": paths, "sources": known} | told
    code = run(Job(spider="copies", db=db, settings={}, arguments=arguments, quiet=quiet))
    if metadata_file and metadata and code == DONE and not quiet:
        _print_unmet(metadata_file, metadata.unmet())
    sys.exit(code)


def _outlet_of(name: str | None, *, by_folder: bool) -> Callable[["Page", Path], str | None]:
    """What names the outlet of a page that was read below a path."""
    from crawler.sources.outlets import outlet_of_folder
    from pipelines.text import clean

    if name is not None and by_folder:
        raise click.UsageError("--source names one outlet for all, --by-folder one for each folder: choose")
    if by_folder:
        return outlet_of_folder
    if name is not None and not clean(name):
        raise click.BadParameter("expected a name", param_hint="--source")
    outlet = None if name is None else clean(name)
    return lambda page, given: outlet


def read_metadata(file: Path) -> "Metadata":
    """What a CSV says of saved pages, or end with the message of what is wrong with it."""
    from crawler.sources.metadata import Metadata

    return Metadata(read_list_file(file, (".csv",), of_files=True), file.parent)


def read_list_file(file: Path, suffixes: tuple[str, ...], *, of_files: bool = False) -> "list[Listed]":
    """A list of articles, or end with the message of what is wrong with it."""
    from crawler.sources.article_lists import MAX_LIST_BYTES, UnusableList, read_articles

    suffix = file.suffix.lower()
    if suffix not in suffixes:
        sys.exit(print_error(f"{file}: expected {' or '.join(suffixes)}", USAGE))
    try:
        return read_articles(read_file(file, MAX_LIST_BYTES), suffix, of_files=of_files)
    except UnusableList as error:
        sys.exit(print_error(f"{file}: {error}", USAGE))


def _print_unmet(file: Path, unmet: "list[Listed]") -> None:
    """The lines of a list that no page was found for."""
    lines = (f"{file}: line {one.line}: no such page: {one.file or one.url}" for one in unmet)
    for line in folded(lines, whole=not sys.stderr.isatty()):
        click.echo(printable(line), err=True)


def _no_copies(path: Path) -> str | None:
    """Why nothing can be imported from a path."""
    from crawler.parsers.saved_files import KNOWN_SUFFIXES, may_hold_pages, pages_below

    kinds = ", ".join(KNOWN_SUFFIXES)
    try:
        if not path.exists():
            return "no such file or folder"
        if not (path.is_file() or path.is_dir()):
            return "is neither a file nor a folder"
    except OSError as error:
        return error.strerror
    if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
        return "may not be read"
    if path.is_file():
        return None if may_hold_pages(path) else f"expected one of {kinds}"
    found = next(pages_below(path), None)
    return None if found else f"no page in this folder (looked for {kinds})"
