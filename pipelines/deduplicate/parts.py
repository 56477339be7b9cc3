"""Pages of one article: told by their addresses (`?page=2`, `?page=all`), or linked as its parts and then joined. Reads, never writes.

A part goes on with the article that links it: its address says so (crawler.pagination), and its title or its canonical link,
and its date does not say otherwise. The text of the article is a function of the parts at hand, in the order of their
numbers, so that neither the order of arrival nor a look at one of them matters; the page that shows them all wins.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from crawler.items import Article, Outcome
from crawler.pagination import ALL, MAX_PARTS, address_key, part_of
from pipelines.database.connection import Row, first_row, rows
from pipelines.database.sqlite import Database
from pipelines.deduplicate.near_copies import containment
from pipelines.deduplicate.titles import ALIKE, shared_words
from pipelines.text import fold, word_count

HELD = 0.8
"""Share of the shorter text's three-word runs that the longer one has where it holds it whole; each page has its own furniture."""

MAX_JOINED = 1_000_000
"""Characters of a joined text; one page's has no more either (extract.tree)."""

LONG_LINE = 8
"""Words from which a line that an earlier part has is repeated wherever it stands; `Yes.` may be said twice."""

_TURN = re.compile(
    r"\W*+(?:\w{1,20}\W{1,3}){0,3}(?:page|seite|pagina|página|side|sida|strona|sayfa|страница)\W{0,3}[0-9]{1,2}\b.{0,20}"
    r"|\W*+[0-9]{1,2}\W{0,3}(?:/|of|von|de|di|van|av|z|из)\W{0,3}[0-9]{1,2}\W*+",
    re.IGNORECASE,
)
"""A line that only turns the page: `Continued on page 2`, `Page 2 of 3`, `2/3`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which page of which article a page is."""

    url: str  #: of the page, as `parts` has it
    whole: str  #: crawler.pagination.address_key() of the article
    number: int  #: 1 or more, or ALL


def place_of(db: Database, outcome: Outcome) -> Place | None:
    """Which part of an article a page is: as another page said that links it, or as it says itself; None of an article on one page."""
    page, article = outcome.page, outcome.article
    assert article is not None
    if article.text_source == "feed":  # it is whole
        return None
    if named := _named(db, page.final_url):
        return named
    own = next((number for number, url in article.parts if url == page.final_url), None)
    if own is not None:
        found = part_of(page.final_url)
        whole = found[0] if found and found[1] == own and own > 1 else _key_of_first(article.parts)
        return Place(url=page.final_url, whole=whole or address_key(page.final_url), number=own)
    named = _named(db, page.url)
    return replace(named, url=page.final_url) if named else None


def _named(db: Database, url: str) -> Place | None:
    row = first_row(db, "select url, whole, number from parts where url = ?", [url])
    return Place(**row) if row else None


def _key_of_first(parts: Iterable[tuple[int, str]]) -> str | None:
    """The key that the second part has in common with the first, which may be called `/weir/1`."""
    return next((found[0] for number, url in parts if number > 1 and (found := part_of(url))), None)


def group_of(db: Database, place: Place) -> list[Row]:
    """The parts of an article: `parts` with what `pages` says of each, None where it has no row; text of an article, too."""
    sql = """select parts.url, whole, number, coalesce(parts.text, iif(state = 'article', articles.text, null)) as text,
                    pages.id as page_id, state, reason, pages.article_id
             from parts left join pages on pages.url = parts.url left join articles on articles.id = pages.article_id
             where whole = ? order by number = ?, number, parts.url"""
    return list(rows(db, sql, [place.whole, ALL]))


def goes_on(known: Row, article: Article, place: Place) -> bool:
    """Whether a page says the same article's title, or that article's address, and not another day."""
    if _days_apart(known["date_published"], article.date_published) > 1:
        return False
    claimed = article.canonical_url
    is_claimed = claimed is not None and claimed != place.url and address_key(claimed) == place.whole
    return is_claimed or shared_words(known["title"], article.title) >= ALIKE


def _days_apart(one: str | None, other: str | None) -> int:
    if not one or not other:
        return 0
    return abs((date.fromisoformat(one[:10]) - date.fromisoformat(other[:10])).days)


# The text


def joined_text(texts: Mapping[int, str], headings: Sequence[str | None] = ()) -> str:
    """One text of an article's parts, by their numbers, without what later ones repeat; `headings` are its title and deck."""
    joined = ""
    for number in sorted(number for number in texts if number != ALL)[:MAX_PARTS]:
        joined = _joined(joined, texts[number], headings)
    whole = texts.get(ALL)
    if whole and word_count(whole) >= HELD * word_count(joined) and containment(joined, whole) >= HELD:
        return whole
    return joined


def _joined(text: str, part: str, headings: Sequence[str | None]) -> str:
    if not text or containment(text, part) >= HELD:
        return max(text, part, key=len)
    before = text.split("\n\n")
    while len(before) > 1 and _TURN.fullmatch(before[-1]):
        before.pop()
    joined = "\n\n".join((*before, *_without_repeated(part.split("\n\n"), before, headings)))
    return joined if len(joined) <= MAX_JOINED else text


def _without_repeated(lines: list[str], before: Iterable[str], headings: Sequence[str | None]) -> list[str]:
    """The lines of a later part without title, deck and pager at its ends, and without what the parts before it have."""
    seen = {fold(line) for line in before} | {fold(heading) for heading in headings if heading}
    titles = tuple(fold(heading) for heading in headings if heading)

    def is_border(line: str) -> bool:
        said = fold(line)
        return said in seen or bool(_TURN.fullmatch(line)) or any(_is_numbered(said, title) for title in titles)

    while lines and is_border(lines[0]):
        lines = lines[1:]
    while lines and is_border(lines[-1]):
        lines = lines[:-1]
    return [line for line in lines if fold(line) not in seen or word_count(line) < LONG_LINE]


def _is_numbered(line: str, title: str) -> bool:
    """Whether a folded line is the title with the part's number: `The weir (2/3)`."""
    rest = line.removeprefix(title)
    return rest != line and len(rest) <= len("page12of12") and any(letter.isdigit() for letter in rest)


# Articles whose addresses alone say that they are pages of one


def is_later_part_of(url: str, whole: str) -> bool:
    """Whether an address says that it is the second or a later page of another one."""
    found = part_of(url)
    return found is not None and found[1] > 1 and found[0] == address_key(whole)


def _whole_address(url: str) -> str:
    found = part_of(url) if "?" in url else None
    return found[0] if found else address_key(url)


def articles_beside(db: Database, url: str) -> list[Row]:
    """Articles whose pages have the address but for what chooses a page of it in its query, in the order of their numbers."""
    whole = _whole_address(url)
    path = url.partition("?")[0]
    sql = """select articles.*, pages.url as page_url from pages join articles on articles.id = article_id
             where +state = 'article' and pages.url <> ?1 and (pages.url = ?2 or pages.url > ?3 and pages.url < ?4)"""
    found = [
        row for row in rows(db, sql, [url, path, f"{path}?", f"{path}@"]) if _whole_address(row["page_url"]) == whole
    ]
    return sorted(
        ({name: row[name] for name in row if name != "page_url"} for row in found), key=lambda row: int(row["id"])
    )
