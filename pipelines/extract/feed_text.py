"""An article with its feed's text, where the page gives none or only the beginning of it (paywall, consent wall, JavaScript shell)."""

from dataclasses import replace
from html import escape

from crawler.items import Article, Page
from pipelines.deduplicate.near_copies import is_beginning
from pipelines.extract.article import extract
from pipelines.extract.decode import Refusal
from pipelines.extract.metadata.datelines import dateline
from pipelines.text import word_count

WITHOUT_TEXT = frozenset(("consent", "scripted", "no_text", "too_short", "video", "empty"))
"""Refusals of a page that is there and shows its text to others; an error page or an index says that there is none."""

MIN_FEED_WORDS = 60
"""Words of a feed's text from which it is an article: what is shorter is a teaser more often than not."""

CUT_OFF = ("…", "...", "[…]", "[...]", "(…)", "(...)", "… »", "...»")
"""What ends a text that goes on elsewhere."""


def read_article(page: Page) -> tuple[Page, Article]:
    """The article of a page with its feed's text, and the page it is of; raises Refusal where neither gives one.

    What the feed tells in the place of a page belongs to the address that the feed named: a wall may stand at another.
    """
    if page.feed_html is None:
        return page, extract(page)
    if page.failure:
        told = _told_by_feed(page)
        if told is None:
            raise Refusal("no_text")
        return replace(page, final_url=page.url), told
    try:
        own = extract(page)
    except Refusal as refusal:
        told = _told_by_feed(page) if refusal.reason in WITHOUT_TEXT else None
        if told is None:
            raise
        return replace(page, final_url=page.url), told
    return page, _completed(own, page)


def _completed(own: Article, page: Page) -> Article:
    """The page's article, with the feed's text where its own is the beginning of that."""
    if len(page.feed_html or "") < len(own.text):
        return own
    told = _told_by_feed(page)
    if told is None or not is_beginning(own.text, told.text):
        return own
    return replace(
        own,
        text=told.text,
        word_count=told.word_count,
        dateline=dateline(told.text.partition("\n\n")[0]),
        text_source="feed",
    )


def _told_by_feed(page: Page) -> Article | None:
    """The feed's text, cleaned as a page's is; None where that is none, or breaks off."""
    title = escape(page.hints.title or "")
    body = f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1><div itemprop='articleBody'>{page.feed_html}</div></article></body></html>"
    source = replace(page.source, body=None) if page.source else None
    alone = replace(
        page,
        body=body.encode("utf-8", "replace"),
        content_type="text/html; charset=utf-8",
        final_url=page.url,
        source=source,
    )
    try:
        told = extract(alone)
    except Refusal:
        return None
    is_whole = word_count(told.text) >= MIN_FEED_WORDS and not told.text.endswith(CUT_OFF)
    return replace(told, text_source="feed", canonical_url=None) if is_whole else None
