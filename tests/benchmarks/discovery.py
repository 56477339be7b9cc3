"""A simulated year of sites of every kind: what is found within a day, at how many requests: `python -m tests.benchmarks.discovery`.

The sites are those of tests/support/simulated_kinds.py. A year of cron's quarters of an hour is 35,000 processes: too many. Reduced
are the process and the wire, and nothing between: one process runs the spider, all middlewares, extraction (small pages, no worker
processes) and the archive as `broadsheet crawl` wires them, once an hour; the sites answer in the place of the download handler, so
that redirects, cookies, robots.txt, backoff and budgets are the crawl's own; the clock is the benchmark's. What that leaves out: TLS
and DNS (a certificate that fails is an error of the handler's), delays between requests, and whole processes, which
tests.benchmarks.soak has.

A fixed-interval poller would ask one listing of each site at every start, whatever it takes to find that one, and each new page once.
What it does not do is said beside it, and counted with and without: looks for corrections. Pages older than the simulation count on
neither side: how much of a site's past is wanted is a question of `since`. Starts once an hour favour the poller, which at cron's
quarters of an hour would ask four times as many listings.

Exits with 1 when less than .999 of what could be found was found within a day, or a source that gave nothing was ever `ok` after its
third run. Of processor time the first day takes 35 seconds, for the sites' past, and each other 8: `--days 14` two and a half minutes,
a year 50. Of that 4 in 100 are the simulation's, the rest is the crawl's own. `--minutes` ends it early.
"""

import argparse
import asyncio
import contextlib
import logging
import pkgutil
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import crawler
import pipelines
from crawler.times import moment_of
from tests.support.simulated_kinds import KINDS, Case
from tests.support.simulated_sites import Answer, Paper, Report

if TYPE_CHECKING:
    from crawler.sources.toml_file import SourcesFile

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
IN_TIME = timedelta(days=1)
WANTED_SHARE = 0.999

MARK = re.compile(r"The case of (\w+q) has been")


class _Same(type):
    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, datetime)


class Clock(datetime, metaclass=_Same):
    """A datetime whose now() is the simulation's."""

    moment = BEGIN

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        return cls.moment.astimezone(tz)


def _set_clock() -> None:
    """Give every module that reads the clock this one; all are loaded for that."""
    for package in (crawler, pipelines):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "__main__" not in found.name and ".commands" not in found.name:
                module = import_module(found.name)
                if getattr(module, "datetime", None) is datetime:
                    module.datetime = Clock  # type: ignore[attr-defined]


@dataclass
class Web:
    """All sites by host, and what was asked."""

    papers: dict[str, Paper] = field(default_factory=dict)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)  #: requests by (host, what for)
    new: dict[str, set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )  #: pages asked that are no backlog, by host
    unknown: Counter[str] = field(default_factory=Counter)

    def answer(self, url: str, headers: dict[str, str], what: str) -> Answer:
        parts = urlsplit(url)
        if paper := self.papers.get(parts.netloc):
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            if what == "page" and _stood(paper, path):
                what = "backlog"
            elif what == "page":
                self.new[parts.netloc].add(path)
            self.asked[parts.netloc, what] += 1
            return paper.answer(path, Clock.moment, headers)
        self.unknown[parts.netloc] += 1
        return Answer(failure="unknown host")


def _stood(paper: Paper, path: str) -> bool:
    """Whether a page stood there when the simulation began, for a visitor who has every cookie."""
    return paper.answer(path, BEGIN, {"cookie": "seen=1"}).status != 404


WEB = Web()


class SimulatedHandler:
    """In the place of the download handler: answers from the simulated sites."""

    lazy = False

    def __init__(self, crawler: Any) -> None:
        pass

    @classmethod
    def from_crawler(cls, crawler: Any) -> "SimulatedHandler":
        return cls(crawler)

    async def download_request(self, request: Any) -> Any:
        from scrapy.exceptions import CannotResolveHostError
        from scrapy.http import Headers
        from scrapy.responsetypes import responsetypes

        from crawler.fetcher.certificates import CertificateFault

        headers = {name.decode().lower(): b"; ".join(values).decode() for name, values in request.headers.items()}
        said = WEB.answer(request.url, headers, _what(request))
        if said.failure == "unknown host":
            raise CannotResolveHostError(
                f"DNS lookup failed: no results for hostname lookup: {urlsplit(request.url).hostname}."
            )
        if said.failure:
            raise CertificateFault("certificate_expired", _trust())
        kind = responsetypes.from_args(headers=Headers(said.headers), url=request.url, body=said.body)
        return kind(request.url, status=said.status, headers=said.headers, body=said.body, request=request)

    async def close(self) -> None:
        pass


