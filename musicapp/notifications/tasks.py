"""The kinds of mail that are a job of their own: never lost, sent again while the server is away, one delivery each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select

from musicapp.core.db import db, reading
from musicapp.jobs.context import JobContext
from musicapp.jobs.registry import JobFailedError, job_kind
from musicapp.notifications import posting
from musicapp.notifications.models import FAILED, SENT, Delivery
from musicapp.notifications.posting import MAX_ATTEMPTS

ONE_MAIL = ("confirm_address", "reset_password", "email_changed", "new_device", "album_created")
"""Kinds of mail that are a job of their own, `mail_<kind>`."""


def send_letter(job: JobContext) -> dict[str, Any]:
    """Sends the one mail of this job.

    Raises RetryLater while the server is away or says "later", JobFailedError when it says "never".
    """
    return _send(job, _delivery_of(job))


@job_kind("mail_again", queue="default", max_attempts=MAX_ATTEMPTS)
def send_again(job: JobContext) -> dict[str, Any]:
    """Sends one delivery once more (asked for by ledger.send_again), whatever became of the job it belonged to."""
    return _send(job, job.subject_id)


for _kind in ONE_MAIL:
    job_kind(f"mail_{_kind}", queue="default", max_attempts=MAX_ATTEMPTS, is_urgent=True)(send_letter)


def _delivery_of(job: JobContext) -> int:
    """The id of this job's delivery, which is made with its first attempt."""
    reason = f"{job.kind}/{job.id}"
    known = select(Delivery.id).where(Delivery.reason == reason)
    with reading():
        delivery_id = db.session.scalar(known)
        db.session.rollback()
    if delivery_id is not None:
        return delivery_id
    # Only whoever has the job comes here.
    delivery_id = db.session.scalars(
        insert(Delivery)
        .values(
            job_id=job.id,
            kind=job.kind.removeprefix("mail_"),
            subject_id=job.subject_id,
            arguments=job.arguments,
            user_id=job.arguments.get("user_id", job.subject_id),
            reason=reason,
        )
        .returning(Delivery.id)
    ).one()
    db.session.commit()
    return delivery_id


def _send(job: JobContext, delivery_id: int) -> dict[str, Any]:
    state = posting.send_one(job, delivery_id)
    with reading():
        delivery = db.session.execute(
            select(Delivery.smtp_answer, Delivery.message_id).where(Delivery.id == delivery_id)
        ).one()
        db.session.rollback()
    if state == FAILED:
        raise JobFailedError(f"This mail could not be delivered: {delivery.smtp_answer}")
    return {"sent": True, "message_id": delivery.message_id} if state == SENT else {"sent": False}
