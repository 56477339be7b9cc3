"""SLUG/page.toml -> a Page and what is expected of it. Strict: what would be compared by nobody is an error."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from crawler.items import Article, Hints, Page, Source
from crawler.sources.toml_file import SourcesError, source_of
from crawler.urls import UnusableURL, canonical_url, origin_of
from pipelines.extract import Refusal, extract
from tests.support.expectations import (
    FIELDS,
    Mistake,
    held_by,
    missing_from,
    nearest,
    only_known,
    only_right_types,
    told,
)

PAGES = Path(__file__).parent
PRIVATE = "private"
FILES = {"page.html": "text/html", "page.txt": "text/plain"}
"""What a page is saved as, and the header it has unless page.toml says otherwise."""

KEYS: Mapping[str, Any] = {"url": str, "content_type": str, "via": str, "fetched_at": datetime}
TABLES = ("source", "hints", "expected")
VIAS = ("feed", "news_sitemap", "sitemap", "homepage", "listed", "file", "warc")
HINTS = {field.name: field.type for field in fields(Hints)}
FETCHED_AT = datetime(2026, 11, 21, tzinfo=UTC)
"""When a page was fetched that does not say it: not the clock's time, by which a date could become the future's."""

TEXT = {"lines": tuple[str, ...], "with": tuple[str, ...], "without": tuple[str, ...]}
EXPECTATIONS: Mapping[str, Any] = dict(FIELDS) | TEXT | {"absent": tuple[str, ...], "refused": str}
NOTHING: Mapping[Any, Any] = {tuple[str, ...]: [], tuple[tuple[str, str], ...]: {}}
"""How a field of this type says that the page did not; the others are None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPage:
    """A page and what is expected of it."""

    page: Page
    expected: Mapping[str, Any]  #: by field, `lines`, `with`, `without` or `refused`; an absent field is None or empty


def folders(pages: Path = PAGES) -> Iterator[Path]:
    """The folders of the committed pages, then of the private ones."""
    for parent in (pages, pages / PRIVATE):
        children = sorted(parent.iterdir()) if parent.is_dir() else []
        yield from (
            child for child in children if child.is_dir() and child.name[0] not in "._" and child.name != PRIVATE
        )


@cache
def read_saved(folder: Path) -> SavedPage:
    """Check a folder. Raises Mistake with a message for whoever wrote it."""
    file, where = _page_file(folder), f"{folder.name}/page.toml"
    try:
        table = tomllib.loads((folder / "page.toml").read_text("utf-8"))
    except FileNotFoundError:
        raise Mistake(f"{where}: no such file; `python -m tests.pages add` writes one") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Mistake(f"{where}: not valid TOML: {error}") from None
    only_known(table, (*KEYS, *TABLES), where)
    for name in TABLES:
        if not isinstance(table.get(name, {}), dict):
            raise Mistake(f"{where}: {name} must be a table: write [{name}]")
    return SavedPage(
        page=_page(table, file, where), expected=_expected(table.get("expected", {}), f"{where}: [expected]")
    )


def _page_file(folder: Path) -> Path:
    found = [folder / name for name in FILES if (folder / name).is_file()]
    if len(found) != 1:
        raise Mistake(f"{folder.name}: expected one of {' and '.join(FILES)}, found {len(found) or 'none'}")
    return found[0]


def _page(table: Mapping[str, Any], file: Path, where: str) -> Page:
    only_right_types({key: table[key] for key in KEYS if key in table}, KEYS, where)
    url, via, fetched_at = table.get("url", ""), table.get("via", "feed"), table.get("fetched_at", FETCHED_AT)
    if via not in VIAS:
        raise Mistake(f"{where}: via: unknown way {via!r}; {nearest(via, VIAS)}")
    if fetched_at.tzinfo is None:
        raise Mistake(f"{where}: fetched_at: expected an offset, such as Z at its end")
    try:
        url = canonical_url(url)
    except UnusableURL as error:
        raise Mistake(f'{where}: needs url = "https://…": {error}') from None
    return Page(
        url=url,
        final_url=url,
        via=via,
        fetched_at=fetched_at.astimezone(UTC),
        source=_source(table["source"], url, where) if "source" in table else None,
        content_type=table.get("content_type", FILES[file.name]) or None,
        body=file.read_bytes(),
        hints=_hints(table.get("hints", {}), f"{where}: [hints]"),
    )


def _source(table: Mapping[str, Any], url: str, where: str) -> Source:
    try:
        return source_of({"url": f"{origin_of(url)}/"} | dict(table), f"{where}: [source]")
    except SourcesError as error:
        raise Mistake(str(error)) from None


def _hints(table: Mapping[str, Any], where: str) -> Hints:
    only_known(table, HINTS, where)
    only_right_types(table, HINTS, where)
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return Hints(**values)


def _expected(table: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    only_known(table, EXPECTATIONS, where)
    only_right_types(table, EXPECTATIONS, where)
    absent = table.get("absent", [])
    only_known(dict.fromkeys(absent), FIELDS, f"{where}: absent")
    expected = {key: value for key, value in table.items() if key != "absent"}
    if not expected and not absent:
        raise Mistake(f"{where}: expects nothing; give a field, lines, with, without or refused")
    if "refused" in expected and (absent or len(expected) > 1):
        raise Mistake(f"{where}: a page that is refused has no fields; keep refused or the others")
    if twice := sorted(set(absent) & set(expected)):
        raise Mistake(f"{where}: {twice[0]} is given and absent")
    if empty := [key for key in TEXT if expected.get(key) == []]:
        raise Mistake(f"{where}: {empty[0]} is empty, which expects nothing")
    return expected | {field: NOTHING.get(FIELDS[field]) for field in absent}


def keys(folder: Path) -> list[str]:
    """What is expected of a page; of one whose page.toml is a mistake only that it is none."""
    try:
        return list(read_saved(folder).expected)
    except Mistake:
        return ["page.toml"]


@cache
def outcome(folder: Path) -> Article | str:
    """The article that a page gives, or the reason why it is refused."""
    return outcome_of(read_saved(folder).page)


def outcome_of(page: Page) -> Article | str:
    try:
        return extract(page)
    except Refusal as refusal:
        return refusal.reason


def difference(article: Article, key: str, wanted: Any) -> tuple[Any, Any]:
    """What an article has and what it should have: equal where it is as expected."""
    if key == "with":
        return {"missing": missing_from(article.text, wanted)}, {"missing": []}
    if key == "without":
        return {"clutter": held_by(article.text, wanted)}, {"clutter": []}
    if key == "lines":
        return article.text.split("\n\n"), wanted
    return told(article, key), wanted
