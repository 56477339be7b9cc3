"""The command line in a process that kills itself (SIGKILL) at one moment of a takedown: its arguments are MOMENT, one of those in
tests/test_forget_originals.py, and those of `broadsheet`."""

import os
import sys
from typing import Any

from crawler.cli.main import main as command_line
from pipelines.archive import takedown, warc_takedown
from tests.support.killed import _replace, die


def die_at(moment: str) -> None:
    overwrite, pwrite = warc_takedown._overwrite, os.pwrite
    written: list[Any] = []

    def overwritten(*arguments: Any) -> None:
        if (moment, len(written)) in (("before the first", 0), ("between two", 4)):
            die()
        written.append(arguments)
        overwrite(*arguments)

    def torn(file: int, data: memoryview, at: int) -> int:
        if len(written) == 4:
            pwrite(file, data[: len(data) // 2], at)
            die()
        return pwrite(file, data, at)

    def dead(*_: Any, **__: Any) -> None:
        die()

    _replace(warc_takedown, "_overwrite", overwritten)
    if moment == "inside a record":
        _replace(os, "pwrite", torn)
    if moment == "before the rows":
        _replace(warc_takedown, "drop_rows", dead)
    if moment == "before the file is written anew":
        _replace(takedown, "erase", dead)


def main() -> None:
    die_at(sys.argv[1])
    sys.argv[1:] = sys.argv[2:]
    command_line()
