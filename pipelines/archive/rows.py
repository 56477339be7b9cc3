"""Rows as dicts, and how every table is read and written: by SQL that is the same text every time.

The connection keeps a statement that it has seen ready (`connection.STATEMENTS`), so what is built here costs SQLite
nothing the second time. sqlite-utils' own insert and update ask for the schema before each row.
"""

import json
from functools import cache
from typing import Any

from pipelines.database.connection import Row, first_row
from pipelines.database.sqlite import Database


def insert(db: Database, table: str, row: Row) -> int:
    """Insert a row; returns its id."""
    key = db.conn.execute(_insertion(table, tuple(row)), row).lastrowid
    assert key is not None
    return key


def put(db: Database, table: str, row: Row) -> None:
    """Insert a row that has all columns, in the place of the one with its key."""
    db.conn.execute(_insertion(table, tuple(row)).replace("insert", "insert or replace", 1), row)


def update(db: Database, table: str, row_id: int, columns: Row) -> None:
    """Change some columns of the row with this id."""
    db.conn.execute(_change(table, tuple(columns)), {**columns, "id_of_row": row_id})


@cache
def _insertion(table: str, names: tuple[str, ...]) -> str:
    return f"insert into {table} ({', '.join(names)}) values ({', '.join(f':{name}' for name in names)})"


@cache
def _change(table: str, names: tuple[str, ...]) -> str:
    return f"update {table} set {', '.join(f'{name} = :{name}' for name in names)} where id = :id_of_row"


def article_of(db: Database, article_id: int) -> Row:
    """The row of an article that there is."""
    row = first_row(db, "select * from articles where id = ?", [article_id])
    assert row is not None
    return row


def to_json(value: Any) -> str | None:
    """None for what is empty."""
    return json.dumps(value, ensure_ascii=False) if value else None
