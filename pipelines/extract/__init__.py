"""Extraction: Page -> Article, or the Refusal that says why it is none.

The face of the package is loaded when it is first asked for: trafilatura takes a second to import, which a run with
nothing to extract does not need.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.extract.article import extract
    from pipelines.extract.decode import Refusal
    from pipelines.extract.rules import EXTRACTOR

__all__ = ["EXTRACTOR", "Refusal", "extract"]


def __getattr__(name: str) -> Any:
    """EXTRACTOR, extract or Refusal (PEP 562)."""
    if name not in __all__:
        raise AttributeError(name)
    rooms = {"EXTRACTOR": "rules", "Refusal": "decode", "extract": "article"}
    return getattr(import_module(f"pipelines.extract.{rooms[name]}"), name)
