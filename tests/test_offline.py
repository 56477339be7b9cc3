"""--offline DIR: which local copy answers for an address, and that nothing else on the machine does."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy import Request

from crawler.fetcher.offline import OfflineMiddleware, find_copy
from crawler.parsers.content_types import content_type_of

FILES = (
    "www.x.example/index.html",
    "www.x.example/robots.txt",
    "www.x.example/news/index.html",
    "www.x.example/news/one.html",
    "www.x.example/story.html?id=7",
    "www.x.example/story.html",
    "www.x.example/café au lait/中文.html",
    "www.x.example/100%.html",
    "www.x.example/empty/readme.md",
    "www.x.example:8080/index.html",
    "müller.example/index.html",
    "y.example/secret.html",
)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small web; each file holds its own name. Beside it, on the same machine, lies a file that is nobody's business."""
    outside = tmp_path_factory.mktemp("machine")
    web = outside / "web"
    for name in FILES:
        (web / name).parent.mkdir(parents=True, exist_ok=True)
        (web / name).write_text(name)
    (outside / "passwd.html").write_text("root")
    (web / "www.x.example/out.html").symlink_to(outside / "passwd.html")
    (web / "www.x.example/out").symlink_to(outside)
    (web / "www.x.example/loop.html").symlink_to(web / "www.x.example/loop.html")
    (web / "www.x.example/in.html").symlink_to(web / "y.example/secret.html")
    (web / "x.example").symlink_to(web / "www.x.example")
    return web


def answer(web: Path, url: str) -> tuple[int, str, bytes]:
    request = Request(url, meta={"here": True})
    response = OfflineMiddleware(web).process_request(request)
    assert (response.url, response.request) == (request.url, request)
    return response.status, (response.headers.get("Content-Type") or b"").decode(), response.body


@pytest.mark.parametrize(
    ("url", "file"),
    [
        pytest.param("https://www.x.example/", "www.x.example/index.html", id="front page"),
        pytest.param("https://www.x.example", "www.x.example/index.html", id="no path"),
        pytest.param("http://www.x.example/news/", "www.x.example/news/index.html", id="folder"),
        pytest.param("http://www.x.example/news", "www.x.example/news/index.html", id="folder without slash"),
        pytest.param("https://www.x.example/news/one.html", "www.x.example/news/one.html", id="file"),
        pytest.param("https://www.x.example/news/one.html?page=2", "www.x.example/news/one.html", id="query without a copy"),
        pytest.param("https://www.x.example/story.html?id=7", "www.x.example/story.html?id=7", id="query with a copy"),
        pytest.param("https://www.x.example/story.html?id=8", "www.x.example/story.html", id="another query"),
        pytest.param("https://www.x.example/?utm_source=a", "www.x.example/index.html", id="query of the front page"),
        pytest.param("https://www.x.example/caf%C3%A9%20au%20lait/%E4%B8%AD%E6%96%87.html", "www.x.example/café au lait/中文.html", id="escapes"),
        pytest.param("https://www.x.example/100%25.html", "www.x.example/100%.html", id="escaped percent sign"),
        pytest.param("https://www.x.example:8080/", "www.x.example:8080/index.html", id="port"),
        pytest.param("https://xn--mller-kva.example/", "müller.example/index.html", id="international name"),
        pytest.param("https://www.x.example/in.html", "y.example/secret.html", id="link inside the folder"),
        pytest.param("https://x.example/news/one.html", "www.x.example/news/one.html", id="a second name for a host"),
    ],
)  # fmt: skip
def test_a_local_copy_answers_with_the_true_address(web: Path, url: str, file: str) -> None:
    assert answer(web, url) == (200, "text/html", file.encode())


@pytest.mark.parametrize(
    "path",
    [
        "missing.html", "empty/", "news/one.html/more", "../y.example/secret.html", "%2e%2e/y.example/secret.html",
        "..%2f..%2fpasswd.html", "news/../../../passwd.html", "%2Fetc%2Fpasswd", "/etc/passwd", "out.html", "out/passwd.html", "loop.html", "a%00b",
        "a" * 5000, "a/" * 3000, "?../../passwd.html", "%FF%FE.html",
    ],
)  # fmt: skip
def test_what_is_not_there_or_outside_the_folder_is_a_404(web: Path, path: str) -> None:
    assert find_copy(web, f"https://www.x.example/{path}") in (None, web / "www.x.example/index.html")
    assert answer(web, f"https://www.x.example/{path}")[2] != b"root"


@pytest.mark.parametrize(
    "url",
    [
        "https://../passwd.html",
        "https://./passwd.html",
        "https://z.example/",
        "https://z.example/robots.txt",
        "https:///y.example/secret.html",
    ],
)
def test_a_host_without_a_folder_is_a_404(web: Path, url: str) -> None:
    assert find_copy(web, url) is None


def test_a_404_is_an_answer_and_not_an_error(web: Path) -> None:
    assert answer(web, "https://z.example/robots.txt") == (404, "", b"")


def test_a_folder_named_from_where_one_stands_answers_too(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(web.parent)
    assert find_copy(Path("web"), "https://y.example/secret.html") == Path("web/y.example/secret.html")


def test_a_folder_that_may_not_be_entered_is_a_404(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", denied)
    assert find_copy(web, "https://www.x.example/news/one.html") is None


@settings(deadline=None)
@given(st.text("/.%2eEfF~ax?\0\\", max_size=30))
def test_no_address_reads_a_file_outside_its_folder(web: Path, path: str) -> None:
    found = find_copy(web, f"https://www.x.example/{path}")
    assert found is None or found.resolve().is_relative_to(web.resolve())


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.html", "text/html"), ("a.HTM", "text/html"), ("a.xhtml", "application/xhtml+xml"), ("a.txt", "text/plain"), ("a.xml", "text/xml"),
        ("a.rss", "application/rss+xml"), ("a.atom", "application/atom+xml"), ("feed.json", "application/json"), ("s.xml.gz", "application/gzip"),
        ("a.jpg", "image/jpeg"), ("a", "text/html"), ("a.php", "text/html"), ("a.aspx", "text/html"), ("12.345", "text/html"),
        ("about-x.com", "text/html"), ("story.html?id=7", "text/html"), ("story.php?file=a.pdf", "text/html"), ("story?a.b", "text/html"),
    ],
)  # fmt: skip
def test_the_type_is_told_by_the_extension_and_without_one_it_is_a_page(name: str, content_type: str) -> None:
    assert content_type_of(Path(name)) == content_type
