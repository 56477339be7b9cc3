"""Page -> Article, or a refusal with its reason."""

import json
import unicodedata
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from textwrap import wrap

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trafilatura.xpaths import REMOVE_COMMENTS_AND_LISTS_XPATH

from crawler.items import Hints, Page, Source
from pipelines.extract import EXTRACTOR, extract
from pipelines.extract.decode import Refusal, decode, is_plain_text
from pipelines.extract.reading import may_be_comments
from pipelines.text import tokens, word_count
from tests.support.work import ends

PARAGRAPHS = (
    "The crane on the north quay fell over on Wednesday afternoon, and two people who stood below it were hurt.",
    "Loading had stopped half an hour before because of the wind, said the harbour master, who had ordered it himself.",
    "Four ships were waiting outside the mole in the evening, and nobody could say when the berth would open again.",
)
TEXT = "\n\n".join(PARAGRAPHS)
JSON_LD = '{"@type":"NewsArticle","headline":"Crane falls on north quay","datePublished":"2026-11-11T14:08:00+01:00","author":{"@type":"Person","name":"Ann Lee"}}'


def html(*, head: str = f'<script type="application/ld+json">{JSON_LD}</script>', body: str | None = None) -> bytes:
    text = "".join(f"<p>{line}</p>" for line in PARAGRAPHS) if body is None else body
    return f"<!doctype html><html lang=en-GB><head><title>Crane falls on north quay | The Ledger</title>{head}</head><body><article>{text}</article></body></html>".encode()


def page(body: bytes, content_type: str | None = "text/html; charset=utf-8") -> Page:
    url = "https://www.ledger.example/harbour/crane"
    return Page(
        url=url,
        final_url=url,
        via="feed",
        fetched_at=datetime(2026, 11, 21, tzinfo=UTC),
        content_type=content_type,
        body=body,
    )


def refusal(body: bytes, content_type: str | None = "text/html") -> str:
    with pytest.raises(Refusal) as caught:
        extract(page(body, content_type))
    return caught.value.reason


@pytest.mark.parametrize("element", ["div", "section", "details", "ol", "ul"])
@pytest.mark.parametrize(
    "named",
    [
        *(f'id="{name}"' for name in ("comments", "Comment-7", "comol_area", "disqus_thread", "dsq-comments")),
        *(f'class="{name}"' for name in ("comments", "CommentList", "box article-comments", "post-comments")),
    ],
)
def test_what_the_main_extractor_takes_for_comments_may_be_comments(element: str, named: str) -> None:
    tree = lxml.html.fromstring(f"<body><{element} {named}><p>What a wind!</p></{element}></body>")
    (expression,) = REMOVE_COMMENTS_AND_LISTS_XPATH
    assert all(map(may_be_comments, expression(tree)))


def test_an_article_is_its_paragraphs_and_what_the_page_says_of_it() -> None:
    article = extract(page(html()))
    assert (article.title, article.text, article.authors) == ("Crane falls on north quay", TEXT, ("Ann Lee",))
    assert (article.date_published, article.date_published_raw, article.date_published_source) == (
        "2026-11-11T13:08:00Z",
        "2026-11-11T14:08:00+01:00",
        "jsonld",
    )
    assert (article.language, article.word_count, article.extractor) == ("en", word_count(TEXT), EXTRACTOR)


def test_a_date_that_has_not_come_is_not_believed_of_a_feed_either() -> None:
    ahead = replace(page(html(head="")), hints=Hints(date_published="2026-11-25T08:00:00Z"))
    assert (extract(ahead).date_published, extract(ahead).date_published_source) == (None, "none")


def test_hints_are_believed_only_where_the_page_is_silent() -> None:
    hints = Hints(title="A feed's title", authors=("Bo Ray",), date_published="2026-11-10T08:00:00Z")
    stated = extract(replace(page(html()), hints=hints))
    assert (stated.title, stated.authors, stated.date_published_source) == (
        "Crane falls on north quay",
        ("Ann Lee",),
        "jsonld",
    )
    silent = extract(replace(page(html(head="")), hints=hints))
    assert (silent.authors, silent.date_published, silent.date_published_source) == (
        ("Bo Ray",),
        "2026-11-10T08:00:00Z",
        "feed",
    )


