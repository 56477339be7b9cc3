"""Backoff (429, 503, Retry-After), the request budget of a host, and the stop: whether a request is still sent in this run.

A request that is not sent raises NotSent, and nobody takes that for an answer: its page stays pending, its feed due.
"""

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Protocol

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.fetcher.requests import PageRequest, TdmrepRequest, asked_for, attempts_of, source_of
from crawler.items import Host
from crawler.urls import host_of

logger = logging.getLogger(__name__)


BUSY = (429, 503)
"""Too Many Requests (RFC 6585, 4) and Service Unavailable (RFC 9110, 15.6.4): the host asks for fewer requests."""


BACKOFF_MIN = timedelta(minutes=15)
"""Exponential backoff: how long a busy host that names no time is left alone at first; from then on as long again as it
has been busy, which doubles the time. A quarter of an hour is the usual distance of two starts by cron."""


BACKOFF_MAX = timedelta(days=1)
"""The longest backoff: however long a host has been busy, it is asked once a day, as feeds are; a time further ahead is
nonsense, or a clock's fault."""


MAX_INLINE_WAIT = timedelta(seconds=30)
"""The longest Retry-After that is waited for within the run: of one host all its waits together."""


MAX_REPEATS = 2
"""Retries of one request, each after such a wait; then the host is left alone."""


_LAST = -100
"""Priority of what is asked again: after all else, so that one busy address does not cost the others."""


"""Per scheme, as it would stand at the end of an address's host."""


class NotSent(IgnoreRequest):
    """This request was not made in this run; the message says why. It says nothing of its page or feed."""


class Postponed(Protocol):
    """What a run remembers of what it put off."""

    postponed: dict[str, str]  #: sources, by address, of which something due was not asked, and why
    held: dict[str, str]  #: those of them of which it was a listing, and the host is left alone: `address: why`


class HostRecords(Protocol):
    """The part of the archive that remembers hosts. Only the archive knows how."""

    @property
    def run(self) -> Postponed: ...

    def host(self, name: str) -> Host: ...

    def keep_host(self, host: Host) -> None: ...


def records_of(crawler: Crawler) -> HostRecords | None:
    """Where hosts are remembered. Nowhere in a crawl of local copies: what a folder says of a host must not be believed
    by the next crawl that asks the host itself."""
    records: HostRecords | None = crawler.settings.get("ARCHIVE")
    return None if crawler.settings.get("OFFLINE_DIR") else records


