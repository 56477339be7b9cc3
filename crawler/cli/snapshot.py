"""`broadsheet snapshot`: a backup, or a copy to publish; and sources.toml out of it. What they do is done in pipelines."""

import shlex
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click
from click.core import ParameterSource

from crawler.cli.common import DB, new_file_errors, open_archive, read_file, sources_option
from crawler.cli.output import STORAGE, USAGE, counted, is_absent, print_error, printable


@click.command()
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT.db")
@DB
@sources_option("Whose text goes into the copy.")
@click.option("--public", is_flag=True, help="A copy to publish: without what is its owner's, or reserved.")
@click.pass_context
def snapshot(context: click.Context, out: Path, db: Path, sources_file: Path, public: bool) -> None:
    """Copy the archive into one new file, also while a crawl writes.

    Copying news.db itself can miss what is still in news.db-wal. The copy is compact, and whole as soon as it has its
    name; until then that ends in .snapshot.part. No file is replaced.

    The text of sources.toml goes into it: `sources export sources.toml --db OUT.db` writes it again. The folder warc/ does
    not, and is to be copied afterwards.

    With --public the copy has nothing of sources.toml, of how runs were started, or of what only a crawl needs. Articles
    whose pages reserve text and data mining keep title, address and date in it; their text, description and versions go,
    from its bytes as well.
    """
    named = context.get_parameter_source("sources_file") is not ParameterSource.DEFAULT
    if public:
        if named:
            raise click.UsageError("--public leaves sources.toml out; --sources is for a backup")
        _publish(out, db)
    else:
        _back_up(out, db, sources_file, named=named)


def _back_up(out: Path, db: Path, sources_file: Path, *, named: bool) -> None:
    from pipelines.archive.warc_files import folder_of
    from pipelines.database.snapshot import put_sources_toml

    text = None if not named and is_absent(sources_file) else _text_of(sources_file)
    click.echo(_copied(out, db, lambda copy: None if text is None else put_sources_toml(copy, text)))
    if text is None:
        click.echo("There is no sources.toml here to go with it; `--sources FILE` names one.")
    else:
        again = f"broadsheet sources export sources.toml --db {shlex.quote(str(out))}"
        click.echo(printable(f"{sources_file} is in it: `{again}` writes it again."))
    warc = folder_of(db)
    with suppress(OSError):
        if warc.is_dir():
            again = f"cp -R {shlex.quote(str(warc))} FOLDER"
            click.echo(printable(f"{warc} is not in it: `{again}` copies the pages as they came."))


def _publish(out: Path, db: Path) -> None:
    from pipelines.publish.public_copy import make_public

    reserved: list[int] = []
    click.echo(_copied(out, db, lambda copy: reserved.append(make_public(copy)), older=False))
    click.echo("To publish: nothing of sources.toml, of how runs were started, or of what only a crawl needs is in it.")
    if reserved[0]:
        click.echo(
            f"The text of {counted(reserved[0], 'article')} is left out: the publisher reserves text and data mining."
        )


def _copied(out: Path, db: Path, finish: Callable[[sqlite3.Connection], None], *, older: bool = True) -> str:
    """Make the copy and say so; or end with the right message and status."""
    from crawler.cli.progress import copying
    from pipelines.database.connection import storage_errors
    from pipelines.database.snapshot import snapshot as copy

    with (
        new_file_errors(out),
        open_archive(db, older=older) as archive,
        storage_errors(out, read=db),
        copying(out) as follow,
    ):
        articles = copy(archive, db, out, follow, finish)
    return f"{out}: {counted(articles, 'article')}, {out.stat().st_size / 2**20:,.1f} MB."


def _text_of(path: Path) -> str:
    """The text of a sources.toml, whatever it says; or end where it cannot be read."""
    try:
        return read_file(path).decode("utf-8")
    except UnicodeDecodeError as error:
        sys.exit(print_error(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8", USAGE))


def restore_sources(file: Path, db: Path) -> None:
    """Write the sources.toml that lies in a snapshot to a file that is not there yet, or end with the right message."""
    from crawler.sources.edit import replace_file
    from crawler.sources.toml_file import SourcesError
    from pipelines.database.snapshot import sources_toml_of

    with open_archive(db, older=True) as archive:
        text = sources_toml_of(archive)
    if text is None:
        sys.exit(print_error(f"{db}: holds no sources.toml; `broadsheet snapshot` puts it into a copy", USAGE))
    if not is_absent(file):
        sys.exit(print_error(f"{file}: exists already; no sources.toml is replaced", USAGE))
    try:
        replace_file(file, text.encode())
    except SourcesError as error:
        sys.exit(print_error(str(error), USAGE))
    except OSError as error:
        sys.exit(print_error(f"{file}: {error.strerror}", STORAGE))
    click.echo(f"{file}: written as it lies in {db}.")
