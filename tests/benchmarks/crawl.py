"""What a crawl costs: real pages over real HTTP from a farm of loopback sites, beside a plain pipeline and trafilatura alone.

    python -m tests.benchmarks.crawl [--pages FOLDER] [--sites 8] [--number 200] [--rounds 3] [--profile FILE]

FOLDER holds saved pages, `.html` or `.html.gz`, at any depth; none of their text is part of this repository. Three ways in
turn, three times each, and the medians of each way, two cores for all of them:

    broadsheet     `broadsheet crawl`, the real command, into a fresh archive; half of the sites have a feed, half a sitemap
    plain          the spider that a person would write: Scrapy, trafilatura in the same process, sqlite-utils, one table
    trafilatura    its command line over the same pages as files, in two processes

CPU is user and system time, of the command's own process and of its children apart; an article is a page of the farm. The
farm is a process of its own and counts for nobody. Then two more crawls tell where the time of the crawl's own process went:
one with clocks around Scrapy's components, one that counts statements and tasks. `--profile` writes a third one's cProfile.
Linux only.
"""

import argparse
import asyncio
import compileall
import contextlib
import functools
import gzip
import inspect
import json
import multiprocessing
import os
import runpy
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
    "PYTHONPATH": str(ROOT)
}
CORES = 2
TICKS = os.sysconf("SC_CLK_TCK")

# ------------------------------------------------------------------------------------------------------------ the farm


@dataclass(frozen=True, slots=True)
class Site:
    """A loopback address with so many of the pages."""

    url: str
    pages: int
    listing: str  #: /feed or /sitemap.xml

    def answer(self, path: str) -> bytes:
        """Everything but pages."""
        links = [f"{self.url}/news/{number}" for number in range(self.pages)]
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        if path == "/robots.txt":
            return b"User-agent: *\nDisallow: /private/\n"
        if path == "/feed":
            items = "".join(f"<item><title>Report {link}</title><link>{link}</link></item>" for link in links)
            return f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'.encode()
        entries = "".join(f"<url><loc>{link}</loc><lastmod>{today}</lastmod></url>" for link in links)
        return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'.encode()


def read_pages(folder: Path, number: int) -> list[bytes]:
    """So many saved pages, packed, in the order of their paths."""
    paths = sorted(path for path in folder.rglob("*") if path.name.endswith((".html", ".html.gz")))
    if not paths:
        sys.exit(f"{folder}: no saved pages; --pages says where they are")
    return [path.read_bytes() if path.suffix == ".gz" else gzip.compress(path.read_bytes()) for path in paths[:number]]


@contextmanager
def farm(pages: list[bytes], number: int) -> Iterator[list[Site]]:
    """So many sites that serve the pages, in a process of their own."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(pages, number, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def serve(pages: list[bytes], number: int, pipe: Connection) -> None:
    asyncio.run(_serve(pages, number, pipe))


async def _serve(pages: list[bytes], number: int, pipe: Connection) -> None:
    sites, servers = [], []
    for place in range(number):
        own = pages[place::number]
        found: list[Site] = []  # the site is known when its port is
        answers = functools.partial(_converse, own, found)
        servers.append(await asyncio.start_server(answers, f"127.0.0.{place + 1}", 0))
        host, port = servers[-1].sockets[0].getsockname()
        found.append(Site(f"http://{host}:{port}", len(own), ("/feed", "/sitemap.xml")[place % 2]))
        sites += found
    pipe.send(sites)
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def _converse(
    pages: list[bytes], site: list[Site], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
        while True:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode()
            if path.startswith("/news/"):
                kind, body = "text/html\r\nContent-Encoding: gzip", pages[int(path.rpartition("/")[2])]
            else:
                kind, body = "text/plain" if path == "/robots.txt" else "application/xml", site[0].answer(path)
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            writer.write(body)
            await writer.drain()


# ------------------------------------------------------------------------------------------------------ the three ways


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a command used."""

    parent: float  #: CPU seconds of its own process
    workers: float  #: of its children
    seconds: float  #: from start to end
    parent_mb: float  #: its largest resident set
    worker_mb: float  #: of its largest child
    articles: int

    @property
    def cpu(self) -> float:
        return self.parent + self.workers


