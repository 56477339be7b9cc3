"""Broadsheet as a Scrapy project: shell, fetch, parse, feed exports, and spiders of a person's own in a project of their own."""

import csv
import json
import re
import subprocess
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import scrapy
from scrapy.exceptions import DropItem
from scrapy.settings import Settings
from scrapy.utils.test import get_crawler

from crawler.cli.output import BUSY, USAGE
from crawler.commands.crawl import Command
from crawler.items import Listing, Outcome, Page, Source
from pipelines.archive.pipeline import StorePipeline
from pipelines.archive.store import Archive
from pipelines.archive.warc import Originals
from pipelines.archive.warc_files import WarcFiles
from pipelines.database.lock import run_lock
from pipelines.extract.own_pages import NotAPage, page_of
from pipelines.extract.pipeline import outcome_of
from tests.conftest import ROOT, connect, run_scrapy
from tests.support.loopback import Site, article_html, story

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)

SETTINGS = """
from crawler.settings import *

SPIDER_MODULES = ["crawler.spiders", "paper.spiders"]
ITEM_PIPELINES = ITEM_PIPELINES | {"paper.spiders.Titles": 300}
ALLOW_PRIVATE = ["127.0.0.0/8"]
DOWNLOAD_DELAY = 0.001
EXTRACT_WORKERS = 0
"""

SPIDERS = """
from datetime import UTC, datetime

import scrapy

from crawler.items import Hints, Page


class Own(scrapy.Spider):
    name = "own"

    def __init__(self, site, paths):
        super().__init__()
        self.start_urls = [site + path for path in paths.split(",")]

    def parse(self, response):
        if response.url.endswith("/page?utm_source=own"):
            yield Page(url=response.url, final_url=response.url, via="listed", fetched_at=datetime.now(UTC), body=response.body,
                       content_type="text/html", hints=Hints(authors=("Ada Quill",)))
        elif response.url.endswith("/untold"):
            yield {"html": response.text}
        else:
            yield {"url": response.url, "html": response.text}


class Titles:
    def process_item(self, item):
        print("stored", item["title"])
        return item
"""


