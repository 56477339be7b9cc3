"""Reasons: every word of `pages.reason` and `feeds.last_status`, what it means, and whether and when it is asked again.

Programs read the word, people the sentence. Data, but for the look-up; docs/method.md has the same as tables, which a test compares.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One word for what became of a page or of a poll."""

    word: str  #: as it is stored; NNN stands for an HTTP status
    kind: str  #: refusal, failure or duplicate, of a page; listing: of a feed, sitemap or front page only
    meaning: str  #: for people, after the address and a colon
    again: str  #: whether and when that address is asked again


NEVER = "never"
AFTER_REFUSAL = "after a day, and once more after a week; a local copy never"
AFTER_FAILURE = "after 10 minutes, 1 hour, 6 hours and 1 day, then no more"
AFTER_FAILED_POLL = "in the next two runs, then after twice as long each time, 6 hours at most"
WHEN_DUE = "when its pace makes it due"


_REFUSALS = {
    "client_redirect": "a page that only leads on to another address, where no article was found",
    "consent": "a notice that asks for consent stands where the article should be",
    "empty": "the answer is empty",
    "forgotten": "was taken down; `broadsheet forget --undo URL` lifts that",
    "hash_route": "an address behind `#` (`#!/…`, `#/…`), which only JavaScript can show, and that is not run",
    "index": "a list of links, not an article",
    "no_text": "no text to be found",
    "not_html": "not a web page, but a picture, a PDF, a feed or other data",
    "parked": "a page that offers the domain for sale, or lists advertisements, stands where the site was: its domain is parked",
    "redirect_to_front_page": "redirects to a front page: the article is no longer there",
    "robots": "forbidden by robots.txt",
    "scripted": "made by JavaScript, which is not run: neither its HTML nor its data hold the text",
    "soft_404": "an error page that the server calls a good answer",
    "too_complex": "more tags, levels or lines than any article has",
    "too_large": "more than 8 MB (8,388,608 bytes)",
    "too_long": "a text of more than a million characters",
    "too_short": "hardly a word, and nothing that says it is an article",
    "turned_away": "turned away with a notice instead of the article: blocked, closed for repairs, or held up to be told from a robot",
    "unusable_redirect": "redirects to what is no address of the web",
    "video": "a video with hardly a word beside it",
}
"""It answered, and is no article; or it must not be asked."""

_UNCHECKED = '`certificates = "unchecked"` for this source in sources.toml asks the server all the same'
"""What to write where a certificate is not to be trusted."""

_FAILURES = {
    "bug": "a bug in Broadsheet; the log of the run says more: please report it",
    "certificate": f"the server's certificate is not to be trusted; {_UNCHECKED}",
    "certificate_expired": f"the server's certificate has expired; {_UNCHECKED}",
    "certificate_incomplete": f"the server leaves out an intermediate certificate, and it cannot be had where it should be; {_UNCHECKED}",
    "certificate_not_yet_valid": f"the server's certificate is not valid yet, or the clock of this machine is wrong; {_UNCHECKED}",
    "certificate_unknown_issuer": f"the server's certificate is of an unknown issuer, nobody whom this system trusts; {_UNCHECKED}",
    "certificate_wrong_name": f"the server's certificate has the wrong name, that of another host; {_UNCHECKED}",
    "connection_failed": "no connection could be made",
    "connection_lost": "the connection broke off before the answer was whole",
    "connection_refused": "the server takes no connections",
    "cut_off": "the archive holds only the beginning of it",
    "damaged_answer": "the answer is damaged: packed otherwise than it says, or a redirect to no address",
    "extraction_crash": "the process that read the page crashed",
    "extraction_error": "a bug in Broadsheet; the log of the run says more: please report it",
    "extraction_memory": "the page takes too much memory to be read",
    "extraction_timeout": "the page takes too long to be read",
    "host_not_found": "no host of this name can be found",
    "http_NNN": "the answer is an error, or no page at all (HTTP NNN)",
    "http_unreadable": "the archive's record has no status that can be read",
    "private_address": "leads into a private network; `allow_private` in sources.toml allows it",
    "redirect_loop": "redirects again and again",
    "robots_http_NNN": "robots.txt cannot be read, so that nothing may be asked (HTTP NNN)",
    "robots_too_large": "robots.txt cannot be read, so that nothing may be asked: it is too large",
    "timeout": "no answer in time",
    "unknown": "nobody noted why",
}
"""No answer yet that is worth keeping."""

_DUPLICATES = {
    "canonical": "names another address as the article's own",
    "near": "nearly the same text as the article",
    "part": "one of the pages that the article is split over, or all of it on one page",
    "redirect": "redirects to the article",
    "text": "the same words as the article",
    "url": "the article's own address in another spelling",
}
"""The same as an article elsewhere."""

