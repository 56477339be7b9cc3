"""A takedown: the words are gone from the bytes of the file, the address is refused for good, and nobody else loses a text."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.items import Article, Hints, Link, Listing, Outcome, Page, Source
from pipelines.archive.store import Archive
from pipelines.archive.takedown import Forgotten, erase, wanted_url
from pipelines.database.lock import run_lock
from tests.conftest import broadsheet, connect
from tests.support.loopback import article_html, serving, story
from tests.support.newsroom import Newsroom
from tests.test_deduplicate import NOON, A, B, C, article, contents, page, report
from tests.test_stories import account, told

WORD = "qzxjvkw"
TEXT = report("pier", 120) + f" It was {WORD}."
NEAR = f"Islanders told {WORD} another story on Sunday. " + TEXT.rsplit(" ", 30)[0]
REFUSED = ("refused", "forgotten", None)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    archive = Archive(tmp_path / "news.db")
    archive.db.execute("pragma secure_delete = off")  # Debian's SQLite has it on, others have not
    yield archive
    archive.close()


def keep(archive: Archive, one: Page, its: Article | None = None, **outcome: Any) -> None:
    archive.keep(Outcome(page=one, article=its, **outcome))


def forget(archive: Archive, *urls: str) -> list[Forgotten]:
    return archive.forget(archive.plan_takedown([wanted_url(url) for url in urls]), NOON)


def rows(archive: Archive, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in archive.db.execute(sql)]


def holds(archive: Archive, word: str) -> bool:
    """Whether the file, its log included, has these bytes anywhere."""
    files = archive.path.parent.glob(archive.path.name + "*")
    return any(word.encode() in path.read_bytes().lower() for path in files)


def test_what_stood_with_a_page_is_gone_with_it(archive: Archive) -> None:
    keep(archive, page(A), replace(article(TEXT), notice="4f2a", reservations=("noarchive",)))
    forget(archive, A)
    assert rows(archive, "select notice, reservations from pages") == [(None, None)]


def test_what_a_feed_told_of_a_page_is_gone_with_it(archive: Archive) -> None:
    source = Source(url="https://a.example/", name="A")
    link = Link(url=A, feed_html=f"<p>{TEXT}</p>")
    archive.keep(
        Listing(url="https://a.example/feed", source=source, kind="rss", fetched_at=NOON, status=200, links=(link,))
    )
    assert rows(archive, "select html from feed_texts") == [(link.feed_html,)]
    forget(archive, A)
    erase(archive.db)
    assert rows(archive, "select * from feed_texts") == []
    assert not holds(archive, WORD)
    archive.keep(
        Listing(url="https://a.example/feed", source=source, kind="rss", fetched_at=NOON, status=200, links=(link,))
    )
    assert rows(archive, "select * from feed_texts") == []


def test_every_word_is_gone_from_the_bytes_of_the_file(archive: Archive) -> None:
    for number in range(30):  # others before and after it, so that it lies in the midst of shared pages
        keep(archive, page(f"https://a.example/{number}"), article(report(f"other {number}", 80)))
    hints = Hints(title=f"Teaser {WORD}", description=WORD)
    keep(archive, page(A, hints=hints), article(TEXT, title=f"Title {WORD}"))
    keep(archive, page(A, minutes=60), article(TEXT + f" Corrected by {WORD}.", title=WORD))
    keep(archive, page(B, minutes=90), article(NEAR, title=f"Copy {WORD}"))
    assert holds(archive, WORD)
    forget(archive, A)
    assert erase(archive.db)
    assert not holds(archive, WORD)
    assert rows(archive, "select count(*), count(story_id) from articles") == [(30, 0)]
    assert rows(archive, "select count(*) from fingerprints where article_id not in (select id from articles)") == [
        (0,)
    ]
    archive.db.execute("create virtual table temp.terms using fts5vocab ('main', 'articles_fts', 'row')")
    assert rows(archive, f"select * from terms where term = '{WORD}'") == []


def test_with_an_article_all_its_addresses_are_refused_and_named(archive: Archive) -> None:
    keep(archive, page(A, found="https://a.example/old", warc="a.warc.gz"), article(TEXT, title="T", canonical=C))
    keep(archive, page(B, minutes=5), article(TEXT, title="T"))
    assert forget(archive, "https://a.example/old?utm_source=feed#top") == [
        Forgotten(
            url="https://a.example/old",
            was="article",
            with_it=(A, C, B),
            page_ids=(1, 2, 3, 4),
            versions=1,
            archives=("a.warc.gz",),
        )
    ]
    assert set(contents(archive).values()) == {REFUSED}
    kept = "title, titles, hints, date_published, content_hash, etag, extractor, similarity"
    assert set(rows(archive, f"select {kept} from pages")) == {(None,) * 8}


def test_a_forgotten_copy_takes_only_its_own_words(archive: Archive) -> None:
    keep(archive, page(A), article(TEXT, title="Original"))
    keep(archive, page(B, minutes=5), article(NEAR, title=f"Copy {WORD}s"))
    (taken,) = forget(archive, B)
    assert erase(archive.db)
    assert (taken.was, taken.stays, taken.with_it) == ("copy", A, ())
    assert contents(archive) == {A: ("article", None, A), B: REFUSED}
    assert rows(archive, "select title, text, version_count from articles") == [("Original", TEXT, 1)]
    assert rows(archive, "select count(*) from versions") == [(0,)]
    assert not holds(archive, f"{WORD}s")
    fresh = Archive(archive.path.with_name("fresh.db"))
    keep(fresh, page(A), article(TEXT, title="Original"))
    assert rows(archive, "select * from fingerprints") == rows(fresh, "select * from fingerprints")


def test_the_words_of_a_forgotten_copy_stay_where_another_copy_has_them_too(archive: Archive) -> None:
    keep(archive, page(A), article(TEXT))
    keep(archive, page(B, minutes=5), article(NEAR, title="B"))
    keep(archive, page("https://d.example/", minutes=6), article(NEAR, title="D"))
    forget(archive, B)
    own_and_heir = "select pages.url, versions.title, version from versions join pages on pages.id = page_id order by 3"
    assert rows(archive, own_and_heir) == [(A, "Title", 1), ("https://d.example/", "D", 2)]
    assert contents(archive)["https://d.example/"] == ("duplicate", "near", A)


RETURNS = [
    pytest.param(page(A, minutes=9), article(TEXT), id="the address itself"),
    pytest.param(page(A, found="https://a.example/new", minutes=9), article(TEXT), id="a redirect to it"),
    pytest.param(page("https://a.example/new", found=A, minutes=9), article(TEXT), id="a redirect from it"),
    pytest.param(
        page("https://m.a.example/p", minutes=9), article(TEXT, canonical=A), id="a page of its site naming it"
    ),
    pytest.param(page(B, minutes=9), article(TEXT, canonical=A), id="a page of another site naming it"),
    pytest.param(page("urn:sha256:1", minutes=9), article(TEXT, canonical=A), id="a saved copy naming it"),
]


@pytest.mark.parametrize(("one", "its"), RETURNS)
def test_nothing_that_leads_to_a_forgotten_address_is_stored(archive: Archive, one: Page, its: Article) -> None:
    keep(archive, page(A), article(TEXT))
    forget(archive, A)
    keep(archive, replace(one, hints=Hints(title=WORD)), its)
    keep(archive, one, refusal="too_short")
    assert rows(archive, "select count(*) from articles") == [(0,)]
    assert set(rows(archive, "select state, reason, title, hints from pages where url in (select url from pages)")) == {
        ("refused", "forgotten", None, None)
    }


def test_an_article_that_later_leads_to_a_forgotten_address_keeps_its_text(archive: Archive) -> None:
    watched = replace(page(B), via="feed", source=Source(url="https://b.example/", name="B"))
    keep(archive, watched, article(TEXT))
    forget(archive, A)
    keep(archive, replace(watched, fetched_at=NOON + timedelta(hours=2)), article(TEXT, canonical=A))
    assert contents(archive) == {A: REFUSED, B: ("article", None, B)}
    ((again,),) = rows(archive, "select next_fetch_at from pages where state = 'article'")
    assert again > "2026-11-03T14"  # and is not asked in every run from now on


def test_a_feed_that_names_a_forgotten_address_brings_no_hint_of_it_back(archive: Archive) -> None:
    keep(archive, page(A), article(TEXT))
    forget(archive, A)
    link = Link(url=A, hints=Hints(title=WORD))
    source = Source(url="https://a.example/", name="A")
    archive.sync_sources([source])
    archive.keep(Listing(url="https://a.example/feed", source=source, kind="rss", fetched_at=NOON, links=(link,)))
    assert rows(archive, "select state, reason, hints from pages") == [("refused", "forgotten", None)]


def test_the_same_text_under_an_address_that_nobody_named_is_a_new_article(archive: Archive) -> None:
    keep(archive, page(A), article(TEXT))
    forget(archive, A)
    keep(archive, page(B, minutes=9), article(TEXT))
    assert contents(archive) == {A: REFUSED, B: ("article", None, B)}
    assert rows(archive, "select id from articles") == [(2,)]


def test_stories_and_numbers_of_what_is_gone_lead_nowhere(archive: Archive) -> None:
    for desk in ("one", "two", "three"):
        archive.keep(told(desk, account("bridge", desk), title=f"{desk} {WORD}"))
    archive.start_run(argv=["test"], version="1", now=NOON)
    archive.finish_run(status="ok", reason=None, now=NOON)
    centre = rows(archive, "select substr(title, 1, instr(title, ' ') - 1) from stories")[0][0]
    forget(archive, f"https://{centre}.example/news")
    assert rows(archive, "select id, article_count from stories") == [(1, 2)]
    assert rows(archive, "select title from stories where title in (select title from articles)")
    forget(archive, *(f"https://{desk}.example/news" for desk in ("one", "two", "three")))
    assert rows(archive, "select count(*) from stories") == [(0,)]
    assert rows(archive, "select kind, count(*), max(new_id) from moved group by 1") == [
        ("article", 3, 0),
        ("story", 1, 0),
    ]


def test_a_reader_keeps_the_log_from_being_emptied_and_that_is_said(archive: Archive) -> None:
    keep(archive, page(A), article(TEXT))
    archive.db.execute("pragma busy_timeout = 10")
    reader = connect(archive.path)
    reader.execute("begin")
    reader.execute("select count(*) from articles").fetchone()
    forget(archive, A)
    assert not erase(archive.db)
    reader.close()
    assert erase(archive.db)
    assert not holds(archive, WORD)


def test_the_command_tells_what_went_with_it_and_what_it_did_not_know(tmp_path: Path) -> None:
    for host in ("a.example", "b.example"):
        (tmp_path / host).mkdir()
        (tmp_path / host / "pier.html").write_text(article_html("Pier", story("pier")))
    broadsheet("import", ".", cwd=tmp_path)
    done = broadsheet("forget", "https://a.example/pier.html", "https://a.example/peer.html", "--yes", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "https://a.example/pier.html: forgotten, with its article",
            "    with it: https://b.example/pier.html",
            "    the saved page is not touched: a.example/pier.html",
            "    the saved page is not touched: b.example/pier.html",
            "https://a.example/peer.html: not in the archive; refused from now on",
            "0 captures blanked",
            "news.db was written anew: nothing of it is left there. Older snapshots and backups still have it.",
        ],
    )
    (tmp_path / "a.example" / "peer.html").write_text(article_html("Pier", story("pier")))
    assert broadsheet("import", ".", cwd=tmp_path).stdout.splitlines()[-1] == "news.db holds 0 articles."


def test_no_crawl_asks_a_forgotten_page_again(tmp_path: Path) -> None:
    newsroom = Newsroom(tmp_path)
    with serving() as site:
        for name in ("pier", "crane", "bell"):
            site.article(f"/{name}", name, story(name))
        site.add("/empty", "<html><title>Empty</title>")
        site.feed("/feed", *(f"{site.url}/{name}" for name in ("pier", "crane", "empty")))
        newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]\npages = ["{site.url}/pier"]')
        newsroom.crawl()
        assert broadsheet("forget", f"{site.url}/pier", f"{site.url}/bell", "--yes", cwd=tmp_path).returncode == 0
        site.feed("/feed", *(f"{site.url}/{name}" for name in ("pier", "crane", "empty", "bell")))
        site.asked.clear()
        newsroom.crawl("--now", "--retry", "refused", "--retry", "failed")
        assert sorted(set(site.asked) - {"/robots.txt"}) == ["/empty", "/feed"]
        assert newsroom.states()[f"{site.url}/pier"] == ("refused", "forgotten")


def test_a_takedown_waits_for_no_run_and_changes_nothing_beside_one(demo: Path, tmp_path: Path) -> None:
    db = tmp_path / "news.db"
    connect(demo).execute("vacuum into ?", [str(db)])
    with run_lock(db):
        done = broadsheet("forget", A, "--db", db)
    assert (done.returncode, done.stderr) == (75, f"broadsheet: {db}: another run holds this database\n")
    assert connect(db).execute("select count(*) from pages where reason = 'forgotten'").fetchone()[0] == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [("ftp://a.example/", "is no http or https address"), ("a.example/pier", "is no http or https address")],
)
def test_an_address_that_is_none_is_refused_before_anything_is_done(tmp_path: Path, url: str, said: str) -> None:
    done = broadsheet("forget", A, url, cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (2, True)
    assert "broadsheet: news.db: no such database; " in broadsheet("forget", A, cwd=tmp_path).stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_archive_yet_does_not_become_one(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    done = broadsheet("forget", "https://a.example/", "--db", "empty.db", cwd=tmp_path)
    assert (done.returncode, "is empty" in done.stderr) == (2, True)
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [("empty.db", 0)]
