"""sources.toml -> Source. Strict: what is not understood is an error that names the nearest thing that is.

Everything a user may say about a news site is one field here; nothing else reads the file.
"""

import difflib
import io
import os
import re
import shlex
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import Field, dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cssselect import SelectorError
from lxml import etree

from crawler.items import ENTRY_POINTS, KINDS, TITLES, WAYS, Alert, Delivery, Source
from crawler.selectors import to_xpath
from crawler.sources.languages import is_language, language_meant
from crawler.urls import UnusableURL, canonical_url, default_name

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


DEFAULT_USER_AGENT = "Broadsheet/1 (+no contact address given)"
"""Where sources.toml has none; the news spider warns."""


class SourcesError(Exception):
    """sources.toml cannot be used; each of its arguments is a fault that names the file, the entry and the way out."""

    def __str__(self) -> str:
        return "; ".join(self.args)


class _Faults(list[str]):
    """All that is wrong, so that one look at the message mends the file."""

    @contextmanager
    def collecting(self) -> Iterator[None]:
        try:
            yield
        except SourcesError as error:
            self.extend(error.args)

    def raise_any(self) -> None:
        if self:
            raise SourcesError(*self)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlSettings:
    """The `[crawl]` table: manners, for all sources."""

    user_agent: str = DEFAULT_USER_AGENT
    delay: float = 1.0  #: seconds between two requests to one host
    concurrency: int = 1  #: requests at a time to one host
    budget: int = 5000  #: requests to one host in one run; at one a second over an hour
    since: str = "7d"  #: `7d`, `36h` or a day `2026-11-01`: of a sitemap nothing older
    allow_private: tuple[str, ...] = ()  #: networks that may be entered although they are not public
    warc: bool = True  #: whether originals are kept, in WARC files beside the database
    warc_days: int = 0  #: days after which these files are deleted; 0: never

    @property
    def has_contact(self) -> bool:
        return bool(re.search(r"https?://|@", self.user_agent))

    def since_date(self, now: datetime) -> datetime:
        """The oldest instant a first look at a sitemap takes."""
        if match := re.fullmatch(r"(\d{1,5})([dh])", self.since):
            number, unit = int(match[1]), match[2]
            return now - (timedelta(days=number) if unit == "d" else timedelta(hours=number))
        return datetime.strptime(self.since, "%Y-%m-%d").replace(tzinfo=UTC)

    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(text) for text in self.allow_private)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesFile:
    """All of sources.toml."""

    crawl: CrawlSettings
    sources: tuple[Source, ...]
    alerts: tuple[Alert, ...] = ()
    delivery: Delivery = field(default_factory=Delivery)


def read_sources(path: Path, *, may_be_empty: bool = False) -> SourcesFile:
    """Read and check a sources.toml; raises SourcesError with a message for its owner."""
    try:
        text = io.StringIO(read_bytes(path).decode("utf-8-sig"), newline=None).read()
    except FileNotFoundError:
        raise SourcesError(f"{path}: no such file; `broadsheet sources add URL` begins one") from None
    except OSError as error:
        raise SourcesError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SourcesError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from None
    return parse_sources(text, str(path), may_be_empty=may_be_empty)


MAX_FILE_BYTES = 16 * 2**20
"""Size limit of a sources.toml or another program's list. 10,000 sources with three feeds each take 6 MB as OPML."""


