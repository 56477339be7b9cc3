"""Relative dates: `3 hours ago`, `vor 2 Tagen` -> how long before the fetch, as CLDR writes it in the page's language."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Literal

from pipelines.text import fold

PARTS = re.compile(r"[|·•—–,]")

UNITS = {"minutes": 60, "hours": 24, "days": 7, "weeks": 5}
"""Up to how many of a unit are told; what is older has a date."""


def age_in(line: str, language: str | None) -> timedelta | None:
    """The age that a line tells, alone or between separators; a length of time that is not said to have passed is none."""
    if len(line) > 120:
        return None
    parts = [fold(part).replace(" ", "") for part in PARTS.split(line)]
    known = (language, "en") if language else ("en",)
    return next((age for one in known for part in parts if (age := _ages(one).get(part))), None)


@cache
def _ages(language: str) -> Mapping[str, timedelta]:
    """As a page writes it -> what it means."""
    counted = [timedelta(**{unit: number}) for unit, most in UNITS.items() for number in range(1, most)]
    return {text: age for form in FORMS for age in reversed(counted) if (text := _written(age, form, language))}


FORMS: tuple[Literal["short", "long"], ...] = ("short", "long")


def _written(age: timedelta, form: Literal["short", "long"], language: str) -> str | None:
    from babel import UnknownLocaleError  # few pages tell no date, and 15 ms a language
    from babel.dates import format_timedelta

    try:
        text = format_timedelta(-age, threshold=1, add_direction=True, format=form, locale=language)
    except (UnknownLocaleError, ValueError, KeyError):  # CLDR lacks it: Arabic has no short form
        return None
    return fold(text).replace(" ", "")