class BackoffMiddleware:
    """Backoff per host, as a downloader middleware: the last station before a request waits for its turn to be sent.

    Raises NotSent for what is not sent: a host's busy answers, its budget and the stop are reasons.
    """

    def __init__(self, crawler: Crawler, records: HostRecords, budget: int) -> None:
        self._crawler = crawler
        self._records = records
        self._budget = budget
        self._sent: Counter[str] = Counter()
        self._known: dict[str, Host] = {}
        self._blocked: dict[str, str] = {}  #: hosts that are not asked any more in this run, and why
        self._suspected: set[str] = set()  #: hosts whose last answer was busy and named no time
        self._good_answers: Counter[str] = Counter()  #: answers of each host that were not busy
        self._soon: dict[
            str, datetime
        ] = {}  #: hosts of whose rest a few seconds are left, which are waited for, and until when
        self._waited: dict[str, timedelta] = {}  #: how long each host was waited for in this run
        self._stopped = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "BackoffMiddleware":
        records = records_of(crawler)
        if records is None:
            raise NotConfigured
        middleware = cls(crawler, records, crawler.settings.getint("HOST_BUDGET"))
        crawler.signals.connect(middleware._stop_at_once, signals.spider_opened)
        crawler.signals.connect(middleware.reject_if_blocked, signals.request_scheduled)
        crawler.signals.connect(middleware._on_response, signals.response_downloaded)
        return middleware

    # Requests

    def reject_if_blocked(self, request: Request) -> None:
        """Raise NotSent when the request cannot be sent any more. Asked before it is queued, too: a host may have a hundred
        thousand pages pending, and all the way to here costs a millisecond each."""
        if not request.url.startswith(("http:", "https:")):
            return
        reason = "stopped" if self._stopped else self._why_not(host_of(request.url))
        if reason:
            self._note_postponed(request, reason)
            raise NotSent(reason)

    async def process_request(self, request: Request) -> None:
        self.reject_if_blocked(request)
        if soon := self._soon.get(host_of(request.url)):
            await asyncio.sleep(max(0.0, (soon - datetime.now(UTC)).total_seconds()))
            self.reject_if_blocked(request)
        if request.url.startswith(("http:", "https:")):
            self._sent[host_of(request.url)] += 1

    def _why_not(self, host: str) -> str | None:
        """Why a host is not asked any more; None when it may be."""
        if host not in self._known:
            self._known[host] = self._records.host(host)
            rest = rest_of(self._known[host], datetime.now(UTC))
            if rest > MAX_INLINE_WAIT:
                self._blocked[host] = _why_blocked(self._known[host])
            elif rest:
                self._waited[host], self._soon[host] = rest, datetime.now(UTC) + rest
        if self._sent[host] >= self._budget:
            self._blocked.setdefault(host, f"the budget of {host} for one run, {self._budget:,} requests, is spent")
        return self._blocked.get(host)

    def process_exception(self, request: Request, exception: Exception) -> None:
        if isinstance(exception, NotSent):  # also of the request for the robots.txt that this one waited for
            self._note_postponed(request, str(exception))

    def _note_postponed(self, request: Request, reason: str) -> None:
        """Note for the source whose request it is that something due was not asked; a stop speaks for itself."""
        source = source_of(request)
        if source is None or self._stopped:
            return
        self._records.run.postponed.setdefault(source.url, reason)
        asked, host = asked_for(request), self._known.get(host_of(request.url))
        is_entry_point = not isinstance(asked, PageRequest) or asked.via == "listed"
        if is_entry_point and host and is_backing_off(host, datetime.now(UTC)):
            self._records.run.held.setdefault(source.url, f"{request.url}: {reason}")

    # Answers

    def _on_response(self, response: Response, request: Request) -> None:
        """Take back what waits for its turn when a host is too busy, before the downloader sends the next of it.

        process_response comes too late for that: where an answer takes longer than the delay, the next is on its way.
        """
        if not request.url.startswith(("http:", "https:")):
            return
        host = host_of(request.url)
        if response.status in BUSY:
            self._on_busy(host, response, request, datetime.now(UTC))
        elif response.status < 500:
            self._suspected.discard(host)
            self._good_answers[host] += 1

    def _on_busy(self, host: str, response: Response, request: Request, now: datetime) -> None:
        """Retry after a short wait, suspect the host, or back off: by what it asks for, and by the answer before."""
        wait, attempts = retry_after(response, now), attempts_of(request)
        if attempts.good_answers_before is None:
            attempts.good_answers_before = self._good_answers[host]
        if wait and self._delay_host(host, wait, request):
            return
        # One address may be out of order, and the host well: it gave other answers, or the last one was of that kind.
        is_well = self._good_answers[host] > attempts.good_answers_before
        is_first = host not in self._suspected if wait is None else wait <= MAX_INLINE_WAIT and is_well
        if wait is None and is_first:
            self._suspected.add(host)
        is_one_of_many = isinstance(asked_for(request), PageRequest | TdmrepRequest)
        if is_first and (wait or is_one_of_many or attempts.repeated):
            return
        self._known[host] = backed_off(self._known[host], response, now)
        if not is_first:
            self._blocked[host] = _why_blocked(self._known[host])
            self._withdraw_queued(NotSent(self._blocked[host]), host)
        elif response.status == 503:  # is asked again as after a 500; 429 means this very request
            attempts.is_due = True

    def _delay_host(self, host: str, wait: timedelta, request: Request) -> bool:
        """Have the host asked nothing for a short time, and this request made again; False when that was done enough."""
        waited, attempts = self._waited.get(host, timedelta()) + wait, attempts_of(request)
        if waited > MAX_INLINE_WAIT or attempts.repeated >= MAX_REPEATS:
            return False
        self._waited[host] = waited
        attempts.is_due = True
        assert self._crawler.engine is not None
        downloader = self._crawler.engine.downloader
        if slot := downloader.slots.get(downloader.get_slot_key(request)):
            slot.lastseen = monotonic() + wait.total_seconds() - slot.delay  # the next is sent a delay after this
        return True

    def process_response(self, request: Request, response: Response) -> Response | Request:
        """Remember that a host is busy, or that it is no more."""
        known = self._known.get(host_of(request.url))
        if known and response.status in BUSY:
            self._note_busy(request, response, known)
        elif known and known.busy_since and response.status < 500 and known.host not in self._blocked:
            self._keep(replace(known, not_before=None, busy_since=None))
        return _repeated(request) if attempts_of(request).is_due else response

    def _note_busy(self, request: Request, response: Response, known: Host) -> None:
        logger.warning("%s: http_%d; %s", request.url, response.status, self._blocked.get(known.host, "asked on"))
        if known.busy_since:
            self._keep(known)

    def _keep(self, known: Host) -> None:
        self._known[known.host] = known
        record = self._records.host(known.host)
        self._records.keep_host(replace(record, not_before=known.not_before, busy_since=known.busy_since))

    # The stop

    def _stop_at_once(self) -> None:
        """Have the end of the crawl, by a signal or --max-minutes, not wait for requests that nobody has sent yet.

        Scrapy waits for all it has handed to the downloader, a Crawl-delay apart, and tells nobody that it does.
        """
        engine = self._crawler.engine
        assert engine is not None
        close = engine.close_spider_async

        async def close_at_once(*, reason: str = "cancelled") -> None:
            self._stopped = True
            self._withdraw_queued(NotSent("stopped"))
            await close(reason=reason)

        engine.close_spider_async = close_at_once  # type: ignore[method-assign]  # every way to end a crawl leads here

    def _withdraw_queued(self, not_sent: NotSent, host: str | None = None) -> None:
        """Take from the downloader what waits for its turn to be sent, to one host or to all."""
        assert self._crawler.engine is not None
        for slot in self._crawler.engine.downloader.slots.values():
            waiting = list(slot.queue)
            slot.queue.clear()
            for request, answer in waiting:
                if host in (None, host_of(request.url)):
                    answer.errback(Failure(not_sent))  # type: ignore[no-untyped-call]
                else:
                    slot.queue.append((request, answer))


