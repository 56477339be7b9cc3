"""What `broadsheet schedule` prints works as it stands: from the root folder, in cron's bare environment, whatever the path."""

import re
import shlex
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
    units = units_of(folder)
    for name, text in units:
        (tmp_path / name).write_text(text)
    assert sorted(name for name, _ in units) == [
        "broadsheet-check.service",
        "broadsheet-check.timer",
        "broadsheet-failed@.service",
        "broadsheet-serve.service",
        "broadsheet.service",
        "broadsheet.timer",
    ]
    paths = [str(tmp_path / name) for name, _ in units]
    done = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def units_of(folder: Path) -> list[tuple[str, str]]:
    """Name and text of each unit."""
    printed = broadsheet("schedule", "--for", "systemd", cwd=folder).stdout
    return re.findall(r"# ~/.config/systemd/user/(\S+)\n(.*?)(?=\n# )", printed, re.DOTALL)


def test_every_unit_says_what_it_is_and_mails_when_it_fails(folder: Path) -> None:
    for name, text in units_of(folder):
        assert re.search(r"^Description=Broadsheet: \w.+$", text, re.MULTILINE), name
        mails = name.endswith(".service") and "@" not in name
        assert ("OnFailure=broadsheet-failed@%n.service" in text) == mails, name


def test_the_mail_names_what_failed_and_has_its_last_words(folder: Path, tmp_path: Path) -> None:
    """The command as systemd makes it: specifiers replaced, quotes taken off, `$` left to the shell for the colon."""
    (tmp_path / "sendmail").write_text(f"#!/bin/sh\necho $@ > {tmp_path}/options\ncat > {tmp_path}/mail\n")
    (tmp_path / "systemctl").write_text('#!/bin/sh\necho "last words, asked by: $*"; exit 3\n')
    for program in ("sendmail", "systemctl"):
        (tmp_path / program).chmod(0o755)
    said = re.search(r"^ExecStart=:(.*)$", dict(units_of(folder))["broadsheet-failed@.service"], re.MULTILINE)
    assert said is not None
    line = said[1].replace("/usr/sbin/sendmail", f"{tmp_path}/sendmail")
    for specifier, value in (("%u", "anna"), ("%i", "broadsheet-check.service"), ("%H", "archive")):
        line = line.replace(specifier, value)
    subprocess.run(shlex.split(line), env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)
    assert (tmp_path / "options").read_text() == "-t\n"
    assert (tmp_path / "mail").read_text() == (
        "To: anna\nSubject: broadsheet-check.service failed on archive\n\n"
        "last words, asked by: --user status --full --lines=50 broadsheet-check.service\n"
    )


def test_each_program_gets_what_it_needs_alone(folder: Path) -> None:
    for_cron = broadsheet("schedule", "--for", "cron", cwd=folder).stdout
    for_systemd = broadsheet("schedule", "--for", "systemd", cwd=folder).stdout
    assert ("* * * *" in for_cron, "systemd" in for_cron) == (True, False)
    assert ("* * * *" in for_systemd, "enable-linger" in for_systemd) == (False, True)
    both = broadsheet("schedule", cwd=folder).stdout
    assert both.startswith("".join(for_cron.partition("\n\n")[:2])) and for_systemd in both


def test_the_crawl_sends_alerts_where_there_are_any(folder: Path) -> None:
    sources = folder / "sources.toml"
    for alert, said in (("", False), ('[[alert]]\nname = "x"\nquery = "y"\nfile = "z"\n', True)):
        sources.write_text(f'[[source]]\nurl = "https://a.example/"\n{alert}')
        lines = broadsheet("schedule", cwd=folder).stdout.splitlines()
        assert [" crawl --quiet --alert " in line for line in lines if " crawl " in line] == [said] * 2
        assert not any("--alert" in line for line in lines if " crawl " not in line)
    sources.write_text("[[alert]]")
    done = broadsheet("schedule", cwd=folder)
    assert (done.returncode, done.stdout, 'needs name = "…"' in done.stderr) == (2, "", True)


def test_systemd_reads_the_words_of_the_command_as_they_are(folder: Path) -> None:
    printed = broadsheet("schedule", cwd=folder).stdout
    line = re.search(r"^ExecStart=(.*)", printed, re.MULTILINE)
    assert line is not None
    quoted = folder.joinpath("news.db").as_posix().replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    assert line[1].startswith(":/") and line[1].endswith(f' --db "{quoted}"')


def test_a_path_that_no_crontab_can_hold_is_refused(tmp_path: Path) -> None:
    done = broadsheet("schedule", "--db", "a\nb.db", cwd=tmp_path)
    assert (done.returncode, done.stdout, "line break" in done.stderr) == (2, "", True)
