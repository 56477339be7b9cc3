"""HTML tree -> Metadata: what a page says about its article, structured data before anything that has to be guessed.

The order of belief is JSON-LD, then meta tags, then microdata and visible elements. Knows nothing of the body's text.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from htmldate import find_date
from lxml import html as lxml_html
from lxml.etree import XPath

from pipelines.phrases import PHRASES, Openings, pattern, phrases, whole_words

ARTICLE_TYPES = re.compile(
    r"(?:Article|BlogPosting|LiveBlogPosting|Report|Review|Recipe)$|^(?:SocialMediaPosting|ReportageNewsArticle|CreativeWork)$"
)
PAGE_TYPES = re.compile(r"^(?:WebPage|ItemPage|VideoObject|NewsVideoObject|MediaObject)$")
NOT_THIS_ARTICLE = {
    "itemListElement",
    "hasPart",
    "comment",
    "liveBlogUpdate",
    "relatedLink",
    "review",
    "citation",
    "isRelatedTo",
    "isBasedOn",
    "significantLink",
    "video",
    "publisher",
    "associatedMedia",
    "mentions",
    "about",
}
"""Properties that hold other works; an article found below one is not the page's own."""

MAX_JSON_LD_NODES = 2_000
"""Nodes looked at per page; the largest real page seen has 300."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time as the page wrote it and as it is stored."""

    value: str  #: `YYYY-MM-DDTHH:MM:SSZ`, or `YYYY-MM-DD` where the instant is not known
    raw: str  #: the page's own string

    @property
    def is_instant(self) -> bool:
        return len(self.value) > 10

    @property
    def day(self) -> date:
        return date.fromisoformat(self.value[:10])


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a page says of its article; None where it is silent."""

    title: str | None = None
    titles: tuple[tuple[str, str], ...] = ()  #: what each place of sources.TITLES says, where these disagree
    description: str | None = None
    authors: tuple[str, ...] = ()
    published: Moment | None = None
    published_source: str = "none"  #: jsonld, meta, url, page or none
    modified: Moment | None = None
    language: str | None = None
    section: str | None = None
    keywords: tuple[str, ...] = ()
    image_url: str | None = None
    site_name: str | None = None
    canonical_url: str | None = None
    is_accessible_for_free: bool | None = None


JOINER = re.compile(
    "(?<=[\u0600-\u0dff\u1000-\u109f\u1780-\u18af\ufe0f\u2600-\u27bf\U0001f000-\U0001faff])[\u200c\u200d](?=\\S)"
)
"""Zero-width (non-)joiners where they belong to the spelling (Unicode 23.2): inside words of Arabic, Indic and Mongolian letters,
and between emoji. Elsewhere they are invisible marks."""

TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")


def clean(text: object) -> str:
    """One line of plain text: entities resolved, white space folded, NFC, nothing unprintable."""
    line = unescape(str(text))
    if "&" in line and ";" in line:
        line = unescape(line)
    line = " ".join(line.split())
    if not line.isprintable():
        joiners = {found.start() for found in JOINER.finditer(line)}
        line = "".join(one for at, one in enumerate(line) if at in joiners or unicodedata.category(one)[0] != "C")
    return unicodedata.normalize("NFC", line)


def fold(text: str) -> str:
    """What two spellings of one line have in common: letters and digits, case folded."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text.replace("\xad", "")).casefold()))


# ---------------------------------------------------------------------------------------------------------- the page


