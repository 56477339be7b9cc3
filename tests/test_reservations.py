"""Reservations of text and data mining: recorded from header, meta element, tdmrep.json and Content-Usage, and not obeyed.
Real HTTP on loopback."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.fetcher.robots_rules import RobotsRules
from crawler.fetcher.tdmrep import MAX_RULES, MAX_TDMREP_BYTES, read_rules
from crawler.parsers.warc import read_record
from crawler.path_patterns import PathPattern, Tdmrep
from crawler.times import stamp
from tests.support.loopback import Site, article_html, serving, story
from tests.support.newsroom import Newsroom
from tests.test_copies import archive, pages, record
from tests.test_patterns import grows

FILE = "/.well-known/tdmrep.json"
RESERVED = json.dumps([{"location": "/", "tdm-reservation": 1, "tdm-policy": "https://paper.example/terms"}])


def publish(site: Site, newsroom: Newsroom, *paths: str) -> None:
    for path in paths:
        if path not in site.answers:
            site.article(path, f"The {path[1:]}", story(path))
    site.feed("/feed", *(site.url + path for path in paths))
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')


def reservations(newsroom: Newsroom, site: Site) -> dict[str, str | None]:
    return dict(newsroom.rows(f"select replace(url, '{site.url}', ''), reservations from pages"))


def ask_again(newsroom: Newsroom, **ago: float) -> None:
    """Crawl with all pages due, as if its tdmrep.json had been asked for so long ago."""
    newsroom.change(f"update hosts set tdmrep_fetched_at = '{stamp(datetime.now(UTC) - timedelta(**ago))}'")
    newsroom.change("update pages set next_fetch_at = '2026-01-01T00:00:00Z', etag = null, last_modified = null")
    newsroom.crawl("--now")


# tdmrep.json: when it is asked for


def test_tdmrep_json_is_asked_for_once_a_month_before_the_first_page(site: Site, newsroom: Newsroom) -> None:
    site.add(FILE, RESERVED, kind="application/json")
    publish(site, newsroom, "/pier", "/quay")
    newsroom.crawl()
    assert site.asked == ["/robots.txt", "/feed", FILE, "/pier", "/quay"]
    assert reservations(newsroom, site) == dict.fromkeys(("/pier", "/quay"), '["tdm-reservation"]')
    assert newsroom.states() == {f"{site.url}{path}": ("article", None) for path in ("/pier", "/quay")}
    assert newsroom.rows("select json(tdmrep), tdmrep_status from hosts") == [
        (RESERVED.replace(": ", ":").replace(", ", ","), 200)
    ]
    ask_again(newsroom, days=29.9)
    assert site.asked.count(FILE) == 1
    assert reservations(newsroom, site)["/pier"] == '["tdm-reservation"]'
    site.add(FILE, "[]", kind="application/json")
    ask_again(newsroom, days=30.1)
    assert site.asked.count(FILE) == 2
    assert reservations(newsroom, site)["/pier"] is None


@pytest.mark.parametrize("status", [404, 403, 410], ids=str)
def test_that_there_is_no_tdmrep_json_is_remembered_too(site: Site, newsroom: Newsroom, status: int) -> None:
    site.add(FILE, RESERVED, status=status)
    publish(site, newsroom, "/pier")
    newsroom.crawl()
    ask_again(newsroom, days=29)
    assert site.asked.count(FILE) == 1
    assert newsroom.rows("select tdmrep, tdmrep_status from hosts") == [(None, status)]


@pytest.mark.parametrize("status", [500, 503, 429], ids=str)
def test_a_host_that_gave_no_answer_is_asked_the_next_day_and_its_copy_holds(
    site: Site, newsroom: Newsroom, status: int
) -> None:
    site.add(FILE, RESERVED)
    publish(site, newsroom, "/pier")
    newsroom.crawl()
    site.add(FILE, status=status)
    ask_again(newsroom, days=31)
    assert newsroom.rows("select tdmrep is null, tdmrep_status, not_before from hosts") == [(0, status, None)]
    assert reservations(newsroom, site) == {"/pier": '["tdm-reservation"]'}
    ask_again(newsroom, hours=23)
    assert site.asked.count(FILE) == 2
    ask_again(newsroom, hours=25)
    assert site.asked.count(FILE) == 3


def test_only_hosts_of_pages_are_asked_and_none_whose_robots_txt_forbids_it(site: Site, newsroom: Newsroom) -> None:
    with serving() as feeds, serving() as shy:
        shy.add("/robots.txt", "User-agent: *\nDisallow: /.well-known/")
        for host in (site, shy):
            host.add(FILE, RESERVED)
            host.article("/pier", f"The pier of {host.url}", story(host.url))
        feeds.feed("/feed", f"{site.url}/pier", f"{shy.url}/pier")
        newsroom.watch(f'url = "{feeds.url}/"\nfeeds = ["{feeds.url}/feed"]')
        newsroom.crawl()
        assert [FILE in host.asked for host in (site, feeds, shy)] == [True, False, False]
        assert newsroom.rows("select url, reservations from pages order by url") == sorted(
            [(f"{site.url}/pier", '["tdm-reservation"]'), (f"{shy.url}/pier", None)]
        )


def test_a_tdmrep_json_may_redirect_and_a_page_is_under_that_of_the_host_that_answers(
    site: Site, newsroom: Newsroom
) -> None:
    with serving() as other:
        site.add("/pier", status=302, Location=f"{other.url}/pier")
        other.add(FILE, status=301, Location=f"{other.url}/rights.json")
        other.add("/rights.json", RESERVED)
        other.article("/pier", "The pier", story("pier"))
        publish(site, newsroom, "/pier")
        newsroom.crawl()
        assert newsroom.rows("select url, reservations from pages where state = 'article'") == [
            (f"{other.url}/pier", '["tdm-reservation"]')
        ]


def test_a_tdmrep_json_that_leads_round_in_a_circle_is_not_asked_again_by_the_next_run(
    site: Site, newsroom: Newsroom
) -> None:
    site.add(FILE, status=302, Location=FILE + "?")
    site.add(FILE + "?", status=302, Location=FILE)
    publish(site, newsroom, "/pier")
    newsroom.crawl()
    asked = site.asked.count(FILE)
    ask_again(newsroom, hours=23)
    assert site.asked.count(FILE) == asked <= 6
    assert newsroom.states() == {f"{site.url}/pier": ("article", None)}


def test_a_tdmrep_json_without_an_end_costs_no_page(site: Site, newsroom: Newsroom) -> None:
    site.add(FILE, b" " * MAX_TDMREP_BYTES + RESERVED.encode())
    publish(site, newsroom, "/pier")
    newsroom.crawl()
    assert reservations(newsroom, site) == {"/pier": None}
    assert newsroom.rows("select tdmrep, tdmrep_status from hosts") == [(None, None)]


def test_the_budget_counts_tdmrep_json_and_a_run_that_ends_keeps_the_page_for_the_next(
    site: Site, newsroom: Newsroom
) -> None:
    publish(site, newsroom, "/pier")
    feed = f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]'
    newsroom.watch(feed, crawl="delay = 0\nbudget = 3")
    newsroom.crawl()
    assert site.asked == ["/robots.txt", "/feed", FILE]
    assert newsroom.states() == {f"{site.url}/pier": ("pending", None)}


def test_local_copies_have_theirs(newsroom: Newsroom) -> None:
    folder = newsroom.folder / "web" / "paper.example"
    (folder / ".well-known").mkdir(parents=True)
    (folder / FILE[1:]).write_text(RESERVED)
    (folder / "pier").write_text(article_html("The pier", story("pier")))
    newsroom.watch('url = "https://paper.example/"\npages = ["https://paper.example/pier"]')
    newsroom.crawl("--offline", "web")
    assert newsroom.rows("select url, reservations from pages") == [
        ("https://paper.example/pier", '["tdm-reservation"]')
    ]
    assert newsroom.rows("select * from hosts") == []


# Which of them holds

RESERVES, FREE = '["tdm-reservation"]', '["tdm-reservation=0"]'


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (
            "1",
            {(None, None): RESERVES, ("0", None): FREE, ("0", "1"): RESERVES, ("1", "0"): FREE, ("yes", "2"): RESERVES},
        ),
        ("0", {(None, None): None, ("1", None): RESERVES}),
        (None, {("1", "0"): FREE, (None, "1"): RESERVES}),
    ],
)
def test_a_meta_element_supersedes_the_header_and_that_the_file(
    site: Site, newsroom: Newsroom, file: str | None, said: dict[tuple[str | None, str | None], str | None]
) -> None:
    """`said` has header and meta element of pages, and what is kept of that."""
    if file:
        site.add(FILE, f'[{{"location": "/", "tdm-reservation": {file}}}]')
    for header, meta in said:
        path = f"/{header}-{meta}"
        page = article_html(f"The pier {path}", story(path))
        if meta:
            page = page.replace("</head>", f'<meta name="tdm-reservation" content="{meta}"></head>')
        site.add(path, page, **({"tdm_reservation": header} if header else {}))  # type: ignore[arg-type]
    publish(site, newsroom, *(f"/{header}-{meta}" for header, meta in said))
    newsroom.crawl()
    assert reservations(newsroom, site) == {f"/{header}-{meta}": kept for (header, meta), kept in said.items()}


# tdmrep.json: what it says


RULES = [
    {"location": "/a/open/*.html$", "tdm-reservation": 0},
    {"location": "/a/", "tdm-reservation": 1, "tdm-policy": "https://paper.example/terms"},
    {"location": "/*?print=", "tdm-reservation": "1"},
    {"location": "/été/foo-%24", "tdm-reservation": 1},
    {"location": "/odd", "tdm-reservation": 2},
    {"location": "/od", "tdm-reservation": 1},
]


@pytest.mark.parametrize(
    ("path", "reserved"),
    [
        ("/a/x", 1),
        ("/A/x", None),
        ("/a/open/x.html", 0),
        ("/a/open/x.html?y", 1),
        ("/%61/x", 1),
        ("/news?print=1", 1),
        ("/news", None),
        ("/%C3%A9t%C3%A9/foo-$", 1),
        ("/%c3%a9t%c3%a9/foo-%24bar", 1),
        ("/odd", None),
        ("/ode", 1),
        ("/", None),
    ],
)
def test_the_first_rule_that_matches_holds(path: str, reserved: int | None) -> None:
    assert Tdmrep(read_rules(json.dumps(RULES).encode())).reservation_of(f"https://paper.example{path}") == reserved


RULE = {"location": "/", "tdm-reservation": 1}


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        (b'\xef\xbb\xbf[{"location": "/", "tdm-reservation": 1}]', [RULE]),
        (b'{"location": "/", "tdm-reservation": "1"}', [RULE]),
        (b'// ours\n[{"location": "/", "tdm-reservation": 1,},]', [RULE]),
        (b'[{"location": "/", "tdm-reservation": true, "tdm-policy": ["x"]}]', [{"location": "/"}]),
        (
            b'[{"location": "/", "tdm-reservation": 1, "more": NaN}, 7, {"location": ""}, {"tdm-reservation": 1}]',
            [RULE],
        ),
        (b'[{"location": "/\\nDisallow: /", "tdm-reservation": 1}]', []),
        (b'[{"location": "/\\ud800", "tdm-reservation": 0}]', [{"location": "/?", "tdm-reservation": 0}]),
        (b"<!doctype html><title>Not here</title>", []),
        (b"Not here", []),
        (b"", []),
        (b"\xff\x00", []),
    ],
)
def test_a_tdmrep_json_is_read_leniently(body: bytes, rules: list[dict[str, object]]) -> None:
    assert read_rules(body) == rules


@pytest.mark.parametrize(
    "body",
    [b"[" * MAX_TDMREP_BYTES, b'{"location": "' * 4_000, b'["\\"' * 10_000, b"[{'a" * 10_000, b"9" * MAX_TDMREP_BYTES],
    ids=["brackets", "objects", "quotes", "keys", "digits"],
)
def test_a_hostile_tdmrep_json_of_twice_the_length_is_twice_the_work(body: bytes) -> None:
    """Within the steps that repairs may take, and in the longest file of all."""
    for length in (2_048, MAX_TDMREP_BYTES // 2):
        assert not grows(read_rules, body[:length], body[: 2 * length])


def test_of_endless_rules_the_first_are_read_and_an_address_of_twice_the_length_is_twice_the_work() -> None:
    rules = read_rules(
        json.dumps([{"location": f"/*{rule:04}x", "tdm-reservation": 1} for rule in range(1_200)]).encode()
    )
    assert [rule["location"] for rule in rules] == [f"/*{rule:04}x" for rule in range(MAX_RULES)]
    tdmrep, once, twice = Tdmrep(rules), *(f"https://paper.example/{'0' * length}?%e9" for length in (1_000, 2_000))
    assert tdmrep.reservation_of(twice) is None
    assert not grows(tdmrep.reservation_of, once, twice)


def test_a_pattern_of_many_stars_is_matched_in_linear_time() -> None:
    def matched(path: str) -> bool:
        return PathPattern("/" + "*a" * len(path) + "*b$").matches(f"https://paper.example/{path * 2}")

    assert not grows(matched, "a" * 10_000, "a" * 20_000)


# Content-Usage


ROBOTS = """
User-agent: *
Allow: /
Content-Usage: train-ai=n
Content-Usage: /ai-ok/ train-ai=y # a comment
content-usage : /*.gz$\ttrain-ai=y, search=n
Content-Usage: /ai-ok/ search=y

User-agent: other
User-agent: paperbot
Sitemap: https://paper.example/map.xml
Content-Usage: train-ai=y
Disallow: /never/

User-agent: silent
Disallow: /never/
"""


@pytest.mark.parametrize(
    ("agent", "path", "said"),
    [
        ("reader", "/test", ("train-ai=n",)),
        ("reader", "/ai-ok/test", ("train-ai=y", "search=y")),
        ("reader", "/ai-ok/a.gz", ("train-ai=y", "search=y")),
        ("reader", "/a.gz", ("train-ai=y, search=n",)),
        ("paperbot", "/ai-ok/test", ("train-ai=y",)),
        ("Other/1.0", "/", ("train-ai=y",)),
        ("silent", "/test", ()),
    ],
)
def test_robots_txt_says_the_usage_of_a_path_for_our_group(agent: str, path: str, said: tuple[str, ...]) -> None:
    assert RobotsRules(ROBOTS, agent).usage_of(f"https://paper.example{path}") == said


def test_the_lines_of_content_usage_leave_the_other_rules_alone() -> None:
    rules = RobotsRules(ROBOTS, "paperbot")
    assert (rules.allowed("https://paper.example/never/x"), rules.allowed("https://paper.example/x")) == (False, True)
    assert [*rules.sitemaps] == ["https://paper.example/map.xml"]


def test_content_usage_stands_beside_its_page_and_its_host_as_it_was_said(site: Site, newsroom: Newsroom) -> None:
    site.add(
        "/robots.txt", "User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /open train-ai=y", kind="text/plain"
    )
    site.article("/said", "The pier", story("pier"), Content_Usage="search=y;x, train-ai=é".encode().decode("latin-1"))
    publish(site, newsroom, "/said", "/open", "/other")
    newsroom.crawl()
    assert dict(newsroom.rows(f"select replace(url, '{site.url}', ''), content_usage from pages")) == {
        "/said": '["search=y;x, train-ai=Ã©", "train-ai=n"]',
        "/open": '["train-ai=y"]',
        "/other": '["train-ai=n"]',
    }
    assert newsroom.rows("select content_usage from hosts") == [('["train-ai=n", "/open train-ai=y"]',)]
    site.article("/more", "The mill", story("mill"))
    publish(site, newsroom, "/more")
    newsroom.crawl("--now")
    assert newsroom.rows("select content_usage from pages where url like '%/more'") == [('["train-ai=n"]',)]


# Archives


def test_an_archive_s_headers_say_the_same(tmp_path: Path) -> None:
    twice = {
        "X_Robots_Tag": "noindex",
        "x_robots_tag": "noarchive",
        "Content_Usage": "train-ai=n",
        "content_usage": "search=y",
    }
    content, _ = archive([record(**twice, TDM_Reservation="1")], packed=False)  # type: ignore[arg-type]
    (page,) = pages(tmp_path, content)
    assert page.reserved == "noindex\nnoarchive"
    assert (page.tdm_reservation, page.content_usage) == (1, ("train-ai=n, search=y",))


def test_an_original_says_what_its_host_said(site: Site, newsroom: Newsroom) -> None:
    site.add("/robots.txt", "User-agent: *\nContent-Usage: train-ai=n")
    site.add(FILE, '[{"location": "/pier", "tdm-reservation": 1}, {"location": "/", "tdm-reservation": 0}]')
    publish(site, newsroom, "/pier", "/quay")
    newsroom.crawl()
    for path, reserved in (("/pier", 1), ("/quay", 0)):
        ((file, offset),) = newsroom.rows(f"select warc, warc_offset from pages where url = '{site.url}{path}'")
        page = read_record(newsroom.folder / "warc" / file, offset)
        assert page is not None
        assert (page.tdm_by_host, page.content_usage) == (reserved, ("train-ai=n",))
