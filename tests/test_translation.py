"""The reading room in its readers' languages: what is negotiated, what a page then says, and that every catalogue is whole."""

import asyncio
import gettext as catalogues
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel import Locale, localedata
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po
from datasette.app import Datasette
from hypothesis import given
from hypothesis import strategies as st
from lxml.html import HtmlElement, fromstring

from pipelines.publish import formatting, translation
from pipelines.publish.negotiation import locale_for
from pipelines.publish.serve import METADATA
from tests.conftest import ROOT, connect

TRANSLATED = ["ar", "de", "es", "fr"]

TEMPLATE = "messages.pot"
EXTRACT = ".venv/bin/pybabel extract -F pipelines/publish/translations/babel.cfg --add-location=file --sort-by-file -o messages.pot ."
UPDATE = ".venv/bin/pybabel update -N --ignore-obsolete --ignore-pot-creation-date -i messages.pot -l {0} -o pipelines/publish/translations/{0}.po"


# Catalogues


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """All messages, as the command of docs/extend.md collects them."""
    file = tmp_path_factory.mktemp("messages") / TEMPLATE
    words = EXTRACT.replace(TEMPLATE, str(file)).split()
    with pytest.MonkeyPatch.context() as here:
        here.chdir(ROOT)
        CommandLineInterface().run([words[0], "-q", *words[1:]])  # type: ignore[no-untyped-call]
    return read_po(file.open("rb"))


@cache
def catalogue(language: str) -> Catalog:
    return read_po((translation.FOLDER / f"{language}.po").open("rb"), locale=language)


Text = str | tuple[str, ...] | list[str] | None
Key = tuple[str | None, Text]


def messages(found: Catalog) -> dict[Key, Message]:
    return {(one.context, one.id): one for one in found if one.id}


def forms(text: Text) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def test_the_commands_are_those_of_the_documentation() -> None:
    told = (ROOT / "docs" / "extend.md").read_text("utf-8")
    assert f"\n{EXTRACT}\n" in told and f"\n{UPDATE.format('it')}\n" in told


def test_the_languages_are_those_that_are_promised() -> None:
    assert {"ar", "de", "en", "es", "fr"} <= {*translation.languages()}


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_holds_every_message_and_no_other(template: Catalog, language: str) -> None:
    wanted, there = messages(template), messages(catalogue(language))
    done = {key for key, one in there.items() if all(forms(one.string)) and not one.fuzzy}
    stale = {*there} - {*wanted} | {(one.context, one.id) for one in catalogue(language).obsolete.values()}
    missing = [f"  {key[1]!r}" for key in wanted if key not in done]
    spare = [f"  {key[1]!r}" for key in stale]
    told = [f"{language}.po", "has not yet:", *missing, "has and nobody says any more:", *spare, "To mend it:"]
    told += [EXTRACT, UPDATE.format(language), "and write what is missing where `msgstr` is empty (docs/extend.md)."]
    assert not missing and not spare, "\n".join(told)


KEPT = re.compile(r"%\(\w+\)s|<code>.*?</code>|</?\w[^>]*>|`[^`]*`|NNN|SITE")
"""What a translation has as it is, in whatever order."""


def numbers_of_forms(found: Catalog) -> list[set[int]]:
    """Which numbers up to 200 take each form."""
    form = catalogues.c2py(found.plural_expr)
    return [{n for n in range(201) if form(n) == at} for at in range(found.num_plurals)]


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_values_the_markup_and_the_commands_of_its_message(language: str) -> None:
    numbers = numbers_of_forms(catalogue(language))
    for one in messages(catalogue(language)).values():
        wanted = sorted(KEPT.findall(forms(one.id)[-1]))
        unsaid = {"%(shown)s"} | {*wanted} - {*KEPT.findall(forms(one.id)[0])}
        for at, said in enumerate(forms(one.string)):
            spoken = len(forms(one.string)) > 1 and len(numbers[at]) == 1  # `a word`, `two words`: no figure needed
            kept = sorted(KEPT.findall(said))
            assert kept == wanted or (spoken and kept == [each for each in wanted if each not in unsaid]), said
            assert said[:1].isspace() == forms(one.id)[0][:1].isspace() or said[:2] == "\u202f;", said
            assert said[-1:].isspace() == forms(one.id)[0][-1:].isspace(), said


