"""`broadsheet import warc/` makes an archive again from the WARC files that its crawls have left."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CORPUS, ROOT, broadsheet, connect, run_scrapy
from tests.support.loopback import Site, article_html, serving, story
from tests.support.newsroom import Newsroom
from tests.support.originals import files, records
from tests.support.rebuilt import COMPARED, differences


def rebuild(folder: Path, *paths: str, name: str = "again.db") -> Path:
    """The archive that an import of a folder's WARC files makes."""
    done = broadsheet("import", *(paths or ["warc/"]), "--db", name, cwd=folder, workers=2)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder / name


def make_due(db: Path, address: str = "%") -> None:
    """As if the last look at every page, or at those whose address is so, had been three hours ago. Texts of one page that come
    within a second have no order."""
    time.sleep(1 - time.time() % 1)
    base = connect(db)
    with base:
        base.execute(
            f"""update pages set next_fetch_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-1 hour'), etag = null, last_modified = null,
               last_fetched_at = strftime('%Y-%m-%dT%H:%M:%SZ', last_fetched_at, '-3 hours') where state in ('article', 'refused')
               and url like '{address}'"""
        )
    base.close()


# The demo's corpus, crawled three times


def crawl_corpus(folder: Path) -> None:
    settings = {
        "SOURCES_FILE": folder / "sources.toml",
        "NEWS_DB": folder / "news.db",
        "OFFLINE_DIR": folder / "corpus",
        "WARC_OFFLINE": True,
    }
    options = (word for key, value in settings.items() for word in ("-s", f"{key}={value}"))
    done = run_scrapy("crawl", "news", *options, cwd=ROOT)
    assert done.returncode == 0, done.stderr