@pytest.mark.parametrize(
    ("where", "what"), [("div.main", "//p[@class='ad']"), ("//div[@class='main']", "p.ad")], ids=["css", "xpath"]
)
def test_a_source_may_say_where_the_text_is_and_what_is_not_text(where: str, what: str) -> None:
    body = "<div class=main><p>Only this.</p><p class=ad>Not this.</p></div>" + "".join(
        f"<p>{line}</p>" for line in PARAGRAPHS
    )
    source = Source(url="https://www.ledger.example/", name="Ledger", body=where, strip=(what,))
    assert extract(replace(page(html(body=body)), source=source)).text == "Only this."


@pytest.mark.parametrize(
    ("reason", "body", "content_type"),
    [
        ("empty", b"", "text/html"),
        ("empty", b" \n\x00 ", None),
        ("not_html", b"%PDF-1.7 crane", "application/pdf"),
        ("not_html", b"\x89PNG\r\n\x1a\n", "text/html"),
        ("not_html", b'{"crane": "fallen"}', None),
        ("not_html", b'<?xml version="1.0"?><rss version="2.0"><channel/></rss>', "text/xml"),
        ("no_text", b"<html><body><img src=x></body></html>", "text/html"),
        ("too_short", b"<html><body><p>Telephone us after ten.</p></body></html>", "text/html"),
        ("too_complex", b"<html><body>" + b"<p>x</p>" * 64_000, "text/html"),
        ("too_complex", b"<html><body><p " + b" ".join(b"a%d=1" % n for n in range(64_000)) + b">x", "text/html"),
        ("too_complex", b"<div>" * 5_000, "text/html"),
        ("too_complex", b"x\n" * 300_000, "text/plain"),
    ],
)
def test_a_page_that_is_no_article_is_refused_with_its_reason(
    reason: str, body: bytes, content_type: str | None
) -> None:
    assert refusal(body, content_type) == reason


@pytest.mark.parametrize(
    ("encoding", "declared", "header"),
    [
        ("utf-8", "", "text/html; charset=iso-8859-1"),
        ("utf-8-sig", "", None),
        ("utf-16", "", "text/html"),
        ("utf-16-le", "", "text/html"),
        ("windows-1251", '<meta charset="windows-1251">', "text/html"),
        ("windows-1251", "", "text/html; charset=windows-1251"),
        ("koi8-r", '<meta http-equiv="content-type" content="text/html; charset=koi8-r">', "text/html; charset=utf-8"),
    ],
)
def test_characters_survive_whatever_the_page_is_encoded_in(encoding: str, declared: str, header: str | None) -> None:
    written = f"<html><head>{declared}<title>Кран упал</title></head><body><p>Портовый кран упал в среду днём.</p></body></html>"
    assert decode(written.encode(encoding), header) == written


def test_latin_1_means_windows_1252_and_references_to_controls_vanish() -> None:
    assert (
        decode(b"<meta charset=iso-8859-1><p>\x93Crane\x94&#1;&#x0B; \x80 5 &#151;", None)
        == "<meta charset=iso-8859-1><p>“Crane” € 5 —"
    )


@given(st.text(max_size=200))
def test_extraction_and_deduplication_agree_on_what_a_word_is(text: str) -> None:
    assert word_count(text.casefold()) == len(tokens(text))


@pytest.mark.parametrize("text", ["三つの会社", "두 사람", "ﾊﾛｰ 𠮷野家", "a-b c’d é 42", "豈更"])
def test_words_of_scripts_without_spaces_are_counted_alike(text: str) -> None:
    assert word_count(text) == len(tokens(text))


@given(st.binary(max_size=2_000), st.sampled_from(["text/html", "text/plain", None]))
@settings(deadline=None, max_examples=150)
def test_nothing_but_a_refusal_is_raised_on_any_bytes(body: bytes, content_type: str | None) -> None:
    with suppress(Refusal):
        extract(page(body, content_type))


