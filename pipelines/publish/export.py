"""Export of a corpus: the rows of the view `documents` that somebody selects, as a stream, or a random sample of them."""

import hashlib
import heapq
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.database.connection import Row, rows
from pipelines.database.sqlite import Database
from pipelines.publish.fulltext import spelled_out, unwanted
from pipelines.publish.reserved import find_reserved
from pipelines.publish.search import LONGEST, every_hit, expression
from pipelines.publish.table_files import table_file

DATE = "coalesce(published_at, day, seen_at)"
"""What a document is selected by: its date of publication, else when it was first seen, as articles.sort_at is."""

IDENTIFIERS = ("doc_id", "kind", "url", "day", "content_hash", "text_sha256", "extractor")
"""What is told of a document whose text may not be handed on: where to fetch it, and how to tell that it is the same."""


class UnusableQuery(Exception):
    """Nothing can be looked for so; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which documents of an archive are wanted; None and () are everything."""

    kinds: tuple[str, ...] = ("article",)  #: of article, copy and version, in this order
    since: str | None = None  #: a year, month or day, inclusive
    until: str | None = None
    sources: tuple[str, ...] = ()  #: sources.name
    languages: tuple[str, ...] = ()  #: primary tags
    words: str | None = None  #: a query(), of articles: what belongs to them comes along
    without: str | None = None  #: finds what no article may hold, of the same query()
    is_public: bool = False  #: without the texts whose publishers reserve text and data mining

    def sql(self, kind: str) -> tuple[str, Row]:
        """A condition on the rows of one kind in `documents`, and its parameters."""
        conditions = {
            "since": f"{DATE} >= :since",
            "until": f"{DATE} <= :until || '~'",
            "sources": "source in (select value from json_each(:sources))",
            "languages": "language in (select value from json_each(:languages))",
            "words": f"article_id in ({every_hit(self.without)})",
        }
        given = {name: value for name in conditions if (value := getattr(self, name))}
        wanted = ["kind = :kind", *(conditions[name] for name in given)]
        if self.is_public and kind == "version":
            wanted.append(f"not {_RESERVED}")
        listed = {name: json.dumps(value) if isinstance(value, tuple) else value for name, value in given.items()}
        return " and ".join(wanted), listed | {"kind": kind, "without": self.without}

    @property
    def columns(self) -> str:
        """What is read of `documents`."""
        return f"*, {_RESERVED} as is_reserved" if self.is_public else "*"


def sources(db: Database) -> dict[str, str]:
    """The names of the archive's sources, by name and by address."""
    found = db.execute("select name, url from sources order by id").fetchall()
    return {url: name for name, url in found} | {name: name for name, _ in found}


def languages(db: Database) -> list[str]:
    """The languages of the archive's articles, as primary tags."""
    found = db.execute("select distinct language from articles where language is not null order by language")
    return [language for (language,) in found]


def query(db: Database, typed: str) -> tuple[str, str | None]:
    """A search in the reading room's syntax as the archive's index reads it, and what finds that which no hit may hold. Raises
    UnusableQuery.

    The reading room leaves out of a search what is too long; a corpus must not.
    """
    if len(typed) > LONGEST:
        raise UnusableQuery(f"{len(typed):,} characters; at most {LONGEST} are read")
    words = expression(typed)
    if words is None:
        raise UnusableQuery(f"{typed!r} names no word to look for")
    return spelled_out(db.conn, words), unwanted(words)


@dataclass(slots=True, kw_only=True)
class Written:
    """What an export has written."""

    documents: int = 0
    reserved: int = 0  #: of these, without their text


def write_documents(
    db: Database,
    selection: Selection,
    path: Path,
    *,
    suffix: str,
    form: str = "broadsheet",
    drawn: tuple[int, int] | None = None,
    follow: Callable[[int, int], object] = lambda done, of: None,
) -> Written:
    """Write what is selected into an existing file, in one of table_files.FORMATS and one of FORMS; of several reads of the
    archive all see the same moment. `drawn` is the size of a sample and its seed, else all is written.

    `follow` is told now and then how many are done, and of how many. Raises OSError and sqlite3.Error.
    """
    names = IDENTIFIERS if form == "ids" else [column.name for column in db.view("documents").columns]
    written = Written()
    db.execute("begin")
    try:
        known = count(db, selection)
        total = min(known, drawn[0]) if drawn else known
        found = sample(db, selection, *drawn) if drawn else documents(db, selection)
        with table_file(path, suffix, names) as table:
            for written.documents, document in enumerate(found, 1):
                if document.pop("is_reserved", False):
                    written.reserved += 1
                    document |= WITHOUT_TEXT
                table.write(FORMS[form](document))
                if written.documents % 100 == 0:
                    follow(written.documents, total)
    finally:
        db.execute("rollback")
    return written


