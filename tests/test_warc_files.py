"""The WARC files of a database: begun, rotated, mended after a kill, deleted by age; and disks that will not have them."""

import gzip
import os
import random
import shutil
import sqlite3
import stat
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from scrapy.exceptions import DropItem
from scrapy.utils.test import get_crawler

from crawler.digests import payload_digest
from crawler.items import Answer, Outcome, Page
from pipelines.archive.pipeline import StorePipeline
from pipelines.archive.store import Archive
from pipelines.archive.warc import Originals
from pipelines.archive.warc_files import WarcFiles, own_files
from pipelines.archive.warc_records import records_of
from tests.conftest import ROOT, broadsheet, run_scrapy
from tests.support.loopback import Site, article_html, serving, story
from tests.support.newsroom import Newsroom
from tests.support.originals import all_records, complaints, files, records, unknown_responses

NOON = datetime(2026, 11, 7, 12, tzinfo=UTC)


def group(number: int, body: bytes = b"<p>pier") -> list[bytes]:
    url = f"https://x.example/{number}"
    answer = Answer(url=url, fetched_at=NOON, status=200, protocol="HTTP/1.1", reason="OK", headers=(), body=body)
    return records_of(answer, payload_digest(body), {"url": url})


# Writing


def test_a_run_that_keeps_nothing_makes_no_folder(tmp_path: Path) -> None:
    WarcFiles(tmp_path / "news.db").close()
    assert list(tmp_path.iterdir()) == []


def test_another_file_is_begun_by_size_and_by_age(tmp_path: Path) -> None:
    written = WarcFiles(tmp_path / "news.db", max_bytes=3_000)
    places = [written.write([group(number, random.randbytes(1_000))], NOON)[0] for number in range(4)]
    later = written.write([group(4)], NOON + timedelta(days=1))[0]
    written.close()
    names = [f"broadsheet-20261107120000-0000{serial}-news.db.warc.gz" for serial in (0, 1)]
    names.append("broadsheet-20261108120000-00000-news.db.warc.gz")
    assert [file.name for file in files(tmp_path)] == names
    assert [place[0] for place in (*places, later)] == [names[0], names[0], names[1], names[1], names[2]]
    for file in files(tmp_path):
        assert [record.kind for record in records(file)][:2] == ["warcinfo", "response"]
        assert records(file)[0].head["WARC-Filename"] == file.name
    assert complaints(tmp_path) == 0


def test_the_groups_of_one_page_lie_where_it_is_said(tmp_path: Path) -> None:
    written = WarcFiles(tmp_path / "news.db")
    places = written.write([group(1), group(2)], NOON)
    written.close()
    (file,) = files(tmp_path)
    for number, (name, offset, length) in enumerate(places, 1):
        member = gzip.decompress(file.read_bytes()[offset : offset + length])
        assert name == file.name
        assert f"WARC-Target-URI: https://x.example/{number}\r\n".encode() in member


def test_a_page_that_a_bug_keeps_out_of_the_archive_leaves_no_record(tmp_path: Path) -> None:
    with closing(Archive(tmp_path / "news.db")) as archive:
        pipeline = StorePipeline(archive, Originals(archive, WarcFiles(archive.path)), get_crawler())
        for path, is_broken in (("a", True), ("b", False), ("c", True), ("d", False)):
            url = f"https://x.example/{path}"
            answer = Answer(
                url=url, fetched_at=NOON, status=200, protocol="HTTP/1.1", reason="OK", headers=(), body=b"x"
            )
            page = Page(url=url, final_url=url, via="feed", fetched_at=NOON, status=200, answers=(answer,))
            archive.db.execute(_BUG if is_broken else "drop trigger if exists bug")
            with pytest.raises(sqlite3.IntegrityError if is_broken else DropItem):
                pipeline.process_item(Outcome(page=page, refusal="too_short"))
            assert [record.url for record in all_records(tmp_path) if record.kind == "response"] == [
                f"https://x.example/{kept}" for kept in "bd" if kept <= path
            ]
        pipeline.close_spider()
    assert complaints(tmp_path) == 0


_BUG = "create trigger bug before insert on captures begin select raise(abort, 'a bug'); end"