@given(st.lists(st.text(min_size=20, max_size=200), min_size=3, max_size=6))
@settings(deadline=None, max_examples=100)
def test_text_is_nfc_without_control_characters_or_empty_paragraphs(paragraphs: list[str]) -> None:
    lines = (line.replace("<", " ") for line in paragraphs)  # closed by a sentence: else they may be credits or dates
    body = "".join(f"<p>{line} {PARAGRAPHS[number % 3]}</p>" for number, line in enumerate(lines))
    text = extract(page(html(body=body.encode("utf-8", "replace").decode()))).text
    assert unicodedata.is_normalized("NFC", text)
    assert not [letter for letter in text if unicodedata.category(letter) in ("Cc", "Cs") and letter != "\n"]
    assert all(text.split("\n\n"))


def test_an_override_of_the_direction_of_writing_is_no_text() -> None:
    body = "".join(f"<p>\u202e{line}\u202c</p>" for line in PARAGRAPHS)
    assert "\u202e" not in extract(page(html(body=body))).text
    assert (
        "\u202e" not in extract(page("\n\n".join(f"\u202d{line}" for line in PARAGRAPHS).encode(), "text/plain")).text
    )


@pytest.mark.parametrize(
    ("said", "language"), [("EN_us", "en"), ("fil-PH", "fil"), ("English, of a kind", None), ("x" * 2_000, None)]
)
def test_a_feed_s_language_is_noted_where_it_is_one_and_believed_unless_the_text_is_another(
    said: str, language: str | None
) -> None:
    silent = html(head="").replace(b" lang=en-GB", b"")
    article = extract(replace(page(silent), hints=Hints(language=said)))
    assert (article.language_declared, article.language) == (language, "en")


@pytest.mark.parametrize(
    "opening", ["<!-- -->", "<?php ?>", "<!DOCTYPE x>", "<!--", "<?xml ?> ", " \n"], ids=lambda opening: opening.strip()
)
def test_a_page_that_begins_with_many_comments_ends(opening: str) -> None:
    """Backtracking over them, which sixty pairs make longer than there is time."""
    assert ends(lambda: is_plain_text(f"<!-- {opening * 60} <html>{TEXT}", "text/html"))
    assert ends(lambda: is_plain_text(f"{opening * 60} <html>{TEXT}", "text/html"))


def test_a_drawing_deep_in_a_page_makes_it_no_feed() -> None:
    body = f"<!-- --> <svg></svg>{''.join(f'<p>{line}</p>' for line in PARAGRAPHS)}"
    assert extract(page(b"<!-- top -->" + html(body=body))).text == TEXT


def test_a_link_of_question_marks_takes_no_quadratic_time() -> None:
    assert ends(lambda: extract(page(html(body=f"<a href='/{'?' * 200_000}\nx'>Harbour</a>{TEXT}"))))


RIVALS = '<script type="application/ld+json">{"@type":"NewsArticle","headline":"Crane falls: live","datePublished":"2026-11-11"}</script><meta property="og:title" content="You will not believe this crane | The Ledger">'


@pytest.mark.parametrize(
    ("place", "title"),
    [(None, "Crane falls: live"), ("og:title", "You will not believe this crane"), ("h1", "Crane falls on north quay")],
)
def test_where_titles_disagree_all_are_kept_and_the_source_says_which_counts(place: str | None, title: str) -> None:
    body = f"<h1>Crane falls on north quay</h1>{''.join(f'<p>{line}</p>' for line in PARAGRAPHS)}"
    source = Source(url="https://www.ledger.example/", name="Ledger", title=place)
    article = extract(replace(page(html(head=RIVALS, body=body)), source=source))
    assert article.title == title
    assert dict(article.titles)["h1"] == "Crane falls on north quay"
    assert [where for where, _ in article.titles] == ["headline", "og:title", "h1"]


def test_where_all_places_say_the_same_title_none_is_kept_beside_it() -> None:
    assert extract(page(html())).titles == ()


@pytest.mark.parametrize("kind", ["image/png", "application/json", "application/pdf", "text/plain", "video/mp4"])
def test_a_page_that_says_it_is_html_is_whatever_its_header_says(kind: str) -> None:
    for start in (b"", b"\xef\xbb\xbf\n<!-- cached -->"):
        assert extract(page(start + html(), kind)).text == TEXT
    assert refusal(b'{"html": "<html>"}', "application/json") == "not_html"


