"""Summaries: what a task has come to, in a small file of its own (tasks/00000.json); whoever shares the folder can follow it."""

import json
import os
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pipelines.backfill.files import whole_file
from pipelines.backfill.manifest import part_path

MOST_NOTES = 10
"""Messages kept of one file: the first ones."""


@dataclass(slots=True, kw_only=True)
class Summary:
    """One input, as far as it is read."""

    run: str  #: the start that read it
    process: int  #: id of the process that reads, or has read it
    done: bool = False  #: its part is whole
    failed: str | None = None  #: why there is no part, a sentence; None: there is one, or will be
    pages: int = 0  #: rows
    articles: int = 0
    refused: Counter[str] = field(default_factory=Counter)  #: by the words of pages.reason
    failures: Counter[str] = field(default_factory=Counter)  #: likewise
    left_out: Counter[str] = field(
        default_factory=Counter
    )  #: records that are no rows, by the words of crawler.parsers.selection
    notes: list[str] = field(default_factory=list)  #: damage, and where; in words

    @property
    def over(self) -> bool:
        """Whether this start is through with it."""
        return self.done or self.failed is not None

    def note(self, message: str) -> None:
        if len(self.notes) < MOST_NOTES:
            self.notes.append(message)


def summary_path(out: Path, number: int) -> Path:
    return out / "tasks" / f"{number:05}.json"


def write_summary(out: Path, number: int, summary: Summary) -> None:
    """Raises OutputError."""
    said = {one.name: getattr(summary, one.name) for one in fields(summary)}
    with whole_file(summary_path(out, number)) as stream:
        stream.write(json.dumps(said).encode())


def read_summary(out: Path, number: int) -> Summary | None:
    """What a task has said last; None where it has said nothing, or nothing that can be read."""
    try:
        said: dict[str, Any] = json.loads(summary_path(out, number).read_bytes())
        counts = {name: Counter(said[name]) for name in ("refused", "failures", "left_out")}
        return Summary(**said | counts)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def is_over(out: Path, number: int, run: str) -> bool:
    """Whether an input needs nothing more in this start: its part is there, or this start could not read it."""
    if os.path.exists(part_path(out, number)):  # noqa: PTH110  # asked of thousands
        return True
    summary = read_summary(out, number)
    return summary is not None and summary.run == run and summary.over
