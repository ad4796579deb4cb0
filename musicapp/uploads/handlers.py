"""What uploads do when something happens: work is added, open studio pages hear of it."""

from __future__ import annotations

from sqlalchemy import select

from musicapp.core.db import db
from musicapp.core.events import on
from musicapp.jobs import services as jobs
from musicapp.jobs.events import JobChanged
from musicapp.jobs.models import ENDED
from musicapp.live import services as live
from musicapp.uploads.events import UploadReceived
from musicapp.uploads.models import Upload

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
    column = _SUBJECTS.get(event.kind)
    if column is None:
        return
    row = db.session.execute(select(Upload.id, Upload.album_id).where(column == event.subject_id)).first()
    if row is None:
        return
    topic = f"studio-{row.album_id}"
    if event.state in ENDED:
        live.note(topic, "uploads", row.album_id)  # whoever waited behind it has moved up
    else:
        live.note(topic, "upload", row.id)
