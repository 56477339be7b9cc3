"""The command line: exit codes and messages that cron lines depend on, and bad input that loses nothing."""

import contextlib
import ctypes
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crawler.cli.main import main
from crawler.cli.sources import sources
from pipelines.archive.store import Archive
from pipelines.database.lock import run_lock
from pipelines.publish.serve import Place, datasette_arguments
from tests.conftest import CORPUS, ROOT, broadsheet, connect
from tests.support.loopback import article_html, story

SOURCES = '[[source]]\nurl = "https://a.example/"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sources.toml").write_text(SOURCES)
    (tmp_path / "misspelt.toml").write_text(f"{SOURCES}feedz = []\n")
    (tmp_path / "empty.toml").write_text("")
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk.warc").write_bytes(b"no archive")
    (tmp_path / "page.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "link.db").symlink_to("absent.db")
    Archive(tmp_path / "sound.db").close()
    (tmp_path / "notes.db").write_text("shopping list\n" * 99)
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\0" + os.urandom(8192))
    sqlite3.connect(tmp_path / "other.db").execute("create table recipes (id integer)")
    return tmp_path


@pytest.mark.parametrize("command", [("crawl",), ("sources", "list")])
def test_every_fault_of_sources_toml_has_a_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    keys = "".join(f"key{number} = 1\n" for number in range(22))
    (tmp_path / "sources.toml").write_text(f"[crawl]\ndelya = 1\n{SOURCES}{keys}")
    done = broadsheet(*command, cwd=tmp_path)
    lines = done.stderr.splitlines()
    assert (done.returncode, len(lines), lines[-1]) == (2, 21, "broadsheet: and 3 more")
    assert lines[0] == "broadsheet: sources.toml: [crawl]: unknown key 'delya'; did you mean 'delay'?"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("crawl --sources absent.toml", 2, "absent.toml: no such file"),
        ("crawl --sources misspelt.toml", 2, "did you mean 'feeds'"),
        ("crawl --sources empty.toml", 2, "no source"),
        ("crawl --sources empty", 2, "cannot be read"),
        ("crawl --offline absent", 2, "absent: no such folder"),
        ("crawl --db other.db", 2, "another program"),
        ("crawl --db notes.db", 2, "not an SQLite database"),
        ("crawl --db broken.db", 74, "broken.db: "),
        ("crawl --db empty", 2, "is a folder"),
        ("crawl --db page.pdf/news.db", 74, "page.pdf"),
        ("crawl --limit 0", 2, "--limit"),
        ("crawl --retry all", 2, "--retry"),
        ("import absent.html", 2, "absent.html: no such file"),
        ("import empty", 2, "no page in this folder"),
        ("import page.pdf", 2, "expected one of"),
        ("import /dev/null", 2, "/dev/null: is neither a file nor a folder"),
        ("import junk.warc", 2, "no page could be read"),
        ("import junk.warc --db link.db", 2, "no page could be read"),
        ("import junk.warc --db notes.db", 2, "not an SQLite database"),
        ("import junk.warc --db other.db", 2, "another program"),
        ("doctor --db sound.db", 0, ""),
        ("status --db absent.db", 2, "no such database"),
        ("status --db notes.db", 2, "not an SQLite database"),
        ("status --db broken.db", 74, "broken.db: "),
        ("doctor --db other.db", 2, "another program"),
        ("serve --db absent.db", 2, "no such database"),
        ("schedule --every 7m", 2, "expected minutes that divide an hour"),
        ("sources add ftp://a.example/", 2, "no http or https address"),
        ("sources add https://a.example/", 2, "https://a.example/ is there already, as a.example"),
        ("sources list --sources misspelt.toml", 2, "did you mean 'feeds'"),
    ],
)
def test_bad_input_gets_one_line_and_the_right_exit_code(folder: Path, arguments: str, code: int, said: str) -> None:
    before = contents(folder)
    done = broadsheet(*arguments.split(), cwd=folder)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (code, True, False), done.stderr
    assert contents(folder) == before


def contents(folder: Path) -> dict[str, bytes | None]:
    """What lies in a folder: files with their bytes, others without."""
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


