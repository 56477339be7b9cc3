"""Base URL: an archive under a path of a site, as `https://example.org/papers/`. Datasette's own `base_url`, made whole.

A proxy may pass the path on as visitors asked for it, or without the base URL. Datasette 0.65 takes both, but puts the base URL
before the links it makes of the address asked for, which has it in the first case, and not before some of them in the second.
Here every request has it, links know that, and so do redirects.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from datasette.url_builder import Urls
from datasette.utils import PrefixedUrlString

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_datasettes_own = Urls.path


def path(self: Any, path: str, format: str | None = None) -> Any:
    """Datasette's `urls.path()`, which leaves an address alone that has the base URL already.

    Datasette's own paths begin with a slash only where they are of the request; ours begin with the pages' names, of which none
    is a base URL (BEGINNINGS).
    """
    base = self.ds.setting("base_url")
    known = base != "/" and path.startswith(base)
    return _datasettes_own(self, PrefixedUrlString(path) if known else path, format)


BEGINNINGS = frozenset({"-", "article", "capture", "source", "story"})
"""First words of our pages' and Datasette's addresses that have more after them: no base URL may be one of these."""


def under(base: str, app: App) -> App:
    """The application under a base URL: `/papers` leads to `/papers/`; redirects stay under it."""
    if base == "/":
        return app

    async def based(scope: Message, receive: Receive, send: Send) -> None:
        async def send_based(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, _under(base, value) if name.lower() == b"location" else value)
                    for name, value in message.get("headers", ())
                ]
            await send(message)

        if scope["type"] != "http":
            await app(scope, receive, send)
        elif scope["path"] == base.rstrip("/"):
            headers = [(b"location", base.encode()), (b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 301, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await app(_whole(base, scope), receive, send_based)

    return based


def _whole(base: str, scope: Message) -> Message:
    """A request with the base URL before its path, whether or not the proxy left it there."""
    if scope["path"].startswith(base):
        return scope
    raw = scope.get("raw_path") or scope["path"].encode()
    return {**scope, "path": base + scope["path"][1:], "raw_path": base.encode() + raw[1:]}


def _under(base: str, location: bytes) -> bytes:
    """Where a redirect leads: Datasette's fixed ones are from the root of the site."""
    elsewhere = not location.startswith(b"/") or location.startswith(b"//")
    return location if elsewhere or location.startswith(base.encode()) else base.encode() + location[1:]
