"""What becomes of playlists when an account is closed."""

from __future__ import annotations

from sqlalchemy import Select, delete, select, update

from musicapp.accounts.models import User
from musicapp.core.db import db, utc_now
from musicapp.core.events import publish
from musicapp.playlists.events import PlaylistDeleted, PlaylistMembersChanged
from musicapp.playlists.models import (
    Playlist,
    PlaylistChange,
    PlaylistEntry,
    PlaylistFollow,
    PlaylistInvitation,
    PlaylistMember,
)
from musicapp.playlists.services.editing import locked_by_anybody
from musicapp.playlists.services.following import drop_follow
from musicapp.playlists.services.members import make_owner


def forget_user(user_id: int) -> None:
    """Takes a closed account out of every playlist.

    A playlist that others edit too goes to the editor who joined first, the others are deleted; what the user added
    stays, without their name.
    """
    # In one order everywhere, so that two of these can't wait for each other.
    for playlist_id in db.session.scalars(_playlists_with(user_id)).all():
        playlist = locked_by_anybody(playlist_id, even_deleted=True)
        if playlist.owner_id == user_id:
            _pass_on(playlist)
        drop_follow(playlist, user_id)
        db.session.execute(
            delete(PlaylistMember).where(PlaylistMember.playlist_id == playlist_id, PlaylistMember.user_id == user_id)
        )
        publish(PlaylistMembersChanged(playlist_id, user_id))
    db.session.execute(
        update(PlaylistInvitation)
        .where((PlaylistInvitation.user_id == user_id) | (PlaylistInvitation.created_by_id == user_id))
        .where(PlaylistInvitation.revoked_at.is_(None))
        .values(revoked_at=utc_now())
    )
    db.session.execute(update(PlaylistEntry).where(PlaylistEntry.added_by_id == user_id).values(added_by_id=None))
    db.session.execute(update(PlaylistChange).where(PlaylistChange.user_id == user_id).values(user_id=None))


def _playlists_with(user_id: int) -> Select[int]:
    joined = select(PlaylistMember.playlist_id).where(PlaylistMember.user_id == user_id)
    followed = select(PlaylistFollow.playlist_id).where(PlaylistFollow.user_id == user_id)
    return select(Playlist.id).where(Playlist.id.in_(joined.union(followed))).order_by(Playlist.id)


def _pass_on(playlist: Playlist) -> None:
    heir = db.session.scalar(
        select(PlaylistMember)
        .join(User, User.id == PlaylistMember.user_id)
        .where(PlaylistMember.playlist_id == playlist.id, PlaylistMember.role == "editor", User.deleted_at.is_(None))
        .order_by(PlaylistMember.joined_at, PlaylistMember.user_id)
        .limit(1)
    )
    if heir is not None:
        make_owner(playlist, heir)
    elif playlist.deleted_at is None:
        playlist.deleted_at = utc_now()
        db.session.flush()
        publish(PlaylistDeleted(playlist.id))
