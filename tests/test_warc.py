"""Originals are kept: each answer as its server sent it, in WARC files beside the database, found from its page's row."""

import gzip
import hashlib
import json
import sys
import zlib
from base64 import b32encode
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import brotli
import pytest

from crawler.items import Page
from crawler.parsers.warc import read_record
from tests.conftest import CORPUS, ROOT, connect, run_scrapy
from tests.support.loopback import Answer, Site, article_html, story
from tests.support.newsroom import Newsroom
from tests.support.originals import Record, all_records, complaints, files, raw_site, unknown_responses

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def captures(newsroom: Newsroom) -> list[tuple[Any, ...]]:
    """The last part of the page's address, the status, what it was kept for, and whether it has a body of its own."""
    sql = """select '/' || replace(url, rtrim(url, replace(url, '/', '')), ''), status, captures.reason, revisit_of is null
             from captures join pages on pages.id = page_id order by captures.id"""
    return newsroom.rows(sql)


def last_capture(newsroom: Newsroom, url: str) -> Page:
    ((file, offset),) = newsroom.rows(f"select warc, warc_offset from pages where url = '{url}'")
    page = read_record(newsroom.folder / "warc" / file, offset)
    assert page is not None
    return page


def look_again(newsroom: Newsroom, *, hours: int = 3) -> None:
    """Make every page due, as if the last look had been hours ago."""
    newsroom.change(
        f"""update pages set next_fetch_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-1 hour'), etag = null, last_modified = null,
            last_fetched_at = strftime('%Y-%m-%dT%H:%M:%SZ', last_fetched_at, '-{hours} hours') where state in ('article', 'refused')"""
    )
    newsroom.crawl("--now")


# What a page is kept as


def test_a_page_is_kept_as_it_was_sent_and_read_again_from_its_row(site: Site, newsroom: Newsroom) -> None:
    page = article_html("Pier", story("pier"))
    site.add("/pier", page, packed=True)
    site.feed("/feed", f"{site.url}/pier")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    read = last_capture(newsroom, f"{site.url}/pier")
    assert (read.url, read.via, read.hints.title, read.body.decode()) == (
        f"{site.url}/pier", "feed", f"Item {site.url}/pier", page,
    )  # fmt: skip
    info, response, request, note = all_records(newsroom.folder)
    sent = site.answers["/pier"]
    assert isinstance(sent, Answer)
    assert (info.kind, response.kind, request.kind, note.kind) == ("warcinfo", "response", "request", "metadata")
    assert (response.body, response.status_line) == (sent.body, "HTTP/1.1 200 OK")
    assert response.head["WARC-IP-Address"] == "127.0.0.1"
    assert response.head["WARC-Payload-Digest"] == f"sha1:{b32encode(hashlib.sha1(sent.body).digest()).decode()}"
    its_id = response.head["WARC-Record-ID"]
    assert (request.url, note.url) == (
        response.url,
        None,
    )  # pywb would show a metadata record of the address as its page
    assert [record.head["WARC-Concurrent-To"] for record in (request, note)] == [its_id, its_id]
    assert dict(request.http)["Host"] == site.url.removeprefix("http://")
    assert "test (+https://test.example)" in dict(request.http)["User-Agent"]
    ((fetched_at, discovered_at),) = newsroom.rows("select last_fetched_at, discovered_at from pages")
    assert response.head["WARC-Date"] == fetched_at
    assert json.loads(note.body) == {
        "url": f"{site.url}/pier", "via": "feed", "source": f"{site.url}/", "discovered_at": discovered_at,
        "hints": {"title": f"Item {site.url}/pier"},
    }  # fmt: skip
    assert captures(newsroom) == [("/pier", 200, None, 1)]
    assert complaints(newsroom.folder) == 0


def test_a_chain_of_redirects_is_kept_with_the_page_that_it_leads_to(site: Site, newsroom: Newsroom) -> None:
    site.add("/old", status=301, Location="/older")
    site.add("/older", "<meta http-equiv='refresh' content='0; url=/new'>")
    site.article("/new", "Pier", story("pier"))
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/old"]')
    newsroom.crawl()
    assert captures(newsroom) == [("/old", 301, "redirect", 1), ("/old", 200, "redirect", 1), ("/new", 200, None, 1)]
    kept = [json.loads(record.body) for record in all_records(newsroom.folder) if record.kind == "metadata"]
    assert [note.get("redirected_to") for note in kept] == [f"{site.url}/older", f"{site.url}/new", None]
    read = last_capture(newsroom, f"{site.url}/new")
    assert (read.url, read.final_url, read.via) == (f"{site.url}/old", f"{site.url}/new", "listed")
    assert complaints(newsroom.folder) == 0


