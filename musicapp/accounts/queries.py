"""Reads about people."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, or_, select

from musicapp.accounts.models import Invitation, User, UserSession
from musicapp.accounts.tokens import hash_token
from musicapp.core.db import db, utc_now

JUST_MADE = timedelta(days=1)
"""An account of this age may have its first sign-in."""


@dataclass(frozen=True, slots=True)
class SignInFacts:
    """What the sign-in door needs to know before any transaction of its own."""

    user_id: int
    password_hash: str
    is_suspended: bool
    suspended_reason: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """One row of the list of devices."""

    id: int
    device: str
    ip_address: str
    created_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """What everybody may know about a user."""

    id: int
    username: str
    display_name: str
    bio: str
    avatar_key: str | None
    created_at: datetime


def key_of_username(username: str) -> str:
    """What makes two usernames the same: Alice, alice and full-width ａｌｉｃｅ are one person."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username.strip()).casefold())


def key_of_email(email: str) -> str:
    return email.strip().lower()


def user_by_id(user_id: int) -> User | None:
    """A user that is not deleted."""
    return db.session.scalar(select(User).where(User.id == user_id, User.deleted_at.is_(None)))


def user_by_email(email: str) -> User | None:
    return db.session.scalar(select(User).where(User.email == key_of_email(email), User.deleted_at.is_(None)))


def sign_in_facts(name_or_email: str) -> SignInFacts | None:
    """By username or e-mail address; usernames have no "@", so the two can't be confused."""
    row = db.session.execute(
        select(User.id, User.password_hash, User.suspended_at, User.suspended_reason).where(
            or_(User.username_key == key_of_username(name_or_email), User.email == key_of_email(name_or_email)),
            User.deleted_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    return SignInFacts(row.id, row.password_hash, row.suspended_at is not None, row.suspended_reason or "")


def password_hash_of(user_id: int) -> str | None:
    return db.session.scalar(select(User.password_hash).where(User.id == user_id, User.deleted_at.is_(None)))


def taken_names(username: str, email: str, *, besides_id: int = 0) -> set[str]:
    """Which of "username" and "email" somebody else has."""
    rows = db.session.execute(
        select(User.username_key, User.email).where(
            or_(User.username_key == key_of_username(username), User.email == key_of_email(email)),
            User.id != besides_id,
        )
    ).all()
    taken = set()
    for row in rows:
        taken |= {"username"} if row.username_key == key_of_username(username) else set()
        taken |= {"email"} if row.email == key_of_email(email) else set()
    return taken


def profile_of(username: str) -> Profile | None:
    """What everybody may read of somebody; None for a closed or suspended account."""
    row = db.session.execute(
        select(User.id, User.username, User.display_name, User.bio, User.avatar_key, User.created_at).where(
            User.username_key == key_of_username(username), User.deleted_at.is_(None), User.suspended_at.is_(None)
        )
    ).one_or_none()
    return Profile(*row) if row else None


def devices_of(user_id: int, *, seen_since: datetime) -> list[Device]:
    """Signed-in devices, the last used first."""
    rows = db.session.execute(
        select(
            UserSession.id, UserSession.device, UserSession.ip_address, UserSession.created_at, UserSession.last_seen_at
        )
        .where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None), UserSession.last_seen_at >= seen_since)
        .order_by(UserSession.last_seen_at.desc())
    ).all()
    return [Device(*row) for row in rows]


def is_new_device(user_id: int, device: str) -> bool:
    """Whether this account was never signed in to from such a device, as far as devices are remembered.

    An account's first sign-in is none, but one to an account that has lain there for a day is.
    """
    same = func.sum(case((UserSession.device == device, 1), else_=0))
    known_count, same_count, created_at = db.session.execute(
        select(func.count(UserSession.id), same, User.created_at)
        .select_from(User)
        .outerjoin(UserSession, UserSession.user_id == User.id)
        .where(User.id == user_id)
        .group_by(User.id, User.created_at)
    ).one()
    return not same_count and (known_count > 0 or created_at < utc_now() - JUST_MADE)


def open_invitation(token: str) -> Invitation | None:
    """An invitation that can still be used."""
    return db.session.scalar(
        select(Invitation).where(
            Invitation.token_hash == hash_token(token),
            Invitation.used_at.is_(None),
            Invitation.expires_at > utc_now(),
        )
    )


def account_export(user_id: int) -> dict[str, Any]:
    """What this room knows about somebody, for the export. Nothing secret: no hashes."""
    user = db.session.get_one(User, user_id)
    sessions = db.session.scalars(
        select(UserSession).where(UserSession.user_id == user_id).order_by(UserSession.id)
    ).all()
    return {
        "profile": {
            "username": user.username,
            "display_name": user.display_name,
            "email": user.email,
            "email_confirmed_at": _iso(user.email_confirmed_at),
            "pending_email": user.pending_email,
            "bio": user.bio,
            "time_zone": user.time_zone,
            "locale": user.locale,
            "role": user.role,
            "created_at": _iso(user.created_at),
        },
        "sessions": [
            {
                "device": row.device,
                "ip_address": row.ip_address,
                "created_at": _iso(row.created_at),
                "last_seen_at": _iso(row.last_seen_at),
                "revoked_at": _iso(row.revoked_at),
            }
            for row in sessions
        ],
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
