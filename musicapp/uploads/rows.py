"""An upload as its album's studio page shows it: what it waits for, how far it is, what can be done about it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import gettext as _
from sqlalchemy import select

from musicapp.catalog.models import Track
from musicapp.core.db import db
from musicapp.core.pages import size_words
from musicapp.core.storage import store
from musicapp.jobs.models import CANCELLED as JOB_CANCELLED
from musicapp.jobs.models import FAILED as JOB_FAILED
from musicapp.jobs.models import QUEUED, SUCCEEDED, Job
from musicapp.jobs.queries import JobView, latest_jobs, newest_jobs
from musicapp.uploads.models import CANCELLED, FAILED, PROBED, READY, RECEIVED, RECEIVING, Upload

# The page that sends a file shows it by itself; others see it here once no byte has come for so long.
INTERRUPTED_AFTER_S = 60


class Stage(StrEnum):
    """Where an upload stands for those who look at it."""

    INTERRUPTED = "interrupted"
    WAITING = "waiting"
    WORKING = "working"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class UploadRow:
    """One line of the list. `words` say what there is to know; `percent` is None where it can't be told."""

    id: int
    album_id: int
    filename: str
    size_bytes: int
    stage: Stage
    words: str
    percent: int | None = None
    job: JobView | None = None
    can_retry: bool = False

    @property
    def is_under_way(self) -> bool:
        return self.stage in {Stage.WAITING, Stage.WORKING}

    @property
    def can_cancel(self) -> bool:
        return self.stage is Stage.INTERRUPTED or (self.job is not None and self.job.can_cancel)

    @property
    def can_dismiss(self) -> bool:
        return self.stage in {Stage.FAILED, Stage.CANCELLED, Stage.NOTE}


def album_uploads(album_id: int) -> list[UploadRow]:
    """The rows of an album, oldest first; finished uploads without a remark are left out."""
    return _rows(
        db.session.scalars(
            select(Upload)
            .where(Upload.album_id == album_id)
            .where((Upload.state != READY) | Upload.error.is_not(None))
            .order_by(Upload.id)
        ).all()
    )


def upload_row(upload: Upload) -> UploadRow | None:
    """The row of one upload, None where there is nothing to show."""
    rows = _rows([upload])
    return rows[0] if rows else None


def current_job(upload: Upload) -> Job | None:
    """The newest job about the file: its probe, then its track's encoding. Asks the database alone."""
    if upload.state == RECEIVED:
        found = newest_jobs(["probe_upload"], [upload.id])
    elif upload.state == PROBED and upload.track_id:
        found = newest_jobs(["encode_track"], [upload.track_id])
    else:
        return None
    return found[0] if found else None


def _rows(uploads: Sequence[Upload]) -> list[UploadRow]:
    jobs = _jobs(uploads)
    shown_track_ids = set(
        db.session.scalars(
            select(Track.id).where(
                Track.id.in_([upload.track_id for upload in uploads if upload.track_id]), Track.deleted_at.is_(None)
            )
        )
    )
    rows = []
    for upload in uploads:
        if upload.state in {PROBED, READY} and upload.track_id not in shown_track_ids:
            continue
        row = _row(upload, jobs.get(upload.id))
        if row is not None:
            rows.append(row)
    return rows


def _jobs(uploads: Sequence[Upload]) -> dict[int, JobView]:
    """Upload id -> job."""
    probes = latest_jobs(["probe_upload"], [upload.id for upload in uploads if upload.state == RECEIVED])
    by_track = latest_jobs(
        ["encode_track"], [upload.track_id for upload in uploads if upload.state == PROBED and upload.track_id]
    )
    encodings = {upload.id: by_track[upload.track_id] for upload in uploads if upload.track_id in by_track}
    return {**probes, **encodings}


def _row(upload: Upload, job: JobView | None) -> UploadRow | None:
    if upload.state == RECEIVING:
        return _interrupted_row(upload)
    if upload.state == FAILED:
        return _plain_row(upload, Stage.FAILED, upload.error or "")
    if upload.state in {CANCELLED, READY}:
        stage = Stage.NOTE if upload.state == READY else Stage.FAILED
        return _plain_row(upload, stage, upload.error) if upload.error else None
    return _working_row(upload, job) if job is not None else None


def _plain_row(upload: Upload, stage: Stage, words: str) -> UploadRow:
    return UploadRow(upload.id, upload.album_id, upload.filename, upload.size_bytes, stage, words)


def _interrupted_row(upload: Upload) -> UploadRow | None:
    try:
        facts = store().path(upload.key).stat()
        there_bytes, touched_at = facts.st_size, facts.st_mtime
    except FileNotFoundError:
        there_bytes, touched_at = 0, upload.created_at.timestamp()
    if time.time() - touched_at < INTERRUPTED_AFTER_S:
        return None
    words = _(
        "Interrupted at %(there)s. Choose the same file again to go on from there.", there=size_words(there_bytes)
    )
    return UploadRow(
        upload.id,
        upload.album_id,
        upload.filename,
        upload.size_bytes,
        Stage.INTERRUPTED,
        words,
        percent=100 * there_bytes // max(1, upload.size_bytes),
    )


def _working_row(upload: Upload, job: JobView) -> UploadRow | None:
    if job.state == SUCCEEDED:
        return None
    stage, words = _stage_and_words(upload, job)
    return UploadRow(
        upload.id,
        upload.album_id,
        upload.filename,
        upload.size_bytes,
        stage,
        words,
        percent=job.percent if stage is Stage.WORKING else None,
        job=job,
        can_retry=job.can_retry,
    )


def _stage_and_words(upload: Upload, job: JobView) -> tuple[Stage, str]:
    if job.state == JOB_FAILED:
        return Stage.FAILED, job.error or ""
    if job.state == JOB_CANCELLED:
        if upload.state == PROBED:
            return Stage.CANCELLED, _("Cancelled. The track plays from the original.")
        return Stage.CANCELLED, _("Cancelled.")
    if job.is_cancel_requested:
        return Stage.WORKING, _("Stopping…")
    if job.state == QUEUED:
        if job.error:  # the last attempt said why it waits
            return Stage.WAITING, job.error
        return Stage.WAITING, _("Waiting, place %(place)s in the queue", place=job.place or 1)
    return Stage.WORKING, job.step or _("Starting")
