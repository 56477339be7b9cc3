"""Extraction: the lines of an article are chosen by a learned model, block by block."""
