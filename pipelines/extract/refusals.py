"""Pages that are no article: consent walls, soft 404s, indexes, login walls, too little text."""

from dataclasses import dataclass

import lxml.html

from pipelines.extract.body import Body, heads_entry, is_card_link, paragraphs_of
from pipelines.extract.decode import Refusal
from pipelines.extract.page_head import Head
from pipelines.extract.phrases import Mentions, Openings, whole_words
from pipelines.text import word_count

MIN_WORDS = 15
"""Words under which a page that has no date and does not call itself an article is none; in a short page only prose counts."""


# ----------------------------------------------------------------------------------------------------------- refusals
CONSENT = whole_words("consent")


WALL_TITLE = Openings("wall_titles", after=r"\b.{0,60}$")


SOFT_404 = Mentions("soft_404")


SOFT_404_TITLE = Openings("soft_404_titles", after=r"[.!]?$")


LISTING_TYPES = frozenset(("CollectionPage", "SearchResultsPage", "ItemList", "ProfilePage"))


SHORT = 60
"""Words under which a text can be what a wall, an error page or a player says of itself."""


WALL = 200
"""Words a consent wall may have; the longest seen has 160."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a page is made of, before anything is taken from it."""

    cards: int  #: headings and list entries that are a link as long as a headline
    prose: int  #: words in paragraphs
    player: bool  #: whether a video is embedded


def look(tree: lxml.html.HtmlElement) -> Shape:
    """Counts what tells an article from a page of links or a player."""
    cards = sum(1 for link in tree.iter("a") if is_card_link(link) or heads_entry(link))
    prose = sum(len(text.split()) for text in paragraphs_of(tree))
    return Shape(cards=cards, prose=prose, player=next(tree.iter("video"), None) is not None)


def refuse_others(head: Head, shape: Shape | None, body: Body) -> None:
    """Refuses pages that are something else than an article; `shape` is None for those that declare themselves one."""
    text = "\n".join(body.lines)
    words = word_count(text)
    titles = [title for title in (body.said.title, *head.titles) if title]
    if (words < WALL and any(map(_is_error, titles))) or (words < SHORT and _is_error(text)):
        raise Refusal("soft_404")
    if words < SHORT and (head.is_video or (shape and shape.player)):
        raise Refusal("video")
    if shape is None:
        return
    if words < WALL and (
        any(WALL_TITLE.match(title) for title in titles) or len(CONSENT.findall(text)) >= (2 if words < SHORT else 3)
    ):
        raise Refusal("consent")
    if _is_index(head, shape, body):
        raise Refusal("index")


def _is_error(text: str) -> bool:
    return SOFT_404.search(text) or SOFT_404_TITLE.match(text)


def _is_index(head: Head, shape: Shape, body: Body) -> bool:
    """Headline links, and no prose but what stands on their cards."""
    if head.types & LISTING_TYPES and shape.prose < 2 * WALL:
        return True
    return bool(shape.cards) and body.own_words < MIN_WORDS
