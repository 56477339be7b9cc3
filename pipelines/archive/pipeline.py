"""Items -> the archive, and what goes on from there: one flat row for each new or updated article.

That row is what feed exports hold, and item pipelines that come later get. Everything else ends here: Scrapy calls that dropped.
"""

import asyncio
from typing import TYPE_CHECKING

from scrapy.exceptions import DropItem, NotConfigured

from crawler.items import Outcome
from pipelines.archive.articles import article_as_it_is, article_row
from pipelines.archive.pages import Stored
from pipelines.archive.store import Archive, Item
from pipelines.archive.warc import Originals
from pipelines.database.connection import Row

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class StorePipeline:
    """Hands every item to the archive, and ends the crawl when the disk or the database fails.

    From then on nothing is written, and what comes is dropped without a word: the run's last line says why, once.
    """

    def __init__(self, archive: Archive, originals: Originals, crawler: "Crawler") -> None:
        self._archive = archive
        self._originals = originals
        self._crawler = crawler
        self._ending: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "StorePipeline":
        archive = crawler.settings.get("ARCHIVE")
        if archive is None:
            raise NotConfigured
        return cls(archive, Originals.from_crawler(archive, crawler), crawler)

    def process_item(self, item: Item) -> Row:
        """The article's row of `articles` as it is now; raises DropItem where none became new or updated."""
        run = self._archive.run
        with run.ending_with_the_disk():
            if isinstance(item, Outcome) and run.broken is None:
                item = self._originals.recorded(item)
            if run.broken is None:
                stored = self._keep(item)
                if isinstance(item, Outcome) and item.article and stored and stored.outcome in ("new", "updated"):
                    return article_as_it_is(self._archive.db, stored.article_id)
                raise DropItem("no new article", log_level="DEBUG")
        self._end_crawl()
        raise DropItem(str(run.broken), log_level="DEBUG")

    def _keep(self, item: Item) -> Stored | None:
        """Store an item. Whatever prevents that (a bug, somebody who stops the run), its records are taken back, and it is raised on."""
        try:
            return self._archive.keep(item)
        except BaseException:
            if isinstance(item, Outcome) and self._archive.run.broken is None:  # else nobody knows if it is stored
                self._originals.take_back(item)
            raise

    def close_spider(self) -> None:
        self._originals.close()

    def _end_crawl(self) -> None:
        assert self._crawler.engine is not None
        self._ending = self._ending or asyncio.get_running_loop().create_task(
            self._crawler.engine.close_spider_async(reason="storage")
        )


class UnstoredPipeline:
    """Where there is no archive (`scrapy parse`, `scrapy runspider`): articles as flat rows of what their pages say.

    Nothing is known of copies and earlier runs, so every article goes on.
    """

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "UnstoredPipeline":
        if crawler.settings.get("ARCHIVE") is not None:
            raise NotConfigured
        return cls()

    def process_item(self, item: Item) -> Row:
        if not isinstance(item, Outcome) or item.article is None or item.content_hash is None:
            raise DropItem("no article", log_level="DEBUG")
        return {"url": item.page.final_url} | article_row(item.article, item.page.fetched_at, item.content_hash)
