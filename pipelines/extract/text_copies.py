"""Plain text copies of pages: a head to read, a body to keep, a tail to leave.

A copy has no markup: what a line is shows in its words, its length and where it stands. The body is the stretch with the
most prose; the head is what stands above it, down to the last line that cannot stand in an article.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from crawler.dates.moments import UNKNOWN, Habits, Moment, day_in_words, parse_moment
from pipelines.extract.boilerplate import (
    AGENCY_NAMES,
    ArticleContext,
    body_lines,
    is_byline,
    is_control,
    is_credit,
    is_date_line,
    is_label,
    is_noise,
    is_question,
    is_sentence,
    same_title,
)
from pipelines.extract.metadata.bylines import opened
from pipelines.extract.metadata.metadata import Metadata
from pipelines.extract.metadata.names import (
    BY,
    LABEL_WORDS,
    ROLE,
    SMALL_WORDS,
    is_full_name,
    is_no_person,
    looks_like_name,
    people,
)
from pipelines.extract.phrases import pattern, whole_words
from pipelines.extract.prune.asides import asides, end_of_article
from pipelines.extract.prune.unfolding import unfold, with_marks, without_markup
from pipelines.text import CJK_LETTER, PROSE_LENGTH, RUN, SENTENCE_END, clean, fold, is_prose, width

TAIL = 6
"""Lines below the text among which a signature is looked for."""


HEAD = 20
"""Lines among which title, byline and date are looked for; the deepest title in a labelled copy is the eleventh line."""


MIN_TITLE, MAX_TITLE = 28, 220
"""Width of a title; shorter lines above the text are sections and kickers far more often."""


MIN_REPEATED = 16
"""Width of a line that is the title because it stands there twice."""


MAX_DECK = 420
"""Width of a deck; a longer paragraph belongs to the article."""


DECK_LINES = 2


TITLE_IN_TEXT = 0.35
"""Share of a title's words that its article repeats; navigation and slogans above the text stay below."""


BREADCRUMB = re.compile(r"(?:\s(?:»|›|>|→|/|\|)\s.*){2}|^[\w.]+\s[»›>/]\s")


OUTLET = whole_words("outlets")


BIOGRAPHY = re.compile(
    r"((?:[^\W\d_][\w'’-]+ ){1,3}[^\W\d_][\w'’-]+) (?:\([^)]{1,12}\) )?(?:is|was|writes|covers|reports|ist|war|schreibt|est|es|è|é)\b"
)


CJK_NAME = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]{3,8}(?:[、・,][\u3040-\u30ff\u4e00-\u9fff]{3,8})*")


LABEL_LIKE = SMALL_WORDS | LABEL_WORDS
"""Words that make a short line below the text a label, however they are written."""


CREDITED = re.compile(rf"(?:^|[\s(/©,])((?:\bthe )?(?i:{pattern('agencies')}))(?=$|[\s)/,:-]|(?<=[a-z])[A-Z])")


COMPANION = re.compile(
    r"\s(?:mit|with|for|For|für)\s.*$|(?:(?<!\s)\s+|(?<!\d))\d++ ?[Mm]in.*$|(?<=[a-zß-ÿ])(?:The |Redakt|Report|Corresp|Edit|Journalist|Follow|Publish).*$"
)
"""What follows a name in its line: an agency, a reading time, or what stood in an element of its own."""


SEAM = re.compile(r"(?<=[a-zß-ÿ]{2})(?=[A-ZÀ-Þ][a-zß-ÿ])")


SENTENCE_INSIDE = re.compile(r"[^\W\d_]{3}[.!?…][\"'”’»)]*\s|。")


NOBODY = ArticleContext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A text copy, read."""

    metadata: Metadata
    lines: list[str]  #: the article's own, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the parts of a copy are, as numbers of its lines."""

    title: int | None
    begin: int  #: the first paragraph
    end: int  #: one past the last


def read_copy(text: str, timezone: str | None = None) -> Copy:
    """Title, authors, date and the article's lines of a plain text copy; times are of `timezone`."""
    raw = without_markup(text.splitlines())
    marked = with_marks(raw)
    lines = _clean_lines(unfold(marked))
    apart, entries = asides(lines), {clean(line) for line in set(marked).difference(raw)}
    layout = _layout(lines, apart=apart, last=end_of_article(lines))
    metadata = _metadata(lines, layout, Habits(timezone=timezone))
    context = ArticleContext(titles=(metadata.title,) if metadata.title else (), authors=metadata.authors)
    within = [lines[number] for number in range(layout.begin, layout.end) if number not in apart]
    body = [line.removeprefix("- ") if line in entries else line for line in body_lines(within, context)]
    return Copy(metadata=metadata, lines=body)


