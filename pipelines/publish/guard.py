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
from weakref import WeakKeyDictionary

import datasette

from pipelines.schema import APPLICATION_ID

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

OWNERS_ONLY = re.compile(
    r"/-/(databases|threads|plugins|settings|metadata|versions|actor|allow-debug|permissions|messages)\b"
)
"""Datasette's pages about the machine: the file's path, what is installed. A public site has no use for them."""

OWNERS_COLUMNS = {("runs", "argv"), ("runs", "reason"), ("pages", "warc")}
"""(table, column) of an archive that may name files of the machine: how a run was started, the words of a bug, an archive.
Other reasons and errors are words of our own with addresses of the web."""

_archives: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
"""Datasette -> the names of its databases that are archives and have been read from."""


def is_public(datasette: Any) -> bool:
    """Whether this Datasette is for visitors, as `serve --public` starts it: they run no SQL of their own."""
    return not datasette.setting("default_allow_sql")


def note_archive(connection: Connection, database: str, datasette: Any) -> bool:
    """Whether a new connection leads to a Broadsheet archive; is_shown() knows it from then on."""
    if connection.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
        return False
    _archives.setdefault(datasette, set()).add(database)
    return True


def is_shown(database: str, datasette: Any) -> bool:
    """Whether a database that was read from is the one of the reading room: the first archive. Asks no query: cells ask it."""
    archives = _archives.get(datasette, set())
    return database == next((name for name in datasette.databases if name in archives), None)


def hide_the_machine(action: int, table: str | None, column: str | None, *_: str | None) -> int:
    """SQLite's authorizer: OWNERS_COLUMNS read as NULL wherever they stand, in a view, a filter, a facet or a sum."""
    return SQLITE_IGNORE if action == SQLITE_READ and (table, column) in OWNERS_COLUMNS else SQLITE_OK


def guarded(app: App, *, public: bool) -> App:
    """The application with headers on all its answers; with `public`, without its pages about the machine."""

    async def guard(scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message.get("headers", ())}
                more = {"content-security-policy": policy(), **ALWAYS}
                message["headers"] = [
                    *message.get("headers", ()),
                    *((name.encode(), value.encode()) for name, value in more.items() if name.encode() not in said),
                ]
            await send(message)

        if public and scope["type"] == "http" and OWNERS_ONLY.search(scope["path"]):
            await send_guarded(
                {"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]}
            )
            await send({"type": "http.response.body", "body": b"Not on a public site.\n"})
        else:
            await app(scope, receive, send_guarded)

    return guard


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
    names = ("_close_open_menus.html", "_codemirror_foot.html", "table.html")
    found = [
        script
        for name in names
        for script in re.findall(r"<script>(.*?)</script>", (templates / name).read_text("utf-8"), re.DOTALL)
    ]
    return sorted({re.sub(r"{{.*?}}", value, script) for script in found for value in ("true", "false")})


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
