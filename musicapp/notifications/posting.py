"""The post office: every mail passes here, as a delivery of a job; single ones and mailings to thousands alike.

One part of a job: deliveries are read by key, a hundred at a time; each is claimed and that committed, written from the
rows as they are now, handed over with no transaction open, and its end is committed together with the next one's
claim. So a killed worker leaves at most one mail of which nobody knows whether it left; it leaves again with the same
Message-ID.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy import ColumnElement, case, exists, func, select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from musicapp.accounts.models import User
from musicapp.core.db import db, reading, utc_now
from musicapp.core.mailer import MailError, Outbox, OutgoingMail, ServerAwayError, outbox
from musicapp.jobs.context import ClaimLostError, JobContext
from musicapp.jobs.models import RUNNING, Job
from musicapp.jobs.registry import GoOn, RetryLater
from musicapp.notifications import letters, pace
from musicapp.notifications.bouncing import bounces_of, count_bounce, forget_bounces
from musicapp.notifications.kinds import MAIL, OFF, needs_confirmed_address
from musicapp.notifications.models import (
    CANCELLED,
    FAILED,
    SENDING,
    SENT,
    SUPPRESSED,
    WAITING,
    Delivery,
    NotificationPreference,
)

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 60
"""With the delays below: two days and a half."""
FIRST_DELAY_SECONDS = 10
LONGEST_DELAY_SECONDS = 3600

PART_SECONDS = 1.5
"""Then a mailing stands at the end of the queue again: a single mail waits no longer than this behind it."""
READ_AT_ONCE = 100
WRITE_AGAIN_AFTER_S = (0.2, 0.4, 0.8, 1.6, 3.2)
"""A mail that left and whose end can't be written leaves twice: it is worth waiting for a database that restarts."""

STATES = (WAITING, SENDING, SENT, FAILED, SUPPRESSED, CANCELLED)


def send_waiting(job: JobContext) -> dict[str, int]:
    """Sends what waits of this job's deliveries; how many were sent, failed, suppressed and cancelled in the end.

    Works for a second or two, then raises GoOn; also where the minute is full, and where all that is left waits for
    its next try. Raises RetryLater while the mail server is away, JobCancelledError and ClaimLostError as jobs do.
    """
    counts = _Part(job, Delivery.job_id == job.id, is_mailing=True).send()
    return {state: counts[state] for state in (SENT, FAILED, SUPPRESSED, CANCELLED)}


def send_one(job: JobContext, delivery_id: int) -> str:
    """Sends one delivery, also one that failed or was cancelled before; the state it came to.

    Raises GoOn where the minute is full, RetryLater while the server is away or says "later".
    """
    counts = _Part(job, Delivery.id == delivery_id, is_mailing=False).send()
    return next((state for state in STATES if counts[state]), CANCELLED)


def counts_of(job_id: int) -> dict[str, int]:
    """State -> how many deliveries of the job are in it; every state is there."""
    return _counts(Delivery.job_id == job_id)


def retry_delay_seconds(attempt: int) -> float:
    """10 s after the first attempt, then twice as long each time, up to an hour."""
    return float(min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(attempt - 1, 20)))


def _counts(chosen: ColumnElement[bool]) -> dict[str, int]:
    rows = db.session.execute(
        select(Delivery.state, func.count().label("deliveries")).where(chosen).group_by(Delivery.state)
    )
    return dict.fromkeys(STATES, 0) | {row.state: row.deliveries for row in rows}


@dataclass(frozen=True, slots=True)
class _End:
    """What came of a delivery: its columns, and what to note of its address."""

    delivery_id: int
    columns: dict[str, Any]
    bounced: str = ""
    arrived_after_bounces: str = ""


