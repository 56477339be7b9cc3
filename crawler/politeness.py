"""What keeps a crawl welcome and out of private networks: robots.txt, Crawl-delay, the address guard."""

import asyncio
import logging
import sys
import zlib
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

import brotli  # type: ignore[import-untyped]
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotConfigured,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.resolver import CachingThreadedResolver
from scrapy.robotstxt import ProtegoRobotParser
from twisted.internet.error import DNSLookupError

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError
else:
    from backports.zstd import ZstdError

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase
    from twisted.internet.defer import Deferred

logger = logging.getLogger(__name__)

ROBOTS_MAX_BYTES = 512 * 1024
"""RFC 9309, 2.5: at least the first 500 KiB are read; the rest is not."""

LONGEST_CRAWL_DELAY = 60.0
"""Seconds. A Crawl-delay of an hour is a way of saying no; robots.txt has better ones."""


class RobotsForbid(IgnoreRequest):
    """robots.txt disallows this address for our user agent."""


class RobotsUnreachable(IgnoreRequest):
    """robots.txt answered with a server error or not at all: RFC 9309, 2.3.1.4 reads that as "disallow everything".

    The message is the reason for `pages.reason`; that the whole host is not there is told as for a page.
    """


class RobotsMiddleware:
    """Obeys robots.txt as RFC 9309 says.

    Scrapy's own middleware lets disallowed pages through when several first requests to one host are in flight
    (six of eight, measured), parses error pages as rules and ignores Crawl-delay. Here every host has one lock.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._user_agent: str = crawler.settings["ROBOTSTXT_USER_AGENT"] or crawler.settings["USER_AGENT"]
        self._offline = bool(crawler.settings.get("OFFLINE_DIR"))
        self._locks: dict[str, asyncio.Lock] = {}
        self._rules: dict[str, ProtegoRobotParser | RobotsUnreachable] = {}
        self.sitemaps: dict[str, tuple[str, ...]] = {}  #: per `scheme://host`, as robots.txt names them

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "RobotsMiddleware":
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        if request.meta.get("dont_obey_robotstxt") or not request.url.startswith(("http:", "https:")):
            return
        rules = await self._rules_for(request)
        if isinstance(rules, RobotsUnreachable):
            raise rules
        if not rules.allowed(request.url, self._user_agent):
            raise RobotsForbid("robots")

    async def _rules_for(self, request: Request) -> ProtegoRobotParser | RobotsUnreachable:
        origin = origin_of(request.url)
        async with self._locks.setdefault(origin, asyncio.Lock()):
            if origin not in self._rules:
                self._rules[origin] = await self._ask(origin)
                self._slow_down(request, self._rules[origin])
        return self._rules[origin]

    async def _ask(self, origin: str) -> ProtegoRobotParser | RobotsUnreachable:
        """The host's rules, or why it cannot say."""
        ask = Request(
            f"{origin}/robots.txt",
            callback=NO_CALLBACK,
            priority=1000,
            meta={"dont_obey_robotstxt": True},
            dont_filter=True,
        )
        assert self._crawler.engine is not None
        try:
            response = await self._crawler.engine.download_async(ask)
        except NETWORK_ERRORS as error:
            return RobotsUnreachable(failure_reason(error, ask.url))
        except IgnoreRequest:
            return RobotsUnreachable("robots_redirect_loop")
        if response.status >= 500 or response.status == 429:
            return RobotsUnreachable(f"robots_http_{response.status}")
        rules = ProtegoRobotParser(rules_of(response), self._crawler.spider)
        self.sitemaps[origin] = tuple(rules.rp.sitemaps)
        return rules

    def _slow_down(self, request: Request, rules: ProtegoRobotParser | RobotsUnreachable) -> None:
        """Give the host's download slot the delay that robots.txt asks for, now and whenever the slot is made anew."""
        delay = rules.crawl_delay(self._user_agent) if isinstance(rules, ProtegoRobotParser) else None
        if delay is None or self._offline:
            return
        assert self._crawler.engine is not None
        downloader = self._crawler.engine.downloader
        host = downloader.get_slot_key(request)
        delay = max(min(delay, LONGEST_CRAWL_DELAY), self._crawler.settings.getfloat("DOWNLOAD_DELAY"))
        downloader.per_slot_settings[host] = {"delay": delay, "concurrency": 1}
        if slot := downloader.slots.get(host):
            slot.delay, slot.concurrency = delay, 1


def origin_of(url: str) -> str:
    """`scheme://host:port` of an address: what one robots.txt speaks for."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def rules_of(response: Response) -> bytes:
    """The text to be read as rules: nothing when there is no robots.txt (RFC 9309, 2.3.1.3), else its beginning."""
    return response.body[:ROBOTS_MAX_BYTES].removeprefix(b"\xef\xbb\xbf") if response.status < 400 else b""


class PrivateAddressError(DNSLookupError):
    """The name leads into a network that is not public. Twisted drops the message on its way; `refused` keeps the name."""


class PublicAddressResolver(CachingThreadedResolver):
    """Resolves names to public addresses only.

    The reactor asks it for every host, numeric ones included, and connects to the very address it answers, so a name
    that resolves differently the second time gains nothing.
    """

    refused: ClassVar[set[str]] = set()  #: hosts that were not entered, lower case

    def __init__(self, reactor: "ReactorBase", cache_size: int, timeout: float) -> None:
        super().__init__(reactor, cache_size, timeout)
        self.allowed: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: "ReactorBase") -> "PublicAddressResolver":
        resolver = super().from_crawler(crawler, reactor)
        resolver.allowed = tuple(ip_network(network) for network in crawler.settings.getlist("ALLOW_PRIVATE"))
        return resolver

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> "Deferred[str]":  # noqa: N802
        return super().getHostByName(name, timeout).addCallback(self._check, name)

    def _check(self, address: str, name: str) -> str:
        if not may_enter(address, self.allowed):
            self.refused.add(name.lower())
            logger.warning("%s is %s, which is not public; allow_private in sources.toml can allow it", name, address)
            raise PrivateAddressError(name)
        return address


def may_enter(address: str, allowed: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether an IP address is public, or inside a network that sources.toml allows."""
    ip = ip_address(address)
    ip = (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip
    return (ip.is_global and not ip.is_multicast) or any(ip in network for network in allowed)


DAMAGED_ANSWERS = (brotli.error, zlib.error, ZstdError, ValueError)
"""What Scrapy's download chain raises for an answer that is not encoded as it says, or a redirect to no address."""

NETWORK_ERRORS = (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    *DAMAGED_ANSWERS,
    OSError,
)
"""Everything a request may end in that says something of the network or the server, not of a bug of ours."""

_REASONS: dict[type[BaseException], str] = {
    CannotResolveHostError: "host_not_found",
    DownloadCancelledError: "too_large",
    DownloadConnectionRefusedError: "connection_refused",
    DownloadTimeoutError: "timeout",
    ResponseDataLossError: "connection_lost",
    **dict.fromkeys(DAMAGED_ANSWERS, "damaged_answer"),
}


def failure_reason(error: BaseException, url: str) -> str:
    """Why asking for `url` ended in an error of NETWORK_ERRORS, as one stable word for `pages.reason`."""
    if (urlsplit(url).hostname or "") in PublicAddressResolver.refused:
        return "private_address"
    return next((reason for kind, reason in _REASONS.items() if isinstance(error, kind)), "connection_failed")
