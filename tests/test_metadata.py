"""What a page says of its article, by order of belief."""

from datetime import UTC, datetime

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.dates.moments import Habits, Moment, day_in_words, parse_moment
from pipelines.extract.body import signature
from pipelines.extract.metadata.authors import each_once
from pipelines.extract.metadata.metadata import Metadata, read_metadata
from pipelines.extract.metadata.names import byline, people
from pipelines.extract.metadata.page_head import PageHead
from pipelines.extract.metadata.titles import without_site
from pipelines.text import clean
from tests.support.work import ends

URL = "https://www.ledger.example/news/harbour/crane.html"


def read(head: str, body: str = "", timezone: str | None = None) -> Metadata:
    tree = lxml.html.document_fromstring(f"<html><head>{head}</head><body>{body}<p>x</p></body></html>")
    return read_metadata(PageHead(tree, URL, datetime(2026, 11, 21, tzinfo=UTC)), timezone)


def ld(text: str) -> str:
    return f'<script type="application/ld+json">{text}</script>'


def test_graph_and_references_are_followed() -> None:
    said = read(
        ld(
            '{"@graph":[{"@type":"NewsArticle","headline":"Crane falls on quay","datePublished":"2026-11-11T14:08:00+01:00","author":{"@id":"#ann"},'
            '"publisher":{"@id":"#us"},"articleSection":["Harbour"],"keywords":["crane","wind"],"isAccessibleForFree":"False"},'
            '{"@type":"Person","@id":"#ann","name":"Ann Lee"},{"@type":"Organization","@id":"#us","name":"The Ledger"}]}'
        )
    )
    assert said == Metadata(
        title="Crane falls on quay",
        authors=("Ann Lee",),
        published=Moment(value="2026-11-11T13:08:00Z", raw="2026-11-11T14:08:00+01:00"),
        published_source="jsonld",
        section="Harbour",
        keywords=("crane", "wind"),
        site_name="The Ledger",
        is_accessible_for_free=False,
    )


def test_teasers_in_the_data_are_not_the_article() -> None:
    other = '{"@type":"NewsArticle","headline":"Another tale","url":"https://www.ledger.example/other","datePublished":"2020-01-01"}'
    own = f'{{"@type":"NewsArticle","headline":"The tale of the crane","url":"{URL}","datePublished":"2026-11-11"}}'
    assert read(ld(f"[{other},{own}]")).title == "The tale of the crane"


@pytest.mark.parametrize("place", ["article:author", "share:article_author_name"])
def test_who_signs_the_article_in_meta_may_be_the_site_s_namesake(place: str) -> None:
    own = '<meta property="og:site_name" content="Ann Lee"><meta name="%s" content="Ann Lee">'
    assert read(own % place, f"<p>Ann Lee</p>{STORY}").authors == ("Ann Lee",)
    assert read(own % "author", f"<p>Ann Lee</p>{STORY}").authors == ()


def test_a_meta_element_with_two_names_is_both() -> None:
    assert read('<meta property="dc:creator twitter:label1" content="Ann Lee">', "<p>Ann Lee</p>").authors == (
        "Ann Lee",
    )


def test_damaged_data_is_read_as_far_as_possible() -> None:
    assert (
        read(ld('<!-- {"@type":"NewsArticle","headline":"Crane falls\non quay",} -->')).title == "Crane falls on quay"
    )


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("<title>Crane falls on quay | The Ledger</title>", "<h1>Crane falls on quay</h1>"),
        ("<title>Ledger - Crane falls on quay</title>", ""),
        (
            '<meta property="og:title" content="Crane falls on quay - The Ledger"><meta property="og:site_name" content="The Ledger">',
            "",
        ),
        (
            ld('{"@type":"NewsArticle","headline":"Harbour: Crane falls on quay"}')
            + '<meta property="og:title" content="Crane falls on quay">',
            "",
        ),
    ],
)
def test_a_title_has_neither_site_name_nor_kicker(head: str, body: str) -> None:
    assert read(head, body).title == "Crane falls on quay"


