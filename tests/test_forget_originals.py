"""A takedown in the WARC files: no byte of the text stays, every other record is where it was, and a kill in between costs nothing."""

import os
import pty
import random
import signal
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.digests import payload_digest
from crawler.items import Answer
from crawler.parsers.warc import read_record, read_warc
from pipelines.archive.warc_files import WarcFiles
from pipelines.archive.warc_members import SMALLEST, blank_record, members
from pipelines.archive.warc_records import records_of
from tests.conftest import broadsheet, connect, run_killed, start_beside
from tests.support.loopback import Site, article_html, serving, story
from tests.support.newsroom import Newsroom
from tests.support.originals import complaints, files, read_as_anybody_could, records, spoken

NOON = datetime(2026, 11, 7, 12, tzinfo=UTC)
WORD = b"qzxjvkw"
ID = "<urn:uuid:200189b6-9d40-4277-9c49-7de1a4c4a1e8>"


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
    assert min(map(len, records_of(least, payload_digest(b""), {}))) > SMALLEST


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
    newsroom.crawl("--now", "--retry", "article", site.url)
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
    done = forget_all(told)
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
    ]


def test_a_dry_run_shows_what_would_go_and_changes_nothing(told: Told) -> None:
    folder = told.newsroom.folder
    hashes = {file: payload_digest(file.read_bytes()) for file in folder.rglob("*") if file.is_file()}
    done = broadsheet("forget", "--dry-run", f"{told.url}/old", "https://a.example/none", cwd=folder)
    lines = done.stdout.splitlines()
    assert lines[0] == f"{told.url}/old: would go, with its article, 2 texts"
    assert lines[1:3] == [
        f"    with it: {told.url}/pier",
        "https://a.example/none: not in the archive; `--yes` would refuse it from now on",
    ]
    assert lines[3] == "4 captures would be blanked:"
    assert all(".warc.gz at byte " in line for line in lines[4:])
    assert (done.returncode, len(lines)) == (2, 8)
    assert {file: payload_digest(file.read_bytes()) for file in folder.rglob("*") if file.is_file()} == hashes


def test_it_says_how_many_captures_it_blanked_and_nothing_of_captures_where_nothing_is_known(told: Told) -> None:
    folder = told.newsroom.folder
    unknown = broadsheet("forget", "--dry-run", "https://a.example/none", "https://a.example/other", cwd=folder)
    assert (unknown.returncode, "capture" in unknown.stdout) == (2, False)
    lines = broadsheet("forget", f"{told.url}/old", cwd=folder).stdout.splitlines()
    assert lines[2] == "4 captures blanked"
    again = broadsheet("forget", f"{told.url}/old", cwd=folder).stdout.splitlines()
    assert again[1] == "0 captures blanked"
    assert "capture" not in broadsheet("forget", "--yes", "https://a.example/none", cwd=folder).stdout


def test_two_addresses_one_of_them_a_copy(told: Told) -> None:
    """Nothing is planned twice, and a reason is kept with all of them."""
    done = broadsheet(
        "forget", f"{told.url}/pier", f"{told.url}/old", "--reason", "court order 7", cwd=told.newsroom.folder
    )
    assert done.returncode == 0
    assert told.newsroom.rows("select distinct forgotten_reason from pages where reason = 'forgotten'") == [
        ("court order 7",)
    ]
    again = broadsheet("forget", f"{told.url}/pier", cwd=told.newsroom.folder)
    ((moment,),) = told.newsroom.rows("select distinct forgotten_at from pages where reason = 'forgotten'")
    assert again.stdout.splitlines()[0] == f"{told.url}/pier: was forgotten before ({moment}: court order 7)"


def test_an_address_that_nobody_found_is_refused_in_advance_only_if_told_so(told: Told) -> None:
    folder = told.newsroom.folder
    before = bodies(told.newsroom)
    done = broadsheet("forget", "https://a.example/typo", cwd=folder)
    assert (done.returncode, "nothing was done" in done.stdout) == (2, True)
    assert "https://a.example/typo" not in told.newsroom.states()
    assert bodies(told.newsroom) == before
    assert broadsheet("forget", "--yes", "https://a.example/typo", cwd=folder).returncode == 0
    assert told.newsroom.states()["https://a.example/typo"] == ("refused", "forgotten")


