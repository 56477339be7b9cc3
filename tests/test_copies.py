"""Saved files, HOST/path trees and WARC archives -> pages, with their true addresses and whatever damage they have."""

import contextlib
import gzip
import hashlib
import io
import os
import plistlib
import random
import tarfile
import tracemalloc
import types
import zipfile
import zlib
from base64 import b32encode
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import brotli
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.fetcher.offline import find_copy
from crawler.items import MAX_PAGE_BYTES, Capture, Page, Source
from crawler.parsers.copies import Copies
from crawler.parsers.packed_files import read_packed
from crawler.parsers.saved_files import is_host, pages_below, read_file, url_in_tree
from crawler.parsers.warc import read_warc
from tests.conftest import CORPUS, broadsheet, connect
from tests.support.loopback import article_html, story

BODY = b"<html><p>\xc3\xa9 " + b"text " * 200 + b"</html>"

# Files and trees


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(BODY)


@pytest.mark.parametrize(
    ("file", "given", "url"),
    [
        pytest.param(
            "web/www.x.example/news/a.html", "web", "https://www.x.example/news/a.html", id="argument above the host"
        ),
        pytest.param("a/b/www.x.example/a.html", "a", "https://www.x.example/a.html", id="argument far above the host"),
        pytest.param(
            "www.x.example/news/a.html", "www.x.example", "https://www.x.example/news/a.html", id="argument is the host"
        ),
        pytest.param("www.x.example/news/a.html", "www.x.example/news", None, id="argument below the host"),
        pytest.param("www.x.example/news/a.html", "www.x.example/news/a.html", None, id="argument is the file"),
        pytest.param("x.com/y.com/a.html", ".", "https://x.com/y.com/a.html", id="the first host counts"),
        pytest.param("www.x.example/index.html", ".", "https://www.x.example/", id="front page"),
        pytest.param("www.x.example/news/INDEX.HTM", ".", "https://www.x.example/news/", id="folder's page"),
        pytest.param("www.x.example/story.html?id=7&p=2", ".", "https://www.x.example/story.html?id=7&p=2", id="query"),
        pytest.param(
            "www.x.example/index.html?id=7", ".", "https://www.x.example/index.html?id=7", id="query of a folder's page"
        ),
        pytest.param(
            "www.x.example/a b/100%#é.html",
            ".",
            "https://www.x.example/a%20b/100%25%23%C3%A9.html",
            id="what must be escaped",
        ),
        pytest.param(
            "www.x.example/a.html?q=%C3%A9#1", ".", "https://www.x.example/a.html?q=%C3%A9%231", id="query with escapes"
        ),
        pytest.param("www.x.example:8080/a.html", ".", "https://www.x.example:8080/a.html", id="port"),
        pytest.param("www.x.example:99999/a.html", ".", None, id="no such port"),
        pytest.param("müller.example/a.html", ".", "https://xn--mller-kva.example/a.html", id="international name"),
        pytest.param("saved/pages/a.html", ".", None, id="no host"),
        pytest.param("www.x.example.html", ".", None, id="a file named like a host"),
    ],
)
def test_a_tree_gives_a_file_its_address(tmp_path: Path, file: str, given: str, url: str | None) -> None:
    assert url_in_tree(tmp_path / file, tmp_path / given) == url


def test_an_argument_that_is_named_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "www.x.example/a.html")
    monkeypatch.chdir(tmp_path / "www.x.example")
    assert [url_in_tree(file, Path()) for file in pages_below(Path())] == ["https://www.x.example/a.html"]


def test_a_name_that_is_no_utf_8_keeps_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "www.x.example" / os.fsdecode(b"caf\xe9.html")
    assert url_in_tree(file, tmp_path) == "https://www.x.example/caf%E9.html"


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)


@settings(deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=4), st.integers(0, 4))
def test_no_address_names_a_path_of_the_machine(names: list[str], depth: int) -> None:
    machine = Path("/home/jane/sites/jane.dev/private.example/notes")
    file = machine.joinpath(*names)
    url = url_in_tree(file, machine.joinpath(*names[:depth]))
    assert url is None or not any(word in url for word in ("jane", "sites", "private", "notes"))


