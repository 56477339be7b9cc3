"""How well reports are told apart that share stock paragraphs: `python -m tests.benchmarks.furniture [--seeds 7]`.

Local news is filled from stock: half of a report is its own, the rest is what the site prints under every appeal or every
planning notice. 200 such reports, in order of arrival, must stay 200 articles; among them are true copies (a brief that is
reprinted with stock around it, a report with its head rewritten) and events that three desks tell in their own words.

Then template news, pair by pair: fourteen forms (the weather, a dividend, an obituary) that are filled anew each time, alone
and over notices that are full of names and figures; and the copies of such reports that other desks print.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from itertools import accumulate, combinations

from pipelines.deduplicate.near_copies import Text, is_copy
from tests.benchmarks.dedup import Texts, archive_of, invented_word
from tests.support.template_news import GENRES, Report, TemplateNews

REPORTS = 200
COPIES = 60
EVENTS = 15
FILLED = 6
"""Reports of every form."""

KINDS = (4, 40)
"""Kinds of report: of forty each is printed about five times."""

STOCK = 4
"""Paragraphs per kind of report (an appeal, a planning notice), of which each report of the kind has three."""

OWN_SENTENCES, STOCK_SENTENCES = 2, 3
SENTENCE_WORDS = 15
_FREQUENT = [
    "the",
    "of",
    "and",
    "to",
    "a",
    "in",
    "for",
    "is",
    "on",
    "that",
    "by",
    "this",
    "with",
    "from",
    "was",
    "were",
    "be",
    "at",
    "it",
    "has",
    "had",
    "not",
    "but",
    "which",
]


class Newsroom:
    """Reports of invented words, of which two in five are such as every text has."""

    def __init__(self, seed: int, kinds: int) -> None:
        self._chance = random.Random(seed)
        self._words = [invented_word(self._chance) + invented_word(self._chance) for _ in range(20_000)]
        self._weights = list(accumulate(1 / (rank + 30) for rank in range(len(self._words))))
        self._stock = [[self._paragraph((), STOCK_SENTENCES) for _ in range(STOCK)] for _ in range(kinds)]

    def reports(self, number: int) -> list[list[str]]:
        return [self.report(self._names()) for _ in range(number)]

    def report(self, names: list[str]) -> list[str]:
        """Three paragraphs of its own, then three of the stock, at times between them."""
        own = [self._paragraph(names) for _ in range(3)]
        stock = self._some_stock()
        return [own[0], stock[0], own[1], own[2], *stock[1:]] if self._chance.random() < 0.3 else own + stock

    def event(self) -> list[list[str]]:
        names = self._names()
        return [self.report(names) for _ in range(3)]

    def copies(self, number: int) -> list[tuple[list[str], list[str]]]:
        """Half of them briefs with stock around them, half reports with another first paragraph."""
        pairs = []
        for place in range(number):
            names = self._names()
            own = [self._paragraph(names) for _ in range(3)]
            stock = self._some_stock()
            if place % 2:
                pairs.append((own, [stock[0], *own, *stock[1:2]]))
            else:
                pairs.append((own + stock, [self._paragraph(names), *own[1:], *stock]))
        return pairs

    def _some_stock(self) -> list[str]:
        """Half of the time in the order of the stock, so that order alone tells nothing."""
        stock = self._chance.sample(kind := self._chance.choice(self._stock), 3)
        return sorted(stock, key=kind.index) if self._chance.random() < 0.5 else stock

    def _names(self) -> list[str]:
        return [(invented_word(self._chance) + invented_word(self._chance)).capitalize() for _ in range(9)]

    def _paragraph(self, names: Iterable[str], sentences: int = OWN_SENTENCES) -> str:
        return " ".join(self._sentence(list(names)) for _ in range(sentences))

    def _sentence(self, names: list[str]) -> str:
        words = self._chance.choices(self._words, cum_weights=self._weights, k=SENTENCE_WORDS)
        for place in range(SENTENCE_WORDS):
            if self._chance.random() < 0.4:
                words[place] = self._chance.choice(_FREQUENT)
            elif names and self._chance.random() < 0.25:
                words[place] = self._chance.choice(names)
        return f"{words[0].capitalize()} {' '.join(words[1:])}."


def measure(seed: int, kinds: int) -> dict[str, float]:
    """Counts and shares by what they are of."""
    room = Newsroom(seed, kinds)
    told: Texts = [(f"report-{place}", "\n\n".join(one)) for place, one in enumerate(room.reports(REPORTS))]
    pairs = room.copies(COPIES)
    for place, (one, other) in enumerate(pairs):
        told += [(f"copy-{place}-a", "\n\n".join(one)), (f"copy-{place}-b", "\n\n".join(other))]
    for place in range(EVENTS):
        told += [(f"event-{place}-{desk}", "\n\n".join(one)) for desk, one in enumerate(room.event())]
    random.Random(seed).shuffle(told)
    with archive_of(told, timedelta(minutes=1)) as archive:
        sql = "select url, pages.article_id, story_id from pages join articles on articles.id = pages.article_id"
        rows = [(row["url"].rsplit("/", 1)[1], row) for row in archive.db.query(sql.replace("url,", "pages.url,"))]
    article = {name: row["article_id"] for name, row in rows}
    event = {name: _event_of(name) for name in article}
    by_article: dict[int, list[str]] = {}
    for name, article_id in article.items():
        by_article.setdefault(article_id, []).append(name)
    false = sum(event[a] != event[b] for names in by_article.values() for a, b in combinations(names, 2))
    found = sum(article[f"copy-{place}-a"] == article[f"copy-{place}-b"] for place in range(COPIES))
    by_story: dict[int, set[str]] = {}
    sizes: Counter[int] = Counter()
    story_of_article: dict[int, int] = {}
    for name, row in rows:
        if row["story_id"]:
            by_story.setdefault(row["story_id"], set()).add(event[name])
            story_of_article[row["article_id"]] = row["story_id"]
    sizes.update(story_of_article.values())
    story = {name: story_of_article.get(article_id, -article_id) for name, article_id in article.items()}
    together = [
        story[f"event-{place}-{one}"] == story[f"event-{place}-{other}"]
        for place in range(EVENTS)
        for one, other in combinations(range(3), 2)
    ]
    return {
        "false copies": false,
        "recall of copies": found / COPIES,
        "stories": len(by_story),
        "largest story": max(sizes.values(), default=0),
        "stories of two events": sum(len(events) > 1 for events in by_story.values()),
        "recall of events": sum(together) / len(together),
    }


def measure_templates(seed: int) -> dict[str, str]:
    """False pairs among reports of the same form, and of two; and true copies that are found, by what was done to them."""
    news = TemplateNews(seed)
    sets = {
        "forms": [(genre, news.report(genre)) for genre in GENRES for _ in range(FILLED)],
        "over two notices": [(genre, news.brief(genre, 2)) for genre in GENRES for _ in range(FILLED)],
        "over three notices": [(genre, news.brief(genre, 3)) for genre in GENRES for _ in range(FILLED)],
    }
    figures = {}
    for what, reports in sets.items():
        texts = [(genre, _text(report)) for genre, report in reports]
        pairs = [(one[0] == other[0], is_copy(one[1], other[1])) for one, other in combinations(texts, 2)]
        false = Counter(is_same_form for is_same_form, are_copies in pairs if are_copies)
        figures[f"{what}, false"] = f"{false[True]} + {false[False]} of {len(pairs)}"
    found: Counter[str] = Counter()
    originals = [report for reports in sets.values() for _, report in reports]
    for report in originals:
        found.update(how for how, copy in news.copies(report).items() if is_copy(_text(report), _text(copy)))
    return figures | {f"recall {how}": f"{number / len(originals):.3f}" for how, number in found.items()}


def _text(report: Report) -> Text:
    return Text("\n\n".join(report))


def _event_of(name: str) -> str:
    return name if name.startswith("report") else name.rsplit("-", 1)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="*", type=int, default=(7, 8, 9))
    for seed in parser.parse_args().seeds:
        for kinds in KINDS:
            told = ", ".join(f"{what} {figure:.3g}" for what, figure in measure(seed, kinds).items())
            print(f"seed {seed}, {kinds} kinds: {told}", flush=True)
        print(
            "  templates: " + ", ".join(f"{what} {figure}" for what, figure in measure_templates(seed).items()),
            flush=True,
        )


if __name__ == "__main__":
    main()
