"""Whether an article is new, a known one fetched again, or a copy; and whose row it belongs to. Reads, never writes.

Called inside the store's transaction, so that what is decided is what is written. Reasons, in the order they are tried:
the page's own address, a redirect, a canonical link, equal text, a near copy.

Near copies are found in two steps. Winnowed fingerprints (Schleimer, Wilkerson and Aiken: Winnowing, SIGMOD 2003) name
the few articles that share passages; then the two texts themselves are laid side by side, and is_copy() judges what they
share, what stands in the gaps, and whether names and figures agree. The figures in the comments are those of
`python -m tests.benchmarks.dedup`.
"""

import hashlib
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any
from zlib import crc32

from sqlite_utils import Database

from crawler.items import Article, Page
from crawler.urls import UnusableURL, canonical_url, is_front_page, same_site
from pipelines.boilerplate import is_noise
from pipelines.database.connection import first_row

Row = Mapping[str, Any]
Holders = dict[int, list[int]]

SHORTEST_EQUAL_TEXT = 25
"""Words. Two texts shorter than this may be equal by chance ("No results today."); the title must then agree too."""

ALIKE = 0.5
"""Share of the shorter text's three-word runs that the longer one holds, from which a canonical link is believed."""

_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+"
)
"""Runs of letters and digits; in scripts without spaces every character by itself."""

_CHARACTER = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")

GRAM = 5
"""Words that make a print; twice as many characters in scripts without spaces, where a word has about two."""

WINDOW = 18
"""Of that many neighbouring grams the least is kept: about 41 prints of 400 words, and one of any 22 words shared in a row.
16 finds 4 more of 1,830 pairs and costs an eighth more."""

COMMON = 8
"""A print held by more articles than this is a phrase or a template. Evidence: between 4 and 8 it makes no difference."""

KEPT_ARTICLES = 4 * COMMON
"""Articles noted per print: some are forgotten and some are merged, and the print must stay common."""

SHARED_PRINTS = 2
"""Prints two texts must share to be compared. One alone costs 40 false pairs of 8,120 wire reports (F1 .97 -> .93)."""

CANDIDATES = 24
"""Articles compared with one page at most, those that share most first."""

SIGNATURE = {"gram": GRAM, "window": WINDOW, "hash": "crc32", "kept": KEPT_ARTICLES}
"""What the stored prints depend on. When it changes they are made anew."""

