"""Date strings: every notation, order, calendar and zone that a page may use."""

from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st
from jalali_core import GregorianToJalali

from crawler.dates.calendars import gregorian
from crawler.dates.moments import UNKNOWN, Habits, parse_moment
from crawler.dates.months import NAMES

AMERICAN = Habits(language="en", region="US")
BRITISH = Habits(language="en", region="GB")


def value(text: str, habits: Habits = UNKNOWN) -> str | None:
    moment = parse_moment(text, habits)
    return moment.value if moment else None


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Wed, 11 Nov 2026 14:08:00 +0530", "2026-11-11T08:38:00Z"),
        ("Wed, 11 Nov 2026 14:08:00 +0000", "2026-11-11T14:08:00Z"),
        ("Wed, 11 Nov 2026 14:08:00 -0500", "2026-11-11T19:08:00Z"),
        ("Wed, 11 Nov 2026 14:08:00 CET", "2026-11-11T13:08:00Z"),
        ("Wed Nov 11 14:08:00 EST 2026", "2026-11-11T19:08:00Z"),
        ("November 11, 2026 11:30 PM EST", "2026-11-12T04:30:00Z"),
        ("11 November 2026 at 12:05 a.m. PT", "2026-11-11T08:05:00Z"),
        ("July 11, 2026, 9:05 pm ET", "2026-07-12T01:05:00Z"),
        ("11 Nov 2026, 22:11 GMT+10", "2026-11-11T12:11:00Z"),
        ("2026-11-11 09:15 PM JST", "2026-11-11T12:15:00Z"),
        ("11.11.2026, 14.08 MEZ", "2026-11-11T13:08:00Z"),
        ("2026-11-11 14:08:00 -0500", "2026-11-11T19:08:00Z"),
        ("11 November 2026 10 a.m. Eastern Time", "2026-11-11T15:00:00Z"),
        ("11/11/2026 10:08:00 AM -05:00", "2026-11-11T15:08:00Z"),
        ("Updated 1408 GMT (2208 HKT) November 11, 2026", "2026-11-11T14:08:00Z"),
        ("11.11.2026, 14:08 Uhr MEZ", "2026-11-11T13:08:00Z"),
        ("11 Kasım 2026, 14:08 TSİ", "2026-11-11T11:08:00Z"),
        ("11 November 2026 14:08 UTC−5", "2026-11-11T19:08:00Z"),
        ("2026-11-11T14:08:00[Europe/Paris]", "2026-11-11T13:08:00Z"),
        ("Wed Nov 11 14:08:00 +0100 2026", "2026-11-11T13:08:00Z"),
        ("1794402480000", "2026-11-11T13:08:00Z"),
        ("1794402480.25", "2026-11-11T13:08:00Z"),
        ("/Date(1794402480000)/", "2026-11-11T13:08:00Z"),
        ("11 November 2026 14:08 Nowhere/Land", "2026-11-11"),
        ("10:00-11:30, 11 November 2026", "2026-11-11"),
        ("11 November 2026, 14:08 and later", "2026-11-11"),
    ],
)
def test_a_time_is_an_instant_where_a_zone_or_an_offset_stands_beside_it(text: str, right: str) -> None:
    assert value(text) == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2026年11月11日 14時05分", "2026-11-11T05:05:00Z"),
        ("2026年11月11日 下午3:05", "2026-11-11T06:05:00Z"),
        ("2026년 11월 11일 오후 3시 05분", "2026-11-11T06:05:00Z"),
        ("11 novembre 2026 à 14h08", "2026-11-11T05:08:00Z"),
        ("Thursday 11 November 2026 2.08 pm", "2026-11-11T05:08:00Z"),
    ],
)
def test_a_clock_is_read_as_it_is_written_elsewhere(text: str, right: str) -> None:
    assert value(text, Habits(timezone="Asia/Tokyo")) == right


def test_a_zones_name_means_what_it_means_where_the_page_is_from() -> None:
    text = "11 Nov 2026 14:08 CST"
    read = {region: value(text, Habits(region=region)) for region in ("CN", "US", None)}
    assert read == {"CN": "2026-11-11T06:08:00Z", "US": "2026-11-11T20:08:00Z", None: "2026-11-11T20:08:00Z"}


def test_the_month_comes_first_where_a_country_writes_it_so() -> None:
    assert [value("5/3/2026 9:15:00 AM", habits) for habits in (AMERICAN, BRITISH, UNKNOWN)] == [
        "2026-05-03",
        "2026-03-05",
        "2026-03-05",
    ]
    assert [value(text, AMERICAN) for text in ("5.3.2026", "25/3/2026")] == ["2026-03-05", "2026-03-25"]


@pytest.mark.parametrize(
    "text",
    [
        "Wednesday 4th of February 2026",
        "4-Feb-26",
        "4 Feb '26",
        "Feb 4, ’26",
        "4. 2. 2026",
        "04 | 02 | 2026",
        "04 / 02 / 2026",
        "4.º de febrero de 2026",
        "4° febbraio 2026",
        "4 ΦΕΒΡΟΥΑΡΙΟΥ 2026",
        "4 ŞUBAT 2026",
        "ngày 4 tháng 2 năm 2026",
        "4 Tháng Hai, 2026",
        "ika-4 ng Feb 2026",
        "4 فيفري 2026",
        "৪ ফেব্রুয়ারি ২০২৬",
        "4 பிப்ரவரி 2026",
        "2026年(令和8年)2月4日",
        "令和8年（2026年）2月4日",
        "วันที่ 4 กุมภาพันธ์ พ.ศ. 2569",
        "4 ก.พ. 69",
    ],
)
def test_a_day_is_read_in_the_forms_that_people_write(text: str) -> None:
    assert value(text) == "2026-02-04"


