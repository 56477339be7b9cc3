"""Requests -> pages: the routes of the reading room. Reads what was asked for, has `reading` and `search` answer, fills a template."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from sqlite3 import Connection, OperationalError
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from datasette.utils import sqlite_timelimit
from datasette.utils.asgi import Base400, NotFound, Request, Response

from pipelines.publish import charts, differences, reading, words
from pipelines.publish.feed import atom
from pipelines.publish.search import LAST_PAGE, MANY, RANKED, Filters, Found, expression, search
from pipelines.schema import APPLICATION_ID

if TYPE_CHECKING:  # Datasette is still being imported when it loads its plugins
    from datasette.app import Datasette
    from datasette.database import Database

Context = dict[str, Any]


async def front_page(request: Request, datasette: "Datasette") -> Response:
    """The newest stories by day."""
    filters, before = _filters(request), _one(request, "before")
    try:
        database = await _archive(datasette, request)
    except NotFound:
        from datasette.views.index import IndexView  # not while Datasette is still being imported

        return await IndexView(datasette).get(request)  # Datasette's own

    def read(base: Connection) -> Context:
        return {"front": reading.front(base, filters, before), "choices": reading.choices(base)}

    shown = await _read(datasette, database, read)
    older = shown["front"].older
    more = {"older": _with(request, before=older) if older else None, "filters": filters, "first": before is None}
    return await _page(datasette, request, database, "front", shown | more)


async def search_page(request: Request, datasette: "Datasette") -> Response:
    """The hits of a search, and what narrows them."""
    filters, database = _filters(request), await _archive(datasette, request)
    typed, best, page = (
        request.args.get("q") or "",
        request.args.get("order") == "best",
        min(_number(request, "page") or 1, LAST_PAGE),
    )

    def read(base: Connection) -> Context:
        return {"found": _found(base, typed, filters, best=best, page=page), "choices": reading.choices(base)}

    shown = await _read(datasette, database, read)
    more = {
        "q": typed,
        "best": best,
        "filters": filters,
        "ranked": RANKED,
        "many": MANY,
        "next": _with(request, page=page + 1) if shown["found"] and shown["found"].more else None,
        "previous": _with(request, page=page - 1) if page > 1 else None,
        "feed": datasette.urls.path("/search.atom") + _with(request, page=None, order=None),
    }
    return await _page(datasette, request, database, "search", shown | more)


async def search_feed(request: Request, datasette: "Datasette") -> Response:
    """The newest hits of a search as an Atom feed, for a feed reader to subscribe to."""
    filters, database = _filters(request), await _archive(datasette, request)
    typed = request.args.get("q") or ""

    def read(base: Connection) -> Found | None:
        return _found(base, typed, filters, best=False, page=1)

    def page_of(article: int) -> str:
        return str(datasette.absolute_url(request, datasette.urls.path(f"/article/{article}")))

    found = await _read(datasette, database, read)
    feed = atom(typed, found.rows if found else [], request.url, page_of)
    return Response(feed, content_type="application/atom+xml; charset=utf-8")


def _found(base: Connection, typed: str, filters: Filters, *, best: bool, page: int) -> Found | None:
    asked = expression(typed)
    return search(base, asked, filters, best=best, page=page) if asked else None


async def article_page(request: Request, datasette: "Datasette") -> Response:
    """An article to read, and beside it what is known of it."""

    def read(base: Connection, number: int) -> Context | None:
        article = reading.article(base, number)
        if article is None:
            return None
        versions = reading.versions_of(base, number)
        return {
            "article": article,
            "paragraphs": [line for line in article["text"].split("\n") if line.strip()],
            "copies": reading.copies_of(base, number),
            "changes": list(_changes(versions)),
            "reports": [
                report for report in reading.reports_of(base, article["story_id"]) if report["id"] != number
            ] if article["story_id"] else [],
        }  # fmt: skip

    return await _page_of_one(datasette, request, "article", read)


MAX_COMPARED = 300_000
"""Characters of versions that a page compares: a news text of a thousand words has 6,000, a hostile one a million."""


def _changes(versions: list[reading.Row]) -> Iterator[Context]:
    """What was changed from each version to the next, the last change first; `text` is None where that would be too long."""
    left = MAX_COMPARED
    for new, old in pairwise(versions):
        left -= len(old["text"]) + len(new["text"])
        titles = differences.word_diff(old["title"] or "", new["title"] or "")
        yield {
            "to": new,
            "title": titles,
            "text": differences.word_diff(old["text"], new["text"]) if left > 0 else None,
        }


async def story_page(request: Request, datasette: "Datasette") -> Response:
    """The reports of one event, and what they have in common."""

    def read(base: Connection, number: int) -> Context | None:
        story = reading.story(base, number)
        reports = reading.reports_of(base, number, text=True)
        if story is None or not reports:
            return None
        shared = differences.shared_passages([report["text"] for report in reports])
        return {"story": story, "reports": list(zip(reports, shared, strict=True)), "outlets": _outlets(reports)}

    return await _page_of_one(datasette, request, "story", read)


def _outlets(reports: list[reading.Row]) -> list[Context]:
    """One line for each source: its first report, and how many it has."""
    firsts: dict[str, Context] = {}
    for report in reports:
        line = firsts.setdefault(report["source"] or "", {"first": report, "count": 0})
        line["count"] += 1
    return list(firsts.values())


async def sources_page(request: Request, datasette: "Datasette") -> Response:
    """How all sources are doing."""
    database = await _archive(datasette, request)
    return await _page(
        datasette, request, database, "sources", {"sources": await _read(datasette, database, reading.sources)}
    )


async def source_page(request: Request, datasette: "Datasette") -> Response:
    """How one source is doing."""

    def read(base: Connection, number: int) -> Context | None:
        source = reading.source(base, number)
        if source is None:
            return None
        by_day, habits = reading.by_day(base, number), reading.habits(base, number)
        return {
            "source": source,
            "by_day": by_day,
            "by_day_chart": charts.bars("Articles", [words.short_day(one["day"]) for one in by_day], [one["articles"] for one in by_day], every=7),
            "habits": habits,
            "lateness_chart": charts.bars("Articles", [one["hours"] for one in habits.lateness], [one["articles"] for one in habits.lateness]),
            "runs": reading.last_runs(base, source["name"]),
            "newest": reading.newest_of(base, number),
        }  # fmt: skip

    return await _page_of_one(datasette, request, "source", read)


ROUTES: list[tuple[str, Callable[..., Any]]] = [
    (r"^/(?P<format>)$", front_page),
    (r"^/search$", search_page),
    (r"^/search\.atom$", search_feed),
    (r"^/article/(?P<id>\d{1,18})$", article_page),
    (r"^/story/(?P<id>\d{1,18})$", story_page),
    (r"^/sources$", sources_page),
    (r"^/source/(?P<id>\d{1,18})$", source_page),
]


# Requests


def _one(request: Request, name: str) -> str | None:
    return (request.args.get(name) or "").strip() or None


def _number(request: Request, name: str) -> int | None:
    said = _one(request, name) or ""
    return int(said[:6]) if said.isascii() and said.isdigit() and int(said[:6]) else None


def _filters(request: Request) -> Filters:
    """The filters that a page was asked for with; what is no number is no source."""
    texts = {name: _one(request, name) for name in ("language", "section", "since", "until")}
    return Filters(source=_number(request, "source"), **texts)


def _with(request: Request, **changed: Any) -> str:
    """The query string of this request with some of it changed, or taken out where None."""
    asked = {name: request.args.get(name) for name in request.args} | changed
    return "?" + urlencode({name: value for name, value in asked.items() if value not in (None, "")})


async def _archive(datasette: "Datasette", request: Request) -> "Database":
    """The Broadsheet archive among the databases that Datasette shows: the first one. NotFound when there is none."""
    for name, database in datasette.databases.items():
        found = await database.execute("pragma application_id")
        if found.single_value() == APPLICATION_ID:
            await datasette.ensure_permissions(request.actor, [("view-database", name), "view-instance"])
            return database
    raise NotFound("none of these databases is a Broadsheet archive")


class TookTooLong(Base400):  # type: ignore[misc]
    """The archive had no answer within Datasette's time limit."""

    status = 503


