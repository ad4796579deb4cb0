"""Writes of the ledger of mails besides sending (posting.py): a job that ended, an admin who tries again."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, select, update

from musicapp.core.db import db, utc_now
from musicapp.jobs import services as jobs
from musicapp.jobs.models import ENDED, Job
from musicapp.notifications.models import CANCELLED, FAILED, SENDING, SENT, WAITING, Delivery

GIVEN_UP = "Given up: the mail server could not be reached for too long."


def cancel_waiting(job_id: int) -> None:
    """The job was cancelled: what has not left stays here."""
    _end_unsent(Delivery.job_id == job_id, CANCELLED)


def give_up(job_id: int) -> None:
    """The job of a single mail failed, and the mail with it."""
    again = select(Job.subject_id).where(Job.id == job_id, Job.kind == "mail_again").scalar_subquery()
    _end_unsent((Delivery.job_id == job_id) | (Delivery.id == again), FAILED)


def _end_unsent(chosen: ColumnElement[bool], state: str) -> None:
    values = {"state": state, "smtp_answer": Delivery.smtp_answer}
    if state == FAILED:
        values["smtp_answer"] = case((Delivery.smtp_answer == "", GIVEN_UP), else_=Delivery.smtp_answer)
    db.session.execute(
        update(Delivery)
        .where(chosen, Delivery.state.in_((WAITING, SENDING)))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def send_again(delivery_id: int, *, owner_id: int | None = None) -> bool:
    """Queues a mail that failed, was cancelled or suppressed once more, as a job of its own.

    False where it was sent, is on its way, or belongs to a job that has not ended. `owner_id` may see the job.
    """
    delivery = db.session.scalars(select(Delivery).where(Delivery.id == delivery_id).with_for_update()).one_or_none()
    if delivery is None or delivery.state in {WAITING, SENDING, SENT}:
        return False
    if delivery.job_id is not None:
        job = db.session.scalars(select(Job).where(Job.id == delivery.job_id).with_for_update()).one()
        if job.state not in ENDED:
            return False
    delivery.state, delivery.attempts, delivery.due_at = WAITING, 0, utc_now()
    jobs.add("mail_again", subject_id=delivery_id, owner_id=owner_id)
    return True
