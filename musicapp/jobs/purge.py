"""The end of old jobs. Nothing here commits: a short write at a time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, delete, exists, or_, select

from musicapp.core.db import db, utc_now
from musicapp.jobs.models import ENDED, FAILED, Job, PeriodicRun
from musicapp.jobs.periodic import PERIODIC

BATCH = 500
KEPT_LONGER = 4
"""Times as long: failed jobs, which somebody may still look at, and those with a unique key, which keeps the same
thing from being done twice."""


def purge_ended(keep_days: int) -> int:
    """Removes jobs that ended so many days ago, at most a batch; returns how many.

    A job that another row names, such as a delivery or an announcement, goes after it.
    """
    now = utc_now()
    keeps_longer = or_(Job.state == FAILED, Job.unique_key.is_not(None))
    old = select(Job.id).where(
        Job.state.in_(ENDED),
        Job.finished_at < now - timedelta(days=keep_days),
        or_(~keeps_longer, Job.finished_at < now - timedelta(days=KEPT_LONGER * keep_days)),
        *(~named for named in _named_elsewhere()),
    )
    ids = db.session.scalars(old.order_by(Job.finished_at).limit(BATCH)).all()
    if ids:
        db.session.execute(delete(Job).where(Job.id.in_(ids)).execution_options(synchronize_session=False))
    return len(ids)


def _named_elsewhere() -> list[ColumnElement[bool]]:
    """For each column of any table that points at jobs: whether it names this one."""
    jobs = Job.__table__
    return [
        exists().where(key.parent == Job.id)
        for table in db.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table is jobs
    ]


def purge_runs_of_no_task(keep_days: int) -> int:
    """Removes runs of tasks that this version no longer has; those of the others are kept by number."""
    statement = delete(PeriodicRun).where(
        PeriodicRun.task.not_in(PERIODIC), PeriodicRun.started_at < utc_now() - timedelta(days=keep_days)
    )
    return int(db.session.execute(statement).rowcount)  # type: ignore[attr-defined]
