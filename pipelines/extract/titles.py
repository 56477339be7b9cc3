"""The title: og:title, JSON-LD headline, h1 and window title, without the site's name."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from pipelines.extract.page_head import PageHead, headline_of, visible_text
from pipelines.text import TAG, clean, fold

# ------------------------------------------------------------------------------------------------------------- title
SITE_SEPARATOR = re.compile(r"(?<!\s)\s+[|\-–—·•:»«/]+\s+|(?:(?<!\s)\s+)?[|｜：]\s*")


def title(head: PageHead, site: str | None) -> str | None:
    """The JSON-LD headline, unless it only repeats the window's title where h1 and og:title have the editors' own."""
    heading, window = _heading(head), _window(head)
    headline, shared, tweeted = (
        _without_markup(line, heading)
        for line in (headline_of(head), head.first("og:title"), head.first("twitter:title"))
    )
    said = [line for line in (headline, shared, heading, tweeted, window) if line]
    short = {line: without_site(line, said, site, head.url) for line in said}
    votes = Counter(fold(short[line]) for line in said)
    chosen = short[headline] if headline else max(short.values(), key=lambda line: votes[fold(line)], default=None)
    if headline and shared and heading and window and _same(short, headline, window) and _same(short, shared, heading):
        chosen = short[heading]
    if chosen and shared and _is_kicker(chosen, short[shared]):
        chosen = short[shared]
    return next((line for line in short.values() if chosen and fold(line) == fold(chosen)), None)


def titles_by_place(head: PageHead, site: str | None) -> dict[str, str]:
    """What each of items.TITLES says, without the site's name; places that say nothing are left out."""
    said = {"headline": headline_of(head), "og:title": head.first("og:title"), "h1": _heading(head)}
    lines = [line for line in said.values() if line]
    return {place: without_site(line, lines, site, head.url) for place, line in said.items() if line}


def _without_markup(line: str | None, heading: str | None) -> str | None:
    """Tags stand in data by mistake, unless the page's heading shows them too: a title may speak of `<b>`."""
    if not line or not TAG.search(line) or (heading and fold(heading) == fold(line)):
        return line
    return TAG.sub("", line).strip() or None


def _same(short: Mapping[str, str], one: str, other: str) -> bool:
    return fold(short[one]) == fold(short[other])


def _is_kicker(line: str, other: str) -> bool:
    """Whether `line` is `other` behind a kicker: `Harbour: Crane falls` for `Crane falls`."""
    before, colon, after = line.partition(": ")
    return bool(colon) and len(before) < 45 and fold(after) == fold(other)


def _window(head: PageHead) -> str | None:
    return next((line for element in head.tree.iter("title") if (line := clean(element.text_content()))), None)


def _heading(head: PageHead) -> str | None:
    """The h1 that is the page's title: the one the head agrees with, else the only or first one with words."""
    lines = [line for element in head.tree.iter("h1") if 0 < len(line := clean(visible_text(element))) < 400]
    heads = fold(
        " ".join(
            filter(
                None,
                (head.first("og:title"), headline_of(head), *(element.text for element in head.tree.iter("title"))),
            )
        )
    )
    return next((line for line in lines if fold(line) and fold(line) in heads), None) or (
        max(lines[:3], key=len) if lines else None
    )


MAX_HEADING = 1_000
"""Characters of a line in which a site's name is looked for, twice what is kept of a title: each separator costs the whole line."""


def without_site(line: str, others: Iterable[str], site: str | None, url: str | None) -> str:
    """`A storm | The Paper` -> `A storm`: when another line says the head alone, or the tail is the site's name."""
    if len(line) > MAX_HEADING:
        return line
    folded, host = {fold(other) for other in others if other != line}, fold(host_name(url)).replace(" ", "")
    for separator in SITE_SEPARATOR.finditer(line):
        begin, tail = line[: separator.start()], fold(line[separator.end() :]).replace(" ", "")
        if begin and (fold(begin) in folded or names_site(tail, site, host)):
            return begin
        if names_site(fold(begin).replace(" ", ""), site, host):
            return line[separator.end() :]
    return line


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
