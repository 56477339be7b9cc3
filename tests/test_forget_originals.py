"""A takedown in the WARC files: no byte of the text stays, every other record is where it was, and a kill in between costs nothing."""

import hashlib
import json
import random
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Answer
from crawler.parsers.warc import read_record, read_warc
from pipelines.archive.store import Archive
from pipelines.archive.takedown import plan
from pipelines.archive.warc_files import WarcFiles
from pipelines.archive.warc_members import SMALLEST, blank_record, is_as_written, members
from pipelines.archive.warc_records import digest_of, records_of
from tests.conftest import ROOT, broadsheet, connect
from tests.support.loopback import Site, article_html, serving, story
from tests.support.newsroom import Newsroom
from tests.support.originals import complaints, files, records

NOON = datetime(2026, 11, 7, 12, tzinfo=UTC)
WORD = b"qzxjvkw"
ID = "<urn:uuid:200189b6-9d40-4277-9c49-7de1a4c4a1e8>"


def spoken(word: bytes, folder: Path) -> list[str]:
    """The files that have these bytes anywhere: as they lie, in a record, or in a body that its server packed."""
    return [
        file.name
        for file in (*folder.glob("news.db*"), *files(folder))
        if any(word in data.lower() for data in read_as_anybody_could(file))
    ]


def read_as_anybody_could(file: Path) -> Iterator[bytes]:
    data = file.read_bytes()
    yield data
    if file.name.endswith(".gz"):
        yield from (record.body for record in records(file))
        at = 0
        while (at := data.find(b"\x1f\x8b\x08", at)) >= 0:
            yield (whole := unpacked(data[at:]))
            inner = whole.find(b"\x1f\x8b\x08")
            yield unpacked(whole[inner:]) if inner >= 0 else b""
            at += 1


