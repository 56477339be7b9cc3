"""Import and export of source lists: OPML (see opml.py), CSV, one address a line <-> entries of sources.toml. Pure.

sources.toml wants every source under an address and a name of its own; readers' lists have five feeds of one site, and
three that are called "News". Here is how both get their way, so that a list comes out as it went in.
"""

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from crawler.items import ENTRY_POINTS, KINDS, Source
from crawler.sources.languages import is_language
from crawler.sources.opml import Entry, UnreadableList, read_opml, write_opml
from crawler.sources.toml_file import SourcesError, source_of
from crawler.urls import UnusableURL, canonical_url, default_name, origin_of

SUFFIXES = (".opml", ".xml", ".csv", ".txt")
"""FreshRSS calls its export `feeds_2026-11-03.opml.xml`."""


_BASIC_COLUMNS = ("url", "name", "category", "language", "feeds")
"""Always in a CSV that is written; the others only where a source says something there."""


_SPACED = (*ENTRY_POINTS, "discover")
"""Lists whose parts hold no space; those of the others are lines, since rules and selectors may hold one."""


_FEED_ADDRESS = re.compile(
    r"//(feeds?|rss)\.|/([\w-]*[_-])?(feeds?|rss|atom|rdf|index)(/|\.(xml|rss|rdf|atom|json))?$|\.(xml|rss|rdf|atom)$"
)


_SITEMAP_ADDRESS = re.compile(
    r"sitemap(?:(?!sitemap)[^/.]|\.(?!(?:xml|txt)(?:\.gz)?$))*+\.(?:xml|txt)(?:\.gz)?$|\.xml\.gz$"
)
"""How an address in a plain list tells, unasked, that it is no front page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """The result of an import: what a list brings to the sources that are there already."""

    new: tuple[Entry, ...]  #: complete and checked, in the order of the list
    already_present: tuple[str, ...]  #: names or addresses of what was there before
    refused: tuple[str, ...]  #: mistakes, in words


def read_list(data: bytes, suffix: str, unused: Counter[str]) -> list[Entry]:
    """Parse a list into entries; `url` may be missing. What it had and was not understood is counted. Raises UnreadableList."""
    if suffix in (".opml", ".xml"):
        return read_opml(data, unused)
    return _read_csv(_decoded(data), unused) if suffix == ".csv" else _read_lines(data)


def _decoded(data: bytes) -> str:
    """UTF-8, or UTF-16 with its mark as spreadsheets write it."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableList(f"not UTF-8 (byte {error.start}); save it as UTF-8") from None


def addresses(data: bytes) -> list[str]:
    """The addresses of a plain list, one a line; # begins a comment. Raises UnreadableList."""
    lines = (re.sub(r"(\A|\s)#.*", "", line).strip() for line in _decoded(data).splitlines())
    return [with_scheme(line) for line in lines if line]


def _read_lines(data: bytes) -> list[Entry]:
    entries: list[Entry] = []
    for url in addresses(data):
        kind = "sitemaps" if _SITEMAP_ADDRESS.search(url) else "feeds" if _FEED_ADDRESS.search(url) else None
        entries.append({kind: [url]} if kind else {"url": url})
    return entries


def with_scheme(address: str) -> str:
    """What a person calls a site, as an address: `www.x.example` is `https://www.x.example/`."""
    url = address if "://" in address else f"https://{address}"
    return f"{url}/" if re.fullmatch(r"https?://[^/?#]+", url) else url


def delimiter_of(text: str) -> str:
    """What stands between two cells of a CSV's header. Spreadsheets write the comma's stand-in where the comma is a decimal
    point; copied cells have tabs between them."""
    return max(",;\t", key=text.lstrip().partition("\n")[0].count)


