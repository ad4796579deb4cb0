"""Whoever chose a picture hears when it is drawn, or why it can't be used."""

from __future__ import annotations

from musicapp.core.db import db
from musicapp.jobs.models import FAILED, SUCCEEDED, Job
from musicapp.jobs.presenting import shown
from musicapp.jobs.queries import views_of
from musicapp.notifications.telling import tell

KINDS = ("make_album_cover", "make_artist_picture", "make_playlist_cover", "resize_avatar")


def look(job_id: int) -> None:
    """Tells of a picture's job that has ended. Not of covers found in audio files: nobody waits for those."""
    job = db.session.get(Job, job_id)
    if job is None or job.owner_id is None or job.arguments.get("only_if_none"):
        return
    if job.state not in {SUCCEEDED, FAILED}:
        return
    words = shown(views_of([job])[0])
    is_failed = job.state == FAILED
    about = {"user_ids": [job.owner_id], "words": words.title[:200], "url": words.url, "failed": is_failed}
    tell("picture_ready", subject_id=job_id, reason=f"picture_ready/{job_id}/{job.state}", arguments=about)