class _Part:
    """One part of a job's mails."""

    def __init__(self, job: JobContext, chosen: ColumnElement[bool], *, is_mailing: bool) -> None:
        self.job, self.chosen, self.is_mailing = job, chosen, is_mailing
        self.counts: dict[str, int] = {}
        self.end: _End | None = None
        """Of the last delivery; not written yet."""
        self.later_words = ""

    def send(self) -> dict[str, int]:
        self._begin()
        with outbox() as out:
            pause_s = self._send_due(out)
        if pause_s is not None:
            raise GoOn(pause_s)
        next_at = self._next_due_at()
        if next_at is None:
            return self.counts
        seconds = max(0.0, (next_at - utc_now()).total_seconds())
        raise GoOn(seconds) if self.is_mailing else RetryLater(seconds, self.later_words)

    def _begin(self) -> None:
        # What is "sending" was left by a worker that lost this job; what is cancelled, by a job that is tried again.
        left = (SENDING, CANCELLED) if self.is_mailing else (SENDING, CANCELLED, FAILED)
        others = select(Job.claim_token).where(
            Job.state == RUNNING, Job.id != self.job.id, Job.claim_token.is_not(None)
        )
        db.session.execute(
            update(Delivery)
            .where(self.chosen, Delivery.state.in_(left), self._job_is_ours())
            # An admin may send one of a mailing's mails again while the mailing is tried again, too.
            .where(Delivery.claim_token.is_(None) | Delivery.claim_token.not_in(others))
            .values(
                state=WAITING, claim_token=None, attempts=case((Delivery.state == FAILED, 0), else_=Delivery.attempts)
            )
            .execution_options(synchronize_session=False)
        )
        db.session.commit()
        with reading():
            self.counts = _counts(self.chosen)
            db.session.rollback()

    def _send_due(self, out: Outbox) -> float | None:
        """Seconds to pause before the next part; None when nothing is due."""
        ends_at = time.monotonic() + PART_SECONDS
        last_id = 0
        try:
            while rows := self._due_after(last_id):
                for row in rows:
                    last_id = row.id
                    if not self._write(claim_id=row.id):
                        continue
                    self._show_progress()
                    pause_s = self._deliver(out, row)
                    if pause_s or time.monotonic() > ends_at:
                        return pause_s
            return None
        finally:
            self._write()

    def _due_after(self, last_id: int) -> list[Any]:
        due = select(
            Delivery.id,
            Delivery.kind,
            Delivery.subject_id,
            Delivery.arguments,
            Delivery.user_id,
            Delivery.reason,
            Delivery.attempts,
        ).where(self.chosen, Delivery.state == WAITING, Delivery.id > last_id)
        if self.is_mailing:  # a single mail is due when its job is
            due = due.where(Delivery.due_at <= utc_now())
        with reading():
            rows = list(db.session.execute(due.order_by(Delivery.id).limit(READ_AT_ONCE)))
            db.session.rollback()
        return rows

    def _next_due_at(self) -> datetime | None:
        with reading():
            next_at = db.session.scalar(select(func.min(Delivery.due_at)).where(self.chosen, Delivery.state == WAITING))
            db.session.rollback()
        return next_at

    def _deliver(self, out: Outbox, row: Any) -> float:
        """Writes one mail and hands it over; `self.end` is what came of it. Seconds to pause where the minute is full.

        Raises RetryLater while the server is away.
        """
        mail, has_bounced = self._write_mail(row)
        if mail is None:
            return 0.0
        pause_s = pace.pause_s(is_mailing=self.is_mailing)
        if pause_s:
            self._ends(row, WAITING)
            return pause_s
        known: dict[str, Any] = {
            "recipient": mail.to[:254],
            "subject": mail.subject[:300],
            "message_id": mail.message_id,
        }
        try:
            answer = out.send(mail)
            log.info("mail %s has left (%s): %s", mail.message_id, row.kind, answer)
        except ServerAwayError as error:
            delay_s = retry_delay_seconds(self.job.attempt)
            if self.counts[WAITING] > 1:
                # A mail that breaks every connection must not stand in front of the others when the job is back.
                known["due_at"] = utc_now() + timedelta(seconds=2 * delay_s)
            self._ends(row, WAITING, smtp_answer=error.answer, **known)
            raise RetryLater(delay_s, str(error)) from error
        except MailError as error:
            self._ends_refused(row, mail, error, known)
        else:
            arrived = mail.to if has_bounced else ""
            known |= {"smtp_answer": answer, "attempts": row.attempts + 1, "sent_at": utc_now()}
            self._ends(row, SENT, arrived_after_bounces=arrived, **known)
        return 0.0

    def _ends_refused(self, row: Any, mail: OutgoingMail, error: MailError, known: dict[str, Any]) -> None:
        attempts = row.attempts + 1
        self.later_words = str(error)
        known |= {"attempts": attempts, "smtp_answer": error.answer}
        if error.permanent:
            self._ends(row, FAILED, bounced=mail.to if error.is_bounce else "", **known)
        elif attempts >= MAX_ATTEMPTS:
            known["smtp_answer"] = f"Given up after {attempts} tries: {error.answer}"
            self._ends(row, FAILED, **known)
        else:
            due_at = utc_now() + timedelta(seconds=retry_delay_seconds(attempts))
            self._ends(row, WAITING, due_at=due_at, **known)

    def _write_mail(self, row: Any) -> tuple[OutgoingMail | None, bool]:
        """The mail, from the rows as they are now, and whether its address was refused lately.

        None when it must not be sent; `self.end` says why.
        """
        with reading():
            try:
                return self._mail_or_reason(row)
            except (SQLAlchemyError, SoftTimeLimitExceeded):
                raise
            except Exception as error:
                if not self.is_mailing:
                    raise
                # One reader's letter; the others must not wait until it is mended.
                log.exception("delivery %s (%s) can't be written", row.id, row.kind)
                self._ends(row, FAILED, smtp_answer=f"It could not be written: {type(error).__name__}.")
                return None, False
            finally:
                db.session.rollback()

    def _mail_or_reason(self, row: Any) -> tuple[OutgoingMail | None, bool]:
        why_not = _why_not(row.user_id, row.kind)
        if why_not:
            self._ends(row, SUPPRESSED, smtp_answer=why_not)
            return None, False
        occasion = letters.Occasion(row.kind, row.user_id, row.subject_id or 0, row.reason, row.arguments)
        letter = letters.WRITERS[row.kind](occasion)
        if letter is None:
            self._ends(row, SUPPRESSED, smtp_answer="It had lost its point when it was to be sent.")
            return None, False
        bounces, is_stopped = bounces_of(letter.to)
        if is_stopped:
            words = f"The address was refused {bounces} times; an admin can allow it again."
            self._ends(row, SUPPRESSED, recipient=letter.to[:254], subject=letter.subject[:300], smtp_answer=words)
            return None, False
        # Nobody's holiday note should answer.
        headers = {"Auto-Submitted": "auto-generated", **letter.headers}
        mail = OutgoingMail(letter.to, letter.subject, letter.text, letter.html, letter.message_id, headers)
        return mail, bounces > 0

    def _ends(
        self, row: Any, state: str, *, bounced: str = "", arrived_after_bounces: str = "", **columns: Any
    ) -> None:
        self.end = _End(row.id, {"state": state, **columns}, bounced, arrived_after_bounces)
        self.counts[WAITING] -= 1
        self.counts[state] += 1

    def _show_progress(self) -> None:
        total = sum(self.counts.values())
        done = total - self.counts[WAITING]
        # Neither 0 nor 100: those are shown however soon after the last.
        self.job.progress(max(1, min(99, 100 * done // total)), f"{done:,} of {total:,}" if self.is_mailing else "")

    def _write(self, claim_id: int | None = None) -> bool:
        """Writes the end of the last delivery and claims another, in one transaction; whether the claim is ours.

        Raises ClaimLostError when the job is another worker's.
        """
        if self.end is None and claim_id is None:
            return False
        for delay_s in (*WRITE_AGAIN_AFTER_S, None):
            db.session.rollback()  # whatever was interrupted, such as reading
            try:
                is_claimed = self._write_once(claim_id)
                db.session.commit()
            except OperationalError:
                if delay_s is None:
                    raise
                log.warning("job %s: the database is busy, writing a mail's end again", self.job.id)
                time.sleep(delay_s)
            else:
                self.end = None
                return is_claimed
        raise AssertionError("unreachable")

    def _write_once(self, claim_id: int | None) -> bool:
        if self.end is not None:
            self._write_end(self.end)
        if claim_id is None:
            return False
        claimed = db.session.execute(
            update(Delivery)
            .where(Delivery.id == claim_id, Delivery.state == WAITING, self._job_is_ours())
            .values(state=SENDING, claim_token=self.job.token)
            .execution_options(synchronize_session=False)
        )
        if claimed.rowcount == 1:  # type: ignore[attr-defined]
            return True
        if db.session.scalar(select(Job.claim_token).where(Job.id == self.job.id)) != self.job.token:
            db.session.commit()
            self.end = None
            raise ClaimLostError
        return False

    def _write_end(self, end: _End) -> None:
        # Whatever state it is in by now, as long as nobody else has taken it over: what happened, happened.
        written = db.session.execute(
            update(Delivery)
            .where(Delivery.id == end.delivery_id, Delivery.claim_token == self.job.token)
            .values(**end.columns)
            .execution_options(synchronize_session=False)
        )
        if written.rowcount != 1:  # type: ignore[attr-defined]
            self.end = None
            log.warning("delivery %s ended as %s, but another worker has it", end.delivery_id, end.columns["state"])
            raise ClaimLostError
        if end.bounced:
            count_bounce(end.bounced, end.columns["smtp_answer"])
        if end.arrived_after_bounces:
            forget_bounces(end.arrived_after_bounces)

    def _job_is_ours(self) -> ColumnElement[bool]:
        return exists().where(Job.id == self.job.id, Job.claim_token == self.job.token)


def _why_not(user_id: int | None, kind: str) -> str:
    """Why a person gets no mail of the kind now; empty where nothing stands against it."""
    choice = NotificationPreference
    row = db.session.execute(
        select(User.suspended_at, User.deleted_at, User.email_confirmed_at, choice.frequency)
        .outerjoin(choice, (choice.user_id == User.id) & (choice.kind == kind) & (choice.outlet == MAIL))
        .where(User.id == user_id)
    ).one_or_none()
    if row is None or row.deleted_at is not None:
        return "The account is closed."
    if row.suspended_at is not None:
        return "The account is suspended."
    if row.email_confirmed_at is None and needs_confirmed_address(kind):
        return "The address was never confirmed."
    return "The reader has unsubscribed." if row.frequency == OFF else ""
