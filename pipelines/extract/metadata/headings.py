"""Headings: the h1 (or h2) of a page that is its article's title, apart from the site's name, and the kicker above it."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

import lxml.html

from crawler.dates.moments import day_in_words
from pipelines.extract.metadata.page_head import PageHead, headline_of
from pipelines.text import CJK, clean, fold, width


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The element on the page that is its title, and what it says."""

    element: lxml.html.HtmlElement
    text: str  #: without what stands in the element and is no title: kicker, subtitle, date, what only a screen reader says
    kicker: str | None = None  #: the small line above: a topic, a place, a series


SITE_SEPARATOR = re.compile(
    rf"\s(?:[|\-–—―·•:»«›‹/\\~]{{1,3}}|>>?|<<?)\s|\s?(?:[|｜：›»／]|——)\s?|(?<=[{CJK}」』）])\s?[-_:]\s?(?=[\w{CJK}])"
)
"""What stands between a title and the site's name; in scripts without spaces also without any."""


MAX_HEADINGS = 100
"""Headings of a page among which its title is; labelled pages have it among the first dozen."""


MAX_TITLE, MAX_KICKER, MIN_SECOND, AROUND = 400, 60, 8, 5
"""Characters of a heading that may be a title, of a kicker, and of an h2 that is one only because the head repeats it;
elements around a heading that tell whose it is: an unclosed menu may hold the whole page."""


def heading_of(head: PageHead, site: str | None) -> Heading | None:
    """The heading that is the page's title: the longest that the head repeats, else an h1 that is about the same."""
    places = [line for line in (head.first("og:title", "twitter:title"), headline_of(head), window_of(head)) if line]
    stated = [fold(line) for line in places]
    firsts = [
        heading for element in islice(head.tree.iter("h1"), MAX_HEADINGS) if (heading := _heading(element, head, site))
    ]
    known = [heading for heading in firsts if _is_repeated(fold(heading.text), stated)]
    if not known:
        declared = [fold(line) for line in (*head.meta.get("og:title", ()), headline_of(head)) if line]
        known = [heading for heading in firsts[:3] if _is_about(heading.text, declared, site, head.url)]
    if not known:
        segments = {fold(part) for line in places for part in (line, *SITE_SEPARATOR.split(line)) if part}
        seconds = (
            heading
            for element in islice(head.tree.iter("h2"), MAX_HEADINGS)
            if (heading := _heading(element, head, site))
        )
        known = [one for one in seconds if width(one.text) >= MIN_SECOND and fold(one.text) in segments]
    return max(known, key=lambda heading: len(heading.text), default=None)


def _is_repeated(line: str, stated: Iterable[str]) -> bool:
    """Whether a line stands in another, a short one as whole words."""
    return any(line in one if width(line) > MIN_SECOND else f" {line} " in f" {one} " for one in stated)


def _is_about(line: str, declared: list[str], site: str | None, url: str | None) -> bool:
    """Whether a heading shares words with what the page declares; where that is the site's name only, any heading will do."""
    words = {word[:5] for word in fold(line).split() if len(word) > 3}
    others = [one for one in declared if not is_sites(one, site, url)]
    if not others:
        return bool(re.search(r"[^\W\d_]{3}", line))
    known = {
        word[:5] for one in (*others, fold(_path(url or "").rpartition("/")[2])) for word in re.split(r"[\s_]+", one)
    }
    return len(words & known) * 3 >= len(words) > 0


def _heading(element: lxml.html.HtmlElement, head: PageHead, site: str | None) -> Heading | None:
    """An element that may be the page's title; None where it is the site's, a menu's or empty."""
    if _leads_home(element, head.url) or OF_SITE.search(_called(element)) or KICKER.search(_called(element)):
        return None
    if _leads_elsewhere(element, head.url) or element.get("itemprop") == "alternativeHeadline":
        return None
    if any(
        node.tag in ("nav", "aside", "dialog") or AROUND_SITE.search(_called(node))
        for node in islice(element.iterancestors(), AROUND)
    ):
        return None
    text = _text_of(element, _is_no_title)
    if not fold(text) or len(text) > MAX_TITLE or is_sites(text, site, head.url):
        return None
    text = _without_first_part(element, text, head)
    return Heading(element=element, text=text, kicker=_kicker(element, text, head))


