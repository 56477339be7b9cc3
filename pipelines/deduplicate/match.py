"""Whether an article is new, a known one fetched again, or a copy; and whose row it belongs to. Reads, never writes.

Called inside the store's transaction, so that what is decided is what is written. Reasons, in the order they are tried:
the page's own address, a redirect, a canonical link, equal text, a near copy.

Near copies are found in two steps: fingerprints name the few articles that share passages; then near_copies compares
the texts themselves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlite_utils import Database

from crawler.items import Article, Page
from crawler.urls import UnusableURL, canonical_url, is_front_page, same_site
from pipelines.database.connection import first_row
from pipelines.deduplicate.fingerprints import Holders, candidates, holders_of, unnoted
from pipelines.deduplicate.near_copies import Text, containment, is_copy
from pipelines.extract.boilerplate import is_noise
from pipelines.text import content_hash, tokens

Row = Mapping[str, Any]

SHORTEST_EQUAL_TEXT = 25
"""Words. Two texts shorter than this may be equal by chance ("No results today."); the title must then agree too."""

ALIKE = 0.5
"""Share of the shorter text's three-word runs that the longer one holds, from which a canonical link is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an accepted article goes."""

    kind: str  #: new; again: its page is known; duplicate: of article_id; original: article_id takes this page's fields
    url: str  #: the article's address when this page gives it its fields
    article_id: int | None = None
    reason: str | None = (
        None  #: redirect, canonical, text or near: why this page, or the one it displaces, is a duplicate
    )
    false_claim_of: int | None = None  #: an article that claimed this page's address as its canonical one, wrongly
    merges: tuple[int, ...] = ()  #: other articles that this page shows to be the same as article_id
    prints: tuple[int, ...] = ()  #: what to note of a new article's text, so that it is not looked up twice


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
    claimant = first_row(db, "select * from articles where url = ?", [page.final_url])
    if claimant and _alike(claimant, article):
        return Place(kind="original", url=url, article_id=claimant["id"], reason="canonical")
    false_claim_of = claimant["id"] if claimant else None
    alike = _place_among_texts(db, page, article, false_claim_of)
    return replace(alike, url=url, false_claim_of=false_claim_of)


def _place_among_texts(db: Database, page: Page, article: Article, but: int | None) -> Place:
    """Decide by the text alone, leaving out one article: new, a copy, or the original of copies that came before it."""
    text = Text(article.text)
    holders = holders_of(db, text.prints)
    ids = sorted((_same_text(db, article) | _near(db, text, holders)) - {but})
    if not ids:
        return Place(kind="new", url=page.final_url, prints=unnoted(text.prints, holders))
    twins = [row for one in ids if (row := first_row(db, "select * from articles where id = ?", [one]))]
    first = min(twins, key=lambda twin: precedence_of(db, twin))
    found_at = _found_at(_page_row(db, page.final_url), page)
    earlier = precedence(article.date_published, found_at, page.final_url) < precedence_of(db, first)
    return Place(
        kind="original" if earlier else "duplicate",
        url=page.final_url,
        article_id=ids[0],
        reason="text" if content_hash(article.text) == first["content_hash"] else "near",
        merges=tuple(ids[1:]),
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


def precedence_of(db: Database, article: Row) -> tuple[str, str, str]:
    """precedence() of an article that is stored."""
    page = first_row(
        db, "select url, discovered_at from pages where article_id = ? and state = 'article'", [article["id"]]
    )
    assert page is not None
    return precedence(article["date_published"], page["discovered_at"], page["url"])


def is_boring(known: Row, row: Row) -> bool:
    """Whether two captures say the same: only spacing, punctuation, case, or lines that offer to share or to read on differ."""
    if tokens(known["title"] or "") != tokens(row["title"] or ""):
        return False
    return bool(known["content_hash"] == row["content_hash"]) or _said(known["text"]) == _said(row["text"])


def _said(text: str) -> list[str]:
    return tokens("\n".join(line for line in text.splitlines() if not is_noise(line)))


def _article_at(db: Database, url: str) -> Row | None:
    """The article known by this address, or whose page or duplicate it is."""
    return first_row(
        db,
        "select * from articles where url = ? or id = (select article_id from pages where url = ?) order by url = ? desc limit 1",
        [url, url, url],
    )


def _answered_otherwise(db: Database, url: str) -> bool:
    """Whether this address has answered and was no article: what claims to be known by it is mistaken."""
    row = _page_row(db, url)
    return row is not None and row["state"] in ("refused", "failed") and row["last_fetched_at"] is not None


def _moved_article(db: Database, page: Page, article: Article) -> int | None:
    """The article that lived at the address found, when that address now redirects to where the same text is."""
    if page.url == page.final_url:
        return None
    found = first_row(
        db,
        "select * from articles where id = (select article_id from pages where url = ? and state = 'article')",
        [page.url],
    )
    return int(found["id"]) if found and _alike(found, article) else None


def _same_text(db: Database, article: Article) -> set[int]:
    """Articles of which some page gave these very words."""
    pages = db.query(
        "select article_id, title from pages where content_hash = ? and article_id is not null",
        [content_hash(article.text)],
    )
    long = article.word_count >= SHORTEST_EQUAL_TEXT
    return {page["article_id"] for page in pages if long or _same_title(page, article)}


def _near(db: Database, text: Text, holders: Holders) -> set[int]:
    """Articles of which the text of some page is a near copy of this one, or this one of it."""
    return {
        article_id
        for article_id in candidates(holders)
        if any(is_copy(text, Text(other)) for other in texts_of(db, article_id))
    }


def texts_of(db: Database, article_id: int) -> Iterator[str]:
    """What the pages of an article say now: its own text, then those of its near copies."""
    own = first_row(db, "select text, content_hash from articles where id = ?", [article_id])
    assert own is not None
    yield own["text"]
    copies = db.query(
        """select distinct versions.text from pages
           join versions on versions.article_id = pages.article_id and versions.content_hash = pages.content_hash
           where pages.article_id = ? and pages.content_hash <> ?""",
        [article_id, own["content_hash"]],
    )
    for copy in copies:
        yield copy["text"]


def _same_title(row: Row, article: Article) -> bool:
    return tokens(row["title"] or "") == tokens(article.title or "")


def _alike(row: Row, article: Article) -> bool:
    return containment(row["text"], article.text) >= ALIKE


def _found_at(row: Row | None, page: Page) -> str:
    fetched_at = page.fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return min(row["discovered_at"], fetched_at) if row else fetched_at


def _page_row(db: Database, url: str) -> Row | None:
    return first_row(db, "select * from pages where url = ?", [url])
