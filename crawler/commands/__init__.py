"""Scrapy's own command line, with our exit status."""
