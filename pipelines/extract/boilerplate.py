"""The lines of a page that are not its article: one set of tests for HTML bodies and for plain text copies.

Every test names a cause (a label, a promotion, a credit line), never a site. The words are in phrases.toml, by language;
here is how long, how linked and where a line must be to be judged by them.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from crawler.dates.moments import day_in_words
from crawler.dates.months import MONTH_NUMBER, month_key
from pipelines.extract.metadata.names import ROLE, SMALL_WORDS
from pipelines.extract.phrases import Mentions, Openings, phrases, spelled
from pipelines.text import CJK, PROSE_LENGTH, SENTENCE_END, fold, is_prose, line_key

MAX_PROMOTION = 320
"""Characters up to which a line may be a promotion: the longest labelled one has 290."""


MAX_LABEL, MAX_CONTROL, MAX_TEASER_LINK, MAX_LINKED_TEASER_LINK, MAX_CREDIT = 100, 80, 160, 260, 500
"""Characters under which a line may be one: patterns end openly (`.{0,60}`), a paragraph must not begin like a label."""


NOT_WORDS = r"^[\W_]+"


LABEL = Openings("labels", skip=NOT_WORDS, after=r"[\s:：.…>»→\-–|]*$")


LABEL_BEFORE = Openings("labels", skip=NOT_WORDS, after=r"\s*[:：>»|\-–—]\s*\S")


CONTROL = Openings("controls", "reading_times", skip=NOT_WORDS, after=r"[^\w?？]*$")


APPEAL = Openings("appeals", skip=NOT_WORDS)


PROMOTION = Mentions("promotions")


CREDIT = Openings("credits", skip=r"^[\s\-–—•(\[]+", after=r"(?:(?<![\s.)\]|])[\s.)\]|]+)?$")


BYLINE = Openings("bylines", after=r"\s*[:：]?\s+[^.!?]{2,90}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleContext:
    """What is known of the article before its lines are judged."""

    titles: tuple[str, ...] = ()  #: the title and its rivals (h1, og:title, headline, window title)
    authors: tuple[str, ...] = ()
    link_share: Mapping[str, float] = field(
        default_factory=dict
    )  #: line_key() of a line -> share of it that is link text
    decks: Collection[str] = ()  #: keys of the lines which the page's markup sets apart from the body

    def share(self, line: str) -> float:
        """How much of a line is link text."""
        return self.link_share.get(line_key(line), 0.0)


def is_label(line: str) -> bool:
    """`Read more`, `Auch interessant:`: it announces what is not the article."""
    return len(line) < MAX_LABEL and LABEL.match(line)


def is_control(line: str) -> bool:
    """`Share`, `12 comments`, `5 min read`."""
    return len(line) < MAX_CONTROL and CONTROL.match(line)


def is_promotion(line: str) -> bool:
    """It asks the reader to subscribe, to sign up, to follow."""
    return len(line) <= MAX_PROMOTION and (APPEAL.match(line) or PROMOTION.search(line))


def is_teaser_link(line: str, share: float = 0.0) -> bool:
    """`Read also: Storm hits the coast`; a paragraph that begins with a bold word (`Watch: The tide …`) ends as one."""
    if share == 0 and is_sentence(line):
        return False
    return len(line) < (MAX_LINKED_TEASER_LINK if share > 0.3 else MAX_TEASER_LINK) and LABEL_BEFORE.match(line)


def is_credit(line: str) -> bool:
    """`Additional reporting by Bo Ray`, `© The Ledger 2026`."""
    return len(line) < MAX_CREDIT and CREDIT.match(line)


def is_sentence(line: str) -> bool:
    """Whether a line of any length tells something: it ends as a sentence does, and has words besides names of months."""
    return FULL_STOP.search(line) is not None and len(content_words(line)) > 1


FULL_STOP = re.compile(
    rf"(?:[^\W\d_]{{3}}(?<!\d\s[Mm]in)|[{CJK}]|\d|\d\s[rgгр]|[,”\"'’»)])[.!?…。！？।؟][\s\"'”’»“)\]]*+$"
)
"""A sentence's end, not an abbreviation's: `3 p.m.`, `4 Min.`; but `12 maja 2026 r.`, where the year is called one."""


def content_words(line: str) -> list[str]:
    """The words that carry meaning; of scripts that part no words, pairs of letters."""
    return [
        word
        for word in CONTENT.findall(line.lower())
        if word not in SMALL_WORDS and month_key(word) not in MONTH_NUMBER
    ]


CONTENT = re.compile(rf"[{CJK}]{{2}}|[^\W\d_{CJK}]{{2,}}")


def is_noise(line: str, share: float = 0.0) -> bool:
    """Whether a line is no part of an article wherever it stands."""
    return (
        not re.search(r"\w", line)
        or is_label(line)
        or is_control(line)
        or is_teaser_link(line, share)
        or is_promotion(line)
    )


# --------------------------------------------------------------------------------------------------------- head and tail
CLOCK_LINE = re.compile(
    r"(?:\W*(?:\w+\W+){0,3})\d{1,2}[:.h]\d{2}(?:\s*(?:[ap]\.?m\.?|uhr|h|gmt|[a-z]{3,4}))?\b.{0,50}$", re.I
)
"""`Updated on Monday 14:08 CET`: a time with at most three words before it."""


AGE = Openings("ages", skip=NOT_WORDS, after=r"\W*$")


HEAD_LINES = 14
"""How far down the title may stand; the deepest among the labelled copies is the eleventh line."""


MAX_BYLINE = 160


def body_lines(lines: Sequence[str], context: ArticleContext) -> list[str]:
    """The article's own lines: noise, the repeated head and the closing matter removed."""
    kept = [line for line in lines if not is_noise(line, context.share(line)) and not _is_introduction(line, context)]
    return drop_tail(drop_head(drop_link_lines(kept, context), context), context)