@cache
def _trust() -> Any:
    from crawler.fetcher.certificates import Trust

    return Trust("DEFAULT")


def _what(request: Any) -> str:
    from crawler.fetcher.requests import FrontPageRequest, ListingRequest, PageRequest, asked_for

    asked = asked_for(request)
    if isinstance(asked, PageRequest):
        return "recheck" if asked.is_recheck else "page"
    return "listing" if isinstance(asked, ListingRequest | FrontPageRequest) else "robots"


# The sites


def cases_of(names: list[str], days: int) -> dict[str, Case]:
    cases = {}
    for number, name in enumerate(names):

        def plan(prefix: str = "", *, number: int = number, name: str = name, **facts: Any) -> Paper:
            base = f"https://{prefix}paper-{number:02d}.example"
            return Paper(name=f"{prefix}{name}", base=base, begin=BEGIN, days=days, **facts)

        cases[name] = KINDS[name](plan)
    return cases


def sources_toml(cases: dict[str, Case]) -> str:
    head = '[crawl]\ndelay = 0\nuser_agent = "simulated (+https://test.example)"\n'
    return head + "".join(
        f'[[source]]\nurl = "{case.paper.base}/"\nname = "{name}"\n{case.toml}\n' for name, case in cases.items()
    )


# Runs


@dataclass
class Watch:
    """What is noted of the sources run by run."""

    every: timedelta = timedelta(hours=1)  #: between two starts
    words: dict[str, Counter[str]] = field(default_factory=dict)  #: after the third run
    last: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    bugs: list[str] = field(default_factory=list)
    runs: int = 0
    partial: Counter[str] = field(default_factory=Counter)


async def run_once(db: Path, toml: Path, read: "SourcesFile", watch: Watch) -> None:
    from scrapy import signals
    from scrapy.crawler import AsyncCrawlerRunner

    from crawler.cli.run import Job, _record_errors, judge, settings_of
    from pipelines.archive.store import Archive

    handlers = dict.fromkeys(("http", "https"), "tests.benchmarks.discovery.SimulatedHandler")
    settings = {
        "DOWNLOAD_HANDLERS": handlers,
        "EXTRACT_WORKERS": 0,
        "DOWNLOAD_DELAY": 0,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 4,
    }
    job = Job(spider="news", db=db, settings=settings, arguments={}, sources_file=toml, quiet=True)
    archive = Archive(db)
    archive.db.execute("pragma synchronous = off")
    try:
        archive.sync_sources(read.sources)
        archive.start_run(argv=["crawl"], version="0", now=Clock.moment)
        runner = AsyncCrawlerRunner(settings_of(job, read))
        crawl = runner.create_crawler("news")
        crawl.settings.set("ARCHIVE", archive)
        bugs: list[str] = []
        crawl.signals.connect(_record_errors(bugs), signals.item_error, weak=False)
        await runner.crawl(crawl, read=read)
        verdict = judge(crawl, archive, bugs, bootstrap_failed=False)
        archive.finish_run(status=verdict.status, reason=verdict.reason, now=Clock.moment)
        note(watch, archive.db, verdict)
    finally:
        archive.close()


def note(watch: Watch, db: Any, verdict: Any) -> None:
    watch.runs += 1
    if verdict.code:
        watch.bugs.append(f"{Clock.moment:%m-%d %H:%M}: exit {verdict.code}: {verdict.reason}")
    watch.partial[
        f"{verdict.status}: {verdict.reason}" if verdict.status == "partial" and not verdict.reason else verdict.status
    ] += 1
    for name, word, reason in db.execute("select name, status, reason from sources"):
        watch.last[name] = (word, reason)
        if watch.runs > 3:
            watch.words.setdefault(name, Counter())[word] += 1


async def simulate(
    cases: dict[str, Case], days: int, folder: Path, watch: Watch, *, minutes: float, progress: bool
) -> None:
    from crawler.sources.toml_file import read_sources

    _set_clock()
    toml = folder / "sources.toml"
    toml.write_text(sources_toml(cases))
    read, began = read_sources(toml), time.monotonic()
    for start in range(int(timedelta(days=days) / watch.every)):
        Clock.moment = BEGIN + start * watch.every
        await run_once(folder / "news.db", toml, read, watch)
        if time.monotonic() - began > 60 * minutes:
            break
        if progress:
            print(f"\r{Clock.moment:%d %b %Y}, {time.monotonic() - began:.0f} s", end="", file=sys.stderr, flush=True)


