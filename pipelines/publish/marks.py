"""Marks: what became of an article since, beside its title in every list: corrected, gone, copied by others, one report of several."""

import json
import sqlite3
from typing import Any

OWN = "pages.article_id = versions.article_id and (pages.state = 'article' or pages.reason not in ('text', 'near'))"
"""Whether the page of a version is the article's own, at any of its addresses, and no copy."""

EARLIER = """(select candidate.id from versions as candidate
    where candidate.article_id = versions.article_id and candidate.page_id = versions.page_id
        and candidate.version < versions.version
    order by candidate.version desc limit 1)"""
"""The version that the same page had before; NULL where this is its first."""

COUNTED = 1_000
"""Copies of an article that are looked at to say by how many others it was copied."""


def with_marks(base: sqlite3.Connection, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Articles by `id` with what became of each: `changed_at`, the time of its last correction, `gone_at`, `copied_by`, how many
    other sources have its text, and `story_reports`, how many reports its story has, itself included."""
    marks = base.execute(MARKS, {"ids": json.dumps([one["id"] for one in found])})
    columns = [column[0] for column in marks.description]
    by_id = {mark[0]: dict(zip(columns, mark, strict=True)) for mark in marks}
    return [
        one | by_id[one["id"]] for one in found if one["id"] in by_id
    ]  # a takedown may have come since they were found


MARKS = f"""select articles.id, coalesce(stories.article_count, 1) as story_reports, articles.gone_at, (
        select versions.fetched_at from versions cross join pages on pages.id = versions.page_id and {OWN}
        where versions.article_id = articles.id and articles.version_count > 1 and {EARLIER} is not null and versions.cause = 'site'
        order by versions.version desc limit 1
    ) as changed_at, (
        select count(distinct source_id) from (
            select pages.source_id from pages
            where pages.article_id = articles.id and pages.state = 'duplicate' and pages.reason in ('text', 'near') limit {COUNTED}
        ) as copies where copies.source_id is not articles.source_id
    ) as copied_by
    from json_each(:ids) as hit cross join articles on articles.id = hit.value
    left join stories on stories.id = articles.story_id"""
