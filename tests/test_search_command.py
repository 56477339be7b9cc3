"""`broadsheet search`: what a person, a pipe and a program get."""

import json
import os
import pty
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, broadsheet


@pytest.fixture(scope="module")
def db(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's archive, and an article whose words a terminal must not get."""
    path = tmp_path_factory.mktemp("search") / "news.db"
    connection = sqlite3.connect(demo)
    connection.execute("vacuum into ?", [str(path)])
    connection.close()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            """insert into articles (id, url, title, text, sort_at, word_count, content_hash, extractor, first_seen_at, last_fetched_at)
               values (1001, 'https://x.example/1', '東京 \x1b[2J\tlogjam', 'Logjam \x1b]0;x\x07 in\n\nthe river.', '2026-11-21', 1, '', '', '', '')"""
        )
    connection.close()
    return path


def test_a_hit_is_one_line_in_a_pipe(db: Path) -> None:
    done = broadsheet("search", "logjam", "--db", db)
    assert done.stdout == "2026-11-21\t\t東京 [2J logjam\thttps://x.example/1\t**Logjam** ]0;x in the river.\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_json_is_what_the_reading_room_gives(db: Path) -> None:
    done = broadsheet("search", "crane OR logjam", "--limit", "2", "--json", "--db", db)
    said = json.loads(done.stdout)
    assert list(said) == ["q", "count", "passing", "within", "more", "hits"]
    assert [hit["sort_at"][:10] for hit in said["hits"]] == ["2026-11-21", "2026-11-11"]
    assert (said["count"], said["more"], said["hits"][0]["said_in"]) == (4, True, "article")


def test_filters_narrow_and_a_source_is_called_by_its_name(db: Path) -> None:
    def found(*options: str) -> list[str]:
        return [line[:10] for line in broadsheet("search", "crane", *options, "--db", db).stdout.splitlines()]

    assert found() == ["2026-11-11", "2026-11-11", "2026-11-09"]
    assert found("--source", "the compass & quill") == found("--source", "https://www.compassandquill.example/")
    assert found("--source", "the compass & quill") == ["2026-11-09"] == found("--until", "2026-11-10")
    assert found("--category", "magazine") == ["2026-11-09"] != found("--category", "blog")
    assert found("--since", "2026-11-10", "--language", "en") == ["2026-11-11", "2026-11-11"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("zyzzyva",), 0, "Nothing found."),
        (("crane", "--language", "xx"), 0, "3 articles found, and none passes the filters."),
        (("crane", "--limit", "1"), 0, "There are more: --limit shows more than 1."),
        (("--", "-crane"), 2, "there is no word in that to look for"),
        (('"',), 2, "there is no word in that to look for"),
        (("crane", "--source", "The Fenmoor Pst"), 2, "did you mean 'The Fenmoor Post'?"),
        (("crane", "--category", "magazin"), 2, "no source is in the category 'magazin'; did you mean 'magazine'?"),
        (("crane", "--since", "2026-13"), 2, "expected a year, month or day"),
        (("crane", "--since", "yesterday"), 2, "expected a year, month or day"),
        (("crane", "--limit", "0"), 2, "0 is not in the range"),
    ],
)
def test_what_is_not_found_or_not_understood_is_said(
    db: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = broadsheet("search", "--db", db, *arguments)
    assert done.returncode == code
    assert said in done.stderr


def test_an_archive_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = broadsheet("search", "crane", "--db", tmp_path / "news.db")
    assert (done.returncode, "no such database" in done.stderr, (tmp_path / "news.db").exists()) == (2, True, False)


def test_a_terminal_gets_eighty_columns_with_the_hits_in_bold(db: Path) -> None:
    control, terminal = pty.openpty()
    command = [sys.executable, "-m", "crawler", "search", "crane OR logjam", "--db", str(db)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "200"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(command, stdout=terminal, stderr=subprocess.PIPE, env=environment) as running:
        os.close(terminal)
        shown = _read_all(control)
        assert running.wait() == 0
    assert "\x1b[1mcrane\x1b[0m" in shown
    assert "\x1b[2J" not in shown
    lines = [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in shown.splitlines()]
    assert [line for line in lines if len(line) > 80 and not line.startswith(("https://", "\x1b[2m"))] == []
    assert "https://fenmoorpost.example/posts/crane-topples-calderwick-port" in lines


def _read_all(control: int) -> str:
    pieces = []
    while True:
        try:
            piece = os.read(control, 65536)
        except OSError:  # Linux says so that nobody holds the other end
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(control)
    return b"".join(pieces).decode()
