"""Whether an article is new, a known one fetched again, or a copy; and whose row it belongs to. Reads, never writes.

Called inside the store's transaction, so that what is decided is what is written. Reasons, in the order they are tried:
the page's own address, a redirect, a canonical link, equal text, a near copy.

Near copies are found in two steps: fingerprints name the few articles that share passages; then near_copies compares
the texts themselves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from crawler.items import Article, Outcome, Page
from crawler.times import instant_of, moment_of, stamp
from crawler.urls import canonical_or_none, hash_route, is_front_page, same_site
from pipelines.database.connection import Row, first_row, rows
from pipelines.database.sqlite import Database
from pipelines.deduplicate.fingerprints import Holders, candidates, holders_of, unnoted
from pipelines.deduplicate.near_copies import Text, containment, is_copy
from pipelines.deduplicate.parts import HELD, articles_beside, is_later_part_of
from pipelines.deduplicate.titles import ALIKE, shared_words
from pipelines.text import content_hash, tokens

SHORTEST_EQUAL_TEXT = 25
"""Words. Two texts shorter than this may be equal by chance ("No results today."); the title must then agree too."""

MIN_CONTAINMENT = 0.5
"""Share of the shorter text's three-word runs that the longer one holds, from which a canonical link is believed."""


UNLIKE = 0.1
"""Share of the shorter text's three-word runs under which two texts are about something else. Of 800 pairs of reports on
different events, 99 % of the shorter have under .05 of theirs in the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Where an accepted article goes, with all that writing it there needs: nothing of it is read twice."""

    kind: str  #: new; refetch: its page is known; duplicate: of `known`; original: `known` takes this page's fields
    page: Page  #: a copy without an address has the one that it claims
    article: Article
    content_hash: str  #: of the article's text
    url: str  #: the article's address when this page gives it its fields
    here: Row | None = None  #: the row of the address that answered; None: there is none yet
    known: Row | None = None  #: the article that it belongs to; None of a new one
    reason: str | None = (
        None  #: redirect, canonical, text, near, part: why this page, or the one it displaces, is a duplicate
    )
    false_claim_of: int | None = None  #: an article that claimed this page's address as its canonical one, wrongly
    merges: tuple[int, ...] = ()  #: other articles that this page shows to be the same as `known`
    reused: bool = False  #: this address held another article before, which keeps it with its date behind a `#`
    announced: bool = False  #: its feed says that there is something new at this address, and the page agrees
    prints: frozenset[int] = frozenset()  #: fingerprints of the text
    unnoted: tuple[int, ...] = ()  #: those of them to note of a new article, so that they are not looked up twice
    reserves: bool = False  #: `url` is another address, which nobody has found yet and nobody need fetch


def known_pages(db: Database, outcome: Outcome) -> dict[str, Row]:
    """The rows of an outcome's addresses: found at, answered from, and claimed, also on another site, to be the article's."""
    page = outcome.page
    claimed = _claimed(outcome.article) if outcome.article else None
    found = rows(db, "select * from pages where url in (?, ?, ?)", [page.url, page.final_url, claimed])
    return {row["url"]: row for row in found}


def match(db: Database, outcome: Outcome, pages: Mapping[str, Row]) -> Match:
    """Decide where the article of an outcome belongs. `pages` are known_pages(), as they are now."""
    assert outcome.article is not None
    page, article = outcome.page, outcome.article
    claimed = canonical_claim(page, article)
    if page.final_url.startswith("urn:") and claimed:
        if _may_be_at(db, claimed, article):
            page = replace(page, url=claimed, final_url=claimed)
        claimed = None
    prints = outcome.fingerprints if outcome.fingerprints is not None else Text(article.text).prints
    undecided = Match(
        kind="new",
        page=page,
        article=article,
        content_hash=outcome.content_hash or content_hash(article.text),
        url=page.final_url,
        here=pages.get(page.final_url),
        prints=prints,
    )
    found = _match_by_address(db, undecided, claimed, pages)
    return replace(found, reserves=found.kind in ("new", "original") and found.url == claimed and claimed not in pages)