# What came of it


def first_seen(db: Path) -> dict[str, datetime]:
    """When each article's text was stored first, by its mark."""
    import sqlite3

    found: dict[str, datetime] = {}
    with contextlib.closing(sqlite3.connect(db)) as base:
        rows = base.execute("select text, first_seen_at from articles union all select text, fetched_at from versions")
        for text, at in rows:
            if mark := MARK.search(text or ""):
                found[mark[1]] = min(found.get(mark[1], moment_of(at)), moment_of(at))
    return found


def deadline(case: Case, report: Report) -> datetime:
    due = report.at + IN_TIME
    for begin, end in sorted(case.down):
        if begin < due and report.at < end:
            due = max(due, end + IN_TIME)
    return due


HEAD = (
    f"{'site':36}{'articles':>9}{'in time':>8}{'late':>6}{'never':>7}{'share':>7}{'listings':>10}{'pages':>7}{'poller':>8}"
    f"{'looks again':>13}{'backlog':>9}  status"
)


@dataclass
class Line:
    """One row of the table."""

    articles: int
    in_time: int
    late: int
    asked: Counter[str]
    new_pages: int  #: different ones that were asked
    waited: list[timedelta]  #: from an article's publication until it was stored

    def text(self, name: str, starts: int, word: str) -> str:
        never = self.articles - self.in_time - self.late
        share = f"{self.in_time / self.articles:.3f}" if self.articles else "-"
        return (
            f"{name:36}{self.articles:9}{self.in_time:8}{self.late:6}{never:7}{share:>7}{self.asked['listing']:10}"
            f"{self.asked['page']:7}{starts + self.new_pages:8}{self.asked['recheck']:13}{self.asked['backlog']:9}  {word}"
        )


def line_of(case: Case, found: dict[str, datetime], end: datetime) -> Line:
    hosts = {paper.host for paper in (case.paper, *case.others)}
    asked: Counter[str] = Counter()
    for (host, what), number in WEB.asked.items():
        asked[what] += number if host in hosts else 0
    due = [report for report in case.paper.reports if report.at >= BEGIN and deadline(case, report) < end]
    due = [] if case.gives_nothing else due
    in_time = [report for report in due if report.mark in found and found[report.mark] <= deadline(case, report)]
    late = sum(report.mark in found for report in due) - len(in_time)
    waited = [found[report.mark] - report.at for report in due if report.mark in found]
    return Line(len(due), len(in_time), late, asked, sum(len(WEB.new[host]) for host in hosts), waited)


def tell(cases: dict[str, Case], watch: Watch, db: Path) -> bool:
    """Print the table; whether all that is asked for holds."""
    found, end = first_seen(db), BEGIN + watch.runs * watch.every
    lines = {name: line_of(case, found, end) for name, case in cases.items()}
    print(
        f"{(end - BEGIN) / timedelta(days=1):.1f} days, a start every {watch.every / timedelta(minutes=1):.0f} minutes\n{HEAD}"
    )
    for name, line in lines.items():
        words = watch.words.get(name, Counter())
        said = ", ".join(f"{word} {number}" for word, number in words.most_common())
        print(line.text(name, watch.runs, said))
    articles, in_time = (sum(getattr(line, what) for line in lines.values()) for what in ("articles", "in_time"))
    if not articles:
        print("no article is old enough to be judged: watch more days")
        return False
    share = in_time / articles
    print(f"\nfound within a day: {in_time} of {articles}, share {share:.4f} (wanted {WANTED_SHARE})")
    tell_requests(lines, watch.runs, articles)
    called_ok = {
        name: watch.words[name]["ok"] for name, case in cases.items() if case.gives_nothing and watch.words[name]["ok"]
    }
    print(
        f"gave nothing and called ok after the third run: {len(called_ok)} of {sum(case.gives_nothing for case in cases.values())}"
    )
    for name, number in called_ok.items():
        print(
            f"  {name}: ok after {number} of {sum(watch.words[name].values())} runs; now {' '.join(map(str, watch.last[name]))}"
        )
    false = false_alarms(cases, watch)
    print(f"well and called ill: {len(false)}")
    for name, said in false.items():
        print(f"  {name}: {said}; now {watch.last[name][0]}: {watch.last[name][1]}")
    print("what gives nothing says:")
    for name, case in cases.items():
        if case.gives_nothing:
            print(f"  {name}: {watch.last[name][0]}: {watch.last[name][1]}")
    print("runs: " + ", ".join(f"{word} {number}" for word, number in watch.partial.most_common()))
    if WEB.unknown:
        print(f"hosts that nobody should ask: {dict(WEB.unknown)}")
    for bug in watch.bugs[:10]:
        print(f"  bug: {bug}")
    return share >= WANTED_SHARE and not called_ok and not watch.bugs


