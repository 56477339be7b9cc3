"""What a reader asked for, and the archive that answers: a request's filters, and reading under Datasette's time limit."""

import re
from collections.abc import Awaitable, Callable, Collection
from sqlite3 import Connection, OperationalError
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from datasette.utils import sqlite_timelimit
from datasette.utils.asgi import BadRequest, Base400, NotFound, Request, Response

from pipelines.database.schema import APPLICATION_ID
from pipelines.publish import formatting, queries
from pipelines.publish.categories import named
from pipelines.publish.negotiation import PARAMETER
from pipelines.publish.search import LAST_PAGE, PAGE, WHEN, Filters
from pipelines.publish.sources import COLUMNS, Order
from pipelines.publish.translation import gettext

if TYPE_CHECKING:
    from datasette.app import Datasette
    from datasette.database import Database


def one(request: Request, name: str) -> str | None:
    """A parameter without the space around it; None where it is not there or empty."""
    return (request.args.get(name) or "").strip() or None


def number(request: Request, name: str) -> int | None:
    """A parameter that is a whole number; None where it is not there. BadRequest for anything else."""
    said = one(request, name)
    if said is None:
        return None
    if not re.fullmatch("[0-9]{1,18}", said):
        raise BadRequest(gettext("%(name)s: expected a number, not %(given)s", name=name, given=repr(said[:50])))
    return int(said)


def time(request: Request, name: str) -> str | None:
    """A parameter that is a year, a month, a day or an instant as the archive has them. BadRequest for anything else."""
    said = one(request, name)
    if said and not re.fullmatch(WHEN, said):
        raise BadRequest(
            gettext(
                "%(name)s: expected a year, a month or a day such as 2026, 2026-11 or 2026-11-21, not %(given)s",
                name=name,
                given=repr(said[:50]),
            )
        )
    return said


def one_of(request: Request, name: str, words: Collection[str]) -> str | None:
    """A parameter that is one of some words; None where it is not there. BadRequest for any other."""
    said = one(request, name)
    if said is not None and said not in words:
        known = gettext(", ").join(words)
        raise BadRequest(
            gettext("%(name)s: expected one of %(words)s, not %(given)s", name=name, words=known, given=repr(said[:50]))
        )
    return said


def order(request: Request) -> Order:
    """How the table of sources is to be sorted: `sort=week`, or `sort=-week` the other way round. BadRequest for no column of it."""
    ways = [*COLUMNS, *(f"-{column}" for column in COLUMNS)]
    said = one_of(request, "sort", ways)
    return Order(column=said.removeprefix("-"), descending=said.startswith("-")) if said else Order()


def filters(request: Request) -> Filters:
    """The filters that a page was asked for with. BadRequest for a source that is no number and a time that is none."""
    return Filters(
        source=number(request, "source"),
        category=named(one(request, "category")),
        language=one(request, "language"),
        section=one(request, "section"),
        since=time(request, "since"),
        until=time(request, "until"),
    )


def again(request: Request, **changed: Any) -> str:
    """The query string of this request with some of it changed, or taken out where None. Not its language, which the cookie keeps."""
    asked = {name: request.args.get(name) for name in request.args if name != PARAMETER} | changed
    return "?" + urlencode({name: value for name, value in asked.items() if value not in (None, "")})


def most(datasette: "Datasette") -> int:
    """Articles that a search or the front page gives at once as data: as far as a reader can turn the pages of a search, or
    what Datasette is set to return at most."""
    return min(PAGE * LAST_PAGE, int(datasette.setting("max_returned_rows")))


async def archive(datasette: "Datasette", request: Request) -> "Database":
    """The Broadsheet archive among the databases that Datasette shows: the first one. NotFound when there is none."""
    for name, database in datasette.databases.items():
        found = await database.execute("pragma application_id")
        if found.single_value() == APPLICATION_ID:
            await datasette.ensure_permissions(request.actor, [("view-database", name), "view-instance"])
            return database
    raise NotFound(gettext("none of these databases is a Broadsheet archive"))


class NoAnswer(Base400):  # type: ignore[misc]
    """The archive could not answer now: not within Datasette's time limit, or because it is not complete."""

    status = 503


async def read(datasette: "Datasette", database: "Database", answer: Callable[[Connection], Any]) -> Any:
    """Run queries in one of Datasette's threads, all under its time limit. Raises NoAnswer."""
    limit = datasette.setting("sql_time_limit_ms")

    def timed(base: Connection) -> Any:
        with sqlite_timelimit(base, limit):
            return answer(base)

    try:
        return await database.execute_fn(timed)
    except OperationalError as error:
        raise NoAnswer(_reason(error, limit)) from None


def _reason(error: OperationalError, limit: int) -> str:
    """What a reader can do about it. Raises the error again when it is none of those that readers meet."""
    if str(error) == "interrupted":
        return gettext(
            "This takes longer than %(seconds)s s. Fewer, or rarer, words find their articles sooner.",
            seconds=formatting.number(limit / 1000),
        )
    if str(error).startswith(("no such table", "no such column", "no such index")):
        return gettext(
            "This archive lacks a table, a column or an index: it is only being made, or an earlier version made it."
            " The next crawl or import brings it up to date, and `broadsheet doctor` says what is wrong with it."
        )
    raise error


Route = Callable[[Request, "Datasette"], Awaitable[Response]]


def about_one(
    kind: str, find: Callable[[Connection, int], Any | None]
) -> Callable[[Callable[["Datasette", Request, "Database", Any], Awaitable[Response]]], Route]:
    """A route to one `article`, `story` or `source`: what find() gives for the number in the path is handed on; what was
    merged away redirects to where it is now. NotFound otherwise."""

    def routed(respond: Callable[["Datasette", Request, "Database", Any], Awaitable[Response]]) -> Route:
        async def route(request: Request, datasette: "Datasette") -> Response:
            database, number = await archive(datasette, request), int(request.url_vars["id"])
            found, moved = await read(
                datasette, database, lambda base: (find(base, number), queries.moved_to(base, kind, number))
            )
            if found is not None:
                return await respond(datasette, request, database, found)
            if moved:
                ending = f".{request.url_vars['format']}" if "format" in request.url_vars else ""
                path = datasette.urls.path(f"/{kind}/{moved}{ending}")
                return Response.redirect(path + again(request).removesuffix("?"), status=301)
            raise NotFound((_taken_down if moved == 0 else _never_here)(kind) % {"number": number})

        return route

    return routed


def _taken_down(kind: str) -> str:
    return {
        "article": gettext("The article %(number)s has been taken down."),
        "story": gettext("The story %(number)s has been taken down."),
        "source": gettext("The source %(number)s has been taken down."),
    }[kind]


def _never_here(kind: str) -> str:
    return {
        "article": gettext("The article %(number)s was never here."),
        "story": gettext("The story %(number)s was never here."),
        "source": gettext("The source %(number)s was never here."),
    }[kind]