def _match_by_address(db: Database, it: Match, claimed: str | None, pages: Mapping[str, Row]) -> Match:
    """Decide by what is known of the addresses; by the text where they say nothing."""
    if it.here and it.here["state"] == "article":
        return _match_again(db, it, _article(db, it.here["article_id"]))
    if moved := _moved_article(db, it, pages):
        return replace(it, kind="original", known=moved, reason="redirect")
    if found := _match_pages_of_one(db, it):
        return found
    known = _article_at(db, claimed) if claimed else None
    if known and _alike(known, it.article):
        return replace(it, kind="duplicate", known=known, reason="canonical")
    is_own = (
        it.article.word_count >= SHORTEST_EQUAL_TEXT
    )  # `One moment, please` may stand where the true page is not yet
    if claimed and is_own and not known and not _answered_otherwise(pages.get(claimed)):
        it = replace(it, url=claimed)
    claimant = first_row(db, "select * from articles where url = ?", [it.page.final_url])
    if claimant and _alike(claimant, it.article):
        return replace(it, kind="original", known=claimant, reason="canonical")
    return _match_by_text(db, replace(it, false_claim_of=claimant["id"] if claimant else None))


def _match_pages_of_one(db: Database, it: Match) -> Match | None:
    """Pages of one article: the longest is the article's text where it holds the others, in whatever order they come."""
    beside = articles_beside(db, it.page.final_url)
    beside = [row for row in beside if containment(row["text"], it.article.text) >= HELD]
    if not beside:
        return None
    longest = max(beside, key=lambda row: int(row["word_count"]))
    if it.article.word_count <= longest["word_count"]:
        return replace(it, kind="duplicate", known=longest, reason="near")
    return replace(it, kind="original", known=beside[0], reason="near", merges=tuple(row["id"] for row in beside[1:]))


def _match_again(db: Database, it: Match, known: Row | None) -> Match:
    """A page that is known: its article once more, unless its feed announced another one and that is what stands there."""
    assert known is not None
    if not _is_announced(known, it):
        return replace(it, kind="refetch", known=known)
    title = it.article.title
    is_other = shared_words(known["title"], title) < UNLIKE and containment(known["text"], it.article.text) < UNLIKE
    if not is_other:
        hinted = instant_of(it.page.hints.date_published or "")
        before = known["date_published"] or ""
        announced = hinted is not None and stamp(hinted)[: len(before)] > before
        return replace(it, kind="refetch", known=known, announced=announced)
    return replace(_match_by_text(db, replace(it, here=None)), reused=True)


def _is_announced(known: Row, it: Match) -> bool:
    """Whether the page has the title that its feed gives it, and a later date than the article that is known."""
    named, date = it.page.hints.title, it.article.date_published
    if not named or not date or date <= (known["date_published"] or ""):
        return False
    return it.page.fetched_at > moment_of(known["last_fetched_at"]) and shared_words(named, it.article.title) >= ALIKE


def _match_by_text(db: Database, it: Match) -> Match:
    """Decide by the text alone, leaving out a false claimant: new, a copy, or the original of copies that came before it."""
    holders = holders_of(db, it.prints)
    ids = sorted((_same_text(db, it) | _near(db, Text(it.article.text), holders)) - {it.false_claim_of})
    if not ids:
        return replace(it, kind="new", unnoted=unnoted(it.prints, holders))
    twins = [row for article_id in ids if (row := _article(db, article_id))]
    if len(twins) == 1 and _is_gone_from(db, twins[0], it):
        return replace(it, kind="original", known=twins[0], reason="canonical")
    first = min(twins, key=lambda twin: precedence_of(db, twin))
    mine = precedence(it.article.date_published, _found_at(it), it.page.final_url)
    return replace(
        it,
        kind="original" if mine < precedence_of(db, first) else "duplicate",
        known=twins[0],
        reason="text" if it.content_hash == first["content_hash"] else "near",
        merges=tuple(twin["id"] for twin in twins[1:]),
    )


