"""The `lastmod` of a sitemap: a known address whose date is another is asked again, and dates that a machine makes up are not believed."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from crawler.parsers.links import EVERYTHING, Scope
from crawler.parsers.listings import read_listing
from crawler.parsers.sitemaps import MAX_UNDATED
from pipelines.archive.entry_points import dates_tell
from pipelines.database.connection import Row
from tests.support.loopback import Site, article_html, serving, story
from tests.support.newsroom import Newsroom

NOW = datetime(2026, 11, 7, 10, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
URL = "https://www.x.example/sitemap.xml"

Dates = Callable[[int], datetime | str]
"""The lastmod of an entry by its place in the list."""


def sitemap(names: list[str], date: Dates, home: str = "https://www.x.example/") -> str:
    said = (date(place) for place in range(len(names)))
    dates = (one if isinstance(one, str) else one.isoformat() for one in said)
    entries = (
        f"<url><loc>{home}{name}</loc><lastmod>{d}</lastmod></url>" for name, d in zip(names, dates, strict=True)
    )
    return f"<urlset>{''.join(entries)}</urlset>"


def taken(body: str, url: str = URL, scope: Scope = EVERYTHING, since: datetime | None = SINCE) -> list[str]:
    return [link.url.rpartition("/")[2] for link in read_listing(body.encode(), url, "sitemap", since, scope).links]


NAMES = [f"story-of-{letter}" for letter in "abcdefghijklmnopqrst"]

# How they are read

FALSE: dict[str, Dates] = {
    "of the day it was set up": lambda place: "2021-03-01",
    "of the build, a year ago": lambda place: NOW - timedelta(days=365, seconds=place),
    "of the build, over midnight": lambda place: datetime(2025, 3, 1, 23, 55 + place // 5, tzinfo=UTC),
    "old, and sections of now": lambda place: NOW if place < 2 else "2021-03-01",
}
TRUE: dict[str, Dates] = {
    "all old": lambda place: NOW - timedelta(days=20 + place),
    "changed at once, and since then one by one": lambda place: NOW - timedelta(days=10 * place) if place > 17 else "2021-03-01",
    "old, of half a year": lambda place: f"2024-{1 + place % 6:02}-01",
}  # fmt: skip


@pytest.mark.parametrize("date", FALSE.values(), ids=FALSE)
def test_dates_that_a_machine_set_do_not_make_an_entry_old(date: Dates) -> None:
    assert sorted(taken(sitemap(NAMES, date))) == NAMES


@pytest.mark.parametrize("date", TRUE.values(), ids=TRUE)
def test_dates_that_differ_are_believed(date: Dates) -> None:
    assert taken(sitemap(NAMES, date)) == []


@pytest.mark.parametrize("number", [1, 4])
def test_few_entries_may_be_of_one_day(number: int) -> None:
    assert taken(sitemap(NAMES[:number], lambda _: "2021-03-01")) == []


def test_of_many_that_are_all_of_now_a_thousand_are_taken_and_later_what_is_new_wherever_it_stands() -> None:
    names = [f"{a}{b}{c}-slug" for a in "abcdefghijkl" for b in "abcdefghijkl" for c in "abcdefghijkl"]
    first = read_listing(sitemap(names, lambda _: NOW).encode(), URL, "sitemap", SINCE)
    assert (len(first.links), first.left_out) == (MAX_UNDATED, len(names) - MAX_UNDATED)
    assert first.seen
    names.insert(864, "new-slug")
    assert taken(sitemap(names, lambda _: NOW + timedelta(hours=1)), scope=Scope(seen=first.seen)) == ["new-slug"]


@pytest.mark.parametrize(
    ("url", "scope"),
    [
        ("https://www.x.example/sitemap-2021-03-01.xml", EVERYTHING),
        ("https://www.x.example/sitemap-2021.xml", EVERYTHING),
        (URL, Scope(dates_tell=True)),
    ],
)
def test_a_part_of_old_days_may_be_of_one_day(url: str, scope: Scope) -> None:
    assert taken(sitemap(NAMES, lambda _: "2021-03-01"), url, scope) == []


def test_of_entries_without_a_date_to_believe_the_address_still_tells() -> None:
    names = ["2021/03/01/a", "2026/11/06/b", "c", "d", "e", "f"]
    assert taken(sitemap(names, lambda _: NOW)) == ["b", "c", "d", "e", "f"]


def test_where_dates_are_known_to_be_false_none_is_believed() -> None:
    rising: Dates = lambda place: NOW - timedelta(days=place)  # noqa: E731
    assert taken(sitemap(NAMES, rising)) == NAMES[:8]
    assert sorted(taken(sitemap(NAMES, rising), scope=Scope(dates_tell=False))) == NAMES


@pytest.mark.parametrize(
    ("said", "kept"), [("2026-11-07T10:00:0{}Z", False), ("2026-11-07", True), ("2026-11-07T1{}:00Z", True)]
)
def test_times_of_publication_that_are_all_of_one_minute_are_nobody_s(said: str, kept: bool) -> None:
    entries = (
        f"<url><loc>https://www.x.example/{name}</loc><n:news><n:title>A</n:title>"
        f"<n:publication_date>{said.format(place)}</n:publication_date></n:news></url>"
        for place, name in enumerate(NAMES[:9])
    )
    body = f"<urlset xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'>{''.join(entries)}</urlset>"
    reading = read_listing(body.encode(), URL, "news_sitemap", SINCE)
    assert reading.kind == "news_sitemap"
    assert [bool(link.hints.date_published) for link in reading.links] == [kept] * 9


# What is asked again


def publish(site: Site, *names: str, text: str = "") -> None:
    for name in names:
        site.add(f"/{name}", article_html(f"The {name}", story(name + text)), etag=f'"{text}"')


def look(site: Site, newsroom: Newsroom, names: list[str], date: Dates) -> list[str]:
    """One crawl an hour after the last, and the pages that it asks."""
    site.add("/map.xml", sitemap(names, date, f"{site.url}/"), kind="text/xml")
    site.asked.clear()
    an_hour_later(newsroom)
    newsroom.crawl("--now")
    return pages_asked(site)


def pages_asked(site: Site) -> list[str]:
    return sorted(path.removeprefix("/") for path in site.asked_of_content if path != "/map.xml")


def an_hour_later(newsroom: Newsroom) -> None:
    hour = "strftime('%Y-%m-%dT%H:%M:%SZ', {}, '-1 hour')"
    for table, column in (("pages", "last_fetched_at"), ("pages", "discovered_at"), ("articles", "last_fetched_at")):
        if newsroom.db.exists():
            newsroom.change(f"update {table} set {column} = {hour.format(column)}")
    if newsroom.db.exists():
        newsroom.change("update pages set next_fetch_at = null where state = 'article'")


def watch(newsroom: Newsroom, *sites: Site) -> None:
    newsroom.watch(*(f'url = "{site.url}/"\nsitemaps = ["{site.url}/map.xml"]' for site in sites))


def test_an_article_whose_lastmod_is_another_is_asked_again_once(site: Site, newsroom: Newsroom) -> None:
    today = datetime.now(UTC)
    dates = {name: today - timedelta(days=place / 4) for place, name in enumerate(NAMES[:8])}
    names = [*dates]
    publish(site, *names)
    watch(newsroom, site)
    assert look(site, newsroom, names, lambda place: dates[names[place]]) == names
    dates[names[5]] = today
    publish(site, names[5], text="corrected")
    names.reverse()
    for asked in ([names[2]], [], []):
        assert look(site, newsroom, names, lambda place: dates[names[place]]) == asked
    dates[names[1]] = dates[names[1]].astimezone(None)
    assert look(site, newsroom, names, lambda place: dates[names[place]]) == []
    assert newsroom.rows("select count(*) from versions") == [(2,)]


MADE_UP: dict[str, Callable[[int], Dates]] = {
    "all of now": lambda look: lambda _: datetime.now(UTC) + timedelta(hours=look),
    "all of the build": lambda look: lambda place: datetime(2025, 1 + look // 2, 1, 3, 0, place, tzinfo=UTC),
    "all of a day": lambda look: lambda _: f"2026-03-{1 + look // 2:02}",
    "all of the day it was set up": lambda look: lambda _: "2021-03-01",
    "rising, all of them": lambda look: lambda place: datetime.now(UTC) + timedelta(hours=look - 20 * place),
}


def test_on_a_site_whose_dates_are_made_up_nothing_is_asked_twice_and_nothing_new_is_missed(newsroom: Newsroom) -> None:
    names, new = NAMES[:8], NAMES[10:14]
    with ExitStack() as stack:
        sites = {kind: stack.enter_context(serving(f"127.0.0.{place}")) for place, kind in enumerate(MADE_UP, 2)}
        for kind, site in sites.items():
            publish(site, *names, *new, text=kind)
        watch(newsroom, *sites.values())
        for number in range(len(new) + 1):
            if number:
                names.insert((0, 4, len(names), 6)[number - 1], new[number - 1])
            for kind, site in sites.items():
                site.add("/map.xml", sitemap(names, MADE_UP[kind](number), f"{site.url}/"), kind="text/xml")
            an_hour_later(newsroom)
            newsroom.crawl("--now")
        assert {kind: pages_asked(site) for kind, site in sites.items()} == dict.fromkeys(MADE_UP, sorted(names))
    assert newsroom.rows("select count(*) from articles") == [(12 * len(sites),)]


def test_sections_that_are_always_of_now_are_not_asked_for_ever(site: Site, newsroom: Newsroom) -> None:
    names = [*NAMES[:8], "politics", "sports"]
    publish(site, *names[:8])
    for name in names[8:]:
        site.add(f"/{name}", "<p>No</p>")
    watch(newsroom, site)
    begin = datetime.now(UTC)

    def dates(number: int) -> Dates:
        return lambda place: begin + timedelta(hours=number) if place > 7 else begin - timedelta(days=place / 2)

    for number in range(3):
        look(site, newsroom, names, dates(number))
    newsroom.change("update pages set next_fetch_at = null")
    assert look(site, newsroom, names, dates(3)) == []


def test_an_article_that_is_always_of_now_is_asked_ever_less_often(site: Site, newsroom: Newsroom) -> None:
    names = NAMES[:8]
    publish(site, *names)
    watch(newsroom, site)
    begin = datetime.now(UTC)

    def dates(number: int) -> Dates:
        return lambda place: begin + timedelta(hours=number) if place == 7 else begin - timedelta(days=place / 2)

    look(site, newsroom, names, dates(0))
    newsroom.change("update pages set discovered_at = '2026-01-01T00:00:00Z'")
    assert look(site, newsroom, names, dates(1)) == []
    newsroom.change("update pages set last_fetched_at = '2026-02-01T00:00:00Z'")
    assert look(site, newsroom, names, lambda place: dates(1)(place)) == [names[7]]


@pytest.mark.parametrize(
    ("row", "tell"),
    [
        ({"last_status": "old", "restless": 9, "entries": 9}, True),
        ({"last_status": "ok", "restless": 3, "entries": 5}, False),
        ({"last_status": "ok", "restless": 2, "entries": 9}, None),
        ({"last_status": "ok", "restless": 9, "entries": 4}, None),
        ({"last_status": "named", "restless": 0, "entries": None}, None),
    ],
)
def test_what_earlier_looks_saw_of_a_sitemap_tells_of_its_dates(row: Row, tell: bool | None) -> None:
    assert dates_tell(row) is tell
