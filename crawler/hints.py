"""Hints of an article -> what they say, and one telling completed by another. Pure."""

from dataclasses import replace
from typing import Any

from crawler.items import Hints


def said(hints: Hints) -> dict[str, Any]:
    """The fields that say something, by their names."""
    return {name: value for name in Hints.__slots__ if (value := getattr(hints, name))}


def completed(hints: Hints, known: Hints) -> Hints:
    """Hints with what is known where they say nothing."""
    return replace(known, **said(hints))
