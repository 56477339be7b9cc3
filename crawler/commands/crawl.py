"""`scrapy crawl news` with the lock, the archive and the exit status of `broadsheet crawl`; settings by `-s NAME=value`."""

import argparse
from pathlib import Path

from scrapy.commands import BaseRunSpiderCommand
from scrapy.exceptions import UsageError

from crawler.cli.output import exit_when_stdout_fails
from crawler.cli.run import Job, run


class Command(BaseRunSpiderCommand):
    """Replaces Scrapy's own `crawl`, which exits with 0 whatever happens."""

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[options] news"

    def short_desc(self) -> str:
        return "Crawl the sources of SOURCES_FILE into NEWS_DB"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if args != ["news"]:
            raise UsageError("only the spider `news` crawls; local copies go through `broadsheet import`")
        assert self.settings is not None
        # 30 and above: what the user said on the command line, not what crawler/settings.py says already.
        given = {name: self.settings[name] for name in self.settings if (self.settings.getpriority(name) or 0) >= 30}
        db, sources_file = Path(self.settings["NEWS_DB"]), Path(self.settings["SOURCES_FILE"])
        job = Job(spider="news", db=db, settings=given, arguments=opts.spargs, sources_file=sources_file)
        with exit_when_stdout_fails():
            self.exitcode = run(job)
