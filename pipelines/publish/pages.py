"""Requests -> pages to read: what was asked for, answered out of the archive, in a template."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import NotFound, Request, Response
from markupsafe import Markup

from crawler.reasons import sentence
from pipelines.publish import (
    charts,
    details,
    formatting,
    glossary,
    health_sentences,
    originals,
    queries,
    requests,
    sources,
)
from pipelines.publish.corrections import corrections
from pipelines.publish.guard import is_public, shows_originals
from pipelines.publish.marks import with_marks
from pipelines.publish.search import LAST_PAGE, LONGEST, MANY, Filters, expression, search
from pipelines.publish.translation import gettext

if TYPE_CHECKING:  # Datasette is still being imported when it loads its plugins
    from datasette.app import Datasette
    from datasette.database import Database

Context = dict[str, Any]


async def front_page(request: Request, datasette: "Datasette") -> Response:
    """The newest stories by day."""
    filters, before = requests.filters(request), requests.one(request, "before")
    try:
        database = await requests.archive(datasette, request)
    except NotFound:
        from datasette.views.index import IndexView  # not while Datasette is still being imported

        return await IndexView(datasette).get(request)  # Datasette's own

    def read(base: Connection) -> Context:
        newer = queries.newer(base, filters, before) if before else None
        return {"front": queries.front(base, filters, before), "newer": newer, "choices": queries.choices(base)}

    shown = await requests.read(datasette, database, read)
    older = shown["front"].older
    more = {
        "older": requests.again(request, before=older) if older else None,
        "newer": datasette.urls.path("/") + requests.again(request, before=shown["newer"]) if before else None,
        "filters": filters,
        "first": before is None,
    }
    return await _page(datasette, request, database, "front", shown | more)


async def search_page(request: Request, datasette: "Datasette") -> Response:
    """The hits of a search, and what narrows them."""
    filters, database = requests.filters(request), await requests.archive(datasette, request)
    typed, best = request.args.get("q") or "", request.args.get("order") == "best"
    page = min(requests.number(request, "page") or 1, LAST_PAGE)

    def read(base: Connection) -> Context:
        words = expression(typed)
        found = search(base, words, filters, best=best, page=page) if words else None
        found = found and replace(found, rows=with_marks(base, found.rows))
        return {"found": found, "choices": queries.choices(base)}

    shown = await requests.read(datasette, database, read)
    more = {
        "q": typed,
        "best": best,
        "filters": filters,
        "alert": None if is_public(datasette) else _as_alert(typed, filters, shown["choices"]),
        "many": MANY,
        "next": requests.again(request, page=page + 1) if shown["found"] and shown["found"].more else None,
        "previous": requests.again(request, page=page - 1) if page > 1 else None,
    }
    return await _page(datasette, request, database, "search", shown | more)


async def corrections_page(request: Request, datasette: "Datasette") -> Response:
    """What publishers changed after publication, by the day it was seen."""
    filters, database = requests.filters(request), await requests.archive(datasette, request)
    page = min(requests.number(request, "page") or 1, LAST_PAGE)

    def read(base: Connection) -> Context:
        return {"found": corrections(base, filters, page=page), "choices": queries.choices(base)}

    shown = await requests.read(datasette, database, read)
    days = groupby(shown["found"].rows, key=lambda one: str(one["at"])[:10])
    more = {
        "days": [(day, list(found)) for day, found in days],
        "filters": filters,
        "next": requests.again(request, page=page + 1) if shown["found"].more and page < LAST_PAGE else None,
        "previous": requests.again(request, page=page - 1) if page > 1 else None,
    }
    return await _page(datasette, request, database, "corrections", shown | more)


def _as_alert(typed: str, filters: Filters, choices: queries.Choices) -> str:
    """The [[alert]] of a search for its reader's sources.toml; days are none of its filters."""
    source = next((one["name"] for one in choices.sources if one["id"] == filters.source), None)
    words = "-".join(re.findall(r"\w+", typed[:LONGEST].lower())[:5])
    said = {"name": words, "query": " ".join(typed[:LONGEST].split()), "source": source, "language": filters.language}
    said |= {"section": filters.section, "file": f"alerts/{words}.atom"}
    lines = (f"{key} = {formatting.toml_string(value)}" for key, value in said.items() if value)
    return "\n".join(("[[alert]]", *lines))


