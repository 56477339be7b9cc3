"""Hash routes (`/#!/news/12`, `/#/news/12`): pages that only JavaScript can show, never asked for.

What stands behind `#` never reaches a server: each of them would answer with the same front page.
"""

from scrapy import Request
from scrapy.exceptions import IgnoreRequest

from crawler.fetcher.requests import PageRequest, asked_for
from crawler.urls import canonical_or_none, hash_route


class HashRoute(IgnoreRequest):
    """The address of a page is a route behind `#`. The message is the reason for `pages.reason`."""


class HashRoutesMiddleware:
    """A downloader middleware that refuses hash routes before anybody is asked, also where a redirect leads to one."""

    def process_request(self, request: Request) -> None:
        has_fragment = "#" in request.url and isinstance(asked_for(request), PageRequest)
        if has_fragment and hash_route(canonical_or_none(request.url) or ""):
            raise HashRoute("hash_route")
