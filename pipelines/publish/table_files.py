"""Files of tables: documents as CSV, JSON Lines or Parquet, one after the other, so that memory does not grow with the corpus.

Knows nothing of archives. pyarrow is loaded when Parquet is written.
"""

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from pipelines.database.connection import Row

FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""The beginning of a cell that a spreadsheet would run (OWASP, CSV injection), or of one that was kept from it."""

BETWEEN_NAMES = "; "
"""Between two names in a cell of CSV, which has no lists."""

ROW_GROUP_ROWS, ROW_GROUP_CHARS = 10_000, 16_000_000
"""Rows and characters after which a row group is written: some 2,700 articles of 6,000 characters, which take three times
their bytes in memory on their way."""


class TableFile(Protocol):
    """A file that is being written, row by row."""

    def write(self, row: Row) -> None:
        """Add a row. Raises OSError."""

    def close(self) -> None:
        """Write what is still to be written."""


@contextmanager
def table_file(path: Path, suffix: str, columns: Sequence[str]) -> Iterator[TableFile]:
    """Write a table to an existing file, in one of FORMATS, with these columns. Raises OSError."""
    with path.open("wb") as file:
        table = FORMATS[suffix](file, columns)
        yield table
        table.close()


class _Csv:
    """CSV as RFC 4180 has it, in UTF-8 with the mark that tells spreadsheets so. What they would run as a formula is text."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._columns = columns
        self._writer = csv.writer(_Utf8(file))
        file.write(codecs.BOM_UTF8)
        self._writer.writerow(columns)

    def write(self, row: Row) -> None:
        self._writer.writerow([_cell(row[name]) for name in self._columns])

    def close(self) -> None:
        pass


class _Utf8:
    """A binary file for what writes text."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode())


def _cell(value: Any) -> Any:
    """A value as a cell: a list joined, a flag as a word, an apostrophe before what would be a formula."""
    if isinstance(value, bool):
        return str(value).lower()
    text = BETWEEN_NAMES.join(value) if isinstance(value, list) else value
    return f"'{text}" if isinstance(text, str) and FORMULA.match(text) else text


class _JsonLines:
    """A JSON object a line, in UTF-8."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._file = file

    def write(self, row: Row) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")

    def close(self) -> None:
        pass


class _Parquet:
    """Parquet with zstd: dates are dates, lists are lists. A row group is held in memory until it is full."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter

        self._schema = pa.schema([(name, _arrow_type(name)) for name in columns])
        self._writer = ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[Row] = []
        self._chars = 0

    def write(self, row: Row) -> None:
        self._rows.append(row)
        self._chars += len(row.get("text") or "")
        if len(self._rows) >= ROW_GROUP_ROWS or self._chars >= ROW_GROUP_CHARS:
            self._write_row_group()

    def close(self) -> None:
        if self._rows:
            self._write_row_group()
        self._writer.close()

    def _write_row_group(self) -> None:
        import pyarrow as pa

        arrays = [_array([row[field.name] for row in self._rows], field.type) for field in self._schema]
        self._rows, self._chars = [], 0
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))


def _arrow_type(column: str) -> Any:
    """What a column of the view `documents` is in Parquet: text, but for these."""
    import pyarrow as pa

    types = {
        "authors": pa.list_(pa.string()),
        "day": pa.date32(),
        "published_at": pa.timestamp("ms", tz="UTC"),
        "seen_at": pa.timestamp("ms", tz="UTC"),
        "word_count": pa.int64(),
        "is_accessible_for_free": pa.bool_(),
        "article_id": pa.int64(),
        "similarity": pa.float64(),
        "version": pa.int64(),
        "story_id": pa.int64(),
    }
    return types.get(column, pa.string())


def _array(values: list[Any], kind: Any) -> Any:
    """A column; dates, which the archive has as text, are read by Arrow."""
    import pyarrow as pa

    if pa.types.is_temporal(kind):
        return pa.array(values, pa.string()).cast(kind)
    return pa.array(values, kind)


FORMATS: dict[str, Callable[[BinaryIO, Sequence[str]], TableFile]] = {
    ".csv": _Csv,
    ".jsonl": _JsonLines,
    ".parquet": _Parquet,
}
"""Formats by the ending of a file's name."""
