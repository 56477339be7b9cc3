"""The first nineteen migrations of news.db, released and never edited: what an archive of the beginning became. Newer ones, and
what all of this is: schema.py."""

from pipelines.database.first_edition import FULL_TEXT, TABLES, VIEWS
from pipelines.database.sqlite import Database, Migrations
from pipelines.text import CJK

APPLICATION_ID = 0x42524453
"""`BRDS`: PRAGMA application_id of every Broadsheet database, so that no other program's file is ever touched."""

NOWHERE = 0
"""moved.new_id of an article or story that is no more. No row has this id, and the old one is not given to another."""

FORGOTTEN = "forgotten"
"""pages.reason of a page that was taken down."""

migrations = Migrations("broadsheet")


@migrations()
def m001_first_edition(db: Database) -> None:
    """Everything the first edition stores; tables that later editions fill are empty until then."""
    db.conn.execute(f"pragma application_id = {APPLICATION_ID}")
    for statement in (*TABLES.split(";\n"), *VIEWS.split(";\n"), *FULL_TEXT):
        db.conn.execute(statement)


@migrations()
def m002_copies_and_stories(db: Database) -> None:
    """What near copies need: the words a page gave last, what the stored prints depend on."""
    for statement in (
        "alter table pages add column content_hash text",
        """update pages set content_hash = (select content_hash from articles where articles.id = pages.article_id)
           where state = 'article' or reason = 'text'""",
        "create index pages_hash on pages (content_hash) where content_hash is not null",
        """create table signatures (
            version integer primary key,
            parameters text not null check (json_valid(parameters))
        ) strict""",
    ):
        db.conn.execute(statement)


@migrations()
def m003_when_to_look_again(db: Database) -> None:
    """What the next look at a feed depends on, and what a source's health is judged by."""
    for statement in (
        "alter table feeds add column entries integer",
        "alter table feeds add column peak_per_hour real",
        "alter table feeds add column asked_minutes integer",
        "alter table feeds add column failures integer not null default 0",
        "alter table feeds add column last_new_at text",
        "alter table feeds add column missed integer not null default 0",
        "alter table feeds add column missed_at text",
        "alter table feeds add column moved_to text",
        "alter table feeds add column parent text",
        "create index pages_due on pages (next_fetch_at) where next_fetch_at is not null",
    ):
        db.conn.execute(statement)


@migrations()
def m004_health(db: Database) -> None:
    """What a source usually does, and a view of health that shows it."""
    db.conn.execute(
        """create table habits (
            source_id integer primary key references sources (id),
            silent_hours real not null,
            patience_hours real,
            look_hours real not null,
            articles integer not null,
            no_title integer not null,
            no_date integer not null,
            no_author integer not null,
            short integer not null,
            no_article integer not null,
            robots integer not null,
            changed_at text,
            gaps text not null check (json_valid(gaps)),
            recent text not null check (json_valid(recent)),
            before text not null check (json_valid(before))
        ) strict"""
    )
    db.conn.execute("drop view source_health")
    db.conn.execute(
        """create view source_health as
        with seen as (
            select source_id, count(*) as articles_28d,
                   count(*) filter (where first_seen_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-7 days')) as articles_7d
            from articles where first_seen_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-28 days')
            group by +source_id  -- the plus keeps SQLite on the index of dates
        ), listings as (
            select source_id, sum(missed) as missed, max(missed_at) as missed_at from feeds group by source_id
        )
        select sources.id as source_id, sources.name, sources.status, sources.reason, sources.last_success_at,
               sources.last_new_article_at, coalesce(seen.articles_7d, 0) as articles_7d,
               coalesce(seen.articles_28d, 0) as articles_28d,
               round(nullif(seen.articles_28d - seen.articles_7d, 0) / 3.0, 1) as usual_7d,
               round(habits.silent_hours, 1) as silent_hours, round(habits.patience_hours, 1) as patience_hours,
               habits.articles as recent_articles, habits.no_title, habits.no_date, habits.no_author, habits.short,
               habits.no_article, habits.robots, listings.missed, listings.missed_at, sources.consecutive_failures
        from sources left join seen on seen.source_id = sources.id left join habits on habits.source_id = sources.id
        left join listings on listings.source_id = sources.id"""
    )


@migrations()
def m005_busy_hosts(db: Database) -> None:
    """Since when a host answers that it is too busy: how long to wait depends on it."""
    db.conn.execute("alter table hosts add column busy_since text")


