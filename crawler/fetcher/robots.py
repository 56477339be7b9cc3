"""robots.txt (RFC 9309): asked for once a day, remembered from run to run, obeyed; its Crawl-delay and its sitemaps, too."""

import asyncio
import json
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured, StopDownload
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from crawler.fetcher.address_guard import PublicAddressResolver
from crawler.fetcher.backoff import BUSY, HostRecords, NotSent, records_of
from crawler.fetcher.failures import NETWORK_ERRORS, failure_reason, ignored_reason
from crawler.fetcher.requests import Asked, PageRequest, RobotsRequest, asked_for, is_unchecked, scrapy_request
from crawler.fetcher.robots_rules import RobotsRules
from crawler.items import Host
from crawler.reservations import tdm_reservation
from crawler.urls import canonical_url, host_of, origin_of, same_site

logger = logging.getLogger(__name__)


ROBOTS_MAX_BYTES = 512 * 1024
"""Bytes of a robots.txt that are read. RFC 9309, 2.5: at least the first 500 KiB."""


ROBOTS_FRESH = timedelta(hours=24)
"""How long a cached robots.txt holds. RFC 9309, 2.4: a copy should not be believed for longer while the host can be asked."""


ROBOTS_STALE = timedelta(days=30)
"""How long its last copy holds while the host cannot be asked. RFC 9309, 2.3.1.4: "a reasonably long period", 30 days, say."""


MAX_CRAWL_DELAY_SECONDS = 60.0
"""The longest Crawl-delay that is obeyed: one of an hour is a way of saying no; robots.txt has better ones."""


NONSENSE_CRAWL_DELAY_SECONDS = 86_400.0
"""From here on a Crawl-delay is ignored: one of a day is a slip of the pen, as one below zero is."""


_USAGE = "broadsheet_content_usage"
"""The key of `Request.meta` under which a page's request has what robots.txt says of the usage of its path."""


class RobotsForbid(IgnoreRequest):
    """robots.txt disallows this address for our user agent."""