@pytest.mark.parametrize(
    "file", sorted(CORPUS.glob("*.example/**/*.html*")), ids=lambda file: str(file.relative_to(CORPUS))
)
def test_the_address_of_a_tree_is_the_one_that_offline_answers(file: Path) -> None:
    url = url_in_tree(file, CORPUS)
    assert url is not None
    assert find_copy(CORPUS, url) == file


@pytest.mark.parametrize(
    "name",
    [
        "www.x.com",
        "x.co.uk",
        "X.COM",
        "x.example",
        "a.b.test",
        "x.com:8080",
        "xn--mller-kva.de",
        "müller.de",
        "новости.рф",
        "x.github.io",
    ],
)
def test_a_host_has_a_public_suffix_or_a_reserved_one(name: str) -> None:
    assert is_host(name)


@pytest.mark.parametrize(
    "name",
    [
        "news",
        "co.uk",
        "com",
        "2026.11.07",
        "v1.0",
        "page.html",
        "my.folder",
        ".git",
        "..",
        "x..com",
        "-x.com",
        "x.com:",
        "x.com:a",
        "a b.com",
        "",
        "127.0.0.1",
    ],
)
def test_other_folders_are_no_hosts(name: str) -> None:
    assert is_host(name) == (name == "x.com:")


def test_of_a_folder_the_pages_are_read_in_a_stable_order(tmp_path: Path) -> None:
    wanted = (
        "B.HTML",
        "a.htm",
        "b/readme",
        "b/story.html?id=7",
        "b/story.html?id=8",
        "c.txt",
        "d.warc",
        "e.warc.gz",
        "f.xhtml",
    )
    write(
        tmp_path,
        *wanted,
        "a.jpg",
        "robots.txt",
        "b/ads.txt",
        "b/.hidden.html",
        ".git/x.html",
        "a_files/frame.html",
        "feed.xml",
    )
    (tmp_path / "link").symlink_to(tmp_path / "b")
    assert [str(file.relative_to(tmp_path)) for file in pages_below(tmp_path)] == list(wanted)


def test_a_folder_that_may_not_be_read_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "a/x.html", "b/y.html")
    listing = Path.iterdir

    def iterdir(path: Path) -> Any:
        if path.name == "a":
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert list(pages_below(tmp_path)) == [tmp_path / "b/y.html"]
    assert caplog.messages == [f"{tmp_path}/a: cannot be read: Permission denied"]


def test_a_file_that_stands_alone_is_named_by_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"abc")
    os.utime(file, (1_700_000_000.9, 1_700_000_000.9))
    urn = "urn:sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    moment = datetime.fromtimestamp(1_700_000_000, UTC)
    capture = Capture(
        page_url=urn, fetched_at=moment, status=None, reason=None, file=str(file), offset=0, length=3,
        digest="sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5",
    )  # fmt: skip
    assert read_file(file, file) == Page(
        url=urn, final_url=urn, via="file", fetched_at=moment, content_type="text/plain", body=b"abc", file=str(file),
        captures=(capture,),
    )  # fmt: skip


@pytest.mark.parametrize("year", [2200, 1960])
def test_a_file_was_not_written_in_the_future(tmp_path: Path, year: int) -> None:
    write(tmp_path, "a.html")
    moment = datetime(year, 1, 1, tzinfo=UTC).timestamp()
    os.utime(tmp_path / "a.html", (moment, moment))
    assert read_file(tmp_path / "a.html", tmp_path).fetched_at.year == min(year, datetime.now(UTC).year)


def test_a_file_too_large_for_an_article_is_read_no_further(tmp_path: Path) -> None:
    with (tmp_path / "a.html").open("wb") as stream:
        stream.truncate(10**10)
    page = read_file(tmp_path / "a.html", tmp_path)
    assert (page.refusal, len(page.body)) == ("too_large", MAX_PAGE_BYTES + 1)


# WARC


def record(
    url: str = "https://www.x.example/a",
    kind: str = "response",
    status: str = "200 OK",
    body: bytes = BODY,
    **named: str | None,
) -> dict[str, Any]:
    http = {"Content-Type": "text/html; charset=utf-8"} | {
        name.replace("_", "-"): value for name, value in named.items() if "WARC" not in name
    }
    warc = {name.replace("_", "-"): value for name, value in named.items() if "WARC" in name}
    return {
        "url": url,
        "kind": kind,
        "status": status,
        "body": body,
        "http": {name: value for name, value in http.items() if value},
        "warc": warc,
    }


