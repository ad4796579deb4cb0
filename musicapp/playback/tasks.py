"""What is behind playback's kinds of job."""

from __future__ import annotations

from musicapp.core.db import db
from musicapp.jobs.context import JobContext
from musicapp.jobs.registry import job_kind
from musicapp.playback import services


@job_kind("forget_listener", queue="default")
def forget_listener(job: JobContext) -> None:
    """Cuts the tie between a deleted user and what they heard."""
    services.forget_listener(job.subject_id)
    db.session.commit()