def read_head(lines: Iterable[str], said: Metadata, habits: Habits = UNKNOWN) -> Metadata:
    """What stands above and below the text of a page: its date, and, unless the page has said them, the authors.

    A page has menus, buttons and headings around its text, which a text copy has not: a bare name is nobody's, only who
    opens as a byline or stands in the date's line.
    """
    kept = _clean_lines(lines)
    layout = _layout(kept, fold(said.title or ""))
    head, tail = kept[: layout.begin], kept[max(layout.begin + 1, layout.end) : layout.end + TAIL]
    end = kept[max(layout.begin, layout.end - TAIL) : layout.end + TAIL]
    return Metadata(
        authors=said.authors
        or opened(head)
        or _in_date_line(head)
        or opened(end)
        or _introduced(tail)
        or _agency((*head, *tail)),
        published=_moment(kept, layout, habits),
    )


def _in_date_line(lines: Sequence[str]) -> tuple[str, ...]:
    """The people who stand in the date's line."""
    found = (_names(line) for line in lines if is_date_line(line))
    return next((tuple(names) for names in found if names and all(map(_is_somebody, names))), ())


def _is_somebody(name: str) -> bool:
    return is_full_name(name) and not is_no_person(name)


def _clean_lines(lines: Iterable[str]) -> list[str]:
    return [line for raw in lines if (line := clean(raw)) and not _is_menu(raw)]


def _layout(
    lines: Sequence[str], known: str = "", apart: Collection[int] = frozenset(), last: int | None = None
) -> Layout:
    """Where the parts are; `known` is the title, folded, where the page has said it, `apart` are asides, `last` ends the article."""
    weights = [0.0 if number in apart else _weight(line) for number, line in enumerate(lines[:last])]
    first, end = _prose_span(lines, weights)
    stated = (number for number, line in enumerate(lines[: first + 1]) if known and fold(line) == known)
    title = next(stated, None)
    title = _title_at(lines, first, end) if title is None else title
    begin = _body_at(lines, title, first, apart)
    if begin >= end:  # what closed the head stands below the text
        begin = max(first, 0 if title is None else title + 1)
    return Layout(title=title, begin=begin, end=max(begin, end))


def _metadata(lines: Sequence[str], layout: Layout, habits: Habits) -> Metadata:
    below = 0 if layout.title is None else layout.title + 1
    kicker, title = (None, None) if layout.title is None else _parted(lines, layout)
    head, tail = lines[below : layout.begin], lines[max(layout.begin + 1, layout.end) : layout.end + TAIL]
    moment = _moment(lines, layout, habits)
    authors = _authors(head, title) or _signed(tail) or _agency((*head, *tail))
    source = "page" if moment else "none"
    return Metadata(title=title, kicker=kicker, authors=authors, published=moment, published_source=source)


def _moment(lines: Sequence[str], layout: Layout, habits: Habits) -> Moment | None:
    """The day that stands below the title, else above it, in the dateline or below the text."""
    below = 0 if layout.title is None else layout.title + 1
    return (
        _day(lines[below : layout.begin], habits)
        or _day(lines[: max(0, below - 1)], habits)
        or _dateline(lines[layout.begin : layout.begin + 1])
        or _day(lines[max(layout.begin + 1, layout.end) : layout.end + TAIL], habits)
    )


def _is_menu(raw: str) -> bool:
    """`Back to top    Go to home page`: buttons side by side."""
    entries = re.split(r"\s{2,}|\t|\s[|·•]\s", raw.strip())
    return len(entries) > 1 and all(is_control(entry) or is_label(entry) for entry in entries)


def _prose_span(lines: Sequence[str], weights: Sequence[float]) -> tuple[int, int]:
    """The stretch of lines with the most prose for its interruptions: where the article is, from its deck to its end."""
    best, begin, span, total = 0.0, 0, (0, len(weights)), 0.0
    for number, weight in enumerate(weights):
        if total <= 0:
            begin, total = number, 0.0
        total += weight
        if total > best:
            best, span = total, (begin, number + 1)
    begin, end = span
    return begin, end + (end < len(lines) and _is_last_sentence(lines[end]))


def _is_last_sentence(line: str) -> bool:
    """Whether a line too short for prose, or one with somebody's initials behind it, ends the text."""
    if is_noise(line) or is_date_line(line) or is_credit(line) or is_question(line):
        return False
    return is_sentence(line) or (width(line) >= PROSE_LENGTH and SENTENCE_INSIDE.search(line) is not None)


