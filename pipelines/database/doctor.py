"""Is this archive sound? Every check is one question, one SQL statement where possible, and the repair in words."""

import os
import re
import shlex
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.database.connection import log_of
from pipelines.database.lock import LockTaken, run_lock
from pipelines.database.new_file import journal_of, leftovers
from pipelines.database.schema import APPLICATION_ID, FORGOTTEN, FULL_TEXT, NOWHERE, migrations, missing_migrations
from pipelines.database.sqlite import Database

LARGE_WAL = 256 * 2**20
"""Bytes. A write-ahead log this long means that no checkpoint got through, usually because a reader never lets go."""

LITTLE_SPACE = 500 * 2**20
"""Bytes that a day of crawling can use up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer to one question."""

    what: str  #: what was looked at, and what was found
    sound: bool
    repair: str = ""  #: what to do when it is not: a command for the shell, or a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Rows that must not be there. A person with SQLite's own shell can make any of them."""

    what: str
    rows: str  #: SQL that counts them
    repair: str  #: SQL


_REFERENCES = {
    ("alert_hits", "alerts"): "delete from alert_hits where alert_id not in (select id from alerts)",
    ("alert_failures", "alerts"): "delete from alert_failures where alert_id not in (select id from alerts)",
    ("alert_messages", "alerts"): "delete from alert_messages where alert_id not in (select id from alerts)",
    ("loads", "runs"): "update loads set run_id = null where run_id not in (select id from runs)",
    ("captures", "pages"): "delete from captures where page_id not in (select id from pages)",
    ("captures", "captures"): "delete from captures where revisit_of not in (select id from captures)",
    ("articles", "sources"): "update articles set source_id = null where source_id not in (select id from sources)",
    ("articles", "stories"): "update articles set story_id = null where story_id not in (select id from stories)",
    ("feed_texts", "pages"): "delete from feed_texts where page_id not in (select id from pages)",
    ("feeds", "sources"): "delete from feeds where source_id not in (select id from sources)",
    ("feed_prints", "feeds"): "delete from feed_prints where feed_id not in (select id from feeds)",
    ("habits", "sources"): "delete from habits where source_id not in (select id from sources)",
    ("fingerprints", "articles"): "delete from fingerprints where article_id not in (select id from articles)",
    (
        "pages",
        "articles",
    ): """update pages set state = 'pending', reason = null, article_id = null, similarity = null, next_fetch_at = null
        where article_id not in (select id from articles)""",
    ("pages", "sources"): "update pages set source_id = null where source_id not in (select id from sources)",
    ("variants", "articles"): "delete from variants where article_id not in (select id from articles)",
    ("variants", "pages"): "delete from variants where page_id not in (select id from pages)",
    ("variants", "versions"): "delete from variants where version_id not in (select id from versions)",
    ("versions", "articles"): "delete from versions where article_id not in (select id from articles)",
    ("versions", "pages"): "delete from versions where page_id not in (select id from pages)",
}
"""What to do with rows of the first table that name a row of the second which is not there. Pages are asked again."""

_ONE_PAGE = """update pages set state = 'duplicate', reason = 'url' where state = 'article' and id <>
    (select min(id) from pages as first where first.article_id = pages.article_id and first.state = 'article')"""

