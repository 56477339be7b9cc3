"""Outbox of alerts: hits are noted first, then sent, then marked. What is noted and not marked is sent at the next run.

A crawl may write beside it: every transaction here is short. Triggers note which articles were stored or changed (migration 32),
so that only these are looked at, whatever time they carry.
"""

import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from crawler.items import Alert
from crawler.times import moment_of
from pipelines.publish.categories import has_sources, named
from pipelines.publish.queries import source_numbers
from pipelines.publish.search import Filters, among, expression

Row = dict[str, Any]

MOST = 500
"""Articles of one message. After an import of old papers there may be thousands."""

IN_FILE = 200
"""Articles of an Atom file, those found last: what a feed reader that comes once a day would see of a busy alert."""


TELL_AGAIN, TELL_ANOTHER = timedelta(days=1), timedelta(hours=1)
"""After which a failure is told again: of the same reason, and of another. A receiver that is down has one for every few minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that has not arrived yet."""

    alert_id: int
    batch: int
    way: str  #: one of WAYS, without `file`
    key: str  #: the same at every attempt: a receiver can tell a repeat by it
    articles: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A receiver that takes nothing."""

    reason: str  #: in words
    since: str  #: when that began, ISO 8601 UTC
    waiting: int  #: messages that wait for it; 0 of a file
    is_news: bool  #: whether a person is to be told: at first, for another reason, once a day


class UnknownSource(Exception):
    """An alert is of a source, or of a category of sources, that the archive does not have."""


def words_of(alert: Alert) -> str:
    """The expression() of its query, which sources.toml was checked to have a word of."""
    return expression(alert.query) or '""'


def filters_of(base: sqlite3.Connection, alert: Alert) -> Filters:
    """What narrows it. Raises UnknownSource."""
    number = None
    if alert.source is not None:
        numbers = {name.casefold(): number for name, number in source_numbers(base).items()}
        if (number := numbers.get(alert.source.casefold())) is None:
            raise UnknownSource(f"alert {alert.name!r}: no source is called {alert.source!r}")
    category = named(alert.category)
    if category is not None and not has_sources(base, category):
        raise UnknownSource(f"alert {alert.name!r}: no source is in the category {category!r}")
    return Filters(source=number, category=category, language=alert.language, section=alert.section)


def number_of(base: sqlite3.Connection, alert: Alert) -> int | None:
    """alerts.id; None for one that has not been watched for yet."""
    found = base.execute("select id from alerts where name = ?", [alert.name]).fetchone()
    return int(found[0]) if found else None


def begin(base: sqlite3.Connection, alert: Alert, now: str) -> int:
    """Watch for a new alert: what the archive holds by now is not sent. Returns its number."""
    with _transaction(base):
        base.execute(_BEGIN, [alert.name, alert.query, now])
        return int(base.execute("select id from alerts where name = ?", [alert.name]).fetchone()[0])


_BEGIN = """insert into alerts (name, words, since, last_change)
    select ?, ?, ?, coalesce(max(id), 0) from alert_changes"""


def new_hits(base: sqlite3.Connection, alert: Alert, number: int) -> tuple[list[int], int]:
    """The articles that were stored or changed since the last look, are found and were not noted before; and the last change that
    was looked at."""
    (last,) = base.execute(_LAST, [number]).fetchone()
    changed = [row[0] for row in base.execute(_CHANGED, {"alert": number, "last": last})]
    return among(base, words_of(alert), filters_of(base, alert), changed), last


_LAST = "select max(last_change, coalesce((select max(id) from alert_changes), 0)) from alerts where id = ?"

_CHANGED = """
    select distinct article_id from alert_changes
    where id > (select last_change from alerts where id = :alert) and id <= :last
          and not exists (select 1 from alert_hits where alert_id = :alert and article_id = alert_changes.article_id)
