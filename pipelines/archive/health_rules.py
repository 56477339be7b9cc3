"""How a source is doing: what was seen of it -> one word and a reason. Rules only: no clock, no database.

A poll is one asking of a source's listings (feeds, sitemaps, front page). Of every source its habits are kept: its
silences, and what its last pages came to; the same habits make the same word whatever the time zone. How soon each word
is said is in README.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import comb
from statistics import median
from urllib.parse import urlsplit

from crawler.reasons import sentence
from pipelines.archive.silence import (
    WATCHED_HOURS,
    WATCHED_TIMES,
    hours_between,
    patience_hours,
    span,
    week_of,
    with_gap,
)
from pipelines.database.connection import Row

# Listings that cannot be read

FAILED_POLLS = 3
"""Failed polls in a row after which a source that could be read before is broken or blocked: one time-out is none."""

FAILING_HOURS = 24.0
"""Two are enough when the last good one is this long ago: who looks once a day need not wait for three."""

REFUSING = re.compile(r"\b(?:robots_)?http_(?:401|403|429|451)\b|\brobots\b|\bleft alone\b|\bturned_away\b")
"""Reasons by which a publisher turns a visitor away; in the reason of a discovery there are several."""

ANSWERS = re.compile(r"\b(?:robots_)?http_\d{3}\b|\brobots\b|\bleft alone\b|\bturned_away\b")

UNREACHED = frozenset(("host_not_found", "timeout", "connection_failed", "connection_lost"))
"""Reasons that may as well be our own line's. When nobody at all could be reached, it is that, and nobody is broken."""

# Pages

RECENT, BEFORE = 10, 100
"""Pages that are compared, and those before them that they are compared with."""

FEWEST_RECENT, FEWEST_BEFORE = 6, 20
"""Fewer say nothing; six of ten against one of a hundred is the least that is a change by UNLIKELY."""

UNLIKELY = 1e-6
"""Chance (Fisher's exact test, one-sided) under which a share has changed. 500 sources with 36 articles a day make 1,800
windows of ten a day, times five questions: by chance alone one false alarm in a hundred days at most."""

SHORT = 0.5
"""A text under this share of the usual median length is short."""

USED_TO_DAYS = 28
"""Days after which what had changed is the usual."""

QUESTIONS = {
    "-": ("no article", "pages"),
    "t": ("no title", "articles"),
    "d": ("no date", "articles"),
    "a": ("no author", "articles"),
    "s": ("under half the usual length", "articles"),
}
"""What may be wrong with a page, in the order in which it is told; the first word is what the reason says."""

# Sources that give no article

EMPTY_LOOKS = 3
"""Looks that could be read without one article ever, after which a source is empty: a new paper's first may come tomorrow. As soon
as FEWEST_RECENT of its pages were asked and not one is an article, nobody need wait for that."""

# Runs

RUNS_KNOWN = 700
"""Runs whose times are compared: a week of quarters of an hour."""

