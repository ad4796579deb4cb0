"""Queues: what waits, since when, how much is done a minute, by queue and by kind of job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select

from musicapp.core.celery import celery_app
from musicapp.core.db import db, utc_now
from musicapp.core.redis import RedisError, redis_client
from musicapp.jobs.models import FAILED, QUEUED, RUNNING, Job
from musicapp.jobs.registry import KINDS


@dataclass(slots=True)
class Work:
    """What there is of one kind of job, or in one queue."""

    name: str
    queue: str
    due: int = 0
    """Jobs that could begin now."""
    later: int = 0
    """Jobs whose time has not come."""
    running: int = 0
    oldest_due_at: datetime | None = None
    ended_5: int = 0
    ended_60: int = 0
    """Jobs that ended in the last 5 and 60 minutes, however."""
    failed_60: int = 0

    @property
    def per_minute_5(self) -> float:
        return self.ended_5 / 5

    @property
    def per_minute_60(self) -> float:
        return self.ended_60 / 60

    @property
    def oldest_s(self) -> float | None:
        return None if self.oldest_due_at is None else max(0.0, (utc_now() - self.oldest_due_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Queues:
    """Queues by name, kinds of job with anything to say about them, and Celery's tickets by queue (None: unknown)."""

    queues: list[Work]
    kinds: list[Work]
    tickets: dict[str, int] | None


def queue_names() -> list[str]:
    """Every queue that a kind of job waits in, and the one that everything else goes to."""
    default: str = celery_app().conf.task_default_queue
    return sorted({kind.queue for kind in KINDS.values()} | {default})


def queues() -> Queues:
    """Two statements, however much waits, and one question to Redis."""
    kinds = _kinds()
    by_name = {name: Work(name, name) for name in queue_names()}
    for kind in kinds:
        _add(by_name.setdefault(kind.queue, Work(kind.queue, kind.queue)), kind)
    return Queues(list(by_name.values()), kinds, _tickets(by_name))


def _kinds() -> list[Work]:
    now = utc_now()
    is_due = Job.run_at <= now
    found: dict[tuple[str, str], Work] = {}
    open_jobs = (
        select(
            Job.kind,
            Job.queue,
            Job.state,
            func.sum(case((is_due, 1), else_=0)).label("due"),
            func.count().label("all"),
            func.min(case((is_due, Job.run_at))).label("oldest"),
        )
        .where(Job.state.in_([QUEUED, RUNNING]))
        .group_by(Job.kind, Job.queue, Job.state)
    )
    for row in db.session.execute(open_jobs):
        work = found.setdefault((row.kind, row.queue), Work(row.kind, row.queue))
        if row.state == RUNNING:
            work.running = row.all
        else:
            work.due, work.later, work.oldest_due_at = row.due, row.all - row.due, row.oldest
    ended = (
        select(
            Job.kind,
            Job.queue,
            func.count().label("in_60"),
            func.sum(case((Job.finished_at >= now - timedelta(minutes=5), 1), else_=0)).label("in_5"),
            func.sum(case((Job.state == FAILED, 1), else_=0)).label("failed"),
        )
        .where(Job.finished_at >= now - timedelta(minutes=60))
        .group_by(Job.kind, Job.queue)
    )
    for row in db.session.execute(ended):
        work = found.setdefault((row.kind, row.queue), Work(row.kind, row.queue))
        work.ended_5, work.ended_60, work.failed_60 = row.in_5, row.in_60, row.failed
    return sorted(found.values(), key=lambda work: (-work.due - work.running, -work.ended_60, work.name))


def _add(queue: Work, kind: Work) -> None:
    queue.due += kind.due
    queue.later += kind.later
    queue.running += kind.running
    queue.ended_5 += kind.ended_5
    queue.ended_60 += kind.ended_60
    queue.failed_60 += kind.failed_60
    if kind.oldest_due_at and (queue.oldest_due_at is None or kind.oldest_due_at < queue.oldest_due_at):
        queue.oldest_due_at = kind.oldest_due_at


def _tickets(names: Iterable[str]) -> dict[str, int] | None:
    """Messages that wait in Redis for a worker."""
    wanted = list(names)
    try:
        pipeline = redis_client().pipeline(transaction=False)
        for name in wanted:
            pipeline.llen(name)
        return dict(zip(wanted, pipeline.execute(), strict=True))
    except RedisError:
        return None
