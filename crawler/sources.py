"""sources.toml -> Source. Strict: what is not understood is an error that names the nearest thing that is.

Everything a user may say about a news site is one field here; nothing else reads the file.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cssselect import SelectorError
from lxml import etree
from parsel import csstranslator

KINDS = ("feed", "news_sitemap", "sitemap", "homepage")
"""What may be discovered, in the order in which it is tried: the most precise first."""

DEFAULT_USER_AGENT = "Broadsheet/1 (+no contact address given)"


class SourcesError(Exception):
    """sources.toml cannot be used; the message names the file, the entry and the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One news site as its user describes it."""

    url: str  #: the front page; also the source's identity from run to run
    name: str  #: what people read; the host without `www.` unless given
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()  #: single article addresses
    discover: tuple[str, ...] = KINDS  #: () when entry points are named
    language: str | None = None  #: believed where the page is silent
    timezone: str | None = None  #: IANA name for times that carry no offset
    category: str | None = None
    enabled: bool = True
    include: tuple[str, ...] = ()  #: regular expressions, searched in the URL; () takes all
    exclude: tuple[str, ...] = ()
    body: str | None = None  #: XPath or CSS of the article's element
    strip: tuple[str, ...] = ()  #: XPath or CSS of what never belongs to the text
    recheck: bool = True  #: look again for changed articles

    def wants(self, url: str) -> bool:
        """Whether `include` and `exclude` let this address through."""
        included = not self.include or any(re.search(rule, url) for rule in self.include)
        return included and not any(re.search(rule, url) for rule in self.exclude)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlSettings:
    """The `[crawl]` table: manners, for all sources."""

    user_agent: str = DEFAULT_USER_AGENT
    delay: float = 1.0  #: seconds between two requests to one host
    concurrency: int = 1  #: requests at a time to one host
    since: str = "7d"  #: `7d`, `36h` or a day `2026-11-01`: of a sitemap nothing older
    allow_private: tuple[str, ...] = ()  #: networks that may be entered although they are not public

    @property
    def has_contact(self) -> bool:
        return bool(re.search(r"https?://|@", self.user_agent))

    def since_date(self, now: datetime) -> datetime:
        """The oldest instant a first look at a sitemap takes."""
        if match := re.fullmatch(r"(\d{1,5})([dh])", self.since):
            number, unit = int(match[1]), match[2]
            return now - (timedelta(days=number) if unit == "d" else timedelta(hours=number))
        return datetime.fromisoformat(self.since).replace(tzinfo=UTC)

    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(text) for text in self.allow_private)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesFile:
    """All of sources.toml."""

    crawl: CrawlSettings
    sources: tuple[Source, ...]


def read_sources(path: Path) -> SourcesFile:
    """Read and check a sources.toml; raises SourcesError with a message for its owner."""
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise SourcesError(f"{path}: no such file; `broadsheet sources add URL` begins one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SourcesError(f"{path}: cannot be read: {error}") from None
    return parse_sources(text, str(path))


def parse_sources(text: str, where: str = "sources.toml") -> SourcesFile:
    """Check the text of a sources.toml; `where` begins every message."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SourcesError(f"{where}: not valid TOML: {error}") from None
    _only_known(tables, ("crawl", "source"), where)
    crawl = _crawl(tables.get("crawl", {}), f"{where}: [crawl]")
    entries = tables.get("source", [])
    if not isinstance(entries, list) or not entries:
        raise SourcesError(
            f'{where}: no source; add one with `broadsheet sources add URL`, or a [[source]] table with url = "https://…"'
        )
    sources = tuple(_source(entry, f"{where}: [[source]] {number}") for number, entry in enumerate(entries, 1))
    _no_twins(sources, where)
    return SourcesFile(crawl=crawl, sources=sources)


def default_name(url: str) -> str:
    """What a source is called until its user says otherwise: its host, without `www.`."""
    return (urlsplit(url).hostname or url).removeprefix("www.")