def _without_first_part(element: lxml.html.HtmlElement, text: str, head: PageHead) -> str:
    """A heading without the element it begins with, where the page's head has only what follows."""
    first = next((fold(clean(" ".join(child.itertext()))) for child in element), "")
    shared = head.first("og:title") or headline_of(head)
    return shared if first and shared and fold(text) == f"{first} {fold(shared)}" else text


def _called(element: lxml.html.HtmlElement) -> str:
    return f"{(element.get('class') or '')[:MAX_NAMES]} {(element.get('id') or '')[:MAX_NAMES]}"


MAX_NAMES = 300
"""Characters of what an element is called."""


OF_SITE = re.compile(
    r"(?:^|[\s_-])(?:logo|site-?(?:title|name)|blog-?(?:title|name)|branding|wordmark|menu|seo-?title)(?=$|[\s_-])|breadcrumb",
    re.I,
)
"""What templates call a heading that is the site's, or that stands for search engines only."""


AROUND_SITE = re.compile(
    r"(?:^|[\s_-])(?:logo|site-?(?:title|name)|blog-?title|branding)(?=$|[\s_-])|(?:^|\s)breadcrumb|[_-]crumbs?(?![a-z])",
    re.I,
)


KICKER_NAMES = """
kicker overline dachzeile roofline top-?line super-?title eyebrow spitzmarke strapline pre-?title sur-?title over-?title
occhiello ante-?titulo volanta sobretitulo chapeu chapéu stikktittel vignett trompete headline-?(?:intro|kicker) top-?title
"""


KICKER = re.compile(
    rf"(?:^|[\s_-])(?:{'|'.join(KICKER_NAMES.split())})(?=$|[\s_-])|(?-i:[a-z](?:Kicker|Overline|Eyebrow|Topline)(?![a-z]))",
    re.I,
)
"""What templates call the small line above a title."""


NO_TITLE = re.compile(
    r"(?:^|[\s_-])(?:sub-?(?:title|head|headline|heading)|visually-?hidden|sr-only|screen-reader(?:-text)?|aural|is_blind|blind|label"
    r"|label-append|colon|assistive|element-invisible|badge|date|author)(?=$|[\s_-])",
    re.I,
)
"""What stands in the same heading, and is said of the title or to a screen reader only."""


def _is_unsaid(node: lxml.html.HtmlElement) -> bool:
    return node.tag in ("rt", "rp", "script", "style", "svg") or HIDDEN.search(node.get("class") or "") is not None


HIDDEN = re.compile(
    r"(?:^|[\s_-])(?:visually-?hidden|sr-only|screen-reader|aural|blind|assistive|element-invisible)(?=$|[\s_-])", re.I
)


def _is_no_title(node: lxml.html.HtmlElement) -> bool:
    return (
        node.tag in ("rt", "rp", "script", "style", "svg", "button", "time", "small", "h2", "h3", "h4", "h5")
        or KICKER.search(_called(node)) is not None
        or NO_TITLE.search(node.get("class") or "") is not None
    )


def _text_of(element: lxml.html.HtmlElement, is_left_out: Callable[[lxml.html.HtmlElement], bool]) -> str:
    """The text of an element without some of those in it; whole where nothing else would stay."""
    glue = "" if next(element.iter("ruby"), None) is not None else " "
    kept = clean(HYPHENATION.sub("", glue.join(_texts(element, is_left_out)))).lstrip(":|/–— ")
    return kept if fold(kept) else clean(" ".join(element.itertext()))


HYPHENATION = re.compile(r"(?<!\s)\s*+\xad\s*+")
"""Where a word may be parted, in an element of its own or not."""