def test_the_text_that_a_feed_told_is_kept_with_the_answer_that_did_not(site: Site, newsroom: Newsroom) -> None:
    text = "".join(f"<p>{paragraph}</p>" for paragraph in story("pier").split("\n\n"))
    site.add("/pier", "not for you", status=403)
    site.add("/feed", f"""<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><item><title>Pier</title>
        <link>{site.url}/pier</link><content:encoded><![CDATA[{text}]]></content:encoded></item></channel></rss>""")  # fmt: skip
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    read = last_capture(newsroom, f"{site.url}/pier")
    assert newsroom.rows("select text_source from articles") == [("feed",)]
    assert (read.failure, read.status, story("pier").split("\n\n")[1] in (read.feed_html or "")) == (
        "http_403",
        403,
        True,
    )


# What is kept


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        pytest.param(lambda: article_html("Pier", story("pier")), [], id="the same bytes"),
        pytest.param(lambda: article_html("Pier", story("pier")) + "<!-- 7 -->", [], id="the same text"),
        pytest.param(lambda: article_html("Pier!", story("pier") + "\n\nAnd more."), [("/pier", 200, None, 1)], id="another text"),
        pytest.param(lambda: article_html("The other pier", story("pier")), [("/pier", 200, None, 1)], id="another title"),
        pytest.param(lambda: Answer(b"gone", 404), [("/pier", 404, "http_404", 1)], id="gone"),
        pytest.param(lambda: Answer(b"", 410), [("/pier", 410, "http_410", 1)], id="gone for good, without a word"),
        pytest.param(lambda: Answer(b"busy", 503), [], id="busy"),
        pytest.param(lambda: Answer(b"broken", 500), [], id="broken"),
        pytest.param(lambda: Answer(b"%PDF-1.4", 200, {"Content-Type": "application/pdf"}), [("/pier", 200, "not_html", 1)], id="refused"),
    ],
)  # fmt: skip
def test_of_a_page_that_is_known_what_is_new_is_kept(site: Site, newsroom: Newsroom, second: Any, kept: Any) -> None:
    site.article("/pier", "Pier", story("pier"))
    site.feed("/feed", f"{site.url}/pier")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    said = second()
    site.answers["/pier"] = (
        said if isinstance(said, Answer) else Answer(said.encode(), 200, {"Content-Type": "text/html"})
    )
    look_again(newsroom)
    assert captures(newsroom) == [("/pier", 200, None, 1), *kept]
    look_again(newsroom)
    once_more = kept if kept and kept[0][1] in (404, 410) else []
    assert [row[:3] for row in captures(newsroom)[1 + len(kept) :]] == [row[:3] for row in once_more]
    assert len(files(newsroom.folder)) == len(captures(newsroom))  # a run that keeps nothing makes none
    assert complaints(newsroom.folder) == 0


def test_a_refused_page_is_kept_once_for_each_reason(site: Site, newsroom: Newsroom) -> None:
    site.add("/pier", "<title>No</title><p>Short.")
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier"]')
    newsroom.crawl()
    newsroom.crawl("--retry", "refused")
    site.add("/pier", b"%PDF-1.4", kind="application/pdf")
    newsroom.crawl("--retry", "refused")
    newsroom.crawl("--retry", "refused")
    ((reason,),) = newsroom.rows("select reason from pages")
    assert captures(newsroom) == [("/pier", 200, "too_short", 1), ("/pier", 200, reason, 1)]
    assert last_capture(newsroom, f"{site.url}/pier").body == b"%PDF-1.4"


def test_bytes_that_a_page_has_had_before_are_kept_once(site: Site, newsroom: Newsroom) -> None:
    first, other = article_html("Pier", story("pier")), article_html("Mole", story("pier") + "\n\nOne line more.")
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier"]')
    for number, page in enumerate((first, other, first)):
        site.add("/pier", page)
        look_again(newsroom) if number else newsroom.crawl()
    assert captures(newsroom) == [("/pier", 200, None, 1), ("/pier", 200, None, 1), ("/pier", 200, None, 0)]
    (revisit,) = [record for record in all_records(newsroom.folder) if record.kind == "revisit"]
    (original, *_) = [record for record in all_records(newsroom.folder) if record.kind == "response"]
    assert revisit.head["WARC-Profile"] == "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
    assert revisit.head["WARC-Refers-To-Target-URI"] == original.url
    assert revisit.head["WARC-Refers-To-Date"] == original.head["WARC-Date"]
    (file, offset, old_file, old_offset) = newsroom.rows(
        """select captures.file, captures.offset, original.file, original.offset
           from captures join captures as original on original.id = captures.revisit_of"""
    )[0]
    folder = newsroom.folder / "warc"
    read = read_record(folder / file, offset, body_at=(folder / old_file, old_offset))
    assert read is not None and read.body.decode() == first
    assert complaints(newsroom.folder) == 0


