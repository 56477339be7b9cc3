"""The article's body: the lines of the pruned tree that are its own, and the byline and date that stand beside them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import lxml.html

from crawler.items import Source
from pipelines.extract.boilerplate import ArticleContext, body_lines
from pipelines.extract.choose.blocks import Block, Blocks, read_blocks
from pipelines.extract.choose.choose import judge
from pipelines.extract.choose.texts import PageContext
from pipelines.extract.layout import Cards, LineElements, decks, element_of, locate_lines
from pipelines.extract.metadata.authors import is_person
from pipelines.extract.metadata.bylines import opened
from pipelines.extract.metadata.dates import guessed_date, more_precise
from pipelines.extract.metadata.metadata import Metadata
from pipelines.extract.metadata.names import is_full_name, is_no_person, looks_like_name, people
from pipelines.extract.metadata.page_head import PageHead
from pipelines.extract.metadata.stated_dates import habits_of, is_ahead
from pipelines.extract.metadata.surroundings import clocks_in
from pipelines.extract.prune.pruning import prune, select, strip
from pipelines.extract.reading import article_lines, first_reading, is_short_body
from pipelines.extract.scripts.scripted import PageScripts
from pipelines.extract.text_copies import read_head
from pipelines.extract.tree import MAX_TEXT, clean_lines, visible_lines
from pipelines.text import fold, is_prose, line_key, word_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What was read from a page's tree."""

    said: Metadata  #: completed by what stands in the text's head and tail
    lines: list[str]  #: the article's own
    own_words: int  #: words of its prose that stands on no card
    card_words: int = 0  #: words of its lines that stand on cards
    needs_scripts: bool = False  #: a browser would have to make the text
    from_scripts: bool = False  #: it stands in the page's data, not in its HTML


def read_body(tree: lxml.html.HtmlElement, head: PageHead, said: Metadata, source: Source | None) -> Body:
    """The article's lines, boilerplate removed, and what only its head and tail tell of it."""
    if source:
        strip(tree, source.strip)
        if source.body and (named := select(tree, source.body)):
            lines = clean_lines(line for element in named for line in visible_lines(element))
            return Body(said=said, lines=lines, own_words=word_count("\n".join(lines)))
    page = prepare(tree, head, said, source)
    if is_short_body(page.tree, page.lines):
        return by_rules(head, page)
    judged = judge(page.blocks, page.context)
    if chosen := judged.chosen():
        return _of_blocks(page, chosen)
    body = by_rules(head, page)
    doubted = _of_blocks(page, judged.chosen(least_read=0.0) or [])
    return doubted if doubted.own_words > MORE * max(body.own_words, FEW) else body


MORE, FEW = 4, 15
"""Times the prose of the rules' lines, and words at which that begins to count, that a choice must have to be taken although a first
reading kept other lines: it read a consent wall, a menu, or the cards of other articles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPage:
    """A page before the lines of its article are chosen."""

    url: str
    tree: lxml.html.HtmlElement  #: pruned; that of the page's data where they hold the article
    said: Metadata
    lines: list[str]  #: a first reading's
    blocks: Blocks
    context: PageContext
    scripts: PageScripts
    from_scripts: bool  #: whether its tree is that of the data


def prepare(tree: lxml.html.HtmlElement, head: PageHead, said: Metadata, source: Source | None) -> PreparedPage:
    """Prunes a page and reads it once; what only its scripts hold takes its place."""
    scripts = PageScripts(tree, head)
    prune(tree)
    lines = first_reading(tree)
    text = scripts.article(said, tree, lines)
    said = with_byline_and_date(said, head, tree, lines, source.timezone if source else None)
    if text is not None:
        said = replace(said, title=scripts.title(said.title))
        tree = text
        prune(tree)
        lines = first_reading(tree)
    body = head.ld("articleBody")
    context = PageContext(
        lines=lines,
        titles=(*head.titles, *([said.title] if said.title else [])),
        body=body if isinstance(body, str) and len(body) <= MAX_TEXT else "",
    )
    blocks = read_blocks(tree, head.url or "")
    return PreparedPage(
        url=head.url or "", tree=tree, said=said, lines=lines, blocks=blocks, context=context, scripts=scripts,
        from_scripts=text is not None,
    )  # fmt: skip


def _of_blocks(page: PreparedPage, chosen: Sequence[Block]) -> Body:
    """The body that these blocks are."""
    lines = [line for block in chosen for line in block.text.split("\n")]
    return _body(page, lines, ((block.text, block.element) for block in chosen))


def _body(page: PreparedPage, lines: list[str], texts: Iterable[tuple[str, lxml.html.HtmlElement | None]]) -> Body:
    """What is told of these lines; `texts`: the article's texts with the elements in which they stand."""
    cards = Cards(page.url, frozenset(map(fold, page.context.titles)))
    stand = [(text, cards.link_of(element) if element is not None else None) for text, element in texts]
    on_cards = sum(word_count(text) for text, link in stand if link is not None)
    if on_cards >= LONE_CARD and len({link for _, link in stand if link is not None}) == 1:
        stand, on_cards = [(text, None) for text, _ in stand], 0
    own = sum(word_count(text) for text, link in stand if link is None and is_prose(text))
    return Body(
        said=page.said,
        lines=lines,
        own_words=own,
        card_words=on_cards,
        needs_scripts=page.scripts.are_needed(page.tree, lines),
        from_scripts=page.from_scripts,
    )


