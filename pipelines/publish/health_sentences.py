"""How a source is doing, for its readers: the word and the reason that health_rules.py gave -> a word and whole sentences.

A reason is parts between semicolons, each of one of FORMS; a part of another hand is shown as it stands, as English. test_health_sentences.py
has every form that the rules know.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Literal

from babel.dates import format_timedelta
from markupsafe import Markup, escape

from crawler.reasons import REASONS, sentence
from pipelines.publish import translation
from pipelines.publish.archive_words import meaning
from pipelines.publish.formatting import day, instant, number
from pipelines.publish.sources import NOT_ASKED
from pipelines.publish.translation import gettext, ngettext, pgettext


def word(status: str) -> str:
    """The health of a source in one word."""
    words = {
        "broken": pgettext("health", "broken"),
        "blocked": pgettext("health", "blocked"),
        "changed": pgettext("health", "changed"),
        "quiet": pgettext("health", "quiet"),
        "empty": pgettext("health", "empty"),
        "new": pgettext("health", "new"),
        "ok": pgettext("health", "well"),
        "off": pgettext("health", "off"),
    }
    return words.get(status, status)


def explanation(status: str, reason: str | None) -> str:
    """Why that is said of a source, and what else is worth knowing of it, in sentences; empty of one that is well and no more."""
    sentences = [gettext("It has not been read yet.")] if status == "new" else []
    if reason:
        sentences += [_sentence(part, status) for part in _parts(reason)]
    return " ".join(sentences)


def kind(of: str) -> str:
    """What a listing is: `RSS feed` for `rss`."""
    words = {
        "rss": gettext("RSS feed"),
        "atom": gettext("Atom feed"),
        "json": gettext("JSON feed"),
        "news_sitemap": gettext("news sitemap"),
        "sitemap": gettext("sitemap"),
        "homepage": gettext("front page"),
    }
    return words.get(of, of)


def run(status: str) -> str:
    """How a run ended, in a word or two."""
    words = {
        "ok": pgettext("run", "complete"),
        "partial": pgettext("run", "in part"),
        "failed": pgettext("run", "failed"),
        "killed": pgettext("run", "broken off"),
        "running": pgettext("run", "under way"),
    }
    return words.get(status, status)


def poll(last_status: str | None) -> str:
    """How a listing did when it was last asked, out of `feeds.last_status`, in a sentence."""
    if last_status is None:
        return gettext("It was never asked yet.")
    if last_status == "ok":
        return gettext("It was read.")
    if last_status == "unchanged":
        return gettext("It was read: nothing has changed since the time before.")
    if last_status in NOT_ASKED:
        return gettext("It is not asked: %(why)s.") % {"why": _why(sentence(last_status))}
    return gettext("It cannot be read: %(why)s.") % {"why": _why(sentence(last_status))}


def as_html(sentences: str) -> Markup:
    """What stands between backticks is code; an address runs from left to right in every script, and so does what stayed English."""
    coded = re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(sentences)))
    marked = re.sub(f"{_ISOLATE}([^{_ISOLATE}{_POP}]*+){_POP}", rf"<span {translation.IN_ENGLISH}>\1</span>", coded)
    return Markup(re.sub(r"https?://[^\s<]+[^\s<.,:;]", r'<bdi dir="ltr">\g<0></bdi>', marked))


_ISOLATE, _POP = "\u2066", "\u2069"
"""What stands around English within a text of another language, also where it has no markup: Unicode's own marks (UAX 9)."""


def _as_english(text: str) -> str:
    if translation.tag() == "en":
        return text
    return f"{_ISOLATE}{re.sub(f'[{_ISOLATE}{_POP}]', '', text)}{_POP}"


_WITHIN = [text.meaning for text in REASONS.values() if "; " in text.meaning]
"""What words mean that hold a semicolon of their own."""


def _parts(reason: str) -> Iterator[str]:
    for within in _WITHIN:
        reason = reason.replace(within, within.replace("; ", "\0"))
    return (part.replace("\0", "; ") for part in reason.split("; ") if part)


def _sentence(part: str, status: str) -> str:
    for pattern, said in FORMS:
        if found := pattern.fullmatch(part):
            return said({**found.groupdict(), "status": status})
    return _as_english(part if part.endswith((".", "?", "!")) else f"{part[:1].upper()}{part[1:]}.")


Found = dict[str, str]
"""What stands in a part of a reason, by the names of its pattern; and the `status`."""


