"""Writes of the ledger. Nothing here commits; tickets leave after the commit."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy import insert, select

from musicapp.core.celery import celery_app
from musicapp.core.db import db, insert_into, utc_now
from musicapp.core.effects import after_commit
from musicapp.core.events import publish
from musicapp.core.redis import RedisUnavailable, redis_client
from musicapp.core.tracing import request_id
from musicapp.jobs.events import JobChanged
from musicapp.jobs.models import CANCELLED, ENDED, FAILED, QUEUED, RUNNING, Job
from musicapp.jobs.registry import KINDS

log = logging.getLogger(__name__)

LONGEST_COUNTDOWN_S = 300
"""A ticket may wait this long in a worker's memory; a later job is woken by the sweep."""


def add(
    kind: str,
    *,
    subject_id: int | None = None,
    owner_id: int | None = None,
    unique_key: str | None = None,
    arguments: dict[str, Any] | None = None,
    run_at: datetime | None = None,
) -> int:
    """Adds a job in the current transaction and returns its id; an existing unique_key returns that job's id.

    `arguments` carries ids and short strings. Raises KeyError for a kind nobody declared.
    """
    declared = KINDS[kind]
    now = utc_now()
    values: dict[str, Any] = {
        "kind": kind,
        "queue": declared.queue,
        "subject_id": subject_id,
        "owner_id": owner_id,
        "unique_key": unique_key,
        "arguments": arguments or {},
        "request_id": request_id(),
        "state": QUEUED,
        "step": "",
        "attempts": 0,
        "max_attempts": declared.max_attempts,
        "run_at": run_at or now,
        "created_at": now,
        "is_cancel_requested": False,
    }
    statement: Any
    if unique_key is None:
        statement = insert(Job)
    else:
        statement = insert_into(Job).on_conflict_do_nothing(index_elements=["unique_key"])
    job_id: int | None = db.session.execute(statement.values(**values).returning(Job.id)).scalar()
    if job_id is None:
        return db.session.scalars(select(Job.id).where(Job.unique_key == unique_key)).one()
    publish(JobChanged(job_id, kind, subject_id, owner_id, QUEUED))
    send_ticket_after_commit(kind, declared.queue, values["run_at"])
    return job_id


def send_ticket_after_commit(kind: str, queue: str, run_at: datetime) -> None:
    delay_s = max(0.0, (run_at - utc_now()).total_seconds())
    if delay_s > LONGEST_COUNTDOWN_S:
        return
    celery = celery_app()

    def send() -> None:
        send_ticket(celery, kind, queue, delay_s)

    after_commit(send)


def send_ticket(celery: Celery, kind: str, queue: str, delay_s: float = 0.0) -> bool:
    """Wakes a worker; False when Redis is away, and then the sweep wakes it later."""
    try:
        # Says so at once where Redis hangs; the broker's connection would wait half a minute, and a page with it.
        celery.flask_app.extensions["redis"].ping()
        celery.send_task("jobs.work", args=[kind], queue=queue, countdown=delay_s or None)
    except (OperationalError, *RedisUnavailable):
        log.warning("no ticket for %s: Redis is away, the sweep will send it", kind)
        return False
    return True


def change(job: Job, state: str, **columns: Any) -> None:
    """Sets a job's state and columns and tells whoever reacts. The one way a state changes."""
    job.state = state
    for name, value in columns.items():
        setattr(job, name, value)
    publish(JobChanged(job.id, job.kind, job.subject_id, job.owner_id, state))


def retry(job: Job, *, run_at: datetime | None = None) -> bool:
    """Queues a failed or cancelled job again with a full set of attempts, for now or for `run_at`.

    False if it is in another state.
    """
    _lock(job)
    if job.state not in {FAILED, CANCELLED}:
        return False
    begins_at = run_at or utc_now()
    change(
        job,
        QUEUED,
        step="",
        attempts=0,
        error=None,
        traceback=None,
        result=None,
        run_at=begins_at,
        finished_at=None,
        claim_token=None,
        is_cancel_requested=False,
    )
    send_ticket_after_commit(job.kind, job.queue, begins_at)
    return True


def cancel(job: Job) -> bool:
    """Cancels a waiting job at once and asks a running one to stop; False if it has ended."""
    _lock(job)
    if job.state in ENDED:
        return False
    if job.state == RUNNING:
        change(job, RUNNING, is_cancel_requested=True)
        job_id, claim_token, client = job.id, job.claim_token or "", redis_client()

        def ask() -> None:
            try:
                # The worker looks here every second and in the database every few; either is enough. It names the
                # attempt: one that ended meanwhile must not stop the next.
                client.set(f"job:{job_id}:cancel", claim_token, ex=3600)
            except RedisUnavailable:
                log.warning("job %s is asked to stop by the database only", job_id)

        after_commit(ask)
    else:
        change(job, CANCELLED, is_cancel_requested=True, finished_at=utc_now())
    return True


def _lock(job: Job) -> None:
    """Reads the row as it is now: a worker may have claimed it since, or another tab pressed the same button."""
    db.session.flush()
    db.session.refresh(job, with_for_update=True)
