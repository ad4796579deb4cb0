"""The kinds of mail. Each is a job: never lost, sent again while the server is away, known by its Message-ID."""

from __future__ import annotations

from typing import Any

from musicapp.core.db import db, reading
from musicapp.core.mailer import MailError, send_mail
from musicapp.jobs.context import JobContext
from musicapp.jobs.registry import JobFailedError, RetryLater, job_kind
from musicapp.notifications import letters

MAX_ATTEMPTS = 60
"""With the delays below: two days and a half."""
FIRST_DELAY_SECONDS = 10
LONGEST_DELAY_SECONDS = 3600

ONE_MAIL = ("confirm_address", "reset_password", "email_changed", "album_created")
"""Kinds of mail that are a job of their own, `mail_<kind>`."""


def retry_delay_seconds(attempt: int) -> float:
    """10 s after the first attempt, then twice as long each time, up to an hour."""
    return float(min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(attempt - 1, 20)))


def send_letter(job: JobContext) -> dict[str, Any]:
    """Writes the letter of this job and hands it over, with no transaction open meanwhile.

    Raises RetryLater while the server is away or says "later", JobFailedError when it says "never".
    """
    kind = job.kind.removeprefix("mail_")
    user_id = job.arguments.get("user_id", job.subject_id)
    occasion = letters.Occasion(kind, user_id, job.subject_id, f"{job.kind}/{job.id}", job.arguments)
    with reading():
        letter = letters.WRITERS[kind](occasion)
    db.session.rollback()
    if letter is None:
        return {"sent": False}
    try:
        send_mail(
            to=letter.to,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            message_id=letter.message_id,
            # Nobody's holiday note should answer.
            headers={"Auto-Submitted": "auto-generated"},
        )
    except MailError as error:
        if error.permanent:
            raise JobFailedError(str(error)) from error
        raise RetryLater(retry_delay_seconds(job.attempt), str(error)) from error
    return {"sent": True, "message_id": letter.message_id}


for _kind in ONE_MAIL:
    job_kind(f"mail_{_kind}", queue="default", max_attempts=MAX_ATTEMPTS)(send_letter)
