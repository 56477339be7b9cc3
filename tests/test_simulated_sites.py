"""The simulated sites of the benchmarks: what they answer is what they have published."""

import random
from datetime import UTC, datetime, timedelta

from crawler.parsers.listings import read_listing
from tests.support.simulated_kinds import KINDS
from tests.support.simulated_sites import Paper, at_once

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


def made(**facts: object) -> Paper:
    return Paper(name="A", base="https://a.example", begin=BEGIN, days=2, rhythm=at_once(6, 3), **facts)  # type: ignore[arg-type]


def test_an_article_is_not_there_before_it_is_published() -> None:
    paper = made(backlog=0)
    first = paper.reports[0]
    assert paper.answer(first.path, first.at - timedelta(seconds=1), {}).status == 404
    assert first.mark in paper.answer(first.path, first.at, {}).body.decode()


def test_a_feed_names_what_is_published_newest_first() -> None:
    paper = made(backlog=2)
    paper.rss(entries=4)
    now = BEGIN + timedelta(days=1)
    body = paper.answer("/feed", now, {}).body
    named = [link.url for link in read_listing(body, "https://a.example/feed", "feed").links]
    assert named == [f"https://a.example{report.path}" for report in reversed(paper.published(now)[-4:])]


def test_who_has_it_already_is_told_so() -> None:
    paper = made()
    paper.rss()
    etag = paper.answer("/feed", BEGIN, {}).headers["ETag"]
    assert paper.answer("/feed", BEGIN, {"if-none-match": etag}).status == 304


def test_every_kind_of_site_can_be_built_and_answers_its_front_page() -> None:
    def plan(prefix: str = "", **facts: object) -> Paper:
        base = f"https://{prefix}{random.Random(prefix).randint(0, 9)}.example"
        return Paper(name=prefix, base=base, begin=BEGIN, days=1, **facts)  # type: ignore[arg-type]

    answers = [kind(plan).paper.answer("/", BEGIN, {}) for kind in KINDS.values()]
    assert all(said.status in (200, 301, 302) or said.failure for said in answers)
