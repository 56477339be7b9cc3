"""What a browser may do with our pages, seen from outside: the headers of real answers."""

import asyncio
import base64
import contextlib
import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import datasette
import pytest
from datasette.app import Datasette
from datasette.cli import check_databases

from pipelines.publish.guard import policy
from pipelines.publish.serve import METADATA, PUBLIC_SETTINGS

Get = Callable[[str], Any]


@pytest.fixture
def served(demo: Path) -> Iterator[Callable[..., Any]]:
    """Fetch a page of the demo archive, or of other files, from Datasette: path, files, public, settings."""
    with asyncio.Runner() as runner:

        def get(path: str, *files: Path, public: bool = False, cookie: bytes = b"", **settings: int) -> Any:
            settings |= {name: _typed(value) for name, value in PUBLIC_SETTINGS.items()} if public else {}
            shown = Datasette([str(file) for file in files or [demo]], metadata=TOLD, settings=settings)
            runner.run(check_databases(shown))  # as `datasette serve` does
            return runner.run(shown.client.get(path, headers=[(b"cookie", cookie)] if cookie else None))

        yield get


def _typed(value: str) -> bool | int:
    return {"on": True, "off": False}[value] if value in ("on", "off") else int(value)


TOLD: dict[str, Any] = json.loads(METADATA.read_text("utf-8"))

PAGES = ["/", "/news", "/news/articles", "/news/articles/1", "/news/articles.json", "/-/static/app.css", "/nowhere"]


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_forbids_foreign_scripts_frames_and_guessing(served: Callable[..., Any], path: str) -> None:
    headers = served(path).headers
    said = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert said["default-src"] == said["base-uri"] == said["frame-ancestors"] == "'none'"
    assert "unsafe" not in said["script-src"] and "http" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"


ENDLESS = quote("with recursive n(i) as (\n  select 1 union all select i + 1 from n\n) select count(*) from n")


@pytest.mark.parametrize(
    "path",
    ["/", "/news", "/news/articles", "/news/articles/1", "/news?sql=select+1", f"/news?sql={ENDLESS}", "/nowhere"],
)
def test_every_script_that_stands_in_a_page_of_datasette_is_one_the_policy_names(
    served: Callable[..., Any], path: str
) -> None:
    page = served(path, sql_time_limit_ms=50).text
    assert path != f"/news?sql={ENDLESS}" or "<pre>with recursive" in page
    for script in re.findall(r"<script\b[^>]*>(.*?)</script>", page, re.DOTALL):
        assert not script or base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy()


def test_scripts_stand_in_datasettes_templates_and_in_one_place_of_its_python() -> None:
    files = [file for file in Path(datasette.__file__).parent.rglob("*.py") if "<script>" in file.read_text("utf-8")]
    assert [file.name for file in files if file.name != "hookspecs.py"] == ["base.py"]  # hookspecs.py explains them
    assert files[-1].read_text("utf-8").count("<script") == 1


@pytest.mark.parametrize(
    "asked",
    [
        "_sort=zz",
        "_sort=text&_sort_desc=id",
        "_through=%7B%22table%22:%22x%22,%22column%22:%22y%22,%22value%22:%221%22%7D",
    ],
)
def test_a_request_that_datasette_cannot_follow_is_the_readers_mistake(served: Callable[..., Any], asked: str) -> None:
    answer = served(f"/news/articles?{asked}")
    assert (answer.status_code, "That cannot be asked" in answer.text) == (400, True)
    assert served(f"/news/articles.json?{asked}").json()["status"] == 400


@pytest.mark.parametrize("cookie", [b"a=\xff", b"\x80=1; visits=2026-11-29", b"caf\xc3\xa9=1", b";=;"])
def test_a_cookie_in_any_letters_breaks_no_page(served: Callable[..., Any], cookie: bytes) -> None:
    assert served("/", cookie=cookie).status_code == 200


def test_visitors_ask_for_a_few_facets_at_a_time(served: Callable[..., Any]) -> None:
    few, many = ("&".join(f"_facet=title&_facet_date=sort_at&x={n}" for n in range(times)) for times in (2, 3))
    assert served(f"/news/articles?{few}", public=True).status_code == 200
    refused = served(f"/news/articles?{many}", public=True)
    assert (refused.status_code, refused.text) == (400, "No more than 5 facets at a time on a public site.\n")
    assert served(f"/news/articles?{many}").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/news?sql=select+1", "/news/articles.csv?_stream=on", "/news/articles?_where=1", "/-/databases.json",
     "/-/databases", "/-/threads", "/-/metadata.json", "/-/plugins.json", "/-/versions"],
)  # fmt: skip
def test_what_only_the_owner_needs_is_not_there_for_the_public(served: Callable[..., Any], path: str) -> None:
    assert served(path, public=True).status_code in (400, 403, 404)
    assert served(path).status_code == 200


