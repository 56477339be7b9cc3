"""WARC archives (ISO 28500) -> Page, a record at a time, damaged ones skipped."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.limitreader import LimitReader
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders

from crawler.digests import payload_digest
from crawler.items import KINDS, MAX_PAGE_BYTES, METADATA_TYPE, WHOLE, Capture, Hints, Page
from crawler.parsers.content_encoding import DAMAGED, decompress_prefix, known_encodings, sniff_encoding
from crawler.parsers.saved_files import NOT_PAGES, name_of
from crawler.parsers.selection import NOT_A_PAGE, REDIRECT, REVISIT, Selection
from crawler.parsers.warc_records import MAX_HEAD_BYTES, each_record, end_of, fits, http_head, open_record, status_of
from crawler.reasons import is_refusal
from crawler.reservations import in_headers, tdm_reservation
from crawler.urls import canonical_or_none, is_front_page


def read_warc(file: Path, selection: Selection | None = None) -> Iterator[Page]:
    """Read the pages of a WARC file that are wanted, one at a time. Raises OSError. Damage is logged; the records before and
    after it are kept."""
    return each_record(file, partial(_read_record, selection=selection or Selection()))


def read_record(file: Path, offset: int, *, body_at: tuple[Path, int] | None = None) -> Page | None:
    """The page of one record of our own, with what its metadata record says of it; None of a redirect, or where none is.

    Of a revisit the body is read from the record `body_at`, (file, offset), that it refers to. Raises OSError.
    """
    with file.open("rb") as stream:
        try:
            record, reader = open_record(stream, offset)
            page = _page_of_record(record, file.name, offset, None)
            end = end_of(record, reader, stream)
        except (ArchiveLoadFailed, EOFError):
            return None
        if page is None or end is None:
            return None
        if record.rec_type == "revisit":
            original = read_record(*body_at) if body_at else None
            page = replace(page, body=original.body if original else b"")
        told = _metadata_of(record.rec_headers.get_header("WARC-Record-ID"), stream, end)
    return as_told(page, told)


def _metadata_of(record_id: str | None, stream: BinaryIO, offset: int) -> dict[str, Any]:
    """What the metadata record says that belongs to a record; they follow it, with its request between them. {}: there is none."""
    while True:
        try:
            record, reader = open_record(stream, offset)
        except (ArchiveLoadFailed, EOFError):
            return {}
        if record.rec_headers.get_header("WARC-Concurrent-To") != record_id:
            return {}
        if record.rec_type == "metadata" and record.content_type == METADATA_TYPE:
            return parsed(record.raw_stream.read(2 * MAX_PAGE_BYTES))
        end = end_of(record, reader, stream)
        if end is None:
            return {}
        offset = end


def parsed(data: bytes) -> dict[str, Any]:
    """What a metadata record of ours says; {} where it is none."""
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def as_told(page: Page, told: Mapping[str, Any]) -> Page:
    """A page as it was found, by what its metadata record says: a stranger's may say anything."""
    found = canonical_or_none(said) if isinstance(said := told.get("url"), str) else None
    via, feed_html, hints = told.get("via"), told.get("feed_html"), told.get("hints")
    page = replace(
        page,
        url=found or page.url,
        via=via if via in VIAS else page.via,
        hints=_hints(hints) if isinstance(hints, dict) else page.hints,
        feed_html=feed_html if isinstance(feed_html, str) else None,
        tdm_by_host=tdm_reservation([told.get("tdm_reservation")]),
        content_usage=_strings(told.get("content_usage")) or page.content_usage,
        discovered_at=capture_time(said) if isinstance(said := told.get("discovered_at"), str) else None,
        unchecked=told.get("unchecked") is True,
    )
    refusal = told.get("refusal")
    if isinstance(refusal, str) and is_refusal(refusal):
        return replace(page, refusal=refusal, body=b"")
    if is_front_page(page.final_url) and not is_front_page(page.url):
        return replace(page, refusal="redirect_to_front_page", body=b"")
    return page


VIAS = (*KINDS, "listed")
"""What a metadata record may say of how a page was found: Page.via, but of local copies."""


def _hints(told: dict[str, Any]) -> Hints:
    said = {name: told[name] for name in Hints.__slots__ if isinstance(told.get(name), str)}
    return Hints(**said | {"authors": _strings(told.get("authors"))})