def test_every_plural_form_of_arabic_is_reached() -> None:
    with translation.read_in(Locale("ar")):
        said = {
            translation.ngettext("%(shown)s report", "%(shown)s reports", n, shown=n) for n in (0, 1, 2, 5, 50, 500)
        }
    assert said == {"لا تقارير", "تقرير واحد", "تقريران", "5 تقارير", "50 تقريرًا", "500 تقرير"}


SLIPS = """
msgid ""
msgstr "Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "News"
msgstr "Notizie"

msgid "Sources"
msgstr ""

#, fuzzy
msgid "Tables"
msgstr "Tavoli"

msgid "under %(share)s"
msgstr "sotto %(quota)s"

msgid "over %(share)s"
msgstr "oltre il 5 % di %(share)s"

msgid "%(shown)s report"
msgid_plural "%(shown)s reports"
msgstr[0] "%(shown)s articolo"
msgstr[1] ""
"""


def test_what_a_translator_has_not_finished_or_has_mistyped_stays_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "it.po").write_text(SLIPS)
    monkeypatch.setattr(translation, "FOLDER", tmp_path)
    for known in (translation.languages, translation.language_of):
        known.cache_clear()
    with translation.read_in(Locale("it")):
        said = [translation.gettext(one) for one in ("News", "Sources", "Tables")]
        said += [translation.gettext(one, share=1) for one in ("under %(share)s", "over %(share)s")]
        said += [translation.ngettext("%(shown)s report", "%(shown)s reports", n, shown=n) for n in (1, 2)]
    for known in (translation.languages, translation.language_of):
        known.cache_clear()
    assert said == ["Notizie", "Sources", "Tables", "under 1", "over 1", "1 report", "2 reports"]


# Negotiation


@pytest.mark.parametrize(
    ("chosen", "accepted", "found"),
    [
        (None, "", "en_GB"),
        (None, "en", "en_GB"),
        (None, "en-US,en;q=0.9", "en_US"),
        (None, "de-AT", "de_AT"),
        (None, "nl, fr;q=0.5, de;q=0.8", "de"),
        (None, "de;q=0, fr;q=0.1", "fr"),
        (None, "ar-EG;q=1.0", "ar_EG"),
        (None, "es-419", "es_419"),
        (None, "*", "en_GB"),
        (None, "pl, cs;q=0.5", "en_GB"),
        (None, "de;q=high, de-XX;level=1, fr;q=2, es", "es"),
        ("de", "fr, de-CH;q=0.1", "de_CH"),
        ("en", "fr", "en_GB"),
        ("ar", "", "ar"),
    ],
)
def test_a_choice_comes_first_and_the_browser_says_the_region(chosen: str | None, accepted: str, found: str) -> None:
    assert str(locale_for(chosen, accepted)) == found


@given(st.text() | st.lists(st.sampled_from(["de", "-", ";", "q=", "0.5", ",", "*", "en-US", "\x00"])).map("".join))
def test_no_header_is_an_error(accepted: str) -> None:
    assert translation.language_of(locale_for(None, accepted)) in translation.languages()


def test_every_locale_that_is_known_can_be_asked_for_and_dates_and_numbers_said_in_it() -> None:
    found = {locale_for(None, name.replace("_", "-")) for name in localedata.locale_identifiers()}
    assert len(found) > 150
    for locale in found:
        with translation.read_in(locale):
            assert "2026" in formatting.day("2026-11-21T08:15:00Z")
            assert formatting.short_day("2026-11-21") and formatting.number(1234567) and formatting.percent(0.001)


def test_a_catalogue_of_a_region_or_a_script_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translation, "languages", lambda: ["en", "pt_BR", "zh", "zh_Hant"])
    translation.language_of.cache_clear()
    found = [translation.language_of(Locale.parse(name)) for name in ("pt_BR", "pt_PT", "zh_TW", "zh_CN", "de")]
    translation.language_of.cache_clear()
    assert found == ["pt_BR", None, "zh_Hant", "zh", None]


# Pages


@pytest.fixture(scope="module")
def get(demo: Path) -> Iterator[Callable[..., Any]]:
    """Fetch a path from the demo's archive, with a language that a browser accepts."""
    datasette = Datasette([str(demo)], metadata=json.loads(METADATA.read_text("utf-8")))
    with asyncio.Runner() as runner:
        runner.run(datasette.invoke_startup())
        yield lambda path, accepted="", **more: runner.run(
            datasette.client.get(path, headers={"accept-language": accepted, **more})
        )


