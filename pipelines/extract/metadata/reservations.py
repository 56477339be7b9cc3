"""Reservations: what a page asks robots not to do with it (robots meta elements, X-Robots-Tag, TDM Reservation Protocol). Read, not judged."""

import re
from collections.abc import Iterable, Mapping, Sequence

RESERVATIONS = ("noarchive", "nocache", "noindex", "nosnippet", "noai", "noimageai", "none", "tdm-reservation")
"""Words that are kept: they say that a text is not to be found, kept, quoted or mined. `nofollow` and the like concern links."""

_FOR_ONE_ROBOT = re.compile(r"\s*+([\w-]++)\s*+:")
"""`googlebot: noindex` says nothing to others, up to the end of the line; `unavailable_after:` is no robot, and no word that is kept."""


def reservations(header: str | None, meta: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The words among RESERVATIONS that a page says to every robot; `header` as Page.reserved has it, `meta` as PageHead."""
    said = {word for line in (header or "").splitlines() for word in _words(line)}
    said |= {word for content in meta.get("robots", ()) for word in _split(content)}
    if "1" in (content.strip() for content in meta.get("tdm-reservation", ())):
        said.add("tdm-reservation")
    return tuple(word for word in RESERVATIONS if word in said)


def _words(line: str) -> Iterable[str]:
    return () if _FOR_ONE_ROBOT.match(line) else _split(line)


def _split(said: str) -> Iterable[str]:
    return (word.strip().lower() for word in said.split(","))
