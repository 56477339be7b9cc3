"""An export holds what is stored, whatever that is; every program reads it without a warning; nothing is half written."""

import ast
import csv
import hashlib
import importlib
import json
import re
import sys
import tomllib
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.cli.main import main
from crawler.items import Outcome
from pipelines.archive.store import Archive
from pipelines.publish.export import IDENTIFIERS, Selection, sample, write_documents
from pipelines.publish.table_files import FORMATS, FORMULA, table_file
from pipelines.text import content_hash
from tests.conftest import ROOT, broadsheet, connect
from tests.support.loopback import story
from tests.support.syntax import loaded_at_start, modules
from tests.test_cli import full_disk, modes_hold, printing_to
from tests.test_deduplicate import article, page
from tests.test_documents import DAILY, FERRY, LATER, WIRE, ferries

if TYPE_CHECKING:
    import pandas as pd

ALL = ("--with-copies", "--with-versions")


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ferries, two reports in other languages by authors, and one whose publisher reserves it. Read only."""
    path = tmp_path_factory.mktemp("export") / "news.db"
    with closing(ferries(path)) as archive:
        for number, (language, authors) in enumerate((("de", ("Ada Ohm",)), ("en", ("B. Böhm", "C. Yu"))), 1):
            its = article(story(f"harbour {number}"), title=f"=HYPERLINK({number})", published=f"2026-10-0{number}")
            its = replace(
                its,
                language=language,
                authors=authors,
                description="- A lead",
                section="Sea",
                reservations=("tdm-reservation",) * (number == 2),
            )
            archive.keep(Outcome(page=page(f"https://wire.example/{number}"), article=its))
        archive.db.execute("update sources set name = 'The Wire' where url = 'https://wire.example/'")
    return path


def exported(db: Path, folder: Path, suffix: str, *options: str) -> Path:
    out = folder / f"out{suffix}"
    done = broadsheet("export", out, "--db", db, *options)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return out


def stored(db: Path, where: str = "true") -> list[dict[str, Any]]:
    """The rows of the view, lists as lists and flags as flags, in the order of an export."""
    with closing(connect(db)) as base:
        kinds = "case kind when 'article' then 1 when 'copy' then 2 else 3 end"
        found = [
            dict(row)
            for row in base.execute(f"select * from documents where {where} order by {kinds}, article_id, doc_id")
        ]
    for row in found:
        row["authors"] = row["authors"] and json.loads(row["authors"])
        row["is_accessible_for_free"] = row["is_accessible_for_free"] and bool(row["is_accessible_for_free"])
    return found


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{name: meant(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def meant(cell: str) -> str:
    """A cell without the apostrophe that makes it text, as docs/research.md says it."""
    return re.sub(r"^'(?='*[=+\-@\t\r])", "", cell)


def as_cells(row: dict[str, Any]) -> dict[str, str]:
    def cell(value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return "; ".join(value) if isinstance(value, list) else "" if value is None else str(value)

    return {name: cell(value) for name, value in row.items()}


def read_parquet(path: Path) -> list[dict[str, Any]]:
    """The rows, dates written as the archive has them."""
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    for row in found:
        for name, value in row.items():
            if isinstance(value, datetime):
                row[name] = f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        row["day"] = row["day"] and row["day"].isoformat()
    return found


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


# What is stored is what is exported


def test_every_format_has_the_rows_of_the_view(db: Path, tmp_path: Path) -> None:
    rows = stored(db)
    assert {row["kind"] for row in rows} == {"article", "copy", "version"}
    assert read_lines(exported(db, tmp_path, ".jsonl", *ALL)) == rows
    assert read_parquet(exported(db, tmp_path, ".parquet", *ALL)) == rows
    assert read_csv(exported(db, tmp_path, ".csv", *ALL)) == [as_cells(row) for row in rows]


def test_a_row_is_an_article_unless_more_is_asked_for(db: Path, tmp_path: Path) -> None:
    assert read_lines(exported(db, tmp_path, ".jsonl")) == stored(db, "kind = 'article'")


NASTY = st.text(
    alphabet=st.characters(codec="utf-8") | st.sampled_from("\0\t\r\n\"',;=+-@'\u2028\u202e\ufeffش"), min_size=1, max_size=40
)  # fmt: skip


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive with one article, to write anything into."""
    with closing(Archive(tmp_path_factory.mktemp("one") / "news.db")) as archive:
        archive.keep(Outcome(page=page(WIRE), article=article(FERRY)))
        archive.db.execute("drop trigger articles_fts_change")
        archive.db.execute("drop trigger articles_fts_update")
        yield archive


