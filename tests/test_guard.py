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

import pytest
from datasette.app import Datasette

from pipelines.publish.guard import policy
from pipelines.publish.serve import METADATA, PUBLIC_SETTINGS

Get = Callable[[str], Any]


@pytest.fixture
def served(demo: Path) -> Iterator[Callable[..., Any]]:
    """Fetch a page of the demo archive, or of other files, from Datasette: path, files, public."""
    with asyncio.Runner() as runner:

        def get(path: str, *files: Path, public: bool = False) -> Any:
            settings = {name: _typed(value) for name, value in PUBLIC_SETTINGS.items()} if public else {}
            datasette = Datasette([str(file) for file in files or [demo]], metadata=TOLD, settings=settings)
            return runner.run(datasette.client.get(path))

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


def test_every_script_that_stands_in_a_page_of_datasette_is_one_the_policy_names(served: Callable[..., Any]) -> None:
    for path in ("/", "/news", "/news/articles", "/news/articles/1", "/news?sql=select+1", "/nowhere"):
        for script in re.findall(r"<script>(.*?)</script>", served(path).text, re.DOTALL):
            assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy()


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
        base.execute("create view commands as select id, upper(argv) as words from runs")
    return db


@pytest.mark.parametrize(
    "path",
    ["runs", "runs/1", "runs.json", "runs.csv", "runs?_facet=argv", "runs?_facet_array=argv", "runs?_sort_desc=argv", "runs?_nocol=version",
     "run_overview", "run_overview.json", "commands", "commands.json", "pages/1", "pages/1.json", "pages?_facet=warc", "pages.csv?id=1"],
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
    assert len(served(path, told).json()) == 1
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
    datasette = Datasette([str(db)], metadata={})
    pages = [asyncio.run(datasette.client.get(path)).text for path in ("/news/articles", "/news/articles/1")]
    assert all("alert(2)" in page and "<img src=x" not in page and 'href="javascript' not in page for page in pages)


def test_the_metadata_loads_nothing_from_elsewhere() -> None:
    assert "extra_css_urls" not in METADATA.read_text("utf-8")
