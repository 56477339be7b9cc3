"""Calendars: a day of the Jalali (Persian), Bikram Sambat (Nepali), Buddhist, Minguo or Japanese calendar -> the Gregorian one.

Which calendar a year is of shows in the year itself, since each counts from elsewhere: a page of 2026 has 1404, 2082, 2569,
115 and 令和8. Only where two are possible the page's language decides.
"""

from datetime import date

OLDEST, NEWEST = 1990, 2100
"""Years before the web are somebody's biography, not a publication."""

JALALI_YEARS, BIKRAM_YEARS, BUDDHIST_YEARS, MINGUO_YEARS = (
    range(1369, 1479),
    range(2047, 2101),
    range(2533, 2644),
    range(79, 190),
)
"""The years that lie from OLDEST to NEWEST. The calendar of Nepal is made by proclamation, and is known up to 2100."""

TO_BUDDHIST = 543

LUNAR = frozenset(("ar", "ur", "ms"))
"""Languages whose years of the fifteenth century are of the lunar Hijri calendar."""

ERAS = {
    "令和": 2018,
    "平成": 1988,
    "昭和": 1925,
    "r": 2018,
    "h": 1988,
    "s": 1925,
    "民國": 1911,
    "民国": 1911,
    "中華民國": 1911,
}
"""The year before the first one of an era."""


def gregorian(year: int, month: int, day: int, language: str | None = None) -> date | None:
    """The Gregorian day of a date as a page writes it; None where there is no such day."""
    try:
        if year in JALALI_YEARS and language not in LUNAR:
            return _from_jalali(year, month, day)
        if year in BIKRAM_YEARS and language == "ne":
            return _from_bikram(year, month, day)
        if year in BUDDHIST_YEARS:
            year -= TO_BUDDHIST
        return date(year, month, day) if OLDEST <= year <= NEWEST else None
    except ValueError:
        return None


def of_era(name: str, year: int, month: int, day: int) -> date | None:
    """The day of a year that is counted from an era's beginning: 令和8, 民國115."""
    return gregorian(year + ERAS[name.lower()], month, day)


def _from_jalali(year: int, month: int, day: int) -> date:
    from jalali_core import JalaliToGregorian  # only pages of Iran and Afghanistan need it

    if not (1 <= month <= 12 and 1 <= day <= (31 if month <= 6 else 30)):
        raise ValueError
    return date(*JalaliToGregorian(year, month, day).getGregorianList())


def _from_bikram(year: int, month: int, day: int) -> date:
    import nepali_datetime  # reads its table of months, 20 ms

    found: date = nepali_datetime.date(year, month, day).to_datetime_date()
    return found