def test_the_public_reads_and_searches_all_the_same(served: Callable[..., Any]) -> None:
    assert served("/news/articles", public=True).status_code == 200
    assert served("/news/articles?_search=harbour", public=True).status_code == 200


HERE = "/home/anna"
"""A path of the machine: as an option, in the words of a bug, as the name of an archive."""


@pytest.fixture
def told(demo: Path, tmp_path: Path) -> Path:
    """An archive that knows HERE wherever a crawl or an import may write a path; a view of its owner shows one, too."""
    db = tmp_path / "news.db"
    db.write_bytes(demo.read_bytes())
    with contextlib.closing(sqlite3.connect(db)) as base, base:
        base.execute(f"""update runs set argv = '["--db", "{HERE}/news.db"]', reason = 'OSError: {HERE}/x'""")
        base.execute(f"update pages set warc = '{HERE}/a.warc' where id = 1")
        base.execute(f"insert into sources_toml values ('# {HERE}/sources.toml')")
        base.execute("create view commands as select id, upper(argv) as words from runs")
    return db


@pytest.mark.parametrize(
    "path",
    ["runs", "runs/1", "runs.json", "runs.csv", "runs?_facet=argv", "runs?_facet_array=argv", "runs?_sort_desc=argv", "runs?_nocol=version",
     "run_overview", "run_overview.json", "commands", "commands.json", "pages/1", "pages/1.json", "sources_toml", "sources_toml.json", "pages?_facet=warc", "pages.csv?id=1"],
)  # fmt: skip
def test_visitors_see_no_path_of_the_machine_however_they_ask(
    served: Callable[..., Any], told: Path, path: str
) -> None:
    assert HERE in served(f"/news/{path}", told).text.replace("HOME/ANNA", "home/anna")
    seen = served(f"/news/{path}", told, public=True)
    assert seen.status_code == 200
    assert "anna" not in seen.text.lower()


@pytest.mark.parametrize(
    "condition", ["argv__contains=an", "argv__startswith=[", "reason__like=OS%25", "argv__notblank=1", "argv__gt="]
)
def test_visitors_find_no_path_by_guessing_it(served: Callable[..., Any], told: Path, condition: str) -> None:
    path = f"/news/runs.json?_shape=array&{condition}"
    assert len(served(path, told).json()) > 0
    assert served(path, told, public=True).json() == []


def test_a_database_of_another_program_is_shown_as_it_is(
    served: Callable[..., Any], told: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as base:
        base.execute("create table runs as select 'ours' as argv, 7 as article_id")
        base.execute("create view latest as select article_id from runs")
    assert "ours" in served("/other/runs", told, other, public=True).text
    assert "/article/7" not in served("/other/latest", told, other).text
    assert "/article/7" not in served("/other?sql=select+7+as+article_id", told, other).text
    assert "/article/7" in served("/news?sql=select+7+as+article_id", other, told).text


def test_an_error_leads_to_the_reading_room_only_where_there_is_one(
    served: Callable[..., Any], demo: Path, tmp_path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as base:
        base.execute("create table things (name text)")
    for path in ("/nowhere", "/sources", "/other/things?_sort=zz"):
        alone = served(path, tmp_path / "other.db")
        assert (alone.status_code in (400, 404), 'href="/tables"' in alone.text) == (True, False)
    assert 'href="/tables"' in served("/nowhere", tmp_path / "other.db", demo).text


def test_numbers_lead_to_the_reading_room_only_from_the_archive_that_it_shows(
    served: Callable[..., Any], demo: Path, told: Path
) -> None:
    second = told.rename(told.with_name("second.db"))
    assert "/article/7" in served("/news?sql=select+7+as+article_id", demo, second).text
    assert "/article/7" not in served("/second?sql=select+7+as+article_id", demo, second).text


def test_a_title_that_is_markup_is_shown_as_its_letters(tmp_path: Path, demo: Path) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    db = tmp_path / "news.db"
    db.write_bytes(demo.read_bytes())
    with contextlib.closing(sqlite3.connect(db)) as base, base:
        base.execute("update articles set title = ?, url = 'javascript:alert(3)' where id = 1", (hostile,))
    shown = Datasette([str(db)], metadata={})
    pages = [asyncio.run(shown.client.get(path)).text for path in ("/news/articles", "/news/articles/1")]
    assert all("alert(2)" in page and "<img src=x" not in page and 'href="javascript' not in page for page in pages)


def test_the_metadata_loads_nothing_from_elsewhere() -> None:
    said = METADATA.read_text("utf-8")
    assert [
        name for name in ("extra_css_urls", "extra_js_urls", "<script", "<link", "src=", "@import") if name in said
    ] == []
