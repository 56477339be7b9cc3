"""Extraction in processes that can be killed: one that hangs, dies or eats memory costs one page."""

import asyncio
import os
import resource
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.test import get_crawler

from crawler.items import Outcome, Page
from crawler.parsers.links import Reading
from crawler.parsers.listings import reading_of
from crawler.worker_process import tell_unless_out_of_memory
from crawler.workers import Limits, Worker, WorkerLost, Workers
from pipelines.deduplicate.near_copies import Text
from pipelines.extract.pipeline import NEEDS, ExtractPipeline, outcome_of
from pipelines.text import content_hash
from tests.support.loopback import article_html, story

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
        return list(
            await asyncio.gather(*(pool.run(outcome_of, page(name), needs=NEEDS) for name in ("pier", "dog", "quay")))
        )

    outcomes = with_workers(2, work)
    assert isinstance(outcomes, list)
    assert [outcome.article.title for outcome in outcomes] == ["pier", "dog", "quay"]
    assert all(outcome.page.body == b"" for outcome in outcomes)
    assert all(outcome.fingerprints == Text(outcome.article.text).prints for outcome in outcomes)
    assert all(outcome.content_hash == content_hash(outcome.article.text) for outcome in outcomes)


def test_a_page_that_overruns_is_given_up_and_the_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    start = Worker.__init__

    def noting(worker: Worker, process: int, *more: Any) -> None:
        start(worker, process, *more)
        started.append(process)

    monkeypatch.setattr(Worker, "__init__", noting)

    async def work(pool: Workers) -> object:
        await pool.run(outcome_of, page("pier"), needs=NEEDS)
        os.kill(started[0], signal.SIGSTOP)
        with pytest.raises(WorkerLost, match="timeout"):
            await pool.run(outcome_of, page("dog"), needs=NEEDS)
        return await pool.run(outcome_of, page("quay"), needs=NEEDS)

    outcome = with_workers(1, work, Limits(seconds=1.0, megabytes=1536))
    assert isinstance(outcome, Outcome)
    assert outcome.article
    assert len(started) == 2


def test_a_page_whose_worker_dies_gets_a_second_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(pool: Workers) -> object:
        await pool.run(outcome_of, page("pier"), needs=NEEDS)
        worker = pool._idle.get_nowait()
        assert worker is not None
        os.kill(worker.process, signal.SIGKILL)
        pool._idle.put_nowait(worker)
        return await pool.run(outcome_of, page("dog"), needs=NEEDS)

    outcome = with_workers(1, work)
    assert isinstance(outcome, Outcome)
    assert outcome.article


def test_killing_all_workers_does_not_wait_for_a_stuck_one() -> None:
    async def work(pool: Workers) -> float:
        await pool.run(outcome_of, page("pier"), needs=NEEDS)
        worker = pool._idle.get_nowait()
        assert worker is not None
        os.kill(worker.process, signal.SIGSTOP)
        pool._idle.put_nowait(worker)
        stuck = asyncio.ensure_future(pool.run(outcome_of, page("dog"), needs=NEEDS))
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
    tell_unless_out_of_memory(kind, printed.append, kind())
    assert len(printed) == told


def test_all_workers_come_of_one_process_that_has_imported_what_they_need() -> None:
    async def work(pool: Workers) -> list[list[str]]:
        await pool.run(loaded, "trafilatura", "feedparser")
        return list(
            await asyncio.gather(*(pool.run(loaded, "trafilatura", "feedparser", needs=NEEDS) for _ in range(2)))
        )

    assert with_workers(2, work) == [["trafilatura"], ["trafilatura"]]


def loaded(*names: str) -> list[str]:
    return [name for name in names if name in sys.modules]


def test_a_worker_holds_no_file_of_the_crawl_and_obeys_its_limits(tmp_path: Path) -> None:
    async def work(pool: Workers) -> tuple[list[str], int, bool]:
        with (tmp_path / "news.db").open("w") as held:
            os.set_inheritable(held.fileno(), True)
            return await pool.run(situation)

    files, space, ignored = cast(tuple[list[str], int, bool], with_workers(1, work))
    assert [name for name in files if "news.db" in name] == []
    assert space == LIMITS.megabytes * 2**20
    assert ignored


def situation() -> tuple[list[str], int, bool]:
    """Of a worker: its open files, its address space, whether Ctrl-C is ignored."""
    files = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return files, resource.getrlimit(resource.RLIMIT_AS)[0], signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_when_the_process_that_forks_is_gone_another_is_started() -> None:
    async def work(pool: Workers) -> object:
        await pool.run(loaded)
        assert pool._server is not None
        pool._server.kill()
        worker = pool._idle.get_nowait()
        assert worker is not None
        worker.kill()
        pool._idle.put_nowait(None)
        return await pool.run(loaded, "sys")

    assert with_workers(1, work) == ["sys"]
