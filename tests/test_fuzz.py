"""Whatever a reader is given, it gives a result of the documented shape or the documented refusal.

Fixed mutants of the corpus, a few hundred of each kind; tests/benchmarks/fuzz.py has tens of thousands through the whole program, and how long the slowest takes.
"""

import json
import sqlite3
from collections import Counter
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import Response

from crawler.fetcher.backoff import BACKOFF_MAX, retry_after
from crawler.items import Page
from crawler.parsers.listings import read_listing
from crawler.urls import UnusableURL, canonical_url, same_site, site_of
from pipelines.archive.store import Archive
from pipelines.database.doctor import examine
from pipelines.extract.pipeline import outcome_of
from tests.support import laws
from tests.support.laws import LAWS, NOW
from tests.support.mutations import JSON_LD_KEYS, JSON_VALUES, VALUES, Mutant, mutant

SEEDS = {"page": 25, "text": 40, "feed": 40, "sitemap": 80, "txt": 40, "csv": 25, "sources": 60}
"""Mutants of each kind that take a second or two on a slow machine; of what is not named, a hundred."""

MOST = 200_000
"""Bytes of a mutant here: what is larger is for the benchmark."""


@pytest.mark.parametrize("kind", LAWS)
def test_no_mutant_gives_anything_but_a_result_or_a_named_refusal(kind: str) -> None:
    found = Counter[str]()
    for seed in range(SEEDS.get(kind, 100)):
        made = mutant(kind, seed)
        made = replace(made, body=made.body[:MOST])
        found[LAWS[kind](made)] += 1
    assert found.total() == SEEDS.get(kind, 100)


def test_a_mutant_comes_again_by_its_number() -> None:
    assert [mutant(kind, 5) for kind in LAWS] == [mutant(kind, 5) for kind in LAWS]
    assert mutant("page", 5).body != mutant("page", 6).body


SAID = st.text(max_size=60) | st.sampled_from([value.decode("utf-8", "replace") for value in VALUES])


@given(st.fixed_dictionaries(dict.fromkeys(("title", "summary", "date_published", "language", "image"), SAID)))
def test_whatever_a_feed_says_the_article_keeps_its_shape(said: dict[str, str]) -> None:
    item = said | {"url": "/a", "authors": [{"name": said["title"]}]}
    feed = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [item]}).encode()
    (link,) = read_listing(feed, laws.URL, "feed").links
    silent = Mutant(name="", body=b"<p>The crane fell over in the gale on Wednesday, and two were hurt.</p>" * 3)
    assert laws.page(silent, link.hints) in ("article", "too_short", "turned_away")


ANY_JSON = st.recursive(
    st.sampled_from(JSON_VALUES) | st.text(max_size=20),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.sampled_from(JSON_LD_KEYS), some, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(JSON_LD_KEYS), ANY_JSON, max_size=6), st.booleans())
def test_whatever_json_ld_says_the_article_keeps_its_shape(said: dict[str, Any], typed: bool) -> None:
    said = {"@type": "NewsArticle"} | said if typed else said
    text = "<p>The crane fell over in the gale on Wednesday, and two were hurt, said the harbour master.</p>" * 3
    body = f'<script type="application/ld+json">{json.dumps(said)}</script><article>{text}</article>'
    assert laws.page(Mutant(name="", body=body.encode(), content_type="text/html"))


@given(st.text() | st.sampled_from([value.decode("utf-8", "replace") for value in VALUES]), st.text(max_size=5))
def test_a_canonical_address_is_of_the_web_and_names_nobody(url: str, around: str) -> None:
    for said in (url, around + url, f"https://{url}/{around}", f"https://x.example/{url}?{around}"):
        with suppress(UnusableURL):
            parts = urlsplit(canonical_url(said))
            assert parts.scheme in ("http", "https")
            assert parts.hostname
            assert not parts.username
            assert canonical_url(parts.geturl()) == parts.geturl()
        assert same_site(said, said) == (site_of(said) is not None)


@given(
    st.binary(max_size=40)
    | st.from_regex(rb"[A-Z][a-z]{2}, \d{1,9} [A-Z][a-z]{2} \d{1,5} \d\d:\d\d:\d\d .{1,6}")
    | st.sampled_from(VALUES)
)
def test_whatever_retry_after_says_a_host_is_left_alone_for_a_time_to_come_or_not_at_all(said: bytes) -> None:
    wait = retry_after(Response("https://x.example/", headers={b"Retry-After": said}), NOW)
    assert wait is None or timedelta() < wait
    assert min(wait or BACKOFF_MAX, BACKOFF_MAX) <= BACKOFF_MAX


def test_an_archive_of_mutants_is_sound_and_holds_nothing_unfit(tmp_path: Path) -> None:
    db = tmp_path / "news.db"
    with closing(Archive(db)) as archive:
        archive.start_run(argv=["import"], version="0", now=NOW)
        for seed in range(500, 530):
            made = mutant("page", seed)
            url = f"https://www.x.example/{seed}"
            given = Page(
                url=url,
                final_url=url,
                via="file",
                fetched_at=NOW,
                body=made.body[:MOST],
                content_type=made.content_type,
            )
            archive.keep(outcome_of(given))
        archive.finish_run(status="ok", reason=None, now=NOW)
        assert [
            finding.what for finding in examine(archive.db, db) if not finding.sound and "space" not in finding.what
        ] == []
    with closing(sqlite3.connect(db)) as base:
        rows = [row for table in ("articles", "pages", "versions") for row in base.execute(f"select * from {table}")]
    assert not [value for row in rows for value in row if isinstance(value, str) and laws.UNFIT.search(value)]
    assert len(rows) > 35
