"""What the archive proposes for sources.toml: lines of the template, and where a site keeps its titles."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import html

from crawler.items import Article, Hints, Outcome, Page, Source
from crawler.sources.toml_file import parse_sources
from pipelines.archive.store import Archive
from pipelines.archive.suggest import line_xpath, suggest
from tests.conftest import broadsheet
from tests.support.loopback import story

SOURCE = Source(url="https://a.example/", name="A")
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def archive_of(folder: Path, text_of: Callable[[int], str], titles: tuple[tuple[str, str], ...] = ()) -> Archive:
    """Ten articles of one source; the feed calls each "Feed title", the archive "Stored title"."""
    archive = Archive(folder / "news.db")
    archive.sync_sources([SOURCE])
    for number in range(10):
        url = f"https://a.example/{number}"
        page = Page(
            url=url,
            final_url=url,
            via="feed",
            fetched_at=NOON,
            source=SOURCE,
            status=200,
            hints=Hints(title="Feed title"),
        )
        article = Article(title="Stored title", text=text_of(number), word_count=100, extractor="test", titles=titles)
        archive.keep(Outcome(page=page, article=article))
    return archive


def test_a_line_that_stands_in_many_articles_is_proposed_with_examples(tmp_path: Path) -> None:
    def text_of(number: int) -> str:
        return story(f"pier {number}") + ('\n\nTold on a "cold" day\'s walk.' if number < 5 else "")

    (proposal,) = suggest(archive_of(tmp_path, text_of).db, SOURCE.url)
    assert (proposal.key, proposal.value) == ("strip", line_xpath('Told on a "cold" day\'s walk.'))
    assert proposal.evidence == '“Told on a "cold" day\'s walk.” stands in 5 of 10 articles'
    assert len(proposal.examples) == 3


def test_articles_that_share_no_line_get_no_proposal(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, lambda number: story(f"pier {number}"))
    assert list(suggest(archive.db, SOURCE.url)) == []


def test_the_place_whose_title_the_feed_agrees_with_is_proposed(tmp_path: Path) -> None:
    rivals = (("headline", "Stored title"), ("og:title", "Another"), ("h1", "FEED title"))
    (proposal,) = suggest(archive_of(tmp_path, lambda number: story(f"pier {number}"), rivals).db, SOURCE.url)
    assert (proposal.key, proposal.value) == ("title", "h1")
    assert (
        proposal.evidence == "h1 is what the feed calls the article on 10 of 10 pages; the title stored now is it on 0"
    )


@pytest.mark.parametrize("line", ["Plain", "It's", 'Say "no"', """Say "it's" twice""", "Two\N{NO-BREAK SPACE}words"])
def test_a_proposed_xpath_finds_the_line_and_nothing_else(line: str) -> None:
    tree = html.fragment_fromstring("<div><p>\n </p><p>Other line</p></div>")
    tree[0].text = f"\n  {line} "
    assert tree.xpath(line_xpath(line)) == [tree[0]]


def test_sources_check_writes_what_it_proposes_and_keeps_comments(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    file.write_text('# mine\n[[source]]\nurl = "https://a.example/" # the paper\nname = "A"\nstrip = ["//aside"]\n')
    archive_of(tmp_path, lambda number: f"{story(f'pier {number}')}\n\nRead on paper.").close()
    before = file.read_text()
    assert "“Read on paper.” stands in 10 of 10 articles" in broadsheet("sources", "check", cwd=tmp_path).stdout
    assert file.read_text() == before
    done = broadsheet("sources", "check", "--write", cwd=tmp_path)
    assert (done.returncode, "`broadsheet reextract` shows what they change" in done.stdout.splitlines()[-1]) == (
        0,
        True,
    )
    assert "# mine" in file.read_text()
    assert parse_sources(file.read_text()).sources[0].strip == ("//aside", line_xpath("Read on paper."))
    assert "Nothing to propose" in broadsheet("sources", "check", cwd=tmp_path).stdout
