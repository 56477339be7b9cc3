"""Sitemaps (sitemaps.org, Google News, plain text) -> links, and the sitemaps that an index names."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import blake2b
from html import unescape
from itertools import islice, pairwise
from typing import Any, TypeVar

from lxml import etree

from crawler.dates.listed import end_of_day, last_day_of, latest, listing_habits
from crawler.dates.moments import UNKNOWN, Habits
from crawler.items import Hints, Link
from crawler.parsers.lastmods import A_MINUTE, say_nothing
from crawler.parsers.links import (
    MAX_DATE_CHARS,
    MAX_LINKS,
    MAX_PROLOGUE_BYTES,
    MAX_URL_CHARS,
    NO_HINTS,
    Child,
    NotAListing,
    Reading,
    Scope,
    address_of,
    decoded_xml,
    distinct_links,
    iso_date,
    looks_absolute,
    plain_text,
    xml_parser,
)
from crawler.parsers.sitemap_parts import newest_parts, period_end
from crawler.urls import site_of

MAX_UNDATED = 1_000
"""Entries of one sitemap without any date that are taken at a look, of those that no look before has seen."""

T = TypeVar("T")


def read_sitemap(body: bytes, url: str, since: datetime | None, scope: Scope) -> Reading:
    """Parse a sitemap or a sitemap index found at `url`; older entries than `since` (aware) are left out, and so are
    addresses of another site, and undated ones beyond MAX_UNDATED. Raises NotAListing."""
    text = decoded_xml(body)
    root = _parse_xml(text)
    entries = [_fields(element) for element in _ends(list(root.iter("{*}sitemap", "{*}url")), MAX_LINKS)]
    if _ends_in_an_address(text):
        entries = entries[:-1]
    habits = _habits(entries, scope.language)
    if _local_name(root.tag).lower() == "sitemapindex":
        return _read_index(entries, url, since, habits)
    kind = "news_sitemap" if any("news_date" in entry or "news_title" in entry for entry in entries) else "sitemap"
    return _read_entries(kind, entries, url, since, scope, habits)


_AMPERSAND = "\ue000"
"""Stands for `&` while libxml2 parses: after the first fault of a document it drops every `&amp;` without a word, and
`?a=1&amp;b=2` is another address then. So no entity reaches it, and none is ever expanded."""


def _parse_xml(text: str) -> Any:
    """What of an XML document is sound, with _AMPERSAND for `&`."""
    parser = xml_parser(recover=True)
    try:
        root = etree.fromstring(_from_root(text).replace("&", _AMPERSAND).encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise NotAListing("not_a_sitemap")
    return root


def _from_root(text: str) -> str:
    """Without what a server has to say before the document begins (`<br/><b>Warning</b>: …`)."""
    text = (
        re.sub(r"(?s)<!--.*?(?:-->|\Z)", "", text[:MAX_PROLOGUE_BYTES]) + text[MAX_PROLOGUE_BYTES:]
    )  # they may name another root
    root = re.search(r"<(?:[\w.-]+:)?(?:urlset|sitemapindex)\b", text, re.IGNORECASE)
    return text[root.start() :] if root else text.strip()


def _own_text(element: Any) -> str:
    """An element's text, XML's own escapes resolved; HTML's (`&eacute;`) are left to plain_text(), in an address they mean
    nothing."""
    text = (element.text or "").strip()
    if _AMPERSAND not in text:
        return text
    text = text.replace(_AMPERSAND, "&")
    return re.sub(r"&(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);", lambda escape: unescape(escape[0]), text)


def _ends_in_an_address(text: str) -> bool:
    """Whether the document breaks off inside a `<loc>`: half an address is another address."""
    opened = [match.end() for match in re.finditer(r"<(?:[\w.-]+:)?loc\b", text[-2 * MAX_URL_CHARS :])]
    return bool(opened) and not re.search(r"</(?:[\w.-]+:)?loc\s*>", text[-2 * MAX_URL_CHARS :][opened[-1] :])


_FIELDS = {
    ("news", "publication_date"): "news_date",
    ("news", "title"): "news_title",
    ("publication", "language"): "news_language",
    ("news", "language"): "news_language",
    ("image", "loc"): "image",
    ("url", "loc"): "loc",
    ("url", "lastmod"): "lastmod",
    ("sitemap", "loc"): "loc",
    ("sitemap", "lastmod"): "lastmod",
}
"""(parent, element) -> field. By local name: prefixes and even namespaces are often wrong, and some are never declared."""


def _fields(element: Any) -> dict[str, str]:
    """What an entry says of one address: loc, lastmod, news_date, news_title, news_language, image."""
    found: dict[str, str] = {}
    for child in element.iterdescendants(etree.Element):
        name = _FIELDS.get((_local_name(child.getparent().tag), _local_name(child.tag)))
        if name and name not in found and (text := _own_text(child)):
            found[name] = text
    return found


@lru_cache(maxsize=256)
def _local_name(tag: str) -> str:
    return re.split("[}:]", tag)[-1]


def _habits(entries: list[dict[str, str]], language: str | None) -> Habits:
    """How a sitemap writes its dates: nearly all do by ISO 8601, which leaves nothing to ask."""
    said = (entry.get(name) for entry in entries for name in ("news_date", "lastmod"))
    other = [one for one in said if one and one[4:5] != "-"]
    spoken = next((found for entry in entries if (found := entry.get("news_language"))), None) if other else None
    return listing_habits(other, spoken or language)


def _read_entries(
    kind: str, entries: Sequence[dict[str, str]], url: str, since: datetime | None, scope: Scope, habits: Habits
) -> Reading:
    """What a sitemap names: what costs most comes last, and only for what is new."""
    sites = scope.sites or (site_of(url),)
    dated: list[Entry] = []
    undated: list[Entry] = []
    foreign: list[str] = []
    if kind == "news_sitemap":
        _forget_false_clocks(entries, habits)
    for entry, until in zip(entries, _ages(entries, url, since, scope, habits), strict=True):
        if since and until and until < since:
            continue
        address = address_of(entry.get("loc"), url)
        if address is None:
            continue
        if site_of(address) not in sites:
            foreign.append(address)
            continue
        until = until or _date_in(address)
        if until is None:
            undated.append((address, entry))
        elif since is None or until >= since:
            dated.append((address, entry))
    if foreign and not dated and not undated:
        _refuse_foreign(foreign, entries, url, sites)
    offered, rest = _new_undated(undated, scope)
    links = distinct_links(
        (
            Link(url=address, hints=_sitemap_hints(entry, url, habits), updated=_changed_at(entry, habits))
            for address, entry in (*dated, *offered)
        ),
        MAX_LINKS,
    )
    return Reading(kind=kind, links=links, **rest)


def _forget_false_clocks(entries: Sequence[dict[str, str]], habits: Habits) -> None:
    """Take away the times of publication that all are of one minute: a machine wrote down when it was asked."""
    clocks = [
        _until(said, habits) if len(said := entry.get("news_date", "")) > len("2026-11-01") else None
        for entry in entries
    ]
    if span := say_nothing(clocks, A_MINUTE):
        for entry, clock in zip(entries, clocks, strict=True):
            if clock and span[0] <= clock <= span[1]:
                del entry["news_date"]


def _ages(
    entries: Sequence[dict[str, str]], url: str, since: datetime | None, scope: Scope, habits: Habits
) -> Iterator[datetime | None]:
    """The latest instant that each entry's date may mean; None where it has none that is believed."""
    changed = [_until(entry.get("lastmod"), habits) for entry in entries]
    span = say_nothing(changed) if since else None
    end = period_end(url)
    if scope.dates_tell or (since and end and end < since):  # it may all be of one old day
        span = None
    elif scope.dates_tell is False:
        span = _NEVER, _FOR_EVER
    for entry, said in zip(entries, changed, strict=True):
        is_false = span and said and span[0] <= said <= span[1]
        yield _until(entry.get("news_date"), habits) or (None if is_false else said)


