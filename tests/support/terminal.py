"""The command line on a terminal of its own (pty), as a person sees it."""

import contextlib
import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

from tests.conftest import ROOT


def on_a_terminal(folder: Path, *arguments: object, until: bytes = b"", answer: bytes = b"", columns: int = 80) -> str:
    """What a terminal shows of a command, in this many columns; the answer is given when it shows `until`."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, columns))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm"}
    command = [sys.executable, "-m", "crawler", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=folder, stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
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