def test_a_headline_written_for_search_engines_gives_way_to_the_one_people_see() -> None:
    data = ld('{"@type":"NewsArticle","headline":"Crane Accident Calderwick 2026"}')
    assert (
        read(
            f'<title>Crane Accident Calderwick 2026</title>{data}<meta property="og:title" content="How the crane fell">',
            "<h1>How the crane fell</h1>",
        ).title
        == "How the crane fell"
    )


def test_the_site_is_the_author_only_when_nobody_else_is_named() -> None:
    data = '<meta property="og:site_name" content="The Ledger">' + ld(
        '{"@type":"NewsArticle","headline":"Crane falls","author":{"name":"The Ledger"}}'
    )
    assert read(data).authors == ("The Ledger",)
    assert read(data, '<div class="byline">By Ann Lee</div>').authors == ("Ann Lee",)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("By Ann Lee and Bo Ray", ["Ann Lee", "Bo Ray"]),
        ("Von Änne Groß und Bernd Ax", ["Änne Groß", "Bernd Ax"]),
        ("Ann Lee | Harbour correspondent", ["Ann Lee"]),
        ("Ann Lee, Senior Reporter", ["Ann Lee"]),
        ("Ann Lee ann@ledger.example", ["Ann Lee"]),
        ("ann-lee", ["Ann Lee"]),
        ("https://www.ledger.example/ann", []),
        ("葛城みのり、榊原灯一", ["葛城みのり", "榊原灯一"]),
    ],
)
def test_people_are_their_names_alone(line: str, names: list[str]) -> None:
    assert people(line) == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Lee, Ann", ["Ann Lee"]),
        ("Jong, Ann de", ["Ann de Jong"]),
        ("Ann Lee, MD", ["Ann Lee"]),
        ("Ann Lee, Ph.D., and Bo Ray, M.D.", ["Ann Lee", "Bo Ray"]),
        ("Bo Ray, Jr.", ["Bo Ray Jr"]),
        ("Ann Lee (@annlee)", ["Ann Lee"]),
        ("Ann Lee in Calderwick", ["Ann Lee"]),
        ("geschrieben von Änne Groß", ["Änne Groß"]),
        ("Text & Fotos: Änne Groß", ["Änne Groß"]),
        ("松岡大地記者", ["松岡大地"]),
        ("한수진 기자", ["한수진"]),
        ("No author", []),
    ],
)
def test_a_person_is_one_however_the_name_is_written(line: str, names: list[str]) -> None:
    assert people(line) == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("By Ann Lee", ["Ann Lee"]),
        ("By Tobi", ["Tobi"]),
        ("9 November 2026 - Posted by Ann Lee under Harbour", ["Ann Lee"]),
        ("Erstellt von Änne Groß am Montag, 9. November 2026", ["Änne Groß"]),
        ("09.11.2026 13:30 von Änne Groß", ["Änne Groß"]),
        ("Par Zoé Lac et Luc Fay", ["Zoé Lac", "Luc Fay"]),
        ("Escribe Inés Paz", ["Inés Paz"]),
        ("A cura di Pia Neri", ["Pia Neri"]),
        ("Auteur: Jan de Wit", ["Jan de Wit"]),
        ("Autor: Jan Nowak, dpa", ["Jan Nowak", "dpa"]),
        ("Автор: Анна Лебедева", ["Анна Лебедева"]),
        ("Γράφει η Άννα Λέου", ["Άννα Λέου"]),
        ("作者：山田太郎", ["山田太郎"]),
        ("By Tuesday the water had gone", []),
        ("Von Montag an fahren die Züge", []),
        ("Stand by Your Crane", []),
        ("Ann Lee", []),
    ],
)
def test_a_line_that_opens_as_a_byline_names_its_people(line: str, names: list[str]) -> None:
    assert byline(line) == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Ann Lee/dpa", ["Ann Lee", "dpa"]),
        ("Ann Lee/SP-X", ["Ann Lee"]),
        ("Ann Lee/Bo Ray", ["Ann Lee", "Bo Ray"]),
        ("Ann Lee - The Ledger", ["Ann Lee"]),
        ("AFP/The Ledger", ["AFP/The Ledger"]),
        ("Ann Lee Translated by Bo Ray", ["Ann Lee"]),
        ("Änne Groß; Übersetzung: Bo Ray", ["Änne Groß"]),
        ("Texto: Inés Paz | Fotos: Bo Ray", ["Inés Paz"]),
        ("Ann Lee　著、葛城みのり　訳", ["Ann Lee"]),
        ("文／山田太郎", ["山田太郎"]),
        ("【記者王小明／台北報導】", ["王小明"]),
        ("글 김민수 기자", ["김민수"]),
        ("Von unserer Korrespondentin Änne Groß", ["Änne Groß"]),
        ("Par notre correspondant Luc Fay", ["Luc Fay"]),
        ("Автор: Анна Лебедева, корреспондент", ["Анна Лебедева"]),
        ("Συντάκτης: Άννα Λέου", ["Άννα Λέου"]),
        ("Text a foto: Jan Novák", ["Jan Novák"]),
        ("Foto: Bo Ray", []),
        ("Auteur(s) :", []),
        ("Red.", []),
    ],
)
def test_whoever_translated_or_took_the_picture_has_not_written(line: str, names: list[str]) -> None:
    assert people(line) == names


