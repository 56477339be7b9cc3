"""Simulated news sites: what an address answers at a moment, as a pure function of a plan that is drawn once.

A Paper publishes articles at moments drawn from its rhythm, and answers by routes: an address to what stands there at a given time.
It knows no network. `tests.benchmarks.discovery` hands its answers to the crawl in process, `tests.benchmarks.soak` serves them on
loopback. Every article has a word of its own, its `mark`, by which it is found again whatever became of its address.
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from json import dumps
from urllib.parse import urlsplit

from crawler.times import stamp

Headers = dict[str, str]

_SYLLABLES = ("ba", "do", "ri", "ke", "lun", "mar", "ne", "pol", "sa", "ten", "vo", "wi", "zu", "gra", "fel", "hom")
_DID = (
    "repaired",
    "questioned",
    "painted",
    "measured",
    "paid for",
    "forgot",
    "photographed",
    "sold",
    "rebuilt",
    "closed",
)
_WHAT = (
    "railings",
    "lobster pots",
    "borrowed crane",
    "winter timetable",
    "street lamps",
    "slipway",
    "old map",
    "bell",
    "library roof",
)
_WHEN = (
    "before dawn",
    "while it rained",
    "for the third time this year",
    "after the storm",
    "at low tide",
    "in front of the school",
)
_WHERE = ("by the bridge of", "on the road to", "in the old market of", "near the station of", "behind the church of")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What a site says to one request. `failure` is that of a connection: `certificate`, `refused`."""

    body: bytes = b""
    status: int = 200
    headers: Headers = field(default_factory=dict)
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One published article."""

    number: int
    at: datetime  #: when its address begins to answer
    path: str
    title: str
    text: str
    mark: str  #: a word of its title and text that no other has


Route = Callable[[datetime, Headers], Answer]
Rhythm = Callable[[datetime, random.Random], int]
"""How many articles appear in the hour that begins then."""


def by_chance(per_day: float) -> Rhythm:
    def drawn(hour: datetime, chance: random.Random) -> int:
        return int(chance.random() < per_day / 24)

    return drawn


def at_once(hour_of_day: int, number: int, weekdays: Iterable[int] = range(7)) -> Rhythm:
    """So many within one hour of certain days: a daily's morning, a weekly's Thursday."""
    days = frozenset(weekdays)
    return lambda hour, _: number if hour.hour == hour_of_day and hour.weekday() in days else 0


def name_of(chance: random.Random) -> str:
    return "".join(chance.choice(_SYLLABLES) for _ in range(chance.randint(2, 3))).capitalize()


def text_of(chance: random.Random, mark: str) -> str:
    """Three paragraphs that share hardly a line with any other's."""
    sentences = [
        f"{name_of(chance)} {name_of(chance)} {chance.choice(_DID)} the {chance.choice(_WHAT)} {chance.choice(_WHEN)}, "
        f"{chance.choice(_WHERE)} {name_of(chance)}, and {chance.randint(3, 900)} people saw it."
        for _ in range(9)
    ]
    sentences[0] = f"The case of {mark} has been before the council for weeks. {sentences[0]}"
    return "\n\n".join(" ".join(sentences[at : at + 3]) for at in (0, 3, 6))