class Head:
    """The parts of a parsed page that carry metadata, each read once and only when asked for."""

    def __init__(self, tree: lxml_html.HtmlElement, url: str | None, fetched_at: datetime | None = None) -> None:
        self.tree, self.url, self.fetched_at = tree, url, fetched_at

    @cached_property
    def meta(self) -> Mapping[str, list[str]]:
        """Contents of the meta tags by their lower-case name or property, in order."""
        found: dict[str, list[str]] = {}
        for tag in self.tree.iter("meta"):
            content = tag.get("content")
            if content and content.strip():
                for name in {
                    tag.get(attribute, "").strip().lower()
                    for attribute in ("property", "name", "itemprop", "http-equiv")
                } - {""}:
                    found.setdefault(name, []).append(content)
        return found

    @cached_property
    def nodes(self) -> list[dict[str, Any]]:
        """All JSON-LD objects of the page that may describe its article, @graph opened."""
        return list(
            _walk(
                [
                    block
                    for script in self.tree.iter("script")
                    if "ld+json" in script.get("type", "").lower()
                    for block in _json(script.text_content())
                ]
            )
        )

    @cached_property
    def by_id(self) -> Mapping[str, dict[str, Any]]:
        """JSON-LD objects by @id, bare references left out."""
        return {node["@id"]: node for node in self.nodes if isinstance(node.get("@id"), str) and len(node) > 1}

    @cached_property
    def article(self) -> Mapping[str, Any]:
        """The JSON-LD object of this page's article, {} when there is none."""
        candidates = [node for node in self.nodes if _is_type(node, ARTICLE_TYPES)]
        return max(candidates, key=self._likeness, default={})

    @cached_property
    def web_page(self) -> Mapping[str, Any]:
        return next((node for node in self.nodes if _is_type(node, PAGE_TYPES)), {})

    def _likeness(self, node: Mapping[str, Any]) -> tuple[int, int]:
        addresses = {_address(node.get(key)) for key in ("url", "@id", "mainEntityOfPage")}
        own = bool(self.url) and any(_same_address(address, self.url) for address in addresses if address)
        said = sum(bool(node.get(key)) for key in ("headline", "datePublished", "author"))
        return said > 0, 2 * own + said

    def first(self, *names: str) -> str | None:
        """The first meta content among these names that says something."""
        return next((line for name in names for content in self.meta.get(name, ()) if (line := clean(content))), None)

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """Every line that claims to be the title: to be recognised when the body repeats one."""
        windows = (clean(element.text_content()) for element in self.tree.iter("title"))
        headings = [clean(_visible_text(element)) for element in self.tree.iter("h1")][:3]
        return tuple(
            dict.fromkeys(
                filter(
                    None, (_headline(self), self.first("og:title"), self.first("twitter:title"), *windows, *headings)
                )
            )
        )

    @cached_property
    def types(self) -> frozenset[str]:
        """The schema.org types of the page's own JSON-LD objects."""
        return frozenset(kind for node in self.nodes for kind in _types(node))

    @cached_property
    def is_article(self) -> bool:
        """Whether the page declares itself an article: a dated JSON-LD object, og:type, or a publication time."""
        dated = bool(self.article.get("datePublished") and (self.article.get("headline") or self.article.get("author")))
        return (
            dated
            or (self.first("og:type") or "").lower() in ("article", "news", "newsarticle")
            or "article:published_time" in self.meta
        )

    @property
    def is_video(self) -> bool:
        """Whether the page is about a video and no article of its own says otherwise."""
        return (self.first("og:type") or "").lower().startswith("video") or (
            not self.article and any(kind.endswith("VideoObject") for kind in self.types)
        )

    def ld(self, key: str) -> Any:
        return self.article.get(key)


def _json(text: str) -> list[Any]:
    """A JSON-LD script's value, the usual damage repaired; [] when it stays unreadable."""
    text = re.sub(
        r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*.{0,40}?\*/)|(?:-->|//\s*\]\]>|\]\]>|;)\s*$", "", text
    ).strip()
    for attempt in (
        text,
        re.sub(r",\s*([}\]])", r"\1", text),
        re.sub(r'\\(?!["\\/bfnrtu])', r"\\\\", text),
        unescape(text),
    ):
        try:
            return [json.loads(attempt, strict=False)]
        except (ValueError, RecursionError):
            continue
    return []


