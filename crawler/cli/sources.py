"""`broadsheet sources`: the sites to watch. The command lines; what they say is done elsewhere."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from crawler.cli import keep
from crawler.cli.common import (
    DB,
    SOURCES,
    named_sources,
    open_archive,
    read_file,
    read_sources_file,
    read_text_or_exit,
    save_sources,
)
from crawler.cli.groups import Commands
from crawler.cli.output import DONE, FAILED, STORAGE, USAGE, counted, is_absent, print_error, printable
from crawler.cli.snapshot import restore_sources

if TYPE_CHECKING:
    from crawler.cli.preview import Preview
    from crawler.items import Source
    from crawler.sources.exchange import ImportResult
    from crawler.sources.toml_file import SourcesFile

OFFLINE = click.option(
    "--offline",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Read https://HOST/path from DIR/HOST/path instead of the network.",
)


@click.group(cls=Commands)
def sources() -> None:
    """The sites to watch: add, list, check, change, import and export them."""


for command in (keep.remove, keep.disable, keep.enable, keep.rename):
    sources.add_command(command)


@sources.command("add")
@click.argument("url")
@SOURCES
@click.option("--name", help="What to call it; what it calls itself by default.")
@click.option("--yes", "-y", is_flag=True, help="Add it without asking, also when no article was found.")
@click.option("--no-look", is_flag=True, help="Add it without looking at it first.")
@OFFLINE
def sources_add(url: str, sources_file: Path, name: str | None, yes: bool, no_look: bool, offline: Path | None) -> None:
    """Look at a news site, and add it to sources.toml. What is found there is shown.

    URL is a front page (feeds and sitemaps are found from there), or a feed or sitemap itself; of an article the site is
    named. Its robots.txt, its front page, its feeds and five articles are asked for. Where nobody can be asked, not on a
    terminal, a site that gives articles is added, and one that gives none is not (exit status 1).
    """
    from crawler.sources.exchange import with_scheme

    if no_look and offline:
        raise click.UsageError("--offline is for a look; --no-look asks nobody")
    url = with_scheme(url)
    known = _known(sources_file)
    _refuse_known(url, known, sources_file)
    entry = {"url": url} if no_look else _previewed(url, known, offline, yes=yes)
    _add(sources_file, entry | ({"name": name} if name else {}), known)


def _known(path: Path) -> "SourcesFile":
    """What sources.toml says; it may have no source yet, or not be there."""
    from crawler.sources.toml_file import CrawlSettings, SourcesFile

    if is_absent(path):
        if not path.absolute().parent.is_dir():
            sys.exit(print_error(f"{path}: no such folder", USAGE))
        return SourcesFile(crawl=CrawlSettings(), sources=())
    return read_sources_file(path, may_be_empty=True)


def _refuse_known(url: str, known: "SourcesFile", path: Path) -> None:
    from crawler.items import ENTRY_POINTS
    from crawler.urls import UnusableURL, canonical_url

    try:
        address = canonical_url(url)
    except UnusableURL as error:
        sys.exit(print_error(str(error), USAGE))
    for source in known.sources:
        points = [source.url, *(point for kind in ENTRY_POINTS for point in getattr(source, kind))]
        if address in map(canonical_url, points):
            sys.exit(print_error(f"{path}: {url} is there already, as {source.name}", USAGE))


def _previewed(url: str, known: "SourcesFile", offline: Path | None, *, yes: bool) -> dict[str, Any]:
    """The entry for what a look at this address found; ends when that is nothing, or nothing that anybody wants."""
    from crawler.cli.preview import describe, no_article, plain, preview
    from crawler.items import Source
    from crawler.urls import canonical_url, default_name

    click.echo(f"Looking at {plain(url)} …", err=True)
    address = canonical_url(url)
    code, previews = preview([Source(url=address, name=default_name(address))], known.crawl, offline)
    if code != DONE:
        sys.exit(print_error(f"{plain(url)} was not added{_way_out(address)}", code))
    (seen,) = previews
    if seen.site:
        way_out = f"its site is {seen.site}: add that. `--no-look` adds the article's address all the same"
        sys.exit(print_error(f"{plain(url)} is an article; {way_out}", USAGE))
    click.echo("\n".join(describe(seen)))
    good = bool(seen.overview.articles)
    if not good:
        click.echo(f"\n{no_article(seen, known.crawl)}")
    if not yes and sys.stdin.isatty() and sys.stdout.isatty():
        if not click.confirm("\nAdd it?" if good else "Add it all the same?", default=good):
            sys.exit(DONE)
    elif not (good or yes):
        sys.exit(print_error(f"{plain(url)} was not added; `--yes` adds it all the same", FAILED))
    return _entry_of(seen, url)


def _way_out(address: str) -> str:
    """What to do about an address that could not be looked at."""
    from crawler.fetcher.address_guard import PublicAddressResolver

    if urlsplit(address).hostname in PublicAddressResolver.refused:
        return ": its address is not public; allow_private under [crawl] in sources.toml can allow it"
    return "; `--no-look` adds it all the same"


def _entry_of(seen: "Preview", url: str) -> dict[str, Any]:
    """What is written of a site: its address, name and language. Feeds are left to discovery, which notices when they
    move, unless a feed is what its user named."""
    from crawler.sources.languages import is_language

    entry: dict[str, Any] = {"url": url} if seen.given is None else {seen.given: [url]}
    if seen.given and "site" in seen.noted:
        entry["url"] = seen.noted["site"]
    if seen.name:
        entry["name"] = seen.name
    # Of a site in several, a default would be wrong for some; and a page may say what is no language.
    if len(seen.languages) == 1 and is_language(seen.languages[0]):
        entry["language"] = seen.languages[0]
    return entry


def _add(path: Path, entry: dict[str, Any], known: "SourcesFile") -> None:
    from crawler.sources.exchange import merge_into

    result = merge_into([entry], known.sources)
    for mistake in (*result.refused, *(f"{name} is there already" for name in result.already_present)):
        sys.exit(print_error(f"{path}: {mistake}", USAGE))
    _append(path, result.new)
    (added,) = result.new
    click.echo(f"{path}: added {added.get('name', added['url'])}. `broadsheet crawl` fetches it.")


def _append(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    """Put [[source]] tables at the end of sources.toml; it stays as it was when that fails."""
    from crawler.sources.edit import with_entries

    save_sources(path, with_entries(read_text_or_exit(path), entries))


@sources.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@SOURCES
def sources_import(file: Path, sources_file: Path) -> None:
    """Add the sites of another program's list to sources.toml.

    \b
    .opml  (or .xml) what feed readers export; folders become the category:
           News/National, or News; Local for two
    .csv   a header row with keys of sources.toml (url, name, category, …);
           a space between two feeds
    .txt   one address a line, # begins a comment

    What is there already is not added again; what the list had and sources.toml has no place for is named. Nothing is
    asked of the network: `sources check --look` does that.
    """
    from crawler.sources.exchange import SUFFIXES, merge_into, read_list
    from crawler.sources.opml import UnreadableList

    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        sys.exit(print_error(f"{file}: expected one of {', '.join(SUFFIXES)}", USAGE))
    known = _known(sources_file)
    unused: Counter[str] = Counter()
    try:
        entries = read_list(read_file(file), suffix, unused)
    except UnreadableList as error:
        sys.exit(print_error(f"{file}: {error}", USAGE))
    if not entries:
        sys.exit(print_error(f"{file}: names no site", USAGE))
    result = merge_into(entries, known.sources)
    if result.new:
        _append(sources_file, result.new)
    _print_import(result, sources_file)
    _print_counts(f"{file}: not used", unused)
    sys.exit(USAGE if result.refused and not (result.new or result.already_present) else DONE)


MOST_NAMED = 5
"""Sources or mistakes that a message names; it gives the number of the others."""


def _print_import(result: "ImportResult", path: Path) -> None:
    feeds = sum(len(entry.get("feeds", ())) for entry in result.new)
    click.echo(f"{path}: {counted(len(result.new), 'source')} with {counted(feeds, 'feed')} added.")
    if result.already_present:
        click.echo(f"There already: {printable(_some(result.already_present, ', '))}.")
    for mistake in result.refused[:MOST_NAMED]:
        click.echo(f"not added: {printable(mistake)}", err=True)
    if len(result.refused) > MOST_NAMED:
        click.echo(f"not added: {len(result.refused) - MOST_NAMED:,} more", err=True)


def _some(texts: Sequence[str], between: str) -> str:
    rest = [f"and {len(texts) - MOST_NAMED:,} more"] if len(texts) > MOST_NAMED else []
    return between.join([*texts[:MOST_NAMED], *rest])


def _print_counts(what: str, counts: Counter[str]) -> None:
    if counts:
        named = ", ".join(f"{name} ({number:,})" for name, number in counts.most_common())
        click.echo(printable(f"{what}: {named}"), err=True)


@sources.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@SOURCES
@DB
def sources_export(file: Path, sources_file: Path, db: Path) -> None:
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
    _print_counts("Left out", left_out)


def _with_known_feeds(listed: tuple["Source", ...], db: Path) -> tuple["Source", ...]:
    """The sources, with the feeds that were discovered where none are named."""
    if is_absent(db):
        return listed
    from pipelines.archive.queries import known_feeds

    with open_archive(db) as archive:
        known = known_feeds(archive)
    return tuple(source if source.feeds else replace(source, feeds=known.get(source.url, ())) for source in listed)


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
    click.echo(f"Looking at {counted(len(enabled), 'site')} …", err=True)
    code, previews = preview(enabled, read_sources_file(sources_file).crawl, offline)
    for seen in previews:
        click.echo("\n".join([f"{seen.source.name}: {seen.source.url}", *describe(seen), ""]))
    poor = [seen.source.name for seen in previews if not seen.overview.articles]
    if poor:
        print_error(f"no article from {_some(poor, ', ')}", FAILED)
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
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

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
    Console().print(table)