@pytest.mark.parametrize("name", ["Zeitung Köln.db", "a\nb.db", os.fsdecode(b"\xff.db"), "%.db"])
def test_a_database_of_any_name_has_files_of_its_own(tmp_path: Path, name: str) -> None:
    for database in (name, "news.db", "news.db.db"):
        written = WarcFiles(tmp_path / database)
        written.write([group(1)], NOON)
        written.close()
    assert (len(files(tmp_path)), len(own_files(tmp_path / name))) == (3, 1)
    assert all(file.name.isascii() and file.name.isprintable() for file in files(tmp_path))
    assert complaints(tmp_path) == 0


# Crawls


@pytest.fixture(scope="module")
def harbour() -> Iterator[Site]:
    """Six pages of 40 KB that cannot be packed."""
    with serving() as site:
        noise = random.Random(7)
        for number in range(6):
            page = article_html(f"Pier {number}", story(f"pier {number}"))
            site.add(f"/{number}", f"{page}<!--{b64encode(noise.randbytes(30_000)).decode()}-->")
        yield site


def watch(newsroom: Newsroom, site: Site, crawl: str = "", pages: int = 6) -> None:
    listed = ", ".join(f'"{site.url}/{number}"' for number in range(pages))
    newsroom.watch(f'url = "{site.url}/"\npages = [{listed}]', crawl=f"delay = 0\n{crawl}")


@pytest.fixture(scope="module")
def crawled(harbour: Site, tmp_path_factory: pytest.TempPathFactory) -> Newsroom:
    """Read only: who writes takes a copy."""
    newsroom = Newsroom(tmp_path_factory.mktemp("crawled"))
    watch(newsroom, harbour)
    newsroom.crawl()
    return newsroom


@pytest.fixture
def copied(crawled: Newsroom, tmp_path: Path) -> Newsroom:
    shutil.copytree(crawled.folder, tmp_path / "copy")
    return Newsroom(tmp_path / "copy")


