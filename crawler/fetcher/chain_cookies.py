"""Cookies (RFC 6265) within one chain of redirects: a check that asks for the cookie it has just set is passed as a browser passes it.

They are kept in memory, for the requests of that chain alone, and sent to the site only that set them. Every other request goes without.
"""

from scrapy import Request
from scrapy.http import Response
from scrapy.http.cookies import CookieJar

from crawler.urls import site_of

_JARS = "broadsheet_cookies"
"""The key of `Request.meta` under which a chain has its cookies: one jar per site, so that none is for another or for a whole
suffix (`Domain=co.uk`). Redirects take meta along; it ends with the last request of the chain."""

MAX_COOKIE_BYTES = 8_192
"""Of one answer; browsers take 4,096 of a cookie."""

REDIRECTS = (301, 302, 303, 307, 308)


class ChainCookiesMiddleware:
    """A downloader middleware: keeps what a redirect sets, and sends it with the requests that the redirect leads to."""

    def process_request(self, request: Request) -> None:
        jars: dict[str, CookieJar] | None = request.meta.get(_JARS)
        if jars is None:
            return
        request.headers.pop("Cookie", None)
        if jar := jars.get(site_of(request.url) or ""):
            jar.add_cookie_header(request)

    def process_response(self, request: Request, response: Response) -> Response:
        if response.status in REDIRECTS:
            keep_cookies(request, response)
        return response


def keep_cookies(request: Request, response: Response) -> None:
    """Keep for the rest of the chain what an answer sets that leads on."""
    said = response.headers.getlist("Set-Cookie")
    site = site_of(request.url)
    if said and site and sum(map(len, said)) <= MAX_COOKIE_BYTES:
        jars = request.meta.setdefault(_JARS, {})
        jars.setdefault(site, CookieJar()).extract_cookies(response, request)
