"""kill -9 inside a record, between record and commit, and after: no page is lost, and every record can be read after the next start."""

import random
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.archive.store import Archive
from tests.conftest import run_killed
from tests.support.killed import MOMENTS
from tests.support.loopback import Site, article_html, story
from tests.support.newsroom import Newsroom
from tests.support.originals import all_records, complaints, unknown_responses

PAGES = 8
"""Of one archive; half are named by a feed, half by sources.toml, and one of each by a redirect."""


@pytest.mark.parametrize("kills", [4, pytest.param(200, marks=pytest.mark.soak)])
def test_killed_while_originals_are_kept_a_crawl_loses_nothing(site: Site, tmp_path: Path, kills: int) -> None:
    chance = random.Random(kills)
    killed = 0
    for archive in range(kills):
        newsroom = Newsroom(tmp_path / f"{archive}")
        newsroom.folder.mkdir()
        publish(site, newsroom, archive)
        for _ in range(PAGES):
            moment, share = MOMENTS[killed % len(MOMENTS)], chance.random()
            killed += is_killed(newsroom, moment, chance.randint(1, 3), share)
            mend(newsroom)
            assert (complaints(newsroom.folder), unknown_responses(newsroom)) == (0, [])
            if killed >= kills:
                break
        newsroom.crawl()
        is_complete(newsroom)
        if killed >= kills:
            break
    assert killed == kills


def publish(site: Site, newsroom: Newsroom, archive: int) -> None:
    """Other pages than those of the archive before."""
    paths = [f"/{archive}/{number}" for number in range(PAGES)]
    for path in paths:
        site.add(f"{path}/found", status=301, Location=path) if path[-1] in "07" else None
        site.add(path, article_html(f"Pier {path}", story(f"pier {path}")), packed=int(path[-1]) % 2 == 0)
    found = [f"{site.url}{path}{'/found' if path[-1] in '07' else ''}" for path in paths]
    site.feed("/feed", *found[: PAGES // 2])
    listed = ", ".join(f'"{url}"' for url in found[PAGES // 2 :])
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]\npages = [{listed}]')


def is_killed(newsroom: Newsroom, moment: str, number: int, share: float) -> bool:
    """Crawl until the moment comes for the time of this number; whether it came."""
    done = run_killed(moment, number, share, "crawl", "--now", "--quiet", cwd=newsroom.folder)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode != 0


def mend(newsroom: Newsroom) -> None:
    """What every run that writes begins with."""
    with closing(Archive(newsroom.db)) as archive:
        archive.repair_originals()


def is_complete(newsroom: Newsroom) -> None:
    """Every page is an article with its last capture, every redirect has its own, and every record is known and sound."""
    assert newsroom.rows("select state, count(*), count(warc) from pages group by 1 order by 1") == [
        ("article", PAGES, PAGES), ("duplicate", 2, 2),
    ]  # fmt: skip
    kept = newsroom.rows("select count(distinct page_id) from captures where reason is null or reason = 'redirect'")
    assert kept == [(PAGES + 2,)]
    assert (complaints(newsroom.folder), unknown_responses(newsroom)) == (0, [])
    assert all(record.kind == "warcinfo" or record.head["WARC-Record-ID"] for record in all_records(newsroom.folder))