@requests.about_one("article", details.article)
async def article_page(datasette: "Datasette", request: Request, database: "Database", found: Context) -> Response:
    """An article to read, and beside it what is known of it."""
    return await _page(datasette, request, database, "article", found)


async def capture_source(request: Request, datasette: "Datasette") -> Response:
    """The HTML of an original as text, for the owner: a stranger's page, of which nothing may run here."""
    if not shows_originals(datasette):
        raise NotFound("Originals are shown to the owner of an archive alone.")
    database, number = await requests.archive(datasette, request), int(request.url_vars["id"])
    found = await requests.read(datasette, database, lambda base: queries.capture(base, number))
    if found is None:
        raise NotFound(f"There is no capture {number}: it was taken down, or never was.")
    reading = asyncio.get_running_loop().run_in_executor(_READER, originals.source_of, found, Path(database.path))
    named = {"content-disposition": f'inline; filename="capture-{number}.txt"'}
    return Response(await reading, content_type="text/plain; charset=utf-8", headers=named)


_READER = ThreadPoolExecutor(1, "originals")
"""Reads one original at a time: others' requests need the interpreter, too, and the largest takes 100 MB of memory."""


@requests.about_one("story", details.story)
async def story_page(datasette: "Datasette", request: Request, database: "Database", found: Context) -> Response:
    """The reports of one event, and what they have in common."""
    return await _page(datasette, request, database, "story", found | {"outlets": _outlets(found["reports"])})


def _outlets(reports: list[queries.Row]) -> list[Context]:
    """One line for each source: its first report, and how many it has."""
    firsts: dict[str, Context] = {}
    for report in reports:
        line = firsts.setdefault(report["source"] or "", {"first": report, "count": 0})
        line["count"] += 1
    return list(firsts.values())


async def sources_page(request: Request, datasette: "Datasette") -> Response:
    """How all sources are doing, those of one word of health or all of them, in an order of the reader's."""
    order, health = requests.order(request), requests.one_of(request, "health", sources.HEALTH)
    database = await requests.archive(datasette, request)
    found = await requests.read(datasette, database, lambda base: sources.sources_table(base, order, health))
    counts = [
        {
            "status": word,
            "said": health_sentences.word(word),
            "number": number,
            "path": requests.again(request, health=word),
        }
        for word, number in found.counts.items()
    ]
    moment = cache(partial(formatting.moment, now=datetime.now(UTC)))  # sources are read in one run
    said = gettext("%(least)s to %(most)s a day, %(yesterday)s yesterday"), gettext("no article in %(days)s days")
    more = {
        "sources": [
            one | _in_words(one) | _times(one, moment) | {"chart": _sparkline(one["per_day"], *said)}
            for one in found.rows
        ],
        "has_categories": any(one["category"] for one in found.rows),
        "counts": counts,
        "everything": requests.again(request, health=None),
        "health": health,
        "order": order,
        "toward": {column: requests.again(request, sort=order.toward(column)) for column in sources.COLUMNS},
        "asked": requests.again(request).removesuffix("?"),
    }
    return await _page(datasette, request, database, "sources", more)


def _in_words(source: queries.Row) -> Context:
    """The health of a source, why, and how many articles are usual in seven days, as a reader says it."""
    usual = source["usual_7d"]
    return {
        "health": health_sentences.word(source["status"]),
        "explanation": health_sentences.as_html(health_sentences.explanation(source["status"], source["reason"])),
        "usual": "–" if usual is None else formatting.about(usual),
    }