SIGNATURE_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an accepted article goes."""

    kind: str  #: new; again: its page is known; duplicate: of article_id; original: article_id takes this page's fields
    url: str  #: the article's address when this page gives it its fields
    article_id: int | None = None
    reason: str | None = (
        None  #: redirect, canonical, text or near: why this page, or the one it displaces, is a duplicate
    )
    false_claim_of: int | None = None  #: an article that claimed this page's address as its canonical one, wrongly
    merges: tuple[int, ...] = ()  #: other articles that this page shows to be the same as article_id
    prints: tuple[int, ...] = ()  #: what to note of a new article's text, so that it is not looked up twice


def place(db: Database, page: Page, article: Article) -> Place:
    """Decide where `article`, extracted from `page`, belongs."""
    here = _page_row(db, page.final_url)
    if here and here["state"] == "article":
        return Place(kind="again", url=page.final_url, article_id=here["article_id"])
    if moved := _moved_article(db, page, article):
        return Place(kind="original", url=page.final_url, article_id=moved, reason="redirect")
    claimed = canonical_claim(page, article)
    known = _article_at(db, claimed) if claimed else None
    if known and _alike(known, article):
        return Place(kind="duplicate", url=page.final_url, article_id=known["id"], reason="canonical")
    url = claimed if claimed and not known and not _answered_otherwise(db, claimed) else page.final_url
    claimant = first_row(db, "select * from articles where url = ?", [page.final_url])
    if claimant and _alike(claimant, article):
        return Place(kind="original", url=url, article_id=claimant["id"], reason="canonical")
    false_claim_of = claimant["id"] if claimant else None
    alike = _place_among_texts(db, page, article, false_claim_of)
    return replace(alike, url=url, false_claim_of=false_claim_of)


def _place_among_texts(db: Database, page: Page, article: Article, but: int | None) -> Place:
    """Decide by the text alone, leaving out one article: new, a copy, or the original of copies that came before it."""
    text = Text(article.text)
    holders = holders_of(db, text.prints)
    ids = sorted((_same_text(db, article) | _near(db, text, holders)) - {but})
    if not ids:
        return Place(kind="new", url=page.final_url, prints=unnoted(text.prints, holders))
    twins = [row for one in ids if (row := first_row(db, "select * from articles where id = ?", [one]))]
    first = min(twins, key=lambda twin: precedence_of(db, twin))
    found_at = _found_at(_page_row(db, page.final_url), page)
    earlier = precedence(article.date_published, found_at, page.final_url) < precedence_of(db, first)
    return Place(
        kind="original" if earlier else "duplicate",
        url=page.final_url,
        article_id=ids[0],
        reason="text" if content_hash(article.text) == first["content_hash"] else "near",
        merges=tuple(ids[1:]),
    )


def canonical_claim(page: Page, article: Article) -> str | None:
    """The address on its own site that the page says it should be known by; None when it names none but its own.

    A saved copy that names no address of its own may claim any.
    """
    try:
        claimed = canonical_url(article.canonical_url or "")
    except UnusableURL:
        return None
    if page.final_url.startswith("urn:"):
        return claimed
    elsewhere = not same_site(claimed, page.final_url) or (is_front_page(claimed) and not is_front_page(page.final_url))
    return None if elsewhere or claimed == page.final_url else claimed


def precedence(date_published: str | None, discovered_at: str, url: str) -> tuple[str, str, str]:
    """Sorts originals before copies: the earliest published, a bare day counting as its end; else the first found.

    The address only settles ties, so that the order of arrival never does.
    """
    published = date_published or "9999"
    return (f"{published}T24:00:00Z" if len(published) == 10 else published, discovered_at, url)


def precedence_of(db: Database, article: Row) -> tuple[str, str, str]:
    """precedence() of an article that is stored."""
    page = first_row(
        db, "select url, discovered_at from pages where article_id = ? and state = 'article'", [article["id"]]
    )
    assert page is not None
    return precedence(article["date_published"], page["discovered_at"], page["url"])


def content_hash(text: str) -> str:
    """32 hexadecimal digits that are equal for texts of the same words, whatever their case, punctuation and spacing."""
    return hashlib.sha256(" ".join(tokens(text)).encode()).hexdigest()[:32]


def tokens(text: str) -> list[str]:
    """The words of a text, case folded."""
    return _TOKEN.findall(text.casefold())


def containment(one: str, other: str) -> float:
    """Share, 0 to 1, of the shorter text's three-word runs that the longer one holds."""
    shorter, longer = sorted((_runs(one), _runs(other)), key=lambda runs: runs.total())
    return (shorter & longer).total() / shorter.total() if shorter else 0.0


def is_boring(known: Row, row: Row) -> bool:
    """Whether two captures say the same: only spacing, punctuation, case, or lines that offer to share or to read on differ."""
    if tokens(known["title"] or "") != tokens(row["title"] or ""):
        return False
    return bool(known["content_hash"] == row["content_hash"]) or _said(known["text"]) == _said(row["text"])


def _said(text: str) -> list[str]:
    return tokens("\n".join(line for line in text.splitlines() if not is_noise(line)))


def words_changed(old: str, new: str) -> tuple[int, int]:
    """How many words a change added and how many it removed, moved words not counted."""
    before, after = Counter(tokens(old)), Counter(tokens(new))
    return (after - before).total(), (before - after).total()


def _runs(text: str) -> Counter[tuple[str, ...]]:
    words = tokens(text)
    return Counter(tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2))) if words else Counter()


def _article_at(db: Database, url: str) -> Row | None:
    """The article known by this address, or whose page or duplicate it is."""
    return first_row(
        db,
        "select * from articles where url = ? or id = (select article_id from pages where url = ?) order by url = ? desc limit 1",
        [url, url, url],
    )


def _answered_otherwise(db: Database, url: str) -> bool:
    """Whether this address has answered and was no article: what claims to be known by it is mistaken."""
    row = _page_row(db, url)
    return row is not None and row["state"] in ("refused", "failed") and row["last_fetched_at"] is not None


def _moved_article(db: Database, page: Page, article: Article) -> int | None:
    """The article that lived at the address found, when that address now redirects to where the same text is."""
    if page.url == page.final_url:
        return None
    found = first_row(
        db,
        "select * from articles where id = (select article_id from pages where url = ? and state = 'article')",
        [page.url],
    )
    return int(found["id"]) if found and _alike(found, article) else None