def unpacked(data: bytes) -> bytes:
    """As far as it goes."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS + 16).decompress(data)
    except zlib.error:
        return b""


def bodies(newsroom: Newsroom) -> dict[tuple[str, int], bytes]:
    """What each capture that is known reads as, by its place."""
    found = newsroom.rows("select file, offset, url from captures join pages on pages.id = page_id")
    folder = newsroom.folder / "warc"
    pages = {(file, offset): read_record(folder / file, offset) for file, offset, _ in found}
    return {place: page.body for place, page in pages.items() if page}


# The blank


@given(st.one_of(st.integers(SMALLEST, 5_000), st.integers(65_000, 66_500), st.integers(SMALLEST, 400_000)))
def test_a_blank_has_every_length_and_is_one_record(length: int) -> None:
    member = blank_record(length, ID, NOON)
    unpacker = zlib.decompressobj(zlib.MAX_WBITS + 16)
    head, _, rest = unpacker.decompress(member).partition(b"\r\n\r\n")
    assert (len(member), unpacker.eof, unpacker.unused_data) == (length, True, b"")
    assert rest.strip(b" ") == b"\r\n\r\n"
    assert len(rest) - 4 == int(head.rpartition(b" ")[2])


def test_every_length_from_the_smallest_on_is_read_by_other_programs(tmp_path: Path) -> None:
    (tmp_path / "warc").mkdir()
    lengths = range(SMALLEST, 5_001)
    file = tmp_path / "warc" / "a.warc.gz"
    file.write_bytes(b"".join(blank_record(length, ID, NOON) for length in lengths))
    assert [record.kind for record in records(file)] == ["metadata"] * len(lengths)
    assert [member.length for member in members(file)] == [*lengths]
    assert all(member.is_blank and member.whole for member in members(file))
    assert complaints(tmp_path) == 0
    assert list(read_warc(file)) == []


def test_no_record_that_is_ever_written_is_too_short_for_its_blank() -> None:
    least = Answer(url="http://a.b/", fetched_at=NOON, status=200, protocol="HTTP/1.0", reason="", headers=(), body=b"")
    assert min(map(len, records_of(least, digest_of(b""), {}))) > SMALLEST


# Crawls


@dataclass
class Told:
    """An archive of a few pages; some of them say WORD."""

    newsroom: Newsroom
    url: str  #: of the site


def publish(site: Site, newsroom: Newsroom) -> Told:
    """An article by a redirect chain, gzip and identity, that was corrected and then went; a refused page; and neighbours."""
    secret = story("pier") + f"<p>It was {WORD.decode()}.</p>"
    site.add("/old", status=301, Location="/older")
    site.add("/older", status=302, Location="/pier")
    site.add("/pier", article_html(f"Pier {WORD.decode()}", secret), packed=True)
    site.add("/plain", article_html("Plain", story("plain") + f"<p>{WORD.decode()} again.</p>"))
    site.add("/short", f"<html><title>{WORD.decode()}</title><p>{WORD.decode()}")
    for name in ("crane", "bell"):
        site.article(f"/{name}", name, story(name))
    site.feed("/feed", *(f"{site.url}/{name}" for name in ("crane", "old", "bell", "plain", "short")))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    site.add("/pier", article_html(f"Pier {WORD.decode()} 2", f"<p>{WORD.decode()} now.</p>" + secret), packed=True)
    site.add("/crane", article_html("crane", story("crane") + "<p>One more line was added here later.</p>"))
    newsroom.crawl("--now", "--retry", "article")
    return Told(newsroom, site.url)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    newsroom = Newsroom(tmp_path_factory.mktemp("published"))
    with serving() as site:
        yield publish(site, newsroom)


@pytest.fixture
def told(published: Told, tmp_path: Path) -> Told:
    """A copy of its own."""
    connect(published.newsroom.db).execute("vacuum into ?", [str(tmp_path / "news.db")])
    (tmp_path / "warc").mkdir()
    for file in files(published.newsroom.folder):
        (tmp_path / "warc" / file.name).write_bytes(file.read_bytes())
    return Told(Newsroom(tmp_path), published.url)


def test_no_byte_of_the_text_stays_and_all_else_reads_as_before(told: Told) -> None:
    newsroom, before = told.newsroom, bodies(told.newsroom)
    assert len(spoken(WORD, newsroom.folder)) == 3
    done = broadsheet("forget", f"{told.url}/old", f"{told.url}/plain", f"{told.url}/short", cwd=newsroom.folder)
    assert done.returncode == 0, done.stderr
    assert spoken(WORD, newsroom.folder) == []
    after = bodies(newsroom)
    assert len(after) == 3  # crane twice, bell
    assert after.items() <= before.items()
    assert complaints(newsroom.folder) == 0
    assert newsroom.rows("select count(*), count(warc), count(forgotten_at) from pages where reason = 'forgotten'") == [
        (4, 0, 4)
    ]
    assert b"/pier" not in b"".join(b"".join(read_as_anybody_could(file)) for file in files(newsroom.folder))
    doctor = broadsheet("doctor", "--deep", cwd=newsroom.folder)
    assert doctor.returncode == 0, doctor.stdout


def test_what_is_of_the_same_length_lies_where_it_lay(told: Told) -> None:
    sizes = [file.stat().st_size for file in files(told.newsroom.folder)]
    broadsheet("forget", f"{told.url}/old", cwd=told.newsroom.folder)
    assert [file.stat().st_size for file in files(told.newsroom.folder)] == sizes
    assert [page.url for file in files(told.newsroom.folder) for page in read_warc(file)] == [
        f"{told.url}/{name}" for name in ("crane", "bell", "plain", "short", "crane")
    ] or sizes == []


def test_a_dry_run_shows_what_would_go_and_changes_nothing(told: Told) -> None:
    folder = told.newsroom.folder
    hashes = {file: digest_of(file.read_bytes()) for file in folder.rglob("*") if file.is_file()}
    done = broadsheet("forget", "--dry-run", f"{told.url}/old", "https://a.example/none", cwd=folder)
    lines = done.stdout.splitlines()
    assert lines[0] == f"{told.url}/old: would go, with its article, 2 texts"
    assert lines[1:3] == [f"    with it: {told.url}/pier", "https://a.example/none: not in the archive; `--yes` would refuse it from now on"]
    assert lines[3] == "4 captures would be blanked:"
    assert all(".warc.gz at byte " in line for line in lines[4:])
    assert (done.returncode, len(lines)) == (2, 8)
    assert {file: digest_of(file.read_bytes()) for file in folder.rglob("*") if file.is_file()} == hashes