def test_equal_bytes_of_two_pages_are_kept_twice(site: Site, newsroom: Newsroom) -> None:
    for path in ("/pier", "/mole"):
        site.article(path, "Pier", story("pier"))
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier", "{site.url}/mole"]')
    newsroom.crawl()
    assert sorted(captures(newsroom)) == [("/mole", 200, None, 1), ("/pier", 200, None, 1)]


@pytest.mark.parametrize(("crawl", "source"), [("warc = false", ""), ("", "warc = false")], ids=["for all", "for one"])
def test_who_wants_no_originals_has_none(site: Site, newsroom: Newsroom, crawl: str, source: str) -> None:
    site.article("/pier", "Pier", story("pier"))
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier"]\n{source}', crawl=f"delay = 0\n{crawl}")
    newsroom.crawl()
    assert newsroom.rows("select warc from pages") == [(None,)]
    assert (captures(newsroom), (newsroom.folder / "warc").exists()) == ([], False)


def test_of_what_was_taken_down_nothing_is_kept(site: Site, newsroom: Newsroom) -> None:
    site.add("/old", status=301, Location="/pier")
    site.article("/pier", "Pier", story("pier"))
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/old"]', crawl="delay = 0\nwarc = false")
    newsroom.crawl()
    newsroom.change(
        "update pages set state = 'refused', reason = 'forgotten', article_id = null where url like '%/pier'"
    )
    newsroom.change("update pages set state = 'pending', reason = null, article_id = null where url like '%/old'")
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/old"]')
    newsroom.crawl()
    assert site.asked.count("/pier") == 2
    assert (captures(newsroom), (newsroom.folder / "warc").exists()) == ([], False)


# Byte for byte

gz = partial(gzip.compress, mtime=0)  # the same bytes each time

PAGE = article_html("Brücke", story("bridge")).encode()
HTML = b"Content-Type: text/html; charset=utf-8\r\n"