def _silence(found: Found) -> str:
    said = gettext("Nothing new for %(span)s.") % {"span": _span(found["span"])}
    last = gettext("Its last article came on %(day)s.") % {"day": day(found["day"])} if found["day"] else ""
    return f"{said} {last}".rstrip()


def _longest(found: Found) -> str:
    return gettext("Its longest silence before was %(span)s.") % {"span": _span(found["span"])}


def _change(found: Found) -> str:
    """What is wrong with its last pages that was not before."""
    sentences = {
        "no article": gettext("%(some)s of its last %(of)s pages are no articles."),
        "no title": gettext("%(some)s of its last %(of)s articles have no title."),
        "no date": gettext("%(some)s of its last %(of)s articles have no date."),
        "no author": gettext("%(some)s of its last %(of)s articles have no author."),
        "under half the usual length": gettext("%(some)s of its last %(of)s articles are under half as long as usual."),
    }
    return sentences[found["what"]] % _counted(found)


def _change_before(found: Found) -> str:
    return gettext("Before that it was %(some)s of %(of)s.") % _counted(found)


def _pages(found: Found) -> str:
    """What most of its last pages have come to."""
    if found["status"] in ("broken", "blocked"):
        said = gettext("%(some)s of its last %(of)s pages could not be read: %(why)s.")
    else:
        said = gettext("%(some)s of its last %(of)s pages are no articles: %(why)s.")
    return said % (_counted(found) | {"why": _why(found["why"])})


def _first_pages(found: Found) -> str:
    said = ngettext(
        "Its only page so far is no article: %(why)s.",
        "%(some)s of its %(of)s pages so far are no articles: %(why)s.",
        _whole(found["of"]),
    )
    return said % (_counted(found) | {"why": _why(found["why"])})


def _no_page(found: Found) -> str:
    looks = _whole(found["looks"])
    said = ngettext("No page was named there in one look.", "No page was named there in %(looks)s looks.", looks)
    return said % {"looks": _number(found["looks"])}


def _moved(found: Found) -> str:
    return gettext("%(url)s has moved for good to %(to)s: write the new address into sources.toml.") % found


def _moved_nearby(found: Found) -> str:
    return gettext("%(url)s redirects for good to %(to)s.") % found


def _left_out(found: Found) -> str:
    said = gettext(
        "The sitemap %(url)s names more than a look takes: %(number)s of its addresses without a date were left out as likely old."
    )
    return said % {"url": found["url"], "number": _number(found["number"])}


def _missed(found: Found) -> str:
    said = gettext("It may have published more than its feeds keep, last on %(day)s: look more often.")
    return said % {"day": day(found["day"])}


def _relinked(found: Found) -> str:
    said = gettext(
        "The links of its feed change with every look although its entries do not, last on %(day)s: name another feed in sources.toml."
    )
    return said % {"day": day(found["day"])}


def _left_alone(found: Found) -> str:
    said = gettext("Not all of it was asked for in the last run: %(why)s.")
    return said % {"why": _why(found["why"])}


def _looks(found: Found) -> str:
    looks = _whole(found["looks"])
    return ngettext("It was tried once.", "It was tried %(looks)s times in a row.", looks) % {
        "looks": _number(found["looks"])
    }


def _nothing_to_poll(found: Found) -> str:
    """A discovery in vain: the parts that follow have the other addresses."""
    said = gettext("No feed, no sitemap and no front page that names articles was found at %(url)s.") % found
    return f"{said} {_sentence(found['first'], found['status'])}"


def _unread(found: Found) -> str:
    said = gettext("%(url)s cannot be read: %(why)s.") % {"url": found["url"], "why": _why(found["why"])}
    if found["to"]:
        moved = gettext("%(url)s has moved for good to %(to)s, and cannot be read there: %(why)s.")
        said = moved % {"url": found["url"], "to": found["to"], "why": _why(found["why"])}
    if not found["others"]:
        return said
    others = _whole(found["others"])
    more = ngettext("Nor can one more of its addresses.", "Nor can %(others)s more of its addresses.", others)
    return f"{said} {more % {'others': _number(found['others'])}}"


