"""Articles that a site splits over several pages: whole crawls over real HTTP on loopback, and saved copies."""

import re
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from crawler.pagination import ALL, address_key, part_of
from crawler.times import stamp
from pipelines.deduplicate.parts import joined_text
from pipelines.extract.pagination import linked_parts
from pipelines.extract.tree import parse
from tests.conftest import broadsheet
from tests.support.loopback import Site, article_html, story
from tests.support.newsroom import Newsroom

TEXTS = tuple(story(subject) for subject in ("weir", "mill", "ford"))
WHOLE = "\n\n".join(TEXTS)
DATE = stamp(datetime.now(UTC))  # rechecks end after some days

QUERY = ("/weir", "/weir?page=2", "/weir?page=3")
PATHS = {
    "query": QUERY,
    "slash": ("/weir/", "/weir/2/", "/weir/3/"),
    "page": ("/weir", "/weir/page/2", "/weir/page/3"),
    "file": ("/weir.html", "/weir-p2.html", "/weir-p3.html"),
    "number": ("/2026/weir_1.html", "/2026/weir_2.html", "/2026/weir_3.html"),
    "German": ("/weir", "/weir/seite-2", "/weir/seite-3"),
}


def pager(paths: tuple[str, ...], number: int) -> str:
    links = (f'<a href="{path}">{n}</a>' for n, path in enumerate(paths, 1) if n != number)
    return f'<div class="pager">Page {number}: {" ".join(links)}</div>'


def next_link(paths: tuple[str, ...], number: int) -> str:
    links = f'<link rel="next" href="{paths[number]}">' if number < len(paths) else ""
    return links + (f'<link rel="prev" href="{paths[number - 2]}">' if number > 1 else "")


def labels(paths: tuple[str, ...], number: int) -> str:
    last = f'<p><a href="{paths[number]}">Next page »</a></p>' if number < len(paths) else ""
    return last + (f'<p><a href="{paths[number - 2]}">‹</a></p>' if number > 1 else "")


PAGERS = {"numbers": pager, "rel": next_link, "labels": labels}


def put(
    site: Site,
    path: str,
    text: str,
    more: str = "",
    *,
    title: str = "The weir",
    date: str = DATE,
    etag: str | None = None,
) -> None:
    html = article_html(title, text, date).replace("</article>", f"</article>{more}")
    if "<link" in more:
        html = article_html(title, text, date).replace("</head>", f"{more}</head>")
    site.add(path, html, etag=etag)


def texts_of(subject: str) -> tuple[str, ...]:
    return tuple(story(f"{part} {subject}".strip()) for part in ("weir", "mill", "ford"))


def put_parts(site: Site, paths: tuple[str, ...] = QUERY, more: str = "", subject: str = "") -> None:
    for number, (path, text) in enumerate(zip(paths, texts_of(subject), strict=True), 1):
        put(site, path, text, pager(paths, number) + more, title=f"The weir {subject}".strip())


def watch(site: Site, newsroom: Newsroom, *paths: str) -> None:
    site.feed("/feed", *(site.url + path for path in paths))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')


def asked(site: Site) -> list[str]:
    return [path for path in site.asked_of_content if path != "/feed"]


def states(site: Site, newsroom: Newsroom) -> dict[str, tuple[str, str | None]]:
    return {url.removeprefix(site.url): state for url, state in newsroom.states().items()}


def articles(newsroom: Newsroom) -> list[tuple[str, int]]:
    return newsroom.rows("select text, version_count from articles order by id")


JOINED = [(WHOLE, 1)]


