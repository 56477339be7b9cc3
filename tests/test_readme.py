"""README shows commands that were run, with their true output, and names every setting of our own."""

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from crawler import settings
from tests.conftest import ROOT, broadsheet

README = (ROOT / "README.md").read_text("utf-8")


def shown_after(command: str) -> list[str]:
    """The words of each line of the text block that follows a command in README."""
    _, _, rest = README.partition(command)
    block = re.search(r"```text\n(.*?)```", rest, re.DOTALL)
    assert block is not None
    return [" ".join(line.split()) for line in block[1].splitlines()]


def test_the_demo_prints_what_readme_shows(tmp_path: Path) -> None:
    printed = broadsheet("demo", "--no-serve", cwd=tmp_path).stdout
    shown = [" ".join(line.split()) for line in printed.splitlines()]
    assert shown == shown_after("broadsheet demo\n```"), f"README must show:\n{printed}"


def test_status_prints_what_readme_shows(demo: Path) -> None:
    printed = broadsheet("status", "--db", demo).stdout
    assert shorn_of_times(printed) == [
        shorn_of_times(line)[0] for line in shown_after("broadsheet status --db demo/news.db\n```")
    ], f"README must show:\n{printed}"


def shorn_of_times(text: str) -> list[str]:
    """Lines with one space between words, and every time as 0000."""
    return [re.sub(r"\d{4}-\d\d-\d\d[ T][\d:Z]+", "0000", " ".join(line.split())) for line in text.splitlines()]


@pytest.mark.parametrize("query", re.findall(r'sqlite-utils demo/news\.db (".*?") --table', README))
def test_the_queries_answer_what_readme_shows(demo: Path, query: str) -> None:
    command = [sys.executable, "-m", "sqlite_utils", str(demo), *shlex.split(query), "--table"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    shown = [" ".join(line.split()) for line in answer.splitlines()]
    assert shown == shown_after(query), f"README must show:\n{answer}"


def test_every_setting_of_our_own_is_explained() -> None:
    ours = re.search(r"# Ours:.*?\n\n", Path(settings.__file__).read_text("utf-8"), re.DOTALL)
    assert ours is not None
    names = re.findall(r"^([A-Z_]+)\b", ours[0], re.MULTILINE)
    assert len(names) > 5
    assert [name for name in names if f"`{name}`" not in README] == []


SECURITY = (ROOT / "SECURITY.md").read_text("utf-8")


@pytest.mark.parametrize(("value", "name"), re.findall(r"\| ([\d,]+) \| `([\w.]+)` \|", SECURITY))
def test_every_limit_in_security_is_the_one_in_the_code(value: str, name: str) -> None:
    module, _, constant = name.rpartition(".")
    assert getattr(importlib.import_module(module), constant) == int(value.replace(",", ""))


def test_the_tests_that_security_names_are_there() -> None:
    named = set(re.findall(r"tests/\w+\.py", SECURITY))
    assert len(named) > 8
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    assert [
        name
        for name in re.findall(r"tests\.benchmarks\.(\w+)", SECURITY)
        if not (ROOT / f"tests/benchmarks/{name}.py").exists()
    ] == []
