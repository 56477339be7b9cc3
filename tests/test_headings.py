"""The heading that is the article's title, and the kicker above it."""

import lxml.html
import pytest

from pipelines.extract.metadata.metadata import Metadata, read_metadata
from pipelines.extract.metadata.page_head import PageHead

URL = "https://www.ledger.example/news/harbour/crane.html"
WINDOW = "<title>Crane falls over on the quay | The Ledger</title>"
OG = '<meta property="og:title" content="Crane falls over on the quay">'
RIGHT = "Crane falls over on the quay"


def read(head: str, body: str, url: str = URL) -> Metadata:
    tree = lxml.html.document_fromstring(f"<html><head>{head}</head><body>{body}<p>x</p></body></html>")
    return read_metadata(PageHead(tree, url))


def headline(text: str) -> str:
    return f'<script type="application/ld+json">{{"@type":"NewsArticle","headline":"{text}"}}</script>'


@pytest.mark.parametrize(
    "above",
    [
        '<h1><a href="/">Wind and Water</a></h1>',
        '<h1><a href="https://ledger.example/">Wind and Water</a></h1>',
        '<a href="/"><h1>Wind and Water</h1></a>',
        '<h1 class="site-title">Wind and Water</h1>',
        '<div class="logo"><h1>Wind and Water</h1></div>',
        '<h1><a href="/news/harbour/">Harbour</a></h1>',
        "<nav><h1>Menu of this site</h1></nav>",
        "<h1>The Ledger</h1>",
        '<h1 class="breadcrumb-headline">Crane accident on the quay: all that is known</h1>',
        "<h1>€5</h1>",
    ],
)
def test_a_heading_of_the_site_or_of_a_section_is_no_title(above: str) -> None:
    assert read(WINDOW, f"{above}<h2>{RIGHT}</h2>").title == RIGHT
    assert read(WINDOW + OG, f"{above}<h1>{RIGHT} after a storm</h1>").title == f"{RIGHT} after a storm"


def test_in_an_archives_copy_the_front_page_is_that_of_the_copied_site() -> None:
    archive = "https://web.archive.org/web/20190717140047/"
    body = f'<h1><a href="{archive}http://www.ledger.example/">Wind and Water</a></h1><h2>{RIGHT}</h2>'
    assert read(f"<title>{RIGHT} | Wind and Water</title>", body, archive + URL).title == RIGHT


@pytest.mark.parametrize(
    "text",
    [
        "Crane falls over on the...",
        "Crane falls over on the …",
        "The Ledger",
        "all about ropes, ships and what else there is to see",
        "Crane falls over",
    ],
)
def test_a_headline_that_is_cut_or_that_nobody_else_has_gives_way(text: str) -> None:
    head = f'{WINDOW}{OG}<meta property="og:site_name" content="The Ledger">{headline(text)}'
    assert read(head, f"<h1>{RIGHT}</h1>").title == RIGHT


def test_a_headline_that_the_page_repeats_is_the_title_whatever_the_heading_says() -> None:
    assert read(WINDOW + OG + headline(RIGHT), "<h1>What a storm did to our crane</h1>").title == RIGHT


def test_what_readers_see_counts_where_the_page_has_no_headline_for_programs() -> None:
    head = '<title>Crane and storm: all you need to know</title><meta property="og:title" content="Crane and storm explained">'
    assert read(head, f"<h1>{RIGHT} in the storm</h1>").title == f"{RIGHT} in the storm"


@pytest.mark.parametrize(
    "heading",
    [
        f'<h1><span class="kicker">Harbour</span> {RIGHT}</h1>',
        f'<h1><span class="c-Topline">Harbour</span><span class="hide-colon">: </span><span>{RIGHT}</span></h1>',
        f"<h1><small>Harbour</small><br>{RIGHT}</h1>",
        f'<p class="article__overline">Harbour</p><h1>{RIGHT}</h1>',
        f'<div class="roofline"><span class="sr-only">Topic: </span>Harbour</div><h1>{RIGHT}</h1>',
    ],
)
def test_a_kicker_is_kept_for_itself(heading: str) -> None:
    said = read(WINDOW, heading)
    assert (said.title, said.kicker) == (RIGHT, "Harbour")


