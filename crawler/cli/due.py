"""How far a run is: what is done of what is known to be due, and which host takes longest."""

from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from pipelines.archive.store import Archive

SECONDS_BETWEEN = 0.25
"""Between two counts: to add up a thousand hosts' queues at every answer would cost more than to read some."""


class Due:
    """Requests of a run: those that the archive knew to be due, or that were made since, and those that are left.

    A run of saved pages makes one request for a folder or archive of any size: of it the pages are counted, of nobody knows
    how many.
    """

    def __init__(self, crawler: "Crawler", archive: "Archive", known: int = 0) -> None:
        from pipelines.archive.queries import requests_due

        self._crawler = crawler
        self._counts_items = crawler.spidercls.name == "copies"
        is_crawl = crawler.spidercls.name == "news"
        limit = crawler.settings.getint("PAGE_LIMIT")
        self._known = requests_due(archive.db, datetime.now(UTC), limit) if is_crawl else known
        self._made = 0
        self._counted_at = 0.0
        self.items = 0  #: pages and listings that were read

    def note_request(self, request: Any) -> None:
        """Note one that is made; a redirect or a second try is the same as before."""
        if not (request.meta.get("redirect_times") or request.meta.get("retry_times")):
            self._made += 1

    def is_time(self) -> bool:
        """Whether to count again."""
        now = monotonic()
        if now - self._counted_at < SECONDS_BETWEEN:
            return False
        self._counted_at = now
        return True

    @property
    def total(self) -> int | None:
        """None: nobody knows yet."""
        return None if self._counts_items else max(self._made, self._known) or None

    @property
    def done(self) -> int:
        if self._counts_items:
            return self.items
        return max(0, self._made - sum(self._waiting().values()))

    @property
    def slowest(self) -> str:
        """The host that will be asked longest, how many requests wait for it, and how long that takes; "" where none waits."""
        waiting = self._waiting()
        seconds = {host: number * self._delay_of(host) for host, number in waiting.items()}
        host = max(seconds, key=lambda host: (seconds[host], host), default="")
        if not host:
            return ""
        minutes = round(seconds[host] / 60)
        return f"{host}: {waiting[host]:,} left" + (f", {minutes:,} min" if minutes else "")

    def _waiting(self) -> dict[str, int]:
        """Requests that are not answered yet, by host: in the queue, and in the downloader."""
        from crawler.fetcher.requests import IssuerRequest, RobotsRequest, TdmrepRequest, asked_for

        engine = self._crawler.engine
        if engine is None or engine.scheduler is None:
            return {}
        # Scrapy's scheduler keeps a queue for each host, and has no other way to ask how long they are.
        queues = getattr(getattr(engine.scheduler, "mqs", None), "pqueues", {})
        waiting = {host: len(queue) for host, queue in queues.items()}
        for request in engine.downloader.active:
            if not isinstance(asked_for(request), RobotsRequest | TdmrepRequest | IssuerRequest):
                host = engine.downloader.get_slot_key(request)
                waiting[host] = waiting.get(host, 0) + 1
        return {host: number for host, number in waiting.items() if number}

    def _delay_of(self, host: str) -> float:
        downloader = self._crawler.engine.downloader
        slot = downloader.slots.get(host)
        return slot.delay if slot else self._crawler.settings.getfloat("DOWNLOAD_DELAY")
