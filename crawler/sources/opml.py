"""OPML, the lists that feed readers exchange (http://opml.org/spec2.opml) <-> entries of sources.toml. Pure.

Folders become `category`: `News/National` is a folder in a folder, `News; Local` a feed that lies in both. FreshRSS's and
Miniflux's own attributes are understood as far as sources.toml has a word for them; everything else is counted by name.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html.entities import html5
from typing import Any

from cssselect import SelectorError
from lxml import etree

from crawler.folders import Folder, category_of, parse_category
from crawler.items import Source
from crawler.parsers.links import decoded_xml, xml_parser
from crawler.selectors import to_xpath
from crawler.sources.languages import is_language
from crawler.urls import canonical_or_none, canonical_url, origin_of, site_of

Entry = dict[str, Any]
"""The keys and values of one [[source]] table; `url` may still be missing."""


PREFIXES = {"https://freshrss.org/opml": "frss", "https://miniflux.app/opml": "miniflux"}
"""FreshRSS's docs/en/developers/OPML.md; Miniflux since 2.2.13 writes its feed settings likewise."""


_BODY = ("frss:cssFullContent", "miniflux:scraperRules")


_STRIP = ("frss:cssContentFilter", "frss:cssFullContentFilter")
"""The second is what FreshRSS called it before it filtered feeds' own content too."""


_MUTED = "-3600"
"""frss:ttl: seconds between two looks, negative for a feed that is not looked at; an hour is FreshRSS's default."""


_SCRAPED = re.compile(r"xpath|dotnotation", re.IGNORECASE)
"""In `type`: FreshRSS makes a feed of a web page or of JSON by rules of its own; the address is no feed."""


class UnreadableList(Exception):
    """The file is not what its name says; the message tells why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One feed of a reader's list, in every folder it lies in."""

    feed: str
    title: str | None
    site: str | None  #: htmlUrl, where it is an address
    folders: tuple[Folder, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)  #: language, enabled, body, strip


def read_opml(data: bytes, unused: Counter[str]) -> list[Entry]:
    """The sources of a list: feeds of one site under one title, in the same folders, are one. Raises UnreadableList."""
    found = [outline for element in _body(data, unused) for outline in _outlines(element, (), unused)]
    alike: dict[tuple[Any, ...], Entry] = {}
    for outline in _once(found, unused):
        kind = (outline.title, outline.site or f"{origin_of(outline.feed)}/", outline.folders, str(outline.settings))
        entry: Entry = {
            "url": outline.site,
            "name": outline.title,
            "category": category_of(outline.folders),
            "feeds": [],
        }
        alike.setdefault(kind, entry | dict(outline.settings))["feeds"].append(outline.feed)
    return [{key: value for key, value in entry.items() if value is not None} for entry in alike.values()]


def _body(data: bytes, unused: Counter[str]) -> list[Any]:
    """The outermost outlines."""
    text = _repaired(decoded_xml(data)).strip()
    if re.search(r"<!ENTITY", text):
        raise UnreadableList("declares entities of its own, which no reader's list does")
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), xml_parser())
    except etree.XMLSyntaxError as error:
        root = _recovered(text)
        if root is None or not any(_said(outline).get("xmlurl") for outline in root.iter("{*}outline")):
            raise UnreadableList(f"not well-formed XML: {error.msg}") from None
        unused[f"what is damaged ({error.msg})"] += 1
    if _name(root).lower() != "opml":
        raise UnreadableList(f"no OPML: its root is <{_name(root)}>")
    return [outline for body in root.iter("{*}body") for outline in body.iterchildren("{*}outline")]


def _recovered(text: str) -> Any:
    """What can be read of a list that is not well-formed: libxml2 mends most, but for attributes that it cannot part."""
    begin = re.search("<opml", text, re.IGNORECASE)
    if begin is None:
        return None
    tags = re.split(r"(?=</?(?:outline|body|head|opml)\b)", text[begin.start() :])
    mended = "".join(_parted(tag) if tag.startswith("<outline") else tag for tag in tags)
    return etree.fromstring(mended.encode("utf-8", "replace"), xml_parser(recover=True))


