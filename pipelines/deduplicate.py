"""Whether an article is new, a known one fetched again, or a copy; and whose row it belongs to. Reads, never writes.

Called inside the store's transaction, so that what is decided is what is written. Reasons, in the order they are tried:
the page's own address, a redirect, a canonical link, equal text.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from crawler.items import Article, Page
from crawler.urls import UnusableURL, canonical_url, is_front_page, same_site

Row = Mapping[str, Any]

SHORTEST_EQUAL_TEXT = 25
"""Words. Two texts shorter than this may be equal by chance ("No results today."); the title must then agree too."""

ALIKE = 0.5
"""Share of the shorter text's three-word runs that the longer one holds, from which a canonical link is believed."""

_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+"
)
"""Runs of letters and digits; in scripts without spaces every character by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an accepted article goes."""

    kind: str  #: new; again: its page is known; duplicate: of article_id; original: article_id takes this page's fields
    url: str  #: the article's address when this page gives it its fields
    article_id: int | None = None
    reason: str | None = None  #: redirect, canonical or text: why this page, or the page it displaces, is a duplicate
    false_claim_of: int | None = None  #: an article that claimed this page's address as its canonical one, wrongly


def place(db: Database, page: Page, article: Article) -> Place:
    """Decide where `article`, extracted from `page`, belongs."""
    here = _page_row(db, page.final_url)
    if here and here["state"] == "article":
        return Place(kind="again", url=page.final_url, article_id=here["article_id"])
    if moved := _moved_article(db, page, article):
        return Place(kind="original", url=page.final_url, article_id=moved, reason="redirect")
    claimed = canonical_claim(page, article)
    known = _article_at(db, claimed) if claimed else None
    if known and _alike(known, article):
        return Place(kind="duplicate", url=page.final_url, article_id=known["id"], reason="canonical")
    url = claimed if claimed and not known and not _answered_otherwise(db, claimed) else page.final_url
    claimant = _row(db, "select * from articles where url = ?", page.final_url)
    if claimant and _alike(claimant, article):
        return Place(kind="original", url=url, article_id=claimant["id"], reason="canonical")
    false_claim_of = claimant["id"] if claimant else None
    twin = _same_text(db, article)
    if twin is None or twin["id"] == false_claim_of:
        return Place(kind="new", url=url, false_claim_of=false_claim_of)
    earlier = precedence(article.date_published, _found_at(here, page), page.final_url) < _precedence_of(db, twin)
    return Place(
        kind="original" if earlier else "duplicate",
        url=url,
        article_id=twin["id"],
        reason="text",
        false_claim_of=false_claim_of,
    )


def canonical_claim(page: Page, article: Article) -> str | None:
    """The address on its own site that the page says it should be known by; None when it names none but its own.

    A saved copy that names no address of its own may claim any.
    """
    try:
        claimed = canonical_url(article.canonical_url or "")
    except UnusableURL:
        return None
    if page.final_url.startswith("urn:"):
        return claimed
    elsewhere = not same_site(claimed, page.final_url) or (is_front_page(claimed) and not is_front_page(page.final_url))
    return None if elsewhere or claimed == page.final_url else claimed


def precedence(date_published: str | None, discovered_at: str, url: str) -> tuple[str, str, str]:
    """Sorts originals before copies: the earliest published, a bare day counting as its end; else the first found.

    The address only settles ties, so that the order of arrival never does.
    """
    published = date_published or "9999"
    return (f"{published}T24:00:00Z" if len(published) == 10 else published, discovered_at, url)


def content_hash(text: str) -> str:
    """32 hexadecimal digits that are equal for texts of the same words, whatever their case, punctuation and spacing."""
    return hashlib.sha256(" ".join(tokens(text)).encode()).hexdigest()[:32]


def tokens(text: str) -> list[str]:
    """The words of a text, case folded."""
    return _TOKEN.findall(text.casefold())


def containment(one: str, other: str) -> float:
    """Share, 0 to 1, of the shorter text's three-word runs that the longer one holds."""
    shorter, longer = sorted((_runs(one), _runs(other)), key=lambda runs: runs.total())
    return (shorter & longer).total() / shorter.total() if shorter else 0.0


def words_changed(old: str, new: str) -> tuple[int, int]:
    """How many words a change added and how many it removed, moved words not counted."""
    before, after = Counter(tokens(old)), Counter(tokens(new))
    return (after - before).total(), (before - after).total()


def _runs(text: str) -> Counter[tuple[str, ...]]:
    words = tokens(text)
    return Counter(tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2))) if words else Counter()


def _article_at(db: Database, url: str) -> Row | None:
    """The article known by this address, or whose page or duplicate it is."""
    return _row(
        db,
        "select * from articles where url = ? or id = (select article_id from pages where url = ?) order by url = ? desc limit 1",
        url,
        url,
        url,
    )


def _answered_otherwise(db: Database, url: str) -> bool:
    """Whether this address has answered and was no article: what claims to be known by it is mistaken."""
    row = _page_row(db, url)
    return row is not None and row["state"] in ("refused", "failed") and row["last_fetched_at"] is not None


def _moved_article(db: Database, page: Page, article: Article) -> int | None:
    """The article that lived at the address found, when that address now redirects to where the same text is."""
    if page.url == page.final_url:
        return None
    found = _row(
        db,
        "select * from articles where id = (select article_id from pages where url = ? and state = 'article')",
        page.url,
    )
    return int(found["id"]) if found and _alike(found, article) else None


def _same_text(db: Database, article: Article) -> Row | None:
    rows = db.query("select * from articles where content_hash = ? order by id", [content_hash(article.text)])
    return next((row for row in rows if article.word_count >= SHORTEST_EQUAL_TEXT or _same_title(row, article)), None)


def _same_title(row: Row, article: Article) -> bool:
    return tokens(row["title"] or "") == tokens(article.title or "")


def _alike(row: Row, article: Article) -> bool:
    return containment(row["text"], article.text) >= ALIKE


def _precedence_of(db: Database, article: Row) -> tuple[str, str, str]:
    page = _row(db, "select url, discovered_at from pages where article_id = ? and state = 'article'", article["id"])
    assert page is not None
    return precedence(article["date_published"], page["discovered_at"], page["url"])


def _found_at(row: Row | None, page: Page) -> str:
    fetched_at = page.fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return min(row["discovered_at"], fetched_at) if row else fetched_at


def _page_row(db: Database, url: str) -> Row | None:
    return _row(db, "select * from pages where url = ?", url)


def _row(db: Database, sql: str, *parameters: object) -> Row | None:
    return next(iter(db.query(sql, parameters)), None)
