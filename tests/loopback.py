"""A news site on a loopback port: real HTTP with what local copies cannot do, such as 304, redirects and errors."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Headers = dict[str, str]


@dataclass
class Answer:
    """What the site says to one path."""

    body: bytes = b""
    status: int = 200
    headers: Headers = field(default_factory=dict)
    etag: str | None = None  #: answers 304 to a request that names it


@dataclass
class Site:
    """Paths and answers; a path without one is a 404. `asked` lists the paths of all requests in order."""

    url: str
    answers: dict[str, Answer | Callable[[], Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    not_modified: list[str] = field(default_factory=list)

    def add(self, path: str, body: str | bytes = b"", status: int = 200, *, kind: str = "text/html", packed: bool = False, etag: str | None = None, **headers: str) -> str:
        data = body.encode() if isinstance(body, str) else body
        named = {"Content-Type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
        if packed:
            data, named = gzip.compress(data), named | {"Content-Encoding": "gzip"}
        self.answers[path] = Answer(data, status, named, etag)
        return self.url + path

    def article(self, path: str, title: str, text: str, **options: str) -> str:
        return self.add(path, article_html(title, text), **options)  # type: ignore[arg-type]  # headers are strings

    def feed(self, path: str, *links: str, etag: str | None = None) -> str:
        items = "".join(f"<item><title>Item {number}</title><link>{link}</link></item>" for number, link in enumerate(links))
        body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
        return self.add(path, body, kind="application/rss+xml", etag=etag)


def article_html(title: str, text: str, date: str = "2026-11-03T08:15:00Z") -> str:
    paragraphs = "".join(f"<p>{paragraph}</p>" for paragraph in text.split("\n\n"))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><meta property="article:published_time" content="{date}">'
        f"</head><body><nav><a href='/'>Home</a></nav><article><h1>{title}</h1>{paragraphs}</article></body></html>"
    )


def story(subject: str) -> str:
    """Three invented paragraphs about a subject, long enough to be an article and different for every subject."""
    return (
        f"The {subject} was the talk of the harbour on Tuesday, when the council met for the first time since the summer storms.\n\n"
        f"Members heard that repairs to the {subject} would take until spring, and that nobody had yet said who would pay for them.\n\n"
        f'"We have looked after the {subject} for forty years," said the harbour master, "and we will not stop now because of a little wind."'
    )


@contextmanager
def serving() -> Iterator[Site]:
    """A site on a free port of 127.0.0.1, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802
            site.asked.append(self.path)
            answer = site.answers.get(self.path, Answer(b"not here", 404))
            answer = answer() if callable(answer) else answer
            unchanged = answer.etag is not None and self.headers.get("If-None-Match") == answer.etag
            if unchanged:
                site.not_modified.append(self.path)
            body = b"" if unchanged else answer.body
            self.send_response(304 if unchanged else answer.status)
            for name, value in (answer.headers | ({"ETag": answer.etag} if answer.etag else {})).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
