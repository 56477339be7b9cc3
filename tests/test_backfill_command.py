"""`broadsheet backfill` and the loading of what it made, as people start, kill and start them again."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.backfill.manifest import part_path
from pipelines.backfill.parts import read_part
from pipelines.backfill.summaries import read_summary, summary_path
from pipelines.database.lock import run_lock
from tests.conftest import CORPUS, ENVIRONMENT, ROOT, broadsheet, connect, run_scrapy
from tests.support.rebuilt import differences
from tests.support.warcs import article, response, write_articles, write_warc

FILES, PAGES = 4, 3


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four files of articles, some of them twice: the last has all of the first once more, later, one of them changed."""
    folder = tmp_path_factory.mktemp("archives")
    write_articles(folder, FILES, PAGES)
    again = [article(number, date="2026-11-20T00:00:00Z") for number in range(PAGES)]
    again[0]["body"] = again[0]["body"].replace(b"</p>", b" It was said again.</p>", 1)
    moved = [response(f"https://copy.example/{number}", again[number]["body"]) for number in (1, 2)]
    write_warc(folder / "9.warc.gz", [*again, *moved, response("https://news.example/", "")])
    return folder


def start(folder: Path, *arguments: object, executor: str = "local") -> subprocess.Popen[str]:
    """A backfill in a process of its own, which can be killed with all that it started."""
    command = [sys.executable, "-m", "crawler", "backfill", *map(str, arguments), "--executor", executor]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def rows(out: Path) -> list[tuple[Any, ...]]:
    """What all parts hold, as far as no clock is in it."""
    parts = sorted(out.glob("part-*.parquet"))
    return [
        (
            part.name,
            row.page.url,
            row.page.fetched_at,
            row.article and row.article.text,
            row.refusal,
            row.failure,
            row.fingerprints,
        )
        for part in parts
        for row in read_part(part, lambda found_by, url: None)
    ]


def wait_for(happened: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.02)


def below(process: int) -> set[int]:
    """Processes that it has started, and those that they have."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [process]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return {*found[1:]}


def state_of(process: int) -> str:
    """The letter that /proc/PID/stat has for it, T if it is stopped; "" when it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def is_there(process: int) -> bool:
    return state_of(process) not in ("Z", "")


@pytest.fixture(scope="module")
def direct(archives: Path) -> Path:
    """The archive that an import of the same files makes."""
    files = sorted(archives.glob("*.warc.gz"))
    assert broadsheet("import", *files, "--db", "direct.db", cwd=archives).returncode == 0
    return archives / "direct.db"


@pytest.fixture(scope="module")
def out(archives: Path) -> Path:
    """All of it, done by two starts at once, as two machines share it."""
    with (
        start(archives, "out", ".", "--part", "1/2", "--workers", 1) as one,
        start(archives, "out", ".", "--part", "2/2", "--workers", 1) as two,
    ):
        said = [process.communicate(timeout=120) for process in (one, two)]
    assert [(one.returncode, said[0][1]), (two.returncode, said[1][1])] == [(0, "")] * 2
    shown = [printed.splitlines() for printed, _ in said]
    assert [lines[-1].partition(":")[0] for lines in shown] == ["out holds 3 of 3 files", "out holds 2 of 2 files"]
    assert shown[0][0] == f"0.warc.gz: {PAGES} pages, {PAGES} articles"
    assert shown[0][2] == "9.warc.gz: 6 pages, 5 articles; 1 refused: the answer is empty"
    return archives / "out"


def some_of(out: Path, folder: Path, *numbers: int) -> Path:
    """A backfill that has come to these parts so far."""
    (folder / "tasks").mkdir(parents=True)
    for file in (
        out / "manifest.json",
        *(path(out, number) for number in numbers for path in (part_path, summary_path)),
    ):
        (folder / file.relative_to(out)).write_bytes(file.read_bytes())
    return folder


# Extracting