def _weight(line: str) -> float:
    """What a line adds to a stretch of prose; its interruptions cost."""
    if is_noise(line):
        return -1.5 if is_label(line) else -0.3
    if is_prose(line):
        return min(width(line), 300) / 100
    if is_date_line(line) or is_credit(line):
        return -1.0
    return 0.0 if line.endswith((".", "”", '"', "。", "!")) else -0.5


# ------------------------------------------------------------------------------------------------------------- title
def _title_at(lines: Sequence[str], first: int, end: int) -> int | None:
    """The line that is the title: one that the text bears out or that is said twice, else the first long enough."""
    above = [number for number, line in enumerate(lines[: min(first + DECK_LINES, HEAD)]) if _may_be_title(line)]
    above = [
        number
        for number in above
        if not any(is_prose(line) for line in lines[first:number]) and not _is_kicker(lines, number)
    ]
    spoken = _terms(" ".join(lines[first + 1 : end]))
    long = [number for number in above if width(lines[number]) >= MIN_TITLE]
    repeated = [number for number in above if width(lines[number]) >= MIN_REPEATED and _is_repeated(lines, number)]
    borne_out = [number for number in (*repeated, *long) if _share(_terms(lines[number]), spoken) >= TITLE_IN_TEXT]
    return next(iter((*borne_out, *repeated, *long)), None)


def _may_be_title(line: str) -> bool:
    if (
        is_noise(line)
        or is_date_line(line)
        or is_credit(line)
        or is_byline(line, NOBODY)
        or width(line) > MAX_TITLE
        or BREADCRUMB.search(line)
    ):
        return False
    return (len(line.split()) > 2 or bool(CJK_LETTER.search(line))) and not line.endswith((".", "。", ",", ":"))


def _is_kicker(lines: Sequence[str], number: int) -> bool:
    """Whether a line in capitals stands above a longer one that may be the title."""
    return lines[number].isupper() and any(
        _may_be_title(line) and not line.isupper() and width(line) > width(lines[number])
        for line in lines[number + 1 : number + 2]
    )


def _terms(text: str) -> set[str]:
    """The words that carry meaning: longer ones, and pairs of Han, Kana or Hangul characters."""
    folded = fold(text)
    pairs = {
        folded[at : at + 2]
        for at in range(len(folded) - 1)
        if CJK_LETTER.match(folded[at]) and CJK_LETTER.match(folded[at + 1])
    }
    return pairs | {word[:6] for word in folded.split() if len(word) > 3 and not CJK_LETTER.search(word)}


def _share(some: set[str], of: set[str]) -> float:
    return len(some & of) / len(some) if some else 0.0


def _is_repeated(lines: Sequence[str], number: int) -> bool:
    """Whether a line stands twice in the head, or again at the very end, if only at the end of a breadcrumb."""
    title, size = fold(lines[number]), len(lines)
    others = [fold(lines[other]) for other in {*range(min(HEAD, size)), *range(max(0, size - 3), size)} - {number}]
    return any(other == title or (other.endswith(title) and len(other) < 2 * len(title) + 40) for other in others)


def _parted(lines: Sequence[str], layout: Layout) -> tuple[str | None, str]:
    """Kicker and title, where a copy has run them together: `On the quayCrane falls over`, a word which the text has not."""
    title = re.split(r"\s[»›]\s", lines[layout.title or 0])[-1]
    told = set(RUN.findall(" ".join(lines[layout.begin : layout.end])))
    for seam in SEAM.finditer(title):
        kicker, rest = title[: seam.start()], title[seam.start() :]
        (last, first), size = (RUN.findall(kicker)[-1], RUN.findall(rest)[0]), width(rest)
        if size >= MIN_TITLE and first in told and last + first not in told:
            return kicker, rest
    return None, title


# -------------------------------------------------------------------------------------------------- where the head ends
def _body_at(lines: Sequence[str], title: int | None, first: int, apart: Collection[int]) -> int:
    """The first paragraph: below the title, the deck and the last line of the head."""
    below = 0 if title is None else title + 1
    above = lines[below - 1 : below]
    closed = list[int]()
    for number in range(below, _head_end(lines, below)):
        paragraphs = sum(map(_is_paragraph, lines[closed[-1] : number])) if closed else 0
        stands_anywhere = (paragraphs >= DECK_LINES and is_control(lines[number])) or (
            paragraphs > 0 and {number, number - 1} <= set(apart)
        )
        if _closes_head(lines[number], above) and not stands_anywhere:
            closed.append(number + 1)
    if not closed:
        return max(first, below)
    return next(
        (number for number in range(closed[-1], len(lines)) if SENTENCE_END.search(lines[number]) or number >= first),
        closed[-1],
    )


