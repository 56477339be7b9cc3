"""`broadsheet sources add`: sites are looked at, and written into sources.toml with what they say of themselves."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from crawler.cli.common import OFFLINE, SOURCES, append_sources, read_file, sources_so_far
from crawler.cli.output import (
    DONE,
    FAILED,
    USAGE,
    counted,
    is_absent,
    print_error,
    printable,
    some,
)

if TYPE_CHECKING:
    from crawler.cli.preview import Preview
    from crawler.sources.toml_file import SourcesFile

Entry = dict[str, Any]
"""A [[source]] table."""


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="URL|FILE...")
@SOURCES
@click.option("--name", help="What to call it; what it calls itself by default.")
@click.option("--yes", "-y", is_flag=True, help="Add it without asking, also when no article was found.")
@click.option("--no-look", is_flag=True, help="Add it without looking at it first.")
@OFFLINE
def add(
    targets: tuple[str, ...], sources_file: Path, name: str | None, yes: bool, no_look: bool, offline: Path | None
) -> None:
    """Look at news sites, and add them to sources.toml.

    URL is a front page (feeds and sitemaps are found from there), or a feed or sitemap itself; of an article the site is
    named. FILE is a .txt with an address a line. Of each its robots.txt, its front page, its feeds and five articles are
    asked for, and what is found is shown. Where nobody can be asked, not on a terminal, a site that gives articles is
    added, and one that gives none is not (exit status 1).
    """
    if no_look and offline:
        raise click.UsageError("--offline is for a look; --no-look asks nobody")
    known = sources_so_far(sources_file)
    urls = list(dict.fromkeys(_addresses(targets)))
    if name and len(urls) > 1:
        raise click.UsageError("--name is for one address")
    adding = _Adding(sources_file, known, alone=len(urls) == 1, yes=yes)
    new = [url for url in urls if adding.is_new(url)]
    entries = [{"url": url} for url in new] if no_look else adding.looked_at(new, offline)
    adding.write([entry | ({"name": name} if name else {}) for entry in entries])
    sys.exit(adding.code)


def _addresses(targets: Sequence[str]) -> Iterator[str]:
    """Each address, and those of each list. What ends like a list and could be an address is one where there is no such file."""
    from crawler.sources.exchange import addresses, with_scheme
    from crawler.sources.opml import UnreadableList

    for target in targets:
        file = Path(target)
        ending = file.suffix.lower()
        if "://" in target or ending not in (".txt", ".csv", ".opml") or ("/" in target and is_absent(file)):
            yield with_scheme(target)
        elif ending != ".txt":
            sys.exit(print_error(f"{file}: `broadsheet sources import {file}` takes lists of other programs", USAGE))
        else:
            try:
                found = addresses(read_file(file))
            except UnreadableList as error:
                sys.exit(print_error(f"{file}: {error}", USAGE))
            if not found:
                sys.exit(print_error(f"{file}: names no site", USAGE))
            yield from found


@dataclass(slots=True)
class _Adding:
    """Sites on their way into sources.toml."""

    path: Path
    known: "SourcesFile"
    alone: bool  #: whether one address was given: then a site that is there already is a mistake
    yes: bool
    code: int = DONE  #: exit status: of the worst that happened to one of them

    def is_new(self, url: str) -> bool:
        from crawler.items import ENTRY_POINTS
        from crawler.urls import UnusableURL, canonical_url

        try:
            address = canonical_url(url)
        except UnusableURL as error:
            self._refuse(str(error), USAGE)
            return False
        for source in self.known.sources:
            points = [source.url, *(point for kind in ENTRY_POINTS for point in getattr(source, kind))]
            if address in map(canonical_url, points):
                self._refuse(f"{self.path}: {url} is there already, as {source.name}", USAGE if self.alone else DONE)
                return False
        return True

    def _refuse(self, message: str, code: int) -> None:
        self.code = max(self.code, print_error(message, code))

    def looked_at(self, urls: Sequence[str], offline: Path | None) -> list[Entry]:
        """The entries for what a look at these addresses found; none of what is nothing, or nothing that anybody wants."""
        from crawler.cli.preview import describe, plain, preview
        from crawler.items import Source
        from crawler.urls import canonical_url, default_name

        if not urls:
            return []
        if sys.stderr.isatty():
            click.echo(f"Looking at {plain(urls[0]) if self.alone else counted(len(urls), 'site')} …", err=True)
        of_address = {canonical_url(url): url for url in urls}
        asked = [Source(url=url, name=default_name(url)) for url in of_address]
        code, previews = preview(asked, self.known.crawl, offline)
        self.code = max(self.code, code)
        readable = [seen for seen in previews if self._is_site(seen)]
        for seen in readable:
            heading = [] if self.alone else [f"\n{plain(seen.source.url)}"]
            click.echo("\n".join([*heading, *describe(seen)]))
        wanted = [seen for seen in readable if self._is_wanted(seen)]
        return [entry_of(seen, of_address[seen.source.url]) for seen in wanted] if self._is_agreed(wanted) else []

    def _is_site(self, seen: "Preview") -> bool:
        """Whether something could be read there, and it is no article."""
        from crawler.cli.preview import plain

        url = plain(seen.source.url)
        if seen.site:
            way_out = f"its site is {seen.site}: add that. `--no-look` adds the article's address all the same"
            self._refuse(f"{url} is an article; {way_out}", USAGE)
        elif seen.is_unread:
            self._refuse(f"{url} was not added: {_why_unread(seen, self.known)}", FAILED)
        return not (seen.is_unread or seen.site)

    def _is_wanted(self, seen: "Preview") -> bool:
        """Whether it gives articles, or somebody wants it all the same."""
        from crawler.cli.preview import no_article, plain

        if seen.overview.articles:
            return True
        about = "" if self.alone else f"{plain(seen.source.url)}: "
        click.echo(f"\n{about}{no_article(seen, self.known.crawl)}")
        if self.yes or (_is_asked() and click.confirm("\nAdd it all the same?", default=False)):
            return True
        if not _is_asked():
            self._refuse(f"{plain(seen.source.url)} was not added; `--yes` adds it all the same", FAILED)
        return False

    def _is_agreed(self, wanted: Sequence["Preview"]) -> bool:
        good = [seen for seen in wanted if seen.overview.articles]  # of the others it was asked
        if self.yes or not good or not _is_asked():
            return True
        what = "it" if self.alone else "it" if len(wanted) == 1 else f"these {len(wanted)}"
        return click.confirm(f"\nAdd {what}?", default=True)

    def write(self, entries: Sequence[Entry]) -> None:
        """Put the entries at the end of sources.toml."""
        from crawler.sources.exchange import merge_into

        result = merge_into(entries, self.known.sources)
        for mistake in (*result.refused, *(f"{name} is there already" for name in result.already_present)):
            self._refuse(f"{self.path}: {mistake}", USAGE)
        if not result.new:
            return
        append_sources(self.path, result.new)
        names = [str(entry.get("name", entry["url"])) for entry in result.new]
        them = "it" if len(names) == 1 else "them"
        click.echo(f"{self.path}: added {printable(some(names, ', '))}. `broadsheet crawl` fetches {them}.")


def _is_asked() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _why_unread(seen: "Preview", known: "SourcesFile") -> str:
    """Why nothing could be read, and the way out, as the end of a sentence."""
    from crawler.fetcher.address_guard import PublicAddressResolver

    private = PublicAddressResolver.refused.get(urlsplit(seen.source.url).hostname or "")
    if private:
        allowed = ", ".join(f'"{network}"' for network in (*known.crawl.allow_private, private.partition("%")[0]))
        line = f"allow_private = [{allowed}]"
        return (
            f"its address {private} is not public; to watch it nevertheless, write {line} under [crawl] in sources.toml"
        )
    trouble = str(seen.overview.trouble).removeprefix(f"{seen.source.url}: ")
    return f"{trouble}; `--no-look` adds it all the same"


def entry_of(seen: "Preview", url: str) -> Entry:
    """What is written of a site: its address, name and language. Feeds are left to discovery, which notices when they
    move, unless a feed is what its user named."""
    from crawler.sources.languages import is_language

    entry: Entry = {"url": url} if seen.given is None else {seen.given: [url]}
    if seen.given and "site" in seen.noted:
        entry["url"] = seen.noted["site"]
    if seen.name:
        entry["name"] = seen.name
    # Of a site in several, a default would be wrong for some; and a page may say what is no language.
    if len(seen.languages) == 1 and is_language(seen.languages[0]):
        entry["language"] = seen.languages[0]
    return entry
