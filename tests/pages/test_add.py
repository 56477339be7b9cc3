"""`python -m tests.pages add`, and what a page.toml may not say."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.pages.__main__ import cli
from tests.pages.saved import PAGES, difference, folders, keys, outcome, read_saved
from tests.support.expectations import Mistake

PAGE = PAGES / "canonical-and-two-dates" / "page.html"
URL = "https://www.hollin-echo.example/works/furnace"


def add(pages: Path, *arguments: object) -> Result:
    return CliRunner().invoke(cli, ["add", *map(str, arguments)], obj=pages)


def test_there_are_saved_pages() -> None:
    assert len(list(folders())) > 25


def test_what_is_added_expects_what_is_extracted_today(tmp_path: Path) -> None:
    done = add(tmp_path, PAGE)
    assert (done.exit_code, "pytest tests/pages -k furnace" in done.stdout) == (0, True)
    (folder,) = folders(tmp_path)
    saved, article = read_saved(folder), outcome(folder)
    assert (folder.name, saved.page.url, saved.page.body) == ("furnace", URL, PAGE.read_bytes())
    assert {"lines", "date_modified", "description"} < set(saved.expected)
    assert not isinstance(article, str)
    for key, wanted in saved.expected.items():
        has, should = difference(article, key, wanted)
        assert has == should


def test_a_page_that_is_refused_expects_its_reason(tmp_path: Path) -> None:
    add(tmp_path, PAGES / "refused-consent-wall" / "page.html", "--url", URL, "--slug", "wall")
    assert read_saved(tmp_path / "wall").expected == {"refused": "consent"}


def test_a_text_copy_stays_one_and_a_real_page_is_private(tmp_path: Path) -> None:
    done = add(tmp_path, PAGES / "text-copy-with-head-and-tail" / "page.txt", "--url", URL, "--private")
    assert (done.exit_code, list(folders(tmp_path))) == (0, [tmp_path / "private" / "furnace"])
    assert (tmp_path / "private/furnace/page.txt").exists()
    assert "--private" not in done.stderr


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    add(tmp_path, PAGE)
    (tmp_path / "furnace/page.toml").write_text("corrected")
    done = add(tmp_path, PAGE)
    assert (done.exit_code, "give this page its own name with --slug" in done.stderr) == (2, True)
    assert (tmp_path / "furnace/page.toml").read_text() == "corrected"


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("absent.html", [], "cannot be read: No such file or directory"),
        ("folder", [], "cannot be read: Is a directory"),
        ("page.pdf", [], "application/pdf is no page; expected a file that ends in .html or .txt"),
        ("page.html", [], "names no address of its own; add --url https://…"),
        ("page.html", ["--url", "hollin"], "hollin: no address of a page"),
        ("page.html", ["--url", URL, "--slug", "The Furnace"], "did you mean 'the-furnace'?"),
        ("page.html", ["--url", URL, "--slug", "../furnace"], "did you mean 'furnace'?"),
        ("page.html", ["--url", URL, "--slug", "private"], "expected small letters, digits and hyphens"),
    ],
)
def test_what_cannot_be_added_is_said_in_a_line(tmp_path: Path, name: str, options: list[str], said: str) -> None:
    (tmp_path / "folder").mkdir()
    for file in ("page.pdf", "page.html"):
        (tmp_path / file).write_bytes(b"<p>A page without an address.</p>")
    done = add(tmp_path / "pages", tmp_path / name, *options)
    assert (done.exit_code, said in done.stderr) == (2, True), done.output
    assert not (tmp_path / "pages").exists()


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://x.example/2026/11/North-Quay_crane.html", "north-quay-crane"),
        ("https://x.example/caf%C3%A9/58213", "cafe"),
        ("https://www.x.example/", "www-x-example"),
        ("https://192.0.2.1/", "page"),
    ],
)
def test_a_folder_is_called_as_the_end_of_the_address(tmp_path: Path, url: str, slug: str) -> None:
    add(tmp_path, PAGE, "--url", url)
    assert [folder.name for folder in folders(tmp_path)] == [slug]


EXPECTED = '\n[expected]\ntitle = "A"'


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('adress = "a"', "page.toml: unknown key 'adress'; known are"),
        ('uri = "a"', "page.toml: unknown key 'uri'; did you mean 'url'?"),
        ("url = 7" + EXPECTED, "page.toml: url: expected a string in quotes, not 7"),
        (EXPECTED, 'page.toml: needs url = "https://…"'),
        (f'url = "{URL}"\nvia = "fed"{EXPECTED}', "page.toml: via: unknown way 'fed'; did you mean 'feed'?"),
        (f'url = "{URL}"\nfetched_at = 2026-11-21T00:00:00{EXPECTED}', "fetched_at: expected an offset"),
        (
            f'url = "{URL}"\n[source]\ntime_zone = "Europe/London"{EXPECTED}',
            "unknown key 'time_zone'; did you mean 'timezone'?",
        ),
        (f'url = "{URL}"\n[source]\nbody = "(("{EXPECTED}', "[source]"),
        (f'url = "{URL}"\n[hints]\nauthor = ["A"]{EXPECTED}', "[hints]: unknown key 'author'; did you mean 'authors'?"),
        (f'url = "{URL}"\nexpected = "A"', "page.toml: expected must be a table: write [expected]"),
        (f'url = "{URL}"', "[expected]: expects nothing; give a field, lines, with, without or refused"),
        (f'url = "{URL}"\n[expected]\nautors = ["A"]', "[expected]: unknown key 'autors'; did you mean 'authors'?"),
        (f'url = "{URL}"\n[expected]\nauthors = "A"', "[expected]: authors: expected a list of strings, not 'A'"),
        (f'url = "{URL}"\n[expected]\nwith = []', "[expected]: with is empty, which expects nothing"),
        (f'url = "{URL}"\n[expected]\nabsent = ["titel"]', "absent: unknown key 'titel'; did you mean 'title'?"),
        (f'url = "{URL}"{EXPECTED}\nabsent = ["title"]', "[expected]: title is given and absent"),
        (f'url = "{URL}"{EXPECTED}\nrefused = "index"', "a page that is refused has no fields"),
        ("url = ", "page.toml: not valid TOML"),
        (None, "page.toml: no such file; `python -m tests.pages add` writes one"),
    ],
)
def test_a_page_toml_that_would_not_be_compared_is_an_error(tmp_path: Path, toml: str | None, said: str) -> None:
    (tmp_path / "page.html").write_bytes(b"<p>A page.</p>")
    if toml is not None:
        (tmp_path / "page.toml").write_text(toml, "utf-8")
    with pytest.raises(Mistake) as mistake:
        read_saved(tmp_path)
    assert said in str(mistake.value)
    assert keys(tmp_path) == ["page.toml"]


def test_a_folder_holds_one_page(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match=r"expected one of page\.html and page\.txt, found none"):
        read_saved(tmp_path)
