"""Extraction in processes that can be killed: one that hangs, dies or eats memory costs one page."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.test import get_crawler

from crawler import workers
from crawler.fetcher.read_listings import reading_of
from crawler.items import Outcome, Page
from crawler.parsers.links import Reading
from crawler.workers import Limits, WorkerLost, Workers, _tell_unless_out_of_memory
from pipelines.deduplicate.near_copies import Text
from pipelines.extract.pipeline import ExtractPipeline, outcome_of
from pipelines.text import content_hash
from tests.loopback import article_html, story

LIMITS = Limits(seconds=5.0, megabytes=1536)


def page(name: str) -> Page:
    url = f"https://a.example/{name}"
    return Page(
        url=url,
        final_url=url,
        via="file",
        fetched_at=datetime(2026, 11, 3, tzinfo=UTC),
        content_type="text/html",
        body=article_html(name, story(name)).encode(),
    )


def with_workers(number: int, work: Callable[[Workers], Awaitable[object]], limits: Limits = LIMITS) -> object:
    async def run() -> object:
        pool = Workers(number, limits)
        try:
            return await work(pool)
        finally:
            pool.kill()

    return asyncio.run(run())


def test_pages_come_back_as_articles() -> None:
    async def work(pool: Workers) -> list[Outcome]:
        return list(await asyncio.gather(*(pool.run(outcome_of, page(name)) for name in ("pier", "dog", "quay"))))

    outcomes = with_workers(2, work)
    assert isinstance(outcomes, list)
    assert [outcome.article.title for outcome in outcomes] == ["pier", "dog", "quay"]
    assert all(outcome.page.body == b"" for outcome in outcomes)
    assert all(outcome.fingerprints == Text(outcome.article.text).prints for outcome in outcomes)
    assert all(outcome.content_hash == content_hash(outcome.article.text) for outcome in outcomes)


def test_a_page_that_overruns_is_given_up_and_the_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    start = workers.Worker.__init__

    def noting(worker: workers.Worker, limits: Limits) -> None:
        start(worker, limits)
        started.append(worker._process.pid or 0)

    monkeypatch.setattr(workers.Worker, "__init__", noting)

    async def work(pool: Workers) -> object:
        await pool.run(outcome_of, page("pier"))
        os.kill(started[0], signal.SIGSTOP)
        with pytest.raises(WorkerLost, match="timeout"):
            await pool.run(outcome_of, page("dog"))
        return await pool.run(outcome_of, page("quay"))

    outcome = with_workers(1, work, Limits(seconds=1.0, megabytes=1536))
    assert isinstance(outcome, Outcome)
    assert outcome.article
    assert len(started) == 2


def test_a_page_whose_worker_dies_gets_a_second_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(pool: Workers) -> object:
        await pool.run(outcome_of, page("pier"))
        worker = pool._idle.get_nowait()
        assert worker is not None
        worker._process.kill()
        worker._process.join()
        pool._idle.put_nowait(worker)
        return await pool.run(outcome_of, page("dog"))

    outcome = with_workers(1, work)
    assert isinstance(outcome, Outcome)
    assert outcome.article


def test_killing_all_workers_does_not_wait_for_a_stuck_one() -> None:
    async def work(pool: Workers) -> float:
        await pool.run(outcome_of, page("pier"))
        worker = pool._idle.get_nowait()
        assert worker is not None
        os.kill(worker._process.pid or 0, signal.SIGSTOP)
        pool._idle.put_nowait(worker)
        stuck = asyncio.ensure_future(pool.run(outcome_of, page("dog")))
        await asyncio.sleep(0.2)
        begin = time.monotonic()
        pool.kill()
        with pytest.raises(WorkerLost):
            await stuck
        return time.monotonic() - begin

    assert with_workers(1, work, Limits(seconds=30.0, megabytes=1536)) < 20  # type: ignore[operator]


def test_a_bug_in_extraction_is_a_failure_of_its_page(caplog: pytest.LogCaptureFixture) -> None:
    async def work(pool: Workers) -> object:
        pipeline = ExtractPipeline(pool, MemoryStatsCollector(get_crawler()))
        return await pipeline.process_item(replace(page("pier"), body=None))  # type: ignore[arg-type]

    outcome = with_workers(1, work)
    assert isinstance(outcome, Outcome)
    assert outcome.failure == "extraction_error"
    assert "Traceback" in caplog.text


def test_a_feed_that_no_worker_finishes_is_given_up_and_says_so() -> None:
    nested = b"<rss>" + b"<a>" * 600_000

    async def work(pool: Workers) -> object:
        with pytest.raises(WorkerLost, match="timeout"):
            await pool.run(reading_of, nested, "https://a.example/feed", "feed")
        return await pool.run(reading_of, b"<rss/>", "https://a.example/feed", "feed")

    reading = with_workers(1, work, Limits(seconds=1.0, megabytes=1536))
    assert isinstance(reading, Reading)


@pytest.mark.parametrize(("kind", "told"), [(MemoryError, 0), (ValueError, 1)])
def test_want_of_memory_in_a_callback_is_not_printed_and_a_bug_is(kind: type[Exception], told: int) -> None:
    printed: list[object] = []
    _tell_unless_out_of_memory(kind, printed.append, kind())
    assert len(printed) == told