@dataclass
class Paper:
    """A site: its articles over time, and what its addresses answer."""

    name: str
    base: str  #: `https://host`, without a slash
    begin: datetime
    days: int
    rhythm: Rhythm = field(default_factory=lambda: by_chance(3))
    backlog: int = 30  #: articles of the weeks before the beginning
    path: Callable[[int, datetime, str], str] = lambda number, at, slug: f"/{at:%Y/%m}/{slug}-{number}"
    dated: bool = True  #: whether its pages say when they appeared
    routes: dict[str, Route] = field(default_factory=dict)
    others: list[Callable[[str, datetime, Headers], Answer | None]] = field(
        default_factory=list
    )  #: asked first, by path
    reports: list[Report] = field(default_factory=list)
    asked: int = 0
    shell: Callable[[Report, datetime], Answer] | None = (
        None  #: what stands at an article's address, where it is no usual page
    )
    by_path: dict[str, list[Report]] = field(default_factory=dict)
    address: Callable[[Report, datetime], str] = lambda report, now: report.path  #: where its lists say an article is

    def __post_init__(self) -> None:
        chance = random.Random(self.name)
        for number in range(self.backlog):
            at = self.begin - timedelta(days=20) * (1 - number / max(1, self.backlog))
            self._publish(at, chance)
        for hour in range(self.days * 24):
            begins = self.begin + timedelta(hours=hour)
            minutes = sorted(chance.uniform(0, 60) for _ in range(self.rhythm(begins, chance)))
            for minute in minutes:
                self._publish((begins + timedelta(minutes=minute)).replace(microsecond=0), chance)
        self._moments = [report.at for report in self.reports]

    def carry(self, reports: Iterable[Report], after: timedelta) -> None:
        """Publish a wire's reports too, word for word, at addresses of its own."""
        for report in reports:
            taken = replace(report, number=report.number + 100_000, at=report.at + after, path=f"/wire{report.path}")
            self.reports.append(taken)
            self.by_path.setdefault(taken.path, []).append(taken)
        self.reports.sort(key=lambda report: report.at)
        self._moments = [report.at for report in self.reports]

    def _publish(self, at: datetime, chance: random.Random) -> None:
        number, mark = len(self.reports), f"{name_of(chance)}{name_of(chance).lower()}{len(self.reports)}q"
        title = f"{name_of(chance)} {chance.choice(_DID)} the {chance.choice(_WHAT)} of {mark}"
        path = self.path(number, at, mark.lower())
        report = Report(number=number, at=at, path=path, title=title, text=text_of(chance, mark), mark=mark)
        self.reports.append(report)
        self.by_path.setdefault(path, []).append(report)

    def published(self, now: datetime) -> list[Report]:
        """What stands on the site, oldest first."""
        return self.reports[: bisect_right(self._moments, now)]

    def newest(self, now: datetime, number: int = 20) -> list[Report]:
        return self.published(now)[: -number - 1 : -1]

    @property
    def host(self) -> str:
        return urlsplit(self.base).netloc

    def answer(self, path: str, now: datetime, headers: Headers) -> Answer:
        self.asked += 1
        for other in self.others:
            if (said := other(path, now, headers)) is not None:
                return said
        if route := self.routes.get(path):
            return conditional(route(now, headers), headers)
        there = [report for report in self.by_path.get(path, ()) if report.at <= now]
        if not there:
            return Answer(b"not here", 404, {"Content-Type": "text/html"})
        return conditional(self.shell(there[-1], now) if self.shell else self.page(there[-1]), headers)

    def page(self, report: Report) -> Answer:
        date = f'<meta property="article:published_time" content="{stamp(report.at)}">' if self.dated else ""
        text = "".join(f"<p>{paragraph}</p>" for paragraph in report.text.split("\n\n"))
        return html(
            f"<title>{report.title}</title>{date}",
            f"<nav><a href='/'>Home</a></nav><article><h1>{report.title}</h1>{text}</article>",
        )

    # Routes

    def front(self, *, head: str = "", foot: str = "", links: int = 0, headers: Headers | None = None) -> None:
        """The front page: what it announces, and teasers of its newest articles."""

        def route(now: datetime, _: Headers) -> Answer:
            teasers = "".join(
                f'<article><h2><a href="{report.path}">{report.title}</a></h2><p>{report.text[:120]}</p></article>'
                for report in self.newest(now, links)
            ) if links else "<p>Welcome.</p>"  # fmt: skip
            return html(f"<title>{self.name}</title>{head}", f"<main>{teasers}</main>{foot}", headers)

        self.routes["/"] = route

    def announce(self, path: str, kind: str = "application/rss+xml") -> str:
        return f'<link rel="alternate" type="{kind}" title="News" href="{path}">'

    def robots(self, text: str) -> None:
        self.routes["/robots.txt"] = lambda now, _: Answer(text.encode(), 200, {"Content-Type": "text/plain"})

    def rss(self, path: str = "/feed", entries: int = 20, **how: object) -> None:
        self.routes[path] = lambda now, _: xml(rss_of(self, self.newest(now, entries), **self._links(now) | how))  # type: ignore[arg-type]

    def _links(self, now: datetime) -> dict[str, object]:
        return {"link": lambda report: self.base + self.address(report, now)}

    def atom(self, path: str = "/atom.xml", entries: int = 20) -> None:
        self.routes[path] = lambda now, _: xml(atom_of(self, self.newest(now, entries)))

    def json_feed(self, path: str = "/feed.json", entries: int = 20) -> None:
        def route(now: datetime, _: Headers) -> Answer:
            items = [
                {"id": str(r.number), "url": self.base + r.path, "title": r.title, "date_published": stamp(r.at)}
                for r in self.newest(now, entries)
            ]
            feed = {"version": "https://jsonfeed.org/version/1.1", "title": self.name, "items": items}
            return Answer(dumps(feed).encode(), 200, {"Content-Type": "application/feed+json"})

        self.routes[path] = route

    def sitemap(self, path: str, listed: Callable[[datetime], Iterable[tuple[str, datetime | None]]]) -> None:
        """A sitemap of addresses, each with its `lastmod` where it has one."""
        self.routes[path] = lambda now, _: xml(urlset(self.base, listed(now)))

    def index(self, path: str, parts: Callable[[datetime], Iterable[tuple[str, datetime | None]]]) -> None:
        self.routes[path] = lambda now, _: xml(urlset(self.base, parts(now), "sitemapindex", "sitemap"))

    def news_sitemap(self, path: str) -> None:
        def route(now: datetime, _: Headers) -> Answer:
            recent = [report for report in self.newest(now, 200) if now - report.at < timedelta(days=2)]
            return xml(news_of(self, recent))

        self.routes[path] = route

    def all_of(self, now: datetime, *, lastmod: bool = False) -> list[tuple[str, datetime | None]]:
        """Every article's address, oldest first."""
        return [(report.path, report.at if lastmod else None) for report in self.published(now)]

    def podcast(self, path: str) -> None:
        items = "".join(
            f'<item><title>Episode {n}</title><link>{self.base}/audio/{n}</link><enclosure url="{self.base}/audio/{n}.mp3" '
            f'type="audio/mpeg" length="9"/><pubDate>{format_datetime(self.begin - timedelta(days=n))}</pubDate></item>'
            for n in range(5)
        )
        self.routes[path] = lambda now, _: xml(
            f'<rss version="2.0"><channel><title>Talk</title>{items}</channel></rss>'
        )


