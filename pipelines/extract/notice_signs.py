"""What speaks for a notice: its signs, weighed. Of short pages that have nothing of an article, and of what stands where a feed was.

No sign alone tells a notice, as news speak of blocked roads, of sites that were down and of forests for sale. A notice is called one,
speaks to its reader, and of itself; what only its HTML shows (the number of an incident, a riddle for robots) adds to that.
"""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from pipelines.extract.phrases import Mentions, Openings
from pipelines.text import word_count

TURNED_AWAY = Mentions("turned_away")
TITLES = Openings("notice_titles", skip=r"\W+")
READER, SITE = Mentions("notice_reader"), Mentions("notice_site")
PARKED, THIS_DOMAIN = Mentions("parked"), Mentions("this_domain")


def notice_word(titles: Sequence[str], text: str, html: str, url: str) -> str | None:
    """The reason for which a page is none of its site's: `parked`, `turned_away`; None of one that may be.

    `titles` are those of the page and its headings, `text` is its lines, `html` the page as it came from `url`.
    """
    if word_count(text) > MOST_WORDS:
        return None
    if _is_parked(titles, text, html, url):
        return "parked"
    return "turned_away" if weight(titles, text, html) >= SURE else None


SURE = 5
"""What the signs of a notice must weigh. In tests/support/turned_away.py, twenty languages, without a headline from a feed: of 95 notices
that were seen while the words were gathered all are refused (by MIN_WORDS and a few phrases alone it were 38), of 16 that were not 10 (8),
of 79 briefs on the same things none (5). Of the first 60 words of 1,550 labelled texts, stripped of all that tells an article, six
weigh as much, most of them blogs that speak to their readers. At 4 it would be 12 of those 16, one of the 79, and 32."""


def weight(titles: Sequence[str], text: str, html: str) -> int:
    """How much speaks for a notice: what it is called, what it speaks of and to whom, and what only its HTML shows."""
    spoken, of_itself = READER.count(text), SITE.count(text)
    if not (spoken and of_itself):
        return 0
    title = 2 * any(map(_is_notice_title, titles))
    phrase = 2 * TURNED_AWAY.search(text)
    marks = sum(mark.search(html) is not None for mark in (REFERENCE, RIDDLE, UNLISTED))
    bare = html.count("<a ") <= FEW_LINKS
    return title + phrase + min(spoken, 3) + min(of_itself, 3) + marks + bare


FEW_LINKS = 3
"""Links of a page that is made without its site's template, as those before it are."""

MOST_WORDS = 120
"""Of a notice that has nothing but its words to be known by."""


def _is_notice_title(title: str) -> bool:
    parts = re.split(r"\s[|·:–—-]\s|: ", title)
    short = (part.strip() for part in parts if len(part) <= MAX_NOTICE_TITLE)
    return any(STATUS.match(part) or TITLES.match(part) for part in short)


MAX_NOTICE_TITLE = 60
"""Characters of the longest title of a notice, or of its part beside the site's name."""

STATUS = re.compile(
    r"(?:(?:http|error|fehler|erreur|code|status)[\s:#]{0,3}){0,2}(?:40[13]|429|451|50[0-4]|52\d|10[0-3]\d)\b", re.I
)
"""The number of a refusal, alone or with its name."""

REFERENCE = re.compile(
    r"\b(?:ray|request|reference|incident|event|support|session|case|trace|error|client)[ -]?(?:id|ip|code|number|no|nr)?\s{0,3}[:#]?\s{0,3}(?:<[^<>]{1,80}>\s{0,3}){0,3}#?(?=[a-z.-]{0,30}\d)[\da-z.:-]{4,64}\b"
    r"|\b(?:ip|ip[ -]address|ip-adresse|adresse ip|dirección ip)\s{0,3}:?\s{0,3}(?:<[^<>]{1,80}>\s{0,3}){0,3}\d{1,3}\.\d{1,3}\.\d",
    re.I,
)
"""By what a refusal can be asked about: the number of an incident, the address that was refused."""

RIDDLE = re.compile(
    r"[\"'_ /-](?:g-recaptcha|h-captcha|cf-turnstile|frc-captcha|px-captcha|geetest|captcha-delivery|awswaf|challenge-platform/h|ddos-guard|arkose|captcha)\b",
    re.I,
)
"""A test that tells people from robots, by what its vendors call it in the page."""

UNLISTED = re.compile(
    r"<meta\s[^<>]{0,200}?(?:robots[\"']?\s[^<>]{0,100}?noindex|http-equiv\s?=\s?[\"']?refresh\b[\"']?\s[^<>]{0,20}?content\s?=\s?[\"']?\d{1,3}\s?[\"'>])",
    re.I,
)
"""A page that is not to be found by search, or that loads itself again."""


def _is_parked(titles: Sequence[str], text: str, html: str, url: str) -> bool:
    """Whether a page offers the domain it is at, or says that nothing is there: in a line that names it, or below its bare name."""
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    lines = [line.lower() for line in (*titles, *text.split("\n"))]
    if any((host in line or THIS_DOMAIN.search(line)) and PARKED.search(line) for line in lines):
        return True
    is_own = (
        any(title.lower().strip().removeprefix("www.") == host for title in titles) or BROKER.search(html) is not None
    )
    return is_own and any(map(PARKED.search, lines))


BROKER = re.compile(
    r"\b(?:parkingcrew|sedoparking|sedo|bodis|afternic|hugedomains|dan|parklogic|above|uniregistry|undeveloped|domainmarket)\.(?:com|net)/",
    re.I,
)
"""Hosts of those who park domains and sell them."""
