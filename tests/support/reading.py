"""The reading room over real HTTP: `broadsheet serve` in a process of its own."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.conftest import start_beside
from tests.support.newsroom import wait_for


@contextmanager
def reading_room(
    db: Path,
    *options: str,
    uds: Path | None = None,
    said: IO[str] | None = None,
    env: dict[str, str] | None = None,
) -> Iterator[str]:
    """Serve an archive with `broadsheet serve` and these options of it; gives the address, without a slash at its end.

    With `uds` it listens at this socket instead. What it prints goes into `said`, `env` is what its environment has more.
    """
    port = free_port()
    where = ("--uds", str(uds)) if uds else ("--port", str(port))
    arguments = ("serve", "--db", str(db), *where, *options)
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "said").open("w+") as errors:
        streams = (os.devnull, said.name if said else os.devnull, (said or errors).name)
        server = start_beside(*arguments, env={"TMPDIR": folder, **(env or {})}, streams=streams)
        try:
            wait_for(lambda: listens(uds or port) or server.poll() is not None)
            assert server.poll() is None, Path((said or errors).name).read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(60)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def listens(place: int | Path) -> bool:
    """Whether somebody does at a port of this machine, or a Unix socket."""
    family, address = (
        (socket.AF_UNIX, str(place)) if isinstance(place, Path) else (socket.AF_INET, ("127.0.0.1", place))
    )
    with socket.socket(family) as client:
        client.settimeout(1)
        return client.connect_ex(address) == 0
