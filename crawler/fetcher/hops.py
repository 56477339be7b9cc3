"""Redirects that are no HTTP redirect: pages that move on by HTML, and redirectors that name the target in their query. Each
is one hop, counted with all others, and the next address is asked by its own robots.txt, budget and guard."""

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.redirect import BaseRedirectMiddleware
from scrapy.http import HtmlResponse, Response

from crawler.client_redirects import client_redirect, is_same_address
from crawler.fetcher.chain_cookies import keep_cookies
from crawler.fetcher.requests import IssuerRequest, PageRequest, RobotsRequest, TdmrepRequest, asked_for
from crawler.fetcher.robots import RobotsForbid
from crawler.items import WHOLE
from crawler.redirectors import target_in_query
from crawler.urls import canonical_or_none


class HopsMiddleware(BaseRedirectMiddleware):
    """A downloader middleware that follows what a browser would follow, and takes from a redirector that refuses robots what it
    would lead to."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "HopsMiddleware":
        return super().from_crawler(crawler)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Follow a page that only moves on."""
        asked = asked_for(request)
        is_a_file = isinstance(asked, RobotsRequest | TdmrepRequest | IssuerRequest)
        if asked is None or is_a_file or response.status not in WHOLE:
            return response
        if not isinstance(response, HtmlResponse):
            return response
        target = canonical_or_none(client_redirect(response.body, response.url) or "")
        # To itself again it leads only who brings the cookie that it has just set.
        if target is None or ("Set-Cookie" not in response.headers and is_same_address(target, response.url)):
            return response
        keep_cookies(request, response)
        return self._redirect(self._redirect_request_using_get(request, response, target), request, "client redirect")

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Ask for the target itself where robots.txt forbids the redirector's page."""
        if not isinstance(exception, RobotsForbid) or not isinstance(asked_for(request), PageRequest):
            return None
        target = target_in_query(request.url)
        if target is None or target in request.meta.get("redirect_urls", ()):
            return None
        return self._redirect(
            self._redirect_request_using_get(request, Response(request.url), target), request, "redirector"
        )
