"""The live crawl: feeds, sitemaps, front pages and listed pages of sources.toml -> Listing and Page.

What is already known, due or pending is not decided here: pipelines.archive.history does that to the requests on their way out.
The discovery of a bare URL asks one kind of entry point after the other until one yields; the others stay in reserve.
"""

import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import scrapy
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.fetcher.backoff import NotSent
from crawler.fetcher.capture import answers_of
from crawler.fetcher.failures import NETWORK_ERRORS, failure_reason, ignored_reason
from crawler.fetcher.hash_routes import HashRoute
from crawler.fetcher.requests import (
    FrontPageRequest,
    ListingRequest,
    PageRequest,
    asked_as,
    asked_for,
    listing_request,
    page_request,
)
from crawler.fetcher.responses import (
    answered,
    content,
    is_unchanged,
    max_age,
    permanent_redirect,
    reserved_by_host,
    validators,
)
from crawler.fetcher.robots import RobotsForbid, RobotsMiddleware, RobotsUnreachable
from crawler.items import WHOLE, Link, Listing, Page, Source, via_of
from crawler.parsers.links import Child, NotAListing, Reading
from crawler.reasons import is_refusal, sentence
from crawler.redirectors import behind_redirectors
from crawler.sources.toml_file import CrawlSettings, SourcesFile
from crawler.spiders.bug_net import InternalError
from crawler.spiders.discovery import LOOK_AROUND_SECONDS, Discovery, discovery_of, is_stale, listing_at
from crawler.urls import UnusableURL, canonical_url, hash_route, host_of, is_front_page, origin_of, site_of

logger = logging.getLogger(__name__)


MAX_SITEMAPS = 200
"""Sitemaps of one source that indexes may lead to in one run; `since` keeps real sites far below."""


NO_CONTACT = 'user_agent names no contact: publishers block what they cannot ask; set user_agent = "name (+https://…)" under [crawl]'


NO_SOURCES = SourcesFile(crawl=CrawlSettings(), sources=())


Output = Listing | Page | Request
"""What a callback yields: items and further requests."""


