"""WARC archives (ISO 28500) -> Page, a record at a time, damaged ones skipped."""

import io
import json
import logging
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from warcio.bufferedreaders import ChunkedDataReader, DecompressingBufferedReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.limitreader import LimitReader
from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser

from crawler.items import MAX_PAGE_BYTES, METADATA_TYPE, WHOLE, Hints, Page
from crawler.parsers.content_encoding import DAMAGED, decompress_prefix, known_encodings, sniff_encoding
from crawler.parsers.saved_files import NOT_PAGES
from crawler.reservations import in_headers, tdm_reservation
from crawler.urls import canonical_or_none, is_front_page

logger = logging.getLogger(__name__)


# WARC: a record is read by itself from its offset, so that damage costs only the record that has it. warcio's own
# iterator ends without a word at damaged gzip and hides what was appended after a cut-off record.
def read_warc(file: Path) -> Iterator[Page]:
    """Read the pages of a WARC file, one at a time. Raises OSError. Damage is logged; the records before and after it are
    kept."""
    with file.open("rb") as stream:
        offset, damaged = 0, False
        while (start := _next_record(stream, offset)) is not None:
            page, end = _read_record(stream, start, file.name)
            if not damaged and (start > offset or end is None):
                logger.warning("%s: damaged at byte %d", file.name, offset)
            offset, damaged = end or start + 1, end is None
            if page:
                yield page
        if not damaged and offset < file.stat().st_size:
            logger.warning("%s: damaged at byte %d, and no record after it", file.name, offset)


def read_record(file: Path, offset: int, *, body_at: tuple[Path, int] | None = None) -> Page | None:
    """The page of one record of our own, with what its metadata record says of it; None of a redirect, or where none is.

    Of a revisit the body is read from the record `body_at`, (file, offset), that it refers to. Raises OSError.
    """
    with file.open("rb") as stream:
        stream.seek(offset)
        reader = _RecordReader(stream)
        try:
            record = _loader.parse_record_stream(reader, known_format="warc", no_record_parse=True)
            page = _page_of_record(record, file.name, offset, any_kind=True)
            end = _end_of(record, reader, stream)
        except (ArchiveLoadFailed, EOFError):
            return None
        if page is None or end is None:
            return None
        if record.rec_type == "revisit":
            original = read_record(*body_at) if body_at else None
            page = replace(page, body=original.body if original else b"")
        told = _metadata_of(record.rec_headers.get_header("WARC-Record-ID"), stream, end)
    return _as_told(page, told)


def _metadata_of(record_id: str | None, stream: BinaryIO, offset: int) -> dict[str, Any]:
    """What the metadata record says that belongs to a record; they follow it, with its request between them. {}: there is none."""
    while True:
        stream.seek(offset)
        reader = _RecordReader(stream)
        try:
            record = _loader.parse_record_stream(reader, known_format="warc", no_record_parse=True)
        except (ArchiveLoadFailed, EOFError):
            return {}
        if record.rec_headers.get_header("WARC-Concurrent-To") != record_id:
            return {}
        if record.rec_type == "metadata" and record.content_type == METADATA_TYPE:
            return _parsed(record.raw_stream.read(2 * MAX_PAGE_BYTES))
        end = _end_of(record, reader, stream)
        if end is None:
            return {}
        offset = end


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _as_told(page: Page, told: dict[str, Any]) -> Page:
    """A page as it was found, by what its metadata record says: a stranger's may say anything."""
    found = canonical_or_none(said) if isinstance(said := told.get("url"), str) else None
    via, feed_html, hints = told.get("via"), told.get("feed_html"), told.get("hints")
    page = replace(
        page,
        url=found or page.url,
        via=via if via in VIAS else page.via,
        hints=_hints(hints) if isinstance(hints, dict) else page.hints,
        feed_html=feed_html if isinstance(feed_html, str) else None,
        tdm_reservation=tdm_reservation([told.get("tdm_reservation", page.tdm_reservation)]),
        content_usage=_strings(told.get("content_usage")) or page.content_usage,
    )
    if is_front_page(page.final_url) and not is_front_page(page.url):
        return replace(page, refusal="redirect_to_front_page", body=b"")
    return page


