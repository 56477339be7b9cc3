"""WARC records (ISO 28500) by their places: each is read by itself from its offset, so that damage costs only the record that has it.

warcio's own iterator ends without a word at damaged gzip, and hides what was appended after a cut-off record.
"""

import io
import logging
import os
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from warcio.bufferedreaders import DecompressingBufferedReader
from warcio.limitreader import LimitReader
from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser

logger = logging.getLogger(__name__)

T = TypeVar("T")


def each_record(file: Path, read: Callable[[BinaryIO, int, Path], tuple[T | None, int | None]]) -> Iterator[T]:
    """What `read` makes of each record; it gives what it found, and where the record ends: None of a damaged one."""
    with file.open("rb") as stream:
        offset, damaged = 0, False
        while (start := next_record(stream, offset)) is not None:
            found, end = read(stream, start, file)
            if not damaged and (start > offset or end is None):
                logger.warning("%s: damaged at byte %d", file.name, offset)
            offset, damaged = end or start + 1, end is None
            if found:
                yield found
        if not damaged and offset < file.stat().st_size:
            logger.warning("%s: damaged at byte %d, and no record after it", file.name, offset)


_RECORD = re.compile(rb"WARC/[01]\.\d{1,2}\r?\n|\x1f\x8b\x08")
"""How a record begins: its version line (anywhere: one cut off before may end without a newline), or a gzip member's first
bytes."""


_MAX_START_BYTES = 12
"""Longest match of _RECORD: it may lie across two blocks."""


BLOCK_BYTES = 2**16
"""Bytes that are searched at a time for the next record."""


def next_record(stream: BinaryIO, offset: int) -> int | None:
    """Where the first record at or after `offset` begins; None when there is none."""
    stream.seek(offset)
    while block := stream.read(BLOCK_BYTES):
        if found := _RECORD.search(block):
            return offset + found.start()
        offset = stream.seek(offset + max(1, len(block) - _MAX_START_BYTES))
    return None


MAX_HEAD_BYTES = 2**18
"""Size limit of a record's headers, WARC's and HTTP's together; more than any browser takes of HTTP's."""


class RecordReader(DecompressingBufferedReader):  # type: ignore[misc]
    """warcio's reader of a record, plain or gzip, that ends at damage: its own reads the rest of the file, printing.

    Of lines it reads MAX_HEAD_BYTES: a head without an end would be the rest of the file. Raises EOFError beyond.
    """

    left = MAX_HEAD_BYTES

    def readline(self, length: int | None = None) -> bytes:
        if not self.left:
            raise EOFError
        line = bytes(super().readline(min(self.left if length is None else length, self.left)))
        self.left -= len(line)
        return line

    def _decompress(self, data: bytes) -> bytes:
        if self.decompressor and self.num_block_read:
            try:
                return bytes(self.decompressor.decompress(data))
            except zlib.error:
                self.stream = io.BytesIO()
                return b""
        return bytes(super()._decompress(data))


_loader = ArcWarcRecordLoader(verify_http=False, arc2warc=False)


def open_record(stream: BinaryIO, offset: int) -> tuple[ArcWarcRecord, RecordReader]:
    """The record that begins at `offset`, its headers read, and what reads the rest of it. Raises ArchiveLoadFailed or EOFError
    where there is none."""
    stream.seek(offset)
    reader = RecordReader(stream)
    return _loader.parse_record_stream(reader, known_format="warc", no_record_parse=True), reader


http_head = StatusAndHeadersParser(["HTTP/"], verify=False)


def fits(record: ArcWarcRecord, reader: RecordReader, stream: BinaryIO) -> bool:
    """Whether a plain record can be as long as its head says: there may be no end to what one that is not would read."""
    left = os.fstat(stream.fileno()).st_size - stream.tell() + reader.rem_length()
    return reader.decompressor is not None or getattr(record.raw_stream, "limit", 0) <= left


def end_of(record: ArcWarcRecord, reader: RecordReader, stream: BinaryIO) -> int | None:
    """The offset after a record; None when it is shorter than its head says, or runs into the next one."""
    if not isinstance(record.raw_stream, LimitReader):
        return None
    while record.raw_stream.read(BLOCK_BYTES):
        pass
    if record.raw_stream.limit > 0:
        return None
    blank = 0
    while (line := reader.readline(BLOCK_BYTES)) and not line.strip():
        blank += 1
    # Two blank lines end a record. With fewer, what follows must be a record or nothing: a body that lost some bytes
    # ends in the head of the next record.
    if blank < 2 and not line.startswith(b"WARC/"[: len(line)]):
        return None
    if line and reader.decompressor:
        logger.warning("%s: one gzip block holds several records; `warcio recompress` makes it readable", stream.name)
        return None
    return int(stream.tell() - reader.rem_length() - len(line))


def status_of(http: StatusAndHeaders) -> int | None:
    code = http.get_statuscode()
    return int(code) if re.fullmatch("[1-9][0-9]{2}", code) else None