def test_what_machines_have_shared_is_one_backfill_and_what_is_done_is_not_done_again(
    archives: Path, out: Path
) -> None:
    written = {part: part.stat().st_mtime_ns for part in out.glob("part-*")}
    done = broadsheet("backfill", "out", ".", cwd=archives)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        "out holds 5 of 5 files: 18 pages, 17 articles. `broadsheet import out` loads them.",
    )
    assert {part: part.stat().st_mtime_ns for part in out.glob("part-*")} == written


@pytest.mark.parametrize(
    "done", [(4,), *(pytest.param(done, marks=pytest.mark.soak) for done in ((), (1,), (1, 2), (1, 2, 3)))]
)
def test_killed_in_one_process_and_with_its_parent_it_goes_on_where_it_was(
    archives: Path, out: Path, tmp_path: Path, done: tuple[int, ...]
) -> None:
    killed = some_of(out, tmp_path / "killed", *done)
    parts = {part: part.stat().st_mtime_ns for part in killed.glob("part-*.parquet")}
    process = start(archives, killed, ".", "--workers", 1)
    os.kill(held_at_work(killed, process.pid), signal.SIGKILL)
    wait_for(lambda: failure_of(killed, 0))
    assert failure_of(killed, 0) == "its process was killed; the next start does it again"

    held = held_at_work(killed, process.pid)
    started = below(process.pid)
    process.kill()
    os.kill(held, signal.SIGCONT)
    process.communicate()
    wait_for(lambda: not any(map(is_there, started)))
    assert len([*killed.glob("part-*.parquet")]) < 5

    ended = broadsheet("backfill", killed, ".", "--workers", 2, cwd=archives)
    assert (ended.returncode, rows(killed)) == (0, rows(out))
    assert {part: part.stat().st_mtime_ns for part in parts} == parts


def failure_of(out: Path, number: int) -> str | None:
    """Why nothing came of a task in the last start."""
    summary = read_summary(out, number)
    return summary.failed if summary else None


def wait_until_stopped(process: int) -> None:
    wait_for(lambda: state_of(process) in ("T", "Z", ""))


def held_at_work(out: Path, parent: int) -> int:
    """A process below this one that is at a task, and is stopped there: it was looked at once more when it was."""
    held: list[int] = []

    def hold() -> bool:
        for number in range(5):
            if victim := working(out, number, parent):
                os.kill(victim, signal.SIGSTOP)
                wait_until_stopped(victim)
                if working(out, number, parent) == victim:
                    held.append(victim)
                    break
                os.kill(victim, signal.SIGCONT)
        return bool(held)

    wait_for(hold)
    return held[0]


def working(out: Path, number: int, parent: int) -> int | None:
    """The process that is at a task now, below this one."""
    summary = read_summary(out, number)
    return summary.process if summary and not summary.over and summary.process in below(parent) else None


def test_sigterm_ends_it_with_a_word_and_nothing_stays(archives: Path) -> None:
    out = archives / "ended"
    process = start(archives, out, ".", "--workers", 1)
    os.kill(held_at_work(out, process.pid), signal.SIGCONT)
    started = below(process.pid)
    process.terminate()
    printed, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "stopped by a signal; the same line again does the rest" in printed
    wait_for(lambda: not any(map(is_there, started)))
    assert [*out.glob("*.part"), *out.rglob("*.lock")] == []
    assert len([*out.glob("part-*")]) < 5


def test_a_second_start_is_exit_75_and_another_backfill_exit_2(archives: Path, out: Path) -> None:
    with run_lock(out / "share-1-of-1"):
        busy = broadsheet("backfill", "out", ".", cwd=archives)
    assert (busy.returncode, busy.stderr) == (
        75,
        "broadsheet: out: another start is at work here; --part shares the work between machines\n",
    )
    other = broadsheet("backfill", "out", ".", "--language", "en", cwd=archives)
    assert (other.returncode, "--languages was nothing, and is en now" in other.stderr) == (2, True)


