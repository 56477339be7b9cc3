"""A simulated week of cron's line, as whole processes against loopback sites: `python -m tests.benchmarks.soak`.

Twenty sites publish, correct, delete, move, carry a wire's reports, turn visitors away and fall over; `broadsheet crawl --quiet` is
started every quarter of an hour of a clock that the benchmark sets (tests/support/clocked); answers come by the same clock. A week
takes 20 minutes on an idle machine; `--days 2 --every 60` less than two, and `--minutes` ends it early. Asked for: every article is one article, whatever
became of its address; corrections are versions, deletions are seen; each site has the word that is true of it, every day; nothing is
printed, which cron would mail, unless a run ends with another status than 0; and a run costs at the end what it cost on the second day.
"""

import argparse
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import fmean
from typing import Any

from crawler.times import stamp
from tests.conftest import ROOT
from tests.support.simulated_sites import Answer, Headers, Paper, Report, by_chance, html, redirect

BEGIN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)  # a Monday
CLOCKED = ROOT / "tests/support/clocked"
"""Where a process that has this on its path takes its clock from."""

MARK = re.compile(r"The case of (\w+q) has been")
FLAT = 1.5
"""Times the second day's cost that a run of the last day may take."""

_SITE_HOSTS = "127.0.1.{}"


# The clock


class Clock:
    """The simulation's time: it goes on as the true one does, from where it was last set."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def set(self, at: datetime) -> None:
        self.offset = at - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": f"{CLOCKED}:{ROOT}", "CLOCK_OFFSET_SECONDS": f"{self.offset.total_seconds():.3f}"}


# The sites


@dataclass
class Site:
    """A paper, what it does, and what is true of it."""

    paper: Paper
    does: str
    words: Callable[[float], tuple[str, ...]] = lambda day: ("ok",)  #: that status may say, by day
    readable: Callable[[Report], bool] = lambda report: True
    asked: Counter[int] = field(default_factory=Counter)  #: requests by day
    statuses: Counter[int] = field(default_factory=Counter)


Setup = Callable[[Paper, "Plan"], Site]


@dataclass
class Plan:
    days: int

    def at(self, share: float) -> datetime:
        return BEGIN + timedelta(days=self.days * share)


def plain(paper: Paper, plan: Plan) -> Site:
    return _with_feed(paper, "feed")


def _with_feed(paper: Paper, does: str, entries: int = 15) -> Site:
    paper.rss(entries=entries)
    paper.front(head=paper.announce("/feed"))
    return Site(paper, does)


def atom(paper: Paper, plan: Plan) -> Site:
    paper.atom(entries=15)
    paper.front(head=paper.announce("/atom.xml", "application/atom+xml"))
    return Site(paper, "atom")


def front_page(paper: Paper, plan: Plan) -> Site:
    paper.front(links=15)
    return Site(paper, "front page")


def sitemap(paper: Paper, plan: Plan) -> Site:
    paper.sitemap("/sitemap.xml", lambda now: paper.all_of(now, lastmod=True))
    paper.front()
    return Site(paper, "sitemap")


def news_sitemap(paper: Paper, plan: Plan) -> Site:
    paper.news_sitemap("/news.xml")
    paper.robots(f"Sitemap: {paper.base}/news.xml\n")
    paper.front()
    return Site(paper, "news sitemap")


def corrects(paper: Paper, plan: Plan) -> Site:
    def page(report: Report, now: datetime) -> Answer:
        if now < report.at + timedelta(hours=3):
            return paper.page(report)
        answer = paper.page(report)
        added = f"<p>Correction: an earlier version named {report.mark} wrongly, and the council of the town has said so.</p></article>"
        return Answer(answer.body.replace(b"</article>", added.encode()), 200, answer.headers)

    paper.shell = page
    return _with_feed(paper, "corrects")


def is_deleted(report: Report) -> bool:
    return report.number % 4 == 0


def deletes(paper: Paper, plan: Plan) -> Site:
    def page(report: Report, now: datetime) -> Answer:
        gone = is_deleted(report) and now > report.at + timedelta(hours=4)
        return Answer(b"gone", 404, {"Content-Type": "text/html"}) if gone else paper.page(report)

    paper.shell = page
    return _with_feed(paper, "deletes")


MOVES_AFTER = timedelta(hours=12)


def moves(paper: Paper, plan: Plan) -> Site:
    return _moving(paper, "moves by 301", lambda path: redirect(f"/moved{path}", 301))


def renames(paper: Paper, plan: Plan) -> Site:
    return _moving(
        paper, "renames without redirect", lambda path: Answer(b"not here", 404, {"Content-Type": "text/html"})
    )


def _moving(paper: Paper, does: str, left: Callable[[str], Answer]) -> Site:
    def has_moved(report: Report, now: datetime) -> bool:
        return now > report.at + MOVES_AFTER

    def answer(path: str, now: datetime, headers: Headers) -> Answer | None:
        there = [report for report in paper.by_path.get(path.removeprefix("/moved"), ()) if report.at <= now]
        if not there:
            return None
        if path.startswith("/moved"):
            return paper.page(there[-1]) if has_moved(there[-1], now) else Answer(b"not here", 404)
        return left(path) if has_moved(there[-1], now) else None

    def listed(report: Report, now: datetime) -> str:
        return f"/moved{report.path}" if has_moved(report, now) else report.path

    paper.others.append(answer)
    paper.address = listed
    return _with_feed(paper, does)


def down(
    says: Answer, does: str, begin: float, end: float, words: tuple[str, ...], *, robots_too: bool = True
) -> Setup:
    """A feed's site that says this to everything between two shares of the time; `words` may be said from then on."""

    def setup(paper: Paper, plan: Plan) -> Site:
        first, last = plan.at(begin), plan.at(end)

        def answer(path: str, now: datetime, _: Headers) -> Answer | None:
            return says if first <= now < last and (robots_too or path != "/robots.txt") else None

        paper.others.append(answer)
        paper.rss(entries=40)
        paper.front(head=paper.announce("/feed"))
        over = plan.days * end + 1

        def said(day: float) -> tuple[str, ...]:
            if day < plan.days * begin:
                return ("ok",)
            if end >= 1:  # a day is enough to say so
                return words if day > plan.days * begin + 1.2 else ("ok", *words)
            return ("ok",) if day > over else ("ok", *words)

        return Site(
            paper,
            does,
            said,
            readable=lambda report: last <= plan.at(1) - timedelta(days=1) or report.at < first - timedelta(hours=1),
        )

    return setup


