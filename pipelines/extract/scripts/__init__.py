"""Extraction: text that a page holds only in its scripts and data."""
