"""The command line on a terminal of its own (pty), as a person sees it."""

import contextlib
import os
import pty
import re
import termios
from pathlib import Path

from tests.conftest import start_beside
from tests.support.running import Running


def start_at(terminal: int, folder: Path, *arguments: object) -> Running:
    """A command on a terminal, which this process then leaves to it."""
    bare = {"COLUMNS": None, "TERM": "xterm"}
    name = os.ttyname(terminal)
    process = start_beside(*arguments, cwd=folder, workers=0, env=bare, streams=(name, name, name))
    os.close(terminal)
    return process


def on_a_terminal(folder: Path, *arguments: object, until: bytes = b"", answer: bytes = b"", columns: int = 80) -> str:
    """What a terminal shows of a command, in this many columns; the answer is given when it shows `until`."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, columns))
    process = start_at(slave, folder, *arguments)
    shown = b""
    with contextlib.suppress(OSError):  # EIO: it has ended
        while part := os.read(master, 4096):
            shown += part
            if until and until in shown:
                os.write(master, answer)
                until = b""
    process.wait()
    os.close(master)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r\n", "\n")
