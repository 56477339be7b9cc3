"""WARC files of our own -> the Pages that their crawls had, so that an archive can be rebuilt from them.

    redirect, redirect, answer, each with its metadata record ──► one Page: the address that was found, and the one that answered
    a redirect to what had been kept before                   ──► a Page with the body of that
    a revisit                                                 ──► a Page with the body of the record that it names

Read alone, as a stranger's file is, each of these records would be a page of its own address, or none.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from warcio.exceptions import ArchiveLoadFailed

from crawler.items import MAX_PAGE_BYTES, METADATA_TYPE, WARC_SUFFIXES, WHOLE, Capture, Hints, Page, Source
from crawler.parsers.saved_files import name_of
from crawler.parsers.selection import Selection
from crawler.parsers.warc import as_told, capture_time, parsed, read_record
from crawler.parsers.warc_records import MAX_HEAD_BYTES, each_record, end_of, fits, http_head, open_record, status_of

logger = logging.getLogger(__name__)

SOFTWARE = "Broadsheet/"
"""How the `software` of our own files' first record begins."""


def is_own(file: Path) -> bool:
    """Whether a WARC file was written by Broadsheet, by its first record. Raises OSError."""
    with file.open("rb") as stream:
        try:
            record, _ = open_record(stream, 0)
            fields = record.raw_stream.read(MAX_HEAD_BYTES) if record.rec_type == "warcinfo" else b""
        except (ArchiveLoadFailed, EOFError):
            return False
    lines = (line.partition(b":") for line in fields.splitlines())
    return any(name.lower() == b"software" and said.strip().startswith(SOFTWARE.encode()) for name, _, said in lines)


Place = tuple[Path, int]
"""A file, and the offset of a record in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What a record says of itself, and where it lies."""

    kind: str  #: WARC-Type
    file: Path
    offset: int
    length: int  #: bytes of the record in the file
    fields: Mapping[str, str]  #: the WARC headers
    status: int | None = None  #: HTTP status of a response or revisit
    told: Mapping[str, Any] = field(default_factory=dict)  #: what its metadata record says, or it says itself

    @property
    def url(self) -> str:
        return self.fields.get("WARC-Target-URI", "")

    @property
    def date(self) -> datetime:
        return capture_time(self.fields.get("WARC-Date"))

    @property
    def redirected_to(self) -> str | None:
        to = self.told.get("redirected_to")
        return to if isinstance(to, str) else None


