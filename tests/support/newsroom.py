"""A sources.toml, an archive, and crawls into it by the command line as cron runs it."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from tests.conftest import ROOT, broadsheet, connect, start_beside
from tests.support.running import Running


class Newsroom:
    """A sources.toml, an archive and the crawls into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.db = folder / "news.db"

    def watch(self, *sources: str, crawl: str = "delay = 0") -> None:
        tables = "\n".join(f"[[source]]\n{source}" for source in sources)
        (self.folder / "sources.toml").write_text(
            f'[crawl]\n{crawl}\nuser_agent = "test (+https://test.example)"\nallow_private = ["127.0.0.0/8", "::1/128"]\n{tables}\n'
        )

    def crawl(
        self, *options: str, code: int = 0, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = broadsheet("crawl", *options, cwd=self.folder, env=env)
        assert done.returncode == code, done.stderr + done.stdout
        return done

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        base = connect(self.db)
        try:
            return [tuple(row) for row in base.execute(sql)]
        finally:
            base.close()

    def states(self) -> dict[str, tuple[str, str | None]]:
        return {url: (state, reason) for url, state, reason in self.rows("select url, state, reason from pages")}

    def change(self, sql: str) -> None:
        """Do to the archive what time would have done."""
        base = connect(self.db)
        with base:
            base.execute(sql)
        base.close()


def start_crawl(newsroom: Newsroom, *options: str) -> Running:
    """A crawl that may be killed, with the workers that it has anywhere else."""
    return start_beside("crawl", "--quiet", *options, cwd=newsroom.folder)


def start(
    *arguments: str,
    cwd: Path,
    stdout: IO[str] | int | None = None,
    stderr: IO[str] | int | None = None,
    env: dict[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """The command line in a process of its own that imports everything itself, and may be killed."""
    known = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "crawler", *arguments]
    return subprocess.Popen(
        command, cwd=cwd, env=known | (env or {}), stdout=stdout or subprocess.DEVNULL, stderr=stderr
    )


def wait_for(condition: Callable[[], object]) -> None:
    for _ in range(6_000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("waited in vain")
