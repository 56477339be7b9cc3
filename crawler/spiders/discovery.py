"""Autodiscovery of feeds and sitemaps: the entry points of a bare front page's site, tried a group at a time until one yields."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

from scrapy import Request
from scrapy.http import Response

from crawler.fetcher.requests import FrontPageRequest
from crawler.items import MAX_CHILDREN, Link, Listing, Source, via_of
from crawler.parsers.front_pages import is_of_sitemap
from crawler.parsers.links import FEED_TYPES, Reading, address_of
from crawler.parsers.listings import FEED_GUESSES, SITEMAP_GUESSES
from crawler.times import instant_of
from crawler.urls import origin_of, site_of

LOOK_AROUND_SECONDS = 7 * 24 * 3600
"""Between two looks around for other entry points, where those that are polled give nothing."""

Group = tuple[str, list[str]]
"""What is expected (one of items.KINDS), and the addresses where."""


@dataclass(slots=True)
class Discovery:
    """The discovery of one bare source: groups of entry points still to be tried, and the one being tried now."""

    asked: FrontPageRequest
    front_page: Response
    groups: list[Group]  #: most precise first
    open: int = 0  #: requests of the present group not yet answered
    yielded: bool = False
    failures: list[tuple[bool, str]] = field(default_factory=list)  #: whether it was but a guess, and what was wrong
    silent: int = 0  #: guesses that ran out of time
    announced: frozenset[str] = frozenset()  #: feeds and sitemaps that the site names; the others are guesses
    dead: list[Listing] = field(default_factory=list)  #: of those announced, asked in vain: they may be back tomorrow
    stale: list[tuple[Listing, list[Request]]] = field(
        default_factory=list
    )  #: feeds to poll where nothing better is found
    has_foreign: bool = False  #: whether a feed is polled that names another site's pages alone

    @property
    def source(self) -> Source:
        return self.asked.source

    @property
    def site(self) -> str | None:
        """The site that answered, where it is called otherwise than its source."""
        answered = site_of(self.front_page.url)
        return answered if answered != site_of(self.source.url) else None

    @property
    def reason(self) -> str:
        """Why there is nothing to poll; what says more than that a guess of ours was wrong comes first."""
        said = [text for _, text in sorted(self.failures, key=itemgetter(0))]
        return f"nothing to poll: {'; '.join(said[:3])}" if said else "nothing_to_poll"

    def rest(self) -> Iterator[Listing]:
        """What stays in mind when something can be polled."""
        source, asked = self.source, self.asked
        yield from self.dead
        stale = ((listing.kind, [listing.url]) for listing, _ in self.stale)
        for kind, urls in (*stale, *self.groups):
            for url in urls:
                yield listing_at(source, url, kind, reserve=True, site=self.site)
        for url, kind in asked.known.items() if asked.is_barren and self.yielded else ():
            yield listing_at(source, url, kind, gives_way=True)
        # The last: where a front page has no row, its discovery was cut short, and is done again.
        pause = LOOK_AROUND_SECONDS if asked.known else None
        yield listing_at(source, source.url, "homepage", reserve=True, asked=pause)

    def note_answer(self, *, yielded: bool, foreign: bool) -> None:
        """One request less to wait for, and what came of it."""
        self.open -= 1
        self.yielded = self.yielded or (yielded and not foreign)
        self.has_foreign = self.has_foreign or foreign

    def is_foreign(self, links: Sequence[Link]) -> bool:
        """Whether what was found is another site's: that is no reason to look no further."""
        own = (site_of(self.source.url), self.site)
        return bool(links) and not any(site_of(link.url) in own for link in links)

    def note_failure(self, listing: Listing) -> None:
        """Of an entry point that could not be read."""
        is_elsewhere = str(listing.failure).startswith("elsewhere_")
        is_told = is_elsewhere or listing.failure in ("parked", "turned_away")
        is_guess = not is_told and listing.url not in self.announced
        self.failures.append((is_guess, f"{listing.url}: {listing.failure}"))
        if is_elsewhere:
            return  # papers of one house name the sitemaps of all
        if listing.url in self.announced:
            self.dead.append(listing)
        elif listing.failure == "timeout":
            self.silent += 1
            if self.silent > 1:  # who does not answer two addresses that may not exist does not answer the others
                self.groups = [
                    (kind, urls) for kind, urls in self.groups if kind == "homepage" or self.announced & {*urls}
                ]


