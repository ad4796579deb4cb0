"""Users as the desk lists them, and one of them with all that belongs to the account."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select

from musicapp.accounts.models import User, UserSession
from musicapp.accounts.queries import Device, devices_of
from musicapp.catalog.models import Artist, ArtistMember, Original
from musicapp.core.db import db, utc_now
from musicapp.jobs.models import Job
from musicapp.notifications.models import Delivery
from musicapp.ops.models import Report
from musicapp.ops.queries.audit import AuditRow, entries_about
from musicapp.uploads.queries import Kept, kept_by

SHOWS = ("all", "admins", "suspended", "unconfirmed")
PER_PAGE = 50
RECENT = 8


@dataclass(frozen=True, slots=True)
class UserRow:
    """A line of the list. `kept_bytes`: originals of this user, deleted ones too."""

    id: int
    username: str
    display_name: str
    email: str
    is_admin: bool
    is_confirmed: bool
    is_suspended: bool
    created_at: datetime
    last_seen_at: datetime | None
    kept_bytes: int


@dataclass(frozen=True, slots=True)
class UserList:
    """A page of the list; `next_after` is the key of the page that follows, None on the last."""

    rows: list[UserRow]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class ArtistOfUser:
    id: int
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class UserPage:
    """Everything the desk says about an account."""

    user: User
    kept: Kept
    devices: list[Device]
    artists: list[ArtistOfUser]
    jobs: list[Job]
    mails: list[Delivery]
    acts: list[AuditRow]
    open_reports: int


def users(text: str = "", show: str = "all", after: int | None = None) -> UserList:
    """Newest first. `text` is found in username, shown name and address; `show` is one of SHOWS."""
    found = (
        select(
            User.id,
            User.username,
            User.display_name,
            User.email,
            User.role,
            User.email_confirmed_at,
            User.suspended_at,
            User.created_at,
        )
        .where(User.deleted_at.is_(None), *_filter(show), *matching(text))
        .order_by(User.id.desc())
        .limit(PER_PAGE + 1)
    )
    if after is not None:
        found = found.where(User.id < after)
    rows = db.session.execute(found).all()
    ids = [row.id for row in rows[:PER_PAGE]]
    seen, kept = _last_seen(ids), _kept_bytes(ids)
    return UserList(
        rows=[
            UserRow(
                id=row.id,
                username=row.username,
                display_name=row.display_name,
                email=row.email,
                is_admin=row.role == "admin",
                is_confirmed=row.email_confirmed_at is not None,
                is_suspended=row.suspended_at is not None,
                created_at=row.created_at,
                last_seen_at=seen.get(row.id),
                kept_bytes=kept.get(row.id, 0),
            )
            for row in rows[:PER_PAGE]
        ],
        next_after=rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else None,
    )


def user_counts() -> dict[str, int]:
    """How many there are of each of SHOWS, in one statement."""
    counts = [func.count().filter(*_filter(show)) if show != "all" else func.count() for show in SHOWS]
    row = db.session.execute(select(*counts).where(User.deleted_at.is_(None))).one()
    return dict(zip(SHOWS, row, strict=True))


def user_page(user_id: int, *, seen_for: timedelta) -> UserPage | None:
    """None for an id that nobody has; a closed account still has its traces. `seen_for`: how long a session counts."""
    user = db.session.get(User, user_id)
    if user is None:
        return None
    artists = db.session.execute(
        select(Artist.id, Artist.name, ArtistMember.role)
        .join(ArtistMember, ArtistMember.artist_id == Artist.id)
        .where(ArtistMember.user_id == user_id, Artist.deleted_at.is_(None))
        .order_by(Artist.sort_name, Artist.id)
        .limit(100)
    )
    about = (Report.subject_kind == "user", Report.subject_id == user_id, Report.state == "open")
    return UserPage(
        user=user,
        kept=kept_by(user_id),
        devices=devices_of(user_id, seen_since=utc_now() - seen_for),
        artists=[ArtistOfUser(*row) for row in artists],
        jobs=list(db.session.scalars(select(Job).where(Job.owner_id == user_id).order_by(Job.id.desc()).limit(RECENT))),
        mails=list(
            db.session.scalars(
                select(Delivery).where(Delivery.user_id == user_id).order_by(Delivery.id.desc()).limit(RECENT)
            )
        ),
        acts=entries_about("user", user_id, limit=RECENT),
        open_reports=db.session.scalar(select(func.count()).select_from(Report).where(*about)) or 0,
    )


def matching(text: str) -> tuple[ColumnElement[bool], ...]:
    """Conditions for users in whose names or address the text stands; none for no text."""
    wanted = text.strip()
    if not wanted:
        return ()
    return (
        or_(
            User.username_key.contains(wanted.casefold(), autoescape=True),
            User.email.contains(wanted.lower(), autoescape=True),
            User.display_name.icontains(wanted, autoescape=True),
        ),
    )


def _filter(show: str) -> tuple[ColumnElement[bool], ...]:
    return {
        "admins": (User.role == "admin",),
        "suspended": (User.suspended_at.is_not(None),),
        "unconfirmed": (User.email_confirmed_at.is_(None),),
    }.get(show, ())


def _last_seen(user_ids: Collection[int]) -> dict[int, datetime]:
    if not user_ids:
        return {}
    found = (
        select(UserSession.user_id, func.max(UserSession.last_seen_at).label("seen_at"))
        .where(UserSession.user_id.in_(user_ids))
        .group_by(UserSession.user_id)
    )
    return {row.user_id: row.seen_at for row in db.session.execute(found)}


def _kept_bytes(user_ids: Collection[int]) -> dict[int, int]:
    if not user_ids:
        return {}
    found = (
        select(Original.owner_id, func.sum(Original.size_bytes))
        .where(Original.owner_id.in_(user_ids))
        .group_by(Original.owner_id)
    )
    return {user_id: int(size) for user_id, size in db.session.execute(found) if user_id is not None}
