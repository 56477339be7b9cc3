"""What several tests share: the command line as a user runs it, and the local corpus crawled once."""

import atexit
import fcntl
import gc
import importlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from subprocess import PIPE
from tempfile import NamedTemporaryFile, TemporaryDirectory, mkdtemp
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.support.loopback import Site
    from tests.support.newsroom import Newsroom
    from tests.support.running import Running

# The same examples every time: a run that nobody changed must not fail. Explore with --hypothesis-profile=explore.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "local_corpus"


gc.disable()  # what is imported and collected is there to stay

# Python is started some hundred times, here and by tests: what is imported is compiled once, as it is for users. The workers
# of pytest-xdist start after this.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_collection() -> None:
    """Let Scrapy look at a stack that is low, thrice: of the one below an import by pytest it reads the source of every frame,
    and looks for each among all modules, which is an eighth of the time of collecting all tests."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        low = Thread(target=importlib.import_module, args=("scrapy.core.downloader.contextfactory",))
        low.start()
        low.join()


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.items:  # the process that hands out the tests has none
        from tests.support.archives import copy_what_migrations_make

        copy_what_migrations_make()
    gc.freeze()
    gc.enable()


if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as in the background of a shell, and every command would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

ENVIRONMENT = os.environ | {"COLUMNS": "120", "PYTHONPATH": str(ROOT)}


def start_forkserver() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.forkserver"]
    return subprocess.Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True, env=ENVIRONMENT)


_forkserver = cache(start_forkserver)


def pytest_sessionfinish() -> None:
    """Wait for the server, if it was needed: then the time of its commands is in the sum that `time pytest` prints."""
    if _forkserver.cache_info().currsize:
        with _forkserver() as server:
            server.communicate()


def broadsheet(
    *arguments: object,
    cwd: Path = ROOT,
    file_size: int | None = None,
    workers: int | None = 0,
    env: dict[str, str] | None = None,
    encoding: str = "utf-8",
    patch: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, as cron and people do.

    No file may grow beyond `file_size` bytes. `workers` extract, None: as many as usual; to start two takes longer than all
    else, and the demo, which most tests read, is made by them. `env` is what its environment has more,
    `encoding` that of what it prints, `patch` Python that is executed before.
    """
    more = {"file_size": file_size, "workers": workers, "env": env, "patch": patch}
    return _run("broadsheet", *arguments, cwd=cwd, encoding=encoding, **more)


def run_scrapy(*arguments: object, cwd: Path, workers: int | None = 0) -> subprocess.CompletedProcess[str]:
    """The same with Scrapy's own command line."""
    return _run("scrapy", *arguments, cwd=cwd, workers=workers)


def run_killed(*arguments: object, cwd: Path, at: str = "killed") -> subprocess.CompletedProcess[str]:
    """The command line, which kills itself at a moment of keeping an original: the modules of tests.support that begin with
    `killed` have the arguments."""
    return _run(at, *arguments, cwd=cwd, workers=0)


def start_beside(
    *arguments: object,
    cwd: Path = ROOT,
    workers: int | None = None,
    env: dict[str, str | None] | None = None,
    streams: tuple[str, str, str] = (os.devnull,) * 3,
) -> "Running":
    """The command line in a process of its own that goes on while the test does, leader of a group, with these files as
    standard input, output and error. Where `env` has None the environment has nothing."""
    from tests.support.running import Running

    status = Path(mkdtemp(dir=_scratch())) / "status"
    more = {"status": str(status), "workers": workers, "env": env}
    pid = _ask("broadsheet", *arguments, cwd=cwd, streams=streams, **more)
    return Running(pid, status)


def _run(
    program: str, *arguments: object, cwd: Path, encoding: str = "utf-8", **more: object
) -> subprocess.CompletedProcess[str]:
    with NamedTemporaryFile() as out, NamedTemporaryFile() as err:
        status = _ask(program, *arguments, cwd=cwd, streams=(os.devnull, out.name, err.name), **more)
        printed = (out.read().decode(encoding), err.read().decode(encoding))
    return subprocess.CompletedProcess([program, *map(str, arguments)], status, *printed)


def _ask(program: str, *arguments: object, cwd: Path, streams: tuple[str, str, str], **more: object) -> int:
    server = _forkserver()
    assert server.stdin is not None
    assert server.stdout is not None
    files = dict(zip(("in", "out", "err"), streams, strict=True))
    job = {"program": program, "arguments": [*map(str, arguments)], "cwd": str(cwd)} | files | more
    print(json.dumps(job), file=server.stdin, flush=True)
    return int(server.stdout.readline())


@cache
def _scratch() -> str:
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    return folder.name


def connect(path: Path) -> sqlite3.Connection:
    base = sqlite3.connect(path)
    base.row_factory = sqlite3.Row
    return base


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive that `broadsheet demo` makes, once for all processes of pytest-xdist. Read only: tests that write make
    their own."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo"
    folder.mkdir(exist_ok=True)
    db = folder / "news.db"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not db.exists():
            done = broadsheet("demo", "--no-serve", "--db", folder / "made.db", workers=None)
            assert done.returncode == 0, done.stderr
            (folder / "made.db").rename(db)
    return db


@pytest.fixture
def site() -> Iterator["Site"]:
    """A news site on loopback that says what the test tells it to."""
    from tests.support.loopback import serving

    with serving() as running:
        yield running


@pytest.fixture
def newsroom(tmp_path: Path) -> "Newsroom":
    """An empty sources.toml and archive."""
    from tests.support.newsroom import Newsroom

    return Newsroom(tmp_path)
