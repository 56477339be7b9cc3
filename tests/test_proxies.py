"""The proxies of docs/deploy.md, as the page writes them: nginx and Caddy as Debian has them, in front of `broadsheet serve`."""

import re
import shutil
import ssl
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from tests.conftest import ROOT
from tests.support.newsroom import wait_for
from tests.support.reading import free_port, listens, reading_room

NAME = "localhost"


def snippet(kind: str) -> str:
    """The configuration that docs/deploy.md shows."""
    found = re.search(rf"```{kind}\n(.*?)```", (ROOT / "docs/deploy.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def nginx(folder: Path, port: int, behind: str) -> list[str]:
    said = snippet("nginx").replace("443 ssl", f"127.0.0.1:{port} ssl").replace("news.example.org", NAME)
    said = said.replace("/etc/ssl/", f"{folder}/").replace("http://127.0.0.1:8001", behind)
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"daemon off; pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off; {places}\n{said}}}"
    (folder / "nginx.conf").write_text(whole)
    return ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, port: int, behind: str) -> list[str]:
    said = snippet("caddy").replace(
        "news.example.org {", f"https://{NAME}:{port} {{\ntls {folder}/news.pem {folder}/news.key"
    )
    said = said.replace("127.0.0.1:8001", behind.removeprefix("http://").replace("unix:", "unix/"))
    (folder / "Caddyfile").write_text(f"{{\nadmin off\nauto_https disable_redirects\n}}\n{said}")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


PROXIES = [
    pytest.param(
        proxy,
        marks=pytest.mark.skipif(
            shutil.which(proxy.__name__) is None,
            reason=f"no {proxy.__name__} here: `apt-get install {package}` brings one",
        ),
        id=proxy.__name__,
    )
    for proxy, package in ((nginx, "nginx-light"), (caddy, "caddy"))
]
Proxy = Callable[[Path, int, str], list[str]]
Get = Callable[[str], tuple[int, str, str]]


@contextmanager
def in_front_of(behind: str, proxy: Proxy, folder: Path) -> Iterator[Get]:
    """A proxy with a certificate; gives what fetches a path from it: status, where it came from in the end, text."""
    authority, port = trustme.CA(), free_port()
    certificate = authority.issue_cert(NAME)
    certificate.private_key_pem.write_to_path(folder / "news.key")
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(folder / "news.pem", append=True)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with (folder / "log").open("w") as log:
        started = subprocess.Popen(
            proxy(folder, port, behind), stdout=log, stderr=log, env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin"}
        )

    def get(path: str) -> tuple[int, str, str]:
        with urllib.request.urlopen(f"https://{NAME}:{port}{path}", context=trusting, timeout=60) as answer:
            site = f"https://{NAME}:{port}"
            return (
                answer.status,
                answer.url.removeprefix(site),
                answer.read().decode().replace(site, "https://news.example.org"),
            )

    try:
        wait_for(lambda: listens(port) or started.poll() is not None)
        assert started.poll() is None, (folder / "log").read_text()
        yield get
    finally:
        started.terminate()
        started.wait(60)


@pytest.fixture(scope="module", params=["port", "socket"])
def behind(request: pytest.FixtureRequest, demo: Path) -> Iterator[str]:
    """Where the archive is served under /papers/, as nginx writes it."""
    if request.param == "port":
        with reading_room(demo, "--public", "--base-url", "/papers/") as address:
            yield address
        return
    with tempfile.TemporaryDirectory(dir="/tmp") as run:  # pytest's own folders are closed to nginx's workers
        Path(run).chmod(0o755)
        with reading_room(demo, "--public", "--base-url", "/papers/", uds=Path(run) / "socket"):
            yield f"http://unix:{run}/socket"


@pytest.mark.parametrize("proxy", PROXIES)
def test_through_the_proxy_pages_lead_on_and_feeds_name_the_address_that_was_asked(
    proxy: Proxy, behind: str, tmp_path: Path
) -> None:
    with in_front_of(behind, proxy, tmp_path) as get:
        assert get("/papers")[:2] == (200, "/papers/")
        page = get("/papers/")[2]
        links = set(re.findall(r'(?:href|src|action)="(/[^"]*)"', page))
        assert len(links) > 30 and all(link.startswith("/papers/") for link in links)
        assert {get(link)[0] for link in sorted(links) if re.search(r"\.css$|/sources$|/article/1$", link)} == {200}
        assert get("/papers/news/articles/")[:2] == (200, "/papers/news/articles")
        feed = get("/papers/latest.atom?source=1")[2]
        assert '<link href="https://news.example.org/papers/latest.atom?source=1" rel="self"/>' in feed
        assert (
            '"next_url": "https://news.example.org/papers/news/articles.json?'
            in get("/papers/news/articles.json?_size=2")[2]
        )
