"""Page -> Article, or Refusal. The only module that knows trafilatura. Pure: no clock, no network, no database.

bytes ──decode──► a text copy ──text_copies─────────────────────┐
            └───► one tree ──metadata──► what the page says ────┼──► with the feed's hints an Article, or Refusal(reason)
                      └──body──────► its lines ─────────────────┘
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from crawler.client_redirects import leads_to
from crawler.dates.moments import Habits, parse_moment
from crawler.items import Article, Page
from pipelines.extract.body import read_body
from pipelines.extract.decode import Refusal, decode, is_plain_text, refuse_binary
from pipelines.extract.languages import language_of
from pipelines.extract.layout import measure_layout
from pipelines.extract.metadata.datelines import dateline
from pipelines.extract.metadata.dates import more_precise
from pipelines.extract.metadata.metadata import Metadata, primary_tag, read_metadata
from pipelines.extract.metadata.page_head import PageHead
from pipelines.extract.metadata.reservations import reservations
from pipelines.extract.metadata.stated_dates import is_ahead
from pipelines.extract.notices import notice_of
from pipelines.extract.pagination import linked_parts
from pipelines.extract.refusals import MIN_WORDS, WALL, refuse_others
from pipelines.extract.rules import EXTRACTOR
from pipelines.extract.text_copies import read_copy
from pipelines.extract.tree import MAX_TEXT, parse
from pipelines.text import word_count

MAX_LINES = 20_000
"""Lines of a text copy; the longest labelled one has 200."""


MAX_TITLE, MAX_DESCRIPTION, MAX_NAME, MAX_AUTHORS, MAX_ADDRESS = 500, 5_000, 200, 50, 2_048
"""Characters of a title, of a description, of whatever is called by a name (author, section, site), of an address; people
that sign. What is longer is cut at the end of a word, an address is left out. Labelled pages have titles of up to 124
characters, descriptions of 527, names of 26, five authors, addresses of 177."""


def extract(page: Page) -> Article:
    """The article a page holds; raises Refusal when it holds none."""
    refuse_binary(page.body, page.content_type)
    text = decode(page.body, page.content_type)
    if is_plain_text(text, page.content_type):
        if text.count("\n") > MAX_LINES:
            raise Refusal("too_complex")
        copy = read_copy(text, _zone(page))
        found = _article(page, copy.metadata, copy.lines, named=bool(copy.metadata.title), own_words=None)
        return replace(found, reservations=reservations(page, {}))
    if leads_to(page.body, page.final_url):
        raise Refusal("client_redirect")
    tree = parse(text)
    head = PageHead(tree, page.final_url, page.fetched_at)
    layout = None if head.is_article else measure_layout(tree)
    said = read_metadata(head, _zone(page), page.source.title if page.source else None)
    parts = linked_parts(tree, page.final_url) if head.is_article or said.published else ()
    body = read_body(tree, head, said, page.source)
    refuse_others(head, layout, body)
    notice = notice_of(layout, head, body.said, body.lines, text, page.hints.title)
    found = _article(page, body.said, body.lines, named=head.is_article, own_words=body.own_words)
    return replace(
        found,
        text_source="script" if body.from_scripts else "page",
        reservations=reservations(page, head.meta),
        notice=notice,
        parts=parts,
    )


def _zone(page: Page) -> str | None:
    return page.source.timezone if page.source else None


def _article(page: Page, said: Metadata, lines: Sequence[str], *, named: bool, own_words: int | None) -> Article:
    """What the page said, completed by its feed's hints and its source's settings; `named`: it claims to be an article."""
    said = with_hints(said, page)
    text = "\n\n".join(lines)
    if len(text) > MAX_TEXT:
        raise Refusal("too_long")
    words = word_count(text)
    if not words:
        raise Refusal("no_text")
    enough = words if own_words is None or words >= WALL else own_words
    if enough < MIN_WORDS and not (named or said.published or page.hints.title):
        raise Refusal("too_short")
    return Article(
        title=_cut(said.title, MAX_TITLE),
        text=text,
        description=_cut(said.description, MAX_DESCRIPTION),
        authors=tuple(_cut(name, MAX_NAME) for name in said.authors[:MAX_AUTHORS]),
        date_published=said.published.value if said.published else None,
        date_published_raw=said.published.raw if said.published else None,
        date_published_source=said.published_source,
        date_modified=said.modified.value if said.modified else None,
        language=language_of(said.language, text),
        language_declared=said.language,
        section=_cut(said.section, MAX_NAME),
        keywords=said.keywords,
        image_url=_address(said.image_url),
        site_name=_cut(said.site_name, MAX_NAME),
        dateline=dateline(lines[0]),
        kicker=_cut(said.kicker, MAX_NAME),
        titles=tuple((place, _cut(title, MAX_TITLE)) for place, title in said.titles),
        is_accessible_for_free=said.is_accessible_for_free,
        canonical_url=_address(said.canonical_url),
        word_count=words,
        extractor=EXTRACTOR,
    )


Said = TypeVar("Said", str, str | None)


def _cut(line: Said, most: int) -> Said:
    """A line that is not too long, at the end of a word where there is one."""
    if line is None or len(line) <= most:
        return line
    return line[: most - 1].rsplit(" ", 1)[0].rstrip() + "…"


def _address(url: str | None) -> str | None:
    return url if url and len(url) <= MAX_ADDRESS else None


def with_hints(said: Metadata, page: Page) -> Metadata:
    """Hints are believed only where the page is silent, or names the day of which they know the instant; no date that has not come."""
    hints, source = page.hints, page.source
    habits = Habits(timezone=source.timezone if source else None)
    hinted = parse_moment(hints.date_published, habits) if hints.date_published else None
    if hinted and is_ahead(hinted, page.fetched_at):
        hinted = None
    if said.published and is_ahead(said.published, page.fetched_at):
        said = replace(said, published=None, published_source="none")
    origin = "sitemap" if page.via in ("news_sitemap", "sitemap") else "feed"
    published = more_precise(said.published, hinted) if said.published else hinted
    language = said.language or hints.language or (source.language if source else None)
    return replace(
        said,
        title=said.title or hints.title,
        description=said.description or hints.description,
        authors=said.authors or hints.authors,
        published=published,
        published_source=said.published_source if published is said.published else origin,
        language=primary_tag(language) if language else None,
        image_url=said.image_url or hints.image_url,
    )
