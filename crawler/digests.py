"""Payload digest of web archives (WARC 1.1, 5.9): SHA-1 in base32, as their tools write it."""

import hashlib
from base64 import b32encode


def payload_digest(body: bytes) -> str:
    """`sha1:` and 32 letters. No seal against forgers: it tells bodies apart, and finds damage."""
    return f"sha1:{b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()}"
