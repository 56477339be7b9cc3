"""An archive under a path of a site: every link of every kind of page leads on under it, whatever the proxy leaves of it."""

import asyncio
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from datasette.app import Datasette
from datasette.cli import check_databases

from pipelines.publish import register_routes
from pipelines.publish.base_url import BEGINNINGS
from pipelines.publish.serve import METADATA

SITE = "http://localhost"


@pytest.mark.parametrize(
    ("base", "proxy"),
    [
        pytest.param("/papers/", "/papers/", id="kept by the proxy"),
        pytest.param("/papers/", "/", id="taken off by it"),
        pytest.param("/news/", "/news/", id="named as the database", marks=pytest.mark.soak),
    ],
)
def test_every_link_of_every_kind_of_page_leads_on_under_the_base_url(demo: Path, base: str, proxy: str) -> None:
    answers = asyncio.run(walk(demo, base, proxy))
    assert len(answers) > 70
    assert {path: status for path, status in answers.items() if status >= 400} == {}
    for page in (
        "latest.atom",
        "search.atom",
        "sources",
        "news",
        "-/static/table.js",
        "-/static-plugins/broadsheet/room.css",
    ):
        assert any(path.partition("?")[0] == base + page for path in answers), page


async def walk(demo: Path, base: str, proxy: str) -> dict[str, int]:
    """Address -> status of one page of each kind, from the front page on; 404 for a link that leads out, or has the base twice."""
    shown = Datasette([str(demo)], metadata=json.loads(METADATA.read_text("utf-8")), settings={"base_url": base})
    await check_databases(shown)
    await shown.invoke_startup()
    twice = "/papers/papers/"
    todo, kinds, answers = [base, f"{base}search?q=harbour"], set[str](), dict[str, int]()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=shown.app()), base_url=SITE) as client:
        while todo:
            path = todo.pop()
            if not path.startswith(base) or path.startswith(twice):
                answers[path] = 404
            elif kind(path) not in kinds and "&" not in path and "_fts_" not in path:
                kinds.add(kind(path))
                answer = await client.get(proxy + path.removeprefix(base))
                answers[path] = answer.status_code
                todo += sorted(links(path, answer))
    return answers


def kind(path: str) -> str:
    """An address without numbers, the names of tables, and values: one of each is enough."""
    return re.sub(r"(?<=/news/)[a-z_]+(?=[/?.])", "TABLE", re.sub(r"\d+", "N", re.sub(r"=[^&]*", "=", path)))


def links(path: str, answer: httpx.Response) -> Iterator[str]:
    """Where a page leads on this site: in HTML, feeds, JSON, headers."""
    found = (
        re.findall(r'\b(?:href|src|action)="([^"]*)"', answer.text) if "ml" in answer.headers["content-type"] else []
    )
    found += re.findall(r'"(?:next|next_url|toggle_url)": "((?:/|http)[^"]+)"', answer.text)
    found += [*re.findall("<([^>]+)>", answer.headers.get("link", "")), answer.headers.get("location", "")]
    for one in found:
        target = urlsplit(urljoin(SITE + path, unescape(one)))
        if target.netloc == "localhost":
            yield target.path + (f"?{target.query}" if target.query else "")


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/papers", "/papers/"),
        ("/papers/news/", "/papers/news"),
        ("/news/", "/papers/news"),
        ("/papers/-/config", "/papers/-/settings"),
        ("/papers/news/articles?_filter_column=id&_filter_op=gt&_filter_value=3", "/papers/news/articles?id__gt=3"),
    ],
)
def test_redirects_stay_under_it(demo: Path, asked: str, location: str) -> None:
    shown = Datasette([str(demo)], settings={"base_url": "/papers/"})

    async def ask() -> httpx.Response:
        await shown.invoke_startup()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=shown.app()), base_url=SITE) as client:
            return await client.get(asked)

    answer = asyncio.run(ask())
    assert (answer.status_code // 100, answer.headers["location"]) == (3, location)
    assert answer.headers["x-frame-options"] == "DENY"


def test_no_page_of_ours_has_an_address_that_a_base_url_may_begin_with() -> None:
    routes = [re.match(r"\^/([a-z-]+)/", route) for route, _ in register_routes()]
    assert {route[1] for route in routes if route} == BEGINNINGS - {"-"}
