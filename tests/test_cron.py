"""What `broadsheet schedule` prints works as it stands: from the root folder, in cron's bare environment, whatever the path."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT, broadsheet
from tests.support.loopback import serving, story
from tests.support.newsroom import Newsroom

AWKWARD = """a b'c%d"e$HOME\\x;y"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / AWKWARD).mkdir()
    return tmp_path / AWKWARD


def crontab(folder: Path) -> list[tuple[str, str]]:
    """When and what: the lines of the crontab, the command as cron hands it to the shell."""
    lines = broadsheet("schedule", "--every", "2h", cwd=folder).stdout.splitlines()[1:3]
    matches = [re.fullmatch(r"((?:\S+ ){4}\S+) (.*)", line.replace("\\%", "%")) for line in lines]
    return [(match[1], match[2]) for match in matches if match]


def as_cron(command: str) -> tuple[int, str, str]:
    environment = ["env", "-i", "HOME=/nonexistent", "PATH=/usr/bin:/bin", f"PYTHONPATH={ROOT}"]
    done = subprocess.run(
        [*environment, "sh", "-c", command], cwd="/", capture_output=True, text=True, timeout=600, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_the_crontab_lines_crawl_in_silence_and_name_who_is_ill(folder: Path) -> None:
    newsroom = Newsroom(folder)
    with serving() as site:
        site.article("/pier", "The pier", story("pier"))
        newsroom.watch(
            f'url = "{site.url}/"\nfeeds = ["{site.feed("/feed", site.url + "/pier")}"]',
            f'url = "{site.url}/b"\nname = "Ёж"\nfeeds = ["{site.url}/absent"]',
        )
        (often, crawl), (daily, check) = crontab(folder)
        assert (often, daily) == ("0 */2 * * *", "0 7 * * *")
        assert as_cron(crawl) == (0, "", "")
    assert newsroom.rows("select title from articles") == [("The pier",)]
    code, printed, named = as_cron(check)
    assert (code, printed, named.startswith("Ёж: broken: ")) == (1, "", True)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd reads its own units best")
def test_systemd_finds_no_fault_in_the_units(folder: Path, tmp_path: Path) -> None:
    printed = broadsheet("schedule", cwd=folder).stdout
    units = re.findall(r"# ~/.config/systemd/user/(\S+)\n(.*?)(?=\n# )", printed, re.DOTALL)
    for name, text in units:
        (tmp_path / name).write_text(text)
    assert sorted(name for name, _ in units) == [
        "broadsheet-check.service",
        "broadsheet-check.timer",
        "broadsheet.service",
        "broadsheet.timer",
    ]
    paths = [str(tmp_path / name) for name, _ in units]
    done = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_reads_the_words_of_the_command_as_they_are(folder: Path) -> None:
    printed = broadsheet("schedule", cwd=folder).stdout
    line = re.search(r"^ExecStart=(.*)", printed, re.MULTILINE)
    assert line is not None
    quoted = folder.joinpath("news.db").as_posix().replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    assert line[1].startswith(":/") and line[1].endswith(f' --db "{quoted}"')


def test_a_path_that_no_crontab_can_hold_is_refused(tmp_path: Path) -> None:
    done = broadsheet("schedule", "--db", "a\nb.db", cwd=tmp_path)
    assert (done.returncode, done.stdout, "line break" in done.stderr) == (2, "", True)