@migrations()
def m006_recheck_what_is_recent(db: Database) -> None:
    """Articles of the last week that were stored before there were rechecks are looked at again."""
    db.conn.execute(
        """update pages set next_fetch_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
           where state = 'article' and next_fetch_at is null and via not in ('file', 'warc')
                 and discovered_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-7 days')"""
    )


def spaced(text: str) -> str:
    """SQL for a text with a space on either side of every letter of CJK, so that the tokenizer takes each for a word.

    Letter by letter, 2.5 microseconds each, out of pieces of 256, since substr() counts from the front each time. A text
    without a character as high as U+2E80 is left alone: testing that takes 0.05 microseconds a character.
    """
    return f"""case when {text} glob '*[⺀-𿿽]*' then (
        with recursive letters(piece, at, next) as (
            select substr({text}, 1, 256), 1, 257
            union all
            select iif(at < 256, piece, substr({text}, next, 256)), at % 256 + 1, next + iif(at < 256, 0, 256)
            from letters where at < length(piece) or (at = 256 and substr({text}, next, 1) <> '')
        ), each(letter) as (select substr(piece, at, 1) from letters)
        select group_concat(iif(letter glob '[{CJK}]', ' ' || letter || ' ', letter), '') from each
    ) else {text} end"""


_INDEXED = (
    "articles_fts (rowid, title, description, text) select id, title, description, text from articles_words where id ="
)
_FORGOTTEN = "articles_fts (articles_fts, rowid, title, description, text) select 'delete', id, title, description, text from articles_words where id ="


@migrations()
def m007_words_of_every_script(db: Database) -> None:
    """The full-text index finds words of Chinese, Japanese and Korean; indexes for the newest of a language or section."""
    for statement in (
        "drop trigger articles_fts_insert",
        "drop trigger articles_fts_update",
        "drop trigger articles_fts_delete",
        "drop table articles_fts",
        f"""create view articles_words as select id, {spaced("title")} as title, {spaced("description")} as description,
            {spaced("text")} as text from articles""",
        "create virtual table articles_fts using fts5 (title, description, text, content=[articles_words], content_rowid=[id])",
        f"create trigger articles_fts_insert after insert on articles begin insert into {_INDEXED} new.id; end",
        f"create trigger articles_fts_delete before delete on articles begin insert into {_FORGOTTEN} old.id; end",
        f"create trigger articles_fts_change before update of title, description, text on articles begin insert into {_FORGOTTEN} old.id; end",
        f"create trigger articles_fts_update after update of title, description, text on articles begin insert into {_INDEXED} new.id; end",
        "insert into articles_fts (articles_fts) values ('rebuild')",
        "drop index articles_language",
        "drop index articles_section",
        "create index articles_language on articles (language, sort_at)",
        "create index articles_section on articles (section, sort_at)",
    ):
        db.conn.execute(statement)


_NOTE_CHANGE = "insert or ignore into story_changes (article_id, sort_at, story_id)"


@migrations()
def m008_stories_of_what_changed(db: Database) -> None:
    """What stories are renewed by: which articles changed, and an index of words and passages to find their neighbours in."""
    for statement in (
        """create table story_changes (
            article_id integer not null,
            sort_at text not null,
            story_id integer,
            primary key (article_id, sort_at)
        ) strict, without rowid""",
        """create table story_frames (
            id integer primary key,
            first_day text not null,
            last_day text not null,
            articles integer not null,
            changes integer not null,
            common text not null check (json_valid(common))
        ) strict""",
        """create table story_frequencies (
            frame_id integer not null,
            term integer not null,
            number integer not null,
            primary key (frame_id, term)
        ) strict, without rowid""",
        """create table story_articles (
            article_id integer primary key,
            day real not null,
            cluster integer,
            vector blob,
            prints blob not null,
            words blob not null
        ) strict""",
        "create index story_articles_cluster on story_articles (cluster)",
        """create table story_terms (
            term integer not null,
            day real not null,
            article_id integer not null,
            primary key (term, day, article_id)
        ) strict, without rowid""",
        """create table story_prints (
            hash integer not null,
            day real not null,
            article_id integer not null,
            primary key (hash, day, article_id)
        ) strict, without rowid""",
        f"""create trigger story_changes_insert after insert on articles begin
            {_NOTE_CHANGE} values (new.id, new.sort_at, null); end""",
        """create trigger story_changes_delete after delete on articles begin
            insert or replace into story_changes (article_id, sort_at, story_id) values (old.id, old.sort_at, old.story_id); end""",
        f"""create trigger story_changes_update after update of url, title, text, sort_at, source_id, first_seen_at on articles
            when old.url <> new.url or old.title is not new.title or old.text <> new.text or old.sort_at <> new.sort_at
                 or old.source_id is not new.source_id or old.first_seen_at <> new.first_seen_at
            begin {_NOTE_CHANGE} values (old.id, old.sort_at, null), (new.id, new.sort_at, null); end""",
        f"""{_NOTE_CHANGE} select articles.id, sort_at, null from runs join articles
                on articles.id > runs.counts ->> 'newest_article_before' or articles.last_fetched_at >= runs.started_at
            where runs.status = 'running'""",
    ):
        db.conn.execute(statement)


