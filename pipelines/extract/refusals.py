"""Pages that are no article: consent walls, soft 404s, indexes, login walls, shells of scripts, too little text."""

from pipelines.extract.body import Body
from pipelines.extract.decode import Refusal
from pipelines.extract.layout import HEADLINE, LayoutStats
from pipelines.extract.metadata.page_head import PageHead
from pipelines.extract.phrases import Mentions, Openings, whole_words
from pipelines.text import width, word_count

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


def refuse_others(head: PageHead, layout: LayoutStats | None, body: Body) -> None:
    """Refuses pages that are something else than an article; `layout` is None for those that declare themselves one."""
    text = "\n".join(body.lines)
    words = word_count(text)
    titles = [title for title in (body.said.title, *head.titles) if title]
    if head.is_article:  # an advert blocker's `Oops!` above the article is no title of its own
        titles = [title for title in titles if title == body.said.title or not SOFT_404_TITLE.match(title)]
    if (words - body.card_words < WALL and any(map(_is_error, titles))) or (words < SHORT and _is_error(text)):
        raise Refusal("soft_404")
    if words < SHORT and (head.is_video or (layout and layout.player)):
        raise Refusal("video")
    if words < SHORT and body.needs_scripts:
        raise Refusal("scripted")
    if layout is None:
        return
    if words < WALL and (
        any(WALL_TITLE.match(title) for title in titles) or len(CONSENT.findall(text)) >= (2 if words < SHORT else 3)
    ):
        raise Refusal("consent")
    if _is_index(head, layout, body):
        raise Refusal("index")


def _is_error(text: str) -> bool:
    return SOFT_404.search(text) or SOFT_404_TITLE.match(text)


def _is_index(head: PageHead, layout: LayoutStats, body: Body) -> bool:
    """Headline links, and little but what stands on their cards."""
    if head.types & LISTING_TYPES and layout.prose < 2 * WALL:
        return True
    if not (layout.cards or body.card_words) or body.own_words >= WALL:
        return False
    lines = word_count("\n".join(body.lines)) - body.card_words
    is_dated, is_headed = body.said.published is not None, _is_headline(body.said.title)
    if body.own_words >= MIN_WORDS and is_dated and is_headed:
        return False
    if body.card_words > lines or (body.own_words < MIN_WORDS and not (is_dated and is_headed)):
        return True
    is_masthead = body.said.published_source in (
        "page",
        "none",
    )  # a section's page shows today's date, and those of its cards
    return body.own_words < SHORT and layout.cards >= MANY and is_masthead and not is_headed


MANY = 5
"""Headline links of a page on which a paragraph or two introduce them, where neither headline nor data say otherwise."""


def _is_headline(title: str | None) -> bool:
    """Whether a title is longer than a section's name."""
    return width(title or "") >= HEADLINE[0]