OVERDUE_RUNS, OVERDUE_HOURS = 10, 3.0
"""Gaps between runs that must be known, and hours below which no run is overdue: a first crawl can take as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMark:
    """What one page of a run came to, as far as health is judged by it. `habits` has it as one word."""

    kind: str  #: article; copy; refused: it is no article; blocked: we are turned away; unanswered
    words: int = 0  #: of an article
    lacks: str = ""  #: of an article: `t` no title, `d` no date, `a` no author, in this order
    reason: str = ""  #: pages.reason of one that was refused, blocked or unanswered

    def encode(self) -> str:
        """`412` an article of so many words, `412td` one without title and date; `=` a copy; `-index`, `!robots`, `?timeout`."""
        return f"{self.words}{self.lacks}" if self.kind == "article" else f"{SIGNS[self.kind]}{self.reason}"

    @classmethod
    def decode(cls, word: str) -> "PageMark":
        for kind, sign in SIGNS.items():
            if word.startswith(sign):
                return cls(kind=kind, reason=word.removeprefix(sign))
        words = word.rstrip("tda")
        return cls(kind="article", words=int(words), lacks=word.removeprefix(words))


SIGNS = {"copy": "=", "refused": "-", "blocked": "!", "unanswered": "?"}
"""How the word of a page begins that is no article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What a source usually does, as one row of `habits`."""

    silent_hours: float = 0.0  #: watched hours since it last named something new
    look_hours: float = 0.0  #: usual hours between two polls, an average that forgets
    gaps: tuple[tuple[str, float], ...] = ()  #: (ISO week, longest silence in hours that ended in it), the oldest first
    recent: tuple[PageMark, ...] = ()  #: of its last pages in the order they were asked, at most RECENT
    before: tuple[PageMark, ...] = ()  #: of those before them, at most BEFORE; not moved on while they differ
    changed_at: str | None = None  #: since when the recent ones differ; None when they do not
    empty_looks: int | None = None  #: polls that could be read, without one article yet; None: there was an article


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a word is judged by."""

    ever_read: bool
    failures: int = 0  #: polls in a row in which no listing could be read
    failing_hours: float = 0.0  #: since the last poll in which one could
    failed: tuple[tuple[str, str], ...] = ()  #: (listing, reason) of those not read at the last poll
    habits: Habits = Habits()
    last_new_at: str | None = None
    pages: bool = True  #: whether any page of it is known
    moved: tuple[tuple[str, str], ...] = ()  #: (listing of sources.toml, where it redirects for good)
    missed_at: str | None = None  #: when articles were missed, if that was within a week
    left_out: tuple[tuple[str, int], ...] = ()  #: (sitemap, its addresses that were never taken)
    relinked_at: str | None = None  #: when a feed had other links for the same entries, if that was within a week


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The word for `sources.status`, and why."""

    word: str  #: new, ok, quiet, empty, broken, changed or blocked; `off` is said by sources.toml alone
    reason: str | None = None


# The judgement


def judge(facts: Facts) -> Health:
    """One word for a source, the worst that holds."""
    found = (_unreadable(facts), _pages_unreadable(facts.habits), _empty(facts), _changed(facts.habits), _quiet(facts))
    for word, reason in found:
        if word:
            moves = (move for move in facts.moved if move[0] not in dict(facts.failed))
            return Health(word=word, reason="; ".join((reason, *map(say_move, moves))))
    notes = "; ".join(_notes(facts))
    return Health(word="ok" if facts.ever_read else "new", reason=notes or None)


Finding = tuple[str, str]
NOTHING: Finding = ("", "")


def _unreadable(facts: Facts) -> Finding:
    """Not one listing can be read: for good as it seems, or from the start."""
    lasting = facts.failures >= FAILED_POLLS or (facts.failures > 1 and facts.failing_hours > FAILING_HOURS)
    if not facts.failures or (facts.ever_read and not lasting):
        return NOTHING
    word = "blocked" if all(_is_refusal(reason) for _, reason in facts.failed) else "broken"
    return word, _say_failures(facts)


def _say_failures(facts: Facts) -> str:
    (url, reason), *others = facts.failed
    moved = dict(facts.moved).get(url)
    said = f"{url}{f' (moved for good to {moved})' if moved else ''}: {sentence(reason)}"
    said += f", and {len(others)} more" if others else ""
    return f"{said}; {facts.failures} looks in a row" if facts.failures > 1 else said


def _is_refusal(reason: str) -> bool:
    answers = ANSWERS.findall(reason)
    return bool(answers) and all(REFUSING.fullmatch(answer) for answer in answers)


def _pages_unreadable(habits: Habits) -> Finding:
    """The listings name pages, but most of these turn us away or do not answer."""
    for kind, word in (("blocked", "blocked"), ("unanswered", "broken")):
        marks = [mark for mark in habits.recent if mark.kind == kind]
        if len(marks) >= FEWEST_RECENT:
            why = max(marks, key=marks.count).reason
            return word, f"{len(marks)} of the last {len(habits.recent)} pages: {sentence(why)}"
    return NOTHING


def _empty(facts: Facts) -> Finding:
    """It can be read, and has never given an article; or it gave a few, and none of its last pages is one."""
    habits = facts.habits
    gave_one = habits.empty_looks is None
    marks = habits.recent if gave_one else (*habits.before, *habits.recent)
    enough = RECENT if gave_one else FEWEST_RECENT if (habits.empty_looks or 0) < EMPTY_LOOKS else 1
    if len(habits.before) >= FEWEST_BEFORE and gave_one:  # then it has a past that it can be compared with
        return NOTHING
    if len(marks) >= enough and not any(map(_is_yield, marks)):
        return "empty", _say_reason(marks, f"the last {len(marks)}" if gave_one else str(len(marks)))
    if not facts.pages and not gave_one and (habits.empty_looks or 0) >= EMPTY_LOOKS:
        return (
            "empty",
            f"no page is named there, in {habits.empty_looks} looks; of sitemaps only what `since` lets through counts",
        )
    return NOTHING


def _is_yield(mark: PageMark) -> bool:
    return mark.kind in ("article", "copy")


def _say_reason(marks: Sequence[PageMark], of: str) -> str:
    """Of pages of which none is an article: how many came to the most frequent reason, and what that is."""
    reasons = [mark.reason for mark in marks]
    why = max(reasons, key=reasons.count)
    return f"{reasons.count(why)} of {of} {'page' if of == '1' else 'pages'}: {sentence(why)}; no article among them"


def _changed(habits: Habits) -> Finding:
    """The recent pages lack what those before them had."""
    usual = usual_words(habits.before)
    for question, (what, of) in QUESTIONS.items():
        now = answers(habits.recent, question, usual)
        if len(now) < FEWEST_RECENT or 2 * sum(now) <= len(now):
            continue
        then = answers(habits.before, question, usual)
        if is_change(now, then):
            return (
                "changed",
                f"{what} in {sum(now)} of the last {len(now)} {of}; before that in {sum(then)} of {len(then)}",
            )
    return NOTHING


def _quiet(facts: Facts) -> Finding:
    patience = patience_hours(facts.habits.gaps)
    if patience is None or facts.habits.silent_hours <= patience:
        return NOTHING
    last = f", the last on {facts.last_new_at[:10]}" if facts.last_new_at else ""
    longest = max(hours for _, hours in facts.habits.gaps[1:])
    return (
        "quiet",
        f"nothing new for {span(facts.habits.silent_hours)}{last}; its longest silence before was {span(longest)}",
    )


def _notes(facts: Facts) -> Iterator[str]:
    """What is worth knowing of a source that is well."""
    failed = dict(facts.failed)
    yield from (say_move(move) for move in facts.moved if move[0] not in failed)
    if failed:
        yield _say_failures(facts)
    if refused := _usual_refusal(facts.habits.recent):
        yield refused
    if facts.missed_at:
        yield f"may have published more than its feeds keep, on {facts.missed_at[:10]}: look more often"
    yield from (say_left_out(*one) for one in facts.left_out)
    if facts.relinked_at:
        yield f"its links change with every look although its entries do not, last on {facts.relinked_at[:10]}: name another feed"


def say_left_out(url: str, number: int) -> str:
    """That a sitemap names more than a look takes."""
    return f"{url}: {number:,} addresses without a date were left out as likely old"


def _usual_refusal(recent: Sequence[PageMark]) -> str | None:
    """Why most of a source's pages are no articles: one that scripts make is well, and never yields any."""
    reasons = [mark.reason for mark in recent if mark.kind == "refused"]
    why = max(reasons, key=reasons.count, default="")
    if len(recent) < FEWEST_RECENT or 2 * reasons.count(why) <= len(recent):
        return None
    return f"{reasons.count(why)} of the last {len(recent)} pages: {sentence(why)}"


