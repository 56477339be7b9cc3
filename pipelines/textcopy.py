"""Plain text copies of pages: a head to read, a body to keep, a tail to leave.

A copy has no markup; what a line is shows in its words, its length and where it stands. Head means everything down to the
first paragraph: navigation, breadcrumb, section, title, deck, byline, date.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.boilerplate import About, body_lines, fold, is_byline, is_control, is_credit, is_date_line, is_label, is_prose, is_promotion, same_title
from pipelines.metadata import Metadata, Moment, clean, day_in_words, looks_like_name, people

HEAD = 20
"""Lines among which title, byline and date are looked for; the deepest labelled title is the eleventh."""
MIN_TITLE, MAX_TITLE = 28, 220
"""Characters of a title; shorter lines above the text are sections and kickers far more often."""
MAX_DECK = 420
BREADCRUMB = re.compile(r"\s*(?:»|›|>|→|/|\|)\s*")
ABOUT_NOBODY = About()


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A text copy, read."""

    metadata: Metadata
    lines: list[str]  #: the article's own, in order


def read_copy(text: str) -> Copy:
    """Title, authors, day and the article's lines of a plain text copy."""
    lines = [line for raw in text.splitlines() if (line := clean(raw)) and not _is_menu(raw)]
    where = _title_at(lines)
    title = lines[where] if where is not None else None
    begin = _body_at(lines, where)
    head = lines[where + 1 : begin] if where is not None else lines[:begin]
    moment = _day(head) or _day(lines[: where or 0]) or _dateline(lines[begin : begin + 1])
    metadata = Metadata(title=title, authors=_authors(head), published=moment, published_source="page" if moment else "none")
    about = About(titles=(title,) if title else (), authors=metadata.authors)
    return Copy(metadata=metadata, lines=body_lines(lines[begin:], about))


def _is_menu(raw: str) -> bool:
    """`Back to top    Go to home page`: buttons side by side."""
    entries = re.split(r"\s{2,}|\t|\s[|·•]\s", raw.strip())
    return len(entries) > 1 and all(is_control(entry) or is_label(entry) for entry in entries)


def _title_at(lines: Sequence[str]) -> int | None:
    """The line that is the title: one said twice, else the first long enough above the text."""
    above = list(_above_text(lines))
    repeated = [number for number in above if _is_repeated(lines, number)]
    for number in repeated or above:
        if len(lines[number]) >= (12 if repeated else MIN_TITLE):
            return number
    return None


def _above_text(lines: Sequence[str]) -> Iterable[int]:
    for number, line in enumerate(lines[:HEAD]):
        if is_control(line) or is_label(line) or is_promotion(line) or is_date_line(line) or is_credit(line) or is_byline(line, ABOUT_NOBODY):
            continue
        if len(line) > MAX_TITLE:
            return
        if len(line.split()) > 1 and not (is_prose(line) and line.endswith((".", "。"))):
            yield number


def _is_repeated(lines: Sequence[str], number: int) -> bool:
    title = fold(lines[number])
    others = [fold(line) for other, line in enumerate([*lines[:HEAD], *lines[-3:]]) if other != number]
    return len(title) > 11 and any(other == title or (other.endswith(title) and len(other) < 2 * len(title) + 40) for other in others)


def _body_at(lines: Sequence[str], title: int | None) -> int:
    """The first paragraph: below title, deck and the last line of the head."""
    begin = 0 if title is None else title + 1
    for number in range(begin, min(begin + 10, len(lines))):
        line = lines[number]
        if title is not None and same_title(line, lines[title]):
            begin = number + 1
        elif len(line) > MAX_DECK:
            break
        elif is_date_line(line) or is_control(line) or is_byline(line, ABOUT_NOBODY) or is_label(line) or (not is_prose(line) and is_credit(line)) or _names(line):
            begin = number + 1
    while begin < len(lines) - 1 and len(lines[begin]) < 40 and not is_prose(lines[begin]):
        begin += 1
    return begin


def _names(line: str) -> list[str]:
    """The people a head line consists of."""
    if len(line) > 120 or is_prose(line):
        return []
    names = [name for name in people(line) if looks_like_name(name)]
    return [name for name in names if 2 <= len(name.split()) <= 5 and all(word[:1].isupper() for word in name.split() if len(word) > 3)]


def _authors(head: Iterable[str]) -> tuple[str, ...]:
    for line in head:
        if not is_date_line(line) and not is_control(line) and (names := _names(line)):
            return tuple(names)
    return ()


def _day(lines: Iterable[str]) -> Moment | None:
    for line in lines:
        if is_date_line(line) and (value := day_in_words(line)):
            return Moment(value=value, raw=line)
    return None


def _dateline(lines: Sequence[str]) -> Moment | None:
    """The day with which an agency's first paragraph opens."""
    for line in lines:
        if value := day_in_words(line[:40]):
            return Moment(value=value, raw=line[:40])
    return None
