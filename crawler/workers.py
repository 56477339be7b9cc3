"""A process pool whose workers can be killed, each with a time and a memory limit: Page -> Outcome and bytes -> Reading.

Some pages take trafilatura minutes or gigabytes, some feeds feedparser, and a thread cannot be stopped. A worker that dies
or overruns costs one page or listing, which is marked with the reason; the crawl goes on. The crawl's own process parses
nothing: while it does, every download in flight overruns its time.

Workers are forked, by a process that was started clean and has imported what they need. Forks of the crawl itself would
hold its lock file and its database open after it is killed.
"""

import asyncio
import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from crawler.worker_process import MAX_ORDER_BYTES, Limits, Order, OutOfMemory, WorkerBug, WorkerLost, answer, packed

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

__all__ = ["Limits", "WorkerBug", "WorkerLost", "Workers", "workers_of"]

T = TypeVar("T")


LIMITS = Limits(seconds=10.0, megabytes=400)
"""Of one page or listing. An idle worker has 200 MB, 120 of them numpy's; the hungriest page of 8 MB that is an article takes 160
more."""

START_TIMEOUT_SECONDS = 60.0
"""Longest start of a worker, with the imports for the first; 0.4 on an idle machine."""

_CODE = "import sys; sys.path[:] = {path!r}; from crawler.worker_process import fork_server; fork_server({descriptor})"


def workers_of(crawler: "Crawler") -> "Workers":
    """The workers of this crawl."""
    workers = crawler.get_extension(Workers)
    assert workers is not None, "EXTENSIONS names crawler.workers.Workers"
    return workers


class Workers:
    """A process pool of a fixed size; workers are forked when first needed, each with a pipe of its own. Of size 0 the caller
    works."""

    def __init__(self, number: int, limits: Limits) -> None:
        self._number = number
        self._limits = limits
        self._idle: asyncio.LifoQueue[Worker | None] = asyncio.LifoQueue()  # the next starts only when this one is busy
        self._busy: set[Worker] = set()
        self._forking = asyncio.Lock()
        self._server: ForkServer | None = None
        self._closed = False
        for _ in range(number):
            self._idle.put_nowait(None)

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "Workers":
        """As a Scrapy extension: one set of workers for all that needs them."""
        settings = crawler.settings
        limits = Limits(seconds=settings.getfloat("EXTRACT_TIMEOUT"), megabytes=settings.getint("EXTRACT_MEMORY_MB"))
        return cls(settings.getint("EXTRACT_WORKERS"), limits)

    async def run(self, work: Callable[..., T], *given: object, needs: tuple[str, ...] = ()) -> T:
        """`work(*given)` in an idle worker; one that dies gets a second chance in a new one.

        `needs` names the modules that the work imports late: they are then imported once for all workers. Raises WorkerLost,
        and WorkerBug for what the work raises.
        """
        if not self._number:
            done: T = _result(answer(work, given))
            return done
        modules = (work.__module__, *needs)
        worker = await self._idle.get()
        try:
            if worker and not worker.modules.issuperset(modules):
                self._kill(worker)
                worker = None
            used = worker is not None
            worker = worker or await self._start(modules)
            try:
                done = await self._ask(worker, work, given)
            except (EOFError, OutOfMemory) as error:
                # What earlier tasks left behind in a worker's memory must not cost this one.
                if self._closed or (isinstance(error, OutOfMemory) and not used):
                    raise
                self._kill(worker)
                worker = await self._start(modules)
                done = await self._ask(worker, work, given)
        except (EOFError, TimeoutError) as error:
            raise WorkerLost("timeout" if isinstance(error, TimeoutError) else "crash") from error
        finally:
            self._idle.put_nowait(worker if worker and worker.alive else None)
        return done

    async def _start(self, modules: tuple[str, ...]) -> "Worker":
        async with self._forking:
            if self._server:
                with contextlib.suppress(EOFError):  # it may be gone
                    return await self._fork(self._server, modules)
            if self._closed:
                raise EOFError
            self._server = ForkServer()
            return await self._fork(self._server, modules)

    async def _fork(self, server: "ForkServer", modules: tuple[str, ...]) -> "Worker":
        forked = False
        try:
            worker = await asyncio.wait_for(server.fork(self._limits, modules), START_TIMEOUT_SECONDS)
            if self._closed:
                worker.kill()
                raise EOFError
            forked = True
            return worker
        finally:
            if not forked:
                server.kill()
                self._server = None

    async def _ask(self, worker: "Worker", work: Callable[..., Any], given: tuple[object, ...]) -> Any:
        """On any way out but an answer the worker is killed."""
        self._busy.add(worker)
        answered = False
        try:
            done = await worker.exchange((work, given), self._limits.seconds)
            answered = True
        finally:
            self._busy.discard(worker)
            if not answered:
                self._kill(worker)
        return _result(done)

    def _kill(self, worker: "Worker") -> None:
        if worker.kill() and self._server:
            self._server.killed.append(worker.process)

    def kill(self) -> None:
        """End all workers at once; nobody waits for a stuck one."""
        self._closed = True
        while not self._idle.empty():
            if worker := self._idle.get_nowait():
                self._kill(worker)
        for worker in tuple(self._busy):
            self._kill(worker)
        if self._server:
            self._server.end()
            self._server = None