def crawl_command(folder: Path, sites: list[Site]) -> list[str]:
    tables = "".join(
        f'[[source]]\nname = "Site {number}"\nurl = "{site.url}/"\n'
        f'{"feeds" if site.listing == "/feed" else "sitemaps"} = ["{site.url}{site.listing}"]\n'
        for number, site in enumerate(sites)
    )
    manners = 'user_agent = "benchmark (+https://bench.example/)"\ndelay = 0\nconcurrency = 8'
    (folder / "sources.toml").write_text(f'[crawl]\n{manners}\nallow_private = ["127.0.0.0/8"]\n{tables}')
    return [sys.executable, "-m", "crawler", "crawl"]


def plain_command(folder: Path, sites: list[Site]) -> list[str]:
    start = "import sys; from tests.benchmarks.crawl import plain; plain(sys.argv[1:])"
    return [sys.executable, "-c", start, *(site.url + site.listing for site in sites)]


def trafilatura_command(folder: Path, pages: list[bytes]) -> list[str]:
    (folder / "pages").mkdir()
    for number, page in enumerate(pages):
        (folder / "pages" / f"{number}.html").write_bytes(gzip.decompress(page))
    options = f"--input-dir pages --output-dir out --json --with-metadata --parallel {CORES}"
    return [sys.executable, "-c", "from trafilatura.cli import main; main()", *options.split()]


def plain(listings: list[str]) -> None:
    """The plain pipeline, into news.db."""
    import scrapy
    import sqlite_utils
    import trafilatura
    from scrapy.crawler import CrawlerProcess

    class Plain(scrapy.Spider):
        name = "plain"
        start_urls = listings

        def parse(self, response: Any) -> Iterator[Any]:
            response.selector.remove_namespaces()
            for link in response.xpath("//item/link/text() | //url/loc/text()").getall():
                yield response.follow(link, self.parse_page)

        def parse_page(self, response: Any) -> Iterator[dict[str, Any]]:
            found = trafilatura.bare_extraction(response.text, url=response.url, with_metadata=True)
            if found:
                names = ("title", "author", "date", "description", "sitename", "image", "language", "text")
                yield {"url": response.url} | {name: getattr(found, name) for name in names}

    class Store:
        def __init__(self) -> None:
            self.db = sqlite_utils.Database("news.db")

        def process_item(self, item: Any) -> Any:
            self.db.table("articles").upsert(item, pk="url")
            return item

    settings = {
        "ITEM_PIPELINES": {Store: 100},
        "ROBOTSTXT_OBEY": True,
        "DOWNLOAD_DELAY": 0,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
        "LOG_LEVEL": "WARNING",
    }
    process = CrawlerProcess(settings)
    process.crawl(Plain)
    process.start()


def run(command: list[str], folder: Path) -> Usage:
    """Run a command in this folder, and look at what it uses until it ends."""
    began = time.monotonic()
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(
            command, cwd=folder, env=ENVIRONMENT, stdout=said, stderr=said, preexec_fn=_stay_on_two_cores
        )
    parent = worker = 0.0
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        parent = max(parent, _peak_mb(process.pid))
        worker = max([worker, *(_peak_mb(child) for child in _children(process.pid))])
        time.sleep(0.05)
    seconds = time.monotonic() - began
    own, system, children, children_system = map(int, _stat(process.pid)[11:15])  # it is a zombie until wait()
    if process.wait() not in (0, None):
        sys.exit(f"{' '.join(command[:5])}: exit status {process.returncode}\n{(folder / 'said.txt').read_text()}")
    return Usage(
        parent=(own + system) / TICKS,
        workers=(children + children_system) / TICKS,
        seconds=seconds,
        parent_mb=parent,
        worker_mb=worker,
        articles=_articles(folder),
    )


def _stay_on_two_cores() -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


