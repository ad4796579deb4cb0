"""What uploads do when something happens: work is added, open studio pages hear of it."""

from __future__ import annotations

from musicapp.core.events import on
from musicapp.jobs import services as jobs
from musicapp.live import services as live
from musicapp.uploads.events import UploadReceived


@on(UploadReceived)
def start_processing(event: UploadReceived) -> None:
    jobs.add(
        "probe_upload",
        subject_id=event.upload_id,
        owner_id=event.user_id,
        unique_key=f"probe_upload/{event.upload_id}",
    )
    live.note(f"studio-{event.album_id}", "uploads", event.album_id)
