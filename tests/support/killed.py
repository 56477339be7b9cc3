"""The command line in a process that kills itself (SIGKILL) at one moment of keeping an original.

Its arguments are MOMENT NUMBER SHARE and then those of `broadsheet`: one of MOMENTS, the how manieth time that it is come to,
from 1, and how much of the records (0 to 1) is then written where the moment is inside them.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from crawler.cli.main import main as command_line
from crawler.items import Outcome
from pipelines.archive import captures, store, warc_files

MOMENTS = ("inside", "written", "noted", "stored")
"""Inside the records; when they are written and nothing else is; inside the transaction of their page; when that has ended."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(moment: str, number: int, share: float) -> None:
    """Let this process end when it comes to the moment for the time of this number."""
    times = count(1)

    def due() -> bool:
        return next(times) == number

    append, note, keep = warc_files.WarcFiles._append, captures.keep, store.Archive.keep

    def appended(self: Any, data: bytes) -> None:
        if moment == "inside" and due():
            append(self, data[: int(share * len(data))])
            die()
        append(self, data)
        if moment == "written" and due():
            die()

    def noted(db: Any, outcome: Any, page_id: int) -> None:
        note(db, outcome, page_id)
        if moment == "noted" and outcome.captures and due():
            die()

    def kept(self: Any, item: Any) -> Any:
        stored = keep(self, item)
        if moment == "stored" and isinstance(item, Outcome) and item.captures and due():
            die()
        return stored

    _replace(warc_files.WarcFiles, "_append", appended)
    _replace(captures, "keep", noted)
    _replace(store.Archive, "keep", kept)


def _replace(owner: Any, name: str, by: Callable[..., Any]) -> None:
    setattr(owner, name, by)


def main() -> None:
    die_at(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
    sys.argv[1:] = sys.argv[4:]
    command_line()