VIAS = ("feed", "news_sitemap", "sitemap", "homepage", "listed")
"""What a metadata record may say of how a page was found: Page.via, but of local copies."""


def _hints(told: dict[str, Any]) -> Hints:
    said = {name: told[name] for name in Hints.__slots__ if isinstance(told.get(name), str)}
    return Hints(**said | {"authors": _strings(told.get("authors"))})


def _strings(told: object) -> tuple[str, ...]:
    return tuple(one for one in told if isinstance(one, str)) if isinstance(told, list) else ()


_RECORD = re.compile(rb"WARC/[01]\.\d{1,2}\r?\n|\x1f\x8b\x08")
"""How a record begins: its version line (anywhere: one cut off before may end without a newline), or a gzip member's first
bytes."""


_MAX_START_BYTES = 12
"""Longest match of _RECORD: it may lie across two blocks."""


_BLOCK_BYTES = 2**16
"""Bytes that are searched at a time for the next record."""


def _next_record(stream: BinaryIO, offset: int) -> int | None:
    """Where the first record at or after `offset` begins; None when there is none."""
    stream.seek(offset)
    while block := stream.read(_BLOCK_BYTES):
        if found := _RECORD.search(block):
            return offset + found.start()
        offset = stream.seek(offset + max(1, len(block) - _MAX_START_BYTES))
    return None


MAX_HEAD_BYTES = 2**18
"""Size limit of a record's headers, WARC's and HTTP's together; more than any browser takes of HTTP's."""


class _RecordReader(DecompressingBufferedReader):  # type: ignore[misc]
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


_http_head = StatusAndHeadersParser(["HTTP/"], verify=False)


def _read_record(stream: BinaryIO, start: int, name: str) -> tuple[Page | None, int | None]:
    """The page of the record that begins at `start`, None when it holds none; and where the record ends, None when it is
    damaged."""
    stream.seek(start)
    reader = _RecordReader(stream)
    page = end = None
    try:
        record = _loader.parse_record_stream(reader, known_format="warc", no_record_parse=True)
        fits = _fits(record, reader, stream)
        if not fits:
            record.raw_stream.limit = MAX_HEAD_BYTES  # what is left of it is not worth reading
        page = _page_of_record(record, name, start)
        end = _end_of(record, reader, stream) if fits else None
    except (ArchiveLoadFailed, EOFError):
        pass  # no record, or one that ends in its head
    if page and end is None:
        page = replace(page, body=b"", failure=page.failure or "cut_off")
    return page, end


def _fits(record: ArcWarcRecord, reader: _RecordReader, stream: BinaryIO) -> bool:
    """Whether a plain record can be as long as its head says: there may be no end to what one that is not would read."""
    left = os.fstat(stream.fileno()).st_size - stream.tell() + reader.rem_length()
    return reader.decompressor is not None or getattr(record.raw_stream, "limit", 0) <= left


def _end_of(record: ArcWarcRecord, reader: _RecordReader, stream: BinaryIO) -> int | None:
    """The offset after a record; None when it is shorter than its head says, or runs into the next one."""
    if not isinstance(record.raw_stream, LimitReader):
        return None
    while record.raw_stream.read(_BLOCK_BYTES):
        pass
    if record.raw_stream.limit > 0:
        return None
    blank = 0
    while (line := reader.readline(_BLOCK_BYTES)) and not line.strip():
        blank += 1
    # Two blank lines end a record. With fewer, what follows must be a record or nothing: a body that lost some bytes
    # ends in the head of the next record.
    if blank < 2 and not line.startswith(b"WARC/"[: len(line)]):
        return None
    if line and reader.decompressor:
        logger.warning("%s: one gzip block holds several records; `warcio recompress` makes it readable", stream.name)
        return None
    return int(stream.tell() - reader.rem_length() - len(line))


