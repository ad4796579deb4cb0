"""Tallies are made by the clock."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import lazy_gettext as _l

from musicapp.core.db import db, reading, utc_now
from musicapp.jobs.periodic import periodic
from musicapp.stats import queries, services

RECOUNTED_DAYS = 8
"""A player that had no network reports later. What comes later still stays uncounted here, not in the history."""


@periodic("stats.tally", words=_l("Count plays per day"))
def tally() -> dict[str, int]:
    """Every six hours: counts the last days anew, and all since the last that was counted; a short write for each."""
    today = utc_now().date()
    with reading():
        day = queries.first_day_to_tally(today, RECOUNTED_DAYS)
        db.session.rollback()
    days = plays = 0
    while day is not None and day <= today:
        plays += services.tally_day(day)
        db.session.commit()
        days, day = days + 1, day + timedelta(days=1)
    return {"days": days, "plays": plays}
