"""What tables, columns and queries mean: the metadata's sentences beside what the archive really has."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datasette.app import Datasette
    from datasette.database import Database

EXAMPLES = (
    (
        "Articles per source and month of this year",
        """select sources.name, substr(sort_at, 1, 7) as month, count(*) as articles
from articles join sources on sources.id = source_id
where sort_at >= strftime('%Y', 'now') group by 1, 2 order by 1, 2""",
    ),
    (
        "Who carries whose texts, and how often",
        """select source as original, copy_source as carried_by, count(*) as texts, round(avg(similarity), 2) as in_common
from copies where copy_source is not source group by 1, 2 order by 3 desc""",
    ),
    (
        "The headlines that were changed most",
        """select source, new_title, count(*) as changes, group_concat(old_title, ' | ') as before
from changed where old_title is not new_title group by article_id order by changes desc limit 50""",
    ),
    (
        "How often each source wrote of a council, but of no election",
        """select sources.name, count(*) as articles from articles_fts
join articles on articles.id = articles_fts.rowid join sources on sources.id = source_id
where articles_fts match 'council NOT election' group by 1 order by 2 desc""",
    ),
)
"""Queries to change and to learn from: what they ask, and their SQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table or view."""

    name: str
    type: str  #: TEXT, INTEGER or REAL; of a view's expression nothing
    meaning: str | None  #: a sentence; None for a column that the metadata does not know


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table or view that Datasette shows."""

    name: str
    is_view: bool
    meaning: str | None
    columns: list[Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A canned query."""

    name: str
    title: str
    meaning: str | None
    params: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanings:
    """All of a database that a visitor may see."""

    tables: list[Table]  #: tables, then views, in the metadata's order
    queries: list[Query]
    sql: bool  #: whether this visitor may write queries


async def of(datasette: "Datasette", database: "Database", actor: dict[str, Any] | None) -> Meanings:
    """What the metadata says of a database, and what it forgot to say."""
    views = await database.view_names()
    hidden = set(await database.hidden_table_names())
    known = [name for name in [*await database.table_names(), *views] if name not in hidden]
    queries = await datasette.get_canned_queries(database.name, actor)
    described = list(datasette.metadata("tables", database=database.name) or {})
    known.sort(key=lambda name: (name in views, described.index(name) if name in described else len(described)))
    return Meanings(
        tables=[await _table(datasette, database, name, is_view=name in views) for name in known],
        queries=[
            Query(
                name=name,
                title=said.get("title") or name,
                meaning=said.get("description"),
                params=said.get("params") or [],
            )
            for name, said in queries.items()
        ],
        sql=await datasette.permission_allowed(actor, "execute-sql", resource=database.name, default=True),
    )


async def _table(datasette: "Datasette", database: "Database", name: str, *, is_view: bool) -> Table:
    said = datasette.table_metadata(database.name, name)
    meant = said.get("columns") or {}
    columns = [
        Column(name=column.name, type=column.type, meaning=meant.get(column.name))
        for column in await database.table_column_details(name)
    ]
    return Table(name=name, is_view=is_view, meaning=said.get("description"), columns=columns)


def listed(meanings: Meanings) -> dict[str, list[dict[str, Any]]]:
    """The same as two flat lists: `columns`, each with its table, and `queries`."""
    columns = [
        {"table": table.name, "column": column.name, "type": column.type, "meaning": column.meaning}
        for table in meanings.tables
        for column in table.columns
    ]
    queries = [
        {"query": query.name, "title": query.title, "params": query.params, "meaning": query.meaning}
        for query in meanings.queries
    ]
    return {"columns": columns, "queries": queries}