def test_a_file_is_rotated_in_mid_run(harbour: Site, newsroom: Newsroom) -> None:
    watch(newsroom, harbour)
    settings = ("SOURCES_FILE=sources.toml", "NEWS_DB=news.db", "WARC_MAX_BYTES=60000")
    paths = [f"{word.partition('=')[0]}={newsroom.folder / word.partition('=')[2]}" for word in settings[:2]]
    done = run_scrapy("crawl", "news", *(word for each in (*paths, settings[2]) for word in ("-s", each)), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert len(files(newsroom.folder)) == 3
    assert (newsroom.rows("select count(*) from captures"), unknown_responses(newsroom)) == ([(6,)], [])
    assert complaints(newsroom.folder) == 0


def test_two_databases_in_one_folder_leave_each_others_files_alone(harbour: Site, copied: Newsroom) -> None:
    (first,) = files(copied.folder)
    first.write_bytes(first.read_bytes()[:-9])
    cut_short = first.read_bytes()
    done = broadsheet("crawl", "--db", "other.db", cwd=copied.folder)
    assert (done.returncode, first.read_bytes()) == (0, cut_short)
    other = [file for file in files(copied.folder) if file != first]
    assert [own_files(copied.folder / name) for name in ("news.db", "other.db")] == [[first], other]


def test_originals_of_a_database_that_is_gone_are_left_alone_and_told_of_once(harbour: Site, copied: Newsroom) -> None:
    (old,) = files(copied.folder)
    urls = {url for (url,) in copied.rows("select url from articles")}
    for path in copied.folder.glob("news.db*"):
        path.unlink()
    old.write_bytes(cut_short := old.read_bytes()[:-9])
    watch(copied, harbour, pages=1)
    first = copied.crawl("--quiet")
    assert first.stderr.splitlines() == [
        "broadsheet: warc/ holds originals of an earlier news.db; `broadsheet import warc/ --db news.db` brings them back"
    ]
    assert old.read_bytes() == cut_short
    assert [state for state, _ in copied.states().values()] == ["article"]
    assert copied.crawl("--quiet").stderr == ""
    assert old.read_bytes() == cut_short
    done = broadsheet("import", "warc/", cwd=copied.folder)
    assert done.returncode == 0, done.stderr
    assert {url for (url,) in copied.rows("select url from articles")} == urls
    assert broadsheet("doctor", cwd=copied.folder).returncode == 0


def test_the_first_run_of_a_new_database_is_mended_beside_the_originals_of_an_earlier_one(copied: Newsroom) -> None:
    """It was killed after its first record, before that was noted."""
    (old,) = files(copied.folder)
    whole = old.read_bytes()
    copied.change("delete from captures")
    copied.change("update runs set started_at = '2099-12-31T23:59:58Z'")
    mine = old.with_name("broadsheet-20991231235958-00000-news.db.warc.gz")
    mine.write_bytes(whole[:-1])
    mend(copied)
    assert old.read_bytes() == whole
    assert copied.rows("select distinct file, reason from captures") == [(mine.name, "interrupted")]
    assert mine.stat().st_size < len(whole) - 1


# After a kill


def members(file: Path) -> list[int]:
    """Where the records of a file begin, and its end."""
    return [*(record.offset for record in records(file)), file.stat().st_size]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("kind", [0, 1, 2], ids=["in the response", "in the request", "in the metadata"])
def test_what_a_kill_left_half_written_is_cut_off(copied: Newsroom, share: float, kind: int) -> None:
    (file,) = files(copied.folder)
    starts = members(file)
    begin, end = starts[-4], starts[-3 + kind]
    forget_the_last(copied)
    os.truncate(file, starts[-4 + kind] + int(share * (end - starts[-4 + kind])))
    mend(copied)
    assert file.stat().st_size == begin
    assert (complaints(copied.folder), unknown_responses(copied)) == (0, [])


def mend(newsroom: Newsroom) -> None:
    """What every run that writes begins with."""
    with closing(Archive(newsroom.db)) as archive:
        archive.repair_originals()


def forget_the_last(newsroom: Newsroom) -> None:
    """Make the database what it was before the last page was stored."""
    ((page_id,),) = newsroom.rows("select page_id from captures order by id desc limit 1")
    newsroom.change(f"delete from captures where page_id = {page_id}")
    newsroom.change(f"delete from fingerprints where article_id = (select article_id from pages where id = {page_id})")
    newsroom.change(f"delete from articles where id = (select article_id from pages where id = {page_id})")
    newsroom.change(f"""update pages set state = 'pending', article_id = null, content_hash = null, warc = null, warc_offset = null,
        http_status = null, last_fetched_at = null, next_fetch_at = null where id = {page_id}""")


@pytest.mark.parametrize("is_found", [True, False])
def test_what_a_killed_run_did_not_live_to_note_is_noted_at_the_next_start(copied: Newsroom, is_found: bool) -> None:
    (file,) = files(copied.folder)
    ((row,),) = copied.rows("select offset from captures order by id desc limit 1")
    forget_the_last(copied)
    if not is_found:  # as a page that sources.toml lists, before it is stored
        copied.change("delete from pages where state = 'pending'")
    assert len(unknown_responses(copied)) == 1
    size = file.stat().st_size
    copied.crawl()
    assert (file.stat().st_size, unknown_responses(copied), complaints(copied.folder)) == (size, [], 0)
    reasons = copied.rows(
        f"select reason, count(*), count(revisit_of) from captures where offset >= {row} or revisit_of group by 1"
    )
    assert reasons == [(None, 1, 1), ("interrupted", 1, 0)]


@pytest.mark.parametrize("size", [0, 1, 2, 9, 200])
def test_a_file_of_which_nothing_was_written_whole_is_gone(copied: Newsroom, size: int) -> None:
    (file,) = files(copied.folder)
    second = file.with_name("broadsheet-20991231235959-00000-news.db.warc.gz")
    second.write_bytes(file.read_bytes()[:size])
    mend(copied)
    assert files(copied.folder) == [file]
    assert complaints(copied.folder) == 0


def test_a_file_that_somebody_packed_anew_is_left_alone(copied: Newsroom) -> None:
    (file,) = files(copied.folder)
    anew = gzip.compress(gzip.decompress(file.read_bytes()))
    file.write_bytes(anew)
    mend(copied)
    assert file.read_bytes() == anew
    plain = gzip.decompress(anew)
    file.write_bytes(plain)
    mend(copied)
    assert file.read_bytes() == plain


def test_a_file_that_lost_its_end_to_the_power_keeps_what_is_whole(copied: Newsroom) -> None:
    (file,) = files(copied.folder)
    starts = members(file)
    os.truncate(file, starts[5] + 10)
    mend(copied)
    assert file.stat().st_size == starts[5]
    assert complaints(copied.folder) == 0


# Age


def age(newsroom: Newsroom, days: int) -> Path:
    """Make the files and what they hold as old as this."""
    (file,) = files(newsroom.folder)
    began = datetime.now(UTC) - timedelta(days=days)
    old = file.with_name(f"broadsheet-{began:%Y%m%d%H%M%S}-00000-news.db.warc.gz")
    file.rename(old)
    newsroom.change(f"update captures set file = '{old.name}'")
    newsroom.change(f"update pages set warc = '{old.name}'")
    return old


@pytest.mark.parametrize(("days", "gone"), [(30, False), (32, True)])
def test_files_older_than_warc_days_go_with_their_rows(harbour: Site, copied: Newsroom, days: int, gone: bool) -> None:
    old = age(copied, days)
    foreign = old.with_name(old.name.replace("news.db", "other.db"))
    foreign.write_bytes(b"")
    watch(copied, harbour, "warc_days = 30")
    copied.crawl()
    assert old.exists() is not gone
    assert copied.rows("select count(*) from captures") == [(0 if gone else 6,)]
    assert copied.rows("select count(warc), count(warc_offset) from pages") == [(0, 0) if gone else (6, 6)]
    assert foreign.exists()


def test_where_files_go_by_age_a_body_is_never_only_in_an_older_one(harbour: Site, copied: Newsroom) -> None:
    age(copied, 10)
    copied.change("update captures set reason = 'interrupted'")  # so that all are kept once more
    copied.change("update pages set next_fetch_at = '2026-01-01T00:00:00Z', last_fetched_at = '2026-01-01T00:00:00Z'")
    watch(copied, harbour, "warc_days = 30")
    copied.crawl()
    assert copied.rows("select count(*), count(revisit_of) from captures") == [(12, 0)]


# Disks


def test_a_full_disk_ends_the_run_with_one_line_and_loses_nothing(harbour: Site, newsroom: Newsroom) -> None:
    watch(newsroom, harbour, pages=1)
    newsroom.crawl()  # the database is there, and larger than two pages
    size = max(file.stat().st_size for file in newsroom.folder.glob("news.db*"))
    first = files(newsroom.folder)
    harbour.add(
        "/large", f"{article_html('Quay', story('quay'))}<!--{b64encode(random.randbytes(size + 200_000)).decode()}-->"
    )
    newsroom.watch(f'url = "{harbour.url}/"\npages = ["{harbour.url}/large"]')
    full = broadsheet("crawl", "--quiet", cwd=newsroom.folder, file_size=size + 100_000)
    assert (full.returncode, full.stdout) == (74, "")
    assert full.stderr.count("\n") == 1 and "File too large; make room, then say it again" in full.stderr
    assert files(newsroom.folder) == first
    assert newsroom.rows("select count(*) from articles") == [(1,)]
    newsroom.crawl()
    assert newsroom.rows("select state from pages where url like '%/large'") == [("article",)]
    assert (complaints(newsroom.folder), unknown_responses(newsroom)) == (0, [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_ends_the_run_with_one_line(harbour: Site, newsroom: Newsroom) -> None:
    watch(newsroom, harbour)
    (newsroom.folder / "warc").mkdir(mode=0o500)
    done = newsroom.crawl("--quiet", code=74)
    assert done.stderr.count("\n") == 1
    assert "cannot" not in done.stderr
    (newsroom.folder / "warc").chmod(stat.S_IRWXU)
    newsroom.crawl()
    assert newsroom.rows("select state, count(*) from pages group by 1") == [("article", 6)]


def test_a_file_in_the_folders_place_ends_the_run_with_one_line(harbour: Site, newsroom: Newsroom) -> None:
    watch(newsroom, harbour)
    (newsroom.folder / "warc").write_text("mine")
    done = newsroom.crawl("--quiet", code=74)
    assert done.stderr == (
        f"broadsheet: {newsroom.folder}/warc: File exists; make it a folder that can be written, or set warc = false "
        "under [crawl] in sources.toml\n"
    )
    assert newsroom.rows("select status, finished_at is not null from runs") == [("failed", 1)]
    assert newsroom.rows("select count(*) from articles") == [(0,)]
    watch(newsroom, harbour, "warc = false")
    newsroom.crawl()
    assert newsroom.rows("select state, count(*) from pages group by 1") == [("article", 6)]
    assert (newsroom.folder / "warc").read_text() == "mine"
