"""What many articles of one source have in common -> settings for sources.toml, proposed with examples. Reads only.

Extraction itself never learns: the same bytes give the same article today and in five years. What the archive knows of
a site reaches it as lines of sources.toml that a person has looked at.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.database.connection import Row, first_row
from pipelines.database.sqlite import Database
from pipelines.text import tokens

NEWEST = 200
"""Articles of a source that are looked at: enough for a habit, and its present template rather than an old one."""

FEWEST = 8
"""Articles below which nothing is called a habit."""

REPEATED = 0.2
"""Share of a source's articles from which a line that stands in them word for word belongs to the template; a column's
standing introduction stays below that unless the source is nothing but the column."""

LONGEST_LINE = 300
"""Characters: a whole paragraph that repeats is an article's own business, such as a disclosure."""

AGREED = 0.8
"""Share of a source's pages on which one candidate has to be what the feed calls the article."""

MOST_LINES = 10
"""Proposals a person will read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One setting for one source."""

    source: str  #: url, as in sources.toml
    name: str
    key: str  #: strip or title
    value: str
    evidence: str  #: in words
    examples: tuple[str, ...]  #: addresses of articles that show it


def suggest(db: Database, url: str) -> Iterator[Proposal]:
    """What the archive would set for the source with this address."""
    source = first_row(db, "select id, url, name from sources where url = ?", [url])
    if source:
        yield from _repeated_lines(db, source)
        yield from _title_habit(db, source)


def _repeated_lines(db: Database, source: Row) -> Iterator[Proposal]:
    articles = list(
        db.query(
            "select url, text from articles where source_id = ? order by sort_at desc limit ?", [source["id"], NEWEST]
        )
    )
    if len(articles) < FEWEST:
        return
    where: dict[str, list[str]] = defaultdict(list)
    for article in articles:
        for line in {line for line in article["text"].split("\n\n") if 2 <= len(line) <= LONGEST_LINE}:
            where[line].append(article["url"])
    habits = [(line, urls) for line, urls in where.items() if len(urls) >= max(FEWEST // 2, REPEATED * len(articles))]
    for line, urls in sorted(habits, key=lambda habit: len(habit[1]), reverse=True)[:MOST_LINES]:
        evidence = f"“{line}” stands in {len(urls)} of {len(articles)} articles"
        yield _proposal(source, "strip", line_xpath(line), evidence, urls)


def line_xpath(line: str) -> str:
    """An XPath for the elements whose whole text is this line, white space folded and no-break spaces taken for spaces."""
    return f'//*[normalize-space(translate(., "\N{NO-BREAK SPACE}", " ")) = {_literal(" ".join(line.split()))}]'


def _literal(text: str) -> str:
    """XPath 1.0 has no escapes: a text with both kinds of quotation marks is put together from parts."""
    if '"' not in text:
        return f'"{text}"'
    if "'" not in text:
        return f"'{text}'"
    return "concat(" + ", '\"', ".join(f'"{part}"' for part in text.split('"')) + ")"


def _title_habit(db: Database, source: Row) -> Iterator[Proposal]:
    """Which of a page's rival titles is the one its feed gives, where they disagree."""
    rows = list(
        db.query(
            """select pages.url, pages.titles, pages.hints ->> 'title' as told, articles.title
               from pages join articles on articles.id = article_id
               where pages.source_id = ? and pages.state = 'article' and pages.titles is not null and told is not null
               order by articles.sort_at desc limit ?""",
            [source["id"], NEWEST],
        )
    )
    agreeing = Counter(
        name for row in rows for name, line in json.loads(row["titles"]).items() if _same(line, row["told"])
    )
    wrong = [row["url"] for row in rows if not _same(row["title"], row["told"])]
    for name, count in agreeing.most_common(1):
        if len(rows) >= FEWEST and count >= AGREED * len(rows) and len(wrong) > len(rows) - count:
            evidence = f"{name} is what the feed calls the article on {count} of {len(rows)} pages; the title stored now is it on {len(rows) - len(wrong)}"
            yield _proposal(source, "title", name, evidence, wrong)


def _same(one: str | None, other: str | None) -> bool:
    return tokens(one or "") == tokens(other or "")


def _proposal(source: Row, key: str, value: str, evidence: str, urls: Sequence[str]) -> Proposal:
    return Proposal(
        source=source["url"], name=source["name"], key=key, value=value, evidence=evidence, examples=tuple(urls[:3])
    )