def test_a_person_is_named_once() -> None:
    assert each_once(["Ann Lee", "Lee Ann", "Ann M. Lee", "Bo Lee"]) == ("Ann Lee", "Bo Lee")


@pytest.mark.parametrize(
    ("last", "names"),
    [
        ("The ferry sails again. (Ann Lee) +++", ("Ann Lee",)),
        ("(Ann Lee/dpa)", ("Ann Lee", "dpa")),
        ("(Ann Lee, Bo Ray)", ("Ann Lee", "Bo Ray")),
        ("The ferry sails again (Blue Line).", ()),
        ("The ferry sails again. (Photo: Ann Lee)", ()),
    ],
)
def test_a_text_may_end_with_its_author_in_brackets(last: str, names: tuple[str, ...]) -> None:
    assert signature(["The crane fell on the quay.", last]) == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("By Ann Lee November 9, 2026", ["Ann Lee"]),
        ("By Theresa May 5, 2026", ["Theresa May"]),
        ("09.11.2026 von Tobi Lesezeit: 3 Min.", ["Tobi"]),
        ("Von Änne Groß Veröffentlicht am 9. November", ["Änne Groß"]),
        ("By Ann Lee Published in Harbour", ["Ann Lee"]),
        ("By Ann Stand, Bo Ray", ["Ann Stand", "Bo Ray"]),
        ("(Image credit: Submitted by Ann Lee)", []),
        ("Vom Abfall zum Rohstoff", []),
        ("By May 5", ["May"]),
    ],
)
def test_a_byline_ends_where_the_date_begins(line: str, names: list[str]) -> None:
    assert byline(line) == names


HEADED = "<title>Crane falls on quay</title>"
STORY = "<p>The crane fell on the quay before dawn, and nobody was hurt, the harbour master told the paper.</p>" * 3


def graph(author: str, person: str) -> str:
    article = f'{{"@type":"NewsArticle","headline":"Crane falls on quay","author":{author}}}'
    return HEADED + ld(f'{{"@graph":[{article},{person}]}}')


@pytest.mark.parametrize("reference", ["https://l.example/#/schema/person/5f1", "https://l.example/author/ann/#author"])
@pytest.mark.parametrize(
    ("name", "body", "names"),
    [
        ("Ann Lee", "", ()),
        ("Ann Lee", '<p class="meta">Ann Lee</p>', ("Ann Lee",)),
        ("annlee7", "", ()),
        ("Ann Lee", "<p>By Bo Ray</p>", ("Bo Ray",)),
        ("annlee7", "<p>annlee7</p><p>By Bo Ray</p>", ("Bo Ray",)),
        ("Ann", '<span class="author">Ann</span><p>A column by Ann Lee</p>', ("Ann Lee",)),
        ("Ledger", '<nav><a href="/">Ledger</a></nav>', ()),
        ("Ledger", '<span class="author">Ledger</span>', ("Ledger",)),
        ("Redaktion am Kai", '<footer>Redaktion am Kai</footer>', ()),
    ],
)  # fmt: skip
def test_an_account_signs_only_if_the_page_shows_it(
    reference: str, name: str, body: str, names: tuple[str, ...]
) -> None:
    head = graph(f'{{"@id":"{reference}"}}', f'{{"@type":"Person","@id":"{reference}","name":"{name}"}}')
    assert read(head, f"<article><h1>Crane falls on quay</h1>{body}{STORY}</article>").authors == names