_QUESTIONS = (
    Question(
        what="article or duplicate pages without an article",
        rows="select count(*) from pages where state in ('article', 'duplicate') and article_id is null",
        repair="update pages set state = 'pending', reason = null where state in ('article', 'duplicate') and article_id is null",
    ),
    Question(
        what="articles that are on more than one page",
        rows="""select count(*) from (select 1 from pages where state = 'article' group by article_id having count(*) > 1)""",
        repair=_ONE_PAGE,
    ),
    Question(
        what="articles that are on no page",
        rows="""select count(*) from articles
            where not exists (select 1 from pages where article_id = articles.id and state = 'article')""",
        repair="""insert into pages (url, source_id, via, state, article_id, discovered_at, last_fetched_at, content_hash)
            select url, source_id, 'listed', 'article', id, first_seen_at, last_fetched_at, content_hash from articles
            where not exists (select 1 from pages where article_id = articles.id and state = 'article')
            on conflict (url) do update set state = 'article', reason = null, article_id = excluded.article_id,
            similarity = null, content_hash = excluded.content_hash where state <> 'article'""",
    ),
    Question(
        what="duplicate, refused or failed pages without a reason",
        rows="select count(*) from pages where state in ('duplicate', 'refused', 'failed') and coalesce(reason, '') = ''",
        repair="""update pages set reason = case state when 'duplicate' then 'url' else 'unknown' end
            where state in ('duplicate', 'refused', 'failed') and coalesce(reason, '') = ''""",
    ),
    Question(
        what="articles whose versions are miscounted",
        rows="""select count(*) from articles
            where version_count <> max(1, (select count(*) from versions where article_id = articles.id))""",
        repair="update articles set version_count = max(1, (select count(*) from versions where article_id = articles.id))",
    ),
    Question(
        what="numbers that were moved and are in use again",
        rows="""select count(*) from moved where (kind = 'article' and old_id in (select id from articles))
            or (kind = 'story' and old_id in (select id from stories))""",
        repair="""delete from moved where (kind = 'article' and old_id in (select id from articles))
            or (kind = 'story' and old_id in (select id from stories))""",
    ),
    Question(
        what="moved numbers that lead to moved ones",
        rows="select count(*) from moved join moved as next on next.kind = moved.kind and next.old_id = moved.new_id",
        repair=f"""with recursive trail (kind, old_id, new_id, length) as (
            select kind, old_id, new_id, 1 from moved
            union all select trail.kind, trail.old_id, next.new_id, length + 1 from trail
            join moved as next on next.kind = trail.kind and next.old_id = trail.new_id where length < 100)
            update moved set new_id = (select iif(length < 100, new_id, {NOWHERE}) from trail
            where trail.kind = moved.kind and trail.old_id = moved.old_id order by length desc limit 1)""",
    ),
    Question(
        what="moved numbers that lead to none",
        rows=f"""select count(*) from moved where new_id <> {NOWHERE}
            and not (kind = 'article' and new_id in (select id from articles))
            and not (kind = 'story' and new_id in (select id from stories))
            and new_id not in (select old_id from moved as next where next.kind = moved.kind)""",
        repair=f"""update moved set new_id = {NOWHERE} where not (kind = 'article' and new_id in (select id from articles))
            and not (kind = 'story' and new_id in (select id from stories))""",
    ),
)

_STORIES = (
    Question(
        what="stories without articles",
        rows="select count(*) from stories where id not in (select story_id from articles where story_id is not null)",
        repair=f"""insert or ignore into moved select 'story', id, {NOWHERE} from stories
            where id not in (select story_id from articles where story_id is not null);
            delete from stories where id not in (select story_id from articles where story_id is not null)""",
    ),
    Question(
        what="stories whose articles are miscounted",
        rows="""select count(*) from stories join (select story_id, count(*) as number from articles group by 1) as told
            on told.story_id = stories.id where told.number <> article_count""",
        repair="update stories set article_count = (select count(*) from articles where story_id = stories.id)",
    ),
)
"""Stories are computed at the end of a run, so what a run that has not ended left says nothing."""

_REBUILD = "insert into {index} ({index}) values ('rebuild')"

_EMPTY_INDEX = "replace into {index}_data values (1, x''), (10, x'00000000000000')"
"""What FTS5 writes there for an index without rows: without its averages and list of parts it opens none to rebuild."""

_STILL_SAID = f"""select url from pages where reason = '{FORGOTTEN}'
    and (coalesce(title, titles, hints, content_hash) is not null or id in (select page_id from versions)
    or id in (select page_id from variants)) limit 5"""
"""Addresses that were taken down and have words nevertheless."""


def examine(db: Database, path: Path) -> Iterator[Finding]:
    """All checks, those first whose repair the others need. A file too damaged to ask ends with the finding that says so."""
    try:
        yield _file(db, path)
        schema = list(_schema(db, path))
        yield from schema
        if all(finding.sound for finding in schema):
            yield from _references(db, path)
            yield from _full_text(db, path)
            yield from _rows(db, path)
            yield _takedowns(db, path)
        yield from _surroundings(path)
    except sqlite3.DatabaseError as error:
        yield unreadable(error, path)


