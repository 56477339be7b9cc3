"""Backfill: WARC files by the thousand -> a folder of Parquet, on one machine or many. One file is one task, and done once.

    inputs ──► manifest.json ──► tasks: WARC ──filters──► Page ──extract──► Outcome ──► part-00000.parquet
                                                                                            └──load──► news.db, by the one writer

Nothing here needs Scrapy. What needs pyarrow is parts.py, and engine.py alone knows datatrove.
"""