@settings(max_examples=60)
@given(text=NASTY, title=NASTY, authors=st.lists(NASTY, min_size=1, max_size=3))
def test_whatever_is_stored_is_exported(one: Archive, text: str, title: str, authors: list[str]) -> None:
    said = "update articles set text = ?, title = ?, authors = ?"
    one.db.execute(said, [text, title, json.dumps(authors)])
    read = {".csv": read_csv, ".jsonl": read_lines, ".parquet": read_parquet}
    for suffix, reader in read.items():
        path = one.path.with_name(f"out{suffix}")
        path.touch()
        assert write_documents(one.db, Selection(), path, suffix=suffix).documents == 1
        (row,) = reader(path)
        names = "; ".join(authors) if suffix == ".csv" else authors
        assert (row["text"], row["title"], row["authors"]) == (text, title, names)


@settings(max_examples=60)
@given(NASTY)
def test_no_cell_begins_as_a_formula_does(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "cell.csv"
    path.touch()
    with table_file(path, ".csv", ["text"]) as table:
        table.write({"text": text})
    with path.open(encoding="utf-8-sig", newline="") as file:
        _, (cell,) = csv.reader(file)
    assert cell[0] not in "=+-@\t\r"
    assert (cell == text) is not bool(FORMULA.match(text))


def test_a_spreadsheet_gets_utf_8_with_its_mark_and_lines_as_rfc_4180_ends_them(db: Path, tmp_path: Path) -> None:
    data = exported(db, tmp_path, ".csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfdoc_id,text,kind,url,")
    assert (data.count(b"\r\n"), data[-2:]) == (1 + len(stored(db, "kind = 'article'")), b"\r\n")
    assert b"'=HYPERLINK(1)" in data
    assert b"B. B\xc3\xb6hm; C. Yu" in data


# Who reads it


@pytest.fixture(scope="module")
def frames(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> "dict[str, pd.DataFrame]":
    """The demo's documents by pandas from each format, as docs/research.md reads them; a warning is an error."""
    import pandas as pd  # here, as it and DuckDB take a second of every process that collects this file

    folder = tmp_path_factory.mktemp("frames")
    files = {suffix: exported(demo, folder, suffix, *ALL) for suffix in FORMATS}
    dates = ["day", "published_at", "seen_at"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ImportWarning)  # of pygal, which tests of the reading room load
        return {
            ".parquet": pd.read_parquet(files[".parquet"]),
            ".csv": pd.read_csv(files[".csv"], parse_dates=dates, low_memory=False, keep_default_na=False, na_values=[""]),
            ".jsonl": pd.read_json(files[".jsonl"], lines=True, dtype=False),
        }  # fmt: skip


@pytest.mark.parametrize("suffix", FORMATS)
def test_pandas_reads_all_rows_and_dates(frames: "dict[str, pd.DataFrame]", demo: Path, suffix: str) -> None:
    import pandas as pd

    frame, rows = frames[suffix].set_index("doc_id"), {row["doc_id"]: row for row in stored(demo)}
    assert sorted(frame.index) == sorted(rows)
    for name, form in (("day", "%Y-%m-%d"), ("published_at", "%Y-%m-%dT%H:%M:%SZ"), ("seen_at", "%Y-%m-%dT%H:%M:%SZ")):
        read = pd.to_datetime(frame[name]).dropna().dt.strftime(form).to_dict()
        assert read == {doc_id: row[name] for doc_id, row in rows.items() if row[name]}


@pytest.mark.parametrize("suffix", FORMATS)
def test_duckdb_reads_all_rows_with_dates_as_dates(demo: Path, tmp_path: Path, suffix: str) -> None:
    import duckdb

    out = exported(demo, tmp_path, suffix, *ALL)
    types = {name: kind for name, kind, *_ in duckdb.execute(f"describe select * from '{out}'").fetchall()}
    assert types["day"] == "DATE"
    assert types["published_at"].startswith("TIMESTAMP")
    found = duckdb.execute(f"select doc_id, day::text, copy_of from '{out}'").fetchall()
    assert sorted(found) == sorted((row["doc_id"], row["day"], row["copy_of"]) for row in stored(demo))


def test_parquet_has_dates_instants_numbers_and_lists(db: Path, tmp_path: Path) -> None:
    file = pq.ParquetFile(exported(db, tmp_path, ".parquet"))
    types = {field.name: str(field.type) for field in file.schema_arrow}
    assert {kind: [name for name in types if types[name] == kind] for kind in {*types.values()} - {"string"}} == {
        "list<element: string>": ["authors"],
        "date32[day]": ["day"],
        "timestamp[ms, tz=UTC]": ["published_at", "seen_at"],
        "int64": ["word_count", "article_id", "version", "story_id"],
        "bool": ["is_accessible_for_free"],
        "double": ["similarity"],
    }
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


# What is selected


@pytest.mark.parametrize(
    ("options", "documents"),
    [
        ("--since 2026-11", ["article/1"]),
        ("--until 2026-10-01", ["article/2"]),
        ("--since 2026-10-02 --until 2026-11-03", ["article/1", "article/3"]),
        ("--since 2026-11-03 --until 2026-11-03 --with-copies --with-versions", ["article/1", "copy/3", "version/1"]),
        ("--since 2026-11-04 --with-copies", ["copy/2"]),
        ("--language de", ["article/2"]),
        ("--language EN,de", ["article/2", "article/3"]),
        ("--language en --language de", ["article/2", "article/3"]),
        ("--source https://wire.example/", ["article/1", "article/2", "article/3"]),
        ("--query minister", ["article/1"]),
        ("--query minister --with-copies --with-versions", ["article/1", "copy/2", "copy/3", "version/1"]),
        ('--query "again minister"', []),
        ("--query harbour -friday", ["article/2", "article/3"]),
        ("--query minis* OR harbour", ["article/1", "article/2", "article/3"]),
        ("--query readers", ["article/1"]),  # which only a copy says
        ("--query readers -friday", []),
    ],
)
def test_a_selection_has_what_was_asked_for(db: Path, tmp_path: Path, options: str, documents: list[str]) -> None:
    words = re.sub(r"(--query) (.*?)(?= --|$)", r"\1\0\2", options)
    split = [part for word in words.split(" --") for part in f"--{word.removeprefix('--')}".split("\0")]
    asked = [part for one in split for part in (one.split(" ", 1) if one.startswith("--") else [one])]
    assert [row["doc_id"] for row in read_lines(exported(db, tmp_path, ".jsonl", *asked))] == documents


def test_a_source_is_asked_for_by_its_name(db: Path, tmp_path: Path) -> None:
    assert len(read_lines(exported(db, tmp_path, ".jsonl", "--source", "The Wire", *ALL))) == 4


def test_a_public_export_has_what_a_public_copy_has(db: Path, tmp_path: Path) -> None:
    assert broadsheet("snapshot", tmp_path / "public.db", "--public", "--db", db).returncode == 0
    copied = read_lines(exported(tmp_path / "public.db", tmp_path, ".jsonl", *ALL))
    (tmp_path / "out.jsonl").unlink()
    done = broadsheet("export", tmp_path / "out.jsonl", "--public", *ALL, "--db", db)
    assert done.stdout.splitlines()[1:] == [
        "The text of 1 document is left out: the publisher reserves text and data mining."
    ]
    rows = read_lines(tmp_path / "out.jsonl")
    assert rows == copied
    assert [(row["doc_id"], row["title"], row["description"]) for row in rows if not row["text"]] == [
        ("article/3", "=HYPERLINK(2)", None)
    ]


def test_of_reserved_copies_and_versions_no_own_words_are_public(db: Path, tmp_path: Path) -> None:
    for number, where in enumerate((f"url = '{DAILY}'", f"url = '{WIRE}'")):
        with closing(connect(db)) as base:
            base.execute("vacuum into ?", [str(tmp_path / f"{number}.db")])
        with connect(tmp_path / f"{number}.db") as reserved:
            reserved.execute(f"update pages set reservations = '[\"tdm-reservation\"]' where {where}")
        broadsheet("snapshot", tmp_path / f"public{number}.db", "--public", "--db", tmp_path / f"{number}.db")
        (tmp_path / str(number)).mkdir()
        rows = read_lines(exported(tmp_path / f"{number}.db", tmp_path / str(number), ".jsonl", "--public", *ALL))
        assert [row | {"similarity": 0} for row in rows] == [
            row | {"similarity": 0} for row in stored(tmp_path / f"public{number}.db")
        ]


def test_identifiers_tell_whether_a_text_is_the_same(db: Path, tmp_path: Path) -> None:
    rows = read_lines(exported(db, tmp_path, ".jsonl", "--ids-only", *ALL))
    assert [tuple(row) for row in rows] == [IDENTIFIERS] * len(stored(db))
    assert FERRY.encode() not in (tmp_path / "out.jsonl").read_bytes()
    texts = [row["text"] for row in stored(db)]
    assert [row["text_sha256"] for row in rows] == [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    said = hashlib.sha256(" ".join(re.findall(r"\w+", texts[0].casefold())).encode()).hexdigest()[:32]
    assert rows[0]["content_hash"] == content_hash(LATER.upper().replace(".", " - ")) == said
    assert read_csv(exported(db, tmp_path, ".csv", "--ids-only", *ALL)) == [as_cells(row) for row in rows]
    assert pq.read_table(exported(db, tmp_path, ".parquet", "--ids-only")).column_names == list(IDENTIFIERS)


def test_schema_org_has_a_news_article_a_line(db: Path, tmp_path: Path) -> None:
    article_2 = read_lines(exported(db, tmp_path, ".jsonl", "--schema", "schema.org"))[1]
    assert article_2 == {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "identifier": "article/2",
        "url": "https://wire.example/1",
        "headline": "=HYPERLINK(1)",
        "description": "- A lead",
        "articleBody": story("harbour 1"),
        "datePublished": "2026-10-01",
        "author": [{"@type": "Person", "name": "Ada Ohm"}],
        "publisher": {"@type": "Organization", "name": "The Wire"},
        "inLanguage": "de",
        "articleSection": "Sea",
        "wordCount": len(story("harbour 1").split()),
    }


# Samples


def drawn(db: Path, number: int, seed: int) -> list[str]:
    with closing(Archive(db)) as archive:
        return [row["doc_id"] for row in sample(archive.db, Selection(kinds=("article", "copy")), number, seed)]


def test_a_sample_is_the_same_for_the_same_seed_and_another_for_another(demo: Path, tmp_path: Path) -> None:
    draws = []
    for number, seed in enumerate(("7", "7", "8")):
        (tmp_path / f"{number}").mkdir()
        draws.append(read_lines(exported(demo, tmp_path / f"{number}", ".jsonl", "--sample", "20", "--seed", seed)))
    assert draws[0] == draws[1] != draws[2]
    by_id = {row["doc_id"]: row for row in stored(demo)}
    assert [row for row in draws[0] if by_id[row["doc_id"]] != row] == []
    assert len({row["doc_id"] for row in draws[0]}) == 20


def test_a_larger_sample_begins_with_the_smaller_and_ends_with_all(demo: Path, tmp_path: Path) -> None:
    with closing(connect(demo)) as base:
        base.execute("vacuum into ?", [str(tmp_path / "news.db")])
    everything = drawn(tmp_path / "news.db", 1_000, 0)
    assert drawn(tmp_path / "news.db", 5, 0) == everything[:5]
    assert sorted(everything) == sorted(row["doc_id"] for row in stored(demo, "kind <> 'version'"))
    assert everything != sorted(everything)


def test_the_order_of_storing_does_not_choose_a_sample(tmp_path: Path) -> None:
    outcomes = [Outcome(page=page(f"https://a.example/{n}"), article=article(story(f"{n}"))) for n in range(12)]
    urls = []
    for name, arrivals in (("a", outcomes), ("b", outcomes[::-1])):
        with closing(Archive(tmp_path / f"{name}.db")) as archive:
            for outcome in arrivals:
                archive.keep(outcome)
            urls.append([row["url"] for row in sample(archive.db, Selection(), 4, 1)])
    assert urls[0] == urls[1]


# What goes wrong


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("out.xlsx", "out.xlsx: the ending says the format; expected one of .parquet, .csv, .jsonl"),
        ("out", "out: the ending says the format"),
        ("out.csv --source Wire", "no source is called 'Wire'; did you mean 'The Wire'?"),
        ("out.csv --language eng", "no article is in 'eng'; did you mean 'en'?"),
        ("out.csv --since 2026-02-30", "'2026-02-30': expected a year, month or day such as 2026"),
        ("out.csv --until 3.11.2026", "'3.11.2026': expected a year, month or day"),
        ("out.csv --until ２０２６", "'２０２６': expected a year, month or day"),
        ("out.csv --since 2026-12 --until 2026-11-30", "--since 2026-12 is after --until 2026-11-30"),
        ("out.csv --sample 0", "0 is not in the range x>=1"),
        ("out.csv --sample all", "'all' is not a valid int"),
        ("out.csv --seed 3", "--seed is for --sample"),
        ("out.csv --query -ferry", "--query: '-ferry' names no word to look for"),
        ("out.csv --query " + "x" * 201, "--query: 201 characters; at most 200 are read"),
        ("out.csv --schema schema.org", "--schema schema.org is for .jsonl"),
        ("out.jsonl --schema schema.org --ids-only", "--ids-only has columns of its own"),
        ("out.jsonl --schema dublin", "'dublin' is not one of 'broadsheet', 'schema.org'"),
        ("there.csv", "there.csv exists already; no file is replaced"),
        ("absent/out.csv", "absent/out.csv: no such folder"),
        ("there.csv/out.csv", "there.csv/out.csv: no such folder"),
        ("out.csv --db absent.db", "absent.db: no such database"),
    ],
)
def test_what_cannot_be_done_is_named_and_nothing_is_written(db: Path, tmp_path: Path, command: str, said: str) -> None:
    (tmp_path / "there.csv").write_text("mine")
    if "--db" not in command:
        command += f" --db {db}"
    done = broadsheet("export", *command.split(" "), cwd=tmp_path)
    assert (done.returncode, said in " ".join(done.stderr.split())) == (2, True), done.stderr
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("there.csv", "mine")]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk_is_exit_74_and_leaves_nothing(demo: Path, tmp_path: Path, suffix: str) -> None:
    done = broadsheet("export", f"out{suffix}", "--db", demo, cwd=tmp_path, file_size=40_000)
    assert (done.returncode, done.stderr) == (74, f"broadsheet: out{suffix}: File too large\n")
    assert list(tmp_path.iterdir()) == []


