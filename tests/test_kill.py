"""kill -9 at random moments of a crawl, then a run to the end: nothing lost, nothing twice, whatever the feed did meanwhile."""

import asyncio
import os
import random
import select
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from crawler.workers import Limits, Workers
from tests.conftest import broadsheet
from tests.support.loopback import Answer, Site, article_html, story
from tests.support.newsroom import Newsroom, start_crawl, wait_for
from tests.support.running import Running

ENTRIES = 20
"""Of the feed; two new ones appear between two starts."""


class RollingSite:
    """A feed that keeps its newest entries, and articles that take a moment to answer."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.paths: list[str] = []

    def publish(self, number: int) -> None:
        for _ in range(number):
            path = f"/{len(self.paths)}"
            page = article_html(f"Pier {path}", story(f"pier {path}")).encode()
            self.paths.append(path)
            self.site.answers[path] = lambda page=page: self._slowly(page)  # type: ignore[misc]
        newest = reversed(self.paths[-ENTRIES:])
        self.site.feed("/feed", *(self.site.url + path for path in newest), etag=f'"{len(self.paths)}"')

    def _slowly(self, page: bytes) -> Answer:
        time.sleep(0.05)
        return Answer(page, 200, {"Content-Type": "text/html"})


@pytest.mark.parametrize("kills", [4, pytest.param(30, marks=pytest.mark.soak)])
def test_killed_at_random_moments_a_crawl_loses_nothing(site: Site, newsroom: Newsroom, kills: int) -> None:
    chance = random.Random(kills)
    rolling = RollingSite(site)
    rolling.publish(ENTRIES)
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    for _ in range(kills):
        site.asked.append("start")
        process = start_crawl(newsroom)
        if chance.random() < 0.8:  # else while it is starting
            wait_for(lambda: site.asked[-1] != "start")
        kill_after(process, chance.uniform(0, 2.5))
        if is_recorded(rolling, newsroom):  # what no run lived to write down was never found
            rolling.publish(2)
    newsroom.crawl()
    articles = newsroom.rows("select replace(url, '" + site.url + "', ''), count(*) from articles group by 1")
    assert sorted(articles) == sorted((path, 1) for path in rolling.paths)
    assert newsroom.rows("select distinct state from pages") == [("article",)]
    assert broadsheet("doctor", "--db", newsroom.db).returncode == 0
    asked = Counter(site.asked)
    # A page in flight when the run was killed is asked once more; never one whose article was stored.
    assert sum(asked[path] - 1 for path in rolling.paths) <= 16 * kills


def is_recorded(rolling: RollingSite, newsroom: Newsroom) -> bool:
    """Whether some run has committed the feed as it is now."""
    if not newsroom.db.exists() or not newsroom.rows("select name from sqlite_master where name = 'feeds'"):
        return False
    return newsroom.rows("select etag from feeds") == [(f'"{len(rolling.paths)}"',)]


def kill_after(process: Running, seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def test_a_killed_crawl_leaves_no_worker(site: Site, newsroom: Newsroom) -> None:
    """Neither one that waits for a page, nor the process that forks them."""
    released = threading.Event()
    site.answers["/never"] = lambda: Answer(b"late") if released.wait(60) else Answer(b"never")
    site.feed("/feed", site.url + "/never")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    process = start_crawl(newsroom)
    wait_for(lambda: "/never" in site.asked)
    born = descendants(process.pid)
    process.kill()
    process.wait()
    released.set()
    assert len(born) >= 2
    assert [pid for pid in born if not ends(pid)] == []


def test_a_worker_whose_crawl_was_killed_does_not_outlive_its_task() -> None:
    code = "from tests.test_kill import hang; hang()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as crawl:
        assert crawl.stdout is not None
        crawl.stdout.readline()
        born = descendants(crawl.pid)
        crawl.kill()
    assert len(born) == 2
    assert [pid for pid in born if not ends(pid)] == []


def hang() -> None:
    """A crawl whose worker is in a task that has no end."""

    async def work() -> None:
        pool = Workers(1, Limits(seconds=2.0, megabytes=1536))
        await pool.run(spin, 1)
        endless = asyncio.ensure_future(pool.run(spin, sys.maxsize))
        await asyncio.sleep(0)  # it is sent
        os.write(1, b"begun\n")
        await endless

    asyncio.run(work())


def spin(rounds: int) -> None:
    for _ in range(rounds):
        pass


def descendants(process: int) -> list[int]:
    """The children of a process, and theirs."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [one for child in children for one in (child, *descendants(child))]


def ends(process: int) -> bool:
    """Waits for the end of a process that is no child of this one."""
    try:
        held = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([held], [], [], 60)[0])
    finally:
        os.close(held)
