"""Which of a page's dates is its article's: not a comment's, a card's, the day's or an event's."""

from datetime import UTC, datetime

import lxml.html
import pytest

from crawler.items import Page
from pipelines.extract import extract
from pipelines.extract.metadata.metadata import Metadata, read_metadata
from pipelines.extract.metadata.page_head import PageHead

URL = "https://www.ledger.example/harbour/crane"
FETCHED_AT = datetime(2026, 11, 21, tzinfo=UTC)
PROSE = "The crane on the north quay fell over on Wednesday afternoon, and two people who stood below it were hurt."
OWN = "<h1>Crane falls over</h1><p>By Ann Lee | 11 November 2026</p>"


def read(body: str, head: str = "", lang: str = "en", url: str = URL) -> Metadata:
    document = f"<html lang='{lang}'><head><title>Crane falls over</title>{head}</head><body>{body}</body></html>"
    return read_metadata(PageHead(lxml.html.document_fromstring(document), url, FETCHED_AT))


def published(body: str, head: str = "", lang: str = "en", url: str = URL) -> str | None:
    moment = read(body, head, lang, url).published
    return moment.value if moment else None


def meta(content: str, name: str = "article:published_time") -> str:
    return f'<meta property="{name}" content="{content}">'


@pytest.mark.parametrize(
    "foreign",
    [
        '<section class="comments"><div><time datetime="2026-11-12T10:00:00Z">12 November</time> Me too</div></section>',
        '<ol class="comment-list"><li><time itemprop="datePublished" datetime="2026-11-12">12 November</time> Me too</li></ol>',
        '<aside><time class="published" datetime="2026-11-12">12 November 2026</time></aside>',
        '<div class="sidebar-right"><time datetime="2026-11-12">12 November 2026</time></div>',
        '<div class="RelatedStories"><time datetime="2026-11-12">12 November 2026</time></div>',
        '<article><h3><a href="/x">Bridge opens</a></h3><time datetime="2026-11-12">12 November 2026</time></article>',
        '<a href="/x">Bridge opens after eleven years <time datetime="2026-11-12">12 November 2026</time></a>',
        f'<p>{PROSE} The trial begins on <time datetime="2026-11-12">12 November</time>.</p>',
        '<div itemscope itemtype="https://schema.org/Event"><time itemprop="startDate" datetime="2026-11-12">12 November</time></div>',
        '<footer><time datetime="2026-11-12">12 November 2026</time></footer>',
        '<p class="note">Updated <time datetime="2026-11-12">12 November 2026</time></p>',
    ],
)
def test_a_time_of_something_else_is_not_the_articles(foreign: str) -> None:
    assert published(f"<main><article>{OWN}<p>{PROSE}</p></article></main>{foreign}") == "2026-11-11"


def test_the_clock_in_the_pages_header_is_not_the_articles() -> None:
    clock = '<header><time datetime="2026-11-20">Friday, 20 November 2026</time></header>'
    assert published(f"{clock}<main>{OWN}<p>{PROSE}</p></main>") == "2026-11-11"


@pytest.mark.parametrize(
    "body",
    [
        '<h1>Crane falls over</h1><time datetime="2026-11-11T14:08:00+01:00">Wednesday</time>',
        '<h1>Crane falls over</h1><p>By Ann Lee <relative-time datetime="2026-11-11T13:08:00Z">nine days ago</relative-time></p>',
        '<h1>Crane falls over</h1><div class="stamp" data-published="2026-11-11 13:08:00Z">11 Nov 2026</div>',
        "<h1>Crane falls over</h1><div>11 November 2026 8:08 AM EST</div>",
        '<h1>Crane falls over</h1><div class="date"><b title="Wednesday 11th of November 2026 08:08:00 AM EST">Nov 11th</b></div>',
        '<h1>Crane falls over</h1><p class="post-date" data-timestamp="1794402480">11 Nov</p>',
        "<div>11 November 2026 8:08 AM EST</div><h1>Crane falls over</h1>",
    ],
)
def test_a_time_beside_the_headline_is_the_articles(body: str) -> None:
    assert published(f"<main>{body}<p>{PROSE}</p></main>") == "2026-11-11T13:08:00Z"


def test_of_a_publication_and_a_change_in_one_line_the_publication_counts() -> None:
    line = "<p>Written: 2026-11-11 15:03 / Updated: 2026-11-12 15:30</p>"
    assert published(f"<h1>Crane falls over</h1>{line}<p>{PROSE}</p>") == "2026-11-11"
    assert published(f"<h1>Crane falls over</h1><p>Last updated 11 November 2026</p><p>{PROSE}</p>") == "2026-11-11"


def test_a_report_that_opens_with_its_date_is_of_that_day() -> None:
    assert published(f"<h1>Crane falls over</h1><p>11.11.2026 - {PROSE}</p>") == "2026-11-11"


