"""Whose pages are imported, what a list says of them, and what became of those that are no articles."""

import contextlib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from crawler.digests import payload_digest
from crawler.items import Hints
from crawler.sources.article_lists import Listed, UnusableList, read_articles
from tests.conftest import broadsheet, connect
from tests.support.loopback import Site, article_html, story
from tests.support.newsroom import Newsroom

TITLES = {"a": "The anchor", "b": "The barge", "c": "The crane", "d": "The dyke"}


def save(folder: Path, **places: str) -> None:
    """Saved pages without an address, of a letter's title, at these paths."""
    for letter, place in places.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(article_html(TITLES[letter], story(TITLES[letter])))


def outlets(folder: Path) -> dict[str, str | None]:
    """Per article's title the name of its source."""
    sql = "select articles.title, sources.name from articles left join sources on sources.id = source_id"
    return dict(map(tuple, asked(folder, sql)))


def asked(folder: Path, sql: str) -> list[Any]:
    with contextlib.closing(connect(folder / "news.db")) as base:
        return base.execute(sql).fetchall()


def imported(folder: Path, *arguments: str) -> tuple[str, str]:
    done = broadsheet("import", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


# Outlets


def test_pages_without_an_address_and_of_unknown_sites_get_the_outlet_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text('[[source]]\nurl = "https://known.example/"\nname = "Known"')
    save(tmp_path / "saved", a="a.html", b="new.example/b.html", c="known.example/c.html", d="new.example/d.html")
    save(tmp_path, d="first/new.example/d.html")
    imported(tmp_path, "first")
    imported(tmp_path, "saved", "--source", " The  Ledger ")
    told = {"The anchor": "The Ledger", "The barge": "The Ledger", "The crane": "Known", "The dyke": "new.example"}
    assert outlets(tmp_path) == told
    (row,) = asked(tmp_path, "select url, domain, enabled, status, reason from sources where name = 'The Ledger'")
    assert tuple(row) == ("urn:outlet:The%20Ledger", "", 0, "off", "only imported or listed, not in sources.toml")
    assert asked(tmp_path, "select count(*) from pages join articles on pages.url = articles.url where pages.source_id <> articles.source_id")[0][0] == 0  # fmt: skip


def test_settings_without_a_site_are_settings(tmp_path: Path) -> None:
    save(tmp_path, a="saved/a.html")
    (tmp_path / "sources.toml").write_text('[crawl]\nuser_agent = "test (+https://test.example)"\n')
    imported(tmp_path, "saved")
    assert outlets(tmp_path) == {"The anchor": None}


def test_an_outlet_is_the_source_that_has_its_name_or_takes_its_name_later(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text('[[source]]\nurl = "https://known.example/"\nname = "Known"')
    save(tmp_path, a="a.html", b="b.html", c="c.html")
    imported(tmp_path, "a.html", "--source", "Known")
    imported(tmp_path, "b.html", "--source", "Later")
    (tmp_path / "sources.toml").write_text('[[source]]\nurl = "https://later.example/"\nname = "Later"')
    (tmp_path / "web").mkdir()
    broadsheet("crawl", "--offline", "web", cwd=tmp_path)
    imported(tmp_path, "c.html", "--source", "Later")
    assert outlets(tmp_path) == {"The anchor": "Known", "The barge": "Later", "The crane": "Later"}
    found = asked(tmp_path, "select name, url from sources order by name")
    assert [*map(tuple, found)] == [("Known", "https://known.example/"), ("Later", "https://later.example/")]


def test_by_folder_the_outlet_is_the_folder_below_the_path_an_archive_is_one(tmp_path: Path) -> None:
    save(tmp_path, a="in/Ledger/2020/a.html", b="in/www.x.example/b.html", c="loose/c.html")
    with zipfile.ZipFile(tmp_path / "in/Courier.zip", "w") as packed:
        packed.writestr("d.html", article_html(TITLES["d"], story(TITLES["d"])))
    imported(tmp_path, "in", "loose/c.html", "--by-folder")
    told = {"The anchor": "Ledger", "The barge": "x.example", "The crane": "loose", "The dyke": "Courier"}
    assert outlets(tmp_path) == told


def test_the_settings_of_a_named_source_are_used(tmp_path: Path) -> None:
    source = 'url = "https://known.example/"\nname = "Known"\ntimezone = "Asia/Tokyo"'
    (tmp_path / "sources.toml").write_text(f"[[source]]\n{source}")
    (tmp_path / "a.html").write_text(article_html("The anchor", story("anchor"), "2026-11-03T08:15:00"))
    imported(tmp_path, "a.html", "--source", "Known")
    assert asked(tmp_path, "select date_published from articles")[0][0] == "2026-11-02T23:15:00Z"


# A list beside the pages

BARE = "<!doctype html><html><body><p>{}</p></body></html>"


def test_what_a_spreadsheet_says_is_believed_where_the_page_is_silent(tmp_path: Path) -> None:
    for name in ("Ledger/é.html", "b.html", "www.x.example/c.html", "d.html"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(BARE.format(story(name).replace("\n\n", "</p><p>")))
    save(tmp_path / "in", a="a.html")
    with zipfile.ZipFile(tmp_path / "in/e.zip", "w") as packed:
        packed.writestr("x/e.html", BARE.format(story("e").replace("\n\n", "</p><p>")))
    lines = (
        "File;URL;Outlet;Date;Title;",
        "Ledger\\e\u0301.html;;The Ledger;3.11.2026;Über die Brücke;",
        "a.html;;;4.11.2026;Not believed;",
        f"{tmp_path}/in/b.html;https://www.b.example/news?utm_source=x;;5.11.2026 10:30;B;",
        ";https://www.x.example/c.html;;6.11.2026;C;",
        "in/d.html;;D & Sons;13.11.2026;D;",
        "e.zip/x/e.html;;;;E;",
        "absent.html;;;;F;",
    )
    (tmp_path / "in/list.csv").write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    _, err = imported(tmp_path, "in", "--metadata", "in/list.csv", "--by-folder")
    assert err.splitlines()[-1] == "in/list.csv: line 8: no such page: absent.html"
    sql = """select articles.title, sources.name, date_published, date_published_source, articles.url like 'urn:%'
             from articles join sources on sources.id = source_id order by 1"""
    assert [*map(tuple, asked(tmp_path, sql))] == [
        ("B", "in", "2026-11-05", "feed", 0),
        ("C", "x.example", "2026-11-06", "feed", 0),
        ("D", "D & Sons", "2026-11-13", "feed", 1),
        ("E", "e", None, "none", 1),
        ("The anchor", "in", "2026-11-03T08:15:00Z", "meta", 1),
        ("Über die Brücke", "The Ledger", "2026-11-03", "feed", 1),
    ]
    assert asked(tmp_path, "select url from articles where title = 'B'")[0][0] == "https://www.b.example/news"


def test_a_list_completes_what_the_feed_of_an_original_said(site: Site, newsroom: Newsroom) -> None:
    urls = [site.add(f"/{name}", BARE.format(story(name).replace("\n\n", "</p><p>"))) for name in ("a", "b")]
    site.feed("/feed", *urls)
    body = site.answers["/feed"].body.decode()  # type: ignore[union-attr]
    dated = body.replace("</link>", "</link><pubDate>Tue, 03 Nov 2026 08:15:00 GMT</pubDate>")
    site.add("/feed", dated, kind="application/rss+xml")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl("--db", "first.db")
    (newsroom.folder / "sources.toml").unlink()
    (newsroom.folder / "list.csv").write_text(f"url,outlet,title\n{urls[0]},Ledger,\n{urls[1]},,The barge\n")
    imported(newsroom.folder, "warc/", "--metadata", "list.csv")
    said = newsroom.rows("select title, date_published, date_published_source from articles order by url")
    date = ("2026-11-03T08:15:00Z", "feed")
    assert said == [(f"Item {urls[0]}", *date), ("The barge", *date)]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("file,title\na.html,Ü".encode(), "Ü"),
        ("file,title\r\na.html,Ü\r\n".encode("utf-8-sig"), "Ü"),
        ("file;title\r\n\r\na.html;Ü\r\n;\r\n".encode("cp1252"), "Ü"),
        ("File\tTITLE\r\na.html\tÜ\r\n".encode("utf-16"), "Ü"),
        (b' file , title ,,\na.html,"one, \n two",,\na.html,"one, two"', "one, two"),
        (b"file,title\n./a.html,A &amp; B\xc2\xad\x1b[1m", "A & B[1m"),
    ],
)
def test_a_list_is_read_as_spreadsheets_write_it(data: bytes, found: str) -> None:
    (one,) = read_articles(data, ".csv", of_files=True)
    assert (one.file, one.hints) == ("a.html", Hints(title=found))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n,,\n", "is empty"),
        ("file,title\n", "names no article"),
        ("file,titel\n", "line 1: unknown column 'titel'; did you mean 'title'?"),
        ("a.html,The anchor\n", "line 1: is no header: the first line names the columns, of file, url, outlet, date, title"),
        ("https://x.example/a\n", "line 1: is no header: the first line names"),
        ("\nfile,zzzz\n", "line 2: unknown column 'zzzz'; known are file, url, outlet, date, title"),
        ("file,file\n", "line 1: two columns are called file"),
        ("title,date\nx,y\n", "no column is called file or url; known are file, url, outlet, date, title"),
        ("file,title\na,b,c\n", "line 2: has more cells than the header"),
        ("file,,title\na,b,c\n", "line 2: has more cells than the header"),
        ("file,title\n,c\n", "line 2: names no file and no url"),
        ("file,url\na,example.com\n", "line 2: 'example.com' is no http or https address"),
        ("file,date\na,soon\n", "line 2: date: 'soon': expected a day such as 2026-11-03"),
        ("file,date\na,3/11/26\n", "line 2: date: '3/11/26': expected a day such as 2026-11-03"),
        ("file,date\na,03/04/2026\n", "line 2: date: '03/04/2026' may be of two months: write it as 2026-11-03"),
        ("file,title\na,b\n\na,c\n", "line 4: says something else of a than line 2"),
        ('file,title\na,"b\nc,d\n', "no CSV: line 3: unexpected end of data"),
        ("file\n" + "\n".join(f"a{n}\na{n},b" for n in range(8)), "; and 3 more"),
        ("file\0,title", "is no text in UTF-8, UTF-16 or Windows-1252"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_list_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(UnusableList) as error:
        read_articles(text.encode(), ".csv", of_files=True)
    assert said in str(error.value)


def test_a_list_of_files_is_none_of_addresses() -> None:
    with pytest.raises(
        UnusableList, match="line 1: a column `file` is for `import --metadata`; here known are url, outlet"
    ):
        read_articles(b"file,title\na.html,A", ".csv")


def test_dates_of_a_list_are_in_the_order_of_those_that_leave_no_choice() -> None:
    rows = "url,date\nhttps://x.example/a,4/3/2026\nhttps://x.example/b,4/13/2026\nhttps://x.example/c,2026-11-03T08:15:00+01:00"
    dates = [one.hints.date_published for one in read_articles(rows.encode(), ".csv")]
    assert dates == ["2026-04-03", "2026-04-13", "2026-11-03T08:15:00+01:00"]


def test_a_list_of_addresses_may_say_one_twice_and_have_comments() -> None:
    text = "# of mine\nhttps://x.example/a#top  # seen\n\n  https://x.example/a?utm_source=y\r\nhttps://x.example/b\n"
    found = [Listed(line=2, url="https://x.example/a"), Listed(line=5, url="https://x.example/b")]
    assert read_articles(text.encode(), ".txt") == found


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--metadata .", "expected .csv"),
        ("--metadata a.html", "a.html: expected .csv"),
        ("--metadata absent.csv", "absent.csv: No such file"),
        ("--metadata folder.csv", "folder.csv: Is a directory"),
        ("--metadata bad.csv", "bad.csv: line 1: unknown column 'x'"),
        ("--source A --by-folder", "choose"),
        ("--source=", "expected a name"),
    ],
)
def test_options_that_cannot_be_used_import_nothing(tmp_path: Path, options: str, said: str) -> None:
    save(tmp_path, a="a.html")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "bad.csv").write_text("x\n")
    done = broadsheet("import", "a.html", *options.split(), cwd=tmp_path)
    assert (done.returncode, said in done.stderr, (tmp_path / "news.db").exists()) == (2, True, False), done.stderr