def read_bytes(path: Path, most: int = MAX_FILE_BYTES) -> bytes:
    """A file that a person wrote, to its end. Raises SourcesError where it has none within `most` bytes, or OSError.

    A pipe that nobody writes to is empty; to open it as usual would wait for somebody.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        os.set_blocking(file.fileno(), True)
        data = file.read(most + 1)
    if len(data) > most:
        raise SourcesError(f"{path}: cannot be read: larger than {most >> 20} MB")
    return data


def parse_sources(text: str, where: str = "sources.toml", *, may_be_empty: bool = False) -> SourcesFile:
    """Check the text of a sources.toml; `where` begins every fault, all of which are found at once. One without a source is
    a fault, unless it may be."""
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # an integer of 5,000 digits, 1,000 brackets: no TOMLDecodeError
        raise SourcesError(f"{where}: not valid TOML: {error}") from None
    faults = _Faults(_unknown(tables, ("crawl", "source", "alert", "alerts"), where))
    crawl = CrawlSettings()
    with faults.collecting():
        crawl = _crawl(tables.get("crawl", {}), f"{where}: [crawl]")
    sources: dict[int, Source] = {}
    with faults.collecting():
        for number, entry in enumerate(_listed(tables, "source", where), 1):
            with faults.collecting():
                sources[number] = source_of(entry, f"{where}: [[source]] {number}")
    faults += _twins(sources, where)
    alerts: dict[int, Alert] = {}
    with faults.collecting():
        for number, entry in enumerate(_listed(tables, "alert", where), 1):
            with faults.collecting():
                alerts[number] = _alert(entry, f"{where}: [[alert]] {number}")
    faults += _same_alerts(alerts, where)
    delivery = Delivery()
    with faults.collecting():
        delivery = _delivery(tables.get("alerts", {}), f"{where}: [alerts]")
    faults.raise_any()
    if not sources and not may_be_empty:
        raise SourcesError(
            f'{where}: no source; add one with `broadsheet sources add URL`, or a [[source]] table with url = "https://…"'
        )
    return SourcesFile(crawl=crawl, sources=tuple(sources.values()), alerts=tuple(alerts.values()), delivery=delivery)


def _listed(tables: Mapping[str, Any], kind: str, where: str) -> list[object]:
    entries = tables.get(kind, [])
    if not isinstance(entries, list):
        raise SourcesError(f"{where}: {kind} must be a list of tables: write [[{kind}]], with two brackets")
    return entries


def source_of(entry: object, where: str) -> Source:
    """Check one [[source]] table; `where` begins every fault of the SourcesError."""
    if not isinstance(entry, dict):
        raise SourcesError(f"{where}: must be a table: write [[source]] above its keys")
    url = entry.get("url")
    where = f"{where} ({url})" if url and isinstance(url, str) else where
    if isinstance(entry.get("strip"), str):
        entry = entry | {"strip": [entry["strip"]]}
    values = _typed(entry, Source, where)
    if "url" not in values:
        raise SourcesError(f'{where}: needs url = "https://…"')
    faults = _Faults()
    for address in (values["url"], *(address for kind in ENTRY_POINTS for address in values.get(kind, ()))):
        wrong = [*_tried(canonical_url, address, UnusableURL, where)]
        if not wrong and _CONTROL.search(address):  # nobody wrote it on purpose, and OPML cannot carry it
            wrong = [f"{where}: {address!r} holds a control character"]
        faults += wrong
    faults.raise_any()
    # One source, however its address is written: it is the source's identity from run to run.
    values["url"] = canonical_url(values["url"])
    named = any(values.get(kind) for kind in ENTRY_POINTS)
    source = Source(**{"name": default_name(url), "discover": () if named else KINDS} | values)  # type: ignore[arg-type]
    faults += _faulty_rules(source, where)
    faults.raise_any()
    return source


def _faulty_rules(source: Source, where: str) -> Iterator[str]:
    """What is checked by trying it: kinds, regular expressions, selectors, the time zone."""
    for kind in source.discover:
        if kind not in KINDS:
            yield f"{where}: discover: unknown kind {kind!r}{nearest(kind, KINDS)}"
    if source.title is not None and source.title not in TITLES:
        yield f"{where}: title: unknown place {source.title!r}{nearest(source.title, TITLES)}"
    if source.certificates not in (None, "unchecked"):
        yield f'{where}: certificates: expected "unchecked" or nothing, not {source.certificates!r}'
    for rule in (*source.include, *source.exclude):
        message = f"{where}: {rule!r} is no regular expression"
        yield from _tried(re.compile, rule, (re.error, OverflowError, RecursionError), message)
    for selector in (*([source.body] if source.body else []), *source.strip):
        message = f"{where}: {selector!r} is neither XPath nor CSS of an element"
        yield from _tried(_try_selector, selector, _NO_SELECTOR, message)
    for key in ("name", "category"):
        if _CONTROL.search(value := getattr(source, key) or ""):  # a terminal would obey it
            yield f"{where}: {key}: {value!r} holds a control character"
    if source.language is not None and not is_language(source.language):
        yield f"{where}: unknown language {source.language!r}; {language_meant(source.language)}"
    zone = source.timezone
    if zone is not None:
        expected = nearest(zone, available_timezones(), "expected a name such as Europe/London")
        message = f"{where}: unknown timezone {zone!r}{expected}"
        yield from _tried(ZoneInfo, zone, (ZoneInfoNotFoundError, ValueError, OSError), message)


def _crawl(table: object, where: str) -> CrawlSettings:
    if not isinstance(table, dict):
        raise SourcesError(f"{where}: must be a table")
    crawl = CrawlSettings(**_typed(table, CrawlSettings, where))
    _Faults(_faulty_manners(crawl, where)).raise_any()
    return crawl


def _faulty_manners(crawl: CrawlSettings, where: str) -> Iterator[str]:
    if not crawl.user_agent.isascii() or not crawl.user_agent.isprintable():
        yield f"{where}: user_agent: expected printable ASCII on one line, not {crawl.user_agent!r}"
    if not 0 <= crawl.delay <= 3600:
        yield f"{where}: delay = {crawl.delay}: expected 0 to 3600 seconds"
    if not 1 <= crawl.concurrency <= 16:
        yield f"{where}: concurrency = {crawl.concurrency}: expected 1 to 16"
    if not 0 <= crawl.warc_days <= 100_000:
        yield f"{where}: warc_days = {crawl.warc_days}: expected 0 to 100,000 days, 0 for ever"
    if not 1 <= crawl.budget <= 1_000_000:
        yield f"{where}: budget = {crawl.budget}: expected 1 to 1000000 requests"
    try:
        crawl.since_date(datetime(2026, 1, 1, tzinfo=UTC))
    except ValueError:
        yield f'{where}: since = {crawl.since!r}: expected "7d", "36h" or "2026-11-01"'
    for network in crawl.allow_private:
        message = f'{where}: allow_private: expected networks such as "127.0.0.0/8"'
        yield from _tried(ip_network, network, ValueError, message)


def _alert(entry: object, where: str) -> Alert:
    if not isinstance(entry, dict):
        raise SourcesError(f"{where}: must be a table: write [[alert]] above its keys")
    name = entry.get("name")
    where = f"{where} ({name})" if name and isinstance(name, str) and not _CONTROL.search(name) else where
    values = _typed(entry, Alert, where)
    missing = [f'{where}: needs {key} = "…"' for key in ("name", "query") if key not in values]
    alert = Alert(**{"name": "", "query": ""} | values)
    _Faults([*missing, *_faulty_alert(alert, set(values), where)]).raise_any()
    return alert


def _faulty_alert(alert: Alert, said: Collection[str], where: str) -> Iterator[str]:
    if not alert.ways:
        yield f"{where}: goes nowhere; say one of {', '.join(WAYS)}"
    for key in said:
        if _CONTROL.search(value := getattr(alert, key)):
            yield f"{where}: {key}: {value!r} holds a control character"
    if "query" in said and not re.search(r"\w", alert.query):
        yield f"{where}: query: there is no word in {alert.query!r} to look for"
    if alert.language is not None and not is_language(alert.language):
        yield f"{where}: unknown language {alert.language!r}; {language_meant(alert.language)}"
    if alert.email is not None and not _ADDRESS.fullmatch(alert.email):
        yield f"{where}: email: expected one address such as you@example.org, not {alert.email!r}"
    if alert.webhook is not None:
        yield from _tried(_try_webhook, alert.webhook, ValueError, f"{where}: webhook: no address to send to")
    if alert.command is not None:
        yield from _tried(_try_command, alert.command, ValueError, f"{where}: command: {alert.command!r}")


_ADDRESS = re.compile(r"[^\s@,;<>\"-][^\s@,;<>\"]*@[^\s@,;<>\"]+")


def _try_webhook(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or " " in url:
        raise ValueError("expected https://host/path")


def _try_command(command: str) -> None:
    if not shlex.split(command):
        raise ValueError("no word in it")


def _same_alerts(alerts: Mapping[int, Alert], where: str) -> Iterator[str]:
    for key in ("name", "file"):
        seen: dict[str, int] = {}
        for number, alert in alerts.items():
            if (value := getattr(alert, key)) and (first := seen.setdefault(value, number)) != number:
                yield f"{where}: [[alert]] {number} has the same {key} as [[alert]] {first}: {value}; give each its own"


def _delivery(table: object, where: str) -> Delivery:
    if not isinstance(table, dict):
        raise SourcesError(f"{where}: must be a table: write [alerts], with one bracket")
    delivery = Delivery(**_typed(table, Delivery, where))
    _Faults(_faulty_delivery(delivery, where)).raise_any()
    return delivery


def _faulty_delivery(delivery: Delivery, where: str) -> Iterator[str]:
    if delivery.sender is not None and not _ADDRESS.fullmatch(delivery.sender):
        yield f"{where}: sender: expected one address such as alerts@example.org, not {delivery.sender!r}"
    if delivery.password_env and delivery.password_file:
        yield f"{where}: password_env and password_file: say one of them"
    if delivery.smtp is not None:
        message = f'{where}: smtp: expected "smtps://user@host:465" or "smtp://host:25"'
        yield from _tried(_try_smtp, delivery.smtp, ValueError, message)


def _try_smtp(url: str) -> None:
    parts = urlsplit(url)
    if parts.password is not None:
        raise ValueError("a password does not belong there: password_env or password_file says where it is")
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.port == 0 or parts.path.strip("/"):
        raise ValueError("no such server")


_SAMPLE = etree.fromstring("<html><body><article><div><p><a/></p></div></article></body></html>")
"""An unknown function is noticed only where a selector meets an element."""


def _try_selector(selector: str) -> None:
    found = etree.XPath(to_xpath(selector))(_SAMPLE)
    if not isinstance(found, list):
        raise ValueError(f"it gives {found!r}")


_NO_SELECTOR = (etree.XPathError, SelectorError, ValueError)


def _typed(table: Mapping[str, Any], model: type, where: str) -> dict[str, Any]:
    """The table's values with lists as tuples, each checked against the field's type; "" where a string is optional means
    nothing."""
    known = {known.name: known for known in fields(model)}
    faults = _Faults(_unknown(table, tuple(known), where))
    values: dict[str, Any] = {}
    for key in filter(known.__contains__, table):
        with faults.collecting():
            values[key] = _value(table[key], known[key], f"{where}: {key}")
    faults.raise_any()
    return {key: value for key, value in values.items() if value != ""}


_TYPES: dict[Any, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    tuple[str, ...]: ((list,), "a list of strings"),
}
"""A field's annotation -> what TOML may give for it, and that in words; everything else is a string."""