def unreadable(error: BaseException, path: Path) -> Finding:
    """What a file that SQLite cannot read on is told."""
    return Finding(what=f"the file cannot be read on: {error}", sound=False, repair=_rescue(path))


def _rescue(path: Path) -> str:
    """`.dump` reads each table as far as it goes. (`.recover` would find more; that of SQLite 3.40 as Debian 12 has it fails.)"""
    copy = _quoted(path.with_name("rescued.db"))
    return (
        f"# restore a snapshot; or copy what can still be read, and ask the doctor about the copy:\n"
        f"sqlite3 {_quoted(path)} .dump | sed 's/^ROLLBACK; -- due to errors$/COMMIT;/' | sqlite3 {copy}\n"
        f"sqlite3 {copy} 'pragma application_id = {APPLICATION_ID}'"
    )


def sql_line(path: Path, sql: str) -> str:
    """A line for the shell that runs SQL on the archive. Words are put on one line where no comment ends with it."""
    line = sql if "--" in sql else " ".join(sql.split())
    return f"sqlite3 {_quoted(path)} " + (shlex.quote(line) if re.search(r'["$`\\!]', line) else f'"{line}"')


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _file(db: Database, path: Path) -> Finding:
    """An index can be made again from its table; what else is damaged has to be copied out."""
    rows = [row[0] for row in db.execute("pragma integrity_check(20)")]
    complaints = [line for row in rows for line in row.splitlines() if not line.startswith("***")]
    indexes = all(re.search(r"\bindex\b", complaint) for complaint in complaints)
    return Finding(
        what="integrity of the file" + ("" if complaints == ["ok"] else f": {complaints[0]}"),
        sound=complaints == ["ok"],
        repair=sql_line(path, "reindex") if indexes else _rescue(path),
    )


def _schema(db: Database, path: Path) -> Iterator[Finding]:
    missing = missing_migrations(db.conn)
    yield Finding(
        what="schema version" + (f": lacks {', '.join(missing)}" if missing else ""),
        sound=not missing,
        repair="any `broadsheet crawl` or `broadsheet import` brings it up to date; take a `broadsheet snapshot` before",
    )
    if missing:
        return
    lost = _lost(db)
    yield Finding(
        what="tables, indexes, triggers and views" + (f": without {', '.join(lost)}" if lost else ""),
        sound=not lost,
        repair="\n".join(sql_line(path, sql) for sql in lost.values())
        + ("\n# the rows of a lost table are only in a snapshot" if _has_lost_rows(lost) else ""),
    )


def _lost(db: Database) -> dict[str, str]:
    """What a new archive has and this one has not: names, with the SQL that makes them again."""
    here = {row[0] for row in db.execute("select name from sqlite_master")}
    lost = {name: sql for name, sql in _made_by_migrations().items() if name not in here}
    for index in set(FULL_TEXT) & lost.keys():
        lost[index] += f"; {_REBUILD.format(index=index)}"
        lost = {name: made for name, made in lost.items() if not name.startswith(f"{index}_") or "trigger" in made}
    if "pages_one_article_page" in lost:
        lost["pages_one_article_page"] = f"{_ONE_PAGE}; {lost['pages_one_article_page']}"
    if "fingerprints" in lost:
        lost["fingerprints"] += "; delete from signatures"  # the next run makes all prints again
    for name in lost:
        if name.startswith("story_") and "story_frames" not in lost:
            lost[name] += (
                "; update story_frames set articles = 0"  # the next run reads all articles of the last weeks again
            )
    return lost


def _made_by_migrations() -> dict[str, str]:
    """Names and SQL of all that a new archive has, in an order in which it can be made."""
    fresh = Database(memory=True)
    migrations.apply(fresh)
    made = "select name, sql from sqlite_master where sql is not null order by type = 'trigger', type = 'view', rowid"
    return dict(fresh.execute(made).fetchall())


def _has_lost_rows(lost: dict[str, str]) -> bool:
    made_again = (*FULL_TEXT, "fingerprints", "signatures", "story_")
    return any(sql.lower().startswith("create table") for name, sql in lost.items() if not name.startswith(made_again))


