"""news.db -> its readers: a Datasette plugin. Plain `datasette news.db --metadata datasette_metadata.json` loads it, too.

Each hook says which station of the folder does the work.
"""

from collections.abc import Callable
from typing import Any

from datasette import hookimpl

from pipelines.publish.guard import guarded


@hookimpl
def extra_css_urls(datasette: Any) -> list[str]:
    """What Datasette's own pages need to show articles."""
    return [datasette.urls.static_plugins("broadsheet", "tables.css")]


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[Any], Any]:
    """Headers on every answer; fewer pages for visitors."""
    return lambda app: guarded(app, public=not datasette.setting("default_allow_sql"))
