"""What a terminal shows of a run: how much is done of what is due, and which host takes longest."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.archive.queries import requests_due
from pipelines.archive.store import Archive
from pipelines.database.sqlite import Database
from tests.conftest import CORPUS, broadsheet
from tests.support.loopback import Site, serving, story
from tests.support.terminal import on_a_terminal
from tests.test_database import make_older

MANNERS = '[crawl]\nuser_agent = "x (+https://x.example)"\ndelay = {delay}\nallow_private = ["127.0.0.0/8"]\n'


@pytest.fixture(scope="module")
def sites() -> Iterator[list[Site]]:
    """Two hosts: one has six articles, the other two."""
    with serving() as first, serving("127.0.0.2") as second:
        for site, articles in ((first, 6), (second, 2)):
            named = [f"{site.url}/{number}" for number in range(articles)]
            links = [site.article(f"/{url[-1]}", f"Pier {url}", story(url)) for url in named]
            site.feed("/feed", *links)
        yield [first, second]


def watch(folder: Path, sites: list[Site], delay: float) -> None:
    entries = "".join(
        f'[[source]]\nurl = "{site.url}"\nname = "{site.url}"\nfeeds = ["{site.url}/feed"]\n' for site in sites
    )
    (folder / "sources.toml").write_text(MANNERS.format(delay=delay) + entries)


def test_a_bar_knows_what_is_due_and_names_the_slowest_host(sites: list[Site], tmp_path: Path) -> None:
    watch(tmp_path, sites, 0.5)
    shown = on_a_terminal(tmp_path, "crawl", columns=100)
    counts = [(int(done), int(of)) for done, of in re.findall(r" (\d+)/(\d+) ", shown)]
    assert [pair for pair in counts if pair[0] > pair[1] or not pair[1]] == [], shown
    assert max(of for _, of in counts) == 10  # two feeds and eight articles
    left = [int(number) for number in re.findall(r"127\.0\.0\.1: (\d+) left", shown)]
    assert left
    assert left[-1] < max(left) <= 6
    assert "holds 8 articles" in shown


def test_what_earlier_runs_left_is_due_from_the_first_moment(sites: list[Site], tmp_path: Path) -> None:
    watch(tmp_path, sites, 0)
    assert broadsheet("crawl", "--limit", "1", cwd=tmp_path).returncode == 0
    db = Database(tmp_path / "news.db")
    now = datetime.now(UTC)
    assert (requests_due(db, now, 0), requests_due(db, now, 3)) == (9, 5)
    watch(tmp_path, sites, 0.5)
    shown = on_a_terminal(tmp_path, "crawl", columns=100)
    counts = re.findall(r" (\d+)/(\S+) ", shown)
    assert next(of for _, of in counts if of != "?") == "9", shown  # two feeds and seven pages
    assert requests_due(db, datetime.now(UTC), 0) == 2


def test_a_bar_of_saved_pages_counts_them_and_is_never_full(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, "import", CORPUS / "www.corvane.example", columns=100)
    counts = re.findall(r" (\d+)/(\S+) ", shown)
    assert {of for _, of in counts} == {"?"}, shown


def test_a_bar_shows_how_far_an_archive_of_an_earlier_release_is_brought_up_to_date(tmp_path: Path) -> None:
    make_older(Archive(tmp_path / "news.db"))
    shown = on_a_terminal(tmp_path, "forget", "--yes", "https://x.example/1")
    assert re.search("bringing news.db up to date .* 0/1 0:00:0", shown), shown
    assert "news.db up to date" not in shown.splitlines()[-1]


def test_elsewhere_than_on_a_terminal_there_is_no_bar(sites: list[Site], tmp_path: Path) -> None:
    watch(tmp_path, sites, 0)
    assert broadsheet("crawl", cwd=tmp_path).stderr == ""
