"""`python -m tests.pages add FILE`: begin a saved page from what is extracted from it today."""

import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click
import tomlkit
from tomlkit.items import Table

from crawler.items import Article, Page
from crawler.parsers.saved_files import read_file
from crawler.urls import UnusableURL, canonical_url
from tests.pages.saved import FILES, PAGES, PRIVATE, outcome_of
from tests.support.expectations import FIELDS, told


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def cli() -> None:
    """Saved pages as tests: tests/pages/SLUG/page.html (or page.txt), and page.toml, which says what must come of it."""


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--url", help="The page's address; needed where the page does not name it itself (rel=canonical, og:url)."
)
@click.option("--slug", help="The folder's name: small letters, digits, hyphens. The address's last part unless given.")
@click.option("--private", is_flag=True, help=f"Write below {PRIVATE}/, which git ignores: for real pages.")
@click.pass_context
def add(context: click.Context, file: Path, url: str | None, slug: str | None, private: bool) -> None:
    """Copy FILE (.html or .txt) into a folder of its own, with a page.toml that says what is extracted from it today.

    That is what is, not what is right: correct page.toml, leave in it what the page is there to show, delete the rest.
    Nothing that exists is overwritten.

    \b
    A wrong byline on a page that a browser saved:
      python -m tests.pages add --private --url https://paper.example/crane ~/saved.html
      edit tests/pages/private/crane/page.toml        authors = ["Ann Lee"]
      pytest tests/pages -k crane-authors             fails until the rule is mended

    What is committed is the smallest page that shows the thing, in our own words; private/ is for everything else.
    """
    page = _read(file)
    address = _address(url, page, file)
    folder = (context.obj or PAGES) / (PRIVATE if private else "") / (_checked(slug) if slug else _slug(address))
    _write(folder, page, _toml(replace(page, url=address, final_url=address)))
    click.echo(f"{folder}: written from today's result. Correct page.toml, then: pytest tests/pages -k {folder.name}")
    if not private:
        click.echo("Is it a real page? Add it with --private: what is committed is in our own words.", err=True)


def _read(file: Path) -> Page:
    """A file as a page without an address."""
    try:
        page = read_file(file, file)
    except OSError as error:
        raise click.UsageError(f"{file}: cannot be read: {error.strerror}") from None
    if page.refusal:
        raise click.UsageError(f"{file}: larger than any page that is extracted")
    if page.content_type not in FILES.values():
        raise click.UsageError(f"{file}: {page.content_type} is no page; expected a file that ends in .html or .txt")
    return page


def _address(given: str | None, page: Page, file: Path) -> str:
    """The address that is given, else the one that the page claims."""
    outcome = None if given else outcome_of(page)
    claimed = given or (outcome.canonical_url if isinstance(outcome, Article) else None)
    if claimed is None:
        raise click.UsageError(f"{file}: names no address of its own; add --url https://…")
    try:
        return canonical_url(claimed)
    except UnusableURL as error:
        raise click.UsageError(f"{claimed}: no address of a page: {error}; add --url https://…") from None


def _slug(address: str) -> str:
    """The last part of an address that has letters: `north-quay-crane` of /2026/11/north-quay-crane.html."""
    parts = urlsplit(address)
    names = [parts.hostname or "", *map(unquote, parts.path.split("/"))]
    slugs = (_plain(re.sub(r"\.\w{1,5}$", "", name)) for name in reversed(names))
    return next((slug for slug in slugs if re.search("[a-z]", slug)), "page")


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters)[:MAX_SLUG].strip("-")


MAX_SLUG = 60
"""Characters of a folder's name, which stands in the name of every test of it."""


def _checked(slug: str) -> str:
    if slug != _plain(slug) or slug in ("", PRIVATE):
        meant = _plain(slug)
        hint = f"; did you mean {meant!r}?" if meant not in ("", PRIVATE) else ""
        raise click.UsageError(f"--slug {slug!r}: expected small letters, digits and hyphens, at most {MAX_SLUG}{hint}")
    return slug


def _write(folder: Path, page: Page, toml: str) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise click.UsageError(f"{folder} is there already; give this page its own name with --slug") from None
    name = next(name for name, kind in FILES.items() if kind == page.content_type)
    (folder / name).write_bytes(page.body)
    (folder / "page.toml").write_text(toml, "utf-8")


def _toml(page: Page) -> str:
    """page.toml of today's result: every field that the page states, and its lines; or why it is refused."""
    document = tomlkit.document()
    document.add(tomlkit.comment("What this page shows: …"))
    document.add(
        tomlkit.comment("Written from what is extracted today: correct what is wrong, delete what is beside the point.")
    )
    document["url"] = page.url
    document["fetched_at"] = page.fetched_at
    document["expected"] = _expected(outcome_of(page))
    return tomlkit.dumps(document)


def _expected(outcome: Article | str) -> Table:
    table = tomlkit.table()
    if isinstance(outcome, str):
        table["refused"] = outcome
        return table
    stated = {field: value for field in FIELDS if (value := told(outcome, field)) not in (None, [], {})}
    for field, value in stated.items():
        table[field] = _inline(value) if isinstance(value, dict) else value
    table["absent"] = [field for field in FIELDS if field not in stated]
    table["lines"] = tomlkit.array().multiline(True)
    table["lines"].extend(outcome.text.split("\n\n"))
    return table


def _inline(value: dict[str, str]) -> Any:
    table = tomlkit.inline_table()
    table.update(value)
    return table


if __name__ == "__main__":
    cli(prog_name="python -m tests.pages")
