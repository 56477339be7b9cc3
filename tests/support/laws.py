"""What holds of every reader whatever it is given: a result of the documented shape or a documented refusal, nothing else.

Each law takes a mutant and says in a word what became of it; it raises AssertionError where the shape is not the documented one,
and lets through what the reader raises and nobody expects.
"""

import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path

from scrapy.http import Response

from crawler.cli.output import MAX_MESSAGE_CHARS, printable
from crawler.fetcher.robots import rules_of
from crawler.fetcher.robots_rules import RobotsRules
from crawler.items import MAX_CHILDREN, MAX_PAGE_BYTES, Article, Hints, Page, Source
from crawler.parsers.feeds import feed_says
from crawler.parsers.front_pages import site_says
from crawler.parsers.links import (
    MAX_DATE_CHARS,
    MAX_FEED_HTML_CHARS,
    MAX_HINT_AUTHORS,
    MAX_HINT_CHARS,
    MAX_LINKS,
    MAX_URL_CHARS,
    NotAListing,
    Reading,
)
from crawler.parsers.listings import read_listing
from crawler.parsers.warc import read_warc
from crawler.sources.edit import with_entries
from crawler.sources.exchange import SUFFIXES, merge_into, read_list, write_list
from crawler.sources.opml import UnreadableList
from crawler.sources.toml_file import SourcesError, parse_sources
from crawler.urls import canonical_url
from pipelines.extract import Refusal
from pipelines.extract.article import MAX_ADDRESS, MAX_AUTHORS, MAX_DESCRIPTION, MAX_NAME, MAX_TITLE, extract
from pipelines.extract.tree import MAX_TEXT
from tests.support.mutations import Mutant

URL = "https://www.x.example/news/a.html"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
STORED_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?")
LANGUAGE = re.compile(r"[a-z]{2,3}")
REASON = re.compile(r"[a-z0-9_]{2,40}|elsewhere_[^\s/]+")
UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff]")
"""What no stored text holds: control characters but tab and newline, direction overrides, halves of surrogate pairs."""


def is_clean(text: str | None, most: int) -> bool:
    """Whether a stored text says something, in characters that harm nobody, and is not too long."""
    return text is None or (0 < len(text) <= most and not UNFIT.search(text))


def is_address(url: str | None, most: int) -> bool:
    return url is None or (url.startswith(("http://", "https://")) and is_clean(url, most) and " " not in url)


def obeys_article(article: Article) -> bool:
    """Whether an article has the shape that items.Article documents, within the caps of pipelines.extract."""
    lines = article.text.split("\n\n")
    assert len(article.text) <= MAX_TEXT, len(article.text)
    assert all(line.strip() and "\n" not in line for line in lines), "an empty or broken paragraph"
    assert not UNFIT.search(article.text), UNFIT.search(article.text)
    assert unicodedata.is_normalized("NFC", article.text)
    assert is_clean(article.title, MAX_TITLE), article.title
    assert is_clean(article.description, MAX_DESCRIPTION), article.description
    assert len(article.authors) <= MAX_AUTHORS, article.authors
    assert len(article.keywords) <= 50, article.keywords
    for name in (*article.authors, article.section, article.site_name, *article.keywords):
        assert is_clean(name, MAX_NAME), name
    for title in dict(article.titles).values():
        assert is_clean(title, MAX_TITLE), title
    for time in (article.date_published, article.date_modified):
        assert time is None or STORED_TIME.fullmatch(time), time
    assert is_clean(article.date_published_raw, MAX_NAME), article.date_published_raw
    assert (article.date_published is None) == (article.date_published_source == "none"), article.date_published_source
    assert article.language is None or LANGUAGE.fullmatch(article.language), article.language
    assert is_address(article.image_url, MAX_ADDRESS), article.image_url
    assert is_address(article.canonical_url, MAX_ADDRESS), article.canonical_url
    assert article.word_count > 0
    return True


def page(mutant: Mutant, hints: Hints | None = None, source: Source | None = None) -> str:
    """A page, or a text copy."""
    given = Page(
        url=URL, final_url=URL, via="feed", fetched_at=NOW, content_type=mutant.content_type, body=mutant.body,
        hints=hints or Hints(), source=source,
    )  # fmt: skip
    try:
        assert obeys_article(extract(given))
    except Refusal as refusal:
        assert REASON.fullmatch(refusal.reason), refusal.reason
        return refusal.reason
    return "article"


def text(mutant: Mutant) -> str:
    return page(replace(mutant, content_type="text/plain"))


def obeys_reading(reading: Reading) -> bool:
    """Whether what a listing gave has the shape that discovery documents, within its caps."""
    assert reading.kind in ("rss", "atom", "json", "news_sitemap", "sitemap", "homepage")
    assert len(reading.links) <= MAX_LINKS
    assert len(reading.children) <= MAX_CHILDREN
    assert len(reading.feeds) <= MAX_CHILDREN
    urls = [*(link.url for link in reading.links), *(child.url for child in reading.children), *reading.feeds]
    for url in (*urls[:500], *urls[-500:]):
        assert canonical_url(url) == url
        assert is_address(url, MAX_URL_CHARS), url
    for link in reading.links:
        assert obeys_hints(link.hints)
        assert link.feed_html is None or not UNFIT.search(link.feed_html)
        assert len(link.feed_html or "") <= MAX_FEED_HTML_CHARS
    assert all(child.changed_at is None or child.changed_at.tzinfo for child in reading.children)
    assert reading.asked is None or reading.asked > 0
    return True


