"""What the command line says to a word that is no command, and what makes a shell complete those that are."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from crawler.cli.groups import SAID_ELSEWHERE
from crawler.cli.main import main
from tests.conftest import ROOT, broadsheet


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("add", "broadsheet sources add"),
        ("add https://x.example/ --yes", "broadsheet sources add https://x.example/ --yes"),
        ("list", "broadsheet sources list"),
        ("remove 'The Ledger'", "broadsheet sources remove 'The Ledger'"),
        ("disable x", "broadsheet sources disable x"),
        ("help", "broadsheet --help"),
        ("help crawl", "broadsheet crawl --help"),
        ("fetch --now", "broadsheet crawl --now"),
        ("init", "broadsheet sources add"),
        ("crwal", "broadsheet crawl"),
        ("Statsu --json", "broadsheet status --json"),
        ("renmae a b", "broadsheet sources rename a b"),
        ("sources crawl", "broadsheet crawl"),
        ("sources lst", "broadsheet sources list"),
        ("sources delete x", "broadsheet sources remove x"),
        ("sources help", "broadsheet sources --help"),
        ("sources help add", "broadsheet sources add --help"),
        ("add 1 2 3 4 5 6 7 8 9", "broadsheet sources add 1 2 3 4 5 6 …"),
    ],
)
def test_a_word_that_is_no_command_points_to_the_one_that_was_meant(said: str, meant: str) -> None:
    done = CliRunner().invoke(main, shlex.split(said), prog_name="broadsheet")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].endswith(f"; did you mean `{meant}`?")


@pytest.mark.parametrize("said", ["xyzzy", "\x1b[2J\x1b", "sources xyzzy"])
def test_of_a_word_that_is_near_to_nothing_the_list_is_named(said: str) -> None:
    done = CliRunner().invoke(main, said.split(), prog_name="broadsheet")
    group = " ".join(["broadsheet", *said.split()[:-1]])
    assert (done.exit_code, done.stderr.splitlines()[-1].endswith(f"`{group} --help` lists them")) == (2, True)
    assert done.stderr.replace("\n", "").isprintable()


def test_every_word_of_other_programs_leads_to_a_command_that_is_there() -> None:
    for words in SAID_ELSEWHERE.values():
        command: click.Command = main
        for word in words.split():
            if not word.startswith("-"):
                assert isinstance(command, click.Group)
                command = command.commands[word]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str) -> None:
    done = broadsheet("completion", shell)
    assert (done.returncode, f"_BROADSHEET_COMPLETE={shell}_complete" in done.stdout) == (0, True), done.stderr


def test_bash_completes_commands_and_options_by_what_was_printed(tmp_path: Path) -> None:
    program = tmp_path / "broadsheet"
    program.write_text(f"#!{sys.executable}\nfrom crawler.cli.main import main\nmain(prog_name='broadsheet')\n")
    program.chmod(0o755)
    ask = 'COMPREPLY=(); COMP_WORDS=(broadsheet {}); COMP_CWORD={}; _broadsheet_completion broadsheet; echo "${{COMPREPLY[@]}}"'
    asked = [ask.format("sou", 1), ask.format("sources dis", 2), ask.format("crawl --off", 2)]
    command = ["bash", "-c", "\n".join([broadsheet("completion", "bash").stdout, *asked])]
    env = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    assert [line.split() for line in done.stdout.splitlines()] == [["sources"], ["disable"], ["--offline"]], done.stderr
