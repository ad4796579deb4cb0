"""Reads of announcements: who may open one, what became of it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from musicapp.accounts.models import User
from musicapp.catalog import queries as catalog
from musicapp.catalog.models import Artist
from musicapp.core.db import db
from musicapp.jobs import queries as job_queries
from musicapp.jobs.models import Job
from musicapp.library.models import ArtistFollow
from musicapp.notifications.models import (
    CANCELLED,
    DRAFT,
    FAILED,
    SCHEDULED,
    SENDING,
    SENT,
    SUPPRESSED,
    WAITING,
    Announcement,
    Delivery,
)

PER_PAGE = 30
MOST_REASONS = 6
_ADDRESS = re.compile(r"<?[^\s<>()\[\]\x27\",;:]+@[^\s<>()\[\]\x27\",;:]+>?")


@dataclass(frozen=True, slots=True)
class Counts:
    """The mails of an announcement, by what became of them."""

    sent: int = 0
    failed: int = 0
    suppressed: int = 0
    cancelled: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        return self.sent + self.failed + self.suppressed + self.cancelled + self.waiting

    @property
    def done(self) -> int:
        return self.sent + self.failed + self.suppressed


@dataclass(frozen=True, slots=True)
class Reason:
    """Why mails were refused: what the server said, without addresses, and how often."""

    words: str
    count: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has come of it so far."""

    counts: Counts = field(default_factory=Counts)
    reasons: tuple[Reason, ...] = ()
    notices: int | None = None
    """How many were told on the site's own pages; known once the job has ended."""
    in_digests: int = 0
    """How many get it with their next digest."""


@dataclass(frozen=True, slots=True)
class Told:
    """An announcement and what became of it, as pages show it: the same for all who may open it."""

    id: int
    title: str
    words: str
    state: str
    artist_id: int | None
    artist_name: str
    author_name: str
    created_at: datetime
    send_at: datetime | None
    finished_at: datetime | None
    job: job_queries.JobView | None = None
    outcome: Outcome = field(default_factory=Outcome)

    @property
    def url(self) -> str:
        """Its author's page."""
        return f"{base_of(self.artist_id)}/{self.id}"

    @property
    def has_begun(self) -> bool:
        return self.state not in {DRAFT, SCHEDULED} and not (self.state == "queued" and self.finished_at is None)


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom an announcement reaches."""

    artist_id: int | None
    artist_name: str
    readers: int
    """Followers of the artist, or open accounts; some of them may not want to hear of it."""


def base_of(artist_id: int | None) -> str:
    """Where an artist's announcements stand, and where those of the operators do."""
    return "/admin/announcements" if artist_id is None else "/studio/announcements"


def may_open(viewer: Any, announcement_id: int) -> bool:
    """True for the artist's members, and for admins where it goes to everybody."""
    row = db.session.execute(select(Announcement.artist_id).where(Announcement.id == announcement_id)).one_or_none()
    if row is None or not viewer.is_authenticated:
        return False
    return bool(viewer.is_admin) if row.artist_id is None else catalog.may_edit_artist(viewer.id, row.artist_id)


def is_of_artist(announcement_id: int) -> bool:
    """False for one to everybody, and where there is none."""
    found = select(Announcement.id).where(Announcement.id == announcement_id, Announcement.artist_id.is_not(None))
    return db.session.scalar(found) is not None


def is_suspended(user_id: int) -> bool:
    return db.session.scalar(select(User.suspended_at).where(User.id == user_id)) is not None


def audience_of(artist_id: int | None) -> Audience:
    """Whom the artist's announcements reach; None: those of the operators."""
    is_open = User.deleted_at.is_(None) & User.suspended_at.is_(None)
    readers = select(func.count()).select_from(User).where(is_open)
    if artist_id is None:
        return Audience(None, "", db.session.scalar(readers) or 0)
    readers = readers.join(ArtistFollow, ArtistFollow.user_id == User.id).where(ArtistFollow.artist_id == artist_id)
    name = db.session.scalar(select(Artist.name).where(Artist.id == artist_id))
    return Audience(artist_id, name or "", db.session.scalar(readers) or 0)


def is_job_of(announcement_id: int, job_id: int) -> bool:
    """Whether the job sends this announcement: jobs of other kinds of news carry other ids in the same place."""
    found = select(Announcement.id).where(Announcement.id == announcement_id, Announcement.job_id == job_id)
    return db.session.scalar(found) is not None


def told(announcement_id: int) -> Told | None:
    """All about one, in at most six statements; None where there is none."""
    row = db.session.execute(_rows().where(Announcement.id == announcement_id)).one_or_none()
    if row is None:
        return None
    announcement: Announcement = row.Announcement
    job = db.session.get(Job, announcement.job_id) if announcement.job_id else None
    if job is None:
        return _told(row, outcome=_kept_outcome(announcement.result))
    return _told(row, job=job_queries.views_of([job])[0], outcome=outcome_of(job))


