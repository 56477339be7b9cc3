"""The misbehaving web: whatever a site does, the good articles beside it are kept, and it is said what became of the bad part.

The quick cases in two crawls: one of the few sites that never finish an answer, whose time is short, and one of a third of all
others (of all with `-m soak`), who have more time than they need on any machine. tests/benchmarks/misbehaving.py has all cases, one by one.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest

from tests.conftest import ROOT, connect
from tests.support.misbehaving import CASES, Case, Web, misbehaving

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only there all of 127.0.0.0/8 is loopback"),
]

QUICK = [case for case in CASES if not case.heavy]
SILENT = [case for case in QUICK if case.silent]
OTHERS = [case for case in QUICK if not case.silent]
LIMITS = {"silent": (SILENT, 5), "a third of the others": (OTHERS[::3], 240), "others": (OTHERS, 240)}
"""Cases, and seconds that an answer and an extraction may take."""

TOO_MUCH = frozenset(
    (
        "refused too_large",
        "refused too_complex",
        "refused too_long",
        "failed extraction_timeout",
        "failed extraction_memory",
    )
)
"""What a bad part is called that is too large in one way or another: on a busy machine the time limit may be the first."""


@dataclass(frozen=True)
class Crawled:
    """What one crawl of several cases came to."""

    cases: list[Case]
    web: Web
    code: int
    stderr: str
    titles: list[str]  #: of the articles
    states: dict[str, str]  #: of pages, by address: `failed timeout`
    feeds: dict[str, str]  #: feeds.last_status, by address


@pytest.fixture(params=["silent", "a third of the others", pytest.param("others", marks=pytest.mark.soak)])
def crawled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Crawled]:
    folder, (cases, seconds) = tmp_path, LIMITS[request.param]
    limits = (f"DOWNLOAD_TIMEOUT={seconds}", f"EXTRACT_TIMEOUT={seconds}", "CONCURRENT_REQUESTS=48")
    with misbehaving(cases, good=1) as web:
        (folder / "sources.toml").write_text(web.sources(*cases))
        (folder / "scrapy.cfg").write_text((ROOT / "scrapy.cfg").read_text())
        proxy = f"http://127.0.0.1:{web.private_port}"
        done = subprocess.run(
            [sys.executable, "-m", "scrapy", "crawl", "news", *chain(*(("-s", limit) for limit in limits))],
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "http_proxy": proxy, "https_proxy": proxy},
            capture_output=True,
            text=True,
            check=False,
        )
        yield Crawled(cases, web, done.returncode, done.stderr, *_read(folder / "news.db"))


def _read(db: Path) -> tuple[list[str], dict[str, str], dict[str, str]]:
    base = connect(db)
    titles = [title for (title,) in base.execute("select title from articles")]
    states = {
        row["url"]: f"{row['state']} {row['reason'] or ''}".strip() for row in base.execute("select * from pages")
    }
    feeds = {row["url"]: row["last_status"] for row in base.execute("select * from feeds")}
    base.close()
    return titles, states, feeds


def test_every_good_article_is_kept_every_bad_part_called_what_it_is_and_nothing_private_asked(
    crawled: Crawled,
) -> None:
    """One test, not one for each case: tests may be dealt out to several processes, and each would crawl."""
    assert [str(case) for case in crawled.cases if not _is_kept(crawled, case)] == []
    assert [wrong for case in crawled.cases for wrong in _misnamed(crawled, case)] == []
    assert crawled.web.private_visits == []  # not even by the proxy of the environment
    assert "Traceback" not in crawled.stderr
    assert "bug" not in crawled.stderr
    assert crawled.code == 0


def _is_kept(crawled: Crawled, case: Case) -> bool:
    titles = crawled.web.sites[str(case)].titles
    return [crawled.titles.count(title) for title in titles] == [1] * len(titles)


def _misnamed(crawled: Crawled, case: Case) -> Iterator[tuple[str, str, str | None]]:
    """Case, path and what became of it, where that is none of what may become of it."""
    for became, may_become, late in (
        (crawled.states, case.pages, "failed timeout"),
        (crawled.feeds, case.feeds, "timeout"),
    ):
        for path, may in may_become.items():
            found = became.get(crawled.web.address(case, path))
            if found not in may and not (found == late and TOO_MUCH.intersection(may)):
                yield str(case), path, found


def test_there_are_as_many_misbehaviours_as_the_web_deserves() -> None:
    assert len(CASES) > 400
    assert len({str(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("group", sorted({case.group for case in CASES}))
def test_every_group_has_quick_cases(group: str) -> None:
    assert any(case.group == group for case in (*SILENT, *OTHERS[::3]))
