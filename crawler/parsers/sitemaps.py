"""Sitemaps (sitemaps.org, Google News, plain text) -> links, and the sitemaps that an index names."""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from html import unescape
from itertools import islice
from typing import Any

from lxml import etree

from crawler.dates.listed import end_of_day, last_day_of, latest, listing_habits
from crawler.dates.moments import Habits
from crawler.items import Hints, Link
from crawler.parsers.links import (
    MAX_CHILDREN,
    MAX_DATE_CHARS,
    MAX_LINKS,
    MAX_PROLOGUE_BYTES,
    MAX_URL_CHARS,
    NO_HINTS,
    Child,
    NotAListing,
    Reading,
    address_of,
    decoded_xml,
    distinct_links,
    iso_date,
    link_of,
    looks_absolute,
    plain_text,
)
from crawler.urls import same_site, site_of

MAX_UNDATED = 1_000
"""Entries of one sitemap without any date that are taken."""


def read_sitemap(body: bytes, url: str, since: datetime | None, language: str | None = None) -> Reading:
    """Parse a sitemap or a sitemap index found at `url`; older entries than `since` (aware) are left out, and so are
    addresses of another site, and undated ones beyond MAX_UNDATED. `language` is its source's. Raises NotAListing."""
    text = decoded_xml(body)
    root = _parse_xml(text)
    entries = [_fields(element) for element in islice(root.iter("{*}sitemap", "{*}url"), MAX_LINKS)]
    if _ends_in_an_address(text):
        entries = entries[:-1]
    habits = _habits(entries, language)
    if _local_name(root.tag).lower() == "sitemapindex":
        return Reading(kind="sitemap", children=_newest_children(entries, url, since, habits))
    kind = "news_sitemap" if any("news_date" in entry or "news_title" in entry for entry in entries) else "sitemap"
    return Reading(kind=kind, links=_sitemap_links(entries, url, since, habits))


_AMPERSAND = "\ue000"
"""Stands for `&` while libxml2 parses: after the first fault of a document it drops every `&amp;` without a word, and
`?a=1&amp;b=2` is another address then. So no entity reaches it, and none is ever expanded."""


def _parse_xml(text: str) -> Any:
    """What of an XML document is sound, with _AMPERSAND for `&`."""
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        encoding="utf-8",
    )
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


def _sitemap_links(entries: list[dict[str, str]], url: str, since: datetime | None, habits: Habits) -> tuple[Link, ...]:
    """The links of a sitemap: what costs most comes last, and only for what is new."""
    dated, undated, site = [], [], site_of(url)
    for entry in entries:
        until = _until(entry.get("news_date"), habits) or _until(entry.get("lastmod"), habits)
        if since and until and until < since:
            continue
        address = address_of(entry.get("loc"), url)
        if address is None or site is None or site_of(address) != site:
            continue
        until = until or _date_in(address)
        if until is None:
            undated.append((address, entry))
        elif since is None or until >= since:
            dated.append((address, entry))
    newest = (*dated, *undated[_newest_undated([address for address, _ in undated])])
    return distinct_links(
        (Link(url=address, hints=_sitemap_hints(entry, url, habits)) for address, entry in newest), MAX_LINKS
    )


def _sitemap_hints(entry: dict[str, str], url: str, habits: Habits) -> Hints:
    if entry.keys() <= {"loc", "lastmod"}:
        return NO_HINTS
    return Hints(
        title=plain_text(entry.get("news_title")),
        date_published=iso_date(entry.get("news_date"), habits),
        language=plain_text(entry.get("news_language")),
        image_url=address_of(entry.get("image"), url),
    )


def _newest_undated(addresses: list[str]) -> slice:
    """The 1,000 that are likely newest: by the numbers in them when these rise or fall, else the first."""
    ends = (*addresses[:1], *addresses[-1:])
    numbers = [int(found[-1][-15:]) for end in ends if (found := re.findall(r"\d+", end))]
    rising = len(numbers) == 2 and numbers[0] < numbers[1]
    return slice(-MAX_UNDATED, None) if rising else slice(MAX_UNDATED)


def _newest_children(
    entries: list[dict[str, str]], url: str, since: datetime | None, habits: Habits
) -> tuple[Child, ...]:
    children = []
    for entry in entries:
        link, until = link_of(entry.get("loc"), url, Hints()), _until(entry.get("lastmod"), habits)
        if link is None or not same_site(link.url, url) or link.url == url:
            continue
        if since is None or until is None or until >= since:
            children.append(Child(url=link.url, changed_at=until))
    oldest = datetime.min.replace(tzinfo=UTC)
    distinct: dict[str, Child] = {}
    for child in sorted(children, key=lambda child: child.changed_at or oldest, reverse=True):
        distinct.setdefault(child.url, child)
    return tuple(distinct.values())[:MAX_CHILDREN]


def read_text_sitemap(body: bytes, url: str) -> tuple[Link, ...]:
    """A sitemap as a plain list of addresses, one a line (sitemaps.org, "Text file")."""
    encoding = "utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    lines = re.sub(r"(?m)^#.*", "", body.decode(encoding, "replace")).split(None, MAX_LINKS)[:MAX_LINKS]
    if not lines or not looks_absolute(lines[0]):
        return ()
    found = (link_of(line, url, Hints()) for line in lines if looks_absolute(line))
    links = [link for link in found if link and same_site(link.url, url)]
    return distinct_links(links[_newest_undated([link.url for link in links])], MAX_LINKS)


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
