"""How soon a source that falls silent is named, and how often a well one is by mistake: `python -m tests.benchmarks.health`.

Invented publishers, a year each, looked at every 15 minutes with the real rules of pipelines.health; then each stops for
good, at every hour of a week in turn. Nothing here is of the web.
"""

import argparse
import random
import statistics
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pipelines import health
from pipelines.health import Habits

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


def false_alarms(moments: list[datetime]) -> tuple[int, Habits]:
    """How many times a source that goes on was said to be quiet, and what its habits are in the end."""
    habits, last, alarms, quiet = Habits(), None, 0, False
    for at, new in looks(moments):
        now = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        habits, last = health.watch(habits, last, now, new=new), now
        patience = health.patience_hours(habits.gaps)
        was, quiet = quiet, patience is not None and habits.silent_hours > patience
        alarms += quiet and not was
    return alarms, habits


def measure(name: str, publish: Publisher, years: int) -> None:
    alarms, patience, unjudged = 0, [], 0
    for seed in range(years):
        found, habits = false_alarms(list(publish(random.Random(f"{name} {seed}"))))
        hours = health.patience_hours(habits.gaps)
        alarms += found
        patience += [hours] if hours is not None else []
        unjudged += hours is None
    delays = [hours / 24 for hours in patience]
    print(
        f"{name:27s} {years:5d} {alarms:6d} {statistics.median(delays):8.1f} {max(delays):8.1f} {unjudged:9d}", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=10, help="of each publisher")
    years = parser.parse_args().years
    print(f"{'publisher':27s} years  false  days till named  not judged")
    print(f"{'':27s}       alarms   median      most      at end")
    for name, publish in PUBLISHERS.items():
        measure(name, publish, years)


if __name__ == "__main__":
    main()