# What answers are made of


def html(head: str, body: str, headers: Headers | None = None) -> Answer:
    page = f'<!doctype html><html lang="en"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'
    return Answer(page.encode(), 200, {"Content-Type": "text/html; charset=utf-8", **(headers or {})})


def xml(text: str) -> Answer:
    return Answer(f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), 200, {"Content-Type": "application/xml"})


def conditional(answer: Answer, headers: Headers) -> Answer:
    """The answer with an ETag, or 304 to who has it already."""
    if answer.status != 200 or answer.failure or "X-No-Etag" in answer.headers:
        return answer
    etag = f'"{hash(answer.body) & 0xFFFFFFFFFFFF:x}"'
    if headers.get("if-none-match") == etag:
        return Answer(b"", 304, {"ETag": etag})
    return Answer(answer.body, 200, answer.headers | {"ETag": etag})


def redirect(target: str, status: int = 302, **headers: str) -> Answer:
    return Answer(
        b"", status, {"Location": target, **{name.replace("_", "-"): value for name, value in headers.items()}}
    )


def rss_of(
    paper: Paper,
    reports: Iterable[Report],
    *,
    link: Callable[[Report], str] | None = None,
    date: Callable[[datetime], str] = format_datetime,
    content: bool = False,
) -> str:
    items = "".join(_rss_item(paper, report, link, date, content) for report in reports)
    space = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    return f'<rss version="2.0" {space}><channel><title>{paper.name}</title><link>{paper.base}/</link>{items}</channel></rss>'


def _rss_item(
    paper: Paper, report: Report, link: Callable[[Report], str] | None, date: Callable[[datetime], str], content: bool
) -> str:
    url = escape(link(report) if link else paper.base + report.path)
    text = "".join(f"<p>{paragraph}</p>" for paragraph in report.text.split("\n\n"))
    whole = f"<content:encoded><![CDATA[{text}]]></content:encoded>" if content else ""
    return (
        f"<item><title>{escape(report.title)}</title><link>{url}</link><guid isPermaLink='false'>{paper.name}-{report.number}</guid>"
        f"<pubDate>{date(report.at)}</pubDate>{whole}</item>"
    )


def atom_of(paper: Paper, reports: Iterable[Report]) -> str:
    entries = "".join(
        f'<entry><title>{report.title}</title><id>{paper.base}/{report.number}</id><link href="{paper.base}{report.path}"/>'
        f"<published>{stamp(report.at)}</published><updated>{stamp(report.at)}</updated></entry>"
        for report in reports
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>{paper.name}</title>{entries}</feed>'


def urlset(base: str, listed: Iterable[tuple[str, datetime | None]], tag: str = "urlset", entry: str = "url") -> str:
    return (
        f'<{tag} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        + "".join(_entries(base, listed, entry))
        + f"</{tag}>"
    )


def _entries(base: str, listed: Iterable[tuple[str, datetime | None]], entry: str) -> Iterator[str]:
    for path, at in listed:
        said = f"<lastmod>{stamp(at)}</lastmod>" if at else ""
        yield f"<{entry}><loc>{path if '://' in path else base + path}</loc>{said}</{entry}>"


def news_of(paper: Paper, reports: Iterable[Report]) -> str:
    space = "http://www.google.com/schemas/sitemap-news/0.9"
    entries = "".join(
        f"<url><loc>{paper.base}{report.path}</loc><news:news><news:publication><news:name>{paper.name}</news:name>"
        f"<news:language>en</news:language></news:publication><news:publication_date>{stamp(report.at)}</news:publication_date>"
        f"<news:title>{report.title}</news:title></news:news></url>"
        for report in reports
    )
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="{space}">{entries}</urlset>'