def test_a_refusal_is_lifted_and_nothing_comes_back(told: Told) -> None:
    folder = told.newsroom.folder
    broadsheet("forget", "--yes", f"{told.url}/old", "https://a.example/typo", cwd=folder)
    done = broadsheet("forget", "--undo", f"{told.url}/old", "https://a.example/typo", f"{told.url}/bell", cwd=folder)
    assert (done.returncode, done.stdout.splitlines()) == (
        2,
        [
            f"{told.url}/old: may be fetched and stored again",
            "https://a.example/typo: may be fetched and stored again",
            f"{told.url}/bell: is not forgotten: nothing to undo",
            f"    forgotten with it, and still refused: {told.url}/pier",
        ],
    )
    states = told.newsroom.states()
    assert (states[f"{told.url}/old"], states[f"{told.url}/pier"]) == (("pending", None), ("refused", "forgotten"))
    assert "https://a.example/typo" not in states
    assert told.newsroom.rows("select forgotten_at, warc from pages where state = 'pending'") == [(None, None)]


def test_a_page_whose_refusal_is_lifted_is_fetched_again(site: Site, newsroom: Newsroom) -> None:
    site.article("/pier", "Pier", story("pier"))
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier"]')
    newsroom.crawl()
    broadsheet("forget", f"{site.url}/pier", cwd=newsroom.folder)
    broadsheet("forget", "--undo", f"{site.url}/pier", cwd=newsroom.folder)
    newsroom.crawl()
    assert newsroom.states() == {f"{site.url}/pier": ("article", None)}
    assert newsroom.rows("select id from articles") == [(2,)]
    assert len(bodies(newsroom)) == 1


def test_another_page_keeps_its_original_that_was_found_at_a_forgotten_address(site: Site, newsroom: Newsroom) -> None:
    """It was led to from there once; only what the feed said of that address goes."""
    site.add("/old", status=302, Location="/pier")
    site.article("/pier", "Pier", story("pier"))
    rss = f"<item><title>{WORD.decode()}</title><link>{site.url}/old</link></item>"
    site.add("/feed", f'<rss version="2.0"><channel>{rss}</channel></rss>', type="application/rss+xml")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    newsroom.change("update pages set state = 'refused', reason = 'empty', article_id = null where url like '%/old'")
    (file,) = files(newsroom.folder)
    assert file.name in spoken(WORD, newsroom.folder)
    ((place),) = newsroom.rows("select file, offset from captures where reason is null")
    assert broadsheet("forget", f"{site.url}/old", cwd=newsroom.folder).returncode == 0
    assert file.name not in spoken(WORD, newsroom.folder)  # the article's own titles have it, as before
    assert list(bodies(newsroom)) == [place]
    assert complaints(newsroom.folder) == 0


def test_records_that_no_row_tells_of_go_as_well(told: Told) -> None:
    newsroom = told.newsroom
    newsroom.change("delete from captures")
    newsroom.change("update pages set warc = null, warc_offset = null")
    newsroom.change("delete from versions where page_id in (select id from pages where url like '%/short')")
    newsroom.change("delete from pages where url like '%/short'")
    done = forget_all(told)
    assert (done.returncode, spoken(WORD, newsroom.folder), complaints(newsroom.folder)) == (0, [], 0)
    assert newsroom.states()[f"{told.url}/short"] == ("refused", "forgotten")


