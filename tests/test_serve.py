"""`broadsheet serve`: where it listens and says so, whom it lets in, what it refuses; real servers on loopback."""

import http.client
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.publish.serve import Place
from tests.conftest import ROOT, broadsheet
from tests.support.newsroom import start, wait_for
from tests.support.reading import reading_room


@pytest.fixture
def folder(demo: Path, tmp_path: Path) -> Path:
    (tmp_path / "news.db").symlink_to(demo)
    return tmp_path


# What it refuses


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--host 0.0.0.0", "--host 0.0.0.0 lets other machines in, which would read originals and run SQL of their own: add --public"),
        ("--host ::", "add --public"),
        ("--host 192.0.2.7", "add --public"),
        ("--host 192.0.2.7 --public", "192.0.2.7, port 8001: Cannot assign requested address; `--host` and `--port` take others"),
        ("--host a..b", "expected an address of this machine"),
        ("--base-url /pa%20pers/", "expected a path of letters, digits, - and _, such as /papers/"),
        ("--base-url https://a.example/", "expected a path"),
        ("--base-url /../", "expected a path"),
        ("--base-url /article/", "pages of the archive begin with /article/ themselves"),
        ("--base-url /-/x", "pages of the archive begin with /-/ themselves"),
        ("--index", "--index is for a site that others reach: with --public"),
        ("--uds s --port 8001", "--uds takes the place of --host and --port"),
        ("--uds s --host 127.0.0.1", "--uds takes the place of --host and --port"),
        ("--uds s --open", "no browser opens a socket"),
        ("--uds absent/s", "--uds absent/s: No such file or directory"),
        ("--uds news.db", "--uds news.db: Address already in use"),
        (f"--uds {'x' * 200}", "path too long"),
    ],
)  # fmt: skip
def test_what_cannot_be_or_would_let_strangers_in_is_one_line_and_exit_2(folder: Path, options: str, said: str) -> None:
    before = (folder / "news.db").read_bytes()
    done = broadsheet("serve", *options.split(), cwd=folder)
    assert (done.returncode, done.stdout, said in done.stderr) == (2, "", True), done.stderr
    assert (folder / "news.db").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["news.db"]


def test_where_there_is_only_the_demo_its_archive_is_named(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/news.db").symlink_to(demo)
    done = broadsheet("serve", cwd=tmp_path)
    said = "broadsheet: news.db: no such database, but demo/news.db is there: `broadsheet serve --db demo/news.db` shows it\n"
    assert (done.returncode, done.stderr) == (2, said)
    assert "demo" not in broadsheet("serve", "--db", "mine.db", cwd=tmp_path).stderr


def test_a_live_socket_is_left_to_its_server(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(folder / "s"))
        other.listen()
        done = broadsheet("serve", "--uds", "s", cwd=folder)
        assert (done.returncode, "s: another server listens there" in done.stderr) == (2, True)
        assert (folder / "s").is_socket()


# Where it listens


class OverSocket(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("news.example")
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))


@contextmanager
def over_socket(folder: Path, *options: str) -> Iterator[OverSocket]:
    path = folder / "s"
    server = start("serve", "--uds", str(path), *options, cwd=folder, env={"TMPDIR": str(folder)})
    client = OverSocket(path)
    try:
        wait_for(lambda: server.poll() is not None or connects(client))
        yield client
    finally:
        client.close()
        server.terminate()
        server.wait(60)


def connects(client: OverSocket) -> bool:
    try:
        client.connect()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(("options", "rights"), [((), 0o600), (("--public",), 0o666)], ids=["owner", "public"])
def test_a_socket_is_the_owners_or_for_every_proxy_and_takes_the_place_of_a_dead_one(
    folder: Path, options: tuple[str, ...], rights: int
) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "s"))
    with over_socket(folder, *options) as client:
        wait_for(lambda: stat.S_IMODE((folder / "s").stat().st_mode) == rights)
        client.request("GET", "/latest.atom", headers={"X-Forwarded-Proto": "https"})
        answer = client.getresponse()
        assert (answer.status, b'href="https://news.example/latest.atom" rel="self"' in answer.read()) == (200, True)


def test_it_says_where_to_look_and_each_request_unless_told_to_be_quiet(folder: Path) -> None:
    loud, address = said_by(folder)
    assert loud.startswith(f"Shown at {address}/papers/ until Ctrl-C.\n")
    assert "GET /papers/sources" in loud
    assert said_by(folder, "--quiet")[0] == ""


def said_by(folder: Path, *options: str) -> tuple[str, str]:
    """What a server prints in which a page is read, and its address."""
    with (folder / "said").open("w+") as said:
        with reading_room(folder / "news.db", "--base-url", "papers", *options, said=said) as address:
            urllib.request.urlopen(f"{address}/papers/sources").close()
        said.seek(0)
        return said.read(), address


def test_open_shows_the_page_in_a_browser_as_soon_as_it_is_there(folder: Path) -> None:
    browser = folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {folder}/opened\n')
    browser.chmod(0o755)
    with reading_room(folder / "news.db", "--base-url", "papers", "--open", env={"BROWSER": str(browser)}) as address:
        wait_for(lambda: (folder / "opened").is_file() and (folder / "opened").read_text().endswith("\n"))
    assert (folder / "opened").read_text() == f"{address}/papers/\n"


def test_a_public_archive_may_listen_at_every_address_and_is_named_by_one_that_can_be_opened(folder: Path) -> None:
    with reading_room(folder / "news.db", "--public", "--host", "0.0.0.0") as address:
        assert urllib.request.urlopen(f"{address}/sources").status == 200
    assert Place(host="0.0.0.0", port=80).url == "http://127.0.0.1:80/"
    assert Place(host="::1", base_url="/papers/").url == "http://[::1]:8001/papers/"


LATER = """
from pipelines.publish.datasette_command import leave_units_for_later
leave_units_for_later()
import sys
from datasette.app import Datasette, ureg
Datasette(memory=True)
print("datasette.vendored.pint.registry" in sys.modules, ureg.define("furlong_of_ours = 201.168 metre"), ureg("1500 metre").to_compact())
"""


def test_units_of_measurement_are_loaded_when_a_column_has_one() -> None:
    done = subprocess.run([sys.executable, "-c", LATER], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False None 1.5 kilometer\n"