def _same_text(db: Database, article: Article) -> set[int]:
    """Articles of which some page gave these very words."""
    pages = db.query(
        "select article_id, title from pages where content_hash = ? and article_id is not null",
        [content_hash(article.text)],
    )
    long = article.word_count >= SHORTEST_EQUAL_TEXT
    return {page["article_id"] for page in pages if long or _same_title(page, article)}


def _near(db: Database, text: "Text", holders: Holders) -> set[int]:
    """Articles of which the text of some page is a near copy of this one, or this one of it."""
    return {
        article_id
        for article_id in candidates(holders)
        if any(is_copy(text, Text(other)) for other in texts_of(db, article_id))
    }


def texts_of(db: Database, article_id: int) -> Iterator[str]:
    """What the pages of an article say now: its own text, then those of its near copies."""
    own = first_row(db, "select text, content_hash from articles where id = ?", [article_id])
    assert own is not None
    yield own["text"]
    copies = db.query(
        """select distinct versions.text from pages
           join versions on versions.article_id = pages.article_id and versions.content_hash = pages.content_hash
           where pages.article_id = ? and pages.content_hash <> ?""",
        [article_id, own["content_hash"]],
    )
    for copy in copies:
        yield copy["text"]


# Fingerprints


def holders_of(db: Database, prints: Iterable[int]) -> Holders:
    """Per print the articles that have it; prints that nobody has are left out."""
    rows = db.execute(
        """select fingerprints.hash, article_id from json_each(?) as print
           cross join fingerprints on fingerprints.hash = print.value""",
        [json.dumps(sorted(prints))],
    )
    holders: Holders = defaultdict(list)
    for print_, article_id in rows:
        holders[print_].append(article_id)
    return holders


def candidates(holders: Holders) -> list[int]:
    """Articles that share enough prints which are not common, those that share most first."""
    shared = Counter(article_id for ids in holders.values() if len(ids) <= COMMON for article_id in ids)
    enough = [(-number, article_id) for article_id, number in shared.items() if number >= SHARED_PRINTS]
    return [article_id for _, article_id in sorted(enough)[:CANDIDATES]]


def unnoted(prints: Iterable[int], holders: Holders, article_id: int | None = None) -> tuple[int, ...]:
    """The prints to note of a text: those its article has not got yet, and that are not noted often enough."""
    return tuple(
        print_
        for print_ in sorted(prints)
        if not (ids := holders.get(print_)) or (len(ids) < KEPT_ARTICLES and article_id not in ids)
    )


def fingerprints(words: list[str], unit: int = 1) -> frozenset[int]:
    """The winnowed prints of a text: hashes of `GRAM * unit` neighbouring words, signed 32 bits, the least of each window."""
    grams = _gram_hashes(words, GRAM * unit)
    if len(grams) <= WINDOW:
        return frozenset([min(grams)] if grams else [])
    chosen: set[int] = set()
    least = -1
    for start in range(len(grams) - WINDOW + 1):
        if least < start:
            window = grams[start : start + WINDOW]
            least = start + window.index(min(window))
        elif grams[start + WINDOW - 1] <= grams[least]:
            least = start + WINDOW - 1
        chosen.add(grams[least])
    return frozenset(chosen)


def _gram_hashes(words: list[str], length: int) -> list[int]:
    """One hash per gram. The bytes are joined once and cut, which takes half the time of joining every gram."""
    encoded = [word.encode() for word in words]
    line = b" ".join(encoded)
    starts = list(accumulate((len(word) + 1 for word in encoded), initial=0))
    return [crc32(line[start : end - 1]) - 2**31 for start, end in zip(starts, starts[length:], strict=False)]


# Near copies

SEED = 3
"""Words that must agree in a row to count as shared; characters are counted double, as in GRAM."""

REPEATS = 16
"""Places of a repeated run that are tried; a page of one phrase a thousand times would cost a second otherwise."""

PASSAGE = 5
"""Words from which a shared run says that one text was taken from the other; shorter ones any two reports share."""

SHARE = 0.5
"""Of the shorter text, that much is in the longer one (invariant 6)."""

LONGER = 2
"""Times the shorter's words that the longer may have, unless the shorter is its beginning (invariant 6)."""

BEGINNING = 1.25
HEADER = 30
"""A beginning starts within 30 words of the longer text's start (another header), and half of it is found in 1.25 times
its words. Without the first a roundup that holds a brief of 66 words as its third item is its copy."""

