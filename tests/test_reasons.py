"""Reasons: the table has every word that the code uses and no other, and its sentences are true."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from crawler.items import MAX_PAGE_BYTES, Outcome, Page, Source
from crawler.reasons import AFTER_FAILED_POLL, AFTER_FAILURE, AFTER_REFUSAL, NEVER, REASONS, reason, sentence
from pipelines.archive.schedule import EVERY_RUN_FAILURES, LONGEST_RETRY, RETRY_AFTER, RETRY_REFUSED_AFTER
from pipelines.archive.store import Archive
from pipelines.extract.tree import MAX_TEXT
from tests.conftest import ROOT
from tests.support.syntax import modules, nodes

RAISED = ("Refusal", "NotAListing", "RobotsForbid", "RobotsUnreachable", "WorkerLost", "OutOfMemory")
"""Exceptions whose message is a reason, or the end of one."""

KEYS = ("refusal", "failure", "reason", "last_status")
"""Keywords, and columns of rows, whose value is one; other values of these names are sentences."""

ENDINGS = ("crash", "memory", "timeout")
"""What became of a worker; `extraction_` or `reading_` stands before it."""


# Every word that is used is in the table


def users() -> list[str]:
    """The modules that may use a word, all but the table's own."""
    return [name for name in modules() if name != "crawler.reasons"]


def expressions() -> Iterator[ast.expr]:
    """What may give a reason: arguments of exceptions, keywords and columns by name, what failures.py returns."""
    for name in users():
        for node in nodes(name):
            match node:
                case ast.Call(func=ast.Name(id) | ast.Attribute(attr=id), args=[first, *_]) if id in RAISED:
                    yield first
                case ast.keyword(arg=key, value=value) if key in KEYS:
                    yield value
                case ast.Dict(keys=keys, values=values):
                    named = zip(keys, values, strict=True)
                    yield from (value for key, value in named if isinstance(key, ast.Constant) and key.value in KEYS)
                case ast.Assign(targets=[ast.Name(id="failure" | "cut_off")], value=value):
                    yield value
                case ast.Return(value=ast.expr() as value) if name == "crawler.fetcher.failures":
                    yield value
                case ast.AnnAssign(target=ast.Name(id="_REASONS"), value=ast.expr() as value):
                    yield value


def literals(node: ast.AST) -> Iterator[str]:
    """The strings that an expression may be, without those of its conditions; of an f-string what it begins with, and …"""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            yield f"{text}…"
        case ast.JoinedStr() | ast.Compare() | ast.Subscript():
            return
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*literals(body), *literals(orelse))
        case _:
            yield from (text for child in ast.iter_child_nodes(node) for text in literals(child))


NO_REASONS = {"storage"}
"""What a crawl ends with; no page has it."""

SQL = re.compile(r"\b(?:pages\.)?(?:reason|last_status) (?:=|<>|in) \(?((?:'\w+'(?:, )?)+)")


@cache
def used() -> set[str]:
    given = {text for node in expressions() for text in literals(node) if re.fullmatch("[a-z0-9_]+…?", text)}
    return given | {
        word
        for text in said()
        if isinstance(text, str)
        for listed in SQL.findall(text)
        for word in re.findall(r"\w+", listed)
    }


@cache
def said() -> set[object]:
    return {node.value for name in users() for node in nodes(name) if isinstance(node, ast.Constant)}


def is_known(text: str) -> bool:
    if text in ENDINGS:
        return {f"extraction_{text}", f"reading_{text}"} <= set(REASONS)
    return text in REASONS or (text.endswith("_…") and any(word.startswith(text[:-1]) for word in REASONS))


def test_every_word_that_is_used_has_a_sentence() -> None:
    assert len(used()) > 40
    assert sorted(text for text in used() - NO_REASONS if not is_known(text)) == []


def test_every_word_that_has_a_sentence_is_used() -> None:
    ends = {word: [word.removeprefix(text[:-1]) for text in used() if text.endswith("…")] for word in REASONS}
    unused = [
        word
        for word in REASONS
        if word not in said() | used() and not any(end in (said() | {"NNN", "SITE"}) - {word} for end in ends[word])
    ]
    assert unused == []


