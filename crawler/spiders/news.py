"""The live crawl: feeds, sitemaps, front pages and listed pages of sources.toml -> Listing and Page.

What is already known, due or pending is not decided here: pipelines.archive.history does that to the requests on their way out.
The discovery of a bare URL asks one kind of entry point after the other until one yields; the others stay in reserve.
"""

import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import scrapy
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.fetcher.backoff import NotSent, host_of
from crawler.fetcher.failures import NETWORK_ERRORS, failure_reason, ignored_reason
from crawler.fetcher.responses import gone_to, header, is_unchanged, max_age, validators
from crawler.fetcher.robots import RobotsForbid, RobotsMiddleware, RobotsUnreachable
from crawler.items import WHOLE, Link, Listing, Page, Source, via_of
from crawler.parsers.links import Child, NotAListing, Reading
from crawler.parsers.listings import FEED_GUESSES, SITEMAP_GUESSES, read_listing
from crawler.reasons import is_refusal, sentence
from crawler.sources.toml_file import SourcesFile
from crawler.spiders.bug_net import Bug
from crawler.urls import UnusableURL, canonical_url, is_front_page, origin_of

logger = logging.getLogger(__name__)


LISTING_PRIORITY = 10
"""Listings are asked before pages: a feed rolls on, a page stays."""


MAX_SITEMAPS = 200
"""Of one source and run that indexes lead to; `since` keeps real sites far below."""


NO_CONTACT = 'user_agent names no contact: publishers block what they cannot ask; set user_agent = "name (+https://…)" under [crawl]'


Output = Listing | Page | Request


@dataclass(slots=True)
class Trail:
    """The discovery of one bare source: groups of entry points still to be tried, and the one being tried now."""

    source: Source
    front_page: Response
    groups: list[tuple[str, list[str]]]  #: (expected kind, addresses), most precise first
    open: int = 0  #: requests of the present group not yet answered
    yielded: bool = False
    failures: list[str] = field(default_factory=list)
    silent: int = 0  #: guesses that ran out of time
    announced: frozenset[str] = frozenset()  #: feeds and sitemaps that the site names; the others are guesses
    dead: list[Listing] = field(default_factory=list)  #: of those announced, asked in vain: they may be back tomorrow