def archive(records: Iterable[dict[str, Any]], packed: bool) -> tuple[bytes, list[int]]:
    """A WARC as warcio writes it, and where its records begin."""
    stream, starts = io.BytesIO(), []
    writer = WARCWriter(stream, gzip=packed)
    for one in records:
        starts.append(stream.tell())
        warc = {"WARC-Date": "2026-11-07T10:00:00Z"} | one["warc"]
        http, kind = StatusAndHeaders(one["status"], list(one["http"].items()), protocol="HTTP/1.1"), one["kind"]
        if kind == "resource":
            made = writer.create_warc_record(
                one["url"],
                kind,
                io.BytesIO(one["body"]),
                warc_content_type=one["http"].get("Content-Type", ""),
                warc_headers_dict=warc,
            )
        else:
            http = StatusAndHeaders("GET / HTTP/1.1", [], is_http_request=True) if kind == "request" else http
            made = writer.create_warc_record(
                one["url"], kind, io.BytesIO(one["body"]), http_headers=http, warc_headers_dict=warc
            )
        writer.write_record(made)
    return stream.getvalue(), starts


def pages(tmp_path: Path, content: bytes, packed: bool = False) -> list[Page]:
    file = tmp_path / ("a.warc.gz" if packed else "a.warc")
    file.write_bytes(content)
    return list(read_warc(file))


PACKED = pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])


@PACKED
def test_a_response_becomes_a_page_with_its_place_in_the_archive(tmp_path: Path, packed: bool) -> None:
    content, starts = archive(
        [record("https://www.x.example/1", "request"), record("https://www.x.example/2?utm_source=x")], packed
    )
    name, date = "a.warc.gz" if packed else "a.warc", datetime(2026, 11, 7, 10, tzinfo=UTC)
    capture = Capture(
        page_url="https://www.x.example/2", fetched_at=date, status=200, reason=None, file=str(tmp_path / name), offset=starts[1],
        length=len(content) - starts[1], digest=f"sha1:{b32encode(hashlib.sha1(BODY).digest()).decode()}",
    )  # fmt: skip
    expected = Page(
        url="https://www.x.example/2", final_url="https://www.x.example/2", via="warc", fetched_at=date, status=200,
        content_type="text/html; charset=utf-8", body=BODY, warc=name, warc_offset=starts[1], captures=(capture,),
    )  # fmt: skip
    assert pages(tmp_path, content, packed) == [expected]


@pytest.mark.parametrize(
    "skipped",
    [
        record(kind="request"), record(kind="revisit"), record(status="301 Moved", Location="/b"), record(status="304 Not Modified"), record(Content_Type="image/png"),
        record(Content_Type="application/json"), record("https://www.x.example/robots.txt", Content_Type="text/plain"), record("dns:www.x.example", "resource"),
        record("https://u:p@www.x.example/"), record("ftp://www.x.example/a"), record("urn:uuid:1", "resource"), record(kind="metadata"),
    ],
    ids=["request", "revisit", "redirect", "not modified", "image", "JSON", "robots.txt", "dns", "credentials", "ftp", "urn", "metadata"],
)  # fmt: skip
def test_what_is_no_page_is_passed_over(tmp_path: Path, skipped: dict[str, Any]) -> None:
    content, starts = archive([skipped, record()], packed=False)
    assert [page.warc_offset for page in pages(tmp_path, content)] == [starts[1]]


