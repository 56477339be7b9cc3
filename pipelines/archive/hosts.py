"""The table `hosts`: what is remembered of a host from run to run. keep() is called within the writer's transaction."""

from dataclasses import asdict, fields
from datetime import datetime

from crawler.items import Host
from crawler.times import stamp
from pipelines.database.connection import Row, first_row
from pipelines.database.sqlite import Database

HOST_TIMES = ("robots_fetched_at", "not_before", "busy_since", "tdmrep_fetched_at")
"""The columns of `hosts` that are times."""


def host_of(db: Database, name: str) -> Host:
    """What is remembered of a host; nothing of one that was never asked."""
    row: Row = first_row(db, "select * from hosts where host = ?", [name]) or {"host": name}
    return Host(**row | {time: datetime.fromisoformat(row[time]) for time in HOST_TIMES if row.get(time)})


def keep(db: Database, host: Host) -> None:
    """Write all that is known of a host. Pages that its robots.txt refused are pending again when that has changed."""
    before = host_of(db, host.host)
    db.execute(_UPSERT, asdict(host) | {time: stamp(when) for time in HOST_TIMES if (when := getattr(host, time))})
    if host.robots_fetched_at and (before.robots_fetched_at is None or before.robots != host.robots):
        _ask_refused_again(db, host.host)


_COLUMNS = tuple(field.name for field in fields(Host))

_UPSERT = f"""
    insert into hosts ({", ".join(_COLUMNS)}) values ({", ".join(f":{name}" for name in _COLUMNS)})
    on conflict (host) do update set {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "host")}
"""


def _ask_refused_again(db: Database, host: str) -> None:
    for begin in (f"http://{host}", f"https://{host}"):
        db.execute(
            """update pages set state = 'pending', reason = null, next_fetch_at = null
               where state = 'refused' and reason = 'robots' and url >= ? and url < ?""",
            [begin + "/", begin + "0"],  # in ASCII 0 is what follows /
        )