LONG_PASSAGE, LONG_SHARE = 20, 0.3
"""A copy has one run of that many words, or of that share of it. Templates have blanks in between: without this
15 false pairs among 8,120 wire reports, not 3 (F1 .97 -> .96)."""

FACTS = 3
FACTS_SHARE = 0.7
"""A template agrees in its words but not in names and figures: when at least 3 of those differ, and the share of those
that agree is under .7 of the same share of all other words. Without: 7 false pairs, not 3; .6 and .8 are as good."""

FIGURES_AGREE = 0.9
FIGURES_CERTAIN = 0.97
FIGURES_DEVIATION = -2.0
"""Of a copy's figures 9 of 10 are in the other, give or take two standard deviations. Without: 20 false pairs, not 6."""

SLOT = 8
BRIDGE = 4
SLOTS = 10
SLOTS_FACTS = 0.6
"""A text rewritten word by word has many small gaps (of up to 8 words; up to 4 are counted as shared), of which less than
.6 hold names or figures. Under 10 gaps it may be a filled template: 19 false pairs with 6."""


@dataclass(frozen=True)
class Text:
    """A text as words, with what comparing it needs."""

    text: str

    @cached_property
    def tokens(self) -> list[str]:
        return _TOKEN.findall(self.text)

    @cached_property
    def words(self) -> list[str]:
        return [token.casefold() for token in self.tokens]

    @cached_property
    def unit(self) -> int:
        """How many words count as one: 2 where most words are single characters of a script without spaces."""
        return 2 if 2 * len(_CHARACTER.findall(self.text)) > len(self.tokens) else 1

    @cached_property
    def prints(self) -> frozenset[int]:
        return fingerprints(self.words, self.unit)

    @cached_property
    def facts(self) -> list[bool]:
        """Per word, whether it is a name or a figure: it has a digit or begins with a capital."""
        return [token[0].isupper() or _has_digit(token) for token in self.tokens]

    @cached_property
    def figures(self) -> Counter[str]:
        return Counter(word for word in self.words if _has_digit(word))

    @cached_property
    def bag(self) -> Counter[str]:
        return Counter(self.words)


@dataclass(frozen=True, slots=True)
class Run:
    """Words in a row that two texts share: those from `start` to `end` of one, from `there` on of the other."""

    start: int
    end: int
    there: int


def is_copy(one: Text, other: Text) -> bool:
    """Whether one of two texts is a near copy of the other. Does not depend on which is named first."""
    shorter, longer = sorted((one, other), key=lambda text: (len(text.words), text.words))
    if one.unit != other.unit or len(one.prints & other.prints) < SHARED_PRINTS:
        return False
    if len(longer.words) > LONGER * len(shorter.words) and not _is_beginning(shorter, longer):
        return False
    runs = align(shorter.words, longer.words, SEED * shorter.unit)
    return _has_passages(shorter, longer, runs) or _is_reworded(shorter, longer, runs)


def similarity(one: Text, other: Text) -> float:
    """Share, 0 to 1, of the shorter text's words that stand in the longer in runs of three or more."""
    shorter, longer = sorted((one, other), key=lambda text: (len(text.words), text.words))
    if not shorter.words:
        return 0.0
    return round(_length(align(shorter.words, longer.words, SEED * shorter.unit)) / len(shorter.words), 3)


def align(words: list[str], others: list[str], seed: int) -> list[Run]:
    """The runs of at least `seed` words of one text that stand in the other too, in the order of the first.

    Where a run has several places in the other, the one nearest to where the last run would go on.
    """
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, gram in enumerate(_grams(others, seed)):
        if len(places[gram]) < REPEATS:
            places[gram].append(place)
    runs: list[Run] = []
    for start, gram in enumerate(_grams(words, seed)):
        found = places.get(gram)
        if not found:
            continue
        expected = start - runs[-1].start + runs[-1].there if runs else start
        if runs and start <= runs[-1].end and expected in found:
            runs[-1] = Run(runs[-1].start, start + seed, runs[-1].there)
        else:
            runs.append(Run(start, start + seed, min(found, key=lambda place: abs(place - expected))))
    return runs


def _has_passages(shorter: Text, longer: Text, runs: list[Run]) -> bool:
    """Half of the shorter is in the longer in passages, and they agree in names and figures."""
    unit, size = shorter.unit, len(shorter.words)
    passages = [run for run in runs if run.end - run.start >= PASSAGE * unit]
    longest = max((run.end - run.start for run in passages), default=0)
    return (
        _length(passages) >= SHARE * size
        and longest >= min(LONG_PASSAGE * unit, LONG_SHARE * size)
        and _figures_agree(shorter, longer, FIGURES_AGREE)
        and not _is_template(shorter, runs)
    )


