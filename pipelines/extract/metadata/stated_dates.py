"""What a page's data state of dates, as strings: JSON-LD, meta tags, the address, and how dates are written where it is from."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from crawler.dates.calendars import OLDEST
from crawler.dates.moments import Habits, Moment, parse_moment
from pipelines.extract.metadata.page_head import PageHead

COUNTRIES_OF_LANGUAGES = {"zh": "CN", "he": "IL", "bn": "BD"}
"""Where the same letters name another zone than elsewhere, or figures mean another year, and hardly any page says the country."""

NO_COUNTRIES = frozenset(
    ("co", "io", "me", "tv", "ai", "fm", "ly", "cc", "ws", "to", "la", "gg", "eu", "su", "nu", "st")
)
"""Top-level domains of two letters that are sold all over the world."""

TAG_WITH_REGION = re.compile(r"([a-zA-Z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Z]{2}|[a-z]{2}))?(?![\w-])")


def habits_of(head: PageHead, language: str | None, timezone: str | None) -> Habits:
    """How dates are written where a page is from: its host's country, else the one beside its language."""
    tags = (head.tree.get("lang"), head.tree.get("xml:lang"), head.first("og:locale", "content-language"))
    stated = [match for tag in tags if tag and (match := TAG_WITH_REGION.match(tag.strip()))]
    region = _country(head.url) or next((match[3].upper() for match in stated if match[3]), None)
    if not region and any((match[2] or "").lower() == "hant" for match in stated):
        region = "TW"
    return Habits(timezone=timezone, language=language, region=region or COUNTRIES_OF_LANGUAGES.get(language or ""))


def _country(url: str | None) -> str | None:
    """The country of a host's top-level domain."""
    try:
        last = (urlsplit(url or "").hostname or "").rpartition(".")[2]
    except ValueError:
        return None
    if len(last) != 2 or not last.isalpha() or last in NO_COUNTRIES:
        return None
    return {"uk": "GB"}.get(last, last.upper())


# ----------------------------------------------------------------------------------------------------------- strings
PUBLISHED_META_NAMES = """
article:published_time og:published_time datepublished date.issued dcterms.created dc.date.issued
dcterms.issued parsely-pub-date sailthru.date publish-date publication_date pubdate
cxenseparse:recs:publishtime article.published og:article:published_time published_time dc.date.created
rnews:datepublished ptime article:published publishdate citation_date pub_date published-date release_date
og:release_date video:release_date article.created datecreated date.created originalpublicationdate sw-pubdate
"""

DATED_META_NAMES = "date dc.date dcterms.date last-published created displaydate timestamp"
"""Names that do not say whether the article is dated or the page: of ten that a page's face contradicts none was right."""

PUBLISHED_META, DATED_META = tuple(PUBLISHED_META_NAMES.split()), tuple(DATED_META_NAMES.split())


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


def published_strings(head: PageHead) -> Iterator[tuple[str, str, bool]]:
    """What the data say, who says it, and whether they say that it is the publication."""
    for node in (head.article, head.web_page):
        for key in ("datePublished", "dateCreated", "uploadDate"):
            value = node.get(key)
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str | int):
                    yield str(one), "jsonld", True
    for names, says_published in ((PUBLISHED_META, True), (DATED_META, False)):
        for content in (content for name in names for content in head.meta.get(name, ())):
            yield content, "meta", says_published


def strings_in_scripts(head: PageHead) -> list[str]:
    """What the data from which scripts make a page state of a publication, else of what was made for it."""
    scripts = [text for script in head.tree.iter("script") if (text := script.text) and DATE_KEY.search(text)]
    found = [match.groups() for text in scripts for match in DATE_KEY.finditer(text)]
    return [value for key, value in found if "ubl" in key] or [value for _, value in found]


DATE_KEY = re.compile(
    r"""(?<![^\W_])(date_?[pP]ublished|(?:first_?)?(?:[pP]ublish(?:ed)?|[pP]ublication)_?(?:[aA]t|[dD]ate)|[pP]ubDate|created_?[aA]t)"""
    r"""\\?["']?\s?:\s?\\?["']?([12]\d[\d:.TZ+ -]{6,40})"""
)


def day_in_url(url: str | None) -> Moment | None:
    """The day in an address's path: `/2026/11/05/`, `/20261105-crane`, `/2026/nov/05/`; a longer number is an id."""
    match = next(filter(None, (pattern.search(url or "") for pattern in DAYS_IN_URL)), None)
    moment = parse_moment("-".join(match.groups())) if match else None
    return replace(moment, raw=match[0].strip("/-")) if match and moment else None


DAYS_IN_URL = (
    re.compile(r"/((?:19|20)\d{2})[/-](\d{1,2})[/-](\d{1,2})(?=[/-]|$)"),
    re.compile(r"[/-]((?:19|20)\d{2})(\d{2})(\d{2})(?=[./-]|$)"),
    re.compile(r"/((?:19|20)\d{2})/([a-z]{3,9})/(\d{1,2})(?=/|$)"),
)


AHEAD = timedelta(days=2)
"""How far a date may be ahead of the fetch: zones are worth one day, a wrong clock another. `sort_at` has the same limit."""


def is_ahead(moment: Moment, fetched_at: datetime | None) -> bool:
    """Whether a date is doubted because it had not come when the page was fetched; a clock before the web's tells nothing."""
    return fetched_at is not None and fetched_at.year > OLDEST and moment.day > (fetched_at + AHEAD).date()
