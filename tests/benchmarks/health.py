"""How soon a silent source is named, how often a well one is by mistake, what judging costs: `python -m tests.benchmarks.health`.

Invented publishers, a year each, looked at every 15 minutes with the real rules of pipelines.archive.health; then an archive of a
million invented articles, and runs into it. Nothing here is of the web.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from crawler.items import Article, Link, Listing, Outcome, Page, Source
from crawler.times import stamp
from pipelines.archive import health, listings
from pipelines.archive.health_rules import Habits, updated_silence
from pipelines.archive.runs import _newly_met
from pipelines.archive.silence import patience_hours
from pipelines.archive.sources import sync
from pipelines.archive.store import Archive
from tests.support.loopback import story

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
EVERY = timedelta(minutes=15)
YEAR = timedelta(weeks=52)
BERLIN = ZoneInfo("Europe/Berlin")
HOLIDAYS = {"2026-04-03", "2026-04-06", "2026-05-01", "2026-05-14", "2026-05-25", "2026-10-03", "2026-12-25"}
"""Days on which the papers of a country do not appear, two of them around a weekend."""

Moments = Iterator[datetime]
Publisher = Callable[[random.Random], Moments]


def by_hour(per_hour: Callable[[datetime], float]) -> Publisher:
    """Articles by chance, so many an hour at each local hour: Poisson's way."""

    def publish(chance: random.Random) -> Moments:
        for number in range(int(YEAR.total_seconds() // 3600)):
            hour = START + timedelta(hours=number)
            local = hour.astimezone(BERLIN)
            passed = chance.expovariate(rate) if (rate := per_hour(local)) else 1.0
            while passed < 1:
                yield hour + timedelta(hours=passed)
                passed += chance.expovariate(rate)

    return publish


def wire(local: datetime) -> float:
    return 6.0 if 6 <= local.hour < 23 else 0.8


def daily(local: datetime) -> float:
    return 2.0 if 7 <= local.hour < 20 else 0.0


def weekdays(local: datetime) -> float:
    return 1.0 if 8 <= local.hour < 18 and local.weekday() < 5 else 0.0


def weekdays_with_holidays(local: datetime) -> float:
    return 0.0 if local.date().isoformat() in HOLIDAYS else weekdays(local)


def with_christmas(local: datetime) -> float:
    return 0.0 if (local.month, local.day) >= (12, 24) else weekdays_with_holidays(local)


def every(days: tuple[float, float], burst: int, hours: float) -> Publisher:
    """So many articles within some hours, every so many days, from and to."""

    def publish(chance: random.Random) -> Moments:
        at = START
        while (at := at + timedelta(days=chance.uniform(*days))) < START + YEAR:
            yield from sorted(at + timedelta(hours=chance.uniform(0, hours)) for _ in range(burst))

    return publish


PUBLISHERS: dict[str, Publisher] = {
    "wire, round the clock": by_hour(wire),
    "paper, seven days": by_hour(daily),
    "paper, weekdays": by_hour(weekdays),
    "the same, holidays": by_hour(weekdays_with_holidays),
    "the same, Christmas break": by_hour(with_christmas),
    "weekly magazine": every((6.8, 7.2), 15, 6),
    "fortnightly letter": every((13, 15), 1, 1),
    "monthly blog": every((25, 38), 1, 1),
    "one a day by chance": by_hour(lambda _: 1 / 24),
    "two a week by chance": by_hour(lambda _: 2 / 168),
    "one in nine days by chance": by_hour(lambda _: 1 / 216),
}


def looks(moments: list[datetime]) -> Iterator[tuple[datetime, bool]]:
    """Every look of the year: when, and whether something was new."""
    at, number = START, 0
    while at < START + YEAR:
        at += EVERY
        found = number
        while number < len(moments) and moments[number] <= at:
            number += 1
        yield at, number > found


def watched(moments: list[datetime]) -> tuple[int, list[float | None]]:
    """False alarms of a source that goes on, and after how many days it would be named if it stopped now, week by week."""
    habits, last, alarms, quiet = Habits(), None, 0, False
    patiences: list[float | None] = []
    for number, (at, new) in enumerate(looks(moments)):
        now = stamp(at)
        habits, last = updated_silence(habits, last, now, new=new), now
        patience = patience_hours(habits.gaps)
        was, quiet = quiet, patience is not None and habits.silent_hours > patience
        alarms += quiet and not was
        if number % 672 == 671:
            patiences.append(patience / 24 if patience is not None else None)
    return alarms, patiences


def measure_silence(name: str, publish: Publisher, years: int) -> None:
    found = [watched(list(publish(random.Random(f"{name} {seed}")))) for seed in range(years)]
    alarms = sum(count for count, _ in found)
    named = [_median([patiences[week - 1] for _, patiences in found]) for week in (8, 12, 26, 52)]
    print(f"{name:27s} {years:5d} {alarms:6d}   " + " ".join(f"{days:>5s}" for days in named), flush=True)


def _median(days: list[float | None]) -> str:
    known = [day for day in days if day is not None]
    return f"{statistics.median(known):.1f}" if 2 * len(known) > len(days) else "-"


# What judging costs


def measure_cost(articles: int, sources: int) -> None:
    listed = [
        Source(url=f"https://{number}.example/", name=f"Source {number}", feeds=(f"https://{number}.example/feed",))
        for number in range(sources)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "news.db"
        _fill(path, listed, articles)
        print(f"\n{articles:,} articles of {sources} sources")
        for new in (0, 2):
            seconds = min(_run(path, listed, new, number) for number in range(3))
            print(f"judging all of them, {new} new pages each: {seconds * 1000:.0f} ms")
        with closing(Archive(path)) as archive:
            began = time.perf_counter()
            list(archive.db.query("select * from source_health"))
            print(f"the view source_health: {(time.perf_counter() - began) * 1000:.0f} ms")


def _fill(path: Path, sources: list[Source], articles: int) -> None:
    """Rows as a year of crawls leaves them, without texts and their index, which judging does not read."""
    with closing(Archive(path)) as archive, archive.transaction():
        sync(archive.db, sources)
        archive.db.execute("drop trigger articles_fts_insert")
        archive.db.execute(
            """with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ?)
               insert into articles (id, url, source_id, title, date_published, sort_at, word_count, content_hash, extractor,
                                     first_seen_at, last_fetched_at, text)
               select n, 'https://x.example/' || n, 1 + n % ?, 'Title', at, at, 400, n, 'x', at, at, 'text'
               from (select n, strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || cast(n * 31536000.0 / ? as integer) || ' seconds') as at from numbers)""",
            [articles, len(sources), articles],
        )
        archive.db.execute(
            """insert into pages (url, source_id, via, state, article_id, discovered_at, last_fetched_at, attempts)
               select url, source_id, 'feed', 'article', id, first_seen_at, first_seen_at, 1 from articles"""
        )


def _run(path: Path, sources: list[Source], new: int, number: int) -> float:
    """Seconds that judging takes at the end of a run that looked at every source."""
    now = datetime.now(UTC)
    with closing(Archive(path)) as archive:
        archive.start_run(argv=["crawl"], version="x", now=now)
        with archive.transaction():
            for source in sources:
                urls = [f"{source.url}{new}/{number}/{page}" for page in range(new)]
                links = tuple(Link(url=url) for url in urls)
                listings.keep(
                    archive.db,
                    archive.run,
                    Listing(url=source.feeds[0], source=source, kind="rss", fetched_at=now, status=200, links=links),
                )
                for url in urls:
                    article = Article(title=url, text=story(url), word_count=120, extractor="x")
                    page = Page(url=url, final_url=url, via="feed", fetched_at=now, source=source, status=200)
                    archive._keep_outcome(Outcome(page=page, article=article))
        began = time.perf_counter()
        with archive.transaction():
            health.judge_sources(
                archive.db,
                _newly_met(archive.db),
                read=archive.run.read,
                unread=archive.run.unread,
                held={},
                started_at=stamp(now),
                now=stamp(datetime.now(UTC)),
            )
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=10, help="of each publisher")
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--sources", type=int, default=500)
    asked = parser.parse_args()
    print(f"{'publisher':27s} years  false   days till named, if it stops")
    print(f"{'':27s}       alarms   after  8    12    26    52 weeks")
    for name, publish in PUBLISHERS.items():
        measure_silence(name, publish, asked.years)
    measure_cost(asked.articles, asked.sources)


if __name__ == "__main__":
    main()
