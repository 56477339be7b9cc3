"""Bytes -> HTML text: binary formats refused, the character encoding found."""

import re

from crawler.encodings import decoded_html
from crawler.items import MAX_PAGE_BYTES


class Refusal(Exception):
    """The page is no article; `reason` is one stable word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


BINARY = re.compile(
    rb"\s*(?:%PDF|\x89PNG|GIF8|\xff\xd8\xff|PK\x03\x04|\x1f\x8b|RIFF|OggS|\x00\x00\x00.ftyp|ID3|BM.{4}\x00\x00|wOF[F2]|\x7fELF|MZ.\x00|Rar!|7z\xbc\xaf)",
    re.S,
)


OTHER_KINDS = re.compile(
    r"(?:image|audio|video|font)/|application/(?:pdf|json|zip|ld\+json|javascript|rss\+xml|atom\+xml)$|text/(?:css|javascript)$"
)


FEED = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*|<\?[^>]*>\s*|<!DOCTYPE (?!html)[^>]*>\s*)*+<(?:rss|feed|urlset|sitemapindex|rdf:RDF|opml|svg)\b",
    re.S | re.I,
)


HTML = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*+<(?:!doctype\s+html|html)\b", re.S | re.I)


MARKUP = re.compile(r"<(?:!doctype\s+html|html|head|body|title|meta|p|div|h[1-6]|article|table|span|a\s)[\s>/]?", re.I)


UNSEEN = re.compile("[\xad\u200b\u2060\ufeff\u202d\u202e]")
"""Where a word may be broken or must not be, and overrides of the direction of writing: no text needs them, and a search finds no word
that holds one. Joiners belong to the spelling of some scripts, and stay."""


def refuse_binary(body: bytes, content_type: str | None) -> None:
    """Refuses what is no text at all, whatever its header says."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if not body.strip(b"\x00\t\n\r\x0b\x0c "):
        raise Refusal("empty")
    if len(body) > MAX_PAGE_BYTES:
        raise Refusal("too_large")
    if BINARY.match(body) or (OTHER_KINDS.match(kind) and not _is_html(body[:4096].decode("latin-1"))):
        raise Refusal("not_html")


def is_plain_text(text: str, content_type: str | None) -> bool:
    """Whether the page is a text copy; without a header the first tags decide. Refuses feeds, JSON and the like."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if FEED.match(text) or _is_json(text):
        raise Refusal("not_html")
    if kind == "text/plain":
        return not _is_html(text[:4096])
    if "html" in kind:
        return False
    return not MARKUP.search(text)


def _is_html(start: str) -> bool:
    """Whether it says so itself, whatever its header says."""
    return HTML.match(start.removeprefix("\ufeff").removeprefix("\xef\xbb\xbf")) is not None


def _is_json(text: str) -> bool:
    start = text.lstrip("\ufeff \t\r\n")
    return bool(re.match(r"(?:\{\s*(?:\"|\})|\[\s*[\[{\"\]])", start)) and text.rstrip().endswith(("}", "]"))


def decode(body: bytes, content_type: str | None) -> str:
    """The page's characters."""
    text = decoded_html(body, content_type)
    if text is None:
        raise Refusal("not_html")
    return text
