"""What the archive holds as English words and sentences, said in the reader's language: why a page came to nothing, and how late an
article was seen. `health_sentences` says how a source is doing.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from crawler.reasons import MEANINGS
from pipelines.publish.translation import gettext


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
