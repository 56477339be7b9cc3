"""The misbehaving web: whatever a site does, the good articles beside it are kept, and it is said what became of the bad part.

The quick cases in one crawl, with shorter limits than a real one; tests/benchmarks/misbehaving.py has all of them, one by one.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT, connect
from tests.misbehaving import CASES, Case, Web, misbehaving

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only there all of 127.0.0.0/8 is loopback"),
    pytest.mark.soak,  # three minutes beside other work; what a case may be called depends on who is first, time or size
]

QUICK = [case for case in CASES if not case.heavy]
LIMITS = ("-s", "DOWNLOAD_TIMEOUT=3", "-s", "EXTRACT_TIMEOUT=5", "-s", "CONCURRENT_REQUESTS=48")


@dataclass(frozen=True)
class Crawled:
    """What one crawl of all quick cases came to."""

    web: Web
    code: int
    stderr: str
    titles: list[str]  #: of the articles
    states: dict[str, str]  #: of pages, by address: `failed timeout`
    feeds: dict[str, str]  #: feeds.last_status, by address


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    folder = tmp_path_factory.mktemp("misbehaving")
    with misbehaving(QUICK, good=1) as web:
        (folder / "sources.toml").write_text(web.sources(*QUICK))
        (folder / "scrapy.cfg").write_text((ROOT / "scrapy.cfg").read_text())
        proxy = f"http://127.0.0.1:{web.private_port}"
        done = subprocess.run(
            [sys.executable, "-m", "scrapy", "crawl", "news", *LIMITS],
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "http_proxy": proxy, "https_proxy": proxy},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        yield Crawled(web, done.returncode, done.stderr, *_read(folder / "news.db"))


def _read(db: Path) -> tuple[list[str], dict[str, str], dict[str, str]]:
    base = connect(db)
    titles = [title for (title,) in base.execute("select title from articles")]
    states = {
        row["url"]: f"{row['state']} {row['reason'] or ''}".strip() for row in base.execute("select * from pages")
    }
    feeds = {row["url"]: row["last_status"] for row in base.execute("select * from feeds")}
    base.close()
    return titles, states, feeds


@pytest.mark.parametrize("case", QUICK, ids=str)
def test_the_good_articles_are_kept_and_the_bad_part_is_called_what_it_is(crawled: Crawled, case: Case) -> None:
    site = crawled.web.sites[str(case)]
    assert [crawled.titles.count(title) for title in site.titles] == [1] * len(site.titles)
    for path, may in case.pages.items():
        assert crawled.states[crawled.web.address(case, path)] in may
    for path, may in case.feeds.items():
        assert crawled.feeds[crawled.web.address(case, path)] in may


def test_the_crawl_as_a_whole_is_done_without_a_word_of_a_bug(crawled: Crawled) -> None:
    assert "Traceback" not in crawled.stderr
    assert "bug" not in crawled.stderr
    assert crawled.code == 0


def test_nothing_is_asked_at_an_address_that_is_not_allowed_not_even_by_a_proxy_of_the_environment(
    crawled: Crawled,
) -> None:
    assert crawled.web.private_visits == []


def test_there_are_as_many_misbehaviours_as_the_web_deserves() -> None:
    assert len(CASES) > 400
    assert len({str(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("group", sorted({case.group for case in CASES}))
def test_every_group_has_quick_cases(group: str) -> None:
    assert any(case.group == group for case in QUICK)
