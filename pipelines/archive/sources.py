"""The table `sources`: what sources.toml names, and the sites that an import met. Called within the writer's transaction."""

import json
from collections.abc import Iterable, Mapping

from crawler.folders import tidy
from crawler.items import LOCAL, Page, Source
from crawler.urls import OUTLET, default_name, origin_of, outlet_url, site_of
from pipelines.archive.rows import insert
from pipelines.database.sqlite import Database


def sync(db: Database, sources: Iterable[Source]) -> dict[str | None, Source]:
    """Make the table say what sources.toml says; a source that is no longer named is off, its rows stay.

    Returns those that may be asked, by address and by site.
    """
    sources = tuple(sources)
    named = json.dumps([source.url for source in sources])
    entry_points = json.dumps([url for source in sources for url in (*source.feeds, *source.sitemaps)])
    db.execute(
        """update sources set enabled = 0, status = 'off', reason = 'not in sources.toml'
           where url not in (select value from json_each(?))""",
        [named],
    )
    db.execute(
        "update feeds set moved_to = null where moved_to is not null and url not in (select value from json_each(?))",
        [entry_points],
    )
    for source in sources:
        _sync_one(db, source)
    enabled = [source for source in sources if source.enabled]
    return {key: source for source in enabled for key in (source.url, site_of(source.url))}


def _sync_one(db: Database, source: Source) -> None:
    db.execute(  # an outlet of saved pages that is a site now: its articles become the site's
        "update sources set url = ?1 where url = ?2 and not exists (select 1 from sources where url = ?1)",
        [source.url, outlet_url(source.name)],
    )
    row = {
        "name": source.name, "url": source.url, "domain": site_of(source.url), "category": tidy(source.category),
        "language": source.language, "timezone": source.timezone, "enabled": int(source.enabled),
    }  # fmt: skip
    db.execute(
        """insert into sources (name, url, domain, category, language, timezone, enabled, status)
           values (:name, :url, :domain, :category, :language, :timezone, :enabled, 'new')
           on conflict (url) do update set name = excluded.name, domain = excluded.domain, category = excluded.category,
               language = excluded.language, timezone = excluded.timezone, enabled = excluded.enabled,
               reason = case when status <> 'off' then reason end,
               status = case when status <> 'off' then status when last_success_at is null then 'new' else 'ok' end""",
        row,
    )
    if not source.enabled:
        sql = "update sources set status = 'off', reason = 'enabled = false in sources.toml' where url = ?"
        db.execute(sql, [source.url])


def id_of(db: Database, source: Source) -> int:
    """The row of a source of sources.toml, or of an outlet by its name; an import may be the first to name it."""
    if source.url.startswith(OUTLET):
        return _id_of_outlet(db, source)
    row = db.conn.execute("select id from sources where url = ?", [source.url]).fetchone()
    if row:
        return int(row[0])
    _sync_one(db, source)
    return id_of(db, source)


def _id_of_outlet(db: Database, outlet: Source) -> int:
    """The source that has this name or address, however it came here; else a new one that is off."""
    sql = "select id from sources where ? in (name, url) order by enabled desc, id limit 1"
    row = db.conn.execute(sql, [outlet.name]).fetchone()
    return int(row[0]) if row else _insert_unwatched(db, outlet.name, outlet.url, "")


def finder_of(db: Database, page: Page) -> int | None:
    """The source that named a page; one that nobody found, a copy or a listed page, belongs to the site that it is of."""
    if page.source and page.via not in LOCAL and not page.source.url.startswith(OUTLET):
        return id_of(db, page.source)
    return id_for(db, page)


def id_for(db: Database, page: Page) -> int | None:
    """The source whose site answered, else the one that named the page; a host nobody named becomes one that is off.

    The outlet that a person named comes before a site that was never watched: in which order pages come must not matter.
    """
    domain = site_of(page.final_url)
    named = page.source.url if page.source else ""
    known = "domain = ? and (enabled or last_success_at is not null)" if named.startswith(OUTLET) else "domain = ?"
    sql = f"select id from sources where {known} order by url = ? desc, enabled desc, id limit 1"
    row = db.conn.execute(sql, [domain, named]).fetchone()
    if row:
        return int(row[0])
    if page.source:
        return id_of(db, page.source)
    front_page = f"{origin_of(page.final_url)}/"
    return _insert_unwatched(db, default_name(front_page), front_page, domain) if domain else None


def _insert_unwatched(db: Database, name: str, url: str, domain: str) -> int:
    row = {"name": name, "url": url, "domain": domain, "enabled": 0, "status": "off"}
    return insert(db, "sources", row | {"reason": "only imported or listed, not in sources.toml"})


def note_postponed(db: Database, postponed: Mapping[str, str]) -> None:
    """Say of sources that there is nothing else to say of, why something due was not asked in this run."""
    db.execute("update sources set reason = null where reason like 'waits: %'")
    for url, reason in postponed.items():
        db.execute("update sources set reason = coalesce(reason, 'waits: ' || ?) where url = ?", [reason, url])


def others_are_well(db: Database, unread: Iterable[str]) -> bool:
    """Whether a source that is watched could be read when it was last due, and was not due in this run."""
    sql = """select exists (select 1 from sources where enabled and last_success_at is not null and consecutive_failures = 0
                            and url not in (select value from json_each(?)))"""
    return bool(db.execute(sql, [json.dumps([*unread])]).fetchone()[0])