def _is_gone_from(db: Database, known: Row, it: Match) -> bool:
    """Whether the address of an article is gone, and this one is of the same site: its slug was changed."""
    sql = "select url from pages where article_id = ? and state = 'article' and http_status in (404, 410)"
    page = first_row(db, sql, [known["id"]])
    return bool(page and it.page.final_url != page["url"] and same_site(page["url"], it.page.final_url))


def canonical_claim(page: Page, article: Article) -> str | None:
    """The address on its own site that the page says it should be known by; None when it names none but its own.

    A saved copy that names no address of its own may claim any; whether it gets it, match() decides.
    """
    claimed = _claimed(article)
    if claimed is None or page.final_url.startswith("urn:"):
        return claimed
    elsewhere = not same_site(claimed, page.final_url) or (is_front_page(claimed) and not is_front_page(page.final_url))
    is_part = is_later_part_of(page.final_url, claimed)
    return None if elsewhere or is_part or hash_route(claimed) or claimed == page.final_url else claimed


def _claimed(article: Article) -> str | None:
    """A canonical link, also to another site: whoever gives it says that this is that page's text."""
    return canonical_or_none(article.canonical_url or "")


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


def is_same_content(known: Row, row: Row) -> bool:
    """Whether two captures say the same: only spacing, punctuation, case, or lines that offer to share or to read on differ."""
    return _same_words(known["title"], row["title"]) and is_same_text(known, row)


def is_same_text(known: Row, row: Row) -> bool:
    """The same of their texts alone."""
    return bool(known["content_hash"] == row["content_hash"]) or _said(known["text"]) == _said(row["text"])


def _said(text: str) -> list[str]:
    from pipelines.extract.boilerplate import is_noise  # a tenth of a second, for what few crawls ask

    return tokens("\n".join(line for line in text.splitlines() if not is_noise(line)))


def _article_at(db: Database, url: str) -> Row | None:
    """The article known by this address, or whose page or duplicate it is."""
    return first_row(
        db,
        "select * from articles where url = ? or id = (select article_id from pages where url = ?) order by url = ? desc limit 1",
        [url, url, url],
    )


def _may_be_at(db: Database, claimed: str, article: Article) -> bool:
    """Whether a saved copy may have the address that it names: no front page, and not another text's."""
    known = _article_at(db, claimed)
    return not is_front_page(claimed) and (known is None or _alike(known, article))


def _answered_otherwise(row: Row | None) -> bool:
    """Whether an address has answered and was no article: what claims to be known by it is mistaken."""
    return row is not None and row["state"] in ("refused", "failed") and row["last_fetched_at"] is not None


def _moved_article(db: Database, it: Match, pages: Mapping[str, Row]) -> Row | None:
    """The article that lived at the address found, when that address now redirects to where the same text is."""
    row = pages.get(it.page.url) if it.page.url != it.page.final_url else None
    found = _article(db, row["article_id"]) if row and row["state"] == "article" else None
    return found if found and _alike(found, it.article) else None


def _same_text(db: Database, it: Match) -> set[int]:
    """Articles of which some page gave these very words."""
    sql = "select article_id, title from pages where content_hash = ? and article_id is not null"
    pages = db.conn.execute(sql, [it.content_hash]).fetchall()
    long = it.article.word_count >= SHORTEST_EQUAL_TEXT
    return {article_id for article_id, title in pages if long or _same_words(title, it.article.title)}


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


def _same_words(one: str | None, other: str | None) -> bool:
    return tokens(one or "") == tokens(other or "")


def _alike(row: Row, article: Article) -> bool:
    return containment(row["text"], article.text) >= MIN_CONTAINMENT


def _found_at(it: Match) -> str:
    found_at = stamp(found_at_of(it.page, it.page.final_url))
    return min(it.here["discovered_at"], found_at) if it.here else found_at


def found_at_of(page: Page, url: str) -> datetime:
    """When one of a page's addresses was found, as far as the page knows: that it was found by, else when it answered."""
    return page.discovered_at if page.discovered_at and url == page.url else page.fetched_at


def _article(db: Database, article_id: int) -> Row | None:
    return first_row(db, "select * from articles where id = ?", [article_id])
