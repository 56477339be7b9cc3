"""Command groups: of a word that is no command the message names the one that was meant."""

import difflib
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from crawler.cli.output import exit_when_stdout_fails, printable

SAID_ELSEWHERE = {
    "delete": "sources remove",
    "fetch": "crawl",
    "get": "crawl",
    "help": "--help",
    "init": "sources add",
    "load": "import",
    "ls": "sources list",
    "new": "sources add",
    "open": "serve",
    "read": "serve",
    "rm": "sources remove",
    "run": "crawl",
    "start": "crawl",
    "takedown": "forget",
    "update": "crawl",
    "version": "--version",
    "watch": "sources add",
    "backup": "snapshot",
    "cron": "schedule",
    "health": "status",
    "web": "serve",
}
"""What other programs call a command, or a person would, and ours."""


MOST_WORDS = 8
"""Words of the command that is proposed; a list of a hundred addresses is not said again."""


class Commands(click.Group):
    """The commands, or those of a group. A word that is none of them is a usage error (exit status 2) with a way out."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(self._way_out(ctx, args))
        return super().resolve_command(ctx, args)

    def _way_out(self, ctx: click.Context, args: Sequence[str]) -> str:
        root = ctx.find_root()
        meant = self._meant(ctx, args[0])
        said = f"no command is called {args[0]!r}"
        if meant is None:
            return printable(f"{said}; `{ctx.command_path} --help` lists them")
        words = [*_own_words(ctx), *args[1:], meant] if meant.startswith("-") else [*meant.split(), *args[1:]]
        more = " …" if len(words) > MOST_WORDS else ""
        return printable(f"{said}; did you mean `{shlex.join([root.info_name or '', *words[:MOST_WORDS]])}{more}`?")

    def _meant(self, ctx: click.Context, word: str) -> str | None:
        """What follows `broadsheet` in the command that was meant: one of this group, else of another, else by its spelling."""
        root = ctx.find_root()
        assert isinstance(root.command, click.Group)
        everywhere = {name.rpartition(" ")[2]: name for name in _names(root.command)}
        word = word.lower()
        for name in (word, *(_nearest(word, self.commands) or _nearest(word, everywhere))):
            if name in self.commands:
                return " ".join([*_own_words(ctx), name])
            if meant := everywhere.get(name) or SAID_ELSEWHERE.get(name):
                return meant
        return None


def _nearest(word: str, names: Iterable[str]) -> list[str]:
    """The name that is spelt most like a word, where one is: a slip of the pen, no more."""
    return difflib.get_close_matches(word, list(names), n=1, cutoff=0.7)


def _own_words(ctx: click.Context) -> list[str]:
    """What stands between `broadsheet` and a command of this group."""
    return ctx.command_path.split()[1:]


class MainCommands(Commands):
    """None of the commands ends with 0 when what it printed could not be written."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        with exit_when_stdout_fails():
            return super().main(*arguments, **options)


def _names(group: click.Group, before: str = "") -> Iterator[str]:
    """Every command below a group as it is written, the plain ones last: they win where two have one word."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _names(command, f"{before}{name} ")
    yield from (f"{before}{name}" for name in group.commands)
