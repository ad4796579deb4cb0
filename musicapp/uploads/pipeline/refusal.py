"""A file that turned out not to be usable: nothing of it stays but the reason."""

from __future__ import annotations

from sqlalchemy import select

from musicapp.catalog import services as catalog
from musicapp.core.db import db
from musicapp.jobs.registry import JobFailedError
from musicapp.live import services as live
from musicapp.uploads import services
from musicapp.uploads.models import Upload


def refuse_upload(upload_id: int, words: str) -> JobFailedError:
    """Removes the bytes, keeps the reason, commits. Returns what the job raises: trying again can't help."""
    db.session.rollback()
    upload = db.session.get(Upload, upload_id)
    if upload is not None:
        services.fail_upload(upload, words)
        live.note(f"studio-{upload.album_id}", "upload", upload.id)
    db.session.commit()
    return JobFailedError(words)


def refuse_track(track_id: int, words: str) -> JobFailedError:
    """The same for a file whose track exists already: the track goes, and its share of the quota comes back."""
    db.session.rollback()
    upload = db.session.scalars(select(Upload).where(Upload.track_id == track_id)).one_or_none()
    for key in catalog.remove_refused_track(track_id):
        services.remove_file_after_commit(key)
    if upload is not None:
        services.fail_upload(upload, words)
        upload.track_id = None
        live.note(f"studio-{upload.album_id}", "upload", upload.id)
    db.session.commit()
    return JobFailedError(words)