def _stat(process: int) -> list[str]:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def _children(process: int) -> list[int]:
    """And theirs: workers are forked by a child."""
    with contextlib.suppress(OSError):
        tasks = Path(f"/proc/{process}/task").iterdir()
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        return [process for child in children for process in (child, *_children(child))]
    return []


def _peak_mb(process: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _articles(folder: Path) -> int:
    """Of the archive or table that a way made; files of trafilatura's command line."""
    if not (folder / "news.db").exists():
        return sum(1 for _ in (folder / "out").rglob("*.json"))
    with contextlib.closing(sqlite3.connect(folder / "news.db")) as base:
        return int(base.execute("select count(*) from articles").fetchone()[0])


def compare(pages: list[bytes], sites: list[Site], rounds: int) -> None:
    """Every way in turn, and the ratios of the medians."""
    ways: dict[str, Callable[[Path], list[str]]] = {
        "broadsheet": lambda folder: crawl_command(folder, sites),
        "plain": lambda folder: plain_command(folder, sites),
        "trafilatura": lambda folder: trafilatura_command(folder, pages),
    }
    used: dict[str, list[Usage]] = {way: [] for way in ways}
    for way in [*ways] * rounds:
        with tempfile.TemporaryDirectory() as scratch:
            used[way].append(run(ways[way](Path(scratch)), Path(scratch)))
    print(f"{len(pages)} pages on {len(sites)} sites, medians of {rounds} alternating runs, two cores\n")
    print("              CPU ms an article                   articles   peak MB")
    print("                 all  (worst)  parent  workers    a second    parent  worker  articles")
    middle = {way: _middle(runs) for way, runs in used.items()}
    for way, usage in middle.items():
        each = 1000 / len(pages)
        worst = max(one.cpu for one in used[way]) * each
        print(
            f"{way:13}{usage.cpu * each:7.1f}  {worst:7.1f} {usage.parent * each:7.1f}  {usage.workers * each:7.1f}"
            f"  {len(pages) / usage.seconds:10.1f}  {usage.parent_mb:8.0f}  {usage.worker_mb:6.0f}  {usage.articles:8}"
        )
    ours, plainly, alone = middle.values()
    print(f"\nparent: {ours.parent / len(pages) * 1000:.1f} ms an article")
    print(f"total CPU: {ours.cpu / alone.cpu:.2f} x trafilatura's command line, {ours.cpu / plainly.cpu:.2f} x plain")
    print(f"articles a second: {plainly.seconds / ours.seconds:.2f} x plain", flush=True)


def _middle(runs: list[Usage]) -> Usage:
    """The medians, each figure by itself."""
    return Usage(**{name: statistics.median(getattr(one, name) for one in runs) for name in Usage.__slots__})


# ------------------------------------------------------------------------------------- inside the crawl's own process


class Stations:
    """CPU time of the main thread by station: what runs inside a station that is inside another counts for the inner one."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.tasks = 0
        self._open = ["start"]
        self._since = 0.0  # of the thread's own clock, which began with the process

    def _note(self) -> None:
        now = time.thread_time()
        self.spent[self._open[-1]] += now - self._since
        self._since = now

    @contextmanager
    def at(self, station: str) -> Iterator[None]:
        self._note()
        self._open.append(station)
        try:
            yield
        finally:
            self._note()
            self._open.pop()

    def go_on_to(self, station: str) -> None:
        """What is not inside any station counts for this one from now on."""
        self._note()
        self._open[0] = station

    def end(self) -> dict[str, float]:
        self._note()
        return dict(self.spent) | {"other threads": time.process_time() - time.thread_time()}

    def watch(self, owner: Any, name: str, station: str) -> None:
        """Have a function or method, plain or asynchronous, count for a station."""
        setattr(owner, name, self._watched(getattr(owner, name), station))

    def _watched(self, method: Any, station: str) -> Any:
        async def steps(*args: Any, **kwargs: Any) -> Any:
            return await Stepwise(self, station, method(*args, **kwargs))

        async def items(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            found = method(*args, **kwargs)
            with contextlib.suppress(StopAsyncIteration):
                while True:
                    yield await Stepwise(self, station, anext(found))

        def whole(*args: Any, **kwargs: Any) -> Any:
            with self.at(station):
                return method(*args, **kwargs)

        kind = items if inspect.isasyncgenfunction(method) else steps if inspect.iscoroutinefunction(method) else whole
        return functools.wraps(method)(kind)

    def watch_tasks(self) -> None:
        """Count asyncio's tasks; one that is made inside a station is that station's."""
        create = asyncio.BaseEventLoop.create_task

        async def as_made(station: str, coroutine: Any) -> Any:
            return await Stepwise(self, station, coroutine)

        def create_task(loop: Any, coroutine: Any, **named: Any) -> Any:
            self.tasks += 1
            own = as_made(self._open[-1], coroutine) if len(self._open) > 1 else coroutine
            return create(loop, own, **named)

        setattr(asyncio.BaseEventLoop, "create_task", create_task)  # noqa: B010  # mypy would have its whole signature


@dataclass(frozen=True, slots=True)
class Stepwise:
    """An awaitable whose every step counts for a station."""

    stations: Stations
    station: str
    inner: Awaitable[Any]

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self.inner.__await__()
        step: Callable[[Any], Any] = steps.send
        answer: Any = None
        while True:
            with self.stations.at(self.station):
                try:
                    wanted = step(answer)
                except StopIteration as end:
                    return end.value
            try:
                step, answer = steps.send, (yield wanted)
            except BaseException as error:  # noqa: BLE001  # a cancellation, too, is the inner one's to handle
                step, answer = steps.throw, error


class Statements:
    """Counts what is asked of SQLite inside a block: by our code, where many rows by one executemany count once, and by all
    that this sets off."""

    def __init__(self) -> None:
        self.said = self.run = 0
        self._connect: Any = sqlite3.connect

    def __enter__(self) -> "Statements":
        statements = self

        class Cursor(sqlite3.Cursor):
            def execute(self, *given: Any) -> Any:
                statements.said += 1
                return super().execute(*given)

            def executemany(self, *given: Any) -> Any:
                statements.said += 1
                return super().executemany(*given)

        class Counting(sqlite3.Connection):
            def cursor(self, kind: Any = Cursor) -> Any:
                return super().cursor(kind)

            def execute(self, *given: Any) -> Any:
                return self.cursor().execute(*given)

            def executemany(self, *given: Any) -> Any:
                return self.cursor().executemany(*given)

        def connect(*given: Any, **named: Any) -> Any:
            connection = statements._connect(*given, **named, factory=Counting)
            connection.set_trace_callback(statements._note)
            return connection

        setattr(sqlite3, "connect", connect)  # noqa: B010  # mypy would have its whole signature
        return self

    def __exit__(self, *error: object) -> None:
        sqlite3.connect = self._connect

    def _note(self, statement: str) -> None:
        self.run += 1


def inside(mode: str, out: str) -> None:
    """Run the command of sys.argv in this process, watched; the figures go into a file."""
    figures: dict[str, Any] = {}
    try:
        {"clocks": _with_clocks, "counts": _with_counts, "profile": _with_profile}[mode](figures, out)
    finally:
        if mode != "profile":
            Path(out).write_text(json.dumps(figures))


def _command() -> None:
    with contextlib.suppress(SystemExit):
        runpy.run_module("crawler", run_name="__main__", alter_sys=True)


def _with_clocks(figures: dict[str, Any], out: str) -> None:
    stations = Stations()
    _watch_components(stations)
    stations.watch_tasks()
    _command()
    figures |= stations.end()


def _watch_components(stations: Stations) -> None:
    """The places of the code under test that this benchmark knows by name: Scrapy's settings name most of them."""
    from scrapy.crawler import CrawlerProcess
    from scrapy.utils.misc import load_object

    from crawler import settings
    from pipelines.deduplicate import stories

    for table in ("ITEM_PIPELINES", "DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES"):
        for path, place in getattr(settings, table).items():
            if place is not None and not path.startswith("scrapy."):
                component = load_object(path)
                for name in [name for name in vars(component) if name.startswith("process_")]:
                    stations.watch(component, name, component.__name__)
    stations.watch(stories, "renew", "stories")
    start = CrawlerProcess.start

    def started(process: Any, *args: Any, **kwargs: Any) -> None:
        stations.go_on_to("download")
        start(process, *args, **kwargs)
        stations.go_on_to("end")

    setattr(CrawlerProcess, "start", started)  # noqa: B010


def _with_counts(figures: dict[str, Any], out: str) -> None:
    with Statements() as statements:
        stations = Stations()
        stations.watch_tasks()
        kept = _count_keeping(statements)
        _command()
    figures |= {"tasks": stations.tasks, "said": statements.said, "run": statements.run, "kept": kept}


def _count_keeping(statements: Statements) -> Counter[str]:
    """What the last item pipeline asks for each article; filled by the crawl."""
    from scrapy.utils.misc import load_object

    from crawler import settings

    store = load_object(max(settings.ITEM_PIPELINES, key=settings.ITEM_PIPELINES.__getitem__))
    keep, kept = store.process_item, Counter[str]()

    def process_item(self: Any, item: Any) -> Any:
        said, run = statements.said, statements.run
        try:
            return keep(self, item)
        finally:
            if getattr(item, "article", None):
                kept.update(articles=1, said=statements.said - said, run=statements.run - run)

    store.process_item = functools.wraps(keep)(process_item)
    return kept


def _with_profile(figures: dict[str, Any], out: str) -> None:
    import cProfile

    profile = cProfile.Profile(time.process_time)
    try:
        profile.runcall(_command)
    finally:
        profile.dump_stats(out)


def look_inside(pages: list[bytes], sites: list[Site], profile: Path | None) -> None:
    """Where the time of the crawl's own process goes, and how much is asked of SQLite and asyncio."""
    clocks, counts = (_watched(mode, sites) for mode in ("clocks", "counts"))
    print("\nCPU ms an article of the crawl's own process, by station (a run with clocks)")
    for station, seconds in sorted(clocks.items(), key=lambda pair: -pair[1]):
        print(f"    {station:22}{seconds / len(pages) * 1000:7.2f}")
    print(f"    {'all':22}{sum(clocks.values()) / len(pages) * 1000:7.2f}")
    kept = counts["kept"]
    print(
        f"\nkeep: {kept['said'] / kept['articles']:.0f} statements an article, {kept['run'] / kept['articles']:.0f} with triggers and rows"
    )
    print(f"the whole run: {counts['said'] / len(pages):.0f} and {counts['run'] / len(pages):.0f}")
    print(f"asyncio: {counts['tasks'] / len(pages):.0f} tasks an article, {counts['tasks']:,} in all", flush=True)
    if profile:
        _watched("profile", sites, profile.resolve())
        print(f"{profile}: read it with `python -m pstats`")


def _watched(mode: str, sites: list[Site], out: Path | None = None) -> dict[str, Any]:
    """The figures of a crawl that is watched from inside."""
    with tempfile.TemporaryDirectory() as scratch:
        file = out or Path(scratch) / "figures.json"
        _, _, _, *words = crawl_command(Path(scratch), sites)
        start = f"from tests.benchmarks.crawl import inside; inside({mode!r}, {str(file)!r})"
        run([sys.executable, "-c", start, *words], Path(scratch))
        figures: dict[str, Any] = {} if out else json.loads(file.read_text())
        return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=Path, default=ROOT / "../shared/bench/extraction", metavar="FOLDER")
    parser.add_argument("--sites", type=int, default=8)
    parser.add_argument("--number", type=int, default=200, help="pages in all")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each way; 0 only looks inside")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="write a cProfile of the crawl's own process")
    arguments = parser.parse_args()
    for folder in ("crawler", "pipelines"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    pages = read_pages(arguments.pages, arguments.number)
    with farm(pages, arguments.sites) as sites:
        if arguments.rounds:
            compare(pages, sites, arguments.rounds)
        look_inside(pages, sites, arguments.profile)


if __name__ == "__main__":
    main()
