"""Originals in the reading room: their HTML as text, to the owner of the archive and to nobody else."""

import asyncio
import gzip
import http.client
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from datasette.app import Datasette
from lxml.html import HtmlElement, fromstring

from crawler.digests import payload_digest
from crawler.items import MAX_PAGE_BYTES, Answer
from crawler.parsers.warc import read_record
from crawler.times import stamp
from pipelines.archive.warc_files import WarcFiles
from pipelines.archive.warc_records import records_of
from pipelines.publish.guard import policy
from pipelines.publish.serve import METADATA
from tests.support.loopback import Site, article_html, serving, story
from tests.support.newsroom import Newsroom
from tests.support.reading import reading_room
from tests.test_warc import look_again

NOON = datetime(2026, 11, 7, 12, tzinfo=UTC)
SCRIPT = "<script>document.title = 'run'</script><svg onload=alert(1)>"
PIER = article_html("Pier", story("pier")).replace("</article>", f"</article>{SCRIPT}")
WHOLE_LARGE = (SCRIPT + "é").encode().ljust(MAX_PAGE_BYTES, b"x")
SAVED = "<meta charset=windows-1252><p>Zoë’s café".encode("cp1252")
UTF_8, LATIN_1 = {"Content-Type": "text/html; charset=utf-8"}, {"Content-Type": "text/html; charset=iso-8859-1"}


def made(name: str, body: bytes, **headers: str) -> Answer:
    """An answer as a server could have sent it."""
    said = tuple((key.replace("_", "-").encode(), value.encode()) for key, value in headers.items())
    url = f"https://x.example/{name}"
    return Answer(url=url, fetched_at=NOON, status=200, protocol="HTTP/1.1", reason="OK", headers=said, body=body)


