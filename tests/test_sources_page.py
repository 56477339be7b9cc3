"""The pages of sources as a browser without JavaScript gets them: sorted, narrowed, drawn and explained."""

import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.database.connection import connect

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sources in every state, with articles of the last days."""
    db = tmp_path_factory.mktemp("sources") / "news.db"
    connect(db, write=True).close()
    return db


def plan(archive: Path, sql: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(archive)) as base:
        return [step[3] for step in base.execute(f"explain query plan {sql}")]


@pytest.mark.parametrize("of", ["", " where source_id = 1"], ids=["all", "one"])
def test_the_health_of_sources_is_counted_along_an_index_without_sorting_articles(archive: Path, of: str) -> None:
    steps = plan(archive, f"select * from source_health{of}")
    assert {step for step in steps if " articles " in step or "articles_" in step} == {
        "SEARCH articles USING COVERING INDEX articles_source_seen (source_id=? AND first_seen_at>?)",
        "SEARCH articles USING COVERING INDEX articles_source_seen (source_id=? AND first_seen_at>? AND first_seen_at<?)",
    }
    assert not any("GROUP BY" in step for step in steps)
