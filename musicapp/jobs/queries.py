"""Reads of the ledger: progress, place in the queue, whether anyone is working."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, case, func, select

from musicapp.core.db import db, utc_now
from musicapp.core.redis import RedisUnavailable, redis_client
from musicapp.core.settings import process_started_at
from musicapp.jobs.models import QUEUED, RUNNING, Job

WORKER_SILENT_AFTER_S = 60
SOON = timedelta(seconds=2)
"""A job that is put off by less only waits for its turn: it goes on in parts."""
SERVED_WINDOW = timedelta(minutes=10)
"""How far back it matters who was served last; bounds what a claim reads of the ledger."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running job is. `percent` is 0 to 100, or None where it can't be told."""

    percent: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as pages show it. `place` counts from 1 among the waiting jobs of its kind."""

    id: int
    kind: str
    subject_id: int | None
    state: str
    step: str
    attempts: int
    max_attempts: int
    error: str | None
    result: dict[str, Any] | None
    percent: int | None
    detail: str
    place: int | None
    is_cancel_requested: bool
    run_at: datetime
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    arguments: dict[str, Any]

    @property
    def is_under_way(self) -> bool:
        """Running, or between two of its parts."""
        return self.state == RUNNING or (self.state == QUEUED and self.percent is not None)

    @property
    def waits_until(self) -> datetime | None:
        """When a waiting job begins, or is tried again; None where it only waits for its turn."""
        return self.run_at if self.state == QUEUED and self.run_at > utc_now() + SOON else None

    @property
    def can_retry(self) -> bool:
        return self.state in {"failed", "cancelled"}

    @property
    def can_cancel(self) -> bool:
        return self.state in {"queued", "running"} and not self.is_cancel_requested


def _ranked(*conditions: ColumnElement[bool]) -> Subquery:
    """Waiting jobs with what decides their turn.

    An owner's first waiting job is its first turn, its second the next; a job it has running is a turn taken, and
    within a turn whoever was served longest ago comes first. So one owner's hundred jobs don't stand in front of
    another's one.
    """
    owner = func.coalesce(Job.owner_id, 0)
    served = (
        select(
            Job.kind.label("kind"),
            owner.label("owner"),
            func.sum(case((Job.state == RUNNING, 1), else_=0)).label("running"),
            func.max(Job.started_at).label("last"),
        )
        .where((Job.state == RUNNING) | (Job.started_at >= utc_now() - SERVED_WINDOW))
        .group_by(Job.kind, owner)
        .subquery()
    )
    nth = func.row_number().over(partition_by=(Job.kind, owner), order_by=Job.id)
    waiting = (
        select(Job.id.label("id"), Job.kind.label("kind"), owner.label("owner"), nth.label("nth"))
        .where(Job.state == QUEUED, *conditions)
        .subquery()
    )
    turn = waiting.c.nth + func.coalesce(served.c.running, 0)
    return (
        select(waiting.c.id, waiting.c.kind, turn.label("turn"), served.c.last.label("last"))
        .outerjoin(served, (served.c.kind == waiting.c.kind) & (served.c.owner == waiting.c.owner))
        .subquery("ranked")
    )


def _by_turn(ranked: Subquery) -> tuple[ColumnElement[Any], ...]:
    return ranked.c.turn, ranked.c.last.asc().nulls_first(), ranked.c.id


def fair_order(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Waiting jobs as (id, kind), in the order in which they will be claimed: owners take turns."""
    ranked = _ranked(*conditions)
    return select(ranked.c.id, ranked.c.kind).order_by(*_by_turn(ranked))


def fairest_waiting(kind: str) -> Select[int]:
    """The id of the fairest job of the kind that is due, and its lock; one that another worker holds is passed over."""
    ranked = _ranked(Job.kind == kind, Job.run_at <= utc_now())
    return (
        select(Job.id)
        .join(ranked, ranked.c.id == Job.id)
        # Again, of the row itself: it is looked at anew once it is locked.
        .where(Job.state == QUEUED)
        .order_by(*_by_turn(ranked))
        .limit(1)
        .with_for_update(of=Job, skip_locked=True)
        .correlate(None)
    )