def _walk(values: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Objects breadth first, so that the page's own come before those nested in them."""
    queue, seen = list(values), 0
    while queue and seen < MAX_JSON_LD_NODES:
        value = queue.pop(0)
        seen += 1
        if isinstance(value, list):
            queue[:0] = value
        elif isinstance(value, dict):
            yield value
            queue.extend(
                child for key, child in value.items() if isinstance(child, dict | list) and key not in NOT_THIS_ARTICLE
            )


def _types(node: Mapping[str, Any]) -> list[str]:
    """An object's types without their vocabulary's address."""
    stated = node.get("@type")
    return [
        kind.rpartition("/")[2] for kind in (stated if isinstance(stated, list) else [stated]) if isinstance(kind, str)
    ]


def _is_type(node: Mapping[str, Any], pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(kind) for kind in _types(node))


def _address(value: Any) -> str | None:
    value = value[0] if isinstance(value, list) and value else value
    value = value.get("@id") or value.get("url") if isinstance(value, dict) else value
    return value if isinstance(value, str) else None


def _same_address(one: str, other: str | None) -> bool:
    try:
        a, b = urlsplit(one), urlsplit(other or "")
    except ValueError:
        return False
    return a.path.rstrip("/") == b.path.rstrip("/") and (a.hostname or "").removeprefix("www.") in (
        "",
        (b.hostname or "").removeprefix("www."),
    )


def read_metadata(head: Head, timezone: str | None = None, title_place: str | None = None) -> Metadata:
    """Everything a page says of its article; times without offset are of `timezone`, the title is the one in `title_place`."""
    published, source = published_at(head, timezone)
    site = site_name(head)
    titles = titles_by_place(head, site)
    return Metadata(
        title=titles.get(title_place or "") or title(head, site),
        titles=tuple(titles.items()) if len({fold(line) for line in titles.values()}) > 1 else (),
        description=description(head),
        authors=authors(head, site),
        published=published,
        published_source=source,
        modified=modified_at(head, timezone),
        language=language(head),
        section=section(head),
        keywords=keywords(head),
        image_url=image_url(head),
        site_name=site,
        canonical_url=canonical_url(head),
        is_accessible_for_free=accessible_for_free(head),
    )


# ------------------------------------------------------------------------------------------------------------- title

SITE_SEPARATOR = re.compile(r"\s+[|\-–—·•:»«/]+\s+|\s*[|｜：]\s*")


def title(head: Head, site: str | None) -> str | None:
    """The JSON-LD headline, unless it only repeats the window's title where h1 and og:title have the editors' own."""
    heading, window = _heading(head), _window(head)
    headline, shared, tweeted = (
        _without_markup(line, heading)
        for line in (_headline(head), head.first("og:title"), head.first("twitter:title"))
    )
    said = [line for line in (headline, shared, heading, tweeted, window) if line]
    short = {line: without_site(line, said, site, head.url) for line in said}
    votes = Counter(fold(short[line]) for line in said)
    chosen = short[headline] if headline else max(short.values(), key=lambda line: votes[fold(line)], default=None)
    if headline and shared and heading and window and _same(short, headline, window) and _same(short, shared, heading):
        chosen = short[heading]
    if chosen and shared and _is_kicker(chosen, short[shared]):
        chosen = short[shared]
    return next((line for line in short.values() if chosen and fold(line) == fold(chosen)), None)


def titles_by_place(head: Head, site: str | None) -> dict[str, str]:
    """What each of sources.TITLES says, without the site's name; places that say nothing are left out."""
    said = {"headline": _headline(head), "og:title": head.first("og:title"), "h1": _heading(head)}
    lines = [line for line in said.values() if line]
    return {place: without_site(line, lines, site, head.url) for place, line in said.items() if line}


def _without_markup(line: str | None, heading: str | None) -> str | None:
    """Tags stand in data by mistake, unless the page's heading shows them too: a title may speak of `<b>`."""
    if not line or not TAG.search(line) or (heading and fold(heading) == fold(line)):
        return line
    return TAG.sub("", line).strip() or None


def _same(short: Mapping[str, str], one: str, other: str) -> bool:
    return fold(short[one]) == fold(short[other])


def _is_kicker(line: str, other: str) -> bool:
    """Whether `line` is `other` behind a kicker: `Harbour: Crane falls` for `Crane falls`."""
    before, colon, after = line.partition(": ")
    return bool(colon) and len(before) < 45 and fold(after) == fold(other)


def _window(head: Head) -> str | None:
    return next((line for element in head.tree.iter("title") if (line := clean(element.text_content()))), None)


def _headline(head: Head) -> str | None:
    for value in (head.ld("headline"), head.ld("name"), head.web_page.get("headline")):
        if isinstance(value, str) and 8 < len(line := clean(value)) < 250:
            return line
    return None


def _heading(head: Head) -> str | None:
    """The h1 that is the page's title: the one the head agrees with, else the only or first one with words."""
    lines = [line for element in head.tree.iter("h1") if 0 < len(line := clean(_visible_text(element))) < 400]
    heads = fold(
        " ".join(
            filter(
                None, (head.first("og:title"), _headline(head), *(element.text for element in head.tree.iter("title")))
            )
        )
    )
    return next((line for line in lines if fold(line) and fold(line) in heads), None) or (
        max(lines[:3], key=len) if lines else None
    )


def _visible_text(element: lxml_html.HtmlElement) -> str:
    return " ".join(element.itertext()) if len(element) else element.text or ""


MAX_HEADING = 1_000
"""Characters of a line in which a site's name is looked for, twice what is kept of a title: each separator costs the whole line."""


def without_site(line: str, others: Iterable[str], site: str | None, url: str | None) -> str:
    """`A storm | The Paper` -> `A storm`: when another line says the head alone, or the tail is the site's name."""
    if len(line) > MAX_HEADING:
        return line
    folded, host = {fold(other) for other in others if other != line}, fold(_host_name(url)).replace(" ", "")
    for separator in SITE_SEPARATOR.finditer(line):
        begin, tail = line[: separator.start()], fold(line[separator.end() :]).replace(" ", "")
        if begin and (fold(begin) in folded or _names_site(tail, site, host)):
            return begin
        if _names_site(fold(begin).replace(" ", ""), site, host):
            return line[separator.end() :]
    return line


def _names_site(tail: str, site: str | None, host: str) -> bool:
    name, tail = fold(site or "").replace(" ", ""), tail.removeprefix("the")
    return bool(tail) and (
        tail == name
        or (
            len(tail) > 3
            and (
                tail in host
                or (len(host) > 3 and tail.startswith(host))
                or (len(name) > 3 and (tail.startswith(name) or name.startswith(tail)))
            )
        )
    )


def _host_name(url: str | None) -> str:
    try:
        return (urlsplit(url or "").hostname or "").removeprefix("www.")
    except ValueError:
        return ""


# ----------------------------------------------------------------------------------------------------------- authors

BY = re.compile(rf"^{pattern('bylines')}\s*[:：]?\s+", re.I)
EMAIL = re.compile(r"\S+@\S+\.\w+")
ROLE = whole_words("roles")
NEWSROOM = whole_words("newsrooms")
NAME_BREAK = re.compile(rf"\s*(?:;|\||\n|•|·|\s/\s|\s+&\s+|\s+{pattern('and')}\s+|、|，|،)\s*", re.I)
SMALL_WORDS, LABEL_WORDS = frozenset(phrases("small_words")), frozenset(phrases("label_words"))
BYLINES = XPath(
    "//*[@rel='author' or @itemprop[contains(.,'author')] or @data-testid[contains(.,'uthor') or contains(.,'yline')] or @class["
    "contains(.,'uthor') or contains(.,'yline') or contains(.,'writer') or contains(.,'reporter') or contains(.,'journalist')"
    " or .='auth']]"
    "[not(self::button or self::img or self::link or self::article or self::body)]"
)
MARKED = XPath("//*[@itemprop='author'][not(ancestor::*[contains(@itemprop,'comment')])]")
COMMENT = re.compile(r"comment|card|teaser|related|sidebar|follow", re.I)
MAX_BYLINES = 20
"""Elements looked at; a page's own byline is among the first three in every labelled page."""
AGENCY = re.compile(rf"{pattern('agencies')}\b(?! [A-ZÀ-Þ])|{pattern('agencies')} in \S+$", re.I)
SLUG = re.compile(r"[a-z]+(?:-[a-z]+)+")
MAX_NAME_WORDS = 6
"""The longest people's names among the labelled pages have five words; a byline with more is a sentence."""


MAX_LINE = 2_000
"""Characters of a byline that are read: 500,000 without a space take EMAIL minutes."""


def authors(head: Head, site: str | None) -> tuple[str, ...]:
    """People first; an agency or the site itself only when nobody else is named."""
    weak: tuple[str, ...] = ()
    for found in (_structured_authors, _meta_authors, _byline_authors):
        names = unique(found(head))
        people = tuple(name for name in names if is_person(name, site, head.url))
        if people:
            return tuple(name for name in names if not _is_site(name, site, head.url))
        weak = weak or names
    return weak


def is_person(name: str, site: str | None, url: str | None) -> bool:
    return not _is_site(name, site, url) and not AGENCY.match(name)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple({fold(name): name for name in reversed(list(names)) if fold(name)}.values())[::-1]


def _structured_authors(head: Head) -> list[str]:
    for node in (head.article, head.web_page):
        for key in ("author", "creator"):
            if names := list(_names_of(node.get(key), head)):
                return names
    return []


def _names_of(value: Any, head: Head, depth: int = 0) -> Iterator[str]:
    if depth > 4:
        return
    if isinstance(value, list):
        for one in value:
            yield from _names_of(one, head, depth + 1)
    elif isinstance(value, dict):
        known = head.by_id.get(value.get("@id", ""), {}) if isinstance(value.get("@id"), str) else {}
        yield from _names_of(value.get("name") or known.get("name"), head, depth + 1)
    elif isinstance(value, str):
        yield from people(value) or ([line] if looks_like_name(line := clean(value)) else [])


def _meta_authors(head: Head) -> list[str]:
    for name in (
        "author",
        "article:author",
        "parsely-author",
        "sailthru.author",
        "dc.creator",
        "dcterms.creator",
        "byl",
        "og:article:author",
        "cxenseparse:author",
    ):
        if names := [person for content in head.meta.get(name, ()) for person in people(content)]:
            return names
    return []


def _byline_authors(head: Head) -> list[str]:
    marked = MARKED(head.tree)
    beside = [element for element in marked if element.getparent() is marked[0].getparent()]
    if names := [
        name
        for element in beside
        for name in people(element.get("content") or _visible_text(element))
        if looks_like_name(name)
    ]:
        return names
    for element in BYLINES(head.tree)[:MAX_BYLINES]:
        line = clean(_visible_text(element))
        if (
            3 < len(line) < 120
            and not COMMENT.search(element.get("class", ""))
            and (names := [name for name in people(line) if " " in name and looks_like_name(name)])
        ):
            return names + _fellow_authors(element)
    return []


def _fellow_authors(element: lxml_html.HtmlElement) -> list[str]:
    """The others whose links stand beside the first author's."""
    parent = element.getparent()
    beside = parent.iterchildren(element.tag) if parent is not None and element.tag == "a" else ()
    alike = (
        other
        for other in beside
        if other.get("rel") == element.get("rel") and other.get("class") == element.get("class")
    )
    return [name for other in alike for name in people(_visible_text(other)) if looks_like_name(name)]


def people(line: str) -> list[str]:
    """`By Ann Lee and Bo Ray | Staff` -> [Ann Lee, Bo Ray]; [] for an address or nobody."""
    line = clean(line[:MAX_LINE])
    if (
        not line
        or re.match(r"https?://|www\.|/", line)
        or line.lower() in ("none", "null", "undefined", "admin", "n/a")
    ):
        return []
    if SLUG.fullmatch(line):
        line = line.replace("-", " ").title()
    line = EMAIL.sub("", BY.sub("", line)).strip(" ,;|-–—")
    return [name for part in NAME_BREAK.split(line) for name in _one_or_list(part) if name]


def _one_or_list(part: str) -> list[str]:
    pieces = [piece.strip(" .,:-–—()*") for piece in part.split(",")]
    return [
        BY.sub("", piece) for piece in pieces if piece and not ROLE.search(piece) and re.search(r"[^\W\d_]{2}", piece)
    ]


def looks_like_name(line: str) -> bool:
    """Whether a line may be a person's name; `About Us` and `The Weight of a Key` are none."""
    words = line.split()
    return (
        1 <= len(words) <= MAX_NAME_WORDS
        and len(line) < 60
        and not re.search(r"[\d@!?:]", line)
        and sum(not word[:1].islower() for word in words) >= len(words) / 2
        and words[0].lower() not in LABEL_WORDS
        and SMALL_WORDS.isdisjoint(words)
    )


def _is_site(name: str, site: str | None, url: str | None) -> bool:
    folded = fold(name).replace(" ", "")
    return _names_site(folded, site, fold(_host_name(url)).replace(" ", "")) or NEWSROOM.search(name) is not None


# ------------------------------------------------------------------------------------------------------------- dates

PUBLISHED_META_NAMES = """
article:published_time og:published_time datepublished date.issued dcterms.created dc.date.issued
dcterms.issued parsely-pub-date sailthru.date publish-date publication_date pubdate
cxenseparse:recs:publishtime article.published og:article:published_time published_time dc.date
dcterms.date dc.date.created date rnews:datepublished ptime last-published article:published created
publishdate citation_date pub_date published-date displaydate timestamp release_date og:release_date
video:release_date article.created datecreated date.created originalpublicationdate
"""
PUBLISHED_META = tuple(PUBLISHED_META_NAMES.split())
MODIFIED_META = (
    "article:modified_time",
    "og:updated_time",
    "datemodified",
    "last-modified",
    "dcterms.modified",
    "dc.date.modified",
    "article:updated_time",
    "lastmod",
)
PUBLISHED_TIMES = XPath(
    "//*[@itemprop='datePublished' or (self::time and (@pubdate or contains(@class,'publish') or contains(@class,'entry-date')))] | //time[@datetime]"
)
OLDEST = 1990
"""Years before the web are somebody's biography, not a publication."""

ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2}(?!\d))?)?",
    re.I,
)