def _repeated(request: Request) -> Request:
    """The same request, behind all others."""
    attempts = attempts_of(request)
    attempts.is_due = False
    attempts.repeated += 1
    again: Request = request.replace(priority=_LAST, dont_filter=True)
    return again


def is_backing_off(host: Host, now: datetime) -> bool:
    """Whether a host is still backing off: its time has not come yet. A time too far ahead was written by a clock that was."""
    return host.not_before is not None and now < host.not_before <= now + BACKOFF_MAX


def rest_of(host: Host, now: datetime) -> timedelta:
    """How long a host is still to be left alone."""
    return host.not_before - now if host.not_before and is_backing_off(host, now) else timedelta()


def backed_off(host: Host, response: Response, now: datetime) -> Host:
    """The host after an answer of BUSY: until when it is left alone, and since when it has been busy."""
    since = min(host.busy_since or now, now)
    rest = min(retry_after(response, now) or max(BACKOFF_MIN, now - since), BACKOFF_MAX)
    earlier = host.not_before if is_backing_off(host, now) else None  # several requests may have been in flight
    return replace(host, not_before=max(now + rest, earlier or now), busy_since=since)


def retry_after(response: Response, now: datetime) -> timedelta | None:
    """Retry-After: how long an answer asks to wait (RFC 9110, 10.2.3: seconds or a date); None when it does not say, or
    nonsense: no time to come, or more than a day."""
    said = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    if said.isascii() and said.isdigit():
        wait = timedelta(seconds=min(int(said[:19]), 2 * BACKOFF_MAX.total_seconds()))
    else:
        wait = (_date(said) or now) - now
    return wait if timedelta() < wait <= BACKOFF_MAX else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _why_blocked(host: Host) -> str:
    assert host.not_before is not None
    return f"{host.host} wants to be left alone until {host.not_before:%Y-%m-%dT%H:%M:%SZ}"