def test_inputs_may_be_added_at_the_end_and_one_that_cannot_be_read_costs_only_itself(
    archives: Path, out: Path, tmp_path: Path
) -> None:
    longer = some_of(out, archives / "longer", *range(5))
    (tmp_path / "list.txt").write_text("gone.warc.gz\n")
    done = broadsheet("backfill", "longer", ".", tmp_path / "list.txt", cwd=archives)
    assert (done.returncode, done.stderr) == (0, "")
    assert "gone.warc.gz: not done: No such file or directory" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        "longer holds 5 of 6 files: 18 pages, 17 articles (partial: 1 file could not be read, and will be tried again). "
        "`broadsheet import longer` loads them."
    )
    assert rows(longer) == rows(out)
    alone = broadsheet("backfill", "other", "list.txt", cwd=tmp_path)
    assert alone.returncode == 1
    assert f"not one file could be read, the first {tmp_path}/gone.warc.gz: No such file or directory" in alone.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--part", "9/8"], "expected a share such as 2/8"),
        (
            ["--domains", "domains.txt"],
            "domains.txt: line 2: expected a domain such as example.org, not 'https://a.example/'",
        ),
        (["--domains", "gone.txt"], "gone.txt: No such file"),
        (["--language", "English"], "expected languages such as en,de"),
        (["--since", "2026-11-03", "--until", "2026-11-02"], "--since is after --until"),
        (["--slurm", "time=1:0:0"], "--slurm is for --executor slurm"),
        (["--executor", "slurm"], "needs --slurm partition"),
        (["--executor", "slurm", "--slurm", "partition=a", "--slurm", "time=1"], "there is no sbatch here"),
        (["--executor", "slurm", "--slurm", "partition"], "expected KEY=VALUE, not 'partition'"),
        (["--executor", "ray"], "pip install 'broadsheet[ray]'"),
        (["gone.warc.gz"], "gone.warc.gz: no such file or folder"),
    ],
)
def test_what_cannot_be_meant_is_exit_2_with_a_sentence(tmp_path: Path, options: list[str], said: str) -> None:
    (tmp_path / "domains.txt").write_text("a.example\nhttps://a.example/\n")
    write_articles(tmp_path, 1, 1)
    done = broadsheet("backfill", "out", "0.warc.gz", *options, cwd=tmp_path)
    assert (done.returncode, said in done.stderr.replace("\n", " ")) == (2, True), done.stderr


def test_a_sources_toml_that_names_no_site_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text('[crawl]\nuser_agent = "Reader (+https://reader.example/)"\n')
    done = broadsheet("backfill", "out", "nothing.warc.gz", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "broadsheet: nothing.warc.gz: no such file or folder\n")


def test_a_full_disk_is_exit_74_in_one_line_and_leaves_no_part(archives: Path) -> None:
    out = archives / "full"
    done = broadsheet("backfill", out, ".", "--workers", 1, "--quiet", cwd=archives, file_size=12_000)
    assert (done.returncode, done.stderr.count("\n")) == (74, 1), done.stderr
    assert "File too large; a run must be able to write there" in done.stderr
    assert [*out.glob("part-*")] == []


