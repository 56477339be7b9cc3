"""Whatever is damaged is found, and the repair that is printed works when it is typed as it stands."""

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.database.doctor import _REFERENCES, _opened
from pipelines.database.lock import run_lock
from pipelines.database.schema import migrations
from pipelines.database.sqlite import Database
from tests.conftest import ROOT, broadsheet, connect
from tests.support.corpus import ARTICLES

needs_shell = pytest.mark.skipif(shutil.which("sqlite3") is None, reason="repairs are for SQLite's own shell")

DAMAGE = {
    "an article deleted by hand": "delete from articles where id = 42",
    "an article of a story deleted by hand": "delete from articles where id = (select min(id) from articles where story_id in (select id from stories where article_count > 1))",
    "a source deleted by hand": "delete from sources where id = 4",
    "a story deleted by hand": "delete from stories where id = 1",
    "the page of an article deleted": "delete from pages where state = 'article' and article_id = 42",
    "the page of a version deleted": "delete from pages where state = 'duplicate' and id in (select page_id from versions)",
    "the page of an article declared a copy": "update pages set state = 'duplicate', reason = 'url' where id = (select max(id) from pages where state = 'article')",
    "a page without reason": "update pages set reason = '' where state = 'refused'",
    "versions miscounted": "update articles set version_count = 9",
    "an index dropped": "drop index pages_hash",
    "two pages for one article": """drop index pages_one_article_page;
        update pages set state = 'article', reason = null where id = (select max(id) from pages where state = 'duplicate')""",
    "a trigger dropped": "drop trigger articles_fts_update",
    "a view with a comment dropped": "drop view source_health",
    "a view with a dollar dropped": "drop view run_summary",
    "all prints dropped": "drop table fingerprints",
    "the rare words dropped": "drop table story_terms",
    "the queue of stories dropped": "drop table story_changes",
    "the log of moves dropped": "drop table moved",
    "the full-text index dropped": "drop table articles_fts",
    "the full-text index behind": "drop trigger articles_fts_delete; delete from articles_fts where rowid = 1",
    "the full-text index emptied": "delete from articles_fts_data where id > 10",
    "the index of copies dropped": "drop table variants_fts",
    "the index of copies behind": "drop trigger variants_fts_delete; delete from variants_fts where rowid = (select min(id) from variants)",
    "the index of copies emptied": "delete from variants_fts_data where id > 10",
    "the versions that copies gave deleted": "delete from versions; update articles set version_count = 1",
    "an index that does not fit its table": """pragma writable_schema = on;
        update sqlite_master set sql = replace(sql, '(language,', '(section,') where name = 'articles_language'""",
    "a chain of moves": "insert into moved values ('article', 901, 902), ('article', 902, 903), ('article', 903, 1)",
    "moves in a circle": "insert into moved values ('story', 901, 902), ('story', 902, 901)",
    "a move to nowhere": "insert into moved values ('article', 901, 900)",
    "a move from an article that is there": "insert into moved values ('article', 1, 2)",
    "a story without articles": "insert into stories values (9, 'x', '', '', 2, 2)",
    "a story miscounted": "update stories set article_count = 7",
    "a takedown undone": "update pages set reason = 'forgotten', title = 'It''s back' where state = 'refused'",
}


@pytest.fixture
def db(demo: Path, tmp_path: Path) -> Path:
    path = tmp_path / "my news $HOME's.db"  # as quoting as a path can be
    connect(demo).execute("vacuum into ?", [str(path)])
    return path


def damage(db: Path, sql: str) -> None:
    base = sqlite3.connect(db)
    base.executescript(sql)
    base.close()


def examined(db: Path) -> tuple[list[str], str]:
    """The faults the doctor found, and the repairs it printed, to be typed as they stand."""
    done = broadsheet("doctor", "--db", db)
    lines = done.stdout.splitlines()
    found = [line for line in lines if line.startswith("FAULT")]
    assert (done.returncode, done.stderr) == (int(bool(found)), "")
    return found, "\n".join(line for line in lines if not line.startswith(("FAULT", "ok")))


