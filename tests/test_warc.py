"""Originals are kept: each answer as its server sent it in WARC files beside the database, found from its page's row."""

from pathlib import Path
from typing import Any

from warcio.checker import Checker

from crawler.parsers.warc import read_record
from tests.support.loopback import Site, article_html, story
from tests.support.newsroom import Newsroom


def files(newsroom: Newsroom) -> list[Path]:
    return sorted((newsroom.folder / "warc").glob("*"))


def complaints(newsroom: Newsroom) -> int:
    """What `warcio check` exits with over the files."""

    class Quiet:
        inputs = [str(file) for file in files(newsroom)]  # noqa: RUF012
        verbose = False

    checker = Checker(Quiet())
    checker.process_all()
    return int(checker.exit_value)


def captures(newsroom: Newsroom) -> list[tuple[Any, ...]]:
    sql = """select replace(url, rtrim(url, replace(url, '/', '')), '/'), status, captures.reason, revisit_of
             from captures join pages on pages.id = page_id order by captures.id"""
    return newsroom.rows(sql)


def test_a_page_is_kept_as_it_was_sent_and_read_again_from_its_row(site: Site, newsroom: Newsroom) -> None:
    page = article_html("Pier", story("pier"))
    site.add("/pier", page, packed=True)
    site.feed("/feed", f"{site.url}/pier")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    ((file, offset),) = newsroom.rows("select warc, warc_offset from pages")
    read = read_record(newsroom.folder / "warc" / file, offset)
    assert read is not None
    assert (read.url, read.via, read.hints.title, read.body.decode()) == (
        f"{site.url}/pier",
        "feed",
        f"Item {site.url}/pier",
        page,
    )
    assert captures(newsroom) == [("/pier", 200, None, None)]
    assert complaints(newsroom) == 0


def test_a_redirect_is_kept_with_the_page_that_it_leads_to(site: Site, newsroom: Newsroom) -> None:
    site.add("/old", status=301, Location="/new")
    site.article("/new", "Pier", story("pier"))
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/old"]')
    newsroom.crawl()
    assert captures(newsroom) == [("/old", 301, "redirect", None), ("/new", 200, None, None)]
    assert complaints(newsroom) == 0