# Pages that differ


def answers(marks: Iterable[PageMark], question: str, usual: float) -> list[bool]:
    """For each page that can be asked: has it the fault? Not asked are pages that never answered, and copies."""
    if question == "-":
        return [mark.kind == "refused" for mark in marks if mark.kind not in ("blocked", "unanswered")]
    articles = (mark for mark in marks if mark.kind == "article")
    if question == "s":
        return [mark.words < SHORT * usual for mark in articles]
    return [question in mark.lacks for mark in articles]


def usual_words(marks: Iterable[PageMark]) -> float:
    """The median length of articles, in words; 0 of none."""
    words = [mark.words for mark in marks if mark.kind == "article"]
    return median(words) if words else 0.0


def is_change(now: Sequence[bool], then: Sequence[bool]) -> bool:
    """Whether a fault is common now, was not before, and was not in any stretch of that length either.

    Faults come in stretches: a night of agency reports has no authors, every night.
    """
    if len(then) < FEWEST_BEFORE:
        return False
    worst = max(sum(then[start : start + len(now)]) for start in range(len(then) - len(now) + 1))
    return sum(now) > worst and fisher(sum(now), len(now), sum(then), len(then)) < UNLIKELY


def fisher(hits: int, of: int, hits_before: int, of_before: int) -> float:
    """The chance of at least so many hits in the one sample if both had the same share: Fisher's exact test, one-sided.

    R. A. Fisher, "On the interpretation of χ² from contingency tables", 1922: exact however few the pages are.
    """
    all_hits = hits + hits_before
    ways = sum(comb(of, k) * comb(of_before, all_hits - k) for k in range(hits, min(of, all_hits) + 1))
    return ways / comb(of + of_before, all_hits)