def _references(db: Database, path: Path) -> Iterator[Finding]:
    broken = sorted({(row[0], row[2]) for row in db.execute("pragma foreign_key_check")})
    if not broken:
        yield Finding(what="references between tables", sound=True)
    for child, parent in broken:
        yield Finding(
            what=f"references between tables: rows of {child} name rows of {parent} that are not there",
            sound=False,
            repair=sql_line(path, _REFERENCES[child, parent]),
        )


def _full_text(db: Database, path: Path) -> Iterator[Finding]:
    """The indexes are compared with what they index. SQLite spells this check as an insert, so it is rolled back.

    It keeps writers out for as long as it takes, so it is left out while a run holds the archive, and keeps runs out.
    """
    try:
        with run_lock(path):
            damaged = [index for index in FULL_TEXT if not _is_index_sound(db, index)]
    except (LockTaken, OSError, sqlite3.OperationalError) as error:
        why = "a run holds the archive" if isinstance(error, LockTaken) else str(error)
        yield Finding(what=f"full-text index not looked at: {why}", sound=True)
        return
    if not damaged:
        yield Finding(what="full-text index", sound=True)
    for index in damaged:
        sql = _REBUILD if _can_be_rebuilt(db, index) else f"{_EMPTY_INDEX}; {_REBUILD}"
        what = "full-text index" if index == "articles_fts" else "full-text index of copies and versions"
        yield Finding(what=what, sound=False, repair=sql_line(path, sql.format(index=index)))


def _can_be_rebuilt(db: Database, index: str) -> bool:
    """Whether SQLite recognises an index at all, damaged as it is."""
    try:
        db.execute(f"select rowid from {index} limit 1")
    except sqlite3.DatabaseError:
        return False
    return True


def _is_index_sound(db: Database, index: str) -> bool:
    """Raises sqlite3.OperationalError when the archive cannot be written."""
    db.conn.execute("begin immediate")
    try:
        db.conn.execute(f"insert into {index} ({index}, rank) values ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        if not error.sqlite_errorname.startswith("SQLITE_CORRUPT"):
            raise
        return False
    finally:
        db.conn.execute("rollback")
    return True


def _rows(db: Database, path: Path) -> Iterator[Finding]:
    (running,) = db.execute("select count(*) from runs where status = 'running'").fetchone()
    for question in (*_QUESTIONS, *(() if running else _STORIES)):
        (count,) = db.execute(question.rows).fetchone()
        yield Finding(what=f"{count:,} {question.what}", sound=count == 0, repair=sql_line(path, question.repair))


def _takedowns(db: Database, path: Path) -> Finding:
    urls = [row[0] for row in db.execute(_STILL_SAID)]
    return Finding(
        what=f"{len(urls)} forgotten pages that still say something",
        sound=not urls,
        repair=f"broadsheet forget {shlex.join(urls)} --db {_quoted(path)}",
    )


def _surroundings(path: Path) -> Iterator[Finding]:
    wal = log_of(path)
    size = wal.stat().st_size if wal.exists() else 0
    yield Finding(
        what=f"write-ahead log of {size / 2**20:.0f} MB",
        sound=size < LARGE_WAL,
        repair=f"close long-running readers, then: {sql_line(path, 'pragma wal_checkpoint(truncate)')}",
    )
    parts = list(leftovers(path.absolute().parent))
    yield Finding(
        what=f"{len(parts)} beginnings of snapshots and exports beside it",
        sound=not parts,
        repair=f"rm -f {shlex.join(str(file) for part in parts for file in (part, journal_of(part)))}",
    )
    free = shutil.disk_usage(path.absolute().parent).free
    yield Finding(
        what=f"{free / 2**30:.1f} GB free on the disk",
        sound=free > LITTLE_SPACE,
        repair="make room, or move the archive",
    )
    shut = [one for one in (path.absolute().parent, path) if not os.access(one, os.W_OK)]
    yield Finding(
        what="file or folder is not writable" if shut else "file and folder are writable",
        sound=not shut,
        repair=_opened(shut),
    )


def _opened(shut: list[Path]) -> str:
    """How one may write again what one may not; one's own needs no other owner."""
    own = all(one.stat().st_uid == os.geteuid() for one in shut)
    named = " ".join(_quoted(one) if one.is_dir() else f"{_quoted(one)}*" for one in shut)
    return f"chmod u+w {named}" if own else f"make it the crawling user's own: chown USER {named} && chmod u+w {named}"
