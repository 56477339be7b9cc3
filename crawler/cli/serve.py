"""`broadsheet serve`: the archive in a browser, shown by Datasette; for its owner, or for visitors behind a proxy."""

import os
import re
import socket
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from crawler.cli.common import DB, open_archive
from crawler.cli.output import USAGE, is_absent, print_error

LOOPBACK = "127.0.0.1"
DEMO = Path("demo/news.db")
"""Where `broadsheet demo` puts its archive."""


@click.command()
@DB
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="0 takes one that is free."
)
@click.option(
    "--host",
    default=LOOPBACK,
    show_default=True,
    metavar="ADDRESS",
    help="Listen at another address of this machine, such as 0.0.0.0 for all of them: with --public.",
)
@click.option(
    "--uds",
    type=click.Path(path_type=Path),
    metavar="SOCKET",
    help="Listen at a Unix socket instead of an address; only this user may use it, with --public everybody.",
)
@click.option("--base-url", default="/", metavar="PATH", help="Where the proxy in front shows it, such as /papers/.")
@click.option("--public", is_flag=True, help="For a server others reach: no SQL of visitors' own, no downloads.")
@click.option("--index", is_flag=True, help="Let search engines list it. They are told not to otherwise.")
@click.option("--open", "opens", is_flag=True, help="Open it in a browser.")
@click.option("--quiet", is_flag=True, help="Print nothing but warnings and errors: no line for each request.")
@click.pass_context
def serve(
    context: click.Context,
    db: Path,
    port: int,
    host: str,
    uds: Path | None,
    base_url: str,
    public: bool,
    index: bool,
    opens: bool,
    quiet: bool,
) -> None:
    """Read the archive in a browser. Datasette shows it, on this machine only unless told otherwise.

    Behind a proxy that others reach it is `serve --public`, under a path of its site with --base-url.
    """
    said = {name for name in ("port", "host") if context.get_parameter_source(name) is not ParameterSource.DEFAULT}
    if uds and (said or opens):
        raise click.UsageError("--uds takes the place of --host and --port, and no browser opens a socket")
    if index and not public:
        raise click.UsageError("--index is for a site that others reach: with --public")
    base_url = _base_url(base_url)
    if is_absent(db) and db == Path("news.db") and not is_absent(DEMO):
        _refuse(f"{db}: no such database, but {DEMO} is there: `broadsheet serve --db {DEMO}` shows it")
    with open_archive(db):
        pass
    if uds:
        _make_socket(uds, 0o666 if public else 0o600)
    else:
        if not public:
            _refuse_visitors(host)
        port = free_port(host, port)
    show(db, host=host, port=port, uds=uds, base_url=base_url, public=public, index=index, quiet=quiet, open=opens)


def show(db: Path, **where: Any) -> NoReturn:
    """Say where to look, and become the server: `where` are the fields of a Place."""
    from pipelines.publish.serve import Place, datasette_arguments

    place = Place(**where)
    if not place.quiet:
        click.echo(f"Shown at {place.uds or place.url} until Ctrl-C.")
        sys.stdout.flush()
    # The proxies whose X-Forwarded-Proto uvicorn believes: those of this machine, and whoever may use the socket.
    os.environ.setdefault("FORWARDED_ALLOW_IPS", "*" if place.uds else f"{LOOPBACK},::1")
    os.execv(
        sys.executable,
        [sys.executable, "-P", "-m", "pipelines.publish.datasette_command", *datasette_arguments(db, place)],
    )


def free_port(host: str, port: int) -> int:
    """The port, or a free one for 0; or end with the right message and status where nothing could listen."""
    try:
        with socket.create_server((host, port), family=_addresses(host)[0][0]) as taken:
            return int(taken.getsockname()[1])
    except OSError as error:
        where, other = (
            ("", "`--port` takes another") if host == LOOPBACK else (f"{host}, ", "`--host` and `--port` take others")
        )
        _refuse(f"{where}port {port}: {os.strerror(error.errno or 0)}; {other}")


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    """The addresses that a name stands for, or end with the message that there is none."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        _refuse(f"--host {host}: expected an address of this machine, such as {LOOPBACK} or 0.0.0.0")
    return [(family, str(address[0])) for family, _, _, _, address in found]


def _refuse_visitors(host: str) -> None:
    """End where others than this machine could reach the owner's pages."""
    if not all(ip_address(address).is_loopback for _, address in _addresses(host)):
        _refuse(
            f"--host {host} lets other machines in, which would read originals and run SQL of their own: add --public,"
            f" or keep {LOOPBACK} and come by `ssh -L 8001:{LOOPBACK}:8001`"
        )


def _base_url(said: str) -> str:
    """`papers`, `/papers` and `/papers/` are `/papers/`; or end with what is wrong with it."""
    from pipelines.publish.base_url import BEGINNINGS

    words = [word for word in said.split("/") if word]
    if not all(re.fullmatch("[A-Za-z0-9_-]+", word) for word in words):
        _refuse(f"--base-url {said}: expected a path of letters, digits, - and _, such as /papers/")
    if words and words[0] in BEGINNINGS:
        _refuse(f"--base-url {said}: pages of the archive begin with /{words[0]}/ themselves; another word")
    return "".join(f"/{word}" for word in words) + "/"


def _make_socket(path: Path, rights: int) -> None:
    """A socket's file with these rights, which uvicorn keeps when it puts its own there. A dead server's is replaced, nothing
    else; or end with the right message and status."""
    try:
        if path.is_socket():
            if _answers(path):
                _refuse(f"{path}: another server listens there; `--uds` takes another")
            path.unlink()
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
        path.chmod(rights)
    except OSError as error:
        _refuse(f"--uds {path}: {error.strerror or error}; `--uds` takes another")  # too long a path has no number


def _answers(path: Path) -> bool:
    """Whether somebody listens at a socket. Raises what else is wrong with it."""
    with socket.socket(socket.AF_UNIX) as asked:
        try:
            asked.connect(str(path))
        except ConnectionRefusedError:
            return False
    return True


def _refuse(why: str) -> NoReturn:
    sys.exit(print_error(why, USAGE))
