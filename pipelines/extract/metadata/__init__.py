"""Extraction: what a page says of its article: title, authors, dates, and the rest of its NewsArticle."""
