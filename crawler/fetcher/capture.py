"""Capture: every answer of an article's page as its server sent it, redirects included, for the WARC files.

Of listings, robots.txt, certificates and answers that say nothing of a page (304, busy, broken) there is none.
"""

from datetime import UTC, datetime
from http import HTTPStatus

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Headers, Response

from crawler.fetcher.requests import PageRequest, asked_for
from crawler.items import Answer

_ANSWERS = "broadsheet_answers"
"""The key of `Request.meta` under which a chain of redirects has its answers. Redirects and retries take meta along."""

_SAYS_NOTHING = (304, 408, 429)
"""HTTP statuses below 500 of answers that are never kept: nothing changed, or ask again."""


class CaptureMiddleware:
    """A downloader middleware above those that unpack answers and follow redirects."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "CaptureMiddleware":
        settings = crawler.settings
        if not settings.getbool("WARC") or (settings.get("OFFLINE_DIR") and not settings.getbool("WARC_OFFLINE")):
            raise NotConfigured
        return cls()

    def process_response(self, request: Request, response: Response) -> Response:
        asked = asked_for(request)
        kept = response.status < 500 and response.status not in _SAYS_NOTHING
        if isinstance(asked, PageRequest) and asked.source.warc and kept:
            request.meta[_ANSWERS] = (*answers_of(request), _answer(request, response))
        return response


def answers_of(request: Request | None) -> tuple[Answer, ...]:
    """What was captured on the way to the answer of this request, itself the last."""
    answers: tuple[Answer, ...] = request.meta.get(_ANSWERS, ()) if request else ()
    return answers


def _answer(request: Request, response: Response) -> Answer:
    return Answer(
        url=response.url,
        fetched_at=datetime.now(UTC),
        status=response.status,
        protocol=response.protocol or "HTTP/1.1",
        reason=_phrase(response.status),
        headers=_pairs(response.headers),
        body=response.body,
        ip_address=str(response.ip_address) if response.ip_address else None,
        method=request.method,
        request_headers=_pairs(request.headers),
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _pairs(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name, value) for name in headers for value in headers.getlist(name))
