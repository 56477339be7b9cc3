"""Requests and answers of the live web: what may be asked, how often, how long, and what comes back. Scrapy's middlewares."""
