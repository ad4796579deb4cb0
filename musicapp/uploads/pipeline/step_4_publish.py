"""Step 4: what was made goes into the store and onto the track; listeners get renditions from now on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from musicapp.audio.encode import PIPELINE_VERSION
from musicapp.catalog import services as catalog
from musicapp.catalog.models import Original, Track
from musicapp.core.db import db
from musicapp.core.storage import store
from musicapp.jobs.context import JobContext
from musicapp.live import services as live
from musicapp.uploads import services
from musicapp.uploads.errors import UploadRefusedError
from musicapp.uploads.models import Upload
from musicapp.uploads.pipeline.refusal import refuse_track
from musicapp.uploads.pipeline.step_2_encode import Encoded, Source


def publish_track(job: JobContext, source: Source, encoded: Encoded) -> dict[str, Any]:
    """Stores the outcome in one short transaction and returns the job's result.

    Raises JobFailedError where the track would be more hours than its owner may keep (it is removed).
    """
    job.step("Publishing")
    outcome = _adopt(source, encoded)
    new_keys = [r.key for r in outcome.renditions] + [k for k in (outcome.waveform_key, outcome.preview_key) if k]
    try:
        notes = _write(source, encoded, outcome)
    except UploadRefusedError as error:
        _delete(new_keys)
        raise refuse_track(source.track_id, str(error)) from error
    except BaseException:
        db.session.rollback()
        _delete(new_keys)
        raise
    return {
        "track_id": source.track_id,
        "duration_ms": outcome.duration_ms,
        "renditions": [rendition.profile for rendition in outcome.renditions],
        "failed": [list(failure) for failure in encoded.result.failed],
        "notes": notes,
    }


def _adopt(source: Source, encoded: Encoded) -> catalog.EncodeOutcome:
    kept = store()
    prefix = f"renditions/{source.track_id}"
    renditions = tuple(
        catalog.NewRendition(
            profile=made.profile.name,
            key=kept.adopt(made.path, prefix, made.profile.suffix),
            codec=made.profile.codec,
            mime=made.profile.mime,
            bitrate_kbps=made.bitrate_kbps,
            size_bytes=made.size_bytes,
            duration_ms=made.duration_ms,
            encoder_delay_samples=made.encoder_delay_samples,
            encoder_padding_samples=made.encoder_padding_samples,
            pipeline_version=PIPELINE_VERSION,
        )
        for made in encoded.result.renditions
    )
    loudness = encoded.result.loudness
    return catalog.EncodeOutcome(
        duration_ms=encoded.result.duration_ms,
        renditions=renditions,
        integrated_loudness_lufs=loudness.integrated_loudness_lufs,
        true_peak_dbtp=loudness.true_peak_dbtp,
        track_gain_db=loudness.track_gain_db,
        waveform_key=kept.adopt(encoded.waveform, prefix, ".json"),
        preview_key=kept.adopt(encoded.preview, prefix, ".mp3") if encoded.preview else None,
    )


def _write(source: Source, encoded: Encoded, outcome: catalog.EncodeOutcome) -> list[str]:
    if source.owner_id is not None:
        services.check_hours(source.owner_id, outcome.duration_ms, track_id=source.track_id)
    for key in catalog.set_track_ready(source.track_id, outcome):
        services.remove_file_after_commit(key)
    catalog.set_original_sha256(source.track_id, encoded.sha256)
    notes = [reason for _, reason in encoded.result.failed]
    if twin := _title_of_twin(source, encoded.sha256):
        notes.append(f"The same file is on this album already, as “{twin}”. Delete one of them if that is a mistake.")
    upload = db.session.get(Upload, source.upload_id) if source.upload_id else None
    if upload is not None:
        services.mark_ready(upload, " ".join(notes) or None)
        live.note(f"studio-{upload.album_id}", "upload", upload.id)
    db.session.commit()
    return notes


def _title_of_twin(source: Source, sha256: str) -> str | None:
    """The title of another track of the album made from the very same bytes."""
    return db.session.scalar(
        select(Track.title)
        .join(Original, Original.track_id == Track.id)
        .where(
            Track.album_id == source.album_id,
            Track.id != source.track_id,
            Track.deleted_at.is_(None),
            Original.sha256 == sha256,
        )
        .order_by(Track.id)
        .limit(1)
    )


def _delete(keys: list[str]) -> None:
    for key in keys:
        store().delete(key)
