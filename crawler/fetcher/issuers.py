"""Missing intermediate certificates, fetched from where a certificate names its issuer's (Authority Information Access, AIA;
RFC 5280, 4.2.2.1), as browsers do: many servers leave them out."""

import asyncio
import logging
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import AuthorityInformationAccessOID
from OpenSSL.crypto import X509StoreContextError
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http.request import NO_CALLBACK

from crawler.fetcher.certificates import CertificateFault, Trust
from crawler.fetcher.failures import NETWORK_ERRORS
from crawler.fetcher.requests import IssuerRequest, is_for_issuer, scrapy_request
from crawler.parsers.links import address_of
from crawler.urls import host_of

logger = logging.getLogger(__name__)

MAX_ISSUERS = 3
"""Intermediate certificates that are fetched for one chain; hardly any has more than two."""


MAX_CERTIFICATE_BYTES = 2**16
"""A certificate has one to three kilobytes, a bundle of them some ten."""


MAX_SECONDS = 30.0
"""How long a request waits for its chain. Hosts whose certificates name each other would wait for ever."""


_MENDED = "broadsheet_mended"
"""A key of `Request.meta`: the address at which its chain was mended; where it breaks there again, that did not help."""


class IssuersMiddleware:
    """Downloader middleware: a request that failed for a missing intermediate certificate is made again with it.

    The certificate is asked for as everything else is: within robots.txt, address guard, delay and budget. It is believed
    only when it leads to a root that the system trusts.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._locks: dict[str, asyncio.Lock] = {}
        self._words: dict[str, str | None] = {}  #: per address why it did not help; None: it did

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "IssuersMiddleware":
        return cls(crawler)

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        if not isinstance(exception, CertificateFault) or exception.broken_at is None or is_for_issuer(request):
            return None
        address = issuer_address(exception.broken_at)
        if address is None:
            return None
        exception.word = "certificate_incomplete"
        if host_of(address) == host_of(request.url) or request.meta.get(_MENDED) == address:
            return None
        learning = asyncio.ensure_future(self._learn(address, exception.broken_at, exception.trust))
        await asyncio.wait({learning}, timeout=MAX_SECONDS)
        word = learning.result() if learning.done() else exception.word
        if word is None:
            return request.replace(meta={**request.meta, _MENDED: address}, dont_filter=True)
        exception.word = word
        return None

    async def _learn(self, address: str, below: x509.Certificate, trust: Trust) -> str | None:
        async with self._locks.setdefault(address, asyncio.Lock()):
            if address not in self._words:
                self._words[address] = await self._why_not(address, below, trust)
        return self._words[address]

    async def _why_not(self, address: str, below: x509.Certificate, trust: Trust) -> str | None:
        """Complete the chain above a certificate: None when that was done, else the word for why not."""
        chain: list[x509.Certificate] = []
        gap: x509.Certificate | None = below
        for _ in range(MAX_ISSUERS):
            found = await self._ask(address)
            issuer = next((one for one in found if gap and one.subject == gap.issuer), None)
            if issuer is None:
                return "certificate_incomplete"
            if issuer.subject == issuer.issuer:  # a root: had the system trusted it, nothing would be missing
                return "certificate_unknown_issuer"
            chain.append(issuer)
            try:
                gap = trust.gap_above(chain)
            except X509StoreContextError as error:
                logger.info("%s: %s", address, error)
                return "certificate_unknown_issuer"
            if gap is None:
                return None
            above = issuer_address(gap)
            if above is None:
                return "certificate_unknown_issuer"
            address = above
        return "certificate_incomplete"

    async def _ask(self, address: str) -> list[x509.Certificate]:
        meta: dict[str, Any] = {"download_maxsize": MAX_CERTIFICATE_BYTES}
        request = scrapy_request(IssuerRequest(url=address), NO_CALLBACK, priority=1000, meta=meta)
        assert self._crawler.engine is not None
        try:
            response = await self._crawler.engine.download_async(request)
        except (IgnoreRequest, CertificateFault, *NETWORK_ERRORS) as error:
            logger.info("%s: %r", address, error)
            return []
        return certificates_in(response.body) if response.status == 200 else []


def issuer_address(certificate: x509.Certificate) -> str | None:
    """Where a certificate says that its issuer's can be had, by http as all of them do; None when it does not say."""
    try:
        described = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, ValueError):  # ValueError: damaged, or an extension twice
        return None
    places = [one.access_location for one in described if one.access_method == AuthorityInformationAccessOID.CA_ISSUERS]
    values = [place.value for place in places if isinstance(place, x509.UniformResourceIdentifier)]
    named = [value for value in values if value.lower().startswith("http:")]
    return next((address for value in named if (address := address_of(value, value))), None)


def certificates_in(body: bytes) -> list[x509.Certificate]:
    """The certificates of an answer: DER, PEM or PKCS #7."""
    for read in (_der, x509.load_pem_x509_certificates, pkcs7.load_der_pkcs7_certificates):
        try:
            return read(body)
        except ValueError:
            continue
    return []


def _der(body: bytes) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(body)]
