"""Encodings of seven bits: ISO-2022-JP, ISO-2022-KR and HZ -> text. What is written in them is valid UTF-8, too, and as that
only signs; so they are looked for first, by the escapes that nothing else has, or by what a document declares."""

import re

_DECLARED = {"iso-2022-kr": "iso2022_kr", "iso2022_kr": "iso2022_kr", "hz-gb-2312": "hz", "hz": "hz"}
"""Names of those that have to be declared -> Python's codecs."""


_JAPANESE = re.compile(rb"\x1b\$[@B]")
"""Escapes that begin Japanese characters, of two bytes each."""


_PART = re.compile(rb"\x1b(?:\$([@B])|\(([BIJ]))([^\x1b]*+)")
"""An escape and what is written in the character set that it begins."""


def text_of(body: bytes, declared: str | None = None) -> str | None:
    """The characters of a document in one of these encodings; None of any other. `declared` is what it calls itself."""
    if _JAPANESE.search(body) and not _is_more_than_ascii(body):
        return _PART.sub(_shift_jis, body).decode("cp932", "replace")
    codec = _DECLARED.get((declared or "").strip().lower())
    return body.decode(codec, "replace") if codec and body.isascii() else None


def _is_more_than_ascii(body: bytes) -> bool:
    """Whether it is valid UTF-8 that needs all eight bits: then the escapes in it are none."""
    try:
        return not body.isascii() and bool(body.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _shift_jis(part: re.Match[bytes]) -> bytes:
    """The same in Shift_JIS, whose codec knows what Python's ISO-2022-JP does not: the vendors' signs, such as circled figures."""
    rest: bytes = part[3]
    if part[2] == b"I":  # katakana of half the width
        return bytes(code + 0x80 if 0x21 <= code <= 0x5F else code for code in rest)
    return re.sub(rb"([\x21-\x7e])([\x21-\x7e])", _pair, rest) if part[1] else rest


def _pair(two: re.Match[bytes]) -> bytes:
    row, cell = two[1][0] - 0x21, two[2][0] - 0x21
    lead, trail = 0x81 + row // 2, cell + (0x9F if row % 2 else 0x40)
    return bytes((lead if lead < 0xA0 else lead + 0x40, trail if row % 2 or trail < 0x7F else trail + 1))