@pytest.mark.parametrize(
    ("one", "facts"),
    [
        pytest.param(record(status="404 Not Found"), (404, "http_404", None, 0), id="404"),
        pytest.param(record(status="503 Busy"), (503, "http_503", None, 0), id="503"),
        pytest.param(record(status="nonsense"), (None, "http_unreadable", None, 0), id="unreadable status"),
        pytest.param(record(kind="resource"), (None, None, None, len(BODY)), id="resource"),
        pytest.param(record(body=b""), (200, None, None, 0), id="empty"),
        pytest.param(
            record(WARC_Truncated="length"), (200, "cut_off", None, len(BODY)), id="truncated by its archiver"
        ),
        pytest.param(
            record(body=b"x" * (MAX_PAGE_BYTES + 9)), (200, None, "too_large", MAX_PAGE_BYTES + 1), id="too large"
        ),
        pytest.param(
            record(body=gzip.compress(b"x" * 3 * MAX_PAGE_BYTES, 1), Content_Encoding="gzip"),
            (200, None, "too_large", MAX_PAGE_BYTES + 1),
            id="gzip bomb",
        ),
        pytest.param(
            record(body=brotli.compress(b"x" * 3 * MAX_PAGE_BYTES, quality=1), Content_Encoding="br"),
            (200, None, "too_large", MAX_PAGE_BYTES + 1),
            id="Brotli bomb",
        ),
    ],
)
def test_an_answer_without_an_article_says_why(tmp_path: Path, one: dict[str, Any], facts: tuple[Any, ...]) -> None:
    (page,) = pages(tmp_path, archive([one], packed=True)[0], packed=True)
    assert (page.status, page.failure, page.refusal, len(page.body)) == facts


def chunked(body: bytes) -> bytes:
    return (
        b"".join(b"%x\r\n%s\r\n" % (len(body[at : at + 100]), body[at : at + 100]) for at in range(0, len(body), 100))
        + b"0\r\n\r\n"
    )


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(record(), id="as it is"),
        pytest.param(record(body=gzip.compress(BODY), Content_Encoding="gzip"), id="gzip"),
        pytest.param(record(body=gzip.compress(BODY), Content_Encoding="X-GZIP"), id="x-gzip"),
        pytest.param(record(body=zlib.compress(BODY), Content_Encoding="deflate"), id="deflate"),
        pytest.param(record(body=brotli.compress(BODY), Content_Encoding="br"), id="Brotli"),
        pytest.param(record(body=chunked(BODY), Transfer_Encoding="chunked"), id="chunked"),
        pytest.param(
            record(body=chunked(BODY) + b"X-Trailer: 1\r\n", Transfer_Encoding="Chunked"), id="chunked with a trailer"
        ),
        pytest.param(
            record(body=chunked(gzip.compress(BODY)), Transfer_Encoding="chunked", Content_Encoding="gzip"),
            id="chunked gzip",
        ),
        pytest.param(record(Content_Encoding="gzip"), id="called gzip, but decoded"),
        pytest.param(record(Content_Encoding="br"), id="called Brotli, but decoded"),
        pytest.param(record(Transfer_Encoding="chunked"), id="called chunked, but decoded"),
        pytest.param(
            record(body=gzip.compress(BODY) + b"junk", Content_Encoding="gzip"), id="gzip with something after it"
        ),
    ],
)
def test_transfer_and_content_encodings_are_removed(tmp_path: Path, one: dict[str, Any]) -> None:
    (page,) = pages(tmp_path, archive([one], packed=False)[0])
    assert (page.body, page.failure) == (BODY, None)


@pytest.mark.parametrize(
    ("said", "content_type"),
    [
        (None, None),
        ("text/plain; charset=windows-1251", "text/plain; charset=windows-1251"),
        ("TEXT/HTML", "TEXT/HTML"),
    ],
)
def test_the_content_type_is_the_server_s(tmp_path: Path, said: str | None, content_type: str | None) -> None:
    (page,) = pages(tmp_path, archive([record(Content_Type=said)], packed=False)[0])
    assert page.content_type == content_type


@pytest.mark.parametrize(
    ("said", "year"),
    [
        ("2019-05-07T10:00:00Z", 2019),
        ("2019-05-07T10:00:00.123456Z", 2019),
        *(
            (said, datetime.now(UTC).year)
            for said in ("yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z")
        ),
    ],
)
def test_a_capture_is_dated_by_its_record(tmp_path: Path, said: str, year: int) -> None:
    (page,) = pages(tmp_path, archive([record(WARC_Date=said)], packed=False)[0])
    assert (page.fetched_at.year, page.fetched_at.tzinfo) == (year, UTC)


# Damage

THREE, STARTS = {}, {}
for _packed in (False, True):
    _bodies = [random.Random(number).randbytes(30_000).hex().encode() for number in range(3)]
    THREE[_packed], STARTS[_packed] = archive(
        [record(f"https://www.x.example/{number}", body=body) for number, body in enumerate(_bodies)], _packed
    )


