"""news.db -> its readers: a Datasette plugin. Plain `datasette news.db --metadata datasette_metadata.json` loads it, too.

Each hook says which station of the folder does the work. `requests` reads what an address asks; `pages` (whose ROUTES lead from
an address to its function) and `data` answer it, for people and for programs; `queries`, `search`, `fulltext` and `glossary`
know the archive; `details` puts together what a page holds, and `originals` reads what a crawl kept of it; `differences`, `charts`, `formatting` and `feed` make of it what a
template or a feed reader shows; `guard` watches over all answers, `base_url` over where they are;
`passers_by` has what search engines and caches are told, `started` what `serve` does beside serving.
"""

from collections.abc import Callable
from functools import partial
from sqlite3 import Connection
from typing import TYPE_CHECKING, Any

from datasette import hookimpl
from datasette.url_builder import Urls
from datasette.utils import escape_fts
from markupsafe import Markup

from crawler.reasons import sentence
from pipelines.publish import base_url, data, pages, passers_by, started, translation
from pipelines.publish.formatting import spaced
from pipelines.publish.guard import (
    guarded,
    has_archive,
    hide_the_machine,
    is_public,
    is_shown,
    note_archive,
    set_right,
    shows_originals,
)

if TYPE_CHECKING:  # Datasette is still being imported when it loads its plugins
    from jinja2 import Environment


@hookimpl
def register_routes() -> list[tuple[str, Callable[..., Any]]]:
    """The reading room: front page, search, articles, stories, sources, tables; and all of it as data."""
    return pages.ROUTES + data.ROUTES + passers_by.ROUTES


@hookimpl(trylast=True)
def prepare_connection(conn: Connection, database: str, datasette: Any) -> None:
    """Datasette's search boxes find words of Chinese, Japanese and Korean: its own escape_fts() is replaced, which was first.
    meaning() says a reason in a sentence. Visitors see less. Other programs' databases stay as they are."""
    if note_archive(conn, database, datasette):
        conn.create_function("escape_fts", 1, lambda typed: spaced(escape_fts(typed)), deterministic=True)
        conn.create_function("meaning", 1, lambda reason: reason and sentence(str(reason)), deterministic=True)
        if is_public(datasette):
            conn.set_authorizer(hide_the_machine)


@hookimpl
def render_cell(row: Any, value: Any, column: str, table: str | None, database: str, datasette: Any) -> Markup | None:
    """The number of an article, story or source in the answer of a query, or in a view, leads to its page; the file of a capture
    to what lies there."""
    if (table, column) == ("captures", "file") and isinstance(value, str) and is_shown(database, datasette):
        return _to_original(row["id"], value, datasette)
    kind = PAGE_OF.get(column) if table in VIEWS_AND_QUERIES else None
    if column == "id" and {"sort_at", "url"} <= set(row.keys()):  # an article's, in a view or a query of ours
        kind = "article" if table in VIEWS_AND_QUERIES else None
    if kind is None or not isinstance(value, int) or not is_shown(database, datasette):
        return None
    return Markup('<a href="{}">{}</a>').format(datasette.urls.path(f"/{kind}/{value}"), value)


def _to_original(number: int, file: str, datasette: Any) -> Markup | None:
    if not shows_originals(datasette):
        return None
    return Markup('<a href="{}">{}</a>').format(datasette.urls.path(f"/capture/{number}.txt"), file)


PAGE_OF = {"article_id": "article", "story_id": "story", "source_id": "source"}
VIEWS_AND_QUERIES = (None, "latest", "copies", "changed", "source_health")
"""Where no foreign key makes a link: tables have Datasette's own."""


@hookimpl
def startup(datasette: Any) -> None:
    """Links know the base URL; `serve --quiet` and `--open` are done.

    An address that is not there costs no second: Datasette has rich, where it is installed, print every 404 as a
    traceback with all local variables (1.2 s, measured). Errors that are bugs are still printed, by Python."""
    from datasette import handle_exception  # loads the plugins: importing it above would load this one half made

    handle_exception.rich = None
    Urls.path = base_url.path
    told = datasette.plugin_config("broadsheet") or {}
    if told.get("quiet"):
        started.silence()
    if told.get("open"):
        started.open_soon(told["open"])


@hookimpl
def handle_exception(exception: Exception) -> None:
    """What Datasette answers with an error is set right before it does so."""
    from datasette.views.base import DatasetteError

    if isinstance(exception, DatasetteError):
        set_right(exception)


@hookimpl
def prepare_jinja2_environment(env: "Environment", datasette: Any) -> None:
    """The page of an error is in the reading room where there is one, and Datasette's own beside other programs' databases.
    Templates speak the reader's language."""
    translation.install(env)
    env.globals["has_archive"] = lambda: has_archive(datasette)


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[Any], Any]:
    """Headers on every answer; fewer pages for visitors."""
    base, more = datasette.setting("base_url"), partial(passers_by.headers, datasette)
    return lambda app: guarded(base_url.under(base, app), public=is_public(datasette), more=more)