def tell_requests(lines: dict[str, Line], starts: int, articles: int) -> None:
    """Print what was asked, against a poller that asks one listing of each site at every start, and each new page once."""
    asked = sum((line.asked for line in lines.values()), Counter[str]())
    listings, pages = starts * len(lines), sum(line.new_pages for line in lines.values())
    both, all_of_it = asked["listing"] + asked["page"], asked["listing"] + asked["page"] + asked["recheck"]
    rows = {
        "listings": (asked["listing"], listings),
        "new pages": (asked["page"], pages),
        "listings and new pages": (both, listings + pages),
        "looks for corrections": (asked["recheck"], 0),
        "all three": (all_of_it, listings + pages),
        "robots.txt": (asked["robots"], 0),
    }
    print(f"{'requests':32}{'per article':>12}{'a poller':>10}{'per article':>12}{'share':>7}")
    for name, (ours, pollers) in rows.items():
        share = f"{ours / pollers:7.2f}" if pollers else ""
        print(f"  {name:22}{ours:8}{ours / articles:12.2f}{pollers:10}{pollers / articles:12.2f}{share}")
    print(
        f"  on neither side: {asked['backlog']} of pages older than the simulation; a poller asks for no robots.txt here"
    )
    waited = sorted(wait for line in lines.values() for wait in line.waited)
    hours = [waited[int(share * (len(waited) - 1))] / timedelta(hours=1) for share in (0.5, 0.95, 1)]
    print("hours until an article was stored: median {:.1f}, of 95 in 100 {:.1f}, longest {:.1f}".format(*hours))
    dearest = sorted(lines, key=lambda name: -lines[name].asked["listing"] - lines[name].asked["page"])[:8]
    print(
        "dearest: "
        + ", ".join(f"{name} {lines[name].asked['listing']}+{lines[name].asked['page']}" for name in dearest)
    )


ILL = ("broken", "blocked", "changed", "quiet", "empty")


def false_alarms(cases: dict[str, Case], watch: Watch) -> dict[str, str]:
    said = {}
    for name, case in cases.items():
        ill = {word: watch.words[name][word] for word in ILL if watch.words[name][word] and word not in case.expects}
        if ill and not case.gives_nothing:
            said[name] = ", ".join(f"{word} {number} runs" for word, number in ill.items())
    return said


def with_reactor(work: Coroutine[Any, Any, bool]) -> bool:
    """Run in the event loop that Scrapy wants: asyncio's, under Twisted's reactor."""
    from scrapy.utils.reactor import install_reactor

    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    loop = asyncio.get_event_loop_policy().get_event_loop()
    return loop.run_until_complete(work)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--every", type=int, default=60, help="minutes between two starts; cron's are 15")
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="stop after so many, and judge what was seen"
    )
    parser.add_argument("--kind", action="append", help="only sites whose kind has this in its name; may be repeated")
    parser.add_argument("--keep", type=Path, help="a folder for the archive, to look at afterwards")
    asked = parser.parse_args()
    names = [name for name in KINDS if not asked.kind or any(part in name for part in asked.kind)]
    logging.basicConfig(level=logging.ERROR, format="%(name)s: %(message)s")
    logging.getLogger("scrapy").setLevel(logging.ERROR)

    async def work() -> bool:
        cases = cases_of(names, asked.days)
        for case in cases.values():
            WEB.papers |= {paper.host: paper for paper in (case.paper, *case.others)}
        with tempfile.TemporaryDirectory() as name:
            folder = asked.keep or Path(name)
            folder.mkdir(parents=True, exist_ok=True)
            watch = Watch(every=timedelta(minutes=asked.every))
            await simulate(cases, asked.days, folder, watch, minutes=asked.minutes, progress=sys.stderr.isatty())
            return tell(cases, watch, folder / "news.db")

    return 0 if with_reactor(work()) else 1


if __name__ == "__main__":
    sys.modules["tests.benchmarks.discovery"] = sys.modules["__main__"]  # the handler is named by its module
    raise SystemExit(main())
