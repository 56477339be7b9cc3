"""Texts whose publishers reserve text and data mining (TDMRep, W3C community group): what may not go to others.

What a page says itself was recorded when it was read; a host may have said it since, or its tdmrep.json was read later.
"""

import json
from sqlite3 import Connection

from crawler.path_patterns import Tdmrep
from crawler.urls import host_of

_PAGES = """create temp table reserved_pages as
    select id, article_id, state, reason from pages
    where exists (select 1 from json_each(pages.reservations) where value = 'tdm-reservation')
          or (reason is not 'redirect' and is_reserved_by_host(url)
              and not exists (select 1 from json_each(pages.reservations) where value = 'tdm-reservation=0'))"""
"""Where the page reserves it, its meta element before its header, or its host did for its path when it was read; else where the
host does by what is known of it now. Of a redirect the address that answers counts."""

_ARTICLES = """create temp table reserved_articles as
    select distinct article_id as id from reserved_pages
    where article_id is not null and (state = 'article' or reason not in ('text', 'near'))"""
"""Where an article's own address reserves it, or one that leads to it. Whoever copies a text reserves only the own copy."""


def find_reserved(base: Connection) -> None:
    """Make the temporary tables `reserved_pages` and `reserved_articles`, by their ids; of an archive of this release."""
    files = dict(base.execute("select host, tdmrep from hosts where tdmrep is not null"))
    hosts = {host: Tdmrep(json.loads(rules)) for host, rules in files.items()}

    def is_reserved_by_host(url: str) -> bool:
        rules = hosts.get(host_of(url)) if hosts else None
        return rules is not None and rules.reservation_of(url) == 1

    base.create_function("is_reserved_by_host", 1, is_reserved_by_host, deterministic=True)
    for sql in (_PAGES, _ARTICLES):
        base.execute(sql)