MADE = {
    "large": made("large", WHOLE_LARGE, **UTF_8),
    "bomb": made("bomb", gzip.compress(b" " * (4 * MAX_PAGE_BYTES)), Content_Encoding="gzip", **UTF_8),
    "wrong": made("wrong", "<p>Zoë’s café".encode("cp1252"), **UTF_8),
    "named": made("named", "<p>Zoë’s café".encode(), **LATIN_1),
    "japanese": made("japanese", "<meta charset=iso-2022-jp><p>桟橋".encode("iso-2022-jp"), **UTF_8),
    "damaged": made("damaged", gzip.compress(b"<p>pier" * 900)[:90], Content_Encoding="gzip", **UTF_8),
    "nothing": made("nothing", b"", **UTF_8),
    "gif": made("gif", b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04", Content_Type="image/gif"),
}  # fmt: skip


@dataclass
class Shown:
    """An archive with a corrected article that is gone, one that moved, a refused page, and captures that nobody crawled."""

    newsroom: Newsroom
    url: str  #: of the site
    ids: dict[str, int]  #: capture -> captures.id
    owner: str = ""  #: where `serve` shows it
    public: str = ""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    newsroom = Newsroom(tmp_path_factory.mktemp("shown"))
    with serving() as site:
        _crawl(newsroom, site)
        found = Shown(newsroom, site.url, _made_by_hand(newsroom))
    with reading_room(newsroom.db) as owner, reading_room(newsroom.db, "--public") as public:
        found.owner, found.public = owner, public
        yield found


def _crawl(newsroom: Newsroom, site: Site) -> None:
    """Three texts of an article, the third as the first, which is then gone; another that its feed names by a redirect."""
    site.add("/short", "<!doctype html><p>Too short.")
    site.add("/old", status=301, Location="/moved")
    site.add("/moved", article_html("Moved", story("lighthouse")), packed=True)
    site.add("/pier", PIER)
    site.feed("/feed", f"{site.url}/pier", f"{site.url}/old", f"{site.url}/short")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    for text in (article_html("Pier", story("quay")), PIER):
        site.add("/pier", text)
        look_again(newsroom)
    site.add("/pier", "<p>Gone fishing", status=404)
    look_again(newsroom)


def _made_by_hand(newsroom: Newsroom) -> dict[str, int]:
    """Write MADE into a file of the archive's own; and rows that lead nowhere, or out of the folder."""
    written = WarcFiles(newsroom.db)
    groups = [records_of(answer, payload_digest(answer.body), {"url": answer.url}) for answer in MADE.values()]
    places = dict(zip(MADE, written.write(groups, NOON), strict=True))
    written.close()
    file, offset, length = places["wrong"]
    folder = newsroom.folder
    (folder / "secret.html").write_text("<p>A secret")
    (folder / "saved.html").write_bytes(SAVED)
    (folder / "letters.zip").write_bytes(b"PK")
    (folder / "imported.warc.gz").write_bytes((folder / "warc" / file).read_bytes())
    os.mkfifo(folder / "warc" / "pipe")
    rows = places | {
        "missing": ("broadsheet-20200101000000-00000-news.db.warc.gz", 0, 1),
        "between": (file, offset + 1, length),
        "folder": ("..", 0, 1),
        "pipe": ("pipe", 0, 1),
        "nul": ("a\0b", 0, 1),
        "imported": ("./imported.warc.gz", offset, length),
        "absolute": (str(folder / "imported.warc.gz"), offset, length),
        "imported_no_more": ("saved/../no.warc", 0, 1),
        "no_warc": ("./secret.html", 0, 1),
        "saved": ("./saved.html", 0, len(SAVED)),
        "saved_no_more": ("./gone.html", 0, 1),
        "packed": ("./letters.zip/2019/a.html", 0, 1),
    }
    ids = {}
    with closing(sqlite3.connect(newsroom.db)) as base, base:
        for name, place in rows.items():
            sql = "insert into captures (page_id, fetched_at, status, file, offset, length, digest) values (1, ?, 200, ?, ?, ?, ?)"
            digest = payload_digest(SAVED) if name == "saved" else ""
            ids[name] = base.execute(sql, [stamp(NOON), *place, digest]).lastrowid or 0
    return ids


@dataclass
class Got:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def page(self) -> HtmlElement:
        return fromstring(self.body)

    @property
    def said(self) -> str:
        return " ".join(self.page.cssselect("main")[0].text_content().split())


def get(address: str, path: str, method: str = "GET") -> Got:
    with closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def original(shown: Shown, name: str) -> Got:
    return get(shown.owner, f"/capture/{shown.ids[name]}.txt")


def crawled(shown: Shown, path: str, condition: str = "true") -> list[int]:
    """Captures that the crawl made of a page, in their order."""
    first = shown.ids["large"]
    sql = f"""select captures.id from captures join pages on pages.id = page_id
              where url = '{shown.url}{path}' and captures.id < {first} and {condition} order by 1"""
    return [number for (number,) in shown.newsroom.rows(sql)]


# What the owner gets


def test_the_source_comes_as_text_that_no_browser_runs(shown: Shown) -> None:
    number = crawled(shown, "/pier")[0]
    got = get(shown.owner, f"/capture/{number}.txt")
    assert (got.status, got.body.decode()) == (200, PIER)
    assert got.headers["content-type"] == "text/plain; charset=utf-8"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == policy()
    assert got.headers["x-frame-options"] == "DENY"
    assert got.headers["content-disposition"] == f'inline; filename="capture-{number}.txt"'


def test_head_has_the_same_headers_and_no_body(shown: Shown) -> None:
    path = f"/capture/{crawled(shown, '/pier')[0]}.txt"
    head, got = get(shown.owner, path, "HEAD"), get(shown.owner, path)
    assert (head.status, head.body) == (200, b"")
    for name in ("content-type", "content-disposition", "content-security-policy", "x-content-type-options"):
        assert head.headers[name] == got.headers[name]


def test_each_text_is_its_own_and_a_repeated_one_comes_from_the_record_it_refers_to(shown: Shown) -> None:
    (repeated,) = crawled(shown, "/pier", "revisit_of is not null")
    bodies = [get(shown.owner, f"/capture/{number}.txt").body.decode() for number in crawled(shown, "/pier")]
    assert bodies == [PIER, article_html("Pier", story("quay")), PIER, "<p>Gone fishing"]
    assert repeated == crawled(shown, "/pier")[2]


def test_a_packed_page_a_refused_one_and_a_redirect(shown: Shown) -> None:
    moved, short, old = (crawled(shown, path)[0] for path in ("/moved", "/short", "/old"))
    assert get(shown.owner, f"/capture/{moved}.txt").body.decode() == article_html("Moved", story("lighthouse"))
    assert get(shown.owner, f"/capture/{short}.txt").body == b"<!doctype html><p>Too short."
    redirect = get(shown.owner, f"/capture/{old}.txt")
    assert redirect.status == 404 and "was a redirect (HTTP 301)" in redirect.said


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("wrong", "<p>Zoë’s café"),
        ("named", "<p>Zoë’s café"),
        ("japanese", "<meta charset=iso-2022-jp><p>桟橋"),
        ("imported", "<p>Zoë’s café"),
        ("saved", SAVED.decode("cp1252")),
        ("absolute", "<p>Zoë’s café"),
        ("large", WHOLE_LARGE.decode()),
    ],
)
def test_characters_are_what_the_page_means(shown: Shown, name: str, text: str) -> None:
    got = original(shown, name)
    assert (got.status, got.body.decode()) == (200, text)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bomb", "more than 8 MB unpacked"),
        ("nothing", "no page that could be shown"),
        ("missing", "in a file that is not there"),
        ("folder", "in a file that is not there"),
        ("pipe", "in a file that is not there"),
        ("nul", "in a file that is not there"),
        ("imported_no_more", "in a file that is not there"),
        ("between", "No page begins there any more"),
        ("no_warc", "a saved file that holds something else by now: "),
        ("saved_no_more", "a saved file that is not there any more: "),
        ("packed", "This page was read from 2019/a.html in "),
    ],
)
def test_what_cannot_be_shown_says_why(shown: Shown, name: str, words: str) -> None:
    got = original(shown, name)
    assert (got.status, got.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert words in got.said and "secret" not in got.said.replace("secret.html", "")


@pytest.mark.parametrize("name", ["gif", "damaged"])
def test_bytes_that_are_no_page_are_text_all_the_same(shown: Shown, name: str) -> None:
    got = original(shown, name)
    assert (got.status, got.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert got.body.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/capture/999999.txt",
        "/capture/0.txt",
        "/capture/../../secret.html",
        "/capture/..%2f..%2fsecret.html",
        "/capture/1.txt/../../secret.html",
        "/capture/secret.html.txt",
        "/capture/1.html",
        "/capture/1",
        "/capture/-1.txt",
    ],
)
def test_an_address_names_a_number_and_nothing_else(shown: Shown, path: str) -> None:
    got = get(shown.owner, path)
    assert got.status in (302, 404) and b"A secret" not in got.body  # 302: Datasette writes `%` otherwise
    if got.status == 302:
        assert get(shown.owner, got.headers["location"]).status == 404


