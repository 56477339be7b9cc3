"""Search engines and caches: what of an archive they may keep. X-Robots-Tag, robots.txt and Cache-Control.

An archive of other people's articles is no copy that search engines should find before the original: none is indexed unless
its owner says so (`serve --index`). What only its owner sees is kept by no cache.
"""

import re
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import NotFound, Request, Response

from pipelines.publish.guard import has_archive, is_public
from pipelines.publish.translation import gettext

if TYPE_CHECKING:  # Datasette is still being imported when it loads its plugins
    from datasette.app import Datasette

PAGE_SECONDS = 60
"""How long a page of a public site may be shown again as it is: a crawl runs every few minutes at most."""

STATIC_SECONDS = 600
"""The same of styles and scripts, which only a new release changes."""

_STATIC = re.compile(r"/-/static(-plugins)?/")


def is_indexed(datasette: Any) -> bool:
    """Whether search engines may list it: `serve --public --index` says so in the metadata."""
    return is_public(datasette) and bool((datasette.plugin_config("broadsheet") or {}).get("index"))


def headers(datasette: Any, path: str, status: int, said: str) -> dict[str, str]:
    """What an answer says to search engines and caches, `said` being its Cache-Control; nothing beside other programs' databases.

    No `public` in it: what needs a password of the proxy's stays out of shared caches (RFC 9111, 3.5).
    """
    if not has_archive(datasette):
        return {}
    robots = {} if is_indexed(datasette) else {"x-robots-tag": "noindex, nofollow"}
    return robots | {"cache-control": _cache_control(path, status, said, public=is_public(datasette))}


def _cache_control(path: str, status: int, said: str, *, public: bool) -> str:
    if _STATIC.search(path) and status == 200:
        return f"max-age={STATIC_SECONDS}"
    if not public or "private" in said or "no-store" in said:
        return "private, no-store"
    return f"max-age={PAGE_SECONDS}" if status < 400 else "no-store"


async def robots_txt(request: Request, datasette: "Datasette") -> Response:
    """Nothing for robots, or, where it is indexed, all but the searches and tables, of which there are endless addresses."""
    if not has_archive(datasette):
        raise NotFound(gettext("none of these databases is a Broadsheet archive"))
    base = datasette.setting("base_url")
    closed = [base]
    if is_indexed(datasette):
        tables = (datasette.urls.database(name) for name, one in datasette.databases.items() if not one.is_memory)
        closed = [f"{base}-/", f"{base}search", *(path for table in tables for path in (f"{table}/", f"{table}?"))]
    return Response.text("".join(["User-agent: *\n", *(f"Disallow: {path}\n" for path in closed)]))


ROUTES = [(r"^/robots\.txt$", robots_txt)]
