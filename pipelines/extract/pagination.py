"""Pagination: the other pages of an article that a page links (`rel=next`, a numbered pager, `Next page`, all on one page). Pure.

A link is one to a page of the same article where its address says so (crawler.pagination) and it stands or speaks like a
pager's. So neither the next post (`rel=next` of WordPress) nor a section's second page is one: their addresses are no
article's with a number. Whether the page behind it goes on with the same article is seen when it has answered.
"""

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote, urljoin, urlsplit

import lxml.html

from crawler.pagination import ALL, MAX_PARTS, address_key, part_of
from crawler.urls import canonical_or_none
from pipelines.text import clean

MAX_LINKS = 5_000
"""Links of a page that are looked at; the largest labelled page has 1,900."""

MAX_LABEL = 40
"""Characters of a pager's link: `Page 2 of 3`, a chapter's heading is longer."""

_RELATIONS = frozenset(("next", "prev", "previous", "first", "start"))
_PAGER = re.compile(
    r"pag(?:er|inat|ing|e[-_]?(?:link|nav|num|list))|(?:multi|article|post|story)[-_]?page|nextpage|\btoc\b",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"comment|respon[ds]|disqus|kommentar", re.IGNORECASE)
_NEXT = re.compile(
    r"\W*+(?:next(?: page)?|continue(?: reading)?|previous(?: page)?|first page|weiter|nächste seite|page suivante|suivante?|página siguiente"
    r"|siguiente|pagina successiva|avanti|próxima(?: página)?|volgende(?: pagina)?|nästa(?: sida)?|neste(?: side)?|næste(?: side)?"
    r"|seuraava(?: sivu)?|następna(?: strona)?|další(?: strana)?|следующая(?: страница)?|далее|sonraki(?: sayfa)?|التالي"
    r"|次へ|次のページ|下一页|下一頁|다음(?: 페이지)?)?+\W*+",
    re.IGNORECASE,
)
"""A label that leads on, or a mere arrow."""

_NUMBER = re.compile(r"[0-9]{1,3}")
_PAGER_DEPTH = 4
"""Elements around a link whose class may say that it is a pager's."""


def linked_parts(tree: lxml.html.HtmlElement, url: str) -> tuple[tuple[int, str], ...]:
    """The pages of the article at this address that it links, itself among them: (number, canonical address), in their order.

    Number ALL is the page that shows them all. () of a page that is no part, as far as it says.
    """
    if not url.startswith("http"):
        return ()
    own = part_of(url)
    links = list(_links_to_parts(tree, url, {address_key(url), own[0] if own and own[1] != ALL else address_key(url)}))
    return _as_first(links, url) or (_as_later(links, url, *own) if own and 1 < own[1] <= MAX_PARTS else ())


def _as_first(links: list[tuple[str, int, str]], url: str) -> tuple[tuple[int, str], ...]:
    """The parts where the page is the first one; `/weir/1` may be, too."""
    keys = {address_key(url)}
    own = part_of(url)
    if own and own[1] == 1:
        keys.add(own[0])
    others = {number: link for key, number, link in reversed(links) if key in keys and number != 1}
    return _in_order({1: url} | others) if 2 in others else ()


def _as_later(links: list[tuple[str, int, str]], url: str, whole: str, number: int) -> tuple[tuple[int, str], ...]:
    """The parts where the page is a later one: it leads back to the one before it, or to the first."""
    others = {other: link for key, other, link in reversed(links) if key == whole}
    return _in_order(others | {number: url}) if others.keys() & {1, number - 1} else ()


def _in_order(parts: dict[int, str]) -> tuple[tuple[int, str], ...]:
    return tuple(sorted((number, link) for number, link in parts.items() if number <= MAX_PARTS))


def _links_to_parts(tree: lxml.html.HtmlElement, url: str, wholes: set[str]) -> Iterator[tuple[str, int, str]]:
    """Links to pages of the articles with these keys: the key, the number, the canonical address."""
    host = urlsplit(url).netloc
    for element, link in _links_of_host(tree, url, host):
        key, number = address_key(link), 1
        if key not in wholes:
            key, number = part_of(link) or ("", 0)
            if key not in wholes:
                continue
        if number == ALL or _is_of_pager(element, number):
            yield key, number, link


def _links_of_host(tree: lxml.html.HtmlElement, url: str, host: str) -> Iterator[tuple[lxml.html.HtmlElement, str]]:
    base = urljoin(url, next((href for element in tree.iter("base") if (href := element.get("href"))), ""))
    stem = _stem(url)
    spelt = unquote(stem)
    for element in islice(tree.iter("a", "link"), MAX_LINKS):
        href = element.get("href", "").strip()
        # Nearly all links lead elsewhere, and a closer look at each would take half as long as parsing the page.
        if not href or (stem not in href and spelt not in href and href.startswith(("/", "http"))):
            continue
        if _COMMENTS.search(href.partition("#")[2]) or not (link := _absolute(base, href)):
            continue
        if urlsplit(link).netloc == host:
            yield element, link


def _absolute(base: str, href: str) -> str | None:
    try:
        return canonical_or_none(urljoin(base, href))
    except ValueError:  # an address of nowhere, such as `http://[`
        return None


def _stem(url: str) -> str:
    """The word that every address of the article has."""
    own = part_of(url)
    key = own[0] if own else address_key(url)
    return key.partition("?")[0].rpartition("/")[2]


def _is_of_pager(element: lxml.html.HtmlElement, number: int) -> bool:
    if _RELATIONS & set(element.get("rel", "").lower().split()):
        return True
    if element.tag == "link":
        return False
    around = [element, *element.iterancestors()][: 1 + _PAGER_DEPTH]
    named = " ".join(f"{one.get('class', '')} {one.get('id', '')}" for one in around)
    if _COMMENTS.search(named):
        return False
    label = clean(element.text_content()) or clean(element.get("aria-label") or element.get("title") or "")
    is_label = len(label) <= MAX_LABEL and (str(number) in _NUMBER.findall(label) or _NEXT.fullmatch(label))
    return bool(is_label or _PAGER.search(named))
