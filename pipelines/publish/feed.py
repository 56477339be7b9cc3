"""Articles -> an Atom feed (RFC 4287), written by feedgen. datasette-atom, which uses it too, fails where there is no hit yet."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from feedgen.feed import FeedGenerator

from pipelines.publish.formatting import instant, marked, web_address, where
from pipelines.publish.translation import gettext

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""When a feed without entries was changed last, and an article of an impossible day."""


def atom(title: str, rows: list[dict[str, Any]], url: str, page: str | None, page_of: Callable[[int], str]) -> bytes:
    """The feed at `url` of what `page` shows: the articles in this order, each with its lead or with where a hit stands and the words
    around it, and a link to the publisher, or to its page here where the publisher's is none of the web. `published` is what the
    publisher says, where it is possible; `updated` is when a change, or what is found, was seen last. What is not the article itself,
    as a correction of it, has an `entry_id` of its own and its `html`."""
    feed = FeedGenerator()
    feed.id(url)
    feed.title(legal(f"Broadsheet: {title}"))
    if page is not None:  # a file does not know where it will be read
        feed.link(href=url, rel="self")
        feed.link(href=page, rel="alternate")
    feed.updated(max((_when(row["last_changed_at"]) for row in rows), default=EPOCH))
    for row in rows:
        entry = feed.add_entry(order="append")
        entry.id(row.get("entry_id") or row["url"])
        entry.title(legal(row["title"] or gettext("(without a title)")))
        entry.updated(_when(row["last_changed_at"]))
        if row["date_published"] == row["sort_at"]:
            entry.published(_when(row["sort_at"]))
        entry.author(name=legal(row["source"] or "unknown"))
        said = row.get("html") or str(where(row) + marked(row.get("snippet") or row.get("lead")))
        entry.summary(legal(said), type="html")
        entry.link(href=web_address(row["url"]) or page_of(row["id"]))
    return bytes(feed.atom_str(pretty=True))


def _when(stamp: str) -> datetime:
    return instant(stamp) or instant(f"{stamp}T00:00:00Z") or EPOCH


def legal(text: str) -> str:
    """Without what XML 1.0 cannot hold (2.2): control characters, lone surrogates, U+FFFE and U+FFFF."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
