"""What a request asks for stays with it, whatever Scrapy makes of the request."""

import ast
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.http import Response
from scrapy.spiders import Spider
from scrapy.utils.test import get_crawler

from crawler.fetcher.requests import (
    Asked,
    FrontPageRequest,
    ListingRequest,
    PageRequest,
    RobotsRequest,
    asked_as,
    asked_for,
    attempts_of,
    listing_request,
    page_request,
    scrapy_request,
    source_of,
)
from crawler.items import Link, Source
from crawler.urls import UnusableURL
from tests.conftest import ROOT
from tests.support.syntax import modules, nodes

SOURCE = Source(url="https://x.example/", name="x.example")
PAGE = PageRequest(source=SOURCE, link=Link(url="https://x.example/one"), via="feed")
FEED = ListingRequest(source=SOURCE, url="https://x.example/feed", kind="feed", since=datetime(2026, 11, 1, tzinfo=UTC))


def ignore(*_: Any) -> None: ...


@pytest.mark.parametrize(
    "url",
    ["/sitemap.xml", "none", "", "ftp://x.example/a", "http://x.example:x/", "//[::1", "http:///x", "urn:sha256:0"],
)
def test_nothing_but_an_address_passes_the_gate(url: str) -> None:
    for asked in (RobotsRequest(url=url), replace(FEED, url=url), replace(PAGE, link=Link(url=url))):
        with pytest.raises(UnusableURL):
            scrapy_request(asked, ignore)


def test_requests_are_made_at_the_gate_alone() -> None:
    """But for `data:,`, by which saved files are read, and for what Scrapy makes of a request of ours."""
    made = [
        (name, ast.unparse(call.args[0]))
        for name in modules()
        for call in nodes(name)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("Request", "scrapy.Request") and call.args
    ]
    assert sorted(made) == [("crawler.fetcher.requests", "asked.url"), ("crawler.spiders.copies", "'data:,'")]


@pytest.mark.parametrize(
    "asked", [PAGE, FEED, FrontPageRequest(source=SOURCE), RobotsRequest(url="https://x.example/robots.txt")]
)
def test_a_retry_a_redirect_and_a_copy_ask_for_the_very_same(asked: Asked) -> None:
    request = scrapy_request(asked, ignore)
    spider = Spider(name="x")
    spider.crawler = get_crawler()
    spider.crawler.spider = spider
    moved = Response(asked.url, status=301, headers={"Location": "/elsewhere"})
    redirects = RedirectMiddleware.from_crawler(spider.crawler)
    made = [
        get_retry_request(request, spider=spider),
        redirects.process_response(request, moved),
        request.replace(priority=3),
    ]
    assert [isinstance(copy, Request) and asked_for(copy) is asked for copy in made] == [True, True, True]


def test_a_request_of_somebody_else_asks_for_nothing_known() -> None:
    request = Request("https://x.example/", cb_kwargs={"source": "theirs"}, meta={"page": 2})
    assert (asked_for(request), source_of(request), asked_for(None)) == (None, None, None)


def test_only_what_names_a_source_is_made_for_one() -> None:
    robots = RobotsRequest(url="https://x.example/robots.txt")
    assert [source_of(scrapy_request(asked, ignore)) for asked in (PAGE, FEED, robots)] == [SOURCE, SOURCE, None]


def test_a_listing_that_breaks_off_is_read_and_comes_before_pages_of_which_half_is_none() -> None:
    page, feed = page_request(PAGE, ignore, ignore), listing_request(FEED, ignore, ignore)
    assert (feed.meta["download_fail_on_dataloss"], "download_fail_on_dataloss" in page.meta) == (False, False)
    assert feed.priority > page.priority


def test_a_callback_gets_its_own_kind() -> None:
    request = page_request(PAGE, ignore, ignore)
    assert asked_as(PageRequest, request) is PAGE
    with pytest.raises(AssertionError, match="asks for no ListingRequest"):
        asked_as(ListingRequest, request)


def test_attempts_go_on_in_the_copy_that_repeats_a_request() -> None:
    request = Request("https://x.example/")
    attempts_of(request).repeated = 1
    assert attempts_of(request.replace(priority=-1)).repeated == 1


def test_loose_keys_of_meta_are_scrapy_s_own() -> None:
    key = re.compile(r"request\.meta(?:\[|\.(?:get|pop|setdefault)\()\"(\w+)\"")
    files = [file for folder in ("crawler", "pipelines") for file in (ROOT / folder).rglob("*.py")]
    found = {name for file in files for name in key.findall(file.read_text("utf-8"))}
    assert found == {
        "download_slot",
        "dont_obey_robotstxt",
        "download_timeout",
        "redirect_reasons",
        "redirect_times",
        "redirect_urls",
        "retry_times",
    }