class NewsSpider(scrapy.Spider):
    """`scrapy crawl news`: what sources.toml names, as far as it is new."""

    name = "news"
    carries_texts = False  #: whether requests hold what feeds tell of their pages, or the archive alone
    # Every answer reaches it: a 404 is a state of its page, not a lost line in a log.
    custom_settings = {"HTTPERROR_ALLOW_ALL": True}  # noqa: RUF012  # Scrapy's own attribute

    def __init__(self, sources: Iterable[Source], since: datetime, robots: "RobotsSitemaps") -> None:
        super().__init__()
        self.sources = tuple(sources)
        self._since = since
        self._robots = robots
        self._followed: dict[str, set[str]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "NewsSpider":
        read: SourcesFile = kwargs.get("read", NO_SOURCES)  # none to `scrapy shell`, `fetch` and `parse`
        enabled = [source for source in read.sources if source.enabled]
        if not read.crawl.has_contact and not crawler.settings.get("OFFLINE_DIR"):
            logger.warning("%s", NO_CONTACT)
        spider = cls(enabled, read.crawl.since_date(datetime.now(UTC)), RobotsSitemaps(crawler))
        spider._set_crawler(crawler)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        for source in self.sources:
            for url in source.feeds:
                yield self.poll(source, url, "feed")
            for url in source.sitemaps:
                yield self.poll(source, url, "sitemap")
            for url in source.pages:
                yield self.fetch(source, Link(url=behind_redirectors(canonical_url(url))), "listed")
            if source.discover:
                yield self.start_discovery(source)

    # Requests

    def start_discovery(self, source: Source) -> Request:
        """Feed autodiscovery: ask a bare source's front page what entry points it announces."""
        return listing_request(
            FrontPageRequest(source=source, since=self._since), self.parse_front_page, self.front_page_failed
        )

    def poll(
        self,
        source: Source,
        url: str,
        kind: str,
        *,
        parent: str | None = None,
        changed_at: datetime | None = None,
        discovery: Discovery | None = None,
        site: str | None = None,
    ) -> Request:
        """Ask a feed, sitemap or front page for its links; `kind` is what is expected there. Raises UnusableURL."""
        more: dict[str, Any] = {"parent": parent, "changed_at": changed_at, "discovery": discovery, "site": site}
        asked = ListingRequest(source=source, url=url, kind=kind, since=self._since, **more)
        return listing_request(asked, self.parse_listing, self.listing_failed)

    def fetch(self, source: Source, link: Link, via: str, priority: int = 0, *, is_recheck: bool = False) -> Request:
        """Ask for an article's page."""
        asked = PageRequest(source=source, link=link, via=via, is_recheck=is_recheck)
        return page_request(asked, self.parse_page, self.page_failed, priority=priority)

    def announced_sitemaps(self, source: Source) -> tuple[str, ...]:
        """The sitemaps that robots.txt of the source's front page names, as far as it was asked in this run."""
        return self._robots.sitemaps(origin_of(source.url))

    # Listings

    def parse_listing(self, response: Response) -> Iterator[Output]:
        yield from self.follow_listing(response, asked_as(ListingRequest, response.request))

    def follow_listing(self, response: Response, asked: ListingRequest) -> Iterator[Output]:
        """The Listing that a response is, the pages and sitemaps that it names, and what its discovery does next.

        `asked` may be another than the response's own: the front page that announces feeds is an entry point, too.
        """
        source, discovery = asked.source, asked.discovery
        moved = permanent_redirect(response) if asked.kind != "homepage" else None
        facts: dict[str, Any] = {"status": response.status, "moved_to": moved}
        if is_unchanged(response):
            facts |= {"asked": max_age(response), "parent": asked.parent}
            yield listing_at(source, asked.url, asked.kind, **facts, **validators(response))
            yield from self._advance(discovery, yielded=True)
            return
        if response.status not in WHOLE:
            yield from self._listing_is_dead(asked, _named(asked, response, f"http_{response.status}"), **facts)
            return
        try:
            reading = _without_notice(_reading_of(response))
        except NotAListing as error:
            yield from self._listing_is_dead(asked, _named(asked, response, str(error)), **facts)
            return
        links = tuple(link for link in reading.links if source.wants(link.url))
        listing = _listing_of(response, asked, reading, links, moved)
        carried = links if self.carries_texts else map(_without_text, links)
        pages = (self.fetch(source, link, via_of(reading.kind)) for link in carried)
        if discovery and is_stale(reading, listing.fetched_at):
            discovery.stale.append((listing, [*pages]))
            yield from self._advance(discovery, yielded=False)
            return
        yield listing
        yield from pages
        for child in self._new_children(source, reading.children):
            if discovery:
                discovery.open += 1
            said: dict[str, Any] = {"parent": asked.url, "discovery": discovery, "site": listing.site}
            yield self.poll(source, child.url, "sitemap", changed_at=child.changed_at, **said)
        yield from self._advance(
            discovery, yielded=bool(links), foreign=bool(discovery and discovery.is_foreign(links))
        )

    def _new_children(self, source: Source, children: Iterable[Child]) -> list[Child]:
        """The sitemaps of an index that this run has not followed yet: an index may name itself, or never end."""
        followed = self._followed.setdefault(source.url, set())
        new = [child for child in children if child.url not in followed][: MAX_SITEMAPS - len(followed)]
        followed.update(child.url for child in new)
        return new

    def listing_failed(self, failure: Failure) -> Iterator[Output]:
        if reason := self._reason_of(failure):
            yield from self._listing_is_dead(asked_as(ListingRequest, _request_of(failure)), reason)

    def _listing_is_dead(self, asked: ListingRequest, reason: str, **facts: Any) -> Iterator[Output]:
        listing = listing_at(asked.source, asked.url, asked.kind, failure=reason, site=asked.site, **facts)
        if asked.discovery is None:
            logger.warning("%s: %s: %s", asked.source.name, asked.url, sentence(reason))
            yield listing
        else:
            asked.discovery.note_failure(listing)
        yield from self._advance(asked.discovery, yielded=False)

    # The discovery of a bare URL

    def parse_front_page(self, response: Response) -> Iterator[Output]:
        asked = asked_as(FrontPageRequest, response.request)
        if response.status not in WHOLE:
            yield from self._source_is_dead(asked, f"http_{response.status}", response.status)
            return
        try:
            reading = _reading_of(response)
        except NotAListing as error:
            yield from self._source_is_dead(asked, str(error), response.status)
            return
        if reading.kind != "homepage":  # whoever wrote sources.toml calls a feed or a sitemap his source
            kind = via_of(reading.kind)
            itself = ListingRequest(source=asked.source, url=asked.url, kind=kind, since=self._since)
            yield from self.follow_listing(response, itself)
            return
        sitemaps = self._robots.sitemaps(origin_of(response.url))
        yield from self._next_group(discovery_of(asked, response, reading, sitemaps))

    def front_page_failed(self, failure: Failure) -> Iterator[Output]:
        if reason := self._reason_of(failure):
            yield from self._source_is_dead(asked_as(FrontPageRequest, _request_of(failure)), reason)

    def _source_is_dead(self, asked: FrontPageRequest, reason: str, status: int | None = None) -> Iterator[Output]:
        source = asked.source
        if asked.known:  # it is polled as it was
            yield listing_at(source, source.url, "homepage", reserve=True, asked=LOOK_AROUND_SECONDS)
            return
        logger.warning("%s: %s: %s", source.name, source.url, sentence(reason))
        yield listing_at(source, source.url, "homepage", status=status, failure=reason)

    def _next_group(self, discovery: Discovery) -> Iterator[Output]:
        """Ask the next group of entry points; when there is none left, say so."""
        source = discovery.source
        if not discovery.groups:
            if discovery.stale or discovery.has_foreign:
                yield from self.take_stale(discovery)
                yield from discovery.rest()
            else:
                yield from self._source_is_dead(discovery.asked, discovery.reason)
            return
        kind, urls = discovery.groups.pop(0)
        discovery.open = len(urls)
        if kind == "homepage":  # it is at hand
            asked = ListingRequest(source=source, url=source.url, kind=kind, since=self._since, discovery=discovery)
            yield from self.follow_listing(discovery.front_page, asked)
            return
        for url in urls:
            yield self.poll(source, url, kind, discovery=discovery, site=discovery.site)

    def take_stale(self, discovery: Discovery) -> Iterator[Output]:
        """The feeds that are hardly of news, where nothing better was found."""
        for listing, pages in discovery.stale:
            yield listing
            yield from pages
        discovery.stale.clear()

    def _advance(self, discovery: Discovery | None, *, yielded: bool, foreign: bool = False) -> Iterator[Output]:
        """One request of a group is answered: wait for the others, stop at what yields, or try the next group."""
        if discovery is None:
            return
        discovery.note_answer(yielded=yielded, foreign=foreign)
        if discovery.open:
            return
        if not discovery.yielded:
            yield from self._next_group(discovery)
            return
        yield from discovery.rest()

    # Pages

    def parse_page(self, response: Response) -> Iterator[Page]:
        asked = asked_as(PageRequest, response.request)
        try:
            final_url = canonical_url(response.url)
        except UnusableURL:
            yield _page(asked, response.request, refusal="unusable_redirect", status=response.status)
            return
        facts: dict[str, Any] = {"final_url": final_url, **answered(response)}
        if is_unchanged(response):
            yield _page(asked, response.request, unchanged=True, **facts, **validators(response))
        elif response.status not in WHOLE:
            yield _page(asked, response.request, failure=f"http_{response.status}", **facts)
        elif is_front_page(final_url) and not is_front_page(asked.url):
            yield _page(asked, response.request, refusal="redirect_to_front_page", **facts)
        else:
            yield _page(asked, response.request, **facts, **content(response))

    def page_failed(self, failure: Failure) -> Iterator[Page]:
        if reason := self._reason_of(failure):
            outcome: dict[str, Any] = {"refusal" if is_refusal(reason) else "failure": reason}
            yield _page(asked_as(PageRequest, request := _request_of(failure)), request, **outcome)

    def _reason_of(self, failure: Failure) -> str | None:
        """Why a request got no answer, as one stable word; None when it was not even sent. A bug of ours stays loud."""
        error = failure.value
        if isinstance(error, NotSent):
            return None
        if isinstance(error, RobotsForbid | RobotsUnreachable | HashRoute):
            return str(error)
        if isinstance(error, IgnoreRequest):
            return ignored_reason(error)
        url = _request_of(failure).url
        if isinstance(error, NETWORK_ERRORS):
            return failure_reason(error, url)
        self._count_bug(url, error)
        return "bug"

    def _count_bug(self, url: str, error: BaseException | None) -> None:
        """Say it, and count it where Scrapy counts what a spider raises: the run ends with 1."""
        error = error.__cause__ if isinstance(error, InternalError) else error
        logger.error("%s: a bug in Broadsheet", url, exc_info=error)
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value(f"spider_exceptions/{type(error).__name__}")


class RobotsSitemaps:
    """The sitemaps that a host's robots.txt names, as far as it was needed in this run."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    def sitemaps(self, origin: str) -> tuple[str, ...]:
        robots = self._crawler.get_downloader_middleware(RobotsMiddleware)
        return robots.sitemaps.get(host_of(origin), ()) if robots else ()


def _reading_of(response: Response) -> Reading:
    """What a listing holds, as it was read on its way here; raises NotAListing."""
    asked = asked_for(response.request)
    assert isinstance(asked, ListingRequest | FrontPageRequest)
    if isinstance(asked.reading, NotAListing):
        raise asked.reading
    assert asked.reading is not None, "settings.py wires ReadMiddleware"
    return asked.reading


def _without_notice(reading: Reading) -> Reading:
    """A reading of a page that is its site's own; raises NotAListing of a front page that turns its visitors away."""
    if reading.notice:
        raise NotAListing(reading.notice)
    return reading


def _named(asked: ListingRequest, response: Response, reason: str) -> str:
    """A reason with the address that gave it, where a listing leads elsewhere for the time being: then not its own is at fault."""
    elsewhere = response.url != asked.url and permanent_redirect(response) is None
    return f"redirects to {response.url}: {reason}" if elsewhere else reason


def _listing_of(
    response: Response, asked: ListingRequest, reading: Reading, links: tuple[Link, ...], moved: str | None
) -> Listing:
    """The Listing that was read; `links` are those that its source wants."""
    # Of an index that breaks off nobody knows what it would have named: its sitemaps stay as they are.
    children = None if "dataloss" in response.flags else reading.named or None
    facts: dict[str, Any] = {"links": links, "children": children, "resting": reading.resting}
    facts |= {"entries": len(reading.links) if reading.entries is None else reading.entries}
    facts |= {
        "fresh": tuple(child.url for child in reading.children),
        "left_out": reading.left_out,
        "seen": reading.seen,
    }
    is_named = asked.url in (*asked.source.sitemaps, asked.source.url)
    named = site_of(response.url) if is_named and "sitemap" in reading.kind else None
    facts["site"] = asked.site or (named if named != site_of(asked.source.url) else None)
    # What yields nothing while a source is being discovered is kept in mind, but not polled.
    facts["reserve"] = asked.discovery is not None and not links and not reading.children
    facts["asked"] = max(max_age(response) or 0, reading.asked or 0) or None
    facts |= {"status": 200, "parent": asked.parent, "moved_to": moved, **validators(response)}
    return listing_at(asked.source, asked.url, reading.kind, **facts)


def _without_text(link: Link) -> Link:
    """A link that can wait for its turn in little memory; one that nobody is asked for is not to wait."""
    return replace(link, feed_html=None) if link.feed_html and not hash_route(link.url) else link


def _page(asked: PageRequest, request: Request | None, **facts: Any) -> Page:
    answers = answers_of(request)
    when = answers[-1].fetched_at if answers else datetime.now(UTC)
    facts = {
        "final_url": asked.url,
        "hints": asked.link.hints,
        "feed_html": asked.link.feed_html,
        **reserved_by_host(request),
        **facts,
    }
    return Page(url=asked.url, via=asked.via, source=asked.source, fetched_at=when, answers=answers, **facts)


def _request_of(failure: Failure) -> Request:
    request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy adds the request to the failure
    return request
