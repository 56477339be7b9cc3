"""Outlets: whose article a page is, by its address, else by the name that a person gave. Pure."""

from collections.abc import Iterable
from pathlib import Path

from crawler.items import Page, Source
from crawler.parsers.saved_files import PACKED_SUFFIXES, is_host
from crawler.sources.metadata import below
from crawler.urls import outlet_url, site_of
from pipelines.text import clean


class Outlets:
    """The sources of sources.toml, by their sites and by their names."""

    def __init__(self, sources: Iterable[Source]) -> None:
        sources = tuple(sources)
        self._of_site = {site_of(source.url): source for source in reversed(sources)}
        self._named = {key: source for source in sources for key in (source.url, source.name)}

    def source_of(self, url: str, name: str | None = None) -> Source | None:
        """The source of the site that an address belongs to, with its settings, as a crawl would have it; else the outlet of
        this name, which may be none of sources.toml. None where nothing is said: the archive may know the site."""
        site = site_of(url)
        found = self._of_site.get(site) if site else None
        if found or name is None:
            return found
        return self._named.get(name) or outlet(name)


def outlet(name: str) -> Source:
    """An outlet that has only a name: nothing is asked there."""
    return Source(url=outlet_url(name), name=name, discover=(), enabled=False, recheck=False)


def outlet_of_folder(page: Page, given: Path) -> str | None:
    """The name of the folder that a saved page is in: the first below `given`, a path of the import, else that itself.

    An archive of pages is a folder. None of one that is called by a host, which is an address, and of what lies in a WARC file.
    """
    folders = below(page.file or "", given).split("/")[:-1]
    if not folders and page.warc:
        return None
    whole = given.resolve() if given.name in ("", "..") else given.absolute()
    own = whole.parent if page.file == str(given) else whole
    name = folders[0] if folders else own.name
    ending = next((suffix for suffix in PACKED_SUFFIXES if name.lower().endswith(suffix)), "")
    name = name[: len(name) - len(ending)]
    return None if is_host(name) else clean(name) or None