def places_in_queue(kinds: Iterable[str]) -> dict[int, int]:
    """Job id -> place from 1, for every waiting job of these kinds."""
    places: dict[int, int] = {}
    counts: dict[str, int] = {}
    for row in db.session.execute(fair_order(Job.kind.in_(list(kinds)))):
        counts[row.kind] = counts.get(row.kind, 0) + 1
        places[row.id] = counts[row.kind]
    return places


def progress_of(job_ids: Iterable[int]) -> dict[int, Progress]:
    """Percent and detail from Redis; jobs it knows nothing of (or all, when Redis is away) are missing."""
    ids = list(job_ids)
    if not ids:
        return {}
    try:
        with redis_client().pipeline(transaction=False) as pipe:
            for job_id in ids:
                pipe.hmget(f"job:{job_id}", ["percent", "detail"])
            answers = pipe.execute()
    except RedisUnavailable:
        return {}
    return {
        job_id: Progress(int(percent) if percent else None, (detail or b"").decode())
        for job_id, (percent, detail) in zip(ids, answers, strict=True)
        if percent is not None or detail
    }


def views_of(jobs: Iterable[Job]) -> list[JobView]:
    """Jobs with their progress and place, in three round trips however many they are."""
    rows = list(jobs)
    # A job that goes on in parts waits between them, and has come as far as it said.
    progress = progress_of(job.id for job in rows if job.state in {RUNNING, QUEUED} and job.started_at)
    waiting_kinds = {job.kind for job in rows if job.state == QUEUED}
    places = places_in_queue(waiting_kinds) if waiting_kinds else {}
    nothing = Progress()
    return [
        JobView(
            id=job.id,
            kind=job.kind,
            subject_id=job.subject_id,
            state=job.state,
            step=job.step,
            attempts=job.attempts,
            max_attempts=job.max_attempts,
            error=job.error,
            result=job.result,
            percent=100 if job.state == "succeeded" else progress.get(job.id, nothing).percent,
            detail=progress.get(job.id, nothing).detail,
            place=places.get(job.id),
            is_cancel_requested=job.is_cancel_requested,
            run_at=job.run_at,
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            arguments=job.arguments,
        )
        for job in rows
    ]


def job_by_id(job_id: int) -> Job | None:
    return db.session.get(Job, job_id)


SHARED: dict[str, Callable[[Any, Job], bool]] = {}
"""Kind -> who sees a job of that kind besides its owner and admins: (viewer, job); see presenting.shares."""


def visible_job(viewer: Any, job_id: int) -> Job | None:
    """The job if it is the viewer's own, is shared with the viewer or the viewer is an admin; strangers see none."""
    if not viewer.is_authenticated:
        return None
    job = job_by_id(job_id)
    if job is None or job.owner_id == viewer.id or viewer.is_admin:
        return job
    is_shared = SHARED.get(job.kind)
    return job if is_shared is not None and is_shared(viewer, job) else None


def newest_jobs(kinds: Iterable[str], subject_ids: Iterable[int]) -> list[Job]:
    """Each subject's newest job of these kinds."""
    subjects = list(subject_ids)
    if not subjects:
        return []
    newest = (
        select(func.max(Job.id)).where(Job.kind.in_(list(kinds)), Job.subject_id.in_(subjects)).group_by(Job.subject_id)
    )
    return list(db.session.scalars(select(Job).where(Job.id.in_(newest))))


def latest_jobs(kinds: Iterable[str], subject_ids: Iterable[int]) -> dict[int, JobView]:
    """Subject id -> its newest job of these kinds: what an upload's or a picture's row shows."""
    views = views_of(newest_jobs(kinds, subject_ids))
    return {view.subject_id: view for view in views if view.subject_id is not None}


def seconds_since_worker_seen(queue: str) -> float | None:
    """How long no worker of the queue has reported; None when Redis, where they report, is away."""
    try:
        seen: Any = redis_client().get(f"worker-seen:{queue}")
    except RedisUnavailable:
        return None
    # Before the first report the clock runs from this process's own start.
    since = float(seen) if seen else process_started_at()
    return max(0.0, time.time() - since)


def silent_queues(queues: Iterable[str] = ("default", "media")) -> list[str]:
    """Queues no worker has reported for in a minute; all of them while Redis is away."""
    silent = []
    for queue in queues:
        seconds = seconds_since_worker_seen(queue)
        if seconds is None or seconds > WORKER_SILENT_AFTER_S:
            silent.append(queue)
    return silent