@pytest.fixture
def nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder as somebody sees it who may not look into `locked`, nor at what `names` names."""
    for name, mode in (("locked", 0), ("names", 0o444)):
        (folder / name).mkdir()
        (folder / name / "page.html").write_text("<p>Text.")
        (folder / name).chmod(mode)
    monkeypatch.chdir(folder)
    with modes_hold():
        yield folder
    (folder / "locked").chmod(0o755)
    (folder / "names").chmod(0o755)


@contextlib.contextmanager
def modes_hold() -> Iterator[None]:
    """Files' modes hold for root, too, as long as this lasts: capabilities 1 and 2 (CAP_DAC_…) are put aside."""
    if os.geteuid():
        yield
        return
    if sys.platform != "linux":
        pytest.skip("only Linux lets root be refused")
    libc, version = ctypes.CDLL(None), (ctypes.c_uint32 * 2)(0x20080522, 0)
    was, now = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    libc.capget(version, was)
    now[:] = [was[0] & ~0b110, *was[1:]]
    libc.capset(version, now)
    try:
        yield
    finally:
        libc.capset(version, was)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("status --db locked/news.db", 74),
        ("doctor --db locked/news.db", 74),
        ("serve --db locked/news.db", 74),
        ("snapshot copy.db --db locked/news.db", 74),
        ("forget https://a.example/ --db locked/news.db", 74),
        ("sources check --db locked/news.db", 74),
        ("sources export list.opml --db locked/news.db", 74),
        ("sources export locked/list.opml", 74),
        ("sources list --sources locked/sources.toml", 2),
        ("sources add https://b.example/ --no-look --sources locked/sources.toml", 2),
        ("crawl --sources locked/sources.toml", 2),
        ("crawl --offline locked/saved", 2),
        ("import locked/page.html", 2),
        ("import locked", 2),
        ("import names", 2),
    ],
)
def test_what_may_not_be_looked_at_is_one_line_and_no_traceback(nobody: Path, arguments: str, code: int) -> None:
    done = CliRunner().invoke(main, arguments.split())
    assert (done.exit_code, type(done.exception)) == (code, SystemExit), done.output
    assert re.search("(locked|names).*: .*", done.stderr.splitlines()[-1]), done.stderr


