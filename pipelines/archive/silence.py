"""How long a source may be silent, and how its silences are kept: the arithmetic of health_rules.py, and lengths of time in words."""

from collections.abc import Sequence
from datetime import datetime
from math import sqrt
from statistics import fmean, median

GAPS = 13
"""Longest silences kept, one for each week in which the source published: a quarter, or a year of a monthly. The oldest is
not counted: its week was not watched from the start."""

ENOUGH_GAPS = 4
"""Under this number of them nothing is known of a source's habits: three weekends at least are among four weeks."""

TIMES_LONGEST, QUIET_HOURS = 2.0, 24.0
"""Quiet is longer than twice the longest silence (Easter makes 108 hours of a weekend's 60) and than a day (one holiday)."""

DEVIATIONS, DEVIATIONS_OF_FEW = 8.0, 40.0
"""And so many deviations above the median, the latter over the number of gaps: a few short silences of a source that publishes
by chance say little. Only what is longer than the median deviates. With this such a source is named by mistake once in 15
to 25 years, without it every fifth year."""

WATCHED_HOURS, WATCHED_TIMES = 36.0, 3.0
"""Time between two polls counts when it is not longer than this, or than this many times the usual: a machine that was
off saw no silence. A day and a half, so that a daily start may be late."""


def patience_hours(gaps: Sequence[tuple[str, float]]) -> float | None:
    """How long this source may be silent before it is quiet; None while too little is known of it."""
    hours = [gap for _, gap in gaps[1:]]
    if len(hours) < ENOUGH_GAPS:
        return None
    middle = median(hours)
    deviation = sqrt(fmean(max(0.0, gap - middle) ** 2 for gap in hours))
    unusual = middle + (DEVIATIONS + DEVIATIONS_OF_FEW / len(hours)) * deviation
    return max(TIMES_LONGEST * max(hours), unusual, QUIET_HOURS)


def with_gap(gaps: tuple[tuple[str, float], ...], week: str, hours: float) -> tuple[tuple[str, float], ...]:
    """The longest silences after one more that ended in a week; of each week only the longest is kept."""
    hours = round(hours, 2)
    if gaps and gaps[-1][0] == week:
        return (*gaps[:-1], (week, max(gaps[-1][1], hours)))
    return (*gaps, (week, hours))[-GAPS:]


def week_of(now: str) -> str:
    """The ISO week of a time stamp: `2026-W05`."""
    year, week, _ = datetime.fromisoformat(now).isocalendar()
    return f"{year}-W{week:02}"


def hours_between(earlier: str, later: str) -> float:
    """Hours from one time stamp to another; negative when a clock was set back."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds() / 3600


def span(hours: float) -> str:
    """A length of time for people: `31 hours`, `5 days`."""
    return (
        f"{hours / 24:.0f} days"
        if hours >= 72
        else f"{hours:.0f} hours"
        if hours >= 1.5
        else f"{hours * 60:.0f} minutes"
    )
