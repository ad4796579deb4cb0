"""One notice for all the files that somebody sends to an album in a sitting, once the last of them has ended.

Each end of a file looks whether others are still worked on; the last one's job waits while bytes still come, and tells
what ended since it was last told. What was told up to which instant stands in the job's result.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from musicapp.core.db import db, reading, utc_now
from musicapp.jobs import services as jobs
from musicapp.jobs.context import JobContext
from musicapp.jobs.models import SUCCEEDED, Job
from musicapp.jobs.registry import GoOn, job_kind
from musicapp.notifications.telling import tell
from musicapp.uploads.models import Upload
from musicapp.uploads.queries import Sitting, sitting

KINDS = {"probe_upload": Upload.id, "encode_track": Upload.track_id}
"""Jobs whose end may be that of a file: kind -> the column that names their subject."""
QUIET_FOR = timedelta(seconds=3)
"""Between two files of a sitting: a browser opens the next one a moment after the last."""
COMING_LOOK_S = 15.0
MOST_IDS = 50
TOLD_WITHIN = timedelta(days=7)
"""What ended longer ago is told no more, also where the job that told it is not kept any longer."""


def look(kind: str, subject_id: int) -> None:
    """A file may have ended: adds the job that tells of its sitting, unless others are worked on, whose end comes."""
    upload = db.session.scalar(select(Upload).where(KINDS[kind] == subject_id))
    if upload is None:
        return
    now = utc_now()
    if sitting(upload.user_id, upload.album_id, None, now).is_worked_on:
        return
    jobs.add("tell_uploads", subject_id=upload.album_id, owner_id=upload.user_id, run_at=now + QUIET_FOR)


@job_kind("tell_uploads")
def tell_uploads(job: JobContext) -> dict[str, Any]:
    """Subject: the album; owner: who sent. Result: told_to, the instant of the last end that was told."""
    user_id = job.owner_id or 0
    with reading():
        told_to = _told_to(job.subject_id, user_id)
        found = sitting(user_id, job.subject_id, told_to, utc_now())
        db.session.rollback()
    if found.is_worked_on:  # its end looks again
        return {"told": 0}
    if found.is_coming:
        raise GoOn(COMING_LOOK_S)
    if found.last_ended_at is None or not (found.ready or found.failed):
        return {"told": 0}
    _tell(job.subject_id, user_id, found)
    db.session.commit()
    return {"told": len(found.ready) + len(found.failed), "told_to": found.last_ended_at.isoformat()}


def _tell(album_id: int, user_id: int, found: Sitting) -> None:
    kind = "upload_failed" if found.failed else "upload_finished"
    tell(
        kind,
        subject_id=album_id,
        # The same however often this runs: the file that ended last is told of in no other sitting.
        reason=f"uploads/{album_id}/{user_id}/{found.last_ended_at:%Y%m%d%H%M%S%f}",
        owner_id=user_id,
        arguments={
            "user_ids": [user_id],
            "ready": len(found.ready),
            "failed": len(found.failed),
            "upload_ids": (found.failed + found.ready)[:MOST_IDS],
        },
    )


def _told_to(album_id: int, user_id: int) -> datetime:
    results = db.session.scalars(
        select(Job.result).where(
            Job.kind == "tell_uploads", Job.subject_id == album_id, Job.owner_id == user_id, Job.state == SUCCEEDED
        )
    )
    told = [datetime.fromisoformat(result["told_to"]) for result in results if result and "told_to" in result]
    return max([*told, utc_now() - TOLD_WITHIN])