def javascript(paper: Paper, plan: Plan) -> Site:
    paper.shell = lambda report, now: html("<title>App</title>", '<div id="root"></div><script src="/app.js"></script>')
    site = _with_feed(paper, "made by JavaScript")
    site.words = lambda day: ("empty", "changed") if day >= 1 else ("ok", "empty", "changed")
    site.readable = lambda report: False
    return site


SETUPS: list[tuple[Setup, float]] = [
    (plain, 4), (plain, 12), (plain, 1), (plain, 6), (plain, 8), (atom, 10), (front_page, 5), (sitemap, 4),
    (news_sitemap, 6), (corrects, 8), (deletes, 8), (moves, 6), (renames, 6),
    (down(Answer(b"later", 429, {"Retry-After": "7200"}), "429 for a while", 0.3, 0.45, ("blocked", "broken")), 5),
    (down(Answer(b"no", 403), "403 for a while", 0.3, 0.5, ("blocked", "broken")), 5),
    (down(Answer(b"no", 403), "403 for good", 0.4, 1, ("blocked",), robots_too=False), 5),
    (down(Answer(failure="closed"), "unreachable for good", 0.4, 1, ("broken",)), 5),
    (down(Answer(b"oops", 500), "errors for a while", 0.3, 0.5, ("broken",)), 5),
    (javascript, 5), (plain, 6),
]  # fmt: skip
"""What each site does, and its articles a day. The first five carry a wire's reports, too."""


# Loopback


