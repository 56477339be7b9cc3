"""Documents made wrong: mutations of the local corpus and of lists made from it, the same for the same seed.

Half of a fuzzer's work is not to be refused at the door: what is changed here still looks like a page, a feed, a list.
Coverage-guided fuzzers need an instrumented interpreter and give no case back by its number, and no library mutates markup.
"""

import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from lxml import html
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.sources.exchange import write_list
from crawler.sources.toml_file import parse_sources
from tests.conftest import CORPUS

MAX_BYTES = 3_000_000
"""Of a mutant; the pages of the corpus have 2 to 12 KB, the limit of a page is 8 MB."""

HOW_OFTEN = (1, 20, 400, 3_000, 30_000)
"""Times that something is repeated: as a person, a template and an attacker repeat it."""

CONTENT_TYPES = (
    "text/html", "text/html; charset=utf-8", "text/html; charset=utf-16", "text/html; charset=gb18030", "text/plain",
    "text/html; charset=shift_jis", "application/xhtml+xml", "text/html; charset=\"\0\"", "text/html;charset=idna", "", "text/html;",
    "text/html; charset=iso-2022-kr", "TEXT/PLAIN ; charset=utf-7", "text/html; charset=hex", "text/html; charset=x" + "x" * 999,
)  # fmt: skip

VALUES: tuple[bytes, ...] = (
    b"", b" ", b"0", b"-1", b"1", b"nan", b"-inf", b"1e400", b"9" * 30, b"9" * 5_000, b"0x10", b"true", b"null", b"{}", b"[]", b"\"",
    b"9223372036854775808", "١٢٣".encode(), "²".encode(), b"2026-11-07", b"0000-00-00", b"0001-01-01T00:00:00+14:00",
    b"9999-12-31T23:59:59-12:00", b"2026-02-30T25:61:61Z", b"2026-W45-6", b"20261107", b"-2026-11-07", b"1762500000",
    b"Sat, 07 Nov 2026 10:00:00 +9999", b"Sat, 07 Nov 99999 10:00", b"31 November 2026", b"2026-11-07T10:00:00+99:99", b"7d", b"99999d",
    b"http://[", b"http://[::1", b"https://x.example:99999/", b"//", b"?", b"#", b"javascript:alert(1)", b"data:,x", b"http://\xff/",
    "https://\u00ad/".encode(), b"https://xn--/", b"https://a:b@x.example/", "http://ⓧ.example/".encode(), b"https://" + b"a." * 200,
    b"https://x.example/" + b"a/" * 3_000, b"urn:sha256:0", b"feed://x.example/", b"https://www.corvane.example/", b"//*[", b"a:::b", b"(",
    b"(a+)+$", b"[[[", b"/./", b"Europe/London", b"../../etc/passwd", b"__proto__", b"%s%n", b"utf-7", b"hex", b"rot13", b"unicode_escape",
    "İstanbul ﷺ ŉ ǰ ΐ".encode(), ("e" + "\u0301" * 500).encode(), "\u202eterces\u2066".encode(), "\u200f\u200d\ufeff".encode(), b"A" * 70_000,
    "𝕬𝖇 ㎏ ﬁ 日本語 العربية ไทย".encode(), b"\xed\xa0\x80\xed\xb0\x80", b"&#xD800;", b"&#0;&#x202e;&#99999999999;", b"x\ny\r\nz", b"[/b]", b"\x1b[31m",
)  # fmt: skip
"""What stands where a value was expected: numbers, dates, addresses, selectors and words that are none."""

