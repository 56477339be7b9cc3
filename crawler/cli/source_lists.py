"""`broadsheet sources import` and `export`: lists of other programs into sources.toml, and out of it."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.common import (
    DB,
    OFFLINE,
    SOURCES,
    append_sources,
    open_archive,
    read_file,
    read_sources_file,
    sources_so_far,
)
from crawler.cli.output import (
    DONE,
    MOST_NAMED,
    STORAGE,
    USAGE,
    counted,
    is_absent,
    print_counts,
    print_error,
    printable,
    some,
)
from crawler.cli.snapshot import restore_sources

if TYPE_CHECKING:
    from crawler.items import Source
    from crawler.sources.exchange import ImportResult
    from crawler.sources.toml_file import SourcesFile


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@SOURCES
@click.option("--no-look", is_flag=True, help="Ask no site for its name and language.")
@OFFLINE
def import_list(file: Path, sources_file: Path, no_look: bool, offline: Path | None) -> None:
    """Add the sites of another program's list to sources.toml.

    \b
    .opml  (or .xml) what feed readers export; folders become the category:
           News/National, or News; Local for two
    .csv   a header row with keys of sources.toml (url, name, category, …);
           a space between two feeds
    .txt   one address a line, # begins a comment

    What is there already is not added again; what the list had and sources.toml has no place for is named. Of each new site
    the front page is asked for its name and language, where the list does not say them; a site that does not answer is
    added all the same. `sources check --look` asks for their feeds and five articles, too.
    """
    from crawler.sources.exchange import SUFFIXES, merge_into, read_list
    from crawler.sources.opml import UnreadableList

    if no_look and offline:
        raise click.UsageError("--offline is for a look; --no-look asks nobody")
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        sys.exit(print_error(f"{file}: expected one of {', '.join(SUFFIXES)}", USAGE))
    known = sources_so_far(sources_file)
    unused: Counter[str] = Counter()
    try:
        entries = read_list(read_file(file), suffix, unused)
    except UnreadableList as error:
        sys.exit(print_error(f"{file}: {error}", USAGE))
    if not entries:
        sys.exit(print_error(f"{file}: names no site", USAGE))
    result = merge_into(entries, known.sources)
    if result.new:
        new = list(result.new) if no_look else _introduced(result, known, offline)
        append_sources(sources_file, new)
    _print_import(result, sources_file)
    print_counts(f"{file}: not used", unused)
    sys.exit(USAGE if result.refused and not (result.new or result.already_present) else DONE)


def _introduced(result: "ImportResult", known: "SourcesFile", offline: Path | None) -> list[dict[str, Any]]:
    """The new entries with what their front pages say of them, where the list does not; ends when the look does."""
    from crawler.cli.preview import front_pages_say
    from crawler.sources.exchange import is_named, with_said
    from crawler.sources.toml_file import source_of

    sources = [source_of(entry, "entry") for entry in result.new]
    lacking = [source for source in sources if source.enabled and not (is_named(source) and source.language)]
    if not lacking:
        return list(result.new)
    code, said = front_pages_say(lacking, known.crawl, offline)
    if code != DONE:
        sys.exit(print_error("nothing was added; `--no-look` adds the list without asking its sites", code))
    if silent := len([source for source in lacking if source.url not in said]):
        them = "its name and language are" if silent == 1 else "their names and languages are"
        click.echo(f"{counted(silent, 'front page')} could not be read: {them} as the list says.", err=True)
    return with_said(result.new, known.sources, said)


def _print_import(result: "ImportResult", path: Path) -> None:
    click.echo(f"{path}: {_what_is_new(result.new)}.")
    if result.already_present:
        click.echo(f"There already: {printable(some(result.already_present, ', '))}.")
    for mistake in result.refused[:MOST_NAMED]:
        click.echo(f"not added: {printable(mistake)}", err=True)
    if len(result.refused) > MOST_NAMED:
        click.echo(f"not added: {len(result.refused) - MOST_NAMED:,} more", err=True)


def _what_is_new(new: Sequence[Mapping[str, Any]]) -> str:
    """`9 sources added, their feeds are looked for at the first crawl`: how many, and where their pages will come from."""
    from crawler.items import ENTRY_POINTS

    if not new:
        return "nothing new"
    feeds = sum(len(entry.get("feeds", ())) for entry in new)
    bare = len([entry for entry in new if not any(entry.get(kind) for kind in ENTRY_POINTS)])
    with_feeds = f" with {counted(feeds, 'feed')}" if feeds else ""
    added = f"{counted(len(new), 'source')}{with_feeds} added"
    if not bare:
        return added
    whose = ("its" if bare == 1 else "their") if bare == len(new) else f"of {bare:,} the"
    return f"{added}, {whose} feeds are looked for at the first crawl"


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@SOURCES
@DB
def export_list(file: Path, sources_file: Path, db: Path) -> None:
    """Write the sites of sources.toml as another program's list.

    FILE is an .opml (or .xml), .csv or .txt; an old one is replaced.

    OPML is for feed readers: of a site whose feeds sources.toml does not name it has those that the archive found. CSV
    holds all that sources.toml says of a site, a text file only the addresses.

    A .toml is the sources.toml that `broadsheet snapshot` put into the archive, letter by letter. It replaces no file.
    """
    from crawler.sources.edit import replace_file
    from crawler.sources.exchange import SUFFIXES, write_list
    from crawler.sources.toml_file import SourcesError

    suffix = file.suffix.lower()
    if suffix == ".toml":
        restore_sources(file, db)
        return
    if suffix not in SUFFIXES:
        sys.exit(print_error(f"{file}: expected one of {', '.join((*SUFFIXES, '.toml'))}", USAGE))
    listed = read_sources_file(sources_file).sources
    if suffix in (".opml", ".xml"):
        listed = _with_known_feeds(listed, db)
    left_out: Counter[str] = Counter()
    try:
        replace_file(file, write_list(listed, suffix, left_out))
    except SourcesError as error:
        sys.exit(print_error(str(error), USAGE))
    except OSError as error:
        sys.exit(print_error(f"{file}: {error.strerror}", STORAGE))
    written = len(listed) - left_out["source without a feed"]
    click.echo(f"{file}: {counted(written, 'source')} written.")
    print_counts("Left out", left_out)


def _with_known_feeds(listed: tuple["Source", ...], db: Path) -> tuple["Source", ...]:
    """The sources, with the feeds that were discovered where none are named."""
    if is_absent(db):
        return listed
    from pipelines.archive.queries import known_feeds

    with open_archive(db) as archive:
        known = known_feeds(archive)
    return tuple(source if source.feeds else replace(source, feeds=known.get(source.url, ())) for source in listed)
