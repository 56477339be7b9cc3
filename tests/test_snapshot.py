"""A snapshot is consistent while somebody writes, whole as soon as it has its name, and replaces nothing."""

import fcntl
import threading
from pathlib import Path
from unittest.mock import Mock

import pytest
from click.testing import CliRunner

from crawler.cli.main import main
from crawler.items import Outcome
from pipelines.archive.store import Archive
from pipelines.database import snapshot as station
from pipelines.database.connection import connect as opened
from pipelines.database.new_file import leftovers
from pipelines.database.schema import APPLICATION_ID
from tests.conftest import broadsheet, connect
from tests.support.corpus import ARTICLES
from tests.test_cli import modes_hold
from tests.test_deduplicate import article, page, report


@pytest.fixture
def db(demo: Path, tmp_path: Path) -> Path:
    path = tmp_path / "news.db"
    connect(demo).execute("vacuum into ?", [str(path)])
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("backup"))


def test_a_snapshot_is_one_file_that_has_what_the_log_has(db: Path, tmp_path: Path) -> None:
    writer = Archive(db)  # open, so that what it writes stays in the log
    writer.db.execute("update articles set title = 'only in the log' where id = 1")
    db.chmod(0o600)
    done = broadsheet("snapshot", "backup.db", cwd=tmp_path)
    assert (done.returncode, done.stdout.partition(", ")[0]) == (0, f"backup.db: {len(ARTICLES)} articles")
    copy = connect(tmp_path / "backup.db")
    assert copy.execute("select title from articles where id = 1").fetchone()[0] == "only in the log"
    assert copy.execute("pragma application_id").fetchone()[0] == APPLICATION_ID
    assert names(tmp_path) == ["backup.db"]
    assert (tmp_path / "backup.db").stat().st_mode & 0o777 == 0o600
    assert broadsheet("doctor", "--db", tmp_path / "backup.db").returncode == 0


