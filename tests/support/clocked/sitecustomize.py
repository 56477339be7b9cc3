"""A clock set for whole processes: with this folder first on PYTHONPATH, datetime.now() is CLOCK_OFFSET_SECONDS ahead.

Python imports a `sitecustomize` before anything else. SQLite's 'now' and time.time() stay true; only views and log lines read them.
libfaketime would do without this, but makes time.sleep() fail where the monotonic clock is left alone.
"""

import copyreg
import datetime
import os
from typing import Any

_true = datetime.datetime
_ahead = datetime.timedelta(seconds=float(os.environ.get("CLOCK_OFFSET_SECONDS", "0")))


class _Same(type):
    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, _true)


class _Shifted(_true, metaclass=_Same):
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return super().now(tz) + _ahead


_Shifted.__name__ = _Shifted.__qualname__ = "datetime"
_Shifted.__module__ = "datetime"
copyreg.pickle(_true, lambda it: (_Shifted, tuple(it.__reduce_ex__(2)[1])))  # what C code made
datetime.datetime = _Shifted  # type: ignore[misc]