@pytest.mark.parametrize(
    "mark",
    [
        "class=sr-only",
        "class='element-invisible'",
        "class=offscreen",
        "style='LEFT: -9999px'",
        "style='clip: rect(0 0 0 0)'",
    ],
)
def test_what_only_screen_readers_say_is_no_text(mark: str) -> None:
    body = "".join(f"<p>{line[:40]}<span {mark}>, opens in a new tab</span>{line[40:]}</p>" for line in PARAGRAPHS)
    assert extract(page(html(body=body))).text == TEXT


@pytest.mark.parametrize(
    "around",
    [
        "<nav>Menu</nav></body></html>{}",
        "<html><body></body></html>{}",
        "<frameset><frame src=a><noframes>{}</noframes></frameset>",
    ],
    ids=["after its end", "a second page", "beside frames"],
)
def test_an_article_is_read_wherever_its_page_claims_to_end(around: str) -> None:
    body = f"<html><head><title>Crane</title></head>{around.format(html().decode())}"
    assert extract(page(body.encode())).text == TEXT


def test_lines_of_japanese_source_are_joined_without_a_space() -> None:
    line = "港の古い桟橋は来月で閉鎖されます。町の会議で決まりました。船は北の岸に移ります。漁師の人たちは、新しい場所を使います。"
    body = f"<p>{line[:20]}\n   {line[20:]}</p><p>{line}</p><pre>{line[:5]}\n{line[5:]}</pre>"
    assert extract(page(html(body=body))).text.split("\n\n")[:2] == [line, line]


def test_two_sentences_of_japanese_are_an_article_beside_a_row_of_buttons() -> None:
    lines = [
        "港の古い桟橋は来月で閉鎖されます。町の会議で決まりました。",
        "船は北の岸に移ります。漁師の人たちは、春まで新しい場所を使います。",
    ]
    text = "".join(f"<p>{line}</p>" for line in lines)
    share = "<div><a href=https://a.example>Facebook</a> <a href=https://b.example>Twitter</a></div>"
    assert extract(page(html(body=f"<h1>古い桟橋を閉鎖へ</h1>{share}{text}"))).text.split("\n\n") == lines


def test_a_table_that_lays_out_japanese_is_no_table_of_values() -> None:
    line = "港の古い桟橋は来月で閉鎖されます。町の会議で決まりました。船は北の岸に移ります。漁師の人たちは、新しい場所を使います。"
    body = f"<table><tr><td><a href=/>港</a></td><td>{'<br><br>'.join([line] * 4)}</td></tr></table>"
    assert "|" not in extract(page(html(body=body))).text


@pytest.mark.parametrize("declared", ["", '<meta charset="iso-2022-jp">', '<meta charset="utf-8">'])
def test_japanese_of_seven_bits_is_no_utf_8(declared: str) -> None:
    page = declared + "<p>港の古い桟橋</p>"
    assert decode(page.encode("iso2022_jp"), "text/html") == page
    assert decode(page.encode("iso2022_jp") + b"\xe3</p>", "text/html").startswith(page)
    assert decode(b"<p>\x1b$B9A-!-j\x1b(I1\x1b(B</p>", None) == "<p>港①㈱ｱ</p>"


@pytest.mark.parametrize(("declared", "codec"), [("hz-gb-2312", "hz"), ("iso-2022-kr", "iso2022_kr")])
def test_other_encodings_of_seven_bits_are_read_where_they_are_declared(declared: str, codec: str) -> None:
    text = {"hz": "旧码头关闭", "iso2022_kr": "낡은 부두 폐쇄"}[codec]
    assert text in decode(f'<meta charset="{declared}"><p>{text}</p>'.encode(codec), "text/html")


