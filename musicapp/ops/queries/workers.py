"""Workers as they reported themselves, and the jobs that they have in hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from musicapp.core.db import db
from musicapp.core.redis import RedisError, redis_client
from musicapp.jobs.models import RUNNING, Job
from musicapp.jobs.presenting import words_of
from musicapp.jobs.registry import KINDS
from musicapp.jobs.reports import WorkerSeen, seconds_since_beat, workers_seen

MOST_RUNNING = 200


@dataclass(frozen=True, slots=True)
class Doing:
    """One thing that a worker does now. `job_id` is None for a task of the clock."""

    words: str
    job_id: int | None
    step: str
    since: datetime | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class WorkerView:
    seen: WorkerSeen
    doing: list[Doing]


@dataclass(frozen=True, slots=True)
class Workers:
    """`workers` and `beat_s` are None while Redis, where they report, is away; `beat_s` also where it never reported.

    `unclaimed`: running jobs of workers that have not reported: they died, or are about to be found dead.
    """

    workers: list[WorkerView] | None
    unclaimed: list[Doing]
    beat_s: float | None


def workers() -> Workers:
    """One statement and three questions to Redis."""
    statement = select(Job.id, Job.kind, Job.step, Job.worker, Job.started_at).where(Job.state == RUNNING)
    in_hand: dict[str, list[Doing]] = {}
    for row in db.session.execute(statement.order_by(Job.id).limit(MOST_RUNNING)):
        name = (row.worker or "").rpartition("/")[0]
        in_hand.setdefault(name, []).append(Doing(words_of(row.kind), row.id, row.step, row.started_at, None))
    try:
        seen, beat_s = workers_seen(redis_client()), seconds_since_beat(redis_client())
    except RedisError:
        return Workers(None, [doing for found in in_hand.values() for doing in found], None)
    views = [WorkerView(worker, in_hand.pop(worker.name, []) + _of_the_clock(worker)) for worker in seen]
    return Workers(views, [doing for found in in_hand.values() for doing in found], beat_s)


def _of_the_clock(worker: WorkerSeen) -> list[Doing]:
    return [Doing(busy.words, None, "", None, busy.seconds) for busy in worker.busy if busy.words not in KINDS]