def test_every_snapshot_made_while_somebody_writes_is_consistent(db: Path, tmp_path: Path) -> None:
    ended = threading.Event()

    def write() -> None:
        archive = Archive(db)
        number = 0
        while not ended.is_set():
            number += 1
            archive.keep(Outcome(page=page(f"https://a.example/{number}"), article=article(report(f"{number}", 60))))
        archive.close()

    writer = threading.Thread(target=write)
    writer.start()
    copies = [tmp_path / f"backup{number}.db" for number in range(4)]
    done = [broadsheet("snapshot", copy, "--db", db) for copy in copies]
    ended.set()
    writer.join()
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 4
    assert [broadsheet("doctor", "--db", copy).returncode for copy in copies] == [0] * 4
    sizes = [connect(copy).execute("select count(*) from articles").fetchone()[0] for copy in copies]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize(
    ("out", "said"),
    [("news.db", "exists already"), ("absent/backup.db", "no such folder"), (".", "exists already")],
)
def test_no_file_is_replaced_and_no_folder_made(db: Path, tmp_path: Path, out: str, said: str) -> None:
    before = db.read_bytes()
    done = broadsheet("snapshot", out, cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (2, True)
    assert (db.read_bytes(), names(tmp_path)) == (before, [])


def test_an_archive_of_an_older_schema_can_be_copied_before_it_is_brought_up_to_date(db: Path, tmp_path: Path) -> None:
    base = connect(db)
    base.execute("delete from _sqlite_migrations where id = (select max(id) from _sqlite_migrations)")
    base.commit()
    assert broadsheet("status", cwd=tmp_path).returncode == 2
    assert broadsheet("snapshot", "backup.db", cwd=tmp_path).returncode == 0


def test_a_full_disk_is_exit_74_and_leaves_nothing(db: Path, tmp_path: Path) -> None:
    done = broadsheet("snapshot", "backup.db", cwd=tmp_path, file_size=200_000)
    assert (done.returncode, "backup.db: " in done.stderr, "Traceback" in done.stderr) == (74, True, False)
    assert names(tmp_path) == []


def test_of_an_archive_that_nobody_may_write_a_copy_is_made_that_nobody_may_write(db: Path, tmp_path: Path) -> None:
    db.chmod(0o444)
    with modes_hold():
        done = CliRunner().invoke(main, ["snapshot", f"{tmp_path}/backup.db", "--db", str(db)])
    assert (done.exit_code, names(tmp_path)) == (0, ["backup.db"]), done.stderr
    assert (tmp_path / "backup.db").stat().st_mode & 0o777 == 0o444


def test_a_file_that_somebody_calls_a_part_stays_theirs(db: Path, tmp_path: Path) -> None:
    (tmp_path / "backup.db.part").write_bytes(db.read_bytes()[:50_000])
    assert list(leftovers(tmp_path)) == []
    assert broadsheet("snapshot", "backup.db", cwd=tmp_path).returncode == 0
    assert (tmp_path / "backup.db.part").read_bytes() == db.read_bytes()[:50_000]
    assert names(tmp_path) == ["backup.db", "backup.db.part"]


def test_what_a_killed_snapshot_left_is_known_from_one_that_is_being_written(db: Path, tmp_path: Path) -> None:
    (tmp_path / "other.db.12345678.snapshot.part").write_bytes(db.read_bytes()[:50_000])
    with (tmp_path / "backup.db.12345678.snapshot.part").open("wb") as part:
        part.write(b"SQLite format 3\0 half a copy")
        part.flush()
        fcntl.flock(part, fcntl.LOCK_EX)
        assert list(leftovers(tmp_path)) == [tmp_path / "other.db.12345678.snapshot.part"]


@pytest.mark.parametrize("links", [True, False])
def test_of_two_snapshots_to_one_name_the_first_stays(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    monkeypatch.setattr(station, "STEPS", 100)
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", Mock(side_effect=PermissionError))

    def be_first(done: int, size: int) -> None:
        (tmp_path / "backup.db").write_text("first")

    with pytest.raises(FileExistsError, match="no file is replaced"):
        station.snapshot(opened(db), db, tmp_path / "backup.db", be_first)
    assert (names(tmp_path), (tmp_path / "backup.db").read_text()) == (["backup.db"], "first")


def test_an_interrupted_snapshot_leaves_nothing(db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(station, "STEPS", 100)

    def stop(done: int, size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        station.snapshot(opened(db), db, tmp_path / "backup.db", stop)
    assert names(tmp_path) == []


def test_a_damaged_archive_makes_no_snapshot(db: Path, tmp_path: Path) -> None:
    db.write_bytes(db.read_bytes()[:200_000] + b"\xff" * 250_000)
    assert broadsheet("snapshot", "backup.db", cwd=tmp_path).returncode == 74
    assert names(tmp_path) == []


# What belongs to an archive and lies beside it

SETTINGS = b'\xef\xbb\xbf# by hand: \xc3\xa9\r\n[[source]]\r\nurl = "https://www.x.example/"\r\n'


def test_one_file_and_the_folder_of_captures_are_a_move(db: Path, tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_bytes(SETTINGS)
    (tmp_path / "warc").mkdir()
    done = broadsheet("snapshot", "backup.db", cwd=tmp_path)
    assert done.stdout.splitlines()[1:] == [
        "sources.toml is in it: `broadsheet sources export sources.toml --db backup.db` writes it again.",
        f"{tmp_path}/warc is not in it: `cp -R {tmp_path}/warc FOLDER` copies the pages as they came.",
    ]
    new = tmp_path / "new"
    new.mkdir()
    (tmp_path / "backup.db").rename(new / "news.db")
    assert broadsheet("sources", "export", "sources.toml", cwd=new).returncode == 0
    assert (new / "sources.toml").read_bytes() == SETTINGS
    assert "https://www.x.example/" in broadsheet("sources", "list", cwd=new).stdout


def test_a_copy_has_the_newest_settings_or_those_that_its_archive_came_with(db: Path, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("first = 1")  # what nobody could crawl by is kept all the same
    assert broadsheet("snapshot", "backup1.db", "--sources", "other.toml", cwd=tmp_path).returncode == 0
    (tmp_path / "other.toml").write_text("second = 2")
    options = ("--db", "backup1.db", "--sources", "other.toml")
    assert broadsheet("snapshot", "backup2.db", *options, cwd=tmp_path).returncode == 0
    without = broadsheet("snapshot", "backup3.db", "--db", "backup1.db", cwd=tmp_path)
    assert "There is no sources.toml here" in without.stdout
    texts = [
        connect(tmp_path / f"backup{number}.db").execute("select text from sources_toml").fetchall()
        for number in (1, 2, 3)
    ]
    assert [[row["text"] for row in rows] for rows in texts] == [["first = 1"], ["second = 2"], ["first = 1"]]


def test_the_settings_go_with_an_archive_of_an_older_schema_too(db: Path, tmp_path: Path) -> None:
    base = connect(db)
    base.execute("drop table sources_toml")
    base.execute("delete from _sqlite_migrations where name = 'm025_sources_toml'")
    base.commit()
    (tmp_path / "sources.toml").write_bytes(SETTINGS)
    assert broadsheet("snapshot", "backup.db", cwd=tmp_path).returncode == 0
    opened(tmp_path / "backup.db", write=True).close()
    assert connect(tmp_path / "backup.db").execute("select count(*) from sources_toml").fetchone()[0] == 1


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("snapshot backup.db --sources absent.toml", "absent.toml: No such file"),
        ("snapshot backup.db --sources .", ".: Is a directory"),
        ("snapshot backup.db --sources latin.toml", "not UTF-8 (byte 2)"),
        ("sources export sources.toml", "news.db: holds no sources.toml"),
        ("sources export sources.toml --db absent.db", "absent.db: no such database"),
        ("sources export latin.toml --db moved.db", "latin.toml: exists already; no sources.toml is replaced"),
        ("sources export absent/sources.toml --db moved.db", "absent/sources.toml: no such folder"),
        ("sources export sources.ini --db moved.db", "expected one of .opml, .xml, .csv, .txt, .toml"),
    ],
)
def test_settings_that_cannot_be_kept_or_written_are_named(db: Path, tmp_path: Path, command: str, said: str) -> None:
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    base = connect(db)
    base.execute("vacuum into ?", [str(tmp_path / "moved.db")])
    with connect(tmp_path / "moved.db") as moved:
        moved.execute("insert into sources_toml values ('moved')")
    done = broadsheet(*command.split(), cwd=tmp_path)
    assert (done.returncode, said in done.stderr, names(tmp_path)) == (2, True, []), done.stderr
