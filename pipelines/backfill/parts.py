"""Parts: Outcome <-> a row of Parquet. One file for each input, whole when it has its name.

The columns are the fields of Page, Article and Outcome under their own names, so that a field more is a column more; those that
mean nothing after extraction are left out. Lists are lists, a group of fields is a struct, times are timestamps in UTC.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, BinaryIO, Union, get_args, get_origin, get_type_hints

os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # Arrow's own keeps 25 MB of what it has had once

import pyarrow as pa
import pyarrow.parquet as pq

from crawler.items import Outcome, Page, Source

PAGE = (
    "url", "final_url", "via", "fetched_at", "discovered_at", "status", "content_type", "hints", "tdm_reservation", "content_usage",
    "etag", "last_modified", "unchecked", "file", "warc", "warc_offset", "captures",
)  # fmt: skip
"""Fields of Page that are columns."""

OUTCOME = ("refusal", "failure", "extractor", "content_hash", "article")
"""Those of Outcome."""

PAIRS = {"titles": ("place", "title"), "parts": ("number", "url"), "body_at": ("file", "offset")}
"""Fields that are tuples of two, and what these are called in a struct."""

ROWS = 1_000
"""Of a group: what is in memory at a time, when it is written and when it is read; 6 MB."""


class _NoPandas(MetaPathFinder):
    def find_spec(self, name: str, *more: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def leave_pandas_out() -> None:
    """Let this process do without pandas: pyarrow would load it with the first row, 35 MB, and nothing here is for it."""
    sys.meta_path.insert(0, _NoPandas())


@cache
def schema() -> pa.Schema:
    """The columns of a part."""
    page, outcome = get_type_hints(Page), get_type_hints(Outcome)
    columns = [pa.field(name, _type(page[name], name)) for name in PAGE]
    columns.append(pa.field("source", pa.string()))
    columns += [pa.field(name, _type(outcome[name], name)) for name in OUTCOME]
    return pa.schema([*columns, pa.field("fingerprints", pa.list_(pa.int32()))])


def _type(said: Any, name: str) -> pa.DataType:
    """The Arrow type of a field, by its annotation."""
    simple = {str: pa.string(), int: pa.int64(), bool: pa.bool_(), datetime: pa.timestamp("us", tz="UTC")}
    if get_origin(said) in (Union, UnionType):
        (said,) = (one for one in get_args(said) if one is not NoneType)
    if said in simple:
        return simple[said]
    if is_dataclass(said):
        hints = get_type_hints(said)
        return pa.struct([pa.field(field.name, _type(hints[field.name], field.name)) for field in fields(said)])
    inner = get_args(said)
    if inner[-1] is ...:
        return pa.list_(_type(inner[0], name))
    return pa.struct([pa.field(key, _type(one, key)) for key, one in zip(PAIRS[name], inner, strict=True)])


# Writing


class PartWriter:
    """Writes the rows of a part into an open file, group by group."""

    def __init__(self, stream: BinaryIO) -> None:
        self._writer = pq.ParquetWriter(stream, schema(), compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def write(self, outcome: Outcome) -> None:
        self._rows.append(row_of(outcome))
        if len(self._rows) >= ROWS:
            self._flush()

    def __enter__(self) -> "PartWriter":
        return self

    def __exit__(self, failed: type[BaseException] | None, *rest: object) -> None:
        """Write what is left, and the end without which nothing can be read."""
        try:
            if failed is None:
                self._flush()
        finally:
            self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema()))
            self._rows = []


def row_of(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a row: only what pyarrow knows."""
    page = outcome.page
    row = {name: _plain(getattr(page, name), name) for name in PAGE}
    row |= {name: _plain(getattr(outcome, name), name) for name in OUTCOME}
    prints = outcome.fingerprints
    row["fingerprints"] = None if prints is None else sorted(prints)
    row["source"] = page.source.url if page.source else None
    return row


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, tuple):
        if name in PAIRS and value and not isinstance(value[0], tuple):
            return dict(zip(PAIRS[name], value, strict=True))
        return [_plain(one, name) for one in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name), field.name) for field in fields(value)}
    return value


# Reading


SourceOf = Callable[[str | None, str], Source | None]
"""The source of a page, by the address of the one that was noted, and by the page's own."""


def read_part(file: Path, source_of: SourceOf) -> Iterator[Outcome]:
    """The outcomes of a part, in the order in which they were read. Raises OSError, which pyarrow's own errors are or become."""
    try:
        with pq.ParquetFile(file) as part:
            for batch in part.iter_batches(batch_size=ROWS // 5):
                yield from (outcome_of_row(row, source_of) for row in batch.to_pylist())
    except pa.ArrowException as error:
        raise OSError(None, f"is no part of a backfill ({str(error).splitlines()[0]})", str(file)) from error


def rows_in(file: Path) -> int:
    """How many rows a part has, by its end alone. Raises OSError."""
    try:
        return int(pq.read_metadata(file).num_rows)
    except pa.ArrowException as error:
        raise OSError(None, f"is no part of a backfill ({str(error).splitlines()[0]})", str(file)) from error


def outcome_of_row(row: Mapping[str, Any], source_of: SourceOf) -> Outcome:
    """A row as an outcome."""
    page = {name: _typed(row[name], name, _hints(Page)[name]) for name in PAGE}
    told = {name: _typed(row[name], name, _hints(Outcome)[name]) for name in OUTCOME}
    prints = row["fingerprints"]
    source = source_of(row["source"], row["final_url"])
    return Outcome(page=Page(source=source, **page), fingerprints=None if prints is None else frozenset(prints), **told)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _typed(value: Any, name: str, said: Any) -> Any:
    """What a field holds, from what pyarrow made of it."""
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, list):
        (inner, *_) = get_args(_not_none(said))
        return tuple(_typed(one, name, inner) for one in value)
    kind = _not_none(said)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{key: _typed(one, key, hints[key]) for key, one in value.items() if key in hints})
    return tuple(value[key] for key in PAIRS[name])


@cache
def _not_none(said: Any) -> Any:
    if get_origin(said) in (Union, UnionType):
        (said,) = (one for one in get_args(said) if one is not NoneType)
    return said