@pytest.fixture
def sealed(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An archive that may be read, in a folder where nothing may be written."""
    folder = tmp_path / "sealed"
    folder.mkdir()
    shutil.copy(demo, folder / "news.db")
    (tmp_path / "sources.toml").write_text('[[source]]\nurl = "https://a.example/"\n')
    monkeypatch.chdir(tmp_path)
    (folder / "news.db").chmod(0o444)
    folder.chmod(0o555)
    with modes_hold():
        yield folder / "news.db"
    folder.chmod(0o755)


@pytest.mark.parametrize("command", ["status", "status --json", "snapshot copy.db", "sources export list.txt"])
def test_an_archive_on_a_read_only_place_is_read(sealed: Path, command: str) -> None:
    done = CliRunner().invoke(main, [*command.split(), "--db", str(sealed)])
    assert done.exit_code == 0, done.output


def test_an_archive_on_a_read_only_place_is_served_as_immutable(sealed: Path) -> None:
    assert datasette_arguments(sealed, Place())[1:3] == ["--immutable", str(sealed)]


def test_where_an_archive_on_a_read_only_place_is_being_written_a_snapshot_is_named(sealed: Path) -> None:
    sealed.parent.chmod(0o755)
    sealed.with_name("news.db-wal").write_bytes(b"x" * 40)
    sealed.parent.chmod(0o555)
    done = CliRunner().invoke(main, ["status", "--db", str(sealed)])
    assert (done.exit_code, "`broadsheet snapshot`" in done.stderr) == (74, True), done.output


PRINTING = ("status", "status --json", "status --check", "sources list", "sources check", "doctor", "crawl --offline web --now", "import page.html", "--help", "schedule", "sources export list.opml", "snapshot copy.db", "forget --yes https://www.вестник.example/none", "status --db нет.db")  # fmt: skip


@pytest.mark.parametrize(("encoding", "commands"), [("ascii", PRINTING), ("latin-1", PRINTING[::3])])
def test_what_the_output_cannot_be_written_in_ends_no_command(
    encoding: str, commands: tuple[str, ...], tmp_path: Path
) -> None:
    """click takes what is said to be ASCII for UTF-8 that is not set up, for what it prints itself."""
    name = "Вестник “Ünïted” 東京 😀"
    (tmp_path / "sources.toml").write_text(
        f'[[source]]\nurl = "https://www.вестник.example/"\nname = "{name}"\npages = ["https://www.вестник.example/loom"]\n'
    )
    saved = tmp_path / "web" / "www.вестник.example"
    saved.mkdir(parents=True)
    for file in (saved / "loom", tmp_path / "page.html"):
        file.write_text(article_html(name, story(file.name)))
    assert broadsheet("crawl", "--offline", "web", cwd=tmp_path).returncode == 0
    for command in commands:
        told = {"PYTHONIOENCODING": encoding}
        done = broadsheet(*command.split(), cwd=tmp_path, env=told, encoding=encoding.replace("ascii", "utf-8"))
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == (2 if "нет" in command else 0), (command, done.stderr)
        if "--json" in command:
            assert name in str(json.loads(done.stdout))


def test_a_crash_in_a_pipeline_is_exit_1_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(article_html("Pier", story("pier")))
    done = broadsheet(
        "import", "page.html", cwd=tmp_path, patch="import pipelines.archive.articles as it; it.article_row = None"
    )
    assert (done.returncode, "a bug in Broadsheet: TypeError" in done.stderr) == (1, True)
    assert [
        tuple(row) for row in connect(tmp_path / "news.db").execute("select status, reason like 'a bug%' from runs")
    ] == [("failed", 1)]


def test_a_crash_in_a_spider_is_exit_1_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(article_html("Pier", story("pier")))
    done = broadsheet(
        "import", "page.html", cwd=tmp_path, patch="import crawler.parsers.copies as it; it.read_file = None"
    )
    assert (done.returncode, "a bug in Broadsheet: TypeError" in done.stderr) == (1, True)


@pytest.mark.parametrize("file_size", [8192, 40_960, 300_000])
def test_a_full_disk_is_exit_74_in_one_line_and_the_next_run_completes(tmp_path: Path, file_size: int) -> None:
    for number in range(12):
        (tmp_path / f"{number}.html").write_text(article_html(f"Pier {number}", story(f"pier {number}")))
    done = broadsheet("import", ".", "--quiet", cwd=tmp_path, file_size=file_size, workers=0)
    assert (done.returncode, done.stderr.count("\n")) == (74, 1), done.stderr
    assert "news.db: disk I/O error; make room if the disk is full" in done.stderr
    assert broadsheet("import", ".", cwd=tmp_path, workers=0).returncode == 0
    base = connect(tmp_path / "news.db")
    assert base.execute("pragma integrity_check").fetchone()[0] == "ok"
    assert base.execute("select count(*), count(distinct title) from articles").fetchone()[:] == (12, 12)


def test_a_full_disk_leaves_sources_toml_as_it_was(folder: Path) -> None:
    done = broadsheet("sources", "add", "--no-look", "https://b.example/", cwd=folder, file_size=60)
    assert (done.returncode, "sources.toml" in done.stderr, done.stderr.count("\n")) == (74, True, 1)
    assert (folder / "sources.toml").read_text() == SOURCES
    assert not list(folder.glob(".sources*"))


OFFLINE = ("crawl", "--now", "--offline", CORPUS, "--sources", CORPUS / "sources.toml")


@pytest.mark.parametrize(
    ("table", "command"),
    [("pages", OFFLINE), ("articles", ("import", "page.html"))],
    ids=["by the spider's history, which only reads", "by the writer"],
)
def test_a_damaged_page_met_on_the_way_is_exit_74_in_one_line(
    demo: Path, tmp_path: Path, table: str, command: tuple[object, ...]
) -> None:
    (tmp_path / "page.html").write_text(article_html("Pier", story("pier")))
    with contextlib.closing(sqlite3.connect(demo)) as base:
        base.execute("vacuum into ?", [str(tmp_path / "news.db")])
    with contextlib.closing(sqlite3.connect(tmp_path / "news.db")) as base:
        (page,) = base.execute("select rootpage from sqlite_master where name = ?", [table]).fetchone()
    with (tmp_path / "news.db").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    done = broadsheet(*command, cwd=tmp_path, workers=0)
    assert (done.returncode, done.stderr.count("\n")) == (74, 1), done.stderr
    assert "news.db: database disk image is malformed; `broadsheet doctor --db news.db`" in done.stderr


@pytest.mark.parametrize("command", [("import", "page.html"), ("forget", "https://a.example/")])
def test_where_no_lock_can_be_made_nothing_is_written(demo: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "page.html").write_text(article_html("Pier", story("pier")))
    (tmp_path / "news.db").write_bytes(demo.read_bytes())
    (tmp_path / "news.db.lock").mkdir()
    done = broadsheet(*command, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n"), "news.db.lock: " in done.stderr) == (74, 1, True)
    assert (tmp_path / "news.db").read_bytes() == demo.read_bytes()


def test_a_link_to_an_archive_has_the_same_lock(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(demo)
    with run_lock(tmp_path / "link.db"):
        assert broadsheet("forget", "https://a.example/", "--db", demo).returncode == 75
    assert not (tmp_path / "link.db.lock").exists()


@pytest.mark.parametrize("command", [("serve",), ("demo", "--db", "new.db")])
def test_a_port_that_is_taken_is_one_line(demo: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "news.db").symlink_to(demo)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = broadsheet(*command, "--port", port, cwd=tmp_path)
    said = f"broadsheet: port {port}: Address already in use; `--port` takes another\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    assert not (tmp_path / "new.db").exists()


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "news.db")
    assert broadsheet("status", cwd=tmp_path).returncode == 2


def test_another_program_that_writes_for_too_long_is_exit_74(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(article_html("Pier", story("pier")))
    Archive(tmp_path / "news.db").close()
    with contextlib.closing(sqlite3.connect(tmp_path / "news.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        hurried = "import pipelines.database.connection as it; it.BUSY_TIMEOUT = 0.1"
        done = broadsheet("import", "page.html", cwd=tmp_path, patch=hurried)
    assert (done.returncode, done.stderr.count("\n"), "is writing to it" in done.stderr) == (74, 1, True)


def run_with(patch: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line after a patch, in a process of its own that imports everything itself, and without workers."""
    program = f"import sys; sys.argv = ['broadsheet', *{list(arguments)!r}]; import crawler.settings; crawler.settings.EXTRACT_WORKERS = 0; {patch}; from crawler.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        check=False,
    )