def test_articles_on_three_pages_are_joined_within_one_crawl(site: Site, newsroom: Newsroom) -> None:
    groups = {
        f"{style} {kind}": tuple(f"/{style}/{kind}{path}" for path in paths)
        for style in PAGERS
        for kind, paths in PATHS.items()
    }
    texts = {name: tuple(story(f"{subject} of {name}") for subject in ("weir", "mill", "ford")) for name in groups}
    for name, paths in groups.items():
        for number, path in enumerate(paths, 1):
            put(
                site, path, texts[name][number - 1], PAGERS[name.split()[0]](paths, number), title=f"The weir of {name}"
            )
    watch(site, newsroom, *(paths[0] for paths in groups.values()))
    newsroom.crawl()
    assert dict(newsroom.rows("select title, text from articles")) == {
        f"The weir of {name}": "\n\n".join(parts) for name, parts in texts.items()
    }
    assert sorted(asked(site)) == sorted(path for paths in groups.values() for path in paths)
    assert newsroom.rows("select * from changed") == newsroom.rows("select * from versions") == []
    assert newsroom.rows("select found, new, duplicate, pending from run_summary") == [(54, 18, 36, 0)]


def test_the_order_in_which_parts_are_found_does_not_matter(site: Site, newsroom: Newsroom) -> None:
    orders = {f"/{number}00": order for number, order in enumerate(permutations(range(3)), 1)}
    for folder in orders:
        put_parts(site, tuple(folder + path for path in QUERY), subject=folder)
    for turn in range(3):
        watch(site, newsroom, *(folder + QUERY[order[turn]] for folder, order in orders.items()))
        newsroom.crawl("--limit", "6", "--now")
    newsroom.crawl("--now")
    expected = [(site.url + folder + QUERY[0], "\n\n".join(texts_of(folder)), 1) for folder in orders]
    assert newsroom.rows("select url, text, version_count from articles order by url") == expected
    assert newsroom.rows("select count(*) from pages where reason = 'part'") == [(12,)]


def test_parts_are_followed_from_where_a_redirect_leads(site: Site, newsroom: Newsroom) -> None:
    put_parts(site)
    site.add("/go", status=302, Location="/weir")
    put_parts(site, tuple(f"/old{path}" for path in QUERY), subject="old", more='<a href="/old/weir/print">Print</a>')
    site.add("/old/weir/print", status=302, Location="/old/weir")
    watch(site, newsroom, "/go", "/old/weir")
    newsroom.crawl()
    newsroom.crawl("--now")
    assert sorted(text for text, _ in articles(newsroom)) == sorted([WHOLE, "\n\n".join(texts_of("old"))])


def test_an_address_used_again_does_not_get_the_parts_of_the_old_article(site: Site, newsroom: Newsroom) -> None:
    put_parts(site)
    watch(site, newsroom, "/weir")
    newsroom.crawl()
    let_rechecks_be_due(newsroom)
    newsroom.change("update pages set next_fetch_at = null")
    new = stamp(datetime.now(UTC) + timedelta(minutes=1))
    for number, path in enumerate(QUERY, 1):
        put(site, path, chapter(number + 1), pager(QUERY, number), title="Ferry fares", date=new)
    item = f"<item><guid>new</guid><title>Ferry fares</title><link>{site.url}/weir</link></item>"
    site.add("/feed", f'<rss version="2.0"><channel><title>N</title>{item}</channel></rss>', kind="application/rss+xml")
    newsroom.crawl("--now")
    newsroom.crawl("--now")
    texts = dict(newsroom.rows("select title, text from articles"))
    assert texts == {"The weir": WHOLE, "Ferry fares": "\n\n".join(chapter(number) for number in (2, 3, 4))}


def test_a_linked_page_with_all_of_it_is_asked_alone(site: Site, newsroom: Newsroom) -> None:
    link = '<p><a href="/weir?page=all">Single page</a></p>'
    put_parts(site, more=link)
    put(site, "/weir?page=all", WHOLE, '<a href="/weir">Pages</a>')
    watch(site, newsroom, "/weir")
    newsroom.crawl()
    assert articles(newsroom) == JOINED
    assert asked(site) == ["/weir", "/weir?page=all"]
    assert set(states(site, newsroom).values()) == {("article", None), ("duplicate", "part")}
    let_rechecks_be_due(newsroom)
    put(site, "/weir?page=all", f"{WHOLE}\n\nLater the mill was sold to the miller of the next valley.", link)
    newsroom.crawl()
    assert asked(site)[2:] == ["/weir", "/weir?page=all"]
    assert newsroom.rows("select version_count, words_added from articles join changed on article_id = id") == [(2, 12)]