def obeys_hints(hints: Hints) -> bool:
    assert is_clean(hints.title, MAX_HINT_CHARS), hints.title
    assert is_clean(hints.description, MAX_HINT_CHARS), hints.description
    assert len(hints.authors) <= MAX_HINT_AUTHORS
    assert all(name and is_clean(name, MAX_HINT_CHARS) for name in hints.authors), hints.authors
    assert is_clean(hints.date_published, MAX_DATE_CHARS), hints.date_published
    assert is_clean(hints.language, MAX_HINT_CHARS), hints.language
    assert is_address(hints.image_url, MAX_URL_CHARS), hints.image_url
    return True


def listing(expected: str) -> Callable[[Mutant], str]:
    def law(mutant: Mutant) -> str:
        url = origin(mutant.body) + "/listing"
        said = feed_says(mutant.body, url) if expected == "feed" else site_says(mutant.body, url)
        assert all(is_clean(said.get(key), MAX_HINT_CHARS) for key in ("name", "language", "title")), said
        assert is_address(said.get("site"), MAX_URL_CHARS), said
        try:
            reading = read_listing(mutant.body, url, expected, NOW.replace(year=2020))
        except NotAListing as error:
            assert REASON.fullmatch(str(error)), str(error)
            return str(error)
        assert obeys_reading(reading)
        return "read" if reading.links or reading.children else "empty"

    return law


def origin(body: bytes) -> str:
    """Of the first address in a document: a listing names its own site."""
    found = re.search(rb"https?://[a-z.-]+\.example", body)
    return found[0].decode() if found else "https://www.x.example"


def robots(mutant: Mutant) -> str:
    said = rules_of(Response("https://www.x.example/robots.txt", body=mutant.body))
    rules = RobotsRules(said, "broadsheet/1 (+https://x.example/)")
    allowed = [rules.allowed(url) for url in (URL, "https://www.x.example/a?b=%c#d")]
    assert all(type(one) is bool for one in allowed)
    delay = rules.crawl_delay
    assert delay is None or (isfinite(delay) and delay >= 0), delay
    assert all(type(url) is str for url in rules.sitemaps)
    return "allowed" if allowed[0] else "forbidden"


def settings(mutant: Mutant) -> str:
    """sources.toml; what could be read is also written as every kind of list."""
    try:
        sources = parse_sources(mutant.body.decode("utf-8-sig", "replace")).sources
    except SourcesError as error:
        assert obeys_message(str(error)), str(error)
        return "refused"
    assert all(canonical_url(source.url) == source.url and source.name for source in sources)
    assert listed_again(sources)
    return "read"


def obeys_message(message: str) -> bool:
    """Whether a mistake is told, as the command line prints it."""
    shown = printable(message)
    return 10 < len(shown) <= 10 * MAX_MESSAGE_CHARS and shown.isprintable()


def listed_again(sources: Iterable[Source]) -> bool:
    """Whether these sources can be written as lists, and their lists read again."""
    sources = tuple(sources)
    for suffix in SUFFIXES:
        written = write_list(sources, suffix, Counter())
        entries = read_list(written, suffix, Counter())
        assert not merge_into(entries, sources).new or suffix == ".txt", f"{suffix} brings what is there already"
    return True


def exchange(suffix: str) -> Callable[[Mutant], str]:
    def law(mutant: Mutant) -> str:
        unused: Counter[str] = Counter()
        try:
            entries = read_list(mutant.body, suffix, unused)
        except UnreadableList as error:
            assert obeys_message(str(error)), str(error)
            return "refused"
        arrivals = merge_into(entries, ())
        assert all(map(obeys_message, arrivals.refused)), arrivals.refused
        sources = parse_sources(with_entries("", arrivals.new), may_be_empty=True).sources
        assert len(sources) == len(arrivals.new)
        assert listed_again(sources)
        return "read" if arrivals.new else "nothing new"

    return law


def warc(mutant: Mutant) -> str:
    with tempfile.NamedTemporaryFile(suffix=".warc") as file:
        file.write(mutant.body)
        file.flush()
        found = Counter(
            "failed" if one.failure or one.refusal else "page" for one in read_warc(Path(file.name)) if obeys_page(one)
        )
    return "read" if found["page"] else "only damage" if found else "nothing"


def obeys_page(one: Page) -> bool:
    assert canonical_url(one.url) == one.url == one.final_url
    assert len(one.body) <= MAX_PAGE_BYTES + 1
    assert one.status is None or 100 <= one.status <= 999, one.status
    assert one.failure is None or REASON.fullmatch(one.failure), one.failure
    assert datetime(1990, 1, 1, tzinfo=UTC) <= one.fetched_at <= datetime.now(UTC), one.fetched_at
    return True


LAWS: dict[str, Callable[[Mutant], str]] = {
    "page": page, "text": text, "feed": listing("feed"), "sitemap": listing("sitemap"), "homepage": listing("homepage"),
    "robots": robots, "sources": settings, "opml": exchange(".opml"), "csv": exchange(".csv"), "txt": exchange(".txt"), "warc": warc,
}  # fmt: skip
"""What is read -> its law."""