def test_the_room_answers_others_while_it_reads_a_large_one(shown: Shown) -> None:
    """The event loop is free: a small page that is asked for after ten large ones comes before half of them."""
    with ThreadPoolExecutor(11) as pool:
        large = [pool.submit(lambda: (original(shown, "large").status, time.monotonic())) for _ in range(10)]
        time.sleep(0.1)
        small = pool.submit(lambda: (get(shown.owner, "/-/static/app.css").status, time.monotonic()))
        ended = [one.result() for one in large]
        assert {status for status, _ in ended} == {200}
        assert small.result()[1] < sorted(at for _, at in ended)[5]


# Where they are offered


def article_path(shown: Shown, title: str) -> str:
    ((number,),) = shown.newsroom.rows(f"select id from articles where title = '{title}'")
    return f"/article/{number}"


def test_the_article_says_when_it_was_kept_and_leads_to_the_sources(shown: Shown) -> None:
    page = get(shown.owner, article_path(shown, "Moved")).page
    (number,) = crawled(shown, "/moved")
    ((at,),) = shown.newsroom.rows(f"select fetched_at from captures where id = {number}")
    (fact,) = (one for one in page.cssselect(".facts div") if one.findtext("dt") == "Original kept")
    assert fact.cssselect("time")[0].get("datetime") == at
    assert [(a.text_content(), a.get("href")) for a in fact.cssselect("a")] == [
        ("its HTML as text", f"/capture/{number}.txt")
    ]
    assert page.cssselect("#originals") == []


