"""Character encoding of an HTML page: bytes -> text, by marks, by what is valid, by what the page and its header declare."""

import codecs
import re

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, resolve_encoding

from crawler import iso_2022

NOT_FOR_PAGES = frozenset(("idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7"))
"""Codecs of host names and of source code, and one that the HTML standard forbids."""


CONTROL_REFERENCE = re.compile(
    r"&#(?:(?:0*(?:[0-8]|1[124-9]|2\d|3[01]|127)|[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]|7[fF]))(?:;|(?![0-9a-fA-F]))"
    r"|(1(?:2[89]|[34]\d|5\d));)"
)
"""To a control character; the group: to one that WINDOWS knows as a sign."""


CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


CONTROL_BYTES = bytes(code for code in (*range(0x20), 0x7F) if chr(code) not in "\t\n\r")


CONTROL_PAIR = re.compile(rb"\xc2[\x80-\x9f]")
"""The same in UTF-8."""


WINDOWS = {code: bytes((code,)).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
"""What HTML means by the code points 128 to 159: windows-1252's quotes and dashes."""


def decoded_html(body: bytes, content_type: str | None = None) -> str | None:
    """A page's characters: byte order mark, NUL pattern, encodings of seven bits, valid UTF-8, then what the page and its
    Content-Type header declare, then a guess; None where nobody can guess."""
    text = (
        _marked(body)
        or _of_seven_bits(body, content_type)
        or _strict(body, "utf-8")
        or _declared(body, content_type)
        or _guessed(body)
    )
    if text is None:
        return None
    text = CONTROL_REFERENCE.sub(lambda reference: WINDOWS[int(reference[1])] if reference[1] else "", text)
    return CONTROLS.sub(lambda letter: WINDOWS.get(ord(letter[0]), ""), text) if _has_controls(text) else text


def _has_controls(text: str) -> bool:
    """Whether CONTROLS finds something, in half the time: most pages have none."""
    encoded = text.encode("utf-8", "replace")
    return len(encoded.translate(None, CONTROL_BYTES)) < len(encoded) or CONTROL_PAIR.search(encoded) is not None


_MARKED = ("utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be", "utf-32-le", "utf-7")
"""Encodings that are told by their marks and NULs, or that no page may have."""


def _marked(body: bytes) -> str | None:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\x00\x00\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if body.startswith(mark):
            return body.decode(encoding, "replace").lstrip("\ufeff")
    even, odd = body[:400:2].count(0), body[1:400:2].count(0)
    if max(even, odd) > 4 * min(even, odd) + 20:
        return body.decode("utf-16-be" if even > odd else "utf-16-le", "replace")
    return None


def _strict(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _of_seven_bits(body: bytes, content_type: str | None) -> str | None:
    if not body.isascii() and b"\x1b$" not in body:
        return None  # most pages
    return iso_2022.text_of(body, next(iter(_names(body, content_type)), None))


def _names(body: bytes, content_type: str | None) -> list[str]:
    """The encodings that a page and its header declare, in the order in which they are believed."""
    return [name for name in (html_body_declared_encoding(body), http_content_type_encoding(content_type)) if name]


def _declared(body: bytes, content_type: str | None) -> str | None:
    named = map(resolve_encoding, _names(body, content_type))
    encodings = [encoding for encoding in named if encoding and _is_of_text(encoding)]
    for encoding in encodings:
        if (text := _strict(body, encoding)) is not None:
            return text
    return next((text for encoding in encodings if _few_losses(text := body.decode(encoding, "replace"))), None)


def _is_of_text(encoding: str) -> bool:
    """Whether it is an encoding of pages: Python has codecs of other things by which a page may call itself, too."""
    return codecs.lookup(encoding)._is_text_encoding and encoding not in NOT_FOR_PAGES


def _few_losses(text: str) -> bool:
    """One damaged character in five hundred is damage; more is another encoding."""
    return text.count("\ufffd") * 500 <= len(text)


def _guessed(body: bytes) -> str | None:
    """Of 68 undeclared samples in 21 languages charset-normalizer took 15 for another encoding, among them whatever is in
    ISO-8859-2, chardet one."""
    import chardet  # 40 MB of tables, for pages that declare nothing

    found = chardet.detect(
        body,
        encoding_era=chardet.EncodingEra.MODERN_WEB | chardet.EncodingEra.LEGACY_ISO,
        exclude_encodings=_MARKED,
    )["encoding"]
    return body.decode(resolve_encoding(found) or found, "replace") if found else None