LANGUAGES = """
ar az be bg bn bs ca cs cy da de el en es et fa fi fil fr gl gu he hi hr hu id is it ja ka kk kn ko ky lt lv mk ml mr ms my nb ne
nl pa pl pt ro ru si sk sl sq sr sr_Latn sv sw ta te th tr uk ur uz zh
"""


@pytest.mark.parametrize("language", LANGUAGES.split())
def test_every_month_is_read_as_the_language_writes_it(language: str) -> None:
    days = [date(2026, month, 17) for month in range(1, 13)]
    habits = Habits(language=language.split("_")[0])
    assert [value(format_date(day, "long", locale=language), habits) for day in days] == [*map(str, days)]


def test_every_language_has_twelve_months_and_no_spelling_means_two() -> None:
    assert {language: len(lines.splitlines()) for language, lines in NAMES["months"].items()} == dict.fromkeys(
        NAMES["months"], 12
    )
    known = {
        (name, number)
        for lines in NAMES["months"].values()
        for number, names in enumerate(lines.splitlines())
        for name in names.split()
    }
    assert len({name for name, _ in known}) == len(known)


def test_a_name_that_is_two_languages_months_is_read_in_the_pages_own() -> None:
    assert [value("4 listopada 2026", Habits(language=language)) for language in ("hr", "pl", "cs")] == [
        "2026-10-04",
        "2026-11-04",
        "2026-11-04",
    ]


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00Z", "Mon, 01 Jan 0001 00:00:00 +0000", "-0001-11-30T00:00:00+00:00", "0000-00-00 00:00:00",
     "Thu, 01 Jan 1970 00:00:00 GMT", "31.02.2026", "2026-13-01", "May 2026", "2026", "version 4.2.26.1"],
)  # fmt: skip
def test_what_programs_write_for_no_date_is_none(text: str) -> None:
    assert value(text) is None


@pytest.mark.parametrize(
    ("text", "habits"),
    [
        ("۱۴۰۴/۱۱/۱۵ - ۱۲:۴۱", Habits(language="fa")),
        ("1404-11-15", Habits(language="fa")),
        ("۱۵ بهمن ۱۴۰۴", UNKNOWN),
        ("२०८२-१०-२१", Habits(language="ne")),
        ("२१ माघ २०८२, बुधबार", UNKNOWN),
        ("4 กุมภาพันธ์ 2569", UNKNOWN),
        ("4 ก.พ. 2569 10:05 น.", UNKNOWN),
        ("04/02/2569", UNKNOWN),
        ("04/02/69", Habits(language="th")),
        ("115年2月4日", UNKNOWN),
        ("中華民國115年2月4日", UNKNOWN),
        ("115/02/04", Habits(language="zh", region="TW")),
        ("令和8年2月4日", UNKNOWN),
        ("令和八年（2026年）二月四日", UNKNOWN),
        ("中華民國一一五年二月四日", UNKNOWN),
        ("民國百十五年二月四日", UNKNOWN),
        ("二〇二六年二月四日", UNKNOWN),
        ("R8.2.4", Habits(language="ja")),
        ("4 فوریه 2026", UNKNOWN),
        ("4 شباط / فبراير 2026", UNKNOWN),
    ],
)
def test_a_day_of_another_calendar_is_the_gregorian_one(text: str, habits: Habits) -> None:
    assert value(text, habits) == "2026-02-04"


def test_years_that_may_be_of_two_calendars_are_of_the_languages() -> None:
    assert (value("2082-10-21", Habits(language="en")), value("1447/8/16", Habits(language="ar"))) == (
        "2082-10-21",
        None,
    )


DAYS = st.dates(date(1991, 1, 1), date(2060, 12, 31))


@given(DAYS)
def test_every_jalali_day_is_found_again(day: date) -> None:
    year, month, of_month = GregorianToJalali(day.year, day.month, day.day).getJalaliList()
    assert gregorian(year, month, of_month, "fa") == day


@given(DAYS)
def test_the_order_of_day_and_month_is_a_matter_of_habit_alone(day: date) -> None:
    assert value(f"{day.month}/{day.day}/{day.year}", AMERICAN) == value(f"{day.day}/{day.month}/{day.year}", BRITISH)


@given(DAYS, st.times(), st.integers(-14 * 4, 14 * 4))
def test_an_instant_is_the_same_in_every_notation(day: date, clock: object, quarters: int) -> None:
    offset = timezone(timedelta(minutes=15 * quarters))
    when = datetime.combine(day, clock, offset).replace(microsecond=0)  # type: ignore[arg-type]
    right = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    texts = (
        when.isoformat(),
        format_datetime(when),
        f"{when:%d %B %Y %I:%M:%S %p GMT%z}",
        f"{when:%Y-%m-%d %H:%M:%S %z}",
    )
    assert [value(text) for text in texts] == [right] * 4


@given(
    st.one_of(st.text(max_size=90), st.from_regex(r"[\d/.:+ 年月日TZAPM-]{4,40}")),
    st.sampled_from([UNKNOWN, AMERICAN, Habits(language="ne"), Habits(language="th"), Habits(region="TW")]),
)
def test_no_string_is_a_date_outside_of_the_webs_years(text: str, habits: Habits) -> None:
    found = value(text, habits)
    assert found is None or 1989 <= int(found[:4]) <= 2101
