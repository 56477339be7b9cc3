"""Content-Encoding (gzip, deflate, br, zstd), sniffed from the bytes where the header is wrong; of a compressed robots.txt only
the beginning is decompressed."""

from scrapy import Request, Spider
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.http import Response

from crawler.fetcher.requests import PageRequest, RobotsRequest, asked_for
from crawler.fetcher.robots import ROBOTS_MAX_BYTES
from crawler.parsers.content_encoding import decompress_prefix, known_encodings, sniff_encoding


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
    """known_encodings() of a response."""
    return known_encodings(response.headers.getlist("Content-Encoding"))


def _beginning_of(response: Response, said: list[str]) -> Response:
    """A robots.txt, unpacked as far as it is read: what comes after may be a bomb."""
    body = response.body
    for encoding in reversed(said):
        body = decompress_prefix(body, sniff_encoding(body, encoding), ROBOTS_MAX_BYTES)
    del response.headers["Content-Encoding"]
    return response.replace(body=body)
