"""`python -m pipelines.publish.datasette_command`: Datasette's own command line, started in two thirds of the time.

Datasette 0.65 loads Pint and all units of measurement when it starts: 0.45 of 1.1 CPU seconds, on a small computer three. They are
for columns whose metadata name a unit; here they are loaded when such a column is first shown.
"""

import importlib
import sys
from functools import cache
from types import ModuleType
from typing import Any

PINT = "datasette.vendored.pint"


class LazyUnits:
    """In the place of Pint's registry of units, until something is asked of it."""

    def __call__(self, *asked: Any) -> Any:
        return _units()(*asked)

    def __getattr__(self, name: str) -> Any:
        return getattr(_units(), name)


@cache
def _units() -> Any:
    del sys.modules[PINT]
    return importlib.import_module(PINT).UnitRegistry()


def leave_units_for_later() -> None:
    """Before Datasette is loaded."""
    pint = ModuleType(PINT)
    vars(pint)["UnitRegistry"] = LazyUnits
    sys.modules[PINT] = pint


if __name__ == "__main__":
    leave_units_for_later()
    from datasette.cli import cli

    cli(prog_name="datasette")