class Project:
    """A Scrapy project of a person's own, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "paper").mkdir()
        (folder / "paper/settings.py").write_text(SETTINGS)
        (folder / "paper/spiders.py").write_text(SPIDERS)
        (folder / "scrapy.cfg").write_text("[settings]\ndefault = paper.settings\n")

    def scrapy(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = run_scrapy(*arguments, cwd=self.folder)
        assert done.returncode == code, done.stderr + done.stdout
        assert "Traceback" not in done.stderr or code
        return done

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(connect(self.folder / "news.db")) as base:
            return [tuple(row) for row in base.execute(sql)]

    def exported(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_text("utf-8").splitlines()]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


# Without an archive


def test_the_shell_needs_no_archive(site: Site, project: Project) -> None:
    url = site.article("/pier", "The pier", story("pier"))
    done = project.scrapy("shell", url, "-c", "response.css('h1::text').get()")
    assert done.stdout.strip() == "The pier"
    assert site.asked == ["/robots.txt", "/pier"]


def test_fetch_needs_no_archive(site: Site, project: Project) -> None:
    url = site.article("/pier", "The pier", story("pier"))
    assert project.scrapy("fetch", url).stdout.strip() == article_html("The pier", story("pier"))


def test_parse_needs_no_archive_and_exports_what_the_page_says(site: Site, project: Project) -> None:
    url = site.article("/pier", "The pier", story("pier"))
    about = ("-a", f"site={site.url}", "-a", "paths=/")
    done = project.scrapy("parse", url, "--spider", "own", *about, "--noitems", "-o", "parsed.jsonl")
    (article,) = project.exported("parsed.jsonl")
    assert "stored The pier" in done.stdout
    assert (article["url"], article["title"], article["text"]) == (url, "The pier", story("pier"))
    assert not (project.folder / "news.db").exists()


# Exports


def test_an_export_has_the_articles_as_the_table_has_them(site: Site, project: Project) -> None:
    site.article("/pier", "The pier", story("pier"))
    site.add("/copy", article_html("The pier", story("pier"), "2026-11-04T08:15:00Z"))
    site.add("/short", "")
    site.feed("/feed", *(site.url + path for path in ("/pier", "/copy", "/short", "/gone")))
    (project.folder / "sources.toml").write_text(
        f'[crawl]\ndelay = 0\nallow_private = ["127.0.0.0/8"]\n[[source]]\nurl = "{site.url}/"\nfeeds = ["{site.url}/feed"]'
    )
    project.scrapy("crawl", "news", "-O", "x.jsonl", "-O", "x.csv")
    with closing(connect(project.folder / "news.db")) as base:
        (row,) = [dict(row) for row in base.execute("select * from articles")]
    del row["story_id"]
    assert project.exported("x.jsonl") == [row]
    (line,) = csv.DictReader((project.folder / "x.csv").open(encoding="utf-8"))
    assert line == {name: "" if value is None else str(value) for name, value in row.items()}


def test_only_what_becomes_new_or_updated_goes_on(tmp_path: Path) -> None:
    with closing(Archive(tmp_path / "news.db")) as archive:
        pipeline = StorePipeline(archive, Originals(archive, WarcFiles(archive.path)), get_crawler())

        def titles(*outcomes: Outcome | Listing) -> Iterator[str | None]:
            for outcome in outcomes:
                try:
                    yield pipeline.process_item(outcome)["title"]
                except DropItem:
                    yield None

        new = outcome_of(page("https://a.example/pier", "The pier", story("pier")))
        known = replace(new, page=replace(new.page, fetched_at=NOON + timedelta(hours=1)))
        updated = outcome_of(page("https://a.example/pier", "The pier is mended", story("pier") + "\n\nIt was mended."))
        updated = replace(updated, page=replace(updated.page, fetched_at=NOON + timedelta(hours=2)))
        copy = outcome_of(page("https://b.example/pier", "The pier", story("pier")))
        refused = outcome_of(page("https://a.example/short", "", ""))
        listing = Listing(
            url="https://a.example/feed",
            source=Source(url="https://a.example/", name="a"),
            kind="rss",
            fetched_at=NOON,
        )
        assert [*titles(new, known, updated, copy, refused, listing)] == [
            "The pier", None, "The pier is mended", None, None, None
        ]  # fmt: skip


def page(url: str, title: str, text: str) -> Page:
    body = article_html(title, text).encode()
    return Page(url=url, final_url=url, via="listed", fetched_at=NOON, content_type="text/html", body=body)


# Spiders of one's own


def test_a_spider_of_ones_own_goes_all_the_way(site: Site, project: Project) -> None:
    site.article("/dict", "The slipway", story("slipway"))
    site.article("/page?utm_source=own", "The bell", story("bell"))
    site.add("/copy", article_html("The bell", story("bell"), "2026-11-04T08:15:00Z"))
    site.add("/gone", article_html("Not here", story("nothing")), status=404)
    paths = "/dict,/page?utm_source=own,/copy,/gone"
    done = project.scrapy("crawl", "own", "-a", f"site={site.url}", "-a", f"paths={paths}")
    assert done.stdout.splitlines()[:2] == ["stored The slipway", "stored The bell"]
    assert "news.db holds 2 articles." in done.stdout
    states = {url.removeprefix(site.url): state for url, state in project.rows("select url, state from pages")}
    assert states == {"/dict": "article", "/page": "article", "/copy": "duplicate"}
    assert project.rows("select authors from articles where title = 'The bell'") == [('["Ada Quill"]',)]
    assert project.rows("select status from runs") == [("ok",)]


def test_what_is_no_page_is_one_line_and_the_rest_is_stored(site: Site, project: Project) -> None:
    site.article("/untold", "The pier", story("pier"))
    site.article("/dict", "The slipway", story("slipway"))
    done = project.scrapy("crawl", "own", "-a", f"site={site.url}", "-a", "paths=/untold,/dict", code=1)
    assert done.stderr.splitlines() == [
        "ERROR an item is no page: it needs `url` and `html`, both of them texts, and no more; it has 'html'",
        "broadsheet: the spider `own`, or what its settings name: not all that it yields are pages; the log says which",
    ]
    assert project.rows("select title from articles") == [("The slipway",)]


def test_an_export_that_cannot_be_written_is_a_failure(site: Site, project: Project) -> None:
    site.article("/dict", "The slipway", story("slipway"))
    (project.folder / "x.jsonl").mkdir()
    done = project.scrapy("crawl", "own", "-a", f"site={site.url}", "-a", "paths=/dict", "-O", "x.jsonl", code=1)
    assert done.stderr.splitlines()[-1] == "broadsheet: an export could not be written; the log says why"


def crawl(name: str, db: Path) -> int:
    command = Command()
    command.settings = Settings()
    command.settings.setmodule("crawler.settings")
    command.settings.set("NEWS_DB", str(db))
    command.run([name], Namespace(spargs={}))
    return command.exitcode


@pytest.mark.parametrize(
    ("spider", "said"),
    [
        ("nobody", "no spider `nobody`; there are: copies, listed, news, sample"),
        ("copies", "the spider `copies` is started by `broadsheet import PATH`"),
        ("sample", "the spider `sample` is started by `broadsheet sources add URL`"),
    ],
)
def test_a_spider_that_cannot_be_started_is_told_in_a_line(
    spider: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crawl(spider, tmp_path / "news.db") == USAGE
    assert capsys.readouterr().err == f"broadsheet: {said}\n"
    assert [*tmp_path.iterdir()] == []


def test_plain_scrapy_ends_where_another_run_has_the_lock(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").touch()
    with run_lock(tmp_path / "news.db"), pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert crawl("news", tmp_path / "news.db") == BUSY


class PageItem(scrapy.Item):
    url = scrapy.Field()
    html = scrapy.Field()


URL, HTML = "https://a.example/pier", "<p>naïve</p>"


@pytest.mark.parametrize(
    "item",
    [
        {"url": "https://A.example:443/pier?utm_source=x", "html": HTML},
        PageItem(url=URL, html=HTML),
    ],
    ids=["dict", "scrapy.Item"],
)
def test_url_and_html_make_a_page(item: object) -> None:
    body, kind = HTML.encode(), "text/html; charset=utf-8"
    assert page_of(item, NOON) == Page(
        url=URL, final_url=URL, via="listed", fetched_at=NOON, content_type=kind, body=body
    )


def test_bytes_say_themselves_what_they_are() -> None:
    made = page_of({"url": URL, "html": b"\xe9"}, NOON)
    assert (made.body, made.content_type) == (b"\xe9", None)


PAGE = Page(url=URL, final_url=URL, via="listed", fetched_at=NOON)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"html": HTML}, "it has 'html'"),
        ({"url": URL}, f"an item of {URL!r} is no page"),
        ({"url": URL, "html": None}, "both of them texts"),
        ({"url": URL, "html": HTML, "titel": "x"}, "'titel'"),
        ({"url": "mailto:a@a.example", "html": HTML}, "'mailto:a@a.example' is no address"),
        ({}, "it has nothing"),
        ("text", "a str is no page"),
        (replace(PAGE, final_url="/pier"), f"{URL!r} is no address of a page"),
        (replace(PAGE, fetched_at=datetime(2026, 11, 3)), "without a time zone"),
    ],
)
def test_what_is_no_page_says_why_in_one_line(item: object, said: str) -> None:
    with pytest.raises(NotAPage) as caught:
        page_of(item, NOON)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


# A download handler for one source, as docs/extend.md wires it

STAND_IN = """
from scrapy.http import HtmlResponse