def typed(repair: str, folder: Path, *, complains: bool = False) -> None:
    # A damaged table's rows may be none that a sound one takes: the copy goes on without them.
    stop = "" if complains else "set -e; "
    shell = f'{stop}cd {shlex.quote(str(folder))}; broadsheet() {{ {sys.executable} -m crawler "$@"; }}\n{repair}'
    done = subprocess.run(
        ["sh", "-c", shell], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )
    assert (done.returncode, complains or done.stderr) == (0, complains or "")


def test_a_sound_archive_is_sound(db: Path) -> None:
    assert examined(db) == ([], "")


@needs_shell
@pytest.mark.parametrize("sql", DAMAGE.values(), ids=DAMAGE.keys())
def test_the_printed_repair_repairs(db: Path, sql: str) -> None:
    damage(db, sql)
    found, repair = examined(db)
    assert found
    for _ in range(3):  # one repair may show what another fault hid
        typed(repair, db.parent)
        found, repair = examined(db)
        if not found:
            break
    assert (found, repair) == ([], "")


@needs_shell
@pytest.mark.parametrize("lost", ["versions", "pages", "articles_seen", "articles_fts_data"])
def test_what_can_still_be_read_of_a_damaged_file_is_copied_out(db: Path, lost: str) -> None:
    (root,) = connect(db).execute("select rootpage from sqlite_master where name = ?", [lost]).fetchone()
    data = bytearray(db.read_bytes())
    data[(root - 1) * 4096 + 8 : root * 4096] = b"\xff" * (4096 - 8)
    db.write_bytes(data)
    found, repair = examined(db)
    assert "integrity of the file: " in found[0] or "cannot be read on" in found[0]
    typed("\n".join(line for line in repair.splitlines()[:3]), db.parent, complains=True)
    rescued = db.with_name("rescued.db")
    for _ in range(3):
        typed(examined(rescued)[1], db.parent)
    assert examined(rescued) == ([], "")
    assert connect(rescued).execute("select count(*) from articles").fetchone()[0] == len(ARTICLES)


def test_a_file_that_cannot_be_opened_is_a_fault_with_its_repair(db: Path) -> None:
    db.write_bytes(db.read_bytes()[:100] + b"\xff" * 8000)
    found, repair = examined(db)
    assert found == ["FAULT  the file cannot be read on: database disk image is malformed"]
    assert ".dump" in repair


def test_an_older_schema_is_named_and_nothing_else_asked(db: Path) -> None:
    damage(db, "delete from _sqlite_migrations where id = (select max(id) from _sqlite_migrations)")
    found, repair = examined(db)
    assert (len(found), "lacks m0" in found[0], "broadsheet crawl" in repair) == (1, True, True)


def test_a_run_is_not_disturbed_and_its_unfinished_stories_are_no_fault(db: Path) -> None:
    damage(db, "update stories set article_count = 7; update runs set status = 'running'; pragma journal_mode = wal")
    writer = sqlite3.connect(db, isolation_level=None)
    writer.execute("begin immediate")
    with run_lock(db):
        done = broadsheet("doctor", "--db", db)
    assert (done.returncode, "not looked at: a run holds the archive" in done.stdout) == (0, True)


def test_what_a_killed_snapshot_left_is_found(db: Path) -> None:
    part = db.with_name("backup.db.0a1b2c3d.snapshot.part")
    part.touch()  # SQLite writes the first bytes late
    part.with_name(part.name + "-journal").write_bytes(bytes(512))
    found, repair = examined(db)
    assert found == ["FAULT  1 beginnings of snapshots and exports beside it"]
    typed(repair, db.parent)
    assert examined(db) == ([], "")
    assert list(db.parent.glob("backup*")) == []


def test_what_one_may_not_write_is_opened_and_only_what_is_another_s_changes_hands(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.chmod(0o444)
    subprocess.run(["sh", "-c", _opened([db])], check=True)
    assert db.stat().st_mode & 0o777 == 0o644
    monkeypatch.setattr(os, "geteuid", lambda: 65_534)
    named = f"{shlex.quote(str(db))}*"
    assert _opened([db]) == f"make it the crawling user's own: chown USER {named} && chmod u+w {named}"


def test_every_reference_has_a_repair() -> None:
    fresh = Database(memory=True)
    migrations.apply(fresh)
    named = {(table.name, key.other_table) for table in fresh.tables for key in table.foreign_keys}
    assert named == set(_REFERENCES)
