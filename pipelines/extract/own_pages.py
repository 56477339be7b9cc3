"""What a spider of one's own yields -> Page: a Page, or a dict with `url` and `html`."""

from dataclasses import replace
from datetime import datetime

from crawler.items import LOCAL, Page
from crawler.urls import UnusableURL, canonical_url


class NotAPage(ValueError):
    """The spider yields something else; the message says what, in one line."""


def page_of(item: object, now: datetime) -> Page:
    """The page that a spider yields, under the address by which it is found again; raises NotAPage."""
    page = item if isinstance(item, Page) else _from_fields(item, now)
    if page.via in LOCAL:
        return page
    if page.fetched_at.tzinfo is None:
        raise NotAPage(f"the page {page.url!r} has a `fetched_at` without a time zone")
    try:
        return replace(page, url=canonical_url(page.url), final_url=canonical_url(page.final_url))
    except UnusableURL:
        raise NotAPage(f"{page.url!r} is no address of a page") from None


def _from_fields(item: object, now: datetime) -> Page:
    from itemadapter import ItemAdapter  # loads Scrapy; the workers load this module

    if not ItemAdapter.is_item(item):
        raise NotAPage(f"a {type(item).__name__} is no page: yield a Page, or a dict with `url` and `html`")
    fields = dict(ItemAdapter(item))
    url, html = fields.get("url"), fields.get("html")
    if not isinstance(url, str) or not isinstance(html, str | bytes) or len(fields) > 2:
        names = ", ".join(map(repr, fields)) or "nothing"
        of = f" of {url!r}" if isinstance(url, str) else ""
        raise NotAPage(
            f"an item{of} is no page: it needs `url` and `html`, both of them texts, and no more; it has {names}"
        )
    known, body = (
        ("text/html; charset=utf-8", html.encode("utf-8", "replace")) if isinstance(html, str) else (None, html)
    )
    return Page(url=url, final_url=url, via="listed", fetched_at=now, content_type=known, body=body)
