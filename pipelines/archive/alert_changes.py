"""The table `alert_changes`: the articles that alerts have yet to look at. Triggers fill it once there is an alert (migration 32)."""

from pipelines.database.sqlite import Database

MOST = 1_000_000
"""Changes that are kept for alerts that do not look, 15 MB. One that was left out of sources.toml, or is never sent, would keep them all."""


def trim(db: Database) -> None:
    """Drop what is more than MOST, the oldest first. Called within the writer's transaction."""
    db.conn.execute("delete from alert_changes where id <= (select max(id) from alert_changes) - ?", [MOST])
