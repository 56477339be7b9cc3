"""Demo: the small invented web that comes along is crawled, and then looked at again: it has a correction, a deletion, a dead site."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

LOOKS_AGAIN = 2
"""The second confirms that what was not there at the first is gone."""


def crawl_twice(corpus: Path, db: Path, crawl: Callable[[Path], int]) -> int:
    """Have `crawl` read a folder with the corpus as it was at first; then look again at the pages that first_look.toml names.
    Returns an exit status. Looking again is left to a process of its own: Twisted's reactor cannot be started twice in one."""
    before = tomllib.loads((corpus / "first_look.toml").read_text("utf-8"))
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "corpus"
        shutil.copytree(corpus, folder)
        for page in before["corrected"]:
            _replace(_file_of(folder, page["url"]), page["now"], page["was"])
        code = crawl(folder)
        for page in before["corrected"]:
            shutil.copy(_file_of(corpus, page["url"]), _file_of(folder, page["url"]))
        for page in before["deleted"]:
            _file_of(folder, page["url"]).unlink()
        with (folder / "sources.toml").open("a", encoding="utf-8") as sources:
            sources.writelines(
                f'\n[[source]]\nurl = "{one["url"]}"\nname = "{one["name"]}"\n' for one in before["added"]
            )
        urls = sorted({page["url"] for page in before["corrected"] + before["deleted"]})
        for _ in range(LOOKS_AGAIN):
            code = code or _look_again(folder, db, urls)
    return code


def _look_again(folder: Path, db: Path, urls: list[str]) -> int:
    command = [sys.executable, "-m", "crawler", "crawl", *urls, "--retry", "article", "--quiet"]
    command += ["--offline", str(folder), "--sources", str(folder / "sources.toml"), "--db", str(db)]
    return subprocess.run(command, check=False).returncode


def _file_of(folder: Path, url: str) -> Path:
    from crawler.fetcher.offline import find_copy  # loads Scrapy

    file = find_copy(folder, url)
    assert file is not None, url
    return file


def _replace(file: Path, now: str, was: str) -> None:
    text = file.read_bytes()
    assert text.count(now.encode()) == 1, now
    file.write_bytes(text.replace(now.encode(), was.encode()))