full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")


@full_disk
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "arguments", ["status --db {}", "status --json --db {}", "doctor --db {}", "schedule", "--help"]
)
def test_what_cannot_be_printed_is_exit_74_in_one_line(demo: Path, arguments: str, unbuffered: str) -> None:
    """A cron line whose output goes to a full disk."""
    with Path("/dev/full").open("w") as full:
        done = printing_to(full, arguments.format(demo).split(), unbuffered)
    assert (done.returncode, done.stderr) == (74, "broadsheet: standard output: No space left on device\n")


def test_a_reader_that_has_seen_enough_ends_a_command_without_a_word(demo: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = printing_to(writer, ["status", "--db", str(demo)])
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


@full_disk
def test_the_exit_status_tells_where_nothing_can_be_said() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "crawler", "status", "--db", "absent.db"], cwd=ROOT, stderr=full)
    assert done.returncode == 2


def printing_to(out: Any, arguments: list[str], unbuffered: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "crawler", *arguments]
    return subprocess.run(
        command, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True, timeout=600, env=environment
    )


def test_schedule_says_that_there_is_nothing_to_crawl_yet(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(main, ["schedule", "--sources", "absent.toml"])
    said = f"# {folder}/absent.toml is not there yet: `broadsheet sources add URL` begins it"
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, said)
    assert "not there yet" not in CliRunner().invoke(main, ["schedule"]).stdout