def _times(source: queries.Row, moment: Callable[[str], Markup]) -> Context:
    times = {"last_new": source["last_new_article_at"], "last_read": source["last_success_at"]}
    return {name: moment(stamp) for name, stamp in times.items() if stamp}


def _sparkline(per_day: list[int], said: str, said_of_none: str) -> Markup:
    numbers = {"least": min(per_day), "most": max(per_day), "yesterday": per_day[-2], "days": len(per_day)}
    return charts.sparkline(per_day, (said if any(per_day) else said_of_none) % numbers)


@requests.about_one("source", details.source)
async def source_page(datasette: "Datasette", request: Request, database: "Database", found: Context) -> Response:
    """How one source is doing."""
    days, hours = found["by_day"], found["lateness"]
    drawn = {
        "by_day_chart": charts.columns(
            "Articles per day",
            [formatting.short_day(one["day"]) for one in days],
            [one["articles"] for one in days],
            every=7,
        ),
        "lateness_chart": charts.rows(
            "Articles by hours until our first sight",
            [one["hours"] for one in hours],
            [one["articles"] for one in hours],
        ),
    }
    in_words = {
        "source": found["source"] | _in_words(found["source"]),
        "feeds": [one | _listing_in_words(one) for one in found["feeds"]],
        "runs": [one | {"status_in_words": health_sentences.run(one["status"])} for one in found["runs"]],
    }
    return await _page(datasette, request, database, "source", found | in_words | drawn)


def _listing_in_words(listing: queries.Row) -> Context:
    return {
        "is_asked": listing["last_status"] not in sources.NOT_ASKED,
        "kind_in_words": health_sentences.kind(listing["kind"]),
        "explanation": health_sentences.as_html(health_sentences.poll(listing["last_status"])),
    }


async def tables_page(request: Request, datasette: "Datasette") -> Response:
    """What every table, column and query means, for those who write their own."""
    database = await requests.archive(datasette, request)
    meant = await glossary.of(datasette, database, request.actor)
    return await _page(datasette, request, database, "tables", {"meanings": meant, "examples": glossary.EXAMPLES})


ROUTES: list[tuple[str, Callable[..., Any]]] = [
    (r"^/(?P<format>)$", front_page),
    (r"^/search$", search_page),
    (r"^/corrections$", corrections_page),
    (r"^/article/(?P<id>\d{1,18})$", article_page),
    (r"^/capture/(?P<id>\d{1,18})\.txt$", capture_source),
    (r"^/story/(?P<id>\d{1,18})$", story_page),
    (r"^/sources$", sources_page),
    (r"^/source/(?P<id>\d{1,18})$", source_page),
    (r"^/tables$", tables_page),
]


async def _page(datasette: "Datasette", request: Request, database: "Database", name: str, shown: Context) -> Response:
    now = datetime.now(UTC)
    says = {
        "ago": lambda stamp: formatting.ago(stamp, now),
        "exactly": formatting.exactly,
        "clock": lambda stamp: formatting.clock(stamp, now),
        "direction": lambda article: formatting.direction(article["title"], article["language"]),
        "percent": formatting.percent,
        "in_words": formatting.day,
        "language": formatting.language,
        "names": formatting.names,
        "web_address": formatting.web_address,
        "marked": formatting.marked,
        "sentence": sentence,
        "shows_originals": shows_originals(datasette),
        "today": f"{now:%Y-%m-%d}",
        "tables": datasette.urls.database(database.name),
        "narrowed": shown.get("filters") not in (None, Filters()),
        "without": lambda field: requests.again(request, **{field: None, "before": None, "page": None}),
        "asked": requests.again(request, page=None, before=None),
        "most": f"{requests.most(datasette):,}",
    }
    return Response.html(await datasette.render_template(f"room/{name}.html", shown | {"says": says}, request=request))