UNDECLARED = {
    "Rada miasta zatwierdziła budżet na przyszły rok. Mieszkańcy żądają naprawy dróg; ścieżka wzdłuż łąki jest zamknięta.": ("iso8859_2", "cp1250"),
    "Město schválilo rozpočet na příští rok. Obyvatelé žádají opravu silnic; řeka se na jaře vylila z břehů až k náměstí.": ("iso8859_2", "cp1250"),
    "Le conseil a voté le budget; l'été dernier, la forêt brûlait près du château. La route sera fermée à la fin du mois.": ("cp1252",),
    "Kommunfullmäktige beslutade om vägen. Många är missnöjda och åker hellre båt över sjön på hösten.": ("cp1252",),
    "Belediye meclisi bütçeyi onayladı. Şehirde ışıklar söndü, çocuklar güneşli bir günde İstanbul'a gidiyor.": ("cp1254",),
    "Городской совет утвердил бюджет на следующий год. Жители требуют ремонта дорог и нового моста.": ("cp1251", "koi8_r"),
    "東京都は新しい橋の計画を発表した。市民からは歓迎の声が上がっている。": ("shift_jis", "euc_jp"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "encoding"), [(text, encoding) for text, encodings in UNDECLARED.items() for encoding in encodings]
)
def test_what_declares_no_encoding_is_read_by_its_letters(text: str, encoding: str) -> None:
    page = f"<!doctype html><html><body><p>{text}</p></body></html>"
    assert decode(page.encode(encoding), "text/html") == page


SHOWN = {
    "lines wrapped by breaks": "".join(f"<p>{'<br>'.join(wrap(line, 60))}</p>" for line in PARAGRAPHS),
    "words that may be parted": "".join(f"<p>{line.replace('hour', 'ho<wbr>ur')}</p>" for line in PARAGRAPHS),
    "paragraphs hidden one by one": f"<p>{PARAGRAPHS[0]}</p><p hidden>{PARAGRAPHS[1]}</p><p hidden>{PARAGRAPHS[2]}</p><button>Read more</button>",
    "a rest inside an unclosed paragraph": f"<p>{PARAGRAPHS[0]}<p><a href=#>Read more</a><section hidden><p>{PARAGRAPHS[1]}<p>{PARAGRAPHS[2]}</section>",
    "captions in captions": "".join(f"<div class=wp-caption><img src=a><p class=wp-caption-text>{line}</p></div>" for line in PARAGRAPHS),
    "captions by their property": "".join(f"<figure><img src=a><figcaption itemprop=caption>{line}</figcaption></figure>" for line in PARAGRAPHS),
}  # fmt: skip


@pytest.mark.parametrize("body", SHOWN.values(), ids=SHOWN)
def test_a_text_is_what_the_page_shows_of_it(body: str) -> None:
    assert extract(page(html(body=body))).text == TEXT


def test_headings_on_cards_that_open_are_headings_without_their_signs() -> None:
    card = '<div class=card><div class=card-header><h5><button data-target=#c{0}>Question {0}?<i aria-hidden=true>+</i></button></h5></div><div id=c{0} class=collapse><div class=card-body>{1}</div></div></div>'  # fmt: skip
    body = "".join(card.format(number, line) for number, line in enumerate(PARAGRAPHS[1:]))
    expected = [PARAGRAPHS[0], "Question 0?", PARAGRAPHS[1], "Question 1?", PARAGRAPHS[2]]
    assert extract(page(html(body=f"<p>{PARAGRAPHS[0]}</p>{body}"))).text.split("\n\n") == expected


def test_a_paragraph_with_a_label_and_a_link_in_its_sentence_stays() -> None:
    linked = PARAGRAPHS[1].replace("harbour master", "<a href=/master>harbour master</a>")
    body = f"<p>{PARAGRAPHS[0]}</p><p><b>Watch:</b> {linked}</p><p><b>Watch:</b> <a href=/film>The crane falls</a></p><p>{PARAGRAPHS[2]}</p>"
    assert extract(page(html(body=body))).text.split("\n\n") == [
        PARAGRAPHS[0],
        f"Watch: {PARAGRAPHS[1]}",
        PARAGRAPHS[2],
    ]


def test_json_ld_that_is_a_string_of_json_is_read() -> None:
    twice = f'<script type="application/ld+json">{json.dumps(JSON_LD)}</script>'
    assert extract(page(html(head=twice))).authors == ("Ann Lee",)