def _read_csv(text: str, unused: Counter[str]) -> list[Entry]:
    rows = csv.DictReader(
        io.StringIO(text.lstrip("\n"), newline=""), delimiter=delimiter_of(text), restkey="cell beyond the header"
    )
    known = {model.name: model for model in fields(Source)}
    try:
        columns = {column: column.strip().lower() for column in rows.fieldnames or () if column}
        if not {"url", *ENTRY_POINTS} & set(columns.values()):
            raise UnreadableList(f"no column is called url or feeds; known are {', '.join(known)}")
        return [_entry_of(row, columns, known, unused) for row in rows]
    except csv.Error as error:
        raise UnreadableList(f"no CSV: line {rows.line_num}: {error}") from None


def _entry_of(
    row: Mapping[Any, Any], columns: Mapping[str, str], known: Mapping[str, Any], unused: Counter[str]
) -> Entry:
    entry: Entry = {}
    for column, cell in row.items():
        name = columns.get(column, column)
        if not cell or not str(cell).strip():
            continue
        if name not in known:
            unused[f"column {name}" if column in columns else str(column or "column without a name")] += 1
        else:
            entry[name] = _value(name, known[name].type, cell.strip())
    if "url" in entry:
        entry["url"] = with_scheme(entry["url"])
    return entry


def _value(name: str, kind: Any, cell: str) -> Any:
    if kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        return words.get(cell.lower(), cell)  # what is neither is a mistake that the strict reader names
    if kind == tuple[str, ...]:
        none = name == "discover" and cell == "-"
        return [] if none else cell.split() if name in _SPACED else [part.strip() for part in cell.splitlines()]
    return cell


class _Taken:
    """Addresses, names and feeds that are taken, and by whom."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self.by_url: dict[str, Source] = {}
        self.points: set[str] = set()  #: feeds, sitemaps and pages that a source names
        self.names: set[str] = set()
        for source in sources:
            self.take(source)

    def take(self, source: Source) -> None:
        self.by_url[source.url] = source
        self.points.update(canonical_url(url) for kind in ENTRY_POINTS for url in getattr(source, kind))
        self.names.add(source.name)

    def missing(self, points: Iterable[str]) -> list[str]:
        return [point for point in points if canonical_url(point) not in self.points]

    def name_for(self, title: str | None, url: str) -> str:
        """The title; `News · x.example` where another source is called `News`, or where the title could be an address.

        A title that ends so of itself gets a second ending: original_titles() takes one off.
        """
        wanted = title or self._plain_name(url)
        if wanted not in self.names and "://" not in wanted and not _ending(wanted, url):
            return wanted
        numbers = itertools.chain([""], map(" {}".format, itertools.count(2)))
        candidates = (f"{wanted} · {default_name(url)}{number}" for number in numbers)
        return next(name for name in candidates if name not in self.names)

    def _plain_name(self, url: str) -> str:
        """The host, with the path behind it where another source has the host's name."""
        host = default_name(url)
        return host if host not in self.names else f"{host}{urlsplit(url).path}"


def _ending(name: str, url: str) -> str:
    """What name_for() put behind a title, or would have."""
    found = re.search(rf" · {re.escape(default_name(url))}( \d+)?\Z", name) if " · " in name else None
    return found[0] if found else ""


def original_titles(sources: Iterable[Source]) -> dict[str, str]:
    """Per source's url the title that its list gave it."""
    return {source.url: source.name.removesuffix(_ending(source.name, source.url)) for source in sources}


def merge_into(entries: Sequence[Entry], known: Iterable[Source]) -> ImportResult:
    """Merge entries into the sources that are known: each that is not there yet gets an address and a name of its own, and
    check it as sources.toml would be."""
    taken = _Taken(known)
    new: list[Entry] = []
    already_present: list[str] = []
    refused: list[str] = []
    for number, entry in enumerate(entries, 1):
        try:
            complete = _placed(entry, taken)
            if complete:
                taken.take(source_of(complete, f"entry {number}"))
        except SourcesError as error:
            refused.append(str(error))
        except UnusableURL as error:
            refused.append(f"entry {number}: {error}")
        else:
            if complete:
                new.append(complete)
            else:
                already_present.append(str(entry.get("name") or entry.get("url") or " ".join(_entry_points(entry))))
    return ImportResult(new=tuple(new), already_present=tuple(already_present), refused=tuple(refused))