class RobotsUnreachable(IgnoreRequest):
    """robots.txt answered with a server error or not at all: RFC 9309, 2.3.1.4 reads that as "disallow everything".

    The message is the reason for `pages.reason`; that the whole host is not there is told as for a page.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status  #: of the answer; None when there was none


class RobotsMiddleware:
    """Obeys robots.txt as RFC 9309 says, as a downloader middleware. Raises RobotsForbid, RobotsUnreachable or NotSent.

    Scrapy's own middleware lets disallowed pages through when several first requests to one host are in flight
    (six of eight, measured), parses error pages as rules and ignores Crawl-delay. Here every host has one lock.

    What a host said holds for 24 hours, over runs; http and https of a host are asked once, by whichever comes first.
    """

    def __init__(self, crawler: Crawler, records: HostRecords | None) -> None:
        self._crawler = crawler
        self._records = records
        self._user_agent: str = crawler.settings["ROBOTSTXT_USER_AGENT"] or crawler.settings["USER_AGENT"]
        self._offline = bool(crawler.settings.get("OFFLINE_DIR"))
        self._ask_anyway = crawler.settings.getbool("POLL_ALL")
        self._locks: dict[str, asyncio.Lock] = {}
        # A host that only shows a bad certificate may be asked for a source that does not mind, and for no other.
        self._rules: dict[tuple[str, bool], RobotsRules | RobotsUnreachable] = {}
        self.sitemaps: dict[str, tuple[str, ...]] = {}  #: per host, as its robots.txt names them

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "RobotsMiddleware":
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        middleware = cls(crawler, records_of(crawler))
        crawler.signals.connect(middleware._stop_at_limit, signals.bytes_received)
        return middleware

    def _stop_at_limit(self, data: bytes, request: Request) -> None:
        """End the download of a robots.txt that is longer than what is read of it: some never end."""
        asked = asked_for(request)
        if isinstance(asked, RobotsRequest):
            asked.bytes_received += len(data)
            if asked.bytes_received > ROBOTS_MAX_BYTES:
                raise StopDownload(fail=False)

    async def process_request(self, request: Request) -> None:
        request.meta.pop("download_slot", None)  # of the host that redirected here: the delay is this one's
        if request.meta.get("dont_obey_robotstxt") or not request.url.startswith(("http:", "https:")):
            return
        rules = await self._rules_for(request)
        if isinstance(rules, RobotsUnreachable):
            raise rules
        if not rules.allowed(request.url):
            raise RobotsForbid("robots")
        if isinstance(asked_for(request), PageRequest):
            request.meta[_USAGE] = rules.usage_of(request.url)

    async def _rules_for(self, request: Request) -> RobotsRules | RobotsUnreachable:
        host = host_of(request.url)
        key = (host, is_unchecked(request))
        async with self._locks.setdefault(host, asyncio.Lock()):
            if key not in self._rules:
                self._rules[key] = await self._learn(host, request)
                self._slow_down(request, self._rules[key])
        return self._rules[key]

    async def _learn(self, host: str, request: Request) -> RobotsRules | RobotsUnreachable:
        """The host's rules, remembered or asked for, or why it cannot say. Raises what holds for this one request only."""
        known, now, origin = self._recall(host), datetime.now(UTC), origin_of(request.url)
        if not self._ask_anyway and is_believed(known, now, ROBOTS_FRESH):
            return self._read(origin, known.robots or "")
        try:
            response = await self._ask(origin, asked_for(request))
        except RobotsUnreachable as unreachable:
            if is_believed(known, now, ROBOTS_STALE):
                logger.info("%s/robots.txt: %s; its copy of %s holds", origin, unreachable, known.robots_fetched_at)
                return self._read(origin, known.robots or "")
            self._keep(host, robots=None, robots_status=unreachable.status, robots_fetched_at=now)
            if unreachable.status in BUSY:  # the host is left alone now: what else was to be asked is not sent
                raise
            return unreachable
        return self._note(host, origin, response, now)

    def _note(self, host: str, origin: str, response: Response, now: datetime) -> RobotsRules:
        text = rules_of(response)
        rules = self._read(origin, text)
        self._keep(
            host,
            robots=text or None,
            robots_status=response.status,
            robots_fetched_at=now,
            crawl_delay=self._delay_of(rules),
            tdm_reservation=tdm_reservation([(response.headers.get("tdm-reservation") or b"").decode("latin-1")]),
            content_usage=json.dumps(rules.usage_lines, ensure_ascii=False) if rules.usage_lines else None,
        )
        return rules

    def _read(self, origin: str, text: str) -> RobotsRules:
        rules = RobotsRules(text, self._user_agent)
        self.sitemaps[host_of(origin)] = tuple(sitemap_urls(rules.sitemaps, origin))
        return rules

    def _delay_of(self, rules: RobotsRules) -> float | None:
        """Seconds between two requests, as the host asks; None when it does not, or nonsense."""
        delay = rules.crawl_delay
        return delay if delay is not None and 0 <= delay < NONSENSE_CRAWL_DELAY_SECONDS else None

    def _recall(self, host: str) -> Host:
        return self._records.host(host) if self._records else Host(host=host)

    def _keep(self, host: str, **learnt: Any) -> None:
        if self._records:
            self._records.keep_host(replace(self._records.host(host), **learnt))

    async def _ask(self, origin: str, before: Asked | None) -> Response:
        """The answer to a request for robots.txt, below 500. Raises RobotsUnreachable or NotSent.

        Redirects without an end, or to where nobody may go, are no robots.txt: RFC 9309, 2.3.1.2 has them count as 4xx.
        """
        asked = RobotsRequest(url=f"{origin}/robots.txt", before=before)
        meta = {"dont_obey_robotstxt": True, "download_maxsize": 0}
        ask = scrapy_request(asked, NO_CALLBACK, priority=1000, meta=meta)
        assert self._crawler.engine is not None
        try:
            response = await self._crawler.engine.download_async(ask)
        except NETWORK_ERRORS as error:
            if _leads_nowhere(error, origin):
                return Response(ask.url, status=404)
            raise RobotsUnreachable(failure_reason(error, ask.url)) from None
        except NotSent:
            raise
        except IgnoreRequest as error:
            if ignored_reason(error) == "redirect_loop":
                return Response(ask.url, status=404)
            raise RobotsUnreachable(f"robots_{ignored_reason(error)}") from None
        if response.status >= 500 or response.status == 429:
            raise RobotsUnreachable(f"robots_http_{response.status}", response.status)
        return response

    def _slow_down(self, request: Request, rules: RobotsRules | RobotsUnreachable) -> None:
        """Give the host's download slot the delay that robots.txt asks for, now and whenever the slot is made anew."""
        delay = self._delay_of(rules) if isinstance(rules, RobotsRules) else None
        if delay is None or self._offline:
            return
        assert self._crawler.engine is not None
        downloader = self._crawler.engine.downloader
        host = downloader.get_slot_key(request)
        delay = max(min(delay, MAX_CRAWL_DELAY_SECONDS), self._crawler.settings.getfloat("DOWNLOAD_DELAY"))
        downloader.per_slot_settings[host] = {"delay": delay, "concurrency": 1}
        if slot := downloader.slots.get(host):
            slot.delay, slot.concurrency = delay, 1


