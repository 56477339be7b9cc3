"""Categories: folders of sources, which narrow a list. Knows how `sources.category` is written, and no page.

A source may lie in several folders, `News/National; Local`, and is in each one around them, too: in `News`.
"""

import sqlite3
from dataclasses import dataclass

from crawler.folders import Folder, category_of, parse_category

MOST = 500
"""Folders that are offered."""


def _without_escapes(text: str) -> str:
    r"""SQL for a category in which a ; is the end of a folder: `\\` and `\;`, which are parts of a name, become control characters."""
    return rf"replace(replace({text}, '\\', char(1)), '\;', char(2))"


_LIES = f"'; ' || {_without_escapes('sources.category')} || '; '"
_HERE = f"'; ' || {_without_escapes(':category')}"

IS_IN = f"(instr({_LIES}, {_HERE} || '; ') > 0 or instr({_LIES}, {_HERE} || '/') > 0)"
"""SQL: whether a row of sources lies in the folder `:category`, which named() has written; NULL where it lies in none."""


def named(said: str | None) -> str | None:
    """The first folder of what somebody has written, as the table has it; None for no folder."""
    return category_of(parse_category(said)[:1])


def label(category: str | None) -> str:
    """A category for readers: `News / National`; nothing for none."""
    return " / ".join(parse_category(category)[0])


def folders(base: sqlite3.Connection) -> list[Folder]:
    """The folders of sources that have articles, and those around them, in the order of the alphabet."""
    said = base.execute(
        """select distinct category from sources
        where category is not null and exists (select 1 from articles where source_id = sources.id) limit 5000"""
    )
    lie = {folder for row in said for folder in parse_category(row[0])}
    around = {folder[:depth] for folder in lie for depth in range(1, len(folder) + 1)}
    return sorted(around, key=lambda folder: (*map(str.casefold, folder), *folder))[:MOST]


def has_sources(base: sqlite3.Connection, category: str) -> bool:
    """Whether a source lies in a folder, with or without articles."""
    return base.execute(f"select 1 from sources where {IS_IN} limit 1", {"category": category}).fetchone() is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A link of a row: to a folder, or to all that the row has folders of."""

    name: str | None  #: None for all of them
    category: str | None  #: as named() writes it; None for everything
    is_chosen: bool
    is_open: bool  #: what is chosen lies in it


def rows(found: list[Folder], chosen: str | None) -> list[list[Choice]]:
    """The outermost folders, and those in each folder on the way to the chosen one; no row where there is no folder."""
    (opened,) = parse_category(chosen)[:1]
    made = []
    for depth in range(len(opened) + 1):
        inside = [folder for folder in found if len(folder) == depth + 1 and folder[:-1] == opened[:depth]]
        if inside:
            made.append([_choice(opened[:depth], opened, is_all=True), *(_choice(one, opened) for one in inside)])
    return made


def _choice(folder: Folder, opened: Folder, *, is_all: bool = False) -> Choice:
    return Choice(
        name=None if is_all else folder[-1],
        category=category_of([folder]),
        is_chosen=folder == opened,
        is_open=not is_all and opened[: len(folder)] == folder,
    )
