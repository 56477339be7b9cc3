"""Answer -> WARC 1.1 records (ISO 28500), each a gzip member of its own, so that each is read by itself from its offset.

A response, or a revisit where the page had the same body before, then the request and the metadata that belong to it. What a
client does not learn of an answer is made up: the case and the order of header names; what no reader must undo once more is
left out: the transfer coding.
"""

import json
import platform
import zlib
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.items import METADATA_TYPE, Answer
from crawler.times import stamp

PACKED_LEVEL, TEXT_LEVEL = 0, 4
"""zlib levels: of a body that its server packed, and of all else. To pack 31 KB of gzip once more takes 1.4 ms and gains 50 bytes. HTML
of 155 KB on average takes 1.4 ms at level 3, 1.8 at 4 and 3.0 at 6, and 11, 4 and 0 % more room (60 of the labelled pages)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The record that a revisit refers to."""

    capture_id: int  #: captures.id
    url: str  #: its WARC-Target-URI
    date: str  #: its WARC-Date
    record_id: str  #: its WARC-Record-ID


class _HttpHead(StatusAndHeaders):  # type: ignore[misc]
    """An HTTP head whose bytes are those that were sent; warcio's own would rewrite what is not ASCII."""

    def to_ascii_bytes(self, filter_func: Any = None) -> bytes:
        return self.to_str(filter_func).encode("latin-1") + b"\r\n"  # type: ignore[no-any-return]


class _Member:
    """A gzip member that is written in memory."""

    def __init__(self, level: int) -> None:
        self._packer = zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS + 16)
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._parts.append(self._packer.compress(data))

    def flush(self) -> None:
        self._parts.append(self._packer.flush())

    def content(self) -> bytes:
        return b"".join(self._parts)


_writer = WARCWriter(None, gzip=False, warc_version="1.1")


def _packed(record: ArcWarcRecord, level: int = TEXT_LEVEL) -> bytes:
    member = _Member(level)
    _writer._write_warc_record(member, record)
    return member.content()


def warcinfo(name: str, user_agent: str) -> bytes:
    """The first record of a file: who made it and how."""
    record = _writer.create_warcinfo_record(
        name,
        {
            "software": f"Broadsheet/{version('broadsheet')} Scrapy/{version('scrapy')} Python/{platform.python_version()}",
            "format": "WARC File Format 1.1",
            "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
            "robots": "obey",
            "http-header-user-agent": user_agent,
            "description": "Pages of news sites. Bodies are as they were sent, transfer coding removed; HTTP heads are as Scrapy "
            "tells them: names in title case, the standard's reason phrase, Content-Length of the body that is here",
        },
    )
    return _packed(record)


def records_of(answer: Answer, digest: str, metadata: dict[str, Any], original: Original | None = None) -> list[bytes]:
    """The records of an answer: the response, or the revisit of its `original`; the request; the metadata."""
    date = stamp(answer.fetched_at)
    server = {"WARC-IP-Address": answer.ip_address} if answer.ip_address else {}
    told = {"WARC-Date": date} | server
    response = (
        _revisit(answer, digest, told, original)
        if original
        else _writer.create_warc_record(
            answer.url,
            "response",
            payload=BytesIO(answer.body),
            length=len(answer.body),
            http_headers=_response_head(answer),
            warc_headers_dict=told | {"WARC-Payload-Digest": digest},
        )
    )
    its_id = response.rec_headers.get_header("WARC-Record-ID")
    request = _writer.create_warc_record(
        answer.url,
        "request",
        payload=BytesIO(),
        length=0,
        http_headers=_request_head(answer),
        warc_headers_dict=told | {"WARC-Concurrent-To": its_id},
    )
    said = json.dumps(metadata, ensure_ascii=False).encode()
    # Without an address of its own: pywb would show it in the place of the page.
    note = _writer.create_warc_record(
        "",
        "metadata",
        payload=BytesIO(said),
        length=len(said),
        warc_content_type=METADATA_TYPE,
        warc_headers_dict={"WARC-Date": date, "WARC-Concurrent-To": its_id, "WARC-Refers-To": its_id},
    )
    level = PACKED_LEVEL if _is_packed(answer) else TEXT_LEVEL
    return [_packed(response, level), _packed(request), _packed(note)]


def _revisit(answer: Answer, digest: str, told: dict[str, str], original: Original) -> ArcWarcRecord:
    return _writer.create_revisit_record(
        answer.url,
        digest,
        original.url,
        original.date,
        http_headers=_response_head(answer),
        warc_headers_dict=told | {"WARC-Refers-To": original.record_id},
    )


def _is_packed(answer: Answer) -> bool:
    """Whether a body is packed as its head says; many heads say so of text."""
    says_so = any(name.lower() == b"content-encoding" for name, _ in answer.headers)
    return says_so and not answer.body[:256].isascii()


_NOT_KEPT = (b"transfer-encoding", b"content-length")
"""Headers, in lower case, that tell how the body was sent: the body that is here has no transfer coding, and its own length."""


def _response_head(answer: Answer) -> _HttpHead:
    kept = [pair for pair in answer.headers if pair[0].lower() not in _NOT_KEPT]
    head = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in kept]
    line = f"{answer.status} {answer.reason}"
    return _HttpHead(line, [*head, ("Content-Length", str(len(answer.body)))], protocol=answer.protocol)


def _request_head(answer: Answer) -> _HttpHead:
    parts = urlsplit(answer.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.request_headers]
    host = parts.netloc.rpartition("@")[2]
    return _HttpHead(f"{answer.method} {path} HTTP/1.1", [("Host", host), *head], is_http_request=True)
