"""What search engines and caches are told of each kind of answer, for the owner and for visitors."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette
from datasette.cli import check_databases

from pipelines.publish.serve import Place, metadata_for

Get = Callable[..., Any]


@pytest.fixture
def get(demo: Path) -> Iterator[Get]:
    """Fetch a path from a Datasette as `serve` sets it up: path, public, index, base_url, db, request headers."""
    with asyncio.Runner() as runner:

        def fetch(path: str, db: Path = demo, headers: dict[str, str] | None = None, **where: Any) -> Any:
            metadata = json.loads(metadata_for(db, Place(**where)).read_text("utf-8"))
            settings = {"default_allow_sql": not where.get("public"), "base_url": where.get("base_url", "/")}
            shown = Datasette([str(db)], metadata=metadata, settings=settings)
            runner.run(check_databases(shown))
            return runner.run(shown.client.get(path, headers=headers or {}))

        yield fetch


PAGES = ["/", "/search?q=harbour", "/article/1", "/article/1.json", "/latest.csv", "/latest.atom", "/news/articles", "/news/articles.json"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_public_page_is_kept_for_a_minute_and_an_owners_never(get: Get, path: str) -> None:
    assert get(path, public=True).headers["cache-control"] == "max-age=60"
    assert get(path).headers["cache-control"] == "private, no-store"


def test_an_original_is_kept_by_no_cache_nor_is_an_error(get: Get) -> None:
    for path, public, status in (
        ("/capture/1.txt", False, 404),
        ("/capture/1.txt", True, 404),
        ("/nowhere", True, 404),
    ):
        answer = get(path, public=public)
        assert (answer.status_code, "no-store" in answer.headers["cache-control"]) == (status, True)


def test_what_was_asked_with_a_cookie_or_a_password_is_the_askers_alone(get: Get) -> None:
    for header in ("Cookie", "Authorization"):
        answer = get("/", public=True, headers={header: "x=y"})
        assert answer.headers["cache-control"] == "private, no-store"
        assert header in get("/", public=True).headers["vary"]


def test_a_caller_chooses_no_longer_time(get: Get) -> None:
    assert get("/news/articles?_ttl=31536000", public=True).headers["cache-control"] == "max-age=60"


@pytest.mark.parametrize("public", [True, False])
def test_styles_are_kept_for_ten_minutes(get: Get, public: bool) -> None:
    for path in ("/-/static/app.css", "/-/static-plugins/broadsheet/room.css"):
        assert get(path, public=public).headers["cache-control"] == "max-age=600"


@pytest.mark.parametrize("path", [*PAGES, "/robots.txt", "/nowhere", "/-/static/app.css"])
def test_no_search_engine_may_list_anything_unless_told_so(get: Get, path: str) -> None:
    for where in ({}, {"public": True}, {"index": True}):
        assert get(path, **where).headers["x-robots-tag"] == "noindex, nofollow"
    assert "x-robots-tag" not in get(path, public=True, index=True).headers


@pytest.mark.parametrize(
    ("where", "rules"),
    [
        ({}, ["/"]),
        ({"public": True}, ["/"]),
        ({"public": True, "base_url": "/papers/"}, ["/papers/"]),
        ({"public": True, "index": True}, ["/-/", "/search", "/news/", "/news?"]),
        ({"public": True, "index": True, "base_url": "/papers/"}, ["/papers/-/", "/papers/search", "/papers/news/", "/papers/news?"]),
    ],
)  # fmt: skip
def test_robots_txt_closes_all_or_what_has_endless_addresses(get: Get, where: dict[str, Any], rules: list[str]) -> None:
    answer = get("/robots.txt", **where)
    assert answer.text == "User-agent: *\n" + "".join(f"Disallow: {rule}\n" for rule in rules)
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_database_of_another_program_is_nothing_of_ours_to_close(get: Get, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "other.db").execute("create table things (name text)").connection.close()
    answer = get("/other/things", tmp_path / "other.db")
    assert (answer.status_code, answer.headers.get("x-robots-tag"), answer.headers["cache-control"]) == (
        200,
        None,
        "max-age=5",
    )
    assert get("/robots.txt", tmp_path / "other.db").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/-/patterns", "/-/config", "/-/auth-token", "/-/logout", "/-/permissions", "/-/messages", "/-/allow-debug", "/-/settings.json", "/-/versions.json", "/-/plugins"],
)  # fmt: skip
@pytest.mark.parametrize("base_url", ["/", "/papers/"])
def test_visitors_have_of_datasettes_own_pages_only_its_styles(get: Get, path: str, base_url: str) -> None:
    answer = get(path, public=True, base_url=base_url)
    assert (answer.status_code, answer.text) == (404, "Not on a public site.\n")