def test_a_person_whom_the_article_itself_names_signs_though_scripts_show_the_byline() -> None:
    data = '{"@type":"NewsArticle","headline":"Crane falls on quay","author":{"@type":"Person","name":"Ann Lee"}}'
    assert read(ld(data), STORY).authors == ("Ann Lee",)


@pytest.mark.parametrize(
    ("meta", "names"),
    [
        ('<meta name="author" content="Niko">', ()),
        ('<meta name="author" content="The Ledger, St. Orrin, Germany"><meta property="og:site_name" content="The Ledger">', ()),
        ('<meta name="author" content="Ann Lee">', ("Bo Ray",)),
        ('<meta name="author" content="Tobi Ax">', ("Bo Ray",)),
    ],
)  # fmt: skip
def test_the_maker_of_the_site_gives_way_to_who_opens_the_article(meta: str, names: tuple[str, ...]) -> None:
    opening = "<p>By Bo Ray</p>" if names else ""
    body = f"<article><h1>Crane falls on quay</h1>{opening}{STORY}</article><div>Ann Lee, Tobi Ax</div>"
    assert read(HEADED + meta, body).authors == names


@pytest.mark.parametrize(
    "teaser",
    [
        '<article><a class="byline" href="/ann">Ann Lee</a><h3><a href="/storm">Storm takes a roof</a></h3></article>',
        '<ul><li><h4><a href="/storm">Storm takes a roof</a></h4><span class="author">Ann Lee</span></li></ul>',
        '<div class="card"><h2><a href="/storm">Storm</a></h2><div class="card__meta"><a rel="author">Ann Lee</a></div></div>',
        '<aside class="story__related"><h1>Also</h1><div><span class="author">Ann Lee</span></div></aside>',
    ],
)  # fmt: skip
def test_who_signs_a_teaser_has_not_written_the_article(teaser: str) -> None:
    body = f"{teaser}<main><h1>Crane falls on quay</h1>%s{STORY}</main>"
    assert read(HEADED, body % "").authors == ()
    assert read(HEADED, body % '<p class="info">By <a href="/bo">Bo Ray</a></p>').authors == ("Bo Ray",)


WORDS = st.sampled_from(
    ["Ann", "Lee", "de", "von", "By", "Von", ",", ", ", " and ", " & ", ";", ":", "(", "@ann", "MD", "Jr.", "Reporter", "in",
     "ann-lee", "x@y.example", "山田", "記者", "|", "-", "Text", "9", "."]
)  # fmt: skip
LINES = st.lists(WORDS | st.text(max_size=8), max_size=9).map(" ".join)


@given(LINES)
def test_a_name_that_was_read_is_read_again_as_it_is(line: str) -> None:
    names = people(line)
    assert [again for name in names for again in people(name)] == names


@pytest.mark.parametrize(
    "piece", ["By ", "a", "A b, ", "(", "@a", "x@y.z ", "9 von ", " in ", "Ann Lee and ", "| ", "de "]
)
def test_a_line_that_never_ends_is_soon_read(piece: str) -> None:
    assert ends(lambda: (people(piece * 100_000), byline(piece * 100_000)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-11T14:08:00+01:00", "2026-11-11T13:08:00Z"),
        ("2026-11-11T14:08:00.123Z", "2026-11-11T14:08:00Z"),
        ("2026-11-11 14:08:00 +0530", "2026-11-11T08:38:00Z"),
        ("Wed, 11 Nov 2026 14:08:00 GMT", "2026-11-11T14:08:00Z"),
        ("1794406080", "2026-11-11T14:08:00Z"),
        ("2026-11-11T14:08:00", "2026-11-11"),
        ("20261111", "2026-11-11"),
        ("9999-99-99", None),
        ("yesterday", None),
    ],
)
def test_a_moment_is_utc_where_the_offset_is_known_else_the_day(text: str, value: str | None) -> None:
    moment = parse_moment(text)
    assert (moment and moment.value) == value