TOKENS: tuple[bytes, ...] = (
    b"<", b">", b"</", b"/>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?xml version='1.0' encoding='utf-16'?>", b"<?php", b"?>",
    b"<!DOCTYPE x [<!ENTITY a 'b'><!ENTITY c '&a;&a;&a;&a;'>]>", b"<!DOCTYPE html>", b"&a;", b"&c;", b"&amp;amp;", b"&lt;p&gt;", b"&nbsp",
    b"<script>", b"</script>", b"<style>", b"<title>", b"<textarea>", b"<plaintext>", b"<template>", b"<noscript>", b"<svg><foreignObject>",
    b"<math><mi>", b"<table><tr><td>", b"<select><option>", b"<frameset>", b"</html>", b"</body>", b"<body hidden>", b"<article>", b"</p>",
    b"<base href='http://['>", b"<base href='javascript:x'>", b"<link rel=canonical href='http://[::1'>", b"<meta charset=utf-7>", b"<meta charset=hex>",
    b"<link rel=canonical href='//www.corvane.example/'>", b"<meta property=og:url content='//'>", b"<meta http-equiv=refresh content='0;url=/'>",
    b"<meta name=author content=',;|/ & and'>", b"<a href='http://[/'>x</a>", b"<p class='byline author'>By</p>", b"<time datetime='99'>",
    b"<h1>", b"</h1>", b"<div itemprop=articleBody>", b"<video>", b"<li><a href=/a>A link as long as a headline is</a></li>", b"<x:y z:w=1>",
    b"\0", b"\x01", b"\x08", b"\x1b[2J", b"\x7f", b"\x80", b"\x85", b"\xff", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xed\xa0\x80", b"\xed\xb0\x80",
    b"\xc2\x9b", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b\x08", b"\x1b$)C\x0e", b"+ADw-", "\u202e\u2067\u2028\u2029".encode(),
    b"\r", b"\n\n", b"\t", b",", b";", b"\"", b"'", b"\"\"", b"=", b":", b"[[source]]\n", b"[crawl]\n", b"'''", b'"""', b"#", b"\\u", b"\\ud800",
    b"<item>", b"</item>", b"<entry/>", b"<url><loc>", b"<sitemapindex>", b"<outline>", b"</outline>", b"<opml>", b"<link>/a</link>",
    b"User-agent: *\n", b"Disallow: /\n", b"Disallow: /*/*/*/*/*/*/*$\n", b"Allow: /%\n", b"Crawl-delay: nan\n", b"Sitemap: http://[\n", b"Request-rate: 1/0\n",
    b"WARC/1.0\r\n", b"\r\n\r\n", b"Content-Length: -5\r\n", b"Content-Length: 99999999999999999999\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: br\r\n", b"Content-Encoding: gzip\r\n", b"HTTP/1.1 200\r\n", b"HTTP/9 \xff\r\n", b"fffffffff\r\n", b"-1\r\n", b": \r\n", b" folded\r\n",
)  # fmt: skip
"""What changes how the rest is read: tags, marks, heads, ends."""

JSON_LD_KEYS = (
    "@type", "@id", "@graph", "headline", "name", "author", "creator", "datePublished", "dateModified", "image", "publisher", "keywords",
    "articleSection", "inLanguage", "isAccessibleForFree", "description", "mainEntityOfPage", "url", "articleBody",
)  # fmt: skip
JSON_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**40, "", "x", "NewsArticle", "2026-11-07", "https://www.corvane.example/", "\ud800", "\x00\u202e", "<b>By</b> A Lee",
    [], {}, [[[[[[1]]]]]], [None, 1, {}], {"@id": "#a"}, {"@id": ["#a"]}, {"name": {"name": {"name": []}}}, {"@type": [1, None], "url": 5}, ["a"] * 200,
)  # fmt: skip

TAG = re.compile(rb"</?[a-zA-Z][^<>]{0,400}>")
TAG_NAME = re.compile(rb"(?<=<)/?[a-zA-Z][\w:-]*")
VALUE = re.compile(rb"(?<==)\s*\"[^\"<>]*\"|(?<=>)[^<>]{1,80}(?=<)|(?<=: )[^\n,{}\[\]]{1,80}|(?<== )[^\n]{1,80}")
"""An attribute's, an element's, a JSON member's, a header's or a TOML key's."""
NAMES = b"p div a h1 table td article script style li span font b title head body html item entry link loc url".split()
ENCODINGS = (
    "utf-16",
    "utf-16-be",
    "utf-32",
    "latin-1",
    "cp1252",
    "gb18030",
    "shift_jis",
    "iso2022_kr",
    "koi8-r",
    "utf-7",
)