LONE_CARD = 60
"""Words below one headline alone that are no teaser: a link stands above a short article."""


def by_rules(head: PageHead, page: PreparedPage) -> Body:
    """The body where the model is not sure: a reading's lines, boilerplate removed."""
    tree = page.tree
    lines = article_lines(tree, page.lines)
    elements = locate_lines(tree, lines, head.url or "")
    context = ArticleContext(
        titles=head.titles,
        authors=page.said.authors,
        link_share={line: share for line, (_, share) in elements.items()},
        decks=decks(lines, elements, page.said.description),
    )
    kept = [_without_mark(line, elements) for line in body_lines(lines, context)]
    return _body(page, kept, ((line, element_of(elements, line)) for line in kept))


def _without_mark(line: str, elements: LineElements) -> str:
    """A list's entry as the page has it: the mark before it comes from a reading, a dash that opens a dialogue does not."""
    element = element_of(elements, line)
    return line.removeprefix("- ") if element is not None and element.tag in ("li", "dt", "dd") else line


def with_byline_and_date(
    said: Metadata, head: PageHead, tree: lxml.html.HtmlElement, lines: Sequence[str], timezone: str | None
) -> Metadata:
    """With the byline and date that stand in the page's text, where its data names no person or no date."""
    if not any(is_person(name, said.site_name, head.url) for name in said.authors):
        said = replace(said, authors=signature(lines) or said.authors)
    may_be_more_precise = said.published_source == "url" and timezone is not None
    if said.authors and said.published and not may_be_more_precise:
        return said
    seen = read_head(surroundings(tree, lines), said, habits_of(head, said.language, timezone))
    if seen.published and is_ahead(seen.published, head.fetched_at):
        seen = replace(seen, published=None)
    said = replace(said, authors=seen.authors)
    moment = more_precise(said.published, seen.published) if said.published else seen.published or guessed_date(head)
    return replace(said, published=moment, published_source="page") if moment != said.published else said


def surroundings(tree: lxml.html.HtmlElement, lines: Sequence[str]) -> list[str]:
    """The page's lines above and below its text, with the text's own first and last ones; no quoted post, no clock."""
    others = (*tree.iter("blockquote"), *clocks_in(tree))
    quoted = {line for other in others for line in visible_lines(other)}
    visible = [line for line in visible_lines(tree) if line.strip() and line not in quoted]
    ends = {line_key(line) for line in (*lines[:2], *lines[-2:])}
    known = [number for number, line in enumerate(visible) if len(line) > 3 and line_key(line) in ends]
    if not known:
        return visible[:MAX_VISIBLE]
    head, tail = min(known) + INSIDE, max(known) - INSIDE
    return [*visible[max(0, head - INSIDE - ABOVE) : head], *visible[max(head, tail) : tail + INSIDE + BELOW]]


ABOVE, INSIDE, BELOW = 16, 5, 8
"""Lines around the ends of a text in which its byline and date stand."""


MAX_VISIBLE = 300


def signature(lines: Sequence[str]) -> tuple[str, ...]:
    """Who signs the text itself: a byline that is one of its first or last lines, or a bare name below its last sentence."""
    if names := opened(lines[:OWN]) or opened(lines[-OWN:]):
        return names
    if lines and (names := _in_brackets(lines[-1])):
        return names
    return (lines[-1],) if len(lines) > 2 and is_prose(lines[-2]) and _is_bare_name(lines[-1]) else ()


def _in_brackets(line: str) -> tuple[str, ...]:
    """Who signs in brackets behind the last sentence: `… ends. (Ann Lee/dpa) +++`."""
    signed = SIGNED.search(line[-MAX_SIGNED:])
    names = people(signed[1]) if signed else []
    is_signed = names and is_full_name(names[0]) and all(is_full_name(name) or is_no_person(name) for name in names)
    return tuple(names) if is_signed else ()


SIGNED, MAX_SIGNED = re.compile(r"(?:^|[.!?…\"”“»]\s{1,3})\(([^()\d:©]{5,40})\)[\s+*.]*+$"), 80
"""A signature in brackets, and the characters at a line's end in which it is looked for."""


OWN = 3
"""Lines at either end of a text in which its byline may stand."""


def _is_bare_name(line: str) -> bool:
    """Two to four capitalised words without a sentence's signs."""
    words = line.split()
    return (
        len(line) < 40
        and 2 <= len(words) <= 4
        and looks_like_name(line)
        and not re.search(r"[.,;|]", line)
        and all(word[0].isupper() for word in words)
    )
