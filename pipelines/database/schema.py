"""The tables, indexes and views of news.db, as append-only migrations. A released migration is never edited.

Words are schema.org NewsArticle's in snake_case, and feed readers' for operations. Times are ISO 8601 UTC text, lists
are JSON arrays, NULL means "not said". What each column means is in datasette_metadata.json, next to where it is read.
"""

import sqlite3

from pipelines.database.earlier_migrations import APPLICATION_ID, FORGOTTEN, NOWHERE, migrations, spaced
from pipelines.database.sqlite import Database
from pipelines.text import added_lines, other_title

__all__ = [
    "APPLICATION_ID",
    "FORGOTTEN",
    "FULL_TEXT",
    "NOWHERE",
    "SOURCES_TOML",
    "migrations",
    "missing_migrations",
    "unknown_migrations",
]


FULL_TEXT = ("articles_fts", "variants_fts")
"""The full-text indexes: of articles, and of what is said elsewhere of them."""


@migrations()
def m020_parts(db: Database) -> None:
    """The pages of an article that is split over several: which of them each is, and its own text."""
    for statement in (
        """create table parts (
            url text primary key,
            whole text not null,
            number integer not null,
            text text
        ) strict, without rowid""",
        "create index parts_whole on parts (whole, number)",
    ):
        db.conn.execute(statement)


@migrations()
def m023_captures(db: Database) -> None:
    """Where in the WARC files each answer that was kept lies."""
    for statement in (
        """create table captures (
            id integer primary key,
            page_id integer not null references pages (id),
            fetched_at text not null,
            status integer,
            reason text,
            file text not null,
            offset integer not null,
            length integer not null,
            digest text not null,
            revisit_of integer references captures (id)
        ) strict""",
        "create index captures_page on captures (page_id)",
        "create index captures_file on captures (file, offset)",
        "create index captures_revisit on captures (revisit_of) where revisit_of is not null",
    ):
        db.conn.execute(statement)


@migrations()
def m024_tdmrep_and_content_usage(db: Database) -> None:
    """What hosts say of text and data mining, and of the usage of their pages."""
    for statement in (
        "alter table hosts add column tdmrep text check (tdmrep is null or json_valid(tdmrep))",
        "alter table hosts add column tdmrep_status integer",
        "alter table hosts add column tdmrep_fetched_at text",
        "alter table hosts add column content_usage text check (content_usage is null or json_valid(content_usage))",
        "alter table pages add column content_usage text check (content_usage is null or json_valid(content_usage))",
    ):
        db.conn.execute(statement)


SOURCES_TOML = "create table if not exists sources_toml (text text not null) strict"
"""Also made in a snapshot of an older schema, which has this migration still before it."""


@migrations()
def m025_sources_toml(db: Database) -> None:
    """The text of sources.toml, in a snapshot: archive and settings move in one file."""
    db.conn.execute(SOURCES_TOML)


@migrations()
def m026_when_and_why_forgotten(db: Database) -> None:
    """Since when an address is refused for good, and what was said of the reason."""
    for statement in (
        "alter table pages add column forgotten_at text",
        "alter table pages add column forgotten_reason text",
    ):
        db.conn.execute(statement)


@migrations()
def m027_cause_of_versions(db: Database) -> None:
    """Whether a version is what the site changed, or what other rules of extraction made of the same page; only the former are news."""
    for statement in (
        "alter table versions add column cause text not null default 'site' check (cause in ('site', 'rules'))",
        "drop view changed",
        """create view changed as
        select versions.article_id, articles.url, sources.name as source, versions.fetched_at as at,
               case when versions.content_hash = earlier.content_hash then 'title' else 'text' end as what,
               earlier.title as old_title, versions.title as new_title, versions.words_added, versions.words_removed
        from versions
        join pages on pages.id = versions.page_id and pages.article_id = versions.article_id
             and (pages.state = 'article' or pages.reason not in ('text', 'near'))
        join versions as earlier on earlier.id = (
            select id from versions as candidate
            where candidate.article_id = versions.article_id and candidate.page_id = versions.page_id
                  and candidate.version < versions.version
            order by candidate.version desc limit 1
        )
        join articles on articles.id = versions.article_id
        left join sources on sources.id = articles.source_id
        where versions.cause = 'site'
        union all
        select articles.id, articles.url, sources.name, articles.gone_at, 'gone', articles.title, null, 0, articles.word_count
        from articles left join sources on sources.id = articles.source_id
        where articles.gone_at is not null
        union all
        select articles.id, articles.url, sources.name, pages.last_fetched_at, 'moved', articles.title, articles.title, 0, 0
        from pages join articles on articles.id = pages.article_id left join sources on sources.id = articles.source_id
        where pages.state = 'duplicate' and pages.reason = 'canonical' and pages.http_status in (404, 410)""",
    ):
        db.conn.execute(statement)