class Originals:
    """Reads the files of one import in the order in which they were written: a record may refer to one of an earlier file."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        """`sources` are those of sources.toml, by which a page is read as its crawl did."""
        self._sources = {source.url: source for source in sources}
        self._index = _Index()

    def read(self, file: Path, selection: Selection) -> Iterator[Page]:
        """Read the pages of a file that are wanted, one at a time. Raises OSError; damage is logged, and costs the page that has it.

        A page is wanted by the address and the date of its answer, also where others have led to it.
        """
        hops: list[_Record] = []
        for answer in _answers(file):
            if hops and not _goes_on(hops[-1], answer):
                yield from self._led_to_known(hops, selection)
                hops = []
            if answer.redirected_to:
                hops.append(answer)
            else:
                if selection.takes(answer.url, answer.date):
                    yield from self._page(hops, answer)
                hops = []
            self._index.note(answer)
        yield from self._led_to_known(hops, selection)

    def _page(self, hops: Sequence[_Record], answer: _Record) -> Iterator[Page]:
        """The page of an answer, and of the redirects to it."""
        body_at = self._index.body_of(answer)
        if answer.kind == "revisit" and body_at is None:
            logger.warning("%s: byte %d has the body of a record that is not there", answer.file.name, answer.offset)
            return
        page = read_record(answer.file, answer.offset, body_at=body_at)
        if page:
            yield self._completed(page, [*hops, answer])

    def _led_to_known(self, hops: Sequence[_Record], selection: Selection) -> Iterator[Page]:
        """The page of redirects to an answer that was not kept, for it was as an earlier one had been."""
        place = self._index.last_at(hops[-1]) if hops else None
        wanted = place and selection.takes(hops[-1].redirected_to or "", hops[-1].date)
        known = read_record(*place) if place and wanted else None
        if known:
            last = hops[-1]
            alone = replace(known, url=known.final_url, fetched_at=last.date, hints=Hints(), feed_html=None)
            yield self._completed(as_told(alone, last.told), hops)

    def _completed(self, page: Page, chain: Sequence[_Record]) -> Page:
        """A page with its source, and with where its records lie."""
        source = self._sources.get(str(chain[-1].told.get("source")))
        return replace(page, source=source, captures=tuple(self._capture(record, page) for record in chain))

    def _capture(self, record: _Record, page: Page) -> Capture:
        body_at = self._index.body_of(record)
        return Capture(
            page_url=page.url if record.redirected_to else page.final_url,
            fetched_at=record.date,
            status=record.status,
            reason="redirect" if record.redirected_to else None,
            file=name_of(record.file),
            offset=record.offset,
            length=record.length,
            digest=record.fields.get("WARC-Payload-Digest", ""),
            body_at=(name_of(body_at[0]), body_at[1]) if body_at else None,
        )


class _Index:
    """Where the bodies lie that later records refer to: 200 bytes for each, by the hash of its id and of its address."""

    def __init__(self) -> None:
        self._files: list[Path] = []
        self._numbers: dict[Path, int] = {}
        self._bodies: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._complete: set[Path] = set()

    def note(self, answer: _Record) -> None:
        if answer.file not in self._numbers:
            self._numbers[answer.file] = len(self._files)
            self._files.append(answer.file)
        place = self._numbers[answer.file] << _OFFSET_BITS | answer.offset
        if answer.kind == "revisit":
            place = self._bodies.get(hash(answer.fields.get("WARC-Refers-To")), place)
        else:
            self._bodies[hash(answer.fields.get("WARC-Record-ID"))] = place
        if answer.status in WHOLE and not answer.redirected_to:
            self._last[hash(answer.url)] = place

    def last_at(self, hop: _Record) -> Place | None:
        """The last whole answer of the address that a redirect leads to, in a file that was read, else in one beside it."""
        key = hash(hop.redirected_to)
        if key not in self._last:
            self._note_folder(hop.file)
        return self._place(self._last.get(key))

    def body_of(self, record: _Record) -> Place | None:
        """The record that a revisit refers to, in a file that was read, else in one beside it; None of what has its own body."""
        if record.kind != "revisit":
            return None
        key = hash(record.fields.get("WARC-Refers-To"))
        if key not in self._bodies:
            self._note_folder(record.file)
        return self._place(self._bodies.get(key))

    def _note_folder(self, file: Path) -> None:
        if file.parent in self._complete:
            return
        self._complete.add(file.parent)
        later = dict(self._last)
        before = (other for other in file.parent.iterdir() if other.name < file.name and other not in self._numbers)
        for other in sorted(before):
            if other.name.endswith(WARC_SUFFIXES) and is_own(other):
                for answer in _answers(other):
                    self.note(answer)
        self._last |= later

    def _place(self, place: int | None) -> Place | None:
        if place is None:
            return None
        return self._files[place >> _OFFSET_BITS], place & (1 << _OFFSET_BITS) - 1


_OFFSET_BITS = 48
"""Of a place as one number, that takes a third of the memory of two."""


def _goes_on(hop: _Record, answer: _Record) -> bool:
    """Whether an answer is what a redirect led to."""
    return answer.url == hop.redirected_to and answer.told.get("url") == hop.told.get("url")


# Records


def _answers(file: Path) -> Iterator[_Record]:
    """The responses and revisits of a file, each with what the metadata record says that belongs to it."""
    answer: _Record | None = None
    for record in each_record(file, _read):
        if record.kind in ("response", "revisit"):
            if answer:
                yield answer
            answer = record
        elif answer and record.told and record.fields.get("WARC-Concurrent-To") == answer.fields.get("WARC-Record-ID"):
            answer = replace(answer, told=record.told)
    if answer:
        yield answer


def _read(stream: BinaryIO, start: int, file: Path) -> tuple[_Record | None, int | None]:
    """What the record that begins at `start` says of itself, and where it ends; None and None of a damaged one."""
    status: int | None = None
    told: Mapping[str, Any] = {}
    try:
        record, reader = open_record(stream, start)
        if not fits(record, reader, stream):
            return None, None
        if record.rec_type in ("response", "revisit"):
            status = status_of(http_head.parse(record.raw_stream))
        elif record.rec_type == "metadata" and record.content_type == METADATA_TYPE:
            told = parsed(record.raw_stream.read(2 * MAX_PAGE_BYTES))
        end = end_of(record, reader, stream)
    except (ArchiveLoadFailed, EOFError):
        return None, None
    if end is None:
        return None, None
    found = _Record(
        kind=record.rec_type or "",
        file=file,
        offset=start,
        length=end - start,
        fields=dict(record.rec_headers.headers),
        status=status,
        told=told,
    )
    return found, end
