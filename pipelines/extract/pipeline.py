"""The item pipeline that extracts: Page -> Outcome, in the workers."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from crawler.items import TURNED_AWAY, Listing, Outcome, Page
from crawler.reasons import sentence
from crawler.workers import WorkerBug, WorkerLost, Workers, workers_of
from pipelines.deduplicate.near_copies import Text
from pipelines.extract.own_pages import NotAPage, page_of
from pipelines.text import content_hash

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

logger = logging.getLogger(__name__)

Known = TypeVar("Known")

NEEDS = ("pipelines.extract.article", "babel.dates")
"""What outcome_of() imports late: trafilatura takes half a second, and a page's time is not for that; nor is that of every
worker for opening all 600 time zones, as babel does."""


class ExtractPipeline:
    """Extracts every page; listings pass. Waiting for an idle worker is the brake that keeps memory bounded."""

    def __init__(self, workers: "Workers", stats: "StatsCollector") -> None:
        self._workers = workers
        self._stats = stats
        self._before = asyncio.Event()  #: set when the archive's record before is on its way to the store
        self._before.set()

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "ExtractPipeline":
        assert crawler.stats is not None
        return cls(workers_of(crawler), crawler.stats)

    async def process_item(self, item: object) -> Listing | Outcome:
        if isinstance(item, Listing):
            return item
        page = self._page_of(item)
        async with self._in_turn(page):
            outcome = _with_answers(await self._outcome_of(replace(page, answers=())), page)
            return self._counted(outcome)

    @asynccontextmanager
    async def _in_turn(self, page: Page) -> AsyncIterator[None]:
        """Records of web archives are handed on in the order in which they were read: what a page said first comes first."""
        if page.warc is None:
            yield
            return
        before, done = self._before, asyncio.Event()
        self._before = done
        try:
            yield
            await before.wait()
        finally:
            done.set()

    def _counted(self, outcome: Outcome) -> Outcome:
        page = outcome.page
        word = "article" if outcome.article else outcome.refusal or outcome.failure or "unchanged"
        self._stats.inc_value(f"extract/{word}")
        if outcome.refusal:
            logger.info("refused %s: %s", page.url, outcome.refusal)
        return outcome

    def _page_of(self, item: object) -> Page:
        try:
            return page_of(item, datetime.now(UTC))
        except NotAPage as error:
            from scrapy.exceptions import DropItem  # the workers load this module, and nothing of Scrapy

            logger.error("%s", error)
            self._stats.inc_value("extract/not_a_page")
            raise DropItem(str(error), log_level="DEBUG") from None

    async def _outcome_of(self, page: Page) -> Outcome:
        return await extracted(self._workers, page)

    def close_spider(self) -> None:
        self._workers.kill()


async def extracted(workers: "Workers", page: Page) -> Outcome:
    """Extract one page in an idle worker, or pass on why there is nothing to extract."""
    if page.unchanged or ((page.failure or page.refusal) and not _is_told_by_feed(page)):
        return Outcome(page=page, failure=page.failure, refusal=page.refusal)
    try:
        return await workers.run(outcome_of, page, needs=NEEDS)
    except WorkerLost as lost:
        failure = f"extraction_{lost}"
        logger.warning("%s: %s", page.url, sentence(failure))
        return Outcome(page=_emptied(page), failure=failure)
    except WorkerBug as bug:
        logger.error("%s: a bug in extraction:\n%s", page.url, bug)
        return Outcome(page=_emptied(page), failure="extraction_error")


async def extracted_in_order(
    pages: Iterable[tuple[Known, Page | None]], workers: "Workers", ahead: int
) -> AsyncGenerator[tuple[Known, Outcome | None]]:
    """Extract pages, each beside what is known of it, in their order; None where there is no page. So many are under way `ahead` of
    the one that is waited for."""
    under_way: deque[tuple[Known, asyncio.Task[Outcome] | None]] = deque()
    try:
        for known, page in pages:
            under_way.append((known, asyncio.create_task(extracted(workers, page)) if page else None))
            if len(under_way) > ahead:
                yield await _first(under_way)
        while under_way:
            yield await _first(under_way)
    finally:
        for _, task in under_way:
            if task:
                task.cancel()


async def _first(under_way: "deque[tuple[Known, asyncio.Task[Outcome] | None]]") -> tuple[Known, Outcome | None]:
    known, task = under_way[0]
    outcome = await task if task else None
    under_way.popleft()
    return known, outcome


def outcome_of(page: Page) -> Outcome:
    """Extract one page; a refusal is an outcome, anything else that is raised is a bug of ours."""
    from pipelines.extract import EXTRACTOR, Refusal  # takes a second, in the worker
    from pipelines.extract.feed_text import read_article

    try:
        read, article = read_article(page)
        return with_prints(Outcome(page=_emptied(replace(read, failure=None, refusal=None)), article=article))
    except Refusal as refusal:
        if page.failure or page.refusal:
            return Outcome(page=_emptied(page), failure=page.failure, refusal=page.refusal)
        return Outcome(page=_emptied(page), refusal=refusal.reason, extractor=EXTRACTOR)


def _with_answers(outcome: Outcome, page: Page) -> Outcome:
    """What is kept of a page beside its article: its answers, which no worker needs, and the feed's text where that is the article's."""
    told = page.feed_html if outcome.article and outcome.article.text_source == "feed" else None
    return replace(outcome, page=replace(outcome.page, answers=page.answers, feed_html=told))


def _emptied(page: Page) -> Page:
    """Nothing after extraction needs what it was made of."""
    return replace(page, body=b"", feed_html=None)


def _is_told_by_feed(page: Page) -> bool:
    """Whether the feed's text may stand for a page that turned us away, or that nobody can ask for."""
    return page.feed_html is not None and (page.status in TURNED_AWAY or page.refusal == "hash_route")


def with_prints(outcome: Outcome) -> Outcome:
    """An outcome with what the writer compares its article by: made here, the crawl's own process has no time for it."""
    if outcome.article is None:
        return outcome
    text = outcome.article.text
    return replace(outcome, content_hash=content_hash(text), fingerprints=Text(text).prints)