def test_a_sources_zone_makes_an_instant_of_a_local_time() -> None:
    assert parse_moment("11. November 2026, 14:08 Uhr", Habits(timezone="Europe/Berlin")) == Moment(
        value="2026-11-11T13:08:00Z", raw="11. November 2026, 14:08 Uhr"
    )


@pytest.mark.parametrize(
    "line",
    [
        "11 November 2026",
        "November 11th, 2026",
        "Mittwoch, 11. November 2026",
        "11.November 2026",
        "11 de noviembre de 2026",
        "11 novembre 2026",
        "11 ноября 2026",
        "2026年11月11日",
        "11.11.2026",
        "2026. november 11.",
        "11 تشرين الثاني 2026",
        "11 Kasım 2026",
        "11 listopadu 2026",
    ],
)
def test_a_day_is_read_in_many_languages(line: str) -> None:
    assert day_in_words(line) == "2026-11-11"


def test_the_string_with_the_publishers_own_offset_is_kept() -> None:
    said = read(
        ld('{"@type":"NewsArticle","headline":"Crane falls","datePublished":"2026-11-11T13:08:00Z"}'),
        '<time datetime="2026-11-11T14:08:00+01:00">11 November</time>',
    )
    assert (said.published, said.published_source) == (
        Moment(value="2026-11-11T13:08:00Z", raw="2026-11-11T14:08:00+01:00"),
        "jsonld",
    )


def test_an_instant_elsewhere_completes_a_day_without_offset() -> None:
    said = read(
        ld('{"@type":"NewsArticle","headline":"Crane falls","datePublished":"2026-11-11T14:08:00"}')
        + '<meta property="article:published_time" content="2026-11-11T14:08:00+01:00">'
    )
    assert (said.published, said.published_source) == (
        Moment(value="2026-11-11T13:08:00Z", raw="2026-11-11T14:08:00+01:00"),
        "meta",
    )


def test_addresses_are_absolute_and_without_credentials() -> None:
    said = read(
        '<link rel=canonical href="/news/crane"><meta property="og:image" content="https://user:secret@cdn.example/crane.jpg">'
    )
    assert (said.canonical_url, said.image_url) == ("https://www.ledger.example/news/crane", None)


def test_the_section_is_what_the_site_calls_the_folder_of_the_page() -> None:
    assert read("", "<a href=/news/>News</a><a href=/news/harbour/>Harbour</a>").section == "Harbour"


@pytest.mark.parametrize("name", ["Main", "Home", "Startseite", "Главная", "トップ"])
def test_the_front_page_is_no_section(name: str) -> None:
    assert read("", f"<a href=/news/>{name}</a>").section is None
    assert read(ld(f'{{"@type":"NewsArticle","headline":"Crane falls","articleSection":"{name}"}}')).section is None


@pytest.mark.parametrize("line", ["About the Ledger", "The Weight of a Key", "About Us", "More Stories", "Zum Angebot"])
def test_a_link_is_no_author(line: str) -> None:
    assert read("", f'<a class="author" href=/x>{line}</a>').authors == ()


@pytest.mark.parametrize("line", ["Per Olsson", "Ludwig van der Berg", "Ana de la Cruz", "Leïla Le Goff", "An Nguyen"])
def test_particles_are_parts_of_names(line: str) -> None:
    assert read("", f'<a class="author" href=/x>{line}</a>').authors == (line,)


ADDRESS = "https://www.ledger.example/crane.jpg"


