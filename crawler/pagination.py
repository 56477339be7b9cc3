"""Pagination: which page of an article an address is of, told by the address alone (`?page=2`, `/2/`, `-p2.html`, `?page=all`). Pure.

That `/weir/2` is the second page of `/weir` is only a reading: who asks must know from elsewhere that the two are linked.
"""

import re
from urllib.parse import urlsplit

MAX_PARTS = 20
"""Pages of one article that are followed. Print magazines' longest features have 10 to 15; what goes on is a list or a trap."""

ALL = 0
"""The number of the page that shows all pages of an article at once."""

_NAMES = r"page|pages|pg|paged|pagenum|page_?no|page_?number|seite|pagina|sida|side|sayfa|strona|part"
_NUMBERED_PAIR = re.compile(rf"(?:{_NAMES})=([0-9]{{1,3}})", re.IGNORECASE)
_ALL_PAIR = re.compile(
    rf"(?:{_NAMES})=(?:all|alle|full|single|tout|toutes|todo|todas|tutto)|view=(?:all|full|print)"
    r"|(?:singlepage|onepage|fullpage|showall|viewall|print|printable|printview)=(?:1|true|yes|y)",
    re.IGNORECASE,
)
_NUMBERED_SEGMENT = re.compile(rf"(?:(?:{_NAMES}|p)[-_]?)?([0-9]{{1,3}})", re.IGNORECASE)
_NAME_SEGMENT = re.compile(rf"{_NAMES}|p", re.IGNORECASE)
_ALL_SEGMENT = re.compile(
    r"all|full|print|printable|print-?view|single(?:-?page)?|one-?page|komplettansicht|druckversion", re.IGNORECASE
)
_NAMED_ENDING = re.compile(rf"[-_.,](?:{_NAMES}|p)[-_]?([0-9]{{1,3}})\Z", re.IGNORECASE)
_BARE_ENDING = re.compile(r"[-_,]([0-9]{1,2})\Z")
_ALL_ENDING = re.compile(r"(?:[_.](?:all|full|single)|[-_.]print)\Z", re.IGNORECASE)
_FILE_ENDING = re.compile(r"\.(?:x?html?|shtml|php[0-9]?|aspx?|jsp|cfm)\Z", re.IGNORECASE)


def address_key(url: str) -> str:
    """What the addresses of one article's pages have in common: host, path and query, without a file's ending or final slashes."""
    parts = urlsplit(url)
    return _key(parts.netloc, parts.path, parts.query)


def part_of(url: str) -> tuple[str, int] | None:
    """The address_key() of the article, and which of its pages this is, 1 or more, or ALL; None where the address says nothing of it."""
    parts = urlsplit(url)
    pairs = parts.query.split("&")
    for pair in pairs:
        numbered = _NUMBERED_PAIR.fullmatch(pair)
        if numbered or _ALL_PAIR.fullmatch(pair):
            rest = "&".join(other for other in pairs if other != pair)
            return _key(parts.netloc, parts.path, rest), int(numbered[1]) if numbered else ALL
    found = _part_of_path(parts.path)
    return (_key(parts.netloc, found[0], parts.query), found[1]) if found else None


def _part_of_path(path: str) -> tuple[str, int] | None:
    """A path without what chooses a page, and the number of the page."""
    before, _, last = _without_index(path).rpartition("/")
    name, ending = _split_ending(last)
    if numbered := _NUMBERED_SEGMENT.fullmatch(name):
        outer, _, word = before.rpartition("/")
        return (outer if _NAME_SEGMENT.fullmatch(word) else before) or "/", int(numbered[1])
    if _ALL_SEGMENT.fullmatch(name):
        return before or "/", ALL
    if named := _NAMED_ENDING.search(name):
        return f"{before}/{name[: named.start()]}", int(named[1])
    if ending and (bare := _BARE_ENDING.search(name)):
        return f"{before}/{name[: bare.start()]}", int(bare[1])
    if whole := _ALL_ENDING.search(name):
        return f"{before}/{name[: whole.start()]}", ALL
    if path.lower().startswith("/print/"):
        return path[len("/print") :], ALL
    return None


def _key(host: str, path: str, query: str) -> str:
    before, _, last = _without_index(path).rpartition("/")
    return f"{host}{before}/{_split_ending(last)[0]}?{query}"


def _without_index(path: str) -> str:
    """A folder's path without the name of its first page and the slash before it."""
    before, _, last = path.rpartition("/")
    return (before if _split_ending(last)[0].lower() == "index" else path).rstrip("/")


def _split_ending(name: str) -> tuple[str, str]:
    found = _FILE_ENDING.search(name)
    return (name[: found.start()], found[0]) if found else (name, "")
