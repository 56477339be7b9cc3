"""`broadsheet alert` in a process that kills itself (SIGKILL) at one moment: its arguments are MOMENT NUMBER and those of the command."""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from crawler.cli.main import main as command_line
from pipelines.alerts import outbox, ways

MOMENTS = {
    "noting": (outbox, "_key", "before"),
    "noted": (outbox, "waiting", "before"),
    "tried": (ways, "deliver", "before"),
    "accepted": (ways, "deliver", "after"),
    "marked": (outbox, "sent", "after"),
    "written": (ways, "write_file", "after"),
}
"""Inside the transaction of hits; when it has ended; before a message leaves; when it was accepted and is not marked; when it is."""


def die_at(moment: str, number: int) -> None:
    """Let this process end when it comes to the moment for the time of this number, from 1."""
    owner, name, when = MOMENTS[moment]
    does: Callable[..., Any] = getattr(owner, name)
    times = count(1)

    def dying(*arguments: Any, **named: Any) -> Any:
        due = next(times) == number
        if due and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = does(*arguments, **named)
        if due:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(owner, name, dying)


def main() -> None:
    die_at(sys.argv[1], int(sys.argv[2]))
    sys.argv[1:3] = []
    command_line()