def survivors(found: list[Page]) -> list[tuple[str, str | None]]:
    return [(page.url.rpartition("/")[2], page.failure) for page in found]


@PACKED
@pytest.mark.parametrize(
    ("kept", "last"),
    [(1.0, [("2", None)]), (0.5, [("2", "cut_off")]), (0.002, []), (0.0001, []), (0.0, [])],
    ids=["whole", "in the body", "in the head", "in the first line", "between records"],
)
def test_of_a_cut_off_archive_the_rest_is_kept_and_the_end_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, packed: bool, kept: float, last: list[tuple[str, str | None]]
) -> None:
    content, start = THREE[packed], STARTS[packed][2]
    found = pages(tmp_path, content[: start + round(kept * (len(content) - start))], packed)
    assert survivors(found) == [("0", None), ("1", None), *last]
    assert len(caplog.messages) == (0 if kept in (0.0, 1.0) else 1)


@PACKED
@pytest.mark.parametrize("missing", [1, 2, 4])
def test_an_archive_without_its_last_blank_lines_is_whole(tmp_path: Path, packed: bool, missing: int) -> None:
    assert survivors(pages(tmp_path, THREE[packed][:-missing], packed)) == [("0", None), ("1", None), ("2", None)]


@PACKED
def test_what_was_appended_after_a_cut_off_record_is_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, packed: bool
) -> None:
    content, starts = THREE[packed], STARTS[packed]
    found = pages(tmp_path, content[: (starts[1] + starts[2]) // 2] + content[starts[2] :], packed)
    assert survivors(found) == [("0", None), ("1", "cut_off"), ("2", None)]
    assert caplog.messages == [f"a.warc{'.gz' if packed else ''}: damaged at byte {starts[1]}"]


@pytest.mark.parametrize("at", [0.5, 0.7, 0.9])
def test_a_damaged_middle_costs_one_record_of_a_gzip_archive(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], at: float
) -> None:
    content, starts = THREE[True], STARTS[True]
    place = round(starts[1] + at * (starts[2] - starts[1]))
    found = pages(tmp_path, content[:place] + b"\xff" * 50 + content[place + 50 :], packed=True)
    assert survivors(found) == [("0", None), ("1", "cut_off"), ("2", None)]
    assert (caplog.messages, capfd.readouterr().err) == ([f"a.warc.gz: damaged at byte {starts[1]}"], "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>no archive</html>",
        b"\x1f\x8b\x08",
        b"WARC/1.0\r\n\r\n",
        b"WARC/1.0\r\nContent-Length: x\r\n\r\n",
        b"\x1f\x8b\x08\0" * 999,
    ],
)
def test_what_is_no_archive_has_no_pages(tmp_path: Path, content: bytes) -> None:
    assert pages(tmp_path, content) == []


def test_an_archive_in_one_gzip_block_says_how_to_repair_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pages(tmp_path, gzip.compress(THREE[False]), packed=True)
    assert "`warcio recompress` makes it readable" in caplog.messages[0]


@PACKED
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_of_one_record_costs_another(tmp_path: Path, packed: bool, data: st.DataObject) -> None:
    content, starts = THREE[packed], STARTS[packed]
    at = data.draw(st.integers(starts[1], starts[2] - 60))
    damaged = content[:at] + data.draw(st.binary(max_size=50)) + content[at + data.draw(st.integers(0, 50)) :]
    whole = {page.url for page in pages(tmp_path, damaged, packed) if page.failure is None}
    assert whole >= {"https://www.x.example/0", "https://www.x.example/2"}


@PACKED
def test_a_large_archive_is_read_a_record_at_a_time(tmp_path: Path, packed: bool) -> None:
    content, _ = archive([record(body=BODY * 100)], packed)
    file = tmp_path / "a.warc"
    file.write_bytes(content * 1500)
    tracemalloc.start()
    found = read_warc(file)
    count = sum(1 for _ in found)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, isinstance(found, types.GeneratorType), peak < 3_000_000) == (1500, True, True)


