"""Writes of announcements. Nothing here commits.

An announcement has one job in its life, of `telling`: sent again after it was taken back or stopped, the same job waits
anew, so that what has reached somebody is known and nobody gets it twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from musicapp.accounts.models import User
from musicapp.catalog.models import Artist
from musicapp.core.db import db, utc_now
from musicapp.jobs import services as jobs
from musicapp.jobs.models import CANCELLED as JOB_CANCELLED
from musicapp.jobs.models import ENDED, RUNNING, Job
from musicapp.jobs.models import FAILED as JOB_FAILED
from musicapp.live import services as live
from musicapp.notifications import telling
from musicapp.notifications.announcements import queries
from musicapp.notifications.due import zone_of
from musicapp.notifications.models import (
    CANCELLED,
    DELIVERED,
    DRAFT,
    FAILED,
    QUEUED,
    SCHEDULED,
    SENDING,
    Announcement,
)

OPEN = (DRAFT, SCHEDULED)
"""States in which the words may still change."""


class AnnouncementError(Exception):
    """Why it can't be done now, in words for the author."""


def write(author_id: int, artist_id: int | None, *, title: str, words: str) -> int:
    """A draft; its id. `artist_id` None: to everybody."""
    announcement = Announcement(author_id=author_id, artist_id=artist_id, title=title, words=words, state=DRAFT)
    db.session.add(announcement)
    db.session.flush()
    return announcement.id


def edit(announcement_id: int, *, title: str, words: str) -> None:
    """Changes the words of a draft, or of one that waits for its time. Raises AnnouncementError once it has begun."""
    announcement = _locked(announcement_id)
    if announcement.state not in OPEN:
        raise AnnouncementError(_("It is on its way already, so its words stay as they are."))
    announcement.title, announcement.words, announcement.updated_at = title, words, utc_now()
    _show(announcement)


def delete(announcement_id: int) -> None:
    """Removes a draft. Raises AnnouncementError for one that was sent off."""
    announcement = _locked(announcement_id)
    if announcement.state != DRAFT:
        raise AnnouncementError(_("Only drafts can be deleted. Take it back first."))
    db.session.delete(announcement)


def send(
    announcement_id: int, sender_id: int, *, send_at: datetime | None, most_per_day: int, zone_name: str = "UTC"
) -> int:
    """Sends a draft, or one that waits for its time: now, or at `send_at`. Returns the id of its job.

    An artist may send `most_per_day` on a day of the sender's zone. Raises AnnouncementError.
    """
    announcement = _locked(announcement_id)
    if announcement.state not in OPEN:
        raise AnnouncementError(_("It is on its way already."))
    sender = db.session.get(User, sender_id)
    if sender is None or sender.suspended_at is not None:
        raise AnnouncementError(_("Your account is suspended, so you can't send announcements."))
    if announcement.artist_id is not None:
        _check_day(announcement, send_at or utc_now(), zone_name, most_per_day)
    job = db.session.get(Job, announcement.job_id) if announcement.job_id else None
    if job is not None and job.state not in ENDED:
        jobs.cancel(job)
    now = utc_now()
    announcement.send_at, announcement.updated_at = send_at or now, now
    announcement.state = SCHEDULED if send_at else QUEUED
    announcement.author_id = sender_id
    db.session.flush()
    if job is None:
        announcement.job_id = telling.tell(
            "announcement",
            subject_id=announcement.id,
            reason=f"announcement/{announcement.id}",
            owner_id=sender_id,
            run_at=send_at,
        )
    else:
        job.owner_id = sender_id
        jobs.retry(job, run_at=send_at)
    db.session.flush()
    _show(announcement)
    return announcement.job_id or 0


def stop(announcement_id: int) -> str:
    """Takes back what has not begun, so that it is a draft again, or stops what is being sent; the state after it.

    What is being sent ends at the worker's next look. Raises AnnouncementError where there is nothing to stop.
    """
    announcement = _locked(announcement_id)
    job = db.session.get(Job, announcement.job_id) if announcement.job_id else None
    if job is None or announcement.state == DRAFT or not jobs.cancel(job):
        raise AnnouncementError(_("There is nothing to stop: it has ended already."))
    db.session.flush()
    return announcement.state


def go_on(announcement_id: int) -> None:
    """Sends one that was stopped, or that failed, to those who have not got it. Raises AnnouncementError."""
    announcement = _locked(announcement_id)
    job = db.session.get(Job, announcement.job_id) if announcement.job_id else None
    if job is None or announcement.state not in {CANCELLED, FAILED} or not jobs.retry(job):
        raise AnnouncementError(_("It is under way or done."))


def follow_job(announcement_id: int, job_id: int, job_state: str) -> None:
    """Writes what a change of its job means for an announcement, in its transaction: the two never differ."""
    announcement = db.session.get(Announcement, announcement_id, populate_existing=True, with_for_update=True)
    if announcement is None or announcement.job_id != job_id:
        return
    has_begun = announcement.state not in {*OPEN, QUEUED} or announcement.finished_at is not None
    if job_state == RUNNING:
        announcement.state = SENDING
    elif job_state == JOB_CANCELLED and not has_begun:
        announcement.state, announcement.send_at = DRAFT, None
    elif job_state in ENDED:
        ends = {JOB_CANCELLED: CANCELLED, JOB_FAILED: FAILED}
        announcement.state, announcement.finished_at = ends.get(job_state, DELIVERED), utc_now()
        announcement.result = queries.result_of(job_id)
    elif announcement.state in {CANCELLED, FAILED}:
        announcement.state = QUEUED
    # Else it waits for its next part, or for a worker that takes the place of one that died.
    _show(announcement)


def stop_all_of(author_id: int) -> int:
    """Stops what somebody has sent off and is not out yet, and takes back what waits for its time; how many."""
    waiting = select(Announcement.id).where(
        Announcement.author_id == author_id, Announcement.state.in_((SCHEDULED, QUEUED, SENDING))
    )
    ids = list(db.session.scalars(waiting))
    for announcement_id in ids:
        stop(announcement_id)
    return len(ids)


def _check_day(announcement: Announcement, send_at: datetime, zone_name: str, most_per_day: int) -> None:
    # The artist's row is the lock: two that are sent at once are counted one after the other.
    db.session.execute(select(Artist.id).where(Artist.id == announcement.artist_id).with_for_update())
    zone = zone_of(zone_name)
    midnight = send_at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    next_midnight = (midnight + timedelta(days=1)).astimezone(UTC)
    artist_id = announcement.artist_id or 0
    count = queries.sent_between(artist_id, midnight.astimezone(UTC), next_midnight, besides=announcement.id)
    if count >= most_per_day:
        words = _(
            "%(count)s announcements of this artist go out on that day, and %(most)s are the most, so that nobody "
            "stops listening. Choose another day.",
            count=count,
            most=most_per_day,
        )
        raise AnnouncementError(words)


def _locked(announcement_id: int) -> Announcement:
    """The row as it is now. Its job's row is locked first: whoever works on the job has it in that order, too."""
    job_id = db.session.scalar(select(Announcement.job_id).where(Announcement.id == announcement_id))
    if job_id is not None:
        db.session.execute(select(Job.id).where(Job.id == job_id).with_for_update())
    announcement = db.session.get(Announcement, announcement_id, populate_existing=True, with_for_update=True)
    if announcement is None:
        raise AnnouncementError(_("This announcement was deleted."))
    return announcement


def _show(announcement: Announcement) -> None:
    live.note(f"announcement-{announcement.id}", "announcement", announcement.id)
