"""When a time of day last came where a reader lives. Pure: clocks are turned there, not here."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONDAY = 0


def zone_of(name: str) -> ZoneInfo:
    """The time zone; UTC for a name that this machine doesn't know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def latest(now: datetime, zone: ZoneInfo, at: time, weekday: int | None = None) -> tuple[datetime, date]:
    """The last instant, and its date there, at which clocks in the zone showed `at` (on that weekday, Monday is 0).

    An hour that the clocks skip comes at the end of the gap, one that they repeat counts the first time.
    """
    day = now.astimezone(zone).date()
    if weekday is not None:
        day -= timedelta(days=(day.weekday() - weekday) % 7)
    step = timedelta(days=1 if weekday is None else 7)
    # Back and forth through UTC: what was skipped becomes a time that there was.
    while (instant := datetime.combine(day, at, zone).astimezone(UTC)) > now:
        day -= step
    return instant, day
