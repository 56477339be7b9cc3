"""What the archive holds as English words and sentences, in every language of the reading room."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from babel import Locale

from crawler.reasons import REASONS, sentence
from pipelines.archive.health_rules import Facts, Habits, PageMark, judge
from pipelines.publish import archive_words, health_sentences, translation
from tests.conftest import connect


def in_german(said: str, status: str = "broken") -> str:
    with translation.read_in(Locale("de")):
        return str(health_sentences.as_html(health_sentences.explanation(status, said)))


URL = "https://a.example/feed"
GAPS = tuple((f"2026-W{week:02}", 30.0) for week in range(1, 20))


def mark(kind: str, reason: str = "", **more: Any) -> PageMark:
    return PageMark(kind=kind, reason=reason, **more)


def habits(*recent: PageMark, before: PageMark | None = None, **more: Any) -> Habits:
    return Habits(recent=recent, before=(before,) * 40 if before else (), **more)


LONG, SHORT = mark("article", words=400), mark("article", words=40)
FACTS = {
    "failed": Facts(ever_read=False, failures=2, failed=((URL, "http_404"), (URL, "timeout")), moved=((URL, URL + "/2"),)),
    "certificate": Facts(ever_read=False, failures=1, failed=((URL, "certificate_expired"),)),
    "another site": Facts(ever_read=False, failures=1, failed=((URL, "elsewhere_b.example"),)),
    "blocked pages": Facts(ever_read=True, habits=habits(*[mark("blocked", "robots")] * 8)),
    "no articles": Facts(ever_read=True, habits=habits(*[mark("refused", "index")] * 7, empty_looks=4)),
    "one page": Facts(ever_read=True, habits=habits(mark("refused", "index"), empty_looks=4)),
    "no page": Facts(ever_read=True, pages=False, habits=Habits(empty_looks=4)),
    "none any more": Facts(ever_read=True, habits=habits(*[mark("refused", "index")] * 10, before=LONG)),
    "no titles": Facts(ever_read=True, habits=habits(*[mark("article", words=400, lacks="t")] * 10, before=LONG)),
    "no dates": Facts(ever_read=True, habits=habits(*[mark("article", words=400, lacks="d")] * 10, before=LONG)),
    "no authors": Facts(ever_read=True, habits=habits(*[mark("article", words=400, lacks="a")] * 10, before=LONG)),
    "short": Facts(ever_read=True, habits=habits(*[SHORT] * 10, before=LONG)),
    "silent": Facts(ever_read=True, habits=Habits(silent_hours=900, gaps=GAPS)),
    "silent since": Facts(ever_read=True, habits=Habits(silent_hours=900, gaps=GAPS), last_new_at="2026-11-02T08:00:00Z"),
    "notes": Facts(
        ever_read=True,
        habits=habits(*[mark("refused", "scripted")] * 7),
        missed_at="2026-11-02T08:00:00Z",
        left_out=((URL, 1200),),
        relinked_at="2026-11-02T08:00:00Z",
        moved=((URL, "https://b.example/"), ("http://c.example", "https://www.c.example/")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("facts", FACTS.values(), ids=FACTS)
def test_why_a_source_is_unwell_is_said_in_every_language(facts: Facts) -> None:
    health = judge(facts)
    for language in {*translation.languages()} - {"en"}:
        with translation.read_in(Locale(language)):
            said = str(health_sentences.as_html(health_sentences.explanation(health.word, health.reason)))
        assert said and 'lang="en"' not in said, said
        assert said.count("https://") <= said.count('<bdi dir="ltr">http')
        left = re.sub("<code>.*?</code>|<[^>]*>|https?:\\S+", "", said)
        assert not re.search(r"\b(the|of|is|are|before|looks?|its|it|not|cannot|duration)\b", left.lower()), left


def test_a_reason_in_words_of_nobody_s_stays_and_says_that_it_is_english() -> None:
    said = in_german(f"{URL}: no answer in time; <b>strange</b>")
    assert said.endswith(
        'keine Antwort in der erwarteten Zeit. <span lang="en" dir="ltr">&lt;b&gt;strange&lt;/b&gt;.</span>'
    )


WORDS = [word.replace("NNN", "418").replace("SITE", "b.example") for word in REASONS]


@pytest.mark.parametrize("word", [*WORDS, "http_404", "http_503", "robots_http_500"])
def test_a_reason_is_the_same_whether_its_word_or_its_sentence_is_translated(word: str) -> None:
    with translation.read_in(Locale("de")):
        assert archive_words.meaning(sentence(word)) == sentence(word, translation.gettext) != sentence(word)


def test_numbers_and_dates_are_the_reader_s_in_stored_sentences_too() -> None:
    said = in_german(
        f"{URL}: 1,200 addresses without a date were left out as likely old; nothing new for 31 hours, the last on 2026-11-02; its longest silence before was 5 days"
    )
    assert "1.200 ihrer Adressen ohne Datum" in said
    assert (
        "31 Stunden lang nichts Neues. Ihr letzter Artikel kam am 2. November 2026. Ihre längste Stille davor: 5 Tage."
        in said
    )


@pytest.mark.parametrize(("table", "said"), [("sources", health_sentences.word), ("runs", health_sentences.run)])
def test_every_word_of_a_status_has_a_translation(table: str, said: Callable[[str], str], demo: Path) -> None:
    base = connect(demo)
    (sql,) = base.execute("select sql from sqlite_schema where name = ?", (table,)).fetchone()
    base.close()
    (known,) = re.findall(r"check \(status in \((.*?)\)\)", sql)
    with translation.read_in(Locale("fr")):
        assert [word for word in re.findall(r"'(\w+)'", known) if said(word) == word] == []