_NEVER, _FOR_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _changed_at(entry: dict[str, str], habits: Habits) -> str | None:
    """When an entry was changed, as it says, believed or not: what all say at once is no reason to look again."""
    said = entry.get("lastmod", "")[:MAX_DATE_CHARS]
    return said or None if said[4:5] == "-" else iso_date(said, habits)  # nearly all are ISO 8601


Entry = tuple[str, dict[str, str]]
"""An address, and what is said of it."""


def _refuse_foreign(
    foreign: Sequence[str], entries: Sequence[dict[str, str]], url: str, sites: Collection[str | None]
) -> None:
    """Raise NotAListing where a sitemap names one other site's addresses only, old ones, too."""
    other, *more = {*map(site_of, foreign)}
    some = filter(None, (address_of(entry.get("loc"), url) for entry in islice(entries, MAX_UNDATED)))
    if not more and all(site_of(address) not in sites for address in some):
        raise NotAListing(f"elsewhere_{other}")


def _new_undated(undated: list[Entry], scope: Scope) -> tuple[list[Entry], dict[str, Any]]:
    """Of addresses without a date those to be taken, and what there is to say of the others.

    Where they are too many, those that an earlier look offered, or left out, count no more: what is new since is taken
    wherever it stands.
    """
    if len(undated) <= MAX_UNDATED and not scope.seen:
        return undated, {}
    wanted = [entry for entry in undated if scope.source is None or scope.source.wants(entry[0])]
    seen = {scope.seen[at : at + _PRINT_BYTES] for at in range(0, len(scope.seen), _PRINT_BYTES)}
    prints = {address: blake2b(address.encode(), digest_size=_PRINT_BYTES).digest() for address, _ in wanted}
    new = [entry for entry in wanted if prints[entry[0]] not in seen]
    taken = _newest(new, MAX_UNDATED)
    known = seen.union(prints.values()) if len(seen) <= 2 * MAX_LINKS else {*prints.values()}
    return taken, {"left_out": len(new) - len(taken), "entries": len(wanted), "seen": b"".join(sorted(known))}


