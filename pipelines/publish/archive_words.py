"""What the archive holds as English words and sentences, said in the reader's language: how a source is doing, and why; what a run came
to; how late an article was seen.

`sources.reason` is a finished sentence, made by archive/health_rules.py. Each is known again by the sentence that it was made of.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from babel.units import format_unit
from markupsafe import Markup, escape

from crawler.reasons import MEANINGS
from pipelines.publish.formatting import day, number
from pipelines.publish.translation import gettext, pgettext, reader

N_ = str
"""Marks a message for translators that is looked up elsewhere, as gettext's manual has it."""


def health(word: str) -> str:
    """The word for how a source is doing."""
    return {
        "new": pgettext("health", "new"),
        "ok": pgettext("health", "ok"),
        "quiet": pgettext("health", "quiet"),
        "empty": pgettext("health", "empty"),
        "broken": pgettext("health", "broken"),
        "changed": pgettext("health", "changed"),
        "blocked": pgettext("health", "blocked"),
        "off": pgettext("health", "off"),
    }.get(word, word)


def run(word: str) -> str:
    """The word for what became of a run."""
    return {
        "running": pgettext("run", "running"),
        "ok": pgettext("run", "ok"),
        "partial": pgettext("run", "partial"),
        "failed": pgettext("run", "failed"),
        "killed": pgettext("run", "killed"),
    }.get(word, word)


def lateness(words: str) -> str:
    """A line of queries.LATE."""
    return {
        "under an hour": gettext("under an hour"),
        "1 to 3 hours": gettext("1 to 3 hours"),
        "3 to 6 hours": gettext("3 to 6 hours"),
        "6 to 12 hours": gettext("6 to 12 hours"),
        "12 to 24 hours": gettext("12 to 24 hours"),
        "over a day": gettext("over a day"),
    }.get(words, words)


# Why a source is doing as it does

_MOVED = N_("%(url)s (moved for good to %(to)s)")

_SENTENCES = (
    N_("%(place)s: %(why)s"),
    N_("%(place)s: %(why)s, and %(more)s more"),
    N_("%(count)s looks in a row"),
    N_("%(count)s of the last %(all)s pages: %(why)s"),
    N_("%(count)s of %(all)s pages: %(why)s"),
    N_("1 of 1 page: %(why)s"),
    N_("no article among them"),
    N_("no page is named there, in %(count)s looks; of sitemaps only what `since` lets through counts"),
    N_("no article in %(count)s of the last %(all)s pages; before that in %(then)s of %(before)s"),
    N_("no title in %(count)s of the last %(all)s articles; before that in %(then)s of %(before)s"),
    N_("no date in %(count)s of the last %(all)s articles; before that in %(then)s of %(before)s"),
    N_("no author in %(count)s of the last %(all)s articles; before that in %(then)s of %(before)s"),
    N_("under half the usual length in %(count)s of the last %(all)s articles; before that in %(then)s of %(before)s"),
    N_("nothing new for %(span)s; its longest silence before was %(longest)s"),
    N_("nothing new for %(span)s, the last on %(day)s; its longest silence before was %(longest)s"),
    N_("%(url)s redirects for good to %(to)s"),
    N_("%(url)s has moved for good to %(to)s: put that into sources.toml"),
    N_("may have published more than its feeds keep, on %(day)s: look more often"),
    N_("%(url)s: %(count)s addresses without a date were left out as likely old"),
    N_("its links change with every look although its entries do not, last on %(day)s: name another feed"),
    N_("not in sources.toml"),
    N_("enabled = false in sources.toml"),
)

_NUMBER, _SPAN = r"[\d,]+", r"\d+ (?:days|hours|minutes)"

_KINDS = {
    "place": r"\S+(?: \(moved for good to \S+\))?", "why": ".+", "url": r"\S+", "to": r"\S+", "day": r"\d{4}-\d{2}-\d{2}",
    "span": _SPAN, "longest": _SPAN, "count": _NUMBER, "all": _NUMBER, "then": _NUMBER, "before": _NUMBER, "more": _NUMBER,
}  # fmt: skip


def health_reason(said: str) -> Markup:
    """Why a source is doing as it does. What is none of our sentences stays in English, and says so."""
    if reader().language == "en":
        return escape(said)
    return escape(gettext("; ")).join(_translated(said.split("; ")))


def _translated(parts: list[str]) -> Iterator[Markup]:
    """A reason in its sentences, of which some have a semicolon themselves: the longest that is known comes first."""
    while parts:
        for length in range(len(parts), 0, -1):
            sentence = _sentence("; ".join(parts[:length]))
            if sentence is not None:
                yield sentence
                break
        else:
            length = 1
            yield Markup('<span lang="en" dir="ltr">{}</span>').format(parts[0])
        parts = parts[length:]


def _sentence(said: str) -> Markup | None:
    for message, pattern in _patterns():
        found = pattern.fullmatch(said)
        values = found and {name: _value(name, value) for name, value in found.groupdict().items()}
        if values is not None and None not in values.values():
            return escape(gettext(message)) % values
    return None


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """A message, and what is made of it."""
    return [(message, _pattern(message)) for message in _SENTENCES]


def _pattern(message: str) -> re.Pattern[str]:
    pieces = re.split(r"%\((\w+)\)s", message)
    named = (f"(?P<{piece}>{_KINDS[piece]})" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))
    return re.compile("".join(named))


def _value(name: str, value: str) -> Any:
    """A part of a sentence in the reader's language; None where that is not known."""
    if name == "why":
        return meaning(value)
    if name == "day":
        return day(value)
    if _KINDS[name] == _NUMBER:
        return number(int(value.replace(",", "")))
    if _KINDS[name] == _SPAN:
        count, unit = value.split(" ")
        return format_unit(int(count), f"duration-{unit[:-1]}", locale=reader())
    moved = _pattern(_MOVED).fullmatch(value)
    return _address(**moved.groupdict()) if moved else _address(value)


def _address(url: str, to: str | None = None) -> Markup:
    named = Markup('<bdi dir="ltr">{}</bdi>').format(url)
    return escape(gettext(_MOVED)) % {"url": named, "to": _address(to)} if to else named


def meaning(said: str) -> str | None:
    """One of the finished sentences of crawler/reasons.py in the reader's language; None of any other."""
    for message in MEANINGS:
        if said == message:
            return gettext(message)
    for message, pattern in _open_meanings():
        if found := pattern.fullmatch(said):
            return gettext(message).replace("NNN", found[1]).replace("SITE", found[1])
    status = re.fullmatch(r"(.+) (\(HTTP \d{3}\))", said)
    known = status and meaning(status[1])
    return f"{known} {status[2]}" if status and known else None


@cache
def _open_meanings() -> list[tuple[str, re.Pattern[str]]]:
    """Those that have a status or a site in them."""
    opened = (one for one in MEANINGS if "NNN" in one or "SITE" in one)
    return [
        (one, re.compile(re.sub("NNN|SITE", r"(\\S+)", re.escape(one), count=1).replace("SITE", r"\1")))
        for one in opened
    ]


def extract_meanings(*_: Any, **__: Any) -> Iterator[tuple[int, None, str, list[str]]]:
    """The sentences of crawler/reasons.py for `pybabel extract`, which would not see what they are made of."""
    for said in dict.fromkeys(MEANINGS):
        yield 1, None, said, []
