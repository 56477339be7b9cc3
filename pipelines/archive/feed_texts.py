"""The table `feed_texts`: the whole text that a feed gives of an article, for as long as its page may still need it.

That is until the page has given its article, or is not asked again: each text is kept once, as the article's or not at all.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from crawler.items import Page
from pipelines.database.sqlite import Database

AWAITED = "(state = 'pending' or (state in ('failed', 'refused') and next_fetch_at is not null))"
"""Pages that are still to give their article."""


def keep(db: Database, page_id: int, html: str) -> None:
    """Keep what a feed says last, of a page that is still to give its article."""
    db.conn.execute(
        f"""insert into feed_texts (page_id, html) select id, ? from pages where id = ? and {AWAITED}
            on conflict (page_id) do update set html = excluded.html where html <> excluded.html""",
        [html, page_id],
    )


def with_text(db: Database, output: Any) -> Any:
    """A page with what its feed told of it, as long as it has not given its article; all else as it is."""
    if not isinstance(output, Page) or output.unchanged:
        return output
    sql = "select html from feed_texts where page_id = (select id from pages where url = ?)"
    found = db.conn.execute(sql, [output.url]).fetchone()
    return replace(output, feed_html=str(found[0])) if found else output


def drop_settled(db: Database, page: Page) -> None:
    """Forget the texts of a page's addresses that need none any more."""
    sql = f"delete from feed_texts where page_id in (select id from pages where url in (?, ?) and not {AWAITED})"
    db.conn.execute(sql, [page.url, page.final_url])


def drop(db: Database, page_ids: Iterable[int]) -> None:
    """Forget the texts of pages that are taken down."""
    db.conn.executemany("delete from feed_texts where page_id = ?", [(page_id,) for page_id in page_ids])