def test_an_article_with_several_lists_them_all(shown: Shown) -> None:
    page = get(shown.owner, article_path(shown, "Pier")).page
    (fact,) = (one for one in page.cssselect(".facts div") if one.findtext("dt") == "Original kept")
    assert fact.cssselect("a")[-1].text_content() == f"{len(shown.ids) + 3} more"
    listed = page.cssselect("#originals li")
    assert len(listed) == len(shown.ids) + 4
    kinds = {a.get("href"): one.cssselect(".meta")[0].text for one in listed for a in one.cssselect("a")}
    assert [kinds[f"/capture/{number}.txt"] for number in crawled(shown, "/pier")] == [
        *["the article"] * 3,
        "no page at this address (HTTP 404)",
    ]


def test_the_table_leads_to_them_so_that_refused_pages_have_theirs_too(shown: Shown) -> None:
    (number,) = crawled(shown, "/short")
    ((page_id,),) = shown.newsroom.rows(f"select page_id from captures where id = {number}")
    for path in (f"/news/captures?page_id={page_id}", f"/news/captures/{number}"):
        links = [a.get("href") for a in get(shown.owner, path).page.cssselect("td.col-file a")]
        assert links == [f"/capture/{number}.txt"]
    address = get(shown.owner, f"/news/pages/{page_id}").body.decode()
    assert f"/news/captures?page_id={page_id}" in address


def test_they_are_data_too(shown: Shown) -> None:
    path = article_path(shown, "Moved")
    (number,) = crawled(shown, "/moved")
    sql = f"""select captures.id, captures.fetched_at, captures.status, captures.reason, url, file, offset
              from captures join pages on pages.id = page_id where captures.id = {number}"""
    (row,) = shown.newsroom.rows(sql)
    (said,) = json.loads(get(shown.owner, f"{path}.json").body)["captures"]
    assert tuple(said.values()) == row
    head = get(shown.owner, f"{path}.csv?table=captures").body.decode().splitlines()[0]
    assert head == "id,fetched_at,status,reason,url,file,offset" == ",".join(said)


# Who does not get them


def test_visitors_get_no_source_no_link_and_no_name_of_a_file(shown: Shown) -> None:
    refused = get(shown.public, f"/capture/{crawled(shown, '/pier')[0]}.txt")
    assert refused.status == 404 and "to the owner of an archive alone" in refused.said
    path = article_path(shown, "Pier")
    paths = (path, f"{path}.json", f"{path}.csv?table=captures", "/news/captures", "/news/captures/1", "/news/pages/1")
    for said in (get(shown.public, one).body.decode() for one in paths):
        assert "/capture/" not in said and "warc.gz" not in said
    assert "Original kept" in get(shown.public, path).body.decode()


OURS: dict[str, Any] = json.loads(METADATA.read_text("utf-8"))


@pytest.mark.parametrize(
    ("metadata", "settings", "status"),
    [
        (OURS, {}, 200),
        ({}, {}, 404),
        ({"plugins": {"broadsheet": {"originals": False}}}, {}, 404),
        ({"plugins": {"other": {"originals": True}}}, {}, 404),
        (OURS, {"default_allow_sql": False}, 404),
        (OURS | {"allow": {"id": "root"}}, {}, 403),
        ({"plugins": OURS["plugins"], "databases": {"news": {"allow": False}}}, {}, 403),
    ],
    ids=["ours", "none", "off", "another plugin's", "public", "not allowed", "this one not allowed"],
)
def test_another_datasette_shows_none_unless_it_is_told_to(
    shown: Shown, metadata: dict[str, Any], settings: dict[str, bool], status: int
) -> None:
    datasette = Datasette([str(shown.newsroom.db)], metadata=metadata, settings=settings)
    number = crawled(shown, "/pier")[0]
    found = asyncio.run(datasette.client.get(f"/capture/{number}.txt"))
    assert found.status_code == status
    if status == 404:
        page = asyncio.run(datasette.client.get(article_path(shown, "Pier")))
        assert re.findall("/capture/", page.text) == []


def test_a_404_is_read_with_the_page_that_proves_it(shown: Shown) -> None:
    (gone,) = crawled(shown, "/pier", "status = 404")
    ((file, offset),) = shown.newsroom.rows(f"select file, offset from captures where id = {gone}")
    page = read_record(shown.newsroom.folder / "warc" / file, offset)
    assert page is not None and (page.failure, page.body) == ("http_404", b"<p>Gone fishing")