def _texts(element: lxml.html.HtmlElement, is_left_out: Callable[[lxml.html.HtmlElement], bool]) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if not is_left_out(child):
            yield from _texts(child, is_left_out)
        yield child.tail or ""


def _kicker(element: lxml.html.HtmlElement, text: str, head: PageHead) -> str | None:
    """The small line in a heading or above it: called one, or written before the title in the page's data."""
    inside = [
        node for node in element.iter() if node is not element and (node.tag == "small" or KICKER.search(_called(node)))
    ]
    above = [
        node
        for node in (element.getprevious(), *islice(element.itersiblings(preceding=True), 1, 2))
        if node is not None
    ]
    for node in (*inside[:1], *(node for node in above if KICKER.search(_called(node)))):
        if line := _as_kicker(node, text):
            return line
    stated = {fold(line) for line in (head.first("og:title"), headline_of(head), window_of(head)) if line}
    for node in above[:1]:
        line = _as_kicker(node, text)
        if line and any(one.startswith(fold(f"{line} {text}")) for one in stated):
            return line
    return None


def _as_kicker(node: lxml.html.HtmlElement, title: str) -> str | None:
    line = _text_of(node, _is_unsaid).strip(" :|/,–—-»›")
    if (
        not 1 < len(line) <= MAX_KICKER
        or fold(line) == fold(title)
        or line.endswith((".", "?", "!"))
        or day_in_words(line)
    ):
        return None
    return line


def _leads_home(element: lxml.html.HtmlElement, url: str | None) -> bool:
    """Whether a heading is a link to the front page."""
    links = [*element.iter("a"), *islice(element.iterancestors("a"), 1)]
    return bool(links) and all(is_front_page(link.get("href") or "", url) for link in links)


def _leads_elsewhere(element: lxml.html.HtmlElement, url: str | None) -> bool:
    """Whether all of a heading is a link to a folder above the page: its section's name."""
    link = next(element.iter("a"), None)
    if link is None or len(clean(" ".join(element.itertext()))) > len(clean(" ".join(link.itertext()))):
        return False
    path, own = _path(link.get("href") or ""), _path(url or "")
    return bool(path) and own.startswith(path + "/")


def _path(url: str) -> str:
    try:
        return urlsplit(ARCHIVED.sub("", url.strip())).path.rstrip("/")
    except ValueError:
        return ""


def is_front_page(href: str, url: str | None) -> bool:
    """Whether a link leads to the root of the page's own host, saved copies in an archive included."""
    href = ARCHIVED.sub("", href.strip())
    try:
        parts = urlsplit(href)
        hostname = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return False
    own = not parts.netloc or hostname == host_name(ARCHIVED.sub("", url or ""))
    return (
        own
        and bool(href)
        and not href.startswith("#")
        and parts.path in ("", "/")
        and (bool(parts.path) or bool(parts.netloc))
    )


ARCHIVED = re.compile(r"^https?://web\.archive\.org/web/\w{4,20}/(?=https?:)")


def window_of(head: PageHead) -> str | None:
    return next((line for element in head.tree.iter("title") if (line := clean(element.text_content()))), None)


def is_sites(line: str, site: str | None, url: str | None) -> bool:
    """Whether a line is the site's name and nothing else."""
    return names_site(fold(line).replace(" ", ""), site, fold(host_name(url)).replace(" ", ""))


def names_site(tail: str, site: str | None, host: str) -> bool:
    name, tail = fold(site or "").replace(" ", ""), tail.removeprefix("the")
    return bool(tail) and (
        tail == name
        or (
            len(tail) > 3
            and (
                tail in host
                or (len(host) > 3 and tail.startswith(host))
                or (len(name) > 3 and (tail.startswith(name) or name.startswith(tail)))
            )
        )
    )


def host_name(url: str | None) -> str:
    try:
        return (urlsplit(url or "").hostname or "").removeprefix("www.")
    except ValueError:
        return ""
