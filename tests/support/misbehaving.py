# mypy: disable-error-code="no-untyped-call,misc,operator,arg-type", no-warn-unused-ignores
"""A web that misbehaves: for every way to do so a small site of its own, on a loopback address of its own.

Every site has three sound articles beside its bad part, and says what is to become of that part. Raw sockets, because a
server that lies about its lengths, its encodings and its status cannot be made of one that knows HTTP. Needs Linux: there
the whole of 127.0.0.0/8 is loopback. Nothing here is to be asked at an address of PRIVATE; what asks is written down.
"""

import asyncio
import base64
import gzip
import json
import random
import socket
import struct
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import chain
from typing import Any

import brotli  # type: ignore[import-untyped]
from backports import zstd

from tests.support.loopback import article_html, story

GOOD = 3
"""Sound articles of every site."""
MB = 2**20
ALLOWED = ("127.77.0.0/16", "127.78.0.0/16")
"""Where the sites are; a crawl may enter these and no other loopback address."""
PRIVATE = "127.0.0.1"


# ------------------------------------------------------------------------------------------------------------ the server


@dataclass
class Visit:
    """One request, and the connection to answer it on."""

    site: "Site"
    path: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def drip(self, data: bytes, pause: float) -> None:
        """A byte at a time."""
        for code in data:
            await self.send(bytes((code,)))
            await asyncio.sleep(pause)

    def reset(self) -> None:
        """End the connection with RST, not FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass(frozen=True)
class Sound:
    """An answer in order, after which the connection lives on."""

    data: bytes


Reply = Sound | bytes | Callable[[Visit], Awaitable[None]]
"""Bytes are sent as they are, and then the connection is closed; a function does what it likes."""


@dataclass
class Site:
    """One address: what it says to which path, and what it was asked."""

    number: int
    host: str
    port: int = 0
    replies: dict[str, Reply] = field(default_factory=dict)
    otherwise: Callable[[str], Reply | None] = lambda path: None  #: what it says to a path that nobody gave a reply
    asked: list[str] = field(default_factory=list)
    private_port: int = 0  #: of the server that nobody may ask
    tables: list[str] = field(
        default_factory=list
    )  #: what sources.toml says of it; one table that names its feed if empty
    titles: tuple[str, ...] = ()  #: of its sound articles
    good: tuple[str, ...] = ()  #: their addresses
    companion: "Site | None" = None  #: a second site of the same case
    listener: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def private(self) -> str:
        """A host and port that may not be entered."""
        return f"{PRIVATE}:{self.private_port}"

    def feed(self, *urls: str, before: str = "", after: str = "") -> Sound:
        """A feed of the good articles, after other items."""
        items = "".join(f"<item><title>Item</title><link>{url}</link></item>" for url in (*urls, *self.good))
        text = f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>{before}{items}{after}</channel></rss>'
        return http(text, kind="application/rss+xml")

    def watch(self, **keys: Any) -> None:
        """A [[source]] for sources.toml."""
        lines = (
            f"{key} = {json.dumps(value)}"
            for key, value in ({"url": f"{self.url}/", "name": f"Site {self.number}"} | keys).items()
        )
        self.tables.append("[[source]]\n" + "\n".join(lines))


def http(body: str | bytes = b"", status: str = "200 OK", kind: str = "text/html", **headers: str) -> Sound:
    """An answer that keeps the rules."""
    data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    said = {"Content-Type": kind, "Content-Length": str(len(data))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return Sound(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + data)


def head(*lines: str, status: str = "200 OK") -> bytes:
    """The head of an answer as it stands, for bodies that do not fit it."""
    return "\r\n".join((f"HTTP/1.1 {status}", "Content-Type: text/html", *lines, "", "")).encode("latin-1")


def later(make: Callable[[], Sound | bytes]) -> Reply:
    """A reply that is made when it is asked for: bombs are heavy."""

    async def reply(visit: Visit) -> None:
        made = await asyncio.to_thread(make)
        await visit.send(made.data if isinstance(made, Sound) else made)

    return reply


async def _serve(site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while request := await reader.readuntil(b"\r\n\r\n"):
            path = request.split(b" ")[1].decode("latin-1")
            site.asked.append(path)
            known = site.replies.get(path)
            reply = known if known is not None else site.otherwise(path) or http("not here", "404 Not Found")
            if not isinstance(reply, Sound):
                visit = Visit(site, path, reader, writer)
                await (visit.send(reply) if isinstance(reply, bytes) else reply(visit))
                break
            writer.write(reply.data)
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, IndexError):
        pass
    finally:
        writer.close()


# -------------------------------------------------------------------------------------------------------------- the cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One misbehaviour."""

    group: str
    name: str
    set_up: Callable[[Site], None]
    pages: dict[str, tuple[str, ...]]  #: path -> what may become of it: `failed timeout`, `refused empty`, `article`
    feeds: dict[str, tuple[str, ...]]  #: path -> what feeds.last_status may say
    heavy: bool  #: left out of the quick tests
    silent: bool  #: some answer of it never ends: with generous limits it would be waited for

    def __str__(self) -> str:
        return f"{self.group}: {self.name}"


SLOW = frozenset(
    (
        "sizes: 20,000 paragraphs",
        "sizes: 64,000 attributes without values",
        "sizes: one line of 5 MB",
        "sizes: one word of 5 MB",
        "sizes: 5 MB of ampersands",
        "sizes: a million references",
        "sizes: 20,000 links",
        "sizes: 20,000 list entries with links",
        "sizes: a text of 7 MB in short lines",
        "sizes: a text of 7 MB in one line",
        "sizes: a script of 7 MB",
        "sizes: a style of 7 MB",
        "sizes: a picture of 7 MB in an attribute",
        "sizes: a table of 20,000 cells",
        "sizes: 20,000 line breaks",
        "sizes: 20,000 spans in one paragraph",
        "sizes: 2,000 blocks that say Read more",
        "sizes: a hidden text of 5 MB",
        "sizes: 20,000 bylines",
        "sizes: 20,000 dates",
        "sizes: a front page with 100,000 links",
        "sizes: a front page of 600,000 equal links",
        "html: a text area that is never closed",
        "html: a title of 3 MB",
        "html: og tags of 2 MB each",
        "html: 20,000 og tags",
        "html: 5,000 authors",
        "html: an author of 2 MB",
        "html: a section of 1 MB",
        "html: JSON-LD with 200,000 nodes",
        "html: JSON-LD of 3 MB spaces before a comma",
        "html: a canonical link to half an address",
        "html: a canonical link of 1 MB",
        "html: a class of 3 MB",
        "html: 20,000 headings",
        "html: a heading of 5 MB",
        "html: a million vertical bars in a title",
        "html: a name of 100,000 words",
        "html: figures without an end",
        "html: 20,000 articles in a page",
        "feeds: a billion laughs",
        "feeds: elements 50,000 levels deep behind the items",
        "feeds: Atom of 200,000 links in an entry",
        "feeds: an RSS tag and 7 MB of less-than signs",
        "feeds: 300,000 levels",
        "feeds: one tag of 7 MB",
        "feeds: one attribute of 7 MB",
        "feeds: 7 MB of ampersands",
        "feeds: 7 MB of open comments",
        "feeds: 7 MB of open CDATA sections",
        "feeds: an Atom feed of 7 MB of XHTML",
        "feeds: 100,000 entries",
        "sitemaps: an index of 50,000 sitemaps",
        "sitemaps: a sitemap in a bomb",
        "sitemaps: 7 MB of addresses as text",
        "sitemaps: every index names forty more",
        "sitemaps: 50,000 pages of the far future",
        "transport: chunks of one byte without an end",
        "transport: 100 Continue, 100,000 times",
        "transport: 10 MB of headers",
        "transport: headers without an end",
        "encodings: zstd with a window of 128 MB",
    )
)
"""Cases that take a second of work or more without looking like it: as heavy as those that say so."""

CASES: list[Case] = []


def case(
    group: str,
    name: str,
    set_up: Callable[[Site], None],
    *,
    pages: dict[str, str] | None = None,
    feeds: dict[str, str] | None = None,
    heavy: bool = False,
    silent: bool = False,
) -> None:
    """Note a case; what may become of an address is parted by `|`. Some sites tell the same story, so an article may be a copy."""
    copies = {"article": ("article", "duplicate text", "duplicate near")}

    def split(table: dict[str, str] | None) -> dict[str, tuple[str, ...]]:
        return {
            path: tuple(chain(*(copies.get(one, (one,)) for one in may.split(" | "))))
            for path, may in (table or {}).items()
        }

    may_become = split(pages), split(feeds)
    times_out = {"failed timeout", "timeout"} & {*chain(*may_become[0].values(), *may_become[1].values())}
    CASES.append(
        Case(
            group=group,
            name=name,
            set_up=set_up,
            pages=may_become[0],
            feeds=may_become[1],
            heavy=heavy or f"{group}: {name}" in SLOW,
            silent=silent or bool(times_out),
        )
    )


def bad_page(
    group: str,
    name: str,
    reply: Reply | Callable[[Site], Reply],
    becomes: str,
    *,
    heavy: bool = False,
    made: bool = False,
) -> None:
    """A case whose feed names /bad first. With `made`, `reply` makes the reply from its site."""

    def set_up(site: Site) -> None:
        site.replies["/bad"] = reply(site) if made else reply  # type: ignore[assignment, arg-type, call-arg]
        site.replies["/feed"] = site.feed(f"{site.url}/bad")

    case(group, name, set_up, pages={"/bad": becomes}, heavy=heavy)


def bad_feed(group: str, name: str, reply: Callable[[Site], Reply], becomes: str, *, heavy: bool = False) -> None:
    """A case whose source has a bad feed beside the good one."""

    def set_up(site: Site) -> None:
        site.replies["/bad-feed"] = reply(site)
        site.watch(feeds=[f"{site.url}/bad-feed", f"{site.url}/feed"])

    case(group, name, set_up, feeds={"/bad-feed": becomes}, heavy=heavy)


def own_feed(
    group: str,
    name: str,
    reply: Callable[[Site], Reply],
    becomes: str = "ok",
    *,
    heavy: bool = False,
    pages: dict[str, str] | None = None,
) -> None:
    """A case whose only feed is odd and yet names the good articles."""

    def set_up(site: Site) -> None:
        site.replies["/feed"] = reply(site)

    case(group, name, set_up, feeds={"/feed": becomes}, heavy=heavy, pages=pages)


def bad_sitemap(group: str, name: str, reply: Callable[[Site], Reply], becomes: str, *, heavy: bool = False) -> None:
    def set_up(site: Site) -> None:
        site.replies["/bad.xml"] = reply(site)
        site.watch(feeds=[f"{site.url}/feed"], sitemaps=[f"{site.url}/bad.xml"])

    case(group, name, set_up, feeds={"/bad.xml": becomes}, heavy=heavy)


def robots(name: str, reply: Reply | Callable[[Site], Reply], *, made: bool = False, heavy: bool = False) -> None:
    """A robots.txt that forbids nothing, however it looks."""

    def set_up(site: Site) -> None:
        site.replies["/robots.txt"] = reply(site) if made else reply  # type: ignore[assignment, arg-type, call-arg]

    case("robots", name, set_up, heavy=heavy)


def forbidding(name: str, reply: Reply, becomes: str) -> None:
    """A robots.txt that closes its site; the good articles are on another one."""

    def set_up(site: Site) -> None:
        closed = companion(site)
        closed.replies["/robots.txt"] = reply
        closed.replies["/bad"] = page("closed")
        closed.watch(pages=[f"{closed.url}/bad"], name=f"Closed {site.number}")
        site.watch(feeds=[f"{site.url}/feed"])

    case("robots", name, set_up, pages={"//bad": becomes})


def companion(site: Site) -> Site:
    """A second site of the same case."""
    site.companion = site.companion or _site(site.number, 78, site.private_port)
    return site.companion


def page(subject: str, title: str | None = None) -> Sound:
    return http(article_html(title or f"Of the {subject}", story(subject)))


def html(inside: str, subject: str, front: str = "", title: str = "A bad part") -> str:
    """An article with something in its body and its head."""
    whole = article_html(title, story(subject))
    return whole.replace("</head>", f"{front}</head>").replace("</article>", f"{inside}</article>")