@migrations()
def m028_loads(db: Database) -> None:
    """Which parts of backfills were loaded: each once."""
    db.conn.execute(
        """create table loads (
            key text primary key, input text not null, pages integer not null, run_id integer references runs (id),
            loaded_at text not null
        ) strict, without rowid"""
    )


def _dated(stated: str, believed: str) -> str:
    """SQL for a date of publication that is one of the two forms, and a day of the calendar; else NULL."""
    forms = f"date({stated}, '+0 days'), strftime('%Y-%m-%dT%H:%M:%SZ', {stated}, '+0 days')"  # 30 February would be 2 March
    return f"case when {believed} and {stated} in ({forms}) then {stated} end"


_COPIED = "pages.article_id = articles.id and pages.state = 'duplicate' and pages.reason in ('text', 'near')"

_DATE_OF_ARTICLE = _dated("articles.date_published", "articles.date_published = articles.sort_at")

_DATE_OF_COPY = _dated(
    "pages.date_published",
    "pages.date_published between '1600' and strftime('%Y-%m-%dT%H:%M:%SZ', pages.last_fetched_at, '+2 days')",
)


@migrations()
def m029_documents(db: Database) -> None:
    """One row a document, for programs that read tables: articles, their copies and earlier texts, with dates in one form."""
    db.conn.execute(
        f"""create view documents as
        select kind || '/' || id as doc_id, nullif(text, '') as text, kind, url, source, title, description, authors,
               substr(dated, 1, 10) as day, iif(length(dated) > 10, dated, null) as published_at,
               case when length(dated) > 10 then 'instant' when dated is not null then 'day' end as date_precision,
               iif(dated is null, null, dated_by) as date_published_source, seen_at, language, section, word_count,
               is_accessible_for_free, article_id, copy_of, similarity, version, story_id, content_hash, extractor
        from (
            select 'article' as kind, articles.id, articles.text, articles.url, sources.name as source, articles.title,
                   articles.description, articles.authors, {_DATE_OF_ARTICLE} as dated, articles.date_published_source as dated_by,
                   articles.first_seen_at as seen_at, articles.language, articles.section, articles.word_count,
                   articles.is_accessible_for_free, articles.id as article_id, null as copy_of, null as similarity,
                   null as version, articles.story_id, articles.content_hash, articles.extractor
            from articles left join sources on sources.id = articles.source_id
            union all
            select 'copy', pages.id, case when pages.content_hash = articles.content_hash then articles.text else (
                       select text from versions
                       where versions.article_id = articles.id and versions.content_hash = pages.content_hash limit 1
                   ) end, pages.url, sources.name, pages.title, null, null, {_DATE_OF_COPY}, null, pages.discovered_at,
                   articles.language, null, iif(pages.content_hash = articles.content_hash, articles.word_count, null), null, articles.id,
                   articles.url, pages.similarity, null, articles.story_id, pages.content_hash, pages.extractor
            from pages join articles on articles.id = pages.article_id left join sources on sources.id = pages.source_id
            where {_COPIED}
            union all
            select 'version', versions.id, versions.text, iif({_COPIED}, pages.url, articles.url), sources.name,
                   versions.title, null, iif({_COPIED}, null, articles.authors),
                   case when {_COPIED} then {_DATE_OF_COPY} else {_DATE_OF_ARTICLE} end,
                   iif({_COPIED}, null, articles.date_published_source), versions.fetched_at, articles.language,
                   iif({_COPIED}, null, articles.section), null, null, articles.id, iif({_COPIED}, articles.url, null), null,
                   versions.version, articles.story_id, versions.content_hash, null
            from versions join articles on articles.id = versions.article_id join pages on pages.id = versions.page_id
            left join sources on sources.id = iif({_COPIED}, pages.source_id, articles.source_id)
            where not iif({_COPIED}, versions.content_hash is pages.content_hash and versions.title is pages.title,
                          versions.content_hash = articles.content_hash and versions.title is articles.title)
        )"""
    )


