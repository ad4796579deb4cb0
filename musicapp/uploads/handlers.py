"""What uploads do when something happens: work is added, open studio pages hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import select

from musicapp.core.db import db
from musicapp.core.effects import after_commit
from musicapp.core.events import on
from musicapp.jobs import services as jobs
from musicapp.jobs.events import JobChanged
from musicapp.jobs.models import QUEUED, Job
from musicapp.live import services as live
from musicapp.uploads.events import UploadReceived
from musicapp.uploads.models import Upload

# Albums of other people who wait, told for each job that starts or ends; beyond these a page is a little behind.
MOST_ALBUMS_TOLD = 50

_SUBJECTS = {"probe_upload": Upload.id, "encode_track": Upload.track_id}


@on(UploadReceived)
def start_processing(event: UploadReceived) -> None:
    jobs.add(
        "probe_upload",
        subject_id=event.upload_id,
        owner_id=event.user_id,
        unique_key=f"probe_upload/{event.upload_id}",
    )
    live.note(f"studio-{event.album_id}", "uploads", event.album_id)


@on(JobChanged)
def show_job(event: JobChanged) -> None:
    """The row, and every place in the queue: whoever waited behind a job that starts or ends has moved up."""
    column = _SUBJECTS.get(event.kind)
    if column is None:
        return
    album_id = db.session.scalar(select(Upload.album_id).where(column == event.subject_id))
    if album_id is not None:
        live.note(f"studio-{album_id}", "uploads", album_id)
    waiting = db.session.scalars(
        select(Upload.album_id)
        .join(Job, Job.subject_id == column)
        .where(Job.kind == event.kind, Job.state == QUEUED, Upload.album_id != album_id)
        .distinct()
        .limit(MOST_ALBUMS_TOLD)
    ).all()
    after_commit(partial(_tell, waiting))


def _tell(album_ids: Sequence[int]) -> None:
    # Not logged: a place in the queue is old news within seconds, and the log is there for what lasts.
    for album_id in album_ids:
        live.publish_now(f"studio-{album_id}", "uploads", album_id, unlogged=True)
