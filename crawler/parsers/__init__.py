"""Bytes -> what they hold: listings (feeds, sitemaps, front pages) and local copies (saved files, WARC). Pure; run in the workers."""