CARDS = tuple(
    (f"/town/{number}", f"{line[:34].rsplit(' ', 1)[0]} again", line) for number, line in enumerate(PARAGRAPHS * 3)
)
ABOUT = (
    "All that happens on the quays and beyond the mole: ships, storms, fares, and the long quarrel over the night boat."
)


def site(title: str, main: str) -> bytes:
    """A page that declares itself nothing, below a masthead that dates it."""
    return (
        f"<html lang=en><head><title>{title}</title></head><body><header><a href=/>The Ledger</a> 20 November 2026</header>"
        f"<main>{main}</main></body></html>"
    ).encode()


@pytest.mark.parametrize(
    "card",
    [
        "<div><h3><a href={0}>{1}</a></h3><p>{2}</p></div>",
        "<div><a href={0}><img src=x></a><div><a href={0}>{1}</a></div><p>{2}</p></div>",
        "<a href={0}><h3>{1}</h3><p>{2}</p></a>",
        "<div><p><a href={0}>{1}</a></p><p>{2}</p></div>",
        "<div><div>Ann Lee</div><a href={0}>{1}</a><div>{2}</div></div>",
        "<div><div><div><a href={0}><span>{1}</span></a></div><div>{2}</div></div></div>",
        "<div><span><a href={0}>{1}</a></span><span>{2}</span></div>",
        "<dl><dt><a href={0}>{1}</a></dt><dd>{2}</dd></dl>",
        "<table><tr><td><a href={0}>{1}</a><br>{2}</td></tr></table>",
        "<li>20 November 2026 <a href={0}>{1}</a></li>",
    ],
)
@pytest.mark.parametrize("opening", ["", f"<p>{ABOUT}</p>"], ids=["bare", "described"])
def test_a_page_of_teasers_is_an_index_whatever_its_cards_are_made_of(card: str, opening: str) -> None:
    cards = "".join(card.format(*one) for one in CARDS)
    assert refusal(site("Harbour | The Ledger", f"<h1>Harbour</h1>{opening}{cards}")) == "index"


LATEST = (
    "<aside><h4>Latest</h4>" + "".join(f"<h5><a href={link}>{line}</a></h5>" for link, line, _ in CARDS) + "</aside>"
)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"<h3><a href='#at-{n}'>1{n}:20 The wind drops</a></h3><p>{line}</p>" for n, line in enumerate(PARAGRAPHS)),
        f"<p>{PARAGRAPHS[0]}</p>" + "".join(f"<h3><a href=/q/{n}>Quay {n}</a></h3><p>{line}</p>" for n, line in enumerate(PARAGRAPHS)),
        f"<p>{PARAGRAPHS[0]}</p><p><a href=/town/9>Harbour master orders a halt</a></p>",
        "<p>The crane went down<br>and took the light<br>the boats lay low<br>all through the night</p>" * 2,
        "<div><a href=/town/8>To the harbour in pictures</a><div>" + "".join(f"<p>{line}</p>" for line in PARAGRAPHS) + "</div></div>",
    ],
    ids=["live blog", "list", "brief", "verse", "below one link"],
)  # fmt: skip
def test_an_undeclared_article_is_none_although_headlines_stand_beside_it(text: str) -> None:
    body = f"<h1>Crane falls on the north quay</h1><p>20 November 2026</p>{text}"
    assert extract(page(site("Crane falls on the north quay", body + LATEST))).title == "Crane falls on the north quay"


def test_the_model_is_believed_where_other_readings_hold_but_the_cards_of_other_articles() -> None:
    text = "".join(f"<div><span>{line}</span></div>" for line in PARAGRAPHS * 2)
    cards = "".join(f"<div><h4><a href={link}>{line}</a></h4><p>{deck}</p></div>" for link, line, deck in CARDS[:3])
    body = f"<div class=page><h1>Crane falls on the north quay</h1>{text}</div><div id=content>{cards}</div>"
    assert extract(page(site("Crane falls on the north quay", body))).text.startswith(PARAGRAPHS[0])