def parse_moment(text: object, timezone: str | None = None) -> Moment | None:
    """An ISO 8601, RFC 5322 or epoch time as the page wrote it; None when it is none of these."""
    raw = clean(text)[:80]
    value = _iso_value(raw, timezone) or _other_value(raw, timezone)
    return Moment(value=value, raw=raw) if value else None


def _iso_value(raw: str, timezone: str | None) -> str | None:
    match = ISO.search(raw)
    if not match:
        match = re.fullmatch(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?(Z|[+-]\d{2}:?\d{2})?)?", raw)
    if not match:
        return None
    year, month, day, hour, minute, second, offset = match.groups()
    try:
        day_of = datetime(int(year), int(month), int(day))
        if hour is None:
            return _checked(day_of.date().isoformat(), int(year))
        when = day_of.replace(hour=int(hour), minute=int(minute), second=int(second or 0))
    except ValueError:
        return None
    return _checked(_stored(when, _offset(offset), timezone), int(year))


def _offset(text: str | None) -> timedelta | None:
    if not text:
        return None
    if text.upper() in ("Z", "UTC", "GMT"):
        return timedelta(0)
    digits = text[1:].replace(":", "").ljust(4, "0")
    return timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if text[0] == "-" else 1)


def _stored(when: datetime, offset: timedelta | None, timezone: str | None) -> str:
    """UTC when the offset is known or the source's zone supplies it, else the bare day."""
    try:
        if offset is not None:
            return (when - offset).strftime("%Y-%m-%dT%H:%M:%SZ")
        if timezone:
            return when.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:  # an offset that leaves the calendar: the null date of many programs is 0001-01-01
        pass
    return when.date().isoformat()