@pytest.mark.parametrize(
    ("field", "value", "heads"),
    [
        (
            "description",
            "A deck.",
            ['<meta name=description content="A deck.">', ld('{"@type":"NewsArticle","description":"<p>A deck.</p>"}')],
        ),
        (
            "keywords",
            ("crane", "wind"),
            [
                '<meta name=keywords content="crane, wind">',
                '<meta property="article:tag" content=crane><meta property="article:tag" content=wind>',
            ],
        ),
        (
            "image_url",
            ADDRESS,
            [
                '<meta name="twitter:image" content="/crane.jpg">',
                ld('{"@type":"NewsArticle","image":[{"@type":"ImageObject","url":"/crane.jpg"}]}'),
                ld(
                    '{"@graph":[{"@type":"NewsArticle","image":{"@id":"#i"}},{"@type":"ImageObject","@id":"#i","contentUrl":"/crane.jpg"}]}'
                ),
            ],
        ),
        (
            "section",
            "Harbour",
            ['<meta property="article:section" content=Harbour>', '<meta name="parsely-section" content=Harbour>'],
        ),
        (
            "is_accessible_for_free",
            False,
            [
                ld('{"@type":"NewsArticle","isAccessibleForFree":false}'),
                ld('{"@type":"WebPage","isAccessibleForFree":"False"}'),
                '<meta property="article:content_tier" content=locked>',
            ],
        ),
    ],
)
def test_a_field_has_fallbacks(field: str, value: object, heads: list[str]) -> None:
    assert [getattr(read(head), field) for head in heads] == [value] * len(heads)
    assert getattr(read(""), field) in (None, ())


def test_a_line_is_clean_of_entities_control_characters_and_white_space() -> None:
    assert clean("  A &amp;#8217;tale&amp;#8217;\n of\x00 e\u0301 ") == "A ’tale’ of é"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\u0645\u06cc\u200c\u0631\u0648\u062f", "\u0645\u06cc\u200c\u0631\u0648\u062f"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
        ("\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
        ("wa\u200cter\u200dmark", "watermark"),
        ("\u0645\u06cc\u200c \u0631\u202e\u0648", "\u0645\u06cc \u0631\u0648"),
    ],
    ids=[
        "Persian spells with it",
        "Hindi spells with it",
        "emoji",
        "a watermark in Latin letters",
        "at the end of a word",
    ],
)
def test_joiners_stay_where_a_script_spells_with_them(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "text",
    ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00", "Mon, 01 Jan 0001 00:00:00 GMT"],
)
def test_dates_at_the_edge_of_the_calendar_are_none(text: str) -> None:
    assert parse_moment(text, Habits(timezone="Asia/Tokyo")) is None


def test_a_byline_without_an_end_is_read_at_its_beginning() -> None:
    assert ends(lambda: people("By Ann Lee, " + "x" * 500_000))
    assert people("By Ann Lee, " + "x" * 5_000)[0] == "Ann Lee"


def test_a_title_of_a_hundred_thousand_separators_costs_no_time() -> None:
    assert ends(lambda: without_site("a | " * 250_000, ["b"], "The Paper", "https://www.x.example/"))


@pytest.mark.parametrize(
    ("head", "image"),
    [
        ('<meta property="og:image" content="/p/crane.jpg">', "https://www.ledger.example/p/crane.jpg"),
        ('<meta property="og:image" content="/p/кран.jpg">', "https://www.ledger.example/p/%D0%BA%D1%80%D0%B0%D0%BD.jpg"),
        (f'<meta property="og:image" content="{URL}"><link rel="image_src" href="/p/crane.jpg">', "https://www.ledger.example/p/crane.jpg"),
        ('<meta itemprop="image" content="/p/crane.jpg?w=1">', "https://www.ledger.example/p/crane.jpg?w=1"),
        ('<meta property="og:image" content="#">', None),
    ],
    ids=["stated", "letters", "the page itself", "microdata", "a fragment"],
)  # fmt: skip
def test_the_picture_is_one_and_its_address_can_be_asked(head: str, image: str | None) -> None:
    assert read(head).image_url == image
