"""Local copies -> Page: saved files, folders, HOST/path trees, .zip and .tar of them, .warc and .warc.gz.

A page's address is the archive's or the tree's; a file that stands alone gets `urn:sha256:…` of its bytes until
extraction finds the address it claims. Never a path of the machine.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from crawler.hints import completed
from crawler.items import WARC_SUFFIXES, Page, Source
from crawler.parsers.originals import Originals, is_own
from crawler.parsers.packed_files import read_packed
from crawler.parsers.saved_files import PACKED_SUFFIXES, name_of, page_name, pages_below, read_file
from crawler.parsers.selection import Selection
from crawler.parsers.warc import read_warc
from crawler.sources.metadata import Metadata
from crawler.sources.outlets import Outlets

logger = logging.getLogger(__name__)


logging.getLogger("warcio").setLevel(logging.ERROR)  # it repeats what stands in a damaged head, control characters too


class Copies:
    """Reads local copies, one after the other, never more of an archive than is drawn from it."""

    def __init__(
        self,
        sources: Iterable[Source] = (),
        outlet_of: Callable[[Page, Path], str | None] = lambda page, given: None,
        metadata: Metadata | None = None,
    ) -> None:
        """`outlet_of` names the outlet of a page that was read below a path, `metadata` is what a list says of the pages."""
        sources = tuple(sources)
        self._outlets = Outlets(sources)
        self._outlet_of = outlet_of
        self._metadata = metadata or Metadata((), Path())
        self._originals = Originals(sources)

    def below(self, path: Path) -> Iterator[Page]:
        """The pages of a file, or of all files below a folder. A file that cannot be read is logged, and costs only itself."""
        left_out: Counter[str] = Counter()
        for file in pages_below(path, left_out):
            try:
                yield from self.of_file(file, path, left_out)
            except OSError as error:
                logger.warning("%s: cannot be read: %s", file, error.strerror or error)
        if left_out:
            kinds = ", ".join(f"{number:,} {ending}" for ending, number in left_out.most_common())
            logger.warning("%s: left out, for they are no pages: %s", path, kinds)

    def of_file(self, file: Path, given: Path, left_out: Counter[str]) -> Iterator[Page]:
        """The pages of one file at or below `given`. Raises OSError."""
        name = page_name(file.name)
        if name.endswith(WARC_SUFFIXES):
            yield from self.of_warc(file, given, Selection())
        elif name.endswith(PACKED_SUFFIXES):
            yield from (self._completed(page, given) for page in read_packed(file, left_out))
        else:
            yield self._completed(read_file(file, given), given)

    def of_warc(self, file: Path, given: Path, selection: Selection) -> Iterator[Page]:
        """The pages of a web archive that are wanted. Raises OSError."""
        pages = self._originals.read(file, selection) if is_own(file) else read_warc(file, selection)
        yield from (self._completed(replace(page, file=name_of(file)), given) for page in pages)

    def _completed(self, page: Page, given: Path) -> Page:
        """With what the list says of it, and the same settings that a live crawl of its site would use, so that the same bytes
        give the same article."""
        listed = self._metadata.of(page, given)
        if listed and listed.url and page.url.startswith("urn:"):
            page = replace(page, url=listed.url, final_url=listed.url)
        outlet = (listed and listed.outlet) or self._outlet_of(page, given)
        source = page.source or self._outlets.source_of(page.final_url, outlet)
        return replace(page, source=source, hints=completed(listed.hints, page.hints) if listed else page.hints)
