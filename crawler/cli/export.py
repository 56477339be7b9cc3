"""`broadsheet export`: the corpus as one table for pandas, R, DuckDB or a spreadsheet. What it does is done in pipelines."""

import re
import sys
from collections.abc import Collection
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from crawler.cli.common import DB, new_file_errors, open_archive
from crawler.cli.output import USAGE, counted, print_error, printable

if TYPE_CHECKING:
    from pipelines.database.sqlite import Database
    from pipelines.publish.export import Selection

SUFFIXES = (".parquet", ".csv", ".jsonl")


def _day(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A year, a month or a day, as 2026, 2026-11 and 2026-11-03."""
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{4}(-[0-9]{2}){0,2}", value):
        with suppress(ValueError):
            date.fromisoformat(f"{value}-01-01"[:10])
            return value
    raise click.BadParameter(f"{value!r}: expected a year, month or day such as 2026, 2026-11 or 2026-11-03")


@click.command()
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT.parquet|.csv|.jsonl")
@DB
@click.option(
    "--since", callback=_day, metavar="DAY", help="Published on this day or later: 2026-11-03, 2026-11 or 2026."
)
@click.option("--until", callback=_day, metavar="DAY", help="Published on this day or before.")
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="NAME",
    help="Of this source, by its name or address. May be said several times.",
)
@click.option("--language", "languages", multiple=True, metavar="en,de", help="In these languages.")
@click.option("--query", metavar="WORDS", help="Articles that the reading room's search finds for these words.")
@click.option("--with-copies", is_flag=True, help="Also a row for each copy at another address, with its own text.")
@click.option("--with-versions", is_flag=True, help="Also a row for each earlier text or title.")
@click.option("--public", is_flag=True, help="Without the texts whose publishers reserve text and data mining.")
@click.option(
    "--schema",
    type=click.Choice(["broadsheet", "schema.org"]),
    default="broadsheet",
    show_default=True,
    help="The names of the fields; schema.org's NewsArticle is for .jsonl.",
)
@click.option("--ids-only", is_flag=True, help="Addresses and hashes alone: for a corpus that may not be handed on.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="N documents by chance, in random order.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another number is another sample.")
@click.pass_context
def export(context: click.Context, /, out: Path, db: Path, **options: Any) -> None:
    """Write the corpus as one table, a row an article.

    For pandas, R, DuckDB or a spreadsheet. The rows are those of the view `documents`; docs/research.md says what each column is, and how to read the file. The
    ending of OUT says the format: Parquet, CSV or JSON Lines. It is whole as soon as it has its name; until then that
    ends in .export.part. No file is replaced. A crawl may write meanwhile.

    An article without a date counts on the day when it was first seen, in --since and --until.
    """
    form = _form(out, options)
    drawn = _drawn(context, options)
    _need_pyarrow(out)
    with new_file_errors(out), open_archive(db) as archive:
        selection = _selection(archive, db, options)
        said = _written(archive, db, out, selection, form, drawn)
    click.echo(said)


def _form(out: Path, options: dict[str, Any]) -> str:
    """How documents are told. Ends where the options say two things."""
    suffix = out.suffix.lower()
    if suffix not in SUFFIXES:
        raise click.UsageError(f"{out}: the ending says the format; expected one of {', '.join(SUFFIXES)}")
    if options["schema"] == "broadsheet":
        return "ids" if options["ids_only"] else "broadsheet"
    if options["ids_only"]:
        raise click.UsageError("--ids-only has columns of its own; --schema is for whole documents")
    if suffix != ".jsonl":
        raise click.UsageError(f"--schema {options['schema']} is for .jsonl: its authors and outlets are objects")
    return str(options["schema"])


def _drawn(context: click.Context, options: dict[str, Any]) -> tuple[int, int] | None:
    """The size and the seed of a sample; None where all is written."""
    if options["sample"] is not None:
        return options["sample"], options["seed"]
    if context.get_parameter_source("seed") is not ParameterSource.DEFAULT:
        raise click.UsageError("--seed is for --sample")
    return None


def _need_pyarrow(out: Path) -> None:
    if out.suffix.lower() == ".parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ModuleNotFoundError:
            sys.exit(print_error(f"{out}: Parquet needs pyarrow: pip install 'broadsheet[parquet]'", USAGE))


def _selection(archive: "Database", db: Path, options: dict[str, Any]) -> "Selection":
    """What is wanted, by the archive's own names; or end with the message of what it does not know."""
    from pipelines.publish import export as station

    since, until = options["since"], options["until"]
    if since and until and since > f"{until}~":
        raise click.UsageError(f"--since {since} is after --until {until}")
    names = station.sources(archive)
    languages = [tag for listed in options["languages"] for tag in listed.lower().replace(",", " ").split()]
    _check_known(options["sources"], names, db, "no source is called")
    _check_known(languages, station.languages(archive), db, "no article is in")
    try:
        words, without = (None, None) if options["query"] is None else station.query(archive, options["query"])
    except station.UnusableQuery as error:
        raise click.UsageError(f"--query: {error}") from None
    copies, versions = options["with_copies"], options["with_versions"]
    return station.Selection(
        kinds=("article", *["copy"] * copies, *["version"] * versions),
        since=since,
        until=until,
        sources=tuple(names[name] for name in options["sources"]),
        languages=tuple(languages),
        words=words,
        without=without,
        is_public=options["public"],
    )


def _check_known(wanted: Collection[str], known: Collection[str], db: Path, no: str) -> None:
    from crawler.sources.toml_file import nearest

    for one in wanted:
        if one not in known:
            raise click.UsageError(f"{db}: {no} {one!r}{nearest(one, known) if known else ''}")


def _written(
    archive: "Database", db: Path, out: Path, selection: "Selection", form: str, drawn: tuple[int, int] | None
) -> str:
    """Write the file, and say what is in it."""
    from crawler.cli.progress import counting
    from pipelines.database.new_file import new_file
    from pipelines.publish.export import write_documents

    mode = db.stat().st_mode & 0o777
    with new_file(out, "export", mode) as part, counting(out.name, quiet=False) as follow:
        suffix = out.suffix.lower()
        written = write_documents(archive, selection, part, suffix=suffix, form=form, drawn=drawn, follow=follow)
    sampled = f", a sample with seed {drawn[1]}" if drawn else ""
    size = f", {megabytes:,.1f} MB" if (megabytes := out.stat().st_size / 2**20) >= 0.1 else ""
    lines = [f"{out}: {counted(written.documents, 'document')}{size}{sampled}."]
    if written.reserved:
        lines.append(
            f"The text of {counted(written.reserved, 'document')} is left out: the publisher reserves text and data mining."
        )
    return "\n".join(map(printable, lines))
