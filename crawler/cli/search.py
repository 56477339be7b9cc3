"""`broadsheet search`: the articles that hold some words, for a terminal, a pipe or a program."""

import json
import re
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.common import DB, open_archive
from crawler.cli.output import USAGE, counted, print_error

if TYPE_CHECKING:
    from rich.text import Text

WIDTH = 80
"""Columns of a terminal that are used at most: longer lines are hard to read."""


def _day(context: click.Context, parameter: click.Parameter, said: str | None) -> str | None:
    from pipelines.publish.search import WHEN

    if said is not None and not re.fullmatch(WHEN, said):
        raise click.BadParameter(
            f"expected a year, month or day such as 2026, 2026-11 or 2026-11-21, not {said[:50]!r}"
        )
    return said


@click.command()
@click.argument("query")
@click.option("--source", metavar="NAME", help="Only of this source: its name, or its address.")
@click.option("--category", metavar="FOLDER", help="Only of sources in this folder, such as News/Local.")
@click.option("--language", metavar="CODE", help="Only in this language, such as de.")
@click.option("--since", metavar="DAY", callback=_day, help="Not older than this day, month or year.")
@click.option("--until", metavar="DAY", callback=_day, help="Not newer than this day, month or year.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Show N at most.", metavar="N"
)
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
@DB
def search(
    query: str, source: str | None, category: str | None, language: str | None, since: str | None, until: str | None, limit: int, as_json: bool, db: Path
) -> None:  # fmt: skip
    """Find articles, the newest first, also by the words of a copy.

    \b
    'crane quay'      both words             '"north quay"'   side by side
    'crane -gale'     one, not the other     'cran*'          a beginning
    'crane OR gale'   one of them        -- '-gale crane'    with a minus first

    In a pipe each hit is one line: date, source, title, address, where it stands and the words around it, between tabs.
    Exit status is 0, also when nothing is found; that is said on standard error.
    """
    from pipelines.publish.data import found_as_data
    from pipelines.publish.marks import with_marks
    from pipelines.publish.search import Filters, expression
    from pipelines.publish.search import search as look_for

    words = expression(query)
    if words is None:
        sys.exit(print_error("there is no word in that to look for", USAGE))
    with open_archive(db) as archive:
        archive.conn.row_factory = sqlite3.Row
        number = _source_id(archive.conn, source) if source else None
        folder = _folder(archive.conn, category) if category else None
        filters = Filters(source=number, category=folder, language=language, since=since, until=until)
        found = look_for(archive.conn, words, filters, size=limit)
        found = replace(found, rows=with_marks(archive.conn, found.rows))
    if as_json:
        click.echo(json.dumps(found_as_data(query, found), ensure_ascii=False, indent=2))
    elif sys.stdout.isatty():
        _print_for_readers(found.rows)
    else:
        _print_lines(found.rows)
    if not found.count:
        click.echo("Nothing found.", err=True)
    elif not found.rows:
        click.echo(f"{counted(found.count, 'article')} found, and none passes the filters.", err=True)
    elif found.more and not as_json:
        click.echo(f"There are more: --limit shows more than {limit:,}.", err=True)


def _source_id(base: sqlite3.Connection, name: str) -> int:
    """The number of a source by its name or address; or end with the message that there is none."""
    from crawler.sources.toml_file import nearest
    from pipelines.publish.queries import source_numbers

    numbers = source_numbers(base)
    by_name = {said.casefold(): number for said, number in numbers.items()}
    if (found := by_name.get(name.casefold())) is None:
        hint = nearest(name, numbers, "`broadsheet status` shows them")
        sys.exit(print_error(f"no source is called {name!r}{hint}", USAGE))
    return found


def _folder(base: sqlite3.Connection, name: str) -> str | None:
    """The category of a name; or end with the message that no source is in it."""
    from crawler.folders import category_of
    from crawler.sources.toml_file import nearest
    from pipelines.publish.categories import folders, has_sources, named

    folder = named(name)
    if folder is not None and not has_sources(base, folder):
        known = [category_of([one]) or "" for one in folders(base)]
        hint = nearest(name, known, "`broadsheet sources list` shows them")
        sys.exit(print_error(f"no source is in the category {folder!r}{hint}", USAGE))
    return folder


def _print_lines(hits: list[dict[str, Any]]) -> None:
    """One line a hit, with tabs between its fields."""
    from pipelines.publish.formatting import starred, where_in_words

    for hit in hits:
        said = (where_in_words(hit), starred(hit["said_title"]), starred(hit["snippet"]))
        fields = (hit["sort_at"], hit["source"], hit["title"], hit["url"], ": ".join(filter(None, said)))
        click.echo("\t".join(_on_one_line(field or "") for field in fields))


def _print_for_readers(hits: list[dict[str, Any]]) -> None:
    """Some lines a hit, no longer than WIDTH, with the hits in bold."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from pipelines.publish.formatting import exactly, where_in_words

    console = Console(highlight=False)
    width = min(console.width, WIDTH)
    for hit in hits:
        console.print(Text(f"{exactly(hit['sort_at'])}  {_on_one_line(hit['source'] or '')}", "dim"), width=width)
        console.print(_in_bold(hit["heading"]) or Text("(without a title)"), width=width)
        console.print(_on_one_line(hit["url"]), soft_wrap=True, markup=False)
        said = (Text(_on_one_line(where_in_words(hit))), _in_bold(hit["said_title"]), _in_bold(hit["snippet"]))
        console.print(Padding(Text(": ").join(filter(None, said)), (0, 0, 1, 2)), width=width)


def _in_bold(marked: str | None) -> "Text":
    """What stands between MARKS in bold."""
    from rich.text import Text

    from pipelines.publish.formatting import MARKS, together

    pieces = re.split("[{}{}]".format(*MARKS), together(marked))
    return Text.assemble(*((_on_one_line(piece), "bold" if number % 2 else "") for number, piece in enumerate(pieces)))


def _on_one_line(text: str) -> str:
    """A text without what a terminal or a list of lines would take for more than text."""
    return re.sub(" {2,}", " ", "".join(char if char.isprintable() else " " for char in text))
