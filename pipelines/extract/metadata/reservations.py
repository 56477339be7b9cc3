"""Reservations: what a page asks robots not to do with it (robots meta elements, X-Robots-Tag, TDM Reservation Protocol). Read, not judged."""

import re
from collections.abc import Iterable, Mapping, Sequence

from crawler.items import Page
from crawler.reservations import tdm_reservation

RESERVATIONS = (
    "noarchive",
    "nocache",
    "noindex",
    "nosnippet",
    "noai",
    "noimageai",
    "none",
    "tdm-reservation",
    "tdm-reservation=0",
)
"""Words that are kept: they say that a text is not to be found, kept, quoted or mined; the last, that it may be
mined whatever its host says. `nofollow` and the like concern links."""

_FOR_ONE_ROBOT = re.compile(r"\s*+([\w-]++)\s*+:")
"""`googlebot: noindex` says nothing to others, up to the end of the line; `unavailable_after:` is no robot, and no word that is kept."""


def reservations(page: Page, meta: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The words among RESERVATIONS that a page says to every robot, or its host says of it; `meta` as PageHead has it.

    Of text and data mining a meta element supersedes the header, as that does the host's file (TDMRep, Processing priority).
    """
    said = {word for line in (page.reserved or "").splitlines() for word in _words(line)}
    said |= {word for content in meta.get("robots", ()) for word in _split(content)}
    by_meta = tdm_reservation(meta.get("tdm-reservation", ()))
    by_page = page.tdm_reservation if by_meta is None else by_meta
    if 1 in (by_page, page.tdm_by_host) and by_page != 0:
        said.add("tdm-reservation")
    elif by_page == 0:
        said.add("tdm-reservation=0")
    return tuple(word for word in RESERVATIONS if word in said)


def _words(line: str) -> Iterable[str]:
    return () if _FOR_ONE_ROBOT.match(line) else _split(line)


def _split(said: str) -> Iterable[str]:
    return (word.strip().lower() for word in said.split(","))