def _source(entry: object, where: str) -> Source:
    if not isinstance(entry, dict):
        raise SourcesError(f"{where}: must be a table")
    if not isinstance(entry.get("url"), str):
        raise SourcesError(f'{where}: needs url = "https://…"')
    where = f"{where} ({entry['url']})"
    named = entry.get("feeds") or entry.get("sitemaps") or entry.get("pages")
    if "strip" in entry and isinstance(entry["strip"], str):
        entry = entry | {"strip": [entry["strip"]]}
    values = {"name": default_name(entry["url"]), "discover": () if named else KINDS} | _typed(entry, Source, where)
    source = Source(**values)
    for url in (source.url, *source.feeds, *source.sitemaps, *source.pages):
        _check_url(url, where)
    for kind in source.discover:
        if kind not in KINDS:
            raise SourcesError(f"{where}: discover: unknown kind {kind!r}{_nearest(kind, KINDS)}")
    for rule in (*source.include, *source.exclude):
        _check(re.compile, rule, re.error, f"{where}: {rule!r} is no regular expression")
    for selector in (*([source.body] if source.body else []), *source.strip):
        _check(to_xpath, selector, (etree.XPathError, SelectorError), f"{where}: {selector!r} is neither XPath nor CSS")
    if source.timezone is not None:
        _check(
            ZoneInfo,
            source.timezone,
            (ZoneInfoNotFoundError, ValueError, OSError),
            f"{where}: unknown timezone {source.timezone!r}, expected a name such as Europe/London",
        )
    return source


def _crawl(table: object, where: str) -> CrawlSettings:
    if not isinstance(table, dict):
        raise SourcesError(f"{where}: must be a table")
    crawl = CrawlSettings(**_typed(table, CrawlSettings, where))
    if not 0 <= crawl.delay <= 3600:
        raise SourcesError(f"{where}: delay = {crawl.delay}: expected 0 to 3600 seconds")
    if not 1 <= crawl.concurrency <= 16:
        raise SourcesError(f"{where}: concurrency = {crawl.concurrency}: expected 1 to 16")
    _check(
        lambda _: crawl.since_date(datetime(2026, 1, 1, tzinfo=UTC)),
        crawl.since,
        (ValueError, OverflowError),
        f'{where}: since = {crawl.since!r}: expected "7d", "36h" or "2026-11-01"',
    )
    _check(
        lambda _: crawl.networks(),
        crawl.allow_private,
        ValueError,
        f'{where}: allow_private: expected networks such as "127.0.0.0/8"',
    )
    return crawl


def to_xpath(selector: str) -> str:
    """An XPath as it is, CSS translated. Raises SelectorError or XPathError when it is neither."""
    if selector.startswith(("/", "./", "(", "descendant")):
        etree.XPath(selector)
        return selector
    return str(csstranslator.HTMLTranslator().css_to_xpath(selector))


def _typed(table: Mapping[str, Any], model: type, where: str) -> dict[str, Any]:
    """The table's values with lists as tuples, each checked against the field's type."""
    known = {known.name: known for known in fields(model)}
    _only_known(table, tuple(known), where)
    return {key: _value(value, known[key], f"{where}: {key}") for key, value in table.items() if value != ""}


def _value(value: Any, known: Field[Any], where: str) -> Any:
    wanted = str(known.type)
    if "tuple" in wanted:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise SourcesError(f"{where}: expected a list of strings, not {value!r}")
        return tuple(value)
    kinds = {"bool": bool, "int": int, "float": (int, float)}
    accepted = next((kind for name, kind in kinds.items() if name in wanted), str)
    if not isinstance(value, accepted) or (isinstance(value, bool) and accepted is not bool):
        expected = (
            {bool: "true or false", int: "a whole number", str: "a string"}.get(accepted, "a number")
            if isinstance(accepted, type)
            else "a number"
        )
        raise SourcesError(f"{where}: expected {expected}, not {value!r}")
    return value


def _only_known(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise SourcesError(f"{where}: unknown key {key!r}{_nearest(key, known)}")


def _nearest(word: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def _check_url(url: str, where: str) -> None:
    parts = _check(urlsplit, url, ValueError, f"{where}: {url!r} is no address")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SourcesError(f"{where}: {url!r} is no http or https address")
    if parts.username or parts.password:
        raise SourcesError(f"{where}: {url!r} carries a user name; credentials do not belong in a URL")


def _check(test: Any, value: Any, errors: type[Exception] | tuple[type[Exception], ...], message: str) -> Any:
    try:
        return test(value)
    except errors as error:
        raise SourcesError(f"{message} ({error})") from None


def _no_twins(sources: tuple[Source, ...], where: str) -> None:
    for field_name in ("url", "name"):
        seen: dict[str, int] = {}
        for number, source in enumerate(sources, 1):
            value = getattr(source, field_name)
            if value in seen:
                raise SourcesError(
                    f"{where}: [[source]] {number} has the {field_name} of [[source]] {seen[value]}: {value}"
                )
            seen[value] = number
