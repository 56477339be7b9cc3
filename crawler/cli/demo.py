"""Demo: the small invented web that comes along is crawled, and then looked at again: it has a correction, a deletion, a dead site.

One of its papers was watched for seven weeks before that, a run a day at the time of that day, and has fallen silent.
"""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from crawler.cli.output import DONE, is_absent
from crawler.cli.run import PARTLY_DONE, Job, Verdict, run
from pipelines.archive.queries import end_of_run
from pipelines.database.connection import connect

if TYPE_CHECKING:
    from crawler.items import Link, Listing, Source
    from pipelines.archive.store import Archive


def crawl_twice(corpus: Path, db: Path, crawl: Callable[[Path], int]) -> int:
    """Have `crawl` read a folder with the corpus as it was at first; then look again at the pages that first_look.toml names.
    Returns an exit status. What was not there is looked for once more, which confirms that it is gone. Looking again is left to a process
    of its own: Twisted's reactor cannot be started twice in one."""
    before = tomllib.loads((corpus / "first_look.toml").read_text("utf-8"))
    code = _watch(corpus, db, **before["watched"], now=datetime.now(UTC)) if is_absent(db) else DONE
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "corpus"
        shutil.copytree(corpus, folder)
        for page in before["corrected"]:
            _replace(_file_of(folder, page["url"]), page["now"], page["was"])
        code = code or crawl(folder)
        if _was_stopped(db):
            return code
        for page in before["corrected"]:
            shutil.copy(_file_of(corpus, page["url"]), _file_of(folder, page["url"]))
        for page in before["deleted"]:
            _file_of(folder, page["url"]).unlink()
        with (folder / "sources.toml").open("a", encoding="utf-8") as sources:
            sources.writelines(
                f'\n[[source]]\nurl = "{one["url"]}"\nname = "{one["name"]}"\n' for one in before["added"]
            )
        deleted = [page["url"] for page in before["deleted"]]
        for urls in ([*{page["url"] for page in before["corrected"]}, *deleted], deleted):
            code = code or _look_again(folder, db, urls)
    return code


def _was_stopped(db: Path) -> bool:
    """Whether a signal ended the last run: nothing more is begun then."""
    if is_absent(db):
        return False
    with closing(connect(db)) as base:
        return end_of_run(base) == PARTLY_DONE["shutdown"]


def _look_again(folder: Path, db: Path, urls: list[str]) -> int:
    command = [sys.executable, "-m", "crawler", "crawl", *urls, "--retry", "article", "--quiet"]
    command += ["--offline", str(folder), "--sources", str(folder / "sources.toml"), "--db", str(db)]
    return subprocess.run(command, check=False).returncode


# The weeks before: what a source usually does is known after five of them


def _watch(corpus: Path, db: Path, *, name: str, days: int, now: datetime) -> int:
    """Fill a new archive with the runs of some days up to `now`, of one source: each reads what its feed had named by then, as its
    dates say, and what was new of that. Returns an exit status."""
    from crawler.sources.toml_file import read_sources
    from crawler.times import instant_of

    read = read_sources(corpus / "sources.toml")
    read = replace(read, sources=tuple(source for source in read.sources if source.name == name))
    feed = _feed_of(corpus, read.sources[0], now)
    dates = {link: instant_of(link.hints.date_published or "") or now for link in feed.links}
    known: tuple[Link, ...] = ()
    for age in map(timedelta, range(days)):
        links = tuple(link for link in feed.links if dates[link] - min(dates.values()) <= age)
        at = now - timedelta(days=days) + age
        listing = replace(feed, links=links, entries=len(links), fetched_at=at)
        load = partial(_keep, corpus, listing, [link for link in links if link not in known])
        known = links
        if code := run(Job(spider="news", db=db, settings={}, arguments={}, read=read, load=load, quiet=True, at=at)):
            return code
    return DONE


def _feed_of(corpus: Path, source: "Source", now: datetime) -> "Listing":
    from crawler.items import Listing
    from crawler.parsers.listings import read_listing

    (url,) = source.feeds
    reading = read_listing(_file_of(corpus, url).read_bytes(), url, "feed")
    return Listing(url=url, source=source, kind=reading.kind, fetched_at=now, status=200, links=reading.links)


def _keep(corpus: Path, listing: "Listing", new: Sequence["Link"], archive: "Archive") -> Verdict:
    """Store a look at a feed, and the pages that are new in it."""
    from crawler.items import Page
    from crawler.parsers.content_types import content_type_of
    from pipelines.extract.pipeline import outcome_of

    archive.keep(listing)
    for link in new:
        file = _file_of(corpus, link.url)
        asked = Page(url=link.url, final_url=link.url, via="feed", fetched_at=listing.fetched_at, source=listing.source)
        answer = replace(
            asked, status=200, content_type=content_type_of(file), body=file.read_bytes(), hints=link.hints
        )
        archive.keep(outcome_of(answer))
    return Verdict(code=DONE, status="ok", reason="a run of the demo, at a time that has passed")


# Files of the corpus


def _file_of(folder: Path, url: str) -> Path:
    from crawler.fetcher.offline import find_copy  # loads Scrapy

    file = find_copy(folder, url)
    assert file is not None, url
    return file


def _replace(file: Path, now: str, was: str) -> None:
    text = file.read_bytes()
    assert text.count(now.encode()) == 1, now
    file.write_bytes(text.replace(now.encode(), was.encode()))
