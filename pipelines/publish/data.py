"""The same pages for programs: JSON has all that a page holds, CSV one list of it, Atom the newest of a list."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from sqlite3 import Connection
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import BadRequest, Request, Response

from pipelines.publish import details, feed, formatting, glossary, queries, requests
from pipelines.publish.categories import label
from pipelines.publish.corrections import corrections
from pipelines.publish.details import Contents
from pipelines.publish.marks import with_marks
from pipelines.publish.search import LAST_PAGE, MANY, NOTHING, Filters, Found, expression, search, seen_last
from pipelines.publish.sources import HEALTH, sources_table
from pipelines.publish.translation import gettext

if TYPE_CHECKING:  # Datasette is still being imported when it loads its plugins
    from datasette.app import Datasette
    from datasette.database import Database

HEADS = {
    "articles": "id title url sort_at date_published first_seen_at language section source_id source story_id story_reports"
    " story_sources lead gone_at changed_at copied_by",
    "hits": "id title url sort_at date_published first_seen_at last_changed_at language section story_id source_id source snippet"
    " said_in found_at said_title copy_url copy_source story_reports gone_at changed_at copied_by",
    "copies": "url source_id source title date_published discovered_at similarity kind share_of_article share_of_copy text",
    "corrections": "at what article_id url title language section source_id source version words_added words_removed old_title new_title"
    " change",
    "captures": "id fetched_at status reason url file offset",
    "changes": "version fetched_at words_added words_removed title text",
    "feeds": "id url kind last_status last_fetched_at last_new_at entries",
    "queries": "query title params meaning",
    "runs": "id started_at status found new updated refused failed",
    "sources": "source_id name status reason last_success_at last_new_article_at articles_7d articles_28d usual_7d silent_hours"
    " patience_hours recent_articles no_title no_date no_author short no_article robots missed missed_at consecutive_failures"
    " category per_day",
}
HEADS |= {"reports": HEADS["articles"], "newest": HEADS["articles"]}
"""The columns of lists that may be empty: a table without rows has a head all the same, which programs look for."""

FED = 100
"""Articles of a feed: what is found of a frequent word between two looks of a feed reader, which keeps what it has seen."""


async def latest(request: Request, datasette: "Datasette") -> Response:
    """The newest articles that pass the filters: those of the front page and more. As a feed FED, those first that were found last."""
    filters, before = requests.filters(request), requests.one(request, "before")
    database = await requests.archive(datasette, request)
    if _is_feed(request):
        seen = await requests.read(datasette, database, lambda base: queries.seen_last(base, filters, FED))
        return await _feed(datasette, request, database, "/", gettext("newest articles"), filters, seen)
    size = requests.most(datasette)
    found = await requests.read(datasette, database, lambda base: queries.newest(base, filters, before, size))
    older = f"{found[-1]['sort_at']} {found[-1]['id']}" if len(found) == size else None
    following = datasette.urls.path("/latest.json") + requests.again(request, before=older)
    return _data(request, {"articles": found, "next": following if older else None})


async def hits(request: Request, datasette: "Datasette") -> Response:
    """The hits of a search with the words around them, between asterisks; as a feed those seen last, whatever the order."""
    filters, database = requests.filters(request), await requests.archive(datasette, request)
    typed, best = request.args.get("q") or "", request.args.get("order") == "best"
    wanted, size = expression(typed), requests.most(datasette)
    if _is_feed(request):
        seen = await requests.read(
            datasette, database, lambda base: seen_last(base, wanted, filters, FED) if wanted else []
        )
        return await _feed(datasette, request, database, "/search", typed, filters, seen)

    def read(base: Connection) -> Found:
        found = search(base, wanted, filters, best=best, size=size) if wanted else NOTHING
        return replace(found, rows=with_marks(base, found.rows))

    return _data(request, found_as_data(typed, await requests.read(datasette, database, read)))


def found_as_data(typed: str, found: Found) -> Contents:
    """What a search found as programs get it: hits between two asterisks; `count` is None for more than MANY."""
    for hit in found.rows:
        hit["snippet"], _ = formatting.starred(hit["snippet"]), hit.pop("heading")
        hit["said_title"] = hit["said_title"] and formatting.starred(hit["said_title"])
    counted = found.count if found.count <= MANY else None
    facts = {"count": counted, "passing": found.passing, "within": found.within, "more": found.more}
    return {"q": typed} | facts | {"hits": found.rows}


async def changes(request: Request, datasette: "Datasette") -> Response:
    """What publishers changed after publication: FED of it at once, the newest as a feed. `within` is there for those who read it: all texts
    are looked through."""
    filters, database = requests.filters(request), await requests.archive(datasette, request)
    page = 1 if _is_feed(request) else min(requests.number(request, "page") or 1, LAST_PAGE)
    found = await requests.read(datasette, database, lambda base: corrections(base, filters, page=page, size=FED))
    if _is_feed(request):
        entries = [await _entry(datasette, request, one) for one in found.rows]
        return await _feed(datasette, request, database, "/corrections", gettext("corrections"), filters, entries)
    following = datasette.urls.path("/corrections.json") + requests.again(request, page=page + 1)
    more = found.more and page < LAST_PAGE
    return _data(request, {"corrections": found.rows, "within": None, "next": following if more else None})


async def _entry(datasette: "Datasette", request: Request, one: queries.Row) -> queries.Row:
    """A correction as an entry of a feed, which leads to what changed of the article."""
    shown = await datasette.render_template("room/correction.html", {"one": one}, request=request)
    page = datasette.absolute_url(request, datasette.urls.path(f"/article/{one['article_id']}"))
    named = {"entry_id": f"{one['url']}#{one['what']}-{one['at']}", "url": f"{page}#changes"}
    times = {"sort_at": one["at"], "last_changed_at": one["at"], "date_published": None}
    return one | named | times | {"id": one["article_id"], "html": shown}


async def one_row(datasette: "Datasette", request: Request, database: "Database", found: Contents) -> Response:
    """What the page of an article, a story or a source holds."""
    return _data(request, found)


async def sources(request: Request, datasette: "Datasette") -> Response:
    """How all sources are doing; of one word of health, and in another order, where that is asked for."""
    order, health = requests.order(request), requests.one_of(request, "health", HEALTH)
    database = await requests.archive(datasette, request)
    found = await requests.read(datasette, database, lambda base: sources_table(base, order, health))
    return _data(request, {"sources": found.rows})


async def tables(request: Request, datasette: "Datasette") -> Response:
    """Every column of every table, and every query, with what it means."""
    database = await requests.archive(datasette, request)
    return _data(request, glossary.listed(await glossary.of(datasette, database, request.actor)))


_LIST = r"\.(?P<format>json|csv)$"
ROUTES: list[tuple[str, Callable[..., Any]]] = [
    (r"^/latest\.(?P<format>json|csv|atom)$", latest),
    (r"^/search\.(?P<format>json|csv|atom)$", hits),
    (r"^/corrections\.(?P<format>json|csv|atom)$", changes),
    (r"^/article/(?P<id>\d{1,18})" + _LIST, requests.about_one("article", details.article)(one_row)),
    (r"^/story/(?P<id>\d{1,18})" + _LIST, requests.about_one("story", details.story)(one_row)),
    (r"^/sources" + _LIST, sources),
    (r"^/source/(?P<id>\d{1,18})" + _LIST, requests.about_one("source", details.source)(one_row)),
    (r"^/tables" + _LIST, tables),
]


# Formats


async def _feed(
    datasette: "Datasette",
    request: Request,
    database: "Database",
    page: str,
    about: str,
    filters: Filters,
    found: list[queries.Row],
) -> Response:
    """What a feed reader subscribes to; its title says what was asked for, since a reader may have many. One that has seen
    it is told so (RFC 9110 13.1.2), as we wish to be told."""
    from_source = await requests.read(datasette, database, lambda base: queries.source_name(base, filters.source))
    shown_as = (from_source, label(filters.category), formatting.language(filters.language), filters.section)
    narrowed = (*shown_as, filters.since, filters.until)
    title = formatting.names([about.strip() or gettext("no words"), *narrowed])
    shown = datasette.urls.path(page) + requests.again(request, order=None)

    def page_of(number: int) -> str:
        return str(datasette.absolute_url(request, datasette.urls.path(f"/article/{number}")))

    made = feed.atom(title, found, request.url, datasette.absolute_url(request, shown), page_of)
    said = {"etag": f'"{hashlib.blake2b(made, digest_size=8).hexdigest()}"'}
    seen = {tag.strip().removeprefix("W/") for tag in (request.headers.get("if-none-match") or "").split(",")}
    if said["etag"] in seen:
        return Response("", status=304, headers=said)
    return Response(made, content_type="application/atom+xml; charset=utf-8", headers=said)


def _is_feed(request: Request) -> bool:
    return bool(request.url_vars["format"] == "atom")


def _data(request: Request, found: Contents) -> Response:
    """All of it as JSON; as CSV the list that `table` names, or the page's own. BadRequest when there is no such list."""
    if request.url_vars["format"] == "json":
        return Response(
            json.dumps(found, ensure_ascii=False, default=asdict), content_type="application/json; charset=utf-8"
        )
    lists = {
        name: rows if isinstance(rows, list) else [rows]
        for name, rows in found.items()
        if isinstance(rows, dict | list)
    }
    table = requests.one(request, "table") or next(iter(lists))
    if table not in lists:
        raise BadRequest(
            gettext(
                "There is no table %(table)s on this page: it has %(tables)s.", table=table, tables=", ".join(lists)
            )
        )
    rows = lists[table]
    return Response(
        _csv(rows, list(rows[0]) if rows else HEADS[table].split()),
        content_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{table}.csv"'},
    )


def _csv(rows: list[queries.Row], head: list[str]) -> str:
    """Rows as RFC 4180 has them; a list in a cell is JSON, as it is in the tables."""
    lines = io.StringIO()
    writer = csv.DictWriter(lines, head)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return lines.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=asdict) if isinstance(value, list | tuple | dict) else value
