"""The ledger of mails, newest first; one delivery; the addresses where mails come back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, or_, select

from musicapp.accounts.models import User
from musicapp.core.db import db
from musicapp.jobs.models import ENDED, Job
from musicapp.notifications.models import (
    CANCELLED,
    FAILED,
    SENDING,
    SENT,
    SUPPRESSED,
    WAITING,
    BouncingAddress,
    Delivery,
)

PER_PAGE = 50
WHOLE_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}")
STATES = (WAITING, SENDING, SENT, FAILED, SUPPRESSED, CANCELLED)
COUNTED = (WAITING, SENDING, FAILED, SUPPRESSED)
"""States that matter to an operator; of what was sent there are millions, and nobody counts them."""


@dataclass(frozen=True, slots=True)
class MailRow:
    """A line of the ledger. `address`: where it went, or the reader's own until it has left."""

    id: int
    kind: str
    subject: str
    recipient: str
    user_id: int | None
    username: str | None
    user_email: str | None
    state: str
    attempts: int
    smtp_answer: str
    at: datetime

    @property
    def address(self) -> str:
        return self.recipient or self.user_email or ""


@dataclass(frozen=True, slots=True)
class MailSearch:
    """What is looked for. `text` is an address or a part of one, `day` a day in the admin's zone."""

    text: str = ""
    kind: str = ""
    state: str = ""
    day: date | None = None
    zone: str = "UTC"

    @property
    def is_narrow(self) -> bool:
        return bool(self.text or self.kind or self.state or self.day)


@dataclass(frozen=True, slots=True)
class MailList:
    """`counts`: state -> how many, of those that want to be looked at; `stopped_count`: addresses."""

    rows: list[MailRow]
    next_after: int | None
    counts: dict[str, int]
    stopped_count: int


@dataclass(frozen=True, slots=True)
class MailPage:
    """One delivery with what is known of its reader, its job and its address."""

    mail: Delivery
    username: str | None
    address: str
    job_kind: str | None
    job_state: str | None
    bouncing: BouncingAddress | None
    again_job_id: int | None
    """Of the last time that an admin sent it again."""

    @property
    def can_send_again(self) -> bool:
        return self.mail.state in {FAILED, SUPPRESSED, CANCELLED} and (self.job_state is None or self.is_job_over)

    @property
    def is_job_over(self) -> bool:
        return self.job_state in ENDED


def mails(search: MailSearch, after: int | None = None) -> MailList:
    """`after` is the last id of the page before."""
    at = func.coalesce(Delivery.sent_at, Delivery.created_at)
    found = (
        select(
            Delivery.id,
            Delivery.kind,
            Delivery.subject,
            Delivery.recipient,
            Delivery.user_id,
            User.username,
            User.email,
            Delivery.state,
            Delivery.attempts,
            Delivery.smtp_answer,
            at,
        )
        .outerjoin(User, User.id == Delivery.user_id)
        .order_by(Delivery.id.desc())
        .limit(PER_PAGE + 1)
    )
    if after is not None:
        found = found.where(Delivery.id < after)
    rows = [MailRow(*row) for row in db.session.execute(found.where(*_conditions(search)))]
    next_after = rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else None
    return MailList(rows[:PER_PAGE], next_after, _state_counts(), _stopped_count())


def _conditions(search: MailSearch) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if search.text:
        conditions.append(_goes_to(search.text))
    if search.kind:
        conditions.append(Delivery.kind == search.kind)
    if search.state:
        conditions.append(Delivery.state == search.state)
    if search.day is not None:
        zone = ZoneInfo(search.zone)
        begins_at = datetime.combine(search.day, time(), zone)
        ends_at = datetime.combine(search.day + timedelta(days=1), time(), zone)
        conditions += [Delivery.created_at >= begins_at, Delivery.created_at < ends_at]
    return conditions


def _goes_to(text: str) -> ColumnElement[bool]:
    text = text.strip().lower()
    if WHOLE_ADDRESS.fullmatch(text):  # a whole address is found by its index, however long the ledger is
        readers = select(User.id).where(User.email == text)
        return or_(Delivery.recipient == text, Delivery.user_id.in_(readers))
    readers = select(User.id).where(
        or_(User.email.icontains(text, autoescape=True), User.username_key.startswith(text, autoescape=True))
    )
    return or_(Delivery.recipient.icontains(text, autoescape=True), Delivery.user_id.in_(readers))


def _state_counts() -> dict[str, int]:
    rows = db.session.execute(
        select(Delivery.state, func.count().label("deliveries"))
        .where(Delivery.state.in_(COUNTED))
        .group_by(Delivery.state)
    )
    return dict.fromkeys(COUNTED, 0) | {row.state: row.deliveries for row in rows}


def mail_page(delivery_id: int) -> MailPage | None:
    row: Any = db.session.execute(
        select(Delivery, User.username, User.email, Job.kind, Job.state)
        .outerjoin(User, User.id == Delivery.user_id)
        .outerjoin(Job, Job.id == Delivery.job_id)
        .where(Delivery.id == delivery_id)
    ).one_or_none()
    if row is None:
        return None
    mail, username, user_email, job_kind, job_state = row
    address = mail.recipient or user_email or ""
    again = select(func.max(Job.id)).where(Job.kind == "mail_again", Job.subject_id == delivery_id)
    bouncing = db.session.get(BouncingAddress, address.lower())
    return MailPage(mail, username, address, job_kind, job_state, bouncing, db.session.scalar(again))


def bouncing_addresses(after: str = "") -> tuple[list[BouncingAddress], str | None]:
    """Addresses that were refused lately, by name, stopped ones and others; and where the next page begins."""
    found = select(BouncingAddress).order_by(BouncingAddress.address).limit(PER_PAGE + 1)
    if after:
        found = found.where(BouncingAddress.address > after)
    rows = list(db.session.scalars(found))
    return rows[:PER_PAGE], rows[PER_PAGE - 1].address if len(rows) > PER_PAGE else None


def _stopped_count() -> int:
    stopped = select(func.count()).select_from(BouncingAddress).where(BouncingAddress.stopped_at.is_not(None))
    return db.session.scalar(stopped) or 0
