"""Step 1, on the quick queue: what the file is. Afterwards the track exists and plays from its original."""

from __future__ import annotations

from musicapp.audio.errors import NotAudioError
from musicapp.audio.facts import AudioFacts
from musicapp.audio.probe import probe, title_from_filename, track_number_from_filename
from musicapp.catalog import services as catalog
from musicapp.catalog.errors import AlbumGoneError
from musicapp.core.db import db, reading
from musicapp.core.storage import store
from musicapp.jobs import services as jobs
from musicapp.jobs.context import JobContext
from musicapp.jobs.registry import JobFailedError
from musicapp.live import services as live
from musicapp.uploads import services
from musicapp.uploads.models import FAILED, RECEIVED, Upload
from musicapp.uploads.pipeline.refusal import refuse_upload

FILE_IS_GONE = "The file is no longer on the server's disk. Send it again."


def probe_upload(job: JobContext) -> dict[str, int]:
    """Makes the track of the upload `job.subject_id` and adds the job that encodes it. Done twice, it does it once.

    Raises JobFailedError where the file is no audio (it is removed) or its album is gone (it stays, for trying again).
    """
    with reading():
        upload = db.session.get(Upload, job.subject_id)
        if upload is not None:
            db.session.expunge(upload)
        db.session.rollback()
    if upload is None:
        raise JobFailedError("This upload was removed. Send the file again.")
    if upload.state == FAILED:
        raise JobFailedError(upload.error or FILE_IS_GONE)
    if upload.state != RECEIVED:
        return {"track_id": upload.track_id or 0}
    job.shows_on(f"studio-{upload.album_id}", "upload", upload.id)
    job.step("Reading the file")
    path = store().path(upload.key)
    if not path.is_file():
        raise refuse_upload(upload.id, FILE_IS_GONE)
    try:
        facts = probe(path, upload.filename)
    except NotAudioError as error:
        raise refuse_upload(upload.id, str(error)) from error
    return {"track_id": _add_track(job, upload.id, facts)}


def _add_track(job: JobContext, upload_id: int, facts: AudioFacts) -> int:
    job.check_cancelled()
    upload = db.session.get_one(Upload, upload_id, with_for_update=True)
    if upload.state != RECEIVED:  # a worker that was thought dead was only slow
        db.session.rollback()
        return upload.track_id or 0
    try:
        track_id = catalog.add_track(
            upload.album_id,
            facts,
            catalog.NewOriginal(
                key=upload.key, filename=upload.filename, size_bytes=upload.size_bytes, owner_id=upload.user_id
            ),
            fallback_title=title_from_filename(upload.filename),
            fallback_track_number=track_number_from_filename(upload.filename),
        )
    except AlbumGoneError as error:
        db.session.rollback()
        raise JobFailedError(str(error)) from error
    services.mark_probed(upload, track_id)
    jobs.add("encode_track", subject_id=track_id, owner_id=upload.user_id, unique_key=f"encode_track/{track_id}")
    live.note(f"studio-{upload.album_id}", "upload", upload.id)
    db.session.commit()
    return track_id