@contextmanager
def serving(host: str, clock: Clock) -> Iterator[tuple[ThreadingHTTPServer, dict[str, Site]]]:
    held: dict[str, Site] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site, now = held["site"], clock.now()
            site.asked[int((now - BEGIN).total_seconds() // 86_400)] += 1
            answer = site.paper.answer(self.path, now, {name.lower(): value for name, value in self.headers.items()})
            if answer.failure:
                self.close_connection = True
                return
            site.statuses[answer.status] += 1
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server, held
    finally:
        server.shutdown()
        server.server_close()


def sites_of(clock: Clock, plan: Plan, held: ExitStack) -> list[Site]:
    sites = []
    for number, (setup, per_day) in enumerate(SETUPS):
        server, holder = held.enter_context(serving(_SITE_HOSTS.format(number + 1), clock))
        base = f"http://{_SITE_HOSTS.format(number + 1)}:{server.server_port}"
        paper = Paper(
            name=f"Paper {number:02d}", base=base, begin=BEGIN, days=plan.days, rhythm=by_chance(per_day), backlog=12
        )
        holder["site"] = setup(paper, plan)
        sites.append(holder["site"])
    wire = Paper(name="Wire", base="", begin=BEGIN, days=plan.days, rhythm=by_chance(4), backlog=0)
    for number, site in enumerate(sites[:5]):
        site.paper.carry(wire.reports, timedelta(minutes=20 + 7 * number))
    return sites


# Runs


@dataclass
class Run:
    at: datetime
    code: int
    said: str
    cpu_seconds: float
    wall_seconds: float
    megabytes: float


def command(folder: Path, clock: Clock, *arguments: str) -> tuple[int, str, float, float]:
    """One start as cron's: exit status, what cron would mail, CPU seconds of all its processes, megabytes."""
    environment = {"PATH": "/usr/bin:/bin", **clock.environment()}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "crawler", *arguments],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace")
    return process.returncode, said, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


@dataclass
class Diary:
    runs: list[Run] = field(default_factory=list)
    words: dict[str, list[tuple[float, str, str | None]]] = field(default_factory=lambda: defaultdict(list))
    bytes_of_day: dict[int, int] = field(default_factory=dict)


def watch(folder: Path, sites: list[Site], clock: Clock, days: int, every: timedelta, minutes: float) -> Diary:
    diary, began = Diary(), time.monotonic()
    number = int(timedelta(days=days) / every)
    for run in range(number):
        at = BEGIN + run * every
        clock.set(at)
        start = time.monotonic()
        code, said, cpu, megabytes = command(folder, clock, "crawl", "--quiet")
        diary.runs.append(Run(at, code, said, cpu, time.monotonic() - start, megabytes))
        day = (at - BEGIN) / timedelta(days=1)
        for name, word, reason in rows(folder, "select name, status, reason from sources"):
            diary.words[name].append((day, word, reason))
        diary.bytes_of_day[int(day)] = (folder / "news.db").stat().st_size
        if time.monotonic() - began > 60 * minutes:
            break
        if sys.stderr.isatty():
            print(
                f"\rstart {run + 1} of {number}, {time.monotonic() - began:.0f} s", end="", file=sys.stderr, flush=True
            )
    return diary


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "news.db")) as base:
        return base.execute(sql).fetchall()


# What came of it


def articles_by_mark(folder: Path) -> dict[str, list[tuple[int, str, str | None, int]]]:
    """(id, url, gone_at, version_count) of the articles that hold each mark."""
    found: dict[str, list[tuple[int, str, str | None, int]]] = defaultdict(list)
    for text, *row in rows(folder, "select text, id, url, gone_at, version_count from articles"):
        if mark := MARK.search(text):
            found[mark[1]].append((row[0], row[1], row[2], row[3]))
    return found


def once(
    site: Site, found: dict[str, list[tuple[int, str, str | None, int]]], end: datetime
) -> tuple[int, list[str], list[str]]:
    due = [
        report
        for report in site.paper.reports
        if BEGIN <= report.at < end - timedelta(days=1) and site.readable(report)
    ]
    missed = [f"{stamp(report.at)} {report.path}" for report in due if not found.get(report.mark)]
    twice = [
        " and ".join(str(row[1]) for row in found[report.mark]) for report in due if len(found.get(report.mark, ())) > 1
    ]
    return len(due), missed, twice


def tell(folder: Path, sites: list[Site], diary: Diary) -> bool:
    end, found = diary.runs[-1].at, articles_by_mark(folder)
    days = int((end - BEGIN) / timedelta(days=1)) + 1
    wrong = []
    print(f"{(end - BEGIN) / timedelta(days=1):.1f} days, {len(diary.runs)} starts")
    print(
        f"{'site':12}{'does':26}{'articles':>9}{'missed':>8}{'twice':>7}{'requests':>10}  words, by runs; those that are not true"
    )
    for site in sites:
        due, missed, twice = once(site, found, end)
        words = diary.words[site.paper.name]
        said = Counter(word for _, word, _ in words)
        false = Counter(word for day, word, _ in words if day > 0.2 and word not in site.words(day))
        text = ", ".join(f"{word} {number}" for word, number in said.most_common())
        print(
            f"{site.paper.name:12}{site.does:26}{due:9}{len(missed):8}{len(twice):7}{sum(site.asked.values()):10}  {text}; {dict(false) or '-'}"
        )
        wrong += [f"{site.paper.name} ({site.does}): missed {one}" for one in missed[:3]]
        wrong += [f"{site.paper.name} ({site.does}): twice: {one}" for one in twice[:3]]
        wrong += [
            f"{site.paper.name} ({site.does}): called {word} in {number} runs: {_first_reason(words, word)}"
            for word, number in false.items()
        ]
    wrong += _changes(sites, found, end)
    wrong += _mail(folder, diary)
    wrong += _cost(diary, sites, days)
    states = rows(
        folder,
        "select status, coalesce(reason, '(no reason)'), count(*) from runs group by 1, 2 order by 3 desc limit 8",
    )
    print("\nruns: " + "; ".join(f"{status} {number}: {reason}" for status, reason, number in states))
    print(f"\nwrong: {len(wrong)}")
    for line in wrong:
        print(f"  {line}")
    return not wrong


