"""Last visit: what is new on the front page since a reader was here, without an account. Two times in a cookie, and nothing else.

An archive's owner has it at once. A public site sets no cookie before a visitor asks for one: its front page stays the same for all,
and in caches.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from datasette.utils.asgi import Request, Response

from crawler.times import stamp
from pipelines.publish import requests
from pipelines.publish.formatting import instant
from pipelines.publish.guard import is_public
from pipelines.publish.search import Filters

if TYPE_CHECKING:
    from datasette.app import Datasette

COOKIE = "visits"

KEPT = 365 * 24 * 3600
"""Seconds that a browser keeps it."""

PAUSE = timedelta(minutes=30)
"""After as long without a look a new visit begins: who comes back from an article still sees what was new. As web analytics count."""

COUNTED = 5_000
"""Articles seen last among which the new ones are counted: 10 ms, or 20 by a category."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A reader's visit of the front page."""

    before: str | None  #: when the visit before this one ended; None for the first
    now: str

    @property
    def cookie(self) -> str:
        """Its two times, for the next look."""
        return "_".join(filter(None, (self.before, self.now)))


def visit(said: str | None, now: datetime) -> Visit:
    """The visit that a look belongs to, by the cookie of the look before. One that says no times of the past says nothing."""
    times = [instant(one) for one in (said or "").split("_")]
    known = [at for at in times if at is not None]
    if len(known) < len(times) or len(known) > 2 or known != sorted(known) or known[-1] > now:
        return Visit(before=None, now=stamp(now))
    *before, last = known
    if now - last > PAUSE:
        before = [last]
    return Visit(before=stamp(before[0]) if before else None, now=stamp(now))


def of(request: Request, datasette: "Datasette", now: datetime) -> Visit | None:
    """The visit of who looks at the front page; None for visitors of a public site who have not asked for it."""
    said = request.cookies.get(COOKIE)
    return None if said is None and is_public(datasette) else visit(said, now)


def asked(request: Request, datasette: "Datasette", now: datetime) -> Response | None:
    """The answer to a visitor of a public site who wants visits to be known, `?visits=on`, or forgotten, `?visits=off`."""
    wanted = requests.one(request, "visits")
    if wanted not in ("on", "off") or not is_public(datasette):
        return None
    here = datasette.urls.path("/") + requests.again(request, visits=None).removesuffix("?")
    answer = Response.redirect(here, headers={"cache-control": "private"})
    begun = Visit(before=None, now=stamp(now))
    return _with_cookie(answer, datasette, begun.cookie if wanted == "on" else "", KEPT if wanted == "on" else 0)


def remembered(answer: Response, datasette: "Datasette", seen: Visit | None) -> Response:
    """An answer that leaves the cookie of a visit."""
    return _with_cookie(answer, datasette, seen.cookie, KEPT) if seen else answer


def _with_cookie(answer: Response, datasette: "Datasette", value: str, seconds: int) -> Response:
    answer.set_cookie(COOKIE, value, max_age=seconds, path=datasette.setting("base_url"), httponly=True, samesite="lax")
    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """What was seen first after a time."""

    count: int  #: articles that pass the filters
    may_be_more: bool


def new_since(base: sqlite3.Connection, filters: Filters, seen: str) -> New:
    """How many articles that pass the filters were seen first after a time."""
    condition, given = filters.sql()
    late, count = base.execute(
        f"""select count(*), count(*) filter (where {condition}) from (
            select id from articles where first_seen_at > :seen order by first_seen_at desc limit :most
        ) as late cross join articles on articles.id = late.id""",
        given | {"seen": seen, "most": COUNTED},
    ).fetchone()
    return New(count=count, may_be_more=late == COUNTED)