HELPS = [[], *([name] for name in main.commands), *(["sources", name] for name in sources.commands)]


@pytest.mark.parametrize("command", HELPS, ids=lambda command: " ".join(["broadsheet", *command]))
def test_help_is_no_wider_than_a_terminal(command: list[str]) -> None:
    lines = CliRunner().invoke(main, [*command, "--help"], terminal_width=80).stdout.splitlines()
    assert lines[0].startswith("Usage: ")
    assert [line for line in lines if len(line) > 80] == []


@pytest.mark.parametrize("group", [[], ["sources"]], ids=["broadsheet", "sources"])
def test_no_commands_summary_is_cut_in_80_columns(group: list[str]) -> None:
    lines = CliRunner().invoke(main, [*group, "--help"], terminal_width=80).stdout.split("Commands:\n")[1].splitlines()
    assert len(lines) >= 5
    assert [line for line in lines if line.endswith("...") or not line.endswith(".")] == []


def test_import_tells_what_became_of_the_pages(tmp_path: Path) -> None:
    (tmp_path / "pier.html").write_text(article_html("Pier", story("pier")))
    (tmp_path / "copy.txt").write_text(f"Pier\n\n3 November 2026\n\n{story('pier')}\n")
    done = broadsheet("import", ".", cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "source       found known new updated duplicate refused failed pending",
        "local copies     2     ·   1       ·         1       ·      ·       ·",
        "news.db holds 1 article.",
    ]


def test_sources_add_keeps_comments_and_list_shows_what_was_added(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text(f"# my papers\n{SOURCES}")
    assert broadsheet("sources", "add", "b.example", "--name", "The B", "--no-look", cwd=tmp_path).returncode == 0
    assert (tmp_path / "sources.toml").read_text().startswith("# my papers\n")
    assert [line.split()[0] for line in broadsheet("sources", "list", cwd=tmp_path).stdout.splitlines()] == [
        "name",
        "a.example",
        "The",
    ]


def test_status_check_names_only_what_is_ill(demo: Path, tmp_path: Path) -> None:
    done = broadsheet("status", "--check", "--db", demo)
    assert (done.returncode, done.stderr.partition(": https")[0]) == (1, "Dunmere Courier: broken")
    copy = tmp_path / "news.db"
    sqlite3.connect(demo).execute("vacuum into ?", [str(copy)])
    base = sqlite3.connect(copy)
    base.execute("update sources set status = 'ok'")
    base.commit()
    assert broadsheet("status", "--check", "--db", copy).returncode == 0
    base.execute("update sources set status = 'broken', reason = 'http_500' where name = 'Corvane'")
    base.commit()
    base.close()
    done = broadsheet("status", "--check", "--db", copy)
    assert (done.returncode, done.stderr) == (1, "Corvane: broken: http_500\n")


def test_an_overlapping_start_imports_nothing_heavy() -> None:
    program = "import sys; import crawler.cli.main, crawler.cli.run; print([name for name in ('scrapy', 'twisted', 'trafilatura', 'lxml', 'sqlite_utils', 'rich') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_to_read_an_archive_nothing_for_tables_of_numbers_is_loaded(demo: Path, tmp_path: Path) -> None:
    told = "import atexit; atexit.register(lambda: print(*({'numpy', 'pandas'} & set(sys.modules)), file=sys.stderr))"
    done = run_with(told, tmp_path, "status", "--db", str(demo))
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_a_run_loads_no_module_for_numbers_and_no_parser_of_pages(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(article_html("pier", story("pier")))
    told = "crawler.settings.EXTRACT_WORKERS = 1; import atexit; atexit.register(lambda: print(*({'numpy', 'pandas', 'trafilatura'} & set(sys.modules)), file=sys.stderr))"
    done = run_with(told, tmp_path, "import", "page.html", "--db", "news.db")
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_a_link_that_leads_to_itself_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "news.db").symlink_to("news.db")
    (tmp_path / "page.html").write_text("<p>Text.")
    done = broadsheet("import", "page.html", cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (74, False)
    assert "symbolic links" in done.stderr
