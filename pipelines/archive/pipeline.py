"""Items -> the archive: the last station of ITEM_PIPELINES."""

import asyncio
from typing import TYPE_CHECKING

from pipelines.archive.store import Archive, Item

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class StorePipeline:
    """Hands every item to the archive, and ends the crawl when the disk or the database fails.

    From then on nothing is written, and what comes is dropped without a word: the run's last line says why, once.
    """

    def __init__(self, archive: Archive, crawler: "Crawler") -> None:
        self._archive = archive
        self._crawler = crawler
        self._ending: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "StorePipeline":
        return cls(crawler.settings["ARCHIVE"], crawler)

    def process_item(self, item: Item) -> Item:
        run = self._archive.run
        with run.ending_with_the_disk():
            if run.broken is None:
                self._archive.keep(item)
                return item
        from scrapy.exceptions import DropItem

        self._end_crawl()
        raise DropItem(str(run.broken), log_level="DEBUG")

    def _end_crawl(self) -> None:
        assert self._crawler.engine is not None
        self._ending = self._ending or asyncio.get_running_loop().create_task(
            self._crawler.engine.close_spider_async(reason="storage")
        )