def updated_pages(habits: Habits, marks: Sequence[PageMark], now: str) -> Habits:
    """The habits after some more pages. Pages that differ do not become the usual, unless they do so for weeks."""
    if habits.changed_at and hours_between(habits.changed_at, now) > USED_TO_DAYS * 24:
        habits = replace(habits, before=(), changed_at=None)
    if any(map(_is_yield, marks)):
        habits = replace(habits, empty_looks=None)
    for mark in marks[-RECENT - BEFORE :]:
        recent = (*habits.recent, mark)
        older = () if habits.changed_at else recent[:-RECENT]
        habits = replace(habits, recent=recent[-RECENT:], before=(*habits.before, *older)[-BEFORE:])
        changed = _changed(habits) != NOTHING
        habits = replace(habits, changed_at=(habits.changed_at or now) if changed else None)
    return habits


def updated_looks(habits: Habits) -> Habits:
    """The habits after one more poll that could be read."""
    return habits if habits.empty_looks is None else replace(habits, empty_looks=habits.empty_looks + 1)


def page_mark(page: Row) -> PageMark | None:
    """What a page of this run came to; None when it says nothing of the site, or was counted the first time it was asked."""
    if page["outcome"] == "new":
        lacks = f"{'t' * page['no_title']}{'d' * page['no_date']}{'a' * page['no_author']}"
        return PageMark(kind="article", words=page["word_count"], lacks=lacks)
    if page["outcome"] == "duplicate":
        return PageMark(kind="copy")
    if page["outcome"] == "refused" and page["attempts"] == 1:
        return PageMark(kind=NOT_ITS_OWN.get(page["reason"], "refused"), reason=page["reason"])
    if page["outcome"] == page["state"] == "failed" and page["attempts"] == 2:
        return PageMark(kind="blocked" if _is_refusal(page["reason"]) else "unanswered", reason=page["reason"])
    return None


NOT_ITS_OWN = {"robots": "blocked", "consent": "blocked", "turned_away": "blocked", "parked": "unanswered"}
"""Refusals that say nothing of a site's pages, as these were not seen."""


# Silence


def updated_silence(habits: Habits, last_poll: str | None, now: str, *, new: bool) -> Habits:
    """The habits after one more poll that could be read, at `now`; `new`: it named something that was not known."""
    if last_poll is None:  # everything is new at the first
        return habits
    passed = hours_between(last_poll, now)
    longest = max(WATCHED_HOURS, WATCHED_TIMES * habits.look_hours)
    watched = 0 <= passed <= longest
    silent = habits.silent_hours + (passed if watched else 0)
    gaps = with_gap(habits.gaps, week_of(now), silent) if new and watched else habits.gaps
    usual = 0.8 * habits.look_hours + 0.2 * min(max(passed, 0), longest)
    return replace(habits, silent_hours=0.0 if new else silent, look_hours=usual, gaps=gaps)


# Runs


def overdue(finished: Sequence[str], now: str) -> str | None:
    """Why somebody should look at cron: no run has ended for twice as long as ever between the given ones, the last first."""
    gaps = [hours_between(earlier, later) for later, earlier in pairwise(finished)]
    if len(gaps) < OVERDUE_RUNS:
        return None
    silent = hours_between(finished[0], now)
    if silent <= max(OVERDUE_HOURS, 2 * max(gaps)):
        return None
    return f"no run has ended for {span(silent)}; the longest time between two was {span(max(gaps))}"


# Words


def say_move(move: tuple[str, str]) -> str:
    url, to = move
    if is_same_place(url, to):
        return f"{url} redirects for good to {to}"
    return f"{url} has moved for good to {to}: put that into sources.toml"


def is_same_place(url: str, other: str) -> bool:
    """Whether two addresses differ by scheme, www or a final slash only: a move that nobody needs to follow by hand."""
    return _place(url) == _place(other)


def _place(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.netloc.lower().removeprefix("www."), parts.path.rstrip("/"), parts.query