def _is_paragraph(line: str) -> bool:
    return is_prose(line) and not line.startswith("- ")


def _head_end(lines: Sequence[str], below: int) -> int:
    """How far a head can reach: to the first paragraph that is too long, or one too many, for a deck."""
    prose, last = 0, min(below + HEAD, len(lines))
    for number in range(below, last):
        prose += is_prose(lines[number])
        if prose > DECK_LINES or width(lines[number]) > MAX_DECK:
            return number
    return last


def _closes_head(line: str, title: Sequence[str]) -> bool:
    """Whether no paragraph of the article can have stood above this line."""
    if any(same_title(line, one) for one in title) or is_date_line(line) or is_control(line) or is_byline(line, NOBODY):
        return True
    return (not is_prose(line) and is_credit(line)) or bool(_names(line))


# -------------------------------------------------------------------------------------------------- byline and date
def _authors(head: Sequence[str], title: str | None) -> tuple[str, ...]:
    """A line that begins like a byline, else the first that is nothing but names."""
    for line in filter(BY.match, head):
        if re.fullmatch(r"[^\W\d_]{3,20}", name := BY.sub("", line)) and name[0].isupper():
            return (name,)
    for line in (*(line for line in head if is_byline(line, NOBODY)), *head):
        if not (title and same_title(line, title)) and (names := _names(line)):
            return tuple(names)
    return ()


def _introduced(tail: Sequence[str]) -> tuple[str, ...]:
    """Whom a line below the text introduces: the subject of a biography, or a bare name in a script without capitals."""
    bare = tail[0] if tail and CJK_NAME.fullmatch(tail[0]) and not is_noise(tail[0]) else ""
    return tuple(re.split("[、・,]", bare)) if bare else next(filter(None, map(_subject, tail)), ())


def _subject(line: str) -> tuple[str, ...]:
    """Whom a biography is about: `Ann Lee is the harbour correspondent.`"""
    about = BIOGRAPHY.match(line)
    return tuple(_names(about[1])) if about and ROLE.search(line) else ()


def _signed(tail: Sequence[str]) -> tuple[str, ...]:
    """Who stands below the text: a bare name at its end, or the subject of a biography."""
    for number, line in enumerate(tail):
        may_be_bare = number < 2 and len(line) < 40 and not set(fold(line).split()) & LABEL_LIKE and not line.isupper()
        if people := _introduced([line]) if number == 0 else _subject(line):
            return people
        if (BY.match(line) or may_be_bare) and (names := _names(line)):
            return tuple(names)
    return ()


def _agency(lines: Iterable[str]) -> tuple[str, ...]:
    """The agency which a short line of the head or tail credits."""
    credited = [
        found[1]
        for line in lines
        if width(line) < 80 and "©" not in line and not is_prose(line) and (found := CREDITED.search(line))
    ]
    return tuple(name for name in credited if len(name) > 2 or name.isupper())[:1]


def _names(line: str) -> list[str]:
    """The people a head line consists of."""
    if len(line) > 120 or is_prose(line) or is_noise(line) or is_credit(line):
        return []
    parts = re.split(r"\s[·•|]\s?", line.lstrip("/•·–- "))
    if not any(letter.isupper() for letter in line) and not BY.match(line) and not any(map(is_date_line, parts[1:])):
        return []  # scripts without capitals: only what stands beside a date or calls itself a byline
    return [
        name for part in parts if not is_date_line(part) for name in people(COMPANION.sub("", part)) if _is_name(name)
    ]


def _is_name(name: str) -> bool:
    words = name.split()
    if fold(name) in AGENCY_NAMES:
        return True
    if ROLE.search(name):
        return False
    if (
        not 2 <= len(words) <= 5
        or not looks_like_name(name)
        or OUTLET.search(name)
        or (name.isupper() and len(words) > 2)
    ):
        return False
    return not any(word[:1].islower() for word in words if len(word) > 3) and not words[0][:1].islower()


def _day(lines: Iterable[str], habits: Habits) -> Moment | None:
    return next((moment for line in lines if is_date_line(line) and (moment := parse_moment(line, habits))), None)


def _dateline(lines: Sequence[str]) -> Moment | None:
    """The day with which an agency's first paragraph opens."""
    for line in lines:
        if value := day_in_words(line[:40]):
            return Moment(value=value, raw=line[:40])
    return None