# The sentences


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no_text", REASONS["no_text"].meaning),
        ("http_500", "the server answered with an error of its own (HTTP 500)"),
        ("http_404", "no page at this address (HTTP 404)"),
        ("http_418", "the server refuses the request (HTTP 418)"),
        ("http_204", "the answer is an error, or no page at all (HTTP 204)"),
        ("robots_http_503", "robots.txt cannot be read, so that nothing may be asked (HTTP 503)"),
        ("https://a.example/feed: timeout", "https://a.example/feed: no answer in time"),
        (
            "A: nothing to poll: https://a.example/feed: http_403; https://a.example/rss: robots",
            "A: nothing to poll: https://a.example/feed: turned away by the server (HTTP 403); https://a.example/rss: forbidden by robots.txt",
        ),
        ("my_own_word", "my own word"),
        ("stopped by a signal; the rest stays pending", "stopped by a signal; the rest stays pending"),
    ],
)
def test_people_read_a_sentence(text: str, said: str) -> None:
    assert sentence(text) == said


@pytest.mark.parametrize("word", REASONS)
def test_a_sentence_is_one_and_is_said_once(word: str) -> None:
    meaning = REASONS[word].meaning
    assert not meaning.endswith(".") and "_" not in meaning.replace("allow_private", "")
    assert sentence(sentence(word)) == sentence(word)


def test_the_sizes_that_sentences_name_are_the_limits() -> None:
    assert f"{MAX_PAGE_BYTES:,}" in REASONS["too_large"].meaning
    assert (MAX_TEXT, "a million" in REASONS["too_long"].meaning) == (1_000_000, True)


# Whether and when it is asked again


def test_the_times_are_those_of_the_schedule() -> None:
    minutes, hours = timedelta(minutes=1), timedelta(hours=1)
    assert list(RETRY_AFTER) == [10 * minutes, hours, 6 * hours, 24 * hours]
    assert AFTER_FAILURE == "after 10 minutes, 1 hour, 6 hours and 1 day, then no more"
    assert list(RETRY_REFUSED_AFTER) == [24 * hours, 7 * 24 * hours]
    assert AFTER_REFUSAL.startswith("after a day, and once more after a week;")
    assert [2, 6 * hours] == [EVERY_RUN_FAILURES, LONGEST_RETRY]
    assert AFTER_FAILED_POLL == "in the next two runs, then after twice as long each time, 6 hours at most"


@pytest.mark.parametrize("word", [word for word in REASONS if REASONS[word].kind in ("refusal", "failure")])
def test_a_page_is_asked_again_when_the_table_says_so(tmp_path: Path, word: str) -> None:
    """robots.txt forbids without an answer of the page; what is forgotten is never kept as an outcome."""
    now, url = datetime(2026, 11, 3, 12, tzinfo=UTC), "https://a.example/pier"
    status = None if word == "robots" else 200
    source = Source(url="https://a.example/", name="A")
    page = Page(url=url, final_url=url, via="feed", fetched_at=now, source=source, status=status)
    archive = Archive(tmp_path / "news.db")
    archive.sync_sources([source])
    known = REASONS[word]
    archive.keep(Outcome(page=page, **{known.kind: word}))  # type: ignore[arg-type]
    (row,) = archive.db.table("pages").rows
    due = {AFTER_REFUSAL: "2026-11-04T12:00:00Z", AFTER_FAILURE: "2026-11-03T12:10:00Z"}.get(known.again)
    assert (row["reason"], row["next_fetch_at"]) == (word, due)


def test_a_duplicate_is_never_asked_and_a_family_is_asked_as_its_members() -> None:
    assert {known.again for known in REASONS.values() if known.kind == "duplicate"} == {NEVER}
    member = reason("http_404")
    assert member is not None
    assert (member.word, member.kind, member.again) == ("http_404", "failure", AFTER_FAILURE)


# What the documentation says


USUAL = {"refusal": AFTER_REFUSAL, "failure": AFTER_FAILURE, "duplicate": NEVER, "listing": AFTER_FAILED_POLL}


@pytest.mark.parametrize("kind", USUAL)
def test_the_documentation_has_them_all(kind: str) -> None:
    """Each in its table, with when it is asked again where that is not as usual for its kind."""
    known = [one for one in REASONS.values() if one.kind == kind]
    asked = ["" if one.again == USUAL[kind] else f" {one.again}" for one in known]
    rows = [
        f"| `{one.word}` | {one.meaning} |{f'{again} |' if any(asked) else ''}"
        for one, again in zip(known, asked, strict=True)
    ]
    page = (ROOT / "docs/method.md").read_text("utf-8")
    assert "\n".join(["|---|", *rows, ""]) in page
    assert USUAL[kind] in re.sub(r"\s+", " ", page)
