"""Pages that a browser saved as one file with all their parts: MHTML (RFC 2557) and Safari's web archives -> their main document."""

import plistlib
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from xml.parsers.expat import ExpatError

SINGLE_FILE_SUFFIXES = (".mht", ".mhtml", ".webarchive")
"""File name extensions of such files."""


MAX_PARTS = 10_000
"""Parts of one file that are looked at: pictures, styles, frames."""


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
    message = message_from_bytes(data, policy=policy.compat32)
    parts = [part for part, _ in zip(message.walk(), range(MAX_PARTS), strict=False)]
    pages = [part for part in parts if part.get_content_type() in ("text/html", "application/xhtml+xml")]
    root = str(message.get_param("start") or "")
    part = next((part for part in pages if root and part.get("Content-ID") == root), pages[0] if pages else None)
    if part is None:
        return None
    body = part.get_payload(decode=True)
    url = message.get("Snapshot-Content-Location") or part.get("Content-Location")
    return Document(
        body=body if isinstance(body, bytes) else b"",
        content_type=_type_of(part),
        url=str(url).strip() if url else None,
    )


def _type_of(part: Message) -> str:
    charset = part.get_content_charset()
    return f"{part.get_content_type()}; charset={charset}" if charset else part.get_content_type()


def _of_web_archive(data: bytes) -> Document | None:
    try:
        archive = plistlib.loads(data)
    except (ValueError, ExpatError, RecursionError, OverflowError, KeyError, AttributeError, TypeError, IndexError):
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