def drop_link_lines(lines: Sequence[str], context: ArticleContext) -> list[str]:
    """Without the lines that are nothing but a link to another page, or a list entry that mostly is."""
    return [line for line in lines if not _is_link(line, context.share(line))]


def _is_link(line: str, share: float) -> bool:
    if line.startswith("- "):
        return share > LINKED_ITEM and not line.endswith(".")
    return share >= LINKED and not (is_prose(line) and len(line) > 2 * PROSE_LENGTH)


LINKED_ITEM = 0.7


LINKED = 0.85
"""Share of link text from which a line is a teaser."""


def drop_head(lines: Sequence[str], context: ArticleContext) -> list[str]:
    """Without title, deck, byline and date line before the first sentence."""
    rest = list(lines[_after_title(lines, context) :])
    while rest and (is_head_line(rest[0], context) or is_in_dateline(rest)):
        rest.pop(0)
    return rest[key_points(rest) :]


def is_in_dateline(lines: Sequence[str]) -> bool:
    """Whether the first line is only the agency that the paragraph below it names too: `OSLO, Nov 9 (Corvane) - …`."""
    name, below = lines[0], next(filter(is_prose, lines[1:3]), "")
    return len(name) < MAX_AGENCY and f"({fold(name)})" in spelled(below[:DATELINE])


MAX_AGENCY, DATELINE = 40, 100
"""Characters of an agency's name; of a paragraph's beginning that holds place, day and agency."""


def key_points(lines: Sequence[str]) -> int:
    """How many lines a list of the article's main points takes before the first paragraph, its label included."""
    labelled = len(lines) > 1 and not is_prose(lines[0]) and not lines[0].startswith("- ") and lines[1].startswith("- ")
    begin = int(labelled)
    end = begin
    while (
        end < len(lines)
        and lines[end].startswith("- ")
        and len(lines[end]) > MIN_KEY_POINT
        and SENTENCE_END.search(lines[end])
    ):
        end += 1
    return end if 2 <= end - begin <= MAX_KEY_POINTS and end < len(lines) and is_prose(lines[end]) else 0


MIN_KEY_POINT = 40


MAX_KEY_POINTS = 5
"""A longer list at the top is the article itself."""


def _after_title(lines: Sequence[str], context: ArticleContext) -> int:
    """Where the text begins below the title, 0 when the title is not repeated or prose stands above it."""
    for number, line in enumerate(lines[:HEAD_LINES]):
        if is_title(line, context):
            return number + 1
        if is_prose(line) and not is_deck(line, context):
            break
    return 0


def is_head_line(line: str, context: ArticleContext) -> bool:
    return (
        MENU.fullmatch(line) is not None
        or is_title(line, context)
        or is_deck(line, context)
        or is_date_line(line)
        or is_byline(line, context)
        or (not is_prose(line) and is_credit(line))
    )