class StandIn:
    @classmethod
    def from_crawler(cls, crawler):
        return cls()

    async def download_request(self, request):
        assert request.meta["playwright"]
        return HtmlResponse(request.url, body=PAGE.encode(), encoding="utf-8", request=request)

    async def close(self):
        print("the browser is closed")
"""


def test_a_browser_for_one_source_is_wired_by_settings(site: Site, project: Project) -> None:
    shown = (ROOT / "docs/extend.md").read_text("utf-8")
    handler = re.search(r"^```python\n# paper/browser.py\n(.*?)^```", shown, re.DOTALL | re.MULTILINE)
    wiring = re.search(r"^```python\n# at the end of paper/settings.py\n(.*?)^```", shown, re.DOTALL | re.MULTILINE)
    assert handler is not None
    assert wiring is not None
    here = {
        "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler": "paper.stand_in.StandIn",
        r"https://www\.example\.com/\d{4}/": f"{re.escape(site.url)}/app/",
        '"https":': '"http":',
    }
    settings = wiring[1]
    for name, instead in here.items():
        assert name in settings
        settings = settings.replace(name, instead)
    (project.folder / "paper/browser.py").write_text(handler[1])
    (project.folder / "paper/settings.py").write_text(SETTINGS + settings)
    made = article_html("Made by scripts", story("slipway"))
    (project.folder / "paper/stand_in.py").write_text(f"PAGE = {made!r}\n{STAND_IN}")
    site.add("/app/1", "<script>write()</script>")
    site.article("/dict", "The pier", story("pier"))
    done = project.scrapy("crawl", "own", "-a", f"site={site.url}", "-a", "paths=/app/1,/dict")
    assert "the browser is closed" in done.stdout
    assert site.asked == ["/robots.txt", "/dict"]
    assert project.rows("select title from articles order by id") == [("Made by scripts",), ("The pier",)]
