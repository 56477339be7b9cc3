"""The tables `versions` and `fingerprints`: every distinct text of an article, and what further copies are found by.

Called within the writer's transaction.
"""

import json
from collections.abc import Callable, Iterable
from operator import itemgetter

from pipelines.archive.rows import insert, to_json, update
from pipelines.database.connection import Row
from pipelines.database.sqlite import Database
from pipelines.deduplicate.fingerprints import SIGNATURE, SIGNATURE_VERSION, holders_of, unnoted
from pipelines.deduplicate.match import texts_of
from pipelines.deduplicate.near_copies import Text
from pipelines.text import words_changed

RULES = "rules"
"""versions.cause of what other rules of extraction made of a page that has not changed."""


def add(db: Database, known: Row, page_id: int, row: Row, *, cause: str = "site") -> None:
    """Keep a text in `versions`, and the article's own beside it, so that they can be compared."""
    first_seen = {"last_fetched_at": known["first_seen_at"]}
    _insert(db, known["id"], article_page(db, known["id"]), known | first_seen, own=True)
    _insert(db, known["id"], page_id, row, cause=cause)
    renumber(db, known["id"])


def has(db: Database, article_id: int, content_hash: str) -> bool:
    """Whether some page of an article gave this text before."""
    sql = "select 1 from versions where article_id = ? and content_hash = ? limit 1"
    return db.conn.execute(sql, [article_id, content_hash]).fetchone() is not None


def article_page(db: Database, article_id: int) -> int:
    """The page that is this article's."""
    sql = "select id from pages where article_id = ? and state = 'article'"
    return int(db.conn.execute(sql, [article_id]).fetchone()[0])


def _insert(db: Database, article_id: int, page_id: int, row: Row, *, own: bool = False, cause: str = "site") -> None:
    """A text and title that the page had before are kept once, with the time of the last answer that had them again."""
    same = db.conn.execute(
        "select id from versions where article_id = ? and page_id = ? and content_hash = ? and title is ?",
        [article_id, page_id, row["content_hash"], row["title"]],
    ).fetchone()
    if same is None:
        version = {"article_id": article_id, "page_id": page_id, "fetched_at": row["last_fetched_at"], "version": 0}
        version |= {"words_added": 0, "words_removed": 0, "cause": cause}
        insert(db, "versions", version | {name: row[name] for name in ("title", "text", "content_hash")})
    elif not own:
        db.conn.execute(
            "update versions set fetched_at = ?1 where id = ?2 and fetched_at < ?1",
            [row["last_fetched_at"], same[0]],
        )


def renumber(db: Database, article_id: int, *, anew: bool = False) -> None:
    """Number the texts by the time of fetching; each is compared with its page's last one, else with the one before it.

    Only what has another place or neighbour than before is counted again, unless all is to be numbered `anew`: comparing
    every text for every one that comes would take minutes where a thousand addresses give copies that differ.
    """
    sql = "select id, page_id, version from versions where article_id = ? order by fetched_at, id"
    texts = [dict(zip(("id", "page_id", "version"), text, strict=True)) for text in db.conn.execute(sql, [article_id])]
    placed = [] if anew else sorted((text for text in texts if text["version"]), key=itemgetter("version"))
    was, now = _neighbours(placed), _neighbours(texts)
    for number, text in enumerate(texts, 1):
        if was.get(text["id"]) != now[text["id"]]:
            added, removed = _words_changed(db, now[text["id"]], text["id"])
            update(db, "versions", text["id"], {"words_added": added, "words_removed": removed})
        if text["version"] != number:
            update(db, "versions", text["id"], {"version": number})
    update(db, "articles", article_id, {"version_count": max(1, len(texts))})


def _neighbours(texts: list[Row]) -> dict[int, int]:
    """For each version, in their order, the one it is compared with: the last of its page, else the one before, else itself."""
    found: dict[int, int] = {}
    last: dict[int, int] = {}
    before = texts[0]["id"] if texts else 0
    for text in texts:
        found[text["id"]] = last.get(text["page_id"], before)
        before = last[text["page_id"]] = text["id"]
    return found


def _words_changed(db: Database, *ids: int) -> tuple[int, int]:
    """Words added and removed from one version to the other."""
    sql = "select text from versions where id = ?"
    old, new = (db.conn.execute(sql, [version_id]).fetchone()[0] for version_id in ids)
    return words_changed(old, new)


def is_agreed(db: Database, known: Row, page_id: int, row: Row) -> bool:
    """Whether the answer before this one had the same text."""
    sql = """select count(*) from versions where article_id = ? and page_id = ? and content_hash = ?
             and fetched_at = ? and fetched_at < ?"""
    parameters = [known["id"], page_id, row["content_hash"], known["last_fetched_at"], row["last_fetched_at"]]
    return bool(db.conn.execute(sql, parameters).fetchone()[0])


# Fingerprints


def add_prints(db: Database, article_id: int, prints: Iterable[int]) -> None:
    """Note the prints of a further text of an article."""
    prints = tuple(prints)
    note_prints(db, article_id, unnoted(prints, holders_of(db, prints), article_id))


def note_prints(db: Database, article_id: int, prints: Iterable[int]) -> None:
    # `or fail`: without it SQLite copies each index page first, to undo this statement alone; a third of the time remains.
    sql = "insert or fail into fingerprints (hash, article_id) select value, ? from json_each(?)"
    db.conn.execute(sql, [article_id, json.dumps(list(prints))])


def renew_texts(db: Database, article_id: int) -> None:
    """Number an article's versions and make its prints again, after some of its texts were taken out."""
    db.execute("delete from fingerprints where article_id = ?", [article_id])
    _add_all_prints(db, article_id)
    renumber(db, article_id, anew=True)


def _add_all_prints(db: Database, article_id: int) -> None:
    for text in list(texts_of(db, article_id)):
        add_prints(db, article_id, Text(text).prints)


def are_prints_current(db: Database) -> bool:
    """Whether the prints were made by the rules of this release."""
    return bool(db.execute("select max(version) from signatures").fetchone()[0] == SIGNATURE_VERSION)


def renew_prints(db: Database, follow: Callable[[int, int], object]) -> None:
    """Make the prints of all articles again. `follow` is told after each how many are done, and of how many."""
    ids = [article_id for (article_id,) in db.execute("select id from articles order by id").fetchall()]
    db.execute("delete from fingerprints")
    for done, article_id in enumerate(ids, 1):
        _add_all_prints(db, article_id)
        follow(done, len(ids))
    db.execute("insert into signatures (version, parameters) values (?, ?)", [SIGNATURE_VERSION, to_json(SIGNATURE)])
