"""Metadata beside saved pages: what a CSV says of each, found by its file or its address. Pure."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from crawler.items import Page
from crawler.sources.article_lists import Listed, as_listed


class Metadata:
    """The lines of a CSV, and which of them have met a page yet."""

    def __init__(self, articles: Iterable[Listed], folder: Path) -> None:
        """`folder`: where the CSV lies; what it says of files may be seen from there."""
        self._articles = tuple(articles)
        self._folder = folder
        self._by_file = {one.file: one for one in self._articles if one.file}
        self._by_url = {one.url: one for one in self._articles if not one.file}
        self._met: set[int] = set()

    def of(self, page: Page, given: Path) -> Listed | None:
        """What is said of a page that was read below `given`, a path of the import; None where nothing is."""
        by_file = (self._by_file.get(name) for name in _names(page, given, self._folder))
        by_url = (self._by_url.get(url) for url in (page.url, page.final_url))
        found = next((one for one in (*by_file, *by_url) if one), None)
        if found:
            self._met.add(found.line)
        return found

    def unmet(self) -> list[Listed]:
        """The lines that met no page."""
        return [one for one in self._articles if one.line not in self._met]


def _names(page: Page, given: Path, folder: Path) -> Iterator[str]:
    """How a list may call a page's file: as it was given, as it is called below that, as seen from the list, from the root.

    A record of a web archive is called by its address alone.
    """
    if page.file is None or page.warc:
        return
    whole = Path(page.file).resolve()
    seen_from_list = os.path.relpath(whole, folder.resolve())
    for name in (page.file, below(page.file, given) or given.name, seen_from_list, str(whole)):
        yield as_listed(name)


def below(file: str, given: Path) -> str:
    """A file's path below a path of the import; "" of that itself."""
    return "/".join(Path(file).parts[len(given.parts) :])
