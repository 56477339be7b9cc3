"""How much work a call is, without a clock: how many calls it makes in turn, and whether it ends at all."""

import os
import resource
from collections.abc import Callable
from cProfile import Profile

LIMIT = 60
"""CPU seconds that a call may take before it counts as endless. What is tested with it takes a fraction of one, or years."""


def calls(call: Callable[[], object]) -> int:
    """How many functions it calls, of Python's and of libraries in C: the same everywhere, and every time."""
    profile = Profile()
    profile.runcall(call)
    return sum(entry.callcount for entry in profile.getstats())


def ends(call: Callable[[], object]) -> bool:
    """Call it in a fork of this process; False when it had to be ended. An exception ends it as well as a result."""
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))
        try:
            call()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == 0