def _strings(told: object) -> tuple[str, ...]:
    return tuple(one for one in told if isinstance(one, str)) if isinstance(told, list) else ()


def _read_record(stream: BinaryIO, start: int, file: Path, selection: Selection) -> tuple[Page | None, int | None]:
    """The page of the record that begins at `start`, None when it holds none; and where the record ends, None when it is
    damaged."""
    page = end = None
    try:
        record, reader = open_record(stream, start)
        is_whole = fits(record, reader, stream)
        if not is_whole:
            record.raw_stream.limit = MAX_HEAD_BYTES  # what is left of it is not worth reading
        page = _page_of_record(record, file.name, start, selection)
        end = end_of(record, reader, stream) if is_whole else None
    except (ArchiveLoadFailed, EOFError):
        pass  # no record, or one that ends in its head
    if page and end is None:
        page = replace(page, body=b"", failure=page.failure or "cut_off")
    elif page and end:
        digest = record.rec_headers.get_header("WARC-Payload-Digest") or payload_digest(page.body)
        page = replace(page, captures=(_capture(page, file, start, end - start, digest),))
    return page, end


def _capture(page: Page, file: Path, offset: int, length: int, digest: str) -> Capture:
    """The capture of a record that stands for itself."""
    return Capture(
        page_url=page.final_url,
        fetched_at=page.fetched_at,
        status=page.status,
        reason=None,
        file=name_of(file),
        offset=offset,
        length=length,
        digest=digest,
    )


def _page_of_record(record: ArcWarcRecord, name: str, offset: int, selection: Selection | None) -> Page | None:
    """The page of a response or resource record that is wanted; None for requests, redirects and what is not the web's.

    Without a selection also of a revisit, which has no body, and of what by its name or type is no page.
    """
    url = canonical_or_none(record.rec_headers.get_header("WARC-Target-URI", ""))
    if url is None or record.rec_type not in ("response", "resource", "revisit"):
        return None
    fetched_at = capture_time(record.rec_headers.get_header("WARC-Date"))
    if selection and not _is_chosen(record.rec_type, url, fetched_at, selection):
        return None
    http = http_head.parse(record.raw_stream) if record.rec_type != "resource" else None
    status = status_of(http) if http else None
    content_type = http.get_header("Content-Type") if http else record.rec_headers.get_header("Content-Type")
    is_redirect = status is not None and 300 <= status < 400
    if is_redirect or (selection and not _may_be_page(content_type or "")):
        if selection:
            selection.left_out[REDIRECT if is_redirect else NOT_A_PAGE] += 1
        return None
    failure = f"http_{status or 'unreadable'}" if http and status not in WHOLE else None
    cut_off = "cut_off" if record.rec_headers.get_header("WARC-Truncated") else None
    body = b"" if failure and selection else _payload(record.raw_stream, http)
    return Page(
        url=url,
        final_url=url,
        via="warc",
        fetched_at=fetched_at,
        status=status,
        content_type=content_type or None,
        **in_headers(lambda name: _values(http, name)),
        etag=http.get_header("ETag") if http else None,
        last_modified=http.get_header("Last-Modified") if http else None,
        body=body,
        failure=failure or cut_off,
        refusal="too_large" if len(body) > MAX_PAGE_BYTES else None,
        warc=name,
        warc_offset=offset,
    )


def _is_chosen(kind: str, url: str, fetched_at: datetime, selection: Selection) -> bool:
    """Whether a record is read on, by its own headers alone."""
    if kind == "revisit" or NOT_PAGES.search(urlsplit(url).path):
        selection.left_out[REVISIT if kind == "revisit" else NOT_A_PAGE] += 1
        return False
    return selection.takes(url, fetched_at)


def _values(http: StatusAndHeaders | None, name: str) -> list[str]:
    return [value for key, value in http.headers if key.lower() == name.lower()] if http else []


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
    fields = [value.encode("latin-1", "replace") for value in _values(http, "Content-Encoding")]
    said = known_encodings(fields) or (["gzip"] if sniff_encoding(body, "") else [])
    try:
        for encoding in reversed(said):
            body = decompress_prefix(body, sniff_encoding(body, encoding), MAX_PAGE_BYTES + 1)
    except DAMAGED:
        pass
    return body


def _may_be_page(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in ("", "text/html", "application/xhtml+xml", "text/plain")


def capture_time(text: str | None) -> datetime:
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