@pytest.fixture(scope="module")
def paths(demo: Path) -> list[str]:
    """A page of each kind: an article with a copy, one that was corrected, a story of two reports."""
    base = connect(demo)
    asked = {
        "article": ("select article_id from copies limit 1", "select article_id from changed limit 1"),
        "story": ("select id from stories where article_count > 1",),
        "source": ("select id from sources where name = 'The Calderwick Ledger'",),
    }
    found = [f"/{kind}/{base.execute(sql).fetchone()[0]}" for kind, queries in asked.items() for sql in queries]
    base.close()
    return [
        "/",
        "/?category=Local",
        *found,
        "/sources",
        "/sources?sort=-week&health=ok",
        "/sources?health=well",
        "/search?q=crane&since=2026",
        "/search",
        "/tables",
        "/corrections",
        "/article/9999",
        "/news",
        "/news/articles?_sort_desc=id&language=en",
        "/news/articles/1",
        "/news/latest?_size=2",
        "/news/search?q=crane",
        "/news?sql=select+1",
        "/news?sql=select+1+where+0",
        "/news/nothing",
    ]


def our_words(page: HtmlElement) -> Iterator[str]:
    """What a page says itself: texts, and attributes that are read out, outside what is of another language or a stranger's."""
    language = page.get("lang")
    named = page.cssselect("body[class*=db-]") and page.cssselect("title")  # by the metadata, which is English
    for element in page.iter():
        theirs = [one for one in (element, *element.iterancestors()) if one.get("lang") not in (None, language)]
        if (
            not isinstance(element.tag, str)
            or theirs
            or element in named
            or element.tag in ("bdi", "code", "pre", "style", "option", "ins", "del")
        ):
            continue
        texts = [element.text, *(child.tail for child in element)]
        said = [element.get(name) for name in ("aria-label", "title", "placeholder", "data-label")]
        yield from (" ".join(text.split()) for text in (*texts, *said) if text and text.strip())


def pieces(text: str) -> set[str]:
    """What of a text stands between values, numbers and markup, of two letters or more."""
    parts = re.split(r"%\(\w+\)s|</?\w[^>]*>|\d[\d.,\u202f]*", text)
    return {piece for part in parts if re.search(r"\w\w", piece := re.sub(r"^\W+|\W+$", "", part))}


def english(language: str) -> set[str]:
    """Pieces of messages that are said otherwise in a language."""
    found = messages(catalogue(language)).values()
    said, translated = (
        {piece for one in found for form in forms(getattr(one, name)) for piece in pieces(form)}
        for name in ("id", "string")
    )
    return said - translated


NUMBERS = {"en": "1,000", "de": "1.000", "es": "1.000", "fr": "1\u202f000", "ar": "1,000"}
DAYS = {
    "en": "13 November 2026",
    "de": "13. November 2026",
    "es": "13 de noviembre de 2026",
    "fr": "13 novembre 2026",
    "ar": "13 نوفمبر 2026",
}


@pytest.mark.parametrize("language", translation.languages())
def test_every_page_is_in_its_reader_s_language(get: Callable[..., Any], paths: list[str], language: str) -> None:
    others = english(language) if language != "en" else set()
    for path in paths:
        answer = get(path, language)
        page = fromstring(answer.text)
        assert (page.get("lang"), page.get("dir")) == (language, "rtl" if language == "ar" else "ltr")
        assert answer.headers["content-language"] == language
        assert "Accept-Language" in answer.headers["vary"]
        assert [said for said in our_words(page) if pieces(said) & others] == [], path
        assert "%(" not in answer.text
    front = get("/", language).text
    assert NUMBERS[language] in front and DAYS[language] in front


def test_the_region_of_a_browser_says_how_a_date_is_written(get: Callable[..., Any]) -> None:
    assert "November 13, 2026" in get("/", "en-US").text


def test_an_article_keeps_its_own_language_and_direction_on_a_page_of_another(get: Callable[..., Any]) -> None:
    (arabic, *_) = fromstring(get("/?language=ar", "de").text).cssselect(".entry")
    assert (arabic.get("dir"), arabic.cssselect("h3")[0].get("lang")) == ("rtl", "ar")
    path = arabic.cssselect("h3 a")[0].get("href")
    shown = fromstring(get(path, "de").text)
    (facts,) = shown.cssselect("article .facts")
    assert (shown.cssselect("article")[0].get("lang"), facts.get("lang"), facts.get("dir")) == ("ar", "de", "ltr")