async def _read(datasette: "Datasette", database: "Database", read: Callable[[Connection], Any]) -> Any:
    """Run queries in one of Datasette's threads, all under its time limit. Raises TookTooLong."""

    limit = datasette.setting("sql_time_limit_ms")

    def timed(base: Connection) -> Any:
        with sqlite_timelimit(base, limit):
            return read(base)

    try:
        return await database.execute_fn(timed)
    except OperationalError as error:
        if str(error) != "interrupted":
            raise
        raise TookTooLong(
            f"This takes longer than {limit / 1000:g} s. Fewer, or rarer, words find their articles sooner."
        ) from None


# Pages


async def _page_of_one(
    datasette: "Datasette", request: Request, kind: str, read: Callable[[Connection, int], Context | None]
) -> Response:
    """The page of one row, a redirect to what it was merged into, or NotFound."""
    database, number = await _archive(datasette, request), int(request.url_vars["id"])

    def find(base: Connection) -> tuple[Context | None, int | None]:
        return read(base, number), reading.moved_to(base, kind, number)

    shown, moved = await _read(datasette, database, find)
    if shown is not None:
        return await _page(datasette, request, database, kind, shown)
    if moved:
        return Response.redirect(datasette.urls.path(f"/{kind}/{moved}"), status=301)
    raise NotFound(f"The {kind} {number} {'has been taken down' if moved == 0 else 'was never here'}.")


async def _page(datasette: "Datasette", request: Request, database: "Database", name: str, shown: Context) -> Response:
    now = datetime.now(UTC)
    says = {
        "ago": lambda stamp: words.ago(stamp, now),
        "exactly": words.exactly,
        "clock": lambda stamp: words.clock(stamp, now),
        "in_words": words.day,
        "language": words.language,
        "names": words.names,
        "web_address": words.web_address,
        "marked": words.marked,
        "today": f"{now:%Y-%m-%d}",
        "tables": datasette.urls.database(database.name),
        "narrowed": shown.get("filters") not in (None, Filters()),
        "without": lambda field: _with(request, **{field: None, "before": None, "page": None}),
    }
    return Response.html(
        await datasette.render_template(f"room/{name}.html", {"says": says} | says | shown, request=request)
    )
