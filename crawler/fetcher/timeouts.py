"""Adaptive timeouts: how long an answer is waited for, less of a host that has let a request run out of time, so that ten
such addresses do not take ten times as long. A page that overran such a shorter time is not given up: it stays pending, and
the next run asks again."""

from collections import Counter
from time import monotonic

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadTimeoutError
from scrapy.http import Response

from crawler.fetcher.backoff import NotSent
from crawler.fetcher.certificates import VerifyingHandler
from crawler.fetcher.requests import PageRequest, asked_for
from crawler.urls import host_of

MIN_TIMEOUT_SECONDS = 3.0
"""The shortest timeout: with the usual ten seconds at first, six silent addresses of one host take 27 s, not 60."""


SLOWEST_FACTOR = 3
"""The timeout is at least so many times the slowest answer of the host so far: a host that is only slow keeps what it needs."""


class AdaptiveTimeoutHandler(VerifyingHandler):
    """The download handler, with half the timeout after each request to a host that overran it."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._overran: Counter[str] = Counter()
        self._slowest: dict[str, float] = {}

    async def download_request(self, request: Request) -> Response:
        host, longest, began = host_of(request.url), request.meta["download_timeout"], monotonic()
        given = timeout_for(longest, self._overran[host], self._slowest.get(host, 0.0))
        request.meta["download_timeout"] = given
        try:
            response = await super().download_request(request)
        except DownloadTimeoutError:
            self._overran[host] += 1
            if given < longest and isinstance(asked_for(request), PageRequest):
                raise NotSent(f"{host} keeps requests waiting") from None
            raise
        finally:
            request.meta["download_timeout"] = longest  # what comes of this request takes its meta along
        self._slowest[host] = max(self._slowest.get(host, 0.0), monotonic() - began)
        return response


def timeout_for(longest: float, overran: int, slowest: float) -> float:
    """The timeout of one request to a host, in seconds: `longest` halved for each that `overran` it, but three times `slowest`.

    `slowest` is the seconds of the slowest answer that came in time; 0 when there was none.
    """
    return min(longest, max(longest * 0.5**overran, SLOWEST_FACTOR * slowest, MIN_TIMEOUT_SECONDS))
