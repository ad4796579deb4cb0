"""Acts on jobs: one, several that were ticked, or all of a kind, the first at once and the rest by a job."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from musicapp.core.db import db, utc_now
from musicapp.jobs import services as jobs
from musicapp.jobs.models import FAILED, QUEUED, Job
from musicapp.ops.audit import audit

RETRY, CANCEL = "retry", "cancel"
ACTS = {RETRY: jobs.retry, CANCEL: jobs.cancel}
ACTED_ON = {RETRY: FAILED, CANCEL: QUEUED}
"""Which jobs "all of a kind" means."""
AT_ONCE = 50
"""On SQLite nobody else writes meanwhile: about 0.1 s."""


@dataclass(frozen=True, slots=True)
class Acted:
    """How many jobs were acted on, and how many the job `job_id` sees to after that."""

    done: int
    left: int = 0
    job_id: int | None = None


def act_on(act: str, ids: Collection[int]) -> Acted:
    """Retries or cancels these jobs, at most AT_ONCE of them; what can't be is left as it is."""
    found = _locked(Job.id.in_(sorted(set(ids))[:AT_ONCE]))
    changed = [job for job in found if ACTS[act](job)]
    for job in changed:
        audit(f"job.{act}", subject_kind="job", subject_id=job.id, subject_words=job.kind)
    return Acted(len(changed))


def act_on_all(act: str, kind: str) -> Acted:
    """Retries all failed jobs of the kind, or cancels all that wait: the first AT_ONCE now, the others by a job."""
    until = utc_now()
    done, left = act_on_part(act, kind, until)
    job_id = None
    if left:
        arguments = {"act": act, "kind": kind, "until": until.isoformat()}
        job_id = jobs.add("act_on_jobs", arguments=arguments)
    audit(f"job.{act}_all", subject_kind="job", subject_words=kind, count=done + left, job_id=job_id)
    return Acted(done, left, job_id)


def act_on_part(act: str, kind: str, until: datetime) -> tuple[int, int]:
    """Acts on the next AT_ONCE jobs that were there `until` then; how many it changed, and how many are left."""
    conditions = (Job.kind == kind, Job.state == ACTED_ON[act], _was_there(act, until))
    changed = [job for job in _locked(*conditions) if ACTS[act](job)]
    db.session.flush()
    left = db.session.scalar(select(func.count()).select_from(Job).where(*conditions)) or 0
    return len(changed), left


def _was_there(act: str, until: datetime) -> ColumnElement[bool]:
    # What is tried again may fail again, and is not to be tried for ever.
    if act == RETRY:
        return func.coalesce(Job.finished_at, Job.created_at) <= until
    return Job.created_at <= until


def _locked(*conditions: ColumnElement[bool]) -> list[Job]:
    statement = select(Job).where(*conditions).order_by(Job.id).limit(AT_ONCE).with_for_update(skip_locked=True)
    return list(db.session.scalars(statement.execution_options(populate_existing=True)))
