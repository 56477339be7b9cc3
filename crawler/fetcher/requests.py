"""Typed request metadata: what a Scrapy Request is for, instead of loose keys of `Request.meta` that anybody may misspell.

One object under one key says it: PageRequest, ListingRequest, FrontPageRequest, RobotsRequest, TdmrepRequest or IssuerRequest.
The spider makes them, the middlewares and pipelines.archive.history read them by `asked_for()`. Scrapy copies meta, not what is
in it: retries, redirects and `request.replace()` carry the very same object along. A request of somebody else's spider has none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from scrapy import Request

from crawler.items import Link, Source
from crawler.urls import canonical_url

if TYPE_CHECKING:
    from crawler.parsers.links import NotAListing, Reading
    from crawler.spiders.discovery import Discovery

_ASKED = "broadsheet_asked"
"""The key of `Request.meta` under which what is asked for stands."""

_ATTEMPTS = "broadsheet_attempts"
"""The key of `Request.meta` under which backoff keeps its Attempts, of every request that a busy host answered."""

LISTING_PRIORITY = 10
"""Listings are asked before pages: a feed rolls on, a page stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A request for an article's page."""

    source: Source
    link: Link
    via: str  #: like Page.via: what named the page
    is_recheck: bool = False  #: of an article that is stored, to see whether it was corrected

    @property
    def url(self) -> str:
        return self.link.url


@dataclass(slots=True, kw_only=True)
class ListingRequest:
    """A request for a feed, a sitemap or a front page, for the links that it holds."""

    source: Source
    url: str  #: as the source, its site or an index names it, whatever it redirects to
    kind: str  #: what is expected there: feed, news_sitemap, sitemap or homepage
    since: datetime | None = None  #: aware; older entries of a sitemap are left out; None: none are
    parent: str | None = None  #: the sitemap index that names it
    changed_at: datetime | None = None  #: when it was changed, as the index says
    discovery: "Discovery | None" = None  #: the discovery that tries this entry point; None: it is polled
    site: str | None = None  #: whose addresses a sitemap may name beside its source's own, by registrable domain
    seen: bytes = b""  #: like Scope.seen
    dates_tell: bool | None = None  #: like Scope.dates_tell
    reading: "Reading | NotAListing | None" = (
        None  #: what it holds, or why nothing; ReadMiddleware sets it, of a whole answer
    )


@dataclass(slots=True, kw_only=True)
class FrontPageRequest:
    """A request for the front page of a bare source, for the feeds and sitemaps that it announces (autodiscovery)."""

    source: Source
    known: Mapping[str, str] = field(
        default_factory=dict
    )  #: entry points that are polled, with their kinds: others are looked for
    is_barren: bool = False  #: whether those known give way to what is found: no page they name was an article
    #: like those of a ListingRequest: what answers may be a feed or a sitemap itself
    since: datetime | None = None
    seen: bytes = b""
    dates_tell: bool | None = None
    reading: "Reading | NotAListing | None" = None

    @property
    def url(self) -> str:
        return self.source.url

    @property
    def kind(self) -> str:
        return "homepage"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerRequest:
    """A request for an intermediate certificate that a server has left out."""

    url: str


@dataclass(slots=True, kw_only=True)
class RobotsRequest:
    """A request for a host's robots.txt."""

    url: str
    before: "Asked | None" = None  #: what the host is about to be asked for
    bytes_received: int = 0  #: of the answer and of the redirects before it, still packed


@dataclass(frozen=True, slots=True, kw_only=True)
class TdmrepRequest:
    """A request for a host's tdmrep.json: what it says of text and data mining."""

    url: str
    before: "Asked | None" = None  #: the page that the host is about to be asked for


@dataclass(slots=True)
class Attempts:
    """Retries of one request after busy answers (429, 503). Forgotten with the request."""

    repeated: int = 0  #: times it was made again after a busy answer
    is_due: bool = False  #: whether the answer at hand is to be followed by the same request
    good_answers_before: int | None = None  #: of its host when it was first answered busy; None: it never was


Asked: TypeAlias = PageRequest | ListingRequest | FrontPageRequest | RobotsRequest | TdmrepRequest | IssuerRequest
"""What a request is for."""

A = TypeVar("A", PageRequest, ListingRequest, FrontPageRequest)


def asked_for(request: Request | None) -> Asked | None:
    """What a request is for; None of one that is not ours."""
    asked: Asked | None = request.meta.get(_ASKED) if request else None
    return asked


def asked_as(kind: type[A], request: Request | None) -> A:
    """What a request is for where only one kind can come: in its own callback."""
    asked = asked_for(request)
    assert isinstance(asked, kind), f"{request} asks for no {kind.__name__}"
    return asked


def source_of(request: Request) -> Source | None:
    """The source that a request is made for; None of robots.txt, tdmrep.json, a certificate, and a request that is not ours."""
    asked = asked_for(request)
    return asked.source if isinstance(asked, PageRequest | ListingRequest | FrontPageRequest) else None


def is_unchecked(request: Request) -> bool:
    """Whether any certificate will do: for what is asked for a source that says so, its hosts' robots.txt included."""
    asked = _purpose(request)
    return isinstance(asked, PageRequest | ListingRequest | FrontPageRequest) and asked.source.certificates is not None


def is_for_issuer(request: Request) -> bool:
    """Whether it is made for an intermediate certificate, itself or as the robots.txt before it."""
    return isinstance(_purpose(request), IssuerRequest)


def _purpose(request: Request) -> Asked | None:
    asked = asked_for(request)
    while isinstance(asked, RobotsRequest | TdmrepRequest):
        asked = asked.before
    return asked


def attempts_of(request: Request) -> Attempts:
    """The request's own Attempts, shared with its copies from the first call on."""
    attempts: Attempts = request.meta.setdefault(_ATTEMPTS, Attempts())
    return attempts


def scrapy_request(
    asked: Asked,
    callback: Callable[..., Any],
    errback: Callable[..., Any] | None = None,
    *,
    priority: int = 0,
    meta: dict[str, Any] | None = None,
) -> Request:
    """The Scrapy Request for it; `meta` holds Scrapy's own keys. Never filtered: what is asked twice, history decides.

    The one gate to the web: what sources.toml, feeds, sitemaps, pages and robots.txt name passes canonical_url() when it
    is read, and here all of it once more, what an archive keeps of earlier releases, too. Raises UnusableURL.
    """
    canonical_url(asked.url)
    meta = {**(meta or {}), _ASKED: asked}
    return Request(asked.url, callback, errback=errback, meta=meta, priority=priority, dont_filter=True)


def page_request(
    asked: PageRequest, callback: Callable[..., Any], errback: Callable[..., Any], *, priority: int = 0
) -> Request:
    """The Scrapy Request for an article's page."""
    return scrapy_request(asked, callback, errback, priority=priority)


def listing_request(
    asked: ListingRequest | FrontPageRequest, callback: Callable[..., Any], errback: Callable[..., Any]
) -> Request:
    """The Scrapy Request for a listing. What came of one that breaks off is read; half a page is none."""
    meta = {"download_fail_on_dataloss": False}
    return scrapy_request(asked, callback, errback, priority=LISTING_PRIORITY, meta=meta)
