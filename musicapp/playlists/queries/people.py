"""People on playlists, and who has joined or is invited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, or_, select

from musicapp.accounts.models import User
from musicapp.core.db import db, utc_now
from musicapp.playlists.models import Playlist, PlaylistInvitation, PlaylistMember


@dataclass(frozen=True, slots=True)
class Person:
    """A user as everybody may see them. Drawn by the macro `avatar`."""

    id: int
    username: str
    display_name: str
    avatar_key: str | None

    @property
    def name(self) -> str:
        return self.display_name or self.username

    @property
    def url(self) -> str:
        return f"/people/{self.username}"

    @property
    def avatar_url(self) -> str | None:
        return f"/avatars/{self.avatar_key.rsplit('/', 1)[-1]}-96.webp" if self.avatar_key else None


PERSON = (User.id, User.username, User.display_name, User.avatar_key)
"""Columns of a Person: select them, then person(*row)."""


def people_by_id(user_ids: Iterable[int | None]) -> dict[int, Person]:
    """User id -> person, of those whose account is not closed, in one statement."""
    ids = {id_ for id_ in user_ids if id_ is not None}
    if not ids:
        return {}
    rows = db.session.execute(select(*PERSON).where(User.id.in_(ids), User.deleted_at.is_(None)))
    return {row[0]: Person(*row) for row in rows}


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Somebody who has joined."""

    person: Person
    role: str
    joined_at: datetime
    wants_digest: bool


_BY_ROLE = case((PlaylistMember.role == "owner", 0), (PlaylistMember.role == "editor", 1), else_=2)


def members(playlist_id: int) -> list[MemberRow]:
    """Owner first, then editors, then viewers, the longest there first."""
    rows = db.session.execute(
        select(*PERSON, PlaylistMember.role, PlaylistMember.joined_at, PlaylistMember.wants_digest)
        .join(PlaylistMember, PlaylistMember.user_id == User.id)
        .where(PlaylistMember.playlist_id == playlist_id, User.deleted_at.is_(None))
        .order_by(_BY_ROLE, PlaylistMember.joined_at, User.id)
    )
    return [MemberRow(Person(*row[:4]), row.role, row.joined_at, row.wants_digest) for row in rows]


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """A way in that is still open."""

    id: int
    playlist_id: int
    playlist_name: str
    role: str
    person: Person | None
    """Whom it is for; None: whoever has the link."""
    invited_by: Person | None
    token: str
    created_at: datetime
    expires_at: datetime


def open_invitations(playlist_id: int) -> list[InvitationRow]:
    """Invitations that nobody answered, revoked or let expire, links too, newest first: for the owner."""
    return _invitations(PlaylistInvitation.playlist_id == playlist_id)


def invitations_for(user_id: int) -> list[InvitationRow]:
    """Invitations that wait for this user's answer, newest first."""
    return _invitations(PlaylistInvitation.user_id == user_id)


def invitation_by_token(token: str) -> InvitationRow | None:
    """An open invitation, for the page that asks "Join?"."""
    found = _invitations(PlaylistInvitation.token == token)
    return found[0] if found else None


def is_open_invitation() -> tuple[ColumnElement[bool], ...]:
    """Conditions for an invitation that can still be used."""
    return (
        PlaylistInvitation.revoked_at.is_(None),
        PlaylistInvitation.expires_at > utc_now(),
        or_(PlaylistInvitation.user_id.is_(None), PlaylistInvitation.answered_at.is_(None)),
    )


def _invitations(which: ColumnElement[bool]) -> list[InvitationRow]:
    rows = db.session.execute(
        select(PlaylistInvitation, Playlist.name)
        .join(Playlist, Playlist.id == PlaylistInvitation.playlist_id)
        .where(which, Playlist.deleted_at.is_(None), *is_open_invitation())
        .order_by(PlaylistInvitation.created_at.desc(), PlaylistInvitation.id.desc())
    ).all()
    people = people_by_id(id_ for row, _ in rows for id_ in (row.user_id, row.created_by_id))
    return [
        InvitationRow(
            id=row.id,
            playlist_id=row.playlist_id,
            playlist_name=name,
            role=row.role,
            person=people.get(row.user_id) if row.user_id else None,
            invited_by=people.get(row.created_by_id) if row.created_by_id else None,
            token=row.token,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
        for row, name in rows
    ]