def test_a_line_above_the_heading_is_a_kicker_where_the_data_have_both() -> None:
    head = f'<title>Harbour: {RIGHT} - The Ledger</title><meta property="og:title" content="Harbour: {RIGHT}">'
    said = read(head, f"<h4>Harbour</h4><h1>{RIGHT}</h1>")
    assert (said.title, said.kicker) == (RIGHT, "Harbour")
    assert read(WINDOW, f"<p>Harbour</p><h1>{RIGHT}</h1>").kicker is None


@pytest.mark.parametrize("line", ["11 November 2026", "The crane had stood there since the war.", RIGHT, "x" * 80])
def test_a_date_a_sentence_and_the_title_itself_are_no_kickers(line: str) -> None:
    assert read(WINDOW, f'<p class="kicker">{line}</p><h1>{RIGHT}</h1>').kicker is None


def test_subtitles_dates_and_readings_in_a_heading_are_not_its_text() -> None:
    inside = '<span class="subtitle">A report</span><time>11 November</time><h4 class="author">Ann Lee</h4>'
    assert read(WINDOW, f"<h1>{RIGHT} {inside}</h1>").title == RIGHT
    ruby = "<h1><ruby>港<rt>みなと</rt></ruby>の<ruby>橋<rt>はし</rt></ruby>が閉鎖</h1>"
    assert read("<title>港の橋が閉鎖</title>", ruby).title == "港の橋が閉鎖"


@pytest.mark.parametrize(
    "window",
    [
        "港の橋が閉鎖へ-灯台日報",
        "港の橋が閉鎖へ:灯台日報",
        "港の橋が閉鎖へ_社会_灯台日報",
        "港の橋が閉鎖へ｜灯台日報",
        "港の橋が閉鎖へ › 灯台日報",
        "灯台日報 » 港の橋が閉鎖へ",
    ],
)
def test_a_sites_name_is_cut_off_whatever_stands_between(window: str) -> None:
    head = f'<title>{window}</title><meta property="og:site_name" content="灯台日報">'
    assert read(head, "<h2>港の橋が閉鎖へ</h2>").title == "港の橋が閉鎖へ"
    assert "灯台日報" not in (read(head, "").title or "")


@pytest.mark.parametrize("sign", [" \\ ", " ‹ ", " ~ ", " ― ", " &lt; ", "／", "——", " › ", " | "])
def test_a_sites_name_is_cut_off_a_window_by_whatever_sign(sign: str) -> None:
    head = f'<title>{RIGHT}{sign}The Ledger</title><meta property="og:site_name" content="The Ledger">'
    assert read(head, "").title == RIGHT


@pytest.mark.parametrize(
    "window",
    [
        f"The Ledger: {RIGHT}",
        f"{RIGHT}（The Ledger）",
        f"{RIGHT} (The Ledger)",
        f"{RIGHT} | Harbour | The Ledger",
        f"{RIGHT}｜Harbour news｜The Ledger",
        f"{RIGHT} › Harbour › The Ledger",
    ],
)
def test_a_site_before_a_title_or_in_brackets_and_a_section_behind_it_are_cut_off(window: str) -> None:
    head = f'<title>{window}</title><meta property="og:site_name" content="The Ledger">'
    assert read(head, "").title == RIGHT


@pytest.mark.parametrize(
    "line", ["Ferry row - council votes", "Cranes: what a storm did", "Crane falls (and stands up)"]
)
def test_parts_of_a_title_stay(line: str) -> None:
    head = f'<title>{line} - The Ledger</title><meta property="og:site_name" content="The Ledger">'
    assert read(head, "").title == line


@pytest.mark.parametrize("section", ["<h1>Harbour news</h1>", '<h1 class="sr-only">News</h1>'])
def test_a_heading_that_only_repeats_the_address_s_folders_is_a_section(section: str) -> None:
    assert read(WINDOW + OG, f"{section}<h2>{RIGHT}</h2>").title == RIGHT


def test_a_hyphen_for_line_ends_parts_no_word_though_it_has_an_element() -> None:
    assert (
        read("<title>Hafenkran fällt</title>", "<h1>Hafen<span>&shy;</span>kran fällt</h1>").title == "Hafenkran fällt"
    )
