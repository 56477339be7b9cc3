"""Only a Broadsheet archive of this release or an older one is opened; every other file is left untouched."""

import sqlite3
from pathlib import Path

import pytest

from pipelines.database import NotOurDatabase, StorageError, connect
from pipelines.store import Archive


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


def test_a_damaged_file_is_a_storage_error(archive: Archive) -> None:
    archive.db.execute("pragma wal_checkpoint(truncate)")
    archive.close()
    data = bytearray(archive.path.read_bytes())
    data[16:4096] = b"\xff" * (4096 - 16)
    archive.path.write_bytes(data)
    with pytest.raises(StorageError):
        connect(archive.path)
