"""A copy to publish: its bytes hold nothing of its owner, nor of texts whose publishers reserve text and data mining."""

import json
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import broadsheet, connect
from tests.support.loopback import Site, article_html, story
from tests.support.newsroom import Newsroom
from tests.support.reading import reading_room

RESERVED, CHANGED, FREE = (story(subject) for subject in ("quokka", "zeppelin", "lighthouse"))
TEASER = "A xylophone is carried across the marsh."


@pytest.fixture
def published(site: Site, newsroom: Newsroom) -> Path:
    """A copy of an archive with a reserved article that has changed, a free one, and one that nobody has fetched."""
    header = {"tdm-reservation": "1"}
    reserved = site.article("/quokka", "The quokka", RESERVED, **header)
    copied = site.article("/lighthouse", "The lighthouse", FREE)
    site.feed("/feed", reserved, copied, f"{site.url}/absent")
    body = site.answers["/feed"].body.decode()  # type: ignore[union-attr]
    told = body.replace("</title><link>", f"</title><description>{TEASER}</description><link>", 1)
    site.add("/feed", told, kind="application/rss+xml")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl("--db", "news.db")
    site.article("/quokka", "The quokka", f"{RESERVED}\n\n{CHANGED}", **header)
    newsroom.crawl("--retry", "article", reserved)
    assert broadsheet("snapshot", "backup.db", cwd=newsroom.folder).returncode == 0
    (newsroom.folder / "backup.db").replace(newsroom.db)  # with sources.toml in it, as after a move
    newsroom.change(f"update runs set reason = '{newsroom.folder}'")
    done = broadsheet("snapshot", "public.db", "--public", cwd=newsroom.folder)
    assert (done.returncode, "The text of 1 article is left out" in done.stdout) == (0, True), done.stdout + done.stderr
    return newsroom.folder / "public.db"


def test_what_is_reserved_and_what_is_the_owner_s_are_not_in_the_bytes(published: Path, newsroom: Newsroom) -> None:
    before, after = newsroom.db.read_bytes(), published.read_bytes()
    texts = [line for text in (RESERVED, CHANGED) for line in text.split("\n\n")]
    gone = [*texts, "quokka, which", "zeppelin", TEASER, "xylophone", str(newsroom.folder), "test.example"]
    hidden = [word for word in gone if word.encode() in after]
    assert hidden == []
    assert [word for word in (*texts, "zeppelin", "xylophone") if word.encode() not in before] == []
    assert [word for word in (*FREE.split("\n\n"), "The quokka") if word.encode() not in after] == []


def test_reserved_articles_keep_title_address_and_date_and_others_all(published: Path, site: Site) -> None:
    base = connect(published)
    kept = base.execute("select url, title, date_published, text, description, version_count from articles order by id")
    date = "2026-11-03T08:15:00Z"
    assert [tuple(row) for row in kept] == [
        (f"{site.url}/quokka", "The quokka", date, "", None, 1),
        (f"{site.url}/lighthouse", "The lighthouse", date, FREE, None, 1),
    ]
    found = "select rowid from articles_fts where articles_fts match ?"
    assert base.execute(found, ["zeppelin"]).fetchall() == []
    assert [row[0] for row in base.execute(found, ["lighthouse"])] == [2]
    assert base.execute("select count(*) from versions").fetchone()[0] == 0
    assert broadsheet("doctor", "--db", published).returncode == 0


def test_the_reading_room_says_why_a_text_is_missing(published: Path) -> None:
    with reading_room(published) as address, urllib.request.urlopen(f"{address}/article/1") as answer:
        assert "this copy of the archive is without the text" in answer.read().decode()


def test_the_copy_of_a_free_text_elsewhere_takes_only_its_own_words(tmp_path: Path) -> None:
    """An original whose publisher reserves nothing stays, though somebody who reserves has copied it."""
    folder, own = tmp_path / "saved", f"{FREE}\n\nA postscript about a xylophone."
    for host, text, head in (("a.example", FREE, ""), ("b.example", own, '<meta name="tdm-reservation" content="1">')):
        (folder / host).mkdir(parents=True)
        title = "The lighthouse" if host[0] == "a" else "Walrus at the lighthouse"
        page = article_html(title, text, f"2026-11-0{3 if host[0] == 'a' else 4}T08:15:00Z")
        (folder / host / "x.html").write_text(page.replace("</head>", f"{head}</head>"))
    assert broadsheet("import", "saved", cwd=tmp_path).returncode == 0
    assert broadsheet("snapshot", "public.db", "--public", cwd=tmp_path).returncode == 0
    base = connect(tmp_path / "public.db")
    assert [tuple(row) for row in base.execute("select url, text from articles")] == [
        ("https://a.example/x.html", FREE)
    ]
    assert b"xylophone" not in (tmp_path / "public.db").read_bytes()
    assert b"xylophone" in (tmp_path / "news.db").read_bytes()
    assert base.execute("select * from variants").fetchall() == []
    assert base.execute("select rowid from variants_fts where variants_fts match 'walrus'").fetchall() == []
    before = connect(tmp_path / "news.db").execute("select title from variants")
    assert [row[0] for row in before] == ["Walrus at the lighthouse"]


def test_what_a_host_reserves_by_now_holds_for_what_was_stored_before(site: Site, newsroom: Newsroom) -> None:
    for name, header in (("quokka", {}), ("lighthouse", {}), ("zeppelin", {"tdm-reservation": "0"})):
        site.article(f"/news/{name}", name, story(name), **header)
    site.add("/old", status=301, Location="/open/pier")
    site.article("/open/pier", "pier", story("pier"))
    paths = ("/news/quokka", "/news/lighthouse", "/news/zeppelin", "/old")
    site.feed("/feed", *(site.url + path for path in paths))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    rules = [
        {"location": "/news/lighthouse", "tdm-reservation": 0},
        {"location": "/news/", "tdm-reservation": 1},
        {"location": "/old", "tdm-reservation": 1},
    ]
    newsroom.change(f"update hosts set tdmrep = '{json.dumps(rules)}'")
    done = broadsheet("snapshot", "public.db", "--public", cwd=newsroom.folder)
    assert "The text of 1 article is left out" in done.stdout
    base = connect(newsroom.folder / "public.db")
    assert [tuple(row) for row in base.execute("select title, text = '' from articles order by title")] == [
        ("lighthouse", 0), ("pier", 0), ("quokka", 1), ("zeppelin", 0)
    ]  # fmt: skip
    assert story("quokka").split("\n\n")[0].encode() not in (newsroom.folder / "public.db").read_bytes()


def test_sources_toml_is_for_a_backup(tmp_path: Path, demo: Path) -> None:
    done = broadsheet("snapshot", tmp_path / "public.db", "--public", "--sources", "sources.toml", "--db", demo)
    assert (done.returncode, "--public leaves sources.toml out" in done.stderr) == (2, True)
