"""The tables, indexes and views of the first edition: the SQL of the first migration in schema.py. Released, so never edited."""

TABLES = """
create table sources (
    id integer primary key,
    name text not null,
    url text not null unique,
    domain text not null,
    category text,
    language text,
    timezone text,
    enabled integer not null default 1 check (enabled in (0, 1)),
    status text not null default 'new' check (status in ('new', 'ok', 'quiet', 'broken', 'changed', 'blocked', 'off')),
    reason text,
    last_success_at text,
    last_new_article_at text,
    consecutive_failures integer not null default 0
) strict;

create table hosts (
    host text primary key,
    robots text,
    robots_status integer,
    robots_fetched_at text,
    crawl_delay real,
    not_before text,
    tdm_reservation integer
) strict;

create table feeds (
    id integer primary key,
    source_id integer not null references sources (id),
    url text not null unique,
    kind text not null check (kind in ('rss', 'atom', 'json', 'news_sitemap', 'sitemap', 'homepage')),
    etag text,
    last_modified text,
    poll_minutes integer,
    next_fetch_at text,
    last_fetched_at text,
    last_status text
) strict;

create table articles (
    id integer primary key,
    url text not null unique,
    source_id integer references sources (id),
    title text,
    description text,
    authors text check (authors is null or json_valid(authors)),
    date_published text,
    date_published_raw text,
    date_published_source text not null default 'none'
        check (date_published_source in ('jsonld', 'meta', 'feed', 'sitemap', 'url', 'page', 'none')),
    date_modified text,
    sort_at text not null,
    language text,
    section text,
    keywords text check (keywords is null or json_valid(keywords)),
    image_url text,
    site_name text,
    word_count integer not null,
    is_accessible_for_free integer check (is_accessible_for_free in (0, 1)),
    content_hash text not null,
    extractor text not null,
    first_seen_at text not null,
    last_fetched_at text not null,
    gone_at text,
    version_count integer not null default 1,
    story_id integer references stories (id),
    text text not null  -- last: SQLite reads a row from its front, and nearly every query can leave the text unread
) strict;

create table pages (
    id integer primary key,
    url text not null unique,
    source_id integer references sources (id),
    via text not null check (via in ('feed', 'news_sitemap', 'sitemap', 'homepage', 'listed', 'file', 'warc')),
    hints text check (hints is null or json_valid(hints)),
    state text not null check (state in ('pending', 'article', 'duplicate', 'refused', 'failed')),
    reason text,
    article_id integer references articles (id),
    similarity real,
    title text,
    titles text check (titles is null or json_valid(titles)),
    date_published text,
    http_status integer,
    etag text,
    last_modified text,
    attempts integer not null default 0,
    discovered_at text not null,
    last_fetched_at text,
    next_fetch_at text,
    warc text,
    warc_offset integer,
    extractor text,
    check ((state in ('article', 'duplicate')) = (article_id is not null)),
    check (state in ('pending', 'article') or reason is not null)
) strict;

create table versions (
    id integer primary key,
    article_id integer not null references articles (id),
    page_id integer not null references pages (id),
    version integer not null,
    fetched_at text not null,
    title text,
    content_hash text not null,
    words_added integer not null,
    words_removed integer not null,
    text text not null
) strict;

create table stories (
    id integer primary key,
    title text,
    first_seen_at text not null,
    last_seen_at text not null,
    article_count integer not null,
    source_count integer not null
) strict;

create table moved (
    kind text not null check (kind in ('article', 'story')),
    old_id integer not null,
    new_id integer not null,
    primary key (kind, old_id)
) strict;

create table fingerprints (
    hash integer not null,
    article_id integer not null references articles (id),
    primary key (hash, article_id)
) strict, without rowid;

create table runs (
    id integer primary key,
    started_at text not null,
    finished_at text,
    status text not null check (status in ('running', 'ok', 'partial', 'failed', 'killed')),
    version text not null,
    argv text not null,
    reason text,
    counts text check (counts is null or json_valid(counts))
) strict;

create index feeds_source on feeds (source_id);
create index pages_source on pages (source_id);
create index pages_article on pages (article_id);
create index pages_state on pages (state, next_fetch_at);
create unique index pages_one_article_page on pages (article_id) where state = 'article';
create index articles_sort on articles (sort_at);
create index articles_source on articles (source_id, sort_at);
create index articles_seen on articles (first_seen_at, source_id);
create index articles_language on articles (language);
create index articles_section on articles (section);
create index articles_gone on articles (gone_at) where gone_at is not null;
create index articles_hash on articles (content_hash);
create index articles_story on articles (story_id);
create index versions_article on versions (article_id, version);
create index versions_page on versions (page_id)
"""

VIEWS = """
create view latest as
    select articles.id, articles.title, sources.name as source, articles.sort_at, articles.url, articles.story_id
    from articles left join sources on sources.id = articles.source_id
    order by articles.sort_at desc;

create view copies as
    select articles.id as article_id, articles.title, original.name as source, pages.url as copy_url,
           copier.name as copy_source, pages.title as copy_title, pages.date_published as copy_date,
           pages.similarity, pages.reason as kind
    from pages
    join articles on articles.id = pages.article_id
    left join sources as original on original.id = articles.source_id
    left join sources as copier on copier.id = pages.source_id
    where pages.state = 'duplicate' and pages.reason in ('text', 'near');

create view changed as
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
    where articles.gone_at is not null;

create view source_health as
    with seen as (
        select source_id, count(*) as articles_28d,
               count(*) filter (where first_seen_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-7 days')) as articles_7d
        from articles where first_seen_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-28 days')
        group by +source_id  -- the plus keeps SQLite on the index of dates
    )
    select sources.id as source_id, sources.name, sources.status, sources.reason, sources.last_success_at,
           sources.last_new_article_at, coalesce(seen.articles_7d, 0) as articles_7d,
           coalesce(seen.articles_28d, 0) as articles_28d
    from sources left join seen on seen.source_id = sources.id;

create view run_summary as
    select runs.id as run_id, runs.started_at,
           cast(round((julianday(runs.finished_at) - julianday(runs.started_at)) * 86400) as integer) as seconds,
           source.key as source,
           source.value ->> 'found' as found, source.value ->> 'known' as known, source.value ->> 'new' as new,
           source.value ->> 'updated' as updated, source.value ->> 'duplicate' as duplicate,
           source.value ->> 'refused' as refused, source.value ->> 'failed' as failed,
           source.value ->> 'pending' as pending
    from runs, json_each(runs.counts, '$.sources') as source
"""

FULL_TEXT = (
    "create virtual table articles_fts using fts5 (title, description, text, content=[articles], content_rowid=[id])",
    """create trigger articles_fts_insert after insert on articles begin
        insert into articles_fts (rowid, title, description, text) values (new.id, new.title, new.description, new.text);
    end""",
    """create trigger articles_fts_delete after delete on articles begin
        insert into articles_fts (articles_fts, rowid, title, description, text)
        values ('delete', old.id, old.title, old.description, old.text);
    end""",
    """create trigger articles_fts_update after update of title, description, text on articles begin
        insert into articles_fts (articles_fts, rowid, title, description, text)
        values ('delete', old.id, old.title, old.description, old.text);
        insert into articles_fts (rowid, title, description, text) values (new.id, new.title, new.description, new.text);
    end""",
)