_VARIANT_IN = "variants_fts (rowid, title, text) select id, title, text from variants_words where id ="
_VARIANT_OUT = (
    "variants_fts (variants_fts, rowid, title, text) select 'delete', id, title, text from variants_words where id ="
)


@migrations()
def m030_variants(db: Database) -> None:
    """What copies and other versions of an article say that it does not, and a full-text index of it. The numbers of an article's
    are its own times 2^20 and on: hits come in the order of articles, as those of articles_fts do."""
    for statement in (
        """create table variants (
            id integer primary key,
            article_id integer not null references articles (id) on delete cascade,
            page_id integer not null references pages (id) on delete cascade,
            version_id integer references versions (id) on delete cascade,
            title text,
            text text,
            first_seen_at text not null,
            check (coalesce(title, text) is not null),
            check (id >> 20 = article_id)
        ) strict""",
        "create index variants_article on variants (article_id)",
        "create index variants_page on variants (page_id)",
        "create index variants_version on variants (version_id) where version_id is not null",
        "create index variants_seen on variants (first_seen_at)",
        f"create view variants_words as select id, {spaced('title')} as title, {spaced('text')} as text from variants",
        "create virtual table variants_fts using fts5 (title, text, content=[variants_words], content_rowid=[id])",
    ):
        db.conn.execute(statement)
    db.conn.create_function("added_lines", 2, added_lines, deterministic=True)
    db.conn.create_function("other_title", 2, other_title, deterministic=True)
    db.conn.execute(
        """insert into variants
        select article_id * 1048576 + row_number() over (partition by article_id), article_id, page_id, version_id, title, text, seen
        from (
            select versions.article_id, versions.page_id, versions.id as version_id, versions.fetched_at as seen,
                   other_title(versions.title, articles.title) as title,
                   iif(versions.content_hash = articles.content_hash, null, added_lines(versions.text, articles.text)) as text
            from versions join articles on articles.id = versions.article_id
            union all
            select pages.article_id, pages.id, null, coalesce(pages.last_fetched_at, pages.discovered_at),
                   other_title(pages.title, articles.title), null
            from pages join articles on articles.id = pages.article_id
            where pages.state = 'duplicate' and pages.reason in ('text', 'near') and pages.title is not articles.title
                  and not exists (select 1 from versions where versions.page_id = pages.id and versions.article_id = articles.id
                                  and versions.title is pages.title)
        ) where coalesce(title, text) is not null"""
    )
    for statement in (
        "insert into variants_fts (variants_fts) values ('rebuild')",
        f"create trigger variants_fts_insert after insert on variants begin insert into {_VARIANT_IN} new.id; end",
        f"create trigger variants_fts_delete before delete on variants begin insert into {_VARIANT_OUT} old.id; end",
        f"create trigger variants_fts_change before update of id, title, text on variants begin insert into {_VARIANT_OUT} old.id; end",
        f"create trigger variants_fts_update after update of id, title, text on variants begin insert into {_VARIANT_IN} new.id; end",
    ):
        db.conn.execute(statement)


_CHANGED = " or ".join(
    f"new.{column} is not old.{column}"
    for column in ("title", "description", "text", "source_id", "language", "section")
)


@migrations()
def m032_alerts(db: Database) -> None:
    """What is watched for, what was found and sent, and which articles alerts have yet to look at. Where no alert is, nothing is noted.

    A hit stays with its article when that is merged, and is gone when it is taken down."""
    for statement in (
        """create table alerts (
            id integer primary key,
            name text not null unique,
            words text not null,
            since text not null,
            last_change integer not null
        ) strict""",
        "create table alert_changes (id integer primary key, article_id integer not null) strict",
        """create table alert_hits (
            alert_id integer not null references alerts (id) on delete cascade,
            article_id integer not null,
            batch integer not null,
            found_at text not null,
            primary key (alert_id, article_id)
        ) strict, without rowid""",
        "create index alert_hits_batch on alert_hits (batch)",
        "create index alert_hits_article on alert_hits (article_id)",
        """create table alert_messages (
            alert_id integer not null references alerts (id) on delete cascade,
            batch integer not null,
            way text not null,
            key text not null,
            attempts integer not null default 0,
            tried_at text,
            sent_at text,
            reason text,
            primary key (batch, way)
        ) strict, without rowid""",
        "create index alert_messages_waiting on alert_messages (alert_id, way, attempts) where sent_at is null",
        _noting("new_article", "insert on articles", "true", "new.id"),
        _noting("changed_article", "update on articles", _CHANGED, "new.id"),
        _noting("new_variant", "insert on variants", "true", "new.article_id"),
        """create trigger alerts_moved after insert on moved when new.kind = 'article' begin
            update or ignore alert_hits set article_id = new.new_id where article_id = new.old_id and new.new_id <> 0;
            delete from alert_hits where article_id = new.old_id;
        end""",
    ):
        db.conn.execute(statement)


