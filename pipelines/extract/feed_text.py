"""An article with its feed's text, where the page gives none or only the beginning of it (paywall, consent wall, JavaScript shell)."""

import re
from dataclasses import replace
from html import escape

from crawler.items import Article, Page
from pipelines.deduplicate.near_copies import SHARE, TEASER, containment, is_beginning
from pipelines.extract.article import extract
from pipelines.extract.decode import Refusal
from pipelines.text import fold, word_count

WITHOUT_TEXT = frozenset(("consent", "turned_away", "scripted", "no_text", "too_short", "video", "empty"))
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
    if page.failure or page.refusal:
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
    if len(TAG.sub("", page.feed_html)) < TEASER * len(own.text):  # as most: the page has it all
        return page, own
    told = _told_by_feed(page)
    if told is None or not is_beginning(own.text, told.text):
        return page, own
    if containment(own.text, told.text) < SHARE:  # a notice
        return replace(page, final_url=page.url), told
    return page, replace(
        own,
        text=told.text,
        word_count=told.word_count,
        dateline=told.dateline,
        text_source=told.text_source,
        notice=None,
    )


TAG = re.compile(r"<[^<>]*+>")


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
    text = _without_trailer(told.text, page.hints.title)
    words = word_count(text)
    if words < MIN_FEED_WORDS or text.endswith(CUT_OFF):
        return None
    return replace(told, text=text, word_count=words, text_source="feed", canonical_url=None, notice=None)


def _without_trailer(text: str, title: str | None) -> str:
    """Without the line that names the article below its text: `The post … appeared first on …`, in any language."""
    rest, _, last = text.rpartition("\n\n")
    is_trailer = title and rest and fold(title) in fold(last) and len(last) <= len(title) + MAX_TRAILER_CHARS
    return rest if is_trailer else text


MAX_TRAILER_CHARS = 100
"""Of such a line beside the title: the site's name and some words."""
