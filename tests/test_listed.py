"""`crawl --urls`: single articles are fetched by the manners of a crawl, and no site becomes one that is watched."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import broadsheet
from tests.support.loopback import Answer, Site, article_html, serving, story
from tests.support.newsroom import Newsroom, start_crawl, wait_for
from tests.test_kill import kill_after


def pages_of(site: Site, *paths: str) -> list[str]:
    return [site.article(path, f"About {path[1:]}", story(path)) for path in paths]


def write(newsroom: Newsroom, *lines: str, name: str = "list.txt") -> None:
    (newsroom.folder / name).write_text("\n".join(lines))


SOURCES = "select url, name, enabled, status, reason from sources order by id"
ARTICLES = "select articles.title, sources.name from articles join sources on sources.id = source_id order by 1"


def test_articles_of_a_list_are_fetched_once_and_nothing_is_watched(site: Site, newsroom: Newsroom) -> None:
    urls = pages_of(site, "/a", "/b")
    newsroom.watch()
    write(newsroom, *urls, urls[0] + "#again", site.url + "/absent")
    done = newsroom.crawl("--urls", "list.txt")
    assert "1 page gave no answer, the first " in done.stdout
    off = (site.url + "/", "127.0.0.1", 0, "off", "only imported or listed, not in sources.toml")
    assert newsroom.rows(SOURCES) == [off]
    assert newsroom.rows("select distinct via from pages") == [("listed",)]
    assert newsroom.rows("select count(*) from pages where state = 'article' and next_fetch_at is not null") == [(0,)]
    newsroom.crawl("--urls", "list.txt")
    assert Counter(site.asked_of_content) == {"/a": 1, "/b": 1, "/absent": 1}
    newsroom.crawl("--urls", "list.txt", "--retry", "article", "--retry", "failed")
    assert Counter(site.asked_of_content) == {"/a": 2, "/b": 2, "/absent": 2}


def test_a_csv_says_outlet_date_and_title_and_the_page_comes_first(site: Site, newsroom: Newsroom) -> None:
    newsroom.watch()
    urls = pages_of(site, "/a")
    bare = site.add("/b", article_html("", story("b"), "").replace("<h1></h1>", ""))
    write(
        newsroom,
        "URL;Outlet;Title;Date",
        f"{urls[0]};The Ledger;No;3.11.2025",
        f"{bare};;Yes;3.11.2025",
        name="list.csv",
    )
    newsroom.crawl("--urls", "list.csv")
    assert newsroom.rows("select title, date_published, date_published_source from articles order by id") == [
        ("About a", "2026-11-03T08:15:00Z", "meta"),
        ("Yes", "2025-11-03", "feed"),
    ]
    assert newsroom.rows(ARTICLES)[0] == ("About a", "The Ledger")


def test_what_a_feed_said_of_a_listed_page_stays_known(site: Site, newsroom: Newsroom) -> None:
    (bare,) = [site.add("/b", article_html("", story("b"), "").replace("<h1></h1>", ""))]
    site.feed("/feed", *pages_of(site, "/a"), bare)
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl("--limit", "1")
    write(newsroom, "url,date", f"{bare},2026-11-03", name="list.csv")
    newsroom.crawl("--urls", "list.csv")
    known = "select title, date_published from articles where url like '%/b'"
    assert newsroom.rows(known) == [(f"Item {bare}", "2026-11-03")]
    write(newsroom, bare)
    newsroom.crawl("--urls", "list.txt", "--retry", "article")
    assert newsroom.rows(known) == [(f"Item {bare}", "2026-11-03")]


def test_an_address_that_was_taken_down_is_named_and_not_asked(site: Site, newsroom: Newsroom) -> None:
    urls = pages_of(site, "/a", "/b")
    newsroom.watch()
    write(newsroom, *urls)
    newsroom.crawl("--urls", "list.txt", "--limit", "1")
    assert broadsheet("forget", "--yes", *urls, cwd=newsroom.folder).returncode == 0
    write(newsroom, "url,title", *(f"{url},The pier" for url in urls), name="list.csv")
    done = newsroom.crawl("--urls", "list.csv", "--retry", "refused")
    assert [line for line in done.stdout.splitlines() if line.startswith("no article")] == [
        f"no article: {url}: was taken down; `broadsheet forget --undo URL` lifts that" for url in urls
    ]
    assert site.asked_of_content == ["/a"]
    assert newsroom.rows("select distinct state, reason, hints from pages") == [("refused", "forgotten", None)]
    assert newsroom.crawl("--urls", "list.csv", "--quiet").stdout == ""


def test_the_settings_of_a_site_of_sources_toml_are_used_and_its_feed_is_not_asked(
    site: Site, newsroom: Newsroom
) -> None:
    newsroom.watch(
        f'url = "{site.url}/"\nname = "Ours"\nfeeds = ["{site.url}/feed"]\nstrip = ["h1 + p"]\nexclude = ["."]'
    )
    site.feed("/feed", *pages_of(site, "/new"))
    write(newsroom, *pages_of(site, "/a"))
    newsroom.crawl("--urls", "list.txt")
    assert site.asked_of_content == ["/a"]
    assert newsroom.rows(ARTICLES) == [("About a", "Ours")]
    assert newsroom.rows("select text from articles") == [("\n\n".join(story("/a").split("\n\n")[1:]),)]
    assert newsroom.rows("select last_success_at from sources") == [(None,)]


def test_a_dead_page_of_a_list_says_nothing_of_its_source_later_either(site: Site, newsroom: Newsroom) -> None:
    site.feed("/feed", *pages_of(site, "/a"))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    write(newsroom, site.url + "/dead")
    done = newsroom.crawl("--urls", "list.txt", code=1)
    assert done.stderr.splitlines()[-1].startswith(
        f"broadsheet: not one page gave an answer, the first {site.url}/dead: "
    )
    newsroom.crawl()
    assert broadsheet("status", "--check", "--db", newsroom.db).returncode == 0
    done = newsroom.crawl("--retry", "failed", "--now")
    assert "source could not be read" not in done.stdout
    assert site.asked.count("/dead") == 2
    newsroom.crawl("--urls", "list.txt", "--retry", "failed", code=1)
    assert broadsheet("status", "--check", "--db", newsroom.db).returncode == 0


def test_an_article_belongs_to_the_site_that_answers(site: Site, newsroom: Newsroom) -> None:
    with serving("127.0.0.2") as other:
        (there,) = pages_of(other, "/there")
        write(newsroom, site.add("/short", "", 301, Location=there))
        newsroom.watch(f'url = "{other.url}/"\nname = "Other"')
        newsroom.crawl("--urls", "list.txt")
    assert newsroom.rows(ARTICLES) == [("About there", "Other")]
    assert newsroom.states()[site.url + "/short"] == ("duplicate", "redirect")


def test_robots_and_the_guard_hold_and_what_is_beyond_the_limit_stays_pending(site: Site, newsroom: Newsroom) -> None:
    site.add("/robots.txt", "User-agent: *\nDisallow: /a", kind="text/plain")
    urls = pages_of(site, "/a", "/b", "/c", "/d")
    newsroom.watch()
    write(newsroom, "http://10.0.0.1/private", *urls)
    done = newsroom.crawl("--urls", "list.txt", "--limit", "3")
    states = {url.removeprefix(site.url): state for url, state in newsroom.states().items()}
    assert states == {
        "http://10.0.0.1/private": ("failed", "private_address"), "/a": ("refused", "robots"), "/b": ("article", None),
        "/c": ("pending", None), "/d": ("pending", None),
    }  # fmt: skip
    assert "2\nnews.db holds 1 article" in done.stdout
    newsroom.crawl("--urls", "list.txt")
    assert {state for state, _ in newsroom.states().values()} == {"failed", "refused", "article"}


def test_the_next_crawl_takes_up_what_a_list_left_of_a_site_that_is_watched(site: Site, newsroom: Newsroom) -> None:
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    site.feed("/feed")
    write(newsroom, *pages_of(site, "/a", "/b"))
    newsroom.crawl("--urls", "list.txt", "--limit", "1")
    newsroom.crawl()
    assert [state for state, _ in newsroom.states().values()] == ["article", "article"]


def test_a_run_that_is_limited_says_too_that_nothing_answered(site: Site, newsroom: Newsroom) -> None:
    newsroom.watch()
    write(newsroom, *(f"{site.url}/absent/{number}" for number in range(3)))
    done = newsroom.crawl("--urls", "list.txt", "--limit", "2", code=1)
    assert f"not one page gave an answer, the first {site.url}/absent/0: " in done.stderr


def slowly(page: bytes) -> Answer:
    time.sleep(0.05)
    return Answer(page, 200, {"Content-Type": "text/html"})


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_killed_at_random_moments_no_page_of_a_list_is_lost(site: Site, newsroom: Newsroom, kills: int) -> None:
    chance = random.Random(kills)
    paths = [f"/{number}" for number in range(20)]
    for path in paths:
        page = article_html(f"Pier {path}", story(path)).encode()
        site.answers[path] = lambda page=page: slowly(page)  # type: ignore[misc]
    newsroom.watch()
    write(newsroom, *(site.url + path for path in paths))
    for _ in range(kills):
        site.asked.append("start")
        process = start_crawl(newsroom, "--urls", "list.txt")
        wait_for(lambda: site.asked[-1] != "start")
        kill_after(process, chance.uniform(0, 1.0))
        assert len(newsroom.states()) == len(paths)  # from the first request on
    newsroom.crawl("--urls", "list.txt")
    assert set(newsroom.states().values()) == {("article", None)}
    # A page in flight when the run was killed is asked once more; never one whose article was stored.
    assert sum(Counter(site.asked)[path] - 1 for path in paths) <= 16 * kills


def test_no_sources_toml_is_needed(tmp_path: Path) -> None:
    page = tmp_path / "web/www.x.example/a.html"
    page.parent.mkdir(parents=True)
    page.write_text(article_html("The anchor", story("anchor")))
    (tmp_path / "list.txt").write_text("https://www.x.example/a.html\n")
    done = broadsheet("crawl", "--urls", "list.txt", "--offline", "web", cwd=tmp_path)
    assert (done.returncode, "news.db holds 1 article." in done.stdout) == (0, True), done.stderr
    assert broadsheet("crawl", "--urls", "list.txt", "--offline", "web", "--quiet", cwd=tmp_path).stdout == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--urls absent.txt", "absent.txt: No such file"),
        ("--urls .", ".: expected .csv or .txt"),
        ("--urls folder.csv", "folder.csv: Is a directory"),
        ("--urls list.json", "list.json: expected .csv or .txt"),
        ("--urls bad.txt", "bad.txt: line 2: 'foo' is no http or https address; line 4: 'ftp://x.example/' is no http"),
        ("--urls empty.txt", "empty.txt: names no article"),
        ("--urls empty.csv", "empty.csv: is empty"),
        ("--urls binary.txt", "binary.txt: is no text"),
        ("--urls files.csv", "files.csv: line 1: a column `file` is for `import --metadata`"),
        ("--urls good.txt --sources absent.toml", "absent.toml: no such file"),
        ("--urls good.txt --now", "--now is for sources"),
        ("--urls good.txt https://a.example/", "https://a.example/ is for sources"),
        ("--urls good.txt --retry all", "--retry"),
    ],
)
def test_a_list_that_cannot_be_used_is_named_and_makes_nothing(tmp_path: Path, options: str, said: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "bad.txt").write_text("# one\nfoo\nhttps://x.example/\nftp://x.example/\n")
    (tmp_path / "good.txt").write_text("https://x.example/\n")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)))
    (tmp_path / "files.csv").write_text("file,url\na,https://x.example/\n")
    for name in ("empty.txt", "empty.csv"):
        (tmp_path / name).touch()
    done = broadsheet("crawl", *options.split(), cwd=tmp_path)
    assert (done.returncode, said in done.stderr, (tmp_path / "news.db").exists()) == (2, True, False), done.stderr
