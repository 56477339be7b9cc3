"""sqlite_utils, as all else here loads it: without pandas and numpy.

It asks for both when it is loaded, to store their numbers, of which there are none here. Where pandas is installed that would be
most of the time of a command: of `broadsheet status` 0.5 of 0.8 CPU seconds, and 80 MB.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _as_if_missing(*modules: str) -> Iterator[None]:
    """While another is loaded that would load these, and does without them. One that is there already stays."""
    hidden = [module for module in modules if module not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is what makes an import raise ImportError
    try:
        yield
    finally:
        for module in hidden:
            del sys.modules[module]


with _as_if_missing("numpy", "pandas"):
    from sqlite_utils import Database as Database
    from sqlite_utils.migrations import Migrations as Migrations
