"""Two archives compared by address: what a rebuild from the WARC files must give again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conftest import connect

COMPARED = {
    "articles": """select articles.url, sources.url as source, title, text, description, authors, date_published, date_published_raw,
        date_published_source, date_modified, sort_at, articles.language, language_declared, section, keywords, image_url, site_name,
        is_accessible_for_free, dateline, kicker, word_count, content_hash, extractor, text_source, first_seen_at, gone_at, version_count
        from articles left join sources on sources.id = articles.source_id""",
    "pages": """select pages.url, sources.url as source, via, state, pages.reason, articles.url as article, similarity, pages.title,
        pages.date_published, hints, http_status, discovered_at, pages.content_hash, titles, reservations, notice, pages.extractor,
        unchecked, etag, last_modified, warc, warc_offset
        from pages left join sources on sources.id = pages.source_id left join articles on articles.id = article_id
        where state in ('article', 'duplicate', 'refused') and pages.reason is not 'robots'""",
    "versions": """select articles.url || ' ' || version as url, pages.url as page, fetched_at, versions.title, versions.text,
        versions.content_hash, words_added, words_removed
        from versions join articles on articles.id = versions.article_id join pages on pages.id = page_id""",
    "stories": """select group_concat(url, ' ') as url, title, first_seen_at, last_seen_at, article_count, source_count from (
        select articles.url, stories.* from stories join articles on articles.story_id = stories.id order by articles.url) group by id""",
    "captures": """select captures.file || ' ' || captures.offset as url, pages.url as page, captures.fetched_at, captures.status,
        captures.reason, captures.length, captures.digest, original.file as same_file, original.offset as same_offset
        from captures join pages on pages.id = captures.page_id left join captures as original on original.id = captures.revisit_of""",
}  # fmt: skip
"""What must be equal, by its `url`. Not when a page was last asked and is next: answers that said nothing new are not kept."""


def differences(crawled: Path, rebuilt: Path) -> list[str]:
    """Every cell of COMPARED that two archives do not have in common."""
    return [line for table, sql in COMPARED.items() for line in _differences(table, sql, crawled, rebuilt)]


def _differences(table: str, sql: str, crawled: Path, rebuilt: Path) -> Iterator[str]:
    was, now = _rows(crawled, sql), _rows(rebuilt, sql)
    for url in sorted(was.keys() | now.keys()):
        if url not in was or url not in now:
            yield f"{table}: {url}: only in {'the rebuilt' if url in now else 'the crawled'} archive"
            continue
        for name, value in was[url].items():
            if now[url][name] != value:
                yield f"{table}: {url}: {name}: {value!r} became {now[url][name]!r}"


def _rows(db: Path, sql: str) -> dict[str, dict[str, Any]]:
    base = connect(db)
    try:
        return {row["url"]: dict(row) for row in base.execute(sql)}
    finally:
        base.close()