def test_a_language_that_is_chosen_is_kept(get: Callable[..., Any]) -> None:
    answer = get("/?lang=FR&language=en", "de")
    page = fromstring(answer.text)
    kept, *attributes = answer.headers.get_list("set-cookie")[-1].split("; ")
    assert (page.get("lang"), kept) == ("fr", "broadsheet_lang=fr")
    assert attributes == ["Max-Age=31536000", "Path=/", "SameSite=Lax", "HttpOnly"]
    assert answer.headers["cache-control"] == "private, no-store"
    assert fromstring(get("/sources", "de", cookie=f'odd="{{; x=,; {kept}').text).get("lang") == "fr"
    assert fromstring(get("/sources?lang=es", "de", cookie=kept).text).get("lang") == "es"
    for unknown in ("tlh", "", "../de"):
        answer = get(f"/?lang={unknown}", "de")
        assert fromstring(answer.text).get("lang") == "de" and "broadsheet_lang" not in answer.headers["set-cookie"]


def test_the_switch_keeps_what_was_asked_and_other_links_do_not_have_the_language(get: Callable[..., Any]) -> None:
    page = fromstring(get("/search?q=crane&lang=de&order=best").text)
    switch = {link.get("hreflang"): link for link in page.cssselect(".languages a")}
    assert switch["fr"].get("href") == "?q=crane&order=best&lang=fr"
    assert [link.text for link in switch.values()] == ["العربية", "Deutsch", "English", "Español", "Français"]
    assert [name for name, link in switch.items() if link.get("aria-current")] == ["de"]
    others = [link.get("href") for link in page.cssselect("a[href], link[href]") if link not in switch.values()]
    assert others and [href for href in others if "lang=" in href] == []


def test_what_programs_read_is_english_unless_its_address_says_otherwise(get: Callable[..., Any]) -> None:
    hit = "/search.atom?q=Selkie+runs+out+of+money"
    cookie = {"cookie": "broadsheet_lang=de"}
    assert "In the copy of Northvale Daily: " in get(hit, "de", **cookie).text
    assert "In der Kopie von Northvale Daily: " in get(f"{hit}&lang=de").text
    answer = get("/article/9999.json", "de", **cookie)
    assert answer.json()["error"] == "The article 9999 was never here."
    assert "content-language" not in answer.headers


def test_datasette_s_own_pages_are_in_the_reader_s_language_and_say_where_they_are_english(
    get: Callable[..., Any],
) -> None:
    answer = get("/news/copies?kind=text&lang=de&_size=1", "fr")
    page = fromstring(answer.text)
    assert (page.get("lang"), answer.headers["content-language"]) == ("de", "de")
    assert answer.headers["set-cookie"].startswith("broadsheet_lang=de; ")
    (where,) = page.cssselect("main .meta span")
    assert (where.text, where.get("lang"), where.get("dir")) == (
        'where kind = "text" sorted by copy_date descending',
        "en",
        "ltr",
    )
    (switch,) = page.cssselect(".languages a[hreflang=ar]")
    assert switch.get("href") == "?kind=text&_size=1&lang=ar"
    assert [link.get("href") for link in page.cssselect("main a") if "lang=de" in link.get("href")] == []


def test_a_reader_s_own_sql_may_have_a_value_of_that_name(get: Callable[..., Any]) -> None:
    page = fromstring(get("/news?sql=select+:lang+as+said&lang=de", "fr").text)
    assert (page.get("lang"), page.cssselect("tbody td div")[0].text) == ("fr", "de")
    assert page.cssselect(".languages") == []


def test_other_programs_tables_may_have_a_column_of_that_name(demo: Path, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as base:
        base.executescript("create table texts (lang, text); insert into texts values ('de', 'Moin'), ('fr', 'Salut')")
    base.close()
    shown = Datasette([str(demo), str(tmp_path / "other.db")])
    with asyncio.Runner() as runner:
        runner.run(shown.client.get("/"))
        page = fromstring(runner.run(shown.client.get("/other/texts?lang=de")).text)
    assert [cell.text_content() for cell in page.cssselect("tbody td.col-text")] == ["Moin"]
    assert (page.get("lang"), page.cssselect(".languages")) == ("en", [])


def test_under_a_base_url_the_choice_is_of_that_path_alone(demo: Path) -> None:
    shown = Datasette([str(demo)], settings={"base_url": "/papers/"})
    with asyncio.Runner() as runner:
        runner.run(shown.client.get("/"))  # `serve` reads from all databases before it answers
        answer = runner.run(shown.client.get("/nowhere?lang=ar", headers={"accept-language": "de"}))
    assert (answer.status_code, fromstring(answer.text).get("dir")) == (404, "rtl")
    assert "Path=/papers/;" in answer.headers["set-cookie"]