def test_slurm_gets_an_array_of_jobs_of_which_each_does_one_file(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "sbatch").write_text(
        '#!/bin/sh\nfor last; do :; done\ncp "$last" "$SUBMITTED"\necho Submitted batch job 4711\n'
    )
    (tools / "srun").write_text('#!/bin/sh\nwhile [ "$1" != launch_pickled_pipeline ]; do shift; done\nexec "$@"\n')
    launch = f'#!/bin/sh\nexec {sys.executable} -m datatrove.tools.launch_pickled_pipeline "$@"\n'
    (tools / "launch_pickled_pipeline").write_text(launch)
    (tools / "scontrol").write_text("#!/bin/sh\necho node1\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    write_articles(tmp_path, 2, 1)
    told = {"PATH": f"{tools}:{os.environ['PATH']}", "SUBMITTED": str(tmp_path / "job.sh")}
    options = [word for pair in ("partition=main", "time=2:00:00", "account=press") for word in ("--slurm", pair)]
    given = ["backfill", "out", "0.warc.gz", "1.warc.gz", "--executor", "slurm", "--workers", "8", *options]
    done = broadsheet(*given, cwd=tmp_path, env=told)
    assert (done.returncode, done.stdout) == (
        0,
        "handed 2 files to Slurm as job 4711; the same line again tells what came of it\n",
    )
    script = (tmp_path / "job.sh").read_text()
    lines = [line.removeprefix("#SBATCH --") for line in script.splitlines() if line.startswith("#SBATCH")]
    assert [line for line in lines if not line.startswith(("output", "error"))] == [
        "cpus-per-task=1", "mem-per-cpu=1G", "nodes=1", "partition=main", "job-name=broadsheet", "time=2:00:00", "array=0-1%8",
        "account=press", "requeue",
    ]  # fmt: skip
    for task in ("0", "1"):
        slurm = {"SLURM_ARRAY_TASK_ID": task, "RUN_OFFSET": "0", "SLURM_NODELIST": "node1"}
        environment = ENVIRONMENT | told | slurm
        ran = subprocess.run(
            ["bash", "job.sh"], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
    done = broadsheet(*given, cwd=tmp_path, env=told)
    assert "out holds 2 of 2 files: 2 pages, 2 articles." in done.stdout


@pytest.mark.ray
def test_ray_on_one_machine_makes_the_same_rows(archives: Path, out: Path) -> None:
    with start(archives, "by-ray", ".", "--workers", 2, executor="ray") as process:
        printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    assert printed.splitlines()[-1].startswith("by-ray holds 5 of 5 files: 18 pages, 17 articles.")
    assert rows(archives / "by-ray") == rows(out)


# Loading


def test_a_loaded_backfill_is_as_an_import_of_the_same_files(archives: Path, out: Path, direct: Path) -> None:
    done = broadsheet("import", "out", "--db", "loaded.db", cwd=archives)
    assert (done.returncode, done.stderr) == (0, "")
    assert "loaded.db holds 12 articles." in done.stdout
    assert differences(direct, archives / "loaded.db") == []
    base = connect(archives / "loaded.db")
    assert [tuple(row) for row in base.execute("select input, pages from loads order by input")][-1] == (
        str(archives / "9.warc.gz"),
        6,
    )
    assert [tuple(row) for row in base.execute("select status, reason from runs")] == [("ok", None)]
    again = broadsheet("import", "out", "--db", "loaded.db", cwd=archives)
    assert (again.returncode, again.stdout) == (0, "loaded.db has all 5 files of out that are done already.\n")


def test_originals_of_our_own_are_loaded_with_their_redirects_and_hints(tmp_path: Path) -> None:
    told = {
        "SOURCES_FILE": CORPUS / "sources.toml",
        "NEWS_DB": tmp_path / "news.db",
        "OFFLINE_DIR": CORPUS,
        "WARC_OFFLINE": True,
        "WARC_MAX_BYTES": 50_000,
    }
    options = (word for key, value in told.items() for word in ("-s", f"{key}={value}"))
    assert run_scrapy("crawl", "news", *options, cwd=ROOT).returncode == 0
    (tmp_path / "sources.toml").write_bytes((CORPUS / "sources.toml").read_bytes())
    assert len([*(tmp_path / "warc").iterdir()]) > 2
    assert broadsheet("backfill", "out", "warc", "--workers", 1, cwd=tmp_path).returncode == 0
    assert broadsheet("import", "out", "--db", "loaded.db", cwd=tmp_path).returncode == 0
    assert differences(tmp_path / "news.db", tmp_path / "loaded.db") == []


def test_what_is_done_is_loaded_and_the_rest_when_it_is(archives: Path, out: Path) -> None:
    folder = some_of(out, archives / "some", 0, 2)
    part_path(folder, 1).write_bytes(b"PAR1")
    done = broadsheet("import", "some", "--db", "some.db", cwd=archives)
    assert done.returncode == 0
    assert "part-00001.parquet cannot be read: is no part of a backfill" in done.stdout
    assert "2 files of the backfill are not done yet: load again when they are" in done.stdout
    for number in (1, 3, 4):
        part_path(folder, number).write_bytes(part_path(out, number).read_bytes())
    assert broadsheet("import", "some", "--db", "some.db", cwd=archives).returncode == 0
    base = connect(archives / "some.db")
    assert [row[0] for row in base.execute("select run_id from loads order by input")] == [1, 2, 1, 2, 2]
    assert base.execute("select count(*) from articles").fetchone()[0] == 12


def test_a_load_that_is_stopped_goes_on_with_the_file_that_it_was_at(archives: Path, out: Path, direct: Path) -> None:
    db = archives / "stopped.db"
    command = [sys.executable, "-m", "crawler", "import", "out", "--db", str(db)]
    for end in (signal.SIGTERM, signal.SIGKILL):
        with subprocess.Popen(command, cwd=archives, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
            wait_for(lambda: (db.exists() and pages_of(db)) or process.poll() is not None)
            process.send_signal(end)
            process.communicate(timeout=60)
        assert end == signal.SIGKILL or process.returncode == 0
    assert broadsheet("import", "out", "--db", db, cwd=archives).returncode == 0
    assert differences(direct, db) == []


def pages_of(db: Path) -> int:
    with contextlib.closing(connect(db)) as base, contextlib.suppress(sqlite3.OperationalError):  # not made yet
        return int(base.execute("select count(*) from pages").fetchone()[0])
    return 0


def test_stories_of_too_many_articles_are_left_to_the_next_run_and_that_is_said(archives: Path, out: Path) -> None:
    told = "import pipelines.backfill.load as it; it.MOST_FOR_STORIES = 5"
    code = f"{told}\nfrom crawler.cli.main import main\nmain()"
    command = [sys.executable, "-c", code, "import", "out", "--db", "many.db"]
    done = subprocess.run(command, cwd=archives, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert "articles lie within two weeks" in done.stdout
    base = connect(archives / "many.db")
    assert base.execute("select count(*) from story_changes").fetchone()[0] > 0


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["out", "0.warc.gz"], "out: a backfill, of which all is known: it is loaded by itself, and without options"),
        (["out", "--source", "Mine"], "it is loaded by itself, and without options"),
        (["empty"], "empty: no file is done yet; `broadsheet backfill` does them"),
        (["damaged"], "damaged/manifest.json: is no manifest of a backfill"),
    ],
)
def test_what_cannot_be_loaded_is_exit_2_with_a_sentence(
    archives: Path, out: Path, paths: list[str], said: str
) -> None:
    for name, content in (("empty", (out / "manifest.json").read_text()), ("damaged", json.dumps({"format": 1}))):
        (archives / name).mkdir(exist_ok=True)
        (archives / name / "manifest.json").write_text(content)
    done = broadsheet("import", *paths, "--db", "new.db", cwd=archives)
    assert (done.returncode, said in done.stderr, (archives / "new.db").exists()) == (2, True, False), done.stderr


def test_without_the_extra_its_name_is_said_and_nothing_else_needs_it(tmp_path: Path) -> None:
    (tmp_path / "hidden.py").write_text(
        "import sys\nfor name in ('pyarrow', 'datatrove', 'duckdb', 'pandas', 'ray'):\n    sys.modules[name] = None\n"
        "import importlib.util as util\nfind = util.find_spec\n"
        "util.find_spec = lambda name, package=None: None if sys.modules.get(name, 1) is None else find(name, package)\n"
        "from crawler.cli.main import main\nmain()\n"
    )
    write_articles(tmp_path, 1, 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text("{}")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "hidden.py", *arguments],
            cwd=tmp_path,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )

    lacking = run("backfill", "out", "0.warc.gz")
    assert (lacking.returncode, lacking.stderr) == (
        2,
        "broadsheet: backfill needs more than is installed: pip install 'broadsheet[backfill]'\n",
    )
    loading = run("import", "out")
    assert (loading.returncode, "pip install 'broadsheet[parquet]'" in loading.stderr) == (2, True)
    assert run("import", "0.warc.gz").returncode == 0