Mutation = Callable[[Random, bytes, bytes], bytes]
"""(chance, the document, another document of its kind) -> the document made wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A document made wrong."""

    name: str  #: kind/seed, by which it comes again
    body: bytes
    content_type: str | None = None  #: of a page; often not what it is


def mutant(kind: str, seed: int) -> Mutant:
    """The seed's mutant of a kind of KINDS."""
    chance = Random(f"{kind}/{seed}")
    documents = KINDS[kind]()
    body, other = chance.choice(documents), chance.choice(documents)
    for _ in range(min(8, int(chance.expovariate(0.8)) + 1)):
        body = chance.choice(MUTATIONS)(chance, body, other)[:MAX_BYTES]
    content_type = chance.choice(CONTENT_TYPES if chance.random() < 0.3 else CONTENT_TYPES[:2])
    return Mutant(name=f"{kind}/{seed}", body=body, content_type=content_type)


# ---------------------------------------------------------------------------------------------------------- mutations


def flip(chance: Random, body: bytes, other: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.choice((1, 1, 8, 100))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def delete(chance: Random, body: bytes, other: bytes) -> bytes:
    start, end = _span(chance, body)
    return body[:start] + body[end:]


def duplicate(chance: Random, body: bytes, other: bytes) -> bytes:
    start, end = _span(chance, body)
    return body[:end] + body[start:end] * _times(chance, end - start) + body[end:]


def move(chance: Random, body: bytes, other: bytes) -> bytes:
    (start, end), place = _span(chance, body), chance.randint(0, len(body))
    rest = body[:start] + body[end:]
    return rest[:place] + body[start:end] + rest[place:]


def splice(chance: Random, body: bytes, other: bytes) -> bytes:
    return body[: _place(chance, body)] + other[_place(chance, other) :]


def truncate(chance: Random, body: bytes, other: bytes) -> bytes:
    return body[: chance.randint(0, len(body))]


def insert(chance: Random, body: bytes, other: bytes) -> bytes:
    """Tokens at one place, at several, or one of them many times."""
    for _ in range(chance.choice((1, 1, 3, 10))):
        place, token = _place(chance, body), chance.choice(TOKENS if chance.random() < 0.8 else VALUES)
        body = body[:place] + token * (_times(chance, len(token)) if chance.random() < 0.1 else 1) + body[place:]
    return body


def replace_value(chance: Random, body: bytes, other: bytes) -> bytes:
    """Another value for an attribute, element, key or header."""
    for _ in range(chance.choice((1, 1, 4))):
        if found := _one(chance, VALUE, body):
            value = chance.choice(VALUES)
            quoted = b'"' + value.replace(b'"', b"") + b'"' if found[0].lstrip()[:1] == b'"' else value
            body = body[: found.start()] + quoted + body[found.end() :]
    return body


def swap_names(chance: Random, body: bytes, other: bytes) -> bytes:
    """One tag called otherwise, or all of that name."""
    if not (found := _one(chance, TAG_NAME, body)):
        return body
    new = chance.choice((*NAMES, found[0].upper(), b"x" * 5_000))
    if chance.random() < 0.5:
        return re.sub(rb"(?<=<)(/?)" + re.escape(found[0].lstrip(b"/")) + rb"\b", lambda tag: tag[1] + new, body)
    return body[: found.start()] + new + body[found.end() :]


def nest(chance: Random, body: bytes, other: bytes) -> bytes:
    """A tag opened many times, with or without ends."""
    tag = found[0] if (found := _one(chance, TAG, body)) else b"<%s>" % chance.choice(NAMES)
    place, times = _place(chance, body), _times(chance, len(tag))
    end = b"</%s>" % name[0] if (name := TAG_NAME.search(tag)) and chance.random() < 0.5 else b""
    return body[:place] + tag * times + body[place:] + end * times


def flood_attributes(chance: Random, body: bytes, other: bytes) -> bytes:
    if not (found := _one(chance, TAG_NAME, body)):
        return body
    names = (b" data-%d=x" % number for number in range(_times(chance, 12)))
    same = b' class="author hidden"' * _times(chance, 22)
    return body[: found.end()] + (b"".join(names) if chance.random() < 0.7 else same) + body[found.end() :]


def state_in_json(chance: Random, body: bytes, other: bytes) -> bytes:
    """A JSON-LD object of wrong types, or a wrong type in the JSON that is there."""
    if chance.random() < 0.5 and (found := _one(chance, re.compile(rb'(?<=:)\s*("[^"]*"|\d+|\[|\{)'), body)):
        return body[: found.start()] + json.dumps(chance.choice(JSON_VALUES)).encode() + body[found.end() :]
    keys = chance.sample(JSON_LD_KEYS, chance.randint(1, len(JSON_LD_KEYS)))
    said = {"@type": "NewsArticle"} | {key: chance.choice(JSON_VALUES) for key in keys}
    if chance.random() < 0.2:
        said = {"@graph": [said] * min(3_000, _times(chance, 400))}
    script = b'<script type="application/ld+json">%s</script>' % json.dumps(said).encode()
    place = max(0, body.find(b"</head>")) or _place(chance, body)
    return body[:place] + script + body[place:]


def encode(chance: Random, body: bytes, other: bytes) -> bytes:
    """Other characters for the same text; header and page go on to say what they said."""
    return body.decode("utf-8", "replace").encode(chance.choice(ENCODINGS), "replace")


def pack(chance: Random, body: bytes, other: bytes) -> bytes:
    return gzip.compress(body, mtime=0) if chance.random() < 0.3 else b"\xef\xbb\xbf" + body


def number_wrong(chance: Random, body: bytes, other: bytes) -> bytes:
    """Another number for one that is there: a length, a date, a count."""
    if not (found := _one(chance, re.compile(rb"\d+"), body)):
        return body
    value = chance.choice(
        (b"0", b"-1", b"%d" % (int(found[0][:18]) + chance.choice((-1, 1, 40))), b"9" * 12, b"9" * 400, b"x")
    )
    return body[: found.start()] + value + body[found.end() :]


MUTATIONS: tuple[Mutation, ...] = (
    flip, delete, duplicate, move, splice, truncate, insert, insert, replace_value, replace_value, swap_names, nest,
    flood_attributes, state_in_json, encode, pack, number_wrong,
)  # fmt: skip


def _place(chance: Random, body: bytes) -> int:
    """Anywhere, more often where a tag or a line begins."""
    place = chance.randint(0, len(body))
    if chance.random() < 0.6:
        place = max(body.find(chance.choice((b"<", b"\n", b">")), place), 0)
    return place


def _span(chance: Random, body: bytes) -> tuple[int, int]:
    start = _place(chance, body)
    return start, min(len(body), start + int(chance.choice((1, 10, 300, 3_000)) * (0.5 + chance.random())))


def _times(chance: Random, size: int) -> int:
    """How often something of this size is repeated; large numbers are rare, since they are slow."""
    times = chance.choices(HOW_OFTEN, (10, 8, 4, 2, 1))[0]
    return max(1, min(times, MAX_BYTES // max(1, size)))


def _one(chance: Random, pattern: re.Pattern[bytes], body: bytes) -> re.Match[bytes] | None:
    """One of a pattern's matches: the first after some place, else the first of all."""
    return pattern.search(body, chance.randint(0, len(body))) or pattern.search(body)


# ---------------------------------------------------------------------------------------------------------- documents


def _files(*endings: str) -> list[bytes]:
    files = sorted(file for file in CORPUS.glob("*.example/**/*") if file.is_file())
    return [file.read_bytes() for file in files if file.name.partition("?")[0].endswith(endings)]


@cache
def pages() -> list[bytes]:
    return _files(".html")


@cache
def copies() -> list[bytes]:
    """The pages as text."""
    return ["\n".join(html.document_fromstring(page).itertext()).encode("utf-8", "replace") for page in pages()]


@cache
def feeds() -> list[bytes]:
    return _files(".rss", ".atom", ".json", "rss.xml", "all.xml")


@cache
def sitemaps() -> list[bytes]:
    """Packed ones, and the same unpacked."""
    found = [body for body in _files(".xml", ".gz") if body not in feeds()]
    return found + [gzip.decompress(body) for body in found if body[:2] == b"\x1f\x8b"]


@cache
def robots() -> list[bytes]:
    return _files("robots.txt")


@cache
def settings() -> list[bytes]:
    """sources.toml: the corpus's, and one with every key."""
    return [
        (CORPUS / "sources.toml").read_bytes(),
        b"""[crawl]
user_agent = "m (+https://x.example/)"
delay = 1.5
concurrency = 2
budget = 50
since = "36h"
allow_private = ["127.0.0.0/8", "::1"]

[[source]]
url = "https://x.example/"
name = "X"
feeds = ["https://x.example/feed"]
sitemaps = ["https://x.example/s.xml"]
pages = ["https://x.example/a"]
discover = ["feed", "homepage"]
language = "en"
timezone = "Europe/London"
category = "News/National; Local"
enabled = true
include = ["/a/", "^https"]
exclude = ["/b(c|d)"]
body = "//article"
strip = [".ad", "//aside"]
recheck = false
title = "og:title"
""",
    ]


@cache
def _listed(suffix: str) -> list[bytes]:
    """The same sites as other programs' lists."""
    written = [parse_sources(body.decode()).sources for body in settings()]
    return [write_list(sources, suffix, Counter()) for sources in written]


def opml() -> list[bytes]:
    return [*_listed(".opml"), OPML]


OPML = b"""<?xml version="1.0"?>
<opml version="2.0" xmlns:frss="https://freshrss.org/opml" xmlns:miniflux="https://miniflux.app/opml"><head/><body>
<outline text="Coast"><outline text="Gull &amp; Anchor" type="rss" xmlUrl="https://gull.example/feed?a=1&amp;b=2"
  htmlUrl="https://gull.example/" frss:cssFullContent="div.main, .summary" frss:cssContentFilter=".ad" frss:ttl="-3600"/>
<outline title="Sport" text="Gull: sport" xmlUrl="feed://gull.example/sport" category="/a,b" miniflux:disabled="true" language="en"/></outline>
<outline text="A page" type="HTML+XPath" xmlUrl="https://page.example/" frss:xPathItem="//article"/></body></opml>"""


def csv() -> list[bytes]:
    return _listed(".csv")


def addresses() -> list[bytes]:
    """Plain lists."""
    return [*_listed(".txt"), b"# mine\nwww.x.example\nhttps://x.example/feed.xml # feed\nx.example/sitemap.xml.gz\n"]


@cache
def warcs() -> list[bytes]:
    return [warc(range(start, start + 3), packed=packed) for start in (0, 7, 30) for packed in (False, True)]


def warc(numbers: Iterable[int], host: str = "www.x.example", *, packed: bool) -> bytes:
    """An archive of these pages of the corpus: a request and a response each, every third chunked and packed."""
    stream = io.BytesIO()
    writer = WARCWriter(stream, gzip=packed)
    for number in numbers:
        write_page(writer, f"https://{host}/{number}", pages()[number], chunked=number % 3 == 0)
    return stream.getvalue()


def write_page(
    writer: WARCWriter,
    url: str,
    body: bytes,
    content_type: str = "text/html",
    *,
    chunked: bool = False,
    plain: bool = False,
) -> None:
    """A request and its response; only this where it is plain."""
    asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "x")], is_http_request=True)
    named = [("Content-Type", content_type.encode("ascii", "replace").decode())]
    if chunked:
        packed = gzip.compress(body, mtime=0)
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed)
        named += [("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")]
    answered = StatusAndHeaders("200 OK", named, protocol="HTTP/1.1")
    dated = {"WARC-Date": "2026-11-07T10:00:00Z", "WARC-Record-ID": "<urn:uuid:0>"}
    for kind, head, payload in (("request", asked, b""), ("response", answered, body))[plain:]:
        record = writer.create_warc_record(
            url, kind, io.BytesIO(payload), http_headers=head, warc_headers_dict=dict(dated)
        )
        writer.write_record(record)


KINDS: dict[str, Callable[[], list[bytes]]] = {
    "page": pages, "text": copies, "feed": feeds, "sitemap": sitemaps, "homepage": pages, "robots": robots, "sources": settings,
    "opml": opml, "csv": csv, "txt": addresses, "warc": warcs,
}  # fmt: skip
