"""Scripted text: the article that a page's data hold (JSON-LD articleBody, states of scripts) where its HTML holds less of it.

It is known by its fields, not by a site's paths: an object that says the page's title or address, and the longest prose below it or beside.
What is found becomes a tree and goes the way of every page. Data of a page that calls itself paid for are left alone.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import lxml.html
from lxml.etree import XPath

from crawler.lenient_json import Repairs, UnreadableJSON, read_json
from pipelines.extract.metadata.metadata import Metadata
from pipelines.extract.metadata.page_head import PageHead
from pipelines.extract.metadata.titles import headline_in
from pipelines.extract.phrases import Mentions
from pipelines.extract.scripts.page_data import data_attributes, data_scripts, page_data
from pipelines.extract.scripts.rich_text import (
    MAX_LEVELS,
    MAX_NODES,
    NOTHING,
    Reader,
    RichText,
    from_string,
    is_json,
)
from pipelines.extract.tree import MAX_TEXT, html_parser
from pipelines.text import TAG, clean, fold, is_prose, width

WHOLE = 1_500
"""Characters of prose in a page's HTML from which its scripts are not read: three teasers in four of paid papers have fewer."""


MORE, MORE_OF_IT = 0.5, 0.1
"""How much of the prose that was read the data must hold besides: captions and boxes make some data a third longer than the article.
The second where all that was read stands in the data, too: then it is a teaser of them."""


MIN_PROSE = 80
"""Characters of prose that are an article, a short one."""


MIN_PATH = 8
"""Characters of an address's path that is an article's, not a section's."""


MAX_ASCENT = 4
"""Objects around the one with the title in which its text may stand."""


MAX_SHELL, MAX_ASKING_SHELL = 60, 200
"""Characters beside menus and headings that a page without its article has: `Loading`, a date; of one that asks for JavaScript."""


class PageScripts:
    """What a page's scripts may tell of its text, taken from the tree before they are pruned; nothing is read yet."""

    def __init__(self, tree: lxml.html.HtmlElement, head: PageHead) -> None:
        self._head, self._scripts = head, data_scripts(tree)
        self._runs = any(map(_runs, tree.iter("script")))
        self._media = any(map(_shows, tree.iter(*MEDIA)))
        self._asks = list(tree.iter("noscript"))

    def article(
        self, said: Metadata, tree: lxml.html.HtmlElement, lines: Sequence[str]
    ) -> lxml.html.HtmlElement | None:
        """The article that the data hold as a tree, if that is much more than the pruned page holds and its lines were read."""
        if said.is_accessible_for_free is False:
            return None
        had = sum(width(line) for line in lines if is_prose(line))
        found = [one for one in self._found(said, tree, had) if len(one.html) <= MAX_TEXT]
        most = max((one.prose for one in found), default=0)
        if most < max(MIN_PROSE, (1 + MORE_OF_IT) * had):
            return None
        # of two that hold the same the one with more paragraphs: articleBody often has none
        best = max((one for one in found if one.prose > ALIKE * most), key=lambda one: one.html.count("<p"))
        page = f"<html><body><article>{best.html}</article></body></html>"
        article = lxml.html.document_fromstring(page.encode("utf-8", "replace"), parser=html_parser())
        return article if _has_more(article, most, tree, [line for line in lines if is_prose(line)]) else None

    def title(self, said: str | None) -> str | None:
        """The title without the site's name behind it, where the data have it so."""
        return said and headline_in([text for _, text in self._scripts], said)

    def _found(self, said: Metadata, tree: lxml.html.HtmlElement, had: int) -> Iterator[RichText]:
        for body in self._bodies():
            if len(body) <= MAX_TEXT and width(body) > (1 + MORE_OF_IT) * had:
                yield from_string(body)
        if had >= WHOLE:
            return
        scripts = [*self._scripts, *data_attributes(tree)]
        if sum(len(text) for _, text in scripts) > had:
            finder = _Finder([said.title or "", *self._head.titles], self._head.url or "")
            for value in page_data(scripts):
                yield from finder.texts(value)

    def _bodies(self) -> Iterator[str]:
        """What the page's head says the whole text is."""
        for body in (self._head.ld("articleBody"), self._head.ld("text"), self._head.meta.get("articlebody")):
            parts = body if isinstance(body, list) else [body]
            yield "\n\n".join(part for part in parts if isinstance(part, str))

    def are_needed(self, tree: lxml.html.HtmlElement, lines: Iterable[str]) -> bool:
        """Whether a browser would have to run the scripts: nothing stands in the pruned page where an article should."""
        if not self._runs or any(map(is_prose, lines)):
            return False
        length = sum(len(text.strip()) for text in BESIDE_MENUS(tree))
        if any(ASKS_FOR_SCRIPTS.search(element.text_content()) for element in self._asks):
            return length <= MAX_ASKING_SHELL
        return length <= MAX_SHELL and not self._media


ALIKE = 0.9
"""Of the longest text's prose, what another has that is the same text: one has a caption or a heading more."""


def _has_more(article: lxml.html.HtmlElement, prose: int, tree: lxml.html.HtmlElement, lines: Sequence[str]) -> bool:
    """Whether an article holds prose that its page lacks, enough of it. What the page has and was not read is no teaser's rest."""
    found = _letters(article.text_content())
    rest = prose * (1 - _share(found, _letters(tree.text_content())))
    is_teaser = _share(_letters("".join(lines)), found) > ALIKE
    return rest >= max(MIN_PROSE, (MORE_OF_IT if is_teaser else MORE) * sum(map(width, lines)))


def _letters(text: str) -> str:
    return SIGNS.sub("", text.casefold())


SIGNS = re.compile(r"[\W_]+")


