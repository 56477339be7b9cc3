"""Only a Broadsheet archive of this release or an older one is opened; every other file is left untouched."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crawler.cli.output import upgrading
from pipelines.archive.articles import COLUMNS
from pipelines.archive.store import Archive
from pipelines.database.connection import NotOurDatabase, StorageError, connect, storage_errors


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "news.db")


def test_another_programs_database_is_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as base:
        base.execute("create table recipes (id integer)")
    before = path.read_bytes()
    for write in (True, False):
        with pytest.raises(NotOurDatabase, match="another program"):
            connect(path, write=write)
    assert path.read_bytes() == before


def test_a_database_of_a_newer_release_is_left_untouched(archive: Archive) -> None:
    archive.db.table("_sqlite_migrations").insert(
        {"migration_set": "broadsheet", "name": "m999_tomorrow", "applied_at": "2030"}
    )
    with pytest.raises(NotOurDatabase, match="newer Broadsheet"):
        connect(archive.path, write=True)


def test_an_empty_file_becomes_an_archive_only_by_writing(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    path.touch()
    with pytest.raises(NotOurDatabase):
        connect(path)
    connect(path, write=True).close()
    connect(path).close()


def test_who_opens_an_archive_of_an_earlier_release_hears_of_each_step(archive: Archive) -> None:
    make_older(archive)
    told: list[tuple[int, int]] = []
    for path in (archive.path, archive.path, archive.path.with_name("new.db")):
        Archive(path, lambda *step: told.append(step)).close()
    assert told == [(0, 1)]


def test_elsewhere_than_on_a_terminal_a_line_says_why_it_takes_longer(
    archive: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    for quiet, said in (
        (False, f"broadsheet: {archive.path} is of an earlier release; it is brought up to date first\n"),
        (True, ""),
    ):
        make_older(Archive(archive.path))
        for line in (said, ""):
            with upgrading(archive.path, quiet=quiet) as follow:
                Archive(archive.path, follow).close()
            assert capsys.readouterr().err == line


def make_older(archive: Archive) -> None:
    for index in ("versions_changed", "articles_changed"):
        archive.db.execute(f"drop index {index}")
    archive.db.execute("delete from _sqlite_migrations where name = 'm033_corrections'")
    archive.close()


def test_a_damaged_file_is_a_storage_error(archive: Archive) -> None:
    archive.db.execute("pragma wal_checkpoint(truncate)")
    archive.close()
    data = bytearray(archive.path.read_bytes())
    data[16:4096] = b"\xff" * (4096 - 16)
    archive.path.write_bytes(data)
    with pytest.raises(StorageError):
        connect(archive.path)


def test_the_log_of_another_file_does_not_overwrite_a_snapshot_that_was_put_back(tmp_path: Path, demo: Path) -> None:
    path, log = tmp_path / "news.db", tmp_path / "news.db-wal"
    running = Archive(path)
    stale = log.read_bytes()
    running.close()
    path.unlink()
    with closing(sqlite3.connect(demo)) as base:
        base.execute("vacuum into ?", [str(path)])
    log.write_bytes(stale)
    before = path.read_bytes()
    for write in (True, False):
        with pytest.raises(StorageError, match=r"news\.db-wal: is the log of the file that was there before"):
            connect(path, write=write)
    assert (path.read_bytes(), log.read_bytes()) == (before, stale)
    log.unlink()
    connect(path, write=True).close()


@pytest.mark.parametrize("name", ["a?b.db", "a#b.db", "a%20b.db", "a b.db", "новости.db", "a&mode=ro.db", "a\\b.db"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    connect(tmp_path / name, write=True).close()
    connect(tmp_path / name).close()
    assert {path.name for path in tmp_path.iterdir()} == {name}


def test_what_the_disk_did_is_told_with_what_to_do(archive: Archive) -> None:
    archive.db.execute("pragma max_page_count = 1")
    with (
        pytest.raises(StorageError, match=r"news\.db: database or disk is full; make room") as told,
        storage_errors(archive.path),
    ):
        archive.db.execute("create table more (text)")
    assert "\n" not in str(told.value)


def test_text_that_is_none_is_damage(archive: Archive) -> None:
    with pytest.raises(StorageError, match="broadsheet doctor"), storage_errors(archive.path):
        archive.db.execute("select cast(x'80' as text)").fetchone()


def test_a_file_in_which_nothing_was_made_yet_is_empty(tmp_path: Path) -> None:
    """What a run leaves that was killed, or had no room, before its tables were made."""
    path = tmp_path / "news.db"
    with closing(sqlite3.connect(path)) as base:
        base.execute("pragma journal_mode = wal")
    with pytest.raises(NotOurDatabase, match="is empty"):
        connect(path)
    connect(path, write=True).close()


def test_a_file_that_fails_while_a_run_makes_itself_ready_is_a_storage_error(archive: Archive) -> None:
    """Prints are made again there, when they were made by other rules."""
    (page,) = archive.db.execute("select rootpage from sqlite_master where name = 'fingerprints'").fetchone()
    archive.db.execute("delete from signatures")
    archive.close()
    with archive.path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    with (
        closing(Archive(archive.path)) as again,
        pytest.raises(StorageError, match="broadsheet doctor"),
        storage_errors(archive.path),
    ):
        again.upgrade()


def test_every_field_of_an_article_is_a_column_and_no_column_is_forgotten(archive: Archive) -> None:
    own = {"id", "url", "source_id", "sort_at", "content_hash", "first_seen_at", "last_fetched_at", "gone_at", "version_count", "story_id"}  # fmt: skip
    assert {row[1] for row in archive.db.execute("pragma table_info(articles)")} == own | set(COLUMNS)
