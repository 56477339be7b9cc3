"""Pagination: several addresses of one article, told by their addresses (`?page=2`, `?page=all`). Reads, never writes."""

import re

from sqlite_utils import Database

from pipelines.database.connection import Row, rows

_PART = re.compile(
    r"(?<=[?&])(?:(?:page|pg|paged|pagenum|seite|pagina)=(?:([0-9]{1,3})|all|alle|full|single|tout|toutes|todo|todas|tutto)"
    r"|(?:singlepage|onepage|fullpage|showall|viewall)=(?:1|true|yes|y)|view=(?:all|full))(?:&|\Z)",
    re.IGNORECASE,
)
"""The parameter that chooses a page of an article, or all of them."""


def whole_address(url: str) -> str:
    """An address without what chooses one of an article's pages."""
    return _PART.sub("", url).rstrip("?&")


def is_later_part(url: str) -> bool:
    """Whether an address says that it is of the second or a later page."""
    return any(int(part[1] or 0) > 1 for part in _PART.finditer(url))


def articles_beside(db: Database, url: str) -> list[Row]:
    """Articles whose pages have the address but for what chooses a page of it, in the order of their numbers."""
    whole = whole_address(url)
    path = whole.partition("?")[0]
    sql = """select articles.*, pages.url as page_url from pages join articles on articles.id = article_id
             where +state = 'article' and pages.url <> ?1 and (pages.url = ?2 or pages.url > ?3 and pages.url < ?4)"""
    found = [
        row for row in rows(db, sql, [url, path, f"{path}?", f"{path}@"]) if whole_address(row["page_url"]) == whole
    ]
    return sorted(
        ({name: row[name] for name in row if name != "page_url"} for row in found), key=lambda row: int(row["id"])
    )
