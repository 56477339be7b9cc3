"""Extraction: what is no text of a page is taken out of its tree, before anything reads it."""
