"""`broadsheet crawl --urls`: single articles, from a list that a person wrote. The command line of crawler.spiders.listed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawler.cli.imports import read_list_file
from crawler.cli.run import Job, run


def crawl_listed(urls: Path, sources_file: Path | None, db: Path, settings: Mapping[str, Any], *, quiet: bool) -> int:
    """Fetch the articles that a list names; returns the exit status. No sources.toml is needed; one without a source will do."""
    from crawler.cli.common import read_sources_file
    from crawler.items import Page
    from crawler.sources.outlets import Outlets
    from crawler.spiders.news import NO_SOURCES

    listed = read_list_file(urls, (".csv", ".txt"))
    read = read_sources_file(sources_file, may_be_empty=True) if sources_file else NO_SOURCES
    outlets, now = Outlets(read.sources), datetime.now(UTC)
    pages = tuple(
        Page(
            url=url,
            final_url=url,
            via="listed",
            fetched_at=now,
            source=outlets.source_of(url, one.outlet),
            hints=one.hints,
        )
        for one in listed
        if (url := one.url)
    )
    return run(Job(spider="listed", db=db, settings=settings, arguments={}, read=read, listed=pages, quiet=quiet))