FORMS: tuple[tuple[re.Pattern[str], Callable[[Found], str]], ...] = tuple(
    (re.compile(f"^(?:{pattern})$"), said)
    for pattern, said in (
        ("not in sources.toml", lambda _: gettext("It is not in sources.toml any more, so nobody looks at it.")),
        ("enabled = false in sources.toml", lambda _: gettext("It is switched off in sources.toml, so nobody looks at it.")),
        (
            "only imported or listed, not in sources.toml",
            lambda _: gettext("Its pages were imported or named one by one: it is not in sources.toml, so nobody looks at it."),
        ),
        ("no article among them", lambda _: gettext("There is no article among them.")),
        ("of sitemaps only what `since` lets through counts", lambda _: gettext("Of sitemaps only what `since` in sources.toml lets through counts.")),
        (r"nothing new for (?P<span>\d+ \w+)(?:, the last on (?P<day>\S+))?", _silence),
        (r"its longest silence before was (?P<span>\d+ \w+)", _longest),
        (r"(?P<what>no article|no title|no date|no author|under half the usual length) in (?P<some>\d+) of the last (?P<of>\d+) (?:pages|articles)", _change),
        (r"before that in (?P<some>\d+) of (?P<of>\d+)", _change_before),
        (r"(?P<some>\d+) of the last (?P<of>\d+) pages: (?P<why>.+)", _pages),
        (r"(?P<some>\d+) of (?P<of>\d+) pages?: (?P<why>.+)", _first_pages),
        (r"no page is named there, in (?P<looks>\d+) looks", _no_page),
        (r"(?P<url>\S+) has moved for good to (?P<to>\S+): put that into sources\.toml", _moved),
        (r"(?P<url>\S+) redirects for good to (?P<to>\S+)", _moved_nearby),
        (r"(?P<url>\S+): (?P<number>[\d,]+) addresses without a date were left out as likely old", _left_out),
        (r"may have published more than its feeds keep, on (?P<day>\S+): look more often", _missed),
        (r"its links change with every look although its entries do not, last on (?P<day>\S+): name another feed", _relinked),
        (r"waits: (?P<why>.+)", _left_alone),
        (r"(?P<looks>\d+) looks? in a row", _looks),
        (r"(?P<url>\S+): nothing to poll: (?P<first>.+)", _nothing_to_poll),
        (r"(?P<url>\S+)(?: \(moved for good to (?P<to>\S+)\))?: (?P<why>.+?)(?:, and (?P<others>\d+) more)?", _unread),
    )
)  # fmt: skip
"""Every form of a part, the narrow ones first -> its sentence."""


def _why(reason: str) -> str:
    """A reason behind a colon, without its full stop."""
    if found := re.fullmatch(r"redirects to (?P<to>\S+): (?P<why>.+)", reason):
        return gettext("it redirects to %(to)s: %(why)s") % {"to": found["to"], "why": _why(found["why"])}
    if found := re.fullmatch(r"(?P<host>\S+) wants to be left alone until (?P<until>\S+)", reason):
        return gettext("%(host)s asks to be left alone until %(until)s") % {
            "host": found["host"],
            "until": _moment(found["until"]),
        }
    if found := re.fullmatch(r"the budget of (?P<host>\S+) for one run, (?P<number>[\d,]+) requests, is spent", reason):
        said = gettext("the %(number)s requests that a run may send to %(host)s are spent")
        return said % {"host": found["host"], "number": _number(found["number"])}
    return (meaning(reason) or _as_english(reason.removesuffix("."))).removesuffix(".")


# Numbers and times


def _counted(found: Found) -> Found:
    return {name: _number(found[name]) for name in ("some", "of")}


def _whole(number: str) -> int:
    return int(number.replace(",", ""))


def _number(said: str) -> str:
    return number(_whole(said))


def _span(said: str) -> str:
    """A length of time, as silence.span() says it: `5 days`. Not by babel's format_unit, which has no days of Arabic (2.18)."""
    count, unit = said.split()
    days = unit.startswith("day")
    length = timedelta(days=int(count)) if days else timedelta(hours=int(count))
    granularity: Literal["day", "hour"] = "day" if days else "hour"
    return format_timedelta(length, granularity=granularity, threshold=_NO_LARGER_UNIT, locale=translation.reader())


_NO_LARGER_UNIT = 1_000_000
"""Of a unit that babel says before it takes the next larger one."""


def _moment(stamp: str) -> str:
    """A time to the minute: `21 November 2026, 08:15 UTC`; what is none as it stands."""
    return f"{day(stamp)}, {stamp[11:16]} UTC" if instant(stamp) else stamp
