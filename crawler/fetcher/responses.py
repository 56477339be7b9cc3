"""Response headers: validators (ETag, Last-Modified), Cache-Control, reservations, permanent redirects, 304."""

import re
from typing import Any

from scrapy import Request
from scrapy.http import Response
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, resolve_encoding

from crawler import iso_2022
from crawler.fetcher.certificates import UNCHECKED
from crawler.fetcher.robots import usage_of
from crawler.fetcher.tdmrep import reservation_of
from crawler.reservations import in_headers


def header(response: Response, name: str) -> str | None:
    """A response header as text; None when it is missing or empty."""
    value = response.headers.get(name)
    return value.decode("latin-1").strip() or None if value else None


def content(response: Response) -> dict[str, Any]:
    """Of a whole answer what its Page has: its body, what kind it is, what is reserved, and the validators."""
    kind = header(response, "Content-Type")
    return {"body": response.body, "content_type": kind, **reserved(response), **validators(response)}


def reserved(response: Response) -> dict[str, Any]:
    """What is reserved, as fields of Page: its headers' word, and beside it its host's."""
    said = in_headers(lambda name: [value.decode("latin-1") for value in response.headers.getlist(name)])
    hosts = reserved_by_host(response.request)
    return said | hosts | {"content_usage": tuple(dict.fromkeys(said["content_usage"] + hosts["content_usage"]))}


def reserved_by_host(request: Request | None) -> dict[str, Any]:
    """What a host reserves of a page, as fields of Page: by its tdmrep.json, and the Content-Usage lines of its robots.txt."""
    return {"tdm_by_host": reservation_of(request), "content_usage": usage_of(request)}


def answered(response: Response) -> dict[str, Any]:
    """How an answer came: its HTTP `status`, and whether its server's certificate is `unchecked`."""
    return {"status": response.status, "unchecked": UNCHECKED in response.flags}


def body_of(response: Response) -> bytes:
    """The body; as UTF-8 where only the Content-Type header says what it is written in."""
    body, named = response.body, http_content_type_encoding(header(response, "Content-Type"))
    encoding = resolve_encoding(named) if named else None
    if encoding in (None, "utf-8") or html_body_declared_encoding(body):
        return body
    if body.isascii():
        text = iso_2022.text_of(body, named)
        return body if text is None else text.encode("utf-8", "replace")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode(encoding, "replace").encode()
    return body


def validators(response: Response) -> dict[str, str | None]:
    """Validators for the next conditional request (RFC 9110, 13.1): `etag` and `last_modified`; nothing after an answer
    that broke off: the next is to be whole."""
    if "dataloss" in response.flags:
        return {"etag": None, "last_modified": None}
    return {"etag": header(response, "ETag"), "last_modified": header(response, "Last-Modified")}


def max_age(response: Response) -> int | None:
    """Cache-Control's max-age: for how many seconds an answer says that it is fresh (RFC 9111, 5.2.2.1); None when it does
    not say."""
    fields = [part.strip().lower() for part in (header(response, "Cache-Control") or "").split(",")]
    ages = [part.removeprefix("max-age=") for part in fields if part.startswith("max-age=")]
    if not ages or not re.fullmatch("[0-9]+", ages[0]) or "no-cache" in fields:
        return None
    return min(int(ages[0][:19]), 2**31)  # RFC 9111, 1.2.2: a number too large to be true is a large one


def permanent_redirect(response: Response) -> str | None:
    """The target of permanent redirects: 301 or 308 at every hop (RFC 9110, 15.4.2 and 15.4.9); None when it does not."""
    hops = response.request.meta.get("redirect_reasons") if response.request else None
    return response.url if hops and all(hop in (301, 308) for hop in hops) else None


def is_unchanged(response: Response) -> bool:
    """Whether a conditional request was answered by 304; some servers say it to everybody."""
    asked = response.request.headers if response.request else {}
    return response.status == 304 and ("If-None-Match" in asked or "If-Modified-Since" in asked)