def _transport() -> None:
    body = article_html("A slow boat", story("slow boat")).encode()
    whole = head(f"Content-Length: {len(body)}") + body
    chunked = head("Transfer-Encoding: chunked")

    async def drip_head(visit: Visit) -> None:
        await visit.drip(whole, 0.3)

    async def drip_body(visit: Visit) -> None:
        await visit.send(head(f"Content-Length: {len(body)}"))
        await visit.drip(body, 0.3)

    async def silence(visit: Visit) -> None:
        await asyncio.sleep(60)

    async def stop_in_body(visit: Visit) -> None:
        await visit.send(whole[:-200])
        await asyncio.sleep(60)

    async def reset(visit: Visit) -> None:
        visit.reset()

    async def reset_in_body(visit: Visit) -> None:
        await visit.send(whole[:-200])
        await asyncio.sleep(0.05)
        visit.reset()

    async def endless_chunks(visit: Visit) -> None:
        await visit.send(chunked)
        while True:
            await visit.send(b"1000\r\n" + b"<p>" * 1365 + b"x\r\n")

    async def tiny_chunks(visit: Visit) -> None:
        await visit.send(chunked)
        while True:
            await visit.send(b"1\r\nx\r\n" * 1000)

    async def continues(visit: Visit) -> None:
        for _ in range(200):
            await visit.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 500)
        await visit.send(whole)

    async def processing(visit: Visit) -> None:
        while True:
            await visit.send(b"HTTP/1.1 102 Processing\r\n\r\n")
            await asyncio.sleep(0.2)

    async def stay_open(visit: Visit) -> None:
        await visit.send(head(f"Content-Length: {len(body)}", "Connection: close") + body)
        await asyncio.sleep(60)

    async def no_end(visit: Visit) -> None:
        await visit.send(head() + body)
        await asyncio.sleep(60)

    async def single_bytes(visit: Visit) -> None:
        visit.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await visit.drip(whole, 0)

    async def many_headers(visit: Visit) -> None:
        await visit.send(b"HTTP/1.1 200 OK\r\n")
        for number in range(100):
            await visit.send(b"".join(b"X-%d-%d: %s\r\n" % (number, one, b"x" * 90) for one in range(1000)))
        await visit.send(b"\r\n" + body)

    async def endless_headers(visit: Visit) -> None:
        await visit.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            await visit.send(b"X-More: and more\r\n" * 500)

    async def endless_line(visit: Visit) -> None:
        await visit.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while True:
            await visit.send(b"x" * 65536)

    async def endless_status(visit: Visit) -> None:
        while True:
            await visit.send(b"HTTP" * 16384)

    async def endless_body(visit: Visit) -> None:
        await visit.send(head())
        while True:
            await visit.send(b"<p>And so on, and so on, and so on." * 1000)

    lost, broken = "failed connection_lost", "failed connection_failed | failed connection_lost | failed damaged_answer"
    for name, reply, becomes in (
        ("the head drips", drip_head, "failed timeout"),
        ("the body drips", drip_body, "failed timeout"),
        ("no answer at all", silence, "failed timeout"),
        ("a body that stops in the middle", stop_in_body, "failed timeout"),
        ("reset instead of an answer", reset, broken),
        ("reset in the middle of the body", reset_in_body, lost),
        ("closed without a byte", b"", broken),
        ("closed in the head", whole[:30], broken),
        ("closed in the body", whole[:-200], lost),
        ("Content-Length too short", head("Content-Length: 300") + body, "refused no_text | article | duplicate text | refused too_short"),
        ("Content-Length negative", head("Content-Length: -5") + body, broken),
        ("Content-Length in words", head("Content-Length: many") + body, broken),
        ("Content-Length twice, the same", head(*[f"Content-Length: {len(body)}"] * 2) + body, f"article | {broken}"),
        ("Content-Length twice, different", head("Content-Length: 9", f"Content-Length: {len(body)}") + body, broken),
        ("Content-Length of 9 exabytes", head("Content-Length: 9223372036854775808") + body, "refused too_large"),
        ("Content-Length of 5,000 digits", head(f"Content-Length: {'9' * 5000}") + body, f"refused too_large | {broken}"),
        ("Content-Length beside chunks", head("Content-Length: 7", "Transfer-Encoding: chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), f"article | {broken}"),
        ("a chunk size that is no number", chunked + b"zz\r\n" + body, broken),
        ("a chunk size that is negative", chunked + b"-5\r\n" + body, broken),
        ("a chunk of 68 GB", chunked + b"fffffffff\r\n" + body, broken),
        ("chunks without an end", endless_chunks, "refused too_large"),
        ("chunks of one byte without an end", tiny_chunks, "refused too_large | failed timeout"),
        ("chunks that break off", chunked + b"%x\r\n%s\r\n" % (len(body), body), broken),
        ("a chunk extension of 1 MB", chunked + b"%x;%s\r\n%s\r\n0\r\n\r\n" % (len(body), b"x" * MB, body), f"article | {broken}"),
        ("a chunk size line without an end", chunked + b"0" * (3 * MB), broken),
        ("trailers of 5 MB", chunked + b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, b"X-T: y\r\n" * 600_000), f"article | {broken}"),
        ("garbage behind the body", whole + b"\0\xff garbage " * 999, "article"),
        ("100 Continue, 100,000 times", continues, f"article | failed timeout | refused too_large | {broken}"),
        ("102 Processing for ever", processing, f"failed timeout | refused too_large | {broken}"),
        ("103 Early Hints before the answer", b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\n" + whole, f"article | {broken}"),
        ("101 Switching Protocols", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: chess\r\n\r\n" + body, f"failed http_101 | failed timeout | {broken}"),
        ("no status line", body, broken),
        ("a status line in Latin", "HTTP/1.1 ducentī bene\r\n\r\n".encode() + body, broken),
        ("a status of 5,000 digits", b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\n" + body, f"{broken} | failed damaged_answer"),
        ("status 999", head(f"Content-Length: {len(body)}", status="999 Go away") + body, "failed http_999"),
        ("status 0", head(f"Content-Length: {len(body)}", status="0 Nothing") + body, f"failed http_0 | {broken}"),
        ("status 200 without words", head(f"Content-Length: {len(body)}", status="200") + body, "article"),
        ("HTTP/9.9", whole.replace(b"HTTP/1.1", b"HTTP/9.9", 1), f"article | {broken}"),
        ("an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\x12\x04\0\0\0\0\0" * 9, broken),
        ("10 MB of headers", many_headers, f"article | refused too_large | failed timeout | {broken}"),
        ("headers without an end", endless_headers, f"refused too_large | failed timeout | {broken}"),
        ("a header line without an end", endless_line, f"refused too_large | failed timeout | {broken}"),
        ("a status line without an end", endless_status, f"refused too_large | failed timeout | {broken}"),
        ("1,000 headers", head(*(f"X-{number}: y" for number in range(1000)), f"Content-Length: {len(body)}") + body, f"article | {broken}"),
        ("a header with NUL", head("X-Nul: a\0b", f"Content-Length: {len(body)}") + body, f"article | {broken}"),
        ("headers in Latin-1", head("X-Caf\xe9: \xfc\xff", f"Content-Length: {len(body)}") + body, f"article | {broken}"),
        ("header lines that end in LF", whole.replace(b"\r\n", b"\n"), f"article | failed timeout | {broken}"),
        ("a folded header", head("X-Long: a", "  and b", f"Content-Length: {len(body)}") + body, f"article | {broken}"),
        ("a header without a colon", head("Nonsense", f"Content-Length: {len(body)}") + body, f"article | {broken}"),
        ("a header without a name", head(": x", f"Content-Length: {len(body)}") + body, f"article | {broken}"),
        ("a Content-Type of 1 MB", head(f"Content-Length: {len(body)}").replace(b"text/html", b"text/html; x=" + b"y" * MB) + body, f"article | {broken}"),
        ("two Content-Types", head("Content-Type: image/png", f"Content-Length: {len(body)}") + body, "article | refused not_html"),
        ("keep-alive that is a lie", head("Connection: keep-alive", f"Content-Length: {len(body)}") + body, "article"),
        ("close that is a lie", stay_open, "article | failed timeout"),
        ("no length, and no end", no_end, "failed timeout"),
        ("every byte by itself", single_bytes, "article"),
        ("a body without an end", endless_body, "refused too_large"),
        ("TLS on a plain port", bytes.fromhex("15030300020246"), broken),
        ("204 with a body", head(f"Content-Length: {len(body)}", status="204 No Content") + body, "failed http_204"),
        ("206 that nobody asked for", head(f"Content-Length: {len(body)}", "Content-Range: bytes 0-9/10", status="206 Partial Content") + body, "failed http_206"),
        ("nothing for 200", http(), "refused empty"),
    ):  # fmt: skip
        bad_page("transport", name, reply, becomes)
    bad_page("transport", "1 MB of cookies", http(body, Set_Cookie="a=" + "x" * 15_000), f"article | {broken}")

    def other_scheme(site: Site) -> None:
        site.replies["/feed"] = site.feed(f"https://{site.host}:{site.port}/bad")

    case("transport", "a plain port asked by TLS", other_scheme, silent=True)

    def refused(site: Site) -> None:
        closed = f"http://{site.host}:1/bad"
        site.replies["/feed"] = site.feed(closed)

    case("transport", "a port that is closed", refused)
    for name, reply, becomes in (
        ("never answers", silence, "timeout"),
        ("drips", drip_body, "timeout"),
        ("breaks off", whole[:-200], "not_a_feed"),
        ("has no end", endless_body, "too_large"),
    ):
        bad_feed("transport", f"a feed that {name}", lambda site, reply=reply: reply, becomes)  # type: ignore[misc]


# -------------------------------------------------------------------------------------------------- encodings and sizes


@cache
def zeros(megabytes: int, kind: str) -> bytes:
    """That many megabytes of nothing, packed."""
    block = b"\0" * MB
    if kind == "br":
        packer = brotli.Compressor(quality=1, lgwin=22)
        return b"".join(packer.process(block) for _ in range(megabytes)) + bytes(packer.finish())
    if kind == "zstd":
        return zstd.compress(block * megabytes)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = (deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH)) * megabytes + b"\x03\0"
    if kind == "raw":
        return body
    crc, adler = 0, 1
    for _ in range(megabytes):
        crc, adler = zlib.crc32(block, crc), zlib.adler32(block, adler)
    if kind == "gzip":
        return b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + body + struct.pack("<II", crc, megabytes * MB)
    return b"\x78\xda" + body + struct.pack(">I", adler)


def packed(data: bytes, encoding: str, kind: str = "text/html") -> Sound:
    return http(data, kind=kind, Content_Encoding=encoding)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def wide_zstd(data: bytes) -> bytes:
    """Asks its reader for a window of 128 MB."""
    options = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.enable_long_distance_matching: 1}
    packer = zstd.ZstdCompressor(options=options)
    return packer.compress(data) + packer.flush()


def _encodings() -> None:
    text = article_html("A packed boat", story("packed boat")).encode()
    damaged = "failed damaged_answer"
    for name, encoding, make, becomes in (
        ("a gzip bomb of 200 MB", "gzip", lambda: zeros(200, "gzip"), "refused too_large"),
        ("a deflate bomb of 200 MB", "deflate", lambda: zeros(200, "zlib"), "refused too_large"),
        ("a raw deflate bomb of 200 MB", "deflate", lambda: zeros(200, "raw"), "refused too_large"),
        ("a brotli bomb of 200 MB", "br", lambda: zeros(200, "br"), "refused too_large"),
        ("a zstd bomb of 200 MB", "zstd", lambda: zeros(200, "zstd"), "refused too_large"),
        ("a gzip bomb in a gzip", "gzip, gzip", lambda: gzip.compress(zeros(200, "gzip")), "refused too_large"),
        ("a brotli bomb in a gzip", "br, gzip", lambda: gzip.compress(zeros(200, "br")), "refused too_large"),
        ("a gzip bomb that its header does not name", "identity", lambda: zeros(200, "gzip"), "refused too_large | refused not_html"),
        ("a bomb of 200 gzip members", "gzip", lambda: zeros(1, "gzip") * 200, "refused too_large"),
        ("a gzip of gzips, ten times", ", ".join(["gzip"] * 10), lambda: _nested(text, 10), f"article | {damaged}"),
        ("gzip that is cut", "gzip", lambda: gzip.compress(text)[:-60], f"article | {damaged}"),
        ("gzip in three members", "gzip", lambda: b"".join(gzip.compress(part) for part in (text[:300], text[300:600], text[600:])), "article"),
        ("gzip with garbage behind it", "gzip", lambda: gzip.compress(text) + b"\0\1garbage", f"article | {damaged}"),
        ("gzip with a wrong checksum", "gzip", lambda: gzip.compress(text)[:-8] + b"\0" * 8, f"article | {damaged}"),
        ("gzip that is none", "gzip", lambda: text, f"article | {damaged}"),
        ("brotli that is none", "br", lambda: text, "article"),
        ("zstd that is none", "zstd", lambda: text, "article"),
        ("deflate that is raw", "deflate", lambda: raw_deflate(text), "article"),
        ("gzip called deflate", "deflate", lambda: gzip.compress(text), "article"),
        ("an encoding that nobody knows", "x-rot13", lambda: text, "article"),
        ("an encoding named 10,000 times", ", ".join(["gzip"] * 1000), lambda: gzip.compress(text), f"article | {damaged}"),
        ("zstd with a window of 128 MB", "zstd", lambda: wide_zstd(text * 40), f"article | refused too_large | {damaged}"),
    ):  # fmt: skip
        made = later(lambda make=make, encoding=encoding: packed(make(), encoding))  # type: ignore[misc]
        bad_page("encodings", name, made, becomes)
    bad_page("encodings", "a gzip bomb in chunks", _chunked_bomb, "refused too_large")
    bad_feed(
        "encodings",
        "a feed that is a bomb",
        lambda site: later(lambda: packed(zeros(200, "gzip"), "gzip")),
        "too_large",
    )
    bad_feed(
        "encodings",
        "a feed that is a bomb in its own bytes",
        lambda site: later(lambda: http(zeros(200, "gzip"))),
        "not_a_feed | too_large",
    )


async def _chunked_bomb(visit: Visit) -> None:
    bomb = await asyncio.to_thread(zeros, 200, "gzip")
    await visit.send(head("Content-Encoding: gzip", "Transfer-Encoding: chunked"))
    for start in range(0, len(bomb), 8192):
        await visit.send(b"%x\r\n%s\r\n" % (len(bomb[start : start + 8192]), bomb[start : start + 8192]))
    await visit.send(b"0\r\n\r\n")


def _nested(data: bytes, times: int) -> bytes:
    for _ in range(times):
        data = gzip.compress(data)
    return data


def _sizes() -> None:
    heavy = "refused too_complex | refused too_long | failed extraction_timeout | failed extraction_memory"

    def filled(filling: Callable[[], str], subject: str = "filled boat") -> Reply:
        return later(lambda: http(html(filling(), subject)))

    async def hundred(visit: Visit) -> None:
        await visit.send(head(f"Content-Length: {100 * MB}"))
        for _ in range(100):
            await visit.send(b"x" * MB)

    bad_page("sizes", "100 MB that say so", hundred, "refused too_large")
    for name, reply, becomes in (
        ("8 MB and a byte", later(lambda: http(b"<p>" + b"x" * (8 * MB - 2))), "refused too_large"),
        ("64,000 paragraphs", filled(lambda: "<p>x</p>" * 64_000), heavy),
        ("20,000 paragraphs", filled(lambda: "<p>The quay was wet.</p>" * 20_000), f"article | {heavy}"),
        ("64,000 paragraphs that stay open", filled(lambda: "<p>x" * 64_000), heavy),
        ("64,000 attributes on a tag", filled(lambda: f"<p {' '.join(f'a{one}=1' for one in range(64_000))}>x</p>"), heavy),
        ("64,000 attributes without values", filled(lambda: f"<p {' '.join(f'a{one}' for one in range(64_000))}"), heavy),
        ("elements 100,000 levels deep", filled(lambda: "<div>" * 100_000), heavy),
        ("tables 5,000 levels deep", filled(lambda: "<table><tr><td>" * 5_000), heavy),
        ("formatting 20,000 levels deep", filled(lambda: "<b><i>x" * 10_000), heavy),
        ("lists 300 levels deep", filled(lambda: "<ul><li>" * 300), f"article | {heavy}"),
        ("one line of 5 MB", filled(lambda: f"<p>{'The quay is wet. ' * 300_000}</p>"), f"article | {heavy}"),
        ("one word of 5 MB", filled(lambda: f"<p>{'x' * 5_000_000}</p>"), f"article | {heavy}"),
        ("5 MB of spaces", filled(lambda: f"<p>{' ' * 5_000_000}</p>"), f"article | {heavy}"),
        ("5 MB of less-than signs", filled(lambda: "<" * 5_000_000), heavy),
        ("5 MB of ampersands", filled(lambda: "&" * 5_000_000), f"article | {heavy}"),
        ("a million references", filled(lambda: "&amp;" * 1_000_000), f"article | {heavy}"),
        ("20,000 links", filled(lambda: "".join(f"<a href='/l/{one}'>A link to a page about {one}</a> " for one in range(20_000))), f"article | {heavy} | refused index"),
        ("20,000 list entries with links", filled(lambda: "<ul>" + "".join(f"<li><a href='/l/{one}'>A link to page {one}</a></li>" for one in range(11_000))), f"article | {heavy} | refused index"),
        ("a text of 7 MB in short lines", later(lambda: http("The quay is wet.\n" * 450_000, kind="text/plain")), heavy),
        ("a text of 7 MB in one line", later(lambda: http("The quay is wet. " * 450_000, kind="text/plain")), f"article | {heavy}"),
        ("a script of 7 MB", filled(lambda: f"<script>{'var a = 1 < 2; ' * 470_000}</script>"), f"article | {heavy}"),
        ("a style of 7 MB", filled(lambda: f"<style>{'a{b:c}' * 1_100_000}</style>"), f"article | {heavy}"),
        ("a picture of 7 MB in an attribute", filled(lambda: f"<img src='data:image/png;base64,{'QUJD' * 1_800_000}'>"), f"article | {heavy}"),
        ("a table of 20,000 cells", filled(lambda: "<table>" + "<tr>" + "<td>wet</td>" * 20_000 + "</table>"), f"article | {heavy}"),
        ("20,000 line breaks", filled(lambda: "<p>" + "wet<br>" * 20_000), f"article | {heavy}"),
        ("20,000 spans in one paragraph", filled(lambda: "<p>" + "<span>wet </span>" * 20_000), f"article | {heavy}"),
        ("2,000 blocks that say Read more", filled(lambda: "<div><p>Read more</p><p>Read also: The wet quay</p></div>" * 2_000), f"article | {heavy}"),
        ("a hidden text of 5 MB", filled(lambda: f"<div style='display:none'>{'wet ' * 1_200_000}</div>"), f"article | {heavy}"),
        ("20,000 bylines", filled(lambda: "<span class='author'>By Ann Lee and Bo Ray</span>" * 20_000), f"article | {heavy}"),
        ("20,000 dates", filled(lambda: "<time datetime='2026-11-03'>3 November 2026</time>" * 20_000), f"article | {heavy}"),
    ):  # fmt: skip
        bad_page("sizes", name, reply, becomes)

    def front(site: Site) -> None:
        links = lambda: "".join(  # noqa: E731
            f"<a href='/2026/11/03/story-{one}'>A headline as long as a headline</a>\n" for one in range(100_000)
        )
        site.replies["/"] = later(lambda: http(f"<html><body>{links()}"))
        site.otherwise = lambda path: http("gone", "410 Gone")
        site.watch(feeds=[f"{site.url}/feed"], discover=["homepage"])

    case("sizes", "a front page with 100,000 links", front)

    def million(site: Site) -> None:
        site.replies["/"] = later(lambda: http("<html><body>" + "<a href=/a>b" * 600_000))
        site.watch(feeds=[f"{site.url}/feed"], discover=["homepage"])

    case("sizes", "a front page of 600,000 equal links", million)


# -------------------------------------------------------------------------------------------------------------- redirects


def to(address: str | bytes, status: str = "302 Found", *more: str) -> bytes:
    where = address if isinstance(address, bytes) else address.encode()
    return head("Content-Length: 0", *more, status=status)[:-2] + b"Location: " + where + b"\r\n\r\n"


PRIVATE_HOSTS = {
    "in dotted figures": lambda site: site.private,
    "by name": lambda site: f"localhost:{site.private_port}",
    "by name, in capitals": lambda site: f"LOCALHOST:{site.private_port}",
    "as one number": lambda site: f"2130706433:{site.private_port}",
    "in octal": lambda site: f"0177.0.0.1:{site.private_port}",
    "in hexadecimal": lambda site: f"0x7f.0.0.1:{site.private_port}",
    "as one hexadecimal number": lambda site: f"0x7f000001:{site.private_port}",
    "shortened": lambda site: f"127.1:{site.private_port}",
    "as zero": lambda site: f"0:{site.private_port}",
    "as 0.0.0.0": lambda site: f"0.0.0.0:{site.private_port}",
    "as IPv6": lambda site: f"[::1]:{site.private_port}",
    "as IPv4 in IPv6": lambda site: f"[::ffff:127.0.0.1]:{site.private_port}",
    "as IPv4 in IPv6, in hexadecimal": lambda site: f"[::ffff:7f00:1]:{site.private_port}",
    "as the IPv6 of nobody": lambda site: f"[::]:{site.private_port}",
    "as IPv4 translated (64:ff9b)": lambda site: f"[64:ff9b::7f00:1]:{site.private_port}",
    "in full-width figures": lambda site: f"１２７.０.０.１:{site.private_port}",
    "with circled figures": lambda site: f"①②⑦.⓪.⓪.①:{site.private_port}",
    "with an ideographic full stop": lambda site: f"127。0。0。1:{site.private_port}",
    "with a final dot": lambda site: f"127.0.0.1.:{site.private_port}",
    "of the cloud's metadata": lambda site: "169.254.169.254",
    "of a home network": lambda site: "192.168.0.1",
    "of an office network": lambda site: "10.0.0.1:8080",
    "that is multicast": lambda site: "224.0.0.1",
    "that is broadcast": lambda site: "255.255.255.255",
    "of a carrier's network": lambda site: "100.64.0.1",
    "that is unique local IPv6": lambda site: "[fd00::1]",
    "that is link-local IPv6": lambda site: "[fe80::1]",
}
"""Ways to write a host that is nobody's business."""

UNUSABLE = "failed private_address | failed host_not_found | failed damaged_answer | refused unusable_redirect | failed connection_failed | failed unusable_redirect"


def _redirects() -> None:
    for words, host in PRIVATE_HOSTS.items():
        bad_page(
            "redirects",
            f"to a private address {words}",
            lambda site, host=host: to(f"http://{host(site)}/latest/"),
            UNUSABLE,
            made=True,
        )  # type: ignore[misc]
    bad_page(
        "redirects",
        "to a private address by TLS",
        lambda site: to(f"https://{site.private}/latest/"),
        UNUSABLE,
        made=True,
    )
    bad_page(
        "redirects",
        "to a private address behind a slash pair",
        lambda site: to(f"//{site.private}/latest/"),
        UNUSABLE,
        made=True,
    )
    bad_page(
        "redirects",
        "to a private address behind a user name",
        lambda site: to(f"http://{site.host}@{site.private}/latest/"),
        UNUSABLE,
        made=True,
    )
    bad_page(
        "redirects",
        "to a private address behind a backslash",
        lambda site: to(f"http://{site.private}\\@{site.host}/"),
        UNUSABLE,
        made=True,
    )

    def hops(site: Site) -> None:
        for number in range(21):
            site.replies[f"/hop/{number}"] = to(f"/hop/{number + 1}")
        site.replies["/hop/21"] = page("far boat")
        site.replies["/feed"] = site.feed(f"{site.url}/hop/0")

    case("redirects", "twenty, one after the other", hops, pages={"/hop/0": "failed redirect_loop"})

    def endless(site: Site) -> None:
        def onward(path: str) -> Reply | None:
            return to(f"/on/{int(path[4:]) + 1}") if path.startswith("/on/") else None

        site.otherwise = onward
        site.replies["/feed"] = site.feed(f"{site.url}/on/1")

    case("redirects", "for ever", endless, pages={"/on/1": "failed redirect_loop"})

    def circle(site: Site) -> None:
        site.replies |= {"/a": to("/b"), "/b": to("/c"), "/c": to("/a"), "/feed": site.feed(f"{site.url}/a")}

    case("redirects", "in a circle", circle, pages={"/a": "failed redirect_loop"})
    odd = f"{UNUSABLE} | failed redirect_loop | refused redirect_to_front_page"
    for name, reply, becomes in (
        ("to itself", to("/bad"), "failed redirect_loop"),
        ("to a file", to("file:///etc/passwd"), f"{odd} | failed http_302"),
        ("to FTP", to("ftp://127.0.0.1/x"), f"{odd} | failed http_302"),
        ("to data", to("data:text/html,<p>x"), f"{odd} | failed http_302"),
        ("to a script", to("javascript:alert(1)"), f"{odd} | failed http_302"),
        ("to gopher", to("gopher://127.0.0.1:70/x"), f"{odd} | failed http_302"),
        ("to nothing", to(""), f"{odd} | failed http_302"),
        ("without Location", head("Content-Length: 0", status="302 Found"), "failed http_302"),
        ("to an address with spaces", to("/not here at all"), "failed http_404"),
        ("to an address in UTF-8", to("/café/ü"), "failed http_404"),
        ("to an address in Latin-1", to(b"/caf\xe9"), f"failed http_404 | {odd}"),
        ("to an address with NUL", to(b"/a\0b"), f"failed http_404 | {odd} | failed connection_lost"),
        ("to half an IPv6 address", to("http://[::1/x"), odd),
        ("to port 99999", to("http://127.77.0.1:99999/x"), odd),
        ("to port 0", to("http://127.77.0.1:0/x"), f"{odd} | failed connection_refused"),
        ("to a host of 300 letters", to(f"http://{'a' * 300}.example/"), odd),
        ("to an address of 1 MB", to("/" + "x" * MB), f"{odd} | failed http_404 | failed connection_lost | refused too_large"),
        ("to an address of 10,000 letters", to("/" + "x" * 10_000), f"{odd} | failed http_404"),
        ("to two places", to("/one", "302 Found", "Location: /two"), "failed http_404"),
        ("300 Multiple Choices", head("Content-Length: 0", status="300 Multiple Choices"), "failed http_300"),
        ("304 that nobody asked for", head(status="304 Not Modified"), "failed http_304"),
        ("305 Use Proxy", to("http://127.0.0.1:9/", "305 Use Proxy"), "failed http_305"),
        ("308 to the front page", to("/", "308 Permanent Redirect"), "failed http_404 | refused redirect_to_front_page"),
        ("by Refresh header", head("Content-Length: 0", "Refresh: 0; url=http://127.0.0.1:9/"), "refused empty"),
        ("to a feed", to("/feed"), "refused not_html"),
    ):  # fmt: skip
        bad_page("redirects", name, reply, becomes)

    def meta(site: Site) -> Reply:
        return http(f"<html><head><meta http-equiv=refresh content='0; url=http://{site.private}/'></head><body>Wait")

    def script(site: Site) -> Reply:
        return http(f"<html><body><script>window.location.href = 'http://{site.private}/';</script></body>")

    bad_page("redirects", "by meta refresh to a private address", meta, "failed private_address", made=True)
    bad_page("redirects", "by a script to a private address", script, "failed private_address", made=True)

    def to_good(site: Site) -> Reply:
        return to(site.good[0])

    bad_page("redirects", "to a good article", to_good, "duplicate redirect", made=True)

    def foreign(site: Site) -> None:
        other = companion(site)
        other.replies["/x"] = page("foreign boat")
        site.replies["/bad"] = to(f"{other.url}/x")
        site.replies["/feed"] = site.feed(f"{site.url}/bad")

    case("redirects", "to another site", foreign)

    for scheme in ("file:///etc/hosts", "http://169.254.169.254/", "javascript:1"):
        bad_feed(
            "redirects",
            f"a feed to {scheme}",
            lambda site, scheme=scheme: to(scheme),
            "private_address | http_302 | damaged_answer | connection_failed | unusable_redirect | redirect_loop",
        )  # type: ignore[misc]
    bad_feed(
        "redirects", "a feed to a private address", lambda site: to(f"http://{site.private}/feed"), "private_address"
    )
    bad_feed("redirects", "a feed to itself", lambda site: to("/bad-feed"), "redirect_loop")


# ------------------------------------------------------------------------------------------------ charset, HTML, claims


def _charsets() -> None:
    plain = article_html(
        "A boat at café Zoë", story("café boat") + "\n\nIt was “late” for a naïve crew, said Ms Čapková."
    )
    western = article_html("A boat at café Zoë", story("western boat") + "\n\nIt was “late” for a naïve crew.")
    japanese = article_html("港の船", ("港に古い船が着いた。船長は静かに手を振った。波は高く、空は暗かった。" * 12))
    chinese = article_html("港口的船", ("一艘旧船到达了港口。船长静静地挥手。浪很高，天很黑。" * 12))
    unmarked = lambda text: text.replace('<meta charset="utf-8">', "")  # noqa: E731
    says = lambda text, name: text.replace('charset="utf-8"', f'charset="{name}"')  # noqa: E731

    def served(data: bytes, charset: str | None = None) -> Sound:
        return http(data, kind=f"text/html; charset={charset}" if charset else "text/html")

    any_text = "article | refused not_html | refused no_text | refused too_short | duplicate text | duplicate near"
    for name, reply, becomes in (
        ("UTF-8 called Latin-1 in the header", served(plain.encode(), "iso-8859-1"), "article"),
        ("UTF-8 called UTF-16 in the page", served(says(plain, "utf-16").encode()), "article"),
        ("windows-1252 called UTF-8", served(western.encode("cp1252"), "utf-8"), "article"),
        ("windows-1252 called Latin-1", served(unmarked(western).encode("cp1252"), "iso-8859-1"), "article"),
        ("windows-1252 that says nothing", served(unmarked(western).encode("cp1252")), "article"),
        ("UTF-16 without a mark", served(unmarked(plain).encode("utf-16-le")), "article"),
        ("UTF-16 with a mark, called UTF-8", served(b"\xff\xfe" + plain.encode("utf-16-le"), "utf-8"), "article"),
        ("the mark of UTF-16 before UTF-8", served(b"\xff\xfe" + plain.encode(), "utf-8"), any_text),
        ("the mark of UTF-8 before windows-1252", served(b"\xef\xbb\xbf" + western.encode("cp1252")), any_text),
        ("UTF-32", served(plain.encode("utf-32")), "article"),
        ("UTF-7", served(unmarked(plain).encode("utf-7"), "utf-7"), any_text),
        ("a charset that nobody knows", served(says(plain, "x-boat").encode("cp1252", "replace"), "x-boat"), any_text),
        ("a charset of 100,000 letters", served(plain.encode(), "x" * 100_000), "article | failed connection_lost | failed connection_failed"),
        ("a charset that is a Python codec", served(unmarked(plain).encode(), "zlib_codec"), "article"),
        ("the charset idna", served(unmarked(western).encode("cp1252"), "idna"), any_text),
        ("the charset unicode_escape", served(unmarked(western).encode("cp1252"), "unicode_escape"), any_text),
        ("Shift_JIS", served(says(japanese, "shift_jis").encode("shift_jis")), "article"),
        ("EUC-JP that says nothing", served(unmarked(japanese).encode("euc_jp")), "article"),
        ("ISO-2022-JP", served(says(japanese, "iso-2022-jp").encode("iso2022_jp")), "article"),
        ("ISO-2022-JP that is cut in an escape", served(says(japanese, "iso-2022-jp").encode("iso2022_jp")[:-40] + b"\x1b$"), any_text),
        ("GB18030", served(says(chinese, "gb18030").encode("gb18030")), "article | duplicate near | duplicate text"),
        ("Big5 called GBK", served(says(chinese.replace("浪很高", ""), "gbk").encode("big5", "ignore")), any_text),
        ("lone surrogates", http(html("<p>\ud800 and \udfff &#xD800; &#xDFFF;</p>", "surrogate boat")), "article"),
        ("NUL in the text", http(html("<p>a\0b\0c &#0; &#x0;</p>", "null boat")), "article"),
        ("control characters", http(html("".join(map(chr, range(1, 32))) + "".join(f"&#{one};" for one in range(1, 32)), "control boat")), "article"),
        ("direction overrides", http(html("<p>\u202eThe end\u202d \u2066of\u2069 it\u200f</p>", "bidi boat", title="\u202eA bad part\u202c")), "article"),
        ("a thousand combining marks", http(html("<p>Z" + "\u0335" * 1000 + "</p>", "marked boat")), "article"),
        ("private and unassigned characters", http(html("<p>\ue000 \U000f0000 \ufdd0 \uffff \U0010ffff</p>", "private boat")), "article"),
        ("overlong UTF-8", http(html("<p>overlong</p>", "overlong boat").encode().replace(b"overlong</p>", b"\xc0\xaf\xe0\x80\xaf\xf8\x88\x80\x80\x80</p>")), any_text),
        ("every byte there is", http(html("<p>bytes</p>", "byte boat").encode().replace(b"bytes</p>", bytes(range(256)) * 4 + b"</p>")), any_text),
        ("random bytes called HTML", later(lambda: http(random.Random(7).randbytes(400_000))), f"{any_text} | refused too_complex"),
        ("random bytes called UTF-16", later(lambda: http(b"\xff\xfe" + random.Random(8).randbytes(400_000))), f"{any_text} | refused too_complex"),
        ("a picture called HTML", http(b"\x89PNG\r\n\x1a\n" + b"\0" * 5000), "refused not_html"),
        ("HTML called a picture", http(plain, kind="image/png"), "article"),
        ("HTML called nothing at all", Sound(head(f"Content-Length: {len(plain.encode())}").replace(b"Content-Type: text/html\r\n", b"") + plain.encode()), "article"),
        ("HTML called x/y; z", http(plain, kind="x/y; z"), "article | duplicate text"),
        ("JSON called HTML", http(json.dumps({"a": [story("json boat")] * 9})), "refused not_html"),
    ):  # fmt: skip
        bad_page("charset", name, reply, becomes)


def _html() -> None:
    ld = lambda value: (  # noqa: E731
        f'<script type="application/ld+json">{value if isinstance(value, str) else json.dumps(value)}</script>'
    )
    news = {"@type": "NewsArticle", "headline": "A bad part of the harbour", "datePublished": "2026-11-03T08:15:00Z"}
    heavy = "refused too_complex | refused too_long | failed extraction_timeout | failed extraction_memory"
    both = f"article | {heavy}"
    for name, make, becomes in (
        ("nothing is closed", lambda: f"<html><body><h1>A bad part<p>{story('open boat').replace(chr(10), '<p>')}<div><b><table><tr>", "article"),
        ("a comment that is never closed", lambda: html("<!-- and so on", "commented boat"), both),
        ("a million comments", lambda: html("<!---->" * 1_000_000, "commented boats"), both),
        ("CDATA that is never closed", lambda: html("<![CDATA[ and so on", "cdata boat"), both),
        ("a script that is never closed", lambda: html("<script>if (a < b) {", "scripted boat"), both),
        ("a text area that is never closed", lambda: html("<textarea>", "textual boat"), both),
        ("a title that is never closed", lambda: "<title>" + html("", "untitled boat"), f"{both} | refused no_text | refused too_short | refused empty"),
        ("plaintext", lambda: html("<plaintext>", "plain boat"), both),
        ("SVG and MathML", lambda: html("<svg><desc><p>x</desc><math><mi><svg></svg></mi><annotation-xml encoding='text/html'><p>x</annotation-xml></math></svg>", "drawn boat"), both),
        ("templates in templates", lambda: html("<template>" * 2_000, "cut boat"), both),
        ("framesets", lambda: "<frameset><frame src=/a>" * 500, "refused no_text | refused empty | refused too_short | refused index | refused too_complex"),
        ("bodies in bodies", lambda: html("<body><html><head><title>Other</title></head>" * 500, "bodily boat"), both),
        ("control references in a title", lambda: html("", "referred boat", title="A &#1;bad&#0; &#x1F; part&#127;"), "article"),
        ("a title of 3 MB", lambda: html("", "titled boat", title="A bad part " * 300_000), both),
        ("a title of 100,000 letters", lambda: html("", "lettered boat", title="A bad part " * 9_000), both),
        ("a title with a script", lambda: html("", "marked-up boat", title="<script>alert(1)</script><img src=x onerror=alert(2)>"), both),
        ("a title of markup in references", lambda: html("", "escaped boat", title="&lt;script&gt;alert(1)&lt;/script&gt; of the harbour"), "article"),
        ("og tags of 2 MB each", lambda: html("", "tagged boat", "".join(f'<meta property="{name}" content="{"x y " * 500_000}">' for name in ("og:title", "og:description", "og:site_name"))), both),
        ("20,000 og tags", lambda: html("", "tagged boats", "".join(f'<meta property="og:tag{one}" content="x">' for one in range(20_000))), both),
        ("5,000 authors", lambda: html("", "written boat", ld(news | {"author": [{"name": f"Ann Lee{chr(97 + one % 26)}{chr(97 + one // 26 % 26)}{chr(97 + one // 676)}"} for one in range(5_000)]})), both),
        ("an author of 2 MB", lambda: html("", "authored boat", f'<meta name="author" content="{"Ann Lee and " * 180_000}">'), both),
        ("50,000 keywords", lambda: html("", "keyed boat", f'<meta name="keywords" content="{", ".join(f"word{one}" for one in range(50_000))}">'), both),
        ("a section of 1 MB", lambda: html("", "sectioned boat", f'<meta property="article:section" content="{"s" * MB}">'), both),
        ("a site name of 1 MB", lambda: html("", "named boat", f'<meta property="og:site_name" content="{"s" * MB}">'), both),
        ("a picture's address of 1 MB", lambda: html("", "pictured boat", f'<meta property="og:image" content="/{"s" * MB}">'), both),
        ("a language of 1 MB", lambda: html("", "spoken boat").replace('lang="en"', f'lang="{"e" * MB}"'), both),
        ("JSON-LD 100,000 levels deep", lambda: html("", "deep boat", ld("[" * 100_000)), both),
        ("JSON-LD 100,000 objects deep", lambda: html("", "deeper boat", ld('{"a":' * 100_000)), both),
        ("JSON-LD 900 levels deep", lambda: html("", "nested boat", ld('{"a":' * 900 + "1" + "}" * 900)), both),
        ("JSON-LD with 200,000 nodes", lambda: html("", "wide boat", ld({"@graph": [{"@type": "Thing"}] * 200_000})), both),
        ("JSON-LD that is not JSON", lambda: html("", "broken boat", ld("{'a': undefined, NaN}")), "article"),
        ("JSON-LD with NaN", lambda: html("", "infinite boat", ld('{"@type": "NewsArticle", "headline": NaN, "datePublished": Infinity, "author": -Infinity}')), "article"),
        ("JSON-LD that is a number", lambda: html("", "counted boat", ld("12") + ld("null") + ld('"x"') + ld("[]") + ld("[[[]]]")), "article"),
        ("JSON-LD with a number of 100,000 digits", lambda: html("", "numbered boat", ld('{"@type": "NewsArticle", "headline": "A bad part of it", "datePublished": ' + "9" * 100_000 + "}")), "article"),
        ("JSON-LD of 7 MB", lambda: html("", "long boat", ld(news | {"articleBody": "wet " * 1_800_000})), both),
        ("JSON-LD with wrong types", lambda: html("", "typed boat", ld({"@type": ["NewsArticle", 1, None, {}], "headline": {"a": 1}, "datePublished": [1], "author": [[["x"]], None, 1, {"name": {"name": []}}], "image": [{}], "publisher": [], "keywords": {"a": 1}, "inLanguage": {"name": 1}, "mainEntityOfPage": [[]], "isAccessibleForFree": {}, "articleSection": [1]})), "article"),
        ("JSON-LD with @id everywhere", lambda: html("", "circular boat", ld({"@type": "NewsArticle", "@id": "#a", "headline": "A bad part of the circle", "author": {"@id": "#b"}, "publisher": {"@id": "#a"}}) + ld({"@id": "#b", "name": {"@id": "#b"}})), "article"),
        ("500 scripts of JSON-LD", lambda: html("", "scripted boats", ld(news) * 500), both),
        ("JSON-LD of 3 MB spaces before a comma", lambda: html("", "spaced boat", ld('{"a": 1,' + " " * 3_000_000 + "x}")), both),
        ("a date in the year 0", lambda: html("", "ancient boat").replace("2026-11-03T08:15:00Z", "0000-00-00T00:00:00Z"), "article"),
        ("a date in the year 99999", lambda: html("", "future boat").replace("2026-11-03T08:15:00Z", "99999-12-31T23:59:59Z"), "article"),
        ("the last second there is", lambda: html("", "last boat").replace("2026-11-03T08:15:00Z", "9999-12-31T23:59:59-14:00"), "article"),
        ("the first second there is", lambda: html("", "first boat").replace("2026-11-03T08:15:00Z", "0001-01-01T00:00:00+14:00"), "article"),
        ("a date with an offset of 99 hours", lambda: html("", "offset boat").replace("2026-11-03T08:15:00Z", "2026-11-03T08:15:00+99:99"), "article"),
        ("a date of 1 MB", lambda: html("", "dated boat").replace("2026-11-03T08:15:00Z", "2026-11-03 " * 90_000), both),
        ("a date of 4,000 digits", lambda: html("", "epoch boat").replace("2026-11-03T08:15:00Z", "1" * 4_000), "article"),
        ("a date in other figures", lambda: html("", "arabic boat").replace("2026-11-03T08:15:00Z", "٢٠٢٦-١١-٠٣T٠٨:١٥:٠٠Z"), "article"),
        ("a time zone of hostile name", lambda: html("", "zoned boat").replace("2026-11-03T08:15:00Z", "Tue, 03 Nov 2026 08:15:00 ../../etc/passwd"), "article"),
        ("SQL in every field", lambda: html("", "injected boat", "<meta name=author content=\"Bo Ray'); drop table articles; --\">", title="'; drop table pages; --"), "article"),
        ("a base that leads elsewhere", lambda: html("<a href='x'>y</a>", "based boat", "<base href='javascript:alert(1)//'>"), "article"),
        ("a canonical link that is a script", lambda: html("", "canonical boat", "<link rel=canonical href='javascript:alert(1)'>"), "article"),
        ("a canonical link with a password", lambda: html("", "secret boat", "<link rel=canonical href='http://a:b@127.77.0.1/x'>"), "article"),
        ("a canonical link to half an address", lambda: html("", "half boat", "<link rel=canonical href='http://[::1'>"), "article"),
        ("a canonical link of 1 MB", lambda: html("", "linked boat", f"<link rel=canonical href='/{'x' * MB}'>"), both),
        ("a canonical link to another site", lambda: html("", "exported boat", "<link rel=canonical href='https://www.example.com/x'>"), "article"),
        ("a canonical link to the front page", lambda: html("", "frontal boat", "<link rel=canonical href='/'>"), "article"),
        ("20,000 canonical links", lambda: html("", "linked boats", "".join(f"<link rel=canonical href='/c/{one}'>" for one in range(20_000))), both),
        ("a class of 3 MB", lambda: html(f"<p class='{'lead ' * 600_000}'>x</p>", "classy boat"), both),
        ("an address of 1 MB in a link", lambda: html(f"<a href='/{'x' * MB}'>x</a>", "addressed boat"), both),
        ("20,000 quotation marks", lambda: html("<p " + "\"'" * 20_000 + ">", "quoted boat"), both),
        ("5 MB of equals signs in a tag", lambda: html("<p " + "=" * 5_000_000 + ">", "equal boat"), both),
        ("a tag of 5 MB", lambda: html("<" + "p" * 5_000_000 + ">", "tall boat"), both),
        ("20,000 headings", lambda: html("<h1>A bad part</h1>" * 20_000, "headed boat"), both),
        ("a heading of 5 MB", lambda: html(f"<h1>{'A bad part ' * 450_000}</h1>", "headlong boat"), both),
        ("a million vertical bars in a title", lambda: html("", "barred boat", title="A | " * 250_000), both),
        ("100,000 full stops", lambda: html(f"<p>{'. ' * 100_000}</p>", "dotted boat"), both),
        ("a name of 100,000 words", lambda: html(f"<p>By {'Ann ' * 100_000}</p><p class=byline>By {'Bo, ' * 50_000}</p>", "wordy boat"), both),
        ("figures without an end", lambda: html(f"<p>{'1/' * 400_000}</p><p>{'1' * 400_000}</p>", "figured boat"), both),
        ("20,000 articles in a page", lambda: html("<article><p>Wet.</p></article>" * 11_000, "many boats"), both),
        ("tables of layout", lambda: html("<table><tr><td>" * 60 + story("laid boat") * 3, "tabled boat"), both),
        ("5,000 tweets", lambda: html("<blockquote class='twitter-tweet'>x</blockquote>" * 5_000, "tweeted boat"), both),
        ("XHTML with a thousand namespaces", lambda: '<?xml version="1.0"?>' + html("", "named boats").replace("<html", "<html " + " ".join(f'xmlns:n{one}="http://n/{one}"' for one in range(900))), both),
        ("a page of entities", lambda: '<!DOCTYPE html [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>' + html("<p>&b;&c;</p>", "entire boat"), "article"),
    ):  # fmt: skip
        bad_page("html", name, later(lambda make=make: http(make())), becomes)  # type: ignore[misc]

    def claims(site: Site) -> Reply:
        return http(html("", "claiming boat", f'<link rel="canonical" href="{site.good[-1]}">'))

    bad_page(
        "html",
        "a canonical link to a good article",
        claims,
        "article | duplicate canonical | duplicate near | duplicate text",
        made=True,
    )

    def claims_by_data(site: Site) -> Reply:
        return http(
            html(
                "",
                "pretending boat",
                ld(news | {"url": site.good[-1], "mainEntityOfPage": site.good[-1]})
                + f'<meta property="og:url" content="{site.good[-1]}">',
            )
        )

    bad_page(
        "html", "data that claim a good article's address", claims_by_data, "article | duplicate canonical", made=True
    )


# ------------------------------------------------------------------------------------------- feeds, sitemaps, robots.txt


def xml_feed(inside: str, *, top: str = '<?xml version="1.0"?>', root: str = '<rss version="2.0">') -> Sound:
    return http(f"{top}{root}<channel><title>News</title>{inside}</channel></rss>", kind="application/rss+xml")


def attributes(tag: str, number: int) -> str:
    """A tag with that many attributes in the place of its braces."""
    return tag.format(" ".join(f'a{one}="1"' for one in range(number)))


def _items(site: Site) -> str:
    return "".join(f"<item><title>Item</title><link>{url}</link></item>" for url in site.good)


def _feeds() -> None:
    bomb = "".join(f'<!ENTITY l{one} "{f"&l{one - 1};" * 10}">' for one in range(1, 10))
    item = "<item><title>Item</title><link>{}</link></item>".format
    for name, reply in (
        ("nothing in it is closed", lambda site: head() + b"<?xml version='1.0'?><rss version='2.0'><channel><title>News</title>" + "".join(f"<item><title>x<link>{url}</link>" for url in site.good).encode()),
        ("ampersands that stand alone", lambda site: xml_feed("<item><title>Fish & chips &&& &nbsp; &bogus;</title><link>http://127.77.0.1:9/?a=1&b=2&&</link></item>" + _items(site))),
        ("an external entity", lambda site: xml_feed(item("&x;") + _items(site), top='<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]>')),
        ("an external entity of a private address", lambda site: xml_feed(item("&x;") + _items(site), top=f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "http://{site.private}/x"><!ENTITY % y SYSTEM "http://{site.private}/y">%y;]>')),
        ("an external document type", lambda site: xml_feed(_items(site), top=f'<?xml version="1.0"?><!DOCTYPE rss SYSTEM "http://{site.private}/rss.dtd">')),
        ("a style sheet at a private address", lambda site: xml_feed(_items(site), top=f'<?xml version="1.0"?><?xml-stylesheet href="http://{site.private}/x.xsl"?>')),
        ("an XInclude", lambda site: xml_feed(f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="http://{site.private}/x"/>' + _items(site))),
        ("a billion laughs", lambda site: xml_feed(f"<item><title>&l9;</title></item>{_items(site)}", top=f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "ha">{bomb}]>')),
        ("a quadratic blow-up", lambda site: xml_feed(f"<item><title>{'&q;' * 50_000}</title></item>{_items(site)}", top=f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY q "{"q" * 50_000}">]>')),
        ("100,000 entities", lambda site: xml_feed(_items(site), top='<?xml version="1.0"?><!DOCTYPE rss [' + "".join(f'<!ENTITY e{one} "x">' for one in range(100_000)) + "]>")),
        ("UTF-8 called UTF-16", lambda site: xml_feed(_items(site), top='<?xml version="1.0" encoding="utf-16"?>')),
        ("windows-1252 called UTF-8", lambda site: http(xml_feed("<item><title>Caf\xe9 \x93x\x94</title></item>" + _items(site), top='<?xml version="1.0" encoding="utf-8"?>').data.partition(b"\r\n\r\n")[2].decode().encode("latin-1"), kind="application/rss+xml; charset=utf-8")),
        ("an encoding that nobody knows", lambda site: xml_feed(_items(site), top='<?xml version="1.0" encoding="x-boat"?>')),
        ("an encoding that is a Python codec", lambda site: xml_feed(_items(site), top='<?xml version="1.0" encoding="zlib_codec"?>')),
        ("UTF-16 with a mark", lambda site: http(xml_feed(_items(site), top='<?xml version="1.0" encoding="utf-16"?>').data.partition(b"\r\n\r\n")[2].decode().encode("utf-16"), kind="text/xml")),
        ("control characters", lambda site: xml_feed("<item><title>a\1\2\x0b\x1f&#1;&#0;</title></item>" + _items(site))),
        ("NUL", lambda site: xml_feed("<item><title>a\0b</title></item>" + _items(site))),
        ("spaces before the declaration", lambda site: xml_feed(_items(site), top='\n\n   <?xml version="1.0"?>')),
        ("a warning of PHP before the declaration", lambda site: xml_feed(_items(site), top='<br />\n<b>Warning</b>: Cannot modify header information\n<?xml version="1.0"?>')),
        ("HTML before and after", lambda site: http(xml_feed(_items(site)).data.partition(b"\r\n\r\n")[2] + b"<script>1 < 2</script></html>", kind="text/html")),
        ("a feed called octet-stream", lambda site: http(xml_feed(_items(site)).data.partition(b"\r\n\r\n")[2], kind="application/octet-stream")),
        ("packed twice", lambda site: http(gzip.compress(xml_feed(_items(site)).data.partition(b"\r\n\r\n")[2]), kind="application/gzip")),
        ("no prefix is declared", lambda site: xml_feed("<item><media:content url='x'/><dc:creator>Ann Lee</dc:creator></item>" + _items(site))),
        ("items without link", lambda site: xml_feed("<item><title>x</title></item>" * 100 + _items(site))),
        ("links to what is no web", lambda site: xml_feed("".join(map(item, ("javascript:alert(1)", "file:///etc/passwd", "ftp://a/b", "data:,x", "mailto:a@b", "tel:1", "about:blank", "http:", "http://", "https://[", "http://[::1", "http://a b/", "http://\0/", "http://:80/", "http://a:b@c/", "//", "?", "#", "http://127.77.0.1:99999/", "http://127.77.0.1:x/", "\u202ehttp://x/", "http://" + "a" * 300 + "/", "http://xn--/", "http://xn--a-ecp.example:1/", "http://\u00ad/", "http://.../"))) + _items(site))),
        ("links to private addresses", lambda site: xml_feed("".join(item(f"http://{host(site)}/latest/{number}") for number, host in enumerate(PRIVATE_HOSTS.values())) + _items(site))),
        ("one link, a thousand times", lambda site: xml_feed("".join(item(f"{site.good[0]}?utm_source={one}#{one}") for one in range(1000)) + _items(site))),
        ("one identity for all", lambda site: xml_feed("".join(f"<item><guid>1</guid><title>Item</title><link>{url}</link></item>" for url in site.good))),
        ("dates in the future", lambda site: xml_feed("".join(f"<item><title>Item</title><link>{url}</link><pubDate>Tue, 03 Nov 9999 08:15:00 -9900</pubDate></item>" for url in site.good))),
        ("dates of 10,000 letters", lambda site: xml_feed("".join(f"<item><title>Item</title><link>{url}</link><pubDate>{'1' * 5_000} {'May ' * 2_000}</pubDate></item>" for url in site.good))),
        ("titles of 1 MB", lambda site: xml_feed("".join(f"<item><title>{'Wet ' * 250_000}</title><link>{url}</link><author>{'Ann, ' * 50_000}</author></item>" for url in site.good))),
        ("5,000 authors", lambda site: xml_feed("".join(f"<item><title>Item</title><link>{url}</link>{'<dc:creator>Ann Lee</dc:creator>' * 5_000}</item>" for url in site.good), root='<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">')),
        ("titles of markup", lambda site: xml_feed("".join(f"<item><title>&lt;script&gt;alert(1)&lt;/script&gt;</title><description>{'&lt;div&gt;' * 20_000}</description><link>{url}</link></item>" for url in site.good))),
        ("a description of 200,000 open tags", lambda site: xml_feed(f"<item><description>{'&lt;p&gt;x' * 200_000}</description><link>{site.good[0]}</link></item>{_items(site)}")),
        ("elements 50,000 levels deep behind the items", lambda site: xml_feed(_items(site) + "<a>" * 50_000)),
        ("elements 5,000 levels deep before the items", lambda site: xml_feed("<a>" * 5_000 + "</a>" * 5_000 + _items(site))),
        ("64,000 attributes", lambda site: xml_feed(attributes("<item {}>", 64_000) + "<title>x</title></item>" + _items(site))),
        ("20,000 declarations of namespaces", lambda site: xml_feed(_items(site), root='<rss version="2.0" ' + " ".join(f'xmlns:n{one}="http://n/{one}"' for one in range(20_000)) + ">")),
        ("an update period of for ever", lambda site: xml_feed(f"<ttl>{'9' * 300}</ttl><sy:updatePeriod>yearly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>" + _items(site))),
        ("a CDATA section that is never closed, behind the items", lambda site: xml_feed(_items(site) + "<item><title><![CDATA[ and so on")),
        ("cut in the middle of a tag", lambda site: head() + b"<?xml version='1.0'?><rss version='2.0'><channel><title>News</title>" + (_items(site) + "<item><title>x</ti").encode()),
        ("itself among its items", lambda site: xml_feed(item(f"{site.url}/feed") + item(f"{site.url}/") + _items(site))),
        ("ETag of 10,000 letters", lambda site: http(xml_feed(_items(site)).data.partition(b"\r\n\r\n")[2], kind="text/xml", ETag='"' + "e" * 10_000 + '"')),
        ("Last-Modified in Latin-1", lambda site: http(xml_feed(_items(site)).data.partition(b"\r\n\r\n")[2], kind="text/xml", Last_Modified="gestern, \xfc", ETag="W/\xff")),
        ("Cache-Control of nonsense", lambda site: http(xml_feed(_items(site)).data.partition(b"\r\n\r\n")[2], kind="text/xml", Cache_Control="max-age=" + "9" * 5_000, Age="-1", Retry_After="never")),
    ):  # fmt: skip
        own_feed("feeds", name, lambda site, reply=reply: later(lambda: reply(site)))  # type: ignore[misc]
    atom = '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"{}>{}</feed>'.format
    entries = lambda site: "".join(f'<entry><title>Item</title><link href="{url}"/></entry>' for url in site.good)  # noqa: E731
    own_feed(
        "feeds",
        "Atom with a base that leads elsewhere",
        lambda site: http(atom(' xml:base="javascript:alert(1)//"', entries(site)), kind="application/atom+xml"),
    )
    own_feed(
        "feeds",
        "Atom with a base at a private address",
        lambda site: http(
            atom(f' xml:base="http://{site.private}/"', "<entry><link href='a'/></entry>" + entries(site)),
            kind="application/atom+xml",
        ),
    )
    own_feed(
        "feeds",
        "Atom of 200,000 links in an entry",
        lambda site: later(
            lambda: http(atom("", f"<entry>{'<link rel=x href=y/>' * 100_000}</entry>" + entries(site)))
        ),
    )
    own_feed(
        "feeds",
        "JSON Feed of nulls",
        lambda site: http(
            json.dumps(
                {
                    "version": "https://jsonfeed.org/version/1.1",
                    "items": [
                        None,
                        1,
                        [],
                        {},
                        {"url": None},
                        {"url": 1, "authors": None},
                        {"url": [], "authors": [1, {"name": {}}]},
                        *(
                            {
                                "id": one,
                                "url": url,
                                "title": None,
                                "authors": {"name": 1},
                                "date_published": 12,
                                "image": {},
                                "language": [],
                            }
                            for one, url in enumerate(site.good)
                        ),
                    ],
                }
            )
        ),
    )
    own_feed(
        "feeds",
        "JSON Feed with lone surrogates",
        lambda site: http(
            '{"version": "https://jsonfeed.org/version/1", "items": ['
            + ", ".join(f'{{"url": "{url}", "title": "\\ud800\\u0000 x"}}' for url in site.good)
            + "]}"
        ),
    )
    own_feed(
        "feeds",
        "JSON Feed with NaN",
        lambda site: http(
            '{"version": "https://jsonfeed.org/version/1", "x": NaN, "items": ['
            + ", ".join(f'{{"url": "{url}", "id": -Infinity}}' for url in site.good)
            + "]}"
        ),
    )
    for name, make, becomes in (
        ("JSON 200,000 levels deep", lambda: http("[" * 200_000), "not_a_feed"),
        ("JSON Feed 200,000 levels deep", lambda: http('{"a":' * 200_000), "not_a_feed"),
        ("JSON that is a list", lambda: http("[1, 2]"), "not_a_feed"),
        ("JSON with a number of a million digits", lambda: http('{"version": ' + "1" * 1_000_000 + "}"), "not_a_feed"),
        ("HTML instead of a feed", lambda: http("<html><body><p>Not here"), "not_a_feed"),
        ("nothing", lambda: http(), "not_a_feed"),
        ("a picture", lambda: http(b"\x89PNG\r\n\x1a\n" + bytes(9999)), "not_a_feed"),
        ("random bytes", lambda: http(random.Random(3).randbytes(100_000)), "not_a_feed"),
        ("an RSS tag and 7 MB of nothing", lambda: http("<rss>" + " " * 7 * MB), "ok | not_a_feed | too_complex"),
        ("an RSS tag and 7 MB of less-than signs", lambda: http("<rss>" + "<" * 7 * MB), "ok | not_a_feed | too_complex | reading_timeout"),
        ("300,000 levels", lambda: http("<rss>" + "<a>" * 300_000), "ok | not_a_feed | too_complex | reading_timeout"),
        ("one tag of 7 MB", lambda: http("<rss><" + "a" * 7 * MB), "ok | not_a_feed | too_complex | reading_timeout"),
        ("one attribute of 7 MB", lambda: http("<rss a='" + "b" * 7 * MB), "ok | not_a_feed | too_complex | reading_timeout"),
        ("7 MB of ampersands", lambda: http("<rss><channel><item><title>" + "&" * 7 * MB), "ok | not_a_feed | too_complex | reading_timeout"),
        ("7 MB of open comments", lambda: http("<rss><channel>" + "<!--" * 1_700_000), "ok | not_a_feed | too_complex | reading_timeout"),
        ("7 MB of open CDATA sections", lambda: http("<rss><channel>" + "<![CDATA[" * 800_000), "ok | not_a_feed | too_complex | reading_timeout"),
        ("an Atom feed of 7 MB of XHTML", lambda: http(atom("", "<entry><content type='xhtml'><div>" + "<p>x" * 1_700_000)), "ok | not_a_feed | too_complex | reading_timeout"),
        ("7 MB of base64", lambda: http(atom("", "<entry><content type='image/png'>" + base64.b64encode(bytes(5 * MB)).decode())), "ok | not_a_feed"),
        ("401", lambda: http("who are you", "401 Unauthorized", WWW_Authenticate="Basic realm=x"), "http_401"),
    ):  # fmt: skip
        bad_feed("feeds", name, lambda site, make=make: later(make), becomes)  # type: ignore[misc]

    def long_feed(site: Site) -> None:
        site.replies["/feed"] = later(
            lambda: xml_feed(_items(site) + "".join(item(f"{site.url}/n/{one}") for one in range(100_000)))
        )
        site.otherwise = lambda path: http("gone", "410 Gone") if path.startswith("/n/") else None

    case("feeds", "100,000 entries", long_feed, feeds={"/feed": "ok"}, heavy=True)

    def endless_feed(site: Site) -> None:
        async def grow(visit: Visit) -> None:
            await visit.send(head() + b"<?xml version='1.0'?><rss><channel>")
            while True:
                await visit.send(item(f"{site.url}/n/{visit.path}").encode() * 100)

        site.replies["/bad-feed"] = grow
        site.watch(feeds=[f"{site.url}/bad-feed", f"{site.url}/feed"])

    case("feeds", "a feed that never ends", endless_feed, feeds={"/bad-feed": "too_large"})


def sitemap(*urls: str, index: bool = False) -> str:
    root, entry = ("sitemapindex", "sitemap") if index else ("urlset", "url")
    inside = "".join(f"<{entry}><loc>{url}</loc></{entry}>" for url in urls)
    return f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{inside}</{root}>'


def _sitemaps() -> None:
    xml = lambda text: http(text, kind="text/xml")  # noqa: E731
    for name, reply, becomes in (
        ("an index that names itself", lambda site: xml(sitemap(f"{site.url}/bad.xml", index=True)), "ok"),
        ("an index of 50,000 sitemaps", lambda site: later(lambda: xml(sitemap(*(f"{site.url}/s/{one}.xml" for one in range(50_000)), index=True))), "ok"),
        ("an index of private addresses", lambda site: xml(sitemap(*(f"http://{host(site)}/s.xml" for host in PRIVATE_HOSTS.values()), index=True)), "ok"),
        ("private addresses", lambda site: xml(sitemap(*(f"http://{host(site)}/x" for host in PRIVATE_HOSTS.values()))), "ok"),
        ("other people's hosts", lambda site: xml(sitemap(*(f"https://host{one}.example/x" for one in range(2_000)))), "ok"),
        ("a bomb in gzip", lambda site: later(lambda: http(zeros(200, "gzip"), kind="application/gzip")), "not_a_sitemap | too_large"),
        ("a sitemap in a bomb", lambda site: later(lambda: http(gzip.compress(sitemap().encode() + bytes(200 * MB)), kind="application/gzip")), "ok | not_a_sitemap | too_large | reading_memory | reading_timeout"),
        ("half a gzip", lambda site: http(gzip.compress(sitemap(*(f"{site.good[0]}?{one}" for one in range(50))).encode())[:-50], kind="application/gzip"), "ok"),
        ("half an address", lambda site: xml(sitemap(site.good[0], site.good[-1]).rpartition("/")[0].rpartition("/")[0].rpartition("/")[0].rpartition("/")[0]), "ok"),
        ("a billion laughs", lambda site: xml('<!DOCTYPE u [<!ENTITY a "aaaaaaaaaa">' + "".join(f'<!ENTITY a{one} "{"&a;" * 10}">' for one in range(9)) + "]>" + sitemap("&a8;")), "ok | not_a_sitemap"),
        ("an external entity", lambda site: xml(f'<!DOCTYPE u [<!ENTITY a SYSTEM "http://{site.private}/x">]>' + sitemap("&a;", site.good[0])), "ok"),
        ("300,000 levels", lambda site: later(lambda: xml("<urlset>" + "<url>" * 300_000)), "ok | not_a_sitemap | too_complex"),
        ("64,000 attributes", lambda site: later(lambda: xml("<urlset " + " ".join(f'a{one}="x"' for one in range(64_000)) + "></urlset>")), "ok | not_a_sitemap | too_complex | reading_timeout"),
        ("dates of nonsense", lambda site: xml(sitemap(*site.good).replace("</loc>", f"</loc><lastmod>{'9' * 4000}</lastmod>")), "ok"),
        ("7 MB of white space", lambda site: later(lambda: xml("<urlset>" + "\n" * 7 * MB + "</urlset>")), "ok | not_a_sitemap"),
        ("7 MB of half a tag", lambda site: later(lambda: xml("<urlset><url><loc>" + "<loc" * 1_800_000)), "ok | not_a_sitemap | too_complex | reading_timeout"),
        ("7 MB of addresses as text", lambda site: later(lambda: http("\n".join(f"{site.url}/t/{one}" for one in range(230_000)), kind="text/plain")), "ok"),
        ("HTML", lambda site: http("<html><p>Not here"), "not_a_sitemap"),
    ):  # fmt: skip
        bad_sitemap("sitemaps", name, reply, becomes)

    def chain(site: Site) -> None:
        def onward(path: str) -> Reply | None:
            return xml(sitemap(f"{site.url}/s/{int(path[3:]) + 1}", index=True)) if path.startswith("/s/") else None

        site.otherwise = onward
        site.watch(feeds=[f"{site.url}/feed"], sitemaps=[f"{site.url}/s/1"])

    case("sitemaps", "an index of an index, for ever", chain, feeds={"/s/1": "ok"})

    def fan(site: Site) -> None:
        def outward(path: str) -> Reply | None:
            if not path.startswith("/s/"):
                return None
            return xml(sitemap(*(f"{site.url}{path}.{one}" for one in range(40)), index=True))

        site.otherwise = outward
        site.watch(feeds=[f"{site.url}/feed"], sitemaps=[f"{site.url}/s/1"])

    case("sitemaps", "every index names forty more", fan, feeds={"/s/1": "ok"})

    def full(site: Site) -> None:
        entry = "<url><loc>{}/n/{}</loc><lastmod>2099-01-01</lastmod></url>".format
        site.replies["/bad.xml"] = later(
            lambda: xml("<urlset>" + "".join(entry(site.url, one) for one in range(50_000)) + "</urlset>")
        )
        site.otherwise = lambda path: http("gone", "410 Gone") if path.startswith("/n/") else None
        site.watch(feeds=[f"{site.url}/feed"], sitemaps=[f"{site.url}/bad.xml"])

    case("sitemaps", "50,000 pages of the far future", full, feeds={"/bad.xml": "ok"}, heavy=True)


def _robots() -> None:
    plain = lambda text, **headers: http(text, kind="text/plain", **headers)  # noqa: E731
    allow = "User-agent: *\nDisallow: /private/\n"

    async def silence(visit: Visit) -> None:
        await asyncio.sleep(60)

    async def endless(visit: Visit) -> None:
        await visit.send(head() + allow.encode())
        while True:
            await visit.send(b"# and so on\n" * 1000)

    async def drip(visit: Visit) -> None:
        await visit.drip(head() + allow.encode() * 99, 0.3)

    for name, reply in (
        ("404 that forbids all", http("User-agent: *\nDisallow: /", "404 Not Found", kind="text/plain")),
        ("403", http("no", "403 Forbidden")),
        ("418", http("no", "418 I'm a teapot")),
        ("HTML for 200", http("<html><body><h1>Not found</h1>Disallow: /nothing" + "<p>x" * 9000)),
        ("nothing", plain("")),
        ("with a mark", plain("\ufeff" + allow)),
        ("in UTF-16", http(allow.encode("utf-16"), kind="text/plain")),
        ("with NUL", plain("User-agent: *\0\nDis\0allow: /x\n" + allow)),
        ("of random bytes", http(random.Random(4).randbytes(300_000), kind="text/plain")),
        ("of carriage returns", plain(allow.replace("\n", "\r"))),
        ("of one line of 400 kB", plain("Disallow: /" + "x" * 400_000)),
        ("of 4 MB, closed at its end", later(lambda: plain(allow + "# x\n" * MB + "User-agent: *\nDisallow: /\n"))),
        ("of 20,000 rules with stars", later(lambda: plain("User-agent: *\n" + "Disallow: /*a*b*c*d*e*f*g*h*i*j$\n" * 15_000))),
        ("of one rule of 10,000 stars", plain("User-agent: *\nDisallow: /" + "*a" * 10_000 + "$\n")),
        ("of stars over a long address", plain("User-agent: *\nDisallow: /" + "*g*o" * 30 + "$\n")),
        ("of 100,000 user agents", later(lambda: plain("".join(f"User-agent: a{one}\n" for one in range(30_000)) + "Disallow: /\n"))),
        ("with 100,000 sitemaps", later(lambda: plain("".join(f"Sitemap: http://127.77.0.1:9/{one}.xml\n" for one in range(15_000))))),
        ("with a delay that is no number", plain("User-agent: *\nCrawl-delay: nan\n")),
        ("with a delay of infinity", plain("User-agent: *\nCrawl-delay: -inf\n")),
        ("with a negative delay", plain("User-agent: *\nCrawl-delay: -5\n")),
        ("with a delay in words", plain("User-agent: *\nCrawl-delay: ten\n")),
        ("with a request rate of nonsense", plain("User-agent: *\nRequest-rate: 1/0\nVisit-time: 9999-0000\n")),
        ("with an allowance of nonsense", plain("Allow\n:\nDisallow\nDisallow:\nUser-agent\nUser-agent:\n" * 99)),
        ("cookies and an encoding that nobody knows", plain(allow, Content_Encoding="x-boat", Set_Cookie="a=b")),
    ):  # fmt: skip
        robots(name, reply)
    robots(
        "with a sitemap at a private address",
        lambda site: plain(f"Sitemap: http://{site.private}/s.xml\n" + allow),
        made=True,
    )
    forbidding("500", http("no", "500 Internal Server Error"), "failed robots_http_500")
    forbidding("503", http("no", "503 Service Unavailable", Retry_After="9" * 400), "failed robots_http_503")
    forbidding("429", http("no", "429 Too Many Requests", Retry_After="-1"), "failed robots_http_429")
    forbidding("disallows everything", plain("User-agent: *\nDisallow: /"), "refused robots")
    forbidding("never answers", silence, "failed timeout | failed robots_timeout")
    forbidding("drips", drip, "failed timeout | failed robots_timeout")
    forbidding("has no end", endless, "failed too_large | article")
    forbidding("redirects to itself", to("/robots.txt"), "failed robots_redirect_loop | article | failed redirect_loop")
    forbidding("redirects to nowhere", to("http://[::1"), "failed damaged_answer | article")
    forbidding("is a bomb", later(lambda: packed(zeros(200, "gzip"), "gzip")), "failed robots_too_large | article")
    forbidding("breaks off", head("Content-Length: 99") + b"User-agent", "failed connection_lost | article")
    forbidding("is not packed as it says", packed(b"User-agent: *", "br"), "failed damaged_answer | article")
    forbidding("resets", b"", "failed connection_failed | failed connection_lost")

    def to_private(site: Site) -> None:
        closed = companion(site)
        closed.replies["/robots.txt"] = to(f"http://{site.private}/robots.txt")
        closed.replies["/bad"] = page("closed")
        closed.watch(pages=[f"{closed.url}/bad"], name=f"Closed {site.number}")
        site.watch(feeds=[f"{site.url}/feed"])

    case("robots", "redirects to a private address", to_private, pages={"//bad": "failed private_address | article"})

    def slow(site: Site) -> None:
        closed = companion(site)
        closed.replies["/robots.txt"] = plain("User-agent: *\nCrawl-delay: 1000000000\n")
        closed.replies["/bad"] = page("delayed")
        closed.watch(pages=[f"{closed.url}/bad"], name=f"Closed {site.number}")
        site.watch(feeds=[f"{site.url}/feed"])

    case("robots", "with a delay of thirty years", slow, pages={"//bad": "article | pending"}, heavy=True)


# ----------------------------------------------------------------------------------------------------- traps and moods


def _traps() -> None:
    def calendar(site: Site) -> None:
        def day(path: str) -> Reply | None:
            if not path.startswith("/calendar/"):
                return None
            number = int(path.rpartition("/")[2])
            links = "".join(
                f"<li><a href='/calendar/2026/11/{number + one}'>The calendar of the harbour, next day</a>"
                for one in range(1, 30)
            )
            return http(f"<html><title>Calendar</title><ul>{links}</ul>")

        site.otherwise = day
        links = "".join(
            f"<a href='/calendar/2026/11/{one}'>The calendar of the harbour for a day</a>" for one in range(40)
        )
        site.replies["/"] = http(f"<html><body>{links}")
        site.watch(feeds=[f"{site.url}/feed"], discover=["homepage"])

    case("traps", "a calendar without an end", calendar)

    def sessions(site: Site) -> None:
        count = iter(range(10**9))

        async def front(visit: Visit) -> None:
            links = "".join(
                f"<a href='/2026/11/03/story?sid={next(count)}'>The one story of the harbour here</a>"
                for _ in range(60)
            )
            await visit.send(http(f"<html><body>{links}").data)

        def one_story(path: str) -> Reply | None:
            return page("story of the session") if path.startswith("/2026/") else None

        site.replies["/"], site.otherwise = front, one_story
        site.watch(feeds=[f"{site.url}/feed"], discover=["homepage"])

    case("traps", "a session in every address", sessions)

    def variants(site: Site) -> None:
        def one_story(path: str) -> Reply | None:
            return page("story of the variants") if path.startswith("/story") else None

        site.otherwise = one_story
        site.replies["/feed"] = site.feed(*(f"{site.url}/story?page={one}&amp;ref=x{one}" for one in range(100)))

    case("traps", "one story at a hundred addresses", variants)

    def hidden(site: Site) -> None:
        site.otherwise = lambda path: page(f"trap {path}") if path.startswith("/trap/") else None
        traps = "".join(f"<a style='display:none' rel=nofollow href='/trap/{one}'>x</a>" for one in range(500))
        site.replies["/"] = http(f"<html><body>{traps}")
        site.watch(feeds=[f"{site.url}/feed"], discover=["homepage"])

    case("traps", "links that nobody sees", hidden)

    def bare(site: Site) -> None:
        """Nothing is named: the good articles are behind a front page that announces a feed at a private address too."""
        announced = "".join(
            f"<link rel=alternate type=application/rss+xml href='{url}'>"
            for url in (f"http://{site.private}/feed", "javascript:1", "http://[::1", f"{site.url}/feed")
        )
        site.replies["/"] = http(f"<html><head>{announced}</head><body>x")
        site.watch()

    case("traps", "a front page that announces feeds of private addresses", bare)

    def maze(site: Site) -> None:
        """A discovery whose front page is fifty megabytes of feeds."""
        announced = lambda: "".join(  # noqa: E731
            f"<link rel=alternate type=application/rss+xml href='/none/{one}'>" for one in range(2_000)
        )
        site.replies["/"] = later(
            lambda: http(f"<html><head><link rel=alternate type=application/rss+xml href='/feed'>{announced()}")
        )
        site.watch()

    case("traps", "a front page that announces 2,000 feeds", maze)


def _moods() -> None:
    for name, reply, becomes in (
        ("401", http("who", "401 Unauthorized", WWW_Authenticate="Basic realm=" + "x" * 9000), "failed http_401"),
        ("403", http(article_html("No", story("no boat")), "403 Forbidden"), "failed http_403"),
        ("404 with an article", http(article_html("Lost", story("lost boat")), "404 Not Found"), "failed http_404"),
        ("407", http("", "407 Proxy Authentication Required", Proxy_Authenticate="Basic"), "failed http_407"),
        ("410", http("", "410 Gone"), "failed http_410"),
        ("451", http("", "451 Unavailable For Legal Reasons"), "failed http_451"),
        ("a soft 404", http("<html><title>Page not found</title><body><h1>Page not found</h1><p>Sorry."), "refused soft_404"),
        ("a wall of consent", http("<html><title>Your consent</title><body><p>We need your consent. Consent to all. Consent."), "refused consent | refused too_short"),
        ("an ETag of 10,000 letters", http(article_html("Tagged", story("etag boat")), ETag='"' + "e" * 10_000 + '"'), "article"),
        ("an ETag with NUL", head("ETag: \"a\0b\"", "Connection: close") + article_html("Null", story("etag null boat")).encode(), "article | failed connection_lost | failed connection_failed"),
        ("Last-Modified in the year 0", http(article_html("Old", story("modified boat")), Last_Modified="Mon, 00 Jan 0000 00:00:00 GMT"), "article"),
        ("an attachment", http(article_html("Held", story("held boat")), Content_Disposition="attachment; filename=../../../../etc/cron.d/x"), "article"),
        ("a Link header of 10,000 links", http(article_html("Linked", story("header boat")), Link=", ".join(["</x>; rel=canonical"] * 700)), "article"),
    ):  # fmt: skip
        bad_page("moods", name, reply, becomes)
    for name, reply in (
        ("429 and Retry-After of 1,000 years", http("slow", "429 Too Many Requests", Retry_After="31536000000")),
        ("429 and Retry-After in the past", http("slow", "429 Too Many Requests", Retry_After="Mon, 01 Jan 1990 00:00:00 GMT")),
        ("429 and Retry-After of nonsense", http("slow", "429 Too Many Requests", Retry_After="-1e999; never")),
        ("503 for ever", http("busy", "503 Service Unavailable")),
        ("500 for ever", http("oops", "500 Internal Server Error")),
    ):  # fmt: skip
        _moody(name, reply)


def _mistaken() -> None:
    """What is wrong is on the way to the good articles, or beside them on the same host."""
    plain = lambda text, **headers: http(text, kind="text/plain", **headers)  # noqa: E731
    items = lambda site, form: "".join(f"<item>{form.format(url)}</item>" for url in site.good)  # noqa: E731
    rss = lambda site, form: f"<rss version='2.0'><channel>{items(site, form)}</channel></rss>"  # noqa: E731
    busy = lambda status, **headers: http("busy", status, **headers)  # noqa: E731

    for name, reply in (
        ("a page is busy", busy("503 Service Unavailable")),
        ("a page is busy for a second, always", busy("429 Too Many Requests", Retry_After="1")),
        ("a page is busy for 1,000 years", busy("429 Too Many Requests", Retry_After="31536000000")),
        ("a page is busy until yesterday", busy("503 Service Unavailable", Retry_After="Mon, 01 Jan 1990 00:00:00 GMT")),
    ):  # fmt: skip
        bad_page("mistakes", name, reply, "failed http_503 | failed http_429")
    for name, reply in (
        ("a feed is busy", busy("503 Service Unavailable")),
        ("a feed is busy for a second, always", busy("429 Too Many Requests", Retry_After="1")),
        ("a feed is busy and says nonsense", busy("429 Too Many Requests", Retry_After="soon")),
    ):  # fmt: skip
        bad_feed("mistakes", name, lambda site, reply=reply: reply, "http_503 | http_429")  # type: ignore[misc]
    for name, rules in (
        ("robots.txt to itself", to("/robots.txt")),
        ("robots.txt to no address", to("http://[::1")),
        ("robots.txt with a delay of a day", plain("User-agent: *\nCrawl-delay: 86400")),
        ("robots.txt with a delay below zero", plain("User-agent: *\nCrawl-delay: -5")),
        ("robots.txt that says br and is text", plain("User-agent: *\nDisallow: /x", Content_Encoding="br")),
        ("robots.txt that ends in half a rule", later(lambda: plain("User-agent: *\n" + "Disallow: /x/y\n" * 40_000))),
        ("robots.txt in a bomb", later(lambda: packed(b"User-agent: *\nDisallow: /x\n" + b"#\n" * 10 * MB, "gzip", "text/plain"))),
    ):  # fmt: skip
        robots(name, rules, heavy="bomb" in name)
    robots("robots.txt to a private address", lambda site: to(f"http://{site.private}/robots.txt"), made=True)
    for name, form in (
        ("links that are a hash", "<link>#</link><guid>{0}</guid>"),
        ("links that are scripts", "<link>javascript:void(0)</link><guid isPermaLink='false'>{0}</guid>"),
        ("20,000 categories each", "<link>{0}</link>" + "<category>News</category>" * 20_000),
    ):
        own_feed("mistakes", name, lambda site, form=form: http(rss(site, form), kind="text/xml"), heavy="20" in name)  # type: ignore[misc]
    for name, made in (
        ("a feed of UTF-16 without a mark", lambda site: http(rss(site, "<link>{0}</link>").encode("utf-16-le"))),
        (
            "a feed behind 20 KB of comments",
            lambda site: http(f"<!--{'x' * 20_000}-->" + rss(site, "<link>{0}</link>")),
        ),
        ("a feed that says br and is text", lambda site: http(rss(site, "<link>{0}</link>"), Content_Encoding="br")),
        (
            "a feed that breaks off",
            lambda site: head("Content-Length: 99999") + rss(site, "<link>{0}</link>").encode()[:-20],
        ),
    ):
        own_feed("mistakes", name, made)
    for name, kind, coding in (
        ("good pages as pictures", "image/png", ""),
        ("good pages as plain text", "text/plain", ""),
        ("good pages that say gzip and are text", "text/html", "gzip"),
        ("good pages that say gzip twice", "text/html", "gzip, gzip"),
    ):
        case("mistakes", name, partial(_mislabelled, kind=kind, coding=coding))


def _mislabelled(site: Site, kind: str, coding: str) -> None:
    for number, title in enumerate(site.titles):
        text = article_html(title, story(f"{number} of mistaken pier {site.number}")).encode()
        data = gzip.compress(text) if "," in coding else text
        site.replies[f"/good/{number}"] = http(data, kind=kind, **({"Content_Encoding": coding} if coding else {}))


def _moody(name: str, reply: Reply) -> None:
    """A host that is in a mood; the good articles are on another one."""

    def set_up(site: Site) -> None:
        other = companion(site)
        other.otherwise = lambda path: None if path == "/robots.txt" else reply
        other.watch(pages=[f"{other.url}/bad"], name=f"Moody {site.number}")
        site.watch(feeds=[f"{site.url}/feed"])

    status = "".join(letter for letter in name[:3])
    case("moods", name, set_up, pages={"//bad": f"failed http_{status} | pending"})


for _group in (
    _transport,
    _encodings,
    _sizes,
    _redirects,
    _charsets,
    _html,
    _feeds,
    _sitemaps,
    _robots,
    _traps,
    _moods,
    _mistaken,
):
    _group()


# -------------------------------------------------------------------------------------------------------- the whole web


@dataclass
class Web:
    """All the sites, and what was asked of the server that nobody may ask."""

    sites: dict[str, Site] = field(default_factory=dict)  #: by str(case)
    private_visits: list[bytes] = field(default_factory=list)
    private_port: int = 0

    def sources(self, *cases: Case) -> str:
        """The text of a sources.toml for these cases."""
        sites = (site for one in cases for site in (self.sites[str(one)], self.sites[str(one)].companion) if site)
        start = (
            f'[crawl]\nuser_agent = "test (+https://test.example)"\ndelay = 0\nallow_private = {json.dumps(ALLOWED)}'
        )
        return "\n\n".join((start, *(table for site in sites for table in site.tables))) + "\n"

    def address(self, one: Case, path: str) -> str:
        """The address of a case's path; `//` leads to its second site."""
        site = self.sites[str(one)]
        return companion(site).url + path[1:] if path.startswith("//") else site.url + path


@contextmanager
def misbehaving(cases: Sequence[Case] = CASES, good: int = GOOD) -> Iterator[Web]:
    """These cases served, each with so many sound articles, until the end of the block."""
    loop, web = asyncio.new_event_loop(), Web()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(_open(web, cases, good), loop).result(60)
        yield web
    finally:
        asyncio.run_coroutine_threadsafe(_close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def _open(web: Web, cases: Sequence[Case], good: int) -> None:
    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        web.private_visits.append(await reader.read(200))
        writer.close()

    private = await asyncio.start_server(note, PRIVATE, 0)
    web.private_port = private.sockets[0].getsockname()[1]
    for number, one in enumerate(cases):
        site = web.sites[str(one)] = _site(number, 77, web.private_port)
        _furnish(site, good)
        one.set_up(site)
        for each in filter(None, (site, site.companion)):
            await asyncio.start_server(partial(_serve, each), sock=each.listener)
        if not site.tables:
            site.watch(feeds=[f"{site.url}/feed"])


def _site(number: int, net: int, private_port: int) -> Site:
    listener = socket.create_server((f"127.{net}.{number // 250}.{number % 250 + 1}", 0), backlog=100)
    return Site(number, *listener.getsockname(), private_port=private_port, listener=listener)


def _furnish(site: Site, good: int) -> None:
    """The sound part: articles, and a feed that names them."""
    things = ("lamp", "ladder", "rope", "bell")[:good]
    site.titles = tuple(f"Pier {site.number} gets a {thing} of its own" for thing in things)
    site.good = tuple(f"{site.url}/good/{number}" for number in range(good))
    for number, (thing, title) in enumerate(zip(things, site.titles, strict=True)):
        site.replies[f"/good/{number}"] = page(f"{thing} of pier {site.number}", title)
    site.replies["/feed"] = site.feed()


async def _close() -> None:
    """Let go of whoever still waits."""
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
