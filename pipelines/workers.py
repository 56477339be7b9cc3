"""Page -> Outcome, in processes that can be killed.

Some pages take trafilatura minutes or gigabytes, and a thread cannot be stopped. A worker that dies or overruns costs
one page, which is marked with the reason; the crawl goes on. Knows nothing of what extraction does.
"""

import asyncio
import contextlib
import logging
import multiprocessing
import os
import resource
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from crawler.items import Listing, Outcome, Page
from pipelines.extract import EXTRACTOR, Refusal, extract

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

logger = logging.getLogger(__name__)

START_LIMIT = 60.0
"""Seconds a worker may take to import what it needs; 0.4 on an idle machine."""

_spawn = multiprocessing.get_context("spawn")
"""Forked workers would hold the lock file and the database open after their parent is killed (seen: 8 s later)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one worker."""

    seconds: float  #: that one page may take
    megabytes: int  #: of address space


class WorkerLost(Exception):
    """The worker died or overran; the message is the reason for `pages.reason`."""


class ExtractPipeline:
    """Extracts every page; listings pass. Waiting for an idle worker is the brake that keeps memory bounded."""

    def __init__(self, workers: "Workers | None", stats: "StatsCollector") -> None:
        self._workers = workers
        self._stats = stats

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "ExtractPipeline":
        settings = crawler.settings
        limits = Limits(seconds=settings.getfloat("EXTRACT_TIMEOUT"), megabytes=settings.getint("EXTRACT_MEMORY_MB"))
        number = settings.getint("EXTRACT_WORKERS")
        assert crawler.stats is not None
        return cls(Workers(number, limits) if number else None, crawler.stats)

    async def process_item(self, item: Listing | Page) -> Listing | Outcome:
        if isinstance(item, Listing):
            return item
        outcome = await self._outcome_of(item)
        word = "article" if outcome.article else outcome.refusal or outcome.failure or "unchanged"
        self._stats.inc_value(f"extract/{word}")
        if outcome.refusal:
            logger.info("refused %s: %s", item.url, outcome.refusal)
        return outcome

    async def _outcome_of(self, page: Page) -> Outcome:
        if page.failure or page.refusal or page.unchanged:
            return Outcome(page=page, failure=page.failure, refusal=page.refusal)
        if self._workers is None:
            return outcome_of(page)
        try:
            return await self._workers.run(page)
        except WorkerLost as lost:
            logger.warning("%s: %s", page.url, lost)
            return Outcome(page=replace(page, body=b""), failure=str(lost))

    def close_spider(self) -> None:
        if self._workers:
            self._workers.kill()


def outcome_of(page: Page) -> Outcome:
    """Extract one page; a refusal is an outcome, anything else that is raised is a bug of ours."""
    empty = replace(page, body=b"")
    try:
        return Outcome(page=empty, article=extract(page))
    except Refusal as refusal:
        return Outcome(page=empty, refusal=refusal.reason, extractor=EXTRACTOR)


class Workers:
    """A fixed number of processes, started when first needed, each with a pipe of its own."""

    def __init__(self, number: int, limits: Limits) -> None:
        self._limits = limits
        self._idle: asyncio.LifoQueue[Worker | None] = asyncio.LifoQueue()  # the next starts only when this one is busy
        self._busy: set[Worker] = set()
        self._closed = False
        for _ in range(number):
            self._idle.put_nowait(None)

    async def run(self, page: Page) -> Outcome:
        """Extract `page` in an idle worker; one that dies gets a second chance in a new one. Raises WorkerLost."""
        worker = await self._idle.get()
        try:
            worker = worker or await self._start()
            try:
                return await self._ask(worker, page)
            except EOFError:
                if self._closed:
                    raise
                worker = await self._start()
                return await self._ask(worker, page)
        except (EOFError, TimeoutError) as error:
            worker = None
            raise WorkerLost("extraction_timeout" if isinstance(error, TimeoutError) else "extraction_crash") from error
        finally:
            self._idle.put_nowait(worker if worker and worker.alive else None)

    async def _start(self) -> "Worker":
        worker = Worker(self._limits)
        await self._within(START_LIMIT, worker, worker.receive)
        return worker

    async def _ask(self, worker: "Worker", page: Page) -> Outcome:
        answer = await self._within(self._limits.seconds, worker, lambda: worker.exchange(page))
        if isinstance(answer, Outcome):
            return answer
        logger.error("%s: a bug in extraction:\n%s", page.url, answer)
        return Outcome(page=replace(page, body=b""), failure="extraction_error")

    async def _within(self, seconds: float, worker: "Worker", work: Callable[[], object]) -> object:
        """Wait for the worker in a thread; on any way out but an answer it is killed, which also ends the thread."""
        self._busy.add(worker)
        answered = False
        try:
            answer = await asyncio.wait_for(asyncio.to_thread(work), seconds)
            answered = True
            return answer
        finally:
            self._busy.discard(worker)
            if not answered:
                worker.kill()

    def kill(self) -> None:
        """End all workers at once; nobody waits for a stuck one."""
        self._closed = True
        while not self._idle.empty():
            if worker := self._idle.get_nowait():
                worker.kill()
        for worker in tuple(self._busy):
            worker.kill()


class Worker:
    """One process and the pipe to it."""

    def __init__(self, limits: Limits) -> None:
        self._pipe, theirs = _spawn.Pipe()
        self._process = _spawn.Process(target=_serve, args=(theirs, limits), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def exchange(self, page: Page) -> object:
        """Send a page, wait for what became of it. Raises EOFError when the worker is gone."""
        try:
            self._pipe.send(page)
        except OSError:
            raise EOFError from None
        return self.receive()

    def receive(self) -> object:
        try:
            return self._pipe.recv()
        except OSError:
            raise EOFError from None

    def kill(self) -> None:
        self._process.kill()
        self._process.join(1)


def _serve(pipe: Connection, limits: Limits) -> None:
    """A worker's life: say that it is ready, then a page in, an outcome or a traceback out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    os.setsid()
    space = limits.megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone
        pipe.send("ready")
        while True:
            page = pipe.recv()
            # Should the parent be killed while this page hangs, nobody else would end this process.
            signal.setitimer(signal.ITIMER_REAL, limits.seconds + 1)
            pipe.send(_answer(page))
            signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(page: Page) -> Outcome | str:
    try:
        return outcome_of(page)
    except MemoryError:
        return Outcome(page=replace(page, body=b""), failure="extraction_memory")
    except Exception:  # noqa: BLE001  # the parent logs it as the bug it is; lxml's exceptions do not pickle
        return traceback.format_exc()
