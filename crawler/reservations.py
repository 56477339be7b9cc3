"""Reservations in HTTP headers: X-Robots-Tag, the TDM Reservation Protocol's own (TDMRep), Content-Usage (IETF aipref).

What a server asks not to be done with what it sends. Read as it stands, for the archive to keep; nothing obeys it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

TDM_VALUES = {"0": 0, "1": 1}
"""What `tdm-reservation` may say, in a header, a meta element or tdmrep.json. Anything else is an error there, and says nothing."""


MAX_USAGE_CHARS = 1_000
"""Characters of a Content-Usage statement; those of the drafts have ten to forty. A longer one is left out, not cut."""


def tdm_reservation(said: Iterable[object]) -> int | None:
    """1 where text and data mining is reserved, 0 where it is not; of several the one that reserves, None where none says."""
    return max((TDM_VALUES[value] for one in said if (value := str(one).strip()) in TDM_VALUES), default=None)


def in_headers(values: Callable[[str], Sequence[str]]) -> dict[str, Any]:
    """The fields of a Page that an answer's headers tell; `values` gives those of a name, none where there is no such header."""
    usage = ", ".join(values("Content-Usage")).strip()  # of several lines one value is made: RFC 9651, 4.2
    return {
        "reserved": "\n".join(values("X-Robots-Tag")) or None,
        "tdm_reservation": tdm_reservation(values("tdm-reservation")),
        "content_usage": (usage,) if 0 < len(usage) <= MAX_USAGE_CHARS else (),
    }
