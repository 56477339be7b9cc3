"""Feeds whose links change with every look although their entries do not: an entry is known by its title, too. Reads, never writes.

A session in the path, a token, the time of the look: nobody can tell it from an address before it has changed.
"""

import re
from collections.abc import Sequence

from crawler.items import Link
from pipelines.archive.pages import hints_from_json
from pipelines.database.sqlite import Database

LOOKED_BACK = 4
"""Pages of the source that an entry is looked for among, in lengths of the listing: other feeds of it come in between."""

RELINKED = 0.5
"""Share of a listing's entries that must have been there under other addresses. The others may be new."""

_PARAMETERS = re.compile(r"[;?].*", re.DOTALL)


def known_entries(db: Database, source_id: int, links: Sequence[Link], newest: int) -> int:
    """How many of these links, of which none is known, are entries that the source named before under other addresses; 0
    unless it is most of them. `newest` is the number of its newest page from before."""
    rows = db.execute(
        "select url, hints from pages where source_id = ? and id <= ? and hints is not null order by id desc limit ?",
        [source_id, newest, LOOKED_BACK * len(links)],
    )
    known = {entry for url, hints in rows for entry in _entries(Link(url=url, hints=hints_from_json(hints)))}
    count = sum(1 for link in links if not known.isdisjoint(_entries(link)))
    return count if count > RELINKED * len(links) else 0


def _entries(link: Link) -> set[tuple[str, str]]:
    """What an entry is known by: its title with its date, and with its address up to the first parameter."""
    hints = link.hints
    if not hints.title:
        return set()
    return {(hints.title, said) for said in (hints.date_published, _PARAMETERS.sub("", link.url)) if said}
