"""Claims the fairest waiting job, runs what is behind its kind and writes how it ended."""

from __future__ import annotations

import logging
import secrets
import traceback
from datetime import timedelta
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from musicapp.core.db import db, reading, utc_now
from musicapp.core.events import publish
from musicapp.core.stopping import WorkerStoppingError
from musicapp.core.tracing import traced
from musicapp.jobs.context import ClaimLostError, JobContext
from musicapp.jobs.events import JobChanged
from musicapp.jobs.models import CANCELLED, FAILED, QUEUED, RUNNING, SUCCEEDED, Job
from musicapp.jobs.queries import fairest_waiting
from musicapp.jobs.registry import KINDS, GoOn, JobCancelledError, JobFailedError, RetryLater
from musicapp.jobs.reports import here
from musicapp.jobs.services import change, send_ticket_after_commit

log = logging.getLogger(__name__)

END_TRIES = 5
OUR_FAULT = (
    "Something went wrong on our side. Nothing is lost: try again. If it fails again, tell the operator about job {id}."
)
WORKER_DIED = (
    "The worker stopped {attempts} times while doing this. Try again; if it happens again, the file may be too much "
    "for this machine."
)
TOO_LONG = "This took longer than the operator allows. Try a shorter file."


def claim(kind: str) -> JobContext | None:
    """Takes the fairest waiting job of the kind and commits that; None when there is none.

    One statement: on PostgreSQL workers that claim at once pass over each other's row instead of waiting for it and
    coming away with nothing. SQLite's lock lets nobody in between.
    """
    now = utc_now()
    job_id = db.session.scalar(
        update(Job)
        .where(Job.id == fairest_waiting(kind).scalar_subquery(), Job.state == QUEUED)
        .values(
            state=RUNNING,
            claim_token=secrets.token_hex(16),
            attempts=Job.attempts + 1,
            started_at=now,
            heartbeat_at=now,
            worker=here(),
            error=None,
        )
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    if job_id is None:
        db.session.rollback()
        return None
    job = db.session.get_one(Job, job_id, populate_existing=True)
    context = JobContext(job)
    publish(JobChanged(job.id, job.kind, job.subject_id, job.owner_id, RUNNING))
    db.session.commit()
    return context


def run_next(kind: str) -> int | None:
    """Claims and runs one job of the kind; its id, or None when there was none to do."""
    context = claim(kind)
    if context is None:
        return None
    with traced(job_id=context.id, job_kind=context.kind, request_id=context.request_id):
        context.start_heart()
        try:
            _run(context)
        finally:
            context.stop_heart()
            db.session.remove()
    return context.id


def run_urgent(queue: str) -> None:
    """Runs a due job of each kind that somebody waits for: no mail stands behind the tickets of fifty uploads."""
    urgent = [kind.name for kind in KINDS.values() if kind.is_urgent and kind.queue == queue]
    with reading():
        due = select(Job.kind).where(Job.state == QUEUED, Job.kind.in_(urgent), Job.run_at <= utc_now())
        kinds = list(db.session.scalars(due.distinct()))
        db.session.rollback()
    for kind in kinds:
        run_next(kind)


def _run(context: JobContext) -> None:
    try:
        result = KINDS[context.kind].run(context)
    except ClaimLostError:
        db.session.rollback()
        log.warning("job %s was taken over by another worker", context.id)
    except JobCancelledError:
        _end(context, CANCELLED, error=None)
    except JobFailedError as error:
        _end(context, FAILED, error=str(error))
    except WorkerStoppingError:
        _give_back(context)
    except SystemExit:  # this worker's time is up, and the work did not look
        _give_back(context)
        raise
    except GoOn as part:
        _queue_again(context, part.seconds, goes_on=True, attempts=context.attempt - 1, error=None)
    except RetryLater as error:
        _again(context, error.seconds, str(error))
    except SoftTimeLimitExceeded:
        _end(context, FAILED, error=TOO_LONG)
    except Exception:
        log.exception("job %s (%s) failed", context.id, context.kind)
        _again(context, 5.0 * 4 ** (context.attempt - 1), OUR_FAULT.format(id=context.id), traceback.format_exc())
    else:
        _end(context, SUCCEEDED, result=result, error=None, step="")


def _again(context: JobContext, delay_s: float, words: str, trace: str | None = None) -> None:
    if context.attempt >= context.max_attempts:
        _end(context, FAILED, error=words, traceback=trace)
    else:
        _queue_again(context, delay_s, error=words, traceback=trace)


def _queue_again(context: JobContext, delay_s: float, *, goes_on: bool = False, **columns: Any) -> None:
    run_at = utc_now() + timedelta(seconds=delay_s)
    _end(context, QUEUED, goes_on=goes_on, claim_token=None, run_at=run_at, **columns)


def _give_back(context: JobContext) -> None:
    """Puts the job back as if it had not begun: a deploy costs nobody an attempt or their turn."""
    log.info("job %s (%s) is given back: this worker stops", context.id, context.kind)
    _end(context, QUEUED, claim_token=None, attempts=context.attempt - 1, started_at=None, step="", error=None)


def _end(context: JobContext, state: str, *, goes_on: bool = False, **columns: Any) -> None:
    """Writes how the job ended, if it is still ours. Tried again while the database is busy; then the reaper does.

    `goes_on`: only a part of it is done.
    """
    for attempt in range(END_TRIES):
        db.session.rollback()
        try:
            statement = select(Job).where(Job.id == context.id, Job.claim_token == context.token).with_for_update()
            job = db.session.scalars(statement).one_or_none()
            if job is None or job.state != RUNNING:
                log.warning("job %s ended as %s, but another worker has it", context.id, state)
                db.session.rollback()
                return
            if state == QUEUED and job.is_cancel_requested:
                # Asked in the last moment of a part or of an attempt: the next would not hear of it.
                state, goes_on, columns = CANCELLED, False, {"claim_token": None, "error": None}
            if state != QUEUED:
                columns["finished_at"] = utc_now()
            change(job, state, **columns)
            if state == QUEUED:
                send_ticket_after_commit(job.kind, job.queue, job.run_at)
            db.session.commit()
            log.info("job %s (%s) is %s now", context.id, context.kind, state)
        except OperationalError:
            log.warning("job %s: the database is busy, writing its end again (%s)", context.id, attempt + 1)
            continue
        context.end_progress(goes_on=goes_on)
        return


def reap(timeout_s: float) -> int:
    """Queues running jobs again whose heartbeat stopped; past their attempts they fail. Commits; returns how many.

    A heartbeat in the future is from before the clock went back.
    """
    now, timeout = utc_now(), timedelta(seconds=timeout_s)
    is_silent = (Job.heartbeat_at < now - timeout) | (Job.heartbeat_at > now + timeout)
    jobs = db.session.scalars(
        select(Job).where(Job.state == RUNNING, is_silent).with_for_update(skip_locked=True)
    ).all()
    for job in jobs:
        if job.is_cancel_requested:
            change(job, CANCELLED, claim_token=None, finished_at=utc_now())
        elif job.attempts >= job.max_attempts:
            words = WORKER_DIED.format(attempts=job.attempts)
            change(job, FAILED, claim_token=None, error=words, finished_at=utc_now())
        else:
            change(job, QUEUED, claim_token=None, run_at=utc_now())
            send_ticket_after_commit(job.kind, job.queue, job.run_at)
    db.session.commit()
    return len(jobs)