"""


def note(base: sqlite3.Connection, alert: Alert, number: int, now: str) -> int:
    """Note what is new for a message by each way; returns how many articles. A kill leaves each message noted whole or not at all."""
    found, last = new_hits(base, alert, number)
    for start in range(0, len(found), MOST):
        articles = found[start : start + MOST]
        with _transaction(base):
            (batch,) = base.execute(_NEXT_BATCH).fetchone()
            base.executemany(_HIT, [(number, article, batch, now) for article in articles])
            for way in alert.ways:
                if way != "file":
                    key = _key(base, alert.name, way, articles)
                    base.execute(_MESSAGE, [number, batch, way, key])
    with _transaction(base):
        base.execute("update alerts set words = ?, last_change = ? where id = ?", [alert.query, last, number])
    return len(found)


_NEXT_BATCH = """select 1 + max(coalesce((select max(batch) from alert_hits), 0), coalesce((select max(batch) from alert_messages), 0))"""

_HIT = "insert or ignore into alert_hits (alert_id, article_id, batch, found_at) values (?, ?, ?, ?)"

_MESSAGE = "insert into alert_messages (alert_id, batch, way, key) values (?, ?, ?, ?)"


def _key(base: sqlite3.Connection, name: str, way: str, articles: Sequence[int]) -> str:
    """A UUID of what is sent to whom: alert, way and addresses of the articles."""
    marks = ",".join("?" * len(articles))
    urls = [row[0] for row in base.execute(f"select url from articles where id in ({marks}) order by url", articles)]
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join((name, way, *urls))))


def forget_changes(base: sqlite3.Connection, names: Sequence[str]) -> None:
    """Drop the changes that all these alerts have looked at; the last stays, so that no number is given twice."""
    marks = ",".join("?" * len(names))
    with _transaction(base):
        base.execute(
            f"delete from alert_changes where id < (select min(last_change) from alerts where name in ({marks}))",
            list(names),
        )


def waiting(base: sqlite3.Connection, number: int, way: str) -> Iterator[Waiting]:
    """The messages that have not arrived by a way, those first that were tried least: one that a receiver does not take keeps no
    other back."""
    rows = base.execute(_WAITING, [number, way]).fetchall()
    for batch, key in rows:
        articles = [row[0] for row in base.execute(_ARTICLES, [batch])]
        yield Waiting(alert_id=number, batch=batch, way=way, key=key, articles=articles)


_WAITING = """select batch, key from alert_messages where alert_id = ? and way = ? and sent_at is null
    order by attempts, batch"""

_ARTICLES = "select article_id from alert_hits where batch = ? order by article_id"


def try_it(base: sqlite3.Connection, message: Waiting, now: str) -> None:
    """Note an attempt before it is made: what cannot be marked afterwards, on a full disk, is not sent either."""
    _mark(base, message, "attempts = attempts + 1, tried_at = ?", now)


def sent(base: sqlite3.Connection, message: Waiting, now: str) -> None:
    """Mark what a receiver has accepted."""
    _mark(base, message, "sent_at = ?, reason = null", now)


def not_sent(base: sqlite3.Connection, message: Waiting, reason: str) -> None:
    """Note why it did not arrive."""
    _mark(base, message, "reason = ?", reason)


def _mark(base: sqlite3.Connection, message: Waiting, what: str, value: str) -> None:
    base.execute(f"update alert_messages set {what} where batch = ? and way = ?", [value, message.batch, message.way])


def failed(base: sqlite3.Connection, number: int, way: str, reason: str, now: str) -> Failure:
    """Note that a way has failed."""
    known = base.execute(_FAILURE, [number, way]).fetchone()
    since, told_at, told = known or (now, None, None)
    (waiting,) = base.execute(_COUNT, [number, way]).fetchone()
    silent = moment_of(now) - moment_of(told_at) if told_at else None
    is_news = silent is None or silent >= (TELL_AGAIN if reason == told else TELL_ANOTHER)
    if is_news:
        base.execute("insert or replace into alert_failures values (?, ?, ?, ?, ?)", [number, way, since, now, reason])
    return Failure(reason=reason, since=since, waiting=waiting, is_news=is_news)


_FAILURE = "select since, told_at, reason from alert_failures where alert_id = ? and way = ?"

_COUNT = "select count(*) from alert_messages where alert_id = ? and way = ? and sent_at is null"


def recovered(base: sqlite3.Connection, number: int, way: str) -> None:
    """Note that a way has not failed."""
    base.execute("delete from alert_failures where alert_id = ? and way = ?", [number, way])


def found_last(base: sqlite3.Connection, number: int) -> list[int]:
    """The articles of an alert's file, those first that were found last."""
    sql = """select article_id from alert_hits where alert_id = ? and article_id in (select id from articles)
        order by batch desc, article_id desc limit ?"""
    return [row[0] for row in base.execute(sql, [number, IN_FILE])]


@contextmanager
def _transaction(base: sqlite3.Connection) -> Iterator[None]:
    """A short write, begun at once: it waits for a crawl's, and never has to be begun again."""
    base.execute("begin immediate")
    try:
        yield
    except BaseException:
        base.execute("rollback")
        raise
    base.execute("commit")