def _parted(tag: str) -> str:
    """An outline with the quotation marks inside its values escaped, and a space before each attribute."""
    head, *parts = re.split(r"(?<![\w:.-])([\w:.-]{1,60}+)\s{0,9}=\s{0,9}\"", tag)
    attributes = []
    end = ""
    for name, rest in zip(parts[::2], parts[1::2], strict=True):
        value, _, end = rest.rpartition('"')
        value = value.replace('"', "&quot;").replace("<", "&lt;")
        attributes.append(f'{name}="{value}"')
    return " ".join((head.rstrip(), *attributes)) + end if attributes else tag


def _repaired(text: str) -> str:
    """What people and programs get wrong in XML: HTML's entities, and the `&` of an address that is not escaped."""

    def known(entity: re.Match[str]) -> str:
        name = entity[1]
        if name is None:
            return "&amp;"
        plain = html5.get(f"{name};")
        return entity[0] if plain is None or name in ("amp", "lt", "gt", "quot", "apos") else plain

    return re.sub(r"&(?:#\d{1,7};|#x[0-9a-fA-F]{1,6};)|&(?:(\w+);)?", lambda e: e[0] if "#" in e[0] else known(e), text)


def _outlines(element: Any, path: Folder, unused: Counter[str]) -> Iterator[Outline]:
    said = _said(element)
    children = list(element.iterchildren("{*}outline"))
    outline = _outline(said, path, unused) if said.get("xmlurl") else None
    if outline:
        yield outline
    elif children and not said.get("xmlurl"):
        name = said.get("text") or said.get("title")
        path = (*path, name) if name else path
        _count(said, {"text", "title", "type"}, unused)
    elif not said.get("xmlurl"):
        unused[f"outline of type {said['type']}" if "type" in said else "outline without xmlUrl"] += 1
    for child in children:
        yield from _outlines(child, path, unused)


def _outline(said: "_Said", path: Folder, unused: Counter[str]) -> Outline | None:
    """The feed that an outline names; None when it names none, which is counted."""
    feed, kind = re.sub(r"\Afeed:(//)?(?=https?:)|\Afeed:(?=//)", "", said["xmlurl"]), said.get("type", "")
    feed = f"http:{feed}" if feed.startswith("//") else feed
    feed = feed.replace("&amp;", "&")
    if _SCRAPED.search(kind) or not _is_address(feed):
        unused[f"outline of type {kind}" if _SCRAPED.search(kind) else _why_no_address(feed)] += 1
        return None
    site = said.get("htmlurl", "").replace("&amp;", "&")
    if site and not _is_address(site):
        unused["htmlUrl that is no http address"] += 1
        site = ""
    used = {"text", "xmlurl", "htmlurl", "type", "version"}  # the version is that of RSS
    title = said.get("text") or said.get("title")
    if said.get("title") in (title, None):
        used.add("title")
    folders: tuple[Folder, ...] = (path,)
    if not path and "category" in said:
        used.add("category")
        folders = tuple(parse_category(said["category"].replace(",", ";")))
    settings = _settings(said, used, unused)
    _count(said, used, unused)
    return Outline(feed=feed, title=title, site=site or None, folders=folders, settings=settings)


def _settings(said: "_Said", used: set[str], unused: Counter[str]) -> dict[str, Any]:
    """What sources.toml has a word for; its attributes are added to `used`."""
    settings: dict[str, Any] = {}
    if is_language(said.get("language", "")):
        settings["language"] = said["language"]
        used.add("language")
    if said.get("frss:ttl", "").startswith("-") or said.get("miniflux:disabled") == "true":
        settings["enabled"] = False
        used |= {"frss:ttl", "miniflux:disabled"}
    for key, names in (("body", _BODY), ("strip", _STRIP)):
        name = next((name.lower() for name in names if name.lower() in said), None)
        if name and is_selector(said[name]):
            settings[key] = [said[name]] if key == "strip" else said[name]
            used.add(name)
    return settings


class _Said(dict[str, str]):
    """An outline's attributes that say something, by name in lower case (writers differ: xmlUrl, xmlURL, xmlurl)."""

    names: Mapping[str, str]  #: as they were written


def _said(element: Any) -> _Said:
    named = {_name(element, name): " ".join(value.split()) for name, value in element.attrib.items()}
    said = _Said({name.lower(): value for name, value in named.items() if value})
    said.names = {name.lower(): name for name in named}
    return said