def test_an_original_that_is_damaged_goes_all_the_same(told: Told) -> None:
    """In its head, where its row tells whose it is; in its body, where its head does."""
    newsroom = told.newsroom
    for name, at in (("pier", 3), ("plain", 600)):
        ((file, offset),) = newsroom.rows(
            f"select file, offset from captures join pages on pages.id = page_id where url like '%/{name}' order by captures.id limit 1"
        )
        data = bytearray((newsroom.folder / "warc" / file).read_bytes())
        data[offset + at : offset + at + 9] = b"\xff" * 9
        (newsroom.folder / "warc" / file).write_bytes(data)
    assert forget_all(told).returncode == 0
    assert (spoken(WORD, newsroom.folder), complaints(newsroom.folder)) == ([], 0)
    assert broadsheet("doctor", "--deep", cwd=newsroom.folder).returncode == 0


def test_a_file_under_an_earlier_name_of_the_database_is_its_own(told: Told) -> None:
    folder = told.newsroom.folder
    told.newsroom.db.rename(folder / "news.db.old")
    assert forget_all(told, "--db", "news.db.old").returncode == 0
    assert spoken(WORD, folder) == []


def test_where_a_file_cannot_be_read_nothing_is_forgotten(told: Told) -> None:
    newsroom, before = told.newsroom, bodies(told.newsroom)
    file = files(newsroom.folder)[0]
    file.rename(newsroom.folder / "aside")
    file.mkdir()
    done = broadsheet("forget", f"{told.url}/old", cwd=newsroom.folder)
    assert (done.returncode, done.stderr.count("\n"), file.name in done.stderr) == (74, 1, True)
    assert newsroom.states()[f"{told.url}/pier"] == ("article", None)
    file.rmdir()
    (newsroom.folder / "aside").rename(file)
    assert bodies(newsroom) == before


def test_where_a_file_cannot_be_written_nothing_is_forgotten(told: Told) -> None:
    """It is longer than this process may write."""
    newsroom = told.newsroom
    with closing(WarcFiles(newsroom.db)) as written:
        written.write([group(f"{told.url}/other", random.randbytes(8_000_000)), group(f"{told.url}/pier", WORD)], NOON)
    states = newsroom.states()
    done = broadsheet("forget", f"{told.url}/old", cwd=newsroom.folder, file_size=8_000_000)
    assert done.stderr.endswith(
        ".warc.gz: File too large; nothing is forgotten before that is put right: then say it again\n"
    )
    assert (done.returncode, newsroom.states()) == (74, states)
    assert forget_all(told).returncode == 0
    assert (spoken(WORD, newsroom.folder), complaints(newsroom.folder)) == ([], 0)


def forget_all(told: Told, *options: str) -> subprocess.CompletedProcess[str]:
    """Take down every address that has the word."""
    urls = [f"{told.url}/{name}" for name in ("old", "plain", "short")]
    return broadsheet("forget", *urls, *options, cwd=told.newsroom.folder)


def group(url: str, body: bytes) -> list[bytes]:
    answer = Answer(url=url, fetched_at=NOON, status=200, protocol="HTTP/1.1", reason="OK", headers=(), body=body)
    return records_of(
        answer, payload_digest(body), {"url": url, "via": "feed", "discovered_at": "2026-11-07T12:00:00Z"}
    )