def test_the_parts_are_asked_where_the_page_with_all_of_it_fails(site: Site, newsroom: Newsroom) -> None:
    put_parts(site, more='<p><a href="/weir/print">Print</a></p>')
    watch(site, newsroom, "/weir")
    newsroom.crawl()
    assert articles(newsroom) == JOINED
    assert asked(site) == ["/weir", "/weir/print", *QUERY[1:]]
    put(site, "/weir/print", WHOLE)
    newsroom.change("update pages set next_fetch_at = last_fetched_at where state = 'failed'")
    newsroom.crawl()
    assert articles(newsroom) == JOINED
    assert set(states(site, newsroom).values()) == {("article", None), ("duplicate", "part")}


def test_a_print_view_that_comes_first_and_the_parts_are_one_article(site: Site, newsroom: Newsroom) -> None:
    put_parts(site, more='<p><a href="/weir/print">Print</a></p>')
    put(site, "/weir/print", WHOLE)
    for path in ("/weir/print", "/weir"):
        watch(site, newsroom, path)
        newsroom.crawl("--now")
    assert articles(newsroom) == JOINED
    assert asked(site) == ["/weir/print", "/weir"]
    assert states(site, newsroom) == {
        "/weir": ("article", None), **dict.fromkeys((*QUERY[1:], "/weir/print"), ("duplicate", "part"))
    }  # fmt: skip


def test_what_is_no_part_is_not_followed(site: Site, newsroom: Newsroom) -> None:
    """The next post, a second post of that name, a section's pager, comments, a gallery, another host."""
    put(site, "/2026/weir/", TEXTS[0], '<link rel="next" href="/2026/ferry/"><link rel="prev" href="/2026/weir-2/">')
    links = "".join(f'<li><a href="/a{number}">The mill number {number} is sold again</a></li>' for number in range(40))
    site.add("/sport", f'<title>Sport</title><h1>Sport</h1><ul>{links}</ul><a rel="next" href="/sport?page=2">2</a>')
    put(
        site,
        "/mill",
        TEXTS[1],
        '<div id="comments"><a href="/mill?page=2">2</a><a href="/mill?page=3#comments">3</a></div>',
    )
    put(
        site,
        "/ford",
        TEXTS[2],
        '<a class="next" href="/ford?slide=2">Next</a><a href="http://other.example/ford/2">2</a>',
        title="Ford",
    )
    watch(site, newsroom, "/2026/weir/", "/sport", "/mill", "/ford")
    newsroom.crawl()
    assert sorted(asked(site)) == ["/2026/weir/", "/ford", "/mill", "/sport"]
    assert newsroom.rows("select count(*) from articles") == [(3,)]


def test_another_article_behind_a_number_is_one_of_its_own(site: Site, newsroom: Newsroom) -> None:
    """Stories that are numbered, with `rel=next` to the next; and a daily column of one title."""
    for kind, titles, dates in (("news", ("The weir", "A ferry sinks", "Elections"), (DATE,) * 3),
                                ("daily", ("The day",) * 3, ("2026-11-03", "2026-11-05", "2026-11-07"))):  # fmt: skip
        paths = tuple(f"/{kind}/{number}" for number in (1, 2, 3))
        for number, (title, date) in enumerate(zip(titles, dates, strict=True), 1):
            put(site, paths[number - 1], story(f"{kind} {number}"), next_link(paths, number), title=title, date=date)
    watch(site, newsroom, "/news/1", "/daily/2", "/daily/1")
    newsroom.crawl()
    newsroom.crawl("--now")
    texts = {text for (text,) in newsroom.rows("select text from articles")}
    assert texts <= {story(f"{kind} {number}") for kind in ("news", "daily") for number in (1, 2, 3)}
    assert newsroom.rows("select * from pages where reason = 'part'") == []


def test_a_part_that_is_missing_is_asked_again_and_completes_the_article(site: Site, newsroom: Newsroom) -> None:
    put_parts(site)
    del site.answers[QUERY[1]]
    watch(site, newsroom, "/weir")
    newsroom.crawl()
    assert articles(newsroom) == [("\n\n".join((TEXTS[0], TEXTS[2])), 1)]
    assert states(site, newsroom)[QUERY[1]] == ("failed", "http_404")
    put_parts(site)
    newsroom.change("update pages set next_fetch_at = last_fetched_at where state = 'failed'")
    newsroom.crawl()
    assert articles(newsroom) == JOINED