@pytest.mark.parametrize("length", [b"9" * 12, b"9" * 400, b"-1", b"x", b"1" * 5000], ids=lambda length: length[:5])
def test_a_record_of_impossible_length_costs_only_itself(tmp_path: Path, length: bytes) -> None:
    content, starts = THREE[False], STARTS[False]
    at = content.index(b"Content-Length: ", starts[1])
    damaged = content[:at] + b"Content-Length: " + length + content[content.index(b"\r\n", at) :]
    assert survivors(pages(tmp_path, damaged)) in (
        [("0", None), ("1", "cut_off"), ("2", None)],
        [("0", None), ("2", None)],
    )


def bomb() -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    return packer.compress(b"WARC/1.0\r\n" + b"a" * 10**8) + packer.flush()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: b"WARC/1.0\r\n" + b"a" * 70_000_000, id="line"),
        pytest.param(lambda: b"WARC/1.0\r\n" + b"a: b\r\n" * 500_000, id="head"),
        pytest.param(lambda: b"WARC/1.0\r\nContent-Length: 99999999999\r\n\r\n" * 3_000, id="lies"),
        pytest.param(bomb, id="bomb"),
    ],
)
def test_a_head_without_end_is_not_read_to_its_end(tmp_path: Path, make: Callable[[], bytes]) -> None:
    junk = make()
    packed = junk[:1] == b"\x1f"
    content, starts = THREE[packed], STARTS[packed]
    (tmp_path / "a.warc").write_bytes(content[: starts[1]] + junk + content[starts[2] :])
    tracemalloc.start()
    found = survivors(list(read_warc(tmp_path / "a.warc")))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found, peak < 60_000_000) == ([("0", None), ("2", None)], True)


def test_an_archive_s_own_words_do_not_reach_the_terminal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url = "https://www.x.example/a \x1b[2J b"
    content = THREE[False].replace(b"https://www.x.example/0", url.encode())
    assert len(pages(tmp_path, content)) == 3
    assert "\x1b" not in caplog.text


# What a page is completed with


def test_pages_get_the_settings_of_their_site(tmp_path: Path) -> None:
    write(tmp_path, "www.x.example/a.html", "y.example/b.html", "c.html")
    source = Source(url="https://x.example/", name="X")
    found = Copies([source]).below(tmp_path)
    assert {page.url: page.source for page in found if not page.url.startswith("urn:")} == {
        "https://www.x.example/a.html": source,
        "https://y.example/b.html": None,
    }


def test_a_file_that_cannot_be_read_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "x.example/a.html", "x.example/b.warc", "x.example/c.html")
    opened = Path.open

    def open_(path: Path, *arguments: Any) -> Any:
        if path.name != "c.html":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", open_)
    found = Copies().below(tmp_path)
    assert ([page.url for page in found], len(caplog.messages)) == (["https://x.example/c.html"], 2)


# What the programs that save pages leave in them

ADDRESS = "https://www.x.example/news/pier?id=7"


@pytest.mark.parametrize(
    ("head", "url"),
    [
        pytest.param(f"<!doctype html>\n<!-- saved from url=(0036){ADDRESS} -->\n<html>", ADDRESS, id="a browser"),
        pytest.param(
            f"<!DOCTYPE html> <html lang=en><!--\n Page saved with SingleFile \n url: {ADDRESS} \n saved date: Mon Nov 09 2026 -->",
            ADDRESS,
            id="SingleFile",
        ),
        pytest.param(f"<!-- Saved from {ADDRESS} at 2026-11-09T10:00:00Z using monolith v2.8.3 -->", ADDRESS, id="monolith"),
        pytest.param(
            "<html>\n<!-- Mirrored from www.x.example/news/pier by HTTrack Website Copier/3.x, Mon, 09 Nov 2026 -->",
            "http://www.x.example/news/pier",
            id="HTTrack",
        ),
        pytest.param(f'<head><meta name="savepage-url" content="{ADDRESS}">', ADDRESS, id="Save Page WE"),
        pytest.param(f'<html lang="en" data-scrapbook-source="{ADDRESS}">', ADDRESS, id="WebScrapBook"),
        pytest.param(
            f"<!-- saved from url=(0077)https://web.archive.org/web/20200102030405/{ADDRESS} -->", ADDRESS, id="of an archive"
        ),
        pytest.param("<!-- saved from url=(0014)about:internet -->", None, id="of nowhere"),
        pytest.param("<!-- Page saved with SingleFile \n url: file:///home/pier.html -->", None, id="of a file"),
        pytest.param(f"<p>saved from url=(0036){ADDRESS}</p>", None, id="in the text"),
    ],
)  # fmt: skip
def test_the_program_that_saved_a_page_noted_its_address(tmp_path: Path, head: str, url: str | None) -> None:
    (tmp_path / "saved.html").write_text(f"{head}<p>Text", "utf-8")
    page = read_file(tmp_path / "saved.html", tmp_path)
    assert (page.url if not page.url.startswith("urn:") else None) == url


