"""The pages in a real browser: Debian's Chromium, driven by Playwright, against `broadsheet serve` on the demo archive."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import connect
from tests.support.reading import reading_room

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `apt-get install chromium` brings one")


COPIED = "select article_id from copies order by similarity limit 1"


@pytest.fixture(scope="module")
def address(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the demo archive is shown; a source and a section of it have names as long as a page may give them, and the
    article that has a copy was corrected, and has originals."""
    db = tmp_path_factory.mktemp("shown") / "news.db"
    shutil.copy(demo, db)
    base = connect(db)
    base.execute("update sources set name = ? where name = 'Corvane'", ("Corvane" * 28,))
    base.execute("update articles set section = ? where section = 'Business'", ("Business" * 25,))
    (article,) = base.execute(COPIED).fetchone()
    for version, text in enumerate(("The quay is wet.\nAll of it.", "The quay is dry.\nAll of it."), 1):
        base.execute(
            """insert into versions (article_id, page_id, version, fetched_at, title, content_hash, words_added, words_removed, text)
            select article_id, id, ?, '2026-11-20T08:00:00Z', 'The quay', ?, 1, 1, ? from pages where article_id = ? and state = 'article'""",
            (version, text, text, article),
        )
        base.execute(
            """insert into captures (page_id, fetched_at, status, reason, file, offset, length, digest)
            select id, '2026-11-20T08:00:00Z', 200, ?, 'x.warc.gz', 0, 1, '' from pages where article_id = ? and state = 'article'""",
            ((None, "too_short")[version - 1], article),
        )
    base.commit()
    base.close()
    with reading_room(db) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


Tab = tuple[Page, list[str]]


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Tab:
    """The page of all tests, since a new one takes a process of its own, and what the browser has complained of."""
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    return page, complaints


@pytest.fixture
def page(tab: Tab) -> Iterator[Page]:
    """A page that fails its test when the browser complains: a script that breaks, or something the policy forbids; or when
    a script of an article has opened a dialogue."""
    page, complaints = tab
    page.set_viewport_size({"width": 1024, "height": 800})
    page.emulate_media(color_scheme="light")
    complaints.clear()
    yield page
    assert complaints == []


ROOM = ("/", "/article", "/story", "/sources", "/source", "/search?q=crane", "/tables", "/corrections")


@pytest.fixture(scope="module")
def room(address: str, demo: Path) -> dict[str, str]:
    """The addresses of ROOM: the article has a copy and was corrected, the story has two reports."""
    base = connect(demo)
    numbers = {
        "/article": COPIED,
        "/story": "select id from stories where article_count > 1",
        "/source": "select id from sources where name = 'The Calderwick Ledger'",
    }
    found = {path: f"{path}/{base.execute(sql).fetchone()[0]}" for path, sql in numbers.items()}
    base.close()
    return {path: address + found.get(path, path) for path in ROOM}


