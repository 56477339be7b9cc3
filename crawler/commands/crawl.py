"""`scrapy crawl SPIDER` with the lock, the archive and the exit status of `broadsheet crawl`; settings by `-s NAME=value`.

SPIDER is `news`, or one of a person's own: then with the settings of the project that it stands in, and without sources.toml.
"""

import argparse
from pathlib import Path

from scrapy.commands import BaseRunSpiderCommand
from scrapy.exceptions import UsageError
from scrapy.spiderloader import get_spider_loader

from crawler.cli.output import USAGE, exit_when_stdout_fails, print_error
from crawler.cli.run import Job, run
from crawler.spiders.news import NewsSpider

STARTED_BY = {
    "copies": "broadsheet import PATH",
    "listed": "broadsheet crawl --urls FILE",
    "sample": "broadsheet sources add URL",
}
"""Spiders that need more than arguments in words, and the commands that have it."""


class Command(BaseRunSpiderCommand):
    """Replaces Scrapy's own `crawl`, which exits with 0 whatever happens."""

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[options] <spider>"

    def short_desc(self) -> str:
        return "Run a spider of the project into the archive NEWS_DB; `news` reads SOURCES_FILE"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1:
            raise UsageError("name one spider; `scrapy list` has them")
        with exit_when_stdout_fails():
            self.exitcode = self._crawl(args[0], opts.spargs)

    def _crawl(self, name: str, arguments: dict[str, str]) -> int:
        assert self.settings is not None
        spiders = get_spider_loader(self.settings)
        if name in STARTED_BY:
            return print_error(f"the spider `{name}` is started by `{STARTED_BY[name]}`", USAGE)
        if name not in spiders.list():
            return print_error(f"no spider `{name}`; there are: {', '.join(sorted(spiders.list()))}", USAGE)
        needs_sources = issubclass(spiders.load(name), NewsSpider)
        sources_file = Path(self.settings["SOURCES_FILE"]) if needs_sources else None
        db = Path(self.settings["NEWS_DB"])
        job = Job(
            spider=name, db=db, settings={}, arguments=arguments, sources_file=sources_file, project=self.settings
        )
        return run(job)