class NewsSpider(scrapy.Spider):
    """`scrapy crawl news`: what sources.toml names, as far as it is new."""

    name = "news"

    def __init__(self, sources: Iterable[Source], since: datetime, robots: "RobotsSitemaps") -> None:
        super().__init__()
        self.sources = tuple(sources)
        self._since = since
        self._robots = robots
        self._followed: dict[str, set[str]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "NewsSpider":
        read: SourcesFile = kwargs["read"]
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
                yield self.fetch(source, Link(url=canonical_url(url)), "listed")
            if source.discover:
                yield self.look_around(source)

    # Requests

    def look_around(self, source: Source) -> Request:
        """Ask a bare source's front page what entry points it announces."""
        meta = {"discover": source, "expected": ("homepage", None)}
        return self._ask(source.url, self.parse_front_page, self.front_page_failed, meta, source=source)

    def poll(
        self, source: Source, url: str, kind: str, trail: Trail | None = None, parent: str | None = None
    ) -> Request:
        """Ask a feed, sitemap or front page for its links; `kind` is what is expected there."""
        known = {"source": source, "url": url, "kind": kind, "trail": trail, "parent": parent}
        meta = {"listing": url, "expected": (kind, self._since)}
        return self._ask(url, self.parse_listing, self.listing_failed, meta, **known)

    def fetch(self, source: Source, link: Link, via: str, priority: int = 0) -> Request:
        """Ask for an article's page."""
        known = {"source": source, "link": link, "via": via}
        return Request(
            link.url,
            self.parse_page,
            errback=self.page_failed,
            cb_kwargs=known,
            meta={"page": link.url},
            priority=priority,
            dont_filter=True,
        )

    def _ask(self, url: str, callback: Any, errback: Any, meta: dict[str, Any], /, **known: Any) -> Request:
        meta |= {
            "download_fail_on_dataloss": False
        }  # what came of a listing that breaks off is read; half a page is none
        return Request(
            url, callback, errback=errback, cb_kwargs=known, meta=meta, priority=LISTING_PRIORITY, dont_filter=True
        )

    def announced_sitemaps(self, source: Source) -> tuple[str, ...]:
        """The sitemaps that robots.txt of the source's front page names, as far as it was asked in this run."""
        return self._robots.sitemaps(origin_of(source.url))

    # Listings

    def parse_listing(
        self, response: Response, source: Source, url: str, kind: str, trail: Trail | None, parent: str | None = None
    ) -> Iterator[Output]:
        moved = gone_to(response) if url in (*source.feeds, *source.sitemaps) else None
        if is_unchanged(response):
            known = {"status": 304, "asked": max_age(response), "parent": parent, "moved_to": moved}
            yield self._listing(source, url, kind, **known, **validators(response))
            yield from self._go_on(trail, yielded=True)
            return
        if response.status not in WHOLE:
            yield from self._listing_is_dead(
                source, url, kind, trail, f"http_{response.status}", status=response.status, moved_to=moved
            )
            return
        try:
            reading = self._read(response, kind)
        except NotAListing as error:
            yield from self._listing_is_dead(
                source, url, kind, trail, str(error), status=response.status, moved_to=moved
            )
            return
        links = tuple(link for link in reading.links if source.wants(link.url))
        # What yields nothing while a source is being discovered is kept in mind, but not polled.
        reserve = trail is not None and not links and not reading.children
        facts = {"links": links, "entries": len(reading.links), "reserve": reserve, "parent": parent, "moved_to": moved}
        asked = max(max_age(response) or 0, reading.asked or 0) or None
        # Of an index that breaks off nobody knows what it would have named: its sitemaps stay as they are.
        children = None if "dataloss" in response.flags else tuple(child.url for child in reading.children) or None
        yield self._listing(
            source, url, reading.kind, status=200, asked=asked, children=children, **facts, **validators(response)
        )
        for link in links:
            yield self.fetch(source, link, via_of(reading.kind))
        for child in self._new_children(source, reading.children):
            if trail:
                trail.open += 1
            request = self.poll(source, child.url, "sitemap", trail, parent=url)
            request.meta["changed_at"] = child.changed_at
            yield request
        yield from self._go_on(trail, yielded=bool(links))

    def _read(self, response: Response, kind: str) -> Reading:
        """What a listing holds; raises NotAListing. It was read on its way here, unless something else was expected of it."""
        expected, reading = response.meta.get("reading", (None, None))
        if expected != kind:
            return read_listing(response.body, response.url, kind, self._since)
        if isinstance(reading, NotAListing):
            raise reading
        assert isinstance(reading, Reading)
        return reading

    def _new_children(self, source: Source, children: Iterable[Child]) -> list[Child]:
        """The sitemaps of an index that this run has not followed yet: an index may name itself, or never end."""
        followed = self._followed.setdefault(source.url, set())
        new = [child for child in children if child.url not in followed][: MAX_SITEMAPS - len(followed)]
        followed.update(child.url for child in new)
        return new

    def listing_failed(self, failure: Failure) -> Iterator[Output]:
        known = failure.request.cb_kwargs  # type: ignore[attr-defined]  # Scrapy adds the request to the failure
        if reason := self._reason_of(failure):
            yield from self._listing_is_dead(known["source"], known["url"], known["kind"], known["trail"], reason)

    def _listing_is_dead(
        self, source: Source, url: str, kind: str, trail: Trail | None, reason: str, **facts: Any
    ) -> Iterator[Output]:
        if trail is None:
            logger.warning("%s: %s: %s", source.name, url, sentence(reason))
            yield self._listing(source, url, kind, failure=reason, **facts)
        else:
            trail.failures.append(f"{url}: {reason}")
            if url in trail.announced:
                trail.dead.append(self._listing(source, url, kind, failure=reason, **facts))
            elif reason == "timeout":
                trail.silent += 1
                if trail.silent > 1:  # who does not answer two addresses that may not exist does not answer the others
                    trail.groups = [
                        (k, group) for k, group in trail.groups if k == "homepage" or trail.announced & {*group}
                    ]
        yield from self._go_on(trail, yielded=False)

    def _listing(self, source: Source, url: str, kind: str, **facts: Any) -> Listing:
        return Listing(
            url=url, source=source, kind={"feed": "rss"}.get(kind, kind), fetched_at=datetime.now(UTC), **facts
        )

    # The discovery of a bare URL

    def parse_front_page(self, response: Response, source: Source) -> Iterator[Output]:
        if response.status not in WHOLE:
            yield from self._source_is_dead(source, f"http_{response.status}", response.status)
            return
        try:
            reading = self._read(response, "homepage")
        except NotAListing as error:
            yield from self._source_is_dead(source, str(error), response.status)
            return
        origin = origin_of(response.url)
        announced = frozenset((*reading.feeds, *self._robots.sitemaps(origin)))
        groups = list(self._groups(source, origin, reading.feeds))
        trail = Trail(source, response, groups, announced=announced)
        yield from self._next_group(trail)

    def front_page_failed(self, failure: Failure) -> Iterator[Output]:
        source = failure.request.cb_kwargs["source"]  # type: ignore[attr-defined]  # Scrapy adds the request to the failure
        if reason := self._reason_of(failure):
            yield from self._source_is_dead(source, reason)

    def _source_is_dead(self, source: Source, reason: str, status: int | None = None) -> Iterator[Output]:
        logger.warning("%s: %s: %s", source.name, source.url, sentence(reason))
        yield self._listing(source, source.url, "homepage", status=status, failure=reason)

    def _groups(self, source: Source, origin: str, feeds: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
        """The entry points worth asking, a group at a time, in the order of `discover`."""
        announced = self._robots.sitemaps(origin)
        news = [url for url in announced if "news" in url.rsplit("/", 1)[-1].lower()]
        for kind in source.discover:
            if kind == "feed":
                yield from (
                    (kind, group) for group in (list(feeds), *([origin + path] for path in FEED_GUESSES)) if group
                )
            elif kind == "homepage":
                yield kind, [source.url]
            else:
                named = news if kind == "news_sitemap" else [url for url in announced if url not in news]
                yield from (
                    (kind, group) for group in (named, *([origin + path] for path in SITEMAP_GUESSES[kind])) if group
                )

    def _next_group(self, trail: Trail) -> Iterator[Output]:
        """Ask the next group of entry points; when there is none left, say so."""
        if not trail.groups:
            reason = f"nothing to poll: {'; '.join(trail.failures[:3])}" if trail.failures else "nothing_to_poll"
            yield from self._source_is_dead(trail.source, reason)
            return
        kind, urls = trail.groups.pop(0)
        trail.open = len(urls)
        if kind == "homepage":  # it is at hand
            yield from self.parse_listing(trail.front_page, trail.source, trail.source.url, kind, trail)
            return
        for url in urls:
            yield self.poll(trail.source, url, kind, trail)

    def _go_on(self, trail: Trail | None, *, yielded: bool) -> Iterator[Output]:
        """One request of a trail's group is answered: wait for the others, stop at what yields, or try the next group."""
        if trail is None:
            return
        trail.open -= 1
        trail.yielded = trail.yielded or yielded
        if trail.open:
            return
        if not trail.yielded:
            yield from self._next_group(trail)
            return
        yield from trail.dead
        for kind, urls in trail.groups:
            for url in urls:
                yield self._listing(trail.source, url, kind, reserve=True)
        # The last: where a front page has no row, its discovery was cut short, and is done again.
        yield self._listing(trail.source, trail.source.url, "homepage", reserve=True)

    # Pages

    def parse_page(self, response: Response, source: Source, link: Link, via: str) -> Iterator[Page]:
        try:
            final_url = canonical_url(response.url)
        except UnusableURL:
            yield self._page(source, link, via, refusal="unusable_redirect", status=response.status)
            return
        facts: dict[str, Any] = {"final_url": final_url, "status": response.status}
        if is_unchanged(response):
            yield self._page(source, link, via, unchanged=True, **facts, **validators(response))
        elif response.status not in WHOLE:
            yield self._page(source, link, via, failure=f"http_{response.status}", **facts)
        elif is_front_page(final_url) and not is_front_page(link.url):
            yield self._page(source, link, via, refusal="redirect_to_front_page", **facts)
        else:
            facts |= {"body": response.body, "content_type": header(response, "Content-Type")}
            yield self._page(source, link, via, **facts, **validators(response))

    def page_failed(self, failure: Failure) -> Iterator[Page]:
        known = failure.request.cb_kwargs  # type: ignore[attr-defined]  # Scrapy adds the request to the failure
        if reason := self._reason_of(failure):
            outcome: dict[str, Any] = {"refusal" if is_refusal(reason) else "failure": reason}
            yield self._page(**known, **outcome)

    def _reason_of(self, failure: Failure) -> str | None:
        """Why a request got no answer, as one stable word; None when it was not even sent. A bug of ours stays loud."""
        error = failure.value
        if isinstance(error, NotSent):
            return None
        if isinstance(error, RobotsForbid | RobotsUnreachable):
            return str(error)
        if isinstance(error, IgnoreRequest):
            return ignored_reason(error)
        url = failure.request.url  # type: ignore[attr-defined]  # Scrapy adds the request to the failure
        if isinstance(error, NETWORK_ERRORS):
            return failure_reason(error, url)
        self._count_bug(url, error)
        return "bug"

    def _count_bug(self, url: str, error: BaseException | None) -> None:
        """Say it, and count it where Scrapy counts what a spider raises: the run ends with 1."""
        error = error.__cause__ if isinstance(error, Bug) else error
        logger.error("%s: a bug in Broadsheet", url, exc_info=error)
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value(f"spider_exceptions/{type(error).__name__}")

    def _page(self, source: Source, link: Link, via: str, **facts: Any) -> Page:
        facts = {"final_url": link.url} | facts
        return Page(url=link.url, via=via, source=source, hints=link.hints, fetched_at=datetime.now(UTC), **facts)


class RobotsSitemaps:
    """The sitemaps that a host's robots.txt names, as far as it was needed in this run."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    def sitemaps(self, origin: str) -> tuple[str, ...]:
        robots = self._crawler.get_downloader_middleware(RobotsMiddleware)
        return robots.sitemaps.get(host_of(origin), ()) if robots else ()