@pytest.mark.parametrize("path", ROOM)
def test_a_page_of_the_room_fits_a_phone_and_a_wide_screen(page: Page, room: dict[str, str], path: str) -> None:
    page.goto(room[path])
    for width in (360, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


@pytest.mark.parametrize("path", ["/?language=en", "/search?q=crane&language=en"])
def test_open_filters_fit_a_phone_however_long_a_name_is(page: Page, address: str, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(address + path)
    assert page.locator("details.filters select").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


COLORS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
"""The rules that the dark may break where the light did not."""


@pytest.mark.parametrize("path", ROOM)
def test_a_page_of_the_room_is_accessible_by_light_and_in_the_dark(page: Page, room: dict[str, str], path: str) -> None:
    page.goto(room[path])
    assert violations(page) == []


def violations(page: Page) -> list[tuple[str, str]]:
    """What axe finds, by light and in the dark: the rule, and where it is first broken."""
    by_light = Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark")
    there = ""  # the script, since the first time
    in_the_dark = Axe(there).run(page, options=COLORS).response["violations"]
    return [
        (one["id"], one["nodes"][0]["html"])
        for one in (*by_light, *in_the_dark)
        if one["impact"] in ("serious", "critical", "moderate")
    ]


TABLES = (
    "/news",
    "/news/articles?_size=2&_facet=language",
    "/news/pages?_size=2",
    "/news/versions?_size=2",
    "/news/latest?_size=2",
    "/news/articles/1",
    "/news/search?q=harbour",
    "/news/search?q=zzzz&_show_sql=1",
    "/news?sql=select+*+from+articles+limit+2",
    "/news?sql=select+nope",
)
"""Datasette's own pages, with few rows: axe takes a second for 1,500 cells."""


@pytest.mark.parametrize("path", TABLES)
def test_a_page_of_datasettes_is_accessible_by_light_and_in_the_dark_which_is_dark(
    page: Page, tab: Tab, address: str, path: str
) -> None:
    page.goto(address + path)
    if "nope" in path:
        assert "status of 400" in tab[1].pop()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert violations(page) == []
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 22, 21)"


LONG = "/news?sql=select+*,+text+as+again+from+articles+limit+50"


@pytest.mark.parametrize(
    "path", ["/news/articles", "/news/pages", "/news/latest", "/news/documents", "/news/search?q=harbour", LONG]
)
def test_rows_begin_in_the_first_window_and_a_table_fits_a_phone(page: Page, address: str, path: str) -> None:
    page.goto(address + path)
    rows, size = page.locator(".rows-and-columns tbody tr"), page.evaluate("[innerWidth, document.body.scrollWidth]")
    assert (boxes := [box for row in rows.all() if (box := row.bounding_box())])[0]["y"] < 450
    assert max(box["height"] for box in boxes) < 90  # three lines
    assert size == [1024, 1024]
    page.set_viewport_size({"width": 360, "height": 800})
    assert (box := rows.first.bounding_box()) and box["y"] < 700
    width, height = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert (width, height < 12_000) == (360, True)
    labels = page.evaluate(
        """[...document.querySelectorAll("tbody td")].filter((cell) => cell.offsetParent)
        .filter((cell) => getComputedStyle(cell, "::before").content.trim() != `"${cell.dataset.label} "`).length"""
    )
    assert labels == 0


def test_a_phone_shows_the_first_columns_of_a_row_and_all_when_asked(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{address}/news/articles?_size=1")
    shown = page.locator("tbody td:visible")
    assert shown.count() == 9
    page.get_by_label("all columns").check()
    assert shown.last.get_attribute("data-label") == "text_source"
    assert shown.count() == page.locator("tbody td:not(.empty)").count()


def test_the_menu_of_a_column_opens_by_keyboard_and_counts_what_is_in_it(page: Page, address: str) -> None:
    page.goto(f"{address}/news/articles?_size=5")
    page.get_by_role("button", name="Menu of this column: title").focus()
    page.keyboard.press("Enter")
    assert page.locator(":focus").inner_text() == "Sort ascending"
    page.keyboard.press("Escape")
    assert page.locator(":focus").get_attribute("aria-label") == "Menu of this column: title"
    page.keyboard.press("Enter")
    page.get_by_text("Facet by this").click()
    page.wait_for_url("**_facet=title")
    assert page.locator("#facet-title a").first.is_visible()


def test_what_an_address_names_is_unfolded(page: Page, address: str) -> None:
    page.goto(f"{address}/news/articles?_size=5#_search")
    assert page.locator("#_search").is_visible()
    page.get_by_role("link", name="Meaning of the columns").click()
    assert page.locator("#columns").is_visible()


def test_sql_is_typed_into_an_editor_and_run_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}/news?sql=select+1")
    page.get_by_role("textbox", name="SQL").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("select 6 * 7 as answer")
    page.keyboard.press("Shift+Enter")
    page.wait_for_url("**answer")
    assert page.locator("td.col-answer").inner_text() == "42"


def test_the_dark_is_dark(page: Page, room: dict[str, str]) -> None:
    shades = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(room["/"])
        shades.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert shades == ["rgb(253, 253, 251)", "rgb(22, 22, 21)"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_hint_in_the_search_box_is_as_easy_to_read_as_a_date(
    page: Page, room: dict[str, str], scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(room["/"])
    hint = page.evaluate("getComputedStyle(document.querySelector('input'), '::placeholder').color")
    assert hint == page.evaluate("getComputedStyle(document.querySelector('.meta')).color")


def test_from_the_search_box_to_the_article_by_keyboard_alone(page: Page, room: dict[str, str]) -> None:
    page.goto(room["/"])
    for _ in range(7):  # past the link to the content, the name, four pages
        page.keyboard.press("Tab")
    page.keyboard.type("crane")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=crane")
    assert page.locator("mark").first.inner_text().lower() == "crane"
    page.locator(".entry h2 a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/article/*")
    assert "crane" in page.locator("article h1").inner_text().lower()


def test_a_correction_is_seen(page: Page, room: dict[str, str]) -> None:
    page.goto(room["/article"])
    gone, come = page.locator("aside del"), page.locator("aside ins")
    assert (gone.inner_text(), come.inner_text()) == ("wet.", "dry.")
    assert "line-through" in gone.evaluate("one => getComputedStyle(one).textDecoration")
    assert gone.evaluate("one => getComputedStyle(one).backgroundColor") != come.evaluate(
        "one => getComputedStyle(one).backgroundColor"
    )


def test_reading_filtering_and_searching_need_no_javascript(browser: Browser, room: dict[str, str]) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(room["/"])
    page.locator(".filters summary").click()
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**language=de**")
    assert page.locator(".entry h3[lang=de]").count() == page.locator(".entry h3").count() > 0
    page.get_by_label("Words to search for").fill("die")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/search?q=die")
    assert page.locator("mark").count() > 0
    page.close()


def test_tables_are_filtered_sorted_and_asked_without_javascript(browser: Browser, address: str) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{address}/news/articles")
    page.get_by_text("Filter and sort").click()
    page.get_by_label("Column", exact=True).select_option("language")
    page.get_by_label("Value").fill("de")
    page.get_by_label("Sort by").select_option("title")
    page.get_by_label("descending").uncheck()
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**language__exact=de**")
    titles = page.locator("td.col-title").all_inner_texts()
    assert titles == sorted(titles) != []
    page.get_by_role("link", name="Edit SQL").click()
    page.get_by_role("button", name="Run SQL").click()
    assert page.locator("td.col-title").all_inner_texts() == titles
    page.close()


def test_a_chart_is_drawn(page: Page, room: dict[str, str]) -> None:
    page.goto(room["/source"])
    bars = page.locator("figure svg").first.locator("rect.reactive")
    assert max(box["height"] for bar in bars.all() if (box := bar.bounding_box())) > 10


def test_the_labels_of_a_chart_are_whole_and_legible_on_a_phone(page: Page, room: dict[str, str]) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(room["/source"])
    drawings = page.locator("figure svg").all()
    for drawing in drawings:
        frame = drawing.bounding_box()
        labels = [box for text in drawing.locator(".axis text").all() if (box := text.bounding_box()) and box["width"]]
        assert frame and len(labels) > 8
        assert min(box["height"] for box in labels) > 10
        assert min(box["x"] for box in labels) >= frame["x"] >= 0
        assert max(box["x"] + box["width"] for box in labels) <= frame["x"] + frame["width"] <= 360
    assert len(drawings) == 2


def test_an_article_whose_title_is_markup_runs_nothing(page: Page, address: str, demo: Path) -> None:
    base = connect(demo)
    title = 'Why <script>alert("tea")</script> is a bad name for a boat'
    (number,) = base.execute("select id from articles where title = ?", (title,)).fetchone()
    base.close()
    page.goto(f"{address}/article/{number}")
    assert page.locator("h1").inner_text() == title