def with_said(entries: Iterable[Entry], known: Iterable[Source], said: Mapping[str, Mapping[str, str]]) -> list[Entry]:
    """The entries with the names and languages that their sites say of themselves, by url, where they have none yet."""
    entries = list(entries)
    sources = [source_of(entry, "entry") for entry in entries]
    taken = _Taken([*known, *sources])
    complete: list[Entry] = []
    for entry, source in zip(entries, sources, strict=True):
        more = said.get(source.url, {})
        name, language = " ".join((more.get("name") or more.get("title", "")).split()), more.get("language", "")
        own = {"url": entry["url"]}
        if name and name.isprintable() and len(name) <= MAX_NAME_CHARS and not is_named(source):
            own["name"] = taken.name_for(name, source.url)
            taken.names.add(own["name"])
        own |= {key: value for key, value in entry.items() if key not in own}
        complete.append(own | ({"language": language} if is_language(language) and not source.language else {}))
    return complete


def is_named(source: Source) -> bool:
    """Whether somebody has called a source something; else it has a name made of its address."""
    return not source.name.startswith(default_name(source.url))


MAX_NAME_CHARS = 100
"""Longest name that a site is called by its own word; what is longer is a sentence about it."""


def _placed(entry: Entry, taken: _Taken) -> Entry | None:
    """The entry with an address and a name that are free; None when it is there already."""
    points = _entry_points(entry)
    if points and not taken.missing(points):
        return None
    feeds = taken.missing(entry.get("feeds", []))
    url = _address_for(entry, feeds, taken)
    if url is None:
        return None
    name = taken.name_for(entry.get("name"), url)
    own = {"url": url} | ({} if name == default_name(url) else {"name": name}) | ({"feeds": feeds} if feeds else {})
    return own | {key: value for key, value in entry.items() if key not in own and key not in ("name", "feeds")}


def _address_for(entry: Entry, feeds: Sequence[str], taken: _Taken) -> str | None:
    """The site's address; the feed's own where another feed of the site has that. None when the site is there already."""
    points = feeds or _entry_points(entry)
    url = entry.get("url") or next((f"{origin_of(canonical_url(point))}/" for point in points), "")
    holder = taken.by_url.get(canonical_url(url))
    if holder is None:
        return str(url)
    covered = "url" in entry and (not feeds or (holder.discover and not holder.feeds))
    return None if covered or canonical_url(points[0]) in taken.by_url else points[0]


def _entry_points(entry: Entry) -> list[str]:
    return [url for kind in ENTRY_POINTS for url in entry.get(kind, ())]


def write_list(sources: Sequence[Source], suffix: str, left_out: Counter[str]) -> bytes:
    """Serialize the sources as another program reads them, by `suffix`; what the format has no place for is counted."""
    if suffix in (".opml", ".xml"):
        return write_opml(sources, original_titles(sources), left_out)
    if suffix == ".csv":
        return _write_csv(sources, original_titles(sources))
    left_out.update(key for source in sources for key in _said(source))
    return "".join(f"{source.url}\n" for source in sources).encode()


def _said(source: Source) -> dict[str, Any]:
    """What sources.toml says of it beside its address."""
    named = any(getattr(source, kind) for kind in ENTRY_POINTS)
    bare = Source(url=source.url, name=default_name(source.url), discover=() if named else KINDS)
    values = {model.name: getattr(source, model.name) for model in fields(Source)}
    return {key: value for key, value in values.items() if value != getattr(bare, key)}


def _write_csv(sources: Sequence[Source], titles: Mapping[str, str]) -> bytes:
    said = [{"url": source.url} | _said(source) | {"name": titles[source.url]} for source in sources]
    columns = [model.name for model in fields(Source) if model.name in {*_BASIC_COLUMNS, *itertools.chain(*said)}]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(column, entry.get(column, "")) for column in columns] for entry in said)
    # The mark tells spreadsheets that this is UTF-8.
    return ("\ufeff" + out.getvalue()).encode()


def _cell(column: str, value: Any) -> str:
    if isinstance(value, tuple):
        return (" " if column in _SPACED else "\n").join(value) or "-"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
