"""The gzip members of our own WARC files, a record each: walked from one to the next, past damage, and blanked in place.

A walk unpacks heads alone where the length of a record is known, for a member does not tell it: its heads are what a takedown
and the doctor ask for, and bodies are nine tenths of a file.
"""

import json
import os
import struct
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from crawler.digests import payload_digest
from crawler.items import METADATA_TYPE
from crawler.times import stamp
from crawler.urls import canonical_or_none

BLANK_TYPE = "application/x.broadsheet-blank"
"""Content-Type of a record that stands where another was that was taken down: spaces."""

MAX_HEAD_BYTES = 2**18
"""Size limit of a record's headers, as crawler.parsers.warc has it."""

_MAGIC = b"\x1f\x8b\x08"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One record as it lies in its file."""

    offset: int  #: where its member begins, in bytes
    length: int  #: of its member, in bytes; of a damaged one up to the next record
    head: dict[str, str]  #: WARC headers, names in lower case; {} where they cannot be read
    found_at: str | None  #: the address that was found, as a metadata record of ours tells it; None of all others
    whole: bool  #: False of what is damaged or cut off

    @property
    def kind(self) -> str:
        """WARC-Type; "" where that cannot be read."""
        return self.head.get("warc-type", "")

    @property
    def url(self) -> str | None:
        """The address that it is of, as pages.url has it; None where it names none."""
        return canonical_or_none(self.head.get("warc-target-uri", ""))

    @property
    def is_blank(self) -> bool:
        return self.head.get("content-type") == BLANK_TYPE


class _Pieces:
    """What a member unpacks to, piece by piece; then `end` is the offset after it, None of a damaged or cut-off one."""

    def __init__(self, stream: BinaryIO, offset: int) -> None:
        self._stream, self._offset = stream, offset
        self.end: int | None = None

    def __iter__(self) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS + 16)
        at, size = self._offset, 2**12
        while not unpacker.eof:
            self._stream.seek(at)
            data = self._stream.read(size)
            if not data:
                return
            try:
                piece = unpacker.decompress(data)
            except zlib.error:
                return
            at, size = at + len(data), 2**16
            yield piece
        self.end = at - len(unpacker.unused_data)


def member_end(file: Path, offset: int) -> int | None:
    """Where the gzip member ends that begins at `offset`; None when it is not whole, or there is none. Raises OSError."""
    with file.open("rb", buffering=0) as stream:
        pieces = _Pieces(stream, offset)
        deque(pieces, 0)
    return pieces.end


def members(file: Path, lengths: Mapping[int, int] | None = None, offset: int = 0) -> Iterator[Member]:
    """The records of a file from `offset` on; `lengths` are those that are known, in bytes, by offset. Raises OSError."""
    with file.open("rb", buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size
        while offset < size:
            member = _member_at(stream, offset, (lengths or {}).get(offset), size)
            yield member
            offset += member.length


def _member_at(stream: BinaryIO, offset: int, known: int | None, size: int) -> Member:
    fits = known is not None and _begins_at(stream, offset + known, size)
    content = b""
    head: dict[str, str] = {}
    pieces = _Pieces(stream, offset)
    for piece in pieces:
        if not head or (head.get("content-type") == METADATA_TYPE and len(content) < MAX_HEAD_BYTES):
            content += piece
            head = head or _head_of(content)
        if fits and known and head.get("warc-type") in ("response", "revisit"):
            return Member(offset=offset, length=known, head=head, found_at=None, whole=True)
    head = head or _head_of(content, cut_off=True)
    end = pieces.end or (offset + known if fits and known else _next_start(stream, offset + 1, size))
    return Member(
        offset=offset,
        length=end - offset,
        head=head,
        found_at=_found_at(head, content),
        whole=bool(head and pieces.end),
    )


def _head_of(content: bytes, *, cut_off: bool = False) -> dict[str, str]:
    """The headers of a record by the beginning of it; {} where they do not end there, but for what is `cut_off`."""
    head, end, _ = content[:MAX_HEAD_BYTES].partition(b"\r\n\r\n")
    version, *lines = head.decode("utf-8", "replace").split("\r\n")
    if not version.startswith("WARC/") or not (end or cut_off):
        return {}
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def _found_at(head: dict[str, str], content: bytes) -> str | None:
    if head.get("content-type") != METADATA_TYPE:
        return None
    try:
        told: Any = json.loads(content.partition(b"\r\n\r\n")[2])
    except (ValueError, RecursionError):
        return None
    url = told.get("url") if isinstance(told, dict) else None
    return canonical_or_none(url) if isinstance(url, str) else None


def _begins_at(stream: BinaryIO, offset: int, size: int) -> bool:
    """Whether a member may begin there, or the file ends."""
    stream.seek(offset)
    return offset == size or stream.read(len(_MAGIC)) == _MAGIC


def _next_start(stream: BinaryIO, offset: int, size: int) -> int:
    """Where the next record begins at or after `offset`; `size` where there is none."""
    while offset < size:
        stream.seek(offset)
        block = stream.read(2**16)
        found = block.find(_MAGIC)
        if found < 0:
            offset += max(1, len(block) - len(_MAGIC) + 1)
            continue
        offset += found
        if next(iter(_Pieces(stream, offset)), b"").startswith(b"WARC/"):
            return offset
        offset += 1
    return size


def is_as_written(file: Path, offset: int) -> bool:
    """Whether the record at `offset` is whole and its block has the digest that its head says. Raises OSError."""
    with file.open("rb", buffering=0) as stream:
        pieces = _Pieces(stream, offset)
        content = b"".join(pieces)
    head = _head_of(content)
    length = head.get("content-length", "")
    if not (pieces.end and length.isascii() and length.isdigit()):
        return False
    rest = content.partition(b"\r\n\r\n")[2]
    block = rest[: int(length)]
    said = head.get("warc-block-digest")
    return len(rest) == int(length) + 4 and said in (None, payload_digest(block))


def groups(found: Iterable[Member]) -> Iterator[list[Member]]:
    """Each answer with the records that follow and name it. Those behind one whose head is damaged are taken for its own."""
    group: list[Member] = []
    for member in found:
        named = member.head.get("warc-concurrent-to")
        if group and named and named in (group[0].head.get("warc-record-id"), None if group[0].head else named):
            group.append(member)
            continue
        if group:
            yield group
        group = [member]
    if group:
        yield group


# Blanking


SMALLEST = 223
"""Bytes of the shortest blank record: its head, stored as it is. The shortest that is ever written has 299."""

_MOST_STORED = 2**16 - 1
"""Bytes that a block of deflate may hold that is stored and not packed: RFC 1951, 3.2.4."""


def blank_record(length: int, record_id: str | None, now: datetime) -> bytes:
    """A gzip member of just this length, in bytes: a record that says nothing. One too short for that is zero bytes.

    It is stored, not packed, so that every length can be had and no reader meets a gzip header that it does not know: some
    stop at a long comment. A length that one more digit of Content-Length steps over is met by an empty block more.
    """
    head = (
        f"WARC/1.1\r\nContent-Type: {BLANK_TYPE}\r\nWARC-Type: metadata\r\n"
        f"WARC-Record-ID: {record_id or f'<urn:uuid:{uuid4()}>'}\r\nWARC-Date: {stamp(now)}\r\nContent-Length: "
    ).encode()
    fewest = -(-(length - 18) // (_MOST_STORED + 5))
    for blocks in range(fewest, fewest + 3):
        content = _filled(head, length - 18 - 5 * blocks)
        if content:
            return _stored(content, blocks)
    return bytes(length)


def _filled(head: bytes, length: int) -> bytes | None:
    """A record of this length, in bytes; None where no Content-Length makes it one."""
    for digits in range(1, 12):
        room = length - len(head) - digits - 8
        if room >= 0 and len(str(room)) == digits:
            return head + str(room).encode() + b"\r\n\r\n" + b" " * room + b"\r\n\r\n"
    return None


def _stored(content: bytes, blocks: int) -> bytes:
    """A gzip member (RFC 1952) of so many stored blocks; those that are not needed are empty."""
    parts = [content[at : at + _MOST_STORED] for at in range(0, blocks * _MOST_STORED, _MOST_STORED)]
    packed = [
        struct.pack("<BHH", number == blocks, len(part), len(part) ^ 0xFFFF) + part
        for number, part in enumerate(parts, 1)
    ]
    start = _MAGIC + bytes(6) + b"\xff"  # no name, no time, and of no operating system
    return start + b"".join(packed) + struct.pack("<II", zlib.crc32(content), len(content))
