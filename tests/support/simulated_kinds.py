"""The kinds of site that the discovery benchmark watches: what works everywhere, and what public reports say goes wrong.

Each is a function from a `Plan` to a `Case`: the papers that answer, how sources.toml names it, and what may be expected of it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.support.simulated_sites import (
    Answer,
    Headers,
    Paper,
    Report,
    at_once,
    by_chance,
    html,
    name_of,
    redirect,
    rss_of,
    text_of,
    xml,
)

Span = tuple[datetime, datetime]


@dataclass
class Case:
    """One watched site."""

    paper: Paper
    others: list[Paper] = field(default_factory=list)  #: other hosts of it
    toml: str = ""  #: keys of its source beside `url` and `name`
    down: list[Span] = field(default_factory=list)  #: when nobody can read it
    gives_nothing: bool = False  #: nothing of it can be stored: it must not be called ok
    expects: tuple[str, ...] = ()  #: words that status may say although the site is well


Plan = Callable[..., Paper]
Kind = Callable[[Plan], Case]
KINDS: dict[str, Kind] = {}


def kind(name: str) -> Callable[[Kind], Kind]:
    def keep(function: Kind) -> Kind:
        KINDS[name] = function
        return function

    return keep


def slugs(number: int, at: datetime, slug: str) -> str:
    """Addresses that tell neither a date nor an order."""
    chance = random.Random(slug)
    return f"/{'-'.join(name_of(chance).lower() for _ in range(4))}"


def numbers(number: int, at: datetime, slug: str) -> str:
    return f"/article/{10_000 + number}"


# What works


@kind("rss, announced")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.rss()
    paper.front(head=paper.announce("/feed"))
    return Case(paper)


@kind("atom, a wire")
def _(plan: Plan) -> Case:
    paper = plan(rhythm=by_chance(12))
    paper.atom()
    paper.front(head=paper.announce("/atom.xml", "application/atom+xml"))
    return Case(paper)


@kind("json feed, named")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.json_feed()
    paper.front()
    return Case(paper, toml=f'feeds = ["{paper.base}/feed.json"]')


@kind("weekly, all at once")
def _(plan: Plan) -> Case:
    paper = plan(rhythm=at_once(8, 15, (3,)))
    paper.rss()
    paper.front(head=paper.announce("/feed"))
    return Case(paper)


@kind("daily, in the morning")
def _(plan: Plan) -> Case:
    paper = plan(rhythm=at_once(5, 8, range(5)))
    paper.rss()
    paper.front(head=paper.announce("/feed"))
    return Case(paper)


@kind("news sitemap")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.news_sitemap("/news-sitemap.xml")
    paper.front(links=8)
    paper.robots(f"User-agent: *\nDisallow: /search\nSitemap: {paper.base}/news-sitemap.xml\n")
    return Case(paper)


@kind("front page alone")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.front(links=15)
    return Case(paper)


@kind("sitemap, true lastmod")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.sitemap("/sitemap.xml", lambda now: paper.all_of(now, lastmod=True))
    paper.front()
    return Case(paper)


@kind("moves to www")
def _(plan: Plan) -> Case:
    www = plan(prefix="www.")
    www.rss()
    www.front(head=www.announce("/feed"))
    bare = plan(backlog=0, rhythm=lambda hour, chance: 0)
    bare.others.append(lambda path, now, _: redirect(f"{www.base}{path}", 301))
    www, bare = _named(www, bare)
    return Case(bare, [www])


def _named(speaks: Paper, asked: Paper) -> tuple[Paper, Paper]:
    """The articles of the one count for the other."""
    asked.reports = speaks.reports
    return speaks, asked


# Sitemaps of every order


@kind("index, false old lastmod")
def _(plan: Plan) -> Case:
    paper = plan()
    old = [datetime.fromisoformat(f"2021-03-0{n}T00:00:00+00:00") for n in (1, 2, 3)]
    paper.index("/sitemap.xml", lambda now: [(f"/sitemap/part-{n}.xml", at) for n, at in enumerate(old)])
    for part in range(3):
        paper.sitemap(f"/sitemap/part-{part}.xml", _third(paper, part))
    paper.front()
    return Case(paper)


def _third(paper: Paper, part: int) -> Callable[[datetime], list[tuple[str, datetime | None]]]:
    return lambda now: paper.all_of(now, lastmod=True)[part::3]


@kind("index of 131 months, oldest first")
def _(plan: Plan) -> Case:
    paper = plan(path=slugs)

    def months(now: datetime) -> list[tuple[str, datetime | None]]:
        last = now.year * 12 + now.month - 1
        return [(f"/sm/{month // 12}-{month % 12 + 1:02d}.xml", None) for month in range(last - 130, last + 1)]

    def part(path: str, now: datetime, headers: Headers) -> Answer | None:
        if not path.startswith("/sm/"):
            return None
        paper.sitemap(
            "/a part", lambda now: [(r.path, None) for r in paper.published(now) if f"{r.at:%Y-%m}" == path[4:11]]
        )
        return paper.routes["/a part"](now, headers)

    paper.others.append(part)
    paper.index("/sitemap.xml", months)
    paper.front()
    return Case(paper)


@kind("1,500 undated, newest last")
def _(plan: Plan) -> Case:
    return _undated(plan, 1_500, newest_first=False)


@kind("300 undated, newest first")
def _(plan: Plan) -> Case:
    return _undated(plan, 300, newest_first=True)


def _undated(plan: Plan, backlog: int, *, newest_first: bool) -> Case:
    paper = plan(path=slugs)
    old = [f"/old/{_slug(paper.name, number)}" for number in range(backlog)]
    there = frozenset(old)
    paper.others.append(lambda path, now, _: _old_page(paper, path) if path in there else None)

    def listed(now: datetime) -> list[tuple[str, datetime | None]]:
        found: list[tuple[str, datetime | None]] = [(path, None) for path in old]
        found += paper.all_of(now)
        return found[::-1] if newest_first else found

    paper.sitemap("/sitemap.xml", listed)
    paper.front()
    return Case(paper)


def _slug(name: str, number: int) -> str:
    chance = random.Random(f"{name} {number}")
    return "-".join(name_of(chance).lower() for _ in range(5))


def _old_page(paper: Paper, path: str) -> Answer:
    """An article of past years."""
    chance = random.Random(path)
    mark = f"{name_of(chance)}{chance.randint(10_000, 99_999)}"
    at = paper.begin - timedelta(days=chance.randint(100, 3_000))
    report = Report(number=-1, at=at, path=path, title=f"The days of {mark}", text=text_of(chance, mark), mark=mark)
    return paper.page(report)


@kind("index of 60 numbered parts")
def _(plan: Plan) -> Case:
    paper = plan(backlog=60, path=slugs)
    size = 40
    paper.index(
        "/sitemap_index.xml",
        lambda now: [(f"/post-sitemap{n}.xml", None) for n in range(1, _parts(paper, now, size) + 1)],
    )

    def part(path: str, now: datetime, headers: Headers) -> Answer | None:
        if not path.startswith("/post-sitemap"):
            return None
        number = int(path.removeprefix("/post-sitemap").removesuffix(".xml")) - 60
        there = paper.published(now)[number * size : (number + 1) * size] if number >= 0 else []
        paper.sitemap("/a part", lambda now: [(report.path, None) for report in there])
        return paper.routes["/a part"](now, headers)

    paper.others.append(part)
    paper.front()
    paper.robots(f"Sitemap: {paper.base}/sitemap_index.xml\n")
    return Case(paper)


def _parts(paper: Paper, now: datetime, size: int) -> int:
    return 60 + -(-len(paper.published(now)) // size)


@kind("sitemap, lastmod always now")
def _(plan: Plan) -> Case:
    paper = plan(backlog=200)
    paper.sitemap("/sitemap.xml", lambda now: [(path, now) for path, _ in paper.all_of(now)])
    paper.front()
    return Case(paper)


@kind("sitemap on a storage host")
def _(plan: Plan) -> Case:
    paper, store = plan(), plan(prefix="bucket.storage-of-", backlog=0, rhythm=lambda hour, chance: 0)
    store.routes["/paper/sitemap.xml"] = lambda now, _: _sitemap_of(paper, now)
    paper.front()
    paper.robots(f"Sitemap: {store.base}/paper/sitemap.xml\n")
    return Case(paper, [store])


def _sitemap_of(paper: Paper, now: datetime) -> Answer:
    paper.sitemap("/elsewhere", lambda now: paper.all_of(now, lastmod=True))
    return paper.routes.pop("/elsewhere")(now, {})


@kind("robots.txt names a bare path")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.sitemap("/maps/papers.xml", lambda now: paper.all_of(now, lastmod=True))
    paper.front()
    paper.robots("User-agent: *\nDisallow: /no\nSitemap: /maps/papers.xml\n")
    return Case(paper)


# Feeds that are hard to find, and what they announce first


@kind("podcast announced first")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.podcast("/podcast.xml")
    paper.front(head=paper.announce("/podcast.xml"), links=12)
    return Case(paper)


@kind("dead feed announced")
def _(plan: Plan) -> Case:
    paper = plan()
    old = [
        Report(
            number=-n, at=paper.begin - timedelta(days=900 + n), path=f"/old/{n}", title=f"Old {n}", text="", mark=""
        )
        for n in range(10)
    ]
    paper.others.append(lambda path, now, _: Answer(b"gone", 404) if path.startswith("/old/") else None)
    paper.routes["/feed"] = lambda now, _: xml(rss_of(paper, old))
    paper.front(head=paper.announce("/feed"), links=12)
    return Case(paper)


@kind("feed in a Link header")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.rss("/our/news.xml")
    paper.front(headers={"Link": '</our/news.xml>; rel="alternate"; type="application/rss+xml"'})
    return Case(paper)


@kind("feed linked at the foot")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.rss("/service/rss.xml")
    paper.front(foot='<footer><a href="/service/rss.xml">RSS feed</a></footer>')
    return Case(paper)


@kind("feed moves for good")
def _(plan: Plan) -> Case:
    paper = plan()
    moves = paper.begin + timedelta(days=paper.days / 2)
    paper.rss("/new/feed")
    feed = paper.routes["/new/feed"]
    paper.routes["/feed"] = lambda now, headers: feed(now, headers) if now < moves else redirect("/new/feed", 301)
    paper.front(head=paper.announce("/feed"))
    return Case(paper)


@kind("feed dies, another begins")
def _(plan: Plan) -> Case:
    paper = plan()
    ends = paper.begin + timedelta(days=paper.days / 2)
    paper.rss("/new.xml")
    feed = paper.routes["/new.xml"]
    paper.routes["/old.xml"] = lambda now, headers: feed(now, headers) if now < ends else Answer(b"gone", 404)
    paper.routes["/new.xml"] = lambda now, headers: feed(now, headers) if now >= ends else Answer(b"no", 404)

    def front(now: datetime, _: Headers) -> Answer:
        return html(f"<title>{paper.name}</title>{paper.announce('/old.xml' if now < ends else '/new.xml')}", "Welcome")

    paper.routes["/"] = front
    return Case(paper, expects=("broken",))


@kind("dates of its own")
def _(plan: Plan) -> Case:
    paper = plan(dated=False)
    japan = timedelta(hours=9)
    paper.rss(
        date=lambda at: f"{at + japan:%d.%m.%Y %H:%M}" if at.minute % 2 else f"{at + japan:%a, %d %b %Y %H:%M:%S} JST"
    )
    paper.front(head=paper.announce("/feed"))
    return Case(paper, toml='timezone = "Asia/Tokyo"')


# Addresses that lead on, or change


@kind("stubs with a meta refresh")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.rss(link=lambda report: f"{paper.base}/go{report.path}")
    paper.others.append(lambda path, now, _: _stub(path[3:]) if path.startswith("/go/") else None)
    paper.front(head=paper.announce("/feed"))
    return Case(paper)


def _stub(target: str) -> Answer:
    head = f'<title>Redirecting…</title><link rel="canonical" href="{target}"><meta http-equiv="refresh" content="0; url={target}">'
    return html(head, f'<h1>Redirecting…</h1><a href="{target}">Click here if you are not redirected.</a>')


@kind("alerts by a redirector")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.rss(link=lambda report: f"https://www.google.com/url?rct=j&sa=t&url={paper.base}{report.path}&ct=ga")
    paper.front(head=paper.announce("/feed"))
    return Case(paper)


@kind("session ids")
def _(plan: Plan) -> Case:
    paper = plan()
    count = iter(range(10**9))
    paper.rss(link=lambda report: f"{paper.base}{report.path};jsessionid={next(count):032X}")
    paper.others.append(
        lambda path, now, headers: paper.answer(path.partition(";")[0], now, headers) if ";" in path else None
    )
    paper.front(head=paper.announce("/feed"))
    return Case(paper)


@kind("cookie check")
def _(plan: Plan) -> Case:
    paper = plan()

    def check(path: str, now: datetime, headers: Headers) -> Answer | None:
        if path == "/robots.txt" or "seen=1" in headers.get("cookie", ""):
            return None
        return redirect(path, 302, Set_Cookie="seen=1; Path=/")

    paper.others.append(check)
    paper.rss()
    paper.front(head=paper.announce("/feed"))
    return Case(paper)


@kind("an address used again")
def _(plan: Plan) -> Case:
    paper = plan(rhythm=at_once(6, 1), backlog=1, path=lambda number, at, slug: "/briefing")
    paper.rss(entries=1)
    paper.front(head=paper.announce("/feed"))
    return Case(paper)


@kind("text in the feed, wall on the page")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.shell = lambda report, now: Answer(b"<p>Pay first.</p>", 402, {"Content-Type": "text/html"})
    paper.rss(content=True)
    paper.front(head=paper.announce("/feed"))
    return Case(paper)


# Trouble that passes


@kind("closed for a day each month")
def _(plan: Plan) -> Case:
    paper = plan()
    down = [(paper.begin + timedelta(days=at), paper.begin + timedelta(days=at + 1)) for at in range(6, paper.days, 30)]

    def closed(path: str, now: datetime, headers: Headers) -> Answer | None:
        return Answer(b"closed", 503, {"Retry-After": "3600"}) if any(a <= now < b for a, b in down) else None

    paper.others.append(closed)
    paper.rss(entries=50)
    paper.front(head=paper.announce("/feed"))
    return Case(paper, down=down, expects=("blocked", "broken"))


@kind("certificate expires for three days")
def _(plan: Plan) -> Case:
    paper = plan()
    down = [(paper.begin + timedelta(days=at), paper.begin + timedelta(days=at + 3)) for at in range(5, paper.days, 90)]
    paper.others.append(
        lambda path, now, _: Answer(failure="certificate") if any(a <= now < b for a, b in down) else None
    )
    paper.rss(entries=50)
    paper.front(head=paper.announce("/feed"))
    return Case(paper, down=down, expects=("broken",))


# What gives nothing, and must say so


@kind("made by JavaScript")
def _(plan: Plan) -> Case:
    paper = plan()
    shell = '<div id="root"></div><noscript>You need to enable JavaScript to run this app.</noscript><script src="/app.js"></script>'
    paper.shell = lambda report, now: html("<title>App</title>", shell)
    paper.rss()
    paper.front(head=paper.announce("/feed"))
    return Case(paper, gives_nothing=True)


@kind("turned away with 200")
def _(plan: Plan) -> Case:
    paper = plan()
    denied = (
        "<h1>Access Denied</h1><p>You don't have permission to access this page on this server. Reference #18.2f</p>"
    )
    paper.shell = lambda report, now: html("<title>Access Denied</title>", denied)
    paper.rss()
    paper.front(head=paper.announce("/feed"))
    return Case(paper, gives_nothing=True)


@kind("sitemap of another site")
def _(plan: Plan) -> Case:
    paper, other = plan(), plan(prefix="the-other-")
    paper.routes["/sitemap.xml"] = lambda now, _: _sitemap_of(other, now)
    paper.front()
    return Case(paper, [other], gives_nothing=True)


@kind("forbidden by robots.txt")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.rss()
    paper.front(head=paper.announce("/feed"))
    paper.robots("User-agent: *\nDisallow: /2\n")
    return Case(paper, gives_nothing=True)


@kind("certificate expired for good")
def _(plan: Plan) -> Case:
    paper = plan()
    paper.others.append(lambda path, now, _: Answer(failure="certificate"))
    return Case(paper, gives_nothing=True)


@kind("a parked domain")
def _(plan: Plan) -> Case:
    paper = plan(backlog=0, rhythm=lambda hour, chance: 0)
    parked = html(
        "<title>for sale</title>", "<h1>This domain is for sale</h1><p>Buy this domain. Make an offer today.</p>"
    )
    paper.others.append(lambda path, now, _: None if path == "/robots.txt" else parked)
    return Case(paper, gives_nothing=True)
