"""tdmrep.json (TDM Reservation Protocol, W3C community group): what a host says of text and data mining, by path. Asked for once
in 30 days, for hosts of articles, and recorded; whatever it says, the page is asked for as it would have been."""

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from crawler.fetcher.backoff import BUSY, HostRecords, NotSent, records_of
from crawler.fetcher.failures import NETWORK_ERRORS
from crawler.fetcher.requests import PageRequest, TdmrepRequest, asked_for, scrapy_request
from crawler.items import WHOLE, Host
from crawler.lenient_json import Repairs, UnreadableJSON, read_json
from crawler.path_patterns import Tdmrep
from crawler.reservations import tdm_reservation
from crawler.urls import host_of, origin_of

logger = logging.getLogger(__name__)


MAX_TDMREP_BYTES = 2**16
"""Bytes of a tdmrep.json, unpacked; a longer one counts as no answer. The specification's longest example has 300."""


MAX_RULES = 200
"""Rules that are read: each page is held against them, in the worst case for 0.1 ms each. That example has three."""


TDMREP_FRESH = timedelta(days=30)
"""How long an answer holds, that there is no such file, too: whether a publisher reserves is no news of the day."""


TDMREP_RETRY = timedelta(days=1)
"""After what time a host is asked again that gave no answer."""


_REPAIR_STEPS = 30_000
"""Like lenient_json.MAX_STEPS: the crawl waits for this reading, a twentieth of a second at most."""


_RESERVATION = "broadsheet_tdm_reservation"
"""The key of `Request.meta` under which a page's request has what its host says of its path."""


def read_rules(body: bytes) -> list[dict[str, Any]]:
    """The rules of a tdmrep.json: `location`, `tdm-reservation` (1 or 0) and `tdm-policy` (an address), as far as each says them.

    What is no rule is left out. [] of what is no such file: many servers send their front page for every address.
    """
    text = body.decode("utf-8-sig", "replace").strip()
    if not text or text.startswith("<"):
        return []
    try:
        read = read_json(text, Repairs(_REPAIR_STEPS))
    except UnreadableJSON:
        return []
    return list(islice(_rules(read if isinstance(read, list) else [read]), MAX_RULES))


def _rules(entries: list[Any]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        location = _line(entry.get("location")) if isinstance(entry, dict) else None
        if location:
            said = tdm_reservation([entry.get("tdm-reservation")]), _line(entry.get("tdm-policy"))
            rule = {"location": location, "tdm-reservation": said[0], "tdm-policy": said[1]}
            yield {name: value for name, value in rule.items() if value is not None}


def _line(value: object) -> str | None:
    """A string without white space; half a surrogate pair, which JSON may hold and UTF-8 may not, is replaced."""
    text = value.strip().encode("utf-8", "replace").decode() if isinstance(value, str) else ""
    return text if len(text.split()) == 1 else None


class TdmrepMiddleware:
    """A downloader middleware below robots.txt: before the first page of a host it asks for its tdmrep.json, where it is due.

    As everything else within robots.txt, address guard, delay, backoff and budget. No page is lost for it.
    """

    def __init__(self, crawler: Crawler, records: HostRecords | None) -> None:
        self._crawler = crawler
        self._records = records
        self._locks: dict[str, asyncio.Lock] = {}
        self._known: dict[str, Tdmrep] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "TdmrepMiddleware":
        records = records_of(crawler)
        if not crawler.settings.getbool("ROBOTSTXT_OBEY") or not (records or crawler.settings.get("OFFLINE_DIR")):
            raise NotConfigured
        return cls(crawler, records)

    async def process_request(self, request: Request) -> None:
        if isinstance(asked_for(request), PageRequest) and request.url.startswith(("http:", "https:")):
            request.meta[_RESERVATION] = (await self._rules_for(request)).reservation_of(request.url)

    async def _rules_for(self, request: Request) -> Tdmrep:
        host = host_of(request.url)
        async with self._locks.setdefault(host, asyncio.Lock()):
            if host not in self._known:
                self._known[host] = Tdmrep(await self._learn(host, request))
        return self._known[host]

    async def _learn(self, host: str, request: Request) -> list[dict[str, Any]]:
        """The host's rules, remembered or asked for."""
        known, now = self._records.host(host) if self._records else Host(host=host), datetime.now(UTC)
        rules: list[dict[str, Any]] = json.loads(known.tdmrep) if known.tdmrep else []
        if is_fresh(known, now):
            return rules
        try:
            response = await self._ask(request)
        except NotSent:  # the budget is spent, or the run ends
            return rules
        status = response.status if response else None
        if response and has_answered(status):
            rules = read_rules(response.body) if status in WHOLE else []
        self._keep(host, rules, status, now)
        return rules

    async def _ask(self, request: Request) -> Response | None:
        """The answer; None when there was none, robots.txt forbids to ask, or it is too long. Raises NotSent."""
        asked = TdmrepRequest(url=f"{origin_of(request.url)}/.well-known/tdmrep.json", before=asked_for(request))
        meta = {"download_maxsize": MAX_TDMREP_BYTES, "dont_retry": True}
        assert self._crawler.engine is not None
        try:
            return await self._crawler.engine.download_async(
                scrapy_request(asked, NO_CALLBACK, priority=1000, meta=meta)
            )
        except NotSent:
            raise
        except (IgnoreRequest, *NETWORK_ERRORS) as error:
            logger.info("%s: %r", asked.url, error)
            return None

    def _keep(self, host: str, rules: list[dict[str, Any]], status: int | None, now: datetime) -> None:
        if self._records:
            learnt: dict[str, Any] = {
                "tdmrep": json.dumps(rules) if rules else None,
                "tdmrep_status": status,
                "tdmrep_fetched_at": now,
            }
            self._records.keep_host(replace(self._records.host(host), **learnt))


def reservation_of(request: Request | None) -> int | None:
    """What its host's tdmrep.json says of a page's request: 1, 0, or None where it does not."""
    reserved: int | None = request.meta.get(_RESERVATION) if request else None
    return reserved


def is_fresh(host: Host, now: datetime) -> bool:
    """Whether a host was asked for its tdmrep.json not long ago; a time from the future is a clock's fault."""
    if host.tdmrep_fetched_at is None:
        return False
    return (
        timedelta()
        <= now - host.tdmrep_fetched_at
        < (TDMREP_FRESH if has_answered(host.tdmrep_status) else TDMREP_RETRY)
    )


def has_answered(status: int | None) -> bool:
    """Whether an HTTP status says of a file what it holds, or that there is none."""
    return status is not None and status < 500 and status not in BUSY