@pytest.mark.parametrize(
    ("body", "lang", "url", "right"),
    [
        ("", "en-US", URL, "2026-05-03"),
        ("", "en-GB", URL, "2026-03-05"),
        ("", "en-US", "https://www.ledger.co.uk/harbour/crane", "2026-03-05"),
        ("<p>Written on 5 March 2026</p>", "en-US", URL, "2026-03-05"),
        ("<p>Erstellt am: 03.05.2026</p>", "de", "https://www.ledger.ch/kran", "2026-05-03"),
        ("", "en-GB", "https://www.ledger.example/2026/05/03/crane", "2026-05-03"),
    ],
)
def test_a_figure_that_leaves_a_choice_is_read_as_the_rest_of_the_page_has_it(
    body: str, lang: str, url: str, right: str
) -> None:
    assert published(f"<h1>Crane falls over</h1><p>{PROSE}</p>{body}", meta("5/3/2026 9:15:00"), lang, url) == right


def test_of_two_readings_the_one_that_has_come_is_taken() -> None:
    assert published("<h1>Crane falls over</h1>", meta("11/12/2026"), "en-GB") == "2026-11-12"


@pytest.mark.parametrize(
    ("body", "right", "source"),
    [(f"{OWN}<p>{PROSE}</p>", "2026-11-11", "page"), (f"<h1>Crane falls over</h1><p>{PROSE}</p>", None, "none")],
)
def test_a_date_that_has_not_come_is_doubted_whatever_says_it(body: str, right: str | None, source: str) -> None:
    for head in (
        meta("2026-11-24T08:00:00Z"),
        '<script type="application/ld+json">{"@type":"NewsArticle","headline":"Crane falls over","datePublished":"2027-01-01"}</script>',
    ):
        said = read(body, head)
        assert (said.published and said.published.value, said.published_source) == (right, source)
    assert published(body, meta("2026-11-22T23:00:00Z")) == "2026-11-22T23:00:00Z"


def test_a_local_clock_taken_for_utc_is_set_right_by_the_part_that_knows_the_offset() -> None:
    head = meta("2026-11-11T20:00:00.000Z") + meta("2026-11-11T13:19:00.000Z", "article:modified_time")
    body = '<h1>Crane falls over</h1><time datetime="2026-11-11T20:00:00+09:00">2026.11.11 20:00</time>'
    assert published(f"{body}<p>{PROSE}</p>", head, "ja") == "2026-11-11T11:00:00Z"


@pytest.mark.parametrize("name", ["date", "dc.date", "dcterms.date"])
def test_a_name_that_does_not_say_what_is_dated_yields_to_the_line_below_the_headline(name: str) -> None:
    assert published(f"{OWN}<p>{PROSE}</p>", meta("2026-11-14", name)) == "2026-11-11"
    assert published(f"{OWN}<p>{PROSE}</p>", meta("2026-11-14")) == "2026-11-14"
    assert (
        published(f"<h1>Crane falls over</h1><p>Updated 15 November 2026</p><p>{PROSE}</p>", meta("2026-11-14", name))
        == "2026-11-14"
    )


def test_two_that_agree_are_believed_against_the_first() -> None:
    draft = '<script type="application/ld+json">{"@type":"NewsArticle","headline":"Crane falls over","datePublished":"2026-11-08"}</script>'
    body = f"{OWN}<p>{PROSE}</p>"
    said = [published(body, draft + meta(day)) for day in ("2026-11-11T09:00:00Z", "2026-11-09")]
    assert said == ["2026-11-11T09:00:00Z", "2026-11-08"]


def test_the_time_of_a_change_does_not_make_the_publication_an_instant() -> None:
    change = "<p>Updated November 11, 2026 3:42 PM ET</p>"
    first = "<p>First published November 11, 2026 3:33 AM ET</p>"
    head = meta("2026-11-11T03:33:08")
    assert published(f"<h1>Crane falls over</h1>{change}{first}<p>{PROSE}</p>", head) == "2026-11-11T08:33:00Z"
    assert published(f"<h1>Crane falls over</h1>{change}<p>{PROSE}</p>", meta("2026-11-11")) == "2026-11-11"


@pytest.mark.parametrize(
    ("changed", "right"),
    [
        ("2026-11-12T10:00:00+09:00", "2026-11-11T05:30:00Z"),
        ("2026-11-12T01:00:00Z", "2026-11-11"),
        ("2026-03-12T10:00:00+09:00", "2026-11-11"),
    ],
)
def test_a_clock_is_of_the_offset_that_the_page_writes_elsewhere_that_week(changed: str, right: str) -> None:
    body = f"<h1>クレーンが倒れる</h1><p>2026年11月11日 14時30分 公開</p><p>{PROSE}</p>"
    assert published(body, meta(changed, "article:modified_time"), "ja") == right


