"""Imports go one way, and what CONTRIBUTING says of the layout holds: read off the syntax trees, nothing is run."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from crawler.parsers.listings import reading_of
from pipelines.extract.pipeline import NEEDS, outcome_of
from tests.conftest import ROOT
from tests.support.syntax import loaded_at_start, modules, nodes

GROUND = ("crawler.items", "crawler.client_redirects", "crawler.redirectors", "crawler.dates", "crawler.digests", "crawler.encodings", "crawler.folders", "crawler.hints", "crawler.iso_2022", "crawler.lenient_json", "crawler.pagination", "crawler.path_patterns", "crawler.reasons", "crawler.reservations", "crawler.urls", "crawler.times", "crawler.selectors", "crawler.workers",
          "crawler.worker_process", "pipelines.text", "pipelines.extract.phrases", "pipelines.extract.notice_signs", "pipelines.database")  # fmt: skip
PURE = (
    "pipelines.extract",
    "pipelines.text",
    "pipelines.deduplicate.heads",
    "pipelines.deduplicate.near_copies",
    "pipelines.deduplicate.winnowing",
)
FRONT_DOOR = ("crawler.cli", "crawler.commands", "crawler.__main__")
WITH_SQL = ("pipelines.alerts", "pipelines.archive", "pipelines.database", "pipelines.deduplicate", "pipelines.publish")
SQL = re.compile(
    r"\s*(?:select\s.+\sfrom\s|insert\s+(?:or\s+\w+\s+)?into\s|update\s+\w+\s+set\s|delete\s+from\s|with\s+\w+.*\sas\s+\()",
    re.S,
)

MOST_LINES, MOST_LINES_OF_A_CLASS = 450, 250


def imports(tree: ast.AST, *, at_start: bool = False) -> Iterator[str]:
    """The project's modules that a module names; with `at_start` those that it loads when it is loaded."""
    nodes = list(ast.walk(tree)) if not at_start else list(loaded_at_start(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (name for alias in node.names if (name := known(alias.name)))
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from {name for alias in node.names if (name := known(f"{node.module}.{alias.name}"))}


def known(name: str) -> str | None:
    """The module of the project that a dotted name is, or is in."""
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name if name not in ("", "crawler", "pipelines") else None


def is_in(name: str, floors: tuple[str, ...]) -> bool:
    return any(name == floor or name.startswith(f"{floor}.") for floor in floors)


def wrong(below: tuple[str, ...], allowed: tuple[str, ...], of: str = "") -> list[tuple[str, str]]:
    """Imports that modules of these floors make of others than those allowed; `of`: only of this package are they counted."""
    return [
        (name, imported)
        for name, tree in modules().items()
        if is_in(name, below)
        for imported in sorted(set(imports(tree)))
        if imported.startswith(of) and not is_in(imported, allowed)
    ]


def test_the_ground_imports_no_floor_above_it() -> None:
    assert wrong(GROUND, GROUND) == []


def test_the_crawler_knows_nothing_of_the_pipelines_but_at_its_front_door() -> None:
    assert [pair for pair in wrong(("crawler",), GROUND, of="pipelines.") if not is_in(pair[0], FRONT_DOOR)] == []


def test_pipelines_import_of_the_crawler_the_ground_and_the_requests() -> None:
    allowed = (*GROUND, "crawler.fetcher.requests")
    found = wrong(("pipelines",), allowed, of="crawler.")
    assert found == [
        ("pipelines.backfill.inputs", "crawler.parsers.saved_files"),
        ("pipelines.backfill.load", "crawler.sources.outlets"),
        ("pipelines.backfill.tasks", "crawler.parsers.copies"),
        ("pipelines.backfill.tasks", "crawler.parsers.selection"),
        ("pipelines.publish.originals", "crawler.parsers.saved_files"),
        ("pipelines.publish.originals", "crawler.parsers.warc"),
    ]


def test_a_backfill_loads_nothing_of_scrapy() -> None:
    asked = (
        "import sys, pipelines.backfill.engine; print(*sorted({'scrapy', 'twisted', 'trafilatura'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", asked]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip() == ""


@pytest.mark.parametrize(
    ("library", "known_to"),
    [
        ("datatrove", ["pipelines.backfill.engine"]),
        ("pyarrow", ["crawler.cli.export", "pipelines.backfill.parts", "pipelines.publish.table_files"]),
        ("sqlite_utils", ["pipelines.database.sqlite"]),
    ],
)
def test_a_library_that_costs_much_to_load_is_known_to_few(library: str, known_to: list[str]) -> None:
    by = [name for name, code in unparsed().items() if f"import {library}" in code or f"from {library}" in code]
    assert by == known_to


@cache
def unparsed() -> dict[str, str]:
    """The code of all modules, without comments and in one notation."""
    return {name: ast.unparse(tree) for name, tree in modules().items()}


def test_extraction_knows_no_database_nor_does_what_it_may_import() -> None:
    assert wrong(PURE, PURE, of="pipelines.") == []
    assert [name for name, code in unparsed().items() if is_in(name, PURE) and "sqlite" in code] == []


def test_publishing_knows_the_database_and_the_ground() -> None:
    found = wrong(("pipelines.publish",), ("pipelines.publish", *GROUND))
    originals = ("crawler.parsers.saved_files", "crawler.parsers.warc", "pipelines.archive.warc_files")
    assert found == [("pipelines.publish.originals", read) for read in originals]


def test_sql_stands_where_the_tables_are() -> None:
    found = [
        (name, node.value[:60])
        for name in modules()
        if not is_in(name, WITH_SQL)
        for node in nodes(name)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    ]
    assert found == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: set(imports(tree, at_start=True)) - {name} for name, tree in modules().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_data_loads_no_parser() -> None:
    asked = "import sys, crawler.items; print(*sorted({'lxml', 'parsel', 'publicsuffixlist'} & set(sys.modules)))"
    command = [sys.executable, "-c", asked]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip() == ""


def test_what_the_workers_import_loads_nothing_of_scrapy() -> None:
    names = (reading_of.__module__, outcome_of.__module__, *NEEDS)
    asked = f"import sys, {', '.join(names)}; print(*sorted({{'scrapy', 'twisted'}} & set(sys.modules)))"
    command = [sys.executable, "-c", asked]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip() == ""


def test_no_module_and_no_class_is_too_long_to_be_read() -> None:
    long = [(name, len(file_of(name).read_text("utf-8").splitlines())) for name in modules()]
    classes = [
        (f"{name}.{node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for name in modules()
        for node in nodes(name)
        if isinstance(node, ast.ClassDef)
    ]
    assert [pair for pair in long if pair[1] > MOST_LINES] == []
    assert [pair for pair in classes if pair[1] > MOST_LINES_OF_A_CLASS] == []


def file_of(name: str) -> Path:
    path = ROOT / name.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