def _is_reworded(shorter: Text, longer: Text, runs: list[Run]) -> bool:
    """Half of the shorter is in the longer when gaps of a few words are bridged, and the gaps hold any words."""
    gaps = list(_gaps(runs))
    bridged = sum(gap.size for gap in gaps if max(gap.size, gap.size_there) <= BRIDGE)
    named = sum(1 for gap in gaps if _other_facts(shorter, longer, gap))
    return (
        len(gaps) >= SLOTS
        and _length(runs) + bridged >= SHARE * len(shorter.words)
        and named < SLOTS_FACTS * len(gaps)
        and _figures_agree(shorter, longer, 0.0)
    )


def _is_beginning(shorter: Text, longer: Text) -> bool:
    head = longer.words[: int(BEGINNING * len(shorter.words)) + HEADER * shorter.unit]
    runs = align(shorter.words, head, SEED * shorter.unit)
    if not runs or runs[0].there - runs[0].start > HEADER * shorter.unit:
        return False
    return _length(runs) >= SHARE * len(shorter.words)


def _is_template(shorter: Text, runs: list[Run]) -> bool:
    """The shared words are any words, and what differs is names and figures: another day's weather, another match."""
    covered = [False] * len(shorter.words)
    for run in runs:
        covered[run.start : run.end] = [True] * (run.end - run.start)
    facts, words = sum(shorter.facts), len(shorter.words) - sum(shorter.facts)
    facts_agree = sum(1 for is_fact, shared in zip(shorter.facts, covered, strict=True) if is_fact and shared)
    words_agree = sum(covered) - facts_agree
    if facts - facts_agree < FACTS or not words_agree:
        return False
    return facts_agree / facts < FACTS_SHARE * words_agree / words


def _figures_agree(shorter: Text, longer: Text, least: float) -> bool:
    """Whether as many figures agree as words do, or as the share `least`, give or take what chance explains."""
    number = min(shorter.figures.total(), longer.figures.total())
    if not number:
        return True
    words_agree = (shorter.bag & longer.bag).total() / len(shorter.words)
    share = min(max(words_agree, least), FIGURES_CERTAIN)
    agree = (shorter.figures & longer.figures).total()
    return (agree - number * share) / math.sqrt(number * share * (1 - share)) >= FIGURES_DEVIATION


@dataclass(frozen=True, slots=True)
class Gap:
    """What stands between two runs, in one text from `start` to `end`, in the other from `there` to `there_end`."""

    start: int
    end: int
    there: int
    there_end: int

    @property
    def size(self) -> int:
        return self.end - self.start

    @property
    def size_there(self) -> int:
        return self.there_end - self.there


def _gaps(runs: list[Run]) -> Iterator[Gap]:
    """The short gaps between runs that follow each other in both texts."""
    for run, following in pairwise(runs):
        gap = Gap(run.end, following.start, run.there + run.end - run.start, following.there)
        if gap.size >= 0 and gap.size_there >= 0 and 0 < max(gap.size, gap.size_there) <= SLOT:
            yield gap


def _other_facts(shorter: Text, longer: Text, gap: Gap) -> bool:
    """Whether both texts have names or figures in the gap, and other ones."""
    here = {shorter.words[place] for place in range(gap.start, gap.end) if shorter.facts[place]}
    there = {longer.words[place] for place in range(gap.there, gap.there_end) if longer.facts[place]}
    return bool(here and there and here != there)


def _length(runs: list[Run]) -> int:
    """Words of the first text that are in some run; runs may overlap."""
    length = done = 0
    for run in runs:
        length += max(0, run.end - max(run.start, done))
        done = max(done, run.end)
    return length


def _grams(words: list[str], length: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[offset:] for offset in range(length)), strict=False)


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)


def _same_title(row: Row, article: Article) -> bool:
    return tokens(row["title"] or "") == tokens(article.title or "")


def _alike(row: Row, article: Article) -> bool:
    return containment(row["text"], article.text) >= ALIKE


def _found_at(row: Row | None, page: Page) -> str:
    fetched_at = page.fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return min(row["discovered_at"], fetched_at) if row else fetched_at


def _page_row(db: Database, url: str) -> Row | None:
    return first_row(db, "select * from pages where url = ?", [url])
