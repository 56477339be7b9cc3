"""kill -9 at random moments of a crawl, then a run to the end: nothing lost, nothing twice, whatever the feed did meanwhile."""

import random
import subprocess
import time
from collections import Counter

import pytest

from tests.conftest import broadsheet
from tests.support.loopback import Answer, Site, article_html, story
from tests.support.newsroom import Newsroom, start_crawl, wait_for

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


def kill_after(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
