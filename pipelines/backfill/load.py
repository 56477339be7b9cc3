"""Loading of a backfill: its parts -> the archive, through the one writer, file by file. Without Scrapy, without extraction.

A part that was loaded is noted and never read again; one that was being loaded when the run ended is begun anew, which changes
nothing of what is there. Rows come in the order in which their records lay, as an import of the same files would have them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from crawler.items import Outcome, Source
from crawler.sources.outlets import Outlets
from pipelines.archive import loads
from pipelines.archive.store import Archive
from pipelines.archive.warc import Originals
from pipelines.archive.warc_files import WarcFiles
from pipelines.backfill.manifest import Manifest, part_path
from pipelines.backfill.parts import read_part, rows_in
from pipelines.database.connection import Follow
from pipelines.deduplicate import stories

MOST_FOR_STORIES = 20_000
"""Articles of a window of days up to which a load renews the stories: more is a matter of minutes, and of a gigabyte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What there is to load, by the numbers of the inputs."""

    due: Sequence[int]
    loaded: int  #: how many are in the archive already
    missing: int  #: how many are not done yet


@dataclass(slots=True, kw_only=True)
class Loaded:
    """What came of a load."""

    files: int = 0
    unread: dict[str, str] = field(default_factory=dict)  #: parts that cannot be read, by their names, and why
    is_stopped: bool = False
    window: int = 0  #: articles of the window of days for which no stories were made; 0: they are


def parts_of(out: Path, manifest: Manifest, known: Iterable[str]) -> Parts:
    """What of a folder is due, given the keys of what was loaded."""
    known, numbers = set(known), manifest.part()
    there = [number for number in numbers if part_path(out, number).exists()]
    due = [number for number in there if manifest.key(number) not in known]
    return Parts(due=due, loaded=len(there) - len(due), missing=len(numbers) - len(there))


class Loader:
    """Loads parts into an archive."""

    def __init__(self, archive: Archive, out: Path, manifest: Manifest, sources: Sequence[Source]) -> None:
        self._archive = archive
        self._out = out
        self._manifest = manifest
        self._outlets = Outlets(sources)
        self._sources = {source.url: source for source in sources}
        self._originals = Originals(archive, WarcFiles(archive.path))
        self._are_prints_current = manifest.fingerprints == Manifest(inputs=()).fingerprints

    def load(self, numbers: Sequence[int], follow: Follow, is_stopped: Callable[[], bool]) -> Loaded:
        """Load the parts of these numbers; a part that cannot be read costs only itself. Raises what the archive raises."""
        loaded = Loaded()
        sizes = {number: rows for number in numbers if (rows := self._rows(number, loaded)) is not None}
        done = 0
        for number in sizes:
            for outcome in self._outcomes(number, loaded):
                if is_stopped():
                    loaded.is_stopped = True
                    return loaded
                self._archive.keep(self._originals.recorded(outcome))
                done += 1
                follow(done, sum(sizes.values()))
            if self._name(number) not in loaded.unread:
                self._note(number, sizes[number])
                loaded.files += 1
        return loaded

    def _name(self, number: int) -> str:
        return part_path(self._out, number).name

    def _rows(self, number: int, loaded: Loaded) -> int | None:
        try:
            return rows_in(part_path(self._out, number))
        except OSError as error:
            loaded.unread[self._name(number)] = error.strerror or str(error)
            return None

    def _outcomes(self, number: int, loaded: Loaded) -> Iterator[Outcome]:
        """The rows of a part, with fingerprints only where they are made as the archive's are: else the writer makes them."""
        rows = read_part(part_path(self._out, number), self._source_of)
        while True:
            try:
                outcome = next(rows, None)
            except OSError as error:
                loaded.unread[self._name(number)] = error.strerror or str(error)
                return
            if outcome is None:
                return
            yield outcome if self._are_prints_current else replace(outcome, fingerprints=None)

    def _source_of(self, found_by: str | None, url: str) -> Source | None:
        """The source of a page as an import would have it."""
        return self._sources.get(found_by or "") or self._outlets.source_of(url)

    def _note(self, number: int, rows: int) -> None:
        archive, manifest = self._archive, self._manifest
        with archive.transaction():
            loads.note(
                archive.db,
                key=manifest.key(number),
                input=manifest.inputs[number],
                pages=rows,
                run_id=archive.run.run_id,
                now=datetime.now(UTC),
            )


def leave_stories(archive: Archive, loaded: Loaded) -> None:
    """Leave the stories to the next run where this one was stopped, or a window of days holds too many articles for a load."""
    window = stories.largest_window(archive.db)
    if window > MOST_FOR_STORIES:
        loaded.window = window
    archive.run.leaves_stories = loaded.is_stopped or window > MOST_FOR_STORIES