def _value(value: Any, known: Field[Any], where: str) -> Any:
    accepted, words = _TYPES.get(known.type, ((str,), "a string in quotes"))
    # True is an int to Python and a mistake in `concurrency = true`.
    right = isinstance(value, accepted) and (type(value) is not bool or bool in accepted)
    if list in accepted:
        right = right and all(isinstance(item, str) for item in value)
    if not right:
        raise SourcesError(f"{where}: expected {words}, not {value if isinstance(value, date) else repr(value)}")
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and len(text) > MAX_VALUE_CHARS:
            raise SourcesError(f"{where}: {len(text):,} characters; at most {MAX_VALUE_CHARS:,} are taken")
    return tuple(value) if isinstance(value, list) else value


MAX_VALUE_CHARS = 10_000
"""Longest value: an address, a name, a rule; writing a string of a megabyte as TOML takes tomlkit a minute."""


def _unknown(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> Iterator[str]:
    for key in table:
        if key not in known:
            yield f"{where}: unknown key {key!r}{nearest(key, known)}"


def nearest(word: str, known: Collection[str], otherwise: str = "") -> str:
    """What to add to the message on a word that is not known: the known one that is spelt most like it, else all of them."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; {otherwise or 'known are ' + ', '.join(known)}"


Errors = type[Exception] | tuple[type[Exception], ...]


def _tried(test: Callable[[Any], object], value: Any, errors: Errors, message: str) -> Iterator[str]:
    """The message and the reason where a test of a value raises one of the errors."""
    try:
        test(value)
    except errors as error:
        yield f"{message}: {error}"


def _twins(sources: Mapping[int, Source], where: str) -> Iterator[str]:
    seen: dict[str, int] = {}
    for number, source in sources.items():
        ways_out = {canonical_url(source.url): "remove one", source.name: 'give each its own name = "…"'}
        for same, way_out in ways_out.items():
            first = seen.setdefault(same, number)
            if first != number:
                yield f"{where}: [[source]] {number} ({source.url}) is the same as [[source]] {first}: {same}; {way_out}"
                break
