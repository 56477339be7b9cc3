"""`broadsheet sources` as a person uses it: a look before a site is added, a look at all of them, lists in and out."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crawler.cli.main import main
from crawler.sources.toml_file import parse_sources
from tests.conftest import CORPUS, broadsheet, start_beside
from tests.support.loopback import Site, article_html, serving, story
from tests.support.newsroom import wait_for
from tests.support.running import Running
from tests.support.terminal import on_a_terminal, start_at

MANNERS = '# mine\n[crawl]\ndelay = 0\nallow_private = ["127.0.0.0/8"]\n'


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sources.toml").write_text(MANNERS)
    return tmp_path


def added(folder: Path) -> str:
    """What was written behind the manners."""
    return (folder / "sources.toml").read_text().removeprefix(MANNERS)


def sources(*arguments: object) -> Result:
    """The command line in this process and folder, for what asks nobody: a start costs half a second."""
    return CliRunner().invoke(main, ["sources", *map(str, arguments)])


def gazette(site: Site, articles: int = 7) -> None:
    """A front page that names itself and its feed, and a feed with a title of its own."""
    links = [site.article(f"/{number}", f"Pier {number}", story(f"pier {number}")) for number in range(articles)]
    site.feed("/news.xml", *links)
    site.add(
        "/",
        '<meta property="og:site_name" content="The Pier&#27; Gazette"><link rel=alternate type="application/rss+xml" href="/news.xml">',
    )


def test_a_site_whose_feed_alone_tells_its_articles_is_shown_with_them(site: Site, folder: Path) -> None:
    for number in range(3):
        site.add(f"/{number}", "", 403)
    text = "".join(f"<p>{paragraph}</p>" for paragraph in story("pier").split("\n\n"))
    items = "".join(
        f"<item><title>Pier {number}</title><link>{site.url}/{number}</link><c:encoded><![CDATA[{text}{number}]]></c:encoded></item>"
        for number in range(3)
    )
    space = 'xmlns:c="http://purl.org/rss/1.0/modules/content/"'
    site.add("/news.xml", f'<rss version="2.0" {space}><channel>{items}</channel></rss>', kind="text/xml")
    site.add("/", '<link rel=alternate type="application/rss+xml" href="/news.xml">')
    done = broadsheet("sources", "add", f"{site.url}/", "--yes", cwd=folder)
    assert (done.returncode, "Pier 0" in done.stdout) == (0, True), done.stdout


def test_a_site_is_shown_and_then_added_with_its_name_and_language(site: Site, folder: Path) -> None:
    gazette(site)
    done = broadsheet("sources", "add", f"{site.url}/", cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert lines[:4] == [
        "name         The Pier Gazette",
        "language     en",
        f"RSS feed     {site.url}/news.xml",
        "pages        7 found, 5 of them read: 5 with an article",
    ]
    assert lines[5:8] == ["1. Pier 0", "2026-11-03T08:15:00Z · no author · 129 words", f"{site.url}/0"]
    assert lines[8].startswith("This is about the pier 0, which has been here for forty years.")
    assert added(folder) == f'\n[[source]]\nurl = "{site.url}/"\nname = "The Pier Gazette"\nlanguage = "en"\n'
    assert len([path for path in site.asked if path.strip("/").isdigit()]) == 5
    assert not list(folder.glob("*.db*"))


def test_a_feed_itself_is_added_as_a_feed_of_its_site(site: Site, folder: Path) -> None:
    gazette(site)
    done = broadsheet("sources", "add", f"{site.url}/news.xml", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert f"RSS feed     {site.url}/news.xml\n               a feed itself: nothing else of its site" in done.stdout
    (source,) = parse_sources((folder / "sources.toml").read_text()).sources
    assert (source.url, source.feeds, source.name) == (f"{site.url}/", (f"{site.url}/news.xml",), "News")
    assert "/" not in site.asked


def test_a_sitemap_itself_is_added_as_a_sitemap(site: Site, folder: Path) -> None:
    page = site.article("/pier", "Pier", story("pier"))
    address = site.add("/map.xml", f"<urlset><url><loc>{page}</loc></url></urlset>", kind="text/xml")
    done = broadsheet("sources", "add", address, "--name", "Pier", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert f'sitemaps = ["{address}"]' in added(folder)


def test_a_site_that_gives_no_article_is_not_added_unless_somebody_insists(site: Site, folder: Path) -> None:
    gazette(site, 0)
    site.feed("/news.xml", site.add("/plan", "%PDF-1.7"))
    done = broadsheet("sources", "add", f"{site.url}/", cwd=folder)
    assert (done.returncode, added(folder)) == (1, "")
    assert f"no article: {site.url}/plan: not a web page, but a picture, a PDF, a feed or other data" in done.stdout
    assert "Not one page there gives an article: 1 of 1 read: " in done.stdout
    assert broadsheet("sources", "add", f"{site.url}/", "--yes", cwd=folder).returncode == 0
    assert f'url = "{site.url}/"' in added(folder)


def test_a_site_that_cannot_be_read_is_not_added_and_the_reason_is_named(site: Site, folder: Path) -> None:
    site.add("/", "no", 403)
    done = broadsheet("sources", "add", site.url, cwd=folder)
    assert (done.returncode, added(folder)) == (1, "")
    said = f"{site.url}/ was not added: turned away by the server (HTTP 403); `--no-look` adds it all the same"
    assert done.stderr == f"broadsheet: {said}\n"
    assert sources("add", site.url, "--no-look").exit_code == 0
    assert added(folder) == f'\n[[source]]\nurl = "{site.url}/"\n'


def test_an_articles_address_is_not_added_and_its_site_is_named(site: Site, folder: Path) -> None:
    gazette(site)
    page = article_html("Pier", story("pier")).replace(
        "<h1>", '<link rel=alternate type="application/rss+xml" href="/news.xml"><h1>'
    )
    address = site.add("/2026/pier", page)
    done = broadsheet("sources", "add", address, "--yes", cwd=folder)
    assert (done.returncode, added(folder)) == (2, "")
    assert done.stderr.splitlines()[-1] == (
        f"broadsheet: {address} is an article; its site is {site.url}/: add that. `--no-look` adds the article's address all the same"
    )


def test_a_section_of_a_site_may_be_added(site: Site, folder: Path) -> None:
    gazette(site)
    links = "".join(f"<li><a href=/{number}>Pier {number} and all that is to be said of it</a>" for number in range(7))
    address = site.add("/sport/", f"<title>Sport</title><ul>{links}</ul>")
    done = broadsheet("sources", "add", address, cwd=folder)
    assert (done.returncode, added(folder).count(address)) == (0, 1), done.stderr
    assert "pages        7 found, 5 of them read: 5 with an article" in done.stdout


@pytest.mark.parametrize(
    ("crawl", "line"),
    [
        ("", 'allow_private = ["127.0.0.1"]'),
        ('[crawl]\nallow_private = ["10.0.0.0/8"]\n', 'allow_private = ["10.0.0.0/8", "127.0.0.1"]'),
    ],
    ids=["nothing is allowed", "another network is"],
)
def test_of_a_private_address_the_line_that_allows_it_is_named(folder: Path, crawl: str, line: str) -> None:
    (folder / "sources.toml").write_text(crawl)
    done = broadsheet("sources", "add", "http://127.0.0.1:9/", cwd=folder)
    assert (done.returncode, (folder / "sources.toml").read_text()) == (1, crawl)
    assert done.stderr == (
        "broadsheet: http://127.0.0.1:9/ was not added: its address 127.0.0.1 is not public; to watch it nevertheless, "
        f"write {line} under [crawl] in sources.toml\n"
    )
    assert parse_sources(f"[crawl]\n{line}\n", may_be_empty=True).crawl.networks()


@pytest.mark.parametrize("address", ["https://X.example", "https://x.example/rss#top", "https://x.example/map.xml"])
def test_what_is_there_already_is_not_looked_at(folder: Path, address: str) -> None:
    known = 'url = "https://x.example/"\nfeeds = ["https://x.example/rss"]\nsitemaps = ["https://x.example/map.xml"]\n'
    (folder / "sources.toml").write_text(f"{MANNERS}[[source]]\n{known}")
    done = sources("add", address)
    assert (done.exit_code, "is there already, as x.example" in done.stderr) == (2, True)
    assert added(folder) == f"[[source]]\n{known}"


def test_several_addresses_and_a_list_are_looked_at_together(site: Site, folder: Path) -> None:
    gazette(site)
    links = [site.article(f"/{number}/", f"Crane {number}", story(f"crane {number}")) for number in range(3)]
    sport = site.feed("/sport.xml", *links)
    poor = site.feed("/poor.xml", site.add("/plan", "%PDF-1.7"))
    gone, article = f"{site.url}/gone/", site.article("/2026/pier", "Pier", story("pier"))
    (folder / "list.txt").write_text(f"{sport}  # sport\n{gone}\n{site.url}\n")
    done = broadsheet("sources", "add", site.url, "list.txt", poor, article, cwd=folder)
    assert done.returncode == 2, done.stderr
    assert sorted(line.removeprefix("broadsheet: ").partition(":")[2] for line in done.stderr.splitlines()) == sorted(
        line.partition(":")[2]
        for line in [
            f"{gone} was not added: no page at this address (HTTP 404); `--no-look` adds it all the same",
            f"{poor} was not added; `--yes` adds it all the same",
            f"{article} is an article; its site is {site.url}/: add that. `--no-look` adds the article's address all the same",
        ]
    ), done.stderr
    assert f"\n{site.url}/\n  name         The Pier Gazette\n" in f"\n{done.stdout}"
    assert done.stdout.splitlines()[-1] == (
        "sources.toml: added The Pier Gazette, News. `broadsheet crawl` fetches them."
    )
    assert added(folder).count("[[source]]") == 2
    again = broadsheet("sources", "add", "list.txt", site.url, "--no-look", cwd=folder)
    assert (again.returncode, again.stderr.count("is there already")) == (0, 2)
    assert added(folder).count("[[source]]") == 3


def test_a_list_that_is_no_file_here_may_be_an_address(folder: Path) -> None:
    assert sources("add", "x.example/urls.txt", "https://y.example/a.opml", "--no-look").exit_code == 0
    assert [line for line in added(folder).splitlines() if "url" in line] == [
        'url = "https://x.example/urls.txt"',
        'url = "https://y.example/a.opml"',
    ]


def test_a_terminal_is_told_of_every_step_and_asked_once(site: Site, folder: Path) -> None:
    gazette(site, 2)
    page = site.article("/crane", "Crane", story("crane"))
    sport = site.feed("/sport.xml", page)
    shown = on_a_terminal(folder, "sources", "add", site.url, sport, until=b"[Y/n]", answer=b"\n")
    lines = [line.rstrip() for line in shown.splitlines()]
    assert lines[0] == "Looking at 2 sites …"
    steps = [line.split(maxsplit=1) for line in lines[1 : lines.index("")]]
    assert {(*step,) for step in steps} >= {
        ("robots.txt", f"{site.url}/robots.txt"),
        ("front", f"page   {site.url}/"),
        ("feed", f"{site.url}/news.xml"),
        ("article", f"{site.url}/0"),
        ("article", page),
    }, shown
    assert shown.count("Add these 2? [Y/n]") == 1
    assert added(folder).count("[[source]]") == 2


def test_what_is_no_terminal_is_not_told_of_steps(site: Site, folder: Path) -> None:
    gazette(site)
    assert broadsheet("sources", "add", site.url, cwd=folder).stderr == ""


def test_an_imported_list_learns_names_and_languages_from_front_pages(site: Site, folder: Path) -> None:
    gazette(site)
    site.add("/es/", '<html lang="es-AR"><meta property="og:site_name" content="El Muelle">')
    site.add("/twin/", '<html lang="the best"><meta property="og:site_name" content="The Pier&#27; Gazette">')
    names = ["", "es/", "twin/", "gone/"]
    rows = "".join(f"{site.url}/{name}\n" for name in names)
    (folder / "list.csv").write_text(f"url,name\n{rows}{site.url}/own/,Mine\n{site.feed('/feed.rss')},\n")
    site.add("/own/", '<html lang="de"><meta property="og:site_name" content="Its own word">')
    done = broadsheet("sources", "import", "list.csv", cwd=folder)
    assert (done.returncode, done.stdout) == (
        0,
        "sources.toml: 6 sources added, their feeds are looked for at the first crawl.\n",
    )
    assert done.stderr == "1 front page could not be read: its name and language are as the list says.\n"
    found = [(source.name, source.language) for source in parse_sources((folder / "sources.toml").read_text()).sources]
    assert found == [
        ("The Pier Gazette", None),
        ("El Muelle", "es-AR"),
        ("The Pier Gazette · 127.0.0.1", None),
        ("127.0.0.1/gone/", None),
        ("Mine", "de"),
        ("127.0.0.1/feed.rss", None),
    ]
    assert sorted(site.asked) == sorted(["/robots.txt", *(f"/{name}" for name in [*names, "own/", "feed.rss"])])


def test_an_import_on_a_terminal_shows_how_far_it_is(site: Site, folder: Path) -> None:
    gazette(site)
    (folder / "list.txt").write_text(f"{site.url}\n{site.url}/gone/\n")
    shown = on_a_terminal(folder, "sources", "import", "list.txt")
    assert "/2" in shown
    assert "0/0" not in shown
    assert "2 sources added" in shown


def test_an_import_that_is_told_not_to_look_asks_nobody(site: Site, folder: Path) -> None:
    (folder / "list.txt").write_text(f"{site.url}\n{site.url}/feed.xml\n")
    done = sources("import", "list.txt", "--no-look")
    said = "sources.toml: 2 sources with 1 feed added, of 1 the feeds are looked for at the first crawl.\n"
    assert (done.exit_code, done.stdout, site.asked) == (0, said, [])


def test_a_list_in_a_pipe_has_a_line_a_source(folder: Path) -> None:
    url = f"https://a-rather-long-name-of-a-host.example/{'section/' * 20}"
    (folder / "sources.toml").write_text(f'[[source]]\nurl = "{url}"\nname = "{"The Long Ledger " * 9}"\n')
    assert [url in line for line in broadsheet("sources", "list", cwd=folder).stdout.splitlines()] == [False, True]
    assert url not in on_a_terminal(folder, "sources", "list")


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 0), (b"\n", 0), (b"\x03", 1)], ids=["no", "yes", "interrupted"])
def test_on_a_terminal_it_is_asked(tmp_path: Path, answer: bytes, code: int) -> None:
    master, slave = pty.openpty()
    process = start_at(slave, tmp_path, "sources", "add", "fenmoorpost.example", "--offline", CORPUS)
    shown = b""
    while b"Add it? [Y/n]" not in shown:
        shown += os.read(master, 4096)
    if answer == b"\x03":
        interrupt(process)
    else:
        os.write(master, answer)
    assert process.wait() == code
    assert (tmp_path / "sources.toml").exists() == (answer == b"\n")


def interrupt(process: Running) -> None:
    """Until it hears: in the instant between the question and the reading Python notes a signal, and reads on."""
    while process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)


@pytest.mark.parametrize("command", ["add", "import"])
def test_a_look_that_is_stopped_adds_nothing(site: Site, folder: Path, command: str) -> None:
    gazette(site)
    (folder / "list.txt").write_text(f"{site.url}\n{site.url}/sport/\n")
    (folder / "sources.toml").write_text(MANNERS.replace("delay = 0", "delay = 3"))
    (folder / "said").touch()
    streams = (os.devnull, os.devnull, str(folder / "said"))
    process = start_beside("sources", command, "list.txt", cwd=folder, workers=0, streams=streams)
    wait_for(lambda: site.asked)
    process.terminate()
    code, said = process.wait(), (folder / "said").read_text()
    assert (code, "stopped by a signal" in said) == (1, True), said
    assert "[[source]]" not in (folder / "sources.toml").read_text()


def test_all_sources_are_looked_at_and_a_poor_one_is_named(site: Site, folder: Path) -> None:
    gazette(site)
    entries = [
        ("Pier", f"{site.url}/", ""),
        ("Gone", f"{site.url}/gone/", ""),
        ("Off", f"{site.url}/off/", "enabled = false\n"),
    ]
    text = "".join(f'[[source]]\nname = "{name}"\nurl = "{url}"\n{more}' for name, url, more in entries)
    (folder / "sources.toml").write_text(MANNERS + text)
    done = broadsheet("sources", "check", "--look", cwd=folder)
    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        ["broadsheet: no article from Gone"],
    )
    assert [line for line in done.stdout.splitlines() if "front page" in line or "pages  " in line] == [
        "  pages        7 found, 5 of them read: 5 with an article",
        f"  front page   {site.url}/gone/: no page at this address (HTTP 404)",
        "  pages        0 found, 0 of them read: 0 with an article",
    ]
    assert added(folder) == text


def test_however_many_sources_there_are_five_pages_of_each_are_asked(folder: Path) -> None:
    done = broadsheet(
        "sources", "check", "--look", "--sources", CORPUS / "sources.toml", "--offline", CORPUS, cwd=folder
    )
    read = [int(number) for number in re.findall(r"found, (\d+) of them read", done.stdout)]
    assert (len(read), max(read), done.returncode) == (13, 5, 0)


def test_only_the_named_sources_are_checked(folder: Path) -> None:
    named = ["--sources", CORPUS / "sources.toml", "--offline", CORPUS]
    done = broadsheet("sources", "check", "--look", "The Fenmoor Post", *named, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    wrong = sources("check", "--look", "Fenmoor Post", *named)
    assert (wrong.exit_code, "did you mean 'The Fenmoor Post'?" in wrong.stderr) == (2, True)


def test_a_list_goes_in_once_and_what_it_had_besides_is_said(folder: Path) -> None:
    (folder / "feeds.opml.xml").write_text(
        '<opml><body><outline text="News"><outline text="A" xmlUrl="https://a.example/rss" description="x"/>'
        '<outline text="B" xmlUrl="https://b.example/rss" description="y"/></outline></body></opml>'
    )
    first = sources("import", "feeds.opml.xml", "--no-look")
    assert (first.exit_code, first.stdout) == (0, "sources.toml: 2 sources with 2 feeds added.\n")
    assert first.stderr == "feeds.opml.xml: not used: description (2)\n"
    before = (folder / "sources.toml").read_text()
    assert before.startswith(MANNERS)
    again = sources("import", "feeds.opml.xml", "--no-look")
    assert again.stdout == "sources.toml: nothing new.\nThere already: A, B.\n"
    assert (folder / "sources.toml").read_text() == before


def test_a_reader_gets_the_feeds_that_the_archive_discovered(demo: Path, folder: Path) -> None:
    done = sources("export", "out.opml", "--sources", CORPUS / "sources.toml", "--db", demo)
    assert (done.exit_code, done.stdout) == (0, "out.opml: 9 sources written.\n")
    assert "source without a feed (4)" in done.stderr
    text = (folder / "out.opml").read_text("utf-8")
    assert 'xmlUrl="https://www.calderwickledger.example/feeds/all.xml"' in text
    bare = sources("export", "bare.opml", "--sources", CORPUS / "sources.toml")
    assert "source without a feed (10)" in bare.stderr
    assert bare.stdout == "bare.opml: 3 sources written.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("import absent.opml", 2, "absent.opml: No such file"),
        ("import notes.doc", 2, "notes.doc: expected one of .opml, .xml, .csv, .txt"),
        ("import empty.txt", 2, "empty.txt: names no site"),
        ("import empty.opml", 2, "empty.opml: not well-formed XML"),
        ("import wrong.txt", 2, "not added: entry 1: 'ftp://a.example/' is no http or https address"),
        ("import good.txt --no-look --sources inline.toml", 2, "inline.toml: not valid TOML"),
        ("import good.txt --no-look --sources misspelt.toml", 2, "did you mean 'delay'"),
        ("export out.json", 2, "out.json: expected one of"),
        ("export absent/out.csv", 2, "absent/out.csv: no such folder"),
        ("add a.example --offline . --sources absent/s.toml", 2, "absent/s.toml: no such folder"),
        ("check --look --write", 2, "--look proposes nothing"),
        ("check --offline .", 2, "--offline is for --look"),
        ("import good.txt --no-look --offline .", 2, "--offline is for a look"),
        ("add a.example c.example --name C --no-look", 2, "--name is for one address"),
        ("add absent.txt", 2, "absent.txt: No such file"),
        ("add empty.txt", 2, "empty.txt: names no site"),
        ("add empty.opml", 2, "empty.opml: `broadsheet sources import empty.opml` takes lists of other programs"),
        ("add nowhere.example --no-look --offline .", 2, "--offline is for a look"),
        ("add nowhere.example --offline absent", 2, "absent"),
        ("add https://me:word@a.example/", 2, "carries a user name"),
    ],
)
def test_bad_input_changes_nothing(folder: Path, arguments: str, code: int, said: str) -> None:
    files = {
        "sources.toml": '[[source]]\nurl = "https://b.example/"\n', "inline.toml": 'source = [{url = "https://c.example/"}]\n',
        "misspelt.toml": "[crawl]\ndelya = 1\n", "notes.doc": "", "empty.txt": "# nothing\n", "empty.opml": "",
        "wrong.txt": "ftp://a.example/\n", "good.txt": "a.example\n",
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text)
    done = sources(*arguments.split())
    assert (done.exit_code, said in done.stderr, type(done.exception)) == (code, True, SystemExit), done.stderr
    assert {path.name: path.read_text() for path in folder.iterdir()} == files


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("list --sources pipe.opml", "pipe.opml: no source"),
        ("list --sources endless.opml", "endless.opml: cannot be read: larger than 16 MB"),
        ("import pipe.opml", "pipe.opml: not well-formed XML"),
        ("import endless.opml", "endless.opml: cannot be read: larger than 16 MB"),
        ("add https://c.example/ --no-look --sources endless.opml", "larger than 16 MB"),
        ("export link.opml", "link.opml: is not a file"),
    ],
)
def test_what_is_no_file_or_has_no_end_is_neither_read_nor_replaced(folder: Path, arguments: str, said: str) -> None:
    (folder / "sources.toml").write_text('[[source]]\nurl = "https://b.example/"\n')
    os.mkfifo(folder / "pipe.opml")
    (folder / "link.opml").symlink_to("pipe.opml")
    with (folder / "endless.opml").open("wb") as file:
        file.truncate(2**40)
    before = sorted(path.name for path in folder.iterdir())
    done = sources(*arguments.split())
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
    assert (sorted(path.name for path in folder.iterdir()), (folder / "pipe.opml").is_fifo()) == (before, True)


def test_a_list_comes_through_a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "list.txt")
    with (folder / "list.txt").open("r+b", buffering=0) as pipe:
        pipe.write(b"a.example\n")
        writer = threading.Timer(0.2, pipe.close)  # it ends when nobody writes any more
        writer.start()
        done = sources("import", "list.txt", "--no-look")
    assert (done.exit_code, "a.example" in added(folder)) == (0, True)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.opml", '<opml xmlns:a="\u202e"/>'),
        ("a.txt", "http://a:\x00\x1b[2J"),
        ("a.csv", "url,\x1b[2J\nx.example,1\n"),
    ],
)
def test_a_list_s_own_words_do_not_reach_the_terminal_as_commands(folder: Path, name: str, said: str) -> None:
    (folder / name).write_text(said)
    shown = sources("import", name, "--no-look")
    assert (shown.exit_code, shown.output.replace("\n", "").isprintable()) == (0 if name == "a.csv" else 2, True)


def test_a_name_in_brackets_is_shown_as_it_is(folder: Path) -> None:
    entry = '[[source]]\nurl = "https://x.example/"\nname = "[/b]"\ncategory = "[red]"\n'
    (folder / "sources.toml").write_text(entry)
    shown = sources("list")
    assert (shown.exit_code, shown.output.splitlines()[1].split()[0]) == (0, "[/b]")
    assert "[red]" in shown.output


def test_a_strangers_text_does_not_reach_the_terminal_as_commands(site: Site, folder: Path) -> None:
    site.add("/pier", article_html("Pier &#x202e;\x9b31m", f"{story('pier')} \x9b2J"))
    site.feed("/news.xml", f"{site.url}/pier")
    site.add("/", '<link rel=alternate type="application/rss+xml" href="/news.xml">')
    shown = broadsheet("sources", "add", site.url, cwd=folder).stdout
    assert [char for char in shown if not char.isprintable() and char != "\n"] == []