def documents(db: Database, selection: Selection) -> Iterator[Row]:
    """The documents of a selection, one after the other: articles, then copies, then versions."""
    _find_reserved_documents(db, selection)
    for kind in selection.kinds:
        condition, given = selection.sql(kind)
        sql = f"select {selection.columns} from documents where {condition}"
        yield from map(_typed, rows(db, sql, given))


def count(db: Database, selection: Selection) -> int:
    """How many documents a selection has."""
    _find_reserved_documents(db, selection)
    counted = (
        db.execute(f"select count(*) from documents where {condition}", given).fetchone()[0]
        for condition, given in map(selection.sql, selection.kinds)
    )
    return sum(counted)


def sample(db: Database, selection: Selection, number: int, seed: int) -> Iterator[Row]:
    """So many documents of a selection, drawn without replacement, in random order.

    Those whose SHA-256 of seed, address and content_hash is smallest: the same whenever the same documents are there, in
    whatever order they were stored; one that is added to the archive displaces at most one.
    """
    _find_reserved_documents(db, selection)
    drawn = heapq.nsmallest(number, _lots(db, selection, seed))
    for _, doc_id, kind, article_id in drawn:
        sql = f"select {selection.columns} from documents where kind = ? and article_id = ? and doc_id = ?"
        yield from map(_typed, rows(db, sql, [kind, article_id, doc_id]))


def _lots(db: Database, selection: Selection, seed: int) -> Iterator[tuple[bytes, str, str, int]]:
    """Of each document the number that it draws, and where it is found again."""
    for kind in selection.kinds:
        condition, given = selection.sql(kind)
        sql = f"select doc_id, article_id, url, content_hash from documents where {condition}"
        for doc_id, article_id, url, content_hash in db.conn.execute(sql, given):
            lot = hashlib.sha256(f"{seed}\n{url}\n{content_hash}".encode()).digest()
            yield lot, doc_id, kind, article_id


def identifiers(document: Row) -> Row:
    """What IDENTIFIERS names of a document. `text_sha256` is of its text as UTF-8; None where there is no text."""
    text = document["text"]
    known = document | {"text_sha256": hashlib.sha256(text.encode()).hexdigest() if text is not None else None}
    return {name: known[name] for name in IDENTIFIERS}


def schema_org(document: Row) -> Row:
    """A document as JSON-LD in the words of schema.org's NewsArticle; what is not known is left out."""
    said: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "identifier": document["doc_id"],
        "url": document["url"],
        "headline": document["title"],
        "description": document["description"],
        "articleBody": document["text"],
        "datePublished": document["published_at"] or document["day"],
        "author": [{"@type": "Person", "name": name} for name in document["authors"] or ()] or None,
        "publisher": {"@type": "Organization", "name": document["source"]} if document["source"] else None,
        "inLanguage": document["language"],
        "articleSection": document["section"],
        "wordCount": document["word_count"],
        "isAccessibleForFree": document["is_accessible_for_free"],
        "isBasedOn": document["copy_of"],
        "version": document["version"],
    }
    return {name: value for name, value in said.items() if value is not None}


FORMS: dict[str, Callable[[Row], Row]] = {
    "broadsheet": lambda document: document,
    "schema.org": schema_org,
    "ids": identifiers,
}
"""How a document is told."""

WITHOUT_TEXT: Row = {"text": None, "description": None}


def _typed(row: Row) -> Row:
    """A row with its list as a list and its flag as one."""
    authors, free = row["authors"], row["is_accessible_for_free"]
    return row | {
        "authors": None if authors is None else [str(name) for name in json.loads(authors)],
        "is_accessible_for_free": None if free is None else bool(free),
    }


# What is reserved

_RESERVED = "doc_id in (select doc_id from temp.reserved_documents)"

_RESERVED_DOCUMENTS = """insert into reserved_documents
    select 'article/' || id as doc_id from reserved_articles
    union
    select 'copy/' || id from pages where article_id in (select id from reserved_articles)
    union
    select 'copy/' || pages.id from pages join articles on articles.id = pages.article_id
    where pages.id in (select id from reserved_pages) and pages.content_hash is not articles.content_hash
    union
    select 'version/' || id from versions
    where article_id in (select id from reserved_articles) or page_id in (select id from reserved_pages)"""
"""Whose text a public copy does not have: of a copy with the article's words only where the article is reserved."""


def _find_reserved_documents(db: Database, selection: Selection) -> None:
    """Make the tables that _RESERVED asks, once for a connection."""
    made = db.execute("select 1 from sqlite_temp_master where name = 'reserved_documents'").fetchone()
    if selection.is_public and not made:
        find_reserved(db.conn)
        db.conn.execute("create temp table reserved_documents (doc_id text primary key) without rowid")
        db.conn.execute(_RESERVED_DOCUMENTS)
