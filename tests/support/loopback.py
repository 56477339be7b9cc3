"""A news site on a loopback port: real HTTP with what local copies cannot do, such as 304, redirects and errors."""

import gzip
import random
import re
import socket
import ssl
import sys
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

    @property
    def asked_of_content(self) -> list[str]:
        """`asked` without what is asked of a host once: its robots.txt and its tdmrep.json."""
        return [path for path in self.asked if path not in ("/robots.txt", "/.well-known/tdmrep.json")]

    def add(
        self,
        path: str,
        body: str | bytes = b"",
        status: int = 200,
        *,
        kind: str = "text/html",
        packed: bool = False,
        etag: str | None = None,
        **headers: str,
    ) -> str:
        data = body.encode() if isinstance(body, str) else body
        named = {"Content-Type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
        if packed:
            data, named = gzip.compress(data), named | {"Content-Encoding": "gzip"}
        self.answers[path] = Answer(data, status, named, etag)
        return self.url + path

    def article(self, path: str, title: str, text: str, **options: str) -> str:
        return self.add(path, article_html(title, text), **options)  # type: ignore[arg-type]  # headers are strings

    def feed(self, path: str, *links: str, etag: str | None = None) -> str:
        items = "".join(
            f"<item><title>Item {re.split('[;?]', link)[0]}</title><link>{link}</link></item>" for link in links
        )
        body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
        return self.add(path, body, kind="application/rss+xml", etag=etag)


def article_html(title: str, text: str, date: str = "2026-11-03T08:15:00Z") -> str:
    paragraphs = "".join(f"<p>{paragraph}</p>" for paragraph in text.split("\n\n"))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><meta property="article:published_time" content="{date}">'
        f"</head><body><nav><a href='/'>Home</a></nav><article><h1>{title}</h1>{paragraphs}</article></body></html>"
    )


_WHO = (
    "The harbour master",
    "A retired welder",
    "The council",
    "Nobody on the quay",
    "The ferry company",
    "A schoolteacher",
    "The new owner",
)
_DID = ("mended", "argued about", "painted", "measured", "paid for", "forgot", "photographed", "sold", "rebuilt")
_WHAT = (
    "the railings",
    "forty lobster pots",
    "a borrowed crane",
    "the winter timetable",
    "two lamps",
    "the slipway",
    "an old map",
    "the bell",
)
_WHEN = (
    "before dawn on Tuesday",
    "while it rained",
    "for the third time this year",
    "without telling anyone",
    "after the storm",
    "at low tide",
)


def story(subject: str) -> str:
    """Three invented paragraphs of an article about a subject, different all through for every subject."""
    chance = random.Random(subject)
    sentences = [" ".join(chance.choice(words) for words in (_WHO, _DID, _WHAT, _WHEN)) + "." for _ in range(12)]
    sentences[0] = f"This is about the {subject}, which has been here for forty years. {sentences[0]}"
    return "\n\n".join(" ".join(sentences[start : start + 4]) for start in (0, 4, 8))


@contextmanager
def serving(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Site]:
    """A site on a port of this address, a free one unless one is named, until the end of the block; by https where it has `tls`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else the body waits 40 ms until the head before it is confirmed

        def do_GET(self) -> None:
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

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that was killed is no fault of the site."""
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(request, client_address)  # type: ignore[arg-type]

    server = Server((host, port), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    site = Site(f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