def test_a_tree_of_a_web_archive_gives_the_address_of_the_page_itself(tmp_path: Path) -> None:
    write(tmp_path, "web.archive.org/web/20200102030405id_/https:/www.x.example/news/pier.html")
    (file,) = pages_below(tmp_path)
    assert read_file(file, tmp_path).url == "https://www.x.example/news/pier.html"


def test_pictures_kept_in_a_page_are_no_part_of_its_size(tmp_path: Path) -> None:
    picture = b'<img src="data:image/png;base64,' + b"A" * MAX_PAGE_BYTES + b'">'
    (tmp_path / "saved.html").write_bytes(BODY + picture + BODY)
    page = read_file(tmp_path / "saved.html", tmp_path)
    assert (page.refusal, page.body) == (None, BODY + b'<img src="data:,">' + BODY)


def test_two_saved_files_under_one_canonical_link_are_two_articles(tmp_path: Path) -> None:
    link = '<link rel="canonical" href="https://www.x.example/news/">'
    for subject in ("crane", "mayor"):
        html = article_html(f"About the {subject}", story(subject))
        (tmp_path / f"{subject}.html").write_text(html.replace("</head>", f"{link}</head>"))
    done = broadsheet("import", "crane.html", "mayor.html", cwd=tmp_path)
    with connect(tmp_path / "news.db") as db:
        titles = [row["title"] for row in db.execute("select title from articles order by id")]
    assert (done.returncode, titles) == (0, ["About the crane", "About the mayor"])


# Trees, whatever their files are called

HTML = "<!doctype html><html><head><title>x</title></head><body><p>Text.</p></body></html>"


def test_a_page_of_a_tree_is_one_whatever_it_is_called_and_what_is_none_is_counted(tmp_path: Path) -> None:
    pages = {
        "story": "story", "news/index.php?id=7": "news/index.php?id=7", "news.aspx": "news.aspx", "v1.2": "v1.2",
        "a.php": "a.php", "b/index.html": "b/", "p.jsp?x=1": "p.jsp?x=1", "q?id=3.html": "q?id=3", "c.shtml": "c.shtml",
    }  # fmt: skip
    for name in pages:
        write(tmp_path, f"www.x.example/{name}")
        (tmp_path / "www.x.example" / name).write_text(HTML)
    for name in ("style.css", "a.js", "b.js", "feed", "rss.xml", "code.php"):
        (tmp_path / "www.x.example" / name).write_text("nothing to read <b>here</b>")
    left_out: Counter[str] = Counter()
    found = {read_file(file, tmp_path).url for file in pages_below(tmp_path, left_out)}
    assert found == {f"https://www.x.example/{address}" for address in pages.values()}
    assert left_out == {".css": 1, ".js": 2, "without an ending": 1, ".xml": 1, ".php": 1}


MHTML = f"""From: <Saved by Blink>
Snapshot-Content-Location: https://www.x.example/pier?a=1#top
MIME-Version: 1.0
Content-Type: multipart/related; type="text/html"; boundary="--x"

----x
Content-Type: text/css
Content-Location: https://www.x.example/a.css

p {{}}
----x
Content-Type: text/html; charset=iso-8859-2
Content-Transfer-Encoding: quoted-printable
Content-Location: https://www.x.example/pier?a=1

{HTML.replace("=", "=3D").replace("Text", "=A6cie=BFka")}
----x--
"""