_PRINT_BYTES = 5
"""Of an address: among 50,000 one new one in 20 million would be taken for another."""


def _sitemap_hints(entry: dict[str, str], url: str, habits: Habits) -> Hints:
    if entry.keys() <= {"loc", "lastmod"}:
        return NO_HINTS
    return Hints(
        title=plain_text(entry.get("news_title")),
        date_published=iso_date(entry.get("news_date"), habits),
        language=plain_text(entry.get("news_language")),
        image_url=address_of(entry.get("image"), url),
    )


def _newest(entries: list[Entry], most: int) -> list[Entry]:
    """Those that are likely newest: by the numbers in the addresses where these rise or fall, else some of both ends."""
    if len(entries) <= most:
        return entries
    paths = (address.partition("://")[2].partition("/")[2] for address, _ in entries[:: len(entries) // _SAMPLES])
    numbers = [int(found[-1][-15:]) for path in paths if (found := re.findall(r"\d+", path))]
    steps = [later > earlier for earlier, later in pairwise(numbers) if later != earlier]
    if 2 * len(steps) < _SAMPLES or _SAME_WAY > sum(steps) / len(steps) > 1 - _SAME_WAY:
        return _ends(entries, most)
    return entries[-most:] if sum(steps) > len(steps) / 2 else entries[:most]


_SAMPLES = 16
"""Addresses of a sitemap by which it is told whether their numbers rise or fall."""

_SAME_WAY = 0.8
"""Share of steps between two of them that must go the same way."""


def _ends(entries: list[T], most: int) -> list[T]:
    """The first and the last, so many in all."""
    return entries if len(entries) <= most else [*entries[: most // 2], *entries[most // 2 - most :]]


def _read_index(entries: list[dict[str, str]], url: str, since: datetime | None, habits: Habits) -> Reading:
    """The parts that an index names, of whatever host: they speak for its own site."""
    parts: dict[str, Child] = {}
    for entry in entries:
        address = address_of(entry.get("loc"), url)
        if address and address != url:
            parts.setdefault(address, Child(url=address, changed_at=_until(entry.get("lastmod"), habits)))
    asked, resting = newest_parts([*parts.values()], since)
    return Reading(
        kind="sitemap", children=tuple(asked), resting=tuple(child.url for child in resting), named=tuple(parts)
    )


def read_text_sitemap(body: bytes, url: str, since: datetime | None, scope: Scope) -> Reading | None:
    """A sitemap as a plain list of addresses, one a line (sitemaps.org, "Text file"); None when it is none."""
    encoding = "utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    lines = re.sub(r"(?m)^#.*", "", body.decode(encoding, "replace")).split()
    if not lines or not looks_absolute(lines[0]):
        return None
    entries = [{"loc": line} for line in _ends(lines, MAX_LINKS) if looks_absolute(line)]
    return _read_entries("sitemap", entries, url, since, scope, UNKNOWN)


def _until(value: str | None, habits: Habits) -> datetime | None:
    """The latest instant a date may mean."""
    said = value.strip() if value else ""
    return latest(said, habits) if 0 < len(said) <= MAX_DATE_CHARS else None


_DATE = re.compile(r"/(20\d\d)[/-]?(0[1-9]|1[0-2])(?:[/-]?(0[1-9]|[12]\d|3[01]))?(?!\d)")


def _date_in(url: str) -> datetime | None:
    """The end of the day, or of the month, that an address names."""
    match = _DATE.search(url.partition("?")[0].partition("://")[2])
    if not match:
        return None
    try:
        day = (
            date(int(match[1]), int(match[2]), int(match[3])) if match[3] else last_day_of(int(match[1]), int(match[2]))
        )
    except ValueError:
        return None
    return end_of_day(day)
