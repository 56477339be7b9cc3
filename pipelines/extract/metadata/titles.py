"""The title: og:title, JSON-LD headline, h1 and window title, without the site's name."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from json import dumps

from pipelines.extract.metadata.headings import (
    MAX_KICKER,
    SITE_SEPARATOR,
    Heading,
    host_name,
    is_sites,
    names_site,
    window_of,
)
from pipelines.extract.metadata.page_head import PageHead, headline_of, visible_text
from pipelines.text import TAG, fold, width

# ------------------------------------------------------------------------------------------------------------- title


def title(head: PageHead, site: str | None, heading: Heading | None) -> str | None:
    """What the page's own heading says, unless its data agree on another headline; without heading, what most places say."""
    shown = heading.text if heading else None
    headline, shared, tweeted = (
        _without_markup(line, shown)
        for line in (headline_of(head), head.first("og:title"), head.first("twitter:title"))
    )
    window = window_of(head)
    said = [line for line in (headline, shared, shown, tweeted, window) if line]
    short = {line: without_site(line, said, site, head.url) for line in said}
    own = [line for line in said if not is_sites(short[line], site, head.url)] or said
    others = [line for line in (shared, tweeted, window) if line]
    if headline and headline in own and _is_borne_out(headline, heading, others, short):
        best: str | None = short[headline]
    elif shown:
        best = short[shown]
    else:
        votes = Counter(fold(short[line]) for line in own)
        best = max((short[line] for line in own), key=lambda line: votes[fold(line)], default=None)
    chosen = next((line for line in short.values() if best and fold(line) == fold(best)), None)
    return _without_kicker(chosen, short[shared] if shared else None)


def _is_borne_out(headline: str, heading: Heading | None, others: Sequence[str], short: Mapping[str, str]) -> bool:
    """Whether a JSON-LD headline is the title: whole, and repeated elsewhere, or not contradicted by two places that agree."""
    line, shown = fold(short[headline]), fold(heading.text) if heading else ""
    if CUT.search(headline) or (shown.startswith(line) and shown != line):
        return False
    stated = [fold(short[one]) for one in others]
    rival = stated[0] if stated and stated[0] != line else None
    repeats = stated.count(line) + bool(heading and line in (shown, fold(visible_text(heading.element))))
    contradicted = rival is not None and (rival == shown or (not repeats and stated.count(rival) > 1))
    return repeats > 1 or not contradicted


CUT = re.compile(r"(?:\.\.\.|…)$")


def _without_kicker(chosen: str | None, shared: str | None) -> str | None:
    """A title without the small line above it, where og:title has it so: `Harbour: Crane falls`."""
    before, colon, after = (chosen or "").partition(": ")
    return shared if colon and len(before) < MAX_KICKER and shared and fold(after) == fold(shared) else chosen


def titles_by_place(head: PageHead, site: str | None, heading: Heading | None) -> dict[str, str]:
    """What each of items.TITLES says, without the site's name; places that say nothing are left out."""
    said = {"headline": headline_of(head), "og:title": head.first("og:title"), "h1": heading.text if heading else None}
    lines = [line for line in said.values() if line]
    return {place: without_site(line, lines, site, head.url) for place, line in said.items() if line}


def _without_markup(line: str | None, heading: str | None) -> str | None:
    """Tags stand in data by mistake, unless the page's heading shows them too: a title may speak of `<b>`."""
    if not line or not TAG.search(line) or (heading and fold(heading) == fold(line)):
        return line
    return TAG.sub("", line).strip() or None


MAX_HEADING = 1_000
"""Characters of a line in which a site's name is looked for, twice what is kept of a title: each separator costs the whole line."""


def without_site(line: str, others: Iterable[str], site: str | None, url: str | None) -> str:
    """`A storm | The Paper` -> `A storm`: when another line says the head alone, or the tail is the site's name."""
    if len(line) > MAX_HEADING:
        return line
    folded, host = {fold(other) for other in others if other != line}, fold(host_name(url)).replace(" ", "")
    named, colon, rest = line.partition(": ")
    if colon and site and fold(named) == fold(site):
        return rest
    bracket = IN_BRACKETS.search(line)
    if bracket and names_site(fold(bracket[1]).replace(" ", ""), site, host):
        return line[: bracket.start()].rstrip() or line
    signs = list[re.Match[str]]()
    for separator in SITE_SEPARATOR.finditer(line):
        begin, tail = line[: separator.start()], fold(line[separator.end() :]).replace(" ", "")
        if begin and fold(begin) in folded:
            return begin
        if begin and names_site(tail, site, host):
            return _without_section(begin, [*signs, separator])
        if names_site(fold(begin).replace(" ", ""), site, host):
            return line[separator.end() :]
        signs.append(separator)
    return line


IN_BRACKETS = re.compile(r"[(（]([^()（）]{2,80})[)）]$")


def _without_section(line: str, signs: Sequence[re.Match[str]]) -> str:
    """`A storm | Harbour` -> `A storm`, where the sign is the same as before the site's name, and one that no sentence has."""
    if len(signs) < 2 or signs[-2][0] != signs[-1][0] or not TREE_SIGN.fullmatch(signs[-1][0].strip()):
        return line
    title, section = line[: signs[-2].start()], line[signs[-2].end() :]
    return title if len(section.split()) <= MAX_SECTION and 2 * width(section) < width(title) else line


TREE_SIGN, MAX_SECTION = re.compile(r"[|｜_›»«‹>/／\\]"), 3
"""What stands between a page, its section and its site; words of a section's name."""


def headline_in(texts: Iterable[str], line: str) -> str:
    """What a window's title begins with, where the page's data say it alone: `A storm` of `A storm | The Paper`."""
    begins = [line[: sign.start()] for sign in SITE_SEPARATOR.finditer(line)] if len(line) <= MAX_HEADING else []
    quoted = [(begin, dumps(begin, ensure_ascii=escaped)) for begin in begins if begin for escaped in (True, False)]
    return next((begin for begin, string in reversed(quoted) if any(string in text for text in texts)), line)
