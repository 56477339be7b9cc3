"""The address guard against server-side request forgery (SSRF): no request reaches a private network, whatever a name
resolves to."""

import logging
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import SOCK_STREAM, getaddrinfo
from typing import Any, ClassVar

from scrapy.crawler import Crawler
from scrapy.resolver import HostResolution
from scrapy.utils.datatypes import LocalCache
from twisted.internet import address as twisted_address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IHostnameResolver
from twisted.internet.threads import deferToThreadPool
from zope.interface import implementer

logger = logging.getLogger(__name__)

Networks = tuple[IPv4Network | IPv6Network, ...]

CACHED_NAMES = 10_000
"""Names whose addresses are kept in mind for a run, as Scrapy does."""


@implementer(IHostnameResolver)
class PublicAddressResolver:
    """Resolves names to public addresses only, of IPv4 and of IPv6.

    The reactor asks it for every host, numeric ones included, and connects to the very addresses it answers, so a name
    that resolves differently the second time gains nothing. Of several the first that takes the connection is used (RFC 8305).
    """

    refused: ClassVar[dict[str, str]] = {}  #: hosts that were not entered, lower case, and the first address of each

    def __init__(self, reactor: Any, allowed: Networks) -> None:
        self._reactor = reactor
        self._allowed = allowed
        self._known: LocalCache[str, list[str]] = LocalCache(CACHED_NAMES)

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> "PublicAddressResolver":
        return cls(reactor, tuple(ip_network(network) for network in crawler.settings.getlist("ALLOW_PRIVATE")))

    def install_on_reactor(self) -> None:
        self._reactor.installNameResolver(self)

    def resolveHostName(  # noqa: N802  # Twisted's
        self,
        resolutionReceiver: Any,  # noqa: N803  # an IResolutionReceiver; zope's interfaces are no types
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> HostResolution:
        resolution = HostResolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)

        async def resolve() -> None:
            for address in await self._public_addresses(hostName):
                kind = twisted_address.IPv6Address if ":" in address else twisted_address.IPv4Address
                resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
            resolutionReceiver.resolutionComplete()

        Deferred.fromCoroutine(resolve())
        return resolution

    async def _public_addresses(self, name: str) -> list[str]:
        """The addresses of a name that may be entered; none where it has none, or nobody can tell."""
        if name not in self._known:
            try:
                found = await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), _look_up, name)
            except (OSError, UnicodeError):  # the latter of `a..b`
                return []
            self._known[name] = found
        return self._checked(name, self._known[name])

    def _checked(self, name: str, found: list[str]) -> list[str]:
        public = [address for address in found if may_enter(address, self._allowed)]
        if found and not public:
            self.refused[name.lower()] = found[0]
            said = name if name == found[0] else f"{name} is {found[0]}, which"
            logger.warning("%s is not public; allow_private in sources.toml can allow it", said)
        return public


def _look_up(name: str) -> list[str]:
    """The addresses of a name or number, the likeliest to be reached first (RFC 6724). Blocks."""
    return list(dict.fromkeys(str(address[0]) for *_, address in getaddrinfo(name, None, type=SOCK_STREAM)))


EMBEDS_IPV4 = tuple(map(ip_network, ("::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10")))
"""IPv6 networks that carry an IPv4 address, which may be private (RFC 4291, 6052, 8215, 4380, 3056), or are a site's own
(3879)."""


NAT64 = IPv6Network("64:ff9b::/96")
"""Where a network without IPv4 shows the public addresses of the other (RFC 6052, 3.1): what is behind counts."""


def may_enter(address: str, allowed: Networks) -> bool:
    """Whether an IP address is public, or inside a network that sources.toml allows."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        ip = IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else ip.ipv4_mapped or ip
    public = ip.is_global and not ip.is_multicast and not any(ip in network for network in EMBEDS_IPV4)
    return public or any(ip in network for network in allowed)