def _noting(name: str, event: str, when: str, article: str) -> str:
    """SQL for a trigger that notes an article for the alerts to look at."""
    return f"""create trigger alerts_{name} after {event} when exists (select 1 from alerts) and ({when}) begin
        insert into alert_changes (article_id) values ({article}); end"""


@migrations()
def m033_corrections(db: Database) -> None:
    """Corrections by their time, from however many texts; and by what they are narrowed, without a look at the articles. SQLite reads
    no row where an index has all columns of a query, those of the index's own condition, too."""
    for statement in (
        "create index versions_changed on versions (fetched_at, article_id, page_id, version, cause) where version > 1 and cause = 'site'",
        "create index articles_changed on articles (source_id, language, section, version_count) where version_count > 1",
        "drop index articles_gone",
        "create index articles_gone on articles (gone_at, source_id, language, section) where gone_at is not null",
    ):
        db.conn.execute(statement)


@migrations()
def m034_alert_failures(db: Database) -> None:
    """Since when a receiver of an alert takes nothing, and when that was said last: not in every run."""
    db.conn.execute(
        """create table alert_failures (
            alert_id integer not null references alerts (id) on delete cascade,
            way text not null,
            since text not null,
            told_at text not null,
            reason text not null,
            primary key (alert_id, way)
        ) strict, without rowid"""
    )


def _seen(since: str, before: str) -> str:
    """SQL for how many articles of a source were first seen so many days ago or later."""
    stamp = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-{} days')"
    until = f" and first_seen_at < {stamp.format(before)}" if before else ""
    return f"(select count(*) from articles where source_id = sources.id and first_seen_at >= {stamp.format(since)}{until})"


@migrations()
def m035_articles_of_a_source_by_first_sight(db: Database) -> None:
    """How many articles each source had lately is counted along an index: of 500 sources with 36 articles a day in 60 ms instead of 280,
    and of one source in no time."""
    for statement in (
        "create index articles_source_seen on articles (source_id, first_seen_at)",
        "drop view source_health",
        f"""create view source_health as
        with listings as (
            select source_id, sum(missed) as missed, max(missed_at) as missed_at from feeds group by source_id
        ), seen as (
            select id as source_id, {_seen("7", "")} as articles_7d, {_seen("28", "7")} as articles_before from sources
        )
        select sources.id as source_id, sources.name, sources.status, sources.reason, sources.last_success_at,
               sources.last_new_article_at, seen.articles_7d, seen.articles_7d + seen.articles_before as articles_28d,
               round(nullif(seen.articles_before, 0) / 3.0, 1) as usual_7d,
               round(habits.silent_hours, 1) as silent_hours, round(habits.patience_hours, 1) as patience_hours,
               habits.articles as recent_articles, habits.no_title, habits.no_date, habits.no_author, habits.short,
               habits.no_article, habits.robots, listings.missed, listings.missed_at, sources.consecutive_failures
        from sources join seen on seen.source_id = sources.id left join habits on habits.source_id = sources.id
        left join listings on listings.source_id = sources.id""",
    ):
        db.conn.execute(statement)


def unknown_migrations(connection: sqlite3.Connection) -> set[str]:
    """Migrations this file has had that this release does not know: it was written by a newer one."""
    return _applied(connection) - {migration.name for migration in migrations._migrations}


def missing_migrations(connection: sqlite3.Connection) -> list[str]:
    """Migrations this release knows and this file has not had yet, in their order."""
    applied = _applied(connection)
    return [migration.name for migration in migrations._migrations if migration.name not in applied]


def _applied(connection: sqlite3.Connection) -> set[str]:
    return {
        row[0] for row in connection.execute("select name from _sqlite_migrations where migration_set = 'broadsheet'")
    }