def _page_of_record(record: ArcWarcRecord, name: str, offset: int, *, any_kind: bool = False) -> Page | None:
    """The page of a response or resource record; None for requests, redirects and what is not the web's.

    With `any_kind` also of a revisit, which has no body, and of what by its name or type is no page; else None of these, too.
    """
    url = canonical_or_none(record.rec_headers.get_header("WARC-Target-URI", ""))
    kinds = ("response", "resource", "revisit") if any_kind else ("response", "resource")
    if url is None or record.rec_type not in kinds or (not any_kind and NOT_PAGES.search(urlsplit(url).path)):
        return None
    http = _http_head.parse(record.raw_stream) if record.rec_type != "resource" else None
    status = _status(http) if http else None
    content_type = http.get_header("Content-Type") if http else record.rec_headers.get_header("Content-Type")
    if (status and 300 <= status < 400) or not (any_kind or _may_be_page(content_type or "")):
        return None
    failure = f"http_{status or 'unreadable'}" if http and status not in WHOLE else None
    cut_off = "cut_off" if record.rec_headers.get_header("WARC-Truncated") else None
    body = b"" if failure and not any_kind else _payload(record.raw_stream, http)
    return Page(
        url=url,
        final_url=url,
        via="warc",
        fetched_at=_capture_time(record.rec_headers.get_header("WARC-Date")),
        status=status,
        content_type=content_type or None,
        **in_headers(lambda name: _values(http, name)),
        body=body,
        failure=failure or cut_off,
        refusal="too_large" if len(body) > MAX_PAGE_BYTES else None,
        warc=name,
        warc_offset=offset,
    )


def _values(http: StatusAndHeaders | None, name: str) -> list[str]:
    return [value for key, value in http.headers if key.lower() == name.lower()] if http else []


def _status(http: StatusAndHeaders) -> int | None:
    code = http.get_statuscode()
    return int(code) if re.fullmatch("[1-9][0-9]{2}", code) else None


def _payload(stream: Any, http: StatusAndHeaders | None) -> bytes:
    """At most MAX_PAGE_BYTES + 1 of a record's body, transfer and content encodings removed."""
    if http and (http.get_header("Transfer-Encoding") or "").strip().lower() == "chunked":
        stream = ChunkedDataReader(LimitReader(stream, 2 * MAX_PAGE_BYTES))
    body = bytes(stream.read(MAX_PAGE_BYTES + 1))
    return _decoded(body, http) if http else body


def _decoded(body: bytes, http: StatusAndHeaders) -> bytes:
    """A body as the crawl reads it. Many archives keep decoded bodies under the old header: what is not encoded as it says
    is taken as it is.

    warcio's own decoding has no limit: 800 bytes of Brotli would become a gigabyte.
    """
    fields = [value.encode("latin-1", "replace") for name, value in http.headers if name.lower() == "content-encoding"]
    said = known_encodings(fields) or (["gzip"] if sniff_encoding(body, "") else [])
    try:
        for encoding in reversed(said):
            body = decompress_prefix(body, sniff_encoding(body, encoding), MAX_PAGE_BYTES + 1)
    except DAMAGED:
        pass
    return body


def _may_be_page(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in ("", "text/html", "application/xhtml+xml", "text/plain")


def _capture_time(text: str | None) -> datetime:
    """WARC-Date: RFC 3339 in UTC. A record without a possible one was captured now, as far as anybody knows."""
    now = datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text or "")
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # OverflowError: 0001-01-01 east of Greenwich
        return now
    return moment if _FIRST_PAGE <= moment <= now else now


_FIRST_PAGE = datetime(1990, 1, 1, tzinfo=UTC)
"""Earliest capture date: nothing was captured before there was a web, nor will have been tomorrow."""