def _share(text: str, other: str) -> float:
    """How much of a text stands in another, by samples: their paragraphs may end elsewhere. Of letters alone, as all here."""
    samples = [text[at : at + SAMPLE] for at in range(0, len(text) - SAMPLE, SAMPLE_EVERY)]
    return sum(sample in other for sample in samples) / max(1, len(samples))


SAMPLE, SAMPLE_EVERY = 24, 100
"""Letters of a sample, and from one to the next."""


def _runs(script: lxml.html.HtmlElement) -> bool:
    """Whether a script is code, of a file of its own or long enough to make something."""
    return "json" not in script.get("type", "") and (script.get("src") is not None or len(script.text or "") > MIN_CODE)


MIN_CODE = 200


MEDIA = ("img", "picture", "video", "audio", "iframe", "object", "embed")
"""What a page without text may be about."""


def _shows(media: lxml.html.HtmlElement) -> bool:
    """Whether a picture or film is seen, and not in a menu: what counts visitors has a width of one."""
    hidden = media.get("width") in ("0", "1") or media.get("height") in ("0", "1") or "none" in media.get("style", "")
    return not hidden and next(media.iterancestors("header", "nav", "footer", "noscript"), None) is None


BESIDE_MENUS = XPath("//body//text()[not(ancestor::h1 or ancestor::header or ancestor::footer)]")


ASKS_FOR_SCRIPTS = Mentions("asks_for_scripts")


class _Finder:
    """Finds the texts that stand in a value below the page's title or address, or near it."""

    def __init__(self, titles: Iterable[str], url: str) -> None:
        self._path = urlsplit(url).path.rstrip("/")
        self._titles = _without_site({folded for title in titles if len(folded := fold(title)) > 3})
        self._words = {word for title in self._titles for word in _marks(title)}
        self._longest = max(map(len, self._titles), default=0)
        self._reader, self._left = Reader(self._is_other), MAX_NODES
        self._read: dict[int, tuple[object, RichText]] = {}

    def texts(self, value: Any, around: tuple[dict[str, Any], ...] = ()) -> Iterator[RichText]:
        """The text of every object that says the title."""
        self._left -= isinstance(value, dict | list)
        if self._left < 0 or len(around) > MAX_LEVELS:
            return
        if isinstance(value, dict):
            chain = (value, *around)
            if self._is_own(value):
                yield self._text(chain[: MAX_ASCENT + 1])
            for one in value.values():
                yield from self.texts(one, chain)
        elif isinstance(value, list):
            for one in value:
                yield from self.texts(one, around)
        elif isinstance(value, str) and is_json(value):  # an answer that a server has kept as it came
            with suppress(UnreadableJSON):
                yield from self.texts(read_json(value, Repairs(0)), around)

    def _is_own(self, value: Mapping[str, Any]) -> bool:
        """Whether an object says the page's title or address."""
        return any(isinstance(one, str) and (self._is_title(one) or self._is_address(one)) for one in value.values())

    def _is_address(self, text: str) -> bool:
        return len(self._path) > MIN_PATH and len(text) < 500 and text.rstrip("/").endswith(self._path)

    def _is_title(self, text: str) -> bool:
        if not 3 < len(text) < 2 * self._longest + 20 or not any(word in text.casefold() for word in self._words):
            return False
        folded = fold(TAG.sub("", clean(text)))
        return folded in self._titles or any(folded in title and 2 * len(folded) > len(title) for title in self._titles)

    def _text(self, chain: Sequence[dict[str, Any]]) -> RichText:
        """The text of the nearest object that has one, of more than an introduction if any has."""
        best = NOTHING
        for one in chain:
            if id(one) not in self._read:
                self._read[id(one)] = (one, self._reader.longest(one))  # kept, so that no other takes its id
            best = max(best, self._read[id(one)][1], key=lambda found: found.prose)
            if best.prose > INTRODUCTION:
                break
        return best

    def _is_other(self, value: Mapping[str, Any]) -> bool:
        """Whether an object is a work of its own: it has another title, and an address."""
        named = [title for key, one in value.items() if TITLE_KEY.search(key) for title in _strings(one)]
        return (
            any(len(title) > MIN_HEADLINE for title in named)
            and any(ADDRESS_KEY.search(key) and isinstance(one, str) for key, one in value.items())
            and not any(map(self._is_title, named))
            and not self._is_own(value)
        )


def _without_site(titles: set[str]) -> set[str]:
    """Titles but the window's where another is its headline: its other half is the site's, which settings of a script name."""
    return {
        title
        for title in titles
        if not any(other in title and MIN_HEADLINE <= len(other) < len(title) for other in titles)
    }


def _marks(title: str) -> tuple[str, str]:
    """Two words, or beginnings of such, of which a headline has one that is more than half of a window's title."""
    words = title.split()
    if len(words) < 4:
        return words[0][:4], words[-1][-4:]
    half = len(words) // 2
    return max(words[: half + 1], key=len), max(words[half:], key=len)


def _strings(value: Any) -> list[str]:
    """A string, or those of an object such as `{"rendered": "A title"}`."""
    parts = value.values() if isinstance(value, dict) else [value]
    return [part for part in parts if isinstance(part, str)]


INTRODUCTION = 300
"""Characters of prose that may stand beside a title and be less than the text."""


TITLE_KEY = re.compile(r"(?i)^(?:head(?:lines?|ing)|title|name|tit(?:el|re|olo|ulo)|titular|overskrift|rubrik)$")
ADDRESS_KEY = re.compile(r"(?i)url|link|href|slug|path|permalink|^uri$")
MIN_HEADLINE = 15
"""Characters of a headline; headings inside a text are shorter, or have no address."""
