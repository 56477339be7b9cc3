"""Content-Encoding (gzip, deflate, br, zstd) of a body, sniffed from its bytes where the header is wrong; decompressed within bounds."""

import sys
import zlib
from collections.abc import Iterable

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""Magic bytes -> encoding; brotli and deflate have none."""


_KNOWN = ("gzip", "deflate", "br", "zstd")
"""Encodings that can be decompressed."""


DAMAGED = (zlib.error, brotli.error, zstd.ZstdError, EOFError, OSError)
"""What decompress_prefix() raises for bytes of another encoding."""


def known_encodings(fields: Iterable[bytes]) -> list[str]:
    """The encodings that Content-Encoding's fields name, as far as they mean something, in their order: the last was done last."""
    named = b",".join(fields).decode("latin-1").lower().split(",")
    names = (field.partition(";")[0].strip().removeprefix("x-") for field in named)
    return [name for name in names if name in _KNOWN]


def sniff_encoding(body: bytes, said: str) -> str:
    """The encoding of these bytes by their magic bytes, else the one that is declared (`said`); "" when they are text.
    Brotli and deflate have no mark, and are believed."""
    found = next((name for magic, name in _MAGIC.items() if body.startswith(magic)), None)
    return found or ("" if _is_text(body[:512]) else said)


def _is_text(start: bytes) -> bool:
    """Whether it has no control characters: of 128 packed bytes one in a million has none, of fewer only ASCII is believed."""
    return not any(code < 32 and code not in b"\t\n\f\r" for code in start) and (start.isascii() or len(start) >= 128)


def decompress_prefix(body: bytes, encoding: str, size: int) -> bytes:
    """Decompress at most `size` bytes, as far as they are sound. Raises DAMAGED for bytes of another encoding."""
    if encoding == "gzip":
        return _gunzip_prefix(body, size)
    if encoding == "deflate":
        try:
            return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, size)
        except zlib.error:  # deflate as many servers mean it, without zlib's head
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(body, size)
    if encoding == "br":
        found: bytes = brotli.Decompressor().process(body, output_buffer_limit=size)
        return found[:size]
    if encoding == "zstd":
        return zstd.ZstdDecompressor().decompress(body, size)
    return body[:size]


def _gunzip_prefix(body: bytes, size: int) -> bytes:
    """gzip as servers send it: one member or several, and what comes after them is not looked at."""
    parts: list[bytes] = []
    while size > 0 and (not parts or body.startswith(b"\x1f\x8b")):
        member = zlib.decompressobj(zlib.MAX_WBITS | 32)
        parts.append(member.decompress(body, size))
        size, body = size - len(parts[-1]), member.unused_data
    return b"".join(parts)
