"""A process pool whose workers can be killed, each with a time and a memory limit: Page -> Outcome and bytes -> Reading.

Some pages take trafilatura minutes or gigabytes, some feeds feedparser, and a thread cannot be stopped. A worker that dies
or overruns costs one page or listing, which is marked with the reason; the crawl goes on. The crawl's own process parses
nothing: while it does, every download in flight overruns its time.
"""

import asyncio
import contextlib
import logging
import multiprocessing
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)


T = TypeVar("T")


START_TIMEOUT_SECONDS = 60.0
"""Longest start of a worker, which has to import what it needs; 0.4 on an idle machine."""


_spawn = multiprocessing.get_context("spawn")
"""Forked workers would hold the lock file and the database open after their parent is killed (seen: 8 s later)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Resource limits of one worker."""

    seconds: float  #: that one page or listing may take
    megabytes: int  #: of address space


class WorkerLost(Exception):
    """The work was given up; the message is the reason for `pages.reason` or `feeds.last_status`."""


class OutOfMemory(WorkerLost):
    """The work needed more memory than the worker's limit."""


class WorkerBug(Exception):
    """An unexpected exception in a worker; the message is its traceback."""


def workers_of(crawler: "Crawler") -> "Workers":
    """The workers of this crawl."""
    workers = crawler.get_extension(Workers)
    assert workers is not None, "EXTENSIONS names crawler.workers.Workers"
    return workers


class Workers:
    """A process pool of a fixed size; workers start when first needed, each with a pipe of its own. Of size 0 the caller
    works."""

    def __init__(self, number: int, limits: Limits) -> None:
        self._number = number
        self._limits = limits
        self._idle: asyncio.LifoQueue[Worker | None] = asyncio.LifoQueue()  # the next starts only when this one is busy
        self._busy: set[Worker] = set()
        self._closed = False
        for _ in range(number):
            self._idle.put_nowait(None)

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "Workers":
        """As a Scrapy extension: one set of workers for all that needs them."""
        settings = crawler.settings
        limits = Limits(seconds=settings.getfloat("EXTRACT_TIMEOUT"), megabytes=settings.getint("EXTRACT_MEMORY_MB"))
        return cls(settings.getint("EXTRACT_WORKERS"), limits)

    async def run(self, work: Callable[..., T], *given: object) -> T:
        """`work(*given)` in an idle worker; one that dies gets a second chance in a new one.

        Raises WorkerLost, and WorkerBug for what the work raises.
        """
        if not self._number:
            done: T = _result(_answer(work, given))
            return done
        worker = await self._idle.get()
        try:
            used = worker is not None
            worker = worker or await self._start()
            try:
                done = await self._ask(worker, work, given)
            except (EOFError, OutOfMemory) as error:
                # What earlier tasks left behind in a worker's memory must not cost this one.
                if self._closed or (isinstance(error, OutOfMemory) and not used):
                    raise
                worker.kill()
                worker = await self._start()
                done = await self._ask(worker, work, given)
        except (EOFError, TimeoutError) as error:
            worker = None
            raise WorkerLost("timeout" if isinstance(error, TimeoutError) else "crash") from error
        finally:
            self._idle.put_nowait(worker if worker and worker.alive else None)
        return done

    async def _start(self) -> "Worker":
        worker = Worker(self._limits)
        await self._within(START_TIMEOUT_SECONDS, worker, worker.receive)
        return worker

    async def _ask(self, worker: "Worker", work: Callable[..., Any], given: tuple[object, ...]) -> Any:
        answer = await self._within(self._limits.seconds, worker, lambda: worker.exchange((work, given)))
        return _result(answer)

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

    def exchange(self, task: object) -> object:
        """Send a task, wait for what became of it. Raises EOFError when the worker is gone."""
        try:
            self._pipe.send(task)
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
    """A worker's life: say that it is ready, then a task in, its result, its loss or its traceback out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    os.setsid()
    space = limits.megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    sys.unraisablehook = lambda lost: _tell_unless_out_of_memory(lost.exc_type, sys.__unraisablehook__, lost)
    sys.excepthook = lambda kind, *error: _tell_unless_out_of_memory(kind, sys.__excepthook__, kind, *error)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone
        pipe.send("ready")
        while True:
            work, given = pipe.recv()
            # Should the parent be killed while this task hangs, nobody else would end this process.
            signal.setitimer(signal.ITIMER_REAL, limits.seconds + 1)
            pipe.send(_answer(work, given))
            signal.setitimer(signal.ITIMER_REAL, 0)


def _tell_unless_out_of_memory(kind: type[BaseException], tell: Callable[..., object], *error: object) -> None:
    """Where libxml2 calls back, an exception can only be printed: by lxml through one of Python's hooks, and then the other.
    Want of memory is told of the page: that is enough."""
    if not issubclass(kind, MemoryError):
        tell(*error)


def _result(answer: Any) -> Any:
    """What the work gave; raises what became of it instead."""
    if isinstance(answer, WorkerLost | WorkerBug):
        raise answer
    return answer


def _answer(work: Callable[..., object], given: tuple[object, ...]) -> object:
    try:
        return work(*given)
    except MemoryError:
        return OutOfMemory("memory")
    except Exception:  # noqa: BLE001  # the parent logs it as the bug it is; lxml's exceptions do not pickle
        return WorkerBug(traceback.format_exc())
