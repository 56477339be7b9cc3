"""Folders of a source's `category`: `News/National` is a folder in a folder, `News; Local` a source that lies in both. Pure."""

import re
from collections.abc import Iterable

Folder = tuple[str, ...]
"""Names from the outside in; () is no folder."""


def category_of(folders: Iterable[Folder]) -> str | None:
    """`News/National; Local`; `/` stands for no folder beside others. A folder's own / ; and \\ get a \\ before them."""
    paths = ["/".join(re.sub(r"([/;\\])", r"\\\1", name) for name in path) or "/" for path in folders]
    return "; ".join(paths) if paths != ["/"] else None


def parse_category(category: str | None) -> list[Folder]:
    """The folders that a category names; [()] when there are none."""
    places = re.findall(r"(?:[^;\\]|\\.|\\$)+", category or "/", re.DOTALL)
    return [_folder(place) for place in places if place.strip()] or [()]


def tidy(category: str | None) -> str | None:
    """The same folders in the one way that category_of() writes them."""
    return category_of(parse_category(category))


def _folder(place: str) -> Folder:
    levels = re.findall(r"(?:[^/\\]|\\.|\\$)+", place, re.DOTALL)
    names = [re.sub(r"\\(.)", r"\1", level, flags=re.DOTALL).strip() for level in levels]
    return tuple(name for name in names if name)