@full_disk
def test_a_full_standard_output_is_not_the_fault_of_the_file(demo: Path, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = printing_to(full, ["export", f"{tmp_path}/out.csv", "--db", str(demo)], "")
    assert (done.returncode, done.stderr) == (74, "broadsheet: standard output: No space left on device\n")
    assert len(read_csv(tmp_path / "out.csv")) == len(stored(demo, "kind = 'article'"))


def test_a_folder_that_nobody_may_write_is_exit_74(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "sealed").mkdir(mode=0o555)
    with modes_hold():
        done = CliRunner().invoke(main, ["export", f"{tmp_path}/sealed/out.csv", "--db", str(demo)])
    assert (done.exit_code, done.stderr) == (74, f"broadsheet: {tmp_path}/sealed/out.csv: Permission denied\n")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_killed_export_leaves_no_file_of_that_name(demo: Path, tmp_path: Path, suffix: str) -> None:
    kill = (
        "import os, signal; from pipelines.publish import export; "
        "export.FORMS['broadsheet'] = lambda row: row['doc_id'] != 'article/40' and row or os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = broadsheet("export", f"out{suffix}", "--db", demo, cwd=tmp_path, patch=kill)
    assert done.returncode == -9
    assert [
        re.fullmatch(rf"out\{suffix}\.[0-9a-f]{{8}}\.export\.part", file.name) is not None
        for file in tmp_path.iterdir()
    ] == [True]


def test_without_pyarrow_parquet_says_what_to_install_and_others_do_not_ask(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    done = CliRunner().invoke(main, ["export", f"{tmp_path}/out.parquet", "--db", str(demo)])
    said = f"broadsheet: {tmp_path}/out.parquet: Parquet needs pyarrow: pip install 'broadsheet[parquet]'\n"
    assert (done.exit_code, done.stderr, list(tmp_path.iterdir())) == (2, said, [])
    nodes = ((name, node) for name, tree in modules().items() for node in loaded_at_start(tree))
    imports = [(name, node) for name, node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {name for name, node in imports if "pyarrow" in ast.unparse(node)} == {"pipelines.backfill.parts"}


def test_an_empty_selection_is_a_table_without_rows(db: Path, tmp_path: Path) -> None:
    import pandas as pd

    for suffix in FORMATS:
        exported(db, tmp_path, suffix, "--until", "1900")
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    assert pd.read_csv(tmp_path / "out.csv").columns.tolist() == pq.read_table(tmp_path / "out.parquet").column_names


def test_an_export_has_the_permissions_of_its_archive(db: Path, tmp_path: Path) -> None:
    with closing(connect(db)) as base:
        base.execute("vacuum into ?", [str(tmp_path / "news.db")])
    (tmp_path / "news.db").chmod(0o600)
    assert exported(tmp_path / "news.db", tmp_path, ".csv").stat().st_mode & 0o777 == 0o600


def test_the_citation_is_of_this_release() -> None:
    cited = importlib.import_module("yaml").safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert (cited["cff-version"], cited["version"], cited["license"]) == (
        "1.2.0",
        project["version"],
        project["license"],
    )
    assert {"title", "message", "authors"} <= cited.keys()
