"""`broadsheet sources`: the sites to watch. The command lines; what they say is done elsewhere."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli import adding, keep, source_lists
from crawler.cli.common import (
    DB,
    OFFLINE,
    SOURCES,
    named_sources,
    open_archive,
    read_sources_file,
    read_text_or_exit,
    save_sources,
)
from crawler.cli.groups import Commands
from crawler.cli.output import DONE, FAILED, USAGE, counted, print_error, some

if TYPE_CHECKING:
    from crawler.items import Source


@click.group(cls=Commands)
def sources() -> None:
    """The sites to watch: add, list, check, change, import them."""


for command in (
    adding.add,
    source_lists.import_list,
    source_lists.export_list,
    keep.remove,
    keep.disable,
    keep.enable,
    keep.rename,
):
    sources.add_command(command)


@sources.command("check")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@SOURCES
@DB
@click.option("--write", is_flag=True, help="Put what is proposed into sources.toml; comments there stay.")
@click.option(
    "--look", is_flag=True, help="Look at the sites themselves, as `sources add` does, instead of the archive."
)
@OFFLINE
def sources_check(
    names: tuple[str, ...], sources_file: Path, db: Path, write: bool, look: bool, offline: Path | None
) -> None:
    """Propose settings from what is stored, or --look at sites again.

    All sources are checked, or those that are named. Without --look, settings are proposed from what the archive knows:
    lines that stand in many articles of a source, and where its titles are. With --look, every enabled site is asked for
    its entry points and five articles, which are shown and not kept; exit status 1 when one of them gives no article.
    """
    listed = named_sources(names, read_sources_file(sources_file))
    if look:
        if write:
            raise click.UsageError("--write is for what the archive proposes; --look proposes nothing")
        _preview_all(listed, sources_file, offline)
    elif offline:
        raise click.UsageError("--offline is for --look; without it nobody is asked")
    else:
        _print_suggestions(listed, sources_file, db, write=write)


def _preview_all(listed: Sequence["Source"], sources_file: Path, offline: Path | None) -> None:
    from crawler.cli.preview import describe, preview

    enabled = [source for source in listed if source.enabled]
    if not enabled:
        sys.exit(print_error(f"{sources_file}: none of these sources is enabled", USAGE))
    if sys.stderr.isatty():
        click.echo(f"Looking at {counted(len(enabled), 'site')} …", err=True)
    code, previews = preview(enabled, read_sources_file(sources_file).crawl, offline)
    for seen in previews:
        click.echo("\n".join([f"{seen.source.name}: {seen.source.url}", *describe(seen), ""]))
    poor = [seen.source.name for seen in previews if not seen.overview.articles]
    if poor:
        print_error(f"no article from {some(poor, ', ')}", FAILED)
    sys.exit(code or (FAILED if poor else DONE))


def _print_suggestions(listed: Sequence["Source"], sources_file: Path, db: Path, *, write: bool) -> None:
    import tomlkit

    from pipelines.archive.suggest import suggest

    with open_archive(db) as archive:
        proposed = [(source, proposal) for source in listed for proposal in suggest(archive, source.url)]
    found = [new for source, new in proposed if not _is_set(source, new.key, new.value)]
    for proposal in found:
        click.echo(f"{proposal.name}: {proposal.evidence}")
        for example in proposal.examples:
            click.echo(f"    {example}")
        click.echo(f"    {proposal.key} = {json.dumps(proposal.value, ensure_ascii=False)}\n")
    if not found:
        click.echo(
            "Nothing to propose: no line repeats through a source's articles, and its titles are where its feeds say."
        )
    elif write:
        document = tomlkit.parse(read_text_or_exit(sources_file))
        for proposal in found:
            _put(document, proposal.source, proposal.key, proposal.value)
        save_sources(sources_file, tomlkit.dumps(document))
        click.echo(f"{sources_file}: {counted(len(found), 'proposal')} written, for pages fetched from now on;")
        click.echo("`broadsheet reextract` shows what they change of those that are stored.")
    else:
        click.echo("`--write` puts these into sources.toml.")


def _is_set(source: Any, key: str, value: str) -> bool:
    return value in source.strip if key == "strip" else getattr(source, key) is not None


def _put(document: Any, url: str, key: str, value: str) -> None:
    """Set a key of the source with this address; `strip` is a list that grows."""
    from crawler.urls import canonical_url

    entry = next(entry for entry in document["source"] if canonical_url(entry["url"]) == url)
    if key != "strip":
        entry[key] = value
    elif isinstance(entry.get(key), list):
        entry[key].append(value)
    else:
        entry[key] = [*([entry[key]] if entry.get(key) else []), value]


@sources.command("list")
@SOURCES
def sources_list(sources_file: Path) -> None:
    """List the sites of sources.toml and what is asked there."""
    from rich.table import Table
    from rich.text import Text

    from crawler.cli.progress import stdout_console

    table = Table(box=None, pad_edge=False)
    for column in ("name", "url", "asked for", "language", "category"):
        table.add_column(column, overflow="fold")
    for source in read_sources_file(sources_file).sources:
        named = [
            f"{len(getattr(source, kind))} {kind}" for kind in ("feeds", "sitemaps", "pages") if getattr(source, kind)
        ]
        asked = ", ".join(named) or "whatever it offers" if source.enabled else "off"
        said = (source.name, source.url, asked, source.language or "·", source.category or "·")
        table.add_row(*map(Text, said))
    stdout_console().print(table)