def page_of(artist_id: int | None, *, before: int | None = None) -> tuple[list[Told], int | None]:
    """An artist's announcements (None: those to everybody), newest first, and where the next page begins."""
    rows = _rows().where(Announcement.artist_id == artist_id if artist_id else Announcement.artist_id.is_(None))
    if before is not None:
        rows = rows.where(Announcement.id < before)
    found = db.session.execute(rows.order_by(Announcement.id.desc()).limit(PER_PAGE + 1)).all()
    told = [_told(row, outcome=_kept_outcome(row.Announcement.result)) for row in found[:PER_PAGE]]
    return told, told[-1].id if len(found) > PER_PAGE else None


def outcome_of(job: Job) -> Outcome:
    """What has come of an announcement, from the ledger of mails and the result of its job."""
    counts = counts_of(job.id)
    result = job.result or {}
    return Outcome(
        counts,
        reasons_of(job.id) if counts.failed else (),
        notices=result.get("page"),
        in_digests=max(0, result.get("mail", 0) - counts.total),
    )


def result_of(job_id: int) -> dict[str, Any] | None:
    """What is kept of the outcome when the job has ended."""
    job = db.session.get(Job, job_id)
    return asdict(outcome_of(job)) if job is not None else None


def _kept_outcome(kept: dict[str, Any] | None) -> Outcome:
    if kept is None:
        return Outcome()
    reasons = tuple(Reason(**reason) for reason in kept["reasons"])
    return Outcome(Counts(**kept["counts"]), reasons, kept["notices"], kept["in_digests"])


def counts_of(job_id: int) -> Counts:
    """The mails of a job, by what became of them."""
    grouped = (
        select(Delivery.state, func.count().label("number")).where(Delivery.job_id == job_id).group_by(Delivery.state)
    )
    by_state = {row.state: row.number for row in db.session.execute(grouped)}
    return Counts(
        sent=by_state.get(SENT, 0),
        failed=by_state.get(FAILED, 0),
        suppressed=by_state.get(SUPPRESSED, 0),
        cancelled=by_state.get(CANCELLED, 0),
        waiting=by_state.get(WAITING, 0) + by_state.get(SENDING, 0),
    )


def reasons_of(job_id: int) -> tuple[Reason, ...]:
    """Why mails of the job were refused, most frequent first. Answers that begin alike ("550 5.1.1") are one reason."""
    alike = func.substr(Delivery.smtp_answer, 1, 9)
    number = func.count().label("number")
    grouped = (
        select(func.min(Delivery.smtp_answer).label("answer"), number)
        .where(Delivery.job_id == job_id, Delivery.state == FAILED)
        .group_by(alike)
        .order_by(number.desc(), func.min(Delivery.id))
        .limit(MOST_REASONS)
    )
    return tuple(Reason(without_addresses(row.answer), row.number) for row in db.session.execute(grouped))


def without_addresses(answer: str) -> str:
    """What a mail server said, on one line, with "…" for each address: artists don't learn who their followers are."""
    return " ".join(_ADDRESS.sub("…", answer).split())[:300]


def sent_between(artist_id: int, first: datetime, last: datetime, *, besides: int) -> int:
    """How many other announcements of the artist go out, or went, from `first` until before `last`."""
    counted = select(func.count()).where(
        Announcement.artist_id == artist_id,
        Announcement.state != DRAFT,
        Announcement.id != besides,
        Announcement.send_at >= first,
        Announcement.send_at < last,
    )
    return db.session.scalar(counted) or 0


def public_one(announcement_id: int) -> Told | None:
    """One that has gone out, for whoever follows the link in a notice or a mail."""
    row = db.session.execute(_rows().where(Announcement.id == announcement_id)).one_or_none()
    found = _told(row) if row is not None else None
    return found if found is not None and found.has_begun else None


def _rows() -> Any:
    return (
        select(Announcement, Artist.name.label("artist_name"), User.display_name, User.username)
        .outerjoin(Artist, Artist.id == Announcement.artist_id)
        .outerjoin(User, User.id == Announcement.author_id)
    )


def _told(row: Any, **more: Any) -> Told:
    announcement: Announcement = row.Announcement
    return Told(
        id=announcement.id,
        title=announcement.title,
        words=announcement.words,
        state=announcement.state,
        artist_id=announcement.artist_id,
        artist_name=row.artist_name or "",
        author_name=row.display_name or row.username or "",
        created_at=announcement.created_at,
        send_at=announcement.send_at,
        finished_at=announcement.finished_at,
        **more,
    )
