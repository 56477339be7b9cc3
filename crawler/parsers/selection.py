"""Which records of a web archive are read, by address and date alone, and how many of which kind are left out."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

NOT_ASKED_FOR, REDIRECT, REVISIT, NOT_A_PAGE = "not_asked_for", "redirect", "revisit", "not_a_page"
"""Words for records that are left out: of another domain or day; without a body of their own; by name or type no page."""


@dataclass(slots=True, kw_only=True)
class Selection:
    """What is wanted of an archive. It is asked before a body is unpacked, which takes half of what extraction leaves to reading."""

    wants: Callable[[str, datetime], bool] = lambda url, captured_at: True
    left_out: Counter[str] = field(
        default_factory=Counter
    )  #: records by the words above; requests and notes are no pages of any kind

    def takes(self, url: str, captured_at: datetime) -> bool:
        """Whether a record of this address and moment is wanted; one that is not is counted."""
        if self.wants(url, captured_at):
            return True
        self.left_out[NOT_ASKED_FOR] += 1
        return False