# Where they were read from


def test_the_file_that_a_page_was_read_from_is_kept_with_its_size_and_digest(tmp_path: Path) -> None:
    save(tmp_path, a="a.html", b="in/www.x.example/b.html")
    (tmp_path / "in/short.html").write_text("<p>Short.")
    with zipfile.ZipFile(tmp_path / "letters.zip", "w") as packed:
        packed.writestr("2019/c.html", page := article_html(TITLES["c"], story(TITLES["c"])))
    claimed = article_html("The dyke", story("dyke")).replace(
        "<head>", '<head><link rel="canonical" href="https://d.example/d">'
    )
    (tmp_path / "in/d.html").write_text(claimed)
    imported(tmp_path, "a.html", "./in", "letters.zip")
    files = {"./a.html": "a.html", "in/d.html": "in/d.html", "in/short.html": "in/short.html", "in/www.x.example/b.html": "in/www.x.example/b.html"}  # fmt: skip
    bodies = {given: (tmp_path / file).read_bytes() for given, file in files.items()} | {
        "letters.zip/2019/c.html": page.encode()
    }
    rows = asked(tmp_path, "select file, offset, length, digest, captures.status, captures.reason, via, warc from captures join pages on pages.id = page_id order by file")  # fmt: skip
    assert [*map(tuple, rows)] == [
        (file, 0, len(body), payload_digest(body), None, "too_short" if "short" in file else None, "file", None)
        for file, body in bodies.items()
    ]
    urls = dict(map(tuple, asked(tmp_path, "select file, url from captures join pages on pages.id = page_id")))
    assert (urls["in/d.html"], urls["in/www.x.example/b.html"]) == (
        "https://d.example/d",
        "https://www.x.example/b.html",
    )
    assert urls["letters.zip/2019/c.html"].startswith("urn:sha256:")