def test_two_offsets_say_nothing_of_a_third_clock() -> None:
    head = meta("2026-11-12T10:00:00+09:00", "article:modified_time")
    change = '<time class="updated" datetime="2026-11-12T10:00:00+01:00">12 November</time>'
    assert (
        published(f"<h1>Crane falls over</h1><p>11 November 2026 14:30</p>{change}<p>{PROSE}</p>", head) == "2026-11-11"
    )


def test_the_one_day_that_a_page_names_is_its_articles() -> None:
    line = '<div class="column">11.11.2026 Category: harbour</div>'
    assert published(f"<h1>Partners</h1><p>{PROSE}</p><footer>{line}</footer>") == "2026-11-11"
    assert published(f"<h1>Partners</h1><p>{PROSE}</p><footer>{line}<p>12.11.2026</p></footer>") is None


@pytest.mark.parametrize(
    ("script", "right"),
    [
        (
            'window.__STATE__ = {"story":{"publishedAt":"2026-11-11T13:08:00Z","createdAt":"2026-11-10T09:00:00Z"}}',
            "2026-11-11T13:08:00Z",
        ),
        (r'self.push("{\"publish_date\":1794402480000}")', "2026-11-11T13:08:00Z"),
        ('{"a":{"createdAt":"2026-11-11T13:08:00Z"},"b":{"createdAt":"2026-11-11T13:09:00Z"}}', "2026-11-11"),
        ('{"a":{"publishedAt":"2026-11-11"},"b":{"publishedAt":"2026-11-12"}}', None),
    ],
)
def test_what_scripts_would_show_is_taken_where_nothing_else_is_said(script: str, right: str | None) -> None:
    assert published(f"<h1>Crane falls over</h1><p>{PROSE}</p><script>{script}</script>") == right
    assert published(f"{OWN}<p>{PROSE}</p><script>{script}</script>") == "2026-11-11"


def test_a_list_of_publications_counts_by_its_first() -> None:
    data = '<script type="application/ld+json">{"@type":"NewsArticle","headline":"Crane falls over","datePublished":["2026-11-11T13:08:00Z","2026-11-12"]}</script>'
    assert published(f"<h1>Crane falls over</h1><p>{PROSE}</p>", data) == "2026-11-11T13:08:00Z"


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/2026/11/11/crane", "2026-11-11"),
        ("/harbour/20261111/crane.html", "2026-11-11"),
        ("/harbour/2026-11-11-crane", "2026-11-11"),
        ("/harbour/crane-20261111", "2026-11-11"),
        ("/2026/nov/11/crane", "2026-11-11"),
        ("/harbour/crane-20269911", None),
        ("/harbour/120261111", None),
        ("/harbour/1.20261111", None),
        ("/2026/11/crane", None),
    ],
)
def test_a_day_in_the_address_is_the_articles_and_a_number_is_none(path: str, right: str | None) -> None:
    assert published(f"<h1>Crane falls over</h1><p>{PROSE}</p>", url=f"https://www.ledger.example{path}") == right


@pytest.mark.parametrize(
    ("line", "lang", "right"),
    [
        ("Ann Lee · 3 days ago", "en", "2026-11-18"),
        ("vor 26 Minuten", "de", "2026-11-20"),
        ("3 часа назад", "ru", "2026-11-20"),
        ("2時間前", "ja", "2026-11-20"),
        ("منذ يومين | 2 weeks ago", "ar", "2026-11-07"),
        ("3 min read", "en", None),
        ("3 hours", "en", None),
        (f"{PROSE} That was 3 days ago.", "en", None),
    ],
)
def test_an_age_is_counted_back_from_the_fetch(line: str, lang: str, right: str | None) -> None:
    body = f"<h1>Crane falls over</h1><div>{line}</div><p>{PROSE}</p>"
    assert published(body, lang=lang) == right
    assert published(body, meta("2026-11-11"), lang) == "2026-11-11"


def test_an_age_of_a_page_fetched_nobody_knows_when_tells_nothing() -> None:
    tree = lxml.html.document_fromstring("<h1>Crane falls over</h1><div>3 days ago</div>")
    assert read_metadata(PageHead(tree, URL, None)).published is None


@pytest.mark.parametrize(
    "clock",
    [
        '<header><time datetime="2026-11-20">Friday, 20 November 2026</time></header>',
        '<div class="today">Friday, 20 November 2026</div>',
        '<div class="topbar"><span class="date">20.11.2026</span> 7 °C</div>',
        '<div class="ticker"><a href="/z"><time datetime="2026-11-20T08:00:00Z">08:00</time> Boat sinks</a></div>',
    ],
)
def test_a_clock_is_no_date_of_an_article_though_it_is_the_only_one(clock: str) -> None:
    body = f"{clock}<main><article><h1>Crane falls over</h1>{4 * f'<p>{PROSE}</p>'}</article></main>"
    page = f'<html lang="en"><head><title>Crane falls over</title></head><body>{body}</body></html>'.encode()
    given = Page(url=URL, final_url=URL, via="file", body=page, content_type="text/html", fetched_at=FETCHED_AT)
    assert extract(given).date_published is None
