"""Public copy: what of an archive may go to others as one file. Cleaned by deleting, then written anew: its bytes hold no more.

Titles, addresses and dates are facts of a publication, and stay. What is reserved for text and data mining (reserved.py) is a
page's text: that goes, with the description, the versions and the words in the index.
"""

from sqlite3 import Connection

from pipelines.database.schema import FULL_TEXT
from pipelines.publish.guard import OWNERS_COLUMNS
from pipelines.publish.reserved import find_reserved

_RESERVED = (
    "update articles set text = '', description = null where id in (select id from reserved_articles)",
    "delete from versions where article_id in (select id from reserved_articles) or page_id in (select id from reserved_pages)",
    """update articles set version_count = max(1, (select count(*) from versions where article_id = articles.id))
       where id in (select id from reserved_articles) or id in (select article_id from reserved_pages)""",
    """update pages set hints = null where id in (select id from reserved_pages)
       or article_id in (select id from reserved_articles)""",
    "delete from variants where article_id in (select id from reserved_articles) or page_id in (select id from reserved_pages)",
    *(f"insert into {index} ({index}) values ('optimize')" for index in FULL_TEXT),
)
"""What goes of them. The index only marks what is deleted until its parts are merged."""

_ONLY_FOR_CRAWLS = (
    "alert_changes", "alert_failures", "alert_hits", "alert_messages", "alerts", "captures", "feed_texts", "feed_prints", "fingerprints", "loads", "parts", "signatures", "story_articles", "story_changes", "story_frames",
    "story_frequencies", "story_prints", "story_terms", "sources_toml",
)  # fmt: skip
"""Tables whose rows nobody reads: words and prints that texts are compared by, texts of feeds and of parts that are joined; and
the owner's settings and files."""


def make_public(copy: Connection) -> int:
    """Clean a copy of an archive of this release, in autocommit; returns how many articles lost their text.

    What fails or is interrupted on the way leaves a file that is to be thrown away.
    """
    copy.execute("pragma journal_mode = off")
    copy.execute("begin")
    find_reserved(copy)
    for sql in _RESERVED:
        copy.execute(sql)
    for table in _ONLY_FOR_CRAWLS:
        copy.execute(f"delete from {table}")
    copy.execute("update runs set argv = json_array(argv ->> '$[0]')")  # crawl or import: it tells these apart
    for table, column in OWNERS_COLUMNS - {("runs", "argv")}:
        copy.execute(f"update {table} set {column} = {_nothing(copy, table, column)}")
    copy.execute("commit")
    (reserved,) = copy.execute("select count(*) from reserved_articles").fetchone()
    copy.execute("vacuum")
    return int(reserved)


def _nothing(copy: Connection, table: str, column: str) -> str:
    """What stands in a column that says nothing: NULL where it may."""
    has_to_say = {name: not_null for _, name, _, not_null, *_ in copy.execute(f"pragma table_info({table})")}
    return "''" if has_to_say[column] else "null"