def chunked(body: bytes) -> bytes:
    parts = [body[start : start + 700] for start in range(0, len(body), 700)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def whole(body: bytes, *lines: bytes, start: bytes = b"HTTP/1.1 200 OK\r\n") -> bytes:
    return (
        start + HTML + b"".join(line + b"\r\n" for line in lines) + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )


Sent = tuple[bytes, bytes, bytes]
"""An answer as it goes over the wire, its body without transfer coding, and that unpacked."""

SENT: dict[str, Sent] = {
    "identity": (whole(PAGE), PAGE, PAGE),
    "gzip": (whole(gz(PAGE), b"Content-Encoding: gzip"), gz(PAGE), PAGE),
    "deflate": (whole(zlib.compress(PAGE), b"Content-Encoding: deflate"), zlib.compress(PAGE), PAGE),
    "br": (whole(brotli.compress(PAGE), b"Content-Encoding: br"), brotli.compress(PAGE), PAGE),
    "zstd": (whole(zstd.compress(PAGE), b"Content-Encoding: zstd"), zstd.compress(PAGE), PAGE),
    "gzip-twice": (whole(gz(gz(PAGE)), b"Content-Encoding: gzip, gzip"), gz(gz(PAGE)), PAGE),
    "gzip-unsaid": (whole(gz(PAGE)), gz(PAGE), PAGE),
    "gzip-in-two-members": (whole(gz(PAGE[:900]) + gz(PAGE[900:]), b"Content-Encoding: gzip"), gz(PAGE[:900]) + gz(PAGE[900:]), PAGE),
    "gzip-said-and-not-so": (whole(PAGE, b"Content-Encoding: gzip"), PAGE, PAGE),
    "br-said-and-gzip": (whole(gz(PAGE), b"Content-Encoding: br"), gz(PAGE), PAGE),
    "chunked": (b"HTTP/1.1 200 OK\r\n" + HTML + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(PAGE), PAGE, PAGE),
    "chunked-gzip": (b"HTTP/1.1 200 OK\r\n" + HTML + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(gz(PAGE)), gz(PAGE), PAGE),
    "http-1.0": (b"HTTP/1.0 200 OK\r\n" + HTML + b"\r\n" + PAGE, PAGE, PAGE),
    "cookies": (whole(PAGE, b"Set-Cookie: a=1", b"Set-Cookie: b=2; Path=/", b"X-Robots-Tag: nosnippet", b"X-Robots-Tag: max-snippet:5"), PAGE, PAGE),
    "latin-1": (whole(PAGE, b"X-Editor: M\xfcller", b"Content-Disposition: inline; filename=\"K\xf6ln.html\""), PAGE, PAGE),
    "utf-8": (whole(PAGE, "X-Editor: Müller 橋; x=\"é\"".encode()), PAGE, PAGE),
    "empty-header": (whole(PAGE, b"X-Nothing:"), PAGE, PAGE),
    "phrase": (whole(PAGE, start=b"HTTP/1.1 203 As The Proxy Likes It\r\n"), PAGE, PAGE),
    "empty": (whole(b""), b"", b""),
}  # fmt: skip


@pytest.fixture(scope="module")
def newsroom_of_bytes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    newsroom = Newsroom(tmp_path_factory.mktemp("bytes"))
    with raw_site() as raw:
        raw.answers |= {f"/{name}": wire for name, (wire, _, _) in SENT.items()}
        pages = ", ".join(f'"{raw.url}/{name}"' for name in SENT)
        newsroom.watch(f'url = "{raw.url}/"\npages = [{pages}]')
        newsroom.crawl()
        yield newsroom


@pytest.mark.parametrize("name", SENT)
def test_an_answer_is_kept_byte_for_byte_as_far_as_http_allows(newsroom_of_bytes: Newsroom, name: str) -> None:
    wire, payload, page = SENT[name]
    head = wire.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    (kept,) = responses_of(newsroom_of_bytes, name)
    assert kept.body == payload
    assert kept.status_line.split(" ")[:2] == head[0].split(" ")[:2]
    assert sorted(as_sent(kept)) == sorted(fields(head[1:]))
    url, file, offset = newsroom_of_bytes.rows(f"select url, warc, warc_offset from pages where url like '%/{name}'")[0]
    read = read_record(newsroom_of_bytes.folder / "warc" / file, offset)
    assert read is not None
    assert (read.url, read.body, read.failure, read.refusal) == (url, page, None, None)


def responses_of(newsroom: Newsroom, name: str) -> list[Record]:
    found = [record for record in all_records(newsroom.folder) if record.kind == "response"]
    return [record for record in found if (record.url or "").endswith(f"/{name}")]


def fields(lines: list[str]) -> list[tuple[str, str]]:
    """Names in lower case; without those that tell how the body was sent."""
    pairs = ((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return [pair for pair in pairs if pair[0] not in ("transfer-encoding", "content-length")]


def as_sent(record: Record) -> list[tuple[str, str]]:
    """warcio reads UTF-8 where it is some."""
    return [
        (name, value if value.isascii() else value.encode("utf-8" if "橋" in value else "latin-1").decode("latin-1"))
        for name, value in fields([": ".join(pair) for pair in record.http])
    ]


def test_nothing_is_wrong_with_the_files_of_all_these(newsroom_of_bytes: Newsroom) -> None:
    assert complaints(newsroom_of_bytes.folder) == 0
    assert unknown_responses(newsroom_of_bytes) == []


# The demo's pages


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The local corpus, crawled with its originals kept."""
    folder = tmp_path_factory.mktemp("corpus")
    settings = {
        "SOURCES_FILE": CORPUS / "sources.toml",
        "NEWS_DB": folder / "news.db",
        "OFFLINE_DIR": CORPUS,
        "WARC_OFFLINE": True,
    }
    done = run_scrapy(
        "crawl", "news", *(word for key, value in settings.items() for word in ("-s", f"{key}={value}")), cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_of_the_corpus_is_kept_and_read_again_with_what_its_listing_said(corpus: Path) -> None:
    base = connect(corpus / "news.db")
    rows = base.execute(
        "select url, via, warc, warc_offset from pages where http_status is not null and reason is not 'robots'"
    ).fetchall()
    read = {row["url"]: read_record(corpus / "warc" / row["warc"], row["warc_offset"]) for row in rows if row["warc"]}
    assert len(read) >= 60
    assert [url for url, page in read.items() if page is None or not (page.body or page.failure)] == []
    unkept = base.execute("select state, reason, count(*) from pages where warc is null group by 1, 2").fetchall()
    base.close()
    assert {tuple(row)[:2] for row in unkept} <= {("refused", "robots"), ("duplicate", "canonical")}


def test_warcio_has_no_complaint_of_the_corpus(corpus: Path) -> None:
    assert complaints(corpus) == 0
