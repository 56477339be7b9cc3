"""Notices: pages that turn visitors away with status 200 (blocked, closed for repairs, robots sorted out, for sale).

All of them lack what an article has: nothing on the page calls it one, dates it or names its address, and it is short. What is left
is weighed by its signs (notice_signs.py). Where a feed gave a headline, a page that has most of its words is the article, and one that
has none of them is not. What is no notice by itself gets a hash of its words: that several addresses of a site say the same is seen in
the archive.
"""

from itertools import pairwise

from crawler.urls import is_front_page
from pipelines.extract.decode import Refusal
from pipelines.extract.layout import LayoutStats
from pipelines.extract.metadata.metadata import Metadata
from pipelines.extract.metadata.page_head import PageHead
from pipelines.extract.notice_signs import PARKED, THIS_DOMAIN, TURNED_AWAY, notice_word
from pipelines.text import CJK_LETTER, content_hash, tokens, word_count

LONGEST = 200
"""Words that a notice may have; the checks of robots have 150, with what they say of cookies and JavaScript."""

FEWEST_STEMS = 3
"""Words of a headline of which a page must repeat one; under that it says too little: `Item 3`, `In pictures`."""

STEM = 5
"""Letters by which words are compared, so that another ending makes no difference; shorter words are mostly articles and
prepositions, which any two texts share."""


def notice_of(
    layout: LayoutStats | None, head: PageHead, said: Metadata, lines: list[str], html: str, headline: str | None
) -> str | None:
    """A hash of the words of a page that may be a notice, equal for those of a site; None of one that is none.

    Raises Refusal where that is sure already. `headline` is what a feed called the article; `layout` None: the page says itself that
    it is one.
    """
    text = "\n".join(lines)
    if layout is None or _is_addressed(said) or not word_count(text) < LONGEST:
        return None
    whole = f"{said.title or ''}\n{text}"
    titles = [title for title in dict.fromkeys((said.title, *head.titles)) if title]
    if not _is_headed(headline, whole):
        word = notice_word(titles, text, html, head.url or "") or (
            "turned_away" if _is_foreign(headline, whole) else None
        )
        if word:
            raise Refusal(word)
    return content_hash(_lasting(whole))


def says_so(text: str) -> bool:
    """Whether a short text says in so many words that it turns its reader away."""
    return word_count(text) < LONGEST and (
        TURNED_AWAY.search(text) or (THIS_DOMAIN.search(text) and PARKED.search(text))
    )


def _is_addressed(said: Metadata) -> bool:
    """Whether a page has what only articles have: a date of its own, an author, an address that it is known by."""
    address = said.canonical_url
    is_named = address is not None and not is_front_page(address)
    return said.published_source not in ("none", "url") or bool(said.authors) or is_named


def _is_headed(headline: str | None, text: str) -> bool:
    """Whether a page has most of the words that its headline in a feed has."""
    wanted = stems(headline or "")
    return len(wanted) >= FEWEST_STEMS and 2 * len(wanted & stems(_lasting(text))) > len(wanted)


def _is_foreign(headline: str | None, text: str) -> bool:
    """Whether a page says nothing of what its headline in a feed is about, but for the address that it repeats."""
    wanted = stems(headline or "")
    return len(wanted) >= FEWEST_STEMS and not wanted & stems(_lasting(text))


def stems(text: str) -> set[str]:
    """The beginnings of a text's long words; of scripts that part none every two letters side by side."""
    words = tokens(text)
    pairs = {a + b for a, b in pairwise(words) if CJK_LETTER.match(a) and CJK_LETTER.match(b)}
    return {word[:STEM] for word in words if len(word) >= STEM} | pairs


def _lasting(text: str) -> str:
    """A text without what differs from answer to answer: addresses, numbers, the reference of a refusal."""
    return " ".join(word for word in text.split() if "/" not in word and not any(map(str.isdigit, word)))
