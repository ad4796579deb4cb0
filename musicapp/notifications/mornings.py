"""Mailings of the morning: one job for each time zone in which a time of day has come, once for each date there.

Readers get one for a date: their deliveries are unique by it. So a job that is tried again, a clock that jumps or a
reader who moves to another zone makes no second one.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy import select

from musicapp.accounts.models import User
from musicapp.core.db import db, reading
from musicapp.jobs import services as jobs
from musicapp.jobs.models import Job, PeriodicRun
from musicapp.jobs.periodic import CLOCK
from musicapp.notifications import due

MADE_UP_FOR = timedelta(hours=6)
"""A site that was down in the morning still sends; one that was down all day waits for the next."""


def add_jobs(kind: str, task: str, at: str, now: datetime, *, weekday: int | None = None) -> int:
    """A job of the kind for each zone whose `at` (HH:MM, on that weekday) has come and had none yet; how many. Commits.

    Its arguments: time_zone, day (there), until (the instant of asking). When a person asked for the run of `task`,
    the zones whose time came earlier today are asked again: who has had the mail of that day gets no other.
    """
    with reading():
        asked_by_run = _run_that_was_asked_for(task)
        zones = db.session.scalars(
            select(User.time_zone).where(User.deleted_at.is_(None), User.suspended_at.is_(None)).distinct()
        ).all()
        keys: dict[str, tuple[str, str]] = {}
        for zone in sorted(zones):
            instant, day = due.latest(now, due.zone_of(zone), time.fromisoformat(at), weekday)
            if asked_by_run is not None:
                keys[f"{kind}/{zone}/{day}/run-{asked_by_run}"] = zone, str(day)
            elif now - instant < MADE_UP_FOR:
                keys[f"{kind}/{zone}/{day}"] = zone, str(day)
        known = set(db.session.scalars(select(Job.unique_key).where(Job.unique_key.in_(list(keys)))))
        db.session.rollback()
    for key, (zone, date_there) in keys.items():
        if key not in known:
            arguments = {"time_zone": zone, "day": date_there, "until": now.isoformat()}
            jobs.add(kind, unique_key=key, arguments=arguments)
    db.session.commit()
    return len(keys.keys() - known)


def _run_that_was_asked_for(task: str) -> int | None:
    """The id of the run that goes on, where not the clock began it."""
    going_on = select(PeriodicRun.id).where(
        PeriodicRun.task == task, PeriodicRun.finished_at.is_(None), PeriodicRun.started_by != CLOCK
    )
    return db.session.scalar(going_on)
