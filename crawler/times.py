"""Timestamps: ISO 8601 in UTC, as every table has them (`YYYY-MM-DDTHH:MM:SSZ`)."""

from datetime import UTC, datetime


def moment_of(stamp: str) -> datetime:
    """Parse an ISO 8601 timestamp as the tables have them; aware, UTC. Raises ValueError."""
    return datetime.fromisoformat(stamp)


def instant_of(date: str) -> datetime | None:
    """Parse an ISO 8601 date with time and zone; aware, UTC. None for a bare day, a time without zone, and what is no date."""
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def stamp(moment: datetime) -> str:
    """Format an aware datetime as `YYYY-MM-DDTHH:MM:SSZ`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
