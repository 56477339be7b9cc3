"""Whether a call ends: in a process of its own, which the kernel ends when it never would."""

import os
import resource
from collections.abc import Callable

LIMIT = 60
"""CPU seconds that a call may take before it counts as endless. What is tested with it takes a fraction of one, or years."""


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