def _other_value(raw: str, timezone: str | None) -> str | None:
    if re.fullmatch(r"1\d{9}(?:\d{3})?", raw):
        return datetime.fromtimestamp(int(raw[:10]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if re.search(r"[A-Za-z]{3}.*\d{2}:\d{2}", raw) and not re.search(r"\b0\d{3}\b(?!:)", raw):
        try:
            when = parsedate_to_datetime(raw)
        except (ValueError, TypeError, IndexError):
            return _in_words(raw, timezone)
        return _stored(when.replace(tzinfo=None), when.utcoffset(), timezone)
    return _in_words(raw, timezone)


def _in_words(raw: str, timezone: str | None) -> str | None:
    """A day in words, with the time beside it when the source's zone makes that an instant."""
    day = day_in_words(raw)
    clock = CLOCK.search(raw) if day and timezone else None
    if not day or not clock:
        return day
    hour = int(clock[1]) % 12 + 12 * (clock[3].lower() == "p") if clock[3] else int(clock[1])
    if hour > 23 or int(clock[2]) > 59:
        return day
    return _stored(datetime.fromisoformat(day) + timedelta(hours=hour, minutes=int(clock[2])), None, timezone)


def _checked(value: str, year: int) -> str | None:
    return value if OLDEST <= year <= 2100 else None


def published_at(head: Head, timezone: str | None) -> tuple[Moment | None, str]:
    """When the article was published, and who says so.

    How far to trust it shows in the source: `page` and `url` are read off the page's face, so a `page` date that equals
    the day of the fetch has nobody else's word for it, and one later than the fetch is an announcement or an error.
    The page's own string, kept beside it, tells a local time (`+02:00`) from one a program made (`Z`).
    """
    stated = ((moment, source) for text, source in _published_strings(head) if (moment := parse_moment(text, timezone)))
    first = next(stated, None)
    if first is None:
        moment = _day_in_url(head.url)
        return moment, "url" if moment else "none"
    if first[0].is_instant:
        return _in_local_time(first[0], (other for other, _ in stated)), first[1]
    return next((other for other in stated if exacter(first[0], other[0]) is other[0]), first)


def _in_local_time(moment: Moment, others: Iterable[Moment]) -> Moment:
    """The same instant as another part of the page writes it with the publisher's own offset, if this one is in UTC."""
    if not IN_UTC.search(moment.raw):
        return moment
    return next(
        (other for other in others if other.value == moment.value and LOCAL.search(other.raw)),
        moment,
    )


IN_UTC = re.compile(r"(?:Z|UTC|GMT|[+-]00:?00)$")
LOCAL = re.compile(r"\d[+-](?!00:?00)\d{2}:?\d{2}$")


def exacter(day: Moment, other: Moment | None) -> Moment:
    """The other moment where it is the instant of which only the day is known; a zone may move it to the next day."""
    close = other is not None and abs((other.day - day.day).days) <= 1
    return other if other is not None and close and other.is_instant and not day.is_instant else day


def _published_strings(head: Head) -> Iterator[tuple[str, str]]:
    for node in (head.article, head.web_page):
        for key in ("datePublished", "dateCreated", "uploadDate"):
            if isinstance(value := node.get(key), str | int):
                yield str(value), "jsonld"
    for name in PUBLISHED_META:
        for content in head.meta.get(name, ()):
            yield content, "meta"
    for element in PUBLISHED_TIMES(head.tree)[:3]:
        yield element.get("datetime") or element.get("content") or element.text_content(), "page"


def guessed_date(head: Head) -> Moment | None:
    """htmldate's guess from the page's text; a first of January is what it makes of a bare year."""
    latest = head.fetched_at.date() + timedelta(days=2) if head.fetched_at else None
    found = find_date(
        deepcopy(head.tree),
        original_date=True,
        extensive_search=False,  # the texts it would search beyond have been read by then; it finds bare years and loads dateparser
        min_date=datetime(OLDEST, 1, 1),
        max_date=datetime.combine(latest, time()) if latest else None,
    )
    return Moment(value=found, raw=found) if found and not found.endswith("-01-01") else None


def _day_in_url(url: str | None) -> Moment | None:
    match = re.search(r"/((?:19|20)\d{2})[/-](\d{1,2})[/-](\d{1,2})(?=[/-]|$)", url or "") or re.search(
        r"[/-]((?:19|20)\d{2})(\d{2})(\d{2})(?=[/-]|$)", url or ""
    )
    if not match:
        return None
    value = _iso_value("-".join(match.groups()), None)
    return Moment(value=value, raw=match[0].strip("/-")) if value else None


def modified_at(head: Head, timezone: str | None) -> Moment | None:
    texts = [
        value
        for value in (
            head.ld("dateModified"),
            *(content for name in MODIFIED_META for content in head.meta.get(name, ())),
        )
        if isinstance(value, str)
    ]
    return next((moment for text in texts if (moment := parse_moment(text, timezone))), None)


MONTH_NUMBER = {
    name: number
    for months in PHRASES["months"].values()
    for number, names in enumerate(months.split("\n"), 1)
    for name in names.split()
}
TWO_WORD_MONTH = re.compile(r"(كانون|تشرين) (الأول|الثاني)")
"""The Levantine names of the months around the turn of the year."""
CLOCK = re.compile(
    r"(?<![\d:.])(\d{1,2})(?:[:.]|時|시 ?)(\d{2})(?!\d|\.\d{2})(?:分|분)?(?::\d{2})?\s*([ap])?\.?(?:m\b)?", re.I
)
DAY_MONTH_YEAR = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th|er|º|ª)?\.?[\s\-/]+(?:de\s+|d['’])?([^\W\d_]{2,14})\.?,?[\s\-/]+(?:de\s+|del\s+)?(\d{4})\b"
)
MONTH_DAY_YEAR = re.compile(r"\b([^\W\d_]{2,30})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b")
GLUED = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Where `Associated PressApril 28` was two elements of a page before it was copied as text."""
YEAR_MONTH_DAY = re.compile(r"\b(\d{4})\s*[年년/.\-]\s*(\d{1,2})\s*[月월/.\-]\s*(\d{1,2})(?!\d)")
YEAR_NAMED_MONTH_DAY = re.compile(r"\b(\d{4})\.?\s+([^\W\d_]{2,14})\.?\s+(\d{1,2})\b")
NUMERIC = re.compile(r"\b(\d{1,2})([./\-])(\d{1,2})\2(\d{4}|\d{2})\b")


def day_in_words(line: str) -> str | None:
    """The first day a line of text names, in any of the languages of phrases.toml or in figures; None when it names none."""
    line = TWO_WORD_MONTH.sub(r"\1\2", line)
    found = [
        hit
        for pattern, order in (
            (DAY_MONTH_YEAR, (3, 2, 1)),
            (MONTH_DAY_YEAR, (3, 1, 2)),
            (YEAR_MONTH_DAY, (1, 2, 3)),
            (YEAR_NAMED_MONTH_DAY, (1, 2, 3)),
        )
        for hit in _days(pattern, order, line)
    ]
    if found:
        return min(found)[1]
    match = NUMERIC.search(line)
    return _numeric_day(match) if match else None


def _days(pattern: re.Pattern[str], order: tuple[int, int, int], line: str) -> Iterator[tuple[int, str]]:
    for match in pattern.finditer(line):
        year, month, day = (match[group] for group in order)
        number = int(month) if month.isdigit() else MONTH_NUMBER.get(GLUED.split(month)[-1].lower(), 0)
        if value := _day(int(year), number, int(day)):
            yield match.start(), value


def _numeric_day(match: re.Match[str]) -> str | None:
    """Day first, except with slashes where only month first is possible."""
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    year += 2000 if year < 100 else 0
    return _day(year, second, first) or (_day(year, first, second) if match[2] == "/" else None)


def _day(year: int, month: int, day: int) -> str | None:
    try:
        return _checked(date(year, month, day).isoformat(), year)
    except ValueError:
        return None


# ------------------------------------------------------------------------------------------------------------ others


def description(head: Head) -> str | None:
    value = head.ld("description")
    stated = head.first("og:description", "description", "twitter:description") or (
        clean(value) if isinstance(value, str) else ""
    )
    return clean(TAG.sub(" ", stated)) or None


def language(head: Head) -> str | None:
    """The primary tag of what the page declares."""
    value = head.ld("inLanguage")
    value = value.get("alternateName") or value.get("name") if isinstance(value, dict) else value
    for text in (
        head.tree.get("lang"),
        head.tree.get("{http://www.w3.org/XML/1998/namespace}lang"),
        head.tree.get("xml:lang"),
        value,
        head.first("content-language", "language", "dc.language", "og:locale"),
    ):
        if isinstance(text, str) and (tag := primary_tag(text)):
            return tag
    return None


def primary_tag(text: str) -> str | None:
    """`en` of `en-GB`, `en_GB` or `EN, fr`; None for what is no language tag."""
    match = re.match(r"\s*([a-zA-Z]{2,3})(?:[-_]|\s*$|,)", text)
    return match[1].lower() if match else None


TOP_PAGE = Openings("top_pages", after="$")
"""What a breadcrumb begins with: the front page is no section."""


def section(head: Head) -> str | None:
    value = head.ld("articleSection")
    value = next((one for one in value if isinstance(one, str)), None) if isinstance(value, list) else value
    stated = (clean(value) if isinstance(value, str) else "") or head.first(
        "article:section", "section", "parsely-section", "cxenseparse:section", "og:article:section"
    )
    return next((name for name in (stated, _section_above(head)) if name and not TOP_PAGE.match(name)), None)


def _section_above(head: Head) -> str | None:
    """What the page calls the address above its own: `Harbour` for /news/harbour/ on /news/harbour/crane.html."""
    path = urlsplit(head.url or "").path
    above = [path[: end + 1] for end, letter in enumerate(path) if letter == "/" and 0 < end < len(path.rstrip("/"))]
    found = {
        place: text
        for link in head.tree.iter("a")
        if (place := _path(link.get("href", ""))) in above and 1 < len(text := clean(link.text_content())) < 40
    }
    return found[max(found, key=len)] if found else None


def _path(href: str) -> str:
    """The path of a link, without the cost of a full parse."""
    return re.sub(r"^https?://[^/]+", "", re.split("[?#]", href.strip(), maxsplit=1)[0])


def keywords(head: Head) -> tuple[str, ...]:
    value = head.ld("keywords")
    lines = (
        [line for line in value if isinstance(line, str)]
        if isinstance(value, list)
        else [value]
        if isinstance(value, str)
        else []
    )
    lines = (
        lines or head.meta.get("news_keywords", []) or head.meta.get("article:tag", []) or head.meta.get("keywords", [])
    )
    words = [clean(word) for line in lines for word in (re.split(r"[,;、]", line) if len(lines) == 1 else [line])]
    return unique(word for word in words if 1 < len(word) < 80)[:50]


def image_url(head: Head) -> str | None:
    value = head.ld("image")
    value = value[0] if isinstance(value, list) and value else value
    value = (
        head.by_id.get(value.get("@id", ""), value)
        if isinstance(value, dict) and isinstance(value.get("@id"), str)
        else value
    )
    value = value.get("url") or value.get("contentUrl") if isinstance(value, dict) else value
    for address in (head.first("og:image", "og:image:url", "twitter:image", "twitter:image:src"), value):
        if isinstance(address, str) and (url := absolute(address, head.url)):
            return url
    return None


def site_name(head: Head) -> str | None:
    if name := head.first("og:site_name", "application-name"):
        return name
    publisher = head.ld("publisher")
    publisher = publisher[0] if isinstance(publisher, list) and publisher else publisher
    if isinstance(publisher, dict):
        known = head.by_id.get(publisher.get("@id", ""), {}) if isinstance(publisher.get("@id"), str) else {}
        publisher = publisher.get("name") or known.get("name")
    return clean(publisher) or None if isinstance(publisher, str) else None


def canonical_url(head: Head) -> str | None:
    links = [
        link.get("href", "") for link in head.tree.iter("link") if "canonical" in link.get("rel", "").lower().split()
    ]
    return next(
        (url for address in (*links, *head.meta.get("og:url", ())) if (url := absolute(address, head.url))), None
    )


def absolute(address: str, base: str | None) -> str | None:
    """An absolute http(s) address without credentials, else None."""
    try:
        url = urljoin(base or "", clean(address))
        parts = urlsplit(url)
        hostname = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not hostname or parts.username or parts.password or " " in url:
        return None
    return url


def accessible_for_free(head: Head) -> bool | None:
    for node in (head.article, head.web_page):
        value = node.get("isAccessibleForFree")
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
    tier = head.first("article:content_tier")
    return {"free": True, "metered": True, "locked": False}.get((tier or "").lower())