class ForkServer:
    """The process that forks workers, and the socket to it."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        self._modules: frozenset[str] = frozenset()  # that it has imported
        self.killed: list[int] = []  #: workers that it may bury
        with theirs:
            code = _CODE.format(path=sys.path, descriptor=theirs.fileno())
            command = [sys.executable, "-c", code]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])

    async def fork(self, limits: Limits, modules: tuple[str, ...]) -> "Worker":
        """A new worker that has imported these, and all that were before. Raises EOFError when the server is gone."""
        ours, theirs = socket.socketpair()
        order = Order(limits=limits, modules=modules, killed=tuple(self.killed))
        try:
            with theirs:
                socket.send_fds(self._socket, [pickle.dumps(order)], [theirs.fileno()])
            process = await asyncio.get_running_loop().sock_recv(self._socket, MAX_ORDER_BYTES)
        except OSError:
            raise EOFError from None
        if not process:
            raise EOFError
        del self.killed[: len(order.killed)]
        self._modules |= set(modules)
        return Worker(int(process), ours, self._modules)

    def end(self) -> None:
        """When all of its workers are killed it has nothing to wait for, but it may be importing."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Worker:
    """One process and the pipe to it."""

    def __init__(self, process: int, pipe: socket.socket, modules: frozenset[str]) -> None:
        self.process = process  #: its id
        self.modules = modules  #: that it was born with
        self._pipe = pipe
        self._pipe.setblocking(False)
        self._killed = self._overran = False

    @property
    def alive(self) -> bool:
        """An idle worker says nothing: all that could be read is its end."""
        if self._killed:
            return False
        try:
            self._pipe.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    async def exchange(self, task: object, seconds: float) -> object:
        """Send a task, wait for what became of it. Raises EOFError when the worker is gone, TimeoutError when it took longer."""
        loop = asyncio.get_running_loop()
        limit = loop.call_later(seconds, self._overrun)
        try:
            await loop.sock_sendall(self._pipe, packed(task))
            length = int.from_bytes(await self._receive(loop, 8))
            return pickle.loads(await self._receive(loop, length))
        except (OSError, EOFError):
            raise TimeoutError if self._overran else EOFError from None
        finally:
            limit.cancel()

    async def _receive(self, loop: asyncio.AbstractEventLoop, length: int) -> bytearray:
        received = bytearray(length)
        rest = memoryview(received)
        while rest:
            count = await loop.sock_recv_into(self._pipe, rest)
            if not count:
                raise EOFError
            rest = rest[count:]
        return received

    def _overrun(self) -> None:
        self._overran = True
        self.kill_process()

    def kill_process(self) -> None:
        """It stays a zombie until the fork server buries it, so that its id is nobody else's."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)

    def kill(self) -> bool:
        """End it; says whether it had not been ended before."""
        if self._killed:
            return False
        self._killed = True
        self.kill_process()
        return True


def _result(done: Any) -> Any:
    """What the work gave; raises what became of it instead."""
    if isinstance(done, WorkerLost | WorkerBug):
        raise done
    return done
