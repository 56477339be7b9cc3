"""Network errors: which exceptions say something of the server, and the word for each in `pages.reason`."""

import gzip
import sys
import zlib
from urllib.parse import urlsplit

import brotli
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)

from crawler.fetcher.address_guard import PublicAddressResolver
from crawler.fetcher.certificates import CertificateFault

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError
else:
    from backports.zstd import ZstdError


DAMAGED_ANSWERS = (brotli.error, zlib.error, ZstdError, gzip.BadGzipFile, EOFError, ValueError)
"""What Scrapy's download chain raises for an answer that is not encoded as it says, or a redirect to no address."""


NETWORK_ERRORS = (
    CertificateFault,
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
    # Twisted's message ends with the name, which after a redirect is another one than the address has that was asked for.
    unresolved = str(error).rpartition(" ")[2].rstrip(".") if isinstance(error, CannotResolveHostError) else ""
    if {(urlsplit(url).hostname or ""), unresolved.lower()} & PublicAddressResolver.refused.keys():
        return "private_address"
    if isinstance(error, CertificateFault):
        return error.word
    return next((reason for kind, reason in _REASONS.items() if isinstance(error, kind)), "connection_failed")


def ignored_reason(error: IgnoreRequest) -> str:
    """Why Scrapy gave up a request without an error of its own class: redirects, or what a packed answer unpacks to."""
    return "redirect_loop" if "redirect" in str(error) else "too_large"