CORRECTED = "www.calderwickledger.example"
GONE = "fenmoorpost.example/posts/footbridge-otters/index.html"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the corpus, crawled; then one page has another text, one another title, and one is gone for two looks."""
    folder = tmp_path_factory.mktemp("corpus")
    shutil.copytree(CORPUS, folder / "corpus")
    shutil.copy(CORPUS / "sources.toml", folder)
    crawl_corpus(folder)
    (folder / "corpus" / GONE).unlink()
    pages = sorted((folder / "corpus" / CORRECTED).glob("city/**/*.html"))
    for page, (old, new) in zip(
        pages, ((b"</p>", b" And so it was said twice.</p>"), (b"<title>", b"<title>Not ")), strict=False
    ):
        assert old in page.read_bytes()
        page.write_bytes(page.read_bytes().replace(old, new, 1))
    for address in ("%", "%footbridge-otters%"):
        make_due(folder / "news.db", address)
        crawl_corpus(folder)
    return folder


@pytest.fixture(scope="module")
def rebuilt(corpus: Path) -> Path:
    return rebuild(corpus)


def test_the_corpus_comes_back_as_it_was(corpus: Path, rebuilt: Path) -> None:
    base = connect(corpus / "news.db")
    counts = {table: base.execute(f"select count(*) from ({sql})").fetchone()[0] for table, sql in COMPARED.items()}
    gone = base.execute("select count(*) from articles where gone_at is not null").fetchone()[0]
    base.close()
    assert counts["articles"] >= 54 and counts["stories"] >= 2 and counts["versions"] >= 2 and gone == 1
    assert differences(corpus / "news.db", rebuilt) == []


# A site of every kind of answer, by HTTP


def told_by_feed(site: Site, path: str, subject: str) -> None:
    text = "".join(f"<p>{paragraph}</p>" for paragraph in story(subject).split("\n\n"))
    site.add("/full", f"""<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><item><title>{subject}</title>
        <link>{site.url}{path}</link><content:encoded><![CDATA[{text}]]></content:encoded></item></channel></rss>""")  # fmt: skip


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """An archive of redirects, copies, refusals, corrections and their like, crawled five times."""
    newsroom = Newsroom(tmp_path_factory.mktemp("kinds"))
    with serving() as site, serving("127.0.0.2") as other:
        site.add("/pier", article_html("Pier", story("pier")), packed=True)
        site.add("/gull", article_html("Gull", story("gull"), date=""))
        other.add("/bird", article_html("Gull", story("gull"), date=""))
        site.add("/old", status=301, Location="/older")
        site.add("/older", "<meta http-equiv='refresh' content='0; url=/new'>")
        site.article("/new", "Lamp", story("lamp"))
        site.add("/pdf", b"%PDF-1.4", kind="application/pdf")
        site.add("/short", "<title>No</title><p>Short.")
        site.add("/lost", "Moved", status=302, Location="/")
        site.add("/", "<title>News</title>")
        site.add("/walled", "not for you", status=403)
        told_by_feed(site, "/walled", "wall")
        for path in ("/rope", "/mole", "/away", "/back"):
            site.article(path, path[1:].title(), story(path))
        site.feed(
            "/feed",
            *(site.url + path for path in ("/gull", "/pier", "/old", "/pdf", "/rope", "/mole", "/away", "/back")),
        )
        more = ", ".join(f'"{site.url}{path}"' for path in ("/lost", "/short", "/once", "/again"))
        newsroom.watch(
            f'url = "{site.url}/"\nfeeds = ["{site.url}/feed", "{site.url}/full"]\npages = [{more}]',
            f'name = "Other"\nurl = "{other.url}/"\npages = ["{other.url}/bird"]',
        )
        newsroom.crawl()
        first = site.answers["/rope"]
        site.article("/rope", "Rope", story("/rope") + "\n\nThe rope was found again.")
        site.article("/mole", "Mole, corrected", story("/mole"))
        site.add("/away", "gone", status=410)
        site.add("/back", "gone", status=404)
        site.add("/once", status=302, Location="/pier")  # to what is known: only the redirect is kept
        site.add("/again", status=308, Location="/once")
        site.add("/lost", "Moved", status=302, Location="/shorter")
        site.add("/shorter", "<title>No</title><p>Shorter.")
        for number in range(4):
            if number == 1:
                site.answers["/rope"] = first
                site.article("/back", "Back", story("/back"))
            if number == 2:
                site.add("/back", "gone", status=404)
            make_due(newsroom.db)
            newsroom.crawl("--now", *(["--retry", "refused", "--retry", "failed"] if not number else []))
        yield newsroom


def test_answers_of_every_kind_come_back(kinds: Newsroom) -> None:
    states = {url.partition("//")[2].partition("/")[2]: state for url, state in kinds.states().items()}
    assert {states.pop("gull"), states.pop("bird")} == {("article", None), ("duplicate", "text")}  # as they were found
    assert states == {
        "pier": ("article", None), "new": ("article", None),
        "old": ("duplicate", "redirect"), "once": ("duplicate", "redirect"), "again": ("duplicate", "redirect"),
        "pdf": ("refused", "not_html"), "short": ("refused", "too_short"), "lost": ("refused", "too_short"),
        "walled": ("article", None), "rope": ("article", None),
        "mole": ("article", None), "away": ("article", None), "back": ("article", None),
    }  # fmt: skip
    reasons = dict(kinds.rows("select reason, count(*) from captures group by 1"))
    assert (reasons["redirect"], reasons["http_410"], reasons["http_404"]) == (7, 4, 3)
    assert kinds.rows("select count(*) from captures where revisit_of is not null and status = 200") == [(2,)]
    assert kinds.rows("select count(*) from captures where revisit_of is not null and reason = 'redirect'") == [(1,)]
    assert kinds.rows("select count(*) from articles where gone_at is not null") == [(2,)]
    assert differences(kinds.db, rebuild(kinds.folder)) == []


def test_an_import_once_more_adds_nothing(kinds: Newsroom, tmp_path: Path) -> None:
    shutil.copytree(kinds.folder, tmp_path, dirs_exist_ok=True)
    done = broadsheet("import", "warc/", "--db", "news.db", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert differences(kinds.db, tmp_path / "news.db") == []


def forget_and_rebuild(crawled: Path, folder: Path, *urls: str) -> set[str]:
    """Forget addresses in a copy of an archive; a rebuild is without them, and otherwise the same. Returns all that went."""
    shutil.copy(crawled / "news.db", folder)
    shutil.copytree(crawled / "warc", folder / "warc")
    shutil.copy(crawled / "sources.toml", folder)
    newsroom = Newsroom(folder)
    done = broadsheet("forget", *urls, cwd=folder)
    assert done.returncode == 0, done.stderr
    gone = {url for (url,) in newsroom.rows("select url from pages where reason = 'forgotten'")}
    again = rebuild(folder)
    assert differences(newsroom.db, again) == [f"pages: {url}: only in the crawled archive" for url in sorted(gone)]
    for name in ("news.db", "again.db"):
        read = broadsheet("reextract", "--db", name, cwd=folder)
        assert (read.stderr, "not read" in read.stdout, "lost: " in read.stdout) == ("", False, False)
        told = broadsheet("doctor", "--deep", "--db", name, cwd=folder)
        assert (told.returncode, "0 damaged records that no capture names" in told.stdout) == (0, True)
    return gone


def test_articles_that_were_forgotten_do_not_come_back_and_all_else_does(kinds: Newsroom, tmp_path: Path) -> None:
    """One with versions and a revisit, one that a redirect led to, one with a copy elsewhere; and a refused page."""
    ((copy,),) = kinds.rows("select url from pages where reason = 'text'")
    ((gull,),) = kinds.rows(
        "select articles.url from articles join pages on article_id = articles.id where reason = 'text'"
    )
    ((rope,),) = kinds.rows("select url from pages where url like '%/rope'")
    old, new, short = (rope.replace("/rope", f"/{name}") for name in ("old", "new", "short"))
    assert forget_and_rebuild(kinds.folder, tmp_path, rope, old, short, gull) == {rope, old, new, short, gull, copy}


def test_a_copy_that_was_forgotten_does_not_come_back_and_its_article_does(corpus: Path, tmp_path: Path) -> None:
    """One that was met after its article, which is then as if there had been no copy."""
    first = "(select min(captures.id) from captures where page_id = {}.id)"
    copies = f"""select pages.url from pages join articles on articles.id = pages.article_id join pages as own on own.url = articles.url
        where pages.state = 'duplicate' and pages.reason = ? and {first.format("pages")} > {first.format("own")}"""
    base = connect(corpus / "news.db")
    urls = {url for reason in ("text", "near") for (url,) in base.execute(f"{copies} limit 1", [reason])}
    base.close()
    assert forget_and_rebuild(corpus, tmp_path, *urls) == urls != set()


def test_a_body_is_found_in_the_file_beside(kinds: Newsroom, tmp_path: Path) -> None:
    ((file,),) = kinds.rows(
        "select file from captures where revisit_of is not null and status = 200 order by id limit 1"
    )
    rebuild(kinds.folder, f"warc/{file}", name=str(tmp_path / "one.db"))
    base = connect(tmp_path / "one.db")
    texts = dict(base.execute("select substr(url, -5), text from articles").fetchall())
    base.close()
    assert texts["/rope"] == story("/rope")


def test_without_its_body_a_page_is_left_out_with_a_word(kinds: Newsroom, tmp_path: Path) -> None:
    ((file,),) = kinds.rows(
        "select file from captures where revisit_of is not null and status = 200 order by id limit 1"
    )
    shutil.copy(kinds.folder / "warc" / file, tmp_path)
    done = broadsheet("import", file, cwd=tmp_path)
    assert done.stderr.splitlines()[0].endswith("has the body of a record that is not there")


def test_an_archive_that_was_lost_is_made_again_under_its_name_and_goes_on(corpus: Path, tmp_path: Path) -> None:
    for name in ("warc", "corpus"):
        shutil.copytree(corpus / name, tmp_path / name)
    shutil.copy(corpus / "sources.toml", tmp_path)
    again = rebuild(tmp_path, name="news.db")
    kept = sorted(path.name for path in (tmp_path / "warc").iterdir())
    crawl_corpus(tmp_path)
    assert [line for line in differences(corpus / "news.db", again) if "source" not in line] == []
    assert sorted(path.name for path in (tmp_path / "warc").iterdir()) == kept
    assert broadsheet("doctor", "--db", again, cwd=tmp_path).returncode == 0


def test_a_rebuild_says_nothing_of_how_a_source_is_doing(rebuilt: Path) -> None:
    base = connect(rebuilt)
    assert base.execute("select count(*) from habits").fetchone()[0] == 0
    base.close()


def test_of_a_stranger_s_archive_each_record_is_a_page_and_known_by_its_place(kinds: Newsroom, tmp_path: Path) -> None:
    """Recompressed without the first record of a file, nothing says that it is ours."""
    (first, *_) = files(kinds.folder)
    second = records(first)[1].offset
    (tmp_path / "other.warc.gz").write_bytes(first.read_bytes()[second:])
    done = broadsheet("import", "other.warc.gz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    base = connect(tmp_path / "news.db")
    found = base.execute("select distinct via, hints, file from captures join pages on pages.id = page_id").fetchall()
    reasons = dict(
        base.execute("select substr(url, -5), captures.reason from captures join pages on pages.id = page_id")
    )
    base.close()
    assert [tuple(row) for row in found] == [("warc", None, "./other.warc.gz")]
    assert (reasons["/pier"], reasons["short"]) == (None, "too_short")
