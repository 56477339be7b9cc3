"""What readers are told of a source's health: sentences, whatever the rules have found, and no word of a machine."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.reasons import REASONS
from pipelines.archive.health_rules import Facts, Habits, PageMark, judge
from pipelines.publish.health_sentences import as_html, explanation, poll, run, word

FEED, NEW = "https://a.example/feed.xml", "https://b.example/feed.xml"


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        ("ok", None, ""),
        ("new", None, "It has not been read yet."),
        ("off", "not in sources.toml", "It is not in sources.toml any more, so nobody looks at it."),
        ("off", "enabled = false in sources.toml", "It is switched off in sources.toml, so nobody looks at it."),
        (
            "off",
            "only imported or listed, not in sources.toml",
            "Its pages were imported or named one by one: it is not in sources.toml, so nobody looks at it.",
        ),
        (
            "ok",
            "waits: a.example wants to be left alone until 2026-11-21T08:15:00Z",
            "Not all of it was asked for in the last run: a.example asks to be left alone until 21 November 2026, 08:15 UTC.",
        ),
        (
            "new",
            "waits: the budget of a.example for one run, 1,000 requests, is spent",
            "It has not been read yet. Not all of it was asked for in the last run: the 1,000 requests that a run may send to"
            " a.example are spent.",
        ),
        (
            "broken",
            f"{FEED}: redirects to {NEW}: no page at this address (HTTP 404), and 2 more; 3 looks in a row",
            f"{FEED} cannot be read: it redirects to {NEW}: no page at this address (HTTP 404). Nor can 2 more of its addresses."
            " It was tried 3 times in a row.",
        ),
        (
            "broken",
            f"{FEED} (moved for good to {NEW}): neither RSS, Atom nor JSON Feed",
            f"{FEED} has moved for good to {NEW}, and cannot be read there: neither RSS, Atom nor JSON Feed.",
        ),
        (
            "broken",
            f"{FEED}: {REASONS['certificate_expired'].meaning}; 3 looks in a row; {FEED} redirects for good to {NEW}",
            f"{FEED} cannot be read: {REASONS['certificate_expired'].meaning}. It was tried 3 times in a row."
            f" {FEED} redirects for good to {NEW}.",
        ),
        (
            "blocked",
            "https://a.example/: nothing to poll: https://a.example/feed: forbidden by robots.txt; https://a.example/rss: no answer in time",
            "No feed, no sitemap and no front page that names articles was found at https://a.example/."
            " https://a.example/feed cannot be read: forbidden by robots.txt. https://a.example/rss cannot be read: no answer in time.",
        ),
        (
            "blocked",
            "6 of the last 10 pages: turned away by the server (HTTP 403)",
            "6 of its last 10 pages could not be read: turned away by the server (HTTP 403).",
        ),
        (
            "empty",
            "13 of 13 pages: a list of links, not an article; no article among them",
            "13 of its 13 pages so far are no articles: a list of links, not an article. There is no article among them.",
        ),
        (
            "empty",
            "1 of 1 page: no text to be found; no article among them",
            "Its only page so far is no article: no text to be found. There is no article among them.",
        ),
        (
            "empty",
            "no page is named there, in 3 looks; of sitemaps only what `since` lets through counts",
            "No page was named there in 3 looks. Of sitemaps only what `since` in sources.toml lets through counts.",
        ),
        (
            "changed",
            "under half the usual length in 10 of the last 10 articles; before that in 0 of 100",
            "10 of its last 10 articles are under half as long as usual. Before that it was 0 of 100.",
        ),
        (
            "quiet",
            f"nothing new for 5 days, the last on 2026-02-27; its longest silence before was 1 hours; {FEED} has moved for good to {NEW}:"
            " put that into sources.toml",
            "Nothing new for 5 days. Its last article came on 27 February 2026. Its longest silence before was 1 hour."
            f" {FEED} has moved for good to {NEW}: write the new address into sources.toml.",
        ),
        ("ok", "the owner's own words", "The owner's own words."),
    ],
)  # fmt: skip
def test_a_reason_is_told_in_sentences(status: str, reason: str | None, said: str) -> None:
    assert explanation(status, reason) == said


MACHINE = re.compile(
    r"looks? in a row|before that in|put that|among them;|waits:|_|\d{4}-\d\d-\d\d|\bNone\b|; [a-z]+ [a-z]+ in \d"
)

marks = st.lists(
    st.sampled_from(
        ["400", "190", "400t", "400d", "400a", "=", "-index", "-scripted", "!http_403", "!robots", "?timeout"]
    ),
    max_size=10,
).map(lambda words: tuple(map(PageMark.decode, words)))
habits = st.builds(
    Habits,
    silent_hours=st.sampled_from([0.0, 80.0, 999.0]),
    gaps=st.sampled_from([(), tuple((f"2026-W{week:02}", 62.0) for week in range(1, 10))]),
    recent=marks,
    before=st.sampled_from([(), (PageMark.decode("400"),) * 100]),
    empty_looks=st.sampled_from([None, 1, 3]),
)
sundry = st.sampled_from(["http_404", "http_403", "robots", "timeout", "certificate", "not_a_feed", "elsewhere_b.example", "nothing_to_poll",
                          f"nothing to poll: {FEED}: http_404; {NEW}: robots", f"redirects to {NEW}: http_500", "bug"])  # fmt: skip
facts = st.builds(
    Facts,
    ever_read=st.booleans(),
    failures=st.integers(0, 4),
    failed=st.lists(st.tuples(st.sampled_from([FEED, NEW]), sundry), min_size=1, max_size=3).map(tuple),
    habits=habits,
    last_new_at=st.sampled_from([None, "2026-11-20T08:00:00Z"]),
    pages=st.booleans(),
    moved=st.sampled_from([(), ((FEED, NEW),), (("http://a.example/x/", "https://www.a.example/x"),)]),
    missed_at=st.sampled_from([None, "2026-11-20T08:00:00Z"]),
    left_out=st.sampled_from([(), ((FEED, 12_345),)]),
    relinked_at=st.sampled_from([None, "2026-11-20T08:00:00Z"]),
)


def is_told(said: str) -> bool:
    """Whether this is for people; what to write into sources.toml stands between backticks."""
    return said.endswith(".") and MACHINE.search(re.sub("`[^`]+`", "", said)) is None


@given(facts=facts)
def test_whatever_the_rules_find_is_told_without_a_word_of_a_machine(facts: Facts) -> None:
    health = judge(facts)
    said = explanation(health.word, health.reason)
    assert not said or is_told(said), said


def test_how_a_listing_did_is_a_sentence() -> None:
    words = (*REASONS, "http_404", "robots_http_503", f"redirects to {NEW}: http_404", None)
    assert [said for said in map(poll, words) if not said.startswith("It ") or not is_told(said)] == []


def test_words_of_another_hand_stay_as_they_are() -> None:
    assert (word("odd"), run("odd"), explanation("odd", "Because!")) == ("odd", "odd", "Because!")


def test_what_stands_between_backticks_is_code_and_markup_is_text() -> None:
    assert as_html("<b> write `a = 1`.") == "&lt;b&gt; write <code>a = 1</code>."
