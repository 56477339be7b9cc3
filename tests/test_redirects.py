"""Ways to an article that are no HTTP redirect: pages that move on by HTML, redirectors with the target in their query, checks by
cookie. Whole crawls over real HTTP on loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from crawler.items import Hints
from crawler.parsers.links import link_of
from crawler.redirectors import behind_redirectors
from tests.conftest import broadsheet
from tests.support.loopback import Site, article_html, serving, story
from tests.support.newsroom import Newsroom

REFRESH = '<meta http-equiv="refresh" content="0; url={}">'

STUBS = {
    "static site": '<title>Redirecting…</title><link rel="canonical" href="{0}">' + REFRESH
    + '<h1>Redirecting…</h1><a href="{0}">Click here if you are not redirected.</a>',
    "generator": "<!doctype html><title>Redirecting to: {0}</title>" + REFRESH
    + '<meta name="robots" content="noindex"><link rel="canonical" href="{0}"><body><a href="{0}">Redirecting from /old to {0}</a>',
    "no body": '<!DOCTYPE html><html lang="en"><head><title>{0}</title><link rel=canonical href="{0}"><meta charset=utf-8>'
    + "<meta http-equiv=refresh content='0; url={0}'></head></html>",
    "moved": REFRESH + "<p>Moved</p>",
    "patience": '<META HTTP-EQUIV="Refresh" CONTENT="5;URL=\'{0}\'"><p>This page has found a new home. You are being redirected '
    + 'there in a few seconds. If nothing happens, please <a href="{0}">follow the link</a> yourself.</p>',
    "noscript": '<noscript>' + REFRESH + '</noscript><script>location="{0}"</script>',
    "script": "<script>window.location.href = '{0}';</script>",
    "replaced": '<html><head><script type="text/javascript">\n<!--\nlocation.replace("{0}");\n//-->\n</script></head><body></body></html>',
    "escaped": '<script>window.location="\\/mill\\u0027s";</script>',
}  # fmt: skip


@pytest.mark.parametrize("stub", STUBS)
def test_a_page_that_moves_on_by_html_is_a_redirect(stub: str, site: Site, newsroom: Newsroom) -> None:
    target = "/mill's" if stub == "escaped" else "/mill"
    site.add("/old", STUBS[stub].replace("{0}", target).replace("{}", target))
    site.article(target, "The mill", story("mill"))
    site.feed("/feed", f"{site.url}/old")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    found = {url.removeprefix(site.url): state for url, state in newsroom.states().items()}
    assert found == {"/old": ("duplicate", "redirect"), target: ("article", None)}
    assert newsroom.rows("select title from articles") == [("The mill",)]


@pytest.mark.parametrize(
    "html",
    [
        '<meta http-equiv="refresh" content="300; url=/other">',
        '<meta http-equiv="refresh" content="600">',
        '<!-- <meta http-equiv="refresh" content="0; url=/other"> -->',
        "<script>document.addEventListener('click', () => { location = '/other' })</script>",
        '<noscript><meta http-equiv="refresh" content="0; url=/other"></noscript>',
    ],
    ids=["later", "reload", "comment", "on a click", "without scripts"],
)
def test_an_article_that_does_not_move_on_stays_where_it_is(html: str, site: Site, newsroom: Newsroom) -> None:
    site.add("/mill", article_html("The mill", story("mill")).replace("</head>", f"{html}</head>"))
    site.feed("/feed", f"{site.url}/mill")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert newsroom.states() == {f"{site.url}/mill": ("article", None)}
    assert "/other" not in site.asked


def test_hops_of_html_are_counted_and_obey_what_others_obey(site: Site, newsroom: Newsroom) -> None:
    """Loops end, robots.txt and the address guard are asked, addresses of other kinds are not followed."""
    site.add("/robots.txt", "User-agent: *\nDisallow: /no/", kind="text/plain")
    targets = {"loop": "/pool", "pool": "/loop", "forbidden": "/no/mill", "inside": "http://10.1.2.3/", "odd": "javascript:x()",
               "home": "/"}  # fmt: skip
    for name, target in targets.items():
        site.add(f"/{name}", REFRESH.format(target))
    site.add("/", "<p>Front page</p>")
    site.feed("/feed", *(f"{site.url}/{name}" for name in targets))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert {url.removeprefix(f"{site.url}/"): state for url, state in newsroom.states().items()} == {
        "loop": ("failed", "redirect_loop"),
        "pool": ("failed", "redirect_loop"),
        "forbidden": ("refused", "robots"),
        "inside": ("failed", "private_address"),
        "odd": ("refused", "client_redirect"),
        "home": ("refused", "redirect_to_front_page"),
    }
    assert "/no/mill" not in site.asked


def test_a_front_page_that_moves_on_is_discovered_where_it_leads(site: Site, newsroom: Newsroom) -> None:
    site.add("/", REFRESH.format("/en/"))
    site.add("/en/", '<html><head><link rel="alternate" type="application/rss+xml" href="/wire"></head></html>')
    site.article("/mill", "The mill", story("mill"))
    site.feed("/wire", f"{site.url}/mill")
    newsroom.watch(f'url = "{site.url}/"')
    newsroom.crawl()
    assert newsroom.states() == {f"{site.url}/mill": ("article", None)}


def test_a_page_without_an_article_of_its_own_reserves_no_address(site: Site, newsroom: Newsroom) -> None:
    """Its canonical link may name the true page, which a later feed names."""
    site.add(
        "/old",
        f'<title>Please wait</title><link rel="canonical" href="{site.url}/mill"><h1>Please wait</h1><p>One moment, please.</p>',
    )
    site.article("/mill", "The mill", story("mill"))
    site.feed("/feed", f"{site.url}/old")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    site.feed("/feed", f"{site.url}/old", f"{site.url}/mill")
    newsroom.crawl("--now")
    assert newsroom.states()[f"{site.url}/mill"] == ("article", None)
    assert ("The mill", f"{site.url}/mill") in newsroom.rows("select title, url from articles")


def test_a_saved_page_that_only_moves_on_is_refused_and_reserves_nothing(newsroom: Newsroom) -> None:
    (newsroom.folder / "old.html").write_text(
        STUBS["static site"].replace("{0}", "https://paper.example/mill").replace("{}", "https://paper.example/mill")
    )
    done = broadsheet("import", "old.html", cwd=newsroom.folder, workers=0)
    assert done.returncode == 0, done.stderr
    assert newsroom.rows("select state, reason from pages") == [("refused", "client_redirect")]
    (newsroom.folder / "old.html").write_text(
        article_html("The mill", story("mill")).replace(
            "</title>", '</title><link rel="canonical" href="https://paper.example/mill">'
        )
    )
    broadsheet("import", "old.html", cwd=newsroom.folder, workers=0)
    assert newsroom.rows("select url, state from pages where state = 'article'") == [
        ("https://paper.example/mill", "article")
    ]


# Redirectors


@pytest.fixture
def redirector() -> Iterator[Site]:
    """Another site, whose robots.txt forbids its redirects."""
    with serving() as running:
        running.add("/robots.txt", "User-agent: *\nDisallow: /url\nDisallow: /click", kind="text/plain")
        yield running


@pytest.mark.parametrize(
    "link",
    [
        "/url?rct=j&sa=t&url={plain}&ct=ga&usg=x{n}",
        "/click?ref=x&url={escaped}&c={n}",
        "/url?q={escaped}",
        "/url?u={plain}",
        "/click?target={escaped}",
    ],
)
def test_the_target_of_a_redirector_that_refuses_robots_is_asked_itself(
    link: str, site: Site, redirector: Site, newsroom: Newsroom
) -> None:
    site.article("/mill", "The mill", story("mill"))
    plain = f"{site.url}/mill"
    escaped = plain.replace(":", "%3A").replace("/", "%2F")
    site.feed("/feed", redirector.url + link.format(plain=plain, escaped=escaped, n=1))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert newsroom.states()[plain] == ("article", None)
    assert redirector.asked == ["/robots.txt"]


def test_what_a_redirector_leads_to_is_asked_by_its_own_rules(site: Site, redirector: Site, newsroom: Newsroom) -> None:
    """robots.txt of the target, its address, and that the redirector belongs to another site than the target."""
    site.add("/robots.txt", "User-agent: *\nDisallow: /no/", kind="text/plain")
    site.article("/mill", "The mill", story("mill"))
    links = {
        "forbidden": f"{redirector.url}/url?url={site.url}/no/mill",
        "inside": f"{redirector.url}/url?url=http://10.1.2.3/a",
        "own": f"{redirector.url}/url?url={redirector.url}/mill",
        "same": f"{site.url}/no/share?url={site.url}/mill",
        "again": f"{redirector.url}/url?url=ftp://x.example/a",
        "nested": f"{redirector.url}/url?url={redirector.url}/url%3Furl%3D{site.url}/mill",
    }
    site.feed("/feed", *links.values())
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    states = list(newsroom.states().values())
    assert states.count(("refused", "robots")) == 5
    assert ("failed", "private_address") in states
    assert redirector.asked == ["/robots.txt"]
    assert not {"/no/mill", "/mill"} & {*site.asked}


TARGET = "https://paper.example/2026/mill?page=2"


@pytest.mark.parametrize(
    "link",
    [
        "https://www.google.com/url?rct=j&sa=t&url=https://paper.example/2026/mill%3Fpage%3D2&ct=ga&cd=CAIy&usg=AO",
        "https://google.co.uk/url?q=https%3A%2F%2Fpaper.example%2F2026%2Fmill%3Fpage%3D2&sa=U",
        "http://www.bing.com/news/apiclick.aspx?ref=FexRss&aid=&tid=1&url=https%3a%2f%2fpaper.example%2f2026%2fmill%3fpage%3d2&c=3&mkt=en-gb",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Fpaper.example%2F2026%2Fmill%3Fpage%3D2%26fbclid%3Dx&h=AT",
        "https://www.google.com/url?url=https%3A%2F%2Fhref.li%2F%3Furl%3Dhttps%253A%252F%252Fpaper.example%252F2026%252Fmill%253Fpage%253D2",
    ],
)
def test_a_known_redirector_is_never_asked(link: str) -> None:
    found = link_of(link, "https://alerts.example/", Hints())
    assert found and found.url == TARGET


@pytest.mark.parametrize(
    "link",
    [
        "https://paper.example/share?url=https://other.example/mill",
        "https://www.google.com/url?url=https://news.google.com/mill",
        "https://www.google.com/url?url=mill",
        "https://www.google.com/url?url=https://user:secret@paper.example/",
        "https://www.google.com/search?q=https://paper.example/mill",
        "https://google.com.evil.example/url?q=https://paper.example/mill",
    ],
)
def test_an_address_that_is_no_known_redirectors_is_left_as_it_is(link: str) -> None:
    assert behind_redirectors(link) == link


# Cookies of one chain


@contextmanager
def checking(*paths: str) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """A site that shows these paths to who brings its cookie, set on the way there; with what was asked, and the cookie brought."""
    asked: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            cookie = self.headers.get("Cookie")
            asked.append((self.path, cookie))
            path, _, query = self.path.partition("?")
            status, headers, body = 404, {}, b""
            if path == "/check":
                status, headers = 302, {"Location": query.removeprefix("to="), "Set-Cookie": "seen=1; Path=/"}
            elif path == "/away":
                status, headers = 302, {"Location": query.removeprefix("to="), "Set-Cookie": "seen=1"}
            elif path == "/stub" and cookie is None:
                status, headers = 200, {"Content-Type": "text/html", "Set-Cookie": "seen=1"}
                body = REFRESH.format("/stub").encode()
            elif path in paths and cookie is None:
                status, headers = (
                    302,
                    {"Location": path if path != "/weir" else f"/check?to={path}", "Set-Cookie": "seen=1"},
                )
            elif path == "/feed":
                status, headers = 200, {"Content-Type": "application/rss+xml"}
                links = "".join(
                    f"<item><title>{p}</title><link>http://{self.headers['Host']}{p}</link></item>"
                    for p in paths
                    if p != "/feed"
                )
                body = f'<rss version="2.0"><channel><title>News</title>{links}</channel></rss>'.encode()
            elif path in paths:
                status, headers = 200, {"Content-Type": "text/html", "Set-Cookie": "visit=2"}
                body = article_html(f"The {path[1:]}", story(path)).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


TDMREP = "/.well-known/tdmrep.json"


def test_a_chain_that_checks_for_its_cookie_is_followed_and_the_cookie_forgotten(newsroom: Newsroom) -> None:
    """To the same address, by way of another, by HTML; the feed, too. Each chain begins without."""
    with checking("/feed", "/mill", "/weir", "/stub") as (url, asked):
        newsroom.watch(f'url = "{url}/"\nfeeds = ["{url}/feed"]')
        newsroom.crawl()
        assert newsroom.states() == {f"{url}{path}": ("article", None) for path in ("/mill", "/weir", "/stub")}
        assert asked == [
            ("/robots.txt", None), ("/feed", None), ("/feed", "seen=1"), (TDMREP, None), ("/mill", None), ("/weir", None),
            ("/stub", None), ("/mill", "seen=1"), ("/check?to=/weir", "seen=1"), ("/stub", "seen=1"), ("/weir", "seen=1"),
        ]  # fmt: skip


def test_a_cookie_is_not_taken_to_another_site(site: Site, newsroom: Newsroom) -> None:
    with checking("/mill") as (url, asked), checking("/pier") as (other, asked_there):
        site.feed("/feed", f"{url}/away?to={other}/pier")
        newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
        newsroom.crawl()
    assert asked_there == [("/robots.txt", None), (TDMREP, None), ("/pier", None), ("/pier", "seen=1")]
    assert asked == [("/robots.txt", None), (TDMREP, None), (f"/away?to={other}/pier", None)]