_LISTINGS = {
    "barren": "none of the pages it names was an article; another entry point took its place",
    "damaged_gzip": "packed with gzip, and damaged",
    "elsewhere_SITE": 'names pages of SITE alone: write url = "https://SITE/", or give that site a source of its own',
    "named": "named by a sitemap index and never asked yet",
    "not_a_feed": "neither RSS, Atom nor JSON Feed",
    "not_a_page": "not a web page",
    "not_a_sitemap": "not a sitemap",
    "nothing_to_poll": "no feed, no sitemap and no front page that names articles: name one in sources.toml",
    "ok": "read",
    "old": "old, as its sitemap index says",
    "opml": "a list of feeds (OPML): save it as a file, and `broadsheet sources import FILE` adds them",
    "reading_crash": "the process that read it crashed",
    "reading_memory": "takes too much memory to be read",
    "reading_timeout": "takes too long to be read",
    "reserve": "in reserve: another entry point of the source yields",
    "retired": "gone, and not asked any more",
    "unchanged": "not changed since it was read",
}
"""Of feeds, sitemaps and front pages only; what hinders a page hinders these, too, in the same words."""

_AGAIN = {
    "forgotten": NEVER,
    "hash_route": NEVER,
    "robots": "when its host's robots.txt has changed; that is read once in 24 hours",
    "too_large": NEVER,
    "barren": "when a new discovery names it again",
    "named": WHEN_DUE,
    "ok": WHEN_DUE,
    "old": "when the source gives nothing else",
    "reserve": "when the source yields nothing else, or articles were missed",
    "retired": "when its index or a new discovery names it again",
    "unchanged": WHEN_DUE,
}
"""Of words that are no usual ones of their kind."""

REASONS = {
    word: Reason(word=word, kind=kind, meaning=meaning, again=_AGAIN.get(word, again))
    for kind, again, words in (
        ("refusal", AFTER_REFUSAL, _REFUSALS),
        ("failure", AFTER_FAILURE, _FAILURES),
        ("duplicate", NEVER, _DUPLICATES),
        ("listing", AFTER_FAILED_POLL, _LISTINGS),
    )
    for word, meaning in words.items()
}
"""All of them, by word."""

_STATUSES = {
    "304": "said to have not changed to somebody who has never seen it",
    "401": "asks for a password",
    "402": "asks for money",
    "403": "turned away by the server",
    "404": "no page at this address",
    "410": "gone for good",
    "429": "the server asks to be left alone for a while",
    "451": "withheld for legal reasons",
    "503": "the server is overloaded or closed for a while",
}
"""HTTP statuses that say more than their hundred."""

_HUNDREDS = {"4": "the server refuses the request", "5": "the server answered with an error of its own"}

MEANINGS = (*(one.meaning for one in REASONS.values()), *_STATUSES.values(), *_HUNDREDS.values())
"""Every sentence, of which some have a status (NNN) or a SITE yet to come: what there is to be translated."""

_FAMILY = re.compile(r"(?P<family>(?:robots_)?http_)(?P<status>\d{3})")


def reason(word: str, translated: Callable[[str], str] = str) -> Reason | None:
    """What is known of a word, that of a family (`http_404`) by its own status; None of one that is not ours. `translated` says one of
    MEANINGS in another language."""
    if word.startswith("elsewhere_"):
        family, site = REASONS["elsewhere_SITE"], word.removeprefix("elsewhere_")
        return replace(family, word=word, meaning=translated(family.meaning).replace("SITE", site))
    found = _FAMILY.fullmatch(word)
    if found is None:
        known = REASONS.get(word)
        return known and replace(known, meaning=translated(known.meaning))
    family, status = REASONS[f"{found['family']}NNN"], found["status"]
    meaning = _meaning_of_status(status) if family.word == "http_NNN" else None
    meaning = f"{translated(meaning)} (HTTP {status})" if meaning else translated(family.meaning).replace("NNN", status)
    return Reason(word=word, kind=family.kind, meaning=meaning, again=family.again)


def _meaning_of_status(status: str) -> str | None:
    return _STATUSES.get(status) or _HUNDREDS.get(status[0])


def is_refusal(word: str) -> bool:
    """Whether a page of which this is said is refused: not one that only has not answered yet."""
    known = reason(word)
    return known is not None and known.kind == "refusal"


def is_final(word: str) -> bool:
    """Whether no later answer can be another: nobody asks again."""
    known = reason(word)
    return known is not None and known.again == NEVER


def sentence(text: str, translated: Callable[[str], str] = str) -> str:
    """A reason for people, also behind an address: `a: http_404; b: timeout`. What holds no word of ours stays as it is."""
    return "; ".join(_said(part, translated) for part in text.split("; "))


def _said(part: str, translated: Callable[[str], str]) -> str:
    before, colon, word = part.rpartition(": ")
    if known := reason(word, translated):
        return f"{before}{colon}{known.meaning}"
    return part.replace("_", " ") if re.fullmatch("[a-z0-9_]+", part) else part