def is_title(line: str, context: ArticleContext) -> bool:
    return len(line) < 400 and any(same_title(line, title) for title in context.titles)


def same_title(line: str, title: str) -> bool:
    """Equal up to a kicker or a site's name before or after, or up to a few words."""
    one, other = fold(line), fold(title)
    if not one or not other:
        return False
    short, long = sorted((one.replace(" ", ""), other.replace(" ", "")), key=len)
    if len(short) >= 0.6 * len(long) and len(short) > 8 and (long.startswith(short) or long.endswith(short)):
        return True
    words, others = set(one.split()), set(other.split())
    return short == long or (len(others) > 3 and len(words & others) >= 0.8 * len(words | others))


def is_deck(line: str, context: ArticleContext) -> bool:
    return line_key(line) in context.decks


def is_date_line(line: str) -> bool:
    if len(line) >= 140 or is_prose(line) or len(re.findall(r"[^\W\d]+", line)) > 15:
        return False
    if not STAMP.match(line) and (is_sentence(line) or is_dated_entry(line)):
        return False
    return CLOCK_LINE.match(line) is not None or AGE.match(line) or day_in_words(line) is not None


def is_dated_entry(line: str) -> bool:
    """Whether a line is one of a list of dates: `14 May 2026: town hall`."""
    words = len(content_words(line))
    return words > 1 if line.startswith("- ") else words > 0 and DATED_ENTRY.match(line) is not None


DATED_ENTRY = re.compile(r"(?=[^:：]{0,24}\d)[^:：]{3,40}[:：]\s+[^\W\d_]")


STAMP = Openings("stamps", skip=NOT_WORDS, after=r"(?!\w)")


def is_byline(line: str, context: ArticleContext) -> bool:
    """A short line that names the author, or begins like one."""
    if len(line) > MAX_BYLINE or is_prose(line):
        return False
    folded = f" {fold(line)} "
    if is_byline_opening(line) or fold(line) in AGENCY_NAMES:
        return True
    named = any(f" {fold(author)} " in folded for author in context.authors if fold(author))
    return named and len(folded.split()) <= 14 and not is_question(line)


def is_byline_opening(line: str) -> bool:
    """`By Ann Lee`, `Text: Ann Lee`; not `By the slip the old chains rust`."""
    return BYLINE.match(line) and (len(_in_lower_case(line)) < 2 or ROLE.search(line) is not None)


def _in_lower_case(line: str) -> list[str]:
    """The words behind the first that are no name, in a line that has capitals or is long."""
    words = line.split()[1:]
    plain = [word for word in words if word[0].islower() and fold(word) not in SMALL_WORDS | AGENCY_WORDS]
    return plain if len(words) > 3 else []


def is_question(line: str) -> bool:
    """`Ann Lee: What do you see from here?`."""
    return line.rstrip("\"'”’»“ ").endswith(("?", "？", "؟"))


def is_biography(line: str, context: ArticleContext) -> bool:
    """`Ann Lee is the harbour correspondent of the Ledger.`"""
    begin = fold(line[:80])
    return (
        len(line) < MAX_BIOGRAPHY
        and not is_question(line)
        and any(begin.startswith(name) for author in context.authors if " " in (name := fold(author)))
    )


def _is_introduction(line: str, context: ArticleContext) -> bool:
    """A biography that says what the author does, which may stand above the last paragraphs."""
    return is_biography(line, context) and ROLE.search(line) is not None


MENU = re.compile(r"[^|]{2,100}(?:\s\|\s[^|]{2,100}){2,}")
"""Entries side by side, as at the foot of a page; a table's row begins with its bar."""


MAX_BIOGRAPHY = 420


AGENCY_NAMES = frozenset(map(fold, phrases("agencies")))


AGENCY_WORDS = frozenset(word for name in AGENCY_NAMES for word in name.split())


def drop_tail(lines: Sequence[str], context: ArticleContext) -> list[str]:
    """Without credits, contacts, links and headings that nothing follows."""
    rest = list(lines)
    while rest and is_tail_line(rest[-1], context):
        rest.pop()
    return rest


def is_tail_line(line: str, context: ArticleContext) -> bool:
    share = context.share(line)
    return (
        is_credit(line)
        or MENU.fullmatch(line) is not None
        or is_biography(line, context)
        or is_title(line, context)
        or is_date_line(line)
        or is_byline(line, context)
        or (share > 0.5 and not is_prose(line))
    )
