"""EXTRACTOR: the version of the extraction rules. By itself, so that who only names it need not load them."""

from importlib.metadata import version

CHOOSER = 2
"""The number of the model that chooses lines; it grows with each model that chooses otherwise."""


EXTRACTOR = f"broadsheet 4 choose {CHOOSER} trafilatura {version('trafilatura')}"
"""Stored with every article; the first number grows whenever these rules change, the second with the model."""
