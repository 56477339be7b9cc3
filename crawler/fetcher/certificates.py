"""TLS certificate verification: a server must show whose it is, to somebody the system trusts, unless its source says that
this is not to be checked."""

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
from cryptography import x509
from OpenSSL import SSL
from OpenSSL.crypto import X509, X509StoreContext, X509StoreContextError
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadFailedError
from scrapy.http import Response
from service_identity.exceptions import CertificateError, VerificationError
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity
from service_identity.pyopenssl import extract_patterns
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import AcceptableCiphers, CertificateOptions
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from crawler.fetcher.requests import is_unchecked

if TYPE_CHECKING:
    from twisted.protocols.tls import TLSMemoryBIOProtocol

UNCHECKED = "unchecked"
"""A flag of a response: nobody has checked whose certificate it came under."""


_OP_LEGACY_SERVER_CONNECT = 0x4
"""Also talk to servers that cannot renegotiate securely; we never renegotiate. Scrapy sets it, too."""


_CODES = SSL.X509VerificationCodes
_WORDS = {
    _CODES.ERR_CERT_HAS_EXPIRED: "certificate_expired",
    _CODES.ERR_CERT_NOT_YET_VALID: "certificate_not_yet_valid",
    _CODES.ERR_DEPTH_ZERO_SELF_SIGNED_CERT: "certificate_unknown_issuer",
    _CODES.ERR_SELF_SIGNED_CERT_IN_CHAIN: "certificate_unknown_issuer",
    _CODES.ERR_UNABLE_TO_GET_ISSUER_CERT: "certificate_unknown_issuer",
    _CODES.ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate_unknown_issuer",
    _CODES.ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate_unknown_issuer",
}
"""OpenSSL's codes of a failed verification -> words of `pages.reason`; any other is `certificate`."""


_NO_ISSUER = (_CODES.ERR_UNABLE_TO_GET_ISSUER_CERT, _CODES.ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY)
"""The chain that a server sends breaks off below what the system trusts."""


class CertificateFault(Exception):
    """A server's certificate is not to be trusted; `word` is the reason."""

    def __init__(self, word: str, trust: "Trust", broken_at: x509.Certificate | None = None) -> None:
        super().__init__(word)
        self.word = word
        self.trust = trust
        self.broken_at = broken_at  #: the last certificate of a chain whose next one is missing; None: none is


class Trust:
    """What the system trusts (SSL_CERT_FILE and SSL_CERT_DIR, else where it keeps its roots), and the intermediate
    certificates that were found to lead there. Mozilla's roots where the system has none."""

    def __init__(self, ciphers: str) -> None:
        # The context is one for all connections: to read the system's roots takes some 20 ms.
        accepted = AcceptableCiphers.fromOpenSSLCipherString(ciphers)  # type: ignore[no-untyped-call]
        self.options = CertificateOptions(fixBrokenPeers=True, acceptableCiphers=accepted)
        context = self.options.getContext()
        context.set_options(_OP_LEGACY_SERVER_CONNECT)
        context.set_default_verify_paths()
        known = ssl.get_default_verify_paths()
        if known.cafile or (known.capath and any(Path(known.capath).iterdir())):
            context.load_verify_locations(known.cafile, known.capath)
        else:
            context.load_verify_locations(certifi.where())
        self._store = context.get_cert_store()

    def gap_above(self, chain: list[x509.Certificate]) -> x509.Certificate | None:
        """The certificate whose issuer is missing above intermediate certificates; None when they lead to a root, which is
        remembered. Raises X509StoreContextError when they do not hold."""
        assert self._store is not None
        first, *others = (X509.from_cryptography(certificate) for certificate in chain)
        try:
            X509StoreContext(self._store, first, others).verify_certificate()
        except X509StoreContextError as error:
            if error.errors[0] in _NO_ISSUER:
                return chain[-1]
            raise
        # Without the flag for partial chains, which nobody sets, only a self-signed certificate ends a chain: an
        # intermediate one in the store is believed no more than one that a server sends.
        for certificate in (first, *others):
            self._store.add_cert(certificate)
        return None


@implementer(IPolicyForHTTPS)
class CertificatePolicy:
    """Twisted's policy for https: verified connections, or such as take any certificate."""

    def __init__(self, ciphers: str, *, verifies: bool) -> None:
        self._ciphers, self._verifies = ciphers, verifies
        self._trust: Trust | None = None

    def creatorForNetloc(self, hostname: bytes, port: int) -> "Connections":  # noqa: N802
        self._trust = self._trust or Trust(self._ciphers)  # most crawls of local copies never need it
        return Connections(hostname.decode("ascii"), self._trust, self._verifies)


@implementer(IOpenSSLClientConnectionCreator)
class Connections:
    """Makes the TLS connections to one host, each with a verification that remembers what was wrong."""

    def __init__(self, host: str, trust: Trust, verifies: bool) -> None:
        self._host, self._trust, self._verifies = host, trust, verifies
        self._is_name = not (isIPAddress(host) or isIPv6Address(host))

    def clientConnectionForTLS(self, protocol: "TLSMemoryBIOProtocol") -> SSL.Connection:  # noqa: N802
        connection = self._trust.options.clientConnectionForTLS(protocol)
        if self._is_name:
            connection.set_tlsext_host_name(self._host.encode("ascii"))

        def verify(_: SSL.Connection, certificate: X509, code: int, depth: int, ok: int) -> bool:
            # What is raised in here is lost in OpenSSL.
            if not self._verifies or (ok and (depth or self._is_named_by(certificate))):
                return True
            word = "certificate_wrong_name" if ok else _WORDS.get(code, "certificate")
            broken_at = certificate.to_cryptography() if not ok and code in _NO_ISSUER else None
            protocol.failVerification(Failure(CertificateFault(word, self._trust, broken_at)))  # type: ignore[no-untyped-call]
            return False

        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, verify)
        return connection

    def _is_named_by(self, certificate: X509) -> bool:
        try:
            name = DNS_ID(self._host) if self._is_name else IPAddress_ID(self._host)
            verify_service_identity(extract_patterns(certificate), [name], [])
        except (CertificateError, VerificationError, ValueError):
            return False
        return True


class VerifyingHandler(HTTP11DownloadHandler):
    """Scrapy's download handler with certificates verified, but for sources that say `certificates = "unchecked"`.

    Raises CertificateFault. Such sources have connections of their own: none is taken over by a source that wants them verified.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._unchecked = HTTP11DownloadHandler(crawler)
        ciphers = crawler.settings["DOWNLOADER_CLIENT_TLS_CIPHERS"]
        verifies = crawler.settings.getbool("DOWNLOAD_VERIFY_CERTIFICATES")
        for handler, checks in ((self, verifies), (self._unchecked, False)):
            handler._contextFactory = CertificatePolicy(ciphers, verifies=checks)  # type: ignore[assignment]

    async def download_request(self, request: Request) -> Response:
        if request.url.startswith("https:") and is_unchecked(request):
            response = await self._unchecked.download_request(request)
            response.flags.append(UNCHECKED)
            return response
        try:
            return await super().download_request(request)
        except DownloadFailedError as error:
            raise _fault_in(error) or error from None

    async def close(self) -> None:
        await super().close()
        await self._unchecked.close()


def _fault_in(error: DownloadFailedError) -> CertificateFault | None:
    """What was wrong with the certificate, if that is why there was no answer."""
    causes = error.__cause__.reasons if isinstance(error.__cause__, ResponseFailed) else []
    return next((cause.value for cause in causes if isinstance(cause.value, CertificateFault)), None)
