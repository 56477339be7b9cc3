"""The far side of crawler.workers: a process that imports once, the workers it forks, and what a worker does.

Nothing else is imported here: every worker would carry it. multiprocessing's own fork server was tried: it holds up the
crawl's event loop while it imports, imports nothing more once it has begun, and buries the killed at once, so that an id
may be another's by the time that it is killed.
"""

import contextlib
import gc
import os
import pickle
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

MAX_ORDER_BYTES = 65536
"""Longest Order, pickled; each is one packet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Resource limits of one worker."""

    seconds: float  #: that one page or listing may take
    megabytes: int  #: of address space


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One more worker."""

    limits: Limits
    modules: tuple[str, ...]  #: imported before it is forked, so that no worker does it again
    killed: tuple[int, ...]  #: workers to bury; until then nobody else gets their process ids


class WorkerLost(Exception):
    """The work was given up; the message is the reason for `pages.reason` or `feeds.last_status`."""


class OutOfMemory(WorkerLost):
    """The work needed more memory than the worker's limit."""


class WorkerBug(Exception):
    """An unexpected exception in a worker; the message is its traceback."""


def fork_server(descriptor: int) -> None:
    """Fork a worker at every order that comes through a socket, until it closes; in a worker, do its work, and return."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    os.setsid()
    gc.disable()  # imports leave nothing to collect, and what they leave stays
    gone = (BrokenPipeError, ConnectionResetError)
    with socket.socket(fileno=descriptor) as orders, contextlib.suppress(*gone):  # the parent may be killed at any time
        while True:
            message, handles, *_ = socket.recv_fds(orders, MAX_ORDER_BYTES, 1)
            if not message:
                break
            order = pickle.loads(message)
            for module in order.modules:
                import_module(module)
            for process in order.killed:
                os.waitpid(process, 0)
            gc.freeze()
            with socket.socket(fileno=handles[0]) as pipe:
                process = os.fork()
                if not process:
                    orders.close()
                    serve(pipe, order.limits)
                    return
            orders.send(str(process).encode())
    _bury_all()
    os._exit(0)  # nothing to tidy: a tenth of a second less


def _bury_all() -> None:
    """Wait for all workers: the parent has killed them, or they find that it is gone."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def serve(pipe: socket.socket, limits: Limits) -> None:
    """A worker's life: a task in, its result, its loss or its traceback out."""
    os.setsid()
    gc.enable()
    space = limits.megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    sys.unraisablehook = lambda lost: tell_unless_out_of_memory(lost.exc_type, sys.__unraisablehook__, lost)
    sys.excepthook = lambda kind, *error: tell_unless_out_of_memory(kind, sys.__excepthook__, kind, *error)
    stream = pipe.makefile("rb")
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the parent is gone
        while length := int.from_bytes(stream.read(8)):
            task = stream.read(length)
            if len(task) < length:
                return
            work, given = pickle.loads(task)
            # Should the parent be killed while this task hangs, nobody else would end this process.
            signal.setitimer(signal.ITIMER_REAL, limits.seconds + 1)
            pipe.sendall(packed(answer(work, given)))
            signal.setitimer(signal.ITIMER_REAL, 0)


def packed(message: object) -> bytes:
    """As it goes through a pipe: its length, and its pickle."""
    pickled = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(pickled).to_bytes(8) + pickled


def tell_unless_out_of_memory(kind: type[BaseException], tell: Callable[..., object], *error: object) -> None:
    """Where libxml2 calls back, an exception can only be printed: by lxml through one of Python's hooks, and then the other.
    Want of memory is told of the page: that is enough."""
    if not issubclass(kind, MemoryError):
        tell(*error)


def answer(work: Callable[..., object], given: tuple[object, ...]) -> object:
    """What becomes of a task."""
    try:
        return work(*given)
    except MemoryError:
        return OutOfMemory("memory")
    except Exception:  # noqa: BLE001  # the parent logs it as the bug it is; lxml's exceptions do not pickle
        return WorkerBug(traceback.format_exc())