def test_parts_obey_what_pages_obey(site: Site, newsroom: Newsroom) -> None:
    """robots.txt, the rules of the source, a limit of 20 in a row; and what leads round ends."""
    site.add("/robots.txt", "User-agent: *\nDisallow: /*page=2", kind="text/plain")
    put_parts(site)
    many = ("/mill", *(f"/mill/{number}" for number in range(2, 31)))
    for number, path in enumerate(many, 1):
        following = many[number % 30]
        put(
            site,
            path,
            chapter(number),
            f'<link rel="next" href="{following}"><link rel="prev" href="{many[number - 2]}">',
            title="Mill",
        )
    put_parts(site, ("/ford", "/ford/page/2", "/ford/page/3"), subject="ford")
    site.feed("/feed", f"{site.url}/weir", f"{site.url}/mill", f"{site.url}/ford")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]\nexclude = ["/page/3"]')
    newsroom.crawl()
    newsroom.crawl("--now")
    assert sorted(asked(site)) == sorted(["/weir", "/weir?page=3", *many[:20], "/ford", "/ford/page/2"])
    assert states(site, newsroom)[QUERY[1]] == ("refused", "robots")
    assert dict(newsroom.rows("select title, text from articles where title = 'Mill'")) == {
        "Mill": "\n\n".join(chapter(number) for number in range(1, 21))
    }


def chapter(number: int) -> str:
    """A text that shares no word with another chapter's."""
    return re.sub(
        r"\b[a-z]+\b", lambda word: f"{word[0]}{'aeiouy'[number % 6]}{'bdfglmnprst'[number % 11]}o", story("mill")
    )


def let_rechecks_be_due(newsroom: Newsroom) -> None:
    for table, column in (("pages", "last_fetched_at"), ("articles", "last_fetched_at"), ("versions", "fetched_at")):
        newsroom.change(f"update {table} set {column} = strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '-1 hour')")
    newsroom.change("update pages set next_fetch_at = last_fetched_at where next_fetch_at is not null")


def test_a_recheck_keeps_the_article_whole_and_sees_what_changed_in_a_part(site: Site, newsroom: Newsroom) -> None:
    put_parts(site)
    put(site, "/weir", TEXTS[0], pager(QUERY, 1), etag='"1"')
    watch(site, newsroom, "/weir")
    newsroom.crawl()
    let_rechecks_be_due(newsroom)
    newsroom.crawl()
    assert articles(newsroom) == JOINED
    assert sorted(asked(site)[3:]) == list(QUERY)
    assert site.not_modified == ["/weir"]

    corrected = TEXTS[1] + "\n\nThe miller has since denied it in a letter to this paper."
    put(site, QUERY[1], corrected, pager(QUERY, 2))
    let_rechecks_be_due(newsroom)
    newsroom.crawl()
    whole = "\n\n".join((TEXTS[0], corrected, TEXTS[2]))
    assert articles(newsroom) == [(whole, 2)]
    assert newsroom.rows("select what, words_added, words_removed from changed") == [("text", 12, 0)]

    put(site, QUERY[1], story("cookies"), title="Before you continue")  # a wall
    site.answers.pop(QUERY[2])
    put(site, "/weir", TEXTS[0] + "\n\nThe keeper died on Monday.", pager(QUERY, 1))
    let_rechecks_be_due(newsroom)
    newsroom.crawl()
    assert articles(newsroom) == [(whole.replace(TEXTS[0], TEXTS[0] + "\n\nThe keeper died on Monday."), 3)]
    assert newsroom.rows(
        "select count(*) from pages where next_fetch_at is null or next_fetch_at <= last_fetched_at"
    ) == [(0,)]


