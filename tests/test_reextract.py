"""`broadsheet reextract`: the kept originals once more, by today's rules. What older rules had made of them is put into the archive by hand."""

import hashlib
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from pipelines.database.lock import run_lock
from pipelines.publish import details
from pipelines.publish.originals import source_of
from pipelines.text import content_hash
from tests.conftest import broadsheet, connect
from tests.support.loopback import Site, article_html, serving, story
from tests.support.newsroom import Newsroom

PAGES = ("pier", "mole", "rope", "lamp")


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four articles of a site, one whose text only its feed tells, one refused page, and an article of which nothing was kept."""
    newsroom = Newsroom(tmp_path_factory.mktemp("crawled"))
    with serving() as site, serving("127.0.0.2") as other:
        for name in PAGES:
            site.article(f"/{name}", name.title(), story(name))
        site.add("/walled", "not for you", status=403)
        text = "".join(f"<p>{paragraph}</p>" for paragraph in story("walled").split("\n\n"))
        site.add("/full", f"""<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><item><title>Walled</title>
            <link>{site.url}/walled</link><content:encoded><![CDATA[{text}]]></content:encoded></item></channel></rss>""")  # fmt: skip
        site.add("/short", "<title>No</title><p>Short.")
        other.article("/unkept", "Unkept", story("unkept"))
        named = ", ".join(f'"{site.url}/{name}"' for name in (*PAGES, "short"))
        newsroom.watch(
            f'name = "Harbour"\nurl = "{site.url}/"\npages = [{named}]\nfeeds = ["{site.url}/full"]',
            f'name = "Other"\nurl = "{other.url}/"\npages = ["{other.url}/unkept"]\nwarc = false',
        )
        newsroom.crawl()
    return newsroom.folder


@pytest.fixture
def archive(crawled: Path, tmp_path: Path) -> Newsroom:
    shutil.copytree(crawled, tmp_path / "copy")
    return Newsroom(tmp_path / "copy")


def reextract(newsroom: Newsroom, *options: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = broadsheet("reextract", *options, cwd=newsroom.folder)
    assert done.returncode == code, done.stderr + done.stdout
    return done


def counts(done: subprocess.CompletedProcess[str], source: str = "Harbour") -> dict[str, int]:
    """The line of a source in the table."""
    columns = next(line for line in done.stdout.splitlines() if line.startswith("source")).split()[1:]
    line = next(line for line in done.stdout.splitlines() if line.startswith(source)).split()[-len(columns) :]
    return {name: int(value) for name, value in zip(columns, line, strict=True) if value != "·"}


def set_article(newsroom: Newsroom, name: str, **columns: str | int | None) -> None:
    """What other rules made of a page."""
    if isinstance(text := columns.get("text"), str):
        columns |= {"content_hash": content_hash(text), "word_count": len(text.split())}
    said = ", ".join(f"{column} = ?" for column in columns)
    base = connect(newsroom.db)
    with base:
        base.execute(f"update articles set {said} where url like '%/{name}'", [*columns.values()])
    base.close()


def as_older_rules_had_it(newsroom: Newsroom) -> None:
    set_article(newsroom, "pier", text=story("pier") + "\n\nFour words of weather")
    set_article(newsroom, "mole", title="Mole - The Harbour News")
    set_article(newsroom, "rope", date_published=None, authors='["Rope"]')
    set_article(newsroom, "lamp", text="\n\n".join([story("lamp"), story("another"), story("third")]))


def test_where_the_rules_are_the_same_nothing_is_different(archive: Newsroom) -> None:
    done = reextract(archive)
    assert counts(done) == {"same": 5}
    assert done.stdout.splitlines()[-2:] == [
        "1 article not read: no original was kept.",
        "6 pages read again. Nothing was written; --apply writes what changed, but for what is lost.",
    ]


def test_what_changed_is_counted_and_what_is_lost_is_listed(archive: Newsroom) -> None:
    as_older_rules_had_it(archive)
    archive.change("update pages set reason = 'index' where url like '%/short'")
    done = reextract(archive)
    assert counts(done) == {"same": 1, "title": 1, "text": 1, "date": 1, "author": 1, "lost": 1}
    (lost,) = [line for line in done.stdout.splitlines() if line.startswith("lost: ")]
    assert "/lamp: " in lost and " words would become 1" in lost


def test_a_dry_run_writes_nothing_at_all(archive: Newsroom) -> None:
    as_older_rules_had_it(archive)
    before = {
        path.name: hashlib.sha256(path.read_bytes()).digest() for path in archive.folder.iterdir() if path.is_file()
    }
    reextract(archive)
    after = {
        path.name: hashlib.sha256(path.read_bytes()).digest() for path in archive.folder.iterdir() if path.is_file()
    }
    assert after == before
    assert sorted(after) == ["news.db", "sources.toml"]


def test_applied_it_gives_what_todays_rules_read_and_no_correction(archive: Newsroom) -> None:
    fields = (
        "url, title, text, authors, date_published, sort_at, content_hash, word_count, first_seen_at, last_fetched_at"
    )
    fresh = archive.rows(f"select {fields} from articles where url not like '%/lamp' order by id")
    as_older_rules_had_it(archive)
    done = reextract(archive, "--apply")
    assert done.stdout.splitlines()[-1] == "6 pages read again, 3 written."
    assert archive.rows(f"select {fields} from articles where url not like '%/lamp' order by id") == fresh
    assert archive.rows("select word_count > 200 from articles where url like '%/lamp'") == [(1,)]
    versions = archive.rows(
        "select replace(url, rtrim(url, replace(url, '/', '')), ''), version, cause, words_removed from versions join articles on articles.id = article_id order by 1, 2"
    )
    assert versions == [
        ("mole", 1, "site", 0),
        ("mole", 2, "rules", 0),
        ("pier", 1, "site", 0),
        ("pier", 2, "rules", 4),
    ]
    assert archive.rows("select * from changed") == []
    base = connect(archive.db)
    shown = [details.article(base, number) for (number,) in base.execute("select id from articles")]
    base.close()
    assert [one["changes"] for one in shown if one] == [[]] * 6
    ((argv, status, reason),) = archive.rows("select argv, status, reason from runs order by id desc limit 1")
    assert (argv, status, reason) == ('["reextract", "--apply"]', "ok", None)
    assert broadsheet("doctor", cwd=archive.folder).returncode == 0
    assert counts(reextract(archive)) == {"same": 4, "lost": 1}


def test_what_was_said_since_stays_with_all_that_follows_from_it(site: Site, newsroom: Newsroom) -> None:
    """The same text again, now with a date, a section and a reservation: no original was kept of that answer."""
    site.add("/pier", (page := article_html("Pier", story("pier"), date="")))
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier"]')
    newsroom.crawl()
    said = '<meta property="article:section" content="Harbour"><meta name="tdm-reservation" content="1">'
    date = '<meta property="article:published_time" content="2026-11-03T09:15:00+01:00">'
    site.add("/pier", page.replace("</head>", f"{said}{date}</head>"))
    newsroom.change("update pages set last_fetched_at = '2026-11-04T08:00:00Z'")
    newsroom.change("update captures set fetched_at = '2026-11-04T08:00:00Z'")
    newsroom.change(
        "update articles set first_seen_at = '2026-11-04T08:00:00Z', last_fetched_at = '2026-11-04T08:00:00Z'"
    )
    newsroom.crawl("--retry", "article", site.url)
    everything = "select * from articles join pages on article_id = articles.id"
    before = newsroom.rows(everything)
    columns = "sort_at, articles.date_published, date_published_raw, date_published_source, pages.date_published, section, reservations"
    assert newsroom.rows(f"select {columns} from articles join pages on article_id = articles.id") == [
        ("2026-11-03T08:15:00Z", "2026-11-03T08:15:00Z", "2026-11-03T09:15:00+01:00", "meta", "2026-11-03T08:15:00Z",
         'Harbour', '["tdm-reservation"]'),
    ]  # fmt: skip
    assert reextract(newsroom, "--apply").stdout.splitlines()[-1] == "1 page read again, 0 written."
    newsroom.change("update articles set title = 'Pier - News', dateline = 'PIER'")
    assert reextract(newsroom, "--apply").stdout.splitlines()[-1] == "1 page read again, 1 written."
    newsroom.change("update articles set version_count = 1")
    assert newsroom.rows(everything) == before


def test_what_a_site_corrects_afterwards_is_a_correction_of_what_the_rules_read(archive: Newsroom) -> None:
    as_older_rules_had_it(archive)
    reextract(archive, "--apply")
    ((url,),) = archive.rows("select url from articles where url like '%/pier'")
    with serving() as site:
        site.article("/pier", "Pier", story("pier") + "\n\nThe pier was closed on Friday.")
        archive.watch(f'name = "Moved"\nurl = "{site.url}/"\npages = ["{site.url}/pier"]')
        archive.change(f"update pages set url = '{site.url}/pier' where url = '{url}'")
        archive.change(f"update articles set url = '{site.url}/pier' where url = '{url}'")
        archive.crawl("--retry", "article", f"{site.url}/pier")
    assert archive.rows("select what, words_added, words_removed from changed") == [("text", 6, 0)]
    assert archive.rows("select version, cause from versions join articles on articles.id = article_id where url like '%/pier'") == [
        (1, "site"), (2, "rules"), (3, "site"),
    ]  # fmt: skip


def test_losses_are_written_where_they_are_accepted(archive: Newsroom) -> None:
    as_older_rules_had_it(archive)
    assert "lost: " in reextract(archive, "--apply", "--accept-losses").stdout
    assert archive.rows("select text, version_count from articles where url like '%/lamp'") == [(story("lamp"), 2)]
    assert counts(reextract(archive)) == {"same": 5}


def test_a_page_that_was_refused_becomes_the_article_that_it_is(archive: Newsroom) -> None:
    ((page_id, article_id),) = archive.rows("select id, article_id from pages where url like '%/rope'")
    archive.change(f"delete from fingerprints where article_id = {article_id}")
    archive.change(f"update pages set state = 'refused', reason = 'index', article_id = null where id = {page_id}")
    archive.change(f"delete from articles where id = {article_id}")
    archive.change(f"update captures set reason = 'index' where page_id = {page_id}")
    assert counts(reextract(archive)) == {"same": 4, "gained": 1}
    reextract(archive, "--apply")
    assert archive.rows(f"select title, state, reason from pages where id = {page_id}") == [("Rope", "article", None)]
    assert archive.rows("select text from articles where url like '%/rope'") == [(story("rope"),)]
    assert counts(reextract(archive)) == {"same": 5}


def test_an_article_that_is_none_by_todays_rules_is_refused_where_that_is_accepted(archive: Newsroom) -> None:
    archive.change("update pages set state = 'article', reason = null, article_id = 99 where url like '%/short'")
    archive.change("update captures set reason = null where reason = 'too_short'")
    archive.change(
        """insert into articles (id, url, source_id, title, text, sort_at, word_count, content_hash, extractor, first_seen_at, last_fetched_at)
           select 99, url, source_id, 'No', 'Short.', last_fetched_at, 1, 'x', 'x', last_fetched_at, last_fetched_at from pages where article_id = 99"""
    )
    done = reextract(archive, "--apply")
    (lost,) = [line for line in done.stdout.splitlines() if line.startswith("lost: ")]
    assert lost.endswith("/short: hardly a word, and nothing that says it is an article")
    assert archive.rows("select count(*) from articles where id = 99") == [(1,)]
    reextract(archive, "--apply", "--accept-losses")
    assert archive.rows("select count(*) from articles where id = 99") == [(0,)]
    assert archive.rows("select state, reason from pages where url like '%/short'") == [("refused", "too_short")]
    assert broadsheet("doctor", cwd=archive.folder).returncode == 0


def test_a_source_or_a_day_is_read_alone(archive: Newsroom) -> None:
    assert "1 article not read" in reextract(archive, "--source", "Other").stdout
    assert counts(reextract(archive, "--source", "Harbour", "--since", "2026-01-01")) == {"same": 5}
    assert reextract(archive, "--since", "2100-01-01").stdout.startswith("0 pages read again.")
    assert "no such source" in reextract(archive, "--source", "Nobody", code=2).stderr


def test_a_list_of_settings_without_a_site_will_do(archive: Newsroom) -> None:
    archive.watch()
    assert counts(reextract(archive)) == {"same": 5}


def test_originals_that_are_gone_are_counted(archive: Newsroom) -> None:
    shutil.rmtree(archive.folder / "warc")
    assert (
        "5 articles not read: the original is missing or damaged (`broadsheet doctor` tells)."
        in reextract(archive).stdout
    )


def test_an_article_that_is_joined_from_several_pages_is_left_alone(archive: Newsroom) -> None:
    archive.change(
        """update pages set state = 'duplicate', reason = 'part', article_id = (select article_id from pages where url like '%/pier')
           where url like '%/short'"""
    )
    assert "1 article not read: joined from the originals of several pages." in reextract(archive).stdout


def test_one_that_is_to_write_waits_for_no_other_run(archive: Newsroom) -> None:
    with run_lock(archive.db):
        assert "another run" in reextract(archive, "--apply", code=75).stderr
        reextract(archive)


def test_an_import_is_found_beside_the_archive_or_else_where_one_stands(tmp_path: Path, crawled: Path) -> None:
    """`import dumps/old.warc.gz --db data/news.db`: reextract, the doctor and the reading room look in the same places."""
    (dumps := tmp_path / "here" / "dumps").mkdir(parents=True)
    (data := tmp_path / "data").mkdir()
    shutil.copy(next((crawled / "warc").iterdir()), dumps / "old.warc.gz")
    shutil.copy(crawled / "sources.toml", dumps.parent)
    db = data / "news.db"
    assert broadsheet("import", "dumps/old.warc.gz", "--db", db, cwd=dumps.parent).returncode == 0
    newsroom = Newsroom(data)
    assert newsroom.rows("select distinct file from captures") == [("dumps/old.warc.gz",)]

    def is_read(cwd: Path) -> bool:
        done = broadsheet("reextract", "--db", db, cwd=cwd)
        told = broadsheet("doctor", "--db", db, cwd=cwd)
        assert told.returncode == 0  # other people's files are no fault of the archive's
        unread = "5 articles not read: the original is missing or damaged (`broadsheet doctor` tells)." in done.stdout
        assert ("1 of 1 imported files not where they were: dumps/old.warc.gz" in told.stdout) == unread
        return not unread

    assert is_read(dumps.parent)
    assert not is_read(tmp_path)
    shutil.move(dumps, data)
    assert is_read(dumps.parent) and is_read(tmp_path)
    base = connect(db)
    row = dict(
        base.execute("select *, null as body_file, null as body_offset from captures where reason is null").fetchone()
    )
    base.close()
    assert b"<article>" in source_of(row, db)
    ((url,),) = newsroom.rows(f"select url from pages where id = {row['page_id']}")
    told = broadsheet("forget", url, "--db", db, cwd=tmp_path).stdout.splitlines()
    assert [line for line in told if "still in" in line] == ["    a capture is still in dumps/old.warc.gz"]


def test_saved_pages_are_read_again_as_long_as_they_are_what_they_were(tmp_path: Path) -> None:
    bare = "<!doctype html><html><body><p>{}</p></body></html>"
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.html").write_text(bare.format(story(name).replace("\n\n", "</p><p>")))
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as packed:
        packed.writestr("d.html", bare.format(story("d").replace("\n\n", "</p><p>")))
    (tmp_path / "list.csv").write_text("file,url,outlet,date,title\na.html,https://a.example/a,Harbour,2026-11-03,A\n")
    newsroom = Newsroom(tmp_path)
    files = ("a.html", "b.html", "c.html", "d.zip", "--source", "Harbour")
    assert broadsheet("import", *files, cwd=tmp_path).returncode == 0
    assert broadsheet("import", *files, "--metadata", "list.csv", cwd=tmp_path).returncode == 0
    assert counts(reextract(newsroom, "--apply")) == {"same": 3}
    (elsewhere := tmp_path / "elsewhere").mkdir()
    done = broadsheet("reextract", "--db", newsroom.db, cwd=elsewhere)
    assert "1 article not read" in done.stdout and "3 pages read again" in done.stdout
    (tmp_path / "b.html").write_text("<p>Another page")
    (tmp_path / "c.html").unlink()
    newsroom.change("update articles set title = 'By older rules' where url = 'https://a.example/a'")
    done = reextract(newsroom, "--apply")
    assert "2 articles not read: the original is missing or damaged (`broadsheet doctor` tells)." in done.stdout
    assert "1 article not read: the original is in a .zip or .tar, which only an import reads." in done.stdout
    assert newsroom.rows("select title, date_published from articles where url = 'https://a.example/a'") == [
        ("A", "2026-11-03")
    ]


def test_an_import_can_be_read_again_from_where_it_was(tmp_path: Path, crawled: Path) -> None:
    (file,) = (crawled / "warc").iterdir()
    shutil.copy(file, tmp_path / "old.warc.gz")
    shutil.copy(crawled / "sources.toml", tmp_path)
    newsroom = Newsroom(tmp_path)
    assert broadsheet("import", "old.warc.gz", cwd=tmp_path).returncode == 0
    assert newsroom.rows("select distinct file from captures") == [("./old.warc.gz",)]
    assert newsroom.rows("select distinct warc from pages") == [("old.warc.gz",)]
    assert counts(reextract(newsroom)) == {"same": 5}