@pytest.mark.parametrize("name", ["a.mht", "A.MHTML"])
def test_of_a_page_in_one_file_the_main_document_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(MHTML)
    page = read_file(tmp_path / name, tmp_path)
    assert (page.url, page.content_type) == ("https://www.x.example/pier?a=1", "text/html; charset=iso-8859-2")
    assert "<p>Ścieżka.</p>" in page.body.decode("iso8859_2")


@pytest.mark.parametrize("kind", [plistlib.FMT_BINARY, plistlib.FMT_XML])
def test_safari_s_web_archive_is_read(tmp_path: Path, kind: Any) -> None:
    main = {
        "WebResourceURL": "https://www.x.example/pier", "WebResourceData": HTML.encode(), "WebResourceMIMEType": "text/html",
        "WebResourceTextEncodingName": "UTF-8",
    }  # fmt: skip
    (tmp_path / "a.webarchive").write_bytes(plistlib.dumps({"WebMainResource": main}, fmt=kind))
    page = read_file(tmp_path / "a.webarchive", tmp_path)
    assert (page.url, page.body) == ("https://www.x.example/pier", HTML.encode())


@pytest.mark.parametrize(
    "data", [b"", b"bplist00\xff", b"<plist><dict/></plist>", b"Content-Type: multipart/related\n\n"]
)
@pytest.mark.parametrize("name", ["a.webarchive", "a.mht"])
def test_a_damaged_one_is_a_page_without_text(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert read_file(tmp_path / name, tmp_path).url.startswith("urn:sha256:")


def packed(file: Path, members: dict[str, bytes]) -> Path:
    """A .zip or .tar of this name, with these files."""
    if file.suffix == ".zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return file
    packing = {".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}.get(file.suffix, "w")
    with tarfile.open(file, packing) as tar:  # type: ignore[call-overload]
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file


MEMBERS = {
    "saved/www.x.example/story": HTML.encode(), "saved/www.x.example/a.php?id=7": HTML.encode(), "saved/a.css": b"p {}",
    "www.x.example/../../etc/passwd.html": HTML.encode(), "/www.y.example/b.html": HTML.encode(), "in.zip": b"PK",
    "__MACOSX/._b.html": HTML.encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz"])
def test_pages_packed_together_are_read_as_the_tree_that_they_were(tmp_path: Path, name: str) -> None:
    left_out: Counter[str] = Counter()
    assert [page.url for page in read_packed(packed(tmp_path / name, MEMBERS), left_out)] == [
        "https://www.x.example/story", "https://www.x.example/a.php?id=7", "https://www.y.example/b.html",
    ]  # fmt: skip
    assert left_out == {".css": 1, "archives in an archive": 1, "with names that lead out of the archive": 1}
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_a_bomb_is_not_unpacked(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("crawler.parsers.packed_files.MAX_UNPACKED_BYTES", 2**20)
    members = {"a.html": HTML.encode(), "b.html": HTML.encode() + b" " * 2**21, "c.html": HTML.encode()}
    assert len(list(read_packed(packed(tmp_path / name, members), Counter()))) == 1
    assert "more than 1 MB unpacked" in caplog.text


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.xz"])
@pytest.mark.parametrize("cut", [0, 5, 40, 400])
def test_a_damaged_archive_costs_only_what_it_holds(tmp_path: Path, name: str, cut: int) -> None:
    file = packed(tmp_path / name, {"a.html": HTML.encode(), "b.html": os.urandom(2000)})
    file.write_bytes(file.read_bytes()[:cut])
    assert len(list(read_packed(file, Counter()))) <= 2


def test_import_says_what_it_left_out(tmp_path: Path) -> None:
    write(tmp_path, "saved/www.x.example/story", "saved/www.x.example/a.css", "saved/www.x.example/b.css")
    (tmp_path / "saved/www.x.example/story").write_text(article_html("The pier", story("pier")))
    packed(tmp_path / "saved/a.zip", {"www.x.example/mill": article_html("The mill", story("mill")).encode()})
    done = broadsheet("import", "saved", cwd=tmp_path)
    assert (done.returncode, "left out, for they are no pages: 2 .css" in done.stderr) == (0, True), done.stderr
    with contextlib.closing(connect(tmp_path / "news.db")) as base:
        urls = [row[0] for row in base.execute("select url from articles order by url")]
    assert urls == ["https://www.x.example/mill", "https://www.x.example/story"]
