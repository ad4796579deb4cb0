"""Step 2, on the media queue: one decode gives the true duration, renditions, loudness, waveform and preview."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from musicapp.audio.encode import EncodeResult, encode
from musicapp.audio.errors import EncodeError, NotAudioError, TooLongError
from musicapp.audio.facts import AudioFacts
from musicapp.audio.ffmpeg import OnProgress, ffmpeg_path
from musicapp.audio.ladder import choose_profiles, parse_profiles
from musicapp.audio.preview import EarlyPreview
from musicapp.audio.probe import probe
from musicapp.catalog.models import Original, Track
from musicapp.core.db import db, reading
from musicapp.core.storage import store
from musicapp.jobs.context import JobContext
from musicapp.jobs.registry import JobFailedError, RetryLater
from musicapp.uploads.limits import current_limits
from musicapp.uploads.models import Upload
from musicapp.uploads.pipeline.refusal import refuse_track
from musicapp.uploads.pipeline.step_1_probe import FILE_IS_GONE
from musicapp.uploads.queries import kept_by

log = logging.getLogger(__name__)

# Listeners come first: an encoder takes what the web processes leave.
NICENESS = 10
# A file that takes longer than it plays is stuck; a short one may wait behind others for a core.
SHORTEST_TIME_LIMIT_S = 1800
DISK_FULL_RETRY_S = 120


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be encoded, as it was when the job began."""

    track_id: int
    album_id: int
    upload_id: int | None
    owner_id: int | None
    filename: str
    path: Path


@dataclass(frozen=True, slots=True)
class Encoded:
    """What one decode gave. Files lie in the scratch folder."""

    facts: AudioFacts
    sha256: str
    result: EncodeResult
    waveform: Path
    preview: Path | None


def read_source(track_id: int) -> Source:
    """Reads what the job is about and ends the transaction. Raises JobFailedError where the track is gone."""
    with reading():
        row = db.session.execute(
            select(Track.album_id, Original.key, Original.filename, Original.owner_id, Upload.id)
            .join(Original, Original.track_id == Track.id)
            .outerjoin(Upload, Upload.track_id == Track.id)
            .where(Track.id == track_id)
        ).first()
        db.session.rollback()
    if row is None:
        raise JobFailedError("The track was deleted, so there is nothing left to do.")
    album_id, key, filename, owner_id, upload_id = row
    return Source(track_id, album_id, upload_id, owner_id, filename, store().path(key))


def encode_source(job: JobContext, source: Source, folder: Path) -> Encoded:
    """Makes everything in `folder`. No transaction is open meanwhile.

    Raises JobFailedError for a file that can't be used (its track is removed) and for failures that leave the track
    playing from its original, RetryLater for a full disk, JobCancelledError.
    """
    job.step("Encoding")
    if not source.path.is_file():
        raise refuse_track(source.track_id, FILE_IS_GONE)
    limit_s, too_long = _longest_allowed(source)
    ffmpeg = ffmpeg_path(current_app.config["FFMPEG_BINARY"])
    ladder = parse_profiles([name.strip() for name in current_app.config["RENDITIONS"].split(",")])
    with EarlyPreview(folder, ffmpeg=ffmpeg) as preview:
        try:
            facts = probe(source.path, source.filename)
            result = encode(
                source.path,
                folder,
                choose_profiles(ladder, facts),
                facts=facts,
                max_duration_s=limit_s,
                ffmpeg=ffmpeg,
                time_limit_s=max(SHORTEST_TIME_LIMIT_S, limit_s),
                on_progress=_progress_of(job, facts.declared_duration_ms),
                on_preview=preview.begin,
                niceness=NICENESS,
            )
        except NotAudioError as error:
            raise refuse_track(source.track_id, str(error)) from error
        except TooLongError as error:
            raise refuse_track(source.track_id, too_long or str(error)) from error
        except EncodeError as error:
            if error.reason == "disk_full":
                raise RetryLater(DISK_FULL_RETRY_S, str(error)) from error
            raise JobFailedError(str(error)) from error
        return Encoded(
            facts=facts,
            sha256=_sha256(job, source.path),
            result=result,
            waveform=_write_waveform(result, folder),
            preview=_finish_preview(preview, result),
        )


def _longest_allowed(source: Source) -> tuple[int, str | None]:
    """Seconds that may be decoded; and words, where it is the owner's quota that says so and not the site's limit."""
    limit_s = current_limits().track_seconds
    if source.owner_id is None:
        return limit_s, None
    with reading():
        kept = kept_by(source.owner_id, without_track_id=source.track_id)
        db.session.rollback()
    if kept.left_ms >= limit_s * 1000:
        return limit_s, None
    return max(1, kept.left_ms // 1000), kept.hours_words


def _progress_of(job: JobContext, declared_ms: int | None) -> OnProgress:
    def report(decoded_ms: int, speed: float) -> None:
        # The declared length is only a claim: a file that goes on behind it stays at 99.
        percent = min(99.0, 100 * decoded_ms / declared_ms) if declared_ms else 0.0
        job.progress(percent, f"{speed:.0f}×" if speed >= 1 else "")

    return report


def _sha256(job: JobContext, path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            digest.update(piece)
            job.check_cancelled()
    return digest.hexdigest()


def _write_waveform(result: EncodeResult, folder: Path) -> Path:
    path = folder / "waveform.json"
    try:
        path.write_text(json.dumps(result.waveform, separators=(",", ":")))
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise RetryLater(DISK_FULL_RETRY_S, "The server's disk is full. Try again when there is room.") from error
        raise
    return path


def _finish_preview(preview: EarlyPreview, result: EncodeResult) -> Path | None:
    """The preview; a track can do without one."""
    try:
        made = preview.finish(result.preview)
    except EncodeError as error:
        if error.reason == "disk_full":
            raise RetryLater(DISK_FULL_RETRY_S, str(error)) from error
        log.warning("no preview: %s", error)
        return None
    return made.path if made else None
