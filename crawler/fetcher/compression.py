"""Content-Encoding (gzip, deflate, br, zstd), sniffed from the bytes where the header is wrong; of a compressed robots.txt only
the beginning is decompressed."""

import sys
import zlib

import brotli
from scrapy import Request, Spider
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.http import Response

from crawler.fetcher.requests import PageRequest, RobotsRequest, asked_for
from crawler.fetcher.robots import ROBOTS_MAX_BYTES

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""Magic bytes -> encoding; brotli and deflate have none."""


_KNOWN = ("gzip", "deflate", "br", "zstd")
"""Encodings that can be decompressed."""


class CompressionMiddleware(HttpCompressionMiddleware):
    """Scrapy's decompression, for servers that say `gzip` and send HTML, say nothing and send gzip, or say `gzip` twice."""

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        said, asked = declared_encodings(response), asked_for(request)
        # A listing may be a .gz file, and unpacks itself: more of it is read than of a page.
        if not said and isinstance(asked, PageRequest) and sniff_encoding(response.body, ""):
            said = ["gzip"]
        response.headers["Content-Encoding"] = [name.encode() for name in said]
        if isinstance(asked, RobotsRequest):
            return _beginning_of(response, said)
        if not said:
            del response.headers["Content-Encoding"]
        answer: Request | Response = super().process_response(request, response)
        return answer

    @staticmethod
    def _decode(body: bytes, encoding: bytes, max_size: int) -> bytes:
        encoding = sniff_encoding(body, encoding.decode()).encode()
        return HttpCompressionMiddleware._decode(body, encoding, max_size) if encoding else body


def declared_encodings(response: Response) -> list[str]:
    """The encodings that Content-Encoding names, as far as they mean something, in their order: the last was done last."""
    fields = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1").lower().split(",")
    names = (field.partition(";")[0].strip().removeprefix("x-") for field in fields)
    return [name for name in names if name in _KNOWN]


def sniff_encoding(body: bytes, said: str) -> str:
    """The encoding of these bytes by their magic bytes, else the one that is declared (`said`); "" when they are text.
    Brotli and deflate have no mark, and are believed."""
    found = next((name for magic, name in _MAGIC.items() if body.startswith(magic)), None)
    return found or ("" if _is_text(body[:512]) else said)


def _is_text(start: bytes) -> bool:
    """Whether it has no control characters: of 128 packed bytes one in a million has none, of fewer only ASCII is believed."""
    return not any(code < 32 and code not in b"\t\n\f\r" for code in start) and (start.isascii() or len(start) >= 128)


def _beginning_of(response: Response, said: list[str]) -> Response:
    """A robots.txt, unpacked as far as it is read: what comes after may be a bomb."""
    body = response.body
    for encoding in reversed(said):
        body = decompress_prefix(body, sniff_encoding(body, encoding), ROBOTS_MAX_BYTES)
    del response.headers["Content-Encoding"]
    return response.replace(body=body)


def decompress_prefix(body: bytes, encoding: str, size: int) -> bytes:
    """Decompress at most `size` bytes, as far as they are sound. Raises failures.DAMAGED_ANSWERS for bytes of another
    encoding."""
    if encoding in ("gzip", "deflate"):
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