def _first_reason(words: list[tuple[float, str, str | None]], wanted: str) -> str:
    return next(f"day {day:.2f}: {reason}" for day, word, reason in words if word == wanted)


def _changes(
    sites: list[Site], found: dict[str, list[tuple[int, str, str | None, int]]], end: datetime
) -> Iterator[str]:
    """Whether corrections are versions and deletions seen, a day or two later as the looks for corrections come."""
    for site in sites:
        for report in site.paper.reports if site.does in ("corrects", "deletes") else ():
            known = found.get(report.mark, [])
            if not known or report.at < BEGIN:
                continue
            if site.does == "corrects" and report.at < end - timedelta(hours=27) and known[0][3] < 2:
                yield f"{site.paper.name}: a correction of {report.path} is no version"
            if site.does == "deletes":
                gone = is_deleted(report) and report.at < end - timedelta(hours=51)
                if gone and not known[0][2]:
                    yield f"{site.paper.name}: nobody saw that {report.path} is gone"
                if known[0][2] and not is_deleted(report):
                    yield f"{site.paper.name}: {report.path} is said to be gone"


def _mail(folder: Path, diary: Diary) -> Iterator[str]:
    mails = [run for run in diary.runs if run.said]
    (folder / "mails.txt").write_text("\n\n".join(f"{stamp(run.at)} exit {run.code}\n{run.said}" for run in mails))
    print(
        f"\nmails of cron: {len(mails)}, {sum(len(run.said) for run in mails)} bytes; runs that did not end with 0: {sum(run.code != 0 for run in diary.runs)}"
    )
    for run in mails[:5]:
        yield f"{stamp(run.at)}: exit {run.code}, mailed: {run.said.strip()[:300]}"


def _cost(diary: Diary, sites: list[Site], days: int) -> Iterator[str]:
    print(
        f"\n{'day':>4}{'starts':>8}{'CPU s a start':>15}{'requests a start':>18}{'MB of memory':>14}{'MB of file':>12}"
    )
    means = {}
    for day in range(days):
        runs = [run for run in diary.runs if int((run.at - BEGIN) / timedelta(days=1)) == day]
        means[day] = fmean(run.cpu_seconds for run in runs)
        asked = sum(site.asked[day] for site in sites) / len(runs)
        most = max(run.megabytes for run in runs)
        print(
            f"{day + 1:4}{len(runs):8}{means[day]:15.2f}{asked:18.1f}{most:14.0f}{diary.bytes_of_day[day] / 2**20:12.1f}"
        )
    if days > 2 and means[days - 1] > FLAT * means[1]:
        yield f"a start of the last day takes {means[days - 1]:.2f} s of CPU, one of the second {means[1]:.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--every", type=int, default=15, help="minutes between two starts")
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="stop after so many, and judge what was seen"
    )
    parser.add_argument("--keep", type=Path, help="a folder for the archive, to look at afterwards")
    asked = parser.parse_args()
    clock = Clock(BEGIN)
    with ExitStack() as held:
        sites = sites_of(clock, Plan(asked.days), held)
        folder = asked.keep or Path(held.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        head = '[crawl]\ndelay = 0\nuser_agent = "soak (+https://test.example)"\nallow_private = ["127.0.0.0/8"]\n'
        named = (
            f"[[source]]\nurl = {json.dumps(site.paper.base + '/')}\nname = {json.dumps(site.paper.name)}\n"
            for site in sites
        )
        (folder / "sources.toml").write_text(head + "".join(named))
        diary = watch(folder, sites, clock, asked.days, timedelta(minutes=asked.every), asked.minutes)
        return 0 if tell(folder, sites, diary) else 1


if __name__ == "__main__":
    raise SystemExit(main())
