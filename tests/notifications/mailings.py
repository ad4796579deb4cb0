"""A mailing for tests: readers, a job of the kind "test_mailing", and a delivery for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select, update

from musicapp.accounts.models import User
from musicapp.core.db import db, utc_now
from musicapp.core.mailer import fixed_message_id
from musicapp.jobs import services as jobs
from musicapp.jobs.context import JobContext
from musicapp.jobs.models import Job
from musicapp.jobs.runner import run_next
from musicapp.notifications.letters import Letter, Occasion
from musicapp.notifications.models import Delivery
from musicapp.notifications.posting import send_waiting

KIND = "test_mailing"
Hook = Callable[[JobContext], None]
hooks: list[Hook] = []
"""Called with the job before each of its parts."""


def run_mailing(job: JobContext) -> dict[str, int]:
    for hook in hooks:
        hook(job)
    return send_waiting(job)


def write_note(occasion: Occasion) -> Letter | None:
    """A letter without templates."""
    user = db.session.get_one(User, occasion.user_id)
    return Letter(
        to=user.email,
        subject=f"Note for {user.username}",
        text="Hello",
        html="<p>Hello</p>",
        message_id=fixed_message_id(occasion.reason),
    )


def address(number: int) -> str:
    return f"r{number}@example.com"


def make_readers(count: int) -> list[int]:
    """Ids of r0, r1, … with addresses of those names."""
    names = [{"username": f"r{n}", "username_key": f"r{n}", "display_name": f"R{n}"} for n in range(count)]
    users = [
        User(**name, email=address(n), email_confirmed_at=utc_now(), password_hash="x") for n, name in enumerate(names)
    ]
    db.session.add_all(users)
    db.session.commit()
    return [user.id for user in users]


def make_mailing(readers: list[int], name: str = "first") -> int:
    """The id of a queued job with a waiting delivery for each reader."""
    job_id = jobs.add(KIND)
    for user_id in readers:
        db.session.add(Delivery(job_id=job_id, kind="note", user_id=user_id, reason=f"note/{name}/{user_id}"))
    db.session.commit()
    return job_id


def due_now(job_id: int) -> None:
    """As if the time had come for the job and its deliveries."""
    db.session.rollback()
    db.session.execute(update(Job).where(Job.id == job_id).values(run_at=utc_now()))
    db.session.execute(update(Delivery).where(Delivery.job_id == job_id).values(due_at=utc_now()))
    db.session.commit()


def run_parts(job_id: int, most: int = 30) -> Job:
    """Runs the job part after part until it has ended or waits for something; the job."""
    for _ in range(most):
        if run_next(KIND) is None:
            break
    return job(job_id)


def job(job_id: int) -> Job:
    db.session.rollback()
    return db.session.get_one(Job, job_id, populate_existing=True)


def deliveries(job_id: int) -> list[Delivery]:
    db.session.rollback()
    chosen = select(Delivery).where(Delivery.job_id == job_id).order_by(Delivery.id)
    return list(db.session.scalars(chosen.execution_options(populate_existing=True)))


def states(job_id: int) -> list[Any]:
    return [delivery.state for delivery in deliveries(job_id)]