def usage_of(request: Request | None) -> tuple[str, ...]:
    """The Content-Usage statements that robots.txt has for a page's request; () where it has none."""
    said: tuple[str, ...] = request.meta.get(_USAGE, ()) if request else ()
    return said


def rules_of(response: Response) -> str:
    """The text of a robots.txt that is read as rules: nothing when there is no robots.txt (RFC 9309, 2.3.1.3), else its
    beginning."""
    text = response.body if response.status < 400 else b""
    if len(text) >= ROBOTS_MAX_BYTES:  # half a line is another rule: `Disallow: /` of `Disallow: /x`
        text = text[: max(text.rfind(end, 0, ROBOTS_MAX_BYTES) for end in (b"\n", b"\r")) + 1]
    text = text.removeprefix(b"\xef\xbb\xbf")
    return text.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _leads_nowhere(error: BaseException, origin: str) -> bool:
    """Whether a robots.txt redirects to no address at all, or from a public host into a private network."""
    if failure_reason(error, origin) == "private_address":
        return urlsplit(origin).hostname not in PublicAddressResolver.refused
    return isinstance(error, ValueError)


def sitemap_urls(lines: Iterable[str], origin: str) -> Iterator[str]:
    """The addresses of a robots.txt's Sitemap lines: whole ones, and what can be resolved against this host; anything
    else is skipped."""
    for line in lines:
        try:
            yield canonical_url(_resolved(line.strip(" \t<>\"'"), origin))
        except ValueError:  # UnusableURL is one
            logger.info("%s/robots.txt names no sitemap by %r", origin, line)


def _resolved(line: str, origin: str) -> str:
    """A path of this host, with or without its slash, and a host of this site without a scheme, as a whole address."""
    scheme, first = urlsplit(origin).scheme, line.partition("/")[0]
    if "/" in line and first and same_site(f"{scheme}://{first}", origin):
        return f"{scheme}://{line}"
    return urljoin(f"{origin}/", line) if line.startswith("/") or _FILE.fullmatch(line) else line


_FILE = re.compile(
    r"(?:[\w-]++/)*+[\w-]++(?:\.(?!(?:xml|txt|php|aspx|gz)\b)[\w-]++)*+(?:\.(?:xml|txt|php|aspx|gz))++(?:\?\S*+)?"
)
"""A sitemap's path without the slash that should begin it; `cdn.example/sitemap.xml` is none, but a host."""


def is_believed(host: Host, now: datetime, how_long: timedelta) -> bool:
    """Whether a host gave an answer about its robots.txt, and not longer ago; one from the future is a clock's fault."""
    answered = host.robots_status is not None and host.robots_status < 500 and host.robots_status not in BUSY
    return answered and host.robots_fetched_at is not None and timedelta() <= now - host.robots_fetched_at < how_long
