"""Last visit: what is new since a reader was here, by two times in a cookie."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette
from datasette.cli import check_databases
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import fromstring

from crawler.times import stamp
from pipelines.publish import visits
from pipelines.publish.visits import COOKIE, PAUSE, Visit, visit

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TODAY = "2026-11-30T"


@pytest.mark.parametrize(
    ("said", "before"),
    [
        (None, None),
        (f"{TODAY}11:45:00Z", None),  # a reload of the first visit
        (f"{TODAY}08:00:00Z", f"{TODAY}08:00:00Z"),
        (f"{TODAY}08:00:00Z_{TODAY}11:45:00Z", f"{TODAY}08:00:00Z"),  # a reload of a later one
        (f"{TODAY}08:00:00Z_{TODAY}11:30:00Z", f"{TODAY}08:00:00Z"),
        (f"{TODAY}08:00:00Z_{TODAY}11:29:59Z", f"{TODAY}11:29:59Z"),
        (f"{TODAY}11:00:00Z_{TODAY}08:00:00Z", None),
        (f"{TODAY}08:00:00Z_{TODAY}12:00:01Z", None),  # a clock that was wrong
        (f"{TODAY}07:00:00Z_{TODAY}08:00:00Z_{TODAY}11:45:00Z", None),
        (f"_{TODAY}08:00:00Z", None),
        ("yesterday", None),
    ],
)
def test_a_visit_ends_after_half_an_hour_without_a_look(said: str | None, before: str | None) -> None:
    assert visit(said, NOW) == Visit(before=before, now=f"{TODAY}12:00:00Z")


TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda at: stamp(at.replace(tzinfo=UTC)))


@settings(max_examples=50)
@given(
    st.text() | st.lists(TIMES | st.text(max_size=3), max_size=4).map("_".join), st.timedeltas(timedelta(), 2 * PAUSE)
)
def test_whatever_a_cookie_says_the_next_look_is_of_the_same_visit_or_a_new_one(said: str, later: timedelta) -> None:
    first = visit(said, NOW)
    again = visit(first.cookie, NOW + later)
    assert again.before == (first.before if later <= PAUSE else first.now)


Look = Callable[..., Any]


@pytest.fixture(scope="module")
def look(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Look]:
    """Look at a page of the demo's archive, two articles of which, one in German, were first seen an hour ago."""
    db = tmp_path_factory.mktemp("visits") / "news.db"
    shutil.copy(demo, db)
    with closing(sqlite3.connect(db)) as base, base:
        base.execute("update articles set first_seen_at = '2026-11-21T08:00:00Z'")
        for language in ("de", "en"):
            base.execute(
                """update articles set first_seen_at = ? where id = (
                    select max(id) from articles where language = ? and story_id is null)""",
                [an(1), language],
            )
    with asyncio.Runner() as runner:

        def ask(path: str = "/", cookie: str | None = None, **where: Any) -> Any:
            shown = Datasette([str(db)], settings=where)
            runner.run(check_databases(shown))
            headers = {} if cookie is None else {"cookie": cookie.encode()}
            return runner.run(shown.client.get(path, headers=headers))

        yield ask


def an(hours: float) -> str:
    """The time some hours ago."""
    return stamp(datetime.now(UTC) - timedelta(hours=hours))


def said(answer: Any) -> list[str]:
    return [" ".join(line.text_content().split()) for line in fromstring(answer.text).cssselect(".visit")]


def marked(answer: Any) -> int:
    return len(fromstring(answer.text).cssselect(".entry .mark.new"))


def cookie_of(answer: Any) -> dict[str, str]:
    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    return {"name": morsel.key, "value": morsel.value} | {name: value for name, value in morsel.items() if value}


def test_what_is_new_is_counted_and_marked_until_half_an_hour_after_the_last_look(look: Look) -> None:
    first = look()
    assert (said(first), marked(first)) == ([], 0)
    back = look(cookie=f"{COOKIE}={an(3)}")
    assert (said(back), marked(back)) == (["2 new articles since your last visit, 3 hours ago"], 2)
    reloaded = look(cookie=f"{COOKIE}={cookie_of(back)['value']}")
    assert (said(reloaded), marked(reloaded)) == (said(back), 2)
    later = look(cookie=f"{COOKIE}={an(3)}_{an(0.6)}")
    assert (said(later), marked(later)) == (["Nothing new since your last visit, 36 minutes ago"], 0)


def test_new_is_what_passes_the_filters_and_older_pages_are_marked_too(look: Look) -> None:
    cookie = f"{COOKIE}={an(3)}"
    german = look("/?language=de", cookie)
    assert (said(german), marked(german)) == (["1 new article since your last visit, 3 hours ago"], 1)
    older = look("/?before=2027", cookie)
    assert (said(older), marked(older)) == ([], 2)


def test_of_very_many_as_many_are_counted_as_take_no_time(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "COUNTED", 1)
    assert said(look(cookie=f"{COOKIE}={an(3)}")) == ["At least 1 new article since your last visit, 3 hours ago"]


@pytest.mark.parametrize("base_url", ["/", "/papers/"])
def test_the_cookie_is_for_the_server_alone_and_for_this_archive(look: Look, base_url: str) -> None:
    made = cookie_of(look(base_url, base_url=base_url))
    assert an(0.1) < made.pop("value") <= an(0)
    assert made == {"name": COOKIE, "path": base_url, "max-age": "31536000", "samesite": "lax", "httponly": True}


@pytest.mark.parametrize("path", ["/search?q=crane", "/latest.json", "/sources", "/nowhere"])
def test_no_other_page_sets_a_cookie(look: Look, path: str) -> None:
    assert "set-cookie" not in look(path, f"{COOKIE}={an(3)}").headers


PUBLIC = {"default_allow_sql": False}


def test_a_public_site_sets_a_cookie_for_who_asks_for_it_and_forgets_it_again(look: Look) -> None:
    first = look(**PUBLIC)
    assert ("set-cookie" in first.headers, first.headers["cache-control"]) == (False, "max-age=60")
    (link,) = fromstring(first.text).cssselect("main a[rel=nofollow]")
    asked = look(f"/{link.get('href')}", **PUBLIC)
    assert (asked.status_code, asked.headers["location"], asked.headers["cache-control"]) == (
        302,
        "/",
        "private, no-store",
    )
    back = look("/?language=de", f"{COOKIE}={an(3)}", **PUBLIC)
    assert (said(back), back.headers["cache-control"]) == (
        ["1 new article since your last visit, 3 hours ago"],
        "private, no-store",
    )
    (link,) = fromstring(back.text).cssselect("main a[rel=nofollow]")
    forgotten = look(f"/{link.get('href')}", f"{COOKIE}={an(3)}", **PUBLIC)
    assert (forgotten.headers["location"], cookie_of(forgotten)["max-age"]) == ("/?language=de", "0")


@pytest.mark.parametrize("cookie", ["visits", "visits=", "visits=\x7f;=;a(b=1", 'visits="', "visits=" + "9" * 4000, "visits=%00_é"])  # fmt: skip
def test_a_cookie_that_says_nothing_is_a_first_visit(look: Look, cookie: str) -> None:
    answer = look(cookie=cookie)
    assert (answer.status_code, said(answer)) == (200, [])
