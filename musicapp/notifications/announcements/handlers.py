"""An announcement follows its job."""

from __future__ import annotations

from musicapp.accounts.events import ProfileUpdated
from musicapp.core.events import on
from musicapp.jobs.events import JobChanged
from musicapp.notifications.announcements import queries, services


@on(ProfileUpdated)
def silence_suspended(event: ProfileUpdated) -> None:
    if queries.is_suspended(event.user_id):
        services.stop_all_of(event.user_id)


@on(JobChanged)
def follow_job(event: JobChanged) -> None:
    if event.kind == "tell" and event.subject_id and queries.is_job_of(event.subject_id, event.job_id):
        services.follow_job(event.subject_id, event.job_id, event.state)