def test_pages_that_repeat_the_first_add_nothing(site: Site, newsroom: Newsroom) -> None:
    for number, path in enumerate(QUERY, 1):
        put(site, path, TEXTS[0], pager(QUERY, number))
    watch(site, newsroom, "/weir")
    newsroom.crawl()
    let_rechecks_be_due(newsroom)
    newsroom.crawl()
    assert articles(newsroom) == [(TEXTS[0], 1)]
    assert asked(site) == [*QUERY, "/weir"]


def test_a_takedown_of_one_part_takes_them_all(site: Site, newsroom: Newsroom) -> None:
    put_parts(site)
    del site.answers[QUERY[2]]
    watch(site, newsroom, "/weir")
    newsroom.crawl()
    done = broadsheet("forget", site.url + QUERY[1], cwd=newsroom.folder)
    assert done.returncode == 0, done.stderr
    assert set(newsroom.states().values()) == {("refused", "forgotten")}
    assert newsroom.rows("select * from parts") == newsroom.rows("select * from articles") == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_saved_copies_are_joined_in_whatever_order_they_come(order: tuple[int, ...], tmp_path: Path) -> None:
    newsroom = Newsroom(tmp_path)
    folder = tmp_path / "saved" / "www.weir.example"
    folder.mkdir(parents=True)
    for number in order:
        paths = ("weir.html", "weir-p2.html", "weir-p3.html")
        html = article_html("The weir", TEXTS[number]).replace("</article>", f"</article>{pager(paths, number + 1)}")
        (folder / paths[number]).write_text(html)
        done = broadsheet("import", "saved", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert articles(newsroom) == JOINED
    assert newsroom.states() == {
        "https://www.weir.example/weir.html": ("article", None),
        "https://www.weir.example/weir-p2.html": ("duplicate", "part"),
        "https://www.weir.example/weir-p3.html": ("duplicate", "part"),
    }


def test_a_join_leaves_out_what_later_parts_repeat() -> None:
    deck = "How a valley lost its weir and what the millers say"
    parts = {
        1: f"{TEXTS[0]}\n\nContinued on page 2",
        2: f"The weir (2/3)\n\n{deck}\n\nYes.\n\n{TEXTS[1]}\n\nPage 2 of 3",
        3: f"THE WEIR\n\n{TEXTS[2]}\n\n{TEXTS[0].split(chr(10))[0]}",
    }
    assert joined_text(parts, ("The weir", deck)) == "\n\n".join((TEXTS[0], "Yes.", TEXTS[1], TEXTS[2]))
    assert joined_text(parts | {ALL: WHOLE}) == WHOLE
    assert joined_text({1: TEXTS[0], 2: TEXTS[1], ALL: TEXTS[0]}) == "\n\n".join(TEXTS[:2])


ADDRESSES = {
    "https://h.example/weir?id=3&page=2": ("h.example/weir?id=3", 2),
    "https://h.example/weir/2/": ("h.example/weir?", 2),
    "https://h.example/a/weir/page/12": ("h.example/a/weir?", 12),
    "https://h.example/weir,2.html": ("h.example/weir?", 2),
    "https://h.example/weir/index_2.shtml": ("h.example/weir?", 2),
    "https://h.example/weir_all.html": ("h.example/weir?", ALL),
    "https://h.example/print/weir": ("h.example/weir?", ALL),
    "https://h.example/weir?singlepage=1": ("h.example/weir?", ALL),
    "https://h.example/weir-2/": None,
    "https://h.example/weir": None,
    "https://h.example/": None,
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_an_address_tells_which_page_of_an_article_it_is(url: str) -> None:
    assert part_of(url) == ADDRESSES[url]
    if ADDRESSES[url]:
        assert (
            address_key("https://h.example/weir/index.html")
            == address_key("https://h.example/weir/")
            == "h.example/weir?"
        )


def test_links_that_cannot_be_addresses_are_passed_over() -> None:
    html = "<a href='http://['>2</a><a href=''>2</a><a href='/weir?page=2'>2</a><a href='/weir?page=99'>99</a>"
    assert linked_parts(parse(html), "https://h.example/weir") == (
        (1, "https://h.example/weir"),
        (2, "https://h.example/weir?page=2"),
    )
    assert linked_parts(parse(html), "urn:sha256:00") == ()
