"""Reads of uploads and of what their senders keep here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select

from musicapp.accounts.models import User
from musicapp.catalog.models import Album, Original, Track
from musicapp.core.db import db
from musicapp.jobs.models import CANCELLED, ENDED, FAILED, Job
from musicapp.uploads.limits import current_limits
from musicapp.uploads.models import CANCELLED as UPLOAD_CANCELLED
from musicapp.uploads.models import FAILED as UPLOAD_FAILED
from musicapp.uploads.models import PROBED, READY, RECEIVED, RECEIVING, Upload


@dataclass(frozen=True, slots=True)
class Kept:
    """What a user keeps here and may keep. Files on their way in count with their whole size."""

    used_bytes: int
    used_ms: int
    quota_bytes: int
    quota_ms: int

    @property
    def left_bytes(self) -> int:
        return max(0, self.quota_bytes - self.used_bytes)

    @property
    def left_ms(self) -> int:
        return max(0, self.quota_ms - self.used_ms)

    @property
    def hours_words(self) -> str:
        return (
            f"You have {self.left_ms / 3_600_000:.1f} hours of music left of {self.quota_ms / 3_600_000:.1f}, and this "
            "would be more. Delete tracks you no longer need, or ask the operator for more."
        )


def kept_by(user_id: int, *, without_track_id: int | None = None) -> Kept:
    """Sums of a user's originals and open uploads; `without_track_id` leaves out a track about to be measured.

    Deleted tracks and albums don't count: deleting is how people make room. Hours count once they are decoded: what
    a file says of its own length may be wrong by days.
    """
    limits = current_limits()
    bytes_quota, seconds_quota = db.session.execute(
        select(User.quota_bytes, User.quota_seconds).where(User.id == user_id)
    ).one()
    sums = (
        select(
            func.coalesce(func.sum(Original.size_bytes), 0),
            func.coalesce(func.sum(case((Track.ready_at.is_not(None), Track.duration_ms), else_=0)), 0),
        )
        .select_from(Original)
        .join(Track, Track.id == Original.track_id)
        .join(Album, Album.id == Track.album_id)
        .where(Original.owner_id == user_id, Track.deleted_at.is_(None), Album.deleted_at.is_(None))
    )
    if without_track_id is not None:
        sums = sums.where(Track.id != without_track_id)
    kept_bytes, kept_ms = db.session.execute(sums).one()
    coming_bytes = db.session.scalar(
        select(func.coalesce(func.sum(Upload.size_bytes), 0)).where(
            Upload.user_id == user_id, Upload.state.in_((RECEIVING, RECEIVED))
        )
    )
    return Kept(
        used_bytes=int(kept_bytes) + int(coming_bytes or 0),
        used_ms=int(kept_ms),
        quota_bytes=limits.user_bytes if bytes_quota is None else bytes_quota,
        quota_ms=1000 * (limits.user_seconds if seconds_quota is None else seconds_quota),
    )


def upload_by_token(token: str, user_id: int) -> Upload | None:
    """A user's own upload by the last part of its tus address; strangers' tokens are nobody's."""
    return db.session.scalars(select(Upload).where(Upload.token == token, Upload.user_id == user_id)).one_or_none()


def expired_upload_ids(now: datetime) -> Sequence[int]:
    """Unfinished uploads that nobody continued in time."""
    return db.session.scalars(
        select(Upload.id).where(Upload.state == RECEIVING, Upload.expires_at < now).order_by(Upload.id)
    ).all()


def receiving_uploads() -> Sequence[Upload]:
    """Uploads that wait for bytes, oldest first."""
    return db.session.scalars(select(Upload).where(Upload.state == RECEIVING).order_by(Upload.id)).all()


@dataclass(frozen=True, slots=True)
class Sitting:
    """What became of the files that somebody sent to an album since an instant. Ids of uploads."""

    ready: list[int]
    failed: list[int]
    """Refused, or given up by their job."""
    last_ended_at: datetime | None
    is_coming: bool
    """Bytes of another file have come lately."""
    is_worked_on: bool


COMING_FOR = timedelta(minutes=2)
"""A file of which nothing has come for so long is interrupted: nobody waits for it."""


def sitting(user_id: int, album_id: int, since: datetime | None, now: datetime) -> Sitting:
    """The uploads of a person to an album that ended after `since`, and whether others are under way; one statement."""
    job_is_its = ((Upload.state == RECEIVED) & (Job.kind == "probe_upload") & (Job.subject_id == Upload.id)) | (
        (Upload.state == PROBED) & (Job.kind == "encode_track") & (Job.subject_id == Upload.track_id)
    )
    rows = db.session.execute(
        select(Upload.id, Upload.state, Upload.expires_at, Upload.finished_at)
        .add_columns(Job.state.label("job_state"), Job.finished_at.label("job_ended_at"))
        .outerjoin(Job, job_is_its)
        .where(Upload.user_id == user_id, Upload.album_id == album_id, Upload.state != UPLOAD_CANCELLED)
        .order_by(Upload.id)
    ).all()
    ended = {row.id: (row, row.finished_at or row.job_ended_at) for row in rows if row.job_state != CANCELLED}
    told = [(row, at) for row, at in ended.values() if at is not None and (since is None or at > since)]
    touched_since = now + current_limits().unfinished_for - COMING_FOR
    return Sitting(
        ready=[row.id for row, _at in told if row.state == READY],
        failed=[row.id for row, _at in told if row.state == UPLOAD_FAILED or row.job_state == FAILED],
        last_ended_at=max((at for _row, at in told), default=None),
        is_coming=any(row.state == RECEIVING and row.expires_at > touched_since for row in rows),
        is_worked_on=any(row.state in (RECEIVED, PROBED) and row.job_state not in ENDED for row in rows),
    )


def abandoned_uploads(before: datetime) -> Sequence[Upload]:
    """Whole files whose probe was cancelled or failed before that instant, and was never tried again."""
    return db.session.scalars(
        select(Upload)
        .join(Job, (Job.subject_id == Upload.id) & (Job.kind == "probe_upload"))
        .where(Upload.state == RECEIVED, Job.state.in_((FAILED, CANCELLED)), Job.finished_at < before)
        .order_by(Upload.id)
    ).all()
