"""Client-side redirects: a page that only moves its reader on to another address, by a meta refresh or a script of one line. Pure.

Static site generators write such stubs for addresses that they gave up. A page that has more to say than that is none.
"""

import re
from urllib.parse import urljoin, urlsplit

from w3lib.html import get_base_url, get_meta_refresh

from crawler.urls import UnusableURL, canonical_url

MAX_STUB_BYTES = 2**14
"""A longer page is no stub, and is not looked through: generators write 200 to 600 bytes, a page in a site's frame some thousands."""

MAX_STUB_WORDS = 60
"""Words that a stub may show: to wait, to follow the link instead, whom to tell. The longest seen has 40."""

MAX_DELAY_SECONDS = 30
"""Of a meta refresh: `moved, you are taken there in ten seconds` is a redirect, a page that reloads after minutes is none."""

_TRACE = re.compile(rb"http-equiv|location", re.IGNORECASE)
"""What no page that moves on can do without."""

_COMMENT = re.compile(r"<!--[^-]*+(?:-(?!->)[^-]*+)*+(?:-->|\Z)")
_NOSCRIPT = re.compile(r"<noscript\b[^<]*+(?:<(?!/noscript)[^<]*+)*+", re.IGNORECASE)
_SILENT = re.compile(r"<(script|style|title|template)\b[^<]*+(?:<(?!/\1)[^<]*+)*+", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b[^<>]*+>([^<]*+(?:<(?!/script)[^<]*+)*+)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*+>?")

_MOVES = re.compile(
    r"""\s*+(?:<!--[^\n]*+\n\s*+)?+(?:"use\ strict";\s*+)?+
        (?:(?:window\.)?(?:setTimeout\s*+\(|onload\s*+=)\s*+(?:function\s*+\(\)|\(\)\s*+=>)\s*+\{\s*+)?+
        (?:(?:window|document|self|top|parent)\.){0,2}+location(?:\.href)?+\s*+(?:=|\.(?:replace|assign)\s*+\()\s*+
        (["'])((?:[^"'\\\n]|\\[^\n]){1,2048}+)\1
        \s*+\)?+\s*+;?+\s*+(?:\}\s*+(?:,\s*+[0-9]{1,5}\s*+)?+\)?+\s*+;?+\s*+)?+(?://)?+\s*+(?:-->)?+\s*+""",
    re.VERBOSE,
)
"""A script that does nothing but set `location`, at once or after a pause, also in the comment that old browsers needed."""

_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.))")


def client_redirect(body: bytes, url: str) -> str | None:
    """The absolute address that a page moves its reader on to, of whatever scheme; None of a page that is more than that."""
    if len(body) > MAX_STUB_BYTES or not _TRACE.search(body):
        return None
    html = body.decode("utf-8", "replace")
    try:
        base = get_base_url(html, url)
        target = _refresh(html, base) or _scripted(html, base)
    except ValueError:  # an address of nowhere, such as `http://[`
        return None
    if target is None or _words(html) > MAX_STUB_WORDS:
        return None
    return target


def leads_to(body: bytes, url: str) -> str | None:
    """The same; also None of a page that only loads itself again, which a shop window or a ticker does."""
    target = client_redirect(body, url)
    return None if target is None or is_same_address(target, url) else target


def is_same_address(one: str, other: str) -> bool:
    """Whether a server takes both for one address, whatever stands behind `#`."""
    one, other = one.partition("#")[0], other.partition("#")[0]
    try:
        return canonical_url(one) == canonical_url(other)
    except UnusableURL:
        return one == other


def _refresh(html: str, base: str) -> str | None:
    """The target of a meta refresh. Within `noscript` it must not be for those without scripts alone."""
    delay, target = get_meta_refresh(html, base, ignore_tags=("script", "style"))
    if target is None or delay is None or delay > MAX_DELAY_SECONDS:
        return None
    shown = _NOSCRIPT.sub("", _COMMENT.sub("", html))
    if get_meta_refresh(shown, base, ignore_tags=("script", "style"))[1] == target:
        return target
    return target if not _SCRIPT.search(shown) or _is_named_in(_unescaped(shown), target) else None


def _is_named_in(text: str, target: str) -> bool:
    parts = urlsplit(target)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return target in text or (len(path) > 1 and path in text)


def _scripted(html: str, base: str) -> str | None:
    for script in _SCRIPT.finditer(html):
        if found := _MOVES.fullmatch(script[1]):
            return urljoin(base, _unescaped(found[2]).strip())
    return None


def _unescaped(script: str) -> str:
    r"""A script with its strings' escapes resolved: `\/`, `\x3d`, `\u0026`."""
    return _ESCAPE.sub(lambda it: chr(int(it[1] or it[2], 16)) if it[1] or it[2] else it[3], script)


def _words(html: str) -> int:
    return len(_TAG.sub(" ", _SILENT.sub(" ", _COMMENT.sub(" ", html))).split())
