"""What is behind playback's kinds of job."""

from __future__ import annotations

from celery import shared_task

from musicapp.core.db import db
from musicapp.jobs.context import JobContext
from musicapp.jobs.registry import job_kind
from musicapp.playback import forgetting, services
from musicapp.playback.play_queue import services as play_queue


@job_kind("forget_listener", queue="default")
def forget_listener(job: JobContext) -> None:
    """Cuts the tie between a deleted user and what they heard."""
    services.forget_listener(job.subject_id)
    play_queue.forget(job.subject_id)
    db.session.commit()


@shared_task(name="playback.forget_deleted_plays")  # type: ignore[untyped-decorator]
def forget_deleted_plays() -> None:
    """Daily: plays that were taken out of a history a day ago are nobody's from now on."""
    while forgetting.forget_deleted_plays():
        db.session.commit()
