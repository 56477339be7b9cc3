"""Extraction: Page -> Article, or the Refusal that says why it is none.

The face of the package is loaded when it is first asked for: trafilatura takes a second to import, which a run with
nothing to extract does not need.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.extract.article import EXTRACTOR, extract
    from pipelines.extract.decode import Refusal

__all__ = ["EXTRACTOR", "Refusal", "extract"]


def __getattr__(name: str) -> Any:
    """EXTRACTOR, extract or Refusal (PEP 562)."""
    if name not in __all__:
        raise AttributeError(name)
    from pipelines.extract import article, decode

    return getattr(decode if name == "Refusal" else article, name)
