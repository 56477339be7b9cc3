"""`broadsheet sources`: the sites to watch. The command lines; what they say is done elsewhere."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import click

from crawler.cli_common import DB, SOURCES, open_archive, read_sources_file
from crawler.run import STORAGE, USAGE, complain


@click.group()
def sources() -> None:
    """The sites to watch: add one, list them, check their settings against the archive."""


@sources.command("add")
@click.argument("url")
@SOURCES
@click.option("--name", help="What to call it; its host by default.")
def sources_add(url: str, sources_file: Path, name: str | None) -> None:
    """Add a news site to sources.toml. Its front page is enough: feeds and sitemaps are found when it is crawled."""
    import tomlkit

    url = url if "://" in url else f"https://{url}"
    url = f"{url}/" if re.fullmatch(r"https?://[^/?#]+", url) else url
    document = _sources_document(sources_file)
    entry = tomlkit.table()
    entry.update({"url": url} | ({"name": name} if name else {}))
    document.setdefault("source", tomlkit.aot()).append(entry)
    _write_sources(sources_file, document)
    click.echo(f"{sources_file}: added {url}. `broadsheet crawl` fetches it.")


@sources.command("check")
@SOURCES
@DB
@click.option("--write", is_flag=True, help="Put what is proposed into sources.toml; comments there stay.")
def sources_check(sources_file: Path, db: Path, write: bool) -> None:
    """Propose settings from what the archive knows: lines that stand in many articles of a source, and where its titles are."""
    from pipelines.learn import propose

    archive = open_archive(db)
    listed = read_sources_file(sources_file).sources
    found = [
        new for source in listed for new in propose(archive, source.url) if not _is_set(source, new.key, new.value)
    ]
    for proposal in found:
        click.echo(f"{proposal.name}: {proposal.because}")
        for example in proposal.examples:
            click.echo(f"    {example}")
        click.echo(f"    {proposal.key} = {json.dumps(proposal.value, ensure_ascii=False)}\n")
    if not found:
        click.echo(
            "Nothing to propose: no line repeats through a source's articles, and its titles are where its feeds say."
        )
    elif write:
        document = _sources_document(sources_file)
        for proposal in found:
            _put(document, proposal.source, proposal.key, proposal.value)
        _write_sources(sources_file, document)
        click.echo(f"{sources_file}: {len(found)} settings written; they hold for pages fetched from now on.")
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


def _sources_document(path: Path) -> Any:
    """sources.toml with its comments, to be changed and written back; an empty one when there is none yet."""
    import tomlkit

    try:
        return tomlkit.parse(path.read_text("utf-8-sig") if path.exists() else "")
    except (OSError, UnicodeDecodeError, tomlkit.exceptions.TOMLKitError) as error:
        sys.exit(complain(f"{path}: {error}", USAGE))


def _write_sources(path: Path, document: Any) -> None:
    """Write sources.toml back when what it says now can be used; it stays as it was otherwise."""
    import tomlkit

    from crawler.sources import SourcesError, parse_sources

    text = tomlkit.dumps(document)
    try:
        parse_sources(text, str(path))
        path.write_text(text, "utf-8")
    except SourcesError as error:
        sys.exit(complain(str(error), USAGE))
    except OSError as error:
        sys.exit(complain(f"{path}: {error.strerror}", STORAGE))


@sources.command("list")
@SOURCES
def sources_list(sources_file: Path) -> None:
    """List the sites of sources.toml and what is asked there."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("name", "url", "asked for", "language", "category"):
        table.add_column(column, overflow="fold")
    for source in read_sources_file(sources_file).sources:
        named = [
            f"{len(getattr(source, kind))} {kind}" for kind in ("feeds", "sitemaps", "pages") if getattr(source, kind)
        ]
        asked = ", ".join(named) or "whatever it offers" if source.enabled else "off"
        table.add_row(source.name, source.url, asked, source.language or "·", source.category or "·")
    Console().print(table)