def _name(element: Any, name: str | None = None) -> str:
    """The local name of an element or of its attribute, with the usual prefix of a namespace."""
    if name and ":" in name and not name.startswith("{"):  # a prefix that nobody has declared
        return name
    full = etree.QName(element if name is None else name)
    prefixes = {address: prefix for prefix, address in element.nsmap.items() if prefix}
    prefix = PREFIXES.get(full.namespace or "") or prefixes.get(full.namespace) if name else None
    return f"{prefix}:{full.localname}" if prefix else full.localname


def _count(said: _Said, used: set[str], unused: Counter[str]) -> None:
    unused.update(said.names[name] for name in said if name not in used)


def _once(outlines: Iterable[Outline], unused: Counter[str]) -> list[Outline]:
    """Each feed once, in all the folders it was found in; the first title stays."""
    by_feed: dict[str, Outline] = {}
    for outline in outlines:
        feed = canonical_url(outline.feed)
        first = by_feed.setdefault(feed, outline)
        if first is not outline:
            folders = tuple(dict.fromkeys((*first.folders, *outline.folders)))
            by_feed[feed] = replace(first, folders=folders)
            if outline.title != first.title:
                unused["other title of a feed named twice"] += 1
    return list(by_feed.values())


def _why_no_address(url: str) -> str:
    if re.match(r"https?://[^/?#@]*@", url):
        return "xmlUrl with a user name or password, which nothing here can log in by"
    return "xmlUrl that is no http address"


def _is_address(url: str) -> bool:
    return canonical_or_none(url) is not None


def is_selector(text: str) -> bool:
    try:
        to_xpath(text)
    except (SelectorError, etree.XPathError, ValueError):
        return False
    return True


# Out
def write_opml(sources: Sequence[Source], titles: Mapping[str, str], left_out: Counter[str]) -> bytes:
    """The feeds of these sources as OPML 2.0; `titles` by source's url. What it has no place for is counted."""
    root = etree.Element("opml", version="2.0", nsmap={"frss": "https://freshrss.org/opml"})
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Broadsheet"
    folders: dict[Folder, Any] = {(): etree.SubElement(root, "body")}
    sites = _sites(sources)
    for source in sources:
        _count_left_out(source, left_out)
        for path in parse_category(source.category):
            for feed in source.feeds:
                site = sites.get(source.url)
                _put(_folder(path, folders), _attributes(source, titles[source.url], feed, site))
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return written


def _folder(path: Folder, folders: dict[Folder, Any]) -> Any:
    if path not in folders:
        folders[path] = _put(_folder(path[:-1], folders), {"text": path[-1], "title": path[-1]})
    return folders[path]


def _put(parent: Any, attributes: Mapping[str, str]) -> Any:
    clean = {name: re.sub(r"[\x00-\x1f\ufffe\uffff]", " ", value) for name, value in attributes.items()}
    return etree.SubElement(parent, "outline", clean)


def _sites(sources: Iterable[Source]) -> dict[str, str]:
    """Per source's url that of its site: its own, else that of the first source there; a second feed of a site is
    known by the feed's address."""
    own = {source.url: source.url for source in sources if source.url not in map(canonical_url, source.feeds)}
    first: dict[str | None, str] = {}
    for url in own:
        first.setdefault(site_of(url), url)
    elsewhere = {source.url: first[site_of(source.url)] for source in sources if site_of(source.url) in first}
    return elsewhere | own


def _attributes(source: Source, title: str, feed: str, site: str | None) -> dict[str, str]:
    ours = {"text": title, "title": title, "type": "rss", "xmlUrl": feed}
    if site:
        ours["htmlUrl"] = site
    if source.language:
        ours["language"] = source.language
    css = {"cssFullContent": source.body or "", "cssContentFilter": ", ".join(filter(_is_css, source.strip))}
    css["ttl"] = "" if source.enabled else _MUTED
    theirs = {f"{{https://freshrss.org/opml}}{name}": value for name, value in css.items() if value}
    return ours | {name: value for name, value in theirs.items() if not name.endswith("Content") or _is_css(value)}


def _is_css(selector: str) -> bool:
    return to_xpath(selector) != selector


def _count_left_out(source: Source, left_out: Counter[str]) -> None:
    if not source.feeds:
        left_out["source without a feed"] += 1
        return
    here = ("sitemaps", "pages", "timezone", "include", "exclude", "title", "certificates")
    left_out.update(key for key in here if getattr(source, key))
    left_out.update("XPath" for selector in (source.body, *source.strip) if selector and not _is_css(selector))