def test_files_of_others_and_files_that_are_not_there_are_named(told: Told) -> None:
    newsroom = told.newsroom
    second = files(newsroom.folder)[1]
    second.rename(newsroom.folder / second.name)
    newsroom.change("update captures set file = './of-others.warc.gz' where id = 1")
    done = broadsheet("forget", f"{told.url}/crane", f"{told.url}/pier", cwd=newsroom.folder)
    said = [line.strip() for line in done.stdout.splitlines() if "still in" in line]
    assert said == ["a capture is still in ./of-others.warc.gz", *[f"a capture is still in {second.name}"] * 2]
    kept = "select distinct file from captures join pages on pages.id = page_id where pages.reason = 'forgotten' order by 1"
    assert newsroom.rows(kept) == [("./of-others.warc.gz",), (second.name,)]
    (newsroom.folder / second.name).rename(second)
    broadsheet("forget", f"{told.url}/pier", cwd=newsroom.folder)
    assert second.name not in spoken(WORD, newsroom.folder)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_revisit_goes_with_what_it_refers_to(site: Site, newsroom: Newsroom, is_there: bool) -> None:
    """Also where its file is elsewhere, and comes back later."""
    pages = [article_html(WORD.decode(), f"{story('pier')} {more}") for more in (WORD.decode(), "Another line.")]
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier"]')
    for number in (0, 1, 0):
        site.add("/pier", pages[number], secret=WORD.decode())
        newsroom.change("update pages set next_fetch_at = '2020-01-01'") if newsroom.db.exists() else None
        newsroom.crawl("--now")
    assert newsroom.rows("select count(revisit_of) from captures") == [(1,)]
    last = files(newsroom.folder)[-1]
    if not is_there:
        last.rename(newsroom.folder / last.name)
        assert broadsheet("forget", f"{site.url}/pier", cwd=newsroom.folder).returncode == 0
        (newsroom.folder / last.name).rename(last)
    assert spoken(WORD, newsroom.folder)
    assert broadsheet("forget", f"{site.url}/pier", cwd=newsroom.folder).returncode == 0
    assert (spoken(WORD, newsroom.folder), complaints(newsroom.folder)) == ([], 0)
    assert newsroom.rows("select count(*) from captures") == [(0,)]
    broadsheet("forget", "--undo", f"{site.url}/pier", cwd=newsroom.folder)
    newsroom.crawl()
    assert len(bodies(newsroom)) == 1


# On a terminal


@pytest.mark.parametrize(("answer", "goes"), [(b"n\n", False), (b"y\n", True), (b"", True)], ids=["no", "yes", "--yes"])
def test_on_a_terminal_it_shows_what_goes_and_asks(told: Told, answer: bytes, goes: bool) -> None:
    ours, its = pty.openpty()
    os.write(ours, answer)
    (errors := told.newsroom.folder / "errors").touch()
    streams = (os.ttyname(its), os.ttyname(its), str(errors))
    options = [] if answer else ["--yes"]
    done = start_beside("forget", f"{told.url}/pier", *options, cwd=told.newsroom.folder, streams=streams)
    code = done.wait()
    said = os.read(ours, 10**6).decode()
    os.close(ours)
    os.close(its)
    assert (code, "Forget this for good? [y/N]" in errors.read_text()) == (0, bool(answer))
    assert ("4 captures would be blanked:" in said) == bool(answer)
    assert (told.newsroom.states()[f"{told.url}/pier"] == ("refused", "forgotten")) == goes


# Killed


MOMENTS = ("before the first", "inside a record", "between two", "before the rows", "before the file is written anew")


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_in_between_saying_it_again_finishes(told: Told, moment: str) -> None:
    urls = [f"{told.url}/{name}" for name in ("old", "plain", "short")]
    before = bodies(told.newsroom)
    told.newsroom.change(
        "delete from captures where id % 2 = 0 and revisit_of is null and id not in (select revisit_of from captures where revisit_of is not null)"
    )
    done = run_killed(moment, "forget", *urls, cwd=told.newsroom.folder, at="killed_takedown")
    assert done.returncode == -signal.SIGKILL, done.stderr
    again = broadsheet("forget", *urls, cwd=told.newsroom.folder)
    assert again.returncode == 0, again.stderr
    assert (spoken(WORD, told.newsroom.folder), complaints(told.newsroom.folder)) == ([], 0)
    assert bodies(told.newsroom).items() <= before.items()
    assert broadsheet("doctor", "--deep", cwd=told.newsroom.folder).returncode == 0


def test_a_saved_page_is_named_and_not_touched(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.html").write_text(page := article_html("Pier", story("pier")))
    assert broadsheet("import", "in", cwd=tmp_path).returncode == 0
    (url,) = Newsroom(tmp_path).states()
    done = broadsheet("forget", url, cwd=tmp_path)
    assert done.stdout.splitlines()[1] == "    the saved page is not touched: in/a.html"
    assert (tmp_path / "in/a.html").read_text() == page
