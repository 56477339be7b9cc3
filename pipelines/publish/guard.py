"""What a browser may do with our pages, and what visitors may see: headers on every answer, so that stored markup that slipped
through stays text; columns that no query of a public site can read.

Titles and texts come from strangers. Templates escape them; the policy is the second wall, not the first.
"""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from pathlib import Path
from sqlite3 import SQLITE_IGNORE, SQLITE_OK, SQLITE_READ, Connection
from typing import Any
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

import datasette

from pipelines.database.schema import APPLICATION_ID

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Callable[[], Awaitable[Message]], Send], Awaitable[None]]

ALWAYS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
"""No page in a frame, no guessing of types; a site that is read about does not learn by whom."""

OWNERS_ONLY = re.compile(r"/-/(?!static(-plugins)?/)")
"""Datasette's pages about the machine: the file's path, what is installed; logins. A public site has use for its static files alone."""

OWNERS_COLUMNS = {
    ("runs", "argv"),
    ("runs", "reason"),
    ("pages", "warc"),
    ("captures", "file"),
    ("loads", "input"),
    ("sources_toml", "text"),
    ("pages", "forgotten_reason"),
    ("alerts", "name"),
    ("alerts", "words"),
    ("alert_messages", "reason"),
    ("alert_failures", "reason"),
}
"""(table, column) of an archive that may name files of the machine: how a run was started, the words of a bug, an archive; or a
person: who asked for a takedown; or what its owner has written for nobody else.
Other reasons and errors are words of our own with addresses of the web."""

MAX_FACETS = 5
"""Facets that visitors may ask for at once, besides a table's own. Each may take Datasette's 200 ms: all columns of 200,000
articles, each twice, took 3.4 s."""

_archives: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
"""Datasette -> the names of its databases that are archives and have been read from."""


def is_public(datasette: Any) -> bool:
    """Whether this Datasette is for visitors, as `serve --public` starts it: they run no SQL of their own."""
    return not datasette.setting("default_allow_sql")


def shows_originals(datasette: Any) -> bool:
    """Whether originals are shown: to the owner, and only where Datasette's metadata asks for it, as datasette_metadata.json does.
    A Datasette with other metadata, which has this plugin installed, shows none."""
    return bool((datasette.plugin_config("broadsheet") or {}).get("originals")) and not is_public(datasette)


def note_archive(connection: Connection, database: str, datasette: Any) -> bool:
    """Whether a new connection leads to a Broadsheet archive; is_shown() knows it from then on."""
    if connection.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
        return False
    _archives.setdefault(datasette, set()).add(database)
    return True


def has_archive(datasette: Any) -> bool:
    """Whether one of the databases that were read from is an archive. `datasette serve` reads from all before it answers."""
    return any(name in datasette.databases for name in _archives.get(datasette, ()))


def is_shown(database: str, datasette: Any) -> bool:
    """Whether a database that was read from is the one of the reading room: the first archive. Asks no query: cells ask it."""
    archives = _archives.get(datasette, set())
    return database == next((name for name in datasette.databases if name in archives), None)


def hide_the_machine(action: int, table: str | None, column: str | None, *_: str | None) -> int:
    """SQLite's authorizer: OWNERS_COLUMNS read as NULL wherever they stand, in a view, a filter, a facet or a sum."""
    return SQLITE_IGNORE if action == SQLITE_READ and (table, column) in OWNERS_COLUMNS else SQLITE_OK


def set_right(error: Any) -> None:
    """A DatasetteError that would be a 500 is what Datasette says of a request it cannot follow, such as `_sort=` by a column
    that is not there: a 400. A query that took too long is shown as text, without a script that makes its box larger."""
    if error.status == 500:
        error.status = 400
    if error.message_is_html:
        error.message = _BOX.sub(r"<pre>\1</pre>", error.message)


_BOX = re.compile(r"<textarea[^>]*>(.*?)</textarea>\s*<script>.*?</script>", re.DOTALL)
"""Of the only script in Datasette's Python: its spaces, and so its hash, change with those of the query above it."""


def guarded(app: App, *, public: bool, more: Callable[[str, int, str], dict[str, str]]) -> App:
    """The application with headers on all its answers, and those that `more` has for an answer's path, status and
    Cache-Control in place of its own; with `public`, without its pages about the machine."""

    async def guard(scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower().decode("latin1"): value for name, value in message.get("headers", ())}
                ours = more(scope["path"], message["status"], said.get("cache-control", b"").decode("latin1"))
                kept = [
                    (name, value)
                    for name, value in message.get("headers", ())
                    if name.decode("latin1").lower() not in ours
                ]
                ours |= {name: value for name, value in _always().items() if name not in said}
                message["headers"] = [*kept, *((name.encode(), value.encode()) for name, value in ours.items())]
            await send(message)

        refused = _refused(scope) if public and scope["type"] == "http" else None
        if refused:
            status, said = refused
            await send_guarded(
                {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]}
            )
            await send({"type": "http.response.body", "body": said.encode()})
        else:
            await app(_readable(scope), receive, send_guarded)

    return guard


def _readable(scope: Message) -> Message:
    """A request without a Cookie header that is no UTF-8, at which Datasette's library against forged forms breaks with a 500."""
    if scope["type"] != "http":
        return scope
    return {
        **scope,
        "headers": [(name, value) for name, value in scope["headers"] if name != b"cookie" or _is_utf8(value)],
    }


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _always() -> dict[str, str]:
    return {"content-security-policy": policy(), **ALWAYS}


def _refused(scope: Message) -> tuple[int, str] | None:
    """The status and the words with which a public site turns a request away; None for most."""
    if OWNERS_ONLY.search(scope["path"]):
        return 404, "Not on a public site.\n"
    if sum(name.startswith("_facet") for name, _ in parse_qsl(scope["query_string"].decode("latin1"))) > MAX_FACETS:
        return 400, f"No more than {MAX_FACETS} facets at a time on a public site.\n"
    return None


@cache
def policy() -> str:
    """The content security policy: scripts from our own files and the very ones Datasette's templates hold, nothing from
    elsewhere. Its templates style some elements in place, so styles may stand in a page; they cannot load or run anything."""
    scripts = " ".join(f"'sha256-{_digest(script)}'" for script in _scripts_of_datasette())
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


def _scripts_of_datasette() -> list[str]:
    """The scripts that stand in Datasette's templates, as a browser gets them: three in 0.65, one of them with a setting."""
    templates = Path(datasette.__file__).parent / "templates"
    found = [
        script
        for template in templates.rglob("*.html")
        for script in re.findall(r"<script>(.*?)</script>", template.read_text("utf-8"), re.DOTALL)
    ]
    return sorted({re.sub(r"{{.*?}}", value, script) for script in found for value in ("true", "false")})


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
