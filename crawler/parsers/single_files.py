"""Pages that a browser saved as one file with all their parts: MHTML (RFC 2557) and Safari's web archives -> their main document."""

import plistlib
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from xml.parsers.expat import ExpatError

from crawler.items import MAX_PAGE_BYTES

SINGLE_FILE_SUFFIXES = (".mht", ".mhtml", ".webarchive")
"""File name extensions of such files."""


MAX_PARTS = 10_000
"""Parts of one file that are looked at: pictures, styles, frames."""


MAX_HEAD_BYTES = 2**14
"""Of a part's headers; browsers write some hundred bytes."""


MAX_DOCUMENT_BYTES = 4 * MAX_PAGE_BYTES
"""Of the main document as it is encoded: quoted-printable takes three bytes for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The page itself, without its parts."""

    body: bytes
    content_type: str | None  #: with the charset that was noted; None: nothing was
    url: str | None  #: where it was saved from, as it was noted


def main_document(data: bytes, name: str) -> Document | None:
    """The main document of a file of this name; None when there is none in it."""
    return _of_web_archive(data) if name.endswith(".webarchive") else _of_mhtml(data)


def _of_mhtml(data: bytes) -> Document | None:
    """The parts are cut apart here and one is parsed: of all of them, lines of pictures, the mail parser makes gigabytes."""
    head = _head_of(data)
    boundary = str(head.get_boundary() or "").encode("latin-1", "replace")
    pieces = data.split(b"\n--" + boundary, MAX_PARTS)[1:] if boundary else [data]
    heads = [(_head_of(piece.lstrip(b"\r\n")), piece) for piece in pieces]
    pages = [one for one in heads if one[0].get_content_type() in ("text/html", "application/xhtml+xml")]
    root = str(head.get_param("start") or "")
    named = (one for one in pages if root and one[0].get("Content-ID") == root)
    part, piece = next(named, pages[0] if pages else (None, b""))
    if part is None:
        return None
    body = message_from_bytes(piece.lstrip(b"\r\n")[:MAX_DOCUMENT_BYTES], policy=policy.compat32).get_payload(
        decode=True
    )
    url = head.get("Snapshot-Content-Location") or part.get("Content-Location")
    return Document(
        body=body if isinstance(body, bytes) else b"",
        content_type=_type_of(part),
        url=str(url).strip() if url else None,
    )


def _head_of(part: bytes) -> Message:
    """The headers of a part, which end at its first empty line."""
    start = part[:MAX_HEAD_BYTES].replace(b"\r\n", b"\n")
    return message_from_bytes(start.partition(b"\n\n")[0] + b"\n\n", policy=policy.compat32)


def _type_of(part: Message) -> str:
    charset = part.get_content_charset()
    return f"{part.get_content_type()}; charset={charset}" if charset else part.get_content_type()


def _of_web_archive(data: bytes) -> Document | None:
    try:
        archive = plistlib.loads(data)
    except (ValueError, ExpatError, RecursionError, ArithmeticError, LookupError, AttributeError, TypeError):
        return None  # plistlib.InvalidFileException is a ValueError; a hostile one raises the others
    main = archive.get("WebMainResource") if isinstance(archive, dict) else None
    body = main.get("WebResourceData") if isinstance(main, dict) else None
    if not isinstance(main, dict) or not isinstance(body, bytes):
        return None
    charset, url = main.get("WebResourceTextEncodingName"), main.get("WebResourceURL")
    kind = str(main.get("WebResourceMIMEType") or "text/html")
    return Document(
        body=body,
        content_type=f"{kind}; charset={charset}" if charset else kind,
        url=url if isinstance(url, str) else None,
    )