@migrations()
def m009_dateline(db: Database) -> None:
    """The place that opens a report."""
    db.conn.execute("alter table articles add column dateline text")


@migrations()
def m010_kicker(db: Database) -> None:
    """The small line above a title."""
    db.conn.execute("alter table articles add column kicker text")


@migrations()
def m011_language_declared(db: Database) -> None:
    """What a page says of its language, beside what its text says."""
    db.conn.execute("alter table articles add column language_declared text")


@migrations()
def m012_what_sitemaps_left_out(db: Database) -> None:
    """Whose addresses a sitemap may name, and which of its addresses without a date were offered or left out before."""
    for statement in (
        "alter table feeds add column speaks_for text",
        "alter table feeds add column left_out integer not null default 0",
        """create table feed_prints (
            feed_id integer primary key references feeds (id) on delete cascade,
            prints blob not null
        ) strict""",
    ):
        db.conn.execute(statement)


@migrations()
def m013_reservations(db: Database) -> None:
    """What a page asks robots not to do with it."""
    db.conn.execute(
        "alter table pages add column reservations text check (reservations is null or json_valid(reservations))"
    )


@migrations()
def m014_relinked(db: Database) -> None:
    """Feeds whose links change although their entries do not."""
    db.conn.execute("alter table feeds add column relinked_at text")


@migrations()
def m015_empty_sources_and_notices(db: Database) -> None:
    """A source may be empty; what the words of a page are that may be a notice instead of an article.

    A list of allowed words is no part of a table's rows, so only its text is changed: SQLite, ALTER TABLE, 7.
    """
    (version,) = db.execute("pragma schema_version").fetchone()
    for statement in (
        "alter table habits add column empty_looks integer",
        """update habits set empty_looks = 0
           where source_id in (select id from sources where last_new_article_at is null) and articles = 0""",
        "alter table pages add column notice text",
        "create index pages_notice on pages (notice) where notice is not null",
        "pragma writable_schema = on",
        """update sqlite_schema set sql = replace(sql, '''blocked'', ''off''', '''blocked'', ''empty'', ''off''')
           where type = 'table' and name = 'sources'""",
        f"pragma schema_version = {version + 10}",
        "pragma writable_schema = off",
    ):
        db.conn.execute(statement)


@migrations()
def m016_text_of_the_feed(db: Database) -> None:
    """Who told an article's text; and what feeds tell of pages that have not given theirs yet."""
    for statement in (
        "alter table articles add column text_source text",
        """create table feed_texts (
            page_id integer primary key references pages (id),
            html text not null
        ) strict""",
    ):
        db.conn.execute(statement)


@migrations()
def m017_unchecked(db: Database) -> None:
    """Whether a page came from a server whose certificate nobody has checked."""
    db.conn.execute("alter table pages add column unchecked integer")


@migrations()
def m018_what_entries_said(db: Database) -> None:
    """What a feed said of an address, as a print: that it says something else now is a reason to look again."""
    for statement in (
        "alter table pages add column entry blob",
        "alter table feeds add column restless integer not null default 0",
    ):
        db.conn.execute(statement)


@migrations()
def m019_moved_addresses(db: Database) -> None:
    """Articles whose address is gone while another of their site has the text: they moved, and are not gone."""
    for statement in (
        "create index pages_moved on pages (last_fetched_at) where state = 'duplicate' and reason = 'canonical' and http_status in (404, 410)",
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
