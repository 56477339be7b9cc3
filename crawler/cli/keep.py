"""`broadsheet sources remove`, `disable`, `enable` and `rename`: what a site's table in sources.toml says of it, changed.

The archive is not touched: the next crawl makes it say what sources.toml says. A source is its address there, and its
articles are its own under whatever name.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.common import SOURCES, named_sources, read_sources_file, read_text_or_exit, save_sources
from crawler.cli.output import USAGE, print_error, printable

if TYPE_CHECKING:
    from crawler.items import Source

NAMES = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.command()
@NAMES
@SOURCES
def remove(names: tuple[str, ...], sources_file: Path) -> None:
    """Take sites out of sources.toml, by name or address.

    What they gave stays in the archive, where they are `off` from the next crawl on; `broadsheet forget URL...` takes
    articles down. A site that is added again goes on where it stopped.
    """
    from crawler.sources.edit import without_sources

    read = read_sources_file(sources_file)
    gone = named_sources(names, read)
    numbers = {number for number, source in enumerate(read.sources) if source in gone}
    _write(sources_file, lambda text: without_sources(text, numbers))
    click.echo(
        f"{sources_file}: removed {_listed(gone)}. Articles stay in the archive; the next crawl notes that it is off."
    )


@click.command()
@NAMES
@SOURCES
def disable(names: tuple[str, ...], sources_file: Path) -> None:
    """Ask sites no more, by name or address.

    sources.toml says `enabled = false` of them, and all else that it said. What they gave stays in the archive, where they are `off` from the next crawl on.
    """
    _enable(names, sources_file, enabled=False)


@click.command()
@NAMES
@SOURCES
def enable(names: tuple[str, ...], sources_file: Path) -> None:
    """Ask sites again that were disabled, by name or address."""
    _enable(names, sources_file, enabled=True)


def _enable(names: Iterable[str], path: Path, *, enabled: bool) -> None:
    from crawler.sources.edit import with_values

    read = read_sources_file(path)
    named = named_sources(tuple(names), read)
    changed = [source for source in named if source.enabled != enabled]
    if changed:
        numbers = [number for number, source in enumerate(read.sources) if source in changed]

        def edited(text: str) -> str:
            for number in numbers:
                text = with_values(text, number, {"enabled": enabled})
            return text

        _write(path, edited)
        after = "The next crawl asks again." if enabled else "Articles stay in the archive; nothing more is asked."
        click.echo(f"{path}: {'enabled' if enabled else 'disabled'} {_listed(changed)}. {after}")
    if same := [source for source in named if source not in changed]:
        click.echo(f"{path}: {'enabled' if enabled else 'disabled'} already: {_listed(same)}.")


@click.command()
@click.argument("name")
@click.argument("new_name", metavar="NEW")
@SOURCES
def rename(name: str, new_name: str, sources_file: Path) -> None:
    """Call a site something else.

    NAME is its name or address, NEW what sources.toml is to call it. Its address stays, and so it is the same source to the archive: what it gave is shown under the new name from the next
    crawl on.
    """
    from crawler.sources.edit import with_values

    read = read_sources_file(sources_file)
    (source,) = named_sources([name], read)
    if new_name == source.name:
        sys.exit(print_error(f"{sources_file}: {source.url} is called {new_name!r} already", USAGE))
    if other := next((other for other in read.sources if other.name == new_name), None):
        sys.exit(print_error(f"{sources_file}: {new_name!r} is the name of {other.url}; names are unique", USAGE))
    _write(sources_file, lambda text: with_values(text, read.sources.index(source), {"name": new_name}))
    said = f"{sources_file}: {source.name} is called {new_name} now, in the archive from the next crawl on."
    click.echo(printable(said))


def _write(path: Path, edited: Callable[[str], str]) -> None:
    """Write what an edit makes of sources.toml, or exit with the message of why it cannot."""
    from crawler.sources.toml_file import SourcesError

    try:
        text = edited(read_text_or_exit(path))
    except SourcesError as error:
        sys.exit(print_error(f"{path}: {error}", USAGE))
    save_sources(path, text, may_be_empty=True)


def _listed(sources: Iterable["Source"]) -> str:
    return printable(", ".join(source.name for source in sources))
