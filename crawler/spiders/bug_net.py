"""Error boundary: an exception of ours in a spider's callback is a failure of its page or listing, not a page that stays
pending for ever."""

from collections.abc import Iterable
from typing import Any

from scrapy.http import Response
from twisted.python.failure import Failure


class InternalError(Exception):
    """An unexpected exception, a bug, as the `__cause__` of this one: a ValueError of our own is no damaged answer."""


class BugNet:
    """A spider middleware: an answer that a bug of ours fell over is a failure of its page or listing.

    Else the page would stay pending and be asked for in every run, and `status` would know of nothing.
    """

    def process_spider_exception(self, response: Response, exception: Exception) -> Iterable[Any] | None:
        if response.request is None or response.request.errback is None:
            return None
        bug = InternalError()
        bug.__cause__ = exception
        failure = Failure(bug)  # type: ignore[no-untyped-call]
        failure.request = response.request  # type: ignore[attr-defined]  # as Scrapy does for an errback
        found: Iterable[Any] = response.request.errback(failure)
        return found
