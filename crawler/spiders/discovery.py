"""Autodiscovery of feeds and sitemaps: the entry points of a bare front page's site, tried a group at a time until one yields."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from scrapy.http import Response

from crawler.items import Listing, Source
from crawler.parsers.listings import FEED_GUESSES, SITEMAP_GUESSES

Group = tuple[str, list[str]]
"""What is expected (one of items.KINDS), and the addresses where."""


@dataclass(slots=True)
class Discovery:
    """The discovery of one bare source: groups of entry points still to be tried, and the one being tried now."""

    source: Source
    front_page: Response
    groups: list[Group]  #: most precise first
    open: int = 0  #: requests of the present group not yet answered
    yielded: bool = False
    failures: list[str] = field(default_factory=list)
    silent: int = 0  #: guesses that ran out of time
    announced: frozenset[str] = frozenset()  #: feeds and sitemaps that the site names; the others are guesses
    dead: list[Listing] = field(default_factory=list)  #: of those announced, asked in vain: they may be back tomorrow

    def note_failure(self, listing: Listing) -> None:
        """Of an entry point that could not be read."""
        self.failures.append(f"{listing.url}: {listing.failure}")
        if listing.url in self.announced:
            self.dead.append(listing)
        elif listing.failure == "timeout":
            self.silent += 1
            if self.silent > 1:  # who does not answer two addresses that may not exist does not answer the others
                self.groups = [
                    (kind, urls) for kind, urls in self.groups if kind == "homepage" or self.announced & {*urls}
                ]


def entry_points(source: Source, origin: str, feeds: Sequence[str], sitemaps: Sequence[str]) -> Iterator[Group]:
    """The entry points worth asking, in the order of `discover`: of each kind first those announced, then the guesses.

    `origin` is the site's, `feeds` what its front page announces, `sitemaps` what its robots.txt names.
    """
    news = [url for url in sitemaps if "news" in url.rsplit("/", 1)[-1].lower()]
    announced = {"feed": feeds, "news_sitemap": news, "sitemap": [url for url in sitemaps if url not in news]}
    guesses = {"feed": FEED_GUESSES, **SITEMAP_GUESSES}
    for kind in source.discover:
        if kind == "homepage":
            yield kind, [source.url]
        else:
            groups = ([*announced[kind]], *([origin + path] for path in guesses[kind]))
            yield from ((kind, group) for group in groups if group)
