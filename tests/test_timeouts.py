"""How long an answer is waited for."""

import asyncio
from typing import Any, NoReturn

import pytest
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import DownloadTimeoutError
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.test import get_crawler

from crawler.fetcher.backoff import NotSent
from crawler.fetcher.requests import Asked, ListingRequest, PageRequest, scrapy_request
from crawler.fetcher.timeouts import AdaptiveTimeoutHandler, timeout_for
from crawler.items import Link, Source


@pytest.mark.parametrize(
    ("overran", "slowest", "seconds"),
    [(0, 0.0, 10.0), (0, 9.0, 10.0), (1, 0.1, 5.0), (2, 0.1, 3.0), (9, 0.1, 3.0), (1, 3.0, 9.0), (1, 4.0, 10.0)],
)  # fmt: skip
def test_a_host_that_overran_its_time_gets_less_but_three_times_what_it_needs(
    overran: int, slowest: float, seconds: float
) -> None:
    assert timeout_for(10.0, overran, slowest) == seconds


def test_a_page_that_overran_a_shorter_time_was_not_asked_and_a_listing_did_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def silence(self: Any, request: Request) -> NoReturn:
        raise DownloadTimeoutError

    monkeypatch.setattr(HTTP11DownloadHandler, "__init__", lambda self, crawler: None)  # it wants a reactor
    monkeypatch.setattr(HTTP11DownloadHandler, "download_request", silence)
    handler = AdaptiveTimeoutHandler(get_crawler())

    source = Source(url="https://x.example/", name="x.example")
    page = PageRequest(source=source, link=Link(url="https://x.example/one"), via="feed")
    feed = ListingRequest(source=source, url="https://x.example/feed", kind="feed")

    def became(asked: Asked) -> type[Exception]:
        request = scrapy_request(asked, NO_CALLBACK, meta={"download_timeout": 10.0})
        with pytest.raises((DownloadTimeoutError, NotSent)) as error:
            asyncio.run(handler.download_request(request))
        return error.type

    assert [became(page), became(page), became(feed)] == [DownloadTimeoutError, NotSent, DownloadTimeoutError]
