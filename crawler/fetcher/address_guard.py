"""The address guard against server-side request forgery (SSRF): no request reaches a private network, whatever a name
resolves to."""

import logging
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, ClassVar

from scrapy.crawler import Crawler
from scrapy.resolver import CachingThreadedResolver
from twisted.internet.error import DNSLookupError

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase
    from twisted.internet.defer import Deferred

logger = logging.getLogger(__name__)


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


EMBEDS_IPV4 = tuple(map(ip_network, ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10")))
"""IPv6 networks that carry an IPv4 address, which may be private (RFC 4291, 6052, 8215, 4380, 3056), or are a site's own
(3879)."""


def may_enter(address: str, allowed: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether an IP address is public, or inside a network that sources.toml allows."""
    ip = ip_address(address)
    ip = (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip
    public = ip.is_global and not ip.is_multicast and not any(ip in network for network in EMBEDS_IPV4)
    return public or any(ip in network for network in allowed)