def listing_at(source: Source, url: str, kind: str, **facts: Any) -> Listing:
    """A look at a listing that was just taken."""
    kind = "rss" if kind == "feed" else kind
    return Listing(url=url, source=source, kind=kind, fetched_at=datetime.now(UTC), **facts)


def discovery_of(asked: FrontPageRequest, front_page: Response, reading: Reading, sitemaps: Sequence[str]) -> Discovery:
    """The discovery that begins with a front page; `sitemaps` are what its robots.txt names."""
    announced = (*reading.feeds, *linked_in_header(front_page, _is_feed))
    sitemaps = (*sitemaps, *reading.sitemaps, *linked_in_header(front_page, _is_sitemap))
    groups = list(entry_points(asked, front_page.url, announced, reading.linked_feeds, sitemaps))
    return Discovery(asked, front_page, groups, announced=frozenset((*announced, *sitemaps)))


def entry_points(
    asked: FrontPageRequest, url: str, feeds: Sequence[str], linked: Sequence[str], sitemaps: Sequence[str]
) -> Iterator[Group]:
    """The entry points worth asking, in the order of `discover`: of each kind first those announced, then the guesses.

    `url` is where the front page answered, `feeds` what it announces, `linked` what else of feeds it links to, `sitemaps`
    what its robots.txt names or itself. What is polled already is left out.
    """
    origin = origin_of(url)
    news = [url for url in sitemaps if "news" in url.rsplit("/", 1)[-1].lower()]
    announced = {"feed": feeds, "news_sitemap": news, "sitemap": [url for url in sitemaps if url not in news]}
    guesses = {"feed": FEED_GUESSES, **SITEMAP_GUESSES}
    tried: set[str] = {*asked.known}
    for kind in asked.source.discover:
        if kind == "homepage":
            groups: Iterable[Sequence[str]] = ([asked.source.url],)
        else:
            others = (linked,) if kind == "feed" else ()
            groups = (announced[kind], *others, *([origin + path] for path in guesses[kind]))
        for group in groups:
            new = [url for url in dict.fromkeys(group) if url not in tried]
            tried.update(new)
            if new:
                yield kind, new


DEAD_AFTER = timedelta(days=60)
"""The age of a feed's newest entry from which on it is taken for one that nobody feeds any more, as long as there is another."""


def is_stale(reading: Reading, now: datetime) -> bool:
    """Whether what was read is a feed that is no sign of where its site's news are: a podcast's, or a dead one."""
    if via_of(reading.kind) != "feed" or not reading.links:
        return False
    dates = [instant_of(link.hints.date_published or "") for link in reading.links]
    return reading.is_podcast or all(date and now - date > DEAD_AFTER for date in dates)


_LINK = re.compile(r"<([^<>]*+)>((?:\s*+;\s*+[\w*-]++(?:\s*+=\s*+(?:\"[^\"]*+\"|[^\s;,\"]*+))?+)*+)")
"""One link of a `Link` header (RFC 8288, 3), and its parameters."""


def linked_in_header(response: Response, is_wanted: Callable[[str, dict[str, str]], bool]) -> tuple[str, ...]:
    """What of that kind a front page announces in its `Link` headers, as it may by `<link>`."""
    said = ", ".join(value.decode("latin-1") for value in response.headers.getlist("Link"))[:MAX_HEADER_CHARS]
    links = ((link[1], dict(_PARAMETER.findall(link[2].lower()))) for link in _LINK.finditer(said))
    found = (address_of(href, response.url) for href, parameters in links if is_wanted(href, parameters))
    return tuple(url for url in found if url)[:MAX_CHILDREN]


MAX_HEADER_CHARS = 10_000
"""Of the `Link` headers of an answer that are read."""


_PARAMETER = re.compile(r"(?<![\w*-])([\w*-]++)\s*+=\s*+\"?([^\";,]*+)")


def _is_sitemap(href: str, said: dict[str, str]) -> bool:
    return "sitemap" in said.get("rel", "").split() and is_of_sitemap(said.get("type", ""), href)


def _is_feed(_: str, said: dict[str, str]) -> bool:
    return "alternate" in said.get("rel", "").split() and said.get("type", "").strip() in FEED_TYPES