def test_a_file_that_holds_another_page_by_now_leaves_what_was_known_of_the_first(tmp_path: Path) -> None:
    for letter in "ab":
        save(tmp_path, **{letter: "inbox/page.html"})
        imported(tmp_path, "inbox")
        imported(tmp_path, "inbox")
    rows = asked(tmp_path, "select file, title from captures join pages on pages.id = page_id order by captures.id")
    assert [*map(tuple, rows)] == [("inbox/page.html", "The anchor"), ("inbox/page.html", "The barge")]


def test_a_saved_page_among_the_originals_is_none_of_them_and_an_archive_in_an_archive_no_page(tmp_path: Path) -> None:
    save(tmp_path, a="warc/a.html")
    with zipfile.ZipFile(tmp_path / "warc/b.zip", "w") as packed:
        packed.writestr("old.warc.gz", b"\x1f\x8b")
        packed.writestr("b.html", article_html(TITLES["b"], story(TITLES["b"])))
    _, err = imported(tmp_path, "warc/")
    assert "left out, for they are no pages: 1 archives in an archive" in err
    assert [row[0] for row in asked(tmp_path, "select file from captures order by id")] == [
        "warc/a.html",
        "warc/b.zip/b.html",
    ]
    assert "FAULT" not in broadsheet("doctor", "--deep", cwd=tmp_path).stdout


# What was not taken


def test_files_that_gave_no_article_are_named_with_the_reason(tmp_path: Path) -> None:
    save(tmp_path, a="in/a.html")
    (tmp_path / "in/b.html").write_text("<html></html>")
    (tmp_path / "in/é.html").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "in/c.zip", "w") as packed:
        packed.writestr("d/c.html", "<html></html>")
    out, _ = imported(tmp_path, "in")
    assert out.splitlines()[-4:] == [
        "no article: in/b.html: no text to be found",
        "no article: in/c.zip/d/c.html: no text to be found",
        "no article: in/é.html: the answer is empty",
        "news.db holds 1 article.",
    ]
    assert imported(tmp_path, "in", "--quiet") == ("", "")
    again, _ = imported(tmp_path, "in")
    assert out.splitlines()[-4:] == again.splitlines()[-4:]
