"""What the page of an article, a story or a source holds, before it becomes HTML, JSON or CSV: rows, and lists of rows.

The first entry is the row itself, under its own name. None where there is no such row.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from sqlite3 import Connection
from typing import Any

from pipelines.publish import differences, queries
from pipelines.publish.sources import listings_of
from pipelines.text import word_count

Contents = dict[str, Any]
"""Name -> a row, or a list of rows."""


MAX_COMPARED = 300_000
"""Characters of versions that a page compares: a news text of a thousand words has 6,000, a hostile one a million."""


def article(base: Connection, number: int) -> Contents | None:
    """`article`, its lists read; its `copies` elsewhere; its `changes`, the last one first; the other `reports` of its story; its
    `captures`, which are the originals that were kept, the last one first; the `previous` and `next` article of its source."""
    found = queries.article(base, number)
    if found is None:
        return None
    lists = {name: json.loads(found[name] or "null") for name in ("authors", "keywords")}
    told = queries.reports_of(base, found["story_id"]) if found["story_id"] else []
    return {
        "article": found | lists,
        "copies": list(_compared(base, found)),
        "changes": list(_changes(queries.versions_of(base, number))),
        "reports": [report for report in told if report["id"] != number],
        "captures": queries.captures_of(base, number),
        **queries.neighbours(base, found),
    }


def _compared(base: Connection, article: queries.Row) -> Iterator[queries.Row]:
    """The copies of an article. Of near ones how much of either text stands in the other, and the `text` in pieces, `added` where
    the article has not the words and `removed` where the copy has not; None where a text is not kept or too long to be compared."""
    copies = queries.copies_of(base, article["id"])
    near = dict.fromkeys(one["content_hash"] for one in copies if one["kind"] == "near" and article["text"])
    texts = queries.texts_of_copies(base, article["id"], [one for one in near if one], MAX_COMPARED)
    for one in copies:
        text = texts.get(one.pop("content_hash"))
        said = {"share_of_article": None, "share_of_copy": None, "text": None}
        if text is not None and one["similarity"] is not None:
            said |= _against(article["text"], text, one["similarity"])
        yield one | said


def _against(article: str, copy: str, similarity: float) -> queries.Row:
    """A copy's text beside the article's; `similarity` counts the words of the shorter one, the shares those of each."""
    words, copied = word_count(article), word_count(copy)
    shared, short = similarity * min(words, copied), max(words, copied) <= differences.MAX_WORDS
    return {
        "share_of_article": shared / max(words, 1),
        "share_of_copy": shared / max(copied, 1),
        "text": differences.text_diff(article, copy) if short else None,
    }


def _changes(versions: list[queries.Row]) -> Iterator[queries.Row]:
    """From each version of a page to the next what became of `title` and `text`: [None] where nothing did, None where that would be too long."""
    left = MAX_COMPARED
    for at, new in enumerate(versions):
        old = next((one for one in versions[at + 1 :] if one["page_id"] == new["page_id"]), None)
        if old is None or new["cause"] != "site":  # the page's first, or other rules made it of the same page
            continue
        left -= len(old["text"]) + len(new["text"])
        said = {name: new[name] for name in ("version", "fetched_at", "words_added", "words_removed")}
        title = differences.word_diff(old["title"] or "", new["title"] or "")
        compared = left > 0 or old["text"] == new["text"]
        yield said | {"title": title, "text": differences.word_diff(old["text"], new["text"]) if compared else None}


def story(base: Connection, number: int) -> Contents | None:
    """`story`; its `reports` in order of time, each with its `passages`, the `share` of words that others have, too, and
    whether that is of the `whole` text or of its beginning."""
    found = queries.story(base, number)
    reports = queries.reports_of(base, number, text=True)
    if found is None or not reports:
        return None
    texts = [report.pop("text") for report in reports]
    told = [
        report | {"share": one.share, "passages": one.pieces, "whole": one.whole and len(text) < queries.BEGINNING}
        for report, text, one in zip(reports, texts, differences.shared_passages(texts), strict=True)
    ]
    return {"story": found, "reports": told}


def source(base: Connection, number: int) -> Contents | None:
    """`source`; how many articles it published `by_day`; what its newest pages lack (`missing`), how late they were seen
    (`lateness`); its last `runs`; its `newest` articles; the `feeds`, sitemaps and front pages that it is read by."""
    found = queries.source(base, number)
    if found is None:
        return None
    habits = asdict(queries.habits(base, number))
    return {
        "source": found,
        "by_day": queries.by_day(base, number),
        "lateness": habits.pop("lateness"),
        "missing": habits,
        "runs": queries.last_runs(base, found["name"]),
        "newest": queries.newest_of(base, number),
        "feeds": listings_of(base, number),
    }
