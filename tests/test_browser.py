"""The pages in a real browser: Debian's Chromium, driven by Playwright, against `broadsheet serve` on the demo archive."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import ROOT

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `apt-get install chromium` brings one")


@pytest.fixture(scope="module")
def address(demo: Path) -> Iterator[str]:
    """Where `broadsheet serve` shows the demo archive."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "crawler", "serve", "--db", str(demo), "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _wait_until_it_answers(f"http://127.0.0.1:{port}/-/versions.json", server)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(10)


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("`broadsheet serve` did not come up")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails its test when the browser complains: a script that breaks, or something the policy forbids."""
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert complaints == []


@pytest.mark.parametrize(
    "path", ["/", "/news", "/news/articles", "/news/articles/1", "/news?sql=select+1", "/news/search?q=harbour"]
)
def test_nothing_on_datasettes_own_pages_breaks_under_the_policy(page: Page, address: str, path: str) -> None:
    answer = page.goto(address + path)
    assert answer is not None and answer.status == 200
