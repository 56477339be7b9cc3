"""The reading room over real HTTP: `broadsheet serve` in a process of its own."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT
from tests.support.newsroom import start, wait_for


@contextmanager
def reading_room(db: Path, *options: str) -> Iterator[str]:
    """Serve an archive with `broadsheet serve` and these options of it; gives the address, without a slash at its end."""
    port = _free_port()
    arguments = ("serve", "--db", str(db), "--port", str(port), *options)
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "said").open("w+") as said:
        server = start(*arguments, cwd=ROOT, stderr=said.fileno(), env={"TMPDIR": folder})
        try:
            wait_for(lambda: _listens(port) or server.poll() is not None)
            assert server.poll() is None, Path(said.name).read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(60)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
